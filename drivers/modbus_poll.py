"""What the driver keeps for each request between polls, and how an answer becomes samples."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from drivers.modbus_request import ReadRequest
from drivers.modbus_value import DecodeTable
from historian.model import quality
from historian.model.point import Point
from historian.model.sample import SampleBatch

NEVER_US = np.iinfo(np.int64).min


class Reading(NamedTuple):
    """One answer's worth: what is to be stored, and which points had a number at all."""

    batch: SampleBatch
    finite_ids: list[int]
    not_finite_ids: list[int]


class PolledRequest:
    """One request with its points; `stored_slot_us` (by point index) is shared by all requests of a driver."""

    def __init__(
        self, request: ReadRequest, points: Sequence[Point], stored_slot_us: npt.NDArray[np.int64]
    ) -> None:
        self.request = request
        self._table = DecodeTable(request)
        self._point_index = np.array([value.point_index for value in request.values], np.intp)
        members = [points[value.point_index] for value in request.values]
        self.point_ids = [point.id for point in members]
        self._id_column = np.array(self.point_ids, np.uint32)
        self._interval_us = np.array([point.interval_us for point in members], np.int64)
        self._offset_us = np.array([point.stored_time_offset_us() for point in members], np.int64)
        self._has_period = np.array([point.has_period for point in members], np.bool_)
        self._stored_slot_us = stored_slot_us
        self._silent_count = 0
        self._silent_since_us = 0
        self._probe_at_s = 0.0

    def is_due(self, now_s: float) -> bool:
        """Whether to ask at this poll: a silent request is only probed now and then."""
        return now_s >= self._probe_at_s

    def note_answer(self) -> None:
        """The device answered, be it with an exception."""
        self._silent_count = 0
        self._probe_at_s = 0.0

    def note_silence(self, time_us: int) -> int:
        """No usable answer came; how many times in a row that makes."""
        if self._silent_count == 0:
            self._silent_since_us = time_us
        self._silent_count += 1
        return self._silent_count

    def probe_later(self, probe_at_s: float) -> int:
        """Leave it alone until then; answers since when (µs) it has been silent."""
        self._probe_at_s = probe_at_s
        return self._silent_since_us

    def reading_of(self, octets: bytes, time_us: int, tolerance_us: int) -> Reading:
        """Decode an answer read at `time_us`; its batch has the first value of each point's slot.

        A value that is not finite leaves its slot open: a later poll may fill it.
        """
        values = self._table.decode(octets)
        slot_us = time_us // self._interval_us * self._interval_us
        is_finite = np.isfinite(values)
        is_stored = is_finite & (slot_us != self._stored_slot_us[self._point_index])
        is_on_grid = self._has_period | (time_us - slot_us <= tolerance_us)
        stamp_us = np.where(is_on_grid, slot_us, time_us) + self._offset_us
        self._stored_slot_us[self._point_index[is_stored]] = slot_us[is_stored]
        batch = SampleBatch(
            self._id_column[is_stored],
            stamp_us[is_stored],
            values[is_stored],
            np.full(np.count_nonzero(is_stored), quality.GOOD | quality.MEASURED, np.uint16),
        )
        if is_finite.all():
            return Reading(batch, self.point_ids, [])
        return Reading(batch, self._id_column[is_finite].tolist(), self._id_column[~is_finite].tolist())
