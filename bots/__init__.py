"""Where we talk: thin surfaces that parse, call the desk and render."""
