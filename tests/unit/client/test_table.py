import builtins
import datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from historian.client.errors import NotInstalled, ReplyUnreadable
from historian.client.table import ArrowTable, StructTable


class Row(msgspec.Struct, frozen=True):
    time: datetime.datetime
    value: float | None


TIME = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
ROWS = [Row(TIME, 1.5), Row(TIME, None)]


def stream() -> bytes:
    table = pa.table(
        {"time": pa.array([TIME, TIME], pa.timestamp("us", "UTC")), "value": pa.array([1.5, None])}
    ).replace_schema_metadata({"unit": "kW"})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found


TABLES: list[Any] = [ArrowTable(stream(), Row, "c"), StructTable(ROWS, {"unit": "kW"}, "c")]


@pytest.mark.parametrize("table", TABLES, ids=["arrow", "structs"])
def test_every_form_tells_the_same(table: Any) -> None:
    assert list(table) == table.rows == ROWS
    assert (len(table), dict(table.about), table.next) == (2, {"unit": "kW"}, "c")
    assert table.column("value") == [1.5, None]
    frame = table.to_pandas()
    assert frame["time"].tolist() == [TIME, TIME]
    assert np.isnan(frame["value"][1])
    assert table.to_polars()["value"].to_list() == [1.5, None]


@pytest.mark.parametrize("name", ["pandas", "polars", "pyarrow"])
def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    real = builtins.__import__

    def without(module: str, *rest: Any) -> Any:
        if module.partition(".")[0] == name:
            raise ImportError(module)
        return real(module, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    form = "arrow" if name == "pyarrow" else name
    with pytest.raises(NotInstalled, match=name):
        getattr(StructTable(ROWS, {}), f"to_{form}")()


def test_what_is_no_stream_is_told() -> None:
    with pytest.raises(ReplyUnreadable, match="no Arrow stream"):
        ArrowTable(b"<html>", Row).to_arrow()
