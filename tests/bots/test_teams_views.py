import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from adaptive import check, check_in_an_old_client, elements, tap, titled
from fake_connector import buttons, shown
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import answers, anything, homes, languages, shelves

from bots.teams_cards import CARD, Where, answer_card
from bots.teams_parts import MAX_CARD, MAX_MESSAGE
from bots.teams_views import check_card, overview_card, result, seen_card, sentence_card, topics_card, welcome_card
from core.commands import Command, Name, coach_typed, read_coach, read_command
from core.model import Answer, Card, Home, News, Outcome, Person, Request, Role, Suggestion
from core.words import say
from knowledge.article import Kind
from knowledge.moment import Moment
from knowledge.shape import Part

SOME_DAY = datetime(2026, 11, 21, 9, tzinfo=UTC)
TODAY = date(2026, 11, 23)
FIRST = (Part(Kind.STEPS, "Stappen", "1. Vraag de postcode."), Part(Kind.VERDICT, "In het kort", "Ja, dat **mag**."))
MORE = (Part(Kind.BACKGROUND, "Achtergrond", "Omdat het moet."),)
ARTICLE = Card("move", 1, "Verhuizing", "nl", "verhuizen", critical=False, first=FIRST, more=MORE)
ANSWER = Answer("a" * 32, Outcome.ANSWERED, "nl", "klant is verhuisd", moment=Moment.APPLY, card=ARTICLE)
REQUEST = Request(1, ANSWER, "p-asker", "teams", SOME_DAY)
NEWS = News(Suggestion("spijt", "Bedenktijd", "nl"), "sinds 19 juni 2026", "ook met de *knop*")


def lines(card):
    return shown(card["body"]).split("\n")


def headings(card):
    return [one["text"] for one in card["body"] if one.get("style") == "heading"]


def beside(card):
    """The buttons that stand beside an entry of a list."""
    return [tap(one) for one in elements(card) if one["type"] == "ColumnSet" for one in buttons(one)]


# -- welcome -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_welcome_says_who_we_are_how_to_ask_and_what_we_keep(language):
    card = welcome_card(language, ["klant ruikt gas"])
    check(card)
    check_in_an_old_client(card)
    said = lines(card)
    assert said[:3] == [say(key, language) for key in ("teams.welcome", "web.tagline", "manifest.agent")]
    assert said[-1] == say("teams.privacy", language)


def test_examples_are_asked_by_a_tap_in_the_name_of_whoever_taps():
    found = titled(welcome_card("nl", ["mag ik iets goedmaken?", "  ", "klant ruikt gas"]))
    assert list(found) == ["mag ik iets goedmaken?", "klant ruikt gas", "Onderwerpen", "Overzicht"]
    for title, one in list(found.items())[:2]:
        assert one["type"] == "Action.Submit"
        assert one["data"] == {"msteams": {"type": "imBack", "value": title}}


@pytest.mark.parametrize("language", ["nl", "en"])
def test_what_can_be_browsed_is_asked_for_by_commands_that_we_read(language):
    *_, topics, overview = titled(welcome_card(language, [])).values()
    said = [read_command(one["data"]["msteams"]["value"]) for one in (topics, overview)]
    assert said == [Command(Name.TOPICS), Command(Name.OVERVIEW)]


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_command_in_the_usage_is_one_that_we_read(language):
    marked = say("teams.usage", language).split("*")[1::2]
    *ours, coach, mine = marked
    assert [found.name if (found := read_command(one)) else one for one in ours] == [
        *(Name.TOPICS, Name.OVERVIEW, "open", Name.HERE_ON, Name.HERE_OFF),
    ]
    assert [read_coach(coach_typed(one)) for one in (coach, mine)] == [("panel", ""), ("mine", "")]
    assert read_command(say("teams.browse", language).split("*")[1]) == Command(Name.HELP)


def test_without_examples_nothing_is_said_of_them():
    assert say("help.prompts", "nl") not in lines(welcome_card("nl", []))


# -- topics ------------------------------------------------------------------------------------------------------------
SHELVES = {
    "contract": [Suggestion("bedenktijd", "Bedenktijd", "nl")],
    "": [Suggestion(f"a{number}", f"Artikel {number}", "nl") for number in range(12)],
}


