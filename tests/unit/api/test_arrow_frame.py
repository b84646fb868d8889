"""Joined columns are the stream that pyarrow writes."""

import numpy as np
import pyarrow as pa
import pytest

from api import arrow_frame, arrow_table, formats
from api.formats import Table

T = 1_795_000_000_000_000


def by_pyarrow(name: str, about: dict[str, str], count: int) -> bytes:
    time_us, value, quality = columns_of(count)
    cells = (
        formats.words("point", np.zeros(count, np.int64), [name]),
        formats.times("time", time_us),
        formats.values("value", value),
        formats.numbers("quality", quality),
    )
    return arrow_table.encode(Table(cells, count, about))


def columns_of(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return T + np.arange(count), np.arange(count) / 7, np.arange(count).astype(np.uint16)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 96, 1000])
@pytest.mark.parametrize("name", ["", "p", "站.P" * 9])
@pytest.mark.parametrize("unit", ["kW", "m³"])
def test_samples_are_the_stream_that_pyarrow_writes(count: int, name: str, unit: str) -> None:
    about = {"unit": unit, "label": "instant"}
    assert arrow_frame.encode_samples(name, about, *columns_of(count)) == by_pyarrow(name, about, count)


def test_what_has_nulls_or_no_rows_is_left_to_pyarrow() -> None:
    time_us, value, quality = columns_of(3)
    value[1] = np.nan
    assert arrow_frame.encode_samples("p", {}, time_us, value, quality) is None
    assert arrow_frame.encode_samples("p", {}, *columns_of(0)) is None


@pytest.mark.parametrize("count", [1, 8, 9, 17])
def test_columns_of_any_width_are_padded(count: int) -> None:
    flags = np.arange(count) % 3 == 0
    arrays = [pa.array(flags), pa.array(np.arange(count).astype(np.int16)), pa.array(np.arange(count))]
    before = arrow_frame.before_columns(["a", "b", "c"], arrays, {"x": "y"})
    columns = (np.packbits(flags, bitorder="little"), np.arange(count).astype(np.int16), np.arange(count))
    expected = arrow_table.encode_arrays(["a", "b", "c"], arrays, {"x": "y"})
    assert arrow_frame.joined((before,), columns) == expected
