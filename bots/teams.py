"""Teams: what people say and tap goes to the desk, what the desk answers is posted where they asked."""

import asyncio
import html
import logging
import re
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace

import aiohttp
from aiohttp import web

from bots.botframework import Activity, Endpoint, OnActivity, PostError, read
from bots.teams_cards import CARD, answer_card, message, summary, text_message
from core.courier import Courier
from core.desk import Desk
from core.errors import NotFoundError
from core.language import language_of_locale
from core.model import Answer, Delivery, Event, Feedback
from core.settings import Settings
from core.store import Identity
from core.words import say, words
from knowledge.article import Language
from knowledge.moment import Moment

log = logging.getLogger(__name__)

_SENTENCE = "application/vnd.microsoft.activity.message"
_ERROR = "application/vnd.microsoft.error"

_TYPING_AFTER = 1.0  # seconds
_TAPPED_WITHIN = 10.0  # seconds; whoever taps is waiting, and Teams for no more than fifteen
_PATIENCE = 8.0  # seconds for what is under way when we stop; container runtimes kill after ten
_LONGEST = 20_000  # characters; the desk reads two thousand, without what is stripped here
_NOT_THIS_CARD = {400, 413}  # Teams will not take it the next time either


class TeamsSurface:
    """Takes activities of Teams. A request is answered at once, since Teams sends again after fifteen seconds."""

    path = "/api/messages"

    def __init__(self, desk: Desk, settings: Settings, endpoint: Callable[[Settings, OnActivity], Endpoint]) -> None:
        """Requests are taken from the first moment; `SettingsError` when it would not be safe to."""
        self._desk = desk
        self._language = settings.language
        self._endpoint = endpoint(settings, self._on_activity)
        self._courier = Courier(desk, "teams", self._send)
        self._tasks: set[asyncio.Task[None]] = set()  # the event loop itself keeps only weak references
        self._watching: asyncio.Task[None] | None = None
        self._stopping = False

    async def handle(self, request: web.Request) -> web.Response:
        """Take one request."""
        if self._stopping:
            return web.Response(status=503)
        return await self._endpoint.handle(request)

    async def start(self) -> None:
        """Take up what a crash left, now and from time to time."""
        self._watching = asyncio.create_task(self._courier.watch())

    async def stop(self) -> None:
        """Finish what is under way; what takes too long is in the store, for the next start."""
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_PATIENCE)
        left = [*self._tasks, *([self._watching] if self._watching else [])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
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
        tap = to_tap(activity, activity.get("value"), self._language)
        event = None if tap else to_event(activity)
        if tap:
            self._spawn(self._post_tapped(tap))
        elif event:
            self._spawn(self._answer(event))

    async def _on_invoke(self, activity: Activity) -> Activity:
        tap = to_tap(activity, _tapped_data(activity), self._language)
        if tap is None:
            said = say("answer.gone", language_of_locale(read(activity, "locale")) or self._language)
            return {"statusCode": 400, "type": _ERROR, "value": {"code": "BadRequest", "message": said}}
        shown = await self._tapped(tap)
        if isinstance(shown, str):
            return {"statusCode": 200, "type": _SENTENCE, "value": shown}
        return {"statusCode": 200, "type": CARD, "value": answer_card(shown.answer, notice=shown.notice)}

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_log_failure)

    # -- answers -------------------------------------------------------------------------------------------------------
    async def _answer(self, event: Event) -> None:
        typing = asyncio.create_task(self._type(event.address))
        try:
            await self._courier.take(event)
        finally:
            typing.cancel()

    async def _type(self, address: Activity) -> None:
        await asyncio.sleep(_TYPING_AFTER)
        try:
            await self._endpoint.send(address, {"type": "typing"})
        except (PostError, aiohttp.ClientError, TimeoutError) as error:
            log.info("could not show on Teams that we are at it: %r", error)

    async def _send(self, delivery: Delivery) -> None:
        """What the courier calls: the card, or its summary where Teams will not have the card."""
        try:
            await self._endpoint.send(delivery.address, message(delivery.answer))
        except PostError as error:
            if error.status not in _NOT_THIS_CARD:
                raise
            log.warning("Teams refused a card (%s), so its summary goes", error.status)
            await self._endpoint.send(delivery.address, text_message(summary(delivery.answer)))

    # -- buttons -------------------------------------------------------------------------------------------------------
    async def _tapped(self, tap: "Tap") -> "Shown | str":
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

    async def _post_tapped(self, tap: "Tap") -> None:
        """In a client that cannot change a card, the new one comes below it."""
        shown = await self._tapped(tap)
        if isinstance(shown, str):
            said = text_message(shown)
        elif tap.verb == "wrong":
            said = text_message(shown.notice)
        else:
            said = message(shown.answer, notice=shown.notice)
        await self._endpoint.send(tap.address, said)

    def _do(self, tap: "Tap") -> "Shown":
        person = self._desk.person(tap.identity)
        if not tap.direct:
            person = replace(person, audience=())  # others are reading along
        if tap.verb == "open":
            return Shown(
                self._desk.open(tap.article_id, person, language=tap.language, moment=tap.moment, surface="teams")
            )
        if tap.verb == "reshape" and tap.moment:
            answer = self._desk.reshape(tap.answer_id, tap.moment, person)
            return Shown(answer, "" if answer.moment == tap.moment else say("teams.no_other", answer.language))
        self._desk.rate(Feedback(tap.answer_id, person.id, helpful=False, reason=tap.reason))
        answer = self._desk.recall(tap.answer_id)
        if answer.card and tap.moment not in {None, answer.moment}:  # it has been reshaped since it was given
            other = self._desk.open(answer.card.article_id, person, language=answer.language, moment=tap.moment)
            answer = replace(answer, moment=other.moment, card=other.card)
        return Shown(answer, say("feedback.thanks", answer.language))


