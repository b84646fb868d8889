from pathlib import Path

import pytest

from historian.tools import checksum


def test_the_library_is_sound() -> None:
    assert checksum.is_sound()


def test_crc_of_pieces_is_that_of_the_whole() -> None:
    assert checksum.crc32c(b"6789", checksum.crc32c(b"12345")) == 0xE3069283


def test_a_record_is_summed_with_its_field_as_zero() -> None:
    assert checksum.record_crc32c(b"xx12\x01\x02\x03\x0459", 2, 10, 2) == checksum.crc32c(
        b"12\0\0\0\0" + b"59"
    )


@pytest.mark.parametrize("size", [0, 1, checksum.READ_BYTES, checksum.READ_BYTES + 7])
def test_a_file_is_summed_whole(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    (tmp_path / "f").write_bytes(content)
    assert checksum.of_file(tmp_path / "f") == (size, checksum.crc32c(content))
