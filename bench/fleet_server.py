"""Puts a fleet into a running server, by several client processes at once."""

import json
import multiprocessing
import sys
from collections.abc import Sequence
from typing import Final

from bench import measure, workload
from bench.client import Client, head_bytes

POINTS_A_CREATE: Final = 5000
CLIENT_COUNT: Final = 2


def create_points(
    server: measure.Server,
    meter_count: int,
    station_size: int = 1000,
    kind: str = "mean_power",
    interval: str = "15m",
) -> None:
    """The fleet's points; the first `station_size` of them belong to station ``block``, the rest to ``rest``."""
    connection = server.connect()
    for first in range(0, meter_count, POINTS_A_CREATE):
        drafts = [
            {
                "name": workload.meter_name(index),
                "unit": "kW",
                "kind": kind,
                "interval": interval,
                "time_zone": "UTC",
                "station": "block" if index < station_size else "rest",
            }
            for index in range(first, min(first + POINTS_A_CREATE, meter_count))
        ]
        measure.request(connection, "POST", "/api/v1/points", json.dumps(drafts).encode(), "application/json")


def send_all(server: measure.Server, path: str, kind: str, bodies: Sequence[bytes]) -> None:
    """Send the bodies by CLIENT_COUNT client processes at once; bodies that follow each other go to different ones."""
    send_to((server.host, server.port), path, kind, bodies)


def send_to(
    address: tuple[str, int], path: str, kind: str, bodies: Sequence[bytes], client_count: int = CLIENT_COUNT
) -> None:
    """As `send_all`, to whoever listens there."""
    fork = multiprocessing.get_context("fork")  # the bodies go along without a copy
    clients = [
        fork.Process(target=_client, args=(*address, path, kind, bodies[part::client_count]))
        for part in range(client_count)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
        if client.exitcode != 0:
            raise RuntimeError(f"a client failed on {path}")


def _client(host: str, port: int, path: str, kind: str, bodies: Sequence[bytes]) -> None:
    client = Client(host, port)
    for body in bodies:
        answer = client.exchange_with(head_bytes("POST", path, host, len(body), kind), body)
        if answer.status > 299:
            sys.exit(f"POST {path}: {answer.status} {bytes(answer.body[:300])!r}")
