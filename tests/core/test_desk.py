import logging
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import FAKE_CONFIDENCE, TODAY, article, make_desk, question
from hypothesis import given, settings
from hypothesis import strategies as st

from core.confidence import confidence_for
from core.embed import FakeEmbedder
from core.errors import NotAllowedError, NotFoundError, StoreError
from core.library import shelve
from core.model import Feedback, Outcome, Person, Place, Question, Role
from core.store import Identity
from core.store.sqlite import open_store
from core.words import reasons, say
from knowledge.article import Kind
from knowledge.moment import Moment

MOVE = article(
    "---\ntitle: Verhuizing doorgeven\ntopic: verhuizen\n---\n## In het kort\nJa, tot een maand vooraf.\n\n"
    "## Stappen\n1. Vraag de nieuwe postcode.\n2. Vraag de sleuteldatum.\n\n## Als het misgaat\n1. Onbekend: bel.\n",
    "move",
)
MOVE_EN = article(
    "---\ntitle: Report a move\ntranslation_of: move\n---\n## Steps\n1. Ask for the new postcode.\n", "move-en", "en"
)
CREDIT = article("---\ntitle: Goedmaken met tegoed\ntopic: klachten\n---\n## Stappen\n1. Kies bedrag.\n", "credit")
LATER = article("---\ntitle: Salderen stopt straks\neffective_from: 2027-01-01\n---\nTekst.\n", "later")
GONE = article("---\ntitle: Oude welkomstkorting\neffective_until: 2026-01-01\n---\nTekst.\n", "gone")
DRAFT = article("---\ntitle: Concept kortingsregels\nstatus: draft\n---\nTekst.\n", "draft")
SALES = article("---\ntitle: Targets voor verkoop\naudience: [sales]\n---\nVertrouwelijk verhaal.\n", "sales")
ALL = (MOVE, MOVE_EN, CREDIT, LATER, GONE, DRAFT, SALES)


@pytest.fixture
def desk(store):
    return make_desk(store, ALL)


def test_a_clear_question_is_answered_with_the_article(desk):
    answer = desk.answer(question("hoe kan ik een verhuizing doorgeven"))
    assert (answer.outcome, answer.card.article_id, answer.language) == (Outcome.ANSWERED, "move", "nl")
    assert answer.moment is Moment.APPLY


def test_the_reply_follows_the_language_of_the_question(desk):
    answer = desk.answer(question("how do I report a move for this customer"))
    assert (answer.language, answer.card.article_id) == ("en", "move-en")


def test_an_unknown_question_is_refused_with_titles_and_a_bridge(desk):
    answer = desk.answer(question("wat eten we vanavond met zn allen"))
    assert answer.outcome is Outcome.UNANSWERED
    assert answer.card is None
    assert answer.bridge
    assert 0 < len(answer.alternatives) <= 3


def test_a_likely_answer_is_shown_but_not_claimed(desk):
    desk._answering._fitted = replace(FAKE_CONFIDENCE, answer_from=1.1)
    answer = desk.answer(question("hoe kan ik een verhuizing doorgeven"))
    assert answer.outcome is Outcome.SUGGESTIONS
    assert answer.card.article_id == "move"
    assert answer.message


def test_a_model_without_calibration_never_claims_to_be_sure(desk):
    desk._answering._fitted = confidence_for("some/other-model@torch-1")
    assert desk.answer(question("hoe kan ik een verhuizing doorgeven")).outcome is Outcome.SUGGESTIONS


@pytest.mark.parametrize("text", ["", "  ", "?", "hoi", "Help!", "hello"])
def test_an_empty_message_or_a_greeting_gets_help(desk, text):
    answer = desk.answer(question(text))
    assert answer.outcome is Outcome.HELP
    assert answer.message


@pytest.mark.parametrize(
    ("text", "language"),
    [("dankjewel!", "nl"), ("Thanks a lot", "en"), ("bedankt 👍", "nl"), ("super bedankt je bent geweldig", "nl")],
)
def test_thanks_are_welcome(desk, text, language):
    answer = desk.answer(question(text, locale=language))
    assert answer.outcome is Outcome.THANKS


def test_a_very_long_message_is_asked_to_be_short(desk):
    answer = desk.answer(question("verhuizing " * 500))
    assert answer.outcome is Outcome.HELP
    assert len(answer.question) <= 2000


