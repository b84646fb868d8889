import asyncio
from pathlib import Path

import pytest

from historian import cli, core
from historian.clock import ManualClock
from historian.metrics import Metrics
from historian.model.point import HOUR_US, MINUTE_US, PointDraft, PointKind, TimeLabel
from historian.model.sample import make_batch
from historian.model.timestamp import parse_time_us
from historian.settings import Settings

DAY = "2026-03-01"
MIDNIGHT_US = parse_time_us(f"{DAY}T00:00:00+08:00")


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A folder with a day of quarter-hour energy, 1.5 kWh each but 4 kWh from 10:00, and a voltage."""

    async def fill() -> None:
        clock = ManualClock(MIDNIGHT_US + 48 * HOUR_US)
        async with core.open_core(Settings(), tmp_path / "d", clock, Metrics()) as parts:
            energy = PointDraft(
                name="a.energy", unit="kWh", kind=PointKind.INTERVAL, label=TimeLabel.PERIOD_END
            )
            voltage = PointDraft(
                name="a.voltage", unit="V", kind=PointKind.INSTANTANEOUS, station="s1", name_zh="电压"
            )
            ids = [parts.registry.ensure(draft).id for draft in (energy, voltage)]
            times = [MIDNIGHT_US + index * 15 * MINUTE_US for index in range(96)]
            values = [4.0 if index == 40 else 1.5 for index in range(96)]
            await parts.sink.append(make_batch(ids[0], times, values), source="test")
            await parts.sink.append(make_batch(ids[1], times[:1], [231.25]), source="test")

    asyncio.run(fill())
    return str(tmp_path / "d")


def answer(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert cli.main([*arguments, "--form", "csv"]) == 0
    return capsys.readouterr().out.splitlines()


def test_recorded_samples_are_told_in_local_time(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "query",
        "recorded",
        "a.energy",
        "--start",
        f"{DAY}T09:45",
        "--end",
        f"{DAY}T10:15",
        "--data",
        data,
    ]
    assert answer(arguments, capsys) == [
        "time,value [kWh],quality,origin",
        "2026-03-01T09:45:00+08:00,1.5,good,measured",
        "2026-03-01T10:00:00+08:00,4.0,good,measured",
    ]


def test_load_curve_has_every_slot_of_the_day(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = answer(["query", "load-curve", "a.energy", "--date", DAY, "--data", data], capsys)
    assert lines[0] == "from,to,value [kW],state,samples"
    assert len(lines) == 97
    assert lines[41] == "10:00,10:15,16.0,complete,1"
    assert lines[96] == "23:45,24:00,6.0,complete,1"


def test_rollups_tell_energy_and_maximum(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["query", "rollups", "a.energy", "--from", DAY, "--to", "2026-03-03", "--data", data]
    lines = answer(arguments, capsys)
    assert lines[0] == "point,day,energy,unit,max,max unit,max from,load factor,samples,state"
    assert lines[1].startswith("a.energy,2026-03-01,146.5,kWh,16.0,kW,2026-03-01T10:00:00+08:00,0.38")
    assert lines[1].endswith(",96/96,complete")
    assert lines[2].startswith("a.energy,2026-03-02,,kWh,,kW,,,0/96,")


def test_points_are_listed_by_station_and_name(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = answer(["points", "list", "--data", data], capsys)
    assert [line.split(",")[1] for line in lines] == ["name", "a.energy", "a.voltage"]
    lines = answer(["points", "list", "--station", "s1", "--data", data], capsys)
    assert lines[1:] == ["2,a.voltage,V,instantaneous,15m,instant,Asia/Shanghai,s1,电压,"]


def test_a_folder_that_is_no_data_folder_is_told_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "misspelt"
    assert cli.main(["points", "list", "--data", str(folder)]) == 1
    assert capsys.readouterr().err == (
        f"historian: {folder} is no data folder; name one with --data, or a running historian with --server\n"
    )
    assert not folder.exists()


def test_unknown_point_is_one_line(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["query", "load-curve", "nobody", "--date", DAY, "--data", data]) == 1
    assert capsys.readouterr().err == "historian: no point is named 'nobody'\n"
