"""Our endpoint with nobody behind it: who and what gets in, what leaves, and by which token."""

import asyncio
import gzip
import io
import json
import threading
import time
import zlib
from contextlib import AsyncExitStack, asynccontextmanager
from email.utils import formatdate
from functools import partial

import msal
import pytest
from aiohttp import ServerDisconnectedError, web
from aiohttp.test_utils import TestClient, TestServer, unused_port
from fake_connector import (
    APP,
    BOT,
    TENANT,
    WAIT,
    CannedCredentials,
    FakeConnector,
    IdentityServer,
    KeyServer,
    at_once,
    bearer,
    make_activity,
    token,
    with_login,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msrest import Configuration

from bots import botframework
from bots.botframework import Endpoint, PostError, TokenError, read
from core.errors import SettingsError
from core.settings import Settings

OTHER = "00000000-1111-1111-1111-111111111111"
ELSEWHERE = "https://evil.example/"
JSON = {"Content-Type": "application/json"}


class Door:
    """Our endpoint, a Connector to post to, and a note of what got in."""

    def __init__(self, ours=None, **endpoint):
        self.reached = []
        self.body = None  # what an invoke is answered with
        self.connector = FakeConnector()
        ours = ours or Settings(teams_without_login=True, _env_file=None)
        self._make = partial(Endpoint, ours, self._note, **{"sleep": at_once} | endpoint)
        self._stack = AsyncExitStack()

    async def __aenter__(self):
        await self._stack.enter_async_context(self.connector)
        self.endpoint = self._make()
        self._stack.push_async_callback(self.endpoint.close)
        app = web.Application()
        app.router.add_post("/api/messages", self.endpoint.handle)
        self._client = await self._stack.enter_async_context(TestClient(TestServer(app, host="127.0.0.1")))
        return self

    async def __aexit__(self, *_):
        await self._stack.aclose()

    async def _note(self, activity):
        self.reached.append(activity)
        return self.body() if callable(self.body) else self.body

    @property
    def signed(self):
        """Headers that Teams would send."""
        return bearer(token(self.connector.url))

    @property
    def reference(self):
        """Where an answer to Anna goes."""
        conversation = {"id": "a:personal", "conversationType": "personal", "tenantId": TENANT}
        return {
            "activityId": "1700",
            "channelId": "msteams",
            "serviceUrl": self.connector.url,
            "locale": "nl-NL",
            "conversation": conversation,
            "bot": BOT,
            "user": {"id": "29:anna"},
        }

    def activity(self, **over):
        return make_activity(self.connector.url, **{"type": "message", "text": "hoi"} | over)

    async def status(self, activity=None, headers=None, **request):
        """What a request is answered with."""
        request = request or {"json": activity or self.activity()}
        return (await self._client.post("/api/messages", headers=headers, **request)).status


@pytest.fixture
async def door():
    """Without login."""
    async with Door() as door:
        yield door


@pytest.fixture
def keys():
    with KeyServer() as keys:
        yield keys


@pytest.fixture
async def guarded(keys):
    """With a login."""
    async with Door(with_login(), keys_url=keys.metadata, credentials=CannedCredentials()) as door:
        yield door


# -- tokens ------------------------------------------------------------------------------------------------------------
def json_body(data, **headers):
    return {"data": data, "headers": JSON | headers}


# Each: what is sent to a bot with a login, and what it is answered.
CASES = {
    "no header": (lambda url: {"headers": {}}, 401),
    "empty header": (lambda url: {"headers": {"Authorization": ""}}, 401),
    "garbage": (lambda url: {"headers": bearer("xyz")}, 401),
    "garbage in three parts": (lambda url: {"headers": bearer("a.b.c")}, 401),
    "basic auth": (lambda url: {"headers": {"Authorization": "Basic abc"}}, 401),
    "bearer of nothing": (lambda url: {"headers": {"Authorization": "Bearer"}}, 401),
    "two tokens": (lambda url: {"headers": {"Authorization": f"Bearer {token(url)} more"}}, 401),
    "token alone": (lambda url: {"headers": {"Authorization": token(url)}}, 401),
    "valid": (lambda url: {"headers": bearer(token(url))}, 200),
    "wrong audience": (lambda url: {"headers": bearer(token(url, aud="other"))}, 401),
    "no audience": (lambda url: {"headers": bearer(token(url, aud=None))}, 401),
    "ended ten minutes ago": (lambda url: {"headers": bearer(token(url, exp=int(time.time()) - 600))}, 401),
    "ended two minutes ago": (lambda url: {"headers": bearer(token(url, exp=int(time.time()) - 120))}, 200),
    "not begun": (lambda url: {"headers": bearer(token(url, nbf=int(time.time()) + 600))}, 401),
    "wrong issuer": (lambda url: {"headers": bearer(token(url, iss="https://evil.example"))}, 401),
    "issued for the Emulator": (
        lambda url: {"headers": bearer(token(url, iss=f"https://sts.windows.net/{TENANT}/", ver="1.0", appid=APP))},
        401,
    ),
    "issued for the Emulator of Microsoft": (
        lambda url: {
            "headers": bearer(
                token(url, iss="https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/", ver="1.0", appid=APP)
            )
        },
        401,
    ),
    "of another bot": (lambda url: {"headers": bearer(token(url, ver="2.0", azp="another-bot"))}, 401),
    "signed by another key": (lambda url: {"headers": bearer(token(url, key="theirs"))}, 401),
    "unknown key": (lambda url: {"headers": bearer(token(url, kid="zzz"))}, 401),
    "no key": (lambda url: {"headers": bearer(token(url, kid=None))}, 401),
    "a key endorsed for nothing": (lambda url: {"headers": bearer(token(url, kid="k2"))}, 401),
    "signed with a password": (lambda url: {"headers": bearer(token(url, algorithm="HS256"))}, 401),
    "not signed": (lambda url: {"headers": bearer(token(url, algorithm="none"))}, 401),
    "another serviceUrl in the token": (lambda url: {"headers": bearer(token(ELSEWHERE))}, 401),
    "no serviceUrl in the token": (lambda url: {"headers": bearer(token(None))}, 401),
    "another serviceUrl": (lambda url: {"headers": bearer(token(url)), "over": {"serviceUrl": ELSEWHERE}}, 401),
    "no serviceUrl": (lambda url: {"headers": bearer(token(url)), "over": {"serviceUrl": None}}, 400),
    "empty serviceUrl": (lambda url: {"headers": bearer(token(url)), "over": {"serviceUrl": ""}}, 400),
    "serviceUrl is a number": (lambda url: {"headers": bearer(token(url)), "over": {"serviceUrl": 7}}, 400),
    "channel not endorsed": (lambda url: {"headers": bearer(token(url)), "over": {"channelId": "slack"}}, 401),
    "another channel": (lambda url: {"headers": bearer(token(url)), "over": {"channelId": "webchat"}}, 403),
    "empty channel": (lambda url: {"headers": bearer(token(url)), "over": {"channelId": ""}}, 400),
    "no channel": (lambda url: {"headers": bearer(token(url)), "over": {"channelId": None}}, 400),
    "no type": (lambda url: {"headers": bearer(token(url)), "over": {"type": None}}, 400),
    "broken JSON": (lambda url: json_body(b"{", **bearer(token(url))), 400),
    "an array": (lambda url: json_body(b"[]", **bearer(token(url))), 400),
    "no content type": (lambda url: {"data": b"{}", "headers": bearer(token(url))}, 415),
    "plain text": (lambda url: {"data": b"{}", "headers": bearer(token(url)) | {"Content-Type": "text/plain"}}, 415),
}


@pytest.mark.parametrize("case", CASES)
async def test_only_what_teams_signed_gets_in_and_the_rest_hears_what_is_wrong(guarded, case):
    make, status = CASES[case]
    request = make(guarded.connector.url)
    activity = guarded.activity(**request.pop("over", {}))
    assert await guarded.status(activity, **request) == status
    assert len(guarded.reached) == (status == 200)


async def test_without_a_login_whatever_header_comes_is_ignored(door):
    for headers in ({}, bearer("xyz"), {"Authorization": "Basic abc"}):
        assert await door.status(headers=headers) == 200


async def test_without_the_keys_teams_is_asked_to_come_back(guarded, keys):
    keys.broken = True
    assert await guarded.status(headers=guarded.signed) == 503
    assert guarded.reached == []
    keys.broken = False
    assert await guarded.status(headers=guarded.signed) == 200
    keys.broken = True
    assert await guarded.status(headers=guarded.signed) == 200, "the keys are known now"


async def test_what_could_never_be_right_is_refused_without_looking_for_the_keys(guarded, keys):
    keys.broken = True
    for headers in ({}, bearer("xyz"), bearer(token(guarded.connector.url, iss="https://evil.example"))):
        assert await guarded.status(headers=headers) == 401
    assert keys.hits == []


async def test_a_refusal_is_logged_without_the_token_or_the_text(guarded, caplog):
    await guarded.status(guarded.activity(text="klant Jansen"), bearer("secret"))
    assert "refused a request with 401" in caplog.text
    assert "secret" not in caplog.text
    assert "Jansen" not in caplog.text


async def test_the_keys_are_fetched_once_and_not_for_every_key_that_somebody_makes_up(guarded, keys):
    for signed in (token(guarded.connector.url), token(guarded.connector.url), token(guarded.connector.url, kid="zzz")):
        await guarded.status(headers=bearer(signed))
    assert len(keys.hits) == 2


async def test_a_new_key_is_looked_for_when_it_could_be_there(guarded, keys, monkeypatch):
    monkeypatch.setattr(botframework, "_KEYS_MAY_HAVE_CHANGED", 0.0)
    for kid in ("k1", "zzz"):
        await guarded.status(headers=bearer(token(guarded.connector.url, kid=kid)))
    assert len(keys.hits) == 4


async def test_while_the_keys_are_fetched_others_are_served(guarded, keys):
    keys.open.clear()
    waiting = asyncio.gather(*(guarded.status(headers=guarded.signed) for _ in range(3)))
    await asyncio.to_thread(keys.asked.wait, WAIT)
    assert await guarded.status() == 401
    keys.open.set()
    assert await waiting == [200] * 3
    assert len(keys.hits) == 2


@pytest.mark.parametrize("silent", [True, False])
async def test_where_the_keys_should_be_nobody_or_silence_is_waited_for_no_longer_than_agreed(
    keys, monkeypatch, silent
):
    monkeypatch.setattr(botframework, "_KEYS_WITHIN", 0.2)
    keys.open.clear()
    there = keys.metadata if silent else f"http://127.0.0.1:{unused_port()}/"
    async with Door(with_login(), keys_url=there, credentials=CannedCredentials()) as door:
        assert await door.status(headers=door.signed) == 503


async def test_with_a_login_teams_comes_in_by_the_name_of_our_host(guarded):
    assert await guarded.status(headers=guarded.signed | {"Host": "bot.kievit.example"}) == 200


# -- tenants -----------------------------------------------------------------------------------------------------------
def from_tenants(conversation, channel):
    return {
        "conversation": {"id": "a:1", "conversationType": "personal", "tenantId": conversation},
        "channelData": {"tenant": {"id": channel}},
    }


@pytest.mark.parametrize(
    ("conversation", "channel", "status"),
    [
        (TENANT, TENANT, 200),
        (TENANT.upper(), None, 200),
        (None, TENANT.upper(), 200),
        (OTHER, OTHER, 403),
        (OTHER, TENANT, 403),
        (TENANT, OTHER, 403),
        (None, OTHER, 403),
        (None, None, 403),
        (7, [], 403),
    ],
)
async def test_another_tenant_is_refused(guarded, conversation, channel, status):
    said = guarded.activity(**from_tenants(conversation, channel))
    assert await guarded.status(said, guarded.signed) == status
    assert len(guarded.reached) == (status == 200)


@pytest.mark.parametrize(
    ("over", "welcome"),
    [
        ({}, {TENANT}),
        ({"teams_tenants": OTHER}, {TENANT, OTHER}),
        ({"teams_tenants": OTHER, "teams_app_type": "UserAssignedMSI"}, {TENANT, OTHER}),
        ({"teams_tenants": OTHER, "teams_app_type": "MultiTenant"}, {OTHER}),
        ({"teams_app_type": "MultiTenant"}, {TENANT}),
    ],
)
async def test_who_may_speak_are_the_tenants_that_are_named_and_our_own(keys, over, welcome):
    async with Door(with_login(**over), keys_url=keys.metadata, credentials=CannedCredentials()) as door:
        statuses = {
            tenant: await door.status(door.activity(**from_tenants(tenant, tenant)), door.signed)
            for tenant in (TENANT, OTHER)
        }
    assert statuses == {tenant: 200 if tenant in welcome else 403 for tenant in (TENANT, OTHER)}


@pytest.mark.parametrize(("named", "status"), [("", 200), (OTHER, 200), (TENANT, 403)])
async def test_without_a_login_any_tenant_may_speak_unless_some_are_named(named, status):
    async with Door(Settings(teams_without_login=True, teams_tenants=named, _env_file=None)) as door:
        assert await door.status(door.activity(**from_tenants(OTHER, OTHER))) == status


# -- bodies ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (json_body(b"{"), 400),
        (json_body(b""), 400),
        (json_body(b"\xff\xfe{}"), 400),
        (json_body(b'{"type": "\xc3\x28"}'), 400),
        (json_body(b"[]"), 400),
        (json_body(b"null"), 400),
        (json_body(b'"message"'), 400),
        (json_body(b"{}"), 400),
        (json_body(b'{"type": 7}'), 400),
        (json_body(b'{"type": ""}'), 400),
        (json_body(b"[" * 100_000), 400),
        (json_body(b'{"a":' * 100_000), 400),
        (json_body(b'{"type": "message", "value": ' + b"9" * 10_000 + b"}"), 400),
        (json_body(b"no gzip", **{"Content-Encoding": "gzip"}), 400),
        (json_body(b"no deflate", **{"Content-Encoding": "deflate"}), 400),
        (json_body(gzip.compress(b"{}")[:-5], **{"Content-Encoding": "gzip"}), 400),
        ({"data": b"{}"}, 415),
        ({"data": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"data": b"{}", "headers": {"Content-Type": "/;;"}}, 415),
        (json_body(io.BytesIO(b" " * 2_000_000)), 413),
    ],
)
async def test_a_body_that_is_no_activity_is_refused(door, request_, status):
    assert await door.status(**request_) == status
    assert door.reached == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
