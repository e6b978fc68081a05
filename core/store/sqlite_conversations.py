"""Messages in SQLite: the event, what went before it, the reply on its way, and taking it all back.

Every function works inside the transaction of the store's method that calls it.
"""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from core.model import Answer, Attachment, Delivery, Event, Place, Turn
from core.store.columns import ANSWER, as_json, stamp


def find(db: Database, event: Event) -> tuple[int, str] | None:
    """Tell an event's number and state, if it was noted."""
    found: tuple[int, str] | None = db.execute(
        "select id, state from event"
        " where surface = :surface and team = :team and place = :place and message_id = :message_id",
        asdict(event),
    ).fetchone()
    return found


def note(db: Database, event: Event, person_id: str, now: datetime) -> None:
    """Write an event that is not there yet."""
    db.execute(
        "insert into event (surface, team, place, thread, message_id, person_id, text, attachment, address,"
        " direct, addressed, locale, received_at) values (:surface, :team, :place, :thread, :message_id, :person_id,"
        " :text, :attachment, :address, :direct, :addressed, :locale, :now)",
        asdict(event) | {"person_id": person_id, "address": as_json(event.address), "now": stamp(now)},
    )


def note_done(db: Database, event: Event, now: datetime) -> None:
    """Write of an event only that it was there: nobody is to answer it."""
    db.execute(
        "insert into event (surface, team, place, message_id, text, direct, locale, state, received_at)"
        " values (:surface, :team, :place, :message_id, '', 1, '', 'done', :now)",
        asdict(event) | {"now": stamp(now)},
    )


def read(row: dict[str, Any]) -> Event:
    """Make an event of its row and its `user`."""
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
        thread=row["thread"],
        addressed=bool(row["addressed"]),
        attachment=Attachment(row["attachment"]) if row["attachment"] else None,
    )


def close(db: Database, event_id: int) -> None:
    """Mark an event done: nobody answers it any more, and what was only there to do so is forgotten."""
    db.execute("update event set state = 'done', leased_until = null, address = null where id = ?", [event_id])


def read_delivery(row: dict[str, Any]) -> Delivery:
    """Make a delivery of an outbox row and its answer's `document`."""
    return Delivery(
        id=row["id"],
        surface=row["surface"],
        address=json.loads(row["address"]),
        answer=ANSWER.validate_json(row["document"]),
        attempts=row["attempts"],
        created=datetime.fromisoformat(row["created"]),
    )


def turns(db: Database, event: Event, since: datetime, most: int) -> list[Turn]:
    """List what was answered in this event's conversation, but for itself; of whoever was forgotten, nothing.

    A thread has the name of the message it is below, which may be a question or a reply outside any thread. What a
    message of ours shows now is in none, and each answer counts once, at its latest.
    """
    rows = db.query(
        "with said as (select id from event"
        " where (surface, team, place, thread) = (:surface, :team, :place, :thread) and received_at > :since"
        " union select id from event"
        " where (surface, team, place, message_id) = (:surface, :team, :place, nullif(:thread, ''))"
        " union select event_id from outbox where message_id = :thread and message_id <> ''),"
        " seen as (select outbox.answer_id, event.text, event.received_at as at, 0 as shown, event.id as nth"
        " from said join event on event.id = said.id join outbox on outbox.event_id = event.id"
        " where event.surface = :surface and event.team = :team and event.place = :place"
        " and event.message_id <> :message_id and event.received_at > :since"
        " union all select answer_id, null, at, 1, rowid from reply"
        " where :thread = '' and (surface, team, place) = (:surface, :team, :place) and at > :since)"
        " select answer.person_id, coalesce(max(seen.text), json_extract(answer.document, '$.question')) as text,"
        " max(seen.at) as at, coalesce(json_extract(answer.document, '$.card.title'), '') as title,"
        " iif(json_extract(answer.document, '$.card.critical'), answer.article_id, '') as danger"
        " from seen join answer on answer.id = seen.answer_id where answer.person_id is not null"
        " group by answer.id order by max(seen.at) desc, max(shown) desc, max(nth) desc limit :most",
        asdict(event) | {"since": stamp(since), "most": most},
    )
    latest_first = [
        Turn(row["person_id"], row["text"], row["title"], datetime.fromisoformat(row["at"]), row["danger"])
        for row in rows
    ]
    return latest_first[::-1]


def set_reply(db: Database, place: Place, message_id: str, answer_id: str, now: datetime) -> None:
    """Write which answer a message shows now, over another; nothing of a message that the platform gave no id."""
    db.execute(
        "insert into reply (surface, team, place, message_id, answer_id, at)"
        " select :surface, :team, :id, :message_id, :answer_id, :now where :message_id <> ''"
        " on conflict (surface, team, place, message_id)"
        " do update set answer_id = excluded.answer_id, at = excluded.at",
        asdict(place) | {"message_id": message_id, "answer_id": answer_id, "now": stamp(now)},
    )


def shown(db: Database, place: Place, message_id: str) -> Answer | None:
    """Find the answer that a message shows: the one it was changed to, else the one delivered in it."""
    row = db.execute(
        "select document from ("
        " select 1 as nth, answer_id from reply"
        " where (surface, team, place, message_id) = (:surface, :team, :id, :message_id)"
        " union all select 2, answer_id from outbox where message_id = :message_id and message_id <> ''"
        " and exists (select 1 from event where id = event_id and (surface, team, place) = (:surface, :team, :id))"
        ") as found join answer on answer.id = found.answer_id order by nth limit 1",
        asdict(place) | {"message_id": message_id},
    ).fetchone()
    return ANSWER.validate_json(row[0]) if row else None


def withdraw(db: Database, surface: str, team: str, place: str, message_id: str) -> str:
    """Empty an event, mark it done and delete its answer with all that hangs on it; our reply's id, or "".

    An answer that asked for it stays, and only what it answers is forgotten.
    """
    found = db.execute(
        "select event.id, outbox.answer_id, coalesce(outbox.message_id, '')"
        " from event left join outbox on outbox.event_id = event.id"
        " where event.surface = ? and event.team = ? and event.place = ? and event.message_id = ?",
        [surface, team, place, message_id],
    ).fetchone()
    if found is None:
        return ""
    event_id, answer_id, reply = found
    close(db, event_id)
    db.execute("update event set text = '' where id = ?", [event_id])
    stays = "json_extract(document, '$.asks_to_delete')"
    kept = db.execute(
        f"update answer set document = json_set(document, '$.question', '') where id = ? and {stays}",  # noqa: S608
        [answer_id],
    )
    if kept.rowcount:
        return ""
    db.execute("delete from answer where id = ?", [answer_id])
    db.execute(
        "delete from reply where surface = ? and team = ? and place = ? and message_id = ?",
        [surface, team, place, reply],
    )
    return str(reply)
