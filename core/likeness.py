"""Whether two questions are the same one, and whether a new answer is about what an article is about already."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.embed import Embedder, Vector
from core.index import Index
from core.language import told_language
from core.search import search
from knowledge.article import Article

_NEVER = 2.0  # no cosine is that high: an unmeasured model only knows equal questions


@dataclass(frozen=True, slots=True)
class Likeness:
    """From which cosine on two questions are the same one, and a question and an article are about the same."""

    same: float = _NEVER
    resembles: float = _NEVER

    def nearest(self, asked: tuple[str, Vector], groups: Mapping[int, Sequence[tuple[str, Vector]]]) -> int | None:
        """The group that a question belongs to: the one with the question that is most like it, if that is enough."""
        best, found = self.same, None
        for number, questions in groups.items():
            for text, vector in questions:
                if _plain(text) == _plain(asked[0]):
                    return number
                cosine = float(vector @ asked[1])
                if cosine >= best:
                    best, found = cosine, number
        return found


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .!?")


def likeness_for(embedder_name: str) -> Likeness:
    """What was measured for this model."""
    return _MEASURED.get(embedder_name.partition("@")[0], Likeness())


def resembling(
    index: Index,
    embedder: Embedder,
    wordings: Sequence[str],
    *,
    allowed: Callable[[Article], bool] = lambda article: True,
    most: int = 3,
) -> list[Article]:
    """The articles that a new answer resembles enough to be added to one of them instead, the likeliest first."""
    from_score = likeness_for(embedder.name).resembles
    best: dict[str, tuple[float, Article]] = {}
    for text in wordings:
        language = told_language(text) or "nl"
        for hit in search(index, text, embedder.query(text), language=language, allowed=allowed).hits[:most]:
            if hit.score >= max(from_score, best.get(hit.article.group, (0.0,))[0]):
                best[hit.article.group] = hit.score, hit.article
    return [article for _, article in sorted(best.values(), key=lambda one: -one[0])][:most]


_MEASURED = {"intfloat/multilingual-e5-small": Likeness(same=0.93, resembles=9.0)}
