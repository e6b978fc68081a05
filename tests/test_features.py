"""One table of what there is to do, on Slack and on Teams: the same words come of it, each in its platform's way.

The README has this table too, in words. What a platform lacks has its reason there and here.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from colleagues import Place, colleague
from conftest import TODAY, article, make_desk

from core import likeness
from core.library import shelve
from core.model import Attachment, Role
from core.words import reasons, say
from knowledge.moment import Moment

MOVE = article(
    """---
title: Verhuizing doorgeven
topic: Verhuizen
owner: Team Verhuizen
verified: 2026-11-01
changes:
  - since: 2026-11-01
    new: ook per chat
---
## In het kort
Ja, tot dertig dagen later.

## Stappen
1. Vraag de nieuwe postcode.
2. Zet de datum erbij.

## Zo zeg je het
- "Ik zet het voor u klaar."
- "U krijgt een mail."

## Achtergrond
De netbeheerder kent alleen de postcode.
""",
    "move",
)
LONG = article(
    "---\ntitle: Bewindvoerder registreren\ntopic: Contract\n---\n## Stappen\n"
    + "".join(f"{number}. Doe ding nummer {number}.\n" for number in range(1, 8)),
    "guardian",
)
PAST = article(
    "---\ntitle: Verhuizing met terugwerkende kracht\ntopic: Verhuizen\n---\n## Stappen\n1. Bereken het verschil.\n",
    "past",
)
PARCEL = article(
    "---\ntitle: Parcel lost on the way\ntopic: Orders\n---\n## Steps\n1. Open a trace with the carrier.\n",
    "parcel",
    "en",
)
ARTICLES = (MOVE, LONG, PAST, PARCEL)
MOVING = "verhuizing doorgeven, hoe moet dat?"
STEP = "Vraag de nieuwe postcode."
UNKNOWN = "wie wint het voetbal vanavond?"
IBAN = "NL91ABNA0417164300"

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
PLATFORMS = ("slack", "teams")


@dataclass(frozen=True)
class Feature:
    """Something to do, and why a platform may lack it."""

    name: str
    lacking: dict[str, str]
    do: Callable[..., Awaitable[None]]


FEATURES = []


def feature(name, **lacking):
    def keep(do):
        FEATURES.append(Feature(name, lacking, do))
        return do

    return keep


def nl(key, **values):
    return say(key, "nl", **values)


def become_coach(person):
    person.desk.store.set_person(person.identity, role=Role.COACH)


# -- asking ------------------------------------------------------------------------------------------------------------
@feature("Ask in private")
async def _(me):
    seen = await me.ask(MOVING)
    assert "Verhuizing doorgeven" in seen
    assert STEP in seen
    assert nl("source.fresh", date="1 november 2026", owner="Team Verhuizen") in seen
    assert seen.alone


@feature("Ask in a channel, answered in its thread")
async def _(me):
    first, second = await me.ask(MOVING, Place.CHANNEL), await me.ask(MOVING, Place.CHANNEL)
    assert STEP in second
    assert not second.alone
    assert first.thread != second.thread
    assert STEP in await me.ask(MOVING, Place.CHANNEL, below=first)


@feature("Ask in a group chat")
async def _(me):
    seen = await me.ask(MOVING, Place.GROUP)
    assert STEP in seen
    assert not seen.alone


@feature("Ask on: a follow-up is read with what was said before")
async def _(me):
    assert nl("answer.none_near") in await me.ask("en hoe moet dat?")
    await me.ask("verhuizing doorgeven")
    assert STEP in await me.ask("en hoe moet dat?")


@feature("Ask on in a thread without a new mention")
async def _(me):
    asked = await me.ask("verhuizing doorgeven", Place.CHANNEL)
    assert STEP in await me.ask("en hoe moet dat?", Place.CHANNEL, to_us=False, below=asked)
    assert not await me.another().ask("en hoe moet dat?", Place.CHANNEL, to_us=False, below=asked)


@feature(
    "Ask halfway a thread about what stands above it",
    teams="what others said needs Microsoft Graph, of which it asks nothing",
)
async def _(me):
    above = me.hear("verhuizing doorgeven")
    assert STEP in await me.ask("hoe moet dat?", Place.CHANNEL, below=above)


@feature("Ask about somebody's message")
async def _(me):
    seen = await me.ask_about("klant vraagt: hoe kan ik een verhuizing doorgeven?")
    assert STEP in seen
    assert seen.alone
    assert nl("feedback.thanks") in await (await seen.tap(nl("button.wrong"))).tap(nl("feedback.reasons.unclear"))


@feature("Ask in a form, from anywhere", teams="the search below is wherever there is something to type")
async def _(me):
    form = await me.ask_from_anywhere()
    assert STEP in await me.fill_in(form, text=MOVING)


@feature("Have an answer for your eyes only")
async def _(me):
    seen = await me.ask_alone(MOVING)
    assert STEP in seen
    assert seen.alone


@feature("Ask in another language")
async def _(me):
    seen = await me.ask("parcel lost, what do I do?")
    assert "Open a trace with the carrier." in seen
    assert say("button.wrong", "en") in seen.taps
    assert say("answer.none_near", "en") in await me.ask("who is going to win the football tonight?")


@feature("A file or a voice message is said not to be read")
async def _(me):
    for kind in Attachment:
        assert nl(f"help.{kind}") in await me.attach(kind)


# -- what comes back ---------------------------------------------------------------------------------------------------
@feature("A neighbouring title, one tap away")
async def _(me):
    seen = await me.ask("wanneer verhuizing?")
    assert "Bereken het verschil." in await seen.tap("Verhuizing met terugwerkende kracht")


@feature("More and less")
async def _(me):
    seen = await me.ask(MOVING)
    assert "De netbeheerder kent alleen de postcode." not in seen
    more = await seen.tap(nl("button.more"))
    assert "De netbeheerder kent alleen de postcode." in more
    assert STEP in more
    less = await more.tap(nl("button.less"))
    assert "De netbeheerder kent alleen de postcode." not in less


@feature("Step by step, in place")
async def _(me):
    seen = await me.ask("bewindvoerder registreren")
    assert "Doe ding nummer 1." in seen
    assert "Doe ding nummer 2." not in seen
    assert nl("steps.back") not in seen.taps
    for number in range(2, 8):
        before, seen = seen, await seen.tap(nl("steps.next"))
        assert nl("steps.at", step=str(number), all="7") in seen
        assert f"Doe ding nummer {number}." in seen
    assert seen.text == (await before.tap(nl("steps.next"))).text, "a double tap does no harm"
    assert nl("steps.next") not in seen.taps
    assert "Doe ding nummer 6." in await seen.tap(nl("steps.back"))
    assert nl("feedback.helped") in await seen.tap(nl("steps.done"))
    assert [feedback.helpful for feedback in me.rated] == [True]


@feature("The same article for another moment")
async def _(me):
    choice = await (await me.ask(MOVING)).tap(nl("reshape.ask"))
    assert nl("reshape.what") in choice
    assert nl("moment.apply") in await choice.tap(nl("button.back"))
    assert nl("moment.more") in await choice.tap(nl("reshape.more"))
    assert [feedback.moment for feedback in me.rated] == [Moment.MORE]


@feature("A moment it has nothing for is said so")
async def _(me):
    choice = await (await me.ask(MOVING)).tap(nl("reshape.ask"))
    shelve(me.desk.store, me.desk.embedder, [replace(MOVE, changes=())])
    assert nl("reshape.nothing") in await choice.tap(nl("reshape.change"))


@feature("Sentences to copy")
async def _(me):
    seen = await (await me.ask(MOVING)).tap(nl("button.copy"))
    assert "Ik zet het voor u klaar." in seen
    assert '"Ik zet' not in seen
    assert STEP not in seen


@feature("It does not know: a sentence to say, the nearest titles, a coach")
async def _(me):
    seen = await me.ask(UNKNOWN)
    assert nl("answer.none_near") in seen
    assert "Ik zoek dit voor u uit en bel u uiterlijk de volgende werkdag terug." in seen
    assert nl("answer.danger") in seen
    assert nl("head.nearest") in seen
    assert STEP in await seen.tap("Verhuizing doorgeven")
    assert nl("coach.none") in await seen.tap(nl("button.coach"))


@feature("Customer data is warned about and not repeated")
async def _(me):
    seen = await me.ask(f"klant met {IBAN} wil een verhuizing doorgeven")
    assert nl("privacy.warn") in seen
    assert IBAN not in seen
    assert STEP in seen


# -- what you think of it ----------------------------------------------------------------------------------------------
@feature("Not right, and why")
async def _(me):
    for reason, words in reasons("nl").items():
        asked = await (await me.ask(MOVING)).tap(nl("button.wrong"))
        assert nl("feedback.ask") in asked
        assert nl("feedback.thanks") in await asked.tap(words)
        assert (me.rated[-1].reason, me.rated[-1].helpful) == (reason, False)


@feature("Another topic was meant: the next titles")
async def _(me):
    seen = await (await me.ask(MOVING)).tap(nl("button.wrong"))
    seen = await seen.tap(nl("feedback.reasons.topic"))
    assert "Bereken het verschil." in await seen.tap("Verhuizing met terugwerkende kracht")


@feature("Thumbs of the platform's own")
async def _(me):
    seen = await me.ask(MOVING)
    for helpful in (True, False):
        await me.rate(seen, helpful=helpful)
        assert me.rated[-1].helpful is helpful


@feature("Asked later whether it worked out, until you would rather not be")
async def _(me):
    await me.ask(MOVING)
    me.desk.now = lambda: TODAY + timedelta(hours=2)
    asked = await me.hears()
    assert nl("check.ask") in asked
    assert "Verhuizing doorgeven" in asked
    assert nl("feedback.helped") in await asked.tap(nl("check.yes"))
    assert [feedback.helpful for feedback in me.rated] == [True]
    assert nl("check.left_alone") in await asked.tap(nl("check.quiet"))
    await me.ask(MOVING)
    me.desk.now = lambda: TODAY + timedelta(hours=30)
    assert me.desk.to_check(me.identity.surface) == []


@feature("Ask a coach, who sees the question and not who asked it")
async def _(me):
    seen = await me.ask(MOVING)
    assert nl("coach.none") in await seen.tap(nl("button.coach"))
    coach = me.another()
    become_coach(coach)
    assert nl("coach.asked") in await seen.tap(nl("button.coach"))
    assert nl("coach.again") in await seen.tap(nl("button.coach"))
    assert MOVING in await me.overview()
    queue = await coach.overview()
    assert nl("home.queue", count="1") in queue
    assert MOVING in queue
    assert me.identity.user not in queue
    assert nl("home.queue", count="1") not in await me.overview()


# -- the coach's desk --------------------------------------------------------------------------------------------------
async def answered(coach, form, **values):
    """A form of the coach's desk that was filled in and saved."""
    preview = await coach.send_in(form, **values)
    assert nl("coach.publish") in preview.taps
    return await preview.tap(nl("coach.publish"))


