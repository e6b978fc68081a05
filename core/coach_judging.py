"""Coaches judge answers with one tap: what `bijdehand calibrate` sets the bands from."""

from datetime import timedelta

from core.calibrate import ENOUGH
from core.desk import Desk
from core.errors import NotFoundError
from core.model import Answer, Person
from core.screens import Asked, Button, Given, Line, Panel, Row, Screen, Tone, Work
from core.verdicts import Verdict
from core.words import say
from knowledge.text import escaped

_LATELY = timedelta(weeks=8)


class Judging:
    """One answer at a time, drawn from what people asked lately; never who asked."""

    def __init__(self, desk: Desk) -> None:
        """The desk knows."""
        self._desk = desk
        self.work: dict[str, Work] = {"judge": self._judge, **{f"judge_{one}": self._judged(one) for one in Verdict}}

    def _judge(self, asked: Asked) -> Screen:
        store, language = self._desk.store, asked.language
        title = say("coach.panel.judge", language)
        answer = self._next(asked.person)
        done = len(store.verdicts())
        count = Line(say("judge.count", language, done=str(done), enough=str(ENOUGH)), Tone.SMALL)
        enough = (Line(say("judge.enough", language)),) if done >= ENOUGH else ()
        if answer is None:
            return Panel(title, language, (Line(say("judge.none", language)), count, *enough))
        verdicts = Row(tuple(Button(say(f"judge.{one}", language), f"judge_{one}", answer.id) for one in Verdict))
        nearest = answer.alternatives[0].title if answer.card is None and answer.alternatives else ""
        about = say("judge.nearest", language, title=escaped(nearest)) if nearest else say("judge.about", language)
        question = Line(f"*{escaped(answer.question)}*")
        return Panel(title, language, (Line(about), question, Given(answer), verdicts, count, *enough))

    def _next(self, person: Person) -> Answer | None:
        """The first of which this coach may see the article."""
        for one in self._desk.store.to_judge(self._desk.now() - _LATELY):
            try:
                answer = self._desk.shown(one.id, person)
            except NotFoundError:
                continue
            if answer.card or answer.alternatives:
                return answer
        return None

    def _judged(self, verdict: Verdict) -> Work:
        def work(asked: Asked) -> Screen:
            self._desk.store.judge(asked.about, verdict, asked.person.id, self._desk.now())
            return self._judge(asked)

        return work