def test_what_is_not_valid_today_does_not_answer(desk):
    for title in ("Salderen stopt straks", "Oude welkomstkorting", "Concept kortingsregels"):
        answer = desk.answer(question(title))
        shown = {answer.card.title if answer.card else "", *(other.title for other in answer.alternatives)}
        assert title not in shown


def test_only_its_audience_sees_an_article_and_only_in_private(desk):
    seller = Person("s", audience=("sales",))

    def shown(person, *, direct):
        answer = desk.answer(replace(question("Targets voor verkoop", direct=direct), person=person))
        return {answer.card.article_id if answer.card else "", *(other.article_id for other in answer.alternatives)}

    assert "sales" in shown(seller, direct=True)
    assert "sales" not in shown(seller, direct=False)
    assert "sales" not in shown(Person("a"), direct=True)
    with pytest.raises(NotFoundError):
        desk.open("sales", Person("a"))


def test_an_article_can_be_asked_for_in_another_moment(desk):
    answer = desk.open("move", Person("a"), moment=Moment.SOLVE)
    assert answer.moment is Moment.SOLVE
    assert Kind.TROUBLE in {part.kind for part in answer.card.first}


def test_a_moment_the_article_has_nothing_for_is_shown_as_apply(desk):
    assert desk.open("credit", Person("a"), moment=Moment.CHANGE).moment is Moment.APPLY


def test_reshaping_keeps_the_answer_and_the_correction(desk):
    person = desk.person(Identity("web", "", "me"))
    answer = desk.ask(replace(question("verhuizing doorgeven"), person=person))
    again = desk.reshape(answer.id, Moment.SOLVE, person)
    assert (again.id, again.card.article_id, again.moment) == (answer.id, "move", Moment.SOLVE)
    assert desk.store.facts()["feedback"] == 1


def test_feedback_on_an_answer_that_never_was_is_refused(desk):
    with pytest.raises(NotFoundError):
        desk.rate(Feedback("nope", "me", helpful=False))


@pytest.mark.parametrize(("reason", "kept"), [*((reason, 1) for reason in ("", *reasons("nl"))), ("anything", 0)])
def test_only_a_reason_that_we_offer_is_kept(desk, reason, kept):
    person = desk.person(Identity("web", "", "me"))
    answer = desk.ask(replace(question("verhuizing doorgeven"), person=person))
    with nullcontext() if kept else pytest.raises(NotFoundError):
        desk.rate(Feedback(answer.id, person.id, helpful=False, reason=reason))
    assert desk.store.facts()["feedback"] == kept


def test_customer_data_is_neither_kept_nor_left_unsaid(desk):
    answer = desk.ask(
        replace(question("verhuizing van NL91ABNA0417164300 doorgeven"), person=desk.person(Identity("web", "", "me")))
    )
    assert "NL91ABNA0417164300" not in answer.question
    assert answer.warnings
    assert "NL91ABNA0417164300" not in desk.recall(answer.id).question


@pytest.mark.parametrize(("stays", "key"), [(True, "warn"), (False, "warn_private")])
def test_whose_message_stays_where_it_was_typed_is_asked_to_take_it_away(desk, stays, key):
    answer = desk.answer(question("verhuizing van NL91ABNA0417164300 doorgeven", stays=stays))
    assert answer.warnings == (say(f"privacy.{key}", "nl"),)


def test_a_change_by_another_process_is_in_the_next_answer(desk, store, tmp_path):
    assert desk.answer(question("parkeren bij de meterkast")).outcome is Outcome.UNANSWERED
    other = open_store(tmp_path / "bijdehand.db")
    make_desk(other, (article("---\ntitle: Parkeren bij de meterkast\n---\nDat mag niet.\n", "park"),))
    other.close()
    assert desk.answer(question("parkeren bij de meterkast")).card.article_id == "park"


def test_topics_list_each_article_once_in_the_readers_language(desk):
    topics = desk.topics(Person("a"), "nl")
    assert {topic: [one.id for one in found] for topic, found in topics.items()} == {
        "verhuizen": ["move"],
        "klachten": ["credit"],
    }
    assert desk.topics(Person("a"), "en")[""][0].id == "move-en"


def test_topics_that_hold_danger_come_first(store):
    texts = {"b": "", "a": "", "z": "critical: true\n"}
    made = tuple(article(f"---\ntitle: {one}\ntopic: {one}\n{more}---\nTekst.\n", one) for one, more in texts.items())
    assert list(make_desk(store, made).topics(Person("a"), "nl")) == ["z", "a", "b"]


