import pytest
from conftest import article, make_desk, question
from hypothesis import given
from hypothesis import strategies as st

from core.confidence import Band, confidence_for
from core.errors import ModelError
from core.rerank import CrossEncoderReranker, open_reranker, reranked
from core.search import Found, Hit

GAS = article("---\ntitle: Klant ruikt gas\n---\n## Stappen\n1. Naar buiten.\n", "gas")
PRICE = article("---\ntitle: Gasprijs uitleggen\n---\n## Stappen\n1. Noem het tarief van gas.\n", "price")


class Liking:
    """Likes what names a word."""

    def __init__(self, word):
        self._word = word
        self.asked = []

    def scores(self, question, passages):
        self.asked.append((question, list(passages)))
        return [float(self._word in text) for text in passages]


def hits(*scores):
    return Found(
        tuple(Hit(article(f"---\ntitle: A{n}\n---\nx\n", f"a{n}"), s, f"zegt {n}") for n, s in enumerate(scores))
    )


@given(st.lists(st.floats(0, 20), max_size=10), st.randoms())
def test_the_same_articles_come_back_in_the_readers_order(scores, dice):
    found = hits(*sorted(scores, reverse=True))
    liked = [dice.random() for _ in scores]
    order = iter([liked])
    reader = type("Reader", (), {"scores": lambda *_: next(order)})()
    again = reranked(found, "vraag", reader)
    if len(scores) > 1:
        expected = sorted(range(len(scores)), key=lambda n: -liked[n])
        assert [hit.article.id for hit in again.hits] == [f"a{n}" for n in expected]
    assert [hit.score for hit in again.hits] == sorted((hit.score for hit in again.hits), reverse=True)
    assert again.score == found.score


def test_where_both_agree_on_the_first_it_is_as_sure_as_before():
    found = hits(12.0, 9.0, 8.0)
    again = reranked(found, "vraag", Liking("zegt 0"))
    assert (again.score, again.margin, again.lead) == (found.score, found.margin, found.lead)


def test_where_they_disagree_neither_is_sure():
    again = reranked(hits(12.0, 9.0, 8.0), "vraag", Liking("zegt 2"))
    assert [hit.article.id for hit in again.hits] == ["a2", "a0", "a1"]
    assert again.margin == 0
    assert again.lead == 0


def test_a_desk_without_one_answers_as_ever_and_with_one_in_its_order(store):
    plain = make_desk(store, (GAS, PRICE))
    assert plain.answer(question("klant ruikt gas")).card.article_id == "gas"
    plain._answering._reranker = reader = Liking("Gasprijs")
    answer = plain.answer(question("klant ruikt gas"))
    assert answer.card.article_id == "price"
    assert [other.article_id for other in answer.alternatives] == ["gas"]
    assert reader.asked[0][0] == "klant ruikt gas"
    assert any(text.startswith("Klant ruikt gas") for text in reader.asked[0][1])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A CrossEncoder of a few weights, in a folder."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    def make(labels):
        folder = tmp_path_factory.mktemp("cross")
        words = Tokenizer(WordLevel({"[PAD]": 0, "[UNK]": 1, "gas": 2, "prijs": 3}, unk_token="[UNK]"))
        words.pre_tokenizer = Whitespace()
        PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
        sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
        BertForSequenceClassification(BertConfig(vocab_size=4, num_labels=labels, **sizes)).save_pretrained(folder)
        return folder

    return make


def test_a_cross_encoder_opens_by_its_folder_and_gives_a_number_for_each_passage(tiny):
    reader = open_reranker(str(tiny(1)))
    assert isinstance(reader, CrossEncoderReranker)
    scores = reader.scores("gas", ["gas prijs", "prijs", "gas prijs"])
    assert len(scores) == 3
    assert scores[0] == pytest.approx(scores[2])
    assert scores[0] != scores[1]


def test_one_that_sorts_into_classes_is_refused(tiny):
    with pytest.raises(ModelError, match="3 classes"):
        open_reranker(str(tiny(3)))


def test_a_name_that_cannot_be_had_names_its_own_setting(monkeypatch, tmp_path):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ModelError, match="check BIJDEHAND_RERANKER"):
        open_reranker("nobody/no-such-reader")


def test_disagreement_is_below_an_answer():
    confidence = confidence_for("intfloat/multilingual-e5-small@x")
    sure = hits(12.0, 10.0, 9.5)
    assert confidence.band(confidence.of(sure)) is Band.ANSWER
    assert confidence.band(confidence.of(reranked(sure, "vraag", Liking("zegt 1")))) is not Band.ANSWER
