"""What people asked, asked again of another model or of other articles: the answers that would change."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.confidence import Band, Confidence
from core.embed import Embedder
from core.index import Index
from core.library import Progress, no_progress
from core.model import Answer
from core.search import look_up
from knowledge.article import Article, Language


@dataclass(frozen=True, slots=True)
class Setup:
    """What a question is asked of."""

    index: Index
    embedder: Embedder
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Changed:
    """A question that would get something else: the first title and what may be said of it, now and then."""

    question: str
    language: Language
    before: str
    now: Band
    after: str
    then: Band


@dataclass(frozen=True, slots=True)
class Replay:
    """`bands` counts what each question would go from and to."""

    questions: int
    other_article: int
    changed: tuple[Changed, ...]
    bands: dict[str, int]


def replay(answers: Sequence[Answer], old: Setup, new: Setup, *, progress: Progress = no_progress) -> Replay:
    """Search for each question in both; another article counts, and so does another band. Gravest changes first."""
    changed: list[Changed] = []
    bands: dict[str, int] = {}
    others = 0
    for done, answer in enumerate(answers, start=1):
        (was, now), (becomes, then) = (_first(answer, setup) for setup in (old, new))
        other = _group(was) != _group(becomes)
        others += other
        if other or now is not then:
            changed.append(Changed(answer.question, answer.language, _title(was), now, _title(becomes), then))
        if now is not then:
            bands[f"{now} to {then}"] = bands.get(f"{now} to {then}", 0) + 1
        progress(done, len(answers))
    gravest = {Band.ANSWER: 0, Band.POSSIBLE: 1, Band.UNLIKELY: 2}
    changed.sort(key=lambda one: (gravest[one.now], one.before == one.after))
    return Replay(len(answers), others, tuple(changed), bands)


def _first(answer: Answer, setup: Setup) -> tuple[Article | None, Band]:
    found = look_up(setup.index, answer.question, setup.embedder, language=answer.language)
    band = setup.confidence.fitted_to(setup.index.calibration).band(setup.confidence.of(found))
    return (found.hits[0].article if found.hits else None), band


def _group(article: Article | None) -> str:
    return article.group if article else ""


def _title(article: Article | None) -> str:
    return article.title if article else ""
