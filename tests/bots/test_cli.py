import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from bots import cli, console
from core.errors import BijdehandError
from core.model import Answer, Feedback, Outcome
from core.seeds import SEEDS
from core.store import Identity
from knowledge.moment import Moment

RUN = CliRunner()
THEIR_ID, THEIR_TENANT = "33333333-3333-4333-8333-33333333333a", "22222222-2222-4222-8222-22222222222b"


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
    assert run("articles", "show", "gas").stdout == (folder / "nl" / "gas.md").read_text()


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


# -- pruning -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def shelf(folder):
    """Five articles imported, of which the folder now holds two."""
    for number in range(3):
        (folder / "nl" / f"{number}.md").write_text(f"---\nid: n{number}\ntitle: T\n---\nTekst.\n")
    run("import", str(folder))
    for number in range(3):
        (folder / "nl" / f"{number}.md").unlink()
    return folder


@pytest.mark.parametrize(("name", "text"), [("a.csv", "title,text\n"), ("a.jsonl", "")])
def test_a_file_that_holds_nothing_prunes_nothing(shelf, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert run("import", str(tmp_path / name), "--prune", "--yes").exit_code == console.Exit.CANNOT
    assert len(ids()) == 5


@pytest.mark.parametrize("typed", ["n\n", ""])
def test_more_than_half_is_removed_only_after_a_yes(shelf, typed):
    (shelf / "nl" / "new.md").write_text("---\nid: new\ntitle: T\n---\nTekst.\n")
    result = run("import", str(shelf), "--prune", input=typed)
    assert result.exit_code == console.Exit.CANNOT
    assert "3 of the 5 articles" in result.output
    assert "--yes" in result.stderr
    assert len(ids()) == 5, "a no changes nothing at all"
    assert "3 removed" in run("import", str(shelf), "--prune", input="y\n").stdout


def test_a_script_says_yes_beforehand(shelf):
    assert "3 removed" in run("import", str(shelf), "--prune", "--yes").stdout
    assert ids() == ["gas", "move"]


# -- articles that say nothing -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", ""),
        ("a.md", "---\nid: x\n---\n\n"),
        ("a.md", "## Stappen\n"),
        ("a.html", ""),
        ("a.jsonl", '{"text": " "}'),
    ],
)
def test_an_article_without_title_and_text_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    result = run("import", name)
    assert (result.exit_code, f"{name}:1: The article holds no text" in result.stderr) == (console.Exit.CANNOT, True)


def test_a_row_without_a_title_is_an_article_as_long_as_it_has_text(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"title": "", "text": "De verhuizing."}\n')
    assert run("import", "a.jsonl").exit_code == 0
    assert ids() == ["a-1"]


# -- what is shown -----------------------------------------------------------------------------------------------------
ODD = '---\r\nid: odd\r\ntitle: "Kosten [/b] :key: \\e[31m"\r\n---\r\n## In het kort\r\n\tJa :key: [b]\x1b[31m\x9b.\r\n'


@pytest.fixture
def odd(tmp_path):
    (tmp_path / "odd.md").write_bytes(ODD.encode())
    run("import", "odd.md")


def test_an_article_is_shown_byte_for_byte(odd):
    assert run("articles", "show", "odd").stdout_bytes == ODD.encode()


def test_on_a_terminal_an_article_cannot_steer_it(odd, monkeypatch):
    monkeypatch.setattr(console, "on_terminal", lambda: True)
    shown = run("articles", "show", "odd").stdout
    assert "Ja :key: [b]␛[31m" in shown
    assert not {"\x1b", "\x9b"} & {*shown}


def test_titles_are_listed_as_they_are_but_for_control_characters(odd):
    assert "Kosten [/b] :key: ␛[31m" in run("articles", "list").stdout


@pytest.mark.parametrize("coloured", [True, False])
def test_an_answer_cannot_steer_the_terminal(odd, coloured, monkeypatch):
    from bots.terminal import render
    from core import boot
    from core.model import Person, Question

    desk = boot.open_desk(console.settings())
    answer = desk.ask(Question("kosten key", Person("somebody")))
    desk.store.close()
    screen = io.StringIO()
    Console(file=screen, force_terminal=coloured, color_system=None).print(render(answer, more=True))
    assert "␛[31m" in screen.getvalue()
    assert not {"\x1b[31m", "\x9b"} & {*screen.getvalue()}
    assert "\x1b[31m" not in screen.getvalue()


def test_a_person_with_square_brackets_is_somebody_like_others():
    result = run("people", "add", "web", "U[/x]")
    assert (result.exit_code, "U[/x] on web is agent now." in result.stdout) == (0, True)
    assert "U[/x]" in run("people", "list").stdout


