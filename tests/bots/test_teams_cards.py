import json
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path

import adaptive_cards
import jsonschema
import made_up
import pytest
from conftest import AMSTERDAM, TODAY
from fake_connector import buttons, shown
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.teams_cards import MAX_CARD, MAX_MESSAGE, answer_card, message, summary
from core.card import card_of
from core.model import Answer, Card, Outcome, Person, Suggestion
from core.words import say
from knowledge.article import Kind
from knowledge.moment import Moment
from knowledge.shape import Part

IN = "\u2003\u2003"
VERDICT = Part(Kind.VERDICT, "In het kort", "Ja, tot € 75.")
STEPS = Part(Kind.STEPS, "Stappen", "1. Vraag de postcode.\n2. Kies *Tegoed* in **Kompas**.\n")
SAY = Part(Kind.SAY, "Zo zeg je het", '"Ik zet € 40 voor u klaar."')
BACKGROUND = Part(Kind.BACKGROUND, "Achtergrond", "Vroeger duurde het dagen.")


def a_card(*first, more=(), **values):
    usual = {"article_id": "goedmaken", "version": 1, "title": "Goedmaken", "language": "nl", "topic": "klachten"}
    return Card(**usual | {"critical": False, "first": first, "more": more} | values)


def an_answer(card=None, **values):
    usual = {"id": "a" * 32, "outcome": Outcome.ANSWERED, "language": "nl", "question": "mag ik iets geven"}
    return Answer(**usual | {"card": card, "moment": Moment.APPLY if card else None} | values)


def written(markdown):
    """The elements that a section with this text becomes."""
    return answer_card(an_answer(a_card(Part(None, "", markdown)), moment=None))["body"][1:]


def texts(elements):
    """What each element says, mark included."""
    return [element.get("text") or "".join(run["text"] for run in element["inlines"]) for element in elements]


@cache
def _schema():
    path = Path(adaptive_cards.__file__).parent / "schemas" / "schema-1.5.json"
    schema = json.loads(path.read_text())
    return jsonschema.validators.validator_for(schema)(schema)


def check(card):
    """Valid by the official schema, but for what is Teams' own; within the limit; nothing that is live."""
    official = json.loads(
        json.dumps(card), object_hook=lambda found: {k: v for k, v in found.items() if k != "msteams"}
    )
    error = jsonschema.exceptions.best_match(_schema().iter_errors(official))
    assert error is None, f"{error.json_path}: {error.message[:300]}"
    assert len(json.dumps(card)) <= MAX_CARD
    assert card["msteams"] == {"width": "Full"}  # no entities, so no mention is live
    assert "{{" not in json.dumps(card)


# -- one card ----------------------------------------------------------------------------------------------------------
def test_a_card_says_it_all_in_one_fixed_order():
    card = a_card(
        VERDICT,
        replace(STEPS, below="Nog 2 stappen onder Meer."),
        SAY,
        notes=("Dit geldt alleen voor zon.",),
        changed="Let op: sinds 1 september is dit € 75.",
        source="Nagekeken",
        critical=True,
        url="https://kennis.example/goedmaken",
        training="https://academie.example/klachten",
    )
    answer = an_answer(card, warnings=("Er staan klantgegevens in je bericht.",))
    made = answer_card(answer)
    check(made)
    assert shown(made["body"]).split("\n") == [
        "Er staan klantgegevens in je bericht.",
        "✅ Toepassen · zo doe je het",
        "⚠️ Veiligheid eerst",
        "Goedmaken",
        "Dit geldt alleen voor zon.",
        "Let op: sinds 1 september is dit € 75.",
        "Ja, tot € 75.",
        "Stappen",
        "1. Vraag de postcode.\r2. Kies _Tegoed_ in **Kompas**.",
        "Nog 2 stappen onder Meer.",
        "Zo zeg je het",
        '"Ik zet € 40 voor u klaar."',
        "Nagekeken · [Bron](https://kennis.example/goedmaken) · [Training](https://academie.example/klachten)",
    ]
    assert made["lang"] == "nl"
    assert made["version"] == "1.5"
    assert made["fallbackText"] == summary(answer) == "Goedmaken: Ja, tot € 75."


def test_what_to_say_stands_apart():
    box = answer_card(an_answer(a_card(SAY)))["body"][2]
    assert (box["type"], box["style"]) == ("Container", "emphasis")


def test_more_is_closed_until_it_is_tapped():
    made = answer_card(an_answer(a_card(VERDICT, more=(STEPS, BACKGROUND))))
    check(made)
    box = made["body"][-1]
    assert box["isVisible"] is False
    assert "Vroeger duurde het dagen." in shown(box)
    assert {"title": "Meer", "targetElements": [box["id"]]}.items() <= made["actions"][0].items()


