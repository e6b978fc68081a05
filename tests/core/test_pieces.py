import numpy as np
import pytest
from conftest import article
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tokenizers import Encoding, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from core.embed import Embedder, FakeEmbedder, Prompting, Reading, Recipe
from core.index import Index
from core.library import shelve, snapshot_of
from core.pieces import NO_PIECES, SCALE, WIDTH, Pieces, Projection, room
from core.search import search
from core.vectors import Cached

RNG = np.random.default_rng(0)
TEXTS = [RNG.normal(size=(40, 200)).astype(np.float32) for _ in range(8)]
PROJECTION = Projection.learn(TEXTS)


class Worded(FakeEmbedder):
    """A fake whose pieces are words: each a direction of its own, so that only the same word is near."""

    name = "worded"

    def read_query(self, text: str) -> Reading:
        return Reading(self.query(text), self._pieces(text))

    def read_passage(self, text: str) -> Reading:
        return Reading(self.passage(text), self._pieces(text))

    def _pieces(self, text: str) -> Pieces:
        words = text.casefold().replace(".", "").split()
        if not words:
            return NO_PIECES
        ids = [sum(map(ord, word)) for word in words]
        vectors = [SCALE * np.eye(1, WIDTH, one % WIDTH, dtype=np.int8)[0] for one in ids]
        return Pieces(np.array(ids, np.int32), np.array(vectors, np.int8))


BUY = article("---\ntitle: Huis kopen\n---\nEen woning met hypotheek.\n", "buy")
RENT = article("---\ntitle: Huis huren\n---\nEen woning met borg.\n", "rent")
ELSE = article("---\ntitle: Fiets\n---\nBanden plakken.\n", "else")


# -- made small --------------------------------------------------------------------------------------------------------
def test_what_is_near_stays_near_in_a_byte_per_dimension() -> None:
    vectors = RNG.normal(size=(50, 200)).astype(np.float32)
    centred = vectors / np.linalg.norm(vectors, axis=1, keepdims=True) - PROJECTION.mean
    exact = centred @ PROJECTION.axes
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    small = PROJECTION.small(range(50), vectors).vectors.astype(np.float32) / SCALE
    assert np.abs(small @ small.T - exact @ exact.T).max() < 0.03


@given(hnp.arrays(np.float32, (3, 200), elements=st.floats(-1e6, 1e6, width=32)))
def test_any_piece_fits(vectors: np.ndarray) -> None:
    small = PROJECTION.small([1, 2, 3], vectors)
    assert small.vectors.shape == (3, WIDTH)
    assert small.vectors.dtype == np.int8
    assert np.abs(small.vectors.astype(int)).max() <= SCALE


def test_two_machines_agree_on_the_axes() -> None:
    again = Projection.learn([text[::-1] for text in TEXTS[::-1]])
    assert np.allclose(np.abs(np.sum(again.axes * PROJECTION.axes, axis=0)), 1, atol=1e-2)
    assert np.allclose(again.axes, PROJECTION.axes, atol=1e-2)


def test_a_projection_comes_back_from_its_arrays() -> None:
    again = Projection.of({name: np.asarray(value) for name, value in PROJECTION.arrays().items()})
    assert np.array_equal(again.small([7], TEXTS[0][:1]).vectors, PROJECTION.small([7], TEXTS[0][:1]).vectors)


def test_a_small_model_is_not_made_larger() -> None:
    learnt = Projection.learn([RNG.normal(size=(60, 16)).astype(np.float32)])
    assert learnt.small([1], np.ones((1, 16), np.float32)).vectors.shape == (1, 16)


# -- compared ----------------------------------------------------------------------------------------------------------
def scores(index: Index, text: str) -> dict[str, float]:
    found = index.piece_scores(Worded().read_query(text).pieces, np.arange(len(index.articles)))
    return {one.id: float(score) for one, score in zip(index.articles, found, strict=True)}