async def coach_of(me):
    coach = me.another("anna2")
    await coach.arrive()
    become_coach(coach)
    return coach


@feature("What two people asked is one open question; a coach answers it in a form, and both are told")
async def _(me):
    other = me.another()
    for one in (me, other):
        await one.arrive()
        assert nl("answer.none_near") in await one.ask(UNKNOWN)
    coach = await coach_of(me)
    queue = await coach.coach("open")
    assert nl("queue.colleagues", count="2") in queue
    assert me.identity.user not in queue
    form = await (await queue.tap(nl("button.open"))).tap(nl("queue.answer"))
    done = await answered(coach, form, answer="Dat weet niemand.\n1. Zeg dat je het niet weet.")
    assert nl("coach.published_told", title="Wie wint het voetbal vanavond?").replace("*", "") in done
    for one in (me, other):
        told = await one.told()
        assert UNKNOWN in told
        assert "Zeg dat je het niet weet." in told
        assert nl("button.wrong") in told.taps
        assert not await one.told()
    assert "Zeg dat je het niet weet." in await me.ask(UNKNOWN)


@feature("A new answer that looks like an article is offered to be added there")
async def _(me):
    coach = await coach_of(me)
    form = await coach.coach("nieuw")
    with patch.dict(likeness._MEASURED, {me.desk.embedder.name: likeness.Likeness(resembles_from=3.0)}):
        seen = await coach.send_in(form, answer="1. Noteer het dossier.", wordings="bewindvoerder registreren")
    assert nl("dup.found", title="Bewindvoerder registreren") in seen
    done = await answered(coach, await seen.tap(nl("dup.update")))
    assert "Bewindvoerder registreren" in done
    assert "Noteer het dossier." in me.desk.store.article("guardian").body


