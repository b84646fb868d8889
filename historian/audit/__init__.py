"""The audit trail: append-only, hash-chained files, who may read them, and their way to a log server."""
