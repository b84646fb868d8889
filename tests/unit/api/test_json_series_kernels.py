"""Numbers and times of JSON are taken only as JSON writes them."""

import numpy as np
import pytest

from api import json_series_kernels as kernels


def column(text: str, room: int) -> kernels.Bytes:
    return np.frombuffer(text.encode() + b" " * room, np.uint8)


@pytest.mark.parametrize("room", [0, 48], ids=["byte by byte", "by words"])
@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("]", []),
        ("1]", [1.0]),
        ("1.5,-2.25 , 0.001\n,7]", [1.5, -2.25, 0.001, 7.0]),
        ("12345678.9,0.30000000000000004,1e-7,-4E+3]", [12345678.9, 0.1 + 0.2, 1e-7, -4000.0]),
        ("18446744073709551616]", None),
        ("1 2]", None),
        ("1,]", None),
        ("1", None),
        ("-]", None),
        ("00]", None),
        ("-01.5]", None),
        ("1.e5]", None),
        ("1e]", None),
        ("1e12345]", None),
        ("null]", None),
    ],
)
def test_values(text: str, numbers: list[float] | None, room: int) -> None:
    value = np.zeros(8)
    at, row = kernels._read_values(column(text, room), 0, 0, value)
    if numbers is None:
        assert at < 0
    else:
        assert (at, value[:row].tolist()) == (len(text) + room, numbers)


@pytest.mark.parametrize("room", [0, 48], ids=["byte by byte", "by words"])
@pytest.mark.parametrize(
    ("text", "times_ms"),
    [
        ("]", []),
        ("0,5]", [0, 5]),
        ("1514765700000 ,253402300799999,123456789, 12345678]", [1514765700000, 253402300799999, 123456789, 12345678]),
        ('"1970-01-01T00:00:01Z",2]', [1000, 2]),
        ("1514765700000.0]", None),
        ("1514765700000e0]", None),
        ("15147657e5]", None),
        ("01514765700000]", None),
        ("00]", None),
        ("-5]", None),
        ("99999999999999999999]", None),
        ('"soon"]', None),
        ("1514765700000", None),
    ],
)  # fmt: skip
def test_times(text: str, times_ms: list[int] | None, room: int) -> None:
    time_us = np.zeros(8, np.int64)
    at, row = kernels._read_times(column(text, room), 0, 0, time_us)
    if times_ms is None:
        assert at < 0
    else:
        assert (at, time_us[:row].tolist()) == (len(text) + room, [1000 * time for time in times_ms])


@pytest.mark.parametrize("text", ["-0", "-0.0", "0.0", "-0e0"])
def test_only_a_whole_minus_zero_loses_its_sign(text: str) -> None:
    for room in (0, 48):
        value = np.zeros(1)
        kernels._read_values(column(text + "]", room), 0, 0, value)
        assert np.signbit(value[0]) == (text in ("-0.0", "-0e0"))
