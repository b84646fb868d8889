"""Which segments are merged: neighbours of one level, never across one that shares points, never too long while young."""

from typing import Any

from historian.model.point import DAY_US, HOUR_US
from historian.store import compact
from historian.store.compact import Rule
from historian.store.manifest import SegmentInfo
from tests.support.store_kit import START_US

RULE = Rule(count_min=3, now_us=START_US + 4 * DAY_US, ring_us=48 * HOUR_US)


def info(generation: int, **changes: Any) -> SegmentInfo:
    start_us = START_US + generation * HOUR_US
    fields: dict[str, Any] = {
        "name": str(generation), "month": "2026-01", "generation": generation, "rank": generation,
        "sequence_min": generation, "sequence_max": generation, "time_min_us": start_us,
        "time_max_us": start_us + HOUR_US, "point_min": 1, "point_max": 100, "run_count": 100,
        "sample_count": 400, "superseded_count": 0, "size_bytes": 1000, "crc32c": 0,
    }  # fmt: skip
    return SegmentInfo(**{**fields, **changes})


def chosen(*infos: SegmentInfo, rule: Rule = RULE) -> list[int]:
    return [one.generation for one in compact.choose(infos, rule)]


def test_so_many_of_one_level_are_merged_in_their_order() -> None:
    assert chosen(info(2), info(1)) == []
    assert chosen(info(3), info(1), info(2)) == [1, 2, 3]


def test_months_are_apart() -> None:
    assert chosen(info(1), info(2), info(3, month="2026-02")) == []


def test_a_larger_one_between_them_keeps_them_apart_unless_it_shares_no_point() -> None:
    large = {"sample_count": 90_000}
    assert chosen(info(1), info(2), info(3, **large), info(4)) == []
    apart = info(3, sample_count=90_000, point_min=200, point_max=300)
    assert chosen(info(1), info(2), apart, info(4)) == [1, 2, 4]


def test_what_was_skipped_blocks_nothing_behind_it_that_shares_points_with_it_later() -> None:
    apart = info(2, sample_count=90_000, point_min=200, point_max=300)
    wide = info(3, point_max=300)
    assert chosen(info(1), apart, wide, info(4)) == [1, 3, 4]  # 3 stays behind 2, and 1 shares nothing with 2


def test_crumbs_go_along_whatever_their_level() -> None:
    crumb = info(3, run_count=1, sample_count=90)
    assert compact.level(crumb) > compact.level(info(1))
    assert chosen(info(1), info(2), crumb, info(4)) == [1, 2, 3, 4]


def test_the_lowest_level_goes_first() -> None:
    days = [info(place, sample_count=20_000) for place in (1, 2, 3)]
    assert chosen(*days, info(4), info(5), info(6)) == [4, 5, 6]


def test_what_is_younger_than_the_ring_is_not_made_into_long_pieces() -> None:
    weeks = [
        info(place, time_min_us=START_US + place * DAY_US, time_max_us=START_US + (place + 1) * DAY_US)
        for place in range(1, 9)
    ]
    young = RULE._replace(now_us=START_US + 9 * DAY_US)
    assert chosen(*weeks, rule=young) == [1, 2, 3, 4, 5]  # two days before now begin at day 7
    assert chosen(*weeks, rule=young._replace(now_us=START_US + 20 * DAY_US)) == list(range(1, 9))


def test_a_settled_month_becomes_one_where_that_pays() -> None:
    late = RULE._replace(now_us=START_US + 60 * DAY_US)
    assert chosen(info(1, sample_count=20_000), info(2, sample_count=3_000), rule=late) == [1, 2]
    assert chosen(info(1, sample_count=90_000), info(2, sample_count=3_000), rule=late) == []
    assert chosen(info(1, sample_count=20_000), info(2, sample_count=3_000)) == []
    assert chosen(info(1), rule=late) == []