async def test_a_number_that_is_none_is_refused(door, number):
    body = json.dumps(door.activity() | {"value": {"a": [0]}}).replace("[0]", f"[{number}]")
    assert await door.status(**json_body(body.encode())) == 400


@pytest.mark.parametrize(("pack", "name"), [(gzip.compress, "gzip"), (zlib.compress, "deflate")])
async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(door, pack, name):
    packed = io.BytesIO(pack(b" " * 5_000_000))
    assert await door.status(**json_body(packed, **{"Content-Encoding": name})) == 413


async def test_a_packed_body_is_read(door):
    packed = gzip.compress(json.dumps(door.activity()).encode())
    assert await door.status(**json_body(packed, **{"Content-Encoding": "gzip"})) == 200


async def test_a_body_that_does_not_come_is_waited_for_no_longer_than_agreed(door, monkeypatch):
    monkeypatch.setattr(botframework, "_BODY_WITHIN", 0.05)

    async def never():
        yield b"{"
        await asyncio.sleep(WAIT)

    assert await door.status(**json_body(never())) == 408


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
fields = st.sampled_from(["type", "channelId", "serviceUrl", "conversation", "channelData", "from", "recipient"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(over=st.dictionaries(fields, anything))
async def test_whatever_an_activity_holds_it_is_taken_or_refused_and_never_breaks_us(guarded, over):
    said = json.dumps(guarded.activity() | over)
    assert await guarded.status(**json_body(said, **guarded.signed)) in {200, 400, 401, 403}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
async def test_whatever_bytes_come_they_are_refused(door, body):
    assert await door.status(**json_body(body)) == 400


# -- without login -----------------------------------------------------------------------------------------------------
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
    assert await door.status(headers=headers) == 403
    assert door.reached == []


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
    assert await door.status(headers=headers) == 200


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
async def test_without_a_login_nothing_is_posted_to_another_machine(door, service):
    assert await door.status(door.activity(serviceUrl=service)) == 403
    assert door.reached == []


# -- settings ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, "MICROSOFT_APP_ID"),
        ({"teams_without_login": True, "host": "0.0.0.0"}, "BIJDEHAND_HOST"),
        ({"teams_app_id": APP}, "MICROSOFT_APP_PASSWORD and MICROSOFT_APP_TENANT_ID"),
    ],
)
def test_what_is_not_safe_or_complete_does_not_start(values, named):
    with pytest.raises(SettingsError, match=named):
        Endpoint(Settings(**values, _env_file=None), None)


