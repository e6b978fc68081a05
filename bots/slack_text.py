"""Markdown as Slack's mrkdwn, and mrkdwn cut to size. Pure."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from knowledge.text import is_link

_MAX_LINK = 1000
_MAX_TABLE = 34  # characters of code that stand beside each other on a phone
_NOTHING = "\u200b"  # zero width

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_MARKS = {"strong": "*", "em": "_", "s": "~"}
_URL = re.compile(r"(https?://[^\s<>|]*[^\s<>|.,;:!?)\]'\"\u201d\u2019])")
_AMOUNT = re.compile(r"€ (?=\d)")
# Slack has no escape for its own marks. Keeping one apart from what follows with nothing visible stops it from opening.
_OPENS = re.compile(r"(?<!\w)([*_~`])(?=\S)")
_ATOM = re.compile(r"<[^<>]*>|&\w+;|\s+|[^\s<&]+|.", re.DOTALL)
_FENCE = "```"


def mrkdwn(markdown: str) -> str:
    """Markdown the way Slack writes it. What Slack lacks becomes the nearest thing: a heading bold, a table a list."""
    return _blocks(SyntaxTreeNode(_MARKDOWN.parse(markdown)).children)


def escape(text: str) -> str:
    """The three signs that mean something to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def literal(text: str) -> str:
    """Text as it is, its amounts unbroken.

    A bare address is made a link here, since nothing of ours is left for Slack to interpret.
    """
    pieces = _URL.split(_AMOUNT.sub("€\u00a0", text))
    return "".join(
        link(piece, "") if place % 2 else _OPENS.sub(rf"\1{_NOTHING}", escape(piece))
        for place, piece in enumerate(pieces)
    )


def heading(text: str) -> str:
    """On a line of its own, in bold."""
    return _marked("*", text.replace("*", "").strip())


def bold(text: str) -> str:
    """Every line in bold, unless some of it is already, or is code."""
    return text if _FENCE in text else _marked("*", text)


def bare(markdown: str) -> str:
    """The words alone, paragraph by paragraph: what somebody pastes elsewhere."""
    return "\n".join(filter(str.strip, _lines(SyntaxTreeNode(_MARKDOWN.parse(markdown)))))


