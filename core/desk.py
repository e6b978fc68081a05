"""The desk: what people can ask of us, in their own words. Every surface talks to this and to nothing below it."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

from core.card import card_of, changed_lately
from core.confidence import Band, Confidence
from core.danger import Lookout
from core.embed import Embedder, Vector
from core.errors import NotFoundError
from core.index import Index, LiveIndex
from core.language import language_of, language_of_locale
from core.library import Progress, no_progress, shelve
from core.model import Answer, Card, Delivery, Event, Feedback, Outcome, Person, Question, Suggestion
from core.moments import SURE, MomentHead
from core.privacy import Scrubber
from core.search import Found, Hit, search
from core.store import Identity, Store
from core.words import say, words
from knowledge.article import Article, Kind, Language
from knowledge.moment import Moment

log = logging.getLogger(__name__)

MAX_QUESTION = 2000  # characters; a longer message is a document, not a question
_SHOWN = 3
_MARKS = " .!?,;:)(👍🙏"
_THANKS_AT_MOST = 5  # words; more say something besides
_REDRIVE = timedelta(minutes=5)  # an older question has been asked elsewhere by now
# The margin from which somebody is at risk and the critical article leads. Of a thousand everyday messages it takes
# at most seven for danger; of a hundred dangers it misses five, whose article is then mostly the first title to tap.
_DANGER = 0.2
_NEAR_DANGER = -1.0  # the margin from which its title is at least one tap away


class Desk:
    """The use cases. Thread-safe. Times come from `now`, so that tests can choose the day."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder,
        moments: MomentHead,
        lookout: Lookout,
        scrubber: Scrubber,
        confidence: Confidence,
        *,
        zone: tzinfo,
        language: Language = "nl",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take what `boot.open_desk` made."""
        self.store = store
        self.embedder = embedder
        self.zone = zone
        self.now = now
        self._moments = moments
        self._lookout = lookout
        self._scrubber = scrubber
        self._confidence = confidence
        self._language: Language = language
        self._live = LiveIndex(store, embedder.name)

    # -- asking ----------------------------------------------------------------------------------------------------
    def answer(self, question: Question) -> Answer:
        """Answer a question; nothing is kept of it."""
        scrubbed = self._scrubber.scrub(question.text)
        text = scrubbed.text.strip()
        language = self._language_for(question, text)
        warnings: tuple[str, ...] = ()
        if scrubbed.found:
            warnings = (say("privacy.warn_private" if question.direct else "privacy.warn", language),)
        base = Answer(uuid.uuid4().hex, Outcome.HELP, language, text[:MAX_QUESTION], warnings=warnings)
        return self._nothing_asked(base) or self._look_up(base, question, too_long=len(text) > MAX_QUESTION)

    def ask(self, question: Question) -> Answer:
        """Answer and remember; whatever breaks becomes a kind sentence and a traceback in the log."""
        try:
            answer = self.answer(question)
        except Exception:
            log.exception("could not answer on %s", question.surface)
            return self.sorry(question.text, question.locale)
        try:
            self.store.record(answer, question.person, question.surface, self.now())
        except Exception:
            log.exception("could not keep an answer on %s", question.surface)  # it is shown all the same
        return answer

    def open(
        self,
        article_id: str,
        person: Person,
        *,
        language: Language | None = None,
        moment: Moment | None = None,
        surface: str = "",
    ) -> Answer:
        """Show one article as an answer, in the shape of a moment; `NotFoundError` when it may not be seen.

        With a `surface` it is remembered, so that it can be reshaped and rated like any other answer.
        """
        article = self.article(article_id, person)
        shown = _fitting(article, moment or Moment.APPLY)
        speak = language or article.language
        answer = Answer(uuid.uuid4().hex, Outcome.ANSWERED, speak, article.title, moment=shown, moment_confidence=1.0)
        answer = replace(answer, card=self._card(article, shown, person, speak))
        if surface:
            self.store.record(answer, person, surface, self.now())
        return answer

    def reshape(self, answer_id: str, moment: Moment, person: Person) -> Answer:
        """The same answer in the shape of another moment; the correction is kept."""
        answer = self.store.answer(answer_id)
        if answer.card is None:
            raise NotFoundError("There is no article in that answer to show differently.")
        self.store.rate(Feedback(answer_id, person.id, moment=moment), self.now())
        article = self.article(answer.card.article_id, person)
        shown = _fitting(article, moment)
        card = self._card(article, shown, person, answer.language)
        return replace(answer, moment=shown, moment_confidence=1.0, card=card)

    def recall(self, answer_id: str) -> Answer:
        """An answer as it was given; `NotFoundError` when there is none."""
        return self.store.answer(answer_id)

    def rate(self, feedback: Feedback) -> None:
        """Keep what somebody thought of an answer."""
        self.store.answer(feedback.answer_id)
        note = self._scrubber.scrub(feedback.note).text
        self.store.rate(replace(feedback, note=note), self.now())

    # -- browsing --------------------------------------------------------------------------------------------------
    def article(self, article_id: str, person: Person) -> Article:
        """One live article that this person may see."""
        article = self._live.current().article(article_id)
        if article is None or not self._may_see(article, person.audience):
            raise NotFoundError(f"There is no article {article_id!r}.")
        return article

    def topics(self, person: Person, language: Language) -> dict[str, list[Article]]:
        """Live articles by topic, each once: in `language` where it exists."""
        found: dict[str, Article] = {}
        for article in self._live.current().articles:
            if self._may_see(article, person.audience) and (article.group not in found or article.language == language):
                found[article.group] = article
        by_topic: dict[str, list[Article]] = {}
        for article in sorted(found.values(), key=lambda article: (article.topic, article.title)):
            by_topic.setdefault(article.topic, []).append(article)
        return by_topic

    def ready(self, *, progress: Progress = no_progress) -> int:
        """Do all that the first question would wait for; how many articles can be searched.

        After a change of model that includes embedding every article again.
        """
        index = self._live.current()
        if index.missing:
            shelve(self.store, self.embedder, [self.store.article(one) for one in index.missing], progress=progress)
            index = self._live.current()
        self._lookout.renew(index.articles, index.sequence)
        return len(index.articles)

    def changed_lately(self, person: Person, language: Language) -> list[Article]:
        """What has just changed or is about to."""
        topics = self.topics(person, language).values()
        return [article for found in topics for article in found if changed_lately(article, self.now())]

    def person(self, identity: Identity) -> Person:
        """Who this is to us."""
        return self.store.person(identity)

    # -- messages of a platform ------------------------------------------------------------------------------------
    def receive(self, event: Event) -> bool:
        """Note a message before anything is done with it; False when it came before."""
        text = self._scrubber.scrub(event.text).text[: MAX_QUESTION + 1]
        return self.store.receive(replace(event, text=text), self.now())

    def handle(self, event: Event) -> Delivery | None:
        """Answer a received message into the outbox; None when it is done or in other hands."""
        if not self.store.lease(event, self.now()):
            return None
        person = self.store.person(Identity(event.surface, event.team, event.user))
        question = Question(event.text, person, event.surface, event.direct, event.locale)
        try:
            answer = self.answer(question)
        except Exception:
            log.exception("could not answer on %s", event.surface)
            answer = self.sorry(event.text, event.locale)
        return self.store.finish(event, answer, person, self.now())

    def unkept(self, event: Event) -> Answer:
        """Answer a message although nothing can be written, by the public articles alone; never raises."""
        nobody = Person(uuid.uuid4().hex)
        try:
            return self.answer(Question(event.text, nobody, event.surface, event.direct, event.locale))
        except Exception:
            log.exception("could not answer on %s", event.surface)
            return self.sorry(event.text, event.locale)

    def undone(self, surface: str) -> list[Event]:
        """Messages that were received shortly before a crash and never answered."""
        return self.store.undone(surface, self.now() - _REDRIVE, self.now())

    def outbox(self, surface: str) -> list[Delivery]:
        """Replies that were made shortly before a crash and never sent."""
        return self.store.outbox(surface, self.now() - _REDRIVE, self.now())

    def sent(self, delivery: Delivery) -> None:
        """The platform has it."""
        self.store.sent(delivery, self.now())

    def not_sent(self, delivery: Delivery, error: str) -> None:
        """The platform did not take it."""
        self.store.not_sent(delivery, error)

    def sorry(self, text: str, locale: str) -> Answer:
        """What to say when something broke; needs neither the model nor the database."""
        language = language_of(text, otherwise=language_of_locale(locale) or self._language)
        message = say("error.broken", language)
        return Answer(uuid.uuid4().hex, Outcome.FAILED, language, "", message=message)

    @property
    def language(self) -> Language:
        """The language when nothing else tells."""
        return self._language

    # -- how an answer is made ---------------------------------------------------------------------------------------
    def _language_for(self, question: Question, text: str) -> Language:
        """The question's own language, else the person's, else the platform's, else ours."""
        otherwise = question.person.language or language_of_locale(question.locale) or self._language
        return language_of(text, otherwise=otherwise)

    def _nothing_asked(self, base: Answer) -> Answer | None:
        """An empty message or a greeting: no search is needed for those."""
        plain = base.question.casefold().strip(_MARKS)
        if plain and plain not in _phrases("hello.words"):
            return None
        return replace(base, message=say("help.text", base.language, example=say("help.example", base.language)))

    def _no_question(self, base: Answer, *, too_long: bool) -> Answer | None:
        """Thanks, or a whole document. Looked at only after danger: people are polite and paste mails then too."""
        said = [word.strip(_MARKS) for word in base.question.casefold().split()]
        if len(said) <= _THANKS_AT_MOST and "?" not in base.question and _phrases("thanks.words") & {*said}:
            return replace(base, outcome=Outcome.THANKS, message=say("thanks.text", base.language))
        return replace(base, message=say("error.too_long", base.language)) if too_long else None

    def _look_up(self, base: Answer, question: Question, *, too_long: bool) -> Answer:
        text, language = base.question, base.language
        index = self._live.current()
        vector = self.embedder.query(text)
        audience = question.person.audience if question.direct else ()
        margins = self._margins(index, text, vector)
        found = search(
            index,
            text,
            vector,
            language=language,
            allowed=lambda article: self._may_see(article, audience),
        )
        critical = self._critical(index, margins, language)
        if critical and margins[critical[0].group] >= _DANGER:
            base = replace(base, confidence=1.0)
            return self._answered(base, _led_by(critical, found), Moment.APPLY, 1.0, question.person)
        if talk := self._no_question(base, too_long=too_long):
            return talk
        if not found.hits:
            key = "answer.unread" if index.missing else "answer.none" if index.articles else "answer.empty"
            return replace(
                base, outcome=Outcome.UNANSWERED, message=say(key, language), bridge=say("answer.bridge", language)
            )
        return self._answer_or_refuse(base, found, critical, vector, question)

    def _answer_or_refuse(
        self, base: Answer, found: Found, critical: list[Article], vector: Vector, question: Question
    ) -> Answer:
        """By confidence. A critical article is never a possible answer, but near danger its title stands first."""
        band = self._confidence.band(self._confidence.of(found))
        if not (found.hits[0].article.critical and band is Band.ANSWER):
            found = Found(tuple(hit for hit in found.hits if not hit.article.critical) or found.hits)
        base = replace(base, confidence=self._confidence.of(found))
        band = self._confidence.band(base.confidence)
        if band is Band.UNLIKELY:
            return self._refused(base, _led_by(critical, found))
        guess, certainty = self._moments.predict(vector)
        sure = guess is not None and certainty >= SURE
        wanted = question.moment or (guess if guess and sure else Moment.APPLY)
        certainty = 1.0 if question.moment else certainty if sure else 0.0
        led = Found((found.hits[0], *_led_by(critical, found).hits))
        answer = self._answered(base, led, wanted, certainty, question.person)
        if band is Band.ANSWER:
            return answer
        key = "answer.maybe" if answer.alternatives else "answer.maybe_one"
        return replace(answer, outcome=Outcome.SUGGESTIONS, message=say(key, base.language))

    def _margins(self, index: Index, text: str, vector: Vector) -> dict[str, float]:
        """By how much each critical article's danger is likelier than none, by group."""
        classifier = self._lookout.classifier(index.articles, index.sequence)
        return classifier.margins(text, vector) if classifier else {}

    def _critical(self, index: Index, margins: dict[str, float], language: Language) -> list[Article]:
        """The critical articles that this may be about, the likeliest first, in the asker's language where possible.

        They override threshold, moment and audience.
        """
        near = sorted((group for group in margins if margins[group] >= _NEAR_DANGER), key=lambda group: -margins[group])
        live = [one for one in index.articles if one.critical and one.is_live(self.now())]
        live.sort(key=lambda one: one.language != language)
        members = (next((one for one in live if one.group == group), None) for group in near)
        return [article for article in members if article]

    def _answered(self, base: Answer, found: Found, moment: Moment, certainty: float, person: Person) -> Answer:
        """The first article as a card, the next titles one tap away."""
        hit = found.hits[0]
        shown = _fitting(hit.article, moment)
        return replace(
            base,
            outcome=Outcome.ANSWERED,
            moment=shown,
            moment_confidence=certainty,
            card=self._card(hit.article, shown, person, base.language, hit.passage),
            alternatives=_suggestions(found, without=hit.article)[: _SHOWN - 1],
        )

    def _refused(self, base: Answer, found: Found) -> Answer:
        """No answer is better than a wrong one; the nearest titles and a sentence to bridge the silence."""
        return replace(
            base,
            outcome=Outcome.UNANSWERED,
            message=say("answer.none_near", base.language),
            bridge=say("answer.bridge", base.language),
            alternatives=_suggestions(found)[:_SHOWN],
        )

    def _card(self, article: Article, moment: Moment, person: Person, language: Language, passage: str = "") -> Card:
        return card_of(
            article, moment, person=person, language=language, now=self.now(), zone=self.zone, passage=passage
        )

    def _may_see(self, article: Article, audience: tuple[str, ...]) -> bool:
        """Live today, and meant for everybody, for this audience, or so urgent that it does not matter."""
        meant_for = not article.audience or article.critical or bool(set(article.audience) & set(audience))
        return meant_for and article.is_live(self.now())


def _led_by(critical: list[Article], found: Found) -> Found:
    """Put critical articles in front of what was found."""
    groups = {article.group for article in critical}
    rest = tuple(hit for hit in found.hits if hit.article.group not in groups)
    return Found((*(Hit(article, found.score, "") for article in critical), *rest))


def _suggestions(found: Found, without: Article | None = None) -> tuple[Suggestion, ...]:
    others = [hit.article for hit in found.hits if without is None or hit.article.group != without.group]
    return tuple(Suggestion(article.id, article.title, article.language) for article in others)


def _fitting(article: Article, moment: Moment) -> Moment:
    """The moment itself where the article has something for it, else apply: what an agent mid-call needs most."""
    if moment is Moment.CHANGE and article.changes:
        return moment
    needs = {Moment.CHANGE: Kind.CHANGES, Moment.SOLVE: Kind.TROUBLE, Moment.NEW: Kind.STEPS}.get(moment)
    return moment if needs is None or article.section(needs) else Moment.APPLY


def _phrases(key: str) -> frozenset[str]:
    return frozenset(phrase for language in ("nl", "en") for phrase in words(language)[key].split("|"))
