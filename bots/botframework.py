"""The Bot Framework behind two methods: `handle` a request of Teams, `send` an activity. Activities are plain dicts.

botbuilder is no longer maintained, so its defects are mended here, and no other module imports it. It answers 500 to
most bad tokens and to every invoke with a body, fetches signing keys and its own token inside the event loop without a
time limit, builds two clients per message (17 ms), holds a thread per posting, and loses what an entity says.
"""

import asyncio
import ipaddress
import json
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import jwt
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from botbuilder.core import TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.schema import Activity as BotActivity
from botbuilder.schema import ConversationReference, Entity
from botframework.connector.aio import ConnectorClient
from botframework.connector.auth import (
    AuthenticationConstants,
    ConnectorFactory,
    JwtTokenExtractor,
    ServiceClientCredentialsFactory,
)
from msrest.pipeline import Request, Response
from msrest.pipeline.async_abc import AsyncHTTPPolicy, AsyncHTTPSender, AsyncPipeline
from msrest.pipeline.universal import RawDeserializer
from msrest.universal_http import ClientRequest
from msrest.universal_http.async_abc import AsyncClientResponse

from core.errors import SettingsError
from core.settings import Settings

log = logging.getLogger(__name__)

Activity = dict[str, Any]
OnActivity = Callable[[Activity], Awaitable[Activity | None]]

MAX_BODY = 1024**2  # bytes
_BODY_WITHIN = 10.0  # seconds; Teams gives up after fifteen

_KEYS_URL = AuthenticationConstants.TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL
_KEYS_WITHIN = 5.0  # seconds
_KEYS_ARE_FRESH = 24 * 3600.0
_KEYS_MAY_HAVE_CHANGED = 300.0  # after this long, an unknown key id is worth another look

_POST_WITHIN = 10.0  # seconds, and as long for a token
_SEND_WITHIN = 25.0  # seconds for all attempts together: after thirty the store lets somebody else try
_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds between attempts, give or take half
_LONGEST_PAUSE = 10.0
_PASSING = {412, 429, 502, 504}  # what Microsoft says is worth another attempt
_SERVICES = 32  # addresses of Teams we keep a client for; a tenant has one or two


