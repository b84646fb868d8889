"""Locked rows over computed ones."""

import numpy as np

from historian.catalogue.lock_book import Lock, PeriodKey
from historian.rollup import bill, lock_overlay
from historian.rollup.period_kernels import Periods
from historian.rollup.periods import FINAL, PeriodColumns
from historian.rollup.point_unit import FigureUnits

KEY = PeriodKey(1, "day", 739_000, 739_001)


def rows(energy: float) -> PeriodColumns:
    floats = {name: [energy, 5.0] for name in ("energy", "mean", "load_factor", "max_value", "min_value")}
    whole = {
        name: [3, 4]
        for name in (
            "max_start_us", "max_end_us", "min_start_us", "min_end_us", "received", "good", "measured", "estimated",
            "manual", "revision", "computed_at_us",
        )
    }  # fmt: skip
    columns = Periods(
        **{name: np.array(values) for name, values in floats.items()},
        **{name: np.array(values, np.int64) for name, values in whole.items()},
        state=np.array([2, 2], np.uint8), is_done=np.ones(2, np.uint8),
    )  # fmt: skip
    starts = np.array([[0, 10]])
    units = [FigureUnits("kWh", "kW", "power_integral")]
    return PeriodColumns(
        "day",
        np.array([1]),
        2,
        starts,
        starts + 10,
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
        units,
        np.full(2, 96),
        columns,
    )


def locked(made: PeriodColumns) -> Lock:
    bills = bill.empty(2)
    figures = lock_overlay.figures_of(made.columns, made.expected, bills, 0)
    return Lock(7, KEY, "UTC", figures, 99, "", "r")


def test_the_same_figures_are_no_correction() -> None:
    made = rows(1.5)
    over, _bills, columns = lock_overlay.put_over(made, bill.empty(2), [(0, locked(made))])
    assert over.columns.state.tolist() == [FINAL, 2]
    assert (columns.number.tolist(), columns.locked_us.tolist()) == ([7, -1], [99, -1])
    assert columns.is_pending.tolist() == [0, 0]
    assert made.columns.state.tolist() == [2, 2]  # the computed row is left as it is


def test_other_figures_are_told_beside_those_that_stay() -> None:
    lock = locked(rows(1.5))
    over, _bills, columns = lock_overlay.put_over(rows(2.5), bill.empty(2), [(0, lock)])
    assert over.columns.energy.tolist() == [1.5, 5.0]
    assert columns.is_pending.tolist() == [1, 0]
    assert columns.pending_energy.tolist()[0] == 2.5
    assert np.isnan(columns.pending_energy[1])


def test_another_band_is_a_correction_where_bills_were_made_and_no_matter_where_not() -> None:
    made, lock = rows(1.5), locked(rows(1.5))
    bills = bill.empty(2)
    bills.tou[0][0] = 3.0
    _over, told, columns = lock_overlay.put_over(made, bills, [(0, lock)])
    assert columns.is_pending[0] == 1
    assert np.isnan(told.tou[0][0])
    _over, _told, columns = lock_overlay.put_over(made, bills, [(0, lock)], has_bills=False)
    assert columns.is_pending[0] == 0


def test_a_lock_of_energy_alone_has_no_bill() -> None:
    lock = locked(rows(1.5))
    assert not lock_overlay.has_bill(lock)
    no_calendar = {**lock.figures, "sharp": 0.0, "tariff": "", "warning": "no_tariff"}
    assert lock_overlay.has_bill(lock._replace(figures=no_calendar)), "a tariff stated from a later day on"
    assert lock_overlay.has_bill(lock._replace(figures={**lock.figures, "demand_slide_s": 900}))


def test_no_locks_have_nothing_to_tell() -> None:
    assert lock_overlay.no_locks(2).number.tolist() == [-1, -1]