def make_surface(
    desk: Desk, settings: Settings, *, endpoint: Callable[[Settings, OnActivity], Endpoint] = Endpoint
) -> TeamsSurface:
    """The bot of this tenant, ready to be mounted."""
    return TeamsSurface(desk, settings, endpoint)


# -- activities --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Shown:
    """An answer and what is said above it."""

    answer: Answer
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Tap:
    """Somebody's tap on a button of a card."""

    verb: str
    identity: Identity
    direct: bool
    address: Activity
    language: Language
    article_id: str = ""
    answer_id: str = ""
    reason: str = ""
    moment: Moment | None = None


def to_event(activity: Activity) -> Event | None:
    """What somebody said to us; None when it was not a person, or not said to us."""
    if _by_a_bot(activity) or not _user(activity) or not read(activity, "conversation", "id"):
        return None
    addressed = not _in_company(activity) or _mentions_us(activity) or isinstance(activity.get("value"), dict)
    if not addressed:
        return None
    return Event(
        surface="teams",
        team=_tenant(activity),
        place=read(activity, "conversation", "id"),
        message_id=read(activity, "id") or uuid.uuid4().hex,
        user=_user(activity),
        text=plain_text(activity),
        address=_address(activity),
        direct=_is_direct(activity),
        locale=read(activity, "locale"),
    )


def to_tap(activity: Activity, data: object, otherwise: Language) -> Tap | None:
    """Which button this was; None when it is none of ours (any more)."""
    if _by_a_bot(activity) or not _user(activity) or not isinstance(data, dict):
        return None
    moment, language = read(data, "moment"), read(data, "language")
    tap = Tap(
        verb=read(data, "verb"),
        identity=Identity("teams", _tenant(activity), _user(activity)),
        direct=_is_direct(activity),
        address=_address(activity),
        language=language_of_locale(language) or language_of_locale(read(activity, "locale")) or otherwise,
        article_id=read(data, "article_id"),
        answer_id=read(data, "answer_id"),
        reason=read(data, "reason"),
        moment=Moment(moment) if moment in set(Moment) else None,
    )
    known = {
        "open": tap.article_id,
        "reshape": tap.answer_id and tap.moment,
        "wrong": tap.answer_id and f"feedback.reasons.{tap.reason}" in words("nl"),
    }
    return tap if known.get(tap.verb) else None


