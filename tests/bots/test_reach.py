import asyncio
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from conftest import TODAY, article
from hypothesis import given
from hypothesis import strategies as st
from stub_slack import HISTORY, LEAST, PUBLIC, WHO, StubSlack, serving

from bots.reach import Channel, check_slack, check_teams, explain, explain_slack
from core.doctor import State
from core.model import Place
from core.secrets import Secrets
from core.settings import Settings
from core.store import Installation

TEAMS = {"teams_app_id": "11111111-2222", "teams_app_password": "p", "teams_tenant_id": "t"}
SHARED = {"slack_bot_token": "", "slack_client_id": "1.2", "slack_client_secret": "c", "slack_teams": "T9"}


def slack(api, **over):
    return Settings(**{"slack_bot_token": "xoxb-1", "slack_signing_secret": "s", "slack_api_url": api} | over)


def checked(stub, **over):
    """What `doctor` finds, by name."""
    with serving(stub) as api:
        return {check.name: check for check in check_slack(slack(api, **over))}


def states(checks):
    return {check.name: check.state for check in checks}


# -- doctor ----------------------------------------------------------------------------------------------------------
def test_slack_is_asked_who_we_are_and_what_we_may_do():
    found = checked(StubSlack())
    assert (found["slack"].state, found["slack"].found) == (State.OK, "connected as bijdehand in Kievit")
    assert (found["scopes"].state, found["scopes"].found) == (State.OK, "all it needs")
    assert "socket" not in found


def test_what_slack_has_against_us_is_passed_on():
    found = checked(StubSlack(auth_test="invalid_auth"))
    assert list(found) == ["slack"]
    check = found["slack"]
    assert (check.state, "invalid_auth" in check.found, "SLACK_BOT_TOKEN" in check.todo) == (State.FAIL, True, True)


@pytest.mark.parametrize("scope", sorted(LEAST))
def test_a_missing_scope_is_named_with_what_it_is_for_and_how_to_mend_it(scope):
    check = checked(StubSlack(LEAST - {scope}))["scopes"]
    assert check.state is State.FAIL
    assert check.found.startswith(f"without {scope} it cannot ")
    assert "bijdehand slack manifest" in check.todo
    assert [other for other in LEAST if f"without {other} " in check.found] == [scope]


def test_more_than_the_least_is_not_held_against_anybody():
    stub = StubSlack(LEAST | HISTORY | {"assistant:write", "files:read"})
    check = checked(stub, slack_follow_threads=True)["scopes"]
    assert (check.state, check.found) == (State.OK, "all it needs, agent-view, follow-threads")


def test_a_permission_to_read_channels_that_is_not_used_is_a_warning():
    check = checked(StubSlack(LEAST | {"groups:history"}))["scopes"]
    assert (check.state, "groups:history" in check.found) == (State.WARN, True)
    assert "BIJDEHAND_SLACK_FOLLOW_THREADS" in check.todo


@pytest.mark.parametrize(
    ("setting", "scope"),
    [
        ({"slack_follow_threads": True}, "channels:history"),
        ({"slack_coach_group": "S0COACH"}, "usergroups:read"),
        ({"slack_admin_group": "S0ADMIN"}, "usergroups:read"),
    ],
)
def test_a_scope_that_a_setting_wants_must_be_there(setting, scope):
    check = checked(StubSlack(), **setting)["scopes"]
    assert (check.state, scope in check.found) == (State.FAIL, True)


def test_where_slack_tells_no_scopes_none_are_found_missing():
    assert "scopes" not in checked(StubSlack(scopes=()))


def test_socket_mode_is_tried_with_its_own_token():
    stub = StubSlack()
    assert checked(stub, slack_app_token="xapp-1")["socket"].state is State.OK
    assert ("apps.connections.open", "xapp-1") in [(method, token) for method, token, _ in stub.calls]


def test_a_socket_that_slack_refuses_is_a_failure_of_its_own():
    found = checked(StubSlack(apps_connections_open="not_allowed_token_type"), slack_app_token="xoxb-1")
    assert (found["slack"].state, found["socket"].state) == (State.OK, State.FAIL)
    assert "SLACK_APP_TOKEN" in found["socket"].todo


@pytest.mark.parametrize("token", ["xoxp-1", "xapp-1", "nonsense"])
def test_a_token_that_is_not_a_bots_is_not_tried(token):
    stub = StubSlack()
    check = checked(stub, slack_bot_token=token)["slack"]
    assert (check.state, stub.calls) == (State.FAIL, [])


def test_a_slack_that_is_not_there_is_named():
    (check,) = check_slack(slack(f"http://127.0.0.1:{unused_port()}/api/"))
    assert (check.state, "127.0.0.1" in check.found) == (State.FAIL, True)


