import asyncio
import json
import logging
import threading
import time
import urllib.parse
from datetime import timedelta

import pytest
from conftest import article, make_desk
from fake_slack import (
    BOT,
    FORM,
    JSON,
    FakeSlack,
    SlackChat,
    ask_slack,
    elements,
    mention,
    message,
    problems,
    signed,
    texts,
)

from bots import slack_requests, slack_workspaces
from bots.slack_events import to_event
from core.courier import Courier
from core.errors import StoreError
from core.inbox import Inbox
from core.store import Identity
from core.words import say

MOVE = article(
    """---
title: Verhuizing doorgeven
owner: Team Verhuizen
verified: 2026-11-01
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

## Achtergrond
Daarom <!channel> en <@U9>.
""",
    "move",
)
LATE = article("---\ntitle: Verhuizing met terugwerkende kracht\n---\n## Stappen\n1. Open Kompas.\n", "late")


@pytest.fixture
def desk(store):
    return make_desk(store, (MOVE, LATE))


@pytest.fixture
async def chat(desk):
    async with SlackChat(desk) as chat:
        yield chat


def shown(payload):
    return "\n".join(texts(payload.get("blocks") or []))


# -- asking --------------------------------------------------------------------------------------------------
async def test_a_mention_gets_one_reply_in_its_own_thread(chat):
    asked = mention("verhuizing doorgeven")
    payload = await chat.say(asked)
    await chat.settled()
    assert chat.slack.sent() == [payload]
    assert (payload["channel"], payload["thread_ts"]) == ("C1", asked["event"]["ts"])
    assert "Vraag de nieuwe postcode." in shown(payload)
    assert payload["unfurl_links"] is payload["unfurl_media"] is False


async def test_a_mention_in_a_thread_is_answered_in_that_thread(chat):
    payload = await chat.say(mention("verhuizing doorgeven", thread_ts="1600.1"))
    assert payload["thread_ts"] == "1600.1"


async def test_a_direct_message_is_answered_beside_it_and_in_a_thread_within_it(chat):
    assert "thread_ts" not in await chat.ask("verhuizing doorgeven")
    payload = await chat.say(message("verhuizing doorgeven", thread_ts="1600.1"))
    assert payload["thread_ts"] == "1600.1"


async def test_the_text_beside_the_blocks_tells_the_answer_on_its_own(chat):
    payload = await chat.ask("verhuizing doorgeven")
    assert payload["text"].startswith("Verhuizing doorgeven\n")
    assert "Ja, tot 30 dagen later." in payload["text"]


async def test_one_question_can_be_asked_without_a_conversation(desk):
    assert "Vraag de nieuwe postcode." in shown(await ask_slack(desk, "verhuizing doorgeven"))


@pytest.mark.parametrize("envelope", [mention(""), mention(f"<@{BOT}|bijdehand>"), message(" "), message(None)])
async def test_saying_nothing_gets_help(chat, envelope):
    assert "Typ je vraag" in (await chat.say(envelope))["text"]


async def test_a_file_without_words_gets_help(chat):
    payload = await chat.say(message("", subtype="file_share", files=[{"id": "F1"}]))
    assert "Typ je vraag" in payload["text"]


@pytest.mark.parametrize(("locale", "sentence"), [("en-GB", "Typ je"), ("nl-NL", "Typ je"), ("fr-FR", "Typ je")])
async def test_help_comes_in_our_own_language_until_somebody_shows_theirs(chat, locale, sentence):
    chat.slack.locales["U1"] = locale
    assert sentence in (await chat.ask(""))["text"]
    await chat.ask("how does the customer report that they are moving house?")
    assert "Type it" in (await chat.ask(""))["text"]
    assert len(chat.slack.sent("users.info")) == 1


async def test_a_slack_that_does_not_tell_the_language_does_not_stand_in_the_way(chat, monkeypatch):
    monkeypatch.setattr(slack_workspaces, "_WORTH", 0)
    chat.slack.refuse("users.info", "missing_scope")
    assert "postcode" in shown(await chat.ask("verhuizing doorgeven"))
    assert "postcode" in shown(await chat.say(message("verhuizing doorgeven", user="U2")))


