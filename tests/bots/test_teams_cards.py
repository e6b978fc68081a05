import json
from dataclasses import replace
from itertools import product

import made_up
import pytest
from adaptive import check, check_in_an_old_client, elements, tap, titled
from conftest import AMSTERDAM, TODAY
from fake_connector import buttons, shown
from hypothesis import given, settings
from hypothesis import strategies as st

from bots import teams_text
from bots.teams_cards import (
    AT_FIRST,
    Shown,
    View,
    Where,
    answer_card,
    bare,
    card_message,
    message,
    summary,
    text_message,
)
from bots.teams_parts import MAX_CARD, MAX_MESSAGE
from core.card import card_of
from core.model import Answer, Card, Outcome, Person, Suggestion
from core.words import say
from knowledge.article import Kind
from knowledge.moment import Moment
from knowledge.shape import Part

ID, OTHER = "a" * 32, "b" * 32
VERDICT = Part(Kind.VERDICT, "In het kort", "Ja, tot € 75.")
STEPS = Part(Kind.STEPS, "Stappen", "1. Vraag de postcode.\n2. Kies *Tegoed* in **Kompas**.\n")
ALL_STEPS = Part(Kind.STEPS, "Stappen", STEPS.text + "3. Noem de datum.")
SAY = Part(Kind.SAY, "Zo zeg je het", '"Ik zet € 40 voor u klaar."')
BACKGROUND = Part(Kind.BACKGROUND, "Achtergrond", "Vroeger duurde het dagen.")
WALK = ("Vraag de postcode.", "Kies *Tegoed*.", "Noem de datum.")
SIBLINGS = (Suggestion("terugbellen", "Terugbellen", "nl"), Suggestion("boos", "Boze klant", "nl"))


def a_card(*first, more=(), **values):
    usual = {"article_id": "goedmaken", "version": 1, "title": "Goedmaken", "language": "nl", "topic": "klachten"}
    return Card(**usual | {"critical": False, "first": first, "more": more} | values)


def an_answer(card=None, **values):
    usual = {"id": ID, "outcome": Outcome.ANSWERED, "language": "nl", "question": "mag ik iets geven"}
    return Answer(**usual | {"card": card, "moment": Moment.APPLY if card else None} | values)


def a_refusal(**values):
    usual = {"message": say("answer.none_near", "nl"), "bridge": say("answer.bridge", "nl")}
    return an_answer(outcome=Outcome.UNANSWERED, **usual | values)


def walking(moment=Moment.APPLY, **values):
    return an_answer(
        a_card(STEPS, SAY, more=(ALL_STEPS, BACKGROUND), walk=WALK, walked=Kind.STEPS), moment=moment, **values
    )


def fold(card, name):
    """What lies open at first, or under More."""
    return next((found for found in card["body"] if found.get("id") == name), None)


def words(card):
    """The words of every button in sight, in order."""
    row = [one["title"] for one in card["actions"] if one.get("mode") != "secondary"]
    return [
        one["title"] for one in elements(card["body"]) if one["type"].startswith("Action.") and "title" in one
    ] + row


def menu(card):
    """What is behind the three dots: verbs by their words."""
    return {one["title"]: one["data"]["verb"] for one in card["actions"] if one.get("mode") == "secondary"}


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
        "🚨 Goedmaken",
        "**Veiligheid eerst**  ✅ Toepassen · zo doe je het",
        "Dit geldt alleen voor zon.",
        "🔄 Let op: sinds 1 september is dit € 75.",
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


@pytest.mark.parametrize("moment", Moment)
def test_the_moment_is_a_word_and_never_only_a_sign(moment):
    assert say(f"moment.{moment}", "nl") in shown(answer_card(an_answer(a_card(VERDICT), moment=moment)))


def test_what_to_say_stands_apart():
    (box,) = [one for one in elements(answer_card(an_answer(a_card(SAY)))) if one.get("style") == "emphasis"]
    assert shown(box) == 'Zo zeg je het\n"Ik zet € 40 voor u klaar."'


