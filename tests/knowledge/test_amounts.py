from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import article

from knowledge.amounts import NAMED, amounts_for, filled, named, read_amounts
from knowledge.article import Change
from knowledge.errors import ArticleError
from knowledge.markdown import dump, parse

AMOUNTS = {"fee": {"nl": "€ 1.250", "en": "€ 1,250"}, "credit": {"nl": "€ 75", "en": "€ 75"}, "dutch": {"nl": "€ 9"}}
CHANGED = """---
id: x
title: X
changes:
  - since: 2026-09-01
    new: tot {{credit}}
    old: tot € 25
    applies_to: vanaf {{fee}}
    why: "{{credit}} is genoeg"
---
Het kost {{ fee }}.
"""


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_an_article_reads_with_the_amounts_of_its_own_language():
    assert filled(article("Het kost {{fee}}."), AMOUNTS).body == "Het kost € 1.250."
    assert filled(article("It costs {{fee}}.", language="en"), AMOUNTS).body == "It costs € 1,250."


def test_a_change_reads_with_its_amounts_too():
    found = filled(parse(CHANGED, fallback_id="x"), AMOUNTS)
    assert found.body == "Het kost € 1.250.\n"
    assert [(one.new, one.old, one.applies_to, one.why) for one in found.changes] == [
        ("tot € 75", "tot € 25", "vanaf € 1.250", "€ 75 is genoeg")
    ]


def test_it_is_known_which_amounts_an_article_names():
    assert named(parse(CHANGED, fallback_id="x")) == {"credit", "fee"}
    assert named(article("Wacht {{ niet } of {{Te Groot}}.")) == set()


def test_an_article_as_written_goes_back_to_its_file_with_its_names():
    assert dump(parse(CHANGED, fallback_id="x")) == CHANGED


@pytest.mark.parametrize("body", ["{{other}}", "{{fee", "{{ Fee }}", "{{}}", "{{dutch}}"])
def test_what_has_no_amount_is_left_as_it_stands(body):
    assert filled(article(body, language="en"), AMOUNTS).body == body


@given(st.text(alphabet=st.sampled_from("{} fe-€\n1")))
def test_only_names_are_replaced_in_any_text(text):
    made = article(text)
    itself = {name: {"nl": f"{{{{{name}}}}}"} for name in named(made)}
    assert filled(made, itself).body == NAMED.sub(r"{{\1}}", made.body)
    assert filled(made, {}) == made


@given(st.dictionaries(st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True), st.text(), min_size=1))
def test_every_name_is_replaced_by_what_stands_for_it(words):
    body = " ".join(f"{{{{{name}}}}}" for name in words)
    amounts = {name: {"nl": said} for name, said in words.items()}
    assert filled(article(body), amounts).body == " ".join(words.values())


def test_amounts_are_read_for_both_languages(tmp_path):
    path = put(tmp_path / "amounts.toml", 'fee = { nl = "€ 1.250", en = "€ 1,250" }\ncredit = "€ 75" # een grens\n')
    assert read_amounts(path) == {key: AMOUNTS[key] for key in ("fee", "credit")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fee = 45", "fee must be a text"),
        ('fee = { de = "45" }', "fee must be a text"),
        ("fee = ", "cannot be read"),
        ('Fee = "€ 45"', "cannot be called 'Fee'"),
        ('fee = """€ 45\nof meer"""', "on one line"),
    ],
)
def test_what_is_wrong_with_the_amounts_is_said(tmp_path, text, told):
    with pytest.raises(ArticleError, match=told):
        read_amounts(put(tmp_path / "amounts.toml", text))


def test_the_nearest_amounts_at_or_above_what_is_read_count(tmp_path):
    put(tmp_path / "amounts.toml", 'fee = "€ 1"')
    put(tmp_path / "articles" / "amounts.toml", 'fee = "€ 2"')
    below = put(tmp_path / "articles" / "nl" / "x.md", "Tekst.")
    beside = put(tmp_path / "y.md", "Tekst.")
    for path, fee in [(below, "€ 2"), (below.parent, "€ 2"), (below.parent.parent, "€ 2"), (beside, "€ 1")]:
        assert amounts_for([path]) == {"fee": {"nl": fee, "en": fee}}, path


def test_where_there_are_no_amounts_none_count(tmp_path):
    assert amounts_for([tmp_path]) == {}


def test_broken_amounts_stop_nothing_else_where_errors_are_taken(tmp_path):
    put(tmp_path / "a" / "amounts.toml", "fee = ")
    put(tmp_path / "b" / "amounts.toml", 'fee = "€ 2"')
    errors = []
    assert amounts_for([tmp_path / "a", tmp_path / "b"], errors.append) == {"fee": {"nl": "€ 2", "en": "€ 2"}}
    assert [error.path for error in errors] == [tmp_path / "a" / "amounts.toml"]


def test_a_change_says_how_loud_it_is_and_is_quiet_if_it_does_not():
    loud = parse(CHANGED.replace("    why:", "    loudness: loud\n    why:"), fallback_id="x")
    assert [one.loudness for one in loud.changes] == ["loud"]
    assert Change(since=loud.changes[0].since, new="x").loudness == "quiet"
    with pytest.raises(ArticleError, match="loudness"):
        parse(CHANGED.replace("    why:", "    loudness: hard\n    why:"), fallback_id="x")
