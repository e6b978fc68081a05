import asyncio
import logging
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from conftest import article, make_desk
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bots import web
from core.desk import MAX_QUESTION
from core.model import Answer, Card, Feedback, Outcome, Question, Suggestion
from core.store import Identity
from core.words import say, words
from knowledge.article import Kind
from knowledge.moment import Moment
from knowledge.shape import Part

EVIL = "<script>alert(1)</script>"
FETCH = {"X-Requested-With": "fetch"}
STATIC = Path(web.__file__).parent / "static"

GOEDMAKEN = """---
id: goedmaken
title: Goedmaken met een tegoed
topic: klachten
url: https://kennis.example/goedmaken
training: https://academie.example/klachten
changes:
  - since: 2026-10-01
    new: medewerker tot € 75
    old: € 25
---
## In het kort
Ja: tot € 75.

## Stappen
1. Los het probleem op.
2. Kies een bedrag.

## Zo zeg je het
- "Ik zet vandaag nog € 40 tegoed voor u klaar."
- Kievit Go (je): "Je krijgt *vandaag* € 40."

## Als het misgaat
1. Kompas hangt: bel de helpdesk.

## Achtergrond
| Wat | Bedrag |
|---|--:|
| Wachten | € 15 |
"""
GOEDMAKEN_EN = """---
id: goedmaken-en
title: Making up with a credit
language: en
topic: complaints
translation_of: goedmaken
---
## In short
Yes: up to € 75.
"""
GAS = """---
id: veilig/gas & co
title: Klant ruikt gas
topic: veiligheid
critical: true
---
## In het kort
Iedereen naar buiten.
"""
CARD = Card(
    "goedmaken",
    1,
    "Goedmaken met een tegoed",
    "nl",
    "klachten",
    critical=False,
    first=(
        Part(Kind.IDENTIFY, "Identificeren", "Licht: naam en postcode."),
        Part(Kind.VERDICT, "In het kort", "Ja: tot € 75."),
        Part(Kind.STEPS, "Stappen", "1. Los het op.\n2. Kies een bedrag.", "Nog 2 stappen onder Meer."),
        Part(Kind.SAY, "Zo zeg je het", '"Dat maak ik *graag* goed."'),
    ),
    more=(
        Part(Kind.EXCEPTIONS, "Uitzonderingen", "- Schade: zet door."),
        Part(Kind.WRITE, "Zo schrijf je het", '- "Excuses."'),
    ),
    notes=("Dit geldt alleen voor zon.",),
    changed="Let op: sinds 1 september is dit € 75.",
    source="Gecontroleerd op 5 oktober 2026",
    training="https://academie.example/x",
    url="https://kennis.example/x",
)
ANSWER = Answer(
    "a1",
    Outcome.ANSWERED,
    "nl",
    "mag ik 60 eu goedmaken",
    moment=Moment.APPLY,
    card=CARD,
    alternatives=(Suggestion("klacht", "Klacht aannemen", "nl"), Suggestion("move/en", "Report a move", "en")),
)
BARE = replace(ANSWER, card=None, moment=None, alternatives=())


@pytest.fixture
def desk(store):
    return make_desk(store, tuple(article(text) for text in (GOEDMAKEN, GOEDMAKEN_EN, GAS)))


@pytest.fixture
async def client(desk):
    async with TestClient(TestServer(web.make_app(desk))) as opened:
        yield opened


