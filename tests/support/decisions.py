"""Every operation that decides something, called once with what it takes, in an order in which each finds what it needs."""

from typing import Any, Final, NamedTuple

import numpy as np
from aiohttp import ClientSession

from historian.ingest.quarantine import Quarantine
from historian.model.point import DAY_US
from historian.model.ports import Outcome
from historian.model.sample import make_batch

T0_MS: Final = 1795104000000  # 2026-11-20T00:00:00+08:00
OCTOBER_MS: Final = 1793462400000 - 31 * 86_400_000  # 2026-10-01T00:00:00+08:00
QUARTER_MS: Final = 900_000
CSV_TYPE: Final = {"Content-Type": "text/csv"}
SEASON: Final = {"peak": ["08:00-20:00"], "valley": ["20:00-08:00"]}
HOT: Final = {"band": "sharp", "windows": ["12:00-14:00"], "flags": ["hot_day"]}
TABLE: Final = {
    "id": "own", "version": 1, "carrier": "electricity", "basis": "location", "unit": "kgCO2/kWh", "source": "own",
    "confidence": "high", "values": {"plant": 0.5},
}  # fmt: skip


class Decision(NamedTuple):
    """One call. `body` is JSON, or CSV where it is bytes; `new` stands among the new values of its record."""

    operation: str
    method: str
    path: str
    body: dict[str, Any] | list[Any] | bytes
    new: str = ""
    old: str = ""


DECISIONS: Final = (
    Decision("createPoints", "POST", "/points", [{"name": "m", "unit": "kW", "kind": "instantaneous"}], "m"),
    Decision("putPoint", "PUT", "/points/n", {"unit": "kW", "kind": "instantaneous"}, "n"),
    Decision("patchPoint", "PATCH", "/points/n", {"unit": "MW"}, "MW", "kW"),
    Decision("putEntity", "PUT", "/entities/water_account/W1", {"attributes": {"name": "甲"}, "reason": "r"}, "water_account W1"),
    Decision("patchEntity", "PATCH", "/entities/water_account/W1", {"attributes": {"name": "乙"}, "reason": "r"}, "乙", "甲"),
    Decision(
        "putRelation", "PUT", "/entities/metering_point/P1/relations",
        {"kind": "meter_at", "from": {"type": "meter", "id": "B"}, "valid_from": T0_MS, "exchange": True, "reason": "r"},
        "meter B", "meter A",
    ),
    Decision("postCharge", "POST", "/entities/water_account/W1/charges", {"start": "2026-01-05", "end": "2026-03-05", "amount": "86.4", "reason": "r"}, "86.4"),
    Decision("importArchive", "POST", "/archive/entities", "type,id,attribute,value\nwater_account,W1,name,丙\nmeter,C,,\n".encode(), "1 rows made, 1 changed"),
    Decision("editSamples", "POST", "/points/p/edits", {"kind": "correct", "times": [T0_MS], "values": [7.0], "reason": "r"}, "7.0", "4.0"),
    Decision("estimateSamples", "POST", "/points/p/estimates", {"start": T0_MS, "end": T0_MS + 8 * QUARTER_MS, "reason": "r"}, "2 samples"),
    Decision("lockRollups", "POST", "/rollups/locks?points=e&period=billing&cutoff_day=1&from=2026-10-01&to=2026-10-02", {"reason": "r"}, "locked"),
    Decision("unlockRollup", "POST", "/rollups/locks/1/unlock", {"reason": "r"}, old="locked"),
    Decision("recordOutage", "POST", "/outages", {"station": "S", "start": T0_MS, "end": T0_MS + 1, "cause": "missing_file", "detail": "r"}, "missing_file"),
    Decision("putTariff", "PUT", "/tariffs/day-night", {"calendar": {"id": "day-night", "version": 1, "seasons": [SEASON], "overlays": [HOT]}, "reason": "r"}, "1"),
    Decision("flagDay", "POST", "/tariffs/day-night/flags", {"date": "2026-11-20", "flag": "hot_day", "reason": "r"}, "hot_day"),
    Decision("withdrawFlag", "POST", "/tariffs/day-night/flags/1/withdraw", {"reason": "r"}, old="hot_day"),
    Decision("stateTerm", "POST", "/points/e/terms", {"term": {"kind": "tariff", "calendar": "day-night"}, "valid_from": T0_MS, "reason": "r"}, "day-night"),
    Decision("withdrawTerm", "POST", "/points/e/terms/1/withdraw", {"reason": "r"}, old="day-night"),
    Decision("putFactors", "PUT", "/factors/own", {"table": TABLE, "reason": "r"}, "own"),
    Decision("releaseQuarantined", "POST", "/quarantine/release", {"ids": [1], "shift": "-365d", "reason": "r"}, "[1]"),
    Decision("eraseQuarantined", "POST", "/quarantine/erase", {"ids": [2], "reason": "r"}, old="[2]"),
)  # fmt: skip


async def prepare(
    client: ClientSession, headers: dict[str, str], quarantine: Quarantine, now_us: int
) -> None:
    """Points `p` with a hole, `e` with October 2026, two samples in the quarantine, and entities."""
    points = (
        ("p", {"unit": "kW", "kind": "mean_power", "station": "S"}),
        ("e", {"unit": "kWh", "kind": "interval", "interval": "1h"}),
    )
    for name, body in points:
        assert (await client.put(f"/api/v1/points/{name}", json=body, headers=headers)).status == 201
    quarters = [T0_MS + place * QUARTER_MS for place in (0, 1, 4, 5, 6, 7)]
    days = [OCTOBER_MS + day * 86_400_000 for day in range(31)]
    series = [
        {"point": "p", "times": quarters, "values": [4, 4, 10, 4, 4, 4]},
        {"point": "e", "times": days, "values": [2.0] * 31},
    ]
    assert (await client.post("/api/v1/ingest", json={"series": series}, headers=headers)).status == 200
    ahead = np.full(2, Outcome.TIME_IN_FUTURE, np.uint8)
    times = [now_us + 365 * DAY_US, now_us + 366 * DAY_US]
    await quarantine.keep(make_batch(1, times, [1.0, 2.0]), ahead, "http", 1_000_000)
    for each in ("metering_point/P1", "meter/A", "meter/B"):
        assert (await client.put(f"/api/v1/entities/{each}", json={}, headers=headers)).status == 201
    body = {"kind": "meter_at", "from": {"type": "meter", "id": "A"}}
    path = "/api/v1/entities/metering_point/P1/relations"
    assert (await client.put(path, json=body, headers=headers)).status == 200


async def decide(
    client: ClientSession, decision: Decision, headers: dict[str, str], **more: Any
) -> tuple[int, Any]:
    """Status and body of the answer; `more` stands in the body besides."""
    path = f"/api/v1{decision.path}"
    if isinstance(decision.body, bytes):
        options: dict[str, Any] = {"data": decision.body, "headers": headers | CSV_TYPE}
    else:
        body = decision.body | more if isinstance(decision.body, dict) else decision.body
        options = {"json": body, "headers": headers}
    async with client.request(decision.method, path, **options) as answer:
        return answer.status, await answer.json()
