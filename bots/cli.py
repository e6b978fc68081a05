"""`bijdehand`: the command line, for admins and for trying things out.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

import logging
import sys
from collections.abc import Iterable
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from core.errors import BijdehandError
from knowledge.errors import ArticleError

if TYPE_CHECKING:
    from core.embed import Embedder
    from core.library import Progress, Shelved
    from core.settings import Settings
    from core.store import Store
    from knowledge.article import Article

app = typer.Typer(
    help="Just-in-time help for contact-centre agents.", no_args_is_help=True, pretty_exceptions_enable=False
)
articles_app = typer.Typer(help="Look at the articles.", no_args_is_help=True)
people_app = typer.Typer(help="Who is coach, admin or in an audience.", no_args_is_help=True)
evaluate_app = typer.Typer(help="Measure on labelled questions.", no_args_is_help=True)
app.add_typer(articles_app, name="articles")
app.add_typer(people_app, name="people")
app.add_typer(evaluate_app, name="evaluate")

out = Console()
err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
Paths = Annotated[list[Path], typer.Argument(help="Files or folders: .md .csv .jsonl .html")]


class Exit:
    """What the exit codes mean; 2 is a wrong command line."""

    TO_MEND = 1  # something was found that wants mending
    NO_ANSWER = 3
    CANNOT = 4  # a setting, file, model or database stands in the way


def main() -> None:
    """Run a command; what stands in the way becomes a sentence, and the traceback stays in the log."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        app()
    except (BijdehandError, ArticleError) as error:
        logging.getLogger(__name__).debug("stopped", exc_info=True)
        err.print(f"[bold red]{type(error).__name__.removesuffix('Error')}:[/] ", end="")
        err.print(str(error), markup=False, highlight=False)
        sys.exit(Exit.CANNOT)
    except Exception:  # noqa: BLE001 - the last resort, and nothing is swallowed
        err.print(f"Something broke that should not have. The details are in {_keep_traceback()}.", highlight=False)
        sys.exit(Exit.CANNOT)


def _keep_traceback() -> Path:
    import traceback
    from datetime import UTC, datetime

    import platformdirs

    path = platformdirs.user_log_path("bijdehand", ensure_exists=True) / "errors.log"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC).isoformat()} {traceback.format_exc()}\n")
    return path


# -- starting --------------------------------------------------------------------------------------------------------
@app.command()
def init(
    *, demo: Annotated[bool, typer.Option("--demo/--empty", help="With the starter knowledge, or without.")] = True
) -> None:
    """Prepare the model and the database, once. Seeds go only into an empty database."""
    from core import boot

    settings = _settings()
    embedder = _embedder(settings)
    boot.make_moments(settings, embedder)
    store = boot.make_store(settings)
    there = len(store.articles())
    if there:
        out.print(f"{there} articles are there already: nothing added. Database: {settings.database}")
    elif demo:
        from core.library import shelve

        found = _read([boot.SEEDS / "articles"])
        with _bar("Starter knowledge") as progress:
            _tell(shelve(store, embedder, found, progress=progress))
    else:
        out.print(f"An empty database stands ready: {settings.database}")
    store.close()


@app.command()
def serve() -> None:
    """Serve the web chat, and Slack and Teams where they are configured."""
    import asyncio

    from bots.serve import serve as run
    from core import boot
    from core.words import say

    logging.getLogger().setLevel(logging.INFO)
    settings = _settings()
    desk = boot.open_desk(settings, progress=_note)
    if not desk.store.articles():
        out.print("There are no articles yet. Run: bijdehand init --demo, or: bijdehand import FOLDER")

    def tell(line: str) -> None:
        out.print(line, markup=False, highlight=False)

    example = say("help.example", settings.language)
    tell(f"Bijdehand is listening. Try: {example}")
    try:
        asyncio.run(run(desk, settings, tell=tell))
    finally:
        desk.store.close()


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="In Dutch or English, the way you would ask a colleague.")],
    *,
    more: Annotated[bool, typer.Option(help="Show what waits behind the first screen too.")] = False,
    as_json: Json = False,
) -> None:
    """Answer one question. Exit code 3: no answer was found."""
    from bots.terminal import person, render
    from core import boot
    from core.model import Outcome, Question

    desk = boot.open_desk(_settings(), progress=_note)
    answer = desk.ask(Question(question, person(desk)))
    if as_json:
        _print_json(answer)
    else:
        out.print(render(answer, more=more))
    desk.store.close()
    if answer.outcome is Outcome.FAILED:
        raise typer.Exit(Exit.CANNOT)
    if answer.outcome is Outcome.UNANSWERED:
        raise typer.Exit(Exit.NO_ANSWER)


@app.command()
def chat() -> None:
    """Talk with Bijdehand in the terminal."""
    from bots.terminal import Chat, person
    from core import boot

    settings = _settings()
    desk = boot.open_desk(settings, progress=_note)
    Chat(desk, person(desk), out, settings.language).run()
    desk.store.close()


