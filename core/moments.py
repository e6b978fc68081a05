"""Which of the five moments of need a question comes from, or that nothing is needed at all."""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.embed import Embedder, Vector
from core.errors import BijdehandError
from core.features import BUCKETS, Places, as_matrix, hashed, rarities, spelt, weighed
from core.labelled import language_in
from core.learnt import Arrays, keep, recall
from core.lexical import words
from knowledge.article import Language
from knowledge.moment import Moment

# Below this the guess is right in two of five; the desk then takes apply, which costs least when it is wrong.
SURE = 0.5

_log = logging.getLogger(__name__)

_NONE = "none"  # what a message is labelled that needs no knowledge: thanks, small talk
_LABELS = (*(moment.value for moment in Moment), _NONE)
_NO_SECTOR = ("", "any")

_STRENGTH = 3.0  # sklearn's C
_SHARPNESS = 2.0  # on the logits: so weak a C is most often right and too modest about it
_PHRASES = 1.5  # what they weigh beside the vector and the grams
_MARKS = "?!"
_LOOKED_AT = 2_000  # characters; more is a document
_VERSION = 2  # of the features
Odds = Mapping[Moment, float]  # on the logit scale
NO_ODDS: Odds = {}


@dataclass(frozen=True, slots=True)
class Message:
    """Something an agent typed and the moment that people say it came from; None is no knowledge need.

    `also` are the moments that would be as right: a message that has any says too little to learn from.
    """

    text: str
    moment: Moment | None
    sector: str = ""
    language: Language = "nl"
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


@dataclass(frozen=True, slots=True)
class MomentHead:
    """Multinomial logistic regression on what a question means and on how it is put; numpy is all it needs."""

    labels: tuple[str, ...]
    mean: Vector  # of the vectors, and how far they spread: what is left then tells them apart
    spread: float
    gram_rarity: Vector
    phrase_rarity: Vector
    weights: Vector  # (labels, dimensions + a bucket each for grams and for phrases)
    bias: Vector

    def predict(self, text: str, vector: Vector, odds: Odds = NO_ODDS) -> tuple[Moment | None, float]:
        """The likeliest moment and its probability; compare that with `SURE`. `odds` add to what the text says."""
        best, chance = next(iter(self.chances(text, vector, odds).items()))
        return _moment(best), chance

    def logits(self, text: str, vector: Vector) -> Vector:
        """How much speaks for each of `labels`, as the logarithm of its odds but for what all have in common."""
        size = len(self.mean)
        found = self.weights[:, :size] @ ((vector - self.mean) / self.spread) + self.bias
        for offset, columns, values in self._terms(text):
            found = found + self.weights[:, size + offset + columns] @ values
        return np.asarray(found, np.float32)

    def chances(self, text: str, vector: Vector, odds: Odds = NO_ODDS) -> dict[str, float]:
        """The probability of each label, the likeliest first."""
        added = [odds.get(Moment(label), 0.0) if label != _NONE else 0.0 for label in self.labels]
        logits = self.logits(text, vector) + np.array(added, np.float32)
        shares = np.exp(logits - logits.max())
        found = zip(self.labels, (shares / shares.sum()).tolist(), strict=True)
        return dict(sorted(found, key=lambda one: -one[1]))

    def telling(self, text: str, vector: Vector, most: int = 6) -> dict[str, float]:
        """What speaks for the likeliest label rather than the next, in logits, the strongest first."""
        first, second = (self.labels.index(label) for label in list(self.chances(text, vector))[:2])
        weights, size = self.weights[first] - self.weights[second], len(self.mean)
        buckets, values = weighed(_grams(text), self.gram_rarity)
        found = {
            "(what it means)": float(weights[:size] @ ((vector - self.mean) / self.spread)),
            "(how it is spelt)": float(weights[size + buckets] @ values),
            "(before anything is read)": float(self.bias[first] - self.bias[second]),
        }
        counted = _phrases(text)
        buckets, values = weighed(counted, self.phrase_rarity)
        worth = dict(
            zip(buckets.tolist(), (_PHRASES * weights[size + BUCKETS + buckets] * values).tolist(), strict=True)
        )
        found |= {phrase: worth[bucket] for phrase in _said(text) for bucket in hashed([phrase])}
        return dict(sorted(found.items(), key=lambda one: -abs(one[1]))[:most])

    def _terms(self, text: str) -> Iterator[tuple[int, Places, Vector]]:
        yield 0, *weighed(_grams(text), self.gram_rarity)
        buckets, values = weighed(_phrases(text), self.phrase_rarity)
        yield BUCKETS, buckets, np.float32(_PHRASES) * values

    def arrays(self) -> dict[str, npt.ArrayLike]:
        """What `of` makes it from again."""
        return asdict(self) | {"labels": np.array(self.labels)}

    @classmethod
    def of(cls, arrays: Arrays) -> "MomentHead":
        """The head that gave these arrays."""
        labels, spread = tuple(map(str, arrays["labels"])), float(arrays["spread"])
        rarities = arrays["gram_rarity"], arrays["phrase_rarity"]
        return cls(labels, arrays["mean"], spread, *rarities, arrays["weights"], arrays["bias"])


