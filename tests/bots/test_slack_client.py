import asyncio
import logging
import threading

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from stub_slack import StubSlack, serving

from bots import slack_client
from bots.slack_client import make_client, socket_log
from core.settings import Settings


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    (calmly,) = socket_log.filters
    monkeypatch.setattr(calmly, "_said", {})


@pytest.fixture
def said(caplog):
    """What is logged of the socket: a line each, and whether a traceback goes with it."""
    return lambda: [(each.getMessage(), bool(each.exc_info)) for each in caplog.records if each.name == socket_log.name]


async def test_a_socket_that_slack_refuses_is_one_line_however_often_it_is_tried(said):
    tried, enough = [], threading.Event()

    def refuse(body):
        tried.append(body)
        if len(tried) == 4:
            enough.set()
        return "invalid_auth"

    with serving(StubSlack(apps_connections_open=refuse)) as api:
        web = make_client(Settings(slack_api_url=api), "xapp-1")
        socket = SocketModeClient("xapp-1", logger=socket_log, web_client=web, ping_interval=0.001)
        trying = asyncio.create_task(socket.connect())
        assert await asyncio.to_thread(enough.wait, 30)
        await socket.close()
        await trying
    assert said() == [("Slack does not connect us (invalid_auth). Check SLACK_APP_TOKEN.", False)]


def tell_of(error):
    """As slack_sdk does it."""

    def connect():
        raise error

    try:
        connect()
    except Exception:  # noqa: BLE001 - any that is given
        socket_log.exception("Failed to connect (error: %s); Retrying...", error)


def test_a_network_that_is_away_is_not_blamed_on_the_token(said):
    tell_of(TimeoutError("nobody answers"))
    assert said() == [("Slack does not connect us (TimeoutError). Check the network.", False)]


def test_another_reason_is_told_and_the_same_again_after_a_while(said, monkeypatch):
    tell_of(TimeoutError())
    tell_of(aiohttp.ClientPayloadError())
    tell_of(TimeoutError())
    assert len(said()) == 2
    monkeypatch.setattr(slack_client, "_TOLD_AGAIN", 0.0)
    tell_of(TimeoutError())
    assert len(said()) == 3


def test_what_is_wrong_with_our_own_code_keeps_its_traceback(said):
    tell_of(ZeroDivisionError("oops"))
    socket_log.error("something else")
    assert said() == [("Failed to connect (error: oops); Retrying...", True), ("something else", False)]


def test_nothing_that_people_write_is_logged():
    assert socket_log.getEffectiveLevel() >= logging.ERROR
