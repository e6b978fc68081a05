import pytest

from bots.web_text import markdown, sentences


@pytest.mark.parametrize(
    ("written", "copied"),
    [
        ('"Ik bel u terug."', "Ik bel u terug."),
        ("“Ik bel u terug.”", "Ik bel u terug."),
        ("„Ik bel u terug.”", "Ik bel u terug."),
        ('Kievit Go (je): "Je krijgt *vandaag* € 40."', "Je krijgt vandaag € 40."),
        ("Dat begrijp ik, wat vervelend.", "Dat begrijp ik, wat vervelend."),
        ('"Kies "Tegoed" in de app."', 'Kies "Tegoed" in de app.'),
        ('"Eén regel\nen nog een."', "Eén regel en nog een."),
        ('- "Met een streepje."', "Met een streepje."),
    ],
)
def test_what_is_copied_is_the_bare_sentence(written, copied):
    assert [sentence.bare for sentence in sentences(written)] == [copied]


def test_every_sentence_of_a_list_can_be_copied():
    assert [sentence.bare for sentence in sentences('- "Eén."\n- "Twee."')] == ["Eén.", "Twee."]


def test_amounts_and_telephone_numbers_are_not_broken_over_two_lines():
    html = markdown("Tot € 1.000 of bel 0800-9009")
    assert '<span class="figure">€ 1.000</span>' in html
    assert '<span class="figure">0800-9009</span>' in html


def test_a_heading_in_a_text_stays_below_the_heading_it_stands_under():
    assert markdown("# Kop\n\n###### Kop", 4) == "<h5>Kop</h5>\n<h6>Kop</h6>\n"


def test_a_link_of_an_author_leads_outside_without_telling_where_from():
    html = markdown("[bel](tel:112) [ons](HTTPS://a.example) [x](foo) [y]()")
    assert html.count('rel="noopener noreferrer"') == html.count("href=") == 2
