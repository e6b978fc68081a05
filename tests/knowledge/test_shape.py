from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import article, articles, bodies, written

from knowledge.article import Kind
from knowledge.moment import Moment
from knowledge.shape import FIRST_SCREEN_WORDS, Part, levels, shape
from knowledge.text import count_words, items, without_mark

GOODWILL = article(
    written(
        identify="Licht: naam en postcode.",
        verdict="Ja: je mag zelf tot € 75 goedmaken.",
        changes="Sinds 1 september mag je meer.",
        steps="1. Vraag.\n2. Los op.\n3. Kies.\n4. Open *Tegoed*.\n5. Noem het.\n6. Sluit af.",
        say='- "Ik zet € 40 voor u klaar."\n- "Dat maak ik goed."',
        trouble="1. Knop grijs: ververs.\n2. Na 3 minuten: terugbelafspraak.",
        mandate="- junior: tot € 25\n- medewerker: tot € 75\n- **senior**: tot € 150",
        record="- Contactreden: *Klacht*.",
        background="Vroeger wachtte iedereen.\n\nNu niet meer.",
    )
)
some_moment = st.none() | st.sampled_from(Moment)
readers = st.sampled_from(["", "junior", "senior", "coach"])


def kinds(parts):
    return [part.kind for part in parts]


@given(articles, some_moment, readers, bodies, bodies)
def test_the_first_screen_holds_at_most_eighty_words(made, moment, level, changed, passage):
    laid = shape(made, moment, level=level, changed=changed, passage=passage)
    assert sum(count_words(part.text) for part in laid.first) <= FIRST_SCREEN_WORDS


@given(articles, some_moment, bodies)
def test_the_first_screen_is_never_empty_when_there_is_text(made, moment, passage):
    laid = shape(made, moment, passage=passage)
    if any(section.text.strip() for section in made.sections):
        assert laid.first
        assert all(part.text.strip() for part in laid.first)


@given(articles, some_moment, readers, bodies)
def test_nothing_of_an_article_is_lost(made, moment, level, passage):
    laid = shape(made, moment, level=level, passage=passage)
    shown = {(part.kind, part.text) for part in laid.first} | {(part.kind, part.text) for part in laid.more}
    for section in made.sections:
        text = section.text.strip()
        assert not text or {(section.kind, text), (section.kind, without_mark(text))} & shown


@given(articles, some_moment)
def test_what_the_first_screen_shows_whole_is_not_repeated(made, moment):
    laid = shape(made, moment)
    assert not {*laid.first} & {*laid.more}


@given(articles, some_moment)
def test_more_keeps_the_skeleton(made, moment):
    order = [list(Kind).index(part.kind) for part in shape(made, moment).more if part.kind]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("moment", "first"),
    [
        (Moment.APPLY, ["identify", "verdict", "steps", "say", "mandate", "record"]),
        (Moment.NEW, ["steps", "verdict", "say", "mandate"]),
        (Moment.MORE, ["verdict", "background"]),
        (Moment.SOLVE, ["say", "verdict", "trouble"]),
        (Moment.CHANGE, ["changes", "steps", "say", "mandate"]),
    ],
)
def test_the_moment_decides_what_leads(moment, first):
    assert kinds(shape(GOODWILL, moment).first) == first


def test_without_a_moment_it_is_apply():
    assert shape(GOODWILL, None) == shape(GOODWILL, Moment.APPLY)


def test_a_moment_without_material_of_its_own_becomes_apply():
    made = article(written(verdict="Ja.", record="- Zo."))
    for moment in (Moment.NEW, Moment.SOLVE, Moment.CHANGE):
        assert shape(made, moment) == shape(made, Moment.APPLY)


def test_a_first_screen_shows_five_steps_and_three_to_somebody_new():
    def steps(moment):
        return next(part.text for part in shape(GOODWILL, moment).first if part.kind is Kind.STEPS)

    assert steps(Moment.APPLY).splitlines()[-1] == "5. Noem het."
    assert steps(Moment.NEW).splitlines()[-1] == "3. Kies."
    assert "6. Sluit af." in next(part.text for part in shape(GOODWILL, None).more if part.kind is Kind.STEPS)


def test_steps_that_the_first_screen_has_no_room_for_are_counted():
    left = {moment: shape(GOODWILL, moment).steps_left for moment in Moment}
    assert left == {Moment.NEW: 3, Moment.APPLY: 1, Moment.CHANGE: 1, Moment.SOLVE: 0, Moment.MORE: 0}
    assert shape(article(written(steps="1. " + "woord " * 60 + "\n2. " + "woord " * 60)), None).steps_left == 1
    assert shape(article(written(verdict="Ja.")), None).steps_left == 0


