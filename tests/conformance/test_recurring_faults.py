"""The ten faults that recur in every historian's tracker, each by its name: none of them here.

Where a whole tree of tests is about one of them, the test here is a small witness and names that tree.
"""

import asyncio
import datetime
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from historian.store import segment_layout
from historian.store.segment import Segment
from tests.support.practice import (
    CURVE,
    DAY,
    REASON,
    clock,
    load_curve_of,
    put_point,
    row_of,
    send,
    send_curve,
    state,
    valley_calendar,
)
from tests.support.served_core import Served, serve
from tests.support.server_process import ServerProcess
from tests.support.site import AT_ALL_TIMES

QUARTERS = [clock(minute) for minute in range(0, 1440, 15)]
GOLDEN = Path(__file__).parents[1] / "golden"


# ── 1. Late data must change every derived number ────────────────────────────────────────────────────────────


async def derived(served: Served, name: str) -> dict[str, Any]:
    """Every number that is made from a day of a point."""
    periods = {period: await row_of(served, name, period=period) for period in ("day", "month", "year")}
    curve = await load_curve_of(served, name)
    station = (await served.ask("GET", f"/load-curve?station=s&date={DAY}"))["summary"]
    return {
        **{f"{period} energy": row["energy"] for period, row in periods.items()},
        **{f"{period} maximum": row["max_demand"] for period, row in periods.items()},
        **{f"{period} revision": row["revision"] for period, row in periods.items()},
        **{f"{period} received": row["coverage"]["received"] for period, row in periods.items()},
        "valley": periods["day"]["tou"]["valley"],
        "demand": periods["day"]["billing_demand"]["value"],
        "curve": curve["values"][4],
        "curve's maximum": curve["summary"]["max"],
        "station's energy": station["energy"],
        "station's maximum": station["max"],
    }


async def billed_point(served: Served) -> None:
    await valley_calendar(served)
    await put_point(served, "p", "kW", "mean_power", label="period_start", station="s")
    await state(served, "p", {"kind": "tariff", "calendar": "valley-0-8"})
    await state(served, "p", {"kind": "demand", "slide_s": 900})


async def test_1_late_data_change_every_derived_number(served: Served) -> None:
    await billed_point(served)
    await send(served, "p", QUARTERS[:4] + QUARTERS[5:], [40.0] * 95)
    before = await derived(served, "p")
    await send(served, "p", [QUARTERS[4]], [400.0])
    after = await derived(served, "p")
    assert [name for name in before if before[name] == after[name]] == []
    assert (after["day energy"], after["month energy"], after["valley"]) == (1050.0, 1050.0, 410.0)


async def test_1_a_late_sample_is_announced_within_seconds_though_nobody_asks(served: Served) -> None:
    await put_point(served, "p", "kW", "mean_power", label="period_start")
    since = (await served.ask("GET", "/changes"))["next"]
    await send(served, "p", QUARTERS, [40.0] * 96)
    async with asyncio.timeout(10):
        told = await served.ask("GET", f"/changes?since={since}")
        while not told["changes"]:
            await asyncio.sleep(0.05)
            told = await served.ask("GET", f"/changes?since={since}")
    (change,) = told["changes"]
    assert (change["point"], change["date"], change["is_complete"]) == ("p", DAY, True)


# ── 2. No data ≠ 0 ≠ the last value ──────────────────────────────────────────────────────────────────────────


async def test_2_no_data_is_not_zero_and_not_the_last_value(served: Served) -> None:
    await put_point(served, "p", "kW", "mean_power", label="period_start")
    await send(served, "p", QUARTERS[:8], [5.0] * 4 + [0.0] * 4)
    curve = await load_curve_of(served, "p")
    assert curve["values"][:10] == [5.0] * 4 + [0.0] * 4 + [None, None]
    assert set(curve["states"][8:]) == {"missing"}
    assert (await row_of(served, "p"))["min"] == 0.0, "measured zeros count"
    nothing = await row_of(served, "p", "2026-01-06")
    figures = ("energy", "max_demand", "min", "mean", "load_factor")
    assert [nothing[name] for name in figures] == [None] * 5
    (latest,) = (await served.ask("GET", "/latest?points=p"))["latest"]
    assert latest["is_stale"]


