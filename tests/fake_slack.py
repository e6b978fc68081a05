"""Slack on loopback: its Web API, response URLs and socket, the way it signs, and what it refuses.

`SlackChat` is a whole conversation: this Slack, a desk behind the real adapter, and the adapter's real HTTP endpoint.
"""

import asyncio
import base64
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
TEAM, BOT, APP = "T1", "U0BOT", "A1"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
PATIENCE = 10  # seconds after which a test has hung
ACK_WITHIN = 3  # seconds, as Slack has it for all it sends and for every trigger


# -- what Slack refuses --------------------------------------------------------------------------------------------
def problems(blocks, *, in_view=False):
    """What Slack would find wrong with these blocks: what slack_sdk checks, and the rules it does not know."""
    most = 100 if in_view else 50
    found = [f"{len(blocks)} blocks"] if len(blocks) > most else []
    found += _repeated([block["block_id"] for block in blocks if "block_id" in block], "block_id")
    for block in blocks:
        found += _not_understood(block) or [*_of_block(block, in_view=in_view), *_of_texts(block)]
    size = sum(map(len, texts(blocks)))
    return [*found, f"{size} characters"] if size > 12_000 and not in_view else found


def view_problems(view):
    """What Slack would find wrong with a modal or a Home tab."""
    blocks = view.get("blocks", [])
    found = [f"type {view.get('type')}"] if view.get("type") not in {"modal", "home"} else []
    for name in ("title", "submit", "close"):
        if view.get(name):  # Slack's own views have them all, empty ones too
            found += [] if view["type"] == "modal" else [f"a {name} at home"]
            found += [f"{name} over 24"] if len(view[name]["text"]) > 24 else []
            found += [f"{name} is formatted"] if view[name]["type"] != "plain_text" else []
    asked = [block for block in blocks if block["type"] == "input"]
    if view.get("type") == "modal":
        found += [f"no {name}" for name in ("title", *["submit"] * bool(asked)) if not view.get(name)]
    found += [f"{name} over {most}" for name, most in _VIEW_LIMITS.items() if len(view.get(name) or "") > most]
    found += [] if len(json.dumps(view)) <= 250_000 else ["over 250 KB"]
    found += [f"no block_id: {block['label']['text']}" for block in asked if "block_id" not in block]
    found += _repeated([block["element"].get("action_id") for block in asked], "action_id")
    found += [found for name in ("title", "submit", "close") for found in _of_texts(view.get(name))]
    return [*found, *problems(blocks, in_view=True)]


def texts(node):
    """Every text in blocks that a person reads."""
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return own + [text for value in node.values() if isinstance(value, dict | list) for text in texts(value)]
    return [text for value in node for text in texts(value)] if isinstance(node, list) else []


_VIEW_LIMITS = {"callback_id": 255, "external_id": 255, "private_metadata": 3000}
_PLAIN = ("placeholder", "label", "hint", "title", "deny", "description")  # "confirm" is a whole dialogue


def _not_understood(block):
    """Slack takes nothing it does not know; slack_sdk leaves that out, or fails on it."""
    try:
        parsed = Block.parse(block)
        same = parsed is not None and _said(parsed.to_dict()) == _said(block)
    except (SlackObjectFormationError, TypeError, AttributeError, ValueError) as error:
        return [f"{block.get('type')}: {error}"]
    return [] if same else [f"not understood: {json.dumps(block, ensure_ascii=False)[:300]}"]


def _said(node):
    """Without what is the same as not being there."""
    if isinstance(node, dict):
        return {key: _said(value) for key, value in node.items() if value not in (None, False, "")}
    return [_said(value) for value in node] if isinstance(node, list) else node


def _of_block(block, *, in_view):
    kind = block["type"]
    if kind == "input" and not in_view:
        yield "an input in a message"
    if kind == "context_actions" and in_view:
        yield "context_actions in a view"
    if len(block.get("block_id", "")) > 255:
        yield "block_id over 255"
    if len(block.get("fields", [])) > 10 or any(len(field["text"]) > 2000 for field in block.get("fields", [])):
        yield "too many or too long fields"
    parts = _interactive(block)
    yield from _repeated([part.get("action_id") for part in parts], "action_id")
    most = {"actions": 25, "context_actions": 5, "context": 10}.get(kind)
    if most and not 1 <= len(block["elements"]) <= most:
        yield f"{len(block['elements'])} elements"
    for part in parts:
        yield from _of_element(part)


