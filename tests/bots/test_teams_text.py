import made_up
from hypothesis import given
from markdown_it import MarkdownIt

from bots import teams_text


@given(made_up.bodies)
def test_whatever_is_written_teams_shows_the_same_words(body):
    reader = MarkdownIt("js-default")
    for group in teams_text._read(body):
        for element in teams_text._elements([group[:20]]):
            if element["type"] != "TextBlock":
                continue
            meant = "".join(run.text for line in group[:20] for run in line.runs)
            read = "".join(_words(token) for token in reader.parse(element["text"]))
            assert _squeezed(read) == _squeezed(meant)


def _words(token):
    return "".join(map(_words, token.children)) if token.children else token.content


def _squeezed(text):
    return "".join(text.replace("•", "").split())
