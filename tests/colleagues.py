"""One colleague, on Slack or on Teams: the same things to do on both, and what they get to see by it.

async with colleague("teams", desk) as me:
    seen = await me.ask("klant is verhuisd")
    assert "Verhuizing doorgeven" in seen
    seen = await seen.tap("Klopt niet")
"""

import html
import itertools
import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from fake_connector import TENANT, FakeTeams, at, file, in_channel, in_group
from fake_slack import (
    BOT,
    SlackChat,
    closed,
    deleted,
    edited,
    elements,
    global_shortcut,
    mention,
    message,
    message_shortcut,
    texts,
)

from bots.teams_screens import FILLED
from core.model import Attachment
from core.store import Identity
from core.words import say

_NUMBERS = itertools.count(5000)
_MARKS = re.compile(r"[\s*_~`>\\\u200b\u2060]+")


class Place(StrEnum):
    PRIVATE = "private"
    CHANNEL = "channel"
    GROUP = "group"


def plain(text):
    """Without the marks, joints and spaces that a platform puts in or around words."""
    return _MARKS.sub("", html.unescape(text))


@dataclass
class Seen:
    """What came in sight by something that somebody did. What can be tapped is there by its words."""

    text: str = ""
    taps: dict = field(default_factory=dict)
    alone: bool = False  # nobody else sees it
    thread: str = ""
    last: dict = field(default_factory=dict)  # as the platform has it
    said: dict = field(default_factory=dict)  # what was said to get it
    actions: dict = field(default_factory=dict)  # the buttons of a card, by their words

    def __contains__(self, words):
        return plain(words) in plain(self.text)

    def __bool__(self):
        return bool(self.text)

    async def tap(self, words):
        assert words in self.taps, f"there is {sorted(self.taps)}"
        return await self.taps[words]()


def together(all_seen):
    """What came in several messages; of a button that is twice there the last counts."""
    found = Seen()
    for one in all_seen:
        text, taps = f"{found.text}\n{one.text}".strip(), found.taps | one.taps
        found = Seen(text, taps, one.alone, one.thread, one.last, actions=found.actions | one.actions)
    return found