@feature("What was filled in is kept")
async def _(me):
    coach = await coach_of(me)
    await coach.keep(await coach.coach("nieuw"), answer="Half af.", wordings="Hoe?")
    seen = await (await coach.coach()).tap(f"{nl('coach.panel.drafts')}: 1")
    assert "Hoe?" in seen
    assert nl("coach.go_on") in seen.taps


@feature("What is wrong with a form stands next to its field")
async def _(me):
    coach = await coach_of(me)
    assert nl("coach.error.nothing") in await coach.send_in(await coach.coach("nieuw"), answer=" ", wordings=" ")


@feature("Save somebody's message as an answer, with their name")
async def _(me):
    coach = await coach_of(me)
    form = await coach.save_as_answer("1. Zet het modem uit en weer aan.")
    await answered(coach, form, wordings="modem doet niets")
    assert "Zet het modem uit en weer aan." in await me.ask("modem doet niets")


@feature("With a customer on the line, a coach is asked at once")
async def _(me):
    coach = await coach_of(me)
    await coach.coach()
    seen = await (await me.ask(UNKNOWN)).tap(nl("button.coach"))
    assert nl("coach.called", coach=nl("coach.a"))[:20] in await seen.tap(nl("coach.urgent"))
    call = await coach.told()
    assert UNKNOWN in call
    await call.tap(nl("queue.take"))
    assert UNKNOWN in await me.told()


