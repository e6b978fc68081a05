"""`bijdehand teams`: making the app that Teams installs."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bots import console
from knowledge.article import Language

if TYPE_CHECKING:
    from core.settings import Settings

app = typer.Typer(help="Make the Teams app.", no_args_is_help=True)

_HOST = r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?(:\d{1,5})?"
_ADDRESS = re.compile(rf"https://{_HOST}([/?#][\w.~:/?#@!$&'()*+,;=%-]*)?", re.ASCII | re.IGNORECASE)
_VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", re.ASCII)
_MOST_OF_A_NAME, _MOST_OF_A_DEVELOPER, _MOST_OF_AN_ADDRESS = 30, 32, 2048  # characters; Teams refuses more


@app.callback()
def _teams() -> None:
    """Make the Teams app."""  # a group, though it has one command


@app.command("package")
def write_package(
    *,
    out: Annotated[Path, typer.Option(help="The zip to write.")] = Path("bijdehand-teams.zip"),
    url: Annotated[str, typer.Option(help="A page about it, or else your site; people see it in Teams. Needed.")] = "",
    privacy_url: Annotated[str, typer.Option(help="Your privacy statement; without it, the same page.")] = "",
    terms_url: Annotated[str, typer.Option(help="Your terms of use; without them, the same page.")] = "",
    developer: Annotated[str, typer.Option(help="Who runs it; without it, its own name.")] = "",
    name: Annotated[str, typer.Option(help="Its name in Teams, to tell test from production.")] = "Bijdehand",
    version: Annotated[str, typer.Option(help="Like 1.0.2; Teams takes a new package only with a higher one.")] = "",
    follow_threads: Annotated[
        bool, typer.Option("--follow-threads", help="Hear messages without a mention, where an owner agrees.")
    ] = False,
    all_channels: Annotated[
        bool, typer.Option("--all-channels", help="Private and shared channels too. Others may share those.")
    ] = False,
    language: Annotated[Language | None, typer.Option(help="Of those who have Teams in neither nl nor en.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write it over whatever is there.")] = False,
) -> None:
    """Write the app package for Teams; on standard error, what it asks for and what is still to be done."""
    from bots.teams_manifest import App, Extra, package

    settings = console.settings()
    chosen = {Extra.FOLLOW_THREADS: follow_threads, Extra.ALL_CHANNELS: all_channels}
    app_id = _app_id(settings.teams_app_id)
    called = _short(name, "--name", _MOST_OF_A_NAME)
    website = _address(url, "--url")
    if not website:
        raise typer.BadParameter("Give a page about it, or else your site: people see it in Teams.", param_hint="--url")
    made = App(
        id=app_id,
        version=_version(version, out, force=force),
        developer=_short(developer, "--developer", _MOST_OF_A_DEVELOPER) if developer.strip() else called,
        website=website,
        privacy=_address(privacy_url, "--privacy-url") or website,
        terms=_address(terms_url, "--terms-url") or website,
        name=called,
        extras=frozenset(extra for extra, is_chosen in chosen.items() if is_chosen),
        prompts=_prompts(settings),
    )
    _write(out, package(made, language or settings.language))
    console.line(f"{out}: {made.name} {made.version}, for bot {made.id}")
    _tell_what_is_asked(follow_threads=follow_threads, all_channels=all_channels)
    if not any(made.prompts.values()):
        console.note("It suggests no questions, as there are no articles. Run bijdehand import, then make it again.")
    if website in {made.privacy, made.terms}:
        console.note(
            f"For privacy or terms people are sent to {website}: give --privacy-url and --terms-url if you can."
        )


def _prompts(settings: "Settings") -> dict[Language, list[str]]:
    """Titles to try, of what everybody may see now. No model is needed for that."""
    from datetime import UTC, datetime

    from bots.teams_manifest import LANGUAGES
    from core.desk import examples

    now = datetime.now(UTC)
    store = console.store(settings)
    shown = [article for article in store.articles() if article.is_live(now) and not article.audience]
    store.close()
    return {language: examples(shown, language, now) for language in LANGUAGES}


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise typer.BadParameter(f"{out} cannot be written ({error.strerror}).", param_hint="--out") from error


def _tell_what_is_asked(*, follow_threads: bool, all_channels: bool) -> None:
    from bots.teams_manifest import PERMISSIONS

    if not follow_threads:
        console.note("It asks for no permissions: it gets what is said to it, and nothing else.")
    for permission in PERMISSIONS if follow_threads else ():
        console.note(f"It asks for {permission.name}, to {permission.reason}.")
    if all_channels:
        console.note("In a shared channel, people of other organisations who are in it can ask too.")


def _app_id(given: str) -> str:
    from core.errors import SettingsError
    from core.settings import guid

    if not given:
        raise SettingsError("MICROSOFT_APP_ID is not set. Put the app id of your Azure Bot there: see the README.")
    if not guid(given):  # nor is it shown
        raise SettingsError("MICROSOFT_APP_ID is no id; is it the secret? Copy the id from your Azure Bot.")
    return given


def _version(given: str, out: Path, *, force: bool) -> str:
    """Higher than that of the package that it is written over, or Teams would not take it."""
    from importlib.metadata import version

    if given and not _VERSION.fullmatch(given):
        raise typer.BadParameter("Teams wants three numbers, like 1.0.2.", param_hint="--version")
    chosen = given or version("bijdehand")
    if force or not out.is_file():
        return chosen
    there = _version_in(out)
    if not there:
        raise typer.BadParameter(f"{out} is no package of ours. Give another, or --force.", param_hint="--out")
    if _numbers(chosen) <= _numbers(there):
        major, minor, patch = _numbers(there)
        sentence = f"{out} holds version {there}, and Teams takes a new package only with a higher one."
        way_out = f"Give --version {major}.{minor}.{patch + 1}, or --force."
        raise typer.BadParameter(f"{sentence} {way_out}", param_hint="--version")
    return chosen


def _version_in(package: Path) -> str:
    import json
    import zipfile

    try:
        with zipfile.ZipFile(package) as archive:
            found = json.loads(archive.read("manifest.json"))["version"]
    except (OSError, zipfile.BadZipFile, LookupError, TypeError, ValueError):
        return ""
    return found if isinstance(found, str) and _VERSION.fullmatch(found) else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _address(given: str, option: str) -> str:
    given = given.strip()
    if given and not (_ADDRESS.fullmatch(given) and len(given) <= _MOST_OF_AN_ADDRESS):
        raise typer.BadParameter("Teams wants an address like https://your.company, with https.", param_hint=option)
    return given and f"https{given[5:]}"


def _short(given: str, option: str, most: int) -> str:
    given = " ".join(given.split())
    if not given or len(given) > most or not given.isprintable():
        raise typer.BadParameter(f"Give 1 to {most} characters that can be seen.", param_hint=option)
    return given
