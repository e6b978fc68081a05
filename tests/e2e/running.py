"""What every test here needs: our real process, with settings of its own, and patience."""

import contextlib
import os
import subprocess
import sys
import time

CLI = [sys.executable, "-m", "bots.cli"]
PATIENCE = 20  # seconds after which something will not come any more
ARTICLES = {
    "verhuizing": """---
title: Verhuizing doorgeven
owner: Team Verhuizen
verified: 2026-01-01
---
## In het kort
Ja, tot 30 dagen later.

## Stappen
1. Vraag de nieuwe postcode.
2. Vraag het nieuwe huisnummer.
3. Vraag de datum van de sleutel.
4. Kies *Verhuizing* in Kompas.
5. Lees de datum hardop terug.
6. Stuur de bevestiging.

## Zo zeg je het
- "Ik zet het voor u klaar."
- "U krijgt een mail."

## Als het misgaat
1. Postcode onbekend: zoek op straat.

## Achtergrond
Daarom <!channel> en <@U9>.
""",
    "factuur": "---\ntitle: Factuur uitleggen\n---\n## Stappen\n1. Open Kompas.\n",
}


def until(look, *, within=PATIENCE):
    """What a look gives, as soon as it gives anything."""
    end = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.05)
    return found


@contextlib.contextmanager
def ended(process):
    """Whatever happens, this process ends."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


class Surroundings:
    """A folder for all that our processes read and write; of the settings of whoever runs this they see nothing."""

    def __init__(self, folder, **settings):
        self.folder = folder
        strange = ("BIJDEHAND_", "SLACK_", "MICROSOFT_")
        own = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        self._environment = own | settings

    def run(self, *command, **settings):
        """What a command of ours printed."""
        done = subprocess.run(
            [*CLI, *command], env=self._environment | settings, cwd=self.folder, check=True, capture_output=True
        )
        return done.stdout

    def stocked(self, name, articles=ARTICLES):
        """The setting for a knowledge base of this name, which holds these articles."""
        data, files = {"BIJDEHAND_DATA": str(self.folder / name)}, self.folder / f"{name}-articles"
        files.mkdir()
        for article, text in articles.items():
            (files / f"{article}.md").write_text(text)
        self.run("init", "--empty", **data)
        self.run("import", str(files), **data)
        return data

    @contextlib.contextmanager
    def serving(self, port, **settings):
        """Our real process on this port; where it writes what it has to say."""
        log = self.folder / f"{port}.log"
        ports = {"BIJDEHAND_PORT": str(port), "BIJDEHAND_WEB_PORT": "0", "PYTHONUNBUFFERED": "1"}
        with log.open("w") as out:
            made = self._environment | ports | settings
            serving = subprocess.Popen([*CLI, "serve"], env=made, cwd=self.folder, stdout=out, stderr=subprocess.STDOUT)
            with ended(serving):
                until(lambda: "is listening" in log.read_text() or serving.poll() is not None)
                assert serving.poll() is None, log.read_text()
                yield log
