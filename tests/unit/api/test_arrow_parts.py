"""A stream copied once has the bytes of one that is written the usual way."""

import numpy as np
import pyarrow as pa

from api import arrow_parts, arrow_table


def test_the_bytes_are_those_of_the_usual_writer() -> None:
    word = pa.DictionaryArray.from_arrays(pa.array(np.array([0, 1, 0], np.int32)), pa.array(["a", "b"]))
    arrays = [word, pa.array([1.5, None, 2.5]), pa.array([1, 2, 3])]
    names = ["word", "number", "whole"]
    assert arrow_parts.encode(names, arrays) == arrow_table.encode_arrays(names, arrays, {})


def test_a_long_column_is_read_back() -> None:
    number = np.arange(100_000.0)
    stream = arrow_parts.encode(["number"], [pa.array(number)])
    np.testing.assert_array_equal(pa.ipc.open_stream(stream).read_all().column("number").to_numpy(), number)
