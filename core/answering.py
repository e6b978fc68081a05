"""How an answer is made: find, be sure or refuse, lay out for the moment."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, tzinfo

from core.acquaintance import Acquaintance
from core.asides import Asides
from core.card import card_of
from core.confidence import Band, Confidence
from core.context import better, searched_text
from core.danger import Lookout
from core.embed import Embedder, Reading, Vector
from core.errors import NotFoundError
from core.explain import Explanation
from core.index import Index, LiveIndex
from core.meter import SECONDS
from core.model import Answer, Card, Outcome, Person, Question, Suggestion
from core.moments import SURE, MomentHead
from core.rerank import Reranker, reranked
from core.search import Found, Hit, look_up
from core.words import phrases, say
from knowledge.article import Article, Language
from knowledge.moment import Moment
from knowledge.shape import served
from knowledge.text import escaped, is_link

_SHOWN = 3
_MARKS = " .!?,;:)(👍🙏"
# The margin from which somebody is at risk and the critical article leads. Of a thousand everyday messages it takes
# at most seven for danger; of a hundred dangers it misses five, whose article is then mostly the first title to tap.
_DANGER = 0.2
_NEAR_DANGER = -1.0  # the margin from which its title is at least one tap away
# Danger may be said beside something else, which hides it in the whole. A part alone tells less, so it must tell more:
# from 3 the hundred messages that only sound like danger give eight false alarms, as without looking at parts.
_DANGER_OF_A_PART = 3.0
# What a part says where it stands is known already; read by itself it is only from here on. Of 4,615 parts that spares
# 84 in a hundred a reading of 3 ms, and none of the 134 that tell of danger.
_DANGER_IN_PASSING = -0.5
_PART_WORDS = 3
_MOST_PARTS = 8
_PARTS = re.compile(r"[.,;:!?\n]+|\s(?:en|maar|and|but)\s", re.IGNORECASE)
# Below this margin two articles on one subject are asked about: of those, one in five times it is the second.
_AS_LIKELY = 0.3
_QUESTION_WORDS = 2  # fewer are no question of their own
_ENDS = re.compile(r"(?<=\?)\s+|\s*\n+\s*")


class Answering:
    """From a question to an answer. Thread-safe; keeps nothing and changes nothing."""

    def __init__(
        self,
        live: LiveIndex,
        embedder: Embedder,
        moments: MomentHead,
        lookout: Lookout,
        asides: Asides,
        confidence: Confidence,
        *,
        reranker: Reranker | None = None,
        acquainted: Callable[[Person, Article], Acquaintance],
        zone: tzinfo,
        clock: Callable[[], datetime],
    ) -> None:
        """Take what the desk has."""
        self._acquainted = acquainted
        self._live = live
        self._embedder = embedder
        self._moments = moments
        self._lookout = lookout
        self._asides = asides
        self._reranker = reranker
        self._fitted = confidence
        self._zone = zone
        self._clock = clock

    def answer(self, base: Answer, question: Question, *, too_long: bool = False) -> Answer:
        """Complete `base`, whose question is scrubbed and whose language is known."""
        return (
            self._nothing_asked(base, question)
            or self._named(base, question)
            or self._look_up(base, question, too_long=too_long)
        )

    def article(self, article_id: str, audience: tuple[str, ...]) -> Article:
        """One live article that this audience may see."""
        article = self._live.current().article(article_id)
        if article is None or not self._may_see(article, audience):
            raise NotFoundError(f"There is no article {article_id!r}.")
        return article

    def articles(self, audience: tuple[str, ...]) -> Iterator[Article]:
        """All live articles that this audience may see."""
        return (article for article in self._live.current().articles if self._may_see(article, audience))

    def opened(self, base: Answer, article: Article, person: Person, moment: Moment) -> Answer:
        """The answer that is one article, in the shape of a moment or the nearest it has."""
        shown = served(article, moment)
        card = self._card(article, shown, person, base.language)
        return replace(base, outcome=Outcome.ANSWERED, moment=shown, moment_confidence=1.0, card=card)

    def explained(self, answer: Answer, question: Question) -> Explanation:
        """Why that was the answer. A follow-up is explained as the search that was surer of itself."""
        index, language = self._live.current(), answer.language
        asked = self._embedder.read_query(answer.question)
        found = self._find(index, answer, question, asked)
        margins = self._margins(index, answer.question, asked)
        titles = {one.group: one.title for one in reversed(index.articles) if one.language == language or one.critical}
        chance = self._confidence.of(found)
        odds = self._odds(question, found.hits[0].article) if found.hits else {}
        read_as = index.glossary.applied(answer.question, language)
        return Explanation(
            answer=answer,
            read_as=read_as if read_as != answer.question else "",
            found=found,
            parts=self._confidence.parts(found),
            chance=chance,
            band=self._confidence.band(chance),
            possible_from=self._confidence.possible_from,
            answer_from=self._confidence.answer_from,
            danger={titles[group]: margins[group] for group in sorted(margins, key=lambda one: -margins[one])},
            danger_from=_DANGER,
            asides=self._asides.margins(answer.question, asked.vector),
            moments=self._moments.chances(answer.question, asked.vector, odds),
            odds={str(moment): points for moment, points in odds.items()},
            telling=self._moments.telling(answer.question, asked.vector),
        )

    @property
    def _confidence(self) -> Confidence:
        """With the bands of this deployment."""
        return self._fitted.fitted_to(self._live.latest.calibration)

    # -- no search needed --------------------------------------------------------------------------------------------
    def _nothing_asked(self, base: Answer, question: Question) -> Answer | None:
        """An empty message, a greeting, or something that we cannot read."""
        plain = base.question.casefold().strip(_MARKS)
        if not plain and question.attachment:
            return replace(base, message=say(f"help.{question.attachment}", base.language))
        if plain and plain not in phrases("hello.words"):
            return None
        return replace(base, message=say("help.text", base.language, example=say("help.example", base.language)))

    def _named(self, base: Answer, question: Question) -> Answer | None:
        """An article by its id or its link."""
        asked = base.question.strip("<> ")
        if not asked or len(asked.split()) > 1:
            return None
        article = self._live.current().article(asked)
        if article is None and is_link(asked):
            article = next((one for one in self._live.current().articles if one.url == asked), None)
        if article is None or not self._may_see(article, question.person.audience):
            return None
        return self.opened(replace(base, confidence=1.0), article, question.person, question.moment or Moment.APPLY)

    def _no_question(self, base: Answer, *, too_long: bool) -> Answer | None:
        """Thanks and nothing else, or a whole document. Looked at only after danger: people are polite then too."""
        said = {word.strip(_MARKS) for word in base.question.casefold().split()} - {""}
        thanks = phrases("thanks.words")
        if "?" not in base.question and thanks & said and said <= thanks | phrases("thanks.besides"):
            return replace(base, outcome=Outcome.THANKS, message=say("thanks.text", base.language))
        return replace(base, message=say("error.too_long", base.language)) if too_long else None

    # -- looking it up -----------------------------------------------------------------------------------------------
    def _look_up(self, base: Answer, question: Question, *, too_long: bool) -> Answer:
        index = self._live.current()
        with SECONDS.labels("embed").time():
            asked = self._embedder.read_query(base.question)
        margins = self._margins(index, base.question, asked)
        with SECONDS.labels("search").time():
            found = self._find(index, base, question, asked)
        critical = self._critical(index, margins, base.language)
        before = self._danger_before(question)
        if critical and self._leads(critical[0], margins[critical[0].group], base.question, before):
            base = replace(base, confidence=1.0)
            return self._answered(base, _led_by(critical, found), Moment.APPLY, 1.0, question.person)
        if talk := self._no_question(base, too_long=too_long):
            return talk
        if not found.hits:
            key = "answer.unread" if index.missing else "answer.none" if index.articles else "answer.empty"
            bridge = say("answer.bridge", base.language)
            return replace(base, outcome=Outcome.UNANSWERED, message=say(key, base.language), bridge=bridge)
        if before and not self._is_sure_of_another(found) and searched_text(base.question, question.before):
            base = replace(base, confidence=1.0)
            return self._answered(base, _led_by([before], found), Moment.APPLY, 1.0, question.person)
        if not (before or critical) and (aside := self._aside(base, found, asked.vector, question)):
            return aside
        return self._two(index, base, question) or self._answer_or_refuse(
            base, found, [before, *critical] if before else critical, asked.vector, question
        )

    def _danger_before(self, question: Question) -> Article | None:
        """The danger that was just spoken of: somebody may still be in it."""
        article = self._live.current().article(question.danger) if question.danger else None
        return article if article and article.critical and article.is_live(self._clock()) else None

    def _leads(self, article: Article, margin: float, text: str, before: Article | None) -> bool:
        """Whether somebody is at risk: a word alone must be the danger's name, and another danger be plain."""
        words = text.casefold().split()
        if len(words) == 1 and not _names(article, words[0].strip(_MARKS)):
            return False
        other = before is not None and before.group != article.group
        return margin >= (_DANGER_OF_A_PART if other else _DANGER)

    def _is_sure_of_another(self, found: Found) -> bool:
        return not found.hits[0].article.critical and self._confidence.band(self._confidence.of(found)) is Band.ANSWER

    def _find(self, index: Index, base: Answer, question: Question, asked: Reading) -> Found:
        """What the question finds; a follow-up together with what it follows, where that finds better."""
        found = self._search(index, base, question, base.question, asked)
        if wider := searched_text(base.question, question.before):
            together = self._search(index, base, question, wider)
            found = better(found, together, self._confidence)
        return found

    def _search(
        self, index: Index, base: Answer, question: Question, text: str, reading: Reading | None = None
    ) -> Found:
        found = look_up(
            index,
            text,
            self._embedder,
            language=base.language,
            among=index.visible(question.person.audience, self._clock()),
            reading=reading,
        )
        return reranked(found, text, self._reranker) if self._reranker else found

    def _aside(self, base: Answer, found: Found, vector: Vector, question: Question) -> Answer | None:
        """One friendly sentence for what is no question to us; what leans on what was said before may be one."""
        if question.moment or searched_text(base.question, question.before):
            return None
        kind = self._asides.kind(base.question, vector, self._confidence.band(self._confidence.of(found)))
        return replace(base, outcome=Outcome.ASIDE, message=say(f"aside.{kind}", base.language)) if kind else None

    def _two(self, index: Index, base: Answer, question: Question) -> Answer | None:
        """Two questions in one message. When sure, the first is answered and the other one tap away; else a choice."""
        asked = [part for part in _ENDS.split(base.question) if "?" in part and len(part.split()) >= _QUESTION_WORDS]
        if len(asked) != 2:  # noqa: PLR2004 - with more it is a story, and its whole is what is asked
            return None
        readings = [self._embedder.read_query(part) for part in asked]
        founds = [self._search(index, base, question, part, one) for part, one in zip(asked, readings, strict=True)]
        bands = {self._confidence.band(self._confidence.of(found)) for found in founds}
        first, second = (found.hits[0] if found.hits else None for found in founds)
        if Band.UNLIKELY in bands or not (first and second) or first.article.group == second.article.group:
            return None
        if first.article.critical or second.article.critical:
            return None
        base = replace(base, confidence=min(map(self._confidence.of, founds)))
        if bands == {Band.ANSWER}:
            moment, certainty = self._moment(question, asked[0], readings[0].vector, first.article)
            base = replace(base, message=say("answer.two", base.language))
            return self._answered(base, Found((first, second)), moment, certainty, question.person)
        found = Found((first, second))
        message = say("answer.two_which", base.language)
        return replace(base, outcome=Outcome.SUGGESTIONS, message=message, alternatives=_suggestions(found))

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
            refused = self._refused(base, _led_by(critical, found))
            return replace(refused, bridge="") if question.danger else refused  # nobody in danger is called back later
        moment, certainty = self._moment(question, base.question, vector, found.hits[0].article)
        led = Found((found.hits[0], *_led_by(critical, found).hits))
        answer = self._answered(base, led, moment, certainty, question.person)
        if sibling := self._sibling(found, answer):
            answer = replace(answer, message=sibling)
        if band is Band.ANSWER:
            return answer
        if answer.message:
            return replace(answer, outcome=Outcome.SUGGESTIONS)
        key = "answer.maybe" if answer.alternatives else "answer.maybe_one"
        return replace(answer, outcome=Outcome.SUGGESTIONS, message=say(key, base.language))

    def _sibling(self, found: Found, answer: Answer) -> str:
        """Where two articles on one subject are as likely: which one is it? The second is one tap away."""
        if len(found.hits) < 2 or found.margin >= _AS_LIKELY or not answer.alternatives:  # noqa: PLR2004 - two
            return ""
        one, other = (hit.article for hit in found.hits[:2])
        choice = self._live.latest.siblings.choice(one, other)
        if choice is None or answer.alternatives[0].article_id != other.id:
            return ""
        return say("answer.sibling", answer.language, one=escaped(choice[0]), other=escaped(choice[1]))

    def _moment(self, question: Question, text: str, vector: Vector, article: Article) -> tuple[Moment, float]:
        """The moment somebody chose, else the likeliest, else apply."""
        if question.moment:
            return question.moment, 1.0
        guess, certainty = self._moments.predict(text, vector, self._odds(question, article))
        return (guess, certainty) if guess and certainty >= SURE else (Moment.APPLY, 0.0)

    def _odds(self, question: Question, article: Article) -> dict[Moment, float]:
        """What their dealings with an article say; where others read along, nothing."""
        return self._acquainted(question.person, article).odds() if question.direct else {}

    def _margins(self, index: Index, text: str, asked: Reading) -> dict[str, float]:
        """By how much each critical article's danger is likelier than none, by group."""
        classifier = self._lookout.classifier(index.articles, index.sequence)
        if classifier is None:
            return {}
        margins = classifier.margins(text, asked.vector)
        parts = [part.strip() for part in _PARTS.split(text) if len(part.split()) >= _PART_WORDS][:_MOST_PARTS]
        for part in parts if len(parts) > 1 else ():
            seen = asked.part(part)
            if seen is not None and max(classifier.margins(part, seen).values()) < _DANGER_IN_PASSING:
                continue
            for group, margin in classifier.margins(part, self._embedder.query(part)).items():
                if margin >= _DANGER_OF_A_PART:
                    margins[group] = max(margins[group], margin)
        return margins

    def _critical(self, index: Index, margins: dict[str, float], language: Language) -> list[Article]:
        """The critical articles that this may be about, the likeliest first, in the asker's language where possible.

        They override threshold, moment and audience.
        """
        near = sorted((group for group in margins if margins[group] >= _NEAR_DANGER), key=lambda group: -margins[group])
        if not near:
            return []
        live = [one for one in index.articles if one.critical and one.is_live(self._clock())]
        live.sort(key=lambda one: one.language != language)
        members = (next((one for one in live if one.group == group), None) for group in near)
        return [article for article in members if article]

    # -- laying it out -----------------------------------------------------------------------------------------------
    def _answered(self, base: Answer, found: Found, moment: Moment, certainty: float, person: Person) -> Answer:
        """The first article as a card, the next titles one tap away."""
        hit = found.hits[0]
        shown = served(hit.article, moment)
        return replace(
            base,
            outcome=Outcome.ANSWERED,
            moment=shown,
            moment_confidence=certainty,
            card=self._card(hit.article, shown, person, base.language, _telling(hit)),
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
            article, moment, person=person, language=language, now=self._clock(), zone=self._zone, passage=passage
        )

    def _may_see(self, article: Article, audience: tuple[str, ...]) -> bool:
        return article.is_for(audience) and article.is_live(self._clock())


def _names(article: Article, word: str) -> bool:
    """Whether a word alone is what the danger is called."""
    named = {name.casefold() for name in (*article.aliases, *article.signals)}
    return word in named or word in article.title.casefold().split()


def _telling(hit: Hit) -> str:
    """The passage that spoke for an article; its own name, shown already, says nothing more."""
    return "" if hit.passage in {hit.article.title, *hit.article.aliases} else hit.passage


def _led_by(critical: list[Article], found: Found) -> Found:
    """Put critical articles in front of what was found."""
    groups = {article.group for article in critical}
    rest = tuple(hit for hit in found.hits if hit.article.group not in groups)
    return Found((*(Hit(article, found.score, "") for article in critical), *rest))


def _suggestions(found: Found, without: Article | None = None) -> tuple[Suggestion, ...]:
    others = [hit.article for hit in found.hits if without is None or hit.article.group != without.group]
    return tuple(Suggestion(article.id, article.title, article.language) for article in others)
