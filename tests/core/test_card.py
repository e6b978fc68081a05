from dataclasses import replace
from datetime import UTC, datetime

import pytest
from conftest import AMSTERDAM, TODAY, article

from core.card import card_of, changed_lately, current_change
from core.model import Answer, Outcome, Person
from core.store.columns import ANSWER
from core.words import say
from knowledge.article import Kind
from knowledge.moment import Moment

CREDIT = """---
id: goedmaken
title: Goedmaken met een tegoed
owner: Team Klachten
verified: {verified}
verify_every: 180
training: https://academie.kievit.example/klachten
applies_when: {case}
changes:
  - since: {since}
    new: medewerker tot € 75
    old: medewerker tot € 25
    applies_to: alle klachten
    why: je lost het in één gesprek op
---
## In het kort
Je mag tot € 75 goedmaken.

## Stappen
1. Kies de reden.
2. Noem het bedrag.

## Dit mag je zelf beslissen
- junior: tot € 25
- medewerker: tot € 75
- senior: tot € 150
"""


def card(moment=Moment.APPLY, language="nl", level="", since="2026-11-01", verified="2026-10-05", case=""):
    text = CREDIT.format(since=since, verified=verified, case=case or '""')
    return card_of(article(text), moment, person=Person("p", level=level), language=language, now=TODAY, zone=AMSTERDAM)


def test_the_reader_sees_the_mandate_of_their_own_level():
    own = {level: [p.text for p in card(level=level).first if p.kind is Kind.MANDATE] for level in ("junior", "senior")}
    assert own == {"junior": ["junior: tot € 25"], "senior": ["senior: tot € 150"]}


def test_a_change_of_some_weeks_ago_stands_above_the_answer():
    assert card().changed == (
        "Let op: sinds 1 november 2026 is dit medewerker tot € 75 (was medewerker tot € 25). Geldt voor alle klachten."
    )
    assert card().notes == ()


def test_a_change_of_long_ago_has_faded():
    assert card(since="2026-06-01").changed == ""


def test_a_coming_change_is_announced_as_coming():
    assert card(since="2027-01-01").changed.startswith(
        "Let op: vanaf 1 januari 2027 wordt dit medewerker tot € 75 (nu nog"
    )


def test_the_new_way_leads_when_a_change_is_asked_for():
    shown = card(Moment.CHANGE)
    assert shown.first[0].kind is Kind.CHANGES
    assert shown.first[0].text == (
        "**Nu: medewerker tot € 75** (was medewerker tot € 25)\n\n"
        "Sinds 1 november 2026. Geldt voor alle klachten. Waarom: je lost het in één gesprek op."
    )
    assert shown.changed == ""


def test_a_coming_change_about_which_nothing_more_is_known_is_one_line():
    text = "---\ntitle: T\nchanges:\n  - since: 2027-01-01\n    new: gratis\n---\nTekst.\n"
    shown = card_of(article(text), Moment.CHANGE, person=Person("p"), language="nl", now=TODAY, zone=AMSTERDAM)
    assert shown.first[0].text == "**Vanaf 1 januari 2027: gratis**"


def test_where_not_all_steps_are_shown_it_says_how_many_are_left():
    text = "---\ntitle: T\n---\n## Stappen\n" + "".join(f"{n}. Doe ding {n}.\n" for n in range(1, 8))

    def steps(moment, language="nl"):
        laid = card_of(article(text), moment, person=Person("p"), language=language, now=TODAY, zone=AMSTERDAM)
        return laid.first[0].text.count("\n") + 1, laid.first[0].below, [part.below for part in laid.more]

    assert steps(Moment.NEW) == (3, say("steps.left", "nl", count="4"), [""])
    assert steps(Moment.APPLY, "en") == (5, say("steps.left", "en", count="2"), [""])
    assert card().first[1].below == ""


def test_freshness_is_a_sentence():
    assert card().source == "Gecontroleerd op 5 oktober 2026 door Team Klachten"
    assert card(language="en").source == "Checked on 5 October 2026 by Team Klachten"


def test_what_is_overdue_says_since_when():
    stale = card(verified="2026-03-01")
    assert stale.source.startswith("Niet meer gecontroleerd sinds maart 2026.")
    assert "€ 75" in stale.first[0].text


def test_amounts_are_hidden_after_twice_the_interval():
    shown = card(verified="2025-01-01")
    assert not any("75" in part.text for part in (*shown.first, *shown.more))
    assert "€ [even nakijken]" in shown.first[0].text


def test_an_article_in_the_other_language_is_labelled():
    assert "Only available in Dutch." in card(language="en").notes


def test_the_case_it_applies_to_is_said():
    assert "Dit geldt alleen voor: contract vanaf 1 juni 2023." in card(case="contract vanaf 1 juni 2023").notes


@pytest.mark.parametrize(("moment", "shown"), [(Moment.NEW, True), (Moment.MORE, True), (Moment.APPLY, False)])
def test_only_new_and_more_carry_the_course(moment, shown):
    assert bool(card(moment).training) is shown


def test_a_day_begins_at_midnight_where_people_are():
    text = CREDIT.format(since="2026-11-23", verified="2026-10-05", case='""')
    change = article(text).changes[0]
    assert change.since == datetime(2026, 11, 22, 23, tzinfo=UTC)


def test_the_latest_change_in_force_counts_else_the_first_to_come():
    def changes(**since):
        return article(
            f"---\ntitle: T\nchanges: {[{'since': day, 'new': new} for new, day in since.items()]}\n---\nx\n"
        )

    assert current_change(changes(a="2026-01-01", b="2026-09-01", c="2027-01-01"), TODAY).new == "b"
    assert current_change(changes(d="2028-01-01", c="2027-01-01"), TODAY).new == "c"
    assert not changed_lately(article("---\ntitle: T\n---\nx\n"), TODAY)


@pytest.mark.parametrize("since", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_date_at_the_end_of_the_calendar_is_no_obstacle(since):
    assert card(Moment.CHANGE, since=since).first


def test_an_answer_kept_before_cards_had_all_they_have_now_is_still_read():
    kept = Answer("a", Outcome.ANSWERED, "nl", "q", card=card())
    plain = ANSWER.dump_python(kept, mode="json")
    for shown in (*plain["card"]["first"], *plain["card"]["more"]):
        del shown["below"]
    del plain["card"]["changed"]
    assert ANSWER.validate_python(plain) == replace(kept, card=replace(card(), changed=""))


def test_an_amount_that_nobody_knows_is_not_shown_as_a_name():
    text = CREDIT.format(since="2026-11-01", verified="2026-10-05", case='""').replace("€ 75", "{{onbekend}}")
    for moment in Moment:
        shown = card_of(article(text), moment, person=Person("p"), language="nl", now=TODAY, zone=AMSTERDAM)
        assert "{{" not in str(shown), moment
        assert say("source.amount", "nl") in str(shown), moment


def test_checks_that_stop_halfway_say_so():
    checks = "".join(f"{n}. {'woord ' * 25}eind.\n" for n in (1, 2, 3, 4))
    made = article(f"---\ntitle: X\n---\n## Als het misgaat\n{checks}")
    shown = card_of(made, Moment.SOLVE, person=Person("p"), language="nl", now=TODAY, zone=AMSTERDAM).first[-1]
    assert shown.below == say("steps.checks_left_one", "nl")
