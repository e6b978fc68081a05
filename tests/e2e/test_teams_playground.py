"""Every way to use the bot in Teams, against Microsoft's own Playground: what its person asks, taps and then sees."""

import json
import shutil

import pytest
from browser import browser
from playground import CHANNEL, GROUP, ME, MENTION, PERSONAL, TEAM
from running import until

from core.words import say

pytestmark = pytest.mark.e2e
QUESTION = "klant wil verhuizing doorgeven"
TITLE = "Verhuizing doorgeven"
STEP = "Vraag de nieuwe postcode."
LAST_STEP = "Stuur de bevestiging."
BACKGROUND = "Daarom"
SAID_TO_CUSTOMER = "Ik zet het voor u klaar."
WHEN_IT_FAILS = "zoek op straat"
FRESH = "Gecontroleerd op 1 januari 2026"
NO_DELETING = "The API to delete activity is not implemented yet in Microsoft 365 Agents Playground."


def words(key, **values):
    return say(key, "nl", **values)


def in_place(teams, message, title):
    """Tap a button, and see what stands there then."""
    now = teams.tap(message, title)
    assert not isinstance(now, str), now
    return now


def told(teams, message, title):
    """Tap a button that changes nothing; the sentence that comes of it."""
    sentence = teams.tap(message, title)
    assert isinstance(sentence, str), sentence
    return sentence


def below(teams, message, title):
    """Tap a button of which something comes below; that message."""
    before = {one.id for one in teams.said()}
    assert told(teams, message, title) == words("teams.below")
    teams.until(lambda: {one.id for one in teams.said()} - before)
    return next(one for one in teams.said() if one.id not in before)


def stands(teams, message):
    """The same message, as it stands in the chat now."""
    return next(one for one in teams.said(message.conversation) if one.id == message.id)


def reshaped(teams, answer, moment):
    choosing = in_place(teams, answer, words("reshape.ask"))
    return in_place(teams, choosing, words(f"reshape.{moment}"))


@pytest.fixture
def answer(teams):
    """What stands in the personal chat after a question."""
    return teams.ask(QUESTION)


@pytest.fixture
def shared(teams):
    """What stands in a thread of a channel after a question."""
    return teams.ask(QUESTION, CHANNEL)


# -- asking --------------------------------------------------------------------------------------------------------
def test_a_personal_question_is_answered_once_with_thumbs_and_a_source(teams, answer):
    assert TITLE in answer.shown
    assert STEP in answer.shown
    assert answer.thumbs
    assert TITLE in answer.source
    assert teams.ask("factuur uitleggen").id != answer.id  # later, and answered
    assert sum(one.shown == answer.shown for one in teams.said() if one.id >= answer.id) == 1


def test_a_mention_in_a_group_chat_is_answered_there(teams):
    answer = teams.ask(QUESTION, GROUP)
    assert answer.conversation == GROUP
    assert STEP in answer.shown


@pytest.mark.parametrize("channel", [TEAM, CHANNEL])
def test_a_mention_in_a_channel_is_answered_once_in_its_thread(teams, channel):
    answer = teams.ask(QUESTION, channel)
    assert answer.conversation.startswith(f"{channel};messageid=")
    assert STEP in answer.shown
    assert [one.id for one in teams.said(answer.conversation)] == [answer.id]
    assert teams.said(channel) == []


def test_a_follow_up_in_the_thread_is_about_what_was_asked_there(teams, shared):
    follow_up = teams.ask("en wat zeg ik tegen de klant?", shared.conversation)
    assert follow_up.conversation == shared.conversation
    assert SAID_TO_CUSTOMER in follow_up.shown


@pytest.mark.parametrize("where", [PERSONAL, GROUP, CHANNEL])
def test_our_name_alone_gets_help(teams, where):
    before = {one.id for one in teams.said(where)}
    asked = teams.say("hoi" if where == PERSONAL else "", where, mention=where != PERSONAL)
    helped = teams.next(asked, before)
    assert helped.shown
    assert TITLE not in helped.shown
    assert not helped.thumbs


