"""What people are told without having asked just now: each once, and bundled where it can wait."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from core.card import changed_in_full
from core.coach_queue import Queue
from core.desk import Desk
from core.errors import NotFoundError
from core.loop import Announcement
from core.model import Answer, Person
from core.screens import Asked, Button, Entry, Given, Line, Notification, Panel, Row, Screen, Told, Tone
from core.store.coaching import Due
from core.store.coaching import Told as Tell
from core.words import say, say_date
from knowledge.article import Language
from knowledge.moment import Moment
from knowledge.text import escaped

_BUSY = timedelta(minutes=10)  # whoever asked something so lately may have a customer on the line
_REMINDED_AFTER = timedelta(days=3)
_MORNING = range(9, 11)  # hours in which a day's bundle is made
_WORKDAYS = 5


class Telling:
    """Makes panels of what is due."""

    def __init__(self, desk: Desk, queue: Queue) -> None:
        """The queue draws its own questions."""
        self._desk = desk
        self._queue = queue
        self._bundled: date | None = None
        self._panels: dict[str, Callable[[Due, Language], Panel]] = {
            "told": self._told,
            "declined": self._declined,
            "call": self._call,
            "taken": self._taken,
            "left": self._left,
            "change": self._change,
            "remind": self._change,
            "approve": self._approve,
            "shared": self._shared,
            "bundle": self._bundle,
        }

    def outgoing(self, surface: str) -> list[Notification]:
        """Lease what must be sent on this surface now; what there is nothing left to say of is done."""
        now = self._desk.now()
        for question in self._desk.questions.call_others():
            asking = tuple({one.by for one in question.requests if one.why == "urgent"})
            self._desk.store.tell(Tell("left", str(question.id), asking), now)
        self._desk.store.to_remind(now - _REMINDED_AFTER, now)
        self._bundle_once()
        made: list[Notification] = []
        for due in self._desk.store.due(surface, now - _BUSY, now):
            try:
                panel = self._panels[due.kind](due, due.person.language or self._desk.language)
            except NotFoundError:  # withdrawn, retired or settled meanwhile
                self._desk.store.told(due.id, now)
                continue
            made.append(Notification(due.id, due.identity, panel, self._desk.reach(due.identity), due.attempts))
        return made

    def mute(self, asked: Asked) -> Screen:
        """No more bundles for them."""
        self._desk.leave_alone(asked.person)
        return Told(say("check.left_alone", asked.language), asked.language)

    # -- a question that was put to a coach --------------------------------------------------------------------------
    def _told(self, due: Due, language: Language) -> Panel:
        """What they asked, who found out, and the answer in the shape of their moment."""
        question = self._desk.store.question(int(due.about))
        asked = next((one for one in question.requests if one.by == due.person.id), None)
        if asked is None:
            raise NotFoundError(f"They asked nothing of question {due.about}.")
        language = asked.answer.language
        day = say_date(asked.at.astimezone(self._desk.zone).date(), language)
        name = question.coach_name or say("coach.a", language)
        line = Line(say("coach.told", language, day=day, question=escaped(asked.answer.question), name=name))
        try:
            given = self._given(due, question.article_id, asked.answer.moment, language)
        except NotFoundError:  # retired since, or not for them
            gone = Line(say("coach.told_gone", language, name=name))
            return Panel(say("coach.told_title", language), language, (line, gone))
        return Panel(say("coach.told_title", language), language, (line, Given(given, live=True)))

    def _given(self, due: Due, article_id: str, moment: Moment | None, language: Language) -> Answer:
        """The same answer however often it is sent."""
        name = uuid.uuid5(uuid.NAMESPACE_OID, f"bijdehand {due.id} {due.person.id}").hex
        try:
            return self._desk.shown(name, due.person)
        except NotFoundError:
            answer = replace(self._desk.open(article_id, due.person, language=language, moment=moment), id=name)
            self._desk.store.record(answer, due.person, due.identity.surface, self._desk.now(), team=due.identity.team)
            return answer

    def _declined(self, due: Due, language: Language) -> Panel:
        question = self._desk.store.question(int(due.about))
        asked = next((one for one in question.requests if one.by == due.person.id), question.requests[0])
        name = question.coach_name or say("coach.a", language)
        line = Line(say("coach.declined", language, question=escaped(asked.answer.question), name=name))
        return Panel(say("coach.declined_title", language), language, (line, Line(escaped(question.note))))

    def _call(self, due: Due, language: Language) -> Panel:
        """A customer is on the line."""
        panel = self._queue.panel(self._desk.store.question(int(due.about)), language, due.person.id)
        return replace(
            panel, title=say("coach.call", language), items=(Line(f"**{escaped(panel.title)}**"), *panel.items)
        )

    def _taken(self, due: Due, language: Language) -> Panel:
        question = self._desk.store.question(int(due.about))
        name = question.coach_name or say("coach.a", language)
        return Panel(say("coach.taken", language, coach=name), language, (Line(escaped(question.answer.question)),))

    def _left(self, due: Due, language: Language) -> Panel:
        question = self._desk.store.question(int(due.about))
        lines = (Line(say("coach.left", language)), Line(escaped(question.answer.question)))
        return Panel(say("coach.left_title", language), language, lines)

    # -- changes -----------------------------------------------------------------------------------------------------
    def _change(self, due: Due, language: Language) -> Panel:
        """What is new, the article as it is then used, and a receipt."""
        found = self._announcement(int(due.about))
        article, now = self._desk.article(found.article_id, due.person), self._desk.now()
        change = next((one for one in article.changes if one.since == found.since), None)
        if change is None:
            raise NotFoundError(f"Announcement {found.id} is about a change that was taken back.")
        news = Line(changed_in_full(change, article.language, now, self._desk.zone))
        answer = self._desk.open(found.article_id, due.person, language=language)
        buttons = (
            Button(say("change.read", language), "read", due.about, primary=True),
            Button(say("change.question", language), "unclear", due.about, opens=True),
        )
        fresh = "change.news" if change.since <= now else "change.news_soon"
        title = say("change.remind" if due.kind == "remind" else fresh, language, title=answer.question)
        return Panel(title, language, (news, Row(buttons), Given(answer)))

    def _announcement(self, number: int) -> Announcement:
        found = next((one for one in self._desk.store.announcements() if one.id == number), None)
        if found is None:
            raise NotFoundError(f"There is no announcement {number}.")
        return found

    # -- for coaches -------------------------------------------------------------------------------------------------
    def _approve(self, due: Due, language: Language) -> Panel:
        proposal = self._desk.store.proposal(int(due.about))
        name = proposal.name or say("coach.a", language)
        look = Button(say("button.open", language), "approve", due.about, primary=True)
        line = Line(say("critical.please", language, title=proposal.article.title, name=name))
        return Panel(say("coach.panel.approvals", language), language, (line, Row((look,))))

    def _shared(self, due: Due, language: Language) -> Panel:
        """A colleague wants to talk about this, and says who they are."""
        answer_id, _, name = due.about.partition("|")
        answer = self._desk.shown(answer_id, due.person)
        line = Line(
            say(
                "coach.shared_by",
                language,
                name=name or say("coach.somebody", language),
                question=escaped(answer.question),
            )
        )
        return Panel(say("coach.shared_title", language), language, (line, Given(answer)))

    # -- a day's bundle ----------------------------------------------------------------------------------------------
    def _bundle_once(self) -> None:
        """On the morning of a working day; whoever has muted us, or has nothing in it, gets none."""
        local = self._desk.now().astimezone(self._desk.zone)
        if self._bundled == local.date() or local.hour not in _MORNING or local.isoweekday() > _WORKDAYS:
            return
        everybody = self._desk.store.unmuted()
        people = tuple(one.id for one in everybody if any(self._bundled_for(one, self._desk.language)))
        tell = Tell("bundle", local.date().isoformat(), people)
        self._desk.store.tell(tell, self._desk.now())
        self._bundled = local.date()

    def _bundle(self, due: Due, language: Language) -> Panel:
        items = tuple(self._bundled_for(due.person, language))
        if due.about != self._desk.today().isoformat() or not items:
            raise NotFoundError("That bundle is of another day.")
        mute = Row((Button(say("bundle.mute", language), "mute"),))
        return Panel(say("bundle.title", language), language, (*items, mute))

    def _bundled_for(self, person: Person, language: Language) -> Iterator[Line | Entry | Row]:
        for one in self._desk.store.unread(person.id, self._desk.now() - timedelta(days=1)):
            try:
                title = self._desk.article(one.article_id, person).title
            except NotFoundError:
                continue
            read = Button(say("change.read", language), "read", str(one.id))
            day = say_date(one.since.astimezone(self._desk.zone).date(), language)
            yield Entry(title, say("home.since", language, date=day), (read,))
        if not self._desk.is_coach(person):
            return
        waiting = len(self._desk.questions.waiting())
        stale = len(self._desk.overdue(person))
        buttons = []
        if waiting:
            buttons.append(Button(f"{say('coach.panel.queue', language)}: {waiting}", "queue"))
        if stale:
            buttons.append(Button(f"{say('coach.panel.stale', language)}: {stale}", "stale"))
        if buttons:
            yield Line(say("bundle.open", language), Tone.SMALL)
            yield Row(tuple(buttons))
