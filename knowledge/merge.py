"""Two versions of an article with the one that both came from, made one: files kept elsewhere and edits in the chat.

What only one side changed is taken from that side, by key of the front matter and by section. What both changed
differently is a conflict, which is told and not decided.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from knowledge.article import Article, Section

_NOT_MERGED = {"id", "version", "front", "sections"}

Key = tuple[str, int]  # a heading, and which of that name it is


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that both sides changed, each in its own way; "" where a side has it no more."""

    what: str  # a key of the front matter, or a heading
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The article with what can be decided; where it cannot, it says what ours says."""

    article: Article
    conflicts: tuple[Conflict, ...] = ()


def merge(base: Article, ours: Article, theirs: Article, *, prefer: Literal["theirs"] | None = None) -> Merged:
    """Join two versions of `base`. Where `prefer` says so theirs wins, and nothing is a conflict.

    The front matter is laid out as theirs is: its comments and unknown keys are those of the file.
    """
    conflicts: list[Conflict] = []

    def decide(what: str, was: Any, we: Any, they: Any) -> Any:  # noqa: ANN401 - any field's value
        if they in (was, we):
            return we
        if we == was or prefer:
            return they
        conflicts.append(Conflict(what, _said(we), _said(they)))
        return we

    values: dict[str, Any] = {
        name: decide(name, getattr(base, name), getattr(ours, name), getattr(theirs, name))
        for name in (one.name for one in fields(Article))
        if name not in _NOT_MERGED
    }
    was, we, they = (_keyed(one.sections) for one in (base, ours, theirs))
    sections = [
        found
        for key in _order(list(we), list(they))
        if (found := decide(_name(key), was.get(key), we.get(key), they.get(key))) is not None
    ]
    merged = replace(ours, **values, sections=tuple(_apart(sections)), front=theirs.front or ours.front)
    return Merged(merged, tuple(conflicts))


def _keyed(sections: Sequence[Section]) -> dict[Key, Section]:
    found: dict[Key, Section] = {}
    for section in sections:
        name = section.title.casefold() or section.heading.strip()
        found[name, sum(other[0] == name for other in found)] = section
    return found


def _name(key: Key) -> str:
    return key[0] or "text above the first heading"


def _order(ours: list[Key], theirs: list[Key]) -> list[Key]:
    """As theirs has them, and each that only we have behind the one that it stands behind with us."""
    found = list(theirs)
    for place, key in enumerate(ours):
        if key not in found:
            before = next((one for one in reversed(ours[:place]) if one in found), None)
            found.insert(found.index(before) + 1 if before else 0, key)
    first = next((key for key in found if not key[0]), None)  # text without a heading can only stand above all
    return [first, *(key for key in found if key is not first)] if first else found


def _apart(sections: Sequence[Section]) -> Iterator[Section]:
    """A section that has others behind it now ends its last line, or the next heading would be part of it."""
    for place, section in enumerate(sections):
        whole = section.heading + section.text
        if place < len(sections) - 1 and whole and not whole.endswith(("\n", "\r")):
            yield (
                replace(section, text=section.text + "\n\n")
                if section.text
                else replace(section, heading=section.heading + "\n")
            )
        else:
            yield section


def _said(value: object) -> str:
    match value:
        case None:
            return ""
        case Section():
            return value.text.strip()
        case tuple():
            return ", ".join(map(str, value))
    return str(value)
