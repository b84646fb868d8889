"""The registry of points."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.errors import (
    CatalogueError,
    HistorianError,
    PointConflict,
    PointInvalid,
    PointNotFound,
    PointsFull,
    TimeError,
    UnitError,
)
from historian.model.point import MINUTE_US, PointDraft, PointKind, TimeLabel

NOW_US = 1_700_000_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.sqlite"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_US)


@pytest.fixture
def registry(path: Path, clock: ManualClock) -> Iterator[Registry]:
    registry = Registry(path, clock, "Asia/Shanghai")
    yield registry
    registry.close()


def draft(name: str, **attributes: object) -> PointDraft:
    made = PointDraft(name=name, unit="kW", kind=PointKind.MEAN_POWER)
    return msgspec.structs.replace(made, **attributes)


def test_ids_start_at_one_and_grow_by_one(registry: Registry) -> None:
    assert [registry.create(draft(name)).id for name in ("a", "b", "c")] == [1, 2, 3]
    assert registry.count() == 3


def test_a_point_is_found_by_name_and_by_id(registry: Registry) -> None:
    point = registry.create(draft("变电站.P"))
    assert registry.get("变电站.P") == registry.get("1") == registry.by_id(1) == point


@pytest.mark.parametrize("name", ["nobody", "0", "2", "99999999999999999999", "-1", "１", ""])
def test_who_is_not_there_is_not_found(registry: Registry, name: str) -> None:
    registry.create(draft("a"))
    with pytest.raises(PointNotFound, match="no point is named"):
        registry.get(name)


@pytest.mark.parametrize("point_id", [0, -1, 2, 2**40])
def test_ids_that_were_never_given_are_not_found(registry: Registry, point_id: int) -> None:
    registry.create(draft("a"))
    with pytest.raises(PointNotFound):
        registry.by_id(point_id)


def test_the_same_definition_again_is_the_same_point(registry: Registry) -> None:
    first = registry.create(draft("a"))
    again = registry.create(draft("a", interval_us=15 * MINUTE_US, label=TimeLabel.PERIOD_START))
    assert again == first
    assert registry.count() == 1


def test_a_taken_name_with_another_definition_conflicts(registry: Registry) -> None:
    registry.create(draft("a"))
    with pytest.raises(PointConflict, match=r"point a exists with unit 'kW' \(asked for 'MW'\)"):
        registry.create(draft("a", unit="MW"))


def test_ensure_makes_a_point_once_and_then_gives_it_as_it_is(registry: Registry) -> None:
    made = registry.ensure(draft("a", station="S1"))
    assert registry.ensure(draft("a", station="another", interval_us=MINUTE_US)) == made


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"unit": "MW"}, "is mean_power in kW, not mean_power in MW"),
        ({"kind": PointKind.INTERVAL}, "not interval in kW"),
    ],
)
def test_ensure_refuses_another_unit_or_kind(
    registry: Registry, changes: dict[str, object], text: str
) -> None:
    registry.ensure(draft("a"))
    with pytest.raises(PointConflict, match=text):
        registry.ensure(draft("a", **changes))


def test_many_points_are_made_all_or_none(registry: Registry) -> None:
    with pytest.raises(UnitError):
        registry.create_many([draft("a"), draft("b", unit="bogus")])
    assert registry.count() == 0
    points = registry.create_many([draft("a"), draft("b"), draft("a")])
    assert [point.id for point in points] == [1, 2, 1]
    with pytest.raises(PointConflict):
        registry.create_many([draft("c"), draft("c", unit="MW")])
    assert registry.count() == 2


def test_everything_is_still_there_after_a_restart(path: Path, clock: ManualClock) -> None:
    registry = Registry(path, clock, "Asia/Shanghai")
    registry.create_many([draft("a"), draft("b", range_low=0.0)])
    registry.update(1, {"capacity": 630.0})
    registry.rename(2, "c")
    points, revision = registry.list(), registry.revision
    registry.close()
    registry = Registry(path, clock, "Europe/Berlin")
    assert registry.list() == points
    assert registry.get("b").name == "c"
    assert registry.former_name_of("b")
    assert registry.revision >= revision
    assert registry.columns().range_low[2] == 0.0
    assert registry.create(draft("d")).id == 3
    assert registry.by_id(3).time_zone == "Europe/Berlin"
    registry.close()


@pytest.mark.parametrize("removed_id", [1, 2, 3])
def test_the_id_of_a_row_that_was_removed_by_hand_stays_unused(
    path: Path, clock: ManualClock, removed_id: int
) -> None:
    registry = Registry(path, clock, "Asia/Shanghai")
    registry.create_many([draft("a"), draft("b"), draft("c")])
    registry.close()
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM point WHERE id = ?", (removed_id,))
    connection.commit()
    connection.close()
    registry = Registry(path, clock, "Asia/Shanghai")
    assert registry.count() == 2
    assert registry.columns().interval_us[removed_id] == 0
    assert registry.create(draft("d")).id == 4
    with pytest.raises(PointNotFound):
        registry.by_id(removed_id)
    registry.close()


def test_a_default_zone_that_is_none_is_refused_at_once(path: Path, clock: ManualClock) -> None:
    with pytest.raises(TimeError, match="IANA"):
        Registry(path, clock, "Asia/Nowhere")


def test_attributes_change_and_what_was_is_answered(registry: Registry, clock: ManualClock) -> None:
    registry.create(draft("a", multiplier=6000.0))
    clock.advance(10)
    changed = registry.update(1, {"multiplier": 8000, "label": "period_end", "name_zh": "进线"})
    assert (changed.multiplier, changed.label, changed.name_zh) == (8000.0, TimeLabel.PERIOD_END, "进线")
    assert registry.by_id(1) == registry.get("a") == changed
    assert registry.as_of(1, NOW_US).multiplier == 6000.0
    assert registry.as_of(1, NOW_US + 10_000_000) == changed
    assert [revision.valid_from_us for revision in registry.history(1)] == [None, NOW_US + 10_000_000]


def test_a_change_may_be_valid_from_an_earlier_time(registry: Registry) -> None:
    registry.create(draft("a", multiplier=1.0))
    registry.update(1, {"multiplier": 2.0}, valid_from_us=NOW_US - 100)
    registry.update(
        1, {"multiplier": 3.0}, valid_from_us=NOW_US - 200
    )  # a later statement wins from there on
    answers = [registry.as_of(1, NOW_US - ago).multiplier for ago in (300, 200, 100, 0)]
    assert answers == [1.0, 3.0, 3.0, 3.0]
    with pytest.raises(TimeError, match="future"):
        registry.update(1, {"multiplier": 4.0}, valid_from_us=NOW_US + 1)


def test_a_point_that_never_changed_has_one_history_entry(registry: Registry) -> None:
    point = registry.create(draft("a"))
    assert [revision.point for revision in registry.history(1)] == [point]
    assert registry.as_of(1, 0) == point


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"kind": "register"}, PointConflict, "fixed"),
        ({"unit": "V"}, PointConflict, "another unit of active_power"),
        ({"unit": "bogus"}, UnitError, "allowed"),
        ({"time_zone": "X/Y"}, TimeError, "IANA"),
        ({"interval_us": 0}, PointInvalid, "1s to 366d"),
        ({"interval_us": "15m"}, PointInvalid, "Expected `int`"),
        ({"id": 9}, PointInvalid, "id cannot be changed"),
        ({"name": "b"}, PointInvalid, "by rename"),
        ({"colour": "red"}, PointInvalid, "colour cannot be changed; allowed: capacity"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_wrong_change_is_refused_and_changes_nothing(
    registry: Registry, changes: dict[str, object], error: type[HistorianError], text: str
) -> None:
    point = registry.create(draft("a"))
    with pytest.raises(error, match=text):
        registry.update(1, changes)
    assert registry.by_id(1) == point
    assert len(registry.history(1)) == 1


def test_a_change_to_the_same_is_no_change(registry: Registry) -> None:
    registry.create(draft("a"))
    revision = registry.revision
    registry.update(1, {"unit": "kW"})
    assert registry.revision == revision
    assert len(registry.history(1)) == 1


def test_a_renamed_point_answers_to_both_names(registry: Registry) -> None:
    registry.create(draft("old"))
    renamed = registry.rename(1, "new")
    assert registry.get("old") == registry.get("new") == renamed
    assert (registry.former_name_of("old"), registry.former_name_of("new")) == (True, False)


def test_a_point_may_take_its_former_name_again(registry: Registry) -> None:
    registry.create(draft("old"))
    registry.rename(1, "new")
    assert registry.rename(1, "old").name == "old"
    assert (registry.former_name_of("old"), registry.former_name_of("new")) == (False, True)


def test_no_name_ever_passes_to_another_point(registry: Registry) -> None:
    registry.create_many([draft("a"), draft("b")])
    registry.rename(1, "c")
    with pytest.raises(PointConflict, match="name b is taken by point 2"):
        registry.rename(1, "b")
    with pytest.raises(PointConflict, match="name a is a former name of c"):
        registry.rename(2, "a")
    with pytest.raises(PointConflict, match="name a is a former name of c"):
        registry.create(draft("a"))


def test_a_new_name_must_be_allowed(registry: Registry) -> None:
    registry.create(draft("a"))
    with pytest.raises(PointInvalid, match="without spaces"):
        registry.rename(1, "two words")


def test_many_names_become_ids_at_once(registry: Registry) -> None:
    registry.create_many([draft("a"), draft("b")])
    registry.rename(1, "c")
    ids = registry.find_ids(["b", "nobody", "a", "c"])
    assert ids.dtype == np.uint32
    assert ids.tolist() == [2, 0, 1, 1]
    assert registry.find_ids([]).tolist() == []


def test_points_are_listed_by_filter_and_page(registry: Registry) -> None:
    registry.create_many(
        [
            draft(f"S{s}.F{f}.{item}", station=f"S{s}", item=item)
            for s in (1, 2)
            for f in (1, 2)
            for item in "PQ"
        ]
    )
    names = [point.name for point in registry.list(match="S?.F1.*", station="S2")]
    assert names == ["S2.F1.P", "S2.F1.Q"]
    assert [point.id for point in registry.list(item="Q")] == [2, 4, 6, 8]
    assert [point.id for point in registry.list(after_id=3, limit=2)] == [4, 5]
    assert registry.list(after_id=8) == registry.list(match="s1*") == []
    assert registry.stations() == ["S1", "S2"]


def test_ids_names_and_units_of_many_need_no_point_objects(registry: Registry) -> None:
    registry.create_many([draft(f"p{n}", station="S1" if n % 2 else "", item="P") for n in range(6)])
    ids = registry.select_ids(station="S1")
    assert ids.tolist() == [2, 4, 6]
    assert registry.select_ids(station="S1", after_id=2, limit=1).tolist() == [4]
    assert registry.select_ids("p[35]", None, "P").tolist() == [4, 6]
    assert (registry.names(ids), registry.units(ids)) == (["p1", "p3", "p5"], ["kW"] * 3)
    assert [point.id for point in registry.points(ids)] == [2, 4, 6]
    assert registry.station_counts() == {"S1": 3}
    assert registry.definition(int(registry.sorts().definition[2])).item == "P"
    assert registry.stored_offsets_us().tolist() == [0] * 7


def test_a_batch_that_cannot_be_written_leaves_nothing_behind(registry: Registry, path: Path) -> None:
    registry.create(draft("a"))
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO station VALUES (1, 'in the way')")
    connection.commit()
    with pytest.raises(CatalogueError, match="UNIQUE"):
        registry.create(draft("b", station="S1", multiplier=3.0))
    with pytest.raises(CatalogueError, match="UNIQUE"):
        registry.update(1, {"station": "S1"})
    connection.execute("DELETE FROM station")
    connection.commit()
    connection.close()
    assert (registry.count(), registry.by_id(1).station) == (1, "")
    made = registry.create(draft("b", station="S1", multiplier=3.0))
    assert (made.id, registry.stations()) == (2, ["S1"])


def test_the_revision_grows_with_every_change(registry: Registry) -> None:
    seen = [registry.revision]
    registry.create(draft("a"))
    seen.append(registry.revision)
    registry.update(1, {"station": "S1"})
    seen.append(registry.revision)
    registry.rename(1, "b")
    seen.append(registry.revision)
    assert seen == sorted(set(seen))


def test_columns_follow_every_change(registry: Registry) -> None:
    registry.create(draft("a", range_high=5.0))
    assert registry.columns().range_high[1] == 5.0
    registry.update(1, {"range_high": None, "interval_us": MINUTE_US})
    assert registry.columns().range_high[1] == np.inf
    assert registry.columns().interval_us.tolist() == [0, MINUTE_US]


def test_threads_that_create_the_same_points_get_the_same_points(registry: Registry) -> None:
    answers: list[list[int]] = []

    def create() -> None:
        answers.append([registry.ensure(draft(f"p{n}")).id for n in range(50)])

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [list(range(1, 51))] * 4


def test_more_points_than_allowed_are_refused_and_none_of_the_batch_is_made(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "points.db", ManualClock(), "UTC", points_max=2)
    drafts = [PointDraft(name=f"p{i}", unit="kW", kind=PointKind.INSTANTANEOUS) for i in range(3)]
    with pytest.raises(PointsFull, match=r"ingest\.points_max"):
        registry.create_many(drafts)
    assert registry.count() == 0
    registry.create_many(drafts[:2])
    assert registry.room == 0
    assert registry.create(drafts[0]).id == 1
    registry.close()
