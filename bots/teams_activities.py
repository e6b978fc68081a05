"""What Teams sends, read: messages, taps, searches, feedback, coming and going. Pure; anything can hold anything."""

import html
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from bots.botframework import Activity, read
from bots.teams_cards import AT_FIRST, Shown, View, Where
from bots.teams_manifest import ASK_ABOUT, QUESTION, SAVE, SEARCH
from bots.teams_screens import FIELDS, FILLED
from core.language import language_of_locale
from core.model import Attachment, Event
from core.store import Identity
from knowledge.article import Language
from knowledge.moment import Moment

_LONGEST_ABOUT = 1500  # characters; it is not theirs to make shorter
_LONGEST = 20_000  # characters; the desk reads two thousand, without what is stripped here
_MOST_STEPS = 999
# Only tags that Teams writes: what somebody types between < and > is theirs.
_BLOCK_TAG = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:p|div|span|a|b|i|u|s|em|strong|strike|ul|ol|li|br|hr|at|code|pre|blockquote|font|img|emoji"
    r"|table|tbody|thead|tr|td|th|h[1-6]|attachment|codeblock|systemeventmessage)\b[^<>]*>",
    re.IGNORECASE,
)
_LIST_TAG = re.compile(r"<(/?[ou]l|li)\b[^<>]*>", re.IGNORECASE)
_AT = re.compile(r"<at\b[^<>]*>([^<]*)</at\s*>", re.IGNORECASE)
_THREAD = ";messageid="
_DIALOGS = {"composeExtension/fetchTask", "composeExtension/submitAction", "task/fetch", "task/submit"}
_NO_FILES = ("text/", "application/vnd.microsoft.card.")  # what was typed, once more; a card that was passed on

_NEEDED = {  # what goes along with each button of ours
    "open": ("article_id",),
    "reshape": ("answer_id", "moment"),
    "wrong": ("answer_id", "reason"),
    "show": ("answer_id",),
    "done": ("answer_id",),
    "coach": ("answer_id",),
    "later": ("answer_id",),
    "private": ("answer_id",),
    "topics": (),
    "drop": ("answer_id",),
    "seen": ("answer_id",),
    "helped": ("answer_id",),
    "not_helped": ("answer_id",),
    "quiet": ("answer_id",),
    "do": ("do",),
}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where somebody said or did something, and how to answer them there."""

    identity: Identity
    place: str  # the conversation, without the thread in it
    thread: str
    message_id: str  # of ours: the one that what they did stands in
    locale: str
    address: Activity
    dialog: bool = False

    @property
    def where(self) -> Where:
        """Who sees what is shown there."""
        return Where.DIALOG if self.dialog else where_of(self.address)

    @property
    def alone(self) -> bool:
        """Nobody else sees what is shown there."""
        return self.where is not Where.SHARED


@dataclass(frozen=True, slots=True)
class Tap:
    """Somebody's tap on a button of a card."""

    verb: str
    spot: Spot
    language: Language
    article_id: str = ""
    answer_id: str = ""
    reason: str = ""
    topic: str = ""
    moment: Moment | None = None
    shown: Shown = AT_FIRST
    do: str = ""  # of a screen's button or form, and about what
    about: str = ""
    filled: dict[str, str] | None = None
    name: str = ""  # what Teams calls who taps


@dataclass(frozen=True, slots=True)
class Thumb:
    """What somebody thinks of an answer, by Teams' own thumbs below it."""

    spot: Spot
    helpful: bool
    note: str


# -- messages -------------------------------------------------------------------------------------------------------
def to_event(activity: Activity) -> Event | None:
    """What somebody said, to us or within our hearing; None when it was not a person or is meant for somebody else."""
    if not _is_by_somebody(activity):
        return None
    spot, text = to_spot(activity), plain_text(activity)
    addressed = spot.alone or not _in_company(activity) or _mentions_us(activity) or is_submitted(activity)
    if not addressed and (not text or any(_mentions(activity))):
        return None
    return Event(
        surface="teams",
        team=spot.identity.team,
        place=spot.place,
        message_id=read(activity, "id") or uuid.uuid4().hex,
        user=spot.identity.user,
        text=text,
        address=spot.address,
        direct=spot.alone,
        locale=spot.locale,
        thread=spot.thread,
        addressed=addressed,
        attachment=_attachment(activity.get("attachments")),
    )


