"""The kernel reads plain lines exactly as the general reader, and stops before any other."""

import numpy as np
import pytest

from api import line_protocol
from api import line_protocol_kernels as kernels
from api.line_key_table import LineKeyTable


def read(text: bytes) -> tuple[int, int, list[tuple[float, int, bool, int]]]:
    """Where it stopped, the line there, and value, time, has time and line of each field."""
    table = LineKeyTable()
    count = text.count(b"=")
    span = np.zeros((count, kernels.SPAN_WIDTH), np.int64)
    value, time = np.zeros(count), np.zeros(count, np.int64)
    has_time, line = np.zeros(count, np.bool_), np.zeros(count, np.int64)
    point_id = np.zeros(count, np.uint32)
    at, at_line, row = kernels.read_lines(
        np.frombuffer(text, np.uint8), 0, 1, 0, table.seed, table.slot_hash, table.slot_id, table.entry, table.arena,
        span, value, time, has_time, line, point_id,
    )  # fmt: skip
    columns = (value[:row], time[:row], has_time[:row], line[:row])
    return at, at_line, list(zip(*(column.tolist() for column in columns), strict=True))


def test_plain_lines_are_read_to_the_end() -> None:
    text = b"# comment\n\nm,a=1 x=1.5,y=2i 7\r\n  m z=-0.25e1\n"
    assert read(text) == (len(text), 5, [(1.5, 7, True, 3), (2.0, 7, True, 3), (-2.5, 0, False, 4)])


@pytest.mark.parametrize(
    "line",
    [
        b'm s="a b" 5',
        b"m\\ n x=1",
        b"m x=true",
        b"m x=1u",
        b"m x=nan",
        b"m x=1.5.5",
        b"m x=",
        b"m x",
        b"m",
        b"m x=1,",
        b"m x=1 5 6",
        b"m x=1 5a",
        b"m x=1 -",
        b"m x=1 99999999999999999999",
        b"m x=12345678901234567890",
        b"m x=1e40",
        b"m x=1e",
        b"m x=1.5i",
        b"m x=.",
        b"m x=+1",
    ],
)
def test_it_stops_before_a_line_that_is_not_plain(line: bytes) -> None:
    at, at_line, fields = read(b"m a=1 1\n" + line + b"\nm b=2 2\n")
    assert (at, at_line) == (8, 2)
    assert fields == [(1.0, 1, True, 1)]


@pytest.mark.parametrize(
    "number",
    [
        "0",
        "-0",
        "-0i",
        "0.1",
        "1.",
        ".5",
        "351.86",
        "9007199254740992",
        "123456789.123456",
        "1e22",
        "5e-22",
        "1E+3",
    ],
)
def test_a_number_has_the_bits_of_the_general_reader(number: str) -> None:
    text = f"m x={number}".encode()
    _, _, fields = read(text)
    expected = line_protocol.read_line(text, 0).fields[0].value
    assert np.float64(fields[0][0]).tobytes() == np.float64(expected).tobytes()


def test_known_keys_get_their_point() -> None:
    table = LineKeyTable()
    table.insert(b"m,a=1", b"x", 42)
    assert table.find(b"m,a=1", b"x") == 42
    assert table.find(b"m,a=1x", b"") == 0