def test_talk_in_a_channel_that_is_not_meant_for_the_bot_is_left_alone(teams):
    overheard = f"{CHANNEL};messageid=1600000000001"
    talk = teams.activity(type="message", where=CHANNEL, text="wie weet hoe een verhuizing moet?")
    talk["conversation"]["id"] = overheard
    assert teams.deliver(talk)[0] == 200
    teams.ask(QUESTION, CHANNEL)  # later, and answered
    assert overheard not in teams.conversations()


def test_the_same_message_delivered_four_times_is_answered_once(teams):
    asked = teams.activity(type="message", text=QUESTION)
    before = {one.id for one in teams.said()}
    for _ in range(4):
        assert teams.deliver(asked)[0] == 200
    first = teams.next(PERSONAL, before)
    later = teams.ask("factuur uitleggen")
    assert [one.id for one in teams.said() if one.id not in before] == [first.id, later.id]


def test_an_edit_that_names_us_is_a_question_and_one_of_a_question_is_not(teams):
    asked = teams.say(QUESTION, CHANNEL, mention=True)
    answer = teams.next(asked)
    edit = teams.activity(type="messageUpdate", where=CHANNEL, text=f"{MENTION} {QUESTION}!")
    edit["channelData"] = {"eventType": "editMessage"} | edit.get("channelData", {})
    edit["entities"] = [{"type": "mention", "mentioned": edit["recipient"], "text": MENTION}]
    edit["conversation"]["id"] = asked
    assert teams.deliver(edit)[0] == 200
    assert TITLE in teams.next(asked, {answer.id}).shown  # the Playground has another id for it: it is new to us
    assert teams.deliver(edit)[0] == 200
    teams.ask(QUESTION, CHANNEL)  # later, and answered
    assert len(teams.said(asked)) == 2


def test_a_question_that_is_deleted_is_forgotten_and_its_answer_taken_away(teams):
    asked = teams.activity(type="message", text="verhuizing met spijt doorgeven")
    before = {one.id for one in teams.said()}
    teams.deliver(asked)
    teams.next(PERSONAL, before)
    assert teams.kept("select 1 from answer where document like '%met spijt%'")
    assert teams.deliver(asked | {"type": "messageDelete", "text": ""})[0] == 200
    teams.until(lambda: teams.kept("select 1 from answer where document like '%met spijt%'") == [])
    teams.until(lambda: NO_DELETING in teams.warnings())


def test_a_reaction_is_left_alone(teams, answer):
    before = [one.id for one in teams.said()]
    liked = teams.activity(type="messageReaction", reactionsAdded=[{"type": "like"}], replyToId=answer.id)
    assert teams.deliver(liked)[0] == 200
    later = teams.ask(QUESTION)
    assert [one.id for one in teams.said()] == [*before, later.id]


def test_customer_data_is_not_kept_and_whoever_typed_it_is_told(teams):
    answer = teams.ask("verhuizing doorgeven voor NL91ABNA0417164300")
    assert words("privacy.warn") in answer.shown
    kept = json.dumps([list(row) for row in teams.kept("select document from answer union all select text from event")])
    assert "0417164300" not in kept


def test_what_is_not_known_is_said_with_what_to_tell_the_customer(unknowing):
    refused = unknowing.ask("kan ik een fiets huren")
    assert words("answer.none") in refused.shown
    assert "bel u uiterlijk de volgende werkdag terug" in refused.shown
    assert not refused.thumbs
    assert told(unknowing, refused, words("button.coach")) == words("coach.none")


# -- the buttons of an answer --------------------------------------------------------------------------------------
def test_more_and_less_ask_nobody_anything(teams, answer):
    assert BACKGROUND not in answer.shown
    opened = in_place(teams, answer, words("button.more"))
    assert BACKGROUND in opened.shown
    assert in_place(teams, opened, words("button.less")).shown == answer.shown


