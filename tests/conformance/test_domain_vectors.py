"""The worked examples of metering practice, each by its name, through HTTP: load curves, demand, registers, freezes.

Calendars, coal and carbon are in test_tariff_vectors.py.
"""

import pytest

from historian.errors import TimeError
from historian.model import timestamp
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
from tests.support.served_core import Served

# ── Load curves ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_load_curve_of_1760_kwh_and_its_indicators(served: Served) -> None:
    await put_point(served, "p", "kW", "mean_power", label="period_end")
    await send_curve(served, "p", CURVE)
    curve = await load_curve_of(served, "p")
    assert (len(curve["values"]), curve["labels"][0], curve["labels"][-1]) == (96, "00:15", "24:00")
    summary = curve["summary"]
    assert (summary["energy"], summary["energy_unit"]) == (1760.0, "kWh")
    assert (summary["max"], summary["max_start"], summary["min"]) == (100.0, "2026-01-05T00:00:00Z", 40.0)
    assert summary["mean"] == pytest.approx(73.333, abs=5e-4)
    assert summary["load_factor"] == pytest.approx(0.7333, abs=5e-5)
    assert summary["min_load_factor"] == 0.40
    assert (summary["peak_valley_difference"], summary["peak_valley_rate"]) == (60.0, 0.60)
    row = await row_of(served, "p")
    assert (row["energy"], row["max_demand"], row["load_factor"]) == (1760.0, 100.0, summary["load_factor"])


@pytest.mark.parametrize(
    ("label", "bands"),
    [
        pytest.param("period_end", {"valley": 320.0, "peak": 1200.0, "flat": 240.0}, id="as they are"),
        pytest.param("period_start", {"valley": 310.0, "peak": 1185.0, "flat": 250.0}, id="misread"),
    ],
)
async def test_valley_energy_is_320_kwh_and_labels_misread_move_a_quarter(
    served: Served, label: str, bands: dict[str, float]
) -> None:
    await valley_calendar(served)
    await put_point(served, "p", "kW", "mean_power", label=label)
    await send_curve(served, "p", CURVE)
    await state(served, "p", {"kind": "tariff", "calendar": "valley-0-8"})
    tou = (await row_of(served, "p"))["tou"]
    assert {band: tou[band] for band in bands} == bands
    assert tou["undivided"] == 0.0


