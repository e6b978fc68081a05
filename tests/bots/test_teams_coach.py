"""The coach loop in Teams, as activities: two people ask, a coach answers in a dialog, both are told, asked again."""

import pytest
from adaptive import check_screen
from conftest import TODAY, article, make_desk
from fake_connector import FakeTeams, at, card, in_channel, shown

from bots.teams_screens import FILLED
from core.model import Role
from core.store import Identity
from core.words import say

MOVE = article("---\ntitle: Verhuizing doorgeven\ntopic: Verhuizen\n---\n## Stappen\n1. Vraag de postcode.\n", "move")
ASKED = "mag een klant zijn zonnepanelen meenemen"
ANSWER = "Ja, als de koper dat goed vindt.\n1. Vraag de koopakte."


def nl(key, **values):
    return say(key, "nl", **values)


def actions(element):
    """Everything that can be tapped on a card, by its words."""
    found = {}
    if isinstance(element, list):
        for item in element:
            found |= actions(item)
    elif isinstance(element, dict):
        if str(element.get("type")).startswith("Action.") and "data" in element:
            found[element["title"]] = element
        for key, value in element.items():
            found |= actions(value) if key != "fallback" else {}
    return found


def inputs(element):
    """What stands in each field of a card."""
    found = {}
    for item in element["body"]:
        if item["type"].startswith("Input."):
            found[item["id"].removeprefix(FILLED)] = item["value"]
    return found


def button(element, words):
    return next(one for title, one in actions(element).items() if words in title)


class Coach:
    """Somebody who has a card or a dialog before them."""

    def __init__(self, somebody):
        self.me = somebody
        self.seen = None

    async def type(self, text):
        self.posted = await self.me.say(text)
        self.seen = card(self.posted) if self.posted.get("attachments") else self.posted
        return self._checked()

    async def tap(self, words):
        """In place, or in a dialog where the button asks for one."""
        found = button(self.seen, words)
        if found["type"] == "Action.Execute":
            answered = await self.me.tap(found, **at(self.posted))
            self.seen = answered["value"] if isinstance(answered["value"], dict) else {"text": answered["value"]}
        else:
            assert found["data"].get("msteams") == {"type": "task/fetch"}
            answered = await self.me.asked("task/fetch", {"data": found["data"]})
            self.seen = answered["task"]["value"]["card"]["content"]
        return self._checked()

    async def in_dialog(self, words, **filled):
        found = button(self.seen, words)
        now = inputs(self.seen) | filled
        data = found["data"] | {f"{FILLED}{name}": value for name, value in now.items() if value}  # as Teams does
        answered = await self.me.asked("task/submit", {"data": data})
        self.seen = answered["task"]["value"]["card"]["content"]
        return self._checked()

    def _checked(self):
        if "body" in self.seen:
            check_screen(self.seen)
        return self.seen


@pytest.fixture
def desk(store):
    made = make_desk(store, (MOVE,))
    made.now = lambda: TODAY
    return made


@pytest.fixture
async def teams(desk):
    async with FakeTeams(desk) as teams:
        for name in ("anna", "jan", "piet"):
            await teams.someone(name).install()
            await teams.someone(name).say("hoi")
        await teams.settled()
        desk.store.set_person(identity(desk, "anna"), role=Role.COACH)
        yield teams


def identity(desk, name):
    found = [who for who, _ in desk.store.people() if name in who.user]
    return found[0] if found else Identity("teams", "", name)


def desk_answer(posted):
    """The id of the answer that stands there."""
    return next(one["data"]["answer_id"] for one in actions(card(posted)).values() if "answer_id" in one["data"])


