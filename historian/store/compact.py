"""Chooses which segments of a month are to be merged next.

A segment's level says how many samples it has of each point: the everyday seals have few, and eight of one
level become one of the next, so a sample is written again three or four times in its life. Only neighbours in
the order of segments are merged, save for others between them that share no point with them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from historian.model.point import DAY_US, HOUR_US
from historian.store.manifest import SegmentInfo

LEVEL_BITS = 3
CRUMB_SHARE = 8  # what is so many times smaller than the rest goes along at any level
SETTLED_DAYS = 3  # a month is made one when nothing of it is younger than the ring and so many days


class Rule(NamedTuple):
    """When segments are merged. `ring_us` is what a start brings into memory: nothing younger is made into pieces
    much longer than that, since all of a piece has to be read for it.
    """

    count_min: int
    now_us: int
    ring_us: int


def rule(count_min: int, now_us: int, ring_hours: int) -> Rule:
    """The rule at a moment."""
    return Rule(count_min, now_us, ring_hours * HOUR_US)


def level(info: SegmentInfo) -> int:
    """How many times eight samples of each point, on average."""
    return (info.sample_count // max(info.run_count, 1)).bit_length() // LEVEL_BITS


def choose(infos: Sequence[SegmentInfo], rule: Rule) -> list[SegmentInfo]:
    """The next group in the order of segments, of the lowest level there is; empty where nothing is to do."""
    months: dict[str, list[SegmentInfo]] = {}
    for info in sorted(infos, key=lambda info: info.order):
        months.setdefault(info.month, []).append(info)
    groups = [group for month in months.values() for group in _groups(month, rule)]
    return min(groups, key=lambda group: (max(map(level, group)), group[0].order), default=[])


def _groups(month: list[SegmentInfo], rule: Rule) -> list[list[SegmentInfo]]:
    groups = []
    for wanted in sorted({level(info) for info in month}):
        for first in range(len(month)):
            group = _grow(month, first, wanted, rule)
            if sum(level(info) == wanted for info in group) >= rule.count_min:
                groups.append(group)
                break
    if not groups and _is_settled(month, rule):
        groups += [group for first in range(len(month)) if _pays(group := _grow(month, first, 64, rule))][:1]
    return groups


def _grow(month: list[SegmentInfo], first: int, wanted: int, rule: Rule) -> list[SegmentInfo]:
    """From one segment on, all that can be merged with it without changing who wins."""
    if level(month[first]) > wanted:
        return []
    group, sample_count = [], 0
    point_min, point_max = month[first].point_min, month[first].point_max
    time_min_us = time_max_us = month[first].time_min_us
    for info in month[first:]:
        if info.point_min > point_max or info.point_max < point_min:
            continue  # shares no point with what is merged before and after it
        is_crumb = info.sample_count * CRUMB_SHARE <= sample_count
        times = (min(time_min_us, info.time_min_us), max(time_max_us, info.time_max_us))
        if (level(info) > wanted and not is_crumb) or not _may_span(*times, rule):
            break
        group.append(info)
        sample_count += info.sample_count
        time_min_us, time_max_us = times
        point_min, point_max = min(point_min, info.point_min), max(point_max, info.point_max)
    return group


def _may_span(time_min_us: int, time_max_us: int, rule: Rule) -> bool:
    return time_max_us < rule.now_us - rule.ring_us or time_max_us - time_min_us <= max(rule.ring_us, DAY_US)


def _is_settled(month: list[SegmentInfo], rule: Rule) -> bool:
    newest_us = max(info.time_max_us for info in month)
    return newest_us < rule.now_us - rule.ring_us - SETTLED_DAYS * DAY_US


def _pays(group: list[SegmentInfo]) -> bool:
    """Whether the largest is not written again for the sake of crumbs."""
    if len(group) < 2:
        return False
    sizes = [info.sample_count for info in group]
    return (sum(sizes) - max(sizes)) * CRUMB_SHARE >= max(sizes)