def test_an_article_that_has_every_word_of_a_question_gets_1() -> None:
    found = scores(Index(snapshot_of((BUY, RENT, ELSE), Worded())), "huis kopen")
    assert found["buy"] == pytest.approx(1, abs=1e-5)
    assert found["else"] == pytest.approx(0, abs=1e-5)


def test_a_rare_word_counts_more_than_one_that_others_have_too() -> None:
    found = scores(Index(snapshot_of((BUY, RENT, ELSE), Worded())), "woning borg")
    assert found["buy"] < 0.5 < found["rent"] == pytest.approx(1, abs=1e-5)


def test_what_nearly_every_article_says_is_not_kept_and_changes_nothing() -> None:
    many = [article(f"---\ntitle: Zaak{n}\n---\nIeder zegt woord{n}.\n", f"a{n:02}") for n in range(30)]
    index = Index(snapshot_of(many, Worded()))
    assert 50 <= len(index._closeness._vectors) <= 60  # of 120: of "ieder" and "zegt" nothing is left
    assert (
        scores(index, "woord7 ieder")["a07"]
        > 0.8
        > max(score for one, score in scores(index, "woord7 ieder").items() if one != "a07")
    )


def test_what_has_no_pieces_is_neither_better_nor_worse() -> None:
    index = Index(snapshot_of((BUY, RENT), Worded()))
    assert index.piece_scores(NO_PIECES, np.arange(2)).tolist() == [0, 0]
    assert Index(snapshot_of((BUY, RENT), FakeEmbedder())).piece_scores(
        Worded().read_query("huis").pieces, np.arange(2)
    ).tolist() == [0, 0]


def test_the_deciding_word_decides() -> None:
    index = Index(snapshot_of((BUY, RENT, ELSE), Worded()))
    for word, expected in (("hypotheek", BUY), ("borg", RENT)):
        asked = Worded().read_query(f"een woning met {word}")
        with_pieces = search(index, "een woning", asked, language="nl")
        assert with_pieces.hits[0].article is expected
        without = search(index, "een woning", Reading(asked.vector), language="nl")
        assert with_pieces.hits[0].score > without.hits[0].score


# -- kept --------------------------------------------------------------------------------------------------------------
def test_pieces_come_back_from_the_store_and_the_cache_as_they_were(store, tmp_path) -> None:
    shelve(store, Worded(), [BUY, RENT])
    stored, made = store.snapshot("worded"), snapshot_of([BUY, RENT], Worded())
    assert stored.counts.tolist() == made.counts.tolist() == [2, 4, 2, 4]
    assert np.array_equal(stored.pieces.ids, made.pieces.ids)
    assert np.array_equal(stored.pieces.vectors, made.pieces.vectors)
    for _ in range(2):
        with Cached(Worded(), tmp_path / "readings.db") as cached:
            reading = cached.read_passage("huis te koop")
            assert np.array_equal(reading.pieces.vectors, Worded().read_passage("huis te koop").pieces.vectors)
            assert cached.read_query("").pieces.vectors.shape == (0, 0)


def test_an_article_as_a_whole_is_not_kept_piece_by_piece(store) -> None:
    short = article("---\ntitle: ''\n---\nEen zin.\n", "short")
    shelve(store, Worded(), [short])
    assert store.snapshot("worded").counts.tolist() == [2]
    with store.read() as db:
        kept = db.execute("select length(piece_ids) from vector order by 1").fetchall()
    assert kept == [(0,), (8,)]


