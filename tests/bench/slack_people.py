"""People who ask, in a process of their own: `python slack_people.py EVENTS_URL RESPONSE_URL RATE SECONDS`.

Open loop: when each asks is settled before the first does, at random as people do, and nobody waits for a reply to
somebody else. A latency counts from the moment somebody meant to ask, so that a slow bot hides nothing.
"""

import asyncio
import json
import random
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from fake_slack import FORM, JSON, mention, message, signed, slash

SEEDS = Path(__file__).parents[2] / "seeds"
WARM = 10  # first, and a quarter of a second apart; not counted
PEOPLE, CHANNELS = 200, 50
COMMANDS, DIRECT = 0.1, 0.4  # shares; the rest mentions the bot in a channel
CONNECTIONS = 200  # what the bot takes, and some to spare
_LATEST = 30  # seconds

Asked = tuple[str, str, str]  # where the answer will come, the body of the request and its content type


def questions() -> list[list[str]]:
    """Real ones, by kind: about half find an article in the starter knowledge."""
    files = [
        (SEEDS / f"{name}.jsonl").read_text().splitlines() for name in ("questions", "moments", "followups", "critical")
    ]
    return [[json.loads(line)["text"] for line in lines] for lines in files]


def asked(response_url: str, chance: random.Random) -> Iterator[Asked]:
    """What people say, without end."""
    texts = questions()
    while True:
        text, person = chance.choice(chance.choice(texts)), chance.randrange(PEOPLE)
        user, channel, way = f"U{person}", f"C{person % CHANNELS}", chance.random()
        if way < COMMANDS:
            name = f"{chance.getrandbits(64):x}"
            url = f"{response_url}/{name}"
            form = slash(text, user=user, channel=channel, response_url=url, trigger_id=name)
            yield name, urllib.parse.urlencode(form), FORM
        elif way < COMMANDS + DIRECT:
            yield f"D{person}", json.dumps(message(text, user=user, channel=f"D{person}")), JSON
        else:
            envelope = mention(text, user=user, channel=channel)
            yield envelope["event"]["ts"], json.dumps(envelope), JSON


async def main(url: str, response_url: str, rate: float, seconds: float) -> None:
    """Print how it went, per question: where the answer comes, when it was due, how long the ack took, its status."""
    chance = random.Random(5)  # the same people with the same questions each time
    begin = time.monotonic() + 1
    due = [begin + number / 4 for number in range(WARM)]
    due += sorted(begin + WARM / 4 + chance.uniform(0, seconds) for _ in range(round(rate * seconds)))
    timeout, connector = ClientTimeout(total=_LATEST), TCPConnector(limit=CONNECTIONS)
    async with ClientSession(timeout=timeout, connector=connector) as session, asyncio.TaskGroup() as tasks:
        asking = []
        for number, (moment, one) in enumerate(zip(due, asked(response_url, chance), strict=False)):
            await asyncio.sleep(moment - time.monotonic())
            if number == WARM:
                print("warm", flush=True)  # noqa: T201 - for whoever started us
            asking.append(tasks.create_task(ask(session, url, one, moment)))
    print(json.dumps([task.result() for task in asking]))  # noqa: T201 - for whoever started us


async def ask(session: ClientSession, url: str, one: Asked, due: float) -> tuple[str, float, float, str]:
    name, body, content_type = one
    try:
        async with session.post(url, data=body, headers=signed(body, content_type=content_type)) as response:
            await response.read()
            status = str(response.status)
    except (ClientError, TimeoutError) as error:
        status = type(error).__name__
    return name, due, time.monotonic() - due, status


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
