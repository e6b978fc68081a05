import asyncio
import logging
import threading
from dataclasses import replace

import pytest
from conftest import article, make_desk

from core.courier import Courier
from core.inbox import Inbox
from core.model import Event, Outcome

MOVE = article("---\ntitle: Verhuizing doorgeven\n---\n## Stappen\n1. Vraag de nieuwe postcode.\n", "move")
EVENT = Event("slack", "T1", "C1", "1.1", "U1", "verhuizing doorgeven", {"channel": "C1"}, locale="nl-NL")


class Posted:
    """A platform that takes what it gets, unless told to refuse."""

    def __init__(self, *, refuse=0):
        self.answers = []
        self.refuse = refuse

    async def __call__(self, delivery):
        if self.refuse:
            self.refuse -= 1
            raise ConnectionError("no route")
        self.answers.append(delivery.answer)
        return "9000.1"


@pytest.fixture
def desk(store):
    return make_desk(store, (MOVE,))


async def test_a_message_gets_one_reply(desk):
    posted = Posted()
    await Courier(desk, "slack", posted).take(EVENT)
    assert [answer.card.article_id for answer in posted.answers] == ["move"]


async def test_the_same_message_four_times_gets_one_reply_also_after_a_restart(desk):
    posted = Posted()
    for _ in range(4):
        await Courier(desk, "slack", posted).take(EVENT)
    assert len(posted.answers) == 1


async def test_a_reply_that_was_refused_goes_out_after_a_restart(desk):
    posted = Posted(refuse=1)
    await Courier(desk, "slack", posted).take(EVENT)
    assert posted.answers == []
    await Courier(desk, "slack", posted).redrive()
    await Courier(desk, "slack", posted).redrive()
    assert len(posted.answers) == 1


async def test_a_message_that_was_received_and_never_answered_is_taken_up_again(desk):
    Inbox(desk).receive(EVENT)
    posted = Posted()
    await Courier(desk, "slack", posted).redrive()
    assert len(posted.answers) == 1


async def test_a_full_disk_costs_the_asker_nothing(desk, monkeypatch, caplog):
    monkeypatch.setattr(desk.store, "receive", lambda event, now: 1 / 0)
    posted = Posted()
    with caplog.at_level(logging.ERROR):
        await Courier(desk, "slack", posted).take(EVENT)
    assert [answer.card.article_id for answer in posted.answers] == ["move"]
    assert "ZeroDivisionError" in caplog.text


async def test_when_all_is_broken_the_asker_still_gets_a_sentence(desk, monkeypatch):
    monkeypatch.setattr(desk.store, "receive", lambda event, now: 1 / 0)
    monkeypatch.setattr(desk.embedder, "query", lambda text: 1 / 0)
    posted = Posted()
    await Courier(desk, "slack", posted).take(EVENT)
    assert [answer.outcome for answer in posted.answers] == [Outcome.FAILED]


async def test_a_broken_model_leaves_the_asker_with_a_sentence_and_no_second_try(desk, monkeypatch):
    monkeypatch.setattr(desk.embedder, "query", lambda text: 1 / 0)
    posted = Posted()
    await Courier(desk, "slack", posted).take(EVENT)
    await Courier(desk, "slack", posted).redrive()
    assert [answer.outcome for answer in posted.answers] == [Outcome.FAILED]


async def test_replies_that_a_crash_left_go_out_side_by_side(desk):
    for number in range(3):
        event = replace(EVENT, message_id=f"1.{number}")
        Inbox(desk).receive(event)
        Inbox(desk).not_sent(Inbox(desk).handle(event), "the process died")
    together = asyncio.Barrier(3)

    async def send(delivery):
        await asyncio.wait_for(together.wait(), 10)
        return ""

    await Courier(desk, "slack", send).redrive()
    assert Inbox(desk).outbox("slack") == []


async def test_one_reply_that_cannot_be_sent_keeps_no_other(desk):
    for number in range(2):
        event = replace(EVENT, message_id=f"1.{number}")
        Inbox(desk).receive(event)
        Inbox(desk).not_sent(Inbox(desk).handle(event), "the process died")
    posted = Posted(refuse=1)
    await Courier(desk, "slack", posted).redrive()
    assert len(posted.answers) == 1
    assert len(Inbox(desk).outbox("slack")) == 1


async def test_making_an_excuse_does_not_hold_up_the_others(desk, monkeypatch):
    monkeypatch.setattr(desk.store, "lease", lambda event, now: 1 / 0)
    threads = []
    sorry = desk.sorry
    monkeypatch.setattr(desk, "sorry", lambda *said: threads.append(threading.current_thread()) or sorry(*said))
    await Courier(desk, "slack", Posted()).take(EVENT)
    assert threads
    assert threading.current_thread() not in threads


