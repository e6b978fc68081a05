"""Words, sentences and list items of Markdown text."""

import re

_WORD = re.compile(r"\S*\w\S*")
_NUMBER_OF_ITEM = re.compile(r"(?m)^[ \t]*\d+[.)][ \t]+")
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+(?=\S)")
_SENTENCE = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[\"'“‘(]?[A-ZÀ-Þ0-9])")


def count_words(text: str) -> int:
    """How many words a reader reads: the number of a list item and bare marks are not words."""
    return len(_WORD.findall(_NUMBER_OF_ITEM.sub("", text)))


def sentences(text: str) -> list[str]:
    """Split running text behind `.`, `!` or `?` before a capital or digit; abbreviations may split too often."""
    return [part for part in (piece.strip() for piece in _SENTENCE.split(text)) if part]


def items(text: str) -> list[str]:
    """The items of a Markdown list with their marks, each with the lines that belong to it; else the paragraphs."""
    found: list[list[str]] = []
    listed = any(_ITEM.match(line) for line in text.splitlines())
    fresh = True
    for line in text.splitlines():
        if not line.strip():
            fresh = True
            continue
        starts = bool(_ITEM.match(line)) if listed else fresh
        if starts or not found:
            found.append([line])
        else:
            found[-1].append(line)
        fresh = False
    return ["\n".join(lines) for lines in found]


def without_mark(item: str) -> str:
    """A list item without its dash or number."""
    return _ITEM.sub("", item, count=1).strip()
