import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from conftest import make_desk
from typer.testing import CliRunner

from bots import cli, serve
from core.errors import SettingsError, StoreError
from core.settings import Settings

THEIRS = "00000000-1111-1111-1111-111111111111"
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
        if "is listening" in line:
            break
    yield process, "".join(lines)
    process.kill()
    process.communicate()


def test_it_says_where_it_listens_what_is_off_and_what_to_try(served):
    _, printed = served
    assert re.search(r"Web chat +http://127\.0\.0\.1:\d+/", printed)
    assert re.search(r"Slack +off", printed)
    assert re.search(r"Teams +off.*\nBijdehand is listening\. Try: \S", printed)


def test_it_does_not_say_what_the_processor_is_capable_of(served):
    _, printed = served
    assert "faiss" not in printed


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


def slow_question(printed):
    """A connection whose request is begun and never ended, or only much later."""
    port = int(re.search(r"127\.0\.0\.1:(\d+)", printed)[1])
    slow = socket.create_connection(("127.0.0.1", port))
    slow.sendall(f"POST /ask HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 9\r\n\r\nq".encode())
    time.sleep(0.3)  # until it is being read
    return slow


def test_a_slow_connection_does_not_keep_it_from_stopping(served):
    process, printed = served
    with slow_question(printed):
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=3 * serve.STOP_WITHIN)
    assert process.returncode == 0


def test_told_twice_it_ends_at_once(served):
    process, printed = served
    with slow_question(printed):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=1)
    assert process.returncode == -signal.SIGINT


def test_the_public_listener_has_the_platforms_and_a_sign_of_life_and_nothing_else(store):
    found = serve.surfaces(make_desk(store), Settings(**SLACK))
    routes = {resource.canonical for resource in serve.public_app(found).router.resources()}
    assert routes == {"/healthz", "/slack/events"}


def test_a_platform_that_is_not_configured_is_not_there(store):
    assert serve.surfaces(make_desk(store), Settings()) == {}


def test_a_teams_that_somebody_began_to_configure_is_not_left_out_in_silence(store):
    settings = Settings(teams_app_password="s")
    with pytest.raises(SettingsError, match="MICROSOFT_APP_ID is not set") as caught:
        serve.surfaces(make_desk(store), settings)
    assert str(caught.value) == settings.teams_without_app


async def test_what_the_readme_has_an_admin_try_says_that_teams_is_there(store):
    given = {"teams_app_id": THEIRS, "teams_app_password": "s", "teams_tenant_id": THEIRS.replace("1", "2")}
    found = serve.surfaces(make_desk(store), Settings(**given))
    async with TestClient(TestServer(serve.public_app(found))) as client:
        assert (await client.post("/api/messages")).status == 415
    await found["Teams"].stop()


TOKEN, SECRET, SOCKET = SLACK["slack_bot_token"], {"slack_signing_secret": "s"}, {"slack_app_token": "xapp-1"}
SHARED = {"slack_client_id": "1.2", "slack_client_secret": "c"} | SECRET


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (SLACK, "on, http://pc/slack/events"),
        ({"slack_bot_token": TOKEN} | SOCKET, "on, through Socket Mode"),
        (SLACK | SOCKET, "on, through Socket Mode and http://pc/slack/events"),
        (SHARED | {"slack_teams": "T1"}, "on, http://pc/slack/events"),
        (SHARED, "on, http://pc/slack/events; no workspace may add it yet: name them in SLACK_TEAMS"),
    ],
)
def test_slack_is_said_to_reach_us_where_it_does(given, line):
    assert serve.on("Slack", "http://pc/slack/events", Settings(**given)) == line


def test_teams_is_said_to_reach_us_whatever_slack_does():
    assert serve.on("Teams", "http://pc/api/messages", Settings(**SHARED)) == "on, http://pc/api/messages"


async def test_what_is_printed_is_where_slack_reaches_us(store, monkeypatch):
    stop = asyncio.Event()
    stop.set()
    monkeypatch.setattr(serve, "_told_to_stop", lambda: stop)
    given = {"slack_bot_token": TOKEN, "slack_api_url": "http://127.0.0.1:9/"} | SOCKET
    told = []
    await serve.serve(make_desk(store), Settings(web_port=0, port=0, **given), tell=told.append)
    assert "Slack       on, through Socket Mode" in told


