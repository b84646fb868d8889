"""Rows in pieces are those of the whole, whatever recurs in them; `test_rollup_table` tells what they say."""

import msgspec
import numpy as np
import pytest

from api.rollup_json import RowWriter
from api.rollup_table import Rollups
from tests.unit.api.test_rollup_table import answer, rollups


def decoded(made: Rollups, *edges: int) -> list[dict[str, object]]:
    writer = RowWriter(made)
    bounds = [0, *edges, made.row_count]
    text = b"".join(writer.rows(a, b) for a, b in zip(bounds[:-1], bounds[1:], strict=True))  # noqa: RUF007
    rows: list[dict[str, object]] = msgspec.json.decode(b"[" + text[:-1] + b"]")
    return rows


@pytest.mark.parametrize(
    "query", [{}, {"tz": "Asia/Tokyo"}, {"time": "epoch_ms"}, {"fields": "energy"}], ids=str
)
def test_rows_in_pieces_are_those_of_the_whole(query: dict[str, str]) -> None:
    made = rollups(names=('a,"b', "点"), **query)
    assert decoded(made, 1) == decoded(made, 1, 2, 3) == decoded(made)
    assert [row["point"] for row in decoded(made)] == ['a,"b'] * 2 + ["点"] * 2


def test_periods_of_points_in_several_zones_do_not_recur() -> None:
    found = answer()
    hours = np.array([[0], [8]]) * 3_600_000_000
    found = found._replace(
        starts_us=found.starts_us - hours, ends_us=found.ends_us - hours, zone_of=np.array([1, 0])
    )
    rows = decoded(rollups(found, fields="energy"), 3)
    starts = ["1969-12-31T16:00:00Z", "1970-01-01T16:00:00Z", "1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z"]
    assert [row["period_start"] for row in rows] == starts
