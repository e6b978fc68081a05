"""Whole conversations on the real model, as colleagues with a customer on the line have them."""

import itertools
from dataclasses import replace

import pytest

from core.inbox import Inbox
from core.model import Event, Outcome
from core.words import say

pytestmark = pytest.mark.model

_PLACES = itertools.count(1)


@pytest.fixture
def talk(starter_desk):
    """What is answered to each message of one direct conversation."""
    return conversation(starter_desk)


@pytest.fixture
def elsewhere(starter_desk):
    """The same of another one."""
    return conversation(starter_desk)


def conversation(desk):
    inbox, place = Inbox(desk), f"D-conversation-{next(_PLACES)}"
    numbers = itertools.count(1)

    def say_it(*texts):
        answers = []
        for text in texts:
            event = Event("slack", "T1", place, f"1.{next(numbers)}", place, text, {"team": "T1", "channel": place})
            assert inbox.receive(event)
            answers.append(inbox.handle(event).answer)
        return answers

    return say_it


def about(answer):
    return answer.card and answer.card.article_id.removesuffix("-en")


# -- danger ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "klant ruikt gas, en wat is de opzegvergoeding?",
        "mw ruikt gas. kan ze ook een betalingsregeling?",
        "hoe zeg ik contract op? klant ruikt gas",
        "customer wants to cancel and by the way she smells gas in the kitchen",
    ],
)
def test_danger_beside_another_subject_leads(talk, text):
    (answer,) = talk(text)
    assert answer.card.critical
    assert "gas" in about(answer)


@pytest.mark.parametrize("follow_up", ["wat moet ze doen", "en als ze boven zit?", "wat nu?"])
def test_a_follow_up_on_a_danger_is_about_that_danger(talk, follow_up):
    first, second = talk("mw ruikt gas in keuken!!", follow_up)
    assert about(first) == about(second)
    assert second.card.critical


def test_whoever_may_still_be_in_danger_is_not_told_to_wait_for_a_call(talk):
    first, second = talk("mw ruikt gas in keuken", "ze kan niet zo goed lopen zegt ze")
    assert second.bridge == ""
    assert (about(second) or second.alternatives[0].article_id) == first.card.article_id


def test_after_a_danger_another_question_is_answered(talk):
    assert about(talk("mw ruikt gas in keuken", "hoe geef ik een verhuizing door")[1]) == "verhuizing"


@pytest.mark.parametrize("word", ["meer", "zelf", "klaar", "buiten", "minder"])
def test_one_ordinary_word_is_no_danger(talk, word):
    (answer,) = talk(word)
    assert answer.card is None or not answer.card.critical


@pytest.mark.parametrize("word", ["gaslek", "gaslucht"])
def test_one_word_that_is_the_danger_leads(talk, word):
    (answer,) = talk(word)
    assert answer.card.critical


@pytest.mark.parametrize("text", ["mw ruikt gas in keuken", "klant zegt dat ie er een eind aan maakt"])
def test_danger_in_a_thread_that_we_answer_in_is_heard_without_a_mention(starter_desk, text):
    inbox, root = Inbox(starter_desk), f"7.{next(_PLACES)}"
    asked = Event(
        "slack", "T1", "C-thread", root, "U-thread", "betalingsregeling afspreken hoe", {}, direct=False, thread=root
    )
    inbox.receive(asked)
    inbox.handle(asked)
    overheard = replace(asked, message_id=f"{root}1", text=text, addressed=False)
    assert inbox.receive(overheard)
    assert inbox.handle(overheard).answer.card.critical
    assert not inbox.receive(replace(overheard, message_id=f"{root}2", text="ok ik ga het zo proberen"))


# -- the flow ----------------------------------------------------------------------------------------------------
def test_a_remark_in_between_changes_nothing(talk, elsewhere):
    asked, follow_up = "hoe geef ik een verhuizing door", "wat als de sleutel later komt?"
    first, _, third = talk(asked, "momentje hoor", follow_up)
    assert about(first) == about(third)
    assert elsewhere(asked, follow_up)[-1].confidence == third.confidence


@pytest.mark.parametrize("text", ["thx, nu incasso mislukt", "merci en salderen"])
def test_thanks_before_a_question_are_not_all_that_is_heard(talk, text):
    (answer,) = talk(text)
    assert answer.outcome is not Outcome.THANKS
    shown = {answer.card.article_id if answer.card else "", *(one.article_id for one in answer.alternatives)}
    assert shown & {"incasso-mislukt", "salderen"}


@pytest.mark.parametrize("text", ["bedankt", "thx!", "super bedankt voor je hulp", "thank you so much"])
def test_thanks_alone_are_welcome(talk, text):
    assert talk(text)[0].outcome is Outcome.THANKS


@pytest.mark.parametrize(
    "text",
    [
        "hoe geef ik een verhuizing door? en mag ik een betalingsregeling afspreken?",
        "verhuizing doorgeven?\nincasso mislukt?",
    ],
)
def test_of_two_questions_neither_is_lost(talk, text):
    (answer,) = talk(text)
    offered = {about(answer)} | {other.article_id for other in answer.alternatives}
    assert answer.message in {say("answer.two", "nl"), say("answer.two_which", "nl")}
    assert "verhuizing" in offered
    assert len(offered - {None}) == 2
