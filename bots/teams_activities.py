"""What Teams sends, read: messages as events, taps on buttons. Pure; what comes in can hold anything anywhere."""

import html
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from bots.botframework import Activity, read
from core.language import language_of_locale
from core.model import Event
from core.store import Identity
from core.words import reasons
from knowledge.article import Language
from knowledge.moment import Moment

_LONGEST = 20_000  # characters; the desk reads two thousand, without what is stripped here
# Only tags that Teams writes: what somebody types between < and > is theirs.
_BLOCK_TAG = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:p|div|span|a|b|i|u|s|em|strong|strike|ul|ol|li|br|hr|at|code|pre|blockquote|font|img|emoji"
    r"|table|tbody|thead|tr|td|th|h[1-6]|attachment|codeblock|systemeventmessage)\b[^<>]*>",
    re.IGNORECASE,
)
_AT = re.compile(r"<at\b[^<>]*>([^<]*)</at\s*>", re.IGNORECASE)


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


def to_tap(activity: Activity, otherwise: Language) -> Tap | None:
    """Which button this was; None when it is none of ours (any more)."""
    data = _tapped(activity)
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
        "wrong": tap.answer_id and tap.reason in reasons("nl"),
    }
    return tap if known.get(tap.verb) else None


def plain_text(activity: Activity) -> str:
    """What was typed, without our own name and without HTML."""
    own = _own_names(activity)
    text = read(activity, "text")[:_LONGEST]
    text = _AT.sub(lambda at: " " if _name(at[1]) in own else at[1], text)
    text = html.unescape(_TAG.sub("", _BLOCK_TAG.sub("\n", text)))
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text)).strip()


def _tapped(activity: Activity) -> object:
    """What a button carries: in an invoke it is wrapped, a client that only submits sends it as it is."""
    value = activity.get("value")
    if activity.get("type") != "invoke":
        return value
    action = value.get("action") if isinstance(value, dict) else None
    return action.get("data") if isinstance(action, dict) else None


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
