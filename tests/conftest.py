"""What every test may ask for: a fixed day, a desk on a fake model, and the real model where a test needs it."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings

from core.asides import Asides
from core.boot import open_desk
from core.confidence import Confidence
from core.danger import Lookout
from core.desk import Desk
from core.embed import Embedder, FakeEmbedder, Vector
from core.library import shelve
from core.model import Person, Question
from core.moments import MomentHead
from core.prepare import open_embedder
from core.privacy import Scrubber
from core.seeds import SEEDS
from core.settings import DEFAULT_MODEL, Settings
from core.store import Store
from core.store.sqlite import open_store
from knowledge.article import Article
from knowledge.glossary import terms_for
from knowledge.markdown import parse
from knowledge.moment import Moment

# Shared machines pause now and then, which is no property of the code.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")

TODAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


EVERYDAY = ["hoe laat is het", "klant wil een factuur", "where is the invoice", "lunch", "wat kost gas per kuub"]


class NoMoments(MomentHead):
    """Never sure of a moment, so that apply is what is shown."""

    def __init__(self) -> None:
        """There is nothing to learn."""

    def predict(self, text: str, vector: Vector, odds: object = None) -> tuple[Moment | None, float]:
        return None, 0.0


def article(text: str, article_id: str = "gas", language: str = "nl") -> Article:
    """An article from its Markdown."""
    return parse(text, fallback_id=article_id, language=language)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the settings or the data of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(("BIJDEHAND_", "SLACK_", "MICROSOFT_")) and name != "BIJDEHAND_CACHE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("BIJDEHAND_DATA", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def model_cache() -> Path:
    """Where the prepared model is kept between runs."""
    return Settings().cache


@pytest.fixture(scope="session")
def real_embedder(model_cache: Path) -> Embedder:
    """The default model; preparing it takes about half a minute, once."""
    return open_embedder(DEFAULT_MODEL, model_cache / "models")


@pytest.fixture
def store(tmp_path: Path):
    """An empty database."""
    opened = open_store(tmp_path / "bijdehand.db")
    yield opened
    opened.close()


# Sure of itself whenever the fake model finds shared words, so that a test can ask for each band.
FAKE_CONFIDENCE = Confidence(score=2.0, margin=1.0, intercept=-9.0)


@pytest.fixture
def desk(store: Store) -> Desk:
    """A desk on the fake model and an empty database."""
    return make_desk(store)


def make_desk(store: Store, articles: tuple[Article, ...] = (), embedder: Embedder | None = None) -> Desk:
    """A desk on the fake model, or another, that knows these articles."""
    made = Desk(
        store,
        embedder or FakeEmbedder(),
        NoMoments(),
        Lookout(FakeEmbedder(), EVERYDAY, Path(tempfile.gettempdir()) / "bijdehand-tests"),
        Asides(None),
        Scrubber(),
        FAKE_CONFIDENCE,
        zone=AMSTERDAM,
        now=lambda: TODAY,
    )
    if articles:
        shelve(store, made.embedder, articles)
    return made


def question(text: str, **values: object) -> Question:
    """A question by nobody in particular."""
    return Question(text, Person("somebody"), **values)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def starter_articles() -> tuple[Article, ...]:
    """The starter knowledge as it stands in the repository."""
    from knowledge.amounts import amounts_for, filled
    from knowledge.readers import read

    folder = SEEDS / "articles"
    amounts = amounts_for([folder])
    return tuple(filled(found.article, amounts) for found in read(folder))


@pytest.fixture(scope="session")
def starter_desk(tmp_path_factory, real_embedder, starter_articles, model_cache):
    """A desk on the real model that knows the starter knowledge."""
    settings = Settings(cache=model_cache)
    store = open_store(tmp_path_factory.mktemp("starter") / "bijdehand.db")
    shelve(store, real_embedder, starter_articles)
    store.set_terms(terms_for([SEEDS / "articles"]))
    yield open_desk(settings, store=store, embedder=real_embedder, now=lambda: TODAY)
    store.close()
