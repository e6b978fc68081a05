"""A Slack of somebody else's making, our real process beside it, and people who use both."""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port
from fake_slack import FORM, SECRET, mention, signed
from slack_sdk import WebClient

HERE = Path(__file__).parent
CLI = [sys.executable, "-m", "bots.cli"]
TOKEN = "xoxb-bijdehand"
PATIENCE = 20  # seconds after which something will not come any more
PEOPLE = ["alice", "bas", "carla"]  # Carla coaches
ARTICLES = {
    "verhuizing": """---
title: Verhuizing doorgeven
owner: Team Verhuizen
verified: 2026-01-01
---
## In het kort
Ja, tot 30 dagen later.

## Stappen
1. Vraag de nieuwe postcode.
2. Vraag het nieuwe huisnummer.
3. Vraag de datum van de sleutel.
4. Kies *Verhuizing* in Kompas.
5. Lees de datum hardop terug.
6. Stuur de bevestiging.

## Zo zeg je het
- "Ik zet het voor u klaar."
- "U krijgt een mail."

## Als het misgaat
1. Postcode onbekend: zoek op straat.

## Achtergrond
Daarom <!channel> en <@U9>.
""",
    "factuur": "---\ntitle: Factuur uitleggen\n---\n## Stappen\n1. Open Kompas.\n",
}


def until(look, *, within=PATIENCE):
    """What a look gives, as soon as it gives anything."""
    end = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.05)
    return found


@contextlib.contextmanager
def ended(process):
    """Whatever happens, this process ends."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


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


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory):
    """The settings of our process; nobody's own."""
    folder = tmp_path_factory.mktemp("e2e")
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("BIJDEHAND_", "SLACK_", "MICROSOFT_"))
    }
    ours = {"MODEL": "fake", "DATA": str(folder / "data"), "CACHE": str(folder / "cache"), "SLACK_FOLLOW_THREADS": "1"}
    made = own | {f"BIJDEHAND_{name}": value for name, value in ours.items()}
    (folder / "articles").mkdir()
    for name, text in ARTICLES.items():
        (folder / "articles" / f"{name}.md").write_text(text)
    for data in ("data", "data2"):
        for command in (["init", "--empty"], ["import", str(folder / "articles")]):
            there = made | {"BIJDEHAND_DATA": str(folder / data)}
            subprocess.run([*CLI, *command], env=there, cwd=folder, check=True, capture_output=True)
    return made, folder


@pytest.fixture(scope="session")
def manifest(surroundings):
    """What the app may do and hear: exactly what its manifest asks for."""
    environment, folder = surroundings
    command = [*CLI, "slack", "manifest", "--follow-threads"]
    return json.loads(subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True).stdout)


@pytest.fixture(scope="session")
def emulator(manifest):
    node = shutil.which("node")
    if not node:
        pytest.fail("Node.js is missing: these tests run a Slack emulator in it. Install Node 20 or later.")
    port = unused_port()
    asked = {"port": 0, "secret": SECRET, "token": TOKEN, "people": PEOPLE}
    asked |= {"events_url": f"http://127.0.0.1:{port}/slack/events"}
    asked |= {"scopes": manifest["oauth_config"]["scopes"]["bot"]}
    asked |= {"events": manifest["settings"]["event_subscriptions"]["bot_events"]}
    command = [node, str(HERE / "slack_emulator.mjs"), json.dumps(asked)]
    with ended(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)) as process:
        line = process.stdout.readline()
        assert line, "The emulator did not start; run `make e2e`, which installs it."
        yield json.loads(line) | {"bot_port": port}


@contextlib.contextmanager
def served(environment, folder, emulator, port, **settings):
    """Our real process on this port; where it writes what it has to say."""
    log = folder / f"{port}.log"
    slack = {"SLACK_API_URL": f"http://127.0.0.1:{emulator['port']}/api/", "SLACK_SIGNING_SECRET": SECRET}
    ports = {"BIJDEHAND_PORT": str(port), "BIJDEHAND_WEB_PORT": "0", "PYTHONUNBUFFERED": "1"}
    with log.open("w") as out:
        command, made = [*CLI, "serve"], environment | slack | ports | settings
        serving = subprocess.Popen(command, env=made, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        with ended(serving):
            until(lambda: "is listening" in log.read_text() or serving.poll() is not None)
            assert serving.poll() is None, log.read_text()
            yield log


@pytest.fixture(scope="session")
def workspace(surroundings, emulator):
    """The workspace, served by a process that has its token."""
    environment, folder = surroundings
    coach = ["people", "add", "slack", emulator["people"]["carla"], "--team", emulator["team"], "--role", "coach"]
    subprocess.run([*CLI, *coach], env=environment, cwd=folder, check=True, capture_output=True)
    with served(environment, folder, emulator, emulator["bot_port"], SLACK_BOT_TOKEN=TOKEN) as log:
        yield Workspace(emulator, emulator["bot_port"], log)


@pytest.fixture(scope="session")
def shared(surroundings, emulator):
    """The same workspace, and a process with no token but those of whoever adds it to Slack."""
    environment, folder = surroundings
    port, own = unused_port(), {"BIJDEHAND_DATA": str(folder / "data2"), "SLACK_TEAMS": emulator["team"]}
    own |= {"SLACK_CLIENT_ID": emulator["client_id"], "SLACK_CLIENT_SECRET": "s"}
    with served(environment, folder, emulator, port, **own) as log:
        yield Workspace(emulator, port, log)
