import pytest
from fake_slack import BOT, mention, message

from bots.slack_events import Spot, plain_text, to_event


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        (f"<@{BOT}> klant is verhuisd", "klant is verhuisd"),
        (f"hoi <@{BOT}|bijdehand>  klant  belt", "hoi klant belt"),
        ("vraag <@U123> of <@U456|jan>", "vraag of @jan"),
        ("staat in <#C1|storingen> en <#C2> en <#C3|>", "staat in #storingen en en"),
        ("<!here> <!subteam^S1|@team> help", "@team help"),
        (
            "zie <http://kievit.example|de site> of <https://x.example/a?b=1&amp;c=2>",
            "zie de site of https://x.example/a?b=1&c=2",
        ),
        ("mail <mailto:a@b.example|a@b.example>", "mail a@b.example"),
        ("A &amp; B &lt;15&gt;", "A & B <15>"),
        ("&amp;lt; blijft", "&lt; blijft"),
        ("dank je :+1::skin-tone-2:", "dank je"),
        (":wave: hoi :pray::tada:", "hoi"),
        ("om 12:30:15 gebeld, a:b:c", "om 12:30:15 gebeld, a:b:c"),
        ("regel een\nregel twee", "regel een\nregel twee"),
    ],
)
def test_a_message_is_read_as_plain_text(typed, plain):
    assert plain_text(typed, BOT) == plain


def test_an_event_is_named_by_the_team_of_the_envelope():
    asked = message("verhuizing", team="T-of-the-user")
    event = to_event(asked, BOT)
    assert (event.surface, event.team, event.place) == ("slack", "T1", "D1")
    assert event.message_id == asked["event"]["ts"]
    assert event.direct
    assert not to_event(mention("verhuizing"), BOT).direct
    assert event.address == {"team": "T1", "channel": "D1", "user": "U1"}


def test_a_spot_is_the_same_again_from_its_address():
    spot = Spot("T1", "E1", "U1", "C1", "1.1", "https://hooks.test/1", "1.2", "V1", home=True, ephemeral=True)
    for one in (spot, Spot("T1")):
        assert Spot(**one.address()) == one


def test_a_group_message_without_text_is_not_said_to_us():
    silent = message("", channel="G1", channel_type="mpim")
    silent["event"]["text"] = None
    assert to_event(silent, BOT) is None
