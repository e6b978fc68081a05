"""Draw docs/slack-*.png: what the real adapter posts from the starter knowledge, in a frame that looks like Slack.

    npm ci --prefix tests/e2e/screens && python tests/e2e/slack_screens.py

Blocks are drawn by somebody else's renderer, so that a picture shows what was posted and not what we meant.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from fake_slack import SlackChat  # noqa: E402

from core.boot import make_embedder, open_desk  # noqa: E402
from core.library import shelve  # noqa: E402
from core.model import Role  # noqa: E402
from core.seeds import SEEDS  # noqa: E402
from core.settings import Settings  # noqa: E402
from core.store import Identity  # noqa: E402
from core.store.sqlite import open_store  # noqa: E402
from knowledge.amounts import amounts_for  # noqa: E402
from knowledge.readers import read  # noqa: E402

NOW = datetime(2026, 11, 23, 12, 42, tzinfo=UTC)
COLLEAGUE, COACH = "U2", "U7"
WIDTH, PHONE = 720, 360
SURE = "mag ik een regeling van 12 maanden afspreken"
CHECKS = "ketel geeft foutcode, wat nu"
COMMAND = "welk bedrag mag ik als tegoed geven"
UNKNOWN = [
    "mag de monteur zijn schoenen aanhouden",
    "klant wil bloemen voor de monteur",
    "klant vraagt of wij ook kerstbomen inzamelen",
]
SHOES = """Ja, de monteur houdt zijn schoenen aan: dat moet voor zijn veiligheid.
1. Vraag of de monteur overschoentjes kan gebruiken.
2. Zet dat in Planbord bij de afspraak.
"De monteur neemt overschoentjes voor u mee."
"""


@contextmanager
def starter_desk():
    """A desk on the real model that knows the starter knowledge, on a fixed day."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data=Path(folder))
        store, embedder = open_store(settings.database), make_embedder(settings, progress=print)
        store.set_amounts(amounts_for([SEEDS / "articles"]))
        shelve(store, embedder, [found.article for found in read(SEEDS / "articles")])
        yield open_desk(settings, store=store, embedder=embedder, now=lambda: NOW)
        store.close()


async def scenes(desk):
    """What each picture shows: the blocks or the view as they were sent, and the frame around them."""
    async with SlackChat(desk) as chat:
        answer = await chat.ask(SURE)
        yield message_of("answer", answer, text=SURE)
        yield message_of("phone", answer, text=SURE, width=PHONE)

        await chat.tap(await chat.ask(CHECKS), "step:next")
        yield message_of("solve", chat.slack.sent("response_url")[-1], text=CHECKS)
        yield message_of("refusal", await chat.ask(UNKNOWN[0]), text=UNKNOWN[0])

        await chat.command(COMMAND)
        yield message_of("command", chat.slack.sent("response_url")[-1], place="klantenservice", whisper=True)

        yield view("home", await coachs_home(chat, desk))

        await chat.shortcut()
        yield view("modal", chat.slack.modal)

        async for scene in coaching(chat, desk):
            yield scene


async def coaching(chat, desk):
    """A coach finds what three colleagues asked, answers it, and tells of a change."""
    desk.now = lambda: NOW
    chat.slack.names[COACH] = "Anna de Vries"
    await chat.command("open", command="/coach", user=COACH)
    yield view("queue", chat.slack.modal)
    question = desk.questions.waiting()[0].id
    await chat.command(f"nieuw question {question}", command="/coach", user=COACH)
    form = chat.slack.modal
    yield view("form", form)
    answered = await chat.submit(form, {"answer": SHOES}, user=COACH)
    yield view("preview", answered["view"] | {"type": "modal"})
    await chat.command("verandering goedmaken", command="/coach", user=COACH)
    change = {"new": "medewerker tot € 100", "old": "medewerker tot € 75", "since": "2026-12-01", "loudness": "loud"}
    await chat.submit(chat.slack.modal, change, user=COACH)
    desk.now = lambda: NOW + timedelta(minutes=30)
    await chat.surface._postman.round()
    told = next(one for one in reversed(chat.slack.sent()) if one["channel"] == COLLEAGUE)
    yield message_of("change", told)


async def coachs_home(chat, desk):
    """Of a coach, with what colleagues put to the coaches in the last days and an answer kept for later."""
    desk.store.set_person(Identity("slack", "T1", COACH), role=Role.COACH)
    for days, question in zip((2, 1, 0), UNKNOWN, strict=True):
        desk.now = lambda days=days: NOW - timedelta(days=days)
        await chat.tap(await chat.ask(question, user=COLLEAGUE), "coach", user=COLLEAGUE)
    await chat.tap(await chat.ask(SURE, user=COACH), "menu", option="later", user=COACH)
    return await chat.open_home(COACH)


def message_of(name, posted, **frame):
    """What was posted in a conversation; `text` is what somebody typed above it."""
    return {"name": name, "type": "message", "blocks": posted["blocks"]} | frame


def view(name, published):
    """A modal or a home tab."""
    return published | {"name": name}


def draw(pictures, folder):
    """Make a PNG file of each."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("Chromium is missing: it draws the pictures. Install chromium or google-chrome.")
    asked = {"folder": str(folder), "chromium": chromium, "scenes": [{"width": WIDTH} | one for one in pictures]}
    subprocess.run(["node", HERE / "screens" / "draw.mjs"], input=json.dumps(asked), text=True, check=True)


async def main():
    with starter_desk() as desk:
        draw([scene async for scene in scenes(desk)], ROOT / "docs")


if __name__ == "__main__":
    asyncio.run(main())
