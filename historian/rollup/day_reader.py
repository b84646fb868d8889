"""Reads the samples of a reading and makes its figures."""

import bisect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from historian.clock import Clock
from historian.energy import packed
from historian.energy.fleet import Asked
from historian.energy.packed import Needs
from historian.energy.steady_kernels import Figures
from historian.model.ports import PackedReader, SampleReader
from historian.model.sample import RunBlock, block_of
from historian.rollup import day_figure, day_key, day_maker, day_source, point_metering, prepared_source
from historian.rollup.day_key import KeyColumn
from historian.rollup.day_maker import MadeDays, Metered, Reading
from historian.rollup.point_facts import PointFacts, RevisedDirectory

Places = npt.NDArray[np.int64]
_Result = TypeVar("_Result")


class InThread(Protocol):
    """Runs work in a thread."""

    def __call__(self, work: Callable[[], _Result], /) -> Awaitable[_Result]:
        """Its result."""
        ...


class PackedDays(NamedTuple):
    """Figures made where samples lie, and the places of the points of which not all days were."""

    made: MadeDays
    left: npt.NDArray[np.int64]


class DayReader:
    """Owned by the loop. `on_estimates` is told which rows of a reading have estimates in or beside its days."""

    def __init__(
        self,
        reader: SampleReader,
        directory: RevisedDirectory,
        facts: PointFacts,
        clock: Clock,
        on_estimates: Callable[[Reading, Places], None] | None = None,
    ) -> None:
        self._reader = reader
        self._on_estimates = on_estimates
        self._packed = reader if isinstance(reader, PackedReader) else None
        self._directory = directory
        self._facts = facts
        self._clock = clock

    def asked(self, reading: Reading) -> Asked:
        """What each point of a reading is asked."""
        used, code = np.unique(self._facts.ask[reading.point_id], return_inverse=True)
        asks = [self._facts.asks[number] for number in used.tolist()]
        if not reading.is_register and not all(ask.is_plain for ask in asks):
            start_us, end_us = reading.span
            margin_us = day_figure.margin_us(reading.interval_us)
            asks = [
                point_metering.narrowed_ask(ask, start_us - margin_us, end_us + margin_us) for ask in asks
            ]
        return Asked(asks, code.astype(np.int64))

    async def make(self, reading: Reading, in_thread: InThread) -> MadeDays:
        """The figures of a reading; arithmetic is done by `in_thread`."""
        start_us, end_us = reading.span
        ids = reading.point_id.astype(np.uint32)
        margin_us = day_figure.margin_us(reading.interval_us)
        block = await self._reader.read_block(ids, start_us - margin_us, end_us + margin_us)
        if reading.is_register:
            block = await day_source.with_neighbours(
                self._reader, block, start_us, end_us, end_us + margin_us
            )
        block = await self._prepared(reading, block)
        now_us, asked = self._clock.now_us(), self.asked(reading)
        is_billed = self._facts.is_billed[reading.point_id]

        def make() -> MadeDays:
            made = day_maker.make_days(
                reading, self._directory.by_id, asked, block, now_us, self._facts.terms.of
            )
            if is_billed.any():
                day_maker.put_digests(made, block, is_billed)
            return made

        return await in_thread(make)

    async def _prepared(self, reading: Reading, block: RunBlock) -> RunBlock:
        """The block with prepared samples of the points that have rules or estimates."""
        has_estimates = prepared_source.rows_with_estimates(block)
        if len(has_estimates) and self._on_estimates is not None:
            self._on_estimates(reading, has_estimates)
        rows = np.union1d(np.flatnonzero(self._facts.has_rules[reading.point_id]), has_estimates).tolist()
        if not rows:
            return block
        of, terms = self._directory.by_id, self._facts.terms.of
        ids = reading.point_id[rows].tolist()
        wanted = [Metered(of(point_id), terms(point_id)) for point_id in ids]
        runs = await prepared_source.read_prepared(self._reader, wanted, *reading.span)
        if len(rows) == block.run_count:
            return block_of(runs)
        return day_source.replaced(block, dict(zip(rows, runs, strict=True)))

    async def make_packed(self, reading: Reading, needs: Needs, in_thread: InThread) -> PackedDays | None:
        """As many days as can be told from samples where they lie; None where there are none."""
        is_one_a_slot = day_figure.demand_block_us(reading.interval_us) == reading.interval_us
        if self._packed is None or reading.is_register or not is_one_a_slot:
            return None
        margin_us = day_figure.margin_us(reading.interval_us)
        edges_us = [day_figure.slot_edges_us(day, reading.zone, reading.interval_us) for day in reading.days]
        ends_us = [int(edges[-1]) + margin_us for edges in edges_us]
        day_count = bisect.bisect_right(ends_us, self._packed.packed_until_us)
        if day_count == 0:
            return None
        ids = reading.point_id.astype(np.uint32)
        block = await self._packed.read_packed(ids, int(edges_us[0][0]) - margin_us, ends_us[day_count - 1])
        if block is None:
            return None
        asked, now_us = self.asked(reading), self._clock.now_us()
        is_billed = self._facts.is_billed[reading.point_id] | self._facts.has_rules[reading.point_id]
        early = reading._replace(days=reading.days[:day_count])

        def make() -> PackedDays:
            figures, is_done = packed.day_figures(
                block, asked, edges_us[:day_count], reading.interval_us, needs
            )
            is_done[is_billed] = False  # their samples are looked at in any case
            figures.denominator[~is_done] = 1  # of nothing
            return PackedDays(MadeDays(early, figures, {}, now_us), np.flatnonzero(~is_done.all(axis=1)))

        return await in_thread(make)

    async def make_all(self, reading: Reading, in_thread: InThread) -> AsyncIterator[MadeDays]:
        """The figures of a reading, in parts: first what is told where samples lie, then what has to be read out."""
        found = await self.make_packed(reading, packed.EVERYTHING, in_thread)
        if found is None:
            yield await self.make(reading, in_thread)
            return
        early = found.made.reading
        if len(found.left) < len(early.point_id):
            yield _without(found.made, found.left) if len(found.left) else found.made
        keys = left_of(found, reading)
        for rest in day_maker.plan(keys, self._facts, reading.zone):
            yield await self.make(rest, in_thread)


def left_of(found: PackedDays, reading: Reading) -> KeyColumn:
    """Keys of the days of a reading that are to be made from samples read out, ascending."""
    late_days = range(found.made.reading.days.stop, reading.days.stop)
    left = (_keys_of(reading.point_id[found.left], reading.days), _keys_of(reading.point_id, late_days))
    return np.unique(np.concatenate(left))


def _without(made: MadeDays, left: npt.NDArray[np.int64]) -> MadeDays:
    """All points but those at these places."""
    kept = np.delete(np.arange(len(made.reading.point_id)), left)
    reading = made.reading._replace(point_id=made.reading.point_id[kept])
    return made._replace(reading=reading, figures=Figures._make(column[kept] for column in made.figures))


def _keys_of(point_id: npt.NDArray[np.int64], days: range) -> KeyColumn:
    return day_key.pack(point_id[:, np.newaxis], np.array(days, np.int64)).reshape(-1)