# -- Slack -------------------------------------------------------------------------------------------------------------
class OnSlack:
    """Somebody in Slack. What the bot posts, says to them alone, opens or redraws is what they see."""

    def __init__(self, chat, desk, name="U1"):
        self.desk = desk
        self.identity = Identity("slack", "T1", name)
        self._chat = chat
        self._name = name

    def another(self, name="U2"):
        return OnSlack(self._chat, self.desk, name)

    # -- the coach's desk --------------------------------------------------------------------------------------------
    async def coach(self, words=""):
        """Open the coach's desk; what stands in the modal in the end."""
        await self._chat.command(words, command="/coach", user=self._name)
        return self._of_payload(self._chat.slack.modal)

    async def send_in(self, seen, **values):
        """Send in a form of the coach's desk."""
        answered = await self._chat.submit(seen.last, values, user=self._name)
        if "errors" in answered:
            return Seen("\n".join(answered["errors"].values()), alone=True)
        modal = {"id": seen.last["id"], "hash": "9.h"} | answered["view"]
        self._chat.slack.modals[seen.last["id"]] = modal
        return self._of_payload(modal)

    async def keep(self, seen, **values):
        """Close a form without sending it in."""
        await self._chat.interact(closed(seen.last, values, user=self._name))
        await self._chat.settled()

    async def save_as_answer(self, text):
        asked = message_shortcut(text, "save_as_answer", user=self._name, author="U9")
        await self._chat.shortcut(asked)
        return self._of_payload(self._chat.slack.modal)

    async def told(self):
        """What reached them unasked since they looked last."""
        before = len(self._chat.slack.calls)
        await self._chat.surface._postman.round()
        posted = [body for method, body in self._chat.slack.calls[before:] if method == "chat.postMessage"]
        letters = self._chat.slack.__dict__.setdefault("letters", [])
        letters += posted
        mine = [one for one in letters if one["channel"] == self._name]
        self._chat.slack.letters = [one for one in letters if one not in mine]
        return together(self._of_payload(one) for one in mine)

    async def ask(self, text, place=Place.PRIVATE, *, to_us=True, below=None, files=()):
        """Say something to the bot, or (`to_us=False`) only within its hearing."""
        where = {"thread_ts": below.thread} if below else {}
        where |= {"subtype": "file_share", "files": list(files)} if files else {}
        return await self._say(self._envelope(text, place, to_us=to_us, user=self._name, **where))

    def _envelope(self, text, place, *, to_us, **fields):
        match place:
            case Place.PRIVATE:
                return message(text, **fields)
            case Place.CHANNEL if to_us:
                return mention(text, **fields)
            case Place.CHANNEL:
                return message(text, channel="C1", channel_type="channel", **fields)
            case _:
                return message(f"<@{BOT}> {text}" if to_us else text, channel="G1", channel_type="mpim", **fields)

    async def attach(self, kind):
        mimetype = {Attachment.FILE: "application/pdf", Attachment.VOICE: "audio/webm"}[kind]
        return await self.ask("", files=[{"id": "F1", "mimetype": mimetype}])

    async def _say(self, envelope):
        seen = await self._after(lambda: self._chat.send(envelope))
        seen.said = envelope
        return seen

    async def again(self, seen):
        """The platform delivers once more what was said."""
        return await self._say(seen.said)

    async def edit(self, seen, text):
        """Change what was said, so that it is to the bot now."""
        envelope = edited(seen.said, f"<@{BOT}> {text}")
        return await self._say(envelope)

    async def take_back(self, seen):
        await self._say(deleted(seen.said))

    def stands(self, seen):
        """Whether what the bot posted is there still."""
        return any(one["ts"] == seen.last["ts"] for one in self._chat.slack.said)

    async def command(self, words, place=Place.PRIVATE):
        channel = {Place.PRIVATE: "D1", Place.CHANNEL: "C1"}[place]
        return await self._after(
            lambda: self._chat.command(words, command="/vraag", channel=channel, user=self._name), {"channel": channel}
        )

    async def ask_alone(self, text):
        """Ask in a channel what nobody else there sees."""
        return await self.command(text, Place.CHANNEL)

    async def overview(self):
        return await self._after(lambda: self._chat.open_home(self._name))

    async def ask_about(self, text):
        """Look up what somebody's message says."""
        asked = message_shortcut(text, user=self._name)
        return await self._after(lambda: self._chat.shortcut(asked), {"channel": "C1"})

    async def arrive(self):
        """See the bot for the first time."""
        return await self._after(lambda: self._chat.open_home(self._name, tab="messages"))

    async def hears(self):
        """What the bot says unasked once it looks around."""
        return await self._after(self._chat.surface._taps.check)

    async def rate(self, seen, *, helpful):
        """Use the platform's own thumbs."""
        (button,) = (one for one in elements(seen.last).values() if one["type"] == "feedback_buttons")
        option = "positive" if helpful else "negative"
        tapping = partial(self._chat.tap, seen.last, button["action_id"], user=self._name, option=option)
        return await self._after(tapping, seen.last)

    async def _after(self, do, tapped=None):
        before = len(self._chat.slack.calls)
        await do()
        await self._chat.settled()
        return self._seen(before, tapped or {})

    def _seen(self, before, tapped):
        calls = self._chat.slack.calls[before:]
        return together(filter(None, (self._of_call(method, body, tapped) for method, body in calls)))

    def _of_call(self, method, body, tapped):
        alone = {"is_ephemeral": True}
        match method:
            case "assistant.threads.setSuggestedPrompts":
                prompts = {one["title"]: partial(self.ask, one["message"]) for one in body["prompts"]}
                return Seen("\n".join((body["title"], *prompts)), prompts, alone=True)
            case "chat.postMessage":
                payload = body
            case "chat.postEphemeral":
                payload = body | alone
            case "response_url" if body.get("replace_original"):
                payload = tapped | body
            case "response_url":
                new = {"channel": tapped["channel"], "ts": f"9500.{next(_NUMBERS)}"}
                payload = body | new | ({} if body.get("response_type") == "in_channel" else alone)
            case "views.publish":
                payload = self._chat.slack.homes[self._name]
            case "views.open" | "views.push" | "views.update":
                payload = self._chat.slack.modal
            case _:
                return None
        return self._of_payload(payload)

    def _of_payload(self, payload):
        channel = payload.get("channel", "")
        alone = payload.get("is_ephemeral", False) or "type" in payload or channel.startswith(("D", "U"))
        text = "\n".join(texts(payload["blocks"])) if payload.get("blocks") else payload["text"]
        return Seen(text, dict(self._taps(payload)), alone, payload.get("thread_ts") or "", payload)

    def _taps(self, payload):
        for action_id, element in elements(payload).items():
            if element["type"] == "button":
                yield element["text"]["text"], partial(self._tap, payload, action_id)
            groups = element.get("option_groups", [])
            for option in (*element.get("options", []), *(one for group in groups for one in group["options"])):
                yield option["text"]["text"], partial(self._tap, payload, action_id, option["value"])

    async def _tap(self, payload, action_id, option=""):
        fields = {"user": self._name, "ephemeral": payload.get("is_ephemeral", False), "option": option}
        return await self._after(lambda: self._chat.tap(payload, action_id, **fields), payload)

    async def fill_in(self, seen, **values):
        """Send in a form."""
        return await self._after(lambda: self._chat.submit(seen.last, values, user=self._name))

    async def ask_from_anywhere(self):
        return await self._after(lambda: self._chat.shortcut(global_shortcut(user=self._name)))

    def hear(self, text, *, below=None):
        """Somebody says something in the channel that the bot is not told of: what said it, to go below."""
        envelope = self._envelope(text, Place.CHANNEL, to_us=False, user="U2")
        self._chat.slack.hear(envelope)
        return Seen(text, thread=envelope["event"]["ts"])

    def join_coaches(self):
        self._chat.slack.usergroups["S1"] = [self._name]


