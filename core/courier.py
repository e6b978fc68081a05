"""From a platform's message to a reply on that platform, once.

The one place where the async surfaces cross over to the synchronous desk. Posting is at least once: a crash between
the platform's yes and our note of it sends the same reply again, which beats sending none.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from core.desk import Desk
from core.inbox import Inbox
from core.meter import SECONDS
from core.model import Answer, Delivery, Event

log = logging.getLogger(__name__)

# Apart from the event loop's own threads: an ack may need one of those, and must not wait for answers being made.
_THINKING = ThreadPoolExecutor(os.cpu_count(), "answer")

Send = Callable[[Delivery], Awaitable[str]]
Working = Callable[[Event], Awaitable[None]]
Unsend = Callable[[dict[str, Any], str], Awaitable[None]]
Learn = Callable[[Event], Awaitable[Event]]

_SEND_WITHIN = 25.0  # seconds; below the lease, or another process would send it as well
_LEARN_WITHIN = 2.0  # seconds that knowing more about a message is worth
_PATIENCE = 1.0  # seconds without an answer before the asker is shown that we are at it
_LAST_TOLD = 500  # messages; each is tried again for five minutes only


class Courier:
    """Receives, answers and sends for one surface.

    `send` renders and posts, and raises when it could not; it gives the platform's id of what it posted. `working`
    shows the asker that it takes a while. `unsend` takes what was posted at an address away again: its question was
    taken back. `learn` asks the platform what else there is to know of a message, once it is noted and sure to be
    answered.
    """

    def __init__(
        self,
        desk: Desk,
        surface: str,
        send: Send,
        working: Working | None = None,
        unsend: Unsend | None = None,
        learn: Learn | None = None,
    ) -> None:
        """One courier per surface and process."""
        self._inbox = Inbox(desk)
        self._surface = surface
        self._send = send
        self._working = working
        self._unsend = unsend
        self._learn = learn
        self._taking: set[tuple[str, str, str]] = set()  # new messages, which redriving leaves alone
        self._in_hand: set[int] = set()  # deliveries being sent, or sent and not noted
        self._told: deque[tuple[str, str, str]] = deque(maxlen=_LAST_TOLD)  # what we said sorry for

    async def take(self, event: Event, noted: Callable[[], None] = lambda: None) -> None:
        """Answer a message, unless it came before. Whoever addressed us gets a reply, whatever breaks.

        `noted` is called once a crash can no longer lose the message.
        """
        if _name(event) in self._taking:
            return
        self._taking.add(_name(event))
        try:
            await self._take(event, noted)
        finally:
            self._taking.discard(_name(event))

    async def withdraw(self, team: str, place: str, message_id: str, address: dict[str, Any]) -> None:
        """Forget a message that somebody took back, and take our reply away. `address` is where both stand."""
        reply = await asyncio.to_thread(self._inbox.withdraw, self._surface, team, place, message_id)
        await self._take_away(address, reply)

    async def redrive(self) -> None:
        """Take up what a crash left: messages not answered, replies not sent. One that fails keeps no other."""
        try:
            deliveries = await asyncio.to_thread(self._inbox.outbox, self._surface)
            events = await asyncio.to_thread(self._inbox.undone, self._surface)
        except Exception:
            log.exception("could not look for unfinished work on %s", self._surface)
            return
        # Side by side: all are leased since the same moment, and for half a minute only.
        await asyncio.gather(*map(self._deliver, deliveries))
        await asyncio.gather(*(self._answer(event) for event in events if _name(event) not in self._taking))

    async def watch(self, every: float = 15.0) -> None:
        """Redrive for ever. Once is not enough: what a crash left is leased until half a minute after it."""
        while True:
            await self.redrive()
            await asyncio.sleep(every)

    async def _take(self, event: Event, noted: Callable[[], None]) -> None:
        try:
            pool = None if event.addressed else _THINKING  # what was overheard is looked up before it is noted
            fresh = await asyncio.get_running_loop().run_in_executor(pool, self._inbox.receive, event)
        except Exception:
            log.exception("a message could not be kept on %s", self._surface)
            if event.addressed:  # what was only overheard is left alone
                await self._answer_unkept(event)
            return
        noted()
        if fresh:
            with SECONDS.labels("reply").time():
                await self._answer(event)

    async def _answer(self, event: Event) -> None:
        event = await self._learnt(event)
        try:
            delivery = await self._handled(event)
        except Exception:
            log.exception("the desk failed on %s", self._surface)
            await self._apologise(event)
            return
        if delivery:
            await self._deliver(delivery)

    async def _learnt(self, event: Event) -> Event:
        if self._learn is None:
            return event
        try:
            async with asyncio.timeout(_LEARN_WITHIN):
                return await self._learn(event)
        except Exception:
            log.exception("could not learn more about a message on %s", self._surface)
            return event

    async def _handled(self, event: Event) -> Delivery | None:
        loop = asyncio.get_running_loop()
        handling = asyncio.ensure_future(loop.run_in_executor(_THINKING, self._inbox.handle, event))
        await asyncio.wait([handling], timeout=_PATIENCE)
        showing = asyncio.ensure_future(self._show_work(event)) if not handling.done() else None
        try:
            return await handling
        finally:
            if showing:  # an answer never waits for the sign that it is on its way
                showing.cancel()

    async def _show_work(self, event: Event) -> None:
        if self._working:
            try:
                await self._working(event)
            except Exception:
                log.exception("could not show on %s that an answer takes a while", self._surface)

    async def _apologise(self, event: Event) -> None:
        await self._say_once(event, await asyncio.to_thread(self._inbox.sorry, event))

    async def _answer_unkept(self, event: Event) -> None:
        """When nothing can be written, an answer that nobody remembers still helps the customer on the line."""
        await self._say_once(event, await asyncio.to_thread(self._inbox.unkept, event))

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
        taken = None
        try:
            taken = await self._try(delivery)
            if taken is not None:
                noted = await asyncio.to_thread(self._inbox.sent, delivery, taken)
                if not noted:
                    await self._take_away(delivery.address, taken)
            else:
                await asyncio.to_thread(self._inbox.not_sent, delivery, "not taken by the platform")
        except Exception:
            log.exception("could not note what became of a reply on %s", self._surface)
            if taken is not None:
                return  # it stays in hand: the store thinks that it must still be sent
        self._in_hand.discard(delivery.id)

    async def _take_away(self, address: dict[str, Any], message_id: str) -> None:
        """Only a reply that is a message of its own can be."""
        if not message_id or self._unsend is None:
            return
        try:
            await self._unsend(address, message_id)
        except Exception:
            log.exception("could not take a reply away on %s", self._surface)

    async def _try(self, delivery: Delivery) -> str | None:
        """The platform's id of what was posted; None when it was not."""
        try:
            async with asyncio.timeout(_SEND_WITHIN):
                return await self._send(delivery)
        except Exception:
            log.exception("could not post on %s", self._surface)
            return None


def _name(event: Event) -> tuple[str, str, str]:
    return event.team, event.place, event.message_id
