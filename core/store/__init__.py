"""Where everything is kept: the `Store` port and the way to open one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.model import Answer, Delivery, Event, Feedback, Person, Role
from knowledge.article import Article

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Piece:
    """A text with its vector. `hash` names the text and how it was embedded; equal texts share one vector."""

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
    `articles`) that passage i belongs to. Articles are sorted by id, passages by article and place. An article that
    this model has not embedded is in `missing` and not in `articles`.
    """

    sequence: int
    articles: tuple[Article, ...]
    whole: Vector  # (articles, dimensions)
    passages: Vector  # (passages, dimensions)
    owners: npt.NDArray[np.int64]  # (passages,)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """One of a person's names on a platform."""

    surface: str
    team: str
    user: str


class Store(Protocol):
    """The port that SQLite implements, and PostgreSQL later.

    Every method is one transaction, safe to call from any thread and beside other processes. What it raises is a
    `StoreError` whose text a person can act on.
    """

    # -- articles ------------------------------------------------------------------------------------------------
    def sequence(self) -> int:
        """Rise with every change to the articles or their vectors; readers compare it before each question."""

    def snapshot(self, model: str) -> Snapshot:
        """Read everything searchable under this model, consistently."""

    def articles(self) -> list[Article]:
        """All articles, sorted by id, whatever their status."""

    def article(self, article_id: str) -> Article:
        """One article; `NotFoundError` when there is none of that id."""

    def known(self, hashes: Iterable[str], model: str) -> dict[str, Vector]:
        """The vectors that need not be computed again."""

    def save(self, embedded: Sequence[Embedded], model: str) -> None:
        """Insert or replace articles with their passages and vectors, all or none, and raise the sequence.

        An article whose content is what the store already holds keeps its version; any other gets the next.
        """

    def delete(self, article_ids: Iterable[str]) -> None:
        """Remove articles and their passages; unknown ids are ignored. Raises the sequence."""

    # -- people --------------------------------------------------------------------------------------------------
    def person(self, identity: Identity) -> Person:
        """The person behind a platform's user; made, as an agent, when seen for the first time."""

    def set_person(self, identity: Identity, *, role: Role, audience: Sequence[str], level: str) -> Person:
        """Give a person their role, audience tags and level."""

    def people(self) -> list[tuple[Identity, Person]]:
        """Everybody known, sorted by surface, team and user."""

    # -- events and replies ----------------------------------------------------------------------------------------
    def receive(self, event: Event, now: datetime) -> bool:
        """Note an event; False when it was noted before, by whichever process. The text is already scrubbed."""

    def lease(self, event: Event, now: datetime) -> bool:
        """Claim an event for thirty seconds; False when it is done or somebody else holds it."""

    def undone(self, surface: str, since: datetime, now: datetime) -> list[Event]:
        """Events received after `since` that are neither done nor leased."""

    def finish(self, event: Event, answer: Answer, person: Person, now: datetime) -> Delivery:
        """Record the answer, put it in the outbox and mark the event done: one transaction."""

    def outbox(self, surface: str, since: datetime, now: datetime) -> list[Delivery]:
        """Replies put there after `since` that are not sent and that nobody is sending (a 30 s lease)."""

    def sent(self, delivery: Delivery, now: datetime) -> None:
        """The platform took it."""

    def not_sent(self, delivery: Delivery, error: str) -> None:
        """The platform refused it: count the attempt, keep the reason (no message text), free the lease."""

    # -- answers ---------------------------------------------------------------------------------------------------
    def record(self, answer: Answer, person: Person, surface: str, now: datetime) -> None:
        """Keep an answer that needs no delivery (terminal, web)."""

    def answer(self, answer_id: str) -> Answer:
        """An answer given earlier; `NotFoundError` when there is none."""

    def rate(self, feedback: Feedback, now: datetime) -> None:
        """Keep what somebody thought of an answer: one row per answer and person, the latest wins field by field."""

    # -- operations ------------------------------------------------------------------------------------------------
    def facts(self) -> Mapping[str, int | str]:
        """Row counts and the schema version, for `doctor`."""

    def close(self) -> None:
        """Close the connections of every thread."""
