"""Everything in Teams besides a question and its reply: commands, threads, dialogs, thumbs, coming and going."""

import asyncio
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from adaptive import elements
from conftest import TODAY, article, make_desk
from fake_connector import MENTION, TENANT, WAIT, FakeTeams, at, buttons, card, file, in_channel, picture, shown, typed

from bots.teams_activities import to_asked_about
from bots.teams_cards import CARD
from core.inbox import Inbox
from core.library import shelve
from core.model import Place, Role
from core.store import Identity
from core.words import reasons, say

MOVE = article(
    """---
title: Verhuizing doorgeven
topic: Verhuizen
changes:
  - since: 2026-11-01
    new: ook per chat
---
## In het kort
Ja, tot 30 dagen later.

## Stappen
1. Vraag de nieuwe postcode.
2. Kies *Verhuizing*.

## Zo zeg je het
- "Ik zet het voor u klaar."
- "U krijgt een mail."

## Als het misgaat
1. Postcode onbekend: zoek op straat.
2. Straat onbekend: bel het kadaster.
3. Nog niets: terugbelafspraak.
""",
    "move",
)
INVOICE = article("---\ntitle: Factuur uitleggen\ntopic: Factuur\n---\n## Stappen\n1. Open de factuur.\n", "invoice")
LONG = article(
    "---\ntitle: Bewindvoerder registreren\ntopic: Contract\n---\n## Stappen\n"
    + "".join(f"{number}. Doe ding {number}.\n" for number in range(1, 8)),
    "long",
)
SALES = article("---\ntitle: Targets voor verkoop\naudience: [sales]\n---\nVertrouwelijk verhaal.\n", "sales")
QUESTION = "verhuizing doorgeven"
UNSURE = "verhuizing factuur bewindvoerder"
UNKNOWN = "wie wint er het voetbal"
EDITED = {"tenant": {"id": TENANT}, "eventType": "editMessage"}
OVERHEARD = in_channel(entities=[])
CHANNEL = "19:abc@thread.tacv2"


@pytest.fixture(autouse=True)
def _no_typing(monkeypatch):
    """However slow the machine is, typing comes only where a test asks for it."""
    monkeypatch.setattr("core.courier._PATIENCE", 60)


@pytest.fixture
def desk(store):
    return make_desk(store, (MOVE, INVOICE, LONG, SALES))


@pytest.fixture
async def teams(desk):
    async with FakeTeams(desk) as teams:
        yield teams


@pytest.fixture
def bas(teams):
    """A colleague."""
    return teams.someone("bas")


@pytest.fixture
def thoughts(desk, monkeypatch):
    """What people think, with the title of what they think it of."""
    kept, rate = [], desk.store.rate

    def note(feedback, now):
        answer = desk.recall(feedback.answer_id)
        kept.append((answer.card.title, feedback.helpful, feedback.note))
        return rate(feedback, now)

    monkeypatch.setattr(desk.store, "rate", note)
    return kept


def who(name):
    return Identity("teams", TENANT, f"aad-{name}")


def make_coach(desk, name="anna"):
    return desk.store.set_person(who(name), role=Role.COACH)


def button(element, verb, **data):
    return next(one for one in buttons(element) if one["verb"] == verb and one["data"].items() >= data.items())


def submits(dialog):
    """What can be tapped in a dialog."""
    found = elements(dialog["task"]["value"]["card"]["content"])
    return [one for one in found if one["type"] == "Action.Submit"]


def hold(monkeypatch, of, name):
    """Whatever calls this waits until it is released."""
    released, do = threading.Event(), getattr(of, name)
    monkeypatch.setattr(of, name, lambda *what, **more: released.wait(WAIT) and do(*what, **more))
    return released


async def quiet(teams, so_far=0):
    """Nothing more is said."""
    await teams.settled()
    assert len(teams.connector.replies) == so_far


# -- where people ask --------------------------------------------------------------------------------------------------
async def test_a_question_in_a_channel_is_kept_by_channel_and_thread(teams, monkeypatch):
    kept, receive = [], teams.desk.store.receive
    monkeypatch.setattr(teams.desk.store, "receive", lambda event, now: kept.append(event) or receive(event, now))
    reply = await teams.say_in_channel(QUESTION, thread="42")
    assert [(event.place, event.thread) for event in kept] == [(CHANNEL, "42")]
    assert reply["conversation"]["id"] == f"{CHANNEL};messageid=42"


async def test_a_question_in_a_group_chat_is_answered_there(teams):
    reply = await teams.say_in_group(QUESTION)
    assert "Verhuizing doorgeven" in shown(reply)
    assert reply["conversation"]["id"] == "19:group@thread.v2"


@pytest.mark.parametrize("say_in", ["say_in_channel", "say_in_group"])
async def test_our_name_alone_gets_help_wherever_it_is_said(teams, say_in):
    assert (await getattr(teams, say_in)(""))["text"] == say("help.text", "nl", example=say("help.example", "nl"))


async def test_where_others_read_along_only_what_all_may_see_is_shown(teams, desk):
    desk.store.set_person(who("anna"), audience=["sales"])
    assert "Vertrouwelijk" in shown(await teams.say("targets voor verkoop"))
    assert "Vertrouwelijk" not in shown(await teams.say_in_channel("targets voor verkoop"))
    asked = await teams.say_in_group("open sales")  # which to them is no article, so it is a question
    assert shown(asked).startswith(say("answer.none_near", "nl"))
    assert "Vertrouwelijk" not in shown(asked)


