"""How we find and learn: the desk and everything behind it. Knows articles and people, not Slack."""
