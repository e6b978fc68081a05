import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.language import language_of, language_of_locale, told_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("hoe zat t ook alweer met salderen", "nl"),
        ("mw wil geld terug ivm monteur nt gekomen", "nl"),
        ("mag ik 60 eu goedmaken", "nl"),
        ("cust wants refund", "en"),
        ("is it different now", "en"),
        ("customer smells gas", "en"),
    ],
)
def test_the_language_of_a_chat_message_is_recognised(text, language):
    other = "en" if language == "nl" else "nl"
    assert language_of(text, otherwise=other) == language


@pytest.mark.parametrize("text", ["", "123", "F28", "storing"])
def test_what_is_too_short_to_tell_is_in_the_expected_language(text):
    assert language_of(text, otherwise="nl") == "nl"
    assert language_of(text, otherwise="en") == "en"


@given(st.text(max_size=300))
def test_any_text_has_a_language(text):
    assert language_of(text, otherwise="nl") in {"nl", "en"}


def test_a_locale_tells_a_language_or_nothing():
    assert [language_of_locale(code) for code in ("nl-BE", "en_GB", "fr-FR", "")] == ["nl", "en", None, None]


@pytest.mark.parametrize(
    "text",
    ["klnt wil refund ivm storing", "klnt wil contract cancellen", "incasso storno klnt", "iban incasso mislukt"],
)
def test_dutch_with_english_words_is_not_taken_for_english(text):
    assert language_of(text, otherwise="nl") == "nl"


def test_one_mixed_message_is_not_kept_as_somebodys_language():
    assert told_language("boiler error monteur plannen", to_keep=True) != "en"
    assert told_language("klant wants to cancel contract, 14 dgn", to_keep=True) is None
    assert told_language("how does the customer report that they are moving house?", to_keep=True) == "en"


@pytest.mark.parametrize("text", ["bewindvoerder", "app login issue", "boiler error reset"])
def test_a_word_or_three_are_not_kept_as_somebodys_language(text):
    assert told_language(text, to_keep=True) is None
