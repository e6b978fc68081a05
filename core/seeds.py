"""Where the starter content stands."""

from pathlib import Path

SEEDS = Path(__file__).parent.parent / "seeds"
