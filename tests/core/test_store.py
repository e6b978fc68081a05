"""What every store promises, whichever database is behind it. Another one joins in the fixture `url`."""

import hashlib
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.acquaintance import Acquaintance
from core.errors import NotFoundError, StoreError
from core.model import (
    Answer,
    Attachment,
    Card,
    Delivery,
    Event,
    Feedback,
    Outcome,
    Person,
    Place,
    Role,
    Suggestion,
)
from core.moments import Message
from core.store import Embedded, Identity, Piece
from core.store.sqlite import open_store
from knowledge.article import Article, Change, Kind, Section, Status
from knowledge.glossary import Term
from knowledge.moment import Moment
from knowledge.shape import Part

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
LEASE = timedelta(seconds=30)
JAN = Identity("slack", "T1", "U-JAN")
numbers = itertools.count()
any_text = st.text(st.characters(), max_size=40)  # lone surrogates and NUL too


@pytest.fixture(params=["sqlite"])
def url(request, tmp_path):
    return f"{request.param}:///{tmp_path / 'bijdehand.db'}"


@pytest.fixture
def store(url):
    with closing(open_store(url)) as opened:
        yield opened


@pytest.fixture(scope="module", params=["sqlite"])
def long_lived(request, tmp_path_factory):
    with closing(open_store(f"{request.param}:///{tmp_path_factory.mktemp('store') / 'b.db'}")) as opened:
        yield opened


def vector(text, model="m"):
    seed = hashlib.sha256(f"{model} {text}".encode("utf-8", "surrogatepass")).digest()
    return np.frombuffer(seed, dtype=np.uint8).astype(np.float32)


def piece(text, model="m"):
    return Piece(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), text, vector(text, model))


def embedded(article, *passages, model="m"):
    return Embedded(article, piece(article.title, model), tuple(piece(text, model) for text in passages))


def tariff(article_id="nl/tarief", title="Tarief wijzigen"):
    return Article(article_id, title, (Section(Kind.STEPS, "## Stappen\n", "1. Kies het tarief.\n"),))


def article_of(text):
    """Every field set, and `text` wherever there can be any."""
    return Article(
        id=f"nl/{text}",
        title=text,
        sections=(Section(None, "", text), Section(Kind.CANNOT, f"## {text}\n", text)),
        language="en",
        topic=text,
        status=Status.RETIRED,
        version=1,
        url=text,
        aliases=(text, text),
        moments=(Moment.SOLVE, Moment.CHANGE),
        audience=(text,),
        brand=text,
        owner=text,
        verified=date(2026, 1, 31),
        verify_every=90,
        effective_from=NOW,
        effective_until=NOW + timedelta(microseconds=1),
        applies_when=text,
        critical=True,
        basis=text,
        changes=(Change(NOW, text, text, text, text),),
        training=text,
        translation_of=text,
        front=f"---\n{text}\n---\n",
    )


def answer_of(text, answer_id="a1"):
    part = Part(Kind.STEPS, text, text, text)
    card = Card(
        article_id=text,
        version=3,
        title=text,
        language="nl",
        topic=text,
        critical=True,
        first=(part,),
        more=(part, part),
        notes=(text,),
        changed=text,
        source=text,
        training=text,
        url=text,
        moments=(Moment.APPLY, Moment.NEW),
        walk=(text, text),
        walked=Kind.TROUBLE,
        say=(text,),
    )
    return Answer(
        id=answer_id,
        outcome=Outcome.SUGGESTIONS,
        language="en",
        question=text,
        message=text,
        bridge=text,
        moment=Moment.MORE,
        moment_confidence=0.25,
        confidence=0.1,
        card=card,
        alternatives=(Suggestion(text, text, "en"),),
        warnings=(text,),
    )


