"""How well we find and how well we refuse, measured on labelled questions over a throw-away index."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from core.confidence import Band, Confidence
from core.context import better, searched_text
from core.embed import Embedder
from core.errors import BijdehandError
from core.index import Index
from core.labelled import language_in, lines_of, rows_of
from core.library import Progress, snapshot_of
from core.search import BM25_ONLY, HYBRID, VECTORS_ONLY, Found, Weights, look_up, search
from knowledge.article import Article, Language
from knowledge.glossary import Term

LEGS: dict[str, Weights] = {"bm25": BM25_ONLY, "vector": VECTORS_ONLY, "hybrid": HYBRID}
MEASURES = {"hit@1": "Success@1", "hit@3": "Success@3", "hit@10": "Success@10", "MRR@10": "RR@10", "nDCG@10": "nDCG@10"}
_DEPTH = 10
_OUTCOME = {Band.ANSWER: "answered", Band.POSSIBLE: "suggestions", Band.UNLIKELY: "unanswered"}

_TITLES = 3  # that a person is shown

Qrels = dict[str, set[str]]  # which articles are right for which question


@dataclass(frozen=True, slots=True)
class Query:
    """A question as a data set gives it; `group` names the part of the articles it is asked of, if not all."""

    id: str
    text: str
    language: Language
    group: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What became of questions with and without an answer, and how well the confidence tells them apart."""

    answerable: dict[str, float]  # shares answered, suggestions, unanswered
    unanswerable: dict[str, float]
    auroc_answerable: float | None  # answerable against unanswerable questions
    auroc_right: float | None  # a right first article against a wrong one and against unanswerable


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """`results[language or "all"][leg][measure]`."""

    model: str
    articles: int
    queries: dict[str, int]
    results: dict[str, dict[str, dict[str, float]]]
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What somebody wrote, and what was said before it, oldest first; no article where nothing is to be found."""

    before: tuple[str, ...]
    text: str
    language: Language
    article: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class FollowUpScore:
    """Counts, since shares of so few would look more precise than they are."""

    messages: int
    first: int  # the right article leads
    among_three: int
    answered_right: int
    answered_wrong: int
    suggestions: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class FollowUpReport:
    """`results[language][kind]["alone" or "context"]`: without, and with what was said before."""

    model: str
    articles: int
    results: dict[str, dict[str, dict[str, FollowUpScore]]]


@dataclass(slots=True)
class _Run:
    """What the searches brought back, gathered over all groups."""

    ranked: dict[str, dict[str, Found]] = field(default_factory=lambda: {leg: {} for leg in LEGS})
    nothing: list[Found] = field(default_factory=list)  # for the questions that have no answer


def read_queries(path: Path, *, select: str = "*", group_by: str = "") -> list[Query]:
    """`{id, text, lang}` lines whose id fits the pattern; a line without `lang` is in the language it seems to be."""
    return [
        Query(str(row["id"]), str(row["text"]), language_in(row), str(row[group_by]) if group_by else "")
        for row in rows_of(path, required=("id", "text", *([group_by] if group_by else [])))
        if fnmatch(str(row["id"]), select)
    ]


def read_qrels(path: Path) -> Qrels:
    """`query<TAB>article<TAB>relevance` lines; relevance 0 means wrong."""
    right: Qrels = {}
    for number, line in lines_of(path):
        match line.split("\t"):
            case [query, article, *rest]:
                if not rest or rest[0].strip() != "0":
                    right.setdefault(query, set()).add(article.strip())
            case _:
                raise BijdehandError(f"{path}, line {number}: write query, article and 1, separated by tabs.")
    return right


def read_follow_ups(path: Path) -> list[FollowUp]:
    """`{language, before, text, article, kind}` lines; `before` is a list and `article` may be null."""
    follow_ups = []
    for row in rows_of(path, required=("before", "text", "article", "kind")):
        if not isinstance(row["before"], list):
            raise BijdehandError(f"{path}: write what was said before {row['text']!r} as a list of messages.")
        before = tuple(map(str, row["before"]))
        follow_ups.append(FollowUp(before, str(row["text"]), language_in(row), row["article"], str(row["kind"])))
    return follow_ups


def retrieval(
    articles: Sequence[Article],
    queries: Sequence[Query],
    qrels: Qrels,
    embedder: Embedder,
    confidence: Confidence,
    *,
    no_answer: Sequence[Query] = (),
    progress: Progress = lambda done, total: None,
) -> RetrievalReport:
    """Search with every leg; queries without a right article in `qrels` are left out."""
    asked = [query for query in queries if query.id in qrels]
    if not asked:
        raise BijdehandError("None of these questions has a right article in the qrels: check --select and the ids.")
    run = _Run()
    for group, members in _by_group(asked, no_answer):
        part = [article for article in articles if not group or article.id.startswith(f"{group}-")]
        if not part:
            raise BijdehandError(f"No article id starts with {group!r}-, the group of some of the questions.")
        index = Index(snapshot_of(part, embedder, progress=progress))
        nothing = [query for query in no_answer if query.group == group]
        _search_all(run, index, members, nothing, embedder)
    languages = sorted({query.language for query in asked})
    subsets: dict[str, list[Query]] = {
        language: [query for query in asked if query.language == language] for language in languages
    }
    subsets["all"] = asked
    return RetrievalReport(
        model=embedder.name,
        articles=len(articles),
        queries={name: len(members) for name, members in subsets.items()},
        results={
            name: {leg: _measure(members, run.ranked[leg], qrels) for leg in LEGS} for name, members in subsets.items()
        },
        refusal=_refusal(asked, run, qrels, confidence) if no_answer else None,
    )


def follow_ups(
    articles: Sequence[Article],
    asked: Sequence[FollowUp],
    embedder: Embedder,
    confidence: Confidence,
    *,
    terms: Sequence[Term] = (),
    progress: Progress = lambda done, total: None,
) -> FollowUpReport:
    """Search each for itself, and again as the desk does, with what was said before."""
    index = Index(snapshot_of(articles, embedder, terms=terms, progress=progress))
    results: dict[str, dict[str, dict[str, FollowUpScore]]] = {}
    for language, kind in dict.fromkeys((one.language, one.kind) for one in asked):
        members = [one for one in asked if (one.language, one.kind) == (language, kind)]
        alone = [search(index, one.text, embedder.read_query(one.text), language=language) for one in members]
        context = [
            _in_context(index, one, found, embedder, confidence) for one, found in zip(members, alone, strict=True)
        ]
        scores = {"alone": _score(members, alone, confidence), "context": _score(members, context, confidence)}
        results.setdefault(language, {})[kind] = scores
    return FollowUpReport(embedder.name, len(articles), results)


def _in_context(index: Index, one: FollowUp, alone: Found, embedder: Embedder, confidence: Confidence) -> Found:
    wider = searched_text(one.text, one.before)
    if wider is None:
        return alone
    return better(alone, look_up(index, wider, embedder, language=one.language), confidence)


def _score(asked: Sequence[FollowUp], found: Sequence[Found], confidence: Confidence) -> FollowUpScore:
    titles = [[hit.article.group for hit in one.hits[:_TITLES]] for one in found]
    right = [one.article in shown[:1] for one, shown in zip(asked, titles, strict=True)]
    bands = [confidence.band(confidence.of(one)) for one in found]
    return FollowUpScore(
        messages=len(asked),
        first=sum(right),
        among_three=sum(one.article in shown for one, shown in zip(asked, titles, strict=True)),
        answered_right=sum(band is Band.ANSWER and led for band, led in zip(bands, right, strict=True)),
        answered_wrong=sum(band is Band.ANSWER and not led for band, led in zip(bands, right, strict=True)),
        suggestions=bands.count(Band.POSSIBLE),
        unanswered=bands.count(Band.UNLIKELY),
    )


def _search_all(run: _Run, index: Index, asked: Sequence[Query], nothing: Sequence[Query], embedder: Embedder) -> None:
    for query in asked:
        asked_as = embedder.read_query(query.text)
        for leg, weights in LEGS.items():
            run.ranked[leg][query.id] = search(
                index, query.text, asked_as, language=query.language, most=_DEPTH, weights=weights
            )
    for query in nothing:
        asked_as = embedder.read_query(query.text)
        run.nothing.append(search(index, query.text, asked_as, language=query.language, most=_DEPTH))


def _measure(asked: Sequence[Query], ranked: dict[str, Found], qrels: Qrels) -> dict[str, float]:
    import ir_measures

    judged = [ir_measures.Qrel(query.id, article, 1) for query in asked for article in sorted(qrels[query.id])]
    # Places instead of scores: equal scores would be ordered by id otherwise.
    scored = [
        ir_measures.ScoredDoc(query.id, hit.article.id, float(_DEPTH - place))
        for query in asked
        for place, hit in enumerate(ranked[query.id].hits)
    ]
    measures = {name: ir_measures.parse_measure(code) for name, code in MEASURES.items()}
    found = ir_measures.calc_aggregate(list(measures.values()), judged, scored)
    return {name: float(found[measure]) for name, measure in measures.items()}


def _refusal(asked: Sequence[Query], run: _Run, qrels: Qrels, confidence: Confidence) -> Refusal:
    found = [run.ranked["hybrid"][query.id] for query in asked]
    chances = [confidence.of(one) for one in found]
    right = [
        bool(one.hits) and one.hits[0].article.id in qrels[query.id] for query, one in zip(asked, found, strict=True)
    ]
    of_nothing = [confidence.of(one) for one in run.nothing]
    return Refusal(
        answerable=_shares(chances, confidence),
        unanswerable=_shares(of_nothing, confidence),
        auroc_answerable=_auroc([True] * len(chances) + [False] * len(of_nothing), chances + of_nothing),
        auroc_right=_auroc(right + [False] * len(of_nothing), chances + of_nothing),
    )


def _shares(chances: Sequence[float], confidence: Confidence) -> dict[str, float]:
    bands = [confidence.band(chance) for chance in chances]
    return {name: bands.count(band) / max(len(bands), 1) for band, name in _OUTCOME.items()}


def _auroc(labels: Sequence[bool], chances: Sequence[float]) -> float | None:
    """None where there is only one kind."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, chances)) if len(set(labels)) > 1 else None


def _by_group(asked: Sequence[Query], no_answer: Sequence[Query]) -> Iterator[tuple[str, list[Query]]]:
    """The labelled questions of every group that any question is asked of."""
    for group in sorted({query.group for query in (*asked, *no_answer)}):
        yield group, [query for query in asked if query.group == group]