async def test_a_question_that_two_people_asked_is_answered_in_a_dialog_and_both_are_told(teams, desk):
    for name in ("jan", "piet"):
        assert nl("answer.none_near") in shown(await teams.someone(name).say(ASKED))
    coach = Coach(teams.someone("anna"))
    assert nl("coach.panel.title") in shown(await coach.type("coach"))
    assert nl("queue.colleagues", count="2") in shown(await coach.tap(nl("coach.panel.queue")))
    assert "jan" not in shown(coach.seen)
    await coach.tap(nl("button.open"))
    form = await coach.tap(nl("queue.answer"))
    assert inputs(form)["wordings"] == ASKED
    await coach.in_dialog(nl("coach.check"), answer=ANSWER)
    assert "Vraag de koopakte." in shown(coach.seen)
    assert "hoort het van mij" in shown(await coach.in_dialog(nl("coach.publish")))
    await teams.surface._postman.round()
    letters = [one.activity for one in teams.connector.posted if ASKED in shown(one.activity)]
    mine = [one for one in letters if nl("coach.told_title") in shown(one)]
    assert len(mine) == 2
    for letter in mine:
        assert "Vraag de koopakte." in shown(letter)
        check_screen(card(letter))
    count = len(teams.connector.posted)
    await teams.surface._postman.round()
    assert len(teams.connector.posted) == count, "once"
    again = shown(await teams.someone("jan").say(ASKED))
    assert "Vraag de koopakte." in again


async def test_what_is_wrong_with_a_form_stands_below_its_field(teams):
    coach = Coach(teams.someone("anna"))
    await coach.type("coach nieuw")
    assert nl("coach.error.nothing") in shown(await coach.in_dialog(nl("coach.check"), answer="", wordings=""))


async def test_a_draft_is_kept_by_a_button_and_there_again_the_next_time(teams):
    coach = Coach(teams.someone("anna"))
    await coach.type("coach nieuw")
    await coach.in_dialog(nl("teams.keep_draft"), answer="Half af.")
    assert inputs(await coach.type("coach nieuw"))["answer"] == "Half af."


async def test_a_message_becomes_an_answer_with_its_author_credited(teams, desk):
    me = teams.someone("anna")
    payload = {
        "id": "1600",
        "body": {"contentType": "html", "content": f"<p>{ANSWER}</p>"},
        "from": {"user": {"displayName": "Jan Jansen"}},
    }
    value = {"commandId": "save_as_answer", "commandContext": "message", "messagePayload": payload}
    answered = await me.asked("composeExtension/fetchTask", value, **in_channel(entities=[]))
    coach = Coach(me)
    coach.seen = answered["task"]["value"]["card"]["content"]
    assert "koopakte" in inputs(coach.seen)["answer"]
    await coach.in_dialog(nl("coach.check"), wordings=ASKED)
    await coach.in_dialog(nl("coach.publish"))
    assert "Jan Jansen" in [one.owner for one in desk.store.articles()]


async def test_a_list_in_a_message_becomes_the_steps_of_the_answer(teams):
    me, html = (
        teams.someone("anna"),
        "<p>Zo doe je dat:</p><ol><li>Vraag de akte.</li><li><p>Stuur hem op.</p></li></ol>",
    )
    payload = {"body": {"contentType": "html", "content": f"{html}<ul><li>los</li></ul>"}}
    value = {"commandId": "save_as_answer", "commandContext": "message", "messagePayload": payload}
    answered = await me.asked("composeExtension/fetchTask", value)
    saved = inputs(answered["task"]["value"]["card"]["content"])["answer"]
    assert saved == "Zo doe je dat:\n1. Vraag de akte.\n2. Stuur hem op.\n- los"


async def test_a_field_that_a_coach_empties_is_gone_from_the_article(teams, desk):
    coach = Coach(teams.someone("anna"))
    await coach.type("coach wijzig move")
    assert inputs(coach.seen)["topic"] == "Verhuizen"
    await coach.in_dialog(nl("coach.check"), topic="")
    await coach.in_dialog(nl("coach.publish"))
    assert desk.store.article("move").topic == ""


async def test_a_form_sent_in_with_nothing_in_it_says_what_is_missing(teams):
    await teams.someone("jan").say(ASKED)
    coach = Coach(teams.someone("anna"))
    await coach.type("coach open")
    await coach.tap(nl("button.open"))
    await coach.tap(nl("queue.decline"))
    assert nl("coach.error.nothing") not in shown(coach.seen)
    assert nl("coach.error.nothing") in shown(await coach.in_dialog(nl("queue.decline_send")))


async def test_a_coach_comes_to_their_desk_from_their_overview(teams):
    coach = Coach(teams.someone("anna"))
    await coach.type("overzicht")
    assert nl("coach.panel.add") in shown(await coach.tap(nl("coach.panel.title")))
    agent = Coach(teams.someone("jan"))
    assert nl("coach.panel.title") not in shown(await agent.type("overzicht"))


