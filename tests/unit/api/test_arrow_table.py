"""Tables as Arrow: types from the columns that have one, from their cells otherwise."""

import zoneinfo
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from api import arrow_table, formats
from api.formats import Table

T = 1_795_000_000_000_000


def read(text: bytes) -> Any:
    return pa.ipc.open_stream(text).read_all()


def test_typed_columns_keep_their_types() -> None:
    time_us = np.array([T, T + 1])
    found = read(
        arrow_table.encode(
            Table(
                (
                    formats.times("time", time_us, is_epoch_ms=True),
                    formats.times("time_local", time_us, zone=zoneinfo.ZoneInfo("Asia/Shanghai")),
                    formats.values("value", np.array([1.5, np.nan])),
                    formats.words("quality", np.array([1, 0], np.uint16), ("good", "bad")),
                    formats.numbers("count", np.array([3, 4], np.uint16)),
                ),
                2,
                {"unit": "kW"},
            )
        )
    )
    assert [str(field.type) for field in found.schema] == [
        "timestamp[us, tz=UTC]",
        "timestamp[us, tz=Asia/Shanghai]",
        "double",
        "dictionary<values=string, indices=int8, ordered=0>",
        "uint16",
    ]
    assert found["time"].cast(pa.int64()).to_pylist() == time_us.tolist()
    assert found["value"].to_pylist() == [1.5, None]
    assert found["quality"].to_pylist() == ["bad", "good"]
    assert found.schema.metadata == {b"unit": b"kW"}


def test_other_columns_have_the_type_of_their_cells() -> None:
    columns = (
        formats.constant("name", "x"),
        formats.listed("share", [0.5, None]),
        formats.listed("mixed", ["good", {"bits": 1}]),
    )
    found = read(arrow_table.encode(Table(columns, 2)))
    assert found.to_pylist() == [
        {"name": "x", "share": 0.5, "mixed": '"good"'},
        {"name": "x", "share": None, "mixed": '{"bits":1}'},
    ]


def test_the_bytes_are_those_of_the_usual_writer() -> None:
    word = pa.DictionaryArray.from_arrays(pa.array(np.array([0, 1, 0], np.int32)), pa.array(["a", "b"]))
    arrays = [word, pa.array([1.5, None, 2.5]), pa.array([1, 2, 3])]
    names = ["word", "number", "whole"]
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_arrays(arrays, names=names)
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    assert arrow_table.encode_arrays(names, arrays, {}) == sink.getvalue().to_pybytes()


def test_a_long_column_is_read_back() -> None:
    number = np.arange(100_000.0)
    stream = arrow_table.encode_arrays(["number"], [pa.array(number)], {})
    np.testing.assert_array_equal(pa.ipc.open_stream(stream).read_all().column("number").to_numpy(), number)


@pytest.mark.parametrize(
    ("word_count", "bits"), [(1, 8), (128, 8), (129, 16), (1 << 15, 16), ((1 << 15) + 1, 32)]
)
def test_codes_are_as_narrow_as_the_words_allow(word_count: int, bits: int) -> None:
    assert np.iinfo(arrow_table.code_type(word_count)).bits == bits
    assert np.iinfo(arrow_table.code_type(word_count)).max >= word_count - 1
