import json
import shlex

import pytest
from aiohttp.test_utils import unused_port
from conftest import TODAY, article
from hypothesis import given, settings
from hypothesis import strategies as st
from stub_slack import HISTORY, LEAST, PUBLIC, WHO, StubSlack, serving
from typer.testing import CliRunner

from bots import cli
from bots.reach_channel import Channel, explain, explain_slack
from bots.reach_slack import check_slack
from bots.slack_manifest import SCOPES, Extra, needed
from core.doctor import State
from core.errors import SettingsError, StoreError
from core.model import Place
from core.secrets import Secrets
from core.settings import Settings, read_settings
from core.store import Installation
from core.store.sqlite import open_store

SHARED = {"slack_bot_token": "", "slack_client_id": "1.2", "slack_client_secret": "c", "slack_teams": "T9"}
SOCKET = {"slack_app_token": "xapp-1"}
SECRET = "0123456789abcdef" * 2
READ = {"channels:read", "groups:read"}


def slack(api, **over):
    return Settings(**{"slack_bot_token": "xoxb-1", "slack_signing_secret": SECRET, "slack_api_url": api} | over)


def no_store():
    raise StoreError("there is none")


def looked(settings):
    return check_slack(settings, no_store)


def checked(stub, open_store=no_store, **over):
    """What `doctor` finds, by name."""
    with serving(stub) as api:
        return {check.name: check for check in check_slack(slack(api, **over), open_store)}


def states(checks):
    return {check.name: check.state for check in checks}


def made_by(advice):
    """The manifest that a piece of advice leads to."""
    _, found, command = advice.partition("bijdehand slack manifest")
    options = shlex.split(command.partition(";")[0])
    assert found
    result = CliRunner().invoke(cli.app, ["slack", "manifest", *options])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


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


def scopes_of(made):
    return set(made["oauth_config"]["scopes"]["bot"])


@pytest.mark.parametrize("agent_view", [set(), {"assistant:write"}], ids=["without agent view", "with"])
@pytest.mark.parametrize("way", [{}, SOCKET], ids=["http", "socket"])
@pytest.mark.parametrize("channels", [set(), READ], ids=["threads", "channels"])
def test_the_advice_makes_the_same_app_again_with_what_it_lacked(channels, way, agent_view):
    wanted = LEAST | HISTORY | agent_view | channels
    stub = StubSlack(wanted - {"groups:history", "users:read"})
    todo = checked(stub, slack_follow_threads=True, **way)["scopes"].todo
    made = made_by(todo)
    assert scopes_of(made) == wanted
    assert ("agent_view" in made["features"]) == bool(agent_view)
    assert made["settings"]["socket_mode_enabled"] == bool(way)
    assert ("https://your.host" in todo) != bool(way)


@pytest.mark.parametrize(
    ("setting", "scopes"),
    [({"slack_follow_threads": True}, HISTORY), ({"slack_coach_group": "S0COACH"}, {"usergroups:read"})],
)
def test_the_advice_brings_what_a_setting_wants(setting, scopes):
    made = made_by(checked(StubSlack(LEAST | {"assistant:write"}), **setting)["scopes"].todo)
    assert scopes_of(made) == LEAST | scopes | {"assistant:write"}


def test_a_workspace_that_added_us_itself_is_not_told_to_reinstall_the_app(store):
    installed(store, team="T9")
    todo = explained(StubSlack(LEAST - {"users:read"}), store, team="T9", **SHARED)["scopes"].todo
    assert "/slack/install" in todo


def test_what_an_extra_brings_is_not_held_against_anybody():
    stub = StubSlack(LEAST | HISTORY | READ | {"assistant:write"})
    check = checked(stub, slack_follow_threads=True)["scopes"]
    assert (check.state, check.found) == (State.OK, "all it needs, agent-view, follow-threads, channels")


@pytest.mark.parametrize("scope", ["usergroups:read", "files:read", "chat:write.public", "groups:history"])
def test_a_permission_that_is_not_used_is_a_warning_and_goes_with_the_manifest_of_the_advice(scope):
    check = checked(StubSlack(LEAST | READ | {scope}))["scopes"]
    assert (check.state, check.found) == (State.WARN, f"it may do more than it uses ({scope})")
    assert ("BIJDEHAND_SLACK_FOLLOW_THREADS" in check.todo) == (scope in HISTORY)
    assert scope not in scopes_of(made_by(check.todo))


