"""The coach's part of the store in SQLite."""

import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from core.acquaintance import Acquaintance
from core.errors import NotFoundError
from core.loop import Announcement, Colleague, Draft, Hours, Notice, OpenQuestion, Proposal, State, Tip, Version
from core.model import Answer, Person, Request
from core.moments import Message
from core.store import Embedded, Identity, sqlite_articles, sqlite_people
from core.store.coaching import Due, Told
from core.store.columns import ANSWER, ARTICLE, as_json, stamp
from core.store.sqlite_file import SqliteFile
from core.verdicts import Verdict
from knowledge.article import Article, Change
from knowledge.moment import Moment

_LEASE = timedelta(seconds=30)
_DRAFTS_LAST = timedelta(days=30)
_AGAIN = timedelta(minutes=10)  # whoever is back so soon is stuck
_FAILED = timedelta(minutes=30)
_HISTORY = timedelta(days=90)
_MOST_TRIES = 20  # then it is left: they took us away, or the platform does not know them

_REQUEST = (
    "select request.id, document, request.person_id, surface, at, why, question_id from request"
    " join answer on answer.id = request.answer_id"
)


class SqliteCoaching(SqliteFile):
    """What the coach loop keeps."""

    # -- open questions ---------------------------------------------------------------------------------------
    def unfiled(self) -> list[Request]:
        """List the requests that belong to no open question yet, the oldest first."""
        with self.read() as db:
            rows = db.execute(f"{_REQUEST} where question_id is null and state = 'open' order by request.id")
            return [_request(row) for row in rows]

    def file(self, request_id: int, question_id: int | None, now: datetime) -> int:
        """Make a request part of an open question, or of a new one; its number."""
        with self.write() as db:
            row = db.execute("select question_id from request where id = ?", [request_id]).fetchone()
            if row is None:
                raise NotFoundError(f"There is no request {request_id}.")
            if row[0] is not None:
                return int(row[0])
            if question_id is None:
                question_id = db.execute(
                    "insert into question (created, changed) values (:now, :now) returning id", {"now": stamp(now)}
                ).fetchone()[0]
            db.execute("update request set question_id = ? where id = ?", [question_id, request_id])
            return question_id

    def questions(self, states: Collection[State] = (State.OPEN, State.TAKEN)) -> list[OpenQuestion]:
        """List questions in these states that somebody still asks."""
        with self.read() as db:
            return _questions(db, states=states)

    def question(self, question_id: int) -> OpenQuestion:
        """Find one; `NotFoundError` when there is none, or nobody asks it any more."""
        with self.read() as db:
            found = _questions(db, number=question_id)
        if not found:
            raise NotFoundError(f"There is no open question {question_id}.")
        return found[0]

    def before(self, answer_id: str, within: timedelta, most: int = 3) -> list[str]:
        """List what the asker had said in the same conversation shortly before they got an answer, oldest first."""
        with self.read() as db:
            asked = db.execute(
                "select event.* from event join outbox on outbox.event_id = event.id where answer_id = ?", [answer_id]
            )
            names = [column[0] for column in asked.description]
            row = asked.fetchone()
            if row is None:
                return []
            event = dict(zip(names, row, strict=True))
            since = stamp(datetime.fromisoformat(event["received_at"]) - within)
            rows = db.execute(
                "select text from event where (surface, team, place, thread) = (:surface, :team, :place, :thread)"
                " and person_id = :person_id and id < :id and received_at > :since and text <> ''"
                " order by id desc limit :most",
                event | {"since": since, "most": most},
            ).fetchall()
            return [text for (text,) in rows][::-1]

    def join(self, question_id: int, into: int, now: datetime) -> None:
        """Make an open question part of another."""
        with self.write() as db:
            open_ones = "select id from question where id in (?, ?) and state in ('open', 'taken')"
            if question_id != into and len(db.execute(open_ones, [question_id, into]).fetchall()) == 2:  # noqa: PLR2004
                db.execute("update request set question_id = ? where question_id = ?", [into, question_id])
                db.execute("delete from question where id = ?", [question_id])
                db.execute("update question set changed = ? where id = ?", [stamp(now), into])

    def move(
        self,
        question_id: int,
        state: State,
        now: datetime,
        *,
        coach_id: str | None = None,
        note: str = "",
        told: Sequence[Told] = (),
    ) -> bool:
        """Take, decline or open a question again; False when it was closed meanwhile, or another has it."""
        with self.write() as db:
            moved = _move(db, question_id, state, now, coach_id=coach_id, note=note)
            if moved:
                _tell(db, told, now)
            return moved

    def call(self, question_id: int, coach_id: str, now: datetime) -> bool:
        """Call a coach about a question, once."""
        with self.write() as db:
            called = db.execute(
                "insert into call (question_id, person_id, at) values (?, ?, ?) on conflict do nothing",
                [question_id, coach_id, stamp(now)],
            ).rowcount
            if called:
                _tell(db, [Told("call", str(question_id), (coach_id,))], now)
            return called == 1

    def calls(self, question_id: int) -> list[tuple[str, datetime]]:
        """List who was called about a question and when, the first first."""
        with self.read() as db:
            rows = db.execute("select person_id, at from call where question_id = ? order by at", [question_id])
            return [(person_id, datetime.fromisoformat(at)) for person_id, at in rows]

    # -- writing ----------------------------------------------------------------------------------------------
    def publish(
        self,
        embedded: Sequence[Embedded],
        model: str,
        *,
        what: str,
        by: str | None,
        now: datetime,
        question_id: int | None = None,
        draft_id: str | None = None,
        proposal_id: int | None = None,
        announced: tuple[Change, tuple[str, ...]] | None = None,
        told: Sequence[Told] = (),
    ) -> bool:
        """Save articles and all that follows from it, or nothing when one was changed meanwhile."""
        with self.write() as db:
            for item in embedded:
                row = db.execute("select version from article where id = ?", [item.article.id]).fetchone()
                if (row[0] if row else 0) != item.article.version:
                    return False
            for item in embedded:
                sqlite_articles.save(db, item, model, stamp(now), what=what, by=by)
            article_id = embedded[0].article.id if embedded else ""
            if question_id is not None:
                _answered(db, question_id, article_id, by, now)
            if draft_id is not None:
                db.execute("delete from draft where id = ?", [draft_id])
            if proposal_id is not None:
                db.execute("update proposal set state = 'agreed' where id = ?", [proposal_id])
            if announced:
                told = [*told, *_announce(db, article_id, *announced, by, now)]
            _tell(db, told, now)
            return True

    def versions(self, article_id: str) -> list[Version]:
        """List an article's versions, the latest first."""
        with self.read() as db:
            rows = db.execute(
                "select version.document, version, what, at, coalesce(person_id, ''), coalesce(person.name, '')"
                " from version left join person on person.id = person_id where article_id = ? order by version desc",
                [article_id],
            )
            return [
                Version(ARTICLE.validate_json(document), number, what, datetime.fromisoformat(at), by, name)
                for document, number, what, at, by, name in rows
            ]

    def synced(self) -> dict[str, Article]:
        """What each article's file held when it was last read or written."""
        with self.read() as db:
            rows = db.execute("select article_id, document from synced").fetchall()
        return {article_id: ARTICLE.validate_json(document) for article_id, document in rows}

    def set_synced(self, articles: Iterable[Article]) -> None:
        """Note that the files hold these now."""
        with self.write() as db:
            db.conn.executemany(
                "insert into synced (article_id, document) select id, ?2 from article where id = ?1"
                " on conflict (article_id) do update set document = excluded.document",
                [(one.id, as_json(ARTICLE.dump_python(one))) for one in articles],
            )

    def keep_draft(self, draft: Draft, now: datetime) -> Draft:
        """Keep what somebody filled in, in place of what they had for the same form."""
        with self.write() as db:
            db.execute("delete from draft where at < ?", [stamp(now - _DRAFTS_LAST)])
            row = db.execute(
                "insert into draft (id, person_id, kind, about, document, at) values (?, ?, ?, ?, ?, ?)"
                " on conflict (person_id, kind, about) do update set document = excluded.document, at = excluded.at"
                " returning *",
                [
                    draft.id or secrets.token_hex(8),
                    draft.by,
                    draft.kind,
                    draft.about,
                    as_json(draft.filled),
                    stamp(now),
                ],
            ).fetchone()
            return _draft(row)

    def draft(self, draft_id: str, person_id: str) -> Draft:
        """Find somebody's draft."""
        with self.read() as db:
            row = db.execute("select * from draft where id = ? and person_id = ?", [draft_id, person_id]).fetchone()
        if row is None:
            raise NotFoundError(f"There is no draft {draft_id[:40]}.")
        return _draft(row)

    def drafts(self, person_id: str) -> list[Draft]:
        """List somebody's drafts, the latest first."""
        with self.read() as db:
            rows = db.execute("select * from draft where person_id = ? order by at desc", [person_id])
            return [_draft(row) for row in rows]

    def drop_draft(self, draft_id: str, person_id: str) -> None:
        """Throw a draft away."""
        with self.write() as db:
            db.execute("delete from draft where id = ? and person_id = ?", [draft_id, person_id])

    def propose(
        self, article: Article, what: str, by: str, now: datetime, told: Sequence[str], draft_id: str | None = None
    ) -> int:
        """Keep a change of a critical article until a second coach agrees; its number."""
        with self.write() as db:
            number = db.execute(
                "insert into proposal (article_id, document, what, person_id, at) values (?, ?, ?, ?, ?) returning id",
                [article.id, as_json(ARTICLE.dump_python(article)), what, by, stamp(now)],
            ).fetchone()[0]
            if draft_id is not None:
                db.execute("delete from draft where id = ?", [draft_id])
            _tell(db, [Told("approve", str(number), tuple(told))], now)
            return int(number)

    def proposal(self, proposal_id: int) -> Proposal:
        """Find one that is open."""
        found = next((one for one in self.proposals() if one.id == proposal_id), None)
        if found is None:
            raise NotFoundError(f"There is no open proposal {proposal_id}.")
        return found

    def proposals(self) -> list[Proposal]:
        """List those that are open, the oldest first."""
        with self.read() as db:
            rows = db.execute(
                "select proposal.id, document, what, coalesce(person_id, ''), coalesce(person.name, '') from proposal"
                " left join person on person.id = person_id where state = 'open' order by proposal.id"
            )
            return [
                Proposal(number, ARTICLE.validate_json(text), what, by, name) for number, text, what, by, name in rows
            ]

    def refuse(self, proposal_id: int) -> None:
        """Close a proposal without doing it."""
        with self.write() as db:
            db.execute("update proposal set state = 'refused' where id = ? and state = 'open'", [proposal_id])

    # -- notices, changes, tips --------------------------------------------------------------------------------
    def add_notice(self, text: str, topic: str, until: datetime, by: str, now: datetime) -> int:
        """Put up a notice; its number."""
        with self.write() as db:
            row = db.execute(
                "insert into notice (text, topic, until, person_id, at) values (?, ?, ?, ?, ?) returning id",
                [text, topic, stamp(until), by, stamp(now)],
            ).fetchone()
            return int(row[0])

    def notices(self, now: datetime) -> list[Notice]:
        """List those that still hold, the latest first."""
        with self.read() as db:
            rows = db.execute(
                "select id, text, topic, until from notice where until > ? order by id desc", [stamp(now)]
            )
            return [Notice(number, text, topic, datetime.fromisoformat(until)) for number, text, topic, until in rows]

    def end_notice(self, notice_id: int, now: datetime) -> None:
        """Take a notice down."""
        with self.write() as db:
            db.execute("update notice set until = ? where id = ? and until > ?", [stamp(now), notice_id, stamp(now)])

    def announcements(self) -> list[Announcement]:
        """List what was announced, the latest first, with how far it landed."""
        with self.read() as db:
            rows = db.query(
                "select announcement.*, count(receipt.person_id) as told, coalesce(sum(said = 'read'), 0) as read,"
                " coalesce(sum(said = 'question'), 0) as asked from announcement"
                " left join receipt on receipt.announcement_id = announcement.id"
                " group by announcement.id order by announcement.id desc"
            )
            return [_announcement(row) for row in rows]

    def receipt(self, announcement_id: int, person_id: str, said: str, now: datetime) -> None:
        """Note that somebody read it, or has a question about it; a question is not unsaid by having read it."""
        with self.write() as db:
            db.execute(
                "update receipt set said = iif(said = 'question', said, ?), at = ?"
                " where announcement_id = ? and person_id = ?",
                [said, stamp(now), announcement_id, person_id],
            )

    def to_remind(self, before: datetime, now: datetime) -> int:
        """Have whoever was told before then, and said nothing, told once more."""
        with self.write() as db:
            rows = db.execute(
                "update receipt set reminded = :now where said = '' and reminded is null and at <= :before"
                " and exists (select 1 from announcement where announcement.id = announcement_id and loudness = 'loud')"
                " returning announcement_id, person_id",
                {"now": stamp(now), "before": stamp(before)},
            ).fetchall()
            return _tell(db, [Told("remind", str(number), (person_id,)) for number, person_id in rows], now)

    def unread(self, person_id: str, since: datetime) -> list[Announcement]:
        """List quiet announcements after `since` that somebody is to read and did not say anything of."""
        with self.read() as db:
            rows = db.query(
                "select announcement.*, 0 as told, 0 as read, 0 as asked from announcement"
                " join receipt on announcement_id = announcement.id where receipt.person_id = ? and said = ''"
                " and loudness = 'quiet' and announcement.at > ? order by announcement.id",
                [person_id, stamp(since)],
            )
            return [_announcement(row) for row in rows]

    def add_tip(self, article_id: str, text: str, by: str, name: str, now: datetime) -> int:
        """Keep a tip until a coach looked at it; its number."""
        with self.write() as db:
            row = db.execute(
                "insert into tip (article_id, text, person_id, name, at) values (?, ?, ?, ?, ?) returning id",
                [article_id, text, by, name, stamp(now)],
            ).fetchone()
            return int(row[0])

    def tips(self, *, state: str = "open", article_id: str | None = None) -> list[Tip]:
        """List tips in a state, of one article or of all, the oldest first."""
        with self.read() as db:
            rows = db.execute(
                "select id, article_id, text, name from tip where state = :state"
                " and (:article_id is null or article_id = :article_id) order by id",
                {"state": state, "article_id": article_id},
            )
            return [Tip(*row) for row in rows]

    def judge_tip(self, tip_id: int, *, shown: bool) -> None:
        """Show a tip from now on, or not."""
        with self.write() as db:
            db.execute("update tip set state = ? where id = ?", ["shown" if shown else "refused", tip_id])

    # -- what answers were worth ----------------------------------------------------------------------------------
    def to_judge(self, since: datetime, most: int = 20) -> list[Answer]:
        """Draw answers that no coach judged, with an article in them; each question once."""
        with self.read() as db:
            # Ids are random, so their order is a draw that stays the same while somebody looks.
            rows = db.execute(
                "select document from answer where created > :since"
                " and outcome in ('answered', 'suggestions', 'unanswered')"
                " and (article_id is not null or json_array_length(document, '$.alternatives') > 0)"
                " and confidence > 0 and document ->> 'question' not in"
                " (select document ->> 'question' from verdict join answer on answer.id = verdict.answer_id)"
                " group by document ->> 'question' order by id limit :most",
                {"since": stamp(since), "most": most},
            )
            return [ANSWER.validate_json(document) for (document,) in rows]

    def judge(self, answer_id: str, verdict: Verdict, person_id: str, now: datetime) -> None:
        """Keep what a coach says of an answer, in place of what was said before."""
        with self.write() as db:
            if db.execute("select 1 from answer where id = ?", [answer_id]).fetchone() is None:
                raise NotFoundError(f"There is no answer {answer_id}.")
            db.execute(
                "insert into verdict (answer_id, verdict, person_id, at) values (?, ?, ?, ?)"
                " on conflict (answer_id) do update set verdict = excluded.verdict, person_id = excluded.person_id,"
                " at = excluded.at",
                [answer_id, verdict.value, person_id, stamp(now)],
            )

    def verdicts(self) -> list[tuple[Answer, Verdict]]:
        """List the answers that were judged, the latest first."""
        with self.read() as db:
            rows = db.execute(
                "select document, verdict from verdict join answer on answer.id = answer_id order by at desc, answer_id"
            )
            return [(ANSWER.validate_json(document), Verdict(verdict)) for document, verdict in rows]

    def helped(self, most: int = 200) -> list[Answer]:
        """List answers that somebody said helped and no coach has looked at, each question once, the latest first."""
        with self.read() as db:
            rows = db.execute(
                "select document, max(created) from answer join feedback on feedback.answer_id = answer.id"
                " where helpful = 1 and confidence > 0 and article_id is not null and document ->> 'question' not in"
                " (select document ->> 'question' from wording join answer on answer.id = wording.answer_id)"
                " group by document ->> 'question', article_id order by max(created) desc, answer.id limit ?",
                [most],
            )
            return [ANSWER.validate_json(document) for document, _ in rows]

    def settle_wording(self, answer_id: str, now: datetime) -> None:
        """Note that a coach looked at the question of an answer that helped; unknown ones are ignored."""
        with self.write() as db:
            db.execute(
                "insert or ignore into wording (answer_id, at) select id, ? from answer where id = ?",
                [stamp(now), answer_id],
            )

    # -- coaches ----------------------------------------------------------------------------------------------
    def colleagues(self) -> list[Colleague]:
        """List coaches and admins with what they are called and when they are there."""
        with self.read() as db:
            rows = db.execute(
                "select id, name, hours from person where role in ('coach', 'admin') or hours <> ''"
                " order by created, id"
            )
            return [Colleague(key, name, _hours(hours)) for key, name, hours in rows]

    def sign(self, person_id: str, name: str) -> None:
        """Note what a coach is called."""
        with self.write() as db:
            db.execute("update person set name = ? where id = ? and name <> ?", [name, person_id, name])

    def set_hours(self, person_id: str, hours: Hours | None) -> None:
        """Note when a coach is there."""
        with self.write() as db:
            document = as_json(asdict(hours)) if hours else ""
            db.execute("update person set hours = ? where id = ?", [document, person_id])

    def note_refusal(self, person_id: str, what: str, about: str, now: datetime) -> None:
        """Note that somebody tried what they may not."""
        with self.write() as db:
            db.execute(
                "insert into refusal (person_id, what, about, at) select id, ?2, ?3, ?4 from person where id = ?1",
                [person_id, what, about, stamp(now)],
            )

    def unmuted(self) -> list[Person]:
        """List everybody who can be written to on a chat platform and did not ask to be left alone."""
        with self.read() as db:
            rows = db.query(
                "select * from person where not quiet and exists (select 1 from identity"
                " where person_id = person.id and surface in ('slack', 'teams')) order by id"
            )
            return [sqlite_people.read(row) for row in rows]

    # -- telling ----------------------------------------------------------------------------------------------
    def tell(self, told: Told, now: datetime) -> int:
        """Have people told something; how many had not been before."""
        with self.write() as db:
            return _tell(db, [told], now)

    def due(self, surface: str, busy_since: datetime, now: datetime) -> list[Due]:
        """Lease, for thirty seconds, what must be sent on this surface, the oldest first."""
        with self.write() as db:
            rows = db.query(
                "select notification.id as number, kind, about, attempts, person.*,"
                " identity.surface, identity.team, identity.user,"
                " (select coalesce(max(created), '') from answer where person_id = person.id"
                "   and surface = identity.surface and team = identity.team) as heard"
                " from notification join person on person.id = notification.person_id"
                " join identity on identity.person_id = person.id and identity.surface in ('slack', 'teams')"
                " where sent is null and attempts < :most and (leased_until is null or leased_until <= :now)"
                " and not (kind in ('change', 'remind', 'bundle') and exists (select 1 from event"
                "   where event.person_id = notification.person_id and received_at > :busy))"
                " order by notification.id, heard desc, identity.surface, identity.team, identity.user",
                {"now": stamp(now), "busy": stamp(busy_since), "most": _MOST_TRIES},
            )
            nearest: dict[int, dict[str, Any]] = {}
            for row in rows:
                nearest.setdefault(row["number"], row)
            found = [_due(row) for row in nearest.values() if row["surface"] == surface]
            db.execute(
                "update notification set leased_until = ? where id in (select value from json_each(?))",
                [stamp(now + _LEASE), as_json([one.id for one in found])],
            )
            return found

    def told(self, notification_id: int, now: datetime) -> None:
        """Note that a notification was sent."""
        with self.write() as db:
            db.execute(
                "update notification set sent = coalesce(sent, ?), leased_until = null where id = ?",
                [stamp(now), notification_id],
            )

    def not_told(self, notification_id: int) -> None:
        """Note that it was not; the lease runs out by itself, so that the next try is a while from now."""
        with self.write() as db:
            db.execute("update notification set attempts = attempts + 1 where id = ?", [notification_id])

    # -- somebody's own history ----------------------------------------------------------------------------------
    def set_history(self, person_id: str, *, on: bool) -> None:
        """Begin to keep somebody's own history, or end it and erase what there is."""
        with self.write() as db:
            db.execute("update person set history = ? where id = ?", [on, person_id])
            if not on:
                db.execute("delete from seen where person_id = ?", [person_id])

    def last_seen(self, person_id: str, article_id: str, now: datetime, keep_from: datetime) -> datetime | None:
        """When somebody who wants their history kept saw an article last; notes that they do now."""
        with self.read() as db:
            if not db.execute("select 1 from person where id = ? and history", [person_id]).fetchone():
                return None
        with self.write() as db:
            db.execute("delete from seen where person_id = ? and at < ?", [person_id, stamp(keep_from)])
            row = db.execute(
                "select at from seen where person_id = ? and article_id = ?", [person_id, article_id]
            ).fetchone()
            db.execute(
                "insert into seen (person_id, article_id, at) values (?, ?, ?)"
                " on conflict (person_id, article_id) do update set at = excluded.at",
                [person_id, article_id, stamp(now)],
            )
            return datetime.fromisoformat(row[0]) if row else None

    def acquaintance(self, person_id: str, same: Sequence[str], topic: Sequence[str], now: datetime) -> Acquaintance:
        """Tell somebody's dealings with an article and with others of its topic."""
        with self.read() as db:
            remembered = db.execute("select 1 from person where id = ? and history", [person_id]).fetchone()
            rows = db.execute(
                "select answer.article_id in (select value from json_each(:same)) as same, created >= :again, "
                " helpful is 0 and feedback.at >= :failed from answer"
                " left join feedback on feedback.answer_id = answer.id and feedback.person_id = :person"
                " where answer.person_id = :person and created >= :since"
                " and article_id in (select value from json_each(:topic))",
                {
                    "person": person_id,
                    "same": as_json(list(same)),
                    "topic": as_json([*same, *topic]),
                    "again": stamp(now - _AGAIN),
                    "failed": stamp(now - _FAILED),
                    "since": stamp(now - (_HISTORY if remembered else _FAILED)),
                },
            ).fetchall()
        ours = [row for row in rows if row[0]]
        return Acquaintance(
            remembered=remembered is not None,
            times=len(ours) if remembered else 0,
            topic=len(rows) if remembered else 0,
            again=any(again for _, again, _ in ours),
            failed=any(failed for *_, failed in ours),
        )

    def corrections(self, since: datetime) -> list[Message]:
        """List questions whose answer was asked for in the shape of another moment, the latest tap of each."""
        with self.read() as db:
            rows = db.execute(
                "select document ->> 'question', feedback.moment, language, max(at) from feedback"
                " join answer on answer.id = answer_id where feedback.moment is not null and at >= ?"
                " and feedback.moment is not answer.moment and confidence > 0 and document ->> 'question' <> ''"
                " group by answer_id order by at",
                [stamp(since)],
            )
            return [Message(text, Moment(moment), language=language) for text, moment, language, _ in rows]

    def used(self, since: datetime) -> dict[str, int]:
        """Count the answers that rest on each article."""
        with self.read() as db:
            rows = db.execute(
                "select article_id, count(*) from answer where created > ? and article_id is not null"
                " group by article_id",
                [stamp(since)],
            )
            return dict(rows.fetchall())

    def friction(self, since: datetime) -> dict[str, int]:
        """Count, by article, how many people said that they may not decide that themselves."""
        with self.read() as db:
            rows = db.execute(
                "select article_id, count(distinct feedback.person_id) as people from feedback"
                " join answer on answer.id = answer_id where reason = 'mandate' and at > ? and article_id is not null"
                " group by article_id order by people desc, article_id",
                [stamp(since)],
            )
            return dict(rows.fetchall())

    def figures(self, since: datetime) -> dict[str, int]:
        """Count, for coaches: answers by outcome, what helped, reasons, open questions."""
        with self.read() as db:
            found = dict(
                db.execute(
                    "select outcome, count(*) from answer where created > ? group by outcome", [stamp(since)]
                ).fetchall()
            )
            said = db.execute(
                "select coalesce(nullif(reason, ''), iif(helpful, 'helped', 'wrong')), count(*) from feedback"
                " where at > ? and (reason <> '' or helpful is not null) group by 1",
                [stamp(since)],
            ).fetchall()
            states = db.execute("select state, count(*) from question where changed > ? group by state", [stamp(since)])
            return found | {f"said.{what}": count for what, count in said} | {f"question.{s}": n for s, n in states}