def event_of(text, message_id="1"):
    return Event(
        surface="slack",
        team=text,
        place=text,
        message_id=message_id,
        user=text,
        text=text,
        address={"channel": text, "thread": None, "deep": [text, {text: 1.5}], "ok": True},
        direct=False,
        locale=text,
        thread=text,
        addressed=False,
        attachment=Attachment.VOICE,
    )


def question(message_id="1", user="U-JAN", place="C1"):
    return Event("slack", "T1", place, message_id, user, "hoe wijzig ik het tarief?", {"channel": place, "to": user})


def help_answer(answer_id="a1"):
    return Answer(answer_id, Outcome.HELP, "nl", "hoe wijzig ik het tarief?")


def finished(store, event, answer_id="a1", now=NOW):
    store.receive(event, now)
    return store.finish(event, help_answer(answer_id), store.person(JAN), now)


def storable(text):
    return "".join(
        "\ufffd" if character == "\0" or "\ud800" <= character <= "\udfff" else character for character in text
    )


# -- articles ------------------------------------------------------------------------------------------------


def test_a_new_article_is_version_one_and_comes_back_as_it_was_saved(store):
    article = article_of("Opzeggen bij overlijden, één dag eerder 🙏")
    store.save([embedded(replace(article, version=7), "eerste", "tweede")], "m")
    assert store.article(article.id) == article
    assert store.articles() == [article]


def test_an_article_that_did_not_change_keeps_its_version_and_the_sequence(store):
    store.save([embedded(tariff(), "eerste", "tweede")], "m")
    before = store.sequence()
    store.save([embedded(tariff(), "eerste", "tweede")], "m")
    assert store.sequence() == before
    assert store.article("nl/tarief").version == 1


@pytest.mark.parametrize(
    "changed",
    [
        embedded(tariff(title="Tarief veranderen"), "eerste"),
        embedded(replace(tariff(), critical=True), "eerste"),
        embedded(replace(tariff(), front="---\nid: x\n---\n"), "eerste"),
        embedded(tariff(), "anders"),
        embedded(tariff(), "eerste", "tweede"),
        embedded(tariff()),
    ],
)
def test_an_article_whose_content_or_passages_changed_gets_the_next_version(store, changed):
    store.save([embedded(tariff(), "eerste")], "m")
    before = store.sequence()
    store.save([changed], "m")
    assert store.article("nl/tarief") == replace(changed.article, version=2)
    assert store.sequence() > before


def test_articles_are_saved_all_or_none(store):
    broken = Embedded(tariff("nl/b"), Piece("h", "tekst", "no vector"), ())
    with pytest.raises(ValueError, match="could not convert"):
        store.save([embedded(tariff("nl/a"), "eerste"), broken], "m")
    assert store.articles() == []
    assert store.sequence() == 0


def test_articles_are_sorted_by_id_and_drafts_are_among_them(store):
    draft = replace(tariff("nl/a"), status=Status.DRAFT)
    store.save([embedded(tariff("nl/c")), embedded(draft), embedded(tariff("nl/B"))], "m")
    assert [article.id for article in store.articles()] == ["nl/B", "nl/a", "nl/c"]


def test_an_unknown_article_is_not_found(store):
    with pytest.raises(NotFoundError, match="nl/tarief"):
        store.article("nl/tarief")


def test_deleted_articles_are_gone_and_unknown_ids_change_nothing(store):
    store.save([embedded(tariff("nl/a"), "eerste"), embedded(tariff("nl/b"))], "m")
    saved = store.sequence()
    store.delete(["nl/nooit"])
    assert store.sequence() == saved
    store.delete(iter(["nl/a", "nl/nooit"]))
    assert store.sequence() > saved
    assert [article.id for article in store.articles()] == ["nl/b"]


