"""The open questions, as a coach sees and settles them."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from core.desk import Desk
from core.loop import Hours, OpenQuestion, State
from core.screens import (
    MAX_ABOUT,
    Asked,
    Button,
    Entry,
    Field,
    FieldKind,
    Form,
    Given,
    Line,
    Option,
    Panel,
    Row,
    Screen,
    Told,
    Tone,
    Work,
    number_of,
)
from core.store.coaching import Told as Tell
from core.words import say, say_date
from knowledge.article import Language
from knowledge.text import escaped

_MOST = 10
_NEAREST = 3
_SHORTLY = timedelta(minutes=15)


class Queue:
    """One method for each thing to do with what is open."""

    def __init__(self, desk: Desk) -> None:
        """The desk knows."""
        self._desk = desk
        self.work: dict[str, Work] = {
            "queue": self._queue,
            "question": self._question,
            "take": self._take,
            "join": self._join,
            "decline": self._decline,
            "seen": self._seen,
            "stats": self._stats,
            "hours": self._hours,
            "hours_set": self._hours_set,
        }

    def _queue(self, asked: Asked) -> Screen:
        """All of it, the weightiest first."""
        waiting = self._desk.questions.waiting()
        title = say("home.queue", asked.language, count=str(len(waiting)))
        if not waiting:
            return Panel(title, asked.language, (Line(say("home.queue_none", asked.language)),))
        entries = tuple(self._entry(one, asked.language) for one in waiting[:_MOST])
        left = len(waiting) - _MOST
        rest = (Line(say("home.rest", asked.language, count=str(left)), Tone.SMALL),) if left > 0 else ()
        return Panel(title, asked.language, (*entries, *rest))

    def _entry(self, question: OpenQuestion, language: Language) -> Entry:
        look = Button(say("button.open", language), "question", str(question.id))
        return Entry(question.answer.question, self.facts(question, language), (look,))

    def facts(self, question: OpenQuestion, language: Language) -> str:
        """How many asked it, since when, why it is open and who has it. Never who asked."""
        people = question.people
        many = say("queue.colleagues" if people > 1 else "queue.colleague", language, count=str(people))
        today = self._desk.today()
        day = say_date(question.at.astimezone(self._desk.zone).date(), language).removesuffix(f" {today.year}")
        why = dict.fromkeys(one.why for one in question.requests)
        said = [many, day, *(say(f"queue.why.{one}", language) for one in why)]
        if question.state is State.TAKEN:
            said.append(say("queue.taken", language, coach=question.coach_name or say("coach.a", language)))
        return " · ".join(said)

    def _question(self, asked: Asked) -> Screen:
        return self.panel(self._find(asked.about), asked.language, asked.person.id)

    def panel(self, question: OpenQuestion, language: Language, coach_id: str = "") -> Panel:
        """One question: how people put it, what they got to see, and what can be done."""
        number, answer = str(question.id), question.answer
        others = list(dict.fromkeys(one.answer.question for one in question.requests))[1:4]
        wordings = (Line("\n".join(f"- {escaped(text)}" for text in others), Tone.SMALL),) if others else ()
        before = self._desk.store.before(answer.id, _SHORTLY)
        said_before = escaped(" / ".join(before))
        context = [Line(say("queue.before", language, text=said_before), Tone.SMALL)] if before else []
        owner = self._owner(question)
        context += [Line(say("queue.owner", language, owner=escaped(owner)), Tone.SMALL)] if owner else []
        seen = (Button(say("queue.seen", language), "seen", number),) if answer.card else ()
        take = () if question.coach == coach_id else (Button(say("queue.take", language), "take", number),)
        to_do = (
            Button(say("queue.answer", language), "add", f"question {number}", opens=True, primary=True),
            *take,
            *seen,
            Button(say("queue.decline", language), "decline", number, opens=True),
        )
        facts = Line(self.facts(question, language), Tone.SMALL)
        return Panel(
            answer.question,
            language,
            (facts, *wordings, *context, Row(to_do), *self._into(question, language), *self._alike(question, language)),
        )

    def _owner(self, question: OpenQuestion) -> str:
        """Who owns the process that does not work, by the article that people had before them."""
        broken = next((one.answer.card for one in question.requests if one.why == "process" and one.answer.card), None)
        articles = self._desk.index().articles if broken else ()
        return next((one.owner for one in articles if broken and one.id == broken.article_id), "")

    def _into(self, question: OpenQuestion, language: Language) -> Iterator[Line | Entry]:
        """The first offer: it may be in an article already, under other words."""
        answer = question.answer
        titles = {one.article_id: one.title for one in answer.alternatives}
        if answer.card:
            titles = {answer.card.article_id: answer.card.title} | titles
        if titles:
            yield Line(say("queue.into", language), Tone.HEADING)
        for article_id, title in list(titles.items())[:_NEAREST]:
            about = f"{question.id}|{article_id}"
            point = Button(say("queue.point", language), "point", about)
            add = Button(say("queue.extend", language), "extend", about, opens=True)
            yield Entry(title, "", (point, add) if len(about) <= MAX_ABOUT else ())

    def _alike(self, question: OpenQuestion, language: Language) -> Iterator[Line | Entry]:
        """Questions that may be the same one in other words."""
        for place, other in enumerate(self._desk.questions.like(question)):
            if place == 0:
                yield Line(say("queue.alike", language), Tone.HEADING)
            join = Button(say("queue.join", language), "join", f"{other.id}|{question.id}")
            yield Entry(other.answer.question, self.facts(other, language), (join,))

    def _join(self, asked: Asked) -> Screen:
        """Two that are one: one answer, and everybody is told."""
        other, _, number = asked.about.partition("|")
        self._desk.store.join(self._find(other).id, self._find(number).id, self._desk.now())
        return self.panel(self._find(number), asked.language, asked.person.id)

    def _take(self, asked: Asked) -> Screen:
        """From now on it is theirs; whoever has a customer on the line is told so."""
        question = self._find(asked.about)
        waiting = tuple({one.by for one in question.requests if one.why == "urgent"} - {asked.person.id})
        told = [Tell("taken", str(question.id), waiting)] if waiting else []
        store = self._desk.store
        if not store.move(question.id, State.TAKEN, self._desk.now(), coach_id=asked.person.id, told=told):
            other = store.question(question.id)
            name = other.coach_name or say("coach.a", asked.language)
            return Told(say("queue.taken_by", asked.language, coach=name), asked.language)
        return self.panel(store.question(question.id), asked.language, asked.person.id)

    def _decline(self, asked: Asked) -> Screen:
        """With a reason, which everybody gets who asked it."""
        question = self._find(asked.about)
        reason = self._desk.scrub(" ".join((asked.filled or {}).get("reason", "").split()))
        language = asked.language
        if not reason:
            error = say("coach.error.nothing", language) if asked.filled is not None else ""
            field = Field(
                "reason", say("queue.reason", language), FieldKind.TEXT, "", say("queue.reason_hint", language), error,
                required=True, most=500,
            )  # fmt: skip
            title, submit = say("queue.decline", language), say("queue.decline_send", language)
            intro = Line(escaped(question.answer.question))
            return Form(title, "decline", asked.about, submit, language, (field,), (intro,))
        told = [Tell("declined", str(question.id), tuple({one.by for one in question.requests}))]
        moved = self._desk.store.move(
            question.id, State.DECLINED, self._desk.now(), coach_id=asked.person.id, note=reason, told=told
        )
        return Told(say("queue.declined" if moved else "coach.gone", language), language)

    def _seen(self, asked: Asked) -> Screen:
        """What they got to see."""
        question = self._find(asked.about)
        answer = self._desk.shown(question.answer.id, asked.person)
        back = Button(say("button.back", asked.language), "question", asked.about)
        return Panel(say("queue.seen", asked.language), asked.language, (Given(answer), Row((back,))))

    def _find(self, about: str) -> OpenQuestion:
        return self._desk.store.question(number_of(about))

    # -- figures and hours -------------------------------------------------------------------------------------------
    def _stats(self, asked: Asked) -> Screen:
        """Counts of the last four weeks; fewer than five of anything are not told."""
        found = self._desk.figures()
        lines = [f"- {say(f'stats.{name}', asked.language)}: {_counted(found, name)}" for name in _FIGURES]
        stuck = [f"- {escaped(title)}: {count}" for title, count in self._desk.friction() if count >= _ENOUGH]
        friction = (Line(say("stats.friction", asked.language), Tone.HEADING), Line("\n".join(stuck))) if stuck else ()
        return Panel(say("stats.title", asked.language), asked.language, (Line("\n".join(lines)), *friction))

    def _hours(self, asked: Asked) -> Screen:
        colleagues = self._desk.store.colleagues()
        mine = next((one.hours for one in colleagues if one.id == asked.person.id), None)
        mine = mine or Hours((1, 2, 3, 4, 5), "09:00", "17:00")
        return self._hours_form(asked, {"days": ",".join(map(str, mine.days)), "start": mine.start, "end": mine.end})

    def _hours_form(self, asked: Asked, filled: Mapping[str, str], errors: Mapping[str, str] = {}) -> Form:
        language = asked.language
        names = say("coach.days", language).split("|")
        days = tuple(Option(str(number), name) for number, name in enumerate(names, 1))

        def field(name: str, kind: FieldKind, options: tuple[Option, ...] = ()) -> Field:
            label = say(f"coach.field.{name}", language)
            return Field(name, label, kind, filled.get(name, ""), "", errors.get(name, ""), options=options)

        fields = (
            field("days", FieldKind.SEVERAL, days),
            field("start", FieldKind.TIME),
            field("end", FieldKind.TIME),
        )
        title, submit = say("coach.panel.hours", language), say("coach.save", language)
        return Form(title, "hours_set", "", submit, language, fields, (Line(say("coach.hours_hint", language)),))

    def _hours_set(self, asked: Asked) -> Screen:
        filled = asked.filled or {}
        days = tuple(sorted({int(one) for one in filled.get("days", "").split(",") if one in set("1234567")}))
        start, end = filled.get("start", ""), filled.get("end", "")
        errors = {name: "time" for name, text in (("start", start), ("end", end)) if not _is_time(text)}
        if not errors and start >= end:
            errors["end"] = "ends_first"
        if errors:
            said = {name: say(f"coach.error.{key}", asked.language) for name, key in errors.items()}
            return self._hours_form(asked, filled, said)
        self._desk.store.set_hours(asked.person.id, Hours(days, start, end))
        return Told(say("coach.hours_kept", asked.language), asked.language)


_FIGURES = ("answered", "unanswered", "helped", "wrong", "mandate", "process", "open")
_ENOUGH = 5  # people: with fewer a figure tells of somebody


def _counted(found: Mapping[str, int], name: str) -> str:
    count = found.get(name, 0)
    return str(count) if count >= _ENOUGH or name == "open" else f"< {_ENOUGH}"


def _is_time(text: str) -> bool:
    hours, colon, minutes = text.partition(":")
    both = len(text) == len("16:00") and colon and hours.isdecimal() and minutes.isdecimal()
    return bool(both) and int(hours) < 24 and int(minutes) < 60  # noqa: PLR2004 - a clock
