"""Answers in SQLite: what was given, put aside, brought to a coach, and asked about afterwards.

Every function works inside the transaction of the store's method that calls it.
"""

from dataclasses import asdict
from datetime import datetime, timedelta

from sqlite_utils import Database

from core.errors import NotFoundError
from core.model import Answer, Feedback, Person, Request
from core.store import Identity, sqlite_people
from core.store.columns import ANSWER, as_json, stamp

_BUSY = timedelta(minutes=30)  # whoever asked something so lately may have a customer on the line


def record(db: Database, answer: Answer, person: Person, surface: str, team: str, now: datetime) -> None:
    """Write an answer, and the person if they are not there yet."""
    sqlite_people.keep(db, person, now)
    db.execute(
        "insert into answer (id, document, person_id, surface, team, outcome, moment, confidence, article_id,"
        " article_version, language, created) values (:id, :document, :person_id, :surface, :team, :outcome,"
        " :moment, :confidence, :article_id, :article_version, :language, :now)",
        {
            "id": answer.id,
            "document": as_json(ANSWER.dump_python(answer)),
            "person_id": person.id,
            "surface": surface,
            "team": team,
            "outcome": answer.outcome,
            "moment": answer.moment,
            "confidence": answer.confidence,
            "article_id": answer.card.article_id if answer.card else None,
            "article_version": answer.card.version if answer.card else None,
            "language": answer.language,
            "now": stamp(now),
        },
    )


def must_have(db: Database, answer_id: str) -> None:
    """Raise `NotFoundError` when there is no such answer."""
    if not db.execute("select 1 from answer where id = ?", [answer_id]).fetchone():
        raise NotFoundError(f"There is no answer {answer_id}.")


def must_know(db: Database, answer_id: str, person_id: str) -> None:
    """Raise `NotFoundError` when there is no such answer or person."""
    must_have(db, answer_id)
    if not db.execute("select 1 from person where id = ?", [person_id]).fetchone():
        raise NotFoundError(f"There is no person {person_id}.")


def rate(db: Database, feedback: Feedback, now: datetime) -> None:
    """Write an opinion over an earlier one of the same person, field by field."""
    db.execute(
        "insert into feedback (answer_id, person_id, helpful, reason, moment, note, at)"
        " values (:answer_id, :person_id, :helpful, :reason, :moment, :note, :at)"
        " on conflict (answer_id, person_id) do update set"
        " helpful = coalesce(excluded.helpful, helpful), moment = coalesce(excluded.moment, moment),"
        " reason = coalesce(nullif(excluded.reason, ''), reason),"
        " note = coalesce(nullif(excluded.note, ''), note), at = excluded.at",
        asdict(feedback) | {"at": stamp(now)},
    )


def kept(db: Database, person_id: str, most: int) -> list[Answer]:
    """List what somebody put aside, the latest first."""
    rows = db.execute(
        "select document from kept join answer on answer.id = kept.answer_id where kept.person_id = ?"
        " order by kept.at desc, kept.rowid desc limit ?",
        [person_id, most],
    )
    return [ANSWER.validate_json(document) for (document,) in rows]


def requests(db: Database, person_id: str | None, most: int) -> list[Request]:
    """List who wait for a coach they asked for, everybody or one person, the oldest first."""
    rows = db.execute(
        "select request.id, document, request.person_id, surface, at, why from request"
        " join answer on answer.id = request.answer_id"
        " where state = 'open' and why in ('coach', 'urgent')"
        " and (:person_id is null or request.person_id = :person_id)"
        " order by at, request.id limit :most",
        {"person_id": person_id, "most": most},
    )
    return [
        Request(number, ANSWER.validate_json(document), by, surface, datetime.fromisoformat(at), why)
        for number, document, by, surface, at, why in rows
    ]


def to_check(
    db: Database, surface: str, asked: tuple[datetime, datetime], quiet_since: datetime, now: datetime
) -> list[tuple[Identity, Answer]]:
    """Choose whom to ask whether an answer helped, and note it.

    Whoever had a critical article on the screen in that time, or later, is left alone altogether.
    """
    chosen = db.execute(
        "select latest.id, latest.person_id, latest.team, min(identity.user), latest.document from ("
        "   select *, row_number() over (partition by person_id order by created desc, rowid desc) as nth from answer"
        "   where surface = :surface and outcome = 'answered' and article_id is not null"
        "   and created between :first and :last"
        " ) as latest"
        " join person on person.id = latest.person_id"
        " join identity on identity.person_id = person.id and identity.surface = latest.surface"
        " and identity.team = latest.team"
        " where latest.nth = 1 and not person.quiet"
        " and not exists (select 1 from checkup where person_id = person.id and at > :quiet_since)"
        " and not exists (select 1 from feedback where person_id = person.id and answer_id = latest.id)"
        " and not exists (select 1 from request where person_id = person.id and answer_id = latest.id)"
        " and not exists (select 1 from event where person_id = person.id and received_at > :busy)"
        " and not exists (select 1 from answer where person_id = person.id and (created > :busy"
        "   or created >= :first and json_extract(document, '$.card.critical')))"
        " group by latest.id order by latest.created, latest.id",
        {
            "surface": surface,
            "first": stamp(asked[0]),
            "last": stamp(asked[1]),
            "quiet_since": stamp(quiet_since),
            "busy": stamp(now - _BUSY),
        },
    ).fetchall()
    for answer_id, person_id, *_ in chosen:
        db.execute(
            "insert into checkup (person_id, answer_id, at) values (?, ?, ?)", [person_id, answer_id, stamp(now)]
        )
    return [(Identity(surface, team, user), ANSWER.validate_json(document)) for _, _, team, user, document in chosen]
