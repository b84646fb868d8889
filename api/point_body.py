"""A point between its JSON form and the catalogue's."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET

from api import errors, formats, problem
from api.formats import Table
from api.problem import Fault, Problem
from api.reach import Points
from api.schemas import PointBody, PointReply
from historian.catalogue import item_check
from historian.errors import HistorianError, ItemInvalid, PointError, TimeError, UnitError
from historian.model import timestamp
from historian.model.item import Items
from historian.model.point import Point, PointDraft, format_interval, parse_interval_us

Outcome = tuple[Point, bool] | HistorianError  # the point and whether it is new, or why it was not made

_DRAFT_FIELDS: Final = (
    "kind", "label", "time_zone", "station", "item", "name_zh", "name_en", "multiplier", "capacity", "source", "unit",
)  # fmt: skip


def reply_of(point: Point, renamed_to: str = "", items: Items | None = None) -> PointReply:
    """The JSON form; with `items`, what to look at beside the point's item too."""
    has_range = point.range_low is not None or point.range_high is not None
    return PointReply(
        id=point.id,
        name=point.name,
        unit=point.unit,
        kind=point.kind,
        interval=format_interval(point.interval_us),
        label=point.label,
        time_zone=point.time_zone,
        station=point.station,
        item=point.item,
        name_zh=point.name_zh,
        name_en=point.name_en,
        range=(point.range_low, point.range_high) if has_range else None,
        multiplier=point.multiplier,
        capacity=point.capacity,
        source=point.source,
        renamed_to=renamed_to,
        warnings=[] if items is None else item_check.notices_of(items, point),
    )


def table_of(points: Sequence[Point]) -> Table:
    """One row a point: for lists to choose from."""
    columns: dict[str, Sequence[object]] = {
        "name": [point.name for point in points],
        "id": [point.id for point in points],
        "unit": [point.unit for point in points],
        "kind": [point.kind.value for point in points],
        "interval": [format_interval(point.interval_us) for point in points],
        "station": [point.station for point in points],
        "item": [point.item for point in points],
        "name_zh": [point.name_zh for point in points],
        "name_en": [point.name_en for point in points],
    }
    return Table(tuple(formats.listed(name, cells) for name, cells in columns.items()), len(points))


def draft_of(body: PointBody, items: Items, pointer: str = "") -> PointDraft:
    """The draft of a new point; what the body leaves out comes from its item.

    Raises Problem 422 where name, unit or kind is missing even so, ItemInvalid for an item that is none.
    """
    require(body, "name", pointer=pointer)
    changes, _ = changes_of(body, items, pointer)
    if body.item:
        item = items.get(str(changes["item"]))
        changes = {**item_check.inherited(item), **changes}
    else:
        require(body, "unit", "kind", pointer=pointer)
    assert isinstance(body.name, str), "required just above"
    return msgspec.convert({"name": body.name, **msgspec.to_builtins(changes)}, PointDraft)


def draft_or_refusal(body: PointBody, items: Items, pointer: str = "") -> PointDraft | Problem:
    """As `draft_of`; an item that is none is an outcome and costs only this point."""
    try:
        return draft_of(body, items, pointer)
    except Problem as fault:
        if fault.kind is not problem.ITEM_INVALID:
            raise
        return fault


def changes_of(body: PointBody, items: Items, pointer: str = "") -> tuple[dict[str, object], int | None]:
    """Fields of Point that the body sets, and from when they hold. Raises Problem 422, TimeError."""
    changes: dict[str, object] = {
        name: value for name in _DRAFT_FIELDS if (value := getattr(body, name)) is not UNSET
    }
    if body.item:
        changes["item"] = _item_id(items, str(body.item), pointer)
    if body.interval is not UNSET:
        try:
            changes["interval_us"] = parse_interval_us(body.interval)
        except ValueError as error:
            raise _invalid(f"{pointer}/interval", str(error)) from error
    if body.range is not UNSET:
        changes["range_low"], changes["range_high"] = body.range or (None, None)
    valid_from_us = None if body.valid_from is UNSET else timestamp.parse_time_us(str(body.valid_from))
    return changes, valid_from_us


def require(body: PointBody, *names: str, pointer: str = "") -> None:
    """Raise Problem 422 where a field is missing."""
    for name in names:
        if getattr(body, name) is UNSET:
            raise _invalid(f"{pointer}/{name}", f"{name} is required")


def create_each(registry: Points, drafts: Sequence[PointDraft | Problem]) -> list[Outcome]:
    """Make all points at once; where one stands in the way, one by one. Blocks: call it in a thread."""
    wanted = [draft for draft in drafts if isinstance(draft, PointDraft)]
    made = iter(_create_wanted(registry, wanted))
    return [next(made) if isinstance(draft, PointDraft) else draft for draft in drafts]


def _create_wanted(registry: Points, drafts: Sequence[PointDraft]) -> list[Outcome]:
    known = registry.find_ids([draft.name for draft in drafts])
    try:
        points = registry.create_many(drafts)
    except (PointError, UnitError, TimeError):
        return [_create_one(registry, draft) for draft in drafts]
    seen = {point_id for point_id in known.tolist() if point_id}
    outcomes: list[Outcome] = []
    for point in points:
        outcomes.append((point, point.id not in seen))
        seen.add(point.id)
    return outcomes


def code_of(outcome: Outcome) -> str:
    """The problem code of a refusal."""
    assert isinstance(outcome, HistorianError), "only refusals have a code"
    return errors.problem_of(outcome).kind.code


def _create_one(registry: Points, draft: PointDraft) -> Outcome:
    is_new = not registry.find_ids([draft.name])[0]
    try:
        return registry.create(draft), is_new
    except (PointError, UnitError, TimeError) as error:
        return error


def _item_id(items: Items, name: str, pointer: str) -> str:
    try:
        return item_check.measured_item(items, name).id
    except ItemInvalid as error:
        kind = problem.ITEM_INVALID
        fault = Fault(str(error), pointer=f"{pointer}/item")
        raise Problem(kind, str(error), f"{kind.title_zh}：{error}", faults=(fault,)) from error


def _invalid(pointer: str, detail: str) -> Problem:
    return Problem(
        problem.INVALID_BODY,
        f"{pointer}: {detail}",
        f"{pointer}：{detail}",
        faults=(Fault(detail, pointer=pointer),),
    )
