"""The kernel for everyday bodies and the general reader are one reader."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import ingest_series, json_body, json_series, json_series_kernels
from api.intake import Intake
from api.schemas import IngestBody
from api.stored_offset import StoredOffsets
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.point import PointDraft, PointKind, TimeLabel

BLANK = st.sampled_from(["", "", "", " ", "\n", "\t \r\n"])
NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(-1e6, 1e6).map(lambda number: f"{number:.3f}"),
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(
        ["-0", "-0.0", "0", "1e5", "1E+05", "-2.5e-3", "9007199254740993", "0.30000000000000004"]
    ),
)
ODD_VALUE = st.sampled_from(
    ["null", "01", "1.", ".5", "+1", "1e", "-", "NaN", '"1"', "true", "1e400", "00", "-01", "0x1", ""]
)
TIME = st.one_of(
    st.integers(0, 253_402_300_799_999).map(str),
    st.datetimes().map(lambda time: f'"{time.isoformat()}Z"'),
    st.datetimes().map(lambda time: f'"{time:%Y-%m-%dT%H:%M:%S}+08:00"'),
)  # fmt: skip
ODD_TIME = st.sampled_from(
    ["-1", "1.5", "1e3", "012345678901", "253402300800000", "9" * 20, '"2018-01-01"', "null", '"\\u0032"']
)
NAME = st.sampled_from(["a", "b", "end", "1", "站", "nobody", "a\\u0062", "x\\n"])


EVERYDAY = st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-40)


@st.composite
def objects(draw: st.DrawFn, is_odd: bool) -> str:
    times = draw(st.lists(TIME | ODD_TIME if is_odd else TIME, max_size=5))
    count = draw(st.integers(0, 5)) if is_odd else len(times)
    values = draw(st.lists(NUMBER | ODD_VALUE if is_odd else NUMBER, min_size=count, max_size=count))
    blank, comma = draw(BLANK), draw(BLANK) + "," + draw(BLANK)
    parts = [
        f'"point"{blank}:{blank}"{draw(NAME)}"',
        f'"times":{blank}[{blank}{comma.join(times)}{blank}]',
        f'"values":[{comma.join(values)}]{blank}',
    ]
    if is_odd:
        parts += draw(
            st.lists(st.sampled_from(['"unit":"kW"', '"quality":[]', '"times":[]', '"other":1']), max_size=1)
        )
    return "{" + blank + comma.join(draw(st.permutations(parts))) + "}"


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    is_odd = draw(st.booleans())
    series = draw(st.lists(objects(is_odd), max_size=4))
    text = draw(BLANK) + '{"series":[' + (draw(BLANK) + ",").join(series) + "]}" + draw(BLANK)
    return text.encode() + (
        draw(st.sampled_from([b"", b"x", b"}", b"\x00", b" " * 40]))
        if is_odd
        else b" " * draw(st.integers(0, 40))
    )


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "points.db", ManualClock(), "UTC")
    for name in ("a", "b", "站"):
        registry.create(PointDraft(name=name, unit="kW", kind=PointKind.INSTANTANEOUS))
    registry.create(PointDraft(name="end", unit="kWh", kind=PointKind.INTERVAL, label=TimeLabel.PERIOD_END))
    yield registry
    registry.close()


def contents(intake: Intake) -> tuple[list[bytes], list[bytes], object]:
    """Samples bit for bit, where each stood, and what was refused."""
    places = [
        column.tobytes() for part in intake._parts for column in part.find_places() if column is not None
    ]
    return [column.tobytes() for column in intake._whole_batch()], places, intake.rejects


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(body=bodies())
def test_what_the_kernel_takes_it_takes_as_the_general_reader(registry: Registry, body: bytes) -> None:
    columns = json_series.read_columns(body)
    if columns is None:
        return
    quick, general = Intake("index"), Intake("index")
    ingest_series.take_columns(quick, columns, registry, StoredOffsets(registry))
    ingest_series.take_series(general, json_body.decode(body, IngestBody).series, registry)
    assert contents(quick) == contents(general)


@given(text=NUMBER | ODD_VALUE)
def test_a_number_has_the_bits_that_float_gives(text: str) -> None:
    padded = f"{text}]".encode() + b" " * 32
    value = np.zeros(1)
    at, row = json_series_kernels._read_values(np.frombuffer(padded, np.uint8), 0, 0, value)
    alone, size = json_series_kernels._read_number(np.frombuffer(text.encode(), np.uint8), 0)
    if at >= 0 and row == 1:
        assert value.tobytes() == np.float64(msgspec.json.decode(text)).tobytes()
    if size == len(text) > 0:
        assert np.float64(alone).tobytes() == np.float64(msgspec.json.decode(text)).tobytes()


@given(st.lists(st.tuples(st.integers(10**12, 2 * 10**12), EVERYDAY), max_size=5), st.booleans())
def test_what_python_writes_is_everyday(samples: list[tuple[int, float]], is_tight: bool) -> None:
    times, values = [time for time, _ in samples], [value for _, value in samples]
    body = {"series": [{"point": "a.b", "times": times, "values": values}]}
    columns = json_series.read_columns(json.dumps(body, separators=(",", ":") if is_tight else None).encode())
    assert columns is not None
    assert (columns.names, columns.counts.tolist()) == (["a.b"], [len(samples)])
    assert columns.time_us.tolist() == [1000 * time for time in times]
    assert columns.value.tolist() == values
