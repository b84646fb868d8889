"""Keys hold point and day; sets of keys are sets."""

import numpy as np
import pytest

from historian.rollup import day_key
from historian.rollup.day_key import KeySet

LAST_DAY = 3_652_059  # 9999-12-31


def keys(*pairs: tuple[int, int]) -> day_key.KeyColumn:
    return day_key.pack_pairs(pairs)


def set_of(*columns: day_key.KeyColumn) -> KeySet:
    made = KeySet()
    for column in columns:
        made.add(column)
    return made


@pytest.mark.parametrize("pair", [(1, 1), (1, LAST_DAY), (2**32 - 1, LAST_DAY)], ids=str)
def test_a_key_gives_back_its_point_and_day(pair: tuple[int, int]) -> None:
    assert day_key.unpack_pairs(keys(pair)) == [pair]


def test_every_way_to_pack_gives_the_same_key() -> None:
    columns = day_key.pack(np.array([7, 7]), np.array([5, 6]))
    assert columns.tolist() == day_key.pack_days(7, [5, 6]).tolist() == keys((7, 5), (7, 6)).tolist()


def test_keys_are_in_once() -> None:
    found = set_of(keys((1, 1), (2, 1)), keys((1, 1), (1, 2)))
    assert day_key.unpack_pairs(found.to_column()) == [(1, 1), (1, 2), (2, 1)]
    assert len(found) == 3


def test_adding_tells_what_was_not_in() -> None:
    found = set_of(keys((1, 1), (2, 1)))
    assert day_key.unpack_pairs(found.add(keys((1, 1), (1, 2), (3, 1)))) == [(1, 2), (3, 1)]
    assert len(found.add(keys((1, 2)))) == 0


def test_an_empty_set_holds_nothing() -> None:
    assert len(KeySet()) == 0
    assert len(set_of(keys())) == 0
    assert KeySet().days_of(1) == []


def test_many_small_parts_are_joined() -> None:
    found = set_of(*(keys((1, day % 50)) for day in range(200)))
    assert found.days_of(1) == list(range(50))


def test_discard_ignores_what_is_not_in() -> None:
    found = set_of(keys((1, 1), (1, 2)), keys((1, 3)))
    found.discard(keys((1, 2), (1, 3), (9, 9)))
    assert day_key.unpack_pairs(found.to_column()) == [(1, 1)]


def test_keep_only_takes_out_the_others() -> None:
    found = set_of(keys((1, 1), (1, 2)), keys((1, 3)))
    found.keep_only(keys((1, 2), (9, 9)))
    assert day_key.unpack_pairs(found.to_column()) == [(1, 2)]


def test_days_of_a_point_are_its_own() -> None:
    found = set_of(keys((1, LAST_DAY), (2, 1), (2, 7), (3, 1)))
    assert (found.days_of(2), found.days_of(4)) == ([1, 7], [])


def test_the_oldest_days_come_first_whatever_their_point() -> None:
    found = set_of(keys((1, 30), (1, 10), (2, 20), (3, 5), (9, 40)))
    assert sorted(day_key.unpack_pairs(found.oldest(3))) == [(1, 10), (2, 20), (3, 5)]
    assert len(found.oldest(99)) == 5


def test_of_a_very_large_set_only_a_part_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_key, "LOOKED_AT_MAX", 3)
    found = set_of(keys((1, 9), (1, 10), (2, 8), (3, 1)))
    assert day_key.unpack_pairs(found.oldest(1)) == [(2, 8)]


@pytest.mark.parametrize("keys", [[], [1], [1, 2, 5], [5, 1, 5, 2, 1], [3, 3]])
def test_distinct_keys_ascend(keys: list[int]) -> None:
    assert day_key.distinct(np.array(keys, np.int64)).tolist() == sorted(set(keys))
