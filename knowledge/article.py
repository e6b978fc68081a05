"""An article: what a contact centre knows about one subject, in one language."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from knowledge.moment import Moment

Language = Literal["nl", "en"]
Loudness = Literal["loud", "quiet", "silent"]

_MARKS = re.compile(r"^\s*#+(?:\s+|$)|(?:^|\s)#+\s*$")  # "## C# ##" is titled "C#"


class Kind(StrEnum):
    """What a section is for. The order here is the skeleton: every surface keeps it."""

    IDENTIFY = "identify"  # who must the customer prove to be: none, light, full
    VERDICT = "verdict"  # the answer in one line
    CHANGES = "changes"  # what is new, what it was
    STEPS = "steps"  # what to do, numbered
    SAY = "say"  # a sentence for the customer
    TROUBLE = "trouble"  # symptom, cause, fix
    CANNOT = "cannot"  # how the customer still leaves with a good feeling
    MANDATE = "mandate"  # what each role may decide alone
    RECORD = "record"  # reason code and one line
    EXCEPTIONS = "exceptions"
    WRITE = "write"  # the written form of what to say
    WEBCARE = "webcare"  # the public form
    BACKGROUND = "background"
    EXAMPLE = "example"  # a worked case: situation, what I did and said, why
    TRAINING = "training"


class Status(StrEnum):
    """Only published articles answer questions."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Section:
    r"""A heading and what stands under it, both exactly as written.

    `heading` is the whole line with its newline (`"## Stappen\n"`), or empty for text before the first
    heading; `text` runs up to the next heading. Joined in order they are the body, byte for byte.
    """

    kind: Kind | None
    heading: str
    text: str

    @property
    def title(self) -> str:
        """The heading without its marks."""
        return _MARKS.sub("", self.heading).strip()


@dataclass(frozen=True, slots=True)
class Change:
    """How something was done, how it is done now, since when and for whom.

    `loudness` is how people are told: loud in a direct message, quiet in the day's bundle, silent only in answers.
    """

    since: datetime
    new: str
    old: str = ""
    applies_to: str = ""
    why: str = ""
    loudness: Loudness = "quiet"


@dataclass(frozen=True, slots=True)
class Article:
    """Only `id`, `title` and one section are required.

    Times are aware and in UTC. `version` counts saves and is set by the store. `front` is the front matter
    as written, delimiters included, so that an article goes back to its file byte for byte.
    """

    id: str
    title: str
    sections: tuple[Section, ...]
    language: Language = "nl"
    topic: str = ""
    status: Status = Status.PUBLISHED
    version: int = 0
    url: str = ""
    aliases: tuple[str, ...] = ()  # other ways to ask for it; each is searched for on its own
    moments: tuple[Moment, ...] = ()
    audience: tuple[str, ...] = ()  # empty: for everybody
    brand: str = ""
    owner: str = ""
    verified: date | None = None
    verify_every: int | None = None  # days
    check_by: date | None = None  # a quick answer, which nobody checked yet, is to be checked by then
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    applies_when: str = ""
    critical: bool = False
    signals: tuple[str, ...] = ()  # how people put it when the danger is there: critical articles are spotted by these
    unlike: tuple[str, ...] = ()  # what only sounds like that danger
    basis: str = ""  # the law with its source and check date, or "huisregel"
    changes: tuple[Change, ...] = ()
    training: str = ""  # link to the course
    translation_of: str = ""
    front: str = field(default="", repr=False)

    @property
    def group(self) -> str:
        """The id that an article shares with its translations."""
        return self.translation_of or self.id

    @property
    def body(self) -> str:
        """The text under the front matter, exactly as written."""
        return "".join(section.heading + section.text for section in self.sections)

    def section(self, kind: Kind) -> Section | None:
        """The first section of this kind."""
        return next((section for section in self.sections if section.kind is kind), None)

    def is_live(self, now: datetime) -> bool:
        """Published, and `now` lies within its dates."""
        return (
            self.status is Status.PUBLISHED
            and (self.effective_from is None or self.effective_from <= now)
            and (self.effective_until is None or now < self.effective_until)
        )

    def is_for(self, audience: Collection[str]) -> bool:
        """Meant for everybody, for one of these, or so urgent that it does not matter."""
        return not self.audience or self.critical or not set(self.audience).isdisjoint(audience)

    def overdue(self, today: date) -> timedelta | None:
        """How long ago it should have been checked again, or None when it need not be yet."""
        if self.verified is None and self.check_by:
            late = today - self.check_by
        elif self.verified is None or self.verify_every is None:
            return None
        else:
            late = today - self.verified - timedelta(days=self.verify_every)
        return late if late > timedelta(0) else None


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article small enough to be found by what it says (at most 60 words)."""

    article_id: str
    text: str