def _of_element(part):
    if not part.get("action_id"):
        yield f"no action_id: {part['type']}"
    groups = part.get("option_groups", [])
    options = [*part.get("options", []), *(option for group in groups for option in group["options"])]
    if part["type"] == "feedback_buttons":
        for button in (part["positive_button"], part["negative_button"]):
            if len(button["text"]["text"]) > 75 or len(button["value"]) > 2000:
                yield "a feedback button that is too long"
    elif "options" in part or "option_groups" in part:
        if not options or any(not group["options"] for group in groups):
            yield "nothing to choose"
        yield from [f"option text over 75: {one['text']['text']}" for one in options if len(one["text"]["text"]) > 75]
        yield from [f"option value over 150: {one['value']}" for one in options if len(one["value"]) > 150]
        if part.get("initial_option", options[0] if options else None) not in options:
            yield "initial_option is none of the options"


def _of_texts(node, *, plain=False):
    """Texts that are empty, and formatted ones where only plain text is taken."""
    if isinstance(node, list):
        yield from (found for value in node for found in _of_texts(value, plain=plain))
    if not isinstance(node, dict):
        return
    if isinstance(node.get("text"), str) and not node["text"].strip():
        yield f"without text: {node.get('type')}"
    if plain and node.get("type") == "mrkdwn":
        yield f"formatted: {node['text']}"
    if node.get("type") == "image" and not node.get("alt_text", "").strip():
        yield "an image without alt_text"
    for key, value in node.items():
        may_be_formatted = key not in _PLAIN and not (key == "text" and _wants_plain(node))
        yield from _of_texts(value, plain=not may_be_formatted)


def _wants_plain(node):
    """Whether the text of this header, button or option has to be plain; options have no type."""
    return node.get("type") in {"header", "button", "icon_button"} or ("value" in node and "type" not in node)


def _repeated(names, kind):
    return [f"{kind} twice: {name}" for name in set(names) if name is not None and names.count(name) > 1]


# -- the platform --------------------------------------------------------------------------------------------------
# What a bot token needs; "…" stands for the kind of conversation. oauth.v2.access takes the app's secret instead.
NEEDED = dict.fromkeys(("chat.postMessage", "chat.postEphemeral", "chat.update", "chat.delete"), "chat:write")
NEEDED |= {"assistant.threads.setStatus": "chat:write", "assistant.threads.setSuggestedPrompts": "assistant:write"}
NEEDED |= dict.fromkeys(("api.test", "auth.test", "oauth.v2.access", "apps.connections.open"), "")
NEEDED |= dict.fromkeys(("views.open", "views.push", "views.update", "views.publish"), "")
NEEDED |= {"conversations.replies": "…:history", "conversations.info": "…:read", "conversations.open": "im:write"}
NEEDED |= {"users.info": "users:read", "usergroups.users.list": "usergroups:read"}
KINDS = {"D": "im", "G": "mpim", "C": "channels"}


_NUMBERS = itertools.count(1)  # of everything: a desk may outlive a fake, and must not see a name twice


