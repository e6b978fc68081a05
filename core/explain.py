"""Why an answer is what it is: every signal of search, refusal, danger and moment."""

from dataclasses import dataclass

from core.confidence import Band
from core.model import Answer
from core.search import Found


@dataclass(frozen=True, slots=True)
class Explanation:
    """`parts` make `chance`, on the logit scale; `danger`, by title, `asides` and `telling` are on it too."""

    answer: Answer
    read_as: str  # what was looked up, when the glossary knows a word of it
    found: Found
    parts: dict[str, float]
    chance: float
    band: Band
    possible_from: float
    answer_from: float
    danger: dict[str, float]
    danger_from: float
    asides: dict[str, float]
    moments: dict[str, float]
    odds: dict[str, float]  # that what came before adds to moments
    telling: dict[str, float]