def test_what_has_no_translation_stands_with_the_rest_of_its_topic(store):
    made = [
        article("---\ntitle: Bellen\ntopic: Gesprek\n---\nTekst.\n", "call"),
        article("---\ntitle: Call\ntopic: Talk\ntranslation_of: call\n---\nText.\n", "call-en", "en"),
        article("---\ntitle: Wachten\ntopic: Gesprek\n---\nTekst.\n", "wait"),
    ]
    topics = make_desk(store, tuple(made)).topics(Person("a"), "en")
    assert {topic: [one.id for one in shelf] for topic, shelf in topics.items()} == {"Talk": ["call-en", "wait"]}


def test_a_failure_inside_becomes_a_kind_sentence_and_a_logged_traceback(desk, caplog, monkeypatch):
    monkeypatch.setattr(desk.embedder, "query", lambda text: 1 / 0)
    with caplog.at_level(logging.ERROR):
        answer = desk.ask(question("verhuizing doorgeven"))
    assert answer.outcome is Outcome.FAILED
    assert "mij, niet bij jou" in answer.message
    assert "ZeroDivisionError" in caplog.text
    assert "verhuizing" not in caplog.text.replace("test_desk", "")


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory):
    opened = open_store(tmp_path_factory.mktemp("desk") / "bijdehand.db")
    yield make_desk(opened, ALL)
    opened.close()


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=300))
def test_any_text_gets_an_answer(shared_desk, text):
    answer = shared_desk.answer(question(text))
    assert answer.outcome is not Outcome.FAILED
    assert answer.message or answer.card


def test_the_day_is_the_desks_own(desk):
    assert desk.now() == TODAY


def test_an_answer_that_cannot_be_kept_is_shown_all_the_same(desk, monkeypatch):
    monkeypatch.setattr(desk.store, "record", lambda *arguments: 1 / 0)
    assert desk.ask(question("verhuizing doorgeven")).card.article_id == "move"


def test_a_store_that_cannot_be_read_any_more_does_not_silence_us(desk, monkeypatch):
    def gone():
        raise StoreError("The database is gone.")

    desk.answer(question("verhuizing doorgeven"))
    monkeypatch.setattr(desk.store, "sequence", gone)
    assert desk.answer(question("verhuizing doorgeven")).card.article_id == "move"


class Other(FakeEmbedder):
    name = "other-model"


def test_articles_that_this_model_never_read_are_said_to_be_unread(desk):
    desk = make_desk(desk.store, embedder=Other())
    assert desk.answer(question("verhuizing doorgeven")).message == say("answer.unread", "nl")


def test_a_question_that_starts_with_thanks_is_a_question(desk):
    answer = desk.answer(question("bedankt, hoe kan ik een verhuizing doorgeven"))
    assert answer.card.article_id == "move"


def test_after_a_change_of_model_everything_is_read_again_before_the_first_question(store):
    make_desk(store, ALL)
    desk = make_desk(store, embedder=Other())
    assert desk.ready() == len(ALL)
    assert desk.answer(question("verhuizing doorgeven")).card.article_id == "move"


def test_thanks_in_front_of_a_danger_are_not_all_that_was_said(store):
    gas = article(
        "---\ntitle: Klant ruikt gas\ncritical: true\nsignals: [gaslek in huis, ruikt gas]\n---\n"
        "## Stappen\n1. Ga naar buiten.\n",
        "gas",
    )
    desk = make_desk(store, (*ALL, gas))
    assert desk.answer(question("klant ruikt gas, dank")).card.article_id == "gas"
    assert desk.answer(question("klant ruikt gas gaslek in huis " * 100)).card.article_id == "gas"


def test_a_reindex_does_not_undo_what_somebody_imported_meanwhile(store):
    desk = make_desk(store, ALL)
    read = store.articles()
    shelve(store, desk.embedder, [replace(MOVE, title="Verhuizing, nieuw")])
    shelve(store, desk.embedder, read)
    assert store.article("move").title == "Verhuizing, nieuw"


# -- by name, and two at once ------------------------------------------------------------------------------------
@pytest.mark.parametrize("asked", ["move", " <https://kennis.test/verhuizen> ", "https://kennis.test/verhuizen"])
def test_an_article_opens_by_its_id_or_link(store, asked):
    desk = make_desk(store, (replace(MOVE, url="https://kennis.test/verhuizen"), CREDIT))
    answer = desk.answer(question(asked))
    assert (answer.outcome, answer.card.article_id, answer.message) == (Outcome.ANSWERED, "move", "")


