"""Reads the everyday JSON body of samples into columns, with no Python object for a sample."""

from typing import NamedTuple

import numpy as np

from api import json_series_kernels as kernels
from api import text_kernels
from api.direct_body import Body
from historian.model.sample import TimeColumn, ValueColumn

_OPEN_OBJECT = 123
_COMMA = 44


class SeriesColumns(NamedTuple):
    """The samples of all series behind one another; `counts` has how many each series has, times are as sent."""

    names: list[str]
    counts: kernels.I64
    time_us: TimeColumn
    value: ValueColumn


def read_columns(body: Body) -> SeriesColumns | None:
    """The columns of a body that is as `json_series_kernels` says; None for any other, right or wrong."""
    text = np.frombuffer(body, np.uint8)
    rows_max = text_kernels.count_byte(text, _COMMA) + 1
    series = np.empty((text_kernels.count_byte(text, _OPEN_OBJECT), kernels.SERIES_WIDTH), np.int64)
    time_us, value = np.empty(rows_max, np.int64), np.empty(rows_max, np.float64)
    count = kernels.read_series(text, series, time_us, value)
    if count < 0:
        return None
    spans = series[:count, : kernels.ROW_END].tolist()
    try:
        names = [str(body[start:end], "utf-8") for start, end in spans]
    except UnicodeDecodeError:
        return None
    ends = series[:count, kernels.ROW_END]
    row_count = int(ends[-1]) if count else 0
    return SeriesColumns(names, np.diff(ends, prepend=0), time_us[:row_count], value[:row_count])
