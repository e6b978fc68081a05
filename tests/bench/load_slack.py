"""How many questions a second one process answers in Slack, with the real model and the starter knowledge.

`python tests/bench/load_slack.py --rate 20` tries one rate; `--search` finds the highest at which 99 of 100 acks come
within half a second and every reply arrives. All on loopback: Slack, the bot and the people are a process each.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

HERE = Path(__file__).parent
BOT = [sys.executable, "-m", "bots.cli"]
WARM = 10  # questions that do not count, as in slack_people.py
ACK_WITHIN = 0.5  # seconds, for 99 of 100
REPLY_WITHIN = 5.0  # seconds, for all; where it takes longer, questions pile up and the next would take longer still
NEAR_ENOUGH = 0.05  # of the rate
LONGER = 3  # times as long is what was found tried once more
_STARTED_WITHIN = 120.0  # seconds
_LINE = "{:>8} {:>6}  {:14} {:20} {:14} {:24} {:>8}  {:20} {}"
_HEAD = ("a second", "for", "acks", "ack", "replies", "reply", "articles", "cores, memory", "")
_TICKS = os.sysconf("SC_CLK_TCK")


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
    articles: float  # the share of replies that show one
    used: Used
    troubles: list[str]

    @property
    def holds(self) -> bool:
        return not self.troubles

    def line(self) -> str:
        acks = ", ".join(f"{count} × {status}" for status, count in self.statuses.items())
        replies = f"{len(self.replies)} of {len(self.acks)}"
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
    process = subprocess.Popen(command, text=True, **how)
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

    folder: Path
    environment: dict[str, str]
    tell: Callable[[str], None]

    def prepare(self) -> None:
        command = [*BOT, "init", "--demo"]
        environment = self.environment | {"BIJDEHAND_DATA": str(self.folder / "fresh")}
        subprocess.run(command, env=environment, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def measure(self, rate: float, seconds: float) -> Outcome:
        """Try one rate, on a fresh copy of the database."""
        self.tell(f"asking {rate:g} questions a second for {seconds:g} seconds …")
        shutil.copytree(self.folder / "fresh", self.folder / "data")
        try:
            with self._slack() as slack, self._bot(slack) as (bot, log, port):
                return self._ask(slack, bot, log, f"http://127.0.0.1:{port}/slack/events", rate, seconds)
        finally:
            shutil.rmtree(self.folder / "data")

    @contextlib.contextmanager
    def _slack(self) -> Iterator[str]:
        command = [sys.executable, str(HERE / "slack_api.py")]
        with running(command, env=self.environment, cwd=self.folder, stdout=subprocess.PIPE) as process:
            assert process.stdout
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"

    @contextlib.contextmanager
    def _bot(self, slack: str) -> Iterator[tuple[int, Path, str]]:
        """Its process, its log and its port."""
        log = self.folder / "log"
        environment = self.environment | {
            "BIJDEHAND_DATA": str(self.folder / "data"),
            "BIJDEHAND_PORT": "0",
            "BIJDEHAND_WEB_PORT": "0",
            "SLACK_API_URL": f"{slack}/api/",
            "SLACK_BOT_TOKEN": "xoxb-bench",
            "SLACK_SIGNING_SECRET": "a-signing-secret",  # that of fake_slack.py
        }
        with (
            log.open("w") as out,
            running([*BOT, "serve"], env=environment, cwd=self.folder, stdout=out, stderr=out) as process,
        ):
            until = time.monotonic() + _STARTED_WITHIN
            while "is listening" not in log.read_text():
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"The bot did not start.\n{log.read_text()}")
                time.sleep(0.1)
            found = re.search(r"^Slack .*:(\d+)/slack/events$", log.read_text(), re.MULTILINE)
            assert found, log.read_text()
            yield process.pid, log, found[1]

    def _ask(self, slack: str, bot: int, log: Path, url: str, rate: float, seconds: float) -> Outcome:
        command = [sys.executable, str(HERE / "slack_people.py"), url, f"{slack}/response", str(rate), str(seconds)]
        with running(command, env=self.environment, cwd=self.folder, stdout=subprocess.PIPE) as people:
            assert people.stdout
            people.stdout.readline()  # those who warm it up are done
            then = busy(bot)
            asked = json.loads(people.stdout.readline())
        until = asked[-1][1] + 2 * REPLY_WITHIN  # to know how many never come
        while time.monotonic() < until and look(f"{slack}/count") < len(asked):
            time.sleep(0.1)
        took, own, everything = (after - before for after, before in zip(busy(bot), then, strict=True))
        used = Used(own / took, everything / took, memory_of(bot))
        return judge(Asking(rate, seconds), asked, look(f"{slack}/seen"), log.read_text(), used)


def judge(asking: Asking, asked: list[Any], seen: dict[str, Any], log: str, used: Used) -> Outcome:
    """Match replies to questions. Of two from one person in a direct message, the first is answered first."""
    came = defaultdict(list)
    for name, moment in seen["answers"]:
        came[name].append(moment)
    late = [came[name].pop(0) - due if came[name] else None for name, due, *_ in asked][WARM:]
    replies = sorted(took for took in late if took is not None)
    acks = sorted(took for _, _, took, _ in asked[WARM:])
    statuses = Counter(status for *_, status in asked[WARM:])
    troubles = [f"{count} acks {status}" for status, count in statuses.items() if status != "200"]
    troubles += ["acks too late"] if within(acks, 0.99) >= ACK_WITHIN else []
    troubles += [f"{late.count(None)} replies missing"] if None in late else []
    troubles += ["replies too late"] if within(replies, 1) >= REPLY_WITHIN else []
    troubles += [f"{twice} replies too many"] if (twice := sum(map(len, came.values()))) else []
    troubles += [f"Slack refuses: {found}" for found in seen["refused"]]
    troubles += [f"log: {line}" for line in log.splitlines() if re.search(" (WARNING|ERROR|CRITICAL) ", line)]
    return Outcome(asking, statuses, acks, replies, seen["articles"] / len(asked), used, troubles)


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
def search(bench: Bench, seconds: float) -> Iterator[Outcome]:
    """Double until it no longer holds, close in, and see whether what was found holds longer too."""
    good, bad = 0, 0
    while not bad or bad - good > max(1, NEAR_ENOUGH * bad):
        rate = (good + bad) // 2 if bad else max(10, 2 * good)
        outcome = bench.measure(rate, seconds)
        yield outcome
        good, bad = (rate, bad) if outcome.holds else (good, rate)
    while good:
        outcome = bench.measure(good, LONGER * seconds)
        yield outcome
        if outcome.holds:
            return
        good = int(good * (1 - NEAR_ENOUGH))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--rate", type=float, help="questions a second")
    what.add_argument("--search", action="store_true", help="find the highest rate that holds")
    parser.add_argument("--seconds", type=float, default=20, help="how long each rate is tried (20)")
    chosen = parser.parse_args()
    ours = ("BIJDEHAND_", "SLACK_", "MICROSOFT_")
    own = {name: value for name, value in os.environ.items() if not name.startswith(ours) or name == "BIJDEHAND_CACHE"}
    made = own | {"PYTHONPATH": str(HERE.parent), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that all processes are ended then too
    say = Console(highlight=False, soft_wrap=True)
    say.print(f"On {os.cpu_count()} cores. Ack and reply: p50, p95, p99 and max, in ms since a question was due.")
    with tempfile.TemporaryDirectory() as folder:
        status = say.status("")
        bench = Bench(Path(folder), made, status.update)
        bench.prepare()
        say.print(_LINE.format(*_HEAD))
        with status:
            tried = search(bench, chosen.seconds) if chosen.search else [bench.measure(chosen.rate, chosen.seconds)]
            for outcome in tried:
                say.print(outcome.line())


if __name__ == "__main__":
    main()
