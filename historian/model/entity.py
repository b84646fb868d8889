"""Entities and what was stated of them: each statement has the time it holds from and the time it was recorded.

A statement is a step: its value holds from `valid_from_us` until the next step of the same attribute. A later statement for the same
moment takes the place of the earlier one; one that withdraws takes the step away. What was known at any time is what was recorded until then.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from historian.model.timestamp import TIME_MIN_US

BEGINNING_US: Final = TIME_MIN_US  # holds since ever
EXTRA: Final = "extra."  # before the names of attributes that the catalogue does not know


class EntityKey(NamedTuple):
    """How an entity is called."""

    type: str
    id: str


class Entity(NamedTuple):
    """An entity as it is on record; `number` never changes, `revision` grows with every change."""

    number: int
    key: EntityKey
    created_us: int
    revision: int


class Stated(NamedTuple):
    """One statement; `value` None: there is none from then on. `is_withdrawn` takes back the step at this moment."""

    number: int
    attribute: str
    valid_from_us: int
    value: str | None
    is_withdrawn: bool
    recorded_us: int
    author: str = ""
    reason: str = ""


class Span(NamedTuple):
    """A value and where it holds: ``[from_us, to_us)``, `to_us` None while no later step is known."""

    from_us: int
    to_us: int | None
    stated: Stated


def spans_of(statements: Iterable[Stated], as_of_us: int | None = None) -> dict[str, list[Span]]:
    """The steps of each attribute by rising time, as known at `as_of_us` (None: now). Statements rise by number."""
    latest: dict[tuple[str, int], Stated] = {}
    for one in statements:
        if as_of_us is None or one.recorded_us <= as_of_us:
            latest[one.attribute, one.valid_from_us] = one
    found: dict[str, list[Span]] = {}
    for one in sorted(latest.values(), key=lambda one: one.valid_from_us, reverse=True):
        if one.is_withdrawn:
            continue
        later = found.setdefault(one.attribute, [])
        later.append(Span(one.valid_from_us, later[-1].from_us if later else None, one))
    return {name: found[name][::-1] for name in sorted(found)}


def values_at(spans: Mapping[str, list[Span]], at_us: int) -> dict[str, Span]:
    """The span that holds at a moment, for each attribute that has a value then."""
    held = {}
    for name, steps in spans.items():
        before = [span for span in steps if span.from_us <= at_us]
        if before and before[-1].stated.value is not None:
            held[name] = before[-1]
    return held