async def test_a_port_that_is_taken_names_the_setting(store):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(web_port=taken.getsockname()[1])
        with pytest.raises(SettingsError, match="BIJDEHAND_WEB_PORT"):
            await serve.serve(make_desk(store), settings, tell=lambda line: None)


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1", "[::1]", "a" * 64 + ".example", "a..b"])
async def test_a_host_that_is_not_ours_names_the_setting(store, host):
    settings = Settings(web_port=0, port=0, host=host, **SLACK)
    with pytest.raises(SettingsError, match="BIJDEHAND_HOST") as caught:
        await serve.serve(make_desk(store), settings, tell=lambda line: None)
    assert host in str(caught.value)
    assert "BIJDEHAND_PORT" not in str(caught.value)


async def test_nothing_is_said_to_listen_when_it_does_not(store):
    told = []
    with pytest.raises(SettingsError):
        await serve.serve(make_desk(store), Settings(web_port=0, host="192.0.2.1", **SLACK), tell=told.append)
    assert "listening" not in "".join(told)


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "http://127.0.0.1:80"), ("::1", "http://[::1]:80"), ("pc", "http://pc:80")]
)
def test_an_address_can_be_opened_as_it_is_printed(host, address):
    assert serve.address(host, 80) == address


async def test_whoever_holds_many_connections_keeps_only_others_of_that_listener_waiting(store, monkeypatch):
    monkeypatch.setattr(serve, "MAX_CONNECTIONS", 2)
    async with contextlib.AsyncExitStack() as stack:
        public = await serve._listen(stack, serve.public_app({}), "127.0.0.1", 0, "BIJDEHAND_PORT")
        local = await serve._listen(stack, serve.local_app(make_desk(store)), "127.0.0.1", 0, "BIJDEHAND_WEB_PORT")
        held = [await asyncio.open_connection("127.0.0.1", public) for _ in range(2)]
        session = await stack.enter_async_context(ClientSession())
        async with session.get(f"http://127.0.0.1:{public}/healthz") as response:
            assert response.status == 503
        async with session.get(f"http://127.0.0.1:{local}/") as response:
            assert response.status == 200
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.1)
        async with session.get(f"http://127.0.0.1:{public}/healthz") as response:
            assert response.status == 200


async def test_a_connection_that_asks_nothing_is_closed(monkeypatch):
    monkeypatch.setattr(serve, "IDLE", 0.05)
    async with contextlib.AsyncExitStack() as stack:
        port = await serve._listen(stack, web.Application(), "127.0.0.1", 0, "BIJDEHAND_PORT")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /slack/events HTTP/1.1\r\nX-Slow: ")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_figures_are_shown_to_this_machine_and_not_to_the_world(store):
    async with contextlib.AsyncExitStack() as stack:
        public = await serve._listen(stack, serve.public_app({}), "127.0.0.1", 0, "BIJDEHAND_PORT")
        local = await serve._listen(stack, serve.local_app(make_desk(store)), "127.0.0.1", 0, "BIJDEHAND_WEB_PORT")
        session = await stack.enter_async_context(ClientSession())
        async with session.get(f"http://127.0.0.1:{local}/metrics") as response:
            assert response.status == 200
            assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert "bijdehand_articles 0.0" in await response.text()
        async with session.get(f"http://127.0.0.1:{local}/metrics", headers={"Host": "evil.example"}) as response:
            assert response.status == 403
        async with session.get(f"http://127.0.0.1:{public}/metrics") as response:
            assert response.status == 404


async def test_what_is_old_is_erased_once_a_day_and_trouble_with_it_stops_nothing(store, monkeypatch, caplog):
    desk, swept, again = make_desk(store), [], threading.Event()

    def sweep(now):
        swept.append(now)
        if len(swept) == 1:
            raise StoreError("The disk is full.")
        again.set()
        return {}

    monkeypatch.setattr(store, "sweep", sweep)
    monkeypatch.setattr(serve, "_DAY", 0.01)
    sweeping = asyncio.ensure_future(serve._sweep(desk))
    assert await asyncio.to_thread(again.wait, 5)
    sweeping.cancel()
    assert "could not be erased" in caplog.text
