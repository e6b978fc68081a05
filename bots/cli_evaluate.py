"""`bijdehand evaluate`: measuring on labelled questions."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bots import console
from bots.console import Json
from core.errors import BijdehandError
from core.seeds import SEEDS

if TYPE_CHECKING:
    from rich.table import Table

    from core.bench import Run
    from core.calibrate import Judged
    from core.confidence import Confidence
    from core.embed import Embedder
    from core.evaluate import FollowUpReport
    from core.index import Index
    from core.intervals import Share

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
    from bots.report import bench_table
    from core import bench

    before = bench.read_run(baseline) if baseline.is_file() and not save else None
    if before is None and not save:
        console.note(f"There is no run to compare with in {baseline}; make one with --save.")
    run = _measured()
    found = bench.figures(run, before)
    if report:
        from bots.plots import page

        report.write_text(page(run, found), encoding="utf-8")
    if as_json:
        console.print_json(found)
    else:
        console.show(bench_table(found, run))
    if save:
        bench.keep_run(run, baseline)
        console.note(f"Kept in {baseline}.")
    if any(one.worse for one in found):
        raise typer.Exit(console.Exit.TO_MEND)


def _measured() -> "Run":
    """The starter questions asked of a throw-away desk, and the starter messages cross-validated."""
    from tempfile import TemporaryDirectory

    from core import bench, boot, moments
    from core.confidence import confidence_for
    from core.golden import read_golden
    from core.index import Index
    from core.library import shelve
    from core.model import Person, Question
    from core.store.sqlite import open_store
    from core.vectors import Cached
    from knowledge.amounts import amounts_for
    from knowledge.glossary import terms_for
    from knowledge.readers import read

    settings, folder = console.settings(), SEEDS / "articles"
    with (
        Cached(console.embedder(settings), settings.cache / "vectors.db") as embedder,
        TemporaryDirectory() as throw_away,
        closing(open_store(Path(throw_away) / "bijdehand.db")) as store,
    ):
        store.set_amounts(amounts_for([folder]))
        store.set_terms(terms_for([folder]))
        with console.Bar("Articles") as progress:
            shelve(store, embedder, [one.article for one in read(folder)], progress=progress)
        desk = boot.open_desk(settings, store=store, embedder=embedder, progress=console.note)
        with console.Bar("Questions") as progress:
            return bench.measure(
                read_golden(SEEDS / "golden.jsonl"),
                moments.read_messages(SEEDS / "moments.jsonl"),
                index=Index(store.snapshot(embedder.name)),
                embedder=embedder,
                confidence=confidence_for(embedder.name),
                ask=lambda one: desk.answer(Question(one.text, Person("somebody"), "terminal", locale=one.language)),
                progress=progress,
            )


moments_app = typer.Typer(help="Moments of need.", no_args_is_help=True)


@moments_app.command("train")
def train_moments(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come of it, and change nothing.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Back to what comes with Bijdehand.")] = False,
    as_json: Json = False,
) -> None:
    """Learn moments from what people tapped instead of what they were shown. Exit code 1: it would get worse.

    Nothing is changed then. A running bot takes the new one when it is started again.
    """
    from datetime import UTC, datetime

    from core import moments
    from core.boot import OWN_MOMENTS
    from core.retrain import retrain

    settings, examples = console.settings(), SEEDS / "moments.jsonl"
    own = settings.data / OWN_MOMENTS
    if reset:
        own.unlink(missing_ok=True)
        console.line("Moments are named as they come with Bijdehand, from the next start on.")
        return
    with closing(console.store(settings)) as store:
        corrections = store.corrections(datetime.min.replace(tzinfo=UTC))
    embedder = console.embedder(settings)
    console.note("Training and cross-validating, with and without the corrections…")
    found = retrain(embedder, moments.read_messages(examples), corrections)
    if as_json:
        console.print_json({name: getattr(found, name) for name in _RETRAINED} | {"worse": found.worse})
    else:
        console.line(f"{found.corrections} corrections.")
        console.line(f"Of those right: {found.own_before:.0%} before, {found.own_after:.0%} after.")
        console.line(
            f"Of the starter messages, by sector never seen: {found.before.value:.1%} before, {found.after.value:.1%} "
            f"after ({found.difference.low:+.1%} to {found.difference.high:+.1%})."
        )
    if found.worse:
        console.line("That is no better, so nothing was changed.", on=console.err)
        raise typer.Exit(console.Exit.TO_MEND)
    if not dry_run:
        moments.keep_own(found.head, own, embedder, examples)
        console.note(f"Kept in {own}; a running bot takes it when it is started again.")


_RETRAINED = ("corrections", "before", "after", "difference", "own_before", "own_after")


def calibrate(
    questions: Annotated[
        Path | None,
        typer.Argument(help="JSON lines {text, lang, article}; article is null where none is right."),
    ] = None,
    *,
    refuse: Annotated[float, typer.Option(min=0.5, max=0.95, help="What share of wrong ones to refuse.")] = 0.8,
    reset: Annotated[bool, typer.Option("--reset", help="Back to what comes with the model.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come of it, and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Set from which certainty an answer is given, by what coaches said of some forty answers, or by a file.

    Running bots follow at once.
    """
    from datetime import UTC, datetime

    from core import calibrate as fitting
    from core.confidence import confidence_for
    from core.index import Index

    settings = console.settings()
    store = console.store(settings)
    embedder = console.embedder(settings)
    if reset:
        store.set_calibration(embedder.name, None, datetime.now(UTC))
        store.close()
        console.line("The bands are those that come with the model again.")
        return
    index, confidence = Index(store.snapshot(embedder.name)), confidence_for(embedder.name)
    judged = (
        _judged_in(questions, index, embedder, confidence)
        if questions
        else fitting.judged_now(store.verdicts(), index, embedder, confidence)
    )
    try:
        found = fitting.calibrate(judged, refuse=refuse)
        if not dry_run:
            store.set_calibration(embedder.name, found, datetime.now(UTC))
    finally:
        store.close()
    if as_json:
        console.print_json(found)
        return
    before = confidence.fitted_to(index.calibration)
    console.line(f"{found.judged} judged answers.")
    console.line(f"Of wrong first articles {_sure(found.refused)} will be refused,")
    console.line(f"and with them {_sure(found.lost)} of the right ones, whose title is then one tap away.")
    console.line(f"Of the answers that are given {_sure(found.right)} will be right.")
    console.line(f"Possible answers from {found.possible_from:.2f} (was {before.possible_from:.2f}),")
    console.line(f"answers from {found.answer_from:.2f} (was {before.answer_from:.2f}).")
    if dry_run:
        console.line("Nothing was changed.")


def _judged_in(path: Path, index: "Index", embedder: "Embedder", confidence: "Confidence") -> "list[Judged]":
    """Questions of which the right article is known, as they are found now."""
    from core.calibrate import Judged
    from core.labelled import language_in, rows_of
    from core.search import look_up

    judged = []
    for row in rows_of(path, required=("text", "article")):
        found = look_up(index, str(row["text"]), embedder, language=language_in(row))
        first = found.hits[0].article if found.hits else None
        judged.append(Judged(confidence.of(found), first is not None and row["article"] in {first.id, first.group}))
    return judged


def _sure(share: "Share") -> str:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%}, nine times in ten)"


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
