"""A SQLite file for many threads and processes: connections, transactions, errors in a sentence."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlite_utils import Database

from core.errors import StoreError
from core.store.columns import clean

_OLDEST = (3, 37)  # strict tables
_PRIMARY = 0xFF  # the low byte of an error code; the rest says where it went wrong

# SQLite would add what is in an old -wal to whatever file it finds beside it.
_RESTORE = (
    "Stop every Bijdehand process, remove the -wal and -shm files beside it, put the last backup in its place "
    "and start again."
)

_WHAT_NOW = {
    sqlite3.SQLITE_NOTADB: (
        "{path} is not a database. Choose another file, or move this one away and put a backup in its place."
    ),
    sqlite3.SQLITE_CORRUPT: f"The database {{path}} is damaged. Keep a copy of it. {_RESTORE}",
    sqlite3.SQLITE_BUSY: (
        "Another program kept the database {path} locked for {wait:g} seconds, so nothing was changed. "
        "Try again; if it stays locked, end the program that has it open."
    ),
    sqlite3.SQLITE_FULL: (
        "There is no room left for the database {path}, so this change was not saved; all earlier ones are. "
        "Make room and try again."
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "The database {path} cannot be opened. Let this user read and write the file and its folder."
    ),
    sqlite3.SQLITE_READONLY: "The database {path} cannot be written. Let this user write the file and its folder.",
    sqlite3.SQLITE_IOERR: (
        "The disk refused to read or write the database {path}, so nothing was changed. Check the disk and try again."
    ),
}


class _Connection(sqlite3.Connection):
    """The one gate through which every value goes into the database."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401 - as sqlite3 has it
        return super().execute(sql, clean(parameters))

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        return super().executemany(sql, map(clean, parameters))


@dataclass(frozen=True, slots=True)
class _Slot:
    """A thread's connection. The lock is held while it is used, so that `close` does not pull it away."""

    db: Database
    lock: threading.RLock = field(default_factory=threading.RLock)


class SqliteFile:
    """One connection per thread; everything is done in `read` or `write`, each a transaction."""

    def __init__(self, path: Path, *, wait: float = 10.0) -> None:
        """Open or make the file. `wait` is how many seconds another program's lock is waited for."""
        self.path = path.absolute()
        self._wait = wait
        self._mine = threading.local()
        self._slots: dict[threading.Thread, _Slot] = {}
        self._guard = threading.Lock()
        self._writing = threading.RLock()  # so that a transaction in a transaction is still refused, not waited for
        self._closed = False
        self._opened: tuple[int, int] | None = None  # which file it is, once it is there

    @contextmanager
    def read(self) -> Iterator[Database]:
        """Everything read inside is of one moment, whoever writes meanwhile."""
        with self._transaction("begin") as db:
            yield db

    @contextmanager
    def write(self) -> Iterator[Database]:
        """All or nothing. Locked from the start: after a read, SQLite no longer waits for the lock.

        Threads of ours take turns before that: SQLite's way of waiting is to sleep and look again.
        """
        with self._writing, self._transaction("begin immediate") as db:
            yield db

    def close(self) -> None:
        """Close the connections of every thread, each as soon as its transaction has ended."""
        with self._guard:
            self._closed = True
            slots = list(self._slots.values())
            self._slots.clear()
        for slot in slots:
            with slot.lock:
                slot.db.close()

    def use_wal(self) -> None:
        """Let readers and the writer work side by side, from now on.

        SQLite waits for locks elsewhere, but not here: of two first starts at once, one would fail.
        """
        deadline = time.monotonic() + self._wait
        with self._told(), self._turn() as db:
            while True:
                try:
                    db.execute("pragma journal_mode = wal").close()
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
                else:
                    self._opened = self._present()
                    return

    def empty_log(self) -> None:
        """Write what is in the -wal into the file and cut it to nothing, so that erased bytes are nowhere."""
        deadline = time.monotonic() + self._wait
        with self._told(), self._writing, self._turn() as db:
            while db.execute("pragma wal_checkpoint(truncate)").fetchone()[0]:
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"It is erased from the database {self.path}, but another program reads it all the time, so "
                        "that the bytes are still in its -wal file. Try again when that has ended."
                    )
                time.sleep(0.05)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Database]:
        with self._told(), self._turn() as db:
            db.execute(begin)
            try:
                yield db
                db.execute("commit")
            except BaseException:
                db.rollback()
                raise

    @contextmanager
    def _turn(self) -> Iterator[Database]:
        slot: _Slot | None = getattr(self._mine, "slot", None)
        if slot is None:
            slot = self._mine.slot = self._new_slot()
        with slot.lock:
            self._must_be_ours()
            yield slot.db

    def _new_slot(self) -> _Slot:
        with self._guard:
            self._must_be_ours()  # before connecting, which would make a new file or mix this one with an old -wal
            for thread in [thread for thread in self._slots if not thread.is_alive()]:
                self._slots.pop(thread).db.close()
            slot = self._slots[threading.current_thread()] = _Slot(self._connect())
        return slot

    def _must_be_ours(self) -> None:
        """Still open, and still the file that we opened."""
        if self._closed:
            raise StoreError(f"The database {self.path} was closed; open it again.")
        if self._opened and self._opened != self._present():
            raise StoreError(
                f"The database {self.path} was replaced or removed while Bijdehand had it open, so it is left alone. "
                f"{_RESTORE}"
            )

    def _present(self) -> tuple[int, int] | None:
        """Which file stands at our path: device and number."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _connect(self) -> Database:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StoreError(f"This Python has SQLite {sqlite3.sqlite_version}; use one with 3.37 or newer.")
        if not self.path.parent.is_dir():
            raise StoreError(f"There is no folder {self.path.parent} to keep the database in. Make it first.")
        if self.path.is_dir():
            raise StoreError(f"{self.path} is a folder. Name a file in it for the database.")
        with suppress(OSError):  # SQLite has a sentence for what is wrong with a place
            os.close(os.open(self.path, os.O_CREAT | os.O_RDONLY, 0o600))  # for nobody else; its -wal follows
        connection = sqlite3.connect(
            self.path,
            timeout=self._wait,
            isolation_level=None,  # no transaction that we did not begin ourselves
            check_same_thread=False,  # `close` closes those of other threads
            factory=_Connection,
        )
        try:
            connection.execute("pragma foreign_keys = on")
            connection.execute("pragma secure_delete = on")  # what is deleted is overwritten
            connection.execute("pragma synchronous = full")  # what we acknowledged survives a power cut
            return Database(connection, execute_plugins=False)
        except BaseException:
            connection.close()
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(self._sentence(error)) from error
        except ValidationError as error:
            raise StoreError(
                f"The database {self.path} holds a document that this version cannot read. "
                "Upgrade bijdehand, or put a backup in its place."
            ) from error

    def _sentence(self, error: sqlite3.Error) -> str:
        code = getattr(error, "sqlite_errorcode", None)
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        known = _WHAT_NOW.get(code & _PRIMARY) if code is not None else None
        unknown = f"The database {{path}} refused a request ({name}); nothing was changed. The log says where."
        return (known or unknown).format(path=self.path, wait=self._wait)
