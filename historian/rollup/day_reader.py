"""Reads the samples of a reading and makes its figures."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

import numpy as np

from historian.clock import Clock
from historian.energy.fleet import Asked
from historian.model.ports import SampleReader
from historian.model.sample import block_of
from historian.rollup import day_figure, day_maker, day_source
from historian.rollup.day_maker import MadeDays, Reading
from historian.rollup.point_facts import PointFacts, RevisedDirectory

_Result = TypeVar("_Result")


class InThread(Protocol):
    """Runs work in a thread."""

    def __call__(self, work: Callable[[], _Result], /) -> Awaitable[_Result]:
        """Its result."""
        ...


class DayReader:
    """Owned by the loop."""

    def __init__(
        self, reader: SampleReader, directory: RevisedDirectory, facts: PointFacts, clock: Clock
    ) -> None:
        self._reader = reader
        self._directory = directory
        self._facts = facts
        self._clock = clock

    def asked(self, reading: Reading) -> Asked:
        """What each point of a reading is asked."""
        used, code = np.unique(self._facts.ask[reading.point_id], return_inverse=True)
        return Asked([self._facts.asks[number] for number in used.tolist()], code.astype(np.int64))

    async def make(self, reading: Reading, in_thread: InThread) -> MadeDays:
        """The figures of a reading; arithmetic is done by `in_thread`."""
        points = (
            [self._directory.by_id(one) for one in reading.point_id.tolist()] if reading.is_register else []
        )
        start_us, end_us = reading.span
        if reading.is_register:
            runs = await day_source.read_runs(self._reader, points, start_us, end_us)
            block = await in_thread(partial(block_of, runs))
        else:
            ids = reading.point_id.astype(np.uint32)
            margin_us = day_figure.margin_us(reading.interval_us)
            block = await self._reader.read_block(ids, start_us - margin_us, end_us + margin_us)
        now_us = self._clock.now_us()
        make = partial(
            day_maker.make_days, reading, self._directory.by_id, self.asked(reading), block, now_us
        )
        return await in_thread(make)