async def test_an_app_id_asks_for_a_login_whatever_else_is_set(keys):
    async with Door(with_login(teams_without_login=True), keys_url=keys.metadata) as door:
        assert await door.status() == 401


# -- invokes -----------------------------------------------------------------------------------------------------------
async def test_what_is_given_back_is_the_body_and_nothing_is_an_empty_yes(door):
    for body, text in (({"statusCode": 200}, '{"statusCode": 200}'), (None, "")):
        door.body = body
        response = await door._client.post("/api/messages", json=door.activity(type="invoke"))
        assert (response.status, await response.text()) == (200, text)


@pytest.mark.parametrize("body", [lambda: 1 / 0, {"no JSON": object()}])
async def test_what_breaks_behind_the_door_is_logged_and_no_failure_to_teams(door, body, caplog):
    door.body = body
    assert await door.status() == 200
    assert "an activity of Teams was not handled" in caplog.text
    assert "Traceback" in caplog.text


# -- posting -----------------------------------------------------------------------------------------------------------
MESSAGE = {
    "type": "message",
    "summary": "Verhuizing doorgeven",
    "channelData": {"feedbackLoop": {"type": "default"}, "a": [1, None]},
    "entities": [
        {
            "type": "https://schema.org/Message",
            "@type": "Message",
            "@context": "https://schema.org",
            "@id": "",
            "citation": [{"@type": "Claim", "position": 1, "appearance": {"@type": "DigitalDocument", "url": None}}],
        },
        {"type": "mention", "text": "<at>Anna</at>", "mentioned": {"id": "29:anna", "name": "Anna", "more": 1}},
    ],
    "attachments": [
        {
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {"type": "AdaptiveCard", "body": [], "nothing": None},
            "preview": {"contentType": "application/vnd.microsoft.card.thumbnail", "content": {"title": "é👍"}},
        }
    ],
    "suggestedActions": {"to": ["29:anna"], "actions": [{"type": "imBack", "title": "t", "value": "v", "more": {}}]},
    "somethingNew": {"2027": True},
}
HELLO = {"type": "message", "text": "hoi"}
ASKS = {
    "send": lambda door, to: door.endpoint.send(to, HELLO),
    "update": lambda door, to: door.endpoint.update(to, "posted-1", HELLO),
    "delete": lambda door, to: door.endpoint.delete(to, "posted-1"),
    "personal": lambda door, to: door.endpoint.personal(to),
}


