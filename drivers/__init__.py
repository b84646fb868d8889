"""Collectors: one file a protocol, all of them controlling (master) side, none with a way to control."""
