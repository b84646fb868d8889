"""Rows tell every sample from every other one."""

import numpy as np

from historian.model.sample import RunBlock
from historian.testing import rows
from historian.testing.twin import Twin


async def test_what_is_put_comes_back_as_rows() -> None:
    twin = Twin()
    await rows.put(twin, [2, 1], [1, 0], [-0.0, float("nan")], quality=[3, 4])
    block = await twin.read_block([2, 1], 0, rows.START_US * 2)
    assert rows.rows_of(block) == [rows.row(2, 1, -0.0, 3), rows.row(1, 0, float("nan"), 4)]


def test_minus_zero_is_another_row_than_zero() -> None:
    assert rows.row(1, 0, -0.0) != rows.row(1, 0, 0.0)


def test_an_empty_block_has_no_rows() -> None:
    nothing = RunBlock(
        np.array([7], np.uint32),
        np.zeros(2, np.int64),
        np.empty(0, np.int64),
        np.empty(0),
        np.empty(0, np.uint16),
    )
    assert rows.rows_of(nothing) == []


def test_a_batch_lies_on_quarters() -> None:
    assert rows.batch([1], [4], [1.0]).time_us.tolist() == [rows.START_US + 4 * rows.QUARTER_US]
