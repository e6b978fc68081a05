"""What words mean: read from a file, applied to a question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import ArticleError
from knowledge.glossary import FILE, Glossary, Term, read_terms, terms_for, written

KLNT = Term("klnt", "klant", "nl", "abbreviation")
GSM = Term("gsm", "mobiel nummer", "nl", "flemish")
CO = Term("co alarm", "carbon monoxide", "en")
TERMS = st.lists(
    st.builds(
        Term,
        st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=12).filter(
            lambda text: text.strip() == text and text != ""
        ),
        st.just("klant"),
        st.sampled_from(["nl", "en"]),
        st.sampled_from(["abbreviation", "synonym", "colloquial", "flemish"]),
    ),
    unique_by=lambda one: (one.said, one.language),
    max_size=6,
)


def applied(text, language="nl", terms=(KLNT, GSM, CO)):
    return Glossary(terms).applied(text, language)


def test_an_abbreviation_is_written_out_and_another_word_is_added():
    assert applied("Klnt heeft nieuwe gsm") == "klant heeft nieuwe gsm mobiel nummer"


def test_what_is_said_already_is_not_added():
    assert applied("gsm is het mobiel nummer") == "gsm is het mobiel nummer"
    assert applied("gsm of gsm") == "gsm of gsm mobiel nummer"


@pytest.mark.parametrize("text", ["gsms", "e-gsm", "gsm-toestel", "xklnt"])
def test_only_whole_words_count(text):
    assert applied(text) == text


def test_each_language_has_its_own_words():
    assert applied("co alarm", "en") == "co alarm carbon monoxide"
    assert applied("co alarm", "nl") == "co alarm"


def test_the_longest_word_counts():
    terms = (Term("co", "company", "en", "abbreviation"), CO)
    assert applied("the co alarm rings", "en", terms) == "the co alarm rings carbon monoxide"


@given(st.text(max_size=60), TERMS, st.sampled_from(["nl", "en"]))
def test_any_text_can_be_read_with_any_words(text, terms, language):
    read = Glossary(terms).applied(text, language)
    if all(one.kind != "abbreviation" for one in terms):
        assert read.startswith(text)


@given(st.text())
def test_without_words_a_question_stays_as_it_is(text):
    assert applied(text, terms=()) == text


@given(TERMS)
def test_what_is_written_is_read_again(tmp_path_factory, terms):
    path = tmp_path_factory.mktemp("glossary") / FILE
    path.write_bytes(written(terms).encode("utf-8"))
    assert read_terms(path) == terms


def test_the_nearest_glossary_at_or_above_what_is_read_counts(tmp_path):
    (tmp_path / FILE).write_text("said,official,language,kind\nklnt,klant,nl,abbreviation\n", encoding="utf-8")
    (tmp_path / "nl").mkdir()
    assert terms_for([tmp_path / "nl", tmp_path]) == (KLNT,)
    assert terms_for([tmp_path.parent]) == ()


@pytest.mark.parametrize("row", ["klnt,,nl,abbreviation", "klnt,klant,de,synonym", "klnt,klant,nl,afkorting", ",x,nl,"])
def test_a_line_that_is_wrong_is_named(tmp_path, row):
    path = tmp_path / FILE
    path.write_text(f"said,official,language,kind\ngsm,mobiel nummer,nl,flemish\n{row}\n", encoding="utf-8")
    with pytest.raises(ArticleError, match=r"glossary\.csv:3: Write said, official"):
        read_terms(path)


def test_what_is_no_word_but_a_story_is_not_taken(tmp_path):
    path = tmp_path / FILE
    path.write_text(f"said,official,language\n{'a' * 61},klant,nl\n", encoding="utf-8")
    with pytest.raises(ArticleError, match="Keep it to 60 characters"):
        read_terms(path)


def test_the_kind_may_be_left_out(tmp_path):
    path = tmp_path / FILE
    path.write_text("said,official,language\ngsm,mobiel nummer,nl\n", encoding="utf-8")
    assert read_terms(path) == [Term("gsm", "mobiel nummer", "nl", "synonym")]


def test_what_is_no_text_is_a_sentence(tmp_path):
    path = tmp_path / FILE
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArticleError, match="cannot be read"):
        read_terms(path)