async def test_a_mention_of_us_and_a_colleague_is_a_question(teams, bas):
    also = {"type": "mention", "mentioned": {"id": bas.id, "name": "Bas"}, "text": "<at>Bas</at>"}
    entities = [*teams.in_channel()["entities"], also]
    assert "Verhuizing doorgeven" in shown(await teams.say_in_channel(f"{QUESTION} <at>Bas</at>", entities=entities))


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        (file(), "file"),
        (picture(), "file"),
        ({"contentType": "audio/mp4", "contentUrl": "https://files.example/1"}, "voice"),
    ],
)
async def test_what_we_cannot_read_is_said_so(teams, sent, key):
    assert (await teams.say("", attachments=[sent]))["text"] == say(f"help.{key}", "nl")
    asked = await teams.say(QUESTION, attachments=[sent, typed(f"<p>{QUESTION}</p>")])
    assert say(f"unread.{key}", "nl") in shown(asked)
    assert "Vraag de nieuwe postcode." in shown(asked)


async def test_what_teams_adds_to_a_text_is_no_file(teams):
    assert say("unread.file", "nl") not in shown(await teams.say(QUESTION, attachments=[typed(QUESTION)]))


# -- threads -----------------------------------------------------------------------------------------------------------
async def test_a_follow_up_in_a_thread_by_mention_is_about_what_was_asked_there(teams):
    await teams.say_in_channel(QUESTION)
    assert "Verhuizing doorgeven" in shown(await teams.say_in_channel("en hoe moet dat?"))
    assert say("answer.none_near", "nl") in shown(await teams.say_in_channel("en hoe moet dat?", thread="43"))


@pytest.mark.parametrize("where", ["channel", "group"])
async def test_where_we_hear_everything_the_asker_need_not_mention_us_again(teams, where):
    await getattr(teams, f"say_in_{where}")(QUESTION)
    unaddressed = getattr(teams, f"in_{where}")(entities=[])
    follow_up = await teams.say("en als de postcode onbekend is?", **unaddressed)
    assert "Verhuizing doorgeven" in shown(follow_up)


@pytest.mark.parametrize(
    ("who_says", "text", "over"),
    [
        ("bas", "en als de postcode onbekend is?", {}),
        ("anna", "ok verhuizing doorgeven is gelukt", {}),
        ("anna", "en als de postcode onbekend is?", in_channel("43", entities=[])),
        (
            "anna",
            "<at>Bas</at> hoe moet een verhuizing doorgeven?",
            {"entities": [{"type": "mention", "mentioned": {"id": "29:bas"}, "text": "<at>Bas</at>"}]},
        ),
    ],
)
async def test_what_is_not_for_us_in_a_thread_is_left_alone(teams, who_says, text, over):
    await teams.say_in_channel(QUESTION)
    somebody = teams.someone(who_says)
    await somebody.post(somebody.message(text, **OVERHEARD | over))
    await quiet(teams, 1)


async def test_an_agent_does_not_decide_what_a_channel_hears(teams, desk):
    assert (await teams.say_in_channel("hier aan"))["text"] == say("command.not_yours", "nl")
    assert not desk.store.place("teams", TENANT, CHANNEL).listens


async def test_where_a_coach_wants_it_questions_that_nobody_put_to_us_are_answered(teams, desk, bas):
    make_coach(desk)
    assert (await teams.say_in_channel("hier aan"))["text"] == say("teams.listens", "nl")
    answer = await bas.say(QUESTION + "?", **in_channel("50", entities=[], id="50"))
    assert "Verhuizing doorgeven" in shown(answer)
    assert answer["conversation"]["id"] == f"{CHANNEL};messageid=50"
    await bas.post(bas.message("wie heeft er zin in lunch?", **in_channel("51", entities=[], id="51")))
    assert (await teams.say_in_channel("here off"))["text"] == say("command.no_longer_listens", "nl")
    await bas.post(bas.message(QUESTION + "?", **in_channel("52", entities=[], id="52")))
    await quiet(teams, 3)


# -- commands ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("word", ["help", "Hulp", "?"])
async def test_help_tells_what_can_be_typed(teams, word):
    assert say("teams.usage", "nl") in (await teams.say(word))["text"]


@pytest.mark.parametrize("word", ["hier", "here"])
async def test_a_command_without_its_end_tells_how_it_works(teams, word):
    assert (await teams.say_in_channel(word))["text"] == say("teams.here_how", "nl")


@pytest.mark.parametrize("where", [{}, {"conversation": {"id": "19:g@thread.v2", "conversationType": "groupChat"}}])
async def test_only_a_channel_has_questions_to_overhear(teams, desk, where):
    make_coach(desk)
    assert (await teams.say(f"{MENTION} hier aan", **where))["text"] == say("command.here_not", "nl")


@pytest.mark.parametrize("word", ["onderwerpen", "Topics"])
async def test_topics_are_browsed_down_to_an_article_and_stay_for_the_next(teams, word):
    topics = await teams.say(word)
    body = await teams.tap(button(topics, "topics", topic="Factuur"), **at(topics))
    assert "Factuur uitleggen" in shown(body["value"])
    assert card(await teams.connector.next_update()) == body["value"]
    assert (await teams.tap(button(body["value"], "open"), **at(topics)))["value"] == say("teams.below", "nl")
    assert "Open de factuur." in shown(await teams.connector.next())
    assert len(teams.connector.updated) == 1


@pytest.mark.parametrize("word", ["overzicht", "OVERVIEW"])
async def test_an_overview_is_for_one_and_so_goes_to_the_private_chat(teams, desk, word):
    assert say("teams.overview", "nl") in shown(await teams.say(word))
    told = await teams.say_in_channel(word)
    assert told["text"] == say("teams.private", "nl")
    assert say("teams.overview", "nl") in shown(teams.connector.standing()[-1])
    assert teams.connector.opened == []


