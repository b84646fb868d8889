"""`historian import csv`: into a data folder, or through the API of a running historian."""

import argparse
import asyncio
from pathlib import Path
from typing import Final, NamedTuple

from drivers.gateway import csv_file, import_progress, mapping
from drivers.gateway.csv_file import ImportReport
from drivers.gateway.import_progress import grouped
from drivers.gateway.mapping import CsvMapping
from historian import logs, remote, settings
from historian.errors import HistorianError, StoreLocked
from historian.model.ports import PointDirectory, SampleSink
from historian.store import filenames

EXIT_FAILED: Final = 1
EXIT_ROWS_SET_ASIDE: Final = 3
NUMBER_WIDTH: Final = 14


class ImportOptions(NamedTuple):
    """What the command line asked for."""

    file: Path
    mapping: Path
    data: Path
    server: str | None
    config: Path | None

    @classmethod
    def of(cls, options: argparse.Namespace) -> "ImportOptions":
        return cls(options.file, options.mapping, options.data, options.server, options.config)


def run(options: ImportOptions) -> int:
    """Import and print the report. Raises HistorianError."""
    loaded = mapping.load(options.mapping)
    if options.server is None:
        report = asyncio.run(_import_offline(options, loaded))
    else:
        report = asyncio.run(_import_remote(options, options.server, loaded))
    print(report_text(options.file.name, report))
    if report.fault:
        raise HistorianError(report.fault)
    return EXIT_ROWS_SET_ASIDE if report.bad_rows else 0


def report_text(name: str, report: ImportReport) -> str:
    """The report for people."""
    counts = {
        "accepted": "samples that are new",
        "duplicate": "samples that were there already",
        "replaced": "samples that had another value before",
        "missing": "values the source says it does not have",
    }
    lines = [f"{name}: {grouped(report.rows)} rows"]
    for field, meaning in counts.items():
        lines.append(f"{grouped(getattr(report, field)):>{NUMBER_WIDTH}}  {field:10}{meaning}")
    lines.append(
        f"{grouped(report.bad_rows):>{NUMBER_WIDTH}}  {'bad rows':10}rows of which something was not taken"
    )
    lines += [f"  line {row.line_number}: {row.reason}" for row in report.bad_examples]
    more_count = report.bad_rows - len(report.bad_examples)
    if more_count:
        lines.append(f"  and {grouped(more_count)} more")
    if report.quarantine_path:
        lines.append(f"bad rows are kept in {report.quarantine_path}")
    return "\n".join(lines)


async def _import_offline(options: ImportOptions, loaded: CsvMapping) -> ImportReport:
    from historian import (
        app,
    )  # with it come compiler and archive libraries, which a remote import does not need

    chosen = settings.load(options.config)
    logs.configure("warning")
    try:
        async with app.open_offline(chosen, options.data) as parts:
            return await _import(options, loaded, parts.sink, parts.registry)
    except StoreLocked as error:
        address = f"http://{chosen.server.listen}"
        raise HistorianError(
            f"{error}; to import into the running historian add --server {address}"
        ) from error


async def _import_remote(options: ImportOptions, url: str, loaded: CsvMapping) -> ImportReport:
    client = remote.connect(url)
    try:
        directory = remote.RemoteDirectory(client)
        sink = remote.RemoteSink(client, directory)
        return await _import(options, loaded, sink, directory)
    finally:
        client.close()


async def _import(
    options: ImportOptions, loaded: CsvMapping, sink: SampleSink, directory: PointDirectory
) -> ImportReport:
    return await csv_file.import_csv(
        options.file,
        loaded,
        sink,
        directory,
        progress=import_progress.terminal_progress(),
        quarantine_dir=options.data / filenames.QUARANTINE_FOLDER,
    )
