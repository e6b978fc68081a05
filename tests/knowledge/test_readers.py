import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from made_up import articles

from knowledge.article import Change, Kind
from knowledge.errors import ArticleError
from knowledge.markdown import dump
from knowledge.moment import Moment
from knowledge.readers import MOST_BYTES, READERS, read


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder, so that paths in sentences are short."""
    monkeypatch.chdir(tmp_path)
    return Path()


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def found_in(path, **options):
    return [found.article for found in read(path, **options)]


def mistake(path, **options) -> str:
    with pytest.raises(ArticleError) as caught:
        list(read(path, **options))
    return str(caught.value)


# --- Markdown and folders


def test_a_markdown_file_comes_back_byte_for_byte(folder):
    text = "\ufeff---\r\nid: x\r\n---\r\n## Stappen\r\n1. Bel.\r\n\r\n"
    (found,) = found_in(put(folder / "x.md", text))
    assert dump(found) == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(articles)
def test_any_article_can_be_kept_in_a_file(tmp_path, made):
    (found,) = found_in(put(tmp_path / "x.md", dump(replace(made, topic="klachten", title="Titel"))))
    assert replace(found, front="") == replace(made, topic="klachten", title="Titel")


def test_a_folder_is_read_with_all_that_is_under_it_in_order(folder):
    for name in ("nl/b.md", "nl/a.markdown", "en/klachten/c.MD", "d.md"):
        put(folder / "kennis" / name, "tekst")
    ids = [found.article.id for found in read(folder / "kennis")]
    assert ids == ["nl/d", "en/c", "nl/a", "nl/b"]


def test_hidden_files_and_the_readme_are_no_articles(folder):
    for name in ("a.md", ".b.md", ".git/c.md", "README.md", "nl/readme.md", "foto.png"):
        put(folder / "kennis" / name, "tekst")
    assert [found.path.name for found in read(folder / "kennis")] == ["a.md"]


@pytest.mark.parametrize(
    ("name", "text", "hint", "expected"),
    [
        ("nl/a.md", "tekst", None, ("nl/a", "nl")),
        ("en/deep/a.md", "tekst", None, ("en/a", "en")),
        ("a.md", "tekst", None, ("nl/a", "nl")),
        ("a.md", "tekst", "en", ("en/a", "en")),
        ("nl/a.md", "tekst", "en", ("en/a", "en")),
        ("nl/a.md", "---\nlanguage: en\n---\n", None, ("en/a", "en")),
        ("nl/a.md", "---\nid: b\n---\n", None, ("b", "nl")),
    ],
)
def test_an_article_says_its_language_or_else_the_reader_or_else_the_folder(folder, name, text, hint, expected):
    (found,) = found_in(put(folder / name, text), language=hint)
    assert (found.id, found.language) == expected


# --- CSV


def test_excel_in_dutch_is_read(folder):
    text = (
        "\ufeffTitle;Text;id;moments;aliases;verified\r\n"
        'Goedmaken;"## Stappen\r\n1. Bel; of mail.";geld;apply, more;Coulance|Tegoed;2026-10-05\r\n'
        ";;;;;\r\n"
        "Boos;Luister.;;;;\r\n"
    )
    one, two = read(put(folder / "uit-excel.csv", text))
    assert one.article.section(Kind.STEPS).text == "1. Bel; of mail."
    assert (one.article.id, one.article.moments) == ("geld", (Moment.APPLY, Moment.MORE))
    assert (one.article.aliases, one.article.verified) == (("Coulance", "Tegoed"), date(2026, 10, 5))
    assert (two.article.id, two.article.title, two.line) == ("uit-excel-3", "Boos", 5)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_seen_from_the_first_row(folder, delimiter):
    text = f"title{delimiter}text\nGoedmaken{delimiter}Dat mag.\n"
    (found,) = found_in(put(folder / "a.csv", text))
    assert (found.title, found.body) == ("Goedmaken", "Dat mag.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("titel,text\na,b\n", "a.csv:1: There is no column 'title'"),
        ("", "a.csv:1: There is no column 'text'"),
        ("title,text\na,b\na,b,c\n", "a.csv:3: The row has 3 cells for 2 columns"),
        ("title,text,moments\na,b,aply\n", "a.csv:2: `moments` should be"),
        ("title,text\na," + "x" * 200_000, "a.csv:2: The table cannot be read here"),
    ],
)
def test_a_table_that_is_wrong_is_told_with_its_line(folder, text, words):
    assert mistake(put(folder / "a.csv", text)).startswith(words)


# --- JSON lines


def test_json_lines_are_read_with_all_their_fields(folder):
    row = {
        "id": 12,
        "title": "Goedmaken",
        "text": "## In het kort\nJa.\u2028",
        "lang": "en",
        "verify_every": 90,
        "critical": True,
        "owner": None,
        "moments": ["apply"],
        "changes": [{"since": "2026-09-01", "new": "tot € 75", "old": None}],
        "score": 0.5,
    }
    (found,) = found_in(put(folder / "a.jsonl", json.dumps(row, ensure_ascii=False) + "\n\n"))
    assert (found.id, found.language, found.verify_every, found.critical) == ("12", "en", 90, True)
    assert found.changes == (Change(datetime(2026, 8, 31, 22, tzinfo=UTC), "tot € 75"),)
    assert found.section(Kind.VERDICT).text == "Ja.\u2028"


def test_a_corpus_may_leave_out_id_and_title(folder):
    one, two = read(put(folder / "vragen.jsonl", '{"text": "een"}\n\n{"text": "twee", "title": "", "id": null}\n'))
    assert (one.article.id, one.article.title, one.line) == ("vragen-1", "", 1)
    assert (two.article.id, two.article.title, two.line) == ("vragen-2", "", 3)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"text": ', "a.jsonl:2: This line is not JSON"),
        ('["text"]', "a.jsonl:2: Each line must be an object"),
        ('{"title": "x"}', "a.jsonl:2: Each line must be an object"),
        ('{"text": "x", "title": ["x"]}', "a.jsonl:2: `title` should be a valid string"),
        ('{"text": "x", "lang": "de"}', "a.jsonl:2: `language` should be 'nl' or 'en'"),
    ],
)
def test_a_line_that_is_wrong_is_told(folder, line, words):
    assert mistake(put(folder / "a.jsonl", '{"text": "goed"}\n' + line)).startswith(words)


# --- HTML


def test_a_page_becomes_markdown_without_what_is_around_it(folder):
    page = """<!doctype html><html lang="en-GB"><head><title>Goodwill</title><style>p {}</style></head><body>
    <nav>Home</nav><h1>Goodwill &amp; co</h1><h2>Steps</h2><ol><li>Call.</li><li>Say <b>sorry</b>.</li></ol>
    <script>alert(1)</script><table><tr><th>a</th></tr><tr><td>b</td></tr></table></body></html>"""
    (found,) = found_in(put(folder / "goodwill.html", page))
    assert (found.id, found.title, found.language) == ("en/goodwill", "Goodwill", "en")
    assert found.section(Kind.STEPS).text.startswith("\n1. Call.\n2. Say **sorry**.\n")
    assert not any(word in found.body for word in ("alert", "Home", "p {}"))
    assert "| b |" in found.body


def test_a_page_without_a_title_is_named_after_its_first_heading(folder):
    (found,) = found_in(put(folder / "nl" / "a.htm", '<?xml version="1.0"?><h1>Goed <i>maken</i></h1><p>Ja.'))
    assert (found.id, found.title) == ("nl/a", "Goed maken")


def test_a_page_that_is_nested_too_deep_is_refused(folder):
    assert "nested too deep" in mistake(put(folder / "a.html", "<div>" * 5000 + "tekst"))


# --- what cannot be read


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.odt", "x", "a.odt:1: '.odt' cannot be read; use one of .md, "),
        ("a.md", b"goed\n\xe9\xe9n", "a.md:2: Byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("a.jsonl", b" " * (MOST_BYTES + 1), "a.jsonl:1: The file is over 20 MB; split it up."),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_the_way_out(folder, name, content, words):
    assert mistake(put(folder / name, content)).startswith(words)


def test_a_path_that_is_not_there_is_told(folder):
    assert mistake(folder / "weg.md") == "weg.md:1: There is no such file or folder."


def test_a_folder_without_articles_is_told(folder):
    (folder / "leeg").mkdir()
    put(folder / "fotos" / "a.png", "x")
    assert "The folder holds no files; put .md, " in mistake(folder / "leeg")
    assert "The folder holds 1 files, but none is an article" in mistake(folder / "fotos")


def test_the_same_id_twice_names_both_places(folder):
    put(folder / "kennis" / "a.md", "---\nid: x\n---\n")
    put(folder / "kennis" / "b.jsonl", '\n{"id": "x", "text": "y"}')
    assert mistake(folder / "kennis").startswith(
        "kennis/b.jsonl:2: The id 'x' is already taken by kennis/a.md:1; give one of them another id."
    )


def test_whoever_takes_the_errors_gets_the_rest(folder):
    put(folder / "kennis" / "a.md", "---\nid: [\n---\n")
    put(folder / "kennis" / "b.jsonl", '{"text": "een"}\n{"text": "twee", "status": "?"}\n{"text": "drie"}\n')
    put(folder / "kennis" / "c.md", b"\xff")
    errors: list[ArticleError] = []
    found = found_in(folder / "kennis", on_error=errors.append)
    assert [made.body for made in found] == ["een", "drie"]
    assert [(error.path.name, error.line) for error in errors] == [("a.md", 3), ("b.jsonl", 2), ("c.md", 1)]


def test_every_kind_of_file_has_a_reader():
    assert set(READERS) == {".md", ".markdown", ".csv", ".jsonl", ".html", ".htm", ".docx", ".pdf"}


# --- nothing is passed over in silence


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", "title,text\n"), ("a.csv", "title,text\n,\n"), ("a.jsonl", ""), ("a.jsonl", "\n \n")]
)
def test_a_file_that_holds_no_article_is_told(folder, name, text):
    assert mistake(put(folder / name, text)).startswith(f"{name}:1: The file holds no article;")


def test_a_file_whose_only_line_is_wrong_is_told_once(folder):
    errors: list[ArticleError] = []
    assert found_in(put(folder / "a.jsonl", "{"), on_error=errors.append) == []
    assert len(errors) == 1


def test_a_folder_that_may_not_be_read_is_told_and_the_rest_is_read(folder, monkeypatch):
    put(folder / "kennis" / "a.md", "tekst")
    put(folder / "kennis" / "dicht" / "b.md", "tekst")
    listed = Path.iterdir

    def iterdir(path):
        if path.name == "dicht":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    errors: list[ArticleError] = []
    assert [made.id for made in found_in(folder / "kennis", on_error=errors.append)] == ["nl/a"]
    assert [str(error) for error in errors] == ["kennis/dicht:1: The folder cannot be read: Permission denied."]


def test_a_folder_that_is_closed_altogether_is_not_called_empty(folder, monkeypatch):
    (folder / "dicht").mkdir()

    def iterdir(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", iterdir)
    errors: list[ArticleError] = []
    assert found_in(folder / "dicht", on_error=errors.append) == []
    assert len(errors) == 1


def test_a_linked_folder_is_read_once_and_a_loop_ends(folder):
    put(folder / "elders" / "b.md", "tekst")
    put(folder / "kennis" / "en" / "a.md", "tekst")
    for name, target in {"1": "../elders", "2": "../elders", "en/loop": "../../kennis", "aa": "en"}.items():
        (folder / "kennis" / name).symlink_to(target, target_is_directory=True)
    assert [found.article.id for found in read(folder / "kennis")] == ["nl/b", "en/a"]


@pytest.mark.parametrize("name", ["weg.md", "weg"])
def test_a_link_that_leads_nowhere_is_told(folder, name):
    put(folder / "kennis" / "a.md", "tekst")
    (folder / "kennis" / name).symlink_to("nergens")
    assert mistake(folder / "kennis") == f"kennis/{name}:1: The link leads nowhere; mend it or take it away."


def test_a_name_that_is_too_long_is_told(folder):
    assert "cannot be opened: File name too long." in mistake(folder / ("x" * 300))


def test_a_path_below_a_closed_folder_is_told(folder, monkeypatch):
    def closed(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", closed)
    assert mistake(folder / "a.md") == "a.md:1: It cannot be opened: Permission denied."


def test_what_is_neither_file_nor_folder_is_told(folder):
    os.mkfifo(folder / "a.md")
    assert mistake(folder / "a.md") == "a.md:1: This is neither a file nor a folder."


def test_an_id_that_no_store_can_keep_is_refused(folder):
    path = put(folder / "a.jsonl", '{"id": "x\\ud800", "text": "y"}')
    assert "The id holds half a character" in mistake(path)
