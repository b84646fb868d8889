"""`historian verify`: reads a whole data folder, or a backup, and says what in it is not as it should be.

Nothing is changed. Every byte is read by code of its own, written from docs/format alone: manifest, log,
segments, the figures of a month. Exit codes: 0 all is well, 1 damage found, 2 it could not be checked.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from historian.clock import SystemClock
from historian.errors import FormatTooNew, HistorianError, SegmentCorrupt, StoreError
from historian.store import filenames
from historian.tools import (
    backup_file,
    checksum,
    database_file,
    figure_check,
    folder_hold,
    log_file,
    manifest_file,
    segment_check,
)
from historian.tools.figure_check import FigureReport
from historian.tools.finding import Finding
from historian.tools.log_file import LogFile, LogSamples
from historian.tools.manifest_file import ListedSegment, ManifestFile
from historian.tools.progress import Progress
from historian.tools.segment_file import SegmentFile

EXIT_DAMAGE: Final = 1
EXIT_UNCHECKED: Final = 2

Tell = Callable[[str, int, int], None]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was read."""

    segments: int = 0
    samples: int = 0
    segment_bytes: int = 0
    log_files: int = 0
    log_records: int = 0
    unsealed_samples: int = 0
    databases: int = 0
    month: str | None = None
    figures: dict[str, int] = {}
    figures_skipped: dict[str, int] = {}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was read and what was found."""

    checked: Checked
    findings: list[Finding]

    @property
    def damage_count(self) -> int:
        return sum(finding.is_damage for finding in self.findings)


def run(data: Path, month: str | None, is_json: bool, cold_folder: Path | None = None) -> int:
    """Check and print; the exit code."""
    progress = Progress(SystemClock())
    try:
        with folder_hold.hold(data):
            report = check(data, month, progress.tell, cold_folder)
    except (HistorianError, OSError) as error:
        progress.end()
        print(f"historian: cannot be checked: {error}", file=sys.stderr)
        return EXIT_UNCHECKED
    progress.end()
    print(_json_of(report) if is_json else _text_of(data, report))
    return EXIT_DAMAGE if report.damage_count else 0


def check(data: Path, month: str | None, tell: Tell, cold_folder: Path | None = None) -> Report:
    """Read everything. Raises StoreError where the folder is none, FormatTooNew, OSError."""
    if not checksum.is_sound():
        raise StoreError("the library for CRC32C computes wrong sums")
    findings = list(backup_file.differences(data, tell))
    manifest = _read_manifest(data, findings)
    listed = manifest.segments if manifest else ()
    places = [one.place(data, cold_folder) for one in listed]
    whole = 0
    for number, (one, path) in enumerate(zip(listed, places, strict=True)):
        tell("segment files", number, len(listed))
        problems = list(_segment_findings(one, path))
        findings += problems
        whole += not problems
    findings += _unlisted(data, manifest)
    logs, unsealed = _check_logs(data, manifest, findings, tell)
    database_count = _check_databases(data, findings, tell)
    checked = Checked(
        segments=len(listed),
        samples=sum(one.sample_count for one in listed),
        segment_bytes=sum(one.size_bytes for one in listed),
        log_files=len(logs),
        log_records=sum(len(log.frames) for log in logs),
        unsealed_samples=sum(len(samples.point_id) for samples in unsealed),
        databases=database_count,
    )
    has_databases = not any(finding.kind == "database_damaged" for finding in findings)
    if manifest is None or whole < len(listed) or not has_databases:
        return Report(checked=checked, findings=findings)  # figures cannot be held against what is not there
    report = Report(checked=checked, findings=findings)
    month = month or _month_of(data)
    if month is None:
        return report
    return _with_figures(report, figure_check.check(data, listed, unsealed, month, tell, cold_folder))


def _read_manifest(data: Path, findings: list[Finding]) -> ManifestFile | None:
    try:
        manifest = manifest_file.read(data)
    except FormatTooNew:
        raise
    except StoreError as error:
        problem = str(error).removeprefix(f"{data / filenames.MANIFEST}: ")
        findings.append(Finding(kind="manifest_damaged", place=filenames.MANIFEST, problem=problem))
        return None
    if manifest is not None:
        return manifest
    if not (data / filenames.SEGMENT_FOLDER).is_dir():
        raise StoreError(f"{data} is no data folder: it has no {filenames.MANIFEST}")
    findings.append(Finding(kind="manifest_damaged", place=filenames.MANIFEST, problem="there is none"))
    return None


def _segment_findings(listed: ListedSegment, path: Path) -> Iterator[Finding]:
    place = f"{path.parent.name}/{listed.name}"
    kind, problems = "segment_damaged", []
    try:
        size, crc = checksum.of_file(path)
        if size != listed.size_bytes:
            problems = [f"{size} bytes, the manifest says {listed.size_bytes}"]
        elif crc != listed.crc32c:
            problems = ["the checksum is not that of the manifest"]
        else:
            kind = "segment_wrong"
            with SegmentFile(path) as segment:
                problems = segment_check.problems_of(segment, listed)
    except FileNotFoundError:
        tier = f", tier {listed.tier}: the settings name its folder, see --config" if listed.tier else ""
        kind, problems = "segment_missing", [f"is not there ({listed.sample_count} samples{tier})"]
    except SegmentCorrupt as error:
        problems = [str(error).removeprefix(f"{path}: ")]
    yield from (Finding(kind=kind, place=place, problem=problem) for problem in problems)


def _unlisted(data: Path, manifest: ManifestFile | None) -> Iterator[Finding]:
    if manifest is None:
        return
    folder = data / filenames.SEGMENT_FOLDER
    known = {one.name for one in manifest.segments} | set(manifest.retired)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in known:
            place = f"{filenames.SEGMENT_FOLDER}/{path.name}"
            yield Finding(kind="segment_unlisted", place=place, problem=f"{path.stat().st_size} bytes")


def _check_logs(
    data: Path, manifest: ManifestFile | None, findings: list[Finding], tell: Tell
) -> tuple[list[LogFile], list[LogSamples]]:
    folder = data / filenames.WAL_FOLDER
    paths = [path for path in sorted(folder.glob("*")) if filenames.wal_first_sequence(path) is not None]
    sealed = manifest.sealed_sequence if manifest else 0
    logs: list[LogFile] = []
    unsealed: list[LogSamples] = []
    last = 0
    for number, path in enumerate(paths):
        tell("log files", number, len(paths))
        content = path.read_bytes()
        log = log_file.walk(content)
        logs.append(log)
        place = f"{filenames.WAL_FOLDER}/{path.name}"
        findings += _bad_places(place, log)
        for frame in log.frames:
            if not frame.has_samples or frame.sequence <= sealed:
                continue
            try:
                unsealed.append(log_file.samples_of(content, frame))
            except ValueError as error:
                findings.append(Finding(kind="log_damaged", place=place, problem=str(error)))
        findings += _missing_before(place, content, log, max(last, sealed))
        if log.frames and log.frames[0].sequence < last:
            problem = f"begins with record {log.frames[0].sequence}, the file before ends with {last}"
            findings.append(Finding(kind="log_order", place=place, problem=problem))
        last = max(last, log.last_sequence)
    return logs, unsealed


def _missing_before(place: str, content: bytes, log: LogFile, last_found: int) -> Iterator[Finding]:
    for frame in log.frames:
        if frame.type == log_file.CONTINUES and log_file.last_before(content, frame) > last_found:
            last = log_file.last_before(content, frame)
            problem = f"records {last_found + 1} to {last} should be in the files before it"
            yield Finding(kind="log_missing", place=place, problem=problem)


def _bad_places(place: str, log: LogFile) -> Iterator[Finding]:
    for bad in log.bad:
        is_tail = bad.is_tail and not log.has_end
        yield Finding(
            kind="log_tail" if is_tail else "log_damaged",
            place=f"{place} bytes {bad.offset} to {bad.end}",
            problem="no record, and no good one after it" if bad.is_tail else "no record",
        )


def _check_databases(data: Path, findings: list[Finding], tell: Tell) -> int:
    paths = [path for path in sorted(data.iterdir()) if path.suffix == database_file.SUFFIX]
    for number, path in enumerate(paths):
        tell("databases", number, len(paths))
        findings += [
            Finding(kind="database_damaged", place=path.name, problem=problem)
            for problem in database_file.problems_of(path)
        ]
    return len(paths)


def _month_of(data: Path) -> str | None:
    return figure_check.newest_month(data) if (data / filenames.ROLLUP).exists() else None


def _with_figures(report: Report, figures: FigureReport) -> Report:
    checked = msgspec.structs.replace(
        report.checked,
        month=figures.month,
        figures=dict(figures.compared),
        figures_skipped=dict(figures.skipped),
    )
    return Report(checked=checked, findings=[*report.findings, *figures.findings])


def _json_of(report: Report) -> str:
    told = {
        "damage": report.damage_count,
        "checked": report.checked,
        "findings": [finding.to_dict() for finding in report.findings],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _text_of(data: Path, report: Report) -> str:
    checked = report.checked
    lines = [
        f"{data}",
        f"  segments   {checked.segments}, {checked.samples} samples, {checked.segment_bytes} bytes",
        f"  log        {checked.log_files} files, {checked.log_records} records, "
        f"{checked.unsealed_samples} samples not in segments yet",
        f"  databases  {checked.databases}",
        *_figure_lines(checked),
    ]
    for finding in report.findings:
        lines += ["", *finding.lines()]
    count = report.damage_count
    lines += ["", f"DAMAGED: {count} places   发现 {count} 处损坏" if count else "OK   数据完好"]
    return "\n".join(lines)


def _figure_lines(checked: Checked) -> Iterator[str]:
    if checked.month is None:
        yield "  figures    none are kept, or they could not be compared"
        return
    kinds = ", ".join(f"{count} of {kind} points" for kind, count in checked.figures.items()) or "none"
    yield f"  figures    {checked.month}: days computed anew from the samples and compared: {kinds}"
    for cause, count in checked.figures_skipped.items():
        yield f"             not compared: {count} {cause}"
