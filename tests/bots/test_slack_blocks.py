import json
import re
from dataclasses import replace

import pytest
from fake_slack import elements, problems, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import answers, anything, languages, shelves

from bots.slack_blocks import (
    Shown,
    Where,
    answer_blocks,
    check_blocks,
    copy_blocks,
    fallback_text,
    read_value,
    reason_blocks,
    seen_blocks,
    text_blocks,
    topics_blocks,
    value_of,
)
from core.model import Answer, Card, Outcome, Suggestion
from core.words import say, words
from knowledge.article import Kind
from knowledge.moment import Moment
from knowledge.shape import Part

ID = "a" * 32
STEPS = Part(Kind.STEPS, "Stappen", "1. Vraag de postcode.\n2. Kies *Verhuizing*.")
ALL_STEPS = Part(Kind.STEPS, "Stappen", STEPS.text + "\n3. Noem de datum.")
SAID = Part(Kind.SAY, "Zo zeg je het", '"Ik zet het klaar."')
WHY = Part(Kind.BACKGROUND, "Achtergrond", "Omdat het moet.")
WALK = ("Vraag de postcode.", "Kies *Verhuizing*.", "Noem de datum.")


def card(**fields):
    known = {"first": (STEPS, SAID), "more": (ALL_STEPS, WHY), "source": "Gecontroleerd op 1 november 2026"}
    return Card("move", 1, "Verhuizing", "nl", "verhuizen", critical=False, **(known | fields))


def answer(**fields):
    known = {"outcome": Outcome.ANSWERED, "language": "nl", "question": "q", "moment": Moment.APPLY, "card": card()}
    return Answer(ID, **(known | fields))


def walking(**fields):
    return answer(card=card(walk=WALK, walked=Kind.STEPS), **fields)


def shown(blocks):
    return "\n".join(texts(blocks))


def kinds(blocks):
    return [block["type"] for block in blocks]


def buttons(blocks):
    """The words of every button, by action id."""
    found = elements({"blocks": blocks}).values()
    return {button["action_id"]: button["text"]["text"] for button in found if button["type"] == "button"}


def menu(blocks):
    """What is behind the three dots: words by what they do."""
    options = elements({"blocks": blocks})["menu"]["options"]
    return {option["value"].split()[0]: option["text"]["text"] for option in options}


# -- an answer -----------------------------------------------------------------------------------------------
def test_an_answer_is_a_title_its_moment_the_parts_the_source_and_one_row_of_buttons():
    blocks = answer_blocks(answer())
    assert kinds(blocks) == ["header", "context", "section", "context", "actions"]
    assert texts(blocks)[:3] == [
        "Verhuizing",
        "✅ Toepassen · zo doe je het",
        '*Stappen*\n1. Vraag de postcode.\n2. Kies _Verhuizing_.\n\n*Zo zeg je het*\n> "Ik zet het klaar."',
    ]
    assert buttons(blocks) == {"more": "Meer", "wrong": "Klopt niet", "coach": "Vraag coach"}
    assert list(elements({"blocks": blocks}))[-1] == "menu"


def test_the_verdict_leads_in_bold_and_without_a_heading():
    verdict = Part(Kind.VERDICT, "In het kort", "Ja, dat mag.")
    assert "*Ja, dat mag.*\n\n*Stappen*" in shown(answer_blocks(answer(card=card(first=(verdict, STEPS)))))


@pytest.mark.parametrize("moment", Moment)
def test_the_moment_is_a_word_and_never_only_a_sign(moment):
    assert say(f"moment.{moment}", "nl") in shown(answer_blocks(answer(moment=moment)))


def test_more_shows_each_part_whole_in_its_place_and_then_the_rest():
    (section,) = [block for block in answer_blocks(answer(), Shown(more=True)) if block["type"] == "section"]
    said = section["text"]["text"]
    assert said.index("3. Noem de datum.") < said.index("Ik zet het klaar.") < said.index("Omdat het moet.")
    assert said.count("1. Vraag de postcode.") == 1


