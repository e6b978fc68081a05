"""Where everything is kept: the `Store` port and what passes through it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from core.embed import Reading, Vector
from core.model import Answer, Delivery, Event, Feedback, Person, Place, Request, Role, Turn
from core.pieces import NO_PIECES, Pieces
from core.store.coaching import Coaching
from core.verdicts import Calibration
from knowledge.amounts import Amounts
from knowledge.article import Article, Language
from knowledge.glossary import Term

__all__ = ["Backlog", "Embedded", "Identity", "Installation", "Piece", "Snapshot", "Store", "Vector"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A text as it was read. `hash` names the text; under one model equal texts share one reading."""

    hash: str
    text: str
    vector: Vector
    pieces: Pieces = NO_PIECES  # of passages alone: an article as a whole is not compared piece by piece


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
    pieces: Pieces  # of all passages, one after the other
    counts: npt.NDArray[np.int64]  # (passages,), how many pieces each has
    missing: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    calibration: Calibration | None = None  # of this model


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits, and for how many seconds the oldest of it."""

    questions: int
    oldest_question: float
    replies: int
    oldest_reply: float


@dataclass(frozen=True, slots=True)
class Identity:
    """One of a person's names on a platform."""

    surface: str
    team: str
    user: str


@dataclass(frozen=True, slots=True)
class Installation:
    """That a team let us in. `secret` is encrypted before it comes here: the store never sees a token."""

    surface: str
    enterprise: str  # "" for a team's own: its id is enough
    team: str  # "" for a whole enterprise
    secret: bytes
    at: datetime


