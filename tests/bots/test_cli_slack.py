import json
import os

import pytest
from stub_slack import HISTORY, LEAST, PUBLIC, StubSlack, serving
from typer.testing import CliRunner

from bots import cli
from bots.console import Exit
from bots.slack_manifest import EVENTS, SCOPES, Extra, manifest, needed
from core.settings import Settings
from core.store.sqlite import open_store

RUN = CliRunner()
EXTRAS = {"--follow-threads": Extra.FOLLOW_THREADS, "--channels": Extra.CHANNELS, "--groups": Extra.GROUPS}
WRONG_COMMAND_LINE = 2


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("BIJDEHAND_MODEL", "fake")
    monkeypatch.chdir(tmp_path)


def run(*arguments):
    result = RUN.invoke(cli.app, ["slack", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def printed(*options):
    return json.loads(run("manifest", *options).stdout)


# -- manifest --------------------------------------------------------------------------------------------------------
def test_what_is_printed_can_be_pasted():
    made = printed("--url", "https://bijdehand.example")
    assert made == manifest("nl", url="https://bijdehand.example", extras={Extra.AGENT_VIEW})


def test_a_slash_at_the_end_of_the_address_does_no_harm():
    assert printed("--url", "https://bijdehand.example/") == printed("--url", "https://bijdehand.example")


@pytest.mark.parametrize("options", [[], ["--url", "https://your.host"]])  # the latter as `doctor` and README have it
def test_without_an_address_a_place_is_held_for_it(options):
    result = run("manifest", *options)
    assert '"https://your.host/slack/events"' in result.stdout
    assert "https://your.host" in result.stderr


def test_socket_mode_needs_no_address():
    result = run("manifest", "--socket")
    assert "https://" not in result.output
    assert json.loads(result.stdout)["settings"]["socket_mode_enabled"] is True


def test_an_app_that_is_reached_by_socket_mode_stays_so(monkeypatch):
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
    result = run("manifest")
    assert json.loads(result.stdout) == manifest("nl", extras={Extra.AGENT_VIEW})
    assert "your.host" not in result.stderr
    url = "https://bijdehand.example"
    assert printed("--url", url) == manifest("nl", url=url, extras={Extra.AGENT_VIEW})


@pytest.mark.parametrize("option", EXTRAS)
def test_an_option_adds_its_own(option):
    assert printed("--socket", option) == manifest("nl", extras={Extra.AGENT_VIEW, EXTRAS[option]})


def test_guests_can_be_served_by_leaving_out_the_agent_view():
    assert printed("--socket", "--no-agent-view") == manifest("nl")


@pytest.mark.parametrize(
    ("variable", "value", "extra"),
    [
        ("BIJDEHAND_SLACK_FOLLOW_THREADS", "true", Extra.FOLLOW_THREADS),
        ("SLACK_COACH_GROUP", "S0COACH", Extra.GROUPS),
    ],
)
def test_what_the_settings_need_is_asked_for_too(monkeypatch, variable, value, extra):
    monkeypatch.setenv(variable, value)
    assert printed("--socket") == manifest("nl", extras={Extra.AGENT_VIEW, extra})


@pytest.mark.parametrize(("options", "noted"), [(["--channels"], True), (["--follow-threads"], True), ([], False)])
def test_the_setting_that_goes_with_reading_channels_is_named(options, noted):
    assert ("BIJDEHAND_SLACK_FOLLOW_THREADS" in run("manifest", "--socket", *options).stderr) is noted


def test_it_speaks_the_language_of_the_settings_unless_told_otherwise(monkeypatch):
    assert printed("--socket", "--language", "en") == manifest("en", extras={Extra.AGENT_VIEW})
    monkeypatch.setenv("BIJDEHAND_LANGUAGE", "en")
    assert printed("--socket") == manifest("en", extras={Extra.AGENT_VIEW})


def test_each_permission_is_told_with_its_reason_beside_the_json():
    told = " ".join(run("manifest", "--socket", *EXTRAS).stderr.split())
    for grant in [*SCOPES, *EVENTS]:
        assert grant.name in told
    least = run("manifest", "--socket").stderr
    assert "channels:history" not in least
    for grant in needed(SCOPES):
        assert grant.reason.split()[0] in least


@pytest.mark.parametrize("address", ["http://bijdehand.example", "bijdehand.example", "https://", "https://x.nl/?a=b"])
def test_an_address_that_slack_would_refuse_is_refused(address):
    assert run("manifest", "--url", address).exit_code == WRONG_COMMAND_LINE


@pytest.mark.parametrize("path", ["/slack/events", "/slack/events/", "/bot/slack/events"])
def test_an_address_with_the_path_that_is_added_is_refused(path):
    result = run("manifest", "--url", f"https://bijdehand.example{path}")
    assert (result.exit_code, "without /slack/events" in " ".join(result.stderr.split())) == (WRONG_COMMAND_LINE, True)


def test_an_address_may_have_a_path_of_its_own():
    made = printed("--url", "https://bijdehand.example/bot")
    assert made["settings"]["interactivity"]["request_url"] == "https://bijdehand.example/bot/slack/events"


def test_an_address_and_socket_mode_do_not_go_together():
    assert run("manifest", "--socket", "--url", "https://bijdehand.example").exit_code == WRONG_COMMAND_LINE


# -- explain ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def slack(monkeypatch):
    """A Slack in which we are a member of the channel, and a database with an article."""
    stub = StubSlack(LEAST | HISTORY | {"channels:read"}, conversations_info={"channel": PUBLIC})
    with serving(stub) as api:
        monkeypatch.setenv("SLACK_API_URL", api)
        monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
        monkeypatch.setenv("SLACK_SIGNING_SECRET", "0123456789abcdef" * 2)
        monkeypatch.setenv("BIJDEHAND_SLACK_FOLLOW_THREADS", "true")
        yield stub


@pytest.fixture
def _an_article(tmp_path, monkeypatch):
    monkeypatch.setenv("BIJDEHAND_CACHE", str(tmp_path / "cache"))
    (tmp_path / "gas.md").write_text("---\ntitle: Klant ruikt gas\n---\nGa naar buiten.\n", encoding="utf-8")
    assert RUN.invoke(cli.app, ["import", "gas.md"]).exit_code == 0


@pytest.mark.usefixtures("_an_article")
def test_a_channel_where_all_is_well_is_explained(slack):
    result = run("explain", "C0123")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].split() == ["ok", "slack", "connected", "as", "bijdehand", "in", "Kievit"]
    assert "it is a member of #support" in result.stdout
    assert "/ask works in every conversation, but not in a thread" in result.stdout


@pytest.mark.usefixtures("_an_article")
def test_a_channel_that_it_is_not_in_fails(slack):
    slack.says["conversations.info"] = {"channel": PUBLIC | {"is_member": False}}
    result = run("explain", "C0123")
    assert result.exit_code == Exit.TO_MEND
    assert "/invite @bijdehand" in result.stdout


def test_a_script_reads_the_same(slack):
    result = run("explain", "C0123", "--json")
    found = {check["name"]: check["state"] for check in json.loads(result.stdout)}
    assert found == {
        "slack": "ok",
        "scopes": "ok",
        "channel": "ok",
        "threads": "ok",
        "unasked": "off",
        "articles": "fail",
        "rules": "ok",
    }
    assert result.exit_code == Exit.TO_MEND


@pytest.mark.parametrize(
    "given",
    [
        "C0123",
        " C0123 ",
        "#C0123",
        "<#C0123|support>",
        "https://kievit.slack.com/archives/C0123",
        "https://kievit.slack.com/archives/C0123/p1700000000000100",
        "https://app.slack.com/client/T0123/C0123",
    ],
)
def test_a_channel_is_known_by_its_id_or_a_link(slack, given):
    run("explain", given)
    assert [body["channel"] for method, _, body in slack.calls if method == "conversations.info"] == ["C0123"]


@pytest.mark.parametrize("given", ["#support", "support", "", "T0123"])
def test_a_name_is_not_enough(slack, given):
    result = run("explain", given)
    assert (result.exit_code, slack.calls) == (WRONG_COMMAND_LINE, [])


def test_without_slack_it_says_so():
    result = run("explain", "C0123")
    assert ("not configured" in result.stdout, result.exit_code) == (True, Exit.TO_MEND)


def test_looking_changes_nothing(slack):
    run("explain", "C0123")
    store = open_store(Settings().database)
    assert store.place("slack", "T1", "C0123").listens is False
    assert [row for row in store.facts().items() if row[0] == "place"] in ([], [("place", 0)])
    store.close()
    assert {method for method, _, _ in slack.calls} == {"auth.test", "conversations.info"}


def test_doctor_looks_at_slack(slack, monkeypatch):
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
    slack.scopes = LEAST | HISTORY - {"groups:history"}
    found = {check["name"]: check for check in json.loads(RUN.invoke(cli.app, ["doctor", "--json"]).stdout)}
    assert (found["slack"]["state"], found["socket"]["state"], found["scopes"]["state"]) == ("ok", "ok", "fail")
    assert "groups:history" in found["scopes"]["found"]
    assert os.environ["SLACK_BOT_TOKEN"] not in str(found)
