"""The coach's desk in Slack: what is tapped, typed or filled in goes there, and its screens are shown."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError

from bots.slack_client import reason_of
from bots.slack_events import Command, Payload, Spot, to_submission, to_tap
from bots.slack_reply import Replies
from bots.slack_screens import (
    Filled,
    form_view,
    panel_blocks,
    panel_text,
    panel_view,
    to_filled,
    to_tapped,
    told_view,
)
from bots.slack_taps import NOT_THERE, Taps
from bots.slack_views import View, waiting_modal
from bots.slack_workspaces import Workspaces
from core.coach import Coach
from core.commands import read_coach
from core.model import Person
from core.screens import Asked, Form, Notification, Panel, Screen, Told
from core.words import say

log = logging.getLogger(__name__)

_AT_ONCE = 2.0  # seconds: a form must be acked within three
_COLLEAGUES = "colleagues"  # a form that asks for a channel, and a panel to be posted there


class SlackCoach:
    """One per surface."""

    def __init__(self, coach: Coach, replies: Replies, taps: Taps, workspaces: Workspaces) -> None:
        """The coach's desk knows, the replies speak, the taps know who somebody is."""
        self._coach = coach
        self._replies = replies
        self._taps = taps
        self._workspaces = workspaces

    async def command(self, typed: Command) -> None:
        """`/coach` and what is typed behind it, in a modal that is opened at once: a trigger lasts three seconds."""
        do, about = read_coach(typed.text)
        await self._in_modal(typed.spot, do, about)

    async def tapped(self, body: Payload) -> None:
        """A button of a screen, wherever it stands."""
        tap, spot = to_tapped(body), to_tap(body).spot
        if spot.view_id and not spot.home:
            await self._show(spot.view_id, await self._screen(spot, tap.do, tap.about, tap.filled), spot)
        elif tap.opens or spot.home:
            await self._in_modal(spot, tap.do, tap.about)
        else:
            await self._say(spot, await self._screen(spot, tap.do, tap.about))

    async def submitted(self, ack: AsyncAck, body: Payload) -> None:
        """A form that was sent in. What is wrong with it is said before it closes, unless that takes too long."""
        filled, spot = to_filled(body), to_submission(body).spot
        work = asyncio.ensure_future(self._screen(spot, filled.do, filled.about, filled.filled))
        try:
            screen = await asyncio.wait_for(asyncio.shield(work), _AT_ONCE)
        except TimeoutError:
            await ack(response_action="update", view=waiting_modal(self._taps.known_language(spot)))
            await self._show(spot.view_id, await work, spot)
            return
        except Exception:
            log.exception("a form could not be taken on slack")
            language = self._taps.known_language(spot)
            await ack(response_action="update", view=told_view(Told(say("error.broken", language), language)))
            return
        screen = await self._posted(screen, filled, spot)
        errors = filled.errors(screen) if isinstance(screen, Form) and screen.do == filled.do else {}
        if errors:
            await ack(response_action="errors", errors=errors)
        else:
            await ack(response_action="update", view=_view(screen))

    async def closed(self, body: Payload) -> None:
        """A form was closed without being sent in: what is in it is kept."""
        form, spot = to_filled(body), to_submission(body).spot
        if form.filled and any(form.filled.values()):
            await self._screen(spot, "keep", f"{form.do}|{form.about}", form.filled)

    async def save(self, shortcut: Command, author: str) -> None:
        """Somebody's message as an answer, with whoever wrote it credited."""
        spot = shortcut.spot
        name = await self._workspaces.name(spot.team, author, spot.enterprise) if author else ""
        await self._in_modal(spot, "save", "", {"text": shortcut.text, "author": name})

    async def ask_for(self, spot: Spot, do: str, about: str, person: Person | None = None) -> None:
        """What comes of asking for a coach, or of having been helped: for this person alone."""
        screen = await self._screen(spot, do, about, person=person)
        if isinstance(screen, Panel):
            untitled = replace(screen, title="")
            await self._replies.whisper(spot, panel_text(untitled), panel_blocks(untitled), screen.language)
        else:
            await self._say(spot, screen)

    async def post(self, notification: Notification) -> None:
        """Tell somebody something unasked, in their direct message."""
        to, panel = notification.to, notification.panel
        spot = Spot(to.team, "", to.user, to.user)
        await self._replies.posting(spot)(text=panel_text(panel), blocks=panel_blocks(panel))

    # -- asking the desk -----------------------------------------------------------------------------------------------
    async def _screen(
        self, spot: Spot, do: str, about: str, filled: Mapping[str, str] | None = None, person: Person | None = None
    ) -> Screen:
        person = person or await self._taps.person(spot)
        language = await self._taps.language(spot)
        name = await self._workspaces.name(spot.team, spot.user, spot.enterprise)
        asked = Asked(do, about, person, "slack", spot.team, language, name, filled)
        return await asyncio.to_thread(self._coach.do, asked)

    async def _posted(self, screen: Screen, filled: Filled, spot: Spot) -> Screen:
        """A question for colleagues goes to the channel that was chosen, and the form says so."""
        channel = (filled.filled or {}).get("channel", "")
        if filled.do != _COLLEAGUES or not isinstance(screen, Panel) or not channel:
            return screen
        there = Spot(spot.team, spot.enterprise, spot.user, channel)
        try:
            await self._replies.posting(there)(text=panel_text(screen), blocks=panel_blocks(screen))
        except SlackApiError as error:
            if reason_of(error) not in NOT_THERE:
                raise
            return Told(say("share.not_there", screen.language), screen.language)
        return Told(say("share.done", screen.language), screen.language)

    # -- showing -------------------------------------------------------------------------------------------------------
    async def _in_modal(self, spot: Spot, do: str, about: str, filled: Mapping[str, str] | None = None) -> None:
        """Open one at once, and show in it what comes."""
        language = self._taps.known_language(spot)
        client = await self._workspaces.client(spot.team, spot.enterprise)
        opened = await client.views_open(trigger_id=spot.trigger_id, view=waiting_modal(language))
        view_id = str(opened["view"]["id"])
        try:
            screen = await self._screen(spot, do, about, filled)
        except Exception:
            await self._show(view_id, Told(say("error.broken", language), language), spot)
            raise
        await self._show(view_id, screen, spot)

    async def _show(self, view_id: str, screen: Screen, spot: Spot) -> None:
        client = await self._workspaces.client(spot.team, spot.enterprise)
        await client.views_update(view_id=view_id, view=_view(screen))

    async def _say(self, spot: Spot, screen: Screen) -> None:
        """In the message that the button stands in, or beside it where that is only a sentence."""
        match screen:
            case Told():
                await self._replies.tell(spot, screen.sentence, screen.language)
            case Panel():
                await self._replies.instead(spot, panel_text(screen), panel_blocks(screen), screen.language)
            case Form():
                client = await self._workspaces.client(spot.team, spot.enterprise)
                await client.views_open(trigger_id=spot.trigger_id, view=form_view(screen))


def _view(screen: Screen) -> View:
    match screen:
        case Form():
            return form_view(screen)
        case Panel():
            return panel_view(screen)
    return told_view(screen)
