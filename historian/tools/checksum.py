"""CRC32C of bytes and files, for tools that look at a data folder from outside."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import google_crc32c
import numpy as np

READ_BYTES: Final = 4 << 20
_CHECK_INPUT: Final = b"123456789"
_CHECK_VALUE: Final = 0xE3069283  # the published check value of CRC32C


def is_sound() -> bool:
    """Whether the library computes CRC32C at all: a broken one would find damage everywhere or nowhere."""
    return bool(google_crc32c.value(_CHECK_INPUT) == _CHECK_VALUE)


def crc32c(data: bytes, seed: int = 0) -> int:
    """CRC32C of `data`, going on from `seed`."""
    return int(google_crc32c.extend(seed, data))


def record_crc32c(data: bytes, offset: int, end: int, field: int) -> int:
    """CRC32C of ``data[offset:end]`` with the four bytes at `offset` + `field` taken as zero."""
    crc = google_crc32c.extend(google_crc32c.value(data[offset : offset + field]), bytes(4))
    rest = np.frombuffer(data, np.uint8, end - offset - field - 4, offset + field + 4)
    return int(google_crc32c.extend(crc, rest))


def blocks(path: Path) -> Iterator[bytes]:
    """The file piece by piece. The pages read are not kept in the system's memory: queries need that."""
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            yield block
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def of_file(path: Path) -> tuple[int, int]:
    """(size, CRC32C) of a whole file."""
    size, crc = 0, 0
    for block in blocks(path):
        size += len(block)
        crc = crc32c(block, crc)
    return size, crc
