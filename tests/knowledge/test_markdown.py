from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from made_up import article, articles, bodies

from knowledge.article import Change, Kind, Status
from knowledge.errors import ArticleError
from knowledge.markdown import HEADINGS, dump, parse, sections
from knowledge.moment import Moment

FRONT = """\
---
# boven alles
id:   "no"   # vreemd
title: 'Goed: maken'
aliases:
  - Hoeveel mag ik geven?
  # en nog een
  - Coulance

# over de momenten
moments: [apply,more]
verified: 2026-10-05  # door Ann
eigen: {a: 1.10, b: 2026-99-99}
changes:
- since: 2026-09-01
  new: tot € 75
  old:
---
"""
TEXT = FRONT + "## Stappen\n1. Bel.\n"

# Each line says something about a key in a way that YAML allows.
ODD = [
    ["id: x", "id: 'x'", "id : x", '"id": x', "id:\n  x", "id: !!str 007", ""],
    ["title: 1.10", "title:", "title: ~", "title: ''", "title: >-\n  lang\n  verhaal", "title: |\n  a\n\n  b\n\n", ""],
    ["language: en", "language: nl  # Nederlands", ""],
    [
        "moments: apply",
        "moments: [new]",
        "moments:\n- more\n- apply",
        "moments:\n  - more  # meer\n\n  # of:\n  - new",
        "",
    ],
    ["verified: 2026-10-05", "verified: '2026-10-05'", "verified:   # nog niet", ""],
    ["verify_every: 180", "verify_every: 6 maanden", ""],
    [
        "effective_from: 2026-10-01",
        "effective_from: 2026-10-01T14:00:00Z",
        "effective_from: 2026-10-01 14:00:00+02:00",
        "",
    ],
    ["aliases: [a, 'b: c']", "aliases:\n    - a\n    - 'b'\n# einde", ""],
    ["changes:\n- since: 2026-01-01\n  new: x\n  old:\n# slot", "changes: [{since: 2026-01-01, new: y}]", ""],
    ["extra: &a {b: [1, 2]}\nmeer: *a", "# los", "", "  # ver naar rechts", "weird: 2026-99-99"],
]


@st.composite
def fronts(draw):
    lines = [draw(st.sampled_from(choices)) for choices in ODD]
    text = "---\n" + "".join(line + "\n" for line in draw(st.permutations(lines))) + "---\n"
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return draw(st.sampled_from(["", "\ufeff"])) + text.replace("\n", newline)


def read(text, **options):
    return parse(text, fallback_id="nl/goedmaken", **options)


def accepted(text):
    try:
        return read(text)
    except ArticleError:
        return None


def same(one, other):
    return replace(one, front="", version=0) == replace(other, front="", version=0)


@given(fronts() | st.just(""), bodies)
@example("", "---\n---\n")
@example("", "\ufeff# Titel\r\n\r\n")
@example("---\n---", "")
def test_what_is_read_comes_back_byte_for_byte(front, body):
    if (found := accepted(front + body)) is not None:
        assert dump(found) == front + body


@given(fronts())
def test_odd_but_valid_front_matter_is_read(front):
    assert read(front).front == front


@given(st.text())
def test_any_text_is_read_or_refused_with_a_sentence(text):
    accepted(text)
    accepted("---\n" + text + "\n---\n")


@given(articles)
@example(article(title="a\x85b", audience=("?0",)))  # ruamel writes both so that it cannot read them again
@example(article("---\nid: y\n---\ntekst\n", title=""))
def test_an_article_survives_being_written(made):
    assert same(parse(dump(made), fallback_id=made.id, language=made.language), made)


@given(articles)
def test_a_written_article_needs_no_hints(made):
    text = dump(replace(made, title="Goedmaken", topic="klachten"))
    assert same(parse(text, fallback_id="iets/anders"), replace(made, title="Goedmaken", topic="klachten"))


