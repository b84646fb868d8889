"""Frames in, the same frames out: pandas, polars and pyarrow by way of the real store, and every lane of the interface."""

import datetime
import gzip
import urllib.parse
import zoneinfo
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from historian.client import AsyncClient, InvalidArgument
from historian.client.replies import PointAttributes
from tests.support import served_core

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")
START = pd.Timestamp("2026-01-05", tz=SHANGHAI)
POWER = PointAttributes(unit="kW", kind="instantaneous", interval="1s", station="hall")
MILLION = 1_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AsyncClient]:
    async with (
        served_core.serve(tmp_path_factory.mktemp("data")) as served,
        AsyncClient(served.address) as client,
    ):
        yield client


async def make(client: AsyncClient, *names: str) -> None:
    for name in names:
        await client.put_point(name, POWER)


async def test_wide_pandas_frame_comes_back_with_its_gaps(client: AsyncClient) -> None:
    await make(client, "wide.a", "wide.b")
    index = pd.date_range(START, periods=500, freq="1min", name="time")
    frame = pd.DataFrame({"wide.a": np.arange(500) / 7, "wide.b": np.arange(500.0)}, index=index)
    frame.iloc[100:150, 0] = np.nan
    told = await client.ingest(frame)
    assert (told.accepted, told.skipped) == (950, 50)
    for name in frame.columns:
        back = (await client.recorded(name, START, index[-1] + pd.Timedelta("1s"))).to_pandas()
        there = frame[name].dropna()
        assert back["value"].tolist() == there.tolist()
        assert (back["time"].dt.tz_convert(SHANGHAI).to_numpy() == there.index.to_numpy()).all()
        assert str(back["time"].dt.tz) == "UTC"


async def test_what_was_read_can_be_sent_on_as_it_is(client: AsyncClient) -> None:
    await make(client, "again")
    stamps = [START.to_pydatetime() + datetime.timedelta(microseconds=137 * number) for number in range(50)]
    assert (
        await client.ingest({"again": (stamps, np.arange(50.0), np.full(50, 9, np.uint16))})
    ).accepted == 50
    table = await client.recorded("again", START, START + pd.Timedelta("1s"))
    for form in (table.to_pandas(), table.to_polars(), table.to_arrow()):
        assert (await client.ingest(form)).duplicate == 50
    assert table.column("time") == stamps
    assert table.column("quality") == [9] * 50


async def test_long_polars_frame_of_two_points(client: AsyncClient) -> None:
    await make(client, "long.a", "long.b")
    times = pl.datetime_range(
        START.to_pydatetime(), START.to_pydatetime() + datetime.timedelta(hours=1), "1m", eager=True
    )
    frame = pl.concat(
        pl.DataFrame({"point": [name] * len(times), "time": times, "value": np.arange(len(times)) + offset})
        for name, offset in (("long.a", 0.5), ("long.b", 0.25))
    )
    assert (await client.ingest(frame)).accepted == 122
    parts = [
        (await client.recorded(name, times[0], times[-1] + datetime.timedelta(1))).to_polars()
        for name in ("long.a", "long.b")
    ]
    back = pl.concat(part.cast({"point": pl.String}) for part in parts).select("point", "time", "value")
    assert back.equals(frame.with_columns(pl.col("time").dt.convert_time_zone("UTC")))


async def test_a_million_rows_in_one_call(client: AsyncClient) -> None:
    await make(client, "million")
    time_ms = int(START.timestamp() * 1000) + np.arange(MILLION, dtype=np.int64) * 1000
    values = np.sin(np.arange(MILLION))
    told = await client.ingest({"million": (time_ms, values)})
    assert (told.accepted, told.rejected) == (MILLION, 0)
    frame = (await client.recorded("million", START, START + pd.Timedelta(seconds=MILLION))).to_pandas()
    assert (frame["value"].to_numpy() == values).all()
    assert (frame["time"].astype("int64").to_numpy() // 1000 == time_ms).all()


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2026-01-05", periods=2),
        pl.Series([datetime.datetime(2026, 1, 5), datetime.datetime(2026, 1, 6)]),
        [datetime.datetime(2026, 1, 5), datetime.datetime(2026, 1, 6)],
        pa.array([1, 2], pa.timestamp("us")),
        pa.array(["2026-01-05", "2026-01-06"]),
    ],
    ids=["pandas", "polars", "list", "arrow", "texts"],
)
async def test_times_without_zone_are_refused(client: AsyncClient, times: Any) -> None:
    with pytest.raises(InvalidArgument, match="zone"):
        await client.ingest({"long.a": (times, [1.0, 2.0])})


