from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import TODAY, article, make_desk

from core.inbox import Inbox
from core.model import Attachment, Event, Outcome, Place, Role
from core.store import Identity
from core.words import say

MOVE = article(
    "---\ntitle: Verhuizing doorgeven\n---\n## Stappen\n1. Vraag de nieuwe postcode.\n\nZonder sleutel.\n",
    "move",
)
REFUND = article("---\ntitle: Geld terug na retour\n---\n## Stappen\n1. Zoek de retour op.\n", "refund")
ASKED = Event(
    "slack", "T1", "C1", "1.1", "U1", "hoe geef ik een verhuizing door?", {"channel": "C1"}, direct=False, thread="1.1"
)
OVERHEARD = replace(ASKED, message_id="1.2", text="verhuizing doorgeven, hoe moet dat?", addressed=False)


@pytest.fixture
def desk(store):
    return make_desk(store, (MOVE, REFUND))


@pytest.fixture
def inbox(desk):
    return Inbox(desk)


def answered(inbox, event):
    assert inbox.receive(event)
    return inbox.handle(event).answer


# -- once ------------------------------------------------------------------------------------------------------
def test_the_same_message_is_received_once(inbox):
    assert inbox.receive(ASKED)
    assert not inbox.receive(ASKED)
    assert inbox.handle(ASKED) is not None
    assert inbox.handle(ASKED) is None


def test_what_a_crash_left_unanswered_is_found_again_as_it_was(inbox):
    asked = replace(ASKED, attachment=Attachment.FILE)
    inbox.receive(asked)
    assert inbox.undone("slack") == [asked]
    assert inbox.handle(asked).answer.card.article_id == "move"
    assert inbox.undone("slack") == []


def test_nothing_is_kept_with_customer_data_in_it_nor_of_what_others_said(inbox):
    inbox.receive(replace(ASKED, text="bel 0612345678 over verhuizing", before=("of 0687654321",)))
    (event,) = inbox.undone("slack")
    assert "06" not in event.text
    assert event.before == ()


def test_what_is_no_question_is_noted_once_and_never_answered(desk, inbox):
    assert inbox.once(ASKED)
    assert not inbox.once(ASKED)
    assert not inbox.receive(ASKED)
    assert inbox.handle(ASKED) is None
    assert inbox.undone("slack") == []
    with desk.store.read() as db:
        assert db.execute("select text, address from event").fetchall() == [("", None)]


# -- what was overheard ----------------------------------------------------------------------------------------
def test_the_asker_need_not_mention_us_again_in_the_same_thread(inbox):
    answered(inbox, ASKED)
    assert answered(inbox, OVERHEARD).card.article_id == "move"


@pytest.mark.parametrize(
    "change",
    [
        {"user": "U2"},
        {"text": "ok ik geef de verhuizing door"},
        {"thread": "2.2"},
        {"place": "C2"},
        {"team": "T2"},
        {"text": "wie wil er straks een kop koffie halen in de hal?"},
    ],
    ids=str,
)
def test_what_is_no_follow_up_of_the_asker_is_left_alone_and_not_kept(desk, inbox, change):
    answered(inbox, ASKED)
    events = desk.store.facts()["event"]
    assert not inbox.receive(replace(OVERHEARD, **change))
    assert desk.store.facts()["event"] == events


def test_after_a_quarter_of_an_hour_the_asker_mentions_us_again(desk, inbox):
    answered(inbox, ASKED)
    desk.now = lambda: TODAY + timedelta(minutes=14)
    assert inbox.receive(replace(OVERHEARD, message_id="1.3"))
    desk.now = lambda: TODAY + timedelta(minutes=16)
    assert not inbox.receive(OVERHEARD)


def test_where_a_place_wants_it_a_question_to_nobody_is_answered_when_we_are_sure(desk, inbox):
    alone = replace(OVERHEARD, thread="1.2")
    assert not inbox.receive(alone)
    desk.store.set_place(Place("slack", "T1", "C1", listens=True))
    assert answered(inbox, alone).outcome is Outcome.ANSWERED
    assert not inbox.receive(replace(alone, message_id="1.4", thread="1.4", text="wie haalt er koffie?"))
    assert not inbox.receive(replace(alone, message_id="1.5", thread="1.0")), "a reply in somebody else's thread"


