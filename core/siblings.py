"""Two articles that share a subject: what tells them apart, to ask which of the two is meant."""

from collections import Counter
from collections.abc import Sequence

from core.lexical import content_words, stems
from knowledge.article import Article

_SUBJECT = 4  # titles; what more of them have ("klant") is no subject that two articles share
_LONGEST = 4  # words that tell one from the other; more is no choice at a glance
_BREAKS = ":,;."

Words = list[tuple[str, str]]  # of a title: each word with its stem, or without one where it carries no meaning


class Siblings:
    """Knows of these articles which words are a subject."""

    def __init__(self, articles: Sequence[Article]) -> None:
        """Translations do not count twice: each language has its own."""
        self._titles = {article.id: _marked(article) for article in articles}
        self._counts: dict[str, Counter[str]] = {}
        for article in articles:
            said = {stem for _, stem in self._titles[article.id] if stem}
            self._counts.setdefault(article.language, Counter()).update(said)

    def choice(self, one: Article, other: Article) -> tuple[str, str] | None:
        """For each what the other is not: "doorgeven" and "afwijkend", or the cases that they are for.

        None where they are no siblings, or nothing short tells them apart.
        """
        if one.language != other.language:
            return None
        if one.applies_when and other.applies_when and one.applies_when != other.applies_when:
            return one.applies_when, other.applies_when
        counts = self._counts.get(one.language, Counter())
        ours, theirs = (self._titles.get(article.id, []) for article in (one, other))
        shared = {stem for _, stem in ours if stem} & {stem for _, stem in theirs if stem}
        if not any(counts[stem] <= _SUBJECT for stem in shared):
            return None
        found = _apart(ours, shared), _apart(theirs, shared)
        return found if all(found) else None


def _marked(article: Article) -> Words:
    return [(word, _stem(word, article)) for word in article.title.split()]


def _stem(word: str, article: Article) -> str:
    found = stems(content_words(word, article.language), article.language)
    return found[0] if found else ""


def _apart(title: Words, shared: set[str]) -> str:
    """The stretch of a title that the other does not have; nothing where it has several, or a long one."""
    own = [i for i, (_, stem) in enumerate(title) if stem and stem not in shared]
    if not own:
        return ""
    end = own[-1] + 1
    if not any(stem for _, stem in title[end:]):
        end = len(title)  # "kwam niet"
    stretch = title[own[0] : end]
    broken = any(stem in shared for _, stem in stretch) or any(word[-1] in _BREAKS for word, _ in stretch[:-1])
    if broken or len(stretch) > _LONGEST:
        return ""
    found = " ".join(word for word, _ in stretch).strip(" .,:;?!()")
    return found if found[:2].isupper() else found[:1].lower() + found[1:]
