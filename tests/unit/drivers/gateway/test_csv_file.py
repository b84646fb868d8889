import json
import math
from pathlib import Path
from typing import Any

import pytest

from drivers.gateway import csv_chunk, csv_file, mapping
from drivers.gateway.csv_file import BadRow
from drivers.gateway.import_progress import ImportProgress
from historian.clock import ManualClock
from historian.errors import IngestError, PointConflict, QueueFull, SettingsError, StoreReadOnly
from historian.model.point import HOUR_US, MINUTE_US
from historian.model.timestamp import parse_time_us

SIMPLE = """
[time]
columns = ["time"]
time_zone = "Asia/Shanghai"
label = "instant"

[[points]]
column = "P"
name = "p"
unit = "kW"

[[points]]
column = "Q"
name = "q"
unit = "kvar"
"""
NINE_O_CLOCK_US = parse_time_us("2026-01-01T09:00:00+08:00")


async def test_rows_become_samples_of_their_points(importer: Any) -> None:
    report = await importer.text("time,x,P,Q\n2026-01-01 09:00,-,1.5,2\n2026-01-01 09:15,-,3,4\n", SIMPLE)
    assert (report.rows, report.accepted, report.bad_rows) == (2, 4, 0)
    assert importer.values("p") == {NINE_O_CLOCK_US: 1.5, NINE_O_CLOCK_US + 15 * MINUTE_US: 3.0}
    assert importer.values("q") == {NINE_O_CLOCK_US: 2.0, NINE_O_CLOCK_US + 15 * MINUTE_US: 4.0}


async def test_importing_again_counts_duplicates_and_changes_nothing(importer: Any) -> None:
    text = "time,P,Q\n2026-01-01 09:00,1,2\n2026-01-01 09:15,3,4\n"
    await importer.text(text, SIMPLE)
    before = dict(importer.sink.samples)
    report = await importer.text(text, SIMPLE)
    assert (report.accepted, report.duplicate, report.replaced) == (0, 4, 0)
    assert importer.sink.samples == before


async def test_corrected_value_counts_as_replaced(importer: Any) -> None:
    await importer.text("time,P,Q\n2026-01-01 09:00,1,2\n", SIMPLE)
    report = await importer.text("time,P,Q\n2026-01-01 09:00,1,5\n", SIMPLE)
    assert (report.duplicate, report.replaced) == (1, 1)


async def test_batch_is_sorted_by_point_and_time_and_the_later_row_wins(importer: Any) -> None:
    text = "time,P,Q\n2026-01-01 09:15,3,4\n2026-01-01 09:00,1,2\n2026-01-01 09:00,7,8\n"
    await importer.text(text, SIMPLE)
    (batch,) = importer.sink.batches
    assert batch.point_id.tolist() == [1, 1, 1, 2, 2, 2]
    assert batch.value.tolist() == [1, 7, 3, 2, 8, 4]
    assert importer.values("p")[NINE_O_CLOCK_US] == 7


async def test_of_many_rows_with_one_time_the_last_wins(importer: Any) -> None:
    rows = "".join(f"2026-01-01 09:{minute:02d},{index},0\n" for index in range(100) for minute in (30, 0))
    await importer.text("time,P,Q\n" + rows, SIMPLE)
    assert list(importer.values("p").values()) == [99, 99]


async def test_bad_rows_are_named_kept_and_cost_no_good_row(importer: Any) -> None:
    text = (
        b"time,P,Q\n"
        b"2026-01-01 09:00,1,2\n"
        b"yesterday,1,2\n"
        b"2026-01-01 09:15,\xff,4\n"
        b"2026-01-01 09:30,5\n"
        b"\n"
        b'2026-01-01 09:45,"5,6\n'
        b"2026-01-01 10:00,7,8\n"
        b"2026-01-01 10:15,9"
    )
    report = await importer.text(text, SIMPLE)
    assert report.bad_examples == [
        BadRow(3, "time 'yesterday' is not a time of the format iso"),
        BadRow(4, "p: '\ufffd' is not a number"),
        BadRow(5, "2 columns instead of 3"),
        BadRow(7, "quotes do not match"),
        BadRow(9, "2 columns instead of 3; the file ends in the middle of this line"),
    ]
    assert (report.rows, report.bad_rows, report.accepted) == (7, 5, 5)
    assert list(importer.values("p").values()) == [1, 7]
    assert list(importer.values("q").values()) == [2, 4, 8]
    kept = Path(report.quarantine_path).read_bytes().splitlines()[1:]
    assert [row.split(b"\t")[0] for row in kept] == [b"3", b"4", b"5", b"7", b"9"]
    assert kept[1] == "4\tp: '\ufffd' is not a number\t".encode() + b"2026-01-01 09:15,\xff,4"


