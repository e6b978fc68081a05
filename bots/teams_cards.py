"""An answer as a Teams message: an Adaptive Card, or text where there is nothing to tap. Pure, and plain dicts.

Teams reads a little Markdown in a TextBlock, every client a little differently: what it does with an escaped mark
differs most. So text with a sign that could be read as a mark goes into a RichTextBlock, where nothing is interpreted.
"""

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from core.model import Answer, Card
from core.words import say, words
from knowledge.article import Kind
from knowledge.moment import Moment
from knowledge.shape import Part

Json = dict[str, Any]

CARD = "application/vnd.microsoft.card.adaptive"
MAX_CARD = 28_000  # bytes, as JSON
MAX_MESSAGE = 80_000

_EMOJI = {Moment.NEW: "🌱", Moment.MORE: "🔎", Moment.APPLY: "✅", Moment.SOLVE: "🛠️", Moment.CHANGE: "🔄"}
_MAX_SENTENCE = 1000  # characters
_MAX_SUMMARY = 250
_MAX_BUTTON = 80
_MAX_TEXT = 4000
_MAX_URL = 1000
_MAX_ID = 255
_MAX_ALTERNATIVES = 5
_MAX_LINES = 20  # in one list: what does not fit is left out by the element


# -- messages ---------------------------------------------------------------------------------------------------------
def message(answer: Answer, *, notice: str = "") -> Json:
    """What is posted: a card where there is an article or a title to tap, text otherwise."""
    said = {"type": "message", "summary": summary(answer)}
    if answer.card or answer.alternatives:
        return said | {"attachments": [{"contentType": CARD, "content": answer_card(answer, notice=notice)}]}
    return said | text_message("\n\n".join(filter(None, (notice, *answer.warnings, answer.message, answer.bridge))))


def text_message(text: str) -> Json:
    """A sentence of our own. Teams reads HTML in a message, so none of it may be live."""
    return {
        "type": "message",
        "textFormat": "markdown",
        "text": html.escape(_clip(_clean(text).strip(), _MAX_TEXT), quote=False) or "…",
    }


def summary(answer: Answer) -> str:
    """The answer in a line, for notifications and for clients that show no cards."""
    said = _plain(answer.message)
    if answer.card:
        parts = sorted(answer.card.first, key=lambda part: part.kind is not Kind.VERDICT)
        first = _plain(parts[0].text) if parts else ""
        said = " ".join(filter(None, (said, ": ".join(filter(None, (_one_line(answer.card.title), first))))))
    return _clip(said or _one_line(answer.bridge) or "…", _MAX_SUMMARY)


# -- the card ---------------------------------------------------------------------------------------------------------
def answer_card(answer: Answer, *, notice: str = "") -> Json:
    """All that an answer says and offers; `notice` is said above it."""
    above = [*_boxed("good", [notice]), *_head(answer)]
    more = [element for part in answer.card.more for element in _part(part)] if answer.card else []
    body = [*_source(answer)]
    card: Json = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "lang": answer.language,
        "fallbackText": summary(answer),
        "msteams": {"width": "Full"},
        "body": body,
        "actions": _actions(answer),
    }
    cut = _cut(answer)
    more_box = {"type": "Container", "id": "more", "isVisible": False, "separator": True, "items": []}
    room = MAX_CARD - _size(card) - _size([*cut, more_box])
    shown, room = _fitting(above, room)
    body[:0] = shown if len(shown) == len(above) else [*shown, *cut]
    if more:
        kept, _ = _fitting(more, room)
        body.append(more_box | {"items": kept if len(kept) == len(more) else [*kept, *cut]})
    return card


def _head(answer: Answer) -> Iterator[Json]:
    """Everything in sight before More is tapped."""
    yield from _boxed("warning", answer.warnings)
    yield from _written(answer.message)
    if answer.message:  # not sure, or not known: what it may have been stands right there, one tap away
        yield from _alternatives(answer)
    if answer.card:
        yield from _shown(answer, answer.card)
    yield from _boxed("emphasis", [answer.bridge])
    if answer.alternatives and not answer.message:
        yield from _said(say("head.also", answer.language), isSubtle=True, spacing="Medium")
        yield from _alternatives(answer)


def _shown(answer: Answer, card: Card) -> Iterator[Json]:
    language = answer.language
    if answer.moment:
        tag = f"{_EMOJI[answer.moment]} {say(f'moment.{answer.moment}', language)}"
        yield from _said(tag, size="Small", isSubtle=True)
    if card.critical:
        yield from _said(f"⚠️ {say('head.critical', language)}", weight="Bolder", color="Attention")
    yield from _said(card.title, weight="Bolder", size="Medium", style="heading", spacing="Small")
    yield from _boxed("warning", card.notes)
    for part in card.first:
        yield from _part(part)