def test_two_parts_under_one_heading_are_both_shown():
    now = Part(Kind.CHANGES, "Wat er verandert", "**Nu: € 75** (was € 25)")
    written = Part(Kind.CHANGES, "Wat er verandert", "Sinds september mag het.")
    said = shown(answer_blocks(answer(card=card(first=(now,), more=(written,))), Shown(more=True)))
    assert said.index("*Nu: €\u00a075* (was €\u00a025)") < said.index("Sinds september mag het.")


def test_an_article_without_more_offers_no_more():
    assert "more" not in elements({"blocks": answer_blocks(answer(card=card(more=())))})


def test_danger_notes_and_links_are_shown():
    blocks = answer_blocks(
        answer(
            card=card(
                notes=("Dit geldt alleen voor zon.",),
                changed="Let op: sinds 1 september 2026 is dit *gratis*.",
                url="https://kennis.example/a?b=1&c=2",
                training="https://academie.example/klachten",
            )
        )
    )
    said = shown(blocks)
    assert "Dit geldt alleen voor zon." in said
    assert "🔄 Let op: sinds 1 september 2026 is dit _gratis_." in said
    assert "<https://kennis.example/a?b=1&amp;c=2|Bron>" in said
    assert "<https://academie.example/klachten|Training>" in said
    danger = Card("gas", 1, "Gaslucht", "nl", "", critical=True, first=(STEPS,), more=())
    assert texts(answer_blocks(answer(card=danger)))[:2] == [
        "🚨 Gaslucht",
        "*Veiligheid eerst*  ✅ Toepassen · zo doe je het",
    ]
    assert fallback_text(answer(card=danger)).startswith("🚨 Gaslucht\n")
    assert "Veiligheid eerst" in fallback_text(answer(card=danger))


def test_what_is_new_lately_is_small_and_stands_above_the_article():
    blocks = answer_blocks(answer(card=card(changed="Let op.", notes=("Alleen zon.",))))
    assert kinds(blocks) == ["header", "context", "section", "context", "section", "context", "actions"]
    assert texts(blocks)[2:4] == ["Alleen zon.", "🔄 Let op."]


def test_a_notification_begins_with_the_title_and_what_to_do():
    noted = answer(card=card(changed="Let op.", notes=("Alleen zon.",)))
    assert fallback_text(noted).splitlines()[:3] == ["Verhuizing", "Alleen zon.", "*Stappen*"]
    assert fallback_text(noted).splitlines()[-3:] == [
        "🔄 Let op.",
        "✅ Toepassen · zo doe je het",
        "Gecontroleerd op 1 november 2026",
    ]


def test_steps_that_go_on_under_more_say_so_until_it_is_opened():
    part = replace(STEPS, below="Nog 1 stap onder Meer.")
    cut = answer(card=card(first=(part, SAID)))
    assert "2. Kies _Verhuizing_.\n_Nog 1 stap onder Meer._" in shown(answer_blocks(cut))
    assert "Nog 1 stap" in fallback_text(cut)
    assert "Nog 1 stap" not in shown(answer_blocks(cut, Shown(more=True)))
    walked = replace(cut, card=replace(cut.card, walk=WALK, walked=Kind.STEPS))
    assert "Nog 1 stap" not in shown(answer_blocks(walked))


def test_a_likely_answer_asks_first_and_shows_its_siblings_above_the_article():
    likely = answer(
        outcome=Outcome.SUGGESTIONS,
        message=say("answer.maybe", "nl"),
        alternatives=(Suggestion("late", "Met terugwerkende kracht", "nl"),),
    )
    assert kinds(answer_blocks(likely))[:3] == ["section", "actions", "header"]


def test_other_titles_do_not_stand_below_an_answer_that_is_sure():
    sure = answer(alternatives=(Suggestion("late", "Met terugwerkende kracht", "nl"),))
    assert "Met terugwerkende kracht" not in shown(answer_blocks(sure)) + fallback_text(sure)


def test_of_two_questions_the_second_is_one_tap_away_above_the_answer():
    two = answer(message=say("answer.two", "nl"), alternatives=(Suggestion("late", "Terugwerkend", "nl"),))
    assert kinds(answer_blocks(two))[:3] == ["section", "actions", "header"]
    assert "• Terugwerkend" in fallback_text(two)