def read_messages(path: Path) -> list[Message]:
    """`{text, moment, sector, also}` lines; `moment` is one of the five or none, the last two may be left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BijdehandError(f"{path} cannot be read: {error}.") from error
    return [_message(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def open_head(embedder: Embedder, examples: Path, cache: Path, own: Path | None = None) -> MomentHead:
    """The head for this embedder and these examples: trained once, then kept; a damaged one is trained anew.

    `own` is where a deployment's own head is, which counts while it was trained on top of these examples.
    """
    messages = read_messages(examples)
    key = _key(embedder, messages)
    arrays = recall(own) if own else None
    if arrays is not None and str(arrays.get("key", "")) == key:
        return MomentHead.of(arrays)
    if arrays is not None:
        _log.warning("%s belongs to another model or version: run `bijdehand moments train` again", own)
    path = cache / f"moments-{key}.npz"
    arrays = recall(path)
    if arrays is None:
        head = train(embedder, messages)
        keep(path, head.arrays())
        return head
    return MomentHead.of(arrays)


def keep_own(head: MomentHead, own: Path, embedder: Embedder, examples: Path) -> None:
    """Keep a deployment's own head, trained on top of these examples."""
    keep(own, head.arrays() | {"key": np.array(_key(embedder, read_messages(examples)))})


def _key(embedder: Embedder, messages: Sequence[Message]) -> str:
    learned_from = repr((_VERSION, embedder.name, _STRENGTH, _SHARPNESS, _PHRASES, messages))
    return hashlib.sha256(learned_from.encode()).hexdigest()[:16]


def train(embedder: Embedder, messages: Sequence[Message]) -> MomentHead:
    """Learn from labelled messages, but for those that may have come from several moments.

    The constants were chosen on seeds/moments.jsonl with the default model, by five-fold cross-validation that keeps a
    sector in one fold, three times over. Macro-F1: .851 with the vector alone, .897 with grams and phrases, .900 with
    phrases at 1.5; C from 2 to 5 matters less than .001. The sharpness gives the least log loss (.30, from .48 at 1).
    """
    clear, _ = _parted(messages)
    return _fit(clear, _vectors(embedder, clear))


def score(head: MomentHead, embedder: Embedder, messages: Sequence[Message]) -> MomentReport:
    """How a trained head does on messages that it was not trained on."""
    clear, ambiguous = _parted(messages)
    guesses = _guesses(head, clear, _vectors(embedder, clear))
    report = _report([named(message.moment) for message in clear], guesses)
    return _with_ambiguous(report, head, embedder, ambiguous)


def cross_validate(embedder: Embedder, messages: Sequence[Message], *, folds: int = 5) -> MomentReport:
    """How a head does on sectors that it has not seen; messages without a sector are dealt out one by one."""
    clear, ambiguous = _parted(messages)
    report = _report([named(message.moment) for message in clear], cross_guesses(embedder, clear, folds=folds))
    return _with_ambiguous(report, _fit(clear, _vectors(embedder, clear)), embedder, ambiguous)