async def test_a_group_message_is_answered_when_it_mentions_the_bot(chat):
    await chat.send(message("wie heeft lunch?", channel="G1", channel_type="mpim"))
    payload = await chat.say(message(f"<@{BOT}> verhuizing doorgeven", channel="G1", channel_type="mpim"))
    await chat.settled()
    assert chat.slack.sent() == [payload]
    assert payload["thread_ts"]


@pytest.mark.parametrize(
    "envelope",
    [
        message("verhuizing", bot_id="B7"),
        message("verhuizing", user=BOT, bot_id="B0BOT"),
        message("verhuizing", user=BOT),
        message("verhuizing", user="USLACKBOT"),
        message("verhuizing", user=None) | {},
        message("verhuizing", edited={"user": "U1", "ts": "2"}),
        message("", subtype="message_changed", message={"text": "verhuizing", "user": "U1"}),
        message("", subtype="message_deleted"),
        message("U1 is erbij", subtype="channel_join"),
        message("verhuizing", subtype="bot_message"),
        message("verhuizing", channel="C1", channel_type="channel"),
        message("verhuizing", channel="G1", channel_type="group", thread_ts="1.1"),
        mention("verhuizing", bot_id="B7"),
    ],
    ids=lambda envelope: str({k: v for k, v in envelope["event"].items() if k not in {"ts", "text", "channel"}}),
)
async def test_what_nobody_said_to_us_is_left_alone(chat, envelope):
    await chat.send(envelope)
    await chat.settled()
    assert chat.slack.sent() == []


async def test_a_reply_that_is_also_sent_to_the_conversation_is_somebodys_own_message(chat):
    assert await chat.say(message("verhuizing doorgeven", subtype="thread_broadcast", thread_ts="1.1"))


async def test_events_nobody_listens_to_are_acked(chat):
    await chat.send({"type": "event_callback", "team_id": "T1", "event": {"type": "app_home_opened", "user": "U1"}})
    await chat.settled()
    assert chat.slack.sent() == [], "send() holds the ack; nobody asked for more"


# -- once ----------------------------------------------------------------------------------------------------
async def test_the_same_event_four_times_is_answered_once(chat):
    asked = mention("verhuizing doorgeven")
    await asyncio.gather(*(chat.send(asked) for _ in range(4)))
    await chat.settled()
    assert len(chat.slack.sent()) == 1


async def test_a_mention_that_also_arrives_as_a_message_is_answered_once(chat):
    asked = mention("verhuizing doorgeven", channel="G1")
    await chat.send(asked)
    await chat.send(asked | {"event": asked["event"] | {"type": "message", "channel_type": "mpim"}})
    await chat.settled()
    assert len(chat.slack.sent()) == 1


async def test_an_event_that_comes_again_after_a_restart_is_not_answered_again(desk):
    asked = message("verhuizing doorgeven")
    async with FakeSlack() as platform:
        for _ in range(2):
            async with SlackChat(desk, platform) as chat:
                await chat.send(asked)
                await chat.settled()
        assert len(platform.sent()) == 1


async def test_a_message_that_a_crash_left_unanswered_is_answered_at_the_next_start(desk):
    Inbox(desk).receive(to_event(message("verhuizing doorgeven")))
    async with SlackChat(desk) as chat:
        (payload,) = await chat.slack.wait()
    assert "postcode" in shown(payload)


async def test_a_reply_that_slack_did_not_take_goes_out_at_the_next_start(desk):
    async with FakeSlack() as platform:
        async with SlackChat(desk, platform) as chat:
            platform.refuse("chat.postMessage", "fatal_error")
            await chat.send(message("verhuizing doorgeven"))
            await chat.settled()
            assert platform.sent() == []
        async with SlackChat(desk, platform):
            await platform.wait()
        assert len(platform.sent()) == 1


