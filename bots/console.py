"""What the commands share: two consoles, exit codes, and the things that most of them open."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from core.embed import Embedder
    from core.library import Progress, Shelved
    from core.settings import Settings
    from core.store import Store

out = Console()
err = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
Paths = Annotated[list[Path], typer.Argument(help="Files or folders: .md .csv .jsonl .html")]


class Exit:
    """What the exit codes mean; 2 is a wrong command line."""

    TO_MEND = 1  # something was found that wants mending
    NO_ANSWER = 3
    CANNOT = 4  # a setting, file, model or database stands in the way


def settings() -> "Settings":
    """Read the settings; a wrong one is a sentence."""
    from core.settings import read_settings

    return read_settings()


def store() -> "Store":
    """Open the configured database."""
    from core import boot

    return boot.make_store(settings())


def embedder(configured: "Settings") -> "Embedder":
    """Open the configured model, saying what takes long."""
    from core import boot

    return boot.make_embedder(configured, progress=note)


def note(message: str) -> None:
    """Say something beside the output, for whoever waits."""
    err.print(message, style="dim", markup=False, highlight=False)


def tell(done: "Shelved", *, removed: int = 0) -> None:
    """Say what an import or a reindex did."""
    pruned = f", {removed} removed" if removed else ""
    out.print(f"{done.articles} articles on the shelf, {done.embedded} texts embedded{pruned}.")


class Bar:
    """A progress bar that is a `Progress`."""

    def __init__(self, what: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=err)
        self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> "Progress":
        self._bar.start()
        return lambda done, total: self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def table(rows: Iterable[dict[str, str]], columns: Iterable[str]) -> None:
    """Print rows in columns."""
    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(row[column] for column in columns))
    out.print(table)


def print_json(value: object) -> None:
    """Print anything pydantic can write, for a script."""
    from pydantic import TypeAdapter

    text = TypeAdapter(type(value) if not isinstance(value, list) else list[Any]).dump_json(value, indent=2)
    sys.stdout.write(text.decode() + "\n")