def test_a_stale_article_says_so_in_words_behind_a_sign():
    stale = say("source.stale", "nl", month="maart 2025", owner="Team Contract")
    assert f"⚠️ {stale}" in shown(answer_card(an_answer(a_card(VERDICT, source=stale, stale=True))))
    assert "⚠️" not in shown(answer_card(an_answer(a_card(VERDICT, source=stale))))


def test_a_training_that_is_no_address_is_named():
    assert "Training: Module 4" in shown(answer_card(an_answer(a_card(VERDICT, training="Module 4"))))


def test_a_notice_comes_first():
    answer = an_answer(a_card(VERDICT), warnings=("Let op.",))
    for view in View:
        assert shown(answer_card(answer, Shown(view=view), notice="Dank je.")["body"][0]) == "Dank je."


def test_english_is_english():
    made = answer_card(an_answer(a_card(VERDICT, more=(STEPS,)), language="en"), where=Where.SHARED)
    assert [*words(made), *menu(made)] == [
        *("More", "Less", "Not right", "Ask a coach"),
        *("Not what I need", "Answer in private chat", "Save for later"),
    ]
    assert made["lang"] == "en"


def test_a_card_fills_in_no_dates_from_an_article():
    dated = Part(None, "", "Op {{DATE(2026-11-23T06:00:00Z, SHORT)}}")
    check(answer_card(an_answer(a_card(dated, title="{{TIME()}}"))))


# -- more --------------------------------------------------------------------------------------------------------------
def test_more_and_less_swap_what_lies_open_without_asking_us():
    made = answer_card(an_answer(a_card(STEPS, SAY, more=(ALL_STEPS, BACKGROUND))))
    check(made)
    brief, whole = fold(made, "brief"), fold(made, "whole")
    assert ("isVisible" in brief, whole["isVisible"]) == (False, False)
    assert "Vroeger duurde het dagen." not in shown(brief)
    for one, name in ((brief, "Meer"), (whole, "Minder")):
        assert titled(one)[name] == {
            "type": "Action.ToggleVisibility",
            "title": name,
            "targetElements": ["brief", "whole"],
        }


def test_more_shows_each_part_whole_in_its_place_and_then_the_rest():
    said = shown(fold(answer_card(an_answer(a_card(STEPS, SAY, more=(ALL_STEPS, BACKGROUND)))), "whole"))
    assert said.index("3. Noem de datum.") < said.index("Ik zet € 40") < said.index("Vroeger duurde het dagen.")
    assert said.count("1. Vraag de postcode.") == 1


def test_a_part_that_was_cut_in_mid_sentence_is_shown_once_under_more():
    cut, whole = (Part(None, "Deel", text) for text in ("Heel …", "Heel lang."))
    said = shown(fold(answer_card(an_answer(a_card(cut, more=(BACKGROUND, whole)))), "whole"))
    assert said.split("\n") == ["Deel", "Heel lang.", "Achtergrond", "Vroeger duurde het dagen.", "Minder"]


def test_two_parts_under_one_heading_are_both_shown():
    now = Part(Kind.CHANGES, "Wat er verandert", "**Nu: € 75** (was € 25)")
    written = Part(Kind.CHANGES, "Wat er verandert", "Sinds september mag het.")
    said = shown(fold(answer_card(an_answer(a_card(now, more=(written,)))), "whole"))
    assert said.index("(was € 25)") < said.index("Sinds september mag het.")


def test_steps_that_go_on_under_more_say_so_until_it_is_opened():
    made = answer_card(an_answer(a_card(replace(STEPS, below="Nog 1 stap onder Meer."), more=(ALL_STEPS,))))
    assert "Nog 1 stap" in shown(fold(made, "brief"))
    assert "Nog 1 stap" not in shown(fold(made, "whole"))


def test_where_there_is_no_more_there_is_no_button_for_it():
    made = answer_card(an_answer(a_card(VERDICT)))
    assert "Action.ToggleVisibility" not in json.dumps(made)


