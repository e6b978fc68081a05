"""Piece by piece: how fully an article says what is asked, so that the one word that decides does not drown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.lexical import rarity
from core.pieces import SCALE, Matrix, Pieces, let_go
from knowledge.article import Language

Counts = npt.NDArray[np.int64]

_COMMON = 0.8  # of the articles; from half on, a base of sixty articles lost what told them apart
_ID_BITS = 31
_ENOUGH = 20  # articles; what stands in most of fewer may still tell them apart


class Closeness:
    """The pieces of all articles, but for those that stand in most articles of a language and tell nothing."""

    def __init__(self, pieces: Pieces, counts: Counts, languages: Sequence[Language]) -> None:
        """`counts`: how many of the pieces, in order, each article has."""
        self._languages = tuple(languages)
        owners = np.repeat(np.arange(len(counts)), counts)
        self._spread = {language: _spread(pieces, owners, languages, language) for language in set(languages)}
        telling = np.ones(len(owners), dtype=bool)
        for language, spread in self._spread.items():
            spoken = np.flatnonzero(np.array([one == language for one in languages])[owners])
            telling[spoken] = spread.tells(pieces.ids[spoken])
        self._rows: npt.NDArray[np.int32] | None = None
        self._vectors = pieces.vectors
        if isinstance(pieces.vectors, np.memmap):  # they stay where they are, and those that tell are pointed at
            self._rows = np.flatnonzero(telling).astype(np.int32)
        elif len(owners):
            self._vectors = pieces.vectors[telling]
        kept = np.bincount(owners[telling], minlength=len(counts))
        self._until = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)

    def scores(self, query: Pieces, places: Counts) -> Matrix:
        """The cosine of each piece of a question with the nearest one in an article, rare ones counting more.

        From -1 to 1, an article each; 0 for all when the question has no pieces.
        """
        scores = np.zeros(len(places), dtype=np.float32)
        if len(query.ids) == 0 or len(self._vectors) == 0:
            return scores
        asked = query.vectors.T.astype(np.float32) / SCALE**2
        weights = {language: spread.weights(query.ids) for language, spread in self._spread.items()}
        starts, counts = self._until[places], self._until[places + 1] - self._until[places]
        some = np.flatnonzero(counts)
        if len(some) == 0:
            return scores
        for i in some:
            mine = slice(starts[i], starts[i] + counts[i])
            said = self._vectors[mine if self._rows is None else self._rows[mine]].astype(np.float32)
            scores[i] = (said @ asked).max(axis=0) @ weights[self._languages[places[i]]]
        let_go(self._vectors)
        return scores


@dataclass(frozen=True, slots=True)
class _Spread:
    """In how many of so many articles each piece stands: `counts` of the sorted `ids`."""

    articles: int
    ids: npt.NDArray[np.int32]
    counts: Counts

    def found_in(self, asked: npt.NDArray[np.int32]) -> Counts:
        if len(self.ids) == 0:
            return np.zeros(len(asked), np.int64)
        places = np.minimum(np.searchsorted(self.ids, asked), len(self.ids) - 1)
        return np.where(self.ids[places] == asked, self.counts[places], 0)

    def tells(self, ids: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        return np.asarray((self.found_in(ids) <= _COMMON * self.articles) | (self.articles < _ENOUGH))

    def weights(self, asked: npt.NDArray[np.int32]) -> Matrix:
        """How much each piece of a question counts; together 1."""
        weights = rarity(self.articles, self.found_in(asked))
        return np.asarray(weights / weights.sum(), np.float32)


def _spread(pieces: Pieces, owners: Counts, languages: Sequence[Language], language: Language) -> _Spread:
    spoken = np.array([one == language for one in languages])
    mine = spoken[owners] if len(owners) else np.zeros(0, dtype=bool)
    both = np.unique((owners[mine] << _ID_BITS) | pieces.ids[mine])  # each piece once per article
    ids, counts = np.unique((both & ((1 << _ID_BITS) - 1)).astype(np.int32), return_counts=True)
    return _Spread(int(spoken.sum()), ids, counts)
