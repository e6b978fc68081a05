"""Saying things in Slack: a reply to a message, in place of what stands there, for one person only, in a form."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from slack_sdk.errors import SlackApiError

from bots.slack_blocks import AT_FIRST, Shown, Where, answer_blocks, fallback_text, text_blocks
from bots.slack_client import PASSING, reason_of
from bots.slack_events import Spot
from bots.slack_parts import Block
from bots.slack_views import answer_modal, message_modal
from bots.slack_workspaces import Workspaces
from core.errors import BijdehandError
from core.model import Answer, Delivery
from knowledge.article import Language

log = logging.getLogger(__name__)

ACKED_WITHIN = 0.5  # seconds until what we acked surely stands in a form; an answer before that would be replaced by it
_OK = 200
_TOO_MUCH = ("invalid_blocks", "msg_blocks_too_long", "msg_too_long", "invalid_arguments")

Post = Callable[..., Awaitable[str]]  # takes text and blocks; the id of what was posted, where Slack tells


class Replies:
    """Every way to say something, each falling back to the next best: whoever did something gets something to see."""

    def __init__(self, workspaces: Workspaces) -> None:
        """The workspaces know with which token to speak."""
        self._workspaces = workspaces

    async def deliver(self, delivery: Delivery) -> str:
        """The reply to a question, where it was asked; in a direct message where that place is closed to us."""
        spot, answer = Spot(**delivery.address), delivery.answer
        if spot.view_id:
            await asyncio.sleep(ACKED_WITHIN)
            try:
                return await self._fill(spot, answer, AT_FIRST)
            except SlackApiError as error:
                _is_closed(error)
                return await self._put(self._to_person(spot), answer, Where.DIRECT)
        if spot.response_url:
            return await self._put(self._first(self._hooked(spot), self._to_person(spot)), answer, Where.WHISPER)
        where = Where.DIRECT if spot.direct else Where.CHANNEL
        return await self._put(self._first(self.posting(spot), self._to_person(spot)), answer, where)

    async def replace(self, spot: Spot, answer: Answer, shown: Shown, above: Sequence[Block] = ()) -> None:
        """Show an answer where it stands already, another way; what stands above it stays."""
        if spot.view_id:
            await self._fill(spot, answer, shown)
        else:
            await self._put(self._hooked(spot, replace_original=True), answer, where_of(spot), shown, above)

    async def open(self, spot: Spot, answer: Answer) -> None:
        """Show another answer beside it: for this person alone, as it may be less public than the place."""
        if spot.home:
            client = await self._workspaces.client(spot.team, spot.enterprise)
            try:
                await client.views_open(trigger_id=spot.trigger_id, view=answer_modal(answer))
            except SlackApiError as error:  # a trigger lasts three seconds
                _is_closed(error)
                await self._put(self._to_person(spot), answer)
        elif spot.view_id:
            await self._fill(spot, answer, AT_FIRST)
        elif spot.direct and not spot.ephemeral:
            await self._put(self._first(self.posting(spot), self._to_person(spot)), answer, Where.DIRECT)
        else:
            await self._put(self._whispering(spot), answer, Where.WHISPER)

    async def tell(self, spot: Spot, sentence: str, language: Language) -> None:
        """A sentence of our own, for this person alone."""
        await self.whisper(spot, sentence, text_blocks(sentence), language)

    async def fill_in(self, spot: Spot, sentence: str, language: Language) -> None:
        """What came of a form that was sent in, once what we acked stands in it."""
        await asyncio.sleep(ACKED_WITHIN)
        await self.tell_instead(spot, sentence, language)

    async def tell_instead(self, spot: Spot, sentence: str, language: Language) -> None:
        """A sentence of our own, in the place of what stands there."""
        await self.instead(spot, sentence, text_blocks(sentence), language)

    async def whisper(self, spot: Spot, text: str, blocks: list[Block], language: Language) -> None:
        """Something for this person alone, beside what stands there."""
        if not spot.view_id:
            await self._whispering(spot)(text=text, blocks=blocks)
            return
        client = await self._workspaces.client(spot.team, spot.enterprise)
        show = client.views_open if spot.home else client.views_push
        try:
            await show(trigger_id=spot.trigger_id, view=message_modal(blocks, language))
        except SlackApiError as error:  # a trigger lasts three seconds
            _is_closed(error)
            await self._to_person(spot)(text=text, blocks=blocks)

    async def instead(self, spot: Spot, text: str, blocks: list[Block], language: Language) -> None:
        """Something else in the place of what stands there."""
        if spot.view_id:
            client = await self._workspaces.client(spot.team, spot.enterprise)
            await client.views_update(view_id=spot.view_id, view=message_modal(blocks, language))
        else:
            await self._hooked(spot, replace_original=True)(text=text, blocks=blocks)

    async def share(self, spot: Spot, channel: str, answer: Answer, above: Sequence[Block]) -> None:
        """Show an answer to everybody in a channel; through the response URL where we need not be a member."""
        post = self.posting(Spot(spot.team, spot.enterprise, spot.user, channel))
        if spot.response_url and channel == spot.channel:
            post = self._hooked(spot, response_type="in_channel")
        await self._put(post, answer, Where.CHANNEL, above=above)

    async def unsend(self, address: Mapping[str, Any], message_id: str) -> None:
        """Take a reply away again."""
        spot = Spot(**address)
        client = await self._workspaces.client(spot.team, spot.enterprise)
        await client.chat_delete(channel=spot.channel, ts=message_id)

    def posting(self, spot: Spot) -> Post:
        """A message of our own in a channel, in the thread where there is one."""

        async def post(**message: Any) -> str:  # noqa: ANN401 - a message, as Slack has it
            client = await self._workspaces.client(spot.team, spot.enterprise)
            posted = await client.chat_postMessage(
                channel=spot.channel, thread_ts=spot.thread_ts, unfurl_links=False, unfurl_media=False, **message
            )
            return str(posted.get("ts") or "")

        return post

    def _whispering(self, spot: Spot) -> Post:
        """Seen by this person alone: where they are, else through what they tapped, else in a direct message."""
        ways = [self._aside(spot)] if spot.channel else []
        if spot.response_url:
            ways.insert(0 if spot.ephemeral else len(ways), self._hooked(spot))
        return self._first(*ways, self._to_person(spot))

    def _aside(self, spot: Spot) -> Post:
        async def post(**message: Any) -> str:  # noqa: ANN401 - a message, as Slack has it
            client = await self._workspaces.client(spot.team, spot.enterprise)
            await client.chat_postEphemeral(channel=spot.channel, user=spot.user, thread_ts=spot.thread_ts, **message)
            return ""

        return post

    def _to_person(self, spot: Spot) -> Post:
        """A direct message, which needs no more than a person."""
        return self.posting(Spot(spot.team, spot.enterprise, spot.user, spot.user))

    def _first(self, *ways: Post) -> Post:
        """The first way that is open to us."""

        async def post(**message: Any) -> str:  # noqa: ANN401 - as above
            *others, last = ways
            for way in others:
                try:
                    return await way(**message)
                except (BijdehandError, SlackApiError) as error:
                    _is_closed(error)
            return await last(**message)

        return post

    def _hooked(self, spot: Spot, **how: Any) -> Post:  # noqa: ANN401 - as above
        """Through the response URL, which can replace an ephemeral message too. It reports refusal in its status."""

        async def post(**message: Any) -> str:  # noqa: ANN401 - as above
            said = await self._workspaces.webhook(spot.response_url).send(**how, **message)
            if said.status_code != _OK:
                sentence, reason = "Slack did not take the message.", {"error": said.body.strip()}
                raise SlackApiError(sentence, reason)  # type: ignore[no-untyped-call]
            return ""

        return post

    async def _fill(self, spot: Spot, answer: Answer, shown: Shown) -> str:
        client = await self._workspaces.client(spot.team, spot.enterprise)
        await client.views_update(view_id=spot.view_id, view=answer_modal(answer, shown))
        return ""

    async def _put(
        self,
        post: Post,
        answer: Answer,
        where: Where = Where.DIRECT,
        shown: Shown = AT_FIRST,
        above: Sequence[Block] = (),
    ) -> str:
        """Post an answer in blocks; once more in plain text when Slack refuses those."""
        question = _restated(answer) if where is Where.WHISPER else ""
        text = fallback_text(answer, question=question)
        try:
            blocks = [*above, *answer_blocks(answer, shown, where, question=question)]
            return await post(text=text, blocks=blocks)
        except SlackApiError as error:
            reason = reason_of(error)
            if not _refuses_blocks(reason):
                raise
            log.warning("Slack refused the blocks of an answer (%s), so it goes as plain text", reason)
            return await post(text=text)


def _is_closed(error: Exception) -> None:
    """Go on only where this way will stay closed; what Slack has against the message, or for now, is raised again."""
    reason = reason_of(error)
    if isinstance(error, SlackApiError) and (reason in PASSING or _refuses_blocks(reason)):
        raise error
    log.info("A way to answer is closed (%s), so another is taken", reason or error)


def _refuses_blocks(reason: str) -> bool:
    return any(refusal in reason for refusal in _TOO_MUCH)


def where_of(spot: Spot) -> Where:
    """Who sees what stands in a spot."""
    if spot.view_id:
        return Where.MODAL
    if spot.ephemeral:
        return Where.WHISPER
    return Where.DIRECT if spot.direct else Where.CHANNEL


def _restated(answer: Answer) -> str:
    """The question above an answer that stands far from it; an article that was opened was no question."""
    return "" if answer.card and answer.card.title == answer.question else answer.question