async def test_refused_samples_make_a_bad_row_but_keep_its_other_samples(importer: Any) -> None:
    importer.sink.reject_above = 100.0
    report = await importer.text("time,P,Q\n2026-01-01 09:00,101,2\n2026-01-01 09:15,3,4\n", SIMPLE)
    assert report.bad_examples == [BadRow(2, "p: time_in_future")]
    assert report.accepted == 3


async def test_sum_that_overflows_is_refused_by_the_sink(importer: Any) -> None:
    text = SIMPLE.replace('unit = "kW"', 'unit = "kW"\nscale = 1000')
    report = await importer.text("time,P,Q\n2026-01-01 09:00,1e308,2\n2026-01-01 09:15,3,4\n", text)
    assert report.bad_examples == [BadRow(2, "p: not_finite")]
    assert list(importer.values("p").values()) == [3000.0]


async def test_missing_values_are_counted_and_are_no_fault(importer: Any) -> None:
    text = "[file]\nmissing = ['', '?']\nsentinels = [-99]\n" + SIMPLE
    report = await importer.text("time,P,Q\n2026-01-01 09:00,?,-99\n2026-01-01 09:15,,4\n", text)
    assert (report.missing, report.accepted, report.bad_rows) == (3, 1, 0)
    assert report.quarantine_path == ""


async def test_last_line_without_line_end_is_set_aside_unless_declared(importer: Any) -> None:
    content = "time,P,Q\n2026-01-01 09:00,1,2\n2026-01-01 09:15,3,4"
    report = await importer.text(content, SIMPLE)
    assert [row.line_number for row in report.bad_examples] == [3]
    assert "final_newline" in report.bad_examples[0].reason
    report = await importer.text(content, "[file]\nfinal_newline = false\n" + SIMPLE)
    assert (report.accepted, report.duplicate, report.bad_rows) == (2, 2, 0)


async def test_last_line_is_whole_where_its_last_column_is_not_used(importer: Any) -> None:
    report = await importer.text("time,P,Q,remark\n2026-01-01 09:00,1,2,o", SIMPLE)
    assert (report.accepted, report.bad_rows) == (2, 0)


async def test_period_ends_are_stored_under_their_starts(importer: Any) -> None:
    text = SIMPLE.replace("instant", "period_end").replace(
        '"kW"', '"kWh"\nkind = "interval"\ninterval = "1h"'
    )
    await importer.text("time,P,Q\n2026-01-01 09:00,1,2\n", text)
    assert importer.values("p") == {NINE_O_CLOCK_US - HOUR_US: 1.0}
    assert importer.values("q") == {NINE_O_CLOCK_US: 2.0}


async def test_point_of_another_interval_is_a_conflict(importer: Any) -> None:
    text = SIMPLE.replace("instant", "period_end").replace(
        '"kW"', '"kWh"\nkind = "interval"\ninterval = "1h"'
    )
    await importer.text("time,P,Q\n2026-01-01 09:00,1,2\n", text)
    with pytest.raises(PointConflict, match=r"interval of 1h, but .* gives 15m"):
        await importer.text("time,P,Q\n2026-01-01 09:00,1,2\n", text.replace('"1h"', '"15m"'))


async def test_layout_of_another_country(importer: Any) -> None:
    text = """
[file]
delimiter = ";"
decimal_mark = ","
encoding = "gb18030"
header = false
skip_lines = 2
[time]
columns = [1, 3]
format = "%Y年%m月%d日 %H:%M"
time_zone = "Asia/Shanghai"
label = "instant"
[[points]]
column = 2
name = "p"
unit = "kW"
scale = 0.1
offset = 1
"""
    content = "导出\n\n2026年1月1日;12,5;9:00\n2026年1月1日;1.000,5;9:15\n".encode("gb18030")
    report = await importer.text(content, text)
    assert importer.values("p") == {NINE_O_CLOCK_US: 2.25}
    assert report.bad_examples == [BadRow(4, "p: '1.000,5' is not a number")]


async def test_stamps_with_an_offset_need_no_zone(importer: Any) -> None:
    await importer.text("time,P,Q\n2026-01-01T01:00:00Z,1,2\n", SIMPLE)
    assert list(importer.values("p")) == [NINE_O_CLOCK_US]


async def test_chunks_make_no_difference(importer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_chunk, "ROWS_PER_CHUNK_MAX", 2)
    rows = "".join(f"2026-01-01 09:{minute:02d},{minute},0\n" for minute in range(15))
    report = await importer.text("time,P,Q\n" + rows + "x,1,2\n", SIMPLE)
    assert len(importer.sink.batches) == 8
    assert list(importer.values("p").values()) == list(range(15))
    assert report.bad_examples == [BadRow(17, "time 'x' is not a time of the format iso")]