def test_a_refusal_gives_the_sentence_to_say_and_then_the_nearest_titles():
    refusal = answer(
        outcome=Outcome.UNANSWERED,
        card=None,
        message=say("answer.none_near", "nl"),
        bridge=say("answer.bridge", "nl"),
        alternatives=(Suggestion("late", "Met terugwerkende kracht", "nl"), Suggestion("move", "Verhuizing", "nl")),
    )
    blocks = answer_blocks(refusal)
    assert kinds(blocks) == ["section", "section", "context", "context", "actions", "actions"]
    assert texts(blocks)[:4] == [
        "Dit weet ik niet. Ik gok liever niet.",
        'Zeg bijvoorbeeld:\n> "Ik zoek dit voor u uit en bel u uiterlijk de volgende werkdag terug."',
        say("answer.danger", "nl"),
        "Dit komt het dichtst in de buurt",
    ]
    assert list(buttons(blocks)) == ["open:0", "open:1", "coach"]
    assert fallback_text(refusal).splitlines() == [
        *texts(blocks)[0].splitlines(),
        *texts(blocks)[1].splitlines(),
        *texts(blocks)[2:4],
        "• Met terugwerkende kracht",
        "• Verhuizing",
    ]


@pytest.mark.parametrize(
    ("bridge", "said"),
    [
        ("Zeg dat je terugbelt.", "> Zeg dat je terugbelt."),
        ('"Ik bel u."', '> "Ik bel u."'),
        ('Zeg "ja" of "nee".', '> Zeg "ja" of "nee".'),
        ("Zeg: “Ik *bel* u.”", "Zeg:\n> “Ik _bel_ u.”"),
    ],
)
def test_only_what_is_said_to_the_customer_is_quoted(bridge, said):
    refusal = answer(outcome=Outcome.UNANSWERED, card=None, bridge=bridge)
    assert texts(answer_blocks(refusal))[0] == said


def test_a_warning_comes_first_and_is_in_the_fallback():
    warned = answer(warnings=(say("privacy.warn", "nl"),))
    assert texts(answer_blocks(warned))[0] == say("privacy.warn", "nl")
    assert fallback_text(warned).startswith(say("privacy.warn", "nl"))


def test_help_is_a_sentence():
    helped = answer(outcome=Outcome.HELP, card=None, moment=None, message="Typ je vraag. *zo*")
    assert texts(answer_blocks(helped)) == ["Typ je vraag. _zo_"]
    assert fallback_text(helped) == "Typ je vraag. _zo_"


def test_an_answer_that_is_kept_nowhere_has_no_buttons():
    assert "actions" not in kinds(answer_blocks(Answer("", Outcome.ANSWERED, "nl", "q", card=card())))


def test_a_very_long_article_is_cut_with_a_word_about_it_and_keeps_its_source_and_buttons():
    long = Part(Kind.BACKGROUND, "Achtergrond", "\n\n".join(f"Zin {number} " + "woord " * 50 for number in range(200)))
    blocks = answer_blocks(answer(card=card(more=(long,))), Shown(more=True))
    assert problems(blocks) == []
    assert say("answer.cut", "nl") in shown(blocks)
    assert "Gecontroleerd op" in shown(blocks)
    assert "less" in elements({"blocks": blocks})
    assert len(shown(blocks)) > 8000


def test_blocks_carry_no_id_so_that_slack_makes_fresh_ones():
    assert not [block for block in answer_blocks(answer()) if "block_id" in block]


def test_an_answer_far_from_its_question_repeats_it_in_one_line_that_fits_and_formats_nothing():
    asked = "klant *ruikt*\ngas & <!channel> " + "woord " * 100
    first = texts(answer_blocks(answer(), question=asked))[0]
    assert first.startswith("Je vroeg: klant *\u200bruikt* gas &amp; &lt;")
    assert first.endswith("…")
    assert len(first) < 250
    assert fallback_text(answer(), question=asked).splitlines()[0] == first
    assert "Je vroeg" not in shown(answer_blocks(answer()))


