"""The form of an article: one description for every surface, and the way from an article to it and back."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, get_args

from core.language import told_language
from core.screens import MAX_FIELD, Field, FieldKind, Option
from core.words import say, words
from knowledge.article import Article, Kind, Language, Section, Status
from knowledge.markdown import HEADINGS
from knowledge.moment import Moment

MAX_LINE = 150  # characters: a title fits on a button and in a list
MOST_WORDINGS = 12
LONGEST_INTERVAL = 3650  # days
QUICK = ("answer", "wordings")
CHECK_WITHIN = timedelta(days=7)  # five working days

_TEXTS: dict[str, Kind] = {
    "verdict": Kind.VERDICT,
    "steps": Kind.STEPS,
    "say": Kind.SAY,
    "trouble": Kind.TROUBLE,
    "cannot": Kind.CANNOT,
    "background": Kind.BACKGROUND,
    "mandate": Kind.MANDATE,
}
_FULL = (
    "title",
    "wordings",
    "language",
    *_TEXTS,
    "moments",
    "topic",
    "audience",
    "training",
    "effective_from",
    "effective_until",
    "verify_every",
)
_KINDS = {
    "answer": FieldKind.TEXT,
    "wordings": FieldKind.TEXT,
    "language": FieldKind.ONE,
    "moments": FieldKind.SEVERAL,
    "effective_from": FieldKind.DAY,
    "effective_until": FieldKind.DAY,
} | dict.fromkeys(_TEXTS, FieldKind.TEXT)
_NUMBERED = re.compile(r"^[ \t]*\d+[.)][ \t]+\S")
_LISTED = re.compile(r"^[ \t]*(?:\d+[.)]|[-*+•])[ \t]+\S")
_SAID = re.compile(r"^[ \t]*[-*+•]?[ \t]*[\"“„'‘].+[\"”'’][.!?]?[ \t]*$")
_HEADING = re.compile(r"(?m)^([ \t]{0,3})(#{1,6})(?=\s|$)")
_RULED = re.compile(r"(?m)^([ \t]{0,3})(=+|-+)([ \t]*)$")
_URL = re.compile(r"https?://[^\s<>\"]+")
_NOT_IN_ID = re.compile(r"[^a-z0-9]+")


class FormError(Exception):
    """What is wrong, by field: keys of `coach.error` in the words files."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        """At least one."""
        super().__init__(", ".join(errors))
        self.errors = dict(errors)


def fields(
    filled: Mapping[str, str],
    language: Language,
    *,
    quick: bool,
    errors: Mapping[str, str] = {},
) -> tuple[Field, ...]:
    """The form as it is to be shown: with what is filled in and what is wrong with that."""
    return tuple(_field(name, filled, language, errors) for name in (QUICK if quick else _FULL))


def filled_of(article: Article, zone: tzinfo) -> dict[str, str]:
    """What stands in the form of an article."""
    found = {
        "title": article.title,
        "wordings": "\n".join(article.aliases),
        "language": article.language,
        "moments": ",".join(article.moments),
        "topic": article.topic,
        "audience": ", ".join(article.audience),
        "training": article.training,
        "effective_from": _day_of(article.effective_from, zone),
        "effective_until": _day_of(article.effective_until, zone),
        "verify_every": str(article.verify_every or ""),
    }
    for name, kind in _TEXTS.items():
        section = article.section(kind)
        found[name] = section.text.strip() if section else ""
    return found


def from_quick(filled: Mapping[str, str]) -> dict[str, str]:
    """The full form of a quick answer: the first wording names it, and what the answer is made of shows its shape."""
    found = {name: text for name, text in filled.items() if name not in QUICK}
    wordings = _lines(filled.get("wordings", ""))
    title = found.get("title", "").strip() or (wordings[0] if wordings else "")
    found["title"] = title[:1].upper() + title[1:MAX_LINE]
    found["wordings"] = "\n".join(one for one in wordings if one.casefold() != title.casefold())
    parts: dict[str, list[str]] = {"verdict": [], "steps": [], "say": []}
    rows = filled.get("answer", "").splitlines()
    numbered = any(map(_NUMBERED.match, rows))
    last = "verdict"
    for row in rows:
        if _SAID.match(row):
            last = "say"
        elif (_NUMBERED if numbered else _LISTED).match(row):
            last = "steps"
        elif row.strip() and not row.startswith((" ", "\t")):
            last = "verdict"
        parts[last].append(row)
    found |= {name: "\n".join(rows).strip() for name, rows in parts.items() if "".join(rows).strip()}
    if not found.get("language"):
        found["language"] = told_language(f"{title} {filled.get('answer', '')}") or ""
    return found


def article_from(
    filled: Mapping[str, str], before: Article | None, *, article_id: str, language: Language, zone: tzinfo
) -> Article:
    """The article that the full form makes, of nothing or of what it was `before`; `FormError` names the fields.

    What the form does not show stays as it was, and a section whose text is the same stays byte for byte.
    """
    errors: dict[str, str] = {}
    shown = filled_of(before, zone) if before else {}
    given = {name: text.replace("\r\n", "\n").replace("\r", "\n") for name, text in filled.items()}
    changed = {name for name in _FULL if name in given and given[name].strip() != shown.get(name, "").strip()}
    article = before or Article(id=article_id, title="", sections=(), language=language)
    values = _values({name: given[name].strip() for name in changed}, zone, errors)
    article = replace(article, **values) if not errors else article
    if not (article.title.strip() or values.get("title")):
        errors.setdefault("title", "title")
    for name, kind in _TEXTS.items():
        if name in changed:
            article = _with_section(article, kind, given[name])
    if not any(section.text.strip() for section in article.sections):
        errors.setdefault("verdict", "nothing")
    start, end = article.effective_from, article.effective_until
    if start and end and start >= end:
        errors.setdefault("effective_until", "ends_first")
    if errors:
        raise FormError(errors)
    return article


def new_id(title: str, taken: Iterable[str]) -> str:
    """An id of a title: small letters and digits, and a number where that is taken."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    base = _NOT_IN_ID.sub("-", plain).strip("-")[:50].strip("-") or "antwoord"
    known = set(taken)
    return next(
        name
        for number in range(1, len(known) + 2)
        if (name := base if number == 1 else f"{base}-{number}") not in known
    )


