"""Takes a body of line protocol into an intake: plain lines by kernel, others by the general reader."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from api import line_protocol
from api import line_protocol_kernels as kernels
from api.direct_body import Body
from api.intake import Intake
from api.line_key_table import LineKeyTable
from api.line_protocol import LineFault
from api.text_kernels import count_byte
from historian.catalogue import point_rule
from historian.catalogue.registry import Registry
from historian.errors import PointInvalid
from historian.model import quality as q
from historian.model import timestamp
from historian.model.point import SECOND_US, PointDraft, PointKind
from historian.model.sample import QualityColumn, SampleBatch
from historian.settings import IngestSettings

PRECISIONS: Final = ("ns", "us", "ms", "s")
SOURCE: Final = "line_protocol"

_US_PER_UNIT: Final = {"ns": (1, 1_000), "us": (1, 1), "ms": (1_000, 1), "s": (1_000_000, 1)}
_TIME_MIN: Final = -(2**63)
_TIME_MAX: Final = 2**63 - 1
_ROWS_SPARE: Final = 64
_THREAD_BYTES_MIN: Final = (
    1 << 20
)  # a kernel reads less than this in well under the 5 ms the loop may be held

_ASIDE_ROWS_MIN: Final = 500  # a row costs some microseconds
_INSERTS_AT_ONCE: Final = 200  # some twenty microseconds each

Result = TypeVar("Result")


class _Read(NamedTuple):
    """The rows of a body, one a field and in its order; `name_of` has the names the general reader found."""

    body: Body
    rows: kernels.Rows
    name_of: dict[int, str]


class _Named(NamedTuple):
    """What unknown rows mean: the name of each, and of each key as written, or why it means none."""

    name_of_row: dict[int, str]
    name_of_key: dict[tuple[bytes, bytes], str | LineFault]


class _Stamped(NamedTuple):
    """Rows as they are stored; `kept` has those whose point and time are good, `is_whole` says that all are."""

    time_us: kernels.I64
    quality: QualityColumn
    kept: kernels.Flags
    is_whole: bool


class LinePoints:
    """Knows which point every line means, and makes unknown points where the settings allow it."""

    def __init__(self, registry: Registry, settings: IngestSettings) -> None:
        self._registry = registry
        self._settings = settings
        self._keys = LineKeyTable()
        self._offset_us = np.zeros(0, np.int64)
        self._has_offset = np.zeros(0, np.bool_)
        self._offset_revision = -1
        self._fields_per_byte = 0.0  # of the body before

    async def take_lines(
        self, intake: Intake, body: Body, precision: str, now_us: int, *, may_create: bool = True
    ) -> None:
        """Put every good field into the intake, and every fault with its line; points are made where one may."""
        if len(body) < _THREAD_BYTES_MIN:
            read = self._read_rows(intake, body)
        else:
            read = await asyncio.to_thread(self._read_rows, intake, body)
        await self._resolve(intake, read, may_create=may_create)
        rows = read.rows
        stamped = self._stamp(rows, precision, now_us)
        batch = SampleBatch(rows.point_id, stamped.time_us, rows.value, stamped.quality)
        if stamped.is_whole:
            intake.add(batch, rows.line)
            return
        kept = stamped.kept
        for i in np.flatnonzero(~kept & (rows.point_id != 0)).tolist():
            detail = f"time {rows.time[i]} {precision} is outside the years 1 to 9999"
            intake.refuse("bad_time", detail, place=int(rows.line[i]))
        intake.add(batch.take(kept), rows.line[kept])

    def _read_rows(self, intake: Intake, body: Body) -> _Read:
        text = np.frombuffer(body, np.uint8)
        # Counting the fields of a body costs a fifth of reading them; bodies of one sender are alike.
        read = _Read(body, empty_rows(int(len(body) * self._fields_per_byte * 1.02) + _ROWS_SPARE), {})
        keys, seed = self._keys.keys, self._keys.seed
        at, line, row, has_room = 0, 1, 0, False
        while at < len(body):
            at, line, row = kernels.read_lines(text, at, line, row, seed, keys, read.rows)
            if at == len(body):
                break
            if not has_room:  # once, for all that is left: every field has an equals sign
                count = row + count_byte(text[at:], ord("="))
                read, has_room = read._replace(rows=_grown_rows(read.rows, row, count)), True
                continue
            read = read._replace(body=bytes(read.body))  # costs nothing where it is bytes already
            at, line, row = _read_other_line(intake, read, at, line, row)
        self._fields_per_byte = row / len(body) if row else self._fields_per_byte
        return read._replace(rows=_first_rows(read.rows, row))

    async def _resolve(self, intake: Intake, read: _Read, *, may_create: bool) -> None:
        """Give a point id to every row that has none yet, or refuse the row."""
        unknown = np.flatnonzero(read.rows.point_id == 0)
        if not len(unknown):
            return
        named = await _aside(
            len(unknown), lambda: _name_rows(intake, read, unknown.tolist(), self._settings.line_names)
        )
        wanted = sorted(set(named.name_of_row.values()))
        faults = await asyncio.to_thread(self._make_missing, wanted, may_create)
        await _aside(len(unknown), lambda: self._give_ids(intake, read.rows, named.name_of_row, faults))
        await self._remember(named.name_of_key)

    def _give_ids(
        self, intake: Intake, rows: kernels.Rows, names: dict[int, str], faults: dict[str, LineFault]
    ) -> None:
        ids = self._registry.find_ids(list(names.values()))
        for (i, name), point_id in zip(names.items(), ids.tolist(), strict=True):
            rows.point_id[i] = point_id
            if point_id == 0:
                intake.refuse(*faults[name], place=int(rows.line[i]))

    async def _remember(self, name_of_key: dict[tuple[bytes, bytes], str | LineFault]) -> None:
        """Keys whose points are there need no name next time; on the loop, because only one thread may insert."""
        keys = [(key, name) for key, name in name_of_key.items() if isinstance(name, str)]
        ids = self._registry.find_ids([name for _, name in keys]).tolist()
        for number, ((key, _), point_id) in enumerate(zip(keys, ids, strict=True), 1):
            if point_id:
                self._keys.insert(*key, point_id)
            if number % _INSERTS_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _make_missing(self, names: list[str], may_create: bool) -> dict[str, LineFault]:
        """Make the points that are not there; for those that may not be made, why. Blocks until they are on disk."""
        missing = [
            name for name, found in zip(names, self._registry.find_ids(names), strict=True) if not found
        ]
        if not (self._settings.auto_create and may_create):
            return {name: LineFault("unknown_point", f"no point is named {name!r}") for name in missing}
        faults: dict[str, LineFault] = {}
        for name in missing:
            try:
                point_rule.check_name(name)
            except PointInvalid as error:
                faults[name] = LineFault("bad_name", str(error))
        wanted = [name for name in missing if name not in faults]
        count = self._registry.count()
        room = max(0, min(self._registry.room, self._settings.auto_create_points_max - count))
        full = LineFault("points_full", f"there are {count} points; no more are made on the way")
        faults |= dict.fromkeys(wanted[room:], full)
        drafts = [self._draft(name) for name in wanted[:room]]
        if drafts:
            self._registry.create_many(drafts)
        return faults

    def _draft(self, name: str) -> PointDraft:
        return PointDraft(
            name=name,
            unit=self._settings.auto_create_unit,
            kind=PointKind.INSTANTANEOUS,
            interval_us=self._settings.auto_create_interval_s * SECOND_US,
            source=SOURCE,
        )

    def _stamp(self, rows: kernels.Rows, precision: str, now_us: int) -> _Stamped:
        """Times as they are stored; what a point's label adds is looked up once for each point and revision."""
        if self._offset_revision != self._registry.revision:
            self._offset_revision = self._registry.revision
            self._offset_us = np.zeros(len(self._registry.columns().interval_us), np.int64)
            self._has_offset = np.zeros(len(self._offset_us), np.bool_)
        count = len(rows.value)
        factor, divisor = _US_PER_UNIT[precision]
        time_us, quality, kept = (
            np.empty(count, np.int64),
            np.empty(count, np.uint16),
            np.empty(count, np.bool_),
        )
        unknown_count = 1
        while unknown_count:
            kept_count, unknown_count = kernels.stamp_rows(
                rows, count, _least_time(factor, divisor), _greatest_time(factor, divisor), factor, divisor,
                now_us, self._offset_us, self._has_offset, q.TIME_SUBSTITUTED, time_us, quality, kept,
            )  # fmt: skip
            if unknown_count:
                self._learn_offsets(rows.point_id[kept])
        return _Stamped(time_us, quality, kept, kept_count == count)

    def _learn_offsets(self, point_id: kernels.U32) -> None:
        for new_id in np.unique(point_id[~self._has_offset[point_id]]).tolist():
            self._offset_us[new_id] = self._registry.by_id(new_id).stored_time_offset_us()
            self._has_offset[new_id] = True


