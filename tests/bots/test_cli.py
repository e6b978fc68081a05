import json
import sqlite3

import pytest
from typer.testing import CliRunner

from bots import cli, console
from core.boot import SEEDS
from core.errors import BijdehandError

RUN = CliRunner()


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch, tmp_path):
    monkeypatch.setenv("BIJDEHAND_MODEL", "fake")
    monkeypatch.setenv("BIJDEHAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def run(*arguments, **options):
    result = RUN.invoke(cli.app, list(arguments), **options)
    if result.exception and not isinstance(result.exception, SystemExit | BijdehandError):
        raise result.exception
    return result


def failed(capsys, monkeypatch, *arguments):
    """What a person reads on standard error, and the exit code."""
    monkeypatch.setattr("sys.argv", ["bijdehand", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return capsys.readouterr().err.replace("\n", " "), stopped.value.code


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "articles" / "nl"
    made.mkdir(parents=True)
    (made / "gas.md").write_text("---\nid: gas\ntitle: Klant ruikt gas\n---\n## Stappen\n1. Ga naar buiten.\n")
    (made / "move.md").write_text("---\nid: move\ntitle: Verhuizing doorgeven\n---\n## Stappen\n1. Vraag postcode.\n")
    return tmp_path / "articles"


def ids():
    return [row["id"] for row in json.loads(run("articles", "list", "--json").stdout)]


def test_init_demo_fills_an_empty_database_once():
    assert run("init", "--demo").exit_code == 0
    first = ids()
    assert len(first) > 50
    assert "nothing added" in run("init", "--demo").stdout
    assert ids() == first


def test_init_empty_leaves_it_empty():
    run("init", "--empty")
    assert ids() == []


def test_a_question_is_answered_in_the_terminal(folder):
    run("import", str(folder))
    result = run("ask", "klant ruikt gas")
    assert result.exit_code == 0
    assert "Ga naar buiten." in result.stdout


def test_an_answer_can_be_read_by_a_script(folder):
    run("import", str(folder))
    answer = json.loads(run("ask", "klant ruikt gas", "--json").stdout)
    assert answer["card"]["article_id"] == "gas"


def test_no_answer_has_an_exit_code_of_its_own():
    assert run("ask", "klant ruikt gas").exit_code == console.Exit.NO_ANSWER


def test_importing_twice_changes_nothing_and_embeds_nothing(folder):
    run("import", str(folder))
    assert "0 texts embedded" in run("import", str(folder)).stdout
    assert ids() == ["gas", "move"]


def test_an_import_never_deletes_unless_asked_to(folder):
    run("import", str(folder))
    (folder / "nl" / "move.md").unlink()
    run("import", str(folder))
    assert ids() == ["gas", "move"]
    assert "1 removed" in run("import", str(folder), "--prune").stdout
    assert ids() == ["gas"]


def test_an_article_comes_out_as_it_went_in(folder):
    run("import", str(folder))
    assert run("articles", "show", "gas").stdout.rstrip() == (folder / "nl" / "gas.md").read_text().rstrip()


def test_broken_front_matter_is_named_with_file_and_line_and_nothing_is_written(folder):
    (folder / "nl" / "broken.md").write_text("---\nid: broken\ntitle: [oops\n---\nTekst.\n")
    result = run("import", str(folder))
    assert result.exit_code == console.Exit.CANNOT
    assert "broken.md:" in result.stderr
    assert ids() == []


def test_every_broken_file_is_named_at_once(folder):
    (folder / "nl" / "one.md").write_text("---\ntitle: T\nstatus: maybe\n---\nx\n")
    (folder / "nl" / "two.md").write_text("---\ntitle: T\nmoments: [later]\n---\nx\n")
    stderr = run("import", str(folder)).stderr
    assert "one.md" in stderr
    assert "two.md" in stderr


def test_one_id_twice_is_refused_and_both_places_are_named(folder):
    (folder / "nl" / "again.md").write_text("---\nid: gas\ntitle: Nog eens\n---\nTekst.\n")
    result = run("import", str(folder))
    assert result.exit_code == console.Exit.CANNOT
    assert "gas.md" in result.stderr
    assert "again.md" in result.stderr


def test_one_id_in_two_of_the_folders_given_is_refused(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "gas.md").write_text("---\nid: gas\ntitle: Nog eens\n---\nTekst.\n")
    assert run("import", str(folder), str(other)).exit_code == console.Exit.CANNOT


def test_an_empty_folder_says_so(tmp_path):
    (tmp_path / "empty").mkdir()
    result = run("import", str(tmp_path / "empty"))
    assert result.exit_code == console.Exit.CANNOT
    assert "empty" in result.stderr


def test_a_file_of_50_megabytes_is_refused_by_name(tmp_path):
    big = tmp_path / "big.md"
    with big.open("wb") as file:
        file.truncate(50 * 1024**2)
    result = run("import", str(big))
    assert result.exit_code == console.Exit.CANNOT
    assert "big.md" in result.stderr


def test_a_database_newer_than_the_code_is_refused_with_a_way_out(folder, tmp_path, capsys, monkeypatch):
    run("import", str(folder))
    with sqlite3.connect(tmp_path / "data" / "bijdehand.db") as database:
        table = next(name for (name,) in database.execute("select name from sqlite_master") if "migrations" in name)
        columns = [row[1] for row in database.execute(f"pragma table_info({table})")]
        row = list(database.execute(f"select * from {table} limit 1").fetchone())
        row[columns.index("name")] = "m999_from_the_future"
        if "id" in columns:
            row[columns.index("id")] = 999
        database.execute(f"insert into {table} values ({', '.join('?' * len(row))})", row)
    database.close()
    text, code = failed(capsys, monkeypatch, "articles", "list")
    assert code == console.Exit.CANNOT
    assert "newer" in text
    assert "bijdehand.db" in text


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path, capsys, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bijdehand.db").write_text("this is a shopping list, not a database" * 50)
    text, code = failed(capsys, monkeypatch, "articles", "list")
    assert (code, "bijdehand.db" in text) == (console.Exit.CANNOT, True)


def test_a_wrong_setting_names_its_variable(capsys, monkeypatch):
    monkeypatch.setenv("BIJDEHAND_TIMEZONE", "Mars/Olympus")
    text, code = failed(capsys, monkeypatch, "articles", "list")
    assert (code, "BIJDEHAND_TIMEZONE" in text) == (console.Exit.CANNOT, True)


def test_what_should_not_happen_leaves_a_sentence_on_screen_and_the_traceback_in_a_file(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("platformdirs.user_log_path", lambda *_, **__: tmp_path)
    monkeypatch.setattr(console, "store", lambda: 1 / 0)
    text, code = failed(capsys, monkeypatch, "articles", "list")
    assert code == console.Exit.CANNOT
    assert "Traceback" not in text
    assert "ZeroDivisionError" in (tmp_path / "errors.log").read_text()


def test_people_get_roles_and_audiences():
    run("people", "add", "slack", "U1", "--team", "T1", "--role", "coach", "--audience", "sales", "--level", "senior")
    (row,) = json.loads(run("people", "list", "--json").stdout)
    assert (row["role"], row["audience"], row["level"]) == ("coach", "sales", "senior")


def test_a_role_that_does_not_exist_is_a_wrong_command_line():
    assert run("people", "add", "slack", "U1", "--role", "boss").exit_code == 2


def test_lint_tells_by_its_exit_code_whether_something_must_be_mended(folder):
    assert run("lint", str(folder)).exit_code == 0
    (folder / "nl" / "long.md").write_text("---\ntitle: Lang\n---\n## In het kort\n" + "woord " * 40 + "\n")
    result = run("lint", str(folder))
    assert result.exit_code == console.Exit.TO_MEND
    assert "long.md:" in result.stdout


def test_doctor_finds_nothing_failing_on_a_fresh_demo():
    run("init", "--demo")
    result = run("doctor", "--json")
    states = {check["name"]: check["state"] for check in json.loads(result.stdout)}
    assert result.exit_code == 0
    assert (states["articles"], states["slack"], states["teams"]) == ("ok", "off", "off")


def test_doctor_prints_no_secret(monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-very-secret")
    result = run("doctor")
    assert "very-secret" not in result.stdout
    assert result.exit_code == console.Exit.TO_MEND


def test_reindex_embeds_what_another_model_did_not(folder):
    run("import", str(folder))
    assert "0 texts embedded" in run("reindex").stdout


def test_chat_answers_opens_titles_and_leaves(folder):
    run("import", str(folder))
    result = run("chat", input="klant ruikt gas\nm\n1\nq\n")
    assert result.exit_code == 0
    assert "Ga naar buiten." in result.stdout
    assert "Verhuizing doorgeven" in result.stdout


def test_retrieval_can_be_measured_from_files(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"id": "a1", "title": "", "text": "De verhuizing geef je door in Kompas.", "lang": "nl"}\n'
        '{"id": "a2", "title": "", "text": "Bij een gaslek gaat iedereen naar buiten.", "lang": "nl"}\n'
    )
    (tmp_path / "q.jsonl").write_text('{"id": "q-1", "text": "verhuizing doorgeven", "lang": "nl"}\n')
    (tmp_path / "r.tsv").write_text("q-1\ta1\t1\n")
    (tmp_path / "n.jsonl").write_text('{"id": "n-1", "text": "banana bread", "lang": "en"}\n')
    files = ["--articles", "a.jsonl", "--queries", "q.jsonl", "--qrels", "r.tsv", "--no-answer", "n.jsonl"]
    first, second = (run("evaluate", "retrieval", *files, "--json").stdout for _ in range(2))
    assert json.loads(first)["results"]["all"]["hybrid"]["hit@1"] == 1
    assert first == second
    assert "hybrid" in run("evaluate", "retrieval", *files).stdout


def test_moments_can_be_measured_from_a_file(tmp_path):
    (tmp_path / "m.jsonl").write_text(
        '{"text": "hoe doe ik dit", "lang": "nl", "moment": "apply"}\n{"text": "hoi", "lang": "nl", "moment": "none"}\n'
    )
    report = json.loads(run("evaluate", "moments", "m.jsonl", "--json").stdout)
    assert report["messages"] == 2
    assert "accuracy" in run("evaluate", "moments", "m.jsonl").stdout


def test_the_messages_it_learnt_from_are_cross_validated():
    result = run("evaluate", "moments", str(SEEDS / "moments.jsonl"), "--json")
    assert json.loads(result.stdout)["accuracy"] < 0.9, "better is not to be had from words alone on unseen sectors"
    assert "never saw" in " ".join(result.stderr.split())


def test_every_command_has_help():
    def commands(group, *path):
        for name, command in group.commands.items():
            yield (*path, name), command
            if hasattr(command, "commands"):
                yield from commands(command, *path, name)

    import typer

    for path, command in commands(typer.main.get_command(cli.app)):
        assert command.help, path
        assert run(*path, "--help").exit_code == 0