async def test_an_overview_for_somebody_without_the_app_is_refused_with_a_sentence(teams):
    teams.connector.without_us.add(teams.id)
    assert (await teams.say_in_channel("overzicht"))["text"] == say("teams.private_not", "nl")


async def test_an_article_opens_by_its_id_and_anything_else_that_begins_so_is_a_question(teams):
    assert "Open de factuur." in shown(await teams.say("open invoice"))
    asked = await teams.say("open factuur")
    await teams.settled()
    assert "Open de factuur." in shown(asked)
    assert teams.desk.standing(Place("teams", TENANT, "a:personal"), asked["id"]).question == "open factuur"


@pytest.mark.parametrize("text", ["help", "onderwerpen", "overzicht", "open move", "hier aan"])
async def test_a_command_that_comes_four_times_is_obeyed_once(teams, text):
    said = teams.message(text)
    await asyncio.gather(*(teams.post(said) for _ in range(4)))
    await quiet(teams, 1)
    assert teams.desk.store.facts()["event"] == 1


async def test_a_command_that_fails_is_apologised_for(teams, monkeypatch, caplog):
    monkeypatch.setattr(teams.desk, "home", lambda *_: 1 / 0)
    assert (await teams.say("overzicht"))["text"] == say("error.broken", "nl")
    assert "ZeroDivisionError" in caplog.text


async def test_english_is_spoken_with_whoever_wrote_english_last(teams):
    await teams.say("how does the customer report that they are moving house?")
    assert say("teams.usage", "en") in (await teams.say("help"))["text"]


# -- edited and deleted ------------------------------------------------------------------------------------------------
async def test_an_edit_that_newly_mentions_us_is_a_question_and_any_other_is_left_alone(teams, desk):
    desk.store.set_place(Place("teams", TENANT, CHANNEL, listens=True))
    await teams.post(teams.message("wie heeft er zin in lunch?", id="42", **OVERHEARD))
    await teams.edit("42", QUESTION + "?", **OVERHEARD | {"channelData": EDITED})
    await quiet(teams)
    for text in (QUESTION, QUESTION + "!"):
        await teams.edit("42", f"{MENTION} {text}", **in_channel(channelData=EDITED))
    assert "Verhuizing doorgeven" in shown(await teams.connector.next())
    await quiet(teams, 1)


async def test_an_edit_of_what_was_answered_or_obeyed_is_left_alone(teams):
    for text in (QUESTION, "onderwerpen"):
        await teams.say(text, id=text)
        await teams.edit(text, text + " factuur")
        await teams.edit(text, "overzicht")
    await quiet(teams, 2)


async def test_an_edit_that_turns_a_mention_into_a_command_is_obeyed(teams):
    await teams.edit("42", f"{MENTION} onderwerpen", **in_channel(channelData=EDITED))
    assert say("teams.topics", "nl") in shown(await teams.connector.next())


@pytest.mark.parametrize("where", [{}, in_channel()])
async def test_a_question_that_is_taken_back_takes_its_answer_along(teams, desk, where):
    reply = await teams.say(f"{MENTION} {QUESTION}", **{"id": "42"} | where)
    await teams.settled()
    await teams.take_back("42", **where)
    assert await teams.connector.next_deletion() == reply["id"]
    await teams.post(teams.message(QUESTION, **{"id": "42"} | where))
    await quiet(teams, 1)
    assert desk.store.facts()["answer"] == 0


async def test_a_question_that_is_taken_back_while_it_is_answered_leaves_nothing(teams, desk, monkeypatch):
    answering, finish = threading.Event(), hold(monkeypatch, desk.store, "finish")
    answer = desk.answer
    monkeypatch.setattr(desk, "answer", lambda question: answering.set() or answer(question))
    await teams.post(teams.message(QUESTION, id="42"))
    await asyncio.to_thread(answering.wait, WAIT)
    withdrawn = threading.Event()
    withdraw = desk.store.withdraw
    monkeypatch.setattr(desk.store, "withdraw", lambda *what: (withdraw(*what), withdrawn.set())[0])
    await teams.take_back("42")
    await asyncio.to_thread(withdrawn.wait, WAIT)
    finish.set()
    await quiet(teams)
    assert desk.store.facts()["answer"] == 0


async def test_a_question_that_is_taken_back_while_its_answer_is_posted_takes_it_along(teams, desk, monkeypatch):
    sent = hold(monkeypatch, desk.store, "sent")
    reply = await teams.say(QUESTION, id="42")
    withdrawn, withdraw = threading.Event(), desk.store.withdraw
    monkeypatch.setattr(desk.store, "withdraw", lambda *what: (withdraw(*what), withdrawn.set())[0])
    await teams.take_back("42")
    await asyncio.to_thread(withdrawn.wait, WAIT)
    sent.set()
    assert await teams.connector.next_deletion() == reply["id"]


async def test_a_question_taken_back_because_we_asked_for_it_leaves_the_answer_standing(teams):
    reply = await teams.say(f"{QUESTION} voor NL91ABNA0417164300, hoe moet dat?", id="42")
    assert say("privacy.warn", "nl") in shown(reply)
    await teams.settled()
    await teams.take_back("42")
    await teams.settled()
    assert teams.connector.deleted == []


async def test_an_answer_that_somebody_took_away_already_is_no_error(teams, caplog):
    reply = await teams.say(QUESTION, id="42")
    await teams.settled()
    del teams.connector._places["a:personal"][reply["id"]]
    await teams.take_back("42")
    await teams.settled()
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


