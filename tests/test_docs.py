"""The README does not promise what is not there: every command in it is run."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bots import cli
from bots.console import Exit
from core.personal import KEPT
from core.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"`(bijdehand [a-z][^`\n]*)`", README)))

# What cannot be run as it stands, and why.
NOT_RUN = {
    "bijdehand people add": "a mention in a sentence; the table has it with a person",
    "bijdehand slack explain": "a mention in a sentence; the table has it with a channel",
    "bijdehand slack explain C012ABC": "fails where there is no Slack; tests/bots/test_cli_slack.py has a stub of one",
    "bijdehand teams package": "needs the id of a bot; tests/bots/test_cli_teams.py has one",
    "bijdehand export": "a mention in a sentence",
    "bijdehand export my-articles": "writes into the folder it is in; tests/bots/test_cli_coach.py gives it one",
    "bijdehand bench": "takes minutes; tests/bots/test_cli_bench.py has a few articles",
    "bijdehand backup bijdehand-backup.db": "writes into the folder it is in; tests/bots/test_cli_care.py gives it one",
    "bijdehand restore bijdehand-backup.db --yes": "the same",
    "bijdehand privacy show slack U012ABC --team T012ABC": "of somebody who is known; tests/bots/test_cli_care.py",
    "bijdehand privacy forget slack U012ABC --team T012ABC": "the same",
    "bijdehand people import people.csv": "of the reader's own; tests/bots/test_cli_coach.py makes one",
    "bijdehand import": "a mention in a sentence; the table has it with a folder",
    "bijdehand evaluate retrieval": "a mention in a sentence",
    "bijdehand lint": "a mention in a sentence; the table has it with a folder",
    "bijdehand calibrate": "wants judged answers; tests/bots/test_cli.py has a file of them",
    "bijdehand evaluate --report evaluation.html": "all is worse with a model of hashed words, and it writes a file; "
    "tests/bots/test_cli.py",
    "bijdehand evaluate replay --model intfloat/multilingual-e5-base": "a model of the hub; tests/bots/test_cli.py "
    "gives it other articles",
    "bijdehand moments train": "wants corrections; tests/bots/test_cli.py makes some",
    "bijdehand serve": "runs until stopped; tests/bots/test_serve.py starts it",
    "bijdehand chat": "waits for a person; tests/bots/test_cli.py types to it",
    "bijdehand evaluate retrieval --articles A.jsonl --queries Q.jsonl --qrels R.tsv": "of the reader's own; "
    "tests/bots/test_cli.py makes some",
}
NOT_RUN |= {
    command: "wants an answer, a question that waits or an editor; tests/bots/test_cli_coach.py has those"
    for command in COMMANDS
    if re.match(r"bijdehand (coach (take|answer|decline)|articles (add|edit|restore))\b", command)
}
FINE = {Exit.NO_ANSWER, 0}


def names(group, *path):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from names(command, *path, name)
        else:
            yield " ".join((*path, name))


def test_every_command_is_in_the_readme():
    for name in names(typer.main.get_command(cli.app)):
        assert f"`bijdehand {name}" in README


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    home = tmp_path_factory.mktemp("readme")
    environment = {"BIJDEHAND_MODEL": "fake", "BIJDEHAND_DATA": str(home / "data"), "BIJDEHAND_CACHE": str(home)}
    assert CliRunner().invoke(cli.app, ["init", "--demo"], env=environment).exit_code == 0
    return environment


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in NOT_RUN])
def test_a_command_of_the_readme_runs(command, demo, monkeypatch):
    monkeypatch.chdir(ROOT)
    arguments = shlex.split(command.partition(" > ")[0])[1:]  # where the output goes is the shell's
    result = CliRunner().invoke(cli.app, arguments, env=demo)
    assert result.exit_code in FINE, result.output


def test_what_is_not_run_is_really_in_the_readme():
    assert set(COMMANDS) >= set(NOT_RUN)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?m)(?:^|`)make ([a-z0-9]+)\b", README))))
def test_a_make_target_of_the_readme_exists(target):
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_setting_is_in_the_readme():
    for name, field in Settings.model_fields.items():
        assert f"`{field.validation_alias or 'BIJDEHAND_' + name.upper()}`" in README


def test_every_file_the_readme_points_to_is_there():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_service_is_one_that_systemd_takes_and_finds_tight(tmp_path):
    unit = tmp_path / "bijdehand.service"
    text = (ROOT / "docs" / "bijdehand.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/bijdehand/.venv/bin/bijdehand", sys.executable), encoding="utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    about_it = [line for line in verified.stderr.splitlines() if "bijdehand" in line]
    assert about_it == []
    secure = ["systemd-analyze", "security", "--offline=true", "--threshold=40", unit]  # in tenths, of ten
    assert subprocess.run(secure, capture_output=True, check=False).returncode == 0


def test_what_is_said_to_be_kept_for_so_long_is():
    for name, unit in (("privacy.md", "days"), ("privacy.nl.md", "dagen")):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        table = text[text.index("|---|---|") : text.index("\n\n", text.index("|---|---|"))]
        assert {int(days) for days in re.findall(rf"(\d+) {unit}", table)} == {
            kept.days for kept in KEPT.values() if kept.days
        }
