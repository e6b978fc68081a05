"""`bijdehand evaluate`: measuring on labelled questions."""

from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bots import console
from bots.console import Json
from core.errors import BijdehandError
from core.seeds import SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from core.bench import Run
    from core.desk import Desk
    from core.embed import Embedder
    from core.evaluate import FollowUpReport
    from knowledge.article import Article

app = typer.Typer(help="Measure on labelled questions.", invoke_without_command=True)

BASELINE = SEEDS / "baseline.json"


@app.callback()
def everything(
    context: typer.Context,
    *,
    baseline: Annotated[Path, typer.Option(help="A run to compare with.")] = BASELINE,
    save: Annotated[bool, typer.Option("--save", help="Keep this run as the baseline.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write a page with plots here, as HTML.")] = None,
    as_json: Json = False,
) -> None:
    """Search, refusal and moments, measured on the starter questions. Exit code 1: something is worse than before.

    Worse is what lies below the baseline by more than chance would have it. Below are other things to measure.
    """
    if context.invoked_subcommand:
        return
    from bots import plots
    from bots.report import bench_table
    from core import bench

    if report:
        plots.insist()
    before = bench.read_run(baseline) if baseline.is_file() and not save else None
    if before is None and not save:
        console.note(f"There is no run to compare with in {baseline}; make one with --save.")
    run = _measured()
    found = bench.figures(run, before)
    if as_json:
        console.print_json(found)
    else:
        console.show(bench_table(found, run))
    if report:
        report.write_text(plots.page(run, found), encoding="utf-8")
    if save:
        bench.keep_run(run, baseline)
        console.note(f"Kept in {baseline}.")
    if any(one.worse for one in found):
        raise typer.Exit(console.Exit.TO_MEND)


def _measured() -> "Run":
    """The starter questions asked of a throw-away desk, and the starter messages cross-validated."""
    from core import bench, moments
    from core.confidence import confidence_for
    from core.golden import read_golden
    from core.index import Index
    from core.model import Person, Question
    from knowledge.readers import read

    folder = SEEDS / "articles"
    with (
        _throw_away_desk(folder, [one.article for one in read(folder)]) as (desk, embedder),
        console.Bar("Questions") as progress,
    ):
        return bench.measure(
            read_golden(SEEDS / "golden.jsonl"),
            moments.read_messages(SEEDS / "moments.jsonl"),
            index=Index(desk.store.snapshot(embedder.name)),
            embedder=embedder,
            confidence=confidence_for(embedder.name),
            ask=lambda one: desk.answer(Question(one.text, Person("somebody"), "terminal", locale=one.language)),
            progress=progress,
        )


@contextmanager
def _throw_away_desk(folder: Path, articles: "Sequence[Article]") -> "Iterator[tuple[Desk, Embedder]]":
    """A desk that knows these articles, and the amounts and words beside them, and nothing of its own."""
    from tempfile import TemporaryDirectory

    from core import boot
    from core.library import shelve
    from core.store.sqlite import open_store
    from core.vectors import Cached
    from knowledge.amounts import amounts_for
    from knowledge.glossary import terms_for

    settings = console.settings()
    with (
        Cached(console.embedder(settings), settings.cache / "vectors.db") as embedder,
        TemporaryDirectory() as throw_away,
        closing(open_store(Path(throw_away) / "bijdehand.db")) as store,
    ):
        store.set_amounts(amounts_for([folder]))
        store.set_terms(terms_for([folder]))
        with console.Bar("Articles") as progress:
            shelve(store, embedder, articles, progress=progress)
        yield boot.open_desk(settings, store=store, embedder=embedder, progress=console.note), embedder


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
    from bots.report import golden_tables
    from core.golden import ask_golden, read_golden
    from core.model import Person, Question
    from knowledge.readers import read

    asked = read_golden(golden or SEEDS / "golden.jsonl")
    folder = articles or SEEDS / "articles"
    found = [one.article for one in read(folder)]
    groups = {article.id: article.group for article in found}
    with _throw_away_desk(folder, found) as (desk, embedder), console.Bar("Questions") as progress:
        report = ask_golden(
            asked,
            lambda one: desk.ask(Question(one.text, Person("somebody"), "terminal", locale=one.language)),
            group_of=lambda article_id: groups.get(article_id, article_id),
            model=embedder.name,
            articles=len(found),
            progress=progress,
        )
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


@app.command("replay")
def replay(
    *,
    model: Annotated[str, typer.Option(help="Another model, as BIJDEHAND_MODEL names it.")] = "",
    articles: Annotated[Path | None, typer.Option(help="Other articles: a file or folder.")] = None,
    weeks: Annotated[int, typer.Option(min=1, max=52, help="How far back to look.")] = 8,
    as_json: Json = False,
) -> None:
    """What people asked lately, of another model or other articles: the answers that would change. Nothing is kept."""
    from datetime import UTC, datetime, timedelta

    from bots.report import replay_table
    from core.confidence import confidence_for
    from core.index import Index
    from core.library import snapshot_of
    from core.replay import Setup
    from core.replay import replay as ask_again
    from knowledge.amounts import amounts_for, filled
    from knowledge.glossary import terms_for
    from knowledge.readers import read

    settings = console.settings()
    with closing(console.store(settings)) as store:
        embedder = console.embedder(settings)
        answers = store.asked(datetime.now(UTC) - timedelta(weeks=weeks))
        index, stored, amounts = Index(store.snapshot(embedder.name)), store.articles(), store.amounts()
    if not answers:
        raise BijdehandError(f"Nobody has asked anything in the last {weeks} weeks.")
    other = console.embedder(settings.model_copy(update={"model": model})) if model else embedder
    terms = index.glossary.terms
    if articles:
        stored, amounts, terms = [one.article for one in read(articles)], amounts_for([articles]), terms_for([articles])
    with console.Bar("Articles") as progress:
        snapshot = snapshot_of([filled(one, amounts) for one in stored], other, terms=terms, progress=progress)
    if not model:
        snapshot = replace(snapshot, calibration=index.calibration)
    old = Setup(index, embedder, confidence_for(embedder.name))
    new = Setup(Index(snapshot), other, confidence_for(other.name))
    with console.Bar("Questions") as progress:
        found = ask_again(answers, old, new, progress=progress)
    if as_json:
        console.print_json(found)
        return
    if found.changed:
        console.show(replay_table(found))
    grave = ", ".join(f"{count} from {band}" for band, count in sorted(found.bands.items()))
    console.line(
        f"{found.questions} questions: {found.other_article} would get another article first"
        + (f"; bands: {grave}." if grave else ".")
    )
