import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from fake_slack import FakeSlack

from bots.reach import check_slack, check_teams
from core.doctor import State
from core.settings import Settings

TEAMS = {"teams_app_id": "11111111-2222", "teams_app_password": "p", "teams_tenant_id": "t"}


def slack(api, **over):
    return Settings(**{"slack_bot_token": "xoxb-1", "slack_signing_secret": "s", "slack_api_url": api} | over)


async def test_slack_is_asked_who_we_are():
    async with FakeSlack() as fake:
        check = await asyncio.to_thread(check_slack, slack(fake.api))
    assert (check.state, check.found) == (State.OK, "connected as bijdehand in Kievit")


async def test_what_slack_has_against_us_is_passed_on():
    async with FakeSlack() as fake:
        fake.refuse("auth.test", "invalid_auth")
        check = await asyncio.to_thread(check_slack, slack(fake.api))
    assert (check.state, "invalid_auth" in check.found, "SLACK_BOT_TOKEN" in check.todo) == (State.FAIL, True, True)


def test_a_slack_that_is_not_there_is_named():
    check = check_slack(slack(f"http://127.0.0.1:{unused_port()}/api/"))
    assert (check.state, "127.0.0.1" in check.found) == (State.FAIL, True)


def test_a_token_without_a_way_in_fails():
    assert check_slack(slack("http://127.0.0.1:9/", slack_signing_secret="")).state is State.FAIL


def test_what_is_not_configured_is_off():
    assert (check_slack(Settings()).state, check_teams(Settings()).state) == (State.OFF, State.OFF)


def test_teams_without_login_is_a_warning():
    assert check_teams(Settings(teams_without_login=True)).state is State.WARN


def test_a_single_tenant_bot_without_its_tenant_fails():
    assert check_teams(Settings(**TEAMS | {"teams_tenant_id": ""})).state is State.FAIL


def test_a_bot_without_its_password_fails():
    assert check_teams(Settings(**TEAMS | {"teams_app_password": ""})).state is State.FAIL
    assert "PASSWORD" in check_teams(Settings(**TEAMS | {"teams_app_password": ""})).found


async def test_the_signing_keys_of_teams_must_be_within_reach():
    app = web.Application()

    async def keys(request):
        return web.json_response({})

    app.router.add_get("/keys", keys)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    check = await asyncio.to_thread(check_teams, Settings(**TEAMS), keys_url=str(server.make_url("/keys")))
    await server.close()
    assert check.state is State.OK
    gone = await asyncio.to_thread(check_teams, Settings(**TEAMS), keys_url=f"http://127.0.0.1:{unused_port()}/keys")
    assert gone.state is State.FAIL


@pytest.mark.parametrize("check", [check_slack, check_teams])
def test_no_secret_is_shown(check):
    settings = slack(f"http://127.0.0.1:{unused_port()}/", slack_bot_token="xoxb-hidden", **TEAMS)
    shown = repr(check_slack(settings)) + repr(check_teams(settings, keys_url=f"http://127.0.0.1:{unused_port()}/"))
    assert "hidden" not in shown