# -- Teams -------------------------------------------------------------------------------------------------------------
class OnTeams:
    """Somebody in Teams. What the bot posts is what they see, and what a tap is answered with."""

    def __init__(self, chat, desk, somebody=None):
        self.desk = desk
        self._chat = chat
        self._me = somebody or chat
        self.identity = Identity("teams", TENANT, f"aad-{self._me.name}")

    def another(self, name="bas"):
        return OnTeams(self._chat, self.desk, self._chat.someone(name))

    # -- the coach's desk --------------------------------------------------------------------------------------------
    async def coach(self, words=""):
        """Open the coach's desk in the private chat."""
        return await self.ask(f"coach {words}".strip())

    async def send_in(self, seen, **values):
        """Send in a form of the coach's desk, as a dialog does."""
        return await self._submit(seen, _main_action(seen), values)

    async def keep(self, seen, **values):
        """Leave a form for later."""
        await self._submit(seen, seen.actions[say("teams.keep_draft", "nl")], values)

    async def _submit(self, seen, action, values):
        filled = {one["id"]: one["value"] for one in _everything(seen.last) if str(one.get("id")).startswith(FILLED)}
        filled |= {f"{FILLED}{name}": value for name, value in values.items()}
        return self._in_dialog(await self._me.asked("task/submit", {"data": action["data"] | filled}))

    async def save_as_answer(self, text):
        author = {"user": {"displayName": "Jan Jansen"}}
        payload = {"id": "1600", "body": {"contentType": "html", "content": f"<p>{text}</p>"}, "from": author}
        value = {"commandId": "save_as_answer", "commandContext": "message", "messagePayload": payload}
        return self._in_dialog(await self._me.asked("composeExtension/fetchTask", value, **in_channel(entities=[])))

    async def told(self):
        """What reached them unasked since they looked last."""
        before = len(self._chat.connector.posted)
        await self._chat.surface._postman.round()
        await self._chat.settled()
        letters = self._chat.connector.__dict__.setdefault("letters", [])
        letters += [one.activity for one in self._chat.connector.posted[before:]]
        place = self._me.message("")["conversation"]["id"]
        mine = [one for one in letters if _conversation(one) == place]
        self._chat.connector.letters = [one for one in letters if one not in mine]
        return together(self._of_message(one) for one in mine)

    async def ask(self, text, place=Place.PRIVATE, *, to_us=True, below=None, **over):
        """Say something to the bot, or (`to_us=False`) only within its hearing."""
        number = str(next(_NUMBERS))
        match place:
            case Place.CHANNEL:
                over |= in_channel(below.thread if below else number)
            case Place.GROUP:
                over |= in_group()
        if place is not Place.PRIVATE:
            text = f"<at>Bijdehand</at> {text}" if to_us else text
            over |= {} if to_us else {"entities": []}
        return await self._say(self._me.message(text, id=number, **over))

    async def attach(self, kind):
        spoken = {"contentType": "audio/mp4", "contentUrl": "https://files.example/1"}
        return await self.ask("", attachments=[spoken if kind is Attachment.VOICE else file()])

    async def _say(self, activity):
        seen = await self._after(lambda: self._me.post(activity))
        seen.said = activity
        return seen

    async def again(self, seen):
        """The platform delivers once more what was said."""
        return await self._say(seen.said)

    async def edit(self, seen, text):
        """Change what was said, so that it is to the bot now."""
        conversation = seen.said["conversation"]
        over = in_channel() | {"conversation": conversation, "id": seen.said["id"], "type": "messageUpdate"}
        over["channelData"] |= {"eventType": "editMessage"}
        return await self._say(self._me.message(f"<at>Bijdehand</at> {text}", **over))

    async def take_back(self, seen):
        response = await self._me.take_back(seen.said["id"], conversation=seen.said["conversation"])
        assert response.status == 200
        await self._chat.settled()

    def stands(self, seen):
        """Whether what the bot posted is there still."""
        return any(one["id"] == seen.last["id"] for one in self._chat.connector.standing(_conversation(seen.last)))

    async def command(self, words, place=Place.PRIVATE):
        return await self.ask(words, place)

    async def ask_alone(self, text):
        """Ask in a channel, and have the answer where nobody else sees it."""
        seen = await self.ask(text, Place.CHANNEL)
        return await seen.tap(say("teams.privately", "nl"))

    async def overview(self):
        return await self.ask("overzicht")

    async def ask_about(self, text):
        """Look up what somebody's message says."""
        return self._in_dialog(await self._me.ask_about(f"<p>{html.escape(text)}</p>", **in_channel(entities=[])))

    async def arrive(self):
        """See the bot for the first time."""
        return await self._after(self._me.install)

    async def hears(self):
        """What the bot says unasked once it looks around."""
        before = len(self._chat.connector.posted)
        await self._chat.surface.start()
        await self._chat.connector.next(after=before)
        return self._seen(before)

    async def rate(self, seen, *, helpful):
        """Use the platform's own thumbs, for which Teams thanks people itself."""
        assert seen.last["channelData"]["feedbackLoop"] == {"type": "default"}
        return await self._after(lambda: self._me.rate(seen.last, "like" if helpful else "dislike"))

    async def search(self, text):
        """What can be put in a message that is being written."""
        found = await self._me.search(text, **in_channel(entities=[]))
        return together(self._of_message(one) for one in found["composeExtension"].get("attachments", ()))

    async def _after(self, do):
        before = len(self._chat.connector.posted)
        response = await do()
        assert response.status == 200, response.status
        await self._chat.settled()
        return self._seen(before)

    def _seen(self, before):
        posted = (one.activity for one in self._chat.connector.posted[before:])
        return together(self._of_message(one) for one in posted if one["type"] == "message")

    def _of_message(self, said):
        content = said["attachments"][0]["content"] if said.get("attachments") else said.get("content", {})
        taps = {one["title"]: partial(self._tap, one, said) for one in _in_sight(content) if _is_action(one)}
        in_words = [one.get("text") or one.get("title") or "" for one in _in_sight(content)]
        alone = "dialog" in said or said.get("conversation", {}).get("conversationType") == "personal"
        thread = _conversation(said).partition(";messageid=")[2]
        seen = Seen("\n".join(filter(None, (said.get("text"), *in_words))), taps, alone, thread, said)
        seen.actions = {one["title"]: one for one in _in_sight(content) if _is_action(one)}
        return seen

    def _in_dialog(self, body):
        assert body["task"]["type"] == "continue"
        return self._of_message({"dialog": True, "content": body["task"]["value"]["card"]["content"]})

    async def _tap(self, action, said):
        match action["type"]:
            case "Action.ToggleVisibility":
                return self._of_message(_toggled(said, action["targetElements"]))
            case "Action.ShowCard":
                return self._of_message(_with_card(said, action["card"]))
            case "Action.Submit" if "dialog" in said:
                return self._in_dialog(await self._me.submit_in_dialog(action))
            case "Action.Submit" if action["data"].get("msteams", {}).get("type") == "task/fetch":
                return self._in_dialog(await self._me.asked("task/fetch", {"data": action["data"]}))
            case "Action.Submit":
                return await self.ask(action["data"]["msteams"]["value"])
            case "Action.Execute":
                return await self._execute(action, said)
        raise AssertionError(action["type"])

    async def _execute(self, action, said):
        before, changed = len(self._chat.connector.posted), len(self._chat.connector.updated)
        body = await self._me.tap(action, **at(said))
        await self._chat.settled()
        value = body["value"]
        for one in self._chat.connector.updated[changed:]:
            assert one.activity["attachments"][0]["content"] == value, "what stands tomorrow is what is shown now"
        answered = {"text": value, "conversation": said["conversation"]} if isinstance(value, str) else None
        answered = self._of_message(answered or _with_card(said, value))
        return together([answered, *([after] if (after := self._seen(before)) else [])])


