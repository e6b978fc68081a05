"""What each button and form does: ask the desk, and show it where the button stands."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

from slack_sdk.errors import SlackApiError

from bots.slack_blocks import (
    AT_FIRST,
    Shown,
    check_blocks,
    copy_blocks,
    other_blocks,
    read_value,
    reason_blocks,
    seen_blocks,
    text_blocks,
    topics_blocks,
)
from bots.slack_client import reason_of
from bots.slack_events import SHARED, Spot, Submission, Tap
from bots.slack_reply import Replies
from bots.slack_views import ask_modal, home_view, share_modal
from bots.slack_workspaces import Workspaces
from core.desk import Desk
from core.errors import NotAllowedError, NotFoundError
from core.language import language_of_locale
from core.model import Answer, Feedback, Person, Suggestion
from core.store import Identity
from core.words import say
from knowledge.article import Language
from knowledge.moment import Moment

log = logging.getLogger(__name__)

Work = Callable[[Tap], Awaitable[None]]

_SHARED_LATELY = 1000
_MAX_PROMPTS = 4
NOT_THERE = {"not_in_channel", "channel_not_found", "is_archived", "restricted_action"}


class Screens(Protocol):
    """Who shows what comes of asking for more than an answer."""

    async def ask_for(self, spot: Spot, do: str, about: str) -> None:
        """Show it to this person alone."""


class Taps:
    """One method for each thing to tap."""

    def __init__(self, desk: Desk, replies: Replies, workspaces: Workspaces) -> None:
        """The desk knows, the replies speak, the workspaces know who somebody is."""
        self._screens: Screens
        self._desk = desk
        self._replies = replies
        self._workspaces = workspaces
        self._shared: deque[tuple[str, str, str]] = deque(maxlen=_SHARED_LATELY)  # answers, moments, channels
        self._work: dict[str, Work] = {
            "more": self._redraw(lambda shown: Shown(more=True)),
            "less": self._redraw(lambda shown: AT_FIRST),
            "back": self._redraw(lambda shown: Shown(shown.more, shown.step)),
            "step": self._step,
            "menu": self._menu,
            "shape": self._reshape,
            "wrong": self._wrong,
            "reason": self._rate,
            "helped": self._helped,
            "quiet": self._quiet,
            "coach": self._coach,
            "seen": self._seen,
            "share": self._share,
            "open": self._open,
            "title": self._open,
            "topic": self._topic,
            "drop": self._drop,
            "ask": self._ask,
        }

    def show_with(self, screens: Screens) -> None:
        """Who that is; it needs us first."""
        self._screens = screens

    def work(self, action_id: str) -> Work:
        """What to do for a button; `NotFoundError` for one that we no longer have."""
        name = action_id.partition(":")[0]
        if name not in self._work:
            raise NotFoundError(f"There is no button {action_id!r} (any more).")
        return self._work[name]

    async def person(self, spot: Spot) -> Person:
        """Who did it, with the role that their user group gives them."""
        role = await self._workspaces.role(spot.team, spot.user, spot.enterprise)
        return await asyncio.to_thread(self._desk.person, Identity("slack", spot.team, spot.user), role)

    def known_language(self, spot: Spot) -> Language:
        """The language to speak when there is no time to ask for it."""
        return self._workspaces.known_language(spot.team, spot.user) or self._desk.language

    async def language(self, spot: Spot) -> Language:
        """The language to speak where no question or answer tells."""
        person = await asyncio.to_thread(self._desk.person, Identity("slack", spot.team, spot.user))
        locale = await self._workspaces.locale(spot.team, spot.user, spot.enterprise)
        return self._desk.language_for(person, locale)

    # -- the same answer, another way --------------------------------------------------------------------------------
    def _redraw(self, change: Callable[[Shown], Shown]) -> Work:
        async def work(tap: Tap) -> None:
            answer, shown = await self._standing(tap.spot, tap.value)
            await self._replies.replace(tap.spot, answer, change(shown), tap.above)

        return work

    async def _standing(self, spot: Spot, value: str) -> tuple[Answer, Shown]:
        """The answer in the shape that stands there: it may have been reshaped since it was given."""
        answer_id, moment, shown = _read(value)
        person = await self.person(spot)
        return await asyncio.to_thread(self._desk.shown, answer_id, _among(person, spot), moment), shown

    async def _step(self, tap: Tap) -> None:
        answer, shown = await self._standing(tap.spot, tap.value)
        last = len(answer.card.walk) - 1 if answer.card else 0
        match tap.action_id:
            case "step:next":
                shown = Shown(step=min(shown.step + 1, last))
            case "step:back":
                shown = Shown(step=max(shown.step - 1, 0))
            case _:
                await self._done(tap, answer)
                return
        await self._replies.replace(tap.spot, answer, shown, tap.above)

    async def _done(self, tap: Tap, answer: Answer) -> None:
        """At the end of the steps it helped."""
        person = await self.person(tap.spot)
        await asyncio.to_thread(self._desk.rate, Feedback(answer.id, person.id, helpful=True))
        await self._screens.ask_for(tap.spot, "helped", answer.id)

    async def _menu(self, tap: Tap) -> None:
        what, _, value = tap.value.partition(" ")
        tap = Tap(what, value, tap.spot, tap.above)
        match what:
            case "reshape":
                await self._redraw(lambda shown: Shown(shown.more, shown.step, choosing=True))(tap)
            case "copy":
                answer, _ = await self._standing(tap.spot, value)
                heading = say("button.copy", answer.language)
                await self._replies.whisper(tap.spot, heading, copy_blocks(answer), answer.language)
            case "share":
                await self._share(tap)
            case "later":
                await self._later(tap)
            case _:
                raise NotFoundError(f"There is no choice {what!r} (any more).")

    async def _reshape(self, tap: Tap) -> None:
        answer_id, _, _ = _read(tap.value)
        moment = _moment(tap.action_id.partition(":")[2])
        person = await self.person(tap.spot)
        answer = await asyncio.to_thread(self._desk.reshape, answer_id, moment, _among(person, tap.spot))
        await self._replies.replace(tap.spot, answer, AT_FIRST, tap.above)
        if answer.moment is not moment:
            await self._replies.tell(tap.spot, say("reshape.nothing", answer.language), answer.language)

    # -- what somebody thinks of it ----------------------------------------------------------------------------------
    async def _wrong(self, tap: Tap) -> None:
        answer = await self._recalled(tap.value)
        blocks = reason_blocks(answer.id, answer.language)
        await self._replies.whisper(tap.spot, say("feedback.ask", answer.language), blocks, answer.language)

    async def _rate(self, tap: Tap) -> None:
        await self._think(tap, tap.value, helpful=False, reason=tap.action_id.partition(":")[2])

    async def _helped(self, tap: Tap) -> None:
        """Native thumbs in an answer, or yes and no in a message of its own, which then makes way for the thanks."""
        said, _, answer_id = tap.value.partition(" ")
        helpful = said == "yes"
        if tap.action_id != "helped":
            await self._think(tap, answer_id, helpful=helpful)
            return
        answer = await self._recalled(answer_id)
        person = await self.person(tap.spot)
        await asyncio.to_thread(self._desk.rate, Feedback(answer.id, person.id, helpful=helpful))
        if helpful:
            await self._screens.ask_for(tap.spot, "helped", answer.id)
        else:
            await self._wrong(Tap("wrong", answer_id, tap.spot))

    async def _think(self, tap: Tap, answer_id: str, *, helpful: bool, reason: str = "") -> None:
        answer = await self._recalled(answer_id)
        person = await self.person(tap.spot)
        await asyncio.to_thread(self._desk.rate, Feedback(answer.id, person.id, helpful=helpful, reason=reason))
        thanks = say("feedback.helped" if helpful else "feedback.thanks", answer.language)
        others = other_blocks(answer) if reason == "topic" else []
        await self._replies.instead(tap.spot, thanks, [*text_blocks(thanks), *others], answer.language)

    async def _quiet(self, tap: Tap) -> None:
        person = await self.person(tap.spot)
        await asyncio.to_thread(self._desk.leave_alone, person)
        language = (await self._recalled(tap.value)).language
        sentence = say("check.left_alone", language)
        await self._replies.instead(tap.spot, sentence, text_blocks(sentence), language)

    async def _coach(self, tap: Tap) -> None:
        """On their list, with what else can be done; those of a user group may never have spoken with us."""
        answer = await self._recalled(tap.value)
        grouped = await self._workspaces.has_coaches(tap.spot.team, tap.spot.enterprise)
        known: int = await asyncio.to_thread(self._desk.store.coaches) if grouped else 0
        if known or not grouped:
            await self._screens.ask_for(tap.spot, "ask_coach", answer.id)
            return
        person = await self.person(tap.spot)
        sentence = await asyncio.to_thread(self._desk.ask_coach, answer.id, person, has_coaches=True)
        await self._replies.tell(tap.spot, sentence, answer.language)

    async def _seen(self, tap: Tap) -> None:
        """What a colleague got to see who asked for a coach."""
        person = await self.person(tap.spot)
        try:
            answer = await asyncio.to_thread(self._desk.asked, _read(tap.value)[0], person)
        except NotAllowedError:  # a coach no longer: their home is from before
            language = await self.language(tap.spot)
            await self._replies.tell(tap.spot, say("command.not_yours", language), language)
            return
        await self._replies.whisper(tap.spot, say("button.open", answer.language), seen_blocks(answer), answer.language)

    # -- for others, for later ---------------------------------------------------------------------------------------
    async def _share(self, tap: Tap) -> None:
        """Where it was asked, or in a channel of their choice."""
        spot, answer = tap.spot, await self._recalled(tap.value)
        if not await asyncio.to_thread(self._desk.for_everybody, answer):
            await self._replies.tell(spot, say("share.private", answer.language), answer.language)
        elif spot.ephemeral and spot.response_url:
            await self._share_in(spot.channel, tap.value, spot)
            await self._replies.tell(spot, say("share.done", answer.language), answer.language)
        else:
            client = await self._workspaces.client(spot.team, spot.enterprise)
            show = client.views_push if spot.view_id and not spot.home else client.views_open
            await show(trigger_id=spot.trigger_id, view=share_modal(tap.value, answer.language))

    async def share_chosen(self, filled: Submission) -> None:
        """The channel was chosen: share it there, and say so in the form."""
        language = (await self._recalled(filled.metadata)).language
        sentence = say("share.done", language)
        try:
            await self._share_in(filled.values["channel"], filled.metadata, filled.spot)
        except SlackApiError as error:
            if reason_of(error) not in NOT_THERE:
                raise
            sentence = say("share.not_there", language)
        await self._replies.fill_in(filled.spot, sentence, language)

    async def _share_in(self, channel: str, value: str, spot: Spot) -> None:
        """Once by this process, however often it is tapped: nothing on the screen tells that it has been done."""
        answer_id, moment, _ = _read(value)
        name = (answer_id, moment or "", channel)
        if name in self._shared:
            return
        self._shared.append(name)
        try:
            person = await self.person(spot)
            share = partial(self._desk.share, answer_id, person, moment, surface="slack", team=spot.team)
            answer = await asyncio.to_thread(share)
            await self._replies.share(spot, channel, answer, _shared_by(spot, answer))
        except Exception:
            self._shared.remove(name)
            raise

    async def _later(self, tap: Tap) -> None:
        answer = await self._recalled(tap.value)
        person = await self.person(tap.spot)
        await asyncio.to_thread(self._desk.keep, answer.id, person)
        await self._replies.tell(tap.spot, say("later.kept", answer.language), answer.language)

    async def _drop(self, tap: Tap) -> None:
        person = await self.person(tap.spot)
        await asyncio.to_thread(self._desk.drop, _read(tap.value)[0], person)
        await self.show_home(tap.spot)

    # -- browsing ----------------------------------------------------------------------------------------------------
    async def _open(self, tap: Tap) -> None:
        """Another title; in a list of titles it stands below the list."""
        language, _, article_id = tap.value.partition(" ")
        await self.open_article(tap.spot, article_id, language_of_locale(language))

    async def open_article(self, spot: Spot, article_id: str, language: Language | None) -> None:
        """Show an article to this person alone."""
        person = await self.person(spot)
        answer = await asyncio.to_thread(
            self._desk.open, article_id, person, language=language, surface="slack", team=spot.team
        )
        await self._replies.open(spot, answer)

    async def topics(self, spot: Spot, language: Language, topic: str = "") -> tuple[str, list[dict[str, Any]]]:
        """What there is to browse, as a message."""
        person = await self.person(spot)
        found = await asyncio.to_thread(self._desk.topics, person, language)
        titles = {
            name: [Suggestion(article.id, article.title, article.language) for article in articles]
            for name, articles in found.items()
        }
        return say("slack.topic", language), topics_blocks(titles, language, topic)

    async def _topic(self, tap: Tap) -> None:
        language, _, topic = tap.value.partition(" ")
        speak = language_of_locale(language) or self._desk.language
        text, blocks = await self.topics(tap.spot, speak, topic)
        await self._replies.instead(tap.spot, text, blocks, speak)

    # -- home and forms ----------------------------------------------------------------------------------------------
    async def _ask(self, tap: Tap) -> None:
        await self.open_form(tap.spot)

    async def open_form(self, spot: Spot) -> None:
        """The form to ask a question in, from anywhere in Slack."""
        client = await self._workspaces.client(spot.team, spot.enterprise)
        await client.views_open(trigger_id=spot.trigger_id, view=ask_modal(await self.language(spot)))

    async def show_home(self, spot: Spot) -> None:
        """Publish somebody's home tab anew."""
        person = await self.person(spot)
        home = await asyncio.to_thread(self._desk.home, person, await self.language(spot))
        client = await self._workspaces.client(spot.team, spot.enterprise)
        today = self._desk.now().astimezone(self._desk.zone).date()
        await client.views_publish(user_id=spot.user, view=home_view(home, today))

    async def show_examples(self, spot: Spot) -> None:
        """Questions to tap in an empty conversation."""
        language = await self.language(spot)
        person = await self.person(spot)
        examples = await asyncio.to_thread(self._desk.examples, person, language, _MAX_PROMPTS)
        if not examples:
            return
        client = await self._workspaces.client(spot.team, spot.enterprise)
        try:
            # With a thread, the call fails without a word in an app that has the agent view.
            await client.api_call(
                "assistant.threads.setSuggestedPrompts",
                json={
                    "channel_id": spot.channel,
                    "title": say("help.prompts", language),
                    "prompts": [{"title": example, "message": example} for example in examples],
                },
            )
        except SlackApiError as error:
            log.info("Slack shows no examples (%s)", reason_of(error))

    async def check(self) -> None:
        """Ask those whose call is over whether it worked out."""
        for identity, answer in await asyncio.to_thread(self._desk.to_check, "slack"):
            spot = Spot(identity.team, "", identity.user, identity.user)
            try:
                await self._replies.posting(spot)(text=say("check.ask", answer.language), blocks=check_blocks(answer))
            except Exception:
                log.exception("could not ask somebody on slack whether it worked out")

    async def _recalled(self, value: str) -> Answer:
        return await asyncio.to_thread(self._desk.recall, _read(value)[0])


def _read(value: str) -> tuple[str, Moment | None, Shown]:
    try:
        return read_value(value)
    except ValueError as error:
        raise NotFoundError(f"There is no answer {value[:40]!r}.") from error


def _moment(name: str) -> Moment:
    try:
        return Moment(name)
    except ValueError as error:
        raise NotFoundError(f"There is no moment {name!r}.") from error


def _among(person: Person, spot: Spot) -> Person:
    """Where others read along, only what everybody may see."""
    return person if spot.direct else person.in_public()


def _shared_by(spot: Spot, answer: Answer) -> list[dict[str, Any]]:
    sentence = say("share.by", answer.language, name=f"<@{spot.user}>")
    return [{"type": "context", "block_id": SHARED, "elements": [{"type": "mrkdwn", "text": sentence}]}]
