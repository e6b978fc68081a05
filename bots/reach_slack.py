"""Whether Slack is configured and within reach, and what our app may do there. None of it takes long."""

import http.client
import logging
import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from bots.reach import WITHIN, short
from bots.slack_manifest import SCOPES, Extra, extras_of, needed
from core.doctor import Check, State
from core.errors import BijdehandError
from core.settings import Settings
from core.store import Store

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.web import SlackResponse

HISTORY = {"channels:history", "groups:history"}
LOOKING = {"channels:read", "groups:read"}  # for `bijdehand slack explain`, which no setting speaks of
_TOKEN = re.compile(r"[!-~]+")
_SIGNING_SECRET = re.compile(r"[0-9a-f]{32}")


def check_slack(settings: Settings, open_store: Callable[[], Store]) -> list[Check]:
    """Ask Slack who we are, what we may do, and whether it would connect us."""
    if not settings.slack_is_on:
        return [lacking(settings)]
    if settings.slack_is_shared:
        return [_workspaces(settings, open_store), *ways_in(settings)]
    token = settings.slack_bot_token.get_secret_value()
    known, identity = identify(settings, token)
    if not known:
        return [identity]
    granted = granted_to(known)
    # Without a workspace to look in, Slack tells an organisation's token nothing about its groups.
    groups = [] if known.get("is_enterprise_install") else _groups(settings, token, granted)
    return [identity, *check_scopes(granted, settings), *groups, *ways_in(settings)]


def lacking(settings: Settings) -> Check:
    """What Slack is off for: nothing is set, or not all that belongs together."""
    values = {
        "SLACK_BOT_TOKEN": settings.slack_bot_token.get_secret_value(),
        "SLACK_APP_TOKEN": settings.slack_app_token.get_secret_value(),
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret.get_secret_value(),
        "SLACK_CLIENT_ID": settings.slack_client_id,
        "SLACK_CLIENT_SECRET": settings.slack_client_secret.get_secret_value(),
    }
    given = [name for name, value in values.items() if value]
    if not given:
        todo = "set SLACK_BOT_TOKEN, and SLACK_SIGNING_SECRET or SLACK_APP_TOKEN"
        return Check("slack", State.OFF, "not configured", todo)
    if "SLACK_BOT_TOKEN" in given:
        found, todo = "SLACK_BOT_TOKEN is set, but no way in", "set SLACK_SIGNING_SECRET, or SLACK_APP_TOKEN"
        return Check("slack", State.FAIL, found, todo)
    for_many = {"SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"}
    wanted = {"SLACK_SIGNING_SECRET", *for_many} if for_many.intersection(given) else {"SLACK_BOT_TOKEN"}
    missing = " and ".join(sorted(wanted.difference(given)))
    return Check("slack", State.FAIL, f"{' and '.join(given)} set, but not all that goes with it", f"set {missing}")


def _workspaces(settings: Settings, open_store: Callable[[], Store]) -> Check:
    """Where we are installed, of the workspaces that may."""
    try:
        client(settings).api_test()
    except faults() as fault:
        return _failed(fault, settings, "check SLACK_API_URL")
    if not settings.slack_teams:
        return Check("slack", State.WARN, "no workspace may add it yet", "name those that may in SLACK_TEAMS")
    try:
        store = open_store()
    except BijdehandError:  # which is a line of its own
        return Check("slack", State.OK, f"within reach; may be installed in {', '.join(settings.slack_teams)}")
    there = [_named(team) for team in settings.slack_teams if _has_us(store, team)]
    not_yet = [_named(team) for team in settings.slack_teams if not _has_us(store, team)]
    store.close()
    todo = "let their admins open /slack/install" if not_yet else ""
    if not there:
        return Check("slack", State.WARN, f"not installed yet in {', '.join(not_yet)}", todo)
    more = f"; not yet in {', '.join(not_yet)}" if not_yet else ""
    return Check("slack", State.OK, f"installed in {', '.join(there)}{more}", todo)


