"""Small operations on runs: joining, cutting, dropping what is marked deleted."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from historian.model.quality import DELETED
from historian.model.sample import SampleRun, empty_run


def without_deleted(run: SampleRun) -> SampleRun:
    """The run without delete-marked samples; the same run where there is none."""
    if not np.count_nonzero(run.quality):  # the everyday case
        return run
    is_deleted = (run.quality & DELETED) != 0
    return chosen(run, ~is_deleted) if is_deleted.any() else run


def chosen(run: SampleRun, index: slice | npt.NDArray[np.bool_]) -> SampleRun:
    """The samples that `index` picks, views where it is a slice."""
    return SampleRun(run.point_id, run.time_us[index], run.value[index], run.quality[index])


def backwards(run: SampleRun) -> SampleRun:
    """The samples in falling order of time, as columns in one piece."""
    return SampleRun(
        run.point_id,
        np.ascontiguousarray(run.time_us[::-1]),
        np.ascontiguousarray(run.value[::-1]),
        np.ascontiguousarray(run.quality[::-1]),
    )


def joined(point_id: int, parts: Sequence[SampleRun]) -> SampleRun:
    """One run of parts that follow each other in time."""
    filled = [part for part in parts if part.sample_count]
    if not filled:
        return empty_run(point_id)
    if len(filled) == 1:
        return filled[0]
    return SampleRun(
        point_id,
        np.concatenate([part.time_us for part in filled]),
        np.concatenate([part.value for part in filled]),
        np.concatenate([part.quality for part in filled]),
    )


def kernel_ready(run: SampleRun) -> SampleRun:
    """Columns of the one type the kernels are compiled for: in one piece and writable; copied only where not."""
    return SampleRun(
        run.point_id,
        np.require(run.time_us, np.int64, ("C", "W")),
        np.require(run.value, np.float64, ("C", "W")),
        np.require(run.quality, np.uint16, ("C", "W")),
    )
