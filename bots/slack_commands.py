"""What is typed after the slash in place of a question: help, topics, an article's id, what a channel hears."""

import asyncio

from bots.slack_events import Command, Spot
from bots.slack_reply import Replies
from bots.slack_taps import Taps
from core.commands import Name, read_command
from core.desk import Desk
from core.errors import NotAllowedError, NotFoundError
from core.model import Place
from core.words import say, words
from knowledge.article import Language

_CHANNELS = ("C", "G")  # not a direct message


class Commands:
    """Does what a word or two ask for."""

    def __init__(self, desk: Desk, replies: Replies, taps: Taps, *, hears: bool) -> None:
        """`hears`: the settings let us read along in channels."""
        self._desk = desk
        self._replies = replies
        self._taps = taps
        self._hears = hears

    async def do(self, typed: Command) -> bool:
        """Answer a command, for the asker alone; False, and nothing was done, when it is a question."""
        command = read_command(typed.text or "?")
        if command is None:
            return False
        spot, language = typed.spot, await self._taps.language(typed.spot)
        match command.name:
            case Name.HELP:
                await self._replies.tell(spot, _usage(language), language)
            case Name.TOPICS:
                text, blocks = await self._taps.topics(spot, language)
                await self._replies.whisper(spot, text, blocks, language)
            case Name.OVERVIEW:
                await self._replies.tell(spot, say("slack.overview", language), language)
            case Name.OPEN:
                return await self._open(spot, command.about)
            case Name.HERE:
                await self._replies.tell(spot, say("command.here_how", language), language)
            case Name.HERE_ON | Name.HERE_OFF:
                await self._listen(spot, language, listens=command.name is Name.HERE_ON)
        return True

    async def _open(self, spot: Spot, article_id: str) -> bool:
        try:
            await self._taps.open_article(spot, article_id, None)
        except NotFoundError:
            return False  # "open factuur"
        return True

    async def _listen(self, spot: Spot, language: Language, *, listens: bool) -> None:
        """Answer questions in this channel that nobody put to us, or no longer."""
        if not spot.channel.startswith(_CHANNELS):
            await self._replies.tell(spot, say("command.here_not", language), language)
            return
        person = await self._taps.person(spot)
        try:
            await asyncio.to_thread(self._desk.listen, Place("slack", spot.team, spot.channel, listens=listens), person)
        except NotAllowedError:
            key = "command.not_yours"
        else:
            key = "command.listens" if listens else "command.no_longer_listens"
        if key == "command.listens" and not self._hears:
            key = "command.cannot_listen"
        await self._replies.tell(spot, say(key, language), language)


def _usage(language: Language) -> str:
    example = say("help.example", language)
    return f"{say('help.text', language, example=example)}\n\n{words(language)['command.usage']}"
