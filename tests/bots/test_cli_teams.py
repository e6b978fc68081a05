import json
import zipfile
from datetime import UTC, datetime

import pytest
from conftest import make_desk
from typer.testing import CliRunner

from bots import cli
from bots.teams_manifest import App, Extra, package
from core.errors import SettingsError
from core.model import Person
from core.settings import Settings
from core.store.sqlite import open_store

RUN = CliRunner()
BOT = "11111111-1111-4111-8111-111111111111"
SITE = "https://kievit.example/bijdehand"
WRONG_COMMAND_LINE = 2


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROSOFT_APP_ID", BOT)
    monkeypatch.chdir(tmp_path)


def run(*arguments):
    given = arguments if "--url" in arguments else ("--url", SITE, *arguments)
    result = RUN.invoke(cli.app, ["teams", "package", *given])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def in_package(path="bijdehand-teams.zip"):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("manifest.json"))


def refused(*arguments):
    result = run(*arguments)
    assert result.exit_code == WRONG_COMMAND_LINE
    return " ".join(result.output.replace("│", " ").split())


def test_a_package_is_written_and_named(tmp_path):
    result = run("--url", SITE, "--version", "1.2.3")
    app = App(BOT, "1.2.3", "Bijdehand", SITE, SITE, SITE)
    assert (tmp_path / "bijdehand-teams.zip").read_bytes() == package(app, "nl")
    assert result.stdout == f"bijdehand-teams.zip: Bijdehand 1.2.3, for bot {BOT}\n"


def test_it_goes_where_it_is_wanted(tmp_path):
    (tmp_path / "there").mkdir()
    assert "test.zip" in run("--out", "there/test.zip").stdout
    assert not (tmp_path / "bijdehand-teams.zip").exists()
    assert in_package("there/test.zip")["id"] == BOT


def test_all_that_can_be_chosen_is_in_it():
    options = ["--privacy-url", f"{SITE}/privacy", "--terms-url", f"{SITE}/terms", "--developer", "Kievit"]
    run("--url", SITE, *options, "--name", "Bijdehand (test)", "--follow-threads", "--all-channels", "--language", "en")
    made = in_package()
    assert made["developer"] == {
        "name": "Kievit",
        "websiteUrl": SITE,
        "privacyUrl": f"{SITE}/privacy",
        "termsOfUseUrl": f"{SITE}/terms",
    }
    assert made["name"]["short"] == "Bijdehand (test)"
    assert made["localizationInfo"]["defaultLanguageTag"] == "en"
    assert {"authorization", "supportsChannelFeatures"} <= made.keys()


def test_it_is_in_the_language_of_the_settings(monkeypatch):
    monkeypatch.setenv("BIJDEHAND_LANGUAGE", "en")
    run()
    assert in_package()["localizationInfo"]["defaultLanguageTag"] == "en"


def test_the_version_is_ours_unless_given():
    from importlib.metadata import version

    run()
    assert in_package()["version"] == version("bijdehand")


@pytest.mark.parametrize("unset", ["", " "])
def test_without_an_app_id_there_is_no_package_and_a_way_out(monkeypatch, tmp_path, unset):
    monkeypatch.setenv("MICROSOFT_APP_ID", unset)
    with pytest.raises(SettingsError, match=r"MICROSOFT_APP_ID is not set.*README"):
        run()
    assert not list(tmp_path.iterdir())


