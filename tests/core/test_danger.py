import threading

import pytest
from conftest import TODAY, article, make_desk, question
from hypothesis import given
from hypothesis import strategies as st

from core.classifier import Classifier, learn
from core.danger import Lookout, phrases_of
from core.embed import FakeEmbedder
from core.learnt import keep, recall
from core.model import Outcome
from knowledge.moment import Moment

GAS = article(
    """---
title: Klant ruikt gas
critical: true
audience: [techniek]
signals: [stank van rotte eieren, gaslek in huis, ruikt naar gas in de keuken]
unlike: [gasprijs per kuub, meterstand gas doorgeven]
---
## Stappen
1. Iedereen nu naar buiten.
## Als het misgaat
1. Klant blijft binnen: bel 112.
""",
    "gas",
)
GAS_EN = article(
    """---
title: Customer smells gas
critical: true
translation_of: gas
signals: [smell of rotten eggs, gas leak in the house]
unlike: [gas price]
---
## Steps
1. Everybody outside now.
""",
    "gas-en",
    "en",
)
PRICE = article("---\ntitle: Gasprijs uitleggen\n---\n## Stappen\n1. Noem het tarief per kuub.\n", "price")
ALL = (GAS, GAS_EN, PRICE)
SAFE = ["klant wil een factuur", "hoe laat is het", "lunch", "where is the invoice"]
FAKE = FakeEmbedder()


@pytest.fixture(scope="module")
def classifier():
    return learn(phrases_of(ALL, SAFE), FAKE)


@pytest.fixture
def desk(store):
    return make_desk(store, ALL)


def test_danger_is_told_from_what_only_sounds_like_it(classifier):
    def margin(text):
        return classifier.margins(text, FAKE.query(text))["gas"]

    assert margin("mw zegt stank van rotte eieren in de keuken") > 0 > margin("wat is de gasprijs per kuub")


def test_what_was_learnt_survives_being_kept(classifier, tmp_path):
    keep(tmp_path / "c.npz", classifier.arrays())
    again = Classifier.of(recall(tmp_path / "c.npz"))
    text = "gaslek in huis"
    assert again.margins(text, FAKE.query(text)) == classifier.margins(text, FAKE.query(text))


@given(text=st.text(max_size=200))
def test_any_text_can_be_judged(classifier, text):
    assert classifier.margins(text, FAKE.query(text)).keys() == {"gas"}


def test_it_is_learnt_once_and_again_when_a_phrase_changes(tmp_path):
    lookout = Lookout(FAKE, SAFE, tmp_path)
    lookout.renew(ALL, sequence=1)
    lookout.renew((*ALL, article("---\ntitle: Gasprijs uitleggen\n---\nx\n", "other")), sequence=2)
    assert len(list(tmp_path.iterdir())) == 1
    lookout.renew((GAS, PRICE), sequence=3)
    assert len(list(tmp_path.iterdir())) == 2


def test_nobody_waits_while_it_learns_anew(tmp_path, monkeypatch):
    lookout = Lookout(FAKE, SAFE, tmp_path)
    before = lookout.classifier(ALL, sequence=1)
    may_learn = threading.Event()
    monkeypatch.setattr("core.classifier.learn", lambda *arguments: may_learn.wait(30) and learn(*arguments))
    assert lookout.classifier((GAS, PRICE), sequence=2) is before
    assert lookout.classifier((GAS, PRICE), sequence=2) is before
    may_learn.set()
    lookout.renew((GAS, PRICE), sequence=2)
    assert lookout.classifier((GAS, PRICE), sequence=2) is not before


def test_a_cache_that_is_damaged_or_cannot_be_written_costs_no_answer(tmp_path, caplog):
    (tmp_path / "file").write_text("not a folder")
    text = "gaslek in huis"
    assert Lookout(FAKE, SAFE, tmp_path / "file").classifier(ALL, 1).margins(text, FAKE.query(text))["gas"] > 0
    assert "cannot be kept" in caplog.text
    Lookout(FAKE, SAFE, tmp_path / "cache").classifier(ALL, 1)
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(kept.read_bytes()[:500])
    assert Lookout(FAKE, SAFE, tmp_path / "cache").classifier(ALL, 1).margins(text, FAKE.query(text))["gas"] > 0
    assert recall(kept) is not None, "and it is mended"


def test_without_critical_articles_there_is_nothing_to_look_out_for(tmp_path):
    assert Lookout(FAKE, SAFE, tmp_path).classifier((PRICE,), sequence=1) is None


def test_danger_is_answered_at_once_whatever_the_confidence_moment_or_audience(desk):
    answer = desk.answer(question("gaslek in huis!!", moment=Moment.MORE))
    assert (answer.outcome, answer.moment) == (Outcome.ANSWERED, Moment.APPLY)
    assert answer.card.article_id == "gas"
    assert answer.card.critical


def test_danger_is_answered_in_the_language_of_the_question(desk):
    assert desk.answer(question("there is a smell of rotten eggs here")).card.article_id == "gas-en"


def test_what_only_sounds_like_danger_gets_the_ordinary_answer(desk):
    assert desk.answer(question("gasprijs per kuub uitleggen")).card.article_id == "price"


def test_a_critical_article_that_is_not_valid_today_does_not_lead(store):
    gone = article(GAS.front.replace("critical: true", "critical: true\neffective_until: 2026-01-01") + GAS.body, "gas")
    assert not gone.is_live(TODAY)
    answer = make_desk(store, (gone, PRICE)).answer(question("gaslek in huis"))
    assert answer.card is None or answer.card.article_id != "gas"


def test_a_critical_article_is_no_title_to_tap_for_an_ordinary_question(desk):
    answer = desk.answer(question("wat kost gas per kuub volgens het tarief"))
    assert answer.card is None or not answer.card.critical
    assert not {other.article_id for other in answer.alternatives} & {"gas", "gas-en"}
