"""Our app as Teams installs it: a zip with a manifest, two icons and what people read in both languages."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.commands import Name
from core.words import say
from knowledge.article import Language

Json = dict[str, Any]

NAME = "Bijdehand"
SEARCH, ASK_ABOUT, SAVE = "search", "ask_about", "save_as_answer"  # ids of the message extension's commands
QUESTION = "text"  # what SEARCH calls its parameter
# Prompts came with 1.27, but cannot be translated before 1.28; a Dutch title above an English prompt helps nobody.
SCHEMA_VERSION = "1.28"
_SCHEMAS = f"https://developer.microsoft.com/json-schemas/teams/v{SCHEMA_VERSION}"
_STATIC = Path(__file__).parent / "static"
_ICONS = ("color.png", "outline.png")  # drawn from the SVGs beside them, at 192 and 32 pixels
LANGUAGES: tuple[Language, ...] = ("nl", "en")
_SHOWN = {"short", "full", "title", "description", "prompt"}  # what a file with translations may hold
_MOST_OF_A_TITLE = 128  # characters
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


class Extra(StrEnum):
    """More than the least; each is an option of `bijdehand teams package`."""

    FOLLOW_THREADS = "follow-threads"
    ALL_CHANNELS = "all-channels"


@dataclass(frozen=True, slots=True)
class Permission:
    """What an owner of a team or a member of a chat agrees to when they add us there, and what it is for."""

    name: str
    reason: str


PERMISSIONS = (  # all of them for FOLLOW_THREADS; without that, none
    Permission("ChannelMessage.Read.Group", "hear messages without a mention in the channels of that team"),
    Permission("ChatMessage.Read.Chat", "hear messages without a mention in that group chat"),
)


@dataclass(frozen=True, slots=True)
class App:
    """An app for one bot. Who runs it, and three addresses of theirs, are shown to whoever looks it up in Teams.

    It has the id of its bot. Teams wants one app for each registration, and every environment has a registration of its
    own: so a new package takes the place of the one before, and test stands beside production.
    """

    id: str
    version: str
    developer: str
    website: str
    privacy: str
    terms: str
    name: str = NAME
    extras: frozenset[Extra] = frozenset()
    prompts: Mapping[Language, Sequence[str]] = field(default_factory=dict)  # questions to try


def package(app: App, language: Language) -> bytes:
    """The zip. It is not compressed, so that it is the same everywhere."""
    files = {"manifest.json": _written(manifest(app, language))}
    files |= {f"{each}.json": _written(translation(manifest(app, each))) for each in LANGUAGES}
    files |= {icon: (_STATIC / f"teams-{icon}").read_bytes() for icon in _ICONS}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for file, written in files.items():
            archive.writestr(zipfile.ZipInfo(file, _ZIP_EPOCH), written)
    return content.getvalue()


def _written(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def manifest(app: App, language: Language) -> Json:
    """What Teams makes the app from. It reads along nowhere, unless an extra says so."""
    others = [each for each in LANGUAGES if each != language]
    return {
        "$schema": f"{_SCHEMAS}/MicrosoftTeams.schema.json",
        "manifestVersion": SCHEMA_VERSION,
        "version": app.version,
        "id": app.id,
        "localizationInfo": {
            "defaultLanguageTag": language,
            "defaultLanguageFile": f"{language}.json",
            "additionalLanguages": [{"languageTag": other, "file": f"{other}.json"} for other in others],
        },
        "developer": {
            "name": app.developer,
            "websiteUrl": app.website,
            "privacyUrl": app.privacy,
            "termsOfUseUrl": app.terms,
        },
        "name": {"short": app.name, "full": app.name},
        "description": {"short": say("teams_package.short", language), "full": _about(app, language)},
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": "#0B5563",
        "bots": [_bot(app, language)],
        "composeExtensions": [_extension(app, language)],
        "defaultInstallScope": "personal",
        "validDomains": [],  # no page of ours opens inside Teams
    } | _extras(app)


def _about(app: App, language: Language) -> str:
    hears = "hears_more" if Extra.FOLLOW_THREADS in app.extras else "hears"
    return "\n\n".join(say(f"teams_package.{key}", language) for key in ("about", hears, "keeps"))


def translation(made: Json) -> Json:
    """Every text of a manifest that people see, by where it stands."""
    shown = {path: text for path, text in _texts("", made) if path.rpartition(".")[2] in _SHOWN}
    return {"$schema": f"{_SCHEMAS}/MicrosoftTeams.Localization.schema.json"} | shown


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(f"{path}.{key}" if path else key, inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(f"{path}[{index}]", inner)
    elif isinstance(value, str):
        yield path, value


def _extras(app: App) -> Json:
    more: Json = {}
    if Extra.ALL_CHANNELS in app.extras:
        more["supportsChannelFeatures"] = "tier1"
    if Extra.FOLLOW_THREADS in app.extras:
        needed = [{"name": permission.name, "type": "Application"} for permission in PERMISSIONS]
        more["authorization"] = {"permissions": {"resourceSpecific": needed}}
        # Nothing reads the resource, but without one Teams refuses.
        more["webApplicationInfo"] = {"id": app.id, "resource": f"api://{app.id}"}
    return more


# -- the bot ---------------------------------------------------------------------------------------------------------
def _bot(app: App, language: Language) -> Json:
    switches = (Name.HERE_ON, Name.HERE_OFF) if Extra.FOLLOW_THREADS in app.extras else ()
    commands = {
        "personal": [*_commands(language, Name.HELP, Name.TOPICS, Name.OVERVIEW), *_prompts(app, language)],
        "team": _commands(language, Name.HELP, Name.TOPICS, *switches),
        "groupChat": _commands(language, Name.HELP, Name.TOPICS),
    }
    return {
        "botId": app.id,
        "scopes": list(commands),
        "supportsFiles": False,
        "commandLists": [{"scopes": [scope], "commands": listed} for scope, listed in commands.items()],
    }


def _commands(language: Language, *names: Name) -> list[Json]:
    """What the menu types for people; `read_command` knows it again."""
    return [
        {
            "title": say(f"teams_package.{name}", language),
            "description": say(f"teams_package.{name}_description", language),
        }
        for name in names
    ]


def _prompts(app: App, language: Language) -> list[Json]:
    """As many as there are in every language, since a translation names each by its place.

    Microsoft would rather have no welcome beside them. We have both: a chat that has had us for long shows these, and
    somebody new gets one welcome.
    """
    most = min(len(app.prompts.get(each, ())) for each in LANGUAGES)
    asked = [_cut(prompt) for prompt in app.prompts.get(language, ())[:most]]
    return [{"title": one, "type": "prompt", "prompt": one} for one in asked]


def _cut(title: str) -> str:
    return title if len(title) <= _MOST_OF_A_TITLE else f"{title[: _MOST_OF_A_TITLE - 1]}…"


# -- the message extension -------------------------------------------------------------------------------------------
def _extension(app: App, language: Language) -> Json:
    search = {
        "id": SEARCH,
        "type": "query",
        "title": say("teams_package.search", language),
        "description": say("teams_package.search_description", language),
        "context": ["compose", "commandBox"],
        "initialRun": True,
        "parameters": [
            {
                "name": QUESTION,
                "title": say("modal.question", language),
                "description": say("teams_package.search_hint", language),
            }
        ],
    }
    ask_about = {
        "id": ASK_ABOUT,
        "type": "action",
        "title": say("manifest.ask_about", language),
        "description": say("manifest.ask_about_description", language),
        "context": ["message"],
        "fetchTask": True,
    }
    save = ask_about | {
        "id": SAVE,
        "title": say("manifest.save_as_answer", language),
        "description": say("manifest.save_as_answer_description", language),
    }
    return {"botId": app.id, "commands": [search, ask_about, save]}
