"""The coach loop from the desk's side: who may do what, what becomes of a question, and what people are told."""

import re
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from conftest import AMSTERDAM, TODAY, article, make_desk
from hypothesis import given
from hypothesis import strategies as st

from core.coach import Coach
from core.inbox import Inbox
from core.library import shelve
from core.loop import Hours
from core.model import Event, Feedback, Outcome, Question, Role
from core.screens import Asked, Entry, Form, Given, Line, Panel, Row, Told
from core.store import Identity
from core.store.sqlite import open_store
from core.words import say
from knowledge.article import Status
from knowledge.glossary import Term
from knowledge.moment import Moment

MOVE = article("---\ntitle: Verhuizing doorgeven\ntopic: Verhuizen\n---\n## Stappen\n1. Vraag de postcode.\n", "move")
GAS = article("---\ntitle: Gas ruiken\ncritical: true\n---\n## Stappen\n1. Raam open.\n", "gas")
ASKED = "mag een klant zijn zonnepanelen meenemen"
ANSWER = 'Ja, als de koper dat goed vindt.\n1. Vraag de koopakte.\n2. Leg het vast.\n"Ik zoek het voor u na."'


def nl(key, **values):
    return say(key, "nl", **values)


class Somebody:
    """A person on Slack who taps, types and fills in."""

    def __init__(self, desk, user, role=Role.AGENT, name=""):
        self.desk = desk
        self.post = desk.__dict__.setdefault("post", {})  # one letter box for all
        self.coach = Coach(desk)
        self.identity = Identity("slack", "T1", user)
        desk.store.set_person(self.identity, role=role)
        self.name = name

    @property
    def person(self):
        return self.desk.store.person(self.identity)

    def ask(self, text):
        return self.desk.ask(Question(text, self.person, "slack"))

    def do(self, what, about="", **filled):
        asked = Asked(what, about, self.person, "slack", "T1", "nl", self.name, filled or None)
        return self.coach.do(asked)

    def tap(self, screen, label):
        button = next(one for one in buttons(screen) if label in one.label)
        return self.do(button.do, button.about)

    def fill_in(self, form, **filled):
        assert isinstance(form, Form), form
        asked = Asked(form.do, form.about, self.person, "slack", "T1", "nl", self.name, filled)
        return self.coach.do(asked)

    def told(self):
        """What reached them since they looked last."""
        for one in self.coach.outgoing("slack"):
            self.coach.sent(one)
            self.post.setdefault(one.to, []).append(one.panel)
        return self.post.pop(self.identity, [])


def buttons(screen):
    for item in screen.items if isinstance(screen, Panel) else ():
        if isinstance(item, Row | Entry):
            yield from item.buttons
    yield from screen.others if isinstance(screen, Form) else ()


def text_of(screen):
    match screen:
        case Told():
            return screen.sentence
        case Form():
            return " ".join([screen.title, *(f"{one.label} {one.value} {one.error}" for one in screen.fields)])
    said = [screen.title]
    for item in screen.items:
        match item:
            case Line():
                said.append(item.text)
            case Entry():
                said += [item.title, item.detail]
            case Given():
                said.append(" ".join(part.text for part in item.answer.card.first) if item.answer.card else "")
    return "\n".join(said)


@pytest.fixture
def desk(store):
    made = make_desk(store, (MOVE, GAS))
    made.now = lambda: TODAY
    return made


@pytest.fixture
def anna(desk):
    return Somebody(desk, "U-ANNA", Role.COACH, "Anna")


@pytest.fixture
def bob(desk):
    return Somebody(desk, "U-BOB", Role.COACH, "Bob")


@pytest.fixture
def jan(desk):
    return Somebody(desk, "U-JAN")


@pytest.fixture
def piet(desk):
    return Somebody(desk, "U-PIET")


def written(coach, wordings=ASKED, answer=ANSWER, about=""):
    return coach.fill_in(coach.do("add", about), answer=answer, wordings=wordings)


def saved(coach, screen):
    return coach.tap(screen, nl("coach.publish"))


