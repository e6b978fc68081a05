"""Who we are in each Slack workspace, and who its people are there."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.slack_client import PASSING, TIMEOUT, UNREACHABLE, make_client, quiet, reason_of, retry_handlers
from bots.slack_install import Installed, Installs
from core.errors import BijdehandError, StoreError
from core.language import language_of_locale
from core.model import Role
from core.settings import Settings
from core.store import Store
from knowledge.article import Language

log = logging.getLogger(__name__)

_WORTH = 1.5  # seconds that knowing somebody's language or role may take
_MOST = 10_000  # people whose language is kept in mind
_GROUPS_LAST = 600.0  # seconds
_GROUPS_AGAIN = 60.0  # seconds until Slack is asked again that did not answer
_STRANGE = (ValueError, TypeError, AttributeError, LookupError)  # no answer of the form that Slack documents
_WAY_OUT = {
    "missing_scope": "Give the app usergroups:read and install it again.",
    "no_such_subteam": "Check SLACK_COACH_GROUP and SLACK_ADMIN_GROUP.",
}


class NotInstalledError(BijdehandError):
    """This workspace has not let us in, or no longer does."""


@dataclass(slots=True)
class _Groups:
    """Who has a role in a workspace by being in a user group."""

    members: dict[str, frozenset[str]] = field(default_factory=dict)  # by group
    until: float = float("-inf")
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Workspaces:
    """One workspace by its token, or many that installed us: then each is looked up anew, as it may be gone."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        installs: Installs | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without `installs` there is one workspace, and every team is taken to be that."""
        self._clock = clock
        self._settings = settings
        self._store = store
        self._installs = installs
        self._session: aiohttp.ClientSession | None = None
        self._own = Installed(settings.slack_bot_token.get_secret_value(), "", "", "")
        self._locales: dict[tuple[str, str], str] = {}
        self._groups: dict[str, _Groups] = {}
        self._said: set[str] = set()

        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
            return await self._authorize(enterprise_id or "", team_id or "")

        self.authorize = authorize  # for Bolt, which counts the self of a method among its arguments

    async def start(self) -> None:
        """Learn who we are where a token says so. Slack being away stops nothing."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        if self._installs:
            return
        try:
            us = await self._with(self._own.bot_token).auth_test()
            self._own = Installed(self._own.bot_token, us["user_id"], us.get("bot_id") or "", us.get("team") or "")
        except UNREACHABLE as error:
            reason = reason_of(error) or type(error).__name__
            log.error("Slack does not know us (auth.test: %s). Check SLACK_BOT_TOKEN and the network.", reason)  # noqa: TRY400 - the sentence is all

    async def stop(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    # -- who we are -----------------------------------------------------------------------------------------------
    async def client(self, team: str, enterprise: str = "") -> AsyncWebClient:
        """The Web API of a workspace; `NotInstalledError` when it is not, or no longer, one of ours."""
        us = await self._us(team, enterprise)
        if us is None:
            raise NotInstalledError(
                f"Bijdehand is not in workspace {team or enterprise}. Install it at /slack/install."
            )
        return self._with(us.bot_token)

    async def own_id(self, team: str, enterprise: str = "") -> str:
        """Our user id in a workspace; "" when it is not known."""
        us = await self._us(team, enterprise)
        return us.bot_user_id if us else ""

    async def _authorize(self, enterprise: str, team: str) -> AuthorizeResult | None:
        """Who we are where an event comes from. It is not acked yet, so the network is left alone."""
        try:
            us = await self._us(team, enterprise)
        except StoreError:
            raise  # it may be there again when Slack comes back
        except BijdehandError as error:
            log.error("A Slack event was left alone. %s", error)  # noqa: TRY400 - the sentence is all
            return None
        if us is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise or None,
            team_id=team or None,
            bot_token=us.bot_token,
            bot_user_id=us.bot_user_id or None,
            bot_id=us.bot_id or None,
        )

    def webhook(self, response_url: str) -> AsyncWebhookClient:
        """Where an answer to a tap or command goes: to Slack and nowhere else, whatever a payload says."""
        if not _is_slacks(response_url, self._settings.slack_api_url):
            raise BijdehandError("A payload wants its answer elsewhere than at Slack. Check SLACK_API_URL.")
        return AsyncWebhookClient(
            response_url, timeout=TIMEOUT, session=self._session, logger=quiet, retry_handlers=retry_handlers()
        )

    async def forget(self, team: str, enterprise: str, at: datetime) -> None:
        """Forget a workspace that threw us out, or with team "" a whole organisation, and all that came from there.

        That was at `at`: who let us in again since then has not.
        """
        found = await asyncio.to_thread(self._store.installation, "slack", enterprise, team)
        if found and found.at > at:
            return
        self._locales = {key: locale for key, locale in self._locales.items() if team and key[0] != team}
        self._groups.clear()
        await asyncio.to_thread(self._store.forget_team, "slack", team, enterprise)

    async def _us(self, team: str, enterprise: str) -> Installed | None:
        return await self._installs.find(team, enterprise) if self._installs else self._own

    def _with(self, token: str) -> AsyncWebClient:
        client = make_client(self._settings, token)
        client.session = self._session
        return client

    # -- who they are ---------------------------------------------------------------------------------------------
    async def locale(self, team: str, user: str, enterprise: str = "") -> str:
        """The language of somebody's Slack, asked once; "" when Slack does not say, or has none for our people.

        There is no Slack in Dutch: among people who speak it, one in English is everybody's and tells nothing.
        """
        if (team, user) in self._locales:
            return self._locales[team, user]
        try:
            async with asyncio.timeout(_WORTH):
                client = await self.client(team, enterprise)
                found = await client.users_info(user=user, include_locale=True)
            locale = found["user"].get("locale") or ""
            if self._settings.language == "nl" and language_of_locale(locale) == "en":
                locale = ""
        except SlackApiError as error:
            if reason_of(error) in PASSING:
                return ""
            log.info("Slack does not tell a language (%s)", reason_of(error))
            locale = ""  # asking again will not help: most likely the scope is missing
        except (BijdehandError, *UNREACHABLE, *_STRANGE):
            return ""
        if len(self._locales) >= _MOST:
            del self._locales[next(iter(self._locales))]
        self._locales[team, user] = locale
        return locale

    async def name(self, team: str, user: str, enterprise: str = "") -> str:
        """What somebody is called, for what they write themselves; "" when Slack does not say. Not kept."""
        try:
            async with asyncio.timeout(_WORTH):
                client = await self.client(team, enterprise)
                found = await client.users_info(user=user)
            return str(found["user"].get("real_name") or "")
        except (SlackApiError, BijdehandError, *UNREACHABLE, *_STRANGE):
            return ""

    def known_language(self, team: str, user: str) -> Language | None:
        """The language of somebody's Slack, if that was asked before: for what may not wait."""
        return language_of_locale(self._locales.get((team, user), ""))

    async def role(self, team: str, user: str, enterprise: str = "") -> Role:
        """The highest role that somebody has by the user groups in the settings."""
        members = await self._members(team, enterprise)
        if any(user in members.get(group, ()) for group in self._settings.slack_admin_group):
            return Role.ADMIN
        if any(user in members.get(group, ()) for group in self._settings.slack_coach_group):
            return Role.COACH
        return Role.AGENT

    async def has_coaches(self, team: str, enterprise: str = "") -> bool:
        """Whether anybody may coach by being in one of those groups."""
        return any((await self._members(team, enterprise)).values())

    async def _members(self, team: str, enterprise: str) -> Mapping[str, frozenset[str]]:
        """Those of ten minutes ago at most, or older ones while Slack is away."""
        names = {*self._settings.slack_coach_group, *self._settings.slack_admin_group}
        groups = self._groups.setdefault(team, _Groups())
        async with groups.asking:
            if names and self._clock() >= groups.until:
                fresh = await asyncio.gather(*(self._in_group(group, team, enterprise) for group in names))
                found = dict(zip(names, fresh, strict=True))
                groups.members |= {group: members for group, members in found.items() if members is not None}
                groups.until = self._clock() + (_GROUPS_AGAIN if None in fresh else _GROUPS_LAST)
            return groups.members

    async def _in_group(self, group: str, team: str, enterprise: str) -> frozenset[str] | None:
        """The members of a group; None when Slack does not answer now."""
        try:
            async with asyncio.timeout(_WORTH):
                client = await self.client(team, enterprise)
                answer: Any = await client.usergroups_users_list(usergroup=group, team_id=team or None)
            return frozenset(answer["users"])
        except SlackApiError as error:
            reason = reason_of(error)
            if reason in PASSING:
                return None
            self._say_once(f"Slack does not tell who is in user group {group} ({reason}). {_WAY_OUT.get(reason, '')}")
            return frozenset()
        except (BijdehandError, *UNREACHABLE, *_STRANGE):
            return None

    def _say_once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            log.warning("%s", sentence.strip())


def _is_slacks(url: str, api_url: str) -> bool:
    try:
        asked, api = urlsplit(url), urlsplit(api_url)
    except ValueError:
        return False
    if asked.scheme == "https" and asked.netloc == f"hooks.{api.hostname}":
        return True
    return api.hostname != "slack.com" and (asked.scheme, asked.netloc) == (api.scheme, api.netloc)
