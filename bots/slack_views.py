"""What opens beside the conversation in Slack: the home tab and modals. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from bots.slack_blocks import AT_FIRST, Shown, Where, answer_blocks, text_blocks, title_buttons, value_of
from bots.slack_parts import (
    MAX_OPTION,
    Block,
    actions,
    button,
    contexts,
    cut,
    divider,
    header,
    plain,
    sections,
)
from bots.slack_text import bold, literal, mrkdwn
from core.loop import OpenQuestion
from core.model import Answer, Home, Request, Role, Suggestion
from core.words import say, say_date
from knowledge.article import Language

View = dict[str, Any]

MAX_TITLE = 24  # of a modal, and its buttons
MAX_METADATA = 3000
MAX_ASKED = 2000
_MAX_LINE = 200
_MOST = 10  # of each list


# -- home --------------------------------------------------------------------------------------------------------------
def home_view(home: Home, today: date) -> View:
    """How to ask, what changed and what is still open; for whoever coaches, what waits for them as well."""
    blocks = [block for notice in home.notices[:_MOST] for block in sections(bold(literal(notice)))]
    blocks += _asking(home.language)
    for entries in (_queue(home, today), _changed(home, today), _asked(home, today), _kept(home)):
        found = list(entries)
        blocks += [divider(), *found] if found else []
    return {"type": "home", "blocks": blocks}


def _asking(language: Language) -> list[Block]:
    how = text_blocks(say("help.text", language, example=say("help.example", language)))
    ask = button("ask", say("home.ask", language), "ask") | {"style": "primary"}
    return [header(say("home.title", language)), *how, actions([ask])]


def _queue(home: Home, today: date) -> Iterator[Block]:
    """Never who asked: a colleague did. What they got to see is one tap away."""
    if not home.person.role.covers(Role.COACH):
        return
    yield header(say("home.queue", home.language, count=str(len(home.queue))))
    if not home.queue:
        yield from text_blocks(say("home.queue_none", home.language))
    for place, line in enumerate(_requests(home.queue, "home.colleague", home.language, today)):
        answer = home.queue[place].answer
        seen = button(f"seen:{place}", say("button.open", home.language), answer.id, about=answer.question)
        yield line | {"accessory": seen}
    yield from _rest(home.queue, home.language)
    yield actions([button("do:panel", say("coach.panel.title", home.language), "panel ")])


def _changed(home: Home, today: date) -> Iterator[Block]:
    if home.changed:
        yield header(say("home.changed", home.language))
    for place, news in enumerate(home.changed[:_MOST]):
        since = literal(cut(_brief(news.line[:1].upper() + news.line[1:], today), _MAX_LINE))
        said = ": ".join(filter(str.strip, (since, mrkdwn(news.new))))
        yield _line(news.article.title, said) | _opens(news.article, home.language, place)


def _asked(home: Home, today: date) -> Iterator[Block]:
    if home.asked:
        yield header(say("home.asked", home.language))
    yield from _requests(home.asked, "home.since", home.language, today)
    yield from _rest(home.asked, home.language)


def _requests(requests: Sequence[Request | OpenQuestion], key: str, language: Language, today: date) -> Iterator[Block]:
    for request in requests[:_MOST]:
        day = _brief(say_date(request.at.date(), language), today)
        yield _line(request.answer.question, say(key, language, date=day))


def _rest(requests: Sequence[Request | OpenQuestion], language: Language) -> Iterator[Block]:
    if len(requests) > _MOST:
        yield from contexts(say("home.rest", language, count=str(len(requests) - _MOST)))


def _kept(home: Home) -> Iterator[Block]:
    language = home.language
    yield header(say("home.kept", language))
    if not home.kept:
        yield from text_blocks(say("home.kept_none", language))
    for place, answer in enumerate(home.kept[:_MOST]):
        title = answer.card.title if answer.card else answer.question
        known = Suggestion(answer.card.article_id, title, answer.card.language) if answer.card else None
        yield _line(title) | (_opens(known, language, place) if known else {})
        yield actions([button("drop", say("button.drop", language), value_of(answer.id, None), about=title)])


def _opens(article: Suggestion, language: Language, place: int) -> Block:
    """What an entry needs to be opened by; an id that is too long has no button."""
    beside = title_buttons([article], language, place, words=say("button.open", language))
    return {"accessory": beside[0]} if beside else {}


def _brief(said: str, today: date) -> str:
    """A date, without the year when that is this one."""
    return said.removesuffix(f" {today.year}")


def _line(title: str, said: str = "") -> Block:
    """An entry of a list: what it is about, and what there is to say of it."""
    return sections("\n".join(filter(str.strip, (bold(literal(cut(title, _MAX_LINE))), said))))[0]


# -- modals ------------------------------------------------------------------------------------------------------------
def ask_modal(language: Language, *, text: str = "", channel: str = "") -> View:
    """Somewhere to type a question, with `text` there already; `channel` travels along."""
    typed = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": MAX_ASKED}
    typed |= {"focus_on_load": True, "placeholder": plain(say("help.example", language), MAX_OPTION)}
    typed |= {"initial_value": text[:MAX_ASKED]} if text.strip() else {}
    blocks = [_input("text", say("modal.question", language), typed)]
    return _form("ask", "modal.ask", "modal.send", blocks, channel, language)


def share_modal(answer_id: str, language: Language) -> View:
    """Which channel may see the answer? Slack gives a `response_url` with the choice, good for any of them."""
    channels = {
        "type": "conversations_select",
        "action_id": "channel",
        "default_to_current_conversation": True,
        "response_url_enabled": True,
        "filter": {"include": ["public", "private", "mpim"], "exclude_bot_users": True},
    }
    hint = {"hint": plain(say("share.hint", language), _MAX_LINE)}
    blocks = [_input("channel", say("share.channel", language), channels) | hint]
    return _form("share", "share.title", "share.send", blocks, answer_id, language)


def waiting_modal(language: Language, said: str = "modal.waiting") -> View:
    """What stands there until the answer does: a modal must be opened within three seconds."""
    return message_modal(say(said, language), language)


def answer_modal(answer: Answer, shown: Shown = AT_FIRST) -> View:
    """An answer in a modal."""
    return message_modal(answer_blocks(answer, shown, Where.MODAL), answer.language)


def message_modal(said: str | Sequence[Block], language: Language, *, title: str = "modal.title") -> View:
    """A sentence of ours or some blocks; `title` is a key of the words files."""
    blocks = text_blocks(said) if isinstance(said, str) else list(said)
    return {
        "type": "modal",
        "title": plain(say(title, language), MAX_TITLE),
        "close": plain(say("modal.close", language), MAX_TITLE),
        "blocks": blocks or contexts("…"),
    }


def _form(name: str, title: str, submit: str, blocks: list[Block], metadata: str, language: Language) -> View:
    form = {"callback_id": name, "submit": plain(say(submit, language), MAX_TITLE)}
    return message_modal(blocks, language, title=title) | form | {"private_metadata": metadata[:MAX_METADATA]}


def _input(name: str, label: str, element: Block) -> Block:
    """A field that must be filled in. Its name is also the key of what was filled in."""
    return {"type": "input", "block_id": name, "label": plain(label, MAX_TITLE), "element": element}
