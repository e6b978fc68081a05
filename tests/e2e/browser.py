"""A browser, driven from here: `with browser(node, chromium) as page:` and then `page.see("Meer")`."""

import contextlib
import json
import subprocess
from pathlib import Path

from running import ended

HERE = Path(__file__).parent


class Page:
    """What is on the screen; every method of it waits until it can be done."""

    def __init__(self, process):
        self._process = process

    def __getattr__(self, what):
        return lambda *how: self._do(what, *how)

    def _do(self, *what):
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        answered = json.loads(self._process.stdout.readline())
        assert "failed" not in answered, (what, answered["failed"])
        return answered["done"]


@contextlib.contextmanager
def browser(node, chromium):
    """Chromium without a window."""
    command = [node, str(HERE / "browser.mjs"), chromium]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with ended(subprocess.Popen(command, **pipes)) as process:
        assert process.stdout.readline(), "The browser did not start; run `make e2e`, which installs what drives it."
        yield Page(process)
