"""Samples of one point over HTTP: every way to ask, and what is refused."""

import csv
import io
import json

import pyarrow as pa
import pytest

from tests.unit.api.conftest import Api

DAY = "start=2026-11-20T16:00:00Z&end=2026-11-21T16:00:00Z"
T0_MS = 1795190400000  # 2026-11-21T00:00:00+08:00


@pytest.fixture
async def filled(api: Api) -> Api:
    """Point `p` in kW with four quarters 1, 2, 3.5 (suspect) and, after a gap, 8."""
    await api.put_point("p")
    times = [T0_MS, T0_MS + 900_000, T0_MS + 1_800_000, T0_MS + 7_200_000]
    await api.ingest(
        {
            "point": "p",
            "times": times,
            "values": [1, 2, 3.5, 8],
            "quality": ["good", "good", "suspect+manual", 0],
        }
    )
    return api


async def test_recorded_samples_come_as_columns(filled: Api) -> None:
    reply = await filled.get_json(f"/api/v1/points/p/recorded?{DAY}")
    assert reply == {
        "point": "p", "unit": "kW", "label": "instant",
        "start": "2026-11-20T16:00:00Z", "end": "2026-11-21T16:00:00Z",
        "times": ["2026-11-20T16:00:00Z", "2026-11-20T16:15:00Z", "2026-11-20T16:30:00Z", "2026-11-20T18:00:00Z"],
        "values": [1.0, 2.0, 3.5, 8.0],
        "quality": ["good", "good", "suspect", "good"],
        "origin": ["measured", "measured", "manual", "measured"],
    }  # fmt: skip


async def test_the_range_is_half_open(filled: Api) -> None:
    reply = await filled.get_json(f"/api/v1/points/p/recorded?start={T0_MS}&end={T0_MS + 900_000}")
    assert reply["values"] == [1.0]


async def test_times_are_integers_where_asked_and_local_besides(filled: Api) -> None:
    reply = await filled.get_json(f"/api/v1/points/p/recorded?{DAY}&time=epoch_ms&tz=Asia/Shanghai&limit=1")
    assert reply["times"] == [T0_MS]
    assert reply["times_local"] == ["2026-11-21T00:00:00+08:00"]
    assert reply["time_zone"] == "Asia/Shanghai"


async def test_values_are_converted_within_one_dimension(filled: Api) -> None:
    reply = await filled.get_json(f"/api/v1/points/p/recorded?{DAY}&unit=MW")
    assert (reply["unit"], reply["values"]) == ("MW", [0.001, 0.002, 0.0035, 0.008])


@pytest.mark.parametrize("unit", ["kvar", "V", "horsepower"])
async def test_another_dimension_is_422(filled: Api, unit: str) -> None:
    for way in (
        f"recorded?{DAY}",
        f"at?time={T0_MS}",
        f"interpolated?{DAY}",
        f"plot?{DAY}",
        f"summary?{DAY}",
    ):
        body = await filled.problem(f"/api/v1/points/p/{way}&unit={unit}", 422, "unit-mismatch")
        assert body["errors"][0]["parameter"] == "unit"


async def test_quality_in_full_names_every_flag(filled: Api) -> None:
    reply = await filled.get_json(f"/api/v1/points/p/recorded?{DAY}&quality=full")
    assert reply["quality"][2] == {"validity": "suspect", "origin": "manual", "flags": [], "bits": 13}


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_limited_reply_carries_the_way_to_the_rest(filled: Api, order: str) -> None:
    path = f"/api/v1/points/p/recorded?{DAY}&order={order}&limit=3"
    first = await filled.get_json(path)
    second = await filled.get_json(f"{path}&cursor={first['next']}")
    values = first["values"] + second["values"]
    assert values == ([1.0, 2.0, 3.5, 8.0] if order == "asc" else [8.0, 3.5, 2.0, 1.0])
    assert "next" not in second


async def test_a_cursor_of_another_query_is_400(filled: Api) -> None:
    first = await filled.get_json(f"/api/v1/points/p/recorded?{DAY}&limit=1")
    path = f"/api/v1/points/p/recorded?{DAY}&order=desc&limit=1&cursor={first['next']}"
    await filled.problem(path, 400, "invalid-cursor")


