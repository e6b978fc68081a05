"""What each button does: ask the desk, and tell what is to be seen now. Nothing here waits for a network."""

from dataclasses import dataclass, replace
from enum import StrEnum

from bots.botframework import Activity
from bots.teams_activities import Spot, Tap
from bots.teams_cards import AT_FIRST, Shown, Where
from bots.teams_screens import form_card, panel_card
from bots.teams_views import overview_card, seen_card, sentence_card, topics_card
from core.coach import Coach
from core.desk import Desk
from core.errors import NotAllowedError, NotFoundError
from core.model import Answer, Feedback, Person, Suggestion
from core.screens import Asked, Form, Panel, Screen, Told
from core.words import say
from knowledge.article import Language

_THEIRS = {"drop", "seen", "do"}  # buttons of what nobody else may read


class How(StrEnum):
    """How what comes of a tap is shown."""

    TOLD = "told"  # a sentence, for whoever tapped
    INSTEAD = "instead"  # in the place of what stands there
    BELOW = "below"  # that stays
    PRIVATE = "private"  # in the conversation of the two of us


@dataclass(frozen=True, slots=True)
class Result:
    """What is to be seen after a tap: an answer in some form, another card, or only a sentence.

    What is only told can have an answer too, for a dialog: a sentence alone would wipe that out.
    """

    sentence: str = ""
    answer: Answer | None = None
    shown: Shown = AT_FIRST
    card: Activity | None = None
    how: How = How.TOLD


