"""The store in one SQLite file."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlite_utils import Database

from core.embed import Vector
from core.errors import NotFoundError, StoreError
from core.model import Answer, Delivery, Event, Feedback, Person, Role
from core.store import Embedded, Identity, Snapshot, Store, sqlite_articles, sqlite_people
from core.store.columns import ANSWER, ARTICLE, as_json, stamp
from core.store.migrations import MIGRATIONS, applied, is_current
from core.store.sqlite_file import SqliteFile
from knowledge.article import Article, Language

LEASE = timedelta(seconds=30)

_TABLES = (
    "article",
    "passage",
    "vector",
    "change",
    "person",
    "identity",
    "event",
    "answer",
    "outbox",
    "feedback",
)


class SqliteStore(SqliteFile):
    """The `Store` port on SQLite. `clock` dates what was made; what is due, the caller's `now` decides."""

    def __init__(
        self, path: Path, *, wait: float = 10.0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(path, wait=wait)
        self._clock = clock
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        with self.read() as db:
            current = is_current(db, self.path)
        self.use_wal()
        if not current:
            with self.write() as db:  # whoever opens it at the same time waits here, and finds it done
                MIGRATIONS.apply(db)

    # -- articles --------------------------------------------------------------------------------------------
    def sequence(self) -> int:
        """Rise with every change to the articles or their vectors."""
        with self.read() as db:
            return sqlite_articles.sequence(db)

    def snapshot(self, model: str) -> Snapshot:
        """Read everything searchable under this model, as it stood at one moment."""
        with self.read() as db:
            return sqlite_articles.snapshot(db, model)

    def articles(self) -> list[Article]:
        """List all articles, sorted by id, whatever their status."""
        with self.read() as db:
            rows = db.execute("select document from article order by id")
            return sqlite_articles.read_articles(document for (document,) in rows)

    def article(self, article_id: str) -> Article:
        """Find one article; `NotFoundError` when there is none of that id."""
        with self.read() as db:
            row = db.execute("select document from article where id = ?", [article_id]).fetchone()
            if row is None:
                raise NotFoundError(f"There is no article {article_id}.")
            return ARTICLE.validate_json(row[0])

    def known(self, hashes: Iterable[str], model: str) -> dict[str, Vector]:
        """Find the vectors that need not be computed again."""
        with self.read() as db:
            rows = db.execute(
                "select hash, data from vector where hash in (select value from json_each(?)) and model = ?",
                [as_json(list(hashes)), model],
            )
            return {key: np.frombuffer(data, dtype=np.float32) for key, data in rows}

    def save(self, embedded: Sequence[Embedded], model: str) -> None:
        """Insert or replace articles with their passages and vectors, all or none."""
        now = stamp(self._clock())
        with self.write() as db:
            for item in embedded:
                sqlite_articles.save(db, item, model, now)

    def delete(self, article_ids: Iterable[str]) -> None:
        """Remove articles with their passages and vectors; unknown ids are ignored."""
        now = stamp(self._clock())
        with self.write() as db:
            for article_id in article_ids:
                sqlite_articles.delete(db, article_id, now)

    # -- people ----------------------------------------------------------------------------------------------
    def person(self, identity: Identity) -> Person:
        """Tell who is behind a platform's user; made, as an agent, when seen for the first time."""
        with self.read() as db:
            known = sqlite_people.find(db, identity)
        if known:
            return known
        with self.write() as db:
            return sqlite_people.find_or_make(db, identity, self._clock())

    def set_person(
        self,
        identity: Identity,
        *,
        role: Role | None = None,
        audience: Sequence[str] | None = None,
        level: str | None = None,
        language: Language | None = None,
    ) -> Person:
        """Give a person what is named here; the rest stays as it was."""
        with self.write() as db:
            person = sqlite_people.find_or_make(db, identity, self._clock())
            db.execute(
                "update person set role = coalesce(:role, role), audience = coalesce(:audience, audience),"
                " level = coalesce(:level, level), language = coalesce(:language, language) where id = :id",
                {
                    "id": person.id,
                    "role": role,
                    "audience": None if audience is None else as_json(list(audience)),
                    "level": level,
                    "language": language,
                },
            )
            return sqlite_people.find_or_make(db, identity, self._clock())

    def people(self) -> list[tuple[Identity, Person]]:
        """List everybody known, sorted by surface, team and user."""
        with self.read() as db:
            rows = db.query(
                "select * from identity join person on person.id = identity.person_id order by surface, team, user"
            )
            return [(Identity(row["surface"], row["team"], row["user"]), sqlite_people.read(row)) for row in rows]

    # -- events and replies ----------------------------------------------------------------------------------
    def receive(self, event: Event, now: datetime) -> bool:
        """Note an event; False when it was noted before, by whichever process."""
        with self.write() as db:
            if _find_event(db, event):
                return False
            asker = sqlite_people.find_or_make(db, Identity(event.surface, event.team, event.user), now)
            db.execute(
                "insert into event (surface, team, place, message_id, person_id, text, address, direct,"
                " locale, received_at) values (:surface, :team, :place, :message_id, :person_id, :text,"
                " :address, :direct, :locale, :now)",
                asdict(event) | {"person_id": asker.id, "address": as_json(event.address), "now": stamp(now)},
            )
            return True

    def lease(self, event: Event, now: datetime) -> bool:
        """Claim an event for thirty seconds; False when it is done or somebody else holds it."""
        with self.write() as db:
            claimed = db.execute(
                "update event set leased_until = :until"
                " where surface = :surface and team = :team and place = :place and message_id = :message_id"
                " and state = 'received' and (leased_until is null or leased_until <= :now)",
                asdict(event) | {"now": stamp(now), "until": stamp(now + LEASE)},
            )
            return claimed.rowcount == 1

    def undone(self, surface: str, since: datetime, now: datetime) -> list[Event]:
        """List events received after `since` that are neither done nor leased, oldest first.

        Whoever was forgotten meanwhile cannot be answered: without an identity an event is not given back.
        """
        with self.read() as db:
            rows = db.query(
                "select event.*, min(identity.user) as user from event"
                " join identity on identity.person_id = event.person_id"
                " and identity.surface = event.surface and identity.team = event.team"
                " where event.surface = :surface and event.state = 'received' and event.received_at > :since"
                " and (event.leased_until is null or event.leased_until <= :now)"
                " group by event.id order by event.id",
                {"surface": surface, "since": stamp(since), "now": stamp(now)},
            )
            return [_read_event(row) for row in rows]

    def finish(self, event: Event, answer: Answer, person: Person, now: datetime) -> Delivery | None:
        """Record the answer, put it in the outbox, leased to the caller, and mark the event done.

        None, and nothing is recorded, when the event was done already: an answer took longer than the lease.
        """
        with self.write() as db:
            noted = _find_event(db, event)
            if noted is None:
                raise NotFoundError(f"Message {event.message_id} from {event.surface} was never received.")
            event_id, state = noted
            if state == "done":
                return None
            _record(db, answer, person, event.surface, now)
            posted = db.execute(
                "insert into outbox (event_id, surface, address, answer_id, created, leased_until)"
                " values (:event_id, :surface, :address, :answer_id, :now, :until) returning id",
                {
                    "event_id": event_id,
                    "surface": event.surface,
                    "address": as_json(event.address),
                    "answer_id": answer.id,
                    "now": stamp(now),
                    "until": stamp(now + LEASE),
                },
            ).fetchone()
            db.execute(
                "update event set state = 'done', leased_until = null, address = null where id = ?",
                [event_id],
            )
        return Delivery(posted[0], event.surface, event.address, answer, created=now)

    def outbox(self, surface: str, since: datetime, now: datetime) -> list[Delivery]:
        """Lease, for thirty seconds, the replies that nobody has sent or is sending, oldest first."""
        with self.write() as db:
            claimed = db.execute(
                "update outbox set leased_until = :until where surface = :surface and sent is null"
                " and created > :since and (leased_until is null or leased_until <= :now) returning id",
                {"surface": surface, "since": stamp(since), "now": stamp(now), "until": stamp(now + LEASE)},
            ).fetchall()
            rows = db.query(
                "select outbox.*, answer.document from outbox join answer on answer.id = outbox.answer_id"
                " where outbox.id in (select value from json_each(?)) order by outbox.id",
                [as_json([number for (number,) in claimed])],
            )
            return [_read_delivery(row) for row in rows]

    def sent(self, delivery: Delivery, now: datetime) -> None:
        """Note that the platform took it, and forget the address."""
        with self.write() as db:
            db.execute(
                "update outbox set sent = coalesce(sent, :now), address = null, leased_until = null where id = :id",
                {"id": delivery.id, "now": stamp(now)},
            )

    def not_sent(self, delivery: Delivery, error: str) -> None:
        """Note that the platform refused it, and why; free the lease."""
        with self.write() as db:
            db.execute(
                "update outbox set attempts = attempts + 1, last_error = :error, leased_until = null"
                " where id = :id and sent is null",
                {"id": delivery.id, "error": error},
            )

    # -- answers ---------------------------------------------------------------------------------------------
    def record(self, answer: Answer, person: Person, surface: str, now: datetime) -> None:
        """Keep an answer that needs no delivery."""
        with self.write() as db:
            _record(db, answer, person, surface, now)

    def answer(self, answer_id: str) -> Answer:
        """Find an answer given earlier; `NotFoundError` when there is none."""
        with self.read() as db:
            row = db.execute("select document from answer where id = ?", [answer_id]).fetchone()
            if row is None:
                raise NotFoundError(f"There is no answer {answer_id}.")
            return ANSWER.validate_json(row[0])

    def rate(self, feedback: Feedback, now: datetime) -> None:
        """Keep what somebody thought of an answer: the latest wins, field by field."""
        with self.write() as db:
            if not db.execute("select 1 from answer where id = ?", [feedback.answer_id]).fetchone():
                raise NotFoundError(f"There is no answer {feedback.answer_id}.")
            if not db.execute("select 1 from person where id = ?", [feedback.person_id]).fetchone():
                raise NotFoundError(f"There is no person {feedback.person_id}.")
            db.execute(
                "insert into feedback (answer_id, person_id, helpful, reason, moment, note, at)"
                " values (:answer_id, :person_id, :helpful, :reason, :moment, :note, :at)"
                " on conflict (answer_id, person_id) do update set"
                " helpful = coalesce(excluded.helpful, helpful), moment = coalesce(excluded.moment, moment),"
                " reason = coalesce(nullif(excluded.reason, ''), reason),"
                " note = coalesce(nullif(excluded.note, ''), note), at = excluded.at",
                asdict(feedback) | {"at": stamp(now)},
            )

    # -- operations ------------------------------------------------------------------------------------------
    def facts(self) -> Mapping[str, int | str]:
        """Count the rows of each table and name the last migration, `schema`."""
        with self.read() as db:
            return {"schema": applied(db)[-1]} | {table: db.table(table).count for table in _TABLES}


def open_store(where: str | Path) -> Store:
    """Open the store at a file's path or at `sqlite:///path`; the file is made when it is not there yet."""
    scheme, separator, rest = str(where).partition("://")
    if not separator:
        return SqliteStore(Path(where))
    if scheme == "sqlite" and rest.startswith("/") and rest != "/":
        return SqliteStore(Path(rest[1:]))
    if scheme.startswith("postgres"):
        raise StoreError("PostgreSQL is not there yet. Name a file instead: sqlite:///folder/bijdehand.db.")
    raise StoreError(f"{scheme}:// names no database. Write a file's path, or sqlite:///folder/bijdehand.db.")


def _find_event(db: Database, event: Event) -> tuple[int, str] | None:
    found: tuple[int, str] | None = db.execute(
        "select id, state from event"
        " where surface = :surface and team = :team and place = :place and message_id = :message_id",
        asdict(event),
    ).fetchone()
    return found


def _read_event(row: dict[str, Any]) -> Event:
    return Event(
        surface=row["surface"],
        team=row["team"],
        place=row["place"],
        message_id=row["message_id"],
        user=row["user"],
        text=row["text"],
        address=json.loads(row["address"]),
        direct=bool(row["direct"]),
        locale=row["locale"],
    )


def _record(db: Database, answer: Answer, person: Person, surface: str, now: datetime) -> None:
    sqlite_people.keep(db, person, now)
    db.execute(
        "insert into answer (id, document, person_id, surface, outcome, moment, confidence, article_id,"
        " article_version, language, created) values (:id, :document, :person_id, :surface, :outcome,"
        " :moment, :confidence, :article_id, :article_version, :language, :now)",
        {
            "id": answer.id,
            "document": as_json(ANSWER.dump_python(answer)),
            "person_id": person.id,
            "surface": surface,
            "outcome": answer.outcome,
            "moment": answer.moment,
            "confidence": answer.confidence,
            "article_id": answer.card.article_id if answer.card else None,
            "article_version": answer.card.version if answer.card else None,
            "language": answer.language,
            "now": stamp(now),
        },
    )


def _read_delivery(row: dict[str, Any]) -> Delivery:
    return Delivery(
        id=row["id"],
        surface=row["surface"],
        address=json.loads(row["address"]),
        answer=ANSWER.validate_json(row["document"]),
        attempts=row["attempts"],
        created=datetime.fromisoformat(row["created"]),
    )
