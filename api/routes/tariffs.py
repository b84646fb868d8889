"""Time-of-use calendars: told, laid out over a day, put in a new version, and days that were given a flag."""

import asyncio
from typing import Final

from aiohttp import web

from api import formats, json_body, problem
from api.audit_note import note_of
from api.author import decision_of
from api.body import read_body
from api.context import CONTEXT
from api.operation import DATE, JSON, TIME_FORM, ZONE, Operation, Parameter
from api.params import Params
from api.problem import Problem
from api.routes.terms import NUMBER
from api.sample_form import SampleForm
from api.schemas_terms import (
    BandReply,
    DayFlagBody,
    DayFlagReply,
    TariffBody,
    TariffDayReply,
    TariffReply,
    TariffsReply,
    TariffSummary,
    TariffVersionReply,
    WithdrawBody,
)
from api.time_form import TimeForm
from historian.model import timestamp
from historian.model.access import Right
from historian.model.tariff import BANDS, UNDIVIDED
from historian.rollup.tariff_book import DayFlag, TariffBook, TariffVersion


async def list_tariffs(request: web.Request) -> web.StreamResponse:
    """All calendars, each as it is in force."""
    book = request.app[CONTEXT].tariffs
    return formats.reply_json(TariffsReply(tariffs=[_summary_of(book, one) for one in book.ids()]))


async def get_tariff(request: web.Request) -> web.StreamResponse:
    """One calendar in all its versions."""
    book, times = request.app[CONTEXT].tariffs, SampleForm.of(Params(request.query)).times
    tariff_id = request.match_info["tariff"]
    versions = [_version_of(one, times) for one in book.versions(tariff_id)]
    flags = [_flag_of(one, times) for one in book.flags(tariff_id)]
    return formats.reply_json(TariffReply(id=tariff_id, versions=versions, flags=flags))


async def get_day(request: web.Request) -> web.StreamResponse:
    """The bands of a local day."""
    context, params = request.app[CONTEXT], Params(request.query)
    book, times = context.tariffs, SampleForm.of(params).times
    tariff_id, date = request.match_info["tariff"], params.date("date")
    zone = times.zone or timestamp.load_zone(context.settings.time_zone)
    made = book.schedule(tariff_id, frozenset(params.names("options")), date, zone)
    edges = made.edges_us.tolist()
    bands = [
        BandReply(
            start=times.time(start), end=times.time(end), band=None if code == UNDIVIDED else BANDS[code]
        )
        for start, end, code in zip(edges, edges[1:], made.band.tolist(), strict=False)
    ]
    version = book.get(tariff_id).calendar.version
    return formats.reply_json(
        TariffDayReply(
            id=tariff_id, version=version, date=date.isoformat(), time_zone=zone.key, bands=bands,
            warnings=list(made.warnings),
        )
    )  # fmt: skip


async def put_tariff(request: web.Request) -> web.StreamResponse:
    """Put a new calendar or the next version of one; figures made by it are made anew."""
    book, times = request.app[CONTEXT].tariffs, SampleForm.of(Params(request.query)).times
    body = json_body.decode(await read_body(request), TariffBody)
    if body.calendar.id != request.match_info["tariff"]:
        raise Problem.of_parameter(
            "tariff", f"is not the calendar's id, {body.calendar.id!r}", "与日历的 id 不同"
        )
    decision = decision_of(request, body)
    known = body.calendar.id in book.ids()
    old = book.get(body.calendar.id).calendar.version if known else None
    made = await asyncio.to_thread(book.put, body.calendar, decision.author, decision.reason)
    note_of(request).change(old, body.calendar.version, "calendar")
    return formats.reply_json(_version_of(made, times))


async def post_flag(request: web.Request) -> web.StreamResponse:
    """Say that a day was one of those the calendar asks for."""
    book, times = request.app[CONTEXT].tariffs, SampleForm.of(Params(request.query)).times
    body = json_body.decode(await read_body(request), DayFlagBody)
    decision = decision_of(request, body)
    note_of(request).change(None, body.flag, body.date.isoformat())
    made = await asyncio.to_thread(
        book.flag_day, request.match_info["tariff"], body.date, body.flag, decision.author, decision.reason
    )
    return formats.reply_json(_flag_of(made, times), status=201)


