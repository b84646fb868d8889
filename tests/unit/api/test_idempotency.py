"""Idempotency-Key over HTTP: every form of body, repeats that say so, and what is refused."""

import asyncio
from typing import Any

import pyarrow as pa
import pytest

from historian import errors
from historian.model.ports import AppendResult
from tests.unit.api.conftest import Api, expect_problem
from tests.unit.api.test_arrow_rows import UTC_US, batch, stream

JSON_BODY = b'{"series":[{"point":"a","times":["2026-11-21T00:00:00+08:00"],"values":[1.5]}]}'
CSV_BODY = b"point,time,value\na,2026-11-21T00:00:00+08:00,1.5\n"
FORMS = {
    "json": ("/api/v1/ingest", "application/json", JSON_BODY),
    "csv": ("/api/v1/ingest", "text/csv", CSV_BODY),
    "arrow": ("/api/v1/ingest", "application/vnd.apache.arrow.stream", None),
    "lines": ("/api/v2/write?precision=s", "text/plain", b"m f=1.5 1795190400\n"),
    "lines in part": ("/api/v2/write?precision=s", "text/plain", b"m f=1.5 1795190400\nm f=x 1795190400\n"),
}


def arrow_body() -> bytes:
    times = pa.array([1_795_190_400_000_000], UTC_US)
    return stream(batch(point=pa.array([1], pa.uint32()), time=times, value=pa.array([1.5])))


async def send(api: Api, form: str, key: str, body: bytes | None = None) -> Any:
    path, content_type, own = FORMS[form]
    data = body if body is not None else own if own is not None else arrow_body()
    return await api.client.post(
        path, data=data, headers={"Idempotency-Key": key, "Content-Type": content_type}
    )


@pytest.mark.parametrize("form", FORMS)
async def test_the_same_request_again_gets_the_same_answer_and_says_so(api: Api, form: str) -> None:
    await api.put_point("a")
    first = await send(api, form, "k")
    second = await send(api, form, "k")
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.status == first.status
    told, again = await first.text(), await second.text()
    if first.status == 200:
        assert again == told
        assert '"accepted":1' in told
    elif first.status == 400:
        body = await expect_problem(second, 400, "lines-refused")
        assert (body["accepted"], body["rejected"]) == (1, 1)


async def test_without_a_key_the_same_again_is_a_duplicate(api: Api) -> None:
    await api.put_point("a")
    await send(api, "json", "k")
    response = await api.client.post(
        "/api/v1/ingest", data=JSON_BODY, headers={"Content-Type": "application/json"}
    )
    assert (await response.json())["duplicate"] == 1


async def test_another_body_under_the_key_is_refused(api: Api) -> None:
    await api.put_point("a")
    await send(api, "json", "k")
    response = await send(api, "json", "k", JSON_BODY.replace(b"1.5", b"1.6"))
    await expect_problem(response, 422, "key-reused")
    assert len(api.store.samples[1]) == 1


async def test_another_question_in_the_address_is_another_request(api: Api) -> None:
    await api.put_point("a")
    await send(api, "json", "k")
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    response = await api.client.post("/api/v1/ingest?on_conflict=keep", data=JSON_BODY, headers=headers)
    await expect_problem(response, 422, "key-reused")


async def test_while_the_first_is_under_way_the_second_is_told_to_wait(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.put_point("a")
    entered, is_allowed = asyncio.Event(), asyncio.Event()
    append = api.store.append

    async def wait(*given: Any, **options: Any) -> AppendResult:
        entered.set()
        await is_allowed.wait()
        return await append(*given, **options)

    monkeypatch.setattr(api.store, "append", wait)
    first = asyncio.create_task(send(api, "json", "k"))
    await entered.wait()
    second = await send(api, "json", "k")
    await expect_problem(second, 409, "key-under-way")
    assert second.headers["Retry-After"] == "1"
    is_allowed.set()
    assert (await first).status == 200


async def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    await api.put_point("a")
    api.store.failure = errors.QueueFull(2)
    await expect_problem(await send(api, "json", "k"), 503, "queue-full")
    api.store.failure = None
    response = await send(api, "json", "k")
    assert (await response.json())["accepted"] == 1


async def test_lines_without_a_time_are_stored_once_though_their_answer_was_lost(api: Api) -> None:
    append = api.store.append

    async def store_and_fail(*given: Any, **options: Any) -> AppendResult:
        await append(*given, **options)
        raise errors.WalFailed("killed behind the samples")

    api.store.append = store_and_fail  # type: ignore[method-assign]
    await expect_problem(await send(api, "lines", "k", b"m f=1.5\n"), 503, "log-failed")
    api.store.append = append  # type: ignore[method-assign]
    api.context.clock.advance(5)  # type: ignore[attr-defined]
    assert (await send(api, "lines", "k", b"m f=1.5\n")).status == 204
    assert [len(samples) for samples in api.store.samples.values()] == [1]


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "ä"])
async def test_a_key_has_1_to_255_printable_signs(api: Api, key: str) -> None:
    response = await send(api, "json", key)
    body = await expect_problem(response, 400, "invalid-parameter")
    assert body["errors"][0]["parameter"] == "Idempotency-Key"
