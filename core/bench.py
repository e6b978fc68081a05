"""The evaluation bench: every labelled question and message measured, and compared with a run that was kept.

A figure is worse when its paired difference from that run, drawn over articles (over sectors for moments), lies below
nothing with its whole interval of 95 %: then more questions lost than chance would have it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.confidence import Confidence
from core.embed import Embedder
from core.errors import BijdehandError
from core.evaluate import LEGS
from core.golden import Golden
from core.index import Index
from core.intervals import Share, drawn
from core.library import Progress, no_progress
from core.model import NO_ARTICLE, Answer, Outcome
from core.moments import Message, cross_guesses, named
from core.search import search
from knowledge.article import Language

_DEPTH = 10
_TITLES = 3
_FEW = 10  # fewer say nothing

Column = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a question. `places` of the right article by leg and `place` among the titles shown; 0: not there.

    `chance` is how sure search was that its first article is right, and `right` whether it was.
    """

    id: str
    language: Language
    kind: str
    source: str  # the article it is about; of one without an answer, itself
    answerable: bool
    places: dict[str, int]
    chance: float
    right: bool
    outcome: Outcome
    place: int


@dataclass(frozen=True, slots=True)
class Told:
    """A message, the moment that people say it comes from, and the one a head said that never saw its sector."""

    text: str
    language: Language
    source: str
    label: str
    guess: str


@dataclass(frozen=True, slots=True)
class Run:
    """One measuring of everything: what is kept as a baseline."""

    model: str
    articles: int
    asked: tuple[Asked, ...]
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its interval, and how it differs from the baseline on the questions that both have."""

    part: str
    name: str
    language: str  # or "all"
    questions: int
    now: Share
    difference: Share | None
    more_is_better: bool

    @property
    def worse(self) -> bool:
        """By more than noise."""
        if self.difference is None:
            return False
        return self.difference.high < 0 if self.more_is_better else self.difference.low > 0

    @property
    def better(self) -> bool:
        """By more than noise."""
        if self.difference is None:
            return False
        return self.difference.low > 0 if self.more_is_better else self.difference.high < 0


def measure(
    questions: Sequence[Golden],
    messages: Sequence[Message],
    *,
    index: Index,
    embedder: Embedder,
    confidence: Confidence,
    ask: Callable[[Golden], Answer],
    progress: Progress = no_progress,
) -> Run:
    """Search for every question with every leg, ask the desk, and name the moment of every message."""
    asked = []
    for done, question in enumerate(questions, start=1):
        asked.append(_asked(question, index, embedder, confidence, ask(question)))
        progress(done, len(questions))
    clear = [one for one in messages if not one.also]
    guesses = cross_guesses(embedder, clear)
    told = [
        Told(one.text, one.language, one.sector or one.text, named(one.moment), guess)
        for one, guess in zip(clear, guesses, strict=True)
    ]
    return Run(embedder.name, len(index.articles), tuple(asked), tuple(told))


def figures(run: Run, before: Run | None = None) -> list[Figure]:
    """Everything there is to say of a run, language by language; what too few questions say is left out."""
    found = []
    for language in ("nl", "en", "all"):
        for one in _FIGURES:
            figure = one.of(run, before, language)
            found += [figure] if figure else []
    return found


def read_run(path: Path) -> Run:
    """A run that was kept."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Run).validate_json(path.read_bytes())
    except OSError as error:
        raise BijdehandError(f"{path} cannot be read ({error.strerror}). Make it with --save.") from error
    except ValidationError as error:
        raise BijdehandError(f"{path} is no run of this version. Make it anew with --save.") from error


def keep_run(run: Run, path: Path) -> None:
    """Keep a run to compare later ones with: a line for each question and message, so that a difference can be read."""
    import json

    def lines(rows: Sequence[Asked | Told]) -> str:
        return ",\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in rows)

    head = f'"model": {json.dumps(run.model)}, "articles": {run.articles}'
    text = f'{{{head}, "asked": [\n{lines(run.asked)}\n], "told": [\n{lines(run.told)}\n]}}\n'
    path.write_text(text, encoding="utf-8")


def _asked(question: Golden, index: Index, embedder: Embedder, confidence: Confidence, answer: Answer) -> Asked:
    wanted = index.glossary.applied(question.text, question.language)
    reading = embedder.read_query(wanted)
    found = {
        leg: search(index, wanted, reading, language=question.language, most=_DEPTH, weights=weights)
        for leg, weights in LEGS.items()
    }
    places = {leg: _place([hit.article.group for hit in one.hits], question) for leg, one in found.items()}
    shown = [answer.card.article_id] if answer.card else []
    titles = [*shown, *(other.article_id for other in answer.alternatives)]
    groups = [article.group if (article := index.article(one)) else one for one in titles]
    return Asked(
        question.id,
        question.language,
        question.kind,
        question.article or question.id,
        question.article is not None,
        places,
        round(confidence.of(found["hybrid"]), 4),
        places["hybrid"] == 1,
        answer.outcome,
        _place(groups, question),
    )


