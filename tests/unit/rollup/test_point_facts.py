"""Columns about points follow the directory."""

import types

import msgspec
import numpy as np

from historian.model.point import HOUR_US, MINUTE_US, Point, PointKind
from historian.model.rules import RateOfChangeRule, Rules, SpikeRule
from historian.model.term import RulesTerm, Span
from historian.model.timestamp import TIME_MAX_US, TIME_MIN_US
from historian.rollup.definitions import Definitions
from historian.rollup.point_facts import UNKNOWN, PointFacts
from tests.support.memory_store import MemoryDirectory
from tests.support.term_list import TermList

POINT = Point(id=3, name="p", unit="kW", kind=PointKind.MEAN_POWER, time_zone="UTC")


def test_what_a_point_decides_is_in_its_place() -> None:
    register = Point(id=9, name="r", unit="kWh", kind=PointKind.REGISTER, interval_us=HOUR_US)
    facts = PointFacts(MemoryDirectory(POINT, register), Definitions())
    facts.refresh(np.array([9, 3, 5]))
    assert [facts.zones[facts.zone_number[one]].key for one in (3, 9)] == ["UTC", "Asia/Shanghai"]
    assert facts.zone_number[5] == UNKNOWN
    assert (facts.interval_us[3], facts.block_us[3]) == (15 * MINUTE_US, 15 * MINUTE_US)
    assert (facts.before_us[3], facts.after_us[3]) == (0, 15 * MINUTE_US)
    assert facts.is_register[[3, 9]].tolist() == [False, True]
    assert facts.units[facts.units_number[3]].energy == "kWh"


def test_a_changed_point_is_asked_for_again() -> None:
    directory = MemoryDirectory(POINT)
    facts = PointFacts(directory, Definitions())
    facts.refresh(np.array([3]))
    before = int(facts.definition[3])
    directory.replace(Point(id=3, name="p", unit="kW", kind=PointKind.MEAN_POWER, multiplier=2.0))
    assert facts.definition[3] == before
    facts.refresh(np.array([3]))
    assert facts.definition[3] != before
    directory.remove(3)
    facts.refresh(np.array([3]))
    assert (facts.zone_number[3], facts.point(3)) == (UNKNOWN, None)


def test_samples_reach_as_far_as_rules_look_and_as_estimates_give_way() -> None:
    quarter_us = 15 * MINUTE_US
    stuck = RulesTerm(
        Rules(rate_of_change=RateOfChangeRule(1.0, neighbour_intervals=4), spike=SpikeRule(1.0))
    )
    terms = TermList({4: [Span(TIME_MIN_US, TIME_MAX_US, stuck)]})
    points = [msgspec.structs.replace(POINT, id=number) for number in (3, 4, 5)]
    facts = PointFacts(NumberedDirectory(*points), Definitions(), terms)
    everybody = np.array([3, 4, 5])
    facts.refresh(everybody)
    assert facts.has_rules[everybody].tolist() == [False, True, False]
    own_us = 3 * quarter_us // 2  # up to which distance estimates give way
    assert facts.before_us[everybody].tolist() == [0, own_us + 4 * quarter_us + 1, 0]
    assert facts.after_us[everybody].tolist() == [
        quarter_us,
        quarter_us + own_us + 8 * quarter_us + 1,
        quarter_us,
    ]
    revision = facts.revision
    assert facts.note_estimates([5, 900]) == [5, 900]
    assert facts.note_estimates([5]) == []
    assert facts.revision > revision
    facts.refresh(everybody)
    assert facts.before_us[everybody].tolist() == [0, own_us + 4 * quarter_us + 1, own_us]
    assert facts.after_us[5] == quarter_us + own_us


def test_points_that_the_directory_calls_alike_are_asked_for_once() -> None:
    points = [
        Point(id=number, name=f"p{number}", unit="kW", kind=PointKind.MEAN_POWER) for number in (1, 2, 3)
    ]
    directory = NumberedDirectory(*points, Point(id=5, name="v", unit="V", kind=PointKind.INSTANTANEOUS))
    facts = PointFacts(directory, Definitions())
    facts.refresh(np.array([5, 4, 3, 2, 1, 900]))
    assert directory.asked == [4, 1, 5]
    assert facts.zone_number[[1, 2, 3, 4, 5, 900]].tolist() == [0, 0, 0, UNKNOWN, 0, UNKNOWN]
    assert facts.definition[1] == facts.definition[3] != facts.definition[5]


def test_of_numbered_points_only_those_of_another_number_are_asked_for_again() -> None:
    points = [Point(id=number, name=f"p{number}", unit="kW", kind=PointKind.MEAN_POWER) for number in (1, 2)]
    directory = NumberedDirectory(*points, Point(id=3, name="x", unit="V", kind=PointKind.INSTANTANEOUS))
    everybody = np.arange(1, 7)
    facts = PointFacts(directory, Definitions())
    facts.refresh(everybody)
    directory.asked.clear()
    facts.refresh(everybody)
    assert directory.asked == []
    changed = msgspec.structs.replace(points[1], multiplier=2.0)
    directory.replace(changed)
    directory.replace(Point(id=6, name="new", unit="V", kind=PointKind.INSTANTANEOUS))
    directory.numbers = [0, 1, 3, 1, 0, 2, 2]
    facts.refresh(np.array([1, 3, 4]))
    assert directory.asked == []
    facts.refresh(everybody)
    assert directory.asked == [6, 2]
    assert facts.definition[2] != facts.definition[1] == facts.definition[3]
    assert facts.zone_number[6] == 0
    facts.refresh(np.arange(1000))
    assert facts.definition[2] != facts.definition[1]
    assert facts.zone_number[7:1000].tolist() == [UNKNOWN] * 993


class NumberedDirectory(MemoryDirectory):
    """A directory that numbers definitions, and tells for which points it was asked."""

    def __init__(self, *points: Point) -> None:
        super().__init__(*points)
        self.asked: list[int] = []
        self.numbers = [0, 1, 1, 1, 0, 2]

    def sorts(self) -> types.SimpleNamespace:
        return types.SimpleNamespace(definition=np.array(self.numbers, np.uint32))

    def by_id(self, point_id: int) -> Point:
        self.asked.append(point_id)
        return super().by_id(point_id)
