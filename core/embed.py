"""Embedders: a text becomes a vector of length one."""

import re
import threading
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from core.pieces import NO_PIECES, Matrix, Pieces, Projection

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vector = npt.NDArray[np.float32]

LONGEST_TEXT = 2_000  # characters; the rest is not embedded, so that no text takes longer than a long one

_SAME = 0.999  # the cosine of two vectors that are one but for rounding

# Control characters, and lone surrogates, on which tokenizers and SQLite both raise.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Spans:
    """The pieces of a text as the model has them: `vectors` (pieces, dimensions), and where each begins and ends."""

    text: str  # cleaned
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    vectors: Matrix


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as a model reads it: one vector for all that it says, and what each piece of it says."""

    vector: Vector  # (dimensions,), of length one
    pieces: Pieces = NO_PIECES  # none where the model cannot tell them
    spans: Spans | None = None  # none where a text's vector is not the mean of its pieces

    def part(self, part: str) -> Vector | None:
        """What a part of the text says where it stands, of length one: near what it says alone, and free.

        None where that cannot be told.
        """
        spans, said = self.spans, clean(part)
        start = spans.text.find(said) if spans else -1
        if spans is None or start < 0:
            return None
        inside = (spans.starts >= start - 1) & (spans.ends <= start + len(said))  # a piece has the space before it
        return _unit(spans.vectors[inside].mean(axis=0)) if inside.any() else None


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

    def read_query(self, text: str) -> Reading:
        """Embed what somebody asks, piece by piece as well; that costs no more."""

    def read_passage(self, text: str) -> Reading:
        """Embed what an article says, piece by piece as well."""


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


class Prompting(ABC):
    """A model that puts a prompt before each text."""

    def __init__(self, recipe: Recipe, projection: Projection | None = None) -> None:
        self._recipe = recipe
        self._projection = projection

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
        return self._whole(self._recipe.query_prompt, text)

    def passage(self, text: str) -> Vector:
        """Embed a text of an article."""
        return self._whole(self._recipe.passage_prompt, text)

    def read_query(self, text: str) -> Reading:
        """Embed a question, piece by piece as well."""
        return self._read(self._recipe.query_prompt, text)

    def read_passage(self, text: str) -> Reading:
        """Embed a text of an article, piece by piece as well."""
        return self._read(self._recipe.passage_prompt, text)

    def raw_pieces(self, text: str) -> Matrix:
        """The pieces of a text of an article as the model has them, to learn a projection from."""
        prompt = self._recipe.passage_prompt
        _, pieces, encoding = self._embed(prompt + clean(text))
        return pieces[_own(encoding, len(prompt)).places] if encoding else pieces[:0]

    def _whole(self, prompt: str, text: str) -> Vector:
        vector, _, _ = self._embed(prompt + clean(text))
        return _unit(vector)

    def _read(self, prompt: str, text: str) -> Reading:
        said = clean(text)
        raw, pieces, encoding = self._embed(prompt + said)
        vector = _unit(raw)
        if self._projection is None or encoding is None:
            return Reading(vector)
        own = _own(encoding, len(prompt))
        mine = pieces[own.places]
        small = self._projection.small(own.ids, mine)
        if len(own.places) == 0 or _unit(pieces.mean(axis=0)) @ vector < _SAME:
            return Reading(vector, small)
        return Reading(vector, small, Spans(said, own.starts, own.ends, mine))

    @abstractmethod
    def _embed(self, text: str) -> tuple[npt.ArrayLike, Matrix, Any]:
        """The model's vector for a text that has its prompt, those of its pieces, and how it was cut into these.

        The latter as the tokenizers library has it; None when the model has another way of cutting.
        """


@dataclass(frozen=True, slots=True)
class _Own:
    """The pieces of a text itself: where they are among all pieces, and where in the text they stand."""

    places: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


def _own(encoding: Any, prompt: int) -> _Own:  # noqa: ANN401 - an encoding of tokenizers
    """Without the prompt, and without what stands for no text. What is asked of an encoding is a new list each time."""
    starts, ends = np.array(encoding.offsets, np.int64).reshape(-1, 2).T
    places = np.flatnonzero((ends > np.maximum(starts, prompt)) & (np.array(encoding.special_tokens_mask) == 0))
    ids = np.array(encoding.ids, np.int32)[places]
    return _Own(places, ids, starts[places] - prompt, ends[places] - prompt)


class OnnxEmbedder(Prompting):
    """ONNX Runtime on one thread, one text at a time: in dynamic int8 a vector depends on its whole batch."""

    def __init__(self, folder: Path, recipe: Recipe, projection: Projection | None = None) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        super().__init__(recipe, projection)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Set once: encode() only reads it, and is therefore safe from every thread.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(recipe.tokens)

    def _embed(self, text: str) -> tuple[npt.ArrayLike, Matrix, Any]:
        encoding = self._tokenizer.encode(text)
        ids = np.array([encoding.ids], np.int64)
        vectors, pieces = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return np.asarray(vectors[0]), np.asarray(pieces[0]), encoding


class TorchEmbedder(Prompting):
    """sentence-transformers itself: the original, and what serves when there is no faithful export."""

    def __init__(self, model: "SentenceTransformer", recipe: Recipe, projection: Projection | None = None) -> None:
        super().__init__(recipe, projection)
        self._model = model
        self._model.max_seq_length = recipe.tokens
        self._lock = threading.Lock()  # transformers sets truncation on its shared tokenizer at every call

    def _embed(self, text: str) -> tuple[npt.ArrayLike, Matrix, Any]:
        with self._lock:
            found: dict[str, Any]
            (found,) = self._model.encode([text], prompt="", show_progress_bar=False, output_value=None)  # type: ignore[assignment] # its hints know two of three forms
            pieces = found["token_embeddings"].numpy()
            cut = self._model.tokenizer(text, truncation=True, max_length=len(pieces))
        encoding = cut.encodings[0] if cut.encodings else None
        return found["sentence_embedding"].numpy(), pieces, encoding


class FakeEmbedder:
    """Hashed words and trigrams: texts that share words are near, and no model is needed."""

    name = "fake"
    description = "hashed words and trigrams, no model: for tests and trying out"
    dimensions = 256

    def query(self, text: str) -> Vector:
        """Embed a question, just as a passage."""
        return self.passage(text)

    def read_query(self, text: str) -> Reading:
        """Embed a question; pieces it has none."""
        return Reading(self.query(text))

    def read_passage(self, text: str) -> Reading:
        """Embed a text of an article; pieces it has none."""
        return Reading(self.passage(text))

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