def test_a_stale_article_says_so_in_words_behind_a_sign():
    stale = say("source.stale", "nl", month="maart 2025", owner="Team Contract")
    blocks = answer_blocks(answer(card=card(source=stale, stale=True)))
    assert f"⚠️ {stale}" in shown(blocks)
    assert f"⚠️ {stale}" in fallback_text(answer(card=card(source=stale, stale=True)))
    assert "⚠️" not in shown(answer_blocks(answer()))


def test_an_image_is_a_link_since_one_that_slack_cannot_fetch_would_cost_the_whole_message():
    pictured = Part(Kind.STEPS, "Stappen", "Klik ![op de knop](https://intern.example/knop.png).")
    blocks = answer_blocks(answer(card=card(first=(pictured,))))
    assert "image" not in kinds(blocks)
    assert "<https://intern.example/knop.png|op de knop>" in shown(blocks)


# -- its buttons ---------------------------------------------------------------------------------------------
def test_less_stands_where_more_stood():
    assert list(buttons(answer_blocks(answer(), Shown(more=True)))) == ["less", "wrong", "coach"]


def test_the_menu_holds_what_is_rarely_needed_and_only_what_can_be_done():
    assert menu(answer_blocks(answer(), where=Where.DIRECT)) == {
        "reshape": "Ik zoek iets anders",
        "share": "Deel in kanaal",
        "later": "Bewaar voor straks",
    }
    sayable = answer(card=card(say=("Ik zet het klaar.",), moments=(Moment.APPLY,)))
    assert list(menu(answer_blocks(sayable, where=Where.DIRECT))) == ["copy", "share", "later"]


def test_sharing_is_offered_where_not_everybody_sees_the_answer():
    shares = {where: "share" in menu(answer_blocks(answer(), where=where)) for where in Where}
    assert shares == {Where.DIRECT: True, Where.CHANNEL: False, Where.WHISPER: False, Where.MODAL: True}
    assert buttons(answer_blocks(answer(), where=Where.WHISPER))["share"] == "Deel in kanaal"


@pytest.mark.parametrize("moment", Moment)
def test_the_other_moments_of_the_article_can_be_chosen_in_place_of_the_buttons(moment):
    some = (Moment.APPLY, Moment.SOLVE, Moment.MORE)
    blocks = answer_blocks(answer(moment=moment, card=card(moments=some)), Shown(choosing=True))
    others = {f"shape:{other}": say(f"reshape.{other}", "nl") for other in some if other is not moment}
    assert buttons(blocks) == others | {"back": "Terug"}
    assert "menu" not in elements({"blocks": blocks})
    assert kinds(blocks) == [*kinds(answer_blocks(answer()))[:-1], "context", "actions"]
    assert "Wat wil je hierover zien?" in texts(blocks)


def test_every_button_tells_which_answer_in_which_shape_it_is_about():
    standing = Shown(more=True, step=2)
    found = elements({"blocks": answer_blocks(walking(moment=Moment.SOLVE), standing)})
    values = {found[name]["value"] for name in ("less", "wrong", "coach")}
    values |= {option["value"].partition(" ")[2] for option in found["menu"]["options"]}
    assert {read_value(value) for value in values} == {(ID, Moment.SOLVE, standing)}


def test_every_button_of_the_row_has_a_label_that_says_what_it_is_about():
    row = [one for one in elements({"blocks": answer_blocks(answer())}).values() if one["type"] == "button"]
    assert [button["accessibility_label"] for button in row] == [
        f"{button['text']['text']}: Verhuizing" for button in row
    ]


def test_slacks_own_thumbs_stand_at_the_very_end_of_a_conversation_of_two_and_nowhere_else():
    *_, last = answer_blocks(answer(), where=Where.DIRECT)
    (thumbs,) = last["elements"]
    assert last["type"] == "context_actions"
    assert (thumbs["type"], thumbs["action_id"]) == ("feedback_buttons", "helped")
    assert thumbs["positive_button"]["value"] == f"yes {ID}"
    assert thumbs["negative_button"]["value"] == f"no {ID}"
    assert thumbs["negative_button"]["accessibility_label"] == "Dit hielp niet"
    for where in set(Where) - {Where.DIRECT}:
        assert "context_actions" not in kinds(answer_blocks(answer(), where=where))


