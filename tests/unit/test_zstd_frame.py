"""A frame is unpacked whole or refused, whatever size it declares."""

import pytest
import zstandard

from historian import zstd_frame
from historian.zstd_frame import FrameDamaged

CONTENT = bytes(range(256)) * 4


def test_what_was_packed_comes_back() -> None:
    frame = zstandard.ZstdCompressor(write_checksum=True).compress(CONTENT)
    assert zstd_frame.unpack(frame, len(CONTENT)) == CONTENT
    assert zstd_frame.unpack(frame, 1 << 40, zstandard.ZstdDecompressor()) == CONTENT


def test_a_size_above_the_limit_is_refused_before_memory_is_taken() -> None:
    frame = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(bytes(1 << 20)))
    with pytest.raises(FrameDamaged, match="declares 1048576 bytes; at most 1048575"):
        zstd_frame.unpack(bytes(frame), (1 << 20) - 1)
    frame = bytearray(b"\x28\xb5\x2f\xfd\xe4" + b"\xff" * 7 + b"\x0f" + bytes(8))  # exabytes
    with pytest.raises(FrameDamaged):
        zstd_frame.unpack(bytes(frame), len(CONTENT))


def test_a_frame_without_a_size_and_what_is_no_frame_are_refused() -> None:
    packer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    for frame in (packer.compress(CONTENT) + packer.flush(), b"", b"nonsense"):
        with pytest.raises(FrameDamaged):
            zstd_frame.unpack(frame, len(CONTENT))
