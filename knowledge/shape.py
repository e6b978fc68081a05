"""An article laid out for a moment: what leads, what fits the first screen, what waits under More.

The skeleton is the order of `Kind` and never changes; the moment decides which part leads and which are open.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from knowledge.article import Article, Kind, Section
from knowledge.moment import Moment
from knowledge.text import count_words, items, without_mark

FIRST_SCREEN_WORDS = 80
FIRST_SCREEN_STEPS = 5

# The first kind leads. All of these belong on the first screen.
_OPEN: dict[Moment, tuple[Kind, ...]] = {
    Moment.NEW: (Kind.STEPS, Kind.VERDICT, Kind.SAY, Kind.MANDATE),
    Moment.MORE: (Kind.VERDICT,),
    Moment.APPLY: (Kind.IDENTIFY, Kind.VERDICT, Kind.STEPS, Kind.SAY, Kind.MANDATE),
    Moment.SOLVE: (Kind.SAY, Kind.VERDICT, Kind.TROUBLE),
    Moment.CHANGE: (Kind.CHANGES, Kind.STEPS, Kind.SAY),
}
# These come along where there is room. They stand behind the others in the skeleton too.
_IF_ROOM: dict[Moment, tuple[Kind, ...]] = {
    Moment.NEW: (),
    Moment.MORE: (Kind.CANNOT, Kind.EXCEPTIONS, Kind.BACKGROUND),
    Moment.APPLY: (Kind.RECORD,),
    Moment.SOLVE: (Kind.CANNOT,),
    Moment.CHANGE: (Kind.MANDATE,),
}
# Without this kind the moment has nothing of its own to show, and apply is shown instead.
_NEEDS = {Moment.SOLVE: Kind.TROUBLE, Moment.CHANGE: Kind.CHANGES, Moment.NEW: Kind.STEPS}
_STEPS_OF_SOMEBODY_NEW = 3
_DEFAULT_LEVELS = ("medewerker", "agent")
_LEVEL = re.compile(r"^[ \t]*[-*+][ \t]+\**([^\W\d]+)\**[ \t]*:", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Part:
    """A section as it is shown. `text` is Markdown, the author's own words; `below` is a sentence of ours under it."""

    kind: Kind | None
    heading: str
    text: str
    below: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """`first` holds at most eighty words, the leading part first; `more` has whatever `first` does not show whole.

    `left_out` is what had to be on the first screen and did not fit there, in part or at all. `walk` is all of the
    part of kind `walked`, item by item without their marks, where that is better taken one at a time. `steps_left` are
    those, or of the checks when something fails, that `first` does not show.
    """

    first: tuple[Part, ...]
    more: tuple[Part, ...]
    left_out: tuple[Part, ...] = ()
    walk: tuple[str, ...] = ()
    walked: Kind | None = None
    steps_left: int = 0


def shape(article: Article, moment: Moment | None, *, level: str = "", changed: str = "", passage: str = "") -> Shape:
    """Lay an article out for a moment; None counts as apply, since an agent mid-call mostly has to act.

    `level` picks the reader's line of the mandate, `changed` is the sentence about what is new, and `passage` the
    text to lead with where the article has no section that we know.
    """
    parts = list(_parts(article, changed))
    wanted = moment or Moment.APPLY
    moment = wanted if changed and wanted is Moment.CHANGE else served(article, wanted)
    first: list[Part] = []
    left_out: list[Part] = []
    whole: list[Part] = []
    room = FIRST_SCREEN_WORDS
    for part in _wanted(parts, moment, passage):
        brief = _brief(part, moment, level)
        shown = brief if first and part.kind is not Kind.TROUBLE else _cut(brief, room, whole=bool(first))
        size = count_words(shown.text)
        if size <= room:
            first.append(shown)
            room -= size
            if shown.text in {part.text, without_mark(part.text)}:
                whole.append(part)
        if brief not in first and part.kind in _OPEN[moment]:
            left_out.append(brief)
    more = tuple(part for part in parts if part not in whole)
    walked = next((part for part in first if part.kind in {Kind.STEPS, Kind.TROUBLE}), None)
    walk = _walk(article, walked, moment) if walked else ()
    left = sum(_missing(part, parts) for part in first if part.kind in {Kind.STEPS, Kind.TROUBLE})
    return Shape(tuple(first), more, tuple(left_out), walk, walked.kind if walked and walk else None, left)


