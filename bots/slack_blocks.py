"""An answer as Slack blocks, and the small messages around it. Pure: nothing here knows a network or a desk."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bots.slack_parts import (
    MAX_BUTTON,
    MAX_OPTION,
    MAX_VALUE,
    Block,
    actions,
    button,
    code,
    contexts,
    cut,
    fitting,
    header,
    overflow,
    plain,
    sections,
    select,
)
from bots.slack_text import bare, bold, escape, heading, link, literal, mrkdwn, quoted, split
from core.card import everything
from core.model import Answer, Card, Outcome, Suggestion
from core.words import reasons, say
from knowledge.article import Kind, Language
from knowledge.moment import Moment
from knowledge.shape import Part
from knowledge.text import is_link, spoken, unquoted

MAX_FALLBACK = 4000
_MAX_SOURCE = 300
_MAX_QUESTION = 200
_MAX_ALTERNATIVES = 5
_MAX_TITLE_BUTTONS = 10  # more of them are a list to choose from
_MAX_STEP = 999
_MAX_TOPIC = 100
_NOTHING_TO_ADD = {Outcome.HELP, Outcome.THANKS, Outcome.ASIDE, Outcome.FAILED}
_VALUE = re.compile(  # which answer, its moment, and how it is shown; the default of the latter two is left out
    rf"([\w-]{{1,64}})(?: (-|{'|'.join(Moment)})(?: (\d{{1,3}})(m?)(c?))?)?", re.ASCII
)


class Where(StrEnum):
    """Where an answer stands."""

    DIRECT = "direct"  # posted in a conversation of the two of us
    CHANNEL = "channel"  # posted for all
    WHISPER = "whisper"  # in a channel, for one pair of eyes
    MODAL = "modal"


@dataclass(frozen=True, slots=True)
class Shown:
    """How an answer stands there now. It travels along in the buttons: a tap must not undo an earlier one."""

    more: bool = False
    step: int = 0  # of the card's walk, from 0
    choosing: bool = False  # the moments to choose from stand in place of the buttons


AT_FIRST = Shown()


def value_of(answer_id: str, moment: Moment | None, shown: Shown = AT_FIRST) -> str:
    """What a button on an answer sends: which answer, and how it stands there. Without the latter the bare id."""
    parts = [answer_id]
    if moment or shown != AT_FIRST:
        parts.append(moment or "-")
    if shown != AT_FIRST:
        parts.append(f"{shown.step}{'m' * shown.more}{'c' * shown.choosing}")
    return " ".join(parts)


def read_value(value: str) -> tuple[str, Moment | None, Shown]:
    """The same, read back; `ValueError` for what we never sent."""
    found = _VALUE.fullmatch(value)
    if not found:
        raise ValueError("That is not the value of a button of ours.")
    answer_id, moment, step, more, choosing = found.groups()
    return (
        answer_id,
        Moment(moment) if moment in set(Moment) else None,
        Shown(bool(more), int(step or 0), bool(choosing)),
    )


# -- an answer ---------------------------------------------------------------------------------------------------------
def answer_blocks(
    answer: Answer,
    shown: Shown = AT_FIRST,
    where: Where = Where.CHANNEL,
    *,
    question: str = "",
) -> list[Block]:
    """All that an answer says and offers, always in the same places.

    `question` is repeated above it, for an answer that stands far from where it was asked. No block carries a
    `block_id`: Slack then makes fresh ones, as an updated message needs.
    """
    shown = _on_the_way(answer, shown)
    asked = say("slack.asked", answer.language, question=literal(cut(question, _MAX_QUESTION)))
    head = contexts(asked) if question.strip() else []
    head += [block for said in answer.notices for block in sections(bold(literal(said)))]
    head += [block for said in (*answer.warnings, answer.message) for block in sections(mrkdwn(said))]
    tail: list[Block] = []
    if answer.card:
        head += _alternatives(answer)
        head += _card(answer, answer.card, shown)
        tail += _origin(answer.card, answer.language)
    else:
        tail += _meanwhile(answer)
        tail += _alternatives(answer)
    tail += _ways_on(answer, shown, where)
    return fitting(head, tail, answer.language)


def _on_the_way(answer: Answer, shown: Shown) -> Shown:
    """At a step that there is: an article may have become shorter."""
    steps = min(len(answer.card.walk) if answer.card else 0, _MAX_STEP)
    return replace(shown, step=max(0, min(shown.step, steps - 1)))


def fallback_text(answer: Answer, *, question: str = "") -> str:
    """The first screen without blocks: for notifications, screen readers, and whenever Slack refuses the blocks.

    A notification shows only how it begins: with the title and what to do.
    """
    said = [*map(literal, answer.notices), *map(mrkdwn, (*answer.warnings, answer.message))]
    if question.strip():
        said.insert(0, say("slack.asked", answer.language, question=literal(cut(question, _MAX_QUESTION))))
    if answer.card:
        said += [escape(_title(answer.card)), *map(mrkdwn, answer.card.notes), *map(_part, answer.card.first)]
        said += [_changed(answer.card), _tag(answer, answer.card), _freshness(answer.card)]
    said += [_spoken(answer.bridge), _danger(answer), _nearest(answer)]
    said += [f"• {escape(other.title)}" for other in _siblings(answer)]
    whole = "\n".join(text for text in said if text.strip())
    first, *rest = split(whole, MAX_FALLBACK - 2) or ["…"]
    return f"{first} …" if rest else first


def _card(answer: Answer, card: Card, shown: Shown) -> Iterator[Block]:
    if card.title.strip():
        yield header(_title(card))
    yield from contexts(_tag(answer, card))
    for note in card.notes:
        yield from sections(mrkdwn(note))
    yield from contexts(_changed(card))
    place = _walked(answer, card, shown)
    if place is None:
        yield from _parts(everything(card) if shown.more else card.first)
        return
    at = say("steps.at", answer.language, step=str(shown.step + 1), all=str(len(card.walk)))
    step = replace(card.first[place], text=card.walk[shown.step])
    yield from _parts(card.first[:place])
    yield from sections("\n".join(filter(str.strip, (_head_of(step), f"_{at}_", mrkdwn(step.text)))))
    yield actions(_way_through(answer, card, shown, at))
    yield from _parts(card.first[place + 1 :])


def _walked(answer: Answer, card: Card, shown: Shown) -> int | None:
    """Which part is taken step by step, if any."""
    if shown.more or not (answer.id and card.walk and card.walked):
        return None
    return next((place for place, part in enumerate(card.first) if part.kind is card.walked), None)


def _parts(parts: Iterator[Part] | Sequence[Part]) -> list[Block]:
    return sections("\n\n".join(map(_part, parts)))


def _way_through(answer: Answer, card: Card, shown: Shown, at: str) -> list[Block]:
    """Steps go back and forth until they are done. Of checks, the one that works is the last.

    The way back comes last, so that the others stay where they are.
    """
    value, language = value_of(answer.id, answer.moment, shown), answer.language
    last, solving = shown.step == len(card.walk) - 1, answer.moment is Moment.SOLVE
    if solving:
        ways = {"step:done": "steps.works"} | ({"coach": "steps.stuck"} if last else {"step:next": "steps.fails"})
    else:
        ways = {"step:done": "steps.done"} if last else {"step:next": "steps.next"}
    ways |= {"step:back": "steps.back"} if shown.step else {}
    return [button(action, say(key, language), value, about=f"{at}, {card.title}") for action, key in ways.items()]


def _title(card: Card) -> str:
    """With a sign that stands out when lives may be at stake."""
    return f"🚨 {card.title}" if card.critical else card.title


def _tag(answer: Answer, card: Card) -> str:
    """The moment in a word, and a warning when lives may be at stake."""
    tags = [bold(say("head.critical", answer.language))] if card.critical else []
    if answer.moment:
        tags.append(f"{answer.moment.sign} {say(f'moment.{answer.moment}', answer.language)}")
    return "  ".join(tags)


def _changed(card: Card) -> str:
    return f"{Moment.CHANGE.sign} {mrkdwn(card.changed)}" if card.changed.strip() else ""


def _part(part: Part) -> str:
    """A section as it reads. The verdict needs no heading: it is what was asked for."""
    text = mrkdwn(part.text)
    if part.kind is Kind.VERDICT:
        return bold(text)
    if part.kind is Kind.SAY:
        text = quoted(text)
    below = f"_{literal(part.below)}_" if part.below.strip() else ""
    return "\n".join(filter(None, (_head_of(part), text, below)))


def _head_of(part: Part) -> str:
    return heading(escape(part.heading))


def _origin(card: Card, language: Language) -> Iterator[Block]:
    """Where it comes from and how fresh it is."""
    said = [_freshness(card)] if card.source.strip() else []
    said += [link(card.url, say("source.link", language))] if is_link(card.url) else []
    training = say("source.training", language)
    if is_link(card.training):
        said.append(link(card.training, training))
    elif card.training.strip():
        said.append(f"{training}: {escape(cut(card.training, _MAX_SOURCE))}")
    yield from contexts(" · ".join(said))


def _freshness(card: Card) -> str:
    """A sentence of the desk's, and a sign before it that catches the eye when it is stale."""
    said = escape(cut(card.source, _MAX_SOURCE)) if card.source.strip() else ""
    return f"⚠️ {said}" if said and card.stale else said


