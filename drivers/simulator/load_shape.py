"""A real load, replayed for ever: what a simulated device measures follows a house's four days.

The shape is data (`config/demo/load-shape.csv`, which names its source and licence); between its
quarter hours the load moves in a straight line, so that a one-minute poll sees no stairs.
"""

import csv
from pathlib import Path
from typing import Final, NamedTuple

from historian import resources
from historian.model.point import MINUTE_US

ROW_US: Final = 15 * MINUTE_US
LOCAL_OFFSET_US: Final = (
    8 * 60 * MINUTE_US
)  # the demo station lies at UTC+8: its evening peak is in its evening


class Load(NamedTuple):
    """What the recorded house drew at one moment; the simulators scale it to their plant."""

    active_power_kw: float
    reactive_power_kvar: float
    voltage_v: float


class LoadShape:
    """The rows of a shape file, repeated without end. Row 0 begins at local midnight of a whole cycle."""

    def __init__(self, rows: list[Load]) -> None:
        assert rows, "a load shape needs at least one row"
        self._rows = rows

    @property
    def row_count(self) -> int:
        return len(self._rows)

    def at(self, time_us: int) -> Load:
        """The load at a moment (µs UTC), interpolated between the middles of two quarter hours."""
        position_us = time_us + LOCAL_OFFSET_US - ROW_US // 2
        row_index, rest_us = divmod(position_us, ROW_US)
        before = self._rows[row_index % len(self._rows)]
        after = self._rows[(row_index + 1) % len(self._rows)]
        share = rest_us / ROW_US
        return Load(*(low + (high - low) * share for low, high in zip(before, after, strict=True)))


def load_shape_path() -> Path:
    """Where the shipped shape lies."""
    return resources.config_dir() / "demo" / "load-shape.csv"


def read_load_shape(path: Path) -> LoadShape:
    """Read a shape: lines with ``#`` are comments, then a header, then one row a quarter hour."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return LoadShape(
        [Load(**{key: float(text) for key, text in row.items()}) for row in csv.DictReader(lines)]
    )
