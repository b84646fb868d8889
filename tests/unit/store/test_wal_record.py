"""The bytes of the log: what goes in comes out, and no damage goes unseen or costs what follows."""

import struct

import google_crc32c
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from historian.errors import FormatTooNew
from historian.model.sample import make_batch
from historian.store import wal_record


def file_of(*records: bytes) -> bytes:
    return wal_record.encode_file_header(1, 0) + b"".join(records)


def samples(sequence: int, count: int = 3) -> bytes:
    batch = make_batch(np.arange(1, count + 1), np.arange(count), np.arange(count) + 0.5, 7)
    return wal_record.encode_samples(batch, "测试", sequence, 99).tobytes()


def test_a_record_keeps_every_column_source_and_arrival() -> None:
    batch = make_batch([3, 1], [5, 6], [1.5, -2.0], [0, 65535])
    data = file_of(wal_record.encode_samples(batch, "driver 甲", 42, 7).tobytes())
    [record] = wal_record.scan(data).records
    assert (record.sequence, record.arrival_time_us, record.source) == (42, 7, "driver 甲")
    assert record.batch is not None
    for column, original in zip(record.batch, batch, strict=True):
        np.testing.assert_array_equal(column, original)
        assert column.flags.writeable  # kernels are compiled for writable columns


def test_a_scan_at_one_time_costs_twelve_bytes_a_sample() -> None:
    batch = make_batch(np.arange(1000), np.full(1000, 5), np.random.default_rng(1).random(1000))
    assert len(wal_record.encode_samples(batch, "", 1, 0)) < 12 * 1000 + 100


def test_golden_bytes_of_a_file_with_one_record() -> None:
    data = file_of(wal_record.encode_samples(make_batch([1], [2], [3.0], 4), "s", 5, 6).tobytes())
    assert data.hex() == (
        "4849535457414c01" "01000000" "28000000" "0100000000000000" "0000000000000000" "00000000" "01641c42"
        "f5685201" "30000000" "0500000000000000" "0600000000000000" "01" "00000000000000" "{}" "00000000"
        "01000000" "0100" "00" "00" "73" "00000000000000"
        "0000000000000840" "0200000000000000" "0100000000000000" "0400000000000000"
    ).format(struct.pack("<I", _crc_of(data)).hex())  # fmt: skip


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
    record = wal_record.encode_samples(make_batch(1, [0], [1.0]), source, 1, 0)
    [found] = wal_record.scan(file_of(record.tobytes())).records
    assert found.source[:4] == source[:4]


def test_an_older_record_after_a_newer_one_is_not_taken() -> None:
    found = wal_record.scan(file_of(samples(5), samples(4)))
    assert [record.sequence for record in found.records] == [5]


def test_a_file_closed_in_order_says_so() -> None:
    assert wal_record.scan(
        file_of(samples(1), wal_record.encode_mark(wal_record.TYPE_END, 1, 0).tobytes())
    ).has_end


def test_a_newer_format_is_refused_in_words() -> None:
    fields = (wal_record.FILE_MAGIC, 2, wal_record.FILE_HEADER_SIZE, 1, 0, 0)
    header = wal_record.FILE_HEADER.pack(*fields, 0)[:-4]
    with pytest.raises(FormatTooNew, match="format 2"):
        wal_record.scan(header + struct.pack("<I", google_crc32c.value(header)))


@given(st.binary(max_size=400))
def test_any_bytes_give_no_record_and_no_crash(data: bytes) -> None:
    assert wal_record.scan(data).records == []


@given(st.binary(max_size=200))
def test_garbage_between_records_never_hides_the_next_one(garbage: bytes) -> None:
    padded = garbage.ljust((len(garbage) + 7) // 8 * 8, b"\xff")
    found = wal_record.scan(file_of(samples(1), padded, samples(2)))
    assert [record.sequence for record in found.records] == [1, 2]