# -- what can be tapped ------------------------------------------------------------------------------------------------
def _meanwhile(answer: Answer) -> Iterator[Block]:
    """What to tell the customer while somebody looks on."""
    yield from sections(_spoken(answer.bridge))[:1]
    yield from contexts(_danger(answer))


def _spoken(text: str) -> str:
    """What is said to the customer behind a bar, and who says it or when above that."""
    above, said = spoken(text)
    return "\n".join(filter(None, (mrkdwn(above), quoted(mrkdwn(said)))))


def _danger(answer: Answer) -> str:
    return say("answer.danger", answer.language) if answer.bridge.strip() else ""


def _nearest(answer: Answer) -> str:
    return say("head.nearest", answer.language) if answer.alternatives and not answer.card else ""


def _siblings(answer: Answer) -> Sequence[Suggestion]:
    """Titles for whoever meant something else: none below an answer that is sure, where they would only raise doubt."""
    return () if answer.card and not answer.message else answer.alternatives[:_MAX_ALTERNATIVES]


def _alternatives(answer: Answer) -> Iterator[Block]:
    found = title_buttons(_siblings(answer), answer.language)
    if found:
        yield from contexts(_nearest(answer))
        yield actions(found)


def title_buttons(titles: Sequence[Suggestion], language: Language, first: int = 0, *, words: str = "") -> list[Block]:
    """Titles one tap away, numbered from `first`; `words` instead where the title stands beside the button.

    What is opened is told in `language`.
    """
    return [
        button(f"open:{place}", words or title, value, about=title if words else "")
        for place, other in enumerate(titles, first)
        if len(value := f"{language} {other.article_id}") <= MAX_VALUE and (title := other.title or other.article_id)
    ]


