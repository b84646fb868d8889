"""The worked examples of time-of-use calendars, billing periods, coal and carbon, each by its name."""

import datetime
from fractions import Fraction
from typing import Any

import pytest

from historian import resources
from historian.catalogue import factor_files
from historian.energy import carbon
from historian.energy.carbon import FactorAsk
from historian.errors import FactorError
from historian.model.factor import Factor, FactorTable
from tests.support.practice import (
    Row,
    clock,
    put_point,
    row_of,
    send,
    state,
)
from tests.support.served_core import Served

# ── Time-of-use calendars ────────────────────────────────────────────────────────────────────────────────────


def bands_at(reply: Row) -> dict[str, str]:
    """``07:30-10:30`` → band, by the clock in China."""
    stretches = {}
    for one in reply["bands"]:
        start, end = (
            (datetime.datetime.fromisoformat(one[edge]) + datetime.timedelta(hours=8)).strftime("%H:%M")
            for edge in ("start", "end")
        )
        stretches[f"{start}-{'24:00' if end == '00:00' else end}"] = one["band"]
    return stretches


@pytest.mark.parametrize(
    ("tariff", "day", "options", "expected"),
    [
        pytest.param(
            "CN-11-2023", "2026-07-08", "sharp_100kva_1kv",
            "00:00-07:00 valley 07:00-10:00 flat 10:00-11:00 peak 11:00-13:00 sharp 13:00-16:00 flat 16:00-17:00 sharp "
            "17:00-22:00 peak 22:00-23:00 flat 23:00-24:00 valley", id="Beijing: sharp 16-17 replaces flat",
        ),
        pytest.param(
            "CN-11-2023", "2026-01-08", "sharp_100kva_1kv",
            "00:00-07:00 valley 07:00-10:00 flat 10:00-13:00 peak 13:00-17:00 flat 17:00-18:00 peak 18:00-21:00 sharp "
            "21:00-22:00 peak 22:00-23:00 flat 23:00-24:00 valley", id="Beijing in winter",
        ),
        pytest.param(
            "CN-32-2025", "2026-06-10", "",
            "00:00-06:00 valley 06:00-11:00 flat 11:00-13:00 valley 13:00-14:00 flat 14:00-22:00 peak 22:00-24:00 flat",
            id="Jiangsu in summer",
        ),
        pytest.param(
            "CN-32-2025", "2026-04-15", "",
            "00:00-02:00 flat 02:00-06:00 valley 06:00-10:00 flat 10:00-14:00 valley 14:00-15:00 flat 15:00-22:00 peak "
            "22:00-24:00 flat", id="Jiangsu in spring: flat across midnight",
        ),
        pytest.param(
            "CN-32-2025", "2026-07-08", "industrial_315kva",
            "00:00-06:00 valley 06:00-11:00 flat 11:00-13:00 valley 13:00-14:00 flat 14:00-15:00 sharp 15:00-19:30 peak "
            "19:30-21:30 sharp 21:30-22:00 peak 22:00-24:00 flat", id="Jiangsu, sharp at half hours",
        ),
        pytest.param(
            "CN-21-2023", "2026-03-10", "",
            "00:00-05:00 valley 05:00-07:30 flat 07:30-10:30 peak 10:30-11:30 flat 11:30-12:30 valley 12:30-16:00 flat "
            "16:00-21:00 peak 21:00-22:00 flat 22:00-24:00 valley", id="Liaoning: half hours",
        ),
        pytest.param(
            "CN-12-2025", "2026-07-08", "",
            "00:00-01:00 flat 01:00-09:00 valley 09:00-15:00 flat 15:00-20:00 peak 20:00-22:00 sharp 22:00-23:00 peak "
            "23:00-24:00 flat", id="Tianjin in summer",
        ),
        pytest.param(
            "CN-12-2025", "2026-02-10", "",
            "00:00-06:00 valley 06:00-08:00 flat 08:00-10:00 peak 10:00-12:00 flat 12:00-14:00 valley 14:00-16:00 flat "
            "16:00-18:00 peak 18:00-20:00 sharp 20:00-22:00 peak 22:00-24:00 flat", id="Tianjin in winter",
        ),
    ],
)  # fmt: skip
async def test_a_policy_lays_out_its_day(
    served: Served, tariff: str, day: str, options: str, expected: str
) -> None:
    query = {"date": day, "tz": "Asia/Shanghai"} | ({"options": options} if options else {})
    found = bands_at(await served.ask("GET", f"/tariffs/{tariff}/day", params=query))
    words = expected.split()
    assert found == dict(zip(words[::2], words[1::2], strict=True))


