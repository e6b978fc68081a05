"""The coach loop in Slack, as payloads: asked, refused, queued, answered in a modal, everybody told, asked again."""

import pytest
from conftest import TODAY, article, make_desk
from fake_slack import SlackChat, closed, elements, message_shortcut, problems, texts, view_problems

from core.library import shelve
from core.model import Role
from core.store import Identity
from core.words import say

MOVE = article("---\ntitle: Verhuizing doorgeven\ntopic: Verhuizen\n---\n## Stappen\n1. Vraag de postcode.\n", "move")
ASKED = "mag een klant zijn zonnepanelen meenemen"
ANSWER = "Ja, als de koper dat goed vindt.\n1. Vraag de koopakte."
COACH, JAN, PIET = "U-ANNA", "U-JAN", "U-PIET"


def nl(key, **values):
    return say(key, "nl", **values)


def text_of(payload):
    return " ".join([payload.get("text", ""), *texts(payload.get("blocks", []))])


def button(payload, label):
    """The action id of the button that says so."""
    return next(name for name, one in elements(payload).items() if label in one.get("text", {}).get("text", ""))


@pytest.fixture
def desk(store):
    made = make_desk(store, (MOVE,))
    store.set_person(Identity("slack", "T1", COACH), role=Role.COACH)
    return made


@pytest.fixture
async def chat(desk):
    async with SlackChat(desk) as chat:
        chat.slack.names = {COACH: "Anna de Vries", JAN: "Jan Jansen"}
        yield chat


class Coach:
    """Somebody with modals."""

    def __init__(self, chat, user=COACH):
        self.chat = chat
        self.user = user

    async def type(self, text):
        await self.chat.command(text, command="/coach", user=self.user)
        return self.modal

    @property
    def modal(self):
        assert view_problems(self.chat.slack.modal) == []
        return self.chat.slack.modal

    async def tap(self, label):
        await self.chat.tap(self.modal, button(self.modal, label), user=self.user)
        return self.modal

    async def fill_in(self, **values):
        before = self.modal
        answered = await self.chat.submit(before, values, user=self.user)
        if isinstance(answered, dict) and answered.get("response_action") == "update":
            self.chat.slack.modals[before["id"]] = {"id": before["id"], "hash": "2.h"} | answered["view"]
        return answered


async def told(chat, user):
    """What reached somebody unasked."""
    await chat.surface._postman.round()
    return [one for one in chat.slack.sent() if one["channel"] == user]


async def test_a_question_that_two_people_asked_is_answered_in_a_modal_and_both_are_told(chat):
    for user in (JAN, PIET):
        assert nl("answer.none_near") in text_of(await chat.ask(ASKED, user=user))
    coach = Coach(chat)
    assert nl("coach.panel.title") in text_of(await coach.type(""))
    queue = await coach.tap(nl("coach.panel.queue"))
    assert nl("queue.colleagues", count="2") in text_of(queue)
    assert "Jan" not in text_of(queue)
    await coach.tap(nl("button.open"))
    form = await coach.tap(nl("queue.answer"))
    assert elements(form)["wordings"]["initial_value"] == ASKED
    await coach.fill_in(answer=ANSWER)
    assert "Vraag de koopakte." in text_of(coach.modal)
    await coach.tap(nl("coach.publish"))
    assert "hoort het van mij" in text_of(coach.modal)
    for user in (JAN, PIET):
        [post] = await told(chat, user)
        assert ASKED in text_of(post)
        assert "Anna de Vries" in text_of(post)
        assert "Vraag de koopakte." in text_of(post)
        assert problems(post["blocks"]) == []
        assert await told(chat, user) == [post], "once"
    again = await chat.ask(ASKED, user=JAN)
    assert "Vraag de koopakte." in text_of(again)
    assert nl("source.quick", owner="Anna de Vries") in text_of(again)


