"""Runs laid out as a store shows them, and read out again: the plain twin of packed blocks."""

from collections.abc import Sequence

import numpy as np

from historian.model import packed
from historian.model.packed import PackedBlock, PackedPiece
from historian.model.sample import SampleRun
from tests.support.store_kit import Tuples


def piece_of(runs: Sequence[SampleRun], step_us: int, exponents: Sequence[int]) -> PackedPiece:
    """Runs whose times lie on a grid and whose values are decimals of so many digits, as one piece."""
    fields = np.zeros((packed.FIELD_COUNT, len(runs)), np.int64)
    scaled, missing, quality = [7, 7, 7], [9], [1]  # of somebody else
    for i, (run, exponent) in enumerate(zip(runs, exponents, strict=True)):
        if not run.sample_count:
            continue
        slots = (run.time_us - run.time_us[0]) // step_us + 3  # the grid begins earlier
        lacking = np.setdiff1d(np.arange(3, slots[-1] + 1), slots)
        is_same = bool((run.quality == run.quality[0]).all())
        fields[:, i] = (
            run.sample_count, len(scaled), exponent, run.time_us[0], step_us, 3, len(missing),
            len(missing) + len(lacking), -1 if is_same else len(quality), run.quality[0],
        )  # fmt: skip
        scaled += np.rint(run.value * 10**exponent).astype(int).tolist()
        missing += lacking.tolist()
        quality += [] if is_same else run.quality.tolist()
    return PackedPiece(
        fields,
        np.array(scaled, np.int32),
        np.array([*missing, 10**6], np.uint32),
        np.array(quality, np.uint16),
    )


def block_of(ids: Sequence[int], pieces: Sequence[PackedPiece]) -> PackedBlock:
    """All points packed."""
    return PackedBlock(np.array(ids, np.uint32), tuple(pieces), np.ones(len(ids), np.uint8))


def samples_of(block: PackedBlock, i: int) -> Tuples:
    """The samples of a point."""
    found: Tuples = []
    for piece in block.pieces:
        field = piece.fields[:, i].tolist()
        slot, missing = field[packed.SLOT], field[packed.MISSING_AT]
        for k in range(field[packed.SIZE]):
            while missing < field[packed.MISSING_END] and piece.missing_slot[missing] == slot:
                missing, slot = missing + 1, slot + 1
            time_us = field[packed.FIRST_US] + field[packed.STEP_US] * (slot - field[packed.SLOT])
            value = float(piece.scaled[field[packed.AT] + k] / 10.0 ** field[packed.EXPONENT])
            at = field[packed.QUALITY_AT]
            found.append((time_us, value, int(piece.quality[at + k]) if at >= 0 else field[packed.QUALITY]))
            slot += 1
    return found
