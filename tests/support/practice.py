"""What the worked examples of metering practice need over HTTP: points of a day in China, statements, rollups."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.served_core import Served

DAY = "2026-01-05"
REASON = {"reason": "worked example", "author": "tester"}
EVER = "2020-01-01T00:00:00+08:00"
CURVE = [40.0] * 32 + [100.0] * 48 + [60.0] * 16  # 1760 kWh, stamped 00:15 … 24:00
Row = dict[str, Any]


def clock(minute: int, day: str = DAY) -> str:
    """The stamp of a minute of the day in China; 1440 is the next day's midnight."""
    start = datetime.datetime.fromisoformat(f"{day}T00:00:00+08:00")
    return (start + datetime.timedelta(minutes=minute)).isoformat()


async def put_point(served: Served, name: str, unit: str, kind: str, **rest: object) -> None:
    """Make a point in China."""
    body = {"unit": unit, "kind": kind, "time_zone": "Asia/Shanghai", **rest}
    await served.ask("PUT", f"/points/{name}", 201, json=body)


async def send(served: Served, name: str, times: Sequence[str], values: Sequence[float]) -> None:
    """Send samples; all are taken."""
    series = [{"point": name, "times": list(times), "values": list(values)}]
    answer = await served.ask("POST", "/ingest", json={"series": series})
    assert answer["accepted"] == len(times)


async def send_curve(served: Served, name: str, values: Sequence[float], minutes: int = 15) -> None:
    """Values stamped with the end of each of their periods, as load curves are: 00:15 … 24:00."""
    times = [clock((place + 1) * minutes) for place in range(len(values))]
    await send(served, name, times, values)


async def state(served: Served, name: str, term: Mapping[str, object], valid_from: str = EVER) -> None:
    """State a term."""
    body = {"term": term, "valid_from": valid_from, **REASON}
    await served.ask("POST", f"/points/{name}/terms", 201, json=body)


async def row_of(served: Served, name: str, day: str = DAY, **query: str) -> Row:
    """The rollup of one day, or what `query` asks for instead."""
    after = (datetime.date.fromisoformat(day) + datetime.timedelta(days=1)).isoformat()
    answer = await served.ask("GET", "/rollups", params={"points": name, "from": day, "to": after, **query})
    rows: list[Row] = answer["rows"]
    assert len(rows) == 1
    return rows[0]


async def load_curve_of(served: Served, name: str) -> Row:
    """The load curve of `DAY`."""
    found: Row = await served.ask("GET", f"/points/{name}/load-curve?date={DAY}")
    return found


async def valley_calendar(served: Served) -> None:
    """Put a calendar with valley from midnight to eight."""
    calendar = {
        "id": "valley-0-8", "version": 1, "name_zh": "谷", "name_en": "valley", "region": "CN", "legal": "-", "source": "-",
        "confidence": "high", "seasons": [
            {"name": "all", "valley": ["00:00-08:00"], "peak": ["08:00-20:00"], "flat": ["20:00-24:00"]},
        ],
    }  # fmt: skip
    await served.ask("PUT", "/tariffs/valley-0-8", json={"calendar": calendar, **REASON})
