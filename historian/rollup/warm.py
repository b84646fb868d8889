"""Runs every kernel of curves and figures once on toy data, so that no question waits for the compiler."""

from typing import Final

import numpy as np
import numpy.typing as npt

from historian.energy import bands, digest_kernels, fleet, load_curve, packed, steady_sum, validation
from historian.energy.band_kernels import BandFigures
from historian.energy.fleet import Ask, Asked
from historian.energy.metering import Metering
from historian.energy.packed import Needs
from historian.energy.tariff import DaySchedule
from historian.energy.validation import Subject
from historian.model.packed import FIELD_COUNT, PackedBlock, PackedPiece
from historian.model.point import HOUR_US, MINUTE_US, PointKind
from historian.model.rules import Rules
from historian.model.sample import RunBlock, SampleRun, block_of
from historian.model.tariff import BANDS
from historian.rollup import (
    figure_kernels,
    fold_kernels,
    foreign_kernels,
    frames,
    mark_kernels,
    period_kernels,
)
from historian.rollup.figure_kernels import Place

_DAY: Final = 739_000


def warm_kernels() -> None:
    """One toy day of each kind, kept, compared, and asked for."""
    _warm_energy()
    _warm_cells()
    _warm_marks()


def _run_of(times: list[int], values: list[float]) -> SampleRun:
    return SampleRun(1, np.array(times, np.int64), np.array(values), np.zeros(len(times), np.uint16))


def _warm_energy() -> None:
    run = _run_of([0, 60, 120], [1.0, 2.0, 3.5])
    edges = np.array([0, 60, 120, 180], np.int64)
    for kind in PointKind:
        load_curve.build(run, Metering.plain(kind, 60), edges)
    fleet.build([run], [Ask(PointKind.MEAN_POWER, 60, 1.0)], edges)
    odd = _run_of([0, 60, 121], [1.0, 2.0, 3.5])
    steady_sum.add_up(block_of([run, run]), Asked.of([Ask(PointKind.MEAN_POWER, 60, 1.0)] * 2), edges)
    for some in (run, odd):
        for kind in (PointKind.MEAN_POWER, PointKind.REGISTER):
            fleet.day_figures(block_of([some]), Asked.of([Ask(kind, 60, 1.0)]), [edges])
    validation.check(run, Subject(Rules(), PointKind.MEAN_POWER, 60))
    _warm_packed(edges)
    _warm_bands(run, edges)
    block, one = block_of([run]), np.zeros(1, np.int64)
    digest_kernels.digest_days(
        block.offset, block.time_us, block.value.view(np.int64), block.quality, np.ones(1, np.uint8), one, one,
        edges[:2], np.zeros((1, 1), np.int64),
    )  # fmt: skip


def _warm_bands(run: SampleRun, edges: npt.NDArray[np.int64]) -> None:
    block, asked = block_of([run]), Asked.of([Ask(PointKind.MEAN_POWER, 60, 1.0)])
    figures, is_done = fleet.day_figures(block, asked, [edges])
    divided = BandFigures._make(
        [
            *(np.zeros((1, 1), np.int64) for _ in BANDS),
            figures.total_numerator,
            figures.ranked_numerator,
            figures.denominator,
        ]
    )
    day = DaySchedule(edges[[0, -1]], np.zeros(1, np.uint8))
    bands.add_bands(block, asked, [[day]], np.zeros(1, np.int64), [edges], divided, is_done)


def _warm_packed(edges: npt.NDArray[np.int64]) -> None:
    fields = np.zeros((FIELD_COUNT, 1), np.int64)
    piece = PackedPiece(fields, np.zeros(1, np.int32), np.zeros(1, np.uint32), np.zeros(1, np.uint16))
    block = PackedBlock(np.ones(1, np.uint32), (piece,), np.ones(1, np.uint8))
    asked = Asked.of([Ask(PointKind.MEAN_POWER, 60, 1.0)])
    steady_sum.add_up_packed(block, asked, edges)
    figures, _ = packed.day_figures(block, asked, [edges], 60, Needs(True, True))
    place = Place(np.zeros((1, 1), np.int32), np.zeros(1, np.int64), np.zeros(1, np.int64), _DAY >> 5)
    foreign_kernels.put_made(figures, np.zeros(1, np.int64), _DAY, place, 0, True, frames.make_cells(1))


