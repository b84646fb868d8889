"""The bytes of the log: what goes in comes out, and no damage goes unseen or costs what follows."""

import struct

import google_crc32c
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from historian.errors import FormatTooNew
from historian.model.sample import Origin, SampleBatch, make_batch
from historian.store import wal_record

SOURCE = Origin("s")


def file_of(*records: bytes) -> bytes:
    return wal_record.encode_file_header(1, 0) + b"".join(records)


def encoded(
    batch: SampleBatch, origin: Origin = SOURCE, sequence: int = 1, version: int = 1, arrival_us: int = 0
) -> bytes:
    record = wal_record.encode_samples(batch, origin, sequence, version, arrival_us)
    return b"".join(piece.tobytes() for piece in record)


def mark(record_type: int, sequence: int) -> bytes:
    [piece] = wal_record.encode_mark(record_type, sequence, 0)
    return piece.tobytes()


def samples(sequence: int, count: int = 3) -> bytes:
    batch = make_batch(np.arange(1, count + 1), np.arange(count), np.arange(count) + 0.5, 7)
    return encoded(batch, Origin("测试"), sequence, sequence, 99)


def test_a_record_keeps_every_column_origin_version_and_arrival() -> None:
    batch = make_batch([3, 1], [5, 6], [1.5, -2.0], [0, 65535])
    origin = Origin("driver 甲", "抄表错误")
    [record] = wal_record.scan(file_of(encoded(batch, origin, 42, 17, 7))).records
    assert (record.sequence, record.version, record.arrival_time_us, record.origin) == (42, 17, 7, origin)
    assert_equal(record.batch, batch)


@pytest.mark.parametrize(
    "times",
    [
        pytest.param([5], id="one"),
        pytest.param([5, 5, 5], id="equal"),
        pytest.param([5] * 40 + [9] * 30 + [5] * 10, id="runs"),
        pytest.param(list(range(100)), id="all_different"),
        pytest.param([0, 1, 1, 2, 2, 2, 2], id="runs_that_do_not_pay"),
    ],
)
def test_times_and_qualities_of_any_pattern_come_back(times: list[int]) -> None:
    batch = make_batch(7, times, np.arange(len(times)) / 8, np.array(times, np.uint16))
    [record] = wal_record.scan(file_of(encoded(batch))).records
    assert_equal(record.batch, batch)


def assert_equal(found: SampleBatch | None, expected: SampleBatch) -> None:
    assert found is not None
    for column, original in zip(found, expected, strict=True):
        assert column.dtype == original.dtype
        np.testing.assert_array_equal(column, original)
        assert column.flags.writeable, "kernels are compiled for writable columns"


