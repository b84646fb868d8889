"""The dashboard in config/grafana against the real server: every address answers, with every column that is drawn."""

import datetime
import json
import re
import zoneinfo
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from historian.client import AsyncClient
from historian.client.replies import PointAttributes
from historian.model.term import TariffTerm
from tests.source_tree import ROOT
from tests.support import served_core
from tests.support.served_core import Served

DASHBOARD = json.loads((ROOT / "config/grafana/station.json").read_text(encoding="utf-8"))
PLUGIN = "yesoreyeram-infinity-datasource"
SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")
START = datetime.datetime(2026, 1, 5, tzinfo=SHANGHAI)
END = START + datetime.timedelta(days=2, hours=12)
STATION, POINT = "hall", "hall.import.energy"
COLUMN_TYPES = {"string", "number", "timestamp", "boolean"}
VARIABLES = {
    "station": STATION,
    "point": POINT,
    "point:percentencode": POINT,
    "__from": str(int(START.timestamp() * 1000)),
    "__to": str(int(END.timestamp() * 1000)),
    "__from:date:YYYY-MM-DD": START.date().isoformat(),
    "__to:date:YYYY-MM-DD": END.date().isoformat(),
}

pytestmark = pytest.mark.asyncio(loop_scope="module")


def queries() -> Iterator[Any]:
    """Every query of the panels and of the variables."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield pytest.param(target, id=panel["title"])
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield pytest.param(variable["query"]["infinityQuery"], id=variable["name"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A station with an energy point under a tariff: nine days up to END, a gap among them."""
    async with (
        served_core.serve(tmp_path_factory.mktemp("data")) as served,
        AsyncClient(served.address) as client,
    ):
        await client.put_point(
            POINT,
            PointAttributes(
                unit="kWh",
                kind="interval",
                interval="15m",
                label="period_start",
                time_zone="Asia/Shanghai",
                station=STATION,
            ),
        )
        [calendar, *_] = await client.tariffs()
        await client.state_term(
            POINT, TariffTerm(calendar=calendar.id), valid_from="2020-01-01T00:00:00Z", reason="contract"
        )
        begin = START - datetime.timedelta(days=7)
        times = [begin + datetime.timedelta(minutes=15 * number) for number in range(9 * 96 + 48)]
        kept = [time for time in times if not START <= time < START + datetime.timedelta(hours=2)]
        await client.ingest({POINT: (kept, [1.5] * len(kept))})
        await served.parts.rollup.flush_dirty()
        yield served


def filled(text: str) -> str:
    """With its variables replaced; one that is not known is a fault of the dashboard."""
    return re.sub(r"\$\{([^}]*)\}", lambda match: VARIABLES[match[1]], text)


@pytest.mark.parametrize("query", list(queries()))
async def test_every_query_answers_with_the_columns_that_are_drawn(
    served: Served, query: dict[str, Any]
) -> None:
    params = [(entry["key"], filled(entry["value"])) for entry in query["url_options"]["params"]]
    async with served.client.get(filled(query["url"]), params=params) as response:
        assert response.status == 200, await response.text()
        told = await response.json()
    rows = told[query["root_selector"]] if query["root_selector"] else told
    assert isinstance(rows, list)
    assert rows, "the test's data show in every panel"
    for column in query["columns"]:
        cells = [row[column["selector"]] for row in rows]
        some = [cell for cell in cells if cell not in (None, "")]
        match column["type"]:
            case "timestamp":
                assert all(datetime.datetime.fromisoformat(cell).tzinfo for cell in some)
            case "number":
                assert all(isinstance(cell, int | float) for cell in some), column
            case "boolean":
                assert all(isinstance(cell, bool) for cell in some)
            case _:
                assert all(isinstance(cell, str) for cell in some)


async def test_the_curve_has_its_overlays_and_the_bands_their_energy(served: Served) -> None:
    by_title = {panel["title"].partition(" ")[0]: panel["targets"][0] for panel in DASHBOARD["panels"]}

    async def rows_of(query: dict[str, Any]) -> list[dict[str, Any]]:
        params = [(entry["key"], filled(entry["value"])) for entry in query["url_options"]["params"]]
        async with served.client.get(filled(query["url"]), params=params) as response:
            found: list[dict[str, Any]] = await response.json()
            return found

    curve = await rows_of(by_title["Load"])
    assert len(curve) == 96
    assert all(row["value -1d"] == 6.0 and row["value -7d"] == 6.0 for row in curve)
    energy = await rows_of(by_title["Energy"])
    bands = [name for name in energy[1] if name.startswith("tou_")]
    assert sum(energy[1][name] or 0.0 for name in bands) == pytest.approx(energy[1]["energy"]) == 96 * 1.5


async def test_the_dashboard_is_whole_for_its_version() -> None:
    assert DASHBOARD["schemaVersion"] == 39
    assert {"uid", "title", "time", "templating", "annotations", "panels", "timezone"} <= set(DASHBOARD)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    names = [variable["name"] for variable in DASHBOARD["templating"]["list"]]
    assert names == ["source", "station", "point"]
    for query in (one["query"]["infinityQuery"] for one in DASHBOARD["templating"]["list"][1:]):
        assert {"key": "format", "value": "rows"} in query["url_options"]["params"]
    for panel in DASHBOARD["panels"]:
        assert panel["type"] in {"timeseries", "table"}
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for target in panel["targets"]:
            assert target["datasource"] == {"type": PLUGIN, "uid": "${source}"}
            assert (target["type"], target["source"], target["parser"]) == ("json", "url", "backend")
            assert {column["type"] for column in target["columns"]} <= COLUMN_TYPES
            if target["format"] == "timeseries":
                assert target["columns"][0]["type"] == "timestamp"
        drawn = {column["text"] for target in panel["targets"] for column in target["columns"]}
        assert {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]} <= drawn


async def test_provisioning_names_the_plugin_and_keeps_the_token_out_of_the_file() -> None:
    source = (ROOT / "config/grafana/provisioning/datasources/historian.yaml").read_text(encoding="utf-8")
    assert f"type: {PLUGIN}" in source
    assert re.search(r"secureJsonData:\n +bearerToken: \$HISTORIAN_TOKEN\n", source)
