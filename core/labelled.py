"""Files of labelled data: lines of JSON or of columns."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.errors import BijdehandError
from core.language import language_of
from knowledge.article import Language


def language_in(row: dict[str, Any]) -> Language:
    """The language that a row says it is in, else the one it seems to be in."""
    match row.get("lang", row.get("language")):
        case "nl":
            return "nl"
        case "en":
            return "en"
    return language_of(str(row["text"]), otherwise="nl")


def rows_of(path: Path, *, required: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines; what is wrong is named with its line."""
    for number, line in lines_of(path):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BijdehandError(f"{path}, line {number}: this is not JSON ({error}).") from error
        missing = [name for name in required if not isinstance(row, dict) or name not in row]
        if missing:
            raise BijdehandError(f"{path}, line {number}: {', '.join(missing)} is missing.")
        yield row


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, numbered from 1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise BijdehandError(f"There is no file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BijdehandError(f"{path} cannot be read as UTF-8 text ({error}).") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line