# -- not sure, or not known --------------------------------------------------------------------------------------------
def test_siblings_stand_above_an_answer_that_is_only_likely_and_not_with_one_that_is_sure():
    likely = an_answer(a_card(VERDICT), message=say("answer.maybe", "nl"), alternatives=SIBLINGS)
    above = shown(answer_card(likely)["body"])
    assert above.index(say("answer.maybe", "nl")) < above.index("Terugbellen") < above.index("Ja, tot € 75.")
    assert "Terugbellen" not in shown(answer_card(replace(likely, message="")))


def test_a_refusal_gives_the_sentence_to_say_and_then_the_nearest_titles_and_a_coach():
    made = answer_card(a_refusal(alternatives=SIBLINGS))
    check(made)
    assert shown(made["body"]).split("\n") == [
        "Dit weet ik niet. Ik gok liever niet.",
        "Zeg bijvoorbeeld:",
        '"Ik zoek dit voor u uit en bel u uiterlijk de volgende werkdag terug."',
        "Iemand in gevaar? Nu 112.",
        "Dit komt het dichtst in de buurt",
        "Terugbellen",
        "Boze klant",
    ]
    assert [tap(one).verb for one in buttons(made)] == ["open", "open", "coach"]
    assert summary(a_refusal()) == say("answer.none_near", "nl")


def test_what_is_opened_from_an_answer_has_a_way_back_to_it_that_later_taps_keep():
    opened = [tap(one) for one in buttons(answer_card(a_refusal(alternatives=SIBLINGS)))][:2]
    assert [(one.article_id, one.shown.back) for one in opened] == [("terugbellen", ID), ("boos", ID)]
    made = answer_card(walking(id=OTHER), Shown(back=ID))
    check(made)
    assert titled(made)["Terug"]["data"] == {"verb": "show", "language": "nl", "answer_id": ID, "view": "answer"}
    others = [tap(one) for one in buttons(made) if one["title"] != "Terug"]
    assert {(one.answer_id, one.shown.back) for one in others} == {(OTHER, ID)}
    assert "Terug" not in titled(answer_card(walking()))


def test_a_title_is_opened_in_the_moment_that_was_asked_for():
    likely = an_answer(a_card(VERDICT), message="?", alternatives=SIBLINGS, moment=Moment.SOLVE)
    assert tap(titled(answer_card(likely))["Terugbellen"]).moment is Moment.SOLVE


# -- its buttons -------------------------------------------------------------------------------------------------------
def test_the_buttons_stand_in_one_order_and_what_is_rarely_needed_behind_the_dots():
    answer = an_answer(a_card(VERDICT, more=(STEPS,), say=("Ik zet het klaar.",)))
    made = answer_card(answer)
    assert words(made) == ["Meer", "Minder", "Klopt niet", "Vraag coach"]
    assert menu(made) == {"Ik zoek iets anders": "show", "Kopieer": "show", "Bewaar voor straks": "later"}


def test_only_what_can_be_done_is_behind_the_dots():
    assert list(menu(answer_card(an_answer(a_card(VERDICT, moments=(Moment.APPLY,)))))) == ["Bewaar voor straks"]


def test_where_others_read_along_an_answer_in_private_is_offered():
    offered = {where for where in Where if "Antwoord in privéchat" in menu(answer_card(walking(), where=where))}
    assert offered == {Where.SHARED}


def test_five_reasons_are_one_tap_each():
    asked = titled(answer_card(walking(), Shown(step=1)))["Klopt niet"]["card"]
    assert shown(asked).split("\n")[0] == "Wat klopt er niet?"
    assert [one["title"] for one in buttons(asked)] == [
        "Ander onderwerp",
        "Verouderd",
        "Onduidelijk",
        "Ik mag dit niet zelf",
        "Proces werkt niet",
    ]
    for one in map(tap, buttons(asked)):
        assert (one.answer_id, one.moment, one.shown) == (ID, Moment.APPLY, Shown(step=1))


