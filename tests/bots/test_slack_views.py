import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from fake_slack import elements, texts, view_problems
from hypothesis import given, settings
from made_up import answers, anything, homes, languages

from bots.slack_blocks import Shown, Where, answer_blocks, copy_blocks, seen_blocks
from bots.slack_views import answer_modal, ask_modal, home_view, message_modal, share_modal, waiting_modal
from core.model import Answer, Card, Home, News, Outcome, Person, Request, Role, Suggestion
from core.words import say

SOME_DAY = datetime(2026, 11, 21, 9, tzinfo=UTC)
TODAY = date(2026, 11, 23)
ARTICLE = Card("move", 1, "Verhuizing", "nl", "verhuizen", critical=False, first=(), more=())
ANSWER = Answer("a" * 32, Outcome.ANSWERED, "nl", "klant is verhuisd", card=ARTICLE)
REQUEST = Request(1, ANSWER, "p-asker", "slack", SOME_DAY)
NEWS = News(Suggestion("spijt", "Bedenktijd", "nl"), "sinds 19 juni 2026", "ook met de *knop*")


def home(role=Role.AGENT, today=TODAY, **fields):
    return home_view(Home(Person("p-me", role), "nl", **fields), today)


def titles(view):
    return [block["text"]["text"] for block in view["blocks"] if block["type"] == "header"]


def accessories(view):
    return [block["accessory"] for block in view["blocks"] if "accessory" in block]


# -- home ----------------------------------------------------------------------------------------------------
def test_somebody_new_sees_how_to_ask_and_where_what_they_keep_will_be():
    view = home()
    assert view_problems(view) == []
    assert titles(view) == ["Hulp terwijl je klant aan de lijn is", "Bewaard voor straks"]
    assert say("help.example", "nl") in texts(view["blocks"])[1]
    assert elements(view)["ask"]["text"]["text"] == "Stel een vraag"
    assert "_Bewaar voor straks_" in texts(view["blocks"])[-1]


def test_an_agent_sees_what_changed_what_they_asked_a_coach_and_what_they_kept():
    view = home(changed=(NEWS,), asked=(REQUEST,), kept=(ANSWER,))
    assert view_problems(view) == []
    assert titles(view)[1:] == ["Pas veranderd", "Gevraagd aan een coach", "Bewaard voor straks"]
    said = texts(view["blocks"])
    assert "*Bedenktijd*\nSinds 19 juni: ook met de _knop_" in said
    assert "*klant is verhuisd*\nSinds 21 november" in said


def test_a_day_of_another_year_says_which():
    said = texts(home(Role.COACH, date(2027, 1, 4), changed=(NEWS,), asked=(REQUEST,), queue=(REQUEST,))["blocks"])
    for line in ("Sinds 19 juni 2026: ook met de _knop_", "Sinds 21 november 2026", "Een collega, 21 november 2026"):
        assert any(text.endswith(line) for text in said)


def test_a_line_stands_above_each_list():
    kinds = [block["type"] for block in home(Role.COACH, changed=(NEWS,), asked=(REQUEST,))["blocks"]]
    headers = [place for place, kind in enumerate(kinds) if kind == "header"]
    assert [kinds[place - 1] for place in headers[1:]] == ["divider"] * 4
    assert kinds.count("divider") == 4


def test_what_changed_can_be_opened_and_what_was_kept_opened_and_taken_away():
    view = home(changed=(NEWS,), kept=(ANSWER,))
    opened, kept = accessories(view)
    assert (opened["action_id"], opened["value"]) == ("open:0", "nl spijt")
    assert opened["accessibility_label"] == "Bekijk: Bedenktijd"
    assert (kept["action_id"], kept["value"]) == ("open:0", "nl move")
    drop = elements(view)["drop"]
    assert drop["value"] == ANSWER.id
    assert drop["accessibility_label"] == "Haal weg: Verhuizing"


def test_a_kept_answer_without_an_article_can_only_be_taken_away():
    view = home(kept=(replace(ANSWER, card=None),))
    assert list(elements(view)) == ["ask", "drop"]
    assert accessories(view) == []


def test_a_coach_opens_what_the_asker_saw():
    (seen,) = accessories(home(Role.COACH, queue=(REQUEST,)))
    assert (seen["action_id"], seen["value"]) == ("seen:0", ANSWER.id)
    assert seen["accessibility_label"] == "Bekijk: klant is verhuisd"
    assert accessories(home(asked=(REQUEST,))) == []


