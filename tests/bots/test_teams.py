import asyncio
import json
import threading

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
    at,
    bearer,
    buttons,
    card,
    shown,
    token,
    with_login,
)

from bots.botframework import TokenError
from bots.teams_activities import to_event
from bots.teams_cards import CARD
from bots.teams_taps import Taps
from core.inbox import Inbox
from core.model import Role
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
def kept(desk, monkeypatch):
    """What people thought, as it was kept."""
    found, rate = [], desk.store.rate
    monkeypatch.setattr(desk.store, "rate", lambda feedback, now: found.append(feedback) or rate(feedback, now))
    return found


def button(activity, verb, **data):
    found = buttons(activity)
    return next(one for one in found if one["verb"] == verb and one["data"].items() >= data.items())


def move(answer, **data):
    """A button that opens an article, as it stands below that answer."""
    tied = {"from": button(answer, "later")["data"]["answer_id"]} if answer else {}
    return {"verb": "open", "data": {"verb": "open", "article_id": "move"} | tied | data}


async def shapes(teams, answer, **where):
    """The moments to choose from."""
    return (await teams.tap(button(answer, "show", view="shapes"), **where))["value"]


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


async def test_what_is_said_in_a_channel_to_somebody_else_is_left_alone(teams):
    overheard = teams.message("klant is verhuisd", **teams.in_channel(entities=[]))
    assert (await teams.post(overheard)).status == 200
    await teams.settled()
    assert teams.connector.posted == []


async def test_what_a_bot_says_is_left_alone(teams):
    for sender in (BOT, {"id": "28:other", "role": "bot"}):
        assert (await teams.post(teams.message("klant is verhuisd", **{"from": sender}))).status == 200
    await teams.settled()
    assert teams.connector.posted == []


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


async def test_a_person_is_known_by_the_id_of_their_account_in_capitals_too(teams):
    await teams.say("klant is verhuisd")
    await teams.say("klant is verhuisd", **{"from": {"id": "29:anna", "aadObjectId": "AAD-Anna"}})
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
    opened = button(await teams.say("klant is verhuisd"), "show", view="shapes")
    monkeypatch.setattr(teams.desk.store, "answer", lambda answer_id: 1 / 0)
    said = await teams.tap(opened)
    assert said == {
        "statusCode": 200,
        "type": "application/vnd.microsoft.activity.message",
        "value": say("error.broken", "nl"),
    }
    assert (await teams.submit(opened))["text"] == say("error.broken", "nl")
    assert "ZeroDivisionError" in caplog.text


async def test_an_error_before_anything_is_understood_is_logged_and_no_failure_to_teams(teams, monkeypatch, caplog):
    monkeypatch.setattr(teams.surface, "_said", lambda activity, noted: 1 / 0)
    assert (await teams.post(teams.message("klant is verhuisd"))).status == 200
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


async def test_a_message_is_noted_before_it_is_acknowledged(teams, monkeypatch):
    released = threading.Event()
    receive = teams.desk.store.receive
    monkeypatch.setattr(teams.desk.store, "receive", lambda *asked: released.wait(WAIT) and receive(*asked))
    acked = asyncio.create_task(teams.post(teams.message("klant is verhuisd")))
    done, _ = await asyncio.wait([acked], timeout=0.2)
    assert not done
    released.set()
    assert (await acked).status == 200
    assert teams.desk.store.facts()["event"] == 1
    await teams.settled()


@pytest.mark.parametrize("text", ["help", "onderwerpen"])
async def test_a_command_is_noted_before_it_is_acknowledged(teams, text):
    assert (await teams.post(teams.message(text))).status == 200
    assert teams.desk.store.facts()["event"] == 1
    await teams.settled()


async def test_an_answer_does_not_wait_for_the_sign_that_it_is_on_its_way(teams, monkeypatch):
    monkeypatch.setattr("core.courier._PATIENCE", 0)
    send, typed = teams.surface._endpoint.send, threading.Event()

    async def hanging(reference, activity):
        if activity["type"] == "typing":
            typed.set()
            await asyncio.sleep(WAIT * 10)
        return await send(reference, activity)

    monkeypatch.setattr(teams.surface._endpoint, "send", hanging)
    answer = teams.desk.answer
    monkeypatch.setattr(teams.desk, "answer", lambda question: typed.wait(WAIT) and answer(question))
    assert "Verhuizing doorgeven" in shown(await teams.say("klant is verhuisd"))


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