def _ways_on(answer: Answer, shown: Shown, where: Where) -> Iterator[Block]:
    """More or less, not right, a coach, and the rest behind three dots."""
    if not answer.id or answer.outcome in _NOTHING_TO_ADD:
        return
    value = value_of(answer.id, answer.moment, shown)
    if not answer.card:
        if answer.outcome is Outcome.UNANSWERED:
            yield actions([button("coach", say("button.coach", answer.language), value)])
        return
    if shown.choosing:
        yield from contexts(say("reshape.what", answer.language))
        yield actions(_choices(answer, answer.card, value))
    else:
        yield actions(_row(answer, answer.card, shown, where))
    if where is Where.DIRECT and _walked(answer, answer.card, shown) is None:  # a way through steps asks it already
        yield _did_it_help(answer.id, answer.language)


def _row(answer: Answer, card: Card, shown: Shown, where: Where) -> list[Block]:
    value = value_of(answer.id, answer.moment, shown)
    names = ["less" if shown.more else "more"] if card.more or card.walk else []
    names += ["wrong", *([] if _is_stuck(answer, card, shown) else ["coach"])]
    names += ["share"] if where is Where.WHISPER else []
    behind = {"reshape": "reshape.ask"} if _other_moments(answer, card) else {}
    behind |= {"copy": "button.copy"} if card.say else {}
    behind |= {"share": "button.share"} if where in {Where.DIRECT, Where.MODAL} else {}
    behind |= {"later": "button.later"}
    menu = {f"{what} {value}": say(key, answer.language) for what, key in behind.items()}
    row = [button(name, say(f"button.{name}", answer.language), value, about=card.title) for name in names]
    return [*row, overflow("menu", menu)]


def _is_stuck(answer: Answer, card: Card, shown: Shown) -> bool:
    """At the last of the checks, where a coach is a way on already."""
    last = shown.step == len(card.walk) - 1
    return last and answer.moment is Moment.SOLVE and _walked(answer, card, shown) is not None


def _choices(answer: Answer, card: Card, value: str) -> list[Block]:
    shapes = {f"shape:{moment}": f"reshape.{moment}" for moment in _other_moments(answer, card)}
    ways = shapes | {"back": "button.back"}
    return [button(name, say(key, answer.language), value, about=card.title) for name, key in ways.items()]


