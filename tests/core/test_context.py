import json
from collections import Counter
from dataclasses import replace

import pytest
from conftest import FAKE_CONFIDENCE, article
from hypothesis import given
from hypothesis import strategies as st

from core.confidence import confidence_for
from core.context import MOST_CHARACTERS, MOST_MESSAGES, better, is_question, rewritten, searched_text
from core.evaluate import follow_ups, read_follow_ups
from core.search import Found, Hit
from core.seeds import SEEDS

FOLLOWS = "hoe verzet ik een afspraak met de monteur"
anything = st.text(st.characters(), max_size=300)


def texts(*names, **wanted):
    rows = [json.loads(line) for name in names for line in (SEEDS / name).read_text(encoding="utf-8").splitlines()]
    return [row["text"] for row in rows if all(row[key] == value for key, value in wanted.items())]


def added(text, *before):
    """What is searched besides the text itself; empty where that is searched alone."""
    return (searched_text(text, before) or text).removeprefix(text).strip()


# -- what asks something ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "klnt sleutel pas 15e maar contract 1e??",
        "hoe zat t ook alweer met salderen",
        "mw wacht al een uur, mag ik haar iets geven",
        "ok en tot hoeveel mag ik",
        "verlengen zonder afspraak kan dat",
        "klnt wil eerder weg hoe moet ik dat rekenen",
        "is er iets veranderd bij identificeren",
        "en als t al bij de deurwaarder ligt",
        "ook als ie al betaald heeft",
        "she waited all morning. now what",
        "what's changing with net metering",
        "can they top it up themselves",
        "same for variable",
        "what about a senior",
    ],
)
def test_a_question_is_known_with_or_without_its_mark(text):
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dankje",
        "ok doe ik",
        "top ga ik m zo zeggen",
        "en bedankt he",
        "maar goed, is geregeld nu",
        "dan kan ik verder",
        "wat een gedoe",
        "hoe dan ook",
        "will do",
        "so good, thank you",
        "what a shift",
        "see https://kievit.example/zoek?q=monteur",
    ],
)
def test_what_only_looks_like_a_question_is_none(text):
    assert not is_question(text)


def test_nearly_every_labelled_question_is_known_as_one():
    asked = [text for kind in ("question", "chat") for text in texts("golden.jsonl", kind=kind)]
    assert sum(map(is_question, asked)) >= 0.88 * len(asked)


def test_what_needs_no_knowledge_is_hardly_ever_a_question():
    """Most of those that are taken for one do ask something, of colleagues: who has a headset, who wants ice cream."""
    said = texts("moments.jsonl", moment="none")
    assert sum(map(is_question, said)) <= 0.15 * len(said)


# -- what is searched for ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "en zonder bon?",
        "kost dat wat",
        "geldt dat ook voor go",
        "and without a receipt",
        "per wanneer dan",
        "hoezo niet?",
    ],
)
def test_a_follow_up_is_searched_with_what_it_follows(text):
    assert added(text, FOLLOWS) == FOLLOWS


@pytest.mark.parametrize(
    "text",
    [
        "dankje",
        "ok doe ik",
        "mw ruikt gas in de keuken",
        "hoe leg ik een jaarrekening uit aan mevrouw",
        "how do i report a move",
    ],
)
def test_thanks_and_whole_questions_are_searched_alone(text):
    assert searched_text(text, [FOLLOWS]) is None


@pytest.mark.parametrize("before", [[], [""], [" \n"]])
def test_where_nothing_was_said_before_there_is_nothing_to_add(before):
    assert searched_text("en zonder bon?", before) is None


def test_an_earlier_subject_in_the_same_conversation_is_left_out():
    assert added("en op zaterdag?", "hoe werkt de bedenktijd van een contract", FOLLOWS) == FOLLOWS


def test_follow_ups_reach_back_to_what_they_are_about_without_the_remarks():
    said = [FOLLOWS, "goeie vraag", "en op zaterdag?", "ja hoor"]
    assert added("kost dat wat", *said) == f"{FOLLOWS} en op zaterdag?"


