"""Slack on loopback: its Web API, response URLs and socket, the way it signs, and what it refuses.

`SlackChat` is a whole conversation: this Slack, a desk behind the real adapter, and the adapter's real HTTP endpoint.
"""

import asyncio
import itertools
import json
import time
import urllib.parse
from collections import defaultdict, deque

from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import TestServer
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.signature import SignatureVerifier

from bots.slack import make_surface
from core.settings import Settings

SECRET = "a-signing-secret"
TEAM, BOT = "T1", "U0BOT"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
PATIENCE = 10  # seconds after which a test has hung


# -- what Slack refuses --------------------------------------------------------------------------------------------
def problems(blocks):
    """What Slack would find wrong with these blocks: what slack_sdk checks, and the rules it does not know."""
    found = [f"{len(blocks)} blocks"] if len(blocks) > 50 else []
    found += _repeated([block["block_id"] for block in blocks if "block_id" in block], "block_id")
    for block in blocks:
        try:
            parsed = Block.parse(block)
            found += [] if parsed and parsed.to_dict() else [f"no such block: {block['type']}"]
        except SlackObjectFormationError as error:
            found.append(str(error))
        if block["type"] == "section" and not block["text"]["text"].strip():
            found.append("a section without text")
        elements = block.get("elements", []) if block["type"] == "actions" else []
        found += _repeated([element["action_id"] for element in elements], "action_id")
        plain = [block["text"]] if block["type"] == "header" else []
        plain += [text for element in elements for text in (element.get("text"), element.get("placeholder")) if text]
        found += [f"formatted: {text}" for text in plain if text["type"] != "plain_text" or not text["text"].strip()]
    size = sum(map(len, texts(blocks)))
    return [*found, f"{size} characters"] if size > 12_000 else found


def texts(node):
    """Every text in blocks that a person reads."""
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return own + [text for value in node.values() if isinstance(value, dict | list) for text in texts(value)]
    return [text for value in node for text in texts(value)] if isinstance(node, list) else []


def _repeated(names, kind):
    return [f"{kind} twice: {name}" for name in set(names) if names.count(name) > 1]