# -- inside a transaction ----------------------------------------------------------------------------------------------
def ask(db: Database, answer_id: str, person_id: str, why: str, now: datetime) -> bool:
    """Put a question to the coaches; False when this person had asked for one. Whatever they say on top counts."""
    before = db.execute(
        "select why from request where answer_id = ? and person_id = ?", [answer_id, person_id]
    ).fetchone()
    if before and before[0] in {"coach", "urgent"} and why != "urgent":
        return False
    db.execute(
        "insert into request (answer_id, person_id, why, at) values (?, ?, ?, ?)"
        " on conflict (answer_id, person_id) do update set why = excluded.why",
        [answer_id, person_id, why, stamp(now)],
    )
    return not before or before[0] != why


def _move(
    db: Database, question_id: int, state: State, now: datetime, *, coach_id: str | None = None, note: str = ""
) -> bool:
    moved = db.execute(
        "update question set state = :state, coach_id = coalesce(:coach_id, coach_id), note = :note, changed = :now"
        " where id = :id and (state = 'open' or (state = 'taken' and (:state <> 'taken' or coach_id is :coach_id)))",
        {"id": question_id, "state": state, "coach_id": coach_id, "note": note, "now": stamp(now)},
    ).rowcount
    if moved and state in {State.ANSWERED, State.DECLINED}:
        db.execute("update request set state = ? where question_id = ?", [state, question_id])
    return moved == 1