async def test_full_queue_is_waited_for(importer: Any, tmp_path: Path) -> None:
    importer.sink.refusals = [QueueFull(5), QueueFull(7)]
    (tmp_path / "m.toml").write_text(SIMPLE)
    (tmp_path / "f.csv").write_text("time,P,Q\n2026-01-01 09:00,1,2\n")
    clock = ManualClock()
    report = await csv_file.import_csv(
        tmp_path / "f.csv",
        mapping.load(tmp_path / "m.toml"),
        importer.sink,
        importer.directory,
        quarantine_dir=tmp_path,
        clock=clock,
    )
    assert report.accepted == 2
    assert clock.monotonic_s() == 12.0


async def test_queue_full_for_ever_ends_the_import(importer: Any, tmp_path: Path) -> None:
    importer.sink.refusals = [QueueFull(1)] * csv_file.QUEUE_FULL_RETRIES_MAX
    (tmp_path / "m.toml").write_text(SIMPLE)
    (tmp_path / "f.csv").write_text("time,P,Q\n2026-01-01 09:00,1,2\n")
    with pytest.raises(IngestError, match="stayed full"):
        await csv_file.import_csv(
            tmp_path / "f.csv",
            mapping.load(tmp_path / "m.toml"),
            importer.sink,
            importer.directory,
            quarantine_dir=tmp_path,
            clock=ManualClock(),
        )


