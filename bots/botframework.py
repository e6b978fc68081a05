"""The Bot Framework: `handle` a request of Teams, post to it with `send` and the like. Activities are plain dicts.

botbuilder checks the tokens that come in, and all we post is posted in a turn of its adapter. What comes in starts no
turn: botbuilder refuses an activity that differs a little from those it knows. It is no longer maintained, so no other
module imports it, and its defects are mended here: it answers 500 to most bad tokens and to every invoke with a body,
fetches signing keys and its own token inside the event loop without a time limit, builds two clients per message
(17 ms), holds a thread per posting, follows redirects, and posts only what it knows of an activity.
"""

import asyncio
import functools
import json
import logging
import math
import random
import re
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Any, Never, Protocol
from urllib.parse import urlsplit

import aiohttp
import jwt
import msal
import requests
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from botbuilder import schema
from botbuilder.core import TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botframework.connector.aio import ConnectorClient
from botframework.connector.auth import (
    AuthenticationConstants,
    ConnectorFactory,
    JwtTokenExtractor,
    MicrosoftAppCredentials,
    PasswordServiceClientCredentialFactory,
)
from msrest.pipeline import Request, Response
from msrest.pipeline.async_abc import AsyncHTTPSender, AsyncPipeline
from msrest.pipeline.universal import RawDeserializer
from msrest.universal_http import ClientRequest

from core.errors import SettingsError
from core.settings import Settings, is_loopback

log = logging.getLogger(__name__)

Activity = dict[str, Any]
OnActivity = Callable[[Activity], Awaitable[Activity | None]]

MAX_BODY = 1024**2  # bytes
_BODY_WITHIN = 10.0  # seconds; Teams gives up after fifteen

_KEYS_URL = AuthenticationConstants.TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL
_KEYS_WITHIN = 5.0  # seconds
_KEYS_ARE_FRESH = 24 * 3600.0
_KEYS_MAY_HAVE_CHANGED = 300.0  # after this long, an unknown key id is worth another look

_AUDIENCE = AuthenticationConstants.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE
_TOKEN_WITHIN = 5.0  # seconds; msal then goes on with the token it has
_TOKEN_IS_FRESH = 240.0  # msal gives none that ends within five minutes

_POST_WITHIN = 20.0  # seconds, and as long for a token
_SEND_WITHIN = 25.0  # seconds for all attempts together: after thirty the store lets somebody else try
_TYPING_WITHIN = 2.0  # seconds; later than that the answer itself is there
_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds between attempts, give or take half
_PASSING = {412, 429, 500, 502, 503, 504}  # not done, and worth another attempt
_NO_ANSWER: tuple[type[Exception], ...] = (aiohttp.ClientConnectionError, ConnectionError, TimeoutError)
_NOT_SENT = (aiohttp.ClientConnectorError,)
_BAD_TOKEN = 401
_GONE = 404
_CODE = re.compile("[A-Za-z0-9]{1,60}")  # anything else in its place could be what somebody said
_SERVICES = 32  # addresses of Teams we keep a client for; a tenant has one or two


def read(value: object, *path: str) -> str:
    """The text at the end of a path, or none: what comes from outside can hold anything anywhere."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


class PostError(Exception):
    """Teams did not do what we asked."""

    def __init__(self, status: int, code: str = "", after: float = 0.0) -> None:
        """`code` is Microsoft's name for the reason, `after` how many seconds it asked us to wait."""
        self.code = code if _CODE.fullmatch(code) else ""
        super().__init__(f"Teams answered {status} {self.code}".rstrip())
        self.status = status
        self.after = after


class TokenError(Exception):
    """Microsoft gave us no token to post with."""


class Credentials(Protocol):
    """Who we are to Teams."""

    def get_access_token(self) -> str:
        """A token to post with, after as long as it takes; `TokenError` when there is none for us."""