async def test_an_activity_leaves_to_the_letter_as_it_was_made_with_from_and_to(door):
    await door.endpoint.send(door.reference, MESSAGE)
    await door.endpoint.update(door.reference, "posted-1", MESSAGE)
    frame = {
        "channelId": "msteams",
        "serviceUrl": door.connector.url,
        "conversation": door.reference["conversation"],
        "locale": "nl-NL",
        "from": BOT,
        "recipient": {"id": "29:anna"},
        "id": "posted-1",
    }
    added = {"replyToId": "1700", "inputHint": "acceptingInput"}
    assert door.connector.posted[0].activity == MESSAGE | frame | added
    assert door.connector.updated[0].activity == MESSAGE | frame


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.dictionaries(st.text(max_size=9), anything), text=st.text())
async def test_whatever_a_card_or_text_holds_arrives_to_the_letter(door, content, text):
    attachments = [{"contentType": "application/vnd.microsoft.card.adaptive", "content": content}]
    sent = await door.endpoint.send(door.reference, {"type": "message", "attachments": attachments, "summary": text})
    assert door.connector.posted[-1].activity.items() >= {"attachments": attachments, "summary": text}.items()
    await door.endpoint.update(door.reference, sent, {"type": "message", "text": text, "channelData": content})
    assert door.connector.updated[-1].activity.items() >= {"text": text, "channelData": content}.items()