# -- coming and going --------------------------------------------------------------------------------------------------
async def test_whoever_adds_us_is_welcomed_once(teams):
    await teams.install()
    welcome = await teams.connector.next()
    assert say("teams.welcome", "nl") in shown(welcome)
    assert "Verhuizing doorgeven" in shown(welcome)
    assert "Vertrouwelijk" not in shown(welcome)
    await teams.install()
    await teams.post(teams.activity(type="installationUpdate", action="add-upgrade"))
    await quiet(teams, 1)


async def test_a_welcome_speaks_the_language_of_their_teams(teams):
    await teams.install(locale="en-GB")
    assert say("teams.welcome", "en") in shown(await teams.connector.next())


@pytest.mark.parametrize("where", ["in_channel", "in_group"])
async def test_a_team_or_a_group_chat_is_not_welcomed(teams, where):
    await teams.install(**getattr(teams, where)())
    await quiet(teams)
    assert teams.desk.reach(who("anna")) is None


async def test_an_example_of_the_welcome_is_a_question(teams):
    await teams.install()
    tries = [one["data"]["msteams"]["value"] for one in elements(card(await teams.connector.next())) if "data" in one]
    assert "Verhuizing doorgeven" in tries
    for text in tries:
        assert (await teams.say(text))["attachments"]


async def test_whoever_takes_us_away_is_forgotten_and_welcomed_when_they_come_again(teams):
    await teams.install()
    await teams.settled()
    assert teams.desk.reach(who("anna"))
    await teams.remove()
    await teams.settled()
    assert teams.desk.reach(who("anna")) is None
    await teams.install()
    await quiet(teams, 2)
    assert teams.desk.reach(who("anna"))


async def test_an_upgrade_forgets_nobody_and_welcomes_nobody(teams):
    await teams.install()
    await teams.settled()
    for action in ("remove-upgrade", "add-upgrade"):
        await teams.post(teams.activity(type="installationUpdate", action=action))
        await teams.settled()
        assert teams.desk.reach(who("anna"))
    await quiet(teams, 1)


async def test_how_to_write_to_somebody_is_refreshed_by_whatever_they_do_and_holds_no_name(teams):
    answer = await teams.say(QUESTION)
    for act in (teams.tap(button(answer, "later"), **at(answer), locale="fr-FR"), teams.say("x", locale="de-DE")):
        await act
        await teams.settled()
    address = teams.desk.reach(who("anna"))
    assert (address["locale"], address["conversation"]["id"]) == ("de-DE", "a:personal")
    assert "Anna" not in json.dumps(address)
    assert "activityId" not in address


async def test_a_chat_of_two_colleagues_is_not_taken_for_the_one_with_us(teams):
    theirs = {"id": "19:anna_bas@unq.gbl.spaces", "conversationType": "personal", "tenantId": TENANT}
    await teams.search(QUESTION, conversation=theirs)
    await teams.ask_about(QUESTION, conversation=theirs)
    await teams.settled()
    assert teams.desk.reach(who("anna")) is None


async def test_without_a_chat_there_is_no_address(teams):
    await teams.tap({"verb": "topics", "data": {"verb": "topics"}}, conversation={"conversationType": "personal"})
    await teams.settled()
    assert teams.desk.reach(who("anna")) is None


async def test_when_an_address_cannot_be_kept_a_question_is_answered_all_the_same(teams, monkeypatch):
    monkeypatch.setattr(teams.desk, "meet", lambda *_: 1 / 0)
    assert "Verhuizing doorgeven" in shown(await teams.say(QUESTION))


# -- every button ------------------------------------------------------------------------------------------------------
async def cards(teams, desk, **where):
    """One of each card that can be posted."""
    make_coach(desk)
    kept = await teams.say(UNKNOWN)
    await teams.tap(button(kept, "coach"))
    choice = await teams.connector.next()
    await teams.tap(button(await teams.say(QUESTION), "later"))
    texts = [QUESTION, UNSURE, UNKNOWN, "bewindvoerder registreren", "onderwerpen"]
    found = [await teams.say(f"{MENTION} {text}", **where) for text in texts]
    return found if where else [*found, await teams.say("overzicht"), choice]


def kinds(element, seen):
    """Each button that is of a kind not seen before."""
    for one in buttons(element):
        kind = one["title"], one["verb"], one["data"].get("view"), one["data"].get("step")
        if kind not in seen:
            seen.add(kind)
            yield one


BROKEN = {say(key, "nl") for key in ("error.broken", "error.busy", "answer.gone")}
VERBS = {"open", "reshape", "wrong", "show", "done", "coach", "later", "topics"}


@pytest.mark.parametrize("where", [{}, in_channel()])
async def test_every_button_of_every_card_does_something_by_execute(teams, desk, where):
    seen, verbs = set(), set()
    tapping = [(found, at(found)) for found in await cards(teams, desk, **where)]
    for element, spot in tapping:
        for one in kinds(element, seen):
            body = await teams.tap(one, **spot)
            verbs.add(one["verb"])
            assert body["statusCode"] == 200
            if body["type"] == CARD:
                tapping.append((body["value"], spot))
            else:
                assert body["value"] not in BROKEN
    assert verbs == VERBS | ({"private"} if where else {"seen", "drop", "do"})


@pytest.mark.parametrize("where", [{}, in_channel()])
async def test_every_button_of_every_card_does_something_by_submit(teams, desk, where):
    seen, verbs = set(), set()
    tapping = await cards(teams, desk, **where)
    for element in tapping:
        for one in kinds(element, seen):
            verbs.add(one["verb"])
            said = await teams.submit(one, **where)
            assert said.get("text") not in BROKEN
            tapping.append(said)
    assert verbs == VERBS | ({"private"} if where else {"seen", "drop", "do"})