async def _aside(row_count: int, work: Callable[[], Result]) -> Result:
    """Row by row takes long, so that many rows are left to a thread."""
    return work() if row_count < _ASIDE_ROWS_MIN else await asyncio.to_thread(work)


def _name_rows(intake: Intake, read: _Read, unknown: list[int], line_names: str) -> _Named:
    """The name each of these rows means; a key that means none is refused."""
    named = _Named({}, {})
    for i in unknown:
        name = read.name_of.get(i) or _name_of_key(read, i, named.name_of_key)
        if line_names == "replace" and isinstance(name, str):
            name = point_rule.with_allowed_signs(name)
        if isinstance(name, LineFault):
            intake.refuse(*name, place=int(read.rows.line[i]))
        else:
            named.name_of_row[i] = name
    return named


def empty_rows(count_max: int) -> kernels.Rows:
    """Room for so many fields."""
    return kernels.Rows(
        np.empty((count_max, kernels.SPAN_WIDTH), np.int64),
        np.empty(count_max, np.float64),
        np.empty(count_max, np.int64),
        np.empty(count_max, np.bool_),
        np.empty(count_max, np.int64),
        np.empty(count_max, np.uint32),
    )


def _grown_rows(rows: kernels.Rows, count: int, count_max: int) -> kernels.Rows:
    """Room for `count_max` fields, the first `count` taken over."""
    grown = empty_rows(max(count_max, len(rows.value)))
    old, new = _columns_of(rows), _columns_of(grown)
    for before, after in zip(old, new, strict=True):
        after[:count] = before[:count]
    return grown


