"""Data folders written by hand from docs/format: no code of the store, so that tools are tested against the pages."""

import json
import sqlite3
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import google_crc32c
import h5py
import hdf5plugin
import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

QUARTER_US = 900_000_000
DAY_US = 96 * QUARTER_US
START_US = 1_767_196_800_000_000  # 2025-12-31T16:00:00Z, midnight in Shanghai
JANUARY_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
CODING_SAMPLES = 32768


class Run(NamedTuple):
    """One point's samples; times on no grid unless `step_us` says so."""

    point_id: int
    time_us: Sequence[int]
    value: Sequence[float]
    quality: Sequence[int] = ()
    sequence: Sequence[int] | int = 1
    decimals: int | None = 2
    step_us: int = 0


# -- segments ----------------------------------------------------------------------------------------


def coded(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Zigzag of wrapped differences, begun anew every CODING_SAMPLES."""
    unsigned = np.dtype(f"u{column.dtype.itemsize}")
    signed = np.dtype(f"i{column.dtype.itemsize}")
    out = np.empty(len(column), unsigned)
    for first in range(0, len(column), CODING_SAMPLES):
        block = column[first : first + CODING_SAMPLES].view(unsigned)
        difference = np.diff(block, prepend=unsigned.type(0)).view(signed)
        sign = (difference >> (8 * column.dtype.itemsize - 1)).view(unsigned)
        out[first : first + len(block)] = (difference.view(unsigned) << unsigned.type(1)) ^ sign
    return out


class _Writer:
    def __init__(self, file: h5py.File, version: int) -> None:
        self.file, self.version = file, version

    def put(self, name: str, column: npt.NDArray[Any]) -> h5py.Dataset:
        is_coded = self.version > 1 and column.dtype.kind in "iu"
        options: dict[str, Any] = {}
        if len(column):
            options = {
                "chunks": (min(len(column), CODING_SAMPLES),),
                "shuffle": True,
                **hdf5plugin.Zstd(clevel=1),
            }
        data_set = self.file.create_dataset(name, data=coded(column) if is_coded else column, **options)
        if is_coded:
            data_set.attrs["dtype"] = np.bytes_(column.dtype.str)
        return data_set


def write_segment(
    folder: Path,
    month: str,
    generation: int,
    runs: Sequence[Run],
    *,
    version: int = 2,
    superseded: Sequence[tuple[int, int, float, int, int]] = (),
    scan: Sequence[tuple[int, int, int]] = (),
) -> dict[str, Any]:
    """One segment; what the manifest is to say of it. With a `scan` table every run's sequences are in it."""
    path = folder / "segments" / f"{month}-{generation:010d}.h5"
    path.parent.mkdir(parents=True, exist_ok=True)
    index: dict[str, list[Any]] = {name: [] for name, _ in index_types(version)}
    columns: dict[str, list[npt.NDArray[Any]]] = {}
    for run in runs:
        _add_run(index, columns, run, version, bool(scan))
    with h5py.File(path, "w", libver="v110") as file:
        writer = _Writer(file, version)
        file.attrs["format"] = "historian-segment" if version == 1 else np.bytes_(b"historian-segment")
        file.attrs["format_version"] = version
        file.attrs["generation"] = generation
        crc = 0
        for name, dtype in index_types(version):
            column = np.array(index[name], dtype)
            crc = google_crc32c.extend(crc, column.tobytes())
            writer.put(f"index/{name}", column)
        file.attrs["index_crc32c"] = crc
        for name, pick in (("name", "p{}"), ("unit", "kW")):
            texts = [pick.format(run.point_id).encode() for run in runs]
            file.create_dataset(f"index/{name}", data=np.array(texts, h5py.string_dtype("utf-8", 8)))
        for name, parts in columns.items():
            data_set = writer.put(name, np.concatenate(parts))
            if name.startswith("values/"):
                decimals = name.partition("_e")[2]
                data_set.attrs["scale_divisor"] = 10 ** int(decimals or 0)
        for name, dtype in (
            ("time_us", "<i8"),
            ("missing_slot", "<u4"),
            ("quality", "<u2"),
            ("sequence", "<i8"),
        ):
            if name not in columns:
                writer.put(name, np.empty(0, dtype))
        _write_tables(writer, runs, superseded, scan)
    return _listed(path, month, generation, runs, superseded, scan)


def index_types(version: int) -> list[tuple[str, str]]:
    """Columns of the index, in order."""
    extreme = "<f8" if version == 1 else "<i8"
    return [
        ("point_id", "<u4"), ("sample_count", "<u4"), ("first_time_us", "<i8"), ("last_time_us", "<i8"),
        ("step_us", "<i8"), ("missing_count", "<u4"), ("time_offset", "<i8"), ("value_kind", "<u1"),
        ("value_offset", "<i8"), ("value_min", extreme), ("value_max", extreme), ("quality_offset", "<i8"),
        ("quality", "<u2"), ("sequence_offset", "<i8"), ("sequence", "<i8"),
    ]  # fmt: skip


def _add_run(
    index: dict[str, list[Any]],
    columns: dict[str, list[npt.NDArray[Any]]],
    run: Run,
    version: int,
    is_scan: bool,
) -> None:
    times, values = np.array(run.time_us, np.int64), np.array(run.value, np.float64)
    quality = np.array(run.quality or [0] * len(times), np.uint16)
    sequence = np.broadcast_to(np.array(run.sequence, np.int64), len(times))

    def take(name: str, column: npt.NDArray[Any]) -> int:
        parts = columns.setdefault(name, [])
        offset = sum(map(len, parts))
        parts.append(column)
        return offset

    missing = 0
    if run.step_us:
        slots = (times - times[0]) // run.step_us
        gaps = np.setdiff1d(np.arange(slots[-1] + 1), slots).astype(np.uint32)
        missing, time_offset = len(gaps), take("missing_slot", gaps)
    else:
        time_offset = take("time_us", times)
    if run.decimals is None:
        kind, name, stored = 255, "values/f64", values
    else:
        kind, name = run.decimals, f"values/i32_e{run.decimals}"
        stored = np.rint(values * 10**run.decimals).astype(np.int32)
    lowest, highest = stored.min(), stored.max()
    if version == 1:
        extremes: list[Any] = [values.min(), values.max()]
    elif kind == 255:
        extremes = [lowest.view(np.int64), highest.view(np.int64)]
    else:
        extremes = [lowest, highest]
    row = {
        "point_id": run.point_id, "sample_count": len(times), "first_time_us": times[0], "last_time_us": times[-1],
        "step_us": run.step_us, "missing_count": missing, "time_offset": time_offset, "value_kind": kind,
        "value_offset": take(name, stored), "value_min": extremes[0], "value_max": extremes[1],
        "quality": quality[0], "sequence": sequence[0],
        "quality_offset": -1 if (quality == quality[0]).all() else take("quality", quality),
        "sequence_offset": -2 if is_scan else -1 if (sequence == sequence[0]).all() else take("sequence", sequence.copy()),
    }  # fmt: skip
    for name, value in row.items():
        index[name].append(value)


def _write_tables(
    writer: _Writer,
    runs: Sequence[Run],
    superseded: Sequence[tuple[int, int, float, int, int]],
    scan: Sequence[tuple[int, int, int]],
) -> None:
    old = list(zip(*superseded, strict=True)) or [()] * 5
    for name, dtype, column in zip(
        ("point_id", "time_us", "value", "quality", "sequence"),
        ("<u4", "<i8", "<f8", "<u2", "<i8"),
        old,
        strict=True,
    ):
        writer.put(f"superseded/{name}", np.array(column, dtype))
    sequences = sequences_of(runs, scan) | {row[4] for row in superseded}
    known = np.array(sorted(sequences), np.int64)
    writer.put("batches/sequence", known)
    writer.put("batches/arrival_time_us", START_US + known)
    writer.put("batches/source", np.zeros(len(known), np.uint32))
    writer.file.create_dataset(
        "batches/source_names", data=np.array([b"test"], h5py.string_dtype("utf-8", 8))
    )
    if writer.version > 1:
        table = list(zip(*scan, strict=True)) or [()] * 3
        for name, dtype, column in zip(
            ("time_us", "first_run", "sequence"), ("<i8", "<u4", "<i8"), table, strict=True
        ):
            writer.put(f"scan/{name}", np.array(column, dtype))


def sequences_of(runs: Sequence[Run], scan: Sequence[tuple[int, int, int]]) -> set[int]:
    """Every sequence of a newest version."""
    if scan:
        return {row[2] for row in scan}
    return {int(one) for run in runs for one in np.atleast_1d(run.sequence)}


def _listed(
    path: Path,
    month: str,
    generation: int,
    runs: Sequence[Run],
    superseded: Sequence[Any],
    scan: Sequence[tuple[int, int, int]],
) -> dict[str, Any]:
    sequences, content = sequences_of(runs, scan), path.read_bytes()
    return {
        "name": path.name,
        "month": month,
        "generation": generation,
        "sequence_min": min(sequences),
        "sequence_max": max(sequences),
        "time_min_us": min(run.time_us[0] for run in runs),
        "time_max_us": max(run.time_us[-1] for run in runs),
        "run_count": len(runs),
        "sample_count": sum(len(run.time_us) for run in runs),
        "superseded_count": len(superseded),
        "size_bytes": len(content),
        "crc32c": google_crc32c.value(content),
    }


# -- manifest and log --------------------------------------------------------------------------------


def write_manifest(folder: Path, segments: Sequence[Mapping[str, Any]], sealed: int, **other: Any) -> None:
    """The manifest, with its checksum."""
    content = {
        "format_version": 1,
        "sealed_sequence": sealed,
        "next_generation": 1 + max((one["generation"] for one in segments), default=0),
        "segments": list(segments),
        "retired": [],
    } | other
    body = json.dumps(content).encode()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest").write_bytes(body + b"\n%08x\n" % google_crc32c.value(body))


def log_header(first_sequence: int, version: int = 2) -> bytes:
    """The head of a log file."""
    head = struct.pack("<8sIIQqI", b"HISTWAL\x01", version, 40, first_sequence, START_US, 0)
    return head + struct.pack("<I", google_crc32c.value(head))


def log_record(kind: int, sequence: int, payload: bytes = b"") -> bytes:
    """One record with its checksum."""
    assert len(payload) % 8 == 0
    head = struct.pack("<4sIQqB7x", b"\xf5hR\x01", len(payload), sequence, START_US + sequence, kind)
    whole = head + bytes(8) + payload
    return head + struct.pack("<II", google_crc32c.value(whole), 0) + payload


def log_samples(
    sequence: int, point_id: Sequence[int], time_us: Sequence[int], value: Sequence[float], quality: int = 0
) -> bytes:
    """A record of samples: a time each, one quality."""
    count, origin = len(point_id), b"hand"
    parts = [
        struct.pack("<IHBBq", count, len(origin), 0, 1, sequence) + origin,
        np.array(value, "<f8").tobytes(),
        np.array(time_us, "<i8").tobytes(),
        np.array(point_id, "<u4").tobytes(),
        struct.pack("<H", quality),
    ]
    return log_record(3, sequence, b"".join(part + bytes(-len(part) % 8) for part in parts))


def write_log(
    folder: Path, first_sequence: int, *records: bytes, is_ended: bool = True, spare: int = 256
) -> Path:
    """A log file of these records."""
    path = folder / "wal" / f"{first_sequence:016d}.wal"
    path.parent.mkdir(parents=True, exist_ok=True)
    end = log_record(2, first_sequence + len(records) - 1) if is_ended else b""
    path.write_bytes(log_header(first_sequence) + b"".join(records) + end + bytes(spare))
    return path


# -- databases ---------------------------------------------------------------------------------------


def write_catalogue(folder: Path, points: Mapping[int, tuple[str, str]]) -> None:
    """Points by id: kind and unit; quarter-hourly, Shanghai."""
    with sqlite3.connect(folder / "catalogue.sqlite") as connection:
        connection.execute(
            "CREATE TABLE definition (id INTEGER PRIMARY KEY, unit, kind, interval_us, time_zone, multiplier)"
        )
        connection.execute("CREATE TABLE point (id INTEGER PRIMARY KEY, name, definition_id)")
        for point_id, (kind, unit) in points.items():
            row = (point_id, unit, kind, QUARTER_US, "Asia/Shanghai", 1.0)
            connection.execute("INSERT INTO definition VALUES (?, ?, ?, ?, ?, ?)", row)
            connection.execute("INSERT INTO point VALUES (?, ?, ?)", (point_id, f"p{point_id}", point_id))
    connection.close()


class Figure(NamedTuple):
    """A kept day, as packed; the definition is number `point_id`."""

    point_id: int
    day: int
    total: tuple[int, int]
    known_us: int
    max_value: float
    max_slot: int
    min_value: float
    min_slot: int
    count: int
    is_complete: bool
    computed_at_us: int = START_US
    revision: int = 1


def pack_figures(figures: Sequence[Figure]) -> bytes:
    """Columns of figures, every sample of them good and measured."""
    rows = [
        (
            one.point_id, one.day, one.point_id, one.total[0], one.total[0], one.total[1], one.known_us, one.known_us,
            one.max_value, one.min_value, one.max_slot, one.min_slot, one.count, one.count, one.count, 0, 0,
            one.is_complete, one.revision, one.computed_at_us,
        )
        for one in figures
    ]  # fmt: skip
    types = ("u4", "i4", "i4", *["i8"] * 5, "f8", "f8", "u1", "u1", *["u4"] * 5, "u1", "u4", "i8")
    head = msgspec.msgpack.encode([1, len(figures), [], {}])
    columns = [
        np.array(column, f"<{dtype}").tobytes()
        for dtype, column in zip(types, zip(*rows, strict=True), strict=True)
    ]
    body = b"".join((len(head).to_bytes(4, "little"), head, *columns))
    return zstandard.ZstdCompressor(write_checksum=True).compress(body)


def write_rollup(
    folder: Path,
    points: Mapping[int, tuple[str, str]],
    blocks: Sequence[Figure],
    log: Sequence[Figure] = (),
    dirty: Sequence[tuple[int, int]] = (),
) -> None:
    """A file of figures; all of `blocks` in one block."""
    with sqlite3.connect(folder / "rollup.sqlite") as connection:
        connection.executescript("""
            CREATE TABLE figure_block (point_group INTEGER, day_window INTEGER, figures BLOB, presence BLOB);
            CREATE TABLE figure_log (number INTEGER PRIMARY KEY, figures BLOB);
            CREATE TABLE figure_definition (code INTEGER PRIMARY KEY, time_zone, unit, kind, interval_us, multiplier);
            CREATE TABLE dirty_log (number INTEGER PRIMARY KEY, is_cleaned INTEGER, keys BLOB);
        """)
        for point_id, (kind, unit) in points.items():
            row = (point_id, "Asia/Shanghai", unit, kind, QUARTER_US, 1.0)
            connection.execute("INSERT INTO figure_definition VALUES (?, ?, ?, ?, ?, ?)", row)
        if blocks:
            row = (0, blocks[0].day >> 5, pack_figures(blocks), b"")
            connection.execute("INSERT INTO figure_block VALUES (?, ?, ?, ?)", row)
        if log:
            connection.execute("INSERT INTO figure_log (figures) VALUES (?)", (pack_figures(log),))
        if dirty:
            keys = np.array(sorted(point_id << 22 | day for point_id, day in dirty), np.int64)
            packed = zstandard.ZstdCompressor().compress(np.diff(keys, prepend=0).tobytes())
            connection.execute("INSERT INTO dirty_log (is_cleaned, keys) VALUES (0, ?)", (packed,))
    connection.close()


# -- a whole folder ----------------------------------------------------------------------------------

DAY = 739_617  # 2026-01-01, as an ordinal
POINTS = {1: ("interval", "kWh"), 2: ("instantaneous", "kW")}


def write_folder(folder: Path) -> Path:
    """Two points, a local day of quarter hours each, in two months of segments; a third batch is in the log."""
    times = [START_US + place * QUARTER_US for place in range(97)]
    values = [1.5] * 97
    values[40] = 4.25
    segments = []
    for generation, (month, rows) in enumerate((("2025-12", slice(0, 32)), ("2026-01", slice(32, 97))), 1):
        runs = [
            Run(point_id, times[rows], values[rows], sequence=generation, step_us=QUARTER_US)
            for point_id in POINTS
        ]
        segments.append(write_segment(folder, month, generation, runs))
    write_manifest(folder, segments, sealed=2)
    write_log(folder, 3, log_samples(3, [1, 2], [times[96] + DAY_US] * 2, [9.0, 9.5]))
    write_catalogue(folder, POINTS)
    energy = Figure(1, DAY, (14675, 100), DAY_US, 17.0, 40, 6.0, 0, 96, is_complete=True)
    power = Figure(2, DAY, (14675, 400), DAY_US, 4.25, 40, 1.5, 0, 96, is_complete=True)
    write_rollup(folder, POINTS, [energy, power])
    return folder