class FakeSlack:
    """Takes and remembers every call; refuses the next ones of a method when told to, and what Slack would refuse."""

    def __init__(self, *, scopes=None):
        self.scopes = scopes  # of the bot's token; None for all there are
        self.calls = []  # (method, body)
        self.tokens = []  # with what token each of these calls was made
        self.locales = {}
        self.names = {}
        self.usergroups = {}  # id: its people
        self.channels = {}  # id: what is particular about it; None for a channel that is not there
        self.said = []  # every message that stands in Slack, the oldest first
        self.modals, self.homes = {}, {}  # by id, and by who looks at it; the latest opened or updated is last
        self.revoked = set()  # tokens
        self._teams = {}  # token: the team and the bot's id there
        self._codes = {}
        self._triggers = {}  # id: until when
        self._refusals = defaultdict(deque)
        self._uses = defaultdict(int)
        self._news = asyncio.Condition()
        self._numbers = _NUMBERS
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
        """Where an answer to a tap or a command goes: a new one each time, good for five answers."""
        return str(self._server.make_url(f"/response/{next(self._numbers)}"))

    @property
    def modal(self):
        """The modal that somebody looks at: the latest one opened or updated, as Slack keeps it."""
        return next(reversed(self.modals.values()))

    def trigger(self):
        """A trigger id: good for one modal, and for three seconds."""
        name = f"{next(self._numbers)}.1.trigger"
        self._triggers[name] = time.monotonic() + ACK_WITHIN
        return name

    def let_triggers_expire(self):
        """As if three seconds went by."""
        self._triggers = dict.fromkeys(self._triggers, 0)

    def code(self, team="T2", *, enterprise=None):
        """What Slack sends along when a team installs the app, to be exchanged once for a token ("xoxb-T2")."""
        name = f"code-{next(self._numbers)}"
        self._codes[name] = {"id": team, "name": f"Team {team}"}, enterprise and {"id": enterprise}
        return name

    def refuse(self, method, error, *, status=200, retry_after=None, times=1):
        """Say no to the next calls of a method ("response_url" for those)."""
        self._refusals[method] += [({"error": error}, status, retry_after)] * times

    def sent(self, method="chat.postMessage", *, token=None):
        """The bodies of the calls that were taken, all of them or those with one token."""
        calls = zip(self.calls, self.tokens, strict=True)
        return [body for (name, body), used in calls if name == method and token in {None, used}]

    async def wait(self, method="chat.postMessage", count=1):
        """Until so many calls of a method were taken."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.sent(method)) >= count)
        return self.sent(method)

    async def push(self, payload, kind="events_api"):
        """Deliver over the socket, and wait for the ack: what is answered in it.

        A command is "slash_commands", and a tap, a shortcut or a submission is "interactive".
        """
        name = f"envelope-{next(self._numbers)}"
        retry = {"retry_attempt": 0, "retry_reason": ""} if kind == "events_api" else {}
        envelope = {"envelope_id": name, "type": kind, "payload": payload} | retry
        await self._envelopes.put(envelope | {"accepts_response_payload": kind != "events_api"})
        async with asyncio.timeout(PATIENCE):
            ack = await self._acks.get()
        assert ack["envelope_id"] == name
        return ack.get("payload")

    def hear(self, envelope):
        """Keep what somebody said, as Slack does before it tells anybody."""
        event = envelope["event"]
        if event.get("subtype") == "message_deleted":
            self.said = [one for one in self.said if one["ts"] != event["deleted_ts"]]
        elif event.get("subtype") == "message_changed":
            changed = event["message"]
            self.said = [one | changed if one["ts"] == changed["ts"] else one for one in self.said]
        elif event["type"] in {"message", "app_mention"}:
            self.said.append(event | {"type": "message"})

    async def _api(self, request):
        method, token = request.match_info["method"], request.headers.get("Authorization", "").removeprefix("Bearer ")
        body = await _read(request)
        headers = {"X-OAuth-Scopes": ",".join(sorted(_every_scope() if self.scopes is None else self.scopes))}
        refusal = await self._take(method, body, token)
        if refusal is None:
            return web.json_response({"ok": True} | self._result(method, body, token), headers=headers)
        why, status, retry_after = refusal
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        return web.json_response({"ok": False} | why, status=status, headers=headers)

    async def _take(self, method, body, token=""):
        """Remember a call, or tell what is against it: the answer, its status, and when to try again."""
        if self._refusals[method]:
            return self._refusals[method].popleft()
        found = problems(body.get("blocks") or [])
        if found:
            status = 400 if method == "response_url" else 200
            return {"error": "invalid_blocks", "response_metadata": {"messages": found}}, status, None
        why = None if method == "response_url" else self._against(method, body, token)
        if why:
            return why, 200, None
        if method.startswith("chat.post"):
            body["ts"] = f"9000.{next(self._numbers):06}"
        if method.startswith("chat.") and method != "chat.delete":
            assert body["text"].strip()
            assert len(body["text"]) <= 4000
        async with self._news:
            self.calls.append((method, body))
            self.tokens.append(token)
            self._news.notify_all()
        return None

    def _against(self, method, body, token):
        """What Slack has against a call, in its own words."""
        stranger = self._not_allowed(method, body, token)
        if stranger or method == "oauth.v2.access":
            return stranger and {"error": stranger}
        where = body.get("channel", "")
        needed = NEEDED[method].replace("…", self._kind(where))
        if needed and self.scopes is not None and needed not in self.scopes:
            return {"error": "missing_scope", "needed": needed, "provided": ",".join(sorted(self.scopes))}
        if self.channels.get(where, {}) is None:
            return {"error": "channel_not_found"}
        return self._unfit(method, body)

    def _not_allowed(self, method, body, token):
        if method == "oauth.v2.access":
            us = base64.b64decode(token.removeprefix("Basic ")).decode().partition(":")
            return None if all(us) and body.get("code") in self._codes else "invalid_code"
        if not token.startswith(("xoxb-", "xapp-")):
            return "not_authed"
        if (method == "apps.connections.open") != token.startswith("xapp-"):
            return "not_allowed_token_type"
        if token in self.revoked:
            return "token_revoked"
        return None if method in NEEDED else "unknown_method"

    def _unfit(self, method, body):  # noqa: PLR0911 - one for each thing Slack looks at
        match method:
            case "views.open" | "views.push":
                return self._spent(body.get("trigger_id")) or _bad_view(body["view"], "modal")
            case "views.publish":
                return _bad_view(body["view"], "home") if body.get("user_id") else {"error": "user_not_found"}
            case "views.update":
                there = self.modals.get(body.get("view_id"))
                if there is None:
                    return {"error": "not_found"}
                same = body.get("hash") in {None, there["hash"]}
                return _bad_view(body["view"], "modal") if same else {"error": "hash_conflict"}
            case "chat.update" | "chat.delete":
                mine = [one for one in self.said if one["ts"] == body["ts"] and one.get("bot_id")]
                return None if mine else {"error": "message_not_found"}
            case "usergroups.users.list":
                return None if body.get("usergroup") in self.usergroups else {"error": "no_such_subteam"}
            case "assistant.threads.setStatus":
                there = body.get("channel_id") and body.get("thread_ts") and "status" in body
                return None if there else {"error": "invalid_arguments"}
            case "assistant.threads.setSuggestedPrompts":
                prompts = body.get("prompts") or []
                whole = all(prompt.get("title") and prompt.get("message") for prompt in prompts)
                fine = body.get("channel_id") and whole and 1 <= len(prompts) <= 4
                # With a thread, Slack says ok to an app with an agent view and shows nothing.
                return None if fine and "thread_ts" not in body else {"error": "invalid_arguments"}
        return None

    def _spent(self, trigger_id):
        until = self._triggers.get(trigger_id)
        if until is None:
            return {"error": "invalid_trigger_id"}
        self._triggers[trigger_id] = -1
        if until < 0:
            return {"error": "exchanged_trigger_id"}
        return {"error": "expired_trigger_id"} if until < time.monotonic() else None

    def _result(self, method, body, token):  # noqa: PLR0911, PLR0912, C901 - one for each method
        team, bot = self._teams.get(token, ({"id": TEAM, "name": "Kievit"}, BOT))
        match method:
            case "auth.test":
                us = {"user_id": bot, "user": "bijdehand", "bot_id": "B0BOT"}
                return us | {"team_id": team["id"], "team": team["name"], "url": "https://kievit.slack.com/"}
            case "users.info":
                locale = {"locale": self.locales.get(body["user"], "")} if body.get("include_locale") else {}
                return {"user": {"id": body["user"], "real_name": self.names.get(body["user"], "")} | locale}
            case "apps.connections.open":
                return {"url": str(self._server.make_url("/link")).replace("http", "ws", 1)}
            case "oauth.v2.access":
                return self._install(body["code"])
            case "chat.postMessage":
                channel = _direct(body["channel"])
                thread = {"thread_ts": body["thread_ts"]} if body.get("thread_ts") else {}
                posted = {"type": "message", "user": bot, "bot_id": "B0BOT", "text": body["text"], "ts": body["ts"]}
                self.said.append(posted | thread | {"channel": channel})
                return {"ts": body["ts"], "channel": channel, "message": posted | thread}
            case "chat.postEphemeral":
                return {"message_ts": body["ts"]}
            case "chat.update":
                self.said = [one | {"text": body["text"]} if one["ts"] == body["ts"] else one for one in self.said]
            case "chat.delete":
                self.said = [one for one in self.said if one["ts"] != body["ts"]]
            case "conversations.replies":
                return self._replies(body)
            case "conversations.info":
                return {"channel": {"id": body["channel"], "is_member": True} | self.channels.get(body["channel"], {})}
            case "conversations.open":
                return {"channel": {"id": _direct(body["users"])}}
            case "usergroups.users.list":
                return {"users": list(self.usergroups[body["usergroup"]])}
            case "views.open" | "views.push" | "views.update" | "views.publish":
                return {"view": self._keep(method, body, team)}
        return {"ts": body["ts"], "channel": body.get("channel")} if "ts" in body else {}

    def _install(self, code):
        team, enterprise = self._codes.pop(code)
        token, bot = f"xoxb-{team['id']}", f"{BOT}{team['id']}"
        self._teams[token] = team, bot
        scopes = ",".join(sorted(_every_scope() if self.scopes is None else self.scopes))
        whose = {"team": team, "enterprise": enterprise, "is_enterprise_install": False, "authed_user": {"id": "U1"}}
        return {"access_token": token, "token_type": "bot", "scope": scopes, "bot_user_id": bot, "app_id": APP} | whose

    def _replies(self, body):
        """What stands in a thread, its first message included, the oldest first."""
        oldest, latest = body.get("oldest", "0"), body.get("latest", "9" * 20)
        inside = [
            {key: value for key, value in one.items() if key != "channel"}
            for one in self.said
            if one["channel"] == body["channel"]
            and body["ts"] in {one["ts"], one.get("thread_ts")}
            and (float(oldest) < float(one["ts"]) < float(latest) or body.get("inclusive"))
        ]
        most = int(body.get("limit") or 1000)
        return {"messages": inside[:most], "has_more": len(inside) > most}

    def _keep(self, method, body, team):
        """A view as Slack has it: with an id, a hash, and a block_id for every block."""
        number, view = next(self._numbers), body["view"]
        home = method == "views.publish"
        known = body.get("view_id") or (self.homes.get(body["user_id"], {}).get("id") if home else None)
        blocks = [{"block_id": f"b{number}.{place}"} | block for place, block in enumerate(view["blocks"])]
        kept = {"private_metadata": "", "callback_id": ""} | view | {"id": known or f"V{number}", "hash": f"{number}.h"}
        kept |= {"team_id": team["id"], "app_id": APP, "blocks": blocks, "state": {"values": {}}}
        place, name = (self.homes, body["user_id"]) if home else (self.modals, kept["id"])
        place.pop(name, None)  # the latest is last
        place[name] = kept
        return kept

    def _kind(self, channel):
        """The kind of conversation, as scopes have it."""
        private = (self.channels.get(channel) or {}).get("is_private")
        return "groups" if private else KINDS.get(channel[:1], "channels")

    async def _response_url(self, request):
        self._uses[request.path] += 1
        if self._uses[request.path] > 5:
            return web.Response(text="used_url", status=404)
        refusal = await self._take("response_url", await request.json())
        return web.Response(text=refusal[0]["error"], status=refusal[1]) if refusal else web.Response(text="ok")

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


async def _read(request):
    """The body of a call; slack_sdk says JSON of no body too, and sends lists within forms as JSON."""
    raw = await request.text()
    if request.content_type == JSON and raw:
        return json.loads(raw)
    body = {**request.query, **await request.post()}
    nested = {"blocks", "view", "prompts"} & set(body)
    return body | {name: json.loads(body[name]) for name in nested}


def _bad_view(view, kind):
    found = view_problems(view)
    found += [] if view.get("type") == kind else [f"not a {kind}"]
    return {"error": "invalid_arguments", "response_metadata": {"messages": found}} if found else None


def _every_scope():
    kinds = ("channels", "groups", "im", "mpim")
    return {scope.replace("…", kind) for scope in NEEDED.values() if scope for kind in kinds}


def _direct(channel):
    """The direct conversation with somebody, where a person stands for a channel."""
    return f"D{channel[1:]}" if channel.startswith("U") else channel


# -- what Slack sends ----------------------------------------------------------------------------------------------
def signed(body, *, content_type=JSON, secret=SECRET, at=None):
    """Headers as Slack makes them for this body."""
    timestamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    return {"Content-Type": content_type, "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}


_TS = itertools.count(1)
_TRIGGER = "1.1.trigger"  # one that no modal opens with


def _ts():
    return f"1700.{next(_TS):06}"


def event(kind, *, team_id=TEAM, **fields):
    """The envelope of anything that happened."""
    bots = [{"enterprise_id": None, "user_id": BOT, "team_id": team_id, "is_bot": True, "is_enterprise_install": False}]
    happened = {"type": kind} | {key: value for key, value in fields.items() if value is not None}
    envelope = {"type": "event_callback", "team_id": team_id, "api_app_id": APP, "event_id": f"Ev{next(_TS)}"}
    return envelope | {"event": happened, "authorizations": bots}


def message(text, *, channel="D1", user="U1", kind="message", **fields):
    """The envelope of something said: in a direct message unless told otherwise."""
    channel_type = {} if kind == "app_mention" else {"channel_type": "im"}
    said = {"channel": channel, "user": user, "text": text, "ts": _ts()} | channel_type | fields
    envelope = event(kind, **said)
    envelope["event"] |= {"text": text}  # also when it is none
    return envelope


def mention(text, *, channel="C1", **fields):
    """The envelope of a mention in a channel."""
    return message(f"<@{BOT}> {text}".strip(), channel=channel, kind="app_mention", **fields)


def deleted(envelope, *, replied=False):
    """The envelope of its author taking back what was said; with replies below it, a tombstone stays."""
    said = envelope["event"]
    if replied:
        tombstone = _standing(said) | {"subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT"}
        return _afterwards(envelope, "message_changed", message=tombstone, previous_message=_standing(said))
    gone = {"deleted_ts": said["ts"], "previous_message": _standing(said)}
    return _afterwards(envelope, "message_deleted", **gone)


def edited(envelope, text):
    """The envelope of its author changing what was said. A new mention comes with an `app_mention` besides."""
    said = _standing(envelope["event"])
    now = said | {"text": text, "edited": {"user": said["user"], "ts": _ts()}}
    return _afterwards(envelope, "message_changed", message=now, previous_message=said)


def _standing(said):
    return {key: value for key, value in said.items() if key not in {"channel", "channel_type"}} | {"type": "message"}


def _afterwards(envelope, subtype, **fields):
    said, ts = envelope["event"], _ts()
    where = {"channel": said["channel"], "channel_type": said.get("channel_type", "channel")}
    return event(
        "message", team_id=envelope["team_id"], subtype=subtype, hidden=True, ts=ts, event_ts=ts, **where, **fields
    )


def home_opened(tab="home", *, user="U1", channel="D1", **fields):
    """The envelope of somebody looking at the app: its Home tab, or its conversation ("messages")."""
    return event("app_home_opened", user=user, channel=channel, tab=tab, event_ts=_ts(), **fields)


def uninstalled(*, team_id=TEAM):
    """The envelope of a team that no longer wants us."""
    return event("app_uninstalled", team_id=team_id)


def tokens_revoked(*, team_id=TEAM, bots=(BOT,), people=()):
    """The envelope of tokens that no longer work: the bot's, or those of people who installed it."""
    return event("tokens_revoked", team_id=team_id, tokens={"oauth": list(people), "bot": list(bots)})


