"""The desk: what people can ask of us, in their own words. Every surface talks to this and to nothing below it."""

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from core.acquaintance import STRANGER, Acquaintance
from core.answering import Answering
from core.asides import Asides
from core.card import changed_lately, current_change
from core.confidence import Confidence
from core.danger import Lookout
from core.embed import Embedder
from core.errors import NotAllowedError, NotFoundError, StoreError
from core.explain import Explanation
from core.index import Index, LiveIndex
from core.language import language_of, language_of_locale
from core.library import Progress, embed, no_progress, shelve
from core.loop import Notice, OpenQuestion, Tip
from core.meter import SECONDS, count
from core.model import (
    Answer,
    Feedback,
    Home,
    News,
    Outcome,
    Person,
    Place,
    Question,
    Request,
    Role,
    Suggestion,
)
from core.moments import MomentHead
from core.privacy import Scrubber
from core.questions import Questions
from core.rerank import Reranker
from core.search import look_up
from core.store import Identity, Store
from core.words import reasons, say, say_date
from knowledge.amounts import filled
from knowledge.article import Article, Change, Language
from knowledge.moment import Moment
from knowledge.shape import Part
from knowledge.text import escaped

log = logging.getLogger(__name__)

MAX_QUESTION = 2000  # characters; a longer message is a document, not a question
_CHECKED_AFTER = timedelta(hours=1)  # the call is over by then
_CHECKED_WITHIN = timedelta(hours=12)  # and not forgotten
_CHECKED_EVERY = timedelta(hours=20)  # once a working day
_RECENT = 5  # changes on a home page
_LATELY = timedelta(weeks=4)
_HISTORY = timedelta(days=90)


