"""What people are shown besides answers: panels, forms and sentences. One description, drawn by every surface."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.errors import NotFoundError
from core.model import Answer, Person
from core.store import Identity
from knowledge.article import Language

MAX_ABOUT = 120  # characters of what a button is about: both platforms give it back whole
MAX_FIELD = 3000  # characters in a field: Slack takes no more


class Tone(StrEnum):
    """How a line is said."""

    HEADING = "heading"
    NORMAL = "normal"
    SMALL = "small"


@dataclass(frozen=True, slots=True)
class Button:
    """Asks the coach's desk to do something; `opens` when a form comes of it, which Teams must know beforehand."""

    label: str
    do: str
    about: str = ""
    opens: bool = False
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Some Markdown: paragraphs, lists, bold."""

    text: str
    tone: Tone = Tone.NORMAL


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a list: what it is, what there is to say of it, and what can be done with it. Plain text."""

    title: str
    detail: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Buttons side by side."""

    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it is shown to whoever asks; `live` with everything that can be tapped below it."""

    answer: Answer
    live: bool = False


Item = Line | Entry | Row | Given


@dataclass(frozen=True, slots=True)
class Panel:
    """Something to look at, with things to tap."""

    title: str
    language: Language
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and nothing else changes."""

    sentence: str
    language: Language


class FieldKind(StrEnum):
    """What can be filled in."""

    LINE = "line"
    TEXT = "text"  # several lines
    ONE = "one"  # of the options
    SEVERAL = "several"  # of the options; their values joined by commas
    DAY = "day"  # 2026-10-05
    TIME = "time"  # 16:00


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose; values hold no comma."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field, with what stands in it and what is wrong with that."""

    name: str
    label: str
    kind: FieldKind = FieldKind.LINE
    value: str = ""
    hint: str = ""
    error: str = ""
    required: bool = False
    options: tuple[Option, ...] = ()
    most: int = MAX_FIELD


@dataclass(frozen=True, slots=True)
class Form:
    """Something to fill in. `do` and `about` go back with what was filled in.

    `others` are buttons that take along what is filled in so far.
    """

    title: str
    do: str
    about: str
    submit: str
    language: Language
    fields: tuple[Field, ...]
    intro: tuple[Line | Entry, ...] = ()
    others: tuple[Button, ...] = ()

    @property
    def errors(self) -> dict[str, str]:
        """What is wrong, by field."""
        return {field.name: field.error for field in self.fields if field.error}


Screen = Panel | Form | Told


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody tapped, typed or filled in. `name` is what their platform calls them: it signs what they write."""

    do: str
    about: str
    person: Person
    surface: str
    team: str = ""
    language: Language = "nl"
    name: str = ""
    filled: Mapping[str, str] | None = None


Work = Callable[[Asked], Screen]

_DIGITS = 15  # more of them is no number that any database gave out


def number_of(about: str) -> int:
    """The number that a button is about; `NotFoundError` for what we never sent."""
    if not (about.isascii() and about.isdecimal() and len(about) <= _DIGITS):
        raise NotFoundError(f"{about[:40]!r} is no number of ours.")
    return int(about)


@dataclass(frozen=True, slots=True)
class Notification:
    """A panel on its way to somebody who did not ask for it just now."""

    id: int
    to: Identity
    panel: Panel
    address: Mapping[str, Any] | None = None  # how to write to them, where a platform needs that
    attempts: int = 0
