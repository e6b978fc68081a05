"""A Slack of somebody else's making, and people who use it."""

import itertools
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from fake_slack import FORM, mention, signed
from running import until
from slack_sdk import WebClient

TOKEN = "xoxb-bijdehand"
PEOPLE = ["alice", "bas", "carla"]  # Carla coaches


class Workspace:
    """A team with two channels, three people and our bot, over HTTP alone."""

    until = staticmethod(until)

    def __init__(self, emulator, port, log):
        self.api = f"http://127.0.0.1:{emulator['port']}"
        self.ours = f"http://127.0.0.1:{port}"
        self.log = log
        self.bot, self.team = emulator["bot"], emulator["team"]
        self.people, self.channels = emulator["people"], emulator["channels"]
        self._numbers = itertools.count(1)

    # -- as somebody who uses Slack
    def client(self, person):
        return WebClient(f"xoxp-{person}", base_url=f"{self.api}/api/")

    def direct(self, person):
        """The conversation with the bot."""
        return self.client(person).conversations_open(users=self.bot)["channel"]["id"]

    def say(self, text, *, person="alice", channel=None, thread_ts=None):
        """Say something; its channel and its timestamp."""
        channel = channel or self.channels["klantenservice"]
        said = self.client(person).chat_postMessage(channel=channel, text=text, thread_ts=thread_ts)
        return said["channel"], said["ts"]

    def mention(self, text, **where):
        """Ask the bot in a channel; its answer."""
        channel, ts = self.say(f"<@{self.bot}> {text}", **where)
        return self.reply(channel, where.get("thread_ts") or ts, after=ts)

    def ask(self, text, person="alice"):
        """Ask the bot in a direct message; its answer."""
        channel, ts = self.say(text, person=person, channel=self.direct(person))
        return until(lambda: next(iter(self.said_by_bot(channel, after=ts)), None)) | {"channel": channel}

    def reply(self, channel, thread_ts, *, after="0"):
        """The bot's first message in a thread."""
        found = until(lambda: next(iter(self.said_by_bot(channel, thread_ts, after=after)), None))
        return found | {"channel": channel}

    def said_by_bot(self, channel, thread_ts=None, *, after="0"):
        """All that the bot said in a thread or beside all threads, the oldest first."""
        client = self.client("alice")
        if thread_ts:
            found = client.conversations_replies(channel=channel, ts=thread_ts)["messages"]
        else:
            found = client.conversations_history(channel=channel)["messages"]
        mine = [one for one in found if one["user"] == self.bot and one["ts"] > after]
        return sorted(mine, key=lambda one: one["ts"])

    def trigger(self, person="alice", view_id=None):
        """A trigger id as it comes with a tap; the emulator's own."""
        bot = WebClient(TOKEN, base_url=f"{self.api}/api/")
        whose = {"user_id": self.people[person]} | ({"view_id": view_id} if view_id else {})
        return bot.api_call("views.generateTriggerId", json=whose)["trigger_id"]

    # -- what people see
    def seen(self, what, **query):
        with urllib.request.urlopen(f"{self.api}/test/{what}?{urllib.parse.urlencode(query)}", timeout=10) as response:
            return json.load(response)

    def whispers(self, person="alice"):
        return self.seen("whispers", user=self.people[person])

    def views(self, person="alice", kind="modal"):
        """As they stand now, the latest opened last."""
        found = [view for view in self.seen("views", user=self.people[person]) if view["type"] == kind]
        return [view | {"id": view["view_id"]} for view in found]

    def response_url(self):
        return f"{self.api}/response/{next(self._numbers)}"

    def answers(self, response_url, count=1):
        """What was sent to a response URL, once that much was."""
        name = response_url.rpartition("/")[2]
        return until(lambda: len(found := self.seen("responses", name=name)) >= count and found)

    # -- as Slack itself
    def post(self, body, headers):
        """Any request at all to the bot; the status and the body that came back."""
        request = urllib.request.Request(f"{self.ours}/slack/events", body.encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def event(self, envelope):
        body = json.dumps(envelope)
        return self.post(body, signed(body))

    def form(self, form):
        """A command as it is, anything interactive under `payload`; what was answered, within three seconds."""
        body = urllib.parse.urlencode(form if "command" in form else {"payload": json.dumps(form)})
        started = time.monotonic()
        status, answered = self.post(body, signed(body, content_type=FORM))
        assert (status, time.monotonic() - started < 3) == (200, True), answered
        return json.loads(answered) if answered.startswith("{") else answered

    def as_here(self, payload, person="alice"):
        """The same payload, sent by somebody in this workspace."""
        user, team = self.people[person], self.team
        if "command" in payload:
            return payload | {"team_id": team, "user_id": user}
        who = {"team": payload["team"] | {"id": team}, "user": payload["user"] | {"id": user, "team_id": team}}
        return payload | who

    def mentioned(self, text, **fields):
        """The envelope of a mention that the emulator itself knows nothing of."""
        fields = {"channel": self.channels["klantenservice"], "user": self.people["alice"]} | fields
        envelope = mention(text, team_id=self.team, **fields)
        envelope["event"]["text"] = f"<@{self.bot}> {text}"
        envelope["authorizations"][0]["user_id"] = self.bot
        return envelope
