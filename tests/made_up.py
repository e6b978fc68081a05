"""Articles nobody would write, for property tests."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from knowledge.article import Article, Change, Kind, Status
from knowledge.markdown import HEADINGS, sections
from knowledge.moment import Moment

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


def article(body: str = "", **fields: object) -> Article:
    """An article with an ordinary id and title, for examples."""
    return Article(**{"id": "goedmaken", "title": "Goedmaken", "sections": sections(body)} | fields)


def written(**by_kind: str) -> str:
    """A body with Dutch headings: `written(steps="1. Bel.")`."""
    return "".join(f"## {HEADINGS['nl'][Kind(kind)]}\n{text}\n\n" for kind, text in by_kind.items())
