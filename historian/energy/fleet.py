"""Load curves and day figures of many points at once: the fast ways, where they say the same as `load_curve`.

Fastest, by `steady_kernels`: days of good decimals on the grid of their interval. Then, by `fleet_kernels`: means,
amounts that lie within a slot each, and instants, of values that are decimals or single-precision floats; and, by
`register_day_kernels`, days of registers that only rise. Everything else (days by the calendar, amounts across an
edge, what a register's `Metering` tells of these samples) is left out of the answer, and `load_curve.build` makes it.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import (
    fixed_point,
    fleet_kernels,
    metering,
    register_day_kernels,
    sample_period,
    steady_kernels,
)
from historian.energy.load_curve import LoadCurve
from historian.energy.metering import Metering
from historian.energy.register_day_kernels import Registers
from historian.energy.steady_kernels import Figures, Grid
from historian.model import quality
from historian.model.point import DAY_US, HOUR_US, PointKind
from historian.model.sample import RunBlock, SampleRun
from historian.model.timestamp import TIME_MIN_US

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

FACTOR_MAX: Final = 2**31  # of a multiplier's numerator and denominator

_NOT_ASKED: Final = [0] * fleet_kernels.ASK_COUNT
_HELD_KINDS: Final = frozenset({PointKind.INSTANTANEOUS, PointKind.RATIO})


class Ask(NamedTuple):
    """What decides the curve of a run beside its samples; `metering`, where there is more than one factor to say."""

    kind: PointKind
    interval_us: int
    factor: float
    metering: Metering | None = None

    @property
    def facts(self) -> Metering:
        """All that is known of the point."""
        return self.metering or Metering.plain(self.kind, self.interval_us, self.factor)

    @property
    def is_plain(self) -> bool:
        """Whether kind, interval and factor say everything."""
        return self.metering is None or self.metering.is_plain


class Asked(NamedTuple):
    """What each run of a block is asked: `code` indexes `asks`."""

    asks: Sequence[Ask]
    code: I64

    @classmethod
    def of(cls, asks: Sequence[Ask]) -> "Asked":
        """From one ask for each run."""
        distinct = {ask: place for place, ask in enumerate(dict.fromkeys(asks))}
        return cls(list(distinct), np.array([distinct[ask] for ask in asks], np.int64))


class DayFigures(NamedTuple):
    """Figures of each run and day, and which of them were done."""

    figures: Figures
    is_done: npt.NDArray[np.bool_]


class _Columns(NamedTuple):
    first: I64
    time_us: I64
    scaled: I64
    quality: I64
    ask: I64
    scale: I64


def day_figures(block: RunBlock, asked: Asked, day_edges_us: Sequence[I64]) -> DayFigures:
    """Figures of each run over each of some consecutive days, given by the edges of their slots."""
    shape = block.run_count, len(day_edges_us)
    figures, is_done = empty_figures(shape), np.zeros(shape, np.uint8)
    if block.run_count and day_edges_us:
        _make_steady(block, asked, day_edges_us, figures, is_done)
        is_register = np.array([ask.kind is PointKind.REGISTER for ask in asked.asks])[asked.code]
        if is_register.any():
            _make_registers(block, asked, day_edges_us, figures, is_done)
        left = np.flatnonzero(~is_done.all(axis=1) & ~is_register)
        if len(left):
            _make_left(block, asked, day_edges_us, left, figures, is_done)
    return DayFigures(figures, is_done.astype(np.bool_))


def empty_figures(shape: tuple[int, int]) -> Figures:
    """Zeros of (run, day)."""
    types: dict[str, np.dtype[Any]] = dict.fromkeys(Figures._fields, np.dtype(np.int64))
    types |= dict.fromkeys(("max_value", "min_value"), np.dtype(np.float64))
    types |= dict.fromkeys(("max_slot", "min_slot", "is_complete"), np.dtype(np.uint8))
    types |= dict.fromkeys(("received", "good", "measured", "estimated", "manual"), np.dtype(np.uint32))
    return Figures._make(np.zeros(shape, type_) for type_ in types.values())


def _make_steady(
    block: RunBlock,
    asked: Asked,
    day_edges_us: Sequence[I64],
    figures: Figures,
    is_done: npt.NDArray[np.uint8],
) -> None:
    """Runs on a grid, one interval after the other."""
    day_start_us = np.array([*(edges[0] for edges in day_edges_us), day_edges_us[-1][-1]], np.int64)
    slot_us = slot_us_of(day_edges_us)
    for interval_us in {ask.interval_us for ask in asked.asks}:
        is_aligned = slot_us % interval_us == 0 and not ((day_start_us - day_start_us[0]) % interval_us).any()
        if slot_us == 0 or not is_aligned:
            continue
        common = math.gcd(interval_us, HOUR_US)
        steady_kernels.make_figures(
            block.offset, block.time_us, block.value, block.quality,
            *factors_of(asked, interval_us), day_start_us, Grid(interval_us, slot_us, interval_us // common, HOUR_US // common), figures, is_done,
        )  # fmt: skip


def factors_of(asked: Asked, interval_us: int) -> tuple[npt.NDArray[np.uint8], I64, I64]:
    """Of each run whether it is of amounts, and its factor as a fraction; of denominator 0 where it is not steady,
    or of another interval.
    """
    wanted = np.array(
        [_row_of(ask) if ask.interval_us == interval_us else _NOT_ASKED for ask in asked.asks], np.int64
    )
    wanted[wanted[:, fleet_kernels.FACTOR_NUMERATOR] <= 0, fleet_kernels.FACTOR_DENOMINATOR] = 0
    parts = wanted[asked.code]
    return (
        parts[:, fleet_kernels.IS_AMOUNT].astype(np.uint8),
        np.ascontiguousarray(parts[:, fleet_kernels.FACTOR_NUMERATOR]),
        np.ascontiguousarray(parts[:, fleet_kernels.FACTOR_DENOMINATOR]),
    )


def slot_us_of(day_edges_us: Sequence[I64]) -> int:
    """The length of all slots, but that the last of a day may be shorter; 0 where they have none in common."""
    lengths = [np.diff(edges) for edges in day_edges_us if len(edges) > 1]
    if not lengths:
        return 0
    slot_us = int(max(one[0] for one in lengths))
    is_even = all((one[:-1] == slot_us).all() and one[-1] <= slot_us for one in lengths)
    return slot_us if is_even else 0


def _make_registers(
    block: RunBlock,
    asked: Asked,
    day_edges_us: Sequence[I64],
    figures: Figures,
    is_done: npt.NDArray[np.uint8],
) -> None:
    """Days of registers that only rise, where their meterings have nothing else to say of the block's samples."""
    rows = np.array([_register_row_of(ask, block) for ask in asked.asks])
    parts = rows[asked.code].T
    whole = [np.ascontiguousarray(parts[place]).astype(np.int64) for place in (0, 1, 5)]
    floats = [np.ascontiguousarray(parts[place]) for place in (2, 3, 4)]
    registers = Registers(
        whole[0], whole[1], floats[0], floats[1], floats[2], whole[2], parts[6].astype(np.uint8)
    )
    counts = np.array([len(edges) for edges in day_edges_us])
    ends, edges_us = np.cumsum(counts), np.concatenate(day_edges_us)
    register_day_kernels.make_figures(
        block.offset, block.time_us, block.value, block.quality, registers, edges_us, ends - counts, ends - 1,
        figures, is_done,
    )  # fmt: skip