# -- the whole story ---------------------------------------------------------------------------------------------------
def test_what_two_people_asked_is_one_question_and_both_are_told_once_when_a_coach_answers_it(desk, anna, jan, piet):
    assert jan.ask(ASKED).outcome is Outcome.UNANSWERED
    piet.ask(ASKED.upper() + "?")
    queue = anna.do("queue")
    assert nl("home.queue", count="1") in text_of(queue)
    assert nl("queue.colleagues", count="2") in text_of(queue)
    assert nl("queue.why.refused") in text_of(queue)
    question = anna.tap(queue, nl("button.open"))
    form = anna.tap(question, nl("queue.answer"))
    assert next(one.value for one in form.fields if one.name == "wordings").startswith(ASKED)
    done = saved(anna, anna.fill_in(form, answer=ANSWER, wordings=ASKED))
    assert "hoort het van mij" in text_of(done)
    for somebody in (jan, piet):
        [panel] = somebody.told()
        assert ASKED in text_of(panel).lower()
        assert "Anna" in text_of(panel)
        assert "Vraag de koopakte." in text_of(panel)
        assert somebody.told() == []
    again = jan.ask(ASKED)
    assert again.outcome is Outcome.ANSWERED
    assert again.card.source == nl("source.quick", owner="Anna")
    assert "Ik zoek het voor u na." in again.card.say[0]
    assert anna.do("queue").items == (Line(nl("home.queue_none")),)


def test_somebody_who_asks_for_a_coach_is_not_asked_about_twice(anna, jan):
    answer = jan.ask(ASKED)
    assert nl("coach.asked") in text_of(jan.do("ask_coach", answer.id))
    assert nl("coach.again") in text_of(jan.do("ask_coach", answer.id))
    assert nl("queue.colleague") in text_of(anna.do("queue"))


@pytest.mark.parametrize("reason", ["outdated", "mandate", "process"])
def test_what_is_wrong_with_an_answer_puts_it_on_the_list(desk, anna, jan, reason):
    answer = jan.ask("verhuizing doorgeven")
    desk.rate(Feedback(answer.id, jan.person.id, helpful=False, reason=reason))
    assert nl(f"queue.why.{reason}") in text_of(anna.do("queue"))


def test_the_question_that_weighs_most_comes_first_and_a_customer_on_the_line_before_that(anna, jan, piet):
    jan.ask("wat is een foxtrot")
    for somebody in (jan, piet):
        somebody.ask(ASKED)
    titles = [one.title for one in anna.do("queue").items]
    assert titles == [ASKED, "wat is een foxtrot"]
    jan.do("urgent", jan.ask("klant wacht op zijn tango").id)
    assert anna.do("queue").items[0].title == "klant wacht op zijn tango"


def test_a_question_that_is_in_an_article_already_gets_its_words_and_its_askers_are_told(desk, anna, jan):
    jan.ask("wat is een foxtrot")
    anna.do("queue")
    question = anna.do("question", "1")
    done = anna.do("point", "1|move")
    assert question.title == "wat is een foxtrot"
    assert "Verhuizing doorgeven" in text_of(done)
    assert desk.store.article("move").aliases == ("wat is een foxtrot",)
    assert "Vraag de postcode." in text_of(jan.told()[0])
    assert jan.ask("wat is een foxtrot").card.article_id == "move"


def test_whoever_may_not_see_the_article_is_told_whom_to_ask(desk, anna, jan):
    jan.ask("wat is een foxtrot")
    anna.do("queue")
    shelve(desk.store, desk.embedder, [replace(MOVE, audience=("zakelijk",))])
    anna.do("panel")
    anna.do("point", "1|move")
    [told] = jan.told()
    assert nl("coach.told_gone", name="Anna") in text_of(told)
    assert "postcode" not in text_of(told)


def test_a_declined_question_tells_its_askers_why(anna, jan):
    jan.ask(ASKED)
    form = anna.do("decline", "1") if anna.do("queue") else None
    assert nl("coach.error.nothing") in anna.fill_in(form, reason=" ").errors["reason"]
    anna.fill_in(form, reason="Dat weten we pas in januari.")
    assert "Dat weten we pas in januari." in text_of(jan.told()[0])
    assert anna.do("queue").items == (Line(nl("home.queue_none")),)


def test_one_coach_takes_a_question_and_the_other_is_told_so(anna, bob, jan):
    jan.ask(ASKED)
    anna.do("queue")
    anna.do("take", "1")
    assert nl("queue.taken_by", coach="Anna") in text_of(bob.do("take", "1"))
    assert nl("queue.taken", coach="Anna") in text_of(bob.do("queue"))


def test_a_coach_joins_what_is_the_same_question_in_other_words(anna, jan, piet):
    jan.ask("panelen mee verhuizen kan dat")
    piet.ask("kan dat: panelen mee verhuizen naar elders")
    assert nl("home.queue", count="2") in text_of(anna.do("queue"))
    screen = anna.do("question", "1")
    assert nl("queue.alike") in text_of(screen)
    anna.tap(screen, nl("queue.join"))
    assert nl("queue.colleagues", count="2") in text_of(anna.do("queue"))
    anna.do("point", "1|move")
    assert len(jan.told()) == len(piet.told()) == 1


