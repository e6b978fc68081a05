"""An answer as Slack blocks, and Markdown as Slack's mrkdwn. Pure: nothing here knows a network or a desk."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, takewhile, zip_longest
from textwrap import wrap
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from core.model import Answer, Card
from core.words import say, words
from knowledge.article import Kind, Language
from knowledge.moment import Moment
from knowledge.shape import Part

Block = dict[str, Any]

MAX_SECTION = 3000
MAX_HEADER = 150
MAX_BUTTON = 75
MAX_BLOCKS = 50
MAX_MESSAGE = 12_000  # characters of all blocks together; Slack names no number and refuses from about 13 000
MAX_FALLBACK = 4000
_MAX_VALUE = 255  # Slack takes 2000; an article's id is never that long, and five of those crowd out the answer
_MAX_LINK = 1000
_MAX_SOURCE = 300
_MAX_COLUMN = 32
_MAX_ALTERNATIVES = 5
_ENOUGH_TO_KNOW = 40  # characters

_TAGS = {Moment.NEW: "🌱", Moment.MORE: "🔎", Moment.APPLY: "✅", Moment.SOLVE: "🛠️", Moment.CHANGE: "🔄"}
_NOTHING = "\u200b"  # zero width


# -- blocks ------------------------------------------------------------------------------------------------------
def answer_blocks(answer: Answer, *, more: bool = False) -> list[Block]:
    """All that an answer says and offers; `more` opens what waits behind the first screen.

    No block carries a `block_id`: Slack then makes fresh ones, as an updated message needs.
    """
    head = [block for said in (*answer.warnings, answer.message) for block in _sections(mrkdwn(said))]
    tail: list[Block] = []
    if answer.card and answer.message:  # only likely: the siblings stand above it, one tap away
        head += _alternatives(answer)
    if answer.card:
        head += _card(answer, answer.card, more=more)
        tail += _origin(answer.card, answer.language)
    if not (answer.card and answer.message):
        tail += _alternatives(answer)
    tail += _sections(_quoted(mrkdwn(answer.bridge)))[:1]
    tail += _buttons(answer, more=more)
    return _fitting(head, tail, answer.language)


def fallback_text(answer: Answer) -> str:
    """The first screen without blocks: for notifications, screen readers, and whenever Slack refuses the blocks."""
    said = [mrkdwn(text) for text in (*answer.warnings, answer.message)]
    if answer.card:
        said += [f"{_tag(answer, answer.card)}: {escape(answer.card.title)}".removeprefix(": ")]
        said += [*map(mrkdwn, answer.card.notes), *map(_part, answer.card.first), escape(answer.card.source)]
    said += [f"• {escape(other.title)}" for other in answer.alternatives[:_MAX_ALTERNATIVES]]
    said += [mrkdwn(answer.bridge)]
    whole = "\n".join(text for text in said if text.strip())
    first, *rest = split(whole, MAX_FALLBACK - 2) or ["…"]
    return f"{first} …" if rest else first


def reason_blocks(answer_id: str, language: Language) -> list[Block]:
    """What is not right? Five reasons, one tap each."""
    reasons = [key for key in words(language) if key.startswith("feedback.reasons.")]
    buttons = [_button(f"reason:{key.rpartition('.')[2]}", say(key, language), answer_id) for key in reasons]
    return [*text_blocks(say("feedback.ask", language)), _actions(buttons)]


def text_blocks(sentence: str) -> list[Block]:
    """A sentence of our own."""
    return _sections(mrkdwn(sentence))


def _card(answer: Answer, card: Card, *, more: bool) -> Iterator[Block]:
    if card.title.strip():
        yield {"type": "header", "text": _plain(card.title, MAX_HEADER)}
    yield from _contexts(_tag(answer, card))
    for note in card.notes:
        yield from _sections(mrkdwn(note))
    parts = _everything(card) if more else card.first
    yield from _sections("\n\n".join(map(_part, parts)))


def _tag(answer: Answer, card: Card) -> str:
    """The moment in a word, and a warning when lives may be at stake."""
    tags = [f"🚨 {say('head.critical', answer.language)}"] if card.critical else []
    if answer.moment:
        tags.append(f"{_TAGS[answer.moment]} {say(f'moment.{answer.moment}', answer.language)}")
    return "  ".join(tags)


def _everything(card: Card) -> Iterator[Part]:
    """The first screen, each part whole and in its place, then the rest: nothing jumps when more is opened."""
    rest = list(card.more)
    for part in card.first:
        place = next((place for place, other in enumerate(rest) if _is_whole(other, part)), None)
        yield part if place is None else rest.pop(place)
    yield from rest


def _is_whole(part: Part, brief: Part) -> bool:
    """Two sections may share a heading (what changed, and what the author wrote of it), so the text decides."""
    begin = " ".join(brief.text.split()).removesuffix(" …")[:_ENOUGH_TO_KNOW]
    same = (part.kind, part.heading) == (brief.kind, brief.heading)
    return same and begin in " ".join(part.text.split())


def _part(part: Part) -> str:
    text = mrkdwn(part.text)
    if part.kind is Kind.SAY:
        text = _quoted(text)
    heading = _marked("*", escape(part.heading.replace("*", "").strip()))
    return f"{heading}\n{text}" if heading else text


def _origin(card: Card, language: Language) -> Iterator[Block]:
    """Where it comes from and how fresh it is."""
    said = [escape(_cut(card.source, _MAX_SOURCE))] if card.source.strip() else []
    said += [_link(card.url, say("source.link", language))] if _LINKABLE.match(card.url) else []
    training = say("source.training", language)
    if _LINKABLE.match(card.training):
        said.append(_link(card.training, training))
    elif card.training.strip():
        said.append(f"{training}: {escape(_cut(card.training, _MAX_SOURCE))}")
    yield from _contexts(" · ".join(said))


def _alternatives(answer: Answer) -> Iterator[Block]:
    found = [
        _button(f"open:{place}", other.title or other.article_id or "…", value)
        for place, other in enumerate(answer.alternatives[:_MAX_ALTERNATIVES])
        if len(value := f"{answer.language} {other.article_id}") <= _MAX_VALUE
    ]
    if found and answer.card and not answer.message:
        yield from _contexts(say("head.also", answer.language))
    if found:
        yield _actions(found)


def _buttons(answer: Answer, *, more: bool) -> Iterator[Block]:
    """More or less, another moment, not right. The moment travels along: a tap must not undo an earlier choice."""
    if not answer.card or not answer.id:
        return
    language, title, moment = answer.language, answer.card.title, answer.moment or Moment.APPLY
    found = []
    if answer.card.more:
        step = "less" if more else "more"
        found.append(_button(step, say(f"button.{step}", language), f"{answer.id} {moment}", about=title))
    found.append(_reshape(answer.id, moment, language))
    found.append(_button("wrong", say("button.wrong", language), answer.id, about=title))
    yield _actions(found)


def _reshape(answer_id: str, shown: Moment, language: Language) -> Block:
    options = [
        {"text": _plain(say(f"reshape.{moment}", language), MAX_BUTTON), "value": f"{answer_id} {moment}"}
        for moment in Moment
        if moment is not shown
    ]
    placeholder = _plain(say("reshape.ask", language), MAX_BUTTON)
    return {"type": "static_select", "action_id": "reshape", "placeholder": placeholder, "options": options}


def _button(action_id: str, text: str, value: str, *, about: str = "") -> Block:
    button = {"type": "button", "action_id": action_id, "text": _plain(text, MAX_BUTTON), "value": value}
    if about.strip():
        button["accessibility_label"] = _cut(f"{text}: {about}", MAX_BUTTON)
    return button


def _actions(elements: list[Block]) -> Block:
    return {"type": "actions", "elements": elements}


def _sections(text: str) -> list[Block]:
    return [
        # Not expanded, a long section hides behind "see more"; not verbatim, Slack looks for links and names to ping.
        {"type": "section", "expand": True, "text": {"type": "mrkdwn", "text": piece, "verbatim": True}}
        for piece in split(text, MAX_SECTION)
    ]


def _contexts(text: str) -> list[Block]:
    return [
        {"type": "context", "elements": [{"type": "mrkdwn", "text": piece, "verbatim": True}]}
        for piece in split(text, MAX_SECTION)
    ]


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": _cut(text, limit), "emoji": True}


def _cut(text: str, limit: int) -> str:
    """One line of plain text that fits, and that pings nobody should Slack ever read it as mrkdwn."""
    line = re.sub(r"<(?=[!@#])", f"<{_NOTHING}", " ".join(text.split())) or "…"
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _fitting(head: Sequence[Block], tail: Sequence[Block], language: Language) -> list[Block]:
    """As much of the head as a message holds, and always the tail: the source and the buttons."""
    last = _contexts(say("slack.cut", language))
    room = MAX_MESSAGE - sum(map(_size, [*tail, *last]))
    most = MAX_BLOCKS - len(tail) - len(last)
    fits = len(list(takewhile(lambda size: size <= room, accumulate(map(_size, head)))))
    if fits == len(head) <= most:
        return [*head, *tail]
    return [*head[: min(fits, most)], *last, *tail]


def _size(block: Block) -> int:
    return len(json.dumps(block, ensure_ascii=False))


# -- Markdown to mrkdwn ------------------------------------------------------------------------------------------
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_MARKS = {"strong": "*", "em": "_", "s": "~"}
_URL = re.compile(r"(https?://[^\s<>|]*[^\s<>|.,;:!?)\]'\"\u201d\u2019])")
_LINKABLE = re.compile(r"(?:https?://|mailto:|tel:)\S", re.IGNORECASE)
# Slack has no escape for its own marks. Keeping one apart from what follows with nothing visible stops it from opening.
_OPENS = re.compile(r"(?<!\w)([*_~`])(?=\S)")
_ATOM = re.compile(r"<[^<>]*>|&\w+;|\s+|[^\s<&]+|.", re.DOTALL)
_FENCE = "```"


def mrkdwn(markdown: str) -> str:
    """Markdown the way Slack writes it. What Slack lacks becomes the nearest thing: a heading bold, a table code."""
    return _blocks(SyntaxTreeNode(_MARKDOWN.parse(markdown)).children)


def escape(text: str) -> str:
    """The three signs that mean something to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def split(text: str, limit: int) -> list[str]:
    """Cut mrkdwn into pieces that fit, between lines, else words; never inside a link or an escaped sign.

    A code block that is cut is closed, and opened again in the next piece.
    """
    pieces: list[str] = []
    lines: list[str] = []
    room, fenced = limit, False
    for line in text.split("\n"):
        turns = line.lstrip("> ") == _FENCE
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
            return _marked("*", _inline(node.children[0]).replace("*", ""))
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "blockquote":
            return _quoted(_blocks(node.children))
        case "table" | "fence" | "code_block":
            return _code(_aligned(node) if node.type == "table" else node.content)
    return "———" if node.type == "hr" else _blocks(node.children)


