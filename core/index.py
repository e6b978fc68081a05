"""What is searched: vectors in FAISS and BM25 over words, all made from one snapshot of the store."""

import ctypes
import logging
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from core.closeness import Closeness
from core.errors import StoreError
from core.lexical import Postings, content_words, grams, query_words, stems
from core.nearness import Nearness, Vectors
from core.pieces import Pieces
from core.siblings import Siblings
from core.store import Snapshot, Store, Vector
from knowledge.article import Article, Language, Status
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
        self._texts = snapshot.texts
        self._vectors = Vectors(snapshot.whole, snapshot.passages, snapshot.owners)
        self._words = [_count_words(language, self.articles) for language in _LANGUAGES]
        counts = np.bincount(snapshot.owners, weights=snapshot.counts, minlength=len(self.articles)).astype(np.int64)
        self._closeness = Closeness(snapshot.pieces, counts, [article.language for article in self.articles])
        self.groups = [article.group for article in self.articles]
        self._group = np.unique(np.array(self.groups, dtype=str), return_inverse=True)[1]
        self._is = {
            language: np.array([a.language == language for a in self.articles], bool) for language in _LANGUAGES
        }
        self._place = {article.id: place for place, article in enumerate(self.articles)}
        self._visible = _Visibility(self.articles)
        self._of_group: dict[str, list[str]] = {}
        self._of_topic: dict[str, list[str]] = {}
        for one in self.articles:
            self._of_group.setdefault(one.group, []).append(one.id)
            self._of_topic.setdefault(one.topic, []).append(one.id)

    def article(self, article_id: str) -> Article | None:
        """The article of this id, if it can be searched."""
        place = self._place.get(article_id)
        return None if place is None else self.articles[place]

    def of_group(self, group: str) -> Sequence[str]:
        """The ids of an article and its translations."""
        return self._of_group.get(group, ())

    def of_topic(self, topic: str) -> Sequence[str]:
        """The ids of the articles on a topic; of none, none."""
        return self._of_topic.get(topic, ()) if topic else ()

    def spoken(self, language: Language, places: Places) -> Flags:
        """Which of these are in this language."""
        return self._is[language][places]

    def elsewhere_only(self, language: Language, candidates: Places, places: Places) -> Flags:
        """Which of the candidates none of `places` has in this language."""
        at_home = self._group[places[self._is[language][places]]]
        return np.isin(self._group[candidates], at_home, invert=True)

    def visible(self, audience: Collection[str], now: datetime) -> Places:
        """The articles that live now and are for this audience."""
        return self._visible.places(audience, now)

    def near(self, query: Vector) -> Nearness:
        """How near a question lies to every article."""
        return self._vectors.near(query)

    def piece_scores(self, query: Pieces, places: Places) -> Vector:
        """How fully each article says what is asked, piece by piece: -1 to 1."""
        return self._closeness.scores(query, places)

    def passage(self, row: int | None) -> str:
        """What a passage says, as it was embedded; nothing for none."""
        return "" if row is None else self._texts[row]

    def word_shares(self, text: str, language: Language) -> tuple[Vector, Vector]:
        """Each article's share of the best stem score and of the best gram score, in its own language."""
        by_stem = np.zeros(len(self.articles), dtype=np.float32)
        by_gram = np.zeros(len(self.articles), dtype=np.float32)
        for index in self._words:
            found = query_words(text, language, index.language)
            by_stem[index.places] = index.stems.shares(stems(found, index.language))
            by_gram[index.places] = index.grams.shares(grams(found))
        return by_stem, by_gram


def _give_back() -> None:
    """Making an index takes twice what it holds; glibc keeps the rest for itself unless it is told."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


def _count_words(language: Language, articles: Sequence[Article]) -> Words:
    places = [place for place, article in enumerate(articles) if article.language == language]
    documents = [content_words(searched(articles[place]), language) for place in places]
    return Words(
        language,
        np.array(places, dtype=np.int64),
        Postings(stems(document, language) for document in documents),
        Postings(grams(document) for document in documents),
    )


class _Visibility:
    """Who may see what and when, without asking every article at every question."""

    def __init__(self, articles: Sequence[Article]) -> None:
        kinds = {(article.audience, article.critical): article for article in articles}
        self._examples = list(kinds.values())  # one of each audience
        places = {kind: place for place, kind in enumerate(kinds)}
        self._kind = np.array([places[article.audience, article.critical] for article in articles], np.int64)
        dates = [
            (_when(article.effective_from, -np.inf), _when(article.effective_until, np.inf)) for article in articles
        ]
        self._from, self._until = np.array(dates, np.float64).reshape(-1, 2).T
        self._published = np.array([article.status is Status.PUBLISHED for article in articles], bool)

    def places(self, audience: Collection[str], now: datetime) -> Places:
        moment = now.timestamp()
        meant = np.array([one.is_for(audience) for one in self._examples], bool)
        return np.flatnonzero(self._published & (self._from <= moment) & (moment < self._until) & meant[self._kind])


def _when(at: datetime | None, otherwise: float) -> float:
    return at.timestamp() if at else otherwise


class LiveIndex:
    """The index as of now: a change by this process or another is in the next answer."""

    def __init__(self, store: Store, model: str, now: Callable[[], datetime]) -> None:
        """Nothing is read until the first question."""
        self._store = store
        self._model = model
        self._index: Index | None = None
        self._now = now
        self.made = now()
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
                _give_back()
                self.made = self._now()
            return self._index
