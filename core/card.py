"""An article on a card: the shape of a moment, with everything said around it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo

from core.model import Card, Person
from core.words import say, say_date, say_month
from knowledge.amounts import NAMED
from knowledge.article import Article, Change, Kind, Language
from knowledge.moment import Moment
from knowledge.shape import Part, moments_of, shape
from knowledge.text import items, without_mark

_CHANGED_FOR = timedelta(weeks=8)  # how long "changed since" stands above an answer
_CHANGES_WITHIN = timedelta(days=90)  # how early a coming change is announced
_QUICKLY = 7  # days in which a quick answer is to be checked
_ENOUGH_TO_KNOW = 40  # characters
_AMOUNT = re.compile(r"€\s?\d[\d.,]*(?:-|\d)?")


def card_of(
    article: Article,
    moment: Moment,
    *,
    person: Person,
    language: Language,
    now: datetime,
    zone: tzinfo,
    passage: str = "",
) -> Card:
    """Lay an article out for one person; sentences around it are in the asker's language."""
    today = now.astimezone(zone).date()
    change = current_change(article, now)
    spelled = _changed(change, article.language, now, zone) if change else ""
    laid = shape(article, moment, level=person.level, changed=spelled, passage=passage)
    hide = _too_old(article, today)
    note = _changed_note(change, language, now, zone) if change else ""
    return Card(
        article_id=article.id,
        version=article.version,
        title=article.title,
        language=article.language,
        topic=article.topic,
        critical=article.critical,
        first=tuple(
            _readable(part, article.language, hide, _below(part, laid.steps_left, language)) for part in laid.first
        ),
        more=tuple(_readable(part, article.language, hide) for part in laid.more),
        notes=tuple(_notes(article, language)),
        changed=_trusted(note, language, hide) if note and moment is not Moment.CHANGE else "",
        source=_source(article, language, today),
        stale=article.overdue(today) is not None,
        training=article.training if moment in {Moment.NEW, Moment.MORE} else "",
        url=article.url,
        moments=moments_of(article),
        walk=tuple(_trusted(text, article.language, hide) for text in laid.walk),
        walked=laid.walked,
        say=tuple(_trusted(text, article.language, hide) for text in _sentences(article)),
    )


def everything(card: Card) -> Iterator[Part]:
    """The first screen, each part whole and in its place, then the rest: nothing jumps when more is opened."""
    rest = list(card.more)
    for part in card.first:
        place = next((place for place, other in enumerate(rest) if _is_whole(other, part)), None)
        yield part if place is None else rest.pop(place)
    yield from rest


def _is_whole(part: Part, brief: Part) -> bool:
    """Two sections may share a heading (what changed, and what the author wrote of it), so the text decides."""
    begin = " ".join(brief.text.split()).removesuffix(" …")[:_ENOUGH_TO_KNOW]
    same = (part.kind, part.heading) == (brief.kind, brief.heading)
    return same and begin in " ".join(part.text.split())


def current_change(article: Article, now: datetime) -> Change | None:
    """The latest change that is in force, else the first one to come."""
    past = [change for change in article.changes if change.since <= now]
    if past:
        return max(past, key=lambda change: change.since)
    return min(article.changes, key=lambda change: change.since, default=None)


def changed_in_full(change: Change, language: Language, now: datetime, zone: tzinfo) -> str:
    """A change on its own, as Markdown: the new way first."""
    return _changed(change, language, now, zone)


def changed_lately(article: Article, now: datetime) -> bool:
    """Changed some weeks ago, or about to."""
    change = current_change(article, now)
    return change is not None and _is_new(change, now)


def _is_new(change: Change, now: datetime) -> bool:
    return -_CHANGED_FOR <= change.since - now <= _CHANGES_WITHIN


def _changed(change: Change, language: Language, now: datetime, zone: tzinfo) -> str:
    """The new way first, then what it was, since when, for whom and why."""
    day = say_date(_day(change.since, zone), language)
    past = change.since <= now
    line = say("changed.now" if past else "changed.soon", language, new=change.new, date=day)
    if change.old:
        line += say("changed.was" if past else "changed.still", language, old=change.old)
    facts = [say("changed.since", language, date=day)] if past else []
    facts += [say("changed.who", language, who=change.applies_to)] if change.applies_to else []
    facts += [say("changed.why", language, why=change.why)] if change.why else []
    return "\n\n".join(filter(None, [line, " ".join(fact.rstrip(".") + "." for fact in facts)]))


def _notes(article: Article, language: Language) -> Iterator[str]:
    if article.language != language:
        yield say("language.only_other", language)
    if article.applies_when:
        yield say("case.only", language, case=article.applies_when)


def _changed_note(change: Change, language: Language, now: datetime, zone: tzinfo) -> str:
    if not _is_new(change, now):
        return ""
    past = change.since <= now
    day = say_date(_day(change.since, zone), language)
    note = say("changed.note" if past else "changed.note_soon", language, date=day, new=change.new)
    if change.old:
        note += say("changed.was" if past else "changed.still", language, old=change.old)
    note += "."
    if change.applies_to:
        note += " " + say("changed.who", language, who=change.applies_to) + "."
    return note


def _day(moment: datetime, zone: tzinfo) -> date:
    """The day where people are; the first and last days of the calendar have no neighbour to move to."""
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        return moment.date()


def _source(article: Article, language: Language, today: date) -> str:
    """Freshness in a sentence."""
    values = {"owner": article.owner}
    if article.verified is None:
        key = "source.quick" if article.check_by else "source.unverified"
    elif article.overdue(today):
        key = "source.stale"
        values["month"] = say_month(article.verified, language)
    else:
        key = "source.fresh"
        values["date"] = say_date(article.verified, language)
    return say(key if article.owner else f"{key}_nobody", language, **values)


def _too_old(article: Article, today: date) -> bool:
    """Not checked for twice the agreed time: amounts are no longer to be trusted."""
    late = article.overdue(today)
    return late is not None and late.days > (article.verify_every or _QUICKLY)


def _readable(part: Part, language: Language, hide: bool, below: str = "") -> Part:
    heading = part.heading or (say("head.changes", language) if part.kind == "changes" else "")
    return replace(part, heading=heading, text=_trusted(part.text, language, hide), below=below)


def _below(part: Part, steps_left: int, language: Language) -> str:
    """Steps and checks that stop halfway say so."""
    if part.kind not in {Kind.STEPS, Kind.TROUBLE} or not steps_left:
        return ""
    what = "left" if part.kind is Kind.STEPS else "checks_left"
    return say(f"steps.{what}_one" if steps_left == 1 else f"steps.{what}", language, count=str(steps_left))


def _trusted(text: str, language: Language, hide: bool) -> str:
    """Amounts that nobody checked for long are hidden, and those that nobody knows."""
    unknown = say("source.amount", language)
    text = NAMED.sub(unknown, text)
    return _AMOUNT.sub(unknown, text) if hide else text


def _sentences(article: Article) -> Iterator[str]:
    """What to tell the customer and what to write them, sentence by sentence."""
    for section in article.sections:
        if section.kind in {Kind.SAY, Kind.WRITE, Kind.WEBCARE}:
            yield from (text for text in map(without_mark, items(section.text)) if text)
