"""An answer as a Teams message: an Adaptive Card, or text where there is nothing to tap. Pure, and plain dicts."""

import html
import json
from collections.abc import Iterable, Iterator

from bots.teams_text import (
    Json,
    Run,
    clean,
    clip,
    markdown_elements,
    one_line,
    plain,
    run_elements,
    safe_url,
    sentence_elements,
)
from core.model import Answer, Card
from core.words import reasons, say
from knowledge.article import Kind
from knowledge.moment import Moment
from knowledge.shape import Part

CARD = "application/vnd.microsoft.card.adaptive"
MAX_CARD = 28_000  # bytes, as JSON
MAX_MESSAGE = 80_000

_MAX_SOURCE = 1000  # characters
_MAX_SUMMARY = 250
_MAX_BUTTON = 80
_MAX_TEXT = 4000
_MAX_ID = 255
_MAX_ALTERNATIVES = 5


# -- messages ---------------------------------------------------------------------------------------------------------
def message(answer: Answer, *, notice: str = "") -> Json:
    """What is posted: a card where there is an article or a title to tap, text otherwise."""
    said = {"type": "message", "summary": summary(answer)}
    if answer.card or answer.alternatives:
        return said | {"attachments": [{"contentType": CARD, "content": answer_card(answer, notice=notice)}]}
    sentences = (notice, *answer.warnings, answer.message, answer.bridge, _danger(answer))
    return said | text_message("\n\n".join(filter(None, sentences)))


def text_message(text: str) -> Json:
    """A sentence of our own. Teams reads HTML in a message, so none of it may be live."""
    return {
        "type": "message",
        "textFormat": "markdown",
        "text": html.escape(clip(clean(text).strip(), _MAX_TEXT), quote=False) or "…",
    }


def summary(answer: Answer) -> str:
    """The answer in a line, for notifications and for clients that show no cards."""
    said = plain(answer.message)
    if answer.card:
        parts = sorted(answer.card.first, key=lambda part: part.kind is not Kind.VERDICT)
        first = plain(parts[0].text) if parts else ""
        said = " ".join(filter(None, (said, ": ".join(filter(None, (one_line(answer.card.title), first))))))
    return clip(said or one_line(answer.bridge) or "…", _MAX_SUMMARY)


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
    yield from markdown_elements(answer.message)
    yield from _boxed("emphasis", [answer.bridge])
    yield from sentence_elements(_danger(answer), size="Small", isSubtle=True)
    sure = answer.card and not answer.message
    if not sure:  # only likely, or not known: what it may have been stands right there, one tap away
        yield from _alternatives(answer)
    if answer.card:
        yield from _shown(answer, answer.card)
    if sure:
        yield from _alternatives(answer)


def _danger(answer: Answer) -> str:
    return say("answer.danger", answer.language) if answer.bridge else ""


def _shown(answer: Answer, card: Card) -> Iterator[Json]:
    language = answer.language
    if answer.moment:
        tag = f"{answer.moment.sign} {say(f'moment.{answer.moment}', language)}"
        yield from sentence_elements(tag, size="Small", isSubtle=True)
    if card.critical:
        yield from sentence_elements(f"⚠️ {say('head.critical', language)}", weight="Bolder", color="Attention")
    yield from sentence_elements(card.title, weight="Bolder", size="Medium", style="heading", spacing="Small")
    yield from _boxed("warning", [*card.notes, card.changed])
    for part in card.first:
        yield from _part(part)


def _part(part: Part) -> list[Json]:
    """A section: its heading and its text. What to say to the customer stands apart from the rest."""
    verdict = part.kind is Kind.VERDICT
    text = markdown_elements(part.text, **({"weight": "Bolder"} if verdict else {}))
    heading = [] if verdict or not text else sentence_elements(part.heading, weight="Bolder", spacing="Medium")
    if part.kind is Kind.SAY and text:
        return [_box("emphasis", [*heading, *text])]
    return [*heading, *text, *sentence_elements(part.below, size="Small", isSubtle=True)]


def _source(answer: Answer) -> list[Json]:
    """Where it comes from and how fresh it is."""
    if not answer.card:
        return []
    source = clip(one_line(answer.card.source), _MAX_SOURCE)
    runs = [Run(source)] if source else []
    for key, link in (("source.link", answer.card.url), ("source.training", answer.card.training)):
        if link.strip():
            url, name = safe_url(link), say(key, answer.language)
            runs += [Run(" · ")] if runs else []
            runs.append(Run(name, url=url) if url else Run(f"{name}: {clip(one_line(link), _MAX_BUTTON)}"))
    return run_elements(tuple(runs), size="Small", isSubtle=True, spacing="Medium") if runs else []


def _cut(answer: Answer) -> list[Json]:
    """What stands where the rest would not fit."""
    url = safe_url(answer.card.url) if answer.card else ""
    link = (Run(" "), Run(say("source.link", answer.language), url=url)) if url else ()
    return run_elements((Run(say("answer.cut", answer.language)), *link), isSubtle=True)


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


def _boxed(style: str, sentences: Iterable[str]) -> list[Json]:
    """Each on a ground of its own: as a colour of text, good and warning are too pale to read."""
    return [_box(style, said) for sentence in sentences if (said := sentence_elements(sentence))]


def _box(style: str, items: list[Json]) -> Json:
    return {"type": "Container", "style": style, "spacing": "Medium", "items": items}


# -- what can be tapped -----------------------------------------------------------------------------------------------
def _alternatives(answer: Answer) -> Iterator[Json]:
    """Titles one tap away, one below the other: beside each other Teams cuts them short."""
    if answer.alternatives and not (answer.card and answer.message):  # a likely answer asks itself
        key = "head.also" if answer.card else "head.nearest"
        yield from sentence_elements(say(key, answer.language), isSubtle=True, spacing="Medium")
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
        _execute(answer, words, "wrong", answer_id=answer.id, reason=reason, **_shape(answer))
        for reason, words in reasons(answer.language).items()
    ]


def _shape(answer: Answer) -> dict[str, str]:
    """The shape travels along: a tap must not undo an earlier one."""
    return {"moment": answer.moment.value} if answer.moment else {}


def _choice(title: str, question: str, actions: list[Json]) -> Json:
    asked = {"type": "AdaptiveCard", "body": sentence_elements(question), "actions": actions}
    return {"type": "Action.ShowCard", "title": title, "card": asked}


def _execute(answer: Answer, title: str, verb: str, **data: str) -> Json:
    """A button that changes the card it stands on; in a client that is too old for those it posts a new one."""
    named = {"title": clip(one_line(title), _MAX_BUTTON) or "…"}
    sent = {"data": {"verb": verb, "language": answer.language} | data}
    fallback = {"type": "Action.Submit"} | named | sent
    return {"type": "Action.Execute", "verb": verb, "fallback": fallback} | named | sent


def _fits(identifier: str) -> bool:
    """Ids of ours are short; one that is not would crowd out the answer, five times over."""
    return _size(identifier) <= _MAX_ID