def test_a_snapshot_gives_each_article_its_own_vectors(store):
    texts = {"nl/b": ["een", "twee", "drie"], "nl/a": ["vier"], "nl/c": ["vijf", "een"]}
    store.save([embedded(tariff(key, f"Over {key}"), *found) for key, found in texts.items()], "m")
    snapshot = store.snapshot("m")
    assert [article.id for article in snapshot.articles] == ["nl/a", "nl/b", "nl/c"]
    assert snapshot.missing == ()
    assert snapshot.sequence == store.sequence()
    assert snapshot.owners.tolist() == [0, 1, 1, 1, 2, 2]
    np.testing.assert_array_equal(snapshot.whole, [vector(f"Over nl/{key}") for key in "abc"])
    told = ["vier", "een", "twee", "drie", "vijf", "een"]
    np.testing.assert_array_equal(snapshot.passages, [vector(text) for text in told])
    assert snapshot.passages.dtype == np.float32


def test_a_snapshot_of_nothing_is_empty(store):
    snapshot = store.snapshot("m")
    assert (snapshot.sequence, snapshot.articles, snapshot.missing) == (0, (), ())
    assert len(snapshot.whole) == len(snapshot.passages) == len(snapshot.owners) == 0


def test_an_article_that_another_model_embedded_is_missing_until_this_one_does(store):
    both, one = embedded(tariff("nl/a"), "eerste"), embedded(tariff("nl/b"), "tweede")
    store.save([both, one], "m")
    before = store.sequence()
    store.save([embedded(tariff("nl/a"), "eerste", model="n")], "n")
    assert store.sequence() > before
    snapshot = store.snapshot("n")
    assert [article.id for article in snapshot.articles] == ["nl/a"]
    assert snapshot.missing == ("nl/b",)
    assert snapshot.articles[0].version == 1
    np.testing.assert_array_equal(snapshot.passages, [vector("eerste", "n")])
    assert store.snapshot("m").missing == ()


def test_an_article_with_one_passage_not_embedded_is_missing(store):
    store.save([embedded(tariff("nl/a"), "eerste", "tweede")], "m")
    store.save([embedded(tariff("nl/b", "eerste"), model="n")], "n")
    assert store.snapshot("n").missing == ("nl/a",)


def test_only_vectors_of_the_same_model_are_known(store):
    store.save([embedded(tariff(), "eerste")], "m")
    hashes = [piece("eerste").hash, piece("nieuw").hash]
    known = store.known(iter(hashes), "m")
    assert list(known) == hashes[:1]
    np.testing.assert_array_equal(known[hashes[0]].vector, vector("eerste"))
    assert store.known(hashes, "n") == {}
    assert store.known([], "m") == {}


def test_very_many_vectors_can_be_asked_for_at_once(store):
    store.save([embedded(tariff(), "eerste")], "m")
    many = [str(number) for number in range(100_000)]
    assert len(store.known([*many, piece("eerste").hash], "m")) == 1


def test_a_vector_stays_as_long_as_one_passage_has_its_text(store):
    shared = piece("U krijgt geen boete.").hash
    for key in ("nl/a", "nl/b"):
        store.save([embedded(tariff(key), "U krijgt geen boete.")], "m")
    store.save([embedded(tariff("nl/a"), "iets anders")], "m")
    assert store.known([shared], "m")
    store.delete(["nl/b"])
    assert not store.known([shared], "m")
    assert store.facts()["vector"] == store.facts()["passage"] == 2


def test_threads_that_save_at_once_lose_nothing(store):
    def save(number):
        store.save([embedded(tariff(f"nl/{number % 8}", f"Titel {number}"), str(number))], "m")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(save, range(64)))
    assert [article.version for article in store.articles()] == [8] * 8
    assert store.sequence() == 64
    assert store.snapshot("m").missing == ()


# -- people --------------------------------------------------------------------------------------------------


def test_whoever_is_new_is_an_agent_with_a_random_id_that_stays(store):
    person = store.person(JAN)
    assert person == Person(person.id)
    assert person.role is Role.AGENT
    assert "JAN" not in person.id
    assert store.person(JAN) == person
    assert store.person(replace(JAN, team="T2")).id != person.id


