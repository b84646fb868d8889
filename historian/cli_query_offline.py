"""What `historian query` and `historian points list` tell of a data folder that this process holds."""

import datetime

from historian.cli_query import POINT_COLUMNS, POINTS_PER_PAGE, query_span
from historian.core import Core
from historian.energy import calendar
from historian.energy.calendar import PeriodName
from historian.energy.load_curve import SlotState
from historian.model import quality, timestamp
from historian.model.point import Point, TimeLabel, format_interval, parse_interval_us
from historian.text_table import TextTable


class OfflineSource:
    """A data folder that this process holds."""

    def __init__(self, parts: Core) -> None:
        self._parts = parts

    async def points(self, match: str | None, station: str | None) -> TextTable:
        found: list[Point] = []
        while True:
            page = self._parts.registry.list(
                match, station, None, found[-1].id if found else 0, POINTS_PER_PAGE
            )
            found += page
            if len(page) < POINTS_PER_PAGE:
                return TextTable(POINT_COLUMNS, [_point_row(point) for point in found])

    async def recorded(self, name: str, start: str, end: str) -> TextTable:
        point = self._parts.registry.get(name)
        zone = timestamp.load_zone(point.time_zone)
        page = await self._parts.query.recorded(point, query_span(start, end, point.time_zone))
        columns = (page.run.time_us.tolist(), page.run.value.tolist(), page.run.quality.tolist())
        rows = [
            (timestamp.format_local_time(time_us, zone), _number(value), quality.validity_name(bits),
             quality.origin_name(bits))
            for time_us, value, bits in zip(*columns, strict=True)
        ]  # fmt: skip
        return TextTable(("time", f"value [{point.unit}]", "quality", "origin"), rows)

    async def load_curve(self, name: str, date: datetime.date, interval: str) -> TextTable:
        point = self._parts.registry.get(name)
        zone = timestamp.load_zone(point.time_zone)
        curves = await self._parts.rollup.load_curve([point], date, parse_interval_us(interval), zone)
        starts = calendar.slot_labels(curves.edges_us, zone, TimeLabel.PERIOD_START)
        ends = calendar.slot_labels(curves.edges_us, zone, TimeLabel.PERIOD_END)
        curve = curves.total
        columns = (starts, ends, curve.value.tolist(), curve.state.tolist(), curve.sample_count.tolist())
        rows = [
            (start, end, _number(value), SlotState(state).name.lower(), str(count))
            for start, end, value, state, count in zip(*columns, strict=True)
        ]
        return TextTable(("from", "to", f"value [{curves.unit}]", "state", "samples"), rows)

    async def rollups(
        self, names: list[str], period: PeriodName, first: datetime.date, last: datetime.date
    ) -> TextTable:
        points = [self._parts.registry.get(name) for name in names]
        zones = {point.id: timestamp.load_zone(point.time_zone) for point in points}
        rows = []
        for row in await self._parts.rollup.rows(points, period, first, last):
            zone = zones[row.point_id]
            at = timestamp.format_local_time(row.max_start_us, zone) if row.max_start_us is not None else ""
            rows.append(
                (self._parts.registry.by_id(row.point_id).name, timestamp.format_local_time(row.period_start_us, zone)[:10],
                 _number(row.energy), row.unit or "", _number(row.max_demand), row.max_demand_unit or "", at,
                 _number(row.load_factor), f"{row.coverage.received}/{row.coverage.expected}", row.state)
            )  # fmt: skip
        header = (
            "point",
            period,
            "energy",
            "unit",
            "max",
            "max unit",
            "max from",
            "load factor",
            "samples",
            "state",
        )
        return TextTable(header, rows)


def _point_row(point: Point) -> tuple[str, ...]:
    return (
        str(point.id), point.name, point.unit, point.kind.value, format_interval(point.interval_us), point.label.value,
        point.time_zone, point.station, point.name_zh, point.name_en,
    )  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None or value != value else repr(value)