def quick(article: Article, author: str, today: date) -> Article:
    """The same as an answer that somebody gave in passing: theirs, and to be checked soon."""
    return replace(article, owner=author, verified=None, check_by=today + CHECK_WITHIN, status=Status.PUBLISHED)


# -- describing --------------------------------------------------------------------------------------------------------
def _field(name: str, filled: Mapping[str, str], language: Language, errors: Mapping[str, str]) -> Field:
    kind = _KINDS.get(name, FieldKind.LINE)
    known = words(language)
    return Field(
        name,
        known[f"coach.field.{name}"],
        kind,
        filled.get(name, ""),
        known.get(f"coach.hint.{name}", ""),
        say(f"coach.error.{errors[name]}", language) if name in errors else "",
        required=name in {"title", *QUICK},
        options=_options(name, language),
        most=MAX_FIELD if kind is FieldKind.TEXT else MAX_LINE,
    )


def _options(name: str, language: Language) -> tuple[Option, ...]:
    match name:
        case "language":
            return tuple(Option(one, say("web.own_name", one)) for one in get_args(Language))
        case "moments":
            return tuple(Option(one, say(f"moment.{one}", language)) for one in Moment)
    return ()


def _day_of(moment: datetime | None, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d}" if moment else ""


# -- reading -----------------------------------------------------------------------------------------------------------
def _values(given: Mapping[str, str], zone: tzinfo, errors: dict[str, str]) -> dict[str, Any]:
    """What the fields that are no sections say; what is wrong with them goes in `errors`."""
    found: dict[str, Any] = {}
    for name in given.keys() & _READ.keys():
        try:
            found[_ATTRIBUTES.get(name, name)] = _READ[name](given[name], zone)
        except (ValueError, OverflowError) as error:
            errors[name] = str(error) if isinstance(error, _WrongError) else "day"
    return found


