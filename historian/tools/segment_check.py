"""Holds a segment against what the manifest and its own index say of it."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from historian.tools.manifest_file import ListedSegment
from historian.tools.segment_file import Batches, Samples, SegmentFile

GROUP_SAMPLES_MAX: Final = 4_000_000  # held decoded at once
EXAMPLES_MAX: Final = 5  # of the same mistake in one file


def problems_of(segment: SegmentFile, listed: ListedSegment) -> list[str]:
    """What is not as it should be, at most some examples of each. Raises SegmentCorrupt where it cannot be read."""
    found = [*_against_manifest(segment, listed), *_index_order(segment)]
    batches = segment.batches()
    found += _batch_order(batches)
    known = batches.sequence
    lowest: list[int] = []
    highest: list[int] = []
    wrong: list[str] = []
    for first, last in segment.run_groups(GROUP_SAMPLES_MAX):
        samples = segment.samples(first, last)
        for run in range(first, last):
            if len(wrong) < EXAMPLES_MAX:
                wrong += _of_run(segment, run, samples.run(run - first), listed)
        if len(samples.sequence):
            lowest.append(int(samples.sequence.min()))
            highest.append(int(samples.sequence.max()))
            found += _unknown_batches(samples, known)
    found += wrong[:EXAMPLES_MAX]
    if lowest and (min(lowest), max(highest)) != (listed.sequence_min, listed.sequence_max):
        found.append(
            f"sequences reach from {min(lowest)} to {max(highest)}, "
            f"the manifest says {listed.sequence_min} to {listed.sequence_max}"
        )
    found += _superseded(segment, listed)
    return list(dict.fromkeys(found))


def _against_manifest(segment: SegmentFile, listed: ListedSegment) -> Iterator[str]:
    index = segment.index
    facts = {
        "generation": (segment.generation, listed.generation),
        "runs": (segment.run_count, listed.run_count),
        "samples": (segment.sample_count, listed.sample_count),
    }
    if segment.run_count:
        facts["first time"] = (int(index["first_time_us"].min()), listed.time_min_us)
        facts["last time"] = (int(index["last_time_us"].max()), listed.time_max_us)
    if segment.run_count and listed.point_max is not None:
        facts["first point"] = (int(index["point_id"].min()), listed.point_min)
        facts["last point"] = (int(index["point_id"].max()), listed.point_max)
    for name, (is_so, is_said) in facts.items():
        if is_so != is_said:
            yield f"{name}: {is_so} in the file, {is_said} in the manifest"


def _index_order(segment: SegmentFile) -> Iterator[str]:
    ids = segment.index["point_id"].astype(np.int64)
    if (np.diff(ids) <= 0).any():
        yield "the index is not sorted by point, or has a point twice"
    if (segment.index["sample_count"] == 0).any():
        yield "a run has no samples"


def _batch_order(batches: Batches) -> Iterator[str]:
    if (np.diff(batches.sequence) <= 0).any():
        yield "the batches are not sorted by sequence"
    if len(batches.source) and not 0 <= batches.source.min() <= batches.source.max() < len(
        batches.source_names
    ):
        yield "a batch names a source that is not there"


def _of_run(segment: SegmentFile, run: int, samples: Samples, listed: ListedSegment) -> Iterator[str]:
    index, where = segment.index, f"point {int(segment.index['point_id'][run])} ({segment.names[run]})"
    if not len(samples.time_us):
        return
    ends = int(samples.time_us[0]), int(samples.time_us[-1])
    if ends != (int(index["first_time_us"][run]), int(index["last_time_us"][run])):
        yield f"{where}: its first and last time are not those of the index"
    if (np.diff(samples.time_us) <= 0).any():
        yield f"{where}: times do not rise"
    months = np.unique(samples.time_us.view("datetime64[us]").astype("datetime64[M]").astype(str))
    if months.tolist() != [listed.month]:
        yield f"{where}: has samples of {', '.join(months.tolist())}, not of {listed.month} alone"
    low, high = segment.extremes(run)
    if not np.isnan(samples.value).any() and (samples.value.min(), samples.value.max()) != (low, high):
        yield (
            f"{where}: values lie from {float(samples.value.min())} to {float(samples.value.max())}, "
            f"the index says {low} to {high}"
        )


def _unknown_batches(samples: Samples, known: npt.NDArray[np.int64]) -> Iterator[str]:
    lost = np.setdiff1d(samples.sequence, known)
    if len(lost):
        yield f"sequence {int(lost[0])} is that of no batch ({len(lost)} such)"


def _superseded(segment: SegmentFile, listed: ListedSegment) -> Iterator[str]:
    columns = segment.superseded()
    count = len(columns["point_id"])
    if count != listed.superseded_count:
        yield f"{count} superseded versions in the file, {listed.superseded_count} in the manifest"
    order = np.lexsort((columns["sequence"], columns["time_us"], columns["point_id"]))
    if (order != np.arange(count)).any():
        yield "the superseded versions are not sorted by point, time and sequence"
