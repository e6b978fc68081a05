import asyncio
import gzip
import io
import json
import threading
import time

import pytest
from conftest import article, make_desk
from fake_connector import (
    BOT,
    MENTION,
    TENANT,
    WAIT,
    CannedCredentials,
    FakeTeams,
    KeyServer,
    bearer,
    buttons,
    shown,
    token,
    with_login,
)

from bots import botframework
from bots.botframework import PostError
from bots.teams import make_surface
from bots.teams_activities import to_event
from bots.teams_cards import CARD
from core.errors import SettingsError
from core.inbox import Inbox
from core.model import Role
from core.settings import Settings
from core.store import Identity
from core.words import say
from knowledge.moment import Moment

ANNA = Identity("teams", TENANT, "aad-anna")
MOVE = article(
    "---\ntitle: Verhuizing doorgeven\naliases: [klant is verhuisd]\n---\n"
    "## In het kort\nDat kan tot een jaar terug.\n\n"
    "## Stappen\n1. Vraag de nieuwe postcode.\n2. Kies *Verhuizing*.\n\n## Achtergrond\nZo staat het in de wet.\n",
    "move",
)
SECRET = article(
    "---\ntitle: Verhuizing van een bekende Nederlander\naudience: [vips]\n---\n## Stappen\n1. Bel de directie.\n",
    "vip",
)


@pytest.fixture(autouse=True)
def _no_typing(monkeypatch):
    """However slow the machine is, typing comes only where a test asks for it."""
    monkeypatch.setattr("core.courier._PATIENCE", 60)


@pytest.fixture
def desk(store):
    return make_desk(store, (MOVE, SECRET))


@pytest.fixture
async def teams(desk):
    async with FakeTeams(desk) as teams:
        yield teams


@pytest.fixture
async def door():
    """A bot with nobody behind it: what is refused or ignored never gets as far as a desk."""
    async with FakeTeams(None) as teams:
        yield teams


def button(activity, verb, **data):
    found = buttons(activity)
    return next(one for one in found if one["verb"] == verb and one["data"].items() >= data.items())


# -- asking ------------------------------------------------------------------------------------------------------------
async def test_a_personal_message_gets_one_card_in_reply(teams):
    reply = await teams.say("klant is verhuisd", id="1700")
    await teams.settled()
    assert len(teams.connector.posted) == 1
    assert "Verhuizing doorgeven" in shown(reply)
    assert "Vraag de nieuwe postcode." in shown(reply)
    assert reply["replyToId"] == "1700"
    assert reply["summary"] == "Verhuizing doorgeven: Dat kan tot een jaar terug."
    assert teams.connector.posted[0].path == "/v3/conversations/a:personal/activities/1700"


async def test_a_mention_in_a_channel_is_stripped_and_answered_in_the_same_thread(teams, monkeypatch):
    asked = []
    answer = teams.desk.answer
    monkeypatch.setattr(teams.desk, "answer", lambda question: asked.append(question) or answer(question))
    reply = await teams.say_in_channel("klant is&nbsp;verhuisd")
    assert [(question.text, question.direct) for question in asked] == [("klant is verhuisd", False)]
    assert reply["conversation"]["id"] == "19:abc@thread.tacv2;messageid=42"


async def test_what_is_said_in_a_channel_to_somebody_else_is_left_alone(door):
    overheard = door.message("klant is verhuisd", **door.in_channel(entities=[]))
    assert (await door.post(overheard)).status == 200
    await door.settled()
    assert door.connector.posted == []


async def test_what_a_bot_says_is_left_alone(door):
    for sender in (BOT, {"id": "28:other", "role": "bot"}):
        assert (await door.post(door.message("klant is verhuisd", **{"from": sender}))).status == 200
    await door.settled()
    assert door.connector.posted == []


async def test_the_same_message_four_times_gets_one_answer(teams):
    said = teams.message("klant is verhuisd")
    statuses = [response.status for response in await asyncio.gather(*(teams.post(said) for _ in range(4)))]
    await teams.connector.next()
    await teams.settled()
    assert statuses == [200] * 4
    assert len(teams.connector.posted) == 1


