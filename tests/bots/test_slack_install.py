import logging
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer
from fake_slack import SECRET, FakeSlack
from pydantic import SecretStr
from slack_sdk.oauth.installation_store import Installation
from yarl import URL

from bots.slack_install import Installs
from core.errors import BijdehandError
from core.secrets import Secrets
from core.settings import Settings
from core.words import say

SCOPES = ["chat:write", "users:read"]
COOKIE = "slack-app-oauth-state"


def make_settings(slack, tmp_path, **given):
    oauth = {"slack_client_id": "1.2", "slack_client_secret": "client-geheim", "slack_signing_secret": SECRET}
    ours = {"slack_api_url": slack.api, "slack_teams": "T2 T3 E1"} | oauth
    return Settings(_env_file=None, data=tmp_path / "data", **ours | given)


class Browser:
    """Somebody who adds the app: `async with Browser(installs) as browser`."""

    def __init__(self, installs, language="nl-NL"):
        self._routes = installs.routes()
        self._language = language

    async def __aenter__(self):
        app = web.Application()
        app.add_routes([web.get(path, handler) for path, handler in self._routes])
        self._server = TestServer(app, host="127.0.0.1")
        await self._server.start_server()
        self.forget_cookies()
        return self

    async def __aexit__(self, *error):
        await self._session.close()
        await self._server.close()

    def forget_cookies(self):
        """As another browser would come."""
        home = URL(str(self._server.make_url("/")))  # as if by https: the cookie is for that alone
        self._session = ClientSession(cookie_jar=CookieJar(unsafe=True, treat_as_secure_origin=home))

    async def get(self, path, **query):
        """The status and the text of a page, as it is shown."""
        headers = {"Accept-Language": self._language}
        async with self._session.get(self._server.make_url(path), params=query, headers=headers) as response:
            self.headers = response.headers
            return response.status, unescape(await response.text())

    async def begin(self, **query):
        """Open the first page; where its button leads."""
        status, page = await self.get("/slack/install", **query)
        assert status == 200
        return re.search(r'href="([^"]+)"', page)[1]

    async def add(self, code):
        """The whole way; the last page."""
        state = parse_qs(urlsplit(await self.begin()).query)["state"][0]
        return await self.get("/slack/oauth_redirect", code=code, state=state)


@pytest.fixture
async def slack():
    async with FakeSlack() as running:
        yield running


@pytest.fixture
def installs(slack, store, tmp_path):
    settings = make_settings(slack, tmp_path)
    return Installs(settings, store, Secrets(settings), SCOPES)


@pytest.fixture
async def browser(installs):
    async with Browser(installs) as opened:
        yield opened


async def test_a_workspace_that_adds_us_is_known_from_then_on(browser, installs, slack):
    status, page = await browser.add(slack.code("T2"))
    assert status == 200
    assert say("install.done", "nl", team="Team T2") in page
    found = await installs.find("T2")
    assert (found.bot_token, found.bot_user_id, found.bot_id, found.team) == ("xoxb-T2", "U0BOTT2", "B0BOT", "Team T2")


async def test_the_button_leads_to_slack_with_our_scopes_and_nothing_that_came_with_the_address(browser, slack):
    there = urlsplit(await browser.begin(team="T2&scope=admin"))
    assert f"{there.scheme}://{there.netloc}" == slack.api.removesuffix("/api/")
    assert there.path == "/oauth/v2/authorize"
    query = parse_qs(there.query)
    assert len(query.pop("state")[0]) >= 32
    assert query == {"client_id": ["1.2"], "scope": ["chat:write,users:read"]}


async def test_without_a_setting_the_button_leads_to_slack_itself(store, tmp_path):
    settings = Settings(_env_file=None, data=tmp_path, slack_client_id="1", slack_client_secret=SecretStr("2"))
    async with Browser(Installs(settings, store, Secrets(settings), SCOPES)) as browser:
        assert (await browser.begin()).startswith("https://slack.com/oauth/v2/authorize?")