class Seen(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text.append(data)

    def values(self, wanted):
        return [value for _, name, value in self.attributes if name == wanted]

    @property
    def words(self):
        return " ".join("".join(self.text).split())


def fragment(answer, **values):
    return web._template("entry.html").render({"answer": answer, "draft": "", "kept": True, **values})


async def asked(client, text, **fields):
    response = await client.post("/ask", data={"q": text, "lang": "nl", **fields}, headers=FETCH)
    return await response.text()


async def answer_id(client, text="goedmaken met een tegoed"):
    return re.search(r'id="a-(\w+)"', await asked(client, text))[1]


# -- what an answer looks like -------------------------------------------------------------------------------------
def test_a_card_shows_everything_there_is_to_know():
    seen = Seen(fragment(replace(ANSWER, warnings=("Er staan klantgegevens in je bericht.",))))
    for part in (
        "Er staan klantgegevens in je bericht.",
        "✅ Toepassen · zo doe je het",
        CARD.title,
        *CARD.notes,
        CARD.changed,
        "Nog 2 stappen onder Meer.",
        "Licht: naam en postcode.",
        "Ja: tot € 75.",
        "Kies een bedrag.",
        "Zo zeg je het",
        "Uitzonderingen",
        "Schade: zet door.",
        CARD.source,
        "Klacht aannemen",
    ):
        assert part in seen.words
    assert {CARD.url, CARD.training, "/article/goedmaken"} <= set(seen.values("href"))


def test_the_verdict_leads_and_not_who_the_customer_must_prove_to_be():
    html = fragment(ANSWER)
    assert 'class="part verdict lead"' in html
    assert html.count(" lead") == 1


@pytest.mark.parametrize("moment", Moment)
def test_a_moment_is_told_in_a_word_and_not_by_colour_alone(moment):
    assert say(f"moment.{moment}", "en") in Seen(fragment(replace(ANSWER, language="en", moment=moment))).words


def test_danger_is_told_in_words():
    html = fragment(replace(ANSWER, card=replace(CARD, critical=True)))
    assert "Veiligheid eerst" in Seen(html).words
    assert "Veiligheid eerst" not in Seen(fragment(ANSWER)).words


def test_likely_titles_come_above_the_card_and_others_below():
    likely = fragment(replace(ANSWER, outcome=Outcome.SUGGESTIONS, message="Is het een van deze?"))
    assert likely.index("Is het een van deze?") < likely.index("Klacht aannemen") < likely.index('class="card')
    html = fragment(ANSWER)
    assert html.index('class="card') < html.index("Bedoel je misschien") < html.index("Klacht aannemen")


def test_a_title_in_another_language_says_so():
    assert 'href="/article/move/en?moment=apply" lang="en"' in fragment(ANSWER)


def test_the_cards_own_text_is_in_its_own_language():
    html = fragment(replace(ANSWER, language="en"))
    assert '<section class="entry" id="a-a1" lang="en"' in html
    assert '<div class="parts" lang="nl">' in html


def test_a_refusal_has_the_nearest_titles_and_a_sentence_to_copy():
    bridge = 'Zeg bijvoorbeeld: "Ik bel u terug."'
    refused = replace(
        ANSWER, outcome=Outcome.UNANSWERED, card=None, moment=None, message="Dit weet ik niet.", bridge=bridge
    )
    seen = Seen(fragment(refused))
    assert "Dit weet ik niet." in seen.words
    order = ["Dit weet ik niet.", bridge, say("answer.danger", "nl"), say("head.nearest", "nl"), "Klacht aannemen"]
    places = [seen.words.index(sentence) for sentence in order]
    assert places == sorted(places)
    assert seen.values("data-copy") == ["Ik bel u terug."]
    assert "Klopt niet" not in seen.words


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("kept", [True, False])
def test_every_outcome_has_something_to_read(outcome, kept):
    assert "Een zin" in Seen(fragment(replace(BARE, outcome=outcome, message="Een zin"), kept=kept)).words


def test_help_offers_examples_to_tap():
    seen = Seen(fragment(replace(BARE, outcome=Outcome.HELP, question="")))
    assert set(words("nl")["help.examples"].split("|")) <= set(seen.values("value"))


# -- nothing that was written can do anything ------------------------------------------------------------------------
TAGS = set(
    "section h2 h3 h4 h5 h6 p div span em strong a blockquote button details summary form input ul ol li code pre br "
    "hr table thead tbody tr th td".split()
)
anything = st.text(max_size=30) | st.sampled_from(
    [
        EVIL,
        '"><script>',
        "' onclick='x",
        "<img src=x onerror=alert(1)>",
        "![x](http://x.example/y.png)",
        "[x](javascript:alert(1))",
        "[x]()",
        "<javascript:alert(1)>",
        "|a|b|\n|:-|-:|\n|1|2|",
        "# kop\n\n- a\n\n```js x\n</code><script>\n```",
    ]
)
parts = st.lists(st.builds(Part, st.none() | st.sampled_from(Kind), anything, anything, anything), max_size=4).map(
    tuple
)
cards = st.builds(
    Card,
    article_id=anything,
    version=st.just(1),
    title=anything,
    language=st.sampled_from(["nl", "en"]),
    topic=anything,
    critical=st.booleans(),
    first=parts,
    more=parts,
    notes=st.tuples(anything),
    changed=anything,
    source=anything,
    training=anything,
    url=anything,
)
answers = st.builds(
    Answer,
    id=anything,
    outcome=st.sampled_from(Outcome),
    language=st.sampled_from(["nl", "en"]),
    question=anything,
    message=anything,
    bridge=anything,
    moment=st.none() | st.sampled_from(Moment),
    card=st.none() | cards,
    alternatives=st.tuples(st.builds(Suggestion, anything, anything, st.sampled_from(["nl", "en"]))),
    warnings=st.tuples(anything),
)


@given(answers, st.booleans())
def test_no_text_becomes_a_script_a_handler_a_style_or_a_stray_address(answer, kept):
    html = fragment(answer, kept=kept)
    assert "<script" not in html.lower()
    seen = Seen(html)
    assert set(seen.tags) <= TAGS
    for _, name, value in seen.attributes:
        assert not name.startswith("on")
        assert name not in {"style", "src", "srcdoc", "formaction"}
        if name == "href":
            assert re.match(r"/article/|https?:|mailto:|tel:", value, re.IGNORECASE)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//x.example", "x"])
def test_a_source_that_is_no_web_page_is_no_link(url):
    assert url not in Seen(fragment(replace(ANSWER, card=replace(CARD, url=url, training=url)))).values("href")


async def test_a_script_in_an_article_is_shown_and_not_run(store):
    written = f"---\nid: x\ntitle: '{EVIL}'\ntopic: '{EVIL}'\n---\n## {EVIL}\n{EVIL}\n"
    async with TestClient(TestServer(web.make_app(make_desk(store, (article(written),))))) as client:
        for path in ("/", "/topics", "/article/x", "/article/x?moment=apply"):
            html = await (await client.get(path)).text()
            assert EVIL not in html
            assert path == "/" or "&lt;script&gt;" in html


async def test_a_script_in_a_question_is_shown_and_not_run(client):
    response = await client.post("/ask", data={"q": f"goedmaken {EVIL}"})
    html = await response.text()
    assert EVIL not in html
    assert "&lt;script&gt;" in html


# -- asking ----------------------------------------------------------------------------------------------------------
async def test_the_first_page_has_a_box_examples_and_what_has_changed(client):
    seen = Seen(await (await client.get("/")).text())
    assert "textarea" in seen.tags
    assert set(say("help.examples", "nl").split("|")) <= set(seen.values("value"))
    assert "medewerker tot € 75" in seen.words
    assert "sinds 1 oktober 2026" in seen.words


async def test_without_javascript_an_answer_is_a_whole_page(client):
    response = await client.post("/ask", data={"q": "goedmaken met een tegoed"})
    html = await response.text()
    assert response.status == 200
    assert html.startswith("<!doctype html>")
    assert "goedmaken met een tegoed" in Seen(html).words
    assert "Ja: tot € 75." in Seen(html).words


async def test_with_javascript_an_answer_is_only_the_piece(client):
    html = await asked(client, "goedmaken met een tegoed")
    assert html.startswith("<section")
    assert "Ja: tot € 75." in Seen(html).words


async def test_nothing_asked_gets_help(client):
    assert say("help.examples", "nl").split("|")[0] in Seen(await asked(client, "")).values("value")


@pytest.mark.parametrize(("named", "moment"), [("solve", Moment.SOLVE), ("verzonnen", None), ("", None)])
async def test_a_question_says_where_it_was_asked_and_for_which_moment(client, desk, monkeypatch, named, moment):
    heard = []
    monkeypatch.setattr(desk, "ask", lambda question: heard.append(question) or BARE)
    await asked(client, "klnt ruikt gas", moment=named)
    person = desk.person(Identity("web", "", "local"))
    assert heard == [Question("klnt ruikt gas", person, "web", locale="nl", moment=moment)]


async def test_what_is_no_form_counts_as_nothing_asked(client):
    response = await client.post("/ask", data=b"\xff\x00{}", headers={"Content-Type": "application/json"})
    assert response.status == 200


async def test_a_form_that_is_opened_again_leads_to_the_first_page(client):
    for path in ("/ask", "/reshape", "/feedback"):
        response = await client.get(path, allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (303, "/")


# -- what can be done with an answer ---------------------------------------------------------------------------------
@pytest.mark.parametrize("headers", [{}, FETCH])
async def test_the_same_answer_in_another_shape(client, headers):
    form = {"answer_id": await answer_id(client), "moment": "change"}
    response = await client.post("/reshape", data=form, headers=headers)
    seen = Seen(await response.text())
    assert "Veranderd · zo is het nu" in seen.words
    assert "(was € 25)" in seen.words
    assert say("reshape.nothing", "nl") not in seen.words


async def test_a_shape_that_an_article_does_not_have_is_not_passed_over_in_silence(client):
    form = {"answer_id": await answer_id(client, "klant ruikt gas"), "moment": "solve"}
    response = await client.post("/reshape", data=form, headers=FETCH)
    seen = Seen(await response.text())
    assert say("reshape.nothing", "nl") in seen.words
    assert "Iedereen naar buiten." in seen.words


async def test_five_ways_to_look_at_it_and_five_ways_to_say_it_is_wrong(client):
    html = await asked(client, "goedmaken met een tegoed")
    assert re.findall(r'name="moment" value="(\w+)"', html) == list(Moment)
    assert re.findall(r'name="reason" value="(\w+)"', html) == ["topic", "outdated", "unclear", "mandate", "process"]


@pytest.mark.parametrize("headers", [{}, FETCH])
async def test_a_reason_is_kept_and_thanked_for(client, desk, monkeypatch, headers):
    kept = []
    monkeypatch.setattr(desk, "rate", kept.append)
    given_id = await answer_id(client)
    response = await client.post("/feedback", data={"answer_id": given_id, "reason": "outdated"}, headers=headers)
    seen = Seen(await response.text())
    assert say("feedback.thanks", "nl") in seen.words
    assert ("Ja: tot € 75." in seen.words) is not bool(headers)
    assert [replace(one, person_id="") for one in kept] == [Feedback(given_id, "", helpful=False, reason="outdated")]


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/feedback", {"answer_id": "x", "reason": "verzonnen"}, 400),
        ("/reshape", {"answer_id": "x", "moment": "verzonnen"}, 400),
        ("/feedback", {"answer_id": "x", "reason": "topic"}, 404),
        ("/reshape", {"answer_id": "x", "moment": "new"}, 404),
    ],
)
async def test_an_answer_or_a_choice_that_is_not_there_gets_a_sentence(client, path, form, status):
    response = await client.post(path, data=form, headers=FETCH)
    assert response.status == status
    key = "answer.gone" if status == 404 else "error.broken"
    assert say(key, "nl") in Seen(await response.text()).words