def test_whoever_goes_through_steps_tells_there_whether_it_helped():
    assert "context_actions" not in kinds(answer_blocks(walking(), where=Where.DIRECT))
    assert "context_actions" in kinds(answer_blocks(walking(), Shown(more=True), Where.DIRECT))


@pytest.mark.parametrize("outcome", [Outcome.HELP, Outcome.THANKS, Outcome.FAILED])
def test_talk_has_no_buttons(outcome):
    blocks = answer_blocks(answer(outcome=outcome, card=None, message="Graag gedaan."), where=Where.DIRECT)
    assert kinds(blocks) == ["section"]


# -- step by step --------------------------------------------------------------------------------------------
def test_one_step_is_shown_in_the_place_of_all_with_the_ways_back_and_on():
    blocks = answer_blocks(walking(), Shown(step=1))
    assert texts(blocks)[2] == "*Stappen*\n_Stap 2 van 3_\nKies _Verhuizing_."
    assert kinds(blocks) == ["header", "context", "section", "actions", "section", "context", "actions"]
    assert list(buttons(blocks)) == ["step:next", "step:back", "more", "wrong", "coach"]
    assert '> "Ik zet het klaar."' in shown(blocks)


def test_the_first_step_has_no_way_back_and_the_last_is_done():
    first, last = answer_blocks(walking()), answer_blocks(walking(), Shown(step=2))
    assert [name for name in buttons(first) if "step" in name] == ["step:next"]
    assert {name: text for name, text in buttons(last).items() if "step" in name} == {
        "step:done": "Klaar",
        "step:back": "Vorige",
    }


def test_a_check_works_or_does_not_and_after_the_last_one_there_is_a_coach():
    trouble = card(
        first=(Part(Kind.TROUBLE, "Als het misgaat", "- a\n- b"),), walk=("a", "b", "c"), walked=Kind.TROUBLE
    )
    solving = answer(moment=Moment.SOLVE, card=trouble)
    ways = [
        [element["text"]["text"] for element in block["elements"] if element["type"] == "button"]
        for step in (0, 1, 2)
        for block in answer_blocks(solving, Shown(step=step))
        if block["type"] == "actions"
    ]
    assert ways == [
        ["Werkt", "Werkt niet"],
        ["Meer", "Klopt niet", "Vraag coach"],
        ["Werkt", "Werkt niet", "Vorige"],
        ["Meer", "Klopt niet", "Vraag coach"],
        ["Werkt", "Werkt niet, vraag een coach", "Vorige"],
        ["Meer", "Klopt niet"],
    ]


def test_opened_up_all_steps_are_there_and_nothing_is_walked():
    blocks = answer_blocks(walking(), Shown(more=True, step=1))
    assert "3. Noem de datum." in shown(blocks)
    assert "Stap 2" not in shown(blocks)
    assert not [name for name in buttons(blocks) if name.startswith("step")]


def test_what_is_not_said_to_be_walked_is_not():
    unknown = card(first=(Part(None, "", "Tekst."),), walk=WALK)
    assert not [name for name in buttons(answer_blocks(answer(card=unknown))) if name.startswith("step")]


def test_a_walk_can_always_be_opened_up():
    assert "more" in buttons(answer_blocks(answer(card=card(more=(), walk=WALK, walked=Kind.STEPS))))


@pytest.mark.parametrize("step", [-1, 3, 10**9])
def test_a_step_that_is_not_there_is_the_nearest_one(step):
    blocks = answer_blocks(walking(), Shown(step=step))
    assert f"_Stap {1 if step < 0 else 3} van 3_" in shown(blocks)


# -- what a button sends -------------------------------------------------------------------------------------
standings = st.builds(Shown, st.booleans(), st.integers(0, 999), st.booleans())


@given(st.uuids().map(lambda number: number.hex), st.sampled_from([None, *Moment]), standings)
def test_what_a_button_sends_is_read_back_and_is_short(answer_id, moment, standing):
    value = value_of(answer_id, moment, standing)
    assert read_value(value) == (answer_id, moment, standing)
    assert len(value) <= 75


