"""Bodies of carbon, factors, ratios and checks; the OpenAPI file is made from them as from `schemas`."""

import msgspec

from api.schemas import Time
from api.schemas_edits import Author, Reason
from historian.model.factor import FactorTable

# ── Factors ─────────────────────────────────────────────────────────────────────────────────────────────────


class FactorVersionReply(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a table of factors."""

    table: FactorTable
    recorded_at: Time
    author: str
    reason: str


class FactorTableReply(msgspec.Struct, frozen=True, kw_only=True):
    """A table in all its versions, the first one first; the last is in force."""

    id: str
    versions: list[FactorVersionReply]


class FactorsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Tables by id."""

    factors: list[FactorTableReply]


class FactorBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new table, or the next version of a known one."""

    table: FactorTable
    reason: Reason
    author: Author = ""


# ── Carbon ──────────────────────────────────────────────────────────────────────────────────────────────────


class FactorReply(msgspec.Struct, frozen=True, kw_only=True):
    """A factor as it was used; `value` is null where `hours` has one for each hour of the local clock."""

    id: str
    version: int
    value: float | None
    unit: str
    basis: str
    region: str
    year: int | None
    hours: list[float]
    source: str


class CarbonReplyRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Carbon of one point, period and direction: `energy` × `factors`. Rows of different `direction` are never added.

    `co2_unit` is ``kgCO2`` or, of factors with other gases, ``kgCO2e``: the two are never added either. `kgce` is coal
    equivalent. `state` is ``provisional`` where a factor of an earlier year stands in, too. `energy_in_no_hour`: what
    factors by the hour could not multiply; it is in no figure of carbon.
    """

    point: str
    period: str
    period_start: Time
    period_end: Time
    direction: str
    carrier: str
    energy: float | None
    unit: str
    co2: float | None
    co2_unit: str | None
    factors: list[FactorReply]
    kgce: float | None
    coal_factors: list[FactorReply]
    state: str
    warnings: list[str] = []
    energy_in_no_hour: float | None = None


class CarbonTotal(msgspec.Struct, frozen=True, kw_only=True):
    """The sum of those rows of one period that add up: one direction, carrier, substance and basis. `points` counts them."""

    period_start: Time
    period_end: Time
    direction: str
    carrier: str
    energy: float | None
    unit: str
    co2: float | None
    co2_unit: str | None
    kgce: float | None
    points: int
    state: str


class CarbonReply(msgspec.Struct, frozen=True, kw_only=True):
    """Rows point by point, in order of time; `totals` only where several points were asked for."""

    period: str
    basis: str
    rows: list[CarbonReplyRow]
    totals: list[CarbonTotal]


# ── Ratios ──────────────────────────────────────────────────────────────────────────────────────────────────


class RatioReplyRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A ratio over a period, in `unit`. `ratio` is made anew of sums or means of the whole period; `max` and `mean` are of the
    ratios of its quarters of an hour.

    `over_capacity_count` counts those above 100 %, which is legal. `rounded` is a power factor to two decimals, half up, as it
    is billed; `standards` are those of the power factor tariff, for information: which holds is a matter of the contract.
    """

    point: str
    period: str
    period_start: Time
    period_end: Time
    formula: str
    inputs: list[str]
    basis: str
    unit: str
    ratio: float | None
    max: float | None
    max_start: Time
    max_end: Time
    mean: float | None
    over_capacity_count: int
    slot_count: int
    value_count: int
    state: str
    capacity: float | None = None
    capacity_unit: str = ""
    assumed_power_factor: float | None = None
    rounded: float | None = None
    standards: list[float] = []
    warnings: list[str] = []


class RatiosReply(msgspec.Struct, frozen=True, kw_only=True):
    """Rows point by point, in order of time."""

    period: str
    rows: list[RatioReplyRow]


# ── Checks ──────────────────────────────────────────────────────────────────────────────────────────────────


class CheckSuggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What may be behind a difference, for a person to judge; `numbers` are what it rests on."""

    kind: str
    point: str
    numbers: dict[str, float]


class CheckReplyRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Two measurements of the same energy, both in `unit`; neither is changed. `residual` is `energy` − `other_energy`,
    `ratio` the one over the other; `limit` is the tolerance as an amount. `is_exceeded` is null where the two do not speak
    for the same time.
    """

    point: str
    other: str
    period: str
    period_start: Time
    period_end: Time
    unit: str
    energy: float | None
    other_energy: float | None
    residual: float | None
    ratio: float | None
    limit: float | None
    tolerance: float
    steps: int
    is_exceeded: bool | None
    suggestions: list[CheckSuggestion]
    state: str
    warnings: list[str] = []


class ChecksReply(msgspec.Struct, frozen=True, kw_only=True):
    """Rows point by point, in order of time."""

    period: str
    rows: list[CheckReplyRow]
