"""Golden questions, asked of the whole desk: how often an agent gets the right article, and what the others get."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.intervals import Share, share
from core.labelled import language_in, rows_of
from core.library import Progress, no_progress
from core.model import NO_ARTICLE, Answer, Outcome
from knowledge.article import Language

_TITLES = 3  # that a person is shown


@dataclass(frozen=True, slots=True)
class Golden:
    """A question and the article that answers it; None where the knowledge base has no answer.

    `kind` is how it is put, or how far off it is; `near` the article that a question without an answer resembles.
    """

    id: str
    text: str
    language: Language
    article: str | None
    kind: str
    near: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What a question got: the place of the right article among the titles (0: not there) and the first of them."""

    id: str
    outcome: Outcome
    place: int
    first: str


@dataclass(frozen=True, slots=True)
class GoldenReport:
    """`figures[language or "all"][kind or "all"][figure]`; `questions` counts the same cells."""

    model: str
    articles: int
    questions: dict[str, dict[str, int]]
    figures: dict[str, dict[str, dict[str, Share]]]
    given: tuple[Given, ...]


def read_golden(path: Path) -> list[Golden]:
    """`{id, text, lang, article, kind}` lines; without an answer `article` is null, and `near` may be there."""
    return [
        Golden(
            str(row["id"]),
            str(row["text"]),
            language_in(row),
            None if row["article"] is None else str(row["article"]),
            str(row["kind"]),
            str(row.get("near") or ""),
        )
        for row in rows_of(path, required=("id", "text", "article", "kind"))
    ]


def ask_golden(
    questions: Sequence[Golden],
    ask: Callable[[Golden], Answer],
    *,
    group_of: Callable[[str], str],
    model: str,
    articles: int,
    progress: Progress = no_progress,
) -> GoldenReport:
    """Ask every question; translations count as one, so `group_of` names the pair that an article belongs to."""
    given: dict[str, Given] = {}
    for done, question in enumerate(questions, start=1):
        given[question.id] = _given(question, ask(question), group_of)
        progress(done, len(questions))
    cells = {language: _by_kind(_in(questions, language)) for language in ("nl", "en", "all")}
    return GoldenReport(
        model=model,
        articles=articles,
        questions={language: {kind: len(asked) for kind, asked in kinds.items()} for language, kinds in cells.items()},
        figures={
            language: {kind: _figures(asked, given) for kind, asked in kinds.items()}
            for language, kinds in cells.items()
        },
        given=tuple(given.values()),
    )


def _in(questions: Sequence[Golden], language: str) -> list[Golden]:
    return [one for one in questions if language in {one.language, "all"}]


def _by_kind(questions: Sequence[Golden]) -> dict[str, list[Golden]]:
    """Each kind, and all that have an answer together and all that have none."""
    answerable = [one for one in questions if one.article]
    nothing = [one for one in questions if not one.article]
    cells = {"all": answerable, "nothing": nothing}
    for one in questions:
        cells.setdefault(one.kind, []).append(one)
    return {kind: asked for kind, asked in cells.items() if asked}


def _given(question: Golden, answer: Answer, group_of: Callable[[str], str]) -> Given:
    shown = [answer.card.article_id] if answer.card else []
    titles = [group_of(one) for one in (*shown, *(other.article_id for other in answer.alternatives))]
    place = titles.index(question.article) + 1 if question.article in titles else 0
    return Given(question.id, answer.outcome, place, titles[0] if titles else "")


def _figures(asked: Sequence[Golden], given: dict[str, Given]) -> dict[str, Share]:
    """The shares of questions that got each thing."""
    got = [given[question.id] for question in asked]
    sources = [question.article or question.id for question in asked]

    def of(flags: Iterable[bool]) -> Share:
        return share(list(flags), sources)

    ends = {
        "answered_wrong": of(one.outcome is Outcome.ANSWERED and one.place != 1 for one in got),
        "suggestions": of(one.outcome is Outcome.SUGGESTIONS for one in got),
        "unanswered": of(one.outcome in NO_ARTICLE for one in got),
    }
    if not asked[0].article:
        return ends
    return {
        "first": of(one.place == 1 for one in got),
        "among_three": of(1 <= one.place <= _TITLES for one in got),
        "answered_right": of(one.outcome is Outcome.ANSWERED and one.place == 1 for one in got),
        **ends,
    }