async def test_a_reply_goes_below_what_was_asked_and_anything_else_into_the_conversation(door):
    place = "/v3/conversations/a:personal/activities"
    assert await door.endpoint.send(door.reference, {"type": "message", "text": "x"}) == "posted-1"
    assert await door.endpoint.send(door.reference | {"activityId": ""}, {"type": "message", "text": "y"}) == "posted-2"
    assert [posted.path for posted in door.connector.posted] == [f"{place}/1700", place]
    assert "replyToId" not in door.connector.posted[1].activity


@pytest.mark.parametrize("name", ["19:abc@thread.tacv2;messageid=42", "a/b?c#d e%2F..", "../..", "ü👍"])
async def test_whatever_a_conversation_is_called_what_we_say_arrives_there(door, name):
    reference = door.reference | {"conversation": {"id": name}}
    sent = await door.endpoint.send(reference, {"type": "message", "text": "x"})
    await door.endpoint.update(reference, sent, {"type": "message", "text": "y"})
    assert [message["text"] for message in door.connector.standing(name)] == ["y"]
    await door.endpoint.delete(reference, sent)
    assert door.connector.standing(name) == []


async def test_of_a_text_with_a_card_there_is_no_id_to_change_it_by(door):
    assert await door.endpoint.send(door.reference, MESSAGE | {"text": "x"}) == ""


@pytest.mark.parametrize("body", ["", "<html>ok</html>", "[]", '{"id": 7}', "[" * 100_000])
async def test_a_yes_without_an_id_is_a_yes(door, body):
    door.connector.fail(202, body=body)
    assert await door.endpoint.send(door.reference, {"type": "typing"}) == ""


async def test_what_is_gone_cannot_be_changed_and_need_not_be_taken_away(door):
    sent = await door.endpoint.send(door.reference, {"type": "message", "text": "x"})
    for _ in range(2):
        await door.endpoint.delete(door.reference, sent)
    assert door.connector.deleted == [sent]
    with pytest.raises(PostError) as raised:
        await door.endpoint.update(door.reference, sent, {"type": "message", "text": "y"})
    assert (raised.value.status, raised.value.code) == (404, "ActivityNotFoundInConversation")


async def test_a_refused_deletion_is_no_deletion(door):
    door.connector.fail(403)
    with pytest.raises(PostError):
        await door.endpoint.delete(door.reference, "1")


async def test_somebody_in_a_channel_can_be_written_to_in_private(door):
    channel = {"id": "19:abc@thread.tacv2;messageid=42", "conversationType": "channel", "tenantId": TENANT}
    reference = door.reference | {"conversation": channel, "user": {"id": "29:bas"}}
    private = await door.endpoint.personal(reference)
    assert door.connector.opened[0].activity == {
        "bot": BOT,
        "members": [{"id": "29:bas"}],
        "isGroup": False,
        "tenantId": TENANT,
        "channelData": {"tenant": {"id": TENANT}},
    }
    assert private == {
        "channelId": "msteams",
        "serviceUrl": door.connector.url,
        "bot": BOT,
        "user": {"id": "29:bas"},
        "conversation": {"id": "a:personal-bas", "conversationType": "personal", "tenantId": TENANT},
        "locale": "nl-NL",
    }
    await door.endpoint.send(private, {"type": "message", "text": "x"})
    assert [message["text"] for message in door.connector.standing("a:personal-bas")] == ["x"]


@pytest.mark.parametrize(("refusal", "status"), [((), 403), ((404,), 404), ((200,), 404)])
async def test_whoever_does_not_have_the_app_cannot_be_written_to_in_private(door, refusal, status):
    door.connector.without_us.add("29:anna")
    door.connector.fail(*refusal)
    with pytest.raises(PostError) as raised:
        await door.endpoint.personal(door.reference)
    assert raised.value.status == status


@pytest.mark.parametrize("statuses", [(502, 502), (429,), (412,), (500, 503), (504, 502, 504, 429)])
@pytest.mark.parametrize("ask", ASKS)
async def test_what_teams_has_no_time_for_is_asked_again(door, ask, statuses):
    await door.endpoint.send(door.reference, {"type": "message", "text": "x"})
    door.connector.fail(*statuses)
    await ASKS[ask](door, door.reference)
    connector = door.connector
    assert len(connector.posted) + len(connector.updated) + len(connector.deleted) + len(connector.opened) == 2


