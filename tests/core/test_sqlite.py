"""What only SQLite can get wrong: the file, its locks, its disk, and what stands in which table."""

import sqlite3
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlite_utils import Database

from core.errors import NotFoundError, StoreError
from core.model import Answer, Event, Feedback, Outcome, Person, Place, Role
from core.store import Embedded, Identity, Installation, Piece
from core.store.migrations import MIGRATIONS
from core.store.sqlite import SqliteStore, open_store
from knowledge.article import Article, Section
from knowledge.moment import Moment

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BIG = "lang " * 100_000
JAN = Identity("slack", "T1", "U-JAN")
LATEST = "m008_wordings"
FIRST_TABLES = "article change person identity event answer outbox feedback".split()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bijdehand.db"


@pytest.fixture
def store(path):
    with closing(SqliteStore(path, wait=0.2, clock=lambda: NOW)) as opened:
        yield opened


def embedded(article_id="nl/tarief", text="Kies het tarief."):
    article = Article(article_id, "Tarief", (Section(None, "", text),), critical=True)
    return Embedded(article, Piece(text, text, np.ones(4, dtype=np.float32)), ())


def rows(path, sql):
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def refusal(where, **options):
    """The sentence a person reads when this database cannot be opened."""
    with pytest.raises(StoreError) as caught:
        SqliteStore(Path(where), **options)
    return sentence(caught)


def sentence(caught):
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert "Traceback" not in said
    return said


# -- opening -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}"])
def test_a_store_opens_by_path_or_by_address_and_again_later(path, form):
    for _ in range(2):
        with closing(open_store(form.format(path))) as store:
            store.person(Identity("slack", "T1", "U1"))
    with closing(open_store(path)) as store:
        assert store.facts()["person"] == 1


def test_a_relative_address_is_a_file_in_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///kennis.db").close()
    assert (tmp_path / "kennis.db").is_file()


@pytest.mark.parametrize(
    ("where", "way_out"),
    [
        ("postgresql://u:secret@host/db", "not there yet"),
        ("postgres://u:secret@host/db", "not there yet"),
        ("mysql://u:secret@host/db", "names no database"),
        ("sqlite://file.db", "names no database"),
        ("sqlite:///", "names no database"),
    ],
)
def test_another_address_is_refused_without_repeating_its_password(where, way_out):
    with pytest.raises(StoreError, match=way_out) as caught:
        open_store(where)
    assert "secret" not in sentence(caught)


def test_a_missing_folder_is_named(tmp_path):
    assert f"no folder {tmp_path / 'nergens'}" in refusal(tmp_path / "nergens" / "x.db")


def test_a_file_is_no_folder_and_a_folder_no_file(tmp_path):
    (tmp_path / "file").touch()
    assert "no folder" in refusal(tmp_path / "file" / "x.db")
    assert "is a folder" in refusal(tmp_path)


def test_only_the_user_that_made_it_can_read_a_database(path):
    with closing(SqliteStore(path)) as store:
        store.save([embedded()], "m")
        files = list(path.parent.glob(f"{path.name}*"))
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_an_sqlite_that_is_too_old_is_told(path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    assert "3.37 or newer" in refusal(path)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write")
def test_a_folder_that_cannot_be_written_is_told():
    assert "/proc/x.db cannot be opened. Let this user" in refusal("/proc/x.db")


def test_a_file_that_is_no_database_is_left_as_it_is(path):
    path.write_bytes(b"Beste collega, " * 1000)
    assert f"{path} is not a database" in refusal(path)
    assert path.read_bytes() == b"Beste collega, " * 1000


def test_the_database_of_another_program_is_left_as_it_is(path):
    rows(path, "create table bookmark (url text)")
    before = path.read_bytes()
    assert "belongs to another program" in refusal(path)
    assert path.read_bytes() == before


def test_a_database_from_a_newer_version_is_left_as_it_is(path, store):
    store.close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) values ('bijdehand', 'm999_x', 'now')"
        )
    before = path.read_bytes()
    said = refusal(path)
    assert str(path) in said
    assert "m999_x" in said
    assert "Upgrade bijdehand, or put a backup" in said
    assert path.read_bytes() == before


def test_a_damaged_database_says_so_when_it_is_read(path, store):
    store.save([embedded(f"nl/{number}", BIG[:5000]) for number in range(20)], "m")
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged") as caught, closing(SqliteStore(path)) as damaged:
        damaged.articles()
    assert_tells_how_to_restore(sentence(caught))


def assert_tells_how_to_restore(said):
    steps = ("top every Bijdehand process", "-wal and -shm", "put the last backup in its place", "start again")
    assert [said.index(step) for step in steps] == sorted(said.index(step) for step in steps)


@pytest.mark.parametrize("act", [SqliteStore.sequence, lambda store: store.person(Identity("slack", "T1", "U1"))])
@pytest.mark.parametrize("another", [True, False], ids=["replaced", "gone"])
def test_a_database_that_was_replaced_while_open_is_left_as_it_is(path, store, act, another):
    store.save([embedded()], "m")
    backup = path.with_name("backup.db")
    with closing(SqliteStore(backup)) as made:
        made.save([embedded("nl/oud")], "m")
    if another:
        backup.replace(path)
    else:
        path.unlink()
    before = path.read_bytes() if another else None
    with ThreadPoolExecutor(1) as other_thread:
        for attempt in (lambda: act(store), other_thread.submit(act, store).result):
            with pytest.raises(StoreError, match="replaced or removed") as caught:
                attempt()
            assert_tells_how_to_restore(sentence(caught))
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_document_that_cannot_be_read_is_told(store):
    store.save([embedded()], "m")
    with store.write() as db:
        db.execute("update article set document = json_set(document, '$.status', 'archived')")
    with pytest.raises(StoreError, match="cannot read") as caught:
        store.article("nl/tarief")
    sentence(caught)


def test_a_first_start_waits_for_another_one_to_end(path):
    with closing(sqlite3.connect(path, check_same_thread=False)) as other:
        other.execute("begin immediate")
        release = threading.Timer(0.2, other.rollback)
        release.start()
        SqliteStore(path).close()
        release.join()
    assert rows(path, "pragma journal_mode") == [("wal",)]


# -- a database of an earlier version ------------------------------------------------------------------------


FIRST_VERSION = """
    insert into article values ('nl/tarief', '{}', 'nl', 'published', 0, '', 1, 'h', '2026-03-02');
    insert into person values ('p1', 'coach', '["zakelijk"]', 'senior', 'nl', '2026-03-02');
    insert into person values ('p2', 'agent', '[]', '', null, '2026-03-02');
    insert into identity values ('slack', 'T1', 'U-JAN', 'p1');
    insert into event values (1, 'slack', 'T1', 'C1', '1', 'p1', 'hoe dan?', null, 1, 'nl-NL', 'done', null,
        '2026-03-02T09:00:00.000000+00:00');
    insert into event values (2, 'slack', 'T1', 'C1', '2', 'p1', 'en nu?', '{"channel": "C1"}', 0, '', 'received',
        null, '2026-03-02T09:29:00.000000+00:00');
    insert into answer values ('a1', '{"id": "a1", "outcome": "help", "language": "nl", "question": "hoe dan?"}', 'p1',
        'slack', 'help', null, 0, null, null, 'nl', '2026-03-02T09:00:00.000000+00:00');
    insert into answer values ('a2', '{"id": "a2", "outcome": "help", "language": "nl", "question": "getikt"}', 'p1',
        'slack', 'help', null, 0, null, null, 'nl', '2026-03-02T09:10:00.000000+00:00');
    insert into answer values ('a3', '{"id": "a3", "outcome": "help", "language": "nl", "question": "hier"}', 'p2',
        'terminal', 'help', null, 0, null, null, 'nl', '2026-03-02T09:20:00.000000+00:00');
    insert into outbox values (1, 1, 'slack', '{"channel": "C1"}', 'a1', '2026-03-02T09:00:00.000000+00:00', null, 1,
        'ratelimited', null);
    insert into feedback values ('a1', 'p1', 1, '', null, '', '2026-03-02');
    insert into change (article_id, what, at) values ('nl/tarief', 'saved', '2026-03-02');
"""


@pytest.fixture
def first_version(path):
    with closing(Database(path)) as db:
        MIGRATIONS.apply(db, stop_before="m002_conversations")
        db.executescript(FIRST_VERSION)
    return path