async def test_2_a_gap_is_told_with_its_cause(served: Served) -> None:
    await put_point(served, "p", "kW", "instantaneous", source="gateway-7")
    await send(served, "p", QUARTERS[:8] + QUARTERS[16:], [5.0] * 88)
    start, end = (
        int(datetime.datetime.fromisoformat(QUARTERS[place]).timestamp() * 1e6) for place in (8, 16)
    )
    journal = served.parts.journal
    journal.outage_began("gateway-7", start - 300_000_000, "link_down", "no answer")
    journal.outage_ended("gateway-7", end)
    query = {"start": QUARTERS[0], "end": clock(1440)}
    (gap,) = (await served.ask("GET", "/points/p/gaps", params=query))["gaps"]
    assert (gap["missing_count"], gap["cause"], gap["detail"]) == (8, "link_down", "no answer")


# ── 3. Acknowledged means on disk, and power loss must not stop the start (tests/crash) ──────────────────────


async def test_3_what_was_acknowledged_is_there_after_a_kill(
    tmp_path: Path, start_server: Callable[..., ServerProcess]
) -> None:
    config = tmp_path / "historian.toml"
    config.write_text("substations = []\n")
    body = {"unit": "kW", "kind": "mean_power", "time_zone": "Asia/Shanghai", "label": "period_start"}
    series = {"series": [{"point": "p", "times": QUARTERS, "values": CURVE}]}
    async with aiohttp.ClientSession() as session:
        server = start_server(tmp_path / "data", config)
        await server.wait_ready(session)
        async with session.put(f"{server.base}/api/v1/points/p", json=body) as made:
            assert made.status == 201
        async with session.post(f"{server.base}/api/v1/ingest", json=series) as answer:
            assert (await answer.json())["accepted"] == 96
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        again = start_server(tmp_path / "data", config)
        await again.wait_ready(session)
        query = f"points=p&from={DAY}&to=2026-01-06"
        async with session.get(f"{again.base}/api/v1/rollups?{query}") as reply:
            (row,) = (await reply.json())["rows"]
        assert (row["energy"], row["coverage"]["received"], row["state"]) == (1760.0, 96, "complete")


# ── 4. Local days and months, with clock changes and leap years ──────────────────────────────────────────────


@pytest.mark.parametrize(
    ("zone", "day", "quarters"),
    [
        pytest.param("Asia/Shanghai", "2026-01-05", 96, id="China"),
        pytest.param("Asia/Shanghai", "1986-05-04", 92, id="China in 1986"),
        pytest.param("Europe/Berlin", "2026-03-29", 92, id="spring"),
        pytest.param("Europe/Berlin", "2025-10-26", 100, id="autumn"),
        pytest.param("Australia/Lord_Howe", "2026-04-05", 98, id="half an hour"),
        pytest.param("Asia/Kathmandu", "2026-03-29", 96, id="quarter to"),
        pytest.param("Pacific/Apia", "2011-12-30", 0, id="a date that never was"),
        pytest.param("Europe/Berlin", "2024-02-29", 96, id="leap day"),
    ],
)
async def test_4_a_local_day_has_its_own_length(tmp_path: Path, zone: str, day: str, quarters: int) -> None:
    async with serve(tmp_path, AT_ALL_TIMES) as served:
        await put_point(served, "e", "kWh", "interval", label="period_start", time_zone=zone)
        noon = datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")
        times = [(noon + datetime.timedelta(minutes=15 * step)).isoformat() for step in range(-200, 200)]
        await send(served, "e", times, [1.0] * 400)
        row = await row_of(served, "e", day)
        assert row["coverage"]["expected"] == row["coverage"]["received"] == quarters
        assert row["energy"] == (quarters or None)


