"""Every sentence a person sees, in Dutch and English: nl.toml and en.toml beside this file."""

import tomllib
from datetime import date
from functools import cache
from pathlib import Path

from knowledge.article import Language

_LANGUAGES: tuple[Language, ...] = ("nl", "en")


@cache
def words(language: Language) -> dict[str, str]:
    """All keys with their sentences; nested tables are joined with dots (`moment.new`)."""
    with (Path(__file__).parent / f"{language}.toml").open("rb") as file:
        return dict(_flat("", tomllib.load(file)))


def _flat(prefix: str, table: dict[str, object]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _flat(f"{prefix}{key}.", value)
        else:
            found.append((prefix + key, str(value)))
    return found


def say(key: str, language: Language, **values: str) -> str:
    """The sentence of a key, with `{names}` filled in.

    Filled by plain replacement, so that braces in an article or a question never count as names.
    """
    sentence = words(language)[key]
    for name, value in values.items():
        sentence = sentence.replace("{" + name + "}", value)
    return sentence


def phrases(key: str) -> frozenset[str]:
    """The phrases of a key that holds several, in both languages: what people say, not what we say."""
    return frozenset(phrase for language in _LANGUAGES for phrase in words(language)[key].split("|"))


def reasons(language: Language) -> dict[str, str]:
    """What can be wrong with an answer: the reasons of a `Feedback`, each with its words."""
    prefix = "feedback.reasons."
    return {key.removeprefix(prefix): word for key, word in words(language).items() if key.startswith(prefix)}


def say_date(day: date, language: Language) -> str:
    """1 oktober 2026, 1 October 2026."""
    months = words(language)["date.months"].split()
    return f"{day.day} {months[day.month - 1]} {day.year}"


def say_month(day: date, language: Language) -> str:
    """Maart 2026, March 2026: precise enough for what has gone stale."""
    months = words(language)["date.months"].split()
    return f"{months[day.month - 1]} {day.year}"
