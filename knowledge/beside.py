"""Files that stand beside articles and count for all of them."""

from collections.abc import Iterable
from pathlib import Path


def nearest(name: str, paths: Iterable[Path]) -> list[Path]:
    """For each of these files and folders the nearest file of that name, in it or above it; each once."""
    found = [[folder / name for folder in (path, *path.resolve().parents)] for path in paths]
    return list(dict.fromkeys(file for files in found if (file := next(filter(Path.is_file, files), None))))
