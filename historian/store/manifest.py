"""The manifest: the one file that says which segments live and up to which log record they reach.

Two lines: JSON, and the CRC32C of the first line in hexadecimal. It is replaced as a whole; a segment
that it does not list does not exist. Drawn in docs/format/manifest.md.
"""

from pathlib import Path
from typing import Final, Literal

import google_crc32c
import msgspec

from historian.errors import FormatTooNew, StoreError
from historian.store import filenames
from historian.store.durable import DurableFiles

FORMAT_VERSION: Final = 2
POINT_ID_MAX: Final = 0xFFFF_FFFF

Tier = Literal["", "cold"]


class SegmentInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One live segment. `month` is the UTC month of all its samples (``2018-01``).

    `point_min` and `point_max` bound its points; `tier` says in which folder it lies.
    """

    name: str
    month: str
    generation: int
    rank: int = 0
    sequence_min: int
    sequence_max: int
    time_min_us: int
    time_max_us: int
    point_min: int = 0
    point_max: int = POINT_ID_MAX
    run_count: int
    sample_count: int
    superseded_count: int
    size_bytes: int
    crc32c: int
    tier: Tier = ""

    @property
    def order(self) -> tuple[int, int]:
        """Of two segments that hold the same point's time, the later in this order was arranged to win."""
        return (self.rank or self.generation, self.generation)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All samples of log records up to `sealed_sequence` are in `segments`; later ones are in the log.

    `retired` names files that were replaced and may still be on disk; ``cold/`` goes before a name of that tier.
    """

    format_version: int = FORMAT_VERSION
    sealed_sequence: int = 0
    next_generation: int = 1
    segments: tuple[SegmentInfo, ...] = ()
    retired: tuple[str, ...] = ()


def read(files: DurableFiles, folder: Path) -> Manifest | None:
    """The manifest of a data folder; None where there is none yet. Raises StoreError where it is damaged."""
    path = folder / filenames.MANIFEST
    try:
        data = files.read(path)
    except FileNotFoundError:
        return None
    body, _, check = data.partition(b"\n")
    if check.strip() != _check(body):
        raise StoreError(f"{path}: the checksum does not match; restore the file from a backup")
    version = msgspec.json.decode(body, type=_Version).format_version
    if version > FORMAT_VERSION:
        raise FormatTooNew(f"{path}: format {version}; this version reads up to {FORMAT_VERSION}")
    state = msgspec.json.decode(body, type=Manifest)
    return msgspec.structs.replace(state, format_version=FORMAT_VERSION)


def write(files: DurableFiles, folder: Path, manifest: Manifest) -> None:
    """Replace the manifest of a data folder; returning means the new one is in force."""
    body = msgspec.json.encode(manifest)
    files.publish(folder / filenames.MANIFEST, body + b"\n" + _check(body) + b"\n")


class _Version(msgspec.Struct):
    format_version: int


def _check(body: bytes) -> bytes:
    return b"%08x" % google_crc32c.value(body)
