"""Kill -9 in the middle, two at once: nothing is lost and nothing doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from core.embed import FakeEmbedder
from core.store.sqlite import open_store
from knowledge.split import passages

MANY = 300


@pytest.fixture
def environment(tmp_path):
    return os.environ | {
        "BIJDEHAND_MODEL": "fake",
        "BIJDEHAND_DATA": str(tmp_path / "data"),
        "BIJDEHAND_CACHE": str(tmp_path / "cache"),
        "COLUMNS": "80",
    }


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "articles", "first")


def write(folder, word):
    folder.mkdir(exist_ok=True)
    for number in range(MANY):
        steps = "".join(f"{n}. Doe {word} stap {n} van zaak {number}.\n" for n in range(1, 6))
        (folder / f"a{number:03}.md").write_text(
            f"---\nid: a{number:03}\ntitle: Zaak {number}\n---\n## Stappen\n{steps}"
        )
    return folder


def start(environment, *arguments):
    command = [sys.executable, "-m", "bots.cli", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(environment, *arguments):
    process = start(environment, *arguments)
    output = b"".join(process.communicate(timeout=120))
    assert process.returncode == 0, output.decode()


def kill_on_the_way(environment, folder, tmp_path, *arguments, seed):
    """Start, wait until it has begun to write, kill it a moment later."""
    database = tmp_path / "data" / "bijdehand.db"
    before = database.stat().st_mtime_ns if database.exists() else 0
    process = start(environment, *arguments)
    wal = database.with_name("bijdehand.db-wal")
    while process.poll() is None and not (wal.exists() and wal.stat().st_mtime_ns > before):
        time.sleep(0.005)
    time.sleep(random.Random(seed).uniform(0, 0.4))
    process.send_signal(signal.SIGKILL)
    process.communicate()


def whole_articles(tmp_path):
    """Every stored article, after checking that each has all its vectors and no other's."""
    store = open_store(tmp_path / "data" / "bijdehand.db")
    snapshot = store.snapshot("fake")
    assert snapshot.missing == ()
    owned = Counter(snapshot.owners.tolist())
    fake = FakeEmbedder()
    for place, article in enumerate(snapshot.articles):
        own = passages(article)
        assert owned[place] == len(own)
        first = snapshot.owners.searchsorted(place)
        assert (snapshot.passages[first] == fake.passage(own[0].text)).all()
    store.close()
    return [article.id for article in snapshot.articles]


def test_an_import_killed_halfway_leaves_whole_articles_and_can_be_finished(environment, folder, tmp_path):
    counts = []
    for seed in range(4):
        kill_on_the_way(environment, folder, tmp_path, "import", str(folder), seed=seed)
        counts.append(len(whole_articles(tmp_path)))
    assert counts == sorted(counts), "what was there is still there"
    run(environment, "import", str(folder))
    assert whole_articles(tmp_path) == [f"a{number:03}" for number in range(MANY)]


def test_an_update_killed_halfway_leaves_each_article_old_or_new(environment, folder, tmp_path):
    run(environment, "import", str(folder))
    write(folder, "second")
    for seed in range(3):
        kill_on_the_way(environment, folder, tmp_path, "import", str(folder), seed=seed)
        assert len(whole_articles(tmp_path)) == MANY
    run(environment, "import", str(folder))
    store = open_store(tmp_path / "data" / "bijdehand.db")
    assert all("second" in article.body and "first" not in article.body for article in store.articles())
    store.close()


def test_a_reindex_killed_halfway_loses_nothing(environment, folder, tmp_path):
    run(environment, "import", str(folder))
    store = open_store(tmp_path / "data" / "bijdehand.db")
    with store.write() as database:
        database.execute("delete from vector")
    store.close()
    for seed in range(3):
        kill_on_the_way(environment, folder, tmp_path, "reindex", seed=seed)
    run(environment, "reindex")
    assert len(whole_articles(tmp_path)) == MANY


def test_ctrl_c_leaves_whole_articles(environment, folder, tmp_path):
    process = start(environment, "import", str(folder))
    while process.poll() is None and not (tmp_path / "data" / "bijdehand.db-wal").exists():
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert b"Traceback" not in errors
    whole_articles(tmp_path)


def test_two_imports_at_once_lose_and_double_nothing(environment, folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for number in range(MANY):
        (other / f"b{number:03}.md").write_text(f"---\nid: b{number:03}\ntitle: Ander {number}\n---\nTekst {number}.\n")
    both = [start(environment, "import", str(one)) for one in (folder, other)]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert whole_articles(tmp_path) == sorted([f"{letter}{n:03}" for letter in "ab" for n in range(MANY)])


def test_a_first_start_by_two_processes_makes_one_starter_knowledge(environment, tmp_path):
    both = [start(environment, "init", "--demo") for _ in range(2)]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    once = whole_articles(tmp_path)
    run(environment, "init", "--demo")
    assert whole_articles(tmp_path) == once
    assert len(once) == len(set(once)) > 50
