"""Lines of a text file become one batch a chunk; what is wrong with a row is told by line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.gateway import csv_chunk, mapping
from drivers.gateway.csv_chunk import Chunk, ChunkReader
from drivers.gateway.csv_line import LineFile
from historian.errors import IngestError, SettingsError
from historian.model.point import DAY_US, MINUTE_US, Point, PointKind
from historian.model.timestamp import parse_time_us

MAPPING = """
[time]
columns = ["date", "clock"]
time_zone = "Asia/Shanghai"
label = "period_end"

[[points]]
column = "P"
name = "p"
unit = "kW"
kind = "mean_power"
scale = 0.1

[[points]]
column = "Q"
name = "q"
unit = "kvar"
"""
POINTS = [
    Point(id=7, name="p", unit="kW", kind=PointKind.MEAN_POWER, interval_us=15 * MINUTE_US),
    Point(id=9, name="q", unit="kvar", kind=PointKind.INSTANTANEOUS, interval_us=15 * MINUTE_US),
]
NINE_O_CLOCK_US = parse_time_us("2026-01-01T09:00:00+08:00")


@contextmanager
def open_reader(folder: Path, text: str, mapping_text: str = MAPPING) -> Iterator[ChunkReader]:
    (folder / "m.toml").write_text(mapping_text)
    (folder / "f.csv").write_text(text)
    with LineFile(folder / "f.csv") as file:
        reader = ChunkReader(folder / "f.csv", mapping.load(folder / "m.toml"), file)
        reader.read_header()
        yield reader


def only_chunk(folder: Path, text: str) -> Chunk:
    with open_reader(folder, text) as reader:
        chunk = reader.read_chunk(POINTS)
        assert chunk is not None
        assert reader.read_chunk(POINTS) is None
    return chunk


def test_columns_are_found_by_name_joined_scaled_and_stamped_by_kind(tmp_path: Path) -> None:
    chunk = only_chunk(tmp_path, "Q,x,date,clock,P\n4,-,2026-01-01,09:00,2304\n")
    assert chunk.batch.point_id.tolist() == [7, 9]
    assert chunk.batch.value.tolist() == [230.4, 4.0]
    # only the mean power has a period, whose end the stamp is
    assert chunk.batch.time_us.tolist() == [NINE_O_CLOCK_US - 15 * MINUTE_US, NINE_O_CLOCK_US]


def test_each_sample_knows_its_row_and_point(tmp_path: Path) -> None:
    chunk = only_chunk(tmp_path, "date,clock,P,Q\n2026-01-01,09:15,1,2\n2026-01-01,09:00,3,\n")
    assert chunk.row_index.tolist() == [1, 0, 0], "sorted by time within a point"
    assert chunk.point_index.tolist() == [0, 0, 1]
    assert chunk.missing_count == 1


def test_a_bad_value_costs_only_itself_and_a_bad_time_its_row(tmp_path: Path) -> None:
    chunk = only_chunk(tmp_path, "date,clock,P,Q\n2026-01-01,09:00,abc,2\n2026-01-01,99:00,3,4\n")
    assert chunk.batch.value.tolist() == [2.0]
    assert {index: len(texts) for index, texts in chunk.reasons.items()} == {0: 1, 1: 1}
    assert "abc" in chunk.reasons[0][0]
    assert "99:00" in chunk.reasons[1][0]


def test_a_row_with_another_number_of_columns_is_told(tmp_path: Path) -> None:
    chunk = only_chunk(tmp_path, "date,clock,P,Q\n2026-01-01,09:00,1\n")
    assert chunk.reasons == {0: ["3 columns instead of 4"]}


def test_a_long_file_comes_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_chunk, "ROWS_PER_CHUNK_MAX", 2)
    rows = "".join(f"2026-01-01,09:{minute:02d},{minute},0\n" for minute in range(5))
    with open_reader(tmp_path, f"date,clock,P,Q\n{rows}") as reader:
        counts = [len(chunk.lines) for chunk in iter(lambda: reader.read_chunk(POINTS), None)]
    assert counts == [2, 2, 1]


def test_a_column_that_is_not_there_is_an_error_of_the_mapping(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Q"), open_reader(tmp_path, "date,clock,P\n"):
        pass


def test_a_header_in_another_encoding_says_so(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(MAPPING)
    (tmp_path / "f.csv").write_bytes("日期,clock,P,Q\n".encode("gb18030"))
    with LineFile(tmp_path / "f.csv") as file:
        reader = ChunkReader(tmp_path / "f.csv", mapping.load(tmp_path / "m.toml"), file)
        with pytest.raises(SettingsError, match=r"the text is not utf-8: set encoding in \[file\]"):
            reader.read_header()


def test_an_empty_file_lacks_its_header(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="header"), open_reader(tmp_path, ""):
        pass


def test_a_reading_under_its_day_is_stamped_with_the_end_of_it(tmp_path: Path) -> None:
    """The trap of one day: the row of January 1st holds the reading of January 2nd 00:00."""
    text = """
[time]
columns = ["day"]
time_zone = "Asia/Shanghai"
label = "period_start"
format = "%Y-%m-%d"

[[points]]
column = "E"
name = "e"
unit = "kWh"
kind = "register"
interval = "1d"
"""
    point = Point(id=7, name="e", unit="kWh", kind=PointKind.REGISTER, interval_us=DAY_US)
    with open_reader(tmp_path, "day,E\n2026-01-01,100\n2026-01-02,108\n", text) as reader:
        chunk = reader.read_chunk([point])
    assert chunk is not None
    assert chunk.batch.time_us.tolist() == [
        parse_time_us("2026-01-02T00:00:00+08:00"),
        parse_time_us("2026-01-03T00:00:00+08:00"),
    ]
