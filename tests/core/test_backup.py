"""The drill: a backup made while it serves, put back while it serves."""

import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from conftest import TODAY, article, make_desk, question

from core.errors import StoreError
from core.library import shelve
from core.store.sqlite import SqliteStore
from core.store.sqlite_backup import back_up, restore

GAS = article("---\ntitle: Klant ruikt gas\n---\n## Stappen\n1. Naar buiten.\n", "gas")
MOVE = article("---\ntitle: Verhuizing doorgeven\n---\n## Stappen\n1. Vraag de postcode.\n", "move")


def quiet(done, total):
    """Nobody is watching."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bijdehand.db"


def titles(store):
    return [one.title for one in store.articles()]


def of_another_program(file):
    with closing(sqlite3.connect(file)) as db:
        db.execute("create table bookmark (url text)")


def dump(path):
    with closing(sqlite3.connect(path)) as db:
        return [line for line in db.iterdump() if 'INTO "change"' not in line and "sqlite_sequence" not in line]


def test_what_was_backed_up_comes_back_and_a_running_desk_answers_from_it(store, path, tmp_path):
    desk = make_desk(store, (GAS,))
    assert desk.answer(question("klant ruikt gas")).card.title == "Klant ruikt gas"
    saved = tmp_path / "b.db"
    size = back_up(path, saved, quiet)
    assert size == saved.stat().st_size
    before = dump(saved)
    shelve(store, desk.embedder, [MOVE])
    store.delete({"gas"})
    assert titles(store) == ["Verhuizing doorgeven"]
    kept = restore(path, saved, quiet, now=TODAY)
    assert desk.answer(question("klant ruikt gas")).card.title == "Klant ruikt gas"
    assert titles(store) == ["Klant ruikt gas"]
    assert dump(path) == before
    with closing(SqliteStore(kept)) as old:
        assert titles(old) == ["Verhuizing doorgeven"]
    shelve(store, desk.embedder, [MOVE])
    assert len(titles(store)) == 2, "and it goes on"


def test_a_backup_is_of_one_moment_however_much_is_written_meanwhile(store, path, tmp_path):
    desk = make_desk(store, (GAS,))
    with store.write() as db:
        db.execute("create table pair (one text, other text)")
        db.execute("insert into pair values ('0', '0')")
        db.execute("create table ballast (b blob)")
        for _ in range(200):
            db.execute("insert into ballast values (randomblob(100000))")
    stop = threading.Event()
    written = []

    def write():
        while not stop.is_set():
            with store.write() as db:
                db.execute("update pair set one = ?", [str(len(written))])
                db.execute("update pair set other = ?", [str(len(written))])
                db.execute("insert into ballast values (randomblob(50000))")
            written.append(1)

    writer = threading.Thread(target=write)
    seen = []
    writer.start()
    try:
        back_up(path, tmp_path / "b.db", lambda done, total: seen.append((done, total)))
    finally:
        stop.set()
        writer.join()
    assert written
    assert len(seen) > 1
    assert seen[-1][0] == seen[-1][1]
    with closing(sqlite3.connect(tmp_path / "b.db")) as db:
        ((one, other),) = db.execute("select * from pair").fetchall()
        assert one == other
    assert desk.ready() == 1


def test_only_this_user_can_read_a_backup_and_it_stands_by_itself(store, path, tmp_path):
    make_desk(store, (GAS,))
    back_up(path, tmp_path / "b.db", quiet)
    assert stat.S_IMODE((tmp_path / "b.db").stat().st_mode) == 0o600
    assert {file.name for file in tmp_path.iterdir()} - {"bijdehand.db", "bijdehand.db-wal", "bijdehand.db-shm"} == {
        "b.db"
    }


def test_a_backup_does_not_replace_a_file_unless_told_to(store, path, tmp_path):
    (tmp_path / "b.db").write_text("mine")
    with pytest.raises(StoreError, match="--force"):
        back_up(path, tmp_path / "b.db", quiet)
    assert (tmp_path / "b.db").read_text() == "mine"
    back_up(path, tmp_path / "b.db", quiet, force=True)
    with closing(sqlite3.connect(tmp_path / "b.db")) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_damaged_database_gives_no_backup_and_the_last_one_stays(store, path, tmp_path):
    make_desk(store, (GAS, MOVE))
    store.close()
    back_up(path, tmp_path / "b.db", quiet)
    good = (tmp_path / "b.db").read_bytes()
    content = bytearray(path.read_bytes())
    content[8192 : len(content) // 2] = b"\xff" * (len(content) // 2 - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreError):
        back_up(path, tmp_path / "b.db", quiet, force=True)
    assert (tmp_path / "b.db").read_bytes() == good
    kept = restore(path, tmp_path / "b.db", quiet, now=TODAY)
    assert kept.read_bytes() == bytes(content)
    with closing(SqliteStore(path)) as again:
        assert len(titles(again)) == 2


def test_where_nothing_was_a_backup_makes_it(store, path, tmp_path):
    make_desk(store, (GAS,))
    back_up(path, tmp_path / "b.db", quiet)
    new = tmp_path / "new" / "bijdehand.db"
    assert restore(new, tmp_path / "b.db", quiet, now=TODAY) is None
    with closing(SqliteStore(new)) as again:
        assert titles(again) == ["Klant ruikt gas"]


def test_a_whole_database_that_cannot_be_kept_stays_where_it_is(store, path, tmp_path, monkeypatch):
    make_desk(store, (GAS,))
    back_up(path, tmp_path / "b.db", quiet)
    kept = tmp_path / f"bijdehand-before-{TODAY:%Y%m%d-%H%M%S-%f}.db"
    kept.write_text("somebody else's")
    with pytest.raises(StoreError, match="is there already"):
        restore(path, tmp_path / "b.db", quiet, now=TODAY)
    assert titles(store) == ["Klant ruikt gas"]
    assert kept.read_text() == "somebody else's"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: file.write_text("geen database " * 500), "not a database|could not be copied"),
        (
            lambda file: sqlite3.connect(file).execute("create table bookmark (url text)").connection.close(),
            "another program",
        ),
        (lambda file: None, "There is no backup"),
    ],
    ids=["text", "another program's", "nothing"],
)
def test_what_is_no_backup_of_ours_changes_nothing(store, path, tmp_path, make, said):
    make_desk(store, (GAS,))
    before = dump(path)
    make(tmp_path / "b.db")
    with pytest.raises(StoreError, match=said):
        restore(path, tmp_path / "b.db", quiet, now=TODAY)
    assert dump(path) == before
    assert not list(tmp_path.glob("*.part*"))
    assert not list(tmp_path.glob("*before*"))


def test_the_backup_of_a_newer_version_is_refused(store, path, tmp_path):
    make_desk(store, (GAS,))
    back_up(path, tmp_path / "b.db", quiet)
    with closing(sqlite3.connect(tmp_path / "b.db")) as db, db:
        db.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) values ('bijdehand', 'm999_x', 'now')"
        )
    before = dump(path)
    with pytest.raises(StoreError, match="newer bijdehand"):
        restore(path, tmp_path / "b.db", quiet, now=TODAY)
    assert dump(path) == before


DIES = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
import core.store.sqlite_backup as b
copies = []
b._PAGES = 1
def die(done, total):
    if len(copies) == 2 and done > total // 2:
        os.kill(os.getpid(), 9)
real = b._copy
def counted(source, target, progress):
    copies.append(target)
    real(source, target, progress)
b._copy = counted
b.restore(Path(sys.argv[1]), Path(sys.argv[2]), die, now=datetime.now(UTC))
"""


def test_a_sudden_death_halfway_leaves_what_was_there(store, path, tmp_path):
    desk = make_desk(store, (GAS,))
    back_up(path, tmp_path / "b.db", quiet)
    shelve(store, desk.embedder, [MOVE])
    before = dump(path)
    died = subprocess.run(
        [sys.executable, "-c", DIES.replace("len(copies) == 2", "len(copies) == 3"), str(path), str(tmp_path / "b.db")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert died.returncode == -9, died.stderr
    assert dump(path) == before
    assert len(titles(store)) == 2
    restore(path, tmp_path / "b.db", quiet, now=datetime.now(UTC))
    assert titles(store) == ["Klant ruikt gas"]