def test_a_database_of_the_first_version_keeps_everything(first_version):
    before = {table: rows(first_version, f"select count(*) from {table}") for table in FIRST_TABLES}
    with closing(SqliteStore(first_version)) as store:
        assert store.undone("slack", NOW.replace(hour=1), NOW) == [
            Event("slack", "T1", "C1", "2", "U-JAN", "en nu?", {"channel": "C1"}, direct=False)
        ]
        assert store.person(Identity("slack", "T1", "U-JAN")) == Person("p1", Role.COACH, ("zakelijk",), "nl", "senior")
        assert store.answer("a1").question == "hoe dan?"
        [delivery] = store.outbox("slack", NOW.replace(hour=1), NOW)
        assert (delivery.answer.id, delivery.attempts) == ("a1", 1)
        event = store.undone("slack", NOW.replace(hour=1), NOW)[0]
        assert [turn.text for turn in store.turns(event, NOW.replace(hour=1))] == ["hoe dan?"]
        assert store.coaches() == 1
        assert store.requests() == []
        assert store.facts()["schema"] == LATEST
    assert {table: rows(first_version, f"select count(*) from {table}") for table in FIRST_TABLES} == before


def test_answers_of_the_first_version_get_the_team_that_their_asker_was_known_in(first_version):
    SqliteStore(first_version).close()
    assert rows(first_version, "select id, team from answer order by id") == [("a1", "T1"), ("a2", "T1"), ("a3", "")]


def test_a_database_of_the_first_version_is_brought_up_to_date_once_by_many_at_once(first_version):
    def opened(_):
        with closing(SqliteStore(first_version)) as store:
            return store.facts()["schema"]

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(opened, range(4))) == {LATEST}
    assert rows(first_version, "select count(*) from _sqlite_migrations") == [(8,)]


SECOND_VERSION = """
    update event set thread = '100.1', addressed = 0, attachment = 'voice' where id = 2;
    update outbox set sent = '2026-03-02T09:00:01.000000+00:00', address = null, message_id = 'R1';
    update person set quiet = 1 where id = 'p1';
    insert into place values ('slack', 'T1', 'C1', 1);
    insert into kept values ('a1', 'p1', '2026-03-02T09:01:00.000000+00:00');
    insert into request (answer_id, person_id, at) values ('a2', 'p1', '2026-03-02T09:02:00.000000+00:00');
    insert into checkup values ('p2', 'a3', '2026-03-02T09:03:00.000000+00:00');
    insert into installation values ('slack', '', 'T1', x'00ff', '2026-03-02T09:04:00+00:00');
    insert into state values ('word', '2026-03-02T10:00:00.000000+00:00');
"""
SECOND_TABLES = [*FIRST_TABLES, "place", "kept", "request", "checkup", "installation", "state"]


@pytest.fixture
def second_version(first_version):
    with closing(Database(first_version)) as db:
        MIGRATIONS.apply(db, stop_before="m003_replies")
        db.executescript(SECOND_VERSION)
    return first_version


def columns(path, tables):
    """What stands in each table, by the columns that it has now."""
    with closing(sqlite3.connect(path)) as db:
        return {table: [name for _, name, *_ in db.execute(f"pragma table_info({table})")] for table in tables}


def test_a_database_of_the_second_version_keeps_everything(second_version):
    known = columns(second_version, SECOND_TABLES)

    def kept():
        return {table: rows(second_version, f"select {', '.join(known[table])} from {table}") for table in known}

    before = kept()
    with closing(SqliteStore(second_version, clock=lambda: NOW)) as store:
        facts = store.facts()
        assert facts["schema"] == LATEST
        assert (facts["reply"], facts["address"]) == (0, 0)
        [event] = store.undone("slack", NOW.replace(hour=1), NOW)
        assert (event.thread, event.addressed, event.attachment) == ("100.1", False, "voice")
        assert store.place("slack", "T1", "C1").listens
        assert [answer.id for answer in store.kept_for_later("p1")] == ["a1"]
        assert [request.answer.id for request in store.requests()] == ["a2"]
        installed = Installation("slack", "", "T1", b"\x00\xff", NOW.replace(minute=4))
        assert store.installation("slack", "", "T1") == installed
    assert kept() == before