@pytest.mark.parametrize("text", [MENTION, f"{MENTION}&nbsp;", "", None, " \n", "<p>&nbsp;</p>"])
async def test_nothing_but_a_mention_gets_help(teams, text):
    entities = [{"type": "mention", "mentioned": BOT, "text": MENTION}]
    reply = await teams.say(text, entities=entities)
    assert reply["text"] == say("help.text", "nl", example=say("help.example", "nl"))
    assert "attachments" not in reply


async def test_somebody_whose_teams_is_english_gets_english(teams):
    assert (await teams.say("", locale="en-US"))["text"].startswith("Type it the way")


async def test_a_person_is_known_by_the_id_of_their_account(teams):
    await teams.say("klant is verhuisd")
    assert [identity for identity, _ in teams.desk.store.people()] == [ANNA]


async def test_what_a_message_was_answered_to_is_not_kept_under_a_name(teams):
    await teams.say("klant is verhuisd")
    for place in (teams.message("x"), teams.message("x", **teams.in_channel())):
        assert "Anna" not in json.dumps(to_event(place).address)


# -- failure -----------------------------------------------------------------------------------------------------------
async def test_when_the_core_fails_there_is_one_kind_sentence_and_a_traceback_in_the_log(teams, monkeypatch, caplog):
    monkeypatch.setattr(teams.desk.embedder, "query", lambda text: 1 / 0)
    reply = await teams.say("klant is verhuisd")
    await teams.settled()
    assert reply["text"] == say("error.broken", "nl")
    assert "ZeroDivisionError" in caplog.text
    assert len(teams.connector.posted) == 1


async def test_when_nothing_can_be_kept_the_answer_comes_all_the_same(teams, monkeypatch, caplog):
    monkeypatch.setattr(teams.desk.store, "receive", lambda event, now: 1 / 0)
    assert "Verhuizing" in shown(await teams.say("klant is verhuisd"))
    assert "ZeroDivisionError" in caplog.text


async def test_when_the_desk_fails_there_is_one_kind_sentence_and_a_traceback_in_the_log(teams, monkeypatch, caplog):
    monkeypatch.setattr(teams.desk.embedder, "query", lambda text: 1 / 0)
    assert (await teams.say("klant is verhuisd"))["text"] == say("error.broken", "nl")
    assert "ZeroDivisionError" in caplog.text


async def test_when_a_button_fails_there_is_one_kind_sentence_and_a_traceback_in_the_log(teams, monkeypatch, caplog):
    opened = button(await teams.say("klant is verhuisd"), "reshape", moment="more")
    monkeypatch.setattr(teams.desk.store, "answer", lambda answer_id: 1 / 0)
    said = await teams.tap(opened)
    assert said == {
        "statusCode": 200,
        "type": "application/vnd.microsoft.activity.message",
        "value": say("error.broken", "nl"),
    }
    assert (await teams.submit(opened))["text"] == say("error.broken", "nl")
    assert "ZeroDivisionError" in caplog.text


async def test_an_error_before_anything_is_understood_is_logged_and_no_failure_to_teams(door, monkeypatch, caplog):
    monkeypatch.setattr(door.surface, "_on_message", lambda activity: 1 / 0)
    assert (await door.post(door.message("klant is verhuisd"))).status == 200
    assert "ZeroDivisionError" in caplog.text


# -- time --------------------------------------------------------------------------------------------------------------
async def test_a_message_is_acknowledged_while_the_desk_still_thinks_and_typing_is_shown(teams, monkeypatch):
    monkeypatch.setattr("core.courier._PATIENCE", 0)
    released = threading.Event()
    answer = teams.desk.answer
    monkeypatch.setattr(teams.desk, "answer", lambda question: released.wait(WAIT) and answer(question))
    assert (await teams.post(teams.message("klant is verhuisd"))).status == 200
    assert teams.connector.posted == []
    assert (await teams.connector.next("typing"))["conversation"]["id"] == "a:personal"
    assert teams.connector.replies == []
    released.set()
    assert "Verhuizing doorgeven" in shown(await teams.connector.next())


