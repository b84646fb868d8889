"""The seams between packages: who may ask what of whom, without knowing who answers."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import msgspec
import numpy as np
import numpy.typing as npt

from historian.model.packed import PackedBlock
from historian.model.point import Point, PointDraft
from historian.model.sample import LastBlock, PointIdColumn, RunBlock, SampleBatch, SampleRun, Versions
from historian.model.timerange import TimeRange

OnConflict = Literal["replace", "keep", "reject"]


class Outcome(IntEnum):
    """What became of one sample. Numbers are append-only."""

    ACCEPTED = 0
    DUPLICATE = 1  # same point, time, value and quality were there already: success
    REPLACED = 2  # another value was there; it is kept as a superseded version
    CONFLICT = 3  # another value was there and stays, as `on_conflict` asked
    NOT_FINITE = 4
    TIME_TOO_OLD = 5
    TIME_IN_FUTURE = 6
    UNKNOWN_POINT = 7
    QUARANTINED_TOO_OLD = 8  # not in the store, but in the quarantine, on disk
    QUARANTINED_IN_FUTURE = 9


REJECT_CODES = {
    Outcome.CONFLICT: "conflict",
    Outcome.NOT_FINITE: "not_finite",
    Outcome.TIME_TOO_OLD: "time_too_old",
    Outcome.TIME_IN_FUTURE: "time_in_future",
    Outcome.UNKNOWN_POINT: "unknown_point",
    Outcome.QUARANTINED_TOO_OLD: "quarantined_too_old",
    Outcome.QUARANTINED_IN_FUTURE: "quarantined_in_future",
}


class AppendResult(NamedTuple):
    """Answer to one batch, given only when everything accepted is on disk.

    `outcome` has one `Outcome` for each sample of the batch, in its order. `sequence` is the
    store's arrival number of the batch (0 where nothing was written). `is_all_accepted` is the
    everyday answer, known without a look at each sample.
    """

    outcome: npt.NDArray[np.uint8]
    sequence: int
    is_all_accepted: bool = False

    def count(self, outcome: Outcome) -> int:
        """How many samples came to that outcome."""
        return int(np.count_nonzero(self.outcome == outcome))

    @property
    def rejected_count(self) -> int:
        """Samples that were refused because they are wrong (a conflict is counted apart)."""
        return int(np.count_nonzero(self.outcome >= Outcome.NOT_FINITE))


class SampleSink(Protocol):
    """Where every source ends: drivers, HTTP, imports, estimates."""

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        """Make the batch durable; returning means it is on disk.

        `source` names who sent it (driver, import file, token), `reason` why where a person corrects. Raises IngestError (queue full,
        read-only) or WalFailed: then nothing of the batch is acknowledged and the sender keeps it.
        """
        ...


class SampleReader(Protocol):
    """Reads samples wherever they lie: ring, unsealed batches, segments."""

    async def read(self, point_ids: Sequence[int], start_us: int, end_us: int) -> list[SampleRun]:
        """One run for each id, in the order asked, ``[start_us, end_us)``, newest versions only."""
        ...

    async def last(self, point_ids: Sequence[int]) -> list[SampleRun]:
        """For each id the sample newest by time: a run of one, or an empty run."""
        ...

    async def read_block(
        self, point_ids: Sequence[int] | PointIdColumn, start_us: int, end_us: int
    ) -> RunBlock:
        """As `read`, in one piece: for many points."""
        ...

    async def last_block(self, point_ids: Sequence[int] | PointIdColumn) -> LastBlock:
        """As `last`, in columns."""
        ...

    async def read_versions(
        self, point_ids: Sequence[int] | PointIdColumn, start_us: int, end_us: int
    ) -> Versions:
        """Every version of the samples in ``[start_us, end_us)``, superseded ones too."""
        ...

    async def neighbours(self, point_id: int, time_us: int) -> tuple[SampleRun, SampleRun]:
        """The last sample at or before `time_us` and the first after it; empty where there is none."""
        ...


@runtime_checkable
class PackedReader(Protocol):
    """A reader that shows samples where they lie, such as the embedded store."""

    @property
    def packed_until_us(self) -> int:
        """What lies earlier can be read this way."""
        ...

    async def read_packed(self, ids: PointIdColumn, start_us: int, end_us: int) -> PackedBlock | None:
        """Newest versions in ``[start_us, end_us)``, nothing copied; None where they cannot be told so."""
        ...


class PointDirectory(Protocol):
    """Finds and makes points."""

    def get(self, name_or_id: str) -> Point:
        """By name, former name or decimal id. Raises PointNotFound."""
        ...

    def by_id(self, point_id: int) -> Point:
        """Raises PointNotFound."""
        ...

    def ensure(self, draft: PointDraft) -> Point:
        """The point of that name, made if absent. Raises PointConflict if unit or kind differ."""
        ...


class SourceJournal(Protocol):
    """Keeps when a source could not deliver, and why, so that a gap can name its cause."""

    def outage_began(self, source: str, time_us: int, cause: str, detail: str) -> None:
        """Open an outage of `source`; one already open keeps its first cause."""
        ...

    def outage_ended(self, source: str, time_us: int) -> None:
        """Close the open outage of `source`, if any."""
        ...


DriverState = Literal["stopped", "connecting", "running", "waiting", "failed"]


class DriverStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a driver tells about itself; times in µs UTC, None where it never happened."""

    name: str
    protocol: str
    station: str
    address: str
    state: DriverState
    since_us: int
    last_data_us: int | None = None
    last_error: str = ""
    last_error_us: int | None = None
    restart_count: int = 0
    counters: dict[str, int] = {}


class DriverDirectory(Protocol):
    """The drivers of this process."""

    def statuses(self) -> list[DriverStatus]:
        """One for each configured driver, in the order configured."""
        ...


class Retirements(Protocol):
    """Tells which points are out of use, and when."""

    def retired(self) -> Mapping[int, Sequence[TimeRange]]:
        """By point id, of points that ever are; times rise and do not overlap. Not changed while somebody looks at it."""
        ...


class DirtyMarker(Protocol):
    """Told after each acknowledgement which samples changed, so that figures can be made anew."""

    def mark(self, point_id: npt.NDArray[np.uint32], time_us: npt.NDArray[np.int64]) -> None:
        """The stored sample of each (point, time) is new or another. Cheap: called on the hot path."""
        ...


class StoreStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether durable writes are possible, and how much is held."""

    is_writable: bool
    cause: str = ""  # "disk_reserve" or "log_failed" where not writable
    detail: str = ""
    sequence: int = 0
    segment_count: int = 0
    segment_bytes: int = 0
    wal_bytes: int = 0
    unsealed_sample_count: int = 0
    damage: list[str] = []  # one line for each damaged place found at start or later


class StoreHealth(Protocol):
    """Tells how the store is."""

    @property
    def generation(self) -> int:
        """Another number whenever segments were added, replaced or dropped."""
        ...

    def status(self) -> StoreStatus:
        """A snapshot; never waits."""
        ...
