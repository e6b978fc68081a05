"""The coach's desk: a question nobody could answer becomes an answer that everybody gets.

Roles are enforced here and nowhere else: whatever a surface sends, somebody who may not is told so, and it is noted.
"""

import logging

from core.coach_asking import Asking
from core.coach_changes import Changes
from core.coach_judging import Judging
from core.coach_queue import Queue
from core.coach_telling import Telling
from core.coach_terms import Terms
from core.coach_wordings import Wordings
from core.coach_writing import Writing
from core.desk import Desk
from core.errors import NotAllowedError, NotFoundError
from core.model import Role
from core.screens import Asked, Button, Line, Notification, Panel, Row, Screen, Told, Work
from core.words import say

log = logging.getLogger(__name__)


class Coach:
    """Everything that coaches and colleagues do besides asking. Thread-safe."""

    def __init__(self, desk: Desk) -> None:
        """Everything kept is in the desk's store, so that any process can go on where another stopped."""
        self._desk = desk
        asking, queue, writing, changes = Asking(desk), Queue(desk), Writing(desk), Changes(desk)
        self._telling = Telling(desk, queue)
        self._wordings = Wordings(desk)
        self._for_all: dict[str, Work] = {**asking.work, "mute": self._telling.mute}
        self._for_coaches: dict[str, Work] = {
            "panel": self._panel,
            "help": self._help,
            **queue.work,
            **writing.work,
            **changes.work,
            **Terms(desk).work,
            **Judging(desk).work,
            **self._wordings.work,
        }

    def do(self, asked: Asked) -> Screen:
        """Do what a button, a command or a form asks for.

        Whoever may not is told so, and so is who asks for what is there no more; what breaks is raised.
        """
        try:
            return self._work(asked)(asked)
        except NotAllowedError:
            log.warning("somebody tried %r without being a coach on %s", asked.do[:40], asked.surface)
            self._desk.store.note_refusal(asked.person.id, asked.do, asked.about, self._desk.now())
            return Told(say("command.not_yours", asked.language), asked.language)
        except NotFoundError:
            return Told(say("coach.gone", asked.language), asked.language)

    def outgoing(self, surface: str) -> list[Notification]:
        """Lease, for thirty seconds, what must be sent on this surface now."""
        return self._telling.outgoing(surface)

    def sent(self, notification: Notification) -> None:
        """The platform took it."""
        self._desk.store.told(notification.id, self._desk.now())

    def not_sent(self, notification: Notification) -> None:
        """The platform refused it; it is tried again when the lease is over, twenty times at most."""
        self._desk.store.not_told(notification.id)

    def _work(self, asked: Asked) -> Work:
        if work := self._for_all.get(asked.do):
            return work
        if asked.do not in self._for_coaches:
            raise NotFoundError(f"There is nothing called {asked.do[:40]!r}.")
        if not asked.person.role.covers(Role.COACH):
            raise NotAllowedError(f"{asked.do} is for a coach.")
        if asked.name:
            self._desk.store.sign(asked.person.id, asked.name)
        return self._for_coaches[asked.do]

    def _panel(self, asked: Asked) -> Screen:
        """Where coaches begin: what waits, and what there is to do."""
        store, language = self._desk.store, asked.language
        waiting = self._desk.questions.waiting()
        counts = {
            "queue": len(waiting),
            "stale": len(self._desk.overdue(asked.person)),
            "drafts": len(store.drafts(asked.person.id)),
            "tips": len(store.tips()),
            "wordings": len(self._wordings.waiting()),
            "approvals": sum(one.by != asked.person.id for one in store.proposals()),
        }
        to_see = tuple(
            Button(f"{say(f'coach.panel.{name}', language)}: {count}", name) for name, count in counts.items() if count
        )
        to_do = (
            Button(say("coach.panel.add", language), "add", opens=True, primary=True),
            Button(say("coach.panel.notice", language), "notice", opens=True),
            Button(say("coach.panel.changes", language), "changes"),
            Button(say("coach.panel.judge", language), "judge"),
            Button(say("coach.panel.terms", language), "terms"),
            Button(say("coach.panel.stats", language), "stats"),
            Button(say("coach.panel.hours", language), "hours", opens=True),
            Button(say("coach.panel.help", language), "help"),
        )
        nothing = (Line(say("home.queue_none", language)),) if not to_see else ()
        return Panel(say("coach.panel.title", language), language, (*nothing, Row(to_see), Row(to_do)))

    def _help(self, asked: Asked) -> Screen:
        return Panel(
            say("coach.panel.help", asked.language), asked.language, (Line(say("coach.usage", asked.language)),)
        )