async def test_a_reply_that_teams_keeps_refusing_waits_for_the_next_look(teams, desk, caplog):
    teams.connector.fail(*[502] * 5)
    await teams.post(teams.message("klant is verhuisd"))
    await teams.settled()
    assert teams.connector.posted == []
    assert "could not post on teams" in caplog.text
    await teams.surface.start()
    assert "Verhuizing doorgeven" in shown(await teams.connector.next())


async def test_a_card_that_teams_will_not_have_goes_as_its_summary(teams):
    teams.connector.fail(413, 413)
    reply = await teams.say("klant is verhuisd")
    assert reply["text"] == "Verhuizing doorgeven: Dat kan tot een jaar terug. [1]"
    assert "attachments" not in reply


async def test_a_card_that_teams_will_not_have_with_thumbs_goes_without(teams):
    teams.connector.fail(400)
    reply = await teams.say("klant is verhuisd")
    assert "Vraag de nieuwe postcode." in shown(reply)
    assert not reply.keys() & {"channelData", "entities"}


async def test_where_we_may_not_speak_the_asker_hears_it_in_private(teams):
    teams.connector.fail(403)
    asked = teams.message(f"{MENTION} klant is verhuisd", **teams.in_channel())
    await teams.post(asked)
    reply = await teams.connector.next()
    await teams.settled()
    assert "Verhuizing doorgeven" in shown(reply)
    assert reply["conversation"]["id"] == "a:personal"
    assert Inbox(teams.desk).outbox("teams") == []


async def test_in_a_private_chat_there_is_nowhere_else_to_speak(teams):
    await teams.say("hoi")
    teams.connector.fail(403)
    await teams.post(teams.message("klant is verhuisd"))
    await teams.settled()
    assert len(teams.connector.posted) == 1


async def test_where_we_may_speak_nowhere_the_reply_waits_for_the_next_look(teams):
    teams.connector.fail(403)
    teams.connector.without_us.add(teams.id)
    await teams.post(teams.message(f"{MENTION} klant is verhuisd", **teams.in_channel()))
    await teams.settled()
    assert teams.connector.posted == []
    assert len(Inbox(teams.desk).outbox("teams")) == 1


# -- buttons -----------------------------------------------------------------------------------------------------------
async def test_another_title_opens_in_its_place_with_a_way_back_and_stands_there_tomorrow(teams):
    reply = await teams.say("klant is verhuisd")
    body = await teams.tap(move(reply, language="en", moment="more"), **at(reply))
    assert (body["statusCode"], body["type"]) == (200, CARD)
    assert say("moment.more", "en") in shown(body["value"])
    assert card(await teams.connector.next_update()) == body["value"]
    assert [posted["id"] for posted in teams.connector.standing()] == [reply["id"]]
    back = await teams.tap(button(body["value"], "show"), **at(reply))
    await teams.settled()
    assert back["value"] == card(reply) == card(teams.connector.standing()[0])


async def test_a_title_of_a_list_opens_below_it(teams):
    reply = await teams.say("klant is verhuisd")
    assert (await teams.tap(move(None), **at(reply)))["value"] == say("teams.below", "nl")
    assert "Verhuizing doorgeven" in shown(await teams.connector.next())
    assert teams.connector.updated == []


async def test_an_opened_article_can_be_reshaped_and_marked_wrong_like_any_answer(teams):
    reply = await teams.say("klant is verhuisd")
    opened = await teams.tap(move(reply))
    reshaped = await teams.tap(button(await shapes(teams, opened["value"]), "reshape", moment="more"))
    assert say("moment.more", "nl") in shown(reshaped["value"])
    thanked = await teams.tap(button(reshaped["value"], "wrong", reason="unclear"))
    assert say("feedback.thanks", "nl") in shown(thanked["value"])


async def test_an_answer_is_reshaped_in_place_and_the_correction_is_kept(teams, kept):
    reply = await teams.say("klant is verhuisd")
    body = await teams.tap(button(await shapes(teams, reply), "reshape", moment="more"))
    assert body["type"] == CARD
    assert say("moment.more", "nl") in shown(body["value"])
    assert [feedback.moment for feedback in kept] == [Moment.MORE]


async def test_a_shape_the_article_has_nothing_for_is_said_so(teams):
    data = button(await teams.say("klant is verhuisd"), "later")["data"] | {"verb": "reshape", "moment": "solve"}
    body = await teams.tap({"verb": "reshape", "data": data})
    assert shown(body["value"]["body"][0]) == say("reshape.nothing", "nl")


