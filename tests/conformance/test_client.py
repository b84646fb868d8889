"""The Python client against the real server: each method, of the blocking and the awaiting client alike."""

import asyncio
import datetime
import itertools
import zoneinfo
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from historian.client import AsyncClient, Client, InvalidArgument, Patience, Problem
from historian.client.replies import PointAttributes
from historian.model.term import CarbonTerm, TariffTerm
from tests.support import served_core
from tests.support.served_core import Served

SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime.datetime(2026, 1, 5, tzinfo=SHANGHAI)
QUARTER = datetime.timedelta(minutes=15)
DAY = datetime.timedelta(days=1)
NAME = "hall.import.energy"
ENERGY = PointAttributes(
    unit="kWh",
    kind="interval",
    interval="15m",
    label="period_start",
    time_zone="Asia/Shanghai",
    station="hall",
)


class Either(NamedTuple):
    """One of the two clients; `ask` gives an answer, or all that an iterator gives."""

    client: Client | AsyncClient

    async def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        if isinstance(self.client, AsyncClient):
            answer = getattr(self.client, method)(*arguments, **options)
            if isinstance(answer, AsyncIterator):
                return [entry async for entry in answer]
            assert isinstance(answer, Coroutine)
            return await answer

        def block() -> Any:
            answer = getattr(self.client, method)(*arguments, **options)
            return list(answer) if isinstance(answer, Iterator) else answer

        return await asyncio.to_thread(block)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served_core.serve(tmp_path_factory.mktemp("data")) as served:
        async with AsyncClient(served.address) as client:
            await client.put_point(NAME, ENERGY)
            times = [MIDNIGHT + number * QUARTER for number in range(2 * 96)]
            values = [float(number % 7) for number in range(2 * 96)]
            del times[20:24], values[20:24]
            await client.ingest({NAME: (times, values)})
        yield served


@pytest_asyncio.fixture(params=["blocking", "awaiting"], loop_scope="module")
async def either(request: pytest.FixtureRequest, served: Served) -> AsyncIterator[Either]:
    if request.param == "awaiting":
        async with AsyncClient(served.address) as client:
            yield Either(client)
    else:
        with Client(served.address) as blocking:
            yield Either(blocking)


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_points_are_made_found_changed_and_listed(either: Either) -> None:
    name = f"made.{type(either.client).__name__}"
    made = await either.ask("put_point", name, ENERGY)
    assert (made.name, made.unit, made.interval) == (name, "kWh", "15m")
    renamed = await either.ask("patch_point", name, PointAttributes(name=f"{name}.new", capacity=500.0))
    assert (renamed.name, renamed.capacity) == (f"{name}.new", 500.0)
    assert (await either.ask("point", name)).renamed_to == f"{name}.new"
    bulk = [
        PointAttributes(name=f"{name}.{number}", unit="kW", kind="mean_power", interval="15m")
        for number in range(5)
    ]
    assert (await either.ask("make_points", bulk)).created == 5
    listed = await either.ask("points", match=f"{name}.?", page_size=2)
    assert [point.name for point in listed] == [one.name for one in bulk]
    assert "hall" in [row.station for row in await either.ask("stations")]


async def test_unknown_point_is_a_problem_with_its_type(either: Either) -> None:
    with pytest.raises(Problem) as caught:
        await either.ask("point", "nobody")
    assert (caught.value.type, caught.value.status) == ("/problems/point-not-found", 404)
    assert caught.value.request_id


