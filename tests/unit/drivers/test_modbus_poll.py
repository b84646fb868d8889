import struct

import numpy as np
import pytest

from drivers.mapping import Scaling
from drivers.modbus_poll import NEVER_US, PolledRequest
from drivers.modbus_request import RegisterValue, plan_requests
from drivers.modbus_settings import Order, RegisterArea, RegisterType
from historian.model.point import MINUTE_US, SECOND_US, Point, PointKind, TimeLabel

NOON_US = 1_700_049_600 * SECOND_US  # a whole hour
TOLERANCE_US = 2 * SECOND_US


def polled(*points: Point) -> PolledRequest:
    values = [
        RegisterValue(
            index,
            1,
            RegisterArea.HOLDING_REGISTER,
            2 * index,
            RegisterType.FLOAT32,
            Order.BIG,
            Order.BIG,
            Scaling(1, 0, 1),
        )
        for index in range(len(points))
    ]
    (request,) = plan_requests(values, 125, 0)
    return PolledRequest(request, points, np.full(len(points), NEVER_US, np.int64))


def point(point_id: int, interval_us: int = MINUTE_US, **changes: object) -> Point:
    fields: dict[str, object] = {"kind": PointKind.INSTANTANEOUS, **changes}
    return Point(id=point_id, name=f"p{point_id}", unit="kW", interval_us=interval_us, **fields)  # type: ignore[arg-type]


def octets(*values: float) -> bytes:
    return struct.pack(f">{len(values)}f", *values)


def stored(request: PolledRequest, time_us: int, *values: float) -> list[tuple[int, int, float]]:
    """(point id, offset from noon in s, value) of what one poll stores."""
    batch = request.reading_of(octets(*values), time_us, TOLERANCE_US).batch
    rows = zip(batch.point_id.tolist(), batch.time_us.tolist(), batch.value.tolist(), strict=True)
    return [(point_id, (stamp - NOON_US) / SECOND_US, value) for point_id, stamp, value in rows]


def test_the_first_poll_of_a_slot_is_stored_with_the_slots_instant() -> None:
    assert stored(polled(point(1)), NOON_US + 12_345, 5.0) == [(1, 0.0, 5.0)]


def test_later_polls_of_a_slot_are_not_stored() -> None:
    request = polled(point(1))
    counts = [len(stored(request, NOON_US + s * SECOND_US, 5.0)) for s in range(0, 180, 5)]
    assert [index * 5 for index, count in enumerate(counts) if count] == [0, 60, 120]


def test_a_poll_exactly_at_the_tolerance_still_gets_the_instant() -> None:
    assert stored(polled(point(1)), NOON_US + TOLERANCE_US, 5.0) == [(1, 0.0, 5.0)]


def test_a_late_first_poll_keeps_its_own_time() -> None:
    assert stored(polled(point(1)), NOON_US + TOLERANCE_US + 500_000, 5.0) == [(1, 2.5, 5.0)]


def test_each_point_is_stored_at_its_own_interval() -> None:
    request = polled(point(1, MINUTE_US), point(2, 5 * MINUTE_US))
    ids = [[row[0] for row in stored(request, NOON_US + minute * MINUTE_US, 5.0, 6.0)] for minute in range(6)]
    assert ids == [[1, 2], [1], [1], [1], [1], [1, 2]]


def test_a_period_that_ends_at_the_instant_is_stored_under_its_start() -> None:
    mean = point(1, 15 * MINUTE_US, kind=PointKind.MEAN_POWER, label=TimeLabel.PERIOD_END)
    assert stored(polled(mean), NOON_US + 10_000, 5.0) == [(1, -900.0, 5.0)]


def test_a_late_poll_of_a_period_still_describes_the_whole_period() -> None:
    mean = point(1, 15 * MINUTE_US, kind=PointKind.MEAN_POWER, label=TimeLabel.PERIOD_END)
    assert stored(polled(mean), NOON_US + 400 * SECOND_US, 5.0) == [(1, -900.0, 5.0)]


def test_a_nan_is_not_stored_and_leaves_its_slot_open() -> None:
    request = polled(point(1), point(2))
    reading = request.reading_of(octets(float("nan"), 6.0), NOON_US, TOLERANCE_US)
    assert (reading.finite_ids, reading.not_finite_ids) == ([2], [1])
    assert reading.batch.point_id.tolist() == [2]
    assert stored(request, NOON_US + 5 * SECOND_US, 7.0, 6.0) == [(1, 5.0, 7.0)]


def test_after_the_clock_stepped_back_values_are_stored_again() -> None:
    request = polled(point(1))
    stored(request, NOON_US + 60 * MINUTE_US, 5.0)
    assert stored(request, NOON_US, 6.0) == [(1, 0.0, 6.0)]


def test_samples_are_good_and_measured() -> None:
    reading = polled(point(1)).reading_of(octets(1.0), NOON_US, TOLERANCE_US)
    assert reading.batch.quality.tolist() == [0]


def test_a_silent_request_rests_until_its_probe() -> None:
    request = polled(point(1))
    assert [request.note_silence(time_us) for time_us in (10, 20, 30)] == [1, 2, 3]
    assert request.probe_later(100.0) == 10
    assert (request.is_due(99.9), request.is_due(100.0)) == (False, True)
    request.note_answer()
    assert request.is_due(0.0)
    assert request.note_silence(40) == 1


def test_a_batch_has_the_stores_column_types() -> None:
    batch = polled(point(1)).reading_of(octets(1.0), NOON_US, TOLERANCE_US).batch
    assert [column.dtype for column in batch] == [np.uint32, np.int64, np.float64, np.uint16]


@pytest.mark.parametrize("time_us", [-1, 0, 1, NOON_US - 1], ids=str)
def test_slots_begin_at_or_before_the_reading(time_us: int) -> None:
    batch = polled(point(1)).reading_of(octets(1.0), time_us, MINUTE_US).batch
    assert 0 <= time_us - batch.time_us[0] < MINUTE_US
    assert batch.time_us[0] % MINUTE_US == 0
