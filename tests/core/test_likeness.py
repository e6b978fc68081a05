"""When two questions are one. Grouping must not err: whoever is told the answer to another question is told wrong."""

import numpy as np
import pytest
from conftest import article, make_desk
from hypothesis import given
from hypothesis import strategies as st

from core.embed import FakeEmbedder
from core.labelled import rows_of
from core.likeness import Likeness, doubles, likeness_for, measure, resembling
from core.seeds import SEEDS

HERE = np.array([1.0, 0.0], dtype=np.float32)
THERE = np.array([0.0, 1.0], dtype=np.float32)
MEASURED = Likeness(same_from=0.9)


def same(one, other, near=True):
    return MEASURED.same((one, HERE), (other, HERE if near else THERE))


def test_the_same_words_are_the_same_question_whatever_the_model_says():
    assert same("Hoe geef ik een verhuizing door?", "hoe geef ik een  verhuizing door", near=False)
    assert same("verhuizing doorgeven hoe", "hoe verhuizng doorgeven", near=False)
    assert likeness_for("unknown/model").same(("hoi", HERE), ("Hoi!", THERE))
    assert not likeness_for("unknown/model").same(("klant wil stoppen", HERE), ("opzeggen van contract", HERE))


def test_a_word_that_differs_beside_shared_ones_is_what_it_is_about():
    assert not same("mag dit bij een huurwoning", "mag dit bij een koopwoning")
    assert not same("tot welk bedrag mag een junior regelen", "tot welk bedrag mag een senior regelen")


def test_other_words_are_the_same_question_where_the_model_is_sure():
    assert same("klant wil stoppen", "contract opzeggen")
    assert not same("klant wil stoppen", "contract opzeggen", near=False)


def test_the_nearest_group_is_joined_and_no_other():
    close = np.array([0.95, 0.31], dtype=np.float32)
    groups = {1: [("iets anders", THERE)], 2: [("contract opzeggen", close)], 3: [("eraf willen", HERE)]}
    assert MEASURED.nearest(("klant wil stoppen", HERE), groups) == 3
    assert MEASURED.nearest(("klant wil stoppen", THERE), {2: groups[2]}) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_it_does_not_matter_which_comes_first(one, other):
    assert same(one, other) == same(other, one)
    assert same(one, one)


def test_an_unmeasured_model_offers_no_article(store):
    desk = make_desk(store, (article("---\ntitle: Verhuizing doorgeven\n---\nTekst.\n", "move"),))
    assert resembling(desk.index(), FakeEmbedder(), ["verhuizing doorgeven"]) == []


def test_articles_that_are_asked_for_alike_are_doubles_and_translations_are_not():
    move = article("---\ntitle: Verhuizing doorgeven\n---\nTekst.\n", "move")
    again = article("---\ntitle: Iets\naliases: [verhuizing doorgeven]\n---\nTekst.\n", "again")
    twin = article("---\ntitle: Verhuizing doorgeven\ntranslation_of: move\n---\nTekst.\n", "move-en")
    other = article("---\ntitle: Factuur\n---\nTekst.\n", "invoice")
    found = doubles([move, again, twin, other], FakeEmbedder())
    assert [{one.group, two.group} for one, two in found] == [{"move", "again"}]
    assert doubles([], FakeEmbedder()) == []


@pytest.mark.model
def test_what_it_calls_the_same_mostly_is(real_embedder):
    points = measure(rows_of(SEEDS / "pairs.jsonl", required=("a", "b")), real_embedder)
    wrong = sum(round((1 - one.precision) * one.called) for one in points if one.chosen)
    assert wrong <= 3, "of 75 pairs that share nearly all words and are not the same"
    assert sum(one.chosen for one in points) == 3


@pytest.mark.model
def test_an_article_that_a_new_answer_belongs_in_is_mostly_offered(starter_desk):
    found = resembling(
        starter_desk.index(), starter_desk.embedder, ["hoe geef ik een verhuizing door", "klnt verhuist"]
    )
    assert found[0].group == "verhuizing"