async def test_whoever_came_to_the_end_of_the_steps_can_add_a_tip(teams, desk):
    jan = teams.someone("jan")
    answered = await jan.say("verhuizing doorgeven")
    done = {"verb": "done", "data": {"verb": "done", "language": "nl", "answer_id": desk_answer(answered)}}
    after = len(teams.connector.posted)
    assert (await jan.tap(done, **at(answered)))["value"] == nl("teams.below")
    tip = Coach(jan)
    tip.posted = await teams.connector.next(after=after)
    tip.seen = card(tip.posted)
    await tip.tap(nl("coach.tip"))
    assert nl("coach.tip_thanks") in shown(await tip.in_dialog(nl("modal.send_tip"), text="Vraag ook het huisnummer."))
    assert [one.text for one in desk.store.tips()] == ["Vraag ook het huisnummer."]


async def test_an_agent_who_types_or_sends_what_is_a_coachs_gets_a_refusal_and_it_is_noted(teams, desk):
    agent = Coach(teams.someone("jan"))
    assert nl("command.not_yours") in shown(await agent.type("coach open"))
    data = {"verb": "do", "language": "nl", "do": "retire_now", "about": "move"}
    answered = await agent.me.tap({"verb": "do", "data": data}, **at(agent.posted))
    assert nl("command.not_yours") == answered["value"]
    assert desk.store.facts()["refusal"] == 2
    assert desk.store.article("move").version == 1


async def test_a_question_about_a_coach_stays_a_question(teams):
    reply = await teams.someone("anna").say("coach komt niet opdagen, wat nu?")
    assert nl("answer.none_near") in shown(reply)


async def test_in_a_channel_the_coachs_desk_answers_in_private(teams):
    reply = await teams.someone("anna").say_in_channel("coach open")
    assert reply["text"] == nl("teams.private")
    (private,) = [one for one in teams.connector.standing() if nl("home.queue_none") in shown(one)]
    assert private["conversation"]["id"] == "a:personal"


async def test_asking_for_a_coach_offers_what_to_do_with_a_customer_on_the_line(teams, desk):
    await teams.someone("anna").say("coach")
    jan = teams.someone("jan")
    refused = await jan.say(ASKED)
    await jan.tap(button(card(refused), nl("button.coach")), **at(refused))
    await teams.settled()
    choice = teams.connector.posted[-1].activity
    assert nl("coach.asked") in shown(choice)
    await jan.tap(button(card(choice), nl("coach.urgent")), **at(choice))
    await teams.surface._postman.round()
    call = teams.connector.posted[-1].activity
    assert nl("coach.call") in shown(call)
    check_screen(card(call))
    await teams.someone("anna").tap(button(card(call), nl("queue.take")), **at(call))
    await teams.surface._postman.round()
    assert "kijkt met je mee" in shown(teams.connector.posted[-1].activity)


async def test_colleagues_are_asked_by_hand_since_teams_tells_no_channels(teams):
    jan = teams.someone("jan")
    refused = await jan.say(ASKED)
    await jan.tap(button(card(refused), nl("button.coach")), **at(refused))
    await teams.settled()
    choice = Coach(jan)
    choice.posted = teams.connector.posted[-1].activity
    choice.seen = card(choice.posted)
    assert nl("teams.colleagues", question=ASKED) in shown(await choice.tap(nl("coach.colleagues")))


async def test_a_notice_stands_above_an_answer_in_teams(teams):
    await teams.someone("anna").say("coach melding Kompas is traag tot 23:00 verhuizen")
    assert "Kompas is traag" in shown(await teams.someone("jan").say("verhuizing doorgeven"))


async def test_whoever_cannot_be_written_to_is_tried_again_and_keeps_nobody_else_waiting(teams, desk):
    for name in ("jan", "piet"):
        await teams.someone(name).say(ASKED)
    desk.questions.waiting()
    await teams.someone("jan").remove()
    await teams.settled()
    desk.publish(desk.store.article("move"), "edited", None, question_id=1)
    await teams.surface._postman.round()
    letters = [one for one in teams.connector.posted if nl("coach.told_title") in shown(one.activity)]
    assert len(letters) == 1
