"""What SQLite holds about one person, and erasing it.

Every function works inside the transaction of the store's method that calls it. What is deleted is overwritten
(`secure_delete`), so that the file holds nothing of it once the write-ahead log is emptied.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from core.personal import KEPT
from core.store.columns import stamp

_WAITED = timedelta(days=365)
_OPEN = " not in (select answer_id from request where state = 'open' and at >= :year_ago)"
_STAYS = {"answer": " and id" + _OPEN, "request": " and answer_id" + _OPEN}


def about(db: Database, person_id: str) -> dict[str, list[dict[str, Any]]]:
    """Every row about them, by table; those that there are none of are left out."""
    found = {table: list(db.query(_rows_of(table), {"person": person_id})) for table in KEPT}
    return {table: rows for table, rows in found.items() if rows}


def _rows_of(table: str) -> str:
    if table == "address":  # it goes by the platform's names alone
        return (
            "select address.* from address join identity using (surface, team, user) where identity.person_id = :person"
        )
    return f"select * from {table} where {KEPT[table].who} = :person"  # noqa: S608 - our own words


def forget(db: Database, person_id: str) -> None:
    """Delete a person and what they typed; articles that they wrote stay, and are nobody's."""
    mine = {"person": person_id}
    for table in ("answer", "event", "tip"):
        db.execute(f"delete from {table} where person_id = :person", mine)  # noqa: S608 - our own words
    db.execute("delete from person where id = :person", mine)
    _drop_questions_of_nobody(db)


def sweep(db: Database, now: datetime) -> dict[str, int]:
    """Delete what has been kept for long enough; how many rows, by table.

    What a coach still has to look at stays for a year, and so does what hangs on it.
    """
    deleted = {}
    for table, kept in KEPT.items():
        if kept.lasts is None:
            continue
        sql = f"delete from {table} where {kept.since} < :until{_STAYS.get(table, '')}"  # noqa: S608 - our own words
        times = {"until": stamp(now - kept.lasts), "year_ago": stamp(now - _WAITED)}
        deleted[table] = db.execute(sql, times).rowcount
    _drop_questions_of_nobody(db)
    return {table: count for table, count in deleted.items() if count}


def _drop_questions_of_nobody(db: Database) -> None:
    """A question has no text but that of its requests; without any there is nothing left to answer."""
    db.execute(
        "delete from question where state in ('open', 'taken')"
        " and not exists (select 1 from request where question_id = question.id)"
    )