@given(
    granted=st.sets(st.sampled_from(sorted({scope.name for scope in SCOPES} | {"files:read"}))),
    extras=st.sets(st.sampled_from([Extra.FOLLOW_THREADS, Extra.GROUPS])),
)
@settings(max_examples=25)
def test_whatever_it_has_what_is_missing_or_idle_is_named(granted, extras):
    from bots.reach_slack import check_scopes

    ours = Settings(
        slack_follow_threads=Extra.FOLLOW_THREADS in extras, slack_coach_group="S1" if Extra.GROUPS in extras else ""
    )
    missing = {scope.name for scope in needed(SCOPES, extras)} - granted
    idle = granted - {scope.name for scope in needed(SCOPES, {*extras, Extra.AGENT_VIEW})} - READ
    for check in check_scopes(granted, ours):
        assert (check.state is State.FAIL) == bool(missing)
        assert (check.state is State.OK) == (not missing and not idle)
        assert all(name in check.found for name in missing or idle)


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
    assert checked(stub, **SOCKET)["socket"].state is State.OK
    assert ("apps.connections.open", "xapp-1") in [(method, token) for method, token, _ in stub.calls]


def test_a_socket_that_slack_refuses_is_a_failure_of_its_own():
    found = checked(StubSlack(apps_connections_open="invalid_auth"), **SOCKET)
    assert (found["slack"].state, found["socket"].state) == (State.OK, State.FAIL)
    assert "SLACK_APP_TOKEN" in found["socket"].todo


@pytest.mark.parametrize("token", ["xoxb-2", "xoxp-1", "nonsense", "xapp-1\u2026"])
def test_what_cannot_be_an_app_level_token_is_not_tried(token):
    stub = StubSlack()
    check = checked(stub, slack_app_token=token)["socket"]
    assert (check.state, "SLACK_APP_TOKEN" in check.found) == (State.FAIL, True)
    assert "apps.connections.open" not in [method for method, _, _ in stub.calls]


def test_tokens_that_were_swapped_are_recognised():
    stub = StubSlack()
    check = checked(stub, slack_bot_token="xapp-1", slack_app_token="xoxb-1")["slack"]
    assert (check.state, "swapped" in check.found, stub.calls) == (State.FAIL, True, [])


@pytest.mark.parametrize("token", ["xoxb-1\u2026", "xoxb-1 2", "xoxb-\u00e91"])
def test_a_token_with_a_character_that_none_has_is_to_be_copied_again(token):
    stub = StubSlack()
    check = checked(stub, slack_bot_token=token)["slack"]
    assert (check.state, stub.calls) == (State.FAIL, [])
    assert check.found == "SLACK_BOT_TOKEN holds a character that no token has"


@pytest.mark.parametrize("secret", ["geheim", SECRET[1:], SECRET.upper(), SECRET + "0", "xoxb-1"])
def test_a_signing_secret_that_cannot_be_one_is_a_warning(secret):
    check = checked(StubSlack(), slack_signing_secret=secret)["signing"]
    assert (check.state, "SLACK_SIGNING_SECRET" in check.found) == (State.WARN, True)
    assert secret not in f"{check.found} {check.todo}"


def test_a_signing_secret_that_can_be_one_is_not_worth_a_line():
    assert "signing" not in checked(StubSlack())
    assert "signing" not in checked(StubSlack(), slack_signing_secret="", **SOCKET)


# -- user groups -----------------------------------------------------------------------------------------------------
GROUPED = {"slack_coach_group": "S1 S2", "slack_admin_group": "S2 S3"}


def groups(stub, **over):
    return checked(stub, **GROUPED | over).get("groups")


def with_groups(*scopes, **members):
    """A Slack with these user groups, or what it says of one."""

    def listed(body):
        found = members.get(body["usergroup"], "no_such_subteam")
        return found if isinstance(found, str) else {"users": found}

    return StubSlack(LEAST | {"usergroups:read", *scopes}, usergroups_users_list=listed)


def test_coaches_and_admins_in_user_groups_are_counted_once_each():
    check = groups(with_groups(S1=["U1", "U2"], S2=["U2", "U3"], S3=["U2"]))
    assert (check.state, check.found) == (State.OK, "3 coaches, 2 admins")


def test_one_is_not_many():
    check = groups(with_groups(S1=["U1"]), slack_coach_group="S1", slack_admin_group="")
    assert check.found == "1 coach"


def test_each_group_that_does_not_exist_is_named():
    check = groups(with_groups(S2=["U1"]))
    assert (check.state, check.found) == (State.FAIL, "S1: no_such_subteam; S3: no_such_subteam")
    assert "Copy group ID" in check.todo


def test_an_empty_group_is_a_warning():
    check = groups(with_groups(S1=["U1"], S2=[], S3=["U1"]))
    assert (check.state, check.found) == (State.WARN, "nobody is in S2")


def test_groups_are_asked_only_where_they_are_set_and_can_be():
    assert groups(with_groups(S1=["U1"]), slack_coach_group="", slack_admin_group="") is None
    stub = StubSlack(LEAST)
    assert groups(stub) is None
    assert "usergroups.users.list" not in [method for method, _, _ in stub.calls]
    organisation = with_groups()
    organisation.says["auth.test"] = WHO | {"is_enterprise_install": True}  # Slack would want to know of which team
    assert groups(organisation) is None