async def post_withdraw(request: web.Request) -> web.StreamResponse:
    """Take a flag back."""
    book, times = request.app[CONTEXT].tariffs, SampleForm.of(Params(request.query)).times
    decision_body = json_body.decode(await read_body(request), WithdrawBody)
    decision_of(request, decision_body)
    number = request.match_info["number"]
    if not number.isdecimal() or not _has_flag(book, request.match_info["tariff"], number):
        raise Problem.of_parameter(
            "number", f"{number!r} is no flag of this calendar", f"{number!r} 不是该日历的标记"
        )
    gone = await asyncio.to_thread(book.withdraw_flag, int(number))
    note_of(request).change(gone.flag, None, gone.date.isoformat())
    return formats.reply_json(_flag_of(gone, times))


def _has_flag(book: TariffBook, tariff_id: str, number: str) -> bool:
    return any(str(one.number) == number for one in book.flags(tariff_id))


def _summary_of(book: TariffBook, tariff_id: str) -> TariffSummary:
    tariff = book.get(tariff_id)
    calendar = tariff.calendar
    return TariffSummary(
        id=calendar.id,
        version=calendar.version,
        name_zh=calendar.name_zh,
        name_en=calendar.name_en,
        region=calendar.region,
        valid_from=calendar.valid_from,
        valid_to=calendar.valid_to,
        options=sorted(tariff.options),
        flags=sorted(tariff.flags),
    )


def _version_of(one: TariffVersion, times: TimeForm) -> TariffVersionReply:
    return TariffVersionReply(
        calendar=one.calendar, recorded_at=times.time(one.recorded_us), author=one.author, reason=one.reason
    )


def _flag_of(one: DayFlag, times: TimeForm) -> DayFlagReply:
    return DayFlagReply(
        number=one.number,
        date=one.date,
        flag=one.flag,
        recorded_at=times.time(one.recorded_us),
        author=one.author,
        reason=one.reason,
        withdrawn_at=times.time(one.withdrawn_us),
    )


_TARIFF: Final = Parameter("tariff", "Id of the calendar.", {"type": "string"}, "path", True)
_OPTIONS: Final = Parameter(
    "options", "Conditions that hold for the account, comma-separated.", {"type": "string"}
)
_BODY: Final = (
    problem.MALFORMED_JSON, problem.INVALID_BODY, problem.TARIFF_NOT_FOUND, problem.TARIFF_INVALID,
    problem.EDIT_REFUSED, problem.BODY_TOO_LARGE,
)  # fmt: skip

OPERATIONS: Final = (
    Operation("GET", "/tariffs", list_tariffs, "listTariffs", "All time-of-use calendars.", TariffsReply),
    Operation(
        "GET", "/tariffs/{tariff}", get_tariff, "getTariff", "One calendar in all its versions.", TariffReply,
        parameters=(_TARIFF, TIME_FORM), problems=(problem.TARIFF_NOT_FOUND,),
    ),
    Operation(
        "GET", "/tariffs/{tariff}/day", get_day, "getTariffDay", "The bands of a local day.", TariffDayReply,
        parameters=(_TARIFF, DATE, _OPTIONS, ZONE, TIME_FORM),
        problems=(problem.TARIFF_NOT_FOUND, problem.TARIFF_INVALID, problem.INVALID_TIME),
    ),
    Operation(
        "PUT", "/tariffs/{tariff}", put_tariff, "putTariff",
        "Put a calendar, or the next version of one; one that does not tile the day is refused with the hole named.",
        TariffVersionReply, parameters=(_TARIFF, TIME_FORM), problems=_BODY, request_types=((JSON, TariffBody),), right=Right.CONFIGURE, is_global=True,
    ),
    Operation(
        "POST", "/tariffs/{tariff}/flags", post_flag, "flagDay", "Say that a day was, for one, a hot one.",
        DayFlagReply, parameters=(_TARIFF, TIME_FORM), problems=_BODY, request_types=((JSON, DayFlagBody),), status=201, right=Right.CONFIGURE, is_global=True,
    ),
    Operation(
        "POST", "/tariffs/{tariff}/flags/{number}/withdraw", post_withdraw, "withdrawFlag", "Take a flag back.",
        DayFlagReply, parameters=(_TARIFF, NUMBER, TIME_FORM), problems=_BODY,
        request_types=((JSON, WithdrawBody),), right=Right.CONFIGURE, is_global=True,
    ),
)  # fmt: skip
