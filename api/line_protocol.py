r"""Reads InfluxDB line protocol in every form it has; the general reader beside the kernel for plain lines.

    measurement,tag=value,tag=value field=1.5,field=2i,field=true 1514765700000000000

A backslash escapes comma, space and equals sign where they would end a part; elsewhere it is a plain
character. Only string values are quoted, and a quoted string may hold line ends. A line whose structure
is wrong is lost as a whole; a field whose value cannot be stored costs only itself.
"""

import math
import re
from typing import Final, NamedTuple

_MEASUREMENT: Final = re.compile(rb"(?:[^, \n]|(?<=\\)[, ])+")
_KEY: Final = re.compile(rb"(?:[^,= \n]|(?<=\\)[,= ])+")
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TOKEN: Final = re.compile(rb"[^, \r\n]*")
_SPACES: Final = re.compile(rb" +")
_LINE_START: Final = re.compile(rb"[ \t\r]*")
_LINE_END: Final = re.compile(rb"[ \r]*(?:\n|\Z)")
_TIME: Final = re.compile(rb"-?\d{1,19}(?=[ \r\n]|\Z)")
_FLOAT: Final = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,5})?")
_INTEGER: Final = re.compile(rb"[+-]?\d{1,20}i|\d{1,20}u")
_NOT_FINITE: Final = re.compile(rb"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_BOOLEANS: Final = {
    **dict.fromkeys((b"t", b"T", b"true", b"True", b"TRUE"), 1.0),
    **dict.fromkeys((b"f", b"F", b"false", b"False", b"FALSE"), 0.0),
}
TEXT: Final = "text_skipped"  # of a field that is a text: nothing to be stored, and no fault
_SHOWN_BYTES_MAX: Final = 40


class LineFault(NamedTuple):
    """What is wrong with a line or one of its fields."""

    code: str
    detail: str


class LineField(NamedTuple):
    """One field: the name of its point and its value."""

    name: str
    value: float


class Line(NamedTuple):
    """One line: what could be read, what is wrong, and where the next one begins.

    `time` is in the request's precision, None where the line has none. `line_count` is 1, or more where
    a quoted string holds line ends.
    """

    fields: list[LineField]
    time: int | None
    faults: list[LineFault]
    next_at: int
    line_count: int


class _Series(NamedTuple):
    """Measurement as written, and tags: key unescaped, value as written."""

    measurement: bytes
    tags: dict[bytes, bytes]


class _Broken(Exception):
    """The structure of a line is wrong at a place; it never leaves this module."""

    def __init__(self, at: int, detail: str) -> None:
        super().__init__(detail)
        self.at = at


def read_line(body: bytes, at: int) -> Line:
    """The line that begins at `at`; comments and blank lines have no fields."""
    start = _end_of(_LINE_START, body, at)
    if start == len(body) or body[start : start + 1] in (b"\n", b"#"):
        return Line([], None, [], _after_line(body, start), 1)
    faults: list[LineFault] = []
    try:
        series_end = _series_end(body, start)
        fields, fields_end = _read_fields(body, _spaces_end(body, series_end), faults)
        time, next_at = _read_time(body, fields_end)
        series = _read_series(body[start:series_end], start)
        named = [LineField(_point_name(series, key), value) for key, value in fields]
    except _Broken as broken:
        next_at = _after_line(body, max(broken.at, start))
        fault = LineFault("malformed_line", f"{broken} at byte {broken.at - at + 1} of the line")
        return Line([], None, [fault], next_at, 1 + body.count(b"\n", at, next_at - 1))
    return Line(named, time, faults, next_at, 1 + body.count(b"\n", at, next_at - 1))


def point_name(series: bytes, field_key: bytes) -> str | LineFault:
    """``measurement.tagvalue….field``, tag values in the order of their keys; or what is wrong with the series."""
    try:
        return _point_name(_read_series(series, 0), field_key)
    except _Broken as broken:
        return LineFault("malformed_line", f"{broken} at byte {broken.at + 1} of the line")


def _point_name(series: _Series, field_key: bytes) -> str:
    measurement, tags = series
    parts = [measurement, *(tags[key] for key in sorted(tags)), field_key]
    try:
        return ".".join(_unescape(part).decode() for part in parts)
    except UnicodeDecodeError:
        raise _Broken(0, "a name is not UTF-8") from None


