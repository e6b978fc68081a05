"""Every setting, read once from the environment and `.env`."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.errors import SettingsError
from core.privacy import customer_number
from knowledge.article import Language

DEFAULT_MODEL = "intfloat/multilingual-e5-small"

_GUID = re.compile(
    r"(?:urn:uuid:|\{)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?", re.IGNORECASE
)
_LIKE = "01234567-89ab-cdef-0123-456789abcdef"
NO_SECRET = "the-value-of-the-secret"  # noqa: S105 - stands in the README, where people copy their `.env` from
# What the portal and older tools call them, in lower case and without what is no letter.
_APP_TYPES = {
    "singletenant": "SingleTenant",
    "userassignedmsi": "UserAssignedMSI",
    "userassignedmanagedidentity": "UserAssignedMSI",
    "multitenant": "MultiTenant",
}


class Settings(BaseSettings):
    """`BIJDEHAND_…` for our own, the platforms' usual names for theirs. Every default works on a laptop."""

    model_config = SettingsConfigDict(
        env_prefix="BIJDEHAND_",
        env_file=".env",
        env_file_encoding="utf-8-sig",  # Notepad puts a mark before the first name
        env_ignore_empty=True,  # an empty line in .env means not set, not the current folder
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    data: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("bijdehand"), description="where the database lives"
    )
    cache: Path = Field(
        default_factory=lambda: platformdirs.user_cache_path("bijdehand"),
        description="where the prepared model lives; can be thrown away",
    )
    model: str = Field(DEFAULT_MODEL, description="any sentence-transformers model, by hub name or folder")
    reranker: str = Field(
        "", description="a CrossEncoder that puts the best ten in its own order, by hub name or folder; slow"
    )
    language: Language = Field("nl", description="the language when a question does not tell")
    timezone: str = Field("Europe/Amsterdam", description="where a bare date begins and ends")
    customer_numbers: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="regular expressions of your own customer numbers, separated by spaces"
    )
    folder: Path | None = Field(
        default=None, description="a folder of articles that is leading: what changes in it is read while we serve"
    )
    folder_minutes: int = Field(15, ge=1, le=1440, description="how often that folder is read")
    web_port: int = Field(8080, ge=0, le=65535, description="the web chat, on 127.0.0.1 only")
    host: str = Field("127.0.0.1", description="address of the public listener for Slack and Teams")
    port: int = Field(3978, ge=0, le=65535, description="port of the public listener")
    key: SecretStr = Field(SecretStr(""), description="what tokens are sealed with; else `key` in the data folder")

    slack_bot_token: SecretStr = Field(SecretStr(""), validation_alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr = Field(SecretStr(""), validation_alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr = Field(SecretStr(""), validation_alias="SLACK_SIGNING_SECRET")
    slack_api_url: str = Field("https://slack.com/api/", validation_alias="SLACK_API_URL")
    slack_client_id: str = Field("", validation_alias="SLACK_CLIENT_ID")
    slack_client_secret: SecretStr = Field(SecretStr(""), validation_alias="SLACK_CLIENT_SECRET")
    slack_teams: Annotated[tuple[str, ...], NoDecode] = Field(
        (), validation_alias="SLACK_TEAMS", description="ids of the workspaces or organisations that may add us"
    )
    slack_follow_threads: bool = Field(
        default=False, description="the Slack app was made with --follow-threads or --channels: read along in channels"
    )
    slack_coach_group: Annotated[tuple[str, ...], NoDecode] = Field(
        (), validation_alias="SLACK_COACH_GROUP", description="ids of the user groups whose members are coaches"
    )
    slack_admin_group: Annotated[tuple[str, ...], NoDecode] = Field(
        (), validation_alias="SLACK_ADMIN_GROUP", description="ids of the user groups whose members are admins"
    )

    teams_app_type: Literal["SingleTenant", "UserAssignedMSI", "MultiTenant"] = Field(
        "SingleTenant", validation_alias="MICROSOFT_APP_TYPE"
    )
    teams_app_id: str = Field("", validation_alias="MICROSOFT_APP_ID")
    teams_app_password: SecretStr = Field(SecretStr(""), validation_alias="MICROSOFT_APP_PASSWORD")
    teams_tenant_id: str = Field("", validation_alias="MICROSOFT_APP_TENANT_ID")
    teams_tenants: Annotated[tuple[str, ...], NoDecode] = Field(
        (), validation_alias="TEAMS_TENANTS", description="ids of the tenants whose people may speak to the bot"
    )
    teams_without_login: bool = Field(
        default=False, description="accept Teams messages without a token: for trying out, on loopback only"
    )

    @field_validator("customer_numbers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        # not split(): \v and \f are what double quotes made of an escape, and are refused below
        return tuple(re.findall(r"[\S\v\f]+", value)) if isinstance(value, str) else value

    @field_validator("customer_numbers")
    @classmethod
    def _recognisable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            customer_number(pattern)
        return value

    @field_validator(
        "slack_bot_token",
        "slack_app_token",
        "slack_signing_secret",
        "slack_client_id",
        "slack_client_secret",
        "teams_app_id",
        "teams_app_password",
        "teams_tenant_id",
        mode="before",
    )
    @classmethod
    def _as_copied(cls, value: object) -> object:
        # A copied secret brings its spaces, and Docker leaves the quotes of an env file on.
        return value.strip().strip("\"'").strip() if isinstance(value, str) else value

    @field_validator("slack_teams", "slack_coach_group", "slack_admin_group", "teams_tenants", mode="before")
    @classmethod
    def _ids(cls, value: object) -> object:
        return tuple(re.findall(r"[^\s,;]+", value)) if isinstance(value, str) else value

    @field_validator("slack_teams")
    @classmethod
    def _are_teams(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for team in value:
            if not re.fullmatch(r"[TE][A-Z0-9]+", team):
                raise ValueError(f"{team!r} is not the id of a workspace or organisation, like T0123ABC or E0123ABC")
        return value

    @field_validator("slack_coach_group", "slack_admin_group")
    @classmethod
    def _are_groups(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for group in value:
            if not re.fullmatch(r"S[A-Z0-9]+", group):
                raise ValueError(f"{group!r} is not the id of a user group, like S0123ABC")
        return value

    @field_validator("teams_tenants")
    @classmethod
    def _are_tenants(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        ids = tuple(guid(tenant) for tenant in value)
        if "" in ids:  # what it is instead is not shown: it may be a secret
            raise ValueError(f"number {ids.index('') + 1} in it is not the id of a tenant, like {_LIKE}")
        return ids

    @field_validator("teams_app_id", "teams_tenant_id")
    @classmethod
    def _as_teams_has_it(cls, value: str) -> str:
        return guid(value) or value

    @field_validator("teams_app_type", mode="before")
    @classmethod
    def _as_azure_calls_it(cls, value: object) -> object:
        return _APP_TYPES.get(re.sub(r"[^a-z]", "", value.lower()), value) if isinstance(value, str) else value

    @field_validator("data", "cache")
    @classmethod
    def _at_home(cls, value: Path) -> Path:
        return value.expanduser()

    @field_validator("slack_api_url")
    @classmethod
    def _leads_to_slack(cls, value: str) -> str:
        if not re.match(r"https://[^/]|http://(127\.0\.0\.1|localhost)(?![^:/])", value):
            raise ValueError("it must begin with https:// (or http://127.0.0.1 for a test)")  # tokens go there
        return value.rstrip("/") + "/"  # slack_sdk joins by plain addition

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: "Europe" is a folder of zones
            raise ValueError(f"{value!r} is not a time zone; write it like Europe/Amsterdam") from error
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that people's dates are meant in."""
        return ZoneInfo(self.timezone)

    @property
    def database(self) -> Path:
        """The one file that holds everything worth a backup."""
        return self.data / "bijdehand.db"

    @property
    def slack_is_on(self) -> bool:
        """A way to get tokens, and a way in: the secret that Slack signs with or a token for Socket Mode."""
        ways_in = self.slack_signing_secret.get_secret_value() or self.slack_app_token.get_secret_value()
        return self.slack_is_shared or bool(self.slack_bot_token.get_secret_value() and ways_in)

    @property
    def slack_is_shared(self) -> bool:
        """Many workspaces can install us. A bot token, which is of one workspace, means that only that one counts."""
        secrets = (self.slack_client_secret.get_secret_value(), self.slack_signing_secret.get_secret_value())
        return bool(self.slack_client_id and all(secrets) and not self.slack_bot_token.get_secret_value())

    @property
    def teams_is_on(self) -> bool:
        """An app id, or the express wish to do without one."""
        return bool(self.teams_app_id) or self.teams_without_login

    @property
    def teams_admitted(self) -> frozenset[str]:
        """Ids, in lower case, of the tenants whose people may speak to the bot. Without login none means any."""
        named_alone = self.teams_app_type == "MultiTenant" and self.teams_tenants
        own = () if named_alone else (self.teams_tenant_id,)
        return frozenset(tenant.casefold() for tenant in (*self.teams_tenants, *own) if tenant)

    @property
    def teams_without_app(self) -> str:
        """What was set for an app whose id is missing, in a sentence; nothing when that is not so."""
        values = {
            "MICROSOFT_APP_PASSWORD": self.teams_app_password.get_secret_value(),
            "MICROSOFT_APP_TENANT_ID": self.teams_tenant_id,
            "TEAMS_TENANTS": self.teams_tenants,
        }
        given = [name for name, value in values.items() if value]
        if self.teams_is_on or not given:
            return ""
        return f"MICROSOFT_APP_ID is not set, and {' and '.join(given)} {'are' if given[1:] else 'is'}. Set it as well."

    @property
    def teams_fault(self) -> str:
        """Why Teams cannot start on these settings and what to do about it, in a sentence; nothing when it can."""
        return self._fault_of_login() if self.teams_app_id else self._fault_without_login()

    def _fault_without_login(self) -> str:
        if not self.teams_without_login:
            return (
                "Without MICROSOFT_APP_ID anybody could speak to the bot as anybody. Set it, or set "
                "BIJDEHAND_TEAMS_WITHOUT_LOGIN=true to try out on this machine only."
            )
        if not is_loopback(self.host):
            return (
                f"BIJDEHAND_TEAMS_WITHOUT_LOGIN is for this machine only, and BIJDEHAND_HOST is {self.host!r}. "
                "Set it to 127.0.0.1, or set MICROSOFT_APP_ID."
            )
        return ""

    def _fault_of_login(self) -> str:
        kind = self.teams_app_type
        needed = {
            "MICROSOFT_APP_PASSWORD": kind == "UserAssignedMSI" or self.teams_app_password.get_secret_value(),
            "MICROSOFT_APP_TENANT_ID": kind == "MultiTenant" or self.teams_tenant_id,
        }
        missing = [name for name, value in needed.items() if not value]
        if missing:
            return f"A Teams bot of type {kind} also needs {' and '.join(missing)}."
        if wrong := self._fault_of_ids():
            return wrong
        if self.teams_app_password.get_secret_value() == NO_SECRET:
            return "MICROSOFT_APP_PASSWORD is still that of the README. Put the Value of your own secret there."
        if not self.teams_admitted:
            return (
                "A Teams bot of type MultiTenant admits nobody until it is told whom. Name the ids of their tenants in "
                "TEAMS_TENANTS, or your own in MICROSOFT_APP_TENANT_ID."
            )
        return ""

    def _fault_of_ids(self) -> str:
        """A value is not shown: where somebody swapped two lines it is the secret."""
        ids = {"MICROSOFT_APP_ID": self.teams_app_id, "MICROSOFT_APP_TENANT_ID": self.teams_tenant_id}
        for name, value in ids.items():
            if value and not guid(value):
                swapped = "~" in value or guid(self.teams_app_password.get_secret_value())
                more = " Is it swapped with MICROSOFT_APP_PASSWORD?" if swapped else ""
                return f"{name} is no id, like {_LIKE}. Copy it again, from Configuration of the Azure Bot.{more}"
        if self.teams_app_id == self.teams_tenant_id:
            return "MICROSOFT_APP_ID and MICROSOFT_APP_TENANT_ID are the same. Copy both again from the Azure Bot."
        return ""


def guid(text: str) -> str:
    """An id the way Microsoft sends it, of one in capitals, in braces or without dashes; nothing when it is none."""
    found = _GUID.fullmatch(text.strip())
    return "-".join(found.groups()).lower() if found else ""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host of this name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_settings() -> Settings:
    """Read the environment; a wrong value is a `SettingsError` that names the variable."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        variable = name if name.isupper() else f"BIJDEHAND_{name.upper()}"
        message = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{variable} is not right: {message}.") from error
    except RuntimeError as error:  # of platformdirs and of pathlib
        raise SettingsError("This user has no home folder. Set BIJDEHAND_DATA and BIJDEHAND_CACHE.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(".env is not UTF-8; save it as UTF-8.") from error
    except OSError as error:
        raise SettingsError(f".env cannot be read ({error.strerror}). Let this user read it.") from error
