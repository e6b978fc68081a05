"""The app package, against Microsoft's own schemas of the version that it declares."""

import copy
import io
import itertools
import json
import zipfile
from pathlib import Path

import pytest
from jsonschema import Draft201909Validator

from bots.teams_manifest import SCHEMA_VERSION, App, Extra, package

pytestmark = pytest.mark.e2e

SCHEMAS = Path(__file__).parent / "node_modules/@microsoft/app-manifest/build/json-schemas/teams" / f"v{SCHEMA_VERSION}"
BOT = "11111111-1111-4111-8111-111111111111"
SITE = "https://kievit.example"
PROMPTS = {"nl": ["Klant wil verhuizen", "k" * 200], "en": ["Customer moves", "k" * 200]}
SOME = [frozenset(some) for size in range(len(Extra) + 1) for some in itertools.combinations(Extra, size)]


def of_microsoft(name):
    """A schema of theirs. It says draft 4, in which `const` and what stands beside a `$ref` mean nothing."""
    schema = json.loads((SCHEMAS / f"MicrosoftTeams.{name}.json").read_text(encoding="utf-8-sig"))
    return Draft201909Validator(schema, format_checker=Draft201909Validator.FORMAT_CHECKER)


def problems(name, value):
    return [f"{error.json_path}: {error.message}" for error in of_microsoft(name).iter_errors(value)]


def files(extras, language="nl"):
    app = App(BOT, "1.0.0", "Kievit", SITE, SITE, SITE, extras=frozenset(extras), prompts=PROMPTS)
    with zipfile.ZipFile(io.BytesIO(package(app, language))) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}


@pytest.mark.parametrize("extras", SOME, ids=lambda extras: "+".join(sorted(extras)) or "least")
@pytest.mark.parametrize("language", ["nl", "en"])
def test_microsoft_takes_the_manifest_and_both_translations(extras, language):
    there = files(extras, language)
    assert problems("schema", there["manifest.json"]) == []
    assert problems("Localization.schema", there["nl.json"]) == []
    assert problems("Localization.schema", there["en.json"]) == []


def test_the_schema_is_the_one_that_is_named():
    assert of_microsoft("schema").schema["properties"]["manifestVersion"]["const"] == SCHEMA_VERSION


def changed(path, value):
    """The manifest, with one thing different; without it, where the value is None."""
    made = copy.deepcopy(files(Extra)["manifest.json"])
    *way, last = path
    spot = made
    for key in way:
        spot = spot[key]
    if value is None:
        del spot[last]
    else:
        spot[last] = value
    return made


COMMAND = ("bots", 0, "commandLists", 0, "commands", 0)
RESOURCES = ("authorization", "permissions", "resourceSpecific")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("manifestVersion",), "1.27"),
        (("id",), "bijdehand"),
        (("version",), None),
        (("surprise",), "?"),
        (("developer", "privacyUrl"), None),
        (("developer", "websiteUrl"), "kievit.example"),
        (("developer", "name"), "k" * 33),
        (("name", "short"), "k" * 31),
        (("description", "short"), "k" * 81),
        (("icons", "outline"), None),
        (("accentColor",), "teal"),
        (("defaultInstallScope",), "everywhere"),
        (("supportsChannelFeatures",), "tier9"),
        (("bots", 0, "botId"), "bijdehand"),
        (("bots", 0, "scopes"), ["channel"]),
        (("bots", 0, "commandLists"), [{"scopes": ["personal"], "commands": []}] * 4),
        ((*COMMAND, "title"), "k" * 129),
        ((*COMMAND, "type"), "starter"),
        (("composeExtensions", 0, "commands", 0, "parameters"), []),
        (("composeExtensions", 0, "commands", 0, "title"), "k" * 33),
        (("composeExtensions", 0, "commands", 1, "context"), ["messages"]),
        (("webApplicationInfo", "id"), "bijdehand"),
        ((*RESOURCES, 0, "type"), "application"),
        ((*RESOURCES, 1), {"name": "ChatMessage.Read.Chat"}),
    ],
)
def test_microsoft_does_not_take_just_anything(path, value):
    assert problems("schema", changed(path, value))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("name.short", "k" * 31),
        ("name.short", ""),
        ("bots[1].commandLists[0].commands[0].title", "Help"),
        ("composeExtensions[0].commands[0].title", "k" * 33),
        ("icons.color", "color.png"),
    ],
)
def test_nor_just_any_translation(path, text):
    assert problems("Localization.schema", files(())["nl.json"] | {path: text})


def test_prompts_can_be_translated_from_this_version_on():
    """If this passes for the version before, that one will do."""
    path = "bots[0].commandLists[0].commands[3].prompt"
    assert path in files(())["nl.json"]
    before = SCHEMAS.with_name("v1.27") / "MicrosoftTeams.Localization.schema.json"
    validator = Draft201909Validator(json.loads(before.read_text(encoding="utf-8-sig")))
    assert [path in error.message for error in validator.iter_errors(files(())["nl.json"])] == [True]
