"""The Slack of the tests refuses what Slack refuses: without that, no test of ours means anything."""

import pytest
from aiohttp import encode_basic_auth
from fake_slack import (
    NEEDED,
    TEAM,
    FakeSlack,
    deleted,
    edited,
    elements,
    home_opened,
    mention,
    message,
    message_shortcut,
    problems,
    slash,
    submission,
    tap,
    tokens_revoked,
    view_problems,
)
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.slack_manifest import METHODS


def plain(text="x"):
    return {"type": "plain_text", "text": text}


def mrkdwn(text="x"):
    return {"type": "mrkdwn", "text": text}


def section(text="x", **fields):
    return {"type": "section", "text": mrkdwn(text)} | fields


def actions(*parts):
    return {"type": "actions", "elements": list(parts)}


def button(action_id="go", **fields):
    return {"type": "button", "action_id": action_id, "text": plain(), "value": "v"} | fields


def option(value="v", text="x"):
    return {"text": plain(text), "value": value}


def overflow(*options):
    return {"type": "overflow", "action_id": "menu", "options": list(options)}


def select(**fields):
    return {"type": "static_select", "action_id": "pick", "placeholder": plain(), "options": [option()]} | fields


def feedback(text="👍", value="yes"):
    thumbs = {"positive_button": {"text": plain(text), "value": value}}
    thumbs |= {"negative_button": {"text": plain("👎"), "value": "no"}}
    return {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": "helped"} | thumbs]}


def code(text="x"):
    inside = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [inside]}


def asked(action_id="text", block_id="text", **fields):
    typed = {"type": "plain_text_input", "action_id": action_id}
    return {"type": "input", "block_id": block_id, "label": plain(), "element": typed | fields}


def modal(*blocks, **fields):
    view = {"type": "modal", "title": plain(), "submit": plain(), "callback_id": "ask"}
    return view | {"blocks": list(blocks) or [asked()]} | fields


def grouped(times=1):
    found = select(option_groups=[{"label": plain(), "options": [option()]}] * times)
    return {key: value for key, value in found.items() if key != "options"}


FINE = [
    section(accessory=button()),
    actions(button(), overflow(option(), option("w")), select()),
    actions(grouped()),
    actions({"type": "conversations_select", "action_id": "c", "placeholder": plain()}),
    feedback(),
    code(),
    {"type": "image", "image_url": "https://x", "alt_text": "a"},
    {"type": "header", "text": plain()},
    {"type": "divider"},
]


def test_what_slack_takes_is_no_problem():
    assert problems(FINE) == []


@pytest.mark.parametrize(
    "block",
    [
        {"type": "nonsense"},
        {"type": "divider", "colour": "red"},
        actions({"type": "nonsense", "action_id": "x"}),
        actions(),
        section(" "),
        section("x" * 3001),
        section(fields=[mrkdwn("x" * 2001)]),
        section(block_id="x" * 256),
        {"type": "header", "text": mrkdwn()},
        {"type": "image", "image_url": "https://x", "alt_text": " "},
        {"type": "image", "image_url": "https://x"},
        actions(button(text=mrkdwn())),
        actions(button(text=plain(" "))),
        actions(button(), button()),
        actions({"type": "button", "text": plain()}),
        actions(overflow()),
        actions(overflow(*[option()] * 6)),
        actions(overflow(option("v" * 151))),
        actions(overflow(option(text="x" * 76))),
        actions(select(options=[option()] * 101)),
        actions(select() | grouped()),
        actions(select(placeholder=mrkdwn())),
        actions(select(initial_option=option("another"))),
        actions(grouped(101)),
        feedback(text="x" * 76),
        feedback(value="v" * 2001),
        code(" "),
        asked(),
    ],
)
def test_what_slack_refuses_in_a_message_is_found(block):
    assert problems([block])


def test_a_message_has_its_limits_as_a_whole():
    assert problems([{"type": "divider"}] * 51)
    assert problems([section("x" * 2500)] * 5)
    assert problems([section(block_id="a"), section(block_id="a")])


def test_a_view_may_ask_and_may_hold_more():
    assert view_problems(modal()) == []
    assert view_problems({"type": "home", "blocks": [section()] * 100}) == []
    assert view_problems(modal() | {"close": None, "external_id": ""}) == []  # as Slack hands a view back


@pytest.mark.parametrize(
    "view",
    [
        modal() | {"type": "message"},
        modal(*[section()] * 101),
        modal(title=plain("x" * 25)),
        modal(submit=plain("x" * 25)),
        modal(close=mrkdwn()),
        modal(title=plain(" ")),
        modal(callback_id="x" * 256),
        modal(private_metadata="x" * 3001),
        modal(submit=None),
        modal(asked(), asked("other")),
        modal(asked(), asked(block_id="other")),
        modal({key: value for key, value in asked().items() if key != "block_id"}),
        modal(*[section("x" * 2990)] * 90),
        modal(feedback()),
        {"type": "home", "blocks": [section()], "title": plain()},
        {"type": "modal", "blocks": [section()]},
    ],
)
def test_what_slack_refuses_in_a_view_is_found(view):
    assert view_problems(view)


