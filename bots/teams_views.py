"""What else is shown in Teams: a welcome, what there is to read, somebody's overview, a question afterwards. Pure."""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from bots.teams_cards import Where, answer_card, attached, gist, summary, title_buttons
from bots.teams_parts import (
    MAX_CARD,
    MAX_MESSAGE,
    adaptive_card,
    boxed,
    column,
    execute,
    fits,
    fitting,
    rows,
    says,
    size,
    small,
    words_of,
)
from bots.teams_text import Json, clip, markdown_elements, one_line, plain, sentence_elements
from core.loop import OpenQuestion
from core.model import Answer, Home, Request, Role, Suggestion
from core.words import say, say_date
from knowledge.article import Language

_THUMBNAIL = "application/vnd.microsoft.card.thumbnail"
_MOST = 5  # of each list
_MAX_LINE = 160  # characters
_ROOM_AROUND = 2000  # bytes: what surrounds results in a message


# -- a first acquaintance ---------------------------------------------------------------------------------------------
def welcome_card(language: Language, examples: Sequence[str]) -> Json:
    """Who we are, how to ask, and questions to try that are one tap away."""
    hello = say("teams.welcome", language)
    tries = [says(example, example) for example in examples if example.strip()]
    browse = [says(_begin(word), word) for word in (say("web.topics", language), say("command.overview", language))]
    body = [
        *_title(hello),
        *sentence_elements(say("web.tagline", language), spacing="None"),
        *sentence_elements(say("manifest.agent", language), spacing="Medium"),
        *(small(say("help.prompts", language), spacing="Medium") if tries else []),
        *column(tries),
        *markdown_elements(say("teams.browse", language), size="Small", isSubtle=True, spacing="Medium"),
        *rows(browse),
        *small(say("teams.privacy", language), spacing="Medium"),
    ]
    return _card(language, hello, body)


# -- what there is to read --------------------------------------------------------------------------------------------
def topics_card(topics: Mapping[str, Sequence[Suggestion]], language: Language, topic: str = "") -> Json:
    """The topics, and the titles of the one that was chosen."""
    if not topics:
        return sentence_card(say("answer.empty", language), language)
    names = {_key(name): name for name in topics}
    said = say("teams.topics", language)
    buttons = [
        execute(_begin(name) or say("web.no_topic", language), "topics", language, topic=key)
        for key, name in names.items()
    ]
    chosen = names.get(_key(topic)) if topic else None
    titles: list[Json] = []
    if chosen is not None:
        heading = _begin(chosen) or say("web.no_topic", language)
        titles = [*_title(heading, spacing="Medium"), *column(title_buttons(topics[chosen], language))]
    return _card(language, said, [*sentence_elements(said), *rows(buttons), *titles], cut="teams.not_all")


def _key(name: str) -> str:
    """What a button sends for a topic; one without a name can be chosen too."""
    return words_of(name)


# -- somebody's overview ----------------------------------------------------------------------------------------------
def overview_card(home: Home, today: date) -> Json:
    """What changed, what is still open, what was put aside; for whoever coaches, what waits for them as well."""
    language = home.language
    body = [*_title(say("teams.overview", language)), *boxed("accent", home.notices[:_MOST])]
    for entries in (_queue(home, today), _changed(home, today), _asked(home, today), _kept(home)):
        body += entries
    return _card(language, say("teams.overview", language), body)


def _queue(home: Home, today: date) -> Iterator[Json]:
    """Never who asked: a colleague did. What they got to see is one tap away."""
    language = home.language
    if not home.person.role.covers(Role.COACH):
        return
    yield from _section(say("home.queue", language, count=str(len(home.queue))))
    if not home.queue:
        yield from sentence_elements(say("home.queue_none", language))
    for request in home.queue[:_MOST]:
        answer_id = request.answer.id
        seen = [execute(say("button.open", language), "seen", language, answer_id=answer_id)] if fits(answer_id) else []
        yield _entry(request.answer.question, _since("home.colleague", request, language, today), seen)
    yield from _rest(home.queue, language)
    yield from rows([execute(say("coach.panel.title", language), "do", language, do="panel")])


def _changed(home: Home, today: date) -> Iterator[Json]:
    if home.changed:
        yield from _section(say("home.changed", home.language))
    for news in home.changed[:_MOST]:
        said = ": ".join(filter(None, (_begin(_brief(news.line, today)), plain(news.new))))
        yield _entry(news.article.title, said, _opens(news.article, home.language))


def _asked(home: Home, today: date) -> Iterator[Json]:
    if home.asked:
        yield from _section(say("home.asked", home.language))
    for request in home.asked[:_MOST]:
        yield _entry(request.answer.question, _since("home.since", request, home.language, today))
    yield from _rest(home.asked, home.language)