async def test_every_button_does_something_in_a_dialog(teams):
    seen, verbs = set(), set()
    tapping = [await teams.ask_about(f"<p>{text}</p>") for text in (QUESTION, UNSURE, "bewindvoerder registreren")]
    for dialog in tapping:
        assert dialog["task"]["type"] == "continue"
        assert buttons(dialog) == []
        for one in submits(dialog):
            kind = one["title"], one["data"].get("view"), one["data"].get("step")
            if kind not in seen:
                seen.add(kind)
                verbs.add(one["data"]["verb"])
                tapping.append(await teams.submit_in_dialog(one))
                assert not BROKEN & set(shown(tapping[-1]).split("\n"))
    assert verbs == VERBS - {"topics"}
    assert teams.connector.replies == []


async def test_what_is_said_in_a_dialog_stands_above_the_answer(teams):
    dialog = await teams.ask_about(QUESTION)
    coach = next(one for one in submits(dialog) if one["data"]["verb"] == "coach")
    told = shown((await teams.submit_in_dialog(coach))["task"]["value"]["card"])
    assert told.startswith(say("coach.none", "nl"))
    assert "Vraag de nieuwe postcode." in told


async def test_another_topic_than_meant_offers_the_next_titles(teams):
    reply = await teams.say(QUESTION)
    assert "Factuur uitleggen" not in shown(reply)
    assert "Factuur uitleggen" in shown((await teams.tap(button(reply, "wrong", reason="topic")))["value"])


async def test_steps_are_taken_one_at_a_time_and_the_message_follows(teams, thoughts):
    reply = await teams.say("bewindvoerder registreren")
    element = card(reply)
    for number in range(2, 8):
        element = (await teams.tap(button(element, "show", step=str(number - 1)), **at(reply)))["value"]
        assert say("steps.at", "nl", step=str(number), all="7") in shown(element)
    await teams.settled()
    assert card(teams.connector.standing()[0]) == element
    after = len(teams.connector.posted)
    assert (await teams.tap(button(element, "done"), **at(reply)))["value"] == say("teams.below", "nl")
    assert say("feedback.helped", "nl") in shown(await teams.connector.next(after=after))
    assert thoughts == [("Bewindvoerder registreren", True, "")]


@pytest.mark.parametrize("reason", reasons("nl"))
async def test_what_is_wrong_with_an_answer_is_kept_with_its_reason(teams, desk, monkeypatch, reason):
    kept = []
    monkeypatch.setattr(desk.store, "rate", lambda feedback, now: kept.append((feedback.helpful, feedback.reason)))
    reply = await teams.say(UNSURE)
    body = await teams.tap(button(reply, "wrong", reason=reason), **at(reply))
    assert say("feedback.thanks", "nl") in shown(body["value"])
    assert kept == [(False, reason)]


async def test_a_coach_sees_what_a_colleague_asked_below_the_overview_and_not_who(teams, desk, bas):
    make_coach(desk)
    await bas.tap(button(await bas.say(QUESTION), "coach"))
    await teams.connector.next()
    reply = await teams.say("overzicht")
    assert (await teams.tap(button(reply, "seen"), **at(reply)))["value"] == say("teams.below", "nl")
    seen = await teams.connector.next()
    assert say("home.colleague_asked", "nl", question=QUESTION) in shown(seen)
    assert "bas" not in json.dumps(seen).casefold()
    desk.store.set_person(who("anna"), role=Role.AGENT)
    assert (await teams.tap(button(reply, "seen"), **at(reply)))["value"] == say("command.not_yours", "nl")


async def test_what_was_put_aside_is_in_the_overview_until_it_is_taken_away(teams):
    await teams.tap(button(await teams.say(QUESTION), "later"))
    reply = await teams.say("overzicht")
    body = await teams.tap(button(reply, "drop"), **at(reply))
    assert say("button.drop", "nl") not in shown(body["value"])
    assert card(await teams.connector.next_update()) == body["value"]


# -- where others read along -------------------------------------------------------------------------------------------
async def test_what_a_colleague_taps_in_a_channel_is_theirs_to_see_and_changes_nothing_for_others(teams, bas):
    reply = await teams.say_in_channel(QUESTION)
    body = await bas.tap(button(reply, "show", view="shapes"), **at(reply))
    assert say("reshape.what", "nl") in shown(body["value"])
    await bas.tap(button(reply, "wrong", reason="unclear"), **at(reply))
    topics = await teams.say_in_channel("onderwerpen")
    titles = (await bas.tap(button(topics, "topics", topic="Factuur"), **at(topics)))["value"]
    assert "Open de factuur." in shown((await bas.tap(button(titles, "open"), **at(topics)))["value"])
    await quiet(teams, 2)
    assert teams.connector.updated == []


async def test_what_somebody_may_see_alone_is_not_shown_by_their_tap_in_a_channel(teams, desk, bas):
    reply = await teams.say_in_channel(QUESTION)
    desk.store.set_person(who("bas"), audience=["sales"])
    shelve(desk.store, desk.embedder, [replace(MOVE, audience=("sales",))])
    tapped = button(reply, "show", view="shapes")
    assert (await bas.tap(tapped, **at(reply)))["value"] == say("answer.gone", "nl")
    assert (await bas.submit(tapped, **in_channel()))["text"] == say("answer.gone", "nl")


@pytest.mark.parametrize("verb", ["drop", "seen"])
async def test_an_overview_never_comes_in_a_channel(teams, desk, verb):
    make_coach(desk)
    own = await teams.say(QUESTION)
    await teams.tap(button(own, "coach"))
    data = {"verb": verb, "answer_id": button(own, "later")["data"]["answer_id"], "language": "nl"}
    assert (await teams.submit({"fallback": {"data": data}}, **in_channel()))["text"] == say("answer.gone", "nl")


