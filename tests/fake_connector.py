"""Teams on loopback: a Connector that records what is posted, keys to sign tokens with, and somebody who talks.

async with FakeTeams(desk) as teams:
    reply = await teams.say("klant is verhuisd")  # the activity that the bot posted
    assert "Verhuizing doorgeven" in shown(reply)
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

import jwt
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from botframework.connector.auth import MicrosoftAppCredentials, PasswordServiceClientCredentialFactory
from cryptography.hazmat.primitives.asymmetric import rsa

from bots.botframework import Endpoint
from bots.teams import make_surface
from core.settings import Settings

APP = "11111111-2222-3333-4444-555555555555"
TENANT = "99999999-0000-0000-0000-000000000000"
BOT = {"id": f"28:{APP}", "name": "Bijdehand"}
MENTION = "<at>Bijdehand</at>"
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


class FakeConnector:
    """Takes what the bot posts. `fail(502, 502)` refuses the next two; a status can bring a Retry-After or a body."""

    def __init__(self):
        self.posted = []
        self._new = asyncio.Queue()
        self._failing = deque()
        app = web.Application()
        app.router.add_post("/v3/conversations/{conversation}/activities", self._take)
        app.router.add_post("/v3/conversations/{conversation}/activities/{activity}", self._take)
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

    def fail(self, *statuses, body="<html>Bad Gateway</html>", content_type="text/html", retry_after=None):
        headers = {"Retry-After": retry_after} if retry_after else {}
        for status in statuses:
            self._failing.append(
                partial(web.Response, status=status, text=body, content_type=content_type, headers=headers)
            )

    async def next(self, kind="message"):
        """The next activity of this type that is posted."""
        while True:
            activity = await asyncio.wait_for(self._new.get(), WAIT)
            if activity["type"] == kind:
                return activity

    async def _take(self, request):
        activity = await request.json()
        if self._failing:
            return self._failing.popleft()()
        self.posted.append(Posted(request.path, request.headers.get("Authorization"), activity))
        self._new.put_nowait(activity)
        return web.json_response({"id": f"posted-{len(self.posted)}"}, status=201)


class FakeTeams:
    """A bot on the real surface, a Connector, and a person. Without login unless settings say otherwise."""

    def __init__(self, desk, *, settings=None, **endpoint):
        self.desk = desk
        self.connector = FakeConnector()
        self._settings = settings or Settings(teams_without_login=True, _env_file=None)
        self._endpoint = partial(Endpoint, **{"sleep": _at_once} | endpoint)
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

    # -- what somebody does ----------------------------------------------------------------------------------------
    async def say(self, text, **over):
        """Send a text as a user in a personal chat; the reply that is posted."""
        response = await self.post(self.message(text, **over))
        assert response.status == 200, response.status
        return await self.connector.next()

    async def say_in_channel(self, text, **over):
        """Send a text that mentions the bot in a channel; the reply that is posted."""
        return await self.say(**{"text": f"{MENTION} {text}"} | self.in_channel() | over)

    async def tap(self, button, **over):
        """Tap an Action.Execute; the body of the answer."""
        action = {"type": "Action.Execute", "verb": button["verb"], "data": button["data"]}
        response = await self.invoke("adaptiveCard/action", {"action": action, "trigger": "manual"}, **over)
        assert response.status == 200, response.status
        return await response.json()

    async def submit(self, button, **over):
        """Tap the same button in a client that only knows Action.Submit; the reply that is posted."""
        data = button["fallback"]["data"]
        return await self.say(text=None, **{"value": data} | over)

    async def invoke(self, name, value, **over):
        return await self.post(self.activity(type="invoke", name=name, value=value, **over))

    async def post(self, activity, headers=None) -> ClientResponse:
        return await self._client.post(self.surface.path, json=activity, headers=headers)

    async def raw(self, **request) -> ClientResponse:
        return await self._client.post(self.surface.path, **request)

    async def settled(self):
        """Wait until nothing is under way."""
        async with asyncio.timeout(WAIT):
            await self.surface._background.settled()

    # -- activities ----------------------------------------------------------------------------------------------------
    def message(self, text, **over):
        return self.activity(**{"type": "message", "text": text, "textFormat": "plain"} | over)

    def activity(self, **over):
        """As Teams sends one from a personal chat."""
        return {
            "id": f"{1_700_000_000_000 + next(_numbers)}",
            "timestamp": "2026-11-23T11:00:00.000Z",
            "channelId": "msteams",
            "serviceUrl": self.connector.url,
            "from": {"id": "29:anna", "name": "Anna", "aadObjectId": "aad-anna"},
            "conversation": {"id": "a:personal", "conversationType": "personal", "tenantId": TENANT},
            "recipient": BOT,
            "locale": "nl-NL",
            "channelData": {"tenant": {"id": TENANT}},
            "entities": [{"type": "clientInfo", "locale": "nl-NL", "platform": "Windows"}],
        } | over

    def in_channel(self, **over):
        """What differs when the bot is mentioned in a channel."""
        return {
            "conversation": {
                "id": "19:abc@thread.tacv2;messageid=42",
                "conversationType": "channel",
                "isGroup": True,
                "tenantId": TENANT,
            },
            "entities": [{"type": "mention", "mentioned": BOT, "text": MENTION}],
            "channelData": {"tenant": {"id": TENANT}, "team": {"id": "19:team"}, "channel": {"id": "19:abc"}},
        } | over


async def _at_once(_seconds):
    """Between attempts nothing needs to pass in a test."""
    await asyncio.sleep(0)


# -- login -------------------------------------------------------------------------------------------------------------
def with_login(**over):
    """Settings of a single-tenant bot."""
    values = {"teams_app_id": APP, "teams_app_password": "secret", "teams_tenant_id": TENANT}
    return Settings(**values | over, _env_file=None)


class CannedCredentials(PasswordServiceClientCredentialFactory):
    """Microsoft's would ask Entra for a token."""

    def __init__(self):
        super().__init__(APP, "secret", TENANT)

    async def create_credentials(self, app_id, oauth_scope, login_endpoint, validate_authority):
        made = MicrosoftAppCredentials(app_id, "secret", self.tenant_id, oauth_scope)
        made.get_access_token = lambda force_refresh=False: "canned"
        return made


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


class KeyServer:
    """OpenID metadata and keys, in a thread of its own: the bot must not need its event loop for them."""

    def __init__(self):
        self.hits = 0
        self.asked = threading.Event()
        self.open = threading.Event()  # nothing is answered until this is set
        self.open.set()
        self.broken = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_KeyHandler, self))
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

    @property
    def metadata(self):
        return f"{self.url}/.well-known/openidconfiguration"


class _KeyHandler(BaseHTTPRequestHandler):
    def __init__(self, keys, *arguments):
        self._keys = keys
        super().__init__(*arguments)

    def do_GET(self):
        self._keys.hits += 1
        self._keys.asked.set()
        self._keys.open.wait(WAIT)
        known = {"issuer": "https://api.botframework.com", "jwks_uri": f"{self._keys.url}/keys"}
        body = json.dumps(known if "openid" in self.path else {"keys": [_public("ours", "k1")]}).encode()
        self.send_response(500 if self._keys.broken else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Tests are quiet."""


def _public(name, kid):
    numbers = rsa_key(name).public_key().public_numbers()
    endorsed = {"endorsements": ["msteams", "webchat"]}
    return {"kty": "RSA", "use": "sig", "kid": kid, "n": _base64(numbers.n), "e": _base64(numbers.e)} | endorsed


def _base64(number):
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()
