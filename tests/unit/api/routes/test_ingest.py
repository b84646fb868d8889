"""Ingest over HTTP: counts for every sample, faults that cost only themselves, nothing acknowledged that is not kept."""

import gzip
import re
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from api.intake import REJECTS_LISTED_MAX
from historian import errors
from historian.model import quality as q
from historian.model.timestamp import parse_time_us
from historian.settings import IngestSettings, ServerSettings, Settings
from tests.unit.api.conftest import Api, expect_problem
from tests.unit.api.test_arrow_rows import UTC_US, batch, stream

T0, T1 = "2026-11-21T00:00:00+08:00", "2026-11-21T00:15:00+08:00"
T0_US, T1_US = parse_time_us(T0), parse_time_us(T1)


def series(point: str = "a", times: Any = (T0, T1), values: Any = (1.5, 2.5), **more: Any) -> dict[str, Any]:
    return {"point": point, "times": list(times), "values": list(values), **more}


async def test_samples_are_taken_and_counted(api: Api) -> None:
    await api.put_point("a")
    reply = await api.ingest(series(quality=["good", "suspect+estimated"]))
    assert reply == {
        "accepted": 2, "duplicate": 0, "replaced": 0, "conflict": 0, "rejected": 0, "quarantined": 0, "rejects": [],
        "rejects_listed_max": REJECTS_LISTED_MAX, "rejects_omitted": 0, "seq": 1, "durable": True,
    }  # fmt: skip
    assert api.store.samples[1] == {T0_US: (1.5, 0, 1), T1_US: (2.5, q.SUSPECT | q.ESTIMATED, 1)}


async def test_the_same_again_is_a_duplicate_and_another_value_replaces(api: Api) -> None:
    await api.put_point("a")
    await api.ingest(series())
    reply = await api.ingest(series(values=(1.5, 9)))
    assert (reply["duplicate"], reply["replaced"], reply["rejected"]) == (1, 1, 0)


async def test_a_conflict_is_listed_where_the_old_value_is_to_stay(api: Api) -> None:
    await api.put_point("a")
    await api.ingest(series())
    reply = await api.ingest(series(values=(1.5, 9)), on_conflict="reject")
    assert (reply["conflict"], reply["rejected"]) == (1, 0)
    assert (reply["rejects"][0]["series"], reply["rejects"][0]["index"]) == (0, 1)
    assert reply["rejects"][0]["code"] == "conflict"
    assert api.store.samples[1][T1_US][0] == 2.5


async def test_samples_refused_before_the_sink_are_counted_by_code(api: Api) -> None:
    await api.put_point("a")
    await api.ingest(series("nobody"), series(times=["yesterday", T1]))
    await api.client.post("/api/v2/write", data=b"m,t=a f=x 1\n")
    told = await (await api.get("/metrics")).text()
    counts = dict(
        re.findall(r'^historian_ingest_samples_total\{outcome="(\w+)"\} (\d+)$', told, re.MULTILINE)
    )
    assert counts == {"unknown_point": "2", "bad_time": "1", "bad_value": "1"}


async def test_the_address_may_say_that_the_old_value_is_to_stay(api: Api) -> None:
    await api.put_point("a")
    await api.ingest(series())
    body = {"series": [series(values=(1.5, 9))]}
    response = await api.client.post("/api/v1/ingest?on_conflict=keep", json=body)
    assert (await response.json())["conflict"] == 1
    assert api.store.samples[1][T1_US][0] == 2.5


async def test_address_and_body_may_not_ask_different_things(api: Api) -> None:
    await api.put_point("a")
    body = {"series": [series()], "on_conflict": "replace"}
    response = await api.client.post("/api/v1/ingest?on_conflict=reject", json=body)
    await expect_problem(response, 400, "invalid-parameter")
    assert api.store.samples == {}


async def test_a_period_labelled_by_its_end_is_stored_under_its_start(api: Api) -> None:
    await api.put_point("a", "kWh", "interval", label="period_end")
    await api.ingest(series(times=[T1], values=[3.17]))
    assert list(api.store.samples[1]) == [T0_US]


