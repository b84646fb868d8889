"""What many points have in common, once and numbered."""

import pytest

from historian.catalogue.definition import Definition, Numbered, attributes_of, definition_of
from historian.model.point import DAY_US, Point, PointDraft, PointKind, TimeLabel


def test_a_definition_holds_what_a_point_says_beside_its_names_and_station() -> None:
    point = Point(id=1, name="a", unit="kW", kind=PointKind.MEAN_POWER, station="S1", item="P", capacity=5.0)
    definition = definition_of(point)
    assert Point(id=1, name="a", station="S1", **definition._asdict()) == point
    left = set(Point.__struct_fields__) - set(Definition._fields)
    assert left == {"id", "name", "station", "name_zh", "name_en"}


def test_a_draft_has_the_same_attributes() -> None:
    draft = PointDraft(name="a", unit="kW", kind=PointKind.RATIO, multiplier=2.0)
    assert dict(zip(Definition._fields, attributes_of(draft), strict=True))["multiplier"] == 2.0


def test_values_are_numbered_from_one_as_they_come() -> None:
    numbered = Numbered(["a", "b"])
    assert [numbered.number_of(value) for value in ("b", "c", "a", "c")] == [2, 3, 1, 3]
    assert (numbered.find("c"), numbered.find("d"), len(numbered), numbered[3]) == (3, 0, 3, "c")
    assert numbered.since(1) == [(2, "b"), (3, "c")]


def test_what_came_late_can_be_taken_back() -> None:
    numbered = Numbered(["a"])
    numbered.number_of("b")
    numbered.forget_since(1)
    assert (len(numbered), numbered.find("b"), numbered.number_of("c")) == (1, 0, 2)


@pytest.mark.parametrize("kind", PointKind)
@pytest.mark.parametrize("label", TimeLabel)
@pytest.mark.parametrize("interval_us", [DAY_US // 24, DAY_US])
def test_the_offset_of_a_definition_is_that_of_its_points(
    kind: PointKind, label: TimeLabel, interval_us: int
) -> None:
    point = Point(id=1, name="a", unit="kWh", kind=kind, label=label, interval_us=interval_us)
    assert definition_of(point).stored_offset_us == point.stored_time_offset_us()
