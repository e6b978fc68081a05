"""Everything in Slack besides a message and its reply: commands, shortcuts, forms, home, threads, coming and going."""

import asyncio
import json
import threading
from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from conftest import TODAY, article, make_desk
from fake_slack import (
    BOT,
    FakeSlack,
    SlackChat,
    deleted,
    edited,
    elements,
    event,
    mention,
    message,
    message_shortcut,
    slash,
    submission,
    texts,
    uninstalled,
)

from bots import slack_reply
from bots.slack_events import to_withdrawal
from bots.slack_install import Installed
from core.library import shelve
from core.model import Role
from core.secrets import Secrets
from core.settings import Settings
from core.store import Identity, Installation
from core.words import say
from knowledge.article import Status

MOVE = article(
    """---
title: Verhuizing doorgeven
topic: Verhuizen
owner: Team Verhuizen
verified: 2026-11-01
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
LONG = article(
    "---\ntitle: Bewindvoerder registreren\ntopic: Contract\n---\n## Stappen\n"
    + "".join(f"{number}. Doe ding {number}.\n" for number in range(1, 8)),
    "long",
)
SALES = article("---\ntitle: Targets voor verkoop\naudience: [sales]\n---\nVertrouwelijk verhaal.\n", "sales")
MOVING = "verhuizing doorgeven, hoe moet dat?"


@pytest.fixture
def desk(store):
    return make_desk(store, (MOVE, LONG, SALES))


@pytest.fixture
async def chat(desk):
    async with SlackChat(desk) as chat:
        yield chat


@pytest.fixture
async def following(desk):
    """An app that may read along in channels."""
    async with SlackChat(desk, slack_follow_threads=True) as chat:
        yield chat


def shown(payload):
    return "\n".join(texts(payload.get("blocks") or []))


def overheard(text, **fields):
    return message(text, channel="C1", channel_type="channel", **fields)


def make_coach(desk, user="U1"):
    return desk.store.set_person(Identity("slack", "T1", user), role=Role.COACH)


# -- the slash command -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", ["/ask", "/vraag"])
async def test_a_command_is_answered_for_the_asker_alone_with_the_question_above_it(chat, command):
    assert await chat.command(MOVING, command=command) == ""
    (answer,) = chat.slack.sent("response_url")
    assert shown(answer).startswith(say("slack.asked", "nl", question=MOVING))
    assert "Vraag de nieuwe postcode." in shown(answer)
    assert MOVING in answer["text"]
    assert answer.get("response_type", "ephemeral") == "ephemeral"
    assert chat.slack.sent() == []


@pytest.mark.parametrize(("way", "key"), [("command", "warn_private"), ("shortcut", "warn")])
async def test_only_what_stays_is_asked_to_be_deleted(chat, way, key):
    text = "verhuizing doorgeven van NL91ABNA0417164300"
    await (chat.command(text) if way == "command" else chat.shortcut(message_shortcut(text)))
    said = shown(chat.slack.sent("response_url")[-1])
    assert say(f"privacy.{key}", "nl") in said.splitlines()


async def test_where_others_read_along_a_tap_shows_only_what_all_may_see(chat, desk):
    payload = await chat.say(mention("verhuizing doorgeven"))
    desk.store.set_person(Identity("slack", "T1", "U1"), audience=["sales"])
    shelve(desk.store, desk.embedder, [replace(MOVE, audience=("sales",))])
    await chat.tap(payload, "more")
    assert chat.slack.sent("chat.postEphemeral")[-1]["text"] == say("answer.gone", "nl")


async def test_what_was_opened_and_shared_goes_with_the_workspace_too(chat, desk):
    await chat.command("open move")
    answer = chat.slack.sent("response_url")[-1] | {"channel": "C1", "ts": "1.1"}
    await chat.tap(answer, "share", ephemeral=True)
    assert desk.store.facts()["answer"] == 2
    await chat.send(uninstalled())
    await chat.settled()
    assert desk.store.facts()["answer"] == 0


async def test_the_same_command_twice_is_answered_once(chat):
    trigger_id = chat.slack.trigger()
    for _ in range(2):
        await chat.command(MOVING, trigger_id=trigger_id)
    assert len(chat.slack.sent("response_url")) == 1


@pytest.mark.parametrize(
    ("text", "language"), [("", "nl"), ("help", "nl"), ("hulp", "nl"), ("?", "nl"), ("HELP", "en")]
)
async def test_a_command_alone_tells_how_it_works(chat, desk, text, language):
    desk.store.set_person(Identity("slack", "T1", "U1"), language=language)
    await chat.command(text)
    (told,) = chat.slack.sent("response_url")
    assert {"nl": "/vraag onderwerpen", "en": "/ask topics"}[language] in told["text"]


async def test_a_command_that_only_begins_like_one_of_ours_is_a_question(chat):
    await chat.command("open verhuizing doorgeven kan dat?")
    assert "postcode" in shown(chat.slack.sent("response_url")[-1])


@pytest.mark.parametrize("word", ["overview", "Overzicht"])
async def test_an_overview_is_said_to_stand_at_home(chat, word):
    await chat.command(word)
    assert chat.slack.sent("response_url")[-1]["text"] == say("slack.overview", "nl")


async def test_topics_are_browsed_down_to_an_article(chat):
    await chat.command("onderwerpen")
    (topics,) = chat.slack.sent("response_url")
    here = {"channel": "C1", "ts": "1.1"}
    await chat.tap(topics | here, "topic", option="Verhuizen", ephemeral=True)
    titles = chat.slack.sent("response_url")[-1]
    assert titles["replace_original"] is True
    assert "Bewindvoerder" not in shown(titles)
    name = next(name for name in elements(titles) if name.startswith(("open", "title")))
    await chat.tap(titles | here, name, ephemeral=True)
    assert "postcode" in shown(chat.slack.sent("response_url")[-1])


async def test_an_article_opens_by_its_id_and_anything_else_that_begins_so_is_a_question(chat):
    await chat.command("open move")
    assert "postcode" in shown(chat.slack.sent("response_url")[-1])
    await chat.command("open factuur")
    assert say("answer.none_near", "nl") in shown(chat.slack.sent("response_url")[-1])


async def test_a_command_whose_way_back_has_closed_is_answered_in_a_direct_message(chat):
    chat.slack.refuse("response_url", "used_url", status=404)
    await chat.command(MOVING)
    (posted,) = chat.slack.sent()
    assert posted["channel"] == "U1"
    assert "postcode" in shown(posted)


async def test_an_answer_is_sent_to_slack_and_nowhere_else_whatever_a_payload_says(chat):
    await chat.command(MOVING, response_url="https://elsewhere.test/hook")
    assert "postcode" in shown(chat.slack.sent()[-1])


async def test_a_command_in_a_channel_never_learns_from_what_somebody_else_asked_there(chat):
    await chat.command("verhuizing doorgeven", user="U2")
    await chat.command("en zonder postcode?", user="U1")
    first, second = chat.slack.sent("response_url")
    assert "Vraag de nieuwe postcode." in shown(first)
    assert say("answer.none_near", "nl") in shown(second)
    await chat.command("en zonder postcode?", user="U2")
    assert "Vraag de nieuwe postcode." in shown(chat.slack.sent("response_url")[-1])


# -- here on, here off -----------------------------------------------------------------------------------------
async def test_only_a_coach_decides_what_a_channel_hears(following, desk):
    await following.command("here on")
    assert following.slack.sent("response_url")[-1]["text"] == say("command.not_yours", "nl")
    await following.send(overheard(MOVING))
    await following.settled()
    assert following.slack.sent() == []

    make_coach(desk)
    await following.command("hier aan")
    assert following.slack.sent("response_url")[-1]["text"] == say("command.listens", "nl")
    asked = overheard(MOVING)
    payload = await following.say(asked)
    assert payload["thread_ts"] == asked["event"]["ts"]
    await following.send(overheard("wie heeft er zin in lunch?"))
    await following.command("hier uit")
    await following.send(overheard(MOVING))
    await following.settled()
    assert len(following.slack.sent()) == 1


async def test_a_channel_that_we_may_not_hear_is_said_to_need_more_and_is_not_heard(chat, desk):
    make_coach(desk)
    await chat.command("here on")
    assert chat.slack.sent("response_url")[-1]["text"] == say("command.cannot_listen", "nl")
    await chat.send(overheard(MOVING))
    await chat.settled()
    assert chat.slack.sent() == []


async def test_a_direct_message_is_no_channel_to_listen_in(following, desk):
    make_coach(desk)
    await following.command("here on", channel="D1")
    assert following.slack.sent("response_url")[-1]["text"] == say("command.here_not", "nl")


async def test_while_nothing_can_be_kept_nobody_is_answered_who_did_not_ask_us(following, desk, monkeypatch):
    for name in ("receive", "turns", "place"):
        monkeypatch.setattr(desk.store, name, lambda *what: 1 / 0)
    await following.send(overheard("gaan we zo lunchen met zijn allen?"))
    await following.settled()
    assert following.slack.sent() == []


async def test_in_a_group_message_the_asker_need_not_mention_us_again(chat):
    asked = message(f"<@{BOT}> verhuizing doorgeven", channel="G1", channel_type="mpim")
    await chat.say(asked)
    again = message(
        "en als de postcode onbekend is?", channel="G1", channel_type="mpim", thread_ts=asked["event"]["ts"]
    )
    assert "Verhuizing doorgeven" in shown(await chat.say(again))


async def test_a_coach_by_user_group_is_a_coach_until_they_leave_it(desk):
    async with FakeSlack() as platform:
        platform.usergroups["S1"] = ["U1"]
        async with SlackChat(desk, platform, slack_coach_group="S1", slack_follow_threads=True) as chat:
            await chat.command("here on")
            assert desk.store.place("slack", "T1", "C1").listens
        platform.usergroups["S1"] = []
        async with SlackChat(desk, platform, slack_coach_group="S1", slack_follow_threads=True) as chat:
            await chat.command("here off")
            assert platform.sent("response_url")[-1]["text"] == say("command.not_yours", "nl")


# -- threads ---------------------------------------------------------------------------------------------------
async def test_in_a_thread_the_asker_need_not_mention_us_again(following):
    asked = mention("verhuizing doorgeven")
    await following.say(asked)
    follow_up = overheard("en als de postcode onbekend is?", thread_ts=asked["event"]["ts"])
    assert "Verhuizing doorgeven" in shown(await following.say(follow_up))


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("en als de postcode onbekend is?", {"user": "U2"}),
        ("<@U2> weet jij hoe een verhuizing doorgeven moet?", {}),
        ("<!here> hoe moet een verhuizing doorgeven?", {}),
        ("ok verhuizing doorgeven is gelukt", {}),
        ("en als de postcode onbekend is?", {"thread_ts": "1600.1"}),
        ("en als de postcode onbekend is?", {"bot_id": "B7"}),
    ],
)
async def test_what_is_not_for_us_in_a_thread_is_left_alone(following, text, fields):
    asked = mention("verhuizing doorgeven")
    await following.say(asked)
    await following.send(overheard(text, **{"thread_ts": asked["event"]["ts"]} | fields))
    await following.settled()
    assert len(following.slack.sent()) == 1


async def test_mentioned_halfway_a_thread_we_read_what_stands_above(following):
    root = overheard("klant wil een verhuizing doorgeven")
    following.slack.hear(root)
    payload = await following.say(mention("hoe moet dat?", thread_ts=root["event"]["ts"]))
    assert "Verhuizing doorgeven" in shown(payload)


async def test_without_permission_to_read_along_no_thread_is_asked_for(chat):
    await chat.say(mention("hoe moet dat?", thread_ts="1600.1"))
    assert chat.slack.sent("conversations.replies") == []


async def test_a_thread_that_slack_does_not_show_does_not_stand_in_the_way(following):
    following.slack.refuse("conversations.replies", "missing_scope")
    assert "postcode" in shown(await following.say(mention("verhuizing doorgeven", thread_ts="1600.1")))


async def test_a_thread_that_slack_is_slow_to_show_does_not_hold_the_answer(following, monkeypatch):
    monkeypatch.setattr("core.courier._LEARN_WITHIN", 0.05)
    following.slack.refuse("conversations.replies", "ratelimited", status=429, retry_after=5, times=3)
    assert "postcode" in shown(await following.say(mention("verhuizing doorgeven", thread_ts="1600.1")))


async def test_in_a_long_thread_what_stands_right_above_helps(following):
    root = overheard("iets heel anders")
    following.slack.hear(root)
    for number in range(20):
        following.slack.hear(overheard(f"praatje {number}", thread_ts=root["event"]["ts"]))
    following.slack.hear(overheard("klant wil een verhuizing doorgeven", thread_ts=root["event"]["ts"]))
    payload = await following.say(mention("hoe moet dat?", thread_ts=root["event"]["ts"]))
    assert "Verhuizing doorgeven" in shown(payload)


async def test_a_thread_below_an_answer_in_a_direct_message_follows_up_on_it(chat):
    payload = await chat.ask("verhuizing doorgeven")
    await chat.settled()
    again = await chat.say(message("en hoe moet dat?", thread_ts=payload["ts"]))
    assert "Verhuizing doorgeven" in shown(again)


@pytest.mark.parametrize("reason", ["not_in_channel", "is_archived", "restricted_action", "channel_not_found"])
async def test_where_we_may_not_speak_the_asker_hears_it_directly(chat, reason):
    chat.slack.refuse("chat.postMessage", reason)
    payload = await chat.say(mention("verhuizing doorgeven"))
    assert payload["channel"] == "U1"


async def test_somebody_from_another_organisation_is_told_that_this_is_for_colleagues(chat, desk):
    await chat.send(mention("verhuizing doorgeven", user_team="T9"))
    (told,) = await chat.slack.wait("chat.postEphemeral")
    assert told["text"] == say("slack.stranger", "nl")
    await chat.say(mention("verhuizing doorgeven", user_team="T1"))
    assert desk.store.facts()["event"] == 1


# -- edited and deleted ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("asked", [message("verhuizing doorgeven"), mention("verhuizing doorgeven")])
async def test_a_question_that_is_taken_back_takes_its_answer_along(chat, desk, asked):
    payload = await chat.say(asked)
    await chat.settled()
    await chat.send(deleted(asked))
    await chat.settled()
    assert [gone["ts"] for gone in chat.slack.sent("chat.delete")] == [payload["ts"]]
    await chat.send(asked)
    await chat.settled()
    assert len(chat.slack.sent()) == 1
    assert desk.store.facts()["answer"] == 0


async def test_a_question_taken_back_because_we_asked_for_it_leaves_the_answer_standing(chat, desk):
    asked = message("verhuizing doorgeven voor NL91ABNA0417164300, hoe moet dat?")
    payload = await chat.say(asked)
    assert say("privacy.warn", "nl") in shown(payload)
    await chat.settled()
    await chat.send(deleted(asked))
    await chat.settled()
    assert chat.slack.sent("chat.delete") == []
    await chat.tap(payload, "more")
    assert "Straat onbekend" in shown(chat.slack.sent("response_url")[-1])
    answer_id = elements(payload)["wrong"]["value"].split()[0]
    assert desk.recall(answer_id).question == ""


async def test_a_question_with_its_answer_below_it_that_is_taken_back_takes_the_answer_along(following):
    asked = mention("verhuizing doorgeven")
    payload = await following.say(asked)
    await following.settled()
    await following.send(deleted(asked, replied=True))
    await following.settled()
    assert [gone["ts"] for gone in following.slack.sent("chat.delete")] == [payload["ts"]]


async def test_a_question_that_is_taken_back_while_it_is_answered_leaves_nothing(chat, desk, monkeypatch):
    held, answering = threading.Event(), threading.Event()
    finish = desk.store.finish

    def slow(*what):
        answering.set()
        held.wait(10)
        return finish(*what)

    monkeypatch.setattr(desk.store, "finish", slow)
    asked = message("verhuizing doorgeven")
    await chat.send(asked)
    await asyncio.to_thread(answering.wait, 10)
    gone = to_withdrawal(deleted(asked))
    await chat.surface._courier.withdraw("T1", gone.spot.channel, gone.message_id, gone.spot.address())
    held.set()
    await chat.settled()
    assert chat.slack.sent() == []
    assert desk.store.facts()["answer"] == 0


async def test_an_edit_is_left_alone_unless_it_mentions_us_anew(chat):
    asked = message("wie weet hoe een verhuizing doorgeven moet", channel="G1", channel_type="mpim")
    await chat.send(asked)
    await chat.send(edited(asked, "wie weet hoe een verhuizing doorgeven moet?"))
    await chat.settled()
    assert chat.slack.sent() == []
    payload = await chat.say(edited(asked, f"<@{BOT}> hoe moet een verhuizing doorgeven"))
    assert payload["thread_ts"] == asked["event"]["ts"]
    answered = message(f"<@{BOT}> verhuizing doorgeven", channel="G1", channel_type="mpim")
    await chat.say(answered)
    await chat.send(edited(answered, f"<@{BOT}> verhuizing doorgeven graag"))
    await chat.settled()
    assert len(chat.slack.sent()) == 2


async def test_a_mention_that_was_edited_in_is_answered(chat):
    late = mention("verhuizing doorgeven", edited={"user": "U1", "ts": "1700.9"})
    await chat.say(late)
    await chat.send(late)
    await chat.settled()
    assert len(chat.slack.sent()) == 1


# -- files -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("file", "kind"),
    [({"mimetype": "image/png"}, "file"), ({"mimetype": "audio/mp4", "subtype": "slack_audio"}, "voice")],
)
async def test_a_file_or_voice_note_gets_a_sentence(chat, file, kind):
    payload = await chat.say(message("", subtype="file_share", files=[{"id": "F1"} | file]))
    assert payload["text"] == say(f"help.{kind}", "nl")


# -- shortcuts and forms ---------------------------------------------------------------------------------------
async def test_a_shortcut_on_a_message_looks_up_what_it_says(chat):
    await chat.shortcut(message_shortcut("klant wil een <@U5> verhuizing doorgeven"))
    (answer,) = chat.slack.sent("response_url")
    assert "postcode" in shown(answer)
    assert "U5" not in shown(answer)


async def test_from_anywhere_a_form_opens_and_the_answer_stands_in_it(chat):
    await chat.shortcut()
    form = chat.slack.modal
    answered = await chat.submit(form, {"text": MOVING})
    assert answered["response_action"] == "update"
    assert "postcode" in shown(chat.slack.modal)
    assert chat.slack.modal["id"] == form["id"]


async def test_an_answer_in_a_form_has_its_buttons_like_any_answer(chat):
    await chat.shortcut()
    await chat.submit(chat.slack.modal, {"text": MOVING})
    await chat.tap(chat.slack.modal, "more")
    assert "Straat onbekend" in shown(chat.slack.modal)
    answer = chat.slack.modal
    await chat.tap(answer, "wrong")
    assert chat.slack.modal["id"] != answer["id"], "pushed on top, so that the answer is still there"
    await chat.tap(chat.slack.modal, "reason:unclear")
    assert say("feedback.thanks", "nl") in shown(chat.slack.modal)
    await chat.tap(answer, "menu", option="copy")
    assert "Ik zet het voor u klaar." in shown(chat.slack.modal)


async def test_the_answer_comes_into_a_form_after_what_was_acked_and_not_before(chat, monkeypatch):
    acked = asyncio.Event()
    pause = asyncio.sleep

    async def sleep(seconds):
        if seconds == slack_reply.ACKED_WITHIN:
            await acked.wait()
        else:
            await pause(seconds)

    monkeypatch.setattr("bots.slack_reply.asyncio.sleep", sleep)
    await chat.shortcut()
    answered = await chat.interact(submission(chat.slack.modal, {"text": MOVING}))
    assert say("modal.waiting", "nl") in shown(answered["view"])
    await pause(0.2)
    assert chat.slack.sent("views.update") == []
    acked.set()
    await chat.settled()
    assert "postcode" in shown(chat.slack.modal)


async def test_a_form_whose_work_fails_does_not_keep_waiting(chat, desk, monkeypatch):
    await chat.tap(await chat.ask("verhuizing doorgeven"), "menu", option="share")
    chat.slack.refuse("chat.postMessage", "oops")
    await chat.submit(chat.slack.modal, {"channel": "C5"})
    assert say("error.broken", "nl") in shown(chat.slack.modal)


async def test_a_shortcut_on_one_message_does_not_learn_from_another(chat):
    await chat.shortcut(message_shortcut("klant wil een verhuizing doorgeven"))
    await chat.shortcut(message_shortcut("en hoe moet dat?"))
    assert say("answer.none_near", "nl") in shown(chat.slack.sent("response_url")[-1])


async def test_a_form_that_was_closed_meanwhile_is_answered_in_a_direct_message(chat):
    await chat.shortcut()
    chat.slack.refuse("views.update", "not_found")
    await chat.submit(chat.slack.modal, {"text": MOVING})
    assert chat.slack.sent()[-1]["channel"] == "U1"
    assert "postcode" in shown(chat.slack.sent()[-1])


# -- home ------------------------------------------------------------------------------------------------------
async def test_home_tells_how_to_ask_and_what_changed(chat):
    home = await chat.open_home()
    assert say("help.example", "nl") in shown(home)
    assert "Verhuizing doorgeven" in shown(home)
    assert say("home.queue", "nl", count="0") not in shown(home)
    await chat.tap(home, "ask")
    await chat.submit(chat.slack.modal, {"text": MOVING})
    assert "postcode" in shown(chat.slack.modal)


async def test_what_changed_opens_from_home(chat):
    home = await chat.open_home()
    await chat.tap(home, "open:0")
    assert "postcode" in shown(chat.slack.modal)


async def test_a_question_to_the_coaches_is_in_their_home_and_not_who_asked(chat, desk):
    make_coach(desk, "U7")
    payload = await chat.ask("wat eten we vandaag met zn allen")
    await chat.tap(payload, "coach")
    assert chat.slack.sent("chat.postEphemeral")[-1]["text"] == say("coach.asked", "nl")
    assert "wat eten we vandaag" in shown(await chat.open_home("U7"))
    assert "U1" not in shown(await chat.open_home("U7"))
    mine = await chat.open_home("U1")
    assert "wat eten we vandaag" in shown(mine)
    assert "wat eten we vandaag" not in shown(await chat.open_home("U2"))


async def test_a_coach_sees_what_the_asker_saw_and_can_press_nothing_in_it(chat, desk):
    make_coach(desk, "U7")
    await chat.tap(await chat.ask("hoe kan ik een verhuizing doorgeven"), "coach")
    home = await chat.open_home("U7")
    await chat.tap(home, "seen:0", user="U7")
    assert say("home.colleague_asked", "nl", question="hoe kan ik een verhuizing doorgeven") in shown(chat.slack.modal)
    assert "Vraag de nieuwe postcode." in shown(chat.slack.modal)
    assert elements(chat.slack.modal) == {}
    assert "U1" not in shown(chat.slack.modal)


async def test_whoever_is_no_coach_any_more_does_not_see_what_others_were_told(chat, desk):
    make_coach(desk, "U7")
    await chat.tap(await chat.ask("hoe kan ik een verhuizing doorgeven"), "coach")
    home = await chat.open_home("U7")
    desk.store.set_person(Identity("slack", "T1", "U7"), role=Role.AGENT)
    await chat.tap(home, "seen:0", user="U7")
    assert shown(chat.slack.modal) == say("command.not_yours", "nl")


async def test_what_was_put_aside_is_at_home_until_it_is_taken_away(chat):
    await chat.tap(await chat.ask("verhuizing doorgeven"), "menu", option="later")
    assert chat.slack.sent("chat.postEphemeral")[-1]["text"] == say("later.kept", "nl")
    home = await chat.open_home()
    assert "drop" in elements(home)
    await chat.tap(home, "drop")
    assert "drop" not in elements(chat.slack.homes["U1"])


async def test_what_is_tapped_at_home_too_long_ago_for_a_form_comes_in_a_direct_message(chat):
    home = await chat.open_home()
    chat.slack.refuse("views.open", "expired_trigger_id")
    await chat.tap(home, "open:0")
    assert "postcode" in shown(chat.slack.sent()[-1])
    chat.slack.refuse("views.open", "expired_trigger_id", times=2)
    await chat.tap(home, "ask")
    assert chat.slack.sent()[-1]["text"] == say("error.broken", "nl")


async def test_home_speaks_the_language_that_somebody_last_wrote_in(chat):
    chat.slack.locales["U1"] = "en-GB"
    assert say("home.ask", "nl") in shown(await chat.open_home())
    await chat.ask("how does the customer report that they are moving house?")
    assert say("home.ask", "en") in shown(await chat.open_home())
    await chat.ask("hoe geeft de klant door dat hij gaat verhuizen?")
    assert say("home.ask", "nl") in shown(await chat.open_home())


async def test_an_empty_conversation_gets_examples_to_tap(chat):
    await chat.open_home(tab="messages")
    (given,) = chat.slack.sent("assistant.threads.setSuggestedPrompts")
    assert [prompt["message"] for prompt in given["prompts"]] == ["Verhuizing doorgeven", "Bewindvoerder registreren"]
    assert chat.slack.sent() == []


# -- sharing and copying ---------------------------------------------------------------------------------------
async def test_an_answer_to_a_command_is_shared_in_its_channel_without_the_question(chat):
    await chat.command(MOVING)
    answer = chat.slack.sent("response_url")[-1] | {"channel": "C1", "ts": "1.1"}
    for _ in range(2):
        await chat.tap(answer, "share", ephemeral=True)
    (shared,) = [said for said in chat.slack.sent("response_url") if said.get("response_type") == "in_channel"]
    assert chat.slack.sent("response_url")[-1]["text"] == say("share.done", "nl")
    assert "postcode" in shown(shared)
    assert "<@U1>" in shown(shared)
    assert MOVING not in shown(shared)


async def test_a_tap_on_what_was_shared_is_answered_where_we_are_no_member_and_keeps_who_shared_it(chat, desk):
    make_coach(desk, "U9")
    chat.slack.channels["C8"] = None
    await chat.command("mevrouw Jansen: " + MOVING, channel="C8")
    answer = chat.slack.sent("response_url")[-1] | {"channel": "C8", "ts": "1.1"}
    await chat.tap(answer, "share", ephemeral=True)
    (shared,) = [said for said in chat.slack.sent("response_url") if said.get("response_type") == "in_channel"]
    shared |= {"channel": "C8", "ts": "1.2"}
    await chat.tap(shared, "more", user="U2")
    assert "<@U1>" in shown(chat.slack.sent("response_url")[-1])
    await chat.tap(shared, "coach", user="U2")
    assert chat.slack.sent("response_url")[-1]["text"] == say("coach.asked", "nl")
    assert "Jansen" not in shown(await chat.open_home("U2"))


async def test_a_retired_article_is_no_longer_opened_by_a_tap_on_an_old_answer(chat, desk):
    payload = await chat.ask("verhuizing doorgeven")
    shelve(desk.store, desk.embedder, [replace(MOVE, status=Status.RETIRED)])
    await chat.tap(payload, "more")
    assert chat.slack.sent("chat.postEphemeral")[-1]["text"] == say("answer.gone", "nl")


async def test_from_a_direct_message_one_chooses_where_to_share(chat):
    await chat.tap(await chat.ask("verhuizing doorgeven"), "menu", option="share")
    await chat.submit(chat.slack.modal, {"channel": "C5"})
    shared = chat.slack.sent()[-1]
    assert shared["channel"] == "C5"
    assert "postcode" in shown(shared)
    assert say("share.done", "nl") in shown(chat.slack.modal)


async def test_a_channel_that_we_are_not_in_is_said_to_need_us(chat):
    await chat.tap(await chat.ask("verhuizing doorgeven"), "menu", option="share")
    chat.slack.refuse("chat.postMessage", "not_in_channel")
    await chat.submit(chat.slack.modal, {"channel": "C5"})
    assert "/invite" in shown(chat.slack.modal)


async def test_what_is_not_for_everybody_is_not_shared(chat, desk):
    desk.store.set_person(Identity("slack", "T1", "U1"), audience=["sales"])
    payload = await chat.ask("targets voor verkoop")
    assert "Targets voor verkoop" in shown(payload)
    await chat.tap(payload, "menu", option="share")
    assert chat.slack.sent("chat.postEphemeral")[-1]["text"] == say("share.private", "nl")
    assert chat.slack.modals == {}


async def test_each_sentence_to_say_can_be_copied(chat):
    await chat.tap(await chat.ask("verhuizing doorgeven"), "menu", option="copy")
    (copied,) = chat.slack.sent("chat.postEphemeral")
    assert len([block for block in copied["blocks"] if block["type"] == "rich_text"]) == 2
    assert "Ik zet het voor u klaar." in shown(copied)


async def test_another_topic_than_meant_offers_the_next_titles_and_a_coach(chat):
    payload = await chat.ask("verhuizing doorgeven")
    await chat.tap(payload, "wrong")
    await chat.tap(chat.slack.sent("chat.postEphemeral")[-1], "reason:topic", ephemeral=True)
    thanked = chat.slack.sent("response_url")[-1]
    assert say("feedback.thanks", "nl") in shown(thanked)
    assert {"open:0", "coach"} <= set(elements(thanked))


# -- step by step ----------------------------------------------------------------------------------------------
async def test_more_steps_than_a_screen_holds_are_taken_one_at_a_time_in_place(chat, desk):
    payload = await chat.ask("bewindvoerder registreren")
    assert "Doe ding 1." in shown(payload)
    assert "Doe ding 2." not in shown(payload)
    assert "step:back" not in elements(payload)
    for number in range(2, 8):
        await chat.tap(payload, "step:next")
        payload |= chat.slack.sent("response_url")[-1]
        assert say("steps.at", "nl", step=str(number), all="7") in shown(payload)
        assert f"Doe ding {number}." in shown(payload)
    assert "step:next" not in elements(payload)
    await chat.tap(payload, "step:back")
    assert "Doe ding 6." in shown(chat.slack.sent("response_url")[-1])
    redrawn = len(chat.slack.sent("response_url"))
    await chat.tap(payload, "step:done")
    assert chat.slack.sent("chat.postEphemeral")[-1]["text"] == say("feedback.helped", "nl")
    assert len(chat.slack.sent("response_url")) == redrawn, "the message stays as it is"
    assert len(chat.slack.sent()) == 1


async def test_checks_are_tried_one_by_one_until_one_works(chat):
    payload = await chat.ask("verhuizing doorgeven")
    await chat.tap(payload, "menu", option="reshape")
    await chat.tap(payload | chat.slack.sent("response_url")[-1], "shape:solve")
    solving = payload | chat.slack.sent("response_url")[-1]
    assert "zoek op straat" in shown(solving)
    assert "kadaster" not in shown(solving)
    await chat.tap(solving, "step:next")
    assert "kadaster" in shown(chat.slack.sent("response_url")[-1])


# -- did it help -----------------------------------------------------------------------------------------------
async def test_a_thumb_up_is_thanked_for_and_a_thumb_down_is_asked_why(chat):
    payload = await chat.ask("verhuizing doorgeven")
    await chat.tap(payload, "helped", option="positive")
    assert chat.slack.sent("chat.postEphemeral")[-1]["text"] == say("feedback.helped", "nl")
    await chat.tap(payload, "helped", option="negative")
    assert "reason:outdated" in elements(chat.slack.sent("chat.postEphemeral")[-1])


async def test_later_somebody_is_asked_once_whether_it_worked_out(desk):
    async with FakeSlack() as platform:
        async with SlackChat(desk, platform) as chat:
            await chat.say(mention("verhuizing doorgeven"))
            await chat.settled()
        desk.now = lambda: TODAY + timedelta(hours=2)
        async with SlackChat(desk, platform) as chat:
            asked = (await platform.wait(count=2))[-1]
            assert (asked["channel"], asked["text"]) == ("U1", say("check.ask", "nl"))
            await chat.tap(asked, "helped:yes")
            assert platform.sent("response_url")[-1]["text"] == say("feedback.helped", "nl")
        async with SlackChat(desk, platform) as chat:
            await chat.settled()
        assert len(platform.sent()) == 2


async def test_one_who_cannot_be_asked_keeps_no_other_from_being_asked(chat, desk):
    for user in ("U1", "U2"):
        await chat.ask("verhuizing doorgeven", user=user)
    await chat.settled()
    desk.now = lambda: TODAY + timedelta(hours=2)
    chat.slack.refuse("chat.postMessage", "account_inactive")
    await chat.surface._taps.check()
    assert [said["text"] for said in chat.slack.sent()[2:]] == [say("check.ask", "nl")]


async def test_whoever_does_not_want_to_be_asked_is_not_asked_again(desk):
    async with FakeSlack() as platform:
        async with SlackChat(desk, platform) as chat:
            await chat.ask("verhuizing doorgeven")
            await chat.settled()
            desk.now = lambda: TODAY + timedelta(hours=2)
            await chat.surface._taps.check()
            await chat.tap(platform.sent()[-1], "quiet")
            assert platform.sent("response_url")[-1]["text"] == say("check.left_alone", "nl")
            await chat.ask("verhuizing doorgeven")
            await chat.settled()
            desk.now = lambda: TODAY + timedelta(hours=30)
            await chat.surface._taps.check()
        assert len(platform.sent()) == 3


# -- while it takes a while ------------------------------------------------------------------------------------
@pytest.fixture
def held(desk, monkeypatch):
    """A model that waits to be let go."""
    held = threading.Event()
    query = desk.embedder.query
    monkeypatch.setattr(desk.embedder, "query", lambda text: held.wait(10) and query(text))
    monkeypatch.setattr("core.courier._PATIENCE", 0.01)
    return held


async def test_a_message_that_takes_a_while_is_acked_shown_to_be_worked_on_and_answered(chat, held):
    asked = message("verhuizing doorgeven")
    await chat.send(asked)
    (status,) = await chat.slack.wait("assistant.threads.setStatus")
    assert (status["channel_id"], status["thread_ts"]) == ("D1", asked["event"]["ts"])
    assert status["status"] == say("slack.working", "nl")
    assert chat.slack.sent() == []
    held.set()
    await chat.settled()
    assert "postcode" in shown(chat.slack.sent()[-1])
    assert [said["status"] for said in chat.slack.sent("assistant.threads.setStatus")][1:] == [""]


async def test_where_slack_has_no_place_for_a_status_a_sentence_tells(chat, held):
    chat.slack.refuse("assistant.threads.setStatus", "missing_scope")
    await chat.send(mention("verhuizing doorgeven"))
    (told,) = await chat.slack.wait("chat.postEphemeral")
    assert told["text"] == say("error.busy", "nl")
    held.set()
    await chat.settled()


async def test_a_command_that_takes_a_while_is_acked_and_shown_to_be_worked_on(chat, held):
    asking = asyncio.create_task(chat.command(MOVING))
    (told,) = await chat.slack.wait("response_url")
    assert told["text"] == say("error.busy", "nl")
    held.set()
    assert await asking == ""
    assert "postcode" in shown(chat.slack.sent("response_url")[-1])


async def test_a_form_that_takes_a_while_says_so_at_once(chat, held):
    await chat.shortcut()
    answered = await chat.interact(submission(chat.slack.modal, {"text": MOVING}))
    assert say("modal.waiting", "nl") in shown(answered["view"])
    assert chat.slack.sent("views.update") == []
    held.set()
    await chat.settled()
    assert "postcode" in shown(chat.slack.modal)


@pytest.mark.parametrize("way", ["message", "command", "shortcut", "form"])
async def test_a_model_that_breaks_gets_the_asker_a_kind_sentence_by_every_way(chat, desk, monkeypatch, way):
    monkeypatch.setattr(desk.embedder, "query", lambda text: 1 / 0)
    match way:
        case "message":
            told = await chat.ask("verhuizing")
        case "command":
            await chat.command("verhuizing")
            told = chat.slack.sent("response_url")[-1]
        case "shortcut":
            await chat.shortcut(message_shortcut("verhuizing"))
            told = chat.slack.sent("response_url")[-1]
        case "form":
            await chat.shortcut()
            await chat.submit(chat.slack.modal, {"text": "verhuizing"})
            told = chat.slack.modal
    assert say("error.broken", "nl") in shown(told)


# -- coming and going ------------------------------------------------------------------------------------------
async def test_a_workspace_that_throws_us_out_is_forgotten(chat, desk):
    await chat.ask("verhuizing doorgeven")
    await chat.settled()
    desk.open("move", desk.person(Identity("web", "", "me")), surface="web")
    await chat.send(uninstalled())
    await chat.settled()
    facts = desk.store.facts()
    assert (facts["event"], facts["answer"], facts["identity"]) == (0, 1, 1), "what is not Slack's stays"


async def test_somebodys_own_token_that_is_revoked_changes_nothing(chat, desk):
    await chat.ask("verhuizing doorgeven")
    await chat.settled()
    await chat.send(event("tokens_revoked", tokens={"oauth": ["U1"], "bot": []}))
    await chat.settled()
    assert desk.store.facts()["event"] == 1
    await chat.send(event("tokens_revoked", tokens={"oauth": [], "bot": [BOT]}))
    await chat.settled()
    assert desk.store.facts()["event"] == 0


async def test_through_the_socket_commands_and_taps_are_acked_and_answered_too(desk):
    async with SlackChat(desk, slack_app_token="xapp-1", slack_signing_secret="") as chat:
        url, trigger = chat.slack.response_url, chat.slack.trigger()
        await chat.slack.push(slash(MOVING, response_url=url, trigger_id=trigger), "slash_commands")
        (answer,) = await chat.slack.wait("response_url")
    assert "postcode" in shown(answer)


async def test_each_workspace_is_spoken_to_with_its_own_token(desk, tmp_path):
    secrets = Secrets(Settings(_env_file=None, data=tmp_path / "data"))
    async with FakeSlack() as platform:
        oauth = {"slack_client_id": "1.2", "slack_client_secret": "x", "slack_teams": "T1 T2", "slack_bot_token": ""}
        chat = SlackChat(desk, platform, data=tmp_path / "data", **oauth)
        async with chat:
            for team in ("T1", "T2"):
                known = Installed(f"xoxb-{team}", BOT, "B0BOT", team)
                sealed = secrets.seal(json.dumps(asdict(known)))
                desk.store.save_installation(Installation("slack", "", team, sealed, TODAY))
            other = mention("verhuizing doorgeven", team_id="T2")
            await chat.say(mention("verhuizing doorgeven"))
            await chat.say(other)
            await chat.settled()
            assert [len(platform.sent(token=f"xoxb-{team}")) for team in ("T1", "T2")] == [1, 1]
            await chat.send(uninstalled(team_id="T2"))
            await chat.settled()
            await chat.send(mention("verhuizing doorgeven", team_id="T2"))
            await chat.settled()
        assert len(platform.sent()) == 2
        assert desk.store.facts()["event"] == 1


async def test_an_article_that_changed_is_in_the_next_answer(chat, desk):
    await chat.ask("verhuizing doorgeven")
    shelve(
        desk.store,
        desk.embedder,
        [article("---\ntitle: Verhuizing doorgeven\n---\n## Stappen\n1. Bel Rotterdam.\n", "move")],
    )
    assert "Rotterdam" in shown(await chat.ask("verhuizing doorgeven"))


async def test_when_nothing_can_be_kept_a_command_is_answered_all_the_same(chat, desk, monkeypatch):
    for name in ("person", "receive"):
        monkeypatch.setattr(desk.store, name, lambda *what: 1 / 0)
    await chat.command(MOVING)
    (answer,) = chat.slack.sent("response_url")
    assert "Vraag de nieuwe postcode." in shown(answer)


async def test_somebody_from_another_organisation_who_did_not_ask_us_is_told_nothing(following):
    await following.send(overheard(MOVING, user_team="T9"))
    await following.settled()
    assert following.slack.sent("chat.postEphemeral") == []
