import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = (
    "torch",
    "transformers",
    "sentence_transformers",
    "sklearn",
    "faiss",
    "onnxruntime",
    "slack_bolt",
    "botbuilder",
)


@pytest.mark.parametrize("name", ["bots", "core", "knowledge"])
def test_the_packages_are_our_own_and_not_somebody_elses(name):
    assert Path(importlib.import_module(name).__file__).parent == ROOT / name


def test_only_one_module_touches_botbuilder():
    """import-linter holds this for imports; this holds it for the names of modules as text as well."""
    users = {
        path.name
        for path in ROOT.glob("[bck]*/**/*.py")
        if "import botbuilder" in (text := path.read_text()) or "from botbuilder" in text or "from botframework" in text
    }
    assert users <= {"botframework.py"}


def test_help_imports_nothing_heavy():
    code = (
        "import sys, contextlib\n"
        "from typer.testing import CliRunner\n"
        "from bots.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_every_package_module_is_installed():
    import tomllib

    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for package in ("bots", "core", "knowledge")
        for path in (ROOT / package).rglob("__init__.py")
    }
    assert set(listed) == there


def test_what_is_pinned_is_exact():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all("==" in line for line in lines)
    assert "torch==2.13.0" in lines
