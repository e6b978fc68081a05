"""`bijdehand calibrate` and `bijdehand moments`: learning from what people did with answers."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bots import console
from bots.console import Json
from core.seeds import SEEDS

if TYPE_CHECKING:
    from core.calibrate import Judged
    from core.confidence import Confidence
    from core.embed import Embedder
    from core.index import Index
    from core.intervals import Share
    from core.verdicts import Calibration

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
    _tell(found, confidence.fitted_to(index.calibration))
    if dry_run:
        console.line("Nothing was changed.")


def _tell(found: "Calibration", before: "Confidence") -> None:
    """What comes of it, and how sure that is."""
    console.line(f"{found.judged} judged answers.")
    console.line(f"Of wrong first articles {_sure(found.refused)} will be refused,")
    console.line(f"and with them {_sure(found.lost)} of the right ones, whose title is then one tap away.")
    console.line(f"Of the answers that are given {_sure(found.right)} will be right.")
    console.line(f"Possible answers from {found.possible_from:.2f} (was {before.possible_from:.2f}),")
    console.line(f"answers from {found.answer_from:.2f} (was {before.answer_from:.2f}).")


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
