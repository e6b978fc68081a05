"""Many processes and sudden deaths: whatever was acknowledged is there afterwards, whole and once.

This file is also the program that those processes run: `python test_store_crash.py <work> <database>`.
"""

import os
import random
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from core.model import Answer, Event, Outcome
from core.store import Embedded, Identity, Piece
from core.store.sqlite import SqliteStore
from knowledge.article import Article, Section

ROOT = Path(__file__).parents[2]
DEATHS = 4
ARTICLES = 12
JAN = Identity("slack", "T1", "U-JAN")
START = datetime(2026, 3, 2, tzinfo=UTC)
LATER = START + timedelta(days=1)


# -- what the processes do -----------------------------------------------------------------------------------


def piece(text):
    return Piece(text, text, np.full(64, len(text), dtype=np.float32))


def edition(number):
    """All articles as they stand in one edition; how many passages they have differs by edition."""
    texts = [f"editie {number}, passage {n}" + "." * n for n in range(1 + number % 5)]
    return [
        Embedded(
            Article(f"nl/{i:02}", f"Editie {number}", (Section(None, "", "\n".join(texts)),)),
            piece(f"editie {number}, artikel {i}"),
            tuple(piece(f"{text} van {i}") for text in texts),
        )
        for i in range(ARTICLES)
    ]


def event(number):
    return Event("slack", "T1", "C1", str(number), "U-JAN", f"vraag {number}", {"channel": "C1"})


def answer(number, attempt=""):
    return Answer(f"antwoord {number}{attempt}", Outcome.HELP, "nl", f"vraag {number}")


def tell(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def save_editions(store):
    stored = store.articles()
    start = 1 + int(stored[0].title.split()[1]) if stored else 1
    for number in count(start):
        store.save(edition(number), "m")
        tell(number)


def answer_events(store):
    person = store.person(JAN)
    for number in count(store.facts()["event"]):
        store.receive(event(number), START)
        tell("received", number)
        store.lease(event(number), START)
        delivery = store.finish(event(number), answer(number), person, START)
        tell("finished", number)
        store.sent(delivery, START)
        tell("sent", number)


def edit_one_article(store):
    for number in range(200):
        title = f"Editie {number} van {os.getpid()}"
        store.save([Embedded(Article("nl/een", title, ()), piece(title), ())], "m")


def claim_events(store):
    for number in range(60):
        if store.receive(event(number), START):
            tell("received", number)
        if store.lease(event(number), START):
            tell("leased", number)
        if store.finish(event(number), answer(number, f" van {os.getpid()}"), store.person(JAN), START):
            tell("finished", number)


def note_commands(store):
    for number in range(60):
        if store.receive(event(number), START, done=True):
            tell("noted", number)


def meet_people(store):
    for number in range(60):
        if store.keep_address(Identity("teams", "T1", str(number)), {"from": os.getpid()}):
            tell("met", number)


def start_first(store):
    tell(store.person(JAN).id)


WORK = {
    work.__name__: work
    for work in (
        save_editions,
        answer_events,
        edit_one_article,
        claim_events,
        note_commands,
        meet_people,
        start_first,
    )
}


def main(work, path):
    folder = Path(path).parent
    (folder / f"ready-{os.getpid()}").touch()
    while not (folder / "go").exists():
        time.sleep(0.0005)
    with closing(SqliteStore(Path(path))) as store:
        WORK[work](store)


# -- what the tests do with them -----------------------------------------------------------------------------


class Crew:
    """Processes that work on one database; none outlives its test."""

    def __init__(self, folder):
        self.path = folder / "bijdehand.db"
        self._folder = folder
        self._processes = ExitStack()
        self._started = count()

    def start(self, work):
        told = self._folder / f"told-{next(self._started)}"
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        with told.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", __file__, work.__name__, str(self.path)],
                stdout=output,
                stderr=output,
                env=environment,
            )
        self._processes.callback(end, process)
        return process, told

    def go(self):
        (self._folder / "go").touch()

    def all_do(self, work, processes):
        """What each of them told, once all have ended well."""
        started = [self.start(work) for _ in range(processes)]
        until(lambda: len(list(self._folder.glob("ready-*"))) == processes)
        self.go()
        codes = [process.wait(timeout=60) for process, _ in started]
        told = [output.read_text() for _, output in started]
        assert codes == [0] * processes, told
        return [text.splitlines() for text in told]

    def die_at(self, work, moment):
        """Kill one in the middle of its work; what it told is what it acknowledged."""
        process, told = self.start(work)
        self.go()
        until(lambda: b"\n" in told.read_bytes() or process.poll() is not None)
        time.sleep(moment)
        assert process.poll() is None, told.read_text()
        end(process)
        return told.read_text().split("\n")[:-1]

    def close(self):
        self._processes.close()