# -- calls -------------------------------------------------------------------------------------------------------------
@pytest.fixture
async def slack():
    async with FakeSlack() as slack:
        yield slack


def client(slack, token="xoxb-1"):
    return AsyncWebClient(token, base_url=slack.api)


async def refusal(calling):
    with pytest.raises(SlackApiError) as refused:
        await calling
    return refused.value.response["error"]


async def test_a_modal_opens_once_with_a_trigger_and_not_when_it_is_old(slack):
    us, trigger = client(slack), slack.trigger()
    view = (await us.views_open(trigger_id=trigger, view=modal()))["view"]
    assert slack.modal == view
    assert await refusal(us.views_open(trigger_id=trigger, view=modal())) == "exchanged_trigger_id"
    assert await refusal(us.views_open(trigger_id="1.2.3", view=modal())) == "invalid_trigger_id"
    old = slack.trigger()
    slack.let_triggers_expire()
    assert await refusal(us.views_open(trigger_id=old, view=modal())) == "expired_trigger_id"


async def test_a_modal_is_updated_only_as_it_stands(slack):
    us = client(slack)
    first = (await us.views_open(trigger_id=slack.trigger(), view=modal()))["view"]
    await us.views_update(view_id=first["id"], view=modal(section()))
    assert slack.modal["id"] == first["id"]
    assert slack.modal["blocks"][0]["type"] == "section"
    assert await refusal(us.views_update(view_id=first["id"], hash=first["hash"], view=modal())) == "hash_conflict"
    assert await refusal(us.views_update(view_id="V0", view=modal())) == "not_found"
    assert await refusal(us.views_update(view_id=first["id"], view=modal(title=None))) == "invalid_arguments"


async def test_home_is_everybodys_own(slack):
    us, home = client(slack), {"type": "home", "blocks": [section()]}
    await us.views_publish(user_id="U1", view=home)
    assert list(slack.homes) == ["U1"]
    assert await refusal(us.views_publish(user_id="U1", view=modal())) == "invalid_arguments"


async def test_a_scope_that_was_not_granted_is_missed(slack):
    slack.scopes, us = {"im:history"}, client(slack)
    assert await refusal(us.chat_postMessage(channel="D1", text="x")) == "missing_scope"
    assert await refusal(us.conversations_replies(channel="C1", ts="1")) == "missing_scope"
    assert await us.conversations_replies(channel="D1", ts="1")
    assert (await us.auth_test()).headers["X-OAuth-Scopes"] == "im:history"
    assert slack.sent("chat.postMessage") == []


async def test_what_is_said_can_be_read_changed_and_taken_back(slack):
    us = client(slack)
    asked_first = mention("hoe dan?", ts="1700.1")
    slack.hear(asked_first)
    posted = await us.chat_postMessage(channel="C1", text="zo", thread_ts="1700.1")
    await us.chat_update(channel="C1", ts=posted["ts"], text="of zo")
    thread = (await us.conversations_replies(channel="C1", ts="1700.1"))["messages"]
    assert [one["text"] for one in thread] == [asked_first["event"]["text"], "of zo"]
    await us.chat_delete(channel="C1", ts=posted["ts"])
    assert await refusal(us.chat_delete(channel="C1", ts=posted["ts"])) == "message_not_found"
    assert await refusal(us.chat_delete(channel="C1", ts="1700.1")) == "message_not_found"  # not ours
    slack.hear(edited(asked_first, "anders"))
    assert [one["text"] for one in slack.said] == ["anders"]
    slack.hear(deleted(asked_first))
    assert slack.said == []


async def test_an_installation_gives_a_token_of_that_team_once(slack):
    us = {"headers": {"Authorization": encode_basic_auth("1.2", "s")}, "data": {"code": slack.code("T2")}}
    given = await client(slack, None).api_call("oauth.v2.access", **us)
    assert given["team"]["id"] == "T2"
    assert await refusal(client(slack, None).api_call("oauth.v2.access", **us)) == "invalid_code"
    theirs = client(slack, given["access_token"])
    assert (await theirs.auth_test())["team_id"] == "T2"
    await theirs.chat_postMessage(channel="C1", text="x")
    await client(slack).chat_postMessage(channel="C1", text="y")
    assert [body["text"] for body in slack.sent(token="xoxb-T2")] == ["x"]
    slack.revoked.add("xoxb-T2")
    assert await refusal(theirs.auth_test()) == "token_revoked"