# -- reading ---------------------------------------------------------------------------------------------------------
async def test_an_article_is_shown_whole_as_it_was_written(client):
    html = await (await client.get("/article/goedmaken")).text()
    seen = Seen(html)
    headings = ["In het kort", "Stappen", "Zo zeg je het", "Als het misgaat", "Achtergrond"]
    assert [html.index(f"<h2>{heading}</h2>") for heading in headings] == sorted(
        html.index(f"<h2>{heading}</h2>") for heading in headings
    )
    assert "Nu: medewerker tot € 75" in seen.words
    assert say("source.unverified_nobody", "nl") in seen.words
    assert "Je krijgt vandaag € 40." in seen.values("data-copy")
    assert 'class="right"' in html
    assert {"https://kennis.example/goedmaken", "https://academie.example/klachten"} <= set(seen.values("href"))


async def test_an_article_leads_to_its_translation_and_back(client):
    assert "/article/goedmaken-en" in Seen(await (await client.get("/article/goedmaken")).text()).values("href")
    seen = Seen(await (await client.get("/article/goedmaken-en")).text())
    assert "/article/goedmaken" in seen.values("href")
    assert say("language.only_other", "nl") not in seen.words


async def test_an_article_in_one_language_says_so_in_the_other(client):
    assert say("language.only_other", "en") in await (await client.get("/article/veilig/gas%20%26%20co?lang=en")).text()


