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
