"""`bijdehand coach` and `bijdehand changes`: what coaches do, from the command line."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bots import console
from bots.console import Exit, Json
from core.errors import BijdehandError

if TYPE_CHECKING:
    from core.desk import Desk
    from core.loop import OpenQuestion
    from core.model import Person
    from core.store import Store
    from knowledge.article import Article

app = typer.Typer(help="Open questions, and answering them.", no_args_is_help=True)
changes_app = typer.Typer(help="What was announced, and how far it landed.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="As `coach queue` shows it.")]
ArticleId = Annotated[str, typer.Argument(help="As `articles list` shows it.")]


# -- open questions ----------------------------------------------------------------------------------------------------
@app.command("queue")
def queue(*, as_json: Json = False) -> None:
    """The questions that wait for a coach, the weightiest first. Nobody's name is in it."""
    desk = _desk()
    rows = [_row(one) for one in desk.questions.waiting()]
    desk.store.close()
    if as_json:
        console.print_json(rows)
    else:
        console.table(rows, ("id", "question", "people", "asked", "why", "state", "since"))


@app.command("take")
def take(number: Number) -> None:
    """Tell other coaches that you are on it."""
    from core.loop import State

    desk = _desk()
    person = _signed(desk)
    taken = desk.store.move(number, State.TAKEN, desk.now(), coach_id=person.id)
    other = desk.store.question(number)
    desk.store.close()
    if not taken:
        raise BijdehandError(f"Question {number} is with {other.coach_name or 'another coach'} already.")
    console.line(f"Question {number} is yours: {other.answer.question}")


@app.command("answer")
def answer(
    number: Number,
    *,
    file: Annotated[Path | None, typer.Option(help="What to answer, as text or Markdown; else standard input.")] = None,
    article: Annotated[str, typer.Option(help="The answer is in this article already: its id.")] = "",
) -> None:
    """Answer a question: it is live at once, and everybody who asked is told where they asked."""
    from dataclasses import replace

    desk = _desk()
    person = _signed(desk)
    question = desk.store.question(number)
    wordings = list(dict.fromkeys(one.answer.question for one in question.requests))
    if article:
        found = _mine(desk.store, article)
        known = {text.casefold() for text in (found.title, *found.aliases)}
        fresh = tuple(text for text in wordings if text.casefold() not in known)
        made, what = replace(found, aliases=(*found.aliases, *fresh)), "edited"
    else:
        made, what = _quick(desk, wordings, _text(file), person), "added"
    _publish(desk, made, what, person, question_id=number)
    console.line(f"{made.id}: whoever asked is told.")


@app.command("decline")
def decline(
    number: Number, reason: Annotated[str, typer.Argument(help="What everybody gets to read who asked.")]
) -> None:
    """Close a question without an answer, and tell why."""
    from core.loop import State
    from core.store.coaching import Told

    desk = _desk()
    person = _signed(desk)
    question = desk.store.question(number)
    told = [Told("declined", str(number), tuple({one.by for one in question.requests}))]
    note = desk.scrub(reason)
    moved = desk.store.move(number, State.DECLINED, desk.now(), coach_id=person.id, note=note, told=told)
    desk.store.close()
    if not moved:
        raise BijdehandError(f"Question {number} is closed, or with another coach.")
    console.line(f"Question {number} is closed; whoever asked is told why.")


# -- articles ----------------------------------------------------------------------------------------------------------
def add(
    question: Annotated[list[str], typer.Argument(help="How people ask for it; the first is the title.")],
    *,
    file: Annotated[Path | None, typer.Option(help="What to answer, as text or Markdown; else standard input.")] = None,
) -> None:
    """Add a quick answer: live at once, marked, to be checked within five working days."""
    desk = _desk()
    person = _signed(desk)
    made = _quick(desk, question, _text(file), person)
    _publish(desk, made, "added", person)
    console.line(made.id)


