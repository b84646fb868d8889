"""What the benchmarks send is what they say, and their client reads what servers answer."""

import asyncio
import io
import json
import socket
import threading

import numpy as np
import pytest

from bench import bodies, catalogue, energy, energy_days, workload
from bench.client import Client, request_bytes
from bench.energy_days import Sizes


def test_a_workload_is_the_same_each_time() -> None:
    first, again = workload.make_fleet(20, 3), workload.make_fleet(20, 3)
    np.testing.assert_array_equal(first.power_kw, again.power_kw)
    assert first.power_kw.shape == (288, 20)


def test_a_kept_workload_is_the_one_that_was_made(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    made = workload.make_substation(1, 4)
    monkeypatch.setenv(workload.CACHE_VARIABLE, str(tmp_path))
    for _ in range(2):
        np.testing.assert_array_equal(workload.make_substation(1, 4).value, made.value)


def test_lines_name_every_present_value_in_scan_order() -> None:
    fleet = workload.make_fleet(30, 1)
    sent = list(bodies.line_protocol_bodies(fleet, 100))
    assert [body.count(b"\n") for body in sent[:-1]] == [100] * (len(sent) - 1)
    expected = [
        f"fleet,meter=m{meter:05d} kw={fleet.power_kw[slot, meter].item()!r} {fleet.time_us[slot]}"
        for slot, meter in zip(*np.nonzero(np.isfinite(fleet.power_kw)), strict=True)
    ]
    assert b"".join(sent).decode().splitlines() == expected


def test_json_columns_hold_the_days_of_each_meter() -> None:
    fleet = workload.make_fleet(5, 2)
    series = [entry for body in bodies.json_bodies(fleet, 200) for entry in json.loads(body)["series"]]
    assert [entry["point"] for entry in series] == 2 * [workload.meter_name(i) for i in range(5)]
    present = np.isfinite(fleet.power_kw[96:, 3])
    assert series[8]["times"] == (fleet.time_us[96:][present] // 1000).tolist()
    assert series[8]["values"] == fleet.power_kw[96:, 3][present].tolist()


def test_columns_of_a_scan_hold_every_present_value() -> None:
    fleet = workload.make_fleet(30, 1)
    parts = list(bodies.scan_columns(fleet, 700))
    assert {len(part[0]) for part in parts[:-1]} == {700}
    slot, meter = np.nonzero(np.isfinite(fleet.power_kw))
    np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), meter + 1)
    np.testing.assert_array_equal(np.concatenate([part[2] for part in parts]), fleet.power_kw[slot, meter])


def test_a_block_of_the_fleet_holds_every_present_value() -> None:
    fleet = workload.make_fleet(5, 2)
    block = energy_days.block_of_fleet(fleet)
    present = np.isfinite(fleet.power_kw)
    assert np.diff(block.offset).tolist() == present.sum(axis=0).tolist()
    for meter, run in enumerate(block.runs()):
        np.testing.assert_array_equal(run.value, fleet.power_kw[present[:, meter], meter])
        np.testing.assert_array_equal(run.time_us, fleet.time_us[present[:, meter]])
    rising = energy_days.block_of_fleet(fleet, is_register=True).run(3).value
    assert bool((np.diff(rising) >= 0).all())


def test_figures_in_bulk_are_all_made_by_kernels_and_one_late_sample_costs_one_day() -> None:
    made = asyncio.run(energy.measure_bulk(Sizes(points=20, days=3, large=40, rounds=1)))
    assert {one["done_by_kernels"] for one in made["kernels"].values()} == {1.0}
    assert made["kernels"]["day_of_a_million"]["points"] == 40
    assert set(made["targets"]) == set(energy_days.TARGETS_MS)
    assert [made[name]["days_made_anew"] for name in ("late_sample", "late_sample_of_registers")] == [1, 1]


def test_a_small_catalogue_is_made_searched_and_paged() -> None:
    made = catalogue.measured(catalogue.Sizes(points=800, entities=20))
    assert (made["entities"]["rows"], made["entities"]["rejected"]) == (80, 0)
    assert made["points"]["search_station_ms"]["longest"] > 0


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 200, b"hello"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n" + b"x" * 3_000_000, 200, b"x" * 3_000_000),
    ],
    ids=["length", "none", "chunks", "longer than the buffer"],
)  # fmt: skip
def test_the_client_reads_an_answer_to_its_end(answer: bytes, status: int, body: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer_twice, args=(listener, answer))
        thread.start()
        client = Client("127.0.0.1", listener.getsockname()[1])
        for _ in range(2):
            got = client.exchange(request_bytes("GET", "/", "here"))
            assert (got.status, bytes(got.body)) == (status, body)
        client.close()
        thread.join()


def _answer_twice(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        for _ in range(2):
            request = io.BytesIO()
            while not request.getvalue().endswith(b"\r\n\r\n"):
                request.write(connection.recv(7))
            for at in range(0, len(answer), 60_000):
                connection.sendall(answer[at : at + 60_000])
