"""`bijdehand evaluate`: measuring on labelled questions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bots import console
from bots.console import Json
from core.seeds import SEEDS

if TYPE_CHECKING:
    from rich.table import Table

    from core.evaluate import FollowUpReport

app = typer.Typer(help="Measure on labelled questions.", no_args_is_help=True)


@app.command("retrieval")
def retrieval(
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

    settings = console.settings()
    with (
        Cached(console.embedder(settings), settings.cache / "vectors.db") as embedder,
        console.Bar("Articles") as progress,
    ):
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
        console.print_json(report)
    else:
        console.show(*retrieval_tables(report))


@app.command("questions")
def questions(
    golden: Annotated[
        Path | None,
        typer.Argument(help="JSON lines {id, text, lang, article, kind}; the starter questions if left out."),
    ] = None,
    *,
    articles: Annotated[Path | None, typer.Option(help="What to ask of; the starter knowledge if left out.")] = None,
    as_json: Json = False,
) -> None:
    """What agents get for questions of which the right article is known, danger and refusal included."""
    from tempfile import TemporaryDirectory

    from bots.report import golden_tables
    from core import boot
    from core.golden import ask_golden, read_golden
    from core.library import shelve
    from core.model import Person, Question
    from core.store.sqlite import open_store
    from core.vectors import Cached
    from knowledge.amounts import amounts_for
    from knowledge.glossary import terms_for
    from knowledge.readers import read

    settings = console.settings()
    asked = read_golden(golden or SEEDS / "golden.jsonl")
    folder = articles or SEEDS / "articles"
    found = [one.article for one in read(folder)]
    groups = {article.id: article.group for article in found}
    with (
        Cached(console.embedder(settings), settings.cache / "vectors.db") as embedder,
        TemporaryDirectory() as throw_away,
    ):
        store = open_store(Path(throw_away) / "bijdehand.db")
        store.set_amounts(amounts_for([folder]))
        store.set_terms(terms_for([folder]))
        with console.Bar("Articles") as progress:
            shelve(store, embedder, found, progress=progress)
        desk = boot.open_desk(settings, store=store, embedder=embedder, progress=console.note)
        with console.Bar("Questions") as progress:
            report = ask_golden(
                asked,
                lambda one: desk.ask(Question(one.text, Person("somebody"), "terminal", locale=one.language)),
                group_of=lambda article_id: groups.get(article_id, article_id),
                model=embedder.name,
                articles=len(found),
                progress=progress,
            )
        store.close()
    if as_json:
        console.print_json(report)
    else:
        console.show(*golden_tables(report))


@app.command("followups")
def follow_ups(
    conversations: Annotated[Path, typer.Argument(help="JSON lines {language, before, text, article, kind}.")],
    *,
    articles: Annotated[Path | None, typer.Option(help="What to search; the starter knowledge if left out.")] = None,
    as_json: Json = False,
) -> None:
    """What becomes of follow-ups, without and with what was said before them."""
    from core import evaluate
    from core.confidence import confidence_for
    from core.vectors import Cached
    from knowledge.glossary import terms_for
    from knowledge.readers import read

    settings = console.settings()
    asked = evaluate.read_follow_ups(conversations)
    folder = articles or SEEDS / "articles"
    with (
        Cached(console.embedder(settings), settings.cache / "vectors.db") as embedder,
        console.Bar("Articles") as progress,
    ):
        report = evaluate.follow_ups(
            [one.article for one in read(folder)],
            asked,
            embedder,
            confidence_for(embedder.name),
            terms=terms_for([folder]),
            progress=progress,
        )
    if as_json:
        console.print_json(report)
    else:
        console.show(_follow_up_table(report))


def _follow_up_table(report: "FollowUpReport") -> "Table":
    """Two rows per language and kind: searched alone, and with what was said before."""
    from rich.table import Table

    table = Table(title=f"{report.articles} articles, {report.model}", title_justify="left")
    figures = ("messages", "first", "among 3", "answered right", "answered wrong", "suggestions", "unanswered")
    for column in ("", "kind", "searched", *figures):
        table.add_column(column, justify="right" if column in figures else "left")
    for language, kinds in report.results.items():
        for kind, ways in kinds.items():
            for way, score in ways.items():
                counts = (
                    score.messages,
                    score.first,
                    score.among_three,
                    score.answered_right,
                    score.answered_wrong,
                    score.suggestions,
                    score.unanswered,
                )
                table.add_row(language, kind, way, *map(str, counts), end_section=way == "context")
    return table


@app.command("moments")
def name_moments(
    messages: Annotated[Path, typer.Argument(help="JSON lines {text, lang, moment}; moment may be none.")],
    *,
    as_json: Json = False,
) -> None:
    """How often the moment of need is named right; the messages it learnt from are cross-validated by sector."""
    from bots.report import moments_tables
    from core import boot, moments

    settings = console.settings()
    embedder = console.embedder(settings)
    labelled = moments.read_messages(messages)
    if messages.resolve() == (SEEDS / "moments.jsonl").resolve():
        console.note("These are the messages it learns from, so each is judged by a head that never saw its sector.")
        report = moments.cross_validate(embedder, labelled)
    else:
        report = moments.score(boot.make_moments(settings, embedder), embedder, labelled)
    if as_json:
        console.print_json(report)
    else:
        console.show(*moments_tables(report))


@app.command("likeness")
def likeness(
    pairs: Annotated[Path, typer.Argument(help="JSON lines {a, b, lang_a, lang_b, same}.")], *, as_json: Json = False
) -> None:
    """How often two questions are rightly taken for the same one, over thresholds; the one in use has a mark."""
    from core.labelled import rows_of
    from core.likeness import measure

    required = ("a", "b", "lang_a", "lang_b", "same")
    points = measure(rows_of(pairs, required=required), console.embedder(console.settings()))
    if as_json:
        console.print_json(points)
        return
    rows = [
        {
            "languages": one.languages,
            "from": f"{one.threshold:.2f}{' *' if one.chosen else ''}",
            "called the same": str(one.called),
            "precision": f"{one.precision:.2f}" if one.called else "",
            "recall": f"{one.recall:.2f}",
        }
        for one in points
    ]
    console.table(rows, ("languages", "from", "called the same", "precision", "recall"))