async def test_a_message_whose_answering_was_killed_is_answered_when_its_lease_is_over(desk, store):
    asked = to_event(message("verhuizing doorgeven"))
    Inbox(desk).receive(asked)
    store.lease(asked, desk.now())
    posted = asyncio.Queue()

    async def send(delivery):
        await posted.put(delivery)
        return ""

    courier = Courier(desk, "slack", send)
    await courier.redrive()
    assert posted.empty()
    monday = desk.now()
    desk.now = lambda: monday + timedelta(seconds=31)
    watching = asyncio.create_task(courier.watch(every=0.01))
    delivery = await asyncio.wait_for(posted.get(), 10)
    watching.cancel()
    assert delivery.answer.card.article_id == "move"


async def test_a_reply_that_takes_longer_than_its_lease_is_not_sent_twice(desk):
    slow, sending, posted = asyncio.Event(), asyncio.Event(), []

    async def send(delivery):
        sending.set()
        await slow.wait()
        posted.append(delivery)
        return ""

    courier = Courier(desk, "slack", send)
    taking = asyncio.create_task(courier.take(to_event(message("verhuizing doorgeven"))))
    await sending.wait()
    monday = desk.now()
    desk.now = lambda: monday + timedelta(seconds=31)
    await courier.redrive()
    slow.set()
    await taking
    await courier.redrive()
    assert len(posted) == 1


async def test_a_message_that_keeps_failing_gets_one_sorry_and_keeps_no_other_waiting(desk, monkeypatch):
    bad, good = (to_event(message(text)) for text in ("verhuizing", "verhuizing doorgeven"))
    Inbox(desk).receive(bad)
    Inbox(desk).receive(good)
    finish = desk.store.finish
    full = StoreError("Full.")
    monkeypatch.setattr(
        desk.store, "finish", lambda event, *rest: _raise(full) if event.text == "verhuizing" else finish(event, *rest)
    )
    posted = []

    async def send(delivery):
        posted.append(delivery.answer.outcome)
        return ""

    courier = Courier(desk, "slack", send)
    monday = desk.now()
    for minute in range(3):
        desk.now = lambda minute=minute: monday + timedelta(minutes=minute)
        await courier.redrive()
    assert sorted(posted) == ["answered", "failed"]


async def test_a_reply_that_was_sent_and_could_not_be_noted_is_not_sent_again(desk, monkeypatch):
    monkeypatch.setattr(desk.store, "sent", lambda *what, **how: 1 / 0)
    posted = []

    async def send(delivery):
        posted.append(delivery)
        return ""

    courier = Courier(desk, "slack", send)
    await courier.take(to_event(message("verhuizing doorgeven")))
    monday = desk.now()
    desk.now = lambda: monday + timedelta(seconds=31)
    await courier.redrive()
    assert len(posted) == 1


def _raise(error):
    raise error


# -- the door ------------------------------------------------------------------------------------------------
BODY = json.dumps(message("verhuizing doorgeven"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (signed(BODY, secret="another"), 401),
        (signed(BODY, at=time.time() - 301), 401),
        (signed(BODY, at=time.time() + 600), 401),
        (signed(BODY + " "), 401),
        ({"Content-Type": "application/json"}, 401),
        (signed(BODY) | {"X-Slack-Request-Timestamp": "yesterday"}, 401),
        (signed(BODY) | {"X-Slack-Signature": "v0=é"}, 401),
        (signed(BODY, content_type="text/plain"), 415),
        (signed(BODY, content_type="application/xml"), 415),
    ],
)
async def test_what_slack_did_not_sign_today_stays_outside(chat, headers, status):
    assert (await chat.post(BODY, headers))[0] == status
    await chat.settled()
    assert chat.slack.sent() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"\xff", 401), ("{" * 10, 400), ("{}", 404), ("", 404), (json.dumps({"x": "a" * 1_000_000}), 413)],
)
async def test_a_body_that_is_no_event_is_refused(chat, body, status):
    headers = signed(body) if isinstance(body, str) else signed("")
    assert (await chat.post(body, headers))[0] == status


def form(payload):
    return urllib.parse.urlencode({"payload": json.dumps(payload)})


