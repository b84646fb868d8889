"""Dual-energy checks over HTTP: a wrong ratio, swapped words, a frozen register; both series are kept."""

from typing import Any

import numpy as np
import pytest

from tests.unit.api.conftest import Api

T0_MS = 1795104000000  # 2026-11-20T00:00:00+08:00
QUARTER_MS = 900_000
CHECKS = "/api/v1/checks?points=R&from=2026-11-20&to=2026-11-21"


async def state(api: Api, point: str, status: int = 201, /, **term: object) -> Any:
    body = {"term": term, "valid_from": "2020-01-01T00:00:00+08:00", "reason": "as built"}
    response = await api.client.post(f"/api/v1/points/{point}/terms", json=body)
    assert response.status == status, await response.text()
    return await response.json()


async def put_power(api: Api, value: float = 400.0, **more: Any) -> None:
    await api.put_point("P", "kW", "mean_power", **more)
    times = [T0_MS + i * QUARTER_MS for i in range(96)]
    await api.ingest({"point": "P", "times": times, "values": [value] * 96})


async def put_register(api: Api, step: float, **more: Any) -> None:
    await api.put_point("R", "kWh", "register", **more)
    times = [T0_MS + i * QUARTER_MS for i in range(97)]
    await api.ingest({"point": "R", "times": times, "values": [5.0 + step * i for i in range(97)]})
    await state(api, "R", kind="check", point="P")


async def row_of(api: Api) -> Any:
    (row,) = (await api.get_json(CHECKS))["rows"]
    return row


async def test_two_that_agree(api: Api) -> None:
    await put_power(api)
    await put_register(api, 1.25, multiplier=80)
    row = await row_of(api)
    assert (row["point"], row["other"], row["unit"]) == ("R", "P", "kWh")
    assert (row["energy"], row["other_energy"], row["residual"], row["ratio"]) == (9600.0, 9600.0, 0.0, 1.0)
    assert (row["limit"], row["tolerance"], row["steps"]) == (480.0, 0.05, 3)
    assert (row["is_exceeded"], row["suggestions"], row["state"]) == (False, [], "complete")


@pytest.mark.parametrize(
    ("of_register", "of_power", "expected"),
    [
        pytest.param(80, 1, ("multiplier_applied_twice", "R"), id="applied twice"),
        pytest.param(1, 80, ("multiplier_never_applied", "R"), id="never applied"),
    ],
)
async def test_a_ratio_of_current_transformers_that_is_wrong(
    api: Api, of_register: float, of_power: float, expected: tuple[str, str]
) -> None:
    """100 kWh a quarter. The register shows primary values, or nobody said that it shows secondary ones."""
    await put_power(api, 400.0 / of_power, multiplier=of_power)
    await put_register(api, 100.0 if of_register == 80 else 1.25, multiplier=of_register)
    row = await row_of(api)
    assert row["is_exceeded"]
    assert row["residual"] == row["energy"] - row["other_energy"]
    assert expected in [(one["kind"], one["point"]) for one in row["suggestions"]]


async def test_a_ratio_that_is_off_by_half_is_told_without_a_guess(api: Api) -> None:
    await put_power(api)
    await put_register(api, 1.25, multiplier=120)
    row = await row_of(api)
    assert (row["is_exceeded"], row["ratio"], row["suggestions"]) == (True, 1.5, [])


async def test_a_frozen_register(api: Api) -> None:
    await put_power(api)
    await put_register(api, 0.0, multiplier=80)
    row = await row_of(api)
    assert (row["energy"], row["other_energy"], row["is_exceeded"]) == (0.0, 9600.0, True)
    assert [(one["kind"], one["point"]) for one in row["suggestions"]] == [("frozen_register", "R")]


async def test_swapped_words(api: Api) -> None:
    await put_power(api)
    await put_register(api, 65536.0 * 3)
    await state(api, "R", kind="register", resolution=1.0)
    row = await row_of(api)
    assert row["is_exceeded"]
    assert ("swapped_words", "R") in [(one["kind"], one["point"]) for one in row["suggestions"]]


async def test_times_that_differ_are_not_compared(api: Api) -> None:
    await put_power(api)
    await put_register(api, 1.25, multiplier=80)
    body = {
        "kind": "delete",
        "start": "2026-11-20T00:00:00+08:00",
        "end": "2026-11-20T06:00:00+08:00",
        "reason": "x",
    }
    response = await api.client.post("/api/v1/points/P/edits", json=body)
    assert response.status == 200, await response.text()
    row = await row_of(api)
    assert (row["is_exceeded"], row["warnings"], row["state"]) == (
        None,
        ["known_times_differ"],
        "provisional",
    )
    assert (row["energy"], row["other_energy"]) == (9600.0, 7200.0)


async def test_both_series_stay_as_they_are(api: Api) -> None:
    await put_power(api)
    await put_register(api, 0.0)
    await row_of(api)
    rows = (await api.get_json("/api/v1/rollups?points=R,P&from=2026-11-20&to=2026-11-21"))["rows"]
    assert [row["energy"] for row in rows] == [0.0, 9600.0]
    assert [row["coverage"]["good"] for row in rows] == [96, 96]


async def test_what_is_not_stated_or_not_there_is_refused(api: Api) -> None:
    await put_power(api)
    await api.put_point("R", "kWh", "register")
    assert "no check is stated" in (await api.problem(CHECKS, 422, "query-refused"))["detail"]
    await state(api, "R", 404, kind="check", point="nobody")
    await api.put_point("V", "V")
    await state(api, "R", kind="check", point="V")
    await api.problem(CHECKS, 422, "unit-mismatch")


async def test_nothing_known_of_one(api: Api) -> None:
    await put_power(api)
    await api.put_point("R", "kWh", "register")
    await state(api, "R", kind="check", point="P")
    row = await row_of(api)
    assert (row["energy"], row["residual"], row["warnings"]) == (None, None, ["nothing_known_of_one"])


async def test_amounts_of_intervals_agree_with_the_register_to_its_last_digits(api: Api) -> None:
    """The sum check: what is well within five per cent of an integral is too much between two forms of one count."""
    await api.put_point("P", "kWh", "interval")
    times = [T0_MS + i * QUARTER_MS for i in range(96)]
    await api.ingest({"point": "P", "times": times, "values": [1.25] * 95 + [1.27]})
    await put_register(api, 1.25)
    await state(api, "R", kind="register", resolution=0.01)
    row = await row_of(api)
    assert (row["limit"], row["is_exceeded"]) == (0.02, False)
    await api.ingest({"point": "P", "times": times[-1:], "values": [1.28]})
    api.context.rollup.mark(np.array([1], np.uint32), np.array(times[-1:], np.int64) * 1000)
    row = await row_of(api)
    assert (round(row["residual"], 6), row["is_exceeded"]) == (-0.03, True)
