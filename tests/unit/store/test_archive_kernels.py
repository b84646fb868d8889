"""Pieces of several segments become one run each, newest version first in rank."""

import itertools

import numpy as np
import pytest

from historian.store import archive_kernels

Piece = list[tuple[int, float, int]]  # (time, value, sequence)


def unite(pieces: list[list[Piece]], *, by_sequence: bool) -> list[list[tuple[int, float]]]:
    """`pieces[segment][point]` → each point's (time, value)."""
    count = np.array([[len(run) for run in segment] for segment in pieces], np.int64)
    at, offset = np.empty_like(count), np.empty(count.shape[1] + 1, np.int64)
    total = archive_kernels.place(count, at, offset)
    time, value, sequence = np.empty(total, np.int64), np.empty(total), np.empty(total, np.int64)
    for p, segment in enumerate(pieces):
        for i, run in enumerate(segment):
            for k, sample in enumerate(run):
                time[at[p, i] + k], value[at[p, i] + k], sequence[at[p, i] + k] = sample
    out = (np.empty(total, np.int64), np.empty(total), np.empty(total, np.uint16))
    samples = (time, value, np.zeros(total, np.uint16))
    kept = archive_kernels.unite(
        count, at, samples, sequence if by_sequence else np.empty(0, np.int64), offset, out
    )
    assert offset[-1] == kept
    return [
        list(zip(out[0][a:b].tolist(), out[1][a:b].tolist(), strict=True))
        for a, b in itertools.pairwise(offset)
    ]


@pytest.mark.parametrize("by_sequence", [False, True])
def test_pieces_are_brought_into_the_order_of_time(by_sequence: bool) -> None:
    pieces = [
        [[(1, 1.0, 1), (5, 5.0, 1)], []],
        [[(3, 3.0, 2)], [(9, 9.0, 2)]],
        [[(0, 0.5, 3), (7, 7.0, 3)], []],
    ]
    assert unite(pieces, by_sequence=by_sequence) == [
        [(0, 0.5), (1, 1.0), (3, 3.0), (5, 5.0), (7, 7.0)],
        [(9, 9.0)],
    ]


def test_of_equal_times_the_later_piece_or_the_higher_sequence_stays() -> None:
    pieces = [[[(1, 1.0, 9), (2, 1.0, 4)]], [[(1, 2.0, 5), (2, 2.0, 5)]], [[(2, 3.0, 5)]]]
    assert unite(pieces, by_sequence=False) == [[(1, 2.0), (2, 3.0)]]
    assert unite(pieces, by_sequence=True) == [[(1, 1.0), (2, 3.0)]]


def test_rising_pieces_are_seen() -> None:
    count = np.array([[2, 0], [1, 1]], np.int64)
    at, offset = np.empty_like(count), np.empty(3, np.int64)
    assert archive_kernels.place(count, at, offset) == 4
    assert offset.tolist() == [0, 3, 4]
    assert archive_kernels.is_rising(count, at, np.array([1, 2, 3, 0]))
    assert not archive_kernels.is_rising(count, at, np.array([1, 2, 2, 0]))


def test_looked_up_samples_replace_older_ones_only() -> None:
    found = (np.array([0, 1, 1], np.uint8), np.zeros(3), np.zeros(3, np.uint16), np.array([0, 5, 9]))
    samples = (np.array([1.0, 2.0, 3.0]), np.ones(3, np.uint16), np.array([7, 7, 7]))
    archive_kernels.take_newer(np.array([0, 1, 2]), np.array([1, 1, 1]), samples, found)
    assert found[1].tolist() == [1.0, 2.0, 0.0]
    assert found[3].tolist() == [7, 7, 9]
