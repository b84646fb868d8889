"""From what is known of a point to the facts its amounts are made by."""

from historian.energy.fleet import Ask
from historian.energy.metering import Metering, RegisterEvent, Step
from historian.model import timestamp
from historian.model.point import Point, PointKind
from historian.model.term import ExchangeTerm, PointTerms, RegisterTerm, ResetTerm, Span


def metering_of(point: Point, terms: PointTerms, at_us: int) -> Metering:
    """The metering of a point for figures around `at_us`: the register as it was then, all factors and events."""
    factor = terms.multiplier or _always(point.multiplier)
    if point.kind is not PointKind.REGISTER:
        return Metering(point.kind, point.interval_us, factor)
    stated = terms.at("register", at_us)
    register = stated if isinstance(stated, RegisterTerm) else RegisterTerm()
    return Metering(
        point.kind,
        point.interval_us,
        factor,
        capacity=_capacity_of(point, terms),
        modulus=register.modulus,
        resolution=register.resolution,
        is_signed=register.is_signed,
        events=tuple(_event_of(span) for span in terms.events),
    )


def narrowed(metering: Metering, start_us: int, end_us: int) -> Metering:
    """The same for what happens within ``[start_us, end_us)`` only: no other factor, no other event."""
    first = max((i for i, step in enumerate(metering.factor) if step.from_us <= start_us), default=0)
    steps = [step for step in metering.factor[first:] if step.from_us < end_us]
    factor = (Step(timestamp.TIME_MIN_US, steps[0].value), *steps[1:])
    events = tuple(event for event in metering.events if start_us <= event.time_us <= end_us)
    return metering._replace(factor=factor, events=events)


def narrowed_ask(ask: Ask, start_us: int, end_us: int) -> Ask:
    """The same for `[start_us, end_us)` only."""
    if ask.metering is None:
        return ask
    metering = narrowed(ask.metering, start_us, end_us)
    return ask._replace(factor=metering.factor[0].value, metering=None if metering.is_plain else metering)


def _always(value: float) -> tuple[Step, ...]:
    return (Step(timestamp.TIME_MIN_US, value),)


def _capacity_of(point: Point, terms: PointTerms) -> tuple[Step, ...]:
    if terms.capacity:
        return tuple(step for step in terms.capacity if step.value > 0)
    return _always(point.capacity) if point.capacity else ()


def _event_of(span: Span) -> RegisterEvent:
    term = span.term
    if isinstance(term, ExchangeTerm):
        return RegisterEvent(span.from_us, "exchange", term.old_end, term.new_start)
    assert isinstance(term, ResetTerm), "an event is an exchange or a reset"
    return RegisterEvent(span.from_us, "reset", None, term.new_start)
