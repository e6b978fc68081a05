"""Teams: what people say and tap goes to the desk, what the desk answers is posted where they asked."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from aiohttp import web

from bots.botframework import Activity, Endpoint, OnActivity, PostError, read
from bots.teams_activities import Tap, to_event, to_tap
from bots.teams_cards import CARD, answer_card, message, summary, text_message
from core.background import Background
from core.courier import Courier
from core.desk import Desk
from core.errors import NotFoundError
from core.language import language_of_locale
from core.model import Answer, Delivery, Event, Feedback
from core.settings import Settings
from core.words import say

log = logging.getLogger(__name__)

_SENTENCE = "application/vnd.microsoft.activity.message"
_ERROR = "application/vnd.microsoft.error"

_TAPPED_WITHIN = 10.0  # seconds; whoever taps is waiting, and Teams for no more than fifteen
_NOT_THIS_CARD = {400, 413}  # Teams will not take it the next time either


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer and what is said above it."""

    answer: Answer
    notice: str = ""


class TeamsSurface:
    """Takes activities of Teams. A request is answered at once, since Teams sends again after fifteen seconds."""

    path = "/api/messages"
    pages = ()  # Teams installs us by a package, not by a page

    def __init__(self, desk: Desk, settings: Settings, endpoint: Callable[[Settings, OnActivity], Endpoint]) -> None:
        """Requests are taken from the first moment; `SettingsError` when it would not be safe to."""
        self._desk = desk
        self._language = settings.language
        self._endpoint = endpoint(settings, self._on_activity)
        self._courier = Courier(desk, "teams", self._send, self._type)
        self._background = Background("teams")
        self._stopping = False

    async def handle(self, request: web.Request) -> web.Response:
        """Take one request."""
        if self._stopping:
            return web.Response(status=503)
        return await self._endpoint.handle(request)

    async def start(self) -> None:
        """Take up what a crash left, now and from time to time."""
        self._background.run(self._courier.watch(), lasting=True)

    async def stop(self) -> None:
        """Take nothing new, and finish what is under way."""
        self._stopping = True
        await self._background.stop()
        await self._endpoint.close()

    # -- what Teams sends --------------------------------------------------------------------------------------------
    async def _on_activity(self, activity: Activity) -> Activity | None:
        match activity["type"]:
            case "message":
                self._on_message(activity)
            case "invoke" if activity.get("name") == "adaptiveCard/action":
                return await self._on_invoke(activity)
        return None  # to an invoke we do not know, Teams wants to hear yes and no more

    def _on_message(self, activity: Activity) -> None:
        tap = to_tap(activity, self._language)
        event = None if tap else to_event(activity)
        if tap:
            self._background.run(self._post_tapped(tap))
        elif event:
            self._background.run(self._courier.take(event))

    async def _on_invoke(self, activity: Activity) -> Activity:
        tap = to_tap(activity, self._language)
        if tap is None:
            said = say("answer.gone", language_of_locale(read(activity, "locale")) or self._language)
            return {"statusCode": 400, "type": _ERROR, "value": {"code": "BadRequest", "message": said}}
        shown = await self._tapped(tap)
        if isinstance(shown, str):
            return {"statusCode": 200, "type": _SENTENCE, "value": shown}
        return {"statusCode": 200, "type": CARD, "value": answer_card(shown.answer, notice=shown.notice)}

    # -- answers -------------------------------------------------------------------------------------------------------
    async def _type(self, event: Event) -> None:
        await self._endpoint.send(event.address, {"type": "typing"})

    async def _send(self, delivery: Delivery) -> str:
        """What the courier calls: the card, or its summary where Teams will not have the card."""
        try:
            await self._endpoint.send(delivery.address, message(delivery.answer))
        except PostError as error:
            if error.status not in _NOT_THIS_CARD:
                raise
            log.warning("Teams refused a card (%s), so its summary goes", error.status)
            await self._endpoint.send(delivery.address, text_message(summary(delivery.answer)))
        return ""  # the id that Teams gave it is not needed yet

    # -- buttons -------------------------------------------------------------------------------------------------------
    async def _tapped(self, tap: Tap) -> Shown | str:
        """What to show for a tap, or a sentence when that cannot be."""
        try:
            async with asyncio.timeout(_TAPPED_WITHIN):
                return await asyncio.to_thread(self._do, tap)
        except TimeoutError:
            return say("error.busy", tap.language)
        except NotFoundError:
            return say("answer.gone", tap.language)
        except Exception:
            log.exception("the button %r failed on teams", tap.verb)
            return say("error.broken", tap.language)

    async def _post_tapped(self, tap: Tap) -> None:
        """In a client that cannot change a card, the new one comes below it."""
        shown = await self._tapped(tap)
        if isinstance(shown, str):
            said = text_message(shown)
        elif tap.verb == "wrong":
            said = text_message(shown.notice)
        else:
            said = message(shown.answer, notice=shown.notice)
        await self._endpoint.send(tap.address, said)

    def _do(self, tap: Tap) -> Shown:
        person = self._desk.person(tap.identity)
        if not tap.direct:
            person = replace(person, audience=())  # others are reading along
        if tap.verb == "open":
            return Shown(
                self._desk.open(
                    tap.article_id,
                    person,
                    language=tap.language,
                    moment=tap.moment,
                    surface="teams",
                    team=tap.identity.team,
                )
            )
        if tap.verb == "reshape" and tap.moment:
            answer = self._desk.reshape(tap.answer_id, tap.moment, person)
            return Shown(answer, "" if answer.moment == tap.moment else say("reshape.nothing", answer.language))
        self._desk.rate(Feedback(tap.answer_id, person.id, helpful=False, reason=tap.reason))
        answer = self._desk.shown(tap.answer_id, person, tap.moment)  # it may have been reshaped since it was given
        return Shown(answer, say("feedback.thanks", answer.language))


def make_surface(
    desk: Desk, settings: Settings, *, endpoint: Callable[[Settings, OnActivity], Endpoint] = Endpoint
) -> TeamsSurface:
    """The bot of this tenant, ready to be mounted."""
    return TeamsSurface(desk, settings, endpoint)