def _part(part: Part) -> list[Json]:
    """A section: its heading and its text. What to say to the customer stands apart from the rest."""
    verdict = part.kind is Kind.VERDICT
    text = _written(part.text, **({"weight": "Bolder"} if verdict else {}))
    heading = [] if verdict or not text else _said(part.heading, weight="Bolder", spacing="Medium")
    return [_box("emphasis", [*heading, *text])] if part.kind is Kind.SAY and text else [*heading, *text]


def _source(answer: Answer) -> list[Json]:
    """Where it comes from and how fresh it is."""
    if not answer.card:
        return []
    source = _clip(_one_line(answer.card.source), _MAX_SENTENCE)
    runs = [Run(source)] if source else []
    for key, link in (("source.link", answer.card.url), ("source.training", answer.card.training)):
        if link.strip():
            url, name = _url(link), say(key, answer.language)
            runs += [Run(" · ")] if runs else []
            runs.append(Run(name, url=url) if url else Run(f"{name}: {_clip(_one_line(link), _MAX_BUTTON)}"))
    return _elements([[Line("", tuple(runs))]], size="Small", isSubtle=True, spacing="Medium") if runs else []


def _cut(answer: Answer) -> list[Json]:
    """What stands where the rest would not fit."""
    url = _url(answer.card.url) if answer.card else ""
    link = (Run(" "), Run(say("source.link", answer.language), url=url)) if url else ()
    return _elements([[Line("", (Run(say("teams.cut", answer.language)), *link))]], isSubtle=True)


def _fitting(elements: list[Json], room: int) -> tuple[list[Json], int]:
    """The first elements that fit, and the room that is left."""
    kept: list[Json] = []
    for element in elements:
        room -= _size(element) + 2
        if room < 0:
            return kept, 0
        kept.append(element)
    return kept, room


def _size(value: object) -> int:
    return len(json.dumps(value))  # everything outside ASCII is escaped, as it is when it is sent


# -- what can be tapped -----------------------------------------------------------------------------------------------
def _alternatives(answer: Answer) -> Iterator[Json]:
    """Titles one tap away, one below the other: beside each other Teams cuts them short."""
    for other in answer.alternatives[:_MAX_ALTERNATIVES]:
        if _fits(other.article_id):
            title = other.title or other.article_id
            tap = _execute(answer, title, "open", article_id=other.article_id, **_shape(answer))
            yield {"type": "ActionSet", "spacing": "Small", "actions": [tap]}


def _actions(answer: Answer) -> list[Json]:
    if not answer.card:
        return []
    language = answer.language
    found = []
    if answer.card.more:
        toggle = {"type": "Action.ToggleVisibility", "targetElements": ["more"]}
        found.append(toggle | {"title": say("button.more", language)})
    if answer.id and _fits(answer.id):
        found.append(_choice(say("reshape.ask", language), "", _shapes(answer)))
        found.append(_choice(say("button.wrong", language), say("feedback.ask", language), _reasons(answer)))
    return found


def _shapes(answer: Answer) -> list[Json]:
    return [
        _execute(answer, say(f"reshape.{moment}", answer.language), "reshape", answer_id=answer.id, moment=moment.value)
        for moment in Moment
    ]


def _reasons(answer: Answer) -> list[Json]:
    return [
        _execute(answer, sentence, "wrong", answer_id=answer.id, reason=key.rpartition(".")[2], **_shape(answer))
        for key, sentence in words(answer.language).items()
        if key.startswith("feedback.reasons.")
    ]


def _shape(answer: Answer) -> dict[str, str]:
    """The shape travels along: a tap must not undo an earlier one."""
    return {"moment": answer.moment.value} if answer.moment else {}


def _choice(title: str, question: str, actions: list[Json]) -> Json:
    asked = {"type": "AdaptiveCard", "body": _said(question), "actions": actions}
    return {"type": "Action.ShowCard", "title": title, "card": asked}


def _execute(answer: Answer, title: str, verb: str, **data: str) -> Json:
    """A button that changes the card it stands on; in a client that is too old for those it posts a new one."""
    named = {"title": _clip(_one_line(title), _MAX_BUTTON) or "…"}
    sent = {"data": {"verb": verb, "language": answer.language} | data}
    fallback = {"type": "Action.Submit"} | named | sent
    return {"type": "Action.Execute", "verb": verb, "fallback": fallback} | named | sent


def _fits(identifier: str) -> bool:
    """Ids of ours are short; one that is not would crowd out the answer, five times over."""
    return _size(identifier) <= _MAX_ID
