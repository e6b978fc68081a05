import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import bodies

from knowledge.text import count_words, is_link, items, lines, sentences, spoken, unquoted, without_mark


@given(bodies)
def test_lines_and_items_are_the_text_cut_up(text):
    assert "".join(lines(text)) == text
    assert "".join(items(text)) == (text if text.strip() else "")


@given(bodies)
def test_no_item_is_blank(text):
    assert all(item.strip() for item in items(text))


@given(bodies)
def test_words_are_counted_the_same_in_items_as_in_the_whole(text):
    assert sum(map(count_words, items(text))) == count_words(text)


@given(bodies)
def test_sentences_lose_nothing_but_the_space_between_them(text):
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


def test_lines_end_where_editors_end_them():
    assert lines("a\r\nb\rc\nd\u2028e\x0cf") == ["a\r\n", "b\r", "c\n", "d\u2028e\x0cf"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1. Open Kompas.\n2. Kies *Tegoed*.", 4),
        ("- € 75", 1),
        ("Bel vóór 17.00 uur terug", 5),
        ("|---|---|", 0),
        ("", 0),
    ],
)
def test_words_are_what_a_reader_reads(text, words):
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dat kan. En dan? Ja!", ["Dat kan.", "En dan?", "Ja!"]),
        ('"Ik bel u terug." Meer niet.', ['"Ik bel u terug."', "Meer niet."]),
        ("Hij zei: (nee.) 12 keer.", ["Hij zei: (nee.)", "12 keer."]),
        ("om 17.00 uur, bijv. morgen", ["om 17.00 uur, bijv. morgen"]),
    ],
)
def test_a_sentence_ends_before_a_capital_or_a_digit(text, found):
    assert sentences(text) == found


def test_what_is_nested_belongs_to_its_item():
    text = "1. Open:\n   - Kompas\n   - Planbord\n\n2. Bel.\n"
    assert items(text) == ["1. Open:\n   - Kompas\n   - Planbord\n\n", "2. Bel.\n"]


def test_text_without_a_list_falls_into_paragraphs():
    assert items("Een.\nNog.\n\nTwee.") == ["Een.\nNog.\n\n", "Twee."]


def test_an_introduction_is_an_item_of_its_own():
    assert items("Doe dit:\n- a\n- b") == ["Doe dit:\n", "- a\n", "- b"]


@given(st.sampled_from(["- ", "* ", "1. ", "12) ", "  + "]), st.text(st.characters(categories=["L"]), min_size=1))
def test_an_item_can_do_without_its_mark(mark, word):
    assert without_mark(mark + word) == word


@pytest.mark.parametrize("address", ["https://kennis.example/a?b=c", "HTTP://x", "mailto:a@b.example", "tel:0800-1234"])
def test_what_leads_to_a_page_a_mailbox_or_a_telephone_is_a_link(address):
    assert is_link(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "/pad",
        "//x.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://",
        "tel: ",
    ],
)
def test_anything_else_is_none(address):
    assert not is_link(address)


@pytest.mark.parametrize(
    ("text", "above", "said", "copied"),
    [
        ("Zeg dat je terugbelt.", "", "Zeg dat je terugbelt.", "Zeg dat je terugbelt."),
        ('"Ik bel u."', "", '"Ik bel u."', "Ik bel u."),
        ('Zeg "ja" of "nee".', "", 'Zeg "ja" of "nee".', 'Zeg "ja" of "nee".'),
        ("Kievit Go (je): “Ik bel je.” ", "Kievit Go (je):", "“Ik bel je.”", "Ik bel je."),
        ('""', "", '""', '""'),
    ],
)
def test_what_is_said_stands_apart_from_for_whom_and_is_copied_without_quotation_marks(text, above, said, copied):
    assert spoken(text) == (above, said)
    assert unquoted(said) == copied


def test_advice_behind_what_is_said_is_not_copied_along():
    assert unquoted('"Dit had beter gemoeten." Noem nooit een bedrag in het openbaar.') == "Dit had beter gemoeten."
