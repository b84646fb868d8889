"""Rollups as columns, and their forms: JSON objects, table rows, Arrow."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from api import formats, row_kernels
from api.formats import Table
from api.params import Params
from api.problem import Problem
from api.sample_form import SampleForm
from historian.model.point import PointKind
from historian.model.tariff import BANDS
from historian.rollup import bill, lock_overlay, meter_rates, periods
from historian.rollup.bill import Bills
from historian.rollup.billing import Billed
from historian.rollup.day_figure import ALGORITHMS
from historian.rollup.periods import PeriodColumns
from historian.rollup.point_unit import FigureUnits

I64 = npt.NDArray[np.int64]

# Fields that a request may choose, and the columns of the answer that each needs.
FIELDS: Final[dict[str, frozenset[str]]] = {
    "period": frozenset(),
    "period_end": frozenset(),
    "energy": frozenset({"energy"}),
    "unit": frozenset(),
    "max_demand": frozenset({"max_value"}),
    "max_demand_unit": frozenset(),
    "max_time": frozenset({"max_start_us"}),
    "max_end": frozenset({"max_end_us"}),
    "min": frozenset({"min_value"}),
    "min_time": frozenset({"min_start_us"}),
    "min_end": frozenset({"min_end_us"}),
    "mean": frozenset({"mean"}),
    "load_factor": frozenset({"load_factor"}),
    "utilisation_hours": frozenset({"energy", "max_value"}),
    "coverage": periods.COUNTS,
    "method": frozenset(),
    "state": frozenset({"state"}),
    "algorithm": frozenset(),
    "revision": frozenset({"revision"}),
    "computed_at": frozenset({"computed_at_us"}),
    "tou": frozenset(),
    "tou_register": frozenset({"energy"}),
    "tariff": frozenset(),
    "warnings": frozenset(),
    "billing_demand": frozenset(),
    "events": frozenset(),
    "lock": frozenset(),
}
# Told only where a point has them, or where they are asked for by name.
_OF_BILLS: Final = ("tou", "tou_register", "tariff", "warnings", "billing_demand", "events")
_ALWAYS: Final = ("point", "period_start")
_ORDER: Final = ("point", "period", "period_start", *(name for name in FIELDS if name != "period"))
_FIXED: Final = frozenset({"period_start", "period_end", "computed_at"})
_LOCAL: Final = {"period_start": True, "period_end": True, "max_time": False, "min_time": False}


class Field(NamedTuple):
    """One column: words by their places, times in µs with -1 for none, numbers with NaN for none, or whole ones.

    `outer` is the name of the object that it is a part of; `can_skip`: JSON leaves it out where there is none.
    `told` decides the values where it is shorter than they are; they recur after so many rows, where that is known.
    """

    name: str
    kind: str
    values: npt.NDArray[Any]
    vocabulary: Sequence[str] = ()
    outer: str = ""
    can_skip: bool = False
    is_local: bool = False
    told: bytes = b""
    recurs_after: int = 0

    @property
    def is_fixed(self) -> bool:
        """Whether it is a time that every row has."""
        return self.kind == "time" and self.name.removesuffix("_local") in _FIXED

    @property
    def absent(self) -> npt.NDArray[np.bool_] | None:
        """Where there is nothing to tell; None: nowhere."""
        return self.values == -1 if self.kind == "time" and not self.is_fixed else None

    @property
    def flat_name(self) -> str:
        return f"{self.outer}_{self.name}" if self.outer else self.name


class Rollups(NamedTuple):
    """An answer ready to be written."""

    fields: list[Field]
    row_count: int
    form: SampleForm


def chosen_fields(params: Params) -> list[str]:
    """What ``fields=`` names, in the order of an answer; all where it is absent. Raises Problem."""
    names = params.names("fields")
    for name in names:
        if name not in FIELDS and name not in _ALWAYS:
            words = ", ".join(FIELDS)
            raise Problem.of_parameter("fields", f"{name!r} is not one of: {words}", f"可选字段：{words}")
    return [name for name in _ORDER if not names or name in names or name in _ALWAYS]


def wanted_columns(fields: Sequence[str]) -> frozenset[str]:
    """The columns of an answer that these fields need."""
    return frozenset().union(*(FIELDS.get(name, frozenset()) for name in fields))


def needs_bills(fields: Sequence[str]) -> bool:
    """Whether any of the fields is made of bills."""
    return any(name in _OF_BILLS for name in fields)


def arrange(
    billed: Billed, names: Sequence[str], fields: Sequence[str], form: SampleForm, *, is_named: bool = False
) -> Rollups:
    """The columns of the fields; `names` are those of the points. Raises Problem 422 for an unfit unit.

    `is_named`: the fields were asked for by name, so they are told even where no point has them.
    """
    made: list[Field] = []
    answer = billed.rows
    for name in fields:
        if name in _OF_BILLS or name == "lock":
            made += bill_fields(name, billed, form, is_named=is_named)
        elif name != "utilisation_hours" or is_named or answer.period != "day":
            made += _fields_of(name, answer, names, form)
    if form.times.zone is not None:
        made += [
            _times_of(name, answer)._replace(name=f"{name}_local", can_skip=True, is_local=True, told=b"")
            for name in _LOCAL
            if name in fields
        ]
    return Rollups(made, answer.row_count, form)


def table_of(rollups: Rollups) -> Table:
    """As rows of cells, for CSV, NDJSON and flat JSON."""
    return Table(tuple(_column_of(field, rollups.form) for field in rollups.fields), rollups.row_count)


def _fields_of(name: str, answer: PeriodColumns, names: Sequence[str], form: SampleForm) -> list[Field]:
    columns = answer.columns
    match name:
        case "point":
            number = np.repeat(np.arange(len(answer.point_id), dtype=np.int32), answer.period_count)
            return [Field(name, "word", number, names, told=str(answer.period_count).encode())]
        case "period" | "method" | "unit" | "max_demand_unit":
            return [_word_of(name, answer, form)]
        case "state":
            return [Field(name, "word", columns.state, periods.STATES)]
        case "energy":
            return [Field(name, "number", _converted(answer, form))]
        case "max_demand" | "min":
            return [Field(name, "number", columns.max_value if name == "max_demand" else columns.min_value)]
        case "mean" | "load_factor":
            return [Field(name, "number", getattr(columns, name))]
        case "utilisation_hours":
            return [Field(name, "number", _utilisation_h(answer))]
        case "coverage":
            counts = {"expected": answer.expected} | {
                part: getattr(columns, part)
                for part in ("received", "good", "measured", "estimated", "manual")
            }
            return [Field(part, "whole", count, outer=name) for part, count in counts.items()]
        case "algorithm":
            versions = np.array([_algorithm_of(units) for units in answer.units], np.int64)
            return [Field(name, "whole", np.repeat(versions[answer.units_number], answer.period_count))]
        case "revision":
            return [Field(name, "whole", columns.revision)]
        case _:
            return [_times_of(name, answer)]


def _utilisation_h(answer: PeriodColumns) -> npt.NDArray[np.float64]:
    """Energy over the maximum (利用小时), both in their own units; NaN where there is no energy or no maximum above 0."""
    energy, highest = answer.columns.energy, answer.columns.max_value
    hours: npt.NDArray[np.float64] = np.full(len(energy), np.nan)
    np.divide(energy, highest, out=hours, where=highest > 0)
    return hours


def bill_fields(name: str, billed: Billed, form: SampleForm, *, is_named: bool) -> list[Field]:
    """The columns of what only some points have: bills and locks."""
    if name == "lock":
        return _lock_fields(billed, is_named=is_named)
    if name == "tou_register":
        return _rate_fields(billed, form, is_named=is_named)
    bills = billed.bills
    if bills is None:
        if not is_named:
            return []
        bills = bill.empty(billed.rows.row_count)
    if name == "tou":
        columns = {**dict(zip(BANDS, bills.tou, strict=True)), "undivided": bills.undivided}
        return [
            Field(part, "number", _in_unit(billed.rows, column, form), outer=name)
            for part, column in columns.items()
        ]
    if name == "billing_demand":
        return [
            Field("value", "number", bills.demand, outer=name),
            Field("start", "time", bills.demand_start_us, outer=name),
            Field("end", "time", bills.demand_end_us, outer=name),
            Field("slide_s", "whole", bills.demand_slide_s, outer=name),
        ]
    return [_bill_word_of(name, bills)]


def _rate_fields(billed: Billed, form: SampleForm, *, is_named: bool) -> list[Field]:
    """What the meter's own rate registers counted."""
    rates = billed.rates
    if rates is None:
        if not is_named:
            return []
        rates = meter_rates.empty(billed.rows.row_count)
    columns = {**dict(zip(BANDS, rates.energy, strict=True)), "difference": rates.difference}
    outer = "tou_register"
    made = [
        Field(part, "number", _in_unit(billed.rows, column, form), outer=outer)
        for part, column in columns.items()
    ]
    return [*made, Field("balance", "word", rates.balance, meter_rates.BALANCES, outer=outer)]


