"""Any bytes give a report or a documented error, and every row is accounted for."""

import asyncio
import gzip
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drivers.gateway import csv_file, mapping
from drivers.gateway.csv_file import ImportReport
from historian.errors import HistorianError
from historian.model.point import Point, PointDraft, TimeLabel
from historian.model.ports import AppendResult, OnConflict, Outcome
from historian.model.sample import SampleBatch

MAPPING = """
[file]
delimiter = ","
missing = ["", "?"]
sentinels = [-99]
[time]
columns = ["t"]
time_zone = "Europe/Paris"
label = "period_end"
midnight = "same_date_end"
[[points]]
column = "a"
name = "a"
unit = "kWh"
kind = "interval"
scale = 1000
[[points]]
column = "b"
name = "b"
unit = "kW"
"""
TOKENS = [
    *(
        b"t",
        b"a",
        b"b",
        b",",
        b"\n",
        b"\r\n",
        b'"',
        b"\r",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b" ",
    ),
    *(
        b"2018-10-28 02:30",
        b"2018-03-25 02:30",
        b"2018-01-01 00:00",
        b"2018-01-01T00:00:00+08:00",
        b"9999-12-31 24:00",
    ),
    *(
        b"0001-01-01 00:00",
        b"1",
        b"-99",
        b"?",
        b"1e308",
        b"1e999",
        b"nan",
        b"3.17",
        b"_",
        "中".encode(),
        b"\x1f\x8b",
    ),
]
csv_like = st.lists(st.sampled_from(TOKENS), max_size=60).map(b"".join)


class Points:
    """A directory of points in memory."""

    def get(self, name_or_id: str) -> Point:
        raise NotImplementedError(name_or_id)

    def by_id(self, point_id: int) -> Point:
        raise NotImplementedError(point_id)

    def ensure(self, draft: PointDraft) -> Point:
        return Point(
            id=1 + len(draft.name),
            name=draft.name,
            unit=draft.unit,
            kind=draft.kind,
            interval_us=draft.interval_us or 1,
            label=draft.label or TimeLabel.INSTANT,
        )


class Sink:
    """Takes what is finite."""

    def __init__(self) -> None:
        self.sample_count = 0

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        assert len(batch.point_id) == len(batch.time_us) == len(batch.value) == len(batch.quality)
        assert not np.isnan(batch.value).any()
        self.sample_count += batch.sample_count
        outcome = np.where(np.isfinite(batch.value), Outcome.ACCEPTED, Outcome.NOT_FINITE)
        return AppendResult(outcome.astype(np.uint8), 1)


def import_bytes(content: bytes, mapping_text: str = MAPPING) -> tuple[ImportReport, Sink] | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.csv"
        path.write_bytes(content)
        (Path(folder) / "m.toml").write_text(mapping_text, "utf-8")
        sink = Sink()
        try:
            loaded = mapping.load(Path(folder) / "m.toml")
            report = asyncio.run(
                csv_file.import_csv(path, loaded, sink, Points(), quarantine_dir=Path(folder) / "q")
            )
        except HistorianError:
            return None
        kept = Path(report.quarantine_path).read_bytes() if report.quarantine_path else b"\n"
        assert kept.count(b"\n") == report.bad_rows + 1
        return report, sink


def check(content: bytes) -> None:
    result = import_bytes(content)
    if result is not None:
        report, sink = result
        assert report.bad_rows <= report.rows <= content.count(b"\n") + 1
        assert report.accepted + report.missing <= 2 * report.rows
        assert report.accepted <= sink.sample_count


@given(csv_like | st.binary(max_size=200))
def test_any_bytes_are_reported(content: bytes) -> None:
    check(content)


@given(csv_like)
def test_any_rows_under_a_good_header_are_reported(content: bytes) -> None:
    check(b"t,a,b\n" + content)


@given(csv_like, st.integers(0, 200))
def test_any_cut_of_a_gzip_file_is_reported(content: bytes, cut: int) -> None:
    import_bytes(gzip.compress(b"t,a,b\n" + content)[:cut])


@given(st.lists(st.sampled_from([b"2018-01-01 01:00,1,2\n", b"x,1,2\n", b'"2018-01-01 01:00,1,2\n', b"1\n"])))
def test_good_rows_never_pay_for_bad_ones(rows: list[bytes]) -> None:
    result = import_bytes(b"t,a,b\n" + b"".join(rows))
    assert result is not None
    good_count = rows.count(b"2018-01-01 01:00,1,2\n")
    assert result[0].accepted == 2 * good_count
    assert result[0].bad_rows == len(rows) - good_count


@given(st.data())
def test_damaged_mapping_is_an_error_or_works(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(MAPPING)))
    piece = data.draw(st.text("[]{}=\"',.0123456789abelmnoptuz_%\n -é", max_size=8))
    text = MAPPING[:start] + piece + MAPPING[start + data.draw(st.integers(0, 12)) :]
    import_bytes(b"t,a,b\n2018-01-01 01:00,1,2\n", text)


def test_the_mapping_itself_is_good() -> None:
    assert import_bytes(b"t,a,b\n2018-01-01 01:00,1,2\n") is not None