def read(value: object, *path: str) -> str:
    """The text at the end of a path, or none: what comes from outside can hold anything anywhere."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


class PostError(Exception):
    """Teams did not take an activity."""

    def __init__(self, status: int, after: float = 0.0) -> None:
        """`after` is how many seconds it asked us to wait."""
        super().__init__(f"Teams answered {status}")
        self.status = status
        self.after = after


class Endpoint:
    """One bot registration: what comes in is checked before `on_activity` sees it, what goes out is signed."""

    def __init__(
        self,
        settings: Settings,
        on_activity: OnActivity,
        *,
        keys_url: str = _KEYS_URL,
        credentials: ServiceClientCredentialsFactory | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`on_activity` returns the body for an invoke; `SettingsError` when these settings are not safe to run on."""
        _check(settings)
        self._app_id = settings.teams_app_id
        self._tenant = settings.teams_tenant_id.casefold()
        self._on_activity = on_activity
        self._sleep = sleep
        self._authentication = _Authentication(_registration(settings), credentials_factory=credentials)
        self._adapter = CloudAdapter(self._authentication)
        Entity.enable_additional_properties_sending()  # else a mention leaves without whom it mentions
        keys = _Keys(keys_url)
        for url in (_KEYS_URL, AuthenticationConstants.TO_BOT_FROM_EMULATOR_OPENID_METADATA_URL):
            JwtTokenExtractor.metadataCache[url] = keys  # and so no token of the Emulator ever fits

    async def handle(self, request: web.Request) -> web.Response:
        """Take one request of Teams; nothing that it can hold makes this fail."""
        try:
            if not self._app_id:
                _must_be_from_here(request)
            activity = await _activity(request)
            await self._admit(request.headers.get("Authorization", ""), activity)
        except _RefusedError as refused:
            log.warning("refused a request with %s: %s", refused.status, refused)
            return web.Response(status=refused.status)
        try:
            body = await self._on_activity(activity)
        except Exception:
            log.exception("an activity of Teams was not handled")
            body = None
        return web.Response() if body is None else web.json_response(body)

    async def send(self, reference: Activity, activity: Activity) -> None:
        """Post into the conversation of a stored reference, a few times when Teams has it busy."""

        async def turn(context: TurnContext) -> None:
            # botbuilder replies to an activity of its own invention; the reply belongs to the one we were asked in.
            context.activity.id = reference.get("activityId")
            await context.send_activity(BotActivity().deserialize(activity))

        where = ConversationReference().deserialize(reference)
        async with asyncio.timeout(_SEND_WITHIN):
            await self._insist(lambda: self._adapter.continue_conversation(where, turn, self._app_id))

    async def _insist(self, post: Callable[[], Awaitable[object]]) -> None:
        for pause in _PAUSES:
            try:
                await post()
            except (PostError, aiohttp.ClientConnectionError, TimeoutError) as error:
                if isinstance(error, PostError) and error.status not in _PASSING:
                    raise
                after = error.after if isinstance(error, PostError) else 0.0
                log.info("Teams did not take it yet: %r", error)
            else:
                return
            await self._sleep(max(pause * random.uniform(0.5, 1.5), min(after, _LONGEST_PAUSE)))  # noqa: S311
        await post()

    async def close(self) -> None:
        """Close what talks to Teams."""
        await self._authentication.clients.close()

    async def _admit(self, header: str, activity: Activity) -> None:
        if self._app_id:
            await self._check_token(header, activity)
            if activity["channelId"] != "msteams":  # Azure opens Web Chat and Direct Line on every bot unasked
                raise _RefusedError(403, "not from Teams")
        elif not _is_local(activity["serviceUrl"]):
            raise _RefusedError(403, "without login, a reply goes to this machine only")
        if self._tenant and _tenants(activity) != {self._tenant}:
            raise _RefusedError(403, "another tenant")

    async def _check_token(self, header: str, activity: Activity) -> None:
        scheme, _, token = header.partition(" ")
        if scheme != "Bearer" or not token or " " in token:
            raise _RefusedError(401, "no bearer token")
        claimed = BotActivity(channel_id=activity["channelId"], service_url=activity["serviceUrl"])
        try:
            await self._authentication.authenticate_request(claimed, header)
        except _UnreachableError as error:
            raise _RefusedError(503, "cannot fetch the signing keys") from error
        except Exception as error:  # botbuilder raises whatever happens to break on a bad token
            raise _RefusedError(401, f"bad token ({type(error).__name__})") from error


class _RefusedError(Exception):
    """A request that goes no further."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class _UnreachableError(Exception):
    """The signing keys could not be fetched."""


# -- settings ---------------------------------------------------------------------------------------------------------
def _check(settings: Settings) -> None:
    if not settings.teams_app_id:
        if not settings.teams_without_login:
            raise SettingsError(
                "Without MICROSOFT_APP_ID anybody could speak to the bot as anybody. Set it, or set "
                "BIJDEHAND_TEAMS_WITHOUT_LOGIN=true to try out on this machine only."
            )
        if not _is_loopback(settings.host):
            raise SettingsError(
                f"BIJDEHAND_TEAMS_WITHOUT_LOGIN is for this machine only, and BIJDEHAND_HOST is {settings.host!r}. "
                "Set it to 127.0.0.1, or set MICROSOFT_APP_ID."
            )
        return
    needed = {"MICROSOFT_APP_PASSWORD": settings.teams_app_password.get_secret_value()}
    if settings.teams_app_type == "UserAssignedMSI":
        needed = {}
    if settings.teams_app_type != "MultiTenant":
        needed["MICROSOFT_APP_TENANT_ID"] = settings.teams_tenant_id
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise SettingsError(f"A Teams bot of type {settings.teams_app_type} also needs {' and '.join(missing)}.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_local(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    named = parts.hostname is not None and parts.username is None  # before an @ can stand what looks like a host
    return parts.scheme in {"http", "https"} and named and _is_loopback(parts.hostname or "")


def _registration(settings: Settings) -> SimpleNamespace:
    return SimpleNamespace(
        APP_TYPE=settings.teams_app_type if settings.teams_app_id else "MultiTenant",
        APP_ID=settings.teams_app_id,
        APP_PASSWORD=settings.teams_app_password.get_secret_value(),
        APP_TENANTID=settings.teams_tenant_id,
    )


# -- requests ---------------------------------------------------------------------------------------------------------
def _must_be_from_here(request: web.Request) -> None:
    """Refuse what another site sends through this machine's browser: DNS rebinding, forged requests."""
    here = f"http://{request.headers.get('Host', '').lower()}"
    if not _is_local(here):
        raise _RefusedError(403, "without login, only for this machine")
    if request.headers.get("Origin", here).lower() != here:
        raise _RefusedError(403, "sent by another site")


