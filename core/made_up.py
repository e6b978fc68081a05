"""Made-up knowledge of any size, to see how speed holds: starter passages shuffled, with vectors moved a little."""

import random
from dataclasses import replace

import numpy as np

from core.pieces import Pieces
from core.store import Snapshot
from core.store import Vector as Matrix
from knowledge.article import Section

PASSAGES = 8  # of an article
_MOVED = 0.35  # how far, of a vector of length one
_TITLE, _ALIASES = 5, 2  # words, and how many more names


def made_up(starter: Snapshot, articles: int, *, seed: int = 0) -> Snapshot:
    """So many articles with eight passages each; the same for the same seed."""
    dice, numbers = random.Random(seed), np.random.default_rng(seed)  # noqa: S311 - nothing is secret here
    words = " ".join(starter.texts).split()
    rows = numbers.integers(0, len(starter.texts), (articles, PASSAGES))
    like = numbers.integers(0, len(starter.articles), articles)

    def name() -> str:
        return " ".join(dice.sample(words, _TITLE))

    made = tuple(
        replace(
            starter.articles[like[number]],
            id=f"made-up-{number:06}",
            translation_of="",
            title=name(),
            aliases=tuple(name() for _ in range(_ALIASES)),
            sections=(Section(None, "", " ".join(starter.texts[row] for row in rows[number])),),
            critical=False,
            signals=(),
            unlike=(),
            changes=(),
        )
        for number in range(articles)
    )
    until = np.concatenate([[0], np.cumsum(starter.counts)])
    parts = [slice(until[row], until[row + 1]) for row in rows.ravel()]
    return Snapshot(
        sequence=0,
        articles=made,
        whole=_moved(starter.whole[like], numbers),
        passages=_moved(starter.passages[rows.ravel()], numbers),
        owners=np.repeat(np.arange(articles), PASSAGES),
        texts=tuple(starter.texts[row] for row in rows.ravel()),
        pieces=Pieces(
            np.concatenate([starter.pieces.ids[part] for part in parts]),
            np.concatenate([starter.pieces.vectors[part] for part in parts]),
        ),
        counts=starter.counts[rows.ravel()],
        terms=starter.terms,
    )


def _moved(vectors: Matrix, numbers: np.random.Generator) -> Matrix:
    step = numbers.standard_normal(vectors.shape, np.float32) * np.float32(_MOVED / np.sqrt(vectors.shape[1]))
    moved = vectors + step
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)
