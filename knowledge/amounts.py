"""What things cost and how much may be decided, written down once: articles say {{voorrijkosten}}."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from knowledge.article import Article, Change, Language
from knowledge.beside import nearest
from knowledge.errors import ArticleError, give_up

FILE = "amounts.toml"

Amounts = Mapping[str, Mapping[Language, str]]  # by name, as each language writes it

_NAME = r"[a-z0-9]+(?:-[a-z0-9]+)*"
NAMED = re.compile(r"\{\{ *(" + _NAME + r") *\}\}")
_AMOUNTS = TypeAdapter(dict[str, str | dict[Language, str]])
_SAID = ("new", "old", "applies_to", "why")  # of a change


def amounts_for(paths: Iterable[Path], on_error: Callable[[ArticleError], None] = give_up) -> Amounts:
    """The amounts that count for these files and folders: of each, the nearest amounts.toml in it or above it."""
    found: dict[str, Mapping[Language, str]] = {}
    for file in nearest(FILE, paths):
        try:
            found |= read_amounts(file)
        except ArticleError as error:
            on_error(error)
    return found


def read_amounts(path: Path) -> Amounts:
    """Lines `name = "€ 45"`, or `name = { nl = "€ 1.250", en = "€ 1,250" }` where the languages differ."""
    try:
        written = _AMOUNTS.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ArticleError(path, 1, f"The amounts cannot be read: {_reason(error)}.", "amounts") from error
    if strange := next((name for name in written if not re.fullmatch(_NAME, name)), None):
        sentence = f"An amount cannot be called '{strange}'; use small letters, digits and hyphens."
        raise ArticleError(path, 1, sentence, "amounts")
    amounts: Amounts = {
        name: {"nl": said, "en": said} if isinstance(said, str) else said for name, said in written.items()
    }
    if broken := next((name for name, said in amounts.items() if "\n" in "".join(said.values())), None):
        raise ArticleError(path, 1, f"Write the amount of {broken} on one line.", "amounts")
    return amounts


def named(article: Article) -> set[str]:
    """The amounts that an article speaks of."""
    changes = [getattr(change, name) for change in article.changes for name in _SAID]
    return {name for text in (article.body, *changes) for name in NAMED.findall(text)}


def filled(article: Article, amounts: Amounts) -> Article:
    """The article as people read it; a name that no amount has is left as it stands."""
    if not named(article) & amounts.keys():
        return article

    def say(text: str) -> str:
        return NAMED.sub(lambda match: amounts.get(match[1], {}).get(article.language, match[0]), text)

    def tell(change: Change) -> Change:
        said: dict[str, Any] = {name: say(getattr(change, name)) for name in _SAID}
        return replace(change, **said)

    return replace(
        article,
        sections=tuple(replace(section, text=say(section.text)) for section in article.sections),
        changes=tuple(map(tell, article.changes)),
    )


def _reason(error: Exception) -> str:
    match error:
        case ValidationError():
            first = error.errors()[0]
            return f"{'.'.join(map(str, first['loc'][:1]))} must be a text, or one for nl and one for en"
        case OSError():
            return str(error.strerror)
    return str(error).removesuffix(".")
