"""What somebody's dealings with an article say about the moment of need, beside their words.

The weights are judged, not measured: nobody has labelled messages with what came before them. They are small, so that a
plain sentence wins, and corrections show in time whether they help.
"""

from dataclasses import dataclass

from knowledge.moment import Moment

_OFTEN = 3


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """`times` and `topic` count the answers of ninety days, and only of who wants their own history kept.

    `again`: the same article was shown some minutes ago; `failed`: they just said that it did not help.
    """

    remembered: bool = False
    times: int = 0
    topic: int = 0
    again: bool = False
    failed: bool = False

    def odds(self) -> dict[Moment, float]:
        """What to add to each moment's logit."""
        found: dict[Moment, float] = {}
        if self.remembered and not self.topic:
            found[Moment.NEW] = 0.4  # weakly: in somebody's first week everything is new
        if self.times >= _OFTEN:
            found |= {Moment.NEW: -1.0, Moment.MORE: 0.3, Moment.APPLY: 0.3}
        if self.failed or self.again:
            found[Moment.SOLVE] = 1.5 if self.failed else 0.7
        return found


STRANGER = Acquaintance()