def test_to_look_whether_somebody_is_known_makes_nobody(store):
    assert store.known_person(JAN) is None
    assert store.people() == []
    coach = store.set_person(JAN, role=Role.COACH)
    assert store.known_person(JAN) == coach
    for stranger in [replace(JAN, surface="teams"), replace(JAN, team="T2"), replace(JAN, user="U-PIET")]:
        assert store.known_person(stranger) is None


def test_a_person_gets_what_is_named_and_keeps_the_rest(store):
    new = store.set_person(JAN, role=Role.COACH, audience=["zakelijk", "storing"], level="senior")
    assert new == Person(new.id, Role.COACH, ("zakelijk", "storing"), None, "senior")
    assert store.set_person(JAN, language="en") == replace(new, language="en")
    assert store.set_person(JAN, audience=(), level="") == replace(new, language="en", audience=(), level="")
    assert store.person(JAN).role is Role.COACH


def test_people_are_sorted_by_surface_team_and_user(store):
    names = [Identity("teams", "A", "1"), Identity("slack", "T2", "1"), Identity("slack", "T1", "2"), JAN]
    known = {name: store.person(name) for name in names}
    assert store.people() == [(name, known[name]) for name in [names[2], JAN, names[1], names[0]]]


def test_threads_that_meet_somebody_at_once_meet_one_person(store):
    with ThreadPoolExecutor(8) as pool:
        assert len({person.id for person in pool.map(store.person, [JAN] * 32)}) == 1


# -- events and replies --------------------------------------------------------------------------------------


def test_an_event_is_received_once_also_after_a_restart(url):
    results = []
    for number in range(4):
        with closing(open_store(url)) as store:
            if store.receive(question(), NOW):
                results.append(store.finish(question(), help_answer(f"a{number}"), store.person(JAN), NOW))
            facts = store.facts()
    assert len(results) == 1
    assert (facts["event"], facts["answer"], facts["outbox"]) == (1, 1, 1)


def test_the_same_message_id_elsewhere_is_another_event(store):
    assert store.receive(question("1", place="C1"), NOW)
    assert store.receive(question("1", place="C2"), NOW)
    assert store.receive(replace(question("1"), team="T2"), NOW)
    assert store.receive(replace(question("1"), surface="teams"), NOW)
    assert not store.receive(replace(question("1"), text="bewerkt", user="U-PIET"), NOW)


def test_an_event_is_leased_to_one_for_thirty_seconds(store):
    store.receive(question(), NOW)
    assert store.lease(question(), NOW)
    assert not store.lease(question(), NOW + LEASE / 2)
    assert store.lease(question(), NOW + LEASE)
    assert not store.lease(question(), NOW + LEASE)


def test_neither_a_done_nor_an_unknown_event_can_be_leased(store):
    finished(store, question())
    assert not store.lease(question(), NOW + 2 * LEASE)
    assert not store.lease(question("2"), NOW)


def test_threads_that_claim_an_event_at_once_get_it_once(store):
    store.receive(question(), NOW)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: store.lease(question(), NOW), range(16))) == 1


def test_undone_events_come_back_as_they_were_oldest_first(store):
    events = [event_of(text, str(number)) for number, text in enumerate(["eerste", "tweede", "derde"])]
    for number, event in enumerate(events):
        store.receive(event, NOW + timedelta(seconds=number))
    assert store.undone("slack", LONG_AGO, NOW) == events
    assert store.undone("slack", NOW, NOW) == events[1:]
    assert store.undone("teams", LONG_AGO, NOW) == []


@pytest.mark.parametrize("addressed", [True, False])
@pytest.mark.parametrize("attachment", [None, *Attachment])
def test_an_event_comes_back_with_how_it_was_said(store, addressed, attachment):
    event = replace(event_of("tekst"), addressed=addressed, attachment=attachment)
    store.receive(event, NOW)
    assert store.undone("slack", LONG_AGO, NOW) == [event]


