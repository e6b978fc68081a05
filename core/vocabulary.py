"""A smaller vocabulary: what is in no script that agents here write costs memory and is never read.

A multilingual model knows 250,000 pieces of words, half of them in other scripts than ours. A text that needs none of
those is cut into the same pieces without them, and each piece has the same vector, so nothing changes for it. Single
letters stay in every script: a name in Greek is spelled out instead of lost.
"""

import json
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_SPACE = "▁"  # stands before each word
_LARGE = 100_000  # pieces; a smaller vocabulary is of few languages already
_LAST_LATIN = "ɏ"  # of what European languages write


def pruned(tokenizer: str) -> tuple[str, Sequence[int]] | None:
    """A tokenizer's JSON with what we need, and the ids that this was; None where there is nothing to win."""
    parts: dict[str, Any] = json.loads(tokenizer)
    model = parts["model"]
    if model["type"] != "Unigram" or len(model["vocab"]) < _LARGE:
        return None
    special = {token["id"] for token in parts["added_tokens"]}
    kept = [
        number for number, (piece, _) in enumerate(model["vocab"]) if number in special or _is_ours(piece.strip(_SPACE))
    ]
    now = {before: after for after, before in enumerate(kept)}
    model["vocab"] = [model["vocab"][number] for number in kept]
    model["unk_id"] = now[model["unk_id"]]
    for token in parts["added_tokens"]:
        token["id"] = now[token["id"]]
    for named in (parts.get("post_processor") or {}).get("special_tokens", {}).values():
        named["ids"] = [now[number] for number in named["ids"]]
    return json.dumps(parts, ensure_ascii=False), kept


@contextmanager
def with_words(model: "SentenceTransformer", kept: Sequence[int]) -> Iterator[None]:
    """Inside, the model has the vectors of these pieces alone, numbered anew."""
    import torch

    transformer: Any = model.transformers_model
    whole = transformer.get_input_embeddings()
    few = torch.nn.Embedding.from_pretrained(whole.weight[np.asarray(kept)].detach())  # type: ignore[no-untyped-call]
    if whole.padding_idx is not None:  # positions are counted from it
        few.padding_idx = list(kept).index(whole.padding_idx)
    transformer.set_input_embeddings(few)
    try:
        yield
    finally:
        transformer.set_input_embeddings(whole)


def _is_ours(piece: str) -> bool:
    return len(piece) <= 1 or all(map(_is_latin_or_no_letter, piece))


def _is_latin_or_no_letter(character: str) -> bool:
    return character <= _LAST_LATIN or unicodedata.category(character)[0] not in "LM"
