"""How fast it is: what a question costs and where it goes, beside the plain model and plain libraries.

What is compared is measured in turns, in one run: machines differ, and a shared one differs from minute to minute, so
that ratios tell more than times.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

_WARM_UP = 20
_TURN = 25  # inputs; one by one, each would find the processor's memory full of what the other does
_STARTS = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """Times of one kind of work in milliseconds, and beside them those of another, done in turns."""

    name: str
    p50: float
    p95: float
    times: int
    than: str = ""
    ratio: float = 0.0  # median of what it takes by median of the other; 0 where there is no other


def paces(works: Mapping[str, Callable[[Any], object]], inputs: Sequence[Any]) -> list[Pace]:
    """Do each kind of work on each input, in turns; the ratios are to the first of them."""
    for work in works.values():
        for one in inputs[:_WARM_UP]:
            work(one)
    took: dict[str, list[float]] = {name: [] for name in works}
    order = list(works)
    for turn, start in enumerate(range(0, len(inputs), _TURN)):
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            took[name] += [_took(works[name], one) for one in inputs[start : start + _TURN]]
    first, *others = order
    found = [Pace(first, *_spread(took[first]), len(inputs))]
    return found + [
        Pace(name, *_spread(took[name]), len(inputs), first, _median(took[name]) / _median(took[first]))
        for name in others
    ]


def _took(work: Callable[[Any], object], one: object) -> float:
    start = time.perf_counter()
    work(one)
    return 1000 * (time.perf_counter() - start)


def _median(times: Sequence[float]) -> float:
    return float(np.median(times))


def _spread(times: Sequence[float]) -> tuple[float, float]:
    return _median(times), float(np.quantile(times, 0.95))


def per_second(work: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    """How many of these are done in a second, one after the other."""
    start = time.perf_counter()
    for one in inputs:
        work(one)
    return len(inputs) / (time.perf_counter() - start)


def start_up(arguments: Sequence[str], data: Path) -> Pace:
    """How long a command takes from nothing, as a person types it; what it writes goes into `data`."""
    environment = os.environ | {"BIJDEHAND_DATA": str(data)}
    times = []
    for _ in range(_STARTS):
        start = time.perf_counter()
        command = [sys.executable, "-m", "bots.cli", *arguments]
        subprocess.run(command, env=environment, check=False, capture_output=True)  # noqa: S603
        times.append(1000 * (time.perf_counter() - start))
    return Pace(f"bijdehand {' '.join(arguments[:1])}", *_spread(times), len(times))


def apart(work: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - whatever it gives
    """Do it in a process of its own, so that what it holds is its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def memory() -> dict[str, float]:
    """What this process holds now and held at most, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
        return {name: int(lines[of].split()[0]) / 1024 for name, of in (("now", "VmRSS"), ("at most", "VmHWM"))}
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    return {"at most": most}


@contextmanager
def timed(into: dict[str, float], name: str) -> Iterator[None]:
    """Add to `into` how many milliseconds the block took."""
    start = time.perf_counter()
    try:
        yield
    finally:
        into[name] = 1000 * (time.perf_counter() - start)