class Endpoint:
    """One bot registration: what comes in is checked before `on_activity` sees it, what goes out is signed."""

    def __init__(
        self,
        settings: Settings,
        on_activity: OnActivity,
        *,
        keys_url: str = _KEYS_URL,
        credentials: Credentials | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`on_activity` returns the body for an invoke; `SettingsError` when these settings are not safe to run on."""
        if settings.teams_fault:
            raise SettingsError(settings.teams_fault)
        self._app_id = settings.teams_app_id
        self._admitted = settings.teams_admitted
        self._on_activity = on_activity
        own = _Token(lambda: credentials or _Entra(settings)) if self._app_id else None
        self._sender = _Sender(own, sleep)
        self._authentication = _Authentication(self._app_id, self._sender)
        self._adapter = CloudAdapter(self._authentication)
        for model in (schema.Activity, schema.ConversationAccount, schema.ConversationParameters):
            model.enable_additional_properties_sending()  # what botbuilder does not know, such as a tenantId
        JwtTokenExtractor.metadataCache[_KEYS_URL] = _Keys(keys_url)
        JwtTokenExtractor.metadataCache[AuthenticationConstants.TO_BOT_FROM_EMULATOR_OPENID_METADATA_URL] = _NoKeys()

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
            return web.Response() if body is None else web.json_response(body)
        except Exception:
            log.exception("an activity of Teams was not handled")
            return web.Response()

    async def send(self, reference: Activity, activity: Activity) -> str:
        """Post into the conversation of a reference, as a reply where that names an activity.

        The id that Teams gave it, or "": for typing, and for a text with a card, of which it makes two messages.
        """

        async def turn(context: TurnContext) -> None:
            context.activity.id = read(reference, "activityId")
            posted.append((await context.send_activity(_whole(activity))).id)

        posted: list[str] = []
        await self._turn(reference, turn)
        return posted[0]

    async def update(self, reference: Activity, message_id: str, activity: Activity) -> None:
        """Put something else in place of a message of ours; `PostError` 404 when somebody took that away."""
        said = _whole(activity, id=message_id)
        await self._turn(reference, lambda context: context.update_activity(said))

    async def delete(self, reference: Activity, message_id: str) -> None:
        """Take away a message of ours, if it is still there."""
        try:
            await self._turn(reference, lambda context: context.delete_activity(message_id))
        except PostError as error:
            if error.status != _GONE:
                raise

    async def personal(self, reference: Activity) -> Activity:
        """Refer to the private chat with the user of a reference, opened where it was not.

        `PostError` 403 or 404 when the app is not there for them.
        """

        async def turn(context: TurnContext) -> None:
            opened.append(context.activity.conversation.id)

        opened: list[str] = []
        tenant = read(reference, "conversation", "tenantId")
        wanted = schema.ConversationParameters(
            bot=reference["bot"],
            members=[{"id": read(reference, "user", "id")}],
            is_group=False,
            channel_data={"tenant": {"id": tenant}},
            additional_properties={"tenantId": tenant},  # which botbuilder calls tenantID
        )
        where = reference["channelId"], reference["serviceUrl"]
        await self._adapter.create_conversation(self._app_id, turn, wanted, *where)
        if not opened[0]:
            raise PostError(_GONE, "NoConversation")
        kept = {key: reference[key] for key in ("channelId", "serviceUrl", "bot", "user", "locale") if key in reference}
        return kept | {"conversation": {"id": opened[0], "conversationType": "personal", "tenantId": tenant}}

    async def _turn(self, reference: Activity, do: Callable[[TurnContext], Awaitable[object]]) -> None:
        """Do something in the conversation of a reference."""

        async def turn(context: TurnContext) -> None:
            # botbuilder made up the activity of this turn: no reply belongs to it, and it has no locale.
            context.activity.id, context.activity.locale = None, where.locale
            await do(context)

        where = schema.ConversationReference.deserialize(reference)
        await self._adapter.continue_conversation(where, turn, self._app_id)

    async def close(self) -> None:
        """Close what talks to Teams."""
        await self._sender.close()

    async def _admit(self, header: str, activity: Activity) -> None:
        if self._app_id:
            await self._check_token(header, activity)
            if activity["channelId"] != "msteams":  # Azure opens Web Chat and Direct Line on every bot unasked
                raise _RefusedError(403, "not from Teams")
        elif not _is_local(activity["serviceUrl"]):
            raise _RefusedError(403, "without login, a reply goes to this machine only")
        found = _tenants(activity)
        if self._admitted and not (found and found <= self._admitted):
            raise _RefusedError(403, "another tenant; TEAMS_TENANTS says which may speak")

    async def _check_token(self, header: str, activity: Activity) -> None:
        scheme, _, token = header.partition(" ")
        if scheme != "Bearer" or not token or " " in token:
            raise _RefusedError(401, "no bearer token")
        claimed = schema.Activity(channel_id=activity["channelId"], service_url=activity["serviceUrl"])
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


# -- requests ---------------------------------------------------------------------------------------------------------
def _is_local(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    named = parts.hostname is not None and parts.username is None  # before an @ can stand what looks like a host
    return parts.scheme in {"http", "https"} and named and is_loopback(parts.hostname or "")


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
        activity = json.loads(await _body(request), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _RefusedError(400, "broken JSON") from error
    if not isinstance(activity, dict):
        raise _RefusedError(400, "no activity")
    for name in ("type", "channelId", "serviceUrl"):  # botbuilder checks less of a token when one is missing
        if not isinstance(activity.get(name), str) or not activity[name]:
            raise _RefusedError(400, f"no {name}")
    return activity


def _no_number(name: str) -> Never:
    """Python reads and writes NaN, and nobody else does."""
    raise ValueError(name)


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
            if key.get("kty") == "RSA" and key.get("endorsements")  # without, botframework lets it sign for any channel
        }


class _NoKeys:
    """Where botframework looks for the keys of the Emulator, which signs as anybody and for any serviceUrl."""

    async def get(self, key_id: str | None) -> Never:
        raise PermissionError("we do not let the Emulator in")


# -- posting ----------------------------------------------------------------------------------------------------------
def _whole(activity: Activity, **address: str) -> schema.Activity:
    """For botbuilder to address and not to take apart: it would leave out what it does not know."""
    return schema.Activity(type=activity["type"], additional_properties=activity, **address)


class _Authentication(ConfigurationBotFrameworkAuthentication):  # type: ignore[misc] # botbuilder has no types
    """botbuilder's, by which it also gets its clients."""

    def __init__(self, app_id: str, sender: "_Sender") -> None:
        super().__init__(SimpleNamespace(), credentials_factory=PasswordServiceClientCredentialFactory(app_id))
        self._connectors = _Connectors(sender)

    def create_connector_factory(self, claims_identity: object) -> ConnectorFactory:
        return self._connectors

    async def create_user_token_client(self, claims_identity: object) -> None:
        """Only sign-in prompts need one, and it costs 6 ms a message."""


class _Connectors(ConnectorFactory):  # type: ignore[misc] # botbuilder has no types
    """A client per address of Teams: making one costs 8 ms, since msrest looks up 999 numbers in a list of 500."""

    def __init__(self, sender: "_Sender") -> None:
        self._sender = sender
        self._kept = functools.lru_cache(_SERVICES)(self._client)

    async def create(self, service_url: str, audience: str | None = None) -> ConnectorClient:
        return self._kept(service_url)

    def _client(self, service_url: str) -> ConnectorClient:
        client = ConnectorClient(MicrosoftAppCredentials.empty(), service_url)
        client.config.pipeline = AsyncPipeline(sender=self._sender)
        return client


class _Sender(AsyncHTTPSender[Any, Any]):
    """Takes to Teams what botbuilder made of it. All its clients share this one."""

    def __init__(self, token: "_Token | None", sleep: Callable[[float], Awaitable[object]]) -> None:
        self._token = token
        self._sleep = sleep
        self._session: aiohttp.ClientSession | None = None

    async def __aexit__(self, *exc_details: object) -> None:
        """Nothing ends with a client; `close` does it."""

    async def send(self, request: Request[Any], **config: Any) -> Response[Any, Any]:  # noqa: ANN401 - as msrest has it
        """Post, a few times when Teams is busy; typing once."""
        made = request.http_request
        typing = read(_json(made.data or ""), "type") == "typing"
        async with asyncio.timeout(_TYPING_WITHIN if typing else _SEND_WITHIN):
            said = await (self._once(made) if typing else self._insist(made))
        known = {RawDeserializer.CONTEXT_NAME: {"id": read(said, "id")}}  # all that msrest needs to read
        return Response(request, SimpleNamespace(status_code=200), known)  # it takes other yeses for a no

    async def close(self) -> None:
        if self._token:
            self._token.close()
        if self._session:
            await self._session.close()

    async def _insist(self, made: ClientRequest) -> object:
        """Post until Teams takes it. What may have arrived is not posted again: people would read it twice."""
        until = time.monotonic() + _SEND_WITHIN
        passing = _PASSING | {_BAD_TOKEN}
        for pause in _PAUSES:
            after, unheard = 0.0, _NO_ANSWER
            try:
                await self._sign(made)
                unheard = _NOT_SENT if made.method == "POST" else _NO_ANSWER
                return await self._post(made)
            except PostError as error:
                after = error.after
                if error.status not in passing or time.monotonic() + after > until:
                    raise
                if error.status == _BAD_TOKEN:  # the next one is fresh
                    passing = _PASSING
                log.info("Teams did not take it yet: %r", error)
            except unheard as error:
                log.info("Teams did not take it yet: %r", error)
            await self._sleep(max(pause * random.uniform(0.5, 1.5), after))  # noqa: S311
        return await self._once(made)

    async def _once(self, made: ClientRequest) -> object:
        await self._sign(made)
        return await self._post(made)

    async def _sign(self, made: ClientRequest) -> None:
        if self._token:
            made.headers["Authorization"] = f"Bearer {await self._token.get()}"

    async def _post(self, made: ClientRequest) -> object:
        options = {"headers": made.headers, "data": made.data, "allow_redirects": False}
        async with self._client().request(made.method, made.url, **options) as response:
            said = _json(await response.text(errors="replace"))
        if response.status not in range(200, 300):
            if response.status == _BAD_TOKEN and self._token:
                self._token.drop()
            after = _seconds(response.headers.get("Retry-After", ""))
            raise PostError(response.status, read(said, "error", "code"), after)
        return said

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_POST_WITHIN), trust_env=True)
        return self._session


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _seconds(header: str) -> float:
    """How long a Retry-After asks us to wait, in seconds or until a moment."""
    try:
        seconds = float(header) if header.isdecimal() else parsedate_to_datetime(header).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0.0
    return max(seconds, 0.0)


