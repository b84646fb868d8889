"""SQLite as the baseline that every machine has: one table keyed by point and time, a commit a request."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.workload import Fleet


class SqliteStore:
    """Samples in a WITHOUT ROWID table, every batch synced before it counts."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path)
        self.connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE sample (point INTEGER, time INTEGER, value REAL, PRIMARY KEY (point, time)) WITHOUT ROWID"
        )

    def ingest(self, fleet: Fleet, samples_a_request: int) -> dict[str, Any]:
        """Scan order, like the historian's; gives the cost."""
        rows = _rows(fleet)
        cpu_s, start_s = time.process_time(), time.perf_counter()
        for first in range(0, len(rows), samples_a_request):
            with self.connection:
                self.connection.executemany(
                    "INSERT OR REPLACE INTO sample VALUES (?,?,?)", rows[first : first + samples_a_request]
                )
        wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_s
        return {
            "points_a_second": round(len(rows) / wall_s),
            "cpu_s_per_million_points": round(cpu_s / len(rows) * 1e6, 4),
        }


def _rows(fleet: Fleet) -> list[tuple[int, int, float]]:
    present = np.isfinite(fleet.power_kw)
    slots, meters = np.nonzero(present)
    times, values = fleet.time_us[slots].tolist(), fleet.power_kw[present].tolist()
    return list(zip(meters.tolist(), times, values, strict=True))
