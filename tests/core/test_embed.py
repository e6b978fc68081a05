import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.embed import LONGEST_TEXT, Embedder, FakeEmbedder, clean

HOSTILE = (
    "",
    " \n\t ",
    "\0" * 50,
    "\x1b[31mrood\x07",
    "\ud800 hallo \udfff",
    "woord " * 20_000,
    "a" * 100_000,
    " " * 1_000_000,
    "\ufdfa" * 5_000,
    "a\u0301\u0302" * 5_000,
    "\u202e\u200f\ufeff" * 1_000,
    "👩‍👩‍👧‍👦" * 1_000,
    "漢字" * 2_000,
    "query: passage: </s> <unk> <pad>",
)


def is_unit(vector: np.ndarray, dimensions: int) -> bool:
    return (
        vector.shape == (dimensions,)
        and vector.dtype == np.float32
        and bool(np.isclose(np.linalg.norm(vector), 1, atol=1e-5))
    )


def survives(embedder: Embedder, text: str) -> bool:
    vectors = (embedder.query(text), embedder.passage(text))
    return all(is_unit(vector, embedder.dimensions) for vector in vectors)


@given(st.text(st.characters()))
@example("\ud83d")
def test_a_clean_text_can_be_stored_and_is_never_cleaner(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert len(cleaned) <= LONGEST_TEXT
    assert clean(cleaned) == cleaned
    assert "\0" not in cleaned


def test_line_breaks_and_spaces_make_no_difference() -> None:
    assert clean(" klant\r\n\tis   boos\u00a0") == "klant is boos"


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:9]))
def test_the_fake_survives_a_hostile_text(text: str) -> None:
    assert survives(FakeEmbedder(), text)


@given(st.text(st.characters(), max_size=300))
def test_the_fake_gives_any_text_the_same_unit_vector_twice(text: str) -> None:
    assert survives(FakeEmbedder(), text)
    assert np.array_equal(FakeEmbedder().query(text), FakeEmbedder().query(text))


def test_to_the_fake_texts_that_share_words_are_near() -> None:
    asked = FakeEmbedder().query("hoe verwerk ik een retour?")
    near, far = map(FakeEmbedder().passage, ("Een retour verwerken", "Storing bij glasvezel"))
    assert asked @ near > 0.4
    assert asked @ far < 0.2


@pytest.mark.model
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:9]))
def test_the_model_survives_a_hostile_text(real_embedder: Embedder, text: str) -> None:
    assert survives(real_embedder, text)


@pytest.mark.model
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=300))
def test_the_model_gives_any_text_the_same_unit_vector_twice(real_embedder: Embedder, text: str) -> None:
    assert survives(real_embedder, text)
    assert np.array_equal(real_embedder.query(text), real_embedder.query(text))


@pytest.mark.model
def test_the_model_takes_a_question_and_a_passage_for_different_things(real_embedder: Embedder) -> None:
    text = "retour zonder bonnetje"
    assert real_embedder.query(text) @ real_embedder.passage(text) < 0.99


@pytest.mark.model
def test_the_model_knows_what_is_meant_in_either_language(real_embedder: Embedder) -> None:
    asked = real_embedder.query("klant heeft geen bonnetje meer")
    right, wrong = map(real_embedder.passage, ("Return without a receipt", "Fibre outage: the router blinks red"))
    assert asked @ right > asked @ wrong


@pytest.mark.model
def test_threads_do_not_disturb_each_other(real_embedder: Embedder) -> None:
    texts = [f"vraag {number} " * number for number in range(1, 20)]
    alone = [real_embedder.query(text) for text in texts]
    together: list[bool] = []

    def ask() -> None:
        together.append(all(map(np.array_equal, alone, map(real_embedder.query, texts))))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [True] * 6
