"""What every store promises of teams: who let us in, the words given out meanwhile, and leaving nothing behind."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import NotFoundError
from core.loop import Draft
from core.model import Answer, Card, Event, Feedback, Outcome, Person, Place
from core.store import Identity, Installation
from core.store.coaching import Told
from core.store.sqlite import open_store
from core.verdicts import Verdict

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=1)
SOON = NOW + timedelta(minutes=10)
TODAY = datetime.now(UTC)  # words are old by the clock
CARD = Card("nl/bon", 1, "Ruilen zonder bon", "nl", "retour", critical=False, first=(), more=())
OURS = Installation("slack", "", "T1", b"\x00secret\xff", NOW)
WHOLE = Installation("slack", "E1", "", b"whole", NOW)


@pytest.fixture(params=["sqlite"])
def store(request, tmp_path):
    with closing(open_store(f"{request.param}:///{tmp_path / 'bijdehand.db'}")) as opened:
        yield opened


# -- installations -------------------------------------------------------------------------------------------


def test_an_installation_comes_back_as_it_was_saved_last(store):
    assert store.installation("slack", "", "T1") is None
    store.save_installation(OURS)
    assert store.installation("slack", "", "T1") == OURS
    newer = replace(OURS, secret=b"other", at=SOON)
    store.save_installation(newer)
    assert store.installation("slack", "", "T1") == newer
    assert store.facts()["installation"] == 1


def test_a_team_without_its_own_installation_has_its_enterprises(store):
    store.save_installation(WHOLE)
    assert store.installation("slack", "E1", "T1") == WHOLE
    store.save_installation(OURS)
    assert store.installation("slack", "E1", "T1") == store.installation("slack", "", "T1") == OURS
    assert store.installation("slack", "E1", "T2") == store.installation("slack", "E1", "") == WHOLE


def test_a_team_whose_enterprise_is_not_told_has_the_only_one_there_is(store):
    store.save_installation(WHOLE)
    store.save_installation(replace(WHOLE, surface="teams", enterprise="E2"))
    store.save_installation(replace(OURS, team="T9"))
    assert store.installation("slack", "", "T1") == WHOLE
    store.save_installation(replace(WHOLE, enterprise="E2"))
    assert store.installation("slack", "", "T1") is None
    assert store.installation("slack", "E1", "T1") == WHOLE


def test_an_installation_is_nobody_elses(store):
    store.save_installation(OURS)
    store.save_installation(WHOLE)
    store.save_installation(replace(OURS, team=""))
    for name in [("teams", "", "T1"), ("teams", "E1", ""), ("slack", "E2", "T2"), ("slack", "E2", "")]:
        assert store.installation(*name) is None


# -- one-time words ------------------------------------------------------------------------------------------


def test_a_word_is_good_once(store):
    store.save_state("word", TODAY + HOUR)
    assert not store.use_state("other", TODAY)
    assert store.use_state("word", TODAY)
    assert not store.use_state("word", TODAY)


def test_a_word_is_good_until_its_time_and_then_removed(store):
    store.save_state("old", TODAY + HOUR)
    store.save_state("young", TODAY + 2 * HOUR)
    assert not store.use_state("old", TODAY + HOUR)
    assert store.facts()["state"] == 1
    assert not store.use_state("old", TODAY)
    assert store.use_state("young", TODAY + HOUR)


def test_words_that_nobody_used_do_not_pile_up(store):
    for number in range(3):
        store.save_state(f"old {number}", TODAY - HOUR)
    store.save_state("young", TODAY + HOUR)
    store.save_state("younger", TODAY + HOUR)
    assert store.facts()["state"] == 2
    assert store.use_state("young", TODAY)


def test_a_word_that_many_use_at_once_is_good_for_one(store):
    store.save_state("word", TODAY + HOUR)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: store.use_state("word", TODAY), range(8))) == 1


# -- forgetting ----------------------------------------------------------------------------------------------


def live_in(store, surface, team, *, installed=True):
    """Everything that can come from a team; the answer that came of it."""
    if installed:
        store.save_installation(replace(OURS, surface=surface, team=team))
    store.set_place(Place(surface, team, "C1", listens=True))
    event = Event(surface, team, "C1", "1", "U-JAN", f"vraag van {team}", {"channel": "C1"})
    store.receive(event, NOW - timedelta(hours=2))
    person = store.person(Identity(surface, team, "U-JAN"))
    answer = Answer(f"a {surface} {team}", Outcome.ANSWERED, "nl", event.text, card=CARD)
    store.finish(event, answer, person, NOW - timedelta(hours=2))
    opened = replace(answer, id=f"opened {surface} {team}")
    store.record(opened, person, surface, NOW - timedelta(hours=2), team=team)
    store.receive(replace(event, message_id="2"), NOW - timedelta(hours=1))
    store.receive(replace(event, message_id="3"), NOW, done=True)
    store.keep_address(Identity(surface, team, "U-JAN"), {"conversation": "a:1"})
    store.set_reply(Place(surface, team, "C1"), "R1", opened.id, NOW)
    store.keep_for_later(answer.id, person.id, NOW)
    store.request(answer.id, person.id, NOW)
    store.to_check(surface, (LONG_AGO, NOW), LONG_AGO, NOW)
    store.rate(Feedback(answer.id, person.id, helpful=True), NOW)
    store.judge(answer.id, Verdict.RIGHT, person.id, NOW)
    store.settle_wording(answer.id, NOW)
    store.keep_draft(Draft("", person.id, "add", "", {"answer": "x"}), NOW)
    store.tell(Told("told", "1", (person.id,)), NOW)
    store.note_refusal(person.id, "retire_now", "gas", NOW)
    store.set_history(person.id, on=True)
    store.last_seen(person.id, "gas", NOW, LONG_AGO)
    return answer


# What coaches did, and what hangs on that.
OF_COACHES = "question call version synced proposal notice announcement receipt tip".split()


def everything(store):
    with store.read() as db:
        tables = [name for name in db.table_names() if "sqlite" not in name]
        return {name: [tuple(row.values()) for row in db.table(name).rows] for name in tables}


def test_of_a_forgotten_team_nothing_is_left(store):
    empty = everything(store)
    live_in(store, "slack", "T1")
    filled = everything(store)
    assert {name for name in filled if not filled[name]} == {
        "article",
        "passage",
        "vector",
        "change",
        "state",
        "amount",
        "term",
        "calibration",
        *OF_COACHES,
    }
    store.forget_team("slack", "T1")
    assert everything(store) == empty


@pytest.mark.parametrize("other", [("slack", "T2"), ("teams", "T1")])
def test_another_team_and_another_surface_are_untouched(store, other):
    live_in(store, *other)
    before = everything(store)
    live_in(store, "slack", "T1")
    store.forget_team("slack", "T1")
    assert everything(store) == before


@pytest.mark.parametrize("enterprise", ["", "E1"])
def test_a_forgotten_team_leaves_its_enterprise_what_it_has(store, enterprise):
    store.save_installation(WHOLE)
    before = everything(store)
    live_in(store, "slack", "T1")
    store.forget_team("slack", "T1", enterprise)
    assert everything(store) == before


def test_of_a_forgotten_enterprise_nothing_is_left(store):
    empty = everything(store)
    store.save_installation(WHOLE)
    live_in(store, "slack", "T1", installed=False)
    live_in(store, "slack", "T2", installed=False)
    store.forget_team("slack", "", "E1")
    assert everything(store) == empty


@pytest.mark.parametrize("other", [("slack", "T2"), ("teams", "T1")])
def test_a_team_of_its_own_and_another_surface_outlive_an_enterprise(store, other):
    live_in(store, *other)
    store.save_installation(replace(WHOLE, surface="teams"))
    before = everything(store)
    store.save_installation(WHOLE)
    live_in(store, "slack", "T1", installed=False)
    store.forget_team("slack", "", "E1")
    assert everything(store) == before


def test_a_team_that_may_be_another_enterprises_is_kept(store):
    store.save_installation(replace(WHOLE, enterprise="E2"))
    live_in(store, "slack", "T1", installed=False)
    before = everything(store)
    store.save_installation(WHOLE)
    store.forget_team("slack", "", "E1")
    assert everything(store) == before
    store.forget_team("slack", "", "E2")
    assert store.people() == []


def test_to_forget_nobody_changes_nothing(store):
    store.save_installation(WHOLE)
    live_in(store, "slack", "T1")
    live_in(store, "slack", "", installed=False)
    before = everything(store)
    store.forget_team("slack", "")
    assert everything(store) == before


def test_whoever_is_known_in_another_team_stays_known_there(store):
    here, there = live_in(store, "slack", "T1"), live_in(store, "slack", "T2")
    name = Identity("slack", "T2", "U-JAN")
    jan = store.person(name)
    with store.write() as db:  # the same person in both
        for table in ("identity", "event", "answer"):
            db.execute(f"update {table} set person_id = ? where team = 'T1'", [jan.id])
    store.keep_for_later(here.id, jan.id, NOW)
    store.forget_team("slack", "T1")
    assert store.people() == [(name, jan)]
    assert store.kept_for_later(jan.id) == [there]
    assert [request.answer for request in store.requests()] == [there]
    with pytest.raises(NotFoundError):
        store.answer(here.id)


def test_of_a_forgotten_team_no_message_shows_anything_whoevers_answer_it_was(store):
    there = live_in(store, "slack", "T2")
    store.set_reply(Place("slack", "T1", "C9"), "R9", there.id, NOW)
    store.set_reply(Place("slack", "T2", "C9"), "R9", there.id, NOW)
    store.forget_team("slack", "T1")
    with pytest.raises(NotFoundError):
        store.reply(Place("slack", "T1", "C9"), "R9")
    assert store.reply(Place("slack", "T2", "C9"), "R9") == there


def test_a_person_who_never_had_a_name_on_a_platform_stays(store):
    store.record(Answer("a1", Outcome.HELP, "nl", "?"), Person("nobody's"), "terminal", NOW)
    store.forget_team("slack", "T1")
    store.rate(Feedback("a1", "nobody's", helpful=True), NOW)
    assert store.facts()["feedback"] == 1


def test_a_forgotten_team_can_come_back(store):
    live_in(store, "slack", "T1")
    store.forget_team("slack", "T1")
    assert live_in(store, "slack", "T1") == store.answer("a slack T1")
