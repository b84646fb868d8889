"""Servers that stand in for field devices in demos and tests."""
