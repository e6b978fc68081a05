"""Articles from files and folders: Markdown, CSV, JSON lines, HTML and, with the extra `office`, Word and PDF."""

import csv
import io
import json
import re
import stat
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import get_args

from knowledge.article import Article, Language
from knowledge.errors import ArticleError, give_up
from knowledge.glossary import FILE as GLOSSARY
from knowledge.markdown import AMSTERDAM, Draft, article_of, draft_of, kind_of

MOST_BYTES = 20_000_000
_HALF = re.compile("[\ud800-\udfff]")  # half a character, which JSON can spell and nothing can store


@dataclass(frozen=True, slots=True)
class Found:
    """An article and where it was found; articles that are in no file have no path."""

    article: Article
    path: Path | None = None
    line: int = 1


def read(
    path: Path,
    *,
    timezone: tzinfo = AMSTERDAM,
    language: Language | None = None,
    on_error: Callable[[ArticleError], None] = give_up,
) -> Iterator[Found]:
    """Read a file, or all files of a folder; `language` counts where an article does not say its own.

    What cannot be read raises, unless `on_error` takes it: then the reading goes on with the next article.
    """
    yield from unique(_articles(path, timezone, language, on_error), on_error)


def unique(founds: Iterable[Found], on_error: Callable[[ArticleError], None] = give_up) -> Iterator[Found]:
    """Pass on the first article of every id; each further one is an error that names both places."""
    seen: dict[str, Found] = {}
    for found in founds:
        first = seen.setdefault(found.article.id, found)
        if first is found:
            yield found
            continue
        place = f"{first.path}:{first.line}" if first.path else "an earlier article"
        sentence = f"The id '{found.article.id}' is already taken by {place}; give one of them another id."
        on_error(ArticleError(found.path, found.line, sentence, about="id"))


def _articles(
    path: Path, timezone: tzinfo, language: Language | None, on_error: Callable[[ArticleError], None]
) -> Iterator[Found]:
    for file, draft in _drafts(path, on_error):
        spoken = language or _folder_language(file)
        stem = f"{draft.values.get('language') or spoken or 'nl'}/{file.stem}"
        try:
            article = article_of(draft, fallback_id=stem, language=spoken, timezone=timezone, path=file)
        except ArticleError as error:
            on_error(error)
            continue
        if _HALF.search(article.id):
            line = draft.lines.get("id", draft.line)
            on_error(
                ArticleError(file, line, "The id holds half a character, which cannot be stored; leave it out.", "id")
            )
        else:
            yield Found(article, file, draft.line)


def _drafts(path: Path, on_error: Callable[[ArticleError], None]) -> Iterator[tuple[Path, Draft]]:
    for file in _files(path, on_error):
        draft = None
        try:
            suffix = file.suffix.lower()
            for draft in _office(file) if suffix in OFFICE else _OF_TEXT[suffix](_text(file), file):
                yield file, draft
        except ArticleError as error:
            on_error(error)
        else:
            if draft is None:
                on_error(ArticleError(file, 1, "The file holds no article; write one in it, or take the file away."))


def _files(path: Path, on_error: Callable[[ArticleError], None]) -> list[Path]:
    """The file itself, or what a folder holds; hidden files, README.md and the glossary are no articles."""
    known = ", ".join(READERS)
    errors: list[ArticleError] = []
    inside: list[Path] = []
    try:
        if stat.S_ISDIR(_mode(path)):
            inside = list(_inside(path, errors.append))
        elif path.suffix.lower() in READERS:
            return [path]
        else:
            errors.append(ArticleError(path, 1, f"'{path.suffix}' cannot be read; use one of {known}."))
    except ArticleError as error:
        errors.append(error)
    files = sorted(file for file in inside if file.suffix.lower() in READERS and file.name.lower() not in _NO_ARTICLES)
    if not files and not errors:
        what = f"{len(inside)} files, but none is an article" if inside else "no files"
        errors.append(ArticleError(path, 1, f"The folder holds {what}; put {known} in it."))
    for told in errors:
        on_error(told)
    return files


