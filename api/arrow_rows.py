"""Reads samples from an Arrow stream. Importing this loads pyarrow, so it is done only where somebody sends one.

Columns are used where they lie in the body: ids and values as they are, names through the dictionary they come with.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from api import arrow_bound, problem
from api.direct_body import Body
from api.intake import REJECTS_LISTED_MAX, Intake, Places
from api.known_names import KnownNames
from api.problem import Fault, Problem
from api.stored_offset import StoredOffsets
from historian.model.sample import PointIdColumn, QualityColumn, SampleBatch, TimeColumn, ValueColumn

EXACT_WHOLE_MAX: Final = 1 << 53  # beyond it not every whole number is a float64

_NEEDED: Final = ("point", "time", "value")
_OPTIONAL: Final = ("quality",)
_TIME_MAX_US: Final = 1 << 62  # far beyond any year; the sink refuses it, and an offset cannot make it wrap
_US_PER_UNIT: Final = {"s": 1_000_000, "ms": 1_000}

Mask = npt.NDArray[np.bool_]
_Array = Any  # a pyarrow.Array: pyarrow ships no types


class _Point(NamedTuple):
    """The ids of rows; where they are 0, `names` has the unknown one of each code in `code`."""

    point_id: PointIdColumn
    code: npt.NDArray[np.int64] | None = None
    names: list[str | None] | None = None


def take_stream(
    intake: Intake, body: Body, bytes_max: int, known: KnownNames, offsets: StoredOffsets
) -> None:
    """Put every good row into the intake, every fault with its row's number. Raises Problem for the stream itself."""
    first = 0
    try:
        for columns in _read_batches(body, bytes_max):
            _take_batch(intake, columns, _memory_of(body), known, offsets, first)
            first += len(columns["point"])
    except (arrow_bound.StreamBroken, pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _malformed(str(error)) from error


def _read_batches(body: Body, bytes_max: int) -> list[dict[str, _Array]]:
    if arrow_bound.unpacked_bytes(body) > bytes_max:
        raise Problem(
            problem.BODY_TOO_LARGE,
            f"the stream unpacks to more than {bytes_max} bytes; send it in parts",
            f"数据流解压后超过 {bytes_max} 字节；请分批发送",
        )
    reader = pa.ipc.open_stream(pa.py_buffer(body))
    _check_names(reader.schema.names)
    batches = list(reader)
    for batch in batches:
        batch.validate()
    return [dict(zip(batch.schema.names, batch.columns, strict=True)) for batch in batches]


def _take_batch(
    intake: Intake,
    columns: dict[str, _Array],
    memory: npt.NDArray[np.uint8] | None,
    known: KnownNames,
    offsets: StoredOffsets,
    first: int,
) -> None:
    row_count = len(columns["point"])
    point = _read_points(columns["point"], memory, known)
    time_us = _read_times(columns["time"], memory)
    value, inexact = _read_values(columns["value"], memory)
    quality = _read_quality(columns.get("quality"), row_count, memory)
    shift_us = offsets.of(point.point_id)
    if shift_us is not None:
        time_us = time_us + shift_us
    batch = SampleBatch(point.point_id, time_us, value, quality)
    refused = _refuse_rows(intake, columns, point, inexact, first)
    if refused is None:
        intake.add_whole(batch, lambda: Places(np.arange(first, first + row_count)))
    else:
        intake.add(batch.take(~refused), first + np.flatnonzero(~refused))


def _refuse_rows(
    intake: Intake, columns: dict[str, _Array], point: _Point, inexact: Mask | None, first: int
) -> Mask | None:
    """Which rows are no samples, told to the intake; None where all are."""
    refused: Mask | None = None
    if columns["time"].null_count:
        refused = np.asarray(columns["time"].is_null())
        intake.refuse_each("bad_time", "null is no time", first + np.flatnonzero(refused))
    if inexact is not None:
        wrong = inexact if refused is None else inexact & ~refused
        detail = f"a whole number beyond ±2^53 ({EXACT_WHOLE_MAX}) has no exact float64"
        intake.refuse_each("bad_value", detail, first + np.flatnonzero(wrong))
        refused = wrong if refused is None else refused | wrong
    if point.point_id.all():
        return refused
    unknown: Mask = point.point_id == 0
    if refused is not None:
        unknown &= ~refused
    _refuse_points(intake, point, np.flatnonzero(unknown), first)
    return unknown if refused is None else unknown | refused


def _refuse_points(intake: Intake, point: _Point, rows: npt.NDArray[np.intp], first: int) -> None:
    listed = rows[:REJECTS_LISTED_MAX].tolist()
    for row in listed:
        code = -1 if point.code is None else int(point.code[row])
        name = None if point.names is None or code < 0 else point.names[code]
        detail = "null and 0 are no points" if name is None else f"no point is named {name!r}"
        intake.refuse("unknown_point", detail, place=first + row)
    intake.refuse("unknown_point", "no such point", count=len(rows) - len(listed))


def _read_points(column: _Array, memory: npt.NDArray[np.uint8] | None, known: KnownNames) -> _Point:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column.validate(full=True)  # before anything follows its offsets
        column = column.dictionary_encode()
    if not pa.types.is_dictionary(column.type):
        return _Point(_read_ids(column, memory))
    dictionary = column.dictionary
    if not (pa.types.is_string(dictionary.type) or pa.types.is_large_string(dictionary.type)):
        raise _wrong_type("point", column.type, "a dictionary of utf8, or uint32 ids")
    indices = column.indices
    code = _numpy(indices.cast(pa.int64()).fill_null(-1) if indices.null_count else indices)
    if len(code) and (code.max() >= len(dictionary) or code.min() < -1):
        raise _malformed("a point refers to a place outside of its dictionary")
    names = known.look_up(dictionary)
    point_id = names.ids_and_none[code]  # -1, a null, is the last one
    return _Point(point_id) if point_id.all() else _Point(point_id, code.astype(np.int64), names.names)


def _read_ids(column: _Array, memory: npt.NDArray[np.uint8] | None) -> PointIdColumn:
    if column.type == pa.uint32() and not column.null_count:
        return _writable(_numpy(column), memory)
    if not pa.types.is_integer(column.type):
        raise _wrong_type("point", column.type, "a dictionary of utf8, or uint32 ids")
    try:
        return _numpy(column.fill_null(0).cast(pa.uint32())).copy()
    except pa.ArrowInvalid as error:
        raise _invalid("point", f"ids are whole numbers of 32 bits: {error}") from error


def _read_times(column: _Array, memory: npt.NDArray[np.uint8] | None) -> TimeColumn:
    if not pa.types.is_timestamp(column.type):
        raise _wrong_type("time", column.type, "a timestamp of any unit, with a zone or in UTC")
    stamp = _numpy((column.fill_null(0) if column.null_count else column).view(pa.int64()))
    unit = column.type.unit
    if unit == "us":
        return _writable(stamp, memory)
    if unit == "ns":
        return stamp // 1000
    factor = _US_PER_UNIT[unit]
    return stamp.clip(-_TIME_MAX_US // factor, _TIME_MAX_US // factor) * factor


def _read_values(column: _Array, memory: npt.NDArray[np.uint8] | None) -> tuple[ValueColumn, Mask | None]:
    """The numbers, null as NaN, which the sink refuses; and which of them float64 does not hold."""
    if pa.types.is_floating(column.type):
        if column.null_count:
            return column.cast(pa.float64()).to_numpy(zero_copy_only=False), None
        value = _numpy(column)
        return (_writable(value, memory) if value.dtype == np.float64 else value.astype(np.float64)), None
    if not pa.types.is_integer(column.type):
        raise _wrong_type("value", column.type, "float64, float32 or whole numbers")
    whole = _numpy(column.fill_null(0) if column.null_count else column)
    inexact = (whole > EXACT_WHOLE_MAX) | (whole < -EXACT_WHOLE_MAX) if whole.dtype.itemsize == 8 else None
    value = whole.astype(np.float64)
    if column.null_count:
        value[np.asarray(column.is_null())] = np.nan
    return value, inexact if inexact is not None and inexact.any() else None


def _read_quality(
    column: _Array | None, row_count: int, memory: npt.NDArray[np.uint8] | None
) -> QualityColumn:
    if column is None:
        return np.zeros(row_count, np.uint16)
    if column.type == pa.uint16() and not column.null_count:
        return _writable(_numpy(column), memory)
    if not pa.types.is_integer(column.type):
        raise _wrong_type("quality", column.type, "uint16")
    try:
        return _numpy(column.fill_null(0).cast(pa.uint16())).copy()
    except pa.ArrowInvalid as error:
        raise _invalid("quality", f"qualities are whole numbers of 16 bits: {error}") from error


def _memory_of(body: Body) -> npt.NDArray[np.uint8] | None:
    """The array in which a body was received, if it was received into one."""
    owner: Any = body.obj if isinstance(body, memoryview) else None
    return owner if isinstance(owner, np.ndarray) and owner.dtype == np.uint8 else None


def _writable(column: npt.NDArray[Any], memory: npt.NDArray[np.uint8] | None) -> npt.NDArray[Any]:
    """The same numbers as an array that kernels take: where they lie in the body's memory, without a copy.

    pyarrow's arrays are read only, which is another type for kernels. Nobody else uses this memory any more.
    """
    if memory is not None:
        address = column.ctypes.data
        at = address - memory.ctypes.data
        is_inside = at >= 0 and at + column.nbytes <= memory.nbytes
        if is_inside and address % column.itemsize == 0:
            return memory[at : at + column.nbytes].view(column.dtype)
    return column.copy()


def _numpy(column: _Array) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = column.to_numpy(zero_copy_only=True)
    return array


def _check_names(names: list[str]) -> None:
    unknown = sorted(set(names) - {*_NEEDED, *_OPTIONAL})
    missing = [name for name in _NEEDED if name not in names]
    if unknown or missing or len(set(names)) != len(names):
        have = ", ".join(names)[:200]
        raise _invalid(
            "", f"the columns are point, time, value and optionally quality, each once; there are: {have}"
        )


def _malformed(reason: str) -> Problem:
    shown = " ".join(reason.split())[:200]
    return Problem(
        problem.MALFORMED_BODY, f"the body is no Arrow stream: {shown}", f"请求体不是 Arrow 数据流：{shown}"
    )


def _wrong_type(column: str, found: object, wanted: str) -> Problem:
    return _invalid(column, f"column {column} is {str(found)[:80]}; send {wanted}")


def _invalid(column: str, detail: str) -> Problem:
    shown = " ".join(detail.split())[:300]
    return Problem(
        problem.INVALID_BODY, shown, f"Arrow 列有误：{shown}", faults=(Fault(shown, pointer=f"/{column}"),)
    )
