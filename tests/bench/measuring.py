"""Load on a bot, measured: one rate, or the highest at which 99 of 100 requests are answered within half a second and
every reply arrives. All on loopback: the platform, the bot and the people are a process each.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from people import WARM
from rich.console import Console

HERE = Path(__file__).parent
ACK_WITHIN = 0.5  # seconds, for 99 of 100
REPLY_WITHIN = 5.0  # seconds, for all; where it takes longer, questions pile up and the next would take longer still
NEAR_ENOUGH = 0.05  # of the rate
FALLING_BEHIND = 0.15  # of the time: who is this late after ten seconds will be twice as late after twenty
LONGER = 3  # times as long is what was found tried once more
_STARTED_WITHIN = 120.0  # seconds
_AROUND = 10.0  # seconds that a rate takes besides: starting, warming up and the last replies
_LINE = "{:>8} {:>6}  {:14} {:20} {:14} {:24} {:>8}  {:20} {}"
_HEAD = ("a second", "for", "acks", "ack", "replies", "reply", "articles", "cores, memory", "")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Trial:
    """What is asked of which bot, on what platform.

    `api` is a script that stands in for the platform and prints its port. `people` is one that gets the bot's URL, the
    platform's, a rate and seconds, and prints what it asked. `settings` are the bot's, given the platform's URL.
    """

    asked: str
    platform: str
    path: str
    api: str
    people: list[str]
    settings: Callable[[str], dict[str, str]]
    bot: list[str] = field(default_factory=lambda: ["-m", "bots.cli"])


@dataclass(frozen=True)
class Asking:
    """How many questions a second, for how long."""

    rate: float
    seconds: float


@dataclass(frozen=True)
class Used:
    """What it took, in cores and MB. A machine far busier than the bot disturbed it."""

    bot: float
    machine: float
    memory: float


@dataclass(frozen=True)
class Outcome:
    """How one rate went; latencies in seconds from when a question was due, sorted."""

    asking: Asking
    statuses: Counter[str]
    acks: list[float]
    replies: list[float]
    expected: int  # replies; what a tap shows comes with its ack
    articles: float  # the share of replies that show one
    used: Used
    troubles: list[str]

    @property
    def holds(self) -> bool:
        return not self.troubles

    def line(self) -> str:
        acks = ", ".join(f"{count} × {status}" for status, count in self.statuses.items())
        replies = f"{len(self.replies)} of {self.expected}"
        used = f"{self.used.bot:.2f} of {self.used.machine:.2f}, {self.used.memory:.0f} MB"
        cells = [f"{self.asking.rate:g}", f"{self.asking.seconds:g} s", acks, in_ms(self.acks), replies]
        cells += [in_ms(self.replies), f"{self.articles:.0%}", used]
        return _LINE.format(*cells, "holds" if self.holds else "; ".join(self.troubles)[:200])


def in_ms(times: list[float]) -> str:
    return " ".join(f"{within(times, share) * 1000:.0f}" for share in (0.5, 0.95, 0.99, 1))


def within(times: list[float], share: float) -> float:
    """What this share of sorted latencies stays within."""
    return times[min(len(times) - 1, int(share * len(times)))] if times else float("nan")


# -- processes -------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def running(command: list[str], **how: Any) -> Iterator[subprocess.Popen[str]]:
    """Whatever happens, this process ends."""
    process = subprocess.Popen([sys.executable, *command], text=True, **how)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@dataclass(frozen=True)
class Bench:
    """A folder with a database that knows the starter knowledge, and the settings to start from."""

    trial: Trial
    folder: Path
    environment: dict[str, str]
    tell: Callable[[str], None]

    def prepare(self) -> None:
        self.tell("preparing …")
        environment = self.environment | self.trial.settings("http://127.0.0.1:9")  # nobody is asked anything yet
        environment |= {"BIJDEHAND_DATA": str(self.folder / "fresh")}
        command = [sys.executable, *self.trial.bot, "init", "--demo"]
        subprocess.run(command, env=environment, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def measure(self, rate: float, seconds: float) -> Outcome:
        """Try one rate, on a fresh copy of the database."""
        self.tell(f"{rate:g} a second for {seconds:g} seconds …")
        shutil.copytree(self.folder / "fresh", self.folder / "data")
        try:
            with self._platform() as platform, self._bot(platform) as (bot, log, port):
                url = f"http://127.0.0.1:{port}{self.trial.path}"
                return self._ask(platform, bot, log, url, Asking(rate, seconds))
        finally:
            shutil.rmtree(self.folder / "data")

    @contextlib.contextmanager
    def _platform(self) -> Iterator[str]:
        command = [str(HERE / self.trial.api)]
        with running(command, env=self.environment, cwd=self.folder, stdout=subprocess.PIPE) as process:
            assert process.stdout
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"

    @contextlib.contextmanager
    def _bot(self, platform: str) -> Iterator[tuple[int, Path, str]]:
        """Its process, its log and its port."""
        log, command = self.folder / "log", [*self.trial.bot, "serve"]
        environment = self.environment | self.trial.settings(platform)
        environment |= {
            "BIJDEHAND_DATA": str(self.folder / "data"),
            "BIJDEHAND_PORT": "0",
            "BIJDEHAND_WEB_PORT": "0",
        }
        with (
            log.open("w") as out,
            running(command, env=environment, cwd=self.folder, stdout=out, stderr=out) as process,
        ):
            until = time.monotonic() + _STARTED_WITHIN
            while "is listening" not in log.read_text():
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"The bot did not start.\n{log.read_text()}")
                time.sleep(0.1)
            found = re.search(rf"^{self.trial.platform} .*:(\d+){self.trial.path}$", log.read_text(), re.MULTILINE)
            assert found, log.read_text()
            yield process.pid, log, found[1]

    def _ask(self, platform: str, bot: int, log: Path, url: str, asking: Asking) -> Outcome:
        script, *more = self.trial.people
        command = [str(HERE / script), url, platform, str(asking.rate), str(asking.seconds), *more]
        with running(command, env=self.environment, cwd=self.folder, stdout=subprocess.PIPE) as people:
            assert people.stdout
            people.stdout.readline()  # those who warm it up are done
            then = busy(bot)
            asked = json.loads(people.stdout.readline())
        until = asked[-1][1] + 2 * REPLY_WITHIN  # to know how many never come
        while time.monotonic() < until and look(f"{platform}/count") < sum(1 for name, *_ in asked if name):
            time.sleep(0.1)
        took, own, everything = (after - before for after, before in zip(busy(bot), then, strict=True))
        used = Used(own / took, everything / took, memory_of(bot))
        return judge(asking, asked, look(f"{platform}/seen"), log.read_text(), used)


def judge(asking: Asking, asked: list[Any], seen: dict[str, Any], log: str, used: Used) -> Outcome:
    """Match replies to questions. Of two from one person in a direct message, the first is answered first."""
    came = defaultdict(list)
    for name, moment in seen["answers"]:
        came[name].append(moment)
    late = [
        (number, came[name].pop(0) - due if came[name] else None)
        for number, (name, due, *_) in enumerate(asked)
        if name
    ]
    counted = [took for number, took in late if number >= WARM]
    replies = sorted(took for took in counted if took is not None)
    acks = sorted(took for _, _, took, _ in asked[WARM:])
    statuses = Counter(status for *_, status in asked[WARM:])
    troubles = [f"{count} acks {status}" for status, count in statuses.items() if status != "200"]
    troubles += ["acks too late"] if within(acks, 0.99) >= ACK_WITHIN else []
    troubles += [f"{counted.count(None)} replies missing"] if None in counted else []
    troubles += ["replies too late"] if within(replies, 1) >= min(REPLY_WITHIN, FALLING_BEHIND * asking.seconds) else []
    troubles += [f"{twice} replies too many"] if (twice := sum(map(len, came.values()))) else []
    troubles += [f"it refuses: {found}" for found in seen["refused"]]
    troubles += [f"log: {line}" for line in log.splitlines() if re.search(" (WARNING|ERROR|CRITICAL) ", line)]
    articles = seen["articles"] / len(late) if late else 0
    return Outcome(asking, statuses, acks, replies, len(counted), articles, used, troubles)


def look(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as response:
        return json.load(response)


def busy(process: int) -> tuple[float, float, float]:
    """Seconds so far: by the clock, those that a process worked, and those that all cores did. Linux tells."""
    own = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split()[1:9])
    return time.monotonic(), (int(own[11]) + int(own[12])) / _TICKS, (user + nice + system + sum(interrupts)) / _TICKS


def memory_of(process: int) -> float:
    """Megabytes in use; Linux tells."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else float("nan")


