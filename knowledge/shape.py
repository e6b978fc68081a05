"""An article laid out for a moment: what leads, what fits the first screen, what waits under More.

The skeleton is the order of `Kind` and never changes; the moment decides which part leads and which are open.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.article import Article, Kind, Section
from knowledge.moment import Moment
from knowledge.text import count_words, items, without_mark

FIRST_SCREEN_WORDS = 80
FIRST_SCREEN_STEPS = 5

_SKELETON = tuple(Kind)

# The first kind leads; all of them are open, as far as they fit.
_OPEN: dict[Moment, tuple[Kind, ...]] = {
    Moment.NEW: (Kind.STEPS, Kind.VERDICT, Kind.SAY, Kind.MANDATE),
    Moment.MORE: (Kind.VERDICT, Kind.BACKGROUND, Kind.EXCEPTIONS, Kind.CANNOT),
    Moment.APPLY: (Kind.IDENTIFY, Kind.VERDICT, Kind.STEPS, Kind.SAY, Kind.MANDATE, Kind.RECORD),
    Moment.SOLVE: (Kind.SAY, Kind.TROUBLE, Kind.VERDICT, Kind.CANNOT),
    Moment.CHANGE: (Kind.CHANGES, Kind.STEPS, Kind.SAY, Kind.MANDATE),
}
# Without this kind the moment has nothing of its own to show, and apply is shown instead.
_NEEDS = {Moment.SOLVE: Kind.TROUBLE, Moment.CHANGE: Kind.CHANGES, Moment.NEW: Kind.STEPS}
_STEPS_OF_SOMEBODY_NEW = 3
_DEFAULT_LEVELS = ("medewerker", "agent")
_LEVEL = re.compile(r"^[ \t]*[-*+][ \t]+\**([^\W\d]+)\**[ \t]*:", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Part:
    """A section as it is shown. `text` is Markdown, the author's own words."""

    kind: Kind | None
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Shape:
    """`first` holds at most eighty words, the leading part first; `more` has whatever `first` does not show whole."""

    first: tuple[Part, ...]
    more: tuple[Part, ...]


def shape(
    article: Article, moment: Moment | None, *, level: str = "", changed: str = "", passage: str = ""
) -> Shape:
    """Lay an article out for a moment; None counts as apply, since an agent mid-call mostly has to act.

    `level` picks the reader's line of the mandate, `changed` is the sentence about what is new, and `passage` the
    text to lead with where the article has no section that we know.
    """
    parts = list(_parts(article, changed))
    known = {part.kind for part in parts}
    moment = moment or Moment.APPLY
    if _NEEDS.get(moment, Kind.VERDICT) not in known | {Kind.VERDICT}:
        moment = Moment.APPLY
    wanted = [part for kind in _in_order(moment) for part in parts if part.kind is kind]
    if not wanted:
        wanted = [Part(None, "", passage)] if passage.strip() else parts[:1]

    first: list[Part] = []
    room = FIRST_SCREEN_WORDS
    for part in wanted:
        brief = _brief(part, moment, level)
        if not first:
            brief = _cut(brief, room)
        size = count_words(brief.text)
        if size <= room:
            first.append(brief)
            room -= size
    more = tuple(part for part in parts if part not in first)
    return Shape(tuple(first), more)


def _parts(article: Article, changed: str) -> Iterator[Part]:
    """Every section that holds something, in skeleton order; those we do not know come last, as written."""
    sections = [section for section in article.sections if section.text.strip()]
    if changed:
        written = article.section(Kind.CHANGES)
        yield Part(Kind.CHANGES, written.title if written else "", changed)
    for kind in _SKELETON:
        yield from (_part(section) for section in sections if section.kind is kind)
    yield from (_part(section) for section in sections if section.kind is None)


def _part(section: Section) -> Part:
    return Part(section.kind, section.title, section.text.strip())


def _in_order(moment: Moment) -> tuple[Kind, ...]:
    lead, *rest = _OPEN[moment]
    return (lead, *(kind for kind in _SKELETON if kind in rest))


def _brief(part: Part, moment: Moment, level: str) -> Part:
    """What the first screen shows of a part."""
    lines = items(part.text)
    match part.kind:
        case Kind.STEPS:
            most = _STEPS_OF_SOMEBODY_NEW if moment is Moment.NEW else FIRST_SCREEN_STEPS
            lines = lines[:most]
        case Kind.SAY:
            lines = [without_mark(line) for line in lines[:1]]
        case Kind.MANDATE:
            lines = [_own_line(lines, level)]
        case Kind.BACKGROUND:
            lines = lines[:1]
        case _:
            return part
    return Part(part.kind, part.heading, "\n".join(lines))


def _own_line(lines: list[str], level: str) -> str:
    by_level = {found[1].casefold(): line for line in lines if (found := _LEVEL.match(line))}
    for wanted in (level.casefold(), *_DEFAULT_LEVELS):
        if wanted in by_level:
            return without_mark(by_level[wanted])
    return without_mark(lines[0]) if lines else ""


def _cut(part: Part, room: int) -> Part:
    """Whole items while they fit; a first item that alone is too long ends in an ellipsis."""
    kept: list[str] = []
    for item in items(part.text):
        size = count_words(item)
        if size > room:
            break
        kept.append(item)
        room -= size
    if not kept:
        kept = [" ".join(part.text.split()[:room]) + " …"]
    return Part(part.kind, part.heading, "\n".join(kept))
