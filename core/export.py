"""A sentence-transformers model as one ONNX file in int8, checked against the model it came from."""

import logging
import warnings
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.embed import Embedder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentence_transformers import SentenceTransformer

_OPSET = 17


@dataclass(frozen=True, slots=True)
class Parity:
    """Cosines between the vectors that two embedders give the same texts."""

    mean: float
    least: float
    texts: int


def parity(one: Embedder, other: Embedder, texts: Sequence[str]) -> Parity:
    """Compare texts as questions, and all of them at once as a passage of full length."""
    cosines = [float(one.query(text) @ other.query(text)) for text in texts]
    everything = " ".join(texts)
    cosines.append(float(one.passage(everything) @ other.passage(everything)))
    return Parity(float(np.mean(cosines)), min(cosines), len(texts))


def export(model: "SentenceTransformer", folder: Path) -> None:
    """Write `model.onnx` (int8) and `tokenizer.json`; raises whatever the exporter does when it cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    full = folder / "full.onnx"
    _trace(model, full)
    _quantize(full, folder / "model.onnx")
    full.unlink()
    model.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))


def _trace(model: "SentenceTransformer", path: Path) -> None:
    import torch

    class Whole(torch.nn.Module):
        """The chain of modules as one function of ids and mask."""

        def __init__(self) -> None:
            super().__init__()
            self.chain = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask}
            vector: torch.Tensor = self.chain(features)["sentence_embedding"]
            return torch.nn.functional.normalize(vector, dim=-1)

    model[0].auto_model.set_attn_implementation("eager")  # the others are not traced faithfully
    sample = model.tokenizer(["een vraag", "a question that is longer"], padding=True, return_tensors="pt")
    with torch.no_grad(), _quiet():
        torch.onnx.export(
            Whole().eval(),
            (sample["input_ids"], sample["attention_mask"]),
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["embedding"],
            dynamic_axes={
                "input_ids": {0: "batch", 1: "tokens"},
                "attention_mask": {0: "batch", 1: "tokens"},
                "embedding": {0: "batch"},
            },
            opset_version=_OPSET,
            dynamo=False,
        )


def _quantize(source: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True)


@contextmanager
def _quiet() -> "Iterator[None]":
    with warnings.catch_warnings():
        yield
