"""Which of some kinds a message is of, or of none: logistic regression over its vector and its character grams."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.embed import Embedder, Vector
from core.features import BUCKETS, Places, as_matrix, rarities, spelt, weighed
from core.learnt import Arrays, keep, recall

_log = logging.getLogger(__name__)

NONE = ""  # the kind of everything else
# Grams and vector together told 97 of 100 unseen messages right, the vector alone 88; the weights matter little.
_GRAM_WEIGHT = 2.0
_STRENGTH = 3.0  # sklearn's C
_VERSION = 2  # of the features, and of how what is learnt is kept


@dataclass(frozen=True, slots=True)
class Phrases:
    """What there is to learn from: texts with the kind of each, or `NONE`."""

    texts: tuple[str, ...]
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Phrases":
        """Each text with its kind; in any order, and said twice is said once."""
        found = sorted(set(pairs))
        return cls(tuple(text for text, _ in found), tuple(kind for _, kind in found))

    @property
    def key(self) -> str:
        """Changes with every phrase, and with all else that decides what is learnt."""
        content = (_VERSION, _GRAM_WEIGHT, _STRENGTH, BUCKETS, self.texts, self.kinds)
        return hashlib.sha256(repr(content).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Classifier:
    """Multinomial logistic regression; numpy is all it needs to decide."""

    kinds: tuple[str, ...]
    mean: Vector
    scale: float
    rarity: Vector  # of each gram bucket
    weights: npt.NDArray[np.float32]  # (kinds, dimensions + buckets)
    bias: Vector

    def margins(self, text: str, vector: Vector) -> dict[str, float]:
        """By how much each kind is likelier than none of them, on the logit scale."""
        size = len(self.mean)
        scores = self.weights[:, :size] @ ((vector - self.mean) / self.scale) + self.bias
        buckets, values = _gram_features(text, self.rarity)
        scores = scores + self.weights[:, size + buckets] @ values
        by_kind = dict(zip(self.kinds, scores.tolist(), strict=True))
        none = by_kind.pop(NONE)
        return {kind: score - none for kind, score in by_kind.items()}

    def arrays(self) -> dict[str, npt.ArrayLike]:
        """What `of` makes it from again."""
        return asdict(self) | {"kinds": np.array(self.kinds)}

    @classmethod
    def of(cls, arrays: Arrays) -> "Classifier":
        """The classifier that gave these arrays."""
        kinds, scale = tuple(map(str, arrays["kinds"])), float(arrays["scale"])
        return cls(kinds, arrays["mean"], scale, arrays["rarity"], arrays["weights"], arrays["bias"])


def open_classifier(phrases: Phrases, embedder: Embedder, cache: Path, name: str) -> Classifier | None:
    """Learnt once, then read from the cache; None where there is one kind and nothing to tell apart."""
    if not set(phrases.kinds) - {NONE} or NONE not in phrases.kinds:
        return None
    key = hashlib.sha256(f"{embedder.name} {phrases.key}".encode()).hexdigest()[:16]
    path = cache / f"{name}-{key}.npz"
    arrays = recall(path)
    if arrays is None:
        _log.info("learning %s from %d phrases", name, len(phrases.texts))
        made = learn(phrases, embedder)
        keep(path, made.arrays())
        return made
    return Classifier.of(arrays)


def learn(phrases: Phrases, embedder: Embedder) -> Classifier:
    """Fit the classifier; some ten milliseconds a phrase."""
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    vectors = np.stack([embedder.query(text) for text in phrases.texts])
    mean = vectors.mean(axis=0)
    scale = float((vectors - mean).std() * np.sqrt(vectors.shape[1])) or 1.0
    rarity = rarities([spelt(text) for text in phrases.texts])
    rows = [_gram_features(text, rarity) for text in phrases.texts]
    matrix: Any = sparse.hstack(
        [
            sparse.csr_matrix((vectors - mean) / scale),
            as_matrix(rows),
        ]
    ).tocsr()
    model = LogisticRegression(C=_STRENGTH, max_iter=3000, class_weight="balanced").fit(matrix, phrases.kinds)
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
    buckets, values = weighed(spelt(text), rarity)
    return buckets, np.float32(_GRAM_WEIGHT) * values