def _answered(db: Database, question_id: int, article_id: str, by: str | None, now: datetime) -> None:
    """Close it and have everybody told who asked, but for whoever answers."""
    asked = db.execute("select distinct person_id from request where question_id = ?", [question_id]).fetchall()
    if _move(db, question_id, State.ANSWERED, now, coach_id=by):
        db.execute("update question set article_id = ? where id = ?", [article_id, question_id])
        people = tuple(person_id for (person_id,) in asked if person_id != by)
        _tell(db, [Told("told", str(question_id), people)], now)


def _announce(
    db: Database, article_id: str, change: Change, audience: tuple[str, ...], by: str | None, now: datetime
) -> list[Told]:
    number = db.execute(
        "insert into announcement (article_id, since, loudness, audience, person_id, at) values (?, ?, ?, ?, ?, ?)"
        " returning id",
        [article_id, stamp(change.since), change.loudness, as_json(audience), by, stamp(now)],
    ).fetchone()[0]
    if change.loudness == "silent":
        return []
    rows = db.execute(
        "select id, audience from person where id is not ? and exists (select 1 from identity"
        " where person_id = person.id and surface in ('slack', 'teams'))",
        [by],
    )
    people = [key for key, tags in rows if not audience or set(audience) & set(json.loads(tags))]
    db.conn.executemany(
        "insert into receipt (announcement_id, person_id, at) values (?, ?, ?)",
        [(number, key, stamp(now)) for key in people],
    )
    return [Told("change", str(number), tuple(people))] if change.loudness == "loud" else []