async def private(teams, reply, somebody):
    """*Antwoord in privéchat*; the sentence."""
    body = await somebody.tap(button(reply, "private"), **at(reply))
    await teams.settled()
    return body["value"]


async def test_an_answer_comes_in_the_private_chat_that_we_know(teams):
    await teams.say("hoi")
    reply = await teams.say_in_channel(QUESTION)
    assert await private(teams, reply, teams) == say("teams.private", "nl")
    answer = teams.connector.standing()[-1]
    assert "Verhuizing doorgeven" in shown(answer)
    assert say("teams.privately", "nl") not in shown(answer)
    assert teams.connector.opened == []


async def test_for_whoever_we_never_wrote_to_a_private_chat_is_opened(teams, bas):
    reply = await teams.say_in_channel(QUESTION)
    assert await private(teams, reply, bas) == say("teams.private", "nl")
    assert "Verhuizing doorgeven" in shown(teams.connector.standing("a:personal-bas"))
    assert [opened.activity["members"] for opened in teams.connector.opened] == [[{"id": bas.id}]]
    assert await private(teams, reply, bas) == say("teams.private", "nl")
    assert len(teams.connector.opened) == 1


async def test_whoever_does_not_have_the_app_is_told_how_to_get_it(teams, bas):
    teams.connector.without_us.add(bas.id)
    reply = await teams.say_in_channel(QUESTION)
    assert await private(teams, reply, bas) == say("teams.private_not", "nl")
    assert teams.desk.reach(who("bas")) is None


async def test_whoever_took_the_app_away_unnoticed_is_forgotten(teams):
    await teams.say("hoi")
    reply = await teams.say_in_channel(QUESTION)
    teams.connector.without_us.add(teams.id)
    teams.connector.fail(403)
    assert await private(teams, reply, teams) == say("teams.private_not", "nl")
    assert teams.desk.reach(who("anna")) is None


@pytest.mark.parametrize("status", [403, 404])
async def test_a_private_chat_that_is_gone_is_opened_anew(teams, status):
    await teams.say("hoi")
    reply = await teams.say_in_channel(QUESTION)
    teams.connector.fail(status)
    assert await private(teams, reply, teams) == say("teams.private", "nl")
    assert "Verhuizing doorgeven" in shown(teams.connector.standing()[-1])
    assert len(teams.connector.opened) == 1


async def test_in_private_somebody_sees_what_is_theirs(teams, desk):
    reply = await teams.say_in_channel(QUESTION)
    desk.store.set_person(who("anna"), audience=["sales"])
    shelve(desk.store, desk.embedder, [replace(MOVE, audience=("sales",))])
    assert await private(teams, reply, teams) == say("teams.private", "nl")


async def test_an_answer_in_private_that_teams_refuses_goes_in_a_plainer_form(teams):
    reply = await teams.say_in_channel(QUESTION)
    await teams.say("hoi")
    teams.connector.fail(400, 400)
    assert await private(teams, reply, teams) == say("teams.private", "nl")
    assert teams.connector.standing()[-1]["text"].startswith("Verhuizing doorgeven")


GAS = article(
    """---
title: Gaslucht
critical: true
signals: [ik ruik gas in huis, er is een gaslek, gaslucht in de kelder]
---
## Stappen
1. Laat de klant naar buiten gaan.
""",
    "gas",
)


async def test_a_follow_up_in_private_is_about_the_answer_that_came_there_and_not_about_a_danger_before_it(teams, desk):
    shelve(desk.store, desk.embedder, [GAS])
    assert "Gaslucht" in shown(await teams.say("gaslek, ik ruik gas in huis"))
    assert "Gaslucht" in shown(await teams.say("en hoe moet dat?"))
    await private(teams, await teams.say_in_group(QUESTION), teams)
    follow_up = shown(await teams.say("en hoe moet dat?"))
    assert "Verhuizing doorgeven" in follow_up
    assert "Gaslucht" not in follow_up


# -- Teams' own thumbs -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("reaction", "helpful"), [("like", True), ("dislike", False)])
async def test_a_thumb_is_kept_with_its_note_without_customer_data(teams, thoughts, reaction, helpful):
    reply = await teams.say(QUESTION)
    await teams.settled()
    response = await teams.rate(reply, reaction, "ok, IBAN NL91ABNA0417164300")
    assert (response.status, await response.json()) == (200, {})
    [(title, thought, note)] = thoughts
    assert (title, thought) == ("Verhuizing doorgeven", helpful)
    assert note.startswith("ok, ")
    assert "0417164300" not in note


async def test_a_thumb_is_about_what_stands_there_now(teams, thoughts):
    reply = await teams.say(UNSURE)
    await teams.tap(button(reply, "open", article_id="move"), **at(reply))
    await teams.settled()
    await teams.rate(reply)
    assert [title for title, *_ in thoughts] == ["Verhuizing doorgeven"]


async def test_a_thumb_counts_for_what_was_opened_below_and_in_private_too(teams, thoughts, bas):
    await teams.say("open invoice")
    await private(teams, await teams.say_in_channel(QUESTION), bas)
    for somebody, place in ((teams, "a:personal"), (bas, "a:personal-bas")):
        await somebody.rate(teams.connector.standing(place)[-1])
    assert [title for title, *_ in thoughts] == ["Factuur uitleggen", "Verhuizing doorgeven"]


