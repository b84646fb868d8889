"""Kernels that write columns give what the scalar functions give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import json_columns_kernels as kernels
from historian.model import timestamp
from historian.model.timestamp import format_local_time, format_time, load_zone


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (5.0, "5.0"),
        (-5.0, "-5.0"),
        (351.86, "351.86"),
        (-0.001, "-0.001"),
        (0.1, "0.1"),
        (1e-9, "0.000000001"),
        (9007199254740991.0, "9007199254740991.0"),
        (100.0, "100.0"),
    ],
)
def test_a_short_decimal_is_written_as_it_reads(value: float, text: str) -> None:
    out = np.zeros(kernels.DECIMAL_BYTES_MAX, np.uint8)
    size = kernels.write_decimals(np.array([value]), out)
    assert out[:size].tobytes().decode() == text


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-10, 1e300, -0.0, 2.0**53, np.inf, 5e-324])
def test_what_is_no_short_decimal_is_left_to_the_general_way(value: float) -> None:
    out = np.zeros(kernels.DECIMAL_BYTES_MAX, np.uint8)
    assert kernels.write_decimals(np.array([value]), out) == -1


def test_a_gap_is_null() -> None:
    out = np.zeros(3 * kernels.DECIMAL_BYTES_MAX, np.uint8)
    size = kernels.write_decimals(np.array([1.5, np.nan, 2.0]), out)
    assert out[:size].tobytes() == b"1.5,null,2.0"


@pytest.mark.parametrize(
    "time_us",
    [0, -1, 1, 951_782_400_000_000, -62_135_596_800_000_000, 253_402_300_799_999_999, 1_500_000],
    ids=["epoch", "before", "after", "29 February", "year 1", "year 9999", "half a second"],
)
def test_a_time_is_written_as_the_scalar_function_writes_it(time_us: int) -> None:
    out = np.zeros(kernels.TIME_BYTES_MAX, np.uint8)
    size = kernels.write_times(np.array([time_us]), np.zeros(0, np.int64), True, out)
    assert out[:size].tobytes().decode() == f'"{format_time(time_us)}"'


@pytest.mark.parametrize(("zone", "offset_min"), [("Asia/Kathmandu", 345), ("America/St_Johns", -210)])
def test_a_local_time_carries_its_offset(zone: str, offset_min: int) -> None:
    time_us = 1_700_000_000_000_000
    out = np.zeros(kernels.TIME_BYTES_MAX, np.uint8)
    size = kernels.write_times(np.array([time_us]), np.array([offset_min]), False, out)
    assert out[:size].tobytes().decode() == f'"{format_local_time(time_us, load_zone(zone))}"'


NUMBERS = st.one_of(
    st.builds(lambda whole, decimals: whole / 10**decimals, st.integers(-(10**6), 10**6), st.integers(0, 4)),
    st.builds(lambda whole, decimals: whole / 10**decimals, st.integers(-(2**53), 2**53), st.integers(0, 9)),
    st.sampled_from([0.0, 0.5, 9.995, 999.0, 1000.25, 10000.0, float("nan"), 2.0**51, 2.0**51 / 1000]),
)


@given(st.lists(NUMBERS, max_size=12))
def test_what_stands_before_a_number_does_not_change_its_text(values: list[float]) -> None:
    out = np.zeros(kernels.DECIMAL_BYTES_MAX * (len(values) + 1), np.uint8)
    texts = []
    for value in values:
        size = 4 if np.isnan(value) else kernels.write_decimal(value, out, 0)
        texts.append(b"null" if np.isnan(value) else out[: max(size, 0)].tobytes())
    size = kernels.write_decimals(np.array(values, np.float64), out)
    assert (size < 0) == (b"" in texts)
    assert size < 0 or out[:size].tobytes() == b",".join(texts)


@given(st.lists(st.integers(timestamp.TIME_MIN_US, timestamp.TIME_MAX_US) | st.integers(10**14, 2 * 10**16)))
def test_milliseconds_are_whole_and_cut_downwards(times: list[int]) -> None:
    out = np.zeros(kernels.WHOLE_BYTES_MAX * (len(times) + 1), np.uint8)
    size = kernels.write_whole_ms(np.array(times, np.int64), out)
    assert out[:size].tobytes().decode() == ",".join(str(time_us // 1000) for time_us in times)


@given(st.lists(st.integers(timestamp.TIME_MIN_US, timestamp.TIME_MAX_US)))
def test_times_of_many_days_are_each_written_as_alone(times: list[int]) -> None:
    out = np.zeros(kernels.TIME_BYTES_MAX * (len(times) + 1), np.uint8)
    size = kernels.write_times(np.array(times, np.int64), np.zeros(0, np.int64), True, out)
    assert out[:size].tobytes().decode() == ",".join(f'"{format_time(time_us)}"' for time_us in times)