async def test_samples_are_read_back_in_every_way(either: Either) -> None:
    span = (NAME, MIDNIGHT, MIDNIGHT + DAY)
    recorded = await either.ask("recorded", *span)
    assert len(recorded) == 92
    assert (recorded.rows[1].time, recorded.rows[1].value) == (MIDNIGHT + QUARTER, 1.0)
    assert recorded.about["unit"] == "kWh"
    pages = await either.ask("recorded_pages", *span, page_size=40)
    assert [len(page) for page in pages] == [40, 40, 12]
    assert [row for page in pages for row in page] == list(recorded)
    assert (await either.ask("recorded", *span, unit="MWh")).column("value")[1] == 0.001
    last_first = await either.ask("recorded", *span, order="desc")
    assert last_first.column("time") == recorded.column("time")[::-1]
    found = await either.ask("at", NAME, MIDNIGHT + QUARTER / 2)
    assert (found.time, found.value, found.quality) == (MIDNIGHT, 0.0, "good")
    even = await either.ask("interpolated", *span, interval="30m")
    assert len(even) == 48
    assert None in even.column("value")
    plot = await either.ask("plot", *span, width=10)
    assert sum(plot.pixels.count) == 92
    assert plot.gaps.start == [MIDNIGHT + 20 * QUARTER]
    figures = (await either.ask("summary", *span)).rows[0]
    assert (figures.min, figures.max, figures.count) == (0.0, 6.0, 92)
    gaps = await either.ask("gaps", *span)
    assert [(gap.start, gap.missing_count) for gap in gaps] == [(MIDNIGHT + 20 * QUARTER, 4)]
    newest = (await either.ask("latest", points=[NAME])).rows[0]
    assert newest.time == MIDNIGHT + 191 * QUARTER
    assert newest.is_stale
    assert len(await either.ask("latest", station="hall")) >= 1


async def test_edits_leave_versions(either: Either) -> None:
    name = f"edited.{type(either.client).__name__}"
    await either.ask("put_point", name, ENERGY)
    await either.ask("ingest", {name: ([MIDNIGHT], [1.0])})
    would = await either.ask(
        "edit", name, "correct", times=[MIDNIGHT], values=[2.0], reason="misread", dry_run=True
    )
    assert (would.changed, would.dry_run, would.changes[0].new.value) == (1, True, 2.0)
    assert "2026-01-05" in would.rollups.days
    done = await either.ask(
        "edit", name, "correct", times=[MIDNIGHT], values=[2.0], reason="misread", author="W"
    )
    assert done.seq > 0
    versions = await either.ask("revisions", name, MIDNIGHT)
    assert [(one.value, one.state) for one in versions] == [(1.0, "superseded"), (2.0, "current")]
    assert await either.ask("revisions", name, MIDNIGHT, MIDNIGHT + DAY, page_size=1) == versions
    before = await either.ask(
        "recorded", name, MIDNIGHT, MIDNIGHT + DAY, as_of=versions[1].arrived_at - QUARTER
    )
    assert len(before) == 0


async def test_figures_of_a_day(either: Either, served: Served) -> None:
    curve = await either.ask("load_curve", NAME, MIDNIGHT.date() + DAY, compare=["-1d"])
    assert (len(curve.values), curve.labels[0], curve.compare[0].offset) == (96, "00:15", "-1d")
    assert curve.compare[0].values[20] is None
    total = await either.ask("sum_load_curve", "2026-01-05", points=[NAME])
    assert total.points == [NAME]
    rows = (await either.ask("rollups", "2026-01-05", "2026-01-07", points=[NAME])).rows
    assert [row.period_start for row in rows] == [MIDNIGHT, MIDNIGHT + DAY]
    assert rows[0].coverage_received == 92
    assert rows[1].energy == sum(number % 7 for number in range(96, 192))
    months = await either.ask(
        "rollups", "2026-01", "2026-02", period="month", points=[NAME], fields=["energy"]
    )
    assert months.rows[0].energy == sum(row.energy for row in rows)
    billed = await either.ask(
        "rollups", "2026-01-01", "2026-02-01", period="billing", cutoff_day=1, points=[NAME]
    )
    assert billed.rows[0].period == "billing"


async def test_changes_are_told_from_a_cursor_on(either: Either, served: Served) -> None:
    await served.parts.rollup.flush_dirty()
    everything = await either.ask("changes", page_size=1)
    assert NAME in {change.point for change in everything}
    first = await either.ask("changes_page", "0", limit=1)
    after = await either.ask("changes", first.next)
    assert everything == [*first.changes, *after]
    now = await either.ask("changes_page", None)
    assert await either.ask("changes", now.next) == []


