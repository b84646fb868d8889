"""DuckDB in process: Arrow columns in, SQL out."""

import importlib.util
from pathlib import Path
from typing import Any, Final

from bench import bodies, measure, workload
from bench.peers import apart

SAMPLES_A_BATCH: Final = 100_000


def why_missing() -> str | None:
    """None where the packages are installed."""
    for package in ("duckdb", "pyarrow"):
        if not importlib.util.find_spec(package):
            return f"the Python package {package} is not installed"
    return None


def run(folder: Path, meters: int, days: int, repeats: int) -> dict[str, Any]:
    """Figures of ingest, size and queries, made in a process of its own."""
    return apart.run_apart(_figures, folder, meters, days, repeats)


def _figures(folder: Path, meters: int, days: int, repeats: int) -> dict[str, Any]:
    import duckdb
    import pyarrow as pa

    fleet = workload.make_fleet(meters, days)
    store = duckdb.connect(str(folder / "store.duckdb"))
    store.execute("CREATE TABLE fleet (point UINTEGER, time TIMESTAMP, kw DOUBLE)")
    batches = [
        pa.table({"point": point, "time": pa.array(time_us, pa.timestamp("us")), "kw": value})
        for point, time_us, value in bodies.scan_columns(fleet, SAMPLES_A_BATCH)
    ]
    ingest = measure.ingest_figures(apart.cpu_s, lambda: _insert(store, batches), fleet.present_count)
    store.execute("CREATE TABLE sorted AS SELECT * FROM fleet ORDER BY point, time")
    store.execute("DROP TABLE fleet")
    store.execute("CHECKPOINT")
    used = store.execute("SELECT used_blocks * block_size FROM pragma_database_size()").fetchone()
    figures: dict[str, Any] = {
        "version": duckdb.__version__,
        "arrow_100k": ingest,
        "bytes_per_point": round(used[0] / fleet.present_count, 3) if used else None,
    }
    if repeats:
        figures["queries"] = _queries(store, days, repeats)
    store.close()
    return figures


def _insert(store: Any, batches: list[Any]) -> None:
    for batch in batches:
        store.register("batch", batch)
        store.execute("INSERT INTO fleet SELECT * FROM batch")


def _queries(store: Any, days: int, repeats: int) -> dict[str, dict[str, float]]:
    first = f"TIMESTAMP '2026-10-01' + INTERVAL {days // 2} DAY"
    day = f"time >= {first} AND time < {first} + INTERVAL 1 DAY"
    asked = {
        "Q1": f"SELECT time, kw FROM sorted WHERE point = 43 AND {day}",
        "Q2": "SELECT time, kw FROM sorted WHERE point = 43",
        "Q3": f"SELECT time, sum(kw) FROM sorted WHERE point <= 1000 AND {day} GROUP BY time ORDER BY time",
        "Q4": "SELECT point, time::DATE AS day, sum(kw) / 4 FROM sorted WHERE point > 1000 GROUP BY point, day",
        "Q5": "SELECT point, max(time), arg_max(kw, time) FROM sorted WHERE point > 1000 GROUP BY point",
        "Q6": "SELECT point, max(kw), arg_max(time, kw) FROM sorted WHERE point > 1000 GROUP BY point",
    }  # fmt: skip
    return {
        name: measure.timings_ms(
            lambda sql=sql: store.execute(sql).fetchnumpy(),  # type: ignore[misc]
            measure.repeats_of(name, repeats),
        )
        for name, sql in asked.items()
    }
