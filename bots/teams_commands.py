"""What people ask for by a word, in Teams: the list of topics, their overview, an article, whether we listen here."""

import asyncio
import logging
from collections.abc import Callable

from bots.teams_activities import Spot, Tap
from bots.teams_cards import AT_FIRST, card_message, text_message
from bots.teams_reply import Replies
from bots.teams_taps import Taps, result_of
from core.commands import Command, Name, read_coach
from core.courier import Courier
from core.desk import Desk
from core.errors import NotAllowedError
from core.inbox import Inbox
from core.model import Event, Person, Place
from core.screens import Screen, Told
from core.words import say
from knowledge.article import Language

log = logging.getLogger(__name__)


class Commands:
    """Obeys each command once."""

    def __init__(self, desk: Desk, taps: Taps, replies: Replies, courier: Courier) -> None:
        """The courier takes what turns out to be a question."""
        self._desk = desk
        self._taps = taps
        self._replies = replies
        self._courier = courier
        self._inbox = Inbox(desk)

    async def obey(self, event: Event, spot: Spot, command: Command, noted: Callable[[], None]) -> None:
        """Do what was asked for by a word, `noted` before; "open factuur" may turn out to be a question."""
        try:
            person = await asyncio.to_thread(self._desk.person, spot.identity)
            seeing = person if spot.alone else person.in_public()
            if command.name is Name.OPEN and not await asyncio.to_thread(self._desk.may_see, command.about, seeing):
                await self._courier.take(event, noted)
            elif await asyncio.to_thread(self._inbox.once, event):
                noted()
                await self._obey(spot, command, person)
        except Exception:
            log.exception("the command %r failed on teams", command.name)
            await self._replies.say(spot.address, text_message(self._desk.sorry("", spot.locale).message))

    async def coach(self, event: Event, spot: Spot, typed: str, name: str, noted: Callable[[], None]) -> None:
        """The coach's desk, by what is typed behind the word; what it shows is for their eyes only."""
        try:
            if not await asyncio.to_thread(self._inbox.once, event):
                return
            noted()
            person = await asyncio.to_thread(self._desk.person, spot.identity)
            language = self._desk.language_for(person, spot.locale)
            do, about = read_coach(typed)
            tap = Tap("do", spot, language, do=do, about=about, name=name)
            screen = await asyncio.to_thread(self._taps.asked, tap, person)
            await self._show(spot, screen)
        except Exception:
            log.exception("the coach's desk failed on teams")
            await self._replies.say(spot.address, text_message(self._desk.sorry("", spot.locale).message))

    async def _show(self, spot: Spot, screen: Screen) -> None:
        """In the chat itself, a form as well: nothing but a tap opens a dialog."""
        found = result_of(screen)
        title = screen.sentence if isinstance(screen, Told) else screen.title
        said = card_message(found.card, title) if found.card else text_message(found.sentence)
        if spot.alone:
            await self._replies.say(spot.address, said)
            return
        sent = await self._replies.say_privately(spot.address, said)
        sentence = say("teams.private" if sent else "teams.private_not", screen.language)
        await self._replies.say(spot.address, text_message(sentence))

    async def _obey(self, spot: Spot, command: Command, person: Person) -> None:
        language = self._desk.language_for(person, spot.locale)
        match command.name:
            case Name.TOPICS:
                card = await asyncio.to_thread(self._taps.topics, spot, language)
                await self._replies.say(spot.address, card_message(card, say("web.all_topics", language)))
            case Name.OVERVIEW:
                await self._show_overview(spot, person, language)
            case Name.OPEN:
                tap = Tap("open", spot, language, article_id=command.about)
                found = await asyncio.to_thread(self._taps.do, tap)
                if found.answer:
                    await self._replies.beside(spot, found.answer, AT_FIRST)
            case Name.HERE_ON | Name.HERE_OFF:
                said = await self._listen(spot, person, language, listens=command.name is Name.HERE_ON)
                await self._replies.say(spot.address, text_message(said))
            case Name.HERE:
                await self._replies.say(spot.address, text_message(say("teams.here_how", language)))
            case Name.HELP:
                await self._replies.say(spot.address, text_message(_usage(language)))

    async def _show_overview(self, spot: Spot, person: Person, language: Language) -> None:
        """It is theirs alone, so never where others read along."""
        card = await asyncio.to_thread(self._taps.overview, person, language)
        said = card_message(card, say("teams.overview", language))
        if spot.alone:
            await self._replies.say(spot.address, said)
            return
        sent = await self._replies.say_privately(spot.address, said)
        sentence = say("teams.private" if sent else "teams.private_not", language)
        await self._replies.say(spot.address, text_message(sentence))

    async def _listen(self, spot: Spot, person: Person, language: Language, *, listens: bool) -> str:
        """Answer questions in this channel that nobody put to us, or no longer; what to say about that."""
        if not spot.thread:
            return say("command.here_not", language)
        place = Place("teams", spot.identity.team, spot.place, listens=listens)
        try:
            await asyncio.to_thread(self._desk.listen, place, person)
        except NotAllowedError:
            return say("command.not_yours", language)
        return say("teams.listens" if listens else "command.no_longer_listens", language)


def _usage(language: Language) -> str:
    example = say("help.example", language)
    return f"{say('help.text', language, example=example)}\n\n{say('teams.usage', language)}"
