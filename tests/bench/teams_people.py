"""People in Teams, in a process of their own: `python teams_people.py BOT_URL TEAMS_URL RATE SECONDS [everything]`.

They put questions, half of them in a channel; with `everything` they also tap buttons and type commands.
"""

import asyncio
import json
import random
import re
import sys
from collections import deque
from collections.abc import Iterator
from typing import Any

from aiohttp import ClientSession
from fake_connector import MENTION, bearer, buttons, in_channel, make_activity
from people import CHANNELS, PEOPLE, SEEDS, ask_all, questions

TAPS, COMMANDS = 0.4, 0.1  # shares of everything
COMMAND = ["help", "onderwerpen"]
BEFORE = "before"  # an answer from which another was opened
ON_CARD = {"open", "reshape", "wrong", "show"}  # buttons that change the card they stand on
SEEN = 200  # buttons to choose from, of the cards that came last

Activity = dict[str, Any]


def articles() -> Iterator[str]:
    """The ids of those that can be opened on any day."""
    for path in sorted(SEEDS.glob("articles/nl/*.md")):
        found = re.search(r"^id: (\S+)", text := path.read_text(), re.MULTILINE)
        if found and "effective_until:" not in text:
            yield found[1]


class Teams:
    """What Teams makes of what people do."""

    def __init__(self, url: str, chance: random.Random, *, everything: bool) -> None:
        self._url = url
        self._chance = chance
        self._everything = everything
        self._texts = questions()
        self._articles = list(articles())
        self._seen: deque[Activity] = deque(maxlen=SEEN)

    def said(self) -> Iterator[tuple[str, Activity]]:
        """What people do, without end, and where its reply comes: in which conversation, or in place of which card."""
        while True:
            person, way = f"{self._chance.randrange(PEOPLE)}", self._chance.random() if self._everything else 1
            if way < TAPS:
                yield self._tap(person)
                continue
            text = self._chance.choice(self._chance.choice(self._texts))
            if way < TAPS + COMMANDS:
                activity = self._message(person, self._chance.choice(COMMAND))
            elif self._chance.random() < 0.5:
                activity = self._message(person, text)
            else:
                activity = self._mention(person, text)
            yield activity["conversation"]["id"], activity

    def see(self, card: object) -> None:
        """What can be tapped from now on."""
        shown = (button["data"] for button in buttons(card))
        self._seen += [data for data in shown if data["verb"] in ON_CARD and data.get("answer_id") != BEFORE]

    def _message(self, person: str, text: str) -> Activity:
        return make_activity(self._url, person, type="message", text=text, textFormat="plain")

    def _mention(self, person: str, text: str) -> Activity:
        activity = self._message(person, f"{MENTION} {text}")
        there = in_channel(activity["id"])
        there["conversation"]["id"] = f"19:{int(person) % CHANNELS}@thread.tacv2;messageid={activity['id']}"
        return activity | there

    def _tap(self, person: str) -> tuple[str, Activity]:
        """A title in a list, of which the answer comes below it, or what changes the card it stands on."""
        data = {"verb": "open", "language": "nl", "article_id": self._chance.choice(self._articles)}
        on_card = self._chance.random() < 0.7
        if on_card and self._seen and self._chance.random() < 0.5:
            data = self._chance.choice(self._seen)
        elif on_card:
            data["from"] = BEFORE
        value = {"action": {"type": "Action.Execute", "verb": data["verb"], "data": data}, "trigger": "manual"}
        tapped = make_activity(self._url, person, type="invoke", name="adaptiveCard/action", value=value)
        card = f"above-{tapped['id']}"
        below = data["verb"] == "open" and not data.get("from") and not data.get("back")
        return tapped["conversation"]["id"] if below else card, tapped | {"replyToId": card}


async def main(url: str, there: str, rate: float, seconds: float, *, everything: bool) -> None:
    chance = random.Random(5)  # the same people with the same questions each time
    teams = Teams(f"{there}/", chance, everything=everything)
    async with ClientSession() as session, session.get(f"{there}/token") as response:
        signed = bearer(await response.json())

    async def post(session: ClientSession, activity: Activity) -> str:
        async with session.post(url, json=activity, headers=signed) as response:
            body = await response.read()
        if response.status != 200 or activity["type"] != "invoke":
            return str(response.status)
        shown = json.loads(body)
        teams.see(shown["value"])
        return str(shown["statusCode"])

    await ask_all(teams.said(), post, rate, seconds, chance)


if __name__ == "__main__":
    _, bot, there, rate, seconds, *more = sys.argv
    asyncio.run(main(bot, there, float(rate), float(seconds), everything=more == ["everything"]))
