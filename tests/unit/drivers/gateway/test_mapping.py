from pathlib import Path

import pytest

from drivers.gateway import mapping
from historian.errors import SettingsError
from historian.model.point import MINUTE_US, PointKind, TimeLabel

TIME = """
[time]
columns = ["t"]
time_zone = "Asia/Shanghai"
label = "period_end"
"""
POINT = """
[[points]]
column = "v"
name = "a.b"
unit = "kWh"
kind = "interval"
"""


def load(folder: Path, text: str) -> mapping.CsvMapping:
    path = folder / "m.toml"
    path.write_text(text, "utf-8")
    return mapping.load(path)


def test_demo_mapping_makes_four_points(root: Path) -> None:
    steel = mapping.load(root / "config" / "demo" / "steel.toml")
    drafts = {draft.name: draft for draft in steel.drafts()}
    assert {name: draft.unit for name, draft in drafts.items()} == {
        "steel.import.energy": "kWh",
        "steel.reactive.lag": "kvarh",
        "steel.reactive.lead": "kvarh",
        "steel.co2": "tCO2",
    }
    energy = drafts["steel.import.energy"]
    assert energy.kind is PointKind.INTERVAL
    assert energy.interval_us == 15 * MINUTE_US
    assert energy.label is TimeLabel.PERIOD_END
    assert energy.time_zone == "Asia/Seoul"
    assert energy.station == "steel"


def test_label_of_the_file_is_for_periods_only(tmp_path: Path) -> None:
    text = TIME + POINT + '[[points]]\ncolumn = "w"\nname = "c"\nunit = "kW"\n'
    assert [draft.label for draft in load(tmp_path, text).drafts()] == [
        TimeLabel.PERIOD_END,
        TimeLabel.INSTANT,
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (POINT, "1: time is missing; allowed: a table"),
        (TIME, "1: points is missing; allowed: a list with at least 1 of: a table"),
        (TIME + "points = []", "6: time.points is not known"),
        ("points = []\n" + TIME, "1: points is a list; allowed: a list with at least 1 of: a table"),
        (TIME + POINT + "unti = 1\n", "12: points[0].unti is not known (did you mean unit?)"),
        (TIME + POINT.replace("kWh", "kwh"), "10: unit 'kwh' is unknown"),
        (
            TIME + POINT + 'interval = "15 min"',
            "12: interval '15 min' is not a whole number with one of s, m, h, d",
        ),
        (TIME + POINT + "range = [2, 1]", "12: range [2.0, 1.0] is empty"),
        (TIME + POINT + "scale = 0.0", "12: scale 0 would make every value the same"),
        (TIME + POINT + 'label = "instant"', "12: a file has one label; allowed: label in [time]"),
        (
            TIME + POINT.replace('"v"', "0"),
            "8: points[0].column is 0; allowed: a whole number from 1 to 100000 or text",
        ),
        (TIME + POINT + POINT, "15: point 'a.b' is there twice"),
        (TIME + POINT + POINT.replace("a.b", "c"), "14: column 'v' is there twice"),
        (TIME.replace("period_end", "end") + POINT, '5: time.label is "end"; allowed: one of "instant"'),
        (
            TIME.replace("period_end", "instant") + POINT,
            "11: interval covers a period, but the label of [time] is instant",
        ),
        (
            TIME.replace("Shanghai", "Peking") + POINT,
            "4: time.time_zone: time zone 'Asia/Peking' is not an IANA zone",
        ),
        (TIME + 'format = "%d.%m.%y"' + POINT, "6: time.format: %y in '%d.%m.%y' is not known; allowed: iso"),
        (TIME + 'midnight = "maybe"' + POINT, '6: time.midnight is "maybe"; allowed: one of "date_start"'),
        (TIME.replace('["t"]', "[]") + POINT, "3: time.columns is a list; allowed: a list with at least 1"),
        ('[file]\ndelimiter = ";;"' + TIME + POINT, '2: file.delimiter is ";;"; allowed: text'),
        ('[file]\ndecimal_mark = ","' + TIME + POINT, "2: file.decimal_mark: ',' is the delimiter too"),
        (
            '[file]\nencoding = "utf-7"' + TIME + POINT,
            '2: file.encoding is "utf-7"; allowed: one of "gb18030"',
        ),
        (
            "[file]\nheader = false" + TIME + POINT,
            "9: column 'v': the file has no header; allowed: a number from 1",
        ),
        (
            "[file]\nheader = false" + TIME + POINT.replace('"v"', "2"),
            "4: column 't': the file has no header; allowed: a number from 1",
        ),
    ],
)
def test_wrong_mapping_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'm.toml'}:{message}")


def test_scaling_is_exact(tmp_path: Path) -> None:
    assert load(tmp_path, TIME + POINT + "scale = 0.1").scalings() == [(1, 0, 10)]


FREEZE = """
[time]
columns = ["t"]
time_zone = "{zone}"
label = "{label}"

[[points]]
column = "v"
name = "a.b"
unit = "kWh"
kind = "register"
interval = "{interval}"
"""


@pytest.mark.parametrize(
    ("label", "interval", "expected"),
    [
        ("period_start", "1d", TimeLabel.PERIOD_START),
        ("period_start", "15m", TimeLabel.INSTANT),
        ("period_end", "1d", TimeLabel.INSTANT),
        ("instant", "1d", TimeLabel.INSTANT),
    ],
)
def test_the_label_of_the_file_is_for_readings_by_day_too(
    tmp_path: Path, label: str, interval: str, expected: TimeLabel
) -> None:
    text = FREEZE.format(zone="Asia/Shanghai", label=label, interval=interval)
    assert [draft.label for draft in load(tmp_path, text).drafts()] == [expected]


def test_readings_by_day_need_days_of_24_hours(tmp_path: Path) -> None:
    text = FREEZE.format(zone="Europe/Berlin", label="period_start", interval="1d")
    with pytest.raises(
        SettingsError, match="12: a daily reading under its day has no fixed time in Europe/Berlin"
    ):
        load(tmp_path, text)
    assert load(tmp_path, FREEZE.format(zone="Europe/Berlin", label="instant", interval="1d")).drafts()