@pytest.mark.parametrize("moment", Moment)
def test_the_other_moments_of_the_article_can_be_chosen_in_place_of_the_buttons(moment):
    some = (Moment.APPLY, Moment.SOLVE, Moment.MORE)
    made = answer_card(an_answer(a_card(VERDICT, more=(STEPS,), moments=some), moment=moment), Shown(view=View.SHAPES))
    check(made)
    found = {one["title"]: tap(one) for one in buttons(made)}
    assert list(found) == [*(say(f"reshape.{one}", "nl") for one in some if one is not moment), "Terug"]
    assert found.pop("Terug").shown == AT_FIRST
    assert {(one.verb, one.answer_id) for one in found.values()} == {("reshape", ID)}
    assert words(made) == [*found, "Terug"]
    assert "Wat wil je hierover zien?" in shown(made["body"])
    assert "Ja, tot € 75." in shown(made["body"])


def test_a_sentence_to_copy_stands_in_a_box_of_its_own_without_formatting_or_quotes():
    say_these = ('"Ik zet **€ 15** voor u klaar."', 'Go & (je): "Je <geld> komt eraan."', 'Zeg "ja" of "nee".')
    made = answer_card(an_answer(a_card(VERDICT, say=say_these)), Shown(step=2, view=View.COPY, back=OTHER))
    check(made)
    assert [shown(one) for one in made["body"] if one["type"] == "Container"] == [
        "Ik zet € 15 voor u klaar.",
        "Go & (je):\nJe <geld> komt eraan.",
        'Zeg "ja" of "nee".',
    ]
    assert shown(made["body"]).split("\n")[:2] == ["Goedmaken", say("teams.copy", "nl")]
    assert words(made) == ["Terug"]
    assert tap(titled(made)["Terug"]).shown == Shown(back=OTHER)


def test_the_step_that_was_reached_is_still_there_after_copying():
    card = replace(walking().card, say=("Ik zet het klaar.",))
    answer = replace(walking(), card=card)
    (way,) = [tap(one) for one in buttons(answer_card(answer, Shown(step=2))) if one["title"] == "Kopieer"]
    back = answer_card(answer, way.shown)
    assert tap(titled(back)["Terug"]).shown == Shown(step=2)


def test_where_there_is_nothing_to_copy_a_sentence_says_so():
    assert say("teams.copy_none", "nl") in shown(answer_card(an_answer(a_card(VERDICT)), Shown(view=View.COPY)))


def test_a_sentence_cannot_be_copied_where_there_is_no_article():
    assert answer_card(a_refusal(), Shown(view=View.COPY)) == answer_card(a_refusal())


@pytest.mark.parametrize("outcome", [Outcome.HELP, Outcome.THANKS, Outcome.FAILED])
def test_talk_has_no_buttons(outcome):
    assert buttons(answer_card(an_answer(outcome=outcome, message="Graag gedaan."))) == []


def test_an_answer_that_nobody_keeps_offers_nothing_that_cannot_be_done():
    for view in View:
        made = answer_card(walking(id="", outcome=Outcome.ANSWERED), Shown(view=view))
        check(made)
        assert buttons(made) == []
        assert "2. Kies _Tegoed_" in shown(fold(made, "brief"))


# -- step by step ------------------------------------------------------------------------------------------------------
def steps(made):
    """The buttons of the way through, and what each would show."""
    found = [one for one in buttons(made["body"]) if one["title"] != "Terug"]
    return {one["title"]: (one["verb"], tap(one).shown.step) for one in found}


def test_steps_are_taken_one_at_a_time_with_the_rest_in_its_place_and_all_of_them_under_more():
    made = answer_card(walking(), Shown(step=1))
    check(made)
    assert shown(fold(made, "brief")).split("\n")[:3] == ["Stappen", "Stap 2 van 3", "Kies _Tegoed_."]
    assert shown(fold(made, "brief")).index("Volgende") < shown(fold(made, "brief")).index("Zo zeg je het")
    assert "3. Noem de datum." in shown(fold(made, "whole"))


