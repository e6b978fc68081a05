import logging

import pytest
from conftest import article, make_desk, question
from prometheus_client.parser import text_string_to_metric_families

from core import meter
from core.embed import FakeEmbedder
from core.model import Event
from core.store import Identity

GAS = article("---\ntitle: Klant ruikt gas\n---\n## Stappen\n1. Naar buiten.\n", "gas")
SECRET = "paarsgestreeptezebra"


@pytest.fixture
def desk(store):
    return make_desk(store, (GAS,))


def figures(desk):
    """Every sample by its name and labels, as Prometheus reads the page."""
    families = text_string_to_metric_families(meter.shown(desk).decode())
    return {(one.name, *sorted(one.labels.values())): one.value for family in families for one in family.samples}


def risen(before, after, *name):
    return after.get(name, 0) - before.get(name, 0)


def test_an_answer_is_counted_by_what_became_of_it_and_its_time_by_stage(desk):
    before = figures(desk)
    desk.ask(question("klant ruikt gas"))
    desk.ask(question("hallo"))
    after = figures(desk)
    assert risen(before, after, "bijdehand_answers_total", "answered", "apply", "terminal") == 1
    assert risen(before, after, "bijdehand_answers_total", "", "help", "terminal") == 1
    assert risen(before, after, "bijdehand_seconds_count", "answer") == 2
    assert risen(before, after, "bijdehand_seconds_count", "embed") == 1
    assert risen(before, after, "bijdehand_seconds_count", "search") == 1


def test_what_waits_is_counted_with_the_age_of_the_oldest(desk, store):
    assert figures(desk)["bijdehand_questions_waiting",] == 0
    person = store.person(Identity("slack", "T1", "U1"))
    store.receive(Event("slack", "T1", "D1", "1.1", "U1", "wat nu", {}), desk.now())
    shown = figures(desk)
    assert person
    assert shown["bijdehand_questions_waiting",] == 1
    assert shown["bijdehand_question_age_seconds",] == 0
    assert shown["bijdehand_articles",] == 1
    assert shown["bijdehand_articles_unread",] == 0
    assert shown["bijdehand_up",] == 1


def test_articles_that_the_model_has_not_read_are_seen(store):
    class Another(FakeEmbedder):
        name = "another"

    make_desk(store, (GAS,))
    assert figures(make_desk(store, (), Another()))["bijdehand_articles_unread",] == 1


def test_a_database_that_cannot_be_read_is_said_and_not_fatal(desk, store):
    desk.ask(question("klant ruikt gas"))
    store.close()
    shown = figures(desk)
    assert shown["bijdehand_up",] == 0
    assert ("bijdehand_answers_total", "answered", "apply", "terminal") in shown


def test_errors_are_counted_by_where_they_were_met(desk):
    before = figures(desk)
    log = logging.getLogger("core.somewhere")
    handler = meter.CountErrors()
    log.addHandler(handler)
    try:
        log.error("kaput")
        log.warning("nearly")
    finally:
        log.removeHandler(handler)
    assert risen(before, figures(desk), "bijdehand_errors_total", "core.somewhere") == 1


def test_no_word_that_somebody_typed_is_shown(desk, store):
    store.person(Identity("slack", "T1", "U0ANNE"))
    desk.answer(question(f"klant heeft {SECRET}"))
    assert SECRET not in meter.shown(desk).decode()
    assert "U0ANNE" not in meter.shown(desk).decode()


def test_what_fails_is_counted_and_what_is_overheard_is_not(desk, monkeypatch):
    before = figures(desk)
    desk.answer(question("klant ruikt gas"))
    monkeypatch.setattr(desk.embedder, "query", lambda text: 1 / 0)
    desk.ask(question("klant ruikt gas"))
    after = figures(desk)
    assert risen(before, after, "bijdehand_answers_total", "answered", "apply", "terminal") == 0
    assert risen(before, after, "bijdehand_answers_total", "", "failed", "terminal") == 1
