"""Columns of a JSON body: plain ones at once, others element by element, with the same answer."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ingest_series import read_quality, read_values
from historian.model import quality as q


@given(st.lists(st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_are_read_as_float_reads_them(entries: list[Any]) -> None:
    column, faults = read_values(entries)
    assert column.tolist() == [float(entry) for entry in entries]
    assert not faults


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (None, "not_finite"),
        (10**400, "not_finite"),
        ("1", "bad_value"),
        (False, "bad_value"),
        ({}, "bad_value"),
    ],
)
def test_what_is_no_number_is_told_and_the_rest_stays(entry: Any, code: str) -> None:
    column, faults = read_values([1, entry, 2.5])
    assert {index: fault[0] for index, fault in faults.items()} == {1: code}
    assert column[[0, 2]].tolist() == [1.0, 2.5]


@pytest.mark.parametrize(
    ("entry", "bits"),
    [
        ("good", 0),
        ("suspect", q.SUSPECT),
        ("bad+estimated", q.BAD | q.ESTIMATED),
        ("estimated", q.ESTIMATED),
        ("good+late+time_invalid", q.LATE | q.TIME_INVALID),
        (0, 0),
        (65_535, 65_535),
        (None, 0),
    ],
)
def test_quality_is_words_or_bits(entry: Any, bits: int) -> None:
    column, faults = read_quality([entry, entry])
    assert column.tolist() == [bits, bits]
    assert not faults


@pytest.mark.parametrize(
    "entry",
    ["", "Good", "good,late", "good+", -1, 65_536, 1.0, True, [], pytest.param(10**5000, id="5000 digits")],
)
def test_what_is_no_quality_is_told(entry: Any) -> None:
    _, faults = read_quality(["good", entry])
    assert {index: fault[0] for index, fault in faults.items()} == {1: "bad_quality"}


def test_every_word_that_is_given_out_is_taken_in() -> None:
    for bits in range(0, 1 << 16, 37):
        words = [q.validity_name(bits), q.origin_name(bits), *q.flag_names(bits)]
        if "unknown" not in words:
            assert read_quality(["+".join(words)])[0].tolist() == [bits]


def test_columns_have_the_types_of_the_store() -> None:
    assert read_values([1])[0].dtype == np.float64
    assert read_quality([1])[0].dtype == np.uint16
