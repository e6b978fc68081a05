"""What coaches say of answers, and the bands that a deployment gets from that."""

from dataclasses import dataclass
from enum import StrEnum

from core.intervals import Share


class Verdict(StrEnum):
    """What a coach says of an answer."""

    RIGHT = "right"
    WRONG = "wrong"
    NOTHING = "nothing"  # no article answers it


@dataclass(frozen=True, slots=True)
class Calibration:
    """From which chance there are possible answers and from which an answer, and what comes of that.

    `refused` is the share of wrong first articles that will be refused; `lost` that of right ones, which are then one
    tap away; `right` the share of answers that are right. Intervals are of 90 %.
    """

    possible_from: float
    answer_from: float
    judged: int
    refused: Share
    lost: Share
    right: Share