class Desk:
    """The use cases. Thread-safe. Times come from `now`, so that tests can choose the day."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder,
        moments: MomentHead,
        lookout: Lookout,
        asides: Asides,
        scrubber: Scrubber,
        confidence: Confidence,
        *,
        reranker: Reranker | None = None,
        zone: tzinfo,
        language: Language = "nl",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take what `boot.open_desk` made."""
        self.store = store
        self.embedder = embedder
        self.zone = zone
        self.now = now
        self._lookout = lookout
        self._scrubber = scrubber
        self._language: Language = language
        self.questions = Questions(store, embedder, now=self._clock, zone=zone)
        self._live = LiveIndex(store, embedder.name, self._clock)
        self._answering = Answering(
            self._live,
            embedder,
            moments,
            lookout,
            asides,
            confidence,
            reranker=reranker,
            acquainted=self._acquainted,
            zone=zone,
            clock=self._clock,
        )

    # -- asking ----------------------------------------------------------------------------------------------------
    def answer(self, question: Question) -> Answer:
        """Answer a question; nothing is kept of it. Where others read along, from what everybody may see."""
        with SECONDS.labels("answer").time():
            return self._answer(question)

    def _answer(self, question: Question) -> Answer:
        if not question.direct:
            question = replace(question, person=question.person.in_public())
        scrubbed = self._scrubber.scrub(question.text)
        text = scrubbed.text.strip()
        language = self._language_for(question, text)
        warnings: list[str] = []
        if scrubbed.found:
            warnings.append(say("privacy.warn" if question.stays else "privacy.warn_private", language))
        if text and question.attachment:
            warnings.append(say(f"unread.{question.attachment}", language))
        base = Answer(
            uuid.uuid4().hex,
            Outcome.HELP,
            language,
            text[:MAX_QUESTION],
            warnings=tuple(warnings),
            asks_to_delete=bool(scrubbed.found) and question.stays,
        )
        return self._dressed(self._answering.answer(base, question, too_long=len(text) > MAX_QUESTION))

    def explain(self, question: Question) -> Explanation:
        """Answer a question and tell why; for admins, and nothing is kept."""
        return self._answering.explained(self.answer(question), question)

    def ask(self, question: Question) -> Answer:
        """Answer and remember; whatever breaks becomes a kind sentence and a traceback in the log."""
        try:
            answer = self.remembered(self.answer(question), question.person)
        except Exception:
            log.exception("could not answer on %s", question.surface)
            answer = self.sorry(question.text, question.locale)
            count(answer, question.surface)
            return answer
        count(answer, question.surface)
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
        team: str = "",
    ) -> Answer:
        """Show one article as an answer, in the shape of a moment; `NotFoundError` when it may not be seen.

        With a `surface` it is remembered, so that it can be reshaped and rated like any other answer.
        """
        article = self.article(article_id, person)
        base = Answer(uuid.uuid4().hex, Outcome.ANSWERED, language or article.language, article.title)
        answer = self._dressed(self._answering.opened(base, article, person, moment or Moment.APPLY))
        if surface:
            self.store.record(answer, person, surface, self.now(), team=team)
        return answer

    def shown(self, answer_id: str, person: Person, moment: Moment | None = None) -> Answer:
        """An answer given earlier, in the shape of a moment or as it was: nothing is kept of looking.

        `NotFoundError` when there is none, or when its article is gone or not for this person.
        """
        answer = self.store.answer(answer_id)
        theirs = tuple(other for other in answer.alternatives if self.may_see(other.article_id, person))
        answer = replace(answer, alternatives=theirs)
        if answer.card is None:
            return answer
        article = self.article(answer.card.article_id, person)
        if moment in {None, answer.moment}:
            return answer
        return self._dressed(self._answering.opened(answer, article, person, moment))

    def reshape(self, answer_id: str, moment: Moment, person: Person) -> Answer:
        """The same answer in the shape of another moment; the correction is kept."""
        answer = self.store.answer(answer_id)
        if answer.card is None:
            raise NotFoundError("There is no article in that answer to show differently.")
        self.store.rate(Feedback(answer_id, person.id, moment=moment), self.now())
        article = self.article(answer.card.article_id, person)
        return self._dressed(self._answering.opened(answer, article, person, moment))

    def for_everybody(self, answer: Answer) -> bool:
        """Whether there is an article in it that all may see."""
        return answer.card is not None and self.may_see(answer.card.article_id, Person(""))

    def may_see(self, article_id: str, person: Person) -> bool:
        """Whether there is such an article for this person."""
        try:
            return bool(self.article(article_id, person))
        except NotFoundError:
            return False

    def share(self, answer_id: str, person: Person, moment: Moment | None = None, *, surface: str, team: str) -> Answer:
        """An answer of its own, as everybody may see it: nothing in it is of the one that it was made from.

        `NotFoundError` when its article is not for all. Remembered like one that `person` opened.
        """
        answer = self.store.answer(answer_id)
        if answer.card is None:
            raise NotFoundError("There is no article in that answer to share.")
        public = person.in_public()
        article = self.article(answer.card.article_id, public)
        base = Answer(uuid.uuid4().hex, Outcome.ANSWERED, answer.language, article.title)
        shared = self._dressed(self._answering.opened(base, article, public, moment or answer.moment or Moment.APPLY))
        self.store.record(shared, person, surface, self.now(), team=team)
        return shared

    def recall(self, answer_id: str) -> Answer:
        """An answer as it was given; `NotFoundError` when there is none."""
        return self.store.answer(answer_id)

    def put(self, answer_id: str, place: Place, message_id: str) -> None:
        """Note that a message of ours shows this answer now; outside threads that is what is spoken of from then on."""
        self.store.set_reply(place, message_id, answer_id, self.now())

    def standing(self, place: Place, message_id: str) -> Answer:
        """The answer that a message of ours shows; `NotFoundError` when it shows none."""
        return self.store.reply(place, message_id)

    def rate(self, feedback: Feedback) -> None:
        """Keep what somebody thought of an answer; `NotFoundError` for an answer or a reason that there is not."""
        if feedback.reason and feedback.reason not in reasons(self._language):
            raise NotFoundError(f"There is no reason {feedback.reason[:40]!r} (any more).")
        self.store.answer(feedback.answer_id)
        note = self._scrubber.scrub(feedback.note).text
        self.store.rate(replace(feedback, note=note), self.now())

    def to_check(self, surface: str) -> list[tuple[Identity, Answer]]:
        """Whom to ask now whether an answer helped: once a day at most, and never mid-call."""
        now = self.now()
        return self.store.to_check(surface, (now - _CHECKED_WITHIN, now - _CHECKED_AFTER), now - _CHECKED_EVERY, now)

    def leave_alone(self, person: Person) -> None:
        """Do not ask this person again whether an answer helped."""
        self.store.set_quiet(person.id, quiet=True)

    # -- for later, and for a coach ----------------------------------------------------------------------------------
    def keep(self, answer_id: str, person: Person) -> None:
        """Put an answer aside for when the customer has hung up."""
        self.store.keep_for_later(answer_id, person.id, self.now())

    def drop(self, answer_id: str, person: Person) -> None:
        """Take it off again."""
        self.store.drop_for_later(answer_id, person.id)

    def ask_coach(self, answer_id: str, person: Person, *, has_coaches: bool = False) -> str:
        """Put a question to the coaches; the sentence that tells what comes of it.

        `has_coaches`: the asker's platform has some, whom we do not know of.
        """
        answer = self.store.answer(answer_id)
        if not has_coaches and not self.store.coaches():
            return say("coach.none", answer.language)
        fresh = self.store.request(answer_id, person.id, self.now())
        return say("coach.asked" if fresh else "coach.again", answer.language)

    def queue(self, person: Person) -> list[OpenQuestion]:
        """The questions that wait for a coach, the weightiest first."""
        _needs(person, Role.COACH)
        return self.questions.waiting()

    def asked(self, answer_id: str, person: Person) -> Answer:
        """What somebody got to see who then put their question to the coaches; for those.

        `NotFoundError` when that question does not wait for a coach, or is about an article that is not for this one.
        """
        if all(request.answer.id != answer_id for one in self.queue(person) for request in one.requests):
            raise NotFoundError(f"No coach was asked to look at answer {answer_id!r}.")
        return self.shown(answer_id, person)

    # -- what coaches write ------------------------------------------------------------------------------------------
    def publish(
        self,
        article: Article,
        what: str,
        by: str | None,
        *,
        question_id: int | None = None,
        draft_id: str | None = None,
        proposal_id: int | None = None,
        announced: tuple[Change, tuple[str, ...]] | None = None,
    ) -> bool:
        """Save an article with all that follows from it; False when it was changed since it was read."""
        made, _ = embed(
            [article], self.embedder, lambda hashes: self.store.known(hashes, self.embedder.name), self.store.amounts()
        )
        return self.store.publish(
            made,
            self.embedder.name,
            what=what,
            by=by,
            now=self.now(),
            question_id=question_id,
            draft_id=draft_id,
            proposal_id=proposal_id,
            announced=announced,
        )

    def preview(self, article: Article, moment: Moment, language: Language) -> Answer:
        """How an article that is not saved would be shown; nothing can be done with it."""
        full = filled(article, self.store.amounts())
        return self._answering.opened(Answer("", Outcome.ANSWERED, language, article.title), full, Person(""), moment)

    def overdue(self, person: Person) -> list[tuple[Article, int]]:
        """The articles that should have been checked, with how many answers of four weeks rest on each, most first."""
        today, counts = self.today(), self.store.used(self.now() - _LATELY)
        late = [one for one in self.index().articles if one.is_live(self.now()) and one.overdue(today)]
        return sorted(((one, counts.get(one.id, 0)) for one in late), key=lambda found: -found[1])

    def topic_of(self, article: Article) -> str:
        """The topic of what is most like it."""
        found = look_up(self.index(), article.title, self.embedder, language=article.language)
        return found.hits[0].article.topic if found.hits else ""

    def found_in(self, text: str) -> list[str]:
        """What in a text looks like it belongs to a customer, as what it would be replaced by."""
        return [f"[{kind}]" for kind in self._scrubber.scrub(text).found]

    def scrub_all(self, text: str) -> str:
        """A text of any length without recognisable numbers."""
        return self._scrubber.scrub(text).text

    def figures(self) -> dict[str, int]:
        """Counts of the last four weeks, for coaches."""
        found = self.store.figures(self.now() - _LATELY)
        plain = {name.removeprefix("said."): count for name, count in found.items()}
        return plain | {"open": len(self.questions.waiting())}

    def friction(self) -> list[tuple[str, int]]:
        """Titles of the articles of which most people said lately that they may not decide that themselves."""
        found = self.store.friction(self.now() - _LATELY)
        titles = {one.id: one.title for one in self.index().articles}
        return [(titles[article_id], count) for article_id, count in found.items() if article_id in titles]

    def is_coach(self, person: Person) -> bool:
        """Whether what waits for coaches waits for them."""
        return person.role.covers(Role.COACH)

    def index(self) -> Index:
        """What can be searched now."""
        return self._live.current()

    def today(self) -> date:
        """The day where people are."""
        return self.now().astimezone(self.zone).date()

    # -- browsing --------------------------------------------------------------------------------------------------
    def article(self, article_id: str, person: Person) -> Article:
        """One live article that this person may see."""
        return self._answering.article(article_id, person.audience)

    def topics(self, person: Person, language: Language) -> dict[str, list[Article]]:
        """Live articles by topic, each once: in `language` where it exists."""
        return by_topic(self._answering.articles(person.audience), language)

    def changed_lately(self, person: Person, language: Language) -> list[Article]:
        """What has just changed or is about to."""
        topics = self.topics(person, language).values()
        return [article for found in topics for article in found if changed_lately(article, self.now())]

    def examples(self, person: Person, language: Language, most: int = 4) -> list[str]:
        """Titles to try."""
        return examples(self._answering.articles(person.audience), language, self.now(), most)

    def home(self, person: Person, language: Language) -> Home:
        """What somebody sees when nothing was asked yet, by their role."""
        coaches = person.role.covers(Role.COACH)
        return Home(
            person,
            language,
            changed=tuple(self._news(self.changed_lately(person, language)[:_RECENT])),
            kept=tuple(self.store.kept_for_later(person.id)),
            asked=tuple(self._here(self.store.requests(person_id=person.id))),
            queue=tuple(self.queue(person)) if coaches else (),
            notices=tuple(self._notice(one, language) for one in self.store.notices(self.now())),
        )

    def _here(self, requests: Iterable[Request]) -> Iterator[Request]:
        """With the day and time of where people are."""
        return (replace(request, at=request.at.astimezone(self.zone)) for request in requests)

    def _news(self, articles: Iterable[Article]) -> Iterator[News]:
        for article in articles:
            if change := current_change(article, self.now()):
                key = "news.since" if change.since <= self.now() else "news.from"
                day = say_date(change.since.astimezone(self.zone).date(), article.language)
                about = Suggestion(article.id, article.title, article.language)
                yield News(about, say(key, article.language, date=day), change.new)

    def find(self, text: str, person: Person, locale: str = "", most: int = 5) -> list[Answer]:
        """The article that answers a text and those that come next, for whoever picks one to pass on; nothing is kept.

        Without a text what there is to try; none when we do not know: what only comes near would be passed on as true.
        """
        language = self.language_for(person, locale)
        if not text.strip():
            found = to_try(self._answering.articles(person.audience), language, self.now())
            return [self.open(one.id, person, language=language) for one in found[:most]]
        answer = self.answer(Question(text, person, locale=locale))
        if answer.outcome is Outcome.UNANSWERED:
            return []
        first: list[Answer] = []
        if answer.card:  # without what was typed, or said about it
            first = [replace(answer, question=answer.card.title, message="", alternatives=(), warnings=())]
        others = [self.open(other.article_id, person, language=answer.language) for other in answer.alternatives]
        return [*first, *others][:most]

    # -- people and places -------------------------------------------------------------------------------------------
    def person(self, identity: Identity, role: Role = Role.AGENT) -> Person:
        """Who this is to us. `role` is what their platform makes of them; the higher counts, and is not kept."""
        person = self.store.person(identity)
        return person if person.role.covers(role) else replace(person, role=role)

    def language_for(self, person: Person, locale: str) -> Language:
        """The language to speak with somebody where no question or answer tells."""
        return person.language or language_of_locale(locale) or self._language

    def meet(self, identity: Identity, address: Mapping[str, Any]) -> bool:
        """Remember how to write to somebody in private; True when we could not before."""
        return self.store.keep_address(identity, address)

    def reach(self, identity: Identity) -> dict[str, Any] | None:
        """How to write to somebody in private, if we can."""
        return self.store.address(identity)

    def part(self, identity: Identity) -> None:
        """Somebody took us away: forget how to write to them."""
        self.store.forget_address(identity)

    def listen(self, place: Place, person: Person) -> None:
        """Agree whether questions that nobody put to us are answered in a place; for coaches."""
        _needs(person, Role.COACH)
        self.store.set_place(place)

    def sorry(self, text: str, locale: str) -> Answer:
        """What to say when something broke; needs neither the model nor the database."""
        language = language_of(text, otherwise=language_of_locale(locale) or self._language)
        message = say("error.broken", language)
        return Answer(uuid.uuid4().hex, Outcome.FAILED, language, "", message=message)

    def scrub(self, text: str) -> str:
        """A message as it may be kept: no recognisable numbers, and no longer than a question can be."""
        return self._scrubber.scrub(text).text[: MAX_QUESTION + 1]

    @property
    def language(self) -> Language:
        """The language when nothing else tells."""
        return self._language

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

    def gauges(self) -> dict[str, tuple[str, float]]:
        """What stands where now, for whoever watches over this machine: what each figure is, and the figure."""
        now = self.now()
        index, backlog = self._live.current(), self.store.backlog(now)
        return {
            "articles": ("Articles that are searched.", len(index.articles)),
            "articles_unread": ("Articles that this model has not read.", len(index.missing)),
            "index_age_seconds": ("How long ago the index was made.", (now - self._live.made).total_seconds()),
            "questions_waiting": ("Messages that have no answer yet.", backlog.questions),
            "question_age_seconds": ("How long the oldest of these waits.", backlog.oldest_question),
            "replies_waiting": ("Replies and notices that are not sent yet.", backlog.replies),
            "reply_age_seconds": ("How long the oldest of these waits.", backlog.oldest_reply),
        }

    def remembered(self, answer: Answer, person: Person) -> Answer:
        """For whoever wants their own history kept: what changed since they last saw it comes first."""
        if answer.card is None or answer.outcome is not Outcome.ANSWERED:
            return answer
        now = self.now()
        seen = self.store.last_seen(person.id, answer.card.article_id, now, now - _HISTORY)
        try:
            article = self.article(answer.card.article_id, person)
        except NotFoundError:
            return answer
        change = current_change(article, now)
        if seen is None or change is None or not seen < change.since <= now or article.critical:
            return answer
        return self._dressed(self._answering.opened(answer, article, person, Moment.CHANGE))

    def _acquainted(self, person: Person, article: Article) -> Acquaintance:
        """What is known of somebody's dealings with an article; without a database that is nothing."""
        index = self._live.latest
        try:
            same, topic = index.of_group(article.group), index.of_topic(article.topic)
            return self.store.acquaintance(person.id, same, topic, self.now())
        except StoreError:
            log.exception("what came before cannot be read")
            return STRANGER

    def _dressed(self, answer: Answer) -> Answer:
        """With what is so for some hours on its topic, and what works for colleagues; an answer is one without too."""
        if answer.outcome not in {Outcome.ANSWERED, Outcome.SUGGESTIONS, Outcome.UNANSWERED}:
            return answer
        try:
            notices = self.store.notices(self.now())
            tips = self.store.tips(state="shown", article_id=answer.card.article_id) if answer.card else []
        except StoreError:
            log.exception("notices and tips cannot be read")
            return answer
        if notices:
            topics = self._topics_of(answer)
            shown = tuple(self._notice(one, answer.language) for one in notices if one.topic.casefold() in topics)
            answer = replace(answer, notices=shown)
        if tips and answer.card:
            said = (
                say("tip.of", answer.language, text=tip.text, name=tip.name) if tip.name else tip.text for tip in tips
            )
            part = Part(None, say("tip.head", answer.language), "\n".join(f"- {escaped(text)}" for text in said))
            answer = replace(answer, card=replace(answer.card, more=(*answer.card.more, part)))
        return answer

    def _notice(self, notice: Notice, language: Language) -> str:
        until = notice.until.astimezone(self.zone)
        return say("notice.shown", language, time=f"{until:%H:%M}", text=notice.text)

    def _topics_of(self, answer: Answer) -> set[str]:
        """Of what is shown and of its translations; all answers have the one without a name."""
        articles = self.index().articles
        group = next((one.group for one in articles if answer.card and one.id == answer.card.article_id), None)
        return {"", *(one.topic.casefold() for one in articles if group is not None and one.group == group)}

    def _clock(self) -> datetime:
        """Looked up each time: `now` may be replaced."""
        return self.now()

    def _language_for(self, question: Question, text: str) -> Language:
        """The question's own language, else the person's, the platform's, ours."""
        return language_of(text, otherwise=self.language_for(question.person, question.locale))