@pytest.mark.parametrize(
    ("moment", "step", "ways"),
    [
        (Moment.APPLY, 0, {"Volgende": ("show", 1)}),
        (Moment.APPLY, 1, {"Volgende": ("show", 2), "Vorige": ("show", 0)}),
        (Moment.APPLY, 2, {"Klaar": ("done", 2), "Vorige": ("show", 1)}),
        (Moment.SOLVE, 0, {"Werkt": ("done", 0), "Werkt niet": ("show", 1)}),
        (Moment.SOLVE, 1, {"Werkt": ("done", 1), "Werkt niet": ("show", 2), "Vorige": ("show", 0)}),
        (Moment.SOLVE, 2, {"Werkt": ("done", 2), "Werkt niet, vraag een coach": ("coach", 2), "Vorige": ("show", 1)}),
    ],
)
def test_each_way_through_says_in_full_where_it_leads_so_that_a_double_tap_does_no_harm(moment, step, ways):
    made = answer_card(walking(moment), Shown(step=step))
    assert steps(made) == ways
    assert list(steps(made)) == list(ways)


def test_at_the_last_check_a_coach_stands_there_once():
    last = answer_card(walking(Moment.SOLVE), Shown(step=2))
    assert [one["verb"] for one in buttons(last)].count("coach") == 1
    assert [one["verb"] for one in buttons(answer_card(walking(Moment.SOLVE)))].count("coach") == 1


def test_a_step_that_is_no_more_is_the_last_one():
    assert answer_card(walking(), Shown(step=99)) == answer_card(walking(), Shown(step=2))


# -- where it stands ---------------------------------------------------------------------------------------------------
def test_in_a_dialog_buttons_only_send():
    made = answer_card(walking(), where=Where.DIALOG)
    assert "Action.Execute" not in json.dumps(made)
    sent = [one["data"]["verb"] for one in elements(made) if one["type"] == "Action.Submit"]
    assert sent == [one["verb"] for one in buttons(answer_card(walking()))]


def test_in_a_message_of_somebodys_own_stands_the_article_alone():
    answer = walking(message="Is het een van deze?", alternatives=SIBLINGS, warnings=("Let op.",))
    made = answer_card(answer, Shown(step=1, view=View.SHAPES, back=OTHER), Where.INSERTED)
    check(made)
    assert {one["title"] for one in elements(made) if one["type"].startswith("Action.")} == {"Meer", "Minder"}
    said = shown(made["body"]).split("\n")
    assert said[:4] == [
        "Goedmaken",
        "✅ Toepassen · zo doe je het",
        "Stappen",
        "1. Vraag de postcode.\r2. Kies _Tegoed_ in **Kompas**.",
    ]


# -- messages ----------------------------------------------------------------------------------------------------------
def test_an_answer_is_posted_as_a_card_with_teams_own_thumbs_and_its_source_and_never_with_a_text_beside_it():
    answer = an_answer(a_card(VERDICT, url="https://kennis.example/goedmaken"))
    said = message(answer, Shown(back=OTHER), Where.SHARED, notice="Dank je.")
    assert said["attachments"][0]["content"] == answer_card(answer, Shown(back=OTHER), Where.SHARED, notice="Dank je.")
    assert said["summary"] == "Goedmaken: Ja, tot € 75."
    assert "text" not in said
    assert said["channelData"] == {"feedbackLoop": {"type": "default"}}
    (root,) = said["entities"]
    assert root == {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
        "@id": "",
        "citation": [
            {
                "@type": "Claim",
                "position": 1,
                "appearance": {
                    "@type": "DigitalDocument",
                    "name": "Goedmaken",
                    "abstract": "Ja, tot € 75.",
                    "url": "https://kennis.example/goedmaken",
                    "keywords": ["klachten"],
                },
            }
        ],
    }


@pytest.mark.parametrize("url", ["mailto:kennis@kievit.example", "tel:112", "javascript:1", "", "/pad"])
def test_a_source_without_an_address_on_the_web_is_cited_without_one(url):
    (root,) = message(an_answer(a_card(VERDICT, url=url)))["entities"]
    assert "url" not in root["citation"][0]["appearance"]


def test_an_article_without_words_to_cite_is_cited_by_its_title():
    (root,) = message(an_answer(a_card(topic="")))["entities"]
    assert root["citation"][0]["appearance"] == {
        "@type": "DigitalDocument",
        "name": "Goedmaken",
        "abstract": "Goedmaken",
    }


def test_a_message_without_what_not_every_teams_takes_is_otherwise_the_same():
    said = message(walking())
    assert bare(said) == {key: said[key] for key in ("type", "summary", "attachments")}


