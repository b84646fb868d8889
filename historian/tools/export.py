"""`historian export`: samples of chosen points and a time range, with the points, into one file.

Out of a data folder nobody uses, or of a running historian. The file appears under its name when it is whole.
"""

import argparse
import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from historian import logs, remote, settings
from historian.client import Client, Table
from historian.client.replies import SampleRow
from historian.clock import SystemClock
from historian.errors import QueryError, StoreError, StoreLocked, TimeError
from historian.model import timestamp
from historian.model.point import DAY_US, Point
from historian.model.timerange import TimeRange
from historian.store import filenames
from historian.tools import sample_file
from historian.tools.progress import Progress
from historian.tools.sample_file import SampleRows

SAMPLES_AT_ONCE: Final = 1_000_000  # asked of the store, as far as intervals tell
POINTS_AT_ONCE: Final = 1000
WINDOW_US: Final = 31 * DAY_US
ROWS_PER_PAGE: Final = 100_000
_GLOB_SIGNS: Final = frozenset("*?[")


class ExportSource(Protocol):
    """Where the samples come from."""

    async def find(self, name_or_glob: str) -> list[Point]:
        """The point of that name or id, or all that match."""
        ...

    def read(self, points: Sequence[Point], span: TimeRange) -> AsyncIterator[SampleRows]:
        """Their samples, `point` being the place in `points`; each point's times rise."""
        ...


def run(options: argparse.Namespace) -> int:
    """Export and say how much. Raises HistorianError, OSError."""
    if options.output.exists():
        raise StoreError(f"{options.output} is there already; choose another name")
    count = asyncio.run(_remote(options) if options.server else _offline(options))
    print(f"{options.output}: {count} samples   导出完成")
    return 0


async def _offline(options: argparse.Namespace) -> int:
    from historian import app
    from historian.tools.export_offline import OfflineSource

    logs.configure("warning")
    if not (options.data / filenames.MANIFEST).is_file():
        raise QueryError(
            f"{options.data} is no data folder; name one with --data, or a running historian with --server"
        )
    chosen = settings.load(options.config)
    try:
        async with app.open_offline(chosen, options.data) as parts:
            return await write(OfflineSource(parts, options.versions), options)
    except StoreLocked as error:
        raise QueryError(
            f"{error}; to export from the running historian add --server http://{chosen.server.listen}"
        ) from error


async def _remote(options: argparse.Namespace) -> int:
    if options.versions:
        raise QueryError(
            "--versions needs the data folder: stop the historian, or export from a restored backup"
        )
    client = remote.connect(options.server)
    try:
        return await write(RemoteSource(client), options)
    finally:
        client.close()


async def write(source: ExportSource, options: argparse.Namespace) -> int:
    """Write the file that a command line asks for; gives how many samples it holds."""
    points = await find_all(source, options.points)
    span = _span(options.start, options.end, points[0].time_zone)
    progress = Progress(SystemClock())
    count = 0
    with _whole_file(options.output) as path:
        drafts = [sample_file.draft_of(point) for point in points]
        writer = sample_file.create(path, options.format, drafts, options.versions)
        try:
            async for rows in source.read(points, span):
                if rows.row_count:
                    writer.write(rows)
                    count += rows.row_count
                    progress.tell("samples", count, 0)
        finally:
            writer.close()
    progress.end()
    return count


async def find_all(source: ExportSource, names: Sequence[str]) -> list[Point]:
    """The points of all names and globs, each once. Raises PointNotFound, QueryError where there is none."""
    found = {point.name: point for name in names for point in await source.find(name)}
    if not found:
        raise QueryError(f"no point matches {', '.join(names)}")
    return list(found.values())


def groups(points: Sequence[Point], span: TimeRange) -> Iterator[tuple[int, int, int, int]]:
    """Pieces of the work: first and last point, start and end, each of about SAMPLES_AT_ONCE at most."""
    per_point = max(1, WINDOW_US // min((point.interval_us for point in points), default=WINDOW_US))
    size = max(1, min(POINTS_AT_ONCE, SAMPLES_AT_ONCE // per_point))
    for first in range(0, len(points), size):
        for start_us in range(span.start_us, span.end_us, WINDOW_US):
            yield first, min(first + size, len(points)), start_us, min(start_us + WINDOW_US, span.end_us)


class RemoteSource:
    """A running historian, by its Arrow streams."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def find(self, name_or_glob: str) -> list[Point]:
        return await asyncio.to_thread(self._find, name_or_glob)

    def _find(self, name_or_glob: str) -> list[Point]:
        if not is_glob(name_or_glob):
            told = self._client.point(name_or_glob)
            return [remote.point_of(told, told.id)]
        matching = self._client.points(match=name_or_glob, page_size=POINTS_AT_ONCE)
        return [remote.point_of(told, told.id) for told in matching]

    async def read(self, points: Sequence[Point], span: TimeRange) -> AsyncIterator[SampleRows]:
        start, end = timestamp.format_time(span.start_us), timestamp.format_time(span.end_us)
        for place, point in enumerate(points):
            tables = self._client.recorded_pages(point.name, start, end, page_size=ROWS_PER_PAGE)
            while (table := await asyncio.to_thread(next, tables, None)) is not None:
                yield _rows_of(place, table)


def is_glob(name: str) -> bool:
    """Whether it asks for all that match."""
    return bool(_GLOB_SIGNS & set(name))


def _rows_of(place: int, table: Table[SampleRow]) -> SampleRows:
    columns = table.to_arrow()
    return SampleRows(
        np.full(len(table), place, np.int64),
        np.asarray(columns.column("time").cast("int64"), np.int64),
        np.asarray(columns.column("value"), np.float64),
        np.asarray(columns.column("quality"), np.uint16),
    )


def _span(start: str, end: str, zone_name: str) -> TimeRange:
    """Local times of the zone where they carry no offset; a date alone is its midnight."""
    zone = timestamp.load_zone(zone_name)
    times = []
    for option, text in (("--from", start), ("--to", end)):
        try:
            times.append(timestamp.parse_local_time_us(f"{text}T00:00" if len(text) == 10 else text, zone))
        except TimeError as error:
            raise QueryError(f"{option}: {error}") from None
    return TimeRange(*times)


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """A name to write under; the file gets its own when all is written, and is on disk."""
    unfinished = path.with_name(path.name + filenames.TEMPORARY_SUFFIX)
    unfinished.unlink(missing_ok=True)
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
