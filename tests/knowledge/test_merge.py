"""Two versions made one: nothing that only one side changed is lost, and what both changed is told."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.markdown import dump, parse
from knowledge.merge import merge

BASE = "---\nid: a\ntitle: Verhuizen # van het team\nowner: Anna\n---\n## In het kort\nJa.\n\n## Stappen\n1. Een.\n"


def article(text=BASE, **changed):
    return replace(parse(text, fallback_id="a"), **changed)


def edited(old, new, text=BASE):
    assert old in text
    return article(text.replace(old, new))


def test_what_each_side_changed_is_in_it():
    found = merge(article(), edited("1. Een.", "1. Twee."), edited("owner: Anna", "owner: Bob"))
    assert found.conflicts == ()
    assert found.article.owner == "Bob"
    assert "1. Twee." in found.article.body
    assert "# van het team" in dump(found.article), "the file's own comments"


def test_what_both_changed_differently_is_told_and_ours_stays():
    found = merge(article(), edited("Ja.", "Nee."), edited("Ja.", "Misschien."))
    assert [(one.what, one.ours, one.theirs) for one in found.conflicts] == [("in het kort", "Nee.", "Misschien.")]
    assert "Nee." in found.article.body


def test_what_both_changed_alike_is_no_conflict():
    found = merge(article(), edited("Ja.", "Nee."), edited("Ja.", "Nee."))
    assert found.conflicts == ()
    assert "Nee." in found.article.body


def test_a_leading_file_wins_and_what_was_added_in_the_chat_stays_on_top():
    ours = article(BASE.replace("Ja.", "Nee.") + "\n## Achtergrond\nVan een coach.\n")
    found = merge(article(), ours, edited("Ja.", "Misschien."), prefer="theirs")
    assert found.conflicts == ()
    assert "Misschien." in found.article.body
    assert "Van een coach." in found.article.body


def test_a_section_that_one_side_removed_is_gone_unless_the_other_changed_it():
    without = article(BASE.replace("## In het kort\nJa.\n\n", ""))
    assert "Ja." not in merge(article(), article(), without).article.body
    assert "Ja." not in merge(article(), without, article()).article.body
    found = merge(article(), edited("Ja.", "Nee."), without)
    assert found.conflicts
    assert "Nee." in found.article.body


def test_a_section_that_was_added_stands_behind_its_neighbour():
    ours = article(BASE.replace("\n## Stappen", "\n## Identificeren\nLicht.\n\n## Stappen"))
    theirs = article(BASE + "\n## Achtergrond\nDaarom.\n")
    titles = [one.title for one in merge(article(), ours, theirs).article.sections]
    assert titles == ["In het kort", "Identificeren", "Stappen", "Achtergrond"]


HEADINGS = ["In het kort", "Stappen", "Achtergrond", "Eigen kop"]
texts = st.text(st.sampled_from("ab c.\n"), max_size=12)
bodies = st.lists(st.tuples(st.sampled_from(HEADINGS), texts), max_size=4).map(
    lambda parts: "".join(f"## {heading}\n{text.strip()}\n\n" for heading, text in parts)
)
articles = st.tuples(bodies, st.sampled_from(["Anna", "Bob", ""])).map(
    lambda made: article(f"---\nid: a\ntitle: T\nowner: {made[1] or 'X'}\n---\n{made[0]}")
)


@given(articles, articles)
def test_where_one_side_changed_nothing_the_other_is_what_comes_of_it(base, other):
    for found in (merge(base, base, other), merge(base, other, base), merge(base, other, other)):
        assert found.conflicts == ()
        assert sorted(one.title + one.text.strip() for one in found.article.sections) == sorted(
            one.title + one.text.strip() for one in other.sections
        )
        assert found.article.owner == other.owner


@given(articles, articles, articles)
def test_what_comes_of_it_can_be_written_and_read(base, ours, theirs):
    for prefer in (None, "theirs"):
        found = merge(base, ours, theirs, prefer=prefer)
        written = dump(found.article)
        assert dump(parse(written, fallback_id="a")) == written
        assert parse(written, fallback_id="a").sections == found.article.sections
        assert not (prefer and found.conflicts)


@given(articles, articles, articles)
def test_a_conflict_is_one_whichever_side_is_ours(base, ours, theirs):
    one, other = merge(base, ours, theirs), merge(base, theirs, ours)
    assert {found.what for found in one.conflicts} == {found.what for found in other.conflicts}


@pytest.mark.parametrize("text", ["", "zonder kop"])
def test_text_above_the_first_heading_stays_there(text):
    theirs = article(f"---\nid: a\ntitle: T\n---\n{text}\n## Stappen\n1. Een.\n")
    found = merge(article(), theirs, article(BASE + "\n## Achtergrond\nNieuw.\n"))
    assert found.article.body.lstrip().startswith(text)
