"""The store in one SQLite file."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from core.embed import Reading
from core.errors import NotFoundError, StoreError
from core.model import Answer, Delivery, Event, Feedback, Outcome, Person, Place, Request, Role, Turn
from core.store import (
    Backlog,
    Embedded,
    Identity,
    Installation,
    Snapshot,
    Store,
    sqlite_answers,
    sqlite_articles,
    sqlite_coaching,
    sqlite_conversations,
    sqlite_people,
    sqlite_privacy,
    sqlite_teams,
)
from core.store.columns import ANSWER, ARTICLE, as_json, matrix, pieces, stamp
from core.store.migrations import MIGRATIONS, applied, is_current
from core.store.sqlite_coaching import SqliteCoaching
from core.verdicts import Calibration
from knowledge.amounts import Amounts
from knowledge.article import Article, Language
from knowledge.glossary import Term

LEASE = timedelta(seconds=30)

_TABLES = (
    "article",
    "amount",
    "term",
    "verdict",
    "calibration",
    "wording",
    "passage",
    "vector",
    "change",
    "person",
    "identity",
    "address",
    "event",
    "answer",
    "outbox",
    "reply",
    "feedback",
    "place",
    "kept",
    "request",
    "checkup",
    "question",
    "call",
    "version",
    "synced",
    "draft",
    "proposal",
    "notice",
    "announcement",
    "receipt",
    "notification",
    "refusal",
    "tip",
    "seen",
    "installation",
    "state",
)


_GIVEN_UP = timedelta(hours=1)


class SqliteStore(SqliteCoaching):
    """The `Store` port on SQLite.

    `clock` dates what was made and tells which words are old; what is due, the caller's `now` decides.
    """

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

    def amounts(self) -> Amounts:
        """List the amounts that articles may name."""
        with self.read() as db:
            return sqlite_articles.amounts(db)

    def set_amounts(self, amounts: Amounts) -> set[str]:
        """Insert or replace amounts, and tell the names of those that are others now."""
        with self.write() as db:
            return sqlite_articles.set_amounts(db, amounts, stamp(self._clock()))

    def terms(self) -> tuple[Term, ...]:
        """List what words mean, sorted by word and language."""
        with self.read() as db:
            return sqlite_articles.terms(db)

    def set_terms(self, terms: Iterable[Term]) -> None:
        """Insert or replace words, and raise the sequence when any means something else now."""
        with self.write() as db:
            sqlite_articles.set_terms(db, terms, stamp(self._clock()))

    def drop_term(self, said: str, language: Language) -> None:
        """Forget a word, and raise the sequence; an unknown one is ignored."""
        with self.write() as db:
            sqlite_articles.drop_term(db, said, language, stamp(self._clock()))

    def set_calibration(self, model: str, calibration: Calibration | None, now: datetime) -> None:
        """Keep the bands for a model, or none, and raise the sequence."""
        with self.write() as db:
            sqlite_articles.set_calibration(db, model, calibration, stamp(now))

    def known(self, hashes: Iterable[str], model: str) -> dict[str, Reading]:
        """Find the texts that need not be read again."""
        with self.read() as db:
            rows = db.execute(
                "select hash, data, piece_ids, piece_vectors from vector"
                " where hash in (select value from json_each(?)) and model = ?",
                [as_json(list(hashes)), model],
            )
            return {key: Reading(matrix([data])[0], pieces([ids], [vectors])) for key, data, ids, vectors in rows}

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

    def known_person(self, identity: Identity) -> Person | None:
        """Tell who is behind a platform's user, without making anybody; None when never seen."""
        with self.read() as db:
            return sqlite_people.find(db, identity)

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
            return sqlite_people.change(db, person, role, audience, level, language)

    def people(self) -> list[tuple[Identity, Person]]:
        """List everybody known, sorted by surface, team and user."""
        with self.read() as db:
            rows = db.query(
                "select * from identity join person on person.id = identity.person_id order by surface, team, user"
            )
            return [(Identity(row["surface"], row["team"], row["user"]), sqlite_people.read(row)) for row in rows]

    # -- events and replies ----------------------------------------------------------------------------------
    def receive(self, event: Event, now: datetime, *, done: bool = False) -> bool:
        """Note an event, of one that is `done` nothing but its name; False when it was noted before."""
        with self.write() as db:
            if sqlite_conversations.find(db, event):
                return False
            if done:
                sqlite_conversations.note_done(db, event, now)
                return True
            asker = sqlite_people.find_or_make(db, Identity(event.surface, event.team, event.user), now)
            sqlite_conversations.note(db, event, asker.id, now)
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
            return [sqlite_conversations.read(row) for row in rows]

    def finish(self, event: Event, answer: Answer, person: Person, now: datetime) -> Delivery | None:
        """Record the answer, put it in the outbox, leased to the caller, and mark the event done.

        None, and nothing is recorded, when the event was done already: an answer took longer than the lease, or
        the question was withdrawn meanwhile.
        """
        with self.write() as db:
            noted = sqlite_conversations.find(db, event)
            if noted is None:
                raise NotFoundError(f"Message {event.message_id} from {event.surface} was never received.")
            event_id, state = noted
            if state == "done":
                return None
            _record(db, answer, person, event.surface, event.team, now)
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
            sqlite_conversations.close(db, event_id)
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
            return [sqlite_conversations.read_delivery(row) for row in rows]

    def sent(self, delivery: Delivery, now: datetime, *, message_id: str = "") -> bool:
        """Note that the platform took it, and forget the address; False when the question was taken back meanwhile."""
        with self.write() as db:  # by answer too: the number of a reply that was withdrawn is given out again
            noted = db.execute(
                "update outbox set sent = coalesce(sent, :now), address = null, leased_until = null,"
                " message_id = coalesce(nullif(:message_id, ''), message_id)"
                " where id = :id and answer_id = :answer_id",
                {"id": delivery.id, "answer_id": delivery.answer.id, "message_id": message_id, "now": stamp(now)},
            )
            return noted.rowcount == 1

    def not_sent(self, delivery: Delivery, error: str) -> None:
        """Note that the platform refused it, and why; free the lease."""
        with self.write() as db:
            db.execute(
                "update outbox set attempts = attempts + 1, last_error = :error, leased_until = null"
                " where id = :id and answer_id = :answer_id and sent is null",
                {"id": delivery.id, "answer_id": delivery.answer.id, "error": error},
            )

    def turns(self, event: Event, since: datetime, most: int = 6) -> list[Turn]:
        """List the latest answered messages of this event's conversation, itself excluded, oldest first."""
        with self.read() as db:
            return sqlite_conversations.turns(db, event, since, most)

    def withdraw(self, surface: str, team: str, place: str, message_id: str) -> str:
        """Forget a message and its answer; the id of our reply on the platform, or ""."""
        with self.write() as db:
            return sqlite_conversations.withdraw(db, surface, team, place, message_id)

    def set_reply(self, place: Place, message_id: str, answer_id: str, now: datetime) -> None:
        """Note which answer a message of ours shows now; `NotFoundError` when there is no such answer."""
        with self.write() as db:
            sqlite_answers.must_have(db, answer_id)
            sqlite_conversations.set_reply(db, place, message_id, answer_id, now)

    def reply(self, place: Place, message_id: str) -> Answer:
        """Find the answer that a message of ours shows; `NotFoundError` when it shows none."""
        with self.read() as db:
            answer = sqlite_conversations.shown(db, place, message_id)
        if answer is None:
            raise NotFoundError(f"There is no answer in message {message_id} on {place.surface}.")
        return answer

    # -- addresses -------------------------------------------------------------------------------------------
    def keep_address(self, identity: Identity, address: Mapping[str, Any]) -> bool:
        """Keep how to write to somebody in private; True when nothing was known. Written only when it differs."""
        document = as_json(dict(address))
        with self.read() as db:
            if sqlite_people.address(db, identity) == document:
                return False
        with self.write() as db:
            sqlite_people.find_or_make(db, identity, self._clock())
            fresh = sqlite_people.address(db, identity) is None
            sqlite_people.keep_address(db, identity, document)
            return fresh

    def address(self, identity: Identity) -> dict[str, Any] | None:
        """Tell how to write to somebody in private, if that is known."""
        with self.read() as db:
            document = sqlite_people.address(db, identity)
        return None if document is None else dict(json.loads(document))

    def forget_address(self, identity: Identity) -> None:
        """Forget how to write to somebody in private."""
        with self.write() as db:
            db.execute(
                "delete from address where surface = :surface and team = :team and user = :user", asdict(identity)
            )

    # -- places ----------------------------------------------------------------------------------------------
    def place(self, surface: str, team: str, place_id: str) -> Place:
        """Tell what was agreed about a place; one never heard of has the defaults."""
        with self.read() as db:
            row = db.execute(
                "select listens from place where surface = ? and team = ? and id = ?", [surface, team, place_id]
            ).fetchone()
            return Place(surface, team, place_id, listens=bool(row[0])) if row else Place(surface, team, place_id)

    def set_place(self, place: Place) -> None:
        """Keep what was agreed about a place."""
        with self.write() as db:
            db.execute(
                "insert into place (surface, team, id, listens) values (:surface, :team, :id, :listens)"
                " on conflict (surface, team, id) do update set listens = excluded.listens",
                asdict(place),
            )

    # -- answers ---------------------------------------------------------------------------------------------
    def record(self, answer: Answer, person: Person, surface: str, now: datetime, *, team: str = "") -> None:
        """Keep an answer that needs no delivery."""
        with self.write() as db:
            _record(db, answer, person, surface, team, now)

    def answer(self, answer_id: str) -> Answer:
        """Find an answer given earlier; `NotFoundError` when there is none."""
        with self.read() as db:
            row = db.execute("select document from answer where id = ?", [answer_id]).fetchone()
            if row is None:
                raise NotFoundError(f"There is no answer {answer_id}.")
            return ANSWER.validate_json(row[0])

    def asked(self, since: datetime, most: int = 1000) -> list[Answer]:
        """List what was asked, each question once, the latest first; greetings and thanks are not."""
        with self.read() as db:
            rows = db.execute(
                "select document, max(created) from answer where created > ? and document ->> 'question' <> ''"
                " and outcome in ('answered', 'suggestions', 'unanswered') and confidence > 0"
                " group by document ->> 'question', language order by max(created) desc, id limit ?",
                [stamp(since), most],
            )
            return [ANSWER.validate_json(document) for document, _ in rows]

    def rate(self, feedback: Feedback, now: datetime) -> None:
        """Keep what somebody thought of an answer: the latest wins, field by field."""
        with self.write() as db:
            sqlite_answers.must_know(db, feedback.answer_id, feedback.person_id)
            sqlite_answers.rate(db, feedback, now)
            if feedback.reason:
                sqlite_coaching.ask(db, feedback.answer_id, feedback.person_id, feedback.reason, now)

    # -- for later, and for a coach ----------------------------------------------------------------------------
    def keep_for_later(self, answer_id: str, person_id: str, now: datetime) -> None:
        """Put an answer aside for somebody, once."""
        with self.write() as db:
            sqlite_answers.must_know(db, answer_id, person_id)
            db.execute(
                "insert into kept (answer_id, person_id, at) values (?, ?, ?) on conflict do nothing",
                [answer_id, person_id, stamp(now)],
            )

    def drop_for_later(self, answer_id: str, person_id: str) -> None:
        """Take it off again; nothing happens when it was not there."""
        with self.write() as db:
            db.execute("delete from kept where answer_id = ? and person_id = ?", [answer_id, person_id])

    def kept_for_later(self, person_id: str, most: int = 20) -> list[Answer]:
        """List what somebody put aside, the latest first."""
        with self.read() as db:
            return sqlite_answers.kept(db, person_id, most)

    def request(self, answer_id: str, person_id: str, now: datetime, *, why: str = "coach") -> bool:
        """Ask a coach about an answer; False when this person asked that before."""
        with self.write() as db:
            sqlite_answers.must_know(db, answer_id, person_id)
            return sqlite_coaching.ask(db, answer_id, person_id, why, now)

    def requests(self, *, person_id: str | None = None, most: int = 200) -> list[Request]:
        """List open requests, everybody's or one person's, the oldest first."""
        with self.read() as db:
            return sqlite_answers.requests(db, person_id, most)

    def coaches(self) -> int:
        """How many people are coach or admin."""
        with self.read() as db:
            return db.table("person").count_where("role in (?, ?)", [Role.COACH, Role.ADMIN])

    def to_check(
        self, surface: str, asked: tuple[datetime, datetime], quiet_since: datetime, now: datetime
    ) -> list[tuple[Identity, Answer]]:
        """Choose whom to ask whether an answer helped, and note that they are being asked."""
        with self.write() as db:
            return sqlite_answers.to_check(db, surface, asked, quiet_since, now)

    def set_quiet(self, person_id: str, *, quiet: bool) -> None:
        """Note that somebody does not want to be asked whether it helped, or does again."""
        with self.write() as db:
            db.execute("update person set quiet = ? where id = ?", [quiet, person_id])

    # -- installations ---------------------------------------------------------------------------------------
    def save_installation(self, installation: Installation) -> None:
        """Keep or replace the installation of (surface, enterprise, team)."""
        with self.write() as db:
            db.execute(
                "insert into installation (surface, enterprise, team, secret, at)"
                " values (:surface, :enterprise, :team, :secret, :at) on conflict (surface, enterprise, team)"
                " do update set secret = excluded.secret, at = excluded.at",
                asdict(installation) | {"at": stamp(installation.at)},
            )

    def installation(self, surface: str, enterprise: str, team: str) -> Installation | None:
        """Find a team's own installation, else the one of its whole enterprise or, that unnamed, of the only one."""
        with self.read() as db:
            return sqlite_teams.installation(db, surface, enterprise, team)

    def forget_team(self, surface: str, team: str, enterprise: str = "") -> None:
        """Delete all that came from a team or, without one, a whole enterprise, and the people known nowhere else."""
        with self.write() as db:
            if team:
                sqlite_teams.forget(db, surface, team)
            elif enterprise:
                sqlite_teams.forget_enterprise(db, surface, enterprise)

    def save_state(self, state: str, until: datetime) -> None:
        """Keep a one-time word for an installation under way; old ones are removed."""
        with self.write() as db:
            db.execute("delete from state where until <= ?", [stamp(self._clock())])
            db.execute("insert into state (word, until) values (?, ?)", [state, stamp(until)])

    def use_state(self, state: str, now: datetime) -> bool:
        """Whether that word was given out and is still good; it is good once. Old ones are removed."""
        with self.write() as db:
            db.execute("delete from state where until <= ?", [stamp(now)])
            return db.execute("delete from state where word = ?", [state]).rowcount == 1

    # -- operations ------------------------------------------------------------------------------------------
    def facts(self) -> Mapping[str, int | str]:
        """Count the rows of each table and name the last migration, `schema`."""
        with self.read() as db:
            return {"schema": applied(db)[-1]} | {table: db.table(table).count for table in _TABLES}

    def backlog(self, now: datetime) -> Backlog:
        """Count what waits; what is older than an hour was given up."""
        since = stamp(now - _GIVEN_UP)
        with self.read() as db:
            questions, oldest = db.execute(
                "select count(*), min(received_at) from event where state = 'received' and received_at >= ?", [since]
            ).fetchone()
            replies, first = db.execute(
                "select count(*), min(created) from"
                " (select created from outbox where sent is null and created >= :since"
                " union all select created from notification where sent is null and created >= :since)",
                {"since": since},
            ).fetchone()
        return Backlog(questions, _seconds(oldest, now), replies, _seconds(first, now))

    def about(self, person_id: str) -> dict[str, list[dict[str, Any]]]:
        """Every row about somebody, by table, as it is kept."""
        with self.read() as db:
            return sqlite_privacy.about(db, person_id)

    def forget(self, person_id: str) -> None:
        """Erase somebody and what they typed; what they wrote for others is nobody's from then on."""
        with self.write() as db:
            sqlite_privacy.forget(db, person_id)
        self.empty_log()

    def sweep(self, now: datetime) -> dict[str, int]:
        """Erase what has been kept for long enough; how many rows, by table."""
        with self.write() as db:
            deleted = sqlite_privacy.sweep(db, now)
        if deleted:
            self.empty_log()
        return deleted


def _seconds(since: str | None, now: datetime) -> float:
    return (now - datetime.fromisoformat(since)).total_seconds() if since else 0.0


def _record(db: Database, answer: Answer, person: Person, surface: str, team: str, now: datetime) -> None:
    """Write an answer; what we did not know waits for a coach from then on."""
    sqlite_answers.record(db, answer, person, surface, team, now)
    if answer.outcome is Outcome.UNANSWERED and answer.question:
        sqlite_coaching.ask(db, answer.id, person.id, "refused", now)


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
