"""Putting articles on the shelf: embed what is new, keep what is known."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from core.embed import Embedder, Reading, Vector
from core.errors import BijdehandError
from core.pieces import NO_PIECES, Pieces
from core.store import Embedded, Piece, Snapshot, Store
from core.store.columns import clean
from knowledge.amounts import Amounts, filled, named
from knowledge.article import Article
from knowledge.glossary import Term
from knowledge.split import passages, whole

Progress = Callable[[int, int], None]  # articles done, articles in all

_AT_ONCE = 32  # articles per transaction: a crash loses at most these, and never half of one


@dataclass(frozen=True, slots=True)
class Shelved:
    """What an import or a reindex did."""

    articles: int
    embedded: int  # texts that had to be embedded; all others were known
    pruned: int = 0


def no_progress(done: int, total: int) -> None:
    """Nobody is watching."""


def text_hash(text: str) -> str:
    """Name a passage by what it says: equal sentences share one vector."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _whole_hash(text: str) -> str:
    """Another than that of a passage in the same words, which is read piece by piece as well."""
    return text_hash(f"\0{text}")


def shelve(
    store: Store,
    embedder: Embedder,
    articles: Sequence[Article],
    *,
    progress: Progress = no_progress,
    at_once: int = _AT_ONCE,
) -> Shelved:
    """Save articles with their vectors, `at_once` in a transaction; only texts that are new are embedded."""
    count = done = 0
    seen: dict[str, Reading] = {}
    amounts = store.amounts()

    def known(hashes: list[str]) -> dict[str, Reading]:
        return store.known(hashes, embedder.name) | {key: seen[key] for key in hashes if key in seen}

    if articles:
        progress(0, len(articles))
    for start in range(0, len(articles), at_once):
        made: list[Embedded] = []
        for article in articles[start : start + at_once]:
            embedded, fresh = embed([article], embedder, known, amounts)
            seen |= {
                piece.hash: Reading(piece.vector, piece.pieces)
                for one in embedded
                for piece in (one.whole, *one.passages)
            }
            made += embedded
            count, done = count + fresh, done + 1
            progress(done, len(articles))
        store.save(made, embedder.name)
        seen.clear()
    return Shelved(len(articles), count)


def set_amounts(store: Store, embedder: Embedder, amounts: Amounts, *, progress: Progress = no_progress) -> Shelved:
    """Write amounts; whoever reads an article sees them at once, and those that name one are then shelved anew."""
    other = store.set_amounts(amounts)
    naming = [article for article in store.articles() if named(article) & other] if other else []
    return shelve(store, embedder, naming, progress=progress)


def embed(
    articles: Iterable[Article],
    embedder: Embedder,
    known: Callable[[list[str]], dict[str, Reading]],
    amounts: Amounts,
) -> tuple[list[Embedded], int]:
    """Articles with the vectors of what people read in them, and how many texts had to be embedded."""
    read = [(article, filled(article, amounts)) for article in articles]
    texts = [(article, whole(full), [passage.text for passage in passages(full)]) for article, full in read]
    entires = {_whole_hash(entire): entire for _, entire, _ in texts}
    by_hash = entires | {text_hash(part): part for _, _, parts in texts for part in parts}
    readings = known(list(by_hash))
    fresh = [key for key in by_hash if key not in readings]
    for key in fresh:
        text = by_hash[key]
        readings[key] = Reading(embedder.passage(text)) if key in entires else embedder.read_passage(text)

    def piece(key: str) -> Piece:
        return Piece(key, by_hash[key], readings[key].vector, readings[key].pieces)

    made = [
        Embedded(article, piece(_whole_hash(entire)), tuple(piece(text_hash(part)) for part in parts))
        for article, entire, parts in texts
    ]
    return made, len(fresh)


def not_in(store: Store, keep: Iterable[str]) -> set[str]:
    """The ids of the stored articles that came from files and are not in `keep`, compared as the store keeps them."""
    return set(store.synced()) - {clean(article_id) for article_id in keep}


def prune(store: Store, keep: Collection[str]) -> int:
    """Remove every article of a file whose id is not in `keep`; how many those were. What the chat made stays."""
    if not keep:
        raise BijdehandError("Nothing was read, so nothing is removed. Name the files that hold the articles.")
    gone = not_in(store, keep)
    if gone:
        store.delete(gone)
    return len(gone)


def snapshot_of(
    articles: Sequence[Article], embedder: Embedder, *, terms: Sequence[Term] = (), progress: Progress = no_progress
) -> Snapshot:
    """A snapshot that never was in a store: the throw-away index of an evaluation."""
    import numpy as np

    made: list[Embedded] = []
    for article in sorted(articles, key=lambda article: article.id):
        made += embed([article], embedder, lambda hashes: {}, {})[0]
        progress(len(made), len(articles))
    return Snapshot(
        sequence=0,
        articles=tuple(one.article for one in made),
        whole=_stacked([one.whole.vector for one in made], embedder),
        passages=_stacked([piece.vector for one in made for piece in one.passages], embedder),
        owners=np.array([i for i, one in enumerate(made) for _ in one.passages], dtype=np.int64),
        texts=tuple(piece.text for one in made for piece in one.passages),
        pieces=_joined([piece.pieces for one in made for piece in one.passages]),
        counts=np.array([len(piece.pieces.ids) for one in made for piece in one.passages], dtype=np.int64),
        terms=tuple(terms),
    )


def _stacked(vectors: Sequence[Vector], embedder: Embedder) -> Vector:
    import numpy as np

    return np.stack(vectors) if vectors else np.zeros((0, embedder.dimensions), np.float32)


def _joined(pieces: Sequence[Pieces]) -> Pieces:
    import numpy as np

    some = [one for one in pieces if len(one.ids)]
    if not some:
        return NO_PIECES
    return Pieces(np.concatenate([one.ids for one in some]), np.concatenate([one.vectors for one in some]))
