"""What a 50 MVA, 110/10 kV transformer carries, made from a real load shape.

One house is restless; a transformer feeds thousands. Half of its load follows the mean day of the
shape, half the shape itself smoothed over two hours, so that days resemble each other but differ.
"""

from typing import Final

from drivers.simulator.load_shape import LOCAL_OFFSET_US, ROW_US, Load, LoadShape
from historian.model.point import DAY_US, HOUR_US

ACTIVE_POWER_BASE_KW: Final = 8_000.0
ACTIVE_POWER_SPAN_KW: Final = 30_000.0  # at most 38 MW and 40 MVA: 80 % of the rated 50 MVA
REACTIVE_SHARE: Final = 0.25  # of the active power: power factor 0.97, and less at low load …
REACTIVE_POWER_BASE_KVAR: Final = 2_000.0  # … where the transformer's own need dominates
BUS_VOLTAGE_V: Final = 10_500.0
SMOOTHING_ROWS: Final = 4  # on each side
METERED_SINCE_US: Final = 1_767_196_800_000_000  # 2026-01-01T00:00+08:00: the meter was put in with reading 0


class TransformerLoad:
    """Power at any moment, and what the energy meter shows then: the exact integral of the power.

    A pure function of time, so that a restarted simulator continues where a real meter would be.
    """

    def __init__(self, shape: LoadShape) -> None:
        rows = [_load_of(share) for share in _shares(shape)]
        self._load = LoadShape(rows)
        self._row_count = len(rows)
        self._power_kw = [row.active_power_kw for row in rows]
        self._energy_before_kwh = [0.0]
        for before_kw, after_kw in zip(self._power_kw, self._power_kw[1:] + self._power_kw[:1], strict=True):
            step_kwh = (before_kw + after_kw) / 2.0 * ROW_US / HOUR_US
            self._energy_before_kwh.append(self._energy_before_kwh[-1] + step_kwh)

    def at(self, time_us: int) -> Load:
        """The load at a moment, µs UTC."""
        return self._load.at(time_us)

    def meter_kwh(self, time_us: int) -> float:
        """The reading at a moment, µs UTC."""
        return max(0.0, self._integral_kwh(time_us) - self._integral_kwh(METERED_SINCE_US))

    def _integral_kwh(self, time_us: int) -> float:
        # As LoadShape.at interpolates: in straight lines between the middles of rows.
        row, rest_us = divmod(time_us + LOCAL_OFFSET_US - ROW_US // 2, ROW_US)
        cycle, index = divmod(row, self._row_count)
        before_kw, after_kw = self._power_kw[index], self._power_kw[(index + 1) % self._row_count]
        mean_kw = before_kw + (after_kw - before_kw) * rest_us / ROW_US / 2.0
        whole_kwh = cycle * self._energy_before_kwh[-1] + self._energy_before_kwh[index]
        return whole_kwh + mean_kw * rest_us / HOUR_US


def _shares(shape: LoadShape) -> list[float]:
    """For each row the load's share of its own maximum."""
    rows_per_day = DAY_US // ROW_US
    middle_us = ROW_US // 2 - LOCAL_OFFSET_US
    power_kw = [shape.at(index * ROW_US + middle_us).active_power_kw for index in range(shape.row_count)]
    mixed = []
    for index in range(shape.row_count):
        same_slot = [power_kw[other] for other in range(index % rows_per_day, shape.row_count, rows_per_day)]
        around = [
            power_kw[(index + step) % shape.row_count] for step in range(-SMOOTHING_ROWS, SMOOTHING_ROWS + 1)
        ]
        mixed.append(sum(same_slot) / len(same_slot) + sum(around) / len(around))
    highest = max(mixed)
    return [value / highest for value in mixed]


def _load_of(share: float) -> Load:
    active_power_kw = ACTIVE_POWER_BASE_KW + ACTIVE_POWER_SPAN_KW * share
    reactive_power_kvar = REACTIVE_POWER_BASE_KVAR + REACTIVE_SHARE * active_power_kw
    return Load(active_power_kw, reactive_power_kvar, BUS_VOLTAGE_V)
