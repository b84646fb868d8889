from pathlib import Path
from typing import Any

import pytest

from historian.tools import figure_check, log_file, manifest_file
from historian.tools.figure_check import FigureReport
from tests.support import hand_made
from tests.support.hand_made import DAY, DAY_US, POINTS, START_US, Figure

ENERGY = Figure(1, DAY, (14675, 100), DAY_US, 17.0, 40, 6.0, 0, 96, is_complete=True)


def check(folder: Path, month: str = "2026-01") -> FigureReport:
    """The report of a folder, as `verify` asks for it."""
    manifest = manifest_file.read(folder)
    assert manifest is not None
    content = b"".join(path.read_bytes() for path in (folder / "wal").iterdir())
    unsealed = [log_file.samples_of(content, one) for one in log_file.walk(content).frames if one.has_samples]
    return figure_check.check(folder, manifest.segments, unsealed, month, lambda what, done, total: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return hand_made.write_folder(tmp_path)


def rewrite(folder: Path, figures: list[Figure], points: Any = POINTS, **other: Any) -> None:
    (folder / "rollup.sqlite").unlink()
    hand_made.write_rollup(folder, points, figures, **other)


def test_right_figures_are_found_right(folder: Path) -> None:
    report = check(folder)
    assert dict(report.compared) == {"interval": 1, "instantaneous": 1}
    assert (report.findings, dict(report.skipped)) == ([], {})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"total": (14676, 100)}, "the total is 146.76, the samples give 146.75"),
        ({"known_us": DAY_US - 1}, "known_us is 86399999999, the samples give 86400000000"),
        ({"max_value": 17.5}, "max_value is 17.5, the samples give 17.0"),
        ({"max_slot": 39}, "max_slot is 39, the samples give 40"),
        ({"min_value": 5.0}, "min_value is 5.0, the samples give 6.0"),
        ({"count": 95}, "received_count is 95, the samples give 96"),
        ({"is_complete": False}, "is_complete is False, the samples give True"),
    ],
)
def test_each_wrong_field_is_found(folder: Path, wrong: dict[str, Any], told: str) -> None:
    rewrite(folder, [ENERGY._replace(**wrong)])
    [finding] = check(folder).findings
    assert finding.place == "rollup.sqlite point 1 (p1) 2026-01-01"
    assert told in finding.problem


def test_a_month_without_figures_compares_nothing(folder: Path) -> None:
    assert not check(folder, "2025-12").compared


def test_marked_days_are_left_out(folder: Path) -> None:
    rewrite(folder, [ENERGY._replace(total=(1, 1))], dirty=[(1, DAY)])
    assert dict(check(folder).skipped) == {"to be made anew": 1}


def test_figures_of_another_definition_are_left_out(folder: Path) -> None:
    rewrite(folder, [ENERGY._replace(total=(1, 1))], {1: ("interval", "MWh")})
    assert dict(check(folder).skipped) == {"of another definition of the point": 1}


def test_figures_of_a_lost_point_are_left_out(folder: Path) -> None:
    rewrite(folder, [ENERGY._replace(point_id=7)], {7: ("interval", "kWh")})
    assert dict(check(folder).skipped) == {"of another definition of the point": 1}


def test_days_that_samples_in_the_log_change_are_left_out(folder: Path) -> None:
    for path in (folder / "wal").iterdir():
        path.unlink()
    hand_made.write_log(folder, 3, hand_made.log_samples(3, [1], [START_US + DAY_US], [1.0]))
    report = check(folder)
    assert dict(report.skipped) == {"changed by samples in the log": 1}
    assert dict(report.compared) == {"instantaneous": 1}


@pytest.mark.parametrize("has_end", [True, False])
def test_a_register_is_compared_where_readings_lie_around_the_day(folder: Path, has_end: bool) -> None:
    points = {1: ("register", "kWh")}
    times = [START_US + place * hand_made.QUARTER_US for place in range(97 if has_end else 96)]
    run = hand_made.Run(1, times[32:], [100.0 + place for place in range(len(times) - 32)], decimals=0)
    first = hand_made.Run(1, times[:32], [68.0 + place for place in range(32)], decimals=0)
    listed = [
        hand_made.write_segment(folder, "2025-12", 1, [first]),
        hand_made.write_segment(folder, "2026-01", 2, [run]),
    ]
    hand_made.write_manifest(folder, listed, sealed=9)
    for path in (folder / "wal").iterdir():
        path.unlink()
    (folder / "catalogue.sqlite").unlink()
    hand_made.write_catalogue(folder, points)
    rewrite(folder, [Figure(1, DAY, (96, 1), DAY_US, 4.0, 0, 4.0, 0, 96, is_complete=True)], points)
    report = check(folder)
    assert report.findings == []
    if has_end:
        assert dict(report.compared) == {"register": 1}
    else:
        assert dict(report.skipped) == {"of a register without near neighbours": 1}


def test_the_newest_month_is_that_of_the_newest_figure(folder: Path) -> None:
    assert figure_check.newest_month(folder) == "2026-01"
    rewrite(folder, [])
    assert figure_check.newest_month(folder) is None
