"""Takes a body of line protocol into an intake: plain lines by kernel, others by the general reader."""

import asyncio
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from api import line_protocol
from api import line_protocol_kernels as kernels
from api.intake import Intake
from api.line_key_table import LineKeyTable
from api.line_protocol import LineFault
from historian.catalogue import point_rule
from historian.catalogue.registry import Registry
from historian.errors import PointInvalid
from historian.model import quality as q
from historian.model import timestamp
from historian.model.point import SECOND_US, PointDraft, PointKind
from historian.model.sample import SampleBatch
from historian.settings import IngestSettings

PRECISIONS: Final = ("ns", "us", "ms", "s")
SOURCE: Final = "line_protocol"

_US_PER_UNIT: Final = {"us": 1, "ms": 1_000, "s": 1_000_000}
_NS_PER_US: Final = 1_000
_TIME_MIN: Final = -(2**63)
_TIME_MAX: Final = 2**63 - 1
_THREAD_BYTES_MIN: Final = (
    1 << 20
)  # a kernel reads less than this in well under the 5 ms the loop may be held


class _Rows(NamedTuple):
    """One row a field, in the order of the body; `name_of` has the names the general reader found."""

    body: bytes
    span: kernels.I64
    value: kernels.F64
    time: kernels.I64
    has_time: kernels.Flags
    line: kernels.I64
    point_id: kernels.U32
    name_of: dict[int, str]

    def first(self, count: int) -> "_Rows":
        """The first `count` rows, as views."""
        return _Rows(
            self.body,
            self.span[:count],
            self.value[:count],
            self.time[:count],
            self.has_time[:count],
            self.line[:count],
            self.point_id[:count],
            self.name_of,
        )


class LinePoints:
    """Knows which point every line means, and makes unknown points where the settings allow it."""

    def __init__(self, registry: Registry, settings: IngestSettings) -> None:
        self._registry = registry
        self._settings = settings
        self._keys = LineKeyTable()
        self._offset_us = np.zeros(0, np.int64)
        self._has_offset = np.zeros(0, np.bool_)
        self._offset_revision = -1

    async def take_lines(self, intake: Intake, body: bytes, precision: str, now_us: int) -> None:
        """Put every good field into the intake, and every fault with its line."""
        if len(body) < _THREAD_BYTES_MIN:
            rows = self._read_rows(intake, body)
        else:
            rows = await asyncio.to_thread(self._read_rows, intake, body)
        await self._resolve(intake, rows)
        time_us, is_readable = _time_us(rows, precision, now_us)
        for i in np.flatnonzero(~is_readable & (rows.point_id != 0)).tolist():
            detail = f"time {rows.time[i]} {precision} is outside the years 1 to 9999"
            intake.refuse("bad_time", detail, place=int(rows.line[i]))
        kept = is_readable & (rows.point_id != 0)
        point_id = rows.point_id[kept]
        quality = np.where(rows.has_time[kept], q.GOOD, q.TIME_SUBSTITUTED).astype(np.uint16)
        stored_us = time_us[kept] + self._stored_offset_us(point_id)
        intake.add(SampleBatch(point_id, stored_us, rows.value[kept], quality), rows.line[kept])

    def _read_rows(self, intake: Intake, body: bytes) -> _Rows:
        rows = _empty_rows(body)
        text = np.frombuffer(body, np.uint8)
        keys = self._keys
        at, line, row = 0, 1, 0
        while at < len(body):
            at, line, row = kernels.read_lines(
                text, at, line, row, keys.seed, keys.slot_hash, keys.slot_id, keys.entry, keys.arena,
                rows.span, rows.value, rows.time, rows.has_time, rows.line, rows.point_id,
            )  # fmt: skip
            if at < len(body):
                at, line, row = _read_other_line(intake, rows, at, line, row)
        return rows.first(row)

    async def _resolve(self, intake: Intake, rows: _Rows) -> None:
        """Give a point id to every row that has none yet, or refuse the row."""
        unknown = np.flatnonzero(rows.point_id == 0).tolist()
        if not unknown:
            return
        keys: dict[tuple[bytes, bytes], str | LineFault] = {}
        names: dict[int, str] = {}
        for i in unknown:
            name = rows.name_of.get(i) or _name_of_key(rows, i, keys)
            if isinstance(name, LineFault):
                intake.refuse(*name, place=int(rows.line[i]))
            else:
                names[i] = name
        faults = await self._make_missing(sorted(set(names.values())))
        ids = self._registry.find_ids(list(names.values()))
        for (i, name), point_id in zip(names.items(), ids.tolist(), strict=True):
            rows.point_id[i] = point_id
            if point_id == 0:
                intake.refuse(*faults[name], place=int(rows.line[i]))
        for (series, field_key), name in keys.items():
            point_id = int(self._registry.find_ids([name])[0]) if isinstance(name, str) else 0
            if point_id:
                self._keys.insert(series, field_key, point_id)

    async def _make_missing(self, names: list[str]) -> dict[str, LineFault]:
        """Make the points that are not there; for those that may not be made, why."""
        missing = [
            name for name, found in zip(names, self._registry.find_ids(names), strict=True) if not found
        ]
        if not self._settings.auto_create:
            return {name: LineFault("unknown_point", f"no point is named {name!r}") for name in missing}
        faults: dict[str, LineFault] = {}
        for name in missing:
            try:
                point_rule.check_name(name)
            except PointInvalid as error:
                faults[name] = LineFault("bad_name", str(error))
        drafts = [self._draft(name) for name in missing if name not in faults]
        if drafts:
            await asyncio.to_thread(self._registry.create_many, drafts)
        return faults

    def _draft(self, name: str) -> PointDraft:
        return PointDraft(
            name=name,
            unit=self._settings.auto_create_unit,
            kind=PointKind.INSTANTANEOUS,
            interval_us=self._settings.auto_create_interval_s * SECOND_US,
            source=SOURCE,
        )

    def _stored_offset_us(self, point_id: kernels.U32) -> kernels.I64:
        """What to add to each time, as the point's label asks; looked up once for each point and revision."""
        if self._offset_revision != self._registry.revision:
            self._offset_revision = self._registry.revision
            self._offset_us = np.zeros(len(self._registry.columns().interval_us), np.int64)
            self._has_offset = np.zeros(len(self._offset_us), np.bool_)
        for new_id in np.unique(point_id[~self._has_offset[point_id]]).tolist():
            self._offset_us[new_id] = self._registry.by_id(new_id).stored_time_offset_us()
            self._has_offset[new_id] = True
        offsets: npt.NDArray[np.int64] = self._offset_us[point_id]
        return offsets


