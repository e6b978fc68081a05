"""What is erased is gone: from the tables, and from the bytes of the files."""

from contextlib import closing
from datetime import timedelta

import pytest
from conftest import TODAY, article, make_desk

from core.errors import StoreError
from core.loop import Draft, State
from core.model import Event, Feedback, Question, Role
from core.store import Identity
from core.store.sqlite import SqliteStore

SECRET, NOTE, OTHER = "paarsgestreeptezebra", "oranjekleurigekameel", "groengevleugeldepauw"
ANNE, BAS = Identity("slack", "T1", "U0ANNE"), Identity("slack", "T1", "U0BAS")
GAS = article("---\ntitle: Klant ruikt gas\n---\n## Stappen\n1. Naar buiten.\n", "gas")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bijdehand.db"


@pytest.fixture
def desk(store):
    return make_desk(store, (GAS,))


def use(desk, identity, word):
    """Somebody does all that leaves something behind."""
    store, now = desk.store, desk.now()
    person = store.person(identity)
    answer = desk.ask(Question(f"klant heeft {word} wat nu", person, surface="slack"))
    desk.rate(Feedback(answer.id, person.id, reason="topic", note=f"{NOTE} {word}"))
    desk.keep(answer.id, person)
    event = Event("slack", "T1", "D1", f"1.{word}", identity.user, f"en {word} dan", {"channel": f"D-{word}"})
    store.receive(event, now)
    store.add_tip("gas", f"tip {word}", person.id, "", now)
    store.keep_draft(Draft("", person.id, "article", "", {"title": f"concept {word}"}), now)
    store.note_refusal(person.id, "publish", f"poging {word}", now)
    return person


def everything(path):
    """All bytes there are of the database."""
    return b"".join(file.read_bytes() for file in path.parent.glob("bijdehand.db*"))


def test_of_whoever_is_forgotten_no_byte_is_left_and_others_lose_nothing(desk, store, path):
    anne, bas = use(desk, ANNE, SECRET), use(desk, BAS, OTHER)
    before = store.about(bas.id)
    for word in (SECRET, NOTE, ANNE.user, anne.id):
        assert word.encode() in everything(path)
    store.forget(anne.id)
    assert store.about(anne.id) == {}
    left = everything(path)
    for word in (SECRET, ANNE.user, anne.id):
        assert word.encode() not in left
    assert store.about(bas.id) == before
    assert OTHER.encode() in left
    store.close()
    for word in (SECRET, ANNE.user, anne.id):
        assert word.encode() not in everything(path)


def test_all_that_somebody_left_is_shown(desk, store):
    anne = use(desk, ANNE, SECRET)
    use(desk, BAS, OTHER)
    found = store.about(anne.id)
    assert {"identity", "person", "answer", "event", "feedback", "kept", "tip", "draft", "request"} <= set(found)
    assert SECRET in str(found)
    assert OTHER not in str(found)
    assert BAS.user not in str(found)


def test_a_question_that_another_asked_too_stays(desk, store):
    anne, bas = (store.person(one) for one in (ANNE, BAS))
    for person in (anne, bas):
        desk.ask(Question("mag een hond mee in het vliegtuig", person))
    assert len(desk.questions.waiting()) >= 1
    store.forget(anne.id)
    assert sum(len(one.requests) for one in desk.questions.waiting()) == 1
    store.forget(bas.id)
    assert desk.questions.waiting() == []


def test_a_question_that_a_coach_took_goes_with_its_only_asker(desk, store):
    anne, coach = store.person(ANNE), store.set_person(BAS, role=Role.COACH)
    desk.ask(Question("mag een hond mee in het vliegtuig", anne))
    (waiting,) = desk.questions.waiting()
    store.move(waiting.id, State.TAKEN, TODAY, coach_id=coach.id)
    store.forget(anne.id)
    assert desk.questions.waiting() == []


def test_a_change_that_waits_for_a_second_coach_outlives_who_proposed_it(desk, store):
    coach = store.set_person(BAS, role=Role.COACH)
    store.propose(GAS, "edited", coach.id, TODAY, [])
    store.forget(coach.id)
    assert [one.article.id for one in store.proposals()] == ["gas"]


def test_somebody_who_reads_on_is_named_and_the_rows_are_gone(desk, store, path):
    anne = use(desk, ANNE, SECRET)
    with closing(SqliteStore(path, wait=0.2)) as other, store.read() as db:
        db.execute("select count(*) from answer").fetchone()
        with pytest.raises(StoreError, match="another program reads it"):
            other.forget(anne.id)
    assert store.about(anne.id) == {}
    store.empty_log()
    assert SECRET.encode() not in everything(path)


def test_what_is_old_goes_and_what_is_new_stays(desk, store, path):
    anne = use(desk, ANNE, SECRET)
    assert store.sweep(TODAY + timedelta(days=29)) == {}
    gone = store.sweep(TODAY + timedelta(days=31))
    assert gone == {"event": 1, "draft": 1}, "the rest lasts longer"
    assert "answer" in store.about(anne.id)
    store.sweep(TODAY + timedelta(days=364))
    assert "answer" in store.about(anne.id), "a coach still has to look at it"
    assert "tip" in store.about(anne.id)
    store.sweep(TODAY + timedelta(days=366))
    assert set(store.about(anne.id)) == {"identity", "person"}
    assert SECRET.encode() not in everything(path)


def test_a_question_that_is_closed_goes_with_its_time(desk, store):
    anne = store.person(ANNE)
    desk.ask(Question("mag een hond mee in het vliegtuig", anne))
    (waiting,) = desk.questions.waiting()
    store.move(waiting.id, State.DECLINED, now=TODAY)
    store.sweep(TODAY + timedelta(days=181))
    assert "answer" not in store.about(anne.id)
