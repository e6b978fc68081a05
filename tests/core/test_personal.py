"""What is said to be kept about people is what is kept about people."""

from core.personal import KEPT


def test_every_table_that_knows_a_person_is_named_and_no_other(store):
    with store.read() as db:
        tables = [name for name in db.table_names() if not name.startswith(("sqlite_", "_sqlite"))]
        about = {
            name
            for name in tables
            if {"person_id", "coach_id", "user"} & set(db.table(name).columns_dict) or name == "person"
        }
    assert set(KEPT) == about


def test_a_platforms_id_stands_in_two_tables_alone(store):
    with store.read() as db:
        tables = [name for name in db.table_names() if not name.startswith(("sqlite_", "_sqlite"))]
        assert {name for name in tables if "user" in db.table(name).columns_dict} == {"identity", "address"}


def test_what_is_erased_by_itself_says_from_when_it_counts(store):
    with store.read() as db:
        for table, kept in KEPT.items():
            columns = db.table(table).columns_dict
            assert kept.days is None or kept.since in columns
            assert table == "address" or kept.who in columns
