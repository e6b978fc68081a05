import json

import numpy as np
import pytest
from tokenizers import Tokenizer

from core.prepare import _VERSION
from core.seeds import SEEDS
from core.vocabulary import pruned, with_words

TEXTS = [
    *(json.loads(line)["text"] for line in (SEEDS / "golden.jsonl").read_text(encoding="utf-8").splitlines()),
    *(path.read_text(encoding="utf-8") for path in (SEEDS / "articles").glob("*/*.md")),
    "Curaçao, Łódź, Gökçe, Señor Muñoz, 100 m², €5,- 👍🏽 → ½",
]


def unigram(pieces, **parts):
    vocabulary = [["<s>", 0.0], ["<unk>", 0.0], *([piece, -float(n)] for n, piece in enumerate(pieces, 2))]
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [special(0, "<s>"), special(1, "<unk>"), special(len(vocabulary), "<mask>")],
            "normalizer": None,
            "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}},
            },
            "decoder": None,
            "model": {"type": "Unigram", "unk_id": 1, "vocab": [*vocabulary, ["<mask>", 0.0]], "byte_fallback": False},
        }
        | parts
    )


def special(number, content):
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": content, "special": True, **flags}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr("core.vocabulary._LARGE", 3)


def test_other_scripts_go_but_for_their_letters(small):
    before = unigram(["▁gas", "▁газ", "га", "з", "▁ketel", "ガス", "ス", "½", "▁", "é"])
    after, kept = pruned(before)
    tokens = Tokenizer.from_str(after)
    assert set(tokens.get_vocab()) == {"<s>", "<unk>", "<mask>", "▁gas", "з", "▁ketel", "ス", "½", "▁", "é"}
    assert [Tokenizer.from_str(before).id_to_token(number) for number in kept] == [
        tokens.id_to_token(number) for number in range(len(kept))
    ]
    assert tokens.encode("gas ketel").tokens == ["<s>", "▁gas", "▁ketel"]
    assert tokens.encode("gas").ids[0] == 0


@pytest.mark.parametrize("model", [{"type": "BPE", "vocab": {}}, {"type": "Unigram", "vocab": [["a", 0.0]]}])
def test_what_is_small_or_of_another_kind_stays(model):
    assert pruned(json.dumps({"model": model})) is None


@pytest.mark.model
def test_dutch_and_english_are_read_as_with_the_whole_vocabulary(real_embedder, model_cache):
    original = next((model_cache / "models").glob(f"*e5-small-{_VERSION}/original/tokenizer.json"), None)
    if original is None:
        pytest.skip("the tokenizer that came with the model is not kept here")
    ours, whole = real_embedder._tokenizer, Tokenizer.from_file(str(original))
    assert ours.get_vocab_size() < 0.6 * whole.get_vocab_size()
    whole.enable_truncation(ours.truncation["max_length"])
    for text in TEXTS:
        assert ours.encode(text).tokens == whole.encode(text).tokens
    assert "<unk>" not in ours.encode("Ελλάδα").tokens


def test_a_model_gets_its_words_back():
    torch = pytest.importorskip("torch")

    class Model:
        transformers_model = None

        def __init__(self):
            self.words = torch.nn.Embedding(5, 2, padding_idx=2)
            self.transformers_model = self

        def get_input_embeddings(self):
            return self.words

        def set_input_embeddings(self, words):
            self.words = words

    model = Model()
    before = model.words
    with with_words(model, [0, 2, 4]):
        assert model.words.padding_idx == 1
        assert np.allclose(model.words.weight.detach(), before.weight[[0, 2, 4]].detach())
    assert model.words is before
