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
