"""Rows of the store out of plain tuples."""

import numpy as np

from historian.store.columns import Rows


def rows_of(samples: list[tuple[int, int, float, int]]) -> Rows:
    """(point, time, value, sequence) each."""
    columns = [list(column) for column in zip(*samples, strict=True)] or [[], [], [], []]
    return Rows(
        np.array(columns[0], np.uint32),
        np.array(columns[1], np.int64),
        np.array(columns[2], np.float64),
        np.zeros(len(samples), np.uint16),
        np.array(columns[3], np.int64),
    )
