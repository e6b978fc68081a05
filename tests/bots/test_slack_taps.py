"""Whatever can be tapped does something: no button that we draw is without its work."""

import inspect
import itertools
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from fake_slack import elements
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import answers, anything, homes, languages, shelves

from bots import slack_blocks, slack_views
from bots.slack_blocks import Shown, Where
from bots.slack_screens import TAP
from bots.slack_taps import Taps
from core.errors import NotFoundError
from core.model import Answer, Card, Home, Outcome, Person, Request, Role, Suggestion
from knowledge.article import Kind
from knowledge.moment import Moment
from knowledge.shape import Part

TODAY = date(2026, 11, 23)
TAPS = Taps(desk=None, replies=None, workspaces=None)
shown = st.builds(Shown, st.booleans(), st.integers(0, 9), st.booleans())
wheres = st.sampled_from(Where)

# Each way to draw something, with made-up things in it.
DRAWN = {
    "answer_blocks": st.builds(slack_blocks.answer_blocks, answers, shown, wheres, question=anything),
    "check_blocks": st.builds(slack_blocks.check_blocks, answers),
    "copy_blocks": st.builds(slack_blocks.copy_blocks, answers),
    "other_blocks": st.builds(slack_blocks.other_blocks, answers),
    "reason_blocks": st.builds(slack_blocks.reason_blocks, anything, languages),
    "seen_blocks": st.builds(slack_blocks.seen_blocks, answers),
    "text_blocks": st.builds(slack_blocks.text_blocks, anything),
    "topics_blocks": shelves.flatmap(
        lambda shelf: st.builds(slack_blocks.topics_blocks, st.just(shelf), languages, st.sampled_from([*shelf, ""]))
    ),
    "answer_modal": st.builds(slack_views.answer_modal, answers, shown),
    "ask_modal": st.builds(slack_views.ask_modal, languages, text=anything),
    "home_view": st.builds(slack_views.home_view, homes, st.just(TODAY)),
    "message_modal": st.builds(slack_views.message_modal, anything, languages),
    "share_modal": st.builds(slack_views.share_modal, anything, languages),
    "waiting_modal": st.builds(slack_views.waiting_modal, languages),
}


def tappable(drawn):
    """The action ids in blocks or a view; what is filled in in a form is no tap."""
    blocks = drawn["blocks"] if isinstance(drawn, dict) else drawn
    return set(elements({"blocks": [block for block in blocks if block["type"] != "input"]}))


def test_every_way_to_draw_something_is_looked_at():
    there = {
        name
        for module in (slack_blocks, slack_views)
        for name, made in inspect.getmembers(module, inspect.isfunction)
        if made.__module__ == module.__name__ and name.endswith(("_blocks", "_view", "_modal")) and name[0] != "_"
    }
    assert there == set(DRAWN)


@pytest.mark.parametrize("name", DRAWN)
def test_whatever_is_drawn_to_be_tapped_does_something(name):
    @settings(max_examples=25)
    @given(drawn=DRAWN[name])
    def each(drawn):
        for action_id in tappable(drawn):
            assert action_id.partition(":")[0] == TAP or callable(TAPS.work(action_id))  # that is the coach's desk's

    each()


def test_nothing_is_done_for_a_button_that_is_not_drawn_any_more():
    steps = Part(Kind.STEPS, "Stappen", "1. Bel.\n2. Schrijf.")
    card = Card("a", 1, "A", "nl", "", critical=False, first=(steps,), more=(steps,), walk=("Bel.", "Schrijf."))
    asked = Answer("a" * 32, Outcome.ANSWERED, "nl", "q", "Misschien?", alternatives=(Suggestion("b", "B", "nl"),))
    answers = [
        replace(asked, moment=moment, card=replace(card, walked=walked))
        for moment, walked in itertools.product((Moment.APPLY, Moment.SOLVE), (None, Kind.STEPS))
    ]
    states = itertools.starmap(Shown, itertools.product((False, True), (0, 1), (False, True)))
    shown = itertools.product(answers, states, Where)
    many = [Suggestion(f"{number}", f"{number}", "nl") for number in range(20)]
    request = Request(1, answers[0], "p", "slack", datetime(2026, 11, 21, tzinfo=UTC))
    home = Home(Person("p", Role.COACH), "nl", kept=(answers[0],), queue=(request,))
    drawn = [
        *(slack_blocks.answer_blocks(*one) for one in shown),
        slack_blocks.check_blocks(answers[0]),
        slack_blocks.reason_blocks("a", "nl"),
        slack_blocks.topics_blocks({"x": many}, "nl", "x"),
        slack_views.home_view(home, TODAY),
    ]
    names = {action_id.partition(":")[0] for one in drawn for action_id in tappable(one)}
    assert names == {*TAPS._work, TAP}


@given(name=st.text())
def test_a_button_that_we_do_not_draw_is_refused(name):
    with pytest.raises(NotFoundError):
        TAPS.work(f"?{name}")
