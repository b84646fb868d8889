"""What every driver is, and the keeper of what it tells about itself."""

from collections.abc import Iterable
from typing import Protocol

from historian.clock import Clock
from historian.logs import EventLog
from historian.model.ports import DriverState, DriverStatus, SampleSink, SourceJournal

_LOG = EventLog("driver")


class Driver(Protocol):
    """One connection to one field device or gateway, on the controlling (master) side, without control."""

    @property
    def name(self) -> str:
        """Unique in the process; the `source` of its points and of its outages in the journal."""
        ...

    @property
    def protocol(self) -> str:
        """Such as ``modbus_tcp``."""
        ...

    async def run(self, sink: SampleSink) -> None:
        """Collect until cancelled. It opens lost links anew by itself; an error that leaves is a crash."""
        ...

    def status(self) -> DriverStatus:
        """A snapshot; never waits."""
        ...


class StatusKeeper:
    """Keeps one driver's `DriverStatus`, logs each change of state once and journals outages.

    Owned by the driver's task. A driver is in an outage from `lost` until `running`; while it
    lasts, repeated attempts (`connecting`, `lost` again) change the state but are not logged.
    """

    def __init__(
        self,
        name: str,
        protocol: str,
        station: str,
        address: str,
        clock: Clock,
        journal: SourceJournal,
        counter_names: Iterable[str] = (),
    ) -> None:
        self.name = name
        self.protocol = protocol
        self._station = station
        self._address = address
        self._clock = clock
        self._journal = journal
        self._counters = dict.fromkeys(counter_names, 0)
        self._state: DriverState = "stopped"
        self._since_us = clock.now_us()
        self._is_outage = False
        self._last_data_us: int | None = None
        self._last_error = ""
        self._last_error_us: int | None = None
        self._points_out: dict[int, str] = {}

    @property
    def state(self) -> DriverState:
        return self._state

    def status(self) -> DriverStatus:
        """What the driver looks like now; restarts are added by the supervisor."""
        return DriverStatus(
            name=self.name,
            protocol=self.protocol,
            station=self._station,
            address=self._address,
            state=self._state,
            since_us=self._since_us,
            last_data_us=self._last_data_us,
            last_error=self._last_error,
            last_error_us=self._last_error_us,
            counters=dict(self._counters),
        )

    def count(self, counter_name: str, amount: int = 1) -> None:
        """Add to a counter; names are those given at the start."""
        assert counter_name in self._counters, f"counter {counter_name!r} was not declared"
        self._counters[counter_name] += amount

    def connecting(self) -> None:
        """An attempt to open the link begins."""
        self._enter("connecting")

    def running(self) -> None:
        """The device answers: the outage, if any, is over. Cheap when already running."""
        if self._state == "running":
            return
        self._enter("running")
        self._is_outage = False
        self._journal.outage_ended(self.name, self._clock.now_us())
        _LOG.info("running", driver=self.name, address=self._address)

    def lost(self, cause: str, detail: str) -> None:
        """The link is gone (`cause`: link_down, timeout …); the driver waits before it tries again."""
        self._enter("waiting")
        self.note_error(detail)
        if self._is_outage:
            return
        self._is_outage = True
        self._journal.outage_began(self.name, self._clock.now_us(), cause, detail)
        _LOG.warning("lost", driver=self.name, address=self._address, cause=cause, detail=detail)

    def stopped(self) -> None:
        """The driver was told to stop."""
        if self._state == "stopped":
            return
        self._enter("stopped")
        self._is_outage = False
        _LOG.info("stopped", driver=self.name)

    def note_error(self, detail: str) -> None:
        """Keep the newest error's text for the status."""
        self._last_error = detail
        self._last_error_us = self._clock.now_us()

    def data_arrived(self, time_us: int) -> None:
        """Values were read from the device at `time_us`."""
        self._last_data_us = time_us

    def points_lost(self, point_ids: Iterable[int], time_us: int, cause: str, detail: str) -> None:
        """Some points alone cannot be had since `time_us` (an exception answer, say); others go on."""
        lost = [point_id for point_id in point_ids if self._points_out.get(point_id) != cause]
        for point_id in lost:
            self._points_out[point_id] = cause
            self._journal.outage_began(point_source(self.name, point_id), time_us, cause, detail)
        if lost:
            self.note_error(detail)
            _LOG.warning("points_lost", driver=self.name, cause=cause, detail=detail, point_count=len(lost))

    def points_back(self, point_ids: Iterable[int], time_us: int) -> None:
        """These points deliver (again); cheap when none of them was out."""
        if not self._points_out:
            return
        back = [point_id for point_id in point_ids if self._points_out.pop(point_id, None) is not None]
        for point_id in back:
            self._journal.outage_ended(point_source(self.name, point_id), time_us)
        if back:
            _LOG.info("points_back", driver=self.name, point_count=len(back))

    def _enter(self, state: DriverState) -> None:
        if state != self._state:
            self._state = state
            self._since_us = self._clock.now_us()


def point_source(driver_name: str, point_id: int) -> str:
    """The journal's source for outages of one point alone (see `Point.outage_sources`)."""
    return f"{driver_name}/{point_id}"


def backlog_source(driver_name: str) -> str:
    """The journal's source for samples that no longer fitted into a driver's backlog."""
    return f"{driver_name}/backlog"