def test_a_refusal_has_a_coach_to_ask_even_without_titles_and_no_thumbs():
    said = message(a_refusal())
    assert [one["verb"] for one in buttons(said)] == ["coach"]
    assert set(said) == {"type", "summary", "attachments"}


@pytest.mark.parametrize("outcome", [Outcome.HELP, Outcome.THANKS, Outcome.FAILED])
def test_what_has_nothing_to_tap_is_text_without_thumbs(outcome):
    said = message(an_answer(outcome=outcome, message="Graag gedaan.", warnings=("Let op.",)), notice="Dank je.")
    assert said == {
        "type": "message",
        "textFormat": "markdown",
        "text": "Dank je.\n\nLet op.\n\nGraag gedaan.",
        "summary": "Graag gedaan.",
    }


def test_a_refusal_that_nobody_keeps_is_text_with_all_there_is_to_say():
    said = message(a_refusal(id=""))["text"]
    assert said == "\n\n".join(say(f"answer.{key}", "nl") for key in ("none_near", "bridge", "danger"))


def test_text_holds_no_live_html():
    said = message(an_answer(outcome=Outcome.FAILED, message="<at>iedereen</at> & <b>meer</b>"))
    assert said["text"] == "&lt;at&gt;iedereen&lt;/at&gt; &amp; &lt;b&gt;meer&lt;/b&gt;"


def test_text_with_a_source_refers_to_it():
    said = text_message("Ja, tot € 75.", a_card(VERDICT))
    assert said["text"] == "Ja, tot € 75. [1]"
    assert said["entities"] == message(an_answer(a_card(VERDICT)))["entities"]
    assert text_message("Ja, tot € 75.") == {"type": "message", "textFormat": "markdown", "text": "Ja, tot € 75."}


def test_a_card_that_is_no_answer_has_a_line_for_notifications_and_no_thumbs():
    said = card_message({"type": "AdaptiveCard"}, "Hoi,\nik ben Bijdehand.")
    assert (said["summary"], set(said)) == ("Hoi, ik ben Bijdehand.", {"type", "summary", "attachments"})


# -- limits ------------------------------------------------------------------------------------------------------------
def a_long_article():
    long = tuple(Part(Kind.BACKGROUND, f"Deel {n}", "Een lange zin over vroeger. " * 40) for n in range(60))
    return an_answer(a_card(VERDICT, STEPS, more=long, url="https://kennis.example/lang", source="Nagekeken"))


@pytest.mark.parametrize("room", [MAX_CARD, 12_000])
def test_an_article_that_does_not_fit_is_cut_at_the_end_of_more_with_a_link_to_the_rest(room):
    made = answer_card(a_long_article(), room=room)
    check(made, room)
    whole = shown(fold(made, "whole")).split("\n")
    assert whole[-2:] == ["De rest past niet in dit bericht. [Bron](https://kennis.example/lang)", "Minder"]
    assert "Deel 0" in whole
    assert "Deel 59" not in whole
    assert "De rest" not in shown(fold(made, "brief"))
    assert "Nagekeken" in shown(made["body"])
    assert len(json.dumps(made)) > room * 0.85


def test_a_first_screen_that_does_not_fit_is_cut_too_and_the_source_and_the_buttons_stay():
    made = answer_card(an_answer(a_card(VERDICT, Part(None, "", "é" * 30_000), more=(BACKGROUND,), source="Nagekeken")))
    check(made)
    assert shown(fold(made, "brief")).split("\n") == ["Ja, tot € 75.", "De rest past niet in dit bericht.", "Meer"]
    assert shown(made["body"][-1]) == "Nagekeken"
    assert words(made)[-2:] == ["Klopt niet", "Vraag coach"]


def test_ids_that_are_no_ids_of_ours_do_not_crowd_out_the_answer():
    alternatives = tuple(Suggestion("é" * 1000, "x" * 5000, "nl") for _ in range(50))
    likely = an_answer(a_card(VERDICT, article_id="é" * 1000), message="?", alternatives=alternatives)
    made = answer_card(likely, Shown(back="é" * 1000))
    check(made)
    assert "Ja, tot € 75." in shown(made)
    assert "Terug" not in titled(made)


