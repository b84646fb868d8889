"""Columns as JSON text read back to what they were."""

import json

import msgspec
import numpy as np
import pytest

from api import json_columns
from historian.model import quality as q
from historian.model.timestamp import load_zone, parse_time_us

DAY_US = 86_400_000_000


def read(raw: msgspec.Raw) -> list[object]:
    found: list[object] = json.loads(bytes(raw))
    return found


def test_values_read_back_to_the_same_bits() -> None:
    value = np.array([3.17, 0.1 + 0.2, -0.0, 1e300, 628.72])
    assert np.array(read(json_columns.encode_values(value))).tobytes() == value.tobytes()


def test_a_gap_is_null_in_plain_and_in_long_columns() -> None:
    assert read(json_columns.encode_values(np.array([1.5, np.nan]))) == [1.5, None]
    assert read(json_columns.encode_values(np.array([0.1 + 0.2, np.nan]))) == [0.1 + 0.2, None]


def test_empty_columns_are_empty_lists() -> None:
    assert read(json_columns.encode_values(np.empty(0))) == []
    assert read(json_columns.encode_times(np.empty(0, np.int64))) == []
    assert read(json_columns.encode_times(np.empty(0, np.int64), load_zone("Asia/Shanghai"))) == []
    assert read(json_columns.encode_validity(np.empty(0, np.uint16))) == []


def test_milliseconds_are_cut_downwards() -> None:
    assert read(json_columns.encode_epoch_ms(np.array([1999, -1]))) == [1, -1]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"])
def test_local_times_are_the_same_instants(zone: str) -> None:
    time_us = np.arange(1_300_000_000_000_000, 1_340_000_000_000_000, 1_800_000_000 * 7)
    texts = read(json_columns.encode_times(time_us, load_zone(zone)))
    assert [parse_time_us(str(text)) for text in texts] == time_us.tolist()


def test_the_offset_changes_at_the_hour_it_changes() -> None:
    change_us = parse_time_us("2026-03-29T01:00:00Z")
    offsets = json_columns.offsets_min(np.array([change_us - 1, change_us]), load_zone("Europe/Berlin"))
    assert offsets.tolist() == [60, 120]


def test_quality_is_a_word_and_an_origin() -> None:
    quality = np.array([q.GOOD, q.SUSPECT | q.ESTIMATED, q.BAD | q.MANUAL], np.uint16)
    assert read(json_columns.encode_validity(quality)) == ["good", "suspect", "bad"]
    assert read(json_columns.encode_origin(quality)) == ["measured", "estimated", "manual"]


def test_one_quality_throughout_is_written_without_a_look_at_each() -> None:
    assert read(json_columns.encode_validity(np.full(3, q.BAD, np.uint16))) == ["bad"] * 3


def test_full_quality_names_every_flag() -> None:
    bits = q.SUSPECT | q.DERIVED | q.LATE | q.OVERFLOW
    full = read(json_columns.encode_full_quality(np.array([bits, 0], np.uint16)))
    assert full[0] == {
        "validity": "suspect",
        "origin": "derived",
        "flags": ["late", "overflow"],
        "bits": bits,
    }
    assert full[1] == {"validity": "good", "origin": "measured", "flags": [], "bits": 0}