def cross_guesses(
    embedder: Embedder, clear: Sequence[Message], *, folds: int = 5, beside: Sequence[Message] = ()
) -> list[str]:
    """The label that each of these gets from a head that has not seen its sector; `beside` are seen by all."""
    from sklearn.model_selection import StratifiedGroupKFold

    labels = np.array([named(message.moment) for message in clear])
    groups = [f"#{n}" if m.sector in _NO_SECTOR else m.sector for n, m in enumerate(clear)]
    rarest = min(Counter(labels.tolist()).values(), default=0)
    if min(rarest, len(set(groups))) < folds:
        raise BijdehandError(f"To cross-validate, give every moment {folds} messages or more, from {folds} sectors.")
    vectors = _vectors(embedder, clear)
    more = _vectors(embedder, beside) if beside else vectors[:0]
    guessed = np.empty_like(labels)
    for seen, unseen in StratifiedGroupKFold(folds, shuffle=True, random_state=0).split(vectors, labels, groups):
        head = _fit([*(clear[i] for i in seen), *beside], np.concatenate([vectors[seen], more]))
        guessed[unseen] = _guesses(head, [clear[i] for i in unseen], vectors[unseen])
    return [str(guess) for guess in guessed]


def _parted(messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """Those with one moment, and those with several."""
    return [one for one in messages if not one.also], [one for one in messages if one.also]


def _with_ambiguous(
    report: MomentReport, head: MomentHead, embedder: Embedder, ambiguous: Sequence[Message]
) -> MomentReport:
    if not ambiguous:
        return report
    guesses = _guesses(head, ambiguous, _vectors(embedder, ambiguous))
    fine = [_moment(guess) in {one.moment, *one.also} for guess, one in zip(guesses, ambiguous, strict=True)]
    return replace(report, ambiguous=len(fine), accepted=sum(fine) / len(fine))


def _guesses(head: MomentHead, messages: Sequence[Message], vectors: Vector) -> list[str]:
    return [named(head.predict(one.text, vector)[0]) for one, vector in zip(messages, vectors, strict=True)]


def _message(path: Path, number: int, line: str) -> Message:
    try:
        row: dict[str, Any] = json.loads(line)
        also = tuple(_moment(label) for label in row.get("also", ()))
        return Message(str(row["text"]), _moment(row["moment"]), str(row.get("sector", "")), language_in(row), also)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        labels = ", ".join(_LABELS)
        raise BijdehandError(f'{path}, line {number}: write {{"text": …, "moment": one of {labels}}}.') from error


def _moment(label: str) -> Moment | None:
    return None if label == _NONE else Moment(label)


def named(moment: Moment | None) -> str:
    """What a moment, or none, is called in files."""
    return moment.value if moment else _NONE


def _vectors(embedder: Embedder, messages: Sequence[Message]) -> Vector:
    if not messages:
        raise BijdehandError("There are no messages to learn a moment from or to test it on.")
    return np.stack([embedder.query(message.text) for message in messages])


def _fit(messages: Sequence[Message], vectors: Vector) -> MomentHead:
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    labels = [named(message.moment) for message in messages]
    if len(set(labels)) <= 2:  # noqa: PLR2004 - scikit-learn then fits one row of weights, and these are no moments
        raise BijdehandError("The messages must come from three moments or more.")
    mean = vectors.mean(axis=0)
    spread = float((vectors - mean).std() * np.sqrt(vectors.shape[1])) or 1.0
    said, put = [_grams(one.text) for one in messages], [_phrases(one.text) for one in messages]
    of_grams, of_phrases = rarities(said), rarities(put)
    matrix: Any = sparse.hstack(
        [
            sparse.csr_matrix((vectors - mean) / spread),
            as_matrix([weighed(one, of_grams) for one in said]),
            _PHRASES * as_matrix([weighed(one, of_phrases) for one in put]),
        ]
    ).tocsr()
    model = LogisticRegression(C=_STRENGTH, max_iter=2_000).fit(matrix, labels)
    weights, bias = _SHARPNESS * model.coef_, _SHARPNESS * model.intercept_
    return MomentHead(
        tuple(map(str, model.classes_)),
        mean,
        spread,
        of_grams,
        of_phrases,
        weights.astype(np.float32),
        bias.astype(np.float32),
    )


def _grams(text: str) -> Counter[int]:
    return spelt(text[:_LOOKED_AT])


def _phrases(text: str) -> Counter[int]:
    return hashed(_said(text))


def _said(text: str) -> list[str]:
    """Words and pairs of words, stop words and all: "hoe", "niet" and "eerste keer" tell most."""
    said = [*words(text[:_LOOKED_AT]), *(mark for mark in _MARKS if mark in text)]
    return [*said, *(f"{one} {next_one}" for one, next_one in pairwise(said))]


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