async def test_what_is_wrong_is_kept_and_the_card_stays_as_it_was_shaped(teams, kept):
    reply = await teams.say("klant is verhuisd")
    reshaped = await teams.tap(button(await shapes(teams, reply), "reshape", moment="more"))
    body = await teams.tap(button(reshaped["value"], "wrong", reason="outdated"))
    assert [(feedback.reason, feedback.helpful) for feedback in kept[1:]] == [("outdated", False)]
    assert shown(body["value"]["body"][0]) == say("feedback.thanks", "nl")
    assert say("moment.more", "nl") in shown(body["value"])


async def test_every_button_works_in_a_client_that_only_submits(teams):
    asked = await teams.say("klant is verhuisd")
    reshaped = await teams.submit(button(await shapes(teams, asked), "reshape", moment="more"))
    assert say("moment.more", "nl") in shown(reshaped)
    thanks = await teams.submit(button(asked, "wrong", reason="topic"))
    assert say("feedback.thanks", "nl") in shown(thanks)
    assert "Verhuizing doorgeven" in shown(thanks)
    data = {"verb": "open", "article_id": "move"}
    assert "Verhuizing doorgeven" in shown(await teams.submit({"fallback": {"data": data}}))
    assert (await teams.submit(button(asked, "later")))["text"] == say("teams.kept", "nl")


async def test_the_same_submit_four_times_is_done_once(teams):
    asked = await teams.say("klant is verhuisd")
    tapped = teams.message(None, value=button(asked, "show", view="shapes")["fallback"]["data"])
    await asyncio.gather(*(teams.post(tapped) for _ in range(4)))
    await teams.settled()
    assert len(teams.connector.replies) == 2


async def test_when_a_submit_cannot_be_noted_it_is_done_all_the_same(teams, monkeypatch):
    asked = await teams.say("klant is verhuisd")
    monkeypatch.setattr(teams.desk.store, "receive", lambda *_, **__: 1 / 0)
    assert say("reshape.what", "nl") in shown(await teams.submit(button(asked, "show", view="shapes")))


async def test_of_many_quick_taps_the_last_is_what_stays(teams, monkeypatch):
    reply = await teams.say("klant is verhuisd")
    choosing = await shapes(teams, reply)
    slow, begun, update = asyncio.Event(), [], teams.surface._endpoint.update

    async def first_is_slow(*what):
        begun.append(what)
        if len(begun) == 1:
            await slow.wait()
        await update(*what)

    monkeypatch.setattr(teams.surface._endpoint, "update", first_is_slow)
    bodies = [await teams.tap(one, **at(reply)) for one in [button(choosing, "show"), *buttons(choosing)[:1]]]
    slow.set()
    await teams.settled()
    assert card(teams.connector.standing()[0]) == bodies[-1]["value"]


async def test_a_button_we_no_longer_have_gets_a_sentence(teams):
    dance = {"verb": "dance", "data": {"verb": "dance"}, "fallback": {"data": {"verb": "dance"}}}
    assert (await teams.tap(dance))["value"] == say("answer.gone", "nl")
    in_channel = teams.in_channel(entities=[])
    assert (await teams.submit(dance, **in_channel))["text"] == say("answer.gone", "nl")
    dialog = await teams.submit_in_dialog(dance)
    assert shown(dialog["task"]["value"]["card"]) == say("answer.gone", "nl")


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


async def test_a_coach_can_be_asked_although_the_article_is_gone(teams, desk):
    asked = await teams.say("klant is verhuisd")
    desk.store.delete(["move"])
    assert (await teams.tap(button(asked, "coach")))["value"] == say("coach.none", "nl")


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
async def test_an_action_that_makes_no_sense_gets_a_sentence(teams, value):
    body = await teams.asked("adaptiveCard/action", value)
    assert (body["statusCode"], body["value"]) == (200, say("answer.gone", "nl"))


async def test_an_article_for_few_is_opened_for_them_alone(teams, desk):
    desk.store.set_person(ANNA, role=Role.AGENT, audience=["vips"], level="")
    tapped = {"verb": "open", "data": {"verb": "open", "article_id": "vip"}}
    assert (await teams.tap(tapped))["value"] == say("teams.below", "nl")
    assert "Bel de directie." in shown(await teams.connector.next())
    in_public = await teams.tap(tapped, **teams.in_channel())
    assert in_public["value"] == say("answer.gone", "nl")