async def test_samples_come_as_csv(filled: Api) -> None:
    response = await filled.get(f"/api/v1/points/p/recorded?{DAY}&bom=1&limit=2", Accept="text/csv")
    assert response.content_type == "text/csv"
    assert response.headers["X-Next-Cursor"]
    raw = await response.read()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert rows[1] == {
        "time": "2026-11-20T16:15:00Z", "point": "p", "value": "2.0", "unit": "kW", "quality": "good",
        "origin": "measured",
    }  # fmt: skip


async def test_samples_come_as_flat_rows_and_as_lines(filled: Api) -> None:
    rows = await filled.get_json(f"/api/v1/points/p/recorded?{DAY}&format=rows&time=epoch_ms")
    lines = await (
        await filled.get(f"/api/v1/points/p/recorded?{DAY}&time=epoch_ms", Accept="application/x-ndjson")
    ).text()
    assert rows == [json.loads(line) for line in lines.splitlines()]
    assert rows[0]["time"] == T0_MS
    assert len(rows) == 4


async def test_a_form_that_is_not_offered_is_406(filled: Api) -> None:
    path = f"/api/v1/points/p/recorded?{DAY}"
    body = await filled.problem(path, 406, "not-acceptable", Accept="application/vnd.apache.arrow.file")
    assert "text/csv" in body["detail"]


@pytest.mark.parametrize(
    ("mode", "value"), [("before", 3.5), ("after", 8.0), ("exact", None), ("interpolated", None)]
)
async def test_one_sample_is_found_by_time(filled: Api, mode: str, value: float | None) -> None:
    reply = await filled.get_json(f"/api/v1/points/p/at?time={T0_MS + 3_600_000}&mode={mode}")
    assert reply["value"] == value
    assert (reply["time"] is None) == (value is None)
    assert reply["quality"] == ("missing" if value is None else "suspect" if value == 3.5 else "good")


async def test_a_value_between_two_samples_is_interpolated(filled: Api) -> None:
    reply = await filled.get_json(f"/api/v1/points/p/at?time={T0_MS + 450_000}&mode=interpolated")
    assert (reply["value"], reply["origin"]) == (1.5, "derived")


async def test_a_gap_breaks_an_interpolated_row(filled: Api) -> None:
    reply = await filled.get_json(
        f"/api/v1/points/p/interpolated?start={T0_MS}&end={T0_MS + 7_200_000}&interval=30m"
    )
    assert reply["interval"] == "30m"
    assert reply["values"][:2] == [1.0, 3.5]
    assert reply["values"][3] is None
    assert reply["quality"][3] == "missing"


async def test_a_plot_keeps_extremes_and_gaps(filled: Api) -> None:
    reply = await filled.get_json(f"/api/v1/points/p/plot?{DAY}&width=10")
    assert reply["pixels"]["min"][0] == 1.0
    assert max(reply["pixels"]["max"]) == 8.0
    assert len(reply["gaps"]["start"]) == 1
    assert reply["doubts"]["quality"] == ["suspect"]


async def test_a_summary_has_extremes_with_their_times(filled: Api) -> None:
    reply = await filled.get_json(f"/api/v1/points/p/summary?{DAY}&basis=event")
    (row,) = reply["rows"]
    assert (row["min"], row["max"], row["count"]) == (1.0, 8.0, 4)
    assert row["max_time"] == "2026-11-20T18:00:00Z"
    assert row["mean"] == 14.5 / 4


async def test_a_summary_of_hours_is_a_row_an_hour(filled: Api) -> None:
    rows = await filled.get_json(f"/api/v1/points/p/summary?{DAY}&interval=1h&format=rows&tz=Asia/Shanghai")
    assert len(rows) == 24
    assert rows[0]["start_local"] == "2026-11-21T00:00:00+08:00"
    assert rows[0]["total_unit"] == "kWh"


