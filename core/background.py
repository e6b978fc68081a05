"""Work that goes on after a platform got its answer."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)

_PATIENCE = 8.0  # seconds for what is under way when we stop; container runtimes kill after ten


class Background:
    """What one surface has under way. The event loop itself holds no task: one that nobody keeps may vanish."""

    def __init__(self, surface: str) -> None:
        """The surface is named in the log when something fails."""
        self._surface = surface
        self._tasks: set[asyncio.Task[None]] = set()
        self._lasting: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[Any, Any, None], *, lasting: bool = False) -> None:
        """Start it and go on. What is `lasting` has no end of its own, so nobody waits for it."""
        tasks = self._lasting if lasting else self._tasks
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(self._log_failure)

    async def settled(self) -> None:
        """Wait until nothing is under way, but for what lasts."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self, *, patience: float = _PATIENCE) -> None:
        """Finish what is under way; what takes too long is in the store and is redriven at the next start."""
        for task in self._lasting:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.settled()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._lasting, return_exceptions=True)

    def _log_failure(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception():
            log.error("something failed on %s", self._surface, exc_info=task.exception())
