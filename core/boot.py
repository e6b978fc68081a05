"""The composition root: the one place where concrete things meet."""

from collections.abc import Callable
from datetime import UTC, datetime

from core.asides import Asides, open_asides
from core.confidence import confidence_for
from core.danger import Lookout, read_texts
from core.desk import Desk
from core.embed import Embedder
from core.errors import StoreError
from core.moments import MomentHead, open_head
from core.prepare import open_embedder
from core.privacy import Scrubber
from core.rerank import open_reranker
from core.seeds import SEEDS
from core.settings import Settings
from core.store import Store
from core.store.sqlite import open_store

OWN_MOMENTS = "moments.npz"  # beside the database: it was learnt from what people there asked

Say = Callable[[str], None]


def _silent(message: str) -> None:
    """Nobody is watching."""


def make_embedder(settings: Settings, *, progress: Say = _silent) -> Embedder:
    """The configured model, prepared on first use (about a minute) and opened in a second from then on."""
    return open_embedder(settings.model, settings.cache / "models", progress=progress)


def make_moments(settings: Settings, embedder: Embedder) -> MomentHead:
    """The classifier of moments for this model, trained on first use from the labelled messages."""
    return open_head(embedder, SEEDS / "moments.jsonl", settings.cache / "moments", settings.data / OWN_MOMENTS)


def make_lookout(settings: Settings, embedder: Embedder) -> Lookout:
    """What spots danger; everyday messages are all it needs besides the critical articles themselves."""
    return Lookout(embedder, read_texts(SEEDS / "background.jsonl"), settings.cache / "danger")


def make_asides(settings: Settings, embedder: Embedder) -> Asides:
    """What tells small talk from questions, trained on first use."""
    return open_asides(embedder, SEEDS, settings.cache / "asides")


def make_store(settings: Settings) -> Store:
    """The database, made and migrated where needed."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{settings.data} cannot be made ({error.strerror}). Set BIJDEHAND_DATA.") from error
    return open_store(settings.database)


def open_desk(
    settings: Settings,
    *,
    store: Store | None = None,
    embedder: Embedder | None = None,
    moments: MomentHead | None = None,
    lookout: Lookout | None = None,
    asides: Asides | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Say = _silent,
) -> Desk:
    """A desk ready for questions; anything given is used instead of the real thing."""
    embedder = embedder or make_embedder(settings, progress=progress)
    return Desk(
        store or make_store(settings),
        embedder,
        moments or make_moments(settings, embedder),
        lookout or make_lookout(settings, embedder),
        asides or make_asides(settings, embedder),
        Scrubber(settings.customer_numbers),
        confidence_for(embedder.name),
        reranker=open_reranker(settings.reranker, progress=progress) if settings.reranker else None,
        zone=settings.zone,
        language=settings.language,
        now=now,
    )
