"""Terms: what people state about a metering point beside its attributes, each with its validity and its record time.

Some hold from a date on until another takes their place (how the register counts, the tariff, the rules); others
happened once (a meter exchange, a reset). A statement is never changed: it is withdrawn, or another covers it, so what was
held true at any moment can be told.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, get_args

import msgspec
from msgspec import Meta

from historian.errors import TermInvalid
from historian.model import timestamp
from historian.model.rules import Rules

Carrier = Literal["electricity", "water", "gas", "heat", "cooling", "steam", "fuel"]
RatioFormula = Literal["load_ratio", "line_load_ratio", "power_factor"]
_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Positive = Annotated[float, Meta(gt=0)]
_Share = Annotated[float, Meta(gt=0, le=1)]


class RegisterTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="register", tag_field="kind"):
    """How the register counts, in the point's unit before the multiplier.

    `modulus`: where it begins again at zero (1000000 for six digits); without it no rollover is ever assumed.
    `resolution`: its last digit. `is_signed`: it may fall (combined active energy, 组合有功).
    """

    modulus: _Positive | None = None
    resolution: _Positive | None = None
    is_signed: bool = False


class ExchangeTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="exchange", tag_field="kind"):
    """The meter was changed at the statement's `valid_from`; readings before the multiplier."""

    old_end: float
    new_start: float
    meter: str = ""


class ResetTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="reset", tag_field="kind"):
    """The register was set to `new_start` at `valid_from`; what it counted since the reading before is not known."""

    new_start: float = 0.0


class TariffTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="tariff", tag_field="kind"):
    """The time-of-use calendar of the account, and which of its conditions hold for it."""

    calendar: _Name
    options: tuple[str, ...] = ()


class DemandTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="demand", tag_field="kind"):
    """Maximum demand over `period_s`, looked for every `slide_s`; where both are equal, over fixed blocks."""

    period_s: Annotated[int, Meta(ge=60, le=7200)] = 900
    slide_s: Annotated[int, Meta(ge=60, le=7200)] = 60

    def __post_init__(self) -> None:
        if self.period_s % self.slide_s:
            raise ValueError(f"slide_s: {self.slide_s} does not divide period_s ({self.period_s})")


class BillingTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="billing", tag_field="kind"):
    """Billing periods begin on this day of each month (抄表例日), at 00:00 of the point's zone."""

    cutoff_day: Annotated[int, Meta(ge=1, le=28)] = 1


class MediumTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="medium", tag_field="kind"):
    """What flows: thermal kWh never add to electrical ones. `reference`: of gas, the condition of its volume."""

    carrier: Carrier
    reference: Literal["", "0C,101.325kPa", "15C,101.325kPa", "20C,101.325kPa"] = ""


class TriangleTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="triangle", tag_field="kind"):
    """Which other points make a power triangle with this one of active power: `reactive`, and `apparent` power or `voltage`
    and `current`. Slots that break it by more than `tolerance` are suspect; not below `least` kVA, where last digits are more.
    """

    reactive: _Name
    apparent: str = ""
    voltage: str = ""
    current: str = ""
    phases: Literal[1, 3] = 3
    tolerance: _Share = 0.05
    least: Annotated[float, Meta(ge=0)] = 0.0

    def __post_init__(self) -> None:
        if bool(self.apparent) == bool(self.voltage and self.current):
            raise ValueError("apparent: or voltage and current; one of the two is required")

    @property
    def names(self) -> tuple[str, ...]:
        """The other points."""
        others = (self.apparent,) if self.apparent else (self.voltage, self.current)
        return self.reactive, *others


class PhasesTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="phases", tag_field="kind"):
    """The points of the single phases of this one; slots whose sum is off by more than `tolerance` are suspect."""

    phases: Annotated[tuple[_Name, ...], Meta(min_length=2, max_length=3)]
    tolerance: _Share = 0.02

    @property
    def names(self) -> tuple[str, ...]:
        """The other points."""
        return self.phases


class PartsTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="parts", tag_field="kind"):
    """The meters of level 2 behind this one of level 1. Slots in which what is lost between them is no share from
    `loss_share_min` to `loss_share_max` are suspect.
    """

    parts: Annotated[tuple[_Name, ...], Meta(min_length=1, max_length=200)]
    loss_share_max: _Share
    loss_share_min: Annotated[float, Meta(ge=-1, le=1)] = 0.0

    def __post_init__(self) -> None:
        if self.loss_share_min > self.loss_share_max:
            raise ValueError(f"loss_share_min: {self.loss_share_min:g} is above loss_share_max")

    @property
    def names(self) -> tuple[str, ...]:
        """The other points."""
        return self.parts


class RatesTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="rates", tag_field="kind"):
    """Which other registers of the same meter count its rates, by their names: what the meter itself divides.

    Which rate number is which band differs from meter to meter, so it is stated here. The meter's division and that of a
    calendar are two series; neither is made to fit the other.
    """

    sharp: str = ""
    peak: str = ""
    flat: str = ""
    valley: str = ""
    deep_valley: str = ""

    @property
    def names(self) -> tuple[str, str, str, str, str]:
        """In the order of the bands; empty where the meter has no such rate."""
        return self.sharp, self.peak, self.flat, self.valley, self.deep_valley


class RatioTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ratio", tag_field="kind"):
    """From which points a derived ratio is made, by their names; it is made anew on aggregates, never averaged.

    load_ratio: `inputs` active and reactive power, of one or several circuits in pairs; power_factor: active and
    reactive energy; line_load_ratio: currents of the phases. `assumed_power_factor`: of a load_ratio whose inputs are
    active power only; without it such a ratio is refused.
    """

    formula: RatioFormula
    inputs: Annotated[tuple[_Name, ...], Meta(min_length=1, max_length=64)]
    assumed_power_factor: Annotated[float, Meta(gt=0, le=1)] | None = None

    def __post_init__(self) -> None:
        if self.assumed_power_factor is not None and self.formula != "load_ratio":
            raise ValueError(f"assumed_power_factor: only a load_ratio assumes one, not {self.formula}")


class CheckTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="check", tag_field="kind"):
    """Another point that measures the same energy; the two are kept apart, and their difference is told."""

    point: _Name
    tolerance: Annotated[float, Meta(gt=0, le=1)] = 0.05
    steps: Annotated[int, Meta(ge=0, le=1000)] = 3


class CarbonTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="carbon", tag_field="kind"):
    """Which factors turn the point's energy into carbon, and which way it flows.

    `region` as factors name it (``CN-32``). `carrier` as factors name it (``natural_gas``); empty: that of the medium, and
    electricity where no medium is stated. `technology` is that of the factor for carbon dioxide, `coal_technology` that for
    coal equivalent (``oil_field``). Exports and what was generated for own use are never negative consumption.
    """

    region: _Name
    direction: Literal["consumption", "export", "self"] = "consumption"
    carrier: Annotated[str, Meta(max_length=200)] = ""
    technology: Annotated[str, Meta(max_length=200)] = ""
    coal_technology: Annotated[str, Meta(max_length=200)] = ""


class MainPowerTerm(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="main_power", tag_field="kind"
):
    """This point of active power is what its station takes; where several are stated so, their sum is.

    `is_main` false takes an earlier statement back from its time on.
    """

    is_main: bool = True


class RetiredTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="retired", tag_field="kind"):
    """The point is out of use: from then on it promises nothing, so nothing of it is missing or overdue.

    `is_retired` false puts it back into use. What comes nevertheless is stored and counts as ever.
    """

    is_retired: bool = True


class RulesTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="rules", tag_field="kind"):
    """What samples are looked at for, and how those that break a rule are marked; see `rules.Rules`."""

    rules: Rules


Term = (
    RegisterTerm
    | ExchangeTerm
    | ResetTerm
    | TariffTerm
    | DemandTerm
    | BillingTerm
    | MediumTerm
    | TriangleTerm
    | PhasesTerm
    | PartsTerm
    | RatesTerm
    | RatioTerm
    | CheckTerm
    | CarbonTerm
    | MainPowerTerm
    | RetiredTerm
    | RulesTerm
)