def test_what_stood_in_a_database_of_before_has_a_history_from_now_on(second_version):
    with closing(SqliteStore(second_version)) as store:
        assert store.facts()["synced"] == 1
    assert rows(second_version, "select article_id, version, what, person_id from version") == [
        ("nl/tarief", 1, "imported", None)
    ]


def test_what_the_second_version_delivered_is_shown_changed_and_withdrawn_as_ever(second_version):
    here = Place("slack", "T1", "C1")
    with closing(SqliteStore(second_version)) as store:
        assert store.reply(here, "R1").id == "a1"
        store.set_reply(here, "R1", "a2", NOW)
        assert store.reply(here, "R1").id == "a2"
        assert store.keep_address(JAN, {"conversation": "a:1"})
        assert store.known_person(JAN).id == "p1"
        assert store.withdraw("slack", "T1", "C1", "1") == "R1"
        assert store.facts()["reply"] == 0


# -- trouble while it runs -----------------------------------------------------------------------------------


def test_a_locked_database_can_be_read_and_says_why_it_was_not_written(path, store):
    store.save([embedded()], "m")
    with closing(sqlite3.connect(path)) as other:
        other.execute("begin immediate")
        with pytest.raises(StoreError, match="locked for") as caught:
            store.delete(["nl/tarief"])
        assert len(store.articles()) == 1
    assert str(path) in sentence(caught)
    store.delete(["nl/tarief"])
    assert store.articles() == []


def test_a_database_that_is_there_opens_while_somebody_writes_for_long(path, store):
    with store.write(), closing(SqliteStore(path, wait=0.2)) as other:
        assert other.articles() == []


def test_what_is_known_of_an_address_is_kept_again_without_a_turn_at_the_lock(path, store):
    store.keep_address(JAN, {"conversation": "a:1"})
    with closing(sqlite3.connect(path)) as other:
        other.execute("begin immediate")
        assert not store.keep_address(JAN, {"conversation": "a:1"})
        with pytest.raises(StoreError, match="locked for"):
            store.keep_address(JAN, {"conversation": "a:2"})
    assert store.address(JAN) == {"conversation": "a:1"}


