"""What becomes of each sample of a batch, before anything is written."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.catalogue.point_column import PointColumns
from historian.ingest import validate_kernels
from historian.model.ports import Outcome
from historian.model.sample import SampleBatch
from historian.store.reader import Existing

_KINDS = (np.dtype(np.uint32), np.dtype(np.int64), np.dtype(np.float64), np.dtype(np.uint16))
OutcomeColumn = npt.NDArray[np.uint8]


class Validated(NamedTuple):
    """Outcomes so far, and the batch with out-of-range samples marked suspect."""

    outcome: OutcomeColumn
    batch: SampleBatch
    refused_count: int


def for_kernels(batch: SampleBatch) -> SampleBatch:
    """The batch in the one form kernels are compiled for: exact types, contiguous, writable."""
    columns: list[npt.NDArray[Any]] = [batch.point_id, batch.time_us, batch.value, batch.quality]
    if all(
        column.dtype == kind and column.flags.carray for column, kind in zip(columns, _KINDS, strict=True)
    ):
        return batch
    return SampleBatch(
        np.require(batch.point_id, np.uint32, ("C", "W")),
        np.require(batch.time_us, np.int64, ("C", "W")),
        np.require(batch.value, np.float64, ("C", "W")),
        np.require(batch.quality, np.uint16, ("C", "W")),
    )


def validate(batch: SampleBatch, points: PointColumns, time_min_us: int, time_max_us: int) -> Validated:
    """Refuse samples that are wrong by themselves; mark, but keep, those outside their point's range."""
    if validate_kernels.are_good(*batch[:3], *points, time_min_us, time_max_us):
        return Validated(np.zeros(batch.sample_count, np.uint8), batch, 0)
    outcome = np.empty(batch.sample_count, np.uint8)
    marked = np.empty(batch.sample_count, np.uint16)
    refused, _ = validate_kernels.validate(*batch, *points, time_min_us, time_max_us, outcome, marked)
    return Validated(outcome, batch._replace(quality=marked), refused)


def resolve(batch: SampleBatch, existing: Existing, may_replace: npt.NDArray[np.uint8]) -> OutcomeColumn:
    """Outcome of each sample (all of them valid) against what is stored and against each other."""
    outcome = np.empty(batch.sample_count, np.uint8)
    order = np.lexsort((batch.time_us, batch.point_id))
    validate_kernels.resolve(order, *batch, may_replace, *existing, outcome)
    return outcome


def is_written(outcome: OutcomeColumn) -> npt.NDArray[np.bool_]:
    """Which samples go to disk."""
    written: npt.NDArray[np.bool_] = (outcome == Outcome.ACCEPTED) | (outcome == Outcome.REPLACED)
    return written


def without_repeats(batch: SampleBatch) -> list[SampleBatch]:
    """The batch in parts of which none holds a (point, time) twice: each value that was replaced stays a version."""
    order = np.lexsort((batch.time_us, batch.point_id))
    ids, times = batch.point_id[order], batch.time_us[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (ids[1:] != ids[:-1]) | (times[1:] != times[:-1])
    if is_first.all():
        return [batch]
    starts = np.flatnonzero(is_first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return [batch.take(rank == number) for number in range(int(rank.max()) + 1)]
