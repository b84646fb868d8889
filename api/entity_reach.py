"""Entities within a caller's reach: what belongs to their stations by relations; the rest of the archive is for who sees all.

A substation's id is its station's name; a line, a bay, a metering point or a meter belongs where its relations lead, or where the
points are that measure it. Another's does not exist for them, as with points.
"""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from api import problem
from api.caller import identity_of
from api.context import CONTEXT, ApiContext
from api.problem import Problem
from api.reach import points_of
from historian.errors import EntityNotFound, PointNotFound
from historian.model.entity import Entity, EntityKey
from historian.model.relation import KINDS, POINT, Relation

TYPES: Final = frozenset({"substation", "line", "bay", "metering_point", "meter"})
STEPS_MAX: Final = 5  # meter, metering point, bay, line, substation
_UPWARDS: Final = frozenset({"line_of", "bay_of", "metering_point_of", "meter_at"})
_MEASURED: Final = "measured_by"


def require_type(request: web.BaseRequest, entity_type: str) -> None:
    """Raise Problem 403 where the caller's rights are for some stations and entities of this type belong to none."""
    if identity_of(request).stations is not None and entity_type not in TYPES:
        known = ", ".join(sorted(TYPES))
        raise Problem(
            problem.FORBIDDEN,
            f"your rights are for some stations, and {entity_type} belongs to none; within reach are: {known}",
            f"您的权限只限部分厂站，{entity_type} 不属于任何厂站；可访问：{known}",
        )


def require_entity(request: web.Request, entity: Entity, asked: EntityKey) -> None:
    """Raise EntityNotFound for an entity of another station, under the name it was asked for. Blocks."""
    if not is_reached(request, entity):
        raise EntityNotFound(*asked)


def is_reached(request: web.Request, entity: Entity) -> bool:
    """Whether the entity belongs now to a station of the caller. Blocks."""
    stations, context = identity_of(request).stations, request.app[CONTEXT]
    if stations is None:
        return True
    waiting, now_us = [entity], context.clock.now_us()
    for _ in range(STEPS_MAX):
        if any(one.key.type == "substation" and one.key.id in stations for one in waiting):
            return True
        above = [
            (one, relation)
            for one in waiting
            for relation in context.archive.relations.of(one.key, at_us=now_us)
            if relation.from_number == one.number
        ]
        if any(kept.kind == _MEASURED and _is_own_point(request, kept.to_number) for _, kept in above):
            return True
        numbers = sorted({kept.to_number for _, kept in above if kept.kind in _UPWARDS})
        waiting = [*context.archive.entities.by_numbers(numbers).values()]
    return False


def reached_relations(request: web.Request, found: Sequence[Relation]) -> list[Relation]:
    """Those whose both sides are within reach. Blocks."""
    if identity_of(request).stations is None:
        return [*found]
    return [one for one in found if _is_whole(request, request.app[CONTEXT], one)]


def _is_whole(request: web.Request, context: ApiContext, one: Relation) -> bool:
    leads_to_point = KINDS[one.kind].to_types == (POINT,)
    if leads_to_point and not _is_own_point(request, one.to_number):
        return False
    numbers = [one.from_number] if leads_to_point else [one.from_number, one.to_number]
    sides = context.archive.entities.by_numbers(numbers).values()
    return all(side.key.type in TYPES and is_reached(request, side) for side in sides)


def _is_own_point(request: web.Request, point_id: int) -> bool:
    try:
        points_of(request).by_id(point_id)
    except PointNotFound:
        return False
    return True
