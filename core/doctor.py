"""What is configured, reachable, stale or missing, and what to do about it."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from core.embed import Embedder
from core.errors import BijdehandError
from core.settings import Settings
from core.store import Store


class State(StrEnum):
    """How a check came out; only `FAIL` stops Bijdehand from doing its work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found and, where it helps, what to do."""

    name: str
    state: State
    found: str
    todo: str = ""


def examine(
    settings: Settings,
    *,
    open_store: Callable[[], Store],
    open_embedder: Callable[[], Embedder],
    now: datetime,
) -> Iterator[Check]:
    """Look at everything below the surfaces; what cannot be opened is a finding, not an error."""
    yield _folder("data", settings.data)
    yield _folder("cache", settings.cache)
    yield Check("sqlite", State.OK, sqlite3.sqlite_version)
    embedder: Embedder | None = None
    try:
        embedder = open_embedder()
        yield Check("model", State.OK, embedder.description)
    except BijdehandError as error:
        yield Check("model", State.FAIL, str(error), "set BIJDEHAND_MODEL, then run: bijdehand init")
    try:
        store = open_store()
    except BijdehandError as error:
        yield Check("database", State.FAIL, str(error))
    else:
        yield Check("database", State.OK, ", ".join(f"{name} {value}" for name, value in store.facts().items()))
        yield from _articles(store, embedder, now.astimezone(settings.zone))


def _folder(name: str, path: Path) -> Check:
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".bijdehand-can-write"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Check(name, State.FAIL, f"{path} cannot be written ({error.strerror})", f"set BIJDEHAND_{name.upper()}")
    return Check(name, State.OK, str(path))


def _articles(store: Store, embedder: Embedder | None, now: datetime) -> Iterator[Check]:
    articles = store.articles()
    if not articles:
        yield Check("articles", State.WARN, "none", "run: bijdehand init --demo, or: bijdehand import FOLDER")
        return
    live = [article for article in articles if article.is_live(now)]
    languages = {language: sum(article.language == language for article in live) for language in ("nl", "en")}
    yield Check("articles", State.OK, f"{len(live)} live ({languages['nl']} nl, {languages['en']} en)")
    overdue = [article.id for article in live if article.overdue(now.date())]
    if overdue:
        yield Check("overdue", State.WARN, ", ".join(overdue), "have their owners check them")
    unowned = [article.id for article in live if not article.owner]
    if unowned:
        yield Check("owners", State.WARN, f"{len(unowned)} articles have no owner", "add owner: to their front matter")
    missing = store.snapshot(embedder.name).missing if embedder else ()
    if missing:
        yield Check("index", State.WARN, f"{len(missing)} articles not embedded", "run: bijdehand reindex")
