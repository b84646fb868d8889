"""Samples as callers hold them, as Arrow streams to send: series, numpy columns, pandas, polars, pyarrow.

A sample is a point, a time and a value. NaN and null are no value: such rows are left out and counted, as a frame of many
points has them wherever one point lacks a time. Times must be instants: with a zone, epoch milliseconds, or datetime64
arrays of numpy, which are UTC by numpy's definition. Others are refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from historian.client import moment
from historian.client.errors import InvalidArgument
from historian.client.table import load_pyarrow

ROWS_PER_REQUEST_MAX: Final = 250_000
"""22 bytes a row: 5.5 MB, well under what a historian takes at once by its defaults."""

Samples = Any
"""A mapping of names to (times, values[, quality]) or to pandas Series; a pandas Series named as its point; a frame of
pandas, polars or pyarrow: long (point, time, value[, quality]) or wide (time, and a column for each point)."""

_LONG: Final = ("point", "time", "value")
_NAIVE: Final = (
    "the times of {} have no zone; say which it is, for example .dt.tz_localize('Asia/Shanghai') of pandas"
    " or .dt.replace_time_zone('Asia/Shanghai') of polars"
)


class Part(NamedTuple):
    """One request's worth: the stream, and the number of each of its rows in what the caller gave."""

    stream: bytes
    row_numbers: Any  # a pyarrow int64 array


class Prepared(NamedTuple):
    """Samples ready to be sent, and how many rows had no value."""

    rows: Any  # a pyarrow.Table of point, time, value, perhaps quality
    row_numbers: Any
    skipped: int

    def parts(self, rows_max: int) -> Iterator[Part]:
        """Streams of at most `rows_max` rows each, in order."""
        for first in range(0, self.rows.num_rows, rows_max):
            rows = self.rows.slice(first, rows_max)
            yield Part(_encode(rows), self.row_numbers.slice(first, rows_max))


def prepare(samples: Samples) -> Prepared:
    """Any of the forms as one table. Raises InvalidArgument, NotInstalled."""
    pa = load_pyarrow()
    import pyarrow.compute as compute

    table = _table_of(pa, samples)
    value = table.column("value")
    is_value = compute.fill_null(compute.is_finite(value), False)
    is_infinite = compute.fill_null(compute.is_inf(value), False)
    wanted = compute.or_(is_value, is_infinite)  # an infinite value is refused by name, not dropped
    numbers = _counted(pa, table.num_rows)
    skipped = table.num_rows - (compute.sum(wanted).as_py() or 0)
    if skipped:
        table, numbers = table.filter(wanted), numbers.filter(wanted.combine_chunks())
    return Prepared(table.combine_chunks(), numbers, skipped)


def _counted(pa: Any, count: int) -> Any:
    import numpy as np

    return pa.array(np.arange(count, dtype=np.int64))


def _table_of(pa: Any, samples: Samples) -> Any:
    if isinstance(samples, pa.RecordBatch):
        samples = pa.Table.from_batches([samples])
    if isinstance(samples, pa.Table):
        return _of_frame(pa, samples, "the table")
    if isinstance(samples, Mapping):
        return _of_mapping(pa, samples)
    match type(samples).__module__.partition(".")[0], type(samples).__name__:
        case "polars", "DataFrame":
            return _of_frame(pa, samples.to_arrow(), "the frame")
        case "pandas", "DataFrame":
            return _of_frame(pa, _pandas_table(pa, samples), "the frame")
        case "pandas", "Series":
            return _of_mapping(pa, {samples.name: samples})
    raise InvalidArgument(
        f"{type(samples).__name__} holds no samples; give a mapping of series, or a frame of pandas, polars or pyarrow"
    )


def _of_frame(pa: Any, table: Any, what: str) -> Any:
    """Long where there is a column `point`, else wide."""
    names = set(table.schema.names)
    if set(_LONG) <= names:
        kept = [*_LONG, *(["quality"] if "quality" in names else [])]
        rows = table.select(kept)
        time = _instants(pa, rows.column("time"), what)
        value = _numbers(pa, rows.column("value"), what)
        point = _names(pa, rows.column("point"))
        columns = {"point": point, "time": time, "value": value}
        if "quality" in names:
            columns["quality"] = rows.column("quality").cast(pa.uint16())
        return pa.table(columns)
    if "time" not in names or len(names) < 2:
        raise InvalidArgument(
            f"{what} needs point, time and value (and quality, perhaps), or time and a column for each point;"
            f" it has {', '.join(table.schema.names)}"
        )
    time = _instants(pa, table.column("time"), what)
    return _joined(
        pa,
        {
            name: (time, _numbers(pa, table.column(name), name), None)
            for name in table.schema.names
            if name != "time"
        },
    )


def _pandas_table(pa: Any, frame: Any) -> Any:
    """A pandas frame, its index as the column `time` where it has none."""
    if "time" not in frame.columns:
        index = frame.index
        if type(index).__name__ != "DatetimeIndex":
            raise InvalidArgument("the frame has no column named time, and its index has no times")
        frame = frame.set_axis(index.rename("time"), axis=0).reset_index()
    for name in frame.columns:
        if not isinstance(name, str):
            raise InvalidArgument(f"the column {name!r} is not named by a text; a point's name is one")
    return pa.Table.from_pandas(frame, preserve_index=False)


