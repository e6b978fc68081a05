"""`bijdehand`: the command line, for admins and for trying things out.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

import io
import logging
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bots import cli_bench, cli_care, cli_coach, cli_evaluate, cli_learn, cli_people, cli_slack, cli_teams, console
from bots.console import Exit, Json, Paths
from core.errors import BijdehandError
from core.seeds import SEEDS
from knowledge.errors import ArticleError

if TYPE_CHECKING:
    from core.desk import Desk
    from core.files import Plan
    from core.store import Store
    from knowledge.amounts import Amounts
    from knowledge.article import Article
    from knowledge.glossary import Term
    from knowledge.readers import Found

app = typer.Typer(
    help="Just-in-time help for contact-centre agents.", no_args_is_help=True, pretty_exceptions_enable=False
)
articles_app = typer.Typer(help="Look at the articles, and look after them.", no_args_is_help=True)
app.add_typer(articles_app, name="articles")
app.add_typer(cli_people.app, name="people")
app.add_typer(cli_coach.app, name="coach")
app.add_typer(cli_coach.changes_app, name="changes")
cli_coach.add_to(articles_app)
app.add_typer(cli_evaluate.app, name="evaluate")
app.command()(cli_learn.calibrate)
app.add_typer(cli_learn.moments_app, name="moments")
app.command()(cli_bench.bench)
app.command()(cli_care.backup)
app.command()(cli_care.restore)
app.add_typer(cli_care.privacy_app, name="privacy")
app.add_typer(cli_slack.app, name="slack")
app.add_typer(cli_teams.app, name="teams")


def main() -> None:
    """Run a command; what stands in the way becomes a sentence, and the traceback stays in the log."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # not every terminal can write an arrow
    try:
        app()
    except (BijdehandError, ArticleError) as error:
        logging.getLogger(__name__).debug("stopped", exc_info=True)
        console.fail(type(error).__name__.removesuffix("Error"), str(error))
        sys.exit(Exit.CANNOT)
    except Exception as error:  # noqa: BLE001 - the last resort, and nothing is swallowed
        if isinstance(error, OSError) and error.filename:
            console.fail("File", _in_the_way(error))
        elif kept := _keep_traceback():
            console.line(f"Something broke that should not have. The details are in {kept}.", on=console.err)
        else:
            what = f"Something broke that should not have ({type(error).__name__})"
            console.line(f"{what}, and there is no place to keep the details.", on=console.err)
        sys.exit(Exit.CANNOT)


def _in_the_way(error: OSError) -> str:
    return (
        f"{error.filename} cannot be used ({error.strerror}). Let this user read and write it; "
        "BIJDEHAND_DATA and BIJDEHAND_CACHE say where our own files are."
    )


def _keep_traceback() -> Path | None:
    """Where it was kept: in the user's log, or else in a temporary file, or else nowhere."""
    import traceback
    from datetime import UTC, datetime

    entry = f"{datetime.now(UTC).isoformat()} {traceback.format_exc()}\n"
    for place in (_log_file, _temporary_file):
        try:
            path = place()
            with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(entry)
        except Exception:  # noqa: BLE001, S112 - without a home, whatever asks for it raises an error of its own
            continue
        return path
    return None


def _log_file() -> Path:
    import platformdirs

    folder = platformdirs.user_log_path("bijdehand").expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "errors.log"


def _temporary_file() -> Path:
    import os
    import tempfile

    opened, path = tempfile.mkstemp(prefix="bijdehand-", suffix=".log")
    os.close(opened)
    return Path(path)


# -- starting --------------------------------------------------------------------------------------------------------
@app.command()
def init(
    *, demo: Annotated[bool, typer.Option("--demo/--empty", help="With the starter knowledge, or without.")] = True
) -> None:
    """Prepare the model and the database, once. Seeds go only into an empty database."""
    from core import boot

    settings = console.settings()
    embedder = console.embedder(settings)
    store = console.store(settings)
    there = len(store.articles())
    if there:
        console.line(f"{there} articles are there already: nothing added. Database: {settings.database}")
    elif demo:
        from core.library import shelve

        found, amounts, terms = _read([SEEDS / "articles"])
        store.set_amounts(amounts)
        store.set_terms(terms)
        with console.Bar("Starter knowledge") as progress:
            console.tell(shelve(store, embedder, found, progress=progress, at_once=len(found)))  # all of it or none
        store.set_synced(found)
    else:
        console.line(f"An empty database stands ready: {settings.database}")
    _make_ready(boot.open_desk(settings, store=store, embedder=embedder))
    store.close()


