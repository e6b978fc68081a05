import pytest
from fake_connector import BOT, MENTION
from hypothesis import given
from hypothesis import strategies as st

from bots.teams_activities import Tap, plain_text, to_event, to_tap
from core.model import Event

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["29:anna", "mention", MENTION]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "name", "type", "mentioned", "text", "tenant", "role", "verb"]), inner)
    ),
    max_leaves=8,
)
_FIELDS = ["id", "text", "from", "recipient", "conversation", "channelData", "entities", "value", "locale", "name"]


@given(st.dictionaries(st.sampled_from(_FIELDS), anything), anything)
def test_whatever_an_activity_holds_it_is_an_event_or_none(fields, data):
    activity = {"type": "message", "channelId": "msteams", "serviceUrl": "https://teams.example/"} | fields
    event = to_event(activity)
    assert event is None or isinstance(event, Event)
    for sent in ({"value": data}, {"type": "invoke", "value": {"action": {"data": data}}}, {"type": "invoke"}):
        tap = to_tap(activity | sent, "nl")
        assert tap is None or isinstance(tap, Tap)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (f"{MENTION} klant is verhuisd", "klant is verhuisd"),
        (f"klant {MENTION}is verhuisd", "klant is verhuisd"),
        ('<AT id="0">bijdehand</AT>&nbsp;klant is verhuisd', "klant is verhuisd"),
        ("<at>Bij de Hand</at> klant", "klant"),
        (f"{MENTION} vraag van <at>Jan Smit</at>: klant is verhuisd", "vraag van Jan Smit: klant is verhuisd"),
        ("<p>klant is</p><p>verhuisd &amp; boos</p>", "klant is\nverhuisd & boos"),
        ("<div>a<br/>b<ul><li>c</li></ul></div>", "a\nb c".replace(" ", "\n").replace("\nc", "c")),
        ("minder dan <5> dagen, x < y > z, <naam>", "minder dan <5> dagen, x < y > z, <naam>"),
        ("5 &lt; 6 &amp;lt; 7", "5 < 6 &lt; 7"),
        ("<at" * 10_000, "<at" * 6_666 + "<a" + ""),
    ],
)
def test_what_was_typed_is_read_without_our_name_and_without_html(text, plain):
    called = {"id": BOT["id"], "name": "Bij de Hand"}
    entities = [{"type": "mention", "mentioned": called, "text": "<at>Bij de Hand</at>"}]
    assert plain_text({"text": text, "recipient": BOT, "entities": entities}) == plain
