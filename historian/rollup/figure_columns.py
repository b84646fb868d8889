"""Day figures as columns, and the way between them and the `DayFigure` of one day.

An exact sum is a whole number over the `denominator`, which total and ranked share; where that does not fit 64
bits the denominator is 0 and the three numbers are in `wide`, by row.
"""

import datetime
import math
import zoneinfo
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import calendar, coverage
from historian.energy.steady_kernels import NO_SLOT
from historian.model import timestamp
from historian.rollup.day_figure import DayFigure, demand_block_us
from historian.rollup.definitions import Definitions

WideSums = dict[int, tuple[int, int, int]]  # by row: total, ranked, denominator

WHOLE_MAX: Final = 2**62 - 1  # what kernels take


class FigureColumns(NamedTuple):
    """One row a figure. `max_slot` and `min_slot` count demand blocks from the day's start; NO_SLOT: there is none."""

    point_id: npt.NDArray[np.uint32]
    day: npt.NDArray[np.int32]
    definition: npt.NDArray[np.int32]
    total_numerator: npt.NDArray[np.int64]
    ranked_numerator: npt.NDArray[np.int64]
    denominator: npt.NDArray[np.int64]
    known_us: npt.NDArray[np.int64]
    ranked_us: npt.NDArray[np.int64]
    max_value: npt.NDArray[np.float64]
    min_value: npt.NDArray[np.float64]
    max_slot: npt.NDArray[np.uint8]
    min_slot: npt.NDArray[np.uint8]
    received: npt.NDArray[np.uint32]
    good: npt.NDArray[np.uint32]
    measured: npt.NDArray[np.uint32]
    estimated: npt.NDArray[np.uint32]
    manual: npt.NDArray[np.uint32]
    is_complete: npt.NDArray[np.uint8]
    input_digest: npt.NDArray[np.int64]
    revision: npt.NDArray[np.uint32]
    computed_at_us: npt.NDArray[np.int64]
    wide: WideSums

    @property
    def row_count(self) -> int:
        return len(self.point_id)

    def arrays(self) -> list[npt.NDArray[Any]]:
        """All columns but `wide`."""
        return list(self[:-1])

    def take(self, rows: npt.NDArray[np.int64]) -> "FigureColumns":
        """These rows, in that order."""
        wide: WideSums = {}
        if self.wide:
            wide = {place: self.wide[row] for place, row in enumerate(rows.tolist()) if row in self.wide}
        return FigureColumns._make([*(column[rows] for column in self.arrays()), wide])

    def exact_sums(self, row: int) -> tuple[int, int, int]:
        """Total, ranked total and their denominator."""
        if self.denominator[row] == 0:
            return self.wide[row]
        return int(self.total_numerator[row]), int(self.ranked_numerator[row]), int(self.denominator[row])


TYPES: Final[dict[str, np.dtype[Any]]] = {
    "point_id": np.dtype(np.uint32),
    "day": np.dtype(np.int32),
    "definition": np.dtype(np.int32),
    "total_numerator": np.dtype(np.int64),
    "ranked_numerator": np.dtype(np.int64),
    "denominator": np.dtype(np.int64),
    "known_us": np.dtype(np.int64),
    "ranked_us": np.dtype(np.int64),
    "max_value": np.dtype(np.float64),
    "min_value": np.dtype(np.float64),
    "max_slot": np.dtype(np.uint8),
    "min_slot": np.dtype(np.uint8),
    "received": np.dtype(np.uint32),
    "good": np.dtype(np.uint32),
    "measured": np.dtype(np.uint32),
    "estimated": np.dtype(np.uint32),
    "manual": np.dtype(np.uint32),
    "is_complete": np.dtype(np.uint8),
    "input_digest": np.dtype(np.int64),
    "revision": np.dtype(np.uint32),
    "computed_at_us": np.dtype(np.int64),
}


def allocate(count: int) -> FigureColumns:
    """Zeroed columns."""
    return FigureColumns._make([*(np.zeros(count, type_) for type_ in TYPES.values()), {}])


def join(parts: Sequence[FigureColumns]) -> FigureColumns:
    """All rows, one part after the other."""
    if len(parts) < 2:
        return parts[0] if parts else allocate(0)
    wide: WideSums = {}
    count = 0
    for part in parts:
        wide |= {count + row: sums for row, sums in part.wide.items()}
        count += part.row_count
    columns = zip(*(part.arrays() for part in parts), strict=True)
    return FigureColumns._make([*(np.concatenate(column) for column in columns), wide])


def of_figures(figures: Iterable[DayFigure], definitions: Definitions) -> FigureColumns:
    """One row for each."""
    some = list(figures)
    columns = allocate(len(some))
    for row, figure in enumerate(some):
        put(columns, row, figure, definitions.code_of(figure.definition))
    return columns