def moments_of(article: Article) -> tuple[Moment, ...]:
    """The moments that an article has a shape of its own for."""
    return tuple(moment for moment in Moment if _has_shape(article, moment))


def served(article: Article, moment: Moment) -> Moment:
    """The moment itself where the article has a shape for it, else apply: what an agent mid-call needs most."""
    return moment if _has_shape(article, moment) else Moment.APPLY


def levels(article: Article) -> tuple[str, ...]:
    """Whose lines the mandate has."""
    written = article.section(Kind.MANDATE)
    return tuple(_by_level(items(written.text))) if written else ()


def _has_shape(article: Article, moment: Moment) -> bool:
    need = _NEEDS.get(moment)
    if need is None or (moment is Moment.CHANGE and article.changes):
        return True
    return any(section.kind is need and section.text.strip() for section in article.sections)


def _walk(article: Article, part: Part, moment: Moment) -> tuple[str, ...]:
    """Checks are tried one after the other until one works; of steps, only more than a screen holds are."""
    section = next(one for one in article.sections if one.kind is part.kind and one.text.strip())
    found = tuple(text for text in map(without_mark, items(section.text)) if text)
    if part.kind is Kind.STEPS and (moment is Moment.NEW or len(found) <= FIRST_SCREEN_STEPS):
        return ()
    return found if len(found) > 1 else ()


def _missing(shown: Part, parts: list[Part]) -> int:
    """How many items of a section are not shown."""
    whole = next(part for part in parts if part.kind is shown.kind)
    return len(items(whole.text)) - len(items(shown.text))


def _wanted(parts: list[Part], moment: Moment, passage: str) -> list[Part]:
    """What the first screen is made of, the leading part first: one of each kind."""
    by_kind = {part.kind: part for part in reversed(parts)}
    wanted = [by_kind[kind] for kind in (*_OPEN[moment], *_IF_ROOM[moment]) if kind in by_kind]
    if wanted:
        return wanted
    return [Part(None, "", passage)] if passage.strip() else parts[:1]


def _parts(article: Article, changed: str) -> Iterator[Part]:
    """Every section that holds something, in skeleton order; those we do not know come last, as written."""
    sections = [section for section in article.sections if section.text.strip()]
    if changed:
        written = article.section(Kind.CHANGES)
        yield Part(Kind.CHANGES, written.title if written else "", changed)
    for kind in Kind:
        yield from (_part(section) for section in sections if section.kind is kind)
    yield from (_part(section) for section in sections if section.kind is None)


def _part(section: Section) -> Part:
    return Part(section.kind, section.title, section.text.strip())


def _brief(part: Part, moment: Moment, level: str) -> Part:
    """What the first screen shows of a part."""
    found = items(part.text)
    match part.kind:
        case Kind.STEPS:
            most = _STEPS_OF_SOMEBODY_NEW if moment is Moment.NEW else FIRST_SCREEN_STEPS
            text = "".join(found[:most])
        case Kind.SAY:
            text = without_mark(found[0])
        case Kind.MANDATE:
            text = _own_line(found, level)
        case Kind.BACKGROUND:
            text = found[0]
        case _:
            return part
    return replace(part, text=text.strip())


def _own_line(found: list[str], level: str) -> str:
    """It says whose it is: in a channel everybody reads it, and not of every reader the level is known."""
    by_level = _by_level(found)
    for wanted in (level.casefold(), *_DEFAULT_LEVELS):
        if wanted in by_level:
            return without_mark(by_level[wanted])
    return without_mark(found[0])


def _by_level(found: list[str]) -> dict[str, str]:
    return {match[1].casefold(): item for item in found if (match := _LEVEL.match(item))}


def _cut(part: Part, room: int, *, whole: bool) -> Part:
    """Whole items while they fit; a first item that alone is too long is let be, or ends in an ellipsis."""
    if count_words(part.text) <= room:
        return part
    kept = ""
    for item in items(part.text):
        if count_words(kept + item) > room:
            break
        kept += item
    if not count_words(kept):
        if whole:
            return part
        kept = " ".join(part.text.split()[:room]) + " …"
    return replace(part, text=kept.strip())
