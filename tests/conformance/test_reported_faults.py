"""Faults that users reported to others who compute the same, each by its tracker: none of them here."""

import pytest

from tests.support.practice import DAY, REASON, clock, load_curve_of, put_point, row_of, send, state
from tests.support.served_core import Served

HOURS = [clock(hour * 60) for hour in range(25)]


async def hourly_register(served: Served, without: frozenset[int] = frozenset()) -> None:
    """A register that rises by 9 kWh an hour, read each hour but for some."""
    await put_point(served, "r", "kWh", "register", interval="1h")
    kept = [hour for hour in range(25) if hour not in without]
    await send(served, "r", [HOURS[hour] for hour in kept], [1000.0 + 9 * hour for hour in kept])
    await state(served, "r", {"kind": "demand", "period_s": 3600, "slide_s": 3600})


async def test_amsreader_680_a_missing_hour_makes_no_false_peak(served: Served) -> None:
    await hourly_register(served, frozenset({10}))
    for period in ("day", "month"):
        row = await row_of(served, "r", period=period)
        assert row["energy"] == 216.0, "what the register counted is all there"
        assert (row["max_demand"], row["billing_demand"]["value"]) == (9.0, 9.0), "never 18"


async def test_amsreader_812_editing_an_hour_changes_the_peak(served: Served) -> None:
    await put_point(served, "e", "kWh", "interval", interval="1h", label="period_start")
    await send(served, "e", HOURS[:24], [9.0] * 12 + [30.0] + [9.0] * 11)
    assert (await row_of(served, "e", period="month"))["max_demand"] == 30.0
    body = {"kind": "correct", "times": [HOURS[12]], "values": [9.5], **REASON}
    told = await served.ask("POST", "/points/e/edits", json=body)
    assert told["changed"] == 1
    month = await row_of(served, "e", period="month")
    assert (month["max_demand"], month["energy"], month["coverage"]["manual"]) == (9.5, 216.5, 1)


async def test_myems_an_increment_after_a_gap_is_not_booked_in_the_first_slot_and_never_zero(
    served: Served,
) -> None:
    await hourly_register(served, frozenset(range(5, 10)))
    curve = await served.ask("GET", f"/points/r/load-curve?date={DAY}&interval=1h")
    assert curve["values"][:4] == [9.0] * 4
    assert curve["values"][4:10] == [None] * 6, "nothing in the first slot after it, nothing 0"
    assert curve["values"][10:] == [9.0] * 14
    row = await row_of(served, "r")
    assert (row["energy"], row["max_demand"], row["state"]) == (216.0, 9.0, "provisional")


async def test_myems_late_data_before_the_last_hour_are_computed_again(served: Served) -> None:
    await hourly_register(served, frozenset(range(5, 10)))
    before = await row_of(served, "r")
    late = list(range(5, 10))
    await send(served, "r", [HOURS[hour] for hour in late], [1000.0 + 9 * hour for hour in late])
    after = await row_of(served, "r")
    assert (after["energy"], after["state"]) == (before["energy"], "complete")
    assert after["revision"] > before["revision"]
    assert None not in (await served.ask("GET", f"/points/r/load-curve?date={DAY}&interval=1h"))["values"]


async def test_myems_a_large_increment_is_suspect_and_not_set_to_zero(served: Served) -> None:
    await put_point(served, "r", "kWh", "register", interval="1h", capacity=10.0)
    await send(served, "r", HOURS[:4], [0.0, 9.0, 500.0, 509.0])
    row = await row_of(served, "r")
    assert row["max_demand"] == 9.0, "what cannot have been is no peak"
    curve = await served.ask("GET", f"/points/r/load-curve?date={DAY}&interval=1h")
    assert (curve["values"][0], curve["values"][2]) == (9.0, 9.0)
    assert (curve["values"][1], curve["quality"][1]) == (None, "suspect"), "not 0, and not silent"
    assert row["state"] == "provisional"


@pytest.mark.parametrize(
    ("readings", "energy"),
    [
        pytest.param([4500.0, 4500.5, 0.0, 4501.0], 1.0, id="minus 4500 kWh after an outage"),
        pytest.param([862.0, 862.1, 0.0, 862.2], 0.2, id="phantom 862 kWh after an outage"),
    ],
)
async def test_home_assistant_statistics_after_outages(
    served: Served, readings: list[float], energy: float
) -> None:
    await put_point(served, "r", "kWh", "register")
    await send(served, "r", [clock(minute) for minute in (0, 15, 30, 45)], readings)
    row = await row_of(served, "r")
    assert row["energy"] == energy
    assert row["min"] >= 0.0


