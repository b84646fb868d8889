"""`historian import samples`: a file of `historian export` into a data folder or a running historian.

Points are made where they lack. Importing again changes nothing. Versions are taken in the order they were
given, each with its source and reason; they arrive now.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from historian import logs, remote, settings
from historian.clock import SystemClock
from historian.errors import HistorianError, StoreLocked
from historian.model.ports import REJECT_CODES, Outcome, PointDirectory, SampleSink
from historian.model.sample import Origin, SampleBatch
from historian.tools import sample_file
from historian.tools.progress import Progress
from historian.tools.sample_file import SampleRows

EXIT_REJECTED: Final = 3

Places = npt.NDArray[np.int64]


def run(options: argparse.Namespace) -> int:
    """Import and print what became of the samples. Raises HistorianError."""
    counts = asyncio.run(_remote(options) if options.server else _offline(options))
    print(report_text(options.file.name, counts))
    return EXIT_REJECTED if any(counts[outcome] for outcome in REJECT_CODES) else 0


def report_text(name: str, counts: "Counter[Outcome]") -> str:
    """The report for people."""
    meaning = {
        Outcome.ACCEPTED: "that are new",
        Outcome.DUPLICATE: "that were there already",
        Outcome.REPLACED: "that had another value before",
    }
    lines = [f"{name}: {sum(counts.values())} samples   导入完成"]
    lines += [f"{counts[outcome]:14}  {outcome.name.lower():10}{text}" for outcome, text in meaning.items()]
    refused = ((counts[outcome], code) for outcome, code in REJECT_CODES.items() if counts[outcome])
    return "\n".join([*lines, *(f"{count:14}  refused   {code}" for count, code in refused)])


async def _offline(options: argparse.Namespace) -> "Counter[Outcome]":
    from historian import app

    chosen = settings.load(options.config)
    logs.configure("warning")
    try:
        async with app.open_offline(chosen, options.data) as parts:
            return await import_file(options.file, parts.sink, parts.registry)
    except StoreLocked as error:
        raise HistorianError(
            f"{error}; to import into the running historian add --server http://{chosen.server.listen}"
        ) from error


async def _remote(options: argparse.Namespace) -> "Counter[Outcome]":
    client = remote.connect(options.server)
    try:
        directory = remote.RemoteDirectory(client)
        sink = remote.RemoteSink(client, directory)
        return await import_file(options.file, sink, directory)
    finally:
        client.close()


async def import_file(path: Path, sink: SampleSink, directory: PointDirectory) -> "Counter[Outcome]":
    """Import all of a file; how many samples came to which outcome. Raises HistorianError."""
    counts: Counter[Outcome] = Counter()
    progress = Progress(SystemClock())
    with sample_file.opened(path) as reader:
        drafts = reader.points
        ids = np.array([(await asyncio.to_thread(directory.ensure, draft)).id for draft in drafts], np.uint32)
        for rows in reader.rows():
            for places, origin in _layers(rows, f"import:{path.name}"):
                batch = SampleBatch(
                    ids[rows.point[places]],
                    np.array(rows.time_us[places], np.int64),
                    np.array(rows.value[places], np.float64),
                    np.array(rows.quality[places], np.uint16),
                )
                result = await sink.append(batch, source=origin.source, reason=origin.reason)
                for outcome, count in zip(*np.unique(result.outcome, return_counts=True), strict=True):
                    counts[Outcome(int(outcome))] += int(count)
            progress.tell("samples", sum(counts.values()), 0)
    progress.end()
    return counts


def _layers(rows: SampleRows, source: str) -> Iterator[tuple[Places, Origin]]:
    """Rows to be appended together: of each (point, time) the first version, then the second, and so on."""
    everything = np.arange(rows.row_count)
    if rows.origin is None:
        yield everything, Origin(source)
        return
    is_next = np.zeros(rows.row_count, np.bool_)
    is_next[1:] = (rows.point[1:] == rows.point[:-1]) & (rows.time_us[1:] == rows.time_us[:-1])
    starts = np.maximum.accumulate(np.where(is_next, 0, everything))
    layer = everything - starts
    for number in range(int(layer.max()) + 1 if rows.row_count else 0):
        for origin in np.unique(rows.origin[layer == number]).tolist():
            chosen = np.flatnonzero((layer == number) & (rows.origin == origin))
            yield chosen, Origin.of_text(rows.origins[origin])
