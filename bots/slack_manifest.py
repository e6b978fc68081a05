"""Our app as Slack makes it from a manifest: the least it may do, and a reason for each permission."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.settings import Settings
from core.words import say
from knowledge.article import Language

NAME = "Bijdehand"
EVENTS_PATH = "/slack/events"  # events, commands, shortcuts and buttons alike
REDIRECT_PATH = "/slack/oauth_redirect"
ASK_ABOUT, ASK = "ask_about", "ask"  # callback ids: the shortcut on a message, and the one that works everywhere
COMMANDS = ("/ask", "/vraag")
COACH = "/coach"
SAVE = "save_as_answer"
_MOST_PROMPTS = 4


class Extra(StrEnum):
    """More than the least; each is an option of `bijdehand slack manifest`."""

    AGENT_VIEW = "agent-view"
    FOLLOW_THREADS = "follow-threads"
    CHANNELS = "channels"
    GROUPS = "groups"


@dataclass(frozen=True, slots=True)
class Grant:
    """A scope or an event and what it is for: needed always, or only with one of these extras."""

    name: str
    reason: str
    extras: frozenset[Extra] = frozenset()


_AGENT_VIEW = frozenset({Extra.AGENT_VIEW})
_HISTORY = frozenset({Extra.FOLLOW_THREADS, Extra.CHANNELS})
_CHANNELS = frozenset({Extra.CHANNELS})
_GROUPS = frozenset({Extra.GROUPS})

SCOPES = (
    Grant("app_mentions:read", "hear its name in a channel"),
    Grant("chat:write", "answer, show that it is working, change its own messages"),
    Grant("commands", "be asked by /ask, /vraag and /coach, and its three shortcuts"),
    Grant("im:history", "read what is said to it in a direct message"),
    Grant("mpim:history", "take questions, follow-ups and deletions in a group direct message that it is in"),
    Grant("users:read", "know in which language somebody uses Slack, and sign what coaches write"),
    Grant("assistant:write", "suggest questions in the agent view", _AGENT_VIEW),
    Grant("channels:history", "read messages in the public channels that it is in", _HISTORY),
    Grant("groups:history", "read messages in the private channels that it is in", _HISTORY),
    Grant("channels:read", "let `bijdehand slack explain` look at a public channel", _CHANNELS),
    Grant("groups:read", "let `bijdehand slack explain` look at a private channel", _CHANNELS),
    Grant("usergroups:read", "take coaches and admins from a user group", _GROUPS),
)

EVENTS = (
    Grant("app_mention", "a question in a channel"),
    Grant("message.im", "a question in a direct message; a question taken back"),
    Grant("message.mpim", "the same in a group direct message"),
    Grant("app_home_opened", "show the Home tab, suggest questions"),
    Grant("app_uninstalled", "delete that workspace's data"),
    Grant("tokens_revoked", "delete that workspace's data"),
    Grant("message.channels", "a follow-up without a mention, an un-addressed question, one taken back", _HISTORY),
    Grant("message.groups", "the same in a private channel", _HISTORY),
)

# What each call of ours needs; where there are several, the one for that kind of conversation.
METHODS: dict[str, tuple[str, ...]] = {
    "api.test": (),
    "apps.connections.open": ("connections:write",),  # of the app-level token, which is in no manifest
    "assistant.threads.setStatus": ("chat:write",),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "auth.test": (),
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.replies": ("channels:history", "groups:history", "im:history", "mpim:history"),
    "oauth.v2.access": (),
    "usergroups.users.list": ("usergroups:read",),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
    "views.push": (),
    "views.update": (),
}


def needed(grants: Iterable[Grant], extras: Collection[Extra] = ()) -> list[Grant]:
    """Those of these scopes or events that are asked for, with these extras."""
    return [grant for grant in grants if not grant.extras or not grant.extras.isdisjoint(extras)]


def extras_of(settings: Settings) -> set[Extra]:
    """The extras that the settings speak of; `manifest` adds them, and `doctor` expects them."""
    groups = settings.slack_coach_group or settings.slack_admin_group
    wanted = {Extra.FOLLOW_THREADS: settings.slack_follow_threads, Extra.GROUPS: bool(groups)}
    return {extra for extra, is_wanted in wanted.items() if is_wanted}


def bot_scopes(settings: Settings) -> list[str]:
    """What a workspace is asked for when it installs us; Slack refuses what is not in the app's own manifest."""
    return [scope.name for scope in needed(SCOPES, {Extra.AGENT_VIEW, *extras_of(settings)})]


def manifest(language: Language, *, url: str = "", extras: Collection[Extra] = ()) -> dict[str, Any]:
    """What Slack makes the app from; without a URL of ours, one that is reached by Socket Mode."""
    request_url = {"request_url": url + EVENTS_PATH} if url else {}
    redirect = {"redirect_urls": [url + REDIRECT_PATH]} if url else {}
    return {
        "display_information": {"name": NAME, "description": say("manifest.description", language)},
        "features": _features(language, url, extras),
        "oauth_config": redirect | {"scopes": {"bot": [scope.name for scope in needed(SCOPES, extras)]}},
        "settings": {
            "event_subscriptions": request_url | {"bot_events": [event.name for event in needed(EVENTS, extras)]},
            "interactivity": {"is_enabled": True} | request_url,
            # Without it, an app made on an Enterprise organisation installs and then never gets an event.
            "org_deploy_enabled": True,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,  # tokens would end after twelve hours, and it cannot be turned off again
        },
    }


def _features(language: Language, url: str, extras: Collection[Extra]) -> dict[str, Any]:
    agent_view = {"agent_view": _agent_view(language)} if Extra.AGENT_VIEW in extras else {}
    return agent_view | {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,  # unset, nobody can type in the direct message
        },
        "bot_user": {"display_name": NAME, "always_online": True},
        "shortcuts": [
            _shortcut("message", ASK_ABOUT, language),
            _shortcut("message", SAVE, language),
            _shortcut("global", ASK, language),
        ],
        "slash_commands": [
            *(_command(command, "command", language, url) for command in COMMANDS),
            _command(COACH, "coach", language, url),
        ],
    }


def _agent_view(language: Language) -> dict[str, Any]:
    examples = say("help.examples", language).split("|")[:_MOST_PROMPTS]
    return {
        "agent_description": say("manifest.agent", language),
        "suggested_prompts": [{"title": example, "message": example} for example in examples],
    }


def _shortcut(kind: str, callback_id: str, language: Language) -> dict[str, str]:
    return {
        "name": say(f"manifest.{callback_id}", language),
        "type": kind,
        "callback_id": callback_id,
        "description": say(f"manifest.{callback_id}_description", language),
    }


def _command(command: str, name: str, language: Language, url: str) -> dict[str, Any]:
    return {
        "command": command,
        "description": say(f"manifest.{name}", language),
        "usage_hint": say(f"manifest.{name}_hint", language),
        "should_escape": False,  # a question goes to search as it was typed, without ids in place of names
    } | ({"url": url + EVENTS_PATH} if url else {})
