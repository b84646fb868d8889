"""Every version of samples with its time of arrival and origin, put together from segments and unsealed batches."""

import numpy as np
import numpy.typing as npt

from historian.model.sample import Origin, Versions
from historian.store import columns
from historian.store.columns import Rows
from historian.store.segment import Batches


def of_rows(rows: Rows, batches: Batches) -> Versions:
    """Rows with what their batches say; a sequence that no batch has arrived at 0 from nobody."""
    origins = [*(Origin.of_text(text) for text in batches.source_names), Origin("")]
    arrival, origin = _batch_of(rows.sequence, batches)
    return Versions(*rows, arrival, origin, origins)


def join(older: Versions, rows: Rows, batches: Batches) -> Versions:
    """Sealed versions and unsealed rows, sorted by point, time, sequence; one that is in both stays once."""
    newer = of_rows(rows, batches)
    origin = np.concatenate([older.origin, newer.origin + len(older.origins)])
    both = Versions(
        np.concatenate([older.point_id, newer.point_id]),
        np.concatenate([older.time_us, newer.time_us]),
        np.concatenate([older.value, newer.value]),
        np.concatenate([older.quality, newer.quality]),
        np.concatenate([older.sequence, newer.sequence]),
        np.concatenate([older.arrival_time_us, newer.arrival_time_us]),
        origin,
        [*older.origins, *newer.origins],
    )
    # Stable: of equal ones the unsealed stays last.
    order = np.lexsort((both.sequence, both.time_us, both.point_id))
    keys = (both.point_id[order], both.time_us[order], both.sequence[order])
    is_last = np.ones(len(order), np.bool_)
    is_last[:-1] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    return both.take(order[is_last])


def empty() -> Versions:
    """No versions."""
    rows = columns.make_rows(0)
    return Versions(*rows, np.empty(0, np.int64), np.empty(0, np.int64), [])


def _batch_of(
    sequence: npt.NDArray[np.int64], batches: Batches
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Time of arrival, and index of the origin, of each sequence."""
    if not len(batches.sequence):
        return np.zeros(len(sequence), np.int64), np.full(len(sequence), len(batches.source_names))
    at = np.searchsorted(batches.sequence, sequence).clip(max=len(batches.sequence) - 1)
    is_known = batches.sequence[at] == sequence
    arrival = np.where(is_known, batches.arrival_time_us[at], 0)
    origin = np.where(is_known, batches.source[at].astype(np.int64), len(batches.source_names))
    return arrival, origin
