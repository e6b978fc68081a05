"""Panels and forms as cards in Teams. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bots.teams_cards import Where, answer_card
from bots.teams_parts import MAX_CARD, OPENS, adaptive_card, column, execute, fitting, rows, size, small, words_of
from bots.teams_text import Json, clip, markdown_elements, one_line, plain, sentence_elements
from core.screens import Button, Entry, Field, FieldKind, Form, Given, Line, Panel, Row, Tone
from core.words import say
from knowledge.article import Language

FILLED = "field-"  # what the id of an input begins with: beside them a card sends its own data
FIELDS = "fields"  # the names of all that can be filled in: Teams leaves out what somebody left empty
_MAX_LINE = 200  # characters
_MAX_SUMMARY = 200
_MOST_CHOICES = 100
_FEW = 10  # options that can all be seen at once


def panel_card(panel: Panel) -> Json:
    """A panel as a card of its own. Where not all of it fits, buttons go first: they are what it is for."""
    card, cut = _card(panel.language, panel_summary(panel))
    body = [*_title(panel.title), *_items(panel.items, panel.language)]
    tapped, room = fitting(list(filter(_is_tapped, body)), MAX_CARD - size([card, cut]), ())
    read, _ = fitting([one for one in body if not _is_tapped(one)], room, cut)
    buttons, texts = iter(tapped), iter(read)
    placed = (next(buttons if _is_tapped(one) else texts, None) for one in body)
    return card | {"body": [one for one in placed if one]}


def panel_summary(panel: Panel) -> str:
    """A panel in a line, for a notification."""
    said = [panel.title, *(plain(item.text) for item in panel.items if isinstance(item, Line))]
    return clip(": ".join(filter(None, map(one_line, said))) or "…", _MAX_SUMMARY)


def form_card(form: Form) -> Json:
    """A form; what is wrong with a field stands below it. What does not fit is left out, and stays as it was."""
    card, cut = _card(form.language, form.title)
    room = MAX_CARD - size([card, cut, _ways_on(form, [field.name for field in form.fields])])
    body, room = fitting([*_title(form.title), *_items(form.intro, form.language)], room, cut)
    drawn: list[str] = []
    for field in form.fields:
        elements = list(_input(field))
        if size(elements) <= room:
            room -= size(elements)
            body += elements
            drawn.append(field.name)
    rest = cut if len(drawn) < len(form.fields) else []
    return card | {"body": [*body, *rest, *_ways_on(form, drawn)]}


def _ways_on(form: Form, drawn: Sequence[str]) -> list[Json]:
    """All of them take along what is filled in. Nobody tells of a closed dialog, so a button keeps a draft."""
    sends = [_sends(form.submit, form.do, form.about, form.language) | {"style": "positive"}]
    sends += [_sends(one.label, one.do, one.about, form.language) for one in form.others]
    if form.do == "write":
        sends.append(_sends(say("teams.keep_draft", form.language), "keep", f"write|{form.about}", form.language))
    asked = {FIELDS: " ".join(drawn)}
    return rows(one | {"data": one["data"] | asked} for one in sends)


# -- items -------------------------------------------------------------------------------------------------------------
def _items(items: Iterable[object], language: Language) -> list[Json]:
    return [element for item in items for element in _item(item, language)]


def _item(item: object, language: Language) -> Sequence[Json]:
    match item:
        case Line():
            return _line(item)
        case Entry():
            return [_entry(item, language)]
        case Row():
            return rows(_button(one, language) for one in item.buttons)
        case Given():
            answer = item.answer if item.live else replace(item.answer, id="", alternatives=())
            card = answer_card(answer, where=Where.DIRECT, room=MAX_CARD * 2 // 3)
            actions = [{"type": "ActionSet", "actions": card["actions"]}] if card["actions"] else []
            return [*card["body"], *actions]
    return []


def _line(line: Line) -> list[Json]:
    match line.tone:
        case Tone.HEADING:
            return _title(line.text, spacing="Large")
        case Tone.SMALL:
            return markdown_elements(line.text, size="Small", isSubtle=True)
    return markdown_elements(line.text)


def _entry(entry: Entry, language: Language) -> Json:
    lines = [
        *sentence_elements(clip(one_line(entry.title), _MAX_LINE) or "…", weight="Bolder"),
        *small(clip(one_line(entry.detail), _MAX_LINE), spacing="None"),
        *(rows(_button(one, language) for one in entry.buttons) if len(entry.buttons) > 1 else []),
    ]
    columns: list[Json] = [{"type": "Column", "width": "stretch", "items": lines}]
    if len(entry.buttons) == 1:
        beside = column([_button(entry.buttons[0], language)])
        columns.append({"type": "Column", "width": "auto", "items": beside})
    return {"type": "ColumnSet", "spacing": "Small", "columns": columns}


def _button(one: Button, language: Language) -> Json:
    """One that opens a form asks for a dialog, which only a button that submits can."""
    if one.opens:
        made = _sends(one.label, one.do, one.about, language)
        made["data"]["msteams"] = OPENS
    else:
        made = execute(one.label, "do", language, do=one.do, about=one.about)
    return made | ({"style": "positive"} if one.primary else {})


def _sends(title: str, do: str, about: str, language: Language) -> Json:
    data = {"verb": "do", "language": language, "do": do, "about": about}
    return {"type": "Action.Submit", "title": words_of(title), "data": data}


# -- fields ------------------------------------------------------------------------------------------------------------
def _input(field: Field) -> Iterator[Json]:
    """Labels are texts of their own, which every client shows; inside the field they are for who has it read aloud."""
    yield from sentence_elements(field.label or "…", weight="Bolder", spacing="Medium")
    yield from small(field.hint, spacing="None")
    yield _element(field) | {"id": f"{FILLED}{field.name}", "spacing": "Small"}
    yield from sentence_elements(field.error, color="Attention", spacing="None")


def _element(field: Field) -> Json:
    match field.kind:
        case FieldKind.ONE | FieldKind.SEVERAL if field.options:
            choices = [{"title": words_of(one.label), "value": one.value} for one in field.options[:_MOST_CHOICES]]
            chosen: Json = {"type": "Input.ChoiceSet", "choices": choices, "value": field.value}
            several = field.kind is FieldKind.SEVERAL
            style = "expanded" if several or len(choices) <= _FEW else "compact"
            return chosen | {"style": style, "isMultiSelect": several, "wrap": True}
        case FieldKind.DAY:
            return {"type": "Input.Date", "value": field.value}
        case FieldKind.TIME:
            return {"type": "Input.Time", "value": field.value}
    most = max(field.most, len(field.value), 1)  # what stands there already is never cut
    typed: Json = {"type": "Input.Text", "value": field.value, "maxLength": most, "placeholder": words_of(field.label)}
    return typed | {"isMultiline": field.kind is FieldKind.TEXT}


# -- pieces ------------------------------------------------------------------------------------------------------------
def _card(language: Language, about: str) -> tuple[Json, list[Json]]:
    """A card with nothing on it yet, and what it says where not all of it fits."""
    card = adaptive_card(language, clip(one_line(about), _MAX_SUMMARY) or "…", [])
    return card, small(say("answer.cut", language), spacing="Medium")


def _is_tapped(element: Json) -> bool:
    return bool(element["type"] == "ActionSet")


def _title(text: str, **style: object) -> list[Json]:
    return sentence_elements(text, **{"weight": "Bolder", "size": "Medium", "style": "heading"} | style)
