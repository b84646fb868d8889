"""Compiles or loads the kernels of this package before the first request needs them."""

from typing import Final

import numpy as np

from api import json_columns, json_series, line_intake, row_kernels, stored_offset_kernels, time_text
from api import line_protocol_kernels as kernels
from api.latest_form import LatestForm
from api.line_key_table import LineKeyTable
from historian.model import timestamp
from historian.model.point import Point, PointKind
from historian.model.sample import LastBlock

_LINES: Final = b"m,a=1 x=1.5,y=2i 1514765700000000000\n"
_SERIES: Final = b'{"series":[{"point":"a","times":[1514765700000],"values":[1.5]}]}'
_ZONE: Final = "Asia/Shanghai"


def warm_kernels() -> None:
    """Touch every kernel with the types it meets in earnest; seconds only where nothing is cached on disk."""
    time_us = np.zeros(2, np.int64)
    json_columns.encode_times(time_us)
    json_columns.encode_times(time_us, timestamp.load_zone(_ZONE))
    json_columns.encode_epoch_ms(time_us)
    json_columns.encode_values(np.array([1.5, np.nan]))
    json_columns.encode_samples(time_us, np.array([1.5, np.nan]), True)
    _warm_latest()
    _warm_rows()
    time_text.read_times(["2018-01-01T00:15:00Z", "2018-01-01T09:15:00+09:00"])
    json_series.read_columns(_SERIES)
    stored_offset_kernels.look(np.zeros(1, np.uint32), np.zeros(1, np.int64))
    _warm_lines()


def _warm_latest() -> None:
    point = Point(id=1, name="a", unit="kW", kind=PointKind.INSTANTANEOUS)
    found = LastBlock(np.ones(1, np.bool_), np.zeros(1, np.int64), np.zeros(1), np.zeros(1, np.uint16))
    LatestForm([point]).encode_rows(found, 0, True)


def _warm_rows() -> None:
    """One row of one column: ``{"a":1}``."""
    key, text, flag = (
        np.frombuffer(bytearray(b'{"a":}'), np.uint8),
        np.full(1, 49, np.uint8),
        np.zeros(1, np.uint8),
    )
    begin, end, key_at = np.empty((1, 1), np.int64), np.empty((1, 1), np.int64), np.array([0, 5, 6])
    row_kernels.split(text, 0, begin[0], end[0])
    absent, out = np.zeros((1, 1), np.uint8), np.empty(64, np.uint8)
    row_kernels.weave(key, key_at, text, text, flag, begin, end, absent, flag, out)
    row_kernels.digest(np.zeros(1, np.uint64))


def _warm_lines() -> None:
    table = LineKeyTable()
    table.insert(b"m,a=1", b"x", 1)
    keys = table.keys
    kernels.place_keys(keys.slot_hash[:1], keys.slot_entry[:1], keys.slot_hash, keys.slot_entry)
    rows = line_intake.empty_rows(_LINES.count(b"="))
    text = np.frombuffer(_LINES, np.uint8)
    _, _, count = kernels.read_lines(text, 0, 1, 0, table.seed, keys, rows)
    none, no_offset = np.zeros(count, np.bool_), np.zeros(2, np.int64)
    stored = np.zeros(count, np.int64), np.zeros(count, np.uint16), none
    kernels.stamp_rows(rows, count, 0, 1, 1, 1, 0, no_offset, none, 0, *stored)
