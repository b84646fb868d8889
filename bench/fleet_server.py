"""Puts a fleet into a running server, by each of its ordinary ways in."""

import json
import multiprocessing
from collections.abc import Iterator
from typing import Final

import numpy as np

from bench import measure, workload
from bench.workload import Fleet

POINTS_A_CREATE: Final = 5000
CLIENT_COUNT: Final = 2


def create_points(server: measure.Server, meter_count: int, station_size: int = 1000) -> None:
    """The fleet's points; the first `station_size` of them belong to station ``block``, the rest to ``rest``."""
    connection = server.connect()
    for first in range(0, meter_count, POINTS_A_CREATE):
        drafts = [
            {
                "name": workload.meter_name(index),
                "unit": "kW",
                "kind": "mean_power",
                "interval": "15m",
                "label": "period_start",
                "time_zone": "UTC",
                "station": "block" if index < station_size else "rest",
            }
            for index in range(first, min(first + POINTS_A_CREATE, meter_count))
        ]
        measure.request(connection, "POST", "/api/v1/points", json.dumps(drafts).encode(), "application/json")


def line_protocol_bodies(fleet: Fleet, samples_a_request: int) -> Iterator[bytes]:
    """Scan order, ``fleet m00001=1.234 1790812800000000`` for each meter: the tag becomes fleet.m00001."""
    names = np.array(
        [f"fleet {workload.meter_name(index).partition('.')[2]}=" for index in range(fleet.power_kw.shape[1])]
    )
    lines: list[str] = []
    for time_us, power in zip(fleet.time_us.tolist(), fleet.power_kw, strict=True):
        present = np.flatnonzero(np.isfinite(power))
        lines += [
            f"{name}{value!r} {time_us}"
            for name, value in zip(names[present], power[present].tolist(), strict=True)
        ]
        while len(lines) >= samples_a_request:
            yield "\n".join(lines[:samples_a_request]).encode()
            del lines[:samples_a_request]
    if lines:
        yield "\n".join(lines).encode()


def json_bodies(fleet: Fleet, samples_a_request: int) -> Iterator[bytes]:
    """Series order: a day of one meter after the other, as many as fit a request."""
    times_ms = fleet.time_us // 1000
    for day in range(0, len(times_ms), workload.SLOTS_A_DAY):
        series: list[dict[str, object]] = []
        count = 0
        for index in range(fleet.power_kw.shape[1]):
            power = fleet.power_kw[day : day + workload.SLOTS_A_DAY, index]
            present = np.isfinite(power)
            times = times_ms[day : day + workload.SLOTS_A_DAY][present].tolist()
            series.append(
                {"point": workload.meter_name(index), "times": times, "values": power[present].tolist()}
            )
            count += len(times)
            if count >= samples_a_request:
                yield json.dumps({"series": series}, separators=(",", ":")).encode()
                series, count = [], 0
        if series:
            yield json.dumps({"series": series}, separators=(",", ":")).encode()


def send_all(server: measure.Server, path: str, kind: str, bodies: list[bytes]) -> None:
    """Send the bodies by CLIENT_COUNT client processes at once; bodies that follow each other go to different ones."""
    clients = [
        multiprocessing.Process(
            target=_client, args=(server.host, server.port, path, kind, bodies[part::CLIENT_COUNT])
        )
        for part in range(CLIENT_COUNT)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
        if client.exitcode != 0:
            raise RuntimeError(f"a client failed on {path}")


def _client(host: str, port: int, path: str, kind: str, bodies: list[bytes]) -> None:
    import http.client

    connection = http.client.HTTPConnection(host, port, timeout=120)
    for body in bodies:
        measure.request(connection, "POST", path, body, kind)