# Only tags that Teams writes: what somebody types between < and > is theirs.
_BLOCK_TAG = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:p|div|span|a|b|i|u|s|em|strong|strike|ul|ol|li|br|hr|at|code|pre|blockquote|font|img|emoji"
    r"|table|tbody|thead|tr|td|th|h[1-6]|attachment|codeblock|systemeventmessage)\b[^<>]*>",
    re.IGNORECASE,
)
_AT = re.compile(r"<at\b[^<>]*>([^<]*)</at\s*>", re.IGNORECASE)


def plain_text(activity: Activity) -> str:
    """What was typed, without our own name and without HTML."""
    own = _own_names(activity)
    text = read(activity, "text")[:_LONGEST]
    text = _AT.sub(lambda at: " " if _name(at[1]) in own else at[1], text)
    text = html.unescape(_TAG.sub("", _BLOCK_TAG.sub("\n", text)))
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text)).strip()


def _mentions_us(activity: Activity) -> bool:
    own = _own_names(activity)
    named = (_name(name) for name in _AT.findall(read(activity, "text")[:_LONGEST]))
    return any(name in own for name in named) or next(_own_mentions(activity), None) is not None


def _own_names(activity: Activity) -> set[str]:
    """By what names the message calls us: our own, and those in mentions of us."""
    found = {_name(read(activity, "recipient", "name"))}
    for mention in _own_mentions(activity):
        found |= {_name(read(mention, "mentioned", "name")), _name(_TAG.sub("", read(mention, "text")))}
    return found - {""}


def _own_mentions(activity: Activity) -> Iterator[Activity]:
    entities = activity.get("entities")
    for entity in entities if isinstance(entities, list) else []:
        ours = read(activity, "recipient", "id")
        if read(entity, "type").lower() == "mention" and ours and read(entity, "mentioned", "id") == ours:
            yield entity


def _name(text: str) -> str:
    return " ".join(html.unescape(text).split()).casefold()


def _address(activity: Activity) -> Activity:
    """What replying takes: a conversation reference, without anybody's name."""
    conversation = {key: read(activity, "conversation", key) for key in ("id", "conversationType", "tenantId")}
    return {
        "activityId": read(activity, "id"),
        "channelId": read(activity, "channelId"),
        "serviceUrl": read(activity, "serviceUrl"),
        "locale": read(activity, "locale"),
        "conversation": {key: value for key, value in conversation.items() if value},
        "bot": {"id": read(activity, "recipient", "id"), "name": read(activity, "recipient", "name")},
        "user": {"id": read(activity, "from", "id")},
    }


def _tenant(activity: Activity) -> str:
    return read(activity, "conversation", "tenantId") or read(activity, "channelData", "tenant", "id")


def _user(activity: Activity) -> str:
    return read(activity, "from", "aadObjectId") or read(activity, "from", "id")


def _is_direct(activity: Activity) -> bool:
    return read(activity, "conversation", "conversationType") == "personal"


def _in_company(activity: Activity) -> bool:
    return read(activity, "conversation", "conversationType") in {"groupChat", "channel"}


def _by_a_bot(activity: Activity) -> bool:
    """Two bots that answer each other never stop."""
    sender = read(activity, "from", "id")
    return read(activity, "from", "role") == "bot" or (bool(sender) and sender == read(activity, "recipient", "id"))


def _tapped_data(invoke: Activity) -> object:
    value = invoke.get("value")
    action = value.get("action") if isinstance(value, dict) else None
    return action.get("data") if isinstance(action, dict) else None


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        log.error("something failed on teams", exc_info=task.exception())
