"""`historian archive import · export`: the archive's tables as CSV, of a data folder nobody else uses or of a running historian."""

import argparse
import csv
import io
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # `--help` loads nothing heavy
    from historian.catalogue.archive_csv import ArchiveCsv, Reject, Report
    from historian.tools.progress import Progress

TABLES: Final = ("entities", "relations", "charges", "points")
EXIT_ROWS_REJECTED: Final = 3
REJECTS_SHOWN_MAX: Final = 20
SENT_ROWS: Final = 20_000  # in one request
PATH: Final = "/api/v1/archive/"


def add_actions(actions: "argparse._SubParsersAction[Any]") -> list[argparse.ArgumentParser]:
    """Add the parsers of both actions; where they work is the caller's to add."""
    taking = actions.add_parser(
        "import",
        help="take a table of entities, relations, charges or points · 导入档案表",
        description="Take a CSV table. Good rows are kept, bad ones told by line; the same file again changes nothing.\n"
        "导入档案 CSV 表；坏行按行号报告，可重复执行。",
        epilog="exit code: 0 every row taken, 3 some rejected, 1 failed\n\nexample:\n"
        "  historian archive import entities entities.csv --server http://127.0.0.1:8420",
    )
    giving = actions.add_parser(
        "export",
        help="write a table of entities, relations, charges or points · 导出档案表",
        description="Write a table as it is known now into a CSV file.\n导出档案 CSV 表。",
        epilog="example:\n  historian archive export entities entities.csv --data var",
    )
    for parser in (taking, giving):
        parser.add_argument("table", choices=TABLES, help="which table")
        parser.add_argument("file", metavar="FILE", type=Path, help="the CSV file")
    return [taking, giving]


def run(options: argparse.Namespace) -> int:
    """Do it; the exit code. Raises HistorianError, OSError."""
    from historian.clock import SystemClock
    from historian.tools.progress import Progress

    teller = Progress(SystemClock())
    try:
        if options.archive_kind == "export":
            return _export(options)
        if options.server is None:
            with _opened(options) as tables, options.file.open(encoding="utf-8-sig", newline="") as lines:
                report = tables.take(options.table, lines, lambda rows: teller.tell(options.table, rows, 0))
        else:
            report = _send(options, teller)
    finally:
        teller.end()
    print(report_text(options.file.name, report))
    return EXIT_ROWS_REJECTED if report.rejects else 0


def report_text(name: str, report: "Report") -> str:
    """The report for people."""
    lines = [
        f"{name}: {report.rows} rows: {report.created} new, {report.changed} changed, {report.unchanged} there already, "
        f"{len(report.rejects)} rejected"
    ]
    lines += [f"  line {one.line}: {one.detail}" for one in report.rejects[:REJECTS_SHOWN_MAX]]
    more = len(report.rejects) - REJECTS_SHOWN_MAX
    return "\n".join([*lines, f"  and {more} more"] if more > 0 else lines)


def _export(options: argparse.Namespace) -> int:
    """Into a file beside the one that is wanted, which takes its name when it is whole."""
    unfinished = options.file.with_name(options.file.name + ".part")
    try:
        if options.server is None:
            with _opened(options) as tables, unfinished.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(tables.rows(options.table))
        else:
            unfinished.write_bytes(_ask(options.server, "GET", options.table, b""))
        os.replace(unfinished, options.file)
    finally:
        unfinished.unlink(missing_ok=True)
    print(f"{options.file}: written")
    return 0


@contextmanager
def _opened(options: argparse.Namespace) -> "Iterator[ArchiveCsv]":
    """The tables of a data folder that this process holds meanwhile."""
    from historian import resources, settings
    from historian.catalogue.archive import open_archive
    from historian.catalogue.archive_csv import ArchiveCsv
    from historian.catalogue.registry import Registry
    from historian.clock import SystemClock
    from historian.store import filenames
    from historian.store.durable import DurableFiles, FolderLock

    chosen, clock = settings.load(options.config), SystemClock()
    DurableFiles().make_folder(options.data)
    lock = FolderLock(options.data)
    path = options.data / filenames.CATALOGUE
    try:
        registry = Registry(path, clock, chosen.time_zone)
        try:
            archive = open_archive(path, clock, resources.config_dir() / "standard")
            try:
                yield ArchiveCsv(archive, registry, chosen.time_zone)
            finally:
                archive.close()
        finally:
            registry.close()
    finally:
        lock.release()


def _send(options: argparse.Namespace, teller: "Progress") -> "Report":
    """In parts, so that no request is too large; lines are told as they stand in the file."""
    import msgspec

    from historian.catalogue.archive_csv import Report

    total, rejects = [0, 0, 0, 0], []
    with options.file.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        while True:
            first = reader.line_num
            rows = [(reader.line_num, row) for row in itertools.islice(reader, SENT_ROWS)]
            if not rows and total[0]:
                break
            text = io.StringIO(newline="")
            csv.writer(text).writerows([header, *(row for _, row in rows)])
            told = msgspec.json.decode(_ask(options.server, "POST", options.table, text.getvalue().encode()))
            for place, name in enumerate(("rows", "created", "changed", "unchanged")):
                total[place] += told[name]
            rejects += _rejects_of(told, [header, *(row for _, row in rows)], [1, *_starts(first, rows)])
            teller.tell(options.table, total[0], 0)
            if len(rows) < SENT_ROWS:
                break
    return Report(total[0], total[1], total[2], total[3], rejects)


def _starts(first: int, rows: list[tuple[int, list[str]]]) -> list[int]:
    """The line on which each row begins: behind the last line of the one before."""
    return [end + 1 for end in [first, *(end for end, _ in rows)]][: len(rows)]


def _rejects_of(told: dict[str, Any], sent: list[list[str]], starts: list[int]) -> "list[Reject]":
    """What was rejected, by its line in the file instead of the line in the request."""
    from historian.catalogue.archive_csv import Reject

    place_of, line = {}, 1
    for row, start in zip(sent, starts, strict=True):
        place_of[line] = start
        line += 1 + sum(cell.replace("\r\n", "\n").count("\n") for cell in row)
    found = [Reject(place_of.get(one["line"], one["line"]), one["detail"]) for one in told["rejects"]]
    more = told["rejects_omitted"]
    return found + [Reject(starts[-1], "one of those that the answer did not list")] * more


def _ask(server: str, method: str, table: str, body: bytes) -> bytes:
    from historian import remote
    from historian.client.exchange import Call, Request

    is_post = method == "POST"
    request = Request(
        method,
        PATH + table,
        body=body,
        content_type="text/csv" if is_post else "",
        accept="application/json" if is_post else "text/csv",
    )
    client = remote.connect(server)
    try:
        return client.ask(Call(request, lambda reply: reply.body))
    finally:
        client.close()