def examples(articles: Iterable[Article], language: Language, now: datetime, most: int = 4) -> list[str]:
    """Titles to try, out of these articles."""
    return list(dict.fromkeys(article.title for article in to_try(articles, language, now)))[:most]


def to_try(articles: Iterable[Article], language: Language, now: datetime) -> list[Article]:
    """What changed lately, then the first of each topic. Nobody is offered a danger to tap."""
    shelves = by_topic(articles, language).values()
    changed = [article for shelf in shelves for article in shelf if changed_lately(article, now)]
    firsts = [next((article for article in shelf if not article.critical), None) for shelf in shelves]
    found = [article for article in (*changed, *firsts) if article]
    return [article for place, article in enumerate(found) if not article.critical and article not in found[:place]]


def by_topic(articles: Iterable[Article], language: Language) -> dict[str, list[Article]]:
    """Articles by topic, each once: in `language` where it exists. Topics that hold danger come first.

    What there is no translation of stands with the rest of its topic, as the translations of those tell.
    """
    found: dict[str, Article] = {}
    everything = list(articles)
    for article in everything:
        if article.group not in found or article.language == language:
            found[article.group] = article
    shelves: dict[str, list[Article]] = {}
    names = {one.topic: found[one.group].topic for one in everything if found[one.group].language == language}
    placed = [(names.get(article.topic, article.topic), article) for article in found.values()]
    dangerous = {topic for topic, article in placed if article.critical}
    for topic, article in sorted(placed, key=lambda one: (one[0] not in dangerous, one[0], one[1].title)):
        shelves.setdefault(topic, []).append(article)
    return shelves


def _signed(tip: Tip, language: Language) -> str:
    return say("tip.of", language, text=tip.text, name=tip.name) if tip.name else tip.text


def _needs(person: Person, role: Role) -> None:
    if not person.role.covers(role):
        raise NotAllowedError(f"That is for a {role}, and this person is {person.role}.")
