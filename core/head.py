"""A trained head: which of some labels a text has, by what it means and by how it is put."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from core.embed import Vector
from core.features import BUCKETS, Places, as_matrix, hashed, rarities, weighed
from core.learnt import Arrays
from core.lexical import grams, words

VERSION = 2  # of the features

_STRENGTH = 3.0  # sklearn's C
_SHARPNESS = 2.0  # on the logits: so weak a C is most often right and too modest about it
_PHRASES = 1.5  # what they weigh beside the vector and the grams
_MARKS = "?!"
_LOOKED_AT = 2_000  # characters; more is a document


@dataclass(frozen=True, slots=True)
class Head:
    """Multinomial logistic regression; numpy is all it needs to decide.

    Its constants were chosen on seeds/moments.jsonl with the default model, by five-fold cross-validation that keeps a
    sector in one fold, three times over. Macro-F1: .851 with the vector alone, .897 with grams and phrases, .900 with
    phrases at 1.5; C from 2 to 5 matters less than .001. The sharpness gives the least log loss (.30, from .48 at 1).
    """

    labels: tuple[str, ...]
    mean: Vector  # of the vectors, and how far they spread: what is left then tells them apart
    spread: float
    gram_rarity: Vector
    phrase_rarity: Vector
    weights: Vector  # (labels, dimensions + a bucket each for grams and for phrases)
    bias: Vector

    @classmethod
    def learn(cls, texts: Sequence[str], vectors: Vector, labels: Sequence[str], *, balanced: bool = False) -> "Head":
        """Learn from texts of three labels or more; `balanced` where a rare label must not be overlooked."""
        from scipy import sparse
        from sklearn.linear_model import LogisticRegression

        mean = vectors.mean(axis=0)
        spread = float((vectors - mean).std() * np.sqrt(vectors.shape[1])) or 1.0
        said, put = [_grams(text) for text in texts], [_phrases(text) for text in texts]
        of_grams, of_phrases = rarities(said), rarities(put)
        matrix: Any = sparse.hstack(
            [
                sparse.csr_matrix((vectors - mean) / spread),
                as_matrix([weighed(one, of_grams) for one in said]),
                _PHRASES * as_matrix([weighed(one, of_phrases) for one in put]),
            ]
        ).tocsr()
        model = LogisticRegression(C=_STRENGTH, max_iter=3_000, class_weight="balanced" if balanced else None)
        model.fit(matrix, labels)
        weights, bias = _SHARPNESS * model.coef_, _SHARPNESS * model.intercept_
        return cls(
            tuple(map(str, model.classes_)),
            mean,
            spread,
            of_grams,
            of_phrases,
            weights.astype(np.float32),
            bias.astype(np.float32),
        )

    def chances(self, text: str, vector: Vector) -> dict[str, float]:
        """The probability of each label."""
        logits = self.logits(text, vector)
        odds = np.exp(logits - logits.max())
        return dict(zip(self.labels, (odds / odds.sum()).tolist(), strict=True))

    def logits(self, text: str, vector: Vector) -> Vector:
        """How much speaks for each of `labels`, as the logarithm of its odds but for what all have in common."""
        size = len(self.mean)
        found = self.weights[:, :size] @ ((vector - self.mean) / self.spread) + self.bias
        for offset, columns, values in self._terms(text):
            found = found + self.weights[:, size + offset + columns] @ values
        return np.asarray(found, np.float32)

    def _terms(self, text: str) -> Iterator[tuple[int, Places, Vector]]:
        yield 0, *weighed(_grams(text), self.gram_rarity)
        buckets, values = weighed(_phrases(text), self.phrase_rarity)
        yield BUCKETS, buckets, np.float32(_PHRASES) * values

    def arrays(self) -> dict[str, npt.ArrayLike]:
        """What `of` makes it from again."""
        return asdict(self) | {"labels": np.array(self.labels)}

    @classmethod
    def of(cls, arrays: Arrays) -> "Head":
        """The head that gave these arrays."""
        labels, spread = tuple(map(str, arrays["labels"])), float(arrays["spread"])
        rest = (arrays[name] for name in ("gram_rarity", "phrase_rarity", "weights", "bias"))
        return cls(labels, arrays["mean"], spread, *rest)


def _grams(text: str) -> Counter[int]:
    return hashed(grams(words(text[:_LOOKED_AT])))


def _phrases(text: str) -> Counter[int]:
    """Words and pairs of words, stop words and all: "hoe", "niet" and "eerste keer" tell most."""
    said = [*words(text[:_LOOKED_AT]), *(mark for mark in _MARKS if mark in text)]
    return hashed([*said, *(f"{one} {next_one}" for one, next_one in pairwise(said))])
