from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from made_up import article, written

from knowledge.article import Change
from knowledge.lint import lint
from knowledge.moment import Moment

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Path()


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def rules(*made):
    return [finding.rule for finding in lint(made, now=NOW)]


def found_in(source):
    return [(finding.path, finding.line, finding.rule) for finding in lint(source, now=NOW)]


def test_a_good_article_has_nothing_to_find():
    body = written(identify="Geen.", verdict="Ja, dat mag.", steps="1. Bel.\n2. Noteer.", say='- "Ik regel het."')
    assert lint([article(body, moments=(Moment.APPLY,), verified=date(2026, 11, 23))], now=NOW) == []


def test_a_finding_names_file_line_severity_and_rule(folder):
    path = put(folder / "a.md", "---\nid: x\ntitle: X\nverified: 2026-12-01\n---\nTekst.\n")
    (finding,) = lint(path, now=NOW)
    assert str(finding) == (
        "a.md:4: error: It cannot have been verified in the future (2026-12-01); correct the date. [dates]"
    )


def test_an_article_without_a_title_or_without_text_is_found():
    assert rules(article("Tekst.", title=" ")) == ["no-title"]
    assert rules(article("## Stappen\n\n")) == ["empty"]


@pytest.mark.parametrize(
    ("front", "rule"),
    [
        ("id: [", "unreadable"),
        ("status: klaar", "unreadable"),
        ("moments: [aply]", "unknown-moment"),
        ("verified: gisteren", "dates"),
        ("changes:\n- since: ooit\n  new: x", "dates"),
    ],
)
def test_what_cannot_be_read_is_a_finding_among_the_others(folder, front, rule):
    put(folder / "kennis" / "a.md", f"---\n{front}\n---\nTekst.\n")
    put(folder / "kennis" / "b.md", "---\ntitle: B\n---\n")
    assert [(path, found) for path, _, found in found_in(folder / "kennis")] == [
        ("kennis/a.md", rule),
        ("kennis/b.md", "empty"),
    ]


def test_the_same_id_twice_is_found():
    assert rules(article("Een."), article("Twee.")) == ["duplicate-id"]


def test_a_path_that_cannot_be_read_is_a_finding(folder):
    assert found_in(folder / "weg") == [("weg", 1, "unreadable")]


def test_an_end_before_the_beginning_is_found():
    begin = NOW + timedelta(days=9)
    assert rules(article("x", effective_from=begin, effective_until=begin)) == ["dates"]


@pytest.mark.parametrize(("hours", "told"), [(-1, "ended on"), (20, "ends on 2026-11-24 at 09:00"), (30, "")])
def test_an_article_that_ends_within_a_day_is_told(hours, told):
    findings = lint([article("x", effective_until=NOW + timedelta(hours=hours))], now=NOW)
    assert [finding.rule for finding in findings] == (["expires"] if told else [])
    assert all(told in finding.sentence for finding in findings)


def test_an_overdue_article_is_told_with_its_days():
    (finding,) = lint([article("x", verified=date(2026, 1, 1), verify_every=180)], now=NOW)
    assert (finding.rule, finding.severity) == ("overdue", "warning")
    assert "146 days ago" in finding.sentence


def test_today_is_the_day_at_the_contact_centre():
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # half past midnight in Amsterdam
    assert lint([article("x", verified=date(2026, 11, 23))], now=late) == []


@pytest.mark.parametrize("moment", [Moment.NEW, Moment.APPLY])
def test_somebody_who_has_to_act_needs_steps(moment):
    assert rules(article("x", moments=(moment,))) == ["no-steps"]
    assert rules(article("x", moments=(Moment.MORE,))) == []


def test_a_verdict_is_one_short_line(folder):
    path = put(folder / "a.md", "---\nid: x\ntitle: X\n---\n## In het kort\nNee. " + "Zo is het nu. " * 4)
    assert found_in(path) == [("a.md", 6, "verdict-too-long")]


