"""Evaluation reports, and why an answer is what it is, as tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from rich.table import Table

from core.bench import Figure, Run
from core.confidence import Band
from core.evaluate import MEASURES, Refusal, RetrievalReport
from core.explain import Explanation
from core.golden import GoldenReport
from core.intervals import Share
from core.moments import MomentReport
from core.replay import Replay

_MOST = 6
_MOST_CHANGES = 50
_LANGUAGES = {"nl": "Dutch", "en": "English"}
_BANDS = {Band.ANSWER: "an answer", Band.POSSIBLE: "possible answers", Band.UNLIKELY: "probably not in here"}


def retrieval_tables(report: RetrievalReport) -> Iterator[Table]:
    """A row per language and leg, then what became of the questions."""
    table = Table(title=f"{report.articles} articles, {report.model}", title_justify="left")
    for column in ("questions", "", "searched by", *MEASURES):
        table.add_column(column, justify="right" if column in MEASURES else "left")
    for name, legs in report.results.items():
        for leg, figures in legs.items():
            row = [f"{figures[measure]:.3f}" for measure in MEASURES]
            table.add_row(name, str(report.queries[name]), leg, *row, end_section=leg == "hybrid")
    yield table
    if report.refusal:
        yield _refusal_table(report.refusal)


def _refusal_table(refusal: Refusal) -> Table:
    table = Table(title="Answered or refused", title_justify="left")
    for column in ("questions", "answered", "suggestions", "unanswered"):
        table.add_column(column)
    for name, shares in (("with an answer", refusal.answerable), ("without", refusal.unanswerable)):
        table.add_row(name, *(f"{share:.3f}" for share in shares.values()))
    figures = (refusal.auroc_answerable, refusal.auroc_right)
    either, right = ("-" if figure is None else f"{figure:.3f}" for figure in figures)
    table.caption = f"AUROC of the confidence: answerable or not {either}; right first article or not {right}"
    return table


def golden_tables(report: GoldenReport) -> Iterator[Table]:
    """One row per language and kind: the questions that have an answer, then those that have none."""
    figures = ("first", "among_three", "answered_right", "answered_wrong", "suggestions", "unanswered")
    table = Table(
        title=f"{report.articles} articles, {report.model}: percent, and its 95 % interval", title_justify="left"
    )
    table.add_column("")
    table.add_column("kind")
    for column in ("questions", *figures):
        table.add_column(column.replace("_", " "), justify="right")
    for language, kinds in report.figures.items():
        for kind, shares in kinds.items():
            cells = [_percent(shares[figure]) if figure in shares else "" for figure in figures]
            table.add_row(language, kind, str(report.questions[language][kind]), *cells)
        table.add_section()
    yield table


def _percent(share: Share) -> str:
    return f"{share.value * 100:.1f} ({share.low * 100:.0f}–{share.high * 100:.0f})"


def moments_tables(report: MomentReport) -> Iterator[Table]:
    """The scores of each moment, then what was taken for what."""
    title = f"{report.messages} messages: accuracy {report.accuracy:.3f}, macro-F1 {report.macro_f1:.3f}"
    scores = Table(title=title, title_justify="left")
    for column in ("moment", "precision", "recall", "F1", "messages"):
        scores.add_column(column)
    for label, one in report.classes.items():
        scores.add_row(label, f"{one.precision:.3f}", f"{one.recall:.3f}", f"{one.f1:.3f}", str(one.messages))
    if report.accepted is not None:
        scores.caption = f"Of {report.ambiguous} ambiguous messages {report.accepted:.1%} got a moment that will do"
    yield scores
    taken = Table(title="Labelled (rows), taken for (columns)", title_justify="left")
    taken.add_column("")
    for label in report.labels:
        taken.add_column(label, justify="right")
    for label, row in zip(report.labels, report.confusion, strict=True):
        taken.add_row(label, *map(str, row))
    yield taken


def explanation(why: Explanation) -> Iterator[Table | str]:
    """What was read, what was found and by which signals, how sure that makes us, and which moment it is."""
    yield f"Read as {_LANGUAGES[why.answer.language]}" + (f", and looked up as: {why.read_as}" if why.read_as else ".")
    found = Table(title="Found: points by each signal", title_justify="left")
    signals = list(asdict(why.found.hits[0].signals)) if why.found.hits else []
    for column in ("article", "title", *signals, "score"):
        found.add_column(column, justify="left" if column in {"article", "title"} else "right")
    for hit in why.found.hits[:_MOST]:
        points = (f"{value:.2f}" for value in asdict(hit.signals).values())
        found.add_row(hit.article.id, hit.article.title, *points, f"{hit.score:.2f}")
    yield found
    chance, possible, sure = (f"{share:.2f}" for share in (why.chance, why.possible_from, why.answer_from))
    yield _points("How sure the first is right", why.parts, f"chance {chance}: {_BANDS[why.band]}")
    yield f"An answer is given from {sure}, possible answers from {possible}, both as calibrated."
    yield _points(
        "Danger: likelier than none by", dict(list(why.danger.items())[:_MOST]), f"from {why.danger_from} it leads"
    )
    yield _points("Small talk and the like: likelier than a question by", why.asides, "only where search is not sure")
    shown = why.answer.moment or "none shown"
    yield _points("Moment: chances", why.moments, f"shown: {shown}")
    if why.odds:
        yield _points("What came before adds to moments", why.odds, "logits")
    yield _points("What tells the first of these from the second", why.telling, "logits")


def _points(title: str, points: Mapping[str, float], caption: str) -> Table:
    table = Table(caption=caption, caption_justify="left")
    table.add_column(title)
    table.add_column("", justify="right")
    for name, value in points.items():
        table.add_row(name, f"{value:.2f}")
    return table


def bench_table(figures: Sequence[Figure], run: Run) -> Table:
    """A row per figure, with what it is in each language and how it differs from before."""
    title = f"{run.articles} articles, {len(run.asked)} questions, {len(run.told)} messages, {run.model}"
    table = Table(title=title, title_justify="left", caption="Intervals are of 95 %.", caption_justify="left")
    for column in ("", "", "nl", "en", "all", "than before"):
        table.add_column(column, justify="left" if not column else "right")
    rows: dict[tuple[str, str], dict[str, Figure]] = {}
    for one in figures:
        rows.setdefault((one.part, one.name), {})[one.language] = one
    last = ""
    for (part, name), found in rows.items():
        if part != last and last:
            table.add_section()
        cells = [_interval(found[language].now) if language in found else "" for language in ("nl", "en", "all")]
        table.add_row(part if part != last else "", name, *cells, _difference(found.values()))
        last = part
    return table


def _interval(share: Share) -> str:
    return f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"


def _difference(found: Iterable[Figure]) -> str:
    """Of all questions; and of a language alone, where that is worse by more than noise."""
    said = []
    for one in found:
        if one.difference and (one.language == "all" or one.worse):
            language = "" if one.language == "all" else f"{one.language} "
            mark = " worse" if one.worse else " better" if one.better else ""
            low, high = one.difference.low, one.difference.high
            said.append(f"{language}{one.difference.value:+.3f} ({low:+.3f} to {high:+.3f}){mark}")
    return ", ".join(said)


def replay_table(found: Replay) -> Table:
    """A row per answer that would change, the surest of today first."""
    table = Table(title="What would change", title_justify="left")
    for column in ("question", "now", "", "then", ""):
        table.add_column(column)
    for one in found.changed[:_MOST_CHANGES]:
        table.add_row(one.question, one.before, _BANDS[one.now], one.after, _BANDS[one.then])
    if len(found.changed) > _MOST_CHANGES:
        table.caption = f"And {len(found.changed) - _MOST_CHANGES} more; --json has them all."
    return table
