"""How entities belong together, and since when: meters at metering points, lines of substations, accounts of customers, supply paths."""

from typing import Final, Literal, NamedTuple

from historian.errors import EntityInvalid
from historian.model.timestamp import format_time

POINT: Final = "point"  # the type of what is not an entity but a measured point
CARRIERS: Final = ("electricity", "water", "gas", "cooling", "heat")

_ACCOUNTS: Final = ("power_account", "water_account", "thermal_account")
_CUSTOMERS: Final = ("enterprise", "customer_site", "service_customer")


class RelationKind(NamedTuple):
    """One kind of relation, read as: `from_types` … of, at or under `to_types`.

    `alone` says which side can have one such relation at a time: ``from``, ``to`` or both.
    """

    id: str
    from_types: tuple[str, ...]
    to_types: tuple[str, ...]
    name_zh: str
    name_en: str
    alone: tuple[Literal["from", "to"], ...] = ()
    has_carrier: bool = False
    item: str = ""


KINDS: Final = {
    kind.id: kind
    for kind in (
        RelationKind("meter_at", ("meter",), ("metering_point",), "表计装于采集点", "meter at a metering point", ("from", "to")),
        RelationKind("measured_by", ("metering_point", "bay", "meter", "line", "substation", *_ACCOUNTS), (POINT,), "由测点计量", "measured by a point"),
        RelationKind("line_of", ("line",), ("substation",), "线路所属变电站", "line fed by a substation", ("from",), item="T2.17"),
        RelationKind("bay_of", ("bay",), ("substation", "line"), "间隔所属", "bay of a substation or line", ("from",)),
        RelationKind("account_of", _ACCOUNTS, _CUSTOMERS, "账户所属客户", "account of a customer", ("from",)),
        RelationKind("site_of", ("customer_site", "service_customer"), ("enterprise",), "站点所属企业", "site of an enterprise", ("from",)),
        RelationKind("metering_point_of", ("metering_point",), ("customer_site", "service_customer", "bay"), "采集点所属", "metering point of a site or bay"),
        RelationKind("supply_path", ("metering_point", "customer_site"), ("metering_point", "line", "substation", *_ACCOUNTS), "供能路径", "energy supply path", has_carrier=True, item="T6.04"),
    )
}  # fmt: skip


class Relation(NamedTuple):
    """One relation, as stated: it holds in ``[valid_from_us, valid_to_us)``, None for no end known; `withdrawn_us` None while it is in force.

    `from_number` and `to_number` are numbers of entities, `to_number` the id of a point where the kind leads to points.
    """

    number: int
    kind: str
    from_number: int
    to_number: int
    carrier: str
    valid_from_us: int
    valid_to_us: int | None
    recorded_us: int
    author: str = ""
    reason: str = ""
    withdrawn_us: int | None = None

    def is_known_at(self, time_us: int | None) -> bool:
        """Whether it was in force by what was recorded until then; None: now."""
        if time_us is None:
            return self.withdrawn_us is None
        return self.recorded_us <= time_us and (self.withdrawn_us is None or self.withdrawn_us > time_us)

    def holds_at(self, time_us: int) -> bool:
        """Whether the moment is inside."""
        return self.valid_from_us <= time_us and (self.valid_to_us is None or time_us < self.valid_to_us)

    def overlaps(self, from_us: int, to_us: int | None) -> bool:
        """Whether both hold at some moment."""
        return (self.valid_to_us is None or from_us < self.valid_to_us) and (
            to_us is None or self.valid_from_us < to_us
        )


def kind_of(name: str) -> RelationKind:
    """The kind of that name. Raises EntityInvalid that lists all."""
    kind = KINDS.get(name)
    if kind is None:
        raise EntityInvalid(f"{name!r} is no kind of relation; there are: {', '.join(KINDS)}")
    return kind


def check(kind: RelationKind, from_type: str, to_type: str, carrier: str) -> None:
    """Raise EntityInvalid where the kind does not lead from one to the other, or the carrier does not fit."""
    if from_type not in kind.from_types or to_type not in kind.to_types:
        raise EntityInvalid(
            f"{kind.id} leads from {' or '.join(kind.from_types)} to {' or '.join(kind.to_types)}, not from {from_type} "
            f"to {to_type}"
        )
    if kind.has_carrier and carrier not in CARRIERS:
        raise EntityInvalid(f"carrier {carrier!r} of {kind.id} is not one of: {', '.join(CARRIERS)}")
    if carrier and not kind.has_carrier:
        raise EntityInvalid(f"{kind.id} has no carrier")


def check_span(from_us: int, to_us: int | None) -> None:
    """Raise EntityInvalid for a span that is empty."""
    if to_us is not None and to_us <= from_us:
        raise EntityInvalid(f"valid_to {format_time(to_us)} is not after valid_from {format_time(from_us)}")