async def test_many_points_in_one_call(either: Either) -> None:
    found = await either.ask("query", "recorded", points=[NAME], start=MIDNIGHT, end=MIDNIGHT + DAY)
    assert len(found) == 92
    assert {row["point"] for row in found} == {NAME}
    newest = await either.ask("query", "latest", station="hall")
    assert NAME in newest.column("point")


async def test_completeness_counts_what_was_due(either: Either) -> None:
    told = await either.ask("completeness", "2026-01-05", "2026-01-06", points=[NAME])
    assert (told.rows[0].expected, told.rows[0].received, told.rows[0].missing) == (96, 92, 4)
    by_day = await either.ask("completeness", MIDNIGHT, MIDNIGHT + DAY, by="day", points=[NAME])
    assert by_day.rows[0].day == "2026-01-05"


async def test_a_wrong_magnitude_is_suspected(either: Either) -> None:
    name = f"suspect.{type(either.client).__name__}"
    await either.ask(
        "put_point", name, PointAttributes(unit="kW", kind="mean_power", interval="15m", capacity=10.0)
    )
    times = [MIDNIGHT + number * QUARTER for number in range(96)]
    await either.ask("ingest", {name: (times, [5000.0 + number for number in range(96)])})
    [one] = await either.ask("suspicions", MIDNIGHT, MIDNIGHT + DAY, points=[name])
    assert (one.point, one.kind, one.factor, one.numbers["limit"]) == (name, "unit_scale", 0.001, 10.0)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_events_of_the_real_server_go_on_where_they_stopped(served: Served, kind: Any) -> None:
    name = f"events.{kind.__name__}"
    async with AsyncClient(served.address) as client:
        await client.put_point(name, ENERGY)
        for day in range(2):
            times = [MIDNIGHT + day * DAY + number * QUARTER for number in range(96)]
            await client.ingest({name: (times, [1.0] * 96)})
            await served.parts.rollup.flush_dirty()

    async def first_two(last_id: str) -> list[Any]:
        if kind is AsyncClient:
            async with AsyncClient(served.address) as client:
                found = []
                async for event in client.events(last_id):
                    found.append(event)
                    if len(found) == 2:
                        break
                return found
        with Client(served.address) as blocking:
            return await asyncio.to_thread(lambda: list(itertools.islice(blocking.events(last_id), 2)))

    both = await first_two("0")
    assert both[0].id != both[1].id
    again = await first_two(both[0].id)
    assert again[0] == both[1]
    assert {"point", "date"} <= set(both[0].json())


async def test_carbon_names_its_factor(either: Either) -> None:
    name = f"carbon.{type(either.client).__name__}"
    start = datetime.datetime(2022, 1, 5, tzinfo=SHANGHAI)
    await either.ask("put_point", name, ENERGY)
    await either.ask("ingest", {name: ([start + number * QUARTER for number in range(96)], [1.0] * 96)})
    with pytest.raises(Problem, match="state a carbon term"):
        await either.ask("carbon", "2022-01-05", "2022-01-06", points=[name])
    await either.ask("state_term", name, CarbonTerm(region="CN-32"), valid_from=start, reason="grid")
    told = await either.ask("carbon", start, start + DAY, points=[name])
    [row] = told.rows
    assert (row.energy, row.co2_unit, row.factors[0].region) == (96.0, "kgCO2", "CN-32")
    assert row.co2 == pytest.approx(96.0 * row.factors[0].value)


async def test_terms_and_calendars(either: Either) -> None:
    name = f"stated.{type(either.client).__name__}"
    await either.ask("put_point", name, ENERGY)
    calendars = await either.ask("tariffs")
    chosen = calendars[0]
    whole = await either.ask("tariff", chosen.id)
    assert whole.versions[-1].calendar.id == chosen.id
    day = await either.ask("tariff_day", chosen.id, "2026-01-05", tz="Asia/Shanghai")
    assert (day.bands[-1].end - day.bands[0].start) == DAY
    stated = await either.ask(
        "state_term", name, TariffTerm(calendar=chosen.id), valid_from=MIDNIGHT, reason="contract"
    )
    assert stated.valid_from == MIDNIGHT
    told = await either.ask("terms", name)
    assert [one.number for one in told.statements] == [stated.number]


