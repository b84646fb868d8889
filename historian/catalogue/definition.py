"""What a point is beside its name and station: many points share it, so it is kept once and numbered."""

import operator
from collections.abc import Callable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar

from historian.model.point import PERIOD_KINDS, Point, PointKind, TimeLabel, stored_offset_us

Value = TypeVar("Value")


class Definition(NamedTuple):
    """Attributes that points of one sort have in common; named as in Point."""

    unit: str
    kind: PointKind
    interval_us: int
    label: TimeLabel
    time_zone: str
    item: str
    range_low: float | None
    range_high: float | None
    multiplier: float
    capacity: float | None
    source: str

    @property
    def has_period(self) -> bool:
        """Whether a sample covers a period (stored under its start) rather than an instant."""
        return self.kind in PERIOD_KINDS

    @property
    def stored_offset_us(self) -> int:
        """What to add to a source's stamp so that it is stored under the right instant."""
        return stored_offset_us(self.kind, self.interval_us, self.label)


attributes_of: Final[Callable[[object], tuple[object, ...]]] = operator.attrgetter(*Definition._fields)


def definition_of(point: Point) -> Definition:
    """The definition of a point that is complete."""
    return Definition(*attributes_of(point))  # type: ignore[arg-type]


class Numbered(Generic[Value]):
    """Different values with numbers from 1 in the order in which they came; 0 is no value."""

    def __init__(self, values: Iterable[Value] = ()) -> None:
        self._values: list[Value | None] = [None]
        self._number_of: dict[Value, int] = {}
        for value in values:
            self.number_of(value)

    def __len__(self) -> int:
        return len(self._values) - 1

    def __getitem__(self, number: int) -> Value:
        value = self._values[number]
        assert value is not None, "number 0 is no value"
        return value

    def find(self, value: Value) -> int:
        """Its number, 0 where it has none."""
        return self._number_of.get(value, 0)

    def number_of(self, value: Value) -> int:
        """Its number; a value that was never seen gets the next one."""
        number = self._number_of.setdefault(value, len(self._values))
        if number == len(self._values):
            self._values.append(value)
        return number

    def since(self, count: int) -> list[tuple[int, Value]]:
        """Numbers and values that came after the first `count`."""
        late = self._values[count + 1 :]  # a copy: another thread may take back numbers meanwhile
        return [(number, value) for number, value in enumerate(late, count + 1) if value is not None]

    def forget_since(self, count: int) -> None:
        """Take back what came after the first `count`."""
        for _, value in self.since(count):
            del self._number_of[value]
        del self._values[count + 1 :]
