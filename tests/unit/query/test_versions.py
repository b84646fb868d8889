"""Pages of versions: samples stay whole, nothing is skipped, origins survive joining."""

import pytest

from historian.clock import ManualClock
from historian.model.quality import DELETED
from historian.model.sample import Origin, Versions, make_batch
from historian.model.timerange import TimeRange
from historian.query import versions
from tests.support.version_store import VersionStore
from tests.unit.query.samples import INTERVAL_US, make_point

POINT = make_point()
T = INTERVAL_US


def rows_of(found: Versions) -> list[tuple[int, float, str]]:
    names = [found.origins[index].source for index in found.origin.tolist()]
    return list(zip((found.time_us // T).tolist(), found.value.tolist(), names, strict=True))


@pytest.fixture
async def store() -> VersionStore:
    """Times 0, 1, 2 and far away 5000; time 1 has three versions, the last of them a deletion."""
    store = VersionStore(ManualClock(7))
    await store.append(make_batch(1, [0, T, 2 * T, 5000 * T], [0.0, 1.0, 2.0, 3.0]), source="a")
    await store.append(make_batch(1, [T], [1.5]), source="b", reason="misread")
    await store.append(make_batch(1, [T], [1.5], DELETED), source="c", reason="not ours")
    return store


EVER = TimeRange(0, 10_000 * T)
ALL = [(0, 0.0, "a"), (1, 1.0, "a"), (1, 1.5, "b"), (1, 1.5, "c"), (2, 2.0, "a"), (5000, 3.0, "a")]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 50])
async def test_pages_together_hold_every_version_once(store: VersionStore, limit: int) -> None:
    found: list[tuple[int, float, str]] = []
    start_us: int | None = EVER.start_us
    while start_us is not None:
        page = await versions.page_of(store, POINT, TimeRange(start_us, EVER.end_us), limit)
        assert len(set(page.versions.time_us.tolist())) <= limit
        found += rows_of(page.versions)
        start_us = page.next_time_us
    assert found == ALL


async def test_a_sample_is_never_cut_between_its_versions(store: VersionStore) -> None:
    page = await versions.page_of(store, POINT, TimeRange(T, 3 * T), 1)
    assert rows_of(page.versions) == ALL[1:4]
    assert page.next_time_us == 2 * T


async def test_a_span_without_samples_has_no_versions(store: VersionStore) -> None:
    page = await versions.page_of(store, POINT, TimeRange(-9 * T, 0), 5)
    assert (page.versions.row_count, page.next_time_us) == (0, None)


async def test_joined_parts_keep_their_origins(store: VersionStore) -> None:
    parts = [await store.read_versions([1], start * T, end * T) for start, end in ((2, 9), (0, 2))]
    assert rows_of(versions.joined(parts)) == [ALL[4], *ALL[:4]]
    assert Origin("c", "not ours") in versions.joined(parts).origins


async def test_the_last_version_of_a_sample_counts(store: VersionStore) -> None:
    found = await store.read_versions([1], 0, 3 * T)
    assert versions.is_newest(found).tolist() == [True, False, False, True, True]
    assert versions.known_at(found, 6).row_count == 0
