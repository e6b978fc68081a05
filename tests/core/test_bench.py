"""The bench: what is worse by more than noise is said to be, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import FAKE_CONFIDENCE, article, make_desk, question
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from core.bench import Asked, Run, Told, _auroc, _macro_f1, figures, keep_run, measure, read_run
from core.errors import BijdehandError
from core.golden import Golden
from core.index import Index
from core.intervals import drawn, mean, share
from core.model import Outcome
from core.moments import Message
from knowledge.moment import Moment

MOVE = article("---\ntitle: Verhuizing doorgeven\n---\nVraag de postcode.\n", "move")
GAS = article("---\ntitle: Gas ruiken\n---\nRaam open.\n", "gas")


def asked(number, *, right=True, chance=0.9, outcome=Outcome.ANSWERED, answerable=True, kind="chat"):
    places = dict.fromkeys(("bm25", "vector", "hybrid"), 1 if right else 2)
    article_id = f"article-{number // 2}"
    place = places["hybrid"] if answerable else 0
    language = "nl" if number % 2 else "en"
    return Asked(f"q{number}", language, kind, article_id, answerable, places, chance, right, outcome, place)


def told(number, guess="apply"):
    return Told(f"bericht {number}", "nl" if number % 2 else "en", f"sector {number % 7}", "apply", guess)


def run(wrong=(), misread=()):
    questions = tuple(asked(n, right=n not in wrong) for n in range(80))
    return Run("m", 40, questions, tuple(told(n, "new" if n in misread else "apply") for n in range(80)))


def of(found, name, language="all"):
    return next(one for one in found if (one.name, one.language) == (name, language))


def test_the_same_run_is_neither_worse_nor_better():
    assert not any(one.worse or one.better for one in figures(run(), run()))


def test_a_run_that_loses_many_is_worse_and_one_that_gains_them_better():
    lost = range(40)
    found = figures(run(wrong=lost, misread=lost), run())
    assert of(found, "right article first: hybrid").worse
    assert of(found, "answered wrong").worse
    assert of(found, "moment right").worse
    assert of(found, "right article first: hybrid").difference.value == -0.5
    again = figures(run(), run(wrong=lost))
    assert of(again, "right article first: hybrid").better
    assert of(again, "answered wrong").better
    assert not of(again, "among three").worse


def test_one_question_more_or_less_is_noise():
    assert not any(one.worse for one in figures(run(wrong=[3]), run()))
    assert not any(one.worse for one in figures(run(wrong=[3, 10]), run(wrong=[5, 20])))


def test_only_what_both_have_is_compared():
    before = run()
    more = replace(before, asked=(*before.asked, *(asked(n, right=False) for n in range(80, 120))))
    found = of(figures(more, before), "right article first: hybrid")
    assert found.difference.value == 0
    assert found.now.value == pytest.approx(80 / 120)


def test_a_language_of_which_there_is_too_little_is_left_out():
    few = replace(run(), asked=run().asked[:6])
    assert {one.part for one in figures(few)} == {"moments"}


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=40))
def test_auroc_is_that_of_scikit_learn(rows):
    right, chance = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows])
    if len(set(right)) == 1:
        assert np.isnan(_auroc(right, chance))
    else:
        assert _auroc(right, chance) == pytest.approx(roc_auc_score(right, chance))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=60))
def test_macro_f1_is_that_of_scikit_learn(rows):
    labels, guesses = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    assert _macro_f1(labels, guesses) == pytest.approx(f1_score(labels, guesses, average="macro", zero_division=0))


def test_an_interval_is_wider_where_what_is_counted_comes_from_few_articles():
    values = [float(n % 4 == 0) for n in range(200)]
    many, few = mean(values, [str(n) for n in range(200)]), mean(values, [str(n % 4) for n in range(200)])
    assert many.low < 0.25 < many.high
    assert few.high - few.low > 2 * (many.high - many.low)
    same = drawn(lambda column: float(column.mean()), [str(n) for n in range(200)], np.array(values))
    assert (same.low, same.high) == pytest.approx((many.low, many.high), abs=0.02)


def test_all_right_is_not_certainly_right():
    assert share([True] * 20, [str(n) for n in range(20)]).low < 0.9


def test_a_run_that_is_kept_comes_back(tmp_path):
    kept = replace(run(wrong=[1], misread=[2]), model='een "model"')
    keep_run(kept, tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == kept


def test_what_is_no_run_is_a_sentence(tmp_path):
    with pytest.raises(BijdehandError, match="Make it with --save"):
        read_run(tmp_path / "none.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(BijdehandError, match="Make it anew with --save"):
        read_run(tmp_path / "other.json")


def test_a_run_says_what_search_and_desk_made_of_each_question(store):
    desk = make_desk(store, (MOVE, GAS))
    questions = [
        Golden("1", "verhuizing doorgeven", "nl", "move", "chat"),
        Golden("2", "gas", "nl", None, "near", "gas"),
    ]
    said = {Moment.APPLY: "hoe doe ik {}", Moment.SOLVE: "{} lukt niet", None: "{} bedankt"}
    messages = [Message(text.format(f"ding {n}"), moment, f"s{n}") for moment, text in said.items() for n in range(6)]
    messages.append(Message("ding", Moment.APPLY, "s1", also=(Moment.MORE,)))
    found = measure(
        questions,
        messages,
        index=Index(store.snapshot("fake")),
        embedder=desk.embedder,
        confidence=FAKE_CONFIDENCE,
        ask=lambda one: desk.answer(question(one.text)),
    )
    first, second = found.asked
    assert first.places == {"bm25": 1, "vector": 1, "hybrid": 1}
    assert (first.right, first.outcome, first.place, first.source) == (True, Outcome.ANSWERED, 1, "move")
    assert (second.right, second.answerable, second.place) == (False, False, 0)
    assert len(found.told) == 18
    assert {one.guess for one in found.told} <= {"apply", "solve", "none"}
