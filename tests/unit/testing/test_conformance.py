"""The suite finds every rule broken: a twin that breaks it fails the test that is named for it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from historian.errors import SegmentCorrupt
from historian.model.sample import SampleBatch
from historian.store.engine import StoreEngine
from historian.testing.conformance import StoreConformance
from historian.testing.rows import DAY_US
from historian.testing.twin import Twin


class FirstWins(Twin):
    def append(self, batch: SampleBatch, origin: Any, version: Any = None) -> Any:
        return super().append(batch, origin, -self._ticket if version is None else version)


class LastArrivalWins(Twin):
    def append(self, batch: SampleBatch, origin: Any, version: Any = None) -> Any:
        return super().append(batch, origin)


class FirstOfEqualsWins(Twin):
    def _store(self, waiting: Any) -> None:
        self._arrival -= 1_000_000
        super()._store(waiting)


class FirstOfABatchWins(Twin):
    def append(self, batch: SampleBatch, origin: Any, version: Any = None) -> Any:
        return super().append(SampleBatch(*(column[::-1] for column in batch)), origin, version)


class IgnoresQuality(Twin):
    def append(self, batch: SampleBatch, origin: Any, version: Any = None) -> Any:
        return super().append(batch._replace(quality=np.zeros_like(batch.quality)), origin, version)


class RangeIsClosed(Twin):
    async def read_block(self, point_ids: Any, start_us: int, end_us: int) -> Any:
        return await super().read_block(point_ids, start_us, end_us + 1)


class SortsPoints(Twin):
    async def read_block(self, point_ids: Any, start_us: int, end_us: int) -> Any:
        return await super().read_block(sorted(point_ids), start_us, end_us)


class Unsorted(Twin):
    def _times(self, point_id: int, start_us: int, end_us: int) -> Iterator[Any]:
        times = self._samples.get(point_id, {})
        yield from ((time_us, times[time_us]) for time_us in times if start_us <= time_us < end_us)


class CommitsOnlyTheTicket(Twin):
    async def commit(self, ticket: Any) -> None:
        self._store(self._waiting.pop(ticket.record))


class ForgetsWhatIsLate(Twin):
    def _store(self, waiting: Any) -> None:
        super()._store(waiting)
        for times in self._samples.values():
            for time_us in [time for time in times if time < max(times) - 500 * DAY_US]:
                del times[time_us]


class RoundsTimes(Twin):
    def append(self, batch: SampleBatch, origin: Any, version: Any = None) -> Any:
        return super().append(batch._replace(time_us=batch.time_us // 1000 * 1000), origin, version)


class SinglePrecision(Twin):
    def append(self, batch: SampleBatch, origin: Any, version: Any = None) -> Any:
        with np.errstate(all="ignore"):
            return super().append(
                batch._replace(value=batch.value.astype("f4").astype("f8")), origin, version
            )


class LastIsTheLastSent(Twin):
    async def last_block(self, point_ids: Any) -> Any:
        last = await super().last_block(point_ids)
        for place, point_id in enumerate(point_ids):
            newest = max(self.versions(point_id), key=lambda one: one[1].arrival, default=None)
            if newest:
                last.time_us[place], last.value[place] = newest[0], newest[1].value
        return last


class CountsNotANumber(Twin):
    async def bucket(self, point_ids: Any, edges_us: Any) -> Any:
        figures = await super().bucket(point_ids, edges_us)
        for place, point_id in enumerate(point_ids):
            figures.sample_count[place, 0] += np.isnan(self.run(point_id).value).sum()
        return figures


class DaysHave24Hours(Twin):
    async def bucket(self, point_ids: Any, edges_us: Any) -> Any:
        is_days = edges_us[1] - edges_us[0] == DAY_US
        edges = edges_us[0] + np.arange(len(edges_us)) * DAY_US if is_days else edges_us
        return await super().bucket(point_ids, edges)


class CountsEveryVersion(Twin):
    async def bucket(self, point_ids: Any, edges_us: Any) -> Any:
        figures = await super().bucket(point_ids, edges_us)
        if len(self.versions(point_ids[0])) > self.run(point_ids[0]).sample_count:
            figures.total[0, 0] += 1.0
        return figures


class LastRollupWins(Twin):
    async def rollup_put(self, kind: str, point_id: Any, period: Any, columns: Any, version: int) -> None:
        self._rollups = {key: (0, kept) for key, (_, kept) in self._rollups.items()}
        await super().rollup_put(kind, point_id, period, columns, version)


class MixesKindsOfRollups(Twin):
    async def rollup_put(self, kind: str, point_id: Any, period: Any, columns: Any, version: int) -> None:
        await super().rollup_put("day", point_id, period, columns, version)


class KeepsEverything(Twin):
    async def drop_before(self, time_us: int) -> None:
        """Nothing."""


class DropsTooMuch(Twin):
    async def drop_before(self, time_us: int) -> None:
        await super().drop_before(time_us + 1)


class StumblesOverUnknownPoints(Twin):
    async def read_block(self, point_ids: Any, start_us: int, end_us: int) -> Any:
        known = [point_id for point_id in point_ids if point_id in self._samples]
        return await super().read_block(known, start_us, end_us)


class ReplayIsNewer(Twin):
    def append(self, batch: SampleBatch, origin: Any, version: Any = None) -> Any:
        is_known = any(self.versions(point_id) for point_id in batch.point_id.tolist())
        return super().append(batch, origin, None if version == 10 and is_known else version)


BROKEN = [
    (FirstWins, "test_a_correction_wins"),
    (FirstWins, "test_without_a_version_the_newest_arrival_wins"),
    (LastArrivalWins, "test_an_older_version_that_arrives_later_loses"),
    (LastArrivalWins, "test_each_row_may_have_its_own_version"),
    (FirstOfEqualsWins, "test_of_equal_versions_the_later_arrival_wins"),
    (FirstOfABatchWins, "test_of_one_time_twice_in_a_batch_the_later_row_wins"),
    (IgnoresQuality, "test_committed_rows_are_read"),
    (IgnoresQuality, "test_a_change_of_quality_alone_is_a_version"),
    (RangeIsClosed, "test_a_range_is_half_open"),
    (SortsPoints, "test_runs_come_in_the_order_asked"),
    (CommitsOnlyTheTicket, "test_a_commit_covers_every_batch_before_it"),
    (ForgetsWhatIsLate, "test_late_and_future_rows_are_legal"),
    (RoundsTimes, "test_times_off_the_grid_are_kept_to_the_microsecond"),
    (SinglePrecision, "test_every_value_and_quality_comes_back_bit_for_bit"),
    (SinglePrecision, "test_many_points_and_days_are_read_in_one_call"),
    (LastIsTheLastSent, "test_the_last_sample_is_the_newest_by_time"),
    (CountsNotANumber, "test_what_is_not_finite_is_never_counted"),
    (DaysHave24Hours, "test_buckets_follow_the_edges_of_local_days"),
    (CountsEveryVersion, "test_buckets_count_the_newest_versions_once"),
    (LastRollupWins, "test_of_a_rollup_the_highest_version_is_read"),
    (MixesKindsOfRollups, "test_of_a_rollup_the_highest_version_is_read"),
    (KeepsEverything, "test_retention_drops_exactly_what_is_older"),
    (DropsTooMuch, "test_retention_drops_exactly_what_is_older"),
    (StumblesOverUnknownPoints, "test_a_point_without_samples_is_an_empty_run"),
    (ReplayIsNewer, "test_a_replayed_batch_changes_nothing"),
    (Twin, "test_what_was_committed_is_there_after_a_restart"),
    (Twin, "test_a_missing_part_is_an_error_and_never_a_partial_answer"),
    (Unsorted, "test_any_order_of_times_is_read_sorted"),
]


def suite_over(make: Callable[[], StoreEngine]) -> StoreConformance:
    class Suite(StoreConformance):
        @contextlib.asynccontextmanager
        async def open_engine(self, folder: Path) -> AsyncIterator[StoreEngine]:
            yield make()

        async def lose_a_part(self, engine: StoreEngine, folder: Path) -> bool:
            """The twin loses a sample, and does not tell."""
            assert isinstance(engine, Twin)
            engine._samples[1].popitem()
            return True

    return Suite()


@pytest.mark.parametrize(("engine", "test"), BROKEN)
def test_an_engine_that_breaks_a_rule_fails_its_test(engine: type[Twin], test: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, ValueError, IndexError)):
        getattr(suite_over(engine), test)(tmp_path)


def test_every_rule_is_seen_broken() -> None:
    rules = {name for name in dir(StoreConformance) if name.startswith("test_")}
    assert rules == {test for _, test in BROKEN}


def test_an_engine_that_tells_what_is_missing_keeps_the_rule(tmp_path: Path) -> None:
    class Honest(Twin):
        async def read_block(self, point_ids: Any, start_us: int, end_us: int) -> Any:
            raise SegmentCorrupt("part", "lost")

    suite_over(Honest).test_a_missing_part_is_an_error_and_never_a_partial_answer(tmp_path)


def test_the_suite_says_what_it_needs() -> None:
    with pytest.raises(NotImplementedError):
        StoreConformance().open_engine(Path())