@feature(
    "Ask colleagues in a channel",
    teams="which channels there are is known to Microsoft Graph, of which it asks nothing",
)
async def _(me):
    await coach_of(me)
    seen = await (await me.ask(UNKNOWN)).tap(nl("button.coach"))
    form = await seen.tap(nl("coach.colleagues"))
    assert nl("share.done") in await me.send_in(form, channel="C7")


@feature("A change that is told, read and counted")
async def _(me):
    await me.arrive()
    await me.ask("hoi")
    coach = await coach_of(me)
    form = await coach.coach("verandering move")
    await coach.send_in(form, new="alleen per chat", since="2026-11-23", loudness="loud")
    me.desk.now = lambda: TODAY + timedelta(minutes=11)
    told = await me.told()
    assert "alleen per chat" in told
    assert nl("change.thanks") in await told.tap(nl("change.read"))
    assert [one.read for one in me.desk.store.announcements()] == [1]


@feature("A notice on top of every answer, until its time")
async def _(me):
    coach = await coach_of(me)
    assert "Kompas is traag" in await coach.coach("melding Kompas is traag tot 23:00 verhuizen")
    assert "Kompas is traag" in await me.ask(MOVING)
    assert "Kompas is traag" not in await me.ask("bewindvoerder registreren")
    assert "Kompas is traag" in await me.overview()
    assert nl("coach.panel.title") in (await coach.overview()).taps


