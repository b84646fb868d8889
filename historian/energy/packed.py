"""Day figures of many points from samples where they lie: what `fleet.day_figures` says, without reading them out."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fleet, packed_kernels
from historian.energy.fleet import Asked, DayFigures
from historian.energy.packed_kernels import Sums
from historian.energy.steady_kernels import Grid
from historian.model.packed import PackedBlock
from historian.model.point import HOUR_US

I64 = npt.NDArray[np.int64]


class Needs(NamedTuple):
    """What of the figures is needed: maxima and minima; all but them beside the sums."""

    has_extremes: bool
    is_whole: bool


EVERYTHING: Final = Needs(True, True)


def day_figures(
    block: PackedBlock, asked: Asked, day_edges_us: Sequence[I64], interval_us: int, needs: Needs
) -> DayFigures:
    """Figures of each point over each of some consecutive days; what is not done, `fleet.day_figures` makes.

    All samples that may reach into the days are in the block. Points whose ask is of another interval than
    `interval_us` are not done, nor any where that is not the length of a slot.
    """
    shape = len(block.point_id), len(day_edges_us)
    figures, is_done = fleet.empty_figures(shape), np.zeros(shape, np.uint8)
    day_start_us = np.array([*(edges[0] for edges in day_edges_us), day_edges_us[-1][-1]], np.int64)
    is_aligned = not ((day_start_us - day_start_us[0]) % interval_us).any()
    if fleet.slot_us_of(day_edges_us) == interval_us and is_aligned:
        is_packed, exponent = block.is_packed.copy(), np.zeros(shape[0], np.int64)
        for piece in block.pieces:
            packed_kernels.raise_exponents(piece.fields, exponent)
        whole = (np.zeros(shape, np.int64) for _ in Sums._fields[:-1])
        sums = Sums._make([*whole, np.zeros(shape, np.uint8)])
        for piece in block.pieces:
            packed_kernels.add_piece(
                *piece, exponent, day_start_us, interval_us, needs.has_extremes, sums, is_packed
            )
        common = math.gcd(interval_us, HOUR_US)
        grid = Grid(interval_us, interval_us, interval_us // common, HOUR_US // common)
        packed_kernels.finish(
            sums, exponent, is_packed, *fleet.factors_of(asked, interval_us), day_start_us, grid, *needs, figures,
            is_done,
        )  # fmt: skip
    return DayFigures(figures, is_done.astype(np.bool_))
