"""Adaptive Cards as Teams takes them: the official schemas, the limits, and what no button of ours may be."""

import json
from functools import cache
from pathlib import Path

import adaptive_cards
import jsonschema
from fake_connector import buttons

from bots.teams_activities import to_tap
from bots.teams_parts import MAX_CARD
from knowledge.text import is_link

_KNOWN = {
    "Action.Execute",
    "Action.OpenUrl",
    "Action.ShowCard",
    "Action.Submit",
    "Action.ToggleVisibility",
    "ActionSet",
    "AdaptiveCard",
    "Column",
    "ColumnSet",
    "Container",
    "RichTextBlock",
    "TextBlock",
    "TextRun",
    "imBack",
}
_YOUNGER = {"msteams", "mode", "lang"}  # properties that an older client passes over


def check(card, room=MAX_CARD):
    """Valid by the official schema, but for what is Teams' own; within the limit; nothing that is live."""
    _check_schema(card, "1.5", {"msteams"})
    assert len(json.dumps(card)) <= room
    assert card["msteams"] == {"width": "Full"}  # no entities, so no mention is live
    assert "{{" not in json.dumps(card)
    assert card["fallbackText"].strip()
    for found in elements(card):
        assert found["type"] in _KNOWN
        if found["type"] == "TextBlock":  # the others are interpreted by nobody
            assert "<" not in found["text"]
            assert found["wrap"]
        if found["type"] == "Action.OpenUrl":
            assert is_link(found["url"])
        if found["type"] == "Action.ToggleVisibility":
            assert set(found["targetElements"]) <= {one.get("id") for one in elements(card)}
    for button in buttons(card):
        assert button["title"].strip()
        assert button["data"]["verb"] == button["verb"]
        assert all(isinstance(value, str) for value in button["data"].values())
        sent = {"title": button["title"], "data": button["data"]}
        assert {key: button["fallback"][key] for key in ("type", *sent)} == {"type": "Action.Submit"} | sent
        assert tap(button).verb == button["verb"]


def check_in_an_old_client(card):
    """The same card as a client reads it that knows no more than Adaptive Cards 1.2."""
    old = json.loads(
        json.dumps(card),
        object_hook=lambda found: found["fallback"] if found.get("verb") and "fallback" in found else found,
    )
    headings = [found for found in elements(old) if found.get("style") == "heading"]
    for found in headings:
        del found["style"]
    _check_schema(old | {"version": "1.2"}, "1.2", _YOUNGER)


def tap(button):
    """What we read when this is tapped."""
    sender = {"id": "29:anna", "aadObjectId": "anna"}
    spot = {"from": sender, "recipient": {"id": "28:us"}, "conversation": {"id": "a:1", "tenantId": "t"}}
    return to_tap({"type": "message", "value": button["data"]} | spot, "nl")


def elements(found):
    """Everything on a card that has a type, wherever it is; of a button that has a fallback only the button."""
    if isinstance(found, list):
        return [element for item in found for element in elements(item)]
    if not isinstance(found, dict):
        return []
    own = [found] if "type" in found else []
    return own + [element for key, value in found.items() if key != "fallback" for element in elements(value)]


def titled(card):
    """The buttons by their words."""
    return {
        found["title"]: found for found in elements(card) if found["type"].startswith("Action.") and "title" in found
    }


@cache
def _schema(version):
    path = Path(adaptive_cards.__file__).parent / "schemas" / f"schema-{version}.json"
    schema = json.loads(path.read_text())
    return jsonschema.validators.validator_for(schema)(schema)


def _check_schema(card, version, without):
    official = json.loads(
        json.dumps(card), object_hook=lambda found: {key: value for key, value in found.items() if key not in without}
    )
    error = jsonschema.exceptions.best_match(_schema(version).iter_errors(official))
    assert error is None, f"{error.json_path}: {error.message[:300]}"


def check_screen(card, room=MAX_CARD):
    """A panel or a form: valid by the schema, within the limit, and every button of ours is read."""
    _check_schema(card, "1.5", {"msteams"})
    assert len(json.dumps(card)) <= room
    assert "{{" not in json.dumps(card)
    assert card["fallbackText"].strip()
    for found in elements(card):
        assert found["type"] in _KNOWN | _ASKED
        if found["type"] == "TextBlock":
            assert "<" not in found["text"]
            assert found["wrap"]


_ASKED = {"task/fetch", "Input.Text", "Input.ChoiceSet", "Input.Date", "Input.Time"}