async def test_an_article_in_the_shape_of_a_moment_leads_with_that(client):
    html = await (await client.get("/article/goedmaken?moment=solve")).text()
    assert html.index("Oplossen") < html.index("Kompas hangt") < html.index("<h2>In het kort</h2>")


async def test_a_title_that_is_tapped_comes_as_a_piece_of_the_conversation(client):
    html = await (await client.get("/article/goedmaken?moment=apply", headers=FETCH)).text()
    assert html.startswith("<section")
    assert "Klopt niet" not in html  # it answers no question
    assert 'data-turn href="/article/goedmaken?moment=solve"' in html


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_any_id_has_an_address(article_id):
    assert re.fullmatch(r"/article/[\w/.~%-]+", web._path(article_id), re.ASCII)


async def test_an_id_with_slashes_spaces_and_signs_is_found(client):
    seen = Seen(await (await client.get("/topics")).text())
    [address] = [href for href in seen.values("href") if "gas" in href]
    response = await client.get(address)
    assert response.status == 200
    assert "Veiligheid eerst" in await response.text()


async def test_topics_are_an_index_with_danger_and_changes_marked(client):
    seen = Seen(await (await client.get("/topics")).text())
    for part in ("Klachten", "Goedmaken met een tegoed", "Pas veranderd", "Veiligheid", "Klant ruikt gas"):
        assert part in seen.words
    assert "Making up" not in seen.words


