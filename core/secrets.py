"""What may not be read from the database alone: sealed with a key that is kept outside of it."""

import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from core.errors import BijdehandError, SettingsError
from core.settings import Settings


class Secrets:
    """Seals with the key of the setting, else with that of a file which is made when first needed."""

    def __init__(self, settings: Settings) -> None:
        """A key in the settings is looked at right away; the file only when something is sealed or opened."""
        given = settings.key.get_secret_value().strip()
        self._file = settings.data / "key"
        self._where = "BIJDEHAND_KEY" if given else str(self._file)
        self._fernet = self._with(given) if given else None

    def seal(self, text: str) -> bytes:
        """Only whoever has the key can read it."""
        if self._fernet is None:
            self._fernet = self._with(_read(self._file) or _make(self._file))
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """What was sealed. A key that is gone or another one is a `BijdehandError`: no new one is made."""
        if self._fernet is None:
            self._fernet = self._with(_read(self._file))
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise BijdehandError(
                f"The key in {self._where} is not the one that the workspaces were sealed with. "
                "Put the old one back, or let each workspace install Bijdehand again."
            ) from error

    def _with(self, key: str) -> Fernet:
        try:
            return Fernet(key)
        except ValueError:  # its text may show the key
            raise SettingsError(
                f"There is no key in {self._where} (44 letters and digits, as Bijdehand makes them). Put the old one "
                "back; where there is none, take it away, and let each workspace install Bijdehand again."
            ) from None


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} cannot be read. Let this user read it, or set BIJDEHAND_KEY.") from error


def _make(file: Path) -> str:
    """Whole or not at all, and the first of two processes wins: a link is never made over what is there."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(prefix=".key-", dir=file.parent)  # for this user's eyes only
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(Fernet.generate_key())
                out.flush()
                os.fsync(out.fileno())  # what is sealed next outlives a power cut, and so must this
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be made ({error.strerror}). Set BIJDEHAND_DATA or BIJDEHAND_KEY."
        ) from error
    return _read(file)
