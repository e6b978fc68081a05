"""What we know: articles, the files they come from, and how one is laid out. No database, no model, no chat."""