async def test_a_title_stands_over_its_verdict(client):
    words_seen = Seen(await (await client.get("/topics")).text()).words
    assert words_seen.index("Goedmaken met een tegoed") < words_seen.index("Ja: tot € 75.")


async def test_every_link_within_a_page_leads_somewhere(client):
    for path in ("/topics", "/article/goedmaken"):
        seen = Seen(await (await client.get(path)).text())
        within = [href.removeprefix("#") for href in seen.values("href") if href.startswith("#")]
        assert len(within) > 2, path
        assert set(within) <= set(seen.values("id")), path


async def test_an_article_says_where_it_stands_and_its_topic_is_there(client):
    seen = Seen(await (await client.get("/article/goedmaken")).text())
    [address] = [href for href in seen.values("href") if href.startswith("/topics#")]
    assert address.partition("#")[2] in Seen(await (await client.get("/topics")).text()).values("id")


async def test_one_reads_on_to_the_articles_beside_it_under_its_topic(shelf):
    async with TestClient(TestServer(shelf)) as client:
        for path, before, after in [
            ("a", [], ["/article/b"]),
            ("b", ["/article/a"], ["/article/c"]),
            ("c", ["/article/b"], []),
        ]:
            html = await (await client.get(f"/article/{path}")).text()
            assert re.findall(r'rel="prev" href="([^"]*)"', html) == before
            assert re.findall(r'rel="next" href="([^"]*)"', html) == after


@pytest.fixture
def shelf(store):
    texts = {one: f"---\nid: {one}\ntitle: Over {one}\ntopic: t\n---\nTekst.\n" for one in "abc"}
    return web.make_app(make_desk(store, tuple(article(text, one) for one, text in texts.items())))


@pytest.mark.parametrize("path", ["/article/weg", "/nergens", "/static/../web.py"])
async def test_what_is_not_there_gets_a_sentence(client, path):
    response = await client.get(path)
    assert response.status == 404
    assert say("web.not_found", "nl") in await response.text()


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000 + "a", "%C3%A9" * 200, "a%00b", "%2e%2e/web.py"])
async def test_no_name_of_a_file_breaks_anything(client, name):
    response = await client.get(URL(f"/static/{name}", encoded=True))
    assert response.status == 404
    assert say("web.not_found", "nl") in await response.text()


STRANGE = (
    ".",
    "..",
    "../x",
    "./x",
    "a/../topics",
    "a/..",
    "/",
    "a//b",
    "~",
    "~.",
    "~~..",
    "a\nb",
    "a\rb",
    "%2e",
    "a?b#c",
)


