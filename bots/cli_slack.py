"""`bijdehand slack`: making the Slack app, and why it would stay silent."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from bots import console
from bots.console import Json
from knowledge.article import Language

if TYPE_CHECKING:
    from bots.slack_manifest import Extra, Grant

app = typer.Typer(help="Make the Slack app, and see why it stays silent.", no_args_is_help=True)

_YOUR_HOST = "https://your.host"
_CHANNEL = re.compile(r"(?:.*[/#])?([CDG][A-Z0-9]+)\b.*")  # on its own, or in a link, or as <#C012|name>


@app.command("manifest")
def print_manifest(
    *,
    url: Annotated[str | None, typer.Option(help=f"Where Slack reaches us, such as {_YOUR_HOST}.")] = None,
    socket: Annotated[bool, typer.Option("--socket", help="Socket Mode instead: from behind a firewall.")] = False,
    follow_threads: Annotated[
        bool, typer.Option("--follow-threads", help="Answer follow-ups in a thread without a new mention.")
    ] = False,
    channels: Annotated[
        bool, typer.Option("--channels", help="Let a channel have un-addressed questions answered (/ask here on).")
    ] = False,
    groups: Annotated[bool, typer.Option("--groups", help="Take coaches and admins from a Slack user group.")] = False,
    agent_view: Annotated[
        bool, typer.Option(help="Slack's place for agents. Guests of a workspace cannot use an app that has it.")
    ] = True,
    language: Annotated[Language | None, typer.Option(help="Of what people read about the app.")] = None,
) -> None:
    """Print what to make the Slack app from; on standard error, what each permission is for."""
    from bots.slack_manifest import EVENTS, SCOPES, Extra, extras_of, manifest

    settings = console.settings()
    socket = socket or (not url and bool(settings.slack_app_token.get_secret_value()))
    chosen = {Extra.FOLLOW_THREADS: follow_threads, Extra.CHANNELS: channels, Extra.GROUPS: groups}
    extras = {extra for extra, is_chosen in chosen.items() if is_chosen} | extras_of(settings)
    extras |= {Extra.AGENT_VIEW} if agent_view else set()
    address = _address(url, socket=socket)
    console.print_json(manifest(language or settings.language, url=address, extras=extras))
    _show_reasons({"scope": SCOPES, "event": EVENTS}, extras)
    if (follow_threads or channels) and not settings.slack_follow_threads:
        console.note("Set BIJDEHAND_SLACK_FOLLOW_THREADS=true as well.")
    if address == _YOUR_HOST:
        console.note(f"Put your own address in place of {_YOUR_HOST}, or give --url or --socket.")


@app.command("explain")
def explain(
    channel: Annotated[str, typer.Argument(help="Its id, C…, or a link to it.")],
    *,
    team: Annotated[str, typer.Option(help="The workspace, T…, where several have installed it.")] = "",
    enterprise: Annotated[str, typer.Option(help="The organisation of that workspace, E…, if it has one.")] = "",
    as_json: Json = False,
) -> None:
    """Why it would stay silent in a channel, or speak. Exit code 1: something fails."""
    from datetime import UTC, datetime

    from bots.reach_channel import explain_slack

    found = _CHANNEL.fullmatch(channel.strip())
    if not found:
        raise typer.BadParameter("Give its id (C…): it stands below in the channel's details.", param_hint="CHANNEL")
    settings = console.settings()
    store = console.store(settings)
    checks = explain_slack(settings, store, found[1], team=team, enterprise=enterprise, now=datetime.now(UTC))
    store.close()
    console.report(checks, as_json=as_json)


def _address(url: str | None, *, socket: bool) -> str:
    from bots.slack_manifest import EVENTS_PATH

    if url and socket:
        raise typer.BadParameter("Socket Mode needs no address; give one of the two.", param_hint="--url")
    if url and not re.fullmatch(r"https://[^/?#\s]+(/[^?#\s]*)?", url):
        raise typer.BadParameter(f"Slack wants an address like {_YOUR_HOST}, with https.", param_hint="--url")
    if url and url.rstrip("/").endswith(EVENTS_PATH):
        raise typer.BadParameter(f"Give the address without {EVENTS_PATH}: that is added.", param_hint="--url")
    return "" if socket else (url or _YOUR_HOST).rstrip("/")


def _show_reasons(kinds: "dict[str, tuple[Grant, ...]]", extras: "set[Extra]") -> None:
    from rich.table import Table

    from bots.slack_manifest import needed

    table = Table("", "what for", box=None, header_style="bold")
    for kind, grants in kinds.items():
        for grant in needed(grants, extras):
            table.add_row(f"{kind} {grant.name}", grant.reason)
    console.err.print(table)
