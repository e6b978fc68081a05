"""What the commands share: two consoles, exit codes, and the things that most of them open."""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from core.doctor import Check
    from core.embed import Embedder
    from core.library import Progress, Shelved
    from core.settings import Settings
    from core.store import Store

_PIPE_WIDTH = 100_000  # columns: a program that reads us wants whole ids
_CONTROL = re.compile(r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class _Plain(Console):
    """Prints text as it is, and goes on quietly when its reader has seen enough."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def on_broken_pipe(self) -> None:
        """Rich would end the program with exit code 1."""
        _unplug(self.file)


out = _Plain()
err = _Plain(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
Paths = Annotated[list[Path], typer.Argument(readable=False, help="Files or folders: .md .csv .jsonl .html .docx .pdf")]


class Exit:
    """What the exit codes mean; 2 is a wrong command line."""

    TO_MEND = 1  # something was found that wants mending
    NO_ANSWER = 3
    CANNOT = 4  # a setting, file, model or database stands in the way


def settings() -> "Settings":
    """Read the settings; a wrong one is a sentence."""
    from core.settings import read_settings

    return read_settings()


def store(configured: "Settings | None" = None) -> "Store":
    """Open the configured database."""
    from core import boot
    from core.errors import StoreError

    configured = configured or settings()
    try:
        return boot.make_store(configured)
    except OSError as error:
        raise StoreError(
            f"{configured.data} cannot be used ({error.strerror}). "
            "Let this user read and write it, or set BIJDEHAND_DATA to another folder."
        ) from error


def embedder(configured: "Settings") -> "Embedder":
    """Open the configured model, saying what takes long."""
    from core import boot
    from core.errors import ModelError

    try:
        return boot.make_embedder(configured, progress=note)
    except OSError as error:
        raise ModelError(
            f"{configured.cache} cannot be used ({error.strerror}). "
            "Let this user read and write it, or set BIJDEHAND_CACHE to another folder."
        ) from error


def printable(text: str) -> str:
    """Pictures for control characters: those of an article or a file's name must not steer the terminal."""
    return _CONTROL.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < ord(" ") else "\ufffd"


def line(text: str, style: str = "", *, on: Console = out) -> None:
    """Print a line that is not broken, since a path in it may be copied."""
    on.print(Text(printable(text), style), soft_wrap=True)


def note(message: str) -> None:
    """Say something beside the output, for whoever waits."""
    line(message, "dim", on=err)


def fail(what: str, sentence: str) -> None:
    """Say what stands in the way."""
    err.print(Text.assemble((f"{what}: ", "bold red"), printable(sentence)), soft_wrap=True)


def tell(done: "Shelved", *, removed: int = 0) -> None:
    """Say what an import or a reindex did."""
    pruned = f", {removed} removed" if removed else ""
    line(f"{done.articles} articles on the shelf, {done.embedded} texts embedded{pruned}.")


def report(checks: "list[Check]", *, as_json: bool) -> None:
    """Print what was found. Exit code 1: something fails."""
    from core.doctor import State

    if as_json:
        print_json(checks)
    else:
        style = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red", State.OFF: "dim"}
        for check in checks:
            out.print(Text(f"{check.state:<5} ", style[check.state]), end="")
            todo = f" ({check.todo})" if check.todo else ""
            line(f"{check.name:<9} {check.found}{todo}")
    if any(check.state is State.FAIL for check in checks):
        raise typer.Exit(Exit.TO_MEND)


class Bar:
    """A progress bar that is a `Progress`."""

    def __init__(self, what: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=err)
        self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> "Progress":
        return self._show

    def _show(self, done: int, total: int) -> None:
        self._bar.start()  # not before there is something to show; a second time does nothing
        self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def table(rows: Iterable[dict[str, str]], columns: Iterable[str]) -> None:
    """Print rows in columns."""
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(row[str(column.header)])) for column in table.columns))
    show(table)


def show(*tables: RenderableType) -> None:
    """Print tables: as wide as the terminal, and in a pipe as wide as they need to be."""
    (out if on_terminal() else _Plain(width=_PIPE_WIDTH)).print(*tables, sep="\n")


def on_terminal() -> bool:
    """Whether a person reads along."""
    return sys.stdout.isatty()


def print_json(value: object) -> None:
    """Print anything pydantic can write, for a script."""
    from pydantic import TypeAdapter
    from pydantic_core import to_json

    from core.store.columns import clean

    adapter = TypeAdapter[Any](type(value) if not isinstance(value, list) else list[Any])
    plain = clean(adapter.dump_python(value, mode="json"))  # half a character has no UTF-8
    escaped = not (sys.stdout.encoding or "").lower().startswith("utf")
    _write(to_json(plain, indent=2, inf_nan_mode="null", ensure_ascii=escaped) + b"\n")


def print_exactly(text: str) -> None:
    """Print a text byte for byte, so that it can be kept in a file; a terminal gets no control characters."""
    _write((printable(text) if on_terminal() else text).encode("utf-8", "replace"))


def _write(content: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except BrokenPipeError:
        _unplug(sys.stdout)


def _unplug(stream: IO[str]) -> None:
    """Nobody reads this any more: what is still written to it, now or at the end, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
