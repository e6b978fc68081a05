"""Spotting danger: whether a message describes what a critical article is for.

Search finds what is asked about; this recognises how people put it when somebody is at risk ("t stinkt hier naar rotte
eieren"), often without any word of the article. A classifier over the question's vector and its character grams,
taught by the `signals` and `unlike` phrases of the critical articles and by everyday messages.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.embed import Embedder, Vector
from core.features import BUCKETS, Places, as_matrix, hashed, rarities, weighed
from core.learnt import Arrays, keep, recall
from core.lexical import grams, words
from knowledge.article import Article

_log = logging.getLogger(__name__)

# Grams and vector together told 97 of 100 unseen messages right, the vector alone 88; the weights matter little.
_GRAM_WEIGHT = 2.0
_STRENGTH = 3.0  # sklearn's C
_SAFE = ""  # the class of everything else
_VERSION = 1  # of the features


@dataclass(frozen=True, slots=True)
class Phrases:
    """What there is to learn from: texts with the group of the article they signal, or none."""

    texts: tuple[str, ...]
    groups: tuple[str, ...]

    @classmethod
    def of(cls, articles: Sequence[Article], everyday: Sequence[str]) -> "Phrases":
        """The phrases of every critical article, in all its languages, against those of all others."""
        pairs = [(text, _SAFE) for text in everyday]
        for article in articles:
            if article.critical:
                pairs += [(text, article.group) for text in (article.title, *article.aliases, *article.signals)]
                pairs += [(text, _SAFE) for text in article.unlike]
            else:
                pairs += [(text, _SAFE) for text in (article.title, *article.aliases)]
        texts, groups = zip(*sorted(set(pairs)), strict=True) if pairs else ((), ())
        return cls(texts, groups)

    @property
    def key(self) -> str:
        """Changes with every phrase, and with all else that decides what is learnt."""
        content = (_VERSION, _GRAM_WEIGHT, _STRENGTH, BUCKETS, self.texts, self.groups)
        return hashlib.sha256(repr(content).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Classifier:
    """Multinomial logistic regression; numpy is all it needs to decide."""

    groups: tuple[str, ...]
    mean: Vector
    scale: float
    rarity: Vector  # of each gram bucket
    weights: npt.NDArray[np.float32]  # (groups, dimensions + buckets)
    bias: Vector

    def margins(self, text: str, vector: Vector) -> dict[str, float]:
        """By how much each danger is likelier than no danger, on the logit scale."""
        size = len(self.mean)
        scores = self.weights[:, :size] @ ((vector - self.mean) / self.scale) + self.bias
        buckets, values = _gram_features(text, self.rarity)
        scores = scores + self.weights[:, size + buckets] @ values
        by_group = dict(zip(self.groups, scores.tolist(), strict=True))
        safe = by_group.pop(_SAFE)
        return {group: score - safe for group, score in by_group.items()}

    def arrays(self) -> dict[str, npt.ArrayLike]:
        """What `of` makes it from again."""
        return asdict(self) | {"groups": np.array(self.groups)}

    @classmethod
    def of(cls, arrays: Arrays) -> "Classifier":
        """The classifier that gave these arrays."""
        groups, scale = tuple(map(str, arrays["groups"])), float(arrays["scale"])
        return cls(groups, arrays["mean"], scale, arrays["rarity"], arrays["weights"], arrays["bias"])


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
            threading.Thread(target=self._renew, args=(tuple(articles), sequence), daemon=True).start()
            return known[1]
        self._renew(articles, sequence)
        return self._known[1] if self._known else None

    def renew(self, articles: Sequence[Article], sequence: int) -> None:
        """Learn now, if anything changed: before the first question, or after an import."""
        self._renew(articles, sequence)

    def _renew(self, articles: Sequence[Article], sequence: int) -> None:
        with self._lock:
            if self._known is None or self._known[0] != sequence:
                self._known = (sequence, self._open(Phrases.of(articles, self._everyday)))

    def _open(self, phrases: Phrases) -> Classifier | None:
        if not set(phrases.groups) - {_SAFE} or _SAFE not in phrases.groups:
            return None
        name = hashlib.sha256(f"{self._embedder.name} {phrases.key}".encode()).hexdigest()[:16]
        path = self._cache / f"danger-{name}.npz"
        arrays = recall(path)
        if arrays is None:
            _log.info("learning to spot danger from %d phrases", len(phrases.texts))
            made = learn(phrases, self._embedder)
            keep(path, made.arrays())
            return made
        return Classifier.of(arrays)


def read_texts(path: Path) -> list[str]:
    """The texts of `{"text": …}` lines."""
    return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def learn(phrases: Phrases, embedder: Embedder) -> Classifier:
    """Fit the classifier; some ten milliseconds a phrase."""
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    vectors = np.stack([embedder.query(text) for text in phrases.texts])
    mean = vectors.mean(axis=0)
    scale = float((vectors - mean).std() * np.sqrt(vectors.shape[1])) or 1.0
    rarity = rarities([hashed(grams(words(text))) for text in phrases.texts])
    rows = [_gram_features(text, rarity) for text in phrases.texts]
    matrix: Any = sparse.hstack(
        [
            sparse.csr_matrix((vectors - mean) / scale),
            as_matrix(rows),
        ]
    ).tocsr()
    model = LogisticRegression(C=_STRENGTH, max_iter=3000, class_weight="balanced").fit(matrix, phrases.groups)
    weights, bias = model.coef_, model.intercept_
    if len(weights) == 1:  # two classes share one row in scikit-learn
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return Classifier(
        tuple(map(str, model.classes_)),
        mean,
        scale,
        rarity,
        weights.astype(np.float32),
        bias.astype(np.float32),
    )


def _gram_features(text: str, rarity: Vector) -> tuple[Places, Vector]:
    """Hashed character grams, of a fixed length."""
    buckets, values = weighed(hashed(grams(words(text))), rarity)
    return buckets, np.float32(_GRAM_WEIGHT) * values
