"""Text as Teams can show it: Markdown in elements of a card, sentences cut to size, addresses made safe. Pure.

Teams reads a little Markdown in a TextBlock, every client a little differently: what it does with an escaped mark
differs most. So text with a sign that could be read as a mark goes into a RichTextBlock, where nothing is interpreted.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from knowledge.text import is_link

Json = dict[str, Any]

_MAX_SENTENCE = 1000  # characters
_MAX_URL = 1000
_MAX_LINES = 20  # in one list: what does not fit is left out by the element

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_DEEPER = "\u2003\u2003"  # em spaces; Teams knows no list in a list
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# What some client reads as a mark, wherever it stands and at the beginning of a line.
_MARK = re.compile(r"[*_`\\<]|~~|\][(\[]|&#?\w+;")
_OPENING = re.compile(r"\s*(?:(?:[-+#]+|\d+[.)])(?:\s|$)|>|-{3}|={3})")


@dataclass(frozen=True, slots=True)
class Run:
    """Text that looks the same from end to end."""

    text: str
    bold: bool = False
    italic: bool = False
    mono: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it stands on the card. `mark` is what comes before it: a number, a dash, room."""

    mark: str
    runs: tuple[Run, ...]


def sentence_elements(text: str, **style: object) -> list[Json]:
    """A sentence, to be read as it is."""
    line = clip(one_line(text), _MAX_SENTENCE)
    return run_elements((Run(line),), **style) if line else []


def markdown_elements(markdown: str, **style: object) -> list[Json]:
    """Markdown by somebody else."""
    return _elements(_read(markdown), **style)


def run_elements(runs: tuple[Run, ...], **style: object) -> list[Json]:
    """A line of our own making."""
    return _elements([[Line("", runs)]], **style)


def plain(markdown: str) -> str:
    """The text of Markdown in one line."""
    return one_line(" ".join(plain_lines(markdown)))


def plain_lines(markdown: str) -> Iterator[str]:
    """The text of Markdown by paragraph and item: what somebody pastes elsewhere."""
    yield from (line.mark + "".join(run.text for run in line.runs) for group in _read(markdown) for line in group)


def one_line(text: str) -> str:
    """A sentence without the breaks that were in it."""
    return " ".join(clean(text).split())


def clip(text: str, most: int) -> str:
    """As much as fits, with an ellipsis for the rest."""
    return text if len(text) <= most else text[: most - 2].rstrip() + " …"


def clean(text: str) -> str:
    """Nothing that JSON or Teams chokes on, and no {{DATE(…)}}, which a card would fill in."""
    return _UNFIT.sub("\ufffd", text).replace("{{", "{\u200b{")


def safe_url(link: str) -> str:
    """An address that may be tapped, or nothing."""
    link = link.strip()
    safe = quote(link, safe="%/:?#@!$&'*+,;=~-._", errors="replace")
    return safe if is_link(link) and len(safe) <= _MAX_URL else ""


def _elements(groups: Iterable[list[Line]], **style: object) -> list[Json]:
    """Each group is a list or a paragraph; those that Teams would read in its own way line by line."""
    found: list[Json] = []
    for group in groups:
        if all(map(_is_safe, group)):
            for start in range(0, len(group), _MAX_LINES):
                lines = "\r".join(line.mark + _marked(line) for line in group[start : start + _MAX_LINES])
                found.append({"type": "TextBlock", "text": lines, "wrap": True, "spacing": "Small"} | style)
        else:
            found += [_rich(line, style) for line in group]
    return found


def _rich(line: Line, style: Json) -> Json:
    look = {key: value for key, value in style.items() if key not in {"spacing", "style"}}
    runs = [Run(line.mark), *line.runs] if line.mark else line.runs
    spacing = style.get("spacing", "Small")
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": [_text_run(run, look) for run in runs]}


def _text_run(run: Run, look: Json) -> Json:
    made: Json = {"type": "TextRun", "text": run.text} | look
    made |= {"weight": "Bolder"} if run.bold else {}
    made |= {"italic": True} if run.italic else {}
    made |= {"fontType": "Monospace"} if run.mono else {}
    made |= {"selectAction": {"type": "Action.OpenUrl", "url": run.url}} if run.url else {}
    return made


def _is_safe(line: Line) -> bool:
    """Whether Teams shows this as it is meant."""
    texts = ["", *(run.text for run in line.runs), ""]
    return not _OPENING.match("".join(texts)) and all(
        not run.mono and not _MARK.search(run.text) and (_stands_alone(*around) or not _has_marks(run))
        for run, around in zip(line.runs, zip(texts, texts[1:], texts[2:], strict=False), strict=False)
    )


def _has_marks(run: Run) -> bool:
    return run.bold or run.italic or bool(run.url)