@pytest.mark.parametrize(
    ("status", "times"), [(502, 5), (500, 5), (503, 5), (400, 1), (403, 1), (404, 1), (413, 1), (307, 1)]
)
async def test_teams_is_asked_five_times_at_most_and_a_refusal_counts_at_once(status, times):
    waited = []
    async with Door(sleep=lambda seconds: at_once(waited.append(seconds))) as door:
        door.connector.fail(*[status] * 5)
        with pytest.raises(PostError, match=f"Teams answered {status}") as raised:
            await door.endpoint.send(door.reference, HELLO)
    assert raised.value.status == status
    assert len(waited) == times - 1
    assert door.connector.posted == []


async def test_nobody_can_send_our_token_and_text_elsewhere(door):
    door.connector.fail(307, location=f"{door.connector.url}v3/conversations/a:elsewhere/activities")
    with pytest.raises(PostError, match="307"):
        await door.endpoint.send(door.reference, {"type": "message", "text": "x"})
    assert door.connector.posted == []


async def test_how_long_teams_asks_us_to_wait_is_how_long_we_wait():
    waited = []
    async with Door(sleep=lambda seconds: at_once(waited.append(seconds))) as door:
        door.connector.fail(429, retry_after="3")
        door.connector.fail(502)
        door.connector.fail(429, retry_after="12")
        door.connector.fail(503, retry_after=formatdate(time.time() + 20, usegmt=True))
        await door.endpoint.send(door.reference, HELLO)
    assert waited[0] == 3
    assert 0.5 <= waited[1] <= 1.5
    assert waited[2] == 12
    assert 10 < waited[3] <= 20


@pytest.mark.parametrize("until", ["3600", "Wed, 21 Oct 2099 07:28:00 GMT"])
async def test_a_wait_longer_than_we_have_is_left_to_the_caller(until):
    waited = []
    async with Door(sleep=lambda seconds: at_once(waited.append(seconds))) as door:
        door.connector.fail(429, retry_after=until)
        with pytest.raises(PostError, match="429") as raised:
            await door.endpoint.send(door.reference, HELLO)
    assert raised.value.after >= 3600
    assert waited == []


header = st.text("0123456789:;,+-. ()GMTWedOctJan", max_size=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(until=header | header.map(lambda text: f"Wed, 21 Oct 2026 07:28:00 {text}"))
@example("Wed, 21 Oct 2026 07:28:00 +99999999999999999999")
async def test_whatever_stands_for_a_wait_is_a_wait_or_none(door, until):
    door.connector.fail(403, retry_after=until)
    with pytest.raises(PostError, match="403") as raised:
        await door.endpoint.send(door.reference, HELLO)
    assert raised.value.after >= 0


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("BotNotInConversationRoster", "BotNotInConversationRoster"),
        ("b" * 60, "b" * 60),
        ("b" * 61, ""),
        ("klant Jansen", ""),
        ("Bad\nERROR root", ""),
        ("Jansén", ""),
        ("", ""),
    ],
)
async def test_a_reason_is_a_name_of_microsofts_and_nothing_else_is_kept_or_logged(door, caplog, code, kept):
    caplog.set_level("INFO", "bots.botframework")
    door.connector.fail(502, 403, body=json.dumps({"error": {"code": code}}))
    with pytest.raises(PostError) as raised:
        await door.endpoint.send(door.reference, HELLO)
    assert raised.value.code == kept
    assert str(raised.value) == f"Teams answered 403 {kept}".rstrip()
    assert f"'Teams answered 502 {kept}".rstrip() + "'" in caplog.text


async def test_all_attempts_together_take_no_longer_than_agreed(monkeypatch):
    monkeypatch.setattr(botframework, "_SEND_WITHIN", 0.05)
    async with Door(sleep=asyncio.sleep) as door:
        door.connector.fail(*[502] * 5)
        with pytest.raises(TimeoutError):
            await door.endpoint.send(door.reference, HELLO)


async def test_where_teams_should_be_nobody_is_tried_again_and_then_a_failure():
    waited = []
    async with Door(sleep=lambda seconds: at_once(waited.append(seconds))) as door:
        reference = door.reference | {"serviceUrl": f"http://127.0.0.1:{unused_port()}/"}
        with pytest.raises(OSError, match="Cannot connect"):
            await door.endpoint.send(reference, HELLO)
    assert len(waited) == 4


@asynccontextmanager
async def mute(*, hangs_up):
    """The address of a Teams that reads what we ask, and then hangs up or says nothing until we do."""
    callers = []

    async def listen(reader, writer):
        callers.append(asyncio.current_task())
        await (reader.readuntil(b"\r\n\r\n") if hangs_up else reader.read())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await asyncio.gather(*callers, return_exceptions=True)  # a connection left open is a warning in the next test


