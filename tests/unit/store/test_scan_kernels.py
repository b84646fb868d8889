"""Stretches of batches, and the gaps of runs."""

import numpy as np
import pytest

from historian.model.sample import make_batch
from historian.store import scan_kernels, segment_kernels
from historian.store.scan_kernels import COUNT, FIRST_ID, LAST_ID, SEQUENCE, STRETCH_COLUMNS, TIME


def test_a_stretch_ends_where_time_or_sequence_changes_or_points_do_not_rise() -> None:
    batch = make_batch([1, 2, 5, 4, 6, 7, 8, 9], [3, 3, 3, 3, 3, 4, 4, 4], np.arange(8.0), [7] * 8)
    found = np.empty((8, STRETCH_COLUMNS), np.int64)
    sequence = np.array([1, 1, 1, 1, 1, 1, 1, 2])
    assert scan_kernels.find_stretches(*batch, sequence, found) == (4, 7)
    kept = found[:4, [COUNT, TIME, FIRST_ID, LAST_ID, SEQUENCE]].tolist()
    assert kept == [[3, 3, 1, 5, 1], [2, 3, 4, 6, 1], [2, 4, 7, 8, 1], [1, 4, 9, 9, 2]]
    assert scan_kernels.find_stretches(*batch, sequence, found[:3])[0] == -1
    assert (
        scan_kernels.find_stretches(*batch._replace(quality=batch.quality * np.arange(8)), sequence, found)[1]
        == -1
    )


@pytest.mark.parametrize(
    "places",
    [[0, 1, 2], [0, 2], [3, 4, 7, 8, 9, 12, 13, 14], [0, 5, 6, 7, 8, 9, 10, 11], [0, 2, 4, 6, 8, 9]],
    ids=str,
)
def test_gaps_are_found_as_by_looking_at_every_time(places: list[int]) -> None:
    known = 100 + 10 * np.arange(20)
    slot = np.array([*places, *places], np.uint16)  # two runs
    size, first = np.full(2, len(places)), np.array([0, len(places)])
    missing = np.full(2, places[-1] - places[0] + 1 - len(places), np.uint32)
    step = np.full(2, 10)
    ours, theirs = (np.empty(int(missing.sum()), np.uint32) for _ in range(2))
    scan_kernels.missing_places(known, slot, size, step, missing, ours)
    segment_kernels.missing_slots(known[slot], first, size, step, missing, theirs)
    assert ours.tolist() == theirs.tolist()
