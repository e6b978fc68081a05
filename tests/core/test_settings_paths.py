from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import read_settings


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def mistake():
    with pytest.raises(SettingsError) as caught:
        read_settings()
    return str(caught.value)


@pytest.mark.parametrize("zone", ["Europe", "Mars/Olympus", "../etc/passwd", ""])
def test_a_zone_that_is_none_is_refused_in_a_sentence(monkeypatch, zone):
    monkeypatch.setenv("BIJDEHAND_TIMEZONE", zone or " ")
    assert mistake().startswith("BIJDEHAND_TIMEZONE is not right: ")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_dotenv_in_another_encoding_is_refused_with_the_way_out(encoding):
    Path(".env").write_text("BIJDEHAND_DATA=/tmp/café\n", encoding=encoding)
    assert mistake() == ".env is not UTF-8; save it as UTF-8."


def test_a_dotenv_that_windows_saved_as_utf_8_is_read_from_its_first_line(monkeypatch):
    monkeypatch.delenv("BIJDEHAND_LANGUAGE", raising=False)
    Path(".env").write_text("BIJDEHAND_LANGUAGE=en\n", encoding="utf-8-sig")
    assert read_settings().language == "en"


def test_a_dotenv_that_may_not_be_read_is_told(monkeypatch):
    def locked(*_, **__):
        raise PermissionError(13, "Permission denied", ".env")

    Path(".env").write_text("BIJDEHAND_LANGUAGE=en\n")
    monkeypatch.setattr("pydantic_settings.sources.providers.dotenv.dotenv_values", locked)
    assert mistake() == ".env cannot be read (Permission denied). Let this user read it."


@pytest.mark.parametrize("name", ["data", "cache"])
def test_a_tilde_in_a_folder_is_the_home(monkeypatch, tmp_path, name):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(f"BIJDEHAND_{name.upper()}", raising=False)
    Path(".env").write_text(f"BIJDEHAND_{name.upper()}=~/x\n")
    assert getattr(read_settings(), name) == tmp_path / "x"


def homeless(*_, **__):
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize("path", ["", "~/x"])
def test_without_a_home_the_folders_to_set_are_named(monkeypatch, path):
    known = Path.expanduser
    monkeypatch.setenv("BIJDEHAND_DATA", path)
    monkeypatch.setattr("platformdirs.user_data_path", homeless)
    monkeypatch.setattr(Path, "expanduser", lambda path: homeless() if path.parts[:1] == ("~",) else known(path))
    assert mistake() == "This user has no home folder. Set BIJDEHAND_DATA and BIJDEHAND_CACHE."