async def test_a_quick_answer_shows_no_typing(teams):
    await teams.say("klant is verhuisd")
    await teams.settled()
    assert [posted.activity["type"] for posted in teams.connector.posted] == ["message"]


async def test_stopping_finishes_what_is_under_way_and_takes_no_more(desk, monkeypatch):
    released = threading.Event()
    answer = desk.answer
    monkeypatch.setattr(desk, "answer", lambda question: released.wait(WAIT) and answer(question))
    async with FakeTeams(desk) as teams:
        await teams.surface.start()
        await teams.post(teams.message("klant is verhuisd"))
        stopping = asyncio.create_task(teams.surface.stop())
        await asyncio.sleep(0)
        assert (await teams.post(teams.message("nog iets"))).status == 503
        released.set()
        await stopping
        assert len(teams.connector.replies) == 1


async def test_what_a_crash_left_is_answered_at_the_start(desk):
    async with FakeTeams(desk) as teams:
        Inbox(desk).receive(to_event(teams.message("klant is verhuisd")))
        await teams.surface.start()
        assert "Verhuizing doorgeven" in shown(await teams.connector.next())


# -- posting -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("statuses", [(502, 502), (429,), (412,), (504, 502, 504, 429)])
async def test_what_teams_has_no_time_for_is_sent_again(teams, statuses):
    teams.connector.fail(*statuses)
    assert "Verhuizing doorgeven" in shown(await teams.say("klant is verhuisd"))
    await teams.settled()
    assert Inbox(teams.desk).outbox("teams") == []


async def test_how_long_teams_asks_us_to_wait_is_how_long_we_wait(desk):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    async with FakeTeams(desk, sleep=sleep) as teams:
        teams.connector.fail(429, retry_after="3")
        teams.connector.fail(502)
        await teams.say("klant is verhuisd")
    assert waited[0] == 3
    assert 0.5 <= waited[1] <= 1.5


async def test_a_reply_that_teams_keeps_refusing_waits_for_the_next_look(teams, desk, caplog):
    teams.connector.fail(*[502] * 5)
    await teams.post(teams.message("klant is verhuisd"))
    await teams.settled()
    assert teams.connector.posted == []
    assert "could not post on teams" in caplog.text
    await teams.surface.start()
    assert "Verhuizing doorgeven" in shown(await teams.connector.next())


async def test_a_card_that_teams_will_not_have_goes_as_its_summary(teams):
    teams.connector.fail(413, body='{"error": {"code": "MessageSizeTooBig"}}', content_type="application/json")
    reply = await teams.say("klant is verhuisd")
    assert reply["text"] == "Verhuizing doorgeven: Dat kan tot een jaar terug."
    assert "attachments" not in reply


async def test_one_client_serves_all_messages(teams, monkeypatch):
    made = []
    pipeline = botframework.AsyncPipeline
    monkeypatch.setattr(botframework, "AsyncPipeline", lambda *parts: made.append(parts) or pipeline(*parts))
    for _ in range(3):
        await teams.say("klant is verhuisd")
    assert len(made) == 1


async def test_an_activity_leaves_as_it_was_made(door):
    mention = {"type": "mention", "text": "<at>Anna</at>", "mentioned": {"id": "29:anna", "name": "Anna"}}
    said = {"type": "message", "text": "<at>Anna</at>", "entities": [mention], "channelData": {"a": [1, None]}}
    address = to_event(door.message("x", id="7")).address
    await door.surface._endpoint.send(address, said)
    posted = await door.connector.next()
    assert posted.items() >= said.items()
    await door.surface._endpoint.send({key: value for key, value in address.items() if key != "activityId"}, said)
    assert door.connector.posted[-1].path == "/v3/conversations/a:personal/activities"


async def test_a_refusal_says_its_status(door):
    door.connector.fail(403)
    with pytest.raises(PostError) as raised:
        await door.surface._endpoint.send(to_event(door.message("x")).address, {"type": "typing"})
    assert raised.value.status == 403