def test_a_coach_sees_what_was_said_shortly_before_a_question(desk, anna, jan):
    inbox = Inbox(desk)
    for number, (text, minutes) in enumerate(
        [("lang geleden", 40), ("klant heeft panelen", 3), ("op een huurhuis", 2), (ASKED, 0)]
    ):
        desk.now = lambda minutes=minutes: TODAY - timedelta(minutes=minutes)
        event = Event("slack", "T1", "D1", str(number), "U-JAN", text, {})
        inbox.receive(event)
        inbox.handle(event)
    question = next(one for one in anna.do("queue").items if one.title == ASKED)
    said = text_of(anna.do(question.buttons[0].do, question.buttons[0].about))
    assert nl("queue.before", text="klant heeft panelen / op een huurhuis") in said
    assert "lang geleden" not in said


def test_a_process_that_does_not_work_names_whose_it_is(desk, anna, jan):
    shelve(desk.store, desk.embedder, [replace(MOVE, owner="Team Verhuizen")])
    answer = jan.ask("verhuizing doorgeven")
    desk.rate(Feedback(answer.id, jan.person.id, helpful=False, reason="process"))
    question = anna.do("queue").items[0]
    assert nl("queue.owner", owner="Team Verhuizen") in text_of(anna.tap(anna.do("queue"), nl("button.open")))
    assert question.title == "verhuizing doorgeven"


def test_what_people_may_not_decide_themselves_is_counted_per_article_from_five_up(desk, anna):
    for number in range(5):
        said = text_of(anna.do("stats"))
        assert nl("stats.friction") not in said
        somebody = Somebody(desk, f"U-{number}")
        answer = somebody.ask("verhuizing doorgeven")
        desk.rate(Feedback(answer.id, somebody.person.id, helpful=False, reason="mandate"))
    assert "Verhuizing doorgeven: 5" in text_of(anna.do("stats"))


# -- a customer on the line --------------------------------------------------------------------------------------------
def test_a_customer_on_the_line_reaches_a_coach_at_once_and_a_second_one_after_two_minutes(desk, anna, bob, jan):
    anna.do("panel"), bob.do("panel")
    said = text_of(jan.do("urgent", jan.ask(ASKED).id))
    assert said == nl("coach.called", coach="Anna")
    assert ASKED in text_of(anna.told()[0])
    assert bob.told() == []
    desk.now = lambda: TODAY + timedelta(minutes=2)
    assert ASKED in text_of(bob.told()[0])
    bob.tap(bob.do("question", "1"), nl("queue.take"))
    assert nl("coach.taken", coach="Bob") in text_of(jan.told()[0])
    desk.now = lambda: TODAY + timedelta(minutes=10)
    assert anna.told() == jan.told() == []


def test_when_no_coach_reacts_the_asker_is_told_to_agree_a_call_back(desk, anna, jan):
    jan.do("urgent", jan.ask(ASKED).id)
    anna.told()
    desk.now = lambda: TODAY + timedelta(minutes=3)
    assert nl("coach.left") in text_of(jan.told()[0])
    assert jan.told() == []


def test_outside_their_hours_nothing_is_promised(desk, anna, jan):
    desk.store.set_hours(anna.person.id, Hours((1, 2, 3, 4, 5), "08:30", "12:00"))
    assert TODAY.astimezone(AMSTERDAM).hour == 13
    said = text_of(jan.do("urgent", jan.ask(ASKED).id))
    assert said == nl("coach.nobody", time="dinsdag 08:30")
    assert anna.told() == []


def test_hours_are_filled_in_and_wrong_ones_named(desk, anna):
    form = anna.do("hours")
    wrong = anna.fill_in(form, days="1,2", start="25:00", end="12:00")
    assert wrong.errors == {"start": nl("coach.error.time")}
    anna.fill_in(form, days="1,2", start="08:00", end="12:00")
    assert desk.store.colleagues()[0].hours == Hours((1, 2), "08:00", "12:00")


# -- who may -----------------------------------------------------------------------------------------------------------
def test_whoever_is_no_coach_gets_a_refusal_for_everything_that_is_a_coachs_and_it_is_noted(desk, jan):
    names = jan.coach._for_coaches
    for name in names:
        assert jan.do(name, "move", text="x", answer="x", wordings="x") == Told(nl("command.not_yours"), "nl"), name
    assert desk.store.facts()["refusal"] == len(names)
    assert desk.store.article("move").version == 1


