import asyncio
import json
import logging
from datetime import UTC, datetime

import pytest
from fake_slack import BOT, SECRET, FakeSlack, mention, signed
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.oauth.installation_store import Installation

from bots import slack_workspaces
from bots.slack_install import Installs
from bots.slack_workspaces import NotInstalledError, Workspaces
from core.errors import BijdehandError
from core.model import Role
from core.secrets import Secrets
from core.settings import Settings
from core.store import Identity

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
async def slack():
    async with FakeSlack() as running:
        yield running


class Clock:
    """Seconds, when a test says so."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def one(slack, store, clock):
    """Make the workspaces of a token, started."""
    made = []

    async def make(**given):
        token = {"slack_bot_token": "xoxb-1", "slack_signing_secret": SECRET, "slack_api_url": slack.api}
        made.append(Workspaces(Settings(_env_file=None, **token | given), store, None, clock=clock))
        await made[-1].start()
        return made[-1]

    yield make
    for workspaces in made:
        await workspaces.stop()


@pytest.fixture
async def many(slack, store, tmp_path, clock):
    """Make workspaces that install us, started; those of T2 and T3 have done so."""
    made = []

    async def make(**given):
        oauth = {"slack_client_id": "1", "slack_client_secret": "2", "slack_signing_secret": SECRET}
        oauth |= {"slack_teams": "T2 T3"}
        settings = Settings(_env_file=None, data=tmp_path / "data", slack_api_url=slack.api, **oauth | given)
        installs = Installs(settings, store, Secrets(settings), ["chat:write"])
        if not made:
            for team in ("T2", "T3"):
                await installs.keep(
                    Installation(team_id=team, bot_token=f"xoxb-{team}", bot_user_id=f"UB{team}", user_id="U1")
                )
        made.append(Workspaces(settings, store, installs, clock=clock))
        await made[-1].start()
        return made[-1]

    yield make
    for workspaces in made:
        await workspaces.stop()


# -- who we are ----------------------------------------------------------------------------------------------------
async def test_a_token_serves_one_workspace_whatever_it_is_called(one, slack):
    workspaces = await one()
    client = await workspaces.client("T9")
    await client.chat_postMessage(channel="C1", text="hoi")
    assert slack.sent(token="xoxb-1")
    assert await workspaces.own_id("T9") == BOT


async def test_slack_being_away_at_the_start_stops_nothing(one, caplog):
    workspaces = await one(slack_api_url="http://127.0.0.1:9/api/")
    assert "Check SLACK_BOT_TOKEN and the network" in caplog.text
    assert "Traceback" not in caplog.text
    assert await workspaces.own_id("T1") == ""
    assert (await workspaces.client("T1")).token == "xoxb-1"


async def test_each_workspace_is_spoken_to_with_its_own_token(many, slack):
    workspaces = await many()
    for team in ("T2", "T3"):
        client = await workspaces.client(team)
        await client.chat_postMessage(channel="C1", text=f"hoi {team}")
        assert await workspaces.own_id(team) == f"UB{team}"
    assert [body["text"] for body in slack.sent(token="xoxb-T2")] == ["hoi T2"]
    assert [body["text"] for body in slack.sent(token="xoxb-T3")] == ["hoi T3"]


async def test_nobody_is_asked_who_we_are_when_workspaces_install_us(many, slack):
    await many()
    assert slack.calls == []


async def test_a_workspace_that_has_not_installed_us_is_told_by_name(many):
    workspaces = await many()
    with pytest.raises(NotInstalledError, match="T9") as caught:
        await workspaces.client("T9")
    assert isinstance(caught.value, BijdehandError)
    assert await workspaces.own_id("T9") == ""
    assert await workspaces.authorize(None, "T9") is None


async def test_what_is_forgotten_is_so_at_once_in_every_process_and_with_all_its_people(many, store):
    workspaces, other = await many(), await many()
    store.person(Identity("slack", "T2", "U1"))
    assert (await other.client("T2")).token == "xoxb-T2"
    await workspaces.forget("T2", "", LATER)
    for each in (workspaces, other):
        with pytest.raises(NotInstalledError):
            await each.client("T2")
    assert store.people() == []
    assert (await other.client("T3")).token == "xoxb-T3"


async def test_bolt_learns_who_we_are_without_a_call_to_slack(one, many, slack):
    shared, own = await many(), await one()
    before = len(slack.calls)
    known = await shared.authorize("E1", "T2")
    assert (known.bot_token, known.bot_user_id, known.team_id) == ("xoxb-T2", "UBT2", "T2")
    known = await own.authorize(None, "T1")
    assert (known.bot_token, known.bot_user_id, known.bot_id) == ("xoxb-1", BOT, "B0BOT")
    assert len(slack.calls) == before


@pytest.mark.parametrize(("team", "heard"), [("T2", ["xoxb-T2"]), ("T9", [])])
async def test_bolt_hands_over_what_comes_from_a_workspace_that_installed_us(team, heard, many):
    tokens = []

    async def listener(client):
        tokens.append(client.token)

    app = AsyncApp(authorize=(await many()).authorize, signing_secret=SECRET, process_before_response=True)
    app.event("app_mention")(listener)
    said = mention("hoi") | {"team_id": team, "authorizations": [{"team_id": team, "user_id": "U9", "is_bot": True}]}
    body = json.dumps(said)
    response = await app.async_dispatch(AsyncBoltRequest(body=body, headers=signed(body)))
    assert response.status == 200
    assert tokens == heard


async def test_a_lost_key_leaves_an_event_alone_and_says_why(many, tmp_path, caplog):
    await many()
    (tmp_path / "data" / "key").unlink()
    workspaces = await many()
    assert await workspaces.authorize(None, "T2") is None
    assert "Put the old one back" in caplog.text


async def test_no_token_is_shown_by_what_is_kept(one):
    workspaces = await one()
    assert "xoxb" not in repr(vars(workspaces))


# -- where answers to taps go --------------------------------------------------------------------------------------
async def test_an_answer_to_a_tap_goes_to_the_address_it_came_with(one, slack):
    workspaces = await one()
    said = await workspaces.webhook(slack.response_url).send(text="ja")
    assert said.status_code == 200
    assert slack.sent("response_url") == [{"text": "ja"}]


@pytest.mark.parametrize(
    ("api", "url", "may"),
    [
        ("https://slack.com/api/", "https://hooks.slack.com/actions/T1/2/3", True),
        ("https://slack.com/api/", "https://hooks.slack.com.evil.example/x", False),
        ("https://slack.com/api/", "https://hooks.slack.com@evil.example/x", False),
        ("https://slack.com/api/", "https://hooks.slack.com\\@evil.example/x", False),
        ("https://slack.com/api/", "https://hooks.slack.com\t.evil.example/x", False),
        ("https://slack.com/api/", "http://hooks.slack.com/x", False),
        ("https://slack.com/api/", "https://slack.com/api/x", False),
        ("https://slack.com/api/", "http://127.0.0.1:8080/ask", False),
        ("https://slack.com/api/", "https://[", False),
        ("https://slack.com/api/", "file:///etc/passwd", False),
        ("https://slack.com/api/", "", False),
        ("https://slack-gov.com/api/", "https://hooks.slack-gov.com/x", True),
        ("http://127.0.0.1:4003/api/", "http://127.0.0.1:4003/hook", True),
        ("http://127.0.0.1:4003/api/", "http://127.0.0.1:8080/ask", False),
        ("http://127.0.0.1:4003/api/", "https://hooks.slack.com/x", False),
    ],
)
def test_answers_go_to_slack_and_nowhere_else(api, url, may, store):
    workspaces = Workspaces(Settings(_env_file=None, slack_bot_token=SecretStr("x"), slack_api_url=api), store, None)
    if may:
        assert workspaces.webhook(url).url == url
    else:
        with pytest.raises(BijdehandError, match="elsewhere"):
            workspaces.webhook(url)


# -- who they are --------------------------------------------------------------------------------------------------
async def test_the_language_of_somebody_is_asked_once(one, slack):
    slack.locales["U1"] = "nl-BE"
    workspaces = await one()
    assert [await workspaces.locale("T1", "U1") for _ in range(3)] == ["nl-BE"] * 3
    assert len(slack.sent("users.info")) == 1


@pytest.mark.parametrize(("ours", "told"), [("nl", ""), ("en", "en-US")])
async def test_an_english_slack_tells_nothing_of_people_who_speak_dutch(one, slack, ours, told):
    slack.locales["U1"] = "en-US"
    assert await (await one(language=ours)).locale("T1", "U1") == told


async def test_a_language_that_was_asked_before_is_known_at_once(one, slack):
    slack.locales["U1"] = "nl-BE"
    workspaces = await one()
    assert workspaces.known_language("T1", "U1") is None
    await workspaces.locale("T1", "U1")
    assert workspaces.known_language("T1", "U1") == "nl"
    assert workspaces.known_language("T2", "U1") is None


async def test_people_of_two_workspaces_are_not_mixed_up(many, slack):
    workspaces = await many()
    for team in ("T2", "T3"):
        await workspaces.locale(team, "U1")
        assert len(slack.sent("users.info", token=f"xoxb-{team}")) == 1


async def test_a_missing_scope_is_not_tried_again(one, slack):
    slack.scopes = {"chat:write"}
    workspaces = await one()
    assert await workspaces.locale("T1", "U1") == ""
    slack.scopes = None
    assert await workspaces.locale("T1", "U1") == ""
    assert slack.sent("users.info") == []


async def test_trouble_of_slacks_own_is_not_kept_for_an_answer(one, slack):
    slack.locales["U1"] = "nl-NL"
    slack.refuse("users.info", "internal_error")
    workspaces = await one()
    assert [await workspaces.locale("T1", "U1") for _ in range(2)] == ["", "nl-NL"]


async def test_slack_taking_too_long_is_not_waited_for_and_asked_again_later(one, slack, monkeypatch):
    monkeypatch.setattr(slack_workspaces, "_WORTH", 0.2)
    slack.locales["U1"] = "nl-NL"
    slack.refuse("users.info", "ratelimited", status=429, retry_after=30)
    workspaces = await one()
    assert await workspaces.locale("T1", "U1") == ""
    assert await workspaces.locale("T1", "U1") == "nl-NL"


async def test_the_language_of_somebody_elsewhere_is_unknown(many):
    workspaces = await many()
    assert await workspaces.locale("T9", "U1") == ""


async def test_only_so_many_languages_are_kept_in_mind(one, slack, monkeypatch):
    monkeypatch.setattr(slack_workspaces, "_MOST", 2)
    workspaces = await one()
    for user in ("U1", "U2", "U3", "U3", "U2"):
        await workspaces.locale("T1", user)
    assert [body["user"] for body in slack.sent("users.info")] == ["U1", "U2", "U3"]


async def test_whoever_is_in_a_user_group_has_its_role_and_the_highest_counts(one, slack):
    slack.usergroups = {"S1": ["U1", "U2"], "S2": ["U2", "U3"], "S3": ["U4"]}
    workspaces = await one(slack_coach_group="S1 S3", slack_admin_group="S2")
    found = [await workspaces.role("T1", user) for user in ("U1", "U2", "U3", "U4", "U5")]
    assert found == [Role.COACH, Role.ADMIN, Role.ADMIN, Role.COACH, Role.AGENT]
    assert sorted(body["usergroup"] for body in slack.sent("usergroups.users.list")) == ["S1", "S2", "S3"]


@pytest.mark.parametrize(("groups", "are_there"), [({"S1": [], "S2": ["U1"]}, True), ({"S1": [], "S2": []}, False)])
async def test_there_are_coaches_when_somebody_is_in_a_group(groups, are_there, one, slack):
    slack.usergroups = groups
    workspaces = await one(slack_coach_group="S1", slack_admin_group="S2")
    assert await workspaces.has_coaches("T1") is are_there


async def test_without_user_groups_nobody_is_asked_anything(one, slack):
    workspaces = await one()
    assert await workspaces.role("T1", "U1") is Role.AGENT
    assert not await workspaces.has_coaches("T1")
    assert slack.sent("usergroups.users.list") == []


async def test_members_are_asked_again_after_ten_minutes(one, slack, clock):
    slack.usergroups = {"S1": ["U1"]}
    workspaces = await one(slack_coach_group="S1")
    assert await workspaces.role("T1", "U1") is Role.COACH
    slack.usergroups = {"S1": ["U2"]}
    clock.now = 599
    assert await workspaces.role("T1", "U1") is Role.COACH
    clock.now = 601
    assert await workspaces.role("T1", "U1") is Role.AGENT
    assert await workspaces.role("T1", "U2") is Role.COACH


async def test_many_who_ask_at_once_are_one_call(one, slack):
    slack.usergroups = {"S1": ["U1"]}
    workspaces = await one(slack_coach_group="S1")
    assert set(await asyncio.gather(*(workspaces.role("T1", "U1") for _ in range(20)))) == {Role.COACH}
    assert len(slack.sent("usergroups.users.list")) == 1


async def test_members_are_kept_while_slack_is_away_and_asked_again_in_a_minute(one, slack, clock):
    slack.usergroups = {"S1": ["U1"]}
    workspaces = await one(slack_coach_group="S1")
    await workspaces.role("T1", "U1")
    slack.usergroups = {"S1": []}
    slack.refuse("usergroups.users.list", "internal_error")
    clock.now = 601
    assert await workspaces.role("T1", "U1") is Role.COACH
    clock.now = 662
    assert await workspaces.role("T1", "U1") is Role.AGENT


@pytest.mark.parametrize(
    ("scopes", "groups", "way_out"),
    [({"chat:write"}, {"S1": ["U1"]}, "usergroups:read"), (None, {}, "SLACK_COACH_GROUP")],
)
async def test_a_group_that_slack_does_not_show_makes_nobody_a_coach_and_is_told_once(
    scopes, groups, way_out, one, slack, clock, caplog
):
    slack.scopes, slack.usergroups = scopes, groups
    workspaces = await one(slack_coach_group="S1")
    for clock.now in (0, 700, 1400):
        assert await workspaces.role("T1", "U1") is Role.AGENT
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "S1" in told[0]
    assert way_out in told[0]


async def test_a_group_makes_nobody_a_coach_in_another_workspace(many, slack):
    slack.usergroups = {"S1": ["U1"]}
    workspaces = await many(slack_coach_group="S1")
    assert await workspaces.role("T2", "U1") is Role.COACH
    slack.usergroups = {}
    assert await workspaces.role("T3", "U1") is Role.AGENT
    assert await workspaces.role("T9", "U1") is Role.AGENT


async def test_forgetting_a_workspace_forgets_its_people(one, slack):
    slack.usergroups = {"S1": ["U1"]}
    workspaces = await one(slack_coach_group="S1")
    for _ in range(2):
        await workspaces.locale("T1", "U1")
        await workspaces.role("T1", "U1")
        await workspaces.forget("T1", "", LATER)
    assert len(slack.sent("users.info")) == len(slack.sent("usergroups.users.list")) == 2


async def test_old_news_of_being_thrown_out_does_not_undo_a_new_installation(many, store):
    workspaces = await many()
    await workspaces.forget("T2", "", datetime(2000, 1, 1, tzinfo=UTC))
    assert await workspaces.client("T2")
    await workspaces.forget("T2", "", LATER)
    with pytest.raises(NotInstalledError):
        await workspaces.client("T2")
