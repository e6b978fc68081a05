import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.embed import Embedder, FakeEmbedder
from core.errors import BijdehandError
from core.learnt import keep, recall
from core.moments import Message, MomentHead, cross_validate, open_head, read_messages, score, train
from core.seeds import SEEDS
from knowledge.moment import Moment

SAYINGS = {
    Moment.NEW: "ik ben nieuw hier, waar begin ik met {}",
    Moment.MORE: "achtergrond gezocht: hoe zit {} precies in elkaar",
    Moment.APPLY: "klant aan de lijn, welke stappen zet ik voor {}",
    Moment.SOLVE: "foutmelding, {} loopt vast en lukt niet",
    Moment.CHANGE: "sinds wanneer is {} veranderd en wat gold eerst",
    None: "dankjewel, fijne dag, tot morgen en succes met {}",
}
SECTORS = {
    "bank": "oversluiten",
    "shop": "retour",
    "energy": "meterstand",
    "travel": "annuleren",
    "health": "declaratie",
}


def messages() -> list[Message]:
    return [
        Message(saying.format(subject), moment, sector)
        for sector, subject in SECTORS.items()
        for moment, saying in SAYINGS.items()
    ]


def guess(head: MomentHead, text: str) -> tuple[Moment | None, float]:
    return head.predict(text, FakeEmbedder().query(text))


def write(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return path


HEAD = train(FakeEmbedder(), messages())


def test_a_moment_is_learned_from_examples() -> None:
    head = train(FakeEmbedder(), messages())
    moment, certainty = guess(head, "foutmelding, inloggen loopt vast en lukt niet")
    assert moment is Moment.SOLVE
    assert 0.5 < certainty <= 1


def test_thanks_is_no_knowledge_need() -> None:
    head = train(FakeEmbedder(), messages())
    assert guess(head, "dankjewel, fijne dag en tot morgen")[0] is None


def test_a_head_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    head = train(FakeEmbedder(), messages())
    keep(tmp_path / "head.npz", head.arrays())
    again = MomentHead.of(recall(tmp_path / "head.npz"))
    assert guess(again, "waar begin ik") == guess(head, "waar begin ik")


def test_a_head_is_trained_once_for_the_same_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [{"text": m.text, "moment": m.moment or "none", "sector": m.sector} for m in messages()]
    examples = write(tmp_path / "moments.jsonl", *lines)
    open_head(FakeEmbedder(), examples, tmp_path / "cache")
    open_head(FakeEmbedder(), examples, tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    write(examples, *lines[:-1])
    open_head(FakeEmbedder(), examples, tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_damaged_head_is_trained_anew(tmp_path: Path) -> None:
    lines = [{"text": m.text, "moment": m.moment or "none", "sector": m.sector} for m in messages()]
    examples = write(tmp_path / "moments.jsonl", *lines)
    open_head(FakeEmbedder(), examples, tmp_path / "cache")
    (head,) = (tmp_path / "cache").iterdir()
    head.write_bytes(b"half a file")
    assert isinstance(open_head(FakeEmbedder(), examples, tmp_path / "cache"), MomentHead)


@settings(max_examples=50)
@given(st.text())
def test_any_text_at_all_gets_a_moment(text: str) -> None:
    moment, certainty = guess(HEAD, text)
    assert moment in {*Moment, None}
    assert 0 < certainty <= 1


def test_how_it_is_put_counts_beside_what_it_means() -> None:
    vector = FakeEmbedder().query("inloggen")
    assert HEAD.predict("foutmelding, het lukt niet", vector)[0] is Moment.SOLVE
    assert HEAD.predict("sinds wanneer is het veranderd", vector)[0] is Moment.CHANGE


def test_cross_validation_tests_every_message_once() -> None:
    report = cross_validate(FakeEmbedder(), messages())
    assert report.messages == len(messages()) == sum(map(sum, report.confusion))
    assert report.accuracy > 0.8
    assert report.labels == ("new", "more", "apply", "solve", "change", "none")


def test_a_report_counts_what_was_taken_for_what() -> None:
    head = train(FakeEmbedder(), messages())
    wrong = [Message("foutmelding, retour loopt vast en lukt niet", Moment.APPLY)]
    report = score(head, FakeEmbedder(), [*messages(), *wrong])
    labels = report.labels
    assert report.confusion[labels.index("apply")][labels.index("solve")] == 1
    assert report.classes["apply"].recall == pytest.approx(5 / 6)
    assert report.classes["solve"].precision == pytest.approx(5 / 6)
    assert report.classes["apply"].messages == 6


def test_too_few_sectors_cannot_be_cross_validated() -> None:
    with pytest.raises(BijdehandError, match="from 5 sectors"):
        cross_validate(FakeEmbedder(), [m for m in messages() if m.sector in {"bank", "shop"}])


@pytest.mark.parametrize("line", ['{"text": "hallo"}', '{"text": "hallo", "moment": "later"}', "[]", "hallo"])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "moments.jsonl"
    path.write_text('{"text": "hoi", "moment": "none"}\n' + line, encoding="utf-8")
    with pytest.raises(BijdehandError, match=r"moments\.jsonl, line 2: write"):
        read_messages(path)


@pytest.mark.model
def test_the_moment_is_right_in_nine_of_ten_in_a_sector_never_seen(real_embedder: Embedder) -> None:
    report = cross_validate(real_embedder, read_messages(SEEDS / "moments.jsonl"))
    assert report.accuracy > 0.88
    assert report.macro_f1 > 0.88
    assert np.sum(report.confusion) == report.messages >= 1200
    assert report.ambiguous >= 200
    assert report.accepted > 0.5
