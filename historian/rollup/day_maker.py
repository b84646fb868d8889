"""Plans how to read the samples of many days, and makes the figures from them: a block of points × days at once."""

import datetime
import zoneinfo
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import calendar, digest_kernels, fleet
from historian.energy.fleet import Asked
from historian.energy.steady_kernels import NO_SLOT, Figures
from historian.model.point import DAY_US, Point, PointKind
from historian.model.sample import RunBlock, SampleRun
from historian.model.term import NO_TERMS, PointTerms
from historian.rollup import day_figure, day_key, figure_columns
from historian.rollup.day_figure import DayFigure
from historian.rollup.day_key import KeyColumn
from historian.rollup.definitions import Definitions
from historian.rollup.figure_columns import WideSums
from historian.rollup.point_facts import PointFacts

READ_SAMPLES_MAX: Final = 2_000_000  # asked of the store at once, as far as intervals tell
POINT_DAYS_MAX: Final = 65_536  # made at once
REGISTER_DAYS_MAX: Final = 2048  # of registers: those that do more than rise are made day by day


class Reading(NamedTuple):
    """Points of one interval that are read over the same days ``[first, last)`` of one zone."""

    point_id: npt.NDArray[np.int64]
    zone: zoneinfo.ZoneInfo
    days: range
    interval_us: int
    is_register: bool

    @property
    def span(self) -> tuple[int, int]:
        """``[start_us, end_us)`` of the days."""
        return _start_us(self.days.start, self.zone), _start_us(self.days.stop, self.zone)

    def keys(self) -> KeyColumn:
        """The keys of its days, ascending where the points are."""
        return day_key.pack(self.point_id[:, np.newaxis], np.array(self.days)).reshape(-1)


class Metered(NamedTuple):
    """A point and what was stated of it."""

    point: Point
    terms: PointTerms


class MadeDays(NamedTuple):
    """Figures of each point and day of a reading; `wide` sums by (point, day), both as places."""

    reading: Reading
    figures: Figures
    wide: dict[tuple[int, int], tuple[int, int, int]]
    computed_at_us: int


def plan(
    keys: KeyColumn,
    facts: PointFacts,
    zone: zoneinfo.ZoneInfo | None = None,
    samples_max: int = READ_SAMPLES_MAX,
) -> list[Reading]:
    """Few readings that cover all ascending keys of known points, none larger than the limits.

    Days are those of `zone`, or of each point's own.
    """
    if len(keys) == 0:
        return []
    is_first = np.append(True, np.diff(keys) != 1)  # two points have no days beside each other
    begins = np.flatnonzero(is_first)
    point_id = keys[begins] >> day_key.DAY_BITS
    first = keys[begins] & day_key.DAY_MASK
    count = np.diff(np.append(begins, len(keys)))
    traits = np.stack(
        (
            np.zeros_like(point_id) if zone is not None else facts.zone_number[point_id].astype(np.int64),
            facts.interval_us[point_id],
            facts.is_register[point_id].astype(np.int64),
            first,
            count,
        ),
        axis=1,
    )
    readings: list[Reading] = []
    for chosen in _alike(traits):
        kind = traits[chosen[0]].tolist()
        own_zone = zone or facts.zones[kind[0]]
        whole = Reading(point_id[chosen], own_zone, range(kind[3], kind[3] + kind[4]), kind[1], bool(kind[2]))
        readings += cut(whole, samples_max)
    return readings