async def test_a_gap_has_its_cause(filled: Api) -> None:
    reply = await filled.get_json(f"/api/v1/points/p/gaps?{DAY}")
    first = reply["gaps"][0]
    assert (first["start"], first["end"]) == ("2026-11-20T16:45:00Z", "2026-11-20T18:00:00Z")
    assert (first["missing_count"], first["cause"]) == (5, "unknown")


@pytest.mark.parametrize("way", ["recorded", "interpolated", "plot", "summary", "gaps"])
async def test_a_former_name_tells_the_new_one(filled: Api, way: str) -> None:
    await filled.client.patch("/api/v1/points/p", json={"name": "q"})
    reply = await filled.get_json(f"/api/v1/points/p/{way}?{DAY}")
    assert (reply.get("point", "q"), reply["renamed_to"]) == ("q", "q")


@pytest.mark.parametrize("way", ["recorded", "interpolated", "plot", "summary", "gaps", "at"])
async def test_an_unknown_point_is_404(api: Api, way: str) -> None:
    await api.problem(
        f"/api/v1/points/nobody/{way}?start=0&end=1".replace("at?start=0&end=1", "at?time=0"),
        404,
        "point-not-found",
    )


@pytest.mark.parametrize(
    ("query", "kind", "parameter"),
    [
        ("end=1", "invalid-parameter", "start"),
        ("start=0", "invalid-parameter", "end"),
        ("start=2026-11-21T00:00:00&end=1", "invalid-time", "start"),
        ("start=0&end=2026-11-21", "invalid-time", "end"),
        ("start=5&end=5", "invalid-parameter", "end"),
        ("start=0&end=1&limit=0", "invalid-parameter", "limit"),
        ("start=0&end=1&order=up", "invalid-parameter", "order"),
        ("start=0&end=1&boundary=all", "invalid-parameter", "boundary"),
        ("start=0&end=1&tz=Mars/Base", "invalid-time", "tz"),
        ("start=0&end=1&quality=best", "invalid-parameter", "quality"),
        ("start=0&end=1&format=xml", "invalid-parameter", "format"),
        ("start=0&end=1&cursor=x", "invalid-cursor", "cursor"),
    ],
)
async def test_a_wrong_parameter_is_400_and_named(api: Api, query: str, kind: str, parameter: str) -> None:
    await api.put_point("p")
    body = await api.problem(f"/api/v1/points/p/recorded?{query}", 400, kind)
    assert body["errors"][0]["parameter"] == parameter


@pytest.mark.parametrize(
    "way",
    [
        "recorded?start=0&end=1795190400000",
        "interpolated?start=0&end=1795190400000&interval=1s",
        "summary?start=0&end=1795190400000&interval=1s",
        "summary?start=0&end=1795190400000",
        "plot?start=0&end=1795190400000",
        "gaps?start=0&end=1795190400000",
    ],
)
async def test_a_query_over_the_limits_is_refused(api: Api, way: str) -> None:
    await api.put_point("p", interval="1s")
    await api.ingest({"point": "p", "times": [0, T0_MS - 1], "values": [1, 2]})
    await api.problem(f"/api/v1/points/p/{way}", 422, "query-too-large")


async def test_an_arrow_answer_can_be_sent_on_as_it_is(api: Api) -> None:
    await api.put_point("a")
    await api.ingest(
        {"point": "a", "times": [1000, 2000], "values": [1.5, 2.5], "quality": ["good", "suspect"]}
    )
    path = "/api/v1/points/a/recorded?start=0&end=5000"
    response = await api.get(path, Accept="application/vnd.apache.arrow.stream")
    assert response.content_type == "application/vnd.apache.arrow.stream"
    text = await response.read()
    table = pa.ipc.open_stream(text).read_all()
    assert table.schema.metadata == {b"unit": b"kW", b"label": b"instant"}
    assert [str(field.type) for field in table.schema][1:] == ["timestamp[us, tz=UTC]", "double", "uint16"]
    assert (table["value"].to_pylist(), table["quality"].to_pylist()) == ([1.5, 2.5], [0, 1])
    again = await api.client.post(
        "/api/v1/ingest", data=text, headers={"Content-Type": response.content_type}
    )
    assert (await again.json())["duplicate"] == 2