async def _activity(request: web.Request) -> Activity:
    """The body as far as this module relies on it."""
    if request.content_type != "application/json":
        raise _RefusedError(415, "not JSON")
    try:
        activity = json.loads(await _body(request))
    except (ValueError, RecursionError) as error:
        raise _RefusedError(400, "broken JSON") from error
    if not isinstance(activity, dict):
        raise _RefusedError(400, "no activity")
    for name in ("type", "channelId", "serviceUrl"):  # botbuilder checks less of a token when one is missing
        if not isinstance(activity.get(name), str) or not activity[name]:
            raise _RefusedError(400, f"no {name}")
    return activity


async def _body(request: web.Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_WITHIN):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > MAX_BODY:  # counted here, since a compressed body does not say how long it is
                    raise _RefusedError(413, "too large")
    except TimeoutError as error:
        raise _RefusedError(408, "too slow") from error
    except (OSError, aiohttp.ClientError, HttpProcessingError, web.RequestPayloadError) as error:
        raise _RefusedError(400, "broken body") from error
    return bytes(body)


def _tenants(activity: Activity) -> set[str]:
    """Every tenant that an activity says it is from."""
    found = {read(activity, "conversation", "tenantId"), read(activity, "channelData", "tenant", "id")}
    return {tenant.casefold() for tenant in found if tenant}


# -- signing keys -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Key:
    """What botframework's token check asks of a key: endorsements are the channels it may sign for."""

    public_key: Any
    endorsements: list[str]


class _Keys:
    """Microsoft's signing keys, fetched without holding up the event loop. Stands in for botframework's own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, _Key] = {}
        self._fetched = self._tried = -math.inf
        self._turn = asyncio.Lock()

    async def get(self, key_id: str | None) -> _Key:
        now, known = time.monotonic(), key_id in self._keys
        due = now - self._fetched > (_KEYS_ARE_FRESH if known else _KEYS_MAY_HAVE_CHANGED)
        if due and not (known and now - self._tried < _KEYS_MAY_HAVE_CHANGED):
            await self._refresh()
        if key_id in self._keys:
            return self._keys[key_id]
        if self._fetched < self._tried:
            raise _UnreachableError
        raise PermissionError("unknown signing key")

    async def _refresh(self) -> None:
        asked = time.monotonic()
        async with self._turn:
            if self._tried > asked:  # somebody else's attempt will do, even if it failed
                return
            try:
                self._keys = await self._fetch()
            except (aiohttp.ClientError, TimeoutError, jwt.PyJWTError, ValueError, LookupError, TypeError) as error:
                log.warning("cannot fetch the signing keys of the Bot Framework: %r", error)
                self._tried = time.monotonic()
            else:
                self._fetched = self._tried = time.monotonic()

    async def _fetch(self) -> dict[str, _Key]:
        timeout = aiohttp.ClientTimeout(total=_KEYS_WITHIN)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True, raise_for_status=True) as session:
            async with session.get(self._url) as response:
                keys_url = (await response.json(content_type=None))["jwks_uri"]
            async with session.get(keys_url) as response:
                found = (await response.json(content_type=None))["keys"]
        return {
            key["kid"]: _Key(jwt.PyJWK(key, algorithm="RS256").key, key.get("endorsements", []))
            for key in found
            if key.get("kty") == "RSA"
        }


# -- posting ----------------------------------------------------------------------------------------------------------
class _Authentication(ConfigurationBotFrameworkAuthentication):  # type: ignore[misc] # botbuilder has no types
    """botbuilder's, with clients that are kept."""

    def __init__(self, registration: object, *, credentials_factory: ServiceClientCredentialsFactory | None) -> None:
        super().__init__(registration, credentials_factory=credentials_factory)
        self.clients = _Clients()

    def create_connector_factory(self, claims_identity: object) -> ConnectorFactory:
        return _Connectors(super().create_connector_factory(claims_identity), self.clients)

    async def create_user_token_client(self, claims_identity: object) -> None:
        """Only sign-in prompts need one, and it costs 6 ms a message."""


