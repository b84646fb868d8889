"""Names and codes inside a segment file. The format is drawn in docs/format/segment.md.

    /index/…        one entry a run (one point): where its columns lie and what they hold
    /values/<kind>  scaled integers (attribute `scale_divisor`) or float64, runs one after the other
    /time_us        explicit times of irregular runs
    /missing_slot   slots without a sample, of regular runs with gaps
    /quality        quality of runs where it varies
    /sequence       arrival numbers of runs where they vary
    /superseded/…   versions that a newer one replaced
    /batches/…      sequence → time of arrival and source

Codes are append-only.
"""

from typing import Final

import numpy as np

FORMAT_NAME: Final = "historian-segment"
FORMAT_VERSION: Final = 1

H5_CHUNK_SAMPLES: Final = 65536  # 256 KiB of int32: one point's day costs one chunk, a fleet's day few

KIND_I32: Final = 0  # + exponent
KIND_I64: Final = 16  # + exponent
KIND_F64: Final = 255
CONSTANT: Final = -1  # in *_offset: the run has one value for all its samples, kept in the index

INDEX_COLUMNS: Final = {
    "point_id": np.uint32,
    "sample_count": np.uint32,
    "first_time_us": np.int64,
    "last_time_us": np.int64,
    "step_us": np.int64,  # 0: times are explicit
    "missing_count": np.uint32,
    "time_offset": np.int64,  # into time_us or missing_slot
    "value_kind": np.uint8,
    "value_offset": np.int64,
    "value_min": np.float64,
    "value_max": np.float64,
    "quality_offset": np.int64,
    "quality": np.uint16,
    "sequence_offset": np.int64,
    "sequence": np.int64,
}


def values_name(kind: int) -> str:
    """Data set of a value kind: ``i32_e3`` holds thousandths in int32."""
    if kind == KIND_F64:
        return "f64"
    return f"i64_e{kind - KIND_I64}" if kind >= KIND_I64 else f"i32_e{kind}"


def values_dtype(kind: int) -> type[np.generic]:
    """Type of the stored numbers of a value kind."""
    if kind == KIND_F64:
        return np.float64
    return np.int64 if kind >= KIND_I64 else np.int32


def scale_divisor(kind: int) -> int:
    """Value = stored / divisor, correctly rounded: exact where a product with 10⁻ᵏ is not."""
    return 1 if kind == KIND_F64 else 10 ** (kind - KIND_I64 if kind >= KIND_I64 else kind)
