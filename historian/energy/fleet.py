"""Load curves and day sums of many points at once: the fast way, where it says the same as `load_curve`.

Done here: means, amounts that lie within a slot each, and instants, of values that are decimals or
single-precision floats. Everything else (registers, days by the calendar, amounts across an edge) is left out of
the answer, and `load_curve.build` makes it.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import fixed_point, fleet_kernels, sample_period
from historian.energy.load_curve import LoadCurve
from historian.model import quality
from historian.model.point import DAY_US, PointKind
from historian.model.sample import SampleRun

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

FACTOR_MAX: Final = 2**31  # of a multiplier's numerator and denominator

_HELD_KINDS: Final = frozenset({PointKind.INSTANTANEOUS, PointKind.RATIO})


class Ask(NamedTuple):
    """What decides the curve of a run beside its samples."""

    kind: PointKind
    interval_us: int
    factor: float


class DaySums(NamedTuple):
    """Of each run and day: `whole` by the names of `fleet_kernels`, maximum and minimum, and whether it was done."""

    whole: I64
    extreme: F64
    is_done: npt.NDArray[np.bool_]


class _Columns(NamedTuple):
    first: I64
    time_us: I64
    scaled: I64
    quality: I64
    ask: I64
    scale: I64


def day_sums(runs: Sequence[SampleRun], asks: Sequence[Ask], day_edges_us: Sequence[I64]) -> DaySums:
    """Sums of each run over each of some consecutive days, given by the edges of their slots."""
    shape = len(runs), len(day_edges_us)
    whole = np.zeros((*shape, fleet_kernels.WHOLE_COUNT), np.int64)
    extreme, is_done = np.empty((*shape, 2)), np.zeros(shape, np.uint8)
    if runs and day_edges_us:
        edges_us = np.concatenate(day_edges_us)
        ends = np.cumsum([len(edges) for edges in day_edges_us])
        firsts = np.append(0, ends[:-1])
        columns = _columns_of(runs, asks, edges_us)
        fleet_kernels.make_figures(*columns, edges_us, firsts, ends - 1, whole, extreme, is_done)
    return DaySums(whole, extreme, is_done.astype(np.bool_))


def build(runs: Sequence[SampleRun], asks: Sequence[Ask], edges_us: I64) -> list[LoadCurve | None]:
    """The curve of each run as `load_curve.build` would make it; None where that must."""
    shape = len(runs), len(edges_us) - 1
    value, state = np.empty(shape), np.empty(shape, np.uint8)
    count, worst, covered = np.empty(shape, np.int64), np.empty(shape, np.uint16), np.empty(shape, np.int64)
    whole = np.zeros((len(runs), fleet_kernels.WHOLE_COUNT), np.int64)
    is_done = np.zeros(len(runs), np.uint8)
    if runs:
        columns = _columns_of(runs, asks, edges_us)
        fleet_kernels.make_curves(
            *columns, edges_us, quality.MISSING, value, state, count, worst, covered, whole, is_done
        )
    return [
        _curve_of(sums, value[row], state[row], count[row], worst[row], covered[row]) if done else None
        for row, (done, sums) in enumerate(zip(is_done.tolist(), whole.tolist(), strict=True))
    ]


def _curve_of(
    sums: list[int],
    value: F64,
    state: npt.NDArray[np.uint8],
    count: I64,
    worst: npt.NDArray[np.uint16],
    covered: I64,
) -> LoadCurve:
    total = Fraction(sums[fleet_kernels.TOTAL_NUMERATOR], sums[fleet_kernels.TOTAL_DENOMINATOR])
    known_us, ranked_us = sums[fleet_kernels.KNOWN_US], sums[fleet_kernels.RANKED_US]
    ranked = total
    if ranked_us != known_us:
        ranked = Fraction(sums[fleet_kernels.RANKED_NUMERATOR], sums[fleet_kernels.RANKED_DENOMINATOR])
    return LoadCurve(value, state, count, worst, covered, total, known_us, ranked, ranked_us)


def _columns_of(runs: Sequence[SampleRun], asks: Sequence[Ask], edges_us: I64) -> _Columns:
    first = np.zeros(len(runs) + 1, np.int64)
    np.cumsum([len(run.time_us) for run in runs], out=first[1:])
    time_us = np.concatenate([run.time_us for run in runs])
    value = np.concatenate([run.value for run in runs]) + 0.0  # minus zero becomes zero
    column = np.concatenate([run.quality for run in runs]).astype(np.int64)
    kinds = {ask: _row_of(ask) for ask in set(asks)}
    ask_rows = np.array([kinds[ask] for ask in asks], np.int64)
    scaled = np.empty(len(value), np.int64)
    scale = np.zeros((len(runs), fleet_kernels.SCALE_COUNT), np.int64)
    fleet_kernels.scale_runs(first, time_us, value, edges_us, ask_rows, scaled, scale)
    return _Columns(first, time_us, scaled, column, ask_rows, scale)


def _row_of(ask: Ask) -> list[int]:
    factor = fixed_point.exact(ask.factor)
    is_held = ask.kind in _HELD_KINDS
    is_by_calendar = not is_held and ask.interval_us % DAY_US == 0
    is_small = abs(factor.numerator) < FACTOR_MAX and factor.denominator < FACTOR_MAX
    row = [0] * fleet_kernels.ASK_COUNT
    row[fleet_kernels.IS_AMOUNT] = int(ask.kind in sample_period.AMOUNT_KINDS)
    row[fleet_kernels.IS_HELD] = int(is_held)
    row[fleet_kernels.INTERVAL_US] = ask.interval_us
    row[fleet_kernels.LONGEST_GAP_US] = sample_period.longest_gap_us(ask.interval_us)
    row[fleet_kernels.FACTOR_NUMERATOR] = factor.numerator if is_small else 0
    is_everyday = is_small and not is_by_calendar and ask.kind is not PointKind.REGISTER
    row[fleet_kernels.FACTOR_DENOMINATOR] = factor.denominator if is_everyday else 0
    return row
