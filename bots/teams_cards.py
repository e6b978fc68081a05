"""An answer as a Teams message: an Adaptive Card, or text where there is nothing to tap. Pure, and plain dicts."""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bots.teams_parts import (
    MAX_BUTTON,
    MAX_CARD,
    adaptive_card,
    behind,
    box,
    boxed,
    column,
    execute,
    fits,
    fitting,
    folding,
    rows,
    size,
    small,
    submitting,
    toggle,
)
from bots.teams_text import (
    Json,
    Run,
    clean,
    clip,
    markdown_elements,
    one_line,
    plain,
    plain_lines,
    run_elements,
    safe_url,
    sentence_elements,
)
from core.card import everything
from core.model import Answer, Card, Outcome, Suggestion
from core.words import reasons, say
from knowledge.article import Kind, Language
from knowledge.moment import Moment
from knowledge.shape import Part
from knowledge.text import spoken, unquoted

CARD = "application/vnd.microsoft.card.adaptive"

_MAX_SOURCE = 300  # characters
_MAX_SUMMARY = 250
_MAX_TEXT = 4000
_MAX_CITED = 80
_MAX_ABSTRACT = 160
_MAX_KEYWORD = 28
_MAX_ALTERNATIVES = 5
_NOTHING_TO_ADD = {Outcome.HELP, Outcome.THANKS, Outcome.ASIDE, Outcome.FAILED}


class Where(StrEnum):
    """Where an answer stands."""

    DIRECT = "direct"  # a conversation of the two of us
    SHARED = "shared"  # a channel or a group chat: others read along
    DIALOG = "dialog"  # where a button only sends
    INSERTED = "inserted"  # in a message of somebody's own: nothing in it may need us


class View(StrEnum):
    """What an answer shows."""

    ANSWER = "answer"
    SHAPES = "shapes"  # the moments to choose from stand in place of the buttons
    COPY = "copy"  # what to tell or write the customer, sentence by sentence


@dataclass(frozen=True, slots=True)
class Shown:
    """How an answer stands there now. It travels along in the buttons: a tap must not undo an earlier one."""

    step: int = 0  # of the card's walk, from 0
    view: View = View.ANSWER
    back: str = ""  # the id of the answer that this one was opened from


AT_FIRST = Shown()


# -- messages ---------------------------------------------------------------------------------------------------------
def message(answer: Answer, shown: Shown = AT_FIRST, where: Where = Where.DIRECT, *, notice: str = "") -> Json:
    """What is posted: a card where there is an article or something to tap, text otherwise.

    Never both: Teams makes two messages of that, of which we would know one.
    """
    if answer.card or answer.alternatives or _has_coach(answer) or shown.back:
        card = answer_card(answer, shown, where, notice=notice)
        return card_message(card, summary(answer)) | _besides(answer)
    sentences = (notice, *answer.notices, *answer.warnings, answer.message, answer.bridge, _danger(answer))
    return {"summary": summary(answer)} | text_message("\n\n".join(filter(None, sentences)))


def bare(posted: Json) -> Json:
    """The same message without what not every Teams takes."""
    return {key: value for key, value in posted.items() if key not in {"channelData", "entities"}}


def card_message(card: Json, summary: str) -> Json:
    """A card that is no answer, as a message. The summary is what a notification shows."""
    return {"type": "message", "summary": clip(one_line(summary), _MAX_SUMMARY) or "…", "attachments": [attached(card)]}


def attached(card: Json) -> Json:
    """A card as an attachment of a message."""
    return {"contentType": CARD, "content": card}


def text_message(text: str, source: Card | None = None) -> Json:
    """A sentence of our own, and where it comes from. Teams reads HTML in a message, so none of it may be live."""
    said = html.escape(clip(clean(text).strip(), _MAX_TEXT), quote=False) or "…"
    made = {"type": "message", "textFormat": "markdown", "text": said}
    return made | {"text": f"{said} [1]", "entities": [_citation(source)]} if source else made


def summary(answer: Answer) -> str:
    """The answer in a line, for notifications and for clients that show no cards."""
    said = plain(answer.message)
    if answer.card:
        said = " ".join(filter(None, (said, ": ".join(filter(None, (one_line(answer.card.title), gist(answer.card)))))))
    return clip(said or one_line(answer.bridge) or "…", _MAX_SUMMARY)


def gist(card: Card) -> str:
    """What matters most of it, in a line."""
    parts = sorted(card.first, key=lambda part: part.kind is not Kind.VERDICT)
    return next(filter(None, (plain(part.text) for part in parts)), "")


def _besides(answer: Answer) -> Json:
    """Teams' own thumbs, and the article as the source."""
    if not answer.card or not answer.id or answer.outcome in _NOTHING_TO_ADD:
        return {}
    return {"channelData": {"feedbackLoop": {"type": "default"}}, "entities": [_citation(answer.card)]}


