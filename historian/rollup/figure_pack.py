"""Columns of figures as one piece of bytes, for the table: compressed, checked by a sum of their own.

A column in which every row is the same takes one value; most of them are, in the everyday of a fleet.
"""

from typing import Final

import msgspec
import numpy as np
import zstandard

from historian import zstd_frame
from historian.errors import CatalogueError, FormatTooNew
from historian.rollup.figure_columns import TYPES, FigureColumns, WideSums, allocate

VERSION: Final = 2
_SINCE: Final = {"input_digest": 2}  # columns that earlier versions do not have
_LEVEL: Final = 1
_BYTES_MAX: Final = 1 << 30  # unpacked; those of 32 days of 1,024 points are some MB


class _Head(msgspec.Struct, array_like=True, frozen=True):
    """What the bytes after it hold; sums beyond 64 bits as text, by row."""

    version: int
    row_count: int
    constant: list[str]
    wide: dict[int, tuple[str, str, str]]


def pack(columns: FigureColumns) -> bytes:
    """All rows as bytes."""
    constant: list[str] = []
    parts: list[bytes] = []
    for name, column in zip(TYPES, columns.arrays(), strict=True):
        is_constant = len(column) > 1 and column[0] == column[-1] and bool((column == column[0]).all())
        if is_constant:
            constant.append(name)
        parts.append((column[:1] if is_constant else column).tobytes())
    wide = {row: (str(sums[0]), str(sums[1]), str(sums[2])) for row, sums in columns.wide.items()}
    head = msgspec.msgpack.encode(_Head(VERSION, columns.row_count, constant, wide))
    body = b"".join((len(head).to_bytes(4, "little"), head, *parts))
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(body)


def unpack(packed: bytes, where: str) -> FigureColumns:
    """The inverse of `pack`. Raises CatalogueError for damaged bytes, FormatTooNew for those of a newer version."""
    try:
        body = zstd_frame.unpack(packed, _BYTES_MAX)
        size = int.from_bytes(body[:4], "little")
        head = msgspec.msgpack.decode(body[4 : 4 + size], type=_Head)
    except (zstd_frame.FrameDamaged, msgspec.MsgspecError) as error:
        raise CatalogueError(where, f"figures cannot be read: {error}") from error
    if head.version > VERSION:
        raise FormatTooNew(f"{where}: figures of format {head.version}, this version reads up to {VERSION}")
    columns = allocate(head.row_count)
    place = 4 + size
    for name, type_ in TYPES.items():
        if _SINCE.get(name, 1) > head.version:
            continue
        count = 1 if name in head.constant else head.row_count
        column = np.frombuffer(body, type_, count, place)
        getattr(columns, name)[:] = column
        place += count * type_.itemsize
    wide: WideSums = {row: (int(one), int(two), int(three)) for row, (one, two, three) in head.wide.items()}
    return columns._replace(wide=wide)
