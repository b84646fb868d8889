"""Rows of newest samples never leave their room."""

import numpy as np

from api import latest_kernels
from api.latest_form import LatestForm
from historian.model.point import Point, PointKind
from historian.model.sample import LastBlock


def test_the_longest_row_fits_its_room() -> None:
    point = Point(id=1, name="a", unit="kW", kind=PointKind.INSTANTANEOUS)
    longest = LastBlock(
        np.ones(1, np.bool_),
        np.array([-62_135_596_800_000_000 + 1]),
        np.array([-0.000123456]),
        np.array([0xFFFF], np.uint16),
    )
    rows = LatestForm([point]).encode_rows(longest, 253_402_300_799_999_999, False)
    own = len('{"point":"a","station":"","unit":"kW","label":"instant","time":')
    assert rows is None or len(rows) - own < latest_kernels.ROW_BYTES_MAX
    none = LastBlock(np.zeros(1, np.bool_), np.zeros(1, np.int64), np.zeros(1), np.zeros(1, np.uint16))
    rows = LatestForm([point]).encode_rows(none, 0, False)
    assert rows is not None
    assert len(rows) - own < latest_kernels.ROW_BYTES_MAX
