"""Request bodies of every way in, in the order in which samples arrive."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench import text_kernels, workload
from bench.workload import Fleet

ARROW_KIND: Final = "application/vnd.apache.arrow.stream"


def line_protocol_bodies(fleet: Fleet, samples_a_request: int) -> Iterator[bytes]:
    """Scan order, ``fleet,meter=m00001 kw=1.234 1790812800000000`` for each meter and quarter of an hour."""
    keys = [f"fleet,meter={workload.meter_tag(index)} kw=".encode() for index in range(_meters(fleet))]
    offset = np.concatenate([[0], np.cumsum([len(key) for key in keys])])
    key = np.frombuffer(b"".join(keys), np.uint8)
    row_bytes = max(map(len, keys)) + 2 * text_kernels.NUMBER_BYTES_MAX
    out = np.empty(row_bytes * _meters(fleet), np.uint8)
    pending: list[bytes] = []
    for time_us, power in zip(fleet.time_us.tolist(), fleet.power_kw, strict=True):
        present = np.flatnonzero(np.isfinite(power))
        stamp = np.frombuffer(str(time_us).encode(), np.uint8)
        length = text_kernels.write_lines(out, key, offset, present, power[present], stamp)
        pending += out[:length].tobytes().splitlines(keepends=True)
        while len(pending) >= samples_a_request:
            yield b"".join(pending[:samples_a_request])
            del pending[:samples_a_request]
    if pending:
        yield b"".join(pending)


def json_bodies(fleet: Fleet, samples_a_request: int) -> Iterator[bytes]:
    """Series order: a day of one meter after the other, as many as fit a request; columns of JSON."""
    out = np.empty(2 * workload.SLOTS_A_DAY * text_kernels.NUMBER_BYTES_MAX, np.uint8)
    series: list[bytes] = []
    count = 0
    for meter, time_us, power in _meter_days(fleet):
        middle = text_kernels.write_integers(out, 0, time_us // 1000)
        end = text_kernels.write_decimals(out, middle, power)
        times, values = out[:middle].tobytes(), out[middle:end].tobytes()
        name = workload.meter_name(meter).encode()
        series.append(b'{"point":"%b","times":[%b],"values":[%b]}' % (name, times, values))
        count += len(time_us)
        if count >= samples_a_request:
            yield b'{"series":[' + b",".join(series) + b"]}"
            series, count = [], 0
    if series:
        yield b'{"series":[' + b",".join(series) + b"]}"


def arrow_bodies(fleet: Fleet, samples_a_request: int) -> Iterator[bytes]:
    """Scan order as an Arrow stream of one batch: point ids (a fleet made first has ids from 1), times, values."""
    for point_id, time_us, value in scan_columns(fleet, samples_a_request):
        yield arrow_body(point_id, time_us, value)


def arrow_body(point_id: npt.NDArray[Any], time_us: npt.NDArray[Any], value: npt.NDArray[Any]) -> bytes:
    """Three columns as one Arrow stream."""
    import pyarrow as pa

    batch = pa.record_batch(
        {
            "point": pa.array(point_id.astype(np.uint32)),
            "time": pa.array(time_us, pa.timestamp("us", "UTC")),
            "value": pa.array(value),
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return bytes(sink.getvalue())


def scan_columns(
    fleet: Fleet, samples_a_request: int
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]]:
    """Ids from 1, times and values of what is present, in scan order and parts of that many."""
    slots_a_part = max(1, -(-samples_a_request // _meters(fleet)) * 16)
    left: list[npt.NDArray[Any]] = [np.empty(0, np.uint32), np.empty(0, np.int64), np.empty(0)]
    for first in range(0, len(fleet.time_us), slots_a_part):
        power = fleet.power_kw[first : first + slots_a_part]
        slot, meter = np.nonzero(np.isfinite(power))
        added = (meter.astype(np.uint32) + 1, fleet.time_us[first + slot], power[slot, meter])
        left = [np.concatenate(pair) for pair in zip(left, added, strict=True)]
        whole = len(left[0]) // samples_a_request * samples_a_request
        for start in range(0, whole, samples_a_request):
            yield tuple(column[start : start + samples_a_request] for column in left)  # type: ignore[misc]
        left = [column[whole:] for column in left]
    if len(left[0]):
        yield left[0], left[1], left[2]


def _meter_days(fleet: Fleet) -> Iterator[tuple[int, npt.NDArray[Any], npt.NDArray[Any]]]:
    for first in range(0, len(fleet.time_us), workload.SLOTS_A_DAY):
        rows = slice(first, first + workload.SLOTS_A_DAY)
        days = np.ascontiguousarray(fleet.power_kw[rows].T)
        for meter, power in enumerate(days):
            present = np.isfinite(power)
            yield meter, fleet.time_us[rows][present], power[present]


def _meters(fleet: Fleet) -> int:
    return fleet.power_kw.shape[1]