def test_a_question_to_nobody_is_answered_from_what_everybody_may_see(desk, inbox, store):
    from core.library import shelve

    secret = replace(MOVE, id="secret", title="Korting voor medewerkers", audience=("hr",))
    shelve(store, desk.embedder, [secret])
    store.set_person(Identity("slack", "T1", "U1"), audience=["hr"], role=Role.ADMIN)
    store.set_place(Place("slack", "T1", "C1", listens=True))
    assert not inbox.receive(replace(OVERHEARD, thread="1.2", text="hoe zit het met korting voor medewerkers?"))


def test_nobody_is_noted_who_was_only_overheard(desk, inbox):
    answered(inbox, ASKED)
    known = desk.store.facts()["person"]
    assert not inbox.receive(replace(OVERHEARD, user="U2"))
    assert desk.store.facts()["person"] == known


# -- context ---------------------------------------------------------------------------------------------------
def test_what_was_asked_before_in_the_thread_helps_to_understand_a_follow_up(inbox):
    answered(inbox, replace(ASKED, text="klant wil geld terug na een retour"))
    follow_up = replace(ASKED, message_id="1.7", text="en zonder bon?")
    assert answered(inbox, follow_up).card.article_id == "refund"
    assert answered(inbox, replace(follow_up, message_id="1.8", thread="9.9")).card is None


def test_what_stood_above_the_question_helps_where_the_platform_shows_it(inbox):
    midway = replace(ASKED, text="en zonder bon?", before=("klant wil geld terug na een retour",))
    assert answered(inbox, midway).card.article_id == "refund"


def test_a_follow_up_too_short_to_tell_is_answered_in_the_language_of_the_conversation(inbox):
    answered(inbox, replace(ASKED, text="how does the customer report that they are moving house?"))
    assert answered(inbox, replace(ASKED, message_id="1.7", text="E28?")).language == "en"


# -- files -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", Attachment)
def test_a_file_or_voice_note_gets_a_sentence(inbox, kind):
    assert answered(inbox, replace(ASKED, text="", attachment=kind)).message == say(f"help.{kind}", "nl")


def test_a_question_beside_a_file_is_answered_and_the_file_is_said_to_be_unread(inbox):
    answer = answered(inbox, replace(ASKED, attachment=Attachment.FILE))
    assert answer.card.article_id == "move"
    assert say("unread.file", "nl") in answer.warnings


# -- taken back ------------------------------------------------------------------------------------------------
def test_a_question_that_was_taken_back_is_forgotten_and_not_answered_again(desk, inbox):
    inbox.receive(ASKED)
    delivery = inbox.handle(ASKED)
    inbox.sent(delivery, "9000.1")
    assert inbox.withdraw("slack", "T1", "C1", "1.1") == "9000.1"
    assert not inbox.receive(ASKED)
    assert desk.store.facts()["answer"] == 0


def test_a_reply_whose_question_was_taken_back_while_it_was_posted_is_known_to_be_unwanted(inbox):
    inbox.receive(ASKED)
    delivery = inbox.handle(ASKED)
    inbox.withdraw("slack", "T1", "C1", "1.1")
    assert not inbox.sent(delivery, "9000.1")


def test_a_follow_up_by_a_colleague_whom_we_know_is_left_alone_too(desk, inbox):
    answered(inbox, ASKED)
    desk.store.person(Identity("slack", "T1", "U2"))
    assert not inbox.receive(replace(OVERHEARD, user="U2"))


@pytest.mark.parametrize(("stays", "key"), [(True, "privacy.warn"), (False, "privacy.warn_private")])
def test_only_what_stays_where_it_was_typed_is_to_be_taken_away(inbox, stays, key):
    asked = replace(ASKED, text="bel 0612345678 over verhuizing doorgeven", stays=stays)
    assert answered(inbox, asked).warnings == (say(key, "nl"),)


@pytest.mark.parametrize(("hours", "before"), [(23, (ASKED.text,)), (25, ())])
def test_what_was_said_in_a_thread_helps_for_a_day(desk, inbox, monkeypatch, hours, before):
    answered(inbox, ASKED)
    desk.now = lambda: TODAY + timedelta(hours=hours)
    asked, answer = [], desk.answer
    monkeypatch.setattr(desk, "answer", lambda question: asked.append(question) or answer(question))
    answered(inbox, replace(ASKED, message_id="1.2", text="en zonder sleutel?"))
    assert asked[0].before == before


def test_a_question_that_was_taken_back_leaves_no_text(desk, inbox):
    answered(inbox, ASKED)
    inbox.withdraw("slack", "T1", "C1", "1.1")
    with desk.store.read() as db:
        assert db.execute("select text from event").fetchall() == [("",)]
