"""Word documents and PDFs as articles: their headings are ours, and what cannot be read stops nothing else."""

import io
import sys
import zipfile

import pytest

from knowledge.article import Kind
from knowledge.errors import ArticleError
from knowledge.readers import read

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
    "</Relationships>"
)


def docx(*paragraphs):
    """A Word document of (style, text)."""
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'
        for style, text in paragraphs
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("[Content_Types].xml", TYPES)
        file.writestr("_rels/.rels", RELATIONS)
        file.writestr("word/document.xml", f'<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>')
    return made.getvalue()


def pdf(*lines):
    """A PDF of one page with these lines."""
    said = "".join(f"({line}) Tj 0 -20 Td " for line in lines)
    stream = f"BT /F1 12 Tf 72 720 Td {said}ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    made, places = "%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start = len(made)
    made += f"xref\n0 6\n0000000000 65535 f \n{table}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{start}\n%%EOF"
    return made.encode()


def test_a_word_document_becomes_an_article_with_our_sections(tmp_path):
    path = tmp_path / "verhuizen.docx"
    path.write_bytes(
        docx(
            ("Heading1", "Verhuizing doorgeven"),
            ("Heading2", "Stappen"),
            ("Normal", "Vraag de postcode."),
            ("Normal", "Zo zeg je het"),
            ("Normal", "Ik zet het klaar."),
        )
    )
    [found] = read(path)
    assert found.article.title == "Verhuizing doorgeven"
    assert "Vraag de postcode." in found.article.section(Kind.STEPS).text
    assert "Ik zet het klaar." in found.article.section(Kind.SAY).text


def test_a_pdf_becomes_an_article_with_our_sections(tmp_path):
    path = tmp_path / "gas.pdf"
    path.write_bytes(pdf("Klant ruikt gas", "Stappen", "Ga naar buiten.", "Zo zeg je het", "Ik blijf aan de lijn."))
    [found] = read(path)
    assert found.article.title == "gas"
    assert "Ga naar buiten." in found.article.section(Kind.STEPS).text
    assert "Ik blijf aan de lijn." in found.article.section(Kind.SAY).text


@pytest.mark.parametrize("name", ["stuk.docx", "stuk.pdf"])
def test_a_broken_document_is_named_and_stops_nothing_else(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK\x03\x04 this is nothing")
    (tmp_path / "heel.docx").write_bytes(docx(("Heading1", "Heel"), ("Normal", "Tekst.")))
    errors = []
    assert [found.article.title for found in read(tmp_path, on_error=errors.append)] == ["Heel"]
    assert [error.path.name for error in errors] == [name]


def test_an_empty_document_holds_no_article(tmp_path):
    (tmp_path / "leeg.docx").write_bytes(docx())
    with pytest.raises(ArticleError, match="holds no article"):
        list(read(tmp_path / "leeg.docx"))


def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "markitdown", None)
    (tmp_path / "a.docx").write_bytes(docx(("Normal", "Tekst.")))
    with pytest.raises(ArticleError, match="office"):
        list(read(tmp_path / "a.docx"))