# -- buttons -----------------------------------------------------------------------------------------------------------
async def test_an_alternative_is_opened_in_place(teams):
    reply = await teams.say("klant is verhuisd")
    tapped = {"verb": "open", "data": {"verb": "open", "article_id": "move", "language": "en", "moment": "more"}}
    body = await teams.tap(tapped)
    assert (body["statusCode"], body["type"]) == (200, CARD)
    assert "Verhuizing doorgeven" in shown(body["value"])
    assert say("moment.more", "en") in shown(body["value"])
    assert teams.connector.replies == [reply]


async def test_an_opened_article_can_be_reshaped_and_marked_wrong_like_any_answer(teams):
    opened = await teams.tap({"verb": "open", "data": {"verb": "open", "article_id": "move"}})
    reshaped = await teams.tap(button(opened["value"], "reshape", moment="more"))
    assert say("moment.more", "nl") in shown(reshaped["value"])
    thanked = await teams.tap(button(reshaped["value"], "wrong", reason="unclear"))
    assert say("feedback.thanks", "nl") in shown(thanked["value"])


async def test_an_answer_is_reshaped_in_place_and_the_correction_is_kept(teams, monkeypatch):
    kept = []
    rate = teams.desk.store.rate
    monkeypatch.setattr(teams.desk.store, "rate", lambda feedback, now: kept.append(feedback) or rate(feedback, now))
    body = await teams.tap(button(await teams.say("klant is verhuisd"), "reshape", moment="more"))
    assert body["type"] == CARD
    assert say("moment.more", "nl") in shown(body["value"])
    assert [feedback.moment for feedback in kept] == [Moment.MORE]


async def test_a_shape_the_article_has_nothing_for_is_said_so(teams):
    body = await teams.tap(button(await teams.say("klant is verhuisd"), "reshape", moment="solve"))
    assert shown(body["value"]["body"][0]) == say("reshape.nothing", "nl")


async def test_what_is_wrong_is_kept_and_the_card_stays_as_it_was_shaped(teams, monkeypatch):
    kept = []
    rate = teams.desk.store.rate
    reshaped = await teams.tap(button(await teams.say("klant is verhuisd"), "reshape", moment="more"))
    monkeypatch.setattr(teams.desk.store, "rate", lambda feedback, now: kept.append(feedback) or rate(feedback, now))
    body = await teams.tap(button(reshaped["value"], "wrong", reason="outdated"))
    assert [(feedback.reason, feedback.helpful) for feedback in kept] == [("outdated", False)]
    assert shown(body["value"]["body"][0]) == say("feedback.thanks", "nl")
    assert say("moment.more", "nl") in shown(body["value"])


async def test_every_button_works_in_a_client_that_only_submits(teams):
    asked = await teams.say("klant is verhuisd")
    reshaped = await teams.submit(button(asked, "reshape", moment="more"))
    assert say("moment.more", "nl") in shown(reshaped)
    thanks = await teams.submit(button(asked, "wrong", reason="topic"))
    assert thanks["text"] == say("feedback.thanks", "nl")
    data = {"verb": "open", "article_id": "move"}
    assert "Verhuizing doorgeven" in shown(await teams.submit({"fallback": {"data": data}}))


async def test_whoever_taps_does_not_wait_for_ever(teams, monkeypatch):
    monkeypatch.setattr("bots.teams._TAPPED_WITHIN", 0.01)
    released = threading.Event()
    monkeypatch.setattr(teams.desk, "open", lambda *_, **__: released.wait(WAIT))
    body = await teams.tap({"verb": "open", "data": {"verb": "open", "article_id": "move"}})
    released.set()
    assert body["value"] == say("error.busy", "nl")


async def test_a_submit_of_a_button_we_no_longer_have_gets_help(teams):
    reply = await teams.say(None, value={"verb": "dance"}, **teams.in_channel(entities=[]))
    assert reply["text"].startswith("Typ je vraag")