def to_asked_about(activity: Activity) -> Event | None:
    """The question that somebody has about a message: a conversation of its own, however often they ask."""
    value = activity.get("value")
    if not _is_by_somebody(activity) or read(value, "commandId") != ASK_ABOUT:
        return None
    spot, dialog = to_spot(activity), uuid.uuid4().hex
    return Event(
        surface="teams",
        team=spot.identity.team,
        place=spot.place,
        message_id=dialog,
        user=spot.identity.user,
        text=_without_tags(read(value, "messagePayload", "body", "content")[:_LONGEST])[:_LONGEST_ABOUT],
        address=spot.address | {"dialog": dialog},
        locale=spot.locale,
        thread=dialog,
    )


def to_withdrawal(activity: Activity) -> Spot | None:
    """Where a message was deleted, of which the `message_id` is."""
    if activity.get("type") != "messageDelete" or not _is_by_somebody(activity) or not read(activity, "id"):
        return None
    return replace(to_spot(activity), message_id=read(activity, "id"))


def plain_text(activity: Activity) -> str:
    """What was typed, without our own name and without HTML."""
    own = _own_names(activity)
    text = read(activity, "text")[:_LONGEST]
    return _without_tags(_AT.sub(lambda at: " " if _name(at[1]) in own else at[1], text))


def _without_tags(text: str) -> str:
    text = html.unescape(_TAG.sub("", _BLOCK_TAG.sub("\n", text)))
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text)).strip()


def _attachment(attachments: object) -> Attachment | None:
    found = attachments if isinstance(attachments, list) else []
    kinds = [kind for one in found if (kind := read(one, "contentType").lower()) and not kind.startswith(_NO_FILES)]
    if not kinds:
        return None
    return Attachment.VOICE if any(kind.startswith("audio/") for kind in kinds) else Attachment.FILE


# -- taps, thumbs and searches --------------------------------------------------------------------------------------
def is_submitted(activity: Activity) -> bool:
    """A tap in a client that only submits comes as a message."""
    return activity.get("type") == "message" and isinstance(activity.get("value"), dict)


def to_tap(activity: Activity, otherwise: Language) -> Tap | None:
    """Which button this was; None when it is none of ours (any more)."""
    data = _tapped(activity)
    verb, moment = read(data, "verb"), read(data, "moment")
    if not _is_by_somebody(activity) or verb not in _NEEDED or not all(read(data, name) for name in _NEEDED[verb]):
        return None
    if moment not in {"", *Moment}:
        return None
    spot = to_spot(activity)
    return Tap(
        verb=verb,
        spot=spot,
        language=language_of_locale(read(data, "language")) or language_of_locale(spot.locale) or otherwise,
        article_id=read(data, "article_id"),
        answer_id=read(data, "answer_id"),
        reason=read(data, "reason"),
        topic=read(data, "topic"),
        moment=Moment(moment) if moment else None,
        shown=_shown(data),
        do=read(data, "do"),
        about=read(data, "about"),
        filled=_filled(data),
        name=read(activity, "from", "name"),
    )


def _filled(data: object) -> dict[str, str] | None:
    """What was filled in, by field; None where there was nothing to fill in."""
    given = data if isinstance(data, dict) else {}
    found = dict.fromkeys(read(data, FIELDS)[:_LONGEST].split(), "") | {
        key.removeprefix(FILLED): value[:_LONGEST]
        for key, value in given.items()
        if isinstance(key, str) and key.startswith(FILLED) and isinstance(value, str)
    }
    return found or None


def to_saved(activity: Activity) -> tuple[str, str] | None:
    """What a message says and who wrote it, which somebody wants to save as an answer."""
    value = activity.get("value")
    if not _is_by_somebody(activity) or read(value, "commandId") != SAVE:
        return None
    text = _without_tags(_listed(read(value, "messagePayload", "body", "content")[:_LONGEST]))
    return text, read(value, "messagePayload", "from", "user", "displayName")


def _listed(text: str) -> str:
    """The items of lists as Markdown has them: a step must stay one."""
    numbers: list[Iterator[int] | None] = []  # of each list that is open; of bullets none

    def marked(tag: re.Match[str]) -> str:
        match tag[1].lower():
            case "ol" | "ul" as kind:
                numbers.append(count(1) if kind == "ol" else None)
            case "/ol" | "/ul" if numbers:
                numbers.pop()
            case "li":
                number = next(numbers[-1]) if numbers and numbers[-1] else None
                return f"\n{number}. " if number else "\n- "
        return "\n"

    return _LIST_TAG.sub(marked, text)


def _tapped(activity: Activity) -> object:
    """What a button carries: in an invoke it is wrapped, a client that only submits sends it as it is."""
    value = activity.get("value")
    if activity.get("type") != "invoke":
        return value
    if not isinstance(value, dict):
        return None
    if read(activity, "name") in _DIALOGS:
        return value.get("data")
    action = value.get("action")
    return action.get("data") if isinstance(action, dict) else None