def test_an_event_comes_back_without_what_was_said_before_it(store):
    store.receive(replace(question(), before=("klant belt",)), NOW)
    assert store.undone("slack", LONG_AGO, NOW) == [question()]


def test_leased_and_finished_events_are_not_undone(store):
    for message_id in "123":
        store.receive(question(message_id), NOW)
    store.lease(question("1"), NOW)
    store.finish(question("2"), help_answer(), store.person(JAN), NOW)
    assert store.undone("slack", LONG_AGO, NOW) == [question("3")]
    assert store.undone("slack", LONG_AGO, NOW + LEASE) == [question("1"), question("3")]


def test_an_event_keeps_the_user_who_asked(store):
    store.receive(question("1", "U-JAN"), NOW)
    store.receive(question("2", "U-PIET"), NOW)
    assert [event.user for event in store.undone("slack", LONG_AGO, NOW)] == ["U-JAN", "U-PIET"]
    assert len(store.people()) == 2


def test_a_finished_event_has_its_answer_in_the_outbox(store):
    store.receive(question(), NOW)
    delivery = store.finish(question(), answer_of("ja"), store.person(JAN), NOW)
    assert delivery == Delivery(delivery.id, "slack", {"channel": "C1", "to": "U-JAN"}, answer_of("ja"))
    assert store.answer("a1") == answer_of("ja")
    again = store.outbox("slack", LONG_AGO, NOW + LEASE)
    assert again == [delivery]
    assert again[0].created == delivery.created == NOW


def test_an_event_that_somebody_else_finished_is_not_answered_again(store):
    finished(store, question(), "a1")
    assert store.finish(question(), help_answer("a2"), store.person(JAN), NOW) is None
    with pytest.raises(NotFoundError):
        store.answer("a2")
    assert store.facts()["outbox"] == 1


def test_an_event_that_was_never_received_cannot_be_finished(store):
    with pytest.raises(NotFoundError, match="never received"):
        store.finish(question(), help_answer(), Person("p"), NOW)
    assert store.facts()["answer"] == 0


def test_a_reply_belongs_to_whoever_finished_it_until_the_lease_ends(store):
    delivery = finished(store, question())
    assert store.outbox("slack", LONG_AGO, NOW + LEASE / 2) == []
    assert store.outbox("slack", LONG_AGO, NOW + LEASE) == [delivery]
    assert store.outbox("slack", LONG_AGO, NOW + LEASE) == []
    assert store.outbox("teams", LONG_AGO, NOW + 3 * LEASE) == []
    assert store.outbox("slack", NOW, NOW + 3 * LEASE) == []


def test_a_reply_that_was_sent_is_not_sent_again(store):
    delivery = finished(store, question())
    store.sent(delivery, NOW)
    store.sent(delivery, NOW)
    store.not_sent(delivery, "ratelimited")
    assert store.outbox("slack", LONG_AGO, NOW + 2 * LEASE) == []


def test_a_reply_that_was_refused_is_there_again_with_its_attempts_counted(store):
    delivery = finished(store, question())
    store.not_sent(delivery, "ratelimited")
    assert store.outbox("slack", LONG_AGO, NOW) == [replace(delivery, attempts=1)]
    store.not_sent(delivery, "ratelimited")
    assert store.outbox("slack", LONG_AGO, NOW)[0].attempts == 2


def test_a_late_word_about_a_withdrawn_reply_is_not_said_of_another(store):
    withdrawn = finished(store, question("1"), "a1")
    store.withdraw("slack", "T1", "C1", "1")
    other = finished(store, question("2"), "a2")
    store.sent(withdrawn, NOW, message_id="R1")
    store.not_sent(withdrawn, "ratelimited")
    assert store.outbox("slack", LONG_AGO, NOW + LEASE) == [other]
    assert store.withdraw("slack", "T1", "C1", "2") == ""


