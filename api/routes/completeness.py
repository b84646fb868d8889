"""What came of what was due: by point, station, item or day, and as a calendar of a month."""

import asyncio
import math
from typing import Final

import numpy as np
import numpy.typing as npt
from aiohttp import web

from api import formats, problem
from api.context import CONTEXT, ApiContext
from api.formats import Column, Format, Table
from api.operation import BOM, FORMAT, TABLE_FORMS, TIME_FORM, Operation, Parameter, one_of
from api.params import Params
from api.routes.rollups import FROM, TO, read_dates
from api.schemas_watch import CalendarDay, CalendarReply, CompletenessReply, CompletenessRow, WorstPoint
from api.time_form import TimeForm
from api.watched import MONTH, WATCHED, month_of, watched_ids
from historian.energy import completeness
from historian.energy.calendar import DateRange
from historian.energy.completeness import Counts, Delays, Limits
from historian.model import timestamp
from historian.model.sample import PointIdColumn
from historian.rollup.completeness import BY, DayGrid, dates_of

WORST_POINTS_MAX: Final = 5  # told of each day of a calendar


async def get_completeness(request: web.Request) -> web.StreamResponse:
    """A row for each point, station, item or day."""
    context, params = request.app[CONTEXT], Params(request.query)
    ids = watched_ids(request, params, context.settings.rollup.points_max)
    by, form = params.choice("by", BY, "point"), TimeForm.of(params)
    has_delays, choice = params.is_set("delays"), formats.choose_format(request)
    maker, days = context.watch.completeness, _days_of(context, params, ids)
    if not len(ids):
        grid = None
        names, counts, delays = [], _nothing(), None
    else:
        grid = await maker.grid(ids.astype(np.int64), days)
        grouping = maker.grouping(grid.point_id, by)
        group, count = grouping.groups(days.day_count)
        counts = completeness.add(grid.counts, group, count)
        delays = await maker.delays(grid, grouping) if has_delays else None
        names = [date.isoformat() for date in dates_of(days)] if by == "day" else grouping.names
    if choice is not Format.JSON:
        return await formats.reply_table(request, _table_of(by, names, counts, delays), choice)
    rows = _rows_of(by, names, counts, delays)
    reply = CompletenessReply(
        by=by,
        from_date=days.first.isoformat(),
        to_date=days.last.isoformat(),
        now=form.time(grid.now_us if grid else context.clock.now_us()),
        point_count=len(ids),
        rows=rows,
        total=_total_of(counts),
    )
    return formats.reply_json(reply)


async def get_calendar(request: web.Request) -> web.StreamResponse:
    """Each day of a month, with its light and the points that lack most."""
    context, params = request.app[CONTEXT], Params(request.query)
    ids = watched_ids(request, params, context.settings.rollup.points_max)
    days, form, choice = month_of(params), TimeForm.of(params), formats.choose_format(request)
    limits = Limits(context.settings.watch.green_share_min, context.settings.watch.amber_share_min)
    found: list[CalendarDay] = []
    total, now_us = _nothing(), context.clock.now_us()
    if len(ids):
        grid = await context.watch.completeness.grid(ids.astype(np.int64), days)
        names, now_us = context.registry.names(ids), grid.now_us
        is_locked = _locked(context, ids, days)
        total = Counts(*(column.sum(keepdims=True).reshape(-1) for column in grid.counts))
        found = await asyncio.to_thread(_calendar_of, grid, names, is_locked, limits)
    if choice is not Format.JSON:
        return await formats.reply_table(request, _calendar_table(found), choice)
    reply = CalendarReply(
        station=params.text("station"),
        month=params.required_text("month"),
        green_share_min=limits.green,
        amber_share_min=limits.amber,
        point_count=len(ids),
        now=form.time(now_us),
        days=found,
        total=_total_of(total),
    )
    return formats.reply_json(reply)


def _days_of(context: ApiContext, params: Params, ids: PointIdColumn) -> DateRange:
    zone_name = context.registry.by_id(int(ids[0])).time_zone if len(ids) else context.settings.time_zone
    days = DateRange(*read_dates(params, timestamp.load_zone(zone_name)))
    context.rollup.check_size(len(ids), days.day_count)
    return days


def _nothing() -> Counts:
    return Counts(*(np.zeros(0, np.int64) for _ in Counts._fields))


def _locked(context: ApiContext, ids: PointIdColumn, days: DateRange) -> npt.NDArray[np.bool_]:
    """Of each point and day whether it lies in a locked period."""
    found = np.zeros((len(ids), days.day_count), np.bool_)
    first = days.first.toordinal()
    for place, point_id in enumerate(ids.tolist()):
        if context.billing.locks_of(point_id):
            found[place] = [context.billing.is_locked(point_id, first + k) for k in range(days.day_count)]
    return found


