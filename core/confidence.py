"""How sure we are, in words: answer, possible answers, probably not in here."""

import math
from dataclasses import dataclass
from enum import StrEnum

from core.search import Found


class Band(StrEnum):
    """What a confidence allows us to say."""

    ANSWER = "answer"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"


@dataclass(frozen=True, slots=True)
class Confidence:
    """The chance that the first article is right, from the best score and its lead over the second.

    Fitted on labelled questions for one model and one search formula; it says nothing about any other, so an
    uncalibrated model's answers are never more than possible.
    """

    score: float
    margin: float
    intercept: float
    calibrated: bool = True
    answer_from: float = 0.65
    possible_from: float = 0.2

    def of(self, found: Found) -> float:
        """A share between 0 and 1; for comparing and cutting, never for showing."""
        if not found.hits:
            return 0.0
        return 1 / (1 + math.exp(-(self.score * found.score + self.margin * found.margin + self.intercept)))

    def band(self, chance: float) -> Band:
        """What may be said at this chance."""
        if not self.calibrated:
            return Band.POSSIBLE if chance > 0 else Band.UNLIKELY
        if chance >= self.answer_from:
            return Band.ANSWER
        return Band.POSSIBLE if chance >= self.possible_from else Band.UNLIKELY


_E5 = Confidence(score=1.88, margin=5.99, intercept=-18.4)
_FITTED = {"intfloat/multilingual-e5-small": _E5}


def confidence_for(embedder_name: str) -> Confidence:
    """The fit for this model, or one that never claims to be sure."""
    model = embedder_name.partition("@")[0]
    fitted = _FITTED.get(model)
    return fitted or Confidence(score=1.0, margin=5.0, intercept=-10.0, calibrated=False)