def test_threads_that_empty_the_outbox_at_once_share_it(store):
    for number in range(20):
        finished(store, question(str(number)), f"a{number}")
    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(lambda _: store.outbox("slack", LONG_AGO, NOW + LEASE), range(8)))
    assert sorted(delivery.answer.id for share in shares for delivery in share) == sorted(f"a{n}" for n in range(20))


# -- answers -------------------------------------------------------------------------------------------------


def test_an_answer_without_delivery_is_kept(store):
    store.record(answer_of("ja"), Person("nobody's"), "terminal", NOW)
    assert store.answer("a1") == answer_of("ja")
    assert store.outbox("terminal", LONG_AGO, NOW + LEASE) == []


def test_answering_somebody_does_not_take_away_the_role_they_got_meanwhile(store):
    before = store.person(JAN)
    store.set_person(JAN, role=Role.ADMIN)
    store.record(help_answer(), before, "slack", NOW)
    assert store.person(JAN).role is Role.ADMIN


def test_feedback_needs_an_answer_and_a_person(store):
    person = store.person(JAN)
    with pytest.raises(NotFoundError, match="a1"):
        store.rate(Feedback("a1", person.id, helpful=True), NOW)
    store.record(help_answer(), person, "slack", NOW)
    with pytest.raises(NotFoundError, match="nobody"):
        store.rate(Feedback("a1", "nobody", helpful=True), NOW)
    store.rate(Feedback("a1", person.id, helpful=True), NOW)
    store.rate(Feedback("a1", person.id, reason="too_long"), NOW)
    assert store.facts()["feedback"] == 1


# -- any text ------------------------------------------------------------------------------------------------


@given(any_text)
@example("\ud800\0\udfff \\u0000 \\ud800")
@settings(deadline=None)
def test_any_text_in_an_article_survives(long_lived, text):
    long_lived.save([embedded(article_of(text), text)], f"model {text}")
    kept = long_lived.article(f"nl/{text}")
    assert replace(kept, version=1) == article_of(storable(text))
    assert kept in long_lived.snapshot(f"model {text}").articles
    long_lived.delete([f"nl/{text}"])


@given(any_text)
@example("\ud800\0\udfff \\u0000 \\ud800")
@settings(deadline=None)
def test_any_text_in_an_event_survives(long_lived, text):
    name = f"{next(numbers)} {text}"
    event = event_of(text, name)
    assert long_lived.receive(event, NOW)
    assert not long_lived.receive(event, NOW)
    undone = long_lived.undone("slack", LONG_AGO, NOW)
    assert undone == [replace(event_of(storable(text)), message_id=storable(name))]
    long_lived.finish(event, help_answer(name), long_lived.person(JAN), NOW)


@given(any_text)
@example("\ud800\0\udfff \\u0000 \\ud800")
@settings(deadline=None)
def test_any_text_in_an_answer_survives(long_lived, text):
    answer_id = f"text {next(numbers)} {text}"
    long_lived.record(answer_of(text, answer_id), Person(f"p {text}", level=text, audience=(text,)), text, NOW)
    assert long_lived.answer(answer_id) == answer_of(storable(text), storable(answer_id))
    long_lived.rate(Feedback(answer_id, f"p {text}", reason=text, note=text), NOW)


@given(any_text)
@example("\ud800\0\udfff")
@settings(deadline=None)
def test_any_text_names_a_person(long_lived, text):
    name = Identity(text, text, text)
    person = long_lived.set_person(name, audience=[text], level=text)
    assert (person.audience, person.level) == ((storable(text),), storable(text))
    assert long_lived.person(name) == person


@given(any_text)
@example("\ud800\0\udfff \\u0000 \\ud800")
@settings(deadline=None)
def test_any_text_in_an_address_survives(long_lived, text):
    name = Identity(f"{next(numbers)} {text}", text, text)
    assert long_lived.keep_address(name, event_of(text).address)
    assert not long_lived.keep_address(name, event_of(text).address)
    assert long_lived.address(name) == event_of(storable(text)).address
    long_lived.forget_address(name)
    assert long_lived.address(name) is None