def test_topics_are_buttons_and_the_titles_of_a_topic_are_one_tap_away_below_them():
    assert lines(topics_card(SHELVES, "nl")) == ["Waar gaat het over?", "Contract", "Overig"]
    card = topics_card(SHELVES, "nl", "contract")
    check(card)
    check_in_an_old_client(card)
    assert lines(card) == ["Waar gaat het over?", "Contract", "Overig", "Contract", "Bedenktijd"]
    opened = tap(titled(card)["Bedenktijd"])
    assert (opened.verb, opened.article_id, opened.language, opened.shown.back) == ("open", "bedenktijd", "nl", "")


def test_a_topic_without_a_name_can_be_chosen():
    chosen = tap(titled(topics_card(SHELVES, "nl"))["Overig"]).topic
    assert "Artikel 11" in titled(topics_card(SHELVES, "nl", chosen))


def test_a_tap_on_a_topic_speaks_the_language_of_the_list():
    assert {tap(one).language for one in buttons(topics_card(SHELVES, "en", "contract"))} == {"en"}


def test_of_a_very_long_topic_as_many_titles_are_shown_as_fit_and_a_sentence_says_so():
    many = {
        "t": [Suggestion(f"a{number}", f"Een titel van enige lengte, nummer {number}", "nl") for number in range(200)]
    }
    card = topics_card(many, "nl", "t")
    check(card)
    assert 40 < len(buttons(card)) < 200
    assert lines(card)[-1] == "Dit is niet alles. Typ je vraag, dan zoek ik het op."


def test_a_topic_that_is_gone_shows_the_others_and_no_knowledge_is_said():
    assert topics_card(SHELVES, "nl", "weg") == topics_card(SHELVES, "nl")
    assert lines(topics_card({}, "nl")) == [say("answer.empty", "nl")]


# -- overview ----------------------------------------------------------------------------------------------------------
def overview(role=Role.AGENT, today=TODAY, **fields):
    card = overview_card(Home(Person("p-me", role), "nl", **fields), today)
    check(card)
    return card


def test_somebody_new_sees_where_what_they_keep_will_be():
    card = overview()
    assert headings(card) == ["Jouw overzicht", "Bewaard voor straks"]
    assert "_Bewaar voor straks_" in lines(card)[-1]


def test_an_agent_sees_what_changed_what_they_asked_a_coach_and_what_they_kept():
    card = overview(changed=(NEWS,), asked=(REQUEST,), kept=(ANSWER,))
    check_in_an_old_client(card)
    assert headings(card)[1:] == ["Pas veranderd", "Gevraagd aan een coach", "Bewaard voor straks"]
    said = lines(card)
    assert said[said.index("Bedenktijd") + 1] == "Sinds 19 juni: ook met de knop"
    assert said[said.index("klant is verhuisd") + 1] == "Sinds 21 november"


def test_a_day_of_another_year_says_which():
    said = lines(overview(Role.COACH, date(2027, 1, 4), changed=(NEWS,), asked=(REQUEST,), queue=(REQUEST,)))
    for line in ("Sinds 19 juni 2026: ook met de knop", "Sinds 21 november 2026", "Een collega, 21 november 2026"):
        assert line in said


def test_what_changed_can_be_opened_and_what_was_kept_opened_and_taken_away():
    card = overview(changed=(NEWS,), kept=(ANSWER,))
    assert [(one.verb, one.article_id) for one in beside(card)] == [("open", "spijt")]
    opened, dropped = [tap(one) for one in buttons(card)][1:]
    assert (opened.verb, opened.article_id) == ("open", "move")
    assert (dropped.verb, dropped.answer_id) == ("drop", ANSWER.id)


def test_a_kept_answer_without_an_article_can_only_be_taken_away():
    assert [one["verb"] for one in buttons(overview(kept=(replace(ANSWER, card=None),)))] == ["drop"]


@pytest.mark.parametrize("role", [Role.COACH, Role.ADMIN])
def test_whoever_coaches_sees_what_is_open_with_its_day_opens_it_and_never_sees_who_asked(role):
    card = overview(role, queue=(REQUEST, REQUEST))
    assert headings(card)[1] == "Open vragen: 2"
    assert "Een collega, 21 november" in lines(card)
    assert [(one.verb, one.answer_id) for one in beside(card)] == [("seen", ANSWER.id)] * 2
    assert "p-asker" not in json.dumps(card)


def test_a_coach_with_nothing_to_do_reads_so_and_an_agent_has_no_queue():
    assert say("home.queue_none", "nl") in lines(overview(Role.COACH))
    assert not [title for title in headings(overview(queue=(REQUEST,))) if title.startswith("Open")]


