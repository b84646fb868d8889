"""The drivers: how each is, when data came last, and what it counted."""

from typing import Final

from aiohttp import web

from api import formats, problem, schemas
from api.caller import identity_of
from api.context import CONTEXT
from api.operation import TIME_FORM, Operation, Parameter
from api.params import Params
from api.problem import Problem
from api.time_form import TimeForm
from historian.model.ports import DriverStatus

_DRIVER: Final = Parameter("driver", "Name of the driver.", {"type": "string"}, "path", True)


async def list_drivers(request: web.Request) -> web.StreamResponse:
    """All configured drivers."""
    form = TimeForm.of(Params(request.query))
    statuses = _statuses(request)
    return formats.reply_json(schemas.DriversReply(drivers=[_reply(status, form) for status in statuses]))


async def get_driver(request: web.Request) -> web.StreamResponse:
    """One driver by name. Raises Problem 404."""
    name = request.match_info["driver"]
    form = TimeForm.of(Params(request.query))
    for status in _statuses(request):
        if status.name == name:
            return formats.reply_json(_reply(status, form))
    raise Problem(problem.DRIVER_NOT_FOUND, f"no driver is named {name!r}", f"没有名为 {name!r} 的采集驱动")


def _statuses(request: web.Request) -> list[DriverStatus]:
    """Those of the caller's stations."""
    identity = identity_of(request)
    return [one for one in request.app[CONTEXT].drivers.statuses() if identity.sees(one.station)]


def _reply(status: DriverStatus, form: TimeForm) -> schemas.DriverReply:
    return schemas.DriverReply(
        name=status.name,
        protocol=status.protocol,
        station=status.station,
        address=status.address,
        state=status.state,
        since=form.time(status.since_us),
        last_data=form.time(status.last_data_us),
        last_error=status.last_error,
        last_error_at=form.time(status.last_error_us),
        restart_count=status.restart_count,
        counters=status.counters,
    )


OPERATIONS: Final = (
    Operation(
        "GET", "/drivers", list_drivers, "listDrivers", "All configured drivers.", schemas.DriversReply,
        parameters=(TIME_FORM,),
    ),
    Operation(
        "GET", "/drivers/{driver}", get_driver, "getDriver", "One driver.", schemas.DriverReply,
        parameters=(_DRIVER, TIME_FORM), problems=(problem.DRIVER_NOT_FOUND,),
    ),
)  # fmt: skip
