"""Embedders: a text becomes a vector of length one."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]


class Embedder(Protocol):
    """The same text always gives the same vector; `name` changes whenever vectors would."""

    @property
    def name(self) -> str:
        """The model and the recipe. Vectors of two names are never compared."""

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""

    def query(self, text: str) -> Vector:
        """Embed what somebody asks: shape (dimensions,), length one. Any text at all is fine."""

    def passage(self, text: str) -> Vector:
        """Embed what an article says: shape (dimensions,), length one. Any text at all is fine."""
