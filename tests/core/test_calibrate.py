"""Bands from judged answers: what is promised comes true, and too little is said to be too little."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import TODAY, article, question
from hypothesis import given
from hypothesis import strategies as st

from core.calibrate import Judged, calibrate, judged_article, judged_now, trial
from core.confidence import Band, Confidence
from core.errors import BijdehandError
from core.index import Index
from core.library import shelve
from core.verdicts import Verdict

MOVE = article("---\ntitle: Verhuizing doorgeven\n---\nVraag de postcode.\n", "move")
GAS = article("---\ntitle: Gas ruiken\n---\nRaam open.\n", "gas")


def drawn(count, *, share_right=0.5, seed=0):
    """Judged answers of a knowledge base that is surer of itself than it should be."""
    rng = np.random.default_rng(seed)
    right = rng.random(count) < share_right
    chance = 1 / (1 + np.exp(-(rng.normal(size=count) + np.where(right, 2.5, 0.5))))
    return [Judged(float(one), bool(was)) for one, was in zip(chance, right, strict=True)]


@pytest.mark.parametrize("refuse", [0.7, 0.8, 0.9])
def test_the_promise_holds_on_what_was_not_judged(refuse):
    found = trial(drawn(1500), refuse=refuse)
    assert found.error <= 0.09
    assert 0.85 <= found.covered <= 0.95


def test_as_many_wrong_ones_are_refused_as_was_wished():
    judged = drawn(400)
    found = calibrate(judged, refuse=0.8)
    below = [one.chance < found.possible_from for one in judged if not one.right]
    assert sum(below) / len(below) == pytest.approx(0.8, abs=0.01)
    assert found.refused.low < 0.8 < found.refused.high
    given_as_answer = [one.right for one in judged if one.chance >= found.answer_from]
    assert found.right.value == sum(given_as_answer) / len(given_as_answer)
    assert found.answer_from >= found.possible_from


def test_who_is_too_sure_must_be_surer_before_an_answer_is_given():
    assert calibrate(drawn(400), refuse=0.5).answer_from > 0.75


@given(
    st.lists(st.builds(Judged, st.floats(0, 1), st.booleans()), max_size=60),
    st.floats(0.5, 0.95),
)
def test_any_judgements_give_bands_or_a_sentence(judged, refuse):
    right = sum(one.right for one in judged)
    if len(judged) < 30 or min(right, len(judged) - right) < 5:
        with pytest.raises(BijdehandError, match="let coaches judge"):
            calibrate(judged, refuse=refuse)
    else:
        found = calibrate(judged, refuse=refuse)
        assert 0 <= found.possible_from <= found.answer_from


def test_too_few_and_too_much_of_one_kind_are_said():
    with pytest.raises(BijdehandError, match="judge 10 more"):
        calibrate(drawn(20), refuse=0.8)
    with pytest.raises(BijdehandError, match="Only 0 of the answers were wrong"):
        calibrate([Judged(0.5, right=True)] * 40, refuse=0.8)


def test_bands_that_are_kept_count_in_the_next_answer(desk):
    shelve(desk.store, desk.embedder, (MOVE, GAS))
    assert desk.answer(question("verhuizing doorgeven")).outcome == "answered"
    strict = calibrate([Judged(0.999999999, right=n % 2 == 0) for n in range(40)], refuse=0.8)
    desk.store.set_calibration("fake", strict, TODAY)
    assert desk.answer(question("verhuizing doorgeven")).outcome == "unanswered"
    desk.store.set_calibration("another model", None, TODAY)
    assert desk.store.snapshot("fake").calibration == strict
    desk.store.set_calibration("fake", None, TODAY)
    assert desk.answer(question("verhuizing doorgeven")).outcome == "answered"


def test_a_model_that_was_never_measured_may_answer_once_it_is_calibrated():
    never = Confidence(score=1.0, margin=0.0, intercept=0.0, calibrated=False)
    assert never.band(0.99) is Band.POSSIBLE
    assert never.fitted_to(calibrate(drawn(400), refuse=0.5)).band(0.99) is Band.ANSWER


def test_what_was_judged_counts_only_while_the_same_article_comes_first(desk):
    shelve(desk.store, desk.embedder, (MOVE, GAS))
    confidence = Confidence(score=1.0, margin=0.0, intercept=0.0)
    answer = desk.answer(question("verhuizing doorgeven"))
    assert judged_article(answer) == "move"
    said = [(answer, Verdict.RIGHT), (desk.answer(question("gas")), Verdict.WRONG)]
    index = Index(desk.store.snapshot("fake"))
    assert [one.right for one in judged_now(said, index, desk.embedder, confidence)] == [True, False]
    desk.store.delete(["move"])
    index = Index(desk.store.snapshot("fake"))
    assert [one.right for one in judged_now(said, index, desk.embedder, confidence)] == [False]
    known = replace(MOVE, aliases=("verhuizing doorgeven",))
    shelve(desk.store, desk.embedder, [known])
    index = Index(desk.store.snapshot("fake"))
    assert len(judged_now(said, index, desk.embedder, confidence)) == 1  # it would be found too surely
    desk.store.delete(["move"])
    index = Index(desk.store.snapshot("fake"))
    nothing = [(answer, Verdict.NOTHING)]
    assert [one.right for one in judged_now(nothing, index, desk.embedder, confidence)] == [False]
