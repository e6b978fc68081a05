import pytest
from conftest import article

from core.embed import FakeEmbedder
from core.errors import BijdehandError
from core.library import prune, set_amounts, shelve, snapshot_of
from core.store.sqlite import open_store

GAS = article("---\ntitle: Klant ruikt gas\n---\nGa naar buiten.\n", "gas")
MOVE = article("---\ntitle: Verhuizing\n---\nGa naar buiten.\n", "move")


class Counting(FakeEmbedder):
    def __init__(self):
        self.texts = []

    def passage(self, text):
        self.texts.append(text)
        return super().passage(text)


def test_only_what_is_new_is_embedded(store):
    embedder = Counting()
    shelve(store, embedder, [GAS, MOVE])
    first = len(embedder.texts)
    assert shelve(store, embedder, [GAS, MOVE]).embedded == 0
    assert len(embedder.texts) == first


def test_two_articles_that_share_a_sentence_embed_it_once(store):
    embedder = Counting()
    shelve(store, embedder, [GAS, MOVE])
    assert embedder.texts.count("Ga naar buiten.") == 1


def test_a_change_of_one_sentence_embeds_that_sentence_and_the_whole(store):
    embedder = Counting()
    shelve(store, embedder, [GAS])
    changed = article("---\ntitle: Klant ruikt gas\n---\nBel het noodnummer.\n", "gas")
    assert shelve(store, embedder, [changed]).embedded == 2


def test_another_model_embeds_everything_again(store):
    class Other(Counting):
        name = "other"

    shelve(store, Counting(), [GAS])
    other = Other()
    shelve(store, other, [GAS])
    assert len(other.texts) == 3
    assert store.snapshot("other").articles


def test_progress_is_told_up_to_the_end(store):
    told = []
    shelve(store, FakeEmbedder(), [GAS, MOVE], progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2, 2)


def test_pruning_removes_what_was_not_kept_and_nothing_else(store):
    shelve(store, FakeEmbedder(), [GAS, MOVE])
    store.set_synced(store.articles())  # both came from files
    assert prune(store, ["move"]) == 1
    assert [found.id for found in store.articles()] == ["move"]


def test_a_throw_away_snapshot_equals_the_stored_one(tmp_path):
    store = open_store(tmp_path / "b.db")
    shelve(store, FakeEmbedder(), [MOVE, GAS])
    stored, made = store.snapshot("fake"), snapshot_of([MOVE, GAS], FakeEmbedder())
    store.close()
    assert [one.id for one in stored.articles] == [one.id for one in made.articles]
    assert stored.owners.tolist() == made.owners.tolist()
    assert (stored.passages == made.passages).all()
    assert (stored.whole == made.whole).all()


def test_pruning_knows_an_id_as_the_store_keeps_it(store):
    odd = article("---\ntitle: Vreemd\n---\nTekst.\n", "x\ud800\x00")
    shelve(store, FakeEmbedder(), [odd, MOVE])
    assert prune(store, [odd.id, "move"]) == 0
    assert len(store.articles()) == 2


def test_pruning_by_nothing_is_refused(store):
    shelve(store, FakeEmbedder(), [GAS])
    with pytest.raises(BijdehandError, match="Nothing was read"):
        prune(store, [])
    assert len(store.articles()) == 1


PRICED = article("---\ntitle: Bezoek\n---\nEen bezoek kost {{bezoek}}.\n", "visit")
FEE = {"bezoek": {"nl": "€ 45", "en": "€ 45"}}
MORE = {"bezoek": {"nl": "€ 50", "en": "€ 50"}}


def test_an_article_is_found_by_its_amounts_and_kept_with_their_names(store):
    store.set_amounts(FEE)
    shelve(store, FakeEmbedder(), [PRICED])
    snapshot = store.snapshot(FakeEmbedder.name)
    assert "Een bezoek kost € 45." in snapshot.texts
    assert snapshot.articles[0].body == "Een bezoek kost € 45.\n"
    assert store.article("visit").body == "Een bezoek kost {{bezoek}}.\n"


def test_another_amount_embeds_anew_what_names_it_and_nothing_else(store):
    store.set_amounts(FEE)
    shelve(store, FakeEmbedder(), [PRICED, MOVE])
    assert set_amounts(store, FakeEmbedder(), MORE).articles == 1
    assert [(one.id, one.version) for one in store.articles()] == [("move", 1), ("visit", 2)]
    assert "Een bezoek kost € 50." in store.snapshot(FakeEmbedder.name).texts


def test_the_same_amounts_again_change_nothing(store):
    store.set_amounts(FEE)
    shelve(store, FakeEmbedder(), [PRICED])
    before = store.sequence()
    assert set_amounts(store, FakeEmbedder(), FEE).articles == 0
    assert store.sequence() == before


def test_an_article_that_names_an_amount_only_in_its_change_gets_a_version_of_the_new_amount(store):
    text = "---\ntitle: Bezoek\nchanges:\n  - since: 2026-09-01\n    new: tot {{bezoek}}\n---\nPlan het.\n"
    store.set_amounts(FEE)
    shelve(store, FakeEmbedder(), [article(text, "visit")])
    set_amounts(store, FakeEmbedder(), MORE)
    assert [one.version for one in store.articles()] == [2]
    assert store.snapshot(FakeEmbedder.name).articles[0].changes[0].new == "tot € 50"
