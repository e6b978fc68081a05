"""Open questions: what several people asked is one, and what a customer waits for reaches a coach at once."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

from core.embed import Embedder, Vector
from core.likeness import likeness_for
from core.loop import Colleague, Hours, OpenQuestion, State
from core.store import Store

_REACTS_WITHIN = timedelta(minutes=2)  # then a second coach is called
_CALLED = 2  # coaches; more would leave nobody for the next customer
_OFFICE = Hours((1, 2, 3, 4, 5), "09:00", "17:00")  # of a coach who never said when they are there
_MOST_VECTORS = 5000
_MAYBE = 0.82  # the cosine from which two questions may be one: half of the pairs that are lie above it


class Questions:
    """Thread-safe, and so beside other processes: what is not filed yet is filed by whoever looks first."""

    def __init__(self, store: Store, embedder: Embedder, *, now: Callable[[], datetime], zone: tzinfo) -> None:
        """Take what the desk has."""
        self._store = store
        self._embedder = embedder
        self._likeness = likeness_for(embedder.name)
        self._now = now
        self._zone = zone
        self._vectors: dict[str, Vector] = {}
        self._filing = threading.Lock()

    def waiting(self) -> list[OpenQuestion]:
        """Everything open or taken, by impact; a customer on the line comes first."""
        self._file()
        return sorted(self._store.questions(), key=lambda one: (not one.urgent, -one.impact, one.id))

    def like(self, question: OpenQuestion, most: int = 3) -> list[OpenQuestion]:
        """Other open questions that may be the same one, the likeliest first: a coach decides."""
        vector = self._vector(question.answer.question)
        others = [one for one in self.waiting() if one.id != question.id]
        near = [(float(self._vector(one.answer.question) @ vector), one) for one in others]
        return [one for cosine, one in sorted(near, key=lambda found: -found[0])[:most] if cosine >= _MAYBE]

    def of(self, answer_id: str, person_id: str) -> OpenQuestion | None:
        """The open question that somebody's request is part of."""
        return next(
            (
                question
                for question in self.waiting()
                if any(one.answer.id == answer_id and one.by == person_id for one in question.requests)
            ),
            None,
        )

    def _file(self) -> None:
        with self._filing:
            fresh = self._store.unfiled()
            if not fresh:
                return
            groups = {one.id: [request.answer.question for request in one.requests] for one in self._store.questions()}
            for request in fresh:
                text = request.answer.question
                like = self._like(text, groups)
                number = self._store.file(request.id, like, self._now())
                groups.setdefault(number, []).append(text)

    def _like(self, text: str, groups: dict[int, list[str]]) -> int | None:
        """The group whose questions this is one of."""
        asked = {number: [(one, self._vector(one)) for one in texts] for number, texts in groups.items()}
        return self._likeness.nearest((text, self._vector(text)), asked)

    def _vector(self, text: str) -> Vector:
        if text not in self._vectors:
            if len(self._vectors) >= _MOST_VECTORS:
                self._vectors.clear()
            self._vectors[text] = self._embedder.query(text)
        return self._vectors[text]

    # -- a customer on the line ----------------------------------------------------------------------------------
    def call(self, question: OpenQuestion) -> Colleague | None:
        """Call the next coach who is there and was not called about it; None when there is nobody."""
        asking = {request.by for request in question.requests}
        called = {coach_id for coach_id, _ in self._store.calls(question.id)}
        there = [one for one in self.on_duty() if one.id not in asking | called]
        for coach in there:
            if self._store.call(question.id, coach.id, self._now()):
                return coach
        return None

    def call_others(self) -> list[OpenQuestion]:
        """Call a second coach where the first does not react; those questions for which nobody is left."""
        left: list[OpenQuestion] = []
        for question in self._store.questions((State.OPEN,)):
            calls = self._store.calls(question.id)
            if not question.urgent or not calls or self._now() - calls[-1][1] < _REACTS_WITHIN:
                continue
            if len(calls) >= _CALLED or self.call(question) is None:
                left.append(question)
        return left

    def on_duty(self) -> list[Colleague]:
        """The coaches who are there now."""
        local = self._now().astimezone(self._zone)
        return [one for one in self._store.colleagues() if (one.hours or _OFFICE).cover(local)]

    def next_duty(self) -> datetime | None:
        """When a coach is there again, within a week; None when there are no coaches."""
        local = self._now().astimezone(self._zone)
        hours = [one.hours or _OFFICE for one in self._store.colleagues()]
        starts = [
            day.replace(hour=int(one.start[:2]), minute=int(one.start[3:5]), second=0, microsecond=0)
            for one in hours
            for day in (local + timedelta(days=ahead) for ahead in range(8))
            if day.isoweekday() in one.days
        ]
        return min((start for start in starts if start > local), default=None)