@feature("What colleagues say, and what it means")
async def _(me):
    assert STEP not in await me.ask("verkassen")
    coach = await coach_of(me)
    assert nl("term.learnt", said="verkassen", official=MOVING) in await coach.coach(f"woord verkassen = {MOVING}")
    assert STEP in await me.ask("verkassen")
    words = await coach.coach("woord")
    assert "verkassen" in words
    form = await words.tap(nl("term.add"))
    filled = {"said": "vh", "official": "verhuizing doorgeven", "language": "nl", "kind": "abbreviation"}
    assert nl("term.learnt", said="vh", official="verhuizing doorgeven") in await coach.send_in(form, **filled)
    assert STEP in await me.ask("vh")


@feature("Answers judged with one tap, for `bijdehand calibrate`")
async def _(me):
    await me.ask(MOVING)
    coach = await coach_of(me)
    panel = await coach.coach("beoordeel")
    assert MOVING in panel
    assert nl("judge.count", done="1", enough="40") in await panel.tap(nl("judge.right"))
    assert [verdict for _, verdict in me.desk.store.verdicts()] == ["right"]


@feature("A question that an answer helped is remembered with its article, once a coach agrees")
async def _(me):
    asked = f"{MOVING} voor mevrouw"
    await me.rate(await me.ask(asked), helpful=True)
    coach = await coach_of(me)
    waiting = await (await coach.coach()).tap(nl("coach.panel.wordings") + ": 1")
    assert asked in waiting
    await waiting.tap(nl("wording.keep"))
    assert asked in me.desk.store.article("move").aliases


@feature("What somebody may not do is refused and noted")
async def _(me):
    assert nl("command.not_yours") in await me.coach("vervalt move")
    assert me.desk.store.facts()["refusal"] == 1


# -- for later, for others ---------------------------------------------------------------------------------------------
@feature("Keep an answer for later, find it back, drop it")
async def _(me):
    assert nl("home.kept_none") in await me.overview()
    await (await me.ask("bewindvoerder registreren")).tap(nl("button.later"))
    overview = await me.overview()
    assert "Bewindvoerder registreren" in overview
    assert nl("home.kept_none") in await overview.tap(nl("button.drop"))
    assert "Bewindvoerder registreren" not in await me.overview()


@feature("What changed lately")
async def _(me):
    seen = await me.overview()
    assert nl("home.changed") in seen
    assert "ook per chat" in seen
    assert STEP in await seen.tap(nl("button.open"))


@feature("Share an answer in a channel", teams="the search below puts it in a message of your own")
async def _(me):
    seen = await me.command(MOVING, Place.CHANNEL)
    shared = await seen.tap(nl("button.share"))
    assert STEP in shared
    assert MOVING not in shared


@feature(
    "Search while you write a message, and put the answer in it",
    slack="an app cannot write in a message that somebody is typing",
)
async def _(me):
    found = await me.search(MOVING)
    assert STEP in found
    assert found.taps.keys() <= {nl("button.more"), nl("button.less")}


# -- browsing ----------------------------------------------------------------------------------------------------------
@feature("Browse by topic")
async def _(me):
    topics = await me.command("onderwerpen")
    titles = await topics.tap("Verhuizen")
    assert "Bewindvoerder registreren" not in titles.taps
    assert "Bereken het verschil." in await titles.tap("Verhuizing met terugwerkende kracht")


@feature("Open an article by its id")
async def _(me):
    assert STEP in await me.command("open move")
    assert nl("answer.none_near") in await me.command("open sesam")


@feature("Help")
async def _(me):
    for word in ("", "help", "hulp"):
        assert nl("help.text", example=nl("help.example")) in await me.command(word)


