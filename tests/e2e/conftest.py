"""Somebody else's Slack and somebody else's Teams, our real process beside each, and people who use them."""

import contextlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port
from fake_slack import SECRET
from playground import CARLA, TENANT, playground
from running import Surroundings, ended
from slack_workspace import PEOPLE, TOKEN, Workspace

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory):
    """The settings of our processes, and the folder they live in."""
    folder = tmp_path_factory.mktemp("e2e")
    return Surroundings(folder, BIJDEHAND_MODEL="fake", BIJDEHAND_CACHE=str(folder / "cache"))


@pytest.fixture(scope="session")
def node():
    """What somebody else's emulators run in."""
    return shutil.which("node") or pytest.fail(
        "Node.js is missing: these tests run emulators of Slack and Teams in it. Install Node 20 or later."
    )


# -- Slack ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def manifest(surroundings):
    """What the app may do and hear: exactly what its manifest asks for."""
    return json.loads(surroundings.run("slack", "manifest", "--follow-threads"))


@pytest.fixture(scope="session")
def emulator(node, manifest):
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


@pytest.fixture(scope="session")
def in_slack(emulator):
    """The settings that make our process one of this Slack's apps."""
    api = f"http://127.0.0.1:{emulator['port']}/api/"
    return {"SLACK_API_URL": api, "SLACK_SIGNING_SECRET": SECRET, "BIJDEHAND_SLACK_FOLLOW_THREADS": "1"}


@pytest.fixture(scope="session")
def workspace(surroundings, emulator, in_slack):
    """The workspace, served by a process that has its token."""
    data = surroundings.stocked("slack")
    coach = ["people", "add", "slack", emulator["people"]["carla"], "--team", emulator["team"], "--role", "coach"]
    surroundings.run(*coach, **data)
    with surroundings.serving(emulator["bot_port"], **in_slack, **data, SLACK_BOT_TOKEN=TOKEN) as log:
        yield Workspace(emulator, emulator["bot_port"], log)


@pytest.fixture(scope="session")
def shared(surroundings, emulator, in_slack):
    """The same workspace, and a process with no token but those of whoever adds it to Slack."""
    port, own = unused_port(), surroundings.stocked("slack-shared") | {"SLACK_TEAMS": emulator["team"]}
    own |= {"SLACK_CLIENT_ID": emulator["client_id"], "SLACK_CLIENT_SECRET": "s"}
    with surroundings.serving(port, **in_slack, **own) as log:
        yield Workspace(emulator, port, log)


# -- Teams ---------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def in_teams(surroundings, node, name, data):
    """A Teams that our process serves with what it keeps there."""
    port = unused_port()
    bot = f"http://127.0.0.1:{port}/api/messages"
    with (
        surroundings.serving(port, BIJDEHAND_TEAMS_WITHOUT_LOGIN="true", **data) as log,
        playground(node, surroundings.folder / f"{name}-playground", bot) as found,
    ):
        found.log, found.database = log, Path(data["BIJDEHAND_DATA"]) / "bijdehand.db"
        yield found


@pytest.fixture(scope="session")
def teams(surroundings, node):
    """A Teams where Carla coaches."""
    data = surroundings.stocked("teams")
    coach = ["people", "add", "teams", CARLA["aadObjectId"], "--team", TENANT, "--role", "coach"]
    surroundings.run(*coach, **data)
    with in_teams(surroundings, node, "teams", data) as found:
        yield found


@pytest.fixture(scope="session")
def unknowing(surroundings, node):
    """A Teams where nobody coaches and whose bot knows nothing that everybody may see."""
    data = surroundings.stocked("unknowing", {"geheim": "---\ntitle: Geheim\naudience: [directie]\n---\nNiets.\n"})
    with in_teams(surroundings, node, "unknowing", data) as found:
        yield found