def test_an_address_that_is_none_is_a_sentence():
    (check,) = check_slack(slack("nowhere"))
    assert check.state is State.FAIL


def test_a_token_without_a_way_in_fails():
    assert states(check_slack(slack("http://127.0.0.1:9/", slack_signing_secret=""))) == {"slack": State.FAIL}


def test_what_is_not_configured_is_off():
    assert states([*check_slack(Settings()), check_teams(Settings())]) == {"slack": State.OFF, "teams": State.OFF}


def test_where_many_workspaces_install_us_slack_must_be_within_reach():
    assert checked(StubSlack(), **SHARED)["slack"].state is State.OK
    assert states(check_slack(slack(f"http://127.0.0.1:{unused_port()}/", **SHARED))) == {"slack": State.FAIL}


def test_that_nobody_may_add_us_yet_is_a_warning():
    check = checked(StubSlack(), **SHARED | {"slack_teams": ""})["slack"]
    assert (check.state, "SLACK_TEAMS" in check.todo) == (State.WARN, True)


@pytest.mark.parametrize("missing", ["slack_client_secret", "slack_signing_secret"])
def test_half_of_what_installing_needs_is_a_failure(missing):
    (check,) = check_slack(slack("http://127.0.0.1:9/", **SHARED | {missing: ""}))
    assert (check.state, missing.upper() in check.todo) == (State.FAIL, True)


@pytest.mark.parametrize("over", [{}, SHARED | {"slack_client_secret": "hidden"}])
def test_no_secret_is_shown(over):
    settings = slack(f"http://127.0.0.1:{unused_port()}/", **{"slack_bot_token": "xoxb-hidden"} | TEAMS | over)
    shown = repr(check_slack(settings)) + repr(check_teams(settings, keys_url=f"http://127.0.0.1:{unused_port()}/"))
    assert "hidden" not in shown


# -- explain ---------------------------------------------------------------------------------------------------------
PRIVATE = PUBLIC | {"is_private": True}
GROUP = {"name": "mpdm-1", "is_mpim": True, "is_private": True}


def channel(shown=PUBLIC, *, scopes=LEAST, channel_id="C1", articles=1, **values):
    return Channel(channel_id, scopes, shown, articles=articles, **values)


@pytest.mark.parametrize(
    ("seen", "name", "state", "words"),
    [
        (channel(), "channel", State.OK, "#support"),
        (channel(PUBLIC | {"is_member": False}), "channel", State.FAIL, "/invite @bijdehand"),
        (channel(PUBLIC | {"is_archived": True}), "channel", State.FAIL, "archived"),
        (channel({}, refusal="channel_not_found"), "channel", State.FAIL, "/invite @bijdehand"),
        (channel({}, refusal="missing_scope"), "channel", State.WARN, "--channels"),
        (channel({}, refusal="ratelimited"), "channel", State.FAIL, "ratelimited"),
        (channel({}, channel_id="D1"), "channel", State.OK, "direct message"),
        (channel(), "threads", State.OFF, "without channels:history"),
        (channel(PRIVATE), "threads", State.OFF, "without groups:history"),
        (channel({}, refusal="missing_scope"), "threads", State.OFF, "channels:history or groups:history"),
        (channel(PRIVATE, scopes=LEAST | {"channels:history"}), "threads", State.OFF, "without groups:history"),
        (channel(scopes=LEAST | HISTORY), "threads", State.OK, "message.channels"),
        (channel(GROUP), "threads", State.OK, "follow-ups"),
        (channel(), "unasked", State.OFF, "/ask here on"),
        (channel(listens=True), "unasked", State.WARN, "--channels"),
        (channel(scopes=LEAST | HISTORY, listens=True), "unasked", State.OK, "when it is sure"),
        (channel(articles=0), "articles", State.FAIL, "bijdehand import"),
        (channel(), "rules", State.OK, "15 minutes"),
    ],
)
def test_each_reason_to_be_silent_has_its_line(seen, name, state, words):
    check = {check.name: check for check in explain(seen)}[name]
    assert (check.state, words in f"{check.found} {check.todo}") == (state, True)