async def test_beijings_summer_sharp_replaces_flat_in_the_energy(served: Served) -> None:
    await put_point(served, "p", "kW", "mean_power", label="period_start")
    day = "2026-07-08"
    await send(served, "p", [clock(minute, day) for minute in range(0, 1440, 15)], [100.0] * 96)
    await state(served, "p", {"kind": "tariff", "calendar": "CN-11-2023", "options": ["sharp_100kva_1kv"]})
    row = await row_of(served, "p", day)
    expected = {"sharp": 300.0, "peak": 600.0, "flat": 700.0, "valley": 800.0, "deep_valley": 0.0}
    assert row["tou"] == {**expected, "undivided": 0.0}
    await state(served, "p", {"kind": "tariff", "calendar": "CN-11-2023"}, "2026-07-01T00:00:00+08:00")
    row = await row_of(served, "p", day)
    expected = {"sharp": 0.0, "peak": 800.0, "flat": 800.0, "valley": 800.0, "deep_valley": 0.0}
    assert row["tou"] == {**expected, "undivided": 0.0}, "an account below 100 kVA has no sharp band"


async def test_bands_never_make_up_the_total_by_force(served: Served) -> None:
    await put_point(served, "h", "kWh", "interval", interval="1h", label="period_start")
    await send(served, "h", [clock(hour * 60, "2026-03-10") for hour in range(24)], [10.0] * 24)
    await state(served, "h", {"kind": "tariff", "calendar": "CN-21-2023"})
    row = await row_of(served, "h", "2026-03-10")
    tou = row["tou"]
    # Hours across 07:30, 10:30, 11:30 and 12:30 are in no band.
    assert (tou["peak"], tou["flat"], tou["valley"], tou["undivided"]) == (70.0, 60.0, 70.0, 40.0)
    assert row["energy"] == 240.0


async def test_a_billing_month_is_explicit_and_not_the_calendars(served: Served) -> None:
    await put_point(served, "e", "kWh", "interval", interval="1d", label="period_start")
    await send(served, "e", [clock(day * 1440) for day in range(60)], [1.0] * 60)
    await state(served, "e", {"kind": "billing", "cutoff_day": 20})
    row = await row_of(served, "e", "2026-01-25", period="billing")
    assert (row["period_start"], row["period_end"]) == ("2026-01-19T16:00:00Z", "2026-02-19T16:00:00Z")
    assert (row["energy"], row["coverage"]["expected"]) == (31.0, 31)
    assert (await row_of(served, "e", "2026-01-25", period="month"))["energy"] == 27.0


# ── Coal and carbon ──────────────────────────────────────────────────────────────────────────────────────────

FACTORS = factor_files.load_factors([resources.config_dir() / "standard" / "factors.toml"])


def factor_of(
    basis: Any, region: str = "CN", year: int = 2022, carrier: str = "electricity", technology: str = ""
) -> carbon.Chosen:
    return carbon.choose(FACTORS, FactorAsk(carrier, basis, region, year, technology))


GRIDS = ("north", "northeast", "east", "central", "northwest", "south", "southwest")


