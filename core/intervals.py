"""Shares and means with their interval, drawn over articles: the questions about one are alike."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_RESAMPLES = 2000
_SURE = 0.95
_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Share:
    """A share, or a mean, with its interval."""

    value: float
    low: float
    high: float


def share(flags: Sequence[bool], sources: Sequence[str]) -> Share:
    """A bootstrap over sources, since the questions about one article are alike; 95 %.

    Where all or none is so there is nothing to draw from, and Wilson's interval says what that is worth.
    """
    from scipy.stats import binomtest

    value = sum(flags) / len(flags)
    if value in {0, 1} or len(set(sources)) == 1:
        interval = binomtest(sum(flags), len(flags)).proportion_ci(_SURE, method="wilson")
        return Share(value, float(interval.low), float(interval.high))
    return mean([float(flag) for flag in flags], sources)


def mean(values: Sequence[float], sources: Sequence[str]) -> Share:
    """The mean, and a bootstrap over sources; 95 %."""
    value = float(np.mean(values))
    if len(set(sources)) == 1 or len(set(values)) == 1:
        return Share(value, value, value)
    place = {source: i for i, source in enumerate(dict.fromkeys(sources))}
    owners = [place[source] for source in sources]
    counts, sums = np.bincount(owners), np.bincount(owners, weights=np.asarray(values, dtype=float))
    low, high = _bootstrap((sums, counts), lambda sums, counts, axis=-1: sums.sum(axis) / counts.sum(axis))
    return Share(value, low, high)


def _bootstrap(samples: Any, statistic: Any) -> tuple[float, float]:  # noqa: ANN401 - scipy ships no types
    from scipy.stats import bootstrap

    found = bootstrap(
        samples,
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=_RESAMPLES,
        confidence_level=_SURE,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def drawn(
    statistic: Callable[..., float], sources: Sequence[str], *columns: npt.NDArray[Any], draws: int = _DRAWS
) -> Share | None:
    """Any statistic of columns of equal length, and a bootstrap over sources; None where there is nothing to count."""
    value = statistic(*columns) if sources else math.nan
    if math.isnan(value):
        return None
    place = {source: i for i, source in enumerate(dict.fromkeys(sources))}
    owners = np.array([place[source] for source in sources])
    order = np.argsort(owners, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(owners))[:-1])
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        rows = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        found.append(statistic(*(column[rows] for column in columns)))
    low, high = np.nanpercentile(found, [50 * (1 - _SURE), 50 * (1 + _SURE)])
    return Share(value, float(low), float(high))
