"""The coach's part of the `Store` port."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from core.acquaintance import Acquaintance
from core.loop import Announcement, Colleague, Draft, Hours, Notice, OpenQuestion, Proposal, State, Tip, Version
from core.model import Answer, Person, Request
from core.moments import Message
from core.verdicts import Verdict
from knowledge.article import Article, Change

if TYPE_CHECKING:
    from core.store import Embedded, Identity


@dataclass(frozen=True, slots=True)
class Due:
    """A notification to be made and sent: `kind` says what of, `about` which."""

    id: int
    kind: str
    about: str
    person: Person
    identity: "Identity"
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """Something that people must be told, once each."""

    kind: str
    about: str
    people: tuple[str, ...]


class Coaching(Protocol):
    """Every method is one transaction, as in the rest of the port."""

    # -- open questions ---------------------------------------------------------------------------------------
    def unfiled(self) -> list[Request]:
        """List the requests that belong to no open question yet, the oldest first."""

    def file(self, request_id: int, question_id: int | None, now: datetime) -> int:
        """Make a request part of an open question, or of a new one; its number. What is filed stays where it is."""

    def questions(self, states: Collection[State] = (State.OPEN, State.TAKEN)) -> list[OpenQuestion]:
        """List questions in these states that somebody still asks."""

    def question(self, question_id: int) -> OpenQuestion:
        """Find one; `NotFoundError` when there is none, or nobody asks it any more."""

    def before(self, answer_id: str, within: timedelta, most: int = 3) -> list[str]:
        """List what the asker had said in the same conversation shortly before they got an answer, oldest first."""

    def join(self, question_id: int, into: int, now: datetime) -> None:
        """Make an open question part of another: from then on they are one."""

    def move(
        self,
        question_id: int,
        state: State,
        now: datetime,
        *,
        coach_id: str | None = None,
        note: str = "",
        told: Sequence[Told] = (),
    ) -> bool:
        """Take, decline or open a question again; False when it was closed meanwhile, or another has it."""

    def call(self, question_id: int, coach_id: str, now: datetime) -> bool:
        """Call a coach about a question, once; False when they were called before."""

    def calls(self, question_id: int) -> list[tuple[str, datetime]]:
        """List who was called about a question and when, the first first."""

    # -- writing ----------------------------------------------------------------------------------------------
    def publish(
        self,
        embedded: "Sequence[Embedded]",
        model: str,
        *,
        what: str,
        by: str | None,
        now: datetime,
        question_id: int | None = None,
        draft_id: str | None = None,
        proposal_id: int | None = None,
        announced: "tuple[Change, tuple[str, ...]] | None" = None,
        told: Sequence[Told] = (),
    ) -> bool:
        """Save articles and all that follows from it: the version, the question answered, its askers told.

        False, and nothing is done, when one of them was changed since the version it was read at. `announced` is a
        change and the audience that is told of it; its notifications are about the announcement's number.
        """

    def versions(self, article_id: str) -> list[Version]:
        """List an article's versions, the latest first."""

    def synced(self) -> dict[str, Article]:
        """What each article's file held when it was last read or written; one made in the chat is not there."""

    def set_synced(self, articles: Iterable[Article]) -> None:
        """Note that the files hold these now; one that the store does not have is passed over."""

    def keep_draft(self, draft: Draft, now: datetime) -> Draft:
        """Keep what somebody filled in, in place of what they had for the same form; with the id it has now.

        Of anybody, what was not touched for thirty days goes.
        """

    def draft(self, draft_id: str, person_id: str) -> Draft:
        """Find somebody's draft; `NotFoundError` when it was saved or is another's."""

    def drafts(self, person_id: str) -> list[Draft]:
        """List somebody's drafts, the latest first."""

    def drop_draft(self, draft_id: str, person_id: str) -> None:
        """Throw a draft away."""

    def propose(
        self, article: Article, what: str, by: str, now: datetime, told: Sequence[str], draft_id: str | None = None
    ) -> int:
        """Keep a change of a critical article until a second coach, one of `told`, agrees; its number."""

    def proposal(self, proposal_id: int) -> Proposal:
        """Find one that is open."""

    def proposals(self) -> list[Proposal]:
        """List those that are open, the oldest first."""

    def refuse(self, proposal_id: int) -> None:
        """Close a proposal without doing it."""

    # -- notices, changes, tips --------------------------------------------------------------------------------
    def add_notice(self, text: str, topic: str, until: datetime, by: str, now: datetime) -> int:
        """Put up a notice; its number."""

    def notices(self, now: datetime) -> list[Notice]:
        """List those that still hold, the latest first."""

    def end_notice(self, notice_id: int, now: datetime) -> None:
        """Take a notice down."""

    def announcements(self) -> list[Announcement]:
        """List what was announced, the latest first, with how far it landed."""

    def receipt(self, announcement_id: int, person_id: str, said: str, now: datetime) -> None:
        """Note that somebody read it, or has a question about it."""

    def to_remind(self, before: datetime, now: datetime) -> int:
        """Have whoever was told before then, and said nothing, told once more; how many those are."""

    def unread(self, person_id: str, since: datetime) -> list[Announcement]:
        """List quiet announcements after `since` that somebody is to read and did not say anything of."""

    def add_tip(self, article_id: str, text: str, by: str, name: str, now: datetime) -> int:
        """Keep a tip until a coach looked at it; its number."""

    def tips(self, *, state: str = "open", article_id: str | None = None) -> list[Tip]:
        """List tips in a state, of one article or of all, the oldest first."""

    def judge_tip(self, tip_id: int, *, shown: bool) -> None:
        """Show a tip from now on, or not."""

    # -- what answers were worth ----------------------------------------------------------------------------------
    def to_judge(self, since: datetime, most: int = 20) -> list[Answer]:
        """Draw answers from after `since` that no coach judged, with an article in them; each question once."""

    def judge(self, answer_id: str, verdict: Verdict, person_id: str, now: datetime) -> None:
        """Keep what a coach says of an answer, in place of what was said before; `NotFoundError` when it is gone."""

    def verdicts(self) -> list[tuple[Answer, Verdict]]:
        """List the answers that were judged, the latest first."""

    def helped(self, most: int = 200) -> list[Answer]:
        """List answers that somebody said helped and no coach has looked at, each question once, the latest first."""

    def settle_wording(self, answer_id: str, now: datetime) -> None:
        """Note that a coach looked at the question of an answer that helped; unknown ones are ignored."""

    # -- coaches ----------------------------------------------------------------------------------------------
    def colleagues(self) -> list[Colleague]:
        """List coaches and admins with what they are called and when they are there."""

    def sign(self, person_id: str, name: str) -> None:
        """Note what a coach is called; of others nothing is kept."""

    def set_hours(self, person_id: str, hours: Hours | None) -> None:
        """Note when a coach is there."""

    def note_refusal(self, person_id: str, what: str, about: str, now: datetime) -> None:
        """Note that somebody tried what they may not."""

    def unmuted(self) -> list[Person]:
        """List everybody who can be written to on a chat platform and did not ask to be left alone."""

    # -- telling ----------------------------------------------------------------------------------------------
    def tell(self, told: Told, now: datetime) -> int:
        """Have people told something; how many had not been before."""

    def due(self, surface: str, busy_since: datetime, now: datetime) -> list[Due]:
        """Lease, for thirty seconds, what must be sent on this surface, the oldest first.

        Each goes to where its person was heard last. What can wait does so while they asked something after
        `busy_since`.
        """

    def told(self, notification_id: int, now: datetime) -> None:
        """Note that a notification was sent."""

    def not_told(self, notification_id: int) -> None:
        """Note that it was not; free the lease."""

    # -- somebody's own history ----------------------------------------------------------------------------------
    def set_history(self, person_id: str, *, on: bool) -> None:
        """Begin to keep somebody's own history, or end it and erase what there is."""

    def last_seen(self, person_id: str, article_id: str, now: datetime, keep_from: datetime) -> datetime | None:
        """When somebody who wants their history kept saw an article last, since `keep_from`; notes that they do now."""

    def acquaintance(self, person_id: str, same: Sequence[str], topic: Sequence[str], now: datetime) -> Acquaintance:
        """Tell somebody's dealings with an article (its ids in all languages) and with others of its topic."""

    def corrections(self, since: datetime) -> list[Message]:
        """List questions whose answer was asked for in the shape of another moment, the latest tap of each."""

    def used(self, since: datetime) -> dict[str, int]:
        """Count the answers that rest on each article."""

    def friction(self, since: datetime) -> dict[str, int]:
        """Count, by article, how many people said that they may not decide that themselves."""

    def figures(self, since: datetime) -> dict[str, int]:
        """Count, for coaches: answers by outcome, what helped, reasons, open questions. No names."""
