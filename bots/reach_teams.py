"""Whether Teams is configured, whether Microsoft lets our app in, and what must reach us. None of it takes long."""

import asyncio
import errno
import http.client
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bots.reach import WITHIN, short
from core.doctor import Check, State
from core.errors import SettingsError
from core.settings import Settings, guid

if TYPE_CHECKING:
    from requests import Session

_SIGN_IN = "https://login.microsoftonline.com"
_KEYS = "https://login.botframework.com/v1/.well-known/openidconfiguration"
_SERVICE = "https://smba.trafficmanager.net/teams/"
_RESOURCE = "https://api.botframework.com"
_TENANT_OF_BOTS = "botframework.com"  # where those of type MultiTenant sign in
_MANAGE = "under Configuration, Manage Password, of the Azure Bot"
_HOSTS = "login.microsoftonline.com, login.botframework.com and smba.trafficmanager.net"
_OPEN_UP = f"let this machine reach {_HOSTS} on port 443, or set HTTPS_PROXY to your proxy"
_TRUST = (
    "something in between, such as a proxy, shows a certificate of its own: have SSL_CERT_FILE and REQUESTS_CA_BUNDLE "
    "name a file with your company's certificates beside the usual ones"
)
_NAME = re.compile(r"(?m)^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=")  # in a `.env`
# As Microsoft's own samples and older bots call them, without what is no letter.
_OURS = {
    re.sub("[^a-z]", "", name.lower()): name
    for name in ("MICROSOFT_APP_ID", "MICROSOFT_APP_PASSWORD", "MICROSOFT_APP_TENANT_ID", "MICROSOFT_APP_TYPE")
}

# What Entra refuses with, by its number, and what to do about it.
_REFUSALS = {
    7000215: ("MICROSOFT_APP_PASSWORD is wrong", f"take the Value of a secret, not its Secret ID, {_MANAGE}"),
    7000222: ("MICROSOFT_APP_PASSWORD has expired", f"make a new secret {_MANAGE}"),
    700016: ("this app is not in this tenant", "copy MICROSOFT_APP_ID and _TENANT_ID again from the Azure Bot"),
    7000229: ("this app has no enterprise application in this tenant", "make one in Entra, for MICROSOFT_APP_ID"),
    90002: ("there is no such tenant", "copy MICROSOFT_APP_TENANT_ID again from the Azure Bot"),
}


def check_teams(
    settings: Settings, *, session: "Session | None" = None, keys: str = _KEYS, service: str = _SERVICE
) -> list[Check]:
    """Sign in as the bot does, look for the keys that Microsoft signs with, and say where Azure must send to."""
    if not settings.teams_is_on:
        return [_lacking(settings), *_source()]
    if settings.teams_fault:
        return [Check("teams", State.FAIL, settings.teams_fault), *_source()]
    if not settings.teams_app_id:
        return [Check("teams", State.WARN, "accepts messages without a token", "for trying out on this machine only")]
    sign_in = (_identity if settings.teams_app_type == "UserAssignedMSI" else _secret)(settings, session or _session())
    doubts = [] if sign_in.state is State.OK else [*_doubts(settings), *_source()]
    return [sign_in, *doubts, _signing_keys(keys), _service(service), _endpoint(settings)]


def _lacking(settings: Settings) -> Check:
    if settings.teams_without_app:
        return Check("teams", State.FAIL, settings.teams_without_app)
    return Check("teams", State.OFF, "not configured", "set MICROSOFT_APP_ID, _PASSWORD and _TENANT_ID")


# -- what was given --------------------------------------------------------------------------------------------------
def _source() -> Iterator[Check]:
    """Where the settings come from, and which have a name that we do not read."""
    file = Path(".env").absolute()
    names = set(os.environ)
    if file.is_file():
        yield Check("settings", State.OK, f"from {file} and the environment")
        names.update(_NAME.findall(file.read_text(encoding="utf-8-sig")))
    else:
        yield Check("settings", State.OFF, f"no .env in {file.parent}: from the environment alone")
    for name in sorted(names):
        ours = _OURS.get(re.sub("[^a-z]", "", name.lower()), "")
        if ours and name.upper() != ours:
            yield Check("settings", State.WARN, f"{name} is not read", f"call it {ours}")


def _doubts(settings: Settings) -> Iterator[Check]:
    if guid(settings.teams_app_password.get_secret_value()):
        found = "MICROSOFT_APP_PASSWORD looks like the Secret ID"
        yield Check("secret", State.WARN, found, f"take the Value of a secret, {_MANAGE}")


