"""Teams on loopback: a Connector that keeps what is posted, keys to sign tokens with, and people who talk.

async with FakeTeams(desk) as teams:
    reply = await teams.say("klant is verhuisd")  # Anna, in her private chat; what the bot posted, with its id
    assert "Verhuizing doorgeven" in shown(reply)
    bas = teams.someone("bas")
    await bas.tap(buttons(await bas.say_in_channel("klant is verhuisd"))[0])
"""

import asyncio
import base64
import itertools
import json
import threading
import time
from collections import deque
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric import rsa

from bots.botframework import Endpoint
from bots.teams import make_surface
from core.settings import Settings

APP = "11111111-2222-3333-4444-555555555555"
TENANT = "99999999-0000-0000-0000-000000000000"
BOT = {"id": f"28:{APP}", "name": "Bijdehand"}
MENTION = "<at>Bijdehand</at>"
MENTIONED = {"type": "mention", "mentioned": BOT, "text": MENTION}
WAIT = 10  # seconds

_numbers = itertools.count(1)


def shown(activity):
    """Every text on an activity or card, in order, for a test to look for what somebody reads."""
    found = []
    if isinstance(activity, dict):
        for key, value in activity.items():
            if key in {"text", "title"} and isinstance(value, str):
                found.append(value)
            elif key not in {"fallback", "data"}:
                found.append(shown(value))
    elif isinstance(activity, list):
        found += map(shown, activity)
    return "\n".join(text for text in found if text)


def card(activity):
    """The card of a posted activity."""
    return activity["attachments"][0]["content"]


def buttons(element):
    """Every Action.Execute on a card, wherever it is."""
    if isinstance(element, list):
        return [button for item in element for button in buttons(item)]
    if not isinstance(element, dict):
        return []
    own = [element] if element.get("type") == "Action.Execute" else []
    return own + [button for value in element.values() for button in buttons(value)]


@dataclass
class Posted:
    """A request as the Connector got it."""

    path: str
    authorization: str | None
    activity: dict
    caller: object = None  # the connection it came by


