"""Every way to use the bot in Slack, against an emulator that is not ours and that allows what our manifest asks."""

import html
import itertools
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from fake_slack import (
    FORM,
    JSON,
    deleted,
    elements,
    global_shortcut,
    home_opened,
    message_shortcut,
    problems,
    signed,
    slash,
    submission,
    tap,
    texts,
    uninstalled,
    view_problems,
)

from core.words import say

pytestmark = pytest.mark.e2e
QUESTION = "klant wil verhuizing doorgeven"
STEP = "Vraag de nieuwe postcode."


def shown(said):
    return "\n".join(texts(said["blocks"]))


def is_answer(said):
    """Whether this is a whole and valid answer."""
    return problems(said["blocks"]) == [] and "Verhuizing doorgeven" in shown(said) and bool(said["text"].strip())


def tapped(workspace, said, action_id, *, person="alice", option="", ephemeral=False):
    """Tap what stands somewhere; where the answer to it goes."""
    response_url = workspace.response_url()
    in_view = said.get("type") in {"modal", "home"}
    trigger_id = workspace.trigger(person, said["id"] if in_view else None)
    fields = {"option": option, "response_url": response_url, "ephemeral": ephemeral, "trigger_id": trigger_id}
    workspace.form(workspace.as_here(tap(said, action_id, **fields), person))
    return response_url


def in_place(workspace, said, action_id, **fields):
    """Tap what stands somewhere, and see what stands there then."""
    now = workspace.answers(tapped(workspace, said, action_id, **fields))[-1]
    assert now["replace_original"]
    assert problems(now["blocks"]) == []
    return said | now


def whispered(workspace, said, action_id, *, person="alice", option=""):
    """Tap what stands in a conversation, and see what only this person then sees."""
    before = len(workspace.whispers(person))
    tapped(workspace, said, action_id, person=person, option=option)
    return workspace.until(lambda: workspace.whispers(person)[before:])[-1]


def commanded(workspace, text, *, person="alice", count=1, **fields):
    """Type a command; what is answered to it."""
    response_url = workspace.response_url()
    fields = {"response_url": response_url, "trigger_id": workspace.trigger(person)} | fields
    fields |= {"channel": workspace.channels["klantenservice"]}
    workspace.form(workspace.as_here(slash(text, **fields), person))
    return workspace.answers(response_url, count)


@pytest.fixture
def answer(workspace):
    """What stands in the channel after somebody asked."""
    return workspace.mention(QUESTION)


# -- asking --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("channel", ["klantenservice", "teamleiders"])
def test_a_mention_is_answered_once_in_its_thread(workspace, channel):
    channel = workspace.channels[channel]
    before = workspace.said_by_bot(channel)
    answer = workspace.mention(QUESTION, channel=channel)
    assert is_answer(answer)
    assert STEP in shown(answer)
    assert len(workspace.said_by_bot(channel, answer["thread_ts"])) == 1
    assert workspace.said_by_bot(channel) == before


def test_a_direct_message_is_answered_beside_it(workspace):
    answer = workspace.ask(QUESTION)
    assert is_answer(answer)
    assert "thread_ts" not in answer


def test_nobody_is_pinged_by_what_an_article_says(workspace, answer):
    opened = in_place(workspace, answer, "more")
    assert "Daarom" in shown(opened)
    assert "<!channel>" not in json.dumps(opened)
    assert "<@U9>" not in json.dumps(opened)


def test_a_group_message_is_answered_when_it_mentions_the_bot(workspace):
    group = workspace.client("alice").conversations_open(users=[workspace.people["bas"], workspace.bot])
    channel, ts = workspace.say(f"<@{workspace.bot}> {QUESTION}", channel=group["channel"]["id"])
    assert is_answer(workspace.reply(channel, ts))
    assert len(workspace.said_by_bot(channel, ts)) == 1


def test_a_follow_up_in_the_thread_needs_no_mention_but_must_come_from_the_asker(workspace, answer):
    where = {"channel": answer["channel"], "thread_ts": answer["thread_ts"]}
    workspace.say("en wat zeg ik dan tegen de klant?", person="bas", **where)
    _, ts = workspace.say("en als de postcode onbekend is?", **where)
    workspace.reply(answer["channel"], answer["thread_ts"], after=ts)
    assert len(workspace.said_by_bot(answer["channel"], answer["thread_ts"])) == 2