def test_steps_are_walked_one_at_a_time(teams, answer):
    steps = [answer]
    while words("steps.next") in steps[-1].buttons:
        steps.append(in_place(teams, steps[-1], words("steps.next")))
    assert len({step.shown for step in steps}) == 6
    assert LAST_STEP in steps[-1].shown
    assert in_place(teams, steps[-1], words("steps.back")).shown == steps[-2].shown
    thanks = below(teams, steps[-1], words("steps.done"))
    assert words("feedback.helped") in thanks.shown
    assert words("coach.tip") in thanks.buttons


def test_what_stands_in_a_personal_chat_stays_as_it_was_left(teams, answer):
    walked = in_place(teams, answer, words("steps.next"))
    teams.until(lambda: stands(teams, answer).shown == walked.shown)


def test_however_fast_somebody_taps_what_stays_is_the_last_they_saw(teams, answer):
    shown = answer
    for way in ("next", "next", "back", "next", "next", "back", "next", "next"):
        shown = in_place(teams, shown, words(f"steps.{way}"))
    teams.until(lambda: stands(teams, answer).shown == shown.shown)
    teams.ask("factuur uitleggen")  # later, and answered
    assert stands(teams, answer).shown == shown.shown


def test_a_double_tap_does_no_harm(teams, answer):
    first = answer
    twice = [in_place(teams, first, words("steps.next")) for _ in range(2)]
    assert twice[0].shown == twice[1].shown


def test_not_right_asks_why_and_thanks_and_is_kept(teams, answer):
    asked = in_place(teams, answer, words("button.wrong"))
    assert words("feedback.ask") in asked.shown
    thanked = teams.tap(asked, words("feedback.reasons.outdated"))
    assert words("feedback.thanks") in getattr(thanked, "shown", thanked)
    assert teams.kept("select helpful, reason from feedback order by at desc limit 1") == [(0, "outdated")]


@pytest.mark.parametrize("place", ["answer", "shared"])
def test_another_moment_is_chosen_and_kept(teams, place, request):
    answer = request.getfixturevalue(place)
    solved = reshaped(teams, answer, "solve")
    assert WHEN_IT_FAILS in solved.shown
    assert words("moment.solve") in solved.shown


def test_choosing_another_moment_can_be_called_off(teams, answer):
    choosing = in_place(teams, answer, words("reshape.ask"))
    assert words("reshape.what") in choosing.shown
    assert in_place(teams, choosing, words("button.back")).shown == answer.shown


def test_what_to_say_can_be_copied_sentence_by_sentence(teams, answer):
    copied = in_place(teams, answer, words("button.copy"))
    assert SAID_TO_CUSTOMER in copied.shown
    assert "U krijgt een mail." in copied.shown
    assert STEP not in copied.shown
    assert in_place(teams, copied, words("button.back")).shown == answer.shown


def test_a_coach_can_be_asked_once(teams, answer):
    assert words("coach.asked") in below(teams, answer, words("button.coach")).shown
    assert words("coach.again") in below(teams, answer, words("button.coach")).shown
    assert QUESTION in overview(teams).shown


def test_the_coachs_desk_is_for_coaches_and_a_question_about_one_stays_a_question(teams):
    assert teams.ask("coach open").shown == words("command.not_yours")
    assert words("command.not_yours") not in teams.ask("coach komt niet opdagen").shown


def test_an_answer_is_kept_and_dropped_again(teams, answer):
    kept = told(teams, answer, words("button.later"))
    assert kept == words("teams.kept")
    listed = overview(teams)
    assert TITLE in listed.shown + "".join(listed.buttons)
    gone = in_place(teams, listed, words("button.drop"))
    assert words("button.drop") not in gone.buttons


def test_what_stands_in_a_channel_comes_in_private_too(teams, shared):
    before = {one.id for one in teams.said()}
    assert told(teams, shared, words("teams.privately")) == words("teams.private")
    private = teams.until(
        lambda: [
            one
            for place in teams.conversations()
            if ";" not in place and place != GROUP
            for one in teams.said(place)
            if one.id not in before
        ]
    )[0]
    assert TITLE in private.shown
    assert words("teams.privately") not in private.buttons