class FakeConnector:
    """Takes what the bot posts. `fail(502, 502)` refuses the next two; a status can bring a Retry-After or a body.

    What people see in a conversation is `standing`. Whoever is in `without_us` does not have the app.
    """

    def __init__(self):
        self.posted = []
        self.updated = []  # each with the id of the message
        self.deleted = []  # ids of messages
        self.opened = []  # what was asked for each private chat
        self.without_us = set()  # ids of people
        self._places = {}  # conversation -> id -> message
        self._unseen, self._arrived = [], asyncio.Condition()  # what is posted: when, where, what
        self._changed, self._gone = asyncio.Queue(), asyncio.Queue()
        self._failing = deque()
        app = web.Application()
        activities = "/v3/conversations/{conversation}/activities"
        app.router.add_post("/v3/conversations", self._or_fail(self._open))
        app.router.add_post(activities, self._or_fail(self._take))
        app.router.add_post(activities + "/{activity}", self._or_fail(self._take))
        app.router.add_put(activities + "/{activity}", self._or_fail(self._change))
        app.router.add_delete(activities + "/{activity}", self._or_fail(self._delete))
        self._server = TestServer(app, host="127.0.0.1")

    async def __aenter__(self):
        await self._server.start_server()
        return self

    async def __aexit__(self, *_):
        await self._server.close()

    @property
    def url(self):
        return str(self._server.make_url("/"))

    @property
    def replies(self):
        """The messages, without typing."""
        return [posted.activity for posted in self.posted if posted.activity["type"] == "message"]

    def standing(self, conversation="a:personal"):
        """The messages of the bot that stand in a conversation now, oldest first. A thread is one of its own."""
        return list(self._places.get(conversation, {}).values())

    def fail(self, *statuses, body="<html>Bad Gateway</html>", content_type="text/html", **headers):
        headers = {name.replace("_", "-").title(): value for name, value in headers.items()}  # retry_after="3"
        for status in statuses:
            self._failing.append(
                partial(web.Response, status=status, text=body, content_type=content_type, headers=headers)
            )

    async def next(self, kind="message", *, conversation=None, after=0):
        """The next activity of this type that is posted, in this conversation, when there were `after` already."""

        def found():
            return next(filter(fits, self._unseen), None)

        def fits(one):
            number, where, activity = one
            return number > after and conversation in {None, where} and activity["type"] == kind

        async with asyncio.timeout(WAIT), self._arrived:
            _, where, activity = one = await self._arrived.wait_for(found)
        before = self._unseen.index(one)
        self._unseen = [old for place, old in enumerate(self._unseen) if place > before or old[1] != where]
        return activity

    async def next_update(self):
        """The next message that is put in the place of another."""
        return await asyncio.wait_for(self._changed.get(), WAIT)

    async def next_deletion(self):
        """The id of the next message that is taken away."""
        return await asyncio.wait_for(self._gone.get(), WAIT)

    def _or_fail(self, do):
        async def handle(request):
            body = await request.json() if request.can_read_body else {}
            response = self._failing.popleft()() if self._failing else do(request, body)
            async with self._arrived:
                self._arrived.notify_all()
            return response

        return handle

    def _take(self, request, activity):
        number = f"posted-{len(self.posted) + 1}"
        if not (activity.get("text") and activity.get("attachments")):  # of which Teams makes two and names neither
            activity["id"] = number
        self._record(self.posted, request, activity)
        if activity["type"] == "message":
            self._places.setdefault(request.match_info["conversation"], {})[number] = activity
        self._unseen.append((len(self.posted), request.match_info["conversation"], activity))
        return web.json_response({"id": activity.get("id", "")}, status=201)

    def _change(self, request, activity):
        place, message_id = self._there(request)
        if message_id not in place:
            return _error(404, "ActivityNotFoundInConversation")
        place[message_id] = activity
        self._record(self.updated, request, activity)
        self._changed.put_nowait(activity)
        return web.json_response({"id": message_id})

    def _delete(self, request, _):
        place, message_id = self._there(request)
        if place.pop(message_id, None) is None:
            return _error(404, "ActivityNotFoundInConversation")
        self.deleted.append(message_id)
        self._gone.put_nowait(message_id)
        return web.Response()

    def _open(self, request, wanted):
        self._record(self.opened, request, wanted)
        (member,) = wanted["members"]
        if member["id"] in self.without_us:
            return _error(403, "BotNotInConversationRoster")
        return web.json_response({"id": _private_chat(member["id"].removeprefix("29:"))}, status=201)

    def _there(self, request):
        return self._places.get(request.match_info["conversation"], {}), request.match_info["activity"]

    def _record(self, where, request, activity):
        where.append(Posted(request.path, request.headers.get("Authorization"), activity, request.transport))


def _error(status, code):
    return web.json_response({"error": {"code": code, "message": code}}, status=status)


def _private_chat(name):
    return "a:personal" if name == "anna" else f"a:personal-{name}"


# -- activities, as Teams sends them -----------------------------------------------------------------------------------
def make_activity(service_url, name="anna", /, **over):
    """One from a private chat."""
    return {
        "id": f"{1_700_000_000_000 + next(_numbers)}",
        "timestamp": "2026-11-23T11:00:00.000Z",
        "channelId": "msteams",
        "serviceUrl": service_url,
        "from": {"id": f"29:{name}", "name": name.title(), "aadObjectId": f"aad-{name}"},
        "conversation": {"id": _private_chat(name), "conversationType": "personal", "tenantId": TENANT},
        "recipient": BOT,
        "locale": "nl-NL",
        "channelData": {"tenant": {"id": TENANT}},
        "entities": [{"type": "clientInfo", "locale": "nl-NL", "platform": "Windows"}],
    } | over


