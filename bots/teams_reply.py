"""Saying things in Teams: a reply where it was asked, something in private, another look for what stands there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from bots.botframework import Activity, Endpoint, PostError, read
from bots.teams_activities import Spot, identity_of, where_of
from bots.teams_cards import AT_FIRST, Shown, Where, bare, message, summary, text_message
from core.desk import Desk
from core.model import Answer, Place

log = logging.getLogger(__name__)

_REFUSED = {400, 413}  # Teams will not take it the next time either
_NOT_ALLOWED = 403
_NOT_THERE = {_NOT_ALLOWED, 404}  # they do not have the app, or took it away

Post = Callable[[Activity], Awaitable[str]]


class Replies:
    """Every way to say something. An answer that Teams refuses goes in a plainer form."""

    def __init__(self, desk: Desk, endpoint: Endpoint) -> None:
        """The endpoint posts; the desk knows where people are."""
        self._desk = desk
        self._endpoint = endpoint
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def answer(self, address: Activity, answer: Answer) -> str:
        """Post an answer where it was asked, or in private where we may not speak; its message's id."""
        where = where_of(address)
        try:
            return await self._put(lambda said: self._endpoint.send(address, said), answer, AT_FIRST, where)
        except PostError as error:
            if error.status != _NOT_ALLOWED or where is Where.DIRECT or not await self.privately(address, answer):
                raise
        return ""

    async def say(self, address: Activity, said: Activity) -> None:
        """Post something that is no answer."""
        await self._endpoint.send(address, said)

    async def beside(self, spot: Spot, answer: Answer, shown: Shown, notice: str = "") -> None:
        """Post an answer below what stands there, and remember that it is that one."""

        async def post(said: Activity) -> str:
            return await self._endpoint.send(spot.address, said)

        message_id = await self._put(post, answer, shown, spot.where, notice)
        await self._note(spot.identity.team, spot.place, message_id, answer)

    async def instead(self, spot: Spot, answer: Answer, shown: Shown, notice: str = "") -> None:
        """Show an answer in the place of what stands there, for everybody and for good."""

        async def post(said: Activity) -> str:
            await self._endpoint.update(spot.address, spot.message_id, said)
            return spot.message_id

        async with self._turn(spot):
            message_id = await self._put(post, answer, shown, spot.where, notice)
            await self._note(spot.identity.team, spot.place, message_id, answer)

    async def put_instead(self, spot: Spot, said: Activity) -> None:
        """Show something that is no answer in the place of what stands there."""
        async with self._turn(spot):
            await self._endpoint.update(spot.address, spot.message_id, said)

    async def privately(self, address: Activity, answer: Answer) -> bool:
        """Post an answer in the conversation of the two of us; False when they do not have the app."""
        try:
            message_id = await self._put(lambda said: self._in_private(address, said), answer, AT_FIRST, Where.DIRECT)
        except PostError as error:
            return _is_not_there(error)
        identity = identity_of(address)
        at = await asyncio.to_thread(self._desk.reach, identity)
        await self._note(identity.team, read(at, "conversation", "id"), message_id, answer)
        return True

    async def say_privately(self, address: Activity, said: Activity) -> bool:
        """Post something that is no answer there."""
        try:
            await self._in_private(address, said)
        except PostError as error:
            return _is_not_there(error)
        return True

    async def type(self, address: Activity) -> None:
        """Show that an answer is being looked for."""
        await self._endpoint.send(address, {"type": "typing"})

    async def unsend(self, address: Activity, message_id: str) -> None:
        """Take a message of ours away again."""
        if message_id:
            await self._endpoint.delete(address, message_id)

    def _turn(self, spot: Spot) -> asyncio.Lock:
        """Of what is put in the place of one message, the last is what must stand there."""
        return self._turns.setdefault((spot.place, spot.message_id), asyncio.Lock())

    async def _in_private(self, address: Activity, said: Activity) -> str:
        """At the address that we know of, else at one that Teams gives us now."""
        identity = identity_of(address)
        known = await asyncio.to_thread(self._desk.reach, identity)
        if known:
            try:
                return await self._endpoint.send(known, said)
            except PostError as error:
                _is_not_there(error)
                await asyncio.to_thread(self._desk.part, identity)
        found = await self._endpoint.personal(address)
        await asyncio.to_thread(self._desk.meet, identity, found)
        return await self._endpoint.send(found, said)

    async def _put(self, post: Post, answer: Answer, shown: Shown, where: Where, notice: str = "") -> str:
        """Post an answer; without what goes along with a card, and then as text, when Teams refuses it."""
        said = message(answer, shown, where, notice=notice)
        for plainer in (bare(said), text_message(summary(answer), answer.card)):
            try:
                return await post(said)
            except PostError as error:
                if error.status not in _REFUSED:
                    raise
                log.warning("Teams refused an answer (%s), so it goes in a plainer form", error.status)
                said = plainer
        return await post(said)

    async def _note(self, team: str, place: str, message_id: str, answer: Answer) -> None:
        if message_id and answer.id:
            await asyncio.to_thread(self._desk.put, answer.id, Place("teams", team, place), message_id)


def _is_not_there(error: PostError) -> bool:
    """Go on only where they do not have the app; anything else is raised again."""
    if error.status not in _NOT_THERE:
        raise error
    return False
