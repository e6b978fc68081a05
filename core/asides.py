"""What is said to us and is no question: small talk, orders as to a machine, what is private of colleagues, nonsense.

One friendly sentence is the answer, instead of an article or the coach.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np

from core.embed import Embedder, Vector
from core.head import VERSION, Head
from core.labelled import rows_of
from core.learnt import keep, recall
from core.lexical import words


class Aside(StrEnum):
    """The key of the sentence it gets, below `aside.` in the words files."""

    SMALL_TALK = "smalltalk"
    ORDER = "order"
    PRIVATE = "private"
    NONSENSE = "nonsense"
    CODE = "code"


# Of 587 questions with an answer five are then taken for an aside; of orders and what is private, three in four are
# found that nobody learnt from.
_SURE = 0.7
_QUESTION = ""
_RUN = 3
_KNOWN = 0.65  # of the runs of three letters; of 776 questions each had .81 or more, of keys hit at random one in ten
_CODE = re.compile(
    r"(?m)^\s*(?:def |class |import |from \w+ import|#include|<\?php|<!doctype|function\b|(?:const|let|var) \w+ ?="
    r"|select .+ from |public static|Traceback \(most)|</\w+>|=>\s*\{|\);\s*$|\{\s*\"\w+\"\s*:",
    re.IGNORECASE,
)


class Asides:
    """Tells them; learnt once from labelled messages, then read from the cache."""

    def __init__(self, head: Head, known: frozenset[str]) -> None:
        """`known`: the runs of letters that real messages have."""
        self._head = head
        self._known = known

    def of(self, text: str, vector: Vector, *, refused: bool) -> Aside | None:
        """What this is if it is no question; small talk only where there is no answer that may be right."""
        if _CODE.search(text):
            return Aside.CODE
        if self._is_nonsense(text):
            return Aside.NONSENSE
        chances = self._head.chances(text, vector)
        question = chances.pop(_QUESTION, 0.0)
        best = max(chances, key=lambda kind: chances[kind])
        sure = 1 - question >= _SURE if refused else best != Aside.SMALL_TALK and chances[best] >= _SURE
        return Aside(best) if sure else None

    def _is_nonsense(self, text: str) -> bool:
        found = list(_runs(text))
        return bool(found) and sum(run in self._known for run in found) < _KNOWN * len(found)


def open_asides(embedder: Embedder, asides: Path, messages: Path, cache: Path) -> Asides:
    """Those for this embedder: learnt from both files once, then kept; what is damaged is learnt anew."""
    labelled = [(str(row["text"]), str(row["kind"])) for row in rows_of(asides, required=("text", "kind"))]
    labelled += [
        (str(row["text"]), Aside.SMALL_TALK if row["moment"] == "none" else _QUESTION)
        for row in rows_of(messages, required=("text", "moment"))
        if not row.get("also")
    ]
    key = hashlib.sha256(repr((VERSION, embedder.name, labelled)).encode()).hexdigest()[:16]
    path = cache / f"asides-{key}.npz"
    arrays = recall(path)
    head = Head.of(arrays) if arrays else learn(embedder, labelled)
    if arrays is None:
        keep(path, head.arrays())
    return Asides(head, frozenset(run for text, _ in labelled for run in _runs(text)))


def learn(embedder: Embedder, labelled: Sequence[tuple[str, str]]) -> Head:
    """Learn from texts with their kind; nothing for a question."""
    vectors = np.stack([embedder.query(text) for text, _ in labelled])
    return Head.learn([text for text, _ in labelled], vectors, [kind for _, kind in labelled], balanced=True)


def _runs(text: str) -> Iterable[str]:
    for word in words(text[:2_000]):
        if not word.isdigit():
            marked = f"<{word}>"
            yield from (marked[i : i + _RUN] for i in range(len(marked) - _RUN + 1))
