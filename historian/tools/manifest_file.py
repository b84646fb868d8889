"""Reads a manifest by docs/format/manifest.md alone, for tools that check what the store wrote."""

import itertools
from pathlib import Path
from typing import Final

import msgspec

from historian.errors import FormatTooNew, StoreError
from historian.store import filenames
from historian.tools import checksum

READS_VERSION: Final = 2
COLD: Final = "cold"


class ListedSegment(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifest says of one segment."""

    name: str
    month: str
    generation: int
    sequence_min: int
    sequence_max: int
    time_min_us: int
    time_max_us: int
    run_count: int
    sample_count: int
    superseded_count: int
    size_bytes: int
    crc32c: int
    rank: int = 0
    point_min: int = 0
    point_max: int | None = None
    tier: str = ""

    @property
    def order(self) -> tuple[int, int]:
        """Of samples with equal sequences that of the segment with the highest order is read."""
        return self.rank or self.generation, self.generation

    def place(self, data: Path, cold_folder: Path | None) -> Path:
        """Where the file lies."""
        if self.tier == COLD and cold_folder is not None:
            return cold_folder / self.name
        return data / filenames.SEGMENT_FOLDER / self.name


class ManifestFile(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest's content; fields that a later version adds are passed over."""

    format_version: int
    sealed_sequence: int
    next_generation: int
    segments: tuple[ListedSegment, ...] = ()
    retired: tuple[str, ...] = ()


def read(folder: Path) -> ManifestFile | None:
    """The manifest of a data folder; None where there is none. Raises StoreError where it is damaged."""
    path = folder / filenames.MANIFEST
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return decode(data, path)


def all_at_home(data: bytes) -> bytes:
    """The same manifest for a folder that holds every segment itself, and nothing retired."""
    content = msgspec.json.decode(data.split(b"\n")[0])
    for listed in itertools.chain.from_iterable(
        value for value in content.values() if isinstance(value, list)
    ):
        if isinstance(listed, dict) and listed.get("tier"):
            listed["tier"] = ""
    content["retired"] = []
    body = msgspec.json.encode(content)
    return body + b"\n%08x\n" % checksum.crc32c(body)


def decode(data: bytes, path: Path) -> ManifestFile:
    """The manifest in `data`; `path` is for messages. Raises StoreError, FormatTooNew."""
    lines = data.split(b"\n")
    if len(lines) != 3 or lines[2] or lines[1] != b"%08x" % checksum.crc32c(lines[0]):
        raise StoreError(f"{path}: the checksum does not match")
    try:
        version = msgspec.json.decode(lines[0])["format_version"]
        if version > READS_VERSION:
            raise FormatTooNew(f"{path}: format {version}; this version reads up to {READS_VERSION}")
        return msgspec.json.decode(lines[0], type=ManifestFile)
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: the checksum is right, the content is not: {error}") from error