class Store(Coaching, Protocol):
    """The port that SQLite implements, and PostgreSQL later.

    Every method is one transaction, safe to call from any thread and beside other processes. What it raises is
    a `StoreError` whose text a person can act on, or a `NotFoundError`. Text comes back as it was given; only
    NUL and lone surrogates, which have no UTF-8, come back as U+FFFD.
    """

    # -- articles --------------------------------------------------------------------------------------------
    def sequence(self) -> int:
        """Rise with every change to articles or vectors; readers compare it before each question."""

    def snapshot(self, model: str) -> Snapshot:
        """Read everything searchable under this model, consistently, with amounts for their names."""

    def articles(self) -> list[Article]:
        """List all articles as written, sorted by id, whatever their status."""

    def article(self, article_id: str) -> Article:
        """Find one article, as written; `NotFoundError` when there is none of that id."""

    def known(self, hashes: Iterable[str], model: str) -> dict[str, Reading]:
        """Find the texts that need not be read again."""

    def save(self, embedded: Sequence[Embedded], model: str) -> None:
        """Insert or replace articles with their passages and vectors, all or none, and raise the sequence.

        An article whose content, passages included, is what the store holds keeps its version; any other gets
        the next. What is the same down to its vectors does not raise the sequence.
        """

    def amounts(self) -> Amounts:
        """List the amounts that articles may name."""

    def set_amounts(self, amounts: Amounts) -> set[str]:
        """Insert or replace amounts, and tell the names of those that are others now.

        The sequence rises when an article names one of these; its passages are the caller's to embed anew.
        """

    def terms(self) -> tuple[Term, ...]:
        """List what words mean, sorted by word and language."""

    def set_terms(self, terms: Iterable[Term]) -> None:
        """Insert or replace words, and raise the sequence when any means something else now."""

    def drop_term(self, said: str, language: Language) -> None:
        """Forget a word, and raise the sequence; an unknown one is ignored."""

    def set_calibration(self, model: str, calibration: Calibration | None, now: datetime) -> None:
        """Keep the bands for a model, or none, and raise the sequence."""

    def delete(self, article_ids: Iterable[str]) -> None:
        """Remove articles, their passages and vectors, and raise the sequence; unknown ids are ignored."""

    # -- people ----------------------------------------------------------------------------------------------
    def person(self, identity: Identity) -> Person:
        """Tell who is behind a platform's user; made, as an agent, when seen for the first time."""

    def known_person(self, identity: Identity) -> Person | None:
        """Tell who is behind a platform's user, without making anybody; None when never seen."""

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
    def receive(self, event: Event, now: datetime, *, done: bool = False) -> bool:
        """Note an event, its text scrubbed; False when it was noted before, by whichever process.

        `done`: it gets no answer from the desk, so nothing but its name is kept.
        """

    def lease(self, event: Event, now: datetime) -> bool:
        """Claim an event for thirty seconds; False when it is done or somebody else holds it."""

    def undone(self, surface: str, since: datetime, now: datetime) -> list[Event]:
        """List events received after `since` that are neither done nor leased, oldest first.

        What was said before them is not kept.
        """

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

    def sent(self, delivery: Delivery, now: datetime, *, message_id: str = "") -> bool:
        """Note that the platform took it, under which id, and forget the address.

        False when the question was withdrawn meanwhile: then the reply must go as well.
        """

    def not_sent(self, delivery: Delivery, error: str) -> None:
        """Note that the platform refused it, and why (no message text); free the lease."""

    def turns(self, event: Event, since: datetime, most: int = 6) -> list[Turn]:
        """List the latest messages of this event's conversation, itself excluded, oldest first.

        That is its (surface, team, place, thread), and the message or our reply that the thread is below. Only what
        was answered counts, and only after `since`. Outside threads so does what `set_reply` noted there, as said by
        whoever got that answer first: every answer once, at the latest time that it was given or shown.
        """

    def withdraw(self, surface: str, team: str, place: str, message_id: str) -> str:
        """Forget a message and its answer: the person took it back. The id of our reply on the platform, or "".

        The event stays without its text, so that a late redelivery is not answered. Unknown messages are ignored. An
        answer that asked to take the message back stays, without the question: then there is no id either.
        """

    def set_reply(self, place: Place, message_id: str, answer_id: str, now: datetime) -> None:
        """Note which answer a message of ours shows now; `NotFoundError` when there is no such answer.

        Needed only where that is not the answer that was delivered in it. A message without an id shows none.
        """

    def reply(self, place: Place, message_id: str) -> Answer:
        """Find the answer that a message of ours shows; `NotFoundError` when it shows none."""

    # -- addresses -------------------------------------------------------------------------------------------
    def keep_address(self, identity: Identity, address: Mapping[str, Any]) -> bool:
        """Keep how to write to somebody in private, in place of what was known; True when nothing was."""

    def address(self, identity: Identity) -> dict[str, Any] | None:
        """Tell how to write to somebody in private."""

    def forget_address(self, identity: Identity) -> None:
        """Forget it: they took us away. Unknown ones are ignored."""

    # -- places ----------------------------------------------------------------------------------------------
    def place(self, surface: str, team: str, place_id: str) -> Place:
        """Tell what was agreed about a place; one never heard of has the defaults."""

    def set_place(self, place: Place) -> None:
        """Keep what was agreed about a place."""

    # -- answers ---------------------------------------------------------------------------------------------
    def record(self, answer: Answer, person: Person, surface: str, now: datetime, *, team: str = "") -> None:
        """Keep an answer that needs no delivery (terminal, web, whatever was opened by a tap)."""

    def answer(self, answer_id: str) -> Answer:
        """Find an answer given earlier; `NotFoundError` when there is none."""

    def asked(self, since: datetime, most: int = 1000) -> list[Answer]:
        """List what was asked after `since`, each question once, the latest first; greetings and thanks are not."""

    def rate(self, feedback: Feedback, now: datetime) -> None:
        """Keep what somebody thought of an answer, once per person; the latest wins, field by field.

        `NotFoundError` when there is no such answer or person.
        """

    # -- for later, and for a coach ----------------------------------------------------------------------------
    def keep_for_later(self, answer_id: str, person_id: str, now: datetime) -> None:
        """Put an answer aside for somebody, once; `NotFoundError` when there is no such answer or person."""

    def drop_for_later(self, answer_id: str, person_id: str) -> None:
        """Take it off again; nothing happens when it was not there."""

    def kept_for_later(self, person_id: str, most: int = 20) -> list[Answer]:
        """List what somebody put aside, the latest first."""

    def request(self, answer_id: str, person_id: str, now: datetime, *, why: str = "coach") -> bool:
        """Ask a coach about an answer; False when this person asked that before. `NotFoundError` as above.

        Which surface and team it came from is the answer's. A refusal and a reason why an answer is wrong ask by
        themselves, when they are recorded.
        """

    def requests(self, *, person_id: str | None = None, most: int = 200) -> list[Request]:
        """List who wait for a coach they asked for, everybody or one person, the oldest first."""

    def coaches(self) -> int:
        """How many people are coach or admin."""

    def to_check(
        self, surface: str, asked: tuple[datetime, datetime], quiet_since: datetime, now: datetime
    ) -> list[tuple[Identity, Answer]]:
        """Choose whom to ask whether an answer helped, and note that they are being asked.

        One answer per person, their latest with a card, given between the two times of `asked`; nobody who was asked
        after `quiet_since`, said not to be asked, said anything of that answer, or asked a question in the half hour
        before `now`. Whoever had a critical article on the screen in that time or since is left alone.
        """

    def set_quiet(self, person_id: str, *, quiet: bool) -> None:
        """Note that somebody does not want to be asked whether it helped, or does again."""

    # -- installations ---------------------------------------------------------------------------------------
    def save_installation(self, installation: Installation) -> None:
        """Keep or replace the installation of (surface, enterprise, team)."""

    def installation(self, surface: str, enterprise: str, team: str) -> Installation | None:
        """Find a team's own installation (kept under enterprise ""), else its whole enterprise's (under team "").

        Not every event names the enterprise: without a name it is the only one there is, and none of several.
        """

    def forget_team(self, surface: str, team: str, enterprise: str = "") -> None:
        """Delete all that came from a team: installation, places, people known nowhere else, events, answers.

        What its enterprise has stays. With team "" it is the enterprise that goes: its installation and, unless another
        whole enterprise is still in, whose they may be, all teams without an installation of their own. With both
        "" nothing happens.
        """

    def save_state(self, state: str, until: datetime) -> None:
        """Keep a one-time word for an installation under way. Old ones are removed: anybody can ask for one."""

    def use_state(self, state: str, now: datetime) -> bool:
        """Whether that word was given out and is still good; it is good once. Old ones are removed."""

    # -- operations ------------------------------------------------------------------------------------------
    def facts(self) -> Mapping[str, int | str]:
        """Count the rows of each table and name the last migration, `schema`. For `doctor`."""

    def about(self, person_id: str) -> dict[str, list[dict[str, Any]]]:
        """Every row about somebody, by table, as it is kept."""

    def forget(self, person_id: str) -> None:
        """Erase somebody and what they typed, down to the bytes; what they wrote for others is nobody's from then on.

        A `StoreError` when another program reads so long that the bytes are still there; the rows are gone.
        """

    def sweep(self, now: datetime) -> dict[str, int]:
        """Erase what has been kept for long enough; how many rows, by table."""

    def backlog(self, now: datetime) -> Backlog:
        """Count the messages of the last hour that are not answered, and the replies of it that are not sent."""

    def close(self) -> None:
        """Close the connections of every thread, once their calls have ended; later calls are refused."""