def _calendar_of(
    grid: DayGrid, names: list[str], is_locked: npt.NDArray[np.bool_], limits: Limits
) -> list[CalendarDay]:
    counts, missing = grid.counts, grid.counts.missing
    sums = Counts(*(column.sum(axis=0) for column in counts))
    shares = sums.completeness.tolist()
    return [
        CalendarDay(
            day=date.isoformat(),
            expected=int(sums.expected[k]),
            received=int(sums.received[k]),
            good=int(sums.good[k]),
            missing=int(sums.missing[k]),
            completeness=_number(shares[k]),
            light=completeness.light(int(sums.covered[k]), int(sums.expected[k]), limits),
            state=_state_of(grid, is_locked, k),
            worst=[
                WorstPoint(
                    point=names[place],
                    expected=int(counts.expected[place, k]),
                    received=int(counts.received[place, k]),
                    missing=int(missing[place, k]),
                )
                for place in _worst(missing[:, k], counts.expected[:, k])
            ],
        )
        for k, date in enumerate(dates_of(grid.days))
    ]


def _state_of(grid: DayGrid, is_locked: npt.NDArray[np.bool_], k: int) -> str:
    if not grid.is_over[:, k].all():
        return "open"
    if is_locked[:, k].all():
        return "final"
    return "provisional" if grid.counts.missing[:, k].any() else "complete"


def _worst(missing: completeness.I64, expected: completeness.I64) -> list[int]:
    """Places of the points that lack the largest shares, the largest first; of equal ones the first."""
    share = missing / np.maximum(expected, 1)
    order = np.argsort(-share, kind="stable")[:WORST_POINTS_MAX]
    return [place for place in order.tolist() if missing[place]]


def _rows_of(by: str, names: list[str], counts: Counts, delays: Delays | None) -> list[CompletenessRow]:
    columns = [column.tolist() for column in (*counts[:3], counts.missing)]
    shares = counts.completeness.tolist()
    rows = [
        CompletenessRow(
            expected=expected,
            received=received,
            good=good,
            missing=missing,
            completeness=_number(share),
            **{by: name},
        )
        for name, expected, received, good, missing, share in zip(names, *columns, shares, strict=True)
    ]
    return rows if delays is None else [_with_delays(row, delays, k) for k, row in enumerate(rows)]


def _with_delays(row: CompletenessRow, delays: Delays, k: int) -> CompletenessRow:
    known = int(delays.known[k])
    own = {name: getattr(row, name) for name in CompletenessRow.__struct_fields__}
    return CompletenessRow(
        **own
        | {
            "arrivals_known": known,
            "on_time": int(delays.on_time[k]) / known if known else None,
            "delay_median_s": _number(float(delays.median_s[k])),
            "delay_max_s": _number(float(delays.max_s[k])),
        }
    )


def _total_of(counts: Counts) -> CompletenessRow:
    expected, received, good, covered = (int(column.sum()) for column in counts)
    share = covered / expected if expected else None
    return CompletenessRow(
        expected=expected, received=received, good=good, missing=expected - covered, completeness=share
    )


def _table_of(by: str, names: list[str], counts: Counts, delays: Delays | None) -> Table:
    columns: list[Column] = [
        formats.listed(by, names),
        formats.numbers("expected", counts.expected),
        formats.numbers("received", counts.received),
        formats.numbers("good", counts.good),
        formats.numbers("missing", counts.missing),
        formats.values("completeness", counts.completeness),
    ]
    if delays is not None:
        share = np.divide(
            delays.on_time, delays.known, out=np.full(len(names), np.nan), where=delays.known > 0
        )
        columns += [
            formats.numbers("arrivals_known", delays.known),
            formats.values("on_time", share),
            formats.values("delay_median_s", delays.median_s),
            formats.values("delay_max_s", delays.max_s),
        ]
    return Table(tuple(columns), len(names))


def _calendar_table(days: list[CalendarDay]) -> Table:
    """Without the points that lack most."""
    names = [name for name in CalendarDay.__struct_fields__ if name != "worst"]
    columns = [formats.listed(name, [getattr(day, name) for day in days]) for name in names]
    return Table(tuple(columns), len(days))


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


_BY: Final = one_of("by", "What a row is; point where absent.", *BY)
_DELAYS: Final = Parameter(
    "delays",
    "1 also tells how late samples came, which reads the arrival of each.",
    {"type": "string", "enum": ["0", "1", "false", "true"]},
)
_PROBLEMS: Final = (
    problem.POINT_NOT_FOUND, problem.STATION_NOT_FOUND, problem.INVALID_PARAMETER, problem.INVALID_TIME,
    problem.QUERY_TOO_LARGE, problem.NOT_ACCEPTABLE,
)  # fmt: skip

OPERATIONS: Final = (
    Operation(
        "GET", "/completeness", get_completeness, "getCompleteness",
        "What came of the samples that were due, by point, station, item or local day.", CompletenessReply,
        parameters=(*WATCHED, FROM, TO, _BY, _DELAYS, TIME_FORM, FORMAT, BOM), problems=_PROBLEMS,
        reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "GET", "/completeness/calendar", get_calendar, "getCompletenessCalendar",
        "Each local day of a month: what was due and came, its light, and the points that lack most.", CalendarReply,
        parameters=(*WATCHED, MONTH, TIME_FORM, FORMAT, BOM), problems=_PROBLEMS,
        reply_types=TABLE_FORMS, is_query=True,
    ),
)  # fmt: skip
