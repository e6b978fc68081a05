import re

import pytest
from fake_slack import elements, problems, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import bodies

from bots.slack_blocks import answer_blocks, fallback_text, reason_blocks
from bots.slack_text import mrkdwn
from core.model import Answer, Card, Outcome, Suggestion
from core.words import say, words
from knowledge.article import Kind
from knowledge.moment import Moment
from knowledge.shape import Part

STEPS = Part(Kind.STEPS, "Stappen", "1. Vraag de postcode.\n2. Kies *Verhuizing*.")
ALL_STEPS = Part(Kind.STEPS, "Stappen", STEPS.text + "\n3. Noem de datum.")
SAID = Part(Kind.SAY, "Zo zeg je het", '"Ik zet het klaar."')
WHY = Part(Kind.BACKGROUND, "Achtergrond", "Omdat het moet.")


def card(**fields):
    known = {"first": (STEPS, SAID), "more": (ALL_STEPS, WHY), "source": "Gecontroleerd op 1 november 2026"}
    return Card("move", 1, "Verhuizing", "nl", "verhuizen", critical=False, **(known | fields))


def answer(**fields):
    known = {"outcome": Outcome.ANSWERED, "language": "nl", "question": "q", "moment": Moment.APPLY, "card": card()}
    return Answer("a" * 32, **(known | fields))


def shown(blocks):
    return "\n".join(texts(blocks))


def kinds(blocks):
    return [block["type"] for block in blocks]


# -- an answer -----------------------------------------------------------------------------------------------
def test_an_answer_is_a_title_its_moment_the_parts_the_source_and_three_ways_on():
    blocks = answer_blocks(answer())
    assert kinds(blocks) == ["header", "context", "section", "context", "actions"]
    assert texts(blocks)[:3] == [
        "Verhuizing",
        "✅ Toepassen · zo doe je het",
        '*Stappen*\n1. Vraag de postcode.\n2. Kies _Verhuizing_.\n\n*Zo zeg je het*\n> "Ik zet het klaar."',
    ]
    assert list(elements({"blocks": blocks})) == ["more", "reshape", "wrong"]


@pytest.mark.parametrize("moment", Moment)
def test_the_moment_is_a_word_and_never_only_a_sign(moment):
    assert say(f"moment.{moment}", "nl") in shown(answer_blocks(answer(moment=moment)))


@pytest.mark.parametrize("moment", Moment)
def test_the_other_four_moments_are_offered(moment):
    options = elements({"blocks": answer_blocks(answer(moment=moment))})["reshape"]["options"]
    assert [option["value"].split()[1] for option in options] == [other for other in Moment if other != moment]


def test_more_shows_each_part_whole_in_its_place_and_then_the_rest():
    (section,) = [block for block in answer_blocks(answer(), more=True) if block["type"] == "section"]
    said = section["text"]["text"]
    assert said.index("3. Noem de datum.") < said.index("Ik zet het klaar.") < said.index("Omdat het moet.")
    assert said.count("1. Vraag de postcode.") == 1


def test_two_parts_under_one_heading_are_both_shown():
    now = Part(Kind.CHANGES, "Wat er verandert", "**Nu: € 75** (was € 25)")
    written = Part(Kind.CHANGES, "Wat er verandert", "Sinds september mag het.")
    said = shown(answer_blocks(answer(card=card(first=(now,), more=(written,))), more=True))
    assert said.index("*Nu: € 75* (was € 25)") < said.index("Sinds september mag het.")


def test_an_article_without_more_offers_no_more():
    assert "more" not in elements({"blocks": answer_blocks(answer(card=card(more=())))})


def test_danger_notes_and_links_are_shown():
    blocks = answer_blocks(
        answer(
            card=card(
                notes=("Let op: sinds 1 september 2026 is dit € 75.",),
                url="https://kennis.example/a?b=1&c=2",
                training="https://academie.example/klachten",
            )
        )
    )
    said = shown(blocks)
    assert "Let op: sinds" in said
    assert "<https://kennis.example/a?b=1&amp;c=2|Bron>" in said
    assert "<https://academie.example/klachten|Training>" in said
    danger = Card("gas", 1, "Gaslucht", "nl", "", critical=True, first=(STEPS,), more=())
    assert "Veiligheid eerst" in shown(answer_blocks(answer(card=danger)))
    assert "Veiligheid eerst" in fallback_text(answer(card=danger))


