import re
from datetime import date

import pytest

from core.words import say, say_date, say_month, words

NAMES = re.compile(r"\{(\w+)\}")
BOTH = ("nl", "en")


def test_both_languages_have_the_same_sentences():
    assert words("nl").keys() == words("en").keys()


@pytest.mark.parametrize("key", sorted(words("nl")))
def test_a_sentence_is_written_and_names_the_same_things_in_both_languages(key):
    dutch, english = (words(language)[key] for language in BOTH)
    assert dutch.strip()
    assert english.strip()
    assert set(NAMES.findall(dutch)) == set(NAMES.findall(english))


@pytest.mark.parametrize(("key", "sentence"), sorted(words("nl").items()))
def test_colleagues_are_addressed_as_je(key, sentence):
    if key not in {"answer.bridge", "thanks.words"}:  # the one is said to the customer, the other typed by anybody
        assert not re.search(r"\b[Uu]w?\b", sentence)


@pytest.mark.parametrize("sentence", [*words("nl").values(), *words("en").values()])
def test_no_word_from_behind_the_scenes_is_shown(sentence):
    assert not re.search(r"\b(database|index|embedding|exception|traceback|null|None|API)\b", sentence)


def test_braces_in_what_is_filled_in_stay_as_they_are():
    assert "{date}" in say("changed.who", "nl", who="klanten met {date}")


def test_dates_are_written_out():
    day = date(2026, 3, 1)
    assert say_date(day, "nl") == "1 maart 2026"
    assert say_date(day, "en") == "1 March 2026"
    assert say_month(day, "nl") == "maart 2026"