def end(process):
    process.kill()
    process.wait()


def until(happened, seconds=30):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def crew(tmp_path):
    with closing(Crew(tmp_path)) as hired:
        yield hired


def read(path, sql):
    with closing(SqliteStore(path)) as store, store.read() as db:
        return db.execute(sql).fetchall()


def assert_one_whole_edition(path, acknowledged):
    with closing(SqliteStore(path)) as store:
        snapshot, facts = store.snapshot("m"), store.facts()
    number = int(snapshot.articles[0].title.split()[1])
    assert number >= acknowledged
    wanted = edition(number)
    assert [article.sections for article in snapshot.articles] == [item.article.sections for item in wanted]
    assert snapshot.missing == ()
    assert snapshot.owners.tolist() == [i for i, item in enumerate(wanted) for _ in item.passages]
    np.testing.assert_array_equal(snapshot.whole, [item.whole.vector for item in wanted])
    np.testing.assert_array_equal(snapshot.passages, [p.vector for item in wanted for p in item.passages])
    assert facts["vector"] == facts["passage"] == ARTICLES * (2 + number % 5)


def test_articles_are_whole_after_any_sudden_death(crew):
    chance = random.Random(70)
    for _ in range(DEATHS):
        told = crew.die_at(save_editions, chance.uniform(0, 0.15))
        assert_one_whole_edition(crew.path, int(told[-1]))
    assert read(crew.path, "pragma integrity_check") == [("ok",)]


def test_no_event_is_lost_or_answered_twice_after_any_sudden_death(crew):
    chance = random.Random(20)
    told = []
    for _ in range(DEATHS):
        told += crew.die_at(answer_events, chance.uniform(0, 0.15))
    with closing(SqliteStore(crew.path)) as store:
        for line in told:
            what, number = line.split()
            assert not store.receive(event(number), LATER)
            if what in {"finished", "sent"}:
                assert store.answer(answer(number).id) == answer(number)
            if what == "sent":
                assert not store.lease(event(number), LATER)
        left = store.undone("slack", START - timedelta(days=1), LATER)
        for found in left:
            assert store.lease(found, LATER)
            assert store.finish(found, answer(found.message_id), store.person(JAN), LATER)
        facts = store.facts()
    assert facts["event"] == facts["answer"] == facts["outbox"] >= len({line.split()[1] for line in told})
    assert read(crew.path, "select count(*) from event where state = 'done'") == [(facts["event"],)]
    unsent = {number for (number,) in read(crew.path, "select answer_id from outbox where sent is null")}
    assert not unsent & {answer(line.split()[1]).id for line in told if line.startswith("sent")}


def test_two_processes_that_read_and_then_write_lose_and_double_nothing(crew):
    crew.all_do(edit_one_article, 2)
    with closing(SqliteStore(crew.path)) as store:
        assert store.article("nl/een").version == 400
        assert store.sequence() == 400
        assert store.facts()["vector"] == 1


def test_one_event_in_four_processes_is_received_leased_and_answered_once(crew):
    told = crew.all_do(claim_events, 4)
    lines = sorted(line for lines in told for line in lines)
    assert lines == sorted(f"{what} {n}" for what in ("received", "leased", "finished") for n in range(60))
    with closing(SqliteStore(crew.path)) as store:
        facts = store.facts()
    assert (facts["event"], facts["answer"], facts["outbox"], facts["identity"]) == (60, 60, 60, 1)


def test_what_two_processes_hear_at_once_is_new_to_one(crew):
    told = crew.all_do(note_commands, 2)
    assert sorted(line for lines in told for line in lines) == sorted(f"noted {n}" for n in range(60))
    assert read(crew.path, "select count(*), count(person_id), max(text) from event") == [(60, 0, "")]


def test_whom_two_processes_meet_at_once_is_new_to_one_and_one_person(crew):
    told = crew.all_do(meet_people, 2)
    assert sorted(line for lines in told for line in lines) == sorted(f"met {n}" for n in range(60))
    with closing(SqliteStore(crew.path)) as store:
        facts = store.facts()
    assert (facts["address"], facts["identity"], facts["person"]) == (60, 60, 60)


def test_four_first_starts_at_once_all_succeed(crew):
    told = crew.all_do(start_first, 4)
    assert len({line for lines in told for line in lines}) == 1
    assert read(crew.path, "select count(*) from _sqlite_migrations") == [(8,)]


if __name__ == "__main__":
    main(*sys.argv[1:])
