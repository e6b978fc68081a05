"""What every store promises of people to be written to in private: whose address is new, which it is, when it goes."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from types import MappingProxyType

import pytest

from core.model import Person, Role
from core.store import Identity
from core.store.sqlite import open_store

JAN = Identity("teams", "T1", "U-JAN")
OTHERS = [replace(JAN, surface="slack"), replace(JAN, team="T2"), replace(JAN, user="U-PIET")]
HOME = {"serviceUrl": "https://here", "conversation": {"id": "a:1", "roster": [1, 2.5, None]}, "personal": True}
MOVED = HOME | {"serviceUrl": "https://there"}


@pytest.fixture(params=["sqlite"])
def url(request, tmp_path):
    return f"{request.param}:///{tmp_path / 'bijdehand.db'}"


@pytest.fixture
def store(url):
    with closing(open_store(url)) as opened:
        yield opened


def test_an_address_comes_back_as_it_was_kept_also_after_a_restart(url):
    with closing(open_store(url)) as store:
        assert store.address(JAN) is None
        store.keep_address(JAN, HOME)
        assert store.address(JAN) == HOME
    with closing(open_store(url)) as store:
        assert store.address(JAN) == HOME


def test_only_the_first_address_of_somebody_is_new(store):
    assert store.keep_address(JAN, HOME)
    assert not store.keep_address(JAN, HOME)
    assert not store.keep_address(JAN, MOVED)
    assert not store.keep_address(JAN, HOME)


@pytest.mark.parametrize("address", [{}, MappingProxyType(HOME)])
def test_whatever_maps_names_to_plain_data_is_an_address(store, address):
    assert store.keep_address(JAN, address)
    assert not store.keep_address(JAN, address)
    assert store.address(JAN) == address


def test_somebody_who_moved_is_written_to_where_they_are_now(store):
    store.keep_address(JAN, HOME)
    store.keep_address(JAN, MOVED)
    assert store.address(JAN) == MOVED


@pytest.mark.parametrize("other", OTHERS)
def test_an_address_is_of_one_name_only(store, other):
    store.keep_address(JAN, HOME)
    assert store.address(other) is None
    assert store.keep_address(other, MOVED)
    assert store.address(JAN) == HOME
    store.forget_address(other)
    assert (store.address(JAN), store.address(other)) == (HOME, None)


def test_whoever_took_us_away_can_be_met_again(store):
    store.keep_address(JAN, HOME)
    for _ in range(2):
        store.forget_address(JAN)
        assert store.address(JAN) is None
    assert store.keep_address(JAN, HOME)
    assert store.address(JAN) == HOME


def test_to_forget_the_address_of_a_stranger_makes_nobody(store):
    store.forget_address(JAN)
    assert store.address(JAN) is None
    assert store.people() == []


def test_whoever_is_met_first_by_their_address_is_an_agent_as_ever(store):
    store.keep_address(JAN, HOME)
    [(identity, person)] = store.people()
    assert (identity, person) == (JAN, Person(person.id, Role.AGENT))
    assert store.person(JAN) == person


def test_whoever_is_known_stays_who_they_are_with_and_without_an_address(store):
    coach = store.set_person(JAN, role=Role.COACH, language="en")
    store.keep_address(JAN, HOME)
    assert store.people() == [(JAN, coach)]
    store.forget_address(JAN)
    assert store.people() == [(JAN, coach)]


def test_an_address_goes_with_its_team_and_no_other(store):
    for identity in (JAN, *OTHERS):
        store.keep_address(identity, HOME)
    store.forget_team("teams", "T1")
    assert [store.address(identity) for identity in (JAN, *OTHERS)] == [None, HOME, HOME, None]
    assert store.keep_address(JAN, HOME)


def test_whoever_is_forgotten_has_no_address(store):
    store.keep_address(JAN, HOME)
    with store.write() as db:
        db.execute("delete from person")
    assert store.facts()["address"] == 0


def test_somebody_met_by_many_at_once_is_new_to_one_and_one_person(url):
    def meet(number):
        with closing(open_store(url)) as store:
            return store.keep_address(JAN, {"n": number})

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(meet, range(16))) == 1
    with closing(open_store(url)) as store:
        assert len(store.people()) == 1
