"""The manifest is replaced as a whole, checked when read, and never believed when damaged."""

from pathlib import Path

import google_crc32c
import pytest

from historian.errors import FormatTooNew, StoreError
from historian.store import manifest
from historian.store.durable import DurableFiles
from historian.store.manifest import Manifest, SegmentInfo
from tests.support.store_kit import FailingFiles

INFO = SegmentInfo(
    name="2018-01-0000000001.h5",
    month="2018-01",
    generation=1,
    sequence_min=1,
    sequence_max=2,
    time_min_us=0,
    time_max_us=1,
    run_count=1,
    sample_count=2,
    superseded_count=0,
    size_bytes=3,
    crc32c=4,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    state = Manifest(sealed_sequence=7, next_generation=2, segments=(INFO,), retired=("x.h5",))
    manifest.write(DurableFiles(), tmp_path, state)
    assert manifest.read(DurableFiles(), tmp_path) == state


def test_an_empty_folder_has_none(tmp_path: Path) -> None:
    assert manifest.read(DurableFiles(), tmp_path) is None


def test_a_flip_of_any_byte_and_a_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    manifest.write(DurableFiles(), tmp_path, Manifest(segments=(INFO,)))
    path = tmp_path / "manifest"
    whole = path.read_bytes()
    damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole) - 1)]
    for data in damaged + [whole[:cut] for cut in range(len(whole) - 1)]:
        path.write_bytes(data)
        with pytest.raises(StoreError, match="restore the file from a backup"):
            manifest.read(DurableFiles(), tmp_path)


def test_a_newer_format_is_refused_in_words(tmp_path: Path) -> None:
    body = b'{"format_version":2}'
    (tmp_path / "manifest").write_bytes(body + b"\n%08x\n" % google_crc32c.value(body))
    with pytest.raises(FormatTooNew, match="format 2"):
        manifest.read(DurableFiles(), tmp_path)


@pytest.mark.parametrize("method", ["create", "write", "sync", "rename"])
def test_a_failed_write_leaves_the_old_one_in_force(tmp_path: Path, method: str) -> None:
    manifest.write(DurableFiles(), tmp_path, Manifest(sealed_sequence=1))
    with pytest.raises(OSError, match="injected"):
        manifest.write(FailingFiles(method), tmp_path, Manifest(sealed_sequence=2))
    found = manifest.read(DurableFiles(), tmp_path)
    assert found is not None
    assert found.sealed_sequence == 1