@pytest.mark.parametrize("role", [Role.COACH, Role.ADMIN])
def test_whoever_coaches_sees_what_is_open_with_its_day_and_never_who_asked(role):
    view = home(role, queue=(REQUEST, REQUEST))
    assert titles(view)[1] == "Open vragen: 2"
    assert "*klant is verhuisd*\nEen collega, 21 november" in texts(view["blocks"])
    assert "p-asker" not in json.dumps(view)


def test_a_coach_with_nothing_to_do_reads_so_and_an_agent_has_no_queue():
    assert say("home.queue_none", "nl") in texts(home(Role.COACH)["blocks"])
    assert not [title for title in titles(home(queue=(REQUEST,))) if title.startswith("Open")]


def test_long_lists_end_in_how_many_more_there_are():
    view = home(Role.COACH, queue=(REQUEST,) * 13)
    assert texts(view["blocks"]).count("*klant is verhuisd*\nEen collega, 21 november") == 10
    assert "En nog 3." in texts(view["blocks"])


# -- modals --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_modal_is_valid(language):
    for view in (
        ask_modal(language),
        ask_modal(language, text="klant ruikt gas", channel="C1"),
        share_modal("a" * 32, language),
        waiting_modal(language),
        message_modal("Dank je.", language),
        message_modal(copy_blocks(ANSWER), language),
        message_modal([], language),
    ):
        assert view_problems(view) == []
        assert view["close"]["text"] == say("modal.close", language)


def test_a_question_is_typed_in_one_field_of_limited_length():
    (asked,) = [block for block in ask_modal("nl")["blocks"] if block["type"] == "input"]
    assert (asked["block_id"], asked["element"]["action_id"]) == ("text", "text")
    assert (asked["element"]["type"], asked["element"]["max_length"]) == ("plain_text_input", 2000)
    assert asked["element"]["multiline"]
    assert "initial_value" not in asked["element"]


@pytest.mark.parametrize(("language", "send"), [("nl", "Zoek antwoord"), ("en", "Find answer")])
def test_the_form_shows_in_the_field_how_to_ask_and_says_nothing_twice(language, send):
    view = ask_modal(language)
    (asked,) = view["blocks"]
    assert asked["element"]["placeholder"]["text"] == say("help.example", language)
    assert view["submit"]["text"] == send


def test_what_was_said_already_stands_in_the_field_and_the_channel_travels_along():
    view = ask_modal("nl", text="x" * 3000, channel="C1")
    assert view["blocks"][-1]["element"]["initial_value"] == "x" * 2000
    assert (view["callback_id"], view["private_metadata"]) == ("ask", "C1")


def test_an_answer_is_shared_in_a_conversation_between_people():
    view = share_modal("a" * 32, "nl")
    (asked,) = view["blocks"]
    assert (view["callback_id"], view["private_metadata"]) == ("share", "a" * 32)
    assert (asked["element"]["type"], asked["element"]["action_id"]) == ("conversations_select", "channel")
    assert asked["element"]["filter"] == {"include": ["public", "private", "mpim"], "exclude_bot_users": True}
    assert asked["hint"]["text"] == say("share.hint", "nl")


def test_an_answer_in_a_modal_is_the_answer():
    assert answer_modal(ANSWER, Shown(more=True))["blocks"] == answer_blocks(ANSWER, Shown(more=True), Where.MODAL)


# -- anything ------------------------------------------------------------------------------------------------
def fits(view):
    assert view_problems(view) == []
    assert len(view["blocks"]) <= 100
    assert len(json.dumps(view)) <= 250_000
    assert not [text for text in texts(view) if re.search(r"<[!@#]", text)]


@settings(max_examples=40, deadline=None)
@given(homes)
def test_any_home_is_valid_and_pings_nobody(made_up):
    fits(home_view(made_up, TODAY))


@settings(max_examples=40, deadline=None)
@given(answers, anything, anything, languages)
def test_any_modal_is_valid_and_pings_nobody(answer, text, metadata, language):
    fits(answer_modal(answer, Shown(choosing=True)))
    fits(message_modal(seen_blocks(answer), language))
    fits(message_modal(text, language))
    fits(share_modal(metadata, language))
    view = ask_modal(language, text=text, channel=metadata)
    assert view_problems(view) == []  # what is in the field is the person's own text, as they typed it