def _bill_word_of(name: str, bills: Bills) -> Field:
    words = {
        "tariff": (bills.tariff, bills.tariffs),
        "warnings": (bills.warning, bills.warnings),
        "events": (bills.event, bills.events),
    }
    place, vocabulary = words[name]
    return Field(name, "word", place, vocabulary)


def _lock_fields(billed: Billed, *, is_named: bool) -> list[Field]:
    """`lock.correction` is ``pending`` where the figures would be others now."""
    locks, count = billed.locks, billed.rows.row_count
    if locks is None:
        if not is_named:
            return []
        locks = lock_overlay.no_locks(count)
    return [
        Field("number", "whole", locks.number, outer="lock"),
        Field("locked_at", "time", locks.locked_us, outer="lock"),
        Field("correction", "word", locks.is_pending.astype(np.int32), ("none", "pending"), outer="lock"),
        Field("pending_energy", "number", locks.pending_energy, outer="lock"),
        Field("pending_max_demand", "number", locks.pending_max, outer="lock"),
    ]


def _algorithm_of(units: FigureUnits) -> int:
    """The version of the rules that figures of such points are made by now."""
    kind = PointKind.REGISTER if units.method == "register_difference" else PointKind.INTERVAL
    return ALGORITHMS.get(kind, 1)


