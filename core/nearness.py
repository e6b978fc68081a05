"""How near a question's vector lies to the vectors of articles: one of each whole text, one of each passage."""

from typing import Any

import numpy as np
import numpy.typing as npt

from core.embed import Vector

Places = npt.NDArray[np.int64]  # articles, or passages, by their row


class Vectors:
    """The vectors of all articles, read-only once made."""

    def __init__(self, whole: Vector, passages: Vector, owners: Places) -> None:
        """`whole` has a row per article, `passages` one per passage; `owners` has the article of each, rising."""
        self._whole = _Flat(whole)
        self._passages = _Flat(passages)
        self._first = np.searchsorted(owners, np.arange(len(whole) + 1))
        self._with_text = np.flatnonzero(self._first[1:] > self._first[:-1])

    def near(self, query: Vector) -> "Nearness":
        """Compare a question with all there is."""
        of_passages = self._passages.cosines(query)
        best = np.full(len(self._first) - 1, -1.0, np.float32)
        if len(self._with_text):
            best[self._with_text] = np.maximum.reduceat(of_passages, self._first[self._with_text])
        return Nearness(self._whole.cosines(query), best, of_passages, self._first)


class Nearness:
    """The cosines of one question with the whole of every article and with the best of its passages."""

    def __init__(self, whole: Vector, best: Vector, passages: Vector, first: Places) -> None:
        """`first` has the first passage of each article, and where the last one ends."""
        self._whole = whole
        self._best = best
        self._passages = passages
        self._first = first

    def whole(self, places: Places) -> Vector:
        """The cosine with each article's whole text."""
        return self._whole[places]

    def passage(self, places: Places) -> Vector:
        """The cosine with each article's best passage; -1 for one without text."""
        return self._best[places]

    def nearest_whole(self, places: Places, most: int) -> Places:
        """Those of `places` whose whole text lies nearest."""
        return largest(self._whole, places, most)

    def nearest_passage(self, places: Places, most: int) -> Places:
        """Those of `places` that have the nearest passages."""
        return largest(self._best, places, most)

    def best_passage(self, place: int) -> int | None:
        """The row of an article's best passage; None for one without text."""
        start, end = self._first[place], self._first[place + 1]
        return int(start + self._passages[start:end].argmax()) if start < end else None


def largest(values: Vector, places: Places, most: int) -> Places:
    """Those of `places` that have the largest values, in no order."""
    if len(places) <= most:
        return places
    return places[np.argpartition(-values[places], most)[:most]]


class _Flat:
    """Vectors in a flat FAISS index, all compared at once.

    FAISS keeps and sorts; the product itself is BLAS's, which needs a third of the time and gives all of them.
    """

    def __init__(self, vectors: Vector) -> None:
        import faiss

        self._index: Any = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)
        held = faiss.rev_swig_ptr(self._index.get_xb(), vectors.size) if len(vectors) else vectors
        self._vectors: Vector = held.reshape(vectors.shape)

    def cosines(self, query: Vector) -> Vector:
        return np.asarray(self._vectors @ query)