@given(fronts(), articles)
def test_a_change_reaches_front_matter_of_any_style(front, made):
    before = read(front + "tekst\n")
    after = replace(made, id=before.id, language=before.language, sections=before.sections, front=front)
    text = dump(after)
    assert same(read(text, language=before.language), after)
    assert dump(read(text)) == text


def test_a_change_touches_only_its_own_line():
    changed = dump(replace(read(TEXT), verified=date(2026, 11, 20)))
    assert changed == TEXT.replace("2026-10-05", "2026-11-20")


def test_comments_behind_a_list_that_changes_are_kept():
    changed = dump(replace(read(TEXT), aliases=("Tegoed",)))
    assert "  - Tegoed\n\n# over de momenten\nmoments: [apply,more]\n" in changed
    assert "Coulance" not in changed


def test_a_key_that_is_cleared_goes_and_new_ones_come_last():
    changed = dump(replace(read(TEXT), moments=(), topic="klachten", owner="Team Klachten"))
    assert changed == TEXT.replace("moments: [apply,more]\n", "").replace(
        "  old:\n", "  old:\ntopic: klachten\nowner: Team Klachten\n"
    )


def test_windows_line_endings_stay_when_something_changes():
    changed = dump(replace(read(TEXT.replace("\n", "\r\n")), owner="Team", aliases=("a", "b")))
    assert "\n" not in changed.replace("\r\n", "")


def test_an_article_that_never_was_a_file_gets_tidy_front_matter():
    made = article(
        "## Stappen\n1. Bel.\n",
        moments=(Moment.APPLY, Moment.MORE),
        aliases=("Coulance: hoeveel?",),
        verified=date(2026, 10, 5),
        effective_from=datetime(2026, 9, 30, 22, tzinfo=UTC),
        status=Status.DRAFT,
        changes=(Change(datetime(2026, 8, 31, 22, tzinfo=UTC), "tot € 75"),),
    )
    assert dump(made) == (
        "---\nid: goedmaken\ntitle: Goedmaken\nlanguage: nl\nstatus: draft\naliases:\n  - 'Coulance: hoeveel?'\n"
        "moments: [apply, more]\nverified: 2026-10-05\neffective_from: 2026-10-01\n"
        "changes:\n  - since: 2026-09-01\n    new: tot € 75\n---\n## Stappen\n1. Bel.\n"
    )


def test_a_body_written_under_front_matter_without_a_last_newline_starts_on_its_own_line():
    found = read("---\nid: x\n---")
    assert dump(replace(found, sections=sections("tekst"))) == "---\nid: x\n---\ntekst"


def test_a_bare_date_is_midnight_at_the_contact_centre():
    front = "---\neffective_from: 2026-10-01\n---\n"
    assert read(front).effective_from == datetime(2026, 9, 30, 22, tzinfo=UTC)
    elsewhere = read(front, timezone=ZoneInfo("Asia/Tokyo"))
    assert elsewhere.effective_from == datetime(2026, 9, 30, 15, tzinfo=UTC)
    assert dump(elsewhere, timezone=ZoneInfo("Asia/Tokyo")) == front


def test_values_are_taken_as_they_are_written():
    found = read("---\nid: no\ntitle: 1.10\nowner: 012\ncritical: true\nverify_every: 180\n---\n")
    assert (found.id, found.title, found.owner, found.critical, found.verify_every) == ("no", "1.10", "012", True, 180)


@pytest.mark.parametrize(
    ("said", "days"), [("180", 180), ("180 dagen", 180), ("2 weeks", 14), ("6 Maanden", 180), ("1 month", 30)]
)
def test_an_interval_may_have_a_unit(said, days):
    assert read(f"---\nverify_every: {said}\n---\n").verify_every == days


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_kind_has_a_heading_that_is_recognised(language):
    for kind, heading in HEADINGS[language].items():
        for line in (f"## {heading}\n", f"###### {heading.upper()}: ######\n", f"# **{heading}**", f"## {heading}\r\n"):
            assert [section.kind for section in sections(line)] == [kind]
    assert set(HEADINGS[language]) == set(Kind)