@pytest.mark.parametrize("asked", ["sales", "gone", "draft", "later"])
def test_an_article_that_may_not_be_seen_does_not_open_by_its_id(desk, asked):
    answer = desk.answer(question(asked))
    assert answer.card is None or answer.card.article_id != asked


def test_of_two_questions_the_first_is_answered_and_the_second_is_one_tap_away(desk):
    answer = desk.answer(question("hoe kan ik een verhuizing doorgeven? en hoe goedmaken met tegoed?"))
    assert answer.outcome is Outcome.ANSWERED
    assert answer.card.article_id == "move"
    assert [other.article_id for other in answer.alternatives] == ["credit"]
    assert answer.message == say("answer.two", "nl")


@pytest.mark.parametrize(
    "asked", ["verhuizing doorgeven? echt waar?", "hoe verhuizing doorgeven? en hoe een verhuizing doorgeven?"]
)
def test_what_only_looks_like_two_questions_gets_one_answer(desk, asked):
    assert desk.answer(question(asked)).message != say("answer.two", "nl")


def test_an_article_without_headings_shows_its_text_when_its_title_was_what_was_asked_for(desk):
    seller = Person("seller", audience=("sales",))
    answer = desk.answer(Question("targets voor verkoop", seller))
    assert [part.text for part in answer.card.first] == ["Vertrouwelijk verhaal."]


def test_where_others_read_along_a_colleague_keeps_their_language_and_level_alone(desk):
    seller = Person("s", Role.COACH, ("sales",), "en", "senior")
    assert seller.in_public() == Person("s", Role.AGENT, (), "en", "senior")
    answer = desk.answer(Question("Targets?", seller, direct=False))
    assert (answer.language, "sales" in shown_in(answer)) == ("en", False)


def shown_in(answer):
    """The ids of all articles that an answer shows or names."""
    return [*([answer.card.article_id] if answer.card else []), *(one.article_id for one in answer.alternatives)]


# -- to pick from -------------------------------------------------------------------------------------------------
def found(desk, text, person=Person("a"), **options):  # noqa: B008 - nobody changes a person
    return [answer.card.article_id for answer in desk.find(text, person, **options)]


def test_what_is_found_begins_with_the_answer_and_goes_on_with_what_came_next(desk):
    asked = "hoe kan ik een verhuizing doorgeven"
    assert found(desk, asked) == shown_in(desk.answer(question(asked)))
    assert found(desk, asked)[0] == "move"
    assert found(desk, asked, most=1) == ["move"]


def test_what_is_found_holds_nothing_of_what_was_typed_and_is_not_kept(desk):
    first, *_ = desk.find("verhuizing doorgeven van NL91ABNA0417164300", Person("a"))
    assert (first.question, first.warnings, first.message, first.alternatives) == ("Verhuizing doorgeven", (), "", ())
    assert desk.store.facts()["answer"] == 0


def test_what_only_may_be_the_answer_is_found_without_a_word_about_that(desk):
    desk._answering._fitted = replace(FAKE_CONFIDENCE, answer_from=1.1)
    first, *_ = desk.find("hoe kan ik een verhuizing doorgeven", Person("a"))
    assert (first.card.article_id, first.message) == ("move", "")


def test_of_what_we_do_not_know_nothing_is_found_to_pass_on(desk):
    asked = "wat eten we vanavond met zn allen"
    assert desk.answer(question(asked)).alternatives
    assert found(desk, asked) == []


@pytest.mark.parametrize("text", ["hoi", "dankjewel!", "?", "verhuizing " * 500])
def test_nothing_is_found_where_nothing_was_asked(desk, text):
    assert found(desk, text) == []


@pytest.mark.parametrize("text", ["", "verhuizing", "hoi"])
def test_without_articles_nothing_is_found(store, text):
    assert found(make_desk(store), text) == []


def test_an_answer_shown_to_somebody_else_names_no_titles_that_are_not_for_them(desk):
    seller = Person("s", audience=("sales",))
    answer = desk.ask(replace(question("wat eten we vanavond met zn allen bij de targets"), person=seller))
    assert "sales" in [other.article_id for other in answer.alternatives]
    seen = desk.shown(answer.id, Person("a"))
    assert "sales" not in [other.article_id for other in seen.alternatives]
    assert desk.shown(answer.id, seller).alternatives == answer.alternatives