@pytest.mark.parametrize("article_id", STRANGE)
async def test_an_article_opens_by_its_link_whatever_its_id(store, article_id):
    strange = replace(article("---\ntitle: Vreemd\n---\n## In het kort\nDit is het.\n"), id=article_id)
    others = [replace(strange, id=other, title="Ander") for other in STRANGE if other != article_id]
    address = web._path(article_id)
    assert str(URL("http://x/").join(URL(address))) == f"http://x{address}"  # as a browser would ask for it
    async with TestClient(TestServer(web.make_app(make_desk(store, (strange, *others))))) as client:
        response = await client.get(URL(address, encoded=True))
        assert response.status == 200
        assert "<title>Vreemd" in await response.text()


@pytest.mark.parametrize(
    "path", ["/article/..", "/article/../topics", "/article/%2e%2e/topics", "/article/.", "/article/a%0Ab"]
)
async def test_a_path_with_dots_or_a_line_break_leads_to_no_other_page(client, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)  # a client would work out the dots
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    assert answer.startswith("HTTP/1.1 404")
    assert say("web.not_found", "nl") in answer


@pytest.mark.parametrize(("name", "kind"), [("style.css", "css"), ("app.js", "javascript"), ("icon.svg", "svg")])
async def test_what_a_page_is_made_of_is_served_from_here(client, name, kind):
    response = await client.get(f"/static/{name}")
    assert response.status == 200
    assert kind in response.headers["Content-Type"]
    assert "://" not in (STATIC / name).read_text().replace("http://www.w3.org", "")


# -- language --------------------------------------------------------------------------------------------------------
async def test_dutch_unless_the_browser_prefers_english(client):
    async def language(**headers):
        return re.search(r'<html lang="(\w+)"', await (await client.get("/", headers=headers)).text())[1]

    assert await language() == "nl"
    assert await language(**{"Accept-Language": "fr,en-GB;q=0.8,nl;q=0.5"}) == "en"
    assert await language(**{"Accept-Language": "nl-BE"}) == "nl"


async def test_a_chosen_language_lasts(client):
    response = await client.get("/?lang=en")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Ask your question" in await (await client.get("/")).text()
    assert "Stel je vraag" in await (await client.get("/?lang=nl")).text()


async def test_a_language_we_do_not_speak_changes_nothing(client):
    response = await client.get("/?lang=fr")
    assert 'lang="nl"' in await response.text()
    assert "Set-Cookie" not in response.headers


async def test_the_switch_stays_on_the_page_except_behind_a_form(client):
    assert "?lang=en&moment=solve" in Seen(await (await client.get("/article/goedmaken?moment=solve")).text()).values(
        "href"
    )
    response = await client.post("/ask", data={"q": ""})
    assert "/?lang=en" in Seen(await response.text()).values("href")


# -- the edge --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/", "/topics", "/article/goedmaken", "/nergens", "/static/app.js"])
async def test_everything_that_leaves_is_sealed(client, path):
    headers = (await client.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store")


async def test_no_page_needs_what_the_policy_forbids(client):
    given_id = await answer_id(client)
    pages = [await client.get(path) for path in ("/", "/topics", "/article/goedmaken", "/nergens")]
    pages.append(await client.post("/reshape", data={"answer_id": given_id, "moment": "more"}))
    for page in pages:
        seen = Seen(await page.text())
        assert all(not name.startswith("on") and name != "style" for _, name, _ in seen.attributes)
        assert all(value.startswith("/static/") for value in seen.values("src"))


@pytest.mark.parametrize(
    "host", ["kwaad.example", "127.0.0.1.kwaad.example", "localhost.kwaad.example:80", "10.0.0.1", "127.0.0.1:x", ""]
)
async def test_another_host_is_refused(client, host):
    response = await client.get("/", headers={"Host": host})
    assert response.status == 403
    assert "127.0.0.1" in await response.text()
    assert "textarea" not in await response.text()


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080"])
async def test_this_machine_by_any_of_its_names_is_let_in(client, host):
    assert (await client.get("/", headers={"Host": host})).status == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8080", 200),
        ("http://localhost:8081", 403),
        ("http://localhost", 403),
        ("https://kwaad.example", 403),
        ("null", 403),
    ],
)
async def test_a_form_of_another_site_is_refused(client, origin, status):
    headers = {"Host": "localhost:8080", "Origin": origin}
    assert (await client.post("/ask", data={"q": "gas"}, headers=headers)).status == status


