"""`bijdehand backup`, `restore` and `privacy`: looking after what is kept."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bots import console
from bots.cli_people import SurfaceName, TeamId, UserId, identity_of
from bots.console import Json
from core.errors import NotFoundError

if TYPE_CHECKING:
    from core.model import Person
    from core.personal import Kept
    from core.store import Identity, Store

privacy_app = typer.Typer(help="What is kept about somebody, and erasing it.", no_args_is_help=True)


def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes: one file.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file when it is there.")] = False,
) -> None:
    """Copy the database while it serves: everything but the key, which is best kept apart."""
    from core.store.sqlite_backup import back_up

    settings = console.settings()
    with console.Bar("Pages") as progress:
        size = back_up(settings.database, file, progress, force=force)
    console.line(f"{file}: {size / 1_000_000:.1f} MB, looked through and whole.")
    key = settings.data / "key"
    if key.exists():
        console.line(f"The key of the Slack workspaces is not in it: keep {key} too, somewhere else.")


def restore(
    file: Annotated[Path, typer.Argument(help="What `bijdehand backup` wrote.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup back, also while it serves; what is there now is kept beside it."""
    from datetime import UTC, datetime

    from core.store.sqlite_backup import restore as put_back

    settings = console.settings()
    if settings.database.exists() and not yes:
        typer.confirm(f"Everything since {file} was made goes. Go on?", abort=True, err=True)
    with console.Bar("Pages") as progress:
        kept = put_back(settings.database, file, progress, now=datetime.now(UTC))
    console.line(f"{file} is what is answered from now." + (f" What was there is in {kept}." if kept else ""))


@privacy_app.command("show")
def privacy_show(surface: SurfaceName, user: UserId, *, team: TeamId = "", as_json: Json = False) -> None:
    """All that is kept about one person; with --json every row, to hand to them."""
    from core.personal import KEPT

    settings = console.settings()
    with closing(console.store(settings)) as store:
        found = store.about(_known(store, identity_of(settings, surface, team, user)).id)
    if as_json:
        console.print_json(found)
        return
    rows = [
        {"table": table, "rows": str(len(rows)), "kept": _for_how_long(KEPT[table]), "what": KEPT[table].what}
        for table, rows in found.items()
    ]
    console.table(rows, ("table", "rows", "kept", "what"))


@privacy_app.command("forget")
def privacy_forget(
    surface: SurfaceName,
    user: UserId,
    *,
    team: TeamId = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase one person and what they typed, down to the bytes. Articles that they wrote stay, and are nobody's."""
    settings = console.settings()
    with closing(console.store(settings)) as store:
        identity = identity_of(settings, surface, team, user)
        person = _known(store, identity)
        found = store.about(person.id)
        if not yes:
            rows = sum(map(len, found.values()))
            typer.confirm(f"Erase {rows} rows about {user} for good?", abort=True, err=True)
        name = found["person"][0]["name"]
        store.forget(person.id)
        owned = [one.id for one in store.articles() if name and name.casefold() in one.owner.casefold()]
    console.line(f"{user} is forgotten. Backups from before still know them, until you delete those.")
    if owned:
        console.line(f"As owner their name stands in: {', '.join(owned)}. Give these another one.")


@privacy_app.command("sweep")
def privacy_sweep(*, as_json: Json = False) -> None:
    """Erase now what has been kept for long enough; `serve` does so once a day."""
    from datetime import UTC, datetime

    with closing(console.store()) as store:
        deleted = store.sweep(datetime.now(UTC))
    if as_json:
        console.print_json(deleted)
    else:
        rows = [{"table": table, "erased": str(count)} for table, count in deleted.items()]
        console.table(rows, ("table", "erased")) if rows else console.line("Nothing was old enough.")


def _known(store: "Store", identity: "Identity") -> "Person":
    found = next((person for other, person in store.people() if other == identity), None)
    if found is None:
        raise NotFoundError(f"Nobody is known as {identity.user} on {identity.surface}.")
    return found


def tell_what_is_kept(*, as_json: bool) -> None:
    """Table by table; nobody's rows."""
    from core.personal import KEPT

    store = console.store()
    facts = store.facts()
    store.close()
    rows = [
        {"table": table, "rows": str(facts[table]), "kept": _for_how_long(kept), "what": kept.what}
        for table, kept in KEPT.items()
    ]
    if as_json:
        console.print_json(rows)
    else:
        console.table(rows, ("table", "rows", "kept", "what"))


def _for_how_long(kept: "Kept") -> str:
    return "as long as they are known" if kept.days is None else f"{kept.days} days"