async def test_evcc_30592_and_30267_a_transient_zero_is_no_slot_of_53_mwh(served: Served) -> None:
    await put_point(served, "r", "kWh", "register", interval="1m")
    readings = [53_700.0 + minute / 10 for minute in range(60)]
    readings[30] = 0.0
    await send(served, "r", [clock(minute) for minute in range(60)], readings)
    row = await row_of(served, "r")
    assert (row["energy"], row["max_demand"]) == (5.9, 6.0)
    curve = await served.ask("GET", f"/points/r/load-curve?date={DAY}&interval=1m")
    assert max(value for value in curve["values"] if value is not None) == pytest.approx(6.0)


async def test_iobroker_594_a_counter_of_32_bits_overflows(served: Served) -> None:
    await put_point(served, "r", "Wh", "register", capacity=20_000.0)
    await state(served, "r", {"kind": "register", "modulus": 4_294_967_296, "resolution": 1})
    await state(served, "r", {"kind": "demand", "slide_s": 900})
    await send(
        served, "r", [clock(minute) for minute in (0, 15, 30)], [4_294_966_296.0, 4_294_967_196.0, 400.0]
    )
    row = await row_of(served, "r")
    assert (row["energy"], row["events"]) == (1400.0, "rollover")


async def test_opennem_652_a_slower_feed_makes_no_false_record(served: Served) -> None:
    await put_point(served, "g", "MW", "mean_power", interval="5m", label="period_start")
    fast = [minute for minute in range(0, 1440, 5) if minute % 15 == 0]
    slow = [minute for minute in range(0, 1440, 5) if minute % 15]
    since = (await served.ask("GET", "/changes"))["next"]
    await send(served, "g", [clock(minute) for minute in fast], [100.0] * len(fast))
    early = await row_of(served, "g")
    assert (early["max_demand"], early["min"]) == (None, None), "a third of a quarter is no record"
    assert early["state"] == "provisional"
    await send(served, "g", [clock(minute) for minute in slow], [700.0] * len(slow))
    row = await row_of(served, "g")
    assert (row["max_demand"], row["min"], row["energy"]) == (500.0, 500.0, 12_000.0)
    assert (row["state"], row["revision"] > early["revision"]) == ("complete", True)
    told = (await served.ask("GET", f"/changes?since={since}"))["changes"]
    assert [(one["point"], one["date"], one["revision"]) for one in told][-1] == ("g", DAY, row["revision"])
    assert told[-1]["is_complete"]


async def test_opennem_652_the_sum_of_a_station_says_who_is_missing(served: Served) -> None:
    for name in ("fast", "slow"):
        await put_point(served, name, "MW", "mean_power", station="s", label="period_start")
    times = [clock(minute) for minute in range(0, 1440, 15)]
    await send(served, "fast", times, [100.0] * 96)
    curve = await served.ask("GET", f"/load-curve?station=s&date={DAY}")
    assert curve["missing_points"] == [1] * 96
    await send(served, "slow", times, [300.0] * 96)
    curve = await served.ask("GET", f"/load-curve?station=s&date={DAY}")
    assert (curve["missing_points"], curve["summary"]["min"]) == ([0] * 96, 400.0)


async def test_mobius_120_a_clock_that_went_back_loses_nothing(served: Served) -> None:
    await put_point(served, "p", "kW", "mean_power", label="period_start")
    times = [clock(minute) for minute in range(0, 1440, 15)]
    await send(served, "p", times[48:], [1.0] * 48)
    await send(served, "p", times[:48], [1.0] * 48)
    row = await row_of(served, "p")
    assert (row["energy"], row["coverage"]["received"]) == (24.0, 96)


async def test_openems_2043_what_is_sent_again_changes_nothing(served: Served) -> None:
    await hourly_register(served)
    before, curve = await row_of(served, "r"), await load_curve_of(served, "r")
    series = [{"point": "r", "times": HOURS, "values": [1000.0 + 9 * hour for hour in range(25)]}]
    answer = await served.ask("POST", "/ingest", json={"series": series})
    assert (answer["accepted"], answer["duplicate"]) == (0, 25)
    assert await row_of(served, "r") == before
    assert await load_curve_of(served, "r") == curve