@given(any_text)
@example("\ud800\0\udfff \\u0000 \\ud800")
@settings(deadline=None)
def test_any_text_names_a_message_and_its_place(long_lived, text):
    name = f"{next(numbers)} {text}"
    event = event_of(text, name)
    assert long_lived.receive(event, NOW, done=True)
    assert not long_lived.receive(event, NOW, done=True)
    long_lived.record(answer_of(text, name), Person(f"p {text}"), "slack", NOW)
    long_lived.set_reply(Place("slack", text, text), name, name, NOW)
    assert long_lived.reply(Place("slack", text, text), name) == answer_of(storable(text), storable(name))


# -- operations ----------------------------------------------------------------------------------------------


def test_the_facts_count_every_table_and_name_the_schema(store):
    store.save([embedded(tariff(), "eerste")], "m")
    store.record(help_answer(), store.person(JAN), "slack", NOW)
    facts = store.facts()
    assert (facts["article"], facts["passage"], facts["vector"], facts["answer"], facts["person"]) == (1, 2, 2, 1, 1)
    assert facts["schema"] == "m008_wordings"


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.sequence(),
        lambda store: store.snapshot("m"),
        lambda store: store.receive(question(), NOW),
        lambda store: store.save([], "m"),
    ],
)
def test_a_closed_store_says_so_in_every_thread(url, call: Callable):
    store = open_store(url)
    store.sequence()
    store.close()
    store.close()
    refusals = []

    def refused():
        with pytest.raises(StoreError, match="closed") as caught:
            call(store)
        refusals.append(caught)

    other = threading.Thread(target=refused)
    other.start()
    other.join()
    refused()
    assert len(refusals) == 2


def costing(amount):
    return replace(tariff(), sections=(Section(None, "", f"Het kost {amount}.\n"),))


def test_amounts_come_back_and_others_stay(store):
    assert store.set_amounts({"fee": {"nl": "€ 1"}, "credit": {"nl": "€ 2", "en": "€ 2"}}) == {"fee", "credit"}
    assert store.set_amounts({"fee": {"nl": "€ 3"}, "credit": {"nl": "€ 2", "en": "€ 2"}}) == {"fee"}
    assert store.amounts() == {"fee": {"nl": "€ 3"}, "credit": {"nl": "€ 2", "en": "€ 2"}}


def test_an_amount_that_is_another_raises_the_sequence_only_where_an_article_names_it(store):
    store.save([embedded(costing("{{fee}}"), "eerste")], "m")
    before = store.sequence()
    store.set_amounts({"other": {"nl": "€ 1"}})
    assert store.sequence() == before
    store.set_amounts({"fee": {"nl": "€ 1"}})
    assert store.sequence() > before
    assert store.snapshot("m").articles[0].body == "Het kost € 1.\n"


def test_an_article_that_names_what_it_wrote_out_is_saved(store):
    store.set_amounts({"fee": {"nl": "€ 1"}})
    for written in ("€ 1", "{{fee}}"):
        store.save([embedded(costing(written), "Het kost € 1.")], "m")
    assert [one.body for one in store.articles()] == ["Het kost {{fee}}.\n"]


def test_an_article_that_names_an_amount_and_did_not_change_keeps_its_version(store):
    store.set_amounts({"fee": {"nl": "€ 1"}})
    for _ in range(2):
        store.save([embedded(costing("{{fee}}"), "Het kost € 1.")], "m")
    assert [one.version for one in store.articles()] == [1]


# -- words -------------------------------------------------------------------------------------------------------------
def test_words_come_back_sorted_and_raise_the_sequence_when_they_mean_something_else(store):
    klnt, gsm = Term("klnt", "klant", "nl", "abbreviation"), Term("gsm", "mobiel nummer", "nl", "flemish")
    store.set_terms([klnt, gsm])
    assert store.terms() == (gsm, klnt)
    before = store.sequence()
    store.set_terms([gsm])
    assert store.sequence() == before
    store.set_terms([replace(gsm, official="telefoon")])
    assert store.sequence() > before
    assert store.snapshot("fake").terms == (replace(gsm, official="telefoon"), klnt)


