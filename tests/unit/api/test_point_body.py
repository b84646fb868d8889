"""A point between its JSON form and the catalogue's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import UNSET

from api import point_body, problem
from api.problem import Problem
from api.schemas import PointBody
from historian.catalogue.item_files import load_items
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.errors import PointConflict, TimeError
from historian.model.point import Point, PointDraft, PointKind, TimeLabel
from historian.resources import config_dir

ITEMS = load_items(config_dir() / "standard" / "catalogue.toml")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path / "points.db", ManualClock(), "UTC")
    yield registry
    registry.close()


def draft(name: str, unit: str = "kW") -> PointDraft:
    return PointDraft(name=name, unit=unit, kind=PointKind.INSTANTANEOUS)


def test_a_body_becomes_a_draft_with_all_it_says() -> None:
    body = PointBody(
        name="a", unit="kWh", kind=PointKind.INTERVAL, interval="1h", label=TimeLabel.PERIOD_END, range=(0, None),
        multiplier=400, capacity=500.0, station="S1", name_zh="甲",
    )  # fmt: skip
    assert point_body.draft_of(body, ITEMS) == PointDraft(
        name="a", unit="kWh", kind=PointKind.INTERVAL, interval_us=3_600_000_000, label=TimeLabel.PERIOD_END,
        range_low=0, range_high=None, multiplier=400, capacity=500.0, station="S1", name_zh="甲",
    )  # fmt: skip


@pytest.mark.parametrize("missing", ["name", "unit", "kind"])
def test_what_is_required_is_told_by_its_pointer(missing: str) -> None:
    given = {"name": "a", "unit": "kW", "kind": PointKind.RATIO, missing: UNSET}
    with pytest.raises(Problem) as caught:
        point_body.draft_of(PointBody(**given), ITEMS, "/3")  # type: ignore[arg-type]
    assert caught.value.kind is problem.INVALID_BODY
    assert caught.value.faults[0].pointer == f"/3/{missing}"


def test_only_what_is_given_changes() -> None:
    assert point_body.changes_of(PointBody(), ITEMS) == ({}, None)
    assert point_body.changes_of(
        PointBody(capacity=None, range=None, valid_from="1970-01-01T00:00:01Z"), ITEMS
    ) == (
        {"capacity": None, "range_low": None, "range_high": None},
        1_000_000,
    )


def test_a_validity_without_offset_is_refused() -> None:
    with pytest.raises(TimeError):
        point_body.changes_of(PointBody(valid_from="2026-11-21T00:00:00"), ITEMS)


def test_the_reply_shows_a_range_where_one_side_is_set() -> None:
    point = Point(id=1, name="a", unit="kW", kind=PointKind.RATIO, range_high=5.0)
    assert point_body.reply_of(point).range == (None, 5.0)


def test_many_are_made_at_once_and_the_same_again_is_existing(registry: Registry) -> None:
    first = point_body.create_each(registry, [draft("a"), draft("b"), draft("a")])
    assert [is_new for _, is_new in first] == [True, True, False]  # type: ignore[misc]
    again = point_body.create_each(registry, [draft("a"), draft("c")])
    assert [is_new for _, is_new in again] == [False, True]  # type: ignore[misc]


def test_one_in_the_way_costs_only_itself(registry: Registry) -> None:
    registry.create(draft("a"))
    outcomes = point_body.create_each(registry, [draft("a", "V"), draft("b"), draft("c", "horsepower")])
    assert isinstance(outcomes[0], PointConflict)
    assert [point_body.code_of(outcome) for outcome in (outcomes[0], outcomes[2])] == [
        "point_conflict",
        "unit_mismatch",
    ]
    assert registry.get("b").id == 2


def test_what_a_body_leaves_out_comes_from_its_item() -> None:
    made = point_body.draft_of(PointBody(name="a", item="power.user.load"), ITEMS)
    assert made == PointDraft(
        name="a", unit="kW", kind=PointKind.MEAN_POWER, interval_us=900_000_000, item="T2.06"
    )
    stated = point_body.draft_of(PointBody(name="a", item="T2.06", unit="kWh", interval="5m"), ITEMS)
    assert (stated.unit, stated.interval_us) == ("kWh", 300_000_000)


def test_an_item_that_is_none_costs_only_its_point(registry: Registry) -> None:
    bodies = [PointBody(name="a", item="T9.99"), PointBody(name="b", item="T2.06")]
    drafts = [point_body.draft_or_refusal(body, ITEMS) for body in bodies]
    refused, made = point_body.create_each(registry, drafts)
    assert point_body.code_of(refused) == "item_invalid"
    assert isinstance(refused, Problem)
    assert refused.faults[0].pointer == "/item"
    assert isinstance(made, tuple)
    assert made[0].name == "b"
    with pytest.raises(Problem) as caught:
        point_body.draft_or_refusal(PointBody(name="a"), ITEMS)
    assert caught.value.kind is problem.INVALID_BODY
