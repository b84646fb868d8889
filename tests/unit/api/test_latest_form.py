"""Newest samples as columns say the same as row by row."""

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from api import arrow_table, schemas
from api.latest_form import LatestForm
from api.routes.latest import latest_rows
from api.sample_form import SampleForm
from api.time_form import TimeForm
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.sample import LastBlock, SampleRun
from historian.query.latest import latest_of

NOW_US = 1_795_334_400_000_000
POINTS = [
    Point(id=1, name='a"b', unit="kW", kind=PointKind.MEAN_POWER, station="S1"),
    Point(id=2, name="站.P", unit="V", kind=PointKind.INSTANTANEOUS, interval_us=MINUTE_US),
    Point(id=3, name="c", unit="kW", kind=PointKind.INSTANTANEOUS),
]


def block(
    value: list[float], quality: list[int], age_us: list[int], is_found: list[bool] | None = None
) -> LastBlock:
    return LastBlock(
        np.array([True] * len(value) if is_found is None else is_found),
        NOW_US - np.array(age_us),
        np.array(value),
        np.array(quality, np.uint16),
    )


def by_rows(found: LastBlock, form: SampleForm) -> bytes:
    """What the general way writes."""
    latest = [
        latest_of(point, SampleRun(point.id, time[:known], value[:known], quality[:known]), NOW_US)
        for point, known, time, value, quality in zip(
            POINTS,
            found.is_found.tolist(),
            found.time_us.reshape(-1, 1),
            found.value.reshape(-1, 1),
            found.quality.reshape(-1, 1),
            strict=True,
        )
    ]
    return msgspec.json.encode(latest_rows(POINTS, [point.unit for point in POINTS], latest, form))


@pytest.mark.parametrize("is_epoch_ms", [False, True])
@pytest.mark.parametrize(
    "found",
    [
        block([1.5, -2.25, 0.0], [0, 1, 2], [0, 60_000_000, 900_000_001]),
        block([1e6, 0.001, 123.456], [3, 0b11111, 4], [1, 30 * 60_000_000, 30 * 60_000_000 + 1]),
        block([1.0, 2.0, 3.0], [0b101, 0b1000, 0b10000], [-5, 2 * 60_000_000, 2 * 60_000_000 + 1]),
        block([1.0, 2.0, 3.0], [0, 0, 0], [45 * 60_000_000, 0, 10**15], [True, False, True]),
        block([1.0, 2.0, 3.0], [0, 0, 0], [0, 0, 0], [False, False, False]),
    ],
    ids=["everyday", "qualities", "ages", "one missing", "none"],
)
def test_rows_are_as_the_general_way_writes_them(found: LastBlock, is_epoch_ms: bool) -> None:
    form = SampleForm(TimeForm(is_epoch_ms, None), "", False)
    rows = LatestForm(POINTS).encode_rows(found, NOW_US, is_epoch_ms)
    assert rows is not None
    written = msgspec.json.decode(rows)
    assert written == msgspec.json.decode(by_rows(found, form))
    msgspec.convert(written, list[schemas.LatestRow])


@pytest.mark.parametrize("value", [-0.0, 1 / 3, 1e300])
def test_a_number_that_needs_care_is_left_to_the_general_way(value: float) -> None:
    found = block([1.0, value, 2.0], [0, 0, 0], [0, 0, 0])
    assert LatestForm(POINTS).encode_rows(found, NOW_US, False) is None


def test_nobody_has_no_rows() -> None:
    assert LatestForm([]).encode_rows(block([], [], []), NOW_US, False) == b"[]"


def test_arrow_has_times_numbers_and_bits() -> None:
    found = block([1.5, 2.5, 3.5], [5, 0, 0], [60_000_000, 0, 10**12], [True, False, True])
    form = SampleForm(TimeForm(False, None), "", False)
    table = pa.ipc.open_stream(
        arrow_table.encode(LatestForm(POINTS).table_of(found, NOW_US, form))
    ).read_all()
    assert table["point"].to_pylist() == ['a"b', "站.P", "c"]
    assert table["station"].to_pylist() == ["S1", "", ""]
    assert table["unit"].to_pylist() == ["kW", "V", "kW"]
    assert table["time"].cast(pa.int64()).to_pylist() == [NOW_US - 60_000_000, None, NOW_US - 10**12]
    assert table["value"].to_pylist() == [1.5, None, 3.5]
    assert table["quality"].to_pylist() == [5, 3, 0]
    assert table["age_s"].to_pylist() == [60.0, None, 1e6]
    assert table["is_stale"].to_pylist() == [False, True, True]


def test_arrow_converts_units_where_asked() -> None:
    found = block([1500.0, 2500.0], [0, 0], [0, 0])
    form = SampleForm(TimeForm(False, None), "MW", False)
    points = [POINTS[0], POINTS[2]]
    table = pa.ipc.open_stream(
        arrow_table.encode(LatestForm(points).table_of(found, NOW_US, form))
    ).read_all()
    assert (table["unit"].to_pylist(), table["value"].to_pylist()) == (["MW", "MW"], [1.5, 2.5])


@pytest.mark.parametrize("age_us", [[0, 60_000_000, 10**12], [-5, 30 * 60_000_000, 31 * 60_000_000]])
def test_joined_columns_are_the_stream_that_pyarrow_writes(age_us: list[int]) -> None:
    found, latest = block([1.5, -0.0, 3.5], [5, 0, 1], age_us), LatestForm(POINTS)
    expected = arrow_table.encode(latest.table_of(found, NOW_US, SampleForm.own()))
    assert latest.encode_arrow(found, NOW_US) == latest.encode_arrow(found, NOW_US) == expected


def test_joined_columns_have_no_nulls() -> None:
    assert LatestForm(POINTS).encode_arrow(block([1.0, np.nan, 3.0], [0] * 3, [0] * 3), NOW_US) is None
    missing = block([1.0, 2.0, 3.0], [0] * 3, [0] * 3, [True, False, True])
    assert LatestForm(POINTS).encode_arrow(missing, NOW_US) is None
    assert LatestForm([]).encode_arrow(block([], [], []), NOW_US) is None