async def test_what_is_gone_is_said_and_the_card_stays(teams):
    asked = await teams.say("klant is verhuisd")
    for tapped in (
        {"verb": "open", "data": {"verb": "open", "article_id": "gone", "language": "en"}},
        {"verb": "reshape", "data": {"verb": "reshape", "answer_id": "gone", "moment": "new", "language": "en"}},
        {"verb": "wrong", "data": {"verb": "wrong", "answer_id": "gone", "reason": "topic", "language": "en"}},
    ):
        body = await teams.tap(tapped)
        assert body["type"] == "application/vnd.microsoft.activity.message"
        assert body["value"] == say("answer.gone", "en")
    assert teams.connector.replies == [asked]


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"action": None},
        {"action": {"data": "open"}},
        {"action": {"data": {}}},
        {"action": {"data": {"verb": "dance"}}},
        {"action": {"data": {"verb": "open", "article_id": 7}}},
        {"action": {"data": {"verb": "reshape", "answer_id": "x", "moment": "later"}}},
        {"action": {"data": {"verb": "wrong", "answer_id": "x", "reason": "colour"}}},
    ],
)
async def test_an_action_that_makes_no_sense_is_refused_in_teams_own_way(door, value):
    response = await door.invoke("adaptiveCard/action", value)
    assert response.status == 200
    body = await response.json()
    assert (body["statusCode"], body["type"]) == (400, "application/vnd.microsoft.error")


async def test_an_article_for_few_is_opened_for_them_alone(teams, desk):
    desk.store.set_person(ANNA, role=Role.AGENT, audience=["vips"], level="")
    tapped = {"verb": "open", "data": {"verb": "open", "article_id": "vip"}}
    assert "Bel de directie." in shown((await teams.tap(tapped))["value"])
    in_public = await teams.tap(tapped, **teams.in_channel())
    assert in_public["value"] == say("answer.gone", "nl")


# -- other activities --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "activity",
    [
        {"type": "conversationUpdate", "membersAdded": [{"id": "29:anna"}]},
        {"type": "installationUpdate", "action": "add"},
        {"type": "messageReaction", "reactionsAdded": [{"type": "like"}], "replyToId": "1"},
        {"type": "messageUpdate", "text": "klant is toch niet verhuisd"},
        {"type": "messageDelete"},
        {"type": "typing"},
        {"type": "event", "name": "application/vnd.microsoft.readReceipt"},
        {"type": "somethingNew"},
    ],
)
async def test_what_is_no_message_is_acknowledged_and_no_more(door, activity):
    assert (await door.post(door.activity(**activity))).status == 200
    await door.settled()
    assert door.connector.posted == []


@pytest.mark.parametrize(
    "name", ["composeExtension/query", "message/submitAction", "task/fetch", "signin/verifyState", None]
)
async def test_an_invoke_we_do_not_know_gets_an_empty_yes(door, name):
    response = await door.invoke(name, {"commandId": "x"})
    assert (response.status, await response.read()) == (200, b"")


# -- login -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def keys():
    with KeyServer() as keys:
        yield keys


@pytest.fixture
async def guarded(keys):
    """A bot with a login and nobody behind it."""
    async with FakeTeams(None, settings=with_login(), keys_url=keys.metadata, credentials=CannedCredentials()) as teams:
        yield teams


async def test_with_a_login_both_ways_a_question_is_answered(desk, keys):
    async with FakeTeams(desk, settings=with_login(), keys_url=keys.metadata, credentials=CannedCredentials()) as teams:
        signed = bearer(token(teams.connector.url))
        assert (await teams.post(teams.message("klant is verhuisd"), signed)).status == 200
        assert "Verhuizing doorgeven" in shown(await teams.connector.next())
        assert teams.connector.posted[0].authorization == "Bearer canned"
    for thread in threading.enumerate():
        if thread.name.startswith("teams-token"):
            thread.join(WAIT)
            assert not thread.is_alive()


@pytest.mark.parametrize("ago", [-600, 120])
async def test_a_token_counts_until_five_minutes_after_its_end(guarded, ago):
    signed = bearer(token(guarded.connector.url, exp=int(time.time()) - ago))
    assert (await guarded.post(guarded.activity(type="typing"), signed)).status == 200