async def test_what_was_told_can_be_tapped_like_any_answer(chat, desk):
    await chat.ask(ASKED, user=JAN)
    coach = Coach(chat)
    await coach.type("nieuw " + ASKED)
    await coach.fill_in(answer=ANSWER)
    await coach.tap(nl("coach.publish"))
    question = desk.questions.waiting()[0].id
    made = next(one.id for one in desk.store.articles() if one.owner == "Anna de Vries")
    desk.publish(desk.store.article(made), "edited", None, question_id=question)
    [post] = await told(chat, JAN)
    await chat.tap(post, button(post, nl("button.wrong")), user=JAN)
    assert nl("feedback.ask") in text_of(chat.slack.sent("chat.postEphemeral")[-1])


async def test_what_is_wrong_with_a_form_stands_next_to_its_field(chat):
    coach = Coach(chat)
    await coach.type("nieuw")
    answered = await coach.fill_in(answer=" ", wordings=" ")
    assert answered["response_action"] == "errors"
    assert set(answered["errors"].values()) == {nl("coach.error.nothing")}
    assert len(answered["errors"]) == 2


async def test_a_form_that_was_closed_is_as_it_was_when_it_is_opened_again(chat):
    coach = Coach(chat)
    form = await coach.type("nieuw")
    await chat.interact(closed(form, {"answer": "Half af."}, user=COACH))
    await chat.settled()
    assert elements(await coach.type("nieuw"))["answer"]["initial_value"] == "Half af."


async def test_all_fields_keep_what_was_typed_in_two(chat):
    coach = Coach(chat)
    form = await coach.type("nieuw " + ASKED)
    filled = closed(form, {"answer": ANSWER}, user=COACH)["view"]
    await chat.tap(filled, button(form, nl("coach.full")), user=COACH)
    assert elements(coach.modal)["steps"]["initial_value"] == "1. Vraag de koopakte."
    answered = await coach.fill_in(effective_from="2027-01-01", effective_until="2026-01-01", verify_every="soms")
    assert {nl("coach.error.interval"), nl("coach.error.ends_first")} >= set(answered["errors"].values())
    assert answered["errors"]


async def test_a_message_becomes_an_answer_with_its_author_credited(chat, desk):
    shortcut = message_shortcut(ANSWER, "save_as_answer", user=COACH, author=JAN)
    await chat.shortcut(shortcut)
    coach = Coach(chat)
    assert elements(coach.modal)["answer"]["initial_value"] == ANSWER
    await coach.fill_in(wordings=ASKED)
    await coach.tap(nl("coach.publish"))
    assert "Jan Jansen" in [one.owner for one in desk.store.articles()]


async def test_an_agent_who_types_or_sends_what_is_a_coachs_gets_a_refusal_and_it_is_noted(chat, desk):
    agent = Coach(chat, JAN)
    assert nl("command.not_yours") in text_of(await agent.type("open"))
    coach = Coach(chat)
    panel = await coach.type("vervalt move")
    await chat.tap(panel, button(panel, nl("coach.retire_now")), user=JAN)
    assert nl("command.not_yours") in text_of(coach.modal)
    assert desk.store.facts()["refusal"] == 2
    assert desk.store.article("move").version == 1


async def test_a_customer_on_the_line_reaches_a_coach_who_takes_it_from_the_message(chat, desk):
    desk.now = lambda: TODAY
    refused = await chat.ask(ASKED, user=JAN)
    await chat.tap(refused, "coach", user=JAN)
    choice = chat.slack.sent("chat.postEphemeral")[-1]
    choice = choice | {"channel": "D1"}
    await chat.tap(choice, button(choice, nl("coach.urgent")), user=JAN, ephemeral=True)
    [call] = await told(chat, COACH)
    assert nl("coach.call") in text_of(call)
    await chat.tap(call | {"channel": "D2"}, button(call, nl("queue.take")), user=COACH)
    assert nl("queue.why.urgent") in text_of(chat.slack.sent("response_url")[-1])
    assert nl("coach.taken", coach="Anna de Vries") in text_of((await told(chat, JAN))[-1])


