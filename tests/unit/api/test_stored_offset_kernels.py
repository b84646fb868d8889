"""Whether points' stamps have something to be added, told for many at once."""

import numpy as np
import pytest

from api import stored_offset_kernels as kernels


@pytest.mark.parametrize(
    ("ids", "state"),
    [
        ([], kernels.NONE),
        ([0, 1, 1], kernels.NONE),
        ([1, 9], kernels.NONE),
        ([1, 2, 1], kernels.SOME),
        ([2, 1, 3], kernels.UNKNOWN),
        ([3], kernels.UNKNOWN),
    ],
)
def test_look(ids: list[int], state: int) -> None:
    offset_us = np.array([0, 0, -900, kernels.ABSENT], np.int64)
    assert kernels.look(np.array(ids, np.uint32), offset_us) == state
