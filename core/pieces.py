"""A text piece by piece: what each piece of a word means where it stands, small enough to keep.

A model makes one vector of a whole text by averaging those of its pieces, in which the one word that decides drowns.
Compared piece by piece it counts. The pieces are centred, since all that a model says points much the same way,
brought down to a third of their dimensions and kept in a byte each.
"""

import logging
import mmap
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.learnt import Arrays

_log = logging.getLogger(__name__)

Matrix = npt.NDArray[np.float32]

WIDTH = 128
_IN_MEMORY = 64 * 1024**2  # bytes
SCALE = 127  # the length of a piece's vector, so that it fits a byte


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of a text: `ids` (n,) are the model's own, `vectors` (n, width) have length `SCALE`."""

    ids: npt.NDArray[np.int32]
    vectors: npt.NDArray[np.int8]


def room(count: int, width: int) -> npt.NDArray[np.int8]:
    """Where so many vectors go: in memory, or when they are many in a file without a name that the system may cache.

    Of ten thousand articles they are half a gigabyte, of which a question needs one megabyte.
    """
    if count * width <= _IN_MEMORY:
        return np.empty((count, width), np.int8)
    try:
        with tempfile.TemporaryFile(prefix="bijdehand-") as file:  # the mapping outlives it
            if hasattr(os, "posix_fallocate"):  # else a full disk ends the process at the first write that has no room
                os.posix_fallocate(file.fileno(), 0, count * width)
            return np.memmap(file, np.int8, "w+", shape=(count, width))
    except OSError as error:
        _log.warning("no room for a temporary file (%s): what pieces say stays in memory", error.strerror)
        return np.empty((count, width), np.int8)


def let_go(vectors: npt.NDArray[np.int8]) -> None:
    """Hold nothing more of what is in a file: the system has it at hand, and takes it back when it needs the memory."""
    mapped: object = vectors.base
    if isinstance(vectors, np.memmap) and isinstance(mapped, mmap.mmap) and sys.platform != "win32":
        mapped.madvise(mmap.MADV_DONTNEED)


NO_PIECES = Pieces(np.zeros(0, np.int32), np.zeros((0, 0), np.int8))


@dataclass(frozen=True, slots=True)
class Projection:
    """How a model's pieces are made small; learnt once per model, from texts of no particular subject."""

    mean: Matrix  # (dimensions,)
    axes: Matrix  # (dimensions, width)

    @classmethod
    def learn(cls, texts: Sequence[Matrix]) -> "Projection":
        """The directions in which the pieces of these texts differ most; each text is (pieces, dimensions)."""
        pieces = _of_length_one(np.concatenate(texts))
        mean = pieces.mean(axis=0)
        _, directions = np.linalg.eigh(np.cov(pieces - mean, rowvar=False))  # rising
        axes = directions[:, ::-1][:, :WIDTH]
        # Either way along an axis is as good; one must be chosen, or two machines would not understand each other.
        ways = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
        return cls(mean.astype(np.float32), (axes * ways).astype(np.float32))

    def small(self, ids: Sequence[int] | npt.NDArray[np.int32], vectors: Matrix) -> Pieces:
        """Pieces as they are kept; `vectors` (n, dimensions) as the model gives them."""
        if len(ids) == 0:
            return NO_PIECES
        small = _of_length_one((_of_length_one(vectors) - self.mean) @ self.axes)
        return Pieces(np.asarray(ids, np.int32), np.round(small * SCALE).astype(np.int8))

    def arrays(self) -> dict[str, npt.ArrayLike]:
        """What `of` makes it from again."""
        return {"mean": self.mean, "axes": self.axes}

    @classmethod
    def of(cls, arrays: Arrays) -> "Projection":
        """The projection that gave these arrays."""
        return cls(arrays["mean"], arrays["axes"])


def _of_length_one(vectors: npt.NDArray[np.floating[Any]]) -> Matrix:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)
