"""Other stores doing the same work in the same run, each by its fastest ordinary way, where they are installed."""
