import made_up
import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from bots import teams_text

IN = "\u2003\u2003"


def texts(elements):
    """What each element says, mark included."""
    return [element.get("text") or "".join(run["text"] for run in element["inlines"]) for element in elements]


@pytest.mark.parametrize(
    ("markdown", "lines"),
    [
        ("### Let op\nRegel een\nregel twee", ["**Let op**", "Regel een regel twee"]),
        ("Een\\\ntwee  \ndrie<br>vier<br />vijf", ["Een", "twee", "drie", "vier", "vijf"]),
        ("- a\n- b\n\n  nog bij b\n- c", ["- a\r- b", f"{IN}nog bij b", "- c"]),
        ("3. a\n   - x\n     1. y\n4. b", ["3. a", f"{IN}• x", f"{IN}{IN}1. y", "4. b"]),
        ("> Citaat van *Jan*", ["Citaat van _Jan_"]),
        ("een <!-- intern --> twee\n\n<!-- ook\n\nintern -->\n\ndrie", ["een  twee", "drie"]),
        ("boven\n\n---\n\nonder", ["boven", "onder"]),
        (
            "| Wat | Bedrag | Wie |\n|---|---|---|\n| Klein | € 15 | *iedereen* |\n| Groot | € 75 | |",
            ["- **Klein** · Bedrag: € 15 · Wie: _iedereen_\r- **Groot** · Bedrag: € 75 · Wie:"],
        ),
        ("| a | b |\n|---|---|", ["- **a** · b"]),
        ("[Kompas](https://kompas.example/a_(b)?c=d e)", ["[Kompas](https://kompas.example/a_(b)?c=d e)"]),
        ("[Kompas](https://kompas.example/a_(b)?c=d)", ["[Kompas](https://kompas.example/a_%28b%29?c=d)"]),
        ("[bel](tel:0800-1234) [mail](mailto:a@b.example)", ["[bel](tel:0800-1234) [mail](mailto:a@b.example)"]),
        ("[klik](javascript:alert(1)) [pad](/artikel/7)", ["[klik](javascript:alert(1)) pad"]),
        ("![schermafdruk](https://kompas.example/a.png)", ["[schermafdruk](https://kompas.example/a.png)"]),
        ("x" + "\u2028" + "y\x00z\ud800", ["x\u2028y\ufffdz\ufffd"]),
    ],
)
def test_markdown_becomes_what_teams_can_show(markdown, lines):
    assert texts(teams_text.markdown_elements(markdown)) == lines


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("Toets `*21*0612345678#`", "Toets *21*0612345678#"),
        (r"Toets \*21\*0612345678\#", "Toets *21*0612345678#"),
        ("Open map_naam_2026", "Open map_naam_2026"),
        ("Zie <at>iedereen</at> en <b>dit</b>", "Zie <at>iedereen</at> en <b>dit</b>"),
        ("[klik](javascript:alert(1))", "[klik](javascript:alert(1))"),
        (r"C:\\Kompas\\tegoed", r"C:\Kompas\tegoed"),
        ("1\\. is geen lijst", "1. is geen lijst"),
        ("\\- ook niet", "- ook niet"),
        ("\\> of citaat", "> of citaat"),
        ("R&amp;amp;D", "R&amp;D"),
        ("a~~b~~c", "a~~b~~c"),
        ("een[^1]\\[twee](https://x.example)", "een[^1][twee](https://x.example)"),
        ("vet**tig** woord", "vettig woord"),
        ("```\nselect *\n```", "select *"),
    ],
)
def test_what_teams_could_misread_is_shown_uninterpreted_and_to_the_letter(markdown, text):
    element = teams_text.markdown_elements(markdown)[0]
    assert element["type"] == "RichTextBlock"
    assert texts([element]) == [text]


def test_formatting_survives_where_nothing_is_interpreted():
    element = teams_text.markdown_elements("Toets `*21#` en [**klaar**](https://x.example) _nu_ meteen")[0]
    looks = [{key for key in run if key not in {"type", "text"}} for run in element["inlines"]]
    assert looks == [set(), {"fontType"}, set(), {"weight", "selectAction"}, set(), {"italic"}, set()]


# -- what is said to the customer --------------------------------------------------------------------------------------
def test_the_words_alone_are_paragraphs_and_items_without_formatting():
    assert list(teams_text.plain_lines("Een **twee**\n\n- [drie](https://x.example)")) == ["Een twee", "- drie"]


# -- anything ----------------------------------------------------------------------------------------------------------
@given(made_up.bodies)
def test_whatever_is_written_teams_shows_the_same_words(body):
    reader = MarkdownIt("js-default")
    for group in teams_text._read(body):
        for element in teams_text._elements([group[:20]]):
            if element["type"] != "TextBlock":
                continue
            meant = "".join(run.text for line in group[:20] for run in line.runs)
            read = "".join(_words(token) for token in reader.parse(element["text"]))
            assert _squeezed(read) == _squeezed(meant)


def _words(token):
    return "".join(map(_words, token.children)) if token.children else token.content


def _squeezed(text):
    return "".join(text.replace("•", "").split())
