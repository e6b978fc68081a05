"""What people are told without having asked just now, sent at least once by whichever process gets to it first."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from core.coach import Coach
from core.screens import Notification

log = logging.getLogger(__name__)

Post = Callable[[Notification], Awaitable[None]]

_SEND_WITHIN = 20.0  # seconds; below the lease, or another process would send it as well


class Postman:
    """Carries notifications to one surface. `post` raises when the platform refuses one."""

    def __init__(self, coach: Coach, surface: str, post: Post) -> None:
        """One per surface and process."""
        self._coach = coach
        self._surface = surface
        self._post = post

    async def watch(self, every: float = 5.0) -> None:
        """Make rounds for ever."""
        while True:
            await self.round()
            await asyncio.sleep(every)

    async def round(self) -> None:
        """Send what is due; one that fails keeps no other."""
        try:
            due = await asyncio.to_thread(self._coach.outgoing, self._surface)
        except Exception:
            log.exception("could not look for what people must be told on %s", self._surface)
            return
        await asyncio.gather(*map(self._carry, due))

    async def _carry(self, notification: Notification) -> None:
        try:
            async with asyncio.timeout(_SEND_WITHIN):
                await self._post(notification)
        except Exception:
            log.exception("could not tell somebody something on %s", self._surface)
            await self._note(self._coach.not_sent, notification)
        else:
            await self._note(self._coach.sent, notification)

    async def _note(self, what: Callable[[Notification], None], notification: Notification) -> None:
        try:
            await asyncio.to_thread(what, notification)
        except Exception:
            log.exception("could not note what became of a notification on %s", self._surface)
