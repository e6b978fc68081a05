"""Whether two questions are the same one, and whether a new answer is about what an article is about already.

Grouping must not err: whoever is told the answer to another question is told something wrong, while two entries for one
question cost a coach a tap. Words that differ beside words that are shared are what a question is about, whatever the
cosine says: "koopwoning" and "huurwoning" lie closer together than two ways to ask the same.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from core.embed import Embedder, Vector
from core.index import Index
from core.language import language_of
from core.lexical import content_words, stems
from core.search import search
from knowledge.article import Article, Language

_NEVER = math.inf  # of a model that was not measured, only equal words are the same
_EQUAL = 0.999  # the cosine of two vectors that are the same but for rounding
_TYPO = 0.8  # how alike two words are that are one, mistyped
_SHORT = 3  # letters; of these each one counts

Asked = tuple[str, Vector]  # a question, and its vector as one


@dataclass(frozen=True, slots=True)
class Likeness:
    """From which cosine two questions are the same one, and from which score an article may be meant.

    Measured for one model; `seeds/README.md` says on what, and how often it errs.
    """

    same_from: float = _NEVER
    resembles_from: float = _NEVER

    def same(self, one: Asked, other: Asked) -> bool:
        """Whether both ask the same."""
        if _plain(one[0]) == _plain(other[0]):
            return True
        near = float(one[1] @ other[1]) >= self.same_from
        differ = _differ(one[0], other[0])
        return (near and differ is not True) or differ is False

    def nearest(self, asked: Asked, groups: Mapping[int, Sequence[Asked]]) -> int | None:
        """The group with the question that is most like this one, where that is the same one."""
        best, found = -1.0, None
        for number, questions in groups.items():
            for other in questions:
                cosine = float(asked[1] @ other[1])
                if cosine > best and self.same(asked, other):
                    best, found = cosine, number
        return found


def likeness_for(embedder_name: str) -> Likeness:
    """What was measured for this model."""
    return _MEASURED.get(embedder_name.partition("@")[0], Likeness())


_MEASURED = {"intfloat/multilingual-e5-small": Likeness(same_from=0.94, resembles_from=10.1)}


def resembling(index: Index, embedder: Embedder, wordings: Sequence[str], most: int = 3) -> list[Article]:
    """The articles that a new answer may belong in, the likeliest first; translations count as one."""
    enough = likeness_for(embedder.name).resembles_from
    best: dict[str, tuple[float, Article]] = {}
    for text in wordings:
        asked = embedder.read_query(text)
        for hit in search(index, text, asked, language=language_of(text, otherwise="nl"), most=most).hits:
            if hit.score >= max(enough, best.get(hit.article.group, (0.0,))[0]):
                best[hit.article.group] = hit.score, hit.article
    return [article for _, article in sorted(best.values(), key=lambda found: -found[0])][:most]


def doubles(articles: Sequence[Article], embedder: Embedder) -> list[tuple[Article, Article]]:
    """Pairs of articles that are asked for in the same way, but for translations; about 5 ms a wording."""
    asked = [(one, text) for one in articles for text in (one.title, *one.aliases) if text.strip()]
    if not asked:
        return []
    likeness = likeness_for(embedder.name)
    vectors = np.stack([embedder.query(text) for _, text in asked])
    near = min(likeness.same_from, _EQUAL)
    found: dict[frozenset[str], tuple[Article, Article]] = {}
    for place, (one, text) in enumerate(asked):
        for ahead in np.flatnonzero(vectors[place + 1 :] @ vectors[place] >= near):
            other, said = asked[place + 1 + ahead]
            like = likeness.same((text, vectors[place]), (said, vectors[place + 1 + ahead]))
            if like and one.group != other.group:
                found.setdefault(frozenset((one.group, other.group)), (one, other))
    return list(found.values())


def _differ(one: str, other: str) -> bool | None:
    """Whether each has a word of its own beside what they share; None when they share nothing or one says more."""
    spoken = language_of(one, otherwise="nl")
    if language_of(other, otherwise=spoken) != spoken:
        return None
    ours, theirs = _words(one, spoken), _words(other, spoken)
    only_ours = {word for word in ours if not _is_in(word, ours[word], theirs)}
    only_theirs = {word for word in theirs if not _is_in(word, theirs[word], ours)}
    if not only_ours and not only_theirs:
        return False if ours else None
    shared = only_ours != ours.keys() and only_theirs != theirs.keys()
    return True if only_ours and only_theirs and shared else None


def _words(text: str, language: Language) -> dict[str, str]:
    """The words that say what it is about, each with its stem."""
    return {word: stem for word in content_words(text, language) for stem in stems([word], language)}


def _is_in(word: str, stem: str, words: Mapping[str, str]) -> bool:
    """In another form, or mistyped."""
    return stem in words.values() or (len(word) > _SHORT and any(_is_mistyped(word, other) for other in words))


def _is_mistyped(word: str, other: str) -> bool:
    first, second = sorted((word, other))  # the matcher's answer depends on which comes first
    return SequenceMatcher(None, first, second).ratio() >= _TYPO


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .!?")


# -- measuring ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold gives, on pairs in one language or across two: shares, and how many were called the same."""

    languages: str
    threshold: float
    precision: float
    recall: float
    called: int
    chosen: bool = False


def measure(pairs: Iterable[Mapping[str, Any]], embedder: Embedder) -> list[Point]:
    """Precision and recall over thresholds, for labelled pairs {a, b, lang_a, lang_b, same}."""
    chosen = likeness_for(embedder.name).same_from
    by_language: dict[str, list[tuple[Asked, Asked, bool]]] = {}
    for row in pairs:
        name = "-".join(sorted((str(row["lang_a"]), str(row["lang_b"]))))
        one, other = ((str(row[key]), embedder.query(str(row[key]))) for key in ("a", "b"))
        by_language.setdefault(name, []).append((one, other, bool(row["same"])))
    steps = sorted({0.84, 0.86, 0.88, 0.9, 0.92, 0.94, 0.96, *([chosen] if chosen < _NEVER else [])})
    return [
        _point(name, found, step, chosen=step == chosen)
        for name, found in sorted(by_language.items())
        for step in steps
    ]


def _point(name: str, pairs: Sequence[tuple[Asked, Asked, bool]], threshold: float, *, chosen: bool) -> Point:
    likeness = Likeness(same_from=threshold)
    called = [same for one, other, same in pairs if likeness.same(one, other)]
    right, there = sum(called), sum(same for *_, same in pairs)
    return Point(name, threshold, right / max(1, len(called)), right / max(1, there), len(called), chosen)
