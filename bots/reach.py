"""Whether Teams is configured, and within reach. It does not take long."""

import urllib.error
import urllib.request

from core.doctor import Check, State
from core.settings import Settings

WITHIN = 4  # seconds
_TEAMS_KEYS = "https://login.botframework.com/v1/.well-known/openidconfiguration"


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
        with urllib.request.urlopen(keys_url, timeout=WITHIN):  # noqa: S310 - our own constant
            pass
    except (OSError, TimeoutError) as error:
        return Check("teams", State.FAIL, f"{keys_url} cannot be reached ({short(error)})", "check the network")
    return Check("teams", State.OK, f"{settings.teams_app_type} app {settings.teams_app_id}, signing keys within reach")


def short(error: Exception) -> str:
    """What the network says, without what it was doing."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return getattr(reason, "strerror", None) or str(reason) or type(error).__name__