def _main_action(seen):
    return next(one for one in seen.actions.values() if one.get("style") == "positive")


def _conversation(said):
    return said.get("conversation", {}).get("id", "")


def _with_card(said, card):
    return said | ({"content": card} if "dialog" in said else {"attachments": [{"content": card}]})


def _toggled(said, names):
    copied = json.loads(json.dumps(said))
    for found in _everything(copied):
        if found.get("id") in names:
            found["isVisible"] = not found.get("isVisible", True)
    return copied


def _everything(found):
    if isinstance(found, list):
        return [one for item in found for one in _everything(item)]
    own = [found] if isinstance(found, dict) else []
    return own + [one for value in (found.values() if own else ()) for one in _everything(value)]


def _is_action(found):
    return found.get("type", "").startswith("Action.")


def _in_sight(found):
    """What can be read or tapped; what stands below a button that opens it cannot yet."""
    if isinstance(found, list):
        return [one for item in found for one in _in_sight(item)]
    if not isinstance(found, dict) or not found.get("isVisible", True):
        return []
    return [found] if _is_action(found) else [found, *(one for value in found.values() for one in _in_sight(value))]


# -- either ------------------------------------------------------------------------------------------------------------
@asynccontextmanager
async def colleague(platform, desk):
    """Somebody who works with this desk. The bot may read along where it is."""
    if platform == "slack":
        async with SlackChat(desk, slack_follow_threads=True, slack_coach_group="S1") as chat:
            chat.slack.usergroups["S1"] = []
            yield OnSlack(chat, desk)
    else:
        async with FakeTeams(desk) as chat:
            yield OnTeams(chat, desk)
