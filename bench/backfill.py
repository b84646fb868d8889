"""Does a backfill slow down live ingest, and does it cost in proportion to its size?

    python -m bench.backfill [--meters 10000] [--days 10] [--seconds 8]

A base of some days lies in segments. One client sends scans of all meters, each request when the one before is
answered; its rate and latency are taken alone, then while another client sends a year of one point, then while
one sends a day of all points. Sealing is every 2 seconds, so that its work falls into the time that is measured.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import bodies, fleet_server, measure, workload
from bench.client import Client, head_bytes
from bench.workload import QUARTER_US, SLOTS_A_DAY

SETTINGS: Final = "[store]\nseal_interval_s = 2\n"
PATH: Final = "/api/v1/ingest"
SAMPLES_A_REQUEST: Final = 10_000
DAY_US: Final = SLOTS_A_DAY * QUARTER_US
SLOWER_SHARE_MAX: Final = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--meters", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    fleet = workload.make_fleet(options.meters, options.days)
    figures: dict[str, Any] = {
        "workload": {"meters": options.meters, "days": options.days, "seconds": options.seconds},
        "wanted": {"live_rate_share": 1 - SLOWER_SHARE_MAX},
    }
    with tempfile.TemporaryDirectory() as folder, measure.server(Path(folder) / "data", SETTINGS) as server:
        fleet_server.create_points(server, options.meters)
        base = list(bodies.arrow_bodies(fleet, 100_000))
        fleet_server.send_all(server, PATH, bodies.ARROW_KIND, base)
        _settle(server)
        fills = {"a_year_of_one_point": _year_of_one(1), "a_day_of_all": _day_of_all(options.meters)}
        alone = [_live(server, options, slot, []) for slot in (0, 1)]
        figures["live_alone"] = alone[1]  # the first warms up
        for slot, (name, sent) in enumerate(fills.items(), 2):
            live = _live(server, options, slot, sent)
            share = live["points_a_second"] / alone[1]["points_a_second"]
            figures[f"live_while_{name}"] = {**live, "live_rate_share": round(share, 3)}
        figures["cost"] = _costs(server, options.meters)
    measure.write_result("backfill", figures)


def _live(
    server: measure.Server, options: argparse.Namespace, part: int, fill: list[bytes]
) -> dict[str, Any]:
    """Rate and latency of live scans while `fill` is sent by another client."""
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    first_us = workload.START_US + (options.days + 1 + part) * DAY_US
    live = fork.Process(target=_send_live, args=(there, server, first_us, options.meters, options.seconds))
    live.start()
    before_s = server.cpu_s()
    fill_s = 0.0
    if fill:
        time.sleep(options.seconds / 8)
        began_s = time.perf_counter()
        fleet_server.send_to((server.host, server.port), PATH, bodies.ARROW_KIND, fill, client_count=1)
        fill_s = time.perf_counter() - began_s
    latencies_ms, count, wall_s = here.recv()
    live.join()
    cpu_s = server.cpu_s() - before_s
    _settle(server)
    return {
        "points_a_second": round(count / wall_s),
        "p50_ms": round(float(np.percentile(latencies_ms, 50)), 2),
        "p99_ms": round(float(np.percentile(latencies_ms, 99)), 2),
        "longest_ms": round(float(np.max(latencies_ms)), 2),
        "backfill_s": round(fill_s, 2),
        "server_cpu_share": round(cpu_s / wall_s, 2),
    }


def _send_live(connection: Any, server: measure.Server, first_us: int, meters: int, seconds: float) -> None:
    """Scan after scan; a slot is a second long, so that none falls out of the day."""
    client = Client(server.host, server.port)
    ids = np.arange(1, meters + 1, dtype=np.uint32)
    value = np.round(np.random.default_rng(first_us).gamma(2.0, 0.4, meters), 3)
    latencies_ms: list[float] = []
    start_s, slot = time.perf_counter(), 0
    while time.perf_counter() - start_s < seconds:
        body = bodies.arrow_body(ids, np.full(meters, first_us + slot * QUARTER_US), value)
        head = head_bytes("POST", PATH, server.host, len(body), bodies.ARROW_KIND)
        began_s = time.perf_counter()
        answer = client.exchange_with(head, body)
        latencies_ms.append((time.perf_counter() - began_s) * 1e3)
        if answer.status > 299:
            raise RuntimeError(f"live: {answer.status} {bytes(answer.body[:300])!r}")
        slot = (slot + 1) % SLOTS_A_DAY
        value += 0.001
    connection.send((latencies_ms, len(latencies_ms) * meters, time.perf_counter() - start_s))


def _costs(server: measure.Server, meters: int) -> dict[str, Any]:
    """Server CPU of backfills alone, all work on them included; each once more of twice the size."""
    found: dict[str, Any] = {}
    for name, sent, count in (
        ("a_year_of_one_point", _year_of_one(2), 365 * SLOTS_A_DAY),
        ("a_year_of_two_points", [*_year_of_one(3), *_year_of_one(4)], 2 * 365 * SLOTS_A_DAY),
        (
            "half_a_day_of_all",
            _day_of_all(meters, back=2)[: max(1, meters * SLOTS_A_DAY // SAMPLES_A_REQUEST // 2)],
            0,
        ),
        ("a_day_of_all", _day_of_all(meters, back=3), 0),
    ):
        count = count or min(len(sent) * SAMPLES_A_REQUEST, meters * SLOTS_A_DAY)
        _settle(server)
        before_s, start_s = server.cpu_s(), time.perf_counter()
        fleet_server.send_to((server.host, server.port), PATH, bodies.ARROW_KIND, sent, client_count=1)
        wall_s = time.perf_counter() - start_s
        _settle(server)
        cpu_s = server.cpu_s() - before_s
        found[name] = {
            "points": count,
            "sent_in_s": round(wall_s, 3),
            "cpu_s_settled": round(cpu_s, 3),
            "cpu_s_per_million_points_settled": round(cpu_s / count * 1e6, 3),
        }
    return found


def _year_of_one(point_id: int) -> list[bytes]:
    """The 365 days before the workload begins."""
    count = 365 * SLOTS_A_DAY
    time_us = workload.START_US - QUARTER_US * np.arange(count, 0, -1)
    value = np.round(np.random.default_rng(point_id).gamma(2.0, 0.4, count), 3)
    return list(_parts(np.full(count, point_id, np.uint32), time_us, value))


def _day_of_all(meters: int, back: int = 1) -> list[bytes]:
    """A day before the workload begins, one meter after the other."""
    time_us = np.tile(workload.START_US - back * DAY_US + QUARTER_US * np.arange(SLOTS_A_DAY), meters)
    ids = np.repeat(np.arange(1, meters + 1, dtype=np.uint32), SLOTS_A_DAY)
    value = np.round(np.random.default_rng(back).gamma(2.0, 0.4, len(ids)), 3)
    return list(_parts(ids, time_us, value))


def _parts(ids: Any, time_us: Any, value: Any) -> Iterator[bytes]:
    for first in range(0, len(ids), SAMPLES_A_REQUEST):
        part = slice(first, first + SAMPLES_A_REQUEST)
        yield bodies.arrow_body(ids[part], time_us[part], value[part])


def _settle(server: measure.Server) -> None:
    while measure.metric(server, "historian_store_unsealed_samples"):
        time.sleep(0.25)
    measure.wait_until_quiet(server.cpu_s)


if __name__ == "__main__":
    main()
