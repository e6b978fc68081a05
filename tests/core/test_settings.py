import re
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from core.settings import NO_SECRET, Settings, guid, is_loopback, read_settings

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
APP = "11111111-2222-3333-4444-555555555555"
OURS = "99999999-0000-0000-0000-00000000000A"
THEIRS = "00000000-1111-1111-1111-11111111111B"
SECRET = "abc8Q~deFGhijklMNopqrst.uvwxyz_012-34567"  # as Entra makes them


@pytest.fixture
def dotenv(tmp_path, monkeypatch):
    """Write the `.env` of a folder in which nothing else is set."""
    monkeypatch.delenv("BIJDEHAND_CUSTOMER_NUMBERS", raising=False)
    monkeypatch.chdir(tmp_path)
    return (tmp_path / ".env").write_text


def test_customer_numbers_are_separated_by_spaces_or_lines(dotenv):
    dotenv(r"""BIJDEHAND_CUSTOMER_NUMBERS=' \bKET-[0-9]{6}\b   E\d{16}
A[0-9]+ '""")
    assert read_settings().customer_numbers == (r"\bKET-[0-9]{6}\b", r"E\d{16}", "A[0-9]+")


@pytest.mark.parametrize("pattern", ["(", "[0-9", "*"])
def test_a_bad_customer_number_pattern_is_named_when_settings_are_read(pattern, dotenv):
    dotenv(f"BIJDEHAND_CUSTOMER_NUMBERS='[0-9]{{6}} {pattern}'")
    with pytest.raises(SettingsError, match="BIJDEHAND_CUSTOMER_NUMBERS is not right") as caught:
        read_settings()
    assert repr(pattern) in str(caught.value)
    with pytest.raises(SettingsError):
        Settings(customer_numbers=(pattern,))


@pytest.mark.parametrize("escape", [r"\b", r"\a", r"\f", r"\v"])
def test_an_escape_that_double_quotes_turned_into_a_control_character_is_refused(escape, dotenv):
    dotenv(f'BIJDEHAND_CUSTOMER_NUMBERS="[0-9]{{6}} {escape}KET-[0-9]+"')
    with pytest.raises(SettingsError, match=r"BIJDEHAND_CUSTOMER_NUMBERS is not right: .*single quotes"):
        read_settings()


def test_slack_is_on_with_a_token_and_a_way_in_or_when_workspaces_can_install_us(dotenv):
    def is_on(*names):
        dotenv("".join(f"{name}=x\n" for name in names))
        return read_settings().slack_is_on, read_settings().slack_is_shared

    oauth = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_SIGNING_SECRET")
    assert is_on("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET") == (True, False)
    assert is_on("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN") == (True, False)
    assert is_on("SLACK_BOT_TOKEN") == (False, False)
    assert is_on(*oauth) == (True, True)
    assert is_on(*oauth, "SLACK_APP_TOKEN") == (True, True)
    assert is_on(*oauth, "SLACK_BOT_TOKEN") == (True, False)  # a token is of one workspace
    assert is_on(*oauth[:2], "SLACK_APP_TOKEN") == (False, False)
    assert is_on(*oauth[1:]) == is_on(oauth[0], oauth[2]) == (False, False)


def test_ids_are_separated_by_spaces_commas_or_semicolons(dotenv):
    dotenv(
        f"SLACK_COACH_GROUP='S01, S02 S03'\nSLACK_ADMIN_GROUP=S04\nSLACK_TEAMS=T1,E2\nTEAMS_TENANTS={OURS};{THEIRS}\n"
    )
    settings = read_settings()
    assert settings.slack_coach_group == ("S01", "S02", "S03")
    assert settings.slack_admin_group == ("S04",)
    assert settings.slack_teams == ("T1", "E2")
    assert settings.teams_tenants == (OURS.lower(), THEIRS.lower())


@pytest.mark.parametrize("name", ["SLACK_COACH_GROUP", "SLACK_ADMIN_GROUP", "SLACK_TEAMS"])
@pytest.mark.parametrize("value", ["@coaches", "U012", "s01", "kievit"])
def test_a_name_in_place_of_an_id_is_refused(name, value, dotenv):
    dotenv(f"{name}={value}\n")
    with pytest.raises(SettingsError, match=f"{name} is not right: '{value}' is not the id"):
        read_settings()


