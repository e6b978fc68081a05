"""Panels and forms as Slack blocks and views, and what was tapped and filled in there read back. Pure."""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bots.slack_blocks import Where, answer_blocks, text_blocks
from bots.slack_events import Payload
from bots.slack_parts import (
    MAX_BUTTON,
    MAX_VALUE,
    Block,
    actions,
    button,
    contexts,
    cut,
    fitting,
    header,
    plain,
    sections,
)
from bots.slack_text import bold, escape, literal, mrkdwn
from bots.slack_views import MAX_METADATA, View, message_modal
from core.model import Answer
from core.screens import Button, Entry, Field, FieldKind, Form, Given, Line, Panel, Row, Told, Tone
from core.words import say

COACH = "coach"  # what a form of the coach's desk is called
TAP, OPEN, WITH = "do", "form", "with"  # a button; one that opens a form; one that takes along what is filled in
_MAX_IN_VIEW = 100
_MAX_ROW = 10  # buttons side by side; Slack takes 25, which nobody overlooks
_MAX_LABEL = 200
_MAX_HINT = 300
_MAX_INPUT = 3000
_FEW = 10  # options that can all be seen at once
_MAX_OPTIONS = 100
_CHANNEL = "channel"  # a field by this name asks for a channel, and only Slack knows which there are


# -- drawing -----------------------------------------------------------------------------------------------------------
def panel_blocks(panel: Panel) -> list[Block]:
    """A panel as a message."""
    head = [header(panel.title)] if panel.title.strip() else []
    return fitting([*head, *_items(panel.items, Where.DIRECT)], [], panel.language)


def panel_text(panel: Panel) -> str:
    """A panel without blocks, for a notification and a screen reader: its title and how it begins."""
    said = [escape(panel.title)]
    said += [mrkdwn(item.text) for item in panel.items if isinstance(item, Line)]
    said += [escape(item.title) for item in panel.items if isinstance(item, Entry)]
    return "\n".join(filter(str.strip, said))[:_MAX_INPUT] or "…"


def panel_view(panel: Panel) -> View:
    """A panel in a modal."""
    head = [header(panel.title)] if panel.title.strip() else []
    blocks = [*head, *_items(panel.items, Where.MODAL)]
    return message_modal(blocks[:_MAX_IN_VIEW], panel.language)


def told_view(told: Told) -> View:
    """A sentence in a modal."""
    return message_modal(told.sentence, told.language)


def form_view(form: Form) -> View:
    """A form in a modal. Names of blocks change with what stands in them: Slack keeps what was typed under a name."""
    blocks = [block for item in form.intro for block in _items([item], Where.MODAL)]
    blocks += _errors(form)
    fresh = zlib.crc32(json.dumps([form.about, [field.value for field in form.fields]]).encode())
    drawn = [field for field in form.fields if len(field.value) <= _MAX_INPUT]  # what is cut would be lost
    blocks += [_input(field, f"{field.name} {fresh:x}") for field in drawn]
    blocks += contexts(say("answer.cut", form.language)) if len(drawn) < len(form.fields) else []
    if form.others:
        blocks.append(actions([_button(one, WITH, place) for place, one in enumerate(form.others)]))
    sent = {"callback_id": COACH, "submit": plain(form.submit, 24), "notify_on_close": True}
    metadata = f"{form.do} {form.about}"[:MAX_METADATA]
    view = message_modal(blocks, form.language) | {"title": plain(form.title, 24)}
    return view | sent | {"private_metadata": metadata}


def _items(items: Sequence[object], where: Where) -> list[Block]:
    made: list[Block] = []
    place = 0
    for item in items:
        match item:
            case Line():
                made += _line(item)
            case Entry():
                made += _entry(item, place)
                place += len(item.buttons)
            case Row():
                made += _row(item.buttons, place)
                place += len(item.buttons)
            case Given():
                made += _given(item, where)
    return made


def _line(line: Line) -> list[Block]:
    match line.tone:
        case Tone.HEADING:
            return [header(line.text)] if line.text.strip() else []
        case Tone.SMALL:
            return contexts(mrkdwn(line.text))
    return text_blocks(line.text)


def _entry(entry: Entry, place: int) -> Iterator[Block]:
    said = "\n".join(filter(str.strip, (bold(literal(cut(entry.title, _MAX_LABEL))), literal(entry.detail))))
    first, *rest = sections(said) or sections("…")
    if len(entry.buttons) == 1:
        first |= {"accessory": _button(entry.buttons[0], _kind(entry.buttons[0]), place, entry.title)}
    yield first
    yield from rest
    if len(entry.buttons) > 1:
        yield from _row(entry.buttons, place, entry.title)


def _row(buttons: Sequence[Button], place: int, about: str = "") -> list[Block]:
    made = [_button(one, _kind(one), place + number, about) for number, one in enumerate(buttons)]
    return [actions(made[start : start + _MAX_ROW]) for start in range(0, len(made), _MAX_ROW)]


