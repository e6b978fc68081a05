"""What people say, and the words that the articles use for it."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from knowledge.article import Language
from knowledge.beside import nearest
from knowledge.errors import ArticleError, give_up

FILE = "glossary.csv"
LONGEST = 60  # characters of a word; more is a sentence

Kind = Literal["abbreviation", "synonym", "colloquial", "flemish"]


@dataclass(frozen=True, slots=True)
class Term:
    """`said` means `official`. An abbreviation is read as what it stands for; any other word is kept beside it."""

    said: str
    official: str
    language: Language
    kind: Kind = "synonym"


_COLUMNS = tuple(field.name for field in fields(Term))


class Glossary:
    """Applied to a question before it is looked up; people see their question as they typed it."""

    def __init__(self, terms: Iterable[Term]) -> None:
        """Of terms that say the same in one language the last counts."""
        self.terms = tuple(terms)
        self._meant = {(one.language, one.said.casefold()): one for one in self.terms if one.said.strip()}

    @cached_property
    def _said(self) -> dict[str, re.Pattern[str]]:
        """What finds any of the words of a language, the longest first: "co alarm" before "co"."""
        found: dict[str, list[str]] = {}
        for language, said in sorted(self._meant, key=lambda one: -len(one[1])):
            found.setdefault(language, []).append(re.escape(said))
        return {
            language: re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])", re.IGNORECASE)
            for language, words in found.items()
        }

    def applied(self, text: str, language: Language) -> str:
        """The text with abbreviations written out, and behind it the official words that it lacks."""
        if language not in self._said:
            return text
        lacking: list[str] = []

        def read(match: re.Match[str]) -> str:
            term = self._meant.get((language, match[0].casefold()))
            if term is None:  # a letter that has no small form of its own
                return match[0]
            if term.kind == "abbreviation":
                return term.official
            if term.official.casefold() not in text.casefold():
                lacking.append(term.official)
            return match[0]

        return " ".join((self._said[language].sub(read, text), *dict.fromkeys(lacking)))


def terms_for(paths: Iterable[Path], on_error: Callable[[ArticleError], None] = give_up) -> tuple[Term, ...]:
    """What words mean for these files and folders: of each, the nearest glossary.csv in it or above it."""
    found: list[Term] = []
    for file in nearest(FILE, paths):
        try:
            found += read_terms(file)
        except ArticleError as error:
            on_error(error)
    return tuple(found)


def read_terms(path: Path) -> list[Term]:
    """Lines said, official, language, kind, below a line that says so; the kind may be left out."""
    try:
        rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")), strict=True)
        return [_term(path, rows.line_num, row) for row in rows if any(row.values())]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ArticleError(path, 1, f"The glossary cannot be read: {error}.", "glossary") from error


def written(terms: Iterable[Term]) -> str:
    """The same lines again."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(map(astuple, terms))
    return text.getvalue()


def _term(path: Path, line: int, row: dict[str, str | None]) -> Term:
    said, official, language, kind = ((row.get(name) or "").strip() for name in _COLUMNS)
    if not said or not official or language not in get_args(Language) or (kind or "synonym") not in get_args(Kind):
        kinds = ", ".join(get_args(Kind))
        sentence = f"Write said, official, language (nl or en) and kind ({kinds})."
        raise ArticleError(path, line, sentence, "glossary")
    if max(len(said), len(official)) > LONGEST:
        raise ArticleError(path, line, f"Keep it to {LONGEST} characters.", "glossary")
    return Term(said, official, language, kind or "synonym")  # type: ignore[arg-type] # looked at above
