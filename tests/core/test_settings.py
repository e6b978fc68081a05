import pytest

from core.errors import SettingsError
from core.settings import Settings, read_settings


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


def test_ids_are_separated_by_spaces_or_commas(dotenv):
    dotenv("SLACK_COACH_GROUP='S01, S02 S03'\nSLACK_ADMIN_GROUP=S04\nSLACK_TEAMS=T1,E2\n")
    settings = read_settings()
    assert settings.slack_coach_group == ("S01", "S02", "S03")
    assert settings.slack_admin_group == ("S04",)
    assert settings.slack_teams == ("T1", "E2")


@pytest.mark.parametrize("name", ["SLACK_COACH_GROUP", "SLACK_ADMIN_GROUP", "SLACK_TEAMS"])
@pytest.mark.parametrize("value", ["@coaches", "U012", "s01", "kievit"])
def test_a_name_in_place_of_an_id_is_refused(name, value, dotenv):
    dotenv(f"{name}={value}\n")
    with pytest.raises(SettingsError, match=f"{name} is not right: '{value}' is not the id"):
        read_settings()


def test_no_secret_is_shown_when_the_settings_are_printed(dotenv):
    dotenv("SLACK_CLIENT_SECRET=geheim\nBIJDEHAND_KEY=geheim\n")
    assert "geheim" not in repr(read_settings())


@pytest.mark.parametrize("copied", [" abc ", '"abc"', "'abc' ", "abc\n"])
def test_a_secret_is_taken_without_the_quotes_and_spaces_it_was_copied_with(copied):
    settings = Settings(_env_file=None, slack_signing_secret=copied, teams_app_id=copied)
    assert settings.slack_signing_secret.get_secret_value() == settings.teams_app_id == "abc"
