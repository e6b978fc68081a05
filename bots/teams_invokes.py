"""What Teams waits for: taps on cards and in dialogs, its own thumbs, what is looked up for a message."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from bots.botframework import Activity, read
from bots.teams_activities import Spot, Tap, to_asked_about, to_saved, to_search, to_spot, to_tap, to_thumb
from bots.teams_cards import AT_FIRST, CARD, Where, answer_card, card_message, text_message
from bots.teams_parts import submitting
from bots.teams_reply import Replies
from bots.teams_taps import How, Result, Taps
from bots.teams_views import result, sentence_card
from core.background import Background
from core.courier import Courier
from core.desk import Desk
from core.errors import NotFoundError
from core.inbox import Inbox
from core.model import Answer, Delivery, Event, Feedback, Person, Place
from core.words import say
from knowledge.article import Language

log = logging.getLogger(__name__)

Invoked = dict[str, Any]

# A search at every pause in typing: they wait for each other, and nobody's tap or question waits for them.
_SEARCHING = ThreadPoolExecutor(1, "search")

_SENTENCE = "application/vnd.microsoft.activity.message"
_WITHIN = 4.0  # seconds; whoever taps or looks something up is waiting, and Teams for no more than five
_MOST_RESULTS = 5  # each brings its whole card along


class Invokes:
    """An answer to each, in time and in the shape that Teams wants for it."""

    def __init__(self, desk: Desk, taps: Taps, replies: Replies, courier: Courier, background: Background) -> None:
        """The courier answers questions; what takes too long goes on in the background."""
        self._desk = desk
        self._taps = taps
        self._replies = replies
        self._courier = courier
        self._background = background
        self._inbox = Inbox(desk)
        self._asked: dict[str, asyncio.Future[Answer]] = {}  # by the event that a dialog waits for

    async def answer(self, activity: Activity) -> Invoked | None:
        """What Teams gets back; to what we do not know, yes and no more."""
        match activity.get("name"):
            case "adaptiveCard/action":
                return await self._executed(activity)
            case "message/submitAction":
                return await self._thumbed(activity)
            case "composeExtension/query":
                return await self._searched(activity)
            case "composeExtension/fetchTask":
                saved = to_saved(activity)
                return await (self._saved(activity, *saved) if saved else self._asked_about(activity))
            case "composeExtension/submitAction" | "task/submit" | "task/fetch":
                return await self._tapped_in_dialog(activity)
        return None

    # -- taps ----------------------------------------------------------------------------------------------------------
    async def _executed(self, activity: Activity) -> Invoked:
        """What comes back is seen by the tapper alone. In a personal chat the message itself changes as well."""
        tap = to_tap(activity, self._desk.language)
        if tap is None:
            return _sentence(self._gone(activity))
        found, spot = await self._result(tap), tap.spot
        if found.how is How.BELOW:
            self._background.run(self._put_below(tap, found))
            return _sentence(say("teams.below", tap.language))
        if found.how is not How.INSTEAD:
            return _sentence(found.sentence)
        if spot.where is Where.DIRECT and spot.message_id:
            self._background.run(self._put_instead(tap, found))
        return {"statusCode": 200, "type": CARD, "value": _card(found, spot.where, tap.language)}

    async def submitted(self, event: Event, activity: Activity, noted: Callable[[], None]) -> None:
        """A tap in a client that cannot change a card, done once: what comes of it stands below."""
        fresh = await self._is_new(event)
        noted()
        if not fresh:
            return
        tap = to_tap(activity, self._desk.language)
        if tap:
            await self._put_below(tap, await self._work(tap))
        else:
            await self._replies.say(event.address, text_message(self._gone(activity)))

    async def _tapped_in_dialog(self, activity: Activity) -> Invoked:
        tap = to_tap(activity, self._desk.language)
        if tap is None:
            return _said_in_dialog(self._gone(activity), self._language(activity))
        return _dialog(_card(await self._result(tap), Where.DIALOG, tap.language), tap.language)

    async def _result(self, tap: Tap) -> Result:
        """What is to be seen now. What takes too long for that is shown once it is there."""
        work = asyncio.ensure_future(self._work(tap))
        await asyncio.wait([work], timeout=_WITHIN)
        if work.done():
            return work.result()
        self._background.run(self._show_late(tap, work))
        return Result(say("error.busy", tap.language))

    async def _work(self, tap: Tap) -> Result:
        """Whoever taps gets something to see, whatever breaks."""
        try:
            found = await asyncio.to_thread(self._taps.do, tap)
            if found.how is How.PRIVATE and found.answer:
                sent = await self._replies.privately(tap.spot.address, found.answer)
                return Result(say("teams.private" if sent else "teams.private_not", tap.language))
        except NotFoundError:
            return Result(say("answer.gone", tap.language))
        except Exception:
            log.exception("the button %r failed on teams", tap.verb)
            return Result(say("error.broken", tap.language))
        return found

    async def _show_late(self, tap: Tap, work: asyncio.Future[Result]) -> None:
        """Where others read along, and where a dialog was, in private."""
        found, spot = await work, tap.spot
        if found.how is How.BELOW:
            await self._put_below(tap, found)
        elif found.how is How.INSTEAD and spot.where is Where.DIRECT and spot.message_id:
            await self._put_instead(tap, found)
        elif found.how is How.INSTEAD and found.answer:
            await self._replies.privately(spot.address, found.answer)
        elif tap.verb != "private":  # then it is there already
            await self._replies.say_privately(spot.address, _message(found, tap.language))

    async def _put_below(self, tap: Tap, found: Result) -> None:
        if found.answer:
            await self._replies.beside(tap.spot, found.answer, found.shown, found.sentence)
        else:
            await self._replies.say(tap.spot.address, _message(found, tap.language))

    async def _put_instead(self, tap: Tap, found: Result) -> None:
        if found.answer:
            await self._replies.instead(tap.spot, found.answer, found.shown, found.sentence)
        else:
            await self._replies.put_instead(tap.spot, _message(found, tap.language))

    async def _is_new(self, event: Event) -> bool:
        try:
            return await asyncio.to_thread(self._inbox.once, event)
        except Exception:
            log.exception("a tap could not be noted on teams")
            return True

    # -- thumbs --------------------------------------------------------------------------------------------------------
    async def _thumbed(self, activity: Activity) -> Invoked:
        """Teams thanks people itself."""
        if thumb := to_thumb(activity):
            try:
                await asyncio.to_thread(self._rate, thumb.spot, helpful=thumb.helpful, note=thumb.note)
            except NotFoundError:
                log.info("feedback on teams about a message that shows no answer")
        return {}

    def _rate(self, spot: Spot, *, helpful: bool, note: str) -> None:
        answer = self._desk.standing(Place("teams", spot.identity.team, spot.place), spot.message_id)
        person = self._desk.person(spot.identity)
        self._desk.rate(Feedback(answer.id, person.id, helpful=helpful, note=note))

    # -- the message extension -----------------------------------------------------------------------------------------
    async def _searched(self, activity: Activity) -> Invoked:
        """To be put in a message that others read, so only what everybody may see."""
        spot, text, language = to_spot(activity), to_search(activity), self._language(activity)
        if text is None:
            return _nothing("teams.nothing", language)
        try:
            async with asyncio.timeout(_WITHIN):
                person = await asyncio.to_thread(self._desk.person, spot.identity)
                language = self._desk.language_for(person, spot.locale)
                find = partial(self._desk.find, text, person.in_public(), spot.locale, _MOST_RESULTS)
                found = await asyncio.get_running_loop().run_in_executor(_SEARCHING, find)
        except TimeoutError:
            return _nothing("error.busy", language)
        except Exception:
            log.exception("a search failed on teams")
            return _nothing("error.broken", language)
        if not found:
            return _nothing("teams.nothing", language)
        attachments = [result(answer, room_for=_MOST_RESULTS) for answer in found]
        return {"composeExtension": {"type": "result", "attachmentLayout": "list", "attachments": attachments}}

    async def _asked_about(self, activity: Activity) -> Invoked:
        """What a message says, looked up: answered in a dialog, or in private when it takes too long for one."""
        event, language = to_asked_about(activity), self._language(activity)
        if event is None:
            return _said_in_dialog(self._gone(activity), language)
        if not event.text:
            return _said_in_dialog(say("teams.no_question", language), language)
        asked: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[event.message_id] = asked
        self._background.run(self._courier.take(event))
        try:
            async with asyncio.timeout(_WITHIN):
                answer = await asked
        except TimeoutError:
            return _said_in_dialog(say("teams.later", language), language)
        finally:
            del self._asked[event.message_id]
        return _dialog(answer_card(answer, AT_FIRST, Where.DIALOG), answer.language)

    async def _saved(self, activity: Activity, text: str, author: str) -> Invoked:
        """A message as an answer, to be looked at in a dialog."""
        name, filled = read(activity, "from", "name"), {"text": text, "author": author}
        tap = Tap("do", to_spot(activity), self._language(activity), do="save", filled=filled, name=name)
        return _dialog(_card(await self._result(tap), Where.DIALOG, tap.language), tap.language)

    async def deliver(self, delivery: Delivery) -> None:
        """An answer for a dialog; where that does not wait any more, in private."""
        asked = self._asked.get(read(delivery.address, "dialog"))
        if asked and not asked.done():
            asked.set_result(delivery.answer)
            return
        await self._replies.privately(delivery.address, delivery.answer)

    # -- words ---------------------------------------------------------------------------------------------------------
    def _language(self, activity: Activity) -> Language:
        """The language of their Teams: there is no time to look whether they prefer another."""
        return self._desk.language_for(Person(""), read(activity, "locale"))

    def _gone(self, activity: Activity) -> str:
        """What to say to a button from before, or of somebody else's."""
        return say("answer.gone", self._language(activity))


def _card(found: Result, where: Where, language: Language) -> Activity:
    """What is to be seen, where only a card can stand."""
    if found.answer:
        return answer_card(found.answer, found.shown, where, notice=found.sentence)
    card = found.card or sentence_card(found.sentence, language)
    return submitting(card) if where is Where.DIALOG else card


def _message(found: Result, language: Language) -> Activity:
    """What is no answer, as a message."""
    return card_message(found.card, say("modal.title", language)) if found.card else text_message(found.sentence)


def _sentence(sentence: str) -> Invoked:
    return {"statusCode": 200, "type": _SENTENCE, "value": sentence}


def _nothing(key: str, language: Language) -> Invoked:
    return {"composeExtension": {"type": "message", "text": say(key, language)}}


def _said_in_dialog(sentence: str, language: Language) -> Invoked:
    return _dialog(sentence_card(sentence, language), language)


def _dialog(card: Activity, language: Language) -> Invoked:
    shown = {"contentType": CARD, "content": card}
    value = {"title": say("modal.title", language), "width": "medium", "height": "medium", "card": shown}
    return {"task": {"type": "continue", "value": value}}
