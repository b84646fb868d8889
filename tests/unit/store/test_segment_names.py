"""Names and units are asked for once, and anew when the catalogue has changed."""

import numpy as np

from historian.model.point import Point, PointKind
from historian.store.segment_names import NameTable


class Changing:
    revision = 1

    def __init__(self) -> None:
        self.asked: list[int] = []

    def by_id(self, point_id: int) -> Point:
        self.asked.append(point_id)
        name = f"站.r{self.revision}.p{point_id}"
        return Point(id=point_id, name=name, unit="kWh", kind=PointKind.INSTANTANEOUS)


def test_points_are_asked_for_once_a_revision() -> None:
    directory = Changing()
    table = NameTable(directory)  # type: ignore[arg-type]
    names = table.names(np.array([3, 9], np.uint32))
    assert names.name.tolist() == ["站.r1.p3".encode(), "站.r1.p9".encode()]
    assert names.unit.tolist() == [b"kWh", b"kWh"]
    table.names(np.array([9, 10], np.uint32))
    assert directory.asked == [3, 9, 10]
    directory.revision = 2
    assert table.names(np.array([3], np.uint32)).name.tolist() == ["站.r2.p3".encode()]