def in_channel(thread="42", **over):
    """What differs when the bot is mentioned in a thread of a channel."""
    return {
        "conversation": {
            "id": f"19:abc@thread.tacv2;messageid={thread}",
            "conversationType": "channel",
            "isGroup": True,
            "tenantId": TENANT,
        },
        "entities": [MENTIONED],
        "channelData": {"tenant": {"id": TENANT}, "team": {"id": "19:team"}, "channel": {"id": "19:abc"}},
    } | over


def in_group(**over):
    """What differs when the bot is mentioned in a group chat."""
    return {
        "conversation": {
            "id": "19:group@thread.v2",
            "conversationType": "groupChat",
            "isGroup": True,
            "tenantId": TENANT,
        },
        "entities": [MENTIONED],
        "channelData": {"tenant": {"id": TENANT}},
    } | over


def file(name="gesprek.docx"):
    """A file in a private chat."""
    content = {"downloadUrl": f"https://files.example/{name}", "uniqueId": name, "fileType": name.rpartition(".")[2]}
    kind = "application/vnd.microsoft.teams.file.download.info"
    return {"contentType": kind, "contentUrl": f"https://files.example/{name}", "name": name, "content": content}


def picture():
    """A picture that somebody pasted."""
    return {"contentType": "image/*", "contentUrl": "https://files.example/v3/attachments/1/views/original"}


def typed(html):
    """What Teams adds to most messages: the text once more."""
    return {"contentType": "text/html", "content": html}


def at(message):
    """What differs when something is done to a message of the bot, as it was posted."""
    return {"replyToId": message["id"], "conversation": message["conversation"]}