def _kept(home: Home) -> Iterator[Json]:
    language = home.language
    yield from _section(say("home.kept", language))
    if not home.kept:
        yield from markdown_elements(say("home.kept_none", language))
    for answer in home.kept[:_MOST]:
        title = answer.card.title if answer.card else answer.question
        known = Suggestion(answer.card.article_id, title, answer.card.language) if answer.card else None
        yield _entry(title, "")
        drop = execute(say("button.drop", language), "drop", language, answer_id=answer.id)
        yield from rows([*(_opens(known, language) if known else []), *([drop] if fits(answer.id) else [])])
    yield from _rest(home.kept, language)


def _section(title: str) -> list[Json]:
    return _title(title, spacing="Large", separator=True)


def _entry(title: str, said: str, buttons: Sequence[Json] = ()) -> Json:
    """What it is about and what there is to say of it, and beside that what can be done."""
    lines = [
        *sentence_elements(clip(one_line(title), _MAX_LINE) or "…", weight="Bolder"),
        *small(clip(one_line(said), _MAX_LINE), spacing="None"),
    ]
    columns: list[Json] = [{"type": "Column", "width": "stretch", "items": lines}]
    columns += [{"type": "Column", "width": "auto", "items": column([button])} for button in buttons]
    return {"type": "ColumnSet", "spacing": "Small", "columns": columns}


def _opens(article: Suggestion, language: Language) -> list[Json]:
    return list(title_buttons([article], language, words=say("button.open", language)))


def _since(key: str, request: Request | OpenQuestion, language: Language, today: date) -> str:
    return say(key, language, date=_brief(say_date(request.at.date(), language), today))


def _rest(found: Sequence[object], language: Language) -> list[Json]:
    return small(say("home.rest", language, count=str(len(found) - _MOST))) if len(found) > _MOST else []


def _brief(said: str, today: date) -> str:
    """A date, without the year when that is this one."""
    return said.removesuffix(f" {today.year}")


# -- around an answer -------------------------------------------------------------------------------------------------
def seen_card(answer: Answer) -> Json:
    """What a colleague asked, and the answer they got, to look at: nothing can be done with it."""
    asked = small(say("home.colleague_asked", answer.language, question=clip(one_line(answer.question), _MAX_LINE)))
    card = answer_card(replace(answer, id=""), room=MAX_CARD - size(asked))
    return card | {"body": [*asked, *card["body"]]}


def check_card(answer: Answer) -> Json:
    """Did it work out? Asked later, about one article."""
    language = answer.language
    ways = {"helped": "yes", "not_helped": "no", "quiet": "quiet"}
    buttons = [
        execute(say(f"check.{key}", language), verb, language, answer_id=answer.id) for verb, key in ways.items()
    ]
    about = sentence_elements(clip(one_line(answer.card.title), _MAX_LINE), spacing="None") if answer.card else []
    asked = say("check.ask", language)
    return _card(language, asked, [*_title(asked), *about, *(rows(buttons) if fits(answer.id) else [])])


def sentence_card(sentence: str, language: Language) -> Json:
    """A sentence of ours where only a card can stand."""
    return _card(language, one_line(sentence), markdown_elements(sentence))


def result(answer: Answer, *, room_for: int = 1) -> Json:
    """An answer to pick from a list of `room_for` and put in a message: how it looks there, and here."""
    room = min(MAX_CARD, (MAX_MESSAGE - _ROOM_AROUND) // max(room_for, 1) - _ROOM_AROUND)
    title, first = (answer.card.title, gist(answer.card)) if answer.card else (summary(answer), "")
    preview = {"title": _harmless(title) or "…", "text": _harmless(first)}
    return attached(answer_card(answer, where=Where.INSERTED, room=room)) | {
        "preview": {"contentType": _THUMBNAIL, "content": preview}
    }


# -- pieces -----------------------------------------------------------------------------------------------------------
def _card(language: Language, about: str, body: Sequence[Json], *, cut: str = "answer.cut") -> Json:
    """As much as a card holds; `cut` is the key of what is said where that is not all."""
    last = small(say(cut, language), spacing="Medium")
    card = adaptive_card(language, clip(one_line(about), _MAX_LINE) or "…", [])
    kept, _ = fitting(body, MAX_CARD - size([card, last]), last)
    return card | {"body": kept}


def _title(text: str, **style: object) -> list[Json]:
    return sentence_elements(text, **{"weight": "Bolder", "size": "Medium", "style": "heading"} | style)


def _begin(text: str) -> str:
    text = one_line(text)
    return text[:1].upper() + text[1:]


def _harmless(text: str) -> str:
    """Where Teams reads HTML."""
    return html.escape(clip(one_line(text), _MAX_LINE), quote=False)
