from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from conftest import TODAY, article
from hypothesis import given, settings
from hypothesis import strategies as st

from core.embed import FakeEmbedder
from core.index import Index
from core.library import snapshot_of
from core.search import BM25_ONLY, HYBRID, VECTORS_ONLY, Found, search
from knowledge.article import Status

FAKE = FakeEmbedder()
GAS = article("---\ntitle: Klant ruikt gas\n---\n## Stappen\n1. Laat de klant naar buiten gaan.\n", "gas")
GAS_EN = article(
    "---\ntitle: Customer smells gas\ntranslation_of: gas\n---\n## Steps\n1. Have the customer go outside.\n",
    "gas-en",
    "en",
)
MOVE = article("---\ntitle: Verhuizing doorgeven\n---\n## Stappen\n1. Vraag de nieuwe postcode.\n", "move")
DUTCH_ONLY = article("---\ntitle: Zoektijd overbruggen\n---\nVertel wat je doet.\n", "wait")
ALL = (GAS, GAS_EN, MOVE, DUTCH_ONLY)
INDEX = Index(snapshot_of(ALL, FAKE))


def places_of(wanted, index=INDEX):
    return np.flatnonzero([wanted(one) for one in index.articles])


def find(text, language="nl", index=INDEX, **options):
    return search(index, text, FAKE.read_query(text), language=language, **options)


@pytest.mark.parametrize("weights", [HYBRID, VECTORS_ONLY, BM25_ONLY])
def test_the_article_that_says_it_comes_first(weights):
    assert find("klant ruikt gas in huis", weights=weights).hits[0].article is GAS


def test_translations_count_once_and_the_asker_gets_their_own_language():
    found = find("customer smells gas", "en")
    assert found.hits[0].article is GAS_EN
    assert [hit.article.group for hit in found.hits].count("gas") == 1


def test_a_twin_does_not_eat_the_margin():
    alone = Index(snapshot_of((GAS, MOVE, DUTCH_ONLY), FAKE))
    assert find("klant ruikt gas").margin >= find("klant ruikt gas", index=alone).margin - 0.1


def test_an_article_in_the_other_language_alone_is_shown_in_it():
    assert find("zoektijd overbruggen", "en").hits[0].article is DUTCH_ONLY


def mixed(language_of_half: str, other: str):
    """Eight articles in each language of which one half only shares a subject, and one about it in the other."""
    near = [
        article(f"---\ntitle: Vraag {n} over de meter\n---\nDe meter, geval {n}.\n", f"n{n}", language_of_half)
        for n in range(8)
    ]
    far = [article(f"---\ntitle: Matter {n}\n---\nSome matter {n}.\n", f"f{n}", other) for n in range(8)]
    right = article("---\ntitle: Meter vraag\n---\nMeter.\n", "right", other)
    return Index(snapshot_of([*near, *far, right], FAKE))


def test_what_exists_in_the_other_language_alone_is_lifted_by_what_its_runners_up_lack():
    index = mixed("nl", "en")
    asked = "vraag over de meter"
    plain = {
        hit.article.id: hit.score for hit in find(asked, index=index, most=20, weights=replace(HYBRID, foreign=0)).hits
    }
    lifted = {hit.article.id: hit.score for hit in find(asked, index=index, most=20).hits}
    assert all(lifted[one] == plain[one] for one in plain if one.startswith("n"))
    gains = {round(lifted[one] - plain[one], 4) for one in plain if not one.startswith("n")}
    assert len(gains) == 1
    assert min(gains) > 0


def test_where_all_is_in_one_language_nothing_is_lifted():
    index = Index(snapshot_of([article(f"---\ntitle: Zaak {n}\n---\nTekst {n}.\n", f"a{n}") for n in range(9)], FAKE))
    for weights in (HYBRID, replace(HYBRID, foreign=0)):
        scores = [hit.score for hit in find("zaak 3", "en", index=index, weights=weights).hits]
        assert scores == [hit.score for hit in find("zaak 3", "en", index=index).hits]


