"""What values become in a column: text that any database can hold, documents, times and vectors."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter
from pydantic_core import to_json

from core.embed import Vector
from core.model import Answer
from core.pieces import NO_PIECES, Pieces, let_go, room
from core.verdicts import Calibration
from knowledge.article import Article

ARTICLE = TypeAdapter(Article)
ARTICLES = TypeAdapter(list[Article])
ANSWER = TypeAdapter(Answer)
CALIBRATION = TypeAdapter(Calibration)

# Half a character has no UTF-8 and raises on bind; PostgreSQL refuses NUL.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(value: Any) -> Any:  # noqa: ANN401 - whatever stands in a parameter or a document
    """Put U+FFFD for what no column can hold, however deep it sits; all other text stays as it is."""
    match value:
        case str():
            return _UNSTORABLE.sub("\ufffd", value)
        case dict():
            return {clean(key): clean(item) for key, item in value.items()}
        case list() | tuple():
            return [clean(item) for item in value]
        case _:
            return value


def as_json(value: object) -> str:
    """Compact JSON of plain data; enums and times in it become strings."""
    return to_json(clean(value)).decode()


def stamp(moment: datetime) -> str:
    """Write a time in UTC and at a fixed width, so that comparing text compares times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def blob(vector: Vector) -> bytes:
    """Write the numbers of a vector as float32, one after the other."""
    return np.asarray(vector, dtype=np.float32).tobytes()


def matrix(blobs: Sequence[bytes]) -> Vector:
    """Read vectors, a row each; (0, 0) when there are none."""
    numbers = np.frombuffer(b"".join(blobs), dtype=np.float32)
    return numbers.reshape(len(blobs), len(numbers) // max(1, len(blobs)))


def pieces(ids: Sequence[bytes | None], vectors: Iterable[bytes | None]) -> Pieces:
    """Read the pieces of texts, one after the other, never holding all of them twice; a text may have none."""
    numbers = np.frombuffer(b"".join(one or b"" for one in ids), np.int32)
    if len(numbers) == 0:
        return NO_PIECES
    found: npt.NDArray[np.int8] | None = None
    done = 0
    for mine, one in zip(ids, vectors, strict=True):
        if not one:
            continue
        count = len(mine or b"") // np.int32().itemsize
        some = np.frombuffer(one, np.int8).reshape(count, -1)
        if found is None:
            found = room(len(numbers), some.shape[1])
        found[done : done + count] = some
        done += count
    if found is None:
        return NO_PIECES
    if isinstance(found, np.memmap):
        found.flush()
        let_go(found)
    return Pieces(numbers, found)
