"""Files and the chat side by side: nothing a coach wrote is overwritten, nothing is lost on the way out and in."""

from dataclasses import replace

import pytest
from conftest import AMSTERDAM, article, make_desk
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BijdehandError
from core.files import export, follow, plan
from core.library import prune, set_amounts, shelve
from core.store.sqlite import open_store
from knowledge.amounts import amounts_for
from knowledge.errors import ArticleError
from knowledge.readers import read

MOVE = "---\nid: move\ntitle: Verhuizing # van het team\nowner: Team\n---\n## Stappen\n1. Vraag de postcode.\n"
GAS = "---\nid: nl/gas en vuur\ntitle: Gas\n---\n## Stappen\n1. Raam open."


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def desk(store):
    made = make_desk(store, (article(MOVE), article(GAS, "gas")))
    store.set_synced(store.articles())
    return made


def imported(desk, folder, **how):
    found = [one.article for one in read(folder)]
    planned = plan(desk.store, found, **how)
    if not planned.conflicts:
        shelve(desk.store, desk.embedder, planned.articles)
        desk.store.set_synced(found)
    return planned


def written(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_export_import_export_is_the_same_byte_for_byte(desk, out):
    set_amounts(
        desk.store, desk.embedder, {"voorrijkosten": {"nl": "€ 69", "en": '€ "69"'}, "btw": {"nl": "9", "en": "9"}}
    )
    saved(desk, "quick", "## In het kort\nJa.\n")
    export(desk.store, out, zone=AMSTERDAM)
    first = written(out)
    assert first["nl/move.md"] == MOVE.encode()
    assert len(first) == 4
    assert imported(desk, out).conflicts == []
    assert amounts_for([out]) == desk.store.amounts()
    export(desk.store, out, zone=AMSTERDAM)
    assert written(out) == first


def saved(desk, article_id, body):
    try:
        old = desk.store.article(article_id)
    except BijdehandError:
        old = article(f"---\nid: {article_id}\ntitle: T\n---\n{body}", article_id)
        desk.publish(old, "added", None)
        return
    desk.publish(replace(old, sections=article(body, article_id).sections), "edited", None)


def test_what_a_coach_changed_and_what_a_file_changed_are_both_there(desk, out):
    export(desk.store, out, zone=AMSTERDAM)
    path = out / "nl" / "move.md"
    path.write_text(path.read_text().replace("owner: Team", "owner: Bob"))
    saved(desk, "move", "## Stappen\n1. Vraag de nieuwe postcode.\n")
    assert imported(desk, out).conflicts == []
    now = desk.store.article("move")
    assert (now.owner, "nieuwe postcode" in now.body) == ("Bob", True)
    assert imported(desk, out).conflicts == [], "a second time changes nothing"
    assert "nieuwe postcode" in desk.store.article("move").body


def test_what_both_changed_is_a_conflict_and_nothing_is_written(desk, out):
    export(desk.store, out, zone=AMSTERDAM)
    path = out / "nl" / "move.md"
    path.write_text(path.read_text().replace("Vraag de postcode.", "Uit het bestand."))
    saved(desk, "move", "## Stappen\n1. Uit de chat.\n")
    [(article_id, conflict)] = imported(desk, out).conflicts
    assert article_id == "move"
    assert ("Uit de chat." in conflict.ours, "Uit het bestand." in conflict.theirs) == (True, True)
    assert "Uit de chat." in desk.store.article("move").body
    assert imported(desk, out, leading=True).conflicts == []
    assert "Uit het bestand." in desk.store.article("move").body


def test_a_file_that_was_changed_is_not_overwritten_by_an_export(desk, out):
    export(desk.store, out, zone=AMSTERDAM)
    path = out / "nl" / "move.md"
    path.write_text(path.read_text() + "\n## Achtergrond\nNieuw.\n")
    with pytest.raises(BijdehandError, match=r"move\.md was changed"):
        export(desk.store, out, zone=AMSTERDAM)
    assert "Nieuw." in path.read_text()
    export(desk.store, out, zone=AMSTERDAM, force=True)
    assert "Nieuw." not in path.read_text()


def test_what_was_made_in_the_chat_is_not_pruned(desk):
    saved(desk, "quick", "## In het kort\nJa.\n")
    assert prune(desk.store, ["move"]) == 1
    assert {one.id for one in desk.store.articles()} == {"move", "quick"}


parts = st.text(st.sampled_from("ab #\n-:é'\"{}"), max_size=30)


@given(st.lists(st.tuples(parts, parts), min_size=1, max_size=3))
def test_whatever_is_written_comes_back(tmp_path_factory, made):
    folder = tmp_path_factory.mktemp("files")
    store = open_store(folder / "b.db")
    desk = make_desk(store)
    for number, (title, body) in enumerate(made):
        one = article(f"## Stappen\n{body}\n", f"a {number}/{title.strip()}")
        desk.publish(replace(one, title=title.strip() or "T", owner=body.strip()), "added", None)
    export(store, folder / "out", zone=AMSTERDAM)
    first = written(folder / "out")
    assert imported(desk, folder / "out").conflicts == []
    export(store, folder / "out", zone=AMSTERDAM)
    assert written(folder / "out") == first
    store.close()


def test_a_file_that_cannot_be_read_is_not_overwritten(desk, out):
    (out / "nl").mkdir(parents=True)
    (out / "nl" / "move.md").write_text("---\nid: [\n")
    with pytest.raises(BijdehandError, match="in the way"):
        export(desk.store, out, zone=AMSTERDAM)
    assert (out / "nl" / "move.md").read_text() == "---\nid: [\n"


def test_a_leading_folder_is_followed_and_what_coaches_added_stays(desk, out):
    export(desk.store, out, zone=AMSTERDAM)
    saved(desk, "move", "## Stappen\n1. Vraag de postcode.\n\n## Achtergrond\nVan een coach.\n")
    path = out / "nl" / "move.md"
    path.write_text(path.read_text().replace("Vraag de postcode.", "Uit het bestand."))
    for _ in range(2):
        assert follow(desk.store, desk.embedder, out, zone=AMSTERDAM) == 2
        body = desk.store.article("move").body
        assert ("Uit het bestand." in body, "Van een coach." in body) == (True, True)
    path.write_text("---\nid: [\n")
    with pytest.raises(ArticleError):
        follow(desk.store, desk.embedder, out, zone=AMSTERDAM)
    assert "Uit het bestand." in desk.store.article("move").body