def test_every_starter_article_fits_uncut_wherever_it_stands(starter_articles):
    for place, (article, moment) in enumerate(product(starter_articles, Moment)):
        card = card_of(article, moment, person=Person("p"), language="nl", now=TODAY, zone=AMSTERDAM)
        answer = an_answer(card, moment=moment)
        for where, view in product(Where, View):
            made = answer_card(answer, Shown(view=view), where)
            assert "De rest past niet" not in shown(made), article.id
            assert len(json.dumps(made)) <= MAX_CARD
        if place % 9 == 0:  # the schema takes its time
            check(answer_card(answer))
            check_in_an_old_client(answer_card(answer, where=Where.SHARED))


# -- anything ----------------------------------------------------------------------------------------------------------
standings = st.builds(Shown, st.integers(0, 12), st.sampled_from(View), st.sampled_from(["", OTHER]) | made_up.anything)
wheres = st.sampled_from(Where)


@given(made_up.answers, standings, wheres, made_up.anything)
@settings(max_examples=60)
def test_any_answer_makes_a_valid_card_within_the_limits(answer, standing, where, notice):
    made = answer_card(answer, standing, where, notice=notice)
    check(made)
    if where is Where.DIALOG:
        assert buttons(made) == []
    if where is Where.INSERTED:
        assert {one["type"] for one in elements(made)}.isdisjoint(
            {"Action.Execute", "Action.Submit", "Action.ShowCard"}
        )


@given(made_up.articles, st.sampled_from(Moment), st.sampled_from(["", "junior", "senior"]), standings, wheres)
@settings(max_examples=60)
def test_any_article_makes_a_valid_card_for_whoever_asks_in_any_moment(article, moment, level, standing, where):
    card = card_of(article, moment, person=Person("p", level=level), language="nl", now=TODAY, zone=AMSTERDAM)
    check(answer_card(an_answer(card, moment=moment), standing, where))


@given(made_up.answers.filter(lambda answer: answer.card), wheres)
@settings(max_examples=60)
def test_all_of_an_article_is_on_its_card_unless_that_says_it_is_cut(answer, where):
    made = answer_card(answer, where=where)
    said = _squeezed("".join(found["text"] for found in elements(made["body"]) if "text" in found))
    if _squeezed(say("answer.cut", answer.language)) in said:
        return
    sections = (*answer.card.more, *(answer.card.first if where is Where.INSERTED else ()))  # elsewhere, a step of it
    for part in sections:
        for run in (run for group in teams_text._read(part.text) for line in group for run in line.runs):
            assert _squeezed(run.text) in said


@given(made_up.answers)
@settings(max_examples=30)
def test_any_card_is_readable_in_an_old_client(answer):
    check_in_an_old_client(answer_card(answer))


@given(made_up.answers, st.integers(14_000, MAX_CARD))
@settings(max_examples=40)
def test_in_a_message_of_somebodys_own_any_article_takes_no_more_room_than_there_is(answer, room):
    assert len(json.dumps(answer_card(answer, where=Where.INSERTED, room=room))) <= room


@given(made_up.answers, standings, wheres)
@settings(max_examples=100)
def test_any_answer_makes_a_message_within_the_limits(answer, standing, where):
    said = message(answer, standing, where)
    assert len(json.dumps(said)) <= MAX_MESSAGE
    assert said["summary"].strip()
    assert ("attachments" in said) != ("text" in said)
    json.dumps(said).encode()
    for root in said.get("entities", []):
        (cited,) = root["citation"]
        assert 0 < len(cited["appearance"]["abstract"]) <= 160
        assert 0 < len(cited["appearance"]["name"]) <= 80
        assert all(0 < len(word) <= 28 for word in cited["appearance"].get("keywords", []))


@given(made_up.anything)
def test_any_text_is_a_message_within_the_limits(text):
    said = text_message(text)
    assert len(json.dumps(said)) <= MAX_MESSAGE
    assert said["text"].strip()
    assert "<" not in said["text"]


def _squeezed(text):
    return "".join(filter(str.isalnum, text))
