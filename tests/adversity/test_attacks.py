"""A running historian under requests meant to hurt: each is answered in time with a problem, and costs nobody else."""

import asyncio
import gzip
import io
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import zstandard

from tests.support.server_process import ServerProcess

ANSWER_WITHIN_S = 15.0  # far above what is seen, far below "not at all"
GROWTH_BYTES_MAX = 400 << 20
INGEST = "/api/v1/ingest"
LINES = "/api/v2/write"
JSON = {"Content-Type": "application/json"}

SETTINGS = """
[server]
body_bytes_max = 8388608
body_deadline_s = 3
connections_per_address_max = 40

[ingest]
auto_create_points_max = 20000
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("attacked")
    config = folder / "historian.toml"
    config.write_text("substations = []\n" + SETTINGS)
    server = ServerProcess.start(folder / "data", config)
    asyncio.run(_prepare(server))
    yield server
    assert "request_failed" not in server.log, "a fault of ours hid behind an answer"
    assert server.stop() == 0


async def _prepare(server: ServerProcess) -> None:
    async with aiohttp.ClientSession() as client:
        await server.wait_ready(client)
        body = {"unit": "kW", "kind": "instantaneous", "interval": "15m"}
        async with client.put(f"{server.base}/api/v1/points/p", json=body) as answer:
            assert answer.status == 201
        times = [1_795_190_400_000 + 900_000 * i for i in range(96)]
        series = {"series": [{"point": "p", "times": times, "values": list(range(96))}]}
        async with client.post(server.base + INGEST, json=series) as answer:
            assert (await answer.json())["accepted"] == 96


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=True) as client:
        yield client


@asynccontextmanager
async def others_unaffected(server: ServerProcess) -> AsyncIterator[None]:
    """While the block runs, somebody else asks for load curves, one after another, and gets each."""
    seen: list[int] = []
    is_over = asyncio.Event()

    async def ask() -> None:
        url = f"{server.base}/api/v1/points/p/load-curve?date=2026-11-21"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)) as client:
            while not (is_over.is_set() and len(seen) > 3):
                async with client.get(url) as answer:
                    seen.append(answer.status)
                    await answer.read()

    before_bytes = _resident_bytes(server)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask())
        try:
            yield
        finally:
            is_over.set()
    assert set(seen) == {200}
    assert _resident_bytes(server) - before_bytes < GROWTH_BYTES_MAX


async def expect(answer: aiohttp.ClientResponse, *statuses: int) -> dict[str, Any]:
    """A problem of one of these statuses."""
    text = await answer.text()
    assert answer.status in statuses, f"{answer.status} {text[:500]}"
    assert answer.content_type == "application/problem+json"
    assert len(text) < 10_000, "a problem repeats little of what it refuses"
    problem: dict[str, Any] = json.loads(text)
    return problem


BODIES = {
    "arrays nested a million deep": (b'{"series":' + b"[" * 1_000_000, (400, 422)),
    "objects nested a million deep": (b'{"series":' * 100_000 + b"1" + b"}" * 100_000, (400, 422)),
    "a number of a million digits": (
        b'{"series":[{"point":"p","times":[' + b"9" * 1_000_000 + b'],"values":[1]}]}', (400, 422),
    ),
    "a name of megabytes": (
        b'{"series":[{"point":"' + b"x" * 4_000_000 + b'","times":[0],"values":[1]}]}', (200, 400, 422),
    ),
    "a text of escapes": (b'{"series":[{"point":"' + b"\\u0000" * 500_000 + b'"}]}', (400, 422)),
    "bytes that are no text": (b"\xff\xfe" * 100_000, (400, 422)),
    "nothing": (b"", (400, 422)),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_is_not_what_it_should_be(
    server: ServerProcess, client: aiohttp.ClientSession, name: str
) -> None:
    body, statuses = BODIES[name]
    posted = client.post(server.base + INGEST, data=io.BytesIO(body), headers=JSON)
    async with others_unaffected(server), posted as answer:
        if answer.status == 200:
            assert (await answer.json())["accepted"] == 0
        else:
            await expect(answer, *statuses)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + "0" * 400])
async def test_a_value_that_is_no_finite_number_is_never_stored(
    server: ServerProcess, client: aiohttp.ClientSession, value: str
) -> None:
    body = f'{{"series":[{{"point":"p","times":[0],"values":[{value}]}}]}}'.encode()
    async with client.post(server.base + INGEST, data=io.BytesIO(body), headers=JSON) as answer:
        if answer.status == 200:
            assert (await answer.json())["rejected"] == 1
        else:
            await expect(answer, 400, 422)
    async with client.post(server.base + LINES, data=f"p value={value} 0") as answer:
        await expect(answer, 400)


def _bomb(size_bytes: int, encoding: str) -> bytes:
    if encoding == "zstd":
        return zstandard.ZstdCompressor().compress(bytes(size_bytes))
    packed = (
        gzip.compress(bytes(size_bytes), 9) if encoding == "gzip" else zlib.compress(bytes(size_bytes), 9)
    )
    return packed


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
async def test_a_bomb_is_refused_before_it_is_unpacked(
    server: ServerProcess, client: aiohttp.ClientSession, encoding: str
) -> None:
    bomb = _bomb(1 << 28, encoding)
    async with others_unaffected(server):
        for _ in range(4):
            headers = JSON | {"Content-Encoding": encoding}
            async with client.post(server.base + INGEST, data=io.BytesIO(bomb), headers=headers) as answer:
                await expect(answer, 413)


async def test_a_million_tiny_points(server: ServerProcess, client: aiohttp.ClientSession) -> None:
    """Lines of a million new series: points are made up to the bound, all others are told."""
    async with others_unaffected(server):
        for first in range(0, 1_000_000, 250_000):
            lines = "\n".join(f"m{i} v=1 1795190400000000000" for i in range(first, first + 250_000))
            async with client.post(server.base + LINES, data=io.BytesIO(lines.encode())) as answer:
                problem = await expect(answer, 400)
    assert problem["rejected"] == 250_000
    assert problem["errors"][0]["code"] == "points_full"


async def test_a_million_series_of_one_sample(server: ServerProcess, client: aiohttp.ClientSession) -> None:
    series = ",".join('{"point":"p","times":[1795190400000],"values":[1]}' for _ in range(120_000))
    async with (
        others_unaffected(server),
        client.post(
            server.base + INGEST, data=io.BytesIO(f'{{"series":[{series}]}}'.encode()), headers=JSON
        ) as answer,
    ):
        reply = await answer.json()
    assert answer.status == 200
    assert reply["replaced"] + reply["duplicate"] == 120_000


PATHS = (
    "/static/../../../../etc/passwd",
    "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/static/..%2f..%2f..%2fetc%2fpasswd",
    "/static//etc/passwd",
    "/static/%00index.html",
    "/api/v1/points/..%2f..%2fetc%2fpasswd",
    "/api/v1/points/%00",
    "/api/v1/points/" + "a" * 50_000,
    "//api//v1//points",
    "/api/v1/points/p/load-curve;a=b?date=2026-11-21",
    "/%c0%ae%c0%ae/etc/passwd",
)


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_that_leads_astray(server: ServerProcess, path: str) -> None:
    answer = await raw(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] in (b"400", b"404"), head[:200]
    assert b"root:" not in body
    assert b"application/problem+json" in head


QUERIES = (
    "/api/v1/points?cursor=AAAA",
    "/api/v1/points?cursor=" + "A" * 5_000,
    "/api/v1/points/p/recorded?start=0&end=1&cursor=%00%ff",
    "/api/v1/changes?since=ffffffffffffffffffff",
    "/api/v1/points/p/interpolated?start=0&end=1795190400000&interval=1s",
    "/api/v1/points/p/summary?start=0&end=1795190400000&interval=1s",
    "/api/v1/points/p/plot?start=0&end=1&width=99999999999",
    "/api/v1/points/p/load-curve?date=9999-99-99",
    "/api/v1/points/p/load-curve?date=2026-11-21&tz=../../etc/passwd",
    "/api/v1/points/p/recorded?start=99999999999999999999&end=1",
    "/api/v1/rollups?period=day&points=p&from=0001-01-01&to=9999-12-31",
    "/api/v1/latest?points=" + ",".join(str(i) for i in range(9_000)),
)


@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_that_asks_for_too_much_or_nonsense(
    server: ServerProcess, client: aiohttp.ClientSession, query: str
) -> None:
    async with others_unaffected(server), client.get(server.base + query) as answer:
        await expect(answer, 400, 404, 422)


async def test_a_pattern_made_to_be_slow(server: ServerProcess, client: aiohttp.ClientSession) -> None:
    url = f"{server.base}/api/v1/points?match=" + "*a" * 2_000 + "b"
    async with others_unaffected(server), client.get(url) as answer:
        assert answer.status == 200


HEADS = {
    "a method nobody knows": b"BREW /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "two lengths": b"POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "a length and chunks": (
        b"POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a length below zero": b"POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a length beyond measure": (
        b"POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n"
    ),
    "a chunk that is none": (
        b"POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    ),
    "a header of a megabyte": b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"a" * (1 << 20) + b"\r\n\r\n",
    "ten thousand headers": b"GET /healthz HTTP/1.1\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
    "a protocol of others": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
async def test_a_head_that_is_no_request(server: ServerProcess, name: str) -> None:
    async with others_unaffected(server):
        answer = await raw(server, HEADS[name])
    assert answer[:7] == b"HTTP/1.", answer[:80]
    assert answer[9:12] in (b"400", b"404", b"405", b"408", b"411", b"413", b"431", b"501"), answer[:200]
    assert b"Traceback" not in answer


async def test_idle_and_trickling_connections_leave_room_for_others(server: ServerProcess) -> None:
    """Thirty connections that stall in head or body; who is not among them is served meanwhile."""
    stalls = [
        b"GET /healthz HTT",
        b"POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n{",
        b"",
    ]
    async with others_unaffected(server):
        opened = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(30)]
        for number, (_, writer) in enumerate(opened):
            writer.write(stalls[number % 3])
        bodies = [reader for number, (reader, _) in enumerate(opened) if number % 3 == 1]
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answers = [await reader.read() for reader in bodies]
        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)
        for _, writer in opened:
            writer.close()


async def raw(server: ServerProcess, request: bytes) -> bytes:
    """All that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    answer = bytearray()
    try:
        writer.write(request)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while b"\r\n\r\n" not in answer or not _is_whole(bytes(answer)):
                part = await reader.read(1 << 16)
                if not part:
                    break
                answer += part
    except ConnectionError:
        pass  # it closed while we were sending; what came before counts
    finally:
        writer.close()
    return bytes(answer)


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return False


def _resident_bytes(server: ServerProcess) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))