def edit(article_id: ArticleId) -> None:
    """Edit an article as Markdown in your editor ($VISUAL or $EDITOR)."""
    from dataclasses import replace

    import click

    from knowledge.markdown import dump, parse

    desk = _desk()
    person = _signed(desk)
    found = _mine(desk.store, article_id)
    before = dump(found, timezone=desk.zone)
    after = click.edit(before, extension=".md") if sys.stdin.isatty() else sys.stdin.read()
    if not after or after == before:
        desk.store.close()
        console.line("Nothing was changed.")
        return
    made = parse(after, fallback_id=found.id, language=found.language, timezone=desk.zone)
    if made.id != found.id:
        raise BijdehandError("An article keeps its id. Add a new one instead.")
    _publish(desk, replace(made, version=found.version), "edited", person)
    console.line(f"{found.id} is changed.")


def verify(ids: Annotated[list[str], typer.Argument(help="Ids of articles that are still right.")]) -> None:
    """Say that articles are still right, as of today."""
    from dataclasses import replace

    desk = _desk()
    person = _signed(desk)
    for found in [_mine(desk.store, one) for one in ids]:
        checked = replace(found, verified=desk.today(), check_by=None, verify_every=found.verify_every or 180)
        _save(desk, checked, "verified", person)
    desk.store.close()
    console.line(f"{len(ids)} checked.")


def retire(ids: Annotated[list[str], typer.Argument(help="Ids of articles that are to be shown no more.")]) -> None:
    """Show articles no more; `restore` brings them back."""
    from dataclasses import replace

    from knowledge.article import Status

    desk = _desk()
    person = _signed(desk)
    for found in [_mine(desk.store, one) for one in ids]:
        _save(desk, replace(found, status=Status.RETIRED), "retired", person)
    desk.store.close()
    console.line(f"{len(ids)} retired.")


def history(article_id: ArticleId, *, as_json: Json = False) -> None:
    """Who did what to an article, and when."""
    store = console.store()
    versions = store.versions(article_id)
    store.close()
    if not versions:
        raise BijdehandError(f"There is no article {article_id!r}, and never was.")
    rows = [
        {"version": str(one.number), "what": one.what, "at": one.at.isoformat(timespec="seconds"), "by": one.name}
        for one in versions
    ]
    if as_json:
        console.print_json(rows)
    else:
        console.table(rows, ("version", "what", "at", "by"))


def restore(
    article_id: ArticleId, *, version: Annotated[int, typer.Option(help="As `articles history` shows it.")]
) -> None:
    """Bring an earlier version of an article back, as a new one."""
    from dataclasses import replace

    desk = _desk()
    person = _signed(desk)
    old = next((one for one in desk.store.versions(article_id) if one.number == version), None)
    if old is None:
        raise BijdehandError(f"{article_id} never had a version {version}.")
    now = next((one.version for one in desk.store.articles() if one.id == article_id), 0)
    _must_be_free(old.article)
    _publish(desk, replace(old.article, version=now), "restored", person)
    console.line(f"{article_id} is as it was in version {version}.")


def stale(*, as_json: Json = False) -> None:
    """What should have been checked by now, by how many answers of four weeks rest on it."""
    from core.model import Person

    desk = _desk()
    rows = [
        {
            "id": one.id,
            "title": one.title,
            "owner": one.owner,
            "since": str(one.check_by or one.verified or ""),
            "answers": str(count),
        }
        for one, count in desk.overdue(Person(""))
    ]
    desk.store.close()
    if as_json:
        console.print_json(rows)
    else:
        console.table(rows, ("id", "title", "owner", "since", "answers"))


def duplicates(*, as_json: Json = False) -> None:
    """Articles that are so alike that one of the two may do."""
    from core.likeness import doubles

    desk = _desk()
    found = doubles([one for one in desk.index().articles if one.is_live(desk.now())], desk.embedder)
    desk.store.close()
    rows = [{"id": one.id, "title": one.title, "like": other.id, "other": other.title} for one, other in found]
    if as_json:
        console.print_json(rows)
    else:
        console.table(rows, ("id", "title", "like", "other"))


