"""A second reader: a cross-encoder that reads question and passage together, and puts the best ten in its own order.

Off unless a setting names one: it costs a torch pass per passage, and no model is at hand that was measured on Dutch
contact-centre questions. How sure we are stays with search; where the two disagree on the first, we are not.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core import hub
from core.errors import ModelError
from core.search import Found, Hit

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_LONGEST = 2_000  # characters of a question; the model cuts off what it cannot take


class Reranker(Protocol):
    """Says how well passages answer a question; only the order counts. Thread-safe."""

    def scores(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """One per passage, the higher the better."""


class CrossEncoderReranker:
    """Any CrossEncoder of sentence-transformers that gives one number."""

    def __init__(self, model: "CrossEncoder") -> None:
        self._model = model
        self._lock = threading.Lock()  # transformers sets truncation on its shared tokenizer at every call

    def scores(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """Read the question with each passage; some 20 ms a passage for a small model."""
        with self._lock:
            found = self._model.predict([(question[:_LONGEST], text) for text in passages], show_progress_bar=False)
        return [float(score) for score in found]


def open_reranker(model: str, *, progress: Callable[[str], None] = lambda message: None) -> Reranker:
    """Open one by its folder or its name on the hub; a `ModelError` says what is wrong with it."""
    folder = Path(model).expanduser()
    if not (folder / "config.json").is_file():
        folder = hub.find(model, progress, setting="BIJDEHAND_RERANKER")
    from sentence_transformers import CrossEncoder

    try:
        read = CrossEncoder(str(folder), device="cpu", local_files_only=True)
        labels = read.config.num_labels
    except Exception as error:  # whatever is wrong in the folder, somewhere under here it raises
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ModelError(f"{folder} holds no CrossEncoder that sentence-transformers can open ({reason}).") from error
    if labels != 1:
        raise ModelError(f"{model} sorts into {labels} classes; BIJDEHAND_RERANKER wants a model that gives one score.")
    return CrossEncoderReranker(read)


def reranked(found: Found, question: str, reranker: Reranker) -> Found:
    """The same articles in the reader's order, with the scores that search gave to those places.

    With another first than search has, all get the same score: then none is sure.
    """
    if len(found.hits) < 2:  # noqa: PLR2004 - nothing to order
        return found
    told = reranker.scores(question, [_said(hit) for hit in found.hits])
    order = np.argsort(-np.asarray(told, np.float64), kind="stable")
    scores = [hit.score for hit in found.hits]
    if order[0] != 0:
        scores = scores[:1] * len(scores)
    return Found(tuple(replace(found.hits[i], score=score) for i, score in zip(order, scores, strict=True)))


def _said(hit: Hit) -> str:
    """What of an article is read: its title, and the passage that spoke for it."""
    return hit.article.title if hit.passage in {"", hit.article.title} else f"{hit.article.title}. {hit.passage}"
