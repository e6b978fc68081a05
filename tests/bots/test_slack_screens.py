"""Panels and forms in Slack: whatever is in them fits, and what is tapped or sent in is read back as it was drawn."""

import pytest
from fake_slack import closed, elements, problems, submission, texts, view_problems
from hypothesis import given
from hypothesis import strategies as st
from made_up import answers

from bots.slack_screens import form_view, panel_blocks, panel_text, panel_view, to_filled, to_tapped
from core.screens import MAX_ABOUT, Button, Entry, Field, FieldKind, Form, Given, Line, Option, Panel, Row, Tone

any_text = st.text(max_size=400) | st.sampled_from(["", " ", "x" * 5000, "<!channel>", "# kop\n- een\n- twee"])
names = st.text(st.sampled_from("abcdefgh_"), min_size=1, max_size=12)
abouts = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=MAX_ABOUT)
buttons = st.builds(Button, any_text, names, abouts, st.booleans(), st.booleans())
rows = st.lists(buttons, max_size=12).map(tuple)
items = st.one_of(
    st.builds(Line, any_text, st.sampled_from(Tone)),
    st.builds(Entry, any_text, any_text, rows),
    st.builds(Row, rows),
    st.builds(Given, answers),
)
panels = st.builds(Panel, any_text, st.sampled_from(["nl", "en"]), st.lists(items, max_size=8).map(tuple))
options = st.lists(names, min_size=1, max_size=14, unique=True).map(
    lambda all_: tuple(Option(one, one) for one in all_)
)


@st.composite
def forms(draw):
    found = []
    for name in draw(st.lists(names, min_size=1, max_size=12, unique=True)):
        kind = draw(st.sampled_from(FieldKind))
        chosen = draw(options) if kind in {FieldKind.ONE, FieldKind.SEVERAL} else ()
        value = {
            FieldKind.ONE: lambda chosen=chosen: draw(st.sampled_from(chosen)).value,
            FieldKind.SEVERAL: lambda chosen=chosen: chosen[0].value,
            FieldKind.DAY: lambda: "2026-10-05",
            FieldKind.TIME: lambda: "16:00",
        }.get(kind, lambda: draw(any_text).strip())()
        found.append(
            Field(name, draw(any_text), kind, value, draw(any_text), draw(any_text), draw(st.booleans()), chosen)
        )
    others = draw(st.lists(buttons, max_size=3).map(tuple))
    return Form(draw(any_text), draw(names), draw(abouts), "Verder", "nl", tuple(found), (), others)


@given(panels)
def test_any_panel_fits_a_message_and_a_modal(panel):
    assert problems(panel_blocks(panel)) == []
    assert view_problems(panel_view(panel)) == []
    assert panel_text(panel).strip()


@given(st.lists(buttons, min_size=1, max_size=12))
def test_every_button_is_read_back(drawn):
    view = panel_view(Panel("Titel", "nl", (Row(tuple(drawn)),)))
    for one, element in zip(drawn, elements(view).values(), strict=True):
        found = to_tapped({"actions": [element]})
        assert (found.do, found.about, found.opens) == (one.do, one.about, one.opens)


@given(forms())
def test_any_form_fits_and_comes_back_as_it_stood_there(form):
    view = form_view(form)
    assert view_problems(view) == []
    found = to_filled(submission(view, {}))
    assert (found.do, found.about) == (form.do, form.about)
    drawn = {field.name: field.value for field in form.fields if len(field.value) <= 3000 and field.name != "channel"}
    assert {name: value for name, value in found.filled.items() if name in drawn} == drawn
    assert to_filled(closed(view, {})).filled == found.filled


def test_errors_stand_next_to_the_fields_that_are_there():
    sent = to_filled(submission(form_view(Form("T", "write", "d1", "Verder", "nl", (Field("a", "A"),))), {}))
    wrong = Form("T", "write", "d1", "Verder", "nl", (Field("a", "A", error="Vul iets in."),))
    assert list(sent.errors(wrong).values()) == ["Vul iets in."]
    other = Form("T", "write", "d1", "Verder", "nl", (Field("b", "B", error="Vul iets in."),))
    assert sent.errors(other) == {}, "then the form is drawn anew"
    assert "Vul iets in." in " ".join(texts(form_view(other)["blocks"]))


@pytest.mark.parametrize("text", ["<!channel> kijk", "<@U123> kijk"])
def test_nobody_is_pinged_by_what_stands_in_a_panel(text):
    said = texts(panel_blocks(Panel(text, "nl", (Line(text), Entry(text, text, (Button(text, "x"),))))))
    assert not any("<!channel>" in one or "<@U123>" in one for one in said)