async def test_milliseconds_ids_and_former_names_are_taken(api: Api) -> None:
    await api.put_point("old")
    await api.client.patch("/api/v1/points/old", json={"name": "new"})
    reply = await api.ingest(
        series("old", [T0_US // 1000], [1]),
        series(1, [T1_US // 1000], [2]),  # type: ignore[arg-type]
    )
    assert reply["accepted"] == 2
    assert list(api.store.samples[1]) == [T0_US, T1_US]


async def test_an_unknown_point_costs_only_its_series(api: Api) -> None:
    await api.put_point("a")
    reply = await api.ingest(series("nobody"), series("a"))
    assert (reply["accepted"], reply["rejected"]) == (2, 2)
    assert reply["rejects"] == [
        {"series": 0, "code": "unknown_point", "detail": "no point is named 'nobody'", "count": 2}
    ]


async def test_another_unit_costs_only_its_series(api: Api) -> None:
    await api.put_point("a", "kW")
    reply = await api.ingest(series(unit="MW"), series(unit="kW"))
    assert (reply["accepted"], reply["rejected"]) == (2, 2)
    assert reply["rejects"][0]["code"] == "unit_mismatch"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"values": [1.5]}, "length_mismatch"),
        ({"quality": ["good"]}, "length_mismatch"),
        ({"times": [T0]}, "length_mismatch"),
    ],
)
async def test_columns_of_different_length_cost_only_their_series(
    api: Api, more: dict[str, Any], code: str
) -> None:
    await api.put_point("a")
    reply = await api.ingest(series() | more, series())
    assert (reply["accepted"], reply["rejected"]) == (2, 2)
    assert reply["rejects"][0]["code"] == code


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"values": [None, 2.5]}, "not_finite"),
        ({"values": ["1.5", 2.5]}, "bad_value"),
        ({"values": [True, 2.5]}, "bad_value"),
        ({"values": [[1], 2.5]}, "bad_value"),
        ({"values": [10**400, 2.5]}, "not_finite"),
        ({"times": ["2026-11-21T00:00:00", T1]}, "bad_time"),
        ({"times": [None, T1]}, "bad_time"),
        ({"times": [10**400, T1]}, "bad_time"),
        ({"times": ["2126-11-21T00:00:00Z", T1]}, "time_in_future"),
        ({"quality": ["excellent", "good"]}, "bad_quality"),
        ({"quality": [70_000, 0]}, "bad_quality"),
        ({"quality": [{}, 0]}, "bad_quality"),
    ],
)
async def test_a_bad_sample_never_costs_a_good_one(api: Api, more: dict[str, Any], code: str) -> None:
    await api.put_point("a")
    reply = await api.ingest(series() | more)
    assert (reply["accepted"], reply["rejected"]) == (1, 1)
    reject = reply["rejects"][0]
    assert (reject["series"], reject["index"], reject["code"]) == (0, 0, code)
    assert list(api.store.samples[1]) == [T1_US]


async def test_nan_in_json_is_400_with_its_position_and_nothing_is_taken(api: Api) -> None:
    await api.put_point("a")
    body = b'{"series":[{"point":"a","times":[1,2],"values":[1.5,NaN]}]}'
    response = await api.client.post(
        "/api/v1/ingest", data=body, headers={"Content-Type": "application/json"}
    )
    problem = await expect_problem(response, 400, "malformed-json")
    assert problem["errors"][0]["code"] == "not_finite"
    assert "byte 52" in problem["detail"]
    assert not api.store.samples


async def test_where_no_time_can_be_read_it_is_400_with_pointers(api: Api) -> None:
    await api.put_point("a")
    body = {"series": [series(times=["2026-11-21T00:00:00", "2026-11-21T00:15:00"])]}
    problem = await expect_problem(await api.client.post("/api/v1/ingest", json=body), 400, "invalid-time")
    assert problem["errors"][0]["pointer"] == "/series/0/times/0"
    assert "no offset" in problem["detail"]
    assert problem["rejected"] == 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], "/"),
        ({}, "/"),
        ({"series": {}}, "/series"),
        ({"series": [{"point": "a", "times": []}]}, "/series/0"),
        ({"series": [], "on_conflict": "maybe"}, "/on_conflict"),
        ({"series": [series(colour="red")]}, "/series/0"),
    ],
)
async def test_a_body_of_wrong_form_is_422_with_a_pointer(api: Api, body: Any, pointer: str) -> None:
    problem = await expect_problem(await api.client.post("/api/v1/ingest", json=body), 422, "invalid-body")
    assert problem["errors"][0]["pointer"] == pointer


