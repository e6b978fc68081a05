"""Vectors kept on disk, so that measuring a large corpus for the second time takes seconds."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from core.embed import Embedder, Vector, clean
from core.store.sqlite_file import SqliteFile

_BATCH = 200  # vectors per transaction; as many are computed again after a crash


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
        return self._recall("query", text, self._embedder.query)

    def passage(self, text: str) -> Vector:
        """Embed a text of an article, or remember how."""
        return self._recall("passage", text, self._embedder.passage)

    def close(self) -> None:
        """Write what is still in memory."""
        with self._lock:
            self._write()
        self._file.close()

    def _recall(self, kind: str, text: str, embed: Callable[[str], Vector]) -> Vector:
        key = hashlib.sha256("\0".join((self.name, kind, clean(text))).encode()).digest()
        known = self._find(key)
        if known is not None:
            return np.frombuffer(known, np.float32).copy()
        vector = embed(text)
        with self._lock:
            self._new[key] = vector.tobytes()
            if len(self._new) >= _BATCH:
                self._write()
        return vector

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