@given(
    shown=st.sampled_from([{}, PUBLIC, PRIVATE, GROUP])
    | st.fixed_dictionaries({}, optional=dict.fromkeys(PRIVATE | GROUP, st.booleans()) | {"name": st.text()}),
    scopes=st.sets(st.sampled_from(sorted(LEAST | HISTORY))),
    refusal=st.sampled_from(["", "missing_scope", "channel_not_found", "internal_error"]),
    listens=st.booleans(),
    articles=st.integers(0, 2),
    channel_id=st.sampled_from(["C1", "G1", "D1"]),
)
def test_whatever_is_seen_it_promises_no_more_than_reaches_us(shown, scopes, refusal, listens, articles, channel_id):
    shown = {} if refusal or channel_id == "D1" else shown
    found = {check.name: check for check in explain(Channel(channel_id, scopes, shown, refusal, listens, articles))}
    assert {"channel", "rules"} <= set(found)
    assert all(check.todo for check in found.values() if check.state is State.WARN)
    heard = {"mpim:history"} if shown.get("is_mpim") else HISTORY
    if "threads" in found and found["threads"].state is State.OK:
        assert scopes & heard
    if "unasked" in found and found["unasked"].state is State.OK:
        assert listens
        assert scopes & heard
    if found["channel"].state is State.FAIL:
        assert not {"threads", "unasked"} & set(found)


def explained(stub, store, channel_id="C1", *, team="", enterprise="", **over):
    with serving(stub) as api:
        checks = explain_slack(slack(api, **over), store, channel_id, now=TODAY, team=team, enterprise=enterprise)
    return {check.name: check for check in checks}


def in_channel(scopes=LEAST | HISTORY | {"channels:read"}, **shown):
    return StubSlack(scopes, conversations_info={"channel": PUBLIC | {"id": "C1"} | shown})


def test_slack_is_asked_about_that_channel(store):
    stub = in_channel()
    assert explained(stub, store, "C42")["channel"].state is State.OK
    assert ("conversations.info", "C42") in [(method, body.get("channel")) for method, _, body in stub.calls]


def test_a_direct_message_needs_no_asking(store):
    stub = in_channel()
    assert explained(stub, store, "D1")["channel"].state is State.OK
    assert [method for method, _, _ in stub.calls] == ["auth.test"]


def test_what_the_channel_agreed_is_looked_up_under_our_workspace(store):
    store.set_place(Place("slack", "T1", "C1", listens=True))
    assert explained(in_channel(), store)["unasked"].state is State.OK
    assert explained(in_channel(), store, "C2")["unasked"].state is State.OFF
    assert explained(in_channel(), store, team="T2")["unasked"].state is State.OFF


def test_only_live_articles_count(store):
    from core.embed import FakeEmbedder
    from core.library import shelve

    assert explained(in_channel(), store)["articles"].state is State.FAIL
    shelve(store, FakeEmbedder(), [article("---\ntitle: Gas\nstatus: draft\n---\nGa naar buiten.\n")])
    assert explained(in_channel(), store)["articles"].state is State.FAIL
    shelve(store, FakeEmbedder(), [article("---\ntitle: Gas\n---\nGa naar buiten.\n")])
    assert "articles" not in explained(in_channel(), store)


def test_a_missing_scope_explains_silence_too(store):
    assert explained(in_channel(LEAST - {"app_mentions:read"}), store)["scopes"].state is State.FAIL


def test_a_bad_token_is_the_only_line(store):
    assert states(explained(StubSlack(auth_test="account_inactive"), store).values()) == {"slack": State.FAIL}


def test_a_channel_that_slack_refuses_is_explained(store):
    stub = StubSlack(conversations_info="missing_scope")
    assert explained(stub, store)["channel"].state is State.WARN


def test_without_slack_there_is_nothing_to_explain(store):
    (check,) = explain_slack(Settings(), store, "C1", now=TODAY)
    assert check.state is State.OFF


@pytest.mark.parametrize(("enterprise", "team"), [("", "T9"), ("E1", "")])
def test_with_many_workspaces_each_is_asked_with_its_own_token(store, enterprise, team):
    given = {"bot_token": "xoxb-of-T9", "bot_user_id": "U0BOT", "bot_id": "B0BOT", "team": "Kievit"}
    secret = Secrets(Settings()).seal(json.dumps(given))
    store.save_installation(Installation("slack", enterprise, team, secret, TODAY))
    store.set_place(Place("slack", "T9", "C1", listens=True))
    stub = in_channel()
    stub.says["auth.test"] = WHO | {"team_id": "E1"}  # as for a whole organisation
    found = explained(stub, store, team="T9", enterprise=enterprise, **SHARED)
    assert (found["slack"].state, found["unasked"].state) == (State.OK, State.OK)
    assert {token for _, token, _ in stub.calls} == {"xoxb-of-T9"}


@pytest.mark.parametrize("team", ["", "T8"])
def test_a_workspace_that_has_not_installed_it_is_told_how(store, team):
    found = explained(in_channel(), store, team=team, **SHARED)
    assert (list(found), found["slack"].state, "--team" in found["slack"].todo) == (["slack"], State.FAIL, True)


# -- Teams -----------------------------------------------------------------------------------------------------------
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