async def test_rejects_are_listed_up_to_a_limit_that_is_stated(api: Api) -> None:
    await api.put_point("a")
    count = REJECTS_LISTED_MAX + 20
    reply = await api.ingest(series(times=range(count), values=[None] * count), series())
    assert len(reply["rejects"]) == REJECTS_LISTED_MAX
    assert (reply["rejected"], reply["rejects_omitted"]) == (count, 20)


async def test_nothing_is_a_success_of_nothing(api: Api) -> None:
    reply = await api.ingest()
    assert (reply["accepted"], reply["seq"]) == (0, 0)


@pytest.mark.parametrize("content_type", ["application/vnd.apache.arrow.file", "text/plain", "image/png"])
async def test_another_content_type_is_415_and_names_what_is_taken(api: Api, content_type: str) -> None:
    response = await api.client.post("/api/v1/ingest", data=b"x", headers={"Content-Type": content_type})
    problem = await expect_problem(response, 415, "unsupported-media-type")
    assert "application/json, application/vnd.apache.arrow.stream, text/csv" in problem["detail"]


@pytest.mark.parametrize(
    ("failure", "status", "kind", "retry_after"),
    [
        (errors.QueueFull(2), 503, "queue-full", "2"),
        (errors.StoreReadOnly("disk_reserve", "the disk reserve is reached"), 507, "disk-reserve", None),
        (errors.StoreReadOnly("log_failed", "EIO"), 503, "log-failed", "30"),
        (errors.WalFailed("EIO"), 503, "log-failed", "30"),
    ],
    ids=["queue full", "disk reserve", "read-only", "log failed"],
)
async def test_what_cannot_be_written_is_not_acknowledged(
    api: Api, failure: errors.HistorianError, status: int, kind: str, retry_after: str | None
) -> None:
    await api.put_point("a")
    api.store.failure = failure
    for path, body, content_type in (
        ("/api/v1/ingest", msgspec.json.encode({"series": [series()]}), "application/json"),
        ("/api/v2/write", b"a x=1", "text/plain"),
    ):
        response = await api.client.post(path, data=body, headers={"Content-Type": content_type})
        await expect_problem(response, status, kind)
        assert response.headers.get("Retry-After") == retry_after


async def test_a_gzip_body_is_read(api: Api) -> None:
    await api.put_point("a")
    body = gzip.compress(msgspec.json.encode({"series": [series()]}))
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await api.client.post("/api/v1/ingest", data=body, headers=headers)
    assert (await response.json())["accepted"] == 2


@pytest.mark.parametrize("damage", [b"not gzip", gzip.compress(b"{}")[:-9]], ids=["other bytes", "cut"])
async def test_a_body_that_is_not_what_its_encoding_says_is_400(api: Api, damage: bytes) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await api.client.post("/api/v1/ingest", data=damage, headers=headers)
    assert response.status == 400


# ── CSV ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def post_csv(api: Api, text: str | bytes) -> Any:
    response = await api.client.post("/api/v1/ingest", data=text, headers={"Content-Type": "text/csv"})
    assert response.status == 200, await response.text()
    return await response.json()


async def test_csv_rows_are_taken(api: Api) -> None:
    await api.put_point("a")
    await api.put_point("b")
    text = f"\ufeffpoint,time,value,quality\r\na,{T0},1.5,good\r\nb,{T0_US // 1000},-2e3,\r\na,{T1},2,2\r\n"
    assert (await post_csv(api, text))["accepted"] == 3
    assert api.store.samples == {1: {T0_US: (1.5, 0, 1), T1_US: (2.0, q.BAD, 1)}, 2: {T0_US: (-2000.0, 0, 1)}}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (f"a,{T0}", "malformed_row"),
        (f"a,{T0},1,2", "malformed_row"),
        (f"a,{T0},NaN", "not_finite"),
        (f"a,{T0},", "not_finite"),
        (f"a,{T0},one", "bad_value"),
        (f"a,{T0},1_0", "bad_value"),
        (f"a,{T0},1e999", "not_finite"),
        ("a,2026-11-21T00:00:00,1", "bad_time"),
        (f"nobody,{T0},1", "unknown_point"),
        (f'"a,{T0},1', "malformed_row"),
    ],
)
async def test_a_bad_row_is_told_by_its_line(api: Api, row: str, code: str) -> None:
    await api.put_point("a")
    reply = await post_csv(api, f"point,time,value\na,{T1},2\n{row}\n")
    assert (reply["accepted"], reply["rejected"]) == (1, 1)
    assert (reply["rejects"][0]["line"], reply["rejects"][0]["code"]) == (3, code)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "time,value\n",
        "point,time,value,colour\n",
        "point,time,value,value\n",
        b"point,time,value\na,1,\xff\n",
    ],
    ids=["empty", "no point", "unknown column", "twice", "not UTF-8"],
)
async def test_csv_that_cannot_be_read_is_400(api: Api, text: str | bytes) -> None:
    response = await api.client.post("/api/v1/ingest", data=text, headers={"Content-Type": "text/csv"})
    await expect_problem(response, 400, "malformed-body")


