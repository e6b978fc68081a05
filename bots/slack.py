"""Slack: what people say, tap and fill in goes to the desk; what the desk answers is shown where they did it."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from bots.slack_client import UNREACHABLE, make_client, quiet, socket_log
from bots.slack_coach import SlackCoach
from bots.slack_commands import Commands
from bots.slack_events import (
    Command,
    Payload,
    Spot,
    earlier,
    is_sound,
    is_stranger,
    own_id_of,
    to_command,
    to_event,
    to_shortcut,
    to_submission,
    to_tap,
    to_withdrawal,
)
from bots.slack_install import Handler, Installs
from bots.slack_manifest import ASK, ASK_ABOUT, COACH, SAVE, bot_scopes
from bots.slack_reply import Replies
from bots.slack_requests import Door
from bots.slack_screens import COACH as COACH_FORM
from bots.slack_screens import OPEN, TAP, WITH
from bots.slack_taps import Taps
from bots.slack_views import waiting_modal
from bots.slack_workspaces import Workspaces
from core.background import Background
from core.coach import Coach
from core.courier import Courier
from core.desk import Desk
from core.errors import BijdehandError, NotFoundError, StoreError
from core.model import Event
from core.postman import Postman
from core.secrets import Secrets
from core.settings import Settings
from core.words import say
from knowledge.article import Language

log = logging.getLogger(__name__)

_STRANGE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
_READ_IN_THREAD = 200  # messages, the oldest first; an app that is sold outside Slack's marketplace gets fifteen
_CHECK_EVERY = 600.0  # seconds between looking whom to ask whether it worked out

Work = Callable[[], Awaitable[None]]


class SlackSurface:
    """Listens over HTTP, and through Socket Mode where there is an app token. All work is done after the ack."""

    path = "/slack/events"

    def __init__(self, desk: Desk, settings: Settings) -> None:
        """Nothing is sent before `start`; requests are taken from the first moment."""
        self._desk = desk
        self._settings = settings
        self._installs = _installs(desk, settings)
        self._workspaces = Workspaces(settings, desk.store, self._installs)
        self._replies = Replies(self._workspaces)
        self._taps = Taps(desk, self._replies, self._workspaces)
        self._coach = Coach(desk)
        self._screens = SlackCoach(self._coach, self._replies, self._taps, self._workspaces)
        self._taps.show_with(self._screens)
        self._postman = Postman(self._coach, "slack", self._screens.post)
        self._commands = Commands(desk, self._replies, self._taps, hears=settings.slack_follow_threads)
        self._courier = Courier(
            desk, "slack", self._replies.deliver, self._show_work, self._replies.unsend, self._learn
        )
        self._background = Background("slack")
        secret = settings.slack_signing_secret.get_secret_value()
        self._door = Door(secret)
        self._app = self._listening(secret)
        self._socket: AsyncSocketModeHandler | None = None
        self._at_work: set[str] = set()  # messages whose asker sees that we are
        self._stopping = False

    @property
    def pages(self) -> list[tuple[str, Handler]]:
        """What a browser may get: the pages of an installation, where workspaces add us themselves."""
        return self._installs.routes() if self._installs else []

    async def start(self) -> None:
        """Learn who we are, take up what a crash left, connect the socket. Slack being away stops none of it."""
        await self._workspaces.start()
        self._background.run(self._courier.watch(), lasting=True)
        self._background.run(self._postman.watch(), lasting=True)
        self._background.run(self._check(), lasting=True)
        app_token = self._settings.slack_app_token.get_secret_value()
        if app_token:
            client = make_client(self._settings, app_token)
            self._socket = AsyncSocketModeHandler(self._app, app_token, logger=socket_log, web_client=client)
            self._background.run(self._socket.connect_async(), lasting=True)  # type: ignore[no-untyped-call] # until it succeeds

    async def stop(self) -> None:
        """Take nothing new, and finish what is under way."""
        self._stopping = True
        if self._socket:
            await self._socket.close_async()  # type: ignore[no-untyped-call]
        await self._background.stop()
        await self._workspaces.stop()

    async def handle(self, request: web.Request) -> web.Response:
        """Take one request."""
        if self._stopping:
            return web.Response(status=503)  # Slack tries again, and finds whoever comes after us
        return await self._dispatch(await self._door.body(request), request)

    # -- listening ------------------------------------------------------------------------------------------------
    async def _dispatch(self, raw: bytes, request: web.Request) -> web.Response:
        try:
            asked = AsyncBoltRequest(body=raw.decode(), query=request.query_string, headers=dict(request.headers))
            if is_sound(asked.body):
                return await to_aiohttp_response(await self._app.async_dispatch(asked))
        except StoreError:
            log.exception("Slack is asked to come back: the workspaces cannot be read")
            return web.Response(status=503)
        except _STRANGE as error:  # Bolt looks into a body without checking it
            log.warning("Slack sent what is no event or tap (%s)", type(error).__name__)
        return web.Response(status=400)

    def _listening(self, secret: str) -> AsyncApp:
        app = AsyncApp(
            name=quiet.name,  # Bolt sets the level of the logger of this name
            logger=quiet,
            client=make_client(self._settings),
            signing_secret=secret,
            authorize=self._workspaces.authorize,  # type: ignore[arg-type] # none: Bolt leaves the event alone; left to itself, Bolt calls auth.test before it acks
            ignoring_self_events_enabled=False,  # we do that ourselves, and people do delete our messages
        )
        app.error(self._listener_failed)
        app.event("app_mention")(self._said)
        app.event("message")(self._said)
        app.event("app_home_opened")(self._opened)
        app.event("app_uninstalled")(self._gone)
        app.event("tokens_revoked")(self._gone)
        app.event(re.compile(""))(_nothing)  # unanswered, an event we are sent but do not use counts as a failure
        app.action(re.compile(""))(self._tapped)
        app.command(COACH)(self._coached)
        app.command(re.compile(""))(self._commanded)
        app.shortcut(ASK_ABOUT)(self._asked_about)
        app.shortcut(SAVE)(self._saved)
        app.shortcut(re.compile(""))(self._asked_from_anywhere)
        app.view(ASK)(self._asked_in_form)
        app.view("share")(self._shared)
        app.view(COACH_FORM)(self._filled_in)
        app.view_closed(COACH_FORM)(self._closed)
        app.view(re.compile(""))(_close)
        return app

    async def _listener_failed(self, error: Exception, body: Payload) -> BoltResponse:
        """Something before our own work: a payload that is not what we think it is. Not acked yet, it is refused."""
        log.error("a listener failed on slack", exc_info=error)
        said = body.get("event", {})
        to_us = said.get("type") == "app_mention" or str(said.get("channel")).startswith("D")
        if to_us and said.get("user") and not said.get("bot_id"):  # a bot would make it a conversation
            spot = Spot(body.get("team_id") or "", "", said["user"], said["channel"], said.get("thread_ts"))
            await self._apologise(error, spot)
        return BoltResponse(status=400)

    # -- messages -------------------------------------------------------------------------------------------------
    async def _said(self, body: Payload) -> None:
        own_id = own_id_of(body) or await self._workspaces.own_id(body["team_id"], body.get("enterprise_id") or "")
        gone = to_withdrawal(body)
        event = None if gone else to_event(body, own_id)
        if gone:
            spot = gone.spot
            self._background.run(self._courier.withdraw(spot.team, spot.channel, gone.message_id, spot.address()))
        elif event and is_stranger(body, self._settings.slack_teams):
            if event.addressed:
                self._run(Spot(**event.address), lambda: self._turn_away(Spot(**event.address)))
        elif event and (event.addressed or self._hears(body["event"])):
            self._background.run(self._take(event))  # Bolt has acked

    def _hears(self, said: Payload) -> bool:
        """Whether to read along: among a few, whose messages reach us anyway, or where the settings want it."""
        return self._settings.slack_follow_threads or said.get("channel_type") == "mpim"

    async def _turn_away(self, spot: Spot) -> None:
        """Articles are for colleagues; a channel may be shared with others."""
        language = await self._taps.language(spot)
        await self._replies.tell(spot, say("slack.stranger", language), language)

    async def _take(self, event: Event) -> None:
        await self._courier.take(event)
        if event.message_id in self._at_work:
            self._at_work.discard(event.message_id)
            await self._set_status(event, "")  # beside a thread, an answer does not take it away

    async def _learn(self, event: Event) -> Event:
        """The asker's language, and what stands above a question that was put halfway a thread."""
        spot = Spot(**event.address)
        locale = await self._workspaces.locale(spot.team, spot.user, spot.enterprise)
        return replace(event, locale=locale, before=await self._said_before(event, spot))

    async def _said_before(self, event: Event, spot: Spot) -> tuple[str, ...]:
        midway = event.addressed and not event.direct and event.thread not in {"", event.message_id}
        if not midway or not self._settings.slack_follow_threads:
            return ()
        client = await self._workspaces.client(spot.team, spot.enterprise)
        own_id = await self._workspaces.own_id(spot.team, spot.enterprise)
        try:
            found = await client.conversations_replies(channel=event.place, ts=event.thread, limit=_READ_IN_THREAD)
        except UNREACHABLE as error:
            log.info("Slack does not show the thread (%s)", type(error).__name__)
            return ()
        return earlier(found.get("messages"), event.message_id, own_id)

    async def _show_work(self, event: Event) -> None:
        """A sign that we are at it. A form says so already."""
        spot = Spot(**event.address)
        language = await self._taps.language(spot)
        if spot.response_url:
            await self._replies.tell(spot, say("error.busy", language), language)
        elif not spot.view_id:
            try:
                await self._set_status(event, say("slack.working", language))
                self._at_work.add(event.message_id)
            except SlackApiError:
                await self._replies.tell(spot, say("error.busy", language), language)

    async def _set_status(self, event: Event, status: str) -> None:
        client = await self._workspaces.client(event.team, event.address.get("enterprise", ""))
        thread = event.thread or event.message_id
        await client.assistant_threads_setStatus(channel_id=event.place, thread_ts=thread, status=status)

    # -- commands, shortcuts and forms ----------------------------------------------------------------------------
    async def _commanded(self, ack: AsyncAck, body: Payload) -> None:
        await ack()
        command = to_command(body)
        self._run(command.spot, lambda: self._command(command))

    async def _command(self, command: Command) -> None:
        """A word that we know, or a question, which is noted before anything else is done."""
        if not await self._commands.do(command):
            await self._ask("command", command.text, command.spot)

    async def _ask(self, way: str, text: str, spot: Spot, *, stays: bool = False) -> None:
        """A question that came without a message. Its conversation is this person's alone, in this place and way."""
        name = spot.view_id or spot.trigger_id
        event = Event(
            surface="slack",
            team=spot.team,
            place=f"{way} {spot.user} {spot.channel}".strip(),
            message_id=name,
            user=spot.user,
            text=text,
            address=spot.address(),
            stays=stays,
        )
        await self._courier.take(event)

    async def _asked_about(self, ack: AsyncAck, body: Payload) -> None:
        await ack()
        shortcut = to_shortcut(body)
        way = f"shortcut {shortcut.about}"
        self._run(shortcut.spot, lambda: self._ask(way, shortcut.text, shortcut.spot, stays=True))

    async def _asked_from_anywhere(self, ack: AsyncAck, body: Payload) -> None:
        await ack()
        shortcut = to_shortcut(body)
        self._run(shortcut.spot, lambda: self._taps.open_form(shortcut.spot))

    async def _asked_in_form(self, ack: AsyncAck, body: Payload) -> None:
        filled = to_submission(body)
        await ack(response_action="update", view=waiting_modal(self._known_language(filled.spot)))
        self._run(filled.spot, lambda: self._ask("form", filled.values.get("text", ""), filled.spot), waiting=True)

    async def _shared(self, ack: AsyncAck, body: Payload) -> None:
        filled = to_submission(body)
        await ack(response_action="update", view=waiting_modal(self._known_language(filled.spot), "share.waiting"))
        self._run(filled.spot, lambda: self._taps.share_chosen(filled), waiting=True)

    # -- the coach's desk ------------------------------------------------------------------------------------------
    async def _coached(self, ack: AsyncAck, body: Payload) -> None:
        await ack()
        command = to_command(body)
        self._run(command.spot, lambda: self._screens.command(command))

    async def _saved(self, ack: AsyncAck, body: Payload) -> None:
        await ack()
        shortcut = to_shortcut(body)
        author = str((body.get("message") or {}).get("user") or "")
        self._run(shortcut.spot, lambda: self._screens.save(shortcut, author))

    async def _filled_in(self, ack: AsyncAck, body: Payload) -> None:
        await self._screens.submitted(ack, body)

    async def _closed(self, ack: AsyncAck, body: Payload) -> None:
        await ack()
        self._run(to_submission(body).spot, lambda: self._screens.closed(body))

    def _known_language(self, spot: Spot) -> Language:
        """The language to speak when there is no time to ask Slack for it."""
        return self._workspaces.known_language(spot.team, spot.user) or self._desk.language

    # -- taps -----------------------------------------------------------------------------------------------------
    async def _tapped(self, ack: AsyncAck, body: Payload) -> None:
        await ack()
        tap = to_tap(body)
        if tap.action_id.partition(":")[0] in {TAP, OPEN, WITH}:
            self._run(tap.spot, lambda: self._screens.tapped(body))
        else:
            self._run(tap.spot, lambda: self._taps.work(tap.action_id)(tap))

    def _run(self, spot: Spot, work: Work, *, waiting: bool = False) -> None:
        """Do it after the ack. `waiting`: a form is, for what it will show."""
        self._background.run(self._try(spot, work, waiting=waiting))

    async def _try(self, spot: Spot, work: Work, *, waiting: bool) -> None:
        """Whoever did something gets something to see, whatever breaks."""
        try:
            await work()
        except Exception as error:
            if not isinstance(error, NotFoundError):
                log.exception("something that was asked for by a tap failed on slack")
            await self._apologise(error, spot, waiting=waiting)

    async def _apologise(self, error: Exception, spot: Spot, *, waiting: bool = False) -> None:
        try:
            try:
                language = await self._taps.language(spot)
            except BijdehandError:  # it may be the store itself that is broken
                language = self._desk.language
            key = "answer.gone" if isinstance(error, NotFoundError) else "error.broken"
            say_it = self._replies.fill_in if waiting else self._replies.tell
            await say_it(spot, say(key, language), language)
        except Exception:
            log.exception("could not say sorry on slack")

    # -- home, and coming and going -------------------------------------------------------------------------------
    async def _opened(self, body: Payload) -> None:
        said = body["event"]
        spot = Spot(body["team_id"], body.get("enterprise_id") or "", said["user"], said.get("channel") or "")
        work = self._taps.show_home if said.get("tab") == "home" else self._taps.show_examples
        self._background.run(work(spot))

    async def _gone(self, body: Payload) -> None:
        said = body["event"]
        if said["type"] == "tokens_revoked" and not (said.get("tokens") or {}).get("bot"):
            return  # somebody's own token, of which we have none
        enterprise = body.get("enterprise_id") or ""
        whole = any(us.get("is_enterprise_install") for us in body.get("authorizations") or ())
        team = "" if whole and enterprise else body.get("team_id") or ""
        at = datetime.fromtimestamp(body.get("event_time") or time.time(), UTC)
        self._background.run(self._workspaces.forget(team, enterprise if not team else "", at))

    async def _check(self) -> None:
        while True:
            try:
                await self._taps.check()
            except Exception:
                log.exception("could not ask on slack whether it worked out")
            await asyncio.sleep(_CHECK_EVERY)


def make_surface(desk: Desk, settings: Settings) -> SlackSurface:
    """The Slack app of this deployment, ready to be mounted."""
    return SlackSurface(desk, settings)


def _installs(desk: Desk, settings: Settings) -> Installs | None:
    if not settings.slack_is_shared:
        return None
    secrets = Secrets(settings)
    return Installs(settings, desk.store, secrets, bot_scopes(settings))


async def _nothing() -> None:
    """Acked by Bolt, which is all."""


async def _close(ack: AsyncAck) -> None:
    await ack()
