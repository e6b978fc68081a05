import asyncio
import json
import logging

import pytest
from conftest import article, make_desk
from fake_connector import BOT, MENTION, TENANT, in_channel, in_group, make_activity
from hypothesis import given
from hypothesis import strategies as st

from bots.teams import make_surface
from bots.teams_activities import identity_of, plain_text, to_asked_about, to_event, to_search, to_spot
from bots.teams_cards import Where
from core.settings import Settings
from core.store import Identity
from core.store.sqlite import open_store

MOVE = article("---\ntitle: Verhuizing\n---\n## Stappen\n1. Vraag de postcode.\n", "move")
ANSWER = "a" * 32
PRIVATE, CHANNEL, GROUP = make_activity("https://teams.example/"), in_channel(), in_group()

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from([BOT["id"], "move", MENTION, "\ud800", "\0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "name", "type", "value", "data", "text", "tenant", "verb"]), inner)
    ),
    max_leaves=8,
)
_TAPPED = {"verb": "open", "article_id": "move", "answer_id": ANSWER, "moment": "apply", "reason": "topic", "step": "1"}
_VALUES = [
    _TAPPED,
    {"action": {"data": _TAPPED}},
    {"commandId": "ask_about", "data": _TAPPED, "messagePayload": {"id": "1", "body": {"content": "<p>verhuizing"}}},
    {"commandId": "search", "parameters": [{"name": "text", "value": "verhuizing"}]},
    {"actionName": "feedback", "actionValue": {"reaction": "like", "feedback": '{"feedbackText": "x"}'}},
]
_TYPES = ["message", "messageUpdate", "messageDelete", "messageReaction", "conversationUpdate", "installationUpdate"]
_NAMES = ["adaptiveCard/action", "message/submitAction", "composeExtension/query", "composeExtension/fetchTask"]
_NAMES += ["composeExtension/submitAction", "task/submit", "task/fetch", "signin/failure"]
_ACTIONS = ["add", "remove", "add-upgrade", "editMessage"]


@st.composite
def broken(draw, sound):
    """The same, with anything in the place of some of it."""
    if draw(st.integers(0, 9)) == 0:
        return draw(anything)
    if isinstance(sound, dict):
        return {key: draw(broken(value)) for key, value in sound.items() if draw(st.integers(0, 19))}
    return [draw(broken(value)) for value in sound] if isinstance(sound, list) else sound


@st.composite
def activities(draw):
    """What no client would send."""
    sound = PRIVATE | draw(st.sampled_from([{}, CHANNEL, GROUP])) | {"text": f"{MENTION} verhuizing", "replyToId": "1"}
    sound |= {"value": draw(st.sampled_from([None, *_VALUES])), "name": draw(st.sampled_from(_NAMES))}
    sound |= {"action": draw(st.sampled_from(_ACTIONS)), "attachments": [{"contentType": "image/*"}]}
    sound["channelData"] = sound["channelData"] | {"eventType": "editMessage"}
    kept = {"type": draw(st.sampled_from(["invoke", *_TYPES])), "serviceUrl": "https://x/", "channelId": "msteams"}
    return draw(broken(sound).filter(lambda made: isinstance(made, dict))) | kept


class Postbox:
    """Takes whatever is posted."""

    def __init__(self, _settings, on_activity):
        self.on_activity = on_activity

    async def send(self, _reference, activity):
        return str(len(json.dumps(activity)))

    async def update(self, _reference, _message_id, activity):
        json.dumps(activity)

    async def delete(self, *_):
        pass

    async def personal(self, reference):
        return reference


