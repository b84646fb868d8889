"""Billing amounts of accounts: money for periods of their own, as bills say."""

import asyncio
from typing import Final

import msgspec
from aiohttp import web

from api import formats, json_body, problem
from api.as_of import AS_OF, moment_us
from api.audit_note import note_of
from api.author import author_of
from api.body import read_body
from api.context import CONTEXT
from api.entity_form import ID, TYPE, EntityForm, key_of, moment_of
from api.operation import JSON, TIME_FORM, Operation, Parameter, one_of
from api.params import Params
from api.schemas_entities import ChargeBody, ChargeReply, ChargesReply
from api.time_form import TimeForm
from historian.catalogue.charge_book import Billed, Charge
from historian.catalogue.item_check import Notice
from historian.model.access import Right
from historian.model.timestamp import format_time


async def get_charges(request: web.Request) -> web.StreamResponse:
    """Charges of an account that count, or counted; with ``superseded=1`` all that were ever recorded."""
    params, key = Params(request.query), key_of(request)
    form, item = EntityForm.of(request, key.type, params), params.text("item")
    as_of_us, has_all = moment_us(request, params), params.is_set("superseded")
    archive = request.app[CONTEXT].archive
    entity = await asyncio.to_thread(archive.entities.get, key)
    found = await asyncio.to_thread(lambda: archive.charges.of(key, item, as_of_us, has_all=has_all))
    told = [_reply(one, form.times) for one in found]
    return formats.reply_json(ChargesReply(type=key.type, id=entity.key.id, charges=told))


async def post_charge(request: web.Request) -> web.StreamResponse:
    """Record a charge; one of the same period or the one it names is superseded, the same again changes nothing."""
    key = key_of(request)
    form = EntityForm.of(request, key.type, Params(request.query))
    body = json_body.decode(await read_body(request), ChargeBody)
    billed = Billed(
        key,
        body.item,
        moment_of(request, body.start, "/start"),
        moment_of(request, body.end, "/end"),
        body.amount,
        body.unit,
        body.document,
        body.supersedes,
        author_of(request, body.author),
        body.reason,
    )
    charges = request.app[CONTEXT].archive.charges
    outcome = await asyncio.to_thread(charges.state, billed)
    note_of(request).reason = body.reason
    if outcome.is_new:
        made = outcome.charge
        known = await asyncio.to_thread(lambda: charges.of(key, made.item, has_all=True))
        former = next((one for one in known if one.number == made.supersedes), None)
        note_of(request).change(former and _reply(former, form.times), _reply(made, form.times), "charge")
    reply = msgspec.structs.replace(
        _reply(outcome.charge, form.times), warnings=[overlap_notice(one) for one in outcome.overlapping]
    )
    return formats.reply_json(reply, status=201 if outcome.is_new else 200)


def overlap_notice(one: Charge) -> Notice:
    """That a charge shares some of another's period."""
    period = f"[{format_time(one.start_us)}, {format_time(one.end_us)})"
    return Notice(
        id="overlap",
        problem_zh=f"与第 {one.number} 号费用 {period} 的周期重叠",
        problem_en=f"its period overlaps that of charge {one.number}, {period}",
        treatment_zh="两者都保留；若为更正，请用 supersedes 指明被取代的编号",
        treatment_en="both are kept; where it is a correction, name the other by supersedes",
    )


def _reply(one: Charge, times: TimeForm) -> ChargeReply:
    return ChargeReply(
        number=one.number,
        item=one.item,
        start=times.time(one.start_us),
        end=times.time(one.end_us),
        amount=one.amount,
        unit=one.unit,
        recorded_at=times.time(one.recorded_us),
        document=one.document,
        author=one.author,
        reason=one.reason,
        supersedes=one.supersedes,
        superseded_at=times.time(one.superseded_us),
    )


_ITEM: Final = Parameter("item", "Only charges of this item, such as T2.09.", {"type": "string"})
_SUPERSEDED: Final = one_of("superseded", "1 tells those superseded too.", "0", "1", "false", "true")
_PROBLEMS: Final = (
    problem.ENTITY_NOT_FOUND,
    problem.ITEM_INVALID,
    problem.ENTITY_INVALID,
    problem.INVALID_TIME,
)

OPERATIONS: Final = (
    Operation(
        "GET", "/entities/{type}/{id}/charges", get_charges, "getCharges",
        "Billing amounts of an account, each with its own period.", ChargesReply,
        parameters=(TYPE, ID, _ITEM, _SUPERSEDED, AS_OF, TIME_FORM), problems=_PROBLEMS,
        is_global=True,  # no station is known of what it tells
    ),
    Operation(
        "POST", "/entities/{type}/{id}/charges", post_charge, "postCharge",
        "Record a billing amount; a corrected one supersedes, nothing is overwritten.", ChargeReply,
        parameters=(TYPE, ID, TIME_FORM),
        problems=(problem.MALFORMED_JSON, problem.INVALID_BODY, *_PROBLEMS, problem.BODY_TOO_LARGE),
        request_types=((JSON, ChargeBody),), may_create=True, right=Right.CONFIGURE,
        is_global=True,  # no station is known of what it tells
    ),
)  # fmt: skip
