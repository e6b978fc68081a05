"""What every store promises of what comes after an answer: kept for later, brought to a coach, "did it work out?"."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import NotFoundError
from core.model import Answer, Card, Event, Feedback, Outcome, Person, Place, Request, Role
from core.store import Identity
from core.store.sqlite import open_store

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASKED = (NOW - 6 * HOUR, NOW - HOUR)
TODAY = NOW - 24 * HOUR
JAN = Identity("slack", "T1", "U-JAN")
PIET = Identity("slack", "T1", "U-PIET")
CARD = Card("nl/bon", 1, "Ruilen zonder bon", "nl", "retour", critical=False, first=(), more=())


@pytest.fixture(params=["sqlite"])
def url(request, tmp_path):
    return f"{request.param}:///{tmp_path / 'bijdehand.db'}"


@pytest.fixture
def store(url):
    with closing(open_store(url)) as opened:
        yield opened


def given(store, answer_id="a1", identity=JAN, at=NOW - 3 * HOUR, **options):
    """An answer that somebody got."""
    answer = replace(Answer(answer_id, Outcome.ANSWERED, "nl", "mag dit?", card=CARD), **options)
    store.record(answer, store.person(identity), identity.surface, at, team=identity.team)
    return answer


# -- for later -----------------------------------------------------------------------------------------------


def test_what_somebody_puts_aside_is_listed_once_the_latest_first(store):
    answers = [given(store, key) for key in ("a1", "a2", "a3")]
    jan = store.person(JAN)
    for answer in [*answers, answers[0]]:
        store.keep_for_later(answer.id, jan.id, NOW)
    assert store.kept_for_later(jan.id) == answers[::-1]
    assert store.kept_for_later(jan.id, 1) == [answers[2]]
    assert store.kept_for_later(store.person(PIET).id) == []


def test_what_is_done_with_is_taken_off(store):
    answer, jan, piet = given(store), store.person(JAN), store.person(PIET)
    for person in (jan, piet):
        store.keep_for_later(answer.id, person.id, NOW)
    for _ in range(2):
        store.drop_for_later(answer.id, jan.id)
    assert store.kept_for_later(jan.id) == []
    assert store.kept_for_later(piet.id) == [answer]


@pytest.mark.parametrize("act", ["keep_for_later", "request"])
def test_only_an_answer_that_was_given_to_somebody_known_can_be_kept_or_brought_to_a_coach(store, act):
    jan = store.person(JAN)
    with pytest.raises(NotFoundError, match="no answer a1"):
        getattr(store, act)("a1", jan.id, NOW)
    given(store)
    with pytest.raises(NotFoundError, match="no person nobody"):
        getattr(store, act)("a1", "nobody", NOW)


# -- for a coach ---------------------------------------------------------------------------------------------


def test_open_requests_are_listed_the_oldest_first(store):
    first, second = given(store, "a1"), given(store, "a2", PIET)
    jan, piet = store.person(JAN), store.person(PIET)
    assert store.request("a2", piet.id, NOW)
    assert store.request("a1", jan.id, NOW - HOUR)
    [older, newer] = store.requests()
    assert older == Request(older.id, first, jan.id, "slack", NOW - HOUR)
    assert newer == Request(newer.id, second, piet.id, "slack", NOW)
    assert store.requests(person_id=piet.id) == [newer]
    assert store.requests(most=1) == [older]
    assert older.id != newer.id


def test_somebody_asks_a_coach_about_an_answer_once(store):
    given(store)
    jan, piet = store.person(JAN), store.person(PIET)
    assert store.request("a1", jan.id, NOW)
    assert not store.request("a1", jan.id, NOW + HOUR)
    assert store.request("a1", piet.id, NOW)
    assert [request.at for request in store.requests()] == [NOW, NOW]


def test_the_number_of_a_request_is_not_given_out_again(store):
    event = Event("slack", "T1", "C1", "1", "U-JAN", "mag dit?", {})
    store.receive(event, NOW)
    jan = store.person(JAN)
    store.finish(event, Answer("a1", Outcome.UNANSWERED, "nl", "mag dit?"), jan, NOW)
    store.request("a1", jan.id, NOW)
    [gone] = store.requests()
    store.withdraw("slack", "T1", "C1", "1")
    assert store.requests() == []
    given(store, "a2")
    store.request("a2", jan.id, NOW)
    assert store.requests()[0].id != gone.id


def test_coaches_and_admins_are_counted(store):
    assert store.coaches() == 0
    for number, role in enumerate([Role.COACH, Role.ADMIN, Role.AGENT]):
        store.set_person(replace(JAN, user=str(number)), role=role)
    assert store.coaches() == 2


# -- did it work out? ----------------------------------------------------------------------------------------


def check(store, now=NOW, surface="slack", quiet_since=TODAY):
    return store.to_check(surface, ASKED, quiet_since, now)


def test_whoever_got_an_article_some_hours_ago_is_asked_about_their_latest(store):
    given(store, "a1", at=NOW - 4 * HOUR)
    latest = given(store, "a2", at=NOW - 3 * HOUR)
    other = given(store, "a3", PIET, at=NOW - 2 * HOUR)
    given(store, "a4", outcome=Outcome.UNANSWERED, card=None, at=NOW - 2 * HOUR)
    assert check(store) == [(JAN, latest), (PIET, other)]


def test_both_ends_of_the_time_asked_for_belong_to_it(store):
    moments = [ASKED[0] - HOUR, ASKED[0], ASKED[1], ASKED[1] + timedelta(seconds=1)]
    for number, at in enumerate(moments):
        given(store, f"a{number}", replace(JAN, user=str(number)), at=at)
    assert [answer.id for _, answer in check(store)] == ["a1", "a2"]


def test_nobody_is_asked_twice_until_they_had_their_rest(store):
    answer = given(store)
    assert len(check(store)) == 1
    assert check(store) == []
    assert check(store, NOW + timedelta(minutes=1), quiet_since=NOW) == [(JAN, answer)]


def test_whoever_was_asked_about_a_withdrawn_message_had_their_turn(store):
    event = Event("slack", "T1", "C1", "1", "U-JAN", "mag dit?", {})
    store.receive(event, NOW - 3 * HOUR)
    asked = Answer("a1", Outcome.ANSWERED, "nl", "mag dit?", card=CARD)
    store.finish(event, asked, store.person(JAN), NOW - 3 * HOUR)
    given(store, "a0", at=NOW - 4 * HOUR)
    assert check(store) == [(JAN, asked)]
    store.withdraw("slack", "T1", "C1", "1")
    assert check(store) == []


def test_whoever_does_not_want_to_be_asked_is_not_until_they_do_again(store):
    answer, jan = given(store), store.person(JAN)
    store.set_quiet(jan.id, quiet=True)
    assert check(store) == []
    store.set_quiet(jan.id, quiet=False)
    assert check(store) == [(JAN, answer)]


@pytest.mark.parametrize(
    "say",
    [
        lambda store, jan: store.rate(Feedback("a1", jan.id, helpful=True), NOW),
        lambda store, jan: store.rate(Feedback("a1", jan.id, reason="outdated"), NOW),
        lambda store, jan: store.request("a1", jan.id, NOW),
    ],
)
def test_whoever_said_something_of_the_answer_is_not_asked(store, say):
    given(store)
    say(store, store.person(JAN))
    assert check(store) == []


def test_whoever_said_something_of_an_earlier_answer_is_asked_about_the_latest(store):
    given(store, "a1", at=NOW - 4 * HOUR)
    latest, jan = given(store, "a2"), store.person(JAN)
    store.rate(Feedback("a1", jan.id, helpful=True), NOW)
    store.request("a1", jan.id, NOW)
    assert check(store) == [(JAN, latest)]


def test_what_a_colleague_says_of_an_answer_is_not_the_askers_word(store):
    answer = given(store)
    store.rate(Feedback("a1", store.person(PIET).id, helpful=False), NOW)
    assert check(store) == [(JAN, answer)]


@pytest.mark.parametrize("minutes", [0, 29])
@pytest.mark.parametrize(
    "ask",
    [
        lambda store, at: store.receive(Event("slack", "T1", "C1", "9", "U-JAN", "en nu?", {}), at),
        lambda store, at: given(store, "a9", at=at, outcome=Outcome.UNANSWERED, card=None),
    ],
    ids=["message", "answer"],
)
def test_whoever_just_asked_something_is_not_disturbed(store, minutes, ask):
    answer = given(store)
    given(store, "a2", PIET)
    ask(store, NOW - timedelta(minutes=minutes))
    assert [identity for identity, _ in check(store)] == [PIET]
    assert check(store, NOW + HOUR) == [(JAN, answer)]


def test_whoever_just_asked_for_help_or_took_us_in_asked_no_question(store):
    answer = given(store)
    store.receive(Event("slack", "T1", "C1", "9", "U-JAN", "help", {}), NOW, done=True)
    store.keep_address(JAN, {"conversation": "a:1"})
    store.set_reply(Place("slack", "T1", "C1"), "R1", answer.id, NOW)
    assert check(store) == [(JAN, answer)]


@pytest.mark.parametrize(
    "options",
    [{"outcome": Outcome.SUGGESTIONS}, {"outcome": Outcome.UNANSWERED, "card": None}, {"outcome": Outcome.HELP}],
)
def test_nobody_is_asked_about_what_was_no_answer(store, options):
    given(store, **options)
    assert check(store) == []


@pytest.mark.parametrize("at", [NOW - 4 * HOUR, NOW - 2 * HOUR, NOW - timedelta(minutes=45)])
def test_after_something_critical_nobody_is_asked_anything(store, at):
    given(store, "a1")
    given(store, "critical", at=at, card=replace(CARD, critical=True))
    assert check(store) == []


def test_only_who_can_be_reached_on_the_surface_is_asked(store):
    given(store, "a1", replace(JAN, surface="teams"))
    store.record(Answer("a2", Outcome.ANSWERED, "nl", "?", card=CARD), Person("nobody's"), "slack", ASKED[1])
    assert check(store) == []
    assert [identity.surface for identity, _ in check(store, surface="teams")] == ["teams"]


def test_whoever_is_known_in_two_teams_is_asked_where_they_got_the_answer(store):
    answer, jan = given(store), store.person(JAN)
    store.person(replace(JAN, team="T2", user="U-ANDERS"))
    with store.write() as db:  # the same person in both
        db.execute("update identity set person_id = ?", [jan.id])
    assert check(store) == [(JAN, answer)]


def test_nobody_is_asked_twice_by_two_that_choose_at_once(url, store):
    people = [replace(JAN, user=str(number)) for number in range(20)]
    for identity in people:
        given(store, f"a{identity.user}", identity)

    def choose(_):
        with closing(open_store(url)) as other:
            return [identity for identity, _ in check(other)]

    with ThreadPoolExecutor(4) as pool:
        chosen = [identity for share in pool.map(choose, range(4)) for identity in share]
    assert sorted(chosen, key=lambda one: int(one.user)) == people