def _alike(traits: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Rows that are the same in all columns, together; mostly all are."""
    if bool((traits == traits[0]).all()):
        return [np.arange(len(traits))]
    order = np.lexsort(traits.T)
    is_new = (traits[order[1:]] != traits[order[:-1]]).any(axis=1)
    return np.split(order, np.flatnonzero(is_new) + 1)


def make_days(
    reading: Reading,
    point_of: Callable[[int], Point],
    asked: Asked,
    block: RunBlock,
    now_us: int,
    terms_of: Callable[[int], PointTerms] = lambda _: NO_TERMS,
) -> MadeDays:
    """The figures of a reading. `point_of` and `terms_of` are asked where kernels do not suffice."""
    edges_us = [day_figure.slot_edges_us(day, reading.zone, reading.interval_us) for day in reading.days]
    figures, is_done = fleet.day_figures(block, asked, edges_us)
    made = MadeDays(reading, figures, {}, now_us)
    left = np.flatnonzero(~is_done.all(axis=1)).tolist()
    if left:
        starts_us = np.array([*(edges[0] for edges in edges_us), edges_us[-1][-1]], np.int64)
        for row in left:
            point_id = int(reading.point_id[row])
            metered = Metered(point_of(point_id), terms_of(point_id))
            _make_one_by_one(made, row, metered, block.run(row), starts_us, is_done[row])
    return made


def put_digests(made: MadeDays, block: RunBlock, is_wanted: npt.NDArray[np.bool_]) -> None:
    """Name the samples of each day of the wanted points, so that any other samples make another version."""
    starts = [
        _start_us(day, made.reading.zone)
        for day in range(made.reading.days.start, made.reading.days.stop + 1)
    ]
    margin_us = np.full(len(is_wanted), day_figure.margin_us(made.reading.interval_us), np.int64)
    digest_kernels.digest_days(
        block.offset, block.time_us, block.value.view(np.int64), block.quality, is_wanted.astype(np.uint8),
        margin_us, margin_us, np.array(starts, np.int64), made.figures.input_digest,
    )  # fmt: skip


def figures_of(made: MadeDays, row: int, point: Point) -> dict[int, DayFigure]:
    """The figures of one point by day, but of days of which nothing is known; their revision is 0."""
    found: dict[int, DayFigure] = {}
    definitions = Definitions()
    own = day_figure.definition_of(point)._replace(time_zone=made.reading.zone.key)
    columns = figure_columns.allocate(len(made.reading.days))
    for name in Figures._fields:
        getattr(columns, name)[:] = getattr(made.figures, name)[row]
    columns.point_id[:] = point.id
    columns.day[:] = np.array(made.reading.days)
    columns.definition[:] = definitions.code_of(own)
    columns.computed_at_us[:] = made.computed_at_us
    wide: WideSums = {day: sums for (place, day), sums in made.wide.items() if place == row}
    for figure in figure_columns.to_figures(columns._replace(wide=wide), definitions):
        if not figure.is_empty:
            found[figure.day] = figure
    return found


def _make_one_by_one(
    made: MadeDays,
    row: int,
    of: Metered,
    run: SampleRun,
    starts_us: npt.NDArray[np.int64],
    is_done: npt.NDArray[np.bool_],
) -> None:
    has_samples = _has_samples(of, run, starts_us)
    for place, day in enumerate(made.reading.days):
        if is_done[place]:
            continue
        if not has_samples[place]:
            _put(made.figures, row, place, _NOTHING)
            continue
        figure = day_figure.compute(of.point, day, made.reading.zone, run, made.computed_at_us, of.terms)
        values, wide = figure_columns.cell_of(figure)
        _put(made.figures, row, place, values)
        if wide is not None:
            made.wide[row, place] = wide


_NOTHING: Final = dict.fromkeys(Figures._fields, 0) | {
    "denominator": 1,
    "max_value": np.nan,
    "min_value": np.nan,
    "max_slot": NO_SLOT,
    "min_slot": NO_SLOT,
}


def _put(figures: Figures, row: int, place: int, values: dict[str, float]) -> None:
    for name, value in values.items():
        getattr(figures, name)[row, place] = value


def cut(whole: Reading, samples_max: int) -> list[Reading]:
    """The reading in parts within the limits, `samples_max` as far as intervals tell."""
    day_count = max(1, min(len(whole.days), samples_max * whole.interval_us // DAY_US))
    samples = max(1, day_count * DAY_US // whole.interval_us)
    point_days = REGISTER_DAYS_MAX if whole.is_register else POINT_DAYS_MAX
    day_count = min(day_count, point_days)
    size = max(1, min(samples_max // samples, point_days // day_count))
    return [
        whole._replace(
            point_id=whole.point_id[first : first + size],
            days=range(start, min(start + day_count, whole.days.stop)),
        )
        for start in range(whole.days.start, whole.days.stop, day_count)
        for first in range(0, len(whole.point_id), size)
    ]


def _has_samples(of: Metered, run: SampleRun, starts_us: npt.NDArray[np.int64]) -> list[bool]:
    """For each day whether a sample may speak for a part of it; of a register, from reading to reading, and to the
    events beyond them.
    """
    point = of.point
    if run.sample_count == 0:
        return [False] * (len(starts_us) - 1)
    if point.kind is PointKind.REGISTER and of.terms.events:
        return [True] * (len(starts_us) - 1)
    if point.kind is PointKind.REGISTER:
        has = (starts_us[1:] > run.time_us[0]) & (starts_us[:-1] <= run.time_us[-1])
    else:
        margin_us = day_figure.margin_us(point.interval_us)
        first = np.searchsorted(run.time_us, starts_us[:-1] - margin_us)
        has = np.searchsorted(run.time_us, starts_us[1:] + margin_us) > first
    answer: list[bool] = has.tolist()
    return answer


def _start_us(day: int, zone: zoneinfo.ZoneInfo) -> int:
    return calendar.day_start_us(datetime.date.fromordinal(day), zone)