def test_long_lists_end_in_how_many_more_there_are():
    card = overview(Role.COACH, queue=(REQUEST,) * 13, asked=(REQUEST,) * 6, kept=(ANSWER,) * 7)
    assert lines(card).count("Een collega, 21 november") == 5
    assert [line for line in lines(card) if line.startswith("En nog")] == ["En nog 8.", "En nog 1.", "En nog 2."]


def test_full_lists_fit_uncut():
    card = overview(Role.COACH, queue=(REQUEST,) * 9, asked=(REQUEST,) * 9, kept=(ANSWER,) * 9, changed=(NEWS,) * 9)
    assert say("answer.cut", "nl") not in lines(card)


# -- around an answer --------------------------------------------------------------------------------------------------
def test_what_a_colleague_got_to_see_is_their_question_and_the_answer_with_nothing_to_do_but_read():
    walked = replace(ARTICLE, walk=("een", "twee"), walked=Kind.STEPS)
    card = seen_card(replace(ANSWER, card=walked, question="klant *is* verhuisd"))
    check(card)
    assert shown(card["body"][0]) == "Een collega vroeg: klant *is* verhuisd"
    assert "1. Vraag de postcode." in lines(card)
    assert buttons(card) == []
    alternatives = (Suggestion("late", "Met terugwerkende kracht", "nl"),)
    refused = replace(ANSWER, outcome=Outcome.UNANSWERED, card=None, alternatives=alternatives)
    assert [one["title"] for one in buttons(seen_card(refused))] == ["Met terugwerkende kracht"]


def test_later_we_ask_whether_it_worked_out_and_need_not_ask_again():
    card = check_card(ANSWER)
    check(card)
    check_in_an_old_client(card)
    assert lines(card)[:2] == ["Is het gelukt?", "Verhuizing"]
    assert {one["title"]: one["verb"] for one in buttons(card)} == {
        "Ja": "helped",
        "Nee": "not_helped",
        "Vraag me dit nooit meer": "quiet",
    }
    assert {tap(one).answer_id for one in buttons(card)} == {ANSWER.id}


def test_a_sentence_in_a_dialog_keeps_its_emphasis():
    card = sentence_card(say("teams.here_how", "nl"), "nl")
    check(card)
    assert lines(card) == ["Noem mij en typ _hier aan_ of _hier uit_."]


def test_a_result_looks_like_its_title_and_what_matters_most_and_is_put_in_a_message_as_the_article_alone():
    found = result(ANSWER)
    assert (found["contentType"], found["content"]) == (CARD, answer_card(ANSWER, where=Where.INSERTED))
    assert found["preview"] == {
        "contentType": "application/vnd.microsoft.card.thumbnail",
        "content": {"title": "Verhuizing", "text": "Ja, dat mag."},
    }


def test_nothing_in_a_preview_is_live():
    card = replace(ARTICLE, title="<at>x</at>", first=(Part(None, "", "a & <b>"),))
    assert result(replace(ANSWER, card=card))["preview"]["content"] == {
        "title": "&lt;at&gt;x&lt;/at&gt;",
        "text": "a &amp; &lt;b&gt;",
    }


# -- anything ----------------------------------------------------------------------------------------------------------
@given(homes)
@settings(max_examples=30)
def test_any_overview_is_valid(home):
    check(overview_card(home, TODAY))


@given(shelves, languages, st.data())
@settings(max_examples=30)
def test_any_shelves_of_topics_are_valid(shelves, language, data):
    check(topics_card(shelves, language, data.draw(st.sampled_from(["", *shelves]) | anything)))


@given(answers, anything, st.lists(anything, max_size=4), languages)
@settings(max_examples=30)
def test_whatever_stands_around_any_answer_is_valid(answer, sentence, examples, language):
    for card in (
        seen_card(answer),
        check_card(answer),
        sentence_card(sentence, language),
        welcome_card(language, examples),
    ):
        check(card)


@given(st.lists(answers, min_size=5, max_size=5))
@settings(max_examples=30)
def test_any_results_fit_in_a_message_together(found):
    attachments = [result(answer, room_for=len(found)) for answer in found]
    assert len(json.dumps({"composeExtension": {"type": "result", "attachments": attachments}})) <= MAX_MESSAGE
    for one in attachments:
        check(one["content"], MAX_CARD)
        assert one["preview"]["content"]["title"].strip()
