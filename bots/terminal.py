"""The terminal as a surface: one answer in plain, coloured text."""

import getpass
import os
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.segment import Segment
from rich.text import Text

from bots.console import printable
from core.desk import Desk
from core.errors import NotFoundError
from core.model import Answer, Card, Person, Question
from core.store import Identity
from core.words import say
from knowledge.article import Kind, Language
from knowledge.shape import Part

_LOUD = {Kind.VERDICT: "bold", Kind.SAY: "italic", Kind.IDENTIFY: "dim"}


def render(answer: Answer, *, more: bool = False) -> RenderableType:
    """An answer for the screen; `more` opens what waits behind the first screen."""
    lines: list[RenderableType] = [Text(said, style="yellow") for said in (*answer.notices, *answer.warnings)]
    if answer.message:
        lines.append(Markdown(answer.message))
    if answer.card:
        lines += _card(answer.card, answer, more=more)
    if answer.bridge:
        lines.append(Text(answer.bridge, style="italic"))
        lines.append(Text(say("answer.danger", answer.language), style="dim"))
    lines += _alternatives(answer)
    return _Printable(Group(*lines))


class _Printable:
    """Whatever stands in an article, nothing of it steers the terminal."""

    def __init__(self, inside: RenderableType) -> None:
        self._inside = inside

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self._inside, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def _card(card: Card, answer: Answer, *, more: bool) -> Iterator[RenderableType]:
    speak = answer.language
    if answer.moment:
        yield Text(f"{answer.moment.sign} {say(f'moment.{answer.moment}', speak)}", style="cyan")
    yield Text(card.title, style="bold underline")
    if card.critical:
        yield Text(f"⚠ {say('head.critical', speak)}", style="bold red")
    for note in filter(None, (*card.notes, card.changed)):
        yield Text(note, style="yellow")
    for part in card.first:
        yield from _part(part)
    if more and card.more:
        yield Rule(say("button.more", speak), align="left", style="dim")
        for part in card.more:
            yield from _part(part)
    yield Text(card.source, style="dim")
    for key, link in (("source.training", card.training), ("source.link", card.url)):
        if link:
            yield Text(f"{say(key, speak)}: {link}", style="dim")


def _part(part: Part) -> Iterator[RenderableType]:
    if part.heading and part.kind is not Kind.VERDICT:
        yield Text(part.heading, style="bold green")
    yield Padding(Markdown(part.text, style=_LOUD.get(part.kind, "") if part.kind else ""), (0, 0, 0, 2))
    if part.below:
        yield Text(part.below, style="dim")


def _alternatives(answer: Answer) -> Iterator[RenderableType]:
    if not answer.alternatives:
        return
    yield Text(say("head.also" if answer.card else "head.nearest", answer.language), style="dim")
    for number, other in enumerate(answer.alternatives, 1):
        yield Text(f"  [{number}] {other.title}")


class Chat:
    """A conversation in the terminal: questions, `m` for more, a number for a title, `q` to leave."""

    def __init__(self, desk: Desk, person: Person, console: Console, language: Language) -> None:
        """Starts with nothing to open."""
        self._desk = desk
        self._person = person
        self._console = console
        self._language = language
        self._last: Answer | None = None

    def run(self) -> None:
        """Until `q`, Ctrl-D or Ctrl-C."""
        self._console.print(say("help.text", self._language, example=say("help.example", self._language)))
        self._console.print(say("terminal.keys", self._language), style="dim")
        while True:
            try:
                text = self._console.input("[bold]> [/bold]")
            except (EOFError, KeyboardInterrupt):
                self._console.print()
                return
            if text.strip() == "q":
                return
            self._console.print(self.reply(text))

    def reply(self, text: str) -> RenderableType:
        """What to show for one line typed."""
        typed = text.strip()
        last = self._last
        if last and typed in {"m", say("button.more", last.language).casefold()}:
            return render(last, more=True)
        if last and typed.isdecimal() and 0 < int(typed) <= len(last.alternatives):
            return self._open(last, int(typed))
        answer = self._desk.ask(Question(text, self._person))
        if answer.card or answer.alternatives:
            self._last = answer
        return render(answer)

    def _open(self, last: Answer, number: int) -> RenderableType:
        try:
            self._last = self._desk.open(last.alternatives[number - 1].article_id, self._person, language=last.language)
        except NotFoundError:
            return Text(say("answer.gone", last.language))
        return render(self._last)


def person(desk: Desk) -> Person:
    """Whoever sits at this keyboard."""
    return desk.person(Identity("terminal", "", user()))


def user() -> str:
    """What this machine calls them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container, a user id may have no name
        return str(os.getuid())
