"""Columns that go out as JSON, and times that come in, read back to what they were."""

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from api import json_columns, time_text
from historian.errors import TimeError
from historian.model.timestamp import (
    TIME_MAX_US,
    TIME_MIN_US,
    format_local_time,
    format_time,
    load_zone,
    parse_time_us,
)

TIMES = st.lists(st.integers(TIME_MIN_US, TIME_MAX_US), max_size=20)
MODERN = st.lists(st.integers(0, 4_000_000_000_000_000), max_size=20)
DECIMALS = st.decimals(
    allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
).map(float)
VALUES = st.lists(st.floats(allow_infinity=False) | DECIMALS, max_size=20)
ZONES = st.sampled_from(
    ["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu"]
)


@given(VALUES)
def test_values_read_back_to_the_same_bits(values: list[float]) -> None:
    found = json.loads(bytes(json_columns.encode_values(np.array(values, np.float64))))
    for value, read in zip(values, found, strict=True):
        if math.isnan(value):
            assert read is None
        else:
            assert np.float64(read).tobytes() == np.float64(value).tobytes()


@given(st.lists(DECIMALS, max_size=20))
def test_decimals_are_written_as_python_writes_them(values: list[float]) -> None:
    written = bytes(json_columns.encode_values(np.array(values, np.float64)))
    assert written == json.dumps(values, separators=(",", ":")).encode()


@given(TIMES)
def test_times_are_written_as_the_scalar_function_writes_them(times: list[int]) -> None:
    found = json.loads(bytes(json_columns.encode_times(np.array(times, np.int64))))
    assert found == [format_time(time_us) for time_us in times]


@given(MODERN, ZONES)
def test_local_times_too(times: list[int], name: str) -> None:
    zone = load_zone(name)
    found = json.loads(bytes(json_columns.encode_times(np.array(times, np.int64), zone)))
    assert found == [format_local_time(time_us, zone) for time_us in times]


@given(TIMES, ZONES)
def test_times_that_go_out_come_in_again(times: list[int], name: str) -> None:
    zone = load_zone(name)
    texts = [format_time(time_us) for time_us in times]
    texts += [format_local_time(time_us, zone) for time_us in times if abs(time_us) < 60_000_000_000_000_000]
    assert not time_text.read_times(texts).faults


@given(st.lists(st.text("0123456789-:TZ+. t", max_size=30) | st.text(max_size=5), min_size=1, max_size=5))
def test_any_text_is_read_as_the_scalar_function_reads_it(texts: list[str]) -> None:
    found = time_text.read_times(texts)
    for i, text in enumerate(texts):
        try:
            assert found.time_us[i] == parse_time_us(text)
            assert i not in found.faults
        except TimeError:
            assert i in found.faults