async def test_a_token_is_nowhere_to_be_read(browser, installs, slack, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    status, page = await browser.add(slack.code("T2"))
    assert status == 200
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in ("xoxb-T2", "client-geheim"):
        assert secret not in page + str(browser.headers) + caplog.text + repr(await installs.find("T2"))
        assert secret.encode() not in written


async def test_one_workspace_says_nothing_of_another(browser, installs, slack):
    await browser.add(slack.code("T2"))
    _, page = await browser.add(slack.code("T3"))
    assert "T2" not in page
    assert (await installs.find("T3")).bot_token == "xoxb-T3"
    assert (await installs.find("T2")).bot_token == "xoxb-T2"
    assert await installs.find("T4") is None
    assert await installs.find("") is None


async def test_adding_us_again_replaces_the_token(installs):
    for token in ("xoxb-old", "xoxb-new"):
        await installs.keep(Installation(team_id="T2", bot_token=token, user_id="U1"))
    assert (await installs.find("T2")).bot_token == "xoxb-new"


async def test_a_workspace_of_an_organisation_is_found_whether_or_not_that_is_told(browser, installs, slack):
    await browser.add(slack.code("T2", enterprise="E1"))
    assert (await installs.find("T2")).bot_token == "xoxb-T2"
    assert (await installs.find("T2", "E1")).bot_token == "xoxb-T2"
    assert await installs.find("T3", "E1") is None


async def test_a_whole_organisation_adds_us_to_each_of_its_workspaces(installs):
    await installs.keep(
        Installation(enterprise_id="E1", bot_token="xoxb-org", user_id="U1", is_enterprise_install=True)
    )
    assert (await installs.find("T2", "E1")).bot_token == "xoxb-org"
    assert await installs.find("T2", "E2") is None
    assert (await installs.find("T2")).bot_token == "xoxb-org", "the only organisation there is"
    await installs.keep(Installation(enterprise_id="E1", team_id="T2", bot_token="xoxb-own", user_id="U1"))
    assert (await installs.find("T2", "E1")).bot_token == "xoxb-own"


# -- what does not work out ----------------------------------------------------------------------------------------
async def test_nobody_can_make_another_browser_finish_an_installation(browser, installs, slack):
    state = parse_qs(urlsplit(await browser.begin()).query)["state"][0]
    await browser._session.close()
    browser.forget_cookies()
    status, page = await browser.get("/slack/oauth_redirect", code=slack.code("T2"), state=state)
    assert status == 400
    assert say("install.expired", "nl") in page
    assert await installs.find("T2") is None


async def test_a_state_works_once(browser, slack):
    state = parse_qs(urlsplit(await browser.begin()).query)["state"][0]
    await browser.get("/slack/oauth_redirect", code=slack.code("T2"), state=state)
    browser._session.cookie_jar.update_cookies({COOKIE: state}, browser._server.make_url("/"))
    status, page = await browser.get("/slack/oauth_redirect", code=slack.code("T3"), state=state)
    assert status == 401
    assert say("install.expired", "nl") in page


@pytest.mark.parametrize("minutes", [None, -1])
async def test_a_state_that_we_never_gave_or_that_is_too_old_is_refused(minutes, browser, installs, slack, store):
    if minutes is not None:
        store.save_state("word", datetime.now(UTC) + timedelta(minutes=minutes))
    browser._session.cookie_jar.update_cookies({COOKIE: "word"}, browser._server.make_url("/"))
    status, _ = await browser.get("/slack/oauth_redirect", code=slack.code("T2"), state="word")
    assert status == 401
    assert await installs.find("T2") is None


async def test_the_browser_is_told_to_keep_the_state_for_ten_minutes_and_to_show_it_to_nobody(browser):
    await browser.begin()
    cookie = browser.headers["Set-Cookie"]
    assert {"HttpOnly", "Secure", "Max-Age=600"} <= set(cookie.split("; "))
    assert browser.headers["Referrer-Policy"] == "no-referrer"
    assert browser.headers["Cache-Control"] == "no-store"
    assert "script-src" not in browser.headers["Content-Security-Policy"]


async def test_who_cancels_is_told_so(browser):
    state = parse_qs(urlsplit(await browser.begin()).query)["state"][0]
    status, page = await browser.get("/slack/oauth_redirect", error="access_denied", state=state)
    assert status == 200
    assert say("install.cancelled", "nl") in page


@pytest.mark.parametrize("query", [{"error": "<script>x</script>"}, {"error": "unheard_of"}, {}, {"code": "1"}])
async def test_nothing_that_came_with_the_address_is_shown(query, browser):
    status, page = await browser.get("/slack/oauth_redirect", **query)
    assert status in {200, 400}
    assert not any(value in page for value in query.values() if value != "1")
    assert say("install.again", "nl") in page


async def test_a_team_may_be_called_anything(browser, installs, slack, monkeypatch):
    monkeypatch.setattr(slack, "_codes", {"c": ({"id": "T2", "name": "<b>Wij & {team}</b>"}, None)})
    state = parse_qs(urlsplit(await browser.begin()).query)["state"][0]
    url = browser._server.make_url("/slack/oauth_redirect").with_query(code="c", state=state)
    async with browser._session.get(url) as response:
        page = await response.text()
    assert "&lt;b&gt;Wij &amp; {team}&lt;/b&gt;" in page
    assert "<b>" not in page


async def test_a_code_that_slack_refuses_gets_a_sentence_and_the_log_its_reason(browser, caplog):
    status, page = await browser.add("verzonnen")
    assert status == 500
    assert say("install.broken", "nl") in page
    assert "Slack says invalid_code." in caplog.text
    assert "verzonnen" not in caplog.text + page


async def test_slack_being_away_gets_a_sentence_and_no_traceback_to_the_browser(store, tmp_path, slack, caplog):
    settings = make_settings(slack, tmp_path, slack_api_url="http://127.0.0.1:9/api/")
    async with Browser(Installs(settings, store, Secrets(settings), SCOPES)) as browser:
        status, page = await browser.add("een-code")
    assert status == 500
    assert say("install.broken", "nl") in page
    assert "Slack cannot be reached" in caplog.text
    assert "Traceback" not in page + caplog.text
    assert "een-code" not in caplog.text


async def test_whatever_breaks_on_our_side_the_browser_gets_a_sentence(browser, slack, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("stuk")

    monkeypatch.setattr(Secrets, "seal", broken)
    status, page = await browser.add(slack.code("T2"))
    assert status == 500
    assert say("install.broken", "nl") in page
    assert "stuk" not in page
    assert "RuntimeError: stuk" in caplog.text
    assert "xoxb" not in caplog.text


async def test_tokens_that_end_by_themselves_are_refused_with_the_reason(installs):
    rotating = Installation(team_id="T2", bot_token="xoxe.xoxb-1", bot_refresh_token="xoxe-1", user_id="U1")
    with pytest.raises(BijdehandError, match="rotates its tokens") as caught:
        await installs.keep(rotating)
    assert "xoxe" not in str(caught.value)
    assert await installs.find("T2") is None


async def test_an_installation_without_a_bot_is_refused(installs):
    with pytest.raises(BijdehandError, match="no bot token"):
        await installs.keep(Installation(team_id="T2", user_token="xoxp-1", user_id="U1"))


async def test_where_no_workspace_is_listed_none_can_add_us_and_the_log_says_how(store, tmp_path, slack, caplog):
    settings = make_settings(slack, tmp_path, slack_teams="")
    async with Browser(Installs(settings, store, Secrets(settings), SCOPES)) as browser:
        assert (await browser.add(slack.code("T2")))[0] == 403
    assert "Add T2 to SLACK_TEAMS" in caplog.text


async def test_only_workspaces_that_are_listed_can_add_us(store, tmp_path, slack):
    settings = make_settings(slack, tmp_path, slack_teams="T2 E1")
    installs = Installs(settings, store, Secrets(settings), SCOPES)
    async with Browser(installs) as browser:
        assert (await browser.add(slack.code("T2")))[0] == 200
        assert (await browser.add(slack.code("T4", enterprise="E1")))[0] == 200
        status, page = await browser.add(slack.code("T3"))
    assert status == 403
    assert say("install.not_allowed", "nl") in page
    assert await installs.find("T3") is None


@pytest.mark.parametrize(
    ("accepted", "spoken"), [("nl-NL,en;q=0.8", "nl"), ("fr, en-GB;q=0.8", "en"), ("fr", "nl"), ("", "nl")]
)
async def test_the_pages_speak_the_language_of_the_browser(accepted, spoken, installs):
    async with Browser(installs, accepted) as browser:
        _, page = await browser.get("/slack/install")
        assert f'lang="{spoken}"' in page
        assert say("install.ask", spoken) in page
        _, page = await browser.get("/slack/oauth_redirect", error="access_denied")
        assert say("install.cancelled", spoken) in page


async def test_a_lost_key_is_told_when_a_workspace_is_looked_up(browser, slack, store, tmp_path):
    await browser.add(slack.code("T2"))
    (tmp_path / "data" / "key").unlink()
    settings = make_settings(slack, tmp_path)
    with pytest.raises(BijdehandError, match="Put the old one back"):
        await Installs(settings, store, Secrets(settings), SCOPES).find("T2")
