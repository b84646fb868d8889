"""Arrow streams of one batch without nulls: pyarrow writes what stands around their columns once, the columns are joined.

The bytes are those of `arrow_table.encode_arrays`. Importing this loads pyarrow.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from api import arrow_table

_ALIGNMENT: Final = 8  # of each column in a stream
_END: Final = b"\xff\xff\xff\xff\0\0\0\0"
_SOME: Final = (("unit", ""),)
_UNITS_KEPT_MAX: Final = 64
_NAMES_KEPT_MAX: Final = 1024
_ROW_COUNTS_KEPT_MAX: Final = 256


def before_columns(names: list[str], arrays: list[Any], about: Mapping[str, str]) -> bytes:
    """Schema, dictionaries and the batch's head of a stream of such arrays, which have rows and no nulls."""
    stream = arrow_table.encode_arrays(names, arrays, about)
    return stream[: len(stream) - len(_END) - sum(_padded_bytes(array) for array in arrays)]


def joined(before: Iterable[bytes], columns: Iterable[npt.NDArray[Any]]) -> bytes:
    """The stream; columns in one piece, of the arrays' types."""
    return b"".join((*before, *_padded(columns), _END))


def encode_samples(
    name: str,
    about: Mapping[str, str],
    time_us: npt.NDArray[Any],
    value: npt.NDArray[Any],
    quality: npt.NDArray[Any],
) -> bytes | None:
    """Samples of one point: `point`, `time`, `value`, `quality`. None where there are no rows, or a value is null."""
    count = len(time_us)
    if not count or np.isnan(value).any():
        return None
    before = (_schema(tuple(about.items())), _dictionary(name), _head(count))
    return joined(before, (np.zeros(count, np.int8), *map(np.ascontiguousarray, (time_us, value, quality))))


@lru_cache(_UNITS_KEPT_MAX)
def _schema(about: tuple[tuple[str, str], ...]) -> bytes:
    text: bytes = _samples("", 1).schema.with_metadata(dict(about)).serialize().to_pybytes()
    return text


@lru_cache(_NAMES_KEPT_MAX)
def _dictionary(name: str) -> bytes:
    batch = _samples(name, 1)
    before = before_columns(batch.schema.names, batch.columns, dict(_SOME))
    return before[len(_schema(_SOME)) : len(before) - len(_head(1))]


@lru_cache(_ROW_COUNTS_KEPT_MAX)
def _head(row_count: int) -> bytes:
    batch = _samples("", row_count)
    text: bytes = batch.serialize().to_pybytes()
    return text[: len(text) - sum(map(_padded_bytes, batch.columns))]


def _samples(name: str, row_count: int) -> Any:
    codes = pa.array(np.zeros(row_count, np.int8))
    arrays = {
        "point": pa.DictionaryArray.from_arrays(codes, pa.array([name], pa.string())),
        "time": pa.array(np.zeros(row_count, np.int64)).view(pa.timestamp("us", tz="UTC")),
        "value": pa.array(np.zeros(row_count)),
        "quality": pa.array(np.zeros(row_count, np.uint16)),
    }
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))


def _padded_bytes(array: Any) -> int:
    """What an array without nulls takes in a stream."""
    width = array.type.index_type.bit_width if pa.types.is_dictionary(array.type) else array.type.bit_width
    word_bits = 8 * _ALIGNMENT
    return (len(array) * int(width) + word_bits - 1) // word_bits * _ALIGNMENT


def _padded(columns: Iterable[npt.NDArray[Any]]) -> Iterator[Any]:
    for column in columns:
        yield column
        yield bytes(-column.nbytes % _ALIGNMENT)