def test_a_word_that_is_dropped_is_gone_in_that_language_alone(store):
    store.set_terms([Term("pv", "zonnepanelen", "nl"), Term("pv", "solar panels", "en")])
    before = store.sequence()
    store.drop_term("pv", "nl")
    assert store.terms() == (Term("pv", "solar panels", "en"),)
    assert store.sequence() > before
    store.drop_term("onbekend", "nl")


def answer_with(answer_id, **values):
    return replace(answer_of("Verhuizen", answer_id), **({"outcome": Outcome.ANSWERED, "confidence": 0.8} | values))


# -- what came before --------------------------------------------------------------------------------------------------
def test_dealings_with_an_article_are_told_and_older_ones_only_of_who_wants_that(store):
    person = store.person(Identity("slack", "T1", "U1"))
    for number, hours in enumerate((60 * 24, 30, 0.05)):
        store.record(answer_with(f"a{number}"), person, "slack", NOW - timedelta(hours=hours))
    shown = answer_with("a0").card.article_id
    found = store.acquaintance(person.id, [shown], [], NOW)
    assert (found.remembered, found.times, found.topic, found.again, found.failed) == (False, 0, 0, True, False)
    store.set_history(person.id, on=True)
    found = store.acquaintance(person.id, [shown], ["other"], NOW)
    assert (found.remembered, found.times, found.topic) == (True, 3, 3)
    assert store.acquaintance(person.id, ["other"], [shown], NOW).times == 0
    assert store.acquaintance(person.id, ["other"], [shown], NOW).topic == 3
    store.rate(Feedback("a2", person.id, helpful=False), NOW)
    assert store.acquaintance(person.id, [shown], [], NOW).failed
    later = NOW + timedelta(minutes=31)
    assert store.acquaintance(person.id, [shown], [], later) == Acquaintance(remembered=True, times=3, topic=3)
    assert store.acquaintance("nobody", [shown], [], NOW) == Acquaintance()


def test_corrections_are_questions_that_were_wanted_in_another_shape(store):
    person = store.person(Identity("slack", "T1", "U1"))
    asked = answer_with("a1", question="hoe zit dat", moment=Moment.APPLY, language="nl")
    opened = replace(answer_with("a2"), question="Een titel", moment=Moment.APPLY, confidence=0.0)
    same = replace(answer_with("a3"), question="hoe doe ik dat", moment=Moment.APPLY, confidence=0.8)
    for one in (asked, opened, same):
        store.record(one, person, "slack", NOW)
    store.rate(Feedback("a1", person.id, moment=Moment.NEW), NOW)
    store.rate(Feedback("a1", person.id, moment=Moment.MORE), NOW + timedelta(minutes=1))
    store.rate(Feedback("a2", person.id, moment=Moment.MORE), NOW)
    store.rate(Feedback("a3", person.id, moment=Moment.APPLY), NOW)
    assert store.corrections(NOW - timedelta(days=1)) == [Message("hoe zit dat", Moment.MORE, language="nl")]
    assert store.corrections(NOW + timedelta(days=1)) == []


def test_what_was_asked_is_listed_once(store):
    person = store.person(Identity("slack", "T1", "U1"))
    for number, text in enumerate(("eerste", "tweede", "eerste")):
        answer = replace(answer_with(f"a{number}"), question=text, confidence=0.5)
        store.record(answer, person, "slack", NOW + timedelta(minutes=number))
    assert [one.question for one in store.asked(NOW - timedelta(days=1))] == ["eerste", "tweede"]
    assert store.asked(NOW - timedelta(days=1), most=1)[0].id == "a2"
