import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import bodies

from bots.slack_text import bare, bold, literal, mrkdwn, split


# -- Markdown ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("markdown", "slack"),
    [
        ("**vet** en *schuin* en ~~weg~~ en `code`", "*vet* en _schuin_ en ~weg~ en `code`"),
        ("onder**werp** heet zo", "onderwerp heet zo"),
        ("*een\ntwee*", "_een_\n_twee_"),
        ("## Kop met **vet**", "*Kop met vet*"),
        ("1. een\n2. twee\n   - diep\n   - dieper", "1. een\n2. twee\n    • diep\n    • dieper"),
        ("3. drie\n4. vier", "3. drie\n4. vier"),
        ("- een\n\n- twee", "• een\n• twee"),
        ("> regel\n> twee", "> regel\n> twee"),
        ("- > diep\n", "• > diep"),
        ("een\n\ntwee", "een\n\ntwee"),
        ("5 < 6 & 7 > 2", "5 &lt; 6 &amp; 7 &gt; 2"),
        ("<!channel> <@U1> <#C1> <b>", "&lt;!channel&gt; &lt;@U1&gt; &lt;#C1&gt; &lt;b&gt;"),
        ("[de site](https://x.example/a?b=1&c=2)", "<https://x.example/a?b=1&amp;c=2|de site>"),
        ("[kwaad](javascript:alert(1)) [kanaal](!channel)", "[kwaad](javascript:alert(1)) kanaal"),
        ("[a|b>c](https://x.example/a|b)", "<https://x.example/a%7Cb|a|b&gt;c>"),
        ("zie https://x.example/a_b_c.", "zie <https://x.example/a_b_c>."),
        ("<https://x.example>", "<https://x.example>"),
        ("![een kaart](https://x.example/k.png)", "<https://x.example/k.png|een kaart>"),
        ("```\n<!channel> **x**\n```", "```\n&lt;!channel&gt; **x**\n```"),
        ("---", "———"),
        ("", ""),
        (r"\*geen vet\*", "*\u200bgeen vet*"),
        ("snake_case_naam", "snake_case_naam"),
        ("tot € 75 of een €", "tot €\u00a075 of een €"),
    ],
)
def test_markdown_is_written_the_way_slack_does(markdown, slack):
    assert mrkdwn(markdown) == slack


def test_a_table_is_aligned_code():
    table = "| Wat | Bedrag |\n|---|---|\n| Lang gewacht & **boos** | € 15 |\n| Kort | € 5 |\n"
    assert mrkdwn(table) == (
        "```\nWat                  Bedrag\n-------------------  ------\nLang gewacht &amp; boos  € 15\n"
        "Kort                 € 5\n```"
    )


def test_a_table_too_wide_for_a_phone_is_a_line_for_each_row():
    table = (
        "| Soort | Wat je zegt | Bedrag |\n|---|---|---|\n"
        "| Dubbel werk | *Sorry*, twee keer bellen is te veel | € 40 |\n| Kort | | € 5 |\n"
    )
    assert mrkdwn(table).split("\n") == [
        "• *Dubbel werk* · Wat je zegt: _Sorry_, twee keer bellen is te veel · Bedrag: €\u00a040",
        "• *Kort* · Bedrag: €\u00a05",
    ]


def test_a_wide_table_with_a_head_alone_still_says_what_it_holds():
    assert mrkdwn("| Een kop van ruim twintig tekens | en nog een |\n|---|---|\n") == (
        "• *Een kop van ruim twintig tekens* · en nog een"
    )


def test_a_fence_inside_code_does_not_end_it():
    assert mrkdwn("~~~\n```\n<!here>\n~~~").count("```") == 2


def test_a_verdict_is_bold_unless_it_has_its_own_marks_or_is_code():
    assert bold("Ja.\nMet _bon_.") == "*Ja.*\n*Met _bon_.*"
    assert bold("Ja, *met* bon.") == "Ja, *met* bon."
    assert bold("```\na\n```") == "```\na\n```"


def test_what_somebody_typed_is_not_formatted_and_an_address_in_it_can_be_tapped():
    assert literal("*nu* <b> https://x.example/a") == "*\u200bnu* &lt;b&gt; <https://x.example/a>"


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("**Ik** zet [€ 15](https://x.example) & <b> klaar.", "Ik zet € 15 & <b> klaar."),
        ("een\nregel\n\nen nog een", "een regel\nen nog een"),
        ("- punt\n- `code`", "punt\ncode"),
        ("![een kaart](https://x.example/k.png)", "een kaart"),
        ("\n---\n", ""),
    ],
)
def test_the_bare_words_are_what_somebody_pastes_elsewhere(markdown, words):
    assert bare(markdown) == words


# -- cutting -------------------------------------------------------------------------------------------------
def test_what_fits_is_left_whole():
    assert split("een\n\ntwee", 100) == ["een\n\ntwee"]
    assert split(" \n", 100) == []


@pytest.mark.parametrize(
    "paragraph", ["```\n" + "\n".join(["rij van een tabel"] * 3) + "\n```", "• een rij\n• twee rijen"]
)
def test_a_paragraph_or_table_that_fits_whole_is_not_cut(paragraph):
    assert split(f"{'woord ' * 10}\n\n*Kop*\n{paragraph}\n\nklaar", 85)[1].startswith(f"*Kop*\n{paragraph}")


def test_a_cut_code_block_is_closed_and_opened_again():
    pieces = split("```\n" + "\n".join(["regel code"] * 10) + "\n```\nklaar", 40)
    assert all(piece.count("```") % 2 == 0 for piece in pieces)
    assert pieces[-1].endswith("klaar")


@given(bodies, st.integers(20, 300))
def test_cutting_loses_nothing_and_cuts_nothing_in_two(markdown, limit):
    text = mrkdwn(markdown)
    pieces = split(text, limit)
    assert all(0 < len(piece) <= limit for piece in pieces)
    assert _bare("".join(pieces)) == _bare(text)
    for piece in pieces:
        assert not re.search(r"&(?!amp;|lt;|gt;)", piece)
        assert all(len(token) <= limit for token in re.findall(r"<[^<>]*>", piece))


def _bare(text):
    return re.sub(r"\s+|```", "", text)