def test_what_is_not_there_is_said_and_nothing_breaks(anna):
    for name in anna.coach._for_coaches:
        for about in ("99", "weg", "99|weg", "", "question 99", "²", "١", "-1", "|", "9" * 30, "question " + "9" * 30):
            assert anna.do(name, about) is not None


def test_a_draft_is_nobody_elses(anna, bob):
    form = anna.do("add")
    assert bob.fill_in(form, answer="x", wordings="y") == Told(nl("coach.gone"), "nl")


# -- writing -----------------------------------------------------------------------------------------------------------
def test_two_fields_are_enough_and_what_they_lack_stands_next_to_them(anna):
    wrong = written(anna, wordings=" ", answer="")
    assert wrong.errors == {"answer": nl("coach.error.nothing"), "wordings": nl("coach.error.nothing")}
    assert nl("coach.published", title="Mag een klant zijn zonnepanelen meenemen") in text_of(
        saved(anna, written(anna))
    )


def test_what_was_filled_in_is_still_there_when_the_form_was_closed(anna):
    form = anna.do("add")
    anna.do("keep", f"write|{form.about}", answer="Half af", wordings="")
    assert "Half af" in text_of(anna.do("add"))
    assert nl("coach.panel.drafts") in " ".join(one.label for one in buttons(anna.do("panel")))
    anna.tap(anna.do("drafts"), nl("button.drop"))
    assert "Half af" not in text_of(anna.do("add"))


def test_saving_twice_makes_one_article(desk, anna):
    screen = written(anna)
    saved(anna, screen)
    assert saved(anna, screen) == Told(nl("coach.gone"), "nl")
    assert len(desk.store.articles()) == 3


def test_a_quick_answer_shows_its_steps_and_what_to_say(desk, anna):
    saved(anna, written(anna))
    made = next(one for one in desk.store.articles() if one.owner == "Anna")
    assert [section.title for section in made.sections] == ["In het kort", "Stappen", "Zo zeg je het"]
    assert made.language == "nl"
    assert made.verified is None
    assert (made.check_by - TODAY.date()).days == 7


def test_the_full_form_keeps_what_was_filled_in(anna):
    form = anna.do("add")
    full = anna.do("full", form.about, answer=ANSWER, wordings=ASKED)
    values = {one.name: one.value for one in full.fields}
    assert values["title"] == "Mag een klant zijn zonnepanelen meenemen"
    assert values["steps"] == "1. Vraag de koopakte.\n2. Leg het vast."


def test_customer_data_is_shown_and_must_be_taken_out_or_confirmed(desk, anna):
    screen = written(anna, answer="Bel mevrouw op 06-12345678.\n1. Vraag het.")
    assert "telefoonnummer" in text_of(screen) or "phone" in text_of(screen)
    assert nl("coach.publish") not in [one.label for one in buttons(screen)]
    draft = next(one.about for one in buttons(screen) if one.do == "clean")
    assert isinstance(anna.do("publish", draft), Panel), "not saved"
    assert len(desk.store.articles()) == 2
    saved(anna, anna.tap(screen, nl("coach.clean")))
    made = next(one for one in desk.store.articles() if one.owner == "Anna")
    assert "12345678" not in made.body


def test_what_it_resembles_is_offered_to_be_added_to(desk, anna, monkeypatch):
    monkeypatch.setattr("core.coach_writing.resembling", lambda *args, **more: [MOVE])
    screen = written(anna)
    assert nl("dup.found", title="Verhuizing doorgeven") in text_of(screen)
    form = anna.tap(screen, nl("dup.update"))
    values = {one.name: one.value for one in form.fields}
    assert values["title"] == "Verhuizing doorgeven"
    assert ASKED in values["wordings"].lower()
    assert "Vraag de koopakte." in values["steps"]
    saved(anna, anna.fill_in(form))
    assert "Vraag de koopakte." in desk.store.article("move").body
    assert desk.store.article("move").version == 2


def test_a_question_answered_by_adding_to_an_article_tells_its_askers(desk, anna, jan, monkeypatch):
    jan.ask(ASKED)
    monkeypatch.setattr("core.coach_writing.resembling", lambda *args, **more: [MOVE])
    anna.do("queue")
    screen = written(anna, about="question 1")
    saved(anna, anna.fill_in(anna.tap(screen, nl("dup.update"))))
    assert "Vraag de koopakte." in text_of(jan.told()[0])
    assert anna.do("queue").items == (Line(nl("home.queue_none")),)