def put(columns: FigureColumns, row: int, figure: DayFigure, definition: int) -> None:
    """One figure into its row."""
    values, wide = cell_of(figure)
    if wide is not None:
        columns.wide[row] = wide
    values |= {
        "point_id": figure.point_id,
        "day": figure.day,
        "definition": definition,
        "revision": figure.revision,
        "computed_at_us": figure.computed_at_us,
    }
    for name, value in values.items():
        getattr(columns, name)[row] = value


def cell_of(figure: DayFigure) -> tuple[dict[str, Any], tuple[int, int, int] | None]:
    """The fields of `steady_kernels.Figures`; and total, ranked and denominator where those exceed 64 bits."""
    ranked, ranked_denominator, ranked_us = figure.ranked
    denominator = math.lcm(figure.total_denominator, ranked_denominator)
    sums = (
        figure.total_numerator * (denominator // figure.total_denominator),
        ranked * (denominator // ranked_denominator),
        denominator,
    )
    is_wide = max(abs(sums[0]), abs(sums[1]), denominator) > WHOLE_MAX
    block_us = demand_block_us(figure.interval_us)
    values = {
        "total_numerator": 0 if is_wide else sums[0],
        "ranked_numerator": 0 if is_wide else sums[1],
        "denominator": 0 if is_wide else sums[2],
        "known_us": figure.known_us,
        "ranked_us": ranked_us,
        "max_value": math.nan if figure.max_value is None else figure.max_value,
        "min_value": math.nan if figure.min_value is None else figure.min_value,
        "max_slot": _slot_of(figure.max_start_us, figure.start_us, block_us),
        "min_slot": _slot_of(figure.min_start_us, figure.start_us, block_us),
        "received": figure.received_count,
        "good": figure.good_count,
        "measured": figure.measured_count,
        "estimated": figure.estimated_count,
        "manual": figure.manual_count,
        "is_complete": figure.is_complete,
        "input_digest": figure.input_digest,
    }
    return values, sums if is_wide else None


def to_figures(columns: FigureColumns, definitions: Definitions) -> list[DayFigure]:
    """One object a row."""
    lists = {name: getattr(columns, name).tolist() for name in TYPES}
    return [
        _figure_of(
            {name: column[row] for name, column in lists.items()}, columns.exact_sums(row), definitions
        )
        for row in range(columns.row_count)
    ]


def _figure_of(cell: dict[str, Any], sums: tuple[int, int, int], definitions: Definitions) -> DayFigure:
    definition = definitions.of_code(cell["definition"])
    zone = timestamp.load_zone(definition.time_zone)
    start_us, end_us = _day_us(cell["day"], zone)
    block_us = demand_block_us(definition.interval_us)
    total, ranked = Fraction(sums[0], sums[2]), Fraction(sums[1], sums[2])
    has_own_rank = (ranked, cell["ranked_us"]) != (total, cell["known_us"])
    has_max, has_min = cell["max_slot"] != NO_SLOT, cell["min_slot"] != NO_SLOT
    max_start_us, min_start_us = (start_us + cell[name] * block_us for name in ("max_slot", "min_slot"))
    return DayFigure(
        point_id=cell["point_id"],
        day=cell["day"],
        start_us=start_us,
        end_us=end_us,
        total_numerator=total.numerator,
        total_denominator=total.denominator,
        known_us=cell["known_us"],
        ranked_numerator=ranked.numerator if has_own_rank else None,
        ranked_denominator=ranked.denominator if has_own_rank else None,
        ranked_us=cell["ranked_us"] if has_own_rank else None,
        max_value=cell["max_value"] if has_max else None,
        max_start_us=max_start_us if has_max else None,
        max_end_us=min(max_start_us + block_us, end_us) if has_max else None,
        min_value=cell["min_value"] if has_min else None,
        min_start_us=min_start_us if has_min else None,
        min_end_us=min(min_start_us + block_us, end_us) if has_min else None,
        expected_count=coverage.expected_count(start_us, end_us, definition.interval_us),
        received_count=cell["received"],
        good_count=cell["good"],
        measured_count=cell["measured"],
        estimated_count=cell["estimated"],
        manual_count=cell["manual"],
        is_complete=bool(cell["is_complete"]),
        input_digest=cell["input_digest"],
        time_zone=definition.time_zone,
        unit=definition.unit,
        kind=definition.kind,
        interval_us=definition.interval_us,
        multiplier=definition.multiplier,
        terms=definition.terms,
        algorithm=definition.algorithm,
        revision=cell["revision"],
        computed_at_us=cell["computed_at_us"],
    )


def _slot_of(slot_start_us: int | None, day_start_us: int, block_us: int) -> int:
    return NO_SLOT if slot_start_us is None else (slot_start_us - day_start_us) // block_us


def _day_us(day: int, zone: zoneinfo.ZoneInfo) -> tuple[int, int]:
    return calendar.day_edges_us(datetime.date.fromordinal(day), zone)
