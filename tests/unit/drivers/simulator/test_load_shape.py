import csv
from pathlib import Path

import pytest

from drivers.simulator.load_shape import (
    LOCAL_OFFSET_US,
    ROW_US,
    Load,
    LoadShape,
    load_shape_path,
    read_load_shape,
)

CYCLE_US = 384 * ROW_US


def test_shipped_shape_has_four_days() -> None:
    assert read_load_shape(load_shape_path()).row_count == 4 * 96


def test_shipped_shape_names_source_and_licence() -> None:
    text = load_shape_path().read_text(encoding="utf-8")
    assert "UCI Machine Learning Repository" in text
    assert "CC BY 4.0" in text


def test_row_is_met_in_the_middle_of_its_quarter_hour() -> None:
    shape = LoadShape([Load(1.0, 0.1, 230.0), Load(3.0, 0.3, 240.0)])
    assert shape.at(ROW_US // 2 - LOCAL_OFFSET_US) == Load(1.0, 0.1, 230.0)


def test_between_two_middles_the_load_moves_in_a_line() -> None:
    shape = LoadShape([Load(1.0, 0.0, 230.0), Load(3.0, 0.0, 240.0)])
    assert shape.at(ROW_US - LOCAL_OFFSET_US) == Load(2.0, 0.0, 235.0)


def test_shape_repeats_before_and_after_the_epoch() -> None:
    shape = read_load_shape(load_shape_path())
    assert shape.at(12345) == shape.at(12345 + CYCLE_US) == shape.at(12345 - 3 * CYCLE_US)


def test_rows_are_the_quarter_hour_means_of_the_source(shared: Path) -> None:
    path = shared / "data" / "uci-household-1min" / "household_power_consumption_part.txt"
    with path.open(encoding="utf-8") as file:
        minutes = [row for row in csv.DictReader(file, delimiter=";") if row["Date"] == "18/12/2006"]
    morning = [float(row["Global_active_power"]) for row in minutes[8 * 60 : 8 * 60 + 15]]
    shape = read_load_shape(load_shape_path())
    row_middle_us = (96 + 8 * 4) * ROW_US + ROW_US // 2 - LOCAL_OFFSET_US
    assert shape.at(row_middle_us).active_power_kw == pytest.approx(sum(morning) / 15, abs=0.0006)