async def test_a_colleague_may_think_otherwise_of_what_stands_in_a_channel(teams, thoughts, bas):
    reply = await teams.say_in_channel(QUESTION)
    await teams.settled()
    await bas.rate(reply, "dislike")
    await teams.rate(reply, "like")
    assert [helpful for _, helpful, _ in thoughts] == [False, True]


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ({"actionName": "feedback", "actionValue": {"reaction": "like", "feedback": "{"}}, 1),
        ({"actionName": "feedback", "actionValue": {"reaction": "like", "feedback": "[[[" * 9000}}, 1),
        ({"actionName": "feedback", "actionValue": {"reaction": "like"}}, 1),
        ({"actionName": "feedback", "actionValue": {"reaction": "love", "feedback": "{}"}}, 0),
        ({"actionName": "other", "actionValue": {"reaction": "like"}}, 0),
        ({"actionName": "feedback", "actionValue": "like"}, 0),
        (None, 0),
    ],
)
async def test_feedback_that_makes_no_sense_is_taken_for_what_it_does_say(teams, thoughts, value, count):
    reply = await teams.say(QUESTION)
    await teams.settled()
    response = await teams.invoke("message/submitAction", value, **at(reply))
    assert (response.status, await response.json()) == (200, {})
    assert len(thoughts) == count


async def test_a_thumb_on_what_is_no_answer_is_no_error(teams, thoughts, caplog):
    assert (await teams.rate(await teams.say("help"))).status == 200
    assert thoughts == []
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


# -- the message extension ---------------------------------------------------------------------------------------------
def found_titles(body):
    return [one["preview"]["content"]["title"] for one in body["composeExtension"]["attachments"]]


async def test_a_search_begins_with_what_there_is_to_try(teams):
    assert found_titles(await teams.search("")) == [
        "Verhuizing doorgeven",
        "Bewindvoerder registreren",
        "Factuur uitleggen",
    ]


async def test_a_search_gives_answers_to_insert_that_need_no_bot(teams):
    body = await teams.search(QUESTION, **in_channel())
    assert found_titles(body)[0] == "Verhuizing doorgeven"
    inserted = body["composeExtension"]["attachments"][0]["content"]
    assert "Vraag de nieuwe postcode." in shown(inserted)
    assert {one["type"] for one in elements(inserted) if one["type"].startswith("Action")} <= {
        "ActionSet",
        "Action.ToggleVisibility",
        "Action.OpenUrl",
    }
    assert teams.desk.store.facts()["answer"] == 0


async def test_a_search_finds_only_what_everybody_may_read(teams, desk):
    desk.store.set_person(who("anna"), audience=["sales"])
    for text in ("targets voor verkoop", ""):
        assert "Targets" not in json.dumps(await teams.search(text))


async def test_a_search_for_nothing_we_know_says_so(teams):
    assert (await teams.search("goedemorgen"))["composeExtension"] == {
        "type": "message",
        "text": say("teams.nothing", "nl"),
    }


@pytest.mark.parametrize("value", [None, {}, {"commandId": "other"}, {"commandId": 7}, []])
async def test_a_search_of_another_command_finds_nothing(teams, value):
    body = await teams.asked("composeExtension/query", value)
    assert body["composeExtension"]["text"] == say("teams.nothing", "nl")


async def test_a_search_that_takes_too_long_says_so(teams, desk, monkeypatch):
    monkeypatch.setattr("bots.teams_invokes._WITHIN", 0.01)
    released = hold(monkeypatch, desk, "find")
    assert (await teams.search(QUESTION, locale="en-US"))["composeExtension"]["text"] == say("error.busy", "en")
    released.set()


async def test_a_search_that_fails_says_so(teams, desk, monkeypatch, caplog):
    monkeypatch.setattr(desk, "find", lambda *_: 1 / 0)
    assert (await teams.search(QUESTION))["composeExtension"]["text"] == say("error.broken", "nl")
    assert "ZeroDivisionError" in caplog.text


# -- ask about this ----------------------------------------------------------------------------------------------------
async def test_a_message_is_asked_about_and_answered_in_a_dialog(teams, monkeypatch):
    asked, answer = [], teams.desk.answer
    monkeypatch.setattr(teams.desk, "answer", lambda question: asked.append(question.text) or answer(question))
    dialog = await teams.ask_about("<div><p>verhuizing&nbsp;<b>doorgeven</b></p><p>kan dat?</p></div>", **in_channel())
    assert asked == ["verhuizing doorgeven\nkan dat?"]
    assert "Vraag de nieuwe postcode." in shown(dialog["task"]["value"]["card"])
    assert dialog["task"]["value"]["title"] == say("modal.title", "nl")
    await quiet(teams)


async def test_asked_about_twice_is_answered_twice(teams):
    activity = teams.activity(
        type="invoke",
        name="composeExtension/fetchTask",
        value={"commandId": "ask_about", "messagePayload": {"id": "1", "body": {"content": QUESTION}}},
    )
    for responses in (await asyncio.gather(teams.post(activity), teams.post(activity)), [await teams.post(activity)]):
        for response in responses:
            assert "Vraag de nieuwe postcode." in shown(await response.json())
    await quiet(teams)


async def test_what_takes_too_long_for_a_dialog_comes_in_private(teams, desk, monkeypatch):
    monkeypatch.setattr("bots.teams_invokes._WITHIN", 0.01)
    monkeypatch.setattr("core.courier._PATIENCE", 0)
    released = hold(monkeypatch, desk, "answer")
    dialog = await teams.ask_about(QUESTION, **in_channel())
    assert shown(dialog["task"]["value"]["card"]) == say("teams.later", "nl")
    released.set()
    assert "Verhuizing doorgeven" in shown(await teams.connector.next(conversation="a:personal"))
    assert len(teams.connector.posted) == 1, "nobody sees in that channel that something is looked up"