def _empty_rows(body: bytes) -> _Rows:
    field_count_max = body.count(b"=")  # every field has one
    return _Rows(
        body,
        np.empty((field_count_max, kernels.SPAN_WIDTH), np.int64),
        np.empty(field_count_max, np.float64),
        np.zeros(field_count_max, np.int64),
        np.zeros(field_count_max, np.bool_),
        np.zeros(field_count_max, np.int64),
        np.zeros(field_count_max, np.uint32),
        {},
    )


def _read_other_line(intake: Intake, rows: _Rows, at: int, line: int, row: int) -> tuple[int, int, int]:
    read = line_protocol.read_line(rows.body, at)
    for fault in read.faults:
        intake.refuse(*fault, place=line)
    time = read.time or 0
    if not _TIME_MIN <= time <= _TIME_MAX:
        intake.refuse("bad_time", f"time {time} is beyond 64 bits", place=line, count=len(read.fields))
        return read.next_at, line + read.line_count, row
    for field in read.fields:
        rows.value[row] = field.value
        rows.has_time[row] = read.time is not None
        rows.time[row] = time
        rows.line[row] = line
        rows.point_id[row] = 0
        rows.name_of[row] = field.name
        row += 1
    return read.next_at, line + read.line_count, row


def _name_of_key(rows: _Rows, row: int, known: dict[tuple[bytes, bytes], str | LineFault]) -> str | LineFault:
    series_start, series_end, key_start, key_end = rows.span[row].tolist()
    key = (rows.body[series_start:series_end], rows.body[key_start:key_end])
    name = known.get(key)
    if name is None:
        name = known[key] = line_protocol.point_name(*key)
    return name


def _time_us(rows: _Rows, precision: str, now_us: int) -> tuple[kernels.I64, kernels.Flags]:
    """Times in µs, `now_us` where there is none, and which lie within the years 1 to 9999."""
    if precision == "ns":
        time_us, is_readable = rows.time // _NS_PER_US, np.ones(len(rows.time), np.bool_)
    else:
        factor = _US_PER_UNIT[precision]
        is_readable = (rows.time >= timestamp.TIME_MIN_US // factor) & (
            rows.time <= timestamp.TIME_MAX_US // factor
        )
        time_us = np.where(is_readable, rows.time, 0) * factor
    return np.where(rows.has_time, time_us, now_us), is_readable
