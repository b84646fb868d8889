"""From ASDUs to columns on the receiving thread: decode, map, mark, collect.

```
c104's thread ── receive(asdu) ──► columns (bounded), answers, counts ── take ──► loop: one SampleBatch
```
Decoding happens here and not on the event loop, so that a burst never delays the loop.
"""

import array
import threading
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from drivers.codec.asdu import Asdu, InformationObject, TypeId, decode_asdu
from drivers.iec104_value import COUNTER_QUALITY, MEASURED_QUALITY, DeviceTime
from drivers.mapping import Scaling
from historian.clock import Clock
from historian.errors import ProtocolError
from historian.model import quality
from historian.model.sample import SampleBatch

COUNTER_NAMES: Final = (
    "asdus_received",
    "samples_received",
    "values_repeated",  # told again without news: see AsduIntake
    "values_unmapped",  # from information object addresses that no point has
    "asdus_malformed",
    "asdus_test",
    "samples_overflowed",
)
ANSWERS_MAX: Final = (
    1_000  # answers to interrogations held between two takes; a sane station sends three each
)
_TIME_FLAGS: Final = quality.TIME_SUBSTITUTED | quality.TIME_INVALID
_INTERROGATIONS: Final = frozenset({TypeId.C_IC_NA_1, TypeId.C_CI_NA_1})


class IntakePoint(NamedTuple):
    """What the receiving thread needs to know of a point."""

    point_id: int
    scaling: Scaling
    time_offset_us: int  # to the start of the period, for points that have one
    interval_us: int


class InterrogationAnswer(NamedTuple):
    """A confirmation, refusal or end of an interrogation."""

    type_id: int
    common_address: int
    cause_of_transmission: int
    is_negative: bool


class Intake(NamedTuple):
    """What was collected since the last take.

    `lost_us` is the arrival of the first sample that found the columns full, `fault` the newest
    thing that was wrong with what came.
    """

    batch: SampleBatch | None
    counts: Counter[str]
    answers: list[InterrogationAnswer]
    initialised_addresses: set[int]
    lost_us: int | None
    fault: str


class AsduIntake:
    """Collects what ASDUs say until the loop takes it.

    `receive` runs on c104's thread, `take` on the loop's. `wake` is called on c104's thread when
    there is something to take, once between two takes; it must not block. At most `samples_max`
    samples are held.

    The same thing is not collected twice: a value with the same source time as the one before is
    a repetition (a station repeats its buffer after a broken link), and so is an interrogated
    value without source time that equals the one before, until half the point's interval has
    passed: then it proves that the point still lives.
    """

    def __init__(
        self,
        points: dict[tuple[int, int], IntakePoint],
        device_time: DeviceTime,
        clock: Clock,
        samples_max: int,
        wake: Callable[[], None],
    ) -> None:
        self._points = points
        self._device_time = device_time
        self._clock = clock
        self._samples_max = samples_max
        self._wake = wake
        self._last_sample: dict[int, tuple[int, float, int]] = {}  # by point id: time, value, quality
        self._lock = threading.Lock()
        self._is_empty = True
        self._clear()

    def receive(self, octets: bytes) -> None:
        """Take one ASDU in. Never raises for what a peer can send."""
        with self._lock:
            was_empty = self._is_empty
            self._is_empty = False
            self._counts["asdus_received"] += 1
            try:
                self._collect(decode_asdu(octets))
            except ProtocolError as error:
                self._counts["asdus_malformed"] += 1
                self._fault = str(error)
        if was_empty:
            self._wake()

    def take(self) -> Intake:
        """Everything collected so far; the intake is empty afterwards."""
        with self._lock:
            intake = Intake(
                self._batch(), self._counts, self._answers, self._initialised, self._lost_us, self._fault
            )
            self._clear()
        return intake

    def _clear(self) -> None:
        self._point_id = array.array("I")
        self._time_us = array.array("q")
        self._value = array.array("d")
        self._quality = array.array("H")
        self._counts: Counter[str] = Counter()
        self._answers: list[InterrogationAnswer] = []
        self._initialised: set[int] = set()
        self._lost_us: int | None = None
        self._fault = ""
        self._is_empty = True

    def _batch(self) -> SampleBatch | None:
        if not self._point_id:
            return None
        return SampleBatch(
            np.array(self._point_id, np.uint32),
            np.array(self._time_us, np.int64),
            np.array(self._value, np.float64),
            np.array(self._quality, np.uint16),
        )

    def _collect(self, asdu: Asdu) -> None:
        if asdu.is_test:
            self._counts["asdus_test"] += 1
        elif asdu.objects:
            self._collect_objects(asdu)
        elif asdu.type_id in _INTERROGATIONS and len(self._answers) < ANSWERS_MAX:
            self._answers.append(
                InterrogationAnswer(
                    asdu.type_id, asdu.common_address, asdu.cause_of_transmission, asdu.is_negative
                )
            )
        elif asdu.type_id == TypeId.M_EI_NA_1:
            self._initialised.add(asdu.common_address)

    def _collect_objects(self, asdu: Asdu) -> None:
        arrival_us = self._clock.now_us()
        quality_of = COUNTER_QUALITY if asdu.is_integrated_totals else MEASURED_QUALITY
        for entry in asdu.objects:
            point = self._points.get((asdu.common_address, entry.information_object_address))
            if point is None:
                self._counts["values_unmapped"] += 1
                continue
            time_us, time_quality = self._device_time.resolve(entry.time_octets, arrival_us)
            sample = (
                time_us + point.time_offset_us,
                _scaled(entry, point.scaling),
                quality_of[entry.descriptor] | time_quality,
            )
            if self._is_repetition(point, sample, asdu.is_interrogated):
                self._counts["values_repeated"] += 1
            else:
                self._keep(point, sample, arrival_us)

    def _is_repetition(
        self, point: IntakePoint, sample: tuple[int, float, int], is_interrogated: bool
    ) -> bool:
        last = self._last_sample.get(point.point_id)
        if last is None or sample[1] != last[1]:
            return False
        if sample == last:
            return True
        has_source_time = not sample[2] & _TIME_FLAGS
        is_same_state = (sample[2] | _TIME_FLAGS) == (last[2] | _TIME_FLAGS)
        is_recent = sample[0] - last[0] < point.interval_us // 2
        return is_interrogated and not has_source_time and is_same_state and is_recent

    def _keep(self, point: IntakePoint, sample: tuple[int, float, int], arrival_us: int) -> None:
        if len(self._point_id) >= self._samples_max:
            self._counts["samples_overflowed"] += 1
            self._lost_us = arrival_us if self._lost_us is None else self._lost_us
            return
        self._last_sample[point.point_id] = sample
        self._counts["samples_received"] += 1
        self._point_id.append(point.point_id)
        self._time_us.append(sample[0])
        self._value.append(sample[1])
        self._quality.append(sample[2])


def _scaled(entry: InformationObject, scaling: Scaling) -> float:
    return (entry.value * scaling.numerator + scaling.addend) / scaling.denominator