def _list(node: SyntaxTreeNode) -> str:
    first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    lines = []
    for place, item in enumerate(node.children):
        mark = "•" if first is None else f"{first + place}."
        text = _blocks(item.children, between="\n")
        lines.append(f"{mark} {text}".replace("\n", "\n    "))
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n")) if text.strip() else ""


def _code(text: str) -> str:
    inside = escape(text.strip("\n")).replace(_FENCE, f"``{_NOTHING}`")
    return f"{_FENCE}\n{inside}\n{_FENCE}" if inside.strip() else ""


def _aligned(table: SyntaxTreeNode) -> str:
    """In columns, long cells over several lines."""
    rows = [
        [wrap(_words(cell), _MAX_COLUMN) or [""] for cell in row.children]
        for section in table.children
        for row in section.children
    ]
    widths = [max(len(line) for cell in column for line in cell) for column in zip(*rows, strict=True)]
    rows.insert(1, [["-" * width] for width in widths])
    lines = [line for row in rows for line in zip_longest(*row, fillvalue="")]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


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
            return _literal(node.content)
        case "code_inline":
            return "`" + escape(node.content.replace("`", "'")) + "`"
        case "softbreak" | "hardbreak":
            return "\n"
        case "link":
            return _link(str(node.attrs["href"]), escape(_words(node)))
        case "image":
            return _link(str(node.attrs["src"]), escape(node.content))
    return _inline(node)


def _marked(mark: str, text: str) -> str:
    """Between marks, line by line: Slack's formatting ends with the line."""
    if mark in text:
        return text
    return "\n".join(f"{mark}{line.strip()}{mark}" if line.strip() else line for line in text.split("\n"))


def _literal(text: str) -> str:
    """Text as it is. A bare address is made a link here, since nothing of ours is left for Slack to interpret."""
    pieces = _URL.split(text)
    return "".join(
        _link(piece, "") if place % 2 else _OPENS.sub(rf"\1{_NOTHING}", escape(piece))
        for place, piece in enumerate(pieces)
    )


def _link(address: str, label: str) -> str:
    label = " ".join(label.split())
    safe = escape(address.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E"))
    if not _LINKABLE.match(address) or len(safe) + len(label) > _MAX_LINK:
        return label or escape(address)
    return f"<{safe}|{label}>" if label and label != safe else f"<{safe}>"


def _words(node: SyntaxTreeNode) -> str:
    """What somebody reads of it, without formatting."""
    if node.type in {"softbreak", "hardbreak"}:
        return " "
    return "".join(map(_words, node.children)) if node.children else node.content