async def test_read_only_store_ends_the_import(importer: Any) -> None:
    importer.sink.refusals = [StoreReadOnly("disk_reserve", "the disk is nearly full")]
    with pytest.raises(StoreReadOnly):
        await importer.text("time,P,Q\n2026-01-01 09:00,1,2\n", SIMPLE)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("time,P,R", r"m\.toml:13: column 'Q' is not in .*f\.csv; it has: time, P, R"),
        ("time,P,Q,Q", r"m\.toml:13: column 'Q' is twice in"),
        ("date,P,Q", r"m\.toml:3: column 'time' is not in"),
    ],
)
async def test_column_that_the_file_lacks_is_an_error(importer: Any, header: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        await importer.text(header + "\n", SIMPLE)
    assert importer.directory.points == {}


async def test_column_number_that_the_file_lacks(importer: Any) -> None:
    with pytest.raises(SettingsError, match=r"m\.toml:13: column 4: .* has 3 columns"):
        await importer.text("time,P,Q\n", SIMPLE.replace('"Q"', "4"))
    text = "[file]\nheader = false\n" + SIMPLE.replace('"Q"', "4").replace('"P"', "2").replace('"time"', "1")
    report = await importer.text("2026-01-01 09:00,1,2\n", text)
    assert report.bad_examples == [BadRow(1, "3 columns, but the mapping uses column 4")]


async def test_empty_file_is_an_error(importer: Any) -> None:
    with pytest.raises(IngestError, match="the file is empty; a header was expected"):
        await importer.text("", SIMPLE)


async def test_progress_ends_at_the_end_of_the_file(importer: Any, tmp_path: Path) -> None:
    seen: list[ImportProgress] = []
    (tmp_path / "m.toml").write_text(SIMPLE)
    content = "time,P,Q\n2026-01-01 09:00,1,2\n"
    (tmp_path / "f.csv").write_text(content)
    await csv_file.import_csv(
        tmp_path / "f.csv",
        mapping.load(tmp_path / "m.toml"),
        importer.sink,
        importer.directory,
        progress=seen.append,
        quarantine_dir=tmp_path,
    )
    assert seen == [ImportProgress(1, len(content), len(content))]


# ── Real files ──────────────────────────────────────────────────────────────────────────────────────────────


def local_us(text: str, zone_offset: str) -> int:
    return parse_time_us(text + zone_offset)


def day_sums(values: dict[int, float], offset_us: int) -> dict[int, float]:
    days: dict[int, list[float]] = {}
    for time_us, value in values.items():
        days.setdefault((time_us + offset_us) // (24 * HOUR_US), []).append(value)
    return {day: round(math.fsum(parts), 2) for day, parts in days.items()}


async def check_steel(importer: Any, path: Path, mapping_text: str) -> None:
    report = await importer.file(path, mapping_text)
    assert (report.rows, report.accepted, report.bad_rows) == (35_040, 4 * 35_040, 0)
    energy = importer.values("steel.import.energy")
    assert round(math.fsum(energy.values()), 2) == 959_636.71
    first_us = local_us("2018-01-01T00:00:00", "+09:00")
    assert list(energy) == [first_us + index * 15 * MINUTE_US for index in range(35_040)]
    assert round(math.fsum(importer.values("steel.co2").values()), 2) == 403.81
    assert day_sums(energy, 9 * HOUR_US)[local_us("2018-01-01T00:00:00", "Z") // (24 * HOUR_US)] == 351.86


async def test_demo_steel_year_is_whole(importer: Any, root: Path) -> None:
    mapping_text = (root / "config" / "demo" / "steel.toml").read_text("utf-8")
    await check_steel(importer, root / "config" / "demo" / "steel.csv.gz", mapping_text)


async def test_original_steel_year_gives_the_sums_of_its_truth(
    importer: Any, root: Path, shared: Path
) -> None:
    folder = shared / "data" / "steel-industry-15min"
    mapping_text = (root / "config" / "demo" / "steel.toml").read_text("utf-8")
    await check_steel(importer, folder / "Steel_industry_data.csv", mapping_text)
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    days = day_sums(importer.values("steel.import.energy"), 9 * HOUR_US)
    january = [days[local_us("2018-01-01T00:00:00", "Z") // (24 * HOUR_US) + day] for day in range(31)]
    assert round(math.fsum(january), 2) == truth["monthly"]["2018-01"]["kwh"] == 126_238.29


async def test_cut_off_last_line_of_ett_is_set_aside(importer: Any, shared: Path) -> None:
    columns = {"HUFL": "MW", "HULL": "Mvar", "OT": "degC"}
    text = '[time]\ncolumns = ["date"]\ntime_zone = "Asia/Shanghai"\nlabel = "instant"\n' + "".join(
        f'[[points]]\ncolumn = "{column}"\nname = "{column}"\nunit = "{unit}"\n'
        for column, unit in columns.items()
    )
    folder = shared / "data" / "ett-transformer"
    truth = json.loads((folder / "truth.json").read_text("utf-8"))["m"]
    report = await importer.file(folder / "ETTm1_part.csv", text)
    assert report.accepted == 3 * truth["complete_rows"]
    reason = "2 columns instead of 8; the file ends in the middle of this line"
    assert report.bad_examples == [BadRow(19_559, reason)]
    kept = Path(report.quarantine_path).read_text().splitlines()[1]
    assert kept.split("\t")[2] == truth["partial_last_line"]
    load = importer.values("HUFL")
    assert math.fsum(load.values()) * 0.25 == pytest.approx(truth["sum_x_0.25h"]["HUFL"], abs=1e-6)
    maximum, at = truth["max"]["HUFL"]
    assert max(load.values()) == pytest.approx(maximum, abs=1e-8)
    assert max(load, key=lambda time_us: load[time_us]) == local_us(at, "+08:00")


async def test_codes_for_no_value_of_the_solar_station_are_missing(importer: Any, shared: Path) -> None:
    (path,) = (shared / "data" / "sgcc-pv-15min").glob("*.csv.gz")
    text = """
[file]
sentinels = [-99]
[time]
columns = ["Time(year-month-day h:m:s)"]
time_zone = "Asia/Shanghai"
label = "instant"
[[points]]
column = "Relative humidity (%)"
name = "pv.humidity"
unit = "%"
sentinels = [6553.5]
[[points]]
column = "Power (MW)"
name = "pv.power"
unit = "MW"
"""
    report = await importer.file(path, text)
    assert (report.rows, report.missing, report.bad_rows) == (70_176, 272, 0)
    # 6546.5 to 6553.4 stay: wrapped 16-bit numbers (65535 - n) / 10, for the point's range to mark, not the importer.
    humidity = importer.values("pv.humidity").values()
    assert not {-99.0, 6553.5} & set(humidity)
    assert math.fsum(importer.values("pv.power").values()) * 0.25 == pytest.approx(169_640.24386075, abs=1e-6)


async def test_household_joins_date_and_time(importer: Any, shared: Path) -> None:
    folder = shared / "data" / "uci-household-1min"
    text = """
[file]
delimiter = ";"
missing = ["", "?"]
[time]
columns = ["Date", "Time"]
format = "%d/%m/%Y %H:%M:%S"
time_zone = "Europe/Paris"
label = "instant"
[[points]]
column = "Global_active_power"
name = "house.p"
unit = "kW"
interval = "1m"
"""
    report = await importer.file(folder / "household_power_consumption_part.txt", text)
    assert (report.accepted, report.bad_rows) == (6156, 0)
    power = importer.values("house.p")
    assert math.fsum(power.values()) / 60 == pytest.approx(178.256733333, abs=1e-8)
    assert power[local_us("2006-12-19T08:48:00", "+01:00")] == max(power.values()) == 7.84
