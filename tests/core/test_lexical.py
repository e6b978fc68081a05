from hypothesis import given
from hypothesis import strategies as st

from core.lexical import Postings, content_words, grams, query_words, stems, words

TEXTS = st.text(max_size=200)


def test_a_hyphenated_word_is_found_by_its_parts_and_as_one():
    assert words("CO-melder") == ["co", "melder", "comelder"]


def test_a_possessive_loses_its_tail():
    assert words("foto's van opa’s huis") == ["foto", "van", "opa", "huis"]


def test_question_words_are_dropped_from_a_question():
    assert query_words("hoe kan ik mijn verhuizing doorgeven", "nl", "nl") == ["verhuizing", "doorgeven"]


def test_a_question_of_question_words_alone_keeps_what_it_has():
    assert query_words("welke kunt u doen", "nl", "nl") == ["welke", "kunt"]


def test_an_english_question_loses_its_own_small_words_in_a_dutch_index():
    assert query_words("what is the salderen rule", "en", "nl") == ["salderen", "rule"]


def test_stems_join_the_forms_of_a_word():
    assert stems(["verhuizing", "verhuizingen"], "nl")[0] == stems(["verhuizingen"], "nl")[0]


def test_grams_survive_a_typo():
    right, wrong = set(grams(["termijnbedrag"])), set(grams(["termijnbedrg"]))
    assert len(right & wrong) > len(right) / 2


def test_a_document_that_says_all_scores_more_than_one_that_says_half():
    postings = Postings([["gas", "lek"], ["gas", "prijs"], ["zon"]])
    shares = postings.shares(["gas", "lek"])
    assert shares[0] > shares[1] > shares[2] == 0


def test_a_word_nobody_knows_lowers_every_share():
    postings = Postings([["gas", "lek"], ["zon"]])
    assert postings.shares(["gas", "xyzzy"])[0] < postings.shares(["gas"])[0]


def test_nothing_can_be_searched_for_in_nothing():
    assert Postings([]).shares(["gas"]).shape == (0,)
    assert Postings([[], []]).shares([]).tolist() == [0, 0]


@given(
    st.lists(st.lists(st.sampled_from("abcde"), max_size=8), max_size=6),
    st.lists(st.sampled_from("abcdexyz"), max_size=6),
)
def test_a_share_lies_between_zero_and_one(documents, query):
    shares = Postings(documents).shares(query)
    assert ((shares >= 0) & (shares <= 1)).all()


@given(TEXTS)
def test_any_text_has_words(text):
    found = content_words(text, "nl")
    assert len(stems(found, "nl")) == len(found)
    assert all(3 <= len(gram) <= 5 for gram in grams(found))