@pytest.mark.parametrize(("hangs_up", "failure"), [(False, TimeoutError), (True, (ServerDisconnectedError, OSError))])
@pytest.mark.parametrize(("ask", "times"), [("send", 1), ("personal", 1), ("update", 5), ("delete", 5)])
async def test_without_an_answer_only_what_can_be_done_twice_is_asked_again(monkeypatch, hangs_up, failure, ask, times):
    monkeypatch.setattr(botframework, "_POST_WITHIN", 0.1)
    waited = []
    async with mute(hangs_up=hangs_up) as url, Door(sleep=lambda seconds: at_once(waited.append(seconds))) as door:
        with pytest.raises(failure):
            await ASKS[ask](door, door.reference | {"serviceUrl": url})
    assert len(waited) == times - 1


async def test_typing_is_worth_one_attempt_and_no_waiting(monkeypatch):
    monkeypatch.setattr(botframework, "_TYPING_WITHIN", 0.1)
    waited = []
    async with mute(hangs_up=False) as url, Door(sleep=lambda seconds: at_once(waited.append(seconds))) as door:
        with pytest.raises(TimeoutError):
            await door.endpoint.send(door.reference | {"serviceUrl": url}, {"type": "typing"})
        door.connector.fail(429)
        with pytest.raises(PostError, match="429"):
            await door.endpoint.send(door.reference, {"type": "typing"})
    assert waited == []


async def test_one_connection_and_one_client_serve_messages_that_follow_each_other(door, monkeypatch):
    made = []
    really = Configuration.__init__
    monkeypatch.setattr(Configuration, "__init__", lambda *settings: made.append(1) or really(*settings))
    for _ in range(3):
        await door.endpoint.send(door.reference, {"type": "message", "text": "x"})
    assert len({posted.caller for posted in door.connector.posted}) == 1
    assert len(made) == 1, "each client of botbuilder's costs 8 ms"


async def test_each_address_of_teams_is_posted_to(door):
    async with FakeConnector() as other:
        for url in (door.connector.url, other.url, door.connector.url):
            await door.endpoint.send(door.reference | {"serviceUrl": url}, {"type": "typing"})
        assert (len(door.connector.posted), len(other.posted)) == (2, 1)


@pytest.mark.parametrize(
    ("value", "path", "text"),
    [
        ({"a": {"b": "c"}}, ("a", "b"), "c"),
        ({"a": {"b": 7}}, ("a", "b"), ""),
        ({"a": ["b"]}, ("a", "b"), ""),
        (None, ("a",), ""),
        ("a", (), "a"),
    ],
)
def test_the_text_at_the_end_of_a_path_or_none(value, path, text):
    assert read(value, *path) == text


# -- our own token -----------------------------------------------------------------------------------------------------
async def test_what_we_post_is_signed_with_a_token_that_is_kept_for_a_while(keys, monkeypatch):
    ours = CannedCredentials()
    async with Door(with_login(), keys_url=keys.metadata, credentials=ours) as door:
        await asyncio.gather(*(door.endpoint.send(door.reference, {"type": "typing"}) for _ in range(9)))
        assert {posted.authorization for posted in door.connector.posted} == {"Bearer canned"}
        assert ours.asked == 1
        monkeypatch.setattr(botframework, "_TOKEN_IS_FRESH", 0.0)
        await door.endpoint.delete(door.reference, "1")
        assert ours.asked == 2


async def test_a_token_that_does_not_come_is_asked_for_again(keys, monkeypatch):
    answers = iter([ConnectionError("away"), "at last"])

    def get_access_token():
        if isinstance(answer := next(answers), Exception):
            raise answer
        return answer

    ours = CannedCredentials()
    monkeypatch.setattr(ours, "get_access_token", get_access_token)
    async with Door(with_login(), keys_url=keys.metadata, credentials=ours) as door:
        await door.endpoint.send(door.reference, HELLO)
        assert door.connector.posted[0].authorization == "Bearer at last"


async def test_a_token_that_teams_refuses_is_replaced_once(keys):
    ours = CannedCredentials()
    async with Door(with_login(), keys_url=keys.metadata, credentials=ours) as door:
        door.connector.fail(401)
        await door.endpoint.send(door.reference, HELLO)
        assert (ours.asked, len(door.connector.posted)) == (2, 1)
        door.connector.fail(401, 401)
        with pytest.raises(PostError, match="401"):
            await door.endpoint.send(door.reference, HELLO)
        assert (ours.asked, len(door.connector.posted)) == (3, 1)


async def test_without_a_login_nothing_is_signed(door):
    await door.endpoint.send(door.reference, {"type": "typing"})
    assert door.connector.posted[0].authorization is None


async def test_closing_leaves_no_thread_behind(keys):
    async with Door(with_login(), keys_url=keys.metadata, credentials=CannedCredentials()) as door:
        await door.endpoint.send(door.reference, {"type": "typing"})
        ours = [thread for thread in threading.enumerate() if thread.name.startswith("teams-token")]
    assert ours
    for thread in ours:
        thread.join(WAIT)
        assert not thread.is_alive()


