"""Articles in SQLite: a document, its passages, their vectors, and the log of what changed.

Every function works inside the transaction of the store's method that calls it.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from sqlite_utils import Database

from core.store import Embedded, Piece, Snapshot
from core.store.columns import ARTICLE, ARTICLES, CALIBRATION, as_json, blob, clean, matrix, pieces
from core.verdicts import Calibration
from knowledge.amounts import Amounts, filled, named
from knowledge.article import Article
from knowledge.glossary import Term


def sequence(db: Database) -> int:
    """Read the number of the latest change."""
    latest: int = db.execute("select coalesce(max(seq), 0) from change").fetchone()[0]
    return latest


def read_articles(documents: Iterable[str]) -> list[Article]:
    """Parse many at once, as one list."""
    return ARTICLES.validate_json(f"[{','.join(documents)}]")


def snapshot(db: Database, model: str) -> Snapshot:
    """Read what has all its vectors under this model, and the ids of what has not."""
    documents = db.execute("select id, document from article order by id").fetchall()
    texts = db.execute(
        "select article_id, n, data, text, piece_ids from passage"
        " left join vector on vector.hash = passage.hash and vector.model = ?"
        " order by article_id, n",
        [model],
    ).fetchall()
    missing = {article_id for article_id, _, data, *_ in texts if data is None}
    place = {article_id: i for i, article_id in enumerate(key for key, _ in documents if key not in missing)}
    found = [text for text in texts if text[0] in place]
    parts = [text for text in found if text[1] > 0]
    piece_ids = [ids for *_, ids in parts]
    vectors = db.execute(
        "select article_id, piece_vectors from passage left join vector on vector.hash = passage.hash"
        " and vector.model = ? where n > 0 order by article_id, n",
        [model],
    )
    known = amounts(db)
    articles = read_articles(document for key, document in documents if key in place)
    return Snapshot(
        sequence=sequence(db),
        articles=tuple(filled(article, known) for article in articles),
        whole=matrix([data for _, n, data, *_ in found if n == 0]),
        passages=matrix([data for _, _, data, *_ in parts]),
        owners=np.array([place[article_id] for article_id, *_ in parts], dtype=np.int64),
        texts=tuple(text for _, _, _, text, *_ in parts),
        pieces=pieces(piece_ids, (one for article_id, one in vectors if article_id in place)),
        counts=np.array([len(ids or b"") // np.int32().itemsize for ids in piece_ids], dtype=np.int64),
        missing=tuple(sorted(missing)),
        terms=terms(db),
        calibration=calibration(db, model),
    )


def amounts(db: Database) -> Amounts:
    """Read every amount, by name and language."""
    return {name: json.loads(document) for name, document in db.execute("select name, document from amount")}


def set_amounts(db: Database, wanted: Amounts, now: str) -> set[str]:
    """Write amounts, and note a change of every article that names one of those that were others."""
    before = amounts(db)
    other = {name for name, amount in wanted.items() if amount != before.get(name)}
    db.conn.executemany(
        "insert into amount (name, document) values (?, ?)"
        " on conflict (name) do update set document = excluded.document",
        [(name, as_json(wanted[name])) for name in sorted(other)],
    )
    documents = db.execute("select document from article order by id").fetchall()
    for article in read_articles(document for (document,) in documents) if other else ():
        if named(article) & other:
            _note_change(db, article.id, "saved", now)
    return other


def terms(db: Database) -> tuple[Term, ...]:
    """Read what words mean."""
    rows = db.execute("select said, official, language, kind from term order by said, language")
    return tuple(Term(*row) for row in rows)


def set_terms(db: Database, wanted: Iterable[Term], now: str) -> None:
    """Write what words mean; whoever searches sees it at once."""
    changed = db.conn.executemany(
        "insert into term (said, official, language, kind) values (?, ?, ?, ?)"
        " on conflict (said, language) do update set official = excluded.official, kind = excluded.kind"
        " where official != excluded.official or kind != excluded.kind",
        [(clean(one.said), clean(one.official), one.language, one.kind) for one in wanted],
    ).rowcount
    if changed > 0:
        _note_change(db, "", "saved", now)


def drop_term(db: Database, said: str, language: str, now: str) -> None:
    """Forget a word."""
    if db.execute("delete from term where said = ? and language = ?", [clean(said), language]).rowcount:
        _note_change(db, "", "saved", now)


def calibration(db: Database, model: str) -> Calibration | None:
    """Read the bands of a model."""
    row = db.execute("select document from calibration where model = ?", [model]).fetchone()
    return CALIBRATION.validate_json(row[0]) if row else None


def set_calibration(db: Database, model: str, found: Calibration | None, now: str) -> None:
    """Write the bands of a model, or none; whoever answers sees it at once."""
    db.execute("delete from calibration where model = ?", [model])
    if found is not None:
        document = as_json(CALIBRATION.dump_python(found))
        db.execute("insert into calibration (model, document, at) values (?, ?, ?)", [model, document, now])
    _note_change(db, "", "saved", now)


def save(db: Database, item: Embedded, model: str, now: str, *, what: str = "imported", by: str | None = None) -> None:
    """Write an article where it differs from what is stored, and note the change, if there is one, and who made it."""
    article, texts = item.article, (item.whole, *item.passages)
    stored = db.execute("select version, hash from article where id = ?", [article.id]).fetchone()
    version, content = stored or (0, "")
    if 0 < article.version < version:
        return  # read from here and written by somebody else since: theirs is newer, and has its own vectors
    before, after = _hashes(db, article.id), [piece.hash for piece in texts]
    wanted = _content_hash(article, texts, amounts(db))
    fresh = _add_vectors(db, texts, model)
    if content == wanted and before == after and not fresh:
        return
    if content != wanted:
        latest = _latest_version(db, article.id)
        _write_article(db, replace(article, version=latest + 1), wanted, now)
        _keep_version(db, article.id, what, by, now)
    _write_passages(db, article.id, texts)
    _drop_orphans(db, set(before) - set(after))
    _note_change(db, article.id, "embedded" if content == wanted else "saved", now)


def delete(db: Database, article_id: str, now: str) -> None:
    """Remove an article, its passages, and the vectors that nothing else uses."""
    dropped = _hashes(db, article_id)
    if db.execute("delete from article where id = ?", [article_id]).rowcount:
        _drop_orphans(db, dropped)
        _note_change(db, article_id, "deleted", now)


def _content_hash(article: Article, texts: Sequence[Piece], known: Amounts) -> str:
    # Fields at their default are left out: one that is added later must not make every article look changed.
    written = ARTICLE.dump_python(article, exclude={"version"}, exclude_defaults=True)
    said = {name: known[name] for name in sorted(named(article) & known.keys())}
    content = [written, [piece.text for piece in texts], *([said] if said else [])]
    return hashlib.sha256(as_json(content).encode()).hexdigest()


def _write_article(db: Database, article: Article, content: str, now: str) -> None:
    db.execute(
        "insert into article (id, document, language, status, critical, translation_of, version, hash,"
        " updated_at) values (:id, :document, :language, :status, :critical, :translation_of, :version, :hash, :now)"
        " on conflict (id) do update set document = excluded.document, language = excluded.language,"
        " status = excluded.status, critical = excluded.critical, translation_of = excluded.translation_of,"
        " version = excluded.version, hash = excluded.hash, updated_at = excluded.updated_at",
        {
            "id": article.id,
            "document": as_json(ARTICLE.dump_python(article)),
            "language": article.language,
            "status": article.status,
            "critical": article.critical,
            "translation_of": article.translation_of,
            "version": article.version,
            "hash": content,
            "now": now,
        },
    )


def _latest_version(db: Database, article_id: str) -> int:
    """Counted on where an article of that id was deleted: its history is still there."""
    latest: int = db.execute(
        "select coalesce(max(version), 0) from version where article_id = ?", [article_id]
    ).fetchone()[0]
    return latest


def _keep_version(db: Database, article_id: str, what: str, by: str | None, now: str) -> None:
    db.execute(
        "insert into version (article_id, version, document, what, person_id, at)"
        " select id, version, document, ?, (select id from person where id = ?), ? from article where id = ?",
        [what, by, now, article_id],
    )


def _write_passages(db: Database, article_id: str, texts: Sequence[Piece]) -> None:
    db.execute("delete from passage where article_id = ?", [article_id])
    db.conn.executemany(
        "insert into passage (article_id, n, text, hash) values (?, ?, ?, ?)",
        [(article_id, n, piece.text, piece.hash) for n, piece in enumerate(texts)],
    )


def _add_vectors(db: Database, texts: Sequence[Piece], model: str) -> int:
    return db.conn.executemany(
        "insert or ignore into vector (hash, model, data, piece_ids, piece_vectors) values (?, ?, ?, ?, ?)",
        [(one.hash, model, blob(one.vector), one.pieces.ids.tobytes(), one.pieces.vectors.tobytes()) for one in texts],
    ).rowcount


def _hashes(db: Database, article_id: str) -> list[str]:
    rows = db.execute("select hash from passage where article_id = ? order by n", [article_id])
    return [key for (key,) in rows]


def _drop_orphans(db: Database, dropped: Iterable[str]) -> None:
    db.conn.executemany(
        "delete from vector where hash = ? and not exists (select 1 from passage where passage.hash = vector.hash)",
        [(key,) for key in dropped],
    )


def _note_change(db: Database, article_id: str, what: Literal["saved", "embedded", "deleted"], now: str) -> None:
    """Raise the sequence; without an id it is not about one article."""
    db.execute("insert into change (article_id, what, at) values (?, ?, ?)", [article_id, what, now])
