"""Answers kept by key: given again, on disk before they are given, bounded, and gone after a day."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from historian.catalogue.answer_book import KEPT_US, AnswerBook
from historian.clock import ManualClock
from historian.errors import CatalogueError, HistorianError, KeyReused, KeyUnderWay
from historian.metrics import Metrics

NOW_US = 1_795_190_400_000_000
BODY, OTHER_BODY = b"digest", b"other"


class Work:
    """Counts how often it is done, and remembers the times it was given."""

    def __init__(self) -> None:
        self.times_us: list[int] = []

    async def __call__(self, now_us: int) -> bytes:
        self.times_us.append(now_us)
        return b"answer %d" % len(self.times_us)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_US)


Opened = Callable[..., contextlib.AbstractAsyncContextManager[AnswerBook]]


@pytest.fixture
def opened(tmp_path: Path, clock: ManualClock) -> Opened:
    @contextlib.asynccontextmanager
    async def open_book(folder: Path = tmp_path, keys_max: int = 100) -> AsyncIterator[AnswerBook]:
        book = AnswerBook(folder / "answers.db", clock, keys_max, Metrics())
        yield book
        await book.close()

    return open_book


async def test_the_second_time_the_answer_of_the_first_is_given(opened: Opened) -> None:
    work = Work()
    async with opened() as book:
        assert await book.once("k", BODY, work) == (b"answer 1", False)
        assert await book.once("k", BODY, work) == (b"answer 1", True)
        assert await book.once("other", BODY, work) == (b"answer 2", False)


async def test_an_answer_that_was_given_is_on_disk(opened: Opened, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    async with opened() as book:
        await book.once("k", BODY, Work())
        for path in tmp_path.glob("answers.db*"):  # what kill -9 would leave
            shutil.copy(path, copy)
    work = Work()
    async with opened(copy) as book:
        assert await book.once("k", BODY, work) == (b"answer 1", True)
    assert work.times_us == []


async def test_a_key_stands_for_one_request(opened: Opened) -> None:
    async with opened() as book:
        await book.once("k", BODY, Work())
        with pytest.raises(KeyReused):
            await book.once("k", OTHER_BODY, Work())


async def test_a_request_under_way_is_not_begun_again(opened: Opened) -> None:
    async with opened() as book:
        is_allowed = asyncio.Event()
        work = Work()

        async def slow(now_us: int) -> bytes:
            await is_allowed.wait()
            return await work(now_us)

        first = asyncio.create_task(book.once("k", BODY, slow))
        await asyncio.sleep(0)
        with pytest.raises(KeyUnderWay) as refusal:
            await book.once("k", BODY, slow)
        assert refusal.value.retry_after_s == 1
        with pytest.raises(KeyReused):
            await book.once("k", OTHER_BODY, slow)
        is_allowed.set()
        assert await first == (b"answer 1", False)
        assert await book.once("k", BODY, slow) == (b"answer 1", True)


async def test_a_failed_request_may_be_sent_again(opened: Opened) -> None:
    async def fail(now_us: int) -> bytes:
        raise HistorianError("the queue is full")

    async with opened() as book:
        with pytest.raises(HistorianError, match="queue"):
            await book.once("k", BODY, fail)
        assert await book.once("k", OTHER_BODY, Work()) == (b"answer 1", False)


async def test_work_that_depends_on_now_takes_the_time_of_its_first_attempt(
    opened: Opened, clock: ManualClock
) -> None:
    async def die(now_us: int) -> bytes:
        raise HistorianError("killed behind the samples")

    work = Work()
    async with opened() as book:
        with pytest.raises(HistorianError):
            await book.once("k", BODY, die, depends_on_now=True)
    clock.advance(60)
    async with opened() as book:
        await book.once("k", BODY, work, depends_on_now=True)
        with pytest.raises(KeyReused):
            await book.once("k", OTHER_BODY, work, depends_on_now=True)
    assert work.times_us == [NOW_US]


async def test_after_a_day_a_key_is_new(opened: Opened, clock: ManualClock) -> None:
    async with opened() as book:
        await book.once("k", BODY, Work())
        clock.advance(KEPT_US / 1e6 - 1)
        assert (await book.once("k", BODY, Work())).is_repeated
        clock.advance(1)
        assert not (await book.once("k", OTHER_BODY, Work())).is_repeated


async def test_the_oldest_keys_are_given_up_and_counted(tmp_path: Path, clock: ManualClock) -> None:
    metrics = Metrics()
    book = AnswerBook(tmp_path / "answers.db", clock, 3, metrics)
    for number in range(5):
        await book.once(f"k{number}", BODY, Work(), depends_on_now=True)
    assert (await book.once("k4", BODY, Work())).is_repeated
    assert not (await book.once("k1", BODY, Work())).is_repeated
    text = metrics.to_prometheus_text()
    assert "\nhistorian_idempotency_keys 3\n" in text
    assert "\nhistorian_idempotency_keys_forgotten_total 3\n" in text
    assert "\nhistorian_idempotency_repeats_total 1\n" in text
    await book.close()


async def test_old_keys_leave_the_file(opened: Opened, clock: ManualClock) -> None:
    async with opened() as book:
        for number in range(5):
            await book.once(f"k{number}", BODY, Work())
        clock.advance(KEPT_US / 1e6)
        await book.once("new", BODY, Work())
        assert book._database.rows("SELECT count(*) FROM answer") == [(1,)]


async def test_senders_that_wait_together_are_all_answered(opened: Opened) -> None:
    async with opened() as book:
        asked = [book.once(f"k{number}", BODY, Work()) for number in range(50)]
        assert [one.is_repeated for one in await asyncio.gather(*asked)] == [False] * 50


async def test_an_answer_that_cannot_be_kept_is_not_given(opened: Opened) -> None:
    async with opened() as book:
        book._database.close()
        with pytest.raises(CatalogueError):
            await book.once("k", BODY, Work())
