"""Readings kept on disk, so that measuring a large corpus for the second time takes seconds."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from core.embed import Embedder, Reading, Vector, clean
from core.pieces import Pieces
from core.store.sqlite_file import SqliteFile

_FORMAT = "2"  # of what is kept
_BATCH = 200  # readings per transaction; as many are computed again after a crash


class Cached:
    """An embedder that remembers, to the bit, in a file that several processes may share.

    Use it in a `with`: leaving writes what is still in memory.
    """

    def __init__(self, embedder: Embedder, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._embedder = embedder
        self._new: dict[bytes, bytes] = {}
        self._lock = threading.Lock()
        self._file = SqliteFile(path, wait=60.0)
        self._file.use_wal()
        with self._file.write() as db:
            db.execute("create table if not exists vector (key blob primary key, value blob not null) without rowid")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The embedder's own: its vectors are the same."""
        return self._embedder.name

    @property
    def description(self) -> str:
        """The embedder's own."""
        return self._embedder.description

    @property
    def dimensions(self) -> int:
        """The embedder's own."""
        return self._embedder.dimensions

    def query(self, text: str) -> Vector:
        """Embed a question, or remember how."""
        return self.read_query(text).vector

    def passage(self, text: str) -> Vector:
        """Embed a text of an article, or remember how."""
        return self.read_passage(text).vector

    def read_query(self, text: str) -> Reading:
        """Embed a question piece by piece, or remember how."""
        return self._recall("query", text, self._embedder.read_query)

    def read_passage(self, text: str) -> Reading:
        """Embed a text of an article piece by piece, or remember how."""
        return self._recall("passage", text, self._embedder.read_passage)

    def close(self) -> None:
        """Write what is still in memory."""
        with self._lock:
            self._write()
        self._file.close()

    def _recall(self, kind: str, text: str, read: Callable[[str], Reading]) -> Reading:
        key = hashlib.sha256("\0".join((_FORMAT, self.name, kind, clean(text))).encode()).digest()
        known = self._find(key)
        if known is not None:
            return _unpacked(known)
        reading = read(text)
        with self._lock:
            self._new[key] = _packed(reading)
            if len(self._new) >= _BATCH:
                self._write()
        return reading

    def _find(self, key: bytes) -> bytes | None:
        with self._lock:
            if key in self._new:
                return self._new[key]
        with self._file.read() as db:
            row = db.execute("select value from vector where key = ?", [key]).fetchone()
        return row and bytes(row[0])

    def _write(self) -> None:
        if self._new:
            with self._file.write() as db:
                db.conn.executemany("insert or ignore into vector values (?, ?)", self._new.items())
            self._new.clear()


def _packed(reading: Reading) -> bytes:
    """How many pieces and how long their vectors, then the pieces, then the vector of the whole."""
    ids, vectors = reading.pieces.ids, reading.pieces.vectors
    shape = np.array(vectors.shape, np.int32)
    return b"".join(part.tobytes() for part in (shape, ids, vectors, np.asarray(reading.vector, np.float32)))


def _unpacked(kept: bytes) -> Reading:
    count, width = map(int, np.frombuffer(kept, np.int32, 2))
    ids = np.frombuffer(kept, np.int32, count, 8).copy()
    vectors = np.frombuffer(kept, np.int8, count * width, 8 + 4 * count).reshape(count, width).copy()
    return Reading(np.frombuffer(kept[8 + count * (4 + width) :], np.float32).copy(), Pieces(ids, vectors))
