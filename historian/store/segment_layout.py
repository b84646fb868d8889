"""Names and codes inside a segment file. The format is drawn in docs/format/segment.md.

    /index/…        one entry a run (one point): where its columns lie and what they hold
    /values/<kind>  scaled integers (attribute `scale_divisor`) or float64, each run in one piece
    /time_us        explicit times of irregular runs
    /missing_slot   slots without a sample, of regular runs with gaps
    /quality        quality of runs where it varies
    /sequence       versions of runs where they vary without belonging to scans
    /scan/…         versions of samples that arrived as scans
    /superseded/…   versions that a newer one replaced
    /batches/…      sequence → time of arrival and origin

Codes are append-only.
"""

from typing import Any, Final

import numpy as np

FORMAT_NAME: Final = "historian-segment"
FORMAT_VERSION: Final = 2
TIME_UNITS: Final = "microseconds since 1970-01-01T00:00:00Z"

CODING_SAMPLES: Final = 32768  # differences restart here, and so does the HDF5 chunk: each decodes alone

KIND_I32: Final = 0  # + exponent
KIND_I64: Final = 16  # + exponent
KIND_F64: Final = 255
CONSTANT: Final = -1  # in *_offset: the run has one value for all its samples, kept in the index
SCANNED: Final = -2  # in sequence_offset: the scan table has the sequences

INDEX_COLUMNS: Final[dict[str, type[np.generic]]] = {
    "point_id": np.uint32,
    "sample_count": np.uint32,
    "first_time_us": np.int64,
    "last_time_us": np.int64,
    "step_us": np.int64,  # 0: times are explicit
    "missing_count": np.uint32,
    "time_offset": np.int64,  # into time_us or missing_slot
    "value_kind": np.uint8,
    "value_offset": np.int64,
    "value_min": np.int64,  # as stored
    "value_max": np.int64,
    "quality_offset": np.int64,
    "quality": np.uint16,
    "sequence_offset": np.int64,
    "sequence": np.int64,
}
INDEX_COLUMNS_1: Final = {**INDEX_COLUMNS, "value_min": np.float64, "value_max": np.float64}

SCAN_COLUMNS: Final[dict[str, type[np.generic]]] = {
    "time_us": np.int64,
    "first_run": np.uint32,
    "sequence": np.int64,
}
BATCH_COLUMNS: Final[dict[str, type[np.generic]]] = {
    "sequence": np.int64,
    "arrival_time_us": np.int64,
    "source": np.uint32,
}
SAMPLE_COLUMNS: Final[dict[str, type[np.generic]]] = {
    "time_us": np.int64,
    "missing_slot": np.uint32,
    "quality": np.uint16,
    "sequence": np.int64,
}


def values_name(kind: int) -> str:
    """Data set of a value kind: ``i32_e3`` holds thousandths in int32."""
    if kind == KIND_F64:
        return "f64"
    return f"i64_e{kind - KIND_I64}" if kind >= KIND_I64 else f"i32_e{kind}"


def values_kind(name: str) -> int:
    """The inverse of `values_name`. Raises ValueError for another name."""
    if name == "f64":
        return KIND_F64
    width, _, exponent = name.partition("_e")
    if width not in ("i32", "i64"):
        raise ValueError(f"no kind of values is called {name!r}")
    return int(exponent) + (KIND_I64 if width == "i64" else KIND_I32)


def values_dtype(kind: int) -> type[np.generic]:
    """Type of the stored numbers of a value kind."""
    if kind == KIND_F64:
        return np.float64
    return np.int64 if kind >= KIND_I64 else np.int32


def scale_divisor(kind: int) -> int:
    """Value = stored / divisor, correctly rounded: exact where a product with 10⁻ᵏ is not."""
    return 1 if kind == KIND_F64 else 10 ** (kind - KIND_I64 if kind >= KIND_I64 else kind)


def is_coded(dtype: Any) -> bool:
    """Whether data sets of that type hold zigzag differences."""
    return np.dtype(dtype).kind in "iu"
