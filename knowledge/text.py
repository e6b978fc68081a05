"""Lines, words, sentences, list items, blocks and links of Markdown text."""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# str.splitlines also breaks at form feeds and U+2028, where Markdown and editors do not.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_WORDY = re.compile(r"\w")
_NUMBER_OF_ITEM = re.compile(r"(?m)(?:^|(?<=\r))[ \t]*\d+[.)][ \t]+")
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+(?=\S)")
_LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\s/]", re.IGNORECASE)
_SPOKEN = re.compile(r"([^\"“„”]*)([\"“„]\s*[^\s\"“„”][^\"“„”]*[\"“”])")  # for whom or when, and what is said
_SAID_AMID = re.compile(r"[^\"“„”]*[\"“„](\s*[^\s\"“„”][^\"“„”]*)[\"“”][^\"“„”]*")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|~!&]|^(?:[-+=](?=\s|$)|\d+(?=[.)]))")
_SENTENCE = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"'”’)]))\s+(?=[\"'“‘(]?[A-ZÀ-Þ0-9])")


def lines(text: str) -> list[str]:
    """Split into lines that keep their endings: joined they are the text again."""
    return _LINE.findall(text)


def count_words(text: str) -> int:
    """How many words a reader reads: the number of a list item and bare marks are not words."""
    return sum(1 for token in _NUMBER_OF_ITEM.sub("", text).split() if _WORDY.search(token))


def sentences(text: str) -> list[str]:
    """Split running text behind `.`, `!` or `?` before a capital or digit; abbreviations may split too often."""
    return [part for part in (piece.strip() for piece in _SENTENCE.split(text)) if part]


def items(text: str) -> list[str]:
    """The items of a Markdown list with all that is nested in them, else the paragraphs.

    Each is exactly as written, mark and empty lines included: joined they are the text again.
    """
    rows = lines(text)
    depths = [_depth(row) for row in rows if _ITEM.match(row)]
    found: list[list[str]] = []
    fresh = True
    for row in rows:
        starts = _ITEM.match(row) and _depth(row) <= depths[0] if depths else fresh and row.strip()
        if not found or (starts and "".join(found[-1]).strip()):
            found.append([])
        found[-1].append(row)
        fresh = not row.strip()
    return ["".join(item) for item in found] if text.strip() else []


def without_mark(item: str) -> str:
    """A list item without its dash or number."""
    return _ITEM.sub("", item, count=1).strip()


def spoken(text: str) -> tuple[str, str]:
    """For whom or when, and what is said to the customer, quotation marks and all. Without those all of it is said."""
    found = _SPOKEN.fullmatch(text.strip())
    return (found[1].strip(), found[2]) if found else ("", text)


def unquoted(said: str) -> str:
    """What is said to the customer, ready to be written to them, without advice before or behind it."""
    found = _SAID_AMID.fullmatch(said.strip())
    return found[1].strip() if found else said


def escaped(text: str) -> str:
    """One line of plain text for where Markdown is read: nothing in it is a mark."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split()))


def is_link(address: str) -> bool:
    """Whether it may be tapped: a web page, an e-mail address or a telephone number."""
    return bool(_LINK.match(address))


def blocks(text: str) -> list["Token"]:
    """Markdown as block tokens; what stands within a line is left as written."""
    return _blocks().parse(text)


@cache
def _blocks() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _depth(row: str) -> int:
    expanded = row.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())