def test_what_was_said_above_a_mention_halfway_a_thread_is_read(workspace):
    _, ts = workspace.say("klant gaat verhuizen", person="bas")
    workspace.say("dat kan tot 30 dagen later", person="carla", thread_ts=ts)
    assert is_answer(workspace.mention("en wat moet ik dan vragen?", thread_ts=ts))
    assert "conversations.replies" in [call["method"] for call in workspace.seen("calls")]


def test_talk_that_is_not_meant_for_the_bot_is_left_alone(workspace):
    before = workspace.said_by_bot(workspace.channels["klantenservice"])
    channel, ts = workspace.say("wie weet hoe een verhuizing moet?")
    workspace.mention(QUESTION)  # later, and answered
    assert workspace.said_by_bot(channel) == before
    assert workspace.said_by_bot(channel, ts) == []


def test_the_same_event_delivered_four_times_is_answered_once(workspace):
    asked = workspace.mentioned(QUESTION, ts="1600000001.000001")
    for number in range(4):
        body = json.dumps(asked)
        retry = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"} if number else {}
        assert workspace.post(body, signed(body) | retry)[0] == 200
    channel = asked["event"]["channel"]
    workspace.reply(channel, "1600000001.000001")
    workspace.mention(QUESTION)  # later, and answered
    assert len(workspace.said_by_bot(channel, "1600000001.000001")) == 1


# -- the buttons of an answer --------------------------------------------------------------------------------------
def test_more_and_less_happen_in_place(workspace, answer):
    opened = in_place(workspace, answer, "more")
    assert "Daarom" in shown(opened)
    assert shown(in_place(workspace, opened, "less")) == shown(answer)


def test_a_long_list_of_steps_is_taken_one_at_a_time(workspace, answer):
    steps = [answer]
    while "step:next" in elements(steps[-1]):
        steps.append(in_place(workspace, steps[-1], "step:next"))
    assert len({shown(step) for step in steps}) == 6
    assert "Stuur de bevestiging." in shown(steps[-1])
    assert shown(in_place(workspace, steps[-1], "step:back")) == shown(steps[-2])
    assert whispered(workspace, steps[-1], "step:done")["text"] == say("feedback.helped", "nl")


def test_not_right_asks_why_and_thanks(workspace, answer):
    asked = whispered(workspace, answer, "wrong", person="bas")
    assert problems(asked["blocks"]) == []
    reasons = [name for name in elements(asked) if name.startswith("reason:")]
    assert len(reasons) >= 4
    asked |= {"channel": answer["channel"]}
    thanks = in_place(workspace, asked, "reason:outdated", person="bas", ephemeral=True)
    assert not elements(thanks)
    assert "coach" in elements(in_place(workspace, asked, "reason:topic", person="bas", ephemeral=True))


def reshaped(workspace, answer, moment):
    choosing = in_place(workspace, answer, "menu", option="reshape")
    return in_place(workspace, choosing, f"shape:{moment}")


def test_another_moment_is_chosen_and_kept(workspace, answer):
    solved = reshaped(workspace, answer, "solve")
    assert "zoek op straat" in shown(solved)
    opened = in_place(workspace, solved, "more")
    assert "zoek op straat" in shown(opened)


def test_choosing_another_moment_can_be_called_off(workspace, answer):
    choosing = in_place(workspace, answer, "menu", option="reshape")
    assert shown(in_place(workspace, choosing, "back")) == shown(answer)


def test_what_to_say_can_be_copied_sentence_by_sentence(workspace, answer):
    copied = whispered(workspace, answer, "menu", option="copy")
    assert problems(copied["blocks"]) == []
    assert "Ik zet het voor u klaar." in shown(copied)
    assert "U krijgt een mail." in shown(copied)


def test_an_answer_is_put_aside_and_stands_at_home(workspace, answer):
    whispered(workspace, answer, "menu", option="later")
    home = opened_home(workspace)
    assert "Verhuizing doorgeven" in shown(home)


def test_a_coach_can_be_asked_and_sees_it_at_home(workspace, answer):
    whispered(workspace, answer, "coach", person="bas")
    assert QUESTION in shown(opened_home(workspace, "carla"))
    assert QUESTION in shown(opened_home(workspace, "bas"))


def test_another_title_opens_for_whoever_tapped(workspace, answer):
    opened = whispered(workspace, answer, "open:0", person="bas")
    assert "Open Kompas." in shown(opened)
    assert problems(opened["blocks"]) == []


