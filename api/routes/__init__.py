"""Handlers, thin: each parses, calls one function and encodes; `table` gathers what they serve."""
