"""An Arrow stream copied once: from its columns into the body. Importing this loads pyarrow."""

from typing import Any

import pyarrow as pa


class _Parts:
    """A file that keeps what is written, without a copy."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[Any] = []  # bytes and Arrow buffers

    def write(self, part: Any) -> int:
        self.parts.append(part)
        return len(part)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is held."""


def encode(names: list[str], arrays: list[Any]) -> bytes:
    """Arrays of one length as one batch; the bytes are those of `arrow_table.encode_arrays`."""
    fields = [(name, array.type) for name, array in zip(names, arrays, strict=True)]
    schema = pa.schema(fields)
    sink = _Parts()
    with pa.ipc.new_stream(pa.PythonFile(sink, "w"), schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return b"".join(sink.parts)