def test_only_its_audience_finds_an_article(desk):
    seller = Person("s", audience=("sales",))
    assert "sales" in found(desk, "Targets voor verkoop", seller)
    assert "sales" not in found(desk, "Targets voor verkoop", seller.in_public())
    assert "sales" in found(desk, "", seller)
    assert "sales" not in found(desk, "", seller.in_public())


@pytest.mark.parametrize(
    ("person", "locale", "article_id"),
    [
        (Person("a"), "", "move"),
        (Person("a"), "en-GB", "move-en"),
        (Person("a", language="en"), "nl-NL", "move-en"),
        (Person("a"), "fr-FR", "move"),
    ],
)
def test_what_there_is_to_try_is_in_the_language_of_whoever_looks(desk, person, locale, article_id):
    assert {"move", "move-en"} & set(found(desk, " ", person, locale=locale)) == {article_id}


def test_what_there_is_to_try_is_what_is_offered_as_an_example(desk):
    tried = desk.find("", Person("a"))
    assert [answer.card.title for answer in tried] == desk.examples(Person("a"), "nl")
    assert {answer.language for answer in tried} == {"nl"}
    assert desk.store.facts()["answer"] == 0


def test_what_is_found_is_told_in_the_language_it_was_asked_in(desk):
    first, *_ = desk.find("how do I report a move for this customer", Person("a"))
    assert (first.card.article_id, first.language) == ("move-en", "en")


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=300), most=st.integers(0, 5))
def test_any_text_finds_articles_that_can_be_shown_and_no_more_than_asked_for(shared_desk, text, most):
    answers = shared_desk.find(text, Person("a"), most=most)
    assert len(answers) <= most
    assert all(answer.card for answer in answers)
    assert len({answer.card.article_id for answer in answers}) == len(answers)


# -- for others, for later, for a coach --------------------------------------------------------------------------
@pytest.fixture
def asker(desk):
    return desk.person(Identity("slack", "T1", "U1"))


@pytest.fixture
def answer(desk, asker):
    return desk.ask(Question("hoe kan ik een verhuizing doorgeven", asker, "slack"))


def test_what_is_shared_holds_nothing_of_what_the_asker_typed(desk, asker, answer):
    shared = desk.share(answer.id, asker, Moment.SOLVE, surface="slack", team="T1")
    assert (shared.card.article_id, shared.moment, shared.question) == ("move", Moment.SOLVE, "Verhuizing doorgeven")
    assert shared.id != answer.id
    assert desk.recall(shared.id).alternatives == ()


def test_what_is_not_for_everybody_cannot_be_shared(desk):
    seller = desk.store.set_person(Identity("slack", "T1", "U2"), audience=["sales"])
    private = desk.open("sales", seller, surface="slack", team="T1")
    assert not desk.for_everybody(private)
    with pytest.raises(NotFoundError):
        desk.share(private.id, seller, surface="slack", team="T1")


def test_an_answer_put_aside_stands_at_home_until_it_is_taken_off(desk, asker, answer):
    desk.keep(answer.id, asker)
    desk.keep(answer.id, asker)
    assert [kept.id for kept in desk.home(asker, "nl").kept] == [answer.id]
    desk.drop(answer.id, asker)
    assert desk.home(asker, "nl").kept == ()


def test_without_a_coach_nobody_is_promised_one(desk, asker, answer):
    assert desk.ask_coach(answer.id, asker) == say("coach.none", "nl")
    assert desk.home(asker, "nl").asked == ()


def test_a_question_to_the_coaches_stands_in_their_queue_once_and_at_home_with_whoever_asked(desk, asker, answer):
    coach = desk.store.set_person(Identity("slack", "T1", "U7"), role=Role.COACH)
    assert desk.ask_coach(answer.id, asker) == say("coach.asked", "nl")
    assert desk.ask_coach(answer.id, asker) == say("coach.again", "nl")
    assert [request.answer.id for request in desk.queue(coach)] == [answer.id]
    assert [request.answer.id for request in desk.home(asker, "nl").asked] == [answer.id]
    assert desk.home(asker, "nl").queue == ()
    assert len(desk.home(coach, "nl").queue) == 1


