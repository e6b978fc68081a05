"""What looking whether a platform is within reach has in common."""

import urllib.error

WITHIN = 4  # seconds


def short(error: Exception) -> str:
    """What the network says, without what it was doing."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return getattr(reason, "strerror", None) or str(reason) or type(error).__name__