KINDS: tuple[str, ...] = tuple(one.__struct_config__.tag for one in get_args(Term))
SLOT_CHECKS = ("triangle", "phases", "parts")  # of a point against others, slot by slot
FIGURE_KINDS = frozenset({"register", "rules"})
EVENTS = frozenset({"exchange", "reset"})  # happened once; the others hold until another takes their place


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A term of a point as it was recorded; numbers rise with record time.

    Holds for ``[valid_from_us, valid_to_us)``; of statements of one kind that cover an instant, the one recorded last counts.
    """

    number: int
    point_id: int
    valid_from_us: int
    valid_to_us: int | None
    recorded_us: int
    author: str
    reason: str
    term: Term
    withdrawn_us: int | None = None
    withdrawn_reason: str = ""

    @property
    def kind(self) -> str:
        return kind_of(self.term)

    def is_known_at(self, time_us: int) -> bool:
        """Whether it had been recorded, and not withdrawn, at that time."""
        return self.recorded_us <= time_us and (self.withdrawn_us is None or self.withdrawn_us > time_us)


class Span(msgspec.Struct, frozen=True):
    """A term in force over ``[from_us, to_us)``."""

    from_us: int
    to_us: int
    term: Term


class Step(NamedTuple):
    """A number that holds from an instant until the next step."""

    from_us: int
    value: float


class PointTerms(msgspec.Struct, frozen=True):
    """All terms of a point, resolved: for each kind spans that rise and do not overlap; events by rising time.

    `multiplier` and `capacity` are the point's attributes where they ever changed: steps, the first from the beginning of
    time; empty where the attribute holds for all time.
    """

    spans: dict[str, tuple[Span, ...]] = {}
    events: tuple[Span, ...] = ()
    multiplier: tuple[Step, ...] = ()
    capacity: tuple[Step, ...] = ()

    def at(self, kind: str, time_us: int) -> Term | None:
        """The term of a kind in force at an instant."""
        for span in self.spans.get(kind, ()):
            if span.from_us <= time_us < span.to_us:
                return span.term
        return None

    def for_figures(self) -> "PointTerms":
        """Those that decide the figures of days; tariffs and their like decide what is made of them."""
        spans = {kind: spans for kind, spans in self.spans.items() if kind in FIGURE_KINDS}
        return msgspec.structs.replace(self, spans=spans)

    @property
    def has_bill(self) -> bool:
        """Whether more is made of the samples than figures of days: energy by band, demand."""
        return "tariff" in self.spans or "demand" in self.spans

    def of_kind(self, kind: str) -> tuple[Span, ...]:
        """The spans of a kind."""
        return self.spans.get(kind, ())

    @property
    def is_empty(self) -> bool:
        return not (self.spans or self.events or self.multiplier or self.capacity)


NO_TERMS = PointTerms()


def kind_of(term: Term) -> str:
    """``tariff``, ``exchange`` …"""
    tag = type(term).__struct_config__.tag
    assert isinstance(tag, str), "every term has a tag"
    return tag


def decode(data: bytes | str) -> Term:
    """A term from JSON. Raises TermInvalid, which says what is allowed."""
    try:
        made: Term = msgspec.json.decode(data, type=Term)
    except msgspec.DecodeError as error:
        raise TermInvalid(f"term: {error}") from error
    return made


def resolve(statements: list[Statement]) -> PointTerms:
    """What holds by these statements, which are all in force: later numbers paint over earlier ones."""
    spans: dict[str, list[Span]] = {}
    events: list[Span] = []
    for one in sorted(statements, key=lambda statement: statement.number):
        to_us = timestamp.TIME_MAX_US if one.valid_to_us is None else one.valid_to_us
        span = Span(one.valid_from_us, to_us, one.term)
        if one.kind in EVENTS:
            events.append(span)
        else:
            spans[one.kind] = _painted(spans.get(one.kind, []), span)
    events.sort(key=lambda span: span.from_us)
    return PointTerms({kind: tuple(spans[kind]) for kind in sorted(spans)}, tuple(events))


def with_span(terms: PointTerms, span: Span) -> PointTerms:
    """The terms, with one more that was stated last."""
    kind = kind_of(span.term)
    if kind in EVENTS:
        events = sorted([*terms.events, span], key=lambda one: one.from_us)
        return msgspec.structs.replace(terms, events=tuple(events))
    painted = _painted(list(terms.of_kind(kind)), span)
    spans = {**terms.spans, kind: tuple(painted)}
    return msgspec.structs.replace(terms, spans={name: spans[name] for name in sorted(spans)})


def with_multiplier(terms: PointTerms, steps: tuple[Step, ...]) -> PointTerms:
    """The terms with this multiplier."""
    return msgspec.structs.replace(terms, multiplier=steps)


def steps_of(values: Sequence[tuple[int, float]]) -> tuple[Step, ...]:
    """Steps from statements in the order of their recording, each of which holds from its time on."""
    painted: list[Step] = []
    for from_us, value in values:
        painted = [step for step in painted if step.from_us < from_us]
        if not painted or painted[-1].value != value:
            painted.append(Step(from_us, value))
    return tuple(painted)


def _painted(before: list[Span], span: Span) -> list[Span]:
    """The spans with another one over them."""
    kept: list[Span] = []
    for one in before:
        if one.from_us < span.from_us:
            kept.append(Span(one.from_us, min(one.to_us, span.from_us), one.term))
        if one.to_us > span.to_us:
            kept.append(Span(max(one.from_us, span.to_us), one.to_us, one.term))
    return sorted([*kept, span], key=lambda one: one.from_us)