def slash(text, *, command="/ask", channel="C1", user="U1", team_id=TEAM, response_url="", trigger_id=_TRIGGER):
    """The form of a slash command."""
    names = {"team_domain": "kievit", "channel_name": "directmessage" if channel[0] == "D" else "general"}
    where = {"team_id": team_id, "channel_id": channel, "user_id": user, "user_name": "somebody"} | names
    rest = {"api_app_id": APP, "is_enterprise_install": "false", "token": "x"}
    return where | rest | {"command": command, "text": text, "response_url": response_url, "trigger_id": trigger_id}


def message_shortcut(text, callback_id="ask_about", *, channel="C1", user="U1", author="U2", response_url="", **fields):
    """The payload of a shortcut in the menu of somebody's message."""
    said = {"type": "message", "user": author, "text": text, "ts": _ts(), "team": TEAM}
    trigger_id = fields.pop("trigger_id", _TRIGGER)
    where = {"channel": {"id": channel, "name": "general"}, "message": said | fields, "message_ts": said["ts"]}
    head = _interaction("message_action", user, trigger_id)
    return head | where | {"callback_id": callback_id, "response_url": response_url, "action_ts": _ts()}


def global_shortcut(callback_id="ask", *, user="U1", trigger_id=_TRIGGER):
    """The payload of a shortcut that belongs to no conversation."""
    return _interaction("shortcut", user, trigger_id) | {"callback_id": callback_id, "action_ts": _ts()}


