import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request

import pytest
from conftest import make_desk
from typer.testing import CliRunner

from bots import cli, serve
from core.errors import SettingsError
from core.settings import Settings

SLACK = {"slack_bot_token": "xoxb-1", "slack_signing_secret": "s"}


@pytest.fixture
def environment(tmp_path):
    made = {
        "BIJDEHAND_MODEL": "fake",
        "BIJDEHAND_DATA": str(tmp_path / "data"),
        "BIJDEHAND_CACHE": str(tmp_path / "cache"),
        "BIJDEHAND_WEB_PORT": "0",
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "200",
    }
    assert CliRunner().invoke(cli.app, ["init", "--demo"], env=made).exit_code == 0
    return os.environ | made


@pytest.fixture
def served(environment):
    command = [sys.executable, "-m", "bots.cli", "serve"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Teams"):
            break
    yield process, "".join(lines)
    process.kill()
    process.communicate()


def test_it_says_where_it_listens_what_is_off_and_what_to_try(served):
    _, printed = served
    assert re.search(r"Web chat +http://127\.0\.0\.1:\d+/", printed)
    assert re.search(r"Slack +off", printed)
    assert "Try" in printed


def test_it_answers_and_stops_when_told(served):
    process, printed = served
    address = re.search(r"http://\S+", printed)[0]
    form = urllib.parse.urlencode({"q": "klant ruikt gas"}).encode()
    with urllib.request.urlopen(address + "ask", form, timeout=30) as response:
        assert "Klant ruikt gas" in response.read().decode()
    with urllib.request.urlopen(address + "readyz", timeout=30) as response:
        assert json.load(response)["articles"] > 50
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_the_public_listener_has_the_platforms_and_a_sign_of_life_and_nothing_else(store):
    found = serve.surfaces(make_desk(store), Settings(**SLACK))
    routes = {resource.canonical for resource in serve.public_app(found).router.resources()}
    assert routes == {"/healthz", "/slack/events"}


def test_a_platform_that_is_not_configured_is_not_there(store):
    assert serve.surfaces(make_desk(store), Settings()) == {}


async def test_a_port_that_is_taken_names_the_setting(store):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(web_port=taken.getsockname()[1])
        with pytest.raises(SettingsError, match="BIJDEHAND_WEB_PORT"):
            await serve.serve(make_desk(store), settings, tell=lambda line: None)
