import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.commands import Command, Name, read_command
from core.words import phrases

WORDS = [
    (Name.HELP, "help", "hulp", "?", "Help"),
    (Name.TOPICS, "topics", "onderwerpen", "ONDERWERPEN"),
    (Name.OVERVIEW, "overview", "overzicht", " overzicht \n"),
    (Name.HERE, "here", "hier"),
    (Name.HERE_ON, "here on", "hier aan", "Hier  Aan", "here aan"),
    (Name.HERE_OFF, "here off", "hier uit", "HERE OFF"),
]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, *texts in WORDS for text in texts])
def test_a_command_is_understood_in_either_language_however_it_is_written(name, text):
    assert read_command(text) == Command(name)


@pytest.mark.parametrize("text", ["open nl/Verhuizen", "OPEN  nl/Verhuizen "])
def test_an_id_is_kept_as_it_was_typed(text):
    assert read_command(text) == Command(Name.OPEN, "nl/Verhuizen")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "open",
        "open de factuur",
        "on",
        "aan",
        "hier iets",
        "hier aan graag",
        "help mij even",
        "help?",
        "topics verhuizen",
        "onderwerp",
        "overzicht van mijn facturen",
        "hoe open ik een factuur",
    ],
)
def test_what_only_looks_like_a_command_is_a_question(text):
    assert read_command(text) is None


def test_one_word_that_may_be_an_id_is_taken_for_one():
    assert read_command("open factuur") == Command(Name.OPEN, "factuur"), "whoever asked finds out whether it is"


def test_no_phrase_means_two_things():
    alone = (Name.HELP, Name.TOPICS, Name.OVERVIEW, Name.OPEN, Name.HERE)
    for names in (alone, (Name.HERE_ON, Name.HERE_OFF)):
        for one, other in itertools.combinations(names, 2):
            assert not phrases(f"command.{one}") & phrases(f"command.{other}")


@pytest.mark.parametrize("name", Name)
def test_every_phrase_is_one_word_as_it_is_compared(name):
    assert all(phrase == phrase.casefold() and phrase.split() == [phrase] for phrase in phrases(f"command.{name}"))


_SAID = st.one_of(st.text(max_size=20), st.sampled_from([text for _, *texts in WORDS for text in texts] + ["open"]))


@given(text=st.lists(_SAID, max_size=4).map(" ".join))
def test_any_text_is_a_command_of_at_most_two_words_or_none(text):
    command = read_command(text)
    assert command is None or len(text.split()) <= 2
    assert command is None or command.name is Name.OPEN or not command.about
