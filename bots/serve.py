"""One process: the web chat on loopback, Slack and Teams on the public listener."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from bots import web as web_chat
from core.desk import Desk
from core.errors import SettingsError
from core.settings import Settings

MAX_BODY = 1024**2  # bytes; neither platform sends more

Tell = Callable[[str], None]


class Surface(Protocol):
    """A chat platform as the public listener sees it."""

    @property
    def path(self) -> str:
        """Where the platform posts."""

    async def handle(self, request: web.Request) -> web.Response:
        """Take one request."""

    async def start(self) -> None:
        """Take up what a crash left."""

    async def stop(self) -> None:
        """Finish what is under way."""


def surfaces(desk: Desk, settings: Settings) -> dict[str, Surface]:
    """Those that are configured."""
    found: dict[str, Surface] = {}
    if settings.slack_is_on:
        from bots import slack

        found["Slack"] = slack.make_surface(desk, settings)
    if settings.teams_is_on:
        from bots import teams

        found["Teams"] = teams.make_surface(desk, settings)
    return found


def local_app(desk: Desk) -> web.Application:
    """The web chat, and `/readyz` for whoever watches over this machine."""
    app = web_chat.make_app(desk)

    async def ready(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "articles": await asyncio.to_thread(desk.ready)})

    app.router.add_get("/readyz", ready)
    return app


def public_app(found: dict[str, Surface]) -> web.Application:
    """The platforms' endpoints and `/healthz`, and nothing else."""
    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_get("/healthz", _alive)
    for surface in found.values():
        app.router.add_post(surface.path, surface.handle)
    return app


async def _alive(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def serve(desk: Desk, settings: Settings, *, tell: Tell) -> None:
    """Run until told to stop; `tell` gets the lines to print once everything listens."""
    found = surfaces(desk, settings)
    async with contextlib.AsyncExitStack() as stack:
        local = await _listen(stack, local_app(desk), "127.0.0.1", settings.web_port, "BIJDEHAND_WEB_PORT")
        tell(f"Web chat    http://127.0.0.1:{local}/")
        if found:
            port = await _listen(stack, public_app(found), settings.host, settings.port, "BIJDEHAND_PORT")
        stack.push_async_callback(_stop, found)
        for name in ("Slack", "Teams"):
            if name in found:
                await found[name].start()
                tell(f"{name:<11} on, http://{settings.host}:{port}{found[name].path}")
            else:
                tell(f"{name:<11} off (bijdehand doctor says what it needs)")
        await _until_stopped()


async def _stop(found: dict[str, Surface]) -> None:
    """All at once: whoever told us to stop may not wait much longer than one of them needs."""
    await asyncio.gather(*(surface.stop() for surface in found.values()))


async def _listen(stack: contextlib.AsyncExitStack, app: web.Application, host: str, port: int, variable: str) -> int:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise SettingsError(f"Cannot listen on {host}:{port} ({error.strerror}). Set {variable} to another.") from error
    address: tuple[str, int] = runner.addresses[0][:2]
    return address[1]


async def _until_stopped() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await stop.wait()
