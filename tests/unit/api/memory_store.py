"""A store in memory: the list model that stands in for log, ring and segments where HTTP is the subject."""

from historian.clock import Clock, ManualClock
from historian.errors import HistorianError
from historian.model.ports import AppendResult, DirtyMarker, OnConflict, StoreStatus
from historian.model.sample import SampleBatch
from tests.support.version_store import VersionStore

Stored = tuple[float, int, int]  # value, quality, sequence


class MemoryStore(VersionStore):
    """A VersionStore that can fail; `samples` is what a reader sees."""

    def __init__(self, time_max_us: int = 4_102_444_800_000_000, clock: Clock | None = None) -> None:
        super().__init__(clock or ManualClock(), time_max_us)
        self.failure: HistorianError | None = None
        self.health = StoreStatus(is_writable=True)
        self.marker: DirtyMarker | None = None  # told what becomes visible, as the store's is

    @property
    def samples(self) -> dict[int, dict[int, Stored]]:
        """Newest versions by point and time."""
        return {
            point_id: {time_us: versions[-1][:3] for time_us, versions in samples.items()}
            for point_id, samples in self.versions.items()
        }

    async def append(
        self, batch: SampleBatch, *, source: str, on_conflict: OnConflict = "replace", reason: str = ""
    ) -> AppendResult:
        if self.failure is not None:
            raise self.failure
        assert source, "somebody sent it"
        result = await super().append(batch, source=source, on_conflict=on_conflict, reason=reason)
        if self.marker is not None:
            self.marker.mark(batch.point_id, batch.time_us)
        return result

    generation = 0

    def status(self) -> StoreStatus:
        return self.health
