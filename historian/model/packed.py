"""Samples as they lie in a store: whole numbers of a decimal digit on a grid of time, nothing copied.

What cannot be told this way (other values, other times, several versions) is read as a `RunBlock`.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.sample import PointIdColumn

I64 = npt.NDArray[np.int64]

# Rows of `PackedPiece.fields`; a column is about one point.
SIZE: Final = 0  # samples; 0: the piece has none of the point
AT: Final = 1  # place of the first in `scaled`
EXPONENT: Final = 2  # value = scaled / 10^exponent
FIRST_US: Final = 3  # time of the first sample
STEP_US: Final = 4  # of the grid
SLOT: Final = 5  # number of the first sample on the grid
MISSING_AT: Final = 6  # numbers without a sample between the first and the last: a stretch of `missing_slot`
MISSING_END: Final = 7
QUALITY_AT: Final = 8  # place of the first sample's quality; -1: all have that of QUALITY
QUALITY: Final = 9
FIELD_COUNT: Final = 10


class PackedPiece(NamedTuple):
    """What one column store holds; the columns are shared and not to be written to."""

    fields: I64
    scaled: npt.NDArray[np.int32]
    missing_slot: npt.NDArray[np.uint32]
    quality: npt.NDArray[np.uint16]


class PackedBlock(NamedTuple):
    """Samples of many points: those of a point are in one or several pieces, which do not overlap in time.

    Where `is_packed` is zero a point's pieces mean nothing: it must be read another way.
    """

    point_id: PointIdColumn
    pieces: tuple[PackedPiece, ...]
    is_packed: npt.NDArray[np.uint8]