async def test_what_was_asked_in_a_dialog_before_a_crash_comes_in_private(desk):
    async with FakeTeams(desk) as teams:
        value = {"commandId": "ask_about", "messagePayload": {"body": {"content": QUESTION}}}
        invoke = teams.activity(type="invoke", name="composeExtension/fetchTask", value=value)
        Inbox(desk).receive(to_asked_about(invoke))
        await teams.surface.start()
        assert "Verhuizing doorgeven" in shown(await teams.connector.next(conversation="a:personal"))


async def test_a_dialog_tells_when_the_desk_fails(teams, desk, monkeypatch):
    monkeypatch.setattr(desk.embedder, "query", lambda text: 1 / 0)
    assert shown((await teams.ask_about(QUESTION))["task"]["value"]["card"]) == say("error.broken", "nl")


@pytest.mark.parametrize("value", [None, {}, [], {"commandId": "other"}])
async def test_a_dialog_that_is_none_of_ours_says_so(teams, value):
    dialog = await teams.asked("composeExtension/fetchTask", value)
    assert shown(dialog["task"]["value"]["card"]) == say("answer.gone", "nl")


async def test_however_much_is_searched_a_tap_is_answered_meanwhile(teams, desk, monkeypatch):
    reply = await teams.say(QUESTION)
    looking, released, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def find(*asked):
        loop.call_soon_threadsafe(looking.set)
        released.wait(WAIT)
        return []

    monkeypatch.setattr(desk, "find", find)
    loop.set_default_executor(ThreadPoolExecutor(1))  # a search in here would keep everybody out
    search = asyncio.create_task(teams.search(QUESTION))
    await looking.wait()
    tapped = await teams.tap(button(reply, "later"))
    released.set()
    await search
    assert tapped["value"] == say("teams.kept", "nl")


@pytest.mark.parametrize("html", ["", "<p>&nbsp;</p>"])
async def test_a_message_without_text_is_said_to_hold_no_question(teams, html):
    dialog = await teams.ask_about(html)
    assert shown(dialog["task"]["value"]["card"]) == say("teams.no_question", "nl")


async def test_a_long_message_of_somebody_else_is_looked_up_by_how_it_begins(teams):
    dialog = await teams.ask_about(f"<p>{QUESTION}. {'En verder niets. ' * 500}</p>")
    assert say("error.too_long", "nl") not in shown(dialog["task"]["value"]["card"])


# -- is it solved? -----------------------------------------------------------------------------------------------------
@pytest.fixture
async def checked(teams, desk):
    """Anna asked in private and Bas, whom we cannot reach, in a channel; two hours later we look whom to ask."""
    teams.connector.without_us.add("29:bas")
    await teams.say(QUESTION)
    await teams.someone("bas").say_in_channel(QUESTION)
    await teams.settled()
    desk.now = lambda: TODAY + timedelta(hours=2)
    await teams.surface.start()
    return await teams.connector.next(after=2)


async def test_only_whom_we_can_reach_is_asked_whether_it_worked_out(teams, checked):
    assert shown(checked).startswith(say("check.ask", "nl"))
    assert checked["conversation"]["id"] == "a:personal"
    assert teams.connector.opened == []
    await quiet(teams, 3)


@pytest.mark.parametrize(
    ("verb", "key", "thought"),
    [
        ("helped", "feedback.helped", [True]),
        ("not_helped", "feedback.thanks", [False]),
        ("quiet", "check.left_alone", []),
    ],
)
async def test_the_answer_to_that_takes_the_place_of_the_question(teams, checked, thoughts, verb, key, thought):
    body = await teams.tap(button(checked, verb), **at(checked))
    assert say(key, "nl") in shown(body["value"])
    assert card(await teams.connector.next_update()) == body["value"]
    assert ("Verhuizing doorgeven" in shown(body["value"])) == (verb == "not_helped")
    assert [helpful for _, helpful, _ in thoughts] == thought


async def test_whoever_said_so_is_not_asked_again(teams, desk, checked):
    await teams.tap(button(checked, "quiet"), **at(checked))
    desk.now = lambda: TODAY + timedelta(days=2)
    await teams.say(QUESTION)
    await teams.settled()
    desk.now = lambda: TODAY + timedelta(days=2, hours=2)
    assert desk.to_check("teams") == []


async def test_one_who_cannot_be_asked_keeps_no_other_from_being_asked(teams, desk, bas, caplog):
    for somebody in (teams, bas):
        await somebody.say(QUESTION)
    await teams.settled()
    desk.now = lambda: TODAY + timedelta(hours=2)
    teams.connector.fail(409)  # what is worth no other attempt
    await teams.surface.start()
    assert say("check.ask", "nl") in shown(await teams.connector.next(after=2))
    assert "could not ask somebody on teams" in caplog.text


# -- privacy -----------------------------------------------------------------------------------------------------------
async def test_nothing_that_is_said_and_nobodys_name_is_in_the_log(teams, desk, monkeypatch, caplog, bas):
    caplog.set_level(logging.DEBUG)
    teams.connector.fail(400, 502)
    reply = await teams.say(QUESTION)
    await teams.settled()
    await teams.rate(reply, "dislike", "knettergek verhaal")
    await bas.search(QUESTION)
    await bas.ask_about(QUESTION)
    await teams.say("open factuur")
    await private(teams, await bas.say_in_channel(QUESTION), bas)
    monkeypatch.setattr(desk.embedder, "query", lambda text: 1 / 0)
    await bas.say_in_channel(QUESTION)
    await teams.settled()
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith(("bots", "core")))
    assert "could not answer on teams" in ours
    for told in (QUESTION, "factuur", "knettergek", "Anna", "Bas", "29:", "aad-"):
        assert told not in ours
