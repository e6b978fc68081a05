"""From a platform's message to a reply on that platform, once.

The one place where the async surfaces cross over to the synchronous desk. Posting is at least once: a crash between
the platform's yes and our note of it sends the same reply again, which beats sending none.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress

from core.desk import Desk
from core.model import Delivery, Event

log = logging.getLogger(__name__)

Send = Callable[[Delivery], Awaitable[None]]

_LEASE = 30.0  # seconds that the store keeps a message or a reply for one of us
_LIMIT = 25.0  # seconds for one posting: it has to end before somebody else may take it up
_PATIENCE = 8.0  # seconds for what is under way when we stop; container runtimes kill after ten
_ATTEMPTS = 3  # a reply refused so often is let go


class Courier:
    """Receives, answers and sends for one surface; `send` renders and posts, and raises when it could not."""

    def __init__(self, desk: Desk, surface: str, send: Send) -> None:
        """One courier per surface and process."""
        self._desk = desk
        self._surface = surface
        self._send = send
        self._under_way: set[asyncio.Task[None]] = set()  # the loop itself keeps only weak references
        self._redriver: asyncio.Task[None] | None = None

    # -- messages ----------------------------------------------------------------------------------------------------
    async def take(self, event: Event) -> None:
        """Answer a message, unless it came before. Whoever addressed us gets a reply, whatever breaks."""
        try:
            if not await asyncio.to_thread(self._desk.receive, event):
                return
            delivery = await asyncio.to_thread(self._desk.handle, event)
        except Exception:
            log.exception("the desk failed on %s", self._surface)
            sorry = await asyncio.to_thread(self._desk.sorry, event.text, event.locale)
            await self._try(Delivery(0, self._surface, event.address, sorry))
            return
        if delivery:
            await self._deliver(delivery)

    async def redrive(self) -> None:
        """Take up what was left behind: replies not sent, messages not answered."""
        left = await asyncio.to_thread(self._desk.outbox, self._surface)
        # Side by side: in a row, the last ones would outlive their lease.
        await asyncio.gather(*(self._deliver(delivery) for delivery in left if delivery.attempts < _ATTEMPTS))
        for event in await asyncio.to_thread(self._desk.undone, self._surface):
            delivery = await asyncio.to_thread(self._desk.handle, event)
            if delivery:
                await self._deliver(delivery)

    # -- in the background ---------------------------------------------------------------------------------------------
    def run(self, work: Coroutine[None, None, None]) -> None:
        """Do this in the background, for platforms that want an answer to their request first; `stop` waits for it."""
        task = asyncio.create_task(self._logged(work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def start(self) -> None:
        """Redrive now and then every lease: what a crashed process held comes free only when its lease ends."""
        self._redriver = asyncio.create_task(self._keep_redriving())

    async def stop(self) -> None:
        """Finish what is under way. What takes too long is in the store, for the next start."""
        if self._redriver:
            self._redriver.cancel()
            with suppress(asyncio.CancelledError):
                await self._redriver
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=_PATIENCE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _keep_redriving(self) -> None:
        while True:
            await self._logged(self.redrive())
            await asyncio.sleep(_LEASE)

    async def _logged(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception:
            log.exception("something was left undone on %s", self._surface)

    # -- replies -------------------------------------------------------------------------------------------------------
    async def _deliver(self, delivery: Delivery) -> None:
        error = await self._try(delivery)
        if error:
            await asyncio.to_thread(self._desk.not_sent, delivery, error)
        else:
            await asyncio.to_thread(self._desk.sent, delivery)

    async def _try(self, delivery: Delivery) -> str:
        """Post; the name of what went wrong, or nothing."""
        try:
            async with asyncio.timeout(_LIMIT):
                await self._send(delivery)
        except Exception as error:
            log.exception("could not post on %s", self._surface)
            return type(error).__name__
        return ""
