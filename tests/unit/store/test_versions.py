"""Versions out of segments and unsealed batches: sorted, each once, each with its time of arrival and origin."""

import numpy as np

from historian.model.sample import Origin, Versions
from historian.store import versions
from historian.store.segment import Batches
from tests.support.rows import rows_of

SEALED = Batches(np.array([1, 3]), np.array([10, 30]), np.array([1, 0], np.uint16), ["b", "a"])
UNSEALED = Batches(np.array([3, 5]), np.array([30, 50]), np.array([0, 1], np.uint16), ["b", "desk\nmisread"])
NOBODY = Batches(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint16), [])
Told = tuple[int, int, float, int, int, Origin]


def told(found: Versions) -> list[Told]:
    """(point, time, value, sequence, arrival, origin) of each."""
    origins = [found.origins[number] for number in found.origin.tolist()]
    columns = (found.point_id, found.time_us, found.value, found.sequence, found.arrival_time_us)
    return list(zip(*(column.tolist() for column in columns), origins, strict=True))


def test_rows_get_arrival_and_origin_of_their_batch() -> None:
    found = versions.of_rows(rows_of([(1, 0, 0.5, 3), (1, 1, 0.5, 5), (2, 0, 0.5, 3)]), UNSEALED)
    assert [row[3:] for row in told(found)] == [
        (3, 30, Origin("b")),
        (5, 50, Origin("desk", "misread")),
        (3, 30, Origin("b")),
    ]


def test_a_sequence_that_no_batch_has_arrived_at_0_from_nobody() -> None:
    samples = [(1, time, 0.5, sequence) for time, sequence in enumerate([0, 4, 9])]
    for batches in (UNSEALED, NOBODY):
        found = told(versions.of_rows(rows_of(samples), batches))
        assert {row[4:] for row in found} == {(0, Origin(""))}


def test_joined_versions_are_sorted_by_point_time_and_sequence() -> None:
    older = versions.of_rows(rows_of([(1, 0, 1.0, 1), (1, 7, 1.0, 3), (2, 0, 1.0, 1)]), SEALED)
    found = versions.join(older, rows_of([(2, 0, 2.0, 5), (1, 0, 2.0, 5), (1, 3, 2.0, 3)]), UNSEALED)
    assert [(row[:2], row[3]) for row in told(found)] == [
        ((1, 0), 1), ((1, 0), 5), ((1, 3), 3), ((1, 7), 3), ((2, 0), 1), ((2, 0), 5),
    ]  # fmt: skip


def test_origins_are_kept_on_both_sides() -> None:
    older = versions.of_rows(rows_of([(1, 0, 1.0, 1), (1, 1, 1.0, 3)]), SEALED)
    found = versions.join(older, rows_of([(1, 0, 2.0, 5), (1, 1, 2.0, 9)]), UNSEALED)
    assert [row[5] for row in told(found)] == [
        Origin("a"), Origin("desk", "misread"), Origin("b"), Origin(""),
    ]  # fmt: skip


def test_a_version_that_is_sealed_and_unsealed_stays_once_as_the_unsealed_says() -> None:
    older = versions.of_rows(rows_of([(1, 0, 1.0, 1), (1, 1, 1.0, 3)]), SEALED)
    found = versions.join(older, rows_of([(1, 1, 1.5, 3)]), UNSEALED)
    assert [row[:4] for row in told(found)] == [(1, 0, 1.0, 1), (1, 1, 1.5, 3)]


def test_nothing_joined_with_something_is_that() -> None:
    rows = rows_of([(1, 0, 1.0, 3)])
    assert told(versions.join(versions.empty(), rows, UNSEALED)) == told(versions.of_rows(rows, UNSEALED))
    assert versions.join(versions.empty(), rows_of([]), NOBODY).row_count == 0
