"""Whether Slack and Teams are configured, and within reach; why Slack would stay silent. None of it takes long."""

import asyncio
import http.client
import logging
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from bots import console
from bots.console import Exit
from bots.slack_manifest import SCOPES, Extra, extras_of, needed
from core.doctor import Check, State
from core.settings import Settings
from core.store import Store

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.web import SlackResponse

_WITHIN = 4  # seconds
_TEAMS_KEYS = "https://login.botframework.com/v1/.well-known/openidconfiguration"
_MANIFEST = "bijdehand slack manifest"
_HISTORY = {"channels:history", "groups:history"}
_RULES = (
    "In a channel or group it answers whoever mentions it, in a thread. There it also takes follow-ups, where they "
    "reach it: questions of the same person, within 15 minutes, that mention nobody else. Bots, edits and joins are "
    "left alone. /ask works everywhere, also where it is not a member."
)


def show(checks: list[Check], *, as_json: bool) -> None:
    """Print what was found. Exit code 1: something fails."""
    if as_json:
        console.print_json(checks)
    else:
        style = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red", State.OFF: "dim"}
        for check in checks:
            console.out.print(Text(f"{check.state:<5} ", style[check.state]), end="")
            todo = f" ({check.todo})" if check.todo else ""
            console.line(f"{check.name:<9} {check.found}{todo}")
    if any(check.state is State.FAIL for check in checks):
        raise typer.Exit(Exit.TO_MEND)


# -- Slack -----------------------------------------------------------------------------------------------------------
def check_slack(settings: Settings) -> list[Check]:
    """Ask Slack who we are, what we may do, and whether it would connect us."""
    token = settings.slack_bot_token.get_secret_value()
    if not token and not settings.slack_client_id:
        return [Check("slack", State.OFF, "not configured", "set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET")]
    if not settings.slack_is_on:
        found, todo = "SLACK_CLIENT_ID is set, but not all it needs", "set SLACK_CLIENT_SECRET and SLACK_SIGNING_SECRET"
        if token:
            found, todo = "SLACK_BOT_TOKEN is set, but no way in", "set SLACK_SIGNING_SECRET, or SLACK_APP_TOKEN"
        return [Check("slack", State.FAIL, found, todo)]
    if settings.slack_is_shared:
        return [_open_to_all(settings), *_socket(settings)]
    known, identity = _identity(settings, token)
    return [identity, *_scopes(_granted(known), settings), *_socket(settings)] if known else [identity]


def _open_to_all(settings: Settings) -> Check:
    try:
        _client(settings).api_test()
    except _faults() as fault:
        return _failed(fault, settings, "check SLACK_API_URL")
    if not settings.slack_teams:
        return Check("slack", State.WARN, "no workspace may add it yet", "name those that may in SLACK_TEAMS")
    return Check("slack", State.OK, f"within reach; may be installed in {', '.join(settings.slack_teams)}")


def _identity(settings: Settings, token: str) -> tuple["SlackResponse | None", Check]:
    if "xoxb-" not in token:  # Slack knows other kinds too, and would let us speak as a person
        todo = "take the Bot User OAuth Token, xoxb-…"
        return None, Check("slack", State.FAIL, "SLACK_BOT_TOKEN is not the token of a bot", todo)
    try:
        known = _client(settings, token).auth_test()
    except _faults() as fault:
        return None, _failed(fault, settings, "check SLACK_BOT_TOKEN")
    return known, Check("slack", State.OK, f"connected as {known['user']} in {known['team']}")


def _scopes(granted: Collection[str], settings: Settings) -> list[Check]:
    if not granted:  # an emulator; Slack always says
        return []
    todo = f"reinstall the app with the manifest of: {_MANIFEST}"
    missing = [scope for scope in needed(SCOPES, extras_of(settings)) if scope.name not in granted]
    if missing:
        found = "; ".join(f"without {scope.name} it cannot {scope.reason}" for scope in missing)
        return [Check("scopes", State.FAIL, found, todo)]
    idle = sorted(_HISTORY.intersection(granted))
    if idle and not settings.slack_follow_threads:
        found = f"it may read channels ({', '.join(idle)}), but is not told to follow threads"
        return [Check("scopes", State.WARN, found, f"set BIJDEHAND_SLACK_FOLLOW_THREADS=true, or {todo}")]
    more = [extra for extra in Extra if all(scope.name in granted for scope in SCOPES if extra in scope.extras)]
    return [Check("scopes", State.OK, ", ".join(["all it needs", *more]))]


