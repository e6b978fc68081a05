"""Teams in SQLite: that they let us in, and forgetting them when they no longer do.

Every function works inside the transaction of the store's method that calls it.
"""

from datetime import datetime

from sqlite_utils import Database

from core.store import Installation
from core.store.columns import as_json


def installation(db: Database, surface: str, enterprise: str, team: str) -> Installation | None:
    """Find a team's own installation, else the one of its whole enterprise."""
    row = db.execute(
        "select team, secret, at from installation"
        " where surface = :surface and enterprise = :enterprise"
        " and (team = :team or (team = '' and enterprise <> '')) order by team desc limit 1",
        {"surface": surface, "enterprise": enterprise, "team": team},
    ).fetchone()
    if row is None:
        return None
    found, secret, at = row
    return Installation(surface, enterprise, found, secret, datetime.fromisoformat(at))


def forget(db: Database, surface: str, team: str) -> None:
    """Delete all that came from a team; what hangs on its answers and people goes with them."""
    known = db.execute("select person_id from identity where surface = ? and team = ?", [surface, team]).fetchall()
    for table in ("installation", "place", "event", "answer", "identity"):
        db.execute(f"delete from {table} where surface = ? and team = ?", [surface, team])  # noqa: S608 - our own words
    db.execute(
        "delete from person where id in (select value from json_each(?))"
        " and not exists (select 1 from identity where person_id = person.id)",
        [as_json([person_id for (person_id,) in known])],
    )
