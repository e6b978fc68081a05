import json

import pytest
from typer.testing import CliRunner

from bots import cli
from core.errors import BijdehandError, NotFoundError, StoreError

ANNE = ("slack", "U012ABC", "--team", "T012ABC")


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch, tmp_path):
    monkeypatch.setenv("BIJDEHAND_MODEL", "fake")
    monkeypatch.setenv("BIJDEHAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def run(*arguments, **options):
    result = CliRunner().invoke(cli.app, list(arguments), **options)
    if result.exception and not isinstance(result.exception, SystemExit | BijdehandError):
        raise result.exception
    return result


@pytest.fixture
def anne():
    assert run("people", "add", *ANNE, "--role", "coach").exit_code == 0


def titles():
    return [row["title"] for row in json.loads(run("articles", "list", "--json").stdout)]


def test_a_backup_comes_back_and_what_was_there_is_named(tmp_path):
    (tmp_path / "gas.md").write_text("---\nid: gas\ntitle: Klant ruikt gas\n---\nGa naar buiten.\n")
    (tmp_path / "move.md").write_text("---\nid: move\ntitle: Verhuizing doorgeven\n---\nVraag de postcode.\n")
    run("import", "gas.md")
    assert "looked through and whole" in run("backup", "b.db").stdout
    run("import", "move.md")
    assert len(titles()) == 2
    assert run("restore", "b.db", input="n\n").exit_code == 1
    assert len(titles()) == 2
    result = run("restore", "b.db", "--yes")
    assert "What was there is in" in result.stdout
    assert titles() == ["Klant ruikt gas"]


def test_the_key_is_said_to_be_kept_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("BIJDEHAND_DATA", str(tmp_path))
    run("articles", "list")
    assert "key" not in run("backup", "b.db").stdout
    (tmp_path / "key").write_text("secret-of-ours")
    said = run("backup", "b.db", "--force").stdout
    assert f"keep {tmp_path / 'key'} too" in said.replace("\n", " ")
    assert "secret-of-ours" not in said


def test_a_backup_that_is_there_is_not_replaced(tmp_path):
    run("articles", "list")
    (tmp_path / "b.db").write_text("mine")
    result = run("backup", "b.db")
    assert isinstance(result.exception, StoreError)
    assert "--force" in str(result.exception)


def test_all_about_somebody_is_shown_and_erased(anne):
    assert "identity" in run("privacy", "show", *ANNE).stdout
    rows = json.loads(run("privacy", "show", *ANNE, "--json").stdout)
    assert rows["identity"][0]["user"] == "U012ABC"
    assert rows["person"][0]["role"] == "coach"
    assert run("privacy", "forget", *ANNE, input="n\n").exit_code == 1
    assert json.loads(run("privacy", "show", *ANNE, "--json").stdout) == rows
    assert "is forgotten" in run("privacy", "forget", *ANNE, "--yes").stdout
    assert json.loads(run("people", "list", "--json").stdout) == []


def test_nobody_is_shown_by_a_sentence():
    result = run("privacy", "show", *ANNE)
    assert isinstance(result.exception, NotFoundError)
    assert "U012ABC" in str(result.exception)


def test_an_owner_whose_name_stands_in_articles_is_told(tmp_path, anne):
    from contextlib import closing

    from bots import console

    (tmp_path / "gas.md").write_text("---\nid: gas\ntitle: Klant ruikt gas\nowner: Anne de Wit\n---\nGa naar buiten.\n")
    run("import", "gas.md")
    with closing(console.store()) as store:
        ((_, person),) = store.people()
        store.sign(person.id, "Anne de Wit")
    assert "their name stands in: gas" in run("privacy", "forget", *ANNE, "--yes").stdout


def test_what_is_old_is_erased_and_counted(anne):
    assert "Nothing was old enough" in run("privacy", "sweep").stdout
    assert json.loads(run("privacy", "sweep", "--json").stdout) == {}
