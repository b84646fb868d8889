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


def test_keys_follow_one_another_and_begin_anew_after_the_last() -> None:
    found = set_of(keys((1, 10), (1, 30), (5, 20), (6, 2), (6, 4), (9, 40)), keys((3, 5), (9, 1)))
    assert day_key.unpack_pairs(found.following(0, 3)) == [(1, 10), (1, 30), (3, 5)]
    after = int(keys((3, 6))[0])
    assert day_key.unpack_pairs(found.following(after, 2)) == [(5, 20), (6, 2)]
    assert day_key.unpack_pairs(found.following(int(keys((9, 41))[0]), 1)) == [(1, 10)]
    assert len(found.following(0, 99)) == 8
    assert len(KeySet().following(7, 99)) == 0


def test_a_point_that_was_cut_off_waits_unless_it_is_the_only_one() -> None:
    some = keys((1, 1), (1, 2), (2, 1), (2, 2))
    assert day_key.unpack_pairs(day_key.whole_points(some, 4)) == [(1, 1), (1, 2)]
    assert len(day_key.whole_points(some, 5)) == 4
    assert len(day_key.whole_points(some[:2], 2)) == 2


def test_discarding_is_what_a_set_does() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        parts = [np.unique(rng.integers(0, 60, rng.integers(1, 40))) for _ in range(3)]
        gone = np.unique(rng.integers(0, 60, rng.integers(0, 30)))
        if rng.random() < 0.5:
            gone = np.arange(gone[0], gone[-1] + 1) if len(gone) else gone  # a stretch
        made = set_of(*parts)
        made.discard(gone)
        expected = set(np.concatenate(parts).tolist()) - set(gone.tolist())
        assert made.to_column().tolist() == sorted(expected)


@pytest.mark.parametrize("keys", [[], [1], [1, 2, 5], [5, 1, 5, 2, 1], [3, 3]])
def test_distinct_keys_ascend(keys: list[int]) -> None:
    assert day_key.distinct(np.array(keys, np.int64)).tolist() == sorted(set(keys))