def test_where_there_is_no_more_there_is_no_button_for_it():
    made = answer_card(an_answer(a_card(VERDICT)))
    assert "Action.ToggleVisibility" not in json.dumps(made)


def test_five_shapes_and_five_reasons_are_offered():
    made = answer_card(an_answer(a_card(VERDICT)))
    reshape, wrong = (action["card"] for action in made["actions"])
    assert [one["data"]["moment"] for one in buttons(reshape)] == [moment.value for moment in Moment]
    assert [one["title"] for one in buttons(wrong)] == [
        "Ander onderwerp",
        "Verouderd",
        "Onduidelijk",
        "Ik mag dit niet zelf",
        "Proces werkt niet",
    ]
    for one in buttons(made):
        assert one["fallback"] == {"type": "Action.Submit", "title": one["title"], "data": one["data"]}
        assert one["data"]["verb"] == one["verb"]


def test_siblings_stand_above_an_answer_that_is_only_likely_and_below_one_that_is_sure():
    siblings = (Suggestion("terugbellen", "Terugbellen", "nl"),)
    likely = an_answer(a_card(VERDICT), message=say("answer.maybe", "nl"), alternatives=siblings)
    above = shown(answer_card(likely)["body"])
    assert above.index("Terugbellen") < above.index("Ja, tot € 75.")
    sure = shown(answer_card(an_answer(a_card(VERDICT), alternatives=siblings))["body"])
    assert sure.index("Ja, tot € 75.") < sure.index(say("head.also", "nl")) < sure.index("Terugbellen")


def test_a_refusal_offers_the_nearest_titles_and_a_sentence_to_bridge():
    answer = an_answer(
        outcome=Outcome.UNANSWERED,
        message=say("answer.none_near", "nl"),
        bridge=say("answer.bridge", "nl"),
        alternatives=(Suggestion("terugbellen", "Terugbellen", "nl"), Suggestion("boos", "Boze klant", "nl")),
    )
    made = answer_card(answer)
    check(made)
    assert [one["data"]["article_id"] for one in buttons(made)] == ["terugbellen", "boos"]
    assert shown(made["body"]).split("\n") == [
        "Dit weet ik niet. Ik gok liever niet.",
        'Zeg bijvoorbeeld: "Ik zoek dit voor u uit en bel u vandaag nog terug."',
        "Iemand in gevaar? Nu 112.",
        "Dit komt het dichtst in de buurt",
        "Terugbellen",
        "Boze klant",
    ]
    assert made["actions"] == []
    assert summary(answer) == say("answer.none_near", "nl")


def test_a_refusal_without_titles_is_text_with_all_there_is_to_say():
    said = message(an_answer(outcome=Outcome.UNANSWERED, message="Dit weet ik niet.", bridge="Zeg iets."))
    assert said["text"] == "Dit weet ik niet.\n\nZeg iets.\n\n" + say("answer.danger", "nl")


def test_what_has_nothing_to_tap_is_text():
    said = message(an_answer(outcome=Outcome.THANKS, message=say("thanks.text", "nl"), warnings=("Let op.",)))
    assert said["text"] == "Let op.\n\nGraag gedaan."
    assert "attachments" not in said


def test_text_holds_no_live_html():
    said = message(an_answer(outcome=Outcome.FAILED, message="<at>iedereen</at> & <b>meer</b>"))
    assert said["text"] == "&lt;at&gt;iedereen&lt;/at&gt; &amp; &lt;b&gt;meer&lt;/b&gt;"


def test_an_answer_that_nobody_keeps_offers_nothing_that_cannot_be_done():
    made = answer_card(an_answer(a_card(VERDICT), id=""))
    check(made)
    assert buttons(made) == []


def test_a_notice_comes_first():
    assert shown(answer_card(an_answer(a_card(VERDICT)), notice="Dank je.")["body"][0]) == "Dank je."


def test_english_is_english():
    made = answer_card(an_answer(a_card(VERDICT, more=(STEPS,)), language="en"))
    assert {"More", "Not what I need", "Not right"} == {action["title"] for action in made["actions"]}
    assert made["lang"] == "en"


# -- Markdown ----------------------------------------------------------------------------------------------------------
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
    assert texts(written(markdown)) == lines


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
    element = written(markdown)[0]
    assert element["type"] == "RichTextBlock"
    assert texts([element]) == [text]


def test_formatting_survives_where_nothing_is_interpreted():
    element = written("Toets `*21#` en [**klaar**](https://x.example) _nu_ meteen")[0]
    looks = [{key for key in run if key not in {"type", "text"}} for run in element["inlines"]]
    assert looks == [set(), {"fontType"}, set(), {"weight", "selectAction"}, set(), {"italic"}, set()]