@pytest.mark.parametrize(
    "header",
    [
        lambda url: {},
        lambda url: {"Authorization": ""},
        lambda url: bearer("xyz"),
        lambda url: bearer("a.b.c"),
        lambda url: {"Authorization": "Basic abc"},
        lambda url: {"Authorization": "Bearer"},
        lambda url: {"Authorization": f"Bearer {token(url)} more"},
        lambda url: {"Authorization": token(url)},
        lambda url: bearer(token(url, aud="other")),
        lambda url: bearer(token(url, aud=None)),
        lambda url: bearer(token(url, exp=int(time.time()) - 600)),
        lambda url: bearer(token(url, nbf=int(time.time()) + 600)),
        lambda url: bearer(token(url, iss="https://evil.example")),
        lambda url: bearer(token(url, iss="https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/", ver="1.0")),
        lambda url: bearer(token(url, ver="2.0", azp="another-bot")),
        lambda url: bearer(token(url, key="theirs")),
        lambda url: bearer(token(url, kid="zzz")),
        lambda url: bearer(token(url, kid=None)),
        lambda url: bearer(token(url, algorithm="HS256")),
        lambda url: bearer(token(url, algorithm="none")),
        lambda url: bearer(token("https://evil.example/")),
        lambda url: bearer(token(None)),
    ],
)
async def test_a_token_that_is_not_right_is_refused_and_nothing_is_done(guarded, header):
    refused = await guarded.post(guarded.message("klant is verhuisd"), header(guarded.connector.url))
    assert refused.status == 401
    assert not guarded.surface._background._tasks


@pytest.mark.parametrize(("channel", "status"), [("slack", 401), ("webchat", 403), ("", 400), (None, 400)])
async def test_only_teams_comes_in(guarded, channel, status):
    signed = bearer(token(guarded.connector.url))
    assert (await guarded.post(guarded.message("klant is verhuisd", channelId=channel), signed)).status == status


@pytest.mark.parametrize("service", ["https://evil.example/", "", None, 7])
async def test_the_address_to_reply_to_is_the_one_that_was_signed(guarded, service):
    signed = bearer(token(guarded.connector.url))
    refused = await guarded.post(guarded.message("klant is verhuisd", serviceUrl=service), signed)
    assert refused.status == (401 if service == "https://evil.example/" else 400)


OTHER = "00000000-1111-1111-1111-111111111111"


@pytest.mark.parametrize(
    ("conversation", "channel"), [(OTHER, OTHER), (OTHER, TENANT), (TENANT, OTHER), (None, OTHER), (None, None)]
)
async def test_another_tenant_is_refused(guarded, conversation, channel):
    signed = bearer(token(guarded.connector.url))
    said = guarded.message(
        "klant is verhuisd",
        conversation={"id": "a:1", "conversationType": "personal", "tenantId": conversation},
        channelData={"tenant": {"id": channel}},
    )
    assert (await guarded.post(said, signed)).status == 403


async def test_a_tenant_is_the_same_in_capitals(guarded):
    signed = bearer(token(guarded.connector.url))
    said = guarded.activity(type="typing", channelData={"tenant": {"id": TENANT.upper()}})
    assert (await guarded.post(said, signed)).status == 200


async def test_the_keys_are_fetched_once_and_not_for_every_key_that_somebody_makes_up(guarded, keys):
    for signed in (token(guarded.connector.url), token(guarded.connector.url), token(guarded.connector.url, kid="zzz")):
        await guarded.post(guarded.activity(type="typing"), bearer(signed))
    assert keys.hits == 2


async def test_a_new_key_is_looked_for_when_it_could_be_there(guarded, keys, monkeypatch):
    monkeypatch.setattr(botframework, "_KEYS_MAY_HAVE_CHANGED", 0.0)
    for kid in ("k1", "zzz"):
        await guarded.post(guarded.activity(type="typing"), bearer(token(guarded.connector.url, kid=kid)))
    assert keys.hits == 4