def test_scans_cost_twelve_bytes_a_sample() -> None:
    batch = make_batch(np.arange(1000) % 100, np.arange(1000) // 100, np.random.default_rng(1).random(1000))
    assert len(encoded(batch)) < 12 * 1000 + 300


def test_golden_bytes_of_a_file_with_one_record() -> None:
    data = file_of(encoded(make_batch([1], [2], [3.0], 4), Origin("s"), 5, 7, 6))
    assert data.hex() == (
        "4849535457414c01" "02000000" "28000000" "0100000000000000" "0000000000000000" "00000000" "{}"
        "f5685201" "38000000" "0500000000000000" "0600000000000000" "03" "00000000000000" "{}" "00000000"
        "01000000" "0100" "00" "00" "0700000000000000" "73" "00000000000000"
        "0000000000000840" "0200000000000000" "0100000000000000" "0400000000000000"
    ).format(data[36:40].hex(), struct.pack("<I", _crc_of(data)).hex())  # fmt: skip


def test_a_file_of_format_1_is_read() -> None:
    record = bytearray.fromhex(
        "f5685201" "30000000" "0500000000000000" "0600000000000000" "01" "00000000000000" "00000000" "00000000"
        "01000000" "0100" "00" "00" "73" "00000000000000"
        "0000000000000840" "0200000000000000" "0100000000000000" "0400000000000000"
    )  # fmt: skip
    record[32:36] = struct.pack("<I", google_crc32c.value(bytes(record)))
    header = bytes.fromhex(
        "4849535457414c01" "01000000" "28000000" "0100000000000000" "0000000000000000" "00000000" "01641c42"
    )  # fmt: skip
    found = wal_record.scan(header + bytes(record))
    assert found.damage == []
    assert (found.records[0].origin, found.records[0].version) == (Origin("s"), 5)
    assert_equal(found.records[0].batch, make_batch([1], [2], [3.0], 4))


def _crc_of(data: bytes) -> int:
    record = bytearray(data[wal_record.FILE_HEADER_SIZE :])
    record[32:36] = bytes(4)
    crc: int = google_crc32c.value(bytes(record))
    return crc


def test_zeros_after_the_last_record_are_free_space() -> None:
    found = wal_record.scan(file_of(samples(1)) + bytes(4096))
    assert len(found.records) == 1
    assert found.damage == []


def test_a_tail_cut_at_any_byte_loses_only_the_last_record() -> None:
    whole, last = file_of(samples(1), samples(2)), samples(3)
    for cut in range(1, len(last)):
        found = wal_record.scan(whole + last[:cut])
        assert [record.sequence for record in found.records] == [1, 2]
        assert all(damage.is_tail for damage in found.damage)


def test_a_flip_of_any_byte_in_the_middle_costs_only_that_record() -> None:
    first, second, third = samples(1), samples(2), samples(3)
    data = bytearray(file_of(first, second, third))
    start = wal_record.FILE_HEADER_SIZE + len(first)
    for at in range(start, start + len(second)):
        data[at] ^= 0x10
        found = wal_record.scan(bytes(data))
        assert [record.sequence for record in found.records] == [1, 3], at
        assert [(damage.offset, damage.is_tail) for damage in found.damage] == [(start, False)]
        data[at] ^= 0x10


def test_a_damaged_file_header_costs_no_record() -> None:
    data = bytearray(file_of(samples(1)))
    data[3] ^= 1
    found = wal_record.scan(bytes(data))
    assert [record.sequence for record in found.records] == [1]
    assert found.damage[0].offset == 0


def test_records_wiped_to_zeros_are_damage_when_a_good_one_follows() -> None:
    first, second, third = samples(1), samples(2), samples(3)
    found = wal_record.scan(file_of(first, bytes(len(second)), third))
    start = wal_record.FILE_HEADER_SIZE + len(first)
    assert found.damage == [wal_record.Damage(start, start + len(second), is_tail=False)]


@pytest.mark.parametrize("size", [0, 17, 4096])
def test_a_file_that_was_made_but_never_synced_is_a_torn_tail(size: int) -> None:
    found = wal_record.scan(bytes(size))
    assert [damage.is_tail for damage in found.damage] == [True]


@pytest.mark.parametrize("source", ["file-\udcff.csv", "x" + "电" * 40_000], ids=["no_unicode", "too_long"])
def test_any_name_of_a_source_can_be_read_back(source: str) -> None:
    record = encoded(make_batch(1, [0], [1.0]), Origin(source))
    [found] = wal_record.scan(file_of(record)).records
    assert found.origin.source[:4] == source.replace("\udcff", "?")[:4]


def test_an_older_record_after_a_newer_one_is_not_taken() -> None:
    found = wal_record.scan(file_of(samples(5), samples(4)))
    assert [record.sequence for record in found.records] == [5]


def test_a_file_closed_in_order_says_so() -> None:
    assert wal_record.scan(file_of(samples(1), mark(wal_record.TYPE_END, 1))).has_end


def test_a_newer_format_is_refused_in_words() -> None:
    fields = (wal_record.FILE_MAGIC, 3, wal_record.FILE_HEADER_SIZE, 1, 0, 0)
    header = wal_record.FILE_HEADER.pack(*fields, 0)[:-4]
    with pytest.raises(FormatTooNew, match="format 3"):
        wal_record.scan(header + struct.pack("<I", google_crc32c.value(header)))


@given(st.binary(max_size=400))
def test_any_bytes_give_no_record_and_no_crash(data: bytes) -> None:
    assert wal_record.scan(data).records == []


@given(st.binary(max_size=200))
def test_garbage_between_records_never_hides_the_next_one(garbage: bytes) -> None:
    padded = garbage.ljust((len(garbage) + 7) // 8 * 8, b"\xff")
    found = wal_record.scan(file_of(samples(1), padded, samples(2)))
    assert [record.sequence for record in found.records] == [1, 2]