def test_a_table_in_a_pipe_cuts_nothing(tmp_path):
    long = "x" * 300
    (tmp_path / "a.md").write_text(f"---\nid: {long}\ntitle: {long}\n---\nTekst.\n")
    run("import", "a.md")
    assert run("articles", "list").stdout.count(long) == 2


@pytest.mark.parametrize("surface", ["slack", "teams"])
def test_somebody_on_a_platform_belongs_to_a_team(surface):
    result = run("people", "add", surface, "U1", "--role", "coach", "--team", " ")
    assert (result.exit_code, "--team" in result.stderr) == (2, True)
    assert json.loads(run("people", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("user", "team", "named"),
    [
        ("u012abc", "T1", "USER"),
        ("@ann", "T1", "USER"),
        ("T1", "U1", "USER"),
        ("U1", "kievit", "--team"),
        ("U1", "t012abc", "--team"),
    ],
)
def test_what_is_no_id_of_slack_would_never_be_recognised_and_is_refused(user, team, named):
    result = run("people", "add", "slack", user, "--team", team, "--role", "coach")
    assert (result.exit_code, named in result.stderr) == (2, True)
    assert json.loads(run("people", "list", "--json").stdout) == []


def test_ids_of_every_kind_that_slack_has_are_taken():
    assert run("people", "add", "slack", " W012ABC ", "--team", " E012ABC ").exit_code == 0
    (row,) = json.loads(run("people", "list", "--json").stdout)
    assert (row["user"], row["team"]) == ("W012ABC", "E012ABC")


@pytest.mark.parametrize(
    ("user", "team", "named", "where"),
    [
        ("ann@kievit.example", THEIR_TENANT, "USER", "Object ID"),
        (THEIR_ID + "0", THEIR_TENANT, "USER", "Object ID"),
        (THEIR_ID, "kievit.onmicrosoft.com", "--team", "Tenant ID"),
    ],
)
def test_what_is_no_id_of_teams_is_refused_with_where_it_is_found_and_not_shown(user, team, named, where):
    result = run("people", "add", "teams", user, "--team", team, "--role", "coach")
    said = " ".join(result.stderr.replace("│", " ").split())
    assert (result.exit_code, named in said, where in said, "kievit" in said) == (2, True, True, False)
    assert json.loads(run("people", "list", "--json").stdout) == []


def test_somebody_on_teams_is_kept_as_teams_will_name_them(monkeypatch):
    monkeypatch.setenv("MICROSOFT_APP_TENANT_ID", THEIR_TENANT.upper())
    result = run("people", "add", "teams", f"{{{THEIR_ID.upper()}}}", "--role", "coach")
    assert (result.exit_code, result.stderr) == (0, "")
    (row,) = json.loads(run("people", "list", "--json").stdout)
    assert (row["user"], row["team"]) == (THEIR_ID, THEIR_TENANT)


def test_somebody_of_a_tenant_that_may_not_speak_is_added_with_a_warning(monkeypatch):
    assert run("people", "add", "teams", THEIR_ID, "--team", THEIR_TENANT).stderr == ""
    monkeypatch.setenv("MICROSOFT_APP_TENANT_ID", THEIR_ID)
    result = run("people", "add", "teams", THEIR_ID, "--team", THEIR_TENANT)
    assert (result.exit_code, f"{THEIR_TENANT} may" in result.stderr, "TEAMS_TENANTS" in result.stderr) == (
        0,
        True,
        True,
    )


def test_whoever_sits_here_needs_no_team():
    assert run("people", "add", "terminal", "ann").exit_code == 0


# -- what stands in the way --------------------------------------------------------------------------------------------
def start(*arguments, **environment):
    """Bijdehand as a process of its own: exit code, standard output and error."""
    command = [sys.executable, "-m", "bots.cli", *arguments]
    everything = os.environ | {"PYTHONPATH": str(SEEDS.parent)} | environment
    done = subprocess.run(command, env=everything, capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def test_a_cache_that_is_no_folder_is_told_where_it_is_needed(capsys, monkeypatch, tmp_path):
    (tmp_path / "m.jsonl").write_text('{"id": "a", "text": "hoi", "lang": "nl"}\n')
    monkeypatch.setenv("BIJDEHAND_CACHE", "/dev/null")
    files = ["--articles", "m.jsonl", "--queries", "m.jsonl", "--qrels", "m.jsonl"]
    text, code = failed(capsys, monkeypatch, "evaluate", "retrieval", *files)
    assert (code, "BIJDEHAND_CACHE" in text, "/dev/null" in text) == (console.Exit.CANNOT, True, True)


def test_a_question_is_answered_without_a_cache(folder, monkeypatch):
    monkeypatch.setenv("BIJDEHAND_CACHE", "/dev/null")
    run("import", str(folder))
    assert run("ask", "klant ruikt gas").exit_code == 0


@pytest.fixture
def closed_data(monkeypatch, tmp_path):
    """A data folder that may not be entered, also when the tests are run by root."""
    (tmp_path / "data").mkdir()
    known = Path.stat

    def stat(path, **options):
        if path.parent.name == "data":
            raise PermissionError(13, "Permission denied", str(path))
        return known(path, **options)

    monkeypatch.setattr(Path, "stat", stat)


def test_a_data_folder_that_is_closed_is_told(capsys, monkeypatch, closed_data):
    text, code = failed(capsys, monkeypatch, "articles", "list")
    assert (code, "BIJDEHAND_DATA" in text, "Permission denied" in text) == (console.Exit.CANNOT, True, True)


def test_doctor_finds_a_data_folder_that_is_closed(closed_data):
    checks = {check["name"]: check for check in json.loads(run("doctor", "--json").stdout)}
    assert checks["database"]["state"] == "fail"
    assert "Permission denied" in checks["database"]["found"]


def test_half_a_character_in_a_question_is_no_trouble_for_a_script(folder):
    run("import", str(folder))
    answer = json.loads(run("ask", "klant ruikt gas \udcff", "--json").stdout)
    assert answer["card"]["article_id"] == "gas"
    assert "card" in json.loads(start("ask", b"gas \xff", "--json")[1])


def test_what_the_terminal_cannot_write_becomes_a_question_mark(tmp_path):
    (tmp_path / "a.md").write_text("---\nid: a\ntitle: Kosten → €\n---\nTekst.\n")
    run("import", "a.md")
    code, shown, errors = start("articles", "list", PYTHONIOENCODING="latin-1")
    assert (code, b"Kosten ? ?" in shown) == (0, True), errors
    (row,) = json.loads(start("articles", "list", "--json", PYTHONIOENCODING="latin-1")[1].decode("latin-1"))
    assert row["title"] == "Kosten → €"


def test_the_last_resort_needs_no_home(capsys, monkeypatch):
    def homeless(*_, **__):
        raise RuntimeError("no home")

    monkeypatch.setattr("platformdirs.user_log_path", homeless)
    monkeypatch.setattr(console, "store", lambda: 1 / 0)
    text, code = failed(capsys, monkeypatch, "articles", "list")
    assert (code, text.startswith("Something broke")) == (console.Exit.CANNOT, True)
    kept = Path(text.split("The details are in ")[1].strip().removesuffix("."))
    assert "ZeroDivisionError" in kept.read_text()
    kept.unlink()


def test_the_last_resort_needs_no_disk(capsys, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no room")

    monkeypatch.setattr("platformdirs.user_log_path", refuse)
    monkeypatch.setattr("tempfile.mkstemp", refuse)
    monkeypatch.setattr(console, "store", lambda: 1 / 0)
    text, code = failed(capsys, monkeypatch, "articles", "list")
    assert (code, text.strip()) == (
        console.Exit.CANNOT,
        "Something broke that should not have (ZeroDivisionError), and there is no place to keep the details.",
    )


def test_whoever_has_no_name_can_ask(folder, monkeypatch):
    def nameless():
        raise KeyError("getpwuid(): uid not found: 4711")

    run("import", str(folder))
    monkeypatch.setattr("getpass.getuser", nameless)
    assert run("ask", "klant ruikt gas").exit_code == 0


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_a_reader_who_has_seen_enough_is_no_failure(folder, extra):
    run("import", str(folder))
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "bots.cli", "ask", "klant ruikt gas", *extra]
    environment = os.environ | {"PYTHONPATH": str(SEEDS.parent)}
    done = subprocess.run(command, env=environment, stdout=writing, stderr=subprocess.PIPE, timeout=120, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_an_amount_is_now_stands_in_every_article_after_an_import(folder):
    (folder / "nl" / "visit.md").write_text("---\nid: visit\ntitle: Bezoek monteur\n---\nEen bezoek kost {{bezoek}}.\n")
    (folder / "amounts.toml").write_text('bezoek = "€ 45"\n')
    run("import", str(folder))
    assert "€ 45" in run("ask", "wat kost een bezoek van de monteur", "--more").stdout
    (folder / "amounts.toml").write_text('bezoek = "€ 52"\n')
    run("import", str(folder / "nl" / "move.md"))
    assert "€ 52" in run("ask", "wat kost een bezoek van de monteur", "--more").stdout
    assert "{{bezoek}}" in run("articles", "show", "visit").stdout


def test_broken_amounts_stop_an_import(folder):
    (folder / "amounts.toml").write_text("bezoek = \n")
    result = run("import", str(folder))
    assert result.exit_code == console.Exit.CANNOT
    assert "amounts.toml" in result.stderr
    assert ids() == []


def test_explain_tells_every_signal(folder):
    run("import", str(folder))
    said = run("explain", "verhuizing doorgeven", "--before", "hoi").stdout
    for part in ("Read as Dutch", "move", "pieces", "chance", "Danger", "Moment", "An answer is given from"):
        assert part in said
    found = json.loads(run("explain", "verhuizing doorgeven", "--json").stdout)
    assert found["found"]["hits"][0]["article"]["id"] == "move"
    signals = found["found"]["hits"][0]["signals"]
    assert sum(signals.values()) == pytest.approx(found["found"]["hits"][0]["score"], abs=1e-4)
    assert sum(found["moments"].values()) == pytest.approx(1)


def test_explain_of_nothing_and_of_an_empty_database_is_no_traceback():
    assert run("explain", "").exit_code == 0
    assert run("explain", "verhuizing").exit_code == 0


def test_bands_are_set_from_a_file_and_taken_back(folder, tmp_path):
    run("import", str(folder))
    rows = [{"text": f"verhuizing doorgeven {n}", "article": "move"} for n in range(20)]
    rows += [{"text": f"iets anders {n}", "article": None} for n in range(20)]
    questions = tmp_path / "questions.jsonl"
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = run("calibrate", str(questions), "--dry-run").stdout
    assert "40 judged answers" in said
    assert "Nothing was changed" in said
    before = json.loads(run("explain", "gas", "--json").stdout)["possible_from"]
    found = json.loads(run("calibrate", str(questions), "--json").stdout)
    assert json.loads(run("explain", "gas", "--json").stdout)["possible_from"] == found["possible_from"] != before
    run("calibrate", "--reset")
    assert json.loads(run("explain", "gas", "--json").stdout)["possible_from"] == before


def test_too_few_judged_answers_are_a_sentence(capsys, monkeypatch):
    said, code = failed(capsys, monkeypatch, "calibrate")
    assert "let coaches judge 30 more" in said
    assert code == 4


def test_the_glossary_is_imported_and_exported(folder, tmp_path):
    (folder / "glossary.csv").write_text("said,official,language,kind\nvh,verhuizing,nl,abbreviation\n")
    run("import", str(folder))
    assert "looked up as: verhuizing doorgeven" in run("explain", "vh doorgeven").stdout
    run("export", str(tmp_path / "out"))
    assert (tmp_path / "out" / "glossary.csv").read_text() == (folder / "glossary.csv").read_text()


@pytest.fixture(scope="module")
def small_seeds(tmp_path_factory):
    """A few of the starter articles, questions and messages, so that everything is measured in seconds."""
    import shutil

    made = tmp_path_factory.mktemp("seeds")
    for name in ("asides.jsonl", "critical.jsonl", "background.jsonl", "glossary.csv"):
        shutil.copy(SEEDS / name, made / name)
    lines = (SEEDS / "golden.jsonl").read_text().splitlines()
    (made / "golden.jsonl").write_text("\n".join(lines[:40]))
    moments = (SEEDS / "moments.jsonl").read_text().splitlines()
    (made / "moments.jsonl").write_text("\n".join(moments[::6]))
    asked = {json.loads(line)["article"] for line in lines[:40]} - {None}
    (made / "articles" / "nl").mkdir(parents=True)
    shutil.copy(SEEDS / "articles" / "amounts.toml", made / "articles")
    for one in asked:
        shutil.copy(SEEDS / "articles" / "nl" / f"{one}.md", made / "articles" / "nl")
    return made


def test_everything_is_measured_compared_and_drawn(small_seeds, tmp_path, monkeypatch):
    for module in ("bots.cli_evaluate", "bots.cli_learn", "core.boot"):
        monkeypatch.setattr(f"{module}.SEEDS", small_seeds)
    kept, page = str(tmp_path / "run.json"), tmp_path / "page.html"
    assert run("evaluate", "--save", "--baseline", kept).exit_code == 0
    result = run("evaluate", "--baseline", kept, "--report", str(page))
    assert result.exit_code == 0
    for part in ("right article first: hybrid", "AUROC", "macro-F1", "+0.000"):
        assert part in result.stdout
    written = page.read_text()
    assert written.count("<svg") == 5
    assert "<script" not in written
    assert not re.search(r"""(src|href)=["']?(https?:)?//|url\(["']?http|@import""", written)
    text = (tmp_path / "run.json").read_text()
    (tmp_path / "run.json").write_text(text.replace('"hybrid": 0', '"hybrid": 1').replace('"hybrid": 2', '"hybrid": 1'))
    worse = run("evaluate", "--baseline", kept)
    assert worse.exit_code == 1
    assert "worse" in worse.stdout


def test_what_people_asked_is_asked_again_of_other_articles(folder, tmp_path):
    run("import", str(folder))
    for text in ("verhuizing doorgeven", "klant ruikt gas", "verhuizing doorgeven"):
        run("ask", text)
    same = run("evaluate", "replay").stdout
    assert "2 questions" in same
    assert "0 would" in same
    other = tmp_path / "other"
    other.mkdir()
    (other / "move.md").write_text("---\nid: move\ntitle: Verhuizing doorgeven\n---\n## Stappen\n1. Vraag postcode.\n")
    (other / "stink.md").write_text("---\nid: stink\ntitle: Stank in huis\n---\n## Stappen\n1. Ruikt het naar gas?\n")
    found = json.loads(run("evaluate", "replay", "--articles", str(other), "--json").stdout)
    assert (found["questions"], found["other_article"]) == (2, 1)
    assert [(one["question"], one["before"]) for one in found["changed"]] == [("klant ruikt gas", "Klant ruikt gas")]
    assert "Klant ruikt gas" in run("evaluate", "replay", "--articles", str(other)).stdout


def test_replay_keeps_the_bands_of_a_model_that_stays(folder, tmp_path):
    run("import", str(folder))
    run("ask", "verhuizing doorgeven")
    rows = [{"text": f"verhuizing doorgeven {n}", "article": "move"} for n in range(20)]
    rows += [{"text": f"iets anders {n}", "article": None} for n in range(20)]
    (tmp_path / "judged.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run("calibrate", str(tmp_path / "judged.jsonl"))
    found = json.loads(run("evaluate", "replay", "--json").stdout)
    assert (found["changed"], found["bands"]) == ([], {})


def test_what_plots_need_is_said_before_anything_is_measured(capsys, monkeypatch):
    monkeypatch.setattr("bots.plots.find_spec", lambda name: None)
    monkeypatch.setattr("bots.cli_evaluate._measured", lambda: pytest.fail("measured"))
    said, code = failed(capsys, monkeypatch, "evaluate", "--report", "page.html")
    assert ".[report]" in said
    assert code == 4


def test_replay_needs_questions(folder, capsys, monkeypatch):
    run("import", str(folder))
    said, code = failed(capsys, monkeypatch, "evaluate", "replay")
    assert "Nobody has asked anything" in said
    assert code == 4


def test_moments_are_not_learnt_from_nothing(folder, capsys, monkeypatch):
    run("import", str(folder))
    said, code = failed(capsys, monkeypatch, "moments", "train")
    assert "There are 0 corrections" in said
    assert code == 4
    assert run("moments", "train", "--reset").exit_code == 0


def test_moments_are_learnt_from_what_people_tapped_instead(folder, small_seeds, tmp_path, monkeypatch):
    for module in ("bots.cli_evaluate", "bots.cli_learn", "core.boot"):
        monkeypatch.setattr(f"{module}.SEEDS", small_seeds)
    run("import", str(folder))
    store = console.store()
    person = store.person(Identity("terminal", "", "me"))
    for number in range(25):
        answer = Answer(f"a{number}", Outcome.ANSWERED, "nl", f"blub {number}", moment=Moment.APPLY, confidence=0.9)
        store.record(answer, person, "terminal", datetime.now(UTC))
        store.rate(Feedback(answer.id, person.id, moment=Moment.CHANGE), datetime.now(UTC))
    store.close()
    shown = json.loads(run("explain", "blub", "--json").stdout)["moments"]
    assert next(iter(shown)) != "change"
    assert "25 corrections" in run("moments", "train", "--dry-run").stdout
    assert json.loads(run("explain", "blub", "--json").stdout)["moments"] == shown
    told = json.loads(run("moments", "train", "--json").stdout)
    assert told["own_after"] > told["own_before"]
    assert next(iter(json.loads(run("explain", "blub", "--json").stdout)["moments"])) == "change"
    run("moments", "train", "--reset")
    assert json.loads(run("explain", "blub", "--json").stdout)["moments"] == shown
