"""People who ask, of whatever platform.

Open loop: when each asks is settled before the first does, at random as people do, and nobody waits for a reply to
somebody else. A latency counts from the moment somebody meant to ask, so that a slow bot hides nothing.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypeVar

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

SEEDS = Path(__file__).parents[2] / "seeds"
WARM = 10  # first, and a quarter of a second apart; not counted
PEOPLE, CHANNELS = 200, 50
CONNECTIONS = 200  # what the bot takes, and some to spare
_LATEST = 30  # seconds

Said = TypeVar("Said")


def questions() -> list[list[str]]:
    """Real ones, by kind: about half find an article in the starter knowledge."""
    files = [
        (SEEDS / f"{name}.jsonl").read_text().splitlines() for name in ("golden", "moments", "followups", "critical")
    ]
    return [[json.loads(line)["text"] for line in lines] for lines in files]


async def ask_all(
    said: Iterable[tuple[str, Said]],
    post: Callable[[ClientSession, Said], Awaitable[str]],
    rate: float,
    seconds: float,
    chance: random.Random,
) -> None:
    """Print how it went, each: where a reply comes, if any, when it was due, how long the ack took, its status.

    What is said comes with where its reply will; `post` gives the status.
    """
    begin = time.monotonic() + 1
    due = [begin + number / 4 for number in range(WARM)]
    due += sorted(begin + WARM / 4 + chance.uniform(0, seconds) for _ in range(round(rate * seconds)))
    timeout, connector = ClientTimeout(total=_LATEST), TCPConnector(limit=CONNECTIONS)
    async with ClientSession(timeout=timeout, connector=connector) as session, asyncio.TaskGroup() as tasks:
        asking = []
        for number, (moment, (name, one)) in enumerate(zip(due, said, strict=False)):
            await asyncio.sleep(moment - time.monotonic())
            if number == WARM:
                print("warm", flush=True)  # noqa: T201 - for whoever started us
            asking.append(tasks.create_task(_ask(post(session, one), name, moment)))
    print(json.dumps([task.result() for task in asking]))  # noqa: T201 - for whoever started us


async def _ask(posting: Awaitable[str], name: str, due: float) -> tuple[str, float, float, str]:
    try:
        status = await posting
    except (ClientError, TimeoutError) as error:
        status = type(error).__name__
    return name, due, time.monotonic() - due, status
