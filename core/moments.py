"""Which of the five moments of need a question comes from, or that nothing is needed at all."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.embed import Embedder, Vector
from core.errors import BijdehandError
from core.learnt import Arrays, keep, recall
from knowledge.moment import Moment

# Below this the guess is right in two of five; the desk then takes apply, which costs least when it is wrong.
SURE = 0.5

_NONE = "none"  # what a message is labelled that needs no knowledge: thanks, small talk
_LABELS = (*(moment.value for moment in Moment), _NONE)
_NO_SECTOR = ("", "any")

_STRENGTH = 10.0  # sklearn's C
_SHARPNESS = 2.0  # on the logits: so weak a C is most often right and too modest about it


@dataclass(frozen=True, slots=True)
class Message:
    """Something an agent typed and the moment that people say it came from; None is no knowledge need.

    `also` are the moments that would be as right: a message that has any says too little to learn from.
    """

    text: str
    moment: Moment | None
    sector: str = ""
    also: tuple[Moment | None, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one moment is told from the others."""

    precision: float
    recall: float
    f1: float
    messages: int


@dataclass(frozen=True, slots=True)
class MomentReport:
    """How often the moment was right. `confusion[i][j]`: messages of label i that were taken for label j.

    Of `ambiguous` messages, which are in no other figure, a share of `accepted` got a moment that will do.
    """

    accuracy: float
    macro_f1: float
    labels: tuple[str, ...]
    classes: dict[str, ClassScore]
    confusion: tuple[tuple[int, ...], ...]
    messages: int
    ambiguous: int = 0
    accepted: float | None = None


class MomentHead:
    """Multinomial logistic regression on a question's vector; numpy is all it needs to predict."""

    def __init__(self, labels: Sequence[str], weights: Vector, bias: Vector) -> None:
        self._moments = tuple(None if label == _NONE else Moment(label) for label in labels)
        self._labels = tuple(labels)
        self._weights = weights
        self._bias = bias

    def predict(self, vector: Vector) -> tuple[Moment | None, float]:
        """The likeliest moment and its probability; compare that with `SURE`."""
        logits = self._weights @ vector + self._bias
        chances = np.exp(logits - logits.max())
        best = int(chances.argmax())
        return self._moments[best], float(chances[best] / chances.sum())

    def arrays(self) -> dict[str, npt.ArrayLike]:
        """What `of` makes it from again."""
        return {"labels": np.array(self._labels), "weights": self._weights, "bias": self._bias}

    @classmethod
    def of(cls, arrays: Arrays) -> "MomentHead":
        """The head that gave these arrays."""
        return cls([str(label) for label in arrays["labels"]], arrays["weights"], arrays["bias"])


