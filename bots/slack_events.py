"""What Slack sends, read: messages as events, taps, commands, shortcuts and filled-in forms. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.model import Attachment, Event

Payload = Mapping[str, Any]

_PEOPLES_OWN = {None, "file_share", "thread_broadcast"}  # subtypes; any other is an edit, a deletion, a bot, a notice
_TAG = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_CALLS_SOMEBODY = re.compile(r"<(?:@|!subteam|!here|!channel|!everyone)")
_EMOJI_CODES = re.compile(r"(?<!\S)(?::[a-z+-][\w+'-]*:(?::skin-tone-\d:)?)+(?!\S)")  # 12:30:15 is none
SHARED = "shared"  # the block that says who shared an answer
_SPOKEN = {"slack_audio", "slack_video"}


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


@dataclass(frozen=True, slots=True)
class Spot:
    """Where somebody said or did something, and the ways to answer them there."""

    team: str
    enterprise: str = ""
    user: str = ""
    channel: str = ""
    thread_ts: str | None = None
    response_url: str = ""
    trigger_id: str = ""
    view_id: str = ""  # of a modal or the home tab
    home: bool = False
    ephemeral: bool = False

    def address(self) -> dict[str, Any]:
        """What an event keeps to be answered by: `Spot(**address)` is the same again."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def direct(self) -> bool:
        """Nobody else sees what happens there."""
        return self.ephemeral or bool(self.view_id) or self.channel.startswith("D") or not self.channel


# -- messages --------------------------------------------------------------------------------------------------------
def to_event(body: Payload, own_id: str = "") -> Event | None:
    """What somebody said, to us or within our hearing; None when it was not a person or is meant for somebody else."""
    said = _newly_addressed(body["event"], own_id)
    user = said.get("user") or ""
    if user == own_id or not _is_by_somebody(said):
        return None
    text = said.get("text") or ""
    direct = said["channel"].startswith("D")
    to_us = said["type"] == "app_mention" or _mentions(said, own_id)
    if said.get("edited") and not to_us:
        return None
    addressed = direct or to_us
    if not addressed and (not text.strip() or _CALLS_SOMEBODY.search(text)):
        return None
    thread = said.get("thread_ts") or (None if direct else said["ts"])
    return Event(
        surface="slack",
        team=body["team_id"],
        place=said["channel"],
        message_id=said["ts"],
        user=user,
        text=plain_text(text, own_id),
        address=Spot(body["team_id"], body.get("enterprise_id") or "", user, said["channel"], thread).address(),
        direct=direct,
        thread=thread or "",
        addressed=addressed,
        attachment=_attachment(said.get("files")),
    )


def _is_by_somebody(said: Payload) -> bool:
    """A person wrote it: not a bot, and not Slack about who joined or what was deleted."""
    named = said.get("user") not in {None, "", "USLACKBOT"}
    return named and not said.get("bot_id") and said.get("subtype") in _PEOPLES_OWN


def _newly_addressed(said: Payload, own_id: str) -> Payload:
    """An edit that mentions us where the message did not before is a message to us; any other edit stays an edit."""
    if said.get("subtype") != "message_changed":
        return said
    now, before = said.get("message") or {}, said.get("previous_message") or {}
    if not _mentions(now, own_id) or _mentions(before, own_id):
        return said
    return {**now, "type": "message", "channel": said["channel"]}


def _mentions(said: Payload, own_id: str) -> bool:
    return bool(own_id) and f"<@{own_id}" in (said.get("text") or "")


def _attachment(files: object) -> Attachment | None:
    if not isinstance(files, list) or not files:
        return None
    kinds = [(file.get("subtype"), str(file.get("mimetype"))) for file in files if isinstance(file, Mapping)]
    spoken = any(subtype in _SPOKEN or mimetype.startswith("audio/") for subtype, mimetype in kinds)
    return Attachment.VOICE if spoken else Attachment.FILE


def own_id_of(body: Payload) -> str:
    """Our user id in the workspace that an event came from, where Slack says it."""
    return next((us["user_id"] for us in body.get("authorizations") or () if us["is_bot"]), "")


