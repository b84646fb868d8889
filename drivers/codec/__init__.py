"""Codecs: pure functions between octets and values. No clock, no socket, no asyncio."""