def read_messages(path: Path) -> list[Message]:
    """`{text, moment, sector, also}` lines; `moment` is one of the five or none, the last two may be left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BijdehandError(f"{path} cannot be read: {error}.") from error
    return [_message(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def open_head(embedder: Embedder, examples: Path, cache: Path) -> MomentHead:
    """The head for this embedder and these examples: trained once, then kept; a damaged one is trained anew."""
    messages = read_messages(examples)
    learned_from = repr((embedder.name, _STRENGTH, _SHARPNESS, messages))
    path = cache / f"moments-{hashlib.sha256(learned_from.encode()).hexdigest()[:16]}.npz"
    arrays = recall(path)
    if arrays is None:
        head = train(embedder, messages)
        keep(path, head.arrays())
        return head
    return MomentHead.of(arrays)


def train(embedder: Embedder, messages: Sequence[Message]) -> MomentHead:
    """Learn from labelled messages, but for those that may have come from several moments.

    The constants were chosen on seeds/moments.jsonl with the default model, by five-fold cross-validation that keeps a
    sector in one fold, five times over: C from 1 to 50 (accuracy .856 at 10, .832 at 1, .851 at 50), then the sharpness
    that gives the least log loss (.41 at 2).
    """
    clear, _ = _parted(messages)
    return _fit(_vectors(embedder, clear), [_named(message.moment) for message in clear])


def score(head: MomentHead, embedder: Embedder, messages: Sequence[Message]) -> MomentReport:
    """How a trained head does on messages that it was not trained on."""
    clear, ambiguous = _parted(messages)
    guesses = [_named(head.predict(vector)[0]) for vector in _vectors(embedder, clear)]
    report = _report([_named(message.moment) for message in clear], guesses)
    return _with_ambiguous(report, head, embedder, ambiguous)


def cross_validate(embedder: Embedder, messages: Sequence[Message], *, folds: int = 5) -> MomentReport:
    """How a head does on sectors that it has not seen; messages without a sector are dealt out one by one."""
    from sklearn.model_selection import StratifiedGroupKFold

    clear, ambiguous = _parted(messages)
    labels = np.array([_named(message.moment) for message in clear])
    groups = [f"#{n}" if m.sector in _NO_SECTOR else m.sector for n, m in enumerate(clear)]
    rarest = min(Counter(labels.tolist()).values(), default=0)
    if min(rarest, len(set(groups))) < folds:
        raise BijdehandError(f"To cross-validate, give every moment {folds} messages or more, from {folds} sectors.")
    vectors = _vectors(embedder, clear)
    guessed = np.empty_like(labels)
    for seen, unseen in StratifiedGroupKFold(folds, shuffle=True, random_state=0).split(vectors, labels, groups):
        head = _fit(vectors[seen], labels[seen].tolist())
        guessed[unseen] = [_named(head.predict(vector)[0]) for vector in vectors[unseen]]
    report = _report(labels.tolist(), guessed.tolist())
    return _with_ambiguous(report, _fit(vectors, labels.tolist()), embedder, ambiguous)


def _parted(messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """Those with one moment, and those with several."""
    return [one for one in messages if not one.also], [one for one in messages if one.also]


def _with_ambiguous(
    report: MomentReport, head: MomentHead, embedder: Embedder, ambiguous: Sequence[Message]
) -> MomentReport:
    if not ambiguous:
        return report
    guesses = [head.predict(vector)[0] for vector in _vectors(embedder, ambiguous)]
    fine = [guess in {one.moment, *one.also} for guess, one in zip(guesses, ambiguous, strict=True)]
    return replace(report, ambiguous=len(fine), accepted=sum(fine) / len(fine))


def _message(path: Path, number: int, line: str) -> Message:
    try:
        row: dict[str, Any] = json.loads(line)
        also = tuple(_moment(label) for label in row.get("also", ()))
        return Message(str(row["text"]), _moment(row["moment"]), str(row.get("sector", "")), also)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        labels = ", ".join(_LABELS)
        raise BijdehandError(f'{path}, line {number}: write {{"text": …, "moment": one of {labels}}}.') from error


def _moment(label: str) -> Moment | None:
    return None if label == _NONE else Moment(label)


def _named(moment: Moment | None) -> str:
    return moment.value if moment else _NONE


def _vectors(embedder: Embedder, messages: Sequence[Message]) -> Vector:
    if not messages:
        raise BijdehandError("There are no messages to learn a moment from or to test it on.")
    return np.stack([embedder.query(message.text) for message in messages])


def _fit(vectors: Vector, labels: Sequence[str]) -> MomentHead:
    from sklearn.linear_model import LogisticRegression

    if len(set(labels)) <= 2:  # noqa: PLR2004 - scikit-learn then fits one row of weights, and these are no moments
        raise BijdehandError("The messages must come from three moments or more.")
    model = LogisticRegression(C=_STRENGTH, max_iter=2_000).fit(vectors, labels)
    weights, bias = _SHARPNESS * model.coef_, _SHARPNESS * model.intercept_
    return MomentHead(model.classes_.tolist(), weights.astype(np.float32), bias.astype(np.float32))


def _report(labels: Sequence[str], guesses: Sequence[str]) -> MomentReport:
    from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

    present = [label for label in _LABELS if label in {*labels, *guesses}]
    scores = precision_recall_fscore_support(labels, guesses, labels=present, zero_division=0.0)
    return MomentReport(
        accuracy=float(accuracy_score(labels, guesses)),
        macro_f1=float(np.mean(scores[2])),
        labels=tuple(present),
        classes={
            label: ClassScore(float(precision), float(recall), float(f1), int(count))
            for label, precision, recall, f1, count in zip(present, *scores, strict=True)
        },
        confusion=tuple(map(tuple, confusion_matrix(labels, guesses, labels=present).tolist())),
        messages=len(labels),
    )