# ── Line protocol ───────────────────────────────────────────────────────────────────────────────────────────


async def write(api: Api, text: str | bytes, query: str = "precision=ms") -> Any:
    return await api.client.post(f"/api/v2/write?{query}", data=text)


async def test_lines_are_taken_with_204_and_make_their_points(api: Api) -> None:
    response = await write(
        api, f"power,feeder=f101,station=S1 p=1.5,q=2i {T0_US // 1000}\n", "precision=ms&org=o&bucket=b"
    )
    assert response.status == 204
    point = await api.get_json("/api/v1/points/power.f101.S1.p")
    assert (point["unit"], point["kind"], point["source"]) == ("1", "instantaneous", "line_protocol")
    assert api.store.samples[point["id"]] == {T0_US: (1.5, 0, 1)}


async def test_a_line_without_time_gets_the_time_of_arrival_and_says_so(api: Api) -> None:
    await write(api, "m x=1")
    assert api.store.samples[1] == {api.context.clock.now_us(): (1.0, q.TIME_SUBSTITUTED, 1)}


async def test_faulty_lines_are_told_and_the_good_ones_stored(api: Api) -> None:
    text = f'm a=1 {T0_US // 1000}\nnonsense\n\n# comment\nm b=nan {T0_US // 1000}\nm s="x",c=3 {T0_US // 1000}\n'
    problem = await expect_problem(await write(api, text), 400, "lines-refused")
    assert [(entry["line"], entry["code"]) for entry in problem["errors"]] == [
        (2, "malformed_line"),
        (5, "not_finite"),
    ]
    assert (problem["accepted"], problem["rejected"]) == (2, 2)
    assert sum(len(samples) for samples in api.store.samples.values()) == 2


TELEGRAF = """\
cpu,cpu=cpu-total,host=gate\\ way usage_idle=97.5,usage_user=1.25 1795190400
mem,host=gate\\ way available_percent=61.5,total=16777216i,free=1024u 1795190400
disk,device=sda1,fstype=ext4,host=gate\\ way,mode=rw,path=/var/log used_percent=12.5,inodes_used=7i 1795190400
win_disk,instance=C:,objectname=LogicalDisk,host=gate\\ way Percent_Free_Space=42.5,label="50% full, \\"old\\"" 1795190400
system,host=gate\\ way uptime_format="1 day, 2:03",uptime=93780i,is_up=true 1795190400
procstat,process_name=a\\=b%c,host=gate\\ way state="S" 1795190400
"""


async def test_what_telegraf_sends_is_stored_and_texts_are_passed_over(api: Api) -> None:
    assert (await write(api, TELEGRAF, "precision=s")).status == 204
    points = (await api.get_json("/api/v1/points"))["points"]
    values = {point["name"]: api.store.samples[point["id"]][T0_US][0] for point in points}
    assert values == {
        "cpu.cpu-total.gate_way.usage_idle": 97.5,
        "cpu.cpu-total.gate_way.usage_user": 1.25,
        "mem.gate_way.available_percent": 61.5,
        "mem.gate_way.total": 16_777_216.0,
        "mem.gate_way.free": 1024.0,
        "disk.sda1.ext4.gate_way.rw._var_log.used_percent": 12.5,
        "disk.sda1.ext4.gate_way.rw._var_log.inodes_used": 7.0,
        "win_disk.gate_way.C:.LogicalDisk.Percent_Free_Space": 42.5,
        "system.gate_way.uptime": 93_780.0,
        "system.gate_way.is_up": 1.0,
    }
    told = await (await api.get("/metrics")).text()
    assert 'historian_ingest_samples_total{outcome="text_skipped"} 3' in told
    assert (await write(api, TELEGRAF, "precision=s")).status == 204


