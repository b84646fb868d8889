import argparse
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from historian.client.exchange import Reply, Request
from historian.errors import PointNotFound, QueryError, StoreError
from historian.model.point import DAY_US, Point, PointKind, TimeLabel
from historian.model.timerange import TimeRange
from historian.tools import export, sample_file
from historian.tools.sample_file import SampleRows
from tests.support.scripted_client import ScriptedClient, json_reply

POINTS = [
    Point(id=number, name=name, unit="kW", kind=PointKind.MEAN_POWER, label=TimeLabel.PERIOD_START)
    for number, name in ((1, "a.p"), (2, "a.q"))
]


class Source:
    """Two points with a sample each; fails where told so."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.asked: list[TimeRange] = []
        self.fault = fault

    async def find(self, name_or_glob: str) -> list[Point]:
        if name_or_glob == "a.*":
            return POINTS
        found = [point for point in POINTS if point.name == name_or_glob]
        if not found and not export.is_glob(name_or_glob):
            raise PointNotFound(name_or_glob)
        return found

    async def read(self, points: Sequence[Point], span: TimeRange) -> AsyncIterator[SampleRows]:
        self.asked.append(span)
        for place in range(len(points)):
            yield SampleRows(
                np.array([place]), np.array([span.start_us]), np.array([1.5]), np.array([0], np.uint16)
            )
            if self.fault:
                raise self.fault


def options(folder: Path, *points: str, **other: Any) -> argparse.Namespace:
    chosen = {
        "output": folder / "out",
        "points": points,
        "start": "2018-01-01",
        "end": "2018-02-01T00:00:00Z",
    }
    return argparse.Namespace(**(chosen | {"format": "csv", "versions": False, "server": None} | other))


async def test_every_point_is_written_once(tmp_path: Path) -> None:
    source = Source()
    assert await export.write(source, options(tmp_path, "a.q", "a.*")) == 2
    [span] = source.asked
    assert (span.start_us, span.end_us) == (1_514_736_000_000_000, 1_517_443_200_000_000)
    with sample_file.opened(tmp_path / "out") as reader:
        assert [point.name for point in reader.points] == ["a.q", "a.p"]
        assert sum(part.row_count for part in reader.rows()) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


async def test_a_fault_on_the_way_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        await export.write(Source(StoreError("torn")), options(tmp_path, "a.p"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("points", "other", "told"),
    [
        (["absent"], {}, "no point is named 'absent'"),
        (["x*"], {}, r"no point matches x\*"),
        (["a.p"], {"start": "soon"}, "--from: time 'soon'"),
        (["a.p"], {"end": "later"}, "--to: time 'later'"),
    ],
)
async def test_what_is_asked_wrongly_is_named(
    tmp_path: Path, points: list[str], other: dict[str, str], told: str
) -> None:
    with pytest.raises((QueryError, PointNotFound), match=told):
        await export.write(Source(), options(tmp_path, *points, **other))
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(StoreError, match="is there already"):
        export.run(options(tmp_path, "a.p"))


def test_versions_of_a_running_historian_are_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="--versions needs the data folder"):
        export.run(options(tmp_path, "a.p", versions=True, server="http://127.0.0.1:1"))


def test_what_is_no_data_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="is no data folder"):
        export.run(options(tmp_path, "a.p", data=tmp_path))


def test_pieces_of_the_work_cover_it_once() -> None:
    points = [POINTS[0]] * 700
    pieces = list(export.groups(points, TimeRange(0, 40 * DAY_US)))
    assert pieces[0] == (0, 336, 0, 31 * DAY_US)
    assert pieces[1] == (0, 336, 31 * DAY_US, 40 * DAY_US)
    assert sum((last - first) * (end - start) for first, last, start, end in pieces) == 700 * 40 * DAY_US


def answer(request: Request) -> Reply:
    """As the API does, two pages each."""
    is_second = "cursor" in dict(request.query)
    if request.path.endswith("/recorded"):
        columns = {
            "point": pa.array(["a.p"]),
            "time": pa.array([1_514_765_700_000_001 if is_second else 1_514_764_800_000_000]).view(
                pa.timestamp("us", tz="UTC")
            ),
            "value": pa.array([0.1]),
            "quality": pa.array([33], pa.uint16()),
        }
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, pa.table(columns).schema) as writer:
            writer.write_table(pa.table(columns))
        return Reply(200, {"x-next-cursor": "" if is_second else "c"}, sink.getvalue().to_pybytes())
    names = {"/api/v1/points/a.p": "a.p", "/api/v1/points": "a.q" if is_second else "a.p"}
    point = {
        "id": 9, "name": names[request.path], "unit": "kW", "kind": "mean_power", "interval": "15m",
        "label": "period_end", "time_zone": "Asia/Shanghai", "station": "s", "range": [0.0, None], "multiplier": 2.0,
    }  # fmt: skip
    if request.path != "/api/v1/points":
        return json_reply(point)
    return json_reply({"points": [point]} | ({} if is_second else {"next": "c"}))


async def test_a_running_historian_is_read_page_by_page() -> None:
    source = export.RemoteSource(ScriptedClient(answer))
    assert [point.name for point in await source.find("a.*")] == ["a.p", "a.q"]
    [point] = await source.find("a.p")
    assert (point.label, point.range_low, point.range_high, point.multiplier) == (
        TimeLabel.PERIOD_END,
        0.0,
        None,
        2.0,
    )
    parts = [part async for part in source.read([point], TimeRange(0, 1))]
    assert [part.time_us.tolist() for part in parts] == [[1_514_764_800_000_000], [1_514_765_700_000_001]]
    assert [(part.value[0], part.quality[0], part.point[0]) for part in parts] == [(0.1, 33, 0)] * 2