async def test_while_the_keys_are_fetched_others_are_served(guarded, keys):
    keys.open.clear()
    signed = bearer(token(guarded.connector.url))
    waiting = asyncio.gather(*(guarded.post(guarded.activity(type="typing"), signed) for _ in range(3)))
    await asyncio.to_thread(keys.asked.wait, WAIT)
    assert (await guarded.post(guarded.activity(type="typing"))).status == 401
    keys.open.set()
    assert [response.status for response in await waiting] == [200] * 3
    assert keys.hits == 2


async def test_without_the_keys_teams_is_asked_to_come_back(guarded, keys):
    keys.broken = True
    signed = bearer(token(guarded.connector.url))
    assert (await guarded.post(guarded.activity(type="typing"), signed)).status == 503
    keys.broken = False
    assert (await guarded.post(guarded.activity(type="typing"), signed)).status == 200
    keys.broken = True
    assert (await guarded.post(guarded.activity(type="typing"), signed)).status == 200


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://127.0.0.1:{port}/"])
async def test_where_the_keys_should_be_nobody_or_silence_is_waited_for_no_longer_than_agreed(keys, monkeypatch, url):
    monkeypatch.setattr(botframework, "_KEYS_WITHIN", 0.2)
    keys.open.clear()
    there = url.replace("{port}", keys.url.rpartition(":")[2])
    async with FakeTeams(None, settings=with_login(), keys_url=there, credentials=CannedCredentials()) as teams:
        signed = bearer(token(teams.connector.url))
        assert (await teams.post(teams.activity(type="typing"), signed)).status == 503


async def test_a_token_of_our_own_that_does_not_come_leaves_the_reply_in_the_outbox(desk, keys):
    def broken(force_refresh=False):
        raise PermissionError("Entra says no")

    class Broken(CannedCredentials):
        async def create_credentials(self, *arguments):
            made = await super().create_credentials(*arguments)
            made.get_access_token = broken
            return made

    async with FakeTeams(desk, settings=with_login(), keys_url=keys.metadata, credentials=Broken()) as teams:
        await teams.post(teams.message("klant is verhuisd"), bearer(token(teams.connector.url)))
        await teams.settled()
    assert len(Inbox(desk).outbox("teams")) == 1


# -- requests ----------------------------------------------------------------------------------------------------------
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"data": b"{", "headers": JSON}, 400),
        ({"data": b"", "headers": JSON}, 400),
        ({"data": b"\xff\xfe{}", "headers": JSON}, 400),
        ({"data": b"[]", "headers": JSON}, 400),
        ({"data": b"null", "headers": JSON}, 400),
        ({"data": b"{}", "headers": JSON}, 400),
        ({"data": b'{"type": 7}', "headers": JSON}, 400),
        ({"data": b'{"type": ""}', "headers": JSON}, 400),
        ({"data": b"[" * 100_000, "headers": JSON}, 400),
        ({"data": b"no gzip", "headers": JSON | {"Content-Encoding": "gzip"}}, 400),
        ({"data": b"{}"}, 415),
        ({"data": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"data": b"{}", "headers": {"Content-Type": "/;;"}}, 415),
        ({"data": io.BytesIO(b" " * 2_000_000), "headers": JSON}, 413),
    ],
)
async def test_a_body_that_is_no_activity_is_refused(door, request_, status):
    assert (await door.raw(**request_)).status == status


async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(door):
    response = await door.raw(
        data=io.BytesIO(gzip.compress(b" " * 5_000_000)), headers=JSON | {"Content-Encoding": "gzip"}
    )
    assert response.status == 413


async def test_a_body_that_does_not_come_is_waited_for_no_longer_than_agreed(door, monkeypatch):
    monkeypatch.setattr(botframework, "_BODY_WITHIN", 0.05)

    async def never():
        yield b"{"
        await asyncio.sleep(WAIT)

    assert (await door.raw(data=never(), headers=JSON)).status == 408


