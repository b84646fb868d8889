"""Writes tables as Arrow streams. Importing this loads pyarrow, so it is done only where somebody asks for it."""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from api.formats import Column, Ready, Table, Times, Typed, Values, Words


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


def encode(table: Table) -> bytes:
    """The whole table as one stream; a column without a type of its own gets that of its cells."""
    arrays = [_array_of(column, table.row_count) for column in table.columns]
    return encode_arrays([column.name for column in table.columns], arrays, table.about)


def encode_arrays(names: list[str], arrays: list[Any], about: Mapping[str, str]) -> bytes:
    """Arrays of one length, likewise, copied once: into the body; `about` is the schema's metadata."""
    fields = [(name, array.type) for name, array in zip(names, arrays, strict=True)]
    schema = pa.schema(fields, dict(about) or None)
    sink = _Parts()
    with pa.ipc.new_stream(pa.PythonFile(sink, "w"), schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return b"".join(sink.parts)


def array_of(typed: Typed) -> Any:
    """The Arrow array of a typed column, without a Python object for a row."""
    match typed:
        case Ready():
            return typed.array
        case Times():
            is_null = None if typed.is_known is None or typed.is_known.all() else ~typed.is_known
            return pa.array(typed.time_us, mask=is_null).view(pa.timestamp("us", tz=typed.zone))
        case Values():
            has_nan = typed.value.dtype.kind == "f" and bool(np.isnan(typed.value).any())
            return pa.array(typed.value, mask=np.isnan(typed.value) if has_nan else None)
        case Words():
            codes = pa.array(typed.code.astype(code_type(len(typed.vocabulary))))
            return pa.DictionaryArray.from_arrays(codes, pa.array(typed.vocabulary, pa.string()), safe=False)


def code_type(word_count: int) -> type[np.signedinteger[Any]]:
    """The narrowest codes that name so many words: streams of thousands of rows are mostly codes otherwise."""
    return np.int8 if word_count <= 1 << 7 else np.int16 if word_count <= 1 << 15 else np.int32


def ready(column: Column) -> Column:
    """The same column with its Arrow array made, for tables that are asked for again and again."""
    assert column.typed is not None, "only a typed column is known beforehand"
    return column._replace(typed=Ready(array_of(column.typed)))


def _array_of(column: Column, row_count: int) -> Any:
    if column.typed is not None:
        return array_of(column.typed)
    cells = column.cells(0, row_count)
    try:
        return pa.array(cells)
    except (
        pa.ArrowInvalid,
        pa.ArrowTypeError,
    ):  # cells of several types, such as qualities as words and objects
        return pa.array([msgspec.json.encode(cell).decode() for cell in cells], pa.string())