async def test_the_agent_view_takes_four_prompts_and_no_thread(slack):
    us, prompt = client(slack), {"title": "t", "message": "m"}
    method, where = "assistant.threads.setSuggestedPrompts", {"channel_id": "D1"}
    await us.api_call(method, json=where | {"prompts": [prompt] * 4})
    assert await refusal(us.api_call(method, json=where | {"prompts": [prompt] * 5})) == "invalid_arguments"
    bound = {"prompts": [prompt], "thread_ts": "1"}
    assert await refusal(us.api_call(method, json=where | bound)) == "invalid_arguments"
    status = us.api_call("assistant.threads.setStatus", json=where | {"status": "…"})
    assert await refusal(status) == "invalid_arguments"


async def test_strangers_unknown_methods_and_channels_are_refused(slack):
    us = client(slack)
    slack.channels = {"C9": None, "C2": {"is_private": True, "is_member": False}}
    slack.usergroups = {"S1": ["U9"]}
    assert await refusal(client(slack, "nobody").auth_test()) == "not_authed"
    assert await refusal(client(slack, "xapp-1").auth_test()) == "not_allowed_token_type"
    assert await refusal(us.api_call("chat.everything")) == "unknown_method"
    assert await refusal(us.conversations_info(channel="C9")) == "channel_not_found"
    assert not (await us.conversations_info(channel="C2"))["channel"]["is_member"]
    assert (await us.usergroups_users_list(usergroup="S1"))["users"] == ["U9"]
    assert await refusal(us.usergroups_users_list(usergroup="S2")) == "no_such_subteam"


async def test_a_response_url_is_good_for_five_answers(slack):
    hook = AsyncWebhookClient(slack.response_url)
    statuses = [(await hook.send(text="x")).status_code for _ in range(6)]
    assert (statuses, len(slack.sent("response_url"))) == ([200] * 5 + [404], 5)


def test_this_slack_and_our_manifest_agree_on_what_a_method_needs():
    kinds = ("channels", "groups", "im", "mpim")
    for method, scopes in METHODS.items():
        needed = {NEEDED[method].replace("…", kind) for kind in kinds} - {""}
        assert set(scopes) - {"connections:write"} <= needed


# -- what Slack sends -------------------------------------------------------------------------------------------------
POSTED = {"ts": "1", "channel": "C1", "text": "x", "thread_ts": "0"}


def test_whatever_can_be_tapped_is_found_and_tapped():
    menu = overflow(option("reshape a"), option("copy a 1"))
    said = POSTED | {"blocks": [section(accessory=button("beside")), actions(menu, grouped()), feedback(), section()]}
    assert list(elements(said)) == ["beside", "menu", "pick", "helped"]
    assert tap(said, "menu", option="copy")["actions"][0]["selected_option"]["value"] == "copy a 1"
    assert tap(said, "menu", option=" 1")["actions"][0]["selected_option"]["value"] == "copy a 1"
    assert tap(said, "pick")["actions"][0]["selected_option"] == option()
    thumbs = [tap(said, "helped", option=thumb)["actions"][0]["value"] for thumb in ("positive", "negative")]
    assert thumbs == ["yes", "no"]
    assert tap(said, "beside")["message"]["blocks"] == said["blocks"]
    assert "message" not in tap(said, "beside", ephemeral=True)


def test_a_tap_in_a_view_has_no_conversation():
    view = {"id": "V1", "type": "home", "blocks": [actions(button())]}
    tapped = tap(view, "go")
    assert tapped["container"] == {"type": "view", "view_id": "V1"}
    assert not {"channel", "message", "response_url"} & set(tapped)


def test_a_form_is_filled_in_by_the_names_of_its_fields():
    chosen = asked("channel", "where") | {"element": {"type": "conversations_select", "action_id": "channel"}}
    picked = asked("pick", "which") | {"element": select()}
    view = modal(asked(), chosen, picked)
    state = submission(view, {"text": "hoe?", "channel": "C1", "pick": "v"})["view"]["state"]["values"]
    assert state["text"]["text"] == {"type": "plain_text_input", "value": "hoe?"}
    assert state["where"]["channel"] == {"type": "conversations_select", "selected_conversation": "C1"}
    assert state["which"]["pick"]["selected_option"] == option()
    assert submission(view, {})["view"]["state"]["values"]["text"]["text"]["value"] is None
    with pytest.raises(AssertionError):
        submission(view, {"nothing of that name": "x"})


def test_what_happens_to_a_message_names_that_message():
    said = message("hoe?", thread_ts="1600.1")
    ts = said["event"]["ts"]
    assert deleted(said)["event"]["deleted_ts"] == ts
    changed = edited(said, "anders")["event"]
    assert (changed["message"]["ts"], changed["message"]["text"]) == (ts, "anders")
    assert changed["previous_message"]["text"] == "hoe?"
    assert changed["ts"] != ts


def test_the_rest_is_as_slack_sends_it():
    assert home_opened("messages")["event"]["tab"] == "messages"
    assert tokens_revoked()["event"]["tokens"]["bot"]
    assert (slash("hoe?")["command"], slash("hoe?")["team_id"]) == ("/ask", TEAM)
    about = message_shortcut("hoe?")
    assert (about["callback_id"], about["message"]["text"]) == ("ask_about", "hoe?")
