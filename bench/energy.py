"""Figures and curves without HTTP: what one point and day costs, in µs, best of several rounds.

    python -m bench.energy [--meters 1000] [--days 7] [--rounds 3] [--points 10000] [--large 1000000]

The service runs over a store in memory, so that reading costs next to nothing. `make` is the first question
for daily rows, when every figure must be made and kept; `energy` asks again for the energy alone, `read` for
everything, and `form` writes that as JSON; `month` asks for the month that holds them; `sum` is the sum of all
points over one day, `curves` the same with each point's curve; `remake` makes every day anew.

`bulk` is in CPU milliseconds, against the targets of `energy_days`: days and months of `--points` meters, a day of `--large`,
bills with bands and demand, and what one late sample costs.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from multidict import MultiDict

from api import rollup_json, rollup_table
from api.params import Params
from api.sample_form import SampleForm
from bench import energy_days, measure, workload
from bench.energy_days import Sizes, Source
from historian.clock import ManualClock
from historian.model.point import MINUTE_US, Point, PointKind
from historian.model.sample import LastBlock, RunBlock, SampleRun, block_of, empty_run, last_block_of
from historian.rollup.billing import Billed
from historian.rollup.periods import PeriodColumns
from historian.rollup.service import RollupService
from historian.warm import warm_kernels


class FleetReader:
    """A SampleReader over a fleet's columns."""

    def __init__(self, fleet: workload.Fleet, kind: PointKind) -> None:
        present, count = np.isfinite(fleet.power_kw), fleet.power_kw.shape[1]
        self._runs = [self._run(fleet, present, i, kind is PointKind.REGISTER) for i in range(count)]

    async def read(self, point_ids: Sequence[int], start_us: int, end_us: int) -> list[SampleRun]:
        return [self._runs[point_id - 1].between(start_us, end_us) for point_id in point_ids]

    async def read_block(self, point_ids: Sequence[int], start_us: int, end_us: int) -> RunBlock:
        return block_of(await self.read(point_ids, start_us, end_us))

    async def last(self, point_ids: Sequence[int]) -> list[SampleRun]:
        runs = (self._runs[point_id - 1] for point_id in point_ids)
        return [run.part(max(0, run.sample_count - 1), run.sample_count) for run in runs]

    async def last_block(self, point_ids: Sequence[int]) -> LastBlock:
        return last_block_of(await self.last(point_ids))

    async def neighbours(self, point_id: int, time_us: int) -> tuple[SampleRun, SampleRun]:
        return empty_run(point_id), empty_run(point_id)

    @staticmethod
    def _run(
        fleet: workload.Fleet, present: np.ndarray[Any, Any], index: int, is_register: bool
    ) -> SampleRun:
        is_there = present[:, index]
        count = int(is_there.sum())
        values = np.ascontiguousarray(fleet.power_kw[is_there, index])
        if is_register:
            values = np.round(np.cumsum(np.round(np.abs(values), 2)), 2)
        quality = np.zeros(count, np.uint16)
        return SampleRun(index + 1, fleet.time_us[is_there], values, quality)


class FleetDirectory:
    """The fleet's points; never changes."""

    revision = 1

    def __init__(self, meters: int, kind: PointKind, interval_us: int) -> None:
        self.points = [
            Point(id=i + 1, name=workload.meter_name(i), unit="kWh" if kind is PointKind.REGISTER else "kW", kind=kind, interval_us=interval_us, time_zone="UTC")
            for i in range(meters)
        ]  # fmt: skip

    def get(self, name_or_id: str) -> Point:
        return self.points[int(name_or_id) - 1]

    def by_id(self, point_id: int) -> Point:
        return self.points[point_id - 1]

    def ensure(self, draft: object) -> Point:
        raise AssertionError("the fleet is fixed")


async def _measure(meters: int, days: int, rounds: int, kind: PointKind) -> dict[str, float]:
    fleet = workload.make_fleet(meters, days)
    first = datetime.fromtimestamp(workload.START_US / 1e6, UTC).date()
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            await _one_round(fleet, first, Path(folder), kind, seconds)
    point_days = meters * days
    return {name: round(min(times) / point_days * 1e6, 2) for name, times in seconds.items()}