def test_a_first_start_in_a_locked_file_says_so(path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("begin exclusive")
        assert "locked for 0.2 seconds" in refusal(path, wait=0.2)
    SqliteStore(path).close()


def test_a_full_disk_loses_nothing_that_was_saved(store):
    store.save([embedded()], "m")
    with store.read() as db:
        pages = db.execute("pragma page_count").fetchone()[0]
        db.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(StoreError, match="no room left") as caught:
        store.save([embedded("nl/klein"), embedded("nl/groot", BIG)], "m")
    sentence(caught)
    assert [article.id for article in store.articles()] == ["nl/tarief"]
    assert store.sequence() == 1
    with store.read() as db:
        db.execute("pragma max_page_count = 100000")
    store.save([embedded("nl/groot", BIG)], "m")
    assert store.article("nl/groot").body == BIG


def test_a_request_that_sqlite_refuses_leaves_nothing_and_the_connection_works(store):
    def write():
        with store.write() as db:
            db.execute("insert into person (id, role, audience, level, created) values ('p', 'agent', '[]', '', '')")
            db.execute("insert into identity values ('slack', 'T1', 'U1', 'nobody')")

    with pytest.raises(StoreError, match="SQLITE_CONSTRAINT") as caught:
        write()
    sentence(caught)
    assert store.facts()["person"] == 0
    store.person(Identity("slack", "T1", "U1"))


def test_a_transaction_in_a_transaction_is_refused(store):
    with pytest.raises(StoreError), store.write():
        store.save([embedded()], "m")
    assert store.articles() == []


def test_what_is_read_together_is_of_one_moment(store):
    with store.read() as db:
        assert db.execute("select count(*) from article").fetchone() == (0,)
        other = threading.Thread(target=store.save, args=([embedded()], "m"))
        other.start()
        other.join()
        assert db.execute("select count(*) from article").fetchone() == (0,)
    assert len(store.articles()) == 1


def test_closing_waits_for_what_is_being_written(path, store):
    busy, go_on = threading.Event(), threading.Event()

    def write_slowly():
        with store.write() as db:
            busy.set()
            go_on.wait()
            db.execute("insert into person (id, role, audience, level, created) values ('p', 'agent', '[]', '', '')")

    writer, closer = threading.Thread(target=write_slowly), threading.Thread(target=store.close)
    writer.start()
    busy.wait()
    closer.start()
    while not store._closed:
        time.sleep(0.001)
    go_on.set()
    writer.join()
    closer.join()
    assert rows(path, "select id from person") == [("p",)]


def test_connections_of_threads_that_ended_are_closed(store):
    for _ in range(10):
        thread = threading.Thread(target=store.sequence)
        thread.start()
        thread.join()
    assert len(store._slots) <= 2


# -- what stands where ---------------------------------------------------------------------------------------


def ask(store):
    event = Event("slack", "T1", "C1", "1", "U-JAN", "hoe dan?", {"response_url": "https://SECRET", "user": "U-JAN"})
    store.receive(event, NOW)
    person = store.person(Identity("slack", "T1", "U-JAN"))
    return store.finish(event, Answer("a1", Outcome.HELP, "nl", "hoe dan?"), person, NOW)


def everything_but_names(path):
    tables = [name for (name,) in rows(path, "select name from sqlite_master where type = 'table'")]
    return str([rows(path, f"select * from {table}") for table in tables if table != "identity"])


def test_a_platforms_ids_stand_with_the_identity_only_once_the_reply_is_sent(path, store):
    delivery = ask(store)
    assert rows(path, "select address from event") == [(None,)]
    assert "SECRET" in everything_but_names(path)
    store.sent(delivery, NOW)
    left = everything_but_names(path)
    assert "SECRET" not in left
    assert "U-JAN" not in left
    assert "hoe dan?" in left


def test_of_a_message_that_is_no_question_only_its_name_is_written(path, store):
    said = Event(
        "slack", "T1", "C1", "1", "U-JAN", "help SECRET", {"url": "SECRET"}, locale="nl-NL", before=("SECRET",)
    )
    store.receive(said, NOW, done=True)
    kept = "surface, team, place, message_id, person_id, text, address, locale, thread, attachment, state"
    assert rows(path, f"select {kept} from event") == [("slack", "T1", "C1", "1", None, "", None, "", "", None, "done")]
    assert "SECRET" not in everything_but_names(path)
    assert store.people() == []


def test_of_a_forgotten_address_nothing_is_left(path, store):
    store.keep_address(JAN, {"user": "U-JAN"})
    assert "U-JAN" in everything_but_names(path)
    store.forget_address(JAN)
    assert "U-JAN" not in everything_but_names(path)


def test_what_others_said_before_is_never_written(path, store):
    store.receive(Event("slack", "T1", "C1", "1", "U-JAN", "en dan?", {}, before=("klant belt",)), NOW)
    assert "en dan?" in everything_but_names(path)
    assert "klant belt" not in everything_but_names(path)


def test_of_a_withdrawn_message_nothing_is_left_but_that_it_was_there(path, store):
    ask(store)
    [(_, person)] = store.people()
    store.rate(Feedback("a1", person.id, note="te lang"), NOW)
    store.keep_for_later("a1", person.id, NOW)
    store.request("a1", person.id, NOW)
    store.withdraw("slack", "T1", "C1", "1")
    assert rows(path, "select message_id, text, address, state from event") == [("1", "", None, "done")]
    facts = store.facts()
    assert {facts[table] for table in ("answer", "outbox", "feedback", "kept", "request")} == {0}


def test_every_row_carries_its_team_or_hangs_on_one_that_does(store):
    with store.read() as db:
        tables = {name: db.table(name) for name in db.table_names() if not name.startswith(("sqlite_", "_sqlite"))}
        of_a_team = {name for name, table in tables.items() if "team" in table.columns_dict}
        hanging = {
            name
            for name, table in tables.items()
            if any(
                key.on_delete == "CASCADE" and key.other_table in {*of_a_team, "person"} for key in table.foreign_keys
            )
        }
    # Knowledge is everybody's, a person goes with their last identity, a word is of nobody yet.
    assert tables.keys() - of_a_team - hanging == {
        "article",
        "amount",
        "term",
        "calibration",
        "passage",
        "vector",
        "change",
        "person",
        "state",
        # What coaches did is the knowledge's too, and stays without them.
        "question",
        "version",
        "synced",
        "proposal",
        "notice",
        "announcement",
        "tip",
    }


def test_a_conversation_is_found_without_reading_all_events(store):
    asked = []
    with store.read() as db:
        db.conn.set_trace_callback(asked.append)
    store.turns(Event("slack", "T1", "C1", "1", "U-JAN", "en dan?", {}, thread="100.1"), NOW)
    with store.read() as db:
        db.conn.set_trace_callback(None)
        plan = [step for *_, step in db.execute(f"explain query plan {max(asked, key=len)}")]
    place = "surface=? AND team=? AND place=?"
    assert [step for step in plan if step.startswith(("SCAN", "SEARCH"))] == [
        f"SEARCH event USING COVERING INDEX event_conversation ({place} AND thread=? AND received_at>?)",
        f"SEARCH event USING COVERING INDEX sqlite_autoindex_event_1 ({place} AND message_id=?)",
        "SEARCH outbox USING INDEX outbox_message (message_id=?)",
        "SCAN said",  # those few
        "SEARCH event USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH outbox USING INDEX sqlite_autoindex_outbox_1 (event_id=?)",
        f"SEARCH reply USING INDEX reply_conversation ({place} AND at>?)",
        "SCAN seen",  # those too
        "SEARCH answer USING INDEX sqlite_autoindex_answer_1 (id=?)",
    ]


def test_what_a_message_shows_is_found_without_reading_all_of_them(store):
    asked = []
    with store.read() as db:
        db.conn.set_trace_callback(asked.append)
    with pytest.raises(NotFoundError):
        store.reply(Place("slack", "T1", "C1"), "R1")
    with store.read() as db:
        db.conn.set_trace_callback(None)
        plan = [step for *_, step in db.execute(f"explain query plan {max(asked, key=len)}")]
    name = "(surface=? AND team=? AND place=? AND message_id=?)"
    assert [step for step in plan if step.startswith(("SCAN", "SEARCH"))] == [
        f"SEARCH reply USING INDEX sqlite_autoindex_reply_1 {name}",
        "SEARCH outbox USING INDEX outbox_message (message_id=?)",
        "SEARCH event USING INTEGER PRIMARY KEY (rowid=?)",
        "SCAN found",  # those two
        "SEARCH answer USING INDEX sqlite_autoindex_answer_1 (id=?)",
    ]


def test_the_facts_leave_no_table_out(store):
    with store.read() as db:
        tables = [name for name in db.table_names() if not name.startswith(("sqlite_", "_sqlite"))]
    assert sorted(store.facts()) == sorted([*tables, "schema"])


def test_whoever_is_forgotten_leaves_answers_that_are_nobodys(path, store):
    ask(store)
    with store.write() as db:
        db.execute("delete from person")
    assert rows(path, "select person_id from answer") == [(None,)]
    assert rows(path, "select * from identity") == []
    assert store.undone("slack", NOW.replace(year=2025), NOW) == []


def test_of_two_opinions_the_latest_wins_field_by_field(path, store):
    ask(store)
    [person] = [person for _, person in store.people()]
    store.rate(Feedback("a1", person.id, helpful=False, note="te lang"), NOW)
    store.rate(Feedback("a1", person.id, reason="outdated", moment=Moment.CHANGE), NOW)
    store.rate(Feedback("a1", person.id, helpful=True), NOW)
    kept = rows(path, "select helpful, reason, moment, note from feedback")
    assert kept == [(1, "outdated", "change", "te lang")]


def test_columns_for_lists_follow_the_document(path, store):
    store.save([embedded()], "m")
    kept = rows(path, "select language, status, critical, translation_of, version, updated_at from article")
    assert kept == [("nl", "published", 1, "", 1, "2026-03-02T09:30:00.000000+00:00")]
    assert rows(path, "select n, text from passage") == [(0, "Kies het tarief.")]


def test_every_change_is_noted_with_its_time(path, store):
    store.save([embedded()], "m")
    store.save([embedded()], "other")
    store.delete(["nl/tarief"])
    assert rows(path, "select what from change order by seq") == [("saved",), ("embedded",), ("deleted",)]


def test_every_commit_reaches_the_disk_and_references_hold(store):
    with store.read() as db:
        assert db.execute("pragma journal_mode").fetchone() == ("wal",)
        assert db.execute("pragma synchronous").fetchone() == (2,)
        assert db.execute("pragma foreign_keys").fetchone() == (1,)
