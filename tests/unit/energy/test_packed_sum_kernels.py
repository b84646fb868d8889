"""Sums of samples where they lie are those of samples read out."""

import numpy as np
import pytest

from historian.energy import packed_sum_kernels, steady_sum
from historian.energy.fleet import Ask, Asked
from historian.model import quality
from historian.model.packed import PackedPiece
from historian.model.point import MINUTE_US, PointKind
from historian.model.sample import SampleRun, block_of
from tests.support import packed_kit

QUARTER_US = 15 * MINUTE_US
SLOTS = 12
EDGES = np.arange(SLOTS + 1, dtype=np.int64) * QUARTER_US
MEAN = Ask(PointKind.MEAN_POWER, QUARTER_US, 1.0)
AMOUNT = Ask(PointKind.INTERVAL, QUARTER_US, 0.5)


def some_run(point_id: int, random: np.random.Generator, step: int) -> tuple[SampleRun, int]:
    digits = int(random.integers(0, 4))
    there = np.flatnonzero(random.random(2 * SLOTS) < random.choice([0.1, 0.7, 1.0])) * step - SLOTS // 2
    marks = random.choice([0, 0, quality.LATE], len(there)).astype(np.uint16)
    if point_id % 3 == 0:
        marks[:] = quality.LATE
    return SampleRun(
        point_id, there * QUARTER_US, random.integers(-99, 10**6, len(there)) / 10**digits, marks
    ), digits


@pytest.mark.parametrize("seed", range(40))
def test_a_sum_of_pieces_is_that_of_runs(seed: int) -> None:
    random = np.random.default_rng(seed)
    step = 1 + seed % 2
    made = [some_run(point_id, random, step) for point_id in range(2 + seed % 7)]
    runs, digits = [run for run, _ in made], [digit for _, digit in made]
    asked = Asked.of([AMOUNT if i % 2 else MEAN for i in range(len(runs))])
    cut_us = int(random.integers(-2, SLOTS + 2)) * QUARTER_US
    before, after = ([run.between(*span) for run in runs] for span in ((-(10**12), cut_us), (cut_us, 10**12)))
    pieces = [packed_kit.piece_of(part, step * QUARTER_US, digits) for part in (before, after)]
    found = steady_sum.add_up_packed(packed_kit.block_of(range(len(runs)), pieces), asked, EDGES)
    expected = steady_sum.add_up(block_of(runs), asked, EDGES)
    assert found is not None
    assert expected is not None
    for left, right in zip(
        (*found.total, found.missing_count), (*expected.total, expected.missing_count), strict=True
    ):
        np.testing.assert_array_equal(left, right)


def one_piece(slots: list[int], step_us: int = QUARTER_US, bits: list[int] | None = None) -> PackedPiece:
    run = SampleRun(
        1, np.array(slots) * QUARTER_US, np.ones(len(slots)), np.array(bits or [0] * len(slots), np.uint16)
    )
    return packed_kit.piece_of([run], step_us, [0])


@pytest.mark.parametrize(
    ("piece", "is_done"),
    [
        pytest.param(one_piece([0, 1]), True, id="on the grid"),
        pytest.param(one_piece([0, 1], QUARTER_US // 3), False, id="a finer grid"),
        pytest.param(one_piece([0, 1], bits=[0, quality.BAD]), False, id="bad"),
        pytest.param(one_piece([0, 1], bits=[quality.SUSPECT] * 2), False, id="all suspect"),
        pytest.param(one_piece([0, SLOTS], bits=[0, quality.BAD]), True, id="bad behind the slots"),
        pytest.param(one_piece([-1, 0], bits=[quality.BAD, 0]), True, id="bad before the slots"),
    ],
)
def test_what_is_not_steady_is_told(piece: PackedPiece, is_done: bool) -> None:
    total, count = np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.int64)
    flags, one = np.zeros(SLOTS, np.uint16), np.ones(1, np.int64)
    assert packed_sum_kernels.add_piece(*piece, one, 0, QUARTER_US, total, count, flags) == is_done


def test_a_grid_beside_the_slots_is_told() -> None:
    total, count = np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.int64)
    flags, one = np.zeros(SLOTS, np.uint16), np.ones(1, np.int64)
    assert not packed_sum_kernels.add_piece(*one_piece([0]), one, MINUTE_US, QUARTER_US, total, count, flags)


def test_points_that_are_not_packed_or_numbers_too_large_are_left() -> None:
    asked, run = (
        Asked.of([MEAN, MEAN]),
        SampleRun(1, EDGES, np.ones(SLOTS + 1), np.zeros(SLOTS + 1, np.uint16)),
    )
    block = packed_kit.block_of([1, 2], [packed_kit.piece_of([run, run], QUARTER_US, [0, 0])])
    assert steady_sum.add_up_packed(block, asked, EDGES) is not None
    assert (
        steady_sum.add_up_packed(block._replace(is_packed=np.array([1, 0], np.uint8)), asked, EDGES) is None
    )
    assert steady_sum.add_up_packed(block, Asked.of([MEAN._replace(factor=2.0**30), MEAN]), EDGES) is None
    assert steady_sum.add_up_packed(block, asked, EDGES[[0, 1, 3]]) is None