def _citation(card: Card) -> Json:
    """The article that it says. Without an AI label: those are its authors' own words."""
    title, topic, url = one_line(card.title), one_line(card.topic), safe_url(card.url)
    document = {
        "@type": "DigitalDocument",
        "name": clip(title, _MAX_CITED) or "…",
        "abstract": clip(gist(card) or title, _MAX_ABSTRACT) or "…",
    }
    document |= {"url": url} if url.lower().startswith(("http://", "https://")) else {}
    cited: Json = document | ({"keywords": [clip(topic, _MAX_KEYWORD)]} if topic else {})
    return {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
        "@id": "",
        "citation": [{"@type": "Claim", "position": 1, "appearance": cited}],
    }


# -- the card ---------------------------------------------------------------------------------------------------------
def answer_card(
    answer: Answer,
    shown: Shown = AT_FIRST,
    where: Where = Where.DIRECT,
    *,
    notice: str = "",
    room: int = MAX_CARD,
) -> Json:
    """All that an answer says and offers, always in the same places; `notice` is said above it.

    It takes no more than `room`. What lies under More goes first, then the end of what is in sight; never the source
    and the buttons.
    """
    if where is Where.INSERTED:
        answer, shown = _on_its_own(answer), AT_FIRST
    shown = _on_the_way(answer, shown)
    card = adaptive_card(answer.language, summary(answer), list(_below(answer, shown)), _actions(answer, shown, where))
    whole = list(_whole(answer, shown))
    more, less = (rows([toggle(say(f"button.{name}", answer.language), "brief", "whole")]) for name in ("more", "less"))
    folds = [folding("brief", more, is_open=True), folding("whole", less, is_open=False)] if whole else []
    cut = _cut(answer)
    room -= size([card, folds, cut, cut, cut])
    body, room = fitting([*boxed("good", [notice]), *_above(answer, shown)], room, cut)
    brief, room = fitting(list(_brief(answer, shown)), room, cut)
    if folds:
        folds[0]["items"][:0] = brief
        folds[1]["items"][:0], _ = fitting(whole, room, cut)
    card["body"][:0] = [*body, *(folds or brief)]
    return submitting(card) if where is Where.DIALOG else card


def _on_its_own(answer: Answer) -> Answer:
    """The article alone: what is to be tapped, or said to whoever asked, is nothing for who reads it there."""
    return replace(answer, id="", message="", bridge="", alternatives=(), warnings=(), notices=())


def _on_the_way(answer: Answer, shown: Shown) -> Shown:
    """At a step that there is, an article may have become shorter; showing what can be shown."""
    steps = len(answer.card.walk) if answer.card else 0
    view = shown.view if answer.card and fits(answer.id) else View.ANSWER
    return Shown(max(0, min(shown.step, steps - 1)), view, shown.back if fits(shown.back) else "")


def _above(answer: Answer, shown: Shown) -> Iterator[Json]:
    """Everything before the article itself."""
    if answer.card and shown.view is View.COPY:
        yield from _heading(answer.card)
        key = "teams.copy" if any(map(plain, answer.card.say)) else "teams.copy_none"
        yield from small(say(key, answer.language))
        return
    yield from boxed("accent", answer.notices)
    yield from boxed("warning", answer.warnings)
    yield from markdown_elements(answer.message)
    if answer.card:
        yield from _alternatives(answer)
        yield from _heading(answer.card)
        yield from _tag(answer, answer.card)
        for note in answer.card.notes:
            yield from markdown_elements(note)
        changed = answer.card.changed.strip()
        yield from markdown_elements(f"{Moment.CHANGE.sign} {changed}", size="Small") if changed else ()
    else:
        yield from _meanwhile(answer)
        yield from _alternatives(answer)


def _heading(card: Card) -> list[Json]:
    """With a sign that stands out when lives may be at stake."""
    title = f"🚨 {card.title}" if card.critical and card.title.strip() else card.title
    return sentence_elements(title, weight="Bolder", size="Large", style="heading", spacing="Medium")


def _tag(answer: Answer, card: Card) -> list[Json]:
    """The moment in a word, and a warning when lives may be at stake."""
    moment = f"{answer.moment.sign} {say(f'moment.{answer.moment}', answer.language)}" if answer.moment else ""
    if not card.critical:
        return small(moment, spacing="None")
    danger = Run(say("head.critical", answer.language), bold=True)
    return run_elements((danger, Run(f"  {moment}")) if moment else (danger,), size="Small", spacing="None")


