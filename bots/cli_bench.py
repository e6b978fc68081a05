"""`bijdehand bench`: how fast it is on this machine."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bots import console
from bots.console import Json
from core.seeds import SEEDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.desk import Desk
    from core.embed import Embedder
    from core.store import Snapshot

_SIZES = (1_000, 10_000)
_QUESTIONS = 300
_PASSAGES = 60


def bench(
    *,
    articles: Annotated[
        list[int] | None,
        typer.Option(help="How many made-up articles to search; repeat it. 1,000 and 10,000 by default."),
    ] = None,
    torch: Annotated[bool, typer.Option(help="Compare with the model in sentence-transformers too.")] = True,
    as_json: Json = False,
) -> None:
    """How fast it is here: embedding, search, whole answers, starting, memory. Takes some minutes."""
    with ExitStack() as stack:
        found = _measure(stack, articles or list(_SIZES), torch=torch)
    if as_json:
        console.print_json(found)
        return
    for part, rows in found.items():
        console.line(part, "bold")
        console.table([_row(one) for one in rows], ("what", "p50", "p95", "ratio"))


def _row(one: "dict[str, Any]") -> dict[str, str]:
    unit = one.get("unit", "ms")
    ratio = f"{one['ratio']:.2f} x {one['than']}" if one.get("than") else ""
    p95 = f"{one['p95']:.2f} {unit}" if "p95" in one else ""
    return {"what": one["name"], "p50": f"{one['p50']:.2f} {unit}", "p95": p95, "ratio": ratio}


def _measure(stack: ExitStack, sizes: "Sequence[int]", *, torch: bool) -> "dict[str, list[dict[str, Any]]]":
    from core.golden import read_golden
    from core.pace import apart, memory, paces, per_second, start_up
    from core.prepare import open_original

    settings = console.settings()
    embedder = console.embedder(settings)
    throw_away = Path(stack.enter_context(TemporaryDirectory()))
    desk = _starter(stack, embedder, throw_away)
    golden = read_golden(SEEDS / "golden.jsonl")
    questions = golden[:: max(len(golden) // _QUESTIONS, 1)]
    texts = [one.text for one in questions]
    snapshot = desk.store.snapshot(embedder.name)

    found: dict[str, list[dict[str, Any]]] = {}
    console.note("Answering…")
    answer = _asks(desk)
    answers = paces({"embedding alone": embedder.query, "a whole answer": answer}, texts)
    found["A question, starter knowledge"] = [asdict(one) for one in answers]
    # Before torch comes in: serving does without.
    found["Memory"] = [{"name": f"this process, {when}", "p50": held, "unit": "MB"} for when, held in memory().items()]
    passages = snapshot.texts[: _PASSAGES * 10 : 10]
    works = {"embedding": embedder.query}
    rates = {"passages": per_second(embedder.passage, passages)}
    if torch and (original := open_original(settings.model, settings.cache / "models")):
        works["sentence-transformers on torch"] = original.query
        rates["passages, sentence-transformers on torch"] = per_second(original.passage, passages)
        found["Beside the plain model"] = [asdict(one) for one in paces(works, texts[:100])]
    found["Passages"] = [
        {"name": name, "p50": rate, "unit": "a second"}
        | ({} if name == "passages" else {"than": "passages", "ratio": rate / rates["passages"]})
        for name, rate in rates.items()
    ]
    for size in sizes:
        console.note(f"Searching {size:,} articles…")
        found[f"Search, {size:,} made-up articles"] = apart(_search, settings.model, settings.cache, snapshot, size)
    console.note("Starting…")
    commands = (["--help"], ["ask", "wat kost opzeggen"])
    found["From nothing"] = [asdict(start_up(arguments, throw_away)) for arguments in commands]
    return found


def _starter(stack: ExitStack, embedder: "Embedder", throw_away: Path) -> "Desk":
    """A desk that knows the starter articles and has answered once, in a folder that is thrown away."""
    from contextlib import closing

    from core import boot
    from core.library import shelve
    from core.store.sqlite import open_store
    from core.vectors import Cached
    from knowledge.amounts import amounts_for
    from knowledge.glossary import terms_for
    from knowledge.readers import read

    settings = console.settings().model_copy(update={"data": throw_away})
    folder = SEEDS / "articles"
    store = stack.enter_context(closing(open_store(settings.database)))
    store.set_amounts(amounts_for([folder]))
    with Cached(embedder, settings.cache / "vectors.db") as cached, console.Bar("Articles") as progress:
        shelve(store, cached, [one.article for one in read(folder)], progress=progress)
    store.set_terms(terms_for([folder]))
    desk = boot.open_desk(settings, store=store, embedder=embedder)
    desk.ready()
    return desk


def _asks(desk: "Desk") -> "Callable[[str], object]":
    from core.model import Person, Question

    return lambda text: desk.answer(Question(text, Person("somebody")))


def _search(model: str, cache: Path, starter: "Snapshot", size: int) -> "list[dict[str, Any]]":
    """Made-up articles in memory: what is measured is the index. In a process of its own, for its memory."""
    from core.golden import read_golden
    from core.index import Index
    from core.made_up import made_up
    from core.pace import memory, paces, timed
    from core.prepare import open_embedder
    from core.search import look_up

    embedder = open_embedder(model, cache / "models")
    snapshot = made_up(starter, size)
    took: dict[str, float] = {}
    with timed(took, "made"):
        index = Index(snapshot)
    questions = read_golden(SEEDS / "golden.jsonl")[:_QUESTIONS]
    readings = {one.text: embedder.read_query(one.text) for one in questions}

    def search(one: Any) -> object:  # noqa: ANN401 - a Golden
        return look_up(index, one.text, embedder, language=one.language, reading=readings[one.text])

    works = {"embedding alone": lambda one: embedder.query(one.text), "search alone": search}
    held = memory()
    return [
        *(asdict(one) for one in paces(works, questions)),
        {"name": "the index made", "p50": took["made"]},
        *({"name": f"memory, {when}", "p50": value, "unit": "MB"} for when, value in held.items()),
    ]
