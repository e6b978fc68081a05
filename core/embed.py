"""Embedders: a text becomes a vector of length one."""

import re
import threading
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vector = npt.NDArray[np.float32]

LONGEST_TEXT = 2_000  # characters; the rest is not embedded, so that no text takes longer than a long one

# Control characters, and lone surrogates, on which tokenizers and SQLite both raise.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Embedder(Protocol):
    """The same text always gives the same vector; `name` changes whenever vectors would."""

    @property
    def name(self) -> str:
        """The model and the recipe. Vectors of two names are never compared."""

    @property
    def description(self) -> str:
        """How the vectors are made, for the person who runs `doctor`."""

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""

    def query(self, text: str) -> Vector:
        """Embed what somebody asks: shape (dimensions,), length one. Any text at all is fine."""

    def passage(self, text: str) -> Vector:
        """Embed what an article says: shape (dimensions,), length one. Any text at all is fine."""


def clean(text: str) -> str:
    """What of a text is embedded: no control characters, single spaces, at most `LONGEST_TEXT` characters."""
    text = text[: 10 * LONGEST_TEXT]  # ten million spaces must cost nothing either
    return " ".join(_UNFIT.sub(" ", text).split())[:LONGEST_TEXT]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is settled about a model when it is prepared."""

    name: str
    description: str
    dimensions: int
    tokens: int  # of a text with its prompt; the rest is cut off
    query_prompt: str
    passage_prompt: str


class _Prompting(ABC):
    """A model that puts a prompt before each text."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe

    @property
    def name(self) -> str:
        """The model and the recipe."""
        return self._recipe.name

    @property
    def description(self) -> str:
        """What serves, and how close it is to the original."""
        return self._recipe.description

    @property
    def dimensions(self) -> int:
        """The size of the model's vectors."""
        return self._recipe.dimensions

    def query(self, text: str) -> Vector:
        """Embed a question."""
        return _unit(self._embed(self._recipe.query_prompt + clean(text)))

    def passage(self, text: str) -> Vector:
        """Embed a text of an article."""
        return _unit(self._embed(self._recipe.passage_prompt + clean(text)))

    @abstractmethod
    def _embed(self, text: str) -> npt.ArrayLike:
        """The model's vector for a text that has its prompt."""


class OnnxEmbedder(_Prompting):
    """ONNX Runtime on one thread, one text at a time: in dynamic int8 a vector depends on its whole batch."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        super().__init__(recipe)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Set once: encode() only reads it, and is therefore safe from every thread.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(recipe.tokens)

    def _embed(self, text: str) -> npt.ArrayLike:
        ids = np.array([self._tokenizer.encode(text).ids], np.int64)
        (vectors,) = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return np.asarray(vectors[0])


class TorchEmbedder(_Prompting):
    """sentence-transformers itself: the original, and what serves when there is no faithful export."""

    def __init__(self, model: "SentenceTransformer", recipe: Recipe) -> None:
        super().__init__(recipe)
        self._model = model
        self._model.max_seq_length = recipe.tokens
        self._lock = threading.Lock()  # transformers sets truncation on its shared tokenizer at every call

    def _embed(self, text: str) -> npt.ArrayLike:
        with self._lock:
            return self._model.encode(text, prompt="", show_progress_bar=False)


class FakeEmbedder:
    """Hashed words and trigrams: texts that share words are near, and no model is needed."""

    name = "fake"
    description = "hashed words and trigrams, no model: for tests and trying out"
    dimensions = 256

    def query(self, text: str) -> Vector:
        """Embed a question, just as a passage."""
        return self.passage(text)

    def passage(self, text: str) -> Vector:
        """Add every feature at the place, and with the sign, that its hash gives."""
        vector = np.zeros(self.dimensions, np.float32)
        for feature, weight in _features(clean(text).casefold()):
            number = zlib.crc32(feature.encode())
            vector[number % self.dimensions] += weight if number & 0x8000_0000 else -weight
        return _unit(vector)


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in re.findall(r"\w+", text):
        yield word, 1.0
        edged = f"<{word}>"
        for start in range(len(edged) - 2):
            yield edged[start : start + 3], 0.3


def _unit(vector: npt.ArrayLike) -> Vector:
    """Bring to length one; what has no direction points along the first axis."""
    values = np.asarray(vector, np.float32)
    length = np.linalg.norm(values)
    if 0 < length < np.inf:
        return np.asarray(values / length, np.float32)
    return np.eye(1, len(values), dtype=np.float32).ravel()