def _brief(answer: Answer, shown: Shown) -> Iterator[Json]:
    """What is in sight of the article: the first screen, or one step of it."""
    if not answer.card:
        return
    if shown.view is View.COPY:
        yield from (box("emphasis", frame) for text in answer.card.say if (frame := _frame(text)))
        return
    walked = _walked(answer, answer.card)
    for place, part in enumerate(answer.card.first):
        yield from _step(answer, answer.card, shown, part) if place == walked else _part(part)


def _whole(answer: Answer, shown: Shown) -> Iterator[Json]:
    """All of the article, where that is more than is in sight."""
    card = answer.card
    if card and shown.view is View.ANSWER and (card.more or _walked(answer, card) is not None):
        for part in everything(card):
            yield from _part(part)


def _part(part: Part) -> list[Json]:
    """A section as it reads. The verdict needs no heading; what to say to the customer stands apart from the rest."""
    text = markdown_elements(part.text, **({"weight": "Bolder"} if part.kind is Kind.VERDICT else {}))
    if part.kind is Kind.VERDICT or not text:
        return [*text, *small(part.below)]
    if part.kind is Kind.SAY:
        return [box("emphasis", [*_head_of(part), *text]), *small(part.below)]
    return [*_head_of(part), *text, *small(part.below)]


def _head_of(part: Part) -> list[Json]:
    return sentence_elements(part.heading, weight="Bolder", spacing="Medium")


def _below(answer: Answer, shown: Shown) -> Iterator[Json]:
    """Where it comes from and how fresh it is, the moments to choose from when somebody wants to, and the way back.

    That has a row of its own: with one button more, those below would be cut short on a phone.
    """
    if answer.card and shown.view is not View.COPY:
        yield from _origin(answer.card, answer.language)
    if answer.card and shown.view is View.SHAPES:
        yield from sentence_elements(say("reshape.what", answer.language), weight="Bolder", spacing="Medium")
        yield from rows(
            _tap(answer, shown, f"reshape.{moment}", "reshape", moment=moment.value)
            for moment in _other_moments(answer, answer.card)
        )
    yield from rows(_back(answer, shown))


def _back(answer: Answer, shown: Shown) -> Iterator[Json]:
    """To what stood there before."""
    if shown.view is not View.ANSWER:
        yield _show(answer, shown, "button.back")
    elif shown.back:
        data = {"answer_id": shown.back, "view": View.ANSWER.value}
        yield execute(say("button.back", answer.language), "show", answer.language, **data)


def _origin(card: Card, language: Language) -> list[Json]:
    source = clip(one_line(card.source), _MAX_SOURCE)
    runs = [Run(f"⚠️ {source}" if card.stale else source)] if source else []
    for key, link in (("source.link", card.url), ("source.training", card.training)):
        if link.strip():
            url, name = safe_url(link), say(key, language)
            runs += [Run(" · ")] if runs else []
            runs.append(Run(name, url=url) if url else Run(f"{name}: {clip(one_line(link), MAX_BUTTON)}"))
    return run_elements(tuple(runs), size="Small", isSubtle=True, spacing="Medium") if runs else []


def _cut(answer: Answer) -> list[Json]:
    """What stands where the rest would not fit."""
    url = safe_url(answer.card.url) if answer.card else ""
    link = (Run(" "), Run(say("source.link", answer.language), url=url)) if url else ()
    return run_elements((Run(say("answer.cut", answer.language)), *link), isSubtle=True)


# -- what is said to the customer -------------------------------------------------------------------------------------
def _meanwhile(answer: Answer) -> Iterator[Json]:
    """What to tell the customer while somebody looks on."""
    above, said = spoken(answer.bridge)
    yield from sentence_elements(above)
    yield from boxed("emphasis", [said])
    yield from small(_danger(answer))


def _danger(answer: Answer) -> str:
    return say("answer.danger", answer.language) if answer.bridge.strip() else ""


def _frame(markdown: str) -> list[Json]:
    """A sentence to copy, without formatting or quotation marks; for whom it is stands above it."""
    above, said = spoken("\n".join(filter(str.strip, plain_lines(markdown))))
    lines = [line.strip() for line in unquoted(said).split("\n") if line.strip()]
    return [*small(above), *(element for line in lines for element in run_elements((Run(line),)))]


# -- what can be tapped -----------------------------------------------------------------------------------------------
def _alternatives(answer: Answer) -> Iterator[Json]:
    """Titles for whoever meant something else: none with an answer that is sure, where they would only raise doubt."""
    siblings: Sequence[Suggestion] = () if answer.card and not answer.message else answer.alternatives
    found = list(title_buttons(siblings[:_MAX_ALTERNATIVES], answer.language, **_from(answer)))
    if found and not answer.card:  # a likely answer asks itself
        yield from small(say("head.nearest", answer.language), spacing="Medium")
    yield from column(found)