def _tell(db: Database, told: Sequence[Told], now: datetime) -> int:
    rows = [(person_id, one.kind, one.about, stamp(now)) for one in told for person_id in one.people]
    return (
        db.conn.executemany(
            "insert into notification (person_id, kind, about, created) select id, ?2, ?3, ?4 from person where id = ?1"
            " on conflict do nothing",
            rows,
        ).rowcount
        if rows
        else 0
    )


# -- from rows ---------------------------------------------------------------------------------------------------------
def _questions(
    db: Database, *, states: Collection[State] | None = None, number: int | None = None
) -> list[OpenQuestion]:
    rows = db.query(
        "select question.id, state, coach_id, article_id, note, coalesce(person.name, '') as coach_name from question"
        " left join person on person.id = coach_id where (:number is null or question.id = :number)"
        " and (:states is null or state in (select value from json_each(:states))) order by question.id",
        {"number": number, "states": None if states is None else as_json(list(states))},
    )
    found = {row["id"]: row for row in rows}
    asked: dict[int, list[Request]] = {}
    numbers = as_json(list(found))
    of_those = "where question_id in (select value from json_each(?)) order by at, request.id"
    for row in db.execute(f"{_REQUEST} {of_those}", [numbers]):
        asked.setdefault(row[6], []).append(_request(row))
    return [
        OpenQuestion(
            number,
            State(row["state"]),
            tuple(asked[number]),
            row["coach_id"] or "",
            row["coach_name"],
            row["article_id"] or "",
            row["note"],
        )
        for number, row in found.items()
        if number in asked
    ]


def _request(row: Sequence[Any]) -> Request:
    number, document, by, surface, at, why, _ = row
    return Request(number, ANSWER.validate_json(document), by, surface, datetime.fromisoformat(at), why)


def _draft(row: Sequence[Any]) -> Draft:
    key, by, kind, about, document, _ = row
    return Draft(key, by, kind, about, json.loads(document))


def _hours(document: str) -> Hours | None:
    if not document:
        return None
    values = json.loads(document)
    return Hours(tuple(values["days"]), values["start"], values["end"])


def _announcement(row: Mapping[str, Any]) -> Announcement:
    return Announcement(
        row["id"],
        row["article_id"],
        datetime.fromisoformat(row["since"]),
        row["loudness"],
        tuple(json.loads(row["audience"])),
        datetime.fromisoformat(row["at"]),
        row["told"],
        row["read"],
        row["asked"],
    )


def _due(row: dict[str, Any]) -> Due:
    identity = Identity(row["surface"], row["team"], row["user"])
    return Due(row["number"], row["kind"], row["about"], sqlite_people.read(row), identity, row["attempts"])