def _register_row_of(ask: Ask, block: RunBlock) -> list[float]:
    """The fields of `Registers`; a denominator of 0 for what is no register, or changes while the samples last."""
    of, nothing = ask.facts, [0.0] * len(Registers._fields)
    if ask.kind is not PointKind.REGISTER or block.sample_count == 0:
        return nothing
    factor, capacity = of.factor[-1].value, of.capacity[-1].value if of.capacity else math.nan
    if of.events or any(step.from_us != TIME_MIN_US for step in (*of.factor, *of.capacity)):
        first_us, last_us = int(block.time_us.min()), int(block.time_us.max())
        times_us = [step.from_us for step in (*of.factor, *of.capacity)] + [one.time_us for one in of.events]
        if any(first_us <= time_us <= last_us for time_us in times_us):
            return nothing
        factor = metering.value_at(of.factor, first_us) or 0.0
        found = metering.value_at(of.capacity, first_us)
        capacity = math.nan if found is None else found
    exact = fixed_point.exact(factor)
    if abs(exact.numerator) >= FACTOR_MAX or exact.denominator >= FACTOR_MAX:
        return nothing
    longest_us = sample_period.longest_gap_us(ask.interval_us)
    parts = (
        exact.numerator,
        exact.denominator,
        factor,
        capacity,
        of.resolution or 0.0,
        longest_us,
        bool(of.events),
    )
    return [float(part) for part in parts]


def _make_left(
    block: RunBlock,
    asked: Asked,
    day_edges_us: Sequence[I64],
    left: I64,
    figures: Figures,
    is_done: npt.NDArray[np.uint8],
) -> None:
    """What `steady_kernels` left, with a look at the samples beside each day."""
    shape = len(left), len(day_edges_us)
    whole = np.zeros((*shape, fleet_kernels.WHOLE_COUNT), np.int64)
    extreme, done = np.empty((*shape, 2)), np.zeros(shape, np.uint8)
    counts = np.array([len(edges) for edges in day_edges_us])
    ends, edges_us = np.cumsum(counts), np.concatenate(day_edges_us)
    asks = [asked.asks[code] for code in asked.code[left].tolist()]
    columns = _columns_of([block.run(run) for run in left.tolist()], asks, edges_us)
    fleet_kernels.make_figures(*columns, edges_us, ends - counts, ends - 1, whole, extreme, done)
    steady_kernels.take_over(left, whole, extreme, done, counts - 1, figures, is_done)


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
    factor = fixed_point.exact(ask.factor if ask.metering is None else ask.metering.factor[-1].value)
    is_held = ask.kind in _HELD_KINDS
    is_by_calendar = not is_held and ask.interval_us % DAY_US == 0
    is_small = abs(factor.numerator) < FACTOR_MAX and factor.denominator < FACTOR_MAX
    row = [0] * fleet_kernels.ASK_COUNT
    row[fleet_kernels.IS_AMOUNT] = int(ask.kind in sample_period.AMOUNT_KINDS)
    row[fleet_kernels.IS_HELD] = int(is_held)
    row[fleet_kernels.INTERVAL_US] = ask.interval_us
    row[fleet_kernels.LONGEST_GAP_US] = sample_period.longest_gap_us(ask.interval_us)
    row[fleet_kernels.FACTOR_NUMERATOR] = factor.numerator if is_small else 0
    is_everyday = is_small and not is_by_calendar and ask.kind is not PointKind.REGISTER and ask.is_plain
    row[fleet_kernels.FACTOR_DENOMINATOR] = factor.denominator if is_everyday else 0
    return row