def test_the_first_five_steps_are_short(folder):
    long = "Dit is een stap van " + "wel " * 8 + "twaalf."
    steps = ["Bel.", long, "Bel.", "Bel.", long, long]
    body = "".join(f"{n}. {step}\n" for n, step in enumerate(steps, 1))
    path = put(folder / "a.md", f"---\nid: x\ntitle: X\n---\n## Stappen\n\n{body}")
    assert found_in(path) == [("a.md", 8, "step-too-long"), ("a.md", 11, "step-too-long")]


def test_a_first_screen_that_is_too_full_is_told_for_each_moment():
    body = written(
        verdict="Ja.",
        steps="".join(f"{n}. {'stap ' * 12}.\n" for n in range(1, 6)),
        say="- " + "zeg " * 15,
        mandate="- junior: niets\n- senior: " + "alles " * 10,
    )
    findings = lint([article(body, moments=(Moment.APPLY, Moment.NEW))], now=NOW)
    assert [finding.sentence for finding in findings] == [
        "80 words fit the first screen; 'apply' has no room for 'Dit mag je zelf beslissen' (11 words)."
    ]


def test_the_sentence_about_a_change_takes_room_too():
    body = written(steps="".join(f"{n}. {'stap ' * 12}.\n" for n in range(1, 6)), say="- " + "zeg " * 10)
    change = Change(NOW, new="woord " * 8, old="woord " * 5, applies_to="iedereen", why="zo is het")
    made = {"moments": (Moment.APPLY, Moment.CHANGE)}
    assert rules(article(body, **made)) == []
    assert rules(article(body, **made, changes=(change,))) == ["first-screen-too-long"]


def test_a_long_sentence_is_found_at_its_own_line(folder):
    long = "Dit is een zin van meer dan vijftien woorden, want hij gaat\nmaar door en houdt nooit meer op."
    body = f"## Achtergrond\n\nKort. Nog kort.\nOok kort. {long}\n\n- Kort.\n- {long}\n"
    path = put(folder / "a.md", f"---\nid: x\ntitle: X\n---\n{body}")
    assert found_in(path) == [("a.md", 8, "long-sentence"), ("a.md", 12, "long-sentence")]


def test_headings_tables_code_and_addresses_are_no_sentences():
    many = "woord " * 20
    cell = f"| {many} |\n|---|\n| {many} |\n"
    link = "Zie [de uitleg](https://kievit.example/een/lang/adres) of https://kievit.example/ in `" + many + "`.\n"
    assert rules(article(f"## {many}\n\n{cell}\n```\n{many}\n```\n\n    {many}\n\n{link}")) == []


def test_sentences_in_a_table_row_are_found_at_the_row(folder):
    path = put(folder / "a.csv", 'title,text\nA,Kort.\nB,"Kort.\n\n' + "woord " * 16 + '"\n')
    assert found_in(path) == [("a.csv", 3, "long-sentence")]


# --- translations


def twins(**fields):
    return article("x", id="a"), article("x", **{"id": "a-en", "language": "en", "translation_of": "a"} | fields)


def test_a_pair_of_translations_is_in_order():
    assert rules(*twins()) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"translation_of": "b"}, "'b', which is not there"),
        ({"language": "nl"}, "in the same language"),
        ({"translation_of": "a-en"}, "in the same language"),
    ],
)
def test_a_translation_of_nothing_or_of_its_own_language_is_found(fields, words):
    made = [*twins(**fields), article("x", id="c", language="en", translation_of="a")]
    (finding,) = [finding for finding in lint(made, now=NOW) if finding.rule == "translation"]
    assert (finding.path, finding.severity) == ("a-en", "error")
    assert words in finding.sentence


def test_a_translation_of_a_translation_is_found():
    chain = article("x", id="a-nl", translation_of="a-en")
    (finding,) = lint([*twins(), chain], now=NOW)
    assert (finding.path, finding.sentence) == ("a-nl", "'a-en' is a translation itself; translate 'a'.")


def test_a_translation_that_was_checked_earlier_is_late():
    original = article("x", id="a", verified=date(2026, 10, 1))
    late, never, fresh = (
        article("x", id=name, language="en", translation_of="a", verified=day)
        for name, day in (("late", date(2026, 9, 1)), ("never", None), ("fresh", date(2026, 10, 1)))
    )
    findings = lint([original, late, never, fresh], now=NOW)
    assert [(finding.path, finding.rule) for finding in findings] == [
        ("late", "late-translation"),
        ("never", "late-translation"),
    ]