def submission(view, values, *, user="U1", trigger_id=_TRIGGER, response_urls=()):
    """The payload of a modal sent in; `values` by action id, and what nobody filled in is empty."""
    asked = {block["element"]["action_id"]: block for block in view["blocks"] if block["type"] == "input"}
    assert set(values) <= set(asked), f"asked are {sorted(asked)}"
    state = _state(asked, values)
    sent_in = {"id": "V1", "hash": "1.h", "team_id": TEAM, "app_id": APP} | view | {"state": {"values": state}}
    return _interaction("view_submission", user, trigger_id) | {"view": sent_in, "response_urls": list(response_urls)}


def closed(view, values, *, user="U1"):
    """The payload of a modal that was closed without being sent in."""
    asked = {block["element"]["action_id"]: block for block in view["blocks"] if block["type"] == "input"}
    left = {"id": "V1", "hash": "1.h", "team_id": TEAM} | view | {"state": {"values": _state(asked, values)}}
    return _interaction("view_closed", user, _TRIGGER) | {"view": left, "is_cleared": False}


def _state(asked, values):
    state = defaultdict(dict)
    for action_id, block in asked.items():
        state[block["block_id"]][action_id] = _filled_in(block["element"], values.get(action_id))
    return dict(state)


def _filled_in(element, value):
    """One field of a form, in the shape that goes with its type."""
    kind = element["type"]
    if kind.endswith("_select") and kind not in {"static_select", "multi_static_select"}:
        return {"type": kind, f"selected_{kind.removesuffix('s_select').removesuffix('_select')}": value}
    if kind in {"static_select", "radio_buttons"}:
        return {"type": kind, "selected_option": _choice(element, value) if value else element.get("initial_option")}
    if kind in {"checkboxes", "multi_static_select"}:
        before = element.get("initial_options", [])
        return {"type": kind, "selected_options": [_choice(element, one) for one in value] if value else before}
    if kind in {"datepicker", "timepicker"}:
        name = kind.removesuffix("picker")
        return {"type": kind, f"selected_{name}": value or element.get(f"initial_{name}")}
    return {"type": kind, "value": element.get("initial_value") if value is None else value}


