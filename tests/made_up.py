"""Articles nobody would write, for property tests."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from core.model import Answer, Card, Home, News, Outcome, Person, Request, Role, Suggestion
from knowledge.article import Article, Change, Kind, Status
from knowledge.markdown import HEADINGS, sections
from knowledge.moment import Moment
from knowledge.shape import Part

_PIECES = [
    "\n",
    "\r\n",
    "\r",
    "\ufeff",
    "---\n",
    "```\n",
    "~~~~ sh\n# geen kop\n---\n",
    "# Titel\n",
    "#geen kop\n",
    "    # code\n",
    "Kop\n===\n",
    "> # citaat\n",
    "- # in een lijst\n",
    "<!--\n## Stappen\n-->\n",
    "1. Open Kompas.\n2. Kies *Tegoed*.\n\n   ```\n   # nee\n\n   ja\n   ```\n",
    "- junior: tot € 25\n- **senior**: tot € 150\n",
    "| a | b |\n|---|---|\n| Wat er misging | € 15 |\n",
    '"Ik zet € 40 voor u klaar." Dat is alles! Meer niet\u2028of toch\x0cwel?\n',
    "woord " * 70 + "\n",
    "Zin na zin. " * 12 + "\n",
]
_HEADINGS = [f"{marks} {name}\n" for by_kind in HEADINGS.values() for name in by_kind.values() for marks in ("#", "##")]

lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=30)
bodies = st.lists(
    st.one_of(
        st.sampled_from(_PIECES), st.sampled_from(_HEADINGS), st.text(max_size=40), lines.map(lambda line: line + "\n")
    ),
    max_size=12,
).map("".join)

words = st.text(max_size=12)
times = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - aware by the strategy
changes = st.builds(Change, since=times, new=words, old=words, applies_to=words, why=words)
articles = st.builds(
    Article,
    id=words.filter(bool),
    title=words,
    sections=bodies.map(sections),
    language=st.sampled_from(["nl", "en"]),
    topic=words,
    status=st.sampled_from(Status),
    url=words,
    aliases=st.lists(words, max_size=2).map(tuple),
    moments=st.lists(st.sampled_from(Moment), max_size=3).map(tuple),
    audience=st.lists(words, max_size=2).map(tuple),
    brand=words,
    owner=words,
    verified=st.none() | st.dates(),
    verify_every=st.none() | st.integers(0, 99_999),
    effective_from=st.none() | times,
    effective_until=st.none() | times,
    applies_when=words,
    critical=st.booleans(),
    signals=st.lists(words, max_size=2).map(tuple),
    unlike=st.lists(words, max_size=2).map(tuple),
    basis=words,
    changes=st.lists(changes, max_size=2).map(tuple),
    training=words,
    translation_of=words,
)


# -- what is made of them: cards, answers, and somebody's home --------------------------------------------------------
languages = st.sampled_from(["nl", "en"])
anything = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            *("<!channel>", "<@U1>", "a <!here|x> &lt;!here&gt;", "https://x.example/<@U1>|b", "[x](<!channel>)"),
            *("<at>x</at> <b>y</b>", "{{DATE(2026-01-01T00:00:00Z, SHORT)}}", "* _a_ [1]"),
        ]
    ),
    st.builds(
        lambda text, times: text * times,
        st.sampled_from(["& ", "woord ", "<@U1>", "é", "*", "💶"]),
        st.integers(1, 4000),
    ),
)
links = anything | st.sampled_from(
    ["https://x.example/a b(c)", "HTTP://x.example", "mailto:a@b.example", "javascript:1", "http://[", "/pad"]
)
_said = st.one_of(bodies, anything)
_suggestions = st.builds(Suggestion, anything, anything, languages)


@st.composite
def cards(draw):
    """Most have something to walk through, and then in a part that is there."""
    first = draw(st.lists(st.builds(Part, st.sampled_from([None, *Kind]), anything, _said, anything), max_size=6))
    kinds = [part.kind for part in first]
    return Card(
        article_id=draw(anything),
        version=draw(st.integers(1, 9)),
        title=draw(anything),
        language=draw(languages),
        topic=draw(anything),
        critical=draw(st.booleans()),
        first=tuple(first),
        more=tuple(draw(st.lists(st.builds(Part, st.sampled_from([None, *Kind]), anything, _said), max_size=15))),
        notes=tuple(draw(st.lists(anything, max_size=3))),
        changed=draw(anything),
        source=draw(anything),
        training=draw(links),
        url=draw(links),
        moments=tuple(draw(st.lists(st.sampled_from(Moment), unique=True))),
        walk=tuple(draw(st.lists(_said, max_size=8))),
        walked=draw(st.sampled_from([None, Kind.STEPS, *kinds])),
        say=tuple(draw(st.lists(_said, max_size=60))),
    )


answers = st.builds(
    Answer,
    id=st.uuids().map(lambda number: number.hex),
    outcome=st.sampled_from(Outcome),
    language=languages,
    question=anything,
    message=anything,
    bridge=anything,
    moment=st.sampled_from([None, *Moment]),
    card=st.none() | cards(),
    alternatives=st.lists(_suggestions, max_size=8).map(tuple),
    warnings=st.lists(anything, max_size=2).map(tuple),
)
shelves = st.dictionaries(anything, st.lists(_suggestions, max_size=150), max_size=120)
_requests = st.lists(st.builds(Request, st.integers(1), answers, anything, anything, times), max_size=25).map(tuple)
homes = st.builds(
    Home,
    person=st.builds(Person, anything, st.sampled_from(Role)),
    language=languages,
    changed=st.lists(st.builds(News, _suggestions, anything, anything), max_size=25).map(tuple),
    kept=st.lists(answers, max_size=25).map(tuple),
    asked=_requests,
    queue=_requests,
)


def article(body: str = "", **fields: object) -> Article:
    """An article with an ordinary id and title, for examples."""
    return Article(**{"id": "goedmaken", "title": "Goedmaken", "sections": sections(body)} | fields)


def written(**by_kind: str) -> str:
    """A body with Dutch headings: `written(steps="1. Bel.")`."""
    return "".join(f"## {HEADINGS['nl'][Kind(kind)]}\n{text}\n\n" for kind, text in by_kind.items())