def _warm_cells() -> None:
    block: RunBlock = block_of([_run_of([0, 15 * MINUTE_US], [1.0, 2.0])])
    edges = np.arange(0, HOUR_US + 1, 15 * MINUTE_US, dtype=np.int64)
    figures, _ = fleet.day_figures(block, Asked.of([Ask(PointKind.MEAN_POWER, 15 * MINUTE_US, 1.0)]), [edges])
    cells = frames.make_cells(1)
    place = Place(np.zeros((1, 1), np.int32), np.zeros(1, np.int64), np.zeros(1, np.int64), _DAY >> 5)
    one, day, wanted = np.ones((1, 1), np.uint8), np.array([_DAY], np.int64), np.ones(1, np.int32)
    ends, revision = edges[-1:].copy(), np.zeros((1, 1), np.uint32)
    figure_kernels.find_wrong(cells.state, cells.definition, place, _DAY, wanted, one)
    figure_kernels.mark_dirty(day, np.zeros(1, np.int64), _DAY, one)
    figure_kernels.judge(figures, one, place, day, ends, wanted, cells, one.copy(), revision)
    figure_kernels.set_state(place, day, one, 0, wanted, cells.state, cells.definition)
    rows = type(figures)(*(column[0] for column in figures))
    figure_kernels.put_rows(
        np.zeros(1, np.int32), np.zeros(1, np.int64), wanted, rows, revision[0], day, cells
    )
    _warm_periods(place)


def _warm_periods(place: Place) -> None:
    cells, one = frames.make_cells(1), np.zeros((1, 1), np.int64)
    calendar = period_kernels.Calendar(
        np.zeros(1, np.int64), np.array([[0, HOUR_US]]), _DAY, np.array([0, 1]), one, one, one, 0
    )
    floats, whole, small = np.zeros(1), np.zeros(1, np.int64), np.zeros(1, np.uint8)
    out = period_kernels.Periods(
        energy=floats, mean=floats.copy(), load_factor=floats.copy(), max_value=floats.copy(), max_start_us=whole,
        max_end_us=whole, min_value=floats.copy(), min_start_us=whole, min_end_us=whole, received=whole, good=whole,
        measured=whole, estimated=whole, manual=whole, state=small, revision=whole, computed_at_us=whole,
        is_done=small,
    )  # fmt: skip
    rows = np.zeros(1, np.int64)
    period_kernels.fold_states(place, calendar, cells, rows, out)
    period_kernels.fold_energy(place, calendar, small, cells, rows, out)
    period_kernels.fold_ratios(place, calendar, small, cells, rows, out)
    period_kernels.fold_counts(place, calendar, cells, rows, out)
    state, slot = cells.state.reshape(-1), cells.max_slot.reshape(-1)
    fold_kernels.fold_single_days(
        place, _DAY, 1, small, state, cells.total_numerator.reshape(-1), cells.denominator.reshape(-1),
        cells.known_us.reshape(-1), rows, floats,
    )  # fmt: skip
    fold_kernels.fold_extreme(
        place, rows, calendar.day_edge_us, _DAY, calendar.period_first, rows, 1.0, state, slot,
        cells.max_value.reshape(-1), rows, floats, whole, whole,
    )  # fmt: skip


def _warm_marks() -> None:
    ids, times, left = np.zeros(1, np.uint32), np.zeros(1, np.int64), np.zeros(4, np.int64)
    mark_kernels.mark_day(ids, times, 0, 1, np.ones(1, np.uint8), left)
    mark_kernels.leading_scan(ids, times)
    starts = np.array([[0, 1, 2]], np.int64)
    mark_kernels.find_days(ids, times, np.zeros(1, np.int16), times, times, starts, 1, left)
