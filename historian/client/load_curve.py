"""A day's load curve as it is answered, and as a table with a row a slot."""

import datetime
from typing import Any

import msgspec

from historian.client.figure_replies import CurveOverlay, CurveSummary
from historian.client.table import StructTable, Table, load_pyarrow


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One slot of the day."""

    label: str
    start: datetime.datetime
    end: datetime.datetime
    value: float | None
    state: str
    count: int
    quality: str


class LoadCurve(msgspec.Struct, frozen=True, kw_only=True):
    """A day in slots, as columns of equal length: 96 of 15 minutes, 92 or 100 where clocks change.

    `labels` is the axis, `compare` are other days under the same clock times. Of several points values are sums and
    `missing_points` counts the points whose value is missing in each.
    """

    unit: str
    date: str
    time_zone: str
    interval: str
    label: str
    labels: list[str]
    starts: list[datetime.datetime]
    ends: list[datetime.datetime]
    values: list[float | None]
    states: list[str]
    counts: list[int]
    quality: list[str]
    summary: CurveSummary
    compare: list[CurveOverlay] = []
    point: str = ""
    points: list[str] = []
    station: str = ""
    missing_points: list[int] | None = None
    renamed_to: str = ""

    def table(self) -> Table[Slot]:
        """A row a slot, without the other days."""
        columns = (self.labels, self.starts, self.ends, self.values, self.states, self.counts, self.quality)
        rows = [
            Slot(label=label, start=start, end=end, value=value, state=state, count=count, quality=quality)
            for label, start, end, value, state, count, quality in zip(*columns, strict=True)
        ]
        return StructTable(rows, {"unit": self.unit, "date": self.date, "time_zone": self.time_zone})

    def to_arrow(self) -> Any:
        """A pyarrow.Table with a row a slot; each other day is a column ``value -1d``. Raises NotInstalled."""
        pyarrow = load_pyarrow()
        table = self.table().to_arrow()
        for overlay in self.compare:
            values = pyarrow.array(overlay.values, pyarrow.float64())
            table = table.append_column(f"value {overlay.offset}", values)
        return table

    def to_pandas(self) -> Any:
        """The same as a pandas.DataFrame. Raises NotInstalled."""
        return (
            self.table()
            .to_pandas()
            .assign(**{f"value {overlay.offset}": overlay.values for overlay in self.compare})
        )

    def to_polars(self) -> Any:
        """The same as a polars.DataFrame. Raises NotInstalled."""
        frame = self.table().to_polars()
        import polars

        return frame.with_columns(
            polars.Series(f"value {overlay.offset}", overlay.values, polars.Float64)
            for overlay in self.compare
        )
