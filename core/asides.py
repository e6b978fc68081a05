"""What people say to a bot that no article answers: small talk, orders, mashed keys. It gets one friendly sentence."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from core.classifier import NONE, Classifier, Phrases, open_classifier
from core.confidence import Band
from core.danger import read_texts
from core.embed import Embedder, Vector
from core.labelled import rows_of
from core.moments import read_messages

# The margins from which it is one, by what search thinks: what it is sure of is never an aside, and what it finds
# possible must tell more. Of the 587 starter questions that have an answer none is taken for one.
_FROM = {Band.UNLIKELY: 1.0, Band.POSSIBLE: 3.0}

_WORD = re.compile(r"[^\W\d_]{2}")
_SYNTAX = re.compile(r"[{}()\[\]<>;=|&$\\]")
_CODE = 0.1  # of the characters


class Aside(StrEnum):
    """What it is instead of a question; what each gets to hear is in the words files."""

    CHAT = "chat"
    PRIVATE = "private"  # about a colleague
    ORDERS = "orders"  # to us, as "ignore your rules"
    CODE = "code"
    GIBBERISH = "gibberish"


class Asides:
    """Tells asides from questions. Thread-safe."""

    def __init__(self, classifier: Classifier | None) -> None:
        """Without a classifier everything is a question."""
        self._classifier = classifier

    def margins(self, text: str, vector: Vector) -> dict[str, float]:
        """By how much each kind of aside is likelier than a question, on the logit scale."""
        return self._classifier.margins(text, vector) if self._classifier else {}

    def kind(self, text: str, vector: Vector, band: Band) -> Aside | None:
        """Which aside it is, if any, when search is as sure of an answer as `band` says."""
        if band not in _FROM:
            return None
        if not _WORD.search(text):
            return Aside.GIBBERISH
        if len(_SYNTAX.findall(text)) >= _CODE * len(text):
            return Aside.CODE
        margins = self.margins(text, vector)
        likeliest = max(margins, key=lambda kind: margins[kind], default=NONE)
        return Aside(likeliest) if likeliest and margins[likeliest] >= _FROM[band] else None


def open_asides(embedder: Embedder, seeds: Path, cache: Path) -> Asides:
    """What is learnt from labelled messages: asides, and what agents ask that may look like one."""
    return Asides(open_classifier(Phrases.of(_pairs(seeds)), embedder, cache, "asides"))


def _pairs(seeds: Path) -> Iterator[tuple[str, str]]:
    for row in rows_of(seeds / "asides.jsonl", required=("text", "kind")):
        yield row["text"], NONE if row["kind"] == "none" else Aside(row["kind"])
    for message in read_messages(seeds / "moments.jsonl"):
        yield message.text, NONE if message.moment else Aside.CHAT
    yield from ((text, NONE) for text in read_texts(seeds / "critical.jsonl"))
