"""The starter knowledge is good enough to work from, and what is wrong with it is wrong on purpose."""

import json
from collections import Counter

import pytest
from conftest import AMSTERDAM, TODAY

from core.boot import SEEDS
from core.card import card_of
from core.model import Outcome, Person, Question
from knowledge.article import Kind
from knowledge.lint import lint
from knowledge.moment import Moment
from knowledge.shape import FIRST_SCREEN_STEPS, FIRST_SCREEN_WORDS
from knowledge.text import count_words, items

PLANTED = {
    ("nl/termijnbedrag.md", "overdue"),
    ("en/termijnbedrag.md", "overdue"),
    ("nl/zoektijd-overbruggen.md", "missing-translation"),
    ("en/meterstand-afwijkend.md", "late-translation"),
    ("en/meterstand-afwijkend.md", "overdue"),
    ("nl/tariefwijziging.md", "no-steps"),
    ("en/tariefwijziging.md", "no-steps"),
    ("nl/storing-kompas.md", "expires"),
    ("en/storing-kompas.md", "expires"),
}
CRITICAL = {"gas-ruiken", "co-melder", "zelfdoding", "bedreiging", "medisch-apparaat"}


def rows(name):
    return [json.loads(line) for line in (SEEDS / name).read_text(encoding="utf-8").splitlines() if line.strip()]


def test_the_only_flaws_are_the_planted_ones():
    findings = {
        ("/".join(str(finding.path).split("/")[-2:]), finding.rule) for finding in lint(SEEDS / "articles", now=TODAY)
    }
    assert findings == PLANTED


def test_there_are_pairs_in_both_languages(starter_articles):
    languages = Counter(article.language for article in starter_articles)
    pairs = Counter(article.group for article in starter_articles)
    assert min(languages.values()) >= 25
    assert sum(count == 2 for count in pairs.values()) >= 25


def test_the_safety_articles_are_there_and_critical_in_both_languages(starter_articles):
    assert Counter(article.group for article in starter_articles if article.critical) == dict.fromkeys(CRITICAL, 2)


def test_at_least_four_articles_hold_a_real_change(starter_articles):
    changed = {article.group for article in starter_articles if article.changes}
    assert len(changed) >= 4
    assert all(change.old for article in starter_articles for change in article.changes)


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("level", ["", "junior", "medewerker", "senior"])
def test_every_first_screen_fits(starter_articles, moment, level):
    for article in starter_articles:
        card = card_of(
            article, moment, person=Person("p", level=level), language=article.language, now=TODAY, zone=AMSTERDAM
        )
        assert sum(count_words(part.text) for part in card.first) <= FIRST_SCREEN_WORDS, article.id
        for part in card.first:
            if part.kind is Kind.STEPS:
                assert len(items(part.text)) <= FIRST_SCREEN_STEPS
                assert all(count_words(step) <= 12 for step in items(part.text)), article.id
            if part.kind is Kind.VERDICT:
                assert count_words(part.text) <= 15, article.id


def test_a_first_screen_in_one_of_the_articles_own_moments_hides_no_sentence_to_say(starter_articles):
    for article in starter_articles:
        for moment in article.moments:
            if moment in {Moment.APPLY, Moment.CHANGE, Moment.SOLVE} and article.section(Kind.SAY):
                card = card_of(
                    article, moment, person=Person("p"), language=article.language, now=TODAY, zone=AMSTERDAM
                )
                assert Kind.SAY in {part.kind for part in card.first}, (article.id, moment)


def test_the_moments_are_labelled_evenly_in_both_languages():
    counts = Counter((row["lang"], row["moment"]) for row in rows("moments.jsonl"))
    assert len(counts) == 12
    assert set(counts.values()) == {25}


def test_law_is_named_where_an_article_says_law(starter_articles):
    for article in starter_articles:
        if article.basis.startswith(("wet", "law")):
            assert ":" in article.basis, article.id


def group(article_id):
    return article_id.removesuffix("-en")


def asked(desk, row):
    answer = desk.answer(Question(row["text"], Person("somebody")))
    shown = [answer.card.article_id] if answer.card else []
    return answer, [group(one) for one in (*shown, *(other.article_id for other in answer.alternatives))]


def alarms(desk, messages):
    """The harmless messages that were answered with a critical article."""
    answers = [(row["text"], asked(desk, row)[0]) for row in messages]
    return [text for text, answer in answers if answer.card and answer.card.critical]


@pytest.mark.model
@pytest.mark.parametrize("language", ["nl", "en"])
def test_danger_is_answered_right_however_it_is_put(starter_desk, language):
    wrong = []
    for row in rows("critical.jsonl"):
        if row["lang"] == language:
            answer, shown = asked(starter_desk, row)
            right = (answer.outcome, answer.moment, shown[:1]) == (
                Outcome.ANSWERED,
                Moment.APPLY,
                [row["article"]],
            )
            if not right:
                wrong.append((row["text"], answer.outcome, shown))
    assert wrong == []


@pytest.mark.model
def test_what_only_sounds_like_danger_is_hardly_ever_taken_for_it(starter_desk):
    assert len(alarms(starter_desk, rows("critical_controls.jsonl"))) <= 6


@pytest.mark.model
def test_no_title_or_alias_of_an_ordinary_article_is_taken_for_danger(starter_desk, starter_articles):
    names = [{"text": name} for one in starter_articles if not one.critical for name in (one.title, *one.aliases)]
    assert alarms(starter_desk, names) == []


@pytest.mark.model
def test_danger_is_spotted_in_words_that_nobody_who_wrote_the_signals_had_seen(starter_desk):
    """The honest figure, since the phrases themselves were written to be spotted."""
    held_out = rows("critical_heldout.jsonl")
    danger = [row for row in held_out if row["article"]]
    right = [row for row in danger if asked(starter_desk, row)[1][:1] == [row["article"]]]
    assert len(right) >= 0.93 * len(danger)
    assert len(alarms(starter_desk, [row for row in held_out if not row["article"]])) <= 9


@pytest.mark.model
@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_right_article_is_among_three_for_questions_that_avoid_its_words(starter_desk, language):
    questions = [row for row in rows("questions.jsonl") if row["lang"] == language and row["article"]]
    found = [row for row in questions if row["article"] in asked(starter_desk, row)[1][:3]]
    assert len(questions) == 20
    assert len(found) >= 17


@pytest.mark.model
@pytest.mark.parametrize("language", ["nl", "en"])
def test_what_we_cannot_know_is_refused(starter_desk, language):
    off_topic = [row for row in rows("questions.jsonl") if row["lang"] == language and not row["article"]]
    outcomes = Counter(asked(starter_desk, row)[0].outcome for row in off_topic)
    assert outcomes[Outcome.ANSWERED] == 0
    assert outcomes[Outcome.UNANSWERED] >= 8
