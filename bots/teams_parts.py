"""What cards in Teams are made of: text on a ground, buttons that send something, and how much there is room for. Pure.

Nothing here is newer than Adaptive Cards 1.2, which every client of Teams knows, but for `Action.Execute`, which has a
fallback, and properties that an older client passes over.
"""

import json
from collections.abc import Iterable, Sequence

from bots.teams_text import Json, clean, clip, one_line, sentence_elements
from knowledge.article import Language

MAX_CARD = 28_000  # bytes, as JSON
MAX_MESSAGE = 80_000
MAX_BUTTON = 80  # characters
OPENS = {"type": "task/fetch"}  # what a button sends to Teams itself that asks for a dialog

_MAX_ID = 255
_MAX_ROW = 42  # characters that stand beside each other on a phone
_AROUND = 6  # what a button takes beside its words


# -- text -------------------------------------------------------------------------------------------------------------
def box(style: str, items: list[Json]) -> Json:
    """Elements on a ground of their own."""
    return {"type": "Container", "style": style, "spacing": "Small", "items": items}


def boxed(style: str, sentences: Iterable[str]) -> list[Json]:
    """Each on a ground of its own: as a colour of text, good and warning are too pale to read."""
    return [box(style, said) for sentence in sentences if (said := sentence_elements(sentence))]


def small(sentence: str, **style: object) -> list[Json]:
    """What is said besides."""
    return sentence_elements(sentence, **{"size": "Small", "isSubtle": True} | style)


def folding(name: str, items: list[Json], *, is_open: bool) -> Json:
    """Elements that can be shown and hidden together."""
    folded: Json = {"type": "Container", "id": name, "spacing": "Small", "items": items}
    return folded if is_open else folded | {"isVisible": False}


# -- what can be tapped -----------------------------------------------------------------------------------------------
def execute(title: str, verb: str, language: Language, **data: str) -> Json:
    """A button that changes the card it stands on; a client that is too old for those sends the same, and no more."""
    named = {"title": words_of(title)}
    sent = {"data": {"verb": verb, "language": language} | data}
    fallback = {"type": "Action.Submit"} | named | sent
    return {"type": "Action.Execute", "verb": verb, "fallback": fallback} | named | sent


def says(title: str, text: str) -> Json:
    """A button that says something in the name of whoever taps it."""
    said = {"type": "imBack", "value": clip(one_line(text), MAX_BUTTON)}
    return {"type": "Action.Submit", "title": words_of(title), "data": {"msteams": said}}


def toggle(title: str, *names: str) -> Json:
    """A button that shows what was hidden and hides what was shown; nobody is asked."""
    return {"type": "Action.ToggleVisibility", "title": words_of(title), "targetElements": list(names)}


def words_of(title: str) -> str:
    """What stands on a button."""
    return clip(one_line(title), MAX_BUTTON) or "…"


def behind(button: Json) -> Json:
    """The same button behind the three dots."""
    hidden = button | {"mode": "secondary"}
    return hidden | {"fallback": button["fallback"] | {"mode": "secondary"}} if "fallback" in button else hidden


def rows(buttons: Iterable[Json]) -> list[Json]:
    """Buttons beside each other as long as their words fit a phone: Teams cuts them short, it does not wrap them."""
    found: list[list[Json]] = []
    room = 0
    for button in buttons:
        width = len(button["title"]) + _AROUND
        if width > room:
            found.append([])
            room = _MAX_ROW
        found[-1].append(button)
        room -= width
    return [{"type": "ActionSet", "spacing": "Small", "actions": row} for row in found]


def column(buttons: Iterable[Json]) -> list[Json]:
    """Buttons one below the other."""
    return [{"type": "ActionSet", "spacing": "Small", "actions": [button]} for button in buttons]


def submitting(element: Json) -> Json:
    """The same where nothing can be changed in its place: what is tapped in a dialog is sent, and opens no other."""
    return json.loads(json.dumps(element), object_hook=_submitted)  # type: ignore[no-any-return]


def _submitted(found: Json) -> Json:
    sent: Json = found["fallback"] if found.get("type") == "Action.Execute" else found
    return {key: value for key, value in sent.items() if (key, value) != ("msteams", OPENS)}


def fits(identifier: str) -> bool:
    """Ids of ours are short; one that is not would crowd out the answer, button by button."""
    return bool(identifier) and size(identifier) <= _MAX_ID and clean(identifier) == identifier


# -- the card ---------------------------------------------------------------------------------------------------------
def adaptive_card(language: Language, summary: str, body: Sequence[Json], actions: Sequence[Json] = ()) -> Json:
    """A card, and what a client shows that knows no cards."""
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "lang": language,
        "fallbackText": summary,
        "msteams": {"width": "Full"},
        "body": list(body),
        "actions": list(actions),
    }


def fitting(elements: Sequence[Json], room: int, cut: Sequence[Json]) -> tuple[list[Json], int]:
    """The first elements that fit, and the room that is left. `cut` says that it is not all; its room is kept aside."""
    kept: list[Json] = []
    for element in elements:
        room -= size(element) + len(", ")
        if room < 0:
            return [*kept, *cut], 0
        kept.append(element)
    return kept, room


def size(value: object) -> int:
    """How much of a card it takes up."""
    return len(json.dumps(value))  # everything outside ASCII is escaped, as it is when it is sent
