"""Articles in files beside those in the store: read without overwriting what coaches wrote, written without loss."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

from core.embed import Embedder
from core.errors import BijdehandError
from core.library import set_amounts, shelve
from core.store import Store
from core.store.columns import clean
from knowledge.amounts import FILE, Amounts, amounts_for
from knowledge.article import Article, Language
from knowledge.errors import ArticleError
from knowledge.glossary import FILE as GLOSSARY
from knowledge.glossary import terms_for, written
from knowledge.markdown import dump
from knowledge.merge import Conflict, merge
from knowledge.readers import read


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do: what is to be saved, and what both the file and a coach changed."""

    articles: list[Article]
    conflicts: list[tuple[str, Conflict]]  # with the id of the article


def plan(store: Store, found: Sequence[Article], *, leading: bool = False) -> Plan:
    """Join what the files say with what was changed in the chat since they were last read or written.

    Where `leading` says so the files win, and what coaches added stays on top. An article that the store does not have
    is taken as it is; so is one that did not come from a file, when it says the same.
    """
    stored = {article.id: article for article in store.articles()}
    synced = store.synced()
    made = Plan([], [])
    for article in found:
        name = clean(article.id)
        ours = stored.get(name)
        if ours is None:
            made.articles.append(article)
            continue
        base = synced.get(name, article)
        merged = merge(base, ours, article, prefer="theirs" if leading else None)
        made.conflicts.extend((article.id, conflict) for conflict in merged.conflicts)
        if not merged.conflicts:
            made.articles.append(replace(merged.article, version=ours.version))
    return made


def follow(store: Store, embedder: Embedder, folder: Path, *, zone: tzinfo) -> int:
    """Read a folder that is leading; how many articles it has. What coaches added in the chat stays on top.

    A file that cannot be read, or a folder that is away for now, changes nothing at all.
    """
    found = [one.article for one in read(folder, timezone=zone)]
    set_amounts(store, embedder, amounts_for([folder]))
    store.set_terms(terms_for([folder]))
    shelve(store, embedder, plan(store, found, leading=True).articles)
    store.set_synced(found)
    return len(found)


def export(store: Store, folder: Path, *, zone: tzinfo, force: bool = False) -> int:
    """Write all as files, each article where it stands already, else in its language's folder; how many articles.

    A file that was changed since it was last read is not overwritten unless `force` says so.
    """
    articles = store.articles()
    found_there = read(folder, timezone=zone, on_error=_let_be) if folder.is_dir() else ()
    there = {found.article.id: found for found in found_there}
    synced = store.synced()
    ahead = [
        there[article.id].path
        for article in articles
        if article.id in there and not _is_known(there[article.id].article, synced.get(article.id), zone)
    ]
    if ahead and not force:
        ways = "Import it first, or overwrite it with --force."
        raise BijdehandError(f"{ahead[0]} was changed and not imported yet. {ways}")
    for article in articles:
        path = there[article.id].path if article.id in there else None
        path = path if path and path.suffix == ".md" else folder / _place(article)
        if path.exists() and article.id not in there and not force:
            raise BijdehandError(f"{path} is in the way and cannot be read. Mend it, or overwrite it with --force.")
        path.parent.mkdir(parents=True, exist_ok=True)
        stem = f"{article.language}/{path.stem}"  # by which it is read where it does not name itself
        path.write_bytes(dump(article, timezone=zone, fallback_id=stem).encode("utf-8"))
    if amounts := store.amounts():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_bytes(_toml(amounts).encode("utf-8"))
    if terms := store.terms():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / GLOSSARY).write_bytes(written(terms).encode("utf-8"))
    store.set_synced(articles)
    return len(articles)


def _let_be(error: ArticleError) -> None:
    """A file that we cannot read is not ours to touch."""


def _is_known(found: Article, synced: Article | None, zone: tzinfo) -> bool:
    """Whether a file says what we last read or wrote."""
    return synced is not None and dump(found, timezone=zone) == dump(synced, timezone=zone)


def _place(article: Article) -> Path:
    """A path of an id: ids may hold anything, folders not."""
    prefix = f"{article.language}/"
    name = article.id.removeprefix(prefix)
    safe = "".join(sign if sign.isalnum() or sign in "-_" else f"%{ord(sign):x}" for sign in name)
    return Path(article.language) / f"{safe[:100]}.md"


def _toml(amounts: Amounts) -> str:
    """One line each: readers of it are people too."""
    return "".join(f"{name} = {_spoken(said)}\n" for name, said in sorted(amounts.items()))


def _spoken(said: Mapping[Language, str]) -> str:
    if len(set(said.values())) == 1 and len(said) > 1:
        return _quoted(next(iter(said.values())))
    return "{ " + ", ".join(f"{language} = {_quoted(text)}" for language, text in sorted(said.items())) + " }"


def _quoted(text: str) -> str:

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
