"""ClickHouse in process, by the package chdb: Native blocks in, SQL out; decimals with their best codecs."""

import importlib.util
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench import bodies, measure, workload
from bench.peers import apart

SAMPLES_A_BLOCK: Final = (10_000, 100_000)
_TABLE: Final = """CREATE TABLE fleet (
  point UInt32 CODEC(DoubleDelta, ZSTD(1)), time DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
  kw Decimal(9, 3) CODEC(T64, ZSTD(1))
) ENGINE = MergeTree ORDER BY (point, time)"""


def why_missing() -> str | None:
    """None where the package is installed."""
    return None if importlib.util.find_spec("chdb") else "the Python package chdb is not installed"


def run(folder: Path, meters: int, days: int, repeats: int) -> dict[str, Any]:
    """Figures of ingest, size and queries, made in a process of its own."""
    return apart.run_apart(_figures, folder, meters, days, repeats)


def _figures(folder: Path, meters: int, days: int, repeats: int) -> dict[str, Any]:
    from chdb import session

    fleet = workload.make_fleet(meters, days)
    store = session.Session(str(folder / "store"))
    figures: dict[str, Any] = {"version": _text(store.query("SELECT version()", "CSV"))}
    for samples in SAMPLES_A_BLOCK:
        store.query("DROP TABLE IF EXISTS fleet SYNC")
        store.query(_TABLE)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            paths = _native_files(Path(place), fleet, samples)
            figures[f"native_{samples // 1000}k"] = measure.ingest_figures(
                apart.cpu_s, lambda paths=paths: _insert(store, paths), fleet.present_count
            )
    store.query("OPTIMIZE TABLE fleet FINAL")
    size = _text(
        store.query("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'fleet'", "CSV")
    )
    figures["bytes_per_point"] = round(int(size) / fleet.present_count, 3)
    if repeats:
        figures["queries"] = _queries(store, days, repeats)
    store.close()
    return figures


def _insert(store: Any, paths: list[Path]) -> None:
    for path in paths:
        store.query(f"INSERT INTO fleet SELECT * FROM file('{path}', 'Native')")


def _native_files(folder: Path, fleet: workload.Fleet, samples: int) -> list[Path]:
    paths = []
    for number, (point, time_us, value) in enumerate(bodies.scan_columns(fleet, samples)):
        path = folder / f"{number}.native"
        scaled = np.rint(value * 1000).astype(np.int32)
        columns = {
            ("point", "UInt32"): point.astype(np.uint32),
            ("time", "DateTime('UTC')"): (time_us // 1_000_000).astype(np.uint32),
            ("kw", "Decimal(9, 3)"): scaled,
        }
        path.write_bytes(_native_block(columns))
        paths.append(path)
    return paths


def _native_block(columns: dict[tuple[str, str], npt.NDArray[Any]]) -> bytes:
    """One block: counts of columns and rows, then name, type and raw values of each column."""
    row_count = len(next(iter(columns.values())))
    parts = [_varint(len(columns)), _varint(row_count)]
    for (name, kind), values in columns.items():
        parts += [_string(name), _string(kind), values.tobytes()]
    return b"".join(parts)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _string(text: str) -> bytes:
    return _varint(len(text)) + text.encode()


def _queries(store: Any, days: int, repeats: int) -> dict[str, dict[str, float]]:
    day = f"time >= toDateTime('2026-10-01','UTC') + {days // 2} * 86400 AND time < toDateTime('2026-10-01','UTC') + {days // 2 + 1} * 86400"
    asked = {
        "Q1": f"SELECT time, kw FROM fleet WHERE point = 43 AND {day}",
        "Q2": "SELECT time, kw FROM fleet WHERE point = 43",
        "Q3": f"SELECT time, sum(kw) FROM fleet WHERE point <= 1000 AND {day} GROUP BY time ORDER BY time",
        "Q4": "SELECT point, toDate(time) AS day, sum(kw) / 4 FROM fleet WHERE point > 1000 GROUP BY point, day",
        "Q5": "SELECT point, max(time), argMax(kw, time) FROM fleet WHERE point > 1000 GROUP BY point",
        "Q6": "SELECT point, max(kw), argMax(time, kw) FROM fleet WHERE point > 1000 GROUP BY point",
    }  # fmt: skip
    return {
        name: measure.timings_ms(
            lambda sql=sql: store.query(sql, "RowBinary").bytes(),  # type: ignore[misc]
            measure.repeats_of(name, repeats),
        )
        for name, sql in asked.items()
    }


def _text(result: Any) -> str:
    return str(result).strip().strip('"')
