"""Finding articles: five signals, one fixed formula, translations counted once.

`score = 10 (half whole + half best passage) + half grams + half stems + 2 pieces`, where whole and passage are cosines,
grams and stems are shares of the best BM25 score there could be, and pieces says how well the question's words are met
one by one. Shares need no normalising per question, so a word that the knowledge base does not know weighs nothing
instead of everything.

Every signal favours the language of the question. So what exists in the other one alone is lifted by most of what the
runners-up of the two languages differ: how near the merely related ones come is what a language is worth here.
"""

from dataclasses import dataclass

import numpy as np

from core.embed import Embedder, Reading, Vector
from core.index import Index, Places
from core.nearness import Nearness, largest
from knowledge.article import Article, Language

_PER_LEG = 100
_RUNNERS_UP = slice(1, 6)  # by which two languages are compared
_SIGNALS = ("whole", "passage", "grams", "stems", "pieces", "lifted")  # the columns of `points`
_WHOLE, _PASSAGE, _GRAMS, _STEMS, _PIECES, _LIFTED = range(len(_SIGNALS))
_READ_CLOSELY = 16  # the best by the other signals; piece by piece is too dear for all


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each signal counts, and how far what exists in the other language alone is levelled with the rest."""

    whole: float = 5.0
    passage: float = 5.0
    grams: float = 0.5
    stems: float = 0.5
    pieces: float = 2.0
    foreign: float = 0.75


HYBRID = Weights()
VECTORS_ONLY = Weights(grams=0, stems=0)
BM25_ONLY = Weights(whole=0, passage=0, grams=0, stems=1, pieces=0, foreign=0)


@dataclass(frozen=True, slots=True)
class Signals:
    """The points that each signal gave; together they are the score. `lifted`: for its language."""

    whole: float = 0.0
    passage: float = 0.0
    grams: float = 0.0
    stems: float = 0.0
    pieces: float = 0.0
    lifted: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that may answer, with the passage that spoke for it and what its score is made of."""

    article: Article
    score: float
    passage: str
    signals: Signals = Signals()


@dataclass(frozen=True, slots=True)
class Found:
    """The best articles, one per group of translations, best first."""

    hits: tuple[Hit, ...]

    @property
    def score(self) -> float:
        """The best score; 0 when nothing was found."""
        return self.hits[0].score if self.hits else 0.0

    @property
    def lead(self) -> float:
        """How far the best is ahead of the next five together; 0 where there is none to be ahead of."""
        others = [hit.score for hit in self.hits[1:6]]
        return self.score - sum(others) / len(others) if others else 0.0

    @property
    def margin(self) -> float:
        """How far the best is ahead of the second; 0 where there is no second to be ahead of."""
        return self.hits[0].score - self.hits[1].score if len(self.hits) > 1 else 0.0


def search(
    index: Index,
    text: str,
    asked: Reading,
    *,
    language: Language,
    among: Places | None = None,
    most: int = 10,
    weights: Weights = HYBRID,
) -> Found:
    """Rank the articles, or those `among` them, for a question in `language`; any text at all may be asked."""
    places = np.arange(len(index.articles)) if among is None else among
    if len(places) == 0:
        return Found(())
    near = index.near(asked.vector)
    stems, grams = index.word_shares(text, language)
    candidates = _candidates(near, places, stems, grams, weights)
    points = np.zeros((len(candidates), len(_SIGNALS)), np.float32)
    points[:, _WHOLE] = weights.whole * near.whole(candidates)
    points[:, _PASSAGE] = weights.passage * near.passage(candidates)
    points[:, _GRAMS] = weights.grams * grams[candidates]
    points[:, _STEMS] = weights.stems * stems[candidates]
    ours = index.spoken(language, candidates)
    foreign = index.elsewhere_only(language, candidates, places)
    scores = points.sum(axis=1)
    for side in (ours, ~ours) if foreign.any() else (np.ones_like(ours),):
        closest = largest(scores, np.flatnonzero(side), _READ_CLOSELY)
        if weights.pieces:
            points[closest, _PIECES] = weights.pieces * index.piece_scores(asked.pieces, candidates[closest])
    scores = points.sum(axis=1)
    if min(np.sum(ours), np.sum(foreign)) >= _RUNNERS_UP.stop:
        points[foreign, _LIFTED] = weights.foreign * (_level(scores[ours]) - _level(scores[~ours]))
    return _grouped(index, candidates, points, near, language, most)


def look_up(
    index: Index,
    text: str,
    embedder: Embedder,
    *,
    language: Language,
    among: Places | None = None,
    reading: Reading | None = None,
    most: int = 10,
) -> Found:
    """Search for a question in the words that the articles use; `reading` is of the text as it stands, where known.

    Words that are replaced are read again too. With the reading of the text as typed that is spared for one question
    in four, and right answers are less well told from wrong ones: AUROC .885 instead of .893.
    """
    wanted = index.glossary.applied(text, language)
    if reading is None or wanted != text:
        reading = embedder.read_query(wanted)
    return search(index, wanted, reading, language=language, among=among, most=most)


def _candidates(near: Nearness, places: Places, stems: Vector, grams: Vector, weights: Weights) -> Places:
    """The union of each leg's best; every one of them is then scored by all legs, since missing is not zero."""
    if len(places) <= _PER_LEG:
        return places
    legs = []
    if weights.whole or weights.passage:
        legs += [near.nearest_whole(places, _PER_LEG), near.nearest_passage(places, _PER_LEG)]
    legs += [
        largest(shares, places, _PER_LEG)
        for shares, weight in ((stems, weights.stems), (grams, weights.grams))
        if weight
    ]
    return np.unique(np.concatenate(legs))


def _level(scores: Vector) -> float:
    """What articles of one language get that come near and are not it."""
    return float(np.sort(scores)[::-1][_RUNNERS_UP].mean())


def _grouped(index: Index, candidates: Places, points: Vector, near: Nearness, language: Language, most: int) -> Found:
    """Translations count as one, by their best score; the one in the asker's language is shown.

    Otherwise the twin would be the runner-up and eat the margin that tells sure from unsure.
    """
    scores = points.sum(axis=1)
    groups: dict[str, list[int]] = {}
    for i in np.lexsort((candidates, -scores)):
        groups.setdefault(index.groups[candidates[i]], []).append(int(i))
    hits: list[Hit] = []
    for members in list(groups.values())[:most]:
        shown = next((i for i in members if index.articles[candidates[i]].language == language), members[0])
        article = index.articles[candidates[shown]]
        passage = index.passage(near.best_passage(int(candidates[shown])))
        signals = Signals(**dict(zip(_SIGNALS, points[members[0]].tolist(), strict=True)))
        hits.append(Hit(article, float(scores[members[0]]), passage, signals))
    return Found(tuple(hits))