def test_of_two_coaches_at_once_each_keeps_their_part(desk, anna, bob):
    hers, his = anna.do("edit", "move"), bob.do("edit", "move")
    saved(anna, anna.fill_in(hers, steps="1. Vraag de nieuwe postcode."))
    screen = saved(bob, bob.fill_in(his, verdict="Ja, dat kan."))
    saved(bob, screen)
    body = desk.store.article("move").body
    assert "nieuwe postcode" in body
    assert "Ja, dat kan." in body


def test_what_two_coaches_both_changed_is_shown_to_the_second_and_nothing_is_lost(desk, anna, bob):
    hers, his = anna.do("edit", "move"), bob.do("edit", "move")
    saved(anna, anna.fill_in(hers, steps="1. Van Anna."))
    form = saved(bob, bob.fill_in(his, steps="1. Van Bob."))
    assert form.errors == {"steps": nl("coach.error.both")}
    assert "Van Bob." in text_of(form)
    assert "Van Anna." in text_of(form)
    assert "Van Anna." in desk.store.article("move").body
    saved(bob, bob.fill_in(form, steps="1. Van Anna en Bob."))
    assert "Van Anna en Bob." in desk.store.article("move").body


def test_history_tells_who_did_what_and_any_version_comes_back(desk, anna):
    saved(anna, anna.fill_in(anna.do("edit", "move"), verdict="Ja."))
    history = anna.do("history", "move")
    assert "Anna" in text_of(history)
    assert [one.title.split(" ")[0] for one in history.items] == ["2", "1"]
    anna.tap(history, nl("coach.restore"))
    assert desk.store.article("move").body == MOVE.body
    assert desk.store.article("move").version == 3


def test_still_right_is_one_tap_and_retired_is_shown_no_more(desk, anna, jan):
    anna.do("verify", "move")
    assert desk.store.article("move").verified == TODAY.date()
    anna.tap(anna.do("retire", "move"), nl("coach.retire_now"))
    assert desk.store.article("move").status is Status.RETIRED
    assert jan.ask("verhuizing doorgeven").card is None


def test_what_should_have_been_checked_is_ranked_by_how_many_answers_rest_on_it(desk, anna, jan):
    for name, title in (("a", "Factuur kwijt"), ("b", "Meter kapot")):
        shelve(
            desk.store,
            desk.embedder,
            [
                article(
                    f"---\ntitle: {title}\nverified: 2025-01-01\nverify_every: 30\n---\n## Stappen\n1. Doe iets.\n",
                    name,
                )
            ],
        )
    jan.ask("meter kapot")
    assert [one.title for one in anna.do("stale").items] == ["Meter kapot", "Factuur kwijt"]


# -- critical articles -------------------------------------------------------------------------------------------------
def test_a_critical_article_changes_only_when_a_second_coach_agrees(desk, anna, bob):
    edited = anna.fill_in(anna.do("edit", "gas"), steps="1. Raam dicht.")
    assert nl("critical.proposed") in text_of(saved(anna, edited))
    assert desk.store.article("gas").body == GAS.body
    assert nl("critical.not_you") in text_of(anna.do("agree", "1"))
    assert "Anna" in text_of(bob.told()[0])
    assert "Raam dicht." in text_of(bob.do("approve", "1"))
    bob.do("agree", "1")
    assert "Raam dicht." in desk.store.article("gas").body
    assert bob.do("agree", "1") == Told(nl("coach.gone"), "nl")


def test_a_change_of_a_critical_article_is_announced_once_a_second_coach_agrees(anna, bob, jan):
    form = anna.do("change", "gas")
    anna.fill_in(form, new="bel eerst 112", since="2026-11-23", loudness="loud")
    assert jan.told() == []
    bob.do("agree", "1")
    assert "bel eerst 112" in text_of(jan.told()[0])


def test_a_critical_article_cannot_be_changed_by_the_only_coach(desk, anna):
    for what in ("verify", "retire_now"):
        assert nl("critical.alone") in text_of(anna.do(what, "gas"))
    assert desk.store.article("gas").version == 1


# -- changes, notices, tips --------------------------------------------------------------------------------------------
def test_a_loud_change_is_told_read_and_counted_without_names(desk, anna, jan, piet):
    form = anna.do("change", "move")
    done = anna.fill_in(form, new="ook per chat", old="alleen per telefoon", since="2026-11-23", loudness="loud")
    assert nl("change.done_loud") in text_of(done)
    panel = jan.told()[0]
    assert "ook per chat" in text_of(panel)
    assert nl("change.thanks") in text_of(jan.tap(panel, nl("change.read")))
    assert nl("change.few") in text_of(anna.do("changes"))
    others = [Somebody(desk, f"U-{number}") for number in range(4)]
    anna.fill_in(form, new="ook per mail", since="2026-11-24", loudness="loud")
    assert others
    assert nl("change.landed", told="6", read="0", asked="0") in text_of(anna.do("changes"))