# -- the platform --------------------------------------------------------------------------------------------------
class FakeSlack:
    """Takes and remembers every call; refuses the next ones of a method when told to."""

    def __init__(self):
        self.calls = []  # (method, body)
        self.locales = {}
        self._refusals = defaultdict(deque)
        self._news = asyncio.Condition()
        self._numbers = itertools.count(1)
        self._envelopes = asyncio.Queue()
        self._acks = asyncio.Queue()

    async def __aenter__(self):
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/response/{name}", self._response_url)
        app.router.add_get("/link", self._link)
        self._server = TestServer(app, host="127.0.0.1")
        await self._server.start_server()
        return self

    async def __aexit__(self, *error):
        await self._server.close()

    @property
    def api(self):
        """Base URL of the Web API."""
        return str(self._server.make_url("/api/"))

    @property
    def response_url(self):
        """Where an answer to a tap goes."""
        return str(self._server.make_url("/response/1"))

    def refuse(self, method, error, *, status=200, retry_after=None, times=1):
        """Say no to the next calls of a method ("response_url" for those)."""
        self._refusals[method] += [(error, status, retry_after)] * times

    def sent(self, method="chat.postMessage"):
        """The bodies of the calls that were taken."""
        return [body for name, body in self.calls if name == method]

    async def wait(self, method="chat.postMessage", count=1):
        """Until so many calls of a method were taken."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.sent(method)) >= count)
        return self.sent(method)

    async def push(self, payload, kind="events_api"):
        """Deliver over the socket, and wait for the ack."""
        name = f"envelope-{next(self._numbers)}"
        await self._envelopes.put({"envelope_id": name, "type": kind, "payload": payload})
        async with asyncio.timeout(PATIENCE):
            assert (await self._acks.get())["envelope_id"] == name

    async def _api(self, request):
        method = request.match_info["method"]
        if not request.headers.get("Authorization", "").startswith(("Bearer xoxb-", "Bearer xapp-")):
            return web.json_response({"ok": False, "error": "not_authed"})
        raw = await request.text()
        is_json = request.content_type == JSON and raw  # slack_sdk says JSON of no body too
        body = json.loads(raw) if is_json else {**request.query, **await request.post()}
        refusal = await self._take(method, body)
        if refusal is not None:
            error, status, retry_after = refusal
            headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
            return web.json_response({"ok": False, "error": error}, status=status, headers=headers)
        return web.json_response({"ok": True} | self._result(method, body))

    def _result(self, method, body):
        match method:
            case "auth.test":
                return {"user_id": BOT, "user": "bijdehand", "bot_id": "B0BOT", "team_id": TEAM, "team": "Kievit"}
            case "users.info":
                locale = {"locale": self.locales.get(body["user"], "")} if body.get("include_locale") else {}
                return {"user": {"id": body["user"]} | locale}
            case "apps.connections.open":
                return {"url": str(self._server.make_url("/link")).replace("http", "ws", 1)}
        return {"ts": body["ts"]} if "ts" in body else {}

    async def _response_url(self, request):
        refusal = await self._take("response_url", await request.json())
        return web.Response(text=refusal[0], status=refusal[1]) if refusal else web.Response(text="ok")

    async def _take(self, method, body):
        if self._refusals[method]:
            return self._refusals[method].popleft()
        if problems(body.get("blocks") or []):
            return "invalid_blocks", 400 if method == "response_url" else 200, None
        if method.startswith("chat.post"):
            body["ts"] = f"9000.{next(self._numbers)}"
            assert body["text"].strip()
            assert len(body["text"]) <= 4000
        async with self._news:
            self.calls.append((method, body))
            self._news.notify_all()
        return None

    async def _link(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello"})
        sending = asyncio.create_task(self._send(socket))
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await self._acks.put(json.loads(message.data))
        sending.cancel()
        return socket

    async def _send(self, socket):
        while True:
            await socket.send_json(await self._envelopes.get())


# -- what Slack sends ----------------------------------------------------------------------------------------------
def signed(body, *, content_type=JSON, secret=SECRET, at=None):
    """Headers as Slack makes them for this body."""
    timestamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    return {"Content-Type": content_type, "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}


_TS = itertools.count(1)


def message(text, *, channel="D1", user="U1", kind="message", **fields):
    """The envelope of something said: in a direct message unless told otherwise."""
    channel_type = {} if kind == "app_mention" else {"channel_type": "im"}
    said = {"type": kind, "channel": channel, "user": user, "text": text, "ts": f"1700.{next(_TS):06}"}
    said |= channel_type | {key: value for key, value in fields.items() if value is not None}
    bots = [{"user_id": BOT, "team_id": TEAM, "is_bot": True}]
    return {"type": "event_callback", "team_id": TEAM, "event_id": "Ev1", "event": said, "authorizations": bots}


def mention(text, *, channel="C1", **fields):
    """The envelope of a mention in a channel."""
    return message(f"<@{BOT}> {text}".strip(), channel=channel, kind="app_mention", **fields)


def elements(payload):
    """The buttons and choices of a message, by action id."""
    blocks = [block for block in payload.get("blocks", []) if block["type"] == "actions"]
    return {element["action_id"]: element for block in blocks for element in block["elements"]}


def tap(payload, action_id, *, response_url, option="", user="U1", ephemeral=False):
    """The payload of a tap on what was posted; `option` is how the value of a choice ends."""
    element = elements(payload)[action_id]
    action = {"type": element["type"], "action_id": action_id, "action_ts": "1"}
    if "options" in element:
        chosen = next(choice for choice in element["options"] if choice["value"].endswith(option))
        action["selected_option"] = chosen
    else:
        action["value"] = element["value"]
    thread = {"thread_ts": payload["thread_ts"]} if payload.get("thread_ts") else {}
    where = {"type": "message", "message_ts": payload["ts"], "channel_id": payload["channel"]} | thread
    posted = {"ts": payload["ts"], "text": payload["text"]} | thread
    return {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": user, "team_id": TEAM},
        "container": where | {"is_ephemeral": ephemeral},
        "channel": {"id": payload["channel"]},
        "response_url": response_url,
        "actions": [action],
    } | ({} if ephemeral else {"message": posted})


class SlackChat:
    """`async with SlackChat(desk) as chat: payload = await chat.ask("verhuizing")`."""

    def __init__(self, desk, slack=None, **settings):
        self._desk = desk
        self._own_slack = slack is None
        self.slack = slack or FakeSlack()
        self._settings = {"slack_bot_token": "xoxb-1", "slack_signing_secret": SECRET} | settings

    async def __aenter__(self):
        if self._own_slack:
            await self.slack.__aenter__()
        settings = Settings(_env_file=None, slack_api_url=self.slack.api, **self._settings)
        self.surface = make_surface(self._desk, settings)
        app = web.Application()
        app.router.add_post(self.surface.path, self.surface.handle)
        self._server = TestServer(app, host="127.0.0.1")
        await self._server.start_server()
        self._session = ClientSession()
        await self.surface.start()
        return self

    async def __aexit__(self, *error):
        await self.surface.stop()
        await self._session.close()
        await self._server.close()
        if self._own_slack:
            await self.slack.__aexit__(*error)

    async def post(self, body, headers):
        """Any request at all; the status and the text that came back."""
        async with self._session.post(self._server.make_url(self.surface.path), data=body, headers=headers) as response:
            return response.status, await response.text()

    async def send(self, envelope):
        """Deliver an event, signed."""
        body = json.dumps(envelope)
        status, _ = await self.post(body, signed(body))
        assert status == 200

    async def press(self, payload, action_id, **fields):
        """Tap a button of a posted message."""
        tapped = tap(payload, action_id, response_url=self.slack.response_url, **fields)
        body = urllib.parse.urlencode({"payload": json.dumps(tapped)})
        status, _ = await self.post(body, signed(body, content_type=FORM))
        assert status == 200

    async def tap(self, payload, action_id, **fields):
        """Tap a button, and wait until all that follows from it is done."""
        await self.press(payload, action_id, **fields)
        await self.settled()

    async def ask(self, text, *, user="U1"):
        """Say something in a direct message; what is posted in return."""
        return await self.say(message(text, user=user))

    async def say(self, envelope):
        """Deliver something said; what is posted in return."""
        before = len(self.slack.sent())
        await self.send(envelope)
        return (await self.slack.wait(count=before + 1))[-1]

    async def settled(self):
        """Until the adapter has nothing under way."""
        async with asyncio.timeout(PATIENCE):
            await self.surface._background.settled()


async def ask_slack(desk, text, *, user="U1", locale=""):
    """One question in a direct message to this desk: the payload of the message that is posted in return."""
    async with SlackChat(desk) as chat:
        chat.slack.locales[user] = locale
        return await chat.ask(text, user=user)
