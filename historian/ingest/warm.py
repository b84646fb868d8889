"""Runs the kernels of the ingest path once on toy data."""

import numpy as np

from historian.catalogue.point_column import PointColumns
from historian.ingest import classify
from historian.model.sample import make_batch
from historian.store.reader import Existing


def warm_kernels() -> None:
    """Touch validation and comparison with the types they meet in earnest."""
    batch = make_batch([1, 1], [0, 0], [1.0, 2.0])
    points = PointColumns(np.array([0, 1], np.int64), np.full(2, -np.inf), np.full(2, np.inf))
    valid = classify.validate(classify.for_kernels(batch), points, -1, 1)
    existing = Existing(np.zeros(2, np.bool_), np.zeros(2), np.zeros(2, np.uint16))
    classify.validate(classify.for_kernels(batch._replace(value=np.array([1.0, np.nan]))), points, -1, 1)
    classify.resolve(valid.batch, existing, np.ones(2, np.uint8))
