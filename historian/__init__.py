"""Historian for metering points: durable store, exact energy, open archives."""

__version__ = "0.1.0"