async def test_locks_are_made_listed_and_taken_back(either: Either, served: Served) -> None:
    name = f"locked.{type(either.client).__name__}"
    await either.ask("put_point", name, ENERGY)
    await either.ask("ingest", {name: ([MIDNIGHT + number * QUARTER for number in range(96)], [1.0] * 96)})
    await served.parts.rollup.flush_dirty()
    [lock] = await either.ask("lock", "2026-01-05", "2026-01-06", points=[name], reason="bill sent")
    assert lock.energy == 96.0
    assert await either.ask("locks", points=[name]) == [lock]
    gone = await either.ask("unlock", lock.number, reason="bill withdrawn")
    assert gone.unlock_reason == "bill withdrawn"


async def test_lanes_of_text(either: Either) -> None:
    name = f"lanes.{type(either.client).__name__}"
    await either.ask("put_point", name, ENERGY)
    stamp_ms = int(MIDNIGHT.timestamp() * 1000)
    csv = f"point,time,value\n{name},{stamp_ms},1.5\n"
    assert (await either.ask("ingest_csv", csv)).accepted == 1
    series = [{"point": name, "times": [stamp_ms], "values": [1.5]}]
    assert (await either.ask("ingest_series", series)).duplicate == 1
    assert (await either.ask("ingest_series", series, on_conflict="reject")).duplicate == 1


async def test_process_and_drivers(either: Either) -> None:
    assert (await either.ask("health")).status == "ok"
    assert (await either.ask("ready")).point_count >= 1
    assert await either.ask("drivers") == []
    with pytest.raises(Problem, match="no driver"):
        await either.ask("driver", "none")


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
async def test_packed_both_ways_is_the_same(served: Served, packing: Any) -> None:
    name = f"packed.{packing}"
    times = [MIDNIGHT + number * QUARTER for number in range(20_000)]
    async with AsyncClient(served.address, packing=packing) as awaiting:
        await awaiting.put_point(name, ENERGY)
        assert (await awaiting.ingest({name: (times, [1.0] * len(times))})).accepted == len(times)
        assert len(await awaiting.recorded(name, MIDNIGHT, times[-1] + QUARTER)) == len(times)
    with Client(served.address, packing=packing) as blocking:
        table = await asyncio.to_thread(blocking.recorded, name, MIDNIGHT, times[-1] + QUARTER)
    assert table.column("time") == times


async def test_bad_samples_are_named_by_their_row_of_the_whole(either: Either) -> None:
    times = [MIDNIGHT + number * QUARTER for number in range(6)]
    values = [1.0, float("nan"), 1.0, float("inf"), 1.0, 1.0]
    name = f"rows.{type(either.client).__name__}"
    await either.ask("put_point", name, ENERGY)
    told = await either.ask("ingest", {name: (times, values), "nobody": (times[:1], [1.0])}, rows_max=2)
    assert (told.accepted, told.skipped, told.rejected) == (4, 1, 2)
    assert [(reject.index, reject.code) for reject in told.rejects] == [
        (3, "not_finite"),
        (6, "unknown_point"),
    ]


async def test_time_without_zone_is_refused_before_it_is_sent(either: Either) -> None:
    with pytest.raises(InvalidArgument, match="has no zone"):
        await either.ask("recorded", NAME, MIDNIGHT.replace(tzinfo=None), MIDNIGHT)


async def test_nobody_there_is_told_by_name() -> None:
    hasty = Patience(tries_max=2, pause_s=0.001)
    with Client("http://127.0.0.1:1", patience=hasty) as blocking, pytest.raises(Exception, match="running"):
        blocking.health()
    async with AsyncClient("http://127.0.0.1:1", patience=hasty) as awaiting:
        with pytest.raises(Exception, match="is the historian running"):
            await awaiting.health()
