"""Whether Slack and Teams are configured, and within reach: for `doctor`, which must not take long."""

import urllib.error
import urllib.request

from core.doctor import Check, State
from core.settings import Settings

_WITHIN = 4  # seconds
_TEAMS_KEYS = "https://login.botframework.com/v1/.well-known/openidconfiguration"


def check_slack(settings: Settings) -> Check:
    """Ask Slack who we are."""
    if not settings.slack_bot_token.get_secret_value():
        return Check("slack", State.OFF, "not configured", "set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET")
    if not settings.slack_is_on:
        todo = "set SLACK_SIGNING_SECRET, or SLACK_APP_TOKEN for Socket Mode"
        return Check("slack", State.FAIL, "SLACK_BOT_TOKEN is set, but no way in", todo)
    return _auth_test(settings)


def _auth_test(settings: Settings) -> Check:
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError

    token = settings.slack_bot_token.get_secret_value()
    client = WebClient(token, base_url=settings.slack_api_url, timeout=_WITHIN, retry_handlers=[])
    try:
        known = client.auth_test()
    except SlackApiError as error:
        return Check("slack", State.FAIL, f"Slack says {error.response['error']}", "check SLACK_BOT_TOKEN")
    except (OSError, TimeoutError) as error:
        return Check(
            "slack", State.FAIL, f"{settings.slack_api_url} cannot be reached ({_short(error)})", "check the network"
        )
    return Check("slack", State.OK, f"connected as {known['user']} in {known['team']}")


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


def _short(error: OSError) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return getattr(reason, "strerror", None) or str(reason) or type(error).__name__