async def test_another_precision_is_400(api: Api) -> None:
    await expect_problem(await write(api, "m x=1", "precision=h"), 400, "invalid-parameter")


class TestStrictNames:
    """Where signs that no name may have are not to be replaced."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(ingest=IngestSettings(line_names="refuse"))

    async def test_a_value_of_such_a_name_is_refused_alone(self, api: Api) -> None:
        problem = await expect_problem(await write(api, "d,p=/ x=1\nm x=1"), 400, "lines-refused")
        assert [(entry["line"], entry["code"]) for entry in problem["errors"]] == [(1, "bad_name")]
        assert problem["accepted"] == 1


class TestClosedCatalogue:
    """Where unknown points are not to be made."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(ingest=IngestSettings(auto_create=False))

    async def test_an_unknown_point_is_refused_by_its_line(self, api: Api) -> None:
        await api.put_point("m.x")
        problem = await expect_problem(await write(api, "m x=1 1\nm y=2 1\n"), 400, "lines-refused")
        assert [(entry["line"], entry["code"]) for entry in problem["errors"]] == [(2, "unknown_point")]
        assert problem["accepted"] == 1


class TestSmallBatches:
    """Where one request may hold few samples."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(
            ingest=IngestSettings(batch_samples_max=2), server=ServerSettings(body_bytes_max=1024)
        )

    async def test_too_many_samples_are_413(self, api: Api) -> None:
        await api.put_point("a")
        body = {"series": [series(times=[1, 2, 3], values=[1, 2, 3])]}
        await expect_problem(await api.client.post("/api/v1/ingest", json=body), 413, "body-too-large")

    async def test_a_body_over_the_limit_is_413(self, api: Api) -> None:
        await expect_problem(await write(api, b"#" * 2000), 413, "body-too-large")

    async def test_a_bomb_is_413_by_what_it_unpacks_to(self, api: Api) -> None:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        response = await api.client.post(
            "/api/v1/ingest", data=gzip.compress(b" " * 100_000), headers=headers
        )
        await expect_problem(response, 413, "body-too-large")


class TestArrow:
    async def send(self, api: Api, body: bytes, query: str = "", **headers: str) -> Any:
        kind = {"Content-Type": "application/vnd.apache.arrow.stream"}
        return await api.client.post(f"/api/v1/ingest{query}", data=body, headers=kind | headers)

    async def test_a_stream_is_stored(self, api: Api) -> None:
        await api.put_point("a")
        await api.put_point("b")
        reply = await (await self.send(api, stream(batch()))).json()
        assert (reply["accepted"], reply["rejected"], reply["durable"]) == (2, 0, True)
        row = (await api.get_json("/api/v1/latest?points=a"))["latest"][0]
        assert row["value"] == 1.5

    async def test_a_large_one_goes_past_the_parser(self, api: Api) -> None:
        await api.put_point("a")
        count = 5000
        large = batch(
            point=pa.array(np.ones(count, np.uint32)),
            time=pa.array(np.arange(count)).cast(UTC_US),
            value=pa.array(np.arange(count) / 2),
        )
        reply = await (await self.send(api, stream(large))).json()
        assert reply["accepted"] == count
        assert [sample[0] for sample in api.store.samples[1].values()] == [i / 2 for i in range(count)]

    async def test_conflicts_are_treated_as_the_address_asks(self, api: Api) -> None:
        await api.put_point("a")
        one = {"point": pa.array([1], pa.uint32()), "time": pa.array([5], UTC_US)}
        await self.send(api, stream(batch(**one, value=pa.array([1.0]))))
        reply = await (
            await self.send(api, stream(batch(**one, value=pa.array([2.0]))), "?on_conflict=keep")
        ).json()
        assert (reply["conflict"], reply["rejects"][0]["index"]) == (1, 0)

    async def test_what_is_no_stream_is_a_problem(self, api: Api) -> None:
        await expect_problem(await self.send(api, b"point,time"), 400, "malformed-body")

    async def test_a_wrong_column_is_a_problem(self, api: Api) -> None:
        wrong = stream(batch(value=pa.array(["1", "2"])))
        body = await expect_problem(await self.send(api, wrong), 422, "invalid-body")
        assert body["errors"][0]["pointer"] == "/value"
