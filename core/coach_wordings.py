"""Questions that an answer helped become ways to ask for its article, once a coach agrees."""

from dataclasses import replace

from core.desk import Desk
from core.form import MOST_WORDINGS
from core.model import Answer
from core.screens import Asked, Button, Entry, Line, Panel, Screen, Told, Work
from core.words import say
from knowledge.article import Article

_MOST = 10
_WORDS = range(2, 31)  # one word is too bare to tell one article from another, and a story is not asked twice


class Wordings:
    """One article finds other questions much better by one that was really asked than by how it is written."""

    def __init__(self, desk: Desk) -> None:
        """The desk knows."""
        self._desk = desk
        self.work: dict[str, Work] = {
            "wordings": self._wordings,
            "wording_keep": self._keep,
            "wording_leave": self._leave,
        }

    def waiting(self) -> list[tuple[Answer, Article]]:
        """Questions that helped, with the article that they might be known by; who asked is not told."""
        articles = {one.id: one for one in self._desk.index().articles}
        found = []
        for answer in self._desk.store.helped():
            article = articles.get(answer.card.article_id) if answer.card else None
            if article and _fits(answer, article):
                found.append((answer, article))
        return found

    def _wordings(self, asked: Asked) -> Screen:
        language = asked.language
        entries = tuple(
            Entry(
                answer.question,
                article.title,
                (
                    Button(say("wording.keep", language), "wording_keep", answer.id, primary=True),
                    Button(say("wording.leave", language), "wording_leave", answer.id),
                ),
            )
            for answer, article in self.waiting()[:_MOST]
        )
        about = Line(say("wording.about" if entries else "wording.none", language))
        return Panel(say("coach.panel.wordings", language), language, (about, *entries))

    def _keep(self, asked: Asked) -> Screen:
        answer = self._desk.store.answer(asked.about)
        if answer.card:
            article = self._desk.store.article(answer.card.article_id)
            if _fits(answer, article):
                changed = replace(article, aliases=(*article.aliases, answer.question))
                if not self._desk.publish(changed, "edited", asked.person.id):
                    return Told(say("error.busy", asked.language), asked.language)
        self._desk.store.settle_wording(answer.id, self._desk.now())
        return self._wordings(asked)

    def _leave(self, asked: Asked) -> Screen:
        self._desk.store.settle_wording(asked.about, self._desk.now())
        return self._wordings(asked)


def _fits(answer: Answer, article: Article) -> bool:
    """Nothing scrubbed, not known yet, in the article's language; what danger is called is for two coaches."""
    known = {text.casefold() for text in (article.title, *article.aliases)}
    return (
        len(answer.question.split()) in _WORDS
        and "[" not in answer.question
        and not article.critical
        and answer.language == article.language
        and answer.question.casefold() not in known
        and len(article.aliases) < MOST_WORDINGS
    )