def test_an_answer_is_shared_in_a_channel_of_choice(workspace):
    answer = workspace.ask(QUESTION)
    tapped(workspace, answer, "menu", option="share")
    form = workspace.until(lambda: [view for view in workspace.views() if view["callback_id"] == "share"])[-1]
    assert view_problems(form) == []
    channel, response_url = workspace.channels["klantenservice"], workspace.response_url()
    chosen = [{"block_id": "channel", "action_id": "channel", "channel_id": channel, "response_url": response_url}]
    sent_in = submission(form, {"channel": channel}, response_urls=chosen)
    answered = workspace.form(workspace.as_here(sent_in))
    assert view_problems(answered["view"]) == []
    (shared,) = workspace.answers(response_url)
    assert shared["response_type"] == "in_channel"
    assert "Verhuizing doorgeven" in shown(shared)


def test_a_button_that_is_gone_says_so(workspace, answer):
    before = len(workspace.whispers())
    action = tap(answer, "wrong", response_url=workspace.response_url(), trigger_id=workspace.trigger())
    action["actions"][0]["action_id"] = "no_longer"
    workspace.form(workspace.as_here(action))
    assert workspace.until(lambda: workspace.whispers()[before:])[0]["text"]


# -- commands and shortcuts ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", ["/ask", "/vraag"])
def test_a_command_is_answered_to_the_asker_alone_with_the_question_above_it(workspace, command):
    (answer,) = commanded(workspace, QUESTION, command=command)
    assert is_answer(answer)
    assert QUESTION in shown(answer)
    assert answer.get("response_type", "ephemeral") == "ephemeral"


def test_the_answer_to_a_command_can_be_shared_in_the_channel(workspace):
    (answer,) = commanded(workspace, QUESTION)
    channel = workspace.channels["klantenservice"]
    asked = answer | {"channel": channel, "ts": "1600000002.000001"}
    told = workspace.answers(tapped(workspace, asked, "share", ephemeral=True), 2)
    (shared,) = [said for said in told if said.get("response_type") == "in_channel"]
    assert is_answer(shared)
    assert say("share.done", "nl") in [said["text"] for said in told]


def test_help_says_how(workspace):
    for text in ("help", ""):
        (said,) = commanded(workspace, text)
        assert "onderwerpen" in shown(said)


def test_topics_are_browsed_and_opened(workspace):
    (listed,) = commanded(workspace, "topics")
    assert problems(listed["blocks"]) == []
    assert elements(listed)


def test_an_article_opens_by_its_id(workspace):
    (opened,) = commanded(workspace, "open nl/factuur")
    assert "Open Kompas." in shown(opened)
    (asked,) = commanded(workspace, "open nergens")
    assert asked["text"].startswith(say("slack.asked", "nl", question="open nergens")), "no article, so a question"


def test_a_coach_decides_whether_a_channel_is_listened_to(workspace):
    (refused,) = commanded(workspace, "here on")
    (listens,) = commanded(workspace, "here on", person="carla")
    (stops,) = commanded(workspace, "here off", person="carla")
    assert len({refused["text"], listens["text"], stops["text"]}) == 3


def test_a_message_is_asked_about(workspace):
    response_url = workspace.response_url()
    about = message_shortcut(
        QUESTION,
        channel=workspace.channels["klantenservice"],
        author=workspace.people["bas"],
        response_url=response_url,
        trigger_id=workspace.trigger(),
    )
    workspace.form(workspace.as_here(about))
    (answer,) = workspace.answers(response_url)
    assert is_answer(answer)
    assert answer.get("response_type", "ephemeral") == "ephemeral"


def test_a_question_is_asked_from_anywhere_in_a_form(workspace):
    form = opened_form(workspace)
    assert view_problems(form) == []
    answered = workspace.form(workspace.as_here(submission(form, {"text": QUESTION})))
    assert answered["response_action"] == "update"
    assert view_problems(answered["view"]) == []

    def answer():
        (view,) = [view for view in workspace.views() if view["id"] == form["id"]]
        return STEP in shown(view) and view

    view = workspace.until(answer)
    assert view_problems(view) == []
    tapped(workspace, view, "more")
    workspace.until(lambda: "Daarom" in shown(next(one for one in workspace.views() if one["id"] == view["id"])))


def opened_form(workspace):
    before = {view["id"] for view in workspace.views()}
    workspace.form(workspace.as_here(global_shortcut(trigger_id=workspace.trigger())))
    return workspace.until(lambda: [view for view in workspace.views() if view["id"] not in before])[-1]