instants = st.datetimes(
    datetime.datetime(2020, 1, 1),
    datetime.datetime(2025, 1, 1),
    timezones=st.sampled_from([datetime.UTC, SHANGHAI]),
)
series = st.dictionaries(
    instants.map(lambda moment: moment.astimezone(datetime.UTC)),
    st.floats(allow_nan=False, allow_infinity=False),
    min_size=1,
    max_size=30,
)
number = iter(range(10**6))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(series=series, lane=st.sampled_from(["arrow", "json", "csv", "lines"]))
async def test_any_series_in_is_the_same_series_out_by_every_lane(
    client: AsyncClient, series: dict[datetime.datetime, float], lane: str
) -> None:
    name = f"lane.{next(number)}"
    await make(client, name)
    stamps = [moment.isoformat().replace("+00:00", "Z") for moment in series]
    match lane:
        case "arrow":
            await client.ingest({name: (list(series), list(series.values()))})
        case "json":
            await client.ingest_series([{"point": name, "times": stamps, "values": list(series.values())}])
        case "csv":
            rows = [f"{name},{stamp},{value!r}" for stamp, value in zip(stamps, series.values(), strict=True)]
            await client.ingest_csv("\n".join(["point,time,value", *rows]))
        case "lines":
            whole = datetime.timedelta(microseconds=1)
            epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
            measurement, _, field = name.partition(".")
            await client.write_lines(
                "\n".join(
                    f"{measurement} {field}={value!r} {(moment - epoch) // whole}"
                    for moment, value in series.items()
                ),
                precision="us",
            )
    pages = client.recorded_pages(name, "2019-12-31T00:00:00Z", "2025-01-02T00:00:00Z", page_size=7)
    rows = [row async for page in pages for row in page]
    assert [row.time for row in rows] == sorted(series)
    assert {row.time: row.value for row in rows} == series


# ── Telegraf ────────────────────────────────────────────────────────────────────────────────────────────────

BATCH_LINES = 1_000  # metric_batch_size of an agent's defaults
SHAPES = (
    "cpu,cpu=cpu{0},host=plant-a usage_user={1}.5,usage_idle={2}.25",
    'modbus,host=plant-a,name=feeder{0},slave_id={0} p={1}.5,q=-{2}.25,state="on",ok=true',
    "mem,host=plant-b total={1}i,used={2}u",
)


def telegraf_batch(first: int) -> str:
    """Lines as an agent gathers them: several measurements with tags by key, whole numbers, texts and truths."""
    base_ns = int(START.timestamp()) * 1_000_000_000
    lines = (
        f"{SHAPES[place % 3].format(place % 8, place % 50, place % 31)} {base_ns + (first + place) * 1_000_000_000}"
        for place in range(BATCH_LINES)
    )
    return "\n".join(lines) + "\n"


async def test_batches_of_an_agent_are_stored_once_however_often_they_come(tmp_path: Any) -> None:
    batches = [telegraf_batch(first * BATCH_LINES) for first in range(3)]
    numeric = [batch.replace(',state="on",ok=true', "") for batch in batches]
    async with served_core.serve(tmp_path) as served, AsyncClient(served.address, packing="gzip") as client:
        for batch in (*numeric, numeric[-1]):
            await client.write_lines(batch)
        query = urllib.parse.urlencode({"org": "plant", "bucket": "telegraf", "precision": "ns"})
        headers = {
            "Authorization": "Token abc",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Encoding": "gzip",
            "User-Agent": "Telegraf/1.36.4",
            "Accept": "application/json",
        }
        for batch in (*numeric, numeric[0]):
            body = gzip.compress(batch.encode())
            async with served.client.post(f"/api/v2/write?{query}", data=body, headers=headers) as response:
                assert response.status == 204, await response.text()
        ready = await client.ready()
        names = [point.name async for point in client.points()]
        assert "cpu.cpu0.plant-a.usage_user" in names
        rows = await client.recorded("cpu.cpu0.plant-a.usage_user", START, START + pd.Timedelta(seconds=3000))
        assert len(rows) == sum(place % 24 == 0 for place in range(BATCH_LINES)) * 3
        assert ready.unsealed_sample_count == 3 * BATCH_LINES * 2
