"""What coaches do from the command line."""

import json

import pytest
from conftest import article, make_desk
from typer.testing import CliRunner

from bots import cli
from core.model import Question, Role
from core.settings import Settings
from core.store import Identity
from core.store.sqlite import open_store

RUN = CliRunner()
ASKED = "mag een klant zijn zonnepanelen meenemen"
ANSWER = "Ja, als de koper dat goed vindt.\n1. Vraag de koopakte."
MOVE = article("---\ntitle: Verhuizing doorgeven\n---\n## Stappen\n1. Vraag de postcode.\n", "move")
GAS = article("---\ntitle: Gas ruiken\ncritical: true\n---\n## Stappen\n1. Raam open.\n", "gas")


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch, tmp_path):
    monkeypatch.setenv("BIJDEHAND_MODEL", "fake")
    monkeypatch.setenv("BIJDEHAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store():
    settings = Settings()
    settings.data.mkdir(parents=True)
    opened = open_store(settings.database)
    desk = make_desk(opened, (MOVE, GAS))
    jan = Identity("slack", "T1", "U-JAN")
    opened.set_person(jan, role=Role.AGENT)
    desk.ask(Question(ASKED, opened.person(jan), "slack"))
    yield opened
    opened.close()


def run(*arguments, **options):
    result = RUN.invoke(cli.app, list(arguments), **options)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def failed(capsys, monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["bijdehand", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return capsys.readouterr().err.replace("\n", " "), stopped.value.code


def rows(*arguments):
    return json.loads(run(*arguments, "--json").stdout)


def test_a_question_is_taken_answered_and_its_asker_told(store):
    [row] = rows("coach", "queue")
    assert (row["question"], row["people"], row["why"]) == (ASKED, "1", "refused")
    assert "Jan" not in json.dumps(row)
    assert ASKED in run("coach", "take", row["id"]).stdout
    assert rows("coach", "queue")[0]["state"] == "taken"
    assert run("coach", "answer", row["id"], input=ANSWER).exit_code == 0
    assert rows("coach", "queue") == []
    assert store.facts()["notification"] == 1
    made = next(one for one in store.articles() if one.check_by)
    assert "Vraag de koopakte." in made.body


def test_a_question_that_an_article_answers_gets_its_words(store):
    rows("coach", "queue")
    run("coach", "answer", "1", "--article", "move")
    assert store.article("move").aliases == (ASKED,)
    assert store.facts()["notification"] == 1


def test_a_declined_question_tells_why(store):
    rows("coach", "queue")
    assert run("coach", "decline", "1", "Dat weten we pas in januari.").exit_code == 0
    assert store.question(1).note == "Dat weten we pas in januari."
    assert store.facts()["notification"] == 1


def test_a_quick_answer_is_added_edited_verified_retired_and_restored(store):
    made = run("articles", "add", ASKED, "zonnepanelen mee?", input=ANSWER).stdout.strip()
    assert store.article(made).aliases == ("zonnepanelen mee?",)
    text = run("articles", "show", made).stdout.replace("koopakte", "akte")
    run("articles", "edit", made, input=text)
    assert "akte" in store.article(made).body
    run("articles", "verify", made)
    assert store.article(made).verified
    run("articles", "retire", made)
    assert [row["what"] for row in rows("articles", "history", made)] == ["retired", "verified", "edited", "added"]
    run("articles", "restore", made, "--version", "1")
    assert "koopakte" in store.article(made).body
    assert store.article(made).status == "published"


def test_a_safety_article_is_not_changed_by_one_person(store, capsys, monkeypatch):
    for command in (["verify", "gas"], ["retire", "gas"], ["restore", "gas", "--version", "1"]):
        said, code = failed(capsys, monkeypatch, "articles", *command)
        assert "takes two" in said
        assert code == 4
    assert store.article("gas").version == 1


def test_customer_data_is_not_saved(store, capsys, monkeypatch, tmp_path):
    (tmp_path / "a.txt").write_text("Bel 06-12345678.")
    said, code = failed(capsys, monkeypatch, "articles", "add", "hoe?", "--file", str(tmp_path / "a.txt"))
    assert "customer data" in said
    assert code == 4
    assert len(store.articles()) == 2


def test_what_is_overdue_and_what_changed_is_listed(store):
    late = article("---\ntitle: Oud\nverified: 2020-01-01\nverify_every: 30\n---\n## Stappen\n1. Een.\n", "late")
    make_desk(store, (late,))
    assert [row["id"] for row in rows("articles", "stale")] == ["late"]
    assert rows("changes", "list") == rows("changes", "status") == []
    assert rows("articles", "duplicates") == []


def test_an_import_beside_an_edit_in_the_chat_overwrites_nothing(store, tmp_path):
    folder = tmp_path / "out"
    store.set_synced(store.articles())
    assert RUN.invoke(cli.app, ["export", str(folder)]).exit_code == 0
    path = folder / "nl" / "move.md"
    path.write_text(path.read_text().replace("Vraag de postcode.", "Uit het bestand."))
    run("articles", "edit", "move", input=run("articles", "show", "move").stdout.replace("Vraag", "Noteer"))
    refused = RUN.invoke(cli.app, ["import", str(folder)])
    assert refused.exit_code == 1
    assert "Noteer de postcode." in refused.stderr
    assert "Uit het bestand." in refused.stderr
    assert "Noteer" in store.article("move").body
    assert run("import", "--leading", str(folder)).exit_code == 0
    assert "Uit het bestand." in store.article("move").body


def test_many_people_are_added_from_a_file_or_none_of_them(store, tmp_path, capsys, monkeypatch):
    path = tmp_path / "people.csv"
    head = "surface,user,team,role,audience,level\n"
    path.write_text(head + "slack,U012,T012,coach,zakelijk thuis,\nslack,U013,T012,,,senior\n", encoding="utf-8-sig")
    assert run("people", "import", str(path)).exit_code == 0
    anna = store.person(Identity("slack", "T012", "U012"))
    assert (anna.role, anna.audience) == (Role.COACH, ("zakelijk", "thuis"))
    path.write_text(head + "slack,U014,T012,coach,,\nslack,anna,T012,coach,,\n")
    said, code = failed(capsys, monkeypatch, "people", "import", str(path))
    assert "line 3" in said
    assert code == 4
    assert store.known_person(Identity("slack", "T012", "U014")) is None