def _socket(settings: Settings) -> list[Check]:
    token = settings.slack_app_token.get_secret_value()
    if not token:
        return []
    try:
        _client(settings, token).apps_connections_open(app_token=token)
    except _faults() as fault:
        todo = "check SLACK_APP_TOKEN (xapp-…, with connections:write) and that Socket Mode is on"
        return [_failed(fault, settings, todo, name="socket")]
    return [Check("socket", State.OK, "Socket Mode is within reach")]


# -- Slack, in one channel ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Channel:
    """What could be found out about a channel. `shown` is how Slack describes it, `refusal` why it does not."""

    id: str
    scopes: Collection[str]
    shown: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""
    listens: bool = False
    articles: int = 0

    @property
    def direct(self) -> bool:
        """Between one person and us."""
        return self.id.startswith("D")

    @property
    def history(self) -> set[str]:
        """The scopes that bring its messages; two where Slack does not show whether it is private."""
        if self.shown.get("is_mpim"):
            return {"mpim:history"}
        if "is_private" in self.shown:
            return {"groups:history" if self.shown["is_private"] else "channels:history"}
        return _HISTORY

    @property
    def reaches_us(self) -> bool:
        """Whether we get to see what is said there without our name in it."""
        return not self.history.isdisjoint(self.scopes)


def explain_slack(
    settings: Settings, store: Store, channel_id: str, *, now: datetime, team: str = "", enterprise: str = ""
) -> list[Check]:
    """Say why we would stay silent in a channel, or speak. Only where many workspaces install us, `team` is needed."""
    token = settings.slack_bot_token.get_secret_value()
    if settings.slack_is_shared:
        token = _token_of(settings, store, team, enterprise)
        if not token:
            todo = "give --team T… (and --enterprise E… where there is one), or install it there: /slack/install"
            return [Check("slack", State.FAIL, f"workspace {team or '?'} has not installed it", todo)]
    if not settings.slack_is_on:
        return check_slack(settings)
    known, identity = _identity(settings, token)
    if not known:
        return [identity]
    shown, refusal = ({}, "") if channel_id.startswith("D") else _look(settings, token, channel_id)
    channel = Channel(
        channel_id,
        _granted(known),
        shown,
        refusal,
        store.place("slack", team or known["team_id"], channel_id).listens,
        sum(article.is_live(now) for article in store.articles()),
    )
    return [identity, *_scopes(channel.scopes, settings), *explain(channel)]


def _token_of(settings: Settings, store: Store, team: str, enterprise: str) -> str:
    from bots.slack_install import Installs
    from core.secrets import Secrets

    found = asyncio.run(Installs(settings, store, Secrets(settings), ()).find(team, enterprise))
    return found.bot_token if found else ""


def _look(settings: Settings, token: str, channel_id: str) -> tuple[Mapping[str, Any], str]:
    try:
        return _client(settings, token).conversations_info(channel=channel_id)["channel"], ""
    except _faults() as fault:
        return {}, _word(fault)


def explain(channel: Channel) -> list[Check]:
    """Judge what was found out. Where nothing comes through at all, what else might is not worth a line."""
    checks = [_presence(channel)]
    if not channel.direct and checks[-1].state is not State.FAIL:
        checks += [_follow_ups(channel), _unasked(channel)]
    if not channel.articles:
        found = "no article is live, so no question gets an answer"
        checks.append(Check("articles", State.FAIL, found, "run: bijdehand import FOLDER"))
    return [*checks, Check("rules", State.OK, _RULES)]


def _presence(channel: Channel) -> Check:
    name = f"#{channel.shown['name']}" if channel.shown.get("name") else channel.id
    if channel.direct:
        return Check("channel", State.OK, "a direct message: whatever is said there is answered")
    if channel.refusal:
        return _unseen(channel.refusal, name)
    if channel.shown.get("is_archived"):
        return Check("channel", State.FAIL, f"{name} is archived: nobody can write there", "unarchive it")
    if not channel.shown.get("is_member") and not channel.shown.get("is_mpim"):
        return Check("channel", State.FAIL, f"it is not a member of {name}", "invite it there: /invite @bijdehand")
    return Check("channel", State.OK, f"it is a member of {name}")