def test_a_typographic_apostrophe_is_recognised_too():
    assert sections("## If it can\u2019t be done\n")[0].kind is Kind.CANNOT


def test_headings_in_code_comments_and_quotes_are_text():
    body = "```\n# nee\n```\n<!--\n# nee\n-->\n\n> # nee\n\n## Stappen\n1. Bel.\n"
    assert [section.title for section in sections(body)] == ["", "Stappen"]


def test_text_without_headings_is_one_section_without_a_kind():
    (section,) = sections("Gewoon een verhaal.\n")
    assert (section.kind, section.heading, section.text) == (None, "", "Gewoon een verhaal.\n")


@given(bodies)
def test_sections_are_the_body_cut_up(body):
    assert "".join(section.heading + section.text for section in sections(body)) == body


def test_the_first_heading_names_an_article_that_has_no_title():
    assert read("# Werken met C#\n\n## Stappen\n").title == "Werken met C#"
    assert read("---\ntitle: Anders\n---\n# Titel\n").title == "Anders"
    assert read("## Geen titel\n").title == ""
    assert read("# Stappen\n1. Bel.\n").title == ""


def test_id_and_language_fall_back_on_what_the_reader_knows():
    found = parse("tekst", fallback_id="en/goodwill", language="en")
    assert (found.id, found.language) == ("en/goodwill", "en")
    assert parse("---\nid: x\nlanguage: nl\n---\n", fallback_id="en/y", language="en").id == "x"


@pytest.mark.parametrize(
    ("front", "line", "words"),
    [
        ("id: x\ntitle: a: b", 3, "mapping values are not allowed"),
        ("id: [x", 3, "expected ',' or ']'"),
        ("- een\n- lijst", 2, "lines of `key: value`"),
        ("{id: x}", 2, "lines of `key: value`"),
        ("id: x\n\nid: y", 4, "`id` stands there twice"),
        ("id: x\nmoments: [aply]", 3, "'new', 'more', 'apply', 'solve' or 'change', not 'aply'"),
        ("status: klaar", 2, "'draft', 'published' or 'retired', not 'klaar'"),
        ("language: de", 2, "'nl' or 'en', not 'de'"),
        ("critical: misschien", 2, "`critical` should be a valid boolean"),
        ("owner: [a]", 2, "`owner` should be a valid string"),
        ("verified: gisteren", 2, "`verified` cannot be 'gisteren'; write a date as 2026-10-05."),
        ("verified: 2026-02-30", 2, "`verified` cannot be"),
        ("effective_from: 0001-01-01", 2, "`effective_from`"),
        ("verify_every: soms", 2, "write a number of days"),
        ("changes:\n- new: x", 2, "`changes.since` is missing"),
        ("changes:\n- since: ooit\n  new: x", 2, "`changes` cannot be 'ooit'"),
        ("changes: alles", 2, "`changes` should be"),
        ("owner: &o Team\nbrand: *o", 2, "write the value out in full"),
        ("? id\n: x", 2, "Write it as `id: value`."),
        ("title: \x00", 1, "no valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_way_out(front, line, words):
    with pytest.raises(ArticleError) as caught:
        read(f"---\n{front}\n---\n", path=Path("goedmaken.md"))
    assert words in caught.value.sentence
    assert str(caught.value).startswith(f"goedmaken.md:{line}: ")


def test_front_matter_that_is_never_closed_is_refused():
    with pytest.raises(ArticleError, match="line 1: The front matter is never closed"):
        read("---\nid: x\n")


def test_half_nesting_that_never_ends_is_refused():
    with pytest.raises(ArticleError, match="no valid YAML"):
        read("---\nx: " + "[" * 700 + "\n---\n")
