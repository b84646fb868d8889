"""Locked rows over computed ones: the figures that were billed are told, and what they would be now stands beside them."""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.catalogue.lock_book import Figures, Lock, LockBook, PeriodKey
from historian.energy.calendar import DateRange
from historian.model.tariff import BANDS
from historian.rollup.bill import Bills
from historian.rollup.period_kernels import Periods
from historian.rollup.periods import FINAL, PeriodColumns

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

_NOT_COMPARED: Final = frozenset({"state", "revision", "computed_at_us", "is_done"})
_WORDS: Final = {"tariff": "tariffs", "warning": "warnings", "event": "events"}
_NUMBERS: Final = ("undivided", "demand", "demand_start_us", "demand_end_us", "demand_slide_s")
_OF_BILLS: Final = frozenset({*BANDS, *_NUMBERS, *_WORDS})


class LockColumns(NamedTuple):
    """Of each row: the number of its lock, when it was made, -1 where there is none; and whether the figures would be
    others now. `pending_…` are those.
    """

    number: I64
    locked_us: I64
    is_pending: npt.NDArray[np.uint8]
    pending_energy: F64
    pending_max: F64


def no_locks(count: int) -> LockColumns:
    """Rows of which none is locked."""
    return LockColumns(
        np.full(count, -1, np.int64),
        np.full(count, -1, np.int64),
        np.zeros(count, np.uint8),
        np.full(count, np.nan),
        np.full(count, np.nan),
    )


def has_bill(lock: Lock) -> bool:
    """Whether more than the energy was billed."""
    return lock.figures.get(BANDS[0]) is not None or lock.figures.get("demand_slide_s", -1) != -1


def find(
    book: LockBook,
    rows: PeriodColumns,
    parts: Sequence[DateRange],
    zones: Sequence[str],
    as_of_us: int | None,
) -> list[tuple[int, Lock]]:
    """The locks that hold, each with its row; `zones` names the zone of each point's periods."""
    found: list[tuple[int, Lock]] = []
    for place, point_id in enumerate(rows.point_id.tolist()):
        if not book.of_point(point_id):
            continue
        for number, part in enumerate(parts):
            key = PeriodKey(point_id, rows.period, part.first.toordinal(), part.last.toordinal())
            lock = book.held(key, as_of_us)
            if lock is not None and lock.time_zone == zones[place]:
                found.append((place * rows.period_count + number, lock))
    return found


def put_over(
    rows: PeriodColumns, bills: Bills, locks: Sequence[tuple[int, Lock]], *, has_bills: bool = True
) -> tuple[PeriodColumns, Bills, LockColumns]:
    """Rows and bills with what is locked in place of what was computed, in columns of their own.

    Without `has_bills` those were not computed, and are not compared.
    """
    columns = Periods._make(column.copy() for column in rows.columns)
    expected = rows.expected.copy()
    bills = _copied(bills)
    made = no_locks(rows.row_count)
    for row, lock in locks:
        made.number[row], made.locked_us[row] = lock.number, lock.locked_us
        now = figures_of(columns, expected, bills, row)
        ignored = _NOT_COMPARED if has_bills else _NOT_COMPARED | _OF_BILLS
        if any(now[name] != lock.figures.get(name) for name in now if name not in ignored):
            made.is_pending[row] = 1
            if len(columns.energy):
                made.pending_energy[row] = columns.energy[row]
            if len(columns.max_value):
                made.pending_max[row] = columns.max_value[row]
        _put_row(columns, expected, bills, row, lock.figures)
    return rows._replace(columns=columns, expected=expected), bills, made


def figures_of(columns: Periods, expected: I64, bills: Bills, row: int) -> Figures:
    """All columns of a row that are there, by name."""
    figures: Figures = {
        name: _plain(getattr(columns, name)[row]) for name in Periods._fields if len(getattr(columns, name))
    }
    if len(expected):
        figures["expected"] = int(expected[row])
    for name, column in zip(BANDS, bills.tou, strict=True):
        figures[name] = _plain(column[row])
    for name in _NUMBERS:
        figures[name] = _plain(getattr(bills, name)[row])
    for name, words in _WORDS.items():
        figures[name] = getattr(bills, words)[int(getattr(bills, name)[row])]
    return figures


def _put_row(columns: Periods, expected: I64, bills: Bills, row: int, figures: Figures) -> None:
    for name in Periods._fields:
        column = getattr(columns, name)
        if len(column) and name in figures:
            column[row] = _stored(figures[name])
    if len(expected) and "expected" in figures:
        expected[row] = _stored(figures["expected"])
    for name, column in zip(BANDS, bills.tou, strict=True):
        column[row] = _stored(figures.get(name))
    for name in _NUMBERS:
        getattr(bills, name)[row] = _stored(figures.get(name))
    for name, words in _WORDS.items():
        vocabulary, word = getattr(bills, words), str(figures.get(name, ""))
        if word not in vocabulary:
            vocabulary.append(word)
        getattr(bills, name)[row] = vocabulary.index(word)
    if len(columns.state):
        columns.state[row] = FINAL


def _copied(bills: Bills) -> Bills:
    return Bills._make(
        tuple(one.copy() for one in column) if isinstance(column, tuple) else column.copy()
        for column in bills
    )


def _plain(value: Any) -> float | int | None:
    """A number as JSON has it."""
    number: float | int = value.item()
    return None if isinstance(number, float) and math.isnan(number) else number


def _stored(value: float | int | str | None) -> float | int | str:
    return math.nan if value is None else value
