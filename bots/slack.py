"""Slack: what people say and tap goes to the desk, what the desk answers is posted where they asked."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.slack_blocks import answer_blocks, fallback_text, reason_blocks, text_blocks
from bots.slack_events import Payload, Tap, is_sound, to_event, to_tap
from core.background import Background
from core.courier import Courier
from core.desk import Desk
from core.errors import NotFoundError
from core.language import language_of_locale
from core.model import Answer, Delivery, Event, Feedback, Person
from core.settings import Settings
from core.store import Identity
from core.words import reasons, say
from knowledge.moment import Moment

log = logging.getLogger(__name__)

MAX_BODY = 512 * 1024  # bytes; a tap brings the whole message along, percent-encoded
_CONTENT_TYPES = {"application/json", "application/x-www-form-urlencoded"}
_BODY_WITHIN = 10.0  # seconds; Slack itself gives up after three
_BROKEN_BODY = (OSError, aiohttp.ClientError, HttpProcessingError, web.RequestPayloadError)
_STRANGE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
_TIMEOUT = 10  # seconds for one call of Slack's
_LOCALE_WAIT = 1.5  # seconds that knowing somebody's language is worth
_OK = 200
_TOO_MUCH = ("invalid_blocks", "msg_blocks_too_long", "msg_too_long")
_UNREACHABLE = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)

Post = Callable[..., Awaitable[object]]


class SlackSurface:
    """Listens over HTTP, and through Socket Mode where there is an app token. All work is done after the ack."""

    path = "/slack/events"

    def __init__(self, desk: Desk, settings: Settings) -> None:
        """Nothing is sent before `start`; requests are taken from the first moment."""
        self._desk = desk
        self._settings = settings
        self._quiet = logging.getLogger(f"{__name__}.sdk")
        self._quiet.setLevel(logging.ERROR)  # lower, Slack's own code logs what people write
        self._client = self._web_client(settings.slack_bot_token.get_secret_value())
        secret = settings.slack_signing_secret.get_secret_value()
        self._verifier = SignatureVerifier(secret) if secret.strip() else None
        self._app = self._listening(secret)
        self._courier = Courier(desk, "slack", self._post)
        self._background = Background("slack")
        self._socket: AsyncSocketModeHandler | None = None
        self._own_id = ""
        self._locales: dict[str, str] = {}
        self._stopping = False

    async def start(self) -> None:
        """Learn who we are, take up what a crash left, connect the socket. Slack being away stops none of it."""
        self._client.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT))
        try:
            self._own_id = (await self._client.auth_test())["user_id"]
        except _UNREACHABLE as error:
            reason = _reason(error) or type(error).__name__
            log.error("Slack does not know us (auth.test: %s). Check SLACK_BOT_TOKEN and the network.", reason)  # noqa: TRY400 - the sentence is all
        self._background.run(self._courier.watch(), lasting=True)
        app_token = self._settings.slack_app_token.get_secret_value()
        if app_token:
            client = self._web_client(app_token)
            self._socket = AsyncSocketModeHandler(self._app, app_token, logger=self._quiet, web_client=client)
            self._background.run(self._socket.connect_async(), lasting=True)  # type: ignore[no-untyped-call] # until it succeeds

    async def stop(self) -> None:
        """Take nothing new, and finish what is under way."""
        self._stopping = True
        if self._socket:
            await self._socket.close_async()  # type: ignore[no-untyped-call]
        await self._background.stop()
        if self._client.session:
            await self._client.session.close()

    async def handle(self, request: web.Request) -> web.Response:
        """Take one request. Nothing in it is read before its signature is found to be Slack's."""
        if self._verifier is None:
            return web.Response(status=404)  # Socket Mode only
        if self._stopping:
            return web.Response(status=503)  # Slack tries again, and finds whoever comes after us
        if request.content_type not in _CONTENT_TYPES:
            return web.Response(status=415)
        raw = await _body(request)
        if not _is_signed(self._verifier, raw, request.headers):
            return web.Response(status=401)
        return await self._dispatch(raw, request)

    # -- listening ------------------------------------------------------------------------------------------------
    async def _dispatch(self, raw: bytes, request: web.Request) -> web.Response:
        try:
            asked = AsyncBoltRequest(body=raw.decode(), query=request.query_string, headers=dict(request.headers))
            if is_sound(asked.body):
                return await to_aiohttp_response(await self._app.async_dispatch(asked))
        except _STRANGE as error:  # Bolt looks into a body without checking it
            log.warning("Slack sent what is no event or tap (%s)", type(error).__name__)
        return web.Response(status=400)

    def _web_client(self, token: str | None = None) -> AsyncWebClient:
        return AsyncWebClient(
            token,
            base_url=self._settings.slack_api_url,
            timeout=_TIMEOUT,
            logger=self._quiet,
            retry_handlers=_retry_handlers(),
        )

    def _listening(self, secret: str) -> AsyncApp:
        async def known(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            token, own_id = self._client.token, self._own_id or None
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token, bot_user_id=own_id)

        app = AsyncApp(
            name=__name__,
            logger=self._quiet,
            client=self._web_client(),
            signing_secret=secret,
            authorize=known,  # left to itself, Bolt calls auth.test before it acks
        )
        app.error(self._listener_failed)
        app.event("app_mention")(self._said)
        app.event("message")(self._said)
        app.event(re.compile(""))(_nothing)  # unanswered, an event we are sent but do not use counts as a failure
        for name, work in (
            ("more", self._more),
            ("less", self._less),
            ("reshape", self._reshape),
            ("open", self._open),
            ("wrong", self._wrong),
            ("reason", self._rate),
            ("", self._unknown),
        ):
            app.action(re.compile(f"^{name}(:|$)" if name else ""))(self._tapped(work))
        return app

    async def _said(self, body: Payload) -> None:
        event = to_event(body, self._own_id)  # Bolt has acked
        if event:
            self._background.run(self._take(event))

    async def _take(self, event: Event) -> None:
        await self._courier.take(replace(event, locale=await self._locale(event.user)))

    def _tapped(self, work: Callable[[Tap], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def listener(ack: AsyncAck, body: Payload) -> None:
            await ack()
            self._background.run(self._try(work, to_tap(body)))

        return listener

    async def _try(self, work: Callable[[Tap], Awaitable[None]], tap: Tap) -> None:
        """Whoever taps gets something to see, whatever breaks."""
        try:
            await work(tap)
        except Exception as error:
            if not isinstance(error, NotFoundError):
                log.exception("the button %r failed on slack", tap.action_id)
            await self._apologise(error, tap.channel, tap.user, tap.thread_ts)

    async def _listener_failed(self, error: Exception, body: Payload) -> None:
        """Something before our own work: a payload that is not what we think it is."""
        log.error("a listener failed on slack", exc_info=error)
        said = body.get("event", {})
        if said.get("user") and said.get("channel") and not said.get("bot_id"):  # a bot would make it a conversation
            await self._apologise(error, said["channel"], said["user"], said.get("thread_ts"))

    async def _apologise(self, error: Exception, channel: str, user: str, thread_ts: str | None) -> None:
        sorry = self._desk.sorry("", await self._locale(user))
        sentence = say("answer.gone", sorry.language) if isinstance(error, NotFoundError) else sorry.message
        try:
            await self._client.chat_postEphemeral(channel=channel, user=user, thread_ts=thread_ts, text=sentence)
        except _UNREACHABLE:
            log.exception("could not say sorry on slack")

    # -- buttons --------------------------------------------------------------------------------------------------
    async def _more(self, tap: Tap) -> None:
        await self._put(self._in_place(tap), await self._as_shown(tap), more=True)

    async def _less(self, tap: Tap) -> None:
        await self._put(self._in_place(tap), await self._as_shown(tap))

    async def _as_shown(self, tap: Tap) -> Answer:
        """The answer in the shape that stands there: it may have been reshaped since it was given."""
        answer_id, _, moment = tap.value.partition(" ")
        answer = await asyncio.to_thread(self._desk.recall, answer_id)
        if answer.card is None or moment in {"", answer.moment}:
            return answer
        person = await self._person(tap)
        other = await asyncio.to_thread(
            self._desk.open, answer.card.article_id, person, language=answer.language, moment=Moment(moment)
        )
        return replace(answer, moment=other.moment, card=other.card)

    async def _reshape(self, tap: Tap) -> None:
        answer_id, _, moment = tap.value.partition(" ")
        person = await self._person(tap)
        answer = await asyncio.to_thread(self._desk.reshape, answer_id, Moment(moment), person)
        has_it = answer.moment == moment
        await self._put(self._in_place(tap), answer, more=not has_it)
        if not has_it:
            await self._whisper(tap, say("reshape.nothing", answer.language))

    async def _open(self, tap: Tap) -> None:
        """Another title: for the asker alone, as it may be less public than the place."""
        language, _, article_id = tap.value.partition(" ")
        person = await self._person(tap)
        speak = language_of_locale(language)
        answer = await asyncio.to_thread(self._desk.open, article_id, person, language=speak, surface="slack")
        post = self._posting(tap.channel, tap.thread_ts) if tap.direct else self._whispering(tap)
        await self._put(post, answer)

    async def _wrong(self, tap: Tap) -> None:
        answer = await asyncio.to_thread(self._desk.recall, tap.value)
        await self._whispering(tap)(
            text=say("feedback.ask", answer.language), blocks=reason_blocks(answer.id, answer.language)
        )

    async def _rate(self, tap: Tap) -> None:
        reason = tap.action_id.partition(":")[2]
        if reason not in reasons("nl"):
            await self._unknown(tap)
        answer = await asyncio.to_thread(self._desk.recall, tap.value)
        person = await self._person(tap)
        feedback = Feedback(answer.id, person.id, helpful=False, reason=reason)
        await asyncio.to_thread(self._desk.rate, feedback)
        thanks = say("feedback.thanks", answer.language)
        await self._in_place(tap)(text=thanks, blocks=text_blocks(thanks))

    async def _unknown(self, tap: Tap) -> None:
        raise NotFoundError(f"There is no button {tap.action_id!r} (any more).")

    # -- saying ---------------------------------------------------------------------------------------------------
    async def _post(self, delivery: Delivery) -> None:
        """What the courier calls: the reply to a message, in its thread."""
        await self._put(self._posting(delivery.address["channel"], delivery.address["thread_ts"]), delivery.answer)

    async def _put(self, post: Post, answer: Answer, *, more: bool = False) -> None:
        """Post an answer in blocks; once more in plain text when Slack refuses those."""
        text = fallback_text(answer)
        try:
            await post(text=text, blocks=answer_blocks(answer, more=more))
        except SlackApiError as error:
            reason = _reason(error)
            if not any(refusal in reason for refusal in _TOO_MUCH):
                raise
            log.warning("Slack refused the blocks of an answer (%s), so it goes as plain text", reason)
            await post(text=text)

    def _posting(self, channel: str, thread_ts: str | None) -> Post:
        return partial(
            self._client.chat_postMessage,
            channel=channel,
            thread_ts=thread_ts,
            unfurl_links=False,
            unfurl_media=False,
        )

    def _whispering(self, tap: Tap) -> Post:
        return partial(self._client.chat_postEphemeral, channel=tap.channel, user=tap.user, thread_ts=tap.thread_ts)

    async def _whisper(self, tap: Tap, sentence: str) -> None:
        await self._whispering(tap)(text=sentence, blocks=text_blocks(sentence))

    def _in_place(self, tap: Tap) -> Post:
        """Through the response URL, which can replace an ephemeral message too. It reports refusal in its status."""
        hook = AsyncWebhookClient(
            tap.response_url,
            timeout=_TIMEOUT,
            session=self._client.session,
            logger=self._quiet,
            retry_handlers=_retry_handlers(),
        )

        async def post(**message: Any) -> None:  # noqa: ANN401 - a message, as Slack has it
            said = await hook.send(replace_original=True, **message)
            if said.status_code != _OK:
                sentence, reason = "Slack did not replace the message.", {"error": said.body.strip()}
                raise SlackApiError(sentence, reason)  # type: ignore[no-untyped-call]

        return post

    # -- people ---------------------------------------------------------------------------------------------------
    async def _person(self, tap: Tap) -> Person:
        return await asyncio.to_thread(self._desk.person, Identity("slack", tap.team, tap.user))

    async def _locale(self, user: str) -> str:
        """The language of somebody's Slack, asked once; when Slack does not say, the question itself must tell."""
        if user in self._locales:
            return self._locales[user]
        locale = ""
        try:
            async with asyncio.timeout(_LOCALE_WAIT):
                found = await self._client.users_info(user=user, include_locale=True)
            locale = found["user"].get("locale") or ""
        except SlackApiError as error:  # asking again will not help: most likely the scope is missing
            log.info("Slack does not tell a language (%s)", _reason(error))
        except (*_UNREACHABLE, *_STRANGE):
            return ""
        self._locales[user] = locale
        return locale


def make_surface(desk: Desk, settings: Settings) -> SlackSurface:
    """The Slack app of this workspace, ready to be mounted."""
    return SlackSurface(desk, settings)


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(_BODY_WITHIN):
            return await request.clone(client_max_size=MAX_BODY).read()  # raises 413
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error
    except _BROKEN_BODY as error:
        raise web.HTTPBadRequest from error


def _is_signed(verifier: SignatureVerifier, raw: bytes, headers: Mapping[str, str]) -> bool:
    try:
        return verifier.is_valid_request(raw, dict(headers))
    except (ValueError, TypeError):  # a timestamp that is no number, a body or signature that is no text
        return False


def _reason(error: Exception) -> str:
    """Slack's own word for what is wrong."""
    try:
        return str(error.response["error"]) if isinstance(error, SlackApiError) else ""
    except (KeyError, TypeError):  # no JSON came back
        return ""


def _retry_handlers() -> list[AsyncRetryHandler]:
    return [
        AsyncConnectionErrorRetryHandler(),
        AsyncServerErrorRetryHandler(),
        AsyncRateLimitErrorRetryHandler(max_retry_count=3),
    ]


async def _nothing() -> None:
    """Acked by Bolt, which is all."""
