"""Compiles or loads the kernels of this package before the first request needs them."""

from typing import Final

import numpy as np

from api import json_columns, time_text
from api import line_protocol_kernels as kernels
from api.line_key_table import LineKeyTable
from historian.model import timestamp

_LINES: Final = b"m,a=1 x=1.5,y=2i 1514765700000000000\n"
_ZONE: Final = "Asia/Shanghai"


def warm_kernels() -> None:
    """Touch every kernel with the types it meets in earnest; seconds only where nothing is cached on disk."""
    time_us = np.zeros(2, np.int64)
    json_columns.encode_times(time_us)
    json_columns.encode_times(time_us, timestamp.load_zone(_ZONE))
    json_columns.encode_values(np.array([1.5, np.nan]))
    time_text.read_times(["2018-01-01T00:15:00Z", "2018-01-01T09:15:00+09:00"])
    _warm_lines()


def _warm_lines() -> None:
    table = LineKeyTable()
    table.insert(b"m,a=1", b"x", 1)
    kernels.place_keys(
        table.slot_hash[:1], table.slot_id[:1], table.entry[:1], table.slot_hash, table.slot_id, table.entry
    )
    count = _LINES.count(b"=")
    span = np.zeros((count, kernels.SPAN_WIDTH), np.int64)
    value, time, line = np.zeros(count), np.zeros(count, np.int64), np.zeros(count, np.int64)
    has_time, point_id = np.zeros(count, np.bool_), np.zeros(count, np.uint32)
    kernels.read_lines(
        np.frombuffer(_LINES, np.uint8), 0, 1, 0, table.seed, table.slot_hash, table.slot_id, table.entry,
        table.arena, span, value, time, has_time, line, point_id,
    )  # fmt: skip
