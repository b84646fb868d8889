"""Copies files durably, in pieces, with their checksum; everything written passes `DurableFiles`."""

import itertools
from pathlib import Path
from typing import Final, NamedTuple

from historian.store.durable import DurableFiles
from historian.tools import checksum

SYNC_BYTES: Final = (
    32 << 20
)  # a long copy gives the disk away every so often, so that the log's syncs stay short


class Copied(NamedTuple):
    """What was written."""

    size_bytes: int
    crc32c: int


def copy(files: DurableFiles, source: Path, target: Path) -> Copied:
    """Copy `source` to the new file `target`; returning means it is on disk."""
    size = crc = synced = 0
    blocks = checksum.blocks(source)
    first = next(blocks, b"")  # a source that is not there leaves no target
    descriptor = files.create(target, 0)
    try:
        for block in itertools.chain((first,), blocks):
            files.write(descriptor, memoryview(block), size)
            size += len(block)
            crc = checksum.crc32c(block, crc)
            if size - synced >= SYNC_BYTES:
                files.sync(descriptor)
                synced = size
        files.sync(descriptor)
    finally:
        files.close(descriptor)
    return Copied(size, crc)


def write(files: DurableFiles, target: Path, content: bytes) -> Copied:
    """Put `content` into the new file `target`; returning means it is on disk."""
    descriptor = files.create(target, 0)
    try:
        files.write(descriptor, memoryview(content), 0)
        files.sync(descriptor)
    finally:
        files.close(descriptor)
    return Copied(len(content), checksum.crc32c(content))
