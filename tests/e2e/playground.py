"""Microsoft's own client to try out a bot of Teams, without its browser: somebody who asks and taps, and what they see.

`with playground(node, folder, bot) as teams:` and then `teams.ask("verhuizing")`, `teams.tap(answer, "Meer")`.
"""

import asyncio
import contextlib
import copy
import json
import os
import sqlite3
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
from running import ended, until

HERE = Path(__file__).parent
CARD = "application/vnd.microsoft.card.adaptive"
TENANT = "00000000-0000-0000-0000-000000000001"
BOT = {"id": "28:bijdehand", "name": "Bijdehand"}
COLLEAGUES = ["Noor de Wit", "Bas Visser", "Carla Smit", "Dani Vos", "Ela Kaya", "Finn Bos"]  # no more and no fewer
MENTION = f"<at>{BOT['name']}</at>"
PERSONAL, GROUP, TEAM, CHANNEL = "a:personal", "19:group@thread.v2", "19:team@thread.tacv2", "19:news@thread.tacv2"


def _somebody(number, name):
    given, _, surname = name.partition(" ")
    who = {"id": f"29:{given.lower()}", "name": name, "givenName": given, "surname": surname}
    mail = f"{given.lower()}@example.com"
    return who | {"userPrincipleName": mail, "email": mail, "aadObjectId": f"{TENANT[:-2]}{20 + number}"}


PEOPLE = [_somebody(number, name) for number, name in enumerate(COLLEAGUES)]
ME, CARLA = PEOPLE[0], PEOPLE[2]
CONFIGURATION = {
    "version": "0.1.1",
    "tenantId": TENANT,
    "bot": BOT,
    "currentUser": ME,
    "users": PEOPLE[1:],
    "personalChat": {"id": PERSONAL},
    "groupChat": {"id": GROUP, "name": "Groep"},
    "team": {
        "id": TEAM,
        "name": "Klantenservice",
        "aadGroupId": f"{TENANT[:-2]}31",
        "channels": [{"id": CHANNEL, "name": "Nieuws"}],
    },
}


# -- what stands on a card -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Message:
    """What the bot said, as it stands there now."""

    id: str
    conversation: str
    text: str
    card: dict | None = None
    thumbs: bool = False
    source: str = ""  # what it cites, by name

    @property
    def shown(self):
        """All that can be read without tapping anything."""
        return "\n".join([*filter(None, [self.text]), *(text for node in _seen(self.card) for text in _texts(node))])

    @property
    def buttons(self):
        """What can be tapped, by name."""
        return {node["title"]: node for node in _seen(self.card) if node.get("type", "").startswith("Action.")}

    def with_card(self, card):
        return replace(self, text="", card=card)


def _seen(element):
    """Everything on a card that is in sight, a form that was folded out included."""
    if isinstance(element, list):
        for one in element:
            yield from _seen(one)
    elif isinstance(element, dict) and element.get("isVisible", True):
        yield element
        for name, value in element.items():
            if name not in {"fallback", "data", "card"} or element.get("folded out"):
                yield from _seen(value)


def _texts(node):
    """What this one element says; a button is no text."""
    is_button = node.get("type", "").startswith("Action.")
    return [] if is_button else [node[name] for name in ("text", "title", "value") if isinstance(node.get(name), str)]


def _toggled(card, button):
    """The card after a tap on a button that asks nobody anything."""
    targets = [one if isinstance(one, dict) else {"elementId": one} for one in button["targetElements"]]
    wanted = {one["elementId"]: one.get("isVisible") for one in targets}

    def visit(element):
        if isinstance(element, list):
            return [visit(one) for one in element]
        if not isinstance(element, dict):
            return element
        made = {name: visit(value) for name, value in element.items()}
        if made.get("id") in wanted:
            visible = wanted[made["id"]]
            made["isVisible"] = not made.get("isVisible", True) if visible is None else visible
        return made

    return visit(card)


def _folded_out(card, title):
    made = copy.deepcopy(card)
    next(node for node in _seen(made) if node.get("title") == title)["folded out"] = True
    return made


