import json
from dataclasses import replace

import pytest
from adaptive import check_in_an_old_client, check_screen, elements, tap, titled
from fake_connector import buttons, shown
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import answers, anything, languages

from bots.teams_activities import to_tap
from bots.teams_parts import MAX_CARD, submitting
from bots.teams_screens import FILLED, form_card, panel_card, panel_summary
from core.model import Answer, Card, Outcome
from core.screens import (
    MAX_ABOUT,
    MAX_FIELD,
    Button,
    Entry,
    Field,
    FieldKind,
    Form,
    Given,
    Line,
    Option,
    Panel,
    Row,
    Tone,
)
from core.words import say
from knowledge.article import Kind
from knowledge.shape import Part

OPEN = Button("Bekijk", "question", "12")
ADD = Button("Nieuw antwoord", "add", "question 12", opens=True, primary=True)
PANEL = Panel(
    "Open vragen: 1", "nl", (Line("Er wacht **iemand**."), Entry("mag dit?", "gisteren", (OPEN,)), Row((ADD,)))
)
STEPS = Part(Kind.STEPS, "Stappen", "1. Vraag de postcode.")
MORE = Part(Kind.BACKGROUND, "Achtergrond", "Omdat het moet.")
ARTICLE = Card("move", 1, "Verhuizing", "nl", "verhuizen", critical=False, first=(STEPS,), more=(MORE,))
ANSWER = Answer("a" * 32, Outcome.ANSWERED, "nl", "klant is verhuisd", card=ARTICLE)
MOMENTS = (Option("new", "Nieuw"), Option("solve", "Oplossen"))
FIELDS = (
    Field("title", "Titel", value="Verhuizing", required=True, most=150),
    Field("steps", "Stappen", FieldKind.TEXT, "1. Vraag {{voorrijkosten}}.", "Zo kort als je kunt", "Dit is leeg."),
    Field("language", "Taal", FieldKind.ONE, "nl", options=(Option("nl", "Nederlands"), Option("en", "English"))),
    Field("moments", "Momenten", FieldKind.SEVERAL, "new,solve", options=MOMENTS),
    Field("effective_from", "Vanaf", FieldKind.DAY, "2026-10-05"),
    Field("until", "Tot", FieldKind.TIME, "16:00"),
)
FORM = Form("Aanpassen", "write", "d1", "Bekijk", "nl", FIELDS, others=(Button("Alle velden", "full", "d1"),))
WHOLE = {field.name: field.value for field in FIELDS}


def lines(card):
    return shown(card["body"]).split("\n")


def inputs(card):
    return {found["id"].removeprefix(FILLED): found for found in elements(card) if found["type"].startswith("Input.")}


def submits(card):
    return [found for found in elements(card) if found["type"] == "Action.Submit"]


def filled_in(card, button, typed=None):
    """What we read when this is tapped. Microsoft's own client leaves out every field in which nothing stands."""
    now = {name: found["value"] for name, found in inputs(card).items()} | (typed or {})
    data = button["data"] | {f"{FILLED}{name}": value for name, value in now.items() if value}
    return tap(button | {"data": data})


def opening(card):
    """The buttons that ask for a dialog."""
    return [one["title"] for one in submits(card) if one["data"].get("msteams") == {"type": "task/fetch"}]


# -- panels ------------------------------------------------------------------------------------------------------------
def test_a_panel_says_what_it_holds_in_order():
    assert lines(panel_card(PANEL)) == [
        *("Open vragen: 1", "Er wacht **iemand**.", "mag dit?", "gisteren", "Bekijk", "Nieuw antwoord")
    ]
    assert panel_summary(PANEL) == "Open vragen: 1: Er wacht iemand."


def test_only_a_button_that_opens_a_form_asks_for_a_dialog():
    card = panel_card(PANEL)
    assert opening(card) == ["Nieuw antwoord"]
    assert [one["title"] for one in buttons(card)] == ["Bekijk"]


def test_in_a_dialog_buttons_send_and_none_asks_for_another():
    card = submitting(panel_card(PANEL))
    assert [one["title"] for one in submits(card)] == ["Bekijk", "Nieuw antwoord"]
    assert opening(card) == buttons(card) == []
    assert [tap(one).do for one in submits(card)] == ["question", "add"]
    assert card["msteams"] == {"width": "Full"}