def _other_moments(answer: Answer, card: Card) -> list[Moment]:
    return [moment for moment in card.moments if moment is not (answer.moment or Moment.APPLY)]


def _did_it_help(answer_id: str, language: Language) -> Block:
    """Slack's own thumbs."""
    yes, no = (
        {"text": plain(words, MAX_BUTTON), "accessibility_label": words, "value": f"{name} {answer_id}"}
        for name, words in (("yes", say("slack.helped", language)), ("no", say("slack.helped_not", language)))
    )
    thumbs = {"type": "feedback_buttons", "action_id": "helped", "positive_button": yes, "negative_button": no}
    return {"type": "context_actions", "elements": [thumbs]}


# -- around an answer --------------------------------------------------------------------------------------------------
def text_blocks(sentence: str) -> list[Block]:
    """A sentence of our own."""
    return sections(mrkdwn(sentence))


def reason_blocks(answer_id: str, language: Language) -> list[Block]:
    """What is not right? Five reasons, one tap each."""
    buttons = [button(f"reason:{reason}", word, answer_id) for reason, word in reasons(language).items()]
    return [*text_blocks(say("feedback.ask", language)), actions(buttons)]


def seen_blocks(answer: Answer) -> list[Block]:
    """What a colleague asked, and the answer they got, to look at: nothing can be done with it."""
    asked = say("home.colleague_asked", answer.language, question=literal(answer.question))
    return [*contexts(asked), *answer_blocks(replace(answer, id=""), where=Where.MODAL)]


def copy_blocks(answer: Answer) -> list[Block]:
    """Each sentence to tell or write the customer in a frame of its own, without formatting or quotes around it."""
    found = [text for text in map(bare, answer.card.say if answer.card else ()) if text]
    if not found:
        return text_blocks(say("slack.copy_none", answer.language))
    frames = [block for text in found for block in _frame(text)]
    return fitting([*text_blocks(say("slack.copy", answer.language)), *frames], [], answer.language)


def _frame(text: str) -> Iterator[Block]:
    above, said = spoken(text)
    yield from contexts(literal(above))
    yield code(unquoted(said))


def other_blocks(answer: Answer) -> list[Block]:
    """Another topic, then? The titles that came next, and a coach."""
    titles = title_buttons(answer.alternatives[:_MAX_ALTERNATIVES], answer.language)
    coach = button("coach", say("button.coach", answer.language), value_of(answer.id, None))
    return [*(contexts(say("head.also", answer.language)) if titles else []), actions([*titles, coach])]


def check_blocks(answer: Answer) -> list[Block]:
    """Did it work out? Asked later, about one article."""
    title = answer.card.title if answer.card else ""
    said = "\n".join(filter(str.strip, (bold(say("check.ask", answer.language)), literal(cut(title, MAX_OPTION)))))
    ways = (
        ("helped:yes", "yes", f"yes {answer.id}"),
        ("helped:no", "no", f"no {answer.id}"),
        ("quiet", "quiet", answer.id),
    )
    buttons = [button(name, say(f"check.{key}", answer.language), value, about=title) for name, key, value in ways]
    return [*sections(said), actions(buttons)]


def topics_blocks(topics: Mapping[str, Sequence[Suggestion]], language: Language, topic: str = "") -> list[Block]:
    """What there is to read: the topics, and the titles of the one that was chosen."""
    if not topics:
        return text_blocks(say("answer.empty", language))
    values = {f"{language} {cut(name, _MAX_TOPIC)}": name for name in topics}
    words = {
        value: name[:1].upper() + name[1:] if name.strip() else say("web.no_topic", language)
        for value, name in values.items()
    }
    chosen = f"{language} {cut(topic, _MAX_TOPIC)}" if topic else ""
    rows: list[list[Block]] = [[select("topic", say("slack.topic", language), words, chosen)]]
    found = topics[values[chosen]] if chosen in values else ()
    titles = {value: one for one in found if len(value := f"{language} {one.article_id}") <= MAX_OPTION}
    if len(titles) > _MAX_TITLE_BUTTONS:
        choices = {value: one.title or one.article_id for value, one in titles.items()}
        rows.append([select("title", say("slack.title", language), choices)])
    else:
        rows.append(title_buttons(list(titles.values()), language))
    return [*text_blocks(say("slack.topics", language)), *(actions(row) for row in rows if row)]
