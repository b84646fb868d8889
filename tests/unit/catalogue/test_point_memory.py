"""Points as columns."""

import contextlib
import threading

import msgspec
import numpy as np
import pytest

from historian.catalogue import point_memory
from historian.catalogue.definition import Numbered, definition_of
from historian.catalogue.point_memory import PointMemory, PointRows
from historian.catalogue.text_column import pack
from historian.errors import PointNotFound
from historian.model.point import Point, PointKind, TimeLabel


def points_of(count: int) -> list[Point]:
    return [
        Point(
            id=i, name=f"n{i}", unit="kW" if i % 2 else "V", kind=PointKind.INSTANTANEOUS,
            station=("", "S1", "S2")[i % 3], item="P" if i < 5 else "Q", name_zh="点" if i == 3 else "",
            name_en=f"point {i}" if i > 4 else "", range_low=-1.0 if i == 2 else None,
        )
        for i in range(1, count + 1)
    ]  # fmt: skip


def memory_of(points: list[Point]) -> PointMemory:
    memory = PointMemory(Numbered(), Numbered())
    numbers = [memory.numbers_of(definition_of(point), point.station) for point in points]
    columns = [np.array(column, np.uint32) for column in zip(*numbers, strict=True)]
    rows = PointRows(
        np.array([point.id for point in points], np.uint32),
        pack([point.name for point in points]),
        columns[0],
        columns[1],
        [point.name_zh for point in points],
        [point.name_en for point in points],
    )
    memory.append(rows)
    return memory


def test_a_point_is_made_again_from_its_columns() -> None:
    points = points_of(9)
    memory = memory_of(points)
    assert [memory.point(point.id) for point in points] == points
    assert memory_of(points).points(np.arange(1, 10, dtype=np.uint32)) == points
    assert memory.count == 9


def test_who_was_made_lately_is_the_same_object() -> None:
    memory = memory_of(points_of(3))
    assert memory.point(2) is memory.point(2)


def test_few_objects_live_at_once_and_those_in_use_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_memory, "RECENT_COUNT_MAX", 4)
    points = points_of(30)
    memory = memory_of(points)
    kept = memory.point(1)
    for point in points:
        assert memory.point(point.id) == point
        assert memory.point(1) is kept
        assert len(memory._recent) + len(memory._former_recent) <= 8
    assert memory.points(np.arange(1, 31, dtype=np.uint32)) == points


@pytest.mark.parametrize("ids", [[0], [4], [1, 4], [2, 0], [5_000_000, 6_000_000]])
def test_who_is_not_there_is_not_found(ids: list[int]) -> None:
    with pytest.raises(PointNotFound):
        memory_of(points_of(3)).points(np.array(ids, np.uint32))


def test_a_changed_point_is_another_everywhere() -> None:
    points = points_of(6)
    memory = memory_of(points)
    memory.select("S1", None, 0)
    before = memory.point(4)
    after = msgspec.structs.replace(
        before, name="other", station="S9", unit="A", name_zh="新", name_en="", item="Z", range_high=9.0
    )
    memory.replace(before, after)
    assert memory.point(4) == after
    memory._recent.clear()
    assert memory.point(4) == after
    assert (memory.names.find("other"), memory.names.find("n4")) == (4, 0)
    assert memory.select("S1", None, 0).tolist() == [1]
    assert memory.select("S9", "Z", 0).tolist() == [4]
    assert memory.columns.columns.range_high[4] == 9.0


def test_points_are_selected_by_station_and_item() -> None:
    memory = memory_of(points_of(9))
    assert memory.select(None, None, 0).tolist() == list(range(1, 10))
    assert memory.select(None, None, 7).tolist() == [8, 9]
    assert memory.select("S1", None, 1).tolist() == [4, 7]
    assert memory.select("", "P", 0).tolist() == [3]
    assert memory.select(None, "Q", 6).tolist() == [7, 8, 9]
    assert memory.select("nowhere", None, 0).tolist() == memory.select(None, "R", 0).tolist() == []
    assert memory.station_counts() == {"S1": 3, "S2": 3}
    assert memory.used_stations() == ["S1", "S2"]


def test_a_glob_gives_the_first_that_match() -> None:
    memory = memory_of(points_of(40))
    ids = memory.select(None, None, 0)
    assert memory.matching(ids, "n?", 100).tolist() == list(range(1, 10))
    assert memory.matching(ids, "n1*", 3).tolist() == [1, 10, 11]
    assert memory.matching(ids, "N*", 3).tolist() == []
    assert memory.matching(ids, "[mn]3[0-2]", 9).tolist() == [30, 31, 32]
    assert memory.matching(ids, "?3[!0-8]", 9).tolist() == [39]
    assert memory.matching(ids, "*", 2).tolist() == [1, 2]


def test_names_and_units_of_many() -> None:
    memory = memory_of(points_of(3))
    ids = np.array([3, 0, 2, 99], np.uint32)
    assert memory.names_of(ids) == ["n3", "", "n2", ""]
    assert memory.units_of(ids) == ["kW", "", "V", ""]


def test_stored_offsets_follow_the_points() -> None:
    points = [
        msgspec.structs.replace(
            point, kind=PointKind.INTERVAL, label=TimeLabel.PERIOD_END, interval_us=60 * point.id
        )
        for point in points_of(3)
    ]
    points[1] = msgspec.structs.replace(points[1], kind=PointKind.INSTANTANEOUS)
    memory = memory_of(points)
    offsets = memory.stored_offsets_us()
    assert offsets.tolist() == [0, *(point.stored_time_offset_us() for point in points)] == [0, -60, 0, -180]
    assert memory.stored_offsets_us() is offsets
    memory.replace(points[0], msgspec.structs.replace(points[0], interval_us=7))
    assert memory.stored_offsets_us().tolist() == [0, -7, 0, -180]


def test_numbers_of_a_failed_change_are_taken_back() -> None:
    memory = memory_of(points_of(3))
    definition = definition_of(memory.point(1))._replace(unit="MW")
    with contextlib.suppress(RuntimeError), memory.numbering() as additions:
        number, station = memory.numbers_of(definition, "S7")
        assert additions() == ([(number, definition)], [(station, "S7")])
        raise RuntimeError
    assert (memory.definitions.find(definition), memory.stations.find("S7")) == (0, 0)


def test_a_reader_never_keeps_what_a_change_replaced() -> None:
    memory = memory_of(points_of(50))
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            for i in range(1, 51):
                memory.point(i)

    reader = threading.Thread(target=read)
    reader.start()
    for multiplier in range(2, 30):
        for i in range(1, 51):
            before = memory.point(i)
            memory._recent.pop(i, None)
            memory.replace(before, msgspec.structs.replace(before, multiplier=float(multiplier)))
            assert memory.point(i).multiplier == multiplier
    stop.set()
    reader.join()
