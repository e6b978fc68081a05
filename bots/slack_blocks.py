"""An answer as Slack blocks. Pure: nothing here knows a network or a desk."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, takewhile
from typing import Any

from bots.slack_text import escape, heading, link, mrkdwn, quoted, split
from core.model import Answer, Card
from core.words import reasons, say
from knowledge.article import Kind, Language
from knowledge.moment import Moment
from knowledge.shape import Part
from knowledge.text import is_link

Block = dict[str, Any]

MAX_SECTION = 3000
MAX_HEADER = 150
MAX_BUTTON = 75
MAX_BLOCKS = 50
MAX_MESSAGE = 12_000  # characters of all blocks together; Slack names no number and refuses from about 13 000
MAX_FALLBACK = 4000
_MAX_VALUE = 255  # Slack takes 2000; an article's id is never that long, and five of those crowd out the answer
_MAX_SOURCE = 300
_MAX_ALTERNATIVES = 5
_ENOUGH_TO_KNOW = 40  # characters


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
    tail += _sections(quoted(mrkdwn(answer.bridge)))[:1]
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
    buttons = [_button(f"reason:{reason}", word, answer_id) for reason, word in reasons(language).items()]
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
        tags.append(f"{answer.moment.sign} {say(f'moment.{answer.moment}', answer.language)}")
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
        text = quoted(text)
    above = heading(escape(part.heading))
    return f"{above}\n{text}" if above else text


def _origin(card: Card, language: Language) -> Iterator[Block]:
    """Where it comes from and how fresh it is."""
    said = [escape(_cut(card.source, _MAX_SOURCE))] if card.source.strip() else []
    said += [link(card.url, say("source.link", language))] if is_link(card.url) else []
    training = say("source.training", language)
    if is_link(card.training):
        said.append(link(card.training, training))
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
    line = re.sub(r"<(?=[!@#])", "<\u200b", " ".join(text.split())) or "…"
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _fitting(head: Sequence[Block], tail: Sequence[Block], language: Language) -> list[Block]:
    """As much of the head as a message holds, and always the tail: the source and the buttons."""
    last = _contexts(say("answer.cut", language))
    room = MAX_MESSAGE - sum(map(_size, [*tail, *last]))
    most = MAX_BLOCKS - len(tail) - len(last)
    fits = len(list(takewhile(lambda size: size <= room, accumulate(map(_size, head)))))
    if fits == len(head) <= most:
        return [*head, *tail]
    return [*head[: min(fits, most)], *last, *tail]


def _size(block: Block) -> int:
    return len(json.dumps(block, ensure_ascii=False))