async def test_a_body_that_is_far_too_big_is_refused_kindly(client):
    response = await client.post("/ask", data={"q": "a" * web.MAX_BODY})
    assert response.status == 413
    assert say("error.too_long", "nl") in await response.text()


@pytest.mark.parametrize("path", ["/ask", "/reshape", "/feedback"])
async def test_a_body_that_does_not_unpack_is_refused_kindly(client, path):
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    response = await client.post(path, data=b"no gzip", headers=headers)
    assert response.status == 400
    assert say("error.broken", "nl") in await response.text()


async def test_a_body_that_does_not_come_is_waited_for_no_longer_than_agreed(client, monkeypatch):
    monkeypatch.setattr(web, "_BODY_WITHIN", 0.05)

    async def never():
        yield b"q="
        await asyncio.sleep(10)

    assert (await client.post("/ask", data=never())).status == 408


async def test_a_question_that_is_too_long_is_given_back(client):
    text = "woord " * (MAX_QUESTION // 5)
    response = await client.post("/ask", data={"q": text})
    assert text in await response.text()
    assert "data-keep" in await asked(client, text)


@pytest.mark.parametrize("method", ["ask", "person"])
@pytest.mark.parametrize("headers", [{}, FETCH])
async def test_whatever_breaks_is_a_kind_sentence_and_a_traceback(client, desk, monkeypatch, caplog, method, headers):
    def broken(*_):
        raise RuntimeError("kapot")

    monkeypatch.setattr(desk, method, broken)
    with caplog.at_level(logging.ERROR):
        response = await client.post("/ask", data={"q": "mijn vraag", "lang": "en"}, headers=headers)
    html = await response.text()
    assert response.status == 500
    assert say("error.broken", "en") in html
    assert "kapot" not in html
    assert caplog.records[-1].exc_info
    assert bool(headers) or "mijn vraag</textarea>" in html


async def test_an_answer_that_failed_gives_the_question_back(client, desk, monkeypatch):
    failed = replace(BARE, outcome=Outcome.FAILED, question="", message=say("error.broken", "nl"))
    monkeypatch.setattr(desk, "ask", lambda question: failed)
    response = await client.post("/ask", data={"q": "mijn vraag"})
    assert response.status == 500
    assert "mijn vraag</textarea>" in await response.text()
    assert "data-keep" in await asked(client, "mijn vraag")


# -- for everybody to read -------------------------------------------------------------------------------------------
def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


PAIRS = [
    *((text, ground) for text in ("ink", "soft", "accent") for ground in ("ground", "surface", "tint")),
    *(("ink", f"{name}-tint") for name in ("warn", "new", "know", "solve", "change")),
    *((name, ground) for name in ("warn", "new", "know", "solve", "change") for ground in ("surface", f"{name}-tint")),
    ("on-accent", "accent"),
    ("on-bubble", "bubble"),
    ("on-danger", "danger"),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_every_text_stands_out_from_its_ground(theme, text, ground):
    found = re.findall(r":root \{(.*?)\}", (STATIC / "style.css").read_text(), re.DOTALL)[theme]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", found))
    assert contrast(colours[text], colours[ground]) >= 4.5


async def test_headings_go_down_one_step_at_a_time(client):
    given_id = await answer_id(client)
    pages = [await client.get(path) for path in ("/", "/topics", "/article/goedmaken", "/article/goedmaken?moment=new")]
    pages.append(await client.post("/reshape", data={"answer_id": given_id, "moment": "apply"}))
    for page in pages:
        levels = [int(tag[1]) for tag in Seen(await page.text()).tags if re.fullmatch(r"h\d", tag)]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


async def test_every_field_and_button_has_a_name(client):
    html = await (await client.get("/")).text()
    assert '<label class="unseen" for="q">' in html
    assert all(name.strip() for name in re.findall(r"<button[^>]*>(.*?)</button>", html, re.DOTALL))