@pytest.mark.parametrize("opens", [True, False])
def test_the_button_that_matters_most_stands_out(opens):
    row = Row((replace(ADD, opens=opens), OPEN))
    found = titled(panel_card(Panel("", "nl", (row,))))
    assert found["Nieuw antwoord"]["style"] == "positive"
    assert "style" not in found["Bekijk"]


def test_one_button_stands_beside_what_it_is_about_and_more_stand_below_it():
    (one,) = [found for found in panel_card(PANEL)["body"] if found["type"] == "ColumnSet"]
    assert len(one["columns"]) == 2
    (two,) = panel_card(Panel("", "nl", (Entry("mag dit?", "", (OPEN, ADD)),)))["body"]
    assert len(two["columns"]) == 1
    assert shown(two).split("\n") == ["mag dit?", "Bekijk", "Nieuw antwoord"]


def test_a_line_can_be_a_heading_and_can_be_small():
    title, small = panel_card(Panel("", "nl", (Line("Kop", Tone.HEADING), Line("klein", Tone.SMALL))))["body"]
    assert title["style"] == "heading"
    assert small["size"] == "Small"


def test_an_answer_in_a_panel_can_be_tapped_only_where_it_is_live():
    live, still = (panel_card(Panel("Zo wordt het", "nl", (Given(ANSWER, live=one),))) for one in (True, False))
    assert {one["verb"] for one in buttons(live)} >= {"coach", "later", "wrong"}
    assert buttons(still) == []
    for card in (live, still):
        check_screen(card)
        check_in_an_old_client(card)
        assert "1. Vraag de postcode." in lines(card)


def test_of_a_panel_that_is_too_long_the_buttons_stay_where_they_were():
    items = (*(Line("woord " * 800) for _ in range(8)), Row((OPEN,)), Entry("laatste"))
    card = panel_card(Panel("Wat anders wordt", "nl", items))
    check_screen(card)
    assert lines(card)[-2:] == [say("answer.cut", "nl"), "Bekijk"]


# -- forms -------------------------------------------------------------------------------------------------------------
def test_a_form_has_a_field_for_each_kind_with_what_stands_in_it():
    card = form_card(FORM)
    check_in_an_old_client(card)
    found = inputs(card)
    assert {name: one["value"] for name, one in found.items()} == WHOLE
    assert [one["type"].removeprefix("Input.") for one in found.values()] == [
        *("Text", "Text", "ChoiceSet", "ChoiceSet", "Date", "Time")
    ]
    assert [found[name]["isMultiline"] for name in ("title", "steps")] == [False, True]
    assert [found[name]["isMultiSelect"] for name in ("language", "moments")] == [False, True]
    assert [found[name]["maxLength"] for name in ("title", "steps")] == [150, MAX_FIELD]


def test_what_is_wrong_stands_in_red_below_its_field_and_what_it_is_for_above():
    body = form_card(FORM)["body"]
    place = next(number for number, one in enumerate(body) if one.get("id") == f"{FILLED}steps")
    assert [shown(one) for one in body[place - 2 : place]] == ["Stappen", "Zo kort als je kunt"]
    assert shown(body[place + 1]) == "Dit is leeg."
    assert body[place + 1]["color"] == "Attention"


def test_every_button_of_a_form_takes_along_what_is_filled_in():
    card = form_card(FORM)
    taps = [filled_in(card, one, {"title": "Anders"}) for one in submits(card)]
    assert [(one.do, one.about) for one in taps] == [("write", "d1"), ("full", "d1"), ("keep", "write|d1")]
    assert [one.filled for one in taps] == [WHOLE | {"title": "Anders"}] * 3


def test_a_field_that_somebody_emptied_is_read_as_empty():
    card = form_card(FORM)
    assert filled_in(card, submits(card)[0], {"moments": "", "steps": ""}).filled == WHOLE | {
        "moments": "",
        "steps": "",
    }
    assert filled_in(card, submits(card)[0], dict.fromkeys(WHOLE, "")).filled == dict.fromkeys(WHOLE, "")


def test_only_what_has_a_draft_can_be_kept_for_later():
    assert say("teams.keep_draft", "nl") not in titled(form_card(replace(FORM, do="decline")))


