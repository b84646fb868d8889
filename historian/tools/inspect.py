"""`historian inspect`: what is inside a data folder, a segment or a log file; damaged or in use, it is all one.

It reads only, takes no lock and stops at nothing: what cannot be read is told as such.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from historian.errors import HistorianError, SegmentCorrupt, StoreError
from historian.model import timestamp
from historian.store import filenames
from historian.tools import backup_file, database_file, log_file, manifest_file
from historian.tools.log_file import LogFile
from historian.tools.segment_file import SegmentFile, values_name

LISTED_MAX: Final = 20  # points of a segment, bad places of a log
TYPE_NAMES: Final = {
    log_file.PROBE: "probe",
    log_file.SAMPLES_OLD: "samples",
    log_file.END: "end",
    log_file.SAMPLES: "samples",
    log_file.CONTINUES: "continues",
}

Facts = dict[str, Any]  # of JSON: texts, numbers, lists and objects of them


def run(data: Path, name: str | None, is_json: bool, cold_folder: Path | None = None) -> int:
    """Look and print. Raises StoreError where there is nothing to look at."""
    facts = look(data, name, cold_folder)
    if is_json:
        print(msgspec.json.format(msgspec.json.encode(facts), indent=2).decode())
    else:
        print("\n".join(_lines(facts)))
    return 0


def look(data: Path, name: str | None, cold_folder: Path | None = None) -> Facts:
    """The facts of a folder, or of one file: in its folder by name, or anywhere by path. Raises StoreError."""
    if name is not None:
        return _of_file(_find(data, name, cold_folder))
    if data.is_file():
        return _of_file(data)
    if not data.is_dir():
        raise StoreError(f"{data} is not there")
    return _of_folder(data, cold_folder)


def _find(data: Path, name: str, cold_folder: Path | None) -> Path:
    folders = (
        data / filenames.SEGMENT_FOLDER,
        data / filenames.WAL_FOLDER,
        cold_folder or data,
        data,
        Path(),
    )
    for suffix in ("", _SEGMENT_SUFFIX, _LOG_SUFFIX):
        for folder in folders:
            path = folder / (name + suffix)
            if path.is_file():
                return path
    raise StoreError(f"{data} has no segment and no log file {name}")


def _of_file(path: Path) -> Facts:
    if path.suffix == _LOG_SUFFIX:
        return _log_facts(path)
    if path.suffix == _SEGMENT_SUFFIX:
        return _segment_facts(path)
    raise StoreError(f"{path} is neither a segment nor a log file")


_LOG_SUFFIX: Final = Path(filenames.wal_name(0)).suffix
_SEGMENT_SUFFIX: Final = Path(filenames.segment_name("1970-01", 0)).suffix


# -- a folder ----------------------------------------------------------------------------------------


def _of_folder(data: Path, cold_folder: Path | None) -> Facts:
    facts: Facts = {"folder": str(data)}
    backup = backup_file.read(data)
    if backup is not None:
        facts["backup"] = {
            "made_at": timestamp.format_time(backup.made_at_us),
            "sequence": backup.sequence,
            "files": len(backup.files),
            "bytes": backup.size_bytes,
        }
    facts[filenames.MANIFEST] = _manifest_facts(data, cold_folder)
    facts[filenames.SEGMENT_FOLDER] = facts[filenames.MANIFEST].pop(filenames.SEGMENT_FOLDER, [])
    folder = data / filenames.WAL_FOLDER
    logs = [_log_facts(path) for path in _files(folder, _LOG_SUFFIX)]
    facts["logs"] = logs
    sealed = facts[filenames.MANIFEST].get("sealed_sequence", 0)
    facts["expected_at_start"] = {
        "segments_opened": len(facts[filenames.SEGMENT_FOLDER]),
        "samples_replayed": sum(_unsealed_count(path, sealed) for path in _files(folder, _LOG_SUFFIX)),
    }
    facts["databases"] = [
        {"name": path.name, "bytes": path.stat().st_size, "rows": _row_counts(path)}
        for path in sorted(data.iterdir())
        if path.suffix == database_file.SUFFIX
    ]
    aside = data / filenames.QUARANTINE_FOLDER
    facts["set_aside"] = sorted(path.name for path in aside.iterdir()) if aside.is_dir() else []
    return facts


def _manifest_facts(data: Path, cold_folder: Path | None) -> Facts:
    try:
        manifest = manifest_file.read(data)
    except HistorianError as error:
        return {"problem": str(error)}
    if manifest is None:
        return {"problem": f"there is no {filenames.MANIFEST}: nothing was ever stored here"}
    return {
        "format_version": manifest.format_version,
        "sealed_sequence": manifest.sealed_sequence,
        "next_generation": manifest.next_generation,
        "retired": list(manifest.retired),
        filenames.SEGMENT_FOLDER: [
            {
                "name": one.name,
                "month": one.month,
                "points": one.run_count,
                "samples": one.sample_count,
                "superseded": one.superseded_count,
                "bytes": one.size_bytes,
                "bytes_per_sample": round(one.size_bytes / max(1, one.sample_count), 3),
                "first_sequence": one.sequence_min,
                "last_sequence": one.sequence_max,
                "first_time": timestamp.format_time(one.time_min_us),
                "last_time": timestamp.format_time(one.time_max_us),
                "tier": one.tier or "data",
                "is_there": one.place(data, cold_folder).is_file(),
            }
            for one in sorted(manifest.segments, key=lambda one: one.order)
        ],
    }


def _row_counts(path: Path) -> Facts:
    try:
        with database_file.opened(path, is_live=_is_open(path)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            names = [row[0] for row in tables if not row[0].startswith("sqlite_")]
            counts = (connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names)  # noqa: S608 - names of its own schema
            return dict(zip(names, counts, strict=True))
    except HistorianError as error:
        return {"problem": str(error)}


def _is_open(path: Path) -> bool:
    return path.with_name(path.name + database_file.SHARED_SUFFIX).exists()


# -- a log file --------------------------------------------------------------------------------------


def _log_facts(path: Path) -> Facts:
    facts: Facts = {"log": path.name}
    try:
        content = path.read_bytes()
        log = log_file.walk(content)
    except (HistorianError, OSError) as error:
        return facts | {"problem": str(error)}
    samples = [_samples(content, log, place) for place in range(len(log.frames))]
    is_open = not log.has_end
    facts |= {
        "format_version": log.format_version,
        "bytes": len(content),
        "bytes_used": log.end,
        "created": None if log.created_us is None else timestamp.format_time(log.created_us),
        "is_open": is_open,
        "records": dict(Counter(TYPE_NAMES.get(frame.type, f"type {frame.type}") for frame in log.frames)),
        "samples": sum(len(one.point_id) for one in samples if one),
        "sources": sorted({one.origin.partition("\n")[0] for one in samples if one}),
        "damage": [
            {"first": bad.offset, "end": bad.end, "is_torn_tail": bad.is_tail and is_open}
            for bad in log.bad[:LISTED_MAX]
        ],
    }
    if log.frames:
        facts |= {
            "first_sequence": log.frames[0].sequence,
            "last_sequence": log.last_sequence,
            "first_arrival": timestamp.format_time(log.frames[0].arrival_time_us),
            "last_arrival": timestamp.format_time(log.frames[-1].arrival_time_us),
        }
    return facts


def _samples(content: bytes, log: LogFile, place: int) -> log_file.LogSamples | None:
    frame = log.frames[place]
    try:
        return log_file.samples_of(content, frame) if frame.has_samples else None
    except ValueError:
        return None


def _unsealed_count(path: Path, sealed: int) -> int:
    try:
        content = path.read_bytes()
        log = log_file.walk(content)
    except (HistorianError, OSError):
        return 0
    samples = (
        _samples(content, log, place) for place, frame in enumerate(log.frames) if frame.sequence > sealed
    )
    return sum(len(one.point_id) for one in samples if one)


# -- a segment ---------------------------------------------------------------------------------------


def _segment_facts(path: Path) -> Facts:
    facts: Facts = {"segment": path.name, "bytes": path.stat().st_size}
    try:
        with SegmentFile(path) as segment:
            return facts | _of_segment(segment, path.stat().st_size)
    except SegmentCorrupt as error:
        return facts | {"problem": str(error).removeprefix(f"{path}: ")}


def _of_segment(segment: SegmentFile, size: int) -> Facts:
    index, batches = segment.index, segment.batches()
    kinds = Counter(values_name(kind) for kind in index["value_kind"].tolist())
    facts: Facts = {
        "format_version": segment.format_version,
        "generation": segment.generation,
        "points": segment.run_count,
        "samples": segment.sample_count,
        "superseded": len(segment.superseded()["point_id"]),
        "bytes_per_sample": round(size / max(1, segment.sample_count), 3),
        "runs_on_a_grid": int((index["step_us"] > 0).sum()),
        "value_codecs": dict(sorted(kinds.items())),
        "batches": len(batches.sequence),
        "sources": sorted({name.partition("\n")[0] for name in batches.source_names}),
        "data_sets": [
            {"name": name, "elements": count, "bytes": stored} for name, count, stored in segment.data_sets()
        ],
        "first_points": [
            {"id": int(point_id), "name": name, "unit": unit, "samples": int(count)}
            for point_id, name, unit, count in zip(
                index["point_id"][:LISTED_MAX],
                segment.names,
                segment.units,
                index["sample_count"],
                strict=False,
            )
        ],
    }
    if segment.run_count:
        facts["first_time"] = timestamp.format_time(int(index["first_time_us"].min()))
        facts["last_time"] = timestamp.format_time(int(index["last_time_us"].max()))
    if len(batches.sequence):
        facts["first_sequence"] = int(batches.sequence[0])
        facts["last_sequence"] = int(batches.sequence[-1])
    return facts


# -- for people --------------------------------------------------------------------------------------


def _lines(facts: Facts, indent: str = "") -> Iterator[str]:
    """Facts as indented text: one line a number or text, one line an object of a list."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        said = name if "/" in name else name.replace("_", " ")
        label = f"{indent}{said:{width}}"
        if isinstance(value, dict):
            yield label.rstrip()
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{label}  {len(value)}"
            yield from (f"{indent}  {_row_text(one)}" for one in value)
        elif isinstance(value, list):
            yield f"{label}  {', '.join(map(str, value)) or '–'}"
        else:
            yield f"{label}  {_text(value)}"


def _row_text(facts: Facts) -> str:
    first, *rest = facts.items()
    told = (f"{name.replace('_', ' ')} {_text(value)}" for name, value in rest)
    return f"{first[1]}  {', '.join(told)}"


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "–"
        case dict():
            return ", ".join(f"{count} {name}" for name, count in value.items()) or "–"
        case list():
            return ", ".join(_text(one) for one in value) or "–"
    return str(value)


def _files(folder: Path, suffix: str) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix == suffix] if folder.is_dir() else []