@pytest.mark.parametrize(
    ("year", "national", "market", "fossil", "grids"),
    [
        (2021, "0.5568", "0.5942", "0.8426", "0.7120 0.6012 0.5992 0.5354 0.5951 0.4326 0.2113"),
        (2022, "0.5366", "0.5856", "0.8325", "0.6776 0.5564 0.5617 0.5395 0.5857 0.3869 0.2268"),
        (2023, "0.5306", "0.6096", "0.8273", "0.6361 0.5122 0.5500 0.5271 0.5543 0.4042 0.2472"),
    ],
)
def test_published_grid_factors(year: int, national: str, market: str, fossil: str, grids: str) -> None:
    found = {
        national: factor_of("location", year=year),
        market: factor_of("market", year=year),
        fossil: factor_of("location", year=year, technology="fossil"),
    } | {
        value: factor_of("location", f"CN-grid-{grid}", year)
        for grid, value in zip(GRIDS, grids.split(), strict=True)
    }
    for value, chosen in found.items():
        assert carbon.convert(Fraction(1), "kWh", chosen).amount_kg == Fraction(value)


@pytest.mark.parametrize(
    ("amount", "unit", "chosen", "kilograms"),
    [
        pytest.param(1, "kWh", factor_of("equivalent"), "0.1229", id="0.1229 kgce/kWh, not 3.6/29.3076"),
        pytest.param(10_000, "kWh", factor_of("equal_value"), "4040", id="equal value: 4.04 tce, not 40.4"),
        pytest.param(1, "MJ", factor_of("equivalent", carrier="heat"), "0.03412", id="heat"),
        pytest.param(1, "t", factor_of("medium", carrier="fresh_water"), "0.2571", id="water"),
        pytest.param(1, "m3", factor_of("combustion", carrier="natural_gas"), "2.1622", id="gas, CO2"),
        pytest.param(1, "GJ", factor_of("supply", carrier="heat"), "110", id="bought heat, CO2"),
    ],
)
def test_published_coal_and_fuel_factors(
    amount: int, unit: str, chosen: carbon.Chosen, kilograms: str
) -> None:
    assert carbon.convert(Fraction(amount), unit, chosen).amount_kg == Fraction(kilograms)


def test_gas_factor_is_its_own_product() -> None:
    product = Fraction("38.931") * Fraction("15.3") / 1000 * Fraction("0.99") * Fraction(44, 12)
    assert round(float(product), 4) == 2.1622


def test_factors_that_vary_in_time_multiply_hour_by_hour_40_not_55() -> None:
    hourly = [carbon.Chosen(_hourly_factor(value), False) for value in (1.0, 0.8, 0.2, 0.2)]
    amounts = [Fraction(kwh) for kwh in (10, 20, 30, 40)]
    assert carbon.convert_intervals(amounts, "kWh", hourly).amount_kg == 40
    mean = carbon.Chosen(_hourly_factor(0.55), False)
    assert carbon.convert(sum(amounts, Fraction()), "kWh", mean).amount_kg == 55, "which would be wrong"


def _hourly_factor(value: float) -> Factor:
    table = FactorTable(
        id="hourly", version=1, carrier="electricity", basis="location", unit="kgCO2/kWh", source="s", confidence="high",
        values={"CN": value}, year=2022,
    )  # fmt: skip
    return table.factors()[0]


def test_bases_of_coal_never_mix_and_export_is_no_negative_use() -> None:
    one, other = (
        carbon.convert(Fraction(1), "kWh", factor_of(basis)) for basis in ("equivalent", "equal_value")
    )
    with pytest.raises(FactorError, match="not added"):
        carbon.add([one, other])
    with pytest.raises(FactorError, match="export"):
        carbon.convert(Fraction(-1), "kWh", factor_of("location"))


def test_two_years_late_factors_are_provisional_and_say_so() -> None:
    ask = FactorAsk("electricity", "location", "CN", 2025)
    with pytest.raises(FactorError, match="2025"):
        carbon.choose(FACTORS, ask)
    assert carbon.choose(FACTORS, ask, may_be_provisional=True).is_provisional
