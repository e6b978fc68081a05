"""`bijdehand people`: who is coach, admin or in an audience."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bots import console
from bots.console import Json
from core.errors import BijdehandError

if TYPE_CHECKING:
    from core.settings import Settings
    from core.store import Identity

app = typer.Typer(help="Who is coach, admin or in an audience.", no_args_is_help=True)
SurfaceName = Annotated[Literal["slack", "teams", "web", "terminal"], typer.Argument(help="Where they talk with us.")]
UserId = Annotated[str, typer.Argument(help="Their id there: Slack's U…, Teams' Entra object id.")]
TeamId = Annotated[str, typer.Option(help="Slack workspace or Teams tenant id; of Teams, your own by default.")]


class RoleName(StrEnum):
    """The roles, rising."""

    AGENT = "agent"
    COACH = "coach"
    ADMIN = "admin"


@app.command("add")
def people_add(
    surface: SurfaceName,
    user: UserId,
    *,
    team: TeamId = "",
    role: Annotated[RoleName | None, typer.Option(help="What they may do.")] = None,
    audience: Annotated[list[str] | None, typer.Option(help="May see articles for this audience; repeat it.")] = None,
    level: Annotated[str | None, typer.Option(help="Whose mandate they see: junior, medewerker, senior.")] = None,
) -> None:
    """Give somebody a role, audiences or a level; what is not given stays as it was."""
    from core.model import Role

    settings = console.settings()
    identity = identity_of(settings, surface, team, user)
    store = console.store(settings)
    person = store.set_person(identity, role=Role(role.value) if role else None, audience=audience, level=level)
    store.close()
    console.line(f"{identity.user} on {surface} is {person.role} now.")


@app.command("import")
def people_import(
    file: Annotated[
        Path, typer.Argument(help="CSV: surface, user, team, role, audience (separated by spaces), level.")
    ],
) -> None:
    """Give many people a role, audiences or a level; nobody is changed when any line is wrong."""
    import csv

    from core.model import Role

    settings = console.settings()
    wanted = []
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            given = {str(key).strip(): (value or "").strip() for key, value in row.items() if key}
            try:
                identity = identity_of(settings, given.get("surface", ""), given.get("team", ""), given.get("user", ""))
                role = Role(given["role"]) if given.get("role") else None
            except (typer.BadParameter, ValueError) as error:
                raise BijdehandError(f"{file}, line {number}: {error}") from error
            wanted.append((identity, role, given.get("audience", "").split() or None, given.get("level") or None))
    store = console.store(settings)
    for identity, role, audience, level in wanted:
        store.set_person(identity, role=role, audience=audience, level=level)
    store.close()
    console.line(f"{len(wanted)} people.")


def identity_of(settings: "Settings", surface: str, team: str, user: str) -> "Identity":
    """Somebody as the platform will name them; what we would never recognise is refused."""
    from core.store import Identity

    if surface not in {"slack", "teams", "web", "terminal"}:
        raise typer.BadParameter(f"{surface!r} is no surface: slack, teams, web or terminal.", param_hint="SURFACE")
    user, team = user.strip(), team.strip() or (settings.teams_tenant_id if surface == "teams" else "")
    if surface in {"slack", "teams"} and not team:
        what = "the id of their Slack workspace (T…)" if surface == "slack" else "the id of their Teams tenant"
        raise typer.BadParameter(f"Give {what}: without it we do not recognise them.", param_hint="--team")
    if surface == "slack":
        _insist(r"[UW][A-Z0-9]+", user, "It is like U012ABC: Copy member ID, in their profile.", "USER")
        _insist(r"[TE][A-Z0-9]+", team, "It is like T012ABC, as in app.slack.com/client/T012ABC.", "--team")
    if surface == "teams":
        user = _guid(user, "the Object ID on their page under Users at https://entra.microsoft.com", "USER")
        team = _guid(team, "the Tenant ID on Overview at https://entra.microsoft.com", "--team")
        if settings.teams_admitted and team not in settings.teams_admitted:
            console.note(f"Nobody of tenant {team} may speak to the bot yet: name it in TEAMS_TENANTS.")
    return Identity(surface, team, user)


def _insist(form: str, given: str, sentence: str, where: str) -> None:
    """Refuse what looks well and would never be recognised."""
    import re

    if not re.fullmatch(form, given):
        raise typer.BadParameter(f"{given} is no id of Slack. {sentence}", param_hint=where)


def _guid(given: str, which: str, where: str) -> str:
    from core.settings import guid

    if not (found := guid(given)):
        raise typer.BadParameter(f"That is no id of Microsoft's. Give {which}.", param_hint=where)
    return found


@app.command("list")
def people_list(*, as_json: Json = False) -> None:
    """Everybody who has talked with us or was added."""
    store = console.store()
    rows = [
        {
            "surface": identity.surface,
            "team": identity.team,
            "user": identity.user,
            "role": str(person.role),
            "audience": ", ".join(person.audience),
            "level": person.level,
        }
        for identity, person in store.people()
    ]
    store.close()
    if as_json:
        console.print_json(rows)
    else:
        console.table(rows, ("surface", "team", "user", "role", "audience", "level"))