@given(articles, some_moment)
def test_never_more_steps_are_missed_than_there_are(made, moment):
    laid = shape(made, moment)
    shown = next((part for part in laid.first if part.kind in {Kind.STEPS, Kind.TROUBLE}), None)
    left = 0
    if shown:
        steps = next(one.text for one in made.sections if one.kind is shown.kind and one.text.strip())
        left = len(items(steps)) - len(items(shown.text))
    assert laid.steps_left == left


def test_checks_that_do_not_all_fit_stop_at_the_last_that_does():
    checks = "".join(f"{n}. {'woord ' * 29}eind.\n" for n in (1, 2, 3))
    laid = shape(article(written(verdict="Ja.", say='- "Ik kijk."', trouble=checks)), Moment.SOLVE)
    shown = next(part.text for part in laid.first if part.kind is Kind.TROUBLE)
    assert (len(items(shown)), laid.steps_left) == (2, 1)
    assert [part.kind for part in laid.left_out] == [Kind.TROUBLE]
    assert Kind.TROUBLE in {part.kind for part in laid.more}


def test_a_first_check_that_does_not_fit_is_not_shown_in_part():
    laid = shape(article(written(verdict="Ja.", trouble="1. " + "woord " * 90)), Moment.SOLVE)
    assert [part.kind for part in laid.first] == [Kind.VERDICT]


@pytest.mark.parametrize(
    ("level", "line"),
    [
        ("junior", "junior: tot € 25"),
        ("Senior", "**senior**: tot € 150"),
        ("", "medewerker: tot € 75"),
        ("coach", "medewerker: tot € 75"),
    ],
)
def test_everybody_sees_their_own_line_of_the_mandate_and_whose_it_is(level, line):
    first = shape(GOODWILL, Moment.APPLY, level=level).first
    assert Part(Kind.MANDATE, "Dit mag je zelf beslissen", line) in first


def test_the_levels_are_those_with_a_line_of_their_own():
    assert levels(GOODWILL) == ("junior", "medewerker", "senior")
    assert levels(article("tekst")) == ()


def test_the_sentence_about_what_is_new_leads_and_the_detail_waits():
    laid = shape(GOODWILL, Moment.CHANGE, changed="**Nu: tot € 75** (was tot € 25)\n\nGeldt voor iedereen.")
    assert laid.first[0].text == "**Nu: tot € 75** (was tot € 25)\n\nGeldt voor iedereen."
    assert laid.first[0].heading == "Wat er verandert"
    assert [part.text for part in laid.more if part.kind is Kind.CHANGES] == ["Sinds 1 september mag je meer."]


def test_a_document_without_our_headings_leads_with_the_passage_that_was_found():
    made = article("# Handboek\n\nHeel veel.\n\n## Bijlage\n\nNog meer.\n")
    laid = shape(made, Moment.APPLY, passage="Nog meer.")
    assert laid.first == (Part(None, "", "Nog meer."),)
    assert [part.text for part in laid.more] == ["Heel veel.", "Nog meer."]


def test_without_a_passage_it_leads_with_its_beginning():
    assert shape(article("Heel veel.\n"), None).first == (Part(None, "", "Heel veel."),)


def test_what_leads_is_cut_behind_a_whole_item_and_shown_whole_under_more():
    paragraphs = [f"Alinea {n}. " + "woord " * 30 for n in range(4)]
    text = "\n\n".join(paragraph.strip() for paragraph in paragraphs)
    laid = shape(article(written(verdict=text)), Moment.MORE)
    assert laid.first[0].text == "\n\n".join(text.split("\n\n")[:2])
    assert laid.more[0].text == text
    assert kinds(laid.left_out) == [Kind.VERDICT]


def test_one_endless_item_ends_in_an_ellipsis():
    laid = shape(article(written(verdict="woord " * 100)), None)
    assert laid.first[0].text == "woord " * 80 + "…"


def test_what_had_to_be_there_and_did_not_fit_is_told():
    made = article(written(steps="1. " + "woord " * 75, say="- Een zin van wel zes woorden.", record="- Zo."))
    laid = shape(made, Moment.APPLY)
    assert (kinds(laid.first), kinds(laid.left_out)) == ([Kind.STEPS, Kind.RECORD], [Kind.SAY])


def test_what_only_comes_along_where_there_is_room_is_not_missed():
    laid = shape(article(written(verdict="Ja.", record="woord " * 90)), Moment.APPLY)
    assert (kinds(laid.more), laid.left_out) == ([Kind.RECORD], ())


def test_an_article_without_text_has_nothing_to_show():
    laid = shape(article(""), Moment.APPLY)
    assert (laid.first, laid.more) == ((), ())


def test_a_change_alone_is_enough_to_show():
    made = article("", effective_from=datetime(2026, 1, 1, tzinfo=UTC))
    assert shape(made, Moment.CHANGE, changed="Nu anders.").first[0].text == "Nu anders."