@pytest.mark.parametrize("value", ["kievit.onmicrosoft.com", "common", SECRET, OURS + "0", OURS[:-1]])
def test_what_is_no_id_of_a_tenant_is_refused_and_not_shown(value, dotenv):
    dotenv(f"TEAMS_TENANTS='{OURS} {value}'\n")
    with pytest.raises(SettingsError, match=r"TEAMS_TENANTS is not right: number 2 .*id of a tenant") as caught:
        read_settings()
    assert value not in str(caught.value)


def test_no_secret_is_shown_when_the_settings_are_printed(dotenv):
    dotenv("SLACK_CLIENT_SECRET=geheim\nBIJDEHAND_KEY=geheim\n")
    assert "geheim" not in repr(read_settings())


@pytest.mark.parametrize("copied", [" abc ", '"abc"', "'abc' ", "abc\n"])
def test_a_secret_is_taken_without_the_quotes_and_spaces_it_was_copied_with(copied):
    settings = Settings(_env_file=None, slack_signing_secret=copied, teams_app_id=copied)
    assert settings.slack_signing_secret.get_secret_value() == settings.teams_app_id == "abc"


# -- Teams -------------------------------------------------------------------------------------------------------------
def teams(**values):
    values = {"teams_app_id": APP, "teams_app_password": "geheim", "teams_tenant_id": OURS} | values
    return Settings(**values, _env_file=None)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"teams_app_id": ""}, ["MICROSOFT_APP_ID", "BIJDEHAND_TEAMS_WITHOUT_LOGIN"]),
        ({"teams_app_id": "", "teams_without_login": True, "host": "0.0.0.0"}, ["BIJDEHAND_HOST is '0.0.0.0'"]),
        ({"teams_app_id": "", "teams_without_login": True, "host": ""}, ["BIJDEHAND_HOST"]),
        ({"teams_app_id": "", "teams_without_login": True, "host": "example.com"}, ["BIJDEHAND_HOST"]),
        (
            {"teams_app_password": "", "teams_tenant_id": ""},
            ["SingleTenant", "MICROSOFT_APP_PASSWORD and MICROSOFT_APP_TENANT_ID"],
        ),
        ({"teams_tenant_id": ""}, ["MICROSOFT_APP_TENANT_ID"]),
        ({"teams_app_password": ""}, ["MICROSOFT_APP_PASSWORD"]),
        ({"teams_app_password": "", "teams_app_type": "MultiTenant"}, ["MICROSOFT_APP_PASSWORD"]),
        ({"teams_tenant_id": "", "teams_app_type": "UserAssignedMSI"}, ["MICROSOFT_APP_TENANT_ID"]),
        ({"teams_app_id": "bijdehand"}, ["MICROSOFT_APP_ID is no id", "Azure Bot"]),
        ({"teams_app_id": SECRET}, ["MICROSOFT_APP_ID is no id", "swapped with MICROSOFT_APP_PASSWORD"]),
        ({"teams_app_id": "x", "teams_app_password": APP}, ["MICROSOFT_APP_ID is no id", "swapped"]),
        ({"teams_tenant_id": SECRET}, ["MICROSOFT_APP_TENANT_ID is no id", "swapped with MICROSOFT_APP_PASSWORD"]),
        ({"teams_tenant_id": "kievit.onmicrosoft.com"}, ["MICROSOFT_APP_TENANT_ID is no id"]),
        ({"teams_tenant_id": APP.upper()}, ["MICROSOFT_APP_ID and MICROSOFT_APP_TENANT_ID are the same"]),
        ({"teams_app_password": NO_SECRET}, ["MICROSOFT_APP_PASSWORD", "README"]),
        ({"teams_tenant_id": "", "teams_app_type": "MultiTenant"}, ["TEAMS_TENANTS", "MICROSOFT_APP_TENANT_ID"]),
    ],
)
def test_what_is_wrong_with_the_settings_of_teams_is_one_sentence_that_names_the_variable(values, named):
    fault = teams(**values).teams_fault
    assert all(one in fault for one in named)
    assert ("swapped" in fault) == ("swapped" in " ".join(named))
    assert not any(shown in fault for shown in ("geheim", SECRET, "kievit", "'bijdehand'"))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"teams_app_password": "x"}, "MICROSOFT_APP_ID is not set, and MICROSOFT_APP_PASSWORD is."),
        (
            {"teams_tenant_id": OURS, "teams_tenants": THEIRS},
            "MICROSOFT_APP_ID is not set, and MICROSOFT_APP_TENANT_ID and TEAMS_TENANTS are.",
        ),
        ({"teams_tenants": THEIRS, "teams_without_login": True}, ""),
        ({"teams_tenants": THEIRS, "teams_app_id": APP}, ""),
        ({}, ""),
    ],
)
def test_what_is_set_for_an_app_that_has_no_id_is_named(values, sentence):
    found = Settings(**values, _env_file=None).teams_without_app
    assert found == (sentence and f"{sentence} Set it as well.")