def test_a_trigger_that_was_used_or_expired_is_answered_in_a_direct_message(workspace):
    old, used = workspace.trigger(), workspace.trigger()
    channel, expires = workspace.direct("alice"), time.time() + 4
    workspace.form(workspace.as_here(global_shortcut(trigger_id=used)))
    workspace.until(lambda: time.time() > expires)
    for trigger_id in (used, old):
        before = len(workspace.said_by_bot(channel))
        workspace.form(workspace.as_here(global_shortcut(trigger_id=trigger_id)))
        workspace.until(lambda before=before: len(workspace.said_by_bot(channel)) > before)
    refused = {call["error"] for call in workspace.seen("calls") if call["method"] == "views.open"}
    assert {"exchanged_trigger_id", "expired_trigger_id"} <= refused


def test_a_form_whose_state_is_not_a_form_breaks_nothing(workspace):
    form = opened_form(workspace)
    for state in ({}, {"values": {}}, {"values": {"text": {"text": {"type": "plain_text_input", "value": None}}}}):
        sent_in = workspace.as_here(submission(form, {}))
        sent_in["view"]["state"] = state
        workspace.form(sent_in)
    assert is_answer(workspace.ask(QUESTION))


# -- home and the agent view ---------------------------------------------------------------------------------------
def opened_home(workspace, person="alice"):
    """Look at the Home tab; what is published for that."""
    before = [view["hash"] for view in workspace.views(person, "home")]
    here = {"user": workspace.people[person], "channel": workspace.direct(person), "team_id": workspace.team}
    assert workspace.event(home_opened(**here))[0] == 200
    published = workspace.until(
        lambda: [view for view in workspace.views(person, "home") if view["hash"] not in before]
    )[-1]
    published = {key: value for key, value in published.items() if key in {"id", "type", "blocks"}}
    assert view_problems(published) == []
    return published


def test_home_tells_how_to_ask_and_its_button_opens_the_form(workspace):
    home = opened_home(workspace)
    before = {view["id"] for view in workspace.views()}
    tapped(workspace, home, "ask")
    form = workspace.until(lambda: [view for view in workspace.views() if view["id"] not in before])[-1]
    assert form["callback_id"] == "ask"


def test_a_coach_sees_the_queue_at_home_and_an_agent_does_not(workspace):
    queue = say("home.queue", "nl", count="").strip()
    seen = [queue in shown(opened_home(workspace, person)) for person in ("carla", "alice")]
    assert seen == [True, False]


def test_an_empty_conversation_suggests_questions(workspace):
    channel = workspace.direct("bas")
    where = {"user": workspace.people["bas"], "channel": channel, "team_id": workspace.team}
    workspace.event(home_opened("messages", **where))

    def suggested():
        method = "assistant.threads.setSuggestedPrompts"
        return [one for one in workspace.seen("shown") if one["method"] == method and one["channel_id"] == channel]

    (prompts,) = workspace.until(suggested)
    assert 1 <= len(prompts["prompts"]) <= 4
    assert "thread_ts" not in prompts


# -- taking back ---------------------------------------------------------------------------------------------------
def test_a_question_taken_back_takes_the_answer_with_it(workspace):
    for said in (workspace.mention(QUESTION), workspace.ask(QUESTION)):
        thread = said.get("thread_ts")
        asked = thread or workspace.client("alice").conversations_history(channel=said["channel"])["messages"][1]["ts"]
        workspace.client("alice").chat_delete(channel=said["channel"], ts=asked)
        standing = {"channel": said["channel"], "thread_ts": thread}
        workspace.until(lambda said=said, standing=standing: said["ts"] not in timestamps(workspace, **standing))


def timestamps(workspace, channel, thread_ts):
    return {one["ts"] for one in workspace.said_by_bot(channel, thread_ts)}


def test_a_message_of_somebody_elses_that_goes_changes_nothing(workspace, answer):
    workspace.event(deleted(workspace.mentioned("iets anders", ts="1600000003.000001")))
    assert is_answer(workspace.mention(QUESTION))
    assert answer["ts"] in timestamps(workspace, answer["channel"], answer["thread_ts"])


