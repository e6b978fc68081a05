"""Teams: what people say, tap and look up goes to the desk; what the desk answers is shown where they did it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from aiohttp import web

from bots.botframework import Activity, Endpoint, OnActivity, read
from bots.teams_activities import Spot, is_submitted, to_event, to_spot, to_withdrawal
from bots.teams_cards import Where, card_message
from bots.teams_commands import Commands
from bots.teams_invokes import Invokes
from bots.teams_reply import Replies
from bots.teams_screens import panel_card, panel_summary
from bots.teams_taps import Taps
from bots.teams_views import check_card, welcome_card
from core.background import Background
from core.coach import Coach
from core.commands import coach_typed, read_command
from core.courier import Courier
from core.desk import Desk
from core.model import Answer, Delivery, Event
from core.postman import Postman
from core.screens import Notification
from core.settings import Settings
from core.store import Identity
from core.words import say

log = logging.getLogger(__name__)

_CHECK_EVERY = 600.0  # seconds between looking whom to ask whether it worked out
_EXAMPLES = 4
_NOTED_WITHIN = 3.0  # seconds; after fifteen Teams sends it again


class TeamsSurface:
    """Takes activities of Teams. A message is acked at once, since Teams sends again after fifteen seconds."""

    path = "/api/messages"
    pages = ()  # Teams installs us by a package, not by a page

    def __init__(self, desk: Desk, settings: Settings, endpoint: Callable[[Settings, OnActivity], Endpoint]) -> None:
        """Requests are taken from the first moment; `SettingsError` when it would not be safe to."""
        self._desk = desk
        self._endpoint = endpoint(settings, self._on_activity)
        self._background = Background("teams")
        self._replies = Replies(desk, self._endpoint)
        self._courier = Courier(desk, "teams", self._deliver, self._show_work, self._replies.unsend)
        coach = Coach(desk)
        self._postman = Postman(coach, "teams", self._tell)
        taps = Taps(desk, coach)
        self._commands = Commands(desk, taps, self._replies, self._courier)
        self._invokes = Invokes(desk, taps, self._replies, self._courier, self._background)
        self._stopping = False

    async def handle(self, request: web.Request) -> web.Response:
        """Take one request."""
        if self._stopping:
            return web.Response(status=503)
        return await self._endpoint.handle(request)

    async def start(self) -> None:
        """Take up what a crash left, now and from time to time."""
        self._background.run(self._courier.watch(), lasting=True)
        self._background.run(self._postman.watch(), lasting=True)
        self._background.run(self._check(), lasting=True)

    async def stop(self) -> None:
        """Take nothing new, and finish what is under way."""
        self._stopping = True
        await self._background.stop()
        await self._endpoint.close()

    # -- what Teams sends --------------------------------------------------------------------------------------------
    async def _on_activity(self, activity: Activity) -> Activity | None:
        match activity["type"]:
            case "invoke":
                if not read(activity, "name").startswith("composeExtension/"):  # those come from any chat they are in
                    self._background.run(self._refresh(to_spot(activity)))
                return await self._invokes.answer(activity)
            case "message":
                await self._until_noted(activity)
            case "messageUpdate" if read(activity, "channelData", "eventType") == "editMessage":
                await self._edited(activity)
            case "messageDelete":
                self._background.run(self._deleted(activity))
            case "installationUpdate":
                self._background.run(self._come_or_gone(activity))
        return None

    async def _until_noted(self, activity: Activity) -> None:
        """Teams sends again what we did not ack, and never what we did."""
        noted = asyncio.Event()
        self._background.run(self._said(activity, noted.set))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_NOTED_WITHIN):
                await noted.wait()

    async def _said(self, activity: Activity, noted: Callable[[], None]) -> None:
        try:
            await self._take(activity, noted)
        finally:
            noted()

    async def _take(self, activity: Activity, noted: Callable[[], None]) -> None:
        event, spot = to_event(activity), to_spot(activity)
        if event is None:
            return
        self._background.run(self._refresh(spot))
        if is_submitted(activity):
            await self._invokes.submitted(event, activity, noted)
        elif event.addressed and (typed := coach_typed(event.text)) is not None:
            await self._commands.coach(event, spot, typed, read(activity, "from", "name"), noted)
        elif event.addressed and (command := read_command(event.text)):
            await self._commands.obey(event, spot, command, noted)
        else:
            await self._courier.take(event, noted)

    async def _edited(self, activity: Activity) -> None:
        """One that we answered stays answered; one that newly mentions us is as good as new."""
        event = to_event(activity)
        if event and event.addressed:
            await self._until_noted(activity)

    async def _deleted(self, activity: Activity) -> None:
        if spot := to_withdrawal(activity):
            await self._courier.withdraw(spot.identity.team, spot.place, spot.message_id, spot.address)

    async def _come_or_gone(self, activity: Activity) -> None:
        """Somebody has us now, or no more. In a team or a group chat nobody is waiting for a welcome."""
        spot = to_spot(activity)
        match read(activity, "action"):
            case "add" if await self._meet(spot):
                await self._welcome(spot)
            case "add-upgrade":
                await self._meet(spot)
            case "remove" if _is_in_private(spot):  # when we are upgraded we are not gone
                await asyncio.to_thread(self._desk.part, spot.identity)

    async def _welcome(self, spot: Spot) -> None:
        person = await asyncio.to_thread(self._desk.person, spot.identity)
        language = self._desk.language_for(person, spot.locale)
        examples = await asyncio.to_thread(self._desk.examples, person, language, _EXAMPLES)
        said = card_message(welcome_card(language, examples), say("teams.welcome", language))
        await self._replies.say(spot.address, said)

    async def _refresh(self, spot: Spot) -> None:
        """How to write to them in private may change. Nothing depends on it."""
        await self._meet(spot)

    async def _meet(self, spot: Spot) -> bool:
        """True when we could not write to them in private before."""
        if not _is_in_private(spot):
            return False
        address = {key: value for key, value in spot.address.items() if key != "activityId"}
        try:
            return await asyncio.to_thread(self._desk.meet, spot.identity, address)
        except Exception:
            log.exception("could not keep how to write to somebody on teams")
            return False

    # -- what we say ---------------------------------------------------------------------------------------------------
    async def _deliver(self, delivery: Delivery) -> str:
        """What the courier calls: where it was asked, which may be a dialog."""
        if "dialog" not in delivery.address:
            return await self._replies.answer(delivery.address, delivery.answer)
        await self._invokes.deliver(delivery)
        return ""

    async def _tell(self, notification: Notification) -> None:
        """Something that somebody must be told unasked, in the conversation of the two of us."""
        if notification.address is None:
            raise LookupError("Teams has not told how to write to them.")
        said = card_message(panel_card(notification.panel), panel_summary(notification.panel))
        if not await self._replies.say_privately(dict(notification.address), said):
            raise LookupError("They do not have the app any more.")

    async def _show_work(self, event: Event) -> None:
        if "dialog" not in event.address:
            await self._replies.type(event.address)

    async def _check(self) -> None:
        """Ask those whose call is over whether it worked out."""
        while True:
            try:
                for identity, answer in await asyncio.to_thread(self._desk.to_check, "teams"):
                    await self._ask_whether_it_helped(identity, answer)
            except Exception:
                log.exception("could not ask on teams whether it worked out")
            await asyncio.sleep(_CHECK_EVERY)

    async def _ask_whether_it_helped(self, identity: Identity, answer: Answer) -> None:
        address = await asyncio.to_thread(self._desk.reach, identity)
        if address is None:
            return
        try:
            said = card_message(check_card(answer), say("check.ask", answer.language))
            await self._replies.say_privately(address, said)
        except Exception:
            log.exception("could not ask somebody on teams whether it worked out")


def _is_in_private(spot: Spot) -> bool:
    return spot.where is Where.DIRECT and bool(spot.place and spot.identity.user)


def make_surface(
    desk: Desk, settings: Settings, *, endpoint: Callable[[Settings, OnActivity], Endpoint] = Endpoint
) -> TeamsSurface:
    """The bot of this tenant, ready to be mounted."""
    return TeamsSurface(desk, settings, endpoint)
