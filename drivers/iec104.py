"""IEC 60870-5-104, controlling station: collects what a substation tells, and never commands.

```
            c104's threads                        the event loop
station ──► Iec104Link ──► AsduIntake ══ take ══► Iec104Driver ──► Outbox ──► sink
            frames         decode, collect        one batch a flush           durable
```
Values are stored as they come, spontaneous and interrogated, under their source time where they
carry one. Requests sent: interrogations, and (only if set) the time.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Final

from drivers import iec104_intake, iec104_interrogation, mapping, outbox
from drivers.back_off import BackOff
from drivers.driver import StatusKeeper, backlog_source
from drivers.errors import LinkLost
from drivers.iec104_interrogation import InterrogationSchedule, Request, RequestKind
from drivers.iec104_link import Iec104Link
from drivers.iec104_settings import Iec104Settings, address_of, common_addresses, raw_max_of
from drivers.iec104_value import DeviceTime
from historian.clock import Clock
from historian.logs import EventLog
from historian.model.point import SECOND_US, Point
from historian.model.ports import DriverStatus, SampleSink, SourceJournal
from historian.model.timestamp import load_zone

_LOG = EventLog("iec104")

PROTOCOL: Final = "iec104"
WATCH_S: Final = 0.2  # how often the schedule is looked at
INTAKE_SAMPLES_MAX: Final = 100_000  # between two flushes; about five seconds of what c104 can take in


class Iec104Driver:
    """One connection to a controlled station; see `drivers.driver.Driver`.

    `time_zone` is what the device's clock shows; `points[n]` belongs to ``settings.points[n]``.
    """

    def __init__(
        self,
        settings: Iec104Settings,
        station: str,
        time_zone: str,
        points: Sequence[Point],
        clock: Clock,
        journal: SourceJournal,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._journal = journal
        self._keeper = StatusKeeper(
            settings.name,
            PROTOCOL,
            station,
            f"{settings.host}:{settings.port}",
            clock,
            journal,
            (
                "reconnects",
                *iec104_intake.COUNTER_NAMES,
                *iec104_interrogation.COUNTER_NAMES,
                *outbox.COUNTER_NAMES,
            ),
        )
        self._outbox = outbox.Outbox(self._keeper, settings.backlog_samples_max, clock, journal)
        self._schedule = _schedule_of(settings)
        self._has_intake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._intake = iec104_intake.AsduIntake(
            _intake_points(settings, points),
            DeviceTime(
                load_zone(time_zone),
                settings.summer_time_bit,
                settings.source_time_ahead_s_max * SECOND_US,
                settings.source_time_behind_s_max * SECOND_US,
            ),
            clock,
            INTAKE_SAMPLES_MAX,
            self._wake,
        )

    @property
    def name(self) -> str:
        return self._keeper.name

    @property
    def protocol(self) -> str:
        return self._keeper.protocol

    def status(self) -> DriverStatus:
        """A snapshot; never waits."""
        return self._keeper.status()

    async def run(self, sink: SampleSink) -> None:
        """Collect until cancelled; what was received by then is still handed on."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._outbox.run(sink))
                group.create_task(self._flush_regularly())
                await self._keep_link()
        finally:
            self._keeper.stopped()

    async def _keep_link(self) -> None:
        back_off = BackOff(self._settings.back_off_min_s, self._settings.back_off_max_s, random.Random())  # noqa: S311
        while True:
            self._keeper.connecting()
            link = Iec104Link(self._settings, self._intake.receive)
            try:
                await self._use_link(link, back_off)
            except LinkLost as error:
                self._keeper.lost(error.cause, str(error))
            finally:
                await link.close()
                self._flush()
            await self._clock.sleep(back_off.next_s())
            self._keeper.count("reconnects")

    async def _use_link(self, link: Iec104Link, back_off: BackOff) -> None:
        """Until the link is lost: raises LinkLost."""
        await link.open()
        self._keeper.running()
        self._schedule.restart(self._clock.monotonic_s())
        while True:
            for request in self._schedule.take_due(self._clock.monotonic_s(), self._clock.now_us()):
                await _send(link, request)
            self._count(self._schedule.take_counts())
            await link.watch(WATCH_S)
            back_off.reset()  # a link that held is a success; one that breaks at once is not

    async def _flush_regularly(self) -> None:
        while True:
            await self._has_intake.wait()
            await self._clock.sleep(self._settings.flush_interval_s)
            self._has_intake.clear()
            self._flush()

    def _flush(self) -> None:
        intake = self._intake.take()
        self._count(intake.counts)
        if intake.batch is not None:
            self._keeper.data_arrived(self._clock.now_us())
            self._outbox.put(intake.batch)
        if intake.fault:
            self._keeper.note_error(intake.fault)
        if intake.lost_us is not None:
            self._note_overflow(intake.lost_us, intake.counts["samples_overflowed"])
        for answer in intake.answers:
            self._note_answer(answer)
        for common_address in intake.initialised_addresses:
            self._schedule.initialised(common_address, self._clock.monotonic_s())

    def _note_overflow(self, lost_us: int, sample_count: int) -> None:
        detail = f"{sample_count} samples came faster than they could be taken over"
        source = backlog_source(self.name)
        self._journal.outage_began(source, lost_us, "collector_overflow", detail)
        self._journal.outage_ended(source, self._clock.now_us())
        self._keeper.note_error(detail)
        _LOG.error("collector_overflow", driver=self.name, samples=sample_count)

    def _note_answer(self, answer: iec104_intake.InterrogationAnswer) -> None:
        refusal = self._schedule.answered(answer)
        if refusal:
            self._keeper.note_error(refusal)
            _LOG.warning("interrogation_refused", driver=self.name, detail=refusal)

    def _count(self, counts: dict[str, int]) -> None:
        for counter_name, amount in counts.items():
            self._keeper.count(counter_name, amount)

    def _wake(self) -> None:
        # On c104's thread.
        assert self._loop is not None, "frames come only while the driver runs"
        try:
            self._loop.call_soon_threadsafe(self._has_intake.set)
        except RuntimeError:
            # The loop is closed: the process ends.
            return


async def _send(link: Iec104Link, request: Request) -> None:
    if request.kind is RequestKind.GENERAL_INTERROGATION:
        await link.interrogate(request.common_address)
    elif request.kind is RequestKind.COUNTER_INTERROGATION:
        await link.interrogate_counters(request.common_address)
    else:
        await link.synchronise_clock(request.common_address)


def _schedule_of(settings: Iec104Settings) -> InterrogationSchedule:
    interval_s = {
        RequestKind.CLOCK_SYNCHRONISATION: settings.clock_sync_interval_s,
        RequestKind.GENERAL_INTERROGATION: settings.general_interrogation_interval_s,
        RequestKind.COUNTER_INTERROGATION: settings.counter_interrogation_interval_s,
    }
    return InterrogationSchedule(common_addresses(settings), interval_s, settings.interrogation_timeout_s)


def _intake_points(
    settings: Iec104Settings, points: Sequence[Point]
) -> dict[tuple[int, int], iec104_intake.IntakePoint]:
    return {
        address_of(settings, entry): iec104_intake.IntakePoint(
            point.id,
            mapping.scaling_of(entry, raw_max_of(entry)),
            point.stored_time_offset_us(),
            point.interval_us,
        )
        for entry, point in zip(settings.points, points, strict=True)
    }