class Failures(logging.Handler):
    """What is logged with a traceback, or as an error."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.found = []

    def emit(self, record):
        self.found.append(record.getMessage())


@pytest.fixture(scope="module")
def surface(tmp_path_factory):
    """With a store that is there for all examples."""
    store = open_store(tmp_path_factory.mktemp("teams") / "bijdehand.db")
    yield make_surface(make_desk(store, (MOVE,)), Settings(_env_file=None), endpoint=Postbox)
    store.close()


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as runner:
        yield runner


@given(activities())
def test_whatever_an_activity_holds_it_is_answered_and_nothing_breaks(surface, runner, activity):
    async def deliver():
        body = await surface._endpoint.on_activity(activity)
        await surface._background.settled()
        return body

    failures = Failures()
    logging.getLogger().addHandler(failures)
    try:
        body = runner.run(deliver())
    finally:
        logging.getLogger().removeHandler(failures)
    assert failures.found == []
    assert body is None or json.loads(json.dumps(body)) == body
    if activity["type"] == "invoke" and activity.get("name") in _NAMES[:-1]:
        assert body is not None


# -- who and where -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("over", "where", "place", "thread"),
    [
        ({}, Where.DIRECT, "a:personal", ""),
        (GROUP, Where.SHARED, "19:group@thread.v2", ""),
        (CHANNEL, Where.SHARED, "19:abc@thread.tacv2", "42"),
        ({"conversation": {"id": "19:abc", "conversationType": "channel"}, "id": "7"}, Where.SHARED, "19:abc", "7"),
        ({"conversation": {"id": "19:abc"}}, Where.SHARED, "19:abc", ""),
        ({"type": "invoke", "name": "composeExtension/fetchTask"}, Where.DIALOG, "a:personal", ""),
        (CHANNEL | {"name": "task/submit"}, Where.SHARED, "19:abc@thread.tacv2", "42"),  # no invoke, so no dialog
    ],
)
def test_a_spot_tells_who_reads_along_and_what_is_one_conversation(over, where, place, thread):
    spot = to_spot(PRIVATE | over)
    assert (spot.where, spot.place, spot.thread) == (where, place, thread)


@pytest.mark.parametrize(("account", "user"), [({}, "29:x"), ({"aadObjectId": "aad-x"}, "aad-x")])
def test_an_address_tells_whose_it_is_without_a_name(account, user):
    spot = to_spot(PRIVATE | {"from": {"id": "29:x", "name": "Xantippe"} | account})
    assert identity_of(spot.address) == spot.identity == Identity("teams", TENANT, user)
    assert "Xantippe" not in json.dumps(spot.address)


def test_what_is_asked_about_a_message_is_a_conversation_of_its_own_each_time():
    invoke = PRIVATE | {"name": "composeExtension/fetchTask", "value": _VALUES[2]}
    first, second = to_asked_about(invoke), to_asked_about(invoke)
    assert first.text == "verhuizing"
    assert first.thread not in {"", second.thread}
    assert first.message_id != second.message_id
    assert "aad-anna" not in first.place


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ([{"name": "text", "value": "gas"}], "gas"),
        ([{"name": "initialRun", "value": "true"}], ""),
        ([{"name": "text", "value": 7}, None], ""),
        ("text", ""),
    ],
)
def test_a_search_is_what_was_typed_for_it(parameters, text):
    assert to_search(PRIVATE | {"value": {"commandId": "search", "parameters": parameters}}) == text


def test_a_tap_in_a_client_that_only_submits_is_meant_for_us():
    tapped = PRIVATE | in_channel(entities=[]) | {"type": "message", "value": _TAPPED}
    assert to_event(tapped).addressed
    assert to_event(tapped | {"value": None}) is None


# -- texts -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (f"{MENTION} klant is verhuisd", "klant is verhuisd"),
        (f"klant {MENTION}is verhuisd", "klant is verhuisd"),
        ('<AT id="0">bijdehand</AT>&nbsp;klant is verhuisd', "klant is verhuisd"),
        ("<at>Bij de Hand</at> klant", "klant"),
        (f"{MENTION} vraag van <at>Jan Smit</at>: klant is verhuisd", "vraag van Jan Smit: klant is verhuisd"),
        ("<p>klant is</p><p>verhuisd &amp; boos</p>", "klant is\nverhuisd & boos"),
        ("<div>a<br/>b<ul><li>c</li></ul></div>", "a\nb c".replace(" ", "\n").replace("\nc", "c")),
        ("minder dan <5> dagen, x < y > z, <naam>", "minder dan <5> dagen, x < y > z, <naam>"),
        ("5 &lt; 6 &amp;lt; 7", "5 < 6 &lt; 7"),
        ("<at" * 10_000, "<at" * 6_666 + "<a" + ""),
    ],
)
def test_what_was_typed_is_read_without_our_name_and_without_html(text, plain):
    called = {"id": BOT["id"], "name": "Bij de Hand"}
    entities = [{"type": "mention", "mentioned": called, "text": "<at>Bij de Hand</at>"}]
    assert plain_text({"text": text, "recipient": BOT, "entities": entities}) == plain
