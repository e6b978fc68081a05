"""From a platform's message to a reply on that platform, once.

The one place where the async surfaces cross over to the synchronous desk. Posting is at least once: a crash between
the platform's yes and our note of it sends the same reply again, which beats sending none.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from core.desk import Desk
from core.model import Delivery, Event

log = logging.getLogger(__name__)

Send = Callable[[Delivery], Awaitable[None]]


class Courier:
    """Receives, answers and sends for one surface; `send` renders and posts, and raises when it could not."""

    def __init__(self, desk: Desk, surface: str, send: Send) -> None:
        """One courier per surface and process."""
        self._desk = desk
        self._surface = surface
        self._send = send

    async def take(self, event: Event) -> None:
        """Answer a message, unless it came before. Whoever addressed us gets a reply, whatever breaks."""
        try:
            if not await asyncio.to_thread(self._desk.receive, event):
                return
            delivery = await asyncio.to_thread(self._desk.handle, event)
        except Exception:
            log.exception("the desk failed on %s", self._surface)
            sorry = self._desk.sorry(event.text, event.locale)
            await self._try(Delivery(0, self._surface, event.address, sorry))
            return
        if delivery:
            await self._deliver(delivery)

    async def redrive(self) -> None:
        """Take up what a crash left: messages not answered, replies not sent."""
        for delivery in await asyncio.to_thread(self._desk.outbox, self._surface):
            await self._deliver(delivery)
        for event in await asyncio.to_thread(self._desk.undone, self._surface):
            delivery = await asyncio.to_thread(self._desk.handle, event)
            if delivery:
                await self._deliver(delivery)

    async def _deliver(self, delivery: Delivery) -> None:
        if await self._try(delivery):
            await asyncio.to_thread(self._desk.sent, delivery)
        else:
            await asyncio.to_thread(self._desk.not_sent, delivery, "not taken by the platform")

    async def _try(self, delivery: Delivery) -> bool:
        try:
            await self._send(delivery)
        except Exception:
            log.exception("could not post on %s", self._surface)
            return False
        return True