@app.command()
def serve() -> None:
    """Serve the web chat, and Slack and Teams where they are configured."""
    import asyncio

    from bots.serve import serve as run
    from core import boot

    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # tells what this processor is capable of
    settings = console.settings()
    desk = boot.open_desk(settings, progress=console.note)
    if not _make_ready(desk):
        console.line("There are no articles yet. Run: bijdehand init --demo, or: bijdehand import FOLDER")
    try:
        asyncio.run(run(desk, settings, tell=console.line))
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

    desk = boot.open_desk(console.settings(), progress=console.note)
    answer = desk.ask(Question(question, person(desk)))
    if as_json:
        console.print_json(answer)
    else:
        console.out.print(render(answer, more=more))
    desk.store.close()
    if answer.outcome is Outcome.FAILED:
        raise typer.Exit(Exit.CANNOT)
    if answer.outcome is Outcome.UNANSWERED:
        raise typer.Exit(Exit.NO_ANSWER)


@app.command()
def explain(
    question: Annotated[str, typer.Argument(help="As somebody asked it.")],
    *,
    before: Annotated[list[str] | None, typer.Option(help="What was said before it, oldest first; repeat it.")] = None,
    as_json: Json = False,
) -> None:
    """Why a question gets the answer that it gets: every signal of search, refusal, danger and moment."""
    from bots.report import explanation
    from bots.terminal import person
    from core import boot
    from core.model import Question

    desk = boot.open_desk(console.settings(), progress=console.note)
    found = desk.explain(Question(question, person(desk), before=tuple(before or ())))
    desk.store.close()
    if as_json:
        console.print_json(found)
    else:
        console.show(*explanation(found))


@app.command()
def chat() -> None:
    """Talk with Bijdehand in the terminal."""
    from bots.terminal import Chat, person
    from core import boot

    settings = console.settings()
    desk = boot.open_desk(settings, progress=console.note)
    Chat(desk, person(desk), console.out, settings.language).run()
    desk.store.close()


# -- knowledge -------------------------------------------------------------------------------------------------------
@app.command("import")
def import_(
    paths: Paths,
    *,
    prune: Annotated[bool, typer.Option(help="Remove articles that these paths do not hold.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before more than half are removed.")] = False,
    leading: Annotated[bool, typer.Option(help="Files win where a coach changed the same thing in the chat.")] = False,
) -> None:
    """Add or update articles by id. Nothing is written when any file cannot be read, or both sides changed the same."""
    from core.files import plan
    from core.library import prune as remove
    from core.library import set_amounts, shelve

    found, amounts, terms = _read(paths)
    keep = {article.id for article in found}
    settings = console.settings()
    store = console.store(settings)
    planned = plan(store, found, leading=leading)
    if planned.conflicts:
        _tell_conflicts(planned)
        store.close()
        raise typer.Exit(Exit.TO_MEND)
    if prune and not yes and not _agreed(store, keep):
        store.close()
        console.line("Nothing was changed. Leave out --prune, or agree with --yes.", on=console.err)
        raise typer.Exit(Exit.CANNOT)
    embedder = console.embedder(settings)
    with console.Bar("Amounts") as progress:
        set_amounts(store, embedder, amounts, progress=progress)
    with console.Bar("Articles") as progress:
        done = shelve(store, embedder, planned.articles, progress=progress)
    store.set_terms(terms)
    store.set_synced(found)
    console.tell(done, removed=remove(store, keep) if prune else 0)
    store.close()


def _tell_conflicts(planned: "Plan") -> None:
    """What was changed both in a file and in the chat, so that somebody can choose."""
    for article_id, conflict in planned.conflicts:
        console.line(
            f"{article_id}: {conflict.what} was changed in the file and in the chat.", "bold red", on=console.err
        )
        console.line(f"  chat: {conflict.ours or '(gone)'}", on=console.err)
        console.line(f"  file: {conflict.theirs or '(gone)'}", on=console.err)
    ways = (
        "Put in the file what it must be, or let files win with --leading; `bijdehand export` writes what the chat has."
    )
    console.line(f"Nothing was imported. {ways}", on=console.err)


@app.command("export")
def export_(
    folder: Annotated[Path, typer.Argument(help="Where the Markdown goes; files that are there are updated in place.")],
    *,
    force: Annotated[bool, typer.Option(help="Overwrite files that were changed and not imported.")] = False,
) -> None:
    """Write all articles as Markdown files, the amounts, and what words mean."""
    from core.files import export

    settings = console.settings()
    store = console.store(settings)
    count = export(store, folder, zone=settings.zone, force=force)
    store.close()
    console.line(f"{count} articles in {folder}.")


