"""What is searched: FAISS over vectors and BM25 over words, all made from one snapshot of the store."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.closeness import Closeness
from core.errors import StoreError
from core.lexical import Postings, content_words, grams, query_words, stems
from core.pieces import Pieces
from core.siblings import Siblings
from core.store import Snapshot, Store, Vector
from knowledge.article import Article, Language
from knowledge.glossary import Glossary
from knowledge.split import searched

_log = logging.getLogger(__name__)

_LANGUAGES: tuple[Language, ...] = ("nl", "en")

Places = npt.NDArray[np.int64]  # positions in `Index.articles`
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Words:
    """The lexical index of the articles in one language; word statistics of two languages do not mix."""

    language: Language
    places: Places
    stems: Postings
    grams: Postings


class Index:
    """Read-only once made, so any number of threads may search it."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Take the vectors as they are and count the words; about 2 ms per article."""
        self.sequence = snapshot.sequence
        self.articles = snapshot.articles
        self.missing = snapshot.missing
        self.glossary = Glossary(snapshot.terms)
        self.siblings = Siblings(snapshot.articles)
        self.calibration = snapshot.calibration
        self._whole_vectors = snapshot.whole
        self._passage_vectors = snapshot.passages
        self._owners = snapshot.owners
        self._texts = snapshot.texts
        self._first_passage = np.searchsorted(snapshot.owners, np.arange(len(self.articles) + 1))
        self._by_whole = _flat(snapshot.whole)
        self._by_passage = _flat(snapshot.passages)
        self._words = [_count_words(language, self.articles) for language in _LANGUAGES]
        counts = np.bincount(snapshot.owners, weights=snapshot.counts, minlength=len(self.articles)).astype(np.int64)
        self._closeness = Closeness(snapshot.pieces, counts, [article.language for article in self.articles])
        self.groups = [article.group for article in self.articles]
        self._group = np.unique(np.array(self.groups, dtype=str), return_inverse=True)[1]
        self._is = {
            language: np.array([a.language == language for a in self.articles], bool) for language in _LANGUAGES
        }
        self._place = {article.id: place for place, article in enumerate(self.articles)}

    def article(self, article_id: str) -> Article | None:
        """The article of this id, if it can be searched."""
        place = self._place.get(article_id)
        return None if place is None else self.articles[place]

    def spoken(self, language: Language, places: Places) -> Flags:
        """Which of these are in this language."""
        return self._is[language][places]

    def elsewhere_only(self, language: Language, candidates: Places, places: Places) -> Flags:
        """Which of the candidates none of `places` has in this language."""
        at_home = self._group[places[self._is[language][places]]]
        return np.isin(self._group[candidates], at_home, invert=True)

    def nearest_whole(self, query: Vector, places: Places, most: int) -> Places:
        """Those of `places` whose whole text lies nearest."""
        return _search(self._by_whole, query, places, most, len(self.articles))

    def nearest_passage(self, query: Vector, places: Places, most: int) -> Places:
        """Those of `places` that own the nearest passages."""
        everything = len(places) == len(self.articles)
        rows = None if everything else np.flatnonzero(np.isin(self._owners, places))
        found = _search(self._by_passage, query, rows, most, len(self._owners))
        return np.unique(self._owners[found])

    def whole_scores(self, query: Vector, places: Places) -> Vector:
        """The cosine with each article's whole text."""
        scores: Vector = self._whole_vectors[places] @ query
        return scores

    def passage_scores(self, query: Vector, places: Places) -> Vector:
        """The cosine with each article's best passage; -1 for one without text."""
        scores = np.full(len(places), -1.0, dtype=np.float32)
        starts, ends = self._first_passage[places], self._first_passage[places + 1]
        some = np.flatnonzero(ends > starts)
        if len(some):
            counts = (ends - starts)[some]
            firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
            rows = np.arange(counts.sum()) + np.repeat(starts[some] - firsts, counts)
            scores[some] = np.maximum.reduceat(self._passage_vectors[rows] @ query, firsts)
        return scores

    def piece_scores(self, query: Pieces, places: Places) -> Vector:
        """How fully each article says what is asked, piece by piece: -1 to 1."""
        return self._closeness.scores(query, places)

    def best_passage(self, query: Vector, place: int) -> str:
        """What an article's best passage says, as it was embedded; nothing for an article without text."""
        start, end = self._first_passage[place], self._first_passage[place + 1]
        return self._texts[start + int((self._passage_vectors[start:end] @ query).argmax())] if start < end else ""

    def word_shares(self, text: str, language: Language) -> tuple[Vector, Vector]:
        """Each article's share of the best stem score and of the best gram score, in its own language."""
        by_stem = np.zeros(len(self.articles), dtype=np.float32)
        by_gram = np.zeros(len(self.articles), dtype=np.float32)
        for index in self._words:
            found = query_words(text, language, index.language)
            by_stem[index.places] = index.stems.shares(stems(found, index.language))
            by_gram[index.places] = index.grams.shares(grams(found))
        return by_stem, by_gram


def _count_words(language: Language, articles: Sequence[Article]) -> Words:
    places = [place for place, article in enumerate(articles) if article.language == language]
    documents = [content_words(searched(articles[place]), language) for place in places]
    return Words(
        language,
        np.array(places, dtype=np.int64),
        Postings([stems(document, language) for document in documents]),
        Postings([grams(document) for document in documents]),
    )


def _flat(vectors: Vector) -> Any:  # noqa: ANN401 - faiss ships no types
    import faiss

    faiss.omp_set_num_threads(1)  # with two threads FAISS was 6.6 times slower than with one
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def _search(index: Any, query: Vector, rows: Places | None, most: int, size: int) -> Places:  # noqa: ANN401 - as above
    """The rows nearest to the query, out of `rows`."""
    import faiss

    if size == 0 or (rows is not None and len(rows) == 0):
        return np.array([], dtype=np.int64)
    parameters = None
    if rows is not None and len(rows) < size:
        # The stubs that come with faiss do not know `sel`.
        parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(rows))  # type: ignore[call-arg]
    _, found = index.search(query[np.newaxis], min(most, size), params=parameters)
    places: Places = found[0][found[0] >= 0]
    return places


class LiveIndex:
    """The index as of now: a change by this process or another is in the next answer."""

    def __init__(self, store: Store, model: str) -> None:
        """Nothing is read until the first question."""
        self._store = store
        self._model = model
        self._index: Index | None = None
        self._lock = threading.Lock()

    @property
    def latest(self) -> Index:
        """The index that was current last, without asking the store again."""
        return self._index or self.current()

    def current(self) -> Index:
        """The index of the store's present sequence; made anew, beside the old one, only after a change."""
        index = self._index
        try:
            if index is not None and index.sequence == self._store.sequence():
                return index
        except StoreError:
            if index is None:
                raise
            _log.exception("the articles cannot be read; going on with those of before")
            return index
        with self._lock:
            if self._index is None or self._index.sequence != self._store.sequence():
                self._index = Index(self._store.snapshot(self._model))
            return self._index
