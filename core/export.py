"""A sentence-transformers model as one int8 ONNX file, to be compared with the model it came from."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.embed import Embedder
from core.errors import ModelError
from core.vocabulary import pruned, with_words

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_INPUTS = ("input_ids", "attention_mask")
_OUTPUTS = ("embedding", "pieces")
_EXPECTED_WARNINGS = (
    "You are using the legacy TorchScript-based ONNX export",
    "The feature will be removed. Please remove usage of this function",
    "Converting a tensor to a Python ",  # every branch on a shape; `parity` tells if one of them mattered
    "Exporting aten::index operator",
)


@dataclass(frozen=True, slots=True)
class Parity:
    """The cosines between two embedders' vectors of the same texts."""

    mean: float
    least: float
    texts: int

    def __str__(self) -> str:
        return f"cosine to the original {self.mean:.4f}, at least {self.least:.4f} on {self.texts} questions"


def export(model: "SentenceTransformer", folder: Path) -> None:
    """Write `model.onnx` and `tokenizer.json`; raises whatever torch and ONNX Runtime do when they cannot."""
    full = folder / "full.onnx"
    tokenizer: str = model.tokenizer.backend_tokenizer.to_str()
    smaller = pruned(tokenizer)
    try:
        with with_words(model, smaller[1]) if smaller else nullcontext():
            _trace(model, full)
        _quantize(full, folder / "model.onnx")
    finally:
        full.unlink(missing_ok=True)
    (folder / "tokenizer.json").write_text(smaller[0] if smaller else tokenizer, encoding="utf-8")


def parity(one: Embedder, other: Embedder, texts: Sequence[str]) -> Parity:
    """Compare each text as a question, and all of them together as a passage of full length."""
    cosines = [one.query(text) @ other.query(text) for text in texts]
    everything = " ".join(texts)
    cosines.append(one.passage(everything) @ other.passage(everything))
    return Parity(float(np.mean(cosines)), float(min(cosines)), len(texts))


def _trace(model: "SentenceTransformer", path: Path) -> None:
    import torch

    class Whole(torch.nn.Module):
        """The chain of modules, pooling and all, as one function."""

        def __init__(self) -> None:
            super().__init__()
            self.chain = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            found: dict[str, Any] = self.chain({"input_ids": input_ids, "attention_mask": attention_mask})
            return torch.nn.functional.normalize(found["sentence_embedding"], dim=-1), found["token_embeddings"]

    if model.transformers_model is None:
        raise ModelError("Only transformers can be exported.")
    model.transformers_model.set_attn_implementation("eager")  # the fused ones do not trace
    sample = model.tokenizer(["een vraag", "a question that is longer"], padding=True, return_tensors="pt")
    with torch.no_grad(), _expecting_warnings():
        torch.onnx.export(
            Whole().eval(),
            tuple(sample[name] for name in _INPUTS),
            str(path),
            input_names=list(_INPUTS),
            output_names=list(_OUTPUTS),
            dynamic_axes={"embedding": {0: "texts"}}
            | {name: {0: "texts", 1: "tokens"} for name in (*_INPUTS, "pieces")},
            opset_version=17,
            dynamo=False,
        )


@contextmanager
def _expecting_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        for message in _EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", message=message)
        yield


def _quantize(source: Path, target: Path) -> None:
    """Store weights in seven bits and a scale per channel.

    The eighth bit overflows on x86 processors without VNNI; leaving it out costs nothing in speed or in cosine, and
    keeps the vectors the same on every machine. One scale for all channels costs a cosine of .985 against .996.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.preprocess import quant_pre_process

    ready = target.with_name("ready.onnx")
    try:
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantize_dynamic(ready, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    finally:
        ready.unlink(missing_ok=True)