@feature("Questions to try, on a first visit")
async def _(me):
    seen = await me.arrive()
    assert nl("help.prompts") in seen
    assert STEP in await seen.tap("Verhuizing doorgeven")


# -- in a channel ------------------------------------------------------------------------------------------------------
@feature("A coach has it answer what nobody put to it")
async def _(me):
    assert nl("command.not_yours") in await me.command("hier aan", Place.CHANNEL)
    assert not await me.another().ask(MOVING, Place.CHANNEL, to_us=False)
    become_coach(me)
    assert nl("command.here_not") in await me.command("hier aan")
    await me.command("hier aan", Place.CHANNEL)
    assert STEP in await me.another().ask(MOVING, Place.CHANNEL, to_us=False)
    assert not await me.another().ask("wie heeft er zin in lunch?", Place.CHANNEL, to_us=False)
    assert nl("command.no_longer_listens") in await me.command("hier uit", Place.CHANNEL)
    assert not await me.another().ask(MOVING, Place.CHANNEL, to_us=False)


@feature(
    "Coaches by a group of the platform",
    teams="who is in a group needs Microsoft Graph, of which it asks nothing",
)
async def _(me):
    me.join_coaches()
    assert nl("home.queue", count="0") in await me.overview()
    assert nl("home.queue", count="0") not in await me.another().overview()


@feature("A question that is taken back takes its answer along")
async def _(me):
    for place in (Place.PRIVATE, Place.CHANNEL):
        seen = await me.ask(MOVING, place)
        assert me.stands(seen)
        await me.take_back(seen)
        assert not me.stands(seen)
    assert me.desk.store.facts()["answer"] == 0


@feature("What the platform delivers more than once is answered once")
async def _(me):
    seen = await me.ask(MOVING, Place.CHANNEL)
    for _ in range(3):
        assert not await me.again(seen)


@feature("An edit that newly mentions it is a question")
async def _(me):
    said = await me.ask("iemand een idee?", Place.CHANNEL, to_us=False)
    assert not said
    assert STEP in await me.edit(said, MOVING)
    asked = await me.ask(MOVING, Place.CHANNEL)
    assert not await me.edit(asked, f"{MOVING} Het is dringend.")


# -- the table ---------------------------------------------------------------------------------------------------------
@pytest.fixture
async def me(store, request, monkeypatch):
    """Somebody on the platform of the test. However slow the machine is, nobody is told that it takes a while."""
    monkeypatch.setattr("core.courier._PATIENCE", 60)
    async with colleague(request.param, make_desk(store, ARTICLES)) as me:
        me.rated = []
        rate = store.rate
        monkeypatch.setattr(store, "rate", lambda feedback, now: me.rated.append(feedback) or rate(feedback, now))
        yield me


@pytest.mark.parametrize(
    ("me", "do"),
    [
        pytest.param(platform, one.do, id=f"{one.name} ({platform})")
        for one in FEATURES
        for platform in PLATFORMS
        if platform not in one.lacking
    ],
    indirect=["me"],
)
async def test_a_feature_works_on_each_platform_that_has_it(me, do):
    await do(me)


def rows_of_the_readme():
    table = README.partition("#### What each has\n")[2].partition("\n#")[0]
    rows = [re.findall(r"(?<=\| ).*?(?= \|)", line) for line in table.splitlines() if line.startswith("| ")]
    return {name: dict(zip(PLATFORMS, cells, strict=True)) for name, *cells in rows[1:]}


def test_the_readme_has_the_same_table_with_the_same_reasons():
    assert list(rows_of_the_readme()) == [one.name for one in FEATURES]
    for one in FEATURES:
        for platform, cell in rows_of_the_readme()[one.name].items():
            reason = one.lacking.get(platform)
            assert cell == f"– ({reason})" if reason else cell[0] not in "–-", one.name