def test_another_title_opens_in_its_place_with_a_way_back(teams, answer):
    opened = teams.tap(answer, "Factuur uitleggen")
    assert "Open Kompas." in opened.shown
    assert in_place(teams, opened, words("button.back")).shown == answer.shown


def test_an_old_client_gets_what_was_tapped_below(teams, answer):
    solved = teams.submit(in_place(teams, answer, words("reshape.ask")), words("reshape.solve"))
    assert solved.id != answer.id
    assert WHEN_IT_FAILS in solved.shown


@pytest.mark.parametrize(
    ("verb", "data"),
    [
        ("no_longer", {}),
        ("show", {"answer_id": "of long ago", "view": "answer"}),
        ("open", {"article_id": "nl/nowhere"}),
        ("reshape", {"answer_id": "of long ago", "moment": "solve"}),
        ("wrong", {}),
    ],
)
def test_a_button_of_an_older_card_says_so(teams, answer, verb, data):
    said = teams.execute(answer, verb, {"verb": verb, "language": "nl"} | data)
    assert said in {words("answer.gone"), say("answer.gone", "en")}  # it may not even tell its language


# -- Teams' own thumbs ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("reaction", "helpful"), [("like", 1), ("dislike", 0)])
def test_thumbs_are_kept_as_what_the_person_thinks_of_that_answer(teams, answer, reaction, helpful):
    teams.ask("factuur uitleggen")  # another, below it
    assert teams.thumb(answer, reaction, "handig, belde 0612345678") == 200
    kept = "select a.document, f.helpful, f.note from feedback f join answer a on a.id = f.answer_id order by f.at desc"
    document, thought, note = teams.kept(kept)[0]
    assert (json.loads(document)["question"], thought) == (QUESTION, helpful)
    assert "handig" in note
    assert "0612345678" not in note


def test_the_playgrounds_own_thumbs_are_taken_although_they_name_no_message(teams):
    value = {"actionName": "feedback", "actionValue": {"reaction": "like", "feedback": "handig"}}
    assert teams.invoke("message/submitAction", value, PERSONAL) == {}


# -- the message extension -----------------------------------------------------------------------------------------
def test_the_message_extension_begins_with_what_there_is_to_try(teams):
    found = teams.search()
    assert found["type"] == "result"
    assert found["attachments"]


def test_an_answer_is_found_for_a_message_and_needs_no_bot_there(teams, answer):
    found = teams.search(QUESTION, CHANNEL)
    assert (found["type"], found["attachmentLayout"]) == ("result", "list")
    inserted, preview = found["attachments"][0], found["attachments"][0]["preview"]
    assert TITLE in json.dumps(preview)
    message = answer.with_card(inserted["content"])
    assert STEP in message.shown
    assert {button["type"] for button in message.buttons.values()} <= {"Action.ToggleVisibility", "Action.OpenUrl"}


def test_nothing_found_is_said(teams):
    found = teams.search("goedemorgen")
    assert found["type"] == "message"
    assert found["text"] in {words("teams.nothing"), say("teams.nothing", "en")}


def test_a_message_is_asked_about_in_a_dialog_where_buttons_work(teams, answer):
    dialog = teams.ask_about(f"<p>{QUESTION}?</p>")
    assert dialog["title"]
    asked = answer.with_card(dialog["card"]["content"])
    assert STEP in asked.shown
    assert "Action.Execute" not in {button["type"] for button in asked.buttons.values()}
    shapes = teams.tap_in_dialog(asked, words("reshape.ask"))
    assert WHEN_IT_FAILS in teams.tap_in_dialog(shapes, words("reshape.solve")).shown


# -- coming and going ----------------------------------------------------------------------------------------------
def addresses(teams):
    return teams.kept("select document from address where user = ?", ME["aadObjectId"])


def leave(teams):
    """Take the app away, as its person."""
    assert teams.deliver(teams.activity("uninstall"))[0] == 200
    teams.until(lambda: addresses(teams) == [])


