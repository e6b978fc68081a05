"""What was learnt is kept in the cache. A cache that is damaged or cannot be written costs time and nothing else."""

import logging
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

_log = logging.getLogger(__name__)

Arrays = dict[str, npt.NDArray[Any]]


def keep(path: Path, arrays: Mapping[str, npt.ArrayLike]) -> None:
    """Write aside and rename, so that nobody ever reads half a file."""
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type] # numpy's stub takes the names for its own options
        aside.replace(path)
    except OSError as error:
        _log.warning("%s cannot be kept (%s): it is learnt anew at every start", path, error.strerror)
        with suppress(OSError):
            aside.unlink()


def recall(path: Path) -> Arrays | None:
    """What `keep` wrote; None when it is not there or not whole."""
    try:
        with path.open("rb") as raw, np.load(raw) as file:  # left to itself, np.load forgets to close a damaged one
            return {name: file[name] for name in file.files}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        _log.warning("%s is damaged: learning anew", path)
        return None
