"""The kernel reads times as the general reader does, and leaves it what it does not know."""

import numpy as np
import pytest

from api import time_text_kernels as kernels
from historian.model.timestamp import parse_time_us


def read(text: str) -> int:
    column = np.frombuffer(text.encode(), np.uint8)
    return int(kernels.read_time(column, 0, len(column)))


@pytest.mark.parametrize(
    "text",
    [
        "2018-01-01T00:15:00Z",
        "2018-01-01t00:15:00z",
        "2018-01-01 00:15:00+09:00",
        "2000-02-29T23:59:59.999999999-11:30",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.5Z",
        "1969-12-31T23:59:59.000001Z",
    ],
)
def test_a_time_is_read_as_by_the_general_reader(text: str) -> None:
    assert read(text) == parse_time_us(text)


@pytest.mark.parametrize(
    "text",
    [
        "2018-01-01T00:15:00",
        "2018-01-01T00:15Z",
        "2018-01-01T24:00:00Z",
        "2018-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2018-13-01T00:00:00Z",
        "2018-00-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2018-01-01T00:60:00Z",
        "2018-01-01T00:00:60Z",
        "2018-01-01T00:00:00.Z",
        "2018-01-01T00:00:00.1234567890Z",
        "2018-01-01T00:00:00+0900",
        "2018-01-01T00:00:00+24:00",
        "2018/01/01T00:00:00Z",
        "2018-01-01T0a:00:00Z",
        "1514765700000",
        "",
    ],
)
def test_another_form_is_left_to_the_general_reader(text: str) -> None:
    assert read(text) == kernels.UNREAD


def test_a_column_tells_how_many_it_left() -> None:
    texts = ["2018-01-01T00:15:00Z", "x", "2018-01-01T00:30:00Z"]
    end = np.cumsum([len(text) for text in texts])
    out = np.zeros(3, np.int64)
    assert kernels.read_times(np.frombuffer("".join(texts).encode(), np.uint8), end, out) == 1
    assert out[2] - out[0] == 900_000_000