@pytest.mark.parametrize("hours", [4, 2, 1], ids=["288 points", "96 twice", "48 points"])
async def test_curves_of_other_densities_have_the_same_energy(served: Served, hours: int) -> None:
    minutes = {4: 5, 2: 15, 1: 30}[hours]
    values = [CURVE[place * minutes // 15] for place in range(24 * 60 // minutes)]
    await put_point(served, "p", "kW", "mean_power", label="period_end", interval=f"{minutes}m")
    await send_curve(served, "p", values, minutes)
    curve = await load_curve_of(served, "p")
    assert curve["summary"]["energy"] == 1760.0
    assert (await row_of(served, "p"))["coverage"]["expected"] == 24 * 60 // minutes


async def test_midnight_of_a_day_is_24_00_of_the_day_before(served: Served) -> None:
    await put_point(served, "p", "kW", "mean_power", label="period_end")
    await send(served, "p", [f"{DAY}T23:45:00+08:00", f"{DAY}T24:00:00+08:00"], [7.0, 9.0])
    curve = await load_curve_of(served, "p")
    assert dict(zip(curve["labels"], curve["values"], strict=True))["24:00"] == 9.0
    assert (await row_of(served, "p", "2026-01-06"))["energy"] is None
    with pytest.raises(TimeError):
        timestamp.parse_time_us("2026-01-05T24:15:00+08:00")


async def test_energy_of_a_quarter_is_four_times_as_much_power(served: Served) -> None:
    await put_point(served, "e", "kWh", "interval", label="period_end")
    await send_curve(served, "e", [value / 4 for value in CURVE])
    summary = (await load_curve_of(served, "e"))["summary"]
    assert (summary["energy"], summary["max"], summary["min"]) == (1760.0, 100.0, 40.0)


async def test_the_sum_of_two_curves_peaks_below_the_sum_of_their_peaks(served: Served) -> None:
    for name, values in (("a", CURVE), ("b", CURVE[48:] + CURVE[:48])):
        await put_point(served, name, "kW", "mean_power", label="period_end", station="s")
        await send_curve(served, name, values)
    summary = (await served.ask("GET", f"/load-curve?station=s&date={DAY}"))["summary"]
    assert (summary["energy"], summary["max"]) == (3520.0, 160.0)
    peaks = [(await row_of(served, name))["max_demand"] for name in ("a", "b")]
    assert summary["max"] / sum(peaks) == 0.8, "the simultaneity (同时率) of the two"


# ── Demand ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("slide_s", "expected", "start"),
    [
        pytest.param(900, 206.666667, "2026-01-05T02:00:00Z", id="blocks: 206.7"),
        pytest.param(60, 300.0, "2026-01-05T02:07:00Z", id="sliding by a minute: 300"),
    ],
)
async def test_a_burst_across_two_blocks(served: Served, slide_s: int, expected: float, start: str) -> None:
    await put_point(served, "p", "kW", "mean_power", interval="1m", label="period_start")
    values = [300.0 if 607 <= minute < 622 else 100.0 for minute in range(1440)]
    await send(served, "p", [clock(minute) for minute in range(1440)], values)
    await state(served, "p", {"kind": "demand", "period_s": 900, "slide_s": slide_s})
    row = await row_of(served, "p")
    demand = row["billing_demand"]
    assert demand["value"] == pytest.approx(expected)
    assert row["max_demand"] == pytest.approx(206.666667), "the 96 never know the sliding maximum"
    assert (demand["start"], demand["slide_s"]) == (start, slide_s)


# ── Registers ────────────────────────────────────────────────────────────────────────────────────────────────


async def put_register(served: Served, *readings: tuple[int, float], **rest: object) -> None:
    await put_point(served, "r", "kWh", "register", **rest)
    times, values = zip(*readings, strict=True)
    await send(served, "r", [clock(minute) for minute in times], values)


async def test_a_rollover_of_2_75_times_8000_is_22000(served: Served) -> None:
    await put_register(served, (0, 999998.50), (15, 1.25), multiplier=8000, capacity=100_000)
    assert (await row_of(served, "r"))["energy"] is None, "no rollover is assumed that nobody stated"
    await state(served, "r", {"kind": "register", "modulus": 1_000_000, "resolution": 0.01})
    await state(served, "r", {"kind": "demand", "slide_s": 900})
    row = await row_of(served, "r")
    assert (row["energy"], row["events"], row["max_demand"]) == (22000.0, "rollover", 88000.0)


async def test_a_replacement_counts_both_meters_1400(served: Served) -> None:
    await put_register(served, (0, 1000.0), (30, 5.0), multiplier=80)
    exchanged = clock(15)
    await served.ask("PATCH", "/points/r", json={"multiplier": 120, "valid_from": exchanged})
    await state(served, "r", {"kind": "exchange", "old_end": 1010, "new_start": 0}, exchanged)
    await state(served, "r", {"kind": "demand", "slide_s": 900})
    row = await row_of(served, "r")
    assert (row["energy"], row["events"]) == (1400.0, "exchange")


async def test_a_decrease_without_event_is_suspect_and_never_negative(served: Served) -> None:
    await put_register(served, (0, 1000.0), (15, 1010.0), (30, 400.0), (45, 404.0))
    await state(served, "r", {"kind": "demand", "slide_s": 900})
    row = await row_of(served, "r")
    assert (row["energy"], row["events"], row["state"]) == (14.0, "decrease", "provisional")
    assert row["min"] >= 0
    curve = await load_curve_of(served, "r")
    assert curve["quality"][:3] == ["good", "suspect", "good"]
    assert all(value is None or value >= 0 for value in curve["values"])


async def test_a_combined_register_may_fall_where_it_is_stated(served: Served) -> None:
    await put_register(served, (0, 1000.0), (15, 1010.0), (30, 990.0))
    await state(served, "r", {"kind": "register", "is_signed": True})
    assert (await row_of(served, "r"))["energy"] == -10.0


async def test_the_multiplier_is_applied_once(served: Served) -> None:
    await put_register(served, (0, 10.0), (15, 10.01), multiplier=6000)
    row = await row_of(served, "r")
    assert row["energy"] == 60.0, "a hundredth is a step of 60 kWh, exactly"
    recorded = await served.ask("GET", "/points/r/recorded", params={"start": clock(0), "end": clock(30)})
    assert recorded["values"] == [10.0, 10.01], "what is stored is never multiplied"


async def test_a_difference_across_a_gap_is_in_the_total_only(served: Served) -> None:
    await valley_calendar(served)
    readings = [(minute, 100.0 + minute / 15) for minute in range(0, 481, 15)]
    await put_register(served, *readings, (720, 200.0), (735, 201.0))
    await state(served, "r", {"kind": "tariff", "calendar": "valley-0-8"})
    await state(served, "r", {"kind": "demand", "slide_s": 900})
    row = await row_of(served, "r")
    assert row["energy"] == 101.0
    assert (row["tou"]["valley"], row["tou"]["peak"], row["tou"]["undivided"]) == (32.0, 1.0, 68.0)
    assert (row["max_demand"], row["billing_demand"]["value"]) == (4.0, 4.0)


# ── Freeze readings ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_day_is_the_difference_of_the_freezes_at_its_two_midnights(served: Served) -> None:
    await put_point(served, "f", "kWh", "register", interval="1d", multiplier=10)
    await send(served, "f", [clock(day * 1440) for day in range(4)], [100.0, 103.0, 110.0, 111.5])
    energies = [(await row_of(served, "f", f"2026-01-0{day}"))["energy"] for day in (5, 6, 7)]
    assert energies == [30.0, 70.0, 15.0]
    month = await row_of(served, "f", period="month")
    assert month["energy"] == 115.0
    assert (await row_of(served, "f", "2026-01-04"))["energy"] is None, "off by one day would be seen here"


# ── Completeness ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_completeness_is_received_over_expected_of_each_series(served: Served) -> None:
    await put_point(served, "v", "V", "instantaneous", interval="5m")
    await send(served, "v", [clock(minute) for minute in range(0, 1440, 10)], [230.0] * 144)
    coverage = (await row_of(served, "v"))["coverage"]
    assert (coverage["received"], coverage["expected"]) == (144, 288)
    assert (coverage["measured"], coverage["estimated"], coverage["manual"]) == (144, 0, 0)


async def test_an_estimate_is_told_beside_what_was_measured(served: Served) -> None:
    await put_point(served, "e", "kWh", "interval", label="period_start")
    await send(served, "e", [clock(minute) for minute in range(0, 1440, 15) if minute != 60], [1.0] * 95)
    body = {"kind": "estimate", "times": [clock(60)], "values": [1.5], **REASON}
    await served.ask("POST", "/points/e/edits", json=body)
    row = await row_of(served, "e")
    coverage = row["coverage"]
    assert (row["energy"], coverage["measured"], coverage["estimated"]) == (96.5, 95, 1)
