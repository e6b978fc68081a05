"""From a platform's message to a reply on that platform, once.

The one place where the async surfaces cross over to the synchronous desk. Posting is at least once: a crash between
the platform's yes and our note of it sends the same reply again, which beats sending none.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from core.desk import Desk
from core.model import Answer, Delivery, Event

log = logging.getLogger(__name__)

Send = Callable[[Delivery], Awaitable[None]]

_MOST_ATTEMPTS = 5  # a platform that said no so often means it
_LAST_TOLD = 500  # messages; each is tried again for five minutes only


class Courier:
    """Receives, answers and sends for one surface; `send` renders and posts, and raises when it could not."""

    def __init__(self, desk: Desk, surface: str, send: Send) -> None:
        """One courier per surface and process."""
        self._desk = desk
        self._surface = surface
        self._send = send
        self._taking: set[tuple[str, str, str]] = set()  # new messages, which redriving leaves alone
        self._in_hand: set[int] = set()  # deliveries being sent, or sent and not noted
        self._told: deque[tuple[str, str, str]] = deque(maxlen=_LAST_TOLD)  # what we said sorry for

    async def take(self, event: Event) -> None:
        """Answer a message, unless it came before. Whoever addressed us gets a reply, whatever breaks."""
        if _name(event) in self._taking:
            return
        self._taking.add(_name(event))
        try:
            await self._take(event)
        finally:
            self._taking.discard(_name(event))

    async def redrive(self) -> None:
        """Take up what a crash left: messages not answered, replies not sent. One that fails keeps no other."""
        try:
            deliveries = await asyncio.to_thread(self._desk.outbox, self._surface)
            events = await asyncio.to_thread(self._desk.undone, self._surface)
        except Exception:
            log.exception("could not look for unfinished work on %s", self._surface)
            return
        # Side by side: all are leased since the same moment, and for half a minute only.
        await asyncio.gather(*(self._deliver(one) for one in deliveries if one.attempts < _MOST_ATTEMPTS))
        for event in events:
            if _name(event) not in self._taking:
                await self._answer(event)

    async def watch(self, every: float = 15.0) -> None:
        """Redrive for ever. Once is not enough: what a crash left is leased until half a minute after it."""
        while True:
            await self.redrive()
            await asyncio.sleep(every)

    async def _take(self, event: Event) -> None:
        try:
            fresh = await asyncio.to_thread(self._desk.receive, event)
        except Exception:
            log.exception("a message could not be kept on %s", self._surface)
            await self._answer_unkept(event)
            return
        if fresh:
            await self._answer(event)

    async def _answer(self, event: Event) -> None:
        try:
            delivery = await asyncio.to_thread(self._desk.handle, event)
        except Exception:
            log.exception("the desk failed on %s", self._surface)
            await self._apologise(event)
            return
        if delivery:
            await self._deliver(delivery)

    async def _apologise(self, event: Event) -> None:
        await self._say_once(event, await asyncio.to_thread(self._desk.sorry, event.text, event.locale))

    async def _answer_unkept(self, event: Event) -> None:
        """When nothing can be written, an answer that nobody remembers still helps the customer on the line."""
        await self._say_once(event, await asyncio.to_thread(self._desk.unkept, event))

    async def _say_once(self, event: Event, answer: Answer) -> None:
        """However often the message is tried again."""
        if _name(event) not in self._told:
            self._told.append(_name(event))
            await self._try(Delivery(0, self._surface, event.address, answer))

    async def _deliver(self, delivery: Delivery) -> None:
        """Send and note it. A slow platform outlasts the lease, so that nothing in hand is sent a second time."""
        if delivery.id in self._in_hand:
            return
        self._in_hand.add(delivery.id)
        taken = False
        try:
            taken = await self._try(delivery)
            if taken:
                await asyncio.to_thread(self._desk.sent, delivery)
            else:
                await asyncio.to_thread(self._desk.not_sent, delivery, "not taken by the platform")
        except Exception:
            log.exception("could not note what became of a reply on %s", self._surface)
            if taken:
                return  # it stays in hand: the store thinks that it must still be sent
        self._in_hand.discard(delivery.id)

    async def _try(self, delivery: Delivery) -> bool:
        try:
            await self._send(delivery)
        except Exception:
            log.exception("could not post on %s", self._surface)
            return False
        return True


def _name(event: Event) -> tuple[str, str, str]:
    return event.team, event.place, event.message_id
