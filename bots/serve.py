"""One process: the web chat on loopback, Slack and Teams on the public listener."""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aiohttp import web

from bots import web as web_chat
from core import meter
from core.desk import Desk
from core.errors import SettingsError
from core.files import follow
from core.settings import Settings
from core.words import say

log = logging.getLogger(__name__)

STOP_WITHIN = 3.0  # seconds for what is under way in a listener
_DAY = 24 * 3600.0  # seconds
IDLE = 75.0  # seconds that a connection may take to ask something
MAX_CONNECTIONS = 256  # to a listener; both together stay well below the 1024 files that a process may usually open
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

MAX_BODY = 1024**2  # bytes; neither platform sends more

Tell = Callable[[str], None]
Handler = Callable[[web.Request], Awaitable[web.Response]]


class Surface(Protocol):
    """A chat platform as the public listener sees it."""

    @property
    def path(self) -> str:
        """Where the platform posts."""

    @property
    def pages(self) -> Sequence[tuple[str, Handler]]:
        """What a browser may get besides."""

    async def handle(self, request: web.Request) -> web.Response:
        """Take one request."""

    async def start(self) -> None:
        """Take up what a crash left."""

    async def stop(self) -> None:
        """Finish what is under way."""


def surfaces(desk: Desk, settings: Settings) -> dict[str, Surface]:
    """Those that are configured; `SettingsError` where somebody began to and one of them cannot be safe."""
    found: dict[str, Surface] = {}
    if settings.teams_without_app:
        raise SettingsError(settings.teams_without_app)
    if settings.slack_is_on:
        from bots import slack

        found["Slack"] = slack.make_surface(desk, settings)
    if settings.teams_is_on:
        from bots import teams

        found["Teams"] = teams.make_surface(desk, settings)
    return found


def local_app(desk: Desk) -> web.Application:
    """The web chat, and `/readyz` and `/metrics` for whoever watches over this machine."""
    app = web_chat.make_app(desk)

    async def ready(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "articles": await asyncio.to_thread(desk.ready)})

    async def metrics(request: web.Request) -> web.Response:
        shown = await asyncio.to_thread(meter.shown, desk)
        return web.Response(body=shown, headers={"Content-Type": meter.CONTENT_TYPE})

    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", metrics)
    return app


def public_app(found: dict[str, Surface]) -> web.Application:
    """The platforms' endpoints, the pages of an installation, and `/healthz`; nothing else."""
    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_get("/healthz", _alive)
    for surface in found.values():
        app.router.add_post(surface.path, surface.handle)
        app.add_routes([web.get(path, handler) for path, handler in surface.pages])
    return app


async def _alive(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def serve(desk: Desk, settings: Settings, *, tell: Tell) -> None:
    """Run until told to stop; `tell` gets the lines to print, the last once everything listens."""
    found = surfaces(desk, settings)
    async with contextlib.AsyncExitStack() as stack:
        counting = meter.CountErrors()
        logging.getLogger().addHandler(counting)
        stack.callback(logging.getLogger().removeHandler, counting)
        local = await _listen(stack, local_app(desk), "127.0.0.1", settings.web_port, "BIJDEHAND_WEB_PORT")
        if found:
            port = await _listen(stack, public_app(found), settings.host, settings.port, "BIJDEHAND_PORT")
        tell(f"Web chat    {address('127.0.0.1', local)}/")
        stack.push_async_callback(_stop, found)
        for name in ("Slack", "Teams"):
            if name in found:
                await found[name].start()
                tell(f"{name:<11} {on(name, address(settings.host, port) + found[name].path, settings)}")
            else:
                tell(f"{name:<11} off (bijdehand doctor says what it needs)")
        for regular in (_follow(desk, settings), _sweep(desk)):
            stack.callback(asyncio.ensure_future(regular).cancel)
        stop = _told_to_stop()
        tell(f"Bijdehand is listening. Try: {say('help.example', settings.language)}")
        await stop.wait()


def on(name: str, url: str, settings: Settings) -> str:
    """By which ways a platform reaches us, and whether that is of any use yet."""
    if name != "Slack":
        return f"on, {url}"
    ways = ["through Socket Mode"] if settings.slack_app_token.get_secret_value() else []
    ways += [url] if settings.slack_signing_secret.get_secret_value() else []
    nobody = settings.slack_is_shared and not settings.slack_teams
    more = "; no workspace may add it yet: name them in SLACK_TEAMS" if nobody else ""
    return f"on, {' and '.join(ways)}{more}"


def address(host: str, port: int) -> str:
    """As a browser takes it."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _follow(desk: Desk, settings: Settings) -> None:
    """Read the folder that is leading, from time to time."""
    while settings.folder:
        try:
            await asyncio.to_thread(follow, desk.store, desk.embedder, settings.folder, zone=settings.zone)
        except Exception:
            log.exception("the folder %s could not be read; what was read before stays", settings.folder)
        await asyncio.sleep(settings.folder_minutes * 60)


async def _sweep(desk: Desk) -> None:
    """Once a day, erase what has been kept for long enough."""
    while True:
        try:
            await asyncio.to_thread(desk.store.sweep, desk.now())
        except Exception:
            log.exception("what is old could not be erased; tomorrow again")
        await asyncio.sleep(_DAY)


async def _stop(found: dict[str, Surface]) -> None:
    """All at once: whoever told us to stop may not wait much longer than one of them needs."""
    await asyncio.gather(*(surface.stop() for surface in found.values()))


async def _listen(stack: contextlib.AsyncExitStack, app: web.Application, host: str, port: int, variable: str) -> int:
    """Listen until the stack is left; the port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_WITHIN, keepalive_timeout=IDLE)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    serving = runner.server
    assert serving  # noqa: S101 - setup has made it

    def connected() -> asyncio.BaseProtocol:
        return serving() if len(serving.connections) < MAX_CONNECTIONS else _Busy()

    listener = await listen(connected, host, port, variable)
    stack.callback(listener.close)
    found: int = listener.sockets[0].getsockname()[1]
    return found


async def listen(connected: Callable[[], asyncio.BaseProtocol], host: str, port: int, variable: str) -> asyncio.Server:
    """Listen; a `SettingsError` says which setting is in the way."""
    try:
        return await asyncio.get_running_loop().create_server(connected, host, port)
    except (OSError, UnicodeError) as error:  # the latter when a part of a name is empty or too long
        if _is_about_the_host(error):
            raise SettingsError(
                f"This machine cannot listen on {host!r}. Set BIJDEHAND_HOST to its address."
            ) from error
        why = getattr(error, "strerror", None) or error
        raise SettingsError(f"Cannot listen on {host}:{port} ({why}). Set {variable} to another.") from error


class _Busy(asyncio.Protocol):
    """Sends one connection too many away. A middleware would not count those that never finish asking."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - as asyncio has it for a stream
        transport.write(_BUSY)
        transport.close()


def _is_about_the_host(error: Exception) -> bool:
    if isinstance(error, OSError) and not isinstance(error, socket.gaierror):
        return error.errno in {errno.EADDRNOTAVAIL, None}  # none when no address of the name can be had
    return True


def _told_to_stop() -> asyncio.Event:
    """Set by the first signal; the second ends the process at once, which the store survives."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def told() -> None:
        stop.set()
        for name in signals:
            loop.remove_signal_handler(name)
            signal.signal(name, signal.SIG_DFL)

    for name in signals:
        loop.add_signal_handler(name, told)
    return stop
