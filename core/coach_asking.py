"""What colleagues do besides asking us: ask a coach, with a customer on the line or without, and share what works."""

from dataclasses import replace

from core.desk import Desk
from core.errors import NotFoundError
from core.model import Answer
from core.screens import Asked, Button, Field, FieldKind, Form, Line, Option, Panel, Row, Screen, Told, Work, number_of
from core.store.coaching import Told as Tell
from core.words import say
from knowledge.article import Language
from knowledge.text import escaped

_SIGNED, _UNSIGNED = "yes", "no"


class Asking:
    """One method for each thing that anybody may do."""

    def __init__(self, desk: Desk) -> None:
        """The desk knows."""
        self._desk = desk
        self.work: dict[str, Work] = {
            "ask_coach": self._ask_coach,
            "urgent": self._urgent,
            "colleagues": self._colleagues,
            "share": self._share,
            "share_with": self._share_with,
            "helped": self._helped,
            "tip": self._tip,
            "tip_send": self._tip_send,
            "read": self._read,
            "unclear": self._unclear,
            "mine": self._mine,
            "mine_on": self._mine_on,
            "mine_off": self._mine_off,
        }

    # -- a coach -----------------------------------------------------------------------------------------------------
    def _ask_coach(self, asked: Asked) -> Screen:
        """It is on their list; and what else there is to do while a customer waits."""
        answer = self._answer(asked.about)
        sentence = self._desk.ask_coach(answer.id, asked.person)
        language = answer.language
        if not self._desk.store.colleagues():
            return Told(sentence, language)
        buttons = (
            Button(say("coach.urgent", language), "urgent", answer.id, primary=True),
            Button(say("coach.colleagues", language), "colleagues", answer.id, opens=True),
            Button(say("coach.share", language), "share", answer.id),
        )
        return Panel(say("button.coach", language), language, (Line(sentence), Row(buttons)))

    def _urgent(self, asked: Asked) -> Screen:
        """To the coach who is there now; who does not react within two minutes is not waited for."""
        answer, now = self._answer(asked.about), self._desk.now()
        self._desk.store.request(answer.id, asked.person.id, now, why="urgent")
        question = self._desk.questions.of(answer.id, asked.person.id)
        language = answer.language
        if question is None:
            return Told(say("coach.gone", language), language)
        if question.coach:
            return Told(say("coach.taken", language, coach=question.coach_name or say("coach.a", language)), language)
        if self._desk.store.calls(question.id):
            return Told(say("coach.called_already", language), language)
        if coach := self._desk.questions.call(question):
            return Told(say("coach.called", language, coach=coach.name or say("coach.a", language)), language)
        return Told(self._nobody(language), language)

    def _nobody(self, language: Language) -> str:
        again = self._desk.questions.next_duty()
        if again is None:
            return say("coach.nobody_ever", language)
        days = say("coach.days", language).split("|")
        today = again.date() == self._desk.now().astimezone(self._desk.zone).date()
        when = f"{again:%H:%M}" if today else f"{days[again.weekday()]} {again:%H:%M}"
        return say("coach.nobody", language, time=when)

    def _colleagues(self, asked: Asked) -> Screen:
        """In a channel of their choice, without their name: first which one, then what is to be posted there."""
        answer = self._answer(asked.about)
        language = answer.language
        if asked.filled and asked.filled.get("channel"):
            line = Line(say("coach.colleagues_how", language))
            return Panel(say("coach.colleagues_ask", language, question=answer.question), language, (line,))
        field = Field("channel", say("share.channel", language), FieldKind.ONE, required=True)
        intro = Line(say("coach.colleagues_hint", language, question=escaped(answer.question)))
        title, submit = say("coach.colleagues", language), say("share.send", language)
        return Form(title, "colleagues", answer.id, submit, language, (field,), (intro,))

    def _share(self, asked: Asked) -> Screen:
        """Their own act, with a coach they choose: nothing is shared otherwise."""
        answer = self._answer(asked.about)
        language = answer.language
        coaches = [one for one in self._desk.store.colleagues() if one.name and one.id != asked.person.id]
        if not coaches:
            return Told(say("coach.share_nobody", language), language)
        buttons = tuple(Button(one.name, "share_with", f"{answer.id}|{one.id}") for one in coaches[:10])
        hint = Line(say("coach.share_hint", language, question=escaped(answer.question)))
        return Panel(say("coach.share", language), language, (hint, Row(buttons)))

    def _share_with(self, asked: Asked) -> Screen:
        answer_id, _, coach_id = asked.about.partition("|")
        answer = self._answer(answer_id)
        coach = next((one for one in self._desk.store.colleagues() if one.id == coach_id), None)
        if coach is None:
            raise NotFoundError("There is no such coach.")
        about = f"{answer.id}|{asked.name}"
        self._desk.store.tell(Tell("shared", about, (coach.id,)), self._desk.now())
        return Told(say("coach.shared", answer.language, coach=coach.name), answer.language)

    # -- what works --------------------------------------------------------------------------------------------------
    def _helped(self, asked: Asked) -> Screen:
        """Thank them, and ask how they do it."""
        answer = self._answer(asked.about)
        thanks = say("feedback.helped", answer.language)
        if answer.card is None:
            return Told(thanks, answer.language)
        tip = Button(say("coach.tip", answer.language), "tip", answer.card.article_id, opens=True)
        return Panel(thanks, answer.language, (Line(thanks), Row((tip,))))

    def _tip(self, asked: Asked) -> Screen:
        article = self._desk.article(asked.about, asked.person)
        return self._tip_form(asked, article.title)

    def _tip_form(self, asked: Asked, title: str, error: str = "") -> Form:
        language = asked.language
        text = Field(
            "text", say("coach.field.tip", language), FieldKind.TEXT, (asked.filled or {}).get("text", ""),
            say("coach.hint.tip", language), error, required=True, most=300,
        )  # fmt: skip
        options = tuple(Option(one, say(f"coach.signed.{one}", language)) for one in (_SIGNED, _UNSIGNED))
        signed = Field("signed", say("coach.field.signed", language), FieldKind.ONE, _UNSIGNED, options=options)
        submit = say("modal.send_tip", language)
        return Form(
            say("coach.tip", language), "tip_send", asked.about, submit, language, (text, signed), (Line(title),)
        )

    def _tip_send(self, asked: Asked) -> Screen:
        article = self._desk.article(asked.about, asked.person)
        filled = asked.filled or {}
        text = self._desk.scrub(" ".join(filled.get("text", "").split()))[:300]
        if not text:
            return self._tip_form(asked, article.title, say("coach.error.nothing", asked.language))
        name = asked.name if filled.get("signed") == _SIGNED else ""
        self._desk.store.add_tip(article.id, text, asked.person.id, name, self._desk.now())
        return Told(say("coach.tip_thanks", asked.language), asked.language)

    # -- changes -----------------------------------------------------------------------------------------------------
    def _read(self, asked: Asked) -> Screen:
        self._desk.store.receipt(number_of(asked.about), asked.person.id, "read", self._desk.now())
        return Told(say("change.thanks", asked.language), asked.language)

    def _unclear(self, asked: Asked) -> Screen:
        """A question about a change is a question to a coach."""
        text = " ".join((asked.filled or {}).get("text", "").split())
        number = number_of(asked.about)
        found = next((one for one in self._desk.store.announcements() if one.id == number), None)
        if found is None:
            raise NotFoundError(f"There is no announcement {number}.")
        if not text:
            field = Field("text", say("modal.question", asked.language), FieldKind.TEXT, required=True, most=500)
            title, submit = say("change.question", asked.language), say("button.send", asked.language)
            return Form(title, "unclear", asked.about, submit, asked.language, (field,))
        self._desk.store.receipt(number, asked.person.id, "question", self._desk.now())
        answer = self._desk.open(found.article_id, asked.person, language=asked.language)
        question = self._desk.scrub(f"{answer.question}: {text}")
        asked_now = replace(answer, question=question)
        self._desk.store.record(asked_now, asked.person, asked.surface, self._desk.now(), team=asked.team)
        self._desk.store.request(asked_now.id, asked.person.id, self._desk.now())
        return Told(say("coach.asked", asked.language), asked.language)

    # -- their own history -------------------------------------------------------------------------------------------
    def _mine(self, asked: Asked) -> Screen:
        language = asked.language
        buttons = (Button(say("mine.on", language), "mine_on"), Button(say("mine.off", language), "mine_off"))
        return Panel(say("mine.title", language), language, (Line(say("mine.what", language)), Row(buttons)))

    def _mine_on(self, asked: Asked) -> Screen:
        self._desk.store.set_history(asked.person.id, on=True)
        return Told(say("mine.is_on", asked.language), asked.language)

    def _mine_off(self, asked: Asked) -> Screen:
        self._desk.store.set_history(asked.person.id, on=False)
        return Told(say("mine.is_off", asked.language), asked.language)

    def _answer(self, answer_id: str) -> Answer:
        return self._desk.recall(answer_id)