def test_a_change_to_come_is_told_as_such_beside_the_one_in_force(anna, jan):
    form = anna.do("change", "move")
    anna.fill_in(form, new="ook per chat", since="2026-10-01", loudness="silent")
    anna.fill_in(form, new="alleen per app", old="ook per chat", since="2027-01-01", loudness="loud")
    said = text_of(jan.told()[0])
    assert "Vanaf 1 januari 2027: alleen per app" in said
    assert "nu nog ook per chat" in said


def test_whoever_did_not_read_a_loud_change_is_reminded_once(desk, anna, jan):
    anna.fill_in(anna.do("change", "move"), new="ook per chat", since="2026-11-23", loudness="loud")
    assert len(jan.told()) == 1
    desk.now = lambda: TODAY + timedelta(days=3, minutes=1)
    assert nl("change.remind", title="Verhuizing doorgeven") in [one.title for one in jan.told()]
    desk.now = lambda: TODAY + timedelta(days=9)
    assert [one.title for one in jan.told() if "Nog even" in one.title] == []


def test_a_change_waits_while_somebody_is_at_work_on_a_question(desk, anna, jan):
    anna.fill_in(anna.do("change", "move"), new="ook per chat", since="2026-11-23", loudness="loud")
    event = Event("slack", "T1", "D1", "1", "U-JAN", "hoi", {})
    desk.store.receive(event, desk.now())
    assert jan.told() == []
    desk.now = lambda: TODAY + timedelta(minutes=11)
    assert len(jan.told()) == 1


def test_a_question_about_a_change_is_put_to_a_coach(anna, jan):
    anna.fill_in(anna.do("change", "move"), new="ook per chat", since="2026-11-23", loudness="loud")
    form = jan.tap(jan.told()[0], nl("change.question"))
    jan.fill_in(form, text="ook voor zakelijk?")
    assert "ook voor zakelijk?" in text_of(anna.do("queue"))


def test_a_notice_stands_on_every_answer_on_its_topic_until_its_time(desk, anna, jan):
    said = text_of(anna.do("notice", "Kompas is traag tot 16:00 verhuizen"))
    assert "16:00" in said
    assert nl("notice.shown", time="16:00", text="Kompas is traag") in jan.ask("verhuizing doorgeven").notices
    assert jan.ask("gas ruiken").notices == ()
    desk.now = lambda: datetime(2026, 11, 23, 15, 0, tzinfo=TODAY.tzinfo)
    assert jan.ask("verhuizing doorgeven").notices == ()


def test_a_notice_without_a_time_gets_a_form_that_names_what_is_wrong(anna):
    form = anna.do("notice", "Kompas is traag")
    wrong = anna.fill_in(form, text="Kompas is traag", until="straks", topic="Bestaat niet")
    assert set(wrong.errors) == {"until", "topic"}


def test_a_tip_is_shown_below_the_answer_once_a_coach_agrees(anna, jan):
    jan.name = "Jan"
    answer = jan.ask("verhuizing doorgeven")
    form = jan.tap(jan.do("helped", answer.id), nl("coach.tip"))
    assert nl("coach.error.nothing") == jan.fill_in(form, text="  ").errors["text"]
    jan.fill_in(form, text="Vraag eerst naar de sleutel.", signed="yes")

    def more():
        return " ".join(part.text for part in jan.ask("verhuizing doorgeven").card.more)

    assert "sleutel" not in more()
    anna.tap(anna.do("tips"), nl("tip.show"))
    assert nl("tip.of", text="Vraag eerst naar de sleutel.", name="Jan") in more()


def test_what_can_wait_comes_in_one_bundle_a_day_and_is_muted_with_a_tap(desk, anna, jan):
    anna.fill_in(anna.do("change", "move"), new="ook per chat", since="2026-11-23", loudness="quiet")
    jan.ask(ASKED)
    assert jan.told() == anna.told() == []
    desk.now = lambda: TODAY + timedelta(hours=20, minutes=30)
    [hers], [his] = anna.told(), jan.told()
    assert "Verhuizing doorgeven" in text_of(his)
    assert [one.do for one in buttons(hers)] == ["queue", "mute"]
    assert jan.told() == anna.told() == []
    jan.tap(his, nl("bundle.mute"))
    anna.fill_in(anna.do("change", "move"), new="ook per mail", since="2026-11-24", loudness="quiet")
    desk.now = lambda: TODAY + timedelta(hours=44, minutes=30)
    desk2 = make_desk(desk.store)
    desk2.now = desk.now
    assert Somebody(desk2, "U-JAN").told() == []


