"""The kernel reads plain lines exactly as the general reader, and stops before any other."""

import numpy as np
import pytest

from api import line_intake, line_protocol
from api import line_protocol_kernels as kernels
from api.line_key_table import LineKeyTable


def read(
    text: bytes, table: LineKeyTable | None = None
) -> tuple[int, int, list[tuple[float, int, bool, int]]]:
    """Where it stopped, the line there, and value, time, has time and line of each field."""
    at, at_line, rows = read_rows(text, table or LineKeyTable())
    columns = (rows.value, rows.time, rows.has_time, rows.line)
    return at, at_line, list(zip(*(column.tolist() for column in columns), strict=True))


def read_rows(text: bytes, table: LineKeyTable) -> tuple[int, int, kernels.Rows]:
    rows = line_intake.empty_rows(text.count(b"="))
    at, at_line, row = kernels.read_lines(
        np.frombuffer(text, np.uint8), 0, 1, 0, table.seed, table.keys, rows
    )
    return at, at_line, kernels.Rows(*(column[:row] for column in rows))


EXPECTED = [f"fleet,meter=m{number:05d} kw={number}.25 1790813700000000" for number in range(30)]


def scan_with(**changed: str) -> bytes:
    """The scan, some lines of it replaced, by their number."""
    lines = {f"_{number}": line for number, line in enumerate(EXPECTED)} | changed
    return ("\n".join(lines.values()) + "\n").encode()


@pytest.mark.parametrize(
    "body",
    [
        scan_with(),
        scan_with(_3="fleet,meter=m00003 kw=-7 1790813700000000"),
        scan_with(_3="fleet,meter=m00003 kw=12345678.25 1790813700000000"),
        scan_with(_3="fleet,meter=m00003 kw=1e3 1790813700000000"),
        scan_with(_3="fleet,meter=m00003 kw=3i 1790813700000000"),
        scan_with(_3="fleet,meter=m00003 kw=3.5 1790813700000001"),
        scan_with(_3="fleet,meter=m00003 kw=3.5"),
        scan_with(_3="fleet,meter=m00003 kw=3.5 1790813700000000\r"),
        scan_with(_3="fleet,meter=m00003 kw=3.5,kvar=1 1790813700000000"),
        scan_with(_3="# fleet,meter=m00003 kw=3.5 1790813700000000"),
        scan_with(_3=""),
        scan_with(_3="fleet,meter=m00004 kw=3.5 1790813700000000"),
        scan_with(_3="fleet,meter=m0000x kw=3.5 1790813700000000"),
        scan_with(_3="fleet,meter=m00003 kw= 1790813700000000"),
        scan_with(_3="fleet,meter=m00003 kw=3.5x 1790813700000000"),
        *(scan_with()[:-cut] for cut in range(1, 48)),
    ],
)
def test_a_scan_that_was_expected_is_read_as_one_that_was_not(body: bytes) -> None:
    table = LineKeyTable()
    for number in range(len(EXPECTED)):
        table.insert(b"fleet,meter=m%05d" % number, b"kw", number + 1)
    read_rows(scan_with(), table)
    expected, fresh = read_rows(body, table), read_rows(body, LineKeyTable())
    assert expected[:2] == fresh[:2]
    for column, other in zip(expected[2][1:5], fresh[2][1:5], strict=True):
        assert column.tolist() == other.tolist()
    unread = LineKeyTable()
    for number in range(len(EXPECTED)):
        unread.insert(b"fleet,meter=m%05d" % number, b"kw", number + 1)
    assert expected[2].point_id.tolist() == read_rows(body, unread)[2].point_id.tolist()


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
        b"m x=1e61",
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


SCAN = b"".join(b"fleet,site=north m%05d=%d.5 1790812800000000\n" % (n, n) for n in range(8))


def scan_table() -> LineKeyTable:
    """Knows the keys of SCAN, in their order."""
    table = LineKeyTable()
    for number in range(8):
        table.insert(b"fleet,site=north", b"m%05d" % number, number + 1)
    return table


@pytest.mark.parametrize(
    "text",
    [
        SCAN,
        SCAN.replace(b"\n", b" \r\n"),
        SCAN.replace(b" m", b"  m"),
        SCAN.replace(b" 1790812800000000", b""),
        SCAN.replace(b"m00003", b"m00009"),
        SCAN.replace(b"m00003=3.5", b"m00003=3.5,m00001=7"),
        SCAN.replace(b"fleet", b"field", 4),
        b"".join(reversed(SCAN.splitlines(keepends=True))),
        SCAN.replace(b"4.5 1790812800000000", b"4.5 1790812800000001"),
        SCAN.replace(b"\nfleet", b"\n# fleet", 3),
    ],
    ids=["same", "ends", "spaces", "untimed", "other_key", "two_fields", "other_series", "reversed", "time", "comment"],
)  # fmt: skip
def test_what_is_expected_is_never_taken_for_what_is_there(text: bytes) -> None:
    table = scan_table()
    read_rows(SCAN, table)
    expecting, fresh = read_rows(text, table), read_rows(text, scan_table())
    assert expecting[:2] == fresh[:2] == (len(text), text.count(b"\n") + 1)
    for name in ("value", "time", "has_time", "line", "point_id"):
        assert getattr(expecting[2], name).tolist() == getattr(fresh[2], name).tolist()


def test_a_scan_that_repeats_is_read_without_hashing() -> None:
    table = scan_table()
    read_rows(SCAN, table)
    assert table.keys.following[:8].tolist() == list(range(1, 9))
    table.keys.slot_entry[:] = 0
    _, _, rows = read_rows(SCAN + b" " * 40, table)
    assert rows.point_id.tolist() == list(range(1, 9))


def test_a_field_expected_behind_another_series_is_not_taken() -> None:
    table = LineKeyTable()
    for point_id, (series, key) in enumerate([(b"a", b"x"), (b"a", b"y"), (b"b", b"y")], 1):
        table.insert(series, key, point_id)
    read_rows(b"a x=1,y=2 5" + b" " * 40, table)
    _, _, rows = read_rows(b"a x=1 5\nb new=1,y=2 5" + b" " * 40, table)
    assert rows.point_id.tolist() == [1, 0, 3]