def elements(payload):
    """What can be tapped or chosen in a message or a view, by action id."""
    found = [element for block in payload.get("blocks") or [] for element in _interactive(block)]
    return {element["action_id"]: element for element in found}


def _interactive(block):
    inside = {"actions": "elements", "context_actions": "elements", "section": "accessory", "input": "element"}
    found = block.get(inside.get(block["type"], ""), [])
    return [part for part in (found if isinstance(found, list) else [found]) if part["type"] != "image"]


def tap(payload, action_id, *, response_url="", option="", user="U1", ephemeral=False, trigger_id=_TRIGGER):
    """The payload of a tap on what was posted, or on a view.

    `option` is how the value of a choice begins or ends; of feedback buttons it is "positive" or "negative".
    """
    action = _action(payload, action_id, option)
    head = _interaction("block_actions", user, trigger_id) | {"actions": [action], "state": {"values": {}}}
    if payload.get("type") in {"modal", "home"}:
        return head | {"container": {"type": "view", "view_id": payload["id"]}, "view": payload}
    thread = {"thread_ts": payload["thread_ts"]} if payload.get("thread_ts") else {}
    channel = _direct(payload["channel"])
    where = {"type": "message", "message_ts": payload["ts"], "channel_id": channel, "is_ephemeral": ephemeral} | thread
    posted = {"type": "message", "user": BOT, "bot_id": "B0BOT", "ts": payload["ts"], "text": payload["text"]} | thread
    shown = {} if ephemeral else {"message": posted | {"blocks": payload.get("blocks") or []}}
    return head | shown | {"container": where, "channel": {"id": channel}, "response_url": response_url}