# -- knowledge -------------------------------------------------------------------------------------------------------
@app.command("import")
def import_(
    paths: Paths,
    *,
    prune: Annotated[bool, typer.Option(help="Remove articles that these paths do not hold.")] = False,
) -> None:
    """Add or update articles by id. Nothing is written when any file cannot be read."""
    from core import boot
    from core.library import prune as remove
    from core.library import shelve

    found = _read(paths)
    settings = _settings()
    store = boot.make_store(settings)
    with _bar("Articles") as progress:
        done = shelve(store, _embedder(settings), found, progress=progress)
    _tell(done, removed=remove(store, {article.id for article in found}) if prune else 0)
    store.close()


@app.command()
def reindex() -> None:
    """Embed whatever the present model has not embedded yet; unchanged texts cost nothing."""
    from core import boot
    from core.library import shelve

    settings = _settings()
    store = boot.make_store(settings)
    with _bar("Articles") as progress:
        _tell(shelve(store, _embedder(settings), store.articles(), progress=progress))
    store.close()


@app.command()
def lint(paths: Paths, *, as_json: Json = False) -> None:
    """Check articles before agents read them. Exit code 1: there are errors."""
    from datetime import UTC, datetime

    from knowledge.lint import lint as check

    zone = _settings().zone
    findings = check(paths, now=datetime.now(UTC), timezone=zone)
    if as_json:
        _print_json(findings)
    else:
        for finding in findings:
            out.print(str(finding), markup=False, highlight=False, soft_wrap=True)
        out.print(f"{len(findings)} findings")
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(Exit.TO_MEND)


@articles_app.command("list")
def articles_list(*, as_json: Json = False) -> None:
    """All articles with their language, topic, status and date of checking."""
    store = _store()
    found = store.articles()
    store.close()
    if as_json:
        _print_json([_row(article) for article in found])
        return
    _table([_row(article) for article in found], ("id", "title", "language", "topic", "status", "verified"))


@articles_app.command("show")
def articles_show(
    article_id: Annotated[str, typer.Argument(help="As `articles list` shows it.")], *, as_json: Json = False
) -> None:
    """One article as Markdown, with its front matter."""
    from knowledge.markdown import dump

    store = _store()
    article = store.article(article_id)
    store.close()
    if as_json:
        _print_json(article)
    else:
        out.print(dump(article, timezone=_settings().zone), markup=False, highlight=False, soft_wrap=True)


# -- people ------------------------------------------------------------------------------------------------------------
class RoleName(StrEnum):
    """The roles, rising."""

    AGENT = "agent"
    COACH = "coach"
    ADMIN = "admin"


@people_app.command("add")
def people_add(
    surface: Annotated[Literal["slack", "teams", "web", "terminal"], typer.Argument(help="Where they talk with us.")],
    user: Annotated[str, typer.Argument(help="Their id there: Slack's U…, Teams' Entra object id.")],
    *,
    team: Annotated[str, typer.Option(help="Slack workspace or Teams tenant id.")] = "",
    role: Annotated[RoleName | None, typer.Option(help="What they may do.")] = None,
    audience: Annotated[list[str] | None, typer.Option(help="May see articles for this audience; repeat it.")] = None,
    level: Annotated[str | None, typer.Option(help="Whose mandate they see: junior, medewerker, senior.")] = None,
) -> None:
    """Give somebody a role, audiences or a level; what is not given stays as it was."""
    from core.model import Role
    from core.store import Identity

    store = _store()
    person = store.set_person(
        Identity(surface, team, user),
        role=Role(role.value) if role else None,
        audience=audience,
        level=level,
    )
    store.close()
    out.print(f"{user} on {surface} is {person.role} now.")


@people_app.command("list")
def people_list(*, as_json: Json = False) -> None:
    """Everybody who has talked with us or was added."""
    store = _store()
    rows = [
        {
            "surface": identity.surface,
            "team": identity.team,
            "user": identity.user,
            "role": str(person.role),
            "audience": ", ".join(person.audience),
            "level": person.level,
        }
        for identity, person in store.people()
    ]
    store.close()
    if as_json:
        _print_json(rows)
    else:
        _table(rows, ("surface", "team", "user", "role", "audience", "level"))


# -- looking after it ----------------------------------------------------------------------------------------------------
@app.command()
def doctor(*, as_json: Json = False) -> None:
    """What is configured, reachable, stale or missing, and what to do. Exit code 1: something fails."""
    from datetime import UTC, datetime

    from core import boot
    from core.doctor import State, examine

    settings = _settings()
    checks = list(
        examine(
            settings,
            open_store=lambda: boot.make_store(settings),
            open_embedder=lambda: _embedder(settings),
            now=datetime.now(UTC),
        )
    )
    if as_json:
        _print_json(checks)
    else:
        style = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red", State.OFF: "dim"}
        for check in checks:
            out.print(f"[{style[check.state]}]{check.state:<5}[/] {check.name:<9} ", end="")
            todo = f" ({check.todo})" if check.todo else ""
            out.print(check.found + todo, markup=False, highlight=False, soft_wrap=True)
    if any(check.state is State.FAIL for check in checks):
        raise typer.Exit(Exit.TO_MEND)


