"""What Slack messages and views are made of: text that fits, buttons, choices, and how much there is room for. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate, takewhile
from typing import Any

from bots.slack_text import split
from core.words import say
from knowledge.article import Language

Block = dict[str, Any]

MAX_SECTION = 3000
MAX_HEADER = 150
MAX_BUTTON = 75  # the words of an option too
MAX_BLOCKS = 50
MAX_MESSAGE = 12_000  # characters of all blocks together; Slack names no number and refuses from about 13 000
MAX_VALUE = 255  # Slack takes 2000; what we put there is never that long, and five of those crowd out the answer
MAX_OPTION = 150  # what an option sends, and what stands in an empty field
_MAX_OPTIONS = 100
_ROOM_FOR_OPTIONS = MAX_MESSAGE // 2


def sections(text: str) -> list[Block]:
    """Formatted text."""
    return [
        # Not expanded, a long section hides behind "see more"; not verbatim, Slack looks for links and names to ping.
        {"type": "section", "expand": True, "text": {"type": "mrkdwn", "text": piece, "verbatim": True}}
        for piece in split(text, MAX_SECTION)
    ]


def contexts(text: str) -> list[Block]:
    """Formatted text, small and grey."""
    return [
        {"type": "context", "elements": [{"type": "mrkdwn", "text": piece, "verbatim": True}]}
        for piece in split(text, MAX_SECTION)
    ]


def header(text: str) -> Block:
    """A title."""
    return {"type": "header", "text": plain(text, MAX_HEADER)}


def code(text: str) -> Block:
    """Text exactly as it is, to be selected and copied."""
    inside = {"type": "text", "text": _harmless(text)[:MAX_SECTION]}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [inside]}]}


def divider() -> Block:
    """A line from side to side."""
    return {"type": "divider"}


def actions(elements: list[Block]) -> Block:
    """A row of buttons and menus."""
    return {"type": "actions", "elements": elements}


def button(action_id: str, text: str, value: str, *, about: str = "") -> Block:
    """A button; `about` tells who cannot see it what it belongs to."""
    made = {"type": "button", "action_id": action_id, "text": plain(text, MAX_BUTTON), "value": value}
    if about.strip():
        made["accessibility_label"] = cut(f"{text}: {about}", MAX_BUTTON)
    return made


def overflow(action_id: str, choices: Mapping[str, str]) -> Block:
    """The menu behind three dots: at most five words, by the value that each sends."""
    return {"type": "overflow", "action_id": action_id, "options": _options(choices)[:5]}


def select(action_id: str, placeholder: str, choices: Mapping[str, str], chosen: str = "") -> Block:
    """A list to choose from, words by value; as many as there is room for."""
    options = _options(choices)
    room = len(list(takewhile(lambda total: total <= _ROOM_FOR_OPTIONS, accumulate(map(size, options)))))
    options = options[: min(room, _MAX_OPTIONS)]
    made = {"type": "static_select", "action_id": action_id, "placeholder": plain(placeholder, MAX_BUTTON)}
    first = next((option for option in options if option["value"] == chosen), None)
    return made | {"options": options} | ({"initial_option": first} if first else {})


def plain(text: str, limit: int) -> Block:
    """One line of text without formatting."""
    return {"type": "plain_text", "text": cut(text, limit), "emoji": True}


def cut(text: str, limit: int) -> str:
    """One line of plain text that fits, and that pings nobody should Slack ever read it as mrkdwn."""
    line = _harmless(" ".join(text.split())) or "…"
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def fitting(head: Sequence[Block], tail: Sequence[Block], language: Language) -> list[Block]:
    """As much of the head as a message holds, and always the tail: the source and the buttons."""
    last = contexts(say("answer.cut", language))
    room = MAX_MESSAGE - sum(map(size, [*tail, *last]))
    most = MAX_BLOCKS - len(tail) - len(last)
    fits = len(list(takewhile(lambda total: total <= room, accumulate(map(size, head)))))
    if fits == len(head) <= most:
        return [*head, *tail]
    return [*head[: min(fits, most)], *last, *tail]


def size(block: Block) -> int:
    """How much of a message it takes up."""
    return len(json.dumps(block, ensure_ascii=False))


def _options(choices: Mapping[str, str]) -> list[Block]:
    return [{"text": plain(words, MAX_BUTTON), "value": value} for value, words in choices.items()]


def _harmless(text: str) -> str:
    return re.sub(r"<(?=[!@#])", "<\u200b", text)
