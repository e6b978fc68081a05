"""The words of the coach loop: open questions, what became of articles, and what people must be told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import fmean

from core.model import Answer, Request
from knowledge.article import Article


class State(StrEnum):
    """How far an open question is."""

    OPEN = "open"
    TAKEN = "taken"
    ANSWERED = "answered"
    DECLINED = "declined"


# How sure it is that we were wrong, by why a question is open; a refusal is as sure as we were unsure of it.
_WRONG = {"urgent": 1.0, "coach": 1.0, "outdated": 0.9, "process": 0.9, "mandate": 0.7, "unclear": 0.7, "topic": 0.8}


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """What one or several people asked and nobody could answer, or not well: the first who asked comes first."""

    id: int
    state: State
    requests: tuple[Request, ...]
    coach: str = ""  # person id of who took it
    coach_name: str = ""
    article_id: str = ""  # that answers it
    note: str = ""  # why it was declined

    @property
    def answer(self) -> Answer:
        """What the first of them got to see."""
        return self.requests[0].answer

    @property
    def at(self) -> datetime:
        """Since when it is open."""
        return self.requests[0].at

    @property
    def people(self) -> int:
        """How many people asked it."""
        return len({request.by for request in self.requests})

    @property
    def urgent(self) -> bool:
        """Whether somebody has a customer on the line."""
        return any(request.why == "urgent" for request in self.requests)

    @property
    def impact(self) -> float:
        """How often, times how many people, times how sure it is that we were wrong."""
        wrong = fmean(_WRONG.get(one.why, 1 - one.answer.confidence) for one in self.requests)
        return len(self.requests) * self.people * wrong


@dataclass(frozen=True, slots=True)
class Version:
    """An article as it once stood: what was done to it, when, and by whom (a person id, or nobody's)."""

    article: Article
    number: int
    what: str
    at: datetime
    by: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody filled in and has not saved. `kind` and `about` are those of the form it was filled in."""

    id: str
    by: str
    kind: str
    about: str
    filled: dict[str, str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of a critical article that a second coach must agree to; the article has the version it started from."""

    id: int
    article: Article
    what: str
    by: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that is so for some hours, on top of every answer on its topic; without one, on all."""

    id: int
    text: str
    topic: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Announcement:
    """A change that people are told of, and how far it has landed: counts only."""

    id: int
    article_id: str
    since: datetime
    loudness: str
    audience: tuple[str, ...]
    at: datetime
    told: int = 0
    read: int = 0
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Tip:
    """What works for a colleague, below an answer once a coach agreed. Without a name it is a colleague's."""

    id: int
    article_id: str
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """When a coach is there: ISO days of the week (1 is Monday) and times of the day, as people read clocks there."""

    days: tuple[int, ...]
    start: str  # 09:00
    end: str  # 17:00

    def cover(self, local: datetime) -> bool:
        """Whether that is now; `local` is the time on their clock."""
        return local.isoweekday() in self.days and self.start <= f"{local:%H:%M}" < self.end


@dataclass(frozen=True, slots=True)
class Colleague:
    """A coach, as colleagues know them."""

    id: str
    name: str
    hours: Hours | None = None