def test_an_app_id_that_is_none_is_refused_and_not_shown(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROSOFT_APP_ID", "abc8Q~geheim")
    with pytest.raises(SettingsError, match=r"MICROSOFT_APP_ID is no id.*secret") as caught:
        run()
    assert "abc8Q" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("written", [BOT.replace("-", ""), f"{{{BOT.upper()}}}"])
def test_an_app_id_is_one_however_it_is_written(monkeypatch, written):
    monkeypatch.setenv("MICROSOFT_APP_ID", written)
    run()
    assert in_package()["id"] == BOT


@pytest.mark.parametrize("url", ["", " "])
def test_an_address_that_is_missing_is_asked_for(tmp_path, url):
    shown = refused("--url", url)
    assert "--url" in shown
    assert "people see it in Teams" in shown
    assert not list(tmp_path.iterdir())


def test_one_address_for_all_is_said():
    shown = run("--url", SITE).stderr
    assert "--privacy-url" in shown
    assert (
        "--privacy-url"
        not in run("--url", SITE, "--privacy-url", f"{SITE}/p", "--terms-url", f"{SITE}/t", "--force").stderr
    )


def test_what_it_asks_for_is_said():
    assert "no permissions" in run().stderr
    shown = run("--follow-threads", "--force").stderr
    assert "no permissions" not in shown
    assert all(name in shown for name in ("ChannelMessage.Read.Group", "ChatMessage.Read.Chat"))
    assert "other organisations" in run("--all-channels", "--force").stderr


@pytest.mark.parametrize("option", ["--url", "--privacy-url", "--terms-url"])
@pytest.mark.parametrize(
    "address",
    [
        "http://kievit.example",
        "kievit.example",
        "https://",
        "https://a b",
        "https://kievit",
        "https://ann:geheim@kievit.example",
        "https://kievit.example/<b>",
        "https://kievit.example\\a",
        "https://-.example",
        "https://kïevit.example",
        "https://kievit.example/" + "k" * 2048,
    ],
)
def test_an_address_that_teams_refuses_is_refused_here(option, address):
    shown = refused(option, address)
    assert "https" in shown
    assert option in shown


def test_an_address_is_taken_as_people_copy_it():
    run("--url", " HTTPS://kievit.example:8443/Over?x=1#privacy ")
    assert in_package()["developer"]["websiteUrl"] == "https://kievit.example:8443/Over?x=1#privacy"


@pytest.mark.parametrize("version", ["1", "1.0", "1.0.0-rc1", "v1.0.0", "01.0.0", "1.0.0.0", "1.0.٣"])
def test_a_version_that_teams_refuses_is_refused_here(version):
    assert "three numbers" in refused("--version", version)


@pytest.mark.parametrize(("option", "most"), [("--name", 30), ("--developer", 32)])
def test_a_name_is_no_longer_than_teams_shows(option, most):
    assert f"1 to {most}" in refused(option, "k" * (most + 1))
    assert run(option, "k" * most).exit_code == 0


@pytest.mark.parametrize("name", ["", " ", "Bij\x07dehand", "Bij\u202edehand"])
def test_an_app_without_a_name_that_can_be_read_is_refused(name):
    shown = refused("--name", name)
    assert "1 to 30" in shown
    assert "--name" in shown


def test_a_place_that_cannot_be_written_is_refused_with_the_reason(tmp_path):
    assert "--out: . cannot be written (Is a directory)" in refused("--out", ".")
    assert "No such file or directory" in refused("--out", "nowhere/a.zip")
    assert not list(tmp_path.rglob("*.zip"))


# -- what is there already -------------------------------------------------------------------------------------------
def test_a_package_is_only_written_over_by_a_higher_version():
    run("--version", "1.9.9")
    for version in ("1.9.9", "1.9.8", "0.10.0"):
        shown = refused("--version", version)
        assert "holds version 1.9.9" in shown
        assert "Give --version 1.9.10" in shown
    assert in_package()["version"] == "1.9.9"
    assert run("--version", "1.10.0").exit_code == 0
    assert in_package()["version"] == "1.10.0"


def test_it_is_written_all_the_same_when_that_is_wanted():
    run("--version", "1.9.9")
    assert run("--version", "1.9.9", "--force").exit_code == 0


@pytest.mark.parametrize("content", [b"", b"PK", b"a holiday"])
def test_what_is_no_package_is_not_written_over(tmp_path, content):
    other = tmp_path / "bijdehand-teams.zip"
    other.write_bytes(content)
    assert "no package of ours" in refused()
    assert other.read_bytes() == content


@pytest.mark.parametrize("manifest", ["{}", "[]", "{", '{"version": 1}', '{"version": "beta"}'])
def test_neither_is_a_package_of_others(tmp_path, manifest):
    with zipfile.ZipFile(tmp_path / "bijdehand-teams.zip", "w") as archive:
        archive.writestr("manifest.json", manifest)
    assert "no package of ours" in refused()


# -- questions to try ------------------------------------------------------------------------------------------------
def prompts():
    listed = in_package()["bots"][0]["commandLists"][0]["commands"]
    return [each["prompt"] for each in listed if each.get("type") == "prompt"]


def test_what_people_can_try_is_what_the_desk_would_offer_them(monkeypatch, tmp_path):
    monkeypatch.setenv("BIJDEHAND_MODEL", "fake")
    monkeypatch.setenv("BIJDEHAND_CACHE", str(tmp_path / "cache"))
    assert RUN.invoke(cli.app, ["init", "--demo"]).exit_code == 0
    monkeypatch.setenv("BIJDEHAND_MODEL", "nowhere")  # it is not asked for
    shown = run().stderr
    desk = make_desk(open_store(Settings().database))
    desk.now = lambda: datetime.now(UTC)
    assert prompts() == desk.examples(Person("a"), "nl")
    desk.store.close()
    assert len(prompts()) == 4
    assert "suggests no questions" not in shown


def test_nothing_is_offered_that_not_everybody_may_see_now_or_that_is_a_danger(monkeypatch, tmp_path):
    monkeypatch.setenv("BIJDEHAND_MODEL", "fake")
    monkeypatch.setenv("BIJDEHAND_CACHE", str(tmp_path / "cache"))
    for name, more in {"a": "audience: [directie]", "b": "status: draft", "c": "critical: true", "d": ""}.items():
        (tmp_path / f"{name}.md").write_text(f"---\nid: {name}\ntitle: Artikel {name}\n{more}\n---\nTekst.\n")
    assert RUN.invoke(cli.app, ["import", "."]).exit_code == 0
    run()
    assert prompts() == ["Artikel d"]


def test_without_articles_there_is_nothing_to_try_which_is_said():
    assert "suggests no questions" in run().stderr
    assert prompts() == []


def test_each_extra_has_its_option():
    shown = RUN.invoke(cli.app, ["teams", "package", "--help"], env={"COLUMNS": "200"}).output
    assert all(f"--{extra}" in shown for extra in Extra)