def _has_us(store: Store, team: str) -> bool:
    enterprise, team = (team, "") if team.startswith("E") else ("", team)
    return store.installation("slack", enterprise, team) is not None


def _named(team: str) -> str:
    """Workspaces of an organisation may have installed us each on their own."""
    return f"all of {team}" if team.startswith("E") else team


def identify(settings: Settings, token: str) -> tuple["SlackResponse | None", Check]:
    """Ask who we are with a bot token. No answer, no other question makes sense."""
    if "xoxb-" not in token:  # Slack knows other kinds too, and would let us speak as a person
        found, todo = "SLACK_BOT_TOKEN is not the token of a bot", "take the Bot User OAuth Token, xoxb-…"
        if "xoxb-" in settings.slack_app_token.get_secret_value():
            found, todo = "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are swapped", "put each in the place of the other"
        return None, Check("slack", State.FAIL, found, todo)
    if not _TOKEN.fullmatch(token):
        return None, _mistyped("slack", "SLACK_BOT_TOKEN")
    try:
        known = client(settings, token).auth_test()
    except faults() as fault:
        return None, _failed(fault, settings, "check SLACK_BOT_TOKEN")
    return known, Check("slack", State.OK, f"connected as {known['user']} in {known['team']}")


def check_scopes(granted: Collection[str], settings: Settings) -> list[Check]:
    """Hold what the app may do against what it needs and uses."""
    if not granted:  # an emulator; Slack always says
        return []
    wanted = extras_of(settings)
    missing = [scope for scope in needed(SCOPES, wanted) if scope.name not in granted]
    if missing:
        found = "; ".join(f"without {scope.name} it cannot {scope.reason}" for scope in missing)
        return [Check("scopes", State.FAIL, found, advice(granted, settings))]
    used = {scope.name for scope in needed(SCOPES, {*wanted, Extra.AGENT_VIEW})} | LOOKING
    idle = {*granted} - used
    if idle:
        todo = advice({*granted} - idle, settings)
        if idle & HISTORY:
            todo = f"set BIJDEHAND_SLACK_FOLLOW_THREADS=true, or {todo}"
        return [Check("scopes", State.WARN, f"it may do more than it uses ({', '.join(sorted(idle))})", todo)]
    return [Check("scopes", State.OK, ", ".join(["all it needs", *_extras_in(granted)]))]


def advice(granted: Collection[str], settings: Settings, *more: Extra) -> str:
    """How to make the app anew with what it has, what the settings want and these: a paste replaces all of it."""
    scopes = {*granted, *(scope.name for scope in needed(SCOPES, {*extras_of(settings), *more}))}
    way = "--socket" if settings.slack_app_token.get_secret_value() else "--url https://your.host"
    extras = _extras_in(scopes)
    options = [f"--{extra}" for extra in extras if extra is not Extra.AGENT_VIEW]
    view = [] if Extra.AGENT_VIEW in extras else [f"--no-{Extra.AGENT_VIEW}"]
    command = " ".join(["bijdehand slack manifest", way, *view, *options])
    again = "install it again at /slack/install" if settings.slack_is_shared else "reinstall"
    return f"paste the output over the app's App Manifest, save and {again}: {command}"


def _extras_in(scopes: Collection[str]) -> list[Extra]:
    return [extra for extra in Extra if all(scope.name in scopes for scope in SCOPES if extra in scope.extras)]


