import json
from pathlib import Path

import pytest

from historian.clock import ManualClock
from historian.errors import StoreError
from historian.store.durable import DurableFiles, FolderLock
from historian.tools import inspect
from historian.tools.backup import BackupMaker
from tests.support import hand_made
from tests.support.hand_made import START_US

SEGMENT = "2026-01-0000000002.h5"
LOG = "0000000000000003.wal"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return hand_made.write_folder(tmp_path)


def test_a_folder_tells_manifest_segments_logs_and_what_a_start_will_do(folder: Path) -> None:
    facts = inspect.look(folder, None)
    assert facts["manifest"]["sealed_sequence"] == 2
    assert [one["name"] for one in facts["segments"]] == ["2025-12-0000000001.h5", SEGMENT]
    assert facts["segments"][1]["samples"] == 130
    assert facts["segments"][1]["first_time"] == "2026-01-01T00:00:00Z"
    [log] = facts["logs"]
    assert (log["records"], log["samples"], log["damage"]) == ({"samples": 1, "end": 1}, 2, [])
    assert facts["expected_at_start"] == {"segments_opened": 2, "samples_replayed": 2}
    assert facts["databases"][0]["rows"] == {"definition": 2, "point": 2}


def test_a_segment_tells_its_points_and_codecs(folder: Path) -> None:
    facts = inspect.look(folder, SEGMENT)
    assert (facts["format_version"], facts["points"], facts["samples"]) == (2, 2, 130)
    assert facts["value_codecs"] == {"values/i32_e2": 2}
    assert facts["first_points"][0] == {"id": 1, "name": "p1", "unit": "kW", "samples": 65}
    assert (facts["sources"], facts["runs_on_a_grid"]) == (["test"], 2)


def test_a_log_tells_its_records(folder: Path) -> None:
    facts = inspect.look(folder, LOG)
    assert (facts["first_sequence"], facts["last_sequence"], facts["is_open"]) == (3, 3, False)
    assert (facts["sources"], facts["format_version"]) == (["hand"], 2)


def test_a_path_alone_will_do(folder: Path) -> None:
    assert inspect.look(folder / "wal" / LOG, None) == inspect.look(folder, LOG)
    assert inspect.look(folder, SEGMENT[:-3]) == inspect.look(folder, SEGMENT)


@pytest.mark.parametrize("is_json", [True, False])
def test_it_is_told_for_people_and_for_programs(
    folder: Path, is_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inspect.run(folder, None, is_json) == 0
    told = capsys.readouterr().out
    if is_json:
        assert json.loads(told) == inspect.look(folder, None)
    else:
        assert "  sealed sequence  2\n" in told
        assert f"  {SEGMENT}  month 2026-01, points 2, samples 130," in told
        assert "records 1 samples, 1 end, samples 2, sources hand, damage –" in told


def test_damage_is_told_and_stops_nothing(folder: Path) -> None:
    content = bytearray((folder / "wal" / LOG).read_bytes())
    content[60] ^= 1
    (folder / "wal" / LOG).write_bytes(content)
    (folder / "segments" / SEGMENT).write_bytes(b"short")
    (folder / "catalogue.sqlite").write_bytes(b"no database" * 50)
    (folder / "segments" / "2025-12-0000000001.h5").rename(folder / "elsewhere")
    assert [one["is_there"] for one in inspect.look(folder, None)["segments"]] == [False, True]
    (folder / "manifest").write_bytes(b"torn")
    facts = inspect.look(folder, None)
    assert "checksum" in facts["manifest"]["problem"]
    assert facts["logs"][0]["damage"] == [{"first": 40, "end": 152, "is_torn_tail": False}]
    assert "problem" in facts["databases"][0]["rows"]
    assert "cannot be read" in inspect.look(folder, SEGMENT)["problem"]


def test_a_newer_log_is_told_as_such(folder: Path) -> None:
    (folder / "wal" / LOG).write_bytes(hand_made.log_header(3, version=9))
    assert "format 9" in inspect.look(folder, LOG)["problem"]


def test_a_record_that_makes_no_sense_is_passed_over(folder: Path) -> None:
    hand_made.write_log(folder, 9, hand_made.log_record(3, 9, b"\xff" * 16))
    assert inspect.look(folder, "0000000000000009.wal")["samples"] == 0


def test_a_folder_in_use_and_one_without_manifest_are_told(folder: Path) -> None:
    lock = FolderLock(folder)
    (folder / "manifest").unlink()
    assert "nothing was ever stored" in inspect.look(folder, None)["manifest"]["problem"]
    lock.release()


def test_a_backup_says_that_it_is_one(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    target = tmp_path_factory.mktemp("backups")
    maker = BackupMaker(folder, target, ManualClock(START_US), DurableFiles(), lambda what, done, total: None)
    maker.make()
    assert inspect.look(maker.folder, None)["backup"]["sequence"] == 3


@pytest.mark.parametrize(
    ("name", "told"), [("absent", "has no segment and no log file"), ("manifest", "is neither a segment nor")]
)
def test_what_is_not_ours_is_refused(folder: Path, name: str, told: str) -> None:
    with pytest.raises(StoreError, match=told):
        inspect.look(folder, name)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not there"):
        inspect.look(tmp_path / "absent", None)