# -- our own token ----------------------------------------------------------------------------------------------------
class _Token:
    """Our token, kept for some minutes and fetched where waiting holds up nobody."""

    def __init__(self, sign_in: Callable[[], Credentials]) -> None:
        self._sign_in = sign_in
        self._own = sign_in()
        # One thread, not the event loop's: while Entra is slow, tokens must not take those that the desk works in.
        self._thread = ThreadPoolExecutor(1, "teams-token")
        self._turn = asyncio.Lock()
        self._token = ""
        self._fetched = -math.inf

    async def get(self) -> str:
        if time.monotonic() - self._fetched > _TOKEN_IS_FRESH:
            async with asyncio.timeout(_POST_WITHIN), self._turn:
                if time.monotonic() - self._fetched > _TOKEN_IS_FRESH:
                    self._token = await asyncio.get_running_loop().run_in_executor(
                        self._thread, self._own.get_access_token
                    )
                    self._fetched = time.monotonic()
        return self._token

    def drop(self) -> None:
        """Forget a token that Teams refused; msal would go on giving the same one."""
        self._own, self._fetched = self._sign_in(), -math.inf

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


class _Entra:
    """Tokens of Microsoft's, by what identifies us. For one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @functools.cached_property
    def _acquire(self) -> Callable[[], dict[str, Any]]:
        return (_by_machine if self._settings.teams_app_type == "UserAssignedMSI" else _by_password)(self._settings)

    def get_access_token(self) -> str:
        try:
            answer = self._acquire()
        except (requests.RequestException, msal.exceptions.MsalServiceError) as error:  # the latter: Entra is unwell
            raise ConnectionError(f"no answer about a token ({type(error).__name__})") from error
        except ValueError as error:  # of msal: no such tenant, or an answer that is no JSON
            raise TokenError(str(error)) from error
        if "access_token" not in answer:
            raise TokenError(f"{answer.get('error')}: {answer.get('error_description')}")
        return str(answer["access_token"])


def _by_password(settings: Settings) -> Callable[[], dict[str, Any]]:
    """Ask Entra, which is asked about the tenant here already."""
    ours = settings.teams_app_type != "MultiTenant"
    tenant = settings.teams_tenant_id if ours else AuthenticationConstants.DEFAULT_CHANNEL_AUTH_TENANT
    client = msal.ConfidentialClientApplication(
        settings.teams_app_id,
        client_credential=settings.teams_app_password.get_secret_value(),
        authority=AuthenticationConstants.TO_CHANNEL_FROM_BOT_LOGIN_URL_PREFIX + tenant,
        timeout=_TOKEN_WITHIN,
    )
    return functools.partial(client.acquire_token_for_client, scopes=[f"{_AUDIENCE}/.default"])


def _by_machine(settings: Settings) -> Callable[[], dict[str, Any]]:
    """Ask the machine we run on, to which Azure gave our identity."""
    us = msal.UserAssignedManagedIdentity(client_id=settings.teams_app_id)
    client = msal.ManagedIdentityClient(us, http_client=_Impatient())
    return functools.partial(client.acquire_token_for_client, resource=_AUDIENCE)


class _Impatient(requests.Session):
    """msal sets no time limit on a machine's answer, and elsewhere than in Azure none comes."""

    def request(self, *args: Any, **options: Any) -> requests.Response:  # noqa: ANN401 - as requests has it
        return super().request(*args, **{"timeout": _TOKEN_WITHIN} | options)