def _shown(data: object) -> Shown:
    step, view = read(data, "step"), read(data, "view")
    known = step.isascii() and step.isdecimal() and len(step) <= len(str(_MOST_STEPS))
    return Shown(
        step=int(step) if known else 0,
        view=View(view) if view in set(View) else View.ANSWER,
        back=read(data, "back") or read(data, "from"),
    )


def to_thumb(activity: Activity) -> Thumb | None:
    """What Teams' own feedback says; None when it is about something else."""
    value = activity.get("value")
    reaction = read(value, "actionValue", "reaction")
    if not _is_by_somebody(activity) or read(value, "actionName") != "feedback" or reaction not in {"like", "dislike"}:
        return None
    return Thumb(to_spot(activity), reaction == "like", _note(read(value, "actionValue", "feedback")))


def _note(feedback: str) -> str:
    """What was typed: JSON within JSON."""
    try:
        return read(json.loads(feedback[:_LONGEST]), "feedbackText")
    except (ValueError, RecursionError):
        return ""


def to_search(activity: Activity) -> str | None:
    """What somebody looks for in the message extension, nothing at first; None when this is no search of ours."""
    value = activity.get("value")
    if not _is_by_somebody(activity) or read(value, "commandId") != SEARCH or not isinstance(value, dict):
        return None
    given = value.get("parameters")
    typed = [read(one, "value") for one in given if read(one, "name") == QUESTION] if isinstance(given, list) else []
    return " ".join(typed)[:_LONGEST]


# -- who and where --------------------------------------------------------------------------------------------------
def to_spot(activity: Activity) -> Spot:
    """Where this came from."""
    address = _address(activity)
    place, _, thread = read(activity, "conversation", "id").partition(_THREAD)
    channel = read(activity, "conversation", "conversationType") == "channel"
    return Spot(
        identity=identity_of(address),
        place=place,
        thread=thread or (read(activity, "id") if channel else ""),
        message_id=read(activity, "replyToId"),
        locale=read(activity, "locale"),
        address=address,
        dialog=activity.get("type") == "invoke" and read(activity, "name") in _DIALOGS,
    )


def where_of(address: Activity) -> Where:
    """Who reads along at an address; where Teams does not tell, everybody might."""
    return Where.DIRECT if read(address, "conversation", "conversationType") == "personal" else Where.SHARED


def identity_of(address: Activity) -> Identity:
    """Who is answered at an address. Microsoft's own ids are the same in capitals."""
    user = read(address, "user", "aadObjectId").lower() or read(address, "user", "id")
    return Identity("teams", read(address, "conversation", "tenantId").lower(), user)


def _in_company(activity: Activity) -> bool:
    return read(activity, "conversation", "conversationType") in {"groupChat", "channel"}


def _is_by_somebody(activity: Activity) -> bool:
    """A person: two bots that answer each other never stop."""
    sender = read(activity, "from", "id")
    by_a_bot = read(activity, "from", "role") == "bot" or (bool(sender) and sender == read(activity, "recipient", "id"))
    named = read(activity, "from", "aadObjectId") or sender
    return not by_a_bot and bool(named) and bool(read(activity, "conversation", "id"))


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
    ours = read(activity, "recipient", "id")
    return (mention for mention in _mentions(activity) if ours and read(mention, "mentioned", "id") == ours)


def _mentions(activity: Activity) -> Iterator[Activity]:
    entities = activity.get("entities")
    found: Iterable[Activity] = entities if isinstance(entities, list) else ()
    return (entity for entity in found if read(entity, "type").lower() == "mention")


def _name(text: str) -> str:
    return " ".join(html.unescape(text).split()).casefold()


def _address(activity: Activity) -> Activity:
    """What replying takes: a conversation reference, without anybody's name."""
    conversation = {key: read(activity, "conversation", key) for key in ("id", "conversationType", "tenantId")}
    conversation["tenantId"] = conversation["tenantId"] or read(activity, "channelData", "tenant", "id")
    user = {key: read(activity, "from", key) for key in ("id", "aadObjectId")}
    return {
        "activityId": read(activity, "id"),
        "channelId": read(activity, "channelId"),
        "serviceUrl": read(activity, "serviceUrl"),
        "locale": read(activity, "locale"),
        "conversation": {key: value for key, value in conversation.items() if value},
        "bot": {"id": read(activity, "recipient", "id"), "name": read(activity, "recipient", "name")},
        "user": {key: value for key, value in user.items() if value},
    }