def _word_of(name: str, answer: PeriodColumns, form: SampleForm) -> Field:
    """A word that all rows of a point have."""
    if name == "period":
        return Field(name, "word", np.zeros(answer.row_count, np.int32), [answer.period])
    used, code = np.unique(answer.units_number, return_inverse=True)
    units = [answer.units[number] for number in used.tolist()]
    if name == "method":
        words: list[str] = [unit.method for unit in units]
    elif name == "unit":
        words = ["" if unit.energy is None else form.unit_of(unit.energy) for unit in units]
    else:
        words = [unit.rate for unit in units]
    return Field(name, "word", np.repeat(code.astype(np.int32), answer.period_count), words)


def _converted(answer: PeriodColumns, form: SampleForm) -> npt.NDArray[np.float64]:
    return _in_unit(answer, answer.columns.energy, form)


def _in_unit(
    answer: PeriodColumns, energy: npt.NDArray[np.float64], form: SampleForm
) -> npt.NDArray[np.float64]:
    """Energies in the unit asked for, each as it would be alone."""
    if not form.unit:
        return energy
    converted = energy.copy()
    own = [answer.units[number].energy for number in answer.units_number.tolist()]
    for row in np.flatnonzero(~np.isnan(energy)).tolist():
        unit = own[row // answer.period_count]
        number = None if unit is None else form.number(float(energy[row]), unit)
        converted[row] = np.nan if number is None else number
    return converted


def _times_of(name: str, answer: PeriodColumns) -> Field:
    if name in ("period_start", "period_end"):
        is_start = name == "period_start"
        edges_us = answer.starts_us if is_start else answer.ends_us
        is_one = len(edges_us) == 1  # zone
        return Field(
            name, "time", answer.period_start_us if is_start else answer.period_end_us,
            told=edges_us.tobytes() + (b"" if is_one else answer.zone_of.tobytes()),
            recurs_after=answer.period_count if is_one else 0,
        )  # fmt: skip
    columns = answer.columns
    found: dict[str, I64] = {
        "max_time": columns.max_start_us,
        "max_end": columns.max_end_us,
        "min_time": columns.min_start_us,
        "min_end": columns.min_end_us,
        "computed_at": columns.computed_at_us,
    }
    return Field(name, "time", found[name])


def _column_of(field: Field, form: SampleForm) -> formats.Column:
    name = field.flat_name
    match field.kind:
        case "word":
            return formats.words(name, field.values, field.vocabulary)
        case "number":
            return formats.values(name, field.values)
        case "whole":
            return formats.numbers(name, field.values)
    absent = np.empty(0, np.int64) if field.absent is None else np.flatnonzero(field.absent)
    column = formats.times(
        name,
        field.values,
        zone=form.times.zone if field.is_local else None,
        is_epoch_ms=form.times.is_epoch_ms,
    )
    if len(absent) == 0:
        return column

    def cells(first: int, last: int) -> Sequence[object]:
        found = list(column.cells(first, last))
        low, high = np.searchsorted(absent, (first, last)).tolist()
        for place in absent[low:high].tolist():
            found[place - first] = "" if field.is_local else None
        return found

    return formats.Column(name, cells)


def digest_of(rollups: Rollups, representation: str) -> str:
    """The ETag: changes with all that is told and how it is written, but not with when it was computed."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(representation.encode())
    for field in rollups.fields:
        if field.name == "computed_at":
            continue
        digest.update(msgspec.json.encode((field.flat_name, list(field.vocabulary))))
        if field.told:
            digest.update(field.told)
            continue
        values = np.ascontiguousarray(field.values)
        whole = len(values.view(np.uint8)) // 8
        raw = values.view(np.uint8)
        one, other = row_kernels.digest(raw[: whole * 8].view(np.uint64))
        digest.update(f"{one} {other}".encode())
        digest.update(raw[whole * 8 :].tobytes())
    return f'"{digest.hexdigest()}"'
