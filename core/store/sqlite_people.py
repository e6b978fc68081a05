"""People in SQLite. A platform's ids stand in `identity` and `address` alone; elsewhere a person is a random id.

Every function works inside the transaction of the store's method that calls it.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from core.model import Person, Role
from core.store import Identity
from core.store.columns import as_json, stamp
from knowledge.article import Language


def find(db: Database, identity: Identity) -> Person | None:
    """Tell who is behind a platform's user, if they were seen before."""
    rows = db.query(
        "select person.* from identity join person on person.id = identity.person_id"
        " where surface = :surface and team = :team and user = :user",
        asdict(identity),
    )
    return next((read(row) for row in list(rows)), None)


def find_or_make(db: Database, identity: Identity, now: datetime) -> Person:
    """Tell who is behind a platform's user; whoever is new becomes an agent."""
    person = find(db, identity)
    if person is None:
        person = Person(secrets.token_hex(8))
        keep(db, person, now)
        db.execute(
            "insert into identity (surface, team, user, person_id) values (:surface, :team, :user, :person_id)",
            asdict(identity) | {"person_id": person.id},
        )
    return person


def keep(db: Database, person: Person, now: datetime) -> None:
    """Write a person who is not there yet; one who is stays, as the caller's may be older."""
    db.execute(
        "insert into person (id, role, audience, level, language, created)"
        " values (:id, :role, :audience, :level, :language, :now) on conflict (id) do nothing",
        asdict(person) | {"audience": as_json(person.audience), "now": stamp(now)},
    )


def change(
    db: Database,
    person: Person,
    role: Role | None,
    audience: Sequence[str] | None,
    level: str | None,
    language: Language | None,
) -> Person:
    """Write over what is named here; the rest stays as it was."""
    rows = db.query(
        "update person set role = coalesce(:role, role), audience = coalesce(:audience, audience),"
        " level = coalesce(:level, level), language = coalesce(:language, language) where id = :id returning *",
        {
            "id": person.id,
            "role": role,
            "audience": None if audience is None else as_json(list(audience)),
            "level": level,
            "language": language,
        },
    )
    return read(next(iter(rows)))


def address(db: Database, identity: Identity) -> str | None:
    """Tell how to write to a platform's user in private, if that is known: a JSON document."""
    row = db.execute(
        "select document from address where surface = :surface and team = :team and user = :user", asdict(identity)
    ).fetchone()
    return row[0] if row else None


def keep_address(db: Database, identity: Identity, document: str) -> None:
    """Write how to reach somebody who is there already, over what was known."""
    db.execute(
        "insert into address (surface, team, user, document) values (:surface, :team, :user, :document)"
        " on conflict (surface, team, user) do update set document = excluded.document",
        asdict(identity) | {"document": document},
    )


def read(row: dict[str, Any]) -> Person:
    """Make a person of their row."""
    return Person(row["id"], Role(row["role"]), tuple(json.loads(row["audience"])), row["language"], row["level"])
