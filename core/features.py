"""What a text looks like, in numbers: its terms, hashed, weighed by how rare they are, of length one.

Beside a vector of what it means, it tells apart what is put differently: "lukt niet" from "hoe lukt het".
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from core.embed import Vector
from core.lexical import grams, words

BUCKETS = 2**15

Places = npt.NDArray[np.int64]


@lru_cache(maxsize=16)
def spelt(text: str) -> Counter[int]:
    """The character grams of a text, counted by bucket. Danger, asides and moments look at the same one in turn."""
    return hashed(grams(words(text)))


def hashed(terms: Iterable[str]) -> Counter[int]:
    """Count terms by bucket; what shares one by chance is taken for the same."""
    return Counter(zlib.crc32(term.encode("utf-8", "surrogatepass")) % BUCKETS for term in terms)


def rarities(texts: Sequence[Counter[int]]) -> Vector:
    """The weight of each bucket: 1 for what every text has, more for what few have."""
    found_in = np.bincount([bucket for one in texts for bucket in one], minlength=BUCKETS)
    return (np.log((1 + len(texts)) / (1 + found_in)) + 1).astype(np.float32)


def weighed(counted: Counter[int], rarity: Vector) -> tuple[Places, Vector]:
    """The buckets of a text and their values: sublinear tf-idf of length one."""
    buckets = np.fromiter(counted.keys(), np.int64, len(counted))
    counts = np.fromiter(counted.values(), np.float32, len(counted))
    values = (1 + np.log(counts)) * rarity[buckets] if len(counted) else counts
    length = float(np.linalg.norm(values))
    return buckets, (values / length if length else values).astype(np.float32)


def as_matrix(rows: Sequence[tuple[Places, Vector]]) -> Any:  # noqa: ANN401 - scipy ships no types
    """Texts as `weighed` makes them, a sparse row each: (texts, buckets)."""
    from scipy import sparse

    places = (np.concatenate([buckets for buckets, _ in rows]), np.cumsum([0, *(len(buckets) for buckets, _ in rows)]))
    return sparse.csr_matrix((np.concatenate([values for _, values in rows]), *places), shape=(len(rows), BUCKETS))
