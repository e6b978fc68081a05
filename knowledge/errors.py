"""What can be wrong with an article's file."""

from pathlib import Path
from typing import NoReturn


class ArticleError(Exception):
    """Names the file, the line, what is wrong there and the way out.

    `about` is the front matter key that it concerns, if any.
    """

    def __init__(self, path: Path | None, line: int, sentence: str, about: str = "") -> None:
        super().__init__(f"{path}:{line}: {sentence}" if path else f"line {line}: {sentence}")
        self.path = path
        self.line = line
        self.sentence = sentence
        self.about = about


def give_up(error: ArticleError) -> NoReturn:
    """Raise it: what becomes of an error that nobody takes."""
    raise error
