"""The standard's catalogue of items."""

from typing import Final

from aiohttp import web

from api import formats, problem
from api.context import CONTEXT
from api.operation import Operation, Parameter, whole
from api.params import Params
from api.schemas_entities import ItemReply, ItemsReply
from historian.model.item import EXTENSION_TABLE, Item, Items
from historian.model.point import SECOND_US, format_interval

TABLE_MAX: Final = 6


async def list_items(request: web.Request) -> web.StreamResponse:
    """All items, or those of a table, a type of entity, a category or a kind."""
    items, params = request.app[CONTEXT].archive.items, Params(request.query)
    table = params.whole("table", EXTENSION_TABLE, TABLE_MAX)
    entity_type, category = params.text("entity_type"), params.text("category")
    if entity_type is not None:
        items.check_type(entity_type)
    kind = params.text("kind")
    found = [
        _reply_of(items, item)
        for item in items.items
        if table in (None, item.table)
        and entity_type in (None, item.entity_type)
        and category in (None, item.category_zh, item.category_en)
        and kind in (None, item.kind)
    ]
    reply = ItemsReply(
        items=found,
        count=len(found),
        entity_types=items.entity_types,
        units=items.units,
        errata=list(items.errata.values()),
    )
    return formats.reply_json(reply)


def _reply_of(items: Items, item: Item) -> ItemReply:
    return ItemReply(
        id=item.id,
        slug=item.slug,
        table=item.table,
        row=item.row,
        entity_type=item.entity_type,
        category_zh=item.category_zh,
        category_en=item.category_en,
        name_zh=item.name_zh,
        name_en=item.name_en,
        attribute=item.name if item.is_plain_attribute else "",
        kind=item.kind,
        value_type=item.value_type,
        unit=item.unit,
        unit_draft=item.unit_draft,
        ucum=item.ucum,
        quantity=item.quantity,
        update_zh=item.update_zh,
        interval_max=format_interval(item.promised_s * SECOND_US) if item.promised_s else None,
        periods=item.periods,
        aggregation=item.aggregation,
        description_zh=item.description_zh,
        choices=item.choices,
        personal_data=item.is_personal,
        reserved=item.is_reserved,
        errata=items.errata_of(item),
    )


def _filter(name: str, description: str) -> Parameter:
    return Parameter(name, description, {"type": "string"})


OPERATIONS: Final = (
    Operation(
        "GET", "/catalogue/items", list_items, "listItems",
        "Items of the standard's tables, with their errata and the chosen treatment; extensions have table 0.", ItemsReply,
        parameters=(
            whole("table", "Only items of this table; 0 for extensions.", EXTENSION_TABLE, TABLE_MAX),
            _filter("entity_type", "Only items of this type of entity."),
            _filter("category", "Only items of this category, by its Chinese or English name."),
            _filter("kind", "Only items of this kind."),
        ),
        problems=(problem.ITEM_INVALID,),
    ),
)  # fmt: skip
