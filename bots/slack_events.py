"""What Slack sends, read: messages as events, taps on buttons. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.model import Event

Payload = Mapping[str, Any]

_PEOPLES_OWN = {None, "file_share", "thread_broadcast"}  # subtypes; any other is an edit, a deletion, a bot, a notice
_TAG = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_EMOJI_CODES = re.compile(r"(?<!\S)(?::[a-z+-][\w+'-]*:(?::skin-tone-\d:)?)+(?!\S)")  # 12:30:15 is none


def is_sound(body: object) -> bool:
    """Whether it is an envelope at all; what is in there is for whoever reads it."""
    if not isinstance(body, Mapping):
        return False
    if "event" in body:
        return _has_text(body["event"], "type")
    if body.get("type") != "block_actions":
        return True
    actions = body.get("actions")
    return isinstance(actions, list) and bool(actions) and all(_has_text(action, "action_id") for action in actions)


def _has_text(value: object, key: str) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get(key), str)


def to_event(body: Payload, own_id: str = "") -> Event | None:
    """What somebody said to us; None when it was not a person, or not said to us."""
    said = body["event"]
    own_id = own_id or next((us["user_id"] for us in body.get("authorizations", ()) if us["is_bot"]), "")
    user = said.get("user") or ""
    if user in {"", "USLACKBOT", own_id} or said.get("bot_id") or said.get("edited"):
        return None
    direct = said["channel"].startswith("D")
    to_us = direct or said["type"] == "app_mention"
    in_group = said.get("channel_type") == "mpim" and bool(own_id) and f"<@{own_id}" in (said.get("text") or "")
    if said.get("subtype") not in _PEOPLES_OWN or not (to_us or in_group):
        return None
    thread = said.get("thread_ts") or (None if direct else said["ts"])
    return Event(
        surface="slack",
        team=body["team_id"],
        place=said["channel"],
        message_id=said["ts"],
        user=user,
        text=plain_text(said.get("text") or "", own_id),
        address={"channel": said["channel"], "thread_ts": thread, "user": user},
        direct=direct,
    )


def plain_text(text: str, own_id: str = "") -> str:
    """What was typed, without Slack's escapes. Who was mentioned goes: platform ids are not kept in a question."""

    def shown(tag: re.Match[str]) -> str:
        target, label = tag[1], tag[2] or ""
        if target.startswith("@"):
            return "" if target == f"@{own_id}" or not label else f"@{label}"
        if target.startswith("#"):
            return label and f"#{label}"
        return label if target.startswith("!") else label or target

    text = _EMOJI_CODES.sub("", _TAG.sub(shown, text))
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")  # &amp; last, or &amp;lt; becomes <
    return re.sub(r"[^\S\n]+", " ", text).strip()


@dataclass(frozen=True, slots=True)
class Tap:
    """Somebody's tap on a button or a choice."""

    action_id: str
    value: str
    team: str
    user: str
    channel: str
    thread_ts: str | None
    response_url: str

    @property
    def direct(self) -> bool:
        """In a conversation of the two of us."""
        return self.channel.startswith("D")


def to_tap(body: Payload) -> Tap:
    """Read a `block_actions` payload. One about an ephemeral message has no `message`."""
    action, where, user = body["actions"][0], body["container"], body["user"]
    return Tap(
        action_id=action["action_id"],
        value=action.get("value") or action.get("selected_option", {}).get("value", ""),
        team=(body.get("team") or {}).get("id") or user["team_id"],  # no team where the whole organisation installed us
        user=user["id"],
        channel=where["channel_id"],
        thread_ts=where.get("thread_ts") or body.get("message", {}).get("thread_ts"),
        response_url=body["response_url"],
    )
