import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from historian.store.durable import FolderLock
from historian.tools import checksum, verify
from tests.support import hand_made
from tests.support.hand_made import START_US


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return hand_made.write_folder(tmp_path)


def kinds(folder: Path) -> list[tuple[str, str]]:
    """Kind and place of everything found."""
    report = verify.check(folder, None, lambda what, done, total: None)
    return [(finding.kind, finding.place) for finding in report.findings]


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_good_folder_is_good(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.run(folder, None, is_json=False) == 0
    told = capsys.readouterr().out
    assert "segments   2, 194 samples" in told
    assert "log        1 files, 2 records, 2 samples not in segments yet" in told
    assert (
        "2026-01: days computed anew from the samples and compared: 1 of interval points, 1 of instant"
        in told
    )
    assert told.endswith("OK   数据完好\n")


def test_nothing_is_changed(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    verify.run(folder, "2026-01", is_json=False)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_json_holds_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "segments" / "2026-01-0000000002.h5").unlink()
    assert verify.run(folder, None, is_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["damage"], told["checked"]["samples"]) == (1, 194)
    assert told["findings"][0]["kind"] == "segment_missing"
    assert "backup" in told["findings"][0]["action"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.999])
def test_a_flipped_bit_of_a_segment_is_found(folder: Path, share: float) -> None:
    path = folder / "segments" / "2026-01-0000000002.h5"
    flip(path, int(path.stat().st_size * share))
    assert kinds(folder) == [("segment_damaged", "segments/2026-01-0000000002.h5")]


def test_a_cut_segment_is_found(folder: Path) -> None:
    os.truncate(folder / "segments" / "2026-01-0000000002.h5", 1000)
    [finding] = verify.check(folder, None, lambda what, done, total: None).findings
    assert finding.problem.startswith("1000 bytes, the manifest says ")
    assert kinds(folder) == [("segment_damaged", "segments/2026-01-0000000002.h5")]


def _swap_segments(folder: Path) -> None:
    listed = [
        hand_made.write_segment(folder, "2026-01", 1, [hand_made.Run(1, [START_US], [1.0])])
        | {"month": "2026-01"}
    ]
    hand_made.write_manifest(folder, listed, sealed=2)


@pytest.mark.parametrize(
    ("break_it", "expected"),
    [
        (lambda f: flip(f / "manifest", 10), [("manifest_damaged", "manifest"), ]),
        (lambda f: (f / "manifest").unlink(), [("manifest_damaged", "manifest")]),
        (
            lambda f: (f / "segments" / "2019-01-0000000009.h5").write_bytes(b"x"),
            [("segment_unlisted", "segments/2019-01-0000000009.h5")],
        ),
        (_swap_segments, [("segment_wrong", "segments/2026-01-0000000001.h5")]),
        (
            lambda f: flip(f / "wal" / "0000000000000003.wal", 60),
            [("log_damaged", "wal/0000000000000003.wal bytes 40 to 152")],
        ),
        (
            lambda f: hand_made.write_log(f, 1, hand_made.log_samples(1, [1], [START_US], [1.0]), hand_made.log_record(0, 9), is_ended=False),
            [("log_order", "wal/0000000000000003.wal")],
        ),
        (
            lambda f: hand_made.write_log(f, 9, hand_made.log_record(0, 9), b"torn" * 8, is_ended=False),
            [("log_tail", "wal/0000000000000009.wal bytes 80 to 368")],
        ),
        (
            lambda f: hand_made.write_log(f, 9, hand_made.log_record(3, 9, b"\xff" * 16)),
            [("log_damaged", "wal/0000000000000009.wal")],
        ),
        (lambda f: (f / "catalogue.sqlite").write_bytes(b"no" * 99), [("database_damaged", "catalogue.sqlite")]),
    ],
    ids=[
        "manifest flipped", "manifest gone", "stranger", "wrong month", "log flipped", "log order", "torn tail",
        "senseless record", "no database",
    ],
)  # fmt: skip
def test_each_damage_is_found_at_its_place(
    folder: Path, break_it: Callable[[Path], object], expected: list[tuple[str, str]]
) -> None:
    break_it(folder)
    found = kinds(folder)
    assert found[: len(expected)] == expected
    assert all(kind == "segment_unlisted" for kind, _ in found[len(expected) :])


@pytest.mark.parametrize(("last_before", "is_missing"), [(3, False), (4, True)])
def test_a_missing_log_file_shows(folder: Path, last_before: int, is_missing: bool) -> None:
    continues = hand_made.log_record(4, 9, last_before.to_bytes(8, "little"))
    hand_made.write_log(folder, 9, continues)
    expected = [("log_missing", "wal/0000000000000009.wal")] if is_missing else []
    assert kinds(folder) == expected


def test_a_notice_alone_is_no_damage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "segments" / "2019-01-0000000009.h5").write_bytes(b"x")
    assert verify.run(folder, None, is_json=False) == 0
    assert "NOTICE  segments/2019-01-0000000009.h5: 1 bytes" in capsys.readouterr().out


def test_a_folder_in_use_is_not_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = FolderLock(folder)
    assert verify.run(folder, None, is_json=False) == 2
    lock.release()
    assert f"is in use by process {os.getpid()}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["absent", "."])
def test_what_is_no_data_folder_is_not_checked(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify.run(tmp_path / name, None, is_json=False) == 2
    assert "cannot be checked" in capsys.readouterr().err


def test_a_newer_format_is_not_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_made.write_manifest(folder, [], sealed=1, format_version=9)
    assert verify.run(folder, None, is_json=False) == 2
    assert "format 9" in capsys.readouterr().err


def test_a_broken_checksum_library_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksum, "_CHECK_VALUE", 1)
    assert verify.run(folder, None, is_json=False) == 2


def test_no_figures_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "rollup.sqlite").unlink()
    assert verify.run(folder, None, is_json=False) == 0
    assert "none are kept" in capsys.readouterr().out
