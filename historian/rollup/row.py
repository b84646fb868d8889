"""What rollups answer: one row for each point and period, with its evidence."""

from typing import Literal

import msgspec

from historian.energy.calendar import PeriodName
from historian.energy.coverage import Coverage

RollupState = Literal["open", "provisional", "complete", "final"]
RollupMethod = Literal["interval_sum", "power_integral", "register_difference", "time_mean"]


class RollupRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Figures of one point over a local day, month or year ``[period_start_us, period_end_us)``.

    `energy` in `unit` is exact for decimal input; both are None for points whose sum over time means nothing
    (V, °C) and `energy` where no usable sample came: nothing known is not zero. `max_demand` is the maximum
    of the interval means (区间最大) over blocks of 15 minutes, or of the point's interval where that is longer.
    It is not the meter's maximum demand (最大需量), which slides, and is never less than this. `mean` is
    over the time that samples speak for, `load_factor` over those blocks only that may be the maximum: at least
    half of each is covered. So it never exceeds 1, though the mean of all may exceed that maximum.

    `state`: open while the period runs, complete when every slot of it is covered, else provisional; final where it
    was locked, and then the row is what was locked.
    `revision` grows with every change of a figure or its evidence; a month's is the sum of its days'. It is 0
    where the figure is not kept: nothing came yet, or another zone than the point's own was asked for.
    """

    point_id: int
    period: PeriodName
    period_start_us: int
    period_end_us: int
    energy: float | None
    unit: str | None
    max_demand: float | None
    max_demand_unit: str | None
    max_start_us: int | None
    max_end_us: int | None
    min: float | None
    min_start_us: int | None
    min_end_us: int | None
    mean: float | None
    load_factor: float | None
    coverage: Coverage
    method: RollupMethod
    state: RollupState
    revision: int
    computed_at_us: int


class RollupLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one request may ask for, and how much is kept waiting; beyond is refused before any work."""

    points_max: int = 10_000
    point_days_max: int = 1_000_000
    slots_max: int = 1_000_000
    pending_days_max: int = 4_000_000
    figures_bytes_max: int = 256 << 20
    """Memory for day figures; others are read from disk when asked for."""
    background_share: float = 0.2
    """Share of the time that recomputing in the background may take; reading never waits for it."""