class Taps:
    """One method for each thing to tap. Thread-safe, like the desk."""

    def __init__(self, desk: Desk, coach: Coach) -> None:
        """The desk knows."""
        self._desk = desk
        self._coaching = coach

    def do(self, tap: Tap) -> Result:
        """Do what a button is for; `NotFoundError` when what it is about is there no more."""
        if tap.verb in _THEIRS and not tap.spot.alone:
            raise NotFoundError(f"There is no button {tap.verb!r} where others read along.")
        work = {
            "open": self._open,
            "reshape": self._reshape,
            "wrong": self._wrong,
            "show": self._show,
            "done": self._done,
            "coach": self._coach,
            "later": self._later,
            "private": self._private,
            "topics": self._topics,
            "drop": self._drop,
            "seen": self._seen,
            "helped": self._helped,
            "not_helped": self._not_helped,
            "quiet": self._quiet,
            "do": self._do,
        }
        return work[tap.verb](tap, self._desk.person(tap.spot.identity))

    def topics(self, spot: Spot, language: Language, topic: str = "") -> Activity:
        """What there is to browse, as a card."""
        person = _among(self._desk.person(spot.identity), spot)
        found = self._desk.topics(person, language)
        titles = {
            name: [Suggestion(article.id, article.title, article.language) for article in articles]
            for name, articles in found.items()
        }
        return topics_card(titles, language, topic)

    def overview(self, person: Person, language: Language) -> Activity:
        """What changed, what was put aside, what waits for a coach, as a card."""
        today = self._desk.now().astimezone(self._desk.zone).date()
        return overview_card(self._desk.home(person, language), today)

    # -- the same answer, another way --------------------------------------------------------------------------------
    def _standing(self, tap: Tap, person: Person) -> Answer:
        """The answer in the shape that stands there: it may have been reshaped since it was given."""
        return self._desk.shown(tap.answer_id, _among(person, tap.spot), tap.moment)

    def _show(self, tap: Tap, person: Person) -> Result:
        return Result(answer=self._standing(tap, person), shown=tap.shown, how=How.INSTEAD)

    def _open(self, tap: Tap, person: Person) -> Result:
        """With a way back; a list of titles has none, so it stays for the next one."""
        answer = self._desk.open(
            tap.article_id,
            _among(person, tap.spot),
            language=tap.language,
            moment=tap.moment,
            surface="teams",
            team=tap.spot.identity.team,
        )
        how = How.INSTEAD if tap.shown.back or tap.spot.where is not Where.DIRECT else How.BELOW
        return Result(answer=answer, shown=Shown(back=tap.shown.back), how=how)

    def _reshape(self, tap: Tap, person: Person) -> Result:
        moment = tap.moment
        assert moment  # noqa: S101 - no such tap is read without one
        answer = self._desk.reshape(tap.answer_id, moment, _among(person, tap.spot))
        sentence = "" if answer.moment is moment else say("reshape.nothing", answer.language)
        return Result(sentence, answer, Shown(back=tap.shown.back), how=How.INSTEAD)

    # -- what somebody thinks of it ----------------------------------------------------------------------------------
    def _wrong(self, tap: Tap, person: Person) -> Result:
        self._desk.rate(Feedback(tap.answer_id, person.id, helpful=False, reason=tap.reason))
        answer = self._standing(tap, person)
        thanks = say("feedback.thanks", answer.language)
        if tap.reason == "topic" and answer.alternatives:  # then one of these, perhaps
            others = f"{thanks} {say('head.also', answer.language)}:"
            return Result(answer=replace(answer, message=others), shown=tap.shown, how=How.INSTEAD)
        return Result(thanks, answer, tap.shown, how=How.INSTEAD)

    def _done(self, tap: Tap, person: Person) -> Result:
        """At the end of the steps it helped; in private there is room to tell colleagues how."""
        self._desk.rate(Feedback(tap.answer_id, person.id, helpful=True))
        if tap.spot.where is not Where.DIRECT:
            return self._told(say("feedback.helped", tap.language), tap, person)
        return self._below(replace(tap, do="helped", about=tap.answer_id), person)

    def _helped(self, tap: Tap, person: Person) -> Result:
        self._desk.rate(Feedback(tap.answer_id, person.id, helpful=True))
        return self._screen(replace(tap, do="helped", about=tap.answer_id), person)

    def _not_helped(self, tap: Tap, person: Person) -> Result:
        """The answer once more, below which can be said what is wrong with it."""
        self._desk.rate(Feedback(tap.answer_id, person.id, helpful=False))
        return Result(say("feedback.thanks", tap.language), self._standing(tap, person), how=How.INSTEAD)

    def _quiet(self, tap: Tap, person: Person) -> Result:
        self._desk.leave_alone(person)
        return Result(card=sentence_card(say("check.left_alone", tap.language), tap.language), how=How.INSTEAD)

    def _coach(self, tap: Tap, person: Person) -> Result:
        """On their list; in private with what else can be done."""
        if tap.spot.where is not Where.DIRECT:
            return self._told(self._desk.ask_coach(tap.answer_id, person), tap, person)
        return self._below(replace(tap, do="ask_coach", about=tap.answer_id), person)

    # -- the coach's desk --------------------------------------------------------------------------------------------
    def _do(self, tap: Tap, person: Person) -> Result:
        return self._screen(tap, person)

    def _screen(self, tap: Tap, person: Person) -> Result:
        """What the coach's desk shows: in the place of what was tapped, but for a sentence."""
        return result_of(self.asked(tap, person))

    def _below(self, tap: Tap, person: Person) -> Result:
        """The same, and the answer that was tapped stays."""
        found = self._screen(tap, person)
        return replace(found, how=How.BELOW) if found.card else found

    def asked(self, tap: Tap, person: Person) -> Screen:
        """What the coach's desk makes of a tap."""
        team = tap.spot.identity.team
        asked = Asked(tap.do, tap.about, person, "teams", team, tap.language, tap.name, tap.filled)
        screen = self._coaching.do(asked)
        if isinstance(screen, Form) and screen.do == "colleagues":  # which channels there are, only Graph tells
            question = self._desk.recall(screen.about).question
            return Told(say("teams.colleagues", screen.language, question=question), screen.language)
        return screen

    def _seen(self, tap: Tap, person: Person) -> Result:
        """What a colleague got to see who asked for a coach."""
        try:
            return Result(card=seen_card(self._desk.asked(tap.answer_id, person)), how=How.BELOW)
        except NotAllowedError:  # a coach no longer: the card is from before
            return Result(say("command.not_yours", tap.language))

    def _told(self, sentence: str, tap: Tap, person: Person) -> Result:
        return Result(sentence, self._standing(tap, person) if tap.spot.dialog else None, tap.shown)

    # -- for later, elsewhere ----------------------------------------------------------------------------------------
    def _later(self, tap: Tap, person: Person) -> Result:
        self._desk.keep(tap.answer_id, person)
        return self._told(say("teams.kept", tap.language), tap, person)

    def _private(self, tap: Tap, person: Person) -> Result:
        return Result(answer=self._desk.shown(tap.answer_id, person, tap.moment), how=How.PRIVATE)

    def _drop(self, tap: Tap, person: Person) -> Result:
        self._desk.drop(tap.answer_id, person)
        return Result(card=self.overview(person, tap.language), how=How.INSTEAD)

    def _topics(self, tap: Tap, person: Person) -> Result:
        return Result(card=self.topics(tap.spot, tap.language, tap.topic), how=How.INSTEAD)


def result_of(screen: Screen) -> Result:
    """A screen as what is to be seen."""
    match screen:
        case Panel():
            return Result(card=panel_card(screen), how=How.INSTEAD)
        case Form():
            return Result(card=form_card(screen), how=How.INSTEAD)
    return Result(screen.sentence)


def _among(person: Person, spot: Spot) -> Person:
    """Where others read along, only what everybody may see."""
    return person if spot.alone else person.in_public()
