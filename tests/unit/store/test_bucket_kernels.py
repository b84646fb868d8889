"""Figures between edges against plain Python, run by run."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from historian.store import bucket_kernels
from historian.store.engine import Buckets

VALUES = st.sampled_from([0.0, -1.5, 2.0, 4.25, math.nan, math.inf, -math.inf])
RUN = st.dictionaries(st.integers(0, 19), VALUES, max_size=12)
EDGES = st.lists(st.integers(1, 19), unique=True, max_size=5)


def fill(runs: list[dict[int, float]], edges: list[int]) -> Buckets:
    shape = (len(runs), len(edges) - 1)
    figures = Buckets(np.zeros(shape, np.int64), np.zeros(shape), np.empty(shape), np.empty(shape))
    rows = [sample for run in runs for sample in sorted(run.items())]
    offset = np.concatenate([[0], np.cumsum([len(run) for run in runs], dtype=np.int64)])
    time = np.array([time for time, _ in rows], np.int64)
    value = np.array([value for _, value in rows], np.float64)
    bucket_kernels.fill(offset, time, value, np.array(edges, np.int64), *figures)
    return figures


@given(st.lists(RUN, max_size=4), EDGES)
def test_figures_are_those_of_plain_python(runs: list[dict[int, float]], inner: list[int]) -> None:
    edges = [0, *sorted(inner), 20]
    figures = fill(runs, edges)
    for row, run in enumerate(runs):
        for place, (start, end) in enumerate(pairwise(edges)):
            inside = [value for time, value in run.items() if start <= time < end and math.isfinite(value)]
            assert figures.sample_count[row, place] == len(inside)
            assert figures.total[row, place] == sum(inside)
            least, greatest = (min(inside), max(inside)) if inside else (math.nan, math.nan)
            assert figures.low[row, place] == pytest.approx(least, abs=0, nan_ok=True)
            assert figures.high[row, place] == pytest.approx(greatest, abs=0, nan_ok=True)


def test_a_sample_on_an_edge_belongs_to_the_later_bucket() -> None:
    figures = fill([{0: 1.0, 10: 2.0}], [0, 10, 20])
    assert figures.total.tolist() == [[1.0, 2.0]]


def test_what_is_not_finite_is_not_counted() -> None:
    figures = fill([{0: math.nan, 1: math.inf, 2: -math.inf}], [0, 10])
    assert (figures.sample_count.tolist(), figures.total.tolist()) == ([[0]], [[0.0]])
    assert np.isnan([figures.low[0, 0], figures.high[0, 0]]).all()
