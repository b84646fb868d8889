"""The arrays of the hot path."""

import msgspec
import numpy as np
import pytest

from historian.catalogue.point_column import PointColumnStore
from historian.model.point import Point, PointKind


def point(point_id: int, **attributes: object) -> Point:
    made = Point(id=point_id, name=f"p{point_id}", unit="V", kind=PointKind.INSTANTANEOUS)
    return msgspec.structs.replace(made, **attributes)


def test_nobody_has_interval_zero_and_no_limits() -> None:
    columns = PointColumnStore([None, point(1), None]).columns
    assert columns.interval_us.tolist() == [0, 900_000_000, 0]
    assert columns.range_low.tolist() == [-np.inf] * 3
    assert columns.range_high.tolist() == [np.inf] * 3


def test_a_new_point_shows_only_in_columns_asked_for_later() -> None:
    store = PointColumnStore([None])
    before = store.columns
    store.append([point(1, range_low=-5.0, range_high=5.0)])
    assert len(before.interval_us) == 1
    assert (store.columns.range_low[1], store.columns.range_high[1]) == (-5.0, 5.0)


def test_a_changed_point_leaves_columns_given_out_as_they_were() -> None:
    store = PointColumnStore([None, point(1)])
    before = store.columns
    store.replace(point(1, interval_us=1_000_000))
    assert before.interval_us[1] == 900_000_000
    assert store.columns.interval_us.tolist() == [0, 1_000_000]
    store.append([point(2)])
    assert store.columns.interval_us.tolist() == [0, 1_000_000, 900_000_000]


def test_columns_grow_beyond_their_first_room() -> None:
    store = PointColumnStore([None])
    for first in range(1, 5000, 7):
        store.append([point(n, interval_us=n * 1_000_000) for n in range(first, first + 7)])
    np.testing.assert_array_equal(
        store.columns.interval_us, np.arange(len(store.columns.interval_us)) * 1_000_000
    )


def test_columns_cannot_be_written_to() -> None:
    columns = PointColumnStore([None, point(1)]).columns
    with pytest.raises(ValueError, match="read-only"):
        columns.interval_us[1] = 1