async def test_whom_we_said_sorry_to_is_remembered_for_the_last_messages_only(desk, monkeypatch):
    monkeypatch.setattr("core.courier._LAST_TOLD", 2)
    monkeypatch.setattr(desk.store, "receive", lambda event, now: 1 / 0)
    posted = Posted()
    courier = Courier(desk, "slack", posted)
    for number in (1, 2, 3, 3, 2, 1):
        await courier.take(replace(EVENT, message_id=f"1.{number}"))
    assert len(posted.answers) == 4


async def test_a_message_is_noted_before_the_platform_is_asked_anything(desk):
    asked, go = asyncio.Event(), asyncio.Event()

    async def learn(event):
        asked.set()
        await go.wait()
        return replace(event, locale="en-GB")

    posted = Posted()
    taking = asyncio.create_task(Courier(desk, "slack", posted, learn=learn).take(EVENT))
    await asked.wait()
    assert desk.store.facts()["event"] == 1
    go.set()
    await taking
    assert len(posted.answers) == 1


async def test_a_platform_that_tells_no_more_does_not_stand_in_the_way(desk, monkeypatch, caplog):
    async def learn(event):
        raise ConnectionError("no route")

    posted = Posted()
    await Courier(desk, "slack", posted, learn=learn).take(EVENT)
    assert [answer.card.article_id for answer in posted.answers] == ["move"]
    assert "no route" in caplog.text


async def test_a_reply_that_was_refused_many_times_within_minutes_still_goes_out(desk):
    posted = Posted(refuse=12)
    courier = Courier(desk, "slack", posted)
    await courier.take(EVENT)
    for _ in range(12):
        await courier.redrive()
    assert len(posted.answers) == 1


async def test_a_platform_that_hangs_is_let_go_before_another_process_would_take_over(desk, monkeypatch):
    monkeypatch.setattr("core.courier._SEND_WITHIN", 0.01)
    never = asyncio.Event()

    async def hang(delivery):
        await never.wait()
        return ""

    await Courier(desk, "slack", hang).take(EVENT)
    posted = Posted()
    await Courier(desk, "slack", posted).redrive()
    assert len(posted.answers) == 1


async def test_an_overheard_message_that_cannot_be_kept_is_left_alone(desk, monkeypatch):
    monkeypatch.setattr(desk.store, "receive", lambda event, now: 1 / 0)
    monkeypatch.setattr(desk.store, "turns", lambda *what: 1 / 0)
    posted = Posted()
    await Courier(desk, "slack", posted).take(replace(EVENT, addressed=False, text="hoe moet verhuizing doorgeven?"))
    assert posted.answers == []


class Unsent:
    """What a platform was asked to take away, which it may refuse."""

    def __init__(self, *, refuse=False):
        self.asked = []
        self.refuse = refuse

    async def __call__(self, address, message_id):
        self.asked.append((address, message_id))
        if self.refuse:
            raise ConnectionError("no route")


async def test_a_message_that_is_taken_back_is_forgotten_and_our_reply_goes_too(desk):
    unsent = Unsent()
    courier = Courier(desk, "slack", Posted(), unsend=unsent)
    await courier.take(EVENT)
    await courier.withdraw("T1", "C1", "1.1", {"channel": "C1"})
    assert unsent.asked == [({"channel": "C1"}, "9000.1")]
    assert desk.store.facts()["answer"] == 0
    await courier.withdraw("T1", "C1", "1.1", {"channel": "C1"})
    assert len(unsent.asked) == 1, "it is gone already"


async def test_what_we_never_replied_to_leaves_nothing_to_take_away(desk):
    unsent = Unsent()
    courier = Courier(desk, "slack", Posted(), unsend=unsent)
    await courier.withdraw("T1", "C1", "1.1", {})
    assert unsent.asked == []
    await Courier(desk, "slack", Posted()).withdraw("T1", "C1", "1.1", {})  # nor on a platform that takes nothing away


def withdrawing(desk, message_id="9000.1"):
    """A platform on which the question is taken back while the reply is posted."""

    async def send(delivery):
        Inbox(desk).withdraw("slack", "T1", "C1", "1.1")
        return message_id

    return send


async def test_a_reply_whose_question_was_taken_back_while_it_was_posted_is_taken_away(desk):
    unsent = Unsent()
    await Courier(desk, "slack", withdrawing(desk), unsend=unsent).take(EVENT)
    assert unsent.asked == [(EVENT.address, "9000.1")]


async def test_a_reply_that_is_no_message_of_its_own_is_not_asked_to_be_taken_away(desk):
    unsent = Unsent()
    await Courier(desk, "slack", withdrawing(desk, ""), unsend=unsent).take(EVENT)
    assert unsent.asked == []


async def test_a_reply_that_cannot_be_taken_away_keeps_no_other(desk, caplog):
    """Its number in the outbox is given out again."""
    unsent, posted = Unsent(refuse=True), Posted()
    courier = Courier(desk, "slack", withdrawing(desk), unsend=unsent)
    await courier.take(EVENT)
    assert "no route" in caplog.text
    courier._send = posted
    await courier.take(replace(EVENT, message_id="1.2"))
    assert len(posted.answers) == 1
