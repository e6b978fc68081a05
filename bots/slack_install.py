"""Add to Slack: workspaces let us in by OAuth, and their tokens are kept sealed."""

import asyncio
import html
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from urllib.parse import urljoin

from aiohttp import encode_basic_auth, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.oauth.async_callback_options import AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from bots.slack_client import UNREACHABLE, make_client, quiet, reason_of
from core.errors import BijdehandError, NotAllowedError
from core.language import language_of_locale
from core.secrets import Secrets
from core.settings import Settings
from core.store import Installation, Store
from core.words import say
from knowledge.article import Language

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.Response]]

_STATE_LASTS = timedelta(minutes=10)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the address holds Slack's code
    "Cache-Control": "no-store",
}
_SENTENCES = {  # of Bolt's words for what went wrong; any other is Slack's trouble or ours
    "access_denied": "install.cancelled",
    "invalid_browser": "install.expired",
    "invalid_state": "install.expired",
    "missing_code": "install.expired",
}


@dataclass(frozen=True, slots=True)
class Installed:
    """Who we are in a workspace that let us in."""

    bot_token: str = field(repr=False)
    bot_user_id: str
    bot_id: str
    team: str  # its name


class Installs:
    """The two pages of an installation, and what came of it. All of it is in the store, so any process may serve."""

    def __init__(self, settings: Settings, store: Store, secrets: Secrets, scopes: Sequence[str]) -> None:
        """`scopes` is what a workspace is asked for: the bot scopes of the app's manifest."""
        self._settings = settings
        self._store = store
        self._secrets = secrets
        self._flow = _Flow(self._oauth(scopes), settings)

    def routes(self) -> list[tuple[str, Handler]]:
        """What to answer a GET with: where it begins, and where Slack sends the browser back to."""
        return [
            (self._flow.install_path, self._answering(self._flow.handle_installation)),
            (self._flow.redirect_uri_path, self._answering(self._flow.handle_callback)),
        ]

    async def find(self, team: str, enterprise: str = "") -> Installed | None:
        """What a workspace gave us; None when it has not let us in, or no longer does."""
        return await asyncio.to_thread(self._find, team, enterprise)

    async def keep(self, given: SlackInstallation) -> None:
        """Keep what a workspace gave us, in place of what it gave before."""
        if not given.bot_token:
            raise BijdehandError("Slack gave no bot token. Make the app from our manifest, which has a bot user.")
        if given.bot_refresh_token:
            raise BijdehandError("This Slack app rotates its tokens, for good. Make it anew from our manifest.")
        if not {given.team_id, given.enterprise_id}.intersection(self._settings.slack_teams):
            # The address of the page is no secret, and whoever is let in can read all articles.
            raise NotAllowedError(f"Add {given.team_id or given.enterprise_id} to SLACK_TEAMS to let it in.")
        await asyncio.to_thread(self._save, given)

    def _find(self, team: str, enterprise: str) -> Installed | None:
        found = self._store.installation("slack", enterprise, team)
        if found and not {found.team, found.enterprise}.intersection(self._settings.slack_teams):
            return None  # it was on the list when it let us in
        return Installed(**json.loads(self._secrets.open(found.secret))) if found else None

    def _save(self, given: SlackInstallation) -> None:
        known = Installed(given.bot_token or "", given.bot_user_id or "", given.bot_id or "", _name(given))
        secret = self._secrets.seal(json.dumps(asdict(known)))
        team = given.team_id or ""
        enterprise = "" if team else given.enterprise_id or ""  # not every event tells it, and a team's id is enough
        self._store.save_installation(Installation("slack", enterprise, team, secret, datetime.now(UTC)))

    def _oauth(self, scopes: Sequence[str]) -> AsyncOAuthSettings:
        return AsyncOAuthSettings(
            client_id=self._settings.slack_client_id,
            client_secret=self._settings.slack_client_secret.get_secret_value(),
            scopes=scopes,
            user_scopes=[],
            authorization_url=urljoin(self._settings.slack_api_url, "/oauth/v2/authorize"),
            installation_store=_Kept(self),
            state_store=_States(self._store),
            state_expiration_seconds=int(_STATE_LASTS.total_seconds()),
            logger=quiet,
        )

    def _answering(self, page: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]) -> Handler:
        async def handler(request: web.Request) -> web.Response:
            asked = AsyncBoltRequest(body="", query=request.query_string, headers=dict(request.headers))
            try:
                shown = await page(asked)
            except NotAllowedError as error:
                log.warning("A workspace was not added. %s", error)
                shown = self._flow.page("install.not_allowed", asked, status=403)
            except (BijdehandError, *UNREACHABLE) as error:
                log.error("A workspace could not be added. %s", _why(error))  # noqa: TRY400 - the sentence is all
                shown = self._flow.page("install.broken", asked, status=500)
            except Exception:
                log.exception("a workspace could not be added")
                shown = self._flow.page("install.broken", asked, status=500)
            response = await to_aiohttp_response(shown)
            response.headers.update(_HEADERS)
            return response

        return handler


