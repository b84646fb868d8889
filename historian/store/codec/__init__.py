"""Column encodings of a segment: bytes and arrays, pure."""
