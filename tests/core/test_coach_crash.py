"""Killed at every change that saving an answer and telling who asked makes, and gone on from: one article, all told.

Nobody is told twice but where the kill came between a post and our note of it: a notification is made exactly once and
posted at least once. This file is also the program that does it: `python test_coach_crash.py <folder>`.
"""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

_CHANGES = ("insert", "update", "delete", "commit")
ASKED = "mag een klant zijn zonnepanelen meenemen"
COACH, ASKERS = "U-ANNA", ("U-JAN", "U-PIET")
ROOT = Path(__file__).parents[2]


def test_killed_at_every_statement_each_is_told_and_there_is_one_article(tmp_path):
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *lines, last = done.stdout.splitlines()
    assert last.startswith("finished after")
    assert len(lines) > 20, "statements at which it was killed"
    outcomes = [dict(word.split("=") for word in line.split()) for line in lines]
    assert {one["articles"] for one in outcomes} == {"1"}
    assert {one["versions"] for one in outcomes} == {"1"}
    assert {one["notifications"] for one in outcomes} == {"2"}
    assert {one["waiting"] for one in outcomes} == {"0"}
    assert all(int(one[user]) >= 1 for one in outcomes for user in ASKERS), "each at least once"
    assert all(int(one["U-JAN"]) + int(one["U-PIET"]) <= 3 for one in outcomes), "one of them twice at most"
    assert any(int(one["U-JAN"]) + int(one["U-PIET"]) == 3 for one in outcomes), "killed between a post and its note"


# -- what the processes do -----------------------------------------------------------------------------------
def story(folder, *, later=0):
    """A coach answers the question and everybody is told; whatever was done before is gone on from."""
    from conftest import TODAY, make_desk

    from core.coach import Coach
    from core.screens import Asked, Form
    from core.store import Identity
    from core.store.sqlite import open_store

    with closing(open_store(folder / "b.db")) as store:
        desk = make_desk(store)
        desk.now = lambda: TODAY + timedelta(seconds=later)
        coach, person = Coach(desk), store.person(Identity("slack", "T1", COACH))

        def do(what, about, filled=None):
            return coach.do(Asked(what, about, person, "slack", "T1", "nl", "Anna", filled))

        for question in desk.questions.waiting():
            form = do("add", f"question {question.id}")
            if isinstance(form, Form):
                do("write", form.about, {"answer": "Ja, dat mag.", "wordings": ASKED})
                do("publish", form.about)
        for notification in coach.outgoing("slack"):
            post(folder, notification.to.user)
            coach.sent(notification)


def post(folder, user):
    """As a platform takes it: there for good."""
    with (folder / "posted").open("a", encoding="utf-8") as file:
        file.write(user + "\n")
        file.flush()
        os.fsync(file.fileno())


def kill_at(number):
    """Die before the change of this number, as when the power goes."""
    from core.store.sqlite_file import SqliteFile

    connect, left = SqliteFile._connect, [number]

    def count(statement):
        left[0] -= statement.lstrip().casefold().startswith(_CHANGES)  # between these nothing that lasts is done
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(self):
        db = connect(self)
        db.conn.set_trace_callback(count)
        return db

    SqliteFile._connect = counted


def in_a_child(work):
    """The signal that ended it, or 0."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def prepare(folder):
    """Two people were refused, and there is a coach."""
    from conftest import TODAY, make_desk

    from core.model import Question, Role
    from core.store import Identity
    from core.store.sqlite import open_store

    with closing(open_store(folder / "b.db")) as store:
        desk = make_desk(store)
        store.set_person(Identity("slack", "T1", COACH), role=Role.COACH)
        for user in ASKERS:
            desk.ask(Question(ASKED, store.person(Identity("slack", "T1", user)), "slack"))
        assert desk.now() == TODAY


def outcome(folder):
    """What there is after all."""
    import sqlite3

    posted = (folder / "posted").read_text(encoding="utf-8").split()
    with closing(sqlite3.connect(folder / "b.db")) as db:

        def count(sql):
            return db.execute(sql).fetchone()[0]

        found = {
            "articles": count("select count(*) from article"),
            "versions": count("select count(*) from version"),
            "notifications": count("select count(*) from notification where sent is not null"),
            "waiting": count("select count(*) from question where state in ('open', 'taken')"),
        }
    return found | {user: posted.count(user) for user in ASKERS}


def main(folder):
    start = folder / "start"
    start.mkdir()
    in_a_child(lambda: prepare(start))
    import conftest  # noqa: F401 - imported once, for all children

    import core.coach  # noqa: F401

    for number in range(1, 2000):
        here = folder / str(number)
        shutil.copytree(start, here)

        def killed(number=number, here=here):
            kill_at(number)
            story(here)

        died = in_a_child(killed) == -signal.SIGKILL
        if not died:
            sys.stdout.write(f"finished after {number - 1}\n")
            return
        ended = in_a_child(lambda here=here: story(here, later=60))
        assert ended == 0, f"could not go on after statement {number}"
        sys.stdout.write(" ".join(f"{name}={value}" for name, value in outcome(here).items()) + "\n")
        shutil.rmtree(here)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
