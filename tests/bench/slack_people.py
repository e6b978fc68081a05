"""People who ask in Slack, in a process of their own: `python slack_people.py EVENTS_URL SLACK_URL RATE SECONDS`."""

import asyncio
import json
import random
import sys
import urllib.parse
from collections.abc import Iterator

from aiohttp import ClientSession
from fake_slack import FORM, JSON, mention, message, signed, slash
from people import CHANNELS, PEOPLE, ask_all, questions

COMMANDS, DIRECT = 0.1, 0.4  # shares; the rest mentions the bot in a channel

Said = tuple[str, str]  # the body of the request and its content type


def said(slack: str, chance: random.Random) -> Iterator[tuple[str, Said]]:
    """What people say, without end, and where the answer will come."""
    texts = questions()
    while True:
        text, person = chance.choice(chance.choice(texts)), chance.randrange(PEOPLE)
        user, channel, way = f"U{person}", f"C{person % CHANNELS}", chance.random()
        if way < COMMANDS:
            name = f"{chance.getrandbits(64):x}"
            url = f"{slack}/response/{name}"
            form = slash(text, user=user, channel=channel, response_url=url, trigger_id=name)
            yield name, (urllib.parse.urlencode(form), FORM)
        elif way < COMMANDS + DIRECT:
            yield f"D{person}", (json.dumps(message(text, user=user, channel=f"D{person}")), JSON)
        else:
            envelope = mention(text, user=user, channel=channel)
            yield envelope["event"]["ts"], (json.dumps(envelope), JSON)


async def main(url: str, slack: str, rate: float, seconds: float) -> None:
    chance = random.Random(5)  # the same people with the same questions each time

    async def post(session: ClientSession, one: Said) -> str:
        body, content_type = one
        async with session.post(url, data=body, headers=signed(body, content_type=content_type)) as response:
            await response.read()
            return str(response.status)

    await ask_all(said(slack, chance), post, rate, seconds, chance)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
