"""The arrays of the hot path."""

import numpy as np
import pytest

from historian.catalogue.definition import Definition
from historian.catalogue.point_column import PointColumnStore
from historian.model.point import PointKind, TimeLabel

QUARTER = Definition(
    "V", PointKind.INSTANTANEOUS, 900_000_000, TimeLabel.INSTANT, "UTC", "", None, None, 1.0, None, ""
)
LIMITED = QUARTER._replace(interval_us=1_000_000, range_low=-5.0, range_high=5.0)
BOTH = [(1, QUARTER), (2, LIMITED)]


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.uint32)


def test_nobody_has_interval_zero_and_no_limits() -> None:
    store = PointColumnStore()
    store.append(numbers(1), numbers(1), numbers(0), BOTH)
    store.reach(2)
    assert store.columns.interval_us.tolist() == [0, 900_000_000, 0]
    assert store.columns.range_low.tolist() == [-np.inf] * 3
    assert store.columns.range_high.tolist() == [np.inf] * 3
    assert store.sorts.definition.tolist() == [0, 1, 0]


def test_new_points_show_only_in_columns_asked_for_later() -> None:
    store = PointColumnStore()
    before = store.columns
    store.append(numbers(1, 3), numbers(2, 1), numbers(7, 0), BOTH)
    assert len(before.interval_us) == 1
    assert (store.columns.range_low[1], store.columns.range_high[1]) == (-5.0, 5.0)
    assert store.columns.interval_us.tolist() == [0, 1_000_000, 0, 900_000_000]
    assert store.sorts.station.tolist() == [0, 7, 0, 0]


def test_a_changed_point_leaves_columns_given_out_as_they_were() -> None:
    store = PointColumnStore()
    store.append(numbers(1), numbers(1), numbers(0), BOTH)
    before, sorts_before = store.columns, store.sorts
    store.replace(1, 2, LIMITED, 4)
    assert before.interval_us[1] == 900_000_000
    assert (sorts_before.definition[1], sorts_before.station[1]) == (1, 0)
    assert (store.sorts.definition[1], store.sorts.station[1]) == (2, 4)
    store.append(numbers(2), numbers(1), numbers(0), BOTH)
    assert store.columns.interval_us.tolist() == [0, 1_000_000, 900_000_000]


def test_columns_grow_beyond_their_first_room() -> None:
    store = PointColumnStore()
    for first in range(1, 5000, 7):
        ids = np.arange(first, first + 7, dtype=np.uint32)
        store.append(ids, 1 + ids % 2, ids, BOTH)
    ids = np.arange(1, len(store.sorts.station))
    np.testing.assert_array_equal(store.sorts.station[1:], ids)
    np.testing.assert_array_equal(store.columns.interval_us[1:], np.where(ids % 2, 1_000_000, 900_000_000))


def test_columns_cannot_be_written_to() -> None:
    columns = PointColumnStore().columns
    with pytest.raises(ValueError, match="read-only"):
        columns.interval_us[0] = 1