# -- trust -------------------------------------------------------------------------------------------------------------
def test_coaches_never_see_who_asked(anna, jan):
    jan.name = "Jan Jansen"
    answer = jan.ask(ASKED)
    jan.do("ask_coach", answer.id)
    for screen in (anna.do("queue"), anna.do("question", "1"), anna.do("panel")):
        assert not re.search("Jan|U-JAN", text_of(screen))
        assert jan.person.id not in repr(list(buttons(screen)))


def test_what_somebody_shares_reaches_the_coach_of_their_choice_with_their_name(anna, bob, jan):
    anna.do("panel"), bob.do("panel")
    jan.name = "Jan"
    answer = jan.ask("verhuizing doorgeven")
    jan.tap(jan.do("share", answer.id), "Bob")
    assert "Jan" in text_of(bob.told()[0])
    assert anna.told() == []


def test_history_of_ones_own_is_off_until_switched_on_and_then_shows_what_changed_first(desk, anna, jan):
    jan.ask("verhuizing doorgeven")
    assert desk.store.facts()["seen"] == 0
    jan.do("mine_on")
    jan.ask("verhuizing doorgeven")
    desk.now = lambda: TODAY + timedelta(days=2)
    anna.fill_in(anna.do("change", "move"), new="ook per chat", since="2026-11-24", loudness="silent")
    assert jan.ask("verhuizing doorgeven").moment is Moment.CHANGE
    assert jan.ask("verhuizing doorgeven").moment is Moment.APPLY
    jan.do("mine_off")
    assert desk.store.facts()["seen"] == 0


edits = st.sampled_from(["verdict", "steps", "background", "title", "verify", "retire", "restore"])


@given(st.lists(st.tuples(edits, st.text(st.sampled_from("ab #.\n1"), min_size=1, max_size=20)), max_size=8))
def test_the_last_of_its_history_is_the_article_and_every_version_comes_back(tmp_path_factory, made):
    with closing(open_store(tmp_path_factory.mktemp("history") / "b.db")) as store:
        desk = make_desk(store, (MOVE,))
        anna = Somebody(desk, "U-ANNA", Role.COACH, "Anna")
        for what, text in made:
            now = desk.store.article("move")
            match what:
                case "verify":
                    anna.do("verify", "move")
                case "retire":
                    anna.do("retire_now", "move")
                case "restore":
                    anna.do("restore", "move|1")
                case _:
                    screen = anna.fill_in(anna.do("edit", "move"), **{what: text})
                    if isinstance(screen, Panel):
                        saved(anna, screen)
                    else:
                        anna.do("drop", screen.about)
            versions = desk.store.versions("move")
            assert replace(versions[0].article, version=0) == replace(desk.store.article("move"), version=0)
            assert [one.number for one in versions] == list(range(len(versions), 0, -1))
            assert desk.store.article("move").version == now.version or desk.store.article("move") != now
        first = desk.store.versions("move")[-1]
        assert replace(first.article, version=0) == replace(MOVE, version=0)


# -- how they asked it -------------------------------------------------------------------------------------------------
def test_a_question_that_helped_finds_its_article_from_then_on(desk, anna, jan):
    asked = "verhuizing doorgeven, meneer kast"
    answer = jan.ask(asked)
    assert answer.card.article_id == "move"
    before = jan.ask("meneer kast").confidence
    assert nl("coach.panel.wordings") not in str(anna.do("panel"))
    desk.rate(Feedback(answer.id, jan.person.id, helpful=True))
    assert nl("coach.panel.wordings") + ": 1" in str(anna.do("panel"))
    panel = anna.do("wordings")
    assert asked in text_of(panel)
    assert "jan" not in str(panel).casefold()
    assert nl("wording.none") in text_of(anna.tap(panel, nl("wording.keep")))
    assert asked in desk.store.article("move").aliases
    assert jan.ask("meneer kast").confidence > before
    assert nl("wording.none") in text_of(anna.do("wordings"))


def test_a_wording_that_a_coach_leaves_is_not_offered_again(desk, anna, jan):
    for _ in range(2):
        answer = jan.ask("verhuizing doorgeven nu")
        desk.rate(Feedback(answer.id, jan.person.id, helpful=True))
    anna.tap(anna.do("wordings"), nl("wording.leave"))
    assert nl("wording.none") in text_of(anna.do("wordings"))
    assert desk.store.article("move").aliases == ()