def _read_series(series: bytes, offset: int) -> _Series:
    """`offset` is where the series stands in what faults count from."""
    measurement = _match(_MEASUREMENT, series, 0, "a measurement is missing", offset)
    at = len(measurement)
    tags: dict[bytes, bytes] = {}
    while at < len(series):
        if series[at : at + 1] != b",":
            raise _Broken(offset + at, "a tag value holds an equals sign that is not escaped")
        key = _match(_KEY, series, at + 1, "a tag key is missing", offset)
        value_at = at + 1 + len(key) + 1
        if series[value_at - 1 : value_at] != b"=":
            raise _Broken(offset + value_at - 1, f"tag {_shown(key)} has no value")
        value = _match(_KEY, series, value_at, f"tag {_shown(key)} has an empty value", offset)
        if _unescape(key) in tags:
            raise _Broken(offset + at + 1, f"tag {_shown(key)} occurs twice")
        tags[_unescape(key)] = value
        at = value_at + len(value)
    return _Series(measurement, tags)


def _series_end(body: bytes, start: int) -> int:
    at = start + len(_match(_MEASUREMENT, body, start, "a measurement is missing"))
    while body[at : at + 1] == b",":
        at += 1 + len(_match(_MEASUREMENT, body, at + 1, "a tag is missing"))
    return at


def _read_fields(body: bytes, at: int, faults: list[LineFault]) -> tuple[list[tuple[bytes, float]], int]:
    fields: list[tuple[bytes, float]] = []
    while True:
        key = _match(_KEY, body, at, "a field key is missing")
        at += len(key)
        if body[at : at + 1] != b"=":
            raise _Broken(at, f"field {_shown(key)} has no value")
        value, at = _read_value(body, at + 1, key)
        if isinstance(value, LineFault):
            faults.append(value)
        else:
            fields.append((key, value))
        if body[at : at + 1] != b",":
            return fields, at
        at += 1


def _read_value(body: bytes, at: int, key: bytes) -> tuple[float | LineFault, int]:
    if body[at : at + 1] == b'"':
        match = _STRING.match(body, at)
        if match is None:
            raise _Broken(at, f"the string of field {_shown(key)} is not closed")
        detail = f"field {_shown(key)} is a string; only numbers and booleans are stored"
        return LineFault(TEXT, detail), match.end()
    token = _TOKEN.match(body, at)
    assert token is not None, "the pattern matches the empty text too"
    return _number(token[0], key), token.end()


def _number(token: bytes, key: bytes) -> float | LineFault:
    if token in _BOOLEANS:
        return _BOOLEANS[token]
    if _INTEGER.fullmatch(token):
        whole = int(token[:-1])
        low, high = (-(2**63), 2**63) if token.endswith(b"i") else (0, 2**64)
        if low <= whole < high:
            return float(whole)
        return LineFault("bad_value", f"field {_shown(key)}: {_shown(token)} is beyond 64 bits")
    if _FLOAT.fullmatch(token):
        number = float(token)
        if math.isfinite(number):
            return number
    if _FLOAT.fullmatch(token) or _NOT_FINITE.fullmatch(token):
        return LineFault("not_finite", f"field {_shown(key)}: {_shown(token)} is not a finite number")
    return LineFault("bad_value", f"field {_shown(key)}: {_shown(token)!r} is no number, boolean or string")


def _read_time(body: bytes, at: int) -> tuple[int | None, int]:
    time: int | None = None
    spaces = _SPACES.match(body, at)
    if spaces is not None and (match := _TIME.match(body, spaces.end())) is not None:
        time, at = int(match[0]), match.end()
    end = _LINE_END.match(body, at)
    if end is None:
        raise _Broken(at, "after the fields there must be nothing or a whole number of time")
    return time, end.end()


def _spaces_end(body: bytes, at: int) -> int:
    return at + len(_match(_SPACES, body, at, "there are no fields"))


def _match(pattern: re.Pattern[bytes], text: bytes, at: int, missing: str, offset: int = 0) -> bytes:
    match = pattern.match(text, at)
    if match is None:
        raise _Broken(offset + at, missing)
    return match[0]


def _end_of(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    match = pattern.match(text, at)
    assert match is not None, "the pattern matches the empty text too"
    return match.end()


def _after_line(body: bytes, at: int) -> int:
    newline = body.find(b"\n", at)
    return len(body) if newline < 0 else newline + 1


def _unescape(text: bytes) -> bytes:
    return text.replace(b"\\,", b",").replace(b"\\ ", b" ").replace(b"\\=", b"=")


def _shown(text: bytes) -> str:
    return text[:_SHOWN_BYTES_MAX].decode(errors="replace")