async def _one_round(
    fleet: workload.Fleet, first: date, folder: Path, kind: PointKind, seconds: dict[str, list[float]]
) -> None:
    days, meters = len(fleet.time_us) // workload.SLOTS_A_DAY, fleet.power_kw.shape[1]
    directory = FleetDirectory(meters, kind, 15 * MINUTE_US)
    clock = ManualClock(int(fleet.time_us[-1]) + 1)
    service = RollupService(FleetReader(fleet, kind), directory, folder / "figures.db", clock)
    await service.open()
    last = first + timedelta(days=days)
    points = directory.points

    async def timed(name: str, work: Any) -> Any:
        start = time.perf_counter()
        result = await work
        seconds.setdefault(name, []).append(time.perf_counter() - start)
        return result

    ids = np.arange(1, meters + 1, dtype=np.int64)
    await timed("make", service.columns(ids, "day", first, last))
    await timed("energy", service.columns(ids, "day", first, last, wanted=frozenset({"energy"})))
    answer = await timed("read", service.columns(ids, "day", first, last))
    await timed("form", _form(answer, [point.name for point in points]))
    await service.columns(ids, "month", first, last)
    await timed("month", service.columns(ids, "month", first, last))
    await timed("sum", service.sum_curve(ids, first + timedelta(days=days // 2), 15 * MINUTE_US))
    await timed("curves", service.load_curve(points, first + timedelta(days=days // 2), 15 * MINUTE_US))
    for time_us in fleet.time_us[::4]:
        service.mark(np.arange(1, meters + 1, dtype=np.uint32), np.full(meters, time_us))
    await timed("remake", service.columns(ids, "day", first, last))
    await service.close()


async def measure_bulk(sizes: Sizes) -> dict[str, Any]:
    """Everything of `energy_days`; bills and the late sample over a store in memory."""
    kernels = energy_days.measure_kernels(
        sizes, lambda kind: FleetDirectory(1, kind, 15 * MINUTE_US).points[0]
    )
    made: dict[str, Any] = {"kernels": kernels, "targets": energy_days.against_targets(kernels)}
    fleet = workload.make_fleet(sizes.points, sizes.days)
    for name, kind in (("", PointKind.MEAN_POWER), ("_of_registers", PointKind.REGISTER)):
        directory = FleetDirectory(sizes.points, kind, 15 * MINUTE_US)
        source = Source(FleetReader(fleet, kind), directory, directory.points)
        # Registers have no kernel for bills: a tenth of them tells as much.
        some = (
            source
            if kind is not PointKind.REGISTER
            else source._replace(points=source.points[: max(1, sizes.points // 10)])
        )
        made[f"bills{name}"] = await energy_days.measure_bills(sizes, some)
        made[f"late_sample{name}"] = await energy_days.measure_late_sample(sizes, source)
    return made


async def _form(answer: PeriodColumns, names: list[str]) -> None:
    params = Params(MultiDict())
    rollups = rollup_table.arrange(
        Billed(answer, None, None), names, rollup_table.chosen_fields(params), SampleForm.of(params)
    )
    rollup_table.digest_of(rollups, "json")
    writer = rollup_json.RowWriter(rollups)
    for first in range(0, rollups.row_count, rollup_json.CHUNK_ROWS):
        writer.rows(first, min(first + rollup_json.CHUNK_ROWS, rollups.row_count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meters", type=int, default=1000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    options = parser.parse_args()
    warm_kernels()
    figures: dict[str, Any] = {
        "workload": {"meters": options.meters, "days": options.days},
        "method": f"µs a point and day, best of {options.rounds}; curves: one day asked for, so × days a curve",
    }
    for kind in (PointKind.MEAN_POWER, PointKind.INSTANTANEOUS, PointKind.REGISTER):
        figures[kind.value] = asyncio.run(_measure(options.meters, options.days, options.rounds, kind))
    figures["bulk"] = asyncio.run(measure_bulk(Sizes(options.points, 30, options.large, options.rounds)))
    measure.write_result("energy", figures)


if __name__ == "__main__":
    main()
