"""What every store promises of conversations: what was said before, which answer a message of ours shows, what is
taken back, what was agreed of a place.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import NotFoundError
from core.model import Answer, Card, Event, Outcome, Place, Turn
from core.store import Identity
from core.store.sqlite import open_store

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
LEASE = timedelta(seconds=30)
JAN = Identity("slack", "T1", "U-JAN")
CARD = Card("nl/bon", 1, "Ruilen zonder bon", "nl", "retour", critical=False, first=(), more=())


@pytest.fixture(params=["sqlite"])
def store(request, tmp_path):
    with closing(open_store(f"{request.param}:///{tmp_path / 'bijdehand.db'}")) as opened:
        yield opened


def message(message_id="1", text="en zonder bon?", **options):
    said = Event("slack", "T1", "C1", message_id, "U-JAN", text, {"channel": "C1"}, thread="100.1")
    return replace(said, **options)


def answer(event, card=None):
    outcome = Outcome.ANSWERED if card else Outcome.UNANSWERED
    return Answer(
        f"a {event.surface} {event.team} {event.place} {event.message_id}", outcome, "nl", event.text, card=card
    )


def answered(store, event, now=NOW, card=None):
    store.receive(event, now)
    person = store.person(Identity(event.surface, event.team, event.user))
    return store.finish(event, answer(event, card), person, now)


def texts(store, event, since=LONG_AGO, **options):
    return [turn.text for turn in store.turns(event, since, **options)]


# -- turns ---------------------------------------------------------------------------------------------------


def test_turns_tell_who_said_what_and_which_title_they_got_oldest_first(store):
    answered(store, message("1", "mag ruilen?"), NOW, CARD)
    answered(store, message("2", "of niet?", user="U-PIET"), NOW + LEASE)
    piet = replace(JAN, user="U-PIET")
    assert store.turns(message("3"), LONG_AGO) == [
        Turn(store.person(JAN).id, "mag ruilen?", "Ruilen zonder bon", NOW),
        Turn(store.person(piet).id, "of niet?", "", NOW + LEASE),
    ]


def test_turns_are_of_the_same_conversation_only(store):
    answered(store, message("1", "hier"))
    elsewhere = [{"thread": "200.2"}, {"thread": ""}, {"place": "C2"}, {"team": "T2"}, {"surface": "teams"}]
    for number, change in enumerate(elsewhere):
        answered(store, message(f"e{number}", "daar", **change))
    assert texts(store, message("9")) == ["hier"]
    assert texts(store, message("9", thread="300.3")) == []


def test_a_thread_below_our_reply_goes_on_about_what_was_asked(store):
    store.sent(answered(store, message("1", "mag ruilen?", thread="")), NOW, message_id="R1")
    store.sent(answered(store, message("2", "iets anders", thread="")), NOW, message_id="R2")
    answered(store, message("3", "en zonder bon?", thread="R1"), NOW + LEASE)
    assert texts(store, message("4", thread="R1")) == ["mag ruilen?", "en zonder bon?"]
    assert texts(store, message("4", thread="R1"), NOW) == ["en zonder bon?"]


def test_a_thread_below_a_question_goes_on_about_it(store):
    answered(store, message("1", "mag ruilen?", thread=""))
    answered(store, message("2", "iets anders", thread=""))
    assert texts(store, message("3", thread="1")) == ["mag ruilen?"]
    assert texts(store, message("1", thread="1")) == []


def test_a_thread_is_below_nothing_said_elsewhere(store):
    for change in [{"place": "C2"}, {"team": "T2"}, {"surface": "teams"}]:
        store.sent(answered(store, message("1", thread="", **change)), NOW, message_id="R1")
    assert texts(store, message("3", thread="R1")) == texts(store, message("3", thread="1")) == []


def test_what_has_no_thread_is_below_nothing(store):
    answered(store, message("", "zonder naam"))
    answered(store, message("1", "nog niet verstuurd"))
    assert texts(store, message("2", thread="")) == []


def test_what_was_not_answered_and_the_message_itself_are_no_turns(store):
    answered(store, message("1", "eerst"))
    store.receive(message("2", "nog niet"), NOW)
    answered(store, message("3", "zelf"))
    assert texts(store, message("3", "zelf")) == ["eerst"]


def test_of_many_turns_the_latest_count(store):
    for number in range(9):
        answered(store, message(str(number), f"vraag {number}"), NOW + number * LEASE)
    assert texts(store, message("x")) == [f"vraag {number}" for number in range(3, 9)]
    assert texts(store, message("x"), most=2) == ["vraag 7", "vraag 8"]
    assert texts(store, message("x"), NOW + 7 * LEASE) == ["vraag 8"]


def test_turns_of_one_moment_are_in_the_order_they_came(store):
    for message_id in "cab":
        answered(store, message(message_id, message_id))
    assert texts(store, message("x")) == ["c", "a", "b"]


def test_what_somebody_said_who_was_forgotten_is_no_turn(store):
    answered(store, message("1", "van Jan"))
    answered(store, message("2", "van Piet", user="U-PIET"))
    with store.write() as db:
        db.execute("delete from person where id = (select person_id from identity where user = 'U-JAN')")
    assert texts(store, message("3")) == ["van Piet"]


# -- messages that are no questions --------------------------------------------------------------------------


def test_a_message_that_is_no_question_is_noted_once(store):
    assert store.receive(message(), NOW, done=True)
    assert not store.receive(message(), NOW, done=True)
    assert not store.receive(message(), NOW + 2 * LEASE)


def test_a_question_that_was_noted_is_not_new_as_a_command_and_still_gets_its_answer(store):
    store.receive(message(), NOW)
    assert not store.receive(message(), NOW, done=True)
    assert store.undone("slack", LONG_AGO, NOW) == [message()]


def test_a_message_that_is_no_question_is_nobodys_to_answer(store):
    store.receive(message(), NOW, done=True)
    assert store.undone("slack", LONG_AGO, NOW + LEASE) == []
    assert not store.lease(message(), NOW + LEASE)
    assert store.finish(message(), answer(message()), store.person(JAN), NOW) is None
    assert store.facts()["answer"] == 0


def test_what_is_no_question_is_no_turn_nor_is_a_thread_below_it_about_anything(store):
    answered(store, message("1", "mag ruilen?"))
    store.receive(message("2", "help"), NOW, done=True)
    assert texts(store, message("3")) == ["mag ruilen?"]
    assert texts(store, message("3", thread="2")) == []


def test_a_message_that_is_no_question_can_be_taken_back_and_is_still_not_new(store):
    store.receive(message(), NOW, done=True)
    assert store.withdraw("slack", "T1", "C1", "1") == ""
    assert not store.receive(message(), NOW)


def test_threads_that_note_the_same_message_at_once_note_it_once(store):
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda number: store.receive(message(), NOW, done=number % 2 == 0), range(16))) == 1


# -- what a message of ours shows ----------------------------------------------------------------------------


HERE = Place("slack", "T1", "C1")
ELSEWHERE = [Place("teams", "T1", "C1"), Place("slack", "T2", "C1"), Place("slack", "T1", "C2")]


def opened(store, answer_id="b"):
    """An answer that somebody tapped open, which was delivered nowhere."""
    made = Answer(answer_id, Outcome.ANSWERED, "nl", "Ruilen zonder bon", card=CARD)
    store.record(made, store.person(JAN), "slack", NOW, team="T1")
    return made


def replied(store, event=None, message_id="R1"):
    """The answer that was delivered in a message of ours."""
    delivery = answered(store, event or message())
    store.sent(delivery, NOW, message_id=message_id)
    return delivery.answer


def test_a_message_shows_the_answer_that_was_delivered_in_it(store):
    first, second = replied(store), replied(store, message("2"), "R2")
    assert (store.reply(HERE, "R1"), store.reply(HERE, "R2")) == (first, second)


def test_a_message_that_was_changed_shows_the_latest_answer(store):
    delivered, other, another = replied(store), opened(store), opened(store, "c")
    for shown in (other, another, delivered, other):
        store.set_reply(HERE, "R1", shown.id, NOW)
        store.set_reply(HERE, "R1", shown.id, NOW)
        assert store.reply(HERE, "R1") == shown


def test_a_message_in_which_nothing_was_delivered_shows_what_was_put_there(store):
    first, second = opened(store), opened(store, "c")
    store.set_reply(HERE, "R1", first.id, NOW)
    store.set_reply(HERE, "R2", second.id, NOW)
    assert (store.reply(HERE, "R1"), store.reply(HERE, "R2")) == (first, second)


@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_message_of_the_same_name_elsewhere_shows_its_own(store, place):
    delivered, other = replied(store), opened(store)
    with pytest.raises(NotFoundError):
        store.reply(place, "R1")
    store.set_reply(place, "R1", other.id, NOW)
    assert (store.reply(HERE, "R1"), store.reply(place, "R1")) == (delivered, other)


@pytest.mark.parametrize("place", ELSEWHERE)
def test_what_was_delivered_elsewhere_in_a_message_of_that_name_is_not_shown_here(store, place):
    replied(store, message(surface=place.surface, team=place.team, place=place.id))
    with pytest.raises(NotFoundError, match="R1"):
        store.reply(HERE, "R1")


def test_a_message_without_a_name_shows_nothing(store):
    replied(store, message_id="")
    store.set_reply(HERE, "", opened(store).id, NOW)
    with pytest.raises(NotFoundError):
        store.reply(HERE, "")


def test_a_message_cannot_show_an_answer_that_was_never_given(store):
    delivered = replied(store)
    with pytest.raises(NotFoundError, match="no answer b"):
        store.set_reply(HERE, "R1", "b", NOW)
    assert store.reply(HERE, "R1") == delivered


def test_a_message_changed_by_many_at_once_shows_one_of_their_answers(store):
    made = [opened(store, f"b{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda shown: store.set_reply(HERE, "R1", shown.id, NOW), made))
    assert store.reply(HERE, "R1") in made
    assert store.facts()["reply"] == 1


def test_what_is_shown_is_what_was_spoken_of_last(store):
    answered(store, message("1", "ik ruik gas", thread=""), NOW, replace(CARD, critical=True))
    store.set_reply(HERE, "R2", opened(store).id, NOW + LEASE)
    assert store.turns(message("2", thread=""), LONG_AGO)[1:] == [
        Turn(store.person(JAN).id, "Ruilen zonder bon", "Ruilen zonder bon", NOW + LEASE)
    ]
    assert texts(store, message("2", thread=""), NOW) == ["Ruilen zonder bon"]
    assert texts(store, message("2", thread=""), NOW + LEASE) == []
    answered(store, message("3", "mag het nu?", thread=""), NOW + 2 * LEASE)
    assert texts(store, message("4", thread="")) == ["ik ruik gas", "Ruilen zonder bon", "mag het nu?"]


def test_what_is_shown_at_the_moment_that_something_is_said_comes_after_it(store):
    for number in range(3):
        store.set_reply(HERE, f"R{number}", opened(store, f"b{number}").id, NOW)
        answered(store, message(str(number), f"vraag {number}", thread=""))
    assert texts(store, message("x", thread=""), most=4) == ["vraag 2", *["Ruilen zonder bon"] * 3]


def test_an_answer_that_is_shown_again_is_spoken_of_once_and_last(store):
    first = replied(store, message("1", "mag ruilen?", thread=""))
    replied(store, message("2", "ik ruik gas", thread=""), "R2")
    for number in range(2):
        store.set_reply(HERE, f"R{number + 1}", first.id, NOW + (number + 1) * LEASE)
    assert store.turns(message("3", thread=""), LONG_AGO)[1:] == [
        Turn(store.person(JAN).id, "mag ruilen?", "", NOW + 2 * LEASE)
    ]
    assert texts(store, message("3", thread=""), NOW) == ["mag ruilen?"]


def test_what_a_message_shows_no_more_is_not_spoken_of(store):
    for number, name in enumerate("bc"):
        store.set_reply(HERE, "R1", opened(store, name).id, NOW + number * LEASE)
    assert [turn.at for turn in store.turns(message(thread=""), LONG_AGO)] == [NOW + LEASE]


@pytest.mark.parametrize("place", ELSEWHERE)
def test_what_is_shown_elsewhere_or_beside_a_thread_is_not_spoken_of(store, place):
    store.set_reply(place, "R1", opened(store).id, NOW)
    assert texts(store, message(thread="")) == []
    store.set_reply(HERE, "R1", "b", NOW)
    assert texts(store, message()) == []


def test_nothing_is_spoken_of_that_somebody_was_shown_who_was_forgotten(store):
    store.set_reply(HERE, "R1", opened(store).id, NOW)
    with store.write() as db:
        db.execute("delete from person")
    assert texts(store, message(thread="")) == []


def test_a_shown_answer_whose_question_was_taken_back_is_not_spoken_of(store):
    first = replied(store, message("1", thread="", place="C2"))
    store.set_reply(HERE, "R9", first.id, NOW)
    store.withdraw("slack", "T1", "C2", "1")
    assert texts(store, message(thread="")) == []


# -- taking back ---------------------------------------------------------------------------------------------


def test_whoever_takes_a_message_back_takes_back_the_answer(store):
    delivery = answered(store, message())
    store.sent(delivery, NOW, message_id="R1")
    assert store.withdraw("slack", "T1", "C1", "1") == "R1"
    with pytest.raises(NotFoundError):
        store.answer(delivery.answer.id)
    assert texts(store, message("2")) == []


def test_no_message_shows_a_withdrawn_answer(store):
    delivered = replied(store)
    store.set_reply(HERE, "R2", delivered.id, NOW)
    store.withdraw("slack", "T1", "C1", "1")
    for message_id in ("R1", "R2"):
        with pytest.raises(NotFoundError):
            store.reply(HERE, message_id)


def test_a_reply_that_is_taken_away_shows_nothing_whatever_it_was_changed_to(store):
    other = opened(store)
    for place in (HERE, *ELSEWHERE):
        store.set_reply(place, "R1", other.id, NOW)
    store.set_reply(HERE, "R2", other.id, NOW)
    replied(store)
    assert store.withdraw("slack", "T1", "C1", "1") == "R1"
    with pytest.raises(NotFoundError):
        store.reply(HERE, "R1")
    assert [store.reply(place, "R1") for place in ELSEWHERE] == [other] * 3
    assert store.reply(HERE, "R2") == other


def test_a_reply_that_asked_to_take_the_question_back_goes_on_showing_what_it_shows(store):
    store.receive(message(), NOW)
    asked = replace(answer(message()), asks_to_delete=True)
    store.sent(store.finish(message(), asked, store.person(JAN), NOW), NOW, message_id="R1")
    other = opened(store)
    store.set_reply(HERE, "R2", asked.id, NOW)
    store.set_reply(HERE, "R1", other.id, NOW)
    assert store.withdraw("slack", "T1", "C1", "1") == ""
    assert (store.reply(HERE, "R1"), store.reply(HERE, "R2")) == (other, replace(asked, question=""))


def test_a_withdrawn_message_is_not_answered_when_it_comes_again(store):
    answered(store, message())
    store.withdraw("slack", "T1", "C1", "1")
    later = NOW + 2 * LEASE
    assert not store.receive(message(), later)
    assert not store.lease(message(), later)
    assert store.undone("slack", LONG_AGO, later) == []
    assert store.outbox("slack", LONG_AGO, later) == []


def test_a_message_withdrawn_before_anybody_looked_at_it_is_left_alone(store):
    store.receive(message(), NOW)
    assert store.withdraw("slack", "T1", "C1", "1") == ""
    assert store.undone("slack", LONG_AGO, NOW) == []
    assert not store.lease(message(), NOW)


def test_a_message_withdrawn_while_its_answer_is_made_gets_none(store):
    store.receive(message(), NOW)
    assert store.lease(message(), NOW)
    assert store.withdraw("slack", "T1", "C1", "1") == ""
    assert store.finish(message(), answer(message()), store.person(JAN), NOW) is None
    facts = store.facts()
    assert (facts["answer"], facts["outbox"]) == (0, 0)
    assert store.undone("slack", LONG_AGO, NOW + LEASE) == []


def test_a_reply_that_nobody_sent_yet_is_withdrawn_without_a_name(store):
    delivery = answered(store, message())
    assert store.withdraw("slack", "T1", "C1", "1") == ""
    store.sent(delivery, NOW, message_id="R1")
    assert store.outbox("slack", LONG_AGO, NOW + LEASE) == []


def test_the_name_of_a_reply_stays_when_it_is_noted_again_without(store):
    delivery = answered(store, message())
    store.sent(delivery, NOW, message_id="R1")
    store.sent(delivery, NOW)
    assert store.withdraw("slack", "T1", "C1", "1") == "R1"
    assert store.withdraw("slack", "T1", "C1", "1") == ""


def test_only_the_message_named_is_withdrawn(store):
    events = [message(), message(place="C2"), message(team="T2"), message(surface="teams"), message("2")]
    for event in events:
        answered(store, event)
    store.withdraw("slack", "T1", "C1", "1")
    assert [store.answer(answer(event).id).question for event in events[1:]] == ["en zonder bon?"] * 4


def test_an_unknown_message_can_be_withdrawn_and_is_still_new(store):
    assert store.withdraw("slack", "T1", "C1", "1") == ""
    assert store.receive(message(), NOW)


def test_a_message_is_answered_or_withdrawn_whoever_comes_first(store):
    events = [message(str(number)) for number in range(24)]
    person = store.person(JAN)
    for event in events:
        store.receive(event, NOW)

    def either(task):
        event, finish = task
        if finish:
            store.finish(event, answer(event), person, NOW)
        else:
            store.withdraw("slack", "T1", "C1", event.message_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(either, [(event, finish) for event in events for finish in (True, False)]))
    facts = store.facts()
    assert (facts["event"], facts["answer"], facts["outbox"]) == (24, 0, 0)


# -- places --------------------------------------------------------------------------------------------------


def test_a_place_has_the_defaults_until_something_is_agreed(store):
    assert store.place("slack", "T1", "C1") == Place("slack", "T1", "C1", listens=False)
    store.set_place(Place("slack", "T1", "C1", listens=True))
    assert store.place("slack", "T1", "C1").listens
    store.set_place(Place("slack", "T1", "C1"))
    assert not store.place("slack", "T1", "C1").listens


def test_what_is_agreed_of_a_place_is_of_that_place_only(store):
    store.set_place(Place("slack", "T1", "C1", listens=True))
    for name in [("slack", "T1", "C2"), ("slack", "T2", "C1"), ("teams", "T1", "C1")]:
        assert store.place(*name) == Place(*name)
