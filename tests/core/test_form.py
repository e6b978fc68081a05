"""The form of an article: whatever is typed makes an article or a sentence next to a field."""

from dataclasses import replace

import pytest
from conftest import AMSTERDAM, TODAY, article
from hypothesis import given
from hypothesis import strategies as st

from core.form import QUICK, FormError, article_from, fields, filled_of, from_quick, new_id, quick
from core.words import words
from knowledge.article import Kind
from knowledge.markdown import dump, parse
from knowledge.moment import Moment

ALL = [field.name for field in fields({}, "nl", quick=False)]
STARTER = """---
id: goedmaken
title: Goedmaken # van Team Klachten
aliases: [tegoed]
moments: [apply, more]
owner: Team Klachten
verified: 2026-10-05
---
## In het kort
Ja, tot € 75.

## Stappen
1. Vraag wat nodig is.

## Eigen kop
Blijft zoals het is.
"""
any_text = st.text(max_size=60) | st.sampled_from(
    ["## Stappen", "---", "===", "nl,en", "2026-13-01", "apply,apply", "# x"]
)


def made(filled, before=None, language="nl"):
    return article_from(filled, before, article_id="nieuw", language=language, zone=AMSTERDAM)


def outcome(filled, before=None):
    """The article, or what is wrong with the fields."""
    try:
        return made(filled, before), {}
    except FormError as error:
        return None, error.errors


@given(st.dictionaries(st.sampled_from(ALL), any_text))
def test_any_input_makes_a_valid_article_or_errors_next_to_fields(filled):
    for before in (None, article(STARTER)):
        found, errors = outcome(filled, before)
        assert (found is None) == bool(errors)
        assert set(errors) <= set(ALL)
        assert all(f"coach.error.{key}" in words("nl") for key in errors.values())
        if found:
            assert found.title.strip()
            read = parse(dump(found), fallback_id=found.id)
            assert replace(read, front=found.front) == found


@given(st.dictionaries(st.sampled_from(QUICK), st.text(max_size=120), min_size=2))
def test_of_two_fields_nothing_that_was_typed_is_lost(filled):
    found, errors = outcome(from_quick(filled))
    assert (found is None) == bool(errors)
    if found:
        body = "".join(quick(found, "Anna", TODAY.date()).body.split())
        assert all(word in body for word in filled["answer"].split() if word.isalnum())


def test_a_form_that_was_not_touched_changes_nothing():
    before = article(STARTER)
    assert made(filled_of(before, AMSTERDAM), before) == before
    assert dump(made(filled_of(before, AMSTERDAM), before)) == STARTER


def test_only_what_was_changed_differs():
    before = article(STARTER)
    after = dump(made(filled_of(before, AMSTERDAM) | {"steps": "1. Bel de klant.", "topic": "Klachten"}, before))
    assert after == STARTER.replace("1. Vraag wat nodig is.", "1. Bel de klant.").replace(
        "verified: 2026-10-05\n", "verified: 2026-10-05\ntopic: Klachten\n"
    )


def test_a_new_section_stands_in_its_place_in_the_skeleton():
    found = made(filled_of(article(STARTER), AMSTERDAM) | {"say": '"Ik regel het."'}, article(STARTER))
    assert [one.title for one in found.sections] == ["In het kort", "Stappen", "Zo zeg je het", "Eigen kop"]


def test_a_heading_that_is_typed_in_a_field_begins_no_section():
    found = made({"title": "T", "steps": "1. Een.\n## Achtergrond\nVals.\n---"})
    assert [one.kind for one in parse(dump(found), fallback_id="x").sections] == [Kind.STEPS]


@pytest.mark.parametrize(
    ("name", "typed", "key"),
    [
        ("title", " ", "title"),
        ("language", "de", "choose"),
        ("moments", "soms", "choose"),
        ("training", "geen link", "link"),
        ("effective_from", "31-12-2026", "day"),
        ("verify_every", "0", "interval"),
        ("wordings", "\n".join(map(str, range(13))), "many"),
    ],
)
def test_what_is_wrong_has_a_sentence_of_its_own(name, typed, key):
    with pytest.raises(FormError) as caught:
        made({"title": "T", "verdict": "Ja."} | {name: typed})
    assert caught.value.errors == {name: key}


def test_fields_have_words_in_both_languages():
    for language in ("nl", "en"):
        shown = fields({"moments": "apply"}, language, quick=False, errors={"title": "title"})
        assert all(field.label for field in shown)
        assert next(field for field in shown if field.name == "title").error
        moments = next(field for field in shown if field.name == "moments")
        assert {option.value for option in moments.options} == {str(moment) for moment in Moment}


@given(st.text(max_size=80), st.sets(st.sampled_from(["antwoord", "t", "t-2", "verhuizing"])))
def test_an_id_is_plain_and_free(title, taken):
    found = new_id(title, taken)
    assert found not in taken
    assert found.replace("-", "").isalnum()
    assert found.isascii()