# -- what is set -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["xoxp-1", "xapp-1", "nonsense"])
def test_a_token_that_is_not_a_bots_is_not_tried(token):
    stub = StubSlack()
    check = checked(stub, slack_bot_token=token)["slack"]
    assert (check.state, stub.calls) == (State.FAIL, [])


def test_a_slack_that_is_not_there_is_named():
    (check,) = looked(slack(f"http://127.0.0.1:{unused_port()}/api/"))
    assert (check.state, "127.0.0.1" in check.found) == (State.FAIL, True)


@pytest.mark.parametrize(
    "address", ["slack.com/api", "http://slack.com/api/", "nowhere", "https://", "http://127.0.0.1.nl"]
)
def test_an_address_that_tokens_may_not_go_to_is_refused(address, monkeypatch):
    monkeypatch.setenv("SLACK_API_URL", address)
    with pytest.raises(SettingsError, match=r"SLACK_API_URL is not right: .*https://"):
        read_settings()


@pytest.mark.parametrize("address", ["https://slack-gov.com/api", "http://127.0.0.1:9/api", "http://localhost/"])
def test_an_address_of_slack_or_of_a_test_is_taken(address):
    assert Settings(slack_api_url=address).slack_api_url == address.rstrip("/") + "/"


def test_a_token_without_a_way_in_fails():
    assert states(looked(slack("http://127.0.0.1:9/", slack_signing_secret=""))) == {"slack": State.FAIL}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"slack_app_token": "xapp-1"}, {"SLACK_BOT_TOKEN"}),
        ({"slack_signing_secret": SECRET}, {"SLACK_BOT_TOKEN"}),
        ({"slack_client_secret": "c"}, {"SLACK_CLIENT_ID", "SLACK_SIGNING_SECRET"}),
        ({"slack_client_id": "1.2", "slack_app_token": "xapp-1"}, {"SLACK_CLIENT_SECRET", "SLACK_SIGNING_SECRET"}),
    ],
)
def test_what_is_set_by_halves_is_a_failure_that_names_the_rest(given, missing):
    (check,) = looked(Settings(**given))
    assert check.state is State.FAIL
    assert {word for word in check.todo.split() if word.startswith("SLACK_")} == missing


def test_what_is_not_configured_is_off():
    assert states(looked(Settings())) == {"slack": State.OFF}


def installed(store, enterprise="", team=""):
    given = {"bot_token": "xoxb-of-T9", "bot_user_id": "U0BOT", "bot_id": "B0BOT", "team": "Kievit"}
    secret = Secrets(Settings()).seal(json.dumps(given))
    store.save_installation(Installation("slack", enterprise, team, secret, TODAY))


def test_where_many_workspaces_install_us_slack_must_be_within_reach():
    assert (
        checked(StubSlack(), **SHARED)["slack"].state is State.OK
    )  # what is wrong with the database is told elsewhere
    assert states(looked(slack(f"http://127.0.0.1:{unused_port()}/", **SHARED))) == {"slack": State.FAIL}


def test_it_is_told_which_workspaces_have_installed_us(store, tmp_path):
    path = tmp_path / "bijdehand.db"  # of that store

    def found():
        return checked(StubSlack(), lambda: open_store(path), **SHARED | {"slack_teams": "T1 E2 T3"})["slack"]

    assert (found().state, "/slack/install" in found().todo) == (State.WARN, True)
    installed(store, team="T1")
    assert (found().state, found().found) == (State.OK, "installed in T1; not yet in all of E2, T3")
    installed(store, enterprise="E2")
    installed(store, team="T3")
    assert (found().found, found().todo) == ("installed in T1, all of E2, T3", "")


def test_that_nobody_may_add_us_yet_is_a_warning():
    check = checked(StubSlack(), **SHARED | {"slack_teams": ""})["slack"]
    assert (check.state, "SLACK_TEAMS" in check.todo) == (State.WARN, True)


@pytest.mark.parametrize("missing", ["slack_client_secret", "slack_signing_secret"])
def test_half_of_what_installing_needs_is_a_failure(missing):
    (check,) = looked(slack("http://127.0.0.1:9/", **SHARED | {missing: ""}))
    assert (check.state, missing.upper() in check.todo) == (State.FAIL, True)


@pytest.mark.parametrize("over", [{}, SHARED | {"slack_client_secret": "hidden"}])
def test_no_secret_is_shown(over):
    ours = slack(f"http://127.0.0.1:{unused_port()}/", **{"slack_bot_token": "xoxb-hidden"} | over)
    assert "hidden" not in repr(looked(ours))


# -- explain ---------------------------------------------------------------------------------------------------------
PRIVATE = PUBLIC | {"is_private": True}
GROUP = {"name": "mpdm-1", "is_mpim": True, "is_private": True}


