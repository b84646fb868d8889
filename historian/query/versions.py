"""Every version of samples: picking what was known at a moment, joining parts, and reading them a page at a time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from historian.model.point import Point
from historian.model.ports import SampleReader
from historian.model.sample import Origin, PointIdColumn, RunBlock, TimeColumn, Versions
from historian.model.timerange import TimeRange
from historian.query.page import MORE_SAMPLES

Mask = npt.NDArray[np.bool_]


class VersionsPage(NamedTuple):
    """Whole samples with all their versions, by time; `next_time_us` is where the next page begins, None at the end."""

    versions: Versions
    next_time_us: int | None


def is_newest(versions: Versions) -> Mask:
    """Which rows are the last version of their sample: the one that counts."""
    newest = np.ones(versions.row_count, np.bool_)
    newest[:-1] = (versions.point_id[1:] != versions.point_id[:-1]) | (
        versions.time_us[1:] != versions.time_us[:-1]
    )
    return newest


def chosen(versions: Versions, rows: slice | Mask) -> Versions:
    """The rows that `rows` picks; origins as they are."""
    return Versions(
        versions.point_id[rows],
        versions.time_us[rows],
        versions.value[rows],
        versions.quality[rows],
        versions.sequence[rows],
        versions.arrival_time_us[rows],
        versions.origin[rows],
        versions.origins,
    )


def known_at(versions: Versions, as_of_us: int) -> Versions:
    """What had arrived by then, that moment included."""
    is_known = versions.arrival_time_us <= as_of_us
    return versions if is_known.all() else chosen(versions, is_known)


def newest_block(versions: Versions, point_ids: Sequence[int] | PointIdColumn) -> RunBlock:
    """The last version of each sample, one run for each id, in the order asked."""
    newest = chosen(versions, is_newest(versions))
    ids = np.asarray(point_ids, np.uint32)
    first = np.searchsorted(newest.point_id, ids, side="left")
    counts = np.searchsorted(newest.point_id, ids, side="right") - first
    offset = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
    rows = np.arange(int(offset[-1])) + np.repeat(first - offset[:-1], counts)
    return RunBlock(ids, offset, newest.time_us[rows], newest.value[rows], newest.quality[rows])


def joined(parts: Sequence[Versions]) -> Versions:
    """Parts that follow each other, as one."""
    if len(parts) == 1:
        return parts[0]
    origins: dict[Origin, int] = {}
    numbers = [
        np.array([origins.setdefault(origin, len(origins)) for origin in part.origins], np.int64)[part.origin]
        for part in parts
    ]
    return Versions(
        np.concatenate([part.point_id for part in parts]),
        np.concatenate([part.time_us for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.quality for part in parts]),
        np.concatenate([part.sequence for part in parts]),
        np.concatenate([part.arrival_time_us for part in parts]),
        np.concatenate(numbers),
        list(origins),
    )


async def page_of(reader: SampleReader, point: Point, span: TimeRange, limit: int) -> VersionsPage:
    """The first `limit` samples of the span, deleted ones too, each with every version it ever had."""
    parts: list[Versions] = []
    times: list[TimeColumn] = []
    found_count = 0
    cursor_us = span.start_us
    window_us = (limit + MORE_SAMPLES) * point.interval_us
    while not parts or (cursor_us < span.end_us and found_count <= limit):
        window_end_us = min(span.end_us, cursor_us + window_us)
        part = await reader.read_versions([point.id], cursor_us, window_end_us)
        parts.append(part)
        times.append(part.time_us[is_newest(part)])
        found_count += len(times[-1])
        cursor_us = window_end_us
        if part.row_count == 0 and cursor_us < span.end_us:  # leap over an empty stretch
            later = (await reader.neighbours(point.id, cursor_us - 1))[1]
            cursor_us = int(later.time_us[0]) if later.sample_count else span.end_us
    versions = joined(parts)
    if found_count <= limit:
        return VersionsPage(versions, None)
    next_time_us = int(np.concatenate(times)[limit])
    return VersionsPage(
        chosen(versions, slice(0, int(np.searchsorted(versions.time_us, next_time_us)))), next_time_us
    )