def test_an_answer_as_it_was_given_is_just_its_id():
    assert value_of(ID, None) == ID


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        f"{ID} nooit",
        f"{ID} apply 1mm",
        f"{ID} apply 1000",
        f"{ID}\n",
        "x" * 65,
        f"{ID} apply 1 ",
        "<@U1>",
        "é",
    ],
)
def test_what_we_never_sent_is_refused(value):
    with pytest.raises(ValueError, match="not the value of a button"):
        read_value(value)


@given(anything)
def test_whatever_is_read_means_what_we_would_send_for_it(value):
    try:
        read = read_value(value)
    except ValueError:
        return
    assert read_value(value_of(*read)) == read


# -- around an answer ----------------------------------------------------------------------------------------
def test_five_reasons_are_one_tap_each():
    for language in ("nl", "en"):
        blocks = reason_blocks("a" * 32, language)
        assert problems(blocks) == []
        reasons = {name.removeprefix("reason:") for name in elements({"blocks": blocks})}
        assert {f"feedback.reasons.{reason}" for reason in reasons} == {
            key for key in words(language) if key.startswith("feedback.reasons.")
        }


def test_a_sentence_to_copy_stands_alone_without_formatting_or_quotes():
    sentences = ('"Ik zet **€ 15** voor u klaar."', 'Go & (je): "Je <geld> komt eraan."', 'Zeg "ja" of "nee".')
    blocks = copy_blocks(answer(card=card(say=sentences)))
    assert problems(blocks) == []
    assert kinds(blocks) == ["section", "rich_text", "context", "rich_text", "rich_text"]
    assert texts(blocks) == [
        say("slack.copy", "nl"),
        "Ik zet € 15 voor u klaar.",
        "Go &amp; (je):",
        "Je <geld> komt eraan.",
        'Zeg "ja" of "nee".',
    ]


def test_where_there_is_nothing_to_copy_a_sentence_says_so():
    assert texts(copy_blocks(answer())) == [say("slack.copy_none", "nl")]
    assert texts(copy_blocks(answer(card=None))) == [say("slack.copy_none", "nl")]


def test_what_a_colleague_got_to_see_is_their_question_and_the_answer_with_nothing_to_do_but_read():
    alternatives = (Suggestion("late", "Met terugwerkende kracht", "nl"),)
    blocks = seen_blocks(walking(question="klant *is* verhuisd"))
    assert texts(blocks)[0] == "Een collega vroeg: klant *\u200bis* verhuisd"
    assert "1. Vraag de postcode." in shown(blocks)
    assert elements({"blocks": blocks}) == {}
    refused = seen_blocks(answer(outcome=Outcome.UNANSWERED, card=None, alternatives=alternatives))
    assert buttons(refused) == {"open:0": "Met terugwerkende kracht"}


def test_later_we_ask_whether_it_worked_out_and_need_not_ask_again():
    blocks = check_blocks(answer())
    assert problems(blocks) == []
    assert texts(blocks)[0] == "*Is het gelukt?*\nVerhuizing"
    assert buttons(blocks) == {"helped:yes": "Ja", "helped:no": "Nee", "quiet": "Vraag me dit nooit meer"}
    values = {name: element["value"] for name, element in elements({"blocks": blocks}).items()}
    assert values == {"helped:yes": f"yes {ID}", "helped:no": f"no {ID}", "quiet": ID}


SHELVES = {
    "contract": [Suggestion("bedenktijd", "Bedenktijd", "nl")],
    "": [Suggestion(f"a{number}", f"Artikel {number}", "nl") for number in range(40)],
}


def test_what_there_is_to_read_begins_with_a_sentence():
    assert texts(topics_blocks(SHELVES, "nl"))[0] == say("slack.topics", "nl")