def _of_mapping(pa: Any, series: Mapping[Any, Any]) -> Any:
    found: dict[str, tuple[Any, Any, Any]] = {}
    for name, given in series.items():
        if not isinstance(name, str) or not name:
            raise InvalidArgument(f"{name!r} is no name of a point; name the series by its point")
        found[name] = _columns_of(pa, name, given)
    return _joined(pa, found)


def _columns_of(pa: Any, name: str, given: Any) -> tuple[Any, Any, Any]:
    """Times, values and perhaps quality of one point, of equal length."""
    if type(given).__module__.partition(".")[0] == "pandas":
        times, values, quality = given.index, given, None
    elif isinstance(given, Sequence) and not isinstance(given, str) and len(given) in (2, 3):
        times, values, quality = given if len(given) == 3 else (*given, None)
    else:
        raise InvalidArgument(f"{name}: give (times, values), (times, values, quality) or a pandas Series")
    time = _instants(pa, _times_array(pa, name, times), name)
    value = _numbers(pa, _array(pa, values), name)
    bits = None if quality is None else _array(pa, quality).cast(pa.uint16())
    if not len(time) == len(value) == (len(time) if bits is None else len(bits)):
        raise InvalidArgument(f"{name}: {len(time)} times and {len(value)} values; they must be as many")
    return time, value, bits


def _times_array(pa: Any, name: str, times: Any) -> Any:
    """An Arrow array of timestamps; whole numbers are epoch milliseconds."""
    kind = getattr(getattr(times, "dtype", None), "kind", "")
    if type(times).__module__.partition(".")[0] == "numpy" and kind == "M":
        return pa.array(times).cast(pa.timestamp("ns" if "ns" in str(times.dtype) else "us", "UTC"))
    if isinstance(times, list | tuple | range):
        stamps = [moment.moment_us(name, one) for one in times]
        return pa.array(stamps, pa.int64()).cast(pa.timestamp("us", "UTC"))
    array = _array(pa, times)
    if pa.types.is_integer(array.type):
        return array.cast(pa.int64()).cast(pa.timestamp("ms", "UTC"))
    return array


def _array(pa: Any, column: Any) -> Any:
    """Whatever holds a column, as an Arrow array."""
    array = column.to_arrow() if type(column).__module__.startswith("polars") else pa.array(column)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _instants(pa: Any, times: Any, what: str) -> Any:
    """Timestamps in UTC. Raises InvalidArgument for those without zone."""
    if pa.types.is_integer(times.type):
        return times.cast(pa.int64()).cast(pa.timestamp("ms", "UTC"))
    if not pa.types.is_timestamp(times.type):
        raise InvalidArgument(
            f"the times of {what} are {times.type}; they must be times with a zone, or epoch ms"
        )
    if times.type.tz is None:
        raise InvalidArgument(_NAIVE.format(what))
    unit = "us" if times.type.unit == "s" else times.type.unit
    return times.cast(pa.timestamp(unit, "UTC"))


def _numbers(pa: Any, values: Any, what: str) -> Any:
    if not (
        pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_null(values.type)
    ):
        raise InvalidArgument(f"the values of {what} are {values.type}; they must be numbers")
    return values.cast(pa.float64())


def _names(pa: Any, names: Any) -> Any:
    """Names as a dictionary, which costs a historian least; ids as they are."""
    if pa.types.is_integer(names.type):
        return names.cast(pa.uint32())
    if pa.types.is_dictionary(names.type):
        names = names.cast(names.type.value_type)
    return names.cast(pa.string()).dictionary_encode()


def _joined(pa: Any, series: Mapping[str, tuple[Any, Any, Any]]) -> Any:
    """One table of all series, in their order."""
    import numpy as np  # pyarrow has loaded it already

    schema = pa.schema(
        [
            ("point", pa.dictionary(pa.int32(), pa.string())),
            ("time", pa.timestamp("ns", "UTC") if _has_ns(series) else pa.timestamp("us", "UTC")),
            ("value", pa.float64()),
            *([("quality", pa.uint16())] if any(bits is not None for _, _, bits in series.values()) else []),
        ]
    )
    names = pa.array(list(series), pa.string())
    tables = []
    for code, (time, value, bits) in enumerate(series.values()):
        codes = pa.array(np.full(len(time), code, np.int32))
        stamps = _whole(pa, time).cast(schema.field("time").type)
        columns = [pa.DictionaryArray.from_arrays(codes, names), stamps, _whole(pa, value)]
        if "quality" in schema.names:
            columns.append(pa.nulls(len(time), pa.uint16()) if bits is None else bits)
        tables.append(pa.Table.from_arrays(columns, schema=schema))
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _has_ns(series: Mapping[str, tuple[Any, Any, Any]]) -> bool:
    return any(time.type.unit == "ns" for time, _, _ in series.values())


def _whole(pa: Any, column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _encode(rows: Any) -> bytes:
    pa = load_pyarrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema.remove_metadata()) as writer:
        for batch in rows.to_batches():
            writer.write_batch(batch)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream
