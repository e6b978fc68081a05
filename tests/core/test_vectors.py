import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.embed import FakeEmbedder, Vector
from core.errors import StoreError
from core.vectors import Cached

TEXTS = ["retour zonder bon", "storing", "", "\ud800", "ruft \0 an"]

FILL = """
import sys
from pathlib import Path
from core.embed import FakeEmbedder
from core.vectors import Cached
with Cached(FakeEmbedder(), Path(sys.argv[1])) as cached:
    for number in range(1000):
        cached.query(f"vraag {number}")
"""


class Counting(FakeEmbedder):
    """Counts how often it is really asked, and knows a question from a passage."""

    def __init__(self, name: str = "counting") -> None:
        self.name = name  # type: ignore[misc]
        self.asked = 0

    def query(self, text: str) -> Vector:
        return -self.passage(text)

    def passage(self, text: str) -> Vector:
        self.asked += 1
        return super().passage(text)


def test_a_cached_vector_is_the_same_to_the_bit(tmp_path: Path) -> None:
    plain = Counting()
    for _ in range(2):
        with Cached(Counting(), tmp_path / "vectors.db") as cached:
            for text in TEXTS:
                assert cached.query(text).tobytes() == plain.query(text).tobytes()
                assert cached.passage(text).tobytes() == plain.passage(text).tobytes()


def test_the_second_run_asks_the_model_nothing(tmp_path: Path) -> None:
    asked = []
    for _ in range(2):
        counting = Counting()
        with Cached(counting, tmp_path / "vectors.db") as cached:
            for number in range(500):
                cached.passage(f"tekst {number}")
        asked.append(counting.asked)
    assert asked == [500, 0]


def test_texts_that_the_model_cannot_tell_apart_are_asked_once(tmp_path: Path) -> None:
    counting = Counting()
    with Cached(counting, tmp_path / "vectors.db") as cached:
        assert np.array_equal(cached.query("klant\nboos"), cached.query(" klant  boos\0"))
    assert counting.asked == 1


def test_another_model_shares_nothing(tmp_path: Path) -> None:
    other = Counting("other")
    for counting in (Counting("one"), other):
        with Cached(counting, tmp_path / "vectors.db") as cached:
            cached.query("vraag")
    assert other.asked == 1


def test_it_passes_for_the_embedder_itself(tmp_path: Path) -> None:
    with Cached(FakeEmbedder(), tmp_path / "vectors.db") as cached:
        assert (cached.name, cached.dimensions) == (FakeEmbedder.name, FakeEmbedder.dimensions)
        assert cached.description == FakeEmbedder.description


def test_processes_may_fill_one_file_together(tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    runs = [subprocess.Popen([sys.executable, "-c", FILL, str(path)]) for _ in range(3)]
    assert [run.wait() for run in runs] == [0, 0, 0]
    counting = Counting("fake")
    with Cached(counting, path) as cached:
        cached.query("vraag 999")
    assert counting.asked == 0


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    path.write_text("dit is geen database, maar een briefje van meer dan honderd tekens " * 9)
    with pytest.raises(StoreError, match=r"vectors\.db is not a database"):
        Cached(FakeEmbedder(), path)
