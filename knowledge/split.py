"""Articles cut into passages: what helps search is smaller than what helps reading.

Sixty words, and a title that is a passage of its own, were measured: the title is what makes a question in the other
language find the article.
"""

import re
from collections.abc import Iterator

from knowledge.article import Article, Kind, Passage, Section

PASSAGE_WORDS = 60
WHOLE_CHARACTERS = 2000

_ENOUGH = PASSAGE_WORDS / 3  # from here on a heading starts a new passage
_HEADING_WORDS = 12
# The expressions of the study that these numbers come from; a better one would have to be measured again.
_SENTENCE = re.compile(r'(?<=[.!?])\s+(?=[A-ZÀ-Ý0-9"‘“(\-])')
_NO_HEADING = re.compile(r"[-*•]|\d+[.)]|.*[.!?;:,]$", re.DOTALL)


def passages(article: Article) -> tuple[Passage, ...]:
    """The title, every alias and the body in pieces of at most sixty words; none for an article without text."""
    texts = [piece for name in (article.title, *article.aliases) for piece in _pieces(name)]
    return tuple(Passage(article.id, text) for text in (*texts, *_merged(article)))


def whole(article: Article) -> str:
    """The article as one text, no longer than a model reads."""
    return searched(article)[:WHOLE_CHARACTERS]


def searched(article: Article) -> str:
    """All that an article is found by: what every article says alike tells nothing about this one.

    Left out are the headings that we know, and whom to identify.
    """
    said = [section.text if section.kind else section.heading + section.text for section in _telling(article)]
    return "\n".join([article.title, *said] if article.title else said)


def _telling(article: Article) -> Iterator[Section]:
    return (section for section in article.sections if section.kind is not Kind.IDENTIFY)


def _merged(article: Article) -> Iterator[str]:
    """Pieces put together while they fit; a heading opens a new passage once there is enough in this one."""
    current: list[str] = []
    size = 0
    for piece, opens in _units(article):
        words = len(piece.split())
        if current and (size + words > PASSAGE_WORDS or (opens and size >= _ENOUGH)):
            yield "\n".join(current)
            current, size = [], 0
        current.append(piece)
        size += words
    if current:
        yield "\n".join(current)


def _units(article: Article) -> Iterator[tuple[str, bool]]:
    """Headings and lines, each with whether a passage may open with it; lines that are too long in pieces."""
    for section in _telling(article):
        if section.kind is None:
            yield from ((piece, True) for piece in _pieces(section.title))
        opens = section.kind is not None
        for line in re.split(r"[\r\n]+", section.text):
            pieces = _pieces(line.strip())
            for piece in pieces:
                yield piece, opens or (len(pieces) == 1 and _looks_like_heading(piece))
                opens = False


def _pieces(line: str) -> list[str]:
    """A line, else its sentences, each cut at words where it alone is too long."""
    if len(line.split()) <= PASSAGE_WORDS:
        return [line] if line.strip() else []
    return [piece for sentence in _SENTENCE.split(line) for piece in _cut(sentence)]


def _cut(sentence: str) -> list[str]:
    words = sentence.split()
    if len(words) <= PASSAGE_WORDS:
        return [sentence]
    return [" ".join(words[start : start + PASSAGE_WORDS]) for start in range(0, len(words), PASSAGE_WORDS)]


def _looks_like_heading(line: str) -> bool:
    """Short and without punctuation, as headings are in text that lost its marks."""
    return len(line.split()) <= _HEADING_WORDS and not _NO_HEADING.match(line)