def _unseen(refusal: str, name: str) -> Check:
    if refusal == "missing_scope":
        found = f"without channels:read and groups:read, Slack does not show {name}"
        return Check("channel", State.WARN, found, f"look among the members, or reinstall with: {_MANIFEST} --channels")
    if refusal == "channel_not_found":
        found = f"{name} is not there, or private and without it"
        return Check("channel", State.FAIL, found, "check the id; in a private channel: /invite @bijdehand")
    return Check("channel", State.FAIL, f"Slack says {refusal} about {name}")


def _follow_ups(channel: Channel) -> Check:
    if channel.reaches_us:
        # Which events an app subscribes to, its bot may not ask.
        todo = "should they stay unanswered: reinstall, for the events message.channels and message.groups"
        return Check("threads", State.OK, "follow-ups without a mention reach it", todo)
    found = f"only mentions reach it, without {' or '.join(sorted(channel.history))}"
    return Check("threads", State.OFF, found, f"for follow-ups, reinstall with: {_MANIFEST} --follow-threads")


def _unasked(channel: Channel) -> Check:
    if channel.listens and channel.reaches_us:
        return Check("unasked", State.OK, "a question that nobody put to it is answered too, when it is sure")
    reinstall, agree = f"reinstall with: {_MANIFEST} --channels", "let a coach say there: /ask here on"
    if channel.listens:
        return Check("unasked", State.WARN, "/ask here on was said, but such questions do not reach it", reinstall)
    todo = agree if channel.reaches_us else f"{reinstall}; then {agree}"
    return Check("unasked", State.OFF, "a question that nobody put to it is left alone", todo)


# -- asking Slack ----------------------------------------------------------------------------------------------------
def _client(settings: Settings, token: str | None = None) -> "WebClient":
    from slack_sdk import WebClient

    quiet = logging.getLogger(f"{__name__}.sdk")
    quiet.setLevel(logging.CRITICAL)  # what goes wrong becomes a sentence
    return WebClient(token, base_url=settings.slack_api_url, timeout=_WITHIN, retry_handlers=[], logger=quiet)


def _granted(known: "SlackResponse") -> set[str]:
    headers = {name.lower(): value for name, value in known.headers.items()}
    return {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")} - {""}


def _faults() -> tuple[type[Exception], ...]:
    from slack_sdk.errors import SlackClientError

    return (SlackClientError, http.client.HTTPException, OSError, ValueError)  # the last is an address that is none


def _word(fault: Exception) -> str:
    """Slack's own word for it, or what the network says."""
    from slack_sdk.errors import SlackApiError

    if isinstance(fault, SlackApiError):
        return str(fault.response.get("error"))
    return _short(fault)


def _failed(fault: Exception, settings: Settings, todo: str, *, name: str = "slack") -> Check:
    from slack_sdk.errors import SlackApiError

    if isinstance(fault, SlackApiError):
        return Check(name, State.FAIL, f"Slack says {_word(fault)}", todo)
    found = f"{settings.slack_api_url} cannot be reached ({_word(fault)})"
    return Check(name, State.FAIL, found, "check the network")


# -- Teams -----------------------------------------------------------------------------------------------------------
def check_teams(settings: Settings, *, keys_url: str = _TEAMS_KEYS) -> Check:
    """Look whether what Teams needs is set, and whether its signing keys can be fetched."""
    if not settings.teams_app_id:
        if settings.teams_without_login:
            return Check("teams", State.WARN, "accepts messages without a token", "for trying out on loopback only")
        return Check("teams", State.OFF, "not configured", "set MICROSOFT_APP_ID, _PASSWORD and _TENANT_ID")
    if settings.teams_app_type == "SingleTenant" and not settings.teams_tenant_id:
        return Check("teams", State.FAIL, "MICROSOFT_APP_TENANT_ID is missing", "a SingleTenant bot needs it")
    if settings.teams_app_type != "UserAssignedMSI" and not settings.teams_app_password.get_secret_value():
        return Check("teams", State.FAIL, "MICROSOFT_APP_PASSWORD is missing", "set it, or use a managed identity")
    try:
        with urllib.request.urlopen(keys_url, timeout=_WITHIN):  # noqa: S310 - our own constant
            pass
    except (OSError, TimeoutError) as error:
        return Check("teams", State.FAIL, f"{keys_url} cannot be reached ({_short(error)})", "check the network")
    return Check("teams", State.OK, f"{settings.teams_app_type} app {settings.teams_app_id}, signing keys within reach")


def _short(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return getattr(reason, "strerror", None) or str(reason) or type(error).__name__
