"""Copies of the database: made while it serves, put back while it serves, and looked at before either counts."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from core.errors import StoreError
from core.store.columns import stamp
from core.store.sqlite import SqliteStore

Progress = Callable[[int, int], None]

_PAGES = 2_000  # at a time, so that there is progress to show
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class _DamagedError(StoreError):
    """What was copied is broken; anything else that stands in the way may pass."""


def back_up(database: Path, target: Path, progress: Progress, *, force: bool = False) -> int:
    """Copy the database as it stands at this moment, whoever writes meanwhile; the size of the copy in bytes.

    It is one file that only this user can read, looked through before it gets its name.
    """
    if not database.is_file():
        raise StoreError(f"There is no database {database} to make a backup of.")
    if target.is_dir():
        raise StoreError(f"{target} is a folder. Name a file in it for the backup.")
    if target.exists() and not force:
        raise StoreError(f"{target} is there already. Name another file, or give --force.")
    with _aside(target) as part:
        _copy(database, part, progress)
        _must_be_whole(part)
        part.replace(target)
    return target.stat().st_size


def restore(database: Path, source: Path, progress: Progress, *, now: datetime) -> Path | None:
    """Put a backup back; what was there is kept beside it, under the path that is returned.

    All at once, and running bots answer from it at their next question. A database that is damaged cannot be written
    into and is moved aside instead, for which every Bijdehand process must have been stopped.
    """
    if not source.is_file():
        raise StoreError(f"There is no backup {source}.")
    if database.exists() and source.samefile(database):
        raise StoreError(f"{source} is the database itself. Name the backup.")
    database.parent.mkdir(parents=True, exist_ok=True)
    with _aside(database) as part:
        _copy(source, part, progress)
        _must_be_whole(part)
        with closing(SqliteStore(part)):
            pass  # bring it up to date, or say that it is newer or no database of ours
        before = _set_aside(database, now)
        _rise_above(part, before, now)
        if database.exists():
            _copy(part, database, progress)
        else:
            part.replace(database)
    return before


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """A new file beside the target, that nobody else can read; nothing of it stays."""
    part = target.with_name(f"{target.name}.part")
    try:
        _remove(part)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield part
    except OSError as error:
        raise StoreError(f"{target} cannot be written ({error.strerror}). Choose another place.") from error
    finally:
        with suppress(OSError):
            _remove(part)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _copy(source: Path, target: Path, progress: Progress) -> None:
    """All of it, as of one moment: inside a transaction, what others write meanwhile does not begin it anew."""
    try:
        with closing(_connect(source)) as read, closing(_connect(target)) as to:
            read.execute("begin")
            read.execute("select count(*) from sqlite_master").fetchone()
            read.backup(to, pages=_PAGES, progress=lambda _, left, total: progress(total - left, total))
            read.execute("rollback")
    except sqlite3.Error as error:
        kind = _DamagedError if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN else StoreError
        raise kind(f"{source} could not be copied to {target} ({error}); nothing was changed.") from error


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=10.0)


def _must_be_whole(path: Path) -> None:
    """As a file on its own, without a -wal beside it, in which nothing is broken."""
    try:
        with closing(sqlite3.connect(path)) as db:
            db.execute("pragma journal_mode = delete")
            wrong = [row[0] for row in db.execute("pragma integrity_check(3)") if row[0] != "ok"]
            lost = db.execute("pragma foreign_key_check").fetchmany(3)
            wrong += [f"a row of {table} points nowhere" for table, *_ in lost]
    except sqlite3.Error as error:
        raise _DamagedError(f"The copy is not a database that can be read ({error}).") from error
    if wrong:
        raise _DamagedError(f"The copy is damaged ({'; '.join(wrong)[:200]}). Keep the last backup that is whole.")


def _set_aside(database: Path, now: datetime) -> Path | None:
    """Keep what is there now: as a copy, or the damaged file itself."""
    if not database.exists():
        return None
    kept = database.with_name(f"{database.stem}-before-{now:%Y%m%d-%H%M%S-%f}.db")
    try:
        back_up(database, kept, lambda done, total: None)
    except _DamagedError:
        for suffix in ("", "-wal", "-shm"):
            file = database.with_name(database.name + suffix)
            if file.exists():
                file.replace(kept.with_name(kept.name + suffix))
    return kept


def _rise_above(part: Path, before: Path | None, now: datetime) -> None:
    """Let running bots see that the articles are others now: they compare the number of the latest change."""
    latest = 0
    if before:
        with suppress(sqlite3.Error), closing(sqlite3.connect(before)) as db:
            latest = db.execute("select coalesce(max(seq), 0) from change").fetchone()[0]
    with closing(sqlite3.connect(part)) as db, db:
        own = db.execute("select coalesce(max(seq), 0) from change").fetchone()[0]
        row = [max(latest, own) + 1, "", "saved", stamp(now)]
        db.execute("insert into change (seq, article_id, what, at) values (?, ?, ?, ?)", row)
    _must_be_whole(part)