def test_the_queue_and_what_a_place_hears_are_for_coaches(desk, asker):
    place = Place("slack", "T1", "C1", listens=True)
    with pytest.raises(NotAllowedError):
        desk.queue(asker)
    with pytest.raises(NotAllowedError):
        desk.listen(place, asker)
    assert not desk.store.place("slack", "T1", "C1").listens
    desk.listen(place, desk.person(Identity("slack", "T1", "U1"), Role.COACH))
    assert desk.store.place("slack", "T1", "C1") == place


def test_a_coach_may_look_at_what_was_asked_of_the_coaches_and_at_nothing_else(desk, asker, answer):
    coach = desk.store.set_person(Identity("slack", "T1", "U7"), role=Role.COACH)
    with pytest.raises(NotFoundError):
        desk.asked(answer.id, coach)
    desk.ask_coach(answer.id, asker)
    assert desk.asked(answer.id, coach) == desk.recall(answer.id)
    with pytest.raises(NotAllowedError):
        desk.asked(answer.id, asker)
    seller = desk.store.set_person(Identity("slack", "T1", "U8"), audience=["sales"])
    sold = desk.ask(Question("targets voor verkoop", seller, "slack"))
    desk.ask_coach(sold.id, seller)
    with pytest.raises(NotFoundError):
        desk.asked(sold.id, coach)


def test_a_role_that_the_platform_gives_is_not_kept(desk):
    who = Identity("slack", "T1", "U1")
    assert desk.person(who, Role.ADMIN).role is Role.ADMIN
    assert desk.person(who).role is Role.AGENT
    desk.store.set_person(who, role=Role.ADMIN)
    assert desk.person(who, Role.COACH).role is Role.ADMIN


def test_after_an_hour_somebody_is_asked_once_whether_it_worked_out(desk, asker, answer):
    posted = desk.open("move", asker, surface="slack", team="T1")
    assert desk.to_check("slack") == []
    desk.now = lambda: TODAY + timedelta(hours=2)
    assert [(who.user, asked.id) for who, asked in desk.to_check("slack")] == [("U1", posted.id)]
    assert desk.to_check("slack") == []
    desk.leave_alone(asker)
    desk.open("move", asker, surface="slack", team="T1")
    desk.now = lambda: TODAY + timedelta(hours=30)
    assert desk.to_check("slack") == []


def test_home_says_what_changed_and_since_when(store):
    changed = article(
        "---\ntitle: Goedmaken\nchanges:\n  - since: 2026-11-01\n    new: tot € 75\n---\nTekst.\n", "credit"
    )
    desk = make_desk(store, (changed, MOVE))
    (news,) = desk.home(Person("somebody"), "nl").changed
    assert (news.article.title, news.line, news.new) == ("Goedmaken", "sinds 1 november 2026", "tot € 75")


# -- people and places -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("own", "locale", "language"),
    [("en", "nl-NL", "en"), (None, "en-GB", "en"), (None, "fr-FR", "nl"), (None, "", "nl")],
)
def test_we_speak_somebodys_own_language_else_their_platforms_else_ours(desk, own, locale, language):
    assert desk.language_for(Person("a", language=own), locale) == language


def test_we_know_how_to_write_to_somebody_until_they_take_us_away(desk):
    jan, piet = Identity("teams", "T1", "jan"), Identity("teams", "T1", "piet")
    assert desk.reach(jan) is None
    assert desk.meet(jan, {"serviceUrl": "https://one.test"})
    assert not desk.meet(jan, {"serviceUrl": "https://two.test"})
    assert desk.reach(jan) == {"serviceUrl": "https://two.test"}
    assert desk.reach(piet) is None
    desk.part(piet)
    desk.part(jan)
    assert desk.reach(jan) is None
    assert desk.meet(jan, {"serviceUrl": "https://one.test"}), "they came back"


def test_a_message_shows_the_answer_that_was_last_put_in_it(desk, asker, answer):
    here, elsewhere = Place("teams", "T1", "C1"), Place("teams", "T1", "C2")
    with pytest.raises(NotFoundError):
        desk.standing(here, "9000.1")
    desk.put(answer.id, here, "9000.1")
    assert desk.standing(here, "9000.1") == answer
    opened = desk.open("credit", asker, surface="teams", team="T1")
    desk.put(opened.id, here, "9000.1")
    assert desk.standing(here, "9000.1") == opened
    with pytest.raises(NotFoundError):
        desk.standing(elsewhere, "9000.1")


def test_an_answer_that_is_not_kept_cannot_be_put_anywhere(desk):
    with pytest.raises(NotFoundError):
        desk.put("nope", Place("teams", "T1", "C1"), "9000.1")