def test_a_missing_translation_is_told_only_where_there_are_two_languages():
    alone = article("x", id="b")
    assert rules(article("x", id="a"), alone) == []
    (finding,) = lint([*twins(), alone], now=NOW)
    assert (finding.path, finding.rule, finding.severity) == ("b", "missing-translation", "warning")


def test_one_file_alone_is_not_asked_for_its_twin(folder):
    path = put(folder / "a.md", "---\nid: a-en\ntitle: A\nlanguage: en\ntranslation_of: a\n---\nText.\n")
    assert found_in(path) == []


def test_twins_in_two_folders_find_each_other(folder):
    put(folder / "nl" / "a.md", "---\nid: a\ntitle: A\n---\nTekst.\n")
    put(folder / "en" / "a.md", "---\nid: a-en\ntitle: A\ntranslation_of: a\n---\nText.\n")
    assert found_in([folder / "nl", folder / "en"]) == []


def test_a_file_without_articles_is_a_finding(folder):
    put(folder / "a.jsonl", "")
    assert found_in(folder / "a.jsonl") == [("a.jsonl", 1, "unreadable")]


def test_an_amount_that_has_no_value_in_the_language_is_found(folder):
    put(folder / "amounts.toml", 'fee = { nl = "€ 5" }')
    put(folder / "nl.md", "---\nid: a\ntitle: A\n---\nHet kost {{fee}}.\n")
    put(folder / "en.md", "---\nid: b\ntitle: B\nlanguage: en\n---\nFree.\n\nOr {{fee}}, or {{nothing}}.\n")
    found = [one for one in found_in(folder) if one[2] == "unknown-amount"]
    assert found == [("en.md", 8, "unknown-amount")] * 2


def test_an_amount_that_is_written_out_and_has_a_name_is_found(folder):
    put(folder / "amounts.toml", 'fee = "€ 5"\nother = "€ 5"')
    put(folder / "a.md", "---\ntitle: A\n---\nHet kost € 5, geen € 50 en geen € 5,50.\n")
    (finding,) = lint(folder, now=NOW)
    assert (finding.line, finding.rule, finding.severity) == (4, "literal-amount", "warning")
    assert "{{fee}} or {{other}}" in finding.sentence


def test_what_an_amount_was_may_be_written_out(folder):
    put(folder / "amounts.toml", 'fee = "€ 5"')
    put(folder / "a.md", "---\ntitle: A\n---\n## Wat er verandert\nHet was € 5.\n\n## Uit de praktijk\nToen nog € 5.\n")
    assert lint(folder, now=NOW) == []


def test_words_are_counted_as_people_read_them(folder):
    put(folder / "amounts.toml", 'fee = "een heel bedrag van vijf euro"')
    put(folder / "a.md", "---\ntitle: A\n---\n## In het kort\nDat kost {{fee}} en dan nog eens het uurloon van haar.\n")
    assert "verdict-too-long" in [rule for _, _, rule in found_in(folder)]


def test_broken_amounts_are_a_finding(folder):
    put(folder / "amounts.toml", "fee = ")
    put(folder / "a.md", "---\ntitle: A\n---\nTekst.\n")
    assert found_in(folder) == [("amounts.toml", 1, "unreadable")]


@pytest.mark.parametrize(
    ("text", "language", "told"),
    [
        ("Bel terug.\n\nIndien de klant belt, noteer je dat.", "nl", "say 'als'"),
        ("Je dient te bellen.", "nl", "say 'moet'"),
        ("Check this prior to the call.", "en", "say 'before'"),
    ],
)
def test_a_word_that_a_colleague_would_not_say_is_found(text, language, told):
    (finding,) = lint([article(text, language=language)], now=NOW)
    assert (finding.rule, finding.severity) == ("jargon", "warning")
    assert told in finding.sentence
    assert finding.line == 1 + text.count("\n")


def test_a_word_within_another_or_of_the_other_language_is_no_jargon():
    assert rules(article("Het echtere verhaal staat in reedsel.")) == []
    assert rules(article("Upon, whilst.")) == []
