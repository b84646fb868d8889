import asyncio
from pathlib import Path

import numpy as np
import pytest

from historian import cli, core
from historian.clock import ManualClock
from historian.metrics import Metrics
from historian.model.point import HOUR_US, MINUTE_US, PointDraft, PointKind, TimeLabel
from historian.model.sample import make_batch
from historian.model.timerange import TimeRange
from historian.model.timestamp import parse_time_us
from historian.settings import Settings
from historian.tools import sample_file
from historian.tools.export_offline import OfflineSource

MIDNIGHT_US = parse_time_us("2026-03-01T00:00:00+08:00")
ASK = ["--points", "a.*", "--from", "2026-03-01", "--to", "2026-03-02"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two points of a day; one quarter of an hour was corrected."""

    async def fill() -> None:
        clock = ManualClock(MIDNIGHT_US + 48 * HOUR_US)
        async with core.open_core(Settings(), tmp_path / "d", clock, Metrics()) as parts:
            energy = PointDraft(
                name="a.energy", unit="kWh", kind=PointKind.INTERVAL, label=TimeLabel.PERIOD_END
            )
            voltage = PointDraft(name="a.voltage", unit="V", kind=PointKind.INSTANTANEOUS, station="s1")
            ids = [parts.registry.ensure(draft).id for draft in (energy, voltage)]
            times = [MIDNIGHT_US + index * 15 * MINUTE_US for index in range(96)]
            for point_id, step in zip(ids, (0.1, 1 / 3), strict=True):
                values = [index * step for index in range(96)]
                await parts.sink.append(make_batch(point_id, times, values, range(96)), source="meter")
            await parts.sink.append(make_batch(ids[0], times[5:6], [77.25]), source="hand", reason="misread")

    asyncio.run(fill())
    return tmp_path / "d"


def content(path: Path) -> list[tuple[str, int, float, int]]:
    """Every sample of a file, in an order of its own."""
    with sample_file.opened(path) as reader:
        names = [point.name for point in reader.points]
        return sorted(
            (names[point], time, value, quality)
            for rows in reader.rows()
            for point, time, value, quality in zip(*(column.tolist() for column in rows[:4]), strict=True)
        )


@pytest.mark.parametrize("form", sample_file.FORMS)
def test_what_is_exported_and_imported_is_the_same_bit_for_bit(data: Path, tmp_path: Path, form: str) -> None:
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    assert cli.main(["export", first, *ASK, "--format", form, "--data", str(data)]) == 0
    assert cli.main(["import", "samples", first, "--data", str(tmp_path / "other")]) == 0
    assert cli.main(["export", second, *ASK, "--format", form, "--data", str(tmp_path / "other")]) == 0
    assert content(tmp_path / "first") == content(tmp_path / "second")
    assert len(content(tmp_path / "first")) == 192
    with sample_file.opened(tmp_path / "first") as one, sample_file.opened(tmp_path / "second") as other:
        assert one.points == other.points


def test_importing_again_changes_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["export", str(tmp_path / "f"), *ASK, "--data", str(data)]) == 0
    assert cli.main(["import", "samples", str(tmp_path / "f"), "--data", str(data)]) == 0
    assert "192  duplicate" in capsys.readouterr().out


def test_versions_come_with_their_origin_and_go_in_again(data: Path, tmp_path: Path) -> None:
    for name, folder in (("first", data), ("second", tmp_path / "other")):
        arguments = [str(tmp_path / name), *ASK, "--versions", "--data", str(folder), "--format", "arrow"]
        assert cli.main(["export", *arguments]) == 0
        if name == "first":
            assert (
                cli.main(["import", "samples", str(tmp_path / name), "--data", str(tmp_path / "other")]) == 0
            )
        with sample_file.opened(tmp_path / name) as reader:
            [rows] = reader.rows()
        assert rows.row_count == 193
        assert rows.origin is not None
        at = np.flatnonzero((rows.point == 0) & (rows.time_us == MIDNIGHT_US + 5 * 15 * MINUTE_US))
        assert rows.value[at].tolist() == [0.5, 77.25]
        assert [rows.origins[place] for place in rows.origin[at]] == ["meter", "hand\nmisread"]


async def test_many_points_are_found_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("historian.tools.export.POINTS_AT_ONCE", 2)
    async with core.open_core(Settings(), tmp_path / "d", ManualClock(MIDNIGHT_US), Metrics()) as parts:
        for number in range(5):
            parts.registry.ensure(PointDraft(name=f"p{number}", unit="V", kind=PointKind.INSTANTANEOUS))
        source = OfflineSource(parts, has_versions=False)
        points = await source.find("p*")
        assert [point.name for point in points] == ["p0", "p1", "p2", "p3", "p4"]
        assert await source.find("p3") == [points[3]]
        assert [rows.row_count async for rows in source.read(points, TimeRange(0, 1))] == [0, 0, 0]