def test_whoever_takes_us_away_is_forgotten_and_whoever_comes_is_welcomed_once(teams):
    teams.ask(QUESTION)  # from which on we can write to them
    assert addresses(teams)
    leave(teams)

    before = {one.id for one in teams.said()}
    teams.install()
    welcome = teams.next(PERSONAL, before)
    assert welcome.shown
    assert welcome.buttons
    assert not welcome.thumbs
    assert addresses(teams)

    teams.install()
    assert teams.deliver(teams.activity("install"))[0] == 200
    later = teams.ask(QUESTION)
    assert [one.id for one in teams.said() if one.id not in before] == [welcome.id, later.id]


def test_an_example_of_the_welcome_is_a_question_that_is_answered(teams):
    leave(teams)
    before = {one.id for one in teams.said()}
    teams.install()
    example = next(iter(teams.next(PERSONAL, before).buttons.values()))
    assert example["type"] == "Action.Submit"
    assert example["data"]["msteams"]["type"] == "imBack"
    assert teams.ask(example["data"]["msteams"]["value"]).thumbs


@pytest.mark.parametrize("where", [GROUP, TEAM])
def test_a_team_or_a_group_chat_is_not_welcomed(teams, where):
    before = teams.conversations()
    assert teams.deliver(teams.activity("install", where))[0] == 200
    assert teams.deliver(teams.activity("botAdded", where))[0] == 200
    answer = teams.ask(QUESTION, where)
    assert teams.conversations() <= before | {answer.conversation}


@pytest.mark.parametrize("kind", ["userAdded", "userRemoved", "botAdded", "botRemoved"])
def test_who_comes_and_goes_besides_is_no_news(teams, kind):
    before = [one.id for one in teams.said()]
    assert teams.deliver(teams.activity(kind))[0] == 200
    answer = teams.ask(QUESTION)
    assert [one.id for one in teams.said()] == [*before, answer.id]


# -- typed commands ------------------------------------------------------------------------------------------------
def overview(teams):
    return teams.ask("overzicht")


@pytest.mark.parametrize("word", ["help", "?"])
def test_help_says_how(teams, word):
    assert "onderwerpen" in teams.ask(word).shown


def test_topics_are_browsed_and_opened(teams):
    listed = in_place(teams, teams.ask("onderwerpen"), words("web.no_topic"))
    assert TITLE in listed.buttons
    before = {one.id for one in teams.said()}
    teams.tap(listed, TITLE)
    assert STEP in teams.next(PERSONAL, before).shown


def test_an_article_opens_by_its_id(teams):
    assert "Open Kompas." in teams.ask("open nl/factuur").shown
    assert teams.ask("open nl/nergens").shown.startswith(words("answer.maybe")), "no article, so a question"


def test_an_overview_is_not_for_a_channel(teams):
    before = {one.id for one in teams.said()}
    told_there = teams.ask("overzicht", CHANNEL)
    assert told_there.shown == words("teams.private")
    private = teams.until(
        lambda: [
            one
            for place in teams.conversations()
            if ";" not in place and place != GROUP
            for one in teams.said(place)
            if one.id not in before
        ]
    )[0]
    assert words("teams.overview") in private.shown


def test_only_a_coach_decides_whether_a_channel_is_listened_to(teams):
    assert teams.ask("hier aan", CHANNEL).shown == words("command.not_yours")
    assert teams.ask("hier aan").shown == words("command.here_not")


# -- what makes no sense -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["task/fetch", "signin/verifyState", "config/fetch", "handoff/action", ""])
def test_an_invoke_we_do_not_know_is_taken(teams, name):
    assert teams.deliver(teams.activity(type="invoke", name=name, value={}))[0] == 200


def test_a_message_of_somebody_elses_machine_is_refused(teams):
    strange = teams.activity(type="message", text=QUESTION) | {"serviceUrl": "https://teams.example/"}
    assert teams.deliver(strange)[0] == 403


