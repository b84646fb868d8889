"""Between a driver and the sink: a bounded backlog that survives refusals, so that nothing is lost silently.

```
driver ── put (never waits) ──► backlog, newest at the end ──► run: sink.append ──► acknowledged: forget
                                   full: oldest out, gap journalled      refused: keep, wait, try again
```
"""

import asyncio
import random
from collections import deque
from typing import Final

import numpy as np

from drivers.back_off import BackOff
from drivers.driver import StatusKeeper, backlog_source
from historian.clock import Clock
from historian.errors import IngestError, QueueFull, WalFailed
from historian.logs import EventLog
from historian.model.ports import AppendResult, SampleSink, SourceJournal
from historian.model.sample import SampleBatch

_LOG = EventLog("driver")

COUNTER_NAMES: Final = (
    "samples_stored",
    "samples_rejected",
    "samples_dropped",
    "append_retries",
)
APPEND_SAMPLES_MAX: Final = 10_000  # one append carries at most about this many: a backlog drains in steps
RETRY_WAIT_MIN_S: Final = 0.5
RETRY_WAIT_MAX_S: Final = 30.0
LAST_APPEND_TIMEOUT_S: Final = 2.0  # a stopping driver gives what it still holds this long


class Outbox:
    """Holds a driver's samples until the sink has acknowledged them.

    Owned by the driver, so that it outlives a crash of its task. The backlog holds at most
    `samples_max` samples; when full, the oldest batches leave, are counted (``samples_dropped``)
    and the time they cover becomes an outage ``backlog_overflow`` in the journal.
    """

    def __init__(self, keeper: StatusKeeper, samples_max: int, clock: Clock, journal: SourceJournal) -> None:
        self._keeper = keeper
        self._samples_max = samples_max
        self._clock = clock
        self._journal = journal
        self._batches: deque[SampleBatch] = deque()
        self._in_flight: list[SampleBatch] = []
        self._sample_count = 0
        self._has_batches = asyncio.Event()
        self._is_overflowing = False
        self._is_refused = False

    @property
    def sample_count(self) -> int:
        """Samples not yet acknowledged."""
        return self._sample_count

    def put(self, batch: SampleBatch) -> None:
        """Take a batch over; never waits. Its arrays belong to the outbox from now on."""
        if batch.sample_count == 0:
            return
        self._batches.append(batch)
        self._sample_count += batch.sample_count
        while self._sample_count > self._samples_max and len(self._batches) > 1:
            self._drop_oldest()
        self._has_batches.set()

    async def run(self, sink: SampleSink) -> None:
        """Hand batches on until cancelled; then one last bounded attempt with what is left."""
        back_off = BackOff(RETRY_WAIT_MIN_S, RETRY_WAIT_MAX_S, random.Random())  # noqa: S311 - it only spreads waits
        try:
            while True:
                await self._has_batches.wait()
                await self._clock.sleep(await self._append_next(sink, back_off))
        except asyncio.CancelledError:
            await self._append_rest(sink, back_off)
            raise

    async def _append_next(self, sink: SampleSink, back_off: BackOff) -> float:
        """Append the oldest batches; answers the seconds to wait before the next attempt."""
        batch = self._take_oldest()
        try:
            result = await sink.append(batch, source=self._keeper.name)
        except (IngestError, WalFailed) as error:
            self._note_refusal(error)
            wait_s = back_off.next_s()
            return max(wait_s, float(error.retry_after_s)) if isinstance(error, QueueFull) else wait_s
        else:
            back_off.reset()
            self._note_acknowledgement(batch, result)
            return 0.0
        finally:
            self._put_back_in_flight()

    async def _append_rest(self, sink: SampleSink, back_off: BackOff) -> None:
        try:
            async with asyncio.timeout(LAST_APPEND_TIMEOUT_S):
                while self._batches and await self._append_next(sink, back_off) == 0.0:
                    pass
        except TimeoutError:
            self._keeper.note_error("the store did not take the last samples in time")
        if self._sample_count:
            # Kept for a restart of this driver; lost only if the process ends.
            _LOG.warning("stopped_with_backlog", driver=self._keeper.name, samples=self._sample_count)

    def _take_oldest(self) -> SampleBatch:
        """Move batches from the backlog into flight, where an overflow cannot drop them."""
        sample_count = 0
        while self._batches and (
            not self._in_flight or sample_count + self._batches[0].sample_count <= APPEND_SAMPLES_MAX
        ):
            batch = self._batches.popleft()
            sample_count += batch.sample_count
            self._in_flight.append(batch)
        if len(self._in_flight) == 1:
            return self._in_flight[0]
        return SampleBatch(*(np.concatenate(columns) for columns in zip(*self._in_flight, strict=True)))

    def _put_back_in_flight(self) -> None:
        """What was not acknowledged (refused, or cancelled half-way) becomes the oldest again.

        A batch that was taken after all although the answer never came is then sent twice: the
        sink sees the same samples again and calls them duplicates.
        """
        self._batches.extendleft(reversed(self._in_flight))
        self._in_flight = []
        if not self._batches:
            self._has_batches.clear()

    def _note_acknowledgement(self, batch: SampleBatch, result: AppendResult) -> None:
        self._in_flight = []
        self._sample_count -= batch.sample_count
        self._keeper.count("samples_stored", batch.sample_count - result.rejected_count)
        if result.rejected_count:
            self._keeper.count("samples_rejected", result.rejected_count)
            self._keeper.note_error(f"the store rejected {result.rejected_count} samples of a batch")
        if self._is_refused:
            self._is_refused = False
            _LOG.info("store_accepts", driver=self._keeper.name, backlog_samples=self._sample_count)
        if self._is_overflowing:
            self._is_overflowing = False
            # The oldest sample that was kept ends the hole.
            self._journal.outage_ended(backlog_source(self._keeper.name), int(batch.time_us.min()))

    def _note_refusal(self, error: Exception) -> None:
        self._keeper.count("append_retries")
        self._keeper.note_error(str(error))
        if not self._is_refused:
            self._is_refused = True
            _LOG.warning("store_refuses", driver=self._keeper.name, detail=error)

    def _drop_oldest(self) -> None:
        batch = self._batches.popleft()
        self._sample_count -= batch.sample_count
        self._keeper.count("samples_dropped", batch.sample_count)
        if self._is_overflowing:
            return
        self._is_overflowing = True
        detail = f"the store took no samples and the backlog of {self._samples_max} samples was full"
        self._journal.outage_began(
            backlog_source(self._keeper.name), int(batch.time_us.min()), "backlog_overflow", detail
        )
        _LOG.error("backlog_overflow", driver=self._keeper.name, samples_max=self._samples_max)