def _stands_alone(before: str, text: str, after: str) -> bool:
    """Marks count only between words."""
    touches = before[-1:].isalnum() or after[:1].isalnum()
    return bool(text) and text == text.strip() and not touches and not set("[]") & set(text)


def _marked(line: Line) -> str:
    said = ""
    for run in line.runs:
        text = f"_{run.text}_" if run.italic else run.text
        text = f"**{text}**" if run.bold else text
        said += f"[{text}]({run.url})" if run.url else text
    return said


@lru_cache(maxsize=1024)  # an article is drawn many times a day, and Markdown is most of that work
def _read(markdown: str) -> tuple[list[Line], ...]:
    return tuple(_groups(SyntaxTreeNode(_MARKDOWN.parse(clean(markdown))).children))


def _groups(nodes: Iterable[SyntaxTreeNode]) -> Iterator[list[Line]]:
    for node in nodes:
        match node.type:
            case "paragraph" | "heading":
                for runs in _lines(node.children[0], Run("", bold=node.type == "heading")):
                    yield [Line("", runs)]
            case "bullet_list" | "ordered_list":
                yield from _list(node)
            case "table":
                yield list(_rows(node))
            case "fence" | "code_block":
                yield from ([Line("", (Run(row, mono=True),))] for row in node.content.splitlines() if row.strip())
            case "html_block":
                shown = _COMMENT.sub("", node.content)
                yield from ([Line("", (Run(row),))] for row in _BREAK.sub("\n", shown).splitlines() if row.strip())
            case _:
                yield from _groups(node.children)


def _list(node: SyntaxTreeNode) -> Iterator[list[Line]]:
    """Items together, as a list of Teams' own; what is nested in them on lines by themselves."""
    for nested, found in groupby(_items(node), key=lambda line: line.mark.startswith(_DEEPER)):
        lines = list(found)
        yield from ([line] for line in lines) if nested else [lines]


def _items(node: SyntaxTreeNode, depth: int = 0) -> Iterator[Line]:
    for number, item in enumerate(node.children, int(node.attrs.get("start", 1))):
        dash = "• " if depth else "- "
        mark = _DEEPER * depth + (f"{number}. " if node.type == "ordered_list" else dash)
        for child in item.children:
            if child.type in {"bullet_list", "ordered_list"}:
                yield from _items(child, depth + 1)
                continue
            for line in (line for group in _groups([child]) for line in group):
                yield Line(mark + line.mark, line.runs)
                mark = _DEEPER * (depth + 1)


def _rows(node: SyntaxTreeNode) -> Iterator[Line]:
    """A line per row: a table does not fit a phone, and many clients show none."""
    head, *rows = [row for section in node.children for row in section.children]
    names = ["".join(run.text for run in _runs(cell, Run(""))) for cell in head.children]
    for row in rows or [head]:
        runs: list[Run] = []
        for name, cell in zip(names, row.children, strict=False):
            if runs:
                runs.append(Run(f" · {name}: " if name and rows else " · "))
            runs += _runs(cell, Run("", bold=not runs))
        yield Line("- ", _tidy(runs))


def _lines(node: SyntaxTreeNode, look: Run) -> Iterator[tuple[Run, ...]]:
    """What stands within a block, cut where the author broke the line."""
    for broken, runs in groupby(_runs(node, look), key=lambda run: run.text == "\n"):
        line = () if broken else _tidy(runs)
        if line:
            yield line


def _runs(node: SyntaxTreeNode, look: Run) -> Iterator[Run]:
    for child in node.children:
        match child.type:
            case "text" | "code_inline":
                yield replace(look, text=child.content, mono=child.type == "code_inline")
            case "softbreak":
                yield replace(look, text=" ")
            case "hardbreak":
                yield Run("\n")
            case "html_inline":
                shown = _COMMENT.sub("", child.content)
                yield Run("\n") if _BREAK.fullmatch(shown) else replace(look, text=shown)
            case "image":
                yield replace(look, text=child.content, url=safe_url(str(child.attrs["src"])))
            case _:
                yield from _runs(child, _look(child, look))


def _look(node: SyntaxTreeNode, look: Run) -> Run:
    match node.type:
        case "strong":
            return replace(look, bold=True)
        case "em":
            return replace(look, italic=True)
        case "link":
            return replace(look, url=safe_url(str(node.attrs["href"])))
    return look


def _tidy(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Neighbours that look the same as one, without space around the line."""
    joined = [
        replace(look, text="".join(run.text for run in alike).replace("\n", " "))
        for look, alike in groupby(runs, key=lambda run: replace(run, text=""))
    ]
    if joined:
        joined[0] = replace(joined[0], text=joined[0].text.lstrip())
        joined[-1] = replace(joined[-1], text=joined[-1].text.rstrip())
    return tuple(run for run in joined if run.text)
