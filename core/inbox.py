"""Messages of a platform: noted before anything is done with them, answered once, sent at least once."""

import logging
import uuid
from dataclasses import replace
from datetime import timedelta

from core.context import is_question
from core.desk import Desk
from core.language import told_language
from core.meter import count
from core.model import Answer, Delivery, Event, Outcome, Person, Question
from core.store import Identity

log = logging.getLogger(__name__)

_REDRIVE = timedelta(minutes=5)  # an older question has been asked elsewhere by now
_FOLLOWS_UP = timedelta(minutes=15)  # how long the asker need not mention us again
_REMEMBERED = timedelta(hours=24)  # how long what was said in a thread helps to understand what follows


class Inbox:
    """The desk's side of a message that came over a platform. Thread-safe."""

    def __init__(self, desk: Desk) -> None:
        """Everything kept is in the desk's store, so that any process can go on where another stopped."""
        self._desk = desk

    def receive(self, event: Event) -> bool:
        """Note a message; False when it came before.

        False too when it was overheard and is better left alone: nothing is kept of it then.
        """
        event = replace(event, text=self._desk.scrub(event.text))
        if not event.addressed and not self._is_wanted(event):
            return False
        return self._desk.store.receive(event, self._desk.now())

    def once(self, event: Event) -> bool:
        """Note a message that is no question, such as a command; False when it came before."""
        return self._desk.store.receive(event, self._desk.now(), done=True)

    def handle(self, event: Event) -> Delivery | None:
        """Answer a received message into the outbox; None when it is done or in other hands."""
        if not self._desk.store.lease(event, self._desk.now()):
            return None
        person = self._asker(event)
        try:
            answer = self._desk.answer(self._question(event, person))
            answer = self._desk.remembered(answer, person) if event.direct else answer
        except Exception:
            log.exception("could not answer on %s", event.surface)
            answer = self._desk.sorry(event.text, event.locale)
        count(answer, event.surface)
        return self._desk.store.finish(event, answer, person, self._desk.now())

    def unkept(self, event: Event) -> Answer:
        """Answer a message although nothing can be written, by the public articles alone; never raises."""
        nobody = Person(uuid.uuid4().hex)
        try:
            return self._desk.answer(_asked(event, nobody, event.before))
        except Exception:
            log.exception("could not answer on %s", event.surface)
            return self._desk.sorry(event.text, event.locale)

    def sorry(self, event: Event) -> Answer:
        """What to say when the message could not be handled."""
        return self._desk.sorry(event.text, event.locale)

    def undone(self, surface: str) -> list[Event]:
        """Messages that were received shortly before a crash and never answered."""
        return self._desk.store.undone(surface, self._desk.now() - _REDRIVE, self._desk.now())

    def outbox(self, surface: str) -> list[Delivery]:
        """Replies that were made shortly before a crash and never sent."""
        return self._desk.store.outbox(surface, self._desk.now() - _REDRIVE, self._desk.now())

    def sent(self, delivery: Delivery, message_id: str) -> bool:
        """The platform has it, under this id; False when the question was taken back meanwhile."""
        return self._desk.store.sent(delivery, self._desk.now(), message_id=message_id)

    def not_sent(self, delivery: Delivery, error: str) -> None:
        """The platform did not take it."""
        self._desk.store.not_sent(delivery, error)

    def withdraw(self, surface: str, team: str, place: str, message_id: str) -> str:
        """Somebody took a message back: forget it and what we said to it. The id of our reply, or nothing."""
        return self._desk.store.withdraw(surface, team, place, message_id)

    def _asker(self, event: Event) -> Person:
        """Who asks. The language they last wrote in is the one to speak where nothing else tells."""
        identity = Identity(event.surface, event.team, event.user)
        person = self._desk.store.person(identity)
        told = told_language(event.text, to_keep=True)
        if told in {None, person.language}:
            return person
        return self._desk.store.set_person(identity, language=told)

    def _question(self, event: Event, person: Person) -> Question:
        if event.before:
            return _asked(event, person, tuple(map(self._desk.scrub, event.before)))
        # A place without threads is one long conversation, of which only the last minutes are about the same thing.
        since = self._desk.now() - (_REMEMBERED if event.thread else _FOLLOWS_UP)
        turns = self._desk.store.turns(event, since)
        told = [turn for turn in turns if turn.title] or turns  # thanks and remarks are no subject
        question = _asked(event, person, tuple(turn.text for turn in told if turn.text))
        recent = told[-1:] if told and told[-1].at >= self._desk.now() - _FOLLOWS_UP else []
        return replace(question, danger=recent[0].danger if recent else "")

    def _is_wanted(self, event: Event) -> bool:
        """Whether to answer what nobody asked us.

        In a thread only to the person we answered there shortly before, where we have something; in a place that wants
        it to anybody, where we are sure. Only a question, unless there is danger in what is said.
        """
        enough = {Outcome.ANSWERED}
        turns = self._desk.store.turns(event, self._desk.now() - _FOLLOWS_UP)
        if turns:
            person = self._desk.store.known_person(Identity(event.surface, event.team, event.user))
            if person is None or all(turn.person_id != person.id for turn in turns):
                return False
            enough = {Outcome.ANSWERED, Outcome.SUGGESTIONS}
        elif (
            event.thread != event.message_id
            or not self._desk.store.place(event.surface, event.team, event.place).listens
        ):
            return False
        if is_question(event.text):
            return self._desk.answer(self._question(event, Person(uuid.uuid4().hex))).outcome in enough
        alone = self._desk.answer(_asked(event, Person(uuid.uuid4().hex), ()))
        return alone.outcome is Outcome.ANSWERED and alone.card is not None and alone.card.critical


def _asked(event: Event, person: Person, before: tuple[str, ...]) -> Question:
    return Question(
        event.text,
        person,
        event.surface,
        event.direct,
        event.locale,
        attachment=event.attachment,
        before=before,
        stays=event.stays,
    )
