"""Teams in SQLite: that they let us in, and forgetting them when they no longer do.

Every function works inside the transaction of the store's method that calls it.
"""

from datetime import datetime

from sqlite_utils import Database

from core.store import Installation
from core.store.columns import as_json

_OF_A_TEAM = ("place", "event", "reply", "answer", "identity")


def installation(db: Database, surface: str, enterprise: str, team: str) -> Installation | None:
    """Find a team's own installation, else the one of its whole enterprise or, that unnamed, of the only one."""
    rows = db.query(
        "select * from installation where surface = :surface"
        " and ((enterprise = '' and team <> '' and team = :team)"
        " or (team = '' and enterprise <> '' and :enterprise in ('', enterprise))) order by team desc",
        {"surface": surface, "enterprise": enterprise, "team": team},
    )
    found = [Installation(**row | {"at": datetime.fromisoformat(row["at"])}) for row in rows]
    if found and (found[0].team or len(found) == 1):
        return found[0]
    return None


def forget_enterprise(db: Database, surface: str, enterprise: str) -> None:
    """Delete a whole enterprise's installation, and all that came from teams that are in by none any more."""
    db.execute("delete from installation where surface = ? and enterprise = ? and team = ''", [surface, enterprise])
    if db.table("installation").count_where("surface = ? and enterprise <> '' and team = ''", [surface]):
        return  # no row tells its enterprise, so they may be of the one that is left
    known = " union ".join(f"select team from {table} where surface = :surface" for table in _OF_A_TEAM)  # noqa: S608
    installed = "select team from installation where surface = :surface"
    left = db.execute(f"{known} except {installed}", {"surface": surface}).fetchall()
    for (team,) in left:
        forget(db, surface, team)


def forget(db: Database, surface: str, team: str) -> None:
    """Delete all that came from a team; what hangs on its answers and people goes with them."""
    known = db.execute("select person_id from identity where surface = ? and team = ?", [surface, team]).fetchall()
    for table in ("installation", *_OF_A_TEAM):
        db.execute(f"delete from {table} where surface = ? and team = ?", [surface, team])  # noqa: S608 - our own words
    db.execute(
        "delete from person where id in (select value from json_each(?))"
        " and not exists (select 1 from identity where person_id = person.id)",
        [as_json([person_id for (person_id,) in known])],
    )