def test_a_field_that_does_not_fit_is_left_out_and_so_is_not_read_as_empty():
    fields = (FIELDS[0], replace(FIELDS[1], value="é" * 6000), FIELDS[2])
    card = form_card(replace(FORM, fields=fields))
    assert list(inputs(card)) == ["title", "language"]
    assert say("answer.cut", "nl") in lines(card)
    assert filled_in(card, submits(card)[0]).filled == {"title": "Verhuizing", "language": "nl"}


def test_what_stands_in_a_field_already_is_never_cut():
    card = form_card(replace(FORM, fields=(replace(FIELDS[1], value="x" * 5000),)))
    assert inputs(card)["steps"]["maxLength"] == 5000


# -- anything ----------------------------------------------------------------------------------------------------------
_names = st.from_regex(r"[a-z_]{1,20}", fullmatch=True)
_abouts = st.text(max_size=MAX_ABOUT)
_buttons = st.builds(Button, anything, _names, _abouts, st.booleans(), st.booleans())
_few = st.lists(_buttons, max_size=4).map(tuple)
_lines = st.builds(Line, anything, st.sampled_from(Tone))
_entries = st.builds(Entry, anything, anything, _few)
_given = st.builds(Given, answers, st.booleans())
_items = st.lists(st.one_of(_lines, _entries, st.builds(Row, _few)), max_size=8)
_panels = st.builds(
    lambda title, language, items, given: Panel(title, language, (*items, *given)),
    anything,
    languages,
    _items,
    st.lists(_given, max_size=1),
)
_options = st.lists(st.builds(Option, _names, anything), max_size=12, unique_by=lambda one: one.value).map(tuple)
_fields = st.builds(
    Field, _names, anything, st.sampled_from(FieldKind), anything, anything, anything, st.booleans(), _options,
    st.integers(1, MAX_FIELD),
)  # fmt: skip
_forms = st.builds(
    Form, anything, _names, _abouts, anything, languages,
    st.lists(_fields, max_size=8, unique_by=lambda one: one.name).map(tuple),
    st.lists(_lines | _entries, max_size=2).map(tuple), st.lists(_buttons, max_size=2).map(tuple),
)  # fmt: skip


def without_values(card):
    """What is typed, or sent back to us, is read by no client, so it may hold anything."""

    def empty(found):
        return {key: "" if key in {"value", "about"} and "title" not in found else one for key, one in found.items()}

    return json.loads(json.dumps(card), object_hook=empty)


def valid(card):
    assert len(json.dumps(card)) <= MAX_CARD
    check_screen(without_values(card))
    ids = [found["id"] for found in elements(card) if "id" in found]
    assert len(ids) == len(set(ids))


@settings(deadline=None)
@given(_panels)
def test_any_panel_is_a_valid_card_in_every_client(panel):
    card = panel_card(panel)
    valid(card)
    check_in_an_old_client(card)
    valid(submitting(card))


@settings(deadline=None)
@given(st.lists(st.builds(Row, _few), max_size=4))
def test_any_button_of_a_panel_is_read_as_what_it_was(rows):
    card = panel_card(Panel("", "nl", tuple(rows)))
    drawn = [found for found in elements(card) if found["type"] in {"Action.Execute", "Action.Submit"}]
    taps = [tap(one) for one in drawn]
    assert [(one.do, one.about, one.filled) for one in taps] == [
        (one.do, one.about, None) for row in rows for one in row.buttons
    ]


@settings(deadline=None)
@given(_forms)
def test_any_form_is_a_valid_card_and_is_read_as_what_stands_in_it(form):
    card = form_card(form)
    valid(card)
    check_in_an_old_client(card)
    sent = next(one for one in submits(card) if "fields" in one["data"])
    found = filled_in(card, sent)
    there = {field.name: field.value for field in form.fields}
    assert (found.do, found.about) == (form.do, form.about)
    assert (found.filled or {}) == {name: there[name] for name in inputs(card)}


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=20), st.text() | st.none() | st.integers() | st.lists(st.text())))
def test_whatever_is_sent_as_filled_in_is_read_without_an_error(data):
    sender = {"from": {"id": "29:anna"}, "conversation": {"id": "a:1"}}
    found = to_tap({"type": "message", "value": {"verb": "do", "do": "write"} | data} | sender, "nl")
    assert found is None or all(isinstance(one, str) for one in (found.filled or {}).values())