def _agreed(store: "Store", keep: set[str]) -> bool:
    """Ask when more than half would go: then a wrong folder is likelier than a great clearance."""
    from core.library import not_in

    there, gone = len(store.articles()), len(not_in(store, keep))
    if gone * 2 <= there:
        return True
    try:
        return typer.confirm(f"{gone} of the {there} articles are not in these files. Remove them?", err=True)
    except typer.Abort:  # nobody is there to answer
        return False


@app.command()
def reindex() -> None:
    """Embed whatever the present model has not embedded yet; unchanged texts cost nothing."""
    from core.library import shelve

    settings = console.settings()
    store = console.store(settings)
    with console.Bar("Articles") as progress:
        console.tell(shelve(store, console.embedder(settings), store.articles(), progress=progress))
    store.close()


@app.command()
def lint(paths: Paths, *, as_json: Json = False) -> None:
    """Check articles before agents read them. Exit code 1: there are errors."""
    from datetime import UTC, datetime

    from knowledge.lint import lint as check

    zone = console.settings().zone
    findings = check(paths, now=datetime.now(UTC), timezone=zone)
    if as_json:
        console.print_json(findings)
    else:
        for finding in findings:
            console.line(str(finding))
        console.line(f"{len(findings)} findings")
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(Exit.TO_MEND)


@articles_app.command("list")
def articles_list(*, as_json: Json = False) -> None:
    """All articles with their language, topic, status and date of checking."""
    store = console.store()
    found = store.articles()
    store.close()
    if as_json:
        console.print_json([_row(article) for article in found])
        return
    console.table([_row(article) for article in found], ("id", "title", "language", "topic", "status", "verified"))


@articles_app.command("show")
def articles_show(
    article_id: Annotated[str, typer.Argument(help="As `articles list` shows it.")], *, as_json: Json = False
) -> None:
    """One article as Markdown, with its front matter."""
    from knowledge.markdown import dump

    store = console.store()
    article = store.article(article_id)
    store.close()
    if as_json:
        console.print_json(article)
    else:
        console.print_exactly(dump(article, timezone=console.settings().zone))


# -- looking after it ----------------------------------------------------------------------------------------------
@app.command()
def doctor(
    *,
    privacy: Annotated[
        bool, typer.Option("--privacy", help="What is kept about people instead, and how much.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What is configured, reachable, stale or missing, and what to do. Exit code 1: something fails."""
    if privacy:
        cli_care.tell_what_is_kept(as_json=as_json)
        return
    from datetime import UTC, datetime

    from bots.reach_slack import check_slack
    from bots.reach_teams import check_teams
    from core.doctor import examine

    settings = console.settings()

    def open_store() -> "Store":
        return console.store(settings)

    checks = examine(
        settings,
        open_store=open_store,
        open_embedder=lambda: console.embedder(settings),
        now=datetime.now(UTC),
    )
    console.report([*checks, *check_slack(settings, open_store), *check_teams(settings)], as_json=as_json)


def _make_ready(desk: "Desk") -> int:
    """Do beforehand what the first question would wait for; a bar shows where another model's articles are read."""
    console.note("Learning moments and signs of danger, unless that was done before…")
    with console.Bar("Reading for this model") as progress:
        return desk.ready(progress=progress)


# -- reading files -------------------------------------------------------------------------------------------------
def _read(paths: Sequence[Path]) -> tuple[list["Article"], "Amounts", "tuple[Term, ...]"]:
    """Every article in these files and folders, and the amounts and the glossary beside them.

    One that cannot be read stops it all, and all such are named.
    """
    from knowledge.amounts import amounts_for
    from knowledge.glossary import terms_for
    from knowledge.readers import read, unique

    zone = console.settings().zone
    errors: list[ArticleError] = []
    amounts = amounts_for(paths, errors.append)
    terms = terms_for(paths, errors.append)
    read_in = chain.from_iterable(read(path, timezone=zone, on_error=errors.append) for path in paths)
    founds = list(unique(read_in, errors.append))
    errors += [_says_nothing(found) for found in founds if not _says_something(found.article)]
    for error in errors:
        console.line(str(error), on=console.err)
    if errors:
        console.line("Nothing was imported: mend this first.", "bold red", on=console.err)
        raise typer.Exit(Exit.CANNOT)
    return [found.article for found in founds], amounts, terms


def _says_something(article: "Article") -> bool:
    return bool(article.title.strip()) or any(section.text.strip() for section in article.sections)


def _says_nothing(found: "Found") -> ArticleError:
    return ArticleError(found.path, found.line, "The article holds no text; write some, or take it away.")


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


if __name__ == "__main__":
    main()
