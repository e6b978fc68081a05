"""Markdown with YAML front matter, both ways: what is not changed comes back byte for byte."""

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from knowledge.article import Article, Change, Kind, Language, Section
from knowledge.errors import ArticleError
from knowledge.text import blocks, lines

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

HEADINGS: dict[Language, dict[Kind, str]] = {
    "nl": {
        Kind.IDENTIFY: "Identificeren",
        Kind.VERDICT: "In het kort",
        Kind.CHANGES: "Wat er verandert",
        Kind.STEPS: "Stappen",
        Kind.SAY: "Zo zeg je het",
        Kind.TROUBLE: "Als het misgaat",
        Kind.CANNOT: "Als het niet kan",
        Kind.MANDATE: "Dit mag je zelf beslissen",
        Kind.RECORD: "Leg vast",
        Kind.EXCEPTIONS: "Uitzonderingen",
        Kind.WRITE: "Zo schrijf je het",
        Kind.WEBCARE: "Webcare",
        Kind.BACKGROUND: "Achtergrond",
        Kind.EXAMPLE: "Uit de praktijk",
        Kind.TRAINING: "Training",
    },
    "en": {
        Kind.IDENTIFY: "Identify",
        Kind.VERDICT: "In short",
        Kind.CHANGES: "What changes",
        Kind.STEPS: "Steps",
        Kind.SAY: "Say it like this",
        Kind.TROUBLE: "When it goes wrong",
        Kind.CANNOT: "If it can't be done",
        Kind.MANDATE: "Yours to decide",
        Kind.RECORD: "Record this",
        Kind.EXCEPTIONS: "Exceptions",
        Kind.WRITE: "Write it like this",
        Kind.WEBCARE: "Webcare",
        Kind.BACKGROUND: "Background",
        Kind.EXAMPLE: "From practice",
        Kind.TRAINING: "Training",
    },
}
_KINDS = {heading.casefold(): kind for headings in HEADINGS.values() for kind, heading in headings.items()}

_FRONT = re.compile(r"(\ufeff?---[ \t]*\r?\n)((?:(?!\.\.\.\s).*\n)*?)(---[ \t]*\r?(?:\n|\Z))")
_OPENED = re.compile(r"\ufeff?---[ \t]*\r?\n")
_BOM = "\ufeff"
_DEFAULTS = {
    known.name: None if known.default is MISSING else known.default
    for known in fields(Article)
    if known.name not in {"sections", "version", "front"}
}
_ALWAYS = {"id", "title", "language"}
_ARTICLE = TypeAdapter(Article)


@dataclass(frozen=True, slots=True)
class Draft:
    """An article as found, nothing in it checked. `line` is where it starts, `lines` where each key stands."""

    values: Mapping[str, object]
    body: str
    front: str = ""
    line: int = 1
    lines: Mapping[str, int] = field(default_factory=dict)


def parse(
    text: str,
    *,
    fallback_id: str,
    language: Language | None = None,
    timezone: tzinfo = AMSTERDAM,
    path: Path | None = None,
) -> Article:
    """Read an article; `fallback_id` and `language` count where the front matter has none."""
    draft = draft_of(text, path)
    return article_of(draft, fallback_id=fallback_id, language=language, timezone=timezone, path=path)


def dump(article: Article, *, timezone: tzinfo = AMSTERDAM, fallback_id: str | None = None) -> str:
    """Write an article: `dump(parse(text)) == text`, and after a change only the changed keys differ.

    `fallback_id` is the id that it will be read with, where that is not its own.

    An article whose body alone says everything (given its id and language) gets no front matter.
    """
    front, body = article.front, article.body
    if body and front.strip(_BOM) and not front.endswith("\n"):
        front += "\n"
    try:
        read = parse(front + body, fallback_id=fallback_id or article.id, language=article.language, timezone=timezone)
    except ArticleError:
        return _fresh(article, timezone) + body
    if replace(read, version=article.version, front=article.front) == article:
        return front + body
    if not front.strip(_BOM):
        return _fresh(article, timezone) + body
    changed = [name for name in _DEFAULTS if getattr(read, name) != getattr(article, name)]
    return _edited(front, changed, article, timezone) + body


def sections(body: str) -> tuple[Section, ...]:
    """Cut a body at its headings; joined again, the sections are the body."""
    rows = lines(body)
    starts = [
        token.map[0]
        for token in blocks(body)
        if token.type == "heading_open" and token.level == 0 and token.map and token.markup.startswith("#")
    ]
    found = [_section(rows[start], "".join(rows[start + 1 : end])) for start, end in pairwise([*starts, len(rows)])]
    before = "".join(rows[: starts[0]] if starts else rows)
    return (Section(None, "", before), *found) if before else tuple(found)


