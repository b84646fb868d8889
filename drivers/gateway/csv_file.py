"""Imports a delimited text file through the one sink, by its mapping; good rows never pay for bad ones.

    file → lines → fields → columns of a chunk → times, values → SampleBatch → sink
                      └────── bad rows, with line number and reason ──────┴→ quarantine file

A chunk is bounded in rows and samples, read in a worker thread and appended as one batch sorted by
point and time. Importing the same file again changes nothing: the sink counts duplicates.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from drivers.gateway import csv_chunk, quarantine
from drivers.gateway.csv_line import LineFile
from drivers.gateway.import_progress import ImportProgress, Progress
from drivers.gateway.mapping import CsvMapping
from historian.clock import Clock, SystemClock
from historian.errors import IngestError, PointConflict, QueueFull
from historian.model.point import Point, PointDraft, format_interval
from historian.model.ports import REJECT_CODES, AppendResult, Outcome, PointDirectory, SampleSink
from historian.model.sample import SampleBatch

QUEUE_FULL_RETRIES_MAX: Final = 600
BAD_ROWS_SHOWN_MAX: Final = 20


class BadRow(msgspec.Struct, frozen=True):
    """A row of which at least one sample could not be taken."""

    line_number: int
    reason: str


class ImportReport(msgspec.Struct, kw_only=True):
    """What an import did. Samples: accepted, duplicate, replaced, missing (the source says it has none).

    A bad row's good samples are taken and counted all the same. `bad_examples` has the first few,
    `quarantine_path` all of them. `fault` says why reading ended early, if it did.
    """

    rows: int = 0
    accepted: int = 0
    duplicate: int = 0
    replaced: int = 0
    missing: int = 0
    bad_rows: int = 0
    bad_examples: list[BadRow] = []
    quarantine_path: str = ""
    fault: str = ""


async def import_csv(
    path: Path,
    mapping: CsvMapping,
    sink: SampleSink,
    directory: PointDirectory,
    *,
    progress: Progress | None = None,
    quarantine_dir: Path,
    clock: Clock | None = None,
) -> ImportReport:
    """Read the whole file into the sink and tell what became of it.

    Points that do not exist are made. Raises SettingsError (the mapping does not fit the file),
    PointConflict, IngestError (file unreadable, store read-only); what was acknowledged stays.
    """
    report = ImportReport()
    with LineFile(path) as file, quarantine.QuarantineFile(quarantine_dir, path.name) as bad_rows:
        reader = csv_chunk.ChunkReader(path, mapping, file)
        await asyncio.to_thread(reader.read_header)
        points = [_ensure(directory, mapping, draft) for draft in mapping.drafts()]
        while True:
            chunk = await asyncio.to_thread(reader.read_chunk, points)
            if chunk is None:
                break
            if chunk.batch.sample_count:
                result = await _append(sink, chunk.batch, f"import:{path.name}", clock or SystemClock())
                _count_outcomes(result, chunk, points, report)
            _report_rows(chunk, report, bad_rows)
            if progress is not None:
                progress(ImportProgress(report.rows, file.position_bytes, file.size_bytes))
        report.fault = file.fault
    report.quarantine_path = str(bad_rows.path or "")
    return report


def _ensure(directory: PointDirectory, mapping: CsvMapping, draft: PointDraft) -> Point:
    """The point of that draft. Its period must be the file's, else ends would be taken for other starts."""
    point = directory.ensure(draft)
    if point.has_period and draft.interval_us is not None and point.interval_us != draft.interval_us:
        raise PointConflict(
            f"point {point.name} has an interval of {format_interval(point.interval_us)}, but {mapping.path} gives "
            f"{format_interval(draft.interval_us)}; use the same, or another point"
        )
    return point


async def _append(sink: SampleSink, batch: SampleBatch, source: str, clock: Clock) -> AppendResult:
    """Append, waiting while the queue is full."""
    for _ in range(QUEUE_FULL_RETRIES_MAX):
        try:
            return await sink.append(batch, source=source)
        except QueueFull as error:
            await clock.sleep(error.retry_after_s)
    raise IngestError(f"the ingest queue stayed full for {QUEUE_FULL_RETRIES_MAX} tries; try again later")


def _count_outcomes(
    result: AppendResult, chunk: csv_chunk.Chunk, points: Sequence[Point], report: ImportReport
) -> None:
    report.accepted += result.count(Outcome.ACCEPTED)
    report.duplicate += result.count(Outcome.DUPLICATE)
    report.replaced += result.count(Outcome.REPLACED)
    for sample_index in np.flatnonzero(result.outcome > Outcome.REPLACED):
        code = REJECT_CODES.get(Outcome(result.outcome[sample_index]), "rejected")
        name = points[chunk.point_index[sample_index]].name
        chunk.reasons.setdefault(int(chunk.row_index[sample_index]), []).append(f"{name}: {code}")


def _report_rows(chunk: csv_chunk.Chunk, report: ImportReport, bad_rows: quarantine.QuarantineFile) -> None:
    report.rows += len(chunk.lines)
    report.missing += chunk.missing_count
    report.bad_rows += len(chunk.reasons)
    for row in sorted(chunk.reasons):
        line, reason = chunk.lines[row], "; ".join(chunk.reasons[row])
        bad_rows.add(line.number, reason, line.content)
        if len(report.bad_examples) < BAD_ROWS_SHOWN_MAX:
            report.bad_examples.append(BadRow(line.number, reason))