# -- somebody in Teams ---------------------------------------------------------------------------------------------
class Playground:
    """Noor, in a chat with the bot, in a group chat and in a team with two channels."""

    until = staticmethod(until)

    def __init__(self, url, bot):
        self.url = url
        self._bot = bot
        self.log = self.database = None  # of our process
        self._heard, self._noted = [], []
        self._listens = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=[self._listen()])
        self._thread.start()
        assert self._listens.wait(20), "the Playground does not say what it shows"

    def join(self):
        """Wait for the end, once the Playground has ended."""
        self._thread.join()

    async def _listen(self):
        async with (
            aiohttp.ClientSession(self.url) as session,
            session.ws_connect("/_ws_conversation/v1/conversations/stream", max_msg_size=0) as conversations,
            session.ws_connect("/_ws/log/stream", max_msg_size=0) as log,
        ):
            self._listens.set()
            await asyncio.gather(_collect(conversations, self._heard), _collect(log, self._noted))

    # -- what is seen
    def said(self, conversation=PERSONAL):
        """All that the bot said in a conversation, as it stands there now."""
        found = {}
        for heard in list(self._heard):
            message = heard.get("message", {})  # none while it is typing
            if message and _place(heard) == conversation:
                found[message["messageId"]] = _message(conversation, message)
        return list(found.values())

    def conversations(self):
        """Those in which anything was said."""
        return {
            (one.get("message") or {}).get("postConversationId") or one["actionConversationId"] for one in self._heard
        }

    def noted(self):
        """What the Playground wrote of all this."""
        return [one["log"] for one in list(self._noted) if isinstance(one.get("log"), dict)]

    def warnings(self):
        """What it finds wrong with us, and what it did not take."""
        found = [one["displayText"] for one in self.noted() if one.get("level") in {"warning", "error"}]
        asked = [(one["activityName"], one["response"]["statusCode"]) for one in self.noted() if one.get("response")]
        return found + [f"{name} {status}" for name, status in asked if status >= 400]

    def kept(self, query, *values):
        """What our process kept, by SQL."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    # -- what is done
    def say(self, text, where=PERSONAL, *, mention=False):
        """Say something; the conversation that an answer would stand in."""
        body = {"from": {"id": ME["id"]}, "text": text, "textFormat": "plain"}
        if mention:
            mentions = [{"mentioned": {"id": BOT["id"]}, "text": MENTION}]
            body |= {"text": f"{MENTION} {text}".strip(), "textFormat": "xml", "mentions": mentions}
        place = urllib.parse.quote(where, safe="")
        said = self._post(f"/_conversation/v1/conversations/{place}/messages", body)
        return said.get("postConversationId") or where

    def ask(self, text, where=PERSONAL):
        """Ask the bot, by its name where others are; what it answers."""
        before = {one.id for one in self.said(where)}
        there = self.say(text, where, mention=where != PERSONAL)
        return self.next(there, before)

    def next(self, conversation, before=()):
        """What the bot says there next."""
        known = set(before)
        return until(lambda: next((one for one in self.said(conversation) if one.id not in known), None))

    def tap(self, message, title):
        """Tap a button; the message as it then stands there for who tapped, or the sentence they get to see."""
        button = message.buttons[title]
        match button["type"]:
            case "Action.ToggleVisibility":
                return message.with_card(_toggled(message.card, button))
            case "Action.ShowCard":
                return message.with_card(_folded_out(message.card, title))
        return self.execute(message, button["verb"], button["data"])

    def execute(self, message, verb, data):
        """What a button sends, sent by hand."""
        action = {"type": "Action.Execute", "verb": verb, "data": data}
        value = {"action": action, "trigger": "manual"}
        answered = self.invoke("adaptiveCard/action", value, message.conversation, replyToId=message.id)
        shown = answered["value"]
        if answered["type"] == CARD:
            return message.with_card(shown)
        return shown["message"] if isinstance(shown, dict) else shown

    def submit(self, message, title):
        """Tap a button in a client that knows no Action.Execute; nothing comes back but what the bot says next."""
        button = message.buttons[title]
        data = button.get("fallback", button)["data"]
        before = {one.id for one in self.said(message.conversation)}
        self._post(
            "/_conversation/v1/submit", self._me(message.conversation) | {"replyToId": message.id, "value": data}
        )
        return self.next(message.conversation, before)

    def invoke(self, name, value, where, **fields):
        """Send what Teams waits for; what comes back."""
        return self._post("/_conversation/v1/invoke", self._me(where) | {"name": name, "value": value} | fields)

    def search(self, text=None, where=PERSONAL):
        """Look something up above the box to type in; what is found. Without a text: what it starts with."""
        asked = {"name": "initialRun", "value": "true"} if text is None else {"name": "text", "value": text}
        value = {"commandId": "search", "parameters": [asked], "queryOptions": {"skip": 0, "count": 25}}
        return self.invoke("composeExtension/query", value, where)["composeExtension"]

    def ask_about(self, text, where=TEAM):
        """Choose "look this up" of a message; the dialog that opens."""
        message = {"id": "1700000000001", "body": {"contentType": "html", "content": text}}
        value = {"commandId": "ask_about", "commandContext": "message", "messagePayload": message}
        return self.invoke("composeExtension/fetchTask", value, where)["task"]["value"]

    def tap_in_dialog(self, dialog, title, where=TEAM):
        """Tap a button of the dialog that `ask_about` opened; what it shows then."""
        button = dialog.buttons[title]
        if button["type"] == "Action.ShowCard":
            return dialog.with_card(_folded_out(dialog.card, title))
        value = {"commandId": "ask_about", "commandContext": "message", "data": button["data"]}
        shown = self.invoke("composeExtension/submitAction", value, where)["task"]["value"]
        return dialog.with_card(shown["card"]["content"])

    def thumb(self, message, reaction, note=""):
        """Use Teams' own thumbs; the status. The Playground would not tell which message they are of."""
        thought = {"reaction": reaction, "feedback": json.dumps({"feedbackText": note})}
        value = {"actionName": "feedback", "actionValue": thought}
        invoke = {"type": "invoke", "name": "message/submitAction", "value": value, "replyToId": message.id}
        return self.deliver(self.activity(where=message.conversation, **invoke))[0]

    def install(self, where=PERSONAL):
        """Open the chat for the first time, as the Playground itself tells the bot."""
        self._post(f"/_debug/conversation/{urllib.parse.quote(where, safe='')}/installation", {})

    # -- what the Playground has no button for
    def activity(self, kind="", where=PERSONAL, **fields):
        """An activity as the Playground itself makes it, with what is different. It knows no message by the id."""
        query = {"conversationId": where} | ({"type": kind} if kind else {})
        made = self._get(f"/_internal/v1/customActivities/template?{urllib.parse.urlencode(query)}")
        return made | {"id": uuid.uuid4().hex} | fields

    def send(self, activity):
        """Have the Playground send this to the bot."""
        self._post("/_internal/v1/customActivities", activity)

    def deliver(self, activity):
        """Send this to the bot ourselves, in order; the status and what was answered."""
        request = urllib.request.Request(self._bot, json.dumps(activity).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=15) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def _me(self, conversation):
        return {"from": {"id": ME["id"]}, "conversation": {"id": conversation}}

    def _post(self, path, body):
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            answered = response.read()
        return json.loads(answered) if answered[:1] in (b"{", b"[") else {}

    def _get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=20) as response:
            return json.load(response)