# -- the network -----------------------------------------------------------------------------------------------------
def _signing_keys(url: str) -> Check:
    try:
        with urllib.request.urlopen(url, timeout=WITHIN):  # noqa: S310 - our own constant
            pass
    except (OSError, http.client.HTTPException) as error:
        return _out_of_reach("keys", url, error)
    return Check("keys", State.OK, "what Teams signs with is within reach")


def _service(url: str) -> Check:
    """Where answers go. Without a token it refuses us, which is enough to know that it is there."""
    try:
        with urllib.request.urlopen(url, timeout=WITHIN):  # noqa: S310 - our own constant
            pass
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, http.client.HTTPException) as error:
        return _out_of_reach("service", url, error)
    return Check("service", State.OK, "where answers to Teams are sent is within reach")


def _out_of_reach(name: str, url: str, error: Exception) -> Check:
    return Check(name, State.FAIL, f"{url} cannot be reached ({short(error)})", _way_out(error))


def _way_out(error: Exception) -> str:
    from requests.exceptions import SSLError

    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return _TRUST if isinstance(reason, ssl.SSLError | SSLError) else _OPEN_UP


def _endpoint(settings: Settings) -> Check:
    """Whether `bijdehand serve` could listen there, or does. Whether Azure gets through to it only Azure can tell."""
    where = f"{settings.host}:{settings.port}"
    azure = f"in Azure: https://your.host/api/messages, which must lead to {where}"
    try:
        is_there = asyncio.run(_is_in_use(settings))
    except SettingsError as error:
        return Check("endpoint", State.FAIL, str(error))
    if not is_there:
        return Check("endpoint", State.OFF, f"{azure}, where nothing listens now", "run: bijdehand serve")
    return Check("endpoint", State.OK, f"{azure}, where something listens")


async def _is_in_use(settings: Settings) -> bool:
    """Whether something listens where we would; `SettingsError` when nobody could."""
    from bots.serve import listen

    try:
        listener = await listen(asyncio.Protocol, settings.host, settings.port, "BIJDEHAND_PORT")
    except SettingsError as error:
        if getattr(error.__cause__, "errno", None) != errno.EADDRINUSE:
            raise
        return True
    listener.close()
    return False


# -- signing in ------------------------------------------------------------------------------------------------------
def _session() -> "Session":
    """The network, with a time limit that msal does not set itself."""
    from requests import Session

    session = Session()
    session.request = partial(session.request, timeout=WITHIN)  # type: ignore[method-assign]
    return session


def _secret(settings: Settings, session: "Session") -> Check:
    """What msal asks in the end. It asks about the tenant first, and does not pass on why Entra refuses that."""
    tenant = _TENANT_OF_BOTS if settings.teams_app_type == "MultiTenant" else settings.teams_tenant_id
    asked = {
        "grant_type": "client_credentials",
        "client_id": settings.teams_app_id,
        "client_secret": settings.teams_app_password.get_secret_value(),
        "scope": f"{_RESOURCE}/.default",
    }
    try:
        answer = dict(session.post(f"{_SIGN_IN}/{tenant}/oauth2/v2.0/token", data=asked).json())
    except (OSError, TypeError, ValueError) as error:  # no answer, or that of something in between
        found = f"{_SIGN_IN} cannot be reached ({type(error).__name__})"
        return Check("teams", State.FAIL, found, _way_out(error))
    return _let_in(settings) if "access_token" in answer else _refused(answer)


def _refused(answer: Mapping[str, Any]) -> Check:
    """Why, by its number. What Entra says at length is not shown: it can name more than we want in a log."""
    number, *_ = answer.get("error_codes") or [0]
    meaning, todo = _REFUSALS.get(number, (str(answer.get("error")), "look that number up in Microsoft's list"))
    return Check("teams", State.FAIL, f"{meaning} (AADSTS{number})", todo)


def _let_in(settings: Settings) -> Check:
    return Check("teams", State.OK, f"signed in as {settings.teams_app_type} app {settings.teams_app_id}")


def _identity(settings: Settings, session: "Session") -> Check:
    import msal

    us = msal.UserAssignedManagedIdentity(client_id=settings.teams_app_id)
    try:
        answer = msal.ManagedIdentityClient(us, http_client=session).acquire_token_for_client(resource=_RESOURCE)
    except (OSError, ValueError):  # nothing there, or something that is not Azure's
        todo = "run doctor on the machine in Azure that has the identity"
        return Check("teams", State.WARN, "a managed identity can be checked in Azure only", todo)
    if "access_token" in answer:
        return _let_in(settings)
    found = f"Azure gives this machine no token for {settings.teams_app_id} ({answer.get('error')})"
    todo = "under Identity, User assigned, of this machine, add the identity whose client ID is MICROSOFT_APP_ID"
    return Check("teams", State.FAIL, found, todo)
