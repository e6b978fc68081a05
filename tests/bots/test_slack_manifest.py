"""The manifest asks for what the code needs, for nothing else, and in a form that Slack takes."""

import ast
import copy
import inspect
import itertools
import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from slack_sdk import WebClient

from bots import slack_manifest
from bots.slack import SlackSurface
from bots.slack_install import Installs
from bots.slack_manifest import EVENTS, METHODS, SCOPES, Extra, bot_scopes, extras_of, manifest, needed
from core.secrets import Secrets
from core.settings import Settings

BOTS = Path(slack_manifest.__file__).parent
ASKING = sorted([*BOTS.glob("slack*.py"), *BOTS.glob("reach*.py")])
SCHEMA = json.loads(Path(__file__).with_name("slack_manifest.schema.json").read_text(encoding="utf-8"))
URL = "https://bijdehand.example"
ALL = frozenset(Extra)
SOME = [frozenset(some) for size in range(len(Extra) + 1) for some in itertools.combinations(Extra, size)]
OF_APP_TOKEN = {"connections:write"}

# From Slack's reference: the scope that an event needs. Those not named need none.
FOR_EVENT = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
}
# What Bolt calls on our behalf.
BY_BOLT = {
    "AsyncSocketModeHandler": {"apps.connections.open"},
    "AsyncOAuthFlow": {"oauth.v2.access", "auth.test"},
    "set_status": {"assistant.threads.setStatus"},
    "set_suggested_prompts": {"assistant.threads.setSuggestedPrompts"},
}
_CALLS = re.compile(r"""api_call\(\s*["']([\w.]+)["']""")