def test_topics_are_a_list_and_a_short_topic_is_one_tap_to_each_title():
    assert [
        option["text"]["text"] for option in elements({"blocks": topics_blocks(SHELVES, "nl")})["topic"]["options"]
    ] == [
        "Contract",
        "Overig",
    ]
    found = elements({"blocks": topics_blocks(SHELVES, "nl", "contract")})
    assert found["topic"]["initial_option"]["value"] == "nl contract"
    assert found["open:0"]["value"] == "nl bedenktijd"


def test_a_long_topic_is_a_list_too_and_one_without_a_name_can_be_chosen():
    (nameless,) = [
        option["value"].partition(" ")[2]
        for option in elements({"blocks": topics_blocks(SHELVES, "nl")})["topic"]["options"]
        if option["text"]["text"] == "Overig"
    ]
    found = elements({"blocks": topics_blocks(SHELVES, "nl", nameless)})
    assert [option["value"] for option in found["title"]["options"]] == [f"nl a{number}" for number in range(40)]


@pytest.mark.parametrize(("title", "fewest"), [("T", 40), ("Een titel van enige lengte, zoals ze zijn " * 2, 20)])
def test_of_a_very_long_topic_as_many_titles_are_listed_as_slack_takes(title, fewest):
    many = {"t": [Suggestion(f"a{number}" + "x" * 100 * (len(title) > 1), title, "nl") for number in range(200)]}
    blocks = topics_blocks(many, "nl", "t")
    assert problems(blocks) == []
    assert len(json.dumps(blocks)) <= 12_000
    assert fewest <= len(elements({"blocks": blocks})["title"]["options"]) <= 100


def test_a_topic_that_is_gone_shows_the_others_and_no_knowledge_is_said():
    assert list(elements({"blocks": topics_blocks(SHELVES, "nl", "weg")})) == ["topic"]
    assert texts(topics_blocks({}, "nl")) == [say("answer.empty", "nl")]


# -- anything ------------------------------------------------------------------------------------------------
def pings(blocks):
    return [text for text in texts(blocks) if re.search(r"<[!@#]", text)]


@settings(max_examples=150, deadline=None)
@given(answers, standings, st.sampled_from(Where), anything)
def test_any_answer_is_valid_everywhere_fits_and_pings_nobody(answer, standing, where, question):
    blocks = answer_blocks(answer, standing, where, question=question)
    assert problems(blocks, in_view=where is Where.MODAL) == []
    assert len(blocks) <= 50
    assert not pings(blocks)
    assert not [block for block in blocks if "block_id" in block]
    fallback = fallback_text(answer, question=question)
    assert fallback.strip()
    assert len(fallback) <= 4000
    assert not re.search(r"<[!@#]", fallback)


@settings(max_examples=100, deadline=None)
@given(answers, standings, st.sampled_from(Where))
def test_in_any_answer_with_an_article_the_row_of_buttons_is_there_and_complete(answer, standing, where):
    answer = replace(answer, outcome=Outcome.ANSWERED)
    blocks = answer_blocks(answer, standing, where)
    found = elements({"blocks": blocks})
    if answer.card:
        assert {"back"} <= found.keys() if standing.choosing else {"wrong", "menu"} <= found.keys()
        cut = say("answer.cut", answer.language) in texts(blocks)  # and with it the way through steps, coach and all
        assert standing.choosing or "coach" in found or (cut and answer.card.walk)
        assert all(read_value(found[name]["value"])[0] == answer.id for name in found if name in {"wrong", "coach"})


@settings(max_examples=50, deadline=None)
@given(answers, anything.map(lambda text: text[:1000]), languages)
def test_whatever_stands_around_any_answer_is_valid_and_pings_nobody(answer, sentence, language):
    for blocks in (
        copy_blocks(answer),
        check_blocks(answer),
        reason_blocks(answer.id, language),
        text_blocks(sentence),
    ):
        assert problems(blocks) == []
        assert not pings(blocks)


@settings(max_examples=50, deadline=None)
@given(shelves, languages, st.data())
def test_any_shelves_of_topics_are_valid_and_ping_nobody(shelves, language, data):
    topic = data.draw(st.sampled_from(["", *shelves]) | anything)
    blocks = topics_blocks(shelves, language, topic)
    assert problems(blocks) == []
    assert not pings(blocks)
