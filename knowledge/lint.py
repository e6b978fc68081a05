"""What is wrong with articles: what breaks or misleads is an error, what could be better a warning."""

import re
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from itertools import chain, pairwise
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from knowledge.amounts import NAMED, Amounts, amounts_for, filled
from knowledge.article import Article, Change, Kind, Language, Section
from knowledge.errors import ArticleError
from knowledge.markdown import AMSTERDAM
from knowledge.moment import Moment
from knowledge.readers import Found, read, unique
from knowledge.shape import FIRST_SCREEN_STEPS, FIRST_SCREEN_WORDS, levels, shape
from knowledge.text import blocks, count_words, items, sentences

VERDICT_WORDS = 15
STEP_WORDS = 12
SENTENCE_WORDS = 15

_SOON = timedelta(days=1)
_AMOUNT = re.compile(r"€\s?\d+(?:[.,]\d+)*")
_TELL_OF_THEN = (Kind.CHANGES, Kind.EXAMPLE)  # what an amount was stays so
_NOT_PROSE = re.compile(r"`[^`]*`|<?https?://\S+|(?<=\])\([^)]*\)")
_WARNINGS = {
    "overdue",
    "expires",
    "no-steps",
    "jargon",
    "long-sentence",
    "literal-amount",
    "missing-translation",
    "late-translation",
}
_RULE_ABOUT = {
    "id": "duplicate-id",
    "moments": "unknown-moment",
    "verified": "dates",
    "effective_from": "dates",
    "effective_until": "dates",
    "changes": "dates",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to put right. `path` is the file, or the id of an article that is in none."""

    path: str
    line: int
    rule: str
    sentence: str
    severity: Literal["error", "warning"]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.severity}: {self.sentence} [{self.rule}]"


def lint(source: Path | Iterable[Path | Article], *, now: datetime, timezone: tzinfo = AMSTERDAM) -> list[Finding]:
    """Check files, folders or articles; translations are looked for among what is checked together."""
    errors: list[ArticleError] = []
    several = [source] if isinstance(source, Path) else list(source)
    amounts = amounts_for((one for one in several if isinstance(one, Path)), errors.append)
    found_in = (
        read(one, timezone=timezone, on_error=errors.append) if isinstance(one, Path) else [Found(one)]
        for one in several
    )
    founds = list(unique(chain.from_iterable(found_in), errors.append))
    findings = [_unreadable(error) for error in errors]
    now = now.astimezone(timezone)
    for found in founds:
        findings += _amounts(found, amounts)
        read_by_people = replace(found, article=filled(found.article, amounts))
        findings += chain.from_iterable(rule(read_by_people, now) for rule in _RULES)
    if len(founds) > 1:
        findings += _translations(founds)
    return sorted(findings, key=lambda finding: (finding.path, finding.line))


def _unreadable(error: ArticleError) -> Finding:
    rule = _RULE_ABOUT.get(error.about, "unreadable")
    return Finding(str(error.path or ""), error.line, rule, error.sentence, "error")


def _finding(found: Found, above: int, rule: str, sentence: str) -> Finding:
    """Tell of something in a file; `above` is how many lines of the article stand above it."""
    as_written = found.path is None or found.path.suffix.lower() in {".md", ".markdown"}
    line = found.line + (above if as_written else 0)
    path = str(found.path or found.article.id)
    return Finding(path, line, rule, sentence, "warning" if rule in _WARNINGS else "error")


def _above_key(article: Article, name: str) -> int:
    match = re.search(rf"(?m)^[ \t]*[\"']?{name}[\"']?[ \t]*:", article.front)
    return article.front.count("\n", 0, match.start()) if match else 0


def _above_text(article: Article, section: Section) -> int:
    before = article.sections[: article.sections.index(section)]
    above = article.front + "".join(one.heading + one.text for one in before) + section.heading
    return above.count("\n")


# --- rules for one article


def _title(found: Found, now: datetime) -> Iterator[Finding]:
    if not found.article.title.strip():
        above = _above_key(found.article, "title")
        yield _finding(found, above, "no-title", "There is no title; add `title:` to the front matter.")


def _empty(found: Found, now: datetime) -> Iterator[Finding]:
    if not any(section.text.strip() for section in found.article.sections):
        above = found.article.front.count("\n")
        yield _finding(found, above, "empty", "The article says nothing; write at least one section.")


def _dates(found: Found, now: datetime) -> Iterator[Finding]:
    article = found.article
    start, end = article.effective_from, article.effective_until
    if start and end and start >= end:
        sentence = f"It ends ({end:%Y-%m-%d %H:%M} UTC) before it begins; correct one of the two."
        yield _finding(found, _above_key(article, "effective_until"), "dates", sentence)
    if article.verified and article.verified > now.date():
        sentence = f"It cannot have been verified in the future ({article.verified}); correct the date."
        yield _finding(found, _above_key(article, "verified"), "dates", sentence)


def _overdue(found: Found, now: datetime) -> Iterator[Finding]:
    if late := found.article.overdue(now.date()):
        sentence = f"It should have been verified {late.days} days ago; check it and set `verified`."
        yield _finding(found, _above_key(found.article, "verified"), "overdue", sentence)


def _expires(found: Found, now: datetime) -> Iterator[Finding]:
    end = found.article.effective_until
    if end and end <= now + _SOON:
        verb = "ended" if end <= now else "ends"
        sentence = f"It {verb} on {end.astimezone(now.tzinfo):%Y-%m-%d at %H:%M}; extend it or retire it."
        yield _finding(found, _above_key(found.article, "effective_until"), "expires", sentence)


def _no_steps(found: Found, now: datetime) -> Iterator[Finding]:
    article = found.article
    if {Moment.APPLY, Moment.NEW} & {*article.moments} and not article.section(Kind.STEPS):
        sentence = "It is for the moment new or apply and has no steps; add them, or take the moment off."
        yield _finding(found, _above_key(article, "moments"), "no-steps", sentence)


def _verdict(found: Found, now: datetime) -> Iterator[Finding]:
    section = found.article.section(Kind.VERDICT)
    if section and (words := count_words(section.text)) > VERDICT_WORDS:
        sentence = f"'{section.title}' has {words} words; say it in {VERDICT_WORDS}."
        yield _finding(found, _above_text(found.article, section), "verdict-too-long", sentence)


def _steps(found: Found, now: datetime) -> Iterator[Finding]:
    section = found.article.section(Kind.STEPS)
    if section is None:
        return
    above = _above_text(found.article, section)
    for step in items(section.text)[:FIRST_SCREEN_STEPS]:
        words = count_words(step)
        if words > STEP_WORDS:
            sentence = f"This step has {words} words; say it in {STEP_WORDS}: {_start(step)}"
            yield _finding(found, above, "step-too-long", sentence)
        above += step.count("\n")


def _first_screen(found: Found, now: datetime) -> Iterator[Finding]:
    """Laid out for the reader and the change that take the most room."""
    article = found.article
    changed = max(map(_spelled, article.changes), key=count_words, default="")
    for moment in article.moments or (Moment.APPLY,):
        shapes = [shape(article, moment, level=level, changed=changed) for level in levels(article) or ("",)]
        laid = max(shapes, key=lambda laid: sum(count_words(part.text) for part in laid.left_out))
        if not laid.left_out:
            continue
        names = [f"'{part.heading or part.kind}' ({count_words(part.text)} words)" for part in laid.left_out]
        sentence = f"{FIRST_SCREEN_WORDS} words fit the first screen; '{moment}' has no room for {' and '.join(names)}."
        yield _finding(found, article.front.count("\n"), "first-screen-too-long", sentence)


def _spelled(change: Change) -> str:
    """About as long as the sentences that tell of a change."""
    said = [f"Nu: {change.new}", f"Sinds 1 september {change.since.year}."]
    said += [f"(was {change.old})"] if change.old else []
    said += [f"Geldt voor {change.applies_to}."] if change.applies_to else []
    said += [f"Waarom: {change.why}."] if change.why else []
    return " ".join(said)


def _long_sentences(found: Found, now: datetime) -> Iterator[Finding]:
    """Paragraphs and list items; headings, tables and code are not prose."""
    article = found.article
    for before, token in pairwise(blocks(article.body)):
        if before.type != "paragraph_open" or not token.map:
            continue
        place = 0
        for sentence in sentences(token.content):
            place = token.content.index(sentence, place)
            words = count_words(_NOT_PROSE.sub("", sentence))
            if words > SENTENCE_WORDS:
                above = article.front.count("\n") + token.map[0] + token.content.count("\n", 0, place)
                told = f"This sentence has {words} words, {SENTENCE_WORDS} read well: {_start(sentence)}"
                yield _finding(found, above, "long-sentence", told)


def _jargon(found: Found, now: datetime) -> Iterator[Finding]:
    """Words that a colleague would not say."""
    article = found.article
    plain = _plain_words()[article.language]
    for section in article.sections:
        above = _above_text(article, section)
        for match in _any_of(article.language).finditer(section.text):
            sentence = f"'{match[0]}' reads slowly; a colleague would say '{plain[match[0].casefold()]}'."
            yield _finding(found, above + section.text.count("\n", 0, match.start()), "jargon", sentence)


@cache
def _plain_words() -> dict[Language, dict[str, str]]:
    """What to say instead, by language."""
    with (Path(__file__).parent / "plain.toml").open("rb") as file:
        return TypeAdapter(dict[Language, dict[str, str]]).validate_python(tomllib.load(file))


@cache
def _any_of(language: Language) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, _plain_words()[language]))})\b", re.IGNORECASE)


def _start(text: str) -> str:
    return textwrap.shorten(text, 50, placeholder=" …")


def _amounts(found: Found, amounts: Amounts) -> Iterator[Finding]:
    """Names that stand for nothing, and amounts that have a name and are written out."""
    article = found.article
    names: dict[str, list[str]] = {}
    for name, amount in amounts.items():
        names.setdefault(amount.get(article.language, ""), []).append(f"{{{{{name}}}}}")
    for section in article.sections:
        above = _above_text(article, section)
        for match in NAMED.finditer(section.text):
            if article.language not in amounts.get(match[1], {}):
                sentence = f"No amounts.toml has '{match[1]}' in this language; add it, or correct the name."
                yield _finding(found, above + section.text.count("\n", 0, match.start()), "unknown-amount", sentence)
        for match in _AMOUNT.finditer(section.text) if section.kind not in _TELL_OF_THEN else ():
            if match[0] in names:
                sentence = (
                    f"{match[0]} has a name; write {' or '.join(names[match[0]])}, so that it changes everywhere."
                )
                yield _finding(found, above + section.text.count("\n", 0, match.start()), "literal-amount", sentence)


_RULES: tuple[Callable[[Found, datetime], Iterator[Finding]], ...] = (
    _title,
    _empty,
    _dates,
    _overdue,
    _expires,
    _no_steps,
    _verdict,
    _steps,
    _first_screen,
    _long_sentences,
    _jargon,
)


# --- rules for articles together


def _translations(founds: list[Found]) -> Iterator[Finding]:
    by_id = {found.article.id: found.article for found in founds}
    translated = {article.translation_of for article in by_id.values()}
    several = len({article.language for article in by_id.values()}) > 1
    for found in founds:
        article = found.article
        above = _above_key(article, "translation_of")
        if article.translation_of:
            original = by_id.get(article.translation_of)
            if problem := _broken(article, original):
                yield _finding(found, above, "translation", problem)
            elif original and original.verified and (article.verified or date.min) < original.verified:
                sentence = f"'{original.id}' was verified later, on {original.verified}; check this translation too."
                yield _finding(found, above, "late-translation", sentence)
        elif several and article.id not in translated:
            sentence = "It has no translation; write one with `translation_of: " + f"{article.id}`."
            yield _finding(found, above, "missing-translation", sentence)


def _broken(article: Article, original: Article | None) -> str:
    """What is wrong with the link to the original, if anything."""
    if original is None:
        return f"It translates '{article.translation_of}', which is not there; correct `translation_of`."
    if original.language == article.language:
        return f"It translates '{original.id}', which is in the same language; correct one of the two."
    if original.translation_of:
        return f"'{original.id}' is a translation itself; translate '{original.translation_of}'."
    return ""