class _Clients:
    """What is kept between messages."""

    def __init__(self) -> None:
        self.by_address: dict[str, ConnectorClient] = {}
        # One thread, not the event loop's: while Entra is slow, tokens must not take those that the desk works in.
        self.tokens = ThreadPoolExecutor(1, "teams-token")
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=_POST_WITHIN)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=True)
        return self._session

    async def close(self) -> None:
        self.by_address.clear()
        self.tokens.shutdown(wait=False, cancel_futures=True)
        if self._session:
            await self._session.close()


class _Connectors(ConnectorFactory):  # type: ignore[misc] # botbuilder has no types
    """A client per address of Teams: making one costs 8 ms, since msrest looks up 999 numbers in a list of 500."""

    def __init__(self, inner: ConnectorFactory, clients: _Clients) -> None:
        self._inner = inner
        self._clients = clients

    async def create(self, service_url: str, audience: str | None = None) -> ConnectorClient:
        kept = self._clients.by_address
        if service_url not in kept:
            if len(kept) >= _SERVICES:
                kept.clear()
            client = await self._inner.create(service_url, audience)
            bearer = _Bearer(client.config.credentials, self._clients.tokens)
            steps = [client.config.user_agent_policy, bearer, RawDeserializer()]
            client.config.pipeline = AsyncPipeline(steps, _Sender(self._clients.session()))
            kept[service_url] = client
        return kept[service_url]


class _Bearer(AsyncHTTPPolicy[Any, Any]):
    """Signs a request. msal waits for the network where it is called, so that is not the event loop."""

    def __init__(self, credentials: Any, thread: ThreadPoolExecutor) -> None:  # noqa: ANN401 - botframework has no types
        super().__init__()
        self._credentials = credentials
        self._thread = thread

    async def send(self, request: Request[Any], **config: Any) -> Response[Any, Any]:  # noqa: ANN401 - as msrest has it
        if self._credentials.microsoft_app_id:
            async with asyncio.timeout(_POST_WITHIN):
                loop = asyncio.get_running_loop()
                token = await loop.run_in_executor(self._thread, self._credentials.get_access_token)
            request.http_request.headers["Authorization"] = f"Bearer {token}"
        assert self.next  # noqa: S101 - the pipeline has set it
        return await self.next.send(request, **config)


class _Sender(AsyncHTTPSender[Any, Any]):
    """Posts without holding a thread. msrest loses the status of a refusal whose body is no JSON; here it is kept."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __aexit__(self, *exc_details: object) -> None:
        """The session is shared: whoever made it closes it."""

    async def send(self, request: Request[Any], **config: Any) -> Response[Any, Any]:  # noqa: ANN401 - as msrest has it
        http = request.http_request
        async with self._session.request(http.method, http.url, headers=http.headers, data=http.data) as response:
            text = await response.text(errors="replace")
        if not response.ok:
            raise PostError(response.status, _seconds(response.headers.get("Retry-After", "")))
        return Response(request, _Taken(http, response, text))


class _Taken(AsyncClientResponse):
    """Teams' yes, for msrest to read an id from where there is one."""

    def __init__(self, request: ClientRequest, response: aiohttp.ClientResponse, text: str) -> None:
        super().__init__(request, response)
        self.status_code = response.status
        self.reason = response.reason
        self.headers = dict(response.headers)
        self._text = text if response.content_type == "application/json" else ""

    def text(self, encoding: str | None = None) -> str:
        return self._text


def _seconds(header: str) -> float:
    return float(header) if header.isdecimal() else 0.0