def test_pieces_too_many_for_memory_are_in_a_file_and_tell_the_same(store, monkeypatch) -> None:
    many = [article(f"---\ntitle: Zaak{n}\n---\nIeder zegt woord{n}.\n", f"a{n:02}") for n in range(30)]
    shelve(store, Worded(), [BUY, RENT, ELSE, *many])
    held = Index(store.snapshot("worded"))
    monkeypatch.setattr("core.pieces._IN_MEMORY", 100)
    snapshot = store.snapshot("worded")
    filed = Index(snapshot)
    assert isinstance(snapshot.pieces.vectors, np.memmap)
    assert not isinstance(store.snapshot("another").pieces.vectors, np.memmap)
    for text in ("woning borg", "ieder zegt woord7", "niets"):
        for _ in range(2):
            assert scores(filed, text) == scores(held, text)


def test_without_room_for_a_file_pieces_stay_in_memory(monkeypatch, caplog) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.pieces._IN_MEMORY", 100)
    monkeypatch.setattr("os.posix_fallocate", full, raising=False)
    assert not isinstance(room(20, 10), np.memmap)
    assert "No space left on device" in caplog.text


# -- the model ---------------------------------------------------------------------------------------------------------
@pytest.mark.model
def test_the_model_gives_a_piece_for_each_part_of_the_text_and_none_for_its_prompt(real_embedder: Embedder) -> None:
    pieces = real_embedder.read_query("klant ruikt gas").pieces
    alone = [real_embedder.read_query(word).pieces.ids for word in ("klant", "ruikt", "gas")]
    assert pieces.ids.tolist() == np.concatenate(alone).tolist()
    assert pieces.vectors.shape == (len(pieces.ids), WIDTH)
    assert len(real_embedder.read_query("").pieces.ids) == 0


@pytest.mark.model
def test_to_the_model_a_word_is_near_what_means_the_same_there(real_embedder: Embedder) -> None:
    def nearest(word: str, text: str) -> float:
        asked, said = real_embedder.read_query(word).pieces, real_embedder.read_passage(text).pieces
        products = asked.vectors.astype(int) @ said.vectors.astype(int).T
        return float(products.max(axis=1).mean()) / SCALE**2

    assert nearest("huurwoning", "Een appartement huren") > nearest("huurwoning", "Een auto verkopen")
    assert nearest("opzeggen", "Cancel a contract") > nearest("opzeggen", "Receive a parcel")


@pytest.mark.model
def test_a_part_of_a_text_says_there_nearly_what_it_says_alone(real_embedder: Embedder) -> None:
    asked = real_embedder.read_query("Mevrouw wil haar\ttermijnbedrag weten, en ze ruikt gas in de keuken. Wat nu?")
    for part in ("Mevrouw wil haar\ttermijnbedrag weten", "ze ruikt gas in de keuken"):
        seen, alone = asked.part(part), real_embedder.query(part)
        assert seen is not None
        assert seen @ alone > 0.93 > seen @ real_embedder.query("de trein had vertraging")
    assert asked.part("iets dat er niet staat") is None
    assert asked.part("") is None


class Pooled(Prompting):
    """A model of two pieces per text, whose vector is their mean or not."""

    def __init__(self, *, mean: bool) -> None:
        super().__init__(Recipe("pooled", "", 200, 8, "", ""), PROJECTION)
        self._mean = mean

    def _embed(self, text: str) -> tuple[np.ndarray, np.ndarray, Encoding]:
        pieces = TEXTS[0][:2]
        return pieces.mean(axis=0) if self._mean else pieces[0], pieces, self._cut(text)

    def _cut(self, text: str) -> Encoding:
        return WORDS.encode(text)


WORDS = Tokenizer(WordLevel({"gas": 0, "lek": 1}))
WORDS.pre_tokenizer = Whitespace()


def test_parts_are_told_only_by_a_model_that_takes_the_mean_of_pieces() -> None:
    seen = Pooled(mean=True).read_query("gas lek").part("lek")
    assert seen is not None
    assert np.allclose(seen, TEXTS[0][1] / np.linalg.norm(TEXTS[0][1]))
    assert Pooled(mean=False).read_query("gas lek").part("lek") is None
    assert FakeEmbedder().read_query("gas lek").part("lek") is None