def draft_of(text: str, path: Path | None = None) -> Draft:
    """Take the front matter off a Markdown text and read it, as strings."""
    match = _FRONT.match(text)
    if match is None:
        if _OPENED.match(text):
            raise ArticleError(path, 1, "The front matter is never closed; end it with a line `---`.")
        bare = text.removeprefix(_BOM)
        return Draft({}, bare, front=text[: len(text) - len(bare)])
    keys = _keys(match[2], path)
    values = {name: _value(value, name, path) for name, (_, value) in keys.items()}
    numbers = {name: key.start_mark.line + 2 for name, (key, _) in keys.items()}
    return Draft(values, text[match.end() :], front=match[0], lines=numbers)


def article_of(
    draft: Draft, *, fallback_id: str, language: Language | None, timezone: tzinfo, path: Path | None
) -> Article:
    """Check what was found and make it an article."""
    cut = sections(draft.body)
    found: dict[str, object] = {"title": _first_title(cut), "language": language or "nl"}
    found |= {name: value for name, value in draft.values.items() if name in _DEFAULTS and value is not None}
    found["id"] = found.get("id") or fallback_id
    name = "id"
    try:
        for name in _CONVERTED.keys() & found.keys():
            found[name] = _CONVERTED[name](found[name], timezone)
        return _ARTICLE.validate_python({**found, "sections": cut, "front": draft.front})
    except ValidationError as error:
        name, sentence = str(error.errors()[0]["loc"][0]), _sentence(error)
    except ValueError as error:
        sentence = f"`{name}` {error}"
    raise ArticleError(path, draft.lines.get(name, draft.line), sentence, name)


def _section(heading: str, text: str) -> Section:
    section = Section(None, heading, text)
    return replace(section, kind=kind_of(section.title))


def kind_of(heading: str) -> Kind | None:
    """What a section with this heading is for, in either language; None when it is not one of ours."""
    return _KINDS.get(heading.strip(" *_:").replace("’", "'").casefold())


def _first_title(cut: tuple[Section, ...]) -> str:
    """A first heading `# …` that is not one of ours names the article."""
    first = next((section for section in cut if section.heading), None)
    if first is None or first.kind or first.heading.lstrip().startswith("##"):
        return ""
    return first.title


# --- reading front matter


def _keys(yaml: str, path: Path | None) -> dict[str, tuple[ScalarNode, Node]]:
    """The keys that we know with their values, as nodes: these know where they stand and how they were written."""
    root = _root(yaml, path)
    if root is None:
        return {}
    if not isinstance(root, MappingNode) or root.flow_style:
        raise ArticleError(path, 2, "The front matter must be lines of `key: value`.")
    found: dict[str, tuple[ScalarNode, Node]] = {}
    for key, value in root.value:
        if not isinstance(key, ScalarNode) or key.value not in _DEFAULTS:
            continue
        line = key.start_mark.line + 2
        if key.value in found:
            raise ArticleError(path, line, f"`{key.value}` stands there twice; keep one.", key.value)
        if key.start_mark.column != root.start_mark.column or key.anchor:
            raise ArticleError(path, line, f"Write it as `{key.value}: value`.", key.value)
        found[key.value] = (key, value)
    return found