def title_buttons(titles: Sequence[Suggestion], language: Language, *, words: str = "", **data: str) -> Iterator[Json]:
    """Titles one tap away, told in `language`; `words` instead where the title stands beside the button."""
    for other in titles:
        if fits(other.article_id):
            title = words or other.title or other.article_id
            yield execute(title, "open", language, article_id=other.article_id, **data)


def _from(answer: Answer) -> dict[str, str]:
    """What another article is opened with: the same moment, and the way back."""
    return _moment(answer) | ({"from": answer.id} if fits(answer.id) else {})


def _actions(answer: Answer, shown: Shown, where: Where) -> list[Json]:
    """Not right, a coach, and the rest behind three dots."""
    if shown.view is not View.ANSWER:
        return []
    coach = _tap(answer, shown, "button.coach", "coach")
    if not answer.card or not fits(answer.id) or answer.outcome in _NOTHING_TO_ADD:
        return [coach] if _has_coach(answer) else []
    coaches = [] if _is_stuck(answer, answer.card, shown) else [coach]
    return [_wrong(answer, shown), *coaches, *map(behind, _menu(answer, answer.card, shown, where))]


def _has_coach(answer: Answer) -> bool:
    """Whether a coach is asked where no article is."""
    return not answer.card and answer.outcome is Outcome.UNANSWERED and fits(answer.id)


def _menu(answer: Answer, card: Card, shown: Shown, where: Where) -> Iterator[Json]:
    if _other_moments(answer, card):
        yield _show(answer, shown, "reshape.ask", view=View.SHAPES)
    if card.say:
        yield _show(answer, shown, "button.copy", view=View.COPY)
    if where is Where.SHARED:
        yield _tap(answer, shown, "teams.privately", "private")
    yield _tap(answer, shown, "button.later", "later")


def _wrong(answer: Answer, shown: Shown) -> Json:
    asked = sentence_elements(say("feedback.ask", answer.language))
    buttons = [_tap(answer, shown, f"feedback.reasons.{reason}", "wrong", reason=reason) for reason in reasons("nl")]
    card = {"type": "AdaptiveCard", "body": [*asked, *rows(buttons)]}
    return {"type": "Action.ShowCard", "title": say("button.wrong", answer.language), "card": card}


def _other_moments(answer: Answer, card: Card) -> list[Moment]:
    return [moment for moment in card.moments if moment is not (answer.moment or Moment.APPLY)]


def _tap(answer: Answer, shown: Shown, key: str, verb: str, **data: str) -> Json:
    """A button about this answer as it stands there."""
    standing = {"answer_id": answer.id} | _moment(answer)
    standing |= {"step": str(shown.step)} if shown.step else {}
    standing |= {"back": shown.back} if shown.back else {}
    return execute(say(key, answer.language), verb, answer.language, **standing | data)


def _show(answer: Answer, shown: Shown, key: str, *, step: int | None = None, view: View = View.ANSWER) -> Json:
    """A button that shows the same answer another way. Where it leads is said in full: tapped twice, it leads there."""
    at = shown.step if step is None else step
    return _tap(answer, shown, key, "show", step=str(at), view=view.value)


def _moment(answer: Answer) -> dict[str, str]:
    return {"moment": answer.moment.value} if answer.moment else {}


# -- step by step -----------------------------------------------------------------------------------------------------
def _walked(answer: Answer, card: Card) -> int | None:
    """Which part is taken step by step, if any."""
    if not (fits(answer.id) and card.walk and card.walked):
        return None
    return next((place for place, part in enumerate(card.first) if part.kind is card.walked), None)


def _step(answer: Answer, card: Card, shown: Shown, part: Part) -> Iterator[Json]:
    at = say("steps.at", answer.language, step=str(shown.step + 1), all=str(len(card.walk)))
    yield from _head_of(part)
    yield from small(at, spacing="None")
    yield from markdown_elements(card.walk[shown.step])
    yield from rows(_way_through(answer, card, shown))


def _way_through(answer: Answer, card: Card, shown: Shown) -> Iterator[Json]:
    """Steps go back and forth until they are done. Of checks, the one that works is the last.

    The way back comes last, so that the others stay where they are.
    """
    last, solving = shown.step == len(card.walk) - 1, answer.moment is Moment.SOLVE
    if solving or last:
        yield _tap(answer, shown, "steps.works" if solving else "steps.done", "done", step=str(shown.step))
    if not last:
        yield _show(answer, shown, "steps.fails" if solving else "steps.next", step=shown.step + 1)
    elif solving:
        yield _tap(answer, shown, "steps.stuck", "coach")
    if shown.step:
        yield _show(answer, shown, "steps.back", step=shown.step - 1)


def _is_stuck(answer: Answer, card: Card, shown: Shown) -> bool:
    """At the last of the checks, where a coach is a way on already."""
    last = shown.step == len(card.walk) - 1
    return last and answer.moment is Moment.SOLVE and _walked(answer, card) is not None
