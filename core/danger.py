"""Spotting danger: whether a message describes what a critical article is for.

Search finds what is asked about; this recognises how people put it when somebody is at risk ("t stinkt hier naar rotte
eieren"), often without any word of the article. A classifier taught by the `signals` and `unlike` phrases of the
critical articles and by everyday messages.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.classifier import NONE, Classifier, Phrases, open_classifier
from core.embed import Embedder
from knowledge.article import Article


def phrases_of(articles: Sequence[Article], everyday: Sequence[str]) -> Phrases:
    """The phrases of every critical article, in all its languages, against those of all others."""
    return Phrases.of(_pairs(articles, everyday))


def _pairs(articles: Sequence[Article], everyday: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from ((text, NONE) for text in everyday)
    for article in articles:
        if article.critical:
            yield from ((text, article.group) for text in (article.title, *article.aliases, *article.signals))
            yield from ((text, NONE) for text in article.unlike)
        else:
            yield from ((text, NONE) for text in (article.title, *article.aliases))


class Lookout:
    """Keeps a classifier for the articles as they are; learnt once, then read from the cache."""

    def __init__(self, embedder: Embedder, everyday: Sequence[str], cache: Path) -> None:
        """`everyday` are messages in which nobody is in danger."""
        self._embedder = embedder
        self._everyday = tuple(everyday)
        self._cache = cache
        self._known: tuple[int, Classifier | None] | None = None
        self._lock = threading.Lock()

    def classifier(self, articles: Sequence[Article], sequence: int) -> Classifier | None:
        """The classifier for these articles; None when none of them is critical.

        Learning takes some seconds. The first time the asker waits for it; later, whoever asks meanwhile is served by
        the classifier of before.
        """
        known = self._known
        if known and known[0] == sequence:
            return known[1]
        if known and self._lock.locked():
            return known[1]
        if known:
            threading.Thread(target=self.renew, args=(tuple(articles), sequence), daemon=True).start()
            return known[1]
        self.renew(articles, sequence)
        return self._known[1] if self._known else None

    def renew(self, articles: Sequence[Article], sequence: int) -> None:
        """Learn now, if anything changed: before the first question, or after an import."""
        with self._lock:
            if self._known is None or self._known[0] != sequence:
                phrases = phrases_of(articles, self._everyday)
                self._known = (sequence, open_classifier(phrases, self._embedder, self._cache, "danger"))


def read_texts(path: Path) -> list[str]:
    """The texts of `{"text": …}` lines."""
    return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