def _root(yaml: str, path: Path | None) -> Node | None:
    try:
        root: Node | None = YAML(pure=True).compose(yaml)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise ArticleError(path, line, f"The front matter is no valid YAML: {error.problem}.") from error
    except (YAMLError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise ArticleError(path, 1, f"The front matter is no valid YAML: {reason}.") from error
    return root


def _value(node: Node, name: str, path: Path | None) -> object:
    """Text, a list or a mapping of it, or None: `1.10` stays `1.10`, and `no` is a word."""
    if node.anchor:
        sentence = f"`{name}` uses an anchor (&{node.anchor}); write the value out in full."
        raise ArticleError(path, node.start_mark.line + 2, sentence, name)
    match node:
        case SequenceNode():
            return [_value(item, name, path) for item in node.value]
        case MappingNode():
            return {str(key.value): _value(value, name, path) for key, value in node.value}
    return None if node.tag == "tag:yaml.org,2002:null" else node.value


def _instant(value: object, timezone: tzinfo) -> datetime:
    """A time in UTC; a bare date starts at midnight where the contact centre is."""
    try:
        found = datetime.fromisoformat(str(value))
        return (found if found.tzinfo else found.replace(tzinfo=timezone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"cannot be {value!r}; write 2026-10-05 or 2026-10-05T14:00:00+02:00.") from None


def _day(value: object, timezone: tzinfo) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"cannot be {value!r}; write a date as 2026-10-05.") from None


_INTERVAL = re.compile(r"(\d{1,5})\s*(?:(d|day|days|dag|dagen)|(week|weeks|weken)|(month|months|maand|maanden))?")


def _days(value: object, timezone: tzinfo) -> int:
    found = _INTERVAL.fullmatch(str(value).strip().lower())
    if found is None:
        raise ValueError(f"cannot be {value!r}; write a number of days, or for example `6 maanden`.")
    _, _, weeks, months = found.groups()
    return int(found[1]) * (7 if weeks else 30 if months else 1)


def _several(value: object, timezone: tzinfo) -> object:
    return [value] if isinstance(value, str) else value


def _changes(value: object, timezone: tzinfo) -> object:
    if not isinstance(value, list):
        return value
    kept = [{k: v for k, v in item.items() if v is not None} if isinstance(item, dict) else item for item in value]
    for change in kept:
        if isinstance(change, dict) and "since" in change:
            change["since"] = _instant(change["since"], timezone)
    return kept


_CONVERTED: dict[str, Callable[[object, tzinfo], object]] = {
    "aliases": _several,
    "moments": _several,
    "audience": _several,
    "signals": _several,
    "unlike": _several,
    "verified": _day,
    "check_by": _day,
    "verify_every": _days,
    "effective_from": _instant,
    "effective_until": _instant,
    "changes": _changes,
}


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(part for part in first["loc"] if isinstance(part, str))
    if first["type"] == "missing":
        return f"`{name}` is missing; add it."
    return f"`{name}` {first['msg'].removeprefix('Input ')}, not {first['input']!r}."


# --- writing front matter


def _fresh(article: Article, timezone: tzinfo) -> str:
    said = [name for name, default in _DEFAULTS.items() if name in _ALWAYS or getattr(article, name) != default]
    return "---\n" + "".join(_line(article, name, timezone) + "\n" for name in said) + "---\n"


def _edited(front: str, changed: list[str], article: Article, timezone: tzinfo) -> str:
    """Replace the lines of the changed keys and nothing else.

    ruamel's own round trip drops the comments behind a list that is replaced, and lays out every list anew.
    """
    match = _FRONT.fullmatch(front)
    assert match  # noqa: S101 - it was parsed a moment ago
    opening, yaml, closing = match.groups()
    keys = _keys(yaml, None)
    newline = "\r\n" if opening.endswith("\r\n") else "\n"
    margin = " " * max((key.start_mark.column for key, _ in keys.values()), default=0)
    edits, added = [], ""
    for name in changed:
        gone = name not in _ALWAYS and getattr(article, name) == _DEFAULTS[name]
        line = "" if gone else margin + _line(article, name, timezone).replace("\n", newline + margin)
        if name in keys:
            edits.append((*_span(yaml, *keys[name], whole=gone), line))
        else:
            added += line + newline
    for start, end, line in sorted(edits, reverse=True):
        yaml = yaml[:start] + line + yaml[end:]
    return opening + yaml + added + closing


_TAIL = re.compile(r"(?:\r?\n[ \t]*(?:#[^\r\n]*)?)+\Z")
_REST_OF_LINE = re.compile(r"[ \t]*(?:\r?\n)?")


def _span(yaml: str, key: Node, value: Node, *, whole: bool) -> tuple[int, int]:
    """From the start of the key's line to the end of its value; `whole` takes the end of that line as well."""
    start = key.start_mark.index - key.start_mark.column
    # The parser counts empty lines and comments behind a list as part of it.
    end = start + len(_TAIL.sub("", yaml[start : value.end_mark.index]))
    rest = _REST_OF_LINE.match(yaml, end)
    return start, rest.end() if whole and rest else end


def _line(article: Article, name: str, timezone: tzinfo) -> str:
    """`name: value` as YAML."""
    value = _plain(getattr(article, name), timezone)
    if name == "moments":  # words of ours; others could be misread between brackets
        value = CommentedSeq(value)
        value.fa.set_flow_style()
    yaml = YAML(pure=True)
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 1_000_000
    written = io.StringIO()
    yaml.dump({name: value}, written)
    return written.getvalue().removesuffix("\n")


def _plain(value: object, timezone: tzinfo) -> object:
    """What YAML knows; a time that is midnight at the contact centre becomes a bare date."""
    match value:
        case StrEnum():
            return value.value
        case datetime():
            day = value.astimezone(timezone).date()
            return day if _instant(day, timezone) == value else value
        case Change():
            said = ((known, getattr(value, known.name)) for known in fields(value))
            return {known.name: _plain(part, timezone) for known, part in said if part != known.default}
        case tuple():
            return [_plain(item, timezone) for item in value]
        case str() if not value.isprintable():
            return DoubleQuotedScalarString(value)  # else a U+0085 is written as it is, and read as a line end
    return value