def _kind(one: Button) -> str:
    return OPEN if one.opens else TAP


def _button(one: Button, kind: str, place: int, about: str = "") -> Block:
    made = button(f"{kind}:{place}", one.label, f"{one.do} {one.about}"[:MAX_VALUE], about=about)
    return made | ({"style": "primary"} if one.primary else {})


def _given(given: Given, where: Where) -> list[Block]:
    if given.live:
        return answer_blocks(given.answer, where=where)
    return answer_blocks(_lifeless(given.answer), where=Where.MODAL)


def _lifeless(answer: Answer) -> Answer:
    """Without an id nothing can be done with it."""
    return replace(answer, id="", alternatives=())


def _errors(form: Form) -> list[Block]:
    """Slack shows errors only of what was just sent in; above the form they stand whenever it is drawn."""
    said = [f"{field.label}: {field.error}" for field in form.fields if field.error]
    return sections("\n".join(f":warning: {literal(one)}" for one in said)) if said else []


def _input(field: Field, name: str) -> Block:
    element = _element(field)
    label = plain(field.label or "…", _MAX_LABEL)
    made = {"type": "input", "block_id": name, "label": label, "element": element, "optional": not field.required}
    return made | ({"hint": plain(field.hint, _MAX_HINT)} if field.hint.strip() else {})


def _element(field: Field) -> Block:
    if field.name == _CHANNEL:
        only = {"include": ["public", "private"], "exclude_bot_users": True}
        return {"type": "conversations_select", "action_id": field.name, "filter": only}
    match field.kind:
        case FieldKind.ONE | FieldKind.SEVERAL if field.options:
            return _chosen(field)
        case FieldKind.DAY:
            return {"type": "datepicker", "action_id": field.name} | _initial("initial_date", field.value)
        case FieldKind.TIME:
            return {"type": "timepicker", "action_id": field.name} | _initial("initial_time", field.value)
    most = min(max(field.most, len(field.value), 1), _MAX_INPUT)
    typed = {"type": "plain_text_input", "action_id": field.name, "max_length": most}
    typed |= {"multiline": True} if field.kind is FieldKind.TEXT else {}
    return typed | _initial("initial_value", field.value)


def _chosen(field: Field) -> Block:
    options = [{"text": plain(one.label, MAX_BUTTON), "value": one.value} for one in field.options[:_MAX_OPTIONS]]
    now = [option for option in options if option["value"] in field.value.split(",")]
    if field.kind is FieldKind.ONE:
        kind = "radio_buttons" if len(options) <= _FEW else "static_select"
        return {"type": kind, "action_id": field.name, "options": options} | ({"initial_option": now[0]} if now else {})
    kind = "checkboxes" if len(options) <= _FEW else "multi_static_select"
    return {"type": kind, "action_id": field.name, "options": options} | ({"initial_options": now} if now else {})


def _initial(name: str, value: str) -> dict[str, str]:
    return {name: value} if value.strip() else {}


# -- reading -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Filled:
    """What was tapped or sent in: what to do, about what, and what was filled in beside it."""

    do: str
    about: str
    filled: dict[str, str] | None = None
    opens: bool = False
    blocks: tuple[tuple[str, str], ...] = ()  # the name of each field and of its block

    def errors(self, form: Form) -> dict[str, str]:
        """What Slack shows next to the fields that somebody sees now; none where one of them is not there."""
        names = dict(self.blocks)
        found = form.errors
        return {names[name]: text for name, text in found.items()} if found.keys() <= names.keys() else {}


def to_tapped(body: Payload) -> Filled:
    """Read a tap on a button of ours."""
    action = body["actions"][0]
    kind = action["action_id"].partition(":")[0]
    do, _, about = (action.get("value") or "").partition(" ")
    values = ((body.get("view") or {}).get("state") or {}).get("values") or {}
    return Filled(do, about, _values(values) if kind == WITH else None, opens=kind == OPEN)


def to_filled(body: Payload) -> Filled:
    """Read a form that was sent in or closed."""
    view = body["view"]
    do, _, about = (view.get("private_metadata") or "").partition(" ")
    values = (view.get("state") or {}).get("values") or {}
    names = tuple((name, block) for block, fields in values.items() for name in fields)
    return Filled(do, about, _values(values), blocks=names)


def _values(values: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: _value(state) for fields in values.values() for name, state in fields.items()}


def _value(state: Mapping[str, Any]) -> str:
    if "selected_options" in state:
        return ",".join(one["value"] for one in state["selected_options"] or ())
    if state.get("selected_option"):
        return str(state["selected_option"]["value"])
    keys = ("value", "selected_conversation", "selected_date", "selected_time")
    return str(next((state[key] for key in keys if state.get(key)), ""))
