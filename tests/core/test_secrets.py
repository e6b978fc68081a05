import stat
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.errors import BijdehandError, SettingsError
from core.secrets import Secrets
from core.settings import Settings

KEY = Fernet.generate_key().decode()


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, data=tmp_path / "data")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_again(text):
    secrets = Secrets(Settings(_env_file=None, key=SecretStr(KEY)))
    assert secrets.open(secrets.seal(text)) == text


def test_what_is_sealed_shows_nothing(settings):
    secrets = Secrets(settings)
    assert b"xoxb" not in secrets.seal("xoxb-1")
    assert (settings.data / "key").read_text() not in repr(secrets)


def test_the_key_is_made_once_for_this_user_alone_and_nothing_is_left_beside_it(settings):
    sealed = Secrets(settings).seal("xoxb-1")
    assert Secrets(settings).open(sealed) == "xoxb-1"
    assert stat.S_IMODE((settings.data / "key").stat().st_mode) == 0o600
    assert [path.name for path in settings.data.iterdir()] == ["key"]


def test_a_key_in_the_settings_makes_no_file(settings, tmp_path):
    secrets = Secrets(settings.model_copy(update={"key": SecretStr(KEY)}))
    secrets.seal("xoxb-1")
    assert not settings.data.exists()


def test_processes_that_start_at_once_use_one_key(settings):
    code = (
        "import sys; from core.secrets import Secrets; from core.settings import Settings;"
        "from pathlib import Path; secrets = Secrets(Settings(_env_file=None, data=Path(sys.argv[1])));"
        "input(); print(secrets.seal('xoxb').decode())"
    )
    command = [sys.executable, "-c", code, str(settings.data)]
    several = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in several:
        process.stdin.write("\n")
        process.stdin.flush()
    sealed = [process.communicate()[0].strip().encode() for process in several]
    assert [Secrets(settings).open(one) for one in sealed] == ["xoxb"] * 3


def test_another_key_is_told_with_the_way_out(settings):
    sealed = Secrets(settings).seal("xoxb-1")
    other = Secrets(settings.model_copy(update={"key": SecretStr(KEY)}))
    with pytest.raises(BijdehandError, match=r"The key in BIJDEHAND_KEY .* install Bijdehand again") as caught:
        other.open(sealed)
    assert KEY not in str(caught.value)


def test_a_key_that_is_gone_is_told_and_no_new_one_is_made_in_its_place(settings):
    sealed = Secrets(settings).seal("xoxb-1")
    (settings.data / "key").unlink()
    with pytest.raises(BijdehandError, match="Put the old one back"):
        Secrets(settings).open(sealed)
    assert not (settings.data / "key").exists()


@pytest.mark.parametrize("broken", ["x", "sleutel", "é" * 44, KEY[:-4]])
def test_what_is_no_key_is_told_without_showing_it(broken, settings):
    with pytest.raises(SettingsError, match="There is no key in BIJDEHAND_KEY") as caught:
        Secrets(settings.model_copy(update={"key": SecretStr(broken)}))
    assert KEY[:-4] not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("broken", [b"\xff", b"kapot"])
def test_a_file_that_holds_no_key_is_told_and_left_alone(broken, settings):
    settings.data.mkdir()
    (settings.data / "key").write_bytes(broken)
    with pytest.raises(SettingsError, match="key"):
        Secrets(settings).seal("xoxb-1")
    assert (settings.data / "key").read_bytes() == broken


def test_a_folder_that_cannot_be_made_is_told(settings):
    settings.data.write_text("a file")
    with pytest.raises(SettingsError, match=r"cannot be made .*BIJDEHAND_DATA"):
        Secrets(settings).seal("xoxb-1")