class Somebody:
    """One person with an account of their own."""

    def __init__(self, name, chat):
        self.name = name
        self._chat = chat

    @property
    def id(self):
        """By which Teams knows them."""
        return f"29:{self.name}"

    # -- saying --------------------------------------------------------------------------------------------------------
    async def say(self, text, **over):
        """Send a text in a private chat; the reply that is posted."""
        said, connector = self.message(text, **over), self._chat.connector
        after = len(connector.posted)
        response = await self.post(said)
        assert response.status == 200, response.status
        return await connector.next(conversation=said["conversation"]["id"], after=after)

    async def say_in_channel(self, text, thread="42", **over):
        """Send a text that mentions the bot in a channel; the reply that is posted."""
        return await self.say(**{"text": f"{MENTION} {text}"} | in_channel(thread) | over)

    async def say_in_group(self, text, **over):
        """Send a text that mentions the bot in a group chat; the reply that is posted."""
        return await self.say(**{"text": f"{MENTION} {text}"} | in_group() | over)

    async def edit(self, message_id, text, **over):
        """Change what was said."""
        data = {"tenant": {"id": TENANT}, "eventType": "editMessage"}
        return await self.post(self.message(text, type="messageUpdate", id=message_id, channelData=data) | over)

    async def take_back(self, message_id, **over):
        """Delete what was said."""
        data = {"tenant": {"id": TENANT}, "eventType": "softDeleteMessage"}
        return await self.post(self.activity(type="messageDelete", id=message_id, channelData=data) | over)

    # -- tapping -------------------------------------------------------------------------------------------------------
    async def tap(self, button, **over):
        """Tap an Action.Execute, `**at(reply)` for where it stands; the body of the answer."""
        action = {"type": "Action.Execute", "verb": button["verb"], "data": button["data"]}
        return await self.asked("adaptiveCard/action", {"action": action, "trigger": "manual"}, **over)

    async def submit(self, button, **over):
        """Tap the same button in a client that only knows Action.Submit; the reply that is posted."""
        data = button["fallback"]["data"]
        return await self.say(text=None, **{"value": data} | over)

    async def submit_in_dialog(self, button, **over):
        """Tap an Action.Submit in a task module that the message extension opened; the body of the answer."""
        value = {"commandId": "ask_about", "commandContext": "message", "data": button["data"]}
        return await self.asked("composeExtension/submitAction", value, **over)

    async def rate(self, message, reaction="like", text="", **over):
        """Give a thumb below a message of the bot."""
        feedback = {"reaction": reaction, "feedback": json.dumps({"feedbackText": text})}
        value = {"actionName": "feedback", "actionValue": feedback}
        return await self.invoke("message/submitAction", value, **at(message) | over)

    async def react(self, message, reaction="like", **over):
        """Put a smiley on a message of the bot."""
        reactions = {"type": "messageReaction", "reactionsAdded": [{"type": reaction}]}
        return await self.post(self.activity(**reactions | at(message) | over))

    # -- the message extension -----------------------------------------------------------------------------------------
    async def search(self, text, **over):
        """Look for an answer to insert, with nothing typed when it is opened; the body of the answer."""
        typed_in = {"name": "text", "value": text} if text else {"name": "initialRun", "value": "true"}
        paging = {"skip": 0, "count": 25}
        value = {"commandId": "search", "parameters": [typed_in], "queryOptions": paging}
        return await self.asked("composeExtension/query", value, **over)

    async def ask_about(self, html, message_id="1600", **over):
        """Choose *Ask about this* at somebody's message; the body of the answer."""
        payload = {"id": message_id, "body": {"contentType": "html", "content": html}}
        value = {"commandId": "ask_about", "commandContext": "message", "messagePayload": payload}
        return await self.asked("composeExtension/fetchTask", value, **over)

    # -- coming and going ----------------------------------------------------------------------------------------------
    async def install(self, **over):
        """Add the app; Teams sends two activities about that, in any order."""
        self._chat.connector.without_us.discard(self.id)
        added = self.activity(type="conversationUpdate", membersAdded=[BOT, {"id": self.id}])
        await self.post(added | over)
        return await self.post(self.activity(type="installationUpdate", action="add") | over)

    async def remove(self, **over):
        """Take the app away."""
        self._chat.connector.without_us.add(self.id)
        return await self.post(self.activity(type="installationUpdate", action="remove") | over)

    # -- anything ------------------------------------------------------------------------------------------------------
    async def asked(self, name, value, **over):
        """The body of the answer to an invoke."""
        response = await self.invoke(name, value, **over)
        assert response.status == 200, response.status
        return await response.json()

    async def invoke(self, name, value, **over):
        return await self.post(self.activity(type="invoke", name=name, value=value, **over))

    async def post(self, activity, headers=None) -> ClientResponse:
        return await self._chat.deliver(json=activity, headers=headers)

    def message(self, text, **over):
        return self.activity(**{"type": "message", "text": text, "textFormat": "plain"} | over)

    def activity(self, **over):
        """As Teams sends one from their private chat."""
        return make_activity(self._chat.connector.url, self.name, **over)


class FakeTeams(Somebody):
    """A bot on the real surface, a Connector, and Anna. Without login unless settings say otherwise."""

    def __init__(self, desk, *, settings=None, **endpoint):
        super().__init__("anna", self)
        self.desk = desk
        self.connector = FakeConnector()
        self._settings = settings or Settings(teams_without_login=True, _env_file=None)
        self._endpoint = partial(Endpoint, **{"sleep": at_once} | endpoint)
        self._stack = AsyncExitStack()

    async def __aenter__(self):
        await self._stack.enter_async_context(self.connector)
        self.surface = make_surface(self.desk, self._settings, endpoint=self._endpoint)
        app = web.Application()
        app.router.add_post(self.surface.path, self.surface.handle)
        self._client = await self._stack.enter_async_context(TestClient(TestServer(app, host="127.0.0.1")))
        self._stack.push_async_callback(self.surface.stop)
        return self

    async def __aexit__(self, *_):
        await self._stack.aclose()

    def someone(self, name):
        """A colleague."""
        return Somebody(name, self)

    async def deliver(self, **request) -> ClientResponse:
        """A request as it comes in."""
        return await self._client.post(self.surface.path, **request)

    async def settled(self):
        """Wait until nothing is under way."""
        async with asyncio.timeout(WAIT):
            await self.surface._background.settled()

    def in_channel(self, thread="42", **over):
        return in_channel(thread, **over)

    def in_group(self, **over):
        return in_group(**over)