def _columns_of(rows: kernels.Rows) -> list[npt.NDArray[Any]]:
    return [rows.span, rows.value, rows.time, rows.has_time, rows.line, rows.point_id]


def _first_rows(rows: kernels.Rows, count: int) -> kernels.Rows:
    return kernels.Rows(
        rows.span[:count],
        rows.value[:count],
        rows.time[:count],
        rows.has_time[:count],
        rows.line[:count],
        rows.point_id[:count],
    )


def _read_other_line(intake: Intake, read: _Read, at: int, line: int, row: int) -> tuple[int, int, int]:
    assert isinstance(read.body, bytes), "the general reader takes nothing else"
    found, rows = line_protocol.read_line(read.body, at), read.rows
    for fault in found.faults:
        if fault.code == line_protocol.TEXT:
            intake.pass_over(fault.code)
        else:
            intake.refuse(*fault, place=line)
    time = found.time or 0
    if not _TIME_MIN <= time <= _TIME_MAX:
        intake.refuse("bad_time", f"time {time} is beyond 64 bits", place=line, count=len(found.fields))
        return found.next_at, line + found.line_count, row
    for field in found.fields:
        rows.value[row] = field.value
        rows.has_time[row] = found.time is not None
        rows.time[row] = time
        rows.line[row] = line
        rows.point_id[row] = 0
        read.name_of[row] = field.name
        row += 1
    return found.next_at, line + found.line_count, row


def _name_of_key(read: _Read, row: int, known: dict[tuple[bytes, bytes], str | LineFault]) -> str | LineFault:
    series_start, series_end, key_start, key_end = read.rows.span[row].tolist()
    key = bytes(read.body[series_start:series_end]), bytes(read.body[key_start:key_end])
    name = known.get(key)
    if name is None:
        name = known[key] = line_protocol.point_name(*key)
    return name


def _least_time(factor: int, divisor: int) -> int:
    """The first time of the year 1; nanoseconds do not reach so far."""
    return timestamp.TIME_MIN_US // factor if divisor == 1 else _TIME_MIN


def _greatest_time(factor: int, divisor: int) -> int:
    return timestamp.TIME_MAX_US // factor if divisor == 1 else _TIME_MAX