def _action(payload, action_id, option):
    element = elements(payload)[action_id]
    block = next(block for block in payload["blocks"] if element in _interactive(block))
    action = {"type": element["type"], "action_id": action_id, "action_ts": _ts()}
    action["block_id"] = block.get("block_id") or f"b{payload['blocks'].index(block)}"
    if "options" in element or "option_groups" in element:
        return action | {"selected_option": _choice(element, option)}
    pressed = element[f"{option or 'positive'}_button"] if element["type"] == "feedback_buttons" else element
    return action | {key: pressed[key] for key in ("text", "value") if key in pressed}


def _choice(element, option):
    groups = element.get("option_groups", [])
    options = [*element.get("options", []), *(one for group in groups for one in group["options"])]
    return next(one for one in options if one["value"].endswith(option) or one["value"].startswith(option))


def _interaction(kind, user, trigger_id):
    who = {"id": user, "username": "somebody", "name": "somebody", "team_id": TEAM}
    team = {"id": TEAM, "domain": "kievit"}
    return {"type": kind, "team": team, "user": who, "api_app_id": APP, "token": "x", "trigger_id": trigger_id}


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
        self.slack.hear(envelope)
        await self._deliver(json.dumps(envelope), JSON)

    async def press(self, payload, action_id, **fields):
        """Tap a button of a posted message or a view; what the endpoint answered."""
        fields = {"response_url": self.slack.response_url, "trigger_id": self.slack.trigger()} | fields
        return await self.interact(tap(payload, action_id, **fields))

    async def tap(self, payload, action_id, **fields):
        """Tap a button, and wait until all that follows from it is done."""
        answered = await self.press(payload, action_id, **fields)
        await self.settled()
        return answered

    async def command(self, text, **fields):
        """Type a slash command, and wait until all that follows is done; what the endpoint answered."""
        fields = {"response_url": self.slack.response_url, "trigger_id": self.slack.trigger()} | fields
        answered = await self._deliver(urllib.parse.urlencode(slash(text, **fields)), FORM)
        await self.settled()
        return answered

    async def shortcut(self, payload=None, **fields):
        """Use a shortcut ("Ask" unless told otherwise), and wait for the end; what the endpoint answered."""
        fields = {"trigger_id": self.slack.trigger(), "response_url": self.slack.response_url} | fields
        payload = payload or global_shortcut()
        fields = {key: value for key, value in fields.items() if key in payload}
        answered = await self.interact(payload | fields)
        await self.settled()
        return answered

    async def submit(self, view, values, **fields):
        """Send in a modal, and wait until all that follows is done; what the endpoint answered."""
        answered = await self.interact(submission(view, values, **{"trigger_id": self.slack.trigger()} | fields))
        if isinstance(answered, dict):
            asked = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
            assert set(answered.get("errors", {})) <= asked, "Slack shows an error below a field it knows"
            assert view_problems(answered["view"]) == [] if "view" in answered else True
        await self.settled()
        return answered

    async def open_home(self, user="U1", tab="home"):
        """Look at the app's Home tab, or at its conversation; the view that is published, if any."""
        await self.send(home_opened(tab, user=user))
        await self.settled()
        return self.slack.homes.get(user)

    async def interact(self, payload):
        """Deliver a tap, a shortcut or a submission, signed; what the endpoint answered."""
        return await self._deliver(urllib.parse.urlencode({"payload": json.dumps(payload)}), FORM)

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

    async def _deliver(self, body, content_type):
        async with asyncio.timeout(ACK_WITHIN):
            status, text = await self.post(body, signed(body, content_type=content_type))
        assert status == 200, text
        answered = json.loads(text) if text.startswith("{") else text
        assert problems(answered.get("blocks") or []) == [] if isinstance(answered, dict) else True
        return answered


async def ask_slack(desk, text, *, user="U1", locale=""):
    """One question in a direct message to this desk: the payload of the message that is posted in return."""
    async with SlackChat(desk) as chat:
        chat.slack.locales[user] = locale
        return await chat.ask(text, user=user)