def quoted(text: str) -> str:
    """Every line behind a bar."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n")) if text.strip() else ""


def link(address: str, label: str) -> str:
    """A label (escaped already) that can be tapped, or as it is where its address may not be."""
    label = " ".join(label.split())
    safe = escape(address.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E"))
    if not is_link(address) or len(safe) + len(label) > _MAX_LINK:
        return label or escape(address)
    return f"<{safe}|{label}>" if label and label != safe else f"<{safe}>"


def split(text: str, limit: int) -> list[str]:
    """Cut mrkdwn into pieces that fit, between paragraphs, else lines, else words; never inside a link or escaped sign.

    A code block that is cut is closed, and opened again in the next piece.
    """
    pieces: list[str] = []
    lines: list[str] = []
    room, fenced = limit, False
    for paragraph in _paragraphs(text):
        if room < len("\n".join(paragraph).strip("\n")) <= limit:
            pieces.append("\n".join(lines))
            lines, room = [], limit
        for line in paragraph:
            turns = _is_fence(line)
            closing = len(_FENCE) + 1 if fenced != turns else 0
            for part in _short_lines(line, limit - 2 * len(_FENCE) - 2):
                if len(part) + closing > room and lines:
                    pieces.append("\n".join(_closed(lines) if fenced else lines))
                    lines = [_FENCE] if fenced else []
                    room = limit - sum(len(line) + 1 for line in lines)
                lines.append(part)
                room -= len(part) + 1
            fenced ^= turns
    pieces.append("\n".join(lines))
    return [piece.strip("\n") for piece in pieces if piece.strip()]


def _paragraphs(text: str) -> Iterator[list[str]]:
    """Lines up to an empty one; a code block is not parted."""
    paragraph: list[str] = []
    fenced = False
    for line in text.split("\n"):
        fenced ^= _is_fence(line)
        paragraph.append(line)
        if not line and not fenced:
            yield paragraph
            paragraph = []
    yield paragraph


def _is_fence(line: str) -> bool:
    return line.lstrip("> ") == _FENCE


def _closed(lines: list[str]) -> list[str]:
    """End a code block, or leave it out when only its beginning is there."""
    return lines[:-1] if lines[-1] == _FENCE else [*lines, _FENCE]


def _short_lines(line: str, limit: int) -> Iterator[str]:
    if len(line) <= limit:
        yield line
        return
    short = ""
    for atom in _ATOM.findall(line):
        for start in range(0, len(atom), limit):
            piece = atom[start : start + limit]
            if len(short) + len(piece) > limit:
                yield short
                short = ""
            short += piece
    yield short


def _blocks(nodes: Sequence[SyntaxTreeNode], between: str = "\n\n") -> str:
    return between.join(text for text in map(_block, nodes) if text.strip())


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "paragraph":
            return _inline(node.children[0])
        case "heading":
            return heading(_inline(node.children[0]))
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "blockquote":
            return quoted(_blocks(node.children))
        case "table" | "fence" | "code_block":
            return _table(node) if node.type == "table" else _code(node.content)
    return "———" if node.type == "hr" else _blocks(node.children)


def _list(node: SyntaxTreeNode) -> str:
    first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    lines = []
    for place, item in enumerate(node.children):
        mark = "•" if first is None else f"{first + place}."
        text = _blocks(item.children, between="\n")
        lines.append(f"{mark} {text}".replace("\n", "\n    "))
    return "\n".join(lines)


def _code(text: str) -> str:
    inside = escape(text.strip("\n")).replace(_FENCE, f"``{_NOTHING}`")
    return f"{_FENCE}\n{inside}\n{_FENCE}" if inside.strip() else ""


def _table(node: SyntaxTreeNode) -> str:
    """In columns where a phone has room for them, else a line for each row."""
    rows = [row.children for section in node.children for row in section.children]
    said = [[_words(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*said, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > _MAX_TABLE:
        return "\n".join(filter(None, (_row(row, said[0] if rows[1:] else ()) for row in rows[1:] or rows)))
    said.insert(1, ["-" * width for width in widths])
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in said)
    return _code("\n".join(line.rstrip() for line in lines))


def _row(cells: Sequence[SyntaxTreeNode], names: Sequence[str]) -> str:
    """A row of a table: what it is about, then each cell behind the name of its column."""
    first, *rest = [_inline(cell.children[0]) for cell in cells]
    named = zip_longest(rest, names[1:], fillvalue="")
    said = [f"{escape(name)}: {text}" if name else text for text, name in named if text]
    line = " · ".join(filter(None, (_marked("*", first), *said)))
    return f"• {line}" if line else ""


def _inline(node: SyntaxTreeNode) -> str:
    """Formatted text. Slack sees a mark only between words, so a mark that touches a letter is left out."""
    said = ""
    for place, child in enumerate(node.children):
        text = _span(child)
        mark = _MARKS.get(child.type)
        if mark:
            after = node.children[place + 1].content[:1] if place + 1 < len(node.children) else ""
            touches = (said[-1:].isalnum() and text[:1] != " ") or after.isalnum()
            text = text if touches else _marked(mark, text)
        said += text
    return said


def _span(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text":
            return literal(node.content)
        case "code_inline":
            return "`" + escape(node.content.replace("`", "'")) + "`"
        case "softbreak" | "hardbreak":
            return "\n"
        case "link":
            return link(str(node.attrs["href"]), escape(_words(node)))
        case "image":
            return link(str(node.attrs["src"]), escape(node.content))
    return _inline(node)


def _marked(mark: str, text: str) -> str:
    """Between marks, line by line: Slack's formatting ends with the line."""
    if mark in text:
        return text
    return "\n".join(f"{mark}{line.strip()}{mark}" if line.strip() else line for line in text.split("\n"))


def _lines(node: SyntaxTreeNode) -> Iterator[str]:
    """What somebody reads, by paragraph, item, cell or piece of code."""
    if node.type in {"inline", "fence", "code_block"}:
        yield _words(node).strip("\n")
    else:
        for child in node.children:
            yield from _lines(child)


def _words(node: SyntaxTreeNode) -> str:
    """What somebody reads of it, without formatting."""
    if node.type in {"softbreak", "hardbreak"}:
        return " "
    return "".join(map(_words, node.children)) if node.children else node.content