def channel(shown=PUBLIC, *, scopes=LEAST, channel_id="C1", articles=1, **values):
    return Channel(channel_id, scopes, shown, articles=articles, **values)


def by_name(seen, **over):
    return {check.name: check for check in explain(seen, Settings(**over))}


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
        (channel(GROUP), "threads", State.OK, "message.mpim"),
        (channel({"is_mpim": True}, refusal="missing_scope"), "channel", State.WARN, "group direct messages"),
        (channel(), "unasked", State.OFF, "/ask here on"),
        (channel(listens=True), "unasked", State.WARN, "--channels"),
        (channel(scopes=LEAST | HISTORY, listens=True), "unasked", State.OK, "when it is sure"),
        (channel(articles=0), "articles", State.FAIL, "bijdehand import"),
        (channel(), "rules", State.OK, "15 minutes"),
    ],
)
def test_each_reason_to_be_silent_has_its_line(seen, name, state, words):
    check = by_name(seen)[name]
    assert (check.state, words in f"{check.found} {check.todo}") == (state, True)


@pytest.mark.parametrize(
    ("seen", "name", "more"),
    [
        (channel(), "threads", HISTORY),
        (channel({}, refusal="missing_scope"), "channel", HISTORY | READ),
        (channel(listens=True), "unasked", HISTORY | READ),
        (channel(), "unasked", HISTORY | READ),
    ],
)
@pytest.mark.parametrize("way", [{}, SOCKET], ids=["http", "socket"])
def test_its_advice_makes_the_same_app_again_with_more(seen, name, more, way):
    made = made_by(by_name(seen, **way)[name].todo)
    assert scopes_of(made) == LEAST | more  # this app has no agent view, and does not get one
    assert made["settings"]["socket_mode_enabled"] == bool(way)


def test_workspaces_are_not_told_of_a_scope_that_they_are_not_asked_for():
    assert (
        "--channels"
        not in by_name(channel({}, refusal="missing_scope"), slack_signing_secret=SECRET, **SHARED)["channel"].todo
    )


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
    found = by_name(Channel(channel_id, scopes, shown, refusal, listens, articles))
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


def test_a_socket_or_a_secret_that_is_wrong_explains_silence_too(store):
    stub = in_channel()
    stub.says["apps.connections.open"] = "invalid_auth"
    found = explained(stub, store, slack_signing_secret="geheim", **SOCKET)
    assert (found["socket"].state, found["signing"].state) == (State.FAIL, State.WARN)
    assert states(explained(in_channel(), store, **SOCKET).values())["socket"] is State.OK


def test_a_bad_token_is_the_only_line(store):
    assert states(explained(StubSlack(auth_test="account_inactive"), store).values()) == {"slack": State.FAIL}


def test_a_channel_that_slack_refuses_is_explained(store):
    stub = StubSlack(conversations_info="missing_scope")
    assert explained(stub, store)["channel"].state is State.WARN


def test_a_group_direct_message_is_not_shown_for_all_the_scopes_that_there_are(store):
    stub = StubSlack(LEAST | READ, conversations_info="missing_scope")
    found = explained(stub, store, "G1")
    assert (found["channel"].state, "group direct messages" in found["channel"].found) == (State.WARN, True)
    assert "--channels" not in found["channel"].todo
    assert found["threads"].state is State.OK  # mpim:history is one of the least


@pytest.mark.parametrize("given", [{}, {"slack_app_token": "xapp-1"}])
def test_that_slack_is_not_configured_is_why_it_is_silent(store, given):
    (check,) = explain_slack(Settings(**given), store, "C1", now=TODAY)
    assert check.state is State.FAIL


@pytest.mark.parametrize(("enterprise", "team"), [("", "T9"), ("E1", "")])
def test_with_many_workspaces_each_is_asked_with_its_own_token(store, enterprise, team):
    installed(store, enterprise, team)
    store.set_place(Place("slack", "T9", "C1", listens=True))
    stub = in_channel()
    stub.says["auth.test"] = WHO | {"team_id": "E1"}  # as for a whole organisation
    found = explained(stub, store, team="T9", enterprise=enterprise, **SHARED | {"slack_teams": "T9 E1"})
    assert (found["slack"].state, found["unasked"].state) == (State.OK, State.OK)
    assert {token for _, token, _ in stub.calls} == {"xoxb-of-T9"}


@pytest.mark.parametrize(("team", "words"), [("", "--team T…"), ("T8", "/slack/install")])
def test_a_workspace_that_is_not_known_is_told_how(store, team, words):
    installed(store, enterprise="E1")
    found = explained(in_channel(), store, team=team, **SHARED)
    assert (list(found), found["slack"].state, words in found["slack"].todo) == (["slack"], State.FAIL, True)
