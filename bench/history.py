"""Puts days of a million points on disk without sending them: the store's own seal, on samples made here.

Sending 2.9 billion samples takes an hour of processor time; what the start has to cope with is the files.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.workload import QUARTER_US, SLOTS_A_DAY
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.store import filenames, manifest
from historian.store.columns import Rows
from historian.store.durable import DurableFiles
from historian.store.manifest import SegmentInfo
from historian.store.seal import Draft, Publisher
from historian.store.segment_names import NameTable
from historian.store.segment_write import Batches

POINTS_A_PIECE: Final = 10_000
DAY_US: Final = SLOTS_A_DAY * QUARTER_US
_SEQUENCE: Final = 1  # as if all of it had come in the very first batch: whatever else is there wins


def build(data: Path, point_count: int, end_us: int, day_count: int, days_a_segment: int) -> dict[str, Any]:
    """Days before `end_us` of every point, into a data folder that no process has open."""
    files, start_s, cpu_s = DurableFiles(), time.perf_counter(), time.process_time()
    registry = Registry(data / filenames.CATALOGUE, ManualClock(), "UTC")
    before = manifest.read(files, data)
    assert before is not None, "a server has run there before"
    names, generation = NameTable(registry), before.next_generation
    infos: list[SegmentInfo] = []
    for first_us, last_us in _spans(end_us - day_count * DAY_US, end_us, days_a_segment * DAY_US):
        publisher = Publisher(files, data / filenames.SEGMENT_FOLDER, names, _taker(generation))
        infos.append(publisher.publish(_draft(point_count, first_us, last_us), rank=1).info)
        generation += 1
    registry.close()
    files_of_all = (*before.segments, *infos)
    manifest.write(
        files,
        data,
        manifest.Manifest(
            sealed_sequence=before.sealed_sequence,
            next_generation=generation,
            segments=files_of_all,
            retired=before.retired,
        ),
    )
    samples = sum(info.sample_count for info in infos)
    return {
        "samples": samples,
        "segments": len(infos),
        "bytes_per_point": round(sum(info.size_bytes for info in infos) / samples, 3),
        "wall_s": round(time.perf_counter() - start_s, 1),
        "cpu_s_per_million_points": round((time.process_time() - cpu_s) / samples * 1e6, 4),
    }


def _draft(point_count: int, first_us: int, last_us: int) -> Draft:
    one = np.ones(1, np.int64)
    draft = Draft(Batches(one * _SEQUENCE, one * last_us, np.zeros(1, np.uint32), ["history"]))
    slots = np.arange(first_us, last_us, QUARTER_US)
    nothing = Rows(
        *(np.empty(0, column) for column in (np.uint32, np.int64, np.float64, np.uint16, np.int64))
    )
    for first_id in range(1, point_count + 1, POINTS_A_PIECE):
        ids = np.arange(first_id, min(first_id + POINTS_A_PIECE, point_count + 1), dtype=np.uint32)
        draft.add(_rows(ids, slots), nothing)
    return draft


def _rows(ids: npt.NDArray[np.uint32], slots: npt.NDArray[np.int64]) -> Rows:
    count = len(ids) * len(slots)
    hour = (slots // QUARTER_US % SLOTS_A_DAY) / 4
    profile = 0.6 + 0.4 * np.sin((hour - 9) / 24 * 2 * np.pi)
    noise = np.random.default_rng(int(ids[0])).normal(1, 0.15, count).reshape(len(ids), -1)
    size = 0.5 + (ids % 97)[:, None] / 20
    return Rows(
        np.repeat(ids, len(slots)),
        np.tile(slots, len(ids)),
        np.round(size * profile * noise, 3).ravel(),
        np.zeros(count, np.uint16),
        np.full(count, _SEQUENCE, np.int64),
    )


def _spans(first_us: int, end_us: int, length_us: int) -> Iterator[tuple[int, int]]:
    """Spans of that length, cut at the ends of UTC months: a segment holds one month."""
    while first_us < end_us:
        month = np.datetime64(first_us, "us").astype("datetime64[M]") + 1
        month_end_us = int(month.astype("datetime64[us]").astype(np.int64))
        last_us = min(first_us + length_us, end_us, month_end_us)
        yield first_us, last_us
        first_us = last_us


def _taker(generation: int) -> Any:
    return lambda month: (filenames.segment_name(month, generation), generation)
