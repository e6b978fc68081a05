"""The app package holds what the code needs, asks for nothing else, and says it in both languages."""

import io
import itertools
import json
import re
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots import teams_activities, teams_manifest
from bots.teams_manifest import (
    ASK_ABOUT,
    PERMISSIONS,
    QUESTION,
    SCHEMA_VERSION,
    SEARCH,
    App,
    Extra,
    manifest,
    package,
    translation,
)
from core.commands import Command, Name, read_command
from core.words import say

README = (Path(teams_manifest.__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BOT = "11111111-1111-4111-8111-111111111111"
SITE = "https://kievit.example"
LANGUAGES = ("nl", "en")
PROMPTS = {"nl": ["Klant wil verhuizen", "Goedmaken met een tegoed"], "en": ["Customer moves", "Giving credit"]}
SOME = [frozenset(some) for size in range(len(Extra) + 1) for some in itertools.combinations(Extra, size)]
ANY = pytest.mark.parametrize("extras", SOME, ids=lambda extras: "+".join(sorted(extras)) or "least")
BOTH = pytest.mark.parametrize("language", LANGUAGES)

# From Microsoft's reference: the most characters that a text may have, by the end of where it stands.
MOST = {
    r"name\.short": 30,
    r"name\.full": 100,
    r"description\.short": 80,
    r"description\.full": 4000,
    r"commandLists\[\d\]\.commands\[\d\]\.title": 128,
    r"commandLists\[\d\]\.commands\[\d\]\.description": 128,
    r"commandLists\[\d\]\.commands\[\d\]\.prompt": 4000,
    r"composeExtensions\[0\]\.commands\[\d\]\.title": 32,
    r"composeExtensions\[0\]\.commands\[\d\]\.description": 128,
    r"parameters\[\d\]\.title": 32,
    r"parameters\[\d\]\.description": 128,
}


def app(extras=(), **over):
    made = {"id": BOT, "version": "1.0.0", "developer": "Kievit", "website": SITE, "privacy": SITE, "terms": SITE}
    return App(**made | {"extras": frozenset(extras), "prompts": PROMPTS} | over)


def made_of(extras=(), language="nl"):
    return manifest(app(extras), language)


def files(extras=(), language="nl"):
    with zipfile.ZipFile(io.BytesIO(package(app(extras), language))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def commands(made, scope):
    (listed,) = [each["commands"] for each in made["bots"][0]["commandLists"] if each["scopes"] == [scope]]
    return listed


def at(value, path):
    """What stands at a path such as a localisation file has."""
    for key in re.findall(r"\w+", path):
        value = value[int(key) if isinstance(value, list) else key]
    return value


# -- what it may do --------------------------------------------------------------------------------------------------
def test_the_least_asks_for_no_permission_and_reads_along_nowhere():
    asking = {"authorization", "webApplicationInfo", "permissions", "devicePermissions", "supportsChannelFeatures"}
    assert not asking & set(made_of())


def test_following_threads_asks_for_messages_of_channels_and_chats_and_for_nothing_else():
    made = made_of({Extra.FOLLOW_THREADS})
    assert made["authorization"] == {
        "permissions": {
            "resourceSpecific": [
                {"name": "ChannelMessage.Read.Group", "type": "Application"},
                {"name": "ChatMessage.Read.Chat", "type": "Application"},
            ]
        }
    }
    assert made["webApplicationInfo"]["id"] == BOT
    assert made["webApplicationInfo"]["resource"]


def test_other_kinds_of_channels_are_had_on_request_only():
    assert made_of({Extra.ALL_CHANNELS})["supportsChannelFeatures"] == "tier1"


@pytest.mark.parametrize("permission", PERMISSIONS, ids=lambda permission: permission.name)
def test_the_readme_says_what_a_permission_is_for(permission):
    assert f"| `{permission.name}` | {permission.reason}" in README


# -- the bot ---------------------------------------------------------------------------------------------------------
@ANY
def test_it_is_in_every_scope_with_a_menu_of_its_own(extras):
    bot = made_of(extras)["bots"][0]
    assert bot["botId"] == made_of(extras)["id"] == BOT
    assert [listed["scopes"] for listed in bot["commandLists"]] == [["personal"], ["team"], ["groupChat"]]
    assert bot["scopes"] == ["personal", "team", "groupChat"]
    assert all(len(listed["commands"]) <= 12 for listed in bot["commandLists"])
    assert bot["supportsFiles"] is False


@ANY
@BOTH
def test_what_a_menu_types_is_understood(extras, language):
    made = made_of(extras, language)
    for scope in made["bots"][0]["scopes"]:
        typed = [read_command(each["title"]) for each in commands(made, scope) if each.get("type") != "prompt"]
        assert {Command(Name.HELP), Command(Name.TOPICS)} <= set(typed)
        assert (Command(Name.OVERVIEW) in typed) == (scope == "personal")  # what is in it, is for one person


@ANY
@BOTH
def test_listening_can_be_switched_where_it_hears_what_is_said(extras, language):
    switches = {Command(Name.HERE_ON), Command(Name.HERE_OFF)}
    for scope in ("personal", "team", "groupChat"):
        typed = {read_command(each["title"]) for each in commands(made_of(extras, language), scope)}
        assert typed & switches == (switches if scope == "team" and Extra.FOLLOW_THREADS in extras else set())


def prompts(language="nl", **over):
    listed = commands(manifest(app(**over), language), "personal")
    return [each for each in listed if each.get("type") == "prompt"]


@BOTH
def test_a_prompt_asks_what_it_shows(language):
    assert [each["prompt"] for each in prompts(language)] == PROMPTS[language]
    assert all(each["title"] == each["prompt"] for each in prompts(language))


def test_an_organisation_without_articles_has_no_prompts():
    assert prompts(prompts={}) == prompts(prompts={"nl": [], "en": []}) == []


def test_there_are_as_many_prompts_in_one_language_as_in_the_other():
    some = {"nl": ["een", "twee"], "en": ["one"]}
    assert [len(prompts(language, prompts=some)) for language in LANGUAGES] == [1, 1]
    assert prompts(prompts={"nl": ["een"]}) == []


@given(st.text(min_size=1))
def test_a_title_of_any_length_is_no_longer_than_teams_shows(title):
    (long,) = prompts(prompts={"nl": [title * 200], "en": ["short"]})
    assert len(long["title"]) == len(long["prompt"]) <= 128


# -- the message extension -------------------------------------------------------------------------------------------
def extension():
    (made,) = made_of()["composeExtensions"]
    return made | {"commands": {each["id"]: each for each in made["commands"]}}


def test_the_extension_is_of_the_same_bot():
    assert extension()["botId"] == BOT


def test_searching_starts_at_once_where_people_write():
    search = extension()["commands"][SEARCH]
    assert (search["type"], search["initialRun"]) == ("query", True)
    assert search["context"] == ["compose", "commandBox"]


def test_asking_about_a_message_opens_a_dialog():
    ask_about = extension()["commands"][ASK_ABOUT]
    assert (ask_about["type"], ask_about["fetchTask"], ask_about["context"]) == ("action", True, ["message"])


def test_what_the_extension_sends_is_what_is_read():
    who = {"from": {"id": "29:1", "aadObjectId": "a"}, "conversation": {"id": "c", "tenantId": "t"}, "id": "1"}
    invoke = who | {"type": "invoke", "channelId": "msteams", "serviceUrl": SITE}
    (parameter,) = extension()["commands"][SEARCH]["parameters"]
    sent = {"commandId": SEARCH, "parameters": [{"name": parameter["name"], "value": "gas"}]}
    assert parameter["name"] == QUESTION
    assert teams_activities.to_search(invoke | {"name": "composeExtension/query", "value": sent}) == "gas"
    sent = {"commandId": ASK_ABOUT, "messagePayload": {"id": "2", "body": {"content": "gas"}}}
    asked = teams_activities.to_asked_about(invoke | {"name": "composeExtension/fetchTask", "value": sent})
    assert asked.text == "gas"


# -- the words -------------------------------------------------------------------------------------------------------
@ANY
@BOTH
def test_every_text_that_people_see_is_in_both_languages(extras, language):
    made, there = made_of(extras, language), files(extras, language)
    shown = {"short", "full", "title", "description", "prompt"}
    paths = set(re.findall(r'"(\w+)": "', json.dumps(made))) & shown
    assert paths == shown
    texts = {each: json.loads(there[f"{each}.json"]) for each in LANGUAGES}
    assert texts["nl"].keys() == texts["en"].keys()
    for path in texts[language].keys() - {"$schema"}:
        assert texts[language][path] == at(made, path)
    count = sum(json.dumps(made).count(f'"{key}": "') for key in shown)
    assert len(texts[language]) == count + 1  # none is left out; the one more is $schema


def test_the_languages_differ_except_in_names():
    texts = {each: translation(made_of(language=each)) for each in LANGUAGES}
    same = {path for path in texts["nl"] if texts["nl"][path] == texts["en"][path]} - {"$schema"}
    assert {texts["nl"][path] for path in same} == {"Bijdehand", "Help"}


@ANY
@BOTH
def test_no_text_is_longer_than_teams_shows(extras, language):
    texts = translation(made_of(extras, language))
    texts.pop("$schema")
    assert all(len(text) <= 32 for path, text in texts.items() if re.search(r"commands\[[0-2]\]\.title", path))
    for path, text in texts.items():
        (most,) = [most for end, most in MOST.items() if re.search(f"{end}$", path)]
        assert 0 < len(text) <= most, path


@BOTH
def test_its_own_language_is_what_others_fall_back_to(language):
    localised, there = made_of(language=language)["localizationInfo"], files(language=language)
    assert localised["defaultLanguageTag"] == language
    assert {localised["defaultLanguageFile"], *(each["file"] for each in localised["additionalLanguages"])} == {
        "nl.json",
        "en.json",
    }
    assert json.loads(there["manifest.json"])["description"]["short"] == say("teams_package.short", language)


@BOTH
def test_what_it_reads_is_said_as_it_is(language):
    least, more = (made_of(extras, language)["description"]["full"] for extras in ((), {Extra.FOLLOW_THREADS}))
    assert say("teams_package.hears", language) in least
    assert say("teams_package.hears_more", language) in more
    assert all(say(f"teams_package.{key}", language) in least for key in ("about", "keeps"))


# -- the package -----------------------------------------------------------------------------------------------------
def test_the_package_holds_all_that_the_manifest_names_and_no_more():
    there = files()
    made = json.loads(there["manifest.json"])
    assert made == made_of()
    assert there.keys() == {"manifest.json", "nl.json", "en.json", *made["icons"].values()}


def test_the_same_app_is_the_same_package():
    assert package(app(), "nl") == package(app(), "nl")
    assert package(app(), "nl") != package(app(version="1.0.1"), "nl")


def test_what_is_declared_is_one_version_of_the_schema():
    for made in (made_of(), translation(made_of())):
        assert f"/v{SCHEMA_VERSION}/" in made["$schema"]
    assert made_of()["manifestVersion"] == SCHEMA_VERSION


def pixels(png):
    """The size of an eight bit PNG, and its pixels."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    rest, chunks = png[8:], []
    while rest:
        size, kind = struct.unpack(">I4s", rest[:8])
        chunks.append((kind, rest[8 : 8 + size]))
        rest = rest[12 + size :]
    width, height, depth, colours = struct.unpack(">IIBB", dict(chunks)[b"IHDR"][:10])
    assert depth == 8
    step = {2: 3, 6: 4}[colours]
    data = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    above, found = bytes(width * step), []
    for row in range(height):
        start = row * (width * step + 1)
        above = unfiltered(data[start], data[start + 1 : start + 1 + width * step], above, step)
        found += [tuple(above[left : left + step]) for left in range(0, len(above), step)]
    return (width, height), found


def unfiltered(kind, row, above, step):
    line = bytearray(row)
    for index, value in enumerate(row):
        left, corner = (line[index - step], above[index - step]) if index >= step else (0, 0)
        up = above[index]
        nearest = min((left, up, corner), key=lambda each: abs(left + up - corner - each))
        line[index] = (value + (0, left, up, (left + up) // 2, nearest)[kind]) % 256
    return bytes(line)


def test_the_colour_icon_fills_its_square():
    size, found = pixels(files()["color.png"])
    assert size == (192, 192)
    assert all(len(pixel) == 3 or pixel[3] == 255 for pixel in found)
    assert len(set(found)) > 2


def test_the_outline_icon_is_white_and_transparent_and_nothing_else():
    size, found = pixels(files()["outline.png"])
    assert size == (32, 32)
    assert {pixel[:3] for pixel in found if pixel[3]} == {(255, 255, 255)}
    assert {0, 255} <= {pixel[3] for pixel in found}
