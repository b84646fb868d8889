"""Names on disk and back."""

from pathlib import Path

from historian.store import filenames


def test_log_and_segment_names_tell_their_number() -> None:
    assert filenames.wal_first_sequence(Path(filenames.wal_name(42))) == 42
    assert filenames.segment_generation(filenames.segment_name("2018-01", 7)) == 7


def test_other_names_tell_none() -> None:
    assert filenames.wal_first_sequence(Path("notes.txt")) is None
    assert filenames.segment_generation("2018-01-0000000007.h5.tmp") is None


def test_names_sort_by_number() -> None:
    assert filenames.wal_name(9) < filenames.wal_name(10)


def test_a_damaged_piece_is_named_by_its_file_and_offset() -> None:
    assert filenames.damaged_name(Path("wal/1.wal"), 40) == "1.wal.40.damaged"
