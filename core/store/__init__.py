"""Where everything is kept: the `Store` port and what passes through it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.embed import Vector
from core.model import Answer, Delivery, Event, Feedback, Person, Role
from knowledge.article import Article, Language

__all__ = ["Embedded", "Identity", "Piece", "Snapshot", "Store", "Vector"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A text with its vector. `hash` names the text; under one model equal texts share one vector."""

    hash: str
    text: str
    vector: Vector


@dataclass(frozen=True, slots=True)
class Embedded:
    """An article with the vector of its whole text and those of its passages."""

    article: Article
    whole: Piece
    passages: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that can be searched, as it stood at one moment.

    `whole` has a row per article, `passages` a row per passage, and `owners[i]` is the article (its place in
    `articles`) that passage i belongs to. Articles are sorted by id, passages by article and place. An article
    that this model has not embedded is in `missing` and not in `articles`.
    """

    sequence: int
    articles: tuple[Article, ...]
    whole: Vector  # (articles, dimensions)
    passages: Vector  # (passages, dimensions)
    owners: npt.NDArray[np.int64]  # (passages,)
    texts: tuple[str, ...]  # of the passages, as they were embedded
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """One of a person's names on a platform."""

    surface: str
    team: str
    user: str


class Store(Protocol):
    """The port that SQLite implements, and PostgreSQL later.

    Every method is one transaction, safe to call from any thread and beside other processes. What it raises is
    a `StoreError` whose text a person can act on, or a `NotFoundError`. Text comes back as it was given; only
    NUL and lone surrogates, which have no UTF-8, come back as U+FFFD.
    """

    # -- articles --------------------------------------------------------------------------------------------
    def sequence(self) -> int:
        """Rise with every change to articles or vectors; readers compare it before each question."""

    def snapshot(self, model: str) -> Snapshot:
        """Read everything searchable under this model, consistently."""

    def articles(self) -> list[Article]:
        """List all articles, sorted by id, whatever their status."""

    def article(self, article_id: str) -> Article:
        """Find one article; `NotFoundError` when there is none of that id."""

    def known(self, hashes: Iterable[str], model: str) -> dict[str, Vector]:
        """Find the vectors that need not be computed again."""

    def save(self, embedded: Sequence[Embedded], model: str) -> None:
        """Insert or replace articles with their passages and vectors, all or none, and raise the sequence.

        An article whose content, passages included, is what the store holds keeps its version; any other gets
        the next. What is the same down to its vectors does not raise the sequence.
        """

    def delete(self, article_ids: Iterable[str]) -> None:
        """Remove articles, their passages and vectors, and raise the sequence; unknown ids are ignored."""

    # -- people ----------------------------------------------------------------------------------------------
    def person(self, identity: Identity) -> Person:
        """Tell who is behind a platform's user; made, as an agent, when seen for the first time."""

    def set_person(
        self,
        identity: Identity,
        *,
        role: Role | None = None,
        audience: Sequence[str] | None = None,
        level: str | None = None,
        language: Language | None = None,
    ) -> Person:
        """Give a person what is named here; the rest stays as it was. Made when seen for the first time."""

    def people(self) -> list[tuple[Identity, Person]]:
        """List everybody known, sorted by surface, team and user."""

    # -- events and replies ----------------------------------------------------------------------------------
    def receive(self, event: Event, now: datetime) -> bool:
        """Note an event, its text scrubbed; False when it was noted before, by whichever process."""

    def lease(self, event: Event, now: datetime) -> bool:
        """Claim an event for thirty seconds; False when it is done or somebody else holds it."""

    def undone(self, surface: str, since: datetime, now: datetime) -> list[Event]:
        """List events received after `since` that are neither done nor leased, oldest first."""

    def finish(self, event: Event, answer: Answer, person: Person, now: datetime) -> Delivery | None:
        """Record the answer, put it in the outbox and mark the event done: one transaction.

        The delivery is leased to the caller, who sends it. None when somebody else, after the lease ran out,
        finished the event first: then nothing is recorded and nothing must be sent. `NotFoundError` when the
        event was never received.
        """

    def outbox(self, surface: str, since: datetime, now: datetime) -> list[Delivery]:
        """Lease, for thirty seconds, the replies that nobody has sent or is sending, oldest first.

        Only those put there after `since`.
        """

    def sent(self, delivery: Delivery, now: datetime) -> None:
        """Note that the platform took it, and forget the address."""

    def not_sent(self, delivery: Delivery, error: str) -> None:
        """Note that the platform refused it, and why (no message text); free the lease."""

    # -- answers ---------------------------------------------------------------------------------------------
    def record(self, answer: Answer, person: Person, surface: str, now: datetime) -> None:
        """Keep an answer that needs no delivery (terminal, web)."""

    def answer(self, answer_id: str) -> Answer:
        """Find an answer given earlier; `NotFoundError` when there is none."""

    def rate(self, feedback: Feedback, now: datetime) -> None:
        """Keep what somebody thought of an answer, once per person; the latest wins, field by field.

        `NotFoundError` when there is no such answer or person.
        """

    # -- operations ------------------------------------------------------------------------------------------
    def facts(self) -> Mapping[str, int | str]:
        """Count the rows of each table and name the last migration, `schema`. For `doctor`."""

    def close(self) -> None:
        """Close the connections of every thread, once their calls have ended; later calls are refused."""