BUTTON = {"type": "block_actions", "user": {"id": "U1"}, "team": {"id": "T1"}, "container": {"channel_id": "D1"}}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("[]", JSON),
        ("null", JSON),
        ("7", JSON),
        ('"x"', JSON),
        ("[" * 100_000, JSON),
        *(
            (json.dumps({"type": "event_callback", "team_id": "T1"} | strange), JSON)
            for strange in (
                {"event": 5},
                {"event": None},
                {"event": []},
                {"event": {}},
                {"event": {"type": 5}},
                {"event": {"type": "message", "subtype": []}},
                {"event": {"type": "message", "channel": 5, "user": {}}},
                {"event": {"type": "message"}, "authorizations": 5},
                {"event": {"type": "message"}, "authorizations": [5]},
                {"event": {"type": "message"}, "enterprise": 5},
                {"event": {"type": "message"}, "team_id": []},
            )
        ),
        (form([]), FORM),
        (form(None), FORM),
        ("payload=", FORM),
        *(
            (form(BUTTON | strange), FORM)
            for strange in (
                {},
                {"actions": []},
                {"actions": None},
                {"actions": 5},
                {"actions": [5]},
                {"actions": [{}]},
                {"actions": [{"action_id": 5}]},
                {"actions": [{"action_id": "more"}], "user": 5},
                {"actions": [{"action_id": "more"}], "container": []},
                {"actions": [{"action_id": "more"}], "team": 5},
            )
        ),
    ],
)
async def test_a_signed_body_that_makes_no_sense_is_refused_or_acked_and_never_breaks(chat, body, kind):
    status, text = await chat.post(body, signed(body, content_type=kind))
    assert status in {200, 400, 404}
    assert "Traceback" not in text
    await chat.settled()
    assert chat.slack.sent() == []


VIEW = {"type": "view_submission", "user": {"id": "U1"}, "team": {"id": "T1"}}


@pytest.mark.parametrize("form_name", ["ask", "share", "unheard-of"])
@pytest.mark.parametrize(
    "view",
    [
        {},
        {"state": None},
        {"state": 5},
        {"state": {"values": None}},
        {"state": {"values": {"text": 5}}},
        {"state": {"values": {"text": {"text": None}}}},
        {"state": {"values": {"text": {"text": {"value": 5}}}}},
        {"state": {"values": {"channel": {"channel": {"selected_conversation": []}}}}},
        {"state": {"values": {}}, "private_metadata": 5},
        {"state": {"values": {}}, "private_metadata": "x" * 300},
        {"state": {"values": {}}, "id": None},
    ],
    ids=str,
)
async def test_a_form_that_makes_no_sense_is_refused_or_acked_and_never_breaks(chat, view, form_name):
    sent_in = VIEW | {"view": {"id": "V1", "callback_id": form_name, "type": "modal"} | view}
    status, text = await chat.post(form(sent_in), signed(form(sent_in), content_type=FORM))
    assert status in {200, 400, 404}
    assert "Traceback" not in text
    await chat.settled()


@pytest.mark.parametrize(
    "body",
    [
        {"command": "/ask"},
        {"command": "/ask", "user_id": "U1", "team_id": "T1"},
        {"type": "shortcut", "callback_id": "ask"},
        {"type": "message_action", "callback_id": "ask_about", "user": {"id": "U1"}, "team": {"id": "T1"}},
    ],
    ids=str,
)
async def test_a_command_or_shortcut_that_makes_no_sense_is_refused_or_acked_and_never_breaks(chat, body):
    raw = urllib.parse.urlencode(body) if "command" in body else form(body)
    status, text = await chat.post(raw, signed(raw, content_type=FORM))
    assert status in {200, 400, 404}
    assert "Traceback" not in text
    await chat.settled()


@pytest.mark.parametrize("body", ["[]", "null", json.dumps({"type": "event_callback", "event": 5})])
async def test_a_signed_body_that_is_no_envelope_is_refused(chat, body):
    assert (await chat.post(body, signed(body)))[0] == 400