# -- what is measured ------------------------------------------------------------------------------------------------
def search(bench: Bench, seconds: float, until: float) -> Iterator[Outcome]:
    """Double until it no longer holds, close in, and see whether what was found holds longer too.

    What there is no time left for before `until` is not tried, and some is left for trying longer, twice.
    """
    good, bad = 0, 0

    def is_time_for(*tries: float) -> bool:
        return time.monotonic() + sum(tries) + len(tries) * _AROUND < until

    longer = LONGER * seconds
    while (not bad or bad - good > max(1, NEAR_ENOUGH * bad)) and is_time_for(seconds, longer, longer):
        rate = (good + bad) // 2 if bad else max(25, 2 * good)
        outcome = bench.measure(rate, seconds)
        yield outcome
        good, bad = (rate, bad) if outcome.holds else (good, rate)
    while good and is_time_for(longer):
        outcome = bench.measure(good, longer)
        yield outcome
        if outcome.holds:
            return
        good = int(good * (1 - 2 * NEAR_ENOUGH))


def run(document: str, trials: dict[str, Trial]) -> None:
    """Do what the command line asks with one of these or all."""
    parser = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--rate", type=float, help="how many a second")
    what.add_argument("--search", action="store_true", help="find the highest rate that holds")
    parser.add_argument("--seconds", type=float, default=10, help="how long each rate is tried (10)")
    parser.add_argument("--minutes", type=float, default=6, help="how long a search takes at most (6)")
    parser.add_argument("--only", choices=trials, help="what is tried (all)")
    chosen = parser.parse_args()
    picked = [trials[chosen.only]] if chosen.only else list(trials.values())
    ours = ("BIJDEHAND_", "SLACK_", "MICROSOFT_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(ours) or name == "BIJDEHAND_CACHE"}
    paths = os.pathsep.join(map(str, (HERE.parents[1], HERE.parent)))
    made = own | {"PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all processes are ended then too
    say = Console(highlight=False, soft_wrap=True)
    say.print(f"On {os.cpu_count()} cores. Ack and reply: p50, p95, p99 and max, in ms since it was due.")
    for trial in picked:
        until = time.monotonic() + chosen.minutes * 60 / len(picked)
        with tempfile.TemporaryDirectory() as folder, say.status("") as status:
            bench = Bench(trial, Path(folder), made, status.update)
            bench.prepare()
            say.print(f"\n{trial.asked}")
            say.print(_LINE.format(*_HEAD))
            if chosen.search:
                tried = search(bench, chosen.seconds, until)
            else:
                tried = iter([bench.measure(chosen.rate, chosen.seconds)])
            for outcome in tried:
                say.print(outcome.line())