def calls(source):
    """The Web API methods that a module calls: by the client's own methods, through `api_call`, or by way of Bolt."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and inspect.isfunction(method := getattr(WebClient, node.attr, None)):
            found |= set(_CALLS.findall(inspect.getsource(method)))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "api_call":
            found.add(node.args[0].value)  # a name that is not written out cannot be checked, and fails here
        if isinstance(node, ast.Name | ast.arg):
            found |= BY_BOLT.get(getattr(node, "id", None) or getattr(node, "arg", ""), set())
    return found


CALLED = set().union(*(calls(path.read_text(encoding="utf-8")) for path in ASKING))


def scopes_of(made):
    return set(made["oauth_config"]["scopes"]["bot"])


def events_of(made):
    return set(made["settings"]["event_subscriptions"]["bot_events"])


def problems(made):
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(made)]


# -- the least -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("source", "method"),
    [
        ("await client.admin_users_list()", "admin.users.list"),
        ("partial(self._client.chat_postMessage, channel=channel)", "chat.postMessage"),
        ("await client.api_call('apps.event.authorizations.list')", "apps.event.authorizations.list"),
        ("def listener(ack, set_status): pass", "assistant.threads.setStatus"),
        ("AsyncSocketModeHandler(app, token)", "apps.connections.open"),
    ],
)
def test_a_call_is_noticed_however_it_is_made(source, method):
    assert calls(source) == {method}


def test_a_call_whose_name_is_made_up_on_the_way_is_refused():
    with pytest.raises(AttributeError):
        calls("client.api_call(prefix + name)")


@pytest.mark.parametrize("method", sorted(CALLED))
def test_every_method_that_is_called_is_known_with_its_scopes(method):
    assert method in METHODS


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_known_method_is_called_somewhere(method):
    assert method in CALLED


@pytest.mark.parametrize("method", sorted(METHODS))
def test_what_a_method_needs_can_be_had(method):
    assert set(METHODS[method]) <= scopes_of(manifest("nl", extras=ALL)) | OF_APP_TOKEN


@pytest.mark.parametrize("extras", SOME, ids=lambda extras: "+".join(sorted(extras)) or "least")
def test_no_scope_is_asked_for_that_nothing_needs(extras):
    made = manifest("nl", extras=extras)
    for_calls = {scope for method in CALLED for scope in METHODS.get(method, ())}
    for_events = {FOR_EVENT.get(event) for event in events_of(made)}
    assert made["features"]["slash_commands"]
    assert scopes_of(made) <= for_calls | for_events | {"commands"}


def test_the_least_is_this_and_no_more():
    made = manifest("nl")
    least = {"app_mentions:read", "chat:write", "commands", "im:history", "mpim:history", "users:read"}
    assert scopes_of(made) == least
    assert not {"message.channels", "message.groups"} & events_of(made)


@pytest.mark.parametrize(
    ("extra", "scopes", "events"),
    [
        (Extra.AGENT_VIEW, {"assistant:write"}, set()),
        (Extra.FOLLOW_THREADS, {"channels:history", "groups:history"}, {"message.channels", "message.groups"}),
        (
            Extra.CHANNELS,
            {"channels:history", "groups:history", "channels:read", "groups:read"},
            {"message.channels", "message.groups"},
        ),
        (Extra.GROUPS, {"usergroups:read"}, set()),
    ],
)
def test_an_extra_adds_its_own_and_nothing_else(extra, scopes, events):
    least, more = manifest("nl"), manifest("nl", extras={extra})
    assert scopes_of(more) - scopes_of(least) == scopes
    assert events_of(more) - events_of(least) == events


@pytest.mark.parametrize("grant", [*SCOPES, *EVENTS], ids=lambda grant: grant.name)
def test_each_permission_has_its_reason(grant):
    assert len(grant.reason.split()) >= 3


@pytest.mark.parametrize(
    ("settings", "extras"),
    [
        ({}, set()),
        ({"slack_follow_threads": True}, {Extra.FOLLOW_THREADS}),
        ({"slack_coach_group": "S1"}, {Extra.GROUPS}),
        ({"slack_admin_group": "S1", "slack_follow_threads": True}, {Extra.GROUPS, Extra.FOLLOW_THREADS}),
    ],
)
def test_a_workspace_is_asked_for_what_the_settings_need(settings, extras):
    assert extras_of(Settings(**settings)) == extras
    wanted = scopes_of(manifest("nl", extras=extras | {Extra.AGENT_VIEW}))
    assert set(bot_scopes(Settings(**settings))) == wanted


# -- the form --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("extras", SOME, ids=lambda extras: "+".join(sorted(extras)) or "least")
@pytest.mark.parametrize("url", ["", URL])
@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_manifest_is_one_that_slack_takes(language, url, extras):
    assert problems(manifest(language, url=url, extras=extras)) == []


def path_to(made, path):
    for key in path[:-1]:
        made = made[key]
    return made, path[-1]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("display_information", "name"), "B" * 36),
        (("display_information", "description"), "B" * 141),
        (("display_information",), None),
        (("features", "shortcuts", 0, "name"), "B" * 25),
        (("features", "shortcuts", 0, "type"), "channel"),
        (("features", "shortcuts", 0, "callback_id"), None),
        (("features", "slash_commands", 0, "command"), "ask"),
        (("features", "slash_commands", 0, "url"), None),
        (("features", "slash_commands", 0, "url"), "http://bijdehand.example/slack/events"),
        (("features", "slash_commands", 0, "hint"), "no such field"),
        (("features", "agent_view", "agent_description"), "B" * 301),
        (("features", "agent_view", "suggested_prompts"), [{"title": "a", "message": "b"}] * 5),
        (("features", "agent_view", "suggested_prompts"), ["only a text"]),
        (("features", "assistant_view"), {"assistant_description": "of the old kind"}),
        (("features", "agent_view"), None),  # assistant:write without it
        (("features", "bot_user"), None),
        (("oauth_config", "scopes", "bot", 0), "app_mention:read"),
        (("oauth_config", "scopes", "bot", 0), "chat:write"),  # twice
        (("oauth_config", "scopes", "bot"), ["chat:write"]),  # events and commands without their scopes
        (("oauth_config", "redirect_urls", 0), "http://bijdehand.example/"),
        (("settings", "event_subscriptions", "bot_events", 0), "app_mentions"),
        (("settings", "event_subscriptions", "bot_events"), ["app_mention"]),  # too few for the agent view
        (("settings", "event_subscriptions", "request_url"), None),
        (("settings", "interactivity", "request_url"), None),
        (("settings", "interactivity", "is_enabled"), False),
        (("settings", "socket_mode_enabled"), "yes"),
    ],
)
def test_a_broken_manifest_is_noticed(path, value):
    made = copy.deepcopy(manifest("nl", url=URL, extras=ALL))
    where, key = path_to(made, path)
    if value is None:
        del where[key]
    else:
        where[key] = value
    assert problems(made)


@pytest.mark.parametrize("scope", sorted(set(FOR_EVENT.values()) | {"commands", "assistant:write"}))
def test_a_scope_that_is_left_out_is_noticed(scope):
    made = copy.deepcopy(manifest("nl", url=URL, extras=ALL))
    made["oauth_config"]["scopes"]["bot"].remove(scope)
    assert problems(made)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


# -- what the code goes by -------------------------------------------------------------------------------------------
def test_socket_mode_needs_no_address():
    made = manifest("nl", extras=ALL)
    assert "https://" not in json.dumps(made)
    assert made["settings"]["socket_mode_enabled"] is True
    assert manifest("nl", url=URL)["settings"]["socket_mode_enabled"] is False


def test_slack_is_sent_where_we_listen(store):
    made = manifest("nl", url=URL)
    assert made["settings"]["event_subscriptions"]["request_url"] == URL + SlackSurface.path
    assert made["settings"]["interactivity"]["request_url"] == URL + SlackSurface.path
    assert {command["url"] for command in made["features"]["slash_commands"]} == {URL + SlackSurface.path}
    settings = Settings(slack_client_id="1.2", slack_client_secret="c", slack_signing_secret="s")
    pages = [path for path, _ in Installs(settings, store, Secrets(settings), bot_scopes(settings)).routes()]
    assert made["oauth_config"]["redirect_urls"][0].removeprefix(URL) in pages


def test_people_read_their_own_language():
    dutch, english = (manifest(language, extras=ALL)["features"] for language in ("nl", "en"))
    assert dutch["shortcuts"][0]["name"] == "Zoek dit op"
    assert english["shortcuts"][0]["name"] == "Ask about this"
    assert dutch["agent_view"] != english["agent_view"]


def test_grants_without_extras_are_always_needed():
    assert set(needed(SCOPES)) == {scope for scope in SCOPES if not scope.extras}
    assert set(needed(EVENTS, ALL)) == set(EVENTS)
