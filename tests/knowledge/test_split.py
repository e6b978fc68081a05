import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from made_up import article, articles, bodies

from knowledge.article import Article, Kind, Section
from knowledge.split import PASSAGE_WORDS, WHOLE_CHARACTERS, passages, whole

# Sentences and lines as they come out of a mail, a web page or Word.
plain = st.lists(
    st.one_of(
        st.sampled_from(["\n", "Kop zonder punt\n", "- los punt\n", "1. stap\n", "Vraag: ", "12 keer, ", "• bol\n"]),
        st.lists(st.sampled_from(["woord", "Zin.", "En!", "(Of)", '"Ja?"']), max_size=70).map(" ".join),
        st.text(st.characters(exclude_characters="#"), max_size=20),
    ),
    max_size=10,
).map("".join)


def unmarked(text: str, **fields: object) -> Article:
    return replace(article(title="", **fields), sections=(Section(None, "", text),))


def texts(made):
    return [passage.text for passage in passages(made)]


# --- the study's splitter (q.py), as it was measured; it leaves a sentence of more than sixty words whole

SENT = re.compile(r'(?<=[.!?])\s+(?=[A-ZÀ-Ý0-9"‘“(\-])')


def is_head(p):
    return (
        len(p.split()) <= 12
        and not re.search(r"[.!?;:,]$", p)
        and not p.startswith(("-", "*", "•"))
        and not re.match(r"\d+[.)]", p)
    )


def study(text, n=60):
    segs = []
    for p in (p.strip() for p in re.split(r"\n+", text) if p.strip()):
        if len(p.split()) <= n:
            segs.append((p, is_head(p)))
        else:
            segs += [(s, False) for s in SENT.split(p)]
    out, cur, cw = [], [], 0
    for s, h in segs:
        w = len(s.split())
        if cur and (cw + w > n or (h and cw >= n / 3)):
            out.append("\n".join(cur))
            cur, cw = [], 0
        cur.append(s)
        cw += w
    return [*out, "\n".join(cur)] if cur else out


@given(plain.map(lambda text: text.replace("\r", " ")))
def test_plain_text_is_split_as_in_the_study(text):
    expected = study(text)
    if all(len(piece.split()) <= PASSAGE_WORDS for piece in expected):
        assert texts(unmarked(text)) == expected


@given(articles)
def test_a_passage_has_at_most_sixty_words_and_at_least_one(made):
    assert all(0 < len(text.split()) <= PASSAGE_WORDS for text in texts(made))


@given(articles)
def test_every_word_stands_in_a_passage_in_its_order(made):
    read = [made.title, *made.aliases]
    for section in made.sections:
        if section.kind is not Kind.IDENTIFY:
            read += [section.text] if section.kind else [section.title, section.text]
    assert " ".join(texts(made)).split() == " ".join(read).split()


@given(plain)
def test_splitting_what_was_split_changes_nothing(text):
    for piece in texts(unmarked(text)):
        assert "\n".join(texts(unmarked(piece))).split() == piece.split()


def test_title_and_aliases_are_passages_of_their_own():
    made = article("Dat mag.\n", title="Goedmaken", aliases=("Coulance", " ", "Tegoed geven"))
    assert texts(made) == ["Goedmaken", "Coulance", "Tegoed geven", "Dat mag."]
    assert {passage.article_id for passage in passages(made)} == {"goedmaken"}


def test_a_heading_opens_a_passage_once_there_is_enough_before_it():
    short, long = "Vijf woorden staan hier nu.\n", "Dit zijn precies zeven woorden bij elkaar.\n" * 3
    assert texts(unmarked(short + "Een kop\n" + short)) == [(short + "Een kop\n" + short).strip()]
    assert texts(unmarked(long + "Een kop\n" + short)) == [long.strip(), "Een kop\n" + short.strip()]


def test_markdown_headings_count_however_long_and_lose_their_marks():
    before = "Dit zijn precies zeven woorden bij elkaar.\n" * 3
    made = article(before + "## Hoe gaat het verder, als het niet kan?\nAnders.\n", title="")
    assert texts(made) == [before.strip(), "Hoe gaat het verder, als het niet kan?\nAnders."]


def test_a_sentence_of_more_than_sixty_words_is_cut_at_words():
    assert [len(text.split()) for text in texts(unmarked("woord " * 130))] == [60, 60, 10]


def test_an_article_without_words_has_no_passages():
    assert passages(article("\n\n", title="")) == ()


@given(articles, bodies)
def test_the_whole_is_title_and_body_up_to_what_a_model_reads(made, body):
    text = whole(made)
    assert len(text) <= WHOLE_CHARACTERS
    assert text.startswith(made.title[:WHOLE_CHARACTERS])
    assert whole(unmarked(body)) == body[:WHOLE_CHARACTERS]
