"""A point beside its item: what it takes from the item, and where the two differ. Nothing is ever scaled."""

from collections.abc import Mapping
from typing import Final

import msgspec

from historian.errors import ItemInvalid, UnitError
from historian.model.item import Item, Items
from historian.model.point import SECOND_US, Point, format_interval
from historian.model.unit import get_unit


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody should look at; `treatment` is what was done."""

    id: str
    problem_zh: str
    problem_en: str
    treatment_zh: str
    treatment_en: str


_KEPT: Final = ("按测点声明的保存，不作换算", "kept as the point says; nothing is converted")


def measured_item(items: Items, name: str) -> Item:
    """The item of that id or slug, for a point. Raises ItemInvalid where there is none, or none that points measure."""
    item = items.get(name)
    if item.is_reserved:
        raise ItemInvalid(f"item {item.id} is a number without a meaning; its row of the draft is empty")
    if item.point_kind is None:
        where = "a charge" if item.kind == "billing_amount" else "an attribute"
        raise ItemInvalid(
            f"item {item.id} ({item.name_en}) is {where} of a {item.entity_type}, not a measurement: state it there, "
            "under /entities"
        )
    return item


def inherited(item: Item) -> Mapping[str, object]:
    """What a point takes from its item where it does not say so itself: fields of PointDraft."""
    fields: dict[str, object] = {"unit": item.unit, "kind": item.point_kind}
    if item.promised_s:
        fields["interval_us"] = item.promised_s * SECOND_US
    return fields


def notices_of(items: Items, point: Point) -> list[Notice]:
    """Where the point differs from its item, then what is wrong with the item itself; none where it has no item."""
    item = items.find(point.item) if point.item else None
    if item is None or item.point_kind is None:
        return []
    return _differences(point, item) + [
        Notice(
            id=erratum.id,
            problem_zh=erratum.problem_zh,
            problem_en=erratum.problem_en,
            treatment_zh=erratum.treatment_zh,
            treatment_en=erratum.treatment_en,
        )
        for erratum in items.errata_of(item)
    ]


def _differences(point: Point, item: Item) -> list[Notice]:
    found = []
    if point.unit != item.unit:
        same = _dimension(point.unit) == _dimension(item.unit)
        found.append(
            _differing(
                "unit-differs",
                f"单位 {point.unit} 与项 {item.id} 的 {item.unit} 不同" + ("" if same else "，量纲也不同"),
                f"unit {point.unit} differs from {item.unit} of item {item.id}"
                + ("" if same else ", and so does the dimension"),
            )
        )
    if point.kind is not item.point_kind:
        kind = item.kind
        found.append(
            _differing(
                "kind-differs",
                f"类型 {point.kind.value} 与项 {item.id} 的 {kind} 不同",
                f"kind {point.kind.value} differs from {kind} of item {item.id}",
            )
        )
    if item.promised_s and point.interval_us > item.promised_s * SECOND_US:
        longest = format_interval(item.promised_s * SECOND_US)
        mine = format_interval(point.interval_us)
        found.append(
            _differing(
                "interval-longer",
                f"间隔 {mine} 超过项 {item.id} 允许的 {longest}",
                f"interval {mine} is longer than {longest}, which item {item.id} allows",
            )
        )
    return found


def _differing(id_: str, zh: str, en: str) -> Notice:
    return Notice(id=id_, problem_zh=zh, problem_en=en, treatment_zh=_KEPT[0], treatment_en=_KEPT[1])


def _dimension(symbol: str) -> str:
    try:
        return get_unit(symbol).dimension
    except UnitError:  # a point of an older catalogue
        return symbol