def _mode(path: Path) -> int:
    """Whether it is a folder or a file, and an error when it is neither."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ArticleError(path, 1, "There is no such file or folder.") from error
    except OSError as error:
        raise ArticleError(path, 1, f"It cannot be opened: {error.strerror}.") from error
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise ArticleError(path, 1, "This is neither a file nor a folder.")
    return mode


def _inside(top: Path, on_error: Callable[[ArticleError], None]) -> Iterator[Path]:
    """Every file below a folder that is not hidden; each folder once, however many links lead to it."""
    waiting, seen = deque([top]), set()
    while waiting:
        folder = waiting.popleft()
        try:
            about = folder.stat()
            if (about.st_dev, about.st_ino) in seen:
                continue
            seen.add((about.st_dev, about.st_ino))
            entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
        except OSError as error:
            on_error(ArticleError(folder, 1, f"The folder cannot be read: {error.strerror}."))
            continue
        for entry in entries:
            try:
                mode = entry.stat().st_mode
            except OSError as error:
                if sentence := _lost(entry, error):
                    on_error(ArticleError(entry, 1, sentence))
                continue
            if stat.S_ISREG(mode):
                yield entry
            elif stat.S_ISDIR(mode):
                # Links come last: what is really here keeps the path, and so the language, of its own.
                (waiting.append if entry.is_symlink() else waiting.appendleft)(entry)


def _lost(entry: Path, error: OSError) -> str:
    """Why what might have been an article, or a folder of them, cannot be reached; empty for other files."""
    if entry.suffix and entry.suffix.lower() not in READERS:
        return ""
    if isinstance(error, FileNotFoundError):
        return "The link leads nowhere; mend it or take it away."
    return f"It cannot be opened: {error.strerror}."


def _folder_language(path: Path) -> Language | None:
    """The nearest folder called nl or en says what the articles in it are written in."""
    return next((known for part in reversed(path.parent.parts) for known in get_args(Language) if part == known), None)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ArticleError(path, 1, f"The file is over {MOST_BYTES // 1_000_000} MB; split it up.")
        return path.read_bytes()
    except OSError as error:
        raise ArticleError(path, 1, f"The file cannot be opened: {error.strerror}.") from error


def _text(path: Path) -> str:
    content = _bytes(path)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        sentence = f"Byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8 (in Excel: CSV UTF-8)."
        raise ArticleError(path, line, sentence) from error


def _markdown(text: str, path: Path) -> Iterator[Draft]:
    yield draft_of(text, path)


# --- tables

_LISTS = {
    "aliases": r"[|;\n]",
    "signals": r"[|;\n]",
    "unlike": r"[|;\n]",
    "moments": r"[|;,\s]",
    "audience": r"[|;,\n]",
}


def _csv(text: str, path: Path) -> Iterator[Draft]:
    text = text.removeprefix("\ufeff")
    header = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=header.count))
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        if missing := {"title", "text"} - {*names}:
            sentence = f"There is no column '{min(missing)}'; the first row must name at least title and text."
            raise ArticleError(path, 1, sentence)
        start = rows.line_num + 1
        for number, row in enumerate(rows, 1):
            if any(cell.strip() for cell in row):
                yield _row(names, row, path, start, number)
            start = rows.line_num + 1
    except csv.Error as error:
        raise ArticleError(path, rows.line_num, f"The table cannot be read here: {error}.") from error


def _row(names: list[str], row: list[str], path: Path, line: int, number: int) -> Draft:
    if len(row) > len(names):
        raise ArticleError(path, line, f"The row has {len(row)} cells for {len(names)} columns; quote its text.")
    values: dict[str, object] = {name: cell for name, cell in zip(names, row, strict=False) if cell.strip()}
    for name, separator in _LISTS.items():
        if name in values:
            parts = re.split(separator, str(values[name]))
            values[name] = [part.strip() for part in parts if part.strip()]
    return _draft(values, path, line, number)


def _jsonl(text: str, path: Path) -> Iterator[Draft]:
    number = 0
    for line, row in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not row.strip():
            continue
        number += 1
        try:
            values = json.loads(row, parse_int=str, parse_float=str)
        except (ValueError, RecursionError) as error:
            raise ArticleError(path, line, f"This line is not JSON: {error}.") from error
        if not isinstance(values, dict) or not isinstance(values.get("text"), str):
            raise ArticleError(path, line, 'Each line must be an object such as {"title": "…", "text": "…"}.')
        yield _draft(values, path, line, number)


def _draft(values: dict[str, object], path: Path, line: int, number: int) -> Draft:
    values["id"] = values.get("id") or f"{path.stem}-{number}"
    values["language"] = values.get("language") or values.get("lang")
    return Draft(values, str(values.get("text", "")), line=line)


# --- pages

_NOT_READ = ["script", "style", "nav", "footer", "noscript", "template", "title"]


def _html(text: str, path: Path) -> Iterator[Draft]:
    from bs4 import BeautifulSoup
    from markdownify import ATX, MarkdownConverter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bs4 remarks on XHTML and on text without tags; both are read well enough
        page = BeautifulSoup(text, "html.parser")
    name = page.title or page.h1
    values: dict[str, object] = {"title": name.get_text(" ", strip=True) if name else None}
    spoken = str(page.html.get("lang", ""))[:2].lower() if page.html else ""
    if spoken in get_args(Language):
        values["language"] = spoken
    for tag in page(_NOT_READ):
        tag.decompose()
    try:
        body = MarkdownConverter(heading_style=ATX, bullets="-").convert_soup(page)
    except RecursionError:
        raise ArticleError(path, 1, "The page is nested too deep; save a simpler one.") from None
    yield Draft(values, body.strip() + "\n")


# --- office documents


def _office(path: Path) -> Iterator[Draft]:
    """A Word document or a PDF as one article. A line that is one of our headings is one, however it is formatted."""
    content = _bytes(path)
    try:
        from markitdown import StreamInfo
        from markitdown.converters import DocxConverter, PdfConverter
    except ImportError:
        sentence = "Word and PDF need the extra `office`: pip install -c constraints.txt -e '.[office]'."
        raise ArticleError(path, 1, sentence) from None
    try:
        # Asked by itself, markitdown takes what it cannot read for plain text.
        converter = PdfConverter() if path.suffix.lower() == ".pdf" else DocxConverter()  # type: ignore[no-untyped-call]
        read_in = converter.convert(io.BytesIO(content), StreamInfo(extension=path.suffix.lower()))
    except Exception as error:  # whatever somebody else's document provokes
        sentence = "The document cannot be read; open it, save it anew without a password, and try again."
        raise ArticleError(path, 1, sentence) from error
    rows = [_HALF.sub("\ufffd", row.rstrip()).replace("\x0c", "") for row in read_in.markdown.splitlines()]
    body = "\n".join(f"\n## {row.strip(' #*_:')}" if kind_of(row.lstrip("# ")) else row for row in rows).strip()
    if body:
        titled = next((row.strip("# *_") for row in rows if row.startswith("#") and not kind_of(row.lstrip("# "))), "")
        yield Draft({"title": titled or path.stem}, body + "\n")


OFFICE = (".docx", ".pdf")
_OF_TEXT: dict[str, Callable[[str, Path], Iterator[Draft]]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".html": _html,
    ".htm": _html,
}
_NO_ARTICLES = {"readme.md", GLOSSARY}
READERS = (*_OF_TEXT, *OFFICE)
