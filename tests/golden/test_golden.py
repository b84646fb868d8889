"""Files of every format version there ever was open and say what they said when they were made.

``segment-N.h5`` and ``manifest-N`` belong together; ``samples-N.txt`` is what they hold (point, time, value, quality);
``wal-1.wal`` was the log beside the first ones, with two samples more. Never made anew: a new format adds files.
"""

import re
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from historian.errors import FormatTooNew
from historian.store import filenames
from historian.store.segment import Segment
from tests.support.store_kit import START_US, open_store

FOLDER = Path(__file__).parent
DAY_US = 86_400_000_000
EVERY_ID = list(range(1, 9))


def expected(version: int) -> list[str]:
    return (FOLDER / f"samples-{version}.txt").read_text("utf-8").splitlines()


def data_folder(tmp_path: Path, version: int) -> Path:
    for name in (filenames.SEGMENT_FOLDER, filenames.WAL_FOLDER):
        (tmp_path / name).mkdir()
    shutil.copy(FOLDER / f"manifest-{version}", tmp_path / filenames.MANIFEST)
    shutil.copy(
        FOLDER / f"segment-{version}.h5", tmp_path / filenames.SEGMENT_FOLDER / "2026-01-0000000001.h5"
    )
    return tmp_path


def as_lines(columns: Any) -> list[str]:
    return [
        f"{point} {time} {value.hex()} {quality}"
        for point, time, value, quality in zip(*(column.tolist() for column in columns), strict=True)
    ]


@pytest.mark.parametrize("version", [1, 2])
async def test_a_data_folder_of_an_older_version_is_read_as_it_was(tmp_path: Path, version: int) -> None:
    folder = data_folder(tmp_path, version)
    if version == 1:
        shutil.copy(FOLDER / "wal-1.wal", folder / filenames.WAL_FOLDER / filenames.wal_name(1))
    store = open_store(folder)
    runs = await store.read(EVERY_ID, START_US - DAY_US, START_US + 2 * DAY_US)
    found = [
        line
        for run in runs
        for line in as_lines((np.full(run.sample_count, run.point_id), run.time_us, run.value, run.quality))
    ]
    assert found == expected(version)
    assert store.status().damage == []
    await store.close()


@pytest.mark.parametrize("version", [1, 2])
def test_versions_and_origins_are_kept(version: int) -> None:
    segment = Segment(FOLDER / f"segment-{version}.h5")
    rows, superseded = segment.read_all()
    in_the_log = 2 if version == 1 else 0
    assert len(set(expected(version)) - set(as_lines(rows[:4]))) == in_the_log
    assert rows.row_count == len(expected(version)) - in_the_log
    assert superseded.value.tolist() == [1003.29, 1004.12]
    batches = segment.read_batches()
    assert batches.sequence.tolist() == list(range(1, 16))
    sources = [batches.source_names[place] for place in batches.source.tolist()]
    corrected = "edit:anna" if version == 1 else "edit:anna\nmeter was replaced"
    assert sources == ["csv:steel", "mb:站", "http", "http", corrected, *["scan"] * 10]


def test_the_lines_of_the_document_read_the_newest_format(root: Path) -> None:
    document = (root / "docs" / "format" / "segment.md").read_text("utf-8")
    [code] = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    code = code.replace('"2018-01-0000000001.h5"', repr(str(FOLDER / "segment-2.h5")))
    for point_id, name in ((1, "steel.import.energy"), (2, "站.p2.power"), (3, "true.floats")):
        found: dict[str, Any] = {}
        exec(code.replace('b"steel.import.energy"', repr(name.encode())), found)
        wanted = [line.split() for line in expected(2) if line.startswith(f"{point_id} ")]
        assert found["time_us"].tolist() == [int(line[1]) for line in wanted]
        assert found["value"].tolist() == [float.fromhex(line[2]) for line in wanted]


def test_a_newer_format_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "newer.h5"
    shutil.copy(FOLDER / "segment-2.h5", path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 3
    with pytest.raises(FormatTooNew, match="format 3"):
        Segment(path).read_all()
