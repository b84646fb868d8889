"""`historian audit verify · list · export`: parsers and what they do, on a data folder in use or not, or on a backup."""

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from historian.errors import HistorianError

if TYPE_CHECKING:  # `--help` loads nothing heavy
    from historian.model.audit import Anchor, AuditRecord

EXIT_BROKEN: Final = 1
KINDS: Final = (
    "login", "logout", "denied", "read_export", "edit", "config", "access", "backup", "restore", "import", "export",
    "time_step", "start", "stop", "audit_read", "trail",
)  # fmt: skip
_COLUMNS: Final = (
    "number", "time", "local", "kind", "who", "who_kind", "address", "request_id", "action", "object", "result",
    "changes", "reason", "detail", "begun", "count",
)  # fmt: skip
_SHORT: Final = ("number", "local", "kind", "who", "address", "action", "object", "result", "count")
_PAGE: Final = 10_000


def add_actions(actions: "argparse._SubParsersAction[Any]") -> None:
    """Add the parsers of the three actions."""
    verify = actions.add_parser(
        "verify",
        help="check every record and link of the audit trail · 校验审计记录",
        description="Check every byte, every link, the end and the beginning of the audit trail; name what is broken.\n"
        "校验审计记录链：修改、删除、插入、截断、乱序均可发现。",
        epilog="exit code: 0 whole, 1 broken\n\nexample:\n  historian audit verify var",
    )
    verify.add_argument("folder", metavar="DATA", type=Path, help="data folder, in use or not, or a backup")
    verify.add_argument(
        "--anchor", metavar="NUMBER:HASH", type=_anchor, action="append", default=[],
        help="a record's number and hash as they were kept elsewhere; repeatable",
    )  # fmt: skip
    listing = actions.add_parser(
        "list",
        help="print records · 列出审计记录",
        description="Print records of the audit trail in their order; that somebody did is on record.\n列出审计记录。",
        epilog="example:\n  historian audit list --since 2026-11-01T00:00:00+08:00 --who li --kind edit",
    )
    listing.add_argument("--form", choices=("table", "csv"), default="table", help="default: table")
    export = actions.add_parser(
        "export",
        help="write records into a CSV file · 导出审计记录",
        description="Write records of the audit trail into a CSV file; that somebody did is on record.\n导出审计记录。",
        epilog="example:\n  historian audit export trail.csv --data var --since 2026-10-01T00:00:00+08:00",
    )
    export.add_argument("output", metavar="FILE", type=Path, help="the file to make")
    for parser in (listing, export):
        parser.add_argument(
            "--data", metavar="DIR", type=Path, default=Path("var"), help="data folder (default: var)"
        )
        parser.add_argument(
            "--since", metavar="TIME", help="RFC 3339 with an offset; default: from the first on"
        )
        parser.add_argument("--until", metavar="TIME", help="the end is not included")
        parser.add_argument("--who", metavar="NAME", default="", help="only of this person, token or part")
        parser.add_argument("--kind", choices=KINDS, default="", help="only of this kind")
        parser.add_argument(
            "--object", metavar="TEXT", default="", help="only where the object has this in it"
        )


def run(options: argparse.Namespace) -> int:
    """Run one of them; the exit code. Raises HistorianError, OSError."""
    if options.audit_kind == "verify":
        return _verify(options.folder, tuple(options.anchor))
    records = _records(options)
    if options.audit_kind == "export":
        with options.output.open("x", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(_rows(records, _COLUMNS))
        return 0
    if options.form == "csv":
        csv.writer(sys.stdout).writerows(_rows(records, _COLUMNS))
        return 0
    from historian import text_table

    header, *rows = _rows(records, _SHORT)
    text_table.print_table(text_table.TextTable(header, rows), "table")
    return 0


def _verify(data: Path, anchors: "tuple[Anchor, ...]") -> int:
    from historian.audit import verify
    from historian.store import filenames

    folder = data / filenames.AUDIT_FOLDER
    if not folder.is_dir():
        raise HistorianError(f"{data} has no audit trail")
    report = verify.verify(folder, anchors)
    for fault in report.faults:
        print(f"{fault.file}: record {fault.number}, byte {fault.offset}: {fault.problem}", file=sys.stderr)
    print(f"{report.records} records from {report.first} on in {report.files} files, newest {report.anchor}")
    print("BROKEN   已损坏" if report.faults else "whole   完整")
    return EXIT_BROKEN if report.faults else 0


def _records(options: argparse.Namespace) -> "Iterator[AuditRecord]":
    from historian.audit import reader
    from historian.model import timestamp
    from historian.model.audit import AuditQuestion
    from historian.store import filenames
    from historian.store.durable import DurableFiles

    question = AuditQuestion(
        since_us=0 if options.since is None else timestamp.parse_time_us(options.since),
        until_us=timestamp.TIME_MAX_US if options.until is None else timestamp.parse_time_us(options.until),
        who=options.who, kind=options.kind, object=options.object, limit=_PAGE,
    )  # fmt: skip
    folder, place = options.data / filenames.AUDIT_FOLDER, None
    while True:
        page = reader.read(folder, DurableFiles(), question, place)
        yield from page.records
        if (place := page.next_place) is None:
            return


def _rows(records: "Iterator[AuditRecord]", columns: tuple[str, ...]) -> Iterator[list[str]]:
    yield list(columns)
    for record in records:
        yield [_cell(record, name) for name in columns]


def _cell(record: "AuditRecord", name: str) -> str:
    if name == "changes":
        return "; ".join(f"{one.what}: {one.old} → {one.new}" for one in record.changes)
    return str(getattr(record, name))


def _anchor(text: str) -> "Anchor":
    number, colon, digest = text.partition(":")
    if not (colon and number.isdecimal() and len(digest) == 64):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no anchor; allowed: NUMBER:HASH as `audit verify` prints it"
        )
    from historian.model.audit import Anchor

    return Anchor(int(number), digest)