class FakeEntra:
    """What stands in for msal's client."""

    def __init__(self, client_id, *, client_credential, authority, timeout):
        assert timeout
        self._asked = f"{client_id} {client_credential} {authority}"

    def acquire_token_for_client(self, scopes):
        return {"access_token": f"{self._asked} {' '.join(scopes)}"}


@pytest.mark.parametrize(("kind", "tenant"), [("SingleTenant", TENANT), ("MultiTenant", "botframework.com")])
async def test_with_a_password_entra_is_asked_for_a_token_in_the_right_tenant(keys, monkeypatch, kind, tenant):
    monkeypatch.setattr(botframework.msal, "ConfidentialClientApplication", FakeEntra)
    async with Door(with_login(teams_app_type=kind), keys_url=keys.metadata) as door:
        await door.endpoint.send(door.reference, {"type": "typing"})
        asked = f"{APP} secret https://login.microsoftonline.com/{tenant} https://api.botframework.com/.default"
        assert door.connector.posted[0].authorization == f"Bearer {asked}"


async def test_an_entra_that_knows_no_such_bot_is_quoted(keys, monkeypatch):
    monkeypatch.setattr(botframework.msal, "ConfidentialClientApplication", FakeEntra)
    refusal = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"}
    monkeypatch.setattr(FakeEntra, "acquire_token_for_client", lambda self, scopes: refusal)
    async with Door(with_login(), keys_url=keys.metadata) as door:
        with pytest.raises(TokenError, match="invalid_client: AADSTS7000215"):
            await door.endpoint.send(door.reference, {"type": "typing"})


async def test_an_entra_that_is_unwell_is_asked_again(keys, monkeypatch):
    unwell = [msal.exceptions.MsalServiceError(error="503", error_description="busy")]

    def acquire(self, scopes):
        if unwell:
            raise unwell.pop()
        return {"access_token": "after all"}

    monkeypatch.setattr(botframework.msal, "ConfidentialClientApplication", FakeEntra)
    monkeypatch.setattr(FakeEntra, "acquire_token_for_client", acquire)
    async with Door(with_login(), keys_url=keys.metadata) as door:
        await door.endpoint.send(door.reference, HELLO)
        assert door.connector.posted[0].authorization == "Bearer after all"


@pytest.fixture
def machine(monkeypatch):
    """Azure's machine, which knows us."""
    with IdentityServer() as machine:
        for name, value in machine.environment.items():
            monkeypatch.setenv(name, value)
        yield machine


@pytest.fixture
async def managed(keys, machine):
    """A bot that has no password: the machine it runs on knows it."""
    async with Door(
        with_login(teams_app_type="UserAssignedMSI", teams_app_password=""), keys_url=keys.metadata
    ) as door:
        yield door


async def test_a_managed_identity_posts_with_the_token_that_its_machine_gives(managed, machine):
    for _ in range(3):
        await managed.endpoint.send(managed.reference, {"type": "typing"})
    assert {posted.authorization for posted in managed.connector.posted} == {"Bearer from-azure"}
    ((path, parameters, headers),) = machine.hits
    assert path == "/msi/token"
    assert parameters["resource"] == ["https://api.botframework.com"]
    assert parameters["client_id"] == [APP]
    assert headers["X-IDENTITY-HEADER"] == "hush"


async def test_a_token_that_teams_refuses_is_not_the_one_that_msal_gives_again(managed, machine):
    managed.connector.fail(401)
    await managed.endpoint.send(managed.reference, HELLO)
    assert len(machine.hits) == 2


async def test_a_machine_that_does_not_know_us_is_quoted(managed, machine):
    machine.refusal = {"statusCode": 400, "message": "No managed identity found"}
    with pytest.raises(TokenError, match="No managed identity found"):
        await managed.endpoint.send(managed.reference, {"type": "typing"})
    assert managed.connector.posted == []


async def test_a_machine_that_talks_nonsense_gives_no_token(managed, machine):
    machine.refusal = "<html>It works!</html>"
    with pytest.raises(TokenError):
        await managed.endpoint.send(managed.reference, {"type": "typing"})


async def test_a_machine_that_says_nothing_is_waited_for_no_longer_than_agreed_and_holds_up_nobody(
    managed, machine, monkeypatch
):
    monkeypatch.setattr(botframework, "_TOKEN_WITHIN", 0.2)
    machine.open.clear()
    sending = asyncio.create_task(managed.endpoint.send(managed.reference, HELLO))
    await asyncio.to_thread(machine.asked.wait, WAIT)
    assert await managed.status(headers=managed.signed) == 200, "who comes in is served meanwhile"
    with pytest.raises(ConnectionError, match="no answer about a token"):
        await sending
    machine.open.set()
    await managed.endpoint.send(managed.reference, {"type": "typing"})
    assert managed.connector.posted[0].authorization == "Bearer from-azure"


async def test_elsewhere_than_in_azure_there_is_no_managed_identity(managed, machine, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{unused_port()}/msi/token")
    with pytest.raises(ConnectionError):
        await managed.endpoint.send(managed.reference, {"type": "typing"})