def test_a_likely_answer_asks_first_and_shows_its_siblings_above_the_article():
    likely = answer(
        outcome=Outcome.SUGGESTIONS,
        message=say("answer.maybe", "nl"),
        alternatives=(Suggestion("late", "Met terugwerkende kracht", "nl"),),
    )
    assert kinds(answer_blocks(likely))[:3] == ["section", "actions", "header"]


def test_a_refusal_shows_the_nearest_titles_and_what_to_say():
    refusal = answer(
        outcome=Outcome.UNANSWERED,
        card=None,
        message=say("answer.none_near", "nl"),
        bridge=say("answer.bridge", "nl"),
        alternatives=(Suggestion("late", "Met terugwerkende kracht", "nl"), Suggestion("move", "Verhuizing", "nl")),
    )
    blocks = answer_blocks(refusal)
    assert kinds(blocks) == ["section", "actions", "section"]
    assert list(elements({"blocks": blocks})) == ["open:0", "open:1"]
    assert shown(blocks).endswith(mrkdwn("> " + say("answer.bridge", "nl")))
    for sentence in ("Dit weet ik niet.", "• Verhuizing", "bijvoorbeeld"):
        assert sentence in fallback_text(refusal)


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
    blocks = answer_blocks(answer(card=card(more=(long,))), more=True)
    assert problems(blocks) == []
    assert say("answer.cut", "nl") in shown(blocks)
    assert "Gecontroleerd op" in shown(blocks)
    assert "less" in elements({"blocks": blocks})
    assert len(shown(blocks)) > 8000


def test_five_reasons_are_one_tap_each():
    for language in ("nl", "en"):
        blocks = reason_blocks("a" * 32, language)
        assert problems(blocks) == []
        reasons = {name.removeprefix("reason:") for name in elements({"blocks": blocks})}
        assert {f"feedback.reasons.{reason}" for reason in reasons} == {
            key for key in words(language) if key.startswith("feedback.reasons.")
        }


def test_blocks_carry_no_id_so_that_slack_makes_fresh_ones():
    assert not [block for block in answer_blocks(answer()) if "block_id" in block]


# -- any answer ----------------------------------------------------------------------------------------------
anything = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["<!channel>", "<@U1>", "a <!here|x> &lt;!here&gt;", "https://x.example/<@U1>|b", "[x](<!channel>)"]
    ),
    st.builds(
        lambda text, times: text * times, st.sampled_from(["& ", "woord ", "<@U1>", "é", "*"]), st.integers(1, 4000)
    ),
)
parts = st.builds(Part, st.sampled_from([None, *Kind]), anything, st.one_of(bodies, anything))
cards = st.builds(
    Card,
    article_id=anything,
    version=st.integers(1, 9),
    title=anything,
    language=st.sampled_from(["nl", "en"]),
    topic=anything,
    critical=st.booleans(),
    first=st.lists(parts, max_size=6).map(tuple),
    more=st.lists(parts, max_size=15).map(tuple),
    notes=st.lists(anything, max_size=3).map(tuple),
    source=anything,
    training=anything,
    url=anything,
)
answers = st.builds(
    Answer,
    id=st.uuids().map(lambda number: number.hex),
    outcome=st.sampled_from(Outcome),
    language=st.sampled_from(["nl", "en"]),
    question=anything,
    message=anything,
    bridge=anything,
    moment=st.sampled_from([None, *Moment]),
    card=st.none() | cards,
    alternatives=st.lists(st.builds(Suggestion, anything, anything, st.sampled_from(["nl", "en"])), max_size=8).map(
        tuple
    ),
    warnings=st.lists(anything, max_size=2).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(answers, st.booleans())
def test_any_answer_is_valid_fits_and_pings_nobody(answer, more):
    blocks = answer_blocks(answer, more=more)
    assert problems(blocks) == []
    for text in texts(blocks):
        assert not re.search(r"<[!@#]", text)
    fallback = fallback_text(answer)
    assert fallback.strip()
    assert len(fallback) <= 4000
    assert not re.search(r"<[!@#]", fallback)