def _groups(settings: Settings, token: str, granted: Collection[str]) -> list[Check]:
    groups = {*settings.slack_coach_group, *settings.slack_admin_group}
    if not groups or (granted and "usergroups:read" not in granted):  # that it is missing, is a line of its own
        return []
    members: dict[str, set[str]] = {}
    refused = []
    for group in sorted(groups):
        try:
            members[group] = set(client(settings, token).usergroups_users_list(usergroup=group)["users"])
        except faults() as fault:
            refused.append(f"{group}: {word(fault)}")
    if refused:
        todo = "copy the id again (Copy group ID, in the group's menu); user groups need a paid plan"
        return [Check("groups", State.FAIL, "; ".join(refused), todo)]
    empty = [group for group, people in members.items() if not people]
    if empty:
        return [Check("groups", State.WARN, f"nobody is in {', '.join(empty)}", "add people to it in Slack")]
    counts = [
        _count(set().union(*(members[group] for group in groups)), role)
        for role, groups in (("coach", settings.slack_coach_group), ("admin", settings.slack_admin_group))
        if groups
    ]
    return [Check("groups", State.OK, ", ".join(counts))]


def _count(people: Collection[str], role: str) -> str:
    plural = {"coach": "coaches", "admin": "admins"}
    return f"{len(people)} {role if len(people) == 1 else plural[role]}"


def ways_in(settings: Settings) -> list[Check]:
    """How Slack reaches us: whether the secret it signs with can be one, and whether it would connect a socket."""
    secret = settings.slack_signing_secret.get_secret_value()
    if not secret or _SIGNING_SECRET.fullmatch(secret):
        return _socket(settings)
    found, todo = "SLACK_SIGNING_SECRET is not 32 of 0-9 and a-f", "copy it again: Basic Information, Signing Secret"
    return [Check("signing", State.WARN, found, todo), *_socket(settings)]


def _socket(settings: Settings) -> list[Check]:
    token = settings.slack_app_token.get_secret_value()
    if not token:
        return []
    if not token.startswith("xapp-"):
        todo = "take the one under Basic Information, App-Level Tokens: xapp-…"
        return [Check("socket", State.FAIL, "SLACK_APP_TOKEN is not an app-level token", todo)]
    if not _TOKEN.fullmatch(token):
        return [_mistyped("socket", "SLACK_APP_TOKEN")]
    try:
        client(settings, token).apps_connections_open(app_token=token)
    except faults() as fault:
        todo = "check SLACK_APP_TOKEN (xapp-…, with connections:write) and that Socket Mode is on"
        return [_failed(fault, settings, todo, name="socket")]
    return [Check("socket", State.OK, "Socket Mode is within reach")]


# -- asking Slack ----------------------------------------------------------------------------------------------------
def client(settings: Settings, token: str | None = None) -> "WebClient":
    """Slack's Web API, for a question that may not take long."""
    from slack_sdk import WebClient

    quiet = logging.getLogger(f"{__name__}.sdk")
    quiet.setLevel(logging.CRITICAL)  # what goes wrong becomes a sentence
    return WebClient(token, base_url=settings.slack_api_url, timeout=WITHIN, retry_handlers=[], logger=quiet)


def granted_to(known: "SlackResponse") -> set[str]:
    """The scopes that Slack tells with every answer."""
    headers = {name.lower(): value for name, value in known.headers.items()}
    return {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")} - {""}


def faults() -> tuple[type[Exception], ...]:
    """What a call raises that did not work out."""
    from slack_sdk.errors import SlackClientError

    return (SlackClientError, http.client.HTTPException, OSError, ValueError)  # the last is an address that is none


def word(fault: Exception) -> str:
    """Slack's own word for it, or what the network says."""
    from slack_sdk.errors import SlackApiError

    if isinstance(fault, SlackApiError):
        return str(fault.response.get("error"))
    return short(fault)


def _failed(fault: Exception, settings: Settings, todo: str, *, name: str = "slack") -> Check:
    from slack_sdk.errors import SlackApiError

    if isinstance(fault, SlackApiError):
        return Check(name, State.FAIL, f"Slack says {word(fault)}", todo)
    found = f"{settings.slack_api_url} cannot be reached ({word(fault)})"
    return Check(name, State.FAIL, found, "check the network")


def _mistyped(name: str, variable: str) -> Check:
    return Check(name, State.FAIL, f"{variable} holds a character that no token has", "copy it again")