class _WrongError(ValueError):
    """Its text is a key of `coach.error`."""


def _line(text: str, zone: tzinfo) -> str:
    return " ".join(text.split())[:MAX_LINE]


def _wordings(text: str, zone: tzinfo) -> tuple[str, ...]:
    if len(found := _lines(text)) > MOST_WORDINGS:
        raise _WrongError("many")
    return tuple(found)


def _spoken(text: str, zone: tzinfo) -> str:
    if text not in get_args(Language):
        raise _WrongError("choose")
    return text


def _moments(text: str, zone: tzinfo) -> tuple[Moment, ...]:
    try:
        return tuple(dict.fromkeys(Moment(one.strip()) for one in text.split(",") if one.strip()))
    except ValueError:
        raise _WrongError("choose") from None


def _tags(text: str, zone: tzinfo) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (one.strip() for one in text.split(",")))))


def _link(text: str, zone: tzinfo) -> str:
    if text and not _URL.fullmatch(text):
        raise _WrongError("link")
    return text


def _midnight(text: str, zone: tzinfo) -> datetime | None:
    return datetime.combine(date.fromisoformat(text), time(), zone).astimezone(UTC) if text else None


def _interval(text: str, zone: tzinfo) -> int | None:
    if text and not (re.fullmatch(r"[0-9]{1,4}", text) and 1 <= int(text) <= LONGEST_INTERVAL):
        raise _WrongError("interval")
    return int(text) if text else None


_READ: dict[str, Callable[[str, tzinfo], object]] = {
    "title": _line,
    "wordings": _wordings,
    "language": _spoken,
    "moments": _moments,
    "topic": _line,
    "audience": _tags,
    "training": _link,
    "effective_from": _midnight,
    "effective_until": _midnight,
    "verify_every": _interval,
}
_ATTRIBUTES = {"wordings": "aliases"}


def _lines(text: str) -> list[str]:
    """Each once, without the marks of a list."""
    plain = (re.sub(r"^[-*•]\s+", "", row.strip()) for row in text.splitlines())
    return list(dict.fromkeys(" ".join(row.split()) for row in plain if row))


def _with_section(article: Article, kind: Kind, text: str) -> Article:
    """The section of this kind with another text, in its place in the skeleton where there was none."""
    written = _body(text)
    place = next((i for i, one in enumerate(article.sections) if one.kind is kind), None)
    found = list(article.sections)
    if place is not None:
        old = found[place]
        if written:
            found[place] = replace(old, text=written + _tail(old.text))
        else:
            del found[place]
        return replace(article, sections=tuple(found))
    if not written:
        return article
    order = list(Kind)
    before = [i for i, one in enumerate(found) if one.kind and order.index(one.kind) < order.index(kind)]
    place = before[-1] + 1 if before else sum(not one.heading for one in found)
    if place and not (found[place - 1].heading + found[place - 1].text).endswith("\n\n"):
        above = found[place - 1]
        missing = "\n" if above.text.endswith("\n") or not above.text else "\n\n"
        found[place - 1] = replace(above, text=above.text + missing)
    last = place == len(found)
    heading = f"## {HEADINGS[article.language][kind]}\n"
    found.insert(place, Section(kind, heading, written + ("\n" if last else "\n\n")))
    return replace(article, sections=tuple(found))


def _body(text: str) -> str:
    """What was typed as the text of a section: it must not begin another one."""
    return _RULED.sub(r"\1\\\2\3", _HEADING.sub(r"\1\\\2", text.strip()))


def _tail(text: str) -> str:
    """The empty lines that a section ends with."""
    kept = len(text.rstrip())
    return text[kept:] or "\n"