def _place(heard):
    return heard.get("message", {}).get("postConversationId") or heard["actionConversationId"]


def _message(conversation, message):
    cards = [one["content"] for one in message["attachments"] if one["contentType"] == CARD]
    cited = [claim["appearance"]["name"] for claim in (message.get("aiEntity") or {}).get("citation", [])]
    return Message(
        message["messageId"],
        conversation,
        message.get("text") or "",
        next(iter(cards), None),
        bool(message.get("feedbackLoopEnabled")),
        "".join(cited),
    )


async def _collect(stream, into):
    async for said in stream:
        if said.type is aiohttp.WSMsgType.TEXT:
            into.append(json.loads(said.data))


@contextlib.contextmanager
def playground(node, folder, bot):
    """A Teams in which this bot is; it listens on this machine only and tells Microsoft nothing."""
    folder.mkdir()
    (folder / ".m365agentsplayground.yml").write_text(json.dumps(CONFIGURATION))
    environment = os.environ | {"TEAMSAPPTESTER_BROWSER": "none"}
    options = ["--app-endpoint", bot, "--channel-id", "msteams", "--port", "0", "--disable-telemetry", "true"]
    command = [node, str(HERE / "playground.cjs"), "start", *options]
    started = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(ended(started))
        line = started.stdout.readline()
        assert line.startswith("Listening on "), "The Playground did not start; run `make e2e`, which installs it."
        teams = Playground(f"http://127.0.0.1:{line.split()[-1]}", bot)
        yield teams
    teams.join()