async def test_a_question_for_colleagues_stands_in_the_channel_without_a_name(chat):
    refused = await chat.ask(ASKED, user=JAN)
    await chat.tap(refused, "coach", user=JAN)
    choice = chat.slack.sent("chat.postEphemeral")[-1] | {"channel": "D1"}
    await chat.tap(choice, button(choice, nl("coach.colleagues")), user=JAN, ephemeral=True)
    asker = Coach(chat, JAN)
    await asker.fill_in(channel="C7")
    posted = [one for one in chat.slack.sent() if one["channel"] == "C7"]
    assert ASKED in text_of(posted[0])
    assert JAN not in text_of(posted[0])
    assert "Jan" not in text_of(posted[0])
    assert nl("share.done") in text_of(asker.modal)


async def test_a_loud_change_comes_with_a_receipt(chat, desk):
    await chat.ask("hoi", user=JAN)
    coach = Coach(chat)
    await coach.type("verandering move")
    await coach.fill_in(new="ook per chat", since="2026-11-23", loudness="loud")
    assert await told(chat, JAN) == [], "they may have a customer on the line"
    desk.now = lambda: TODAY.replace(minute=11)
    post = (await told(chat, JAN))[-1]
    assert "ook per chat" in text_of(post)
    await chat.tap(post | {"channel": "D1"}, button(post, nl("change.read")), user=JAN)
    assert nl("change.thanks") in text_of(chat.slack.sent("chat.postEphemeral")[-1])
    assert desk.store.announcements()[0].read == 1


async def test_a_notice_stands_above_an_answer_in_slack(chat):
    await Coach(chat).type("melding Kompas is traag tot 23:00 verhuizen")
    assert "Kompas is traag" in text_of(await chat.ask("verhuizing doorgeven", user=JAN))


async def test_a_tip_is_sent_from_a_form(chat, desk):
    answer = await chat.ask("verhuizing doorgeven", user=JAN)
    await chat.tap(answer, "helped", user=JAN)
    thanks = next(one for one in reversed(chat.slack.calls) if nl("coach.tip") in str(one[1]))[1]
    thanks = thanks | {"channel": "D1"} | ({"ts": "1.1"} if "ts" not in thanks else {})
    await chat.tap(thanks, button(thanks, nl("coach.tip")), user=JAN, ephemeral=True)
    await Coach(chat, JAN).fill_in(text="Vraag eerst naar de sleutel.", signed="yes")
    assert [(tip.text, tip.name) for tip in desk.store.tips()] == [("Vraag eerst naar de sleutel.", "Jan Jansen")]


async def test_what_cannot_be_posted_is_tried_again(chat, desk):
    await chat.ask(ASKED, user=JAN)
    desk.questions.waiting()
    desk.publish(desk.store.article("move"), "edited", None, question_id=1)
    chat.slack.refuse("chat.postMessage", "ratelimited", times=20)
    assert await told(chat, JAN) == []
    chat.slack._refusals["chat.postMessage"].clear()
    desk.now = lambda: TODAY.replace(minute=31)
    assert len(await told(chat, JAN)) == 1


async def test_every_moment_of_a_new_answer_can_be_looked_at_before_it_is_saved(chat):
    coach = Coach(chat)
    await coach.type("wijzig move")
    await coach.fill_in(background="Omdat het zo is.")
    shown = await coach.tap(nl("reshape.more"))
    assert nl("moment.more") in text_of(shown)


async def test_a_text_too_long_for_a_form_stays_as_it_was(chat, desk):
    long = "- " + "lang verhaal " * 300
    desk.store.set_person(Identity("slack", "T1", COACH), role=Role.COACH)
    shelve(desk.store, desk.embedder, [article(f"---\ntitle: Lang\n---\n## Achtergrond\n{long}\n", "long")])
    coach = Coach(chat)
    form = await coach.type("wijzig long")
    assert "background" not in elements(form)
    assert nl("answer.cut") in text_of(form)
    await coach.fill_in(verdict="Ja.")
    await coach.tap(nl("coach.publish"))
    assert long.strip() in desk.store.article("long").body
    assert "Ja." in desk.store.article("long").body