class _Flow(AsyncOAuthFlow):
    """Bolt's, with our own pages: nothing that came with the address is ever shown on them."""

    def __init__(self, settings: AsyncOAuthSettings, ours: Settings) -> None:
        super().__init__(client=make_client(ours), logger=quiet, settings=settings)
        self._language = ours.language
        self.success_handler = self._succeeded
        self.failure_handler = self._failed

    async def build_authorize_url(self, state: str, request: AsyncBoltRequest) -> str:
        return self.settings.authorize_url_generator.generate(state)  # Bolt adds `team` from our address, unescaped

    async def build_install_page_html(self, url: str, request: AsyncBoltRequest) -> str:
        language = self._language_of(request)
        return _html(language, say("install.ask", language), say("install.button", language), url)

    async def run_installation(self, code: str) -> SlackInstallation:
        """Exchange the code. Bolt's own logs it, and swallows what Slack has against it."""
        us = encode_basic_auth(self.settings.client_id, self.settings.client_secret)
        given = await self.client.api_call("oauth.v2.access", data={"code": code}, headers={"Authorization": us})
        token = given.get("access_token")
        bot_id = (await self.client.auth_test(token=token)).get("bot_id") if token else None
        team, enterprise = given.get("team") or {}, given.get("enterprise") or {}
        return SlackInstallation(
            enterprise_id=enterprise.get("id"),
            enterprise_name=enterprise.get("name"),
            team_id=team.get("id"),
            team_name=team.get("name"),
            bot_token=token,
            bot_id=bot_id,
            bot_user_id=given.get("bot_user_id"),
            bot_refresh_token=given.get("refresh_token"),
            user_id=(given.get("authed_user") or {}).get("id", ""),
        )

    async def _succeeded(self, args: AsyncSuccessArgs) -> BoltResponse:
        return self.page("install.done", args.request, team=_name(args.installation))

    async def _failed(self, args: AsyncFailureArgs) -> BoltResponse:
        key = _SENTENCES.get(args.reason, "install.broken")
        return self.page(key, args.request, status=args.suggested_status_code)

    def page(self, key: str, request: AsyncBoltRequest, *, status: int = 200, **values: str) -> BoltResponse:
        """A sentence, and where it did not work out a way to begin again. The browser's state is over."""
        language = self._language_of(request)
        again = "" if key == "install.done" else say("install.again", language)
        headers: dict[str, str | Sequence[str]] = {
            "Content-Type": "text/html; charset=utf-8",
            "Set-Cookie": self.settings.state_utils.build_set_cookie_for_deletion(),
        }
        body = _html(language, say(key, language, **values), again, "install")
        return BoltResponse(status=status, headers=headers, body=body)

    def _language_of(self, request: AsyncBoltRequest) -> Language:
        """What the browser prefers: it lists the best first."""
        accepted = ",".join(request.headers.get("accept-language", ())).split(",")
        return next(filter(None, (language_of_locale(locale.strip()) for locale in accepted)), self._language)


class _Kept(AsyncInstallationStore):
    """What Bolt hands an installation to. Nothing is found through Bolt, which would call auth.test each time."""

    def __init__(self, installs: Installs) -> None:
        self._installs = installs

    async def async_save(self, installation: SlackInstallation) -> None:
        await self._installs.keep(installation)


class _States(AsyncOAuthStateStore):
    """One-time words, so that nobody can make another's browser finish an installation."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        state = token_urlsafe(32)
        await asyncio.to_thread(self._store.save_state, state, datetime.now(UTC) + _STATE_LASTS)
        return state

    async def async_consume(self, state: str) -> bool:
        return await asyncio.to_thread(self._store.use_state, state, datetime.now(UTC))


def _name(given: SlackInstallation) -> str:
    return given.team_name or given.enterprise_name or "Slack"


def _why(error: Exception) -> str:
    if isinstance(error, BijdehandError):
        return str(error)
    reason = reason_of(error)
    return f"Slack says {reason}." if reason else f"Slack cannot be reached ({type(error).__name__})."


def _html(language: Language, sentence: str, link: str, url: str) -> str:
    below = f'<p><a href="{html.escape(url)}">{html.escape(link)}</a></p>' if link else ""
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>Bijdehand</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        "<style>body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34em;margin:4em auto;padding:0 1em}</style>"
        f"<p>{html.escape(sentence)}</p>{below}</html>"
    )
