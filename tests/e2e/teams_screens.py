"""Draw docs/teams-*.png: what the real adapter posts from the starter knowledge, drawn by Microsoft's own client.

    make e2e; npm ci --prefix tests/e2e/screens && python tests/e2e/teams_screens.py

The Playground has a screen of its own, made for whoever makes bots; around its cards stands what Teams has there.
"""

import asyncio
import base64
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from browser import browser  # noqa: E402
from playground import ME, PERSONAL, TENANT, playground  # noqa: E402
from slack_screens import CHECKS, COLLEAGUE, COMMAND, NOW, PHONE, SURE, UNKNOWN, WIDTH, starter_desk  # noqa: E402

from bots.teams import make_surface  # noqa: E402
from core.model import Question, Role  # noqa: E402
from core.settings import Settings  # noqa: E402
from core.store import Identity  # noqa: E402
from core.words import say  # noqa: E402
from knowledge.article import Change  # noqa: E402

FONT = "screens/node_modules/@fontsource-variable/open-sans/files/open-sans-latin-wght-{}.woff2"
FOUND = "klant wil de rekening in termijnen betalen"


def words(key):
    return say(key, "nl")


class Studio:
    """The Playground on a screen, and a camera."""

    def __init__(self, page, folder):
        self.page = page
        self.folder = folder
        self._icon = _inline("image/png", ROOT / "bots" / "static" / "teams-color.png")

    def ask(self, text, seen):
        """Ask in the personal chat, and wait until this is seen."""
        self.page.type(text)
        self.page.press("Enter")
        self.page.see(seen)

    def post(self, text, seen):
        """Ask in the channel that is open."""
        self.page.type("@")
        self.page.point("Bijdehand")
        self.page.write(text)
        self.page.tap("button", "Post")
        self.page.see(seen)

    def search(self, text):
        """Look something up above the box to type in, as the manifest lets Teams do."""
        self.page.tap("button", "Trigger Message Extension App")
        self.page.tap("menuitem", "Search Command")
        self.page.tap("button", "Specify Command ID or Parameter")
        self.page.fill("Command ID", "search")
        self.page.fill("Parameter name", "text")
        self.page.fill("Enter a search term", text)
        self.page.press("Enter")

    def shoot(self, name, kind="chat", *, width=WIDTH, **scene):
        """What stands there last, as a picture."""
        self.page.script((HERE / "screens" / "teams.js").read_text())
        self.page.eval(f"frame({json.dumps(scene | {'type': kind, 'width': width, 'icon': self._icon})})")
        path = self.folder / f"teams-{name}.png"
        self.page.shoot(str(path), "#picture")
        self.page.eval("unframe()")
        return path


def pictures(studio, url, announce):
    """Each of them, in turn."""
    page = studio.page
    page.open(url)
    page.style((HERE / "screens" / "teams.css").read_text() + "".join(map(_font_face, ("normal", "italic"))))
    page.see(words("teams.privacy"))
    yield studio.shoot("welcome")

    studio.ask(SURE, "Gecontroleerd op")
    yield studio.shoot("answer", text=SURE, thumbs=True)
    yield studio.shoot("phone", text=SURE, thumbs=True, width=PHONE)

    studio.ask(CHECKS, words("steps.works"))
    page.tap("button", words("steps.fails"))
    page.see(say("steps.at", "nl", step="2", all="7"))
    yield studio.shoot("steps", text=CHECKS)

    studio.ask(UNKNOWN[0], words("answer.none_near"))
    yield studio.shoot("refusal", text=UNKNOWN[0])

    studio.ask("overzicht", words("home.kept"))
    yield studio.shoot("overview", text="overzicht")

    studio.ask("coach", words("coach.panel.hours"))
    page.tap("button", f"{words('coach.panel.queue')}: 3")
    page.see(words("button.open"))
    yield studio.shoot("queue", text="coach")

    studio.ask("coach nieuw", words("teams.keep_draft"))
    yield studio.shoot("form", text="coach nieuw")

    announce()
    page.see(words("change.read"))
    yield studio.shoot("change")

    page.tap("treeitem", "Klantenservice - General")
    studio.post(COMMAND, "Gecontroleerd op")
    yield studio.shoot("channel", "channel", text=COMMAND, place="Klantenservice")

    page.tap("treeitem", "Groep")
    studio.search(FOUND)
    page.see("Betalingsregeling")
    yield studio.shoot("extension", "search", text=FOUND, width=480)


def furnish(desk):
    """Noor coaches and put something aside; a colleague put to the coaches what was not known, in the last days."""
    noor, colleague = Identity("teams", TENANT, ME["aadObjectId"]), Identity("teams", TENANT, COLLEAGUE)
    desk.store.set_person(noor, role=Role.COACH)
    for days, text in zip((2, 1, 0), UNKNOWN, strict=True):
        desk.now = lambda days=days: NOW - timedelta(days=days)
        asker = desk.person(colleague)
        desk.ask_coach(desk.ask(Question(text, asker, surface="teams")).id, asker)
    coach = desk.person(noor)
    desk.keep(desk.ask(Question(SURE, coach, surface="teams")).id, coach)


def _inline(kind, path):
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _font_face(style):
    """Teams' own font is Microsoft's alone; this one comes close."""
    url = _inline("font/woff2", HERE / FONT.format(style))
    return f"@font-face {{font-family: 'Open Sans'; font-style: {style}; font-weight: 300 800; src: url({url})}}"


def draw(bot, announce):
    """Make all the pictures, with the bot at this address; `announce` has it tell of a change."""
    node, chromium = shutil.which("node"), shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("Chromium is missing: it draws the pictures. Install chromium or google-chrome.")
    with tempfile.TemporaryDirectory() as folder, playground(node, Path(folder) / "playground", bot) as teams:
        teams.ask(SURE)  # in Dutch, which is what they speak from then on
        teams.deliver(teams.activity("uninstall", PERSONAL))
        with browser(node, chromium) as page:
            page.size(1500, 1200)
            drawn = list(pictures(Studio(page, ROOT / "docs"), teams.url, announce))
    subprocess.run([node, HERE / "screens" / "small.mjs", *drawn], check=True)


async def main():
    with starter_desk() as desk:
        desk.ready()
        furnish(desk)
        surface = make_surface(desk, Settings(_env_file=None, teams_without_login=True))
        app = web.Application()
        app.router.add_post(surface.path, surface.handle)
        app.on_cleanup.append(lambda _: surface.stop())
        async with TestServer(app, host="127.0.0.1") as server:
            announce = partial(announced, desk, surface, asyncio.get_running_loop())
            await asyncio.to_thread(draw, str(server.make_url(surface.path)), announce)


def announced(desk, surface, loop):
    """A loud change, told once nobody is at work on a question."""
    article = desk.store.article("goedmaken")
    change = Change(NOW + timedelta(days=8), "medewerker tot € 100", "medewerker tot € 75", loudness="loud")
    desk.publish(replace(article, changes=(*article.changes, change)), "changed", None, announced=(change, ()))
    desk.now = lambda: NOW + timedelta(minutes=30)
    asyncio.run_coroutine_threadsafe(surface._postman.round(), loop).result(30)


if __name__ == "__main__":
    asyncio.run(main())