# -- in a browser --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def page(teams, node, tmp_path_factory):
    """The Playground on a screen, where the bot is new to who sits in front of it."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("Chromium is missing: these tests look at the Playground in it. Install chromium or google-chrome.")
    teams.ask(QUESTION)  # in Dutch, which is what they speak from then on
    leave(teams)
    with browser(node, chromium) as page:
        page.size(1500, 1200)
        page.open(teams.url)
        page.see(words("teams.privacy"))
        page.folder = tmp_path_factory.mktemp("screens")
        yield page


@pytest.fixture
def screen(page, request):
    """The same, with a picture of how a test left it."""
    yield page
    page.shoot(str(page.folder / f"{request.node.name}.png"))


def asked(screen, text):
    """Type a question in the personal chat, and see one more answer."""
    screen.tap("treeitem", "Personal Chat")
    before = screen.count(FRESH)
    screen.type(text)
    screen.press("Enter")
    until(lambda: screen.count(FRESH) > before)


def test_the_welcome_is_seen_on_first_opening_the_chat(screen):
    screen.see(words("teams.welcome"))
    screen.see(words("help.prompts"))
    screen.see(words("teams.privacy"))


def test_more_is_seen_and_folded_away_again(screen):
    asked(screen, QUESTION)
    screen.tap("button", words("button.more"))
    screen.see(BACKGROUND)
    screen.tap("button", words("button.less"))
    screen.gone(BACKGROUND)


def test_another_shape_is_chosen_and_its_steps_are_seen_one_by_one(screen):
    asked(screen, QUESTION)
    screen.tap("button", "More options")
    screen.tap("menuitem", words("reshape.ask"))
    screen.tap("button", words("reshape.new"))
    screen.see(words("moment.new"))
    screen.tap("button", "More options")
    screen.tap("menuitem", words("reshape.ask"))
    screen.tap("button", words("reshape.apply"))
    screen.see(words("steps.at", step="1", all="6"))
    screen.tap("button", words("steps.next"))
    screen.see(words("steps.at", step="2", all="6"))
    screen.see("Vraag het nieuwe huisnummer.")


def test_a_reason_is_chosen_and_thanked_for(screen):
    asked(screen, QUESTION)
    screen.tap("button", words("button.wrong"))
    screen.tap("button", words("feedback.reasons.unclear"))
    screen.see(words("feedback.thanks"))


def test_an_answer_in_a_channel_stands_below_the_question(screen):
    screen.tap("treeitem", "Klantenservice - General")
    screen.type("@")
    screen.point("Bijdehand")
    screen.write(QUESTION)
    screen.tap("button", "Post")
    screen.see(FRESH)
    screen.tap("button", "More options")
    screen.tap("menuitem", words("teams.privately"))
    screen.see(words("teams.private"))


def test_an_answer_is_looked_up_for_a_message(screen):
    screen.tap("treeitem", "Groep")
    screen.tap("button", "Trigger Message Extension App")
    screen.tap("menuitem", "Search Command")
    screen.tap("button", "Specify Command ID or Parameter")
    screen.fill("Command ID", "search")
    screen.fill("Parameter name", "text")
    screen.fill("Enter a search term", QUESTION)
    screen.press("Enter")
    screen.point(TITLE)
    screen.tap("button", "Send Message")
    screen.see(STEP)


def test_a_refusal_is_seen_with_a_way_on(screen, unknowing):
    screen.open(unknowing.url)
    screen.type("kan ik een fiets huren")
    screen.press("Enter")
    screen.see(words("answer.none"))
    screen.see("bel u uiterlijk de volgende werkdag terug")
    screen.tap("button", words("button.coach"))
    screen.see(words("coach.none"))


# -- in the end: these look back on all of the above ---------------------------------------------------------------
def test_the_playground_finds_nothing_wrong_with_what_we_sent(teams):
    noted = teams.warnings()
    assert [line for line in noted if line != NO_DELETING] == ["message 501"] * noted.count(NO_DELETING)


def test_nothing_broke_and_nothing_that_was_said_is_in_the_log(teams):
    log = teams.log.read_text()
    assert [part for part in log.split("Traceback")[1:] if "DeleteActivityAPINotImplemented" not in part] == []
    assert QUESTION not in log
    assert "zoek op straat" not in log
