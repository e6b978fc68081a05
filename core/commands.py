"""Commands: a word or two that people type in place of a question, in either language."""

from dataclasses import dataclass
from enum import StrEnum

from core.words import phrases


class Name(StrEnum):
    """What can be asked for by a word."""

    HELP = "help"
    TOPICS = "topics"
    OVERVIEW = "overview"
    OPEN = "open"  # with the id of an article
    HERE = "here"  # without on or off: how does that work?
    HERE_ON = "on"
    HERE_OFF = "off"


@dataclass(frozen=True, slots=True)
class Command:
    """What was asked for, and of what."""

    name: Name
    about: str = ""


def read_command(text: str) -> Command | None:
    """The command that a text is; None when it is none of ours. "open factuur" may still turn out to be a question."""
    match text.split():
        case [word] if found := _named(word, (Name.HELP, Name.TOPICS, Name.OVERVIEW, Name.HERE)):
            return Command(found)
        case [word, about] if _named(word, (Name.OPEN,)):
            return Command(Name.OPEN, about)
        case [word, switch] if _named(word, (Name.HERE,)) and (found := _named(switch, (Name.HERE_ON, Name.HERE_OFF))):
            return Command(found)
    return None


def _named(word: str, names: tuple[Name, ...]) -> Name | None:
    return next((name for name in names if word.casefold() in phrases(f"command.{name}")), None)


_COACHING = (
    "add",
    "queue",
    "edit",
    "verify",
    "retire",
    "change",
    "notice",
    "terms",
    "judge",
    "stats",
    "history",
    "help",
    "hours",
    "mine",
)


def coach_typed(text: str) -> str | None:
    """What stands behind the word coach, where that is the panel or something to do; None when it is a question."""
    word, _, rest = text.strip().partition(" ")
    if word.casefold() not in phrases("coach.words"):
        return None
    known = not rest.strip() or any(
        rest.split()[0].casefold() in phrases(f"coach.command.{name}") for name in _COACHING
    )
    return rest.strip() if known else None


def read_coach(text: str) -> tuple[str, str]:
    """What is typed behind /coach: what to do, and about what. Nothing is the panel; another word asks for help."""
    word, _, rest = text.strip().partition(" ")
    if not word:
        return "panel", ""
    name = next((name for name in _COACHING if word.casefold() in phrases(f"coach.command.{name}")), "help")
    return name, rest.strip()