@given(anything, st.lists(anything, max_size=9))
def test_the_question_stays_whole_and_the_context_stays_small(text, before):
    together = rewritten(text, before)
    assert together.startswith(text.rstrip())
    assert len(together) <= len(text) + 1 + MOST_CHARACTERS
    assert together == rewritten(text, before[-MOST_MESSAGES:])
    assert searched_text(text, before) in {None, together}


@given(anything)
def test_any_text_is_a_question_or_not(text):
    assert is_question(text) in {True, False}
    assert is_question(f"{text} en nu?")


def test_of_a_long_context_the_latest_is_kept_from_a_whole_word_on():
    together = rewritten("en nu?", ["woord " * 400 + "laatste"])
    assert together.endswith("woord laatste")
    assert set(together.removeprefix("en nu? ").split()) == {"woord", "laatste"}


# -- which search counts ----------------------------------------------------------------------------------------------
def found(score):
    return Found((Hit(article("---\ntitle: Gas\n---\n"), score, ""),))


def test_the_search_that_we_are_surer_of_counts():
    low, high = found(3.0), found(5.0)
    assert better(low, high, FAKE_CONFIDENCE) is high
    assert better(high, low, FAKE_CONFIDENCE) is high
    assert better(low, Found(()), FAKE_CONFIDENCE) is low


def test_without_context_is_taken_where_both_are_as_sure():
    alone, together = found(4.0), found(4.0)
    assert better(alone, together, FAKE_CONFIDENCE) is alone


# -- how much it helps ------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def conversations():
    return read_follow_ups(SEEDS / "followups.jsonl")


def test_there_are_conversations_of_every_kind_about_articles_that_exist(conversations, starter_articles):
    languages = Counter(one.language for one in conversations)
    kinds = Counter(one.kind for one in conversations)
    assert languages["nl"] >= 60
    assert languages["en"] >= 30
    assert kinds["switch"] >= 20
    assert kinds["smalltalk"] >= 10
    assert {one.article for one in conversations} <= {None, *(one.group for one in starter_articles)}
    assert all(one.article is None for one in conversations if one.kind == "smalltalk")
    assert all(1 <= len(one.before) <= 3 for one in conversations)


@pytest.mark.model
def test_context_helps_follow_ups_and_harms_nothing_else(conversations, starter_articles, real_embedder):
    report = follow_ups(starter_articles, conversations, real_embedder, confidence_for(real_embedder.name))
    for kinds in report.results.values():
        alone, context = kinds["elliptical"]["alone"], kinds["elliptical"]["context"]
        assert context.first >= 0.6 * context.messages
        assert context.first >= 2.5 * alone.first
        assert context.answered_right >= alone.answered_right + 3
        assert context.answered_wrong <= alone.answered_wrong
        assert kinds["sibling"]["context"].among_three >= kinds["sibling"]["alone"].among_three
        assert kinds["sibling"]["context"].answered_wrong <= 1
        alone, context = kinds["switch"]["alone"], kinds["switch"]["context"]
        assert context.first >= alone.first
        assert context.among_three >= alone.among_three - 1
        assert context.answered_right >= alone.answered_right
        assert context.answered_wrong <= alone.answered_wrong + 1  # of 33: with 85 articles, siblings are nearer
        assert kinds["smalltalk"]["context"] == kinds["smalltalk"]["alone"]


@pytest.mark.model
def test_context_helps_as_well_after_another_subject(conversations, starter_articles, real_embedder):
    elliptical = [one for one in conversations if one.kind == "elliptical" and one.language == "nl"]
    others = [*elliptical[7:], *elliptical[:7]]
    asked = [replace(one, before=(other.before[0], *one.before)) for one, other in zip(elliptical, others, strict=True)]
    report = follow_ups(starter_articles, asked, real_embedder, confidence_for(real_embedder.name))
    score = report.results["nl"]["elliptical"]["context"]
    assert score.first >= 0.6 * score.messages
    assert score.answered_right >= 4