def earlier(messages: object, ts: str, own_id: str, most: int = 6) -> tuple[str, ...]:
    """What people said in a thread before the message of `ts`, oldest first; not what bots said."""
    if not isinstance(messages, list):
        return ()
    said = [one for one in messages if isinstance(one, Mapping) and str(one.get("ts", "")) < ts]
    texts = [plain_text(str(one.get("text") or ""), own_id) for one in said if _is_by_somebody(one)]
    return tuple(text for text in texts if text)[-most:]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Somebody deleted a message."""

    message_id: str
    spot: Spot


def to_withdrawal(body: Payload) -> Withdrawal | None:
    """Read that a message was deleted. One with replies leaves a tombstone, and is changed into that."""
    said = body["event"]
    now = said.get("message") or {}
    entombed = said.get("subtype") == "message_changed" and now.get("subtype") == "tombstone"
    gone = now.get("ts") if entombed else said.get("deleted_ts")
    if not gone or not (entombed or said.get("subtype") == "message_deleted"):
        return None
    return Withdrawal(gone, Spot(body["team_id"], body.get("enterprise_id") or "", channel=said["channel"]))


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


def is_stranger(body: Payload, ours: Collection[str]) -> bool:
    """Whether a message came from another organisation, through a channel that is shared with it.

    Within an organisation of several workspaces people have teams of their own, so there nobody is one.
    """
    said = body["event"]
    team = said.get("user_team") or said.get("source_team") or ""
    return bool(team) and team not in {body["team_id"], *ours} and not body.get("enterprise_id")


# -- what people tap and fill in -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Tap:
    """Somebody's tap on a button or a choice."""

    action_id: str
    value: str
    spot: Spot
    above: tuple[dict[str, Any], ...] = ()  # what stands above an answer that was shared, and stays


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command, or a shortcut on a message: `text` is what to look up, `about` the message that says so."""

    text: str
    spot: Spot
    about: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """A filled-in form: `values` by action id, `metadata` as it was given along."""

    form: str
    values: dict[str, str]
    metadata: str
    spot: Spot


def to_tap(body: Payload) -> Tap:
    """Read a `block_actions` payload. One about an ephemeral message has no `message`, one in a view no channel."""
    action, where = body["actions"][0], body["container"]
    value = action.get("value") or (action.get("selected_option") or {}).get("value", "")
    view = body.get("view") or {}
    spot = replace(
        _who(body),
        channel=where.get("channel_id") or "",
        thread_ts=where.get("thread_ts") or (body.get("message") or {}).get("thread_ts"),
        response_url=body.get("response_url") or "",
        trigger_id=body.get("trigger_id") or "",
        view_id=where.get("view_id") or "",
        home=view.get("type") == "home",
        ephemeral=bool(where.get("is_ephemeral")),
    )
    standing = (body.get("message") or {}).get("blocks") or ()
    above = tuple(dict(block) for block in standing if block.get("block_id") == SHARED)
    return Tap(action["action_id"], value, spot, above)


def to_command(body: Payload) -> Command:
    """Read a slash command; mentions and channels in it are as typed, since Slack is told not to escape them."""
    spot = Spot(
        team=body["team_id"],
        enterprise=body.get("enterprise_id") or "",
        user=body["user_id"],
        channel=body["channel_id"],
        response_url=body["response_url"],
        trigger_id=body["trigger_id"],
        ephemeral=True,
    )
    return Command(plain_text(body.get("text") or ""), spot)


def to_shortcut(body: Payload) -> Command:
    """Read a shortcut. One on a message asks about its text; a global one has none."""
    said = body.get("message") or {}
    spot = replace(
        _who(body),
        channel=(body.get("channel") or {}).get("id", ""),
        response_url=body.get("response_url") or "",
        trigger_id=body["trigger_id"],
        ephemeral=True,
    )
    return Command(plain_text(said.get("text") or ""), spot, said.get("ts") or "")


def to_submission(body: Payload) -> Submission:
    """Read a `view_submission`."""
    view = body["view"]
    values = {
        action_id: _chosen(state)
        for block in (view.get("state") or {}).get("values", {}).values()
        for action_id, state in block.items()
    }
    chosen: Payload = next(iter(body.get("response_urls") or ()), {})  # for the channel that was chosen
    spot = replace(
        _who(body),
        channel=chosen.get("channel_id") or "",
        response_url=chosen.get("response_url") or "",
        trigger_id=body.get("trigger_id") or "",
        view_id=view["id"],
    )
    return Submission(view["callback_id"], values, view.get("private_metadata") or "", spot)


def _chosen(state: Payload) -> str:
    return state.get("value") or state.get("selected_conversation") or ""


def _who(body: Payload) -> Spot:
    """No team where the whole organisation installed us: then the person's own."""
    user = body["user"]
    team = (body.get("team") or {}).get("id") or user["team_id"]
    return Spot(team, (body.get("enterprise") or {}).get("id") or "", user["id"])