# -- settings ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, "MICROSOFT_APP_ID"),
        ({"teams_without_login": True, "host": "0.0.0.0"}, "BIJDEHAND_HOST"),
        ({"teams_without_login": True, "host": ""}, "BIJDEHAND_HOST"),
        ({"teams_without_login": True, "host": "example.com"}, "BIJDEHAND_HOST"),
        ({"teams_app_id": "x"}, "MICROSOFT_APP_PASSWORD and MICROSOFT_APP_TENANT_ID"),
        ({"teams_app_id": "x", "teams_app_password": "y"}, "MICROSOFT_APP_TENANT_ID"),
        ({"teams_app_id": "x", "teams_app_type": "MultiTenant"}, "MICROSOFT_APP_PASSWORD"),
        ({"teams_app_id": "x", "teams_app_type": "UserAssignedMSI"}, "MICROSOFT_APP_TENANT_ID"),
    ],
)
def test_unsafe_or_incomplete_settings_do_not_start(values, named):
    with pytest.raises(SettingsError, match=named):
        make_surface(None, Settings(**values, _env_file=None))


@pytest.mark.parametrize(
    "values",
    [
        {"teams_without_login": True},
        {"teams_without_login": True, "host": "localhost"},
        {"teams_without_login": True, "host": "::1"},
        {"teams_app_id": "x", "teams_app_password": "y", "teams_tenant_id": "z"},
        {"teams_app_id": "x", "teams_app_password": "y", "teams_app_type": "MultiTenant"},
        {"teams_app_id": "x", "teams_tenant_id": "z", "teams_app_type": "UserAssignedMSI"},
    ],
)
async def test_safe_and_complete_settings_start(values):
    surface = make_surface(None, Settings(**values, _env_file=None))
    await surface.start()
    await surface.stop()


async def test_an_app_id_asks_for_a_login_whatever_else_is_set():
    settings = with_login(teams_without_login=True)
    async with FakeTeams(None, settings=settings, keys_url="http://127.0.0.1:9/") as teams:
        assert (await teams.post(teams.message("klant is verhuisd"))).status == 401


async def test_without_a_login_whatever_header_comes_is_ignored(door):
    assert (await door.post(door.activity(type="typing"), bearer("xyz"))).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "kwaad.example"},
        {"Host": "127.0.0.1.kwaad.example:3978"},
        {"Host": "localhost@kwaad.example"},
        {"Host": ""},
        {"Host": "10.0.0.1"},
        {"Host": "localhost:3978", "Origin": "https://kwaad.example"},
        {"Host": "localhost:3978", "Origin": "http://localhost:8080"},
        {"Host": "localhost:3978", "Origin": "null"},
    ],
)
async def test_without_a_login_another_site_cannot_speak_through_a_browser_here(door, headers):
    assert (await door.post(door.activity(type="typing"), headers)).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:3978"},
        {"Host": "[::1]:3978"},
        {"Host": "127.0.0.1"},
        {"Host": "Localhost:3978", "Origin": "http://localhost:3978"},
    ],
)
async def test_without_a_login_this_machine_is_let_in_by_any_of_its_names(door, headers):
    assert (await door.post(door.activity(type="typing"), headers)).status == 200


@pytest.mark.parametrize(
    "service",
    [
        "https://smba.trafficmanager.net/emea/",
        "http://169.254.169.254/",
        "http://127.0.0.1@kwaad.example/",
        "http://kwaad.example\\@127.0.0.1/",
        "http://localhost.kwaad.example/",
        "//localhost/",
        "file:///etc/passwd",
        "http://[kwaad/",
        "localhost",
    ],
)
async def test_without_a_login_nothing_is_posted_to_another_machine(teams, service):
    response = await teams.post(teams.message("klant is verhuisd", serviceUrl=service))
    await teams.settled()
    assert response.status == 403
    assert teams.desk.store.people() == []


async def test_with_a_login_teams_comes_in_by_the_name_of_our_host(guarded):
    headers = bearer(token(guarded.connector.url)) | {"Host": "bot.kievit.example"}
    assert (await guarded.post(guarded.activity(type="typing"), headers)).status == 200