@pytest.mark.parametrize("left", ["the-app-id", "the-tenant-id", "the-value-of-the-secret"])
def test_a_placeholder_of_the_readme_that_was_left_in_is_a_fault(dotenv, left):
    block = textwrap.dedent(re.search(r"```sh\n( *MICROSOFT_APP_ID=[^`]+)```", README)[1])
    own = {"the-app-id": APP, "the-tenant-id": OURS, "the-value-of-the-secret": "geheim"}
    for placeholder in own.keys() - {left}:
        block = block.replace(placeholder, own[placeholder])
    dotenv(block)
    assert read_settings().teams_fault
    dotenv(block.replace(left, own[left]))
    assert read_settings().teams_fault == ""


@given(st.uuids(), st.sampled_from(["{}", "{{{}}}", "urn:uuid:{}", " {} "]), st.booleans(), st.booleans())
def test_an_id_is_the_same_however_it_is_written(made, form, is_upper, is_short):
    written = form.format(made.hex if is_short else made)
    written = written.upper() if is_upper else written
    settings = Settings(_env_file=None, teams_app_id=written, teams_tenant_id=written, teams_tenants=written)
    assert guid(written) == settings.teams_app_id == settings.teams_tenant_id == str(made)
    assert settings.teams_tenants == (str(made),)


@given(st.text())
def test_no_other_text_is_an_id(text):
    assert guid(text) == ""
    assert guid(f"{OURS}{text.strip()}.") == guid(f"_{OURS}") == ""


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("singletenant", "SingleTenant"),
        ("Single Tenant", "SingleTenant"),
        ("User-Assigned Managed Identity", "UserAssignedMSI"),
        ("user-assigned-msi", "UserAssignedMSI"),
        ("MULTI TENANT", "MultiTenant"),
    ],
)
def test_a_kind_of_app_is_known_by_what_azure_calls_it(written, kind, monkeypatch):
    monkeypatch.setenv("MICROSOFT_APP_TYPE", written)
    assert read_settings().teams_app_type == kind


def test_a_kind_of_app_that_teams_does_not_take_is_refused(monkeypatch):
    monkeypatch.setenv("MICROSOFT_APP_TYPE", "SystemAssigned")
    with pytest.raises(SettingsError, match="MICROSOFT_APP_TYPE is not right"):
        read_settings()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"teams_app_id": APP.upper(), "teams_tenants": THEIRS},
        {"teams_app_id": "", "teams_without_login": True},
        {"teams_app_id": "", "teams_without_login": True, "host": "localhost"},
        {"teams_app_id": "", "teams_without_login": True, "host": "::1"},
        {"teams_without_login": True, "host": "0.0.0.0"},
        {"teams_app_type": "MultiTenant"},
        {"teams_app_type": "MultiTenant", "teams_tenant_id": "", "teams_tenants": THEIRS},
        {"teams_app_type": "UserAssignedMSI", "teams_app_password": ""},
    ],
)
def test_settings_of_teams_that_are_safe_and_complete_have_no_fault(values):
    assert teams(**values).teams_fault == ""


@pytest.mark.parametrize(
    ("values", "admitted"),
    [
        ({}, {OURS}),
        ({"teams_tenants": THEIRS}, {OURS, THEIRS}),
        ({"teams_tenants": THEIRS, "teams_app_type": "UserAssignedMSI"}, {OURS, THEIRS}),
        ({"teams_tenants": THEIRS, "teams_app_type": "MultiTenant"}, {THEIRS}),
        ({"teams_app_type": "MultiTenant"}, {OURS}),
        ({"teams_app_id": "", "teams_tenant_id": "", "teams_without_login": True}, set()),
    ],
)
def test_the_tenants_that_may_speak_are_those_that_are_named_and_our_own(values, admitted):
    assert teams(**values).teams_admitted == {tenant.lower() for tenant in admitted}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "10.0.0.1", "::", "localhost.example", "127.0.0.1.example", "[::1]"])
def test_no_other_host_is_taken_for_this_machine(host):
    assert not is_loopback(host)
