"""Collects from one Modbus TCP device or gateway: polls on a fixed grid, stores at each point's interval.

When a value is stored. Polls happen at whole multiples of the poll interval since 1970 (and once
directly after connecting). A point's slots begin at the whole multiples of its own interval. The
first poll that succeeds in a slot is stored, the others only keep the link watched:

```
polls, 5 s     |    |    |    |    |    |    |    |    |    |    |    |    |
slots, 1 min   ^───────────────────── slot ────────────────────────^────────
stored         ■ stamped with the slot's instant                   ■
```

Modbus carries no time. The reading's time is the middle between request and answer. If that lies at
most `stamp_tolerance_s` after the slot's instant, the sample is stamped with the instant itself, so
that a healthy device gives perfectly regular stamps; later (a poll was lost, the link has just come
back) it is stamped with its own time, never moved. A value of a period (mean power, interval energy)
describes the period that the slot's instant closes or opens, so it always gets the slot's stamp,
moved to the period's start as the point's label says.

What happens when something fails, from small to large: a value that is not finite, an exception answer
or `timeouts_max` silent polls of one request put only the points concerned into an outage (the other
requests go on, a silent one is probed now and then); `timeouts_max` silent requests in a row, or a
closed connection, put the driver into an outage, and it connects anew with back-off.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Final, NoReturn, Protocol

import numpy as np

from drivers import mapping
from drivers.back_off import BackOff
from drivers.driver import StatusKeeper
from drivers.errors import AnswerMalformed, DeviceException, LinkLost, ResponseTimeout
from drivers.modbus_poll import NEVER_US, PolledRequest, Reading
from drivers.modbus_request import ReadRequest, RegisterValue, plan_requests, split_request
from drivers.modbus_settings import ModbusTcpSettings
from drivers.outbox import COUNTER_NAMES as OUTBOX_COUNTER_NAMES
from drivers.outbox import Outbox
from historian.clock import Clock
from historian.model.point import SECOND_US, Point
from historian.model.ports import DriverStatus, SampleSink, SourceJournal

PROTOCOL: Final = "modbus_tcp"

COUNTER_NAMES: Final = (
    "requests",
    "answers",
    "timeouts",
    "device_exceptions",
    "malformed_answers",
    "values_not_finite",
    "polls_skipped",
    "connections",
    *OUTBOX_COUNTER_NAMES,
)

# A device that refuses the whole run may only refuse the unused registers within it.
_SPLIT_CODES: Final = frozenset({2, 3})


class RegisterLink(Protocol):
    """How the driver reaches the device; see `modbus_link.ModbusLink`."""

    async def open(self) -> None:
        """Raises LinkLost."""
        ...

    async def read(self, request: ReadRequest) -> bytes:
        """Raises LinkLost, ResponseTimeout, DeviceException or AnswerMalformed."""
        ...

    def close(self) -> None:
        """Close the connection, if any."""
        ...


class ModbusTcpDriver:
    """One Modbus TCP connection and its points (`points[n]` belongs to ``settings.points[n]``)."""

    def __init__(
        self,
        settings: ModbusTcpSettings,
        station: str,
        points: Sequence[Point],
        link: RegisterLink,
        clock: Clock,
        journal: SourceJournal,
    ) -> None:
        assert len(points) == len(settings.points), "each entry has its point"
        self._settings = settings
        self._points = points
        self._link = link
        self._clock = clock
        address = f"{settings.host}:{settings.port}"
        self._keeper = StatusKeeper(settings.name, PROTOCOL, station, address, clock, journal, COUNTER_NAMES)
        self._outbox = Outbox(self._keeper, settings.backlog_samples_max, clock, journal)
        self._back_off = BackOff(settings.back_off_min_s, settings.back_off_max_s, random.Random())  # noqa: S311
        self._values = _register_values(settings)
        self._stored_slot_us = np.full(len(points), NEVER_US, np.int64)
        self._requests: list[PolledRequest] = []
        self._silent_count = 0

    @property
    def name(self) -> str:
        """See `Driver`."""
        return self._settings.name

    @property
    def protocol(self) -> str:
        """See `Driver`."""
        return PROTOCOL

    def status(self) -> DriverStatus:
        """See `Driver`."""
        return self._keeper.status()

    async def run(self, sink: SampleSink) -> None:
        """See `Driver`."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._outbox.run(sink), name=f"{self.name} outbox")
                tasks.create_task(self._collect(), name=f"{self.name} polls")
        finally:
            self._link.close()
            self._keeper.stopped()

    async def _collect(self) -> NoReturn:
        while True:
            self._keeper.connecting()
            try:
                await self._link.open()
                self._keeper.count("connections")
                await self._poll_until_lost()
            except LinkLost as error:
                self._link.close()
                self._keeper.lost(error.cause, str(error))
            await self._clock.sleep(self._back_off.next_s())

    async def _poll_until_lost(self) -> NoReturn:
        """Raises LinkLost in the end."""
        settings = self._settings
        self._silent_count = 0
        # Planned anew for each connection: what a device refused once it may give after a restart.
        requests = plan_requests(self._values, settings.registers_max, settings.register_gap_max)
        self._requests = [self._polled(request) for request in requests]
        while True:
            began_s = self._clock.monotonic_s()
            for polled in list(self._requests):
                if polled.is_due(self._clock.monotonic_s()):
                    await self._ask(polled)
            skipped_count = int((self._clock.monotonic_s() - began_s) / settings.poll_interval_s)
            self._keeper.count("polls_skipped", skipped_count)
            await self._wait_for_grid()

    async def _wait_for_grid(self) -> None:
        """Sleep until the next multiple of the poll interval; a stepped clock cannot make it long."""
        interval_us = self._settings.poll_interval_us
        now_us = self._clock.now_us()
        target_us = (now_us // interval_us + 1) * interval_us
        while 0 < target_us - now_us <= interval_us:
            await self._clock.sleep((target_us - now_us) / SECOND_US)
            now_us = self._clock.now_us()

    async def _ask(self, polled: PolledRequest) -> None:
        self._keeper.count("requests")
        sent_us = self._clock.now_us()
        try:
            octets = await self._link.read(polled.request)
        except ResponseTimeout as error:
            self._keeper.count("timeouts")
            self._note_silence(polled, sent_us, "timeout", str(error))
        except AnswerMalformed as error:
            self._keeper.count("malformed_answers")
            self._note_silence(polled, sent_us, "protocol_error", str(error))
        except DeviceException as error:
            self._note_answer(polled)
            self._keeper.count("device_exceptions")
            await self._refused(polled, sent_us, error)
        else:
            self._note_answer(polled)
            time_us = (sent_us + self._clock.now_us()) // 2
            tolerance_us = round(self._settings.stamp_tolerance_s * SECOND_US)
            self._deliver(polled.reading_of(octets, time_us, tolerance_us), time_us)

    def _note_answer(self, polled: PolledRequest) -> None:
        self._keeper.count("answers")
        self._keeper.running()
        self._back_off.reset()
        self._silent_count = 0
        polled.note_answer()

    def _note_silence(self, polled: PolledRequest, sent_us: int, cause: str, detail: str) -> None:
        """Count it for the request and for the link. Raises LinkLost when the link gives nothing at all."""
        timeouts_max = self._settings.timeouts_max
        self._keeper.note_error(detail)
        self._silent_count += 1
        if self._silent_count >= timeouts_max:
            raise LinkLost(cause, f"{self._silent_count} requests in a row without an answer; last: {detail}")
        if polled.note_silence(sent_us) >= timeouts_max:
            probe_at_s = self._clock.monotonic_s() + self._settings.probe_interval_s
            since_us = polled.probe_later(probe_at_s)
            self._keeper.points_lost(polled.point_ids, since_us, cause, detail)

    async def _refused(self, polled: PolledRequest, sent_us: int, error: DeviceException) -> None:
        """The device answered with an exception: ask for less where that may help, else mark the points."""
        parts = split_request(polled.request, self._settings.registers_max)
        if error.code not in _SPLIT_CODES or len(parts) == 1:
            self._keeper.points_lost(polled.point_ids, sent_us, "device_exception", str(error))
            return
        smaller = [self._polled(part) for part in parts]
        place = self._requests.index(polled)
        self._requests[place : place + 1] = smaller
        for part in smaller:
            await self._ask(part)

    def _deliver(self, reading: Reading, time_us: int) -> None:
        self._keeper.data_arrived(time_us)
        self._keeper.points_back(reading.finite_ids, time_us)
        if reading.not_finite_ids:
            self._keeper.count("values_not_finite", len(reading.not_finite_ids))
            detail = "the device gave NaN or an infinite number"
            self._keeper.points_lost(reading.not_finite_ids, time_us, "not_finite", detail)
        self._outbox.put(reading.batch)

    def _polled(self, request: ReadRequest) -> PolledRequest:
        return PolledRequest(request, self._points, self._stored_slot_us)


def _register_values(settings: ModbusTcpSettings) -> list[RegisterValue]:
    return [
        RegisterValue(
            point_index,
            settings.unit_id if entry.unit_id is None else entry.unit_id,
            entry.area,
            entry.address - settings.address_base,
            entry.type,
            entry.word_order,
            entry.byte_order,
            mapping.scaling_of(entry, entry.type.raw_max),
        )
        for point_index, entry in enumerate(settings.points)
    ]
