import json

import pytest
from conftest import FAKE_CONFIDENCE, article

from core.embed import FakeEmbedder
from core.errors import BijdehandError
from core.evaluate import FollowUp, Query, follow_ups, read_follow_ups, read_qrels, read_queries, retrieval

ARTICLES = [
    article("---\ntitle: Verhuizing doorgeven\n---\nVraag de postcode.\n", "shop-move"),
    article("---\ntitle: Klant ruikt gas\n---\nGa naar buiten.\n", "shop-gas"),
    article("---\ntitle: Verhuizing doorgeven\n---\nVraag de postcode.\n", "bank-move"),
]
RIGHT = [Query("q1", "verhuizing doorgeven", "nl", "shop"), Query("q2", "ruikt gas", "nl", "shop")]
QRELS = {"q1": {"shop-move"}, "q2": {"shop-gas"}}


def run(queries=RIGHT, qrels=QRELS, **options):
    return retrieval(ARTICLES, queries, qrels, FakeEmbedder(), FAKE_CONFIDENCE, **options)


def test_questions_that_are_answered_right_score_one():
    report = run()
    for leg in ("bm25", "vector", "hybrid"):
        assert report.results["all"][leg]["hit@1"] == 1
        assert report.results["nl"][leg]["MRR@10"] == 1
    assert report.queries == {"nl": 2, "all": 2}


def test_a_wrong_label_scores_nothing_at_one():
    report = run(qrels={"q1": {"shop-gas"}, "q2": {"shop-move"}})
    assert report.results["all"]["hybrid"]["hit@1"] == 0
    assert report.results["all"]["hybrid"]["MRR@10"] == pytest.approx(0.5)


def test_a_question_is_asked_of_its_own_group_alone():
    report = run(queries=[Query("q1", "verhuizing doorgeven", "nl", "bank")], qrels={"q1": {"bank-move"}})
    assert report.results["all"]["hybrid"]["hit@1"] == 1


def test_questions_without_an_answer_tell_how_well_we_refuse():
    nothing = [Query("n1", "banana bread", "en", "shop"), Query("n2", "wie wint de cup", "nl", "shop")]
    refusal = run(no_answer=nothing).refusal
    assert sum(refusal.answerable.values()) == pytest.approx(1)
    assert refusal.unanswerable["unanswered"] == 1
    assert refusal.auroc_answerable == 1


def test_a_group_that_has_only_questions_without_an_answer_counts_too():
    asked = [Query("q1", "verhuizing doorgeven", "nl", "shop")]
    nothing = [Query(f"n{n}", "wie wint de cup", "nl", "bank") for n in range(3)]
    report = run(queries=asked, qrels={"q1": {"shop-move"}}, no_answer=nothing)
    assert report.refusal.unanswerable["unanswered"] == 1


def test_no_question_with_a_label_is_an_error_that_says_so():
    with pytest.raises(BijdehandError, match="--select"):
        run(qrels={})


def test_files_are_read_and_faults_are_named_with_their_line(tmp_path):
    queries = tmp_path / "q.jsonl"
    queries.write_text('{"id": "q-1", "text": "hoe zat t ook alweer met salderen"}\n{"id": "k-1", "text": "x"}\n')
    assert [query.id for query in read_queries(queries, select="q-*")] == ["q-1"]
    assert read_queries(queries)[0].language == "nl"
    queries.write_text('{"id": "q-1"}\n')
    with pytest.raises(BijdehandError, match="line 1: text is missing"):
        read_queries(queries)
    queries.write_text("\n{nonsense\n")
    with pytest.raises(BijdehandError, match="line 2"):
        read_queries(queries)
    qrels = tmp_path / "r.tsv"
    qrels.write_text("q-1\ta\t1\nq-1\tb\t0\n")
    assert read_qrels(qrels) == {"q-1": {"a"}}
    qrels.write_text("q-1 a 1\n")
    with pytest.raises(BijdehandError, match="tabs"):
        read_qrels(qrels)
    with pytest.raises(BijdehandError, match="no file"):
        read_qrels(tmp_path / "none.tsv")


def test_a_report_is_json():
    from pydantic import TypeAdapter

    assert json.loads(TypeAdapter(object).dump_json(run()))["articles"] == 3


def test_follow_ups_are_searched_alone_and_with_what_was_said_before():
    asked = [
        FollowUp(("klant ruikt gas",), "en dan?", "nl", "shop-gas", "elliptical"),
        FollowUp(("klant ruikt gas",), "verhuizing doorgeven postcode", "nl", "shop-move", "switch"),
        FollowUp(("klant ruikt gas",), "dankje", "nl", None, "smalltalk"),
    ]
    kinds = follow_ups(ARTICLES[:2], asked, FakeEmbedder(), FAKE_CONFIDENCE).results["nl"]
    alone, context = kinds["elliptical"]["alone"], kinds["elliptical"]["context"]
    assert (alone.answered_right, context.answered_right, context.first) == (0, 1, 1)
    assert kinds["switch"]["context"] == kinds["switch"]["alone"]
    assert kinds["switch"]["alone"].answered_right == 1
    assert kinds["smalltalk"]["context"] == kinds["smalltalk"]["alone"]
    assert kinds["smalltalk"]["alone"].unanswered == 1


def test_an_answer_where_there_is_none_to_give_is_a_wrong_one():
    asked = [FollowUp((), "klant ruikt gas", "nl", None, "smalltalk")]
    score = follow_ups(ARTICLES[:2], asked, FakeEmbedder(), FAKE_CONFIDENCE).results["nl"]["smalltalk"]["alone"]
    assert (score.first, score.answered_right, score.answered_wrong) == (0, 0, 1)


def test_a_fault_in_a_file_of_follow_ups_is_named(tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_text('{"before": ["a"], "text": "en dan?", "article": null, "kind": "switch", "language": "en"}\n')
    assert read_follow_ups(path) == [FollowUp(("a",), "en dan?", "en", None, "switch")]
    path.write_text('{"before": "a", "text": "en dan?", "article": null, "kind": "switch"}\n')
    with pytest.raises(BijdehandError, match="as a list"):
        read_follow_ups(path)
    path.write_text('{"before": [], "text": "en dan?", "kind": "switch"}\n')
    with pytest.raises(BijdehandError, match="line 1: article is missing"):
        read_follow_ups(path)