async def test_a_body_that_does_not_unpack_is_refused(chat):
    assert (await chat.post(b"no gzip", signed(BODY) | {"Content-Encoding": "gzip"}))[0] == 400


async def test_a_body_that_does_not_come_is_waited_for_no_longer_than_agreed(chat, monkeypatch):
    monkeypatch.setattr(slack_requests, "_BODY_WITHIN", 0.05)

    async def never():
        yield b"{"
        await asyncio.sleep(10)

    assert (await chat.post(never(), signed(BODY)))[0] == 408


async def test_a_secret_that_does_not_fit_is_one_sentence_in_the_log(chat, caplog):
    for _ in range(3):
        await chat.post(BODY, signed(BODY, secret="another"))
    (sentence,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "SLACK_SIGNING_SECRET" in sentence


async def test_slack_can_check_the_address(chat):
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"})
    status, text = await chat.post(body, signed(body))
    assert (status, json.loads(text)) == (200, {"challenge": "abc"})


async def test_the_ack_does_not_wait_for_the_desk(chat, monkeypatch, desk):
    held = threading.Event()
    receive = desk.store.receive
    monkeypatch.setattr(desk.store, "receive", lambda event, now: held.wait(10) and receive(event, now))
    await chat.send(message("verhuizing doorgeven"))
    assert chat.slack.sent() == []
    held.set()
    await chat.slack.wait()


async def test_without_a_signing_secret_nothing_is_taken_over_http(desk):
    async with SlackChat(desk, slack_signing_secret="") as chat:
        assert (await chat.post(BODY, signed(BODY)))[0] == 404


async def test_stopping_finishes_what_is_under_way_and_takes_nothing_new(desk, monkeypatch):
    held = threading.Event()
    receive = desk.store.receive
    monkeypatch.setattr(desk.store, "receive", lambda event, now: held.wait(10) and receive(event, now))
    async with FakeSlack() as platform, SlackChat(desk, platform) as chat:
        await chat.send(message("verhuizing doorgeven"))
        stopping = asyncio.create_task(chat.surface.stop())
        await asyncio.sleep(0)
        assert (await chat.post(BODY, signed(BODY)))[0] == 503
        held.set()
        await stopping
        assert len(platform.sent()) == 1


# -- when something breaks -----------------------------------------------------------------------------------
async def test_when_the_desk_breaks_the_asker_gets_one_kind_sentence(chat, desk, monkeypatch, caplog):
    monkeypatch.setattr(desk.embedder, "query", lambda text: 1 / 0)
    payload = await chat.ask("verhuizing doorgeven")
    await chat.settled()
    assert [said["text"] for said in chat.slack.sent()] == [say("error.broken", "nl")] == [payload["text"]]
    assert "Traceback" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_when_nothing_can_be_kept_the_asker_gets_the_answer_all_the_same(chat, desk, monkeypatch, caplog):
    monkeypatch.setattr(desk.store, "receive", lambda event, now: 1 / 0)
    payload = await chat.ask("verhuizing doorgeven")
    await chat.settled()
    assert "Vraag de nieuwe postcode." in payload["text"]
    assert len(chat.slack.sent()) == 1
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("refusal", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
async def test_blocks_that_slack_refuses_are_replaced_by_plain_text(chat, refusal):
    chat.slack.refuse("chat.postMessage", refusal)
    payload = await chat.ask("verhuizing doorgeven")
    await chat.settled()
    assert "blocks" not in payload
    assert "Vraag de nieuwe postcode." in payload["text"]
    assert len(chat.slack.sent()) == 1


async def test_a_busy_slack_is_waited_for(chat):
    chat.slack.refuse("chat.postMessage", "ratelimited", status=429, retry_after=0, times=2)
    assert "postcode" in shown(await chat.ask("verhuizing doorgeven"))


async def test_a_slack_that_has_a_hiccup_is_asked_again(chat):
    chat.slack.refuse("chat.postMessage", "oops", status=503)
    assert "postcode" in shown(await chat.ask("verhuizing doorgeven"))


async def test_a_token_that_slack_refuses_is_one_sentence_in_the_log_and_messages_are_still_taken(desk, caplog):
    async with FakeSlack() as platform:
        platform.refuse("auth.test", "invalid_auth")
        async with SlackChat(desk, platform) as chat:
            payload = await chat.say(mention("verhuizing doorgeven"))
    assert "postcode" in shown(payload)
    (sentence,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert "invalid_auth" in sentence
    assert "SLACK_BOT_TOKEN" in sentence


async def test_a_payload_of_a_kind_we_do_not_know_is_logged_and_apologised_for(chat, caplog):
    strange = message("verhuizing")
    del strange["event"]["ts"]
    await chat.send(strange)
    (payload,) = await chat.slack.wait("chat.postEphemeral")
    assert payload["text"] == say("error.broken", "nl")
    assert "KeyError" in caplog.text


async def test_what_people_write_is_never_logged(desk, caplog):
    caplog.set_level(logging.DEBUG)
    async with SlackChat(desk) as chat:
        payload = await chat.ask("verhuizing doorgeven voor mevrouw Zonnebloem")
        await chat.post("geheim Zonnebloem", signed("iets anders"))
        await chat.tap(payload, "more")
        chat.slack.refuse("chat.postMessage", "invalid_blocks")
        await chat.ask("Zonnebloem")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("fake", "aiohttp"))]
    assert "Zonnebloem" not in "\n".join(ours)
    assert "postcode" not in "\n".join(ours)


async def reshape(chat, payload, moment, **who):
    """Two taps: something else, and what."""
    await chat.tap(payload, "menu", option="reshape", **who)
    await chat.tap(payload | chat.slack.sent("response_url")[-1], f"shape:{moment}", **who)


# -- buttons -------------------------------------------------------------------------------------------------
async def test_more_opens_everything_in_place_and_less_closes_it(chat):
    first = await chat.ask("verhuizing doorgeven")
    await chat.tap(first, "more")
    (opened,) = chat.slack.sent("response_url")
    assert opened["replace_original"] is True
    assert "Daarom &lt;!channel&gt; en &lt;@U9&gt;." in shown(opened)
    await chat.tap(first | opened, "less")
    assert shown(chat.slack.sent("response_url")[-1]) == shown(first)
    assert len(chat.slack.sent()) == 1


async def test_another_moment_is_shown_in_place_and_kept(chat, desk, monkeypatch):
    kept = []
    monkeypatch.setattr(desk.store, "rate", lambda feedback, now: kept.append(feedback))
    await reshape(chat, await chat.ask("verhuizing doorgeven"), "solve")
    solved = chat.slack.sent("response_url")[-1]
    assert "🛠️ Oplossen" in shown(solved)
    assert "zoek op straat" in shown(solved)
    assert [feedback.moment for feedback in kept] == ["solve"]


async def test_more_after_another_moment_keeps_that_moment(chat):
    first = await chat.ask("verhuizing doorgeven")
    await reshape(chat, first, "solve")
    await chat.tap(first | chat.slack.sent("response_url")[-1], "more")
    opened = chat.slack.sent("response_url")[-1]
    assert "🛠️ Oplossen" in shown(opened)
    assert "Daarom" in shown(opened)
    await chat.tap(first | opened, "less")
    assert "🛠️ Oplossen" in shown(chat.slack.sent("response_url")[-1])


async def test_only_moments_that_the_article_has_a_shape_for_are_offered_and_one_can_go_back(chat):
    first = await chat.ask("verhuizing doorgeven")
    await chat.tap(first, "menu", option="reshape")
    choosing = chat.slack.sent("response_url")[-1]
    offered = {name for name in elements(choosing) if name.startswith("shape")}
    assert offered == {"shape:new", "shape:more", "shape:solve"}
    await chat.tap(first | choosing, "back")
    assert shown(chat.slack.sent("response_url")[-1]) == shown(first)


UNKNOWN = "wat eten we vanavond met zn allen"


def title(payload, article_id):
    """The button of a title, by its action id."""
    return next(name for name, button in elements(payload).items() if button.get("value", "").endswith(article_id))


async def test_another_title_opens_beside_the_question_in_a_direct_message(chat):
    payload = await chat.ask(UNKNOWN)
    await chat.tap(payload, title(payload, "late"))
    opened = chat.slack.sent()[-1]
    assert opened["channel"] == payload["channel"]
    assert "Verhuizing met terugwerkende kracht" in shown(opened)


async def test_an_opened_title_has_its_buttons_like_any_answer(chat):
    refused = await chat.ask(UNKNOWN)
    await chat.tap(refused, title(refused, "move"))
    opened = chat.slack.sent()[-1]
    assert "Verhuizing doorgeven" in shown(opened)
    assert "Daarom" not in shown(opened)
    await chat.tap(opened, "more")
    assert "Daarom" in shown(chat.slack.sent("response_url")[-1])
    await reshape(chat, opened, "solve")
    assert "zoek op straat" in shown(chat.slack.sent("response_url")[-1])
    await chat.tap(opened, "wrong")
    assert "reason:topic" in elements(chat.slack.sent("chat.postEphemeral")[-1])


async def test_another_title_opens_in_a_channel_for_whoever_tapped_alone(chat):
    payload = await chat.say(mention(UNKNOWN))
    await chat.tap(payload, title(payload, "late"), user="U2")
    (opened,) = chat.slack.sent("chat.postEphemeral")
    assert (opened["channel"], opened["user"], opened["thread_ts"]) == ("C1", "U2", payload["thread_ts"])
    assert "Open Kompas." in shown(opened)
    assert len(chat.slack.sent()) == 1
    await reshape(chat, opened, "more", user="U2", ephemeral=True)
    assert "🔎 Meer" in shown(chat.slack.sent("response_url")[-1])


async def test_not_right_asks_why_with_five_taps_and_keeps_the_reason(chat, desk, monkeypatch):
    payload = await chat.say(mention("verhuizing doorgeven"))
    kept = []
    monkeypatch.setattr(desk, "rate", kept.append)
    await chat.tap(payload, "wrong", user="U2")
    (asked,) = chat.slack.sent("chat.postEphemeral")
    assert (asked["user"], asked["text"]) == ("U2", "Wat klopt er niet?")
    assert [button["text"]["text"] for button in elements(asked).values()] == [
        "Ander onderwerp",
        "Verouderd",
        "Onduidelijk",
        "Ik mag dit niet zelf",
        "Proces werkt niet",
    ]
    assert kept == []
    await chat.tap(asked, "reason:outdated", user="U2", ephemeral=True)
    (feedback,) = kept
    answer_id = elements(payload)["wrong"]["value"].split()[0]
    person = desk.person(Identity("slack", "T1", "U2"))
    assert (feedback.answer_id, feedback.person_id) == (answer_id, person.id)
    assert (feedback.helpful, feedback.reason) == (False, "outdated")
    (thanks,) = chat.slack.sent("response_url")
    assert (thanks["text"], thanks["replace_original"]) == (say("feedback.thanks", "nl"), True)


async def test_a_reason_that_we_do_not_offer_is_not_kept(chat, desk):
    payload = await chat.ask("verhuizing doorgeven")
    await chat.tap(payload, "wrong")
    asked = chat.slack.sent("chat.postEphemeral")[-1]
    elements(asked)["reason:topic"]["action_id"] = "reason:anything"
    await chat.tap(asked, "reason:anything", ephemeral=True)
    assert desk.store.facts()["feedback"] == 0
    assert chat.slack.sent("response_url")[-1]["text"] == say("answer.gone", "nl")


async def test_feedback_reaches_the_store(chat):
    payload = await chat.ask("verhuizing doorgeven")
    await chat.tap(payload, "wrong")
    await chat.tap(chat.slack.sent("chat.postEphemeral")[-1], "reason:topic", ephemeral=True)
    assert chat.slack.sent("response_url")


async def test_an_article_that_is_gone_is_said_to_be_gone(chat, desk):
    payload = await chat.ask(UNKNOWN)
    desk.store.delete(["late"])
    await chat.tap(payload, title(payload, "late"))
    assert chat.slack.sent("chat.postEphemeral")[-1]["text"] == say("answer.gone", "nl")


@pytest.mark.parametrize("action_id", ["more", "menu", "open:0", "wrong", "coach"])
async def test_a_button_that_fails_says_sorry_and_logs_why(chat, desk, monkeypatch, caplog, action_id):
    payload = await chat.ask(UNKNOWN if action_id == "open:0" else "verhuizing doorgeven")

    def locked(*args, **values):
        raise StoreError("Locked.")

    for name in ("recall", "shown", "open"):
        monkeypatch.setattr(desk, name, locked)
    desk.store.set_person(Identity("slack", "T1", "U2"), language="en")
    await chat.tap(payload, action_id, user="U2")
    assert chat.slack.sent("chat.postEphemeral")[-1]["text"] == say("error.broken", "en")
    assert "StoreError: Locked." in caplog.text


async def test_a_button_of_another_version_is_not_met_with_silence(chat):
    payload = await chat.ask("verhuizing doorgeven")
    elements(payload)["more"]["action_id"] = "dance"
    await chat.tap(payload, "dance")
    assert chat.slack.sent("chat.postEphemeral")[-1]["text"] == say("answer.gone", "nl")


async def test_a_replacement_that_slack_refuses_is_made_in_plain_text(chat):
    payload = await chat.ask("verhuizing doorgeven")
    chat.slack.refuse("response_url", "invalid_blocks", status=400)
    await chat.tap(payload, "more")
    (plain,) = chat.slack.sent("response_url")
    assert "blocks" not in plain
    assert "Vraag de nieuwe postcode." in plain["text"]


async def test_a_replacement_that_comes_too_late_says_sorry(chat):
    payload = await chat.ask("verhuizing doorgeven")
    chat.slack.refuse("response_url", "expired_url", status=404)
    await chat.tap(payload, "more")
    assert chat.slack.sent("chat.postEphemeral")[-1]["text"] == say("error.broken", "nl")


async def test_a_tap_is_acked_before_anything_is_done(chat, desk, monkeypatch):
    payload = await chat.ask("verhuizing doorgeven")
    held = threading.Event()
    see = desk.shown
    monkeypatch.setattr(desk, "shown", lambda *which: held.wait(10) and see(*which))
    await chat.press(payload, "more")
    assert chat.slack.sent("response_url") == []
    held.set()
    await chat.slack.wait("response_url")


async def test_a_tap_is_signed_like_everything_else(chat):
    body = urllib.parse.urlencode({"payload": "{}"})
    assert (await chat.post(body, signed(body, content_type=FORM, secret="another")))[0] == 401


# -- the socket ----------------------------------------------------------------------------------------------
async def test_through_the_socket_the_same_things_happen(desk):
    async with SlackChat(desk, slack_app_token="xapp-1", slack_signing_secret="") as chat:
        await chat.slack.push(mention("verhuizing doorgeven"))
        (payload,) = await chat.slack.wait()
    assert "postcode" in shown(payload)


# -- the fake ------------------------------------------------------------------------------------------------
def test_the_fake_refuses_what_slack_refuses():
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
    button = {"type": "button", "action_id": "a", "value": "1", "text": {"type": "plain_text", "text": "x"}}
    formatted = button | {"text": {"type": "mrkdwn", "text": "x"}}
    for wrong in (
        [section | {"text": {"type": "mrkdwn", "text": "x" * 3001}}],
        [section | {"text": {"type": "mrkdwn", "text": " "}}],
        [section] * 51,
        [section | {"block_id": "b"}] * 2,
        [{"type": "actions", "elements": [button, button]}],
        [{"type": "actions", "elements": [formatted]}],
        [{"type": "marquee"}],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [section | {"text": {"type": "mrkdwn", "text": "x" * 3000}}] * 5,
    ):
        assert problems(wrong)
    assert problems([section, {"type": "actions", "elements": [button]}]) == []
