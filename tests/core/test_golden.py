from dataclasses import replace

import pytest
from conftest import article

from core.errors import BijdehandError
from core.golden import Golden, ask_golden, read_golden
from core.model import Answer, Card, Outcome, Suggestion

GAS = Golden("gas-1", "klant ruikt gas", "nl", "gas", "question")
MOVE = Golden("move-1", "cust moving", "en", "move", "chat")
BREAD = Golden("near-1", "bananenbrood", "nl", None, "near", "gas")


def given(outcome, *titles):
    """What the desk says; the first title is the card where there is an answer."""
    card = Card(titles[0], 1, "", "nl", "", critical=False, first=(), more=()) if outcome is Outcome.ANSWERED else None
    others = titles[1:] if card else titles
    return Answer("a", outcome, "nl", "", card=card, alternatives=tuple(Suggestion(one, one, "nl") for one in others))


def report(*pairs):
    answers = {question.id: answer for question, answer in pairs}
    return ask_golden(
        [question for question, _ in pairs],
        lambda one: answers[one.id],
        group_of=lambda article_id: article_id.removesuffix("-en"),
        model="m",
        articles=2,
    )


def values(found, language="all", kind="all"):
    return {name: share.value for name, share in found.figures[language][kind].items()}


def test_an_article_and_its_translation_are_the_same_answer():
    found = report((MOVE, given(Outcome.ANSWERED, "move-en", "gas")))
    assert (found.given[0].place, found.given[0].first) == (1, "move")
    assert values(found)["answered_right"] == 1


def test_each_question_counts_for_what_it_got():
    found = report(
        (GAS, given(Outcome.ANSWERED, "gas")),
        (replace(GAS, id="gas-2"), given(Outcome.ANSWERED, "move", "gas")),
        (replace(GAS, id="gas-3"), given(Outcome.SUGGESTIONS, "a", "b", "c", "gas")),
        (MOVE, given(Outcome.UNANSWERED, "move")),
    )
    assert [one.place for one in found.given] == [1, 2, 4, 1]
    assert values(found) == {
        "first": 0.5,
        "among_three": 0.75,
        "answered_right": 0.25,
        "answered_wrong": 0.25,
        "suggestions": 0.25,
        "unanswered": 0.25,
    }
    assert values(found, "en", "chat")["first"] == 1
    assert found.questions == {
        "nl": {"all": 3, "question": 3},
        "en": {"all": 1, "chat": 1},
        "all": {"all": 4, "question": 3, "chat": 1},
    }


def test_a_question_that_has_no_answer_is_well_served_by_none():
    found = report((BREAD, given(Outcome.UNANSWERED)), (replace(BREAD, id="near-2"), given(Outcome.ANSWERED, "gas")))
    assert values(found, "nl", "near") == {"answered_wrong": 0.5, "suggestions": 0, "unanswered": 0.5}
    assert values(found, "nl", "nothing") == values(found, "nl", "near")
    assert "all" not in found.figures["nl"]


def test_an_interval_is_as_wide_as_the_articles_are_few_however_many_questions_they_have():
    def half_right(articles, each):
        asked = [replace(GAS, id=f"{a}-{n}", article=str(a)) for a in range(articles) for n in range(each)]
        got = (given(Outcome.ANSWERED, one.article if int(one.article) % 2 else "other") for one in asked)
        return report(*zip(asked, got, strict=True)).figures["all"]["all"]["first"]

    few, many = half_right(4, 50), half_right(100, 2)
    assert few.value == many.value == 0.5
    assert few.low < many.low < 0.5 < many.high < few.high


def test_all_of_few_is_no_certainty():
    share = report((GAS, given(Outcome.ANSWERED, "gas"))).figures["nl"]["question"]["first"]
    assert share.value == 1
    assert share.low < 0.5


def test_golden_questions_are_read_and_faults_are_named(tmp_path):
    path = tmp_path / "golden.jsonl"
    path.write_text(
        '{"id": "gas-1", "text": "klant ruikt gas", "lang": "nl", "article": "gas", "kind": "question"}\n'
        '{"id": "near-1", "text": "bananenbrood", "lang": "nl", "article": null, "kind": "near", "near": "gas"}\n'
    )
    assert read_golden(path) == [GAS, BREAD]
    path.write_text('{"id": "gas-1", "text": "x", "kind": "question"}\n')
    with pytest.raises(BijdehandError, match="line 1: article is missing"):
        read_golden(path)


def test_a_desk_answers_golden_questions(make_desk_of):
    desk_ask = make_desk_of(article("---\ntitle: Klant ruikt gas\n---\nGa naar buiten.\n", "gas"))
    found = ask_golden([GAS], desk_ask, group_of=str, model="m", articles=1)
    assert found.given[0].first == "gas"


@pytest.fixture
def make_desk_of(store):
    from conftest import make_desk

    from core.model import Person, Question

    def of(*articles):
        desk = make_desk(store, articles)
        return lambda one: desk.ask(Question(one.text, Person("p")))

    return of
