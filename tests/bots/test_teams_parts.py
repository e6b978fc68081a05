import json

import made_up
import pytest
from adaptive import tap
from hypothesis import given
from hypothesis import strategies as st

from bots.teams_parts import behind, boxed, execute, fits, fitting, rows, says, size, submitting, toggle
from knowledge.moment import Moment

OPEN = execute("Verhuizing", "open", "nl", article_id="move", moment="solve")


# -- what can be tapped ------------------------------------------------------------------------------------------------
def test_a_button_sends_the_same_from_a_client_that_cannot_change_a_card():
    sent = {"verb": "open", "language": "nl", "article_id": "move", "moment": "solve"}
    assert execute("Verhuizing", "open", "nl", article_id="move", moment="solve") == {
        "type": "Action.Execute",
        "title": "Verhuizing",
        "verb": "open",
        "data": sent,
        "fallback": {"type": "Action.Submit", "title": "Verhuizing", "data": sent},
    }
    assert (tap(OPEN).article_id, tap(OPEN).moment) == ("move", Moment.SOLVE)


def test_an_example_is_said_by_whoever_taps_it_with_nothing_for_us_to_read():
    button = says("Klant ruikt gas", "klant ruikt\ngas")
    assert button["data"] == {"msteams": {"type": "imBack", "value": "klant ruikt gas"}}
    assert tap(button) is None


def test_behind_the_dots_a_button_is_the_same_wherever_it_is_sent_from():
    assert behind(OPEN)["mode"] == behind(OPEN)["fallback"]["mode"] == "secondary"
    assert tap(behind(OPEN)) == tap(OPEN)


def test_in_a_dialog_every_button_only_sends_and_nothing_else_changes():
    card = {"body": rows([OPEN, toggle("Meer", "brief")]), "actions": [behind(OPEN)]}
    sending = submitting(card)
    assert "Action.Execute" not in json.dumps(sending)
    assert sending["body"][0]["actions"] == [OPEN["fallback"], toggle("Meer", "brief")]
    assert sending["actions"][0] == OPEN["fallback"] | {"mode": "secondary"}


def test_buttons_stand_beside_each_other_as_far_as_a_phone_is_wide():
    words = ["Contract", "Veiligheid", "Rekening", "Een titel die een hele regel voor zich alleen nodig heeft", "Zon"]
    found = [[one["title"] for one in row["actions"]] for row in rows(toggle(word, "x") for word in words)]
    assert found == [words[:2], words[2:3], words[3:4], words[4:]]
    assert rows([]) == []


@given(st.lists(made_up.anything))
def test_no_button_is_lost_between_rows(titles):
    found = [one for row in rows(toggle(title, "x") for title in titles) for one in row["actions"]]
    assert found == [toggle(title, "x") for title in titles]
    assert all(1 <= len(one["title"]) <= 80 for one in found)


@pytest.mark.parametrize("identifier", ["", "é" * 100, "x" * 300, "a{{b", "a\x00"])
def test_an_id_that_would_crowd_out_the_answer_or_come_back_changed_is_not_put_in_a_button(identifier):
    assert not fits(identifier)
    assert fits("verhuizing/nl met ë")


# -- room --------------------------------------------------------------------------------------------------------------
CUT = [{"type": "TextBlock", "text": "De rest past niet."}]


def test_what_fits_is_shown_whole():
    elements = boxed("good", ["een", "twee"])
    kept, left = fitting(elements, 1000, CUT)
    assert kept == elements
    assert left == 1000 - sum(size(one) + 2 for one in elements)


def test_a_short_element_does_not_jump_over_a_long_one_that_does_not_fit():
    first, long, last = boxed("good", ["een", "x" * 900, "drie"])
    assert fitting([first, long, last], 500, CUT) == ([first, *CUT], 0)


@given(st.lists(made_up.anything), st.integers(-100, 5000))
def test_whatever_is_fitted_takes_no_more_than_its_room_and_says_when_it_is_cut(sentences, room):
    elements = boxed("good", sentences)
    kept, left = fitting(elements, room, CUT)
    assert kept == elements or kept[-1:] == CUT
    assert size(kept) <= max(room, 0) + size(CUT)
    assert left <= max(room, 0)