@pytest.mark.parametrize(
    ("period", "first", "energy"), [("month", "2024-02-01", 696.0), ("year", "2024-01-01", 8784.0)]
)
async def test_4_a_leap_year_has_366_days(served: Served, period: str, first: str, energy: float) -> None:
    await put_point(served, "e", "kWh", "interval", interval="1h", label="period_start")
    start = datetime.datetime.fromisoformat("2023-12-31T00:00:00+08:00")
    times = [(start + datetime.timedelta(hours=hour)).isoformat() for hour in range(368 * 24)]
    await send(served, "e", times, [1.0] * len(times))
    assert (await row_of(served, "e", first, period=period))["energy"] == energy


# ── 5. Counters: rollover, reset, exchange, transient zero, spike ────────────────────────────────────────────


@pytest.mark.parametrize(
    ("readings", "terms", "energy", "highest"),
    [
        pytest.param(
            [999_999.0, 999_999.5, 0.25, 0.5], [{"kind": "register", "modulus": 1e6}], 1.5, 3.0, id="rollover"
        ),
        pytest.param([500.0, 500.5, 0.25, 0.5], [{"kind": "reset"}], 1.0, 2.0, id="reset"),
        pytest.param(
            [500.0, 500.5, 7.25, 7.5], [{"kind": "exchange", "old_end": 500.75, "new_start": 7.0}], 1.25, 2.0,
            id="exchange",
        ),
        pytest.param([53_700.0, 53_700.5, 0.0, 53_701.0], [], 1.0, 2.0, id="transient zero: not 53.7 MWh"),
        # What lies across a spike is not known: less is counted, never more.
        pytest.param([53_700.0, 53_700.5, 999_999.0, 53_701.0], [], 0.5, 2.0, id="spike"),
    ],
)  # fmt: skip
async def test_5_a_counter_is_not_believed_blindly(
    served: Served, readings: list[float], terms: list[dict[str, object]], energy: float, highest: float
) -> None:
    await put_point(served, "r", "kWh", "register", capacity=10.0)
    for term in terms:
        is_event = term["kind"] != "register"
        await state(served, "r", term, clock(22) if is_event else clock(0, "2025-01-01"))
    await send(served, "r", [clock(minute) for minute in (0, 15, 30, 45)], readings)
    row = await row_of(served, "r")
    assert (row["energy"], row["max_demand"]) == (energy, highest)
    assert row["min"] >= 0.0
    month = await row_of(served, "r", period="month")
    assert (month["energy"], month["max_demand"]) == (energy, highest)


# ── 6. Many series in one call, no hidden cap, stable pages ──────────────────────────────────────────────────


async def test_6_thousands_of_series_are_one_call(served: Served) -> None:
    drafts = [
        {"name": f"m{place:04d}", "unit": "kWh", "kind": "interval", "interval": "1d", "station": "s"}
        for place in range(3000)
    ]
    await served.ask("POST", "/points", json=drafts)
    series = [{"point": one["name"], "times": [clock(0)], "values": [1.0]} for one in drafts]
    assert (await served.ask("POST", "/ingest", json={"series": series}))["accepted"] == 3000
    rows = (await served.ask("GET", f"/rollups?station=s&from={DAY}&to=2026-01-06"))["rows"]
    assert [row["point"] for row in rows] == [one["name"] for one in drafts]
    assert {row["energy"] for row in rows} == {1.0}
    assert len((await served.ask("GET", "/latest?station=s"))["latest"]) == 3000


async def test_6_pages_are_stable_while_points_are_added(served: Served) -> None:
    for place in range(30):
        await put_point(served, f"a{place:02d}", "kW", "mean_power")
    seen, cursor = [], ""
    for turn in range(100):
        page = await served.ask("GET", "/points?limit=7" + (f"&cursor={cursor}" if cursor else ""))
        seen += [one["name"] for one in page["points"]]
        await put_point(served, f"b{turn:02d}", "kW", "mean_power")
        cursor = page.get("next") or ""
        if not cursor or len(seen) > 60:
            break
    assert seen[:30] == [f"a{place:02d}" for place in range(30)]
    assert len(seen) == len(set(seen)), "nothing twice"


async def test_6_what_is_too_much_is_refused_before_any_work(served: Served) -> None:
    await put_point(served, "p", "kW", "mean_power")
    answer = await served.ask("GET", "/rollups?points=p&from=0001-01-01&to=9999-01-01", 422)
    assert answer["code"] == "query_too_large"
    assert "1000000" in answer["detail"]


