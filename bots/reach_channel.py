"""Why Slack would stay silent in a channel, or speak there."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bots.reach_slack import (
    HISTORY,
    LOOKING,
    advice,
    check_scopes,
    client,
    faults,
    granted_to,
    identify,
    lacking,
    ways_in,
    word,
)
from bots.slack_manifest import Extra
from core.doctor import Check, State
from core.settings import Settings
from core.store import Store

_RULES = (
    "In a channel or group it answers whoever mentions it, in a thread. There it also takes follow-ups, where they "
    "reach it: questions of the same person, within 15 minutes, that mention nobody else. Bots, edits and joins are "
    "left alone. /ask works in every conversation, but not in a thread; also where it is not a member."
)


@dataclass(frozen=True, slots=True)
class Channel:
    """What could be found out about a channel. `shown` is how Slack describes it, `refusal` why it does not."""

    id: str
    scopes: Collection[str]
    shown: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""
    listens: bool = False
    articles: int = 0

    @property
    def direct(self) -> bool:
        """Between one person and us."""
        return self.id.startswith("D")

    @property
    def history(self) -> set[str]:
        """The scopes that bring its messages; two where Slack does not show whether it is private."""
        if self.shown.get("is_mpim"):
            return {"mpim:history"}
        if "is_private" in self.shown:
            return {"groups:history" if self.shown["is_private"] else "channels:history"}
        return HISTORY

    @property
    def reaches_us(self) -> bool:
        """Whether we get to see what is said there without our name in it."""
        return not self.history.isdisjoint(self.scopes)


def explain_slack(
    settings: Settings, store: Store, channel_id: str, *, now: datetime, team: str = "", enterprise: str = ""
) -> list[Check]:
    """Look at a channel, and say. Only where many workspaces install us, `team` is needed."""
    if not settings.slack_is_on:
        return [replace(lacking(settings), state=State.FAIL)]  # whoever asks why it is silent has the answer
    token = settings.slack_bot_token.get_secret_value()
    if settings.slack_is_shared:
        if not team:
            return [Check("slack", State.FAIL, "which workspace?", "give --team T…")]
        token = _token_of(settings, store, team, enterprise)
        if not token:
            todo = "install it there: /slack/install; if its organisation did, give --enterprise E…"
            return [Check("slack", State.FAIL, f"workspace {team} has not installed it", todo)]
    known, identity = identify(settings, token)
    if not known:
        return [identity]
    granted = granted_to(known)
    shown, refusal = ({}, "") if channel_id.startswith("D") else _look(settings, token, channel_id, granted)
    channel = Channel(
        channel_id,
        granted,
        shown,
        refusal,
        store.place("slack", team or known["team_id"], channel_id).listens,
        sum(article.is_live(now) for article in store.articles()),
    )
    return [identity, *check_scopes(granted, settings), *ways_in(settings), *explain(channel, settings)]


def _token_of(settings: Settings, store: Store, team: str, enterprise: str) -> str:
    from bots.slack_install import Installs
    from core.secrets import Secrets

    found = asyncio.run(Installs(settings, store, Secrets(settings), ()).find(team, enterprise))
    return found.bot_token if found else ""


def _look(settings: Settings, token: str, channel_id: str, granted: Collection[str]) -> tuple[Mapping[str, Any], str]:
    try:
        return client(settings, token).conversations_info(channel=channel_id)["channel"], ""
    except faults() as fault:
        refusal = word(fault)
        only_groups_are_hidden = refusal == "missing_scope" and LOOKING.issubset(granted)
        return {"is_mpim": True} if only_groups_are_hidden else {}, refusal


def explain(channel: Channel, settings: Settings) -> list[Check]:
    """Judge what was found out. Where nothing comes through at all, what else might is not worth a line."""
    checks = [_presence(channel, settings)]
    if not channel.direct and checks[-1].state is not State.FAIL:
        checks += [_follow_ups(channel, settings), _unasked(channel, settings)]
    if not channel.articles:
        found = "no article is live, so no question gets an answer"
        checks.append(Check("articles", State.FAIL, found, "run: bijdehand import FOLDER"))
    return [*checks, Check("rules", State.OK, _RULES)]


def _presence(channel: Channel, settings: Settings) -> Check:
    name = f"#{channel.shown['name']}" if channel.shown.get("name") else channel.id
    if channel.direct:
        return Check("channel", State.OK, "a direct message: whatever is said there is answered")
    if channel.refusal:
        return _unseen(channel, settings, name)
    if channel.shown.get("is_archived"):
        return Check("channel", State.FAIL, f"{name} is archived: nobody can write there", "unarchive it")
    if not channel.shown.get("is_member") and not channel.shown.get("is_mpim"):
        return Check("channel", State.FAIL, f"it is not a member of {name}", "invite it there: /invite @bijdehand")
    return Check("channel", State.OK, f"it is a member of {name}")


def _unseen(channel: Channel, settings: Settings, name: str) -> Check:
    look = "look among the members"
    if channel.refusal == "missing_scope" and channel.shown.get("is_mpim"):
        return Check("channel", State.WARN, "Slack does not show group direct messages to it", look)
    if channel.refusal == "missing_scope":
        found = f"without {' and '.join(sorted(LOOKING))}, Slack does not show {name}"
        if not settings.slack_is_shared:  # workspaces are not asked for them
            look = f"{look}, or {advice(channel.scopes, settings, Extra.CHANNELS)}"
        return Check("channel", State.WARN, found, look)
    if channel.refusal == "channel_not_found":
        found = f"{name} is not there, or private and without it"
        return Check("channel", State.FAIL, found, "check the id; in a private channel: /invite @bijdehand")
    return Check("channel", State.FAIL, f"Slack says {channel.refusal} about {name}")


def _follow_ups(channel: Channel, settings: Settings) -> Check:
    if channel.reaches_us:
        # Which events an app subscribes to, its bot may not ask.
        events = " and ".join(f"message.{scope.partition(':')[0]}" for scope in sorted(channel.history))
        todo = f"if they still go unanswered: the app gets no {events}; save its manifest again"
        return Check("threads", State.OK, "follow-ups without a mention reach it", todo)
    found = f"only mentions reach it, without {' or '.join(sorted(channel.history))}"
    todo = f"for follow-ups, {advice(channel.scopes, settings, Extra.FOLLOW_THREADS)}"
    return Check("threads", State.OFF, found, todo)


def _unasked(channel: Channel, settings: Settings) -> Check:
    if channel.listens and channel.reaches_us:
        return Check("unasked", State.OK, "a question that nobody put to it is answered too, when it is sure")
    read, agree = advice(channel.scopes, settings, Extra.CHANNELS), "let a coach say there: /ask here on"
    if channel.listens:
        return Check("unasked", State.WARN, "/ask here on was said, but such questions do not reach it", read)
    todo = agree if channel.reaches_us else f"{read}; then {agree}"
    return Check("unasked", State.OFF, "a question that nobody put to it is left alone", todo)