def _place(groups: Sequence[str], question: Golden) -> int:
    return groups.index(question.article) + 1 if question.article in groups else 0


# -- figures -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Measure:
    """How a figure is made: of which rows, of which numbers in them, by which statistic."""

    part: str
    name: str
    rows: Callable[[Run], Mapping[str, Asked | Told]]
    numbers: Callable[[Any], tuple[float, ...]]
    statistic: Callable[..., float]
    more_is_better: bool = True

    def of(self, run: Run, before: Run | None, language: str) -> Figure | None:
        rows = {key: row for key, row in self.rows(run).items() if language in {row.language, "all"}}
        if len(rows) < _FEW:
            return None
        now = drawn(self.statistic, [row.source for row in rows.values()], *self._columns(rows.values()))
        if now is None:
            return None
        difference = None
        if before is not None:
            theirs = self.rows(before)
            both = [key for key in rows if key in theirs]
            ours, old = (self._columns([found[key] for key in both]) for found in (rows, theirs))
            difference = drawn(self._differs(len(ours)), [rows[key].source for key in both], *ours, *old)
        return Figure(self.part, self.name, language, len(rows), now, difference, self.more_is_better)

    def _columns(self, rows: Any) -> list[Column]:  # noqa: ANN401 - any collection of rows
        return [np.array(column) for column in zip(*map(self.numbers, rows), strict=True)]

    def _differs(self, width: int) -> Callable[..., float]:
        return lambda *columns: self.statistic(*columns[:width]) - self.statistic(*columns[width:])


def _mean(column: Column) -> float:
    return float(column.mean())


def _auroc(right: Column, chance: Column) -> float:
    """The chance that a right one is thought surer than a wrong one; by ranks, ties count half."""
    from scipy.stats import rankdata

    positives = int(right.sum())
    negatives = len(right) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(chance)[right.astype(bool)].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def _macro_f1(labels: Column, guesses: Column) -> float:
    size = int(max(labels.max(), guesses.max())) + 1
    confusion = np.bincount(labels * size + guesses, minlength=size * size).reshape(size, size)
    hits, total = np.diag(confusion), confusion.sum(axis=0) + confusion.sum(axis=1)
    present = total > 0
    return float(np.mean(2 * hits[present] / total[present]))


def _questions(run: Run) -> dict[str, Asked]:
    return {one.id: one for one in run.asked}


def _answerable(run: Run) -> dict[str, Asked]:
    return {one.id: one for one in run.asked if one.answerable}


def _nothing(run: Run) -> dict[str, Asked]:
    return {one.id: one for one in run.asked if not one.answerable}


def _right_or(*kinds: str) -> Callable[[Run], dict[str, Asked]]:
    """The right first articles, against what a question of these kinds, which has no answer, finds."""
    return lambda run: {one.id: one for one in run.asked if one.right or one.kind in kinds}


def _messages(run: Run) -> dict[str, Told]:
    return {one.text: one for one in run.told}


def _numbered(one: Told) -> tuple[int, int]:
    names = sorted({"new", "more", "apply", "solve", "change", "none"})
    return names.index(one.label), names.index(one.guess)


def _first(leg: str) -> Callable[[Asked], tuple[float]]:
    return lambda one: (one.places.get(leg, 0) == 1,)


def _sureness(one: Asked) -> tuple[float, float]:
    return float(one.right), one.chance


def _refused(one: Asked) -> tuple[float]:
    return (one.outcome in NO_ARTICLE,)


def _reciprocal(one: Asked) -> tuple[float]:
    return (1 / one.places["hybrid"] if one.places["hybrid"] else 0.0,)


def _answered(*, right: bool) -> Callable[[Asked], tuple[float]]:
    return lambda one: (one.outcome is Outcome.ANSWERED and (one.place == 1) == right,)


_FIGURES = (
    *(_Measure("search", f"right article first: {leg}", _answerable, _first(leg), _mean) for leg in LEGS),
    _Measure("search", "among three", _answerable, lambda one: (1 <= one.places["hybrid"] <= _TITLES,), _mean),
    _Measure("search", "reciprocal rank", _answerable, _reciprocal, _mean),
    _Measure("answers", "answered right", _answerable, _answered(right=True), _mean),
    _Measure("answers", "answered wrong", _questions, _answered(right=False), _mean, more_is_better=False),
    _Measure("answers", "refused what has no answer", _nothing, _refused, _mean),
    _Measure("refusal", "AUROC, right against wrong", _answerable, _sureness, _auroc),
    _Measure(
        "refusal",
        "AUROC, right against near misses",
        _right_or("near"),
        lambda one: (float(one.right), one.chance),
        _auroc,
    ),
    _Measure("refusal", "AUROC, right against far ones", _right_or("far", "off"), _sureness, _auroc),
    _Measure("moments", "moment right", _messages, lambda one: (one.label == one.guess,), _mean),
    _Measure("moments", "macro-F1", _messages, _numbered, _macro_f1),
)
