"""Embedders: a text becomes a vector of length one."""

import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]

LONGEST_TEXT = 2_000  # characters; the rest is not embedded, so that a hostile text costs no more than a long one

# Control characters, and lone surrogates, on which tokenizers and SQLite both raise.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Embedder(Protocol):
    """The same text always gives the same vector; `name` changes whenever vectors would."""

    @property
    def name(self) -> str:
        """The model and the recipe. Vectors of two names are never compared."""

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""

    @property
    def description(self) -> str:
        """How the vectors are made, in words for `doctor`."""

    def query(self, text: str) -> Vector:
        """Embed what somebody asks: shape (dimensions,), length one. Any text at all is fine."""

    def passage(self, text: str) -> Vector:
        """Embed what an article says: shape (dimensions,), length one. Any text at all is fine."""


def clean(text: str) -> str:
    """Leave what is embedded of a text: no control characters, single spaces, at most `LONGEST_TEXT` characters."""
    text = text[: 10 * LONGEST_TEXT]  # a text of ten million spaces must not cost anything either
    return " ".join(_UNFIT.sub(" ", text).split())[:LONGEST_TEXT]


def unit(vector: npt.ArrayLike) -> Vector:
    """Bring to length one; what has no direction points along the first axis rather than nowhere."""
    values = np.asarray(vector, np.float32).ravel()
    length = float(np.linalg.norm(values))
    if np.isfinite(length) and length > 0:
        return values / np.float32(length)
    fallback = np.zeros_like(values)
    fallback[0] = 1
    return fallback


class OnnxEmbedder:
    """ONNX Runtime on one thread, one text at a time: dynamic int8 makes a vector depend on its batch."""

    def __init__(self, folder: Path, *, name: str, description: str, query: str, passage: str, tokens: int) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            folder / "model.onnx", options, providers=["CPUExecutionProvider"]
        )
        # Truncation is set here and never again, which is what makes encode() safe from every thread.
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(tokens)
        self.name = name
        self.description = description
        self.dimensions = int(self._session.get_outputs()[0].shape[1])
        self._query = query
        self._passage = passage

    def query(self, text: str) -> Vector:
        """Embed a question behind the model's prompt for one."""
        return self._embed(self._query + clean(text))

    def passage(self, text: str) -> Vector:
        """Embed a text behind the model's prompt for passages."""
        return self._embed(self._passage + clean(text))

    def _embed(self, text: str) -> Vector:
        ids = np.array([self._tokenizer.encode(text).ids], np.int64)
        (vectors,) = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return unit(vectors)


class TorchEmbedder:
    """sentence-transformers itself, for a model that has no faithful export."""

    def __init__(self, folder: Path, *, name: str, description: str, query: str, passage: str, tokens: int) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        self._model.max_seq_length = tokens
        self._lock = threading.Lock()  # transformers sets truncation on the shared tokenizer at every call
        self.name = name
        self.description = description
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self._query = query
        self._passage = passage

    def query(self, text: str) -> Vector:
        """Embed a question behind the model's prompt for one."""
        return self._embed(self._query, text)

    def passage(self, text: str) -> Vector:
        """Embed a text behind the model's prompt for passages."""
        return self._embed(self._passage, text)

    def _embed(self, prompt: str, text: str) -> Vector:
        with self._lock:
            return unit(self._model.encode(clean(text), prompt=prompt, batch_size=1, show_progress_bar=False))


class FakeEmbedder:
    """No model: words and their trigrams, hashed. Texts that share words are near; meaning is not its business."""

    name = "fake"
    dimensions = 256
    description = "hashed words, no model: for tests"

    def query(self, text: str) -> Vector:
        """Embed a question, exactly as a passage."""
        return self.passage(text)

    def passage(self, text: str) -> Vector:
        """Count every feature of the text in the place and with the sign its hash gives."""
        vector = np.zeros(self.dimensions, np.float32)
        for feature, weight in self._features(clean(text).casefold()):
            number = zlib.crc32(feature.encode())
            vector[number % self.dimensions] += weight if number & 0x8000_0000 else -weight
        return unit(vector)

    @staticmethod
    def _features(text: str) -> Iterator[tuple[str, float]]:
        for word in re.findall(r"\w+", text):
            yield word, 1.0
            edged = f"<{word}>"
            for start in range(len(edged) - 2):
                yield edged[start : start + 3], 0.3
