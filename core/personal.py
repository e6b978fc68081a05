"""What is kept about a person, table by table, and for how long. A test holds this to the tables that there are."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Kept:
    """`days` after which it is erased by itself, counted from `since`, a column; none: as long as they are known."""

    what: str
    days: int | None = None
    since: str = "at"
    who: str = "person_id"

    @property
    def lasts(self) -> timedelta | None:
        """The same as a length of time."""
        return None if self.days is None else timedelta(days=self.days)


# Who it is on a platform stands in the first two alone; everywhere else somebody is a random id.
KEPT = {
    "identity": Kept("platform, team and user id, beside a random id"),
    "address": Kept("how to write to them in private, where the platform needs that"),
    "person": Kept(
        "role, audiences, level, language, whether to be left alone; of coaches their name and hours", who="id"
    ),
    "event": Kept(
        "messages to the bot without recognisable customer data; the last day of them helps to read follow-ups",
        30,
        "received_at",
    ),
    "answer": Kept("questions without recognisable customer data, and what was answered", 180, "created"),
    "feedback": Kept("what they said of an answer", 180),
    "kept": Kept("answers that they put aside", 180),
    "request": Kept("questions that wait for a coach; coaches never see whose", 180),
    "checkup": Kept("when they were asked whether an answer helped", 30),
    "call": Kept("of coaches: which questions with a customer on the line they were called about", 30),
    "version": Kept("of coaches: which versions of articles are theirs"),
    "question": Kept("of coaches: which questions they took", who="coach_id"),
    "verdict": Kept("of coaches: which answers they said were right or wrong", 180),
    "draft": Kept("of coaches: what they filled in and did not save", 30),
    "proposal": Kept("of coaches: changes of safety articles that wait for a second coach"),
    "notice": Kept("of coaches: who put a notice up"),
    "announcement": Kept("of coaches: who announced a change"),
    "receipt": Kept("whether they read an announced change; coaches see counts of five people or more", 365),
    "notification": Kept("what they were told unasked, by kind and number", 90, "created"),
    "tip": Kept("tips they gave; their name only where they wanted that", 365),
    "refusal": Kept("what they tried without being allowed to", 90),
    "seen": Kept("which articles they saw: only of who switched their own history on, and only for them", 90),
}
