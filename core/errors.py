"""What can go wrong, each with a sentence that names the thing and the way out."""


class BijdehandError(Exception):
    """Its text is fit to be read by the person at the keyboard."""


class SettingsError(BijdehandError):
    """A setting that is missing, wrong or unsafe."""


class ModelError(BijdehandError):
    """The embedding model cannot be found, made or loaded."""


class StoreError(BijdehandError):
    """The database cannot be opened, read or written."""


class NotFoundError(BijdehandError):
    """There is no such article, answer or person."""


class NotAllowedError(BijdehandError):
    """This person's role does not permit it."""