@evaluate_app.command("retrieval")
def evaluate_retrieval(
    *,
    articles: Annotated[Path, typer.Option(help="JSON lines {id, title, text, lang}.")],
    queries: Annotated[Path, typer.Option(help="JSON lines {id, text, lang}.")],
    qrels: Annotated[Path, typer.Option(help="Lines query<TAB>article<TAB>1.")],
    no_answer: Annotated[Path | None, typer.Option(help="Questions that no article answers.")] = None,
    select: Annotated[str, typer.Option(help="Only query ids that fit this pattern.")] = "*",
    group_by: Annotated[str, typer.Option(help="Query field that starts the ids of the articles to search.")] = "",
    as_json: Json = False,
) -> None:
    """Hit rates of BM25, vectors and both, and how well refusing goes."""
    from bots.report import retrieval_tables
    from core import evaluate
    from core.confidence import confidence_for
    from core.vectors import Cached
    from knowledge.readers import read

    settings = _settings()
    with Cached(_embedder(settings), settings.cache / "vectors.db") as embedder, _bar("Articles") as progress:
        report = evaluate.retrieval(
            [one.article for one in read(articles)],
            evaluate.read_queries(queries, select=select, group_by=group_by),
            evaluate.read_qrels(qrels),
            embedder,
            confidence_for(embedder.name),
            no_answer=evaluate.read_queries(no_answer, group_by=group_by) if no_answer else (),
            progress=progress,
        )
    if as_json:
        _print_json(report)
    else:
        out.print(*retrieval_tables(report), sep="\n")


@evaluate_app.command("moments")
def evaluate_moments(
    messages: Annotated[Path, typer.Argument(help="JSON lines {text, lang, moment}; moment may be none.")],
    *,
    as_json: Json = False,
) -> None:
    """How often the moment of need is named right."""
    from bots.report import moments_tables
    from core import boot, moments

    settings = _settings()
    embedder = _embedder(settings)
    report = moments.score(boot.make_moments(settings, embedder), embedder, moments.read_messages(messages))
    if as_json:
        _print_json(report)
    else:
        out.print(*moments_tables(report), sep="\n")


# -- shared ------------------------------------------------------------------------------------------------------------
def _settings() -> "Settings":
    from core.settings import read_settings

    return read_settings()


def _store() -> "Store":
    from core import boot

    return boot.make_store(_settings())


def _embedder(settings: "Settings") -> "Embedder":
    from core import boot

    return boot.make_embedder(settings, progress=_note)


def _read(paths: Iterable[Path]) -> list["Article"]:
    """Every article in these files and folders; one that cannot be read stops it all, and all such are named."""
    from knowledge.readers import read, unique

    zone = _settings().zone
    errors: list[ArticleError] = []
    founds = chain.from_iterable(read(path, timezone=zone, on_error=errors.append) for path in paths)
    articles = [found.article for found in unique(founds, errors.append)]
    for error in errors:
        err.print(str(error), markup=False, highlight=False, soft_wrap=True)
    if errors:
        err.print("Nothing was imported: mend this first.", style="bold red")
        raise typer.Exit(Exit.CANNOT)
    return articles


def _note(message: str) -> None:
    err.print(message, style="dim", markup=False, highlight=False)


def _tell(done: "Shelved", *, removed: int = 0) -> None:
    pruned = f", {removed} removed" if removed else ""
    out.print(f"{done.articles} articles on the shelf, {done.embedded} texts embedded{pruned}.")


class _bar:  # noqa: N801 - reads as a function
    """A progress bar that is a `Progress`."""

    def __init__(self, what: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=err)
        self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> "Progress":
        self._bar.start()
        return lambda done, total: self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _row(article: "Article") -> dict[str, str]:
    return {
        "id": article.id,
        "title": article.title,
        "language": article.language,
        "topic": article.topic,
        "status": str(article.status),
        "verified": str(article.verified or ""),
        "version": str(article.version),
    }


def _table(rows: Iterable[dict[str, str]], columns: Iterable[str]) -> None:
    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(row[column] for column in columns))
    out.print(table)


def _print_json(value: object) -> None:
    from pydantic import TypeAdapter

    text = TypeAdapter(type(value) if not isinstance(value, list) else list[Any]).dump_json(value, indent=2)
    sys.stdout.write(text.decode() + "\n")


if __name__ == "__main__":
    main()
