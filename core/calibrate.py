"""Fitting how sure we must be to a deployment, from some forty of its own questions that a coach judged.

The chance that an answer is right shifts from one knowledge base to the next; its order hardly does. So what share of
our mistakes is refused is set by order alone: of all mistakes to come, the share that lies below the k-th of n judged
ones is distributed as Beta(k, n + 1 - k), whatever the knowledge base (David & Nagaraja, Order Statistics, 2003).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.confidence import Confidence
from core.embed import Embedder
from core.errors import BijdehandError
from core.index import Index
from core.intervals import Share
from core.model import Answer
from core.search import look_up
from core.verdicts import Calibration, Verdict

ENOUGH = 40  # questions that coaches judge
LEAST = 30
_LEAST_OF_EACH = 5
_SURE = 0.9  # of the intervals
_AS_RIGHT = 0.65  # the chance that an answer is right from which it is given
_SHIFT, _SLOPE = 1.5, 0.5  # how far, on the logit scale, a deployment may be from what was fitted: standard deviations


@dataclass(frozen=True, slots=True)
class Judged:
    """How sure we were that the first article is right, and whether it was."""

    chance: float
    right: bool


def calibrate(judged: Sequence[Judged], *, refuse: float) -> Calibration:
    """Set the bands so that about a share `refuse` of what we get wrong is refused."""
    wrong = sorted(one.chance for one in judged if not one.right)
    right = sorted(one.chance for one in judged if one.right)
    _insist(wrong, right)
    place = min(max(round(refuse * (len(wrong) + 1)), 1), len(wrong))
    possible_from = math.nextafter(wrong[place - 1], 1)
    answer_from = max(_answer_from(judged), possible_from)
    given = [one.right for one in judged if one.chance >= answer_from]
    return Calibration(
        possible_from=possible_from,
        answer_from=answer_from,
        judged=len(judged),
        refused=_beta(place, len(wrong) + 1 - place),
        lost=_jeffreys(sum(chance < possible_from for chance in right), len(right)),
        right=_jeffreys(sum(given), len(given)),
    )


def judged_now(
    answers: Sequence[tuple[Answer, Verdict]], index: Index, embedder: Embedder, confidence: Confidence
) -> list[Judged]:
    """What coaches said of answers, with the chances of today: the model, the articles or the words may be others.

    A question that now finds another article first than was judged is left out, unless no article is right; so is one
    that the article is known by since: it would be found too surely.
    """
    found = []
    for answer, verdict in answers:
        hits = look_up(index, answer.question, embedder, language=answer.language)
        first = hits.hits[0].article if hits.hits else None
        same = first is not None and first.group == _group(index, judged_article(answer))
        if first and answer.question.casefold() in {text.casefold() for text in first.aliases}:
            continue
        if same or verdict is Verdict.NOTHING:
            found.append(Judged(confidence.of(hits), verdict is Verdict.RIGHT))
    return found


def judged_article(answer: Answer) -> str:
    """The id of the article that is judged: the one shown, or the nearest of a refusal."""
    if answer.card:
        return answer.card.article_id
    return answer.alternatives[0].article_id if answer.alternatives else ""


@dataclass(frozen=True, slots=True)
class Trial:
    """How calibrations from small samples did on the rest: the promised share of refusals against what came of it.

    `covered`: how often it lay in the stated interval of 90 %.
    """

    draws: int
    labelled: int
    error: float  # the mean of the absolute differences
    covered: float


def trial(judged: Sequence[Judged], *, refuse: float, labelled: int = ENOUGH, draws: int = 200, seed: int = 0) -> Trial:
    """Calibrate on random samples and see what becomes of the promise on all other questions."""
    rng = np.random.default_rng(seed)
    errors: list[float] = []
    inside: list[bool] = []
    while len(errors) < draws:
        order = rng.permutation(len(judged))
        sample, rest = ([judged[i] for i in part] for part in (order[:labelled], order[labelled:]))
        try:
            found = calibrate(sample, refuse=refuse)
        except BijdehandError:
            continue  # too few of a kind: a coach goes on judging then
        came = float(np.mean([one.chance < found.possible_from for one in rest if not one.right]))
        errors.append(abs(came - found.refused.value))
        inside.append(found.refused.low <= came <= found.refused.high)
    return Trial(draws, labelled, float(np.mean(errors)), float(np.mean(inside)))


def _insist(wrong: Sequence[float], right: Sequence[float]) -> None:
    if (missing := LEAST - len(wrong) - len(right)) > 0:
        raise BijdehandError(f"Too few questions were judged: let coaches judge {missing} more.")
    for few, name in ((wrong, "wrong or not in here"), (right, "right")):
        if len(few) < _LEAST_OF_EACH:
            raise BijdehandError(f"Only {len(few)} of the answers were {name}: let coaches judge more, mixed ones.")


def _answer_from(judged: Sequence[Judged]) -> float:
    """The chance that is worth _AS_RIGHT here, by Platt's scaling held near to none."""
    from scipy.optimize import minimize
    from scipy.special import expit, logit

    said = logit(np.clip([one.chance for one in judged], 1e-6, 1 - 1e-6))
    was = np.array([one.right for one in judged], dtype=float)

    def loss(parts: "np.typing.NDArray[np.float64]") -> float:
        shift, slope = parts
        chance = np.clip(expit(shift + slope * said), 1e-9, 1 - 1e-9)
        fit = -np.sum(was * np.log(chance) + (1 - was) * np.log(1 - chance))
        return float(fit + (shift / _SHIFT) ** 2 / 2 + ((slope - 1) / _SLOPE) ** 2 / 2)

    shift, slope = minimize(loss, np.array([0.0, 1.0]), method="Nelder-Mead").x
    return float(expit((logit(_AS_RIGHT) - shift) / max(slope, 0.1)))


def _beta(one: float, other: float) -> Share:
    from scipy.stats import beta

    tail = (1 - _SURE) / 2
    return Share(one / (one + other), *(float(beta.ppf(part, one, other)) for part in (tail, 1 - tail)))


def _jeffreys(count: int, of: int) -> Share:
    """A share with the interval that Jeffreys' prior gives."""
    found = _beta(count + 0.5, of - count + 0.5)
    return Share(count / of if of else 0.0, found.low, found.high)


def _group(index: Index, article_id: str) -> str:
    article = index.article(article_id)
    return article.group if article else ""
