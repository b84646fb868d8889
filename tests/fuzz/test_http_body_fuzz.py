"""Whatever bytes come as a body: a result or a problem, and never a fault of ours."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import csv_rows, ingest_series, json_body, json_series, line_protocol
from api.intake import Intake
from api.line_intake import LinePoints
from api.problem import Problem
from api.schemas import IngestBody, IngestSeries
from api.stored_offset import StoredOffsets
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.point import PointDraft, PointKind
from historian.settings import IngestSettings

NOW_US = 1_700_000_000_000_000
SHARED_FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

JSON_WORDS = st.sampled_from(
    [
        b'{"series":[', b'{"point":"a"', b',"times":[', b',"values":[', b',"quality":[', b"]", b"}", b",", b"1.5",
        b'"2026-11-21T00:00:00Z"', b'"2026-11-21T00:00:00"', b"1795190400000", b"null", b"true", b"NaN", b"1e999",
        b"9" * 5000, b'"good"', b'"\\ud800"', b'"\xff"', b"-0", b"[" * 2000, b'"on_conflict":"keep"', b"{}",
    ]
)  # fmt: skip
CSV_WORDS = st.sampled_from(
    [b"point,time,value\n", b"a", b",", b"\n", b"\r", b'"', b"1.5", b"0", b"nan", b"\x00", b"\xff", b"\xef\xbb\xbf",
     b"2026-11-21T00:00:00+08:00", b"1e400", b"9" * 400, b" ", b";"]
)  # fmt: skip
LINE_WORDS = st.sampled_from(
    [b"m", b"m,t=a", b" ", b"x=1", b"x=", b"=", b",", b"\\", b'"', b"\n", b"\r", b"\t", b"#", b"1514765700000",
     b"i", b"u", b"t", b"1e5", b"-", b".", b"9" * 25, b"\xff", b"nan", b"\x00", "站".encode()]
)  # fmt: skip


def bodies(words: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Random bytes, and words of the format in a random order."""
    return st.binary(max_size=200) | st.lists(words, max_size=30).map(b"".join)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "points.db", ManualClock(), "UTC")
    registry.create(PointDraft(name="a", unit="kW", kind=PointKind.INSTANTANEOUS))
    yield registry
    registry.close()


@SHARED_FIXTURE
@given(body=bodies(JSON_WORDS))
def test_any_json_body_gives_samples_or_a_problem(registry: Registry, body: bytes) -> None:
    try:
        asked = json_body.decode(body, IngestBody)
    except Problem:
        assert json_series.read_columns(body) is None
        return
    intake = Intake("index")
    columns = json_series.read_columns(body)
    if columns is None:
        ingest_series.take_series(intake, asked.series, registry)
    else:
        ingest_series.take_columns(intake, columns, registry, StoredOffsets(registry))
    given_count = sum(max(len(entry.times), len(entry.values)) for entry in asked.series)
    assert intake.sample_count + intake.rejected_count == given_count


@SHARED_FIXTURE
@given(entries=st.lists(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.integers(4290, 4310).map(lambda power: 10**power),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
), max_size=8))  # fmt: skip
def test_any_elements_are_samples_or_rejects(registry: Registry, entries: list[object]) -> None:
    intake = Intake("index")
    columns = IngestSeries("a", entries, entries, entries)
    ingest_series.take_series(intake, [columns], registry)
    assert intake.sample_count + intake.rejected_count == len(entries)


@SHARED_FIXTURE
@given(
    body=bodies(CSV_WORDS),
    header=st.sampled_from([b"", b"point,time,value\n", b"point,time,value,quality\n"]),
)
def test_any_csv_body_gives_samples_or_a_problem(registry: Registry, body: bytes, header: bytes) -> None:
    intake = Intake("line")
    try:
        csv_rows.take_rows(intake, header + body, registry)
    except Problem:
        return
    assert intake.sample_count + intake.rejected_count <= (header + body).count(b"\n") + body.count(b"\r") + 1
    assert all(reject.line is not None for reject in intake.rejects)


@SHARED_FIXTURE
@given(body=bodies(LINE_WORDS), precision=st.sampled_from(["ns", "us", "ms", "s"]))
async def test_any_lines_give_samples_or_faults(registry: Registry, body: bytes, precision: str) -> None:
    intake = Intake("line")
    await LinePoints(registry, IngestSettings()).take_lines(intake, body, precision, NOW_US)
    assert intake.sample_count <= body.count(b"=")
    assert all(reject.line is not None for reject in intake.rejects)


@given(body=bodies(LINE_WORDS))
def test_the_general_reader_always_gets_on(body: bytes) -> None:
    at, line = 0, 1
    while at < len(body):
        read = line_protocol.read_line(body, at)
        assert read.next_at > at
        at, line = read.next_at, line + read.line_count
    assert line <= body.count(b"\n") + 2