@pytest.mark.parametrize(
    "text", ["verhuizing", "verhuizing doorgeven", "gas ruiken in huis", "verhuizing doorgeven a@b.nl"]
)
def test_what_is_bare_known_dangerous_or_scrubbed_is_no_wording(desk, anna, jan, text):
    answer = jan.ask(text)
    assert answer.card
    desk.rate(Feedback(answer.id, jan.person.id, helpful=True))
    assert nl("wording.none") in text_of(anna.do("wordings"))
    anna.do("wording_keep", answer.id)
    assert all(one.aliases == () for one in desk.store.articles())


def test_only_coaches_decide_how_articles_are_known(desk, jan):
    answer = jan.ask("verhuizing doorgeven nu")
    assert nl("command.not_yours") in text_of(jan.do("wording_keep", answer.id))
    assert desk.store.article("move").aliases == ()


# -- judging -----------------------------------------------------------------------------------------------------------
def test_a_coach_judges_answers_one_by_one_each_question_once(desk, anna, jan):
    jan.ask("verhuizing doorgeven")
    jan.ask("verhuizing doorgeven")
    jan.ask("gas")
    seen = []
    panel = anna.do("judge")
    for done in (1, 2):
        seen.append(next(item.answer.question for item in panel.items if isinstance(item, Given)))
        panel = anna.tap(panel, nl("judge.right"))
        assert nl("judge.count", done=str(done), enough="40") in text_of(panel)
    assert sorted(seen) == ["gas", "verhuizing doorgeven"]
    assert nl("judge.none") in text_of(panel)
    assert [verdict for _, verdict in desk.store.verdicts()] == ["right", "right"]


def test_of_a_refusal_the_nearest_article_is_judged(desk, anna, jan):
    answer = jan.ask("iets heel anders dan dit")
    assert answer.outcome is Outcome.UNANSWERED
    panel = anna.do("judge")
    assert answer.alternatives[0].title in text_of(panel)
    anna.tap(panel, nl("judge.nothing"))
    assert [verdict for _, verdict in desk.store.verdicts()] == ["nothing"]


def test_nobody_judges_what_they_may_not_see(desk, anna, jan):
    secret = article("---\ntitle: Geheim tarief\naudience: [retentie]\n---\nHet is laag.\n", "secret")
    shelve(desk.store, desk.embedder, [secret])
    desk.store.set_person(jan.identity, audience=["retentie"])
    assert jan.ask("geheim tarief").card.article_id == "secret"
    assert nl("judge.none") in text_of(anna.do("judge"))
    assert nl("command.not_yours") in text_of(jan.do("judge"))


def test_a_judgement_goes_with_its_answer(desk, anna, jan):
    answer = jan.ask("gas")
    anna.tap(anna.do("judge"), nl("judge.wrong"))
    with desk.store.write() as db:
        db.execute("delete from answer where id = ?", [answer.id])
    assert desk.store.verdicts() == []
    assert nl("coach.gone") in text_of(anna.do("judge_right", answer.id))


# -- words -------------------------------------------------------------------------------------------------------------
def test_a_word_that_a_coach_teaches_is_understood_in_the_next_question(anna, jan):
    assert jan.ask("verkassen").outcome is Outcome.UNANSWERED
    assert nl("term.learnt", said="verkassen", official="verhuizing doorgeven") in text_of(
        anna.do("terms", "verkassen = verhuizing doorgeven")
    )
    answer = jan.ask("verkassen")
    assert answer.card.article_id == "move"
    assert answer.question == "verkassen"
    anna.tap(anna.do("terms", "verkassen"), nl("term.drop"))
    assert jan.ask("verkassen").outcome is Outcome.UNANSWERED


def test_an_abbreviation_is_filled_in_and_what_is_wrong_is_named(anna, jan):
    form = anna.tap(anna.do("terms", "vh"), nl("term.add"))
    assert form.fields[0].value == "vh"
    wrong = anna.fill_in(form, said="vh", official="VH", language="fr", kind="anders")
    assert set(wrong.errors) == {"official", "language", "kind"}
    anna.fill_in(form, said="VH", official="verhuizing", language="nl", kind="abbreviation")
    assert "vh" in text_of(anna.do("terms"))
    assert jan.ask("vh doorgeven").card.article_id == "move"


def test_only_coaches_teach_words(desk, jan):
    assert nl("command.not_yours") in text_of(jan.do("terms", "gas = water"))
    assert desk.store.terms() == ()


def test_more_words_than_fit_are_counted(desk, anna):
    desk.store.set_terms([Term(f"woord{n}", "verhuizing", "nl") for n in range(13)])
    assert nl("term.more", count="3") in text_of(anna.do("terms"))
    assert nl("term.none") in text_of(anna.do("terms", "onbekend"))
