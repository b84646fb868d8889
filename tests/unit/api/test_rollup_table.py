"""Rollups as JSON, rows and Arrow; and the ETag, which changes with what is told, not with when it was computed."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from multidict import MultiDict

from api import rollup_arrow, rollup_table
from api.params import Params
from api.problem import Problem
from api.rollup_json import RowWriter
from api.rollup_table import Rollups
from api.sample_form import SampleForm
from historian.rollup.billing import Billed
from historian.rollup.period_kernels import Periods
from historian.rollup.periods import PeriodColumns
from historian.rollup.point_unit import FigureUnits

DAY_US = 86_400_000_000


def answer(**changes: Any) -> PeriodColumns:
    """Two points and two days; of the last nothing is known."""
    floats = {
        name: [1.5, 2.5, 3.5, np.nan] for name in ("energy", "mean", "load_factor", "max_value", "min_value")
    }
    times = {name: [0, 1, 2, -1] for name in ("max_start_us", "max_end_us", "min_start_us", "min_end_us")}
    whole = {
        name: [96, 95, 96, 0] for name in ("received", "good", "measured", "estimated", "manual", "revision")
    }
    columns = Periods(
        **{name: np.array(values) for name, values in floats.items()},
        **{name: np.array(values) for name, values in (times | whole).items()},
        state=np.array([2, 1, 2, 0], np.uint8), computed_at_us=np.full(4, 99), is_done=np.ones(4, np.uint8),
    )  # fmt: skip
    columns = columns._replace(**{name: np.array(values) for name, values in changes.items()})
    starts = np.array([[0, DAY_US]])
    units = [FigureUnits("kWh", "kW", "power_integral"), FigureUnits(None, "V", "time_mean")]
    return PeriodColumns(
        "day", np.array([1, 2]), 2, starts, starts + DAY_US, np.zeros(2, np.int64), np.array([0, 1]), units,
        np.full(4, 96), columns,
    )  # fmt: skip


def rollups(found: PeriodColumns | None = None, names: tuple[str, str] = ("e", "f"), **query: str) -> Rollups:
    params = Params(MultiDict(query))
    fields = rollup_table.chosen_fields(params)
    billed = Billed(found or answer(), None, None)
    return rollup_table.arrange(billed, names, fields, SampleForm.of(params))


def rows(**query: str) -> list[dict[str, Any]]:
    made = rollups(**query)
    decoded: list[dict[str, Any]] = msgspec.json.decode(
        b"[" + RowWriter(made).rows(0, made.row_count)[:-1] + b"]"
    )
    return decoded


def test_only_the_fields_asked_for_are_told() -> None:
    assert rows(fields="energy,state")[1] == {
        "point": "e", "period_start": "1970-01-02T00:00:00Z", "energy": 2.5, "state": "provisional",
    }  # fmt: skip
    assert rollup_table.wanted_columns(["point", "energy", "max_time"]) == {"energy", "max_start_us"}
    with pytest.raises(Problem):
        rows(fields="energie")


def test_evidence_is_an_object_and_absent_times_are_null() -> None:
    row = rows()[3]
    assert row["coverage"] == {
        "expected": 96,
        "received": 0,
        "good": 0,
        "measured": 0,
        "estimated": 0,
        "manual": 0,
    }
    assert (row["max_time"], row["energy"], row["unit"], row["method"]) == (None, None, "", "time_mean")


def test_local_times_show_only_where_asked_for_and_there() -> None:
    told = rows(tz="Asia/Shanghai", fields="max_time")
    assert told[0]["max_time_local"] == "1970-01-01T08:00:00+08:00"
    assert "max_time_local" not in told[3]
    assert told[3]["period_start_local"] == "1970-01-02T08:00:00+08:00"


def test_a_table_is_flat() -> None:
    table = rollup_table.table_of(rollups(fields="coverage,min_time", time="epoch_ms"))
    assert [column.name for column in table.columns][:4] == [
        "point",
        "period_start",
        "min_time",
        "coverage_expected",
    ]
    assert list(table.columns[2].cells(1, 4)) == [0, 0, None]


def test_arrow_has_types_and_nulls() -> None:
    table = pa.ipc.open_stream(rollup_arrow.encode(rollups())).read_all()
    assert table.column("point").to_pylist() == ["e", "e", "f", "f"]
    assert table.column("energy").to_pylist() == [1.5, 2.5, 3.5, None]
    assert table.schema.field("max_time").type == pa.timestamp("us", tz="UTC")
    assert table.column("max_time").null_count == 1
    assert table.column("coverage_received").to_pylist() == [96, 95, 96, 0]


def etag(found: PeriodColumns, names: tuple[str, str] = ("e", "f"), how: str = "json") -> str:
    return rollup_table.digest_of(rollups(found, names), how)


def test_computing_it_again_does_not_change_the_etag() -> None:
    assert etag(answer()) == etag(answer(computed_at_us=[1, 2, 3, 4]))


@pytest.mark.parametrize(
    "change",
    [
        {"energy": [1.5, 2.5, 3.5, 0.0]},
        {"revision": [96, 95, 97, 0]},
        {"state": np.array([2, 2, 2, 0], np.uint8)},
        {"estimated": [0, 0, 0, 0]},
        {"max_start_us": [0, 1, 3, -1]},
    ],
)
def test_another_figure_or_evidence_changes_the_etag(change: dict[str, Any]) -> None:
    assert etag(answer()) != etag(answer(**change))


def test_another_name_or_form_changes_the_etag() -> None:
    assert etag(answer()) != etag(answer(), ("e", "g"))
    assert etag(answer()) != etag(answer(), how="csv")