async def at_once(_seconds):
    """Between attempts nothing needs to pass in a test."""
    await asyncio.sleep(0)


# -- login -------------------------------------------------------------------------------------------------------------
def with_login(**over):
    """Settings of a single-tenant bot."""
    values = {"teams_app_id": APP, "teams_app_password": "secret", "teams_tenant_id": TENANT}
    return Settings(**values | over, _env_file=None)


class CannedCredentials:
    """Microsoft's would ask Entra for a token."""

    def __init__(self, canned="canned"):
        self.asked = 0
        self._canned = canned

    def get_access_token(self):
        self.asked += 1
        return self._canned


@cache
def rsa_key(name):
    """A key pair; the one called `ours` is what the key server publishes as `k1`."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(service_url, *, key="ours", kid="k1", algorithm="RS256", **claims):
    """A token as the Bot Framework signs it; a claim of None is left out."""
    now = int(time.time())
    usual = {
        "iss": "https://api.botframework.com",
        "aud": APP,
        "serviceurl": service_url,
        "nbf": now - 10,
        "exp": now + 600,
    }
    signed_with = {"RS256": lambda: rsa_key(key), "HS256": lambda: "x" * 40, "none": lambda: None}[algorithm]()
    kept = {name: value for name, value in (usual | claims).items() if value is not None}
    return jwt.encode(kept, signed_with, algorithm=algorithm, headers={"kid": kid} if kid else {})


def bearer(value):
    return {"Authorization": f"Bearer {value}"}


class Server:
    """What Microsoft has, in a thread of its own: the bot must not need its event loop for it."""

    def __init__(self):
        self.hits = []  # each with its path, parameters and headers
        self.asked = threading.Event()
        self.open = threading.Event()  # nothing is answered until this is set
        self.open.set()
        self.broken = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.open.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, path):
        """What stands at a path."""
        raise NotImplementedError


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, server, *arguments):
        self._of = server
        super().__init__(*arguments)

    def do_GET(self):
        asked = urlsplit(self.path)
        self._of.hits.append((asked.path, parse_qs(asked.query), dict(self.headers)))
        self._of.asked.set()
        self._of.open.wait(WAIT)
        answer = self._of.answer(asked.path)
        body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(500 if self._of.broken else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Tests are quiet."""


class KeyServer(Server):
    """OpenID metadata and keys. `k1` signs for Teams; `k2` is known too, and endorsed for nothing."""

    @property
    def metadata(self):
        return f"{self.url}/.well-known/openidconfiguration"

    def answer(self, path):
        if "openid" in path:
            return {"issuer": "https://api.botframework.com", "jwks_uri": f"{self.url}/keys"}
        return {"keys": [_public("ours", "k1"), _public("ours", "k2") | {"endorsements": []}]}


class IdentityServer(Server):
    """The machine that Azure runs us on, as App Service does: it has a token for the identity it was given."""

    refusal = None  # what it says in place of a token

    @property
    def environment(self):
        return {"IDENTITY_ENDPOINT": f"{self.url}/msi/token", "IDENTITY_HEADER": "hush"}

    def answer(self, path):
        token = {"access_token": "from-azure", "expires_on": str(int(time.time()) + 86_400), "token_type": "Bearer"}
        return self.refusal or token


def _public(name, kid):
    numbers = rsa_key(name).public_key().public_numbers()
    endorsed = {"endorsements": ["msteams", "webchat"]}
    return {"kty": "RSA", "use": "sig", "kid": kid, "n": _base64(numbers.n), "e": _base64(numbers.e)} | endorsed


def _base64(number):
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()
