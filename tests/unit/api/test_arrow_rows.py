"""Arrow streams become samples: every type that is taken, and what is told of those that are not."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from api import arrow_rows, problem
from api.direct_body import Body
from api.intake import Intake
from api.known_names import KnownNames
from api.problem import Problem
from api.stored_offset import StoredOffsets
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.point import MINUTE_US, PointDraft, PointKind, TimeLabel
from tests.unit.api.memory_store import MemoryStore

T = 1_795_000_000_000_000
UTC_US = pa.timestamp("us", "UTC")
BYTES_MAX = 1 << 20


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "points.db", ManualClock(T), "UTC")
    registry.create_many(
        [
            PointDraft(name="a", unit="kW", kind=PointKind.INSTANTANEOUS),
            PointDraft(name="b", unit="kW", kind=PointKind.MEAN_POWER, label=TimeLabel.PERIOD_END),
        ]
    )
    yield registry
    registry.close()


def stream(*batches: pa.RecordBatch, **options: Any) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batches[0].schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue()


def batch(**columns: Any) -> pa.RecordBatch:
    """Two samples of point 1 and 2, with other columns where given."""
    columns = {
        "point": pa.array([1, 2], pa.uint32()),
        "time": pa.array([T, T + 1], UTC_US),
        "value": pa.array([1.5, 2.5]),
    } | columns
    return pa.record_batch(list(columns.values()), names=list(columns))


def take(registry: Registry, body: Body) -> Intake:
    intake = Intake("index")
    arrow_rows.take_stream(intake, body, BYTES_MAX, KnownNames(registry), StoredOffsets(registry))
    return intake


async def stored(intake: Intake) -> dict[tuple[int, int], tuple[float, int]]:
    """Value and quality by point and time."""
    store = MemoryStore()
    await intake.send(store)
    return {
        (point_id, time_us): sample[:2]
        for point_id, samples in store.samples.items()
        for time_us, sample in samples.items()
    }


AS_SENT = {(1, T): (1.5, 0), (2, T + 1 - 15 * MINUTE_US): (2.5, 0)}  # point 2 is stamped at its periods' ends


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"point": pa.array(["a", "b"]).dictionary_encode()},
        {"point": pa.array(["a", "b"])},
        {"point": pa.array(["a", "b"], pa.large_string()).dictionary_encode()},
        {"point": pa.DictionaryArray.from_arrays(pa.array([2, 0], pa.uint8()), ["b", "x", "a"])},
        {"point": pa.array(["1", "2"])},
        {"point": pa.array([1, 2], pa.int64())},
        {"time": pa.array([T, T + 1], pa.timestamp("us"))},
        {"time": pa.array([T, T + 1], pa.timestamp("us", "Asia/Shanghai"))},
        {"time": pa.array([T * 1000, (T + 1) * 1000 + 999], pa.timestamp("ns"))},
        {"value": pa.array([1.5, 2.5], pa.float32())},
        {"quality": pa.array([0, None], pa.uint16())},
        {"quality": pa.array([0, 0], pa.int64())},
    ],
    ids=[
        "everyday",
        "names",
        "plain names",
        "large",
        "u8",
        "digits",
        "int64",
        "naive",
        "zone",
        "ns",
        "f32",
        "q",
        "q64",
    ],
)
async def test_every_type_that_is_taken_gives_the_same(registry: Registry, columns: dict[str, Any]) -> None:
    assert await stored(take(registry, stream(batch(**columns)))) == AS_SENT


@pytest.mark.parametrize(("unit", "factor"), [("s", 1_000_000), ("ms", 1000)])
async def test_coarser_times_are_taken(registry: Registry, unit: str, factor: int) -> None:
    time = pa.array([T // factor, 2**62], pa.timestamp(unit))
    found = await stored(take(registry, stream(batch(time=time))))
    assert (1, T) in found
    assert len(found) == 1, "the other lies beyond any year and nothing wraps round"


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
async def test_compressed_buffers_are_taken(registry: Registry, compression: str) -> None:
    assert await stored(take(registry, stream(batch(), compression=compression))) == AS_SENT


async def test_whole_numbers_are_taken_where_float64_holds_them(registry: Registry) -> None:
    intake = take(registry, stream(batch(value=pa.array([2**53, 2**53 + 1]))))
    assert [(r.code, r.index) for r in intake.rejects] == [("bad_value", 1)]
    assert await stored(intake) == {(1, T): (2.0**53, 0)}


async def test_qualities_are_taken(registry: Registry) -> None:
    found = await stored(take(registry, stream(batch(quality=pa.array([5, 65535], pa.uint16())))))
    assert sorted(quality for _, quality in found.values()) == [5, 65535]


async def test_faults_are_told_by_row_over_all_batches(registry: Registry) -> None:
    names = batch(point=pa.array(["a", "nobody"]).dictionary_encode())
    nulls = batch(
        point=pa.array([None, "a"]).dictionary_encode(),
        time=pa.array([T + 5, None], UTC_US),
    )
    intake = take(registry, stream(names, nulls))
    assert [(r.code, r.index) for r in intake.rejects] == [
        ("unknown_point", 1),
        ("bad_time", 3),
        ("unknown_point", 2),
    ]
    assert "'nobody'" in intake.rejects[0].detail
    assert await stored(intake) == {(1, T): (1.5, 0)}


async def test_what_the_sink_refuses_is_told_by_row_too(registry: Registry) -> None:
    value = pa.array([1.0, None])
    store = MemoryStore()
    reply = await take(registry, stream(batch(), batch(value=value))).send(store)
    assert [(r.code, r.index) for r in reply.rejects] == [("not_finite", 3)]


async def test_many_unknown_names_are_counted_and_the_first_listed(registry: Registry) -> None:
    count = 5000
    many = batch(
        point=pa.array([f"x{i}" for i in range(count)]).dictionary_encode(),
        time=pa.array(range(count), UTC_US),
        value=pa.array(np.zeros(count)),
    )
    reply = await take(registry, stream(many)).send(MemoryStore())
    assert (reply.rejected, len(reply.rejects), reply.rejects_omitted) == (count, 100, count - 100)


def test_columns_are_used_where_they_lie(registry: Registry) -> None:
    text = stream(batch())
    memory = np.frombuffer(bytearray(text), np.uint8)
    intake = take(registry, memory.data.toreadonly())
    sent = intake._whole_batch()
    assert np.shares_memory(sent.point_id, memory)
    assert np.shares_memory(sent.value, memory)
    assert all(column.flags.writeable for column in sent), "read-only arrays are another type for kernels"


@pytest.mark.parametrize(
    "columns",
    [
        {"point": pa.array([1.0, 2.0])},
        {"point": pa.array([-1, 2])},
        {"point": pa.array([b"a", b"b"]).dictionary_encode()},
        {"time": pa.array([1, 2])},
        {"time": pa.array(["2026-01-01T00:00:00Z"] * 2)},
        {"value": pa.array(["1", "2"])},
        {"value": pa.array([True, False])},
        {"quality": pa.array([0, 65536])},
        {"quality": pa.array(["good", "bad"])},
        {"qualty": pa.array([0, 0])},
    ],
    ids=lambda columns: " ".join(f"{name} {column.type}" for name, column in columns.items()),
)
def test_other_types_are_refused_with_the_right_one(registry: Registry, columns: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        take(registry, stream(batch(**columns)))
    assert caught.value.kind is problem.INVALID_BODY


def test_a_missing_column_is_told(registry: Registry) -> None:
    with pytest.raises(Problem, match="there are: point"):
        take(registry, stream(pa.record_batch([pa.array([1])], names=["point"])))


@pytest.mark.parametrize("body", [b"", b"ARROW1\0\0", b"point,time\n", stream(batch())[:-60]], ids=repr)
def test_what_is_no_stream_is_malformed(registry: Registry, body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        take(registry, body)
    assert caught.value.kind is problem.MALFORMED_BODY


def test_a_stream_that_would_unpack_to_too_much_is_never_unpacked(registry: Registry) -> None:
    count = BYTES_MAX
    bomb = batch(
        point=pa.array(np.ones(count, np.uint32)),
        time=pa.array(np.zeros(count, np.int64)).cast(UTC_US),
        value=pa.array(np.zeros(count)),
    )
    packed = stream(bomb, compression="zstd")
    assert len(packed) < BYTES_MAX // 100
    before = pa.total_allocated_bytes()
    with pytest.raises(Problem) as caught:
        take(registry, packed)
    assert caught.value.kind is problem.BODY_TOO_LARGE
    assert pa.total_allocated_bytes() == before
