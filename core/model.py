"""The words the desk speaks: people, questions, answers."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from knowledge.article import Kind, Language
from knowledge.moment import Moment
from knowledge.shape import Part

if TYPE_CHECKING:
    from core.loop import OpenQuestion


class Role(StrEnum):
    """Rising: whoever may coach may also ask."""

    AGENT = "agent"
    COACH = "coach"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Whether somebody with this role may do what `needed` may."""
        rising = list(Role)
        return rising.index(self) >= rising.index(needed)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who talks with us. `id` is random: platform ids stay behind in the store."""

    id: str
    role: Role = Role.AGENT
    audience: tuple[str, ...] = ()
    language: Language | None = None
    level: str = ""  # junior, medewerker, senior: whose mandate line to show

    def in_public(self) -> "Person":
        """The same person where others read along: shown only what everybody may see."""
        return Person(self.id, language=self.language, level=self.level)


class Attachment(StrEnum):
    """What came with a message that we cannot read."""

    FILE = "file"
    VOICE = "voice"


@dataclass(frozen=True, slots=True)
class Event:
    """A message as a platform delivered it. (surface, team, place, message_id) names it for ever.

    `address` is what the adapter needs to reply, JSON-able, and means nothing to core. `before` is what was said
    earlier in the thread, oldest first, where the platform was asked for it; what we answered there we know ourselves.
    """

    surface: str
    team: str
    place: str
    message_id: str
    user: str  # the platform's id
    text: str
    address: dict[str, Any]
    direct: bool = True  # only the asker reads the reply
    locale: str = ""  # as the platform gives it: "nl-NL"
    thread: str = ""  # the conversation within the place; none where the place itself is the conversation
    addressed: bool = True  # said to us; else overheard, and answered only where that is wanted
    attachment: Attachment | None = None
    before: tuple[str, ...] = ()
    stays: bool = True  # what was typed can be read back there, until it is deleted


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to know. `moment` is set when they chose it themselves, `before` was said earlier.

    What `stays` where it was typed is to be deleted when it holds customer data.
    """

    text: str
    person: Person
    surface: str = "terminal"
    direct: bool = True
    locale: str = ""
    moment: Moment | None = None
    attachment: Attachment | None = None
    before: tuple[str, ...] = ()
    danger: str = ""  # the critical article that was last spoken of, shortly before
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A message in a conversation with us, and the title it was answered with.

    `danger` is the id of that article when lives may be at stake.
    """

    person_id: str
    text: str  # scrubbed
    title: str
    at: datetime
    danger: str = ""


class Outcome(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    SUGGESTIONS = "suggestions"  # likely, not sure: the closest article and its neighbours
    UNANSWERED = "unanswered"  # refused: no article, the nearest titles, a sentence to bridge
    HELP = "help"  # nothing was asked
    THANKS = "thanks"
    ASIDE = "aside"  # no question for us: small talk, an order, mashed keys
    FAILED = "failed"  # something broke on our side


NO_ARTICLE = {Outcome.UNANSWERED, Outcome.ASIDE}  # what a question gets that no article answers


@dataclass(frozen=True, slots=True)
class Card:
    """An article in the shape of a moment, every sentence ready to be shown.

    `first` fits one screen; `more` is the rest in skeleton order. Part texts are Markdown, verbatim. `moments` are
    those that this article has a shape of its own for. `walk` are the steps or checks to take one at a time, in place
    of the part of `first` whose kind is `walked`; empty where one glance is enough.
    """

    article_id: str
    version: int
    title: str
    language: Language
    topic: str
    critical: bool
    first: tuple[Part, ...]
    more: tuple[Part, ...]
    notes: tuple[str, ...] = ()  # above the first part: only in English, only in some cases
    changed: str = ""  # what is new lately, above the first part too
    source: str = ""  # checked when and by whom, or that it is stale
    stale: bool = False
    training: str = ""
    url: str = ""
    moments: tuple[Moment, ...] = tuple(Moment)
    walk: tuple[str, ...] = ()
    walked: Kind | None = None
    say: tuple[str, ...] = ()  # each sentence to tell or write the customer, to be copied


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A title one tap away."""

    article_id: str
    title: str
    language: Language


@dataclass(frozen=True, slots=True)
class Answer:
    """What a surface renders. Everything a person reads in it is in `language`, but for the card's own text."""

    id: str
    outcome: Outcome
    language: Language
    question: str  # scrubbed
    message: str = ""  # a sentence in the bot's own voice: why there is no card, or why it is only likely
    bridge: str = ""  # what to tell the customer meanwhile
    moment: Moment | None = None
    moment_confidence: float = 0.0
    confidence: float = 0.0  # 0 to 1; never shown as a number
    card: Card | None = None
    alternatives: tuple[Suggestion, ...] = ()
    warnings: tuple[str, ...] = ()  # about the question: it held customer data
    asks_to_delete: bool = False  # the question, which then goes without its answer
    notices: tuple[str, ...] = ()  # what is so for some hours, above everything else


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody thought of an answer; `reason` is a key of `feedback.reasons` in the words files."""

    answer_id: str
    person_id: str
    helpful: bool | None = None
    reason: str = ""
    moment: Moment | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel or chat, and what was agreed about it. Only told apart by surface, team and the platform's id."""

    surface: str
    team: str
    id: str
    listens: bool = False  # questions that nobody put to us are answered too, when we are sure


@dataclass(frozen=True, slots=True)
class Request:
    """A question that waits for a coach. `by` is who asked, `answer` what they had got.

    `why`: they asked for a coach (coach), with a customer on the line (urgent), we did not know (refused), or what was
    wrong: a key of `feedback.reasons`.
    """

    id: int
    answer: Answer
    by: str  # person id
    surface: str
    at: datetime
    why: str = "coach"


@dataclass(frozen=True, slots=True)
class News:
    """An article that changed lately or is about to; `line` says since or from when, `new` what it is then."""

    article: Suggestion
    line: str
    new: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """What somebody sees when nothing was asked yet. The queue is a coach's; an agent's is empty."""

    person: Person
    language: Language
    changed: tuple[News, ...] = ()
    kept: tuple[Answer, ...] = ()  # put aside for later
    asked: tuple[Request, ...] = ()  # their own open requests to a coach
    queue: tuple["OpenQuestion", ...] = ()  # everybody's
    notices: tuple[str, ...] = ()  # what is so for some hours


@dataclass(frozen=True, slots=True)
class Delivery:
    """A reply on its way: an outbox row and the answer that belongs in it."""

    id: int
    surface: str
    address: dict[str, Any]
    answer: Answer
    attempts: int = 0
    created: datetime | None = field(default=None, compare=False)
