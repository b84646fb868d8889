"""Reads runs as figures see them (see `prepared`): as far beyond what is asked for as rules reach.

Only points with rules or with estimates are read so; all others are made from what is stored as it is.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import validation
from historian.energy.validation import Limits, Subject
from historian.model import quality, timestamp
from historian.model.point import PointKind
from historian.model.ports import SampleReader
from historian.model.sample import RunBlock, SampleRun, Versions, block_of
from historian.rollup import day_figure, day_source, prepared
from historian.rollup.day_maker import Metered
from historian.rollup.prepared import Reach

I64 = npt.NDArray[np.int64]

READ_SAMPLES_MAX: Final = 2_000_000  # asked of the store at once, as far as intervals tell
STEP_INTERVALS: Final = 64  # by which a register's next good reading is looked for first; then twice as far
STEPS_MAX: Final = 14  # a million intervals; then there is none


class _Alike(NamedTuple):
    """Places of points of one interval and one reach, and what is read for them."""

    places: list[int]
    reach: Reach
    margin_us: int
    has_arrivals: bool


async def read_prepared(
    reader: SampleReader, wanted: Sequence[Metered], start_us: int, end_us: int
) -> list[SampleRun]:
    """One prepared run for each, enough to make any figure within ``[start_us, end_us)``; see `day_source.read_runs`."""
    runs: dict[int, SampleRun] = {}
    for alike in _alike(wanted, end_us - start_us):
        some = [wanted[place] for place in alike.places]
        low_us, high_us = start_us - alike.margin_us, end_us + alike.margin_us
        made = await _read(reader, some, alike, low_us, high_us)
        for place, one, run in zip(alike.places, some, made, strict=True):
            is_register = one.point.kind is PointKind.REGISTER
            runs[place] = (
                await _with_neighbours(reader, one, alike, run, (start_us, end_us)) if is_register else run
            )
    return [runs[place] for place in range(len(wanted))]


async def prepare_runs(
    reader: SampleReader, wanted: Sequence[Metered], runs: Sequence[SampleRun], start_us: int, end_us: int
) -> list[SampleRun]:
    """The runs, read for ``[start_us, end_us)`` already, with prepared ones in place of those that need it."""
    places = [
        place
        for place, (one, run) in enumerate(zip(wanted, runs, strict=True))
        if prepared.has_rules(one.terms) or has_estimates(run.quality)
    ]
    answer = list(runs)
    made = await read_prepared(reader, [wanted[place] for place in places], start_us, end_us)
    for place, run in zip(places, made, strict=True):
        answer[place] = run
    return answer


def has_estimates(column: npt.NDArray[np.uint16]) -> bool:
    """Whether any of the samples is an estimate."""
    return bool(((column & quality.ORIGIN_MASK) == quality.ESTIMATED).any())


def rows_with_estimates(block: RunBlock) -> I64:
    """Rows of a block that have estimates, ascending."""
    places = np.flatnonzero((block.quality & quality.ORIGIN_MASK) == quality.ESTIMATED)
    if len(places) == 0:
        return np.empty(0, np.int64)
    rows: I64 = np.unique(np.searchsorted(block.offset, places, side="right") - 1).astype(np.int64)
    return rows


def _alike(wanted: Sequence[Metered], length_us: int) -> list[_Alike]:
    groups: dict[tuple[int, Reach, bool], list[int]] = {}
    for place, one in enumerate(wanted):
        reach = prepared.reach_of(one.point.interval_us, one.terms)
        key = one.point.interval_us, reach, prepared.has_arrival_rules(one.terms)
        groups.setdefault(key, []).append(place)
    made: list[_Alike] = []
    for (interval_us, reach, has_arrivals), places in groups.items():
        margin_us = day_figure.margin_us(interval_us)
        samples = (length_us + 2 * margin_us + reach.before_us + reach.after_us) // interval_us + 1
        size = max(1, READ_SAMPLES_MAX // samples)
        made += [
            _Alike(places[first : first + size], reach, margin_us, has_arrivals)
            for first in range(0, len(places), size)
        ]
    return made


async def _read(
    reader: SampleReader, some: Sequence[Metered], alike: _Alike, low_us: int, high_us: int
) -> list[SampleRun]:
    """Prepared samples in ``[low_us, high_us)``."""
    ids = np.array([one.point.id for one in some], np.uint32)
    from_us = max(low_us - alike.reach.before_us, timestamp.TIME_MIN_US)
    to_us = min(high_us + alike.reach.after_us, timestamp.TIME_MAX_US)
    block = await reader.read_block(ids, from_us, to_us)
    versions = await reader.read_versions(ids, from_us, to_us) if alike.has_arrivals else None
    made = await asyncio.to_thread(_prepare_all, some, block, versions)
    return [run.between(low_us, high_us) for run in made]


def _prepare_all(some: Sequence[Metered], block: RunBlock, versions: Versions | None) -> list[SampleRun]:
    """Runs of one rule for all of their time in one pass, the others one by one."""
    runs = block.runs()
    for row in rows_with_estimates(block).tolist():
        runs[row] = prepared.without_outdated(runs[row], some[row].point)
    together: list[tuple[int, Subject]] = []
    for row, (one, run) in enumerate(zip(some, runs, strict=True)):
        if run.sample_count == 0 or not prepared.has_rules(one.terms):
            continue
        first_us, end_us = int(run.time_us[0]), int(run.time_us[-1]) + 1
        parts = prepared.parts_of(one.point, one.terms, first_us, end_us)
        own = None if versions is None else prepared.rows_of_versions(versions, one.point.id)
        if len(parts) == 1 and (parts[0].from_us, parts[0].to_us) == (first_us, end_us):
            arrived = prepared.look_at_arrivals(run, parts[0].subject.rules, own)
            runs[row] = run._replace(quality=arrived.quality)
            together.append((row, parts[0].subject))
        elif parts:
            runs[row] = run._replace(quality=prepared.look(run, parts, own).quality)
    if together:
        whole = block_of([runs[row] for row, _ in together])
        marked = validation.check_block(whole, Limits.of([subject for _, subject in together])).quality
        for place, (row, _) in enumerate(together):
            column = marked[int(whole.offset[place]) : int(whole.offset[place + 1])]
            runs[row] = runs[row]._replace(quality=column)
    return runs


async def _with_neighbours(
    reader: SampleReader, one: Metered, alike: _Alike, run: SampleRun, span: tuple[int, int]
) -> SampleRun:
    """A register's run with a usable reading beyond both ends of the span, where there is one."""
    low_us, high_us = span[0] - alike.margin_us, span[1] + alike.margin_us
    step_us = STEP_INTERVALS * one.point.interval_us
    for _ in range(STEPS_MAX):
        before, after = day_source.lacking(block_of([run]), *span)
        beyond = None
        if before[0]:
            found, _ = await reader.neighbours(one.point.id, low_us - 1)
            if found.sample_count:
                low_us = beyond = int(found.time_us[0]) - step_us
        if after[0]:
            _, found = await reader.neighbours(one.point.id, high_us - 1)
            if found.sample_count:
                high_us = beyond = int(found.time_us[0]) + step_us
        if beyond is None:
            break
        run = (await _read(reader, [one], alike, low_us, high_us))[0]
        step_us *= 2
    return run
