"""What is counted while it serves: numbers only, of no person and with no word that anybody typed.

`/metrics` shows them; docs/operations.md says which are worth an alert.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from core.desk import Desk
    from core.model import Answer

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)

REGISTRY = CollectorRegistry()
ANSWERS = Counter(
    "bijdehand_answers",
    "Answers made, by what became of the question and the shape it got.",
    ["surface", "outcome", "moment"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "bijdehand_seconds",
    "How long things take: to embed, search and answer a question, and from its message noted to its reply sent.",
    ["stage"],
    buckets=_BUCKETS,
    registry=REGISTRY,
)
ERRORS = Counter("bijdehand_errors", "Errors in the log, by where they were met.", ["where"], registry=REGISTRY)


def count(answer: "Answer", surface: str) -> None:
    """An answer that somebody gets; what is only looked up, to see whether to speak at all, is none."""
    ANSWERS.labels(surface, answer.outcome, answer.moment or "").inc()


class CountErrors(logging.Handler):
    """Counts what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        """By the module that met it."""
        ERRORS.labels(record.name).inc()


class Standing(Collector):
    """What stands where at the moment of looking: the index, and what waits."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk

    def collect(self) -> Iterable[Metric]:
        """Ask the desk; while its database cannot be read, there is nothing to show but that."""
        try:
            gauges = self._desk.gauges()
        except Exception:
            logging.getLogger(__name__).exception("the database cannot be asked what waits")
            yield GaugeMetricFamily("bijdehand_up", "1: the database can be read.", value=0)
            return
        yield GaugeMetricFamily("bijdehand_up", "1: the database can be read.", value=1)
        for name, (what, value) in gauges.items():
            yield GaugeMetricFamily(f"bijdehand_{name}", what, value=value)


def shown(desk: "Desk") -> bytes:
    """All of it, as Prometheus reads it."""
    now = CollectorRegistry()
    now.register(Standing(desk))
    return generate_latest(REGISTRY) + generate_latest(now)
