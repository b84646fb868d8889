"""Stations, one line each."""

from typing import Final

from aiohttp import web

from api import formats, problem
from api.context import CONTEXT
from api.formats import Format, Table
from api.operation import BOM, FORMAT, TABLE_FORMS, TIME_FORM, Operation, Parameter, one_of
from api.params import Params
from api.reach import points_of
from api.schemas_watch import StationDriver, StationReply, StationsReply
from api.time_form import TimeForm
from api.watched import check_station
from historian.model.ports import DriverStatus
from historian.rollup.stations import StationLine

_UP: Final = ("running", "connecting")
_LISTS: Final = ("main_points", "candidates", "reasons")


async def list_stations(request: web.Request) -> web.StreamResponse:
    """All stations that have a point, by name or the worst first."""
    params = Params(request.query)
    form, choice = TimeForm.of(params), formats.choose_format(request)
    order = params.choice("sort", ("name", "worst"), "name")
    names = points_of(request).stations()
    rows = await _replies(request, names, form)
    if order == "worst":
        rows.sort(key=_badness)
    if choice is not Format.JSON:
        return await formats.reply_table(request, _table_of(rows), choice)
    return formats.reply_json(StationsReply(stations=rows))


async def get_station(request: web.Request) -> web.StreamResponse:
    """One station."""
    form, name = TimeForm.of(Params(request.query)), request.match_info["station"]
    check_station(request, name)
    return formats.reply_json((await _replies(request, [name], form))[0])


async def _replies(request: web.Request, names: list[str], form: TimeForm) -> list[StationReply]:
    context = request.app[CONTEXT]
    lines = await context.watch.stations.lines(names, context.settings.rollup.points_max)
    drivers: dict[str, list[DriverStatus]] = {}
    for status in context.drivers.statuses():
        drivers.setdefault(status.station, []).append(status)
    return [_reply(line, drivers.get(line.station, []), form) for line in lines]


def _reply(line: StationLine, drivers: list[DriverStatus], form: TimeForm) -> StationReply:
    return StationReply(
        station=line.station,
        point_count=line.point_count,
        name_zh=line.name_zh,
        name_en=line.name_en,
        power=line.power,
        power_time=form.time(line.power_us),
        power_unit="kW",
        main_points=[point.name for point in line.main.points],
        main_basis=line.main.basis,
        candidates=list(line.main.candidates),
        max_power=line.max_power,
        max_time=form.time(line.max_start_us),
        mean_power=line.mean_power,
        energy=line.energy,
        energy_unit="kWh",
        capacity=line.capacity,
        load_ratio=line.load_ratio,
        age_s=line.age_s,
        overdue_count=line.overdue_count,
        expected=line.expected,
        missing=line.missing,
        completeness=line.completeness,
        drivers_down=sum(one.state not in _UP for one in drivers),
        drivers=[StationDriver(name=one.name, state=one.state, last_error=one.last_error) for one in drivers],
        reasons=list(line.reasons),
    )


def _badness(row: StationReply) -> tuple[float, float, int, str]:
    """Rises towards the better: share of silent points, completeness, drivers that are down."""
    complete = 1.0 if row.completeness is None else row.completeness
    return -row.overdue_count / row.point_count, complete, -row.drivers_down, row.station


def _table_of(rows: list[StationReply]) -> Table:
    """Lists as words with spaces between; drivers by their number."""
    names = [name for name in StationReply.__struct_fields__ if name != "drivers"]
    columns = [
        formats.listed(
            name,
            [" ".join(getattr(row, name)) if name in _LISTS else getattr(row, name) for row in rows],
        )
        for name in names
    ]
    return Table(tuple(columns), len(rows))


_STATION: Final = Parameter("station", "Name of the station.", {"type": "string"}, "path", True)
_SORT: Final = one_of(
    "sort", "`worst`: most silent, least complete first; by name where absent.", "name", "worst"
)

OPERATIONS: Final = (
    Operation(
        "GET", "/stations", list_stations, "listStations",
        "Stations, one line each: power now, figures of today, load ratio, completeness, silent points, drivers.",
        StationsReply, parameters=(_SORT, TIME_FORM, FORMAT, BOM),
        problems=(problem.INVALID_PARAMETER, problem.NOT_ACCEPTABLE), reply_types=TABLE_FORMS, is_query=True,
    ),
    Operation(
        "GET", "/stations/{station}", get_station, "getStation", "One station.", StationReply,
        parameters=(_STATION, TIME_FORM), problems=(problem.STATION_NOT_FOUND,), is_query=True,
    ),
)  # fmt: skip
