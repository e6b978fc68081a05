"""Markdown as HTML, and sentences ready to be copied. Pure."""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from knowledge.text import is_link, items, without_mark

_FIGURE = re.compile(r"€ ?\d[\d.,]*|\b\d+(?:-\d+)+\b")
_QUOTED = re.compile(r'"([^"“”„]+)"|[“„]([^"“”„]+)[“”]')
_MARKS = '"“”„'


class Sentence(NamedTuple):
    """A sentence for the customer: as written, and bare for the clipboard."""

    html: Markup
    bare: str


def markdown(text: str, below: int = 4) -> Markup:
    """Markdown as HTML, its headings deeper than the heading it stands under."""
    return _rendered(_reader().parse(text), below)


def inline(text: str) -> Markup:
    """A sentence with its emphasis, without paragraphs."""
    return _rendered(_reader().parseInline(text))


def sentences(text: str) -> list[Sentence]:
    """The sentences of a part, each ready to be copied."""
    spoken = [without_mark(item) for item in items(text)]
    return [Sentence(inline(sentence), _bare(_plain(sentence))) for sentence in spoken]


class _Reader(MarkdownIt):
    """CommonMark with tables, without HTML, and with links only to where a link may go."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the name that markdown-it calls
        return is_link(url)


@cache
def _reader() -> MarkdownIt:
    made = _Reader("commonmark", {"html": False}).enable("table")
    made.add_render_rule("text", _figures_whole)
    return made


def _figures_whole(renderer: object, tokens: Sequence[Token], place: int, *_: object) -> str:
    """Plain text, its figures unbroken: an amount whose € ends a line is misread."""
    return _FIGURE.sub(r'<span class="figure">\g<0></span>', str(escape(tokens[place].content)))


def _rendered(tokens: list[Token], below: int = 4) -> Markup:
    for token in tokens:
        _dress(token, below)
    # markdown-it escapes all text and has HTML switched off.
    return Markup(_reader().renderer.render(tokens, _reader().options, {}))  # noqa: S704


def _dress(token: Token, below: int) -> None:
    """Make a token fit for our pages."""
    for child in token.children or []:
        _dress(child, below)
    if token.type in {"heading_open", "heading_close"}:
        token.tag = f"h{min(6, max(below + 1, int(token.tag[1:])))}"
    elif token.type == "link_open" and token.attrs["href"]:
        token.attrs |= {"rel": "noopener noreferrer", "target": "_blank"}
    elif token.type == "link_open":  # `[x]()`, which no validation sees, would lead to the page itself
        token.attrs.clear()
    elif token.type == "image":  # nothing is fetched from elsewhere
        token.type = "text"
    elif "style" in token.attrs:  # an aligned cell; the content policy forbids styles of its own
        token.attrs["class"] = str(token.attrs.pop("style")).removeprefix("text-align:")


def _plain(text: str) -> str:
    """Markdown as it reads aloud."""
    [line] = _reader().parseInline(text)
    return "".join(" " if child.type.endswith("break") else child.content for child in line.children or [])


def _bare(sentence: str) -> str:
    """What stands between the quotation marks, without who is speaking or what to mind.

    With more than one pair we cannot know what is said and what is quoted in it: then all of it, outer marks off.
    """
    quoted = _QUOTED.findall(sentence)
    if len(quoted) == 1 and sum(sentence.count(mark) for mark in _MARKS) == 2:  # noqa: PLR2004 - a pair
        return "".join(quoted[0]).strip()
    return sentence.strip(_MARKS + " ")
