"""Points and the journal of sources, in one SQLite file."""
