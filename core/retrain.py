"""Learning moments from corrections: what people tapped instead of the moment they were shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.embed import Embedder
from core.errors import BijdehandError
from core.intervals import Share, drawn
from core.moments import Message, MomentHead, cross_guesses, named, train

LEAST = 20  # corrections; fewer say more about who gave them


@dataclass(frozen=True, slots=True)
class Retrained:
    """What corrections change: accuracy on starter messages of sectors never seen, and on the corrections themselves.

    Each correction is judged by a head that has not seen it. `difference` is paired, on the starter messages.
    """

    corrections: int
    before: Share
    after: Share
    difference: Share
    own_before: float
    own_after: float
    head: MomentHead

    @property
    def worse(self) -> bool:
        """Whether this head had better not be used."""
        return self.difference.high < 0 or self.own_after < self.own_before


def retrain(embedder: Embedder, messages: Sequence[Message], corrections: Sequence[Message]) -> Retrained:
    """Train on both, and measure what that does to either."""
    if len(corrections) < LEAST:
        raise BijdehandError(f"There are {len(corrections)} corrections; from {LEAST} on they can be learnt from.")
    clear = [one for one in messages if not one.also]
    sources = [one.sector or one.text for one in clear]
    labels = [named(one.moment) for one in clear]
    right = _hits(labels, cross_guesses(embedder, clear))
    then = _hits(labels, cross_guesses(embedder, clear, beside=corrections))
    base = train(embedder, clear)
    own_before = np.mean([base.predict(one.text, embedder.query(one.text))[0] is one.moment for one in corrections])
    parts = drawn(_mean, sources, right), drawn(_mean, sources, then)
    difference = drawn(lambda one, other: _mean(other) - _mean(one), sources, right, then)
    if difference is None or parts[0] is None or parts[1] is None:
        raise BijdehandError("There are no messages to measure on.")
    return Retrained(
        corrections=len(corrections),
        before=parts[0],
        after=parts[1],
        difference=difference,
        own_before=float(own_before),
        own_after=_own_after(embedder, clear, corrections),
        head=train(embedder, [*clear, *corrections]),
    )


def _own_after(embedder: Embedder, clear: Sequence[Message], corrections: Sequence[Message], folds: int = 5) -> float:
    """Each fifth of the corrections, judged by a head that saw the others."""
    right: list[bool] = []
    for fold in range(folds):
        head = train(embedder, [*clear, *(one for n, one in enumerate(corrections) if n % folds != fold)])
        right += [head.predict(one.text, embedder.query(one.text))[0] is one.moment for one in corrections[fold::folds]]
    return float(np.mean(right))


def _hits(labels: Sequence[str], guesses: Sequence[str]) -> "np.typing.NDArray[np.bool_]":
    return np.array([label == guess for label, guess in zip(labels, guesses, strict=True)])


def _mean(column: "np.typing.NDArray[np.bool_]") -> float:
    return float(column.mean())