# -- taps that take a while --------------------------------------------------------------------------------------------
@pytest.fixture
def slow(teams, monkeypatch):
    """What a tap asks of the desk waits for this."""
    monkeypatch.setattr("bots.teams_invokes._WITHIN", 0.01)
    released, do = threading.Event(), Taps.do
    monkeypatch.setattr(Taps, "do", lambda taps, tap: released.wait(WAIT) and do(taps, tap))
    yield released
    released.set()


async def test_what_takes_long_is_shown_late_in_its_place(teams, slow):
    reply = await teams.say("klant is verhuisd")
    body = await teams.tap(button(reply, "show", view="shapes"), **at(reply))
    assert body["value"] == say("error.busy", "nl")
    slow.set()
    assert say("reshape.what", "nl") in shown(await teams.connector.next_update())


async def test_what_takes_long_in_a_channel_is_shown_late_in_private(teams, slow):
    reply = await teams.say_in_channel("klant is verhuisd")
    await teams.tap(button(reply, "show", view="shapes"), **at(reply))
    slow.set()
    late = await teams.connector.next(conversation="a:personal")
    assert "Verhuizing doorgeven" in shown(late)


async def test_a_title_that_takes_long_still_opens_below_the_list(teams, slow):
    reply = await teams.say("klant is verhuisd")
    await teams.tap(move(None), **at(reply))
    slow.set()
    assert "Verhuizing doorgeven" in shown(await teams.connector.next())
    assert teams.connector.updated == []


async def test_a_sentence_that_takes_long_is_said_late(teams, slow):
    reply = await teams.say("klant is verhuisd")
    await teams.tap(button(reply, "later"), **at(reply))
    slow.set()
    assert (await teams.connector.next())["text"] == say("teams.kept", "nl")


async def test_what_takes_long_on_its_way_to_a_private_chat_is_not_announced_there(teams, slow):
    reply = await teams.say_in_channel("klant is verhuisd")
    await teams.tap(button(reply, "private"), **at(reply))
    slow.set()
    await teams.settled()
    assert ["Verhuizing doorgeven" in shown(posted) for posted in teams.connector.standing()] == [True]


# -- other activities --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "activity",
    [
        {"type": "conversationUpdate", "membersAdded": [{"id": "29:anna"}]},
        {"type": "installationUpdate", "action": "add-upgrade"},
        {"type": "messageReaction", "reactionsAdded": [{"type": "like"}], "replyToId": "1"},
        {"type": "messageUpdate", "text": "klant is toch niet verhuisd"},
        {"type": "messageDelete"},
        {"type": "typing"},
        {"type": "event", "name": "application/vnd.microsoft.readReceipt"},
        {"type": "somethingNew"},
    ],
)
async def test_what_is_no_message_is_acknowledged_and_no_more(teams, activity):
    assert (await teams.post(teams.activity(**activity))).status == 200
    await teams.settled()
    assert teams.connector.posted == []


@pytest.mark.parametrize("name", ["composeExtension/queryLink", "message/fetchTask", "signin/verifyState", None])
async def test_an_invoke_we_do_not_know_gets_an_empty_yes(teams, name):
    response = await teams.invoke(name, {"commandId": "x"})
    assert (response.status, await response.read()) == (200, b"")


# -- login -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def keys():
    with KeyServer() as keys:
        yield keys


async def test_with_a_login_both_ways_a_question_is_answered(desk, keys):
    async with FakeTeams(desk, settings=with_login(), keys_url=keys.metadata, credentials=CannedCredentials()) as teams:
        signed = bearer(token(teams.connector.url))
        assert (await teams.post(teams.message("klant is verhuisd"), signed)).status == 200
        assert "Verhuizing doorgeven" in shown(await teams.connector.next())
        assert teams.connector.posted[0].authorization == "Bearer canned"


async def test_a_token_of_our_own_that_does_not_come_leaves_the_reply_in_the_outbox(desk, keys):
    class Broken(CannedCredentials):
        def get_access_token(self):
            raise TokenError("Entra says no")

    async with FakeTeams(desk, settings=with_login(), keys_url=keys.metadata, credentials=Broken()) as teams:
        await teams.post(teams.message("klant is verhuisd"), bearer(token(teams.connector.url)))
        await teams.settled()
    assert len(Inbox(desk).outbox("teams")) == 1