def test_an_edited_question_is_not_answered_again(workspace, answer):
    client = workspace.client("alice")
    client.chat_update(channel=answer["channel"], ts=answer["thread_ts"], text=f"<@{workspace.bot}> {QUESTION} nu")
    workspace.mention(QUESTION)  # later, and answered
    assert timestamps(workspace, answer["channel"], answer["thread_ts"]) == {answer["ts"]}


# -- whoever is not Slack ------------------------------------------------------------------------------------------
def test_slack_may_verify_the_address(workspace):
    status, body = workspace.event({"type": "url_verification", "challenge": "c-1", "token": "x"})
    assert (status, "c-1" in body) == (200, True)


def test_what_slack_did_not_sign_is_refused(workspace):
    body = json.dumps(workspace.mentioned(QUESTION))
    assert workspace.post(body, signed(body, secret="another"))[0] == 401
    assert workspace.post(body, signed(body, at=time.time() - 400))[0] == 401
    assert workspace.post(body, {"Content-Type": JSON})[0] == 401
    assert workspace.post(body + " ", signed(body))[0] == 401


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{}", "text/plain", 415),
        ("x" * 1024 * 1024, JSON, 413),
        ("[]", JSON, 400),
        ("{", JSON, 400),
        ("payload=%7B", FORM, 400),
        ("payload=%7B%22type%22%3A%22block_actions%22%7D", FORM, 400),
        ('{"event": 1}', JSON, 400),
    ],
)
def test_what_makes_no_sense_gets_a_status_and_no_traceback(workspace, body, content_type, status):
    found, answered = workspace.post(body, signed(body, content_type=content_type))
    assert (found, "Traceback" in answered) == (status, False)


# -- added to Slack by whoever wants it ----------------------------------------------------------------------------
class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        """The test goes there itself."""


def fetched(url, form=None, **headers):
    """A page, or where it sends the browser; and the cookie it gives."""
    data = urllib.parse.urlencode(form).encode() if form else None
    try:
        with urllib.request.build_opener(NoRedirect).open(urllib.request.Request(url, data, headers)) as response:
            return response.read().decode(), response.headers.get("Set-Cookie", "")
    except urllib.error.HTTPError as error:
        with error:
            return error.headers.get("Location") or error.read().decode(), error.headers.get("Set-Cookie", "")


def test_a_workspace_that_adds_the_app_is_answered_with_its_own_token(shared):
    page, cookie = fetched(f"{shared.ours}/slack/install")
    authorize = html.unescape(re.search(r'href="([^"]+)"', page)[1])
    assert "xoxb-" not in page
    assert "Bijdehand" in fetched(authorize)[0]
    wanted = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(authorize).query))
    # Slack sends the browser to the address of the manifest when the app names none.
    chosen = wanted | {"user_id": shared.people["alice"], "redirect_uri": f"{shared.ours}/slack/oauth_redirect"}
    back, _ = fetched(f"{shared.api}/oauth/v2/authorize/callback", chosen)
    refused, _ = fetched(back)  # in a browser that did not begin it
    done, _ = fetched(back, Cookie=cookie.partition(";")[0])
    assert "xoxb-" not in refused + done
    assert done != refused
    assert shared.event(shared.mentioned(QUESTION, ts="1600000004.000001"))[0] == 200
    assert is_answer(shared.reply(shared.channels["klantenservice"], "1600000004.000001"))


def test_a_workspace_that_removes_the_app_is_no_longer_answered(shared):
    shared.event(uninstalled(team_id=shared.team))
    numbers = itertools.count(1)

    def is_silent():
        ts = f"1600000005.{next(numbers):06}"
        shared.event(shared.mentioned(QUESTION, ts=ts))
        time.sleep(1)  # silence cannot be waited for
        return shared.said_by_bot(shared.channels["klantenservice"], ts) == []

    shared.until(is_silent)


# -- in the end: these look back on all of the above ---------------------------------------------------------------
def test_the_manifest_asks_for_enough(workspace):
    errors = {(call["method"], call["error"]) for call in workspace.seen("calls")}
    assert {error for _, error in errors} <= {"", "exchanged_trigger_id", "expired_trigger_id"}
    assert {"chat.postMessage", "views.publish", "users.info"} <= {method for method, _ in errors}


def test_nothing_broke_and_nothing_that_was_said_is_in_the_log(workspace):
    log = workspace.log.read_text()
    unexpected = [part for part in log.split("Traceback")[1:] if "trigger_id" not in part]
    assert unexpected == []
    assert "postcode onbekend" not in log
    assert QUESTION not in log
