import numpy as np
import pytest

from historian.errors import FormatTooNew
from historian.tools import log_file
from tests.support import hand_made

RECORDS = [hand_made.log_samples(number, [1, 2, 3], [10, 20, 30], [1.0, 2.0, 3.5]) for number in (1, 2, 3)]


def content(*records: bytes, spare: int = 64) -> bytes:
    return hand_made.log_header(1) + b"".join(records) + bytes(spare)


def test_every_record_is_found_and_the_reserve_is_no_damage() -> None:
    log = log_file.walk(content(*RECORDS, hand_made.log_record(log_file.END, 3)))
    assert [frame.sequence for frame in log.frames] == [1, 2, 3, 3]
    assert (log.first_sequence, log.last_sequence, log.has_end, log.bad) == (1, 3, True, [])


def test_a_record_gives_its_samples() -> None:
    data = content(RECORDS[0])
    samples = log_file.samples_of(data, log_file.walk(data).frames[0])
    assert (samples.origin, samples.version) == ("hand", 1)
    assert samples.point_id.tolist() == [1, 2, 3]
    assert samples.time_us.tolist() == [10, 20, 30]
    assert samples.value.tolist() == [1.0, 2.0, 3.5]
    assert samples.quality.tolist() == [0, 0, 0]


def test_runs_of_equal_times_are_unrolled() -> None:
    runs = (
        np.array([2], "<u8").tobytes() + np.array([7, 9], "<i8").tobytes() + np.array([2, 1], "<u4").tobytes()
    )
    payload = (
        b"\3\0\0\0\1\0\2\1" + np.array([5], "<i8").tobytes() + b"s" + bytes(7) + np.array([1.0, 2.0, 3.0]).tobytes()
        + runs + np.array([1, 1, 2, 0], "<u4").tobytes() + bytes(8)
    )  # fmt: skip
    data = content(hand_made.log_record(log_file.SAMPLES, 4, payload))
    samples = log_file.samples_of(data, log_file.walk(data).frames[0])
    assert (samples.version, samples.time_us.tolist()) == (5, [7, 7, 9])


def test_the_old_payload_has_its_sequence_as_version() -> None:
    payload = (
        b"\1\0\0\0\2\0\1\1ab" + bytes(6) + np.array([2.5]).tobytes() + np.array([8], "<i8").tobytes()
        + np.array([6, 0], "<u4").tobytes() + b"\1" + bytes(7)
    )  # fmt: skip
    data = content(hand_made.log_record(log_file.SAMPLES_OLD, 11, payload))
    samples = log_file.samples_of(data, log_file.walk(data).frames[0])
    assert (samples.version, samples.origin, samples.point_id.tolist(), samples.quality.tolist()) == (
        11,
        "ab",
        [6],
        [1],
    )


def test_every_flipped_byte_of_a_record_in_the_middle_is_seen() -> None:
    data = content(*RECORDS)
    first = log_file.walk(data).frames[1]
    for at in range(first.offset, first.end):
        broken = bytearray(data)
        broken[at] ^= 0x10
        log = log_file.walk(bytes(broken))
        assert [frame.sequence for frame in log.frames] == [1, 3], at
        assert log.bad == [log_file.BadPlace(first.offset, first.end, is_tail=False)]


def test_every_cut_leaves_the_records_before_it() -> None:
    data = content(*RECORDS, spare=0)
    frames = log_file.walk(data).frames
    for size in range(40, len(data)):
        log = log_file.walk(data[:size])
        assert len(log.frames) == sum(frame.end <= size for frame in frames)
        assert all(bad.is_tail for bad in log.bad)


def test_a_damaged_header_is_told_and_the_records_are_read() -> None:
    data = bytearray(content(*RECORDS))
    data[20] ^= 1
    log = log_file.walk(bytes(data))
    assert (log.format_version, len(log.frames)) == (None, 3)
    assert log.bad == [log_file.BadPlace(0, 40, is_tail=False)]


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(FormatTooNew, match="format 3"):
        log_file.walk(hand_made.log_header(1, version=3))


def test_a_sequence_that_falls_is_no_record() -> None:
    log = log_file.walk(content(RECORDS[1], RECORDS[0], RECORDS[2]))
    assert [frame.sequence for frame in log.frames] == [2, 3]


def test_a_payload_that_is_not_as_its_header_says_is_an_error() -> None:
    data = content(hand_made.log_record(log_file.SAMPLES, 1, b"\xff" * 16))
    with pytest.raises(ValueError, match="the record at byte 40"):
        log_file.samples_of(data, log_file.walk(data).frames[0])


def test_a_composed_file_holds_the_chosen_records_and_an_end() -> None:
    data = content(*RECORDS)
    log = log_file.walk(data)
    chosen = log.frames[1:]
    whole = log_file.compose(log, [data[frame.offset : frame.end] for frame in chosen], 2, 3)
    again = log_file.walk(whole)
    assert ([frame.sequence for frame in again.frames], again.has_end, again.bad) == ([2, 3, 3], True, [])
    assert (again.first_sequence, again.created_us, again.end) == (2, log.created_us, len(whole))


def test_octets_behind_the_samples_are_an_error() -> None:
    payload = RECORDS[0][40:] + bytes(8)
    data = content(hand_made.log_record(log_file.SAMPLES, 1, payload))
    with pytest.raises(ValueError, match="8 octets are left over"):
        log_file.samples_of(data, log_file.walk(data).frames[0])
