"""A million points and 100,000 entities: loading, searching, paging, memory; in this process, without a server.

    python -m bench.catalogue [--points 1000000] [--entities 100000]

Times are wall times; of what is repeated the median and the longest count. Making includes the disk.
"""

import argparse
import gc
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench import measure
from historian import resources
from historian.catalogue.archive import Archive, open_archive
from historian.catalogue.archive_csv import ArchiveCsv
from historian.catalogue.registry import Registry
from historian.clock import SystemClock
from historian.model.entity import EntityKey
from historian.model.point import PointDraft, PointKind

STATION_POINTS: Final = 200
PART: Final = 50_000
ROUNDS: Final = 9
PAGE: Final = 1_000
SORTS: Final = (("P", "T5.06", "kW"), ("Q", "T5.07", "kvar"), ("U", "T5.04", "V"), ("I", "T5.05", "A"))


class Sizes(NamedTuple):
    """How much of everything."""

    points: int
    entities: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--entities", type=int, default=100_000)
    options = parser.parse_args()
    measure.write_result("catalogue", measured(Sizes(options.points, options.entities)))


def measured(sizes: Sizes) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.sqlite"
        points = _points(path, sizes.points)
        entities = _entities(path, sizes.entities)
        return {
            "workload": sizes._asdict(),
            "points": points,
            "entities": entities,
            "file_mib": round(path.stat().st_size / 2**20, 1),
        }


def _points(path: Path, count: int) -> dict[str, Any]:
    registry = Registry(path, SystemClock(), "Asia/Shanghai")
    start_s = time.perf_counter()
    for first in range(0, count, PART):
        registry.create_many(_drafts(first, min(PART, count - first)))
    made_s = time.perf_counter() - start_s
    registry.close()
    del registry
    gc.collect()
    before = _memory_bytes()
    start_s = time.perf_counter()
    registry = Registry(path, SystemClock(), "Asia/Shanghai")
    load_s = time.perf_counter() - start_s
    middle = count // STATION_POINTS // 2
    figures = {
        "make_s": round(made_s, 2),
        "load_s": round(load_s, 3),
        "memory_mib": round((_memory_bytes() - before) / 2**20, 1),
        "search_station_ms": _ms(lambda: registry.list(station=f"S{middle}", limit=PAGE)),
        "search_item_ms": _ms(lambda: registry.list(item="T5.07", limit=PAGE)),
        "search_match_ms": _ms(lambda: registry.list(match=f"S{middle}.*.P", limit=PAGE)),
        "search_match_no_prefix_ms": _ms(lambda: registry.list(match="*.B7.P", limit=PAGE)),
        "page_ms": _ms(lambda: registry.list(after_id=count // 2, limit=PAGE)),
        "get_ms": _ms(lambda: registry.get(f"S{middle}.B1.P")),
    }
    registry.close()
    return figures


def _entities(path: Path, count: int) -> dict[str, Any]:
    registry = Registry(path, SystemClock(), "Asia/Shanghai")
    archive = open_archive(path, SystemClock(), resources.config_dir() / "standard")
    tables = ArchiveCsv(archive, registry, "Asia/Shanghai")
    start_s = time.perf_counter()
    report = tables.take("entities", _rows(count))
    made_s = time.perf_counter() - start_s
    archive.close()
    before = _memory_bytes()
    start_s = time.perf_counter()
    archive = open_archive(path, SystemClock(), resources.config_dir() / "standard")
    load_s = time.perf_counter() - start_s
    tables = ArchiveCsv(archive, registry, "Asia/Shanghai")
    text = io.StringIO()
    start_s = time.perf_counter()
    for row in tables.rows("entities"):
        text.write(",".join(row))
    export_s = time.perf_counter() - start_s
    figures = {
        "rows": report.rows,
        "rejected": len(report.rejects),
        "import_s": round(made_s, 2),
        "export_s": round(export_s, 2),
        "load_s": round(load_s, 3),
        "memory_mib": round((_memory_bytes() - before) / 2**20, 1),
        **_entity_times(archive, count),
    }
    archive.close()
    registry.close()
    return figures


def _entity_times(archive: Archive, count: int) -> dict[str, Any]:
    book, middle = archive.entities, EntityKey("power_account", _account(count // 2))
    return {
        "get_ms": _ms(lambda: book.known(middle)),
        "page_ms": _ms(lambda: book.page("power_account", None, count // 2, PAGE)),
        "search_match_ms": _ms(lambda: book.page("power_account", f"{middle.id[:9]}*", 0, PAGE)),
        "search_match_no_prefix_ms": _ms(lambda: book.page("power_account", "*77", 0, PAGE)),
    }


def _drafts(first: int, count: int) -> Iterator[PointDraft]:
    for number in range(first, first + count):
        station, place = divmod(number, STATION_POINTS)
        bay, sort = divmod(place, len(SORTS))
        name, item, unit = SORTS[sort]
        yield PointDraft(
            name=f"S{station}.B{bay}.{name}", unit=unit, kind=PointKind.INSTANTANEOUS, station=f"S{station}", item=item
        )  # fmt: skip


def _rows(count: int) -> Iterator[str]:
    yield "type,id,attribute,value,valid_from\n"
    for number in range(count):
        account = _account(number)
        yield f"power_account,{account},name,用户{number},\n"
        yield f"power_account,{account},use_type,agricultural,\n"
        yield f"power_account,{account},contract_capacity,{number % 5000},\n"
        yield f"power_account,{account},contract_capacity,{number % 7000},2024-07-01T00:00:00Z\n"


def _account(number: int) -> str:
    return f"330{number:010d}"


def _ms(call: Callable[[], object]) -> dict[str, float]:
    took = []
    for _ in range(ROUNDS):
        start_s = time.perf_counter()
        call()
        took.append((time.perf_counter() - start_s) * 1e3)
    return {"median": round(statistics.median(took), 3), "longest": round(max(took), 3)}


def _memory_bytes() -> int:
    resident = Path("/proc/self/statm").read_text().split()[1]
    return int(resident) * 4096


if __name__ == "__main__":
    main()
