"""What tells two articles on one subject apart."""

import pytest
from conftest import article, make_desk, question
from hypothesis import given
from hypothesis import strategies as st

from core.model import Outcome
from core.siblings import Siblings
from core.words import say


def titled(title, article_id="a", language="nl", case=""):
    front = f"applies_when: {case}\n" if case else ""
    return article(f"---\ntitle: {title!r}\n{front}---\nTekst.\n", article_id, language)


def choice(one, other, *more):
    found = [titled(title, str(n)) for n, title in enumerate((one, other, *more))]
    return Siblings(found).choice(*found[:2])


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("Monteur kwam niet", "Monteur plannen of verzetten", ("kwam niet", "plannen of verzetten")),
        ("Huurwoning leeg", "Koopwoning leeg", ("huurwoning", "koopwoning")),
        ("Opzeggen via de IBAN", "Opzeggen via de app", ("IBAN", "app")),
        ("Verhuizing", "Verhuizing met terugwerkende kracht", None),
        ("Klant ruikt gas", "Rekening te hoog", None),
        ("Meterstand: wat nu", "Meterstand van de oude naar de allernieuwste slimme meter overzetten", None),
    ],
)
def test_titles_are_told_apart_by_what_only_one_has(one, other, apart):
    assert choice(one, other) == apart


def test_a_word_that_many_titles_have_is_no_subject():
    others = [f"Klant {word}" for word in ("belt", "mailt", "schrijft", "wacht")]
    assert choice("Klant boos", "Klant blij") == ("boos", "blij")
    assert choice("Klant boos", "Klant blij", *others) is None


def test_the_cases_that_articles_are_for_tell_most():
    found = [titled("Opzeggen", "a", case="vast contract"), titled("Stoppen", "b", case="variabel contract")]
    assert Siblings(found).choice(*found) == ("vast contract", "variabel contract")


def test_two_languages_are_no_siblings():
    found = [titled("Monteur boos", "a"), titled("Monteur busy", "b", "en")]
    assert Siblings(found).choice(*found) is None


@given(st.lists(st.text(min_size=1, max_size=40), min_size=2, max_size=5))
def test_any_titles_can_be_compared(titles):
    found = [article("Tekst.\n", str(n)) for n, _ in enumerate(titles)]
    found = [type(one)(one.id, title, one.sections) for one, title in zip(found, titles, strict=True)]
    apart = Siblings(found).choice(*found[:2])
    assert apart is None or all(apart)


def test_the_desk_asks_which_of_two_as_likely_ones_it_is_and_answers_all_the_same(store):
    meter = "---\ntitle: Meterstand {0}\n---\n## Stappen\n1. Noteer de meterstand.\n"
    desk = make_desk(store, (article(meter.format("doorgeven"), "a"), article(meter.format("ontbreekt"), "b")))
    answer = desk.answer(question("meterstand noteren"))
    assert answer.card
    first, second = answer.card.title.split()[1], answer.alternatives[0].title.split()[1]
    assert answer.message == say("answer.sibling", "nl", one=first, other=second)
    assert answer.outcome in {Outcome.ANSWERED, Outcome.SUGGESTIONS}
    assert desk.answer(question("meterstand ontbreekt")).message != answer.message


def test_nothing_is_asked_where_the_first_is_plainly_ahead(store):
    gas = article("---\ntitle: Gas ruiken\n---\nRaam open.\n", "gas")
    meter = article("---\ntitle: Gas afsluiten\n---\nSpreek een dag af.\n", "meter")
    answer = make_desk(store, (gas, meter)).answer(question("gas ruiken raam open"))
    assert "*ruiken*" not in answer.message
