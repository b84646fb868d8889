"""Bodies of line protocol: the kernel and the general reader give one answer, points are made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.intake import Intake
from api.line_intake import LinePoints
from historian.catalogue.registry import Registry
from historian.clock import ManualClock
from historian.model.point import PointDraft, PointKind, TimeLabel
from historian.settings import IngestSettings
from tests.unit.api.memory_store import MemoryStore

NOW_US = 1_700_000_000_000_000


class Bench:
    """A registry, a store and the reader between them."""

    def __init__(self, registry: Registry, settings: IngestSettings) -> None:
        self.registry = registry
        self.store = MemoryStore()
        self.points = LinePoints(registry, settings)

    async def write(self, text: str, precision: str = "us") -> list[tuple[int | None, str]]:
        """Lines and codes of what was refused."""
        intake = Intake("line")
        await self.points.take_lines(intake, text.encode(), precision, NOW_US)
        reply = await intake.send(self.store)
        return [(reject.line, reject.code) for reject in reply.rejects]

    def values(self) -> dict[str, dict[int, float]]:
        """What is stored, by name and time."""
        return {
            self.registry.by_id(point_id).name: {time_us: entry[0] for time_us, entry in samples.items()}
            for point_id, samples in self.store.samples.items()
        }


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    registry = Registry(tmp_path / "points.db", ManualClock(), "UTC")
    yield Bench(registry, IngestSettings())
    registry.close()


async def test_two_spellings_of_a_series_are_one_point(bench: Bench) -> None:
    assert await bench.write("m,a=1,b=2 x=1 1\nm,b=2,a=1 x=2 2\n") == []
    assert bench.values() == {"m.1.2.x": {1: 1.0, 2: 2.0}}


async def test_a_known_key_is_found_again_without_its_name(bench: Bench) -> None:
    await bench.write("m,a=1 x=1 1\n")
    bench.registry.find_ids = None  # type: ignore[assignment, method-assign]
    assert await bench.write("m,a=1 x=2 2\n") == []
    assert bench.values()["m.1.x"] == {1: 1.0, 2: 2.0}


async def test_plain_and_other_lines_keep_their_order(bench: Bench) -> None:
    assert await bench.write("m x=1 5\nm x=2u 5\nm x=3 5\nm x=t 5\n") == []
    assert bench.values() == {"m.x": {5: 1.0}}


async def test_the_last_value_of_a_time_wins(bench: Bench) -> None:
    await bench.write("m x=1 5\nm x=2u 5\n")
    assert bench.values() == {"m.x": {5: 2.0}}


@pytest.mark.parametrize(
    ("precision", "time_us"),
    [("ns", 1_514_765_700_000), ("us", 1_514_765_700_000_999), ("ms", None), ("s", None)],
)
async def test_the_precision_says_what_a_time_counts(
    bench: Bench, precision: str, time_us: int | None
) -> None:
    refused = await bench.write("m x=1 1514765700000999", precision)
    if time_us is None:
        assert refused == [(1, "bad_time")]
    else:
        assert bench.values() == {"m.x": {time_us: 1.0}}


async def test_nanoseconds_are_cut_downwards(bench: Bench) -> None:
    await bench.write("m x=1 -1\nm x=2 1999\n", "ns")
    assert list(bench.values()["m.x"]) == [-1, 1]


async def test_a_time_beyond_64_bits_is_refused(bench: Bench) -> None:
    assert await bench.write("m x=1 9999999999999999999\nm x=1 -9999999999999999999") == [
        (1, "bad_time"),
        (2, "bad_time"),
    ]


async def test_line_numbers_count_comments_blanks_and_strings_of_two_lines(bench: Bench) -> None:
    text = '# one\n\nm s="three\nfour",x=1 1\nbroken\nm y=1 1\n,x=1\n'
    assert await bench.write(text) == [(5, "malformed_line"), (7, "malformed_line")]
    assert bench.values() == {"m.x": {1: 1.0}, "m.y": {1: 1.0}}


async def test_a_broken_line_counts_the_lines_of_its_strings(bench: Bench) -> None:
    assert await bench.write('m s="a\nb"c\nbroken\n') == [(1, "malformed_line"), (3, "malformed_line")]


async def test_a_name_that_no_point_may_have_is_refused(bench: Bench) -> None:
    assert await bench.write(f"disk,path=/ free=1 1\n{'m' * 200} x=1 1\nm ok=1 1") == [(2, "bad_name")]
    assert bench.values() == {"disk._.free": {1: 1.0}, "m.ok": {1: 1.0}}


async def test_a_series_of_wrong_structure_is_refused_by_each_of_its_lines(bench: Bench) -> None:
    assert await bench.write("m,a x=1 1\nm,a x=2 2\n") == [(1, "malformed_line"), (2, "malformed_line")]


async def test_a_point_labelled_by_period_end_is_stored_by_its_start(bench: Bench) -> None:
    draft = PointDraft(name="m.e", unit="kWh", kind=PointKind.INTERVAL, label=TimeLabel.PERIOD_END)
    point = bench.registry.create(draft)
    await bench.write("m e=1 900000000")
    bench.registry.update(point.id, {"interval_us": 300_000_000})
    await bench.write("m e=2 900000000")
    assert bench.values() == {"m.e": {0: 1.0, 600_000_000: 2.0}}


async def test_new_points_are_as_the_settings_say(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "points.db", ManualClock(), "UTC")
    bench = Bench(registry, IngestSettings(auto_create_unit="kW", auto_create_interval_s=60))
    await bench.write("m x=1 1")
    point = registry.get("m.x")
    assert (point.unit, point.kind, point.interval_us) == ("kW", PointKind.INSTANTANEOUS, 60_000_000)
    registry.close()


async def test_a_body_of_a_million_bytes_is_read_beside_the_loop(bench: Bench) -> None:
    text = "# " + "x" * (1 << 20) + "\nm x=1 1\n"
    assert await bench.write(text) == []
    assert bench.values() == {"m.x": {1: 1.0}}


async def test_points_are_made_up_to_the_bound_and_the_lines_of_others_are_told(bench: Bench) -> None:
    points = LinePoints(bench.registry, IngestSettings(auto_create_points_max=2))
    bench.points = points
    assert await bench.write("m a=1,b=2,c=3 1\n") == [(1, "points_full")]
    assert bench.registry.count() == 2
    assert await bench.write("m a=4 2\n") == []
