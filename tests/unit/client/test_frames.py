import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from historian.client import frames

TIME = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
TIME_MS = 1_767_571_200_000
INDEX = pd.DatetimeIndex([TIME, TIME + datetime.timedelta(seconds=1)], name="when")
LONG = {"point": ["a", "a"], "time": INDEX, "value": [1.0, 2.0]}


def rows(samples: Any) -> list[tuple[Any, ...]]:
    prepared = frames.prepare(samples)
    columns = prepared.rows.set_column(
        1, "time", prepared.rows.column("time").cast(pa.timestamp("us", "UTC"))
    )
    return [tuple(row.values()) for row in columns.to_pylist()]


EXPECTED = [("a", TIME, 1.0), ("a", TIME + datetime.timedelta(seconds=1), 2.0)]


@pytest.mark.parametrize(
    "samples",
    [
        {"a": ([TIME, TIME_MS + 1000], [1, 2])},
        {"a": (["2026-01-05T08:00:00+08:00", "2026-01-05T00:00:01Z"], np.array([1, 2]))},
        {"a": (np.array([TIME_MS, TIME_MS + 1000]), np.array([1.0, 2.0], np.float32))},
        {"a": (np.array(["2026-01-05T00:00:00", "2026-01-05T00:00:01"], "datetime64[ms]"), [1.0, 2.0])},
        {"a": pd.Series([1.0, 2.0], INDEX)},
        pd.Series([1.0, 2.0], INDEX, name="a"),
        pd.DataFrame({"a": [1, 2]}, INDEX),
        pd.DataFrame({"a": [1, 2], "time": INDEX.tz_convert("Asia/Shanghai")}),
        pd.DataFrame(LONG),
        pl.DataFrame({"point": ["a", "a"], "time": list(INDEX), "value": [1.0, 2.0]}),
        pl.DataFrame({"time": [TIME_MS, TIME_MS + 1000], "a": [1, 2]}),
        pa.RecordBatch.from_pydict({"point": ["a", "a"], "time": pa.array(INDEX), "value": [1.0, 2.0]}),
    ],
)
def test_every_form_says_the_same(samples: Any) -> None:
    assert rows(samples) == EXPECTED


def test_quality_travels_where_there_is_one() -> None:
    found = rows({"a": ([TIME], [1.0], [33]), "b": ([TIME], [2.0])})
    assert found == [("a", TIME, 1.0, 33), ("b", TIME, 2.0, None)]
    assert rows(pa.table({"point": ["a"], "time": pa.array([TIME]), "value": [1.0], "quality": [2]})) == [
        ("a", TIME, 1.0, 2)
    ]


def test_no_value_is_no_sample_but_infinity_is_refused_by_name() -> None:
    prepared = frames.prepare({"a": ([TIME] * 4, [np.nan, 1.0, None, np.inf])})
    assert (prepared.rows.num_rows, prepared.skipped) == (2, 2)
    assert prepared.row_numbers.to_pylist() == [1, 3]


def test_parts_have_their_rows_in_order() -> None:
    prepared = frames.prepare({"a": ([TIME] * 5, [1.0, np.nan, 3.0, 4.0, 5.0])})
    parts = list(prepared.parts(3))
    assert [part.row_numbers.to_pylist() for part in parts] == [[0, 2, 3], [4]]
    assert pa.ipc.open_stream(parts[1].stream).read_all().column("value").to_pylist() == [5.0]
    assert list(frames.prepare({}).parts(3)) == []


def test_ids_stay_numbers_and_nanoseconds_stay_exact() -> None:
    table = frames.prepare(
        pa.table({"point": [7], "time": pa.array([1], pa.timestamp("ns", "UTC")), "value": [1]})
    ).rows
    assert (table.schema.field("point").type, table.schema.field("time").type.unit) == (pa.uint32(), "ns")


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (3, "int holds no samples"),
        ({"a": 3}, "a: give"),
        ({"": ([TIME], [1.0])}, "'' is no name"),
        ({"a": ([TIME], [1.0, 2.0])}, "1 times and 2 values"),
        ({"a": ([TIME], ["x"])}, "must be numbers"),
        ({"a": (["soon"], [1.0])}, "neither RFC 3339"),
        ({"a": (pa.array([1.5]), [1.0])}, "must be times with a zone"),
        (pd.Series([1.0], INDEX[:1]), "None is no name"),
        (pd.DataFrame({"a": [1.0]}), "its index has no times"),
        (pd.DataFrame({5: [1.0]}, INDEX[:1]), "the column 5"),
        (pa.table({"point": ["a"], "when": [1]}), "it has point, when"),
    ],
)
def test_what_holds_no_samples_is_told(samples: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frames.prepare(samples)