# -- changes -----------------------------------------------------------------------------------------------------------
@changes_app.command("list")
def changes_list(*, as_json: Json = False) -> None:
    """What articles say has changed or will, the latest first."""
    store = console.store()
    rows = [
        {"article": one.id, "since": f"{change.since:%Y-%m-%d}", "new": change.new, "loudness": change.loudness}
        for one in store.articles()
        for change in one.changes
    ]
    store.close()
    rows.sort(key=lambda row: row["since"], reverse=True)
    if as_json:
        console.print_json(rows)
    else:
        console.table(rows, ("article", "since", "loudness", "new"))


@changes_app.command("status")
def changes_status(*, as_json: Json = False) -> None:
    """How many were told of each announcement and read it; counts only, and none below five people."""
    from core.coach_changes import ENOUGH

    store = console.store()
    rows = [
        {
            "id": str(one.id),
            "article": one.article_id,
            "since": f"{one.since:%Y-%m-%d}",
            "told": str(one.told) if one.told >= ENOUGH else f"< {ENOUGH}",
            "read": str(one.read) if one.told >= ENOUGH else "",
            "questions": str(one.asked) if one.told >= ENOUGH else "",
        }
        for one in store.announcements()
    ]
    store.close()
    if as_json:
        console.print_json(rows)
    else:
        console.table(rows, ("id", "article", "since", "told", "read", "questions"))


# -- pieces ------------------------------------------------------------------------------------------------------------
def _desk() -> "Desk":
    from core import boot

    return boot.open_desk(console.settings(), progress=console.note)


def _row(one: "OpenQuestion") -> dict[str, str]:
    return {
        "id": str(one.id),
        "question": one.answer.question,
        "people": str(one.people),
        "asked": str(len(one.requests)),
        "why": ", ".join(dict.fromkeys(request.why for request in one.requests)),
        "state": str(one.state),
        "since": one.at.isoformat(timespec="minutes"),
    }


def _signed(desk: "Desk") -> "Person":
    """Whoever sits at this keyboard, by the name they have on this machine."""
    from bots.terminal import person, user

    found = person(desk)
    desk.store.sign(found.id, user())
    return found


def _mine(store: "Store", article_id: str) -> "Article":
    """An article that one person may change."""
    found = store.article(article_id)
    _must_be_free(found)
    return found


def _must_be_free(article: "Article") -> None:
    if article.critical:
        way = "Change it in its file and import that, or in the chat, where a second coach agrees."
        raise BijdehandError(f"{article.id} is a safety article, which takes two. {way}")


def _text(file: Path | None) -> str:
    text = file.read_text(encoding="utf-8-sig") if file else sys.stdin.read()
    if not text.strip():
        raise BijdehandError("There is nothing in the answer. Write some text.")
    return text


def _quick(desk: "Desk", wordings: list[str], text: str, person: "Person") -> "Article":
    """A quick answer, made as the form in the chat makes it."""
    from dataclasses import replace

    from bots.terminal import user
    from core.form import FormError, article_from, from_quick, new_id, quick

    if found := desk.found_in(text):
        raise BijdehandError(f"There is customer data in it ({', '.join(dict.fromkeys(found))}). Take it out.")
    filled = from_quick({"answer": text, "wordings": "\n".join(wordings)})
    taken = [one.id for one in desk.store.articles()]
    try:
        made = article_from(
            filled, None, article_id=new_id(filled["title"], taken), language=desk.language, zone=desk.zone
        )
    except FormError as error:
        raise BijdehandError(f"The answer cannot be saved: {error}.") from error
    return replace(quick(made, user(), desk.today()), topic=desk.topic_of(made))


def _publish(desk: "Desk", article: "Article", what: str, person: "Person", *, question_id: int | None = None) -> None:
    _save(desk, article, what, person, question_id=question_id)
    desk.store.close()


def _save(desk: "Desk", article: "Article", what: str, person: "Person", *, question_id: int | None = None) -> None:
    if not desk.publish(article, what, person.id, question_id=question_id):
        console.line(f"{article.id} was changed meanwhile, so nothing was saved. Try again.", on=console.err)
        raise typer.Exit(Exit.CANNOT)


def add_to(articles: typer.Typer) -> None:
    """What there is to do with an article, beside looking at it."""
    for command in (add, edit, verify, retire, history, restore, stale, duplicates):
        articles.command()(command)
