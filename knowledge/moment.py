"""The five moments of need (Conrad Gottfredson and Bob Mosher)."""

from enum import StrEnum


class Moment(StrEnum):
    """Why somebody asks; it decides the shape of the answer."""

    NEW = "new"  # learning it for the first time
    MORE = "more"  # wanting to know more of it
    APPLY = "apply"  # doing it now
    SOLVE = "solve"  # it does not work as it should
    CHANGE = "change"  # it has to be done in a new way

    @property
    def sign(self) -> str:
        """An emoji that goes before the moment's words, never instead of them."""
        return _SIGNS[self]


_SIGNS = {Moment.NEW: "🌱", Moment.MORE: "🔎", Moment.APPLY: "✅", Moment.SOLVE: "🛠️", Moment.CHANGE: "🔄"}