# ── 7. Maintenance must not disturb (tests/crash, tests/e2e/test_tools_live.py) ──────────────────────────────


async def test_7_sealing_and_merging_beside_ingest_lose_nothing(served: Served) -> None:
    await put_point(served, "p", "kW", "mean_power", label="period_start")

    async def ingest() -> None:
        for first in range(0, 96, 4):
            await send(served, "p", QUARTERS[first : first + 4], CURVE[first : first + 4])

    async def maintain() -> None:
        for _ in range(4):
            await served.seal()
            await served.merge()

    await asyncio.gather(ingest(), maintain())
    row = await row_of(served, "p")
    assert (row["energy"], row["coverage"]["received"]) == (1760.0, 96)


# ── 8. Impossible stamps are fenced, seen, and can be erased ─────────────────────────────────────────────────


async def test_8_impossible_stamps_change_nothing_and_can_be_erased(served: Served) -> None:
    await put_point(served, "p", "kW", "mean_power", label="period_start")
    await send(served, "p", QUARTERS, CURVE)
    wrong = ["1970-01-01T00:00:00Z", "2036-02-07T06:28:16Z"]
    series = [{"point": "p", "times": wrong, "values": [1e9, 1e9]}]
    answer = await served.ask("POST", "/ingest", json={"series": series})
    assert (answer["accepted"], answer["quarantined"]) == (0, 2)
    (latest,) = (await served.ask("GET", "/latest?points=p"))["latest"]
    assert latest["time"] == "2026-01-05T15:45:00Z", "newest is not what came last"
    assert (await row_of(served, "p", "2036-02-07"))["energy"] is None
    held = (await served.ask("GET", "/quarantine"))["entries"]
    assert {one["code"] for one in held} == {"time_too_old", "time_in_future"}
    body = {"ids": [one["id"] for one in held], "reason": "clock without battery"}
    await served.ask("POST", "/quarantine/erase", json=body)
    assert (await served.ask("GET", "/quarantine"))["entries"] == []


# ── 9. Ids never change, names may ───────────────────────────────────────────────────────────────────────────


async def test_9_a_renamed_point_keeps_its_history(served: Served) -> None:
    await put_point(served, "old", "kW", "mean_power", label="period_end")
    await send_curve(served, "old", CURVE)
    before, number = await row_of(served, "old"), (await served.ask("GET", "/points/old"))["id"]
    renamed = await served.ask("PATCH", "/points/old", json={"name": "new"})
    assert (renamed["name"], renamed["id"]) == ("new", number)
    assert await row_of(served, "new") == {**before, "point": "new"}
    assert (await served.ask("GET", f"/points/old/load-curve?date={DAY}"))["renamed_to"] == "new"
    assert (await row_of(served, str(number)))["energy"] == 1760.0


# ── 10. An upgrade reads the old files, a backup is free (tests/golden, tests/e2e/test_tools_live.py) ────────


def test_10_files_of_every_format_that_ever_was_are_kept_and_read() -> None:
    versions = sorted(int(path.stem.removeprefix("segment-")) for path in GOLDEN.glob("segment-*.h5"))
    assert versions == list(range(1, segment_layout.FORMAT_VERSION + 1)), "a new format adds files here"
    for version in versions:
        assert Segment(GOLDEN / f"segment-{version}.h5").sample_counts.sum() > 0


async def test_10_corrections_do_not_change_the_past(served: Served) -> None:
    await put_point(served, "p", "kW", "mean_power", label="period_start")
    await send(served, "p", QUARTERS, CURVE)
    body = {"kind": "correct", "times": [QUARTERS[0]], "values": [44.0], **REASON}
    await served.ask("POST", "/points/p/edits", json=body)
    revisions = await served.ask("GET", f"/points/p/revisions?time={QUARTERS[0].replace('+', '%2B')}")
    assert [one["value"] for one in revisions["revisions"]] == [40.0, 44.0]
    assert (await row_of(served, "p"))["energy"] == 1761.0
