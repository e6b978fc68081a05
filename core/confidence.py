"""How sure we are, in words: answer, possible answers, probably not in here."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from core.search import Found
from core.verdicts import Calibration


class Band(StrEnum):
    """What a confidence allows us to say."""

    ANSWER = "answer"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"


@dataclass(frozen=True, slots=True)
class Confidence:
    """The chance that the first article is right, from its score, its margin to the second and its lead over more.

    Fitted on labelled questions for one model and one search formula; it says nothing about any other, so an
    uncalibrated model's answers are never more than possible.
    """

    score: float
    margin: float
    intercept: float
    lead: float = 0.0
    calibrated: bool = True
    answer_from: float = 0.65
    possible_from: float = 0.2

    def of(self, found: Found) -> float:
        """A share between 0 and 1; for comparing and cutting, never for showing."""
        return 1 / (1 + math.exp(-sum(self.parts(found).values()))) if found.hits else 0.0

    def parts(self, found: Found) -> dict[str, float]:
        """What the chance is made of, on the logit scale."""
        return {
            "score": self.score * found.score,
            "margin": self.margin * found.margin,
            "lead": self.lead * found.lead,
            "to begin with": self.intercept,
        }

    def band(self, chance: float) -> Band:
        """What may be said at this chance."""
        if not self.calibrated:
            return Band.POSSIBLE if chance > 0 else Band.UNLIKELY
        if chance >= self.answer_from:
            return Band.ANSWER
        return Band.POSSIBLE if chance >= self.possible_from else Band.UNLIKELY

    def fitted_to(self, calibration: Calibration | None) -> "Confidence":
        """The same with the bands that a deployment's own questions gave, if any."""
        if calibration is None:
            return self
        bands = {"possible_from": calibration.possible_from, "answer_from": calibration.answer_from}
        return replace(self, calibrated=True, **bands)


_E5 = Confidence(score=0.544, margin=2.563, lead=1.645, intercept=-7.658)
_FITTED = {"intfloat/multilingual-e5-small": _E5}


def confidence_for(embedder_name: str) -> Confidence:
    """The fit for this model, or one that never claims to be sure."""
    model = embedder_name.partition("@")[0]
    fitted = _FITTED.get(model)
    return fitted or Confidence(score=1.0, margin=5.0, intercept=-10.0, calibrated=False)