def test_the_lead_is_over_the_next_five_together():
    found = find("klant ruikt gas")
    rest = [hit.score for hit in found.hits[1:]]
    assert found.lead == pytest.approx(found.score - sum(rest) / len(rest))
    assert Found(()).lead == 0.0


def test_what_is_not_allowed_is_not_found_by_any_leg():
    for weights in (HYBRID, VECTORS_ONLY, BM25_ONLY):
        found = find("klant ruikt gas", among=places_of(lambda one: one.group != "gas"), weights=weights)
        assert "gas" not in {hit.article.group for hit in found.hits}


@given(
    audiences=st.lists(st.sets(st.sampled_from("ab")), max_size=6),
    mine=st.sets(st.sampled_from("abc")),
    days=st.integers(-2, 2),
)
def test_what_is_visible_is_what_lives_and_is_meant_for_them(audiences, mine, days):
    dates = [{}, {"status": Status.DRAFT}, {"effective_from": TODAY}, {"effective_until": TODAY}, {"critical": True}]
    articles = [
        replace(MOVE, id=f"a{number}", audience=tuple(sorted(audience)), **dates[number % len(dates)])
        for number, audience in enumerate(audiences)
    ]
    now = TODAY + timedelta(days=days)
    index = Index(snapshot_of(articles, FAKE))
    seen = [index.articles[place] for place in index.visible(mine, now)]
    assert seen == [one for one in index.articles if one.is_live(now) and one.is_for(mine)]


def test_nothing_allowed_finds_nothing():
    found = find("gas", among=places_of(lambda one: False))
    assert (found.hits, found.score, found.margin) == ((), 0.0, 0.0)


def test_an_empty_index_finds_nothing():
    empty = replace(
        snapshot_of(ALL, FAKE),
        articles=(),
        whole=np.zeros((0, 256), np.float32),
        passages=np.zeros((0, 256), np.float32),
        owners=np.zeros(0, np.int64),
        texts=(),
        counts=np.zeros(0, np.int64),
    )
    assert find("gas", index=Index(empty)).hits == ()


def test_one_article_has_no_margin_to_be_sure_by():
    assert find("klant ruikt gas", index=Index(snapshot_of((GAS,), FAKE))).margin == 0.0


def test_the_passage_that_spoke_for_an_article_is_its_own():
    hit = find("vraag de nieuwe postcode").hits[0]
    assert "postcode" in hit.passage


@settings(max_examples=150)
@given(st.text(max_size=400))
def test_any_text_can_be_searched_for(text):
    found = find(text)
    assert len(found.hits) == 3
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    "text", ["\0", "\ud800", "\ufdfa" * 5000, "a" * 100_000, "", '"?*() AND OR NOT', "🦜" * 50, "ß" * 10]
)
def test_hostile_text_can_be_searched_for(text):
    assert find(text).hits


def test_the_right_one_of_many_comes_first():
    many = tuple(
        article(f"---\ntitle: Onderwerp {n}\n---\nTekst over zaak {n} en nog {n * 7} woorden.\n", f"a{n:03}")
        for n in range(90)
    )
    index = Index(snapshot_of(many, FAKE))
    assert find("zaak 42 woorden", index=index).hits[0].article.id == "a042"


def test_an_article_without_any_text_is_no_obstacle():
    bare = replace(GAS, id="bare", title="", sections=())
    index = Index(snapshot_of((bare, MOVE), FAKE))
    assert find("verhuizing doorgeven", index=index).hits[0].article is MOVE
    assert find("gas", index=index).hits


def test_what_every_article_says_alike_is_not_what_it_is_found_by():
    header = "## Identificeren\nLicht: naam en postcode.\n## Stappen\n"
    about = article("---\ntitle: Klant identificeren\n---\n## Stappen\n1. Vraag naam en postcode.\n", "identify")
    others = [article(f"---\ntitle: Zaak {n}\n---\n{header}1. Doe zaak {n}.\n", f"other{n}") for n in range(5)]
    index = Index(snapshot_of((about, *others), FAKE))
    assert find("stappen om te identificeren", index=index).hits[0].article is about
