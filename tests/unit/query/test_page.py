"""Recorded samples a page at a time."""

import pytest

from historian.model.point import DAY_US
from historian.model.quality import DELETED
from historian.model.timerange import TimeRange
from historian.query.page import RecordedPage, page_down, page_up, sample_after, sample_before
from tests.unit.query.samples import INTERVAL_US, MemoryReader, Sample, make_point, make_run

T = INTERVAL_US
ALL = TimeRange(-(10**17), 10**17)
SAMPLES: list[Sample] = [(k * T, float(k)) for k in range(10)]


def content(page: RecordedPage) -> tuple[list[float], int | None]:
    return page.run.value.tolist(), page.next_time_us


async def test_pages_follow_each_other_upwards() -> None:
    reader = MemoryReader(make_run(SAMPLES))
    page = await page_up(reader, make_point(), TimeRange(0, 10 * T), 4)
    assert content(page) == ([0, 1, 2, 3], 4 * T)
    page = await page_up(reader, make_point(), TimeRange(4 * T, 10 * T), 4)
    assert content(page) == ([4, 5, 6, 7], 8 * T)
    page = await page_up(reader, make_point(), TimeRange(8 * T, 10 * T), 4)
    assert content(page) == ([8, 9], None)


async def test_pages_follow_each_other_downwards() -> None:
    reader = MemoryReader(make_run(SAMPLES))
    page = await page_down(reader, make_point(), TimeRange(0, 10 * T), 4)
    assert content(page) == ([9, 8, 7, 6], 5 * T + 1)
    page = await page_down(reader, make_point(), TimeRange(0, 5 * T + 1), 6)
    assert content(page) == ([5, 4, 3, 2, 1, 0], None)


@pytest.mark.parametrize("turn", [page_up, page_down])
async def test_a_page_that_just_fits_is_the_last(turn: type) -> None:
    page = await turn(MemoryReader(make_run(SAMPLES)), make_point(), TimeRange(0, 10 * T), 10)
    assert page.next_time_us is None
    assert page.run.sample_count == 10


@pytest.mark.parametrize("turn", [page_up, page_down])
async def test_empty_years_are_leapt_over(turn: type) -> None:
    samples: list[Sample] = [(0, 1.0), (4000 * DAY_US, 2.0), (9000 * DAY_US, 3.0)]
    reader = MemoryReader(make_run(samples))
    page = await turn(reader, make_point(), ALL, 10)
    expected = [1.0, 2.0, 3.0]
    assert page.run.value.tolist() == (expected if turn is page_up else expected[::-1])
    assert reader.read_count < 20


@pytest.mark.parametrize("interval_count", [2, 3, 7])
async def test_a_source_slower_than_promised_makes_full_pages(interval_count: int) -> None:
    reader = MemoryReader(make_run([(k * interval_count * T, float(k)) for k in range(20)]))
    span = TimeRange(0, 20 * interval_count * T)
    assert content(await page_up(reader, make_point(), span, 3)) == ([0, 1, 2], 3 * interval_count * T)
    assert content(await page_down(reader, make_point(), span, 3)) == (
        [19, 18, 17],
        16 * interval_count * T + 1,
    )


@pytest.mark.parametrize("turn", [page_up, page_down])
async def test_a_page_reads_little_more_than_it_gives(turn: type) -> None:
    reader = MemoryReader(make_run([(k * T, float(k)) for k in range(10_000)]))
    await turn(reader, make_point(), TimeRange(0, 10_000 * T), 10)
    assert reader.given_sample_count <= 22


@pytest.mark.parametrize("turn", [page_up, page_down])
async def test_nothing_is_one_empty_page(turn: type) -> None:
    assert content(await turn(MemoryReader(), make_point(), ALL, 5)) == ([], None)
    full = MemoryReader(make_run(SAMPLES))
    assert content(await turn(full, make_point(), TimeRange(5, 5), 5)) == ([], None)


@pytest.mark.parametrize("turn", [page_up, page_down])
async def test_deleted_samples_fill_no_page(turn: type) -> None:
    samples: list[Sample] = [(k * T, float(k), DELETED if k % 2 else 0) for k in range(10)]
    page = await turn(MemoryReader(make_run(samples)), make_point(), TimeRange(0, 10 * T), 5)
    assert sorted(page.run.value.tolist()) == [0, 2, 4, 6, 8]
    assert page.next_time_us is None


async def test_neighbours_pass_over_deleted_samples() -> None:
    reader = MemoryReader(make_run([(0, 1.0), (10, 2.0, DELETED), (20, 3.0, DELETED), (30, 4.0)]))
    assert (await sample_before(reader, 1, 25)).value.tolist() == [1.0]
    assert (await sample_before(reader, 1, 30)).value.tolist() == [4.0]
    assert (await sample_after(reader, 1, 5)).value.tolist() == [4.0]
    assert (await sample_after(reader, 1, 0)).value.tolist() == [1.0]
    assert (await sample_before(reader, 1, -1)).sample_count == 0
    assert (await sample_after(reader, 1, 31)).sample_count == 0