def test_a_card_fills_in_no_dates_from_an_article():
    check(
        answer_card(an_answer(a_card(Part(None, "", "Op {{DATE(2026-11-23T06:00:00Z, SHORT)}}"), title="{{TIME()}}")))
    )


# -- limits ------------------------------------------------------------------------------------------------------------
def test_an_article_that_does_not_fit_is_cut_at_the_end_with_a_link_to_the_rest():
    long = tuple(Part(Kind.BACKGROUND, f"Deel {n}", "Een lange zin over vroeger. " * 40) for n in range(60))
    made = answer_card(an_answer(a_card(VERDICT, STEPS, more=long, url="https://kennis.example/lang")))
    check(made)
    assert "Kies _Tegoed_" in shown(made)
    assert "Deel 0" in shown(made)
    assert "Deel 59" not in shown(made)
    assert shown(made["body"][-1]).endswith("De rest past niet in dit bericht. [Bron](https://kennis.example/lang)")
    assert len(json.dumps(made)) > MAX_CARD * 0.9


def test_a_first_screen_that_does_not_fit_is_cut_too_and_the_buttons_stay():
    made = answer_card(an_answer(a_card(VERDICT, Part(None, "", "é" * 30_000), more=(BACKGROUND,), source="Nagekeken")))
    check(made)
    said = shown(made["body"]).split("\n")
    assert said[2:5] == ["Ja, tot € 75.", "De rest past niet in dit bericht.", "Nagekeken"]
    assert len(made["actions"]) == 3


def test_a_short_article_is_not_cut():
    assert "De rest" not in shown(answer_card(an_answer(a_card(VERDICT, STEPS, more=(BACKGROUND,)))))


def test_ids_that_are_no_ids_of_ours_do_not_crowd_out_the_answer():
    alternatives = tuple(Suggestion("é" * 1000, "x" * 5000, "nl") for _ in range(50))
    made = answer_card(an_answer(a_card(VERDICT, article_id="é" * 1000), alternatives=alternatives))
    check(made)
    assert "Ja, tot € 75." in shown(made)


def test_every_starter_article_fits_uncut_in_every_shape(starter_articles):
    kinds = cycle(Moment)
    for article in starter_articles:
        for moment in Moment:
            card = card_of(article, moment, person=Person("p"), language="nl", now=TODAY, zone=AMSTERDAM)
            made = answer_card(an_answer(card, moment=moment))
            assert "De rest past niet" not in shown(made), article.id
            assert len(json.dumps(made)) <= MAX_CARD
        if next(kinds) is moment:  # the schema takes its time: one in five
            check(made)


anything = st.text(max_size=60) | st.sampled_from(
    ["<at>x</at>", "{{DATE(2026-01-01T00:00:00Z)}}", "💶" * 3000, "* _a_"]
)
links = anything | st.sampled_from(
    ["https://x.example/a b(c)", "mailto:a@b.example", "javascript:1", "http://[", "/pad"]
)
parts = st.builds(Part, st.none() | st.sampled_from(Kind), anything, made_up.bodies | anything)
slugs = st.text("abcdefgh-/", max_size=80)
cards = st.builds(
    Card,
    slugs,
    st.integers(0, 9),
    anything,
    st.sampled_from(["nl", "en"]),
    anything,
    st.booleans(),
    st.lists(parts, max_size=4).map(tuple),
    st.lists(parts, max_size=4).map(tuple),
    st.lists(anything, max_size=3).map(tuple),
    anything,
    links,
    links,
)
answers = st.builds(
    Answer,
    slugs,
    st.sampled_from(Outcome),
    st.sampled_from(["nl", "en"]),
    anything,
    anything,
    anything,
    st.none() | st.sampled_from(Moment),
    st.floats(0, 1),
    st.floats(0, 1),
    st.none() | cards,
    st.lists(st.builds(Suggestion, slugs, anything, st.sampled_from(["nl", "en"])), max_size=8).map(tuple),
    st.lists(anything, max_size=2).map(tuple),
)


@given(answers, anything)
@settings(max_examples=40)
def test_any_answer_makes_a_valid_card_within_the_limits(answer, notice):
    check(answer_card(answer, notice=notice))


@given(answers)
def test_any_answer_makes_a_message_within_the_limits(answer):
    said = message(answer)
    assert len(json.dumps(said)) <= MAX_MESSAGE
    assert said["summary"].strip()
    assert said.get("attachments") or said["text"].strip()
    json.dumps(said).encode()
