import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.acquaintance import STRANGER, Acquaintance
from core.embed import Embedder, FakeEmbedder
from core.errors import BijdehandError
from core.learnt import keep, recall
from core.moments import Message, MomentHead, cross_validate, keep_own, open_head, read_messages, score, train
from core.retrain import retrain
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


# -- what came before --------------------------------------------------------------------------------------------------
def test_odds_tip_what_is_in_doubt_and_not_what_is_plain():
    vector = FakeEmbedder().query("iets")
    doubtful, plain = HEAD.predict("iets", vector)[0], "foutmelding, het lukt niet"
    assert HEAD.predict("iets", vector, {Moment.CHANGE: 9.0})[0] is Moment.CHANGE
    assert doubtful is not Moment.CHANGE
    assert HEAD.predict(plain, FakeEmbedder().query(plain), {Moment.NEW: 0.4})[0] is Moment.SOLVE


def test_acquaintance_says_what_it_is_worth():
    assert STRANGER.odds() == {}
    assert set(Acquaintance(remembered=True).odds()) == {Moment.NEW}
    often = Acquaintance(remembered=True, times=3, topic=5).odds()
    assert often[Moment.NEW] < 0 < often[Moment.MORE]
    assert 0 < Acquaintance(again=True).odds()[Moment.SOLVE] < Acquaintance(failed=True).odds()[Moment.SOLVE]


def test_what_tells_adds_up_to_the_difference_between_the_first_two():
    text = "foutmelding, het lukt niet"
    vector = FakeEmbedder().query(text)
    first, second, *_ = HEAD.chances(text, vector).values()
    assert sum(HEAD.telling(text, vector, most=999).values()) == pytest.approx(np.log(first / second), abs=1e-3)


MESSAGES = messages()


# -- corrections -------------------------------------------------------------------------------------------------------
def test_corrections_are_learnt_from_and_what_they_cost_is_told():
    corrections = [
        Message(f"pff {word} weer", Moment.SOLVE) for word in "een twee drie vier vijf zes zeven".split()
    ] * 3
    found = retrain(FakeEmbedder(), MESSAGES, corrections)
    assert found.corrections == 21
    assert found.own_after > found.own_before
    assert not found.worse
    assert found.head.predict("pff acht weer", FakeEmbedder().query("pff acht weer"))[0] is Moment.SOLVE


def test_corrections_that_make_it_worse_are_refused():
    rng = np.random.default_rng(0)
    moments = [Moment.NEW, Moment.CHANGE, Moment.MORE]
    corrections = [
        Message(one.text, moments[int(rng.integers(3))])
        for one in MESSAGES
        if one.moment in {Moment.APPLY, Moment.SOLVE}
    ] * 3
    assert retrain(FakeEmbedder(), MESSAGES, corrections).worse


def test_too_few_corrections_are_said():
    with pytest.raises(BijdehandError, match="There are 2 corrections; from 20 on"):
        retrain(FakeEmbedder(), MESSAGES, MESSAGES[:2])


def line(message):
    return {"text": message.text, "moment": message.moment or "none", "sector": message.sector}


def test_a_head_of_ones_own_counts_until_the_examples_are_others(tmp_path, caplog):
    examples = tmp_path / "moments.jsonl"
    write(examples, *map(line, MESSAGES))
    own = tmp_path / "own.npz"
    head = train(FakeEmbedder(), [*MESSAGES, *[Message("pff", Moment.CHANGE)] * 20])
    keep_own(head, own, FakeEmbedder(), examples)
    opened = open_head(FakeEmbedder(), examples, tmp_path / "cache", own)
    assert opened.predict("pff", FakeEmbedder().query("pff"))[0] is Moment.CHANGE
    write(examples, *map(line, MESSAGES[:-1]))
    opened = open_head(FakeEmbedder(), examples, tmp_path / "cache", own)
    assert "moments train" in caplog.text
    assert opened.predict("pff", FakeEmbedder().query("pff"))[1] < 0.9
