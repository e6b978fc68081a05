"""Saying things in Slack: a reply to a message, in place of what stands there, for one person only, in a form."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from slack_sdk.errors import SlackApiError

from bots.slack_blocks import AT_FIRST, Shown, Where, answer_blocks, fallback_text, text_blocks
from bots.slack_client import reason_of
from bots.slack_events import Spot
from bots.slack_parts import Block
from bots.slack_views import answer_modal, message_modal
from bots.slack_workspaces import Workspaces
from core.errors import BijdehandError
from core.model import Answer, Delivery
from knowledge.article import Language

log = logging.getLogger(__name__)

_OK = 200
_TOO_MUCH = ("invalid_blocks", "msg_blocks_too_long", "msg_too_long", "invalid_arguments")

Post = Callable[..., Awaitable[str]]  # takes text and blocks; the id of what was posted, where Slack tells


class Replies:
    """Every way to say something, each falling back to the next best: whoever did something gets something to see."""

    def __init__(self, workspaces: Workspaces) -> None:
        """The workspaces know with which token to speak."""
        self._workspaces = workspaces

    async def deliver(self, delivery: Delivery) -> str:
        """The reply to a question, where it was asked; in a direct message when that place is gone."""
        spot, answer = Spot(**delivery.address), delivery.answer
        if not spot.view_id and not spot.response_url:
            return await self._put(self.posting(spot), answer, Where.DIRECT if spot.direct else Where.CHANNEL)
        try:
            if spot.view_id:
                return await self._fill(spot, answer, AT_FIRST)
            return await self._put(self._hooked(spot), answer, Where.WHISPER)
        except (BijdehandError, SlackApiError) as error:
            log.info("The place where a question was asked is gone (%s), so the reply goes to the asker", error)
            return await self._put(self.posting(Spot(spot.team, spot.enterprise, spot.user, spot.user)), answer)

    async def replace(self, spot: Spot, answer: Answer, shown: Shown) -> None:
        """Show an answer where it stands already, another way."""
        if spot.view_id:
            await self._fill(spot, answer, shown)
        else:
            await self._put(self._hooked(spot, replace_original=True), answer, where_of(spot), shown)

    async def open(self, spot: Spot, answer: Answer) -> None:
        """Show another answer beside it: for this person alone, as it may be less public than the place."""
        if spot.home:
            client = await self._workspaces.client(spot.team, spot.enterprise)
            await client.views_open(trigger_id=spot.trigger_id, view=answer_modal(answer))
        elif spot.view_id:
            await self._fill(spot, answer, AT_FIRST)
        elif spot.ephemeral:
            await self._put(self._hooked(spot), answer, Where.WHISPER)
        elif spot.direct:
            await self._put(self.posting(spot), answer, Where.DIRECT)
        else:
            await self._put(await self._aside(spot), answer, Where.WHISPER)

    async def tell(self, spot: Spot, sentence: str, language: Language) -> None:
        """A sentence of our own, for this person alone."""
        await self.whisper(spot, sentence, text_blocks(sentence), language)

    async def whisper(self, spot: Spot, text: str, blocks: list[Block], language: Language) -> None:
        """Something for this person alone, beside what stands there."""
        client = await self._workspaces.client(spot.team, spot.enterprise)
        if spot.view_id and spot.trigger_id:
            show = client.views_open if spot.home else client.views_push
            await show(trigger_id=spot.trigger_id, view=message_modal(blocks, language))
        elif spot.ephemeral and spot.response_url:
            await self._hooked(spot)(text=text, blocks=blocks)
        elif spot.channel:
            await (await self._aside(spot))(text=text, blocks=blocks)
        else:
            await client.chat_postMessage(channel=spot.user, text=text, blocks=blocks)

    async def instead(self, spot: Spot, text: str, blocks: list[Block], language: Language) -> None:
        """Something else in the place of what stands there."""
        if spot.view_id:
            client = await self._workspaces.client(spot.team, spot.enterprise)
            await client.views_update(view_id=spot.view_id, view=message_modal(blocks, language))
        else:
            await self._hooked(spot, replace_original=True)(text=text, blocks=blocks)

    async def share(self, spot: Spot, channel: str, answer: Answer, above: list[Block]) -> None:
        """Show an answer to everybody in a channel; through the response URL where we need not be a member."""
        post = self.posting(Spot(spot.team, spot.enterprise, spot.user, channel))
        if spot.response_url and channel == spot.channel:
            post = self._hooked(spot, response_type="in_channel")
        await self._put(post, answer, Where.CHANNEL, above=above)

    async def unsend(self, delivery: Delivery, message_id: str) -> None:
        """Take a reply away again; one that is not a message of its own cannot be."""
        if message_id:
            await self.delete(Spot(**delivery.address), message_id)

    async def delete(self, spot: Spot, message_id: str) -> None:
        """Take a message of ours away."""
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

    async def _aside(self, spot: Spot) -> Post:
        """Seen by this person alone, where they are."""
        client = await self._workspaces.client(spot.team, spot.enterprise)
        whisper = partial(client.chat_postEphemeral, channel=spot.channel, user=spot.user, thread_ts=spot.thread_ts)

        async def post(**message: Any) -> str:  # noqa: ANN401 - as above
            await whisper(**message)
            return ""

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
        above: list[Block] | None = None,
    ) -> str:
        """Post an answer in blocks; once more in plain text when Slack refuses those."""
        question = _restated(answer) if where is Where.WHISPER else ""
        text = fallback_text(answer, question=question)
        try:
            blocks = [*(above or []), *answer_blocks(answer, shown, where, question=question)]
            return await post(text=text, blocks=blocks)
        except SlackApiError as error:
            reason = reason_of(error)
            if not any(refusal in reason for refusal in _TOO_MUCH):
                raise
            log.warning("Slack refused the blocks of an answer (%s), so it goes as plain text", reason)
            return await post(text=text)


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
