"""Work for the log is done in order, in one other thread, and its end is told."""

import asyncio
import threading

import pytest

from historian.store.log_thread import LogThread


@pytest.fixture
def log_thread() -> LogThread:
    return LogThread()


async def test_results_and_errors_come_back(log_thread: LogThread) -> None:
    def fail() -> None:
        raise OSError("no space")

    assert await log_thread.run(max, 1, 2) == 2
    with pytest.raises(OSError, match="no space"):
        await log_thread.run(fail)
    assert await log_thread.run(max, 3, 2) == 3
    log_thread.shut_down()


async def test_all_is_done_in_order_by_one_other_thread(log_thread: LogThread) -> None:
    done: list[tuple[int, int]] = []

    def note(number: int) -> None:
        done.append((number, threading.get_ident()))

    await asyncio.gather(*(log_thread.run(note, number) for number in range(50)))
    assert [number for number, _ in done] == list(range(50))
    assert {ident for _, ident in done} != {threading.get_ident()}
    assert len({ident for _, ident in done}) == 1
    log_thread.shut_down()


async def test_what_is_cancelled_goes_on_and_those_behind_it_are_served(log_thread: LogThread) -> None:
    may_end, done = threading.Event(), []

    def wait() -> None:
        may_end.wait(10)
        done.append("first")

    first = asyncio.ensure_future(log_thread.run(wait))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(log_thread.run(done.append, "second"))
    await asyncio.sleep(0)
    first.cancel()
    may_end.set()
    await second
    assert done == ["first", "second"]
    with pytest.raises(asyncio.CancelledError):
        await first
    log_thread.shut_down()


async def test_shutting_down_waits_for_what_was_asked_and_takes_no_more(log_thread: LogThread) -> None:
    done: list[int] = []
    waiting = [asyncio.ensure_future(log_thread.run(done.append, number)) for number in range(20)]
    await asyncio.sleep(0)
    log_thread.shut_down()
    assert done == list(range(20))
    await asyncio.gather(*waiting)
    with pytest.raises(RuntimeError, match="has ended"):
        await log_thread.run(done.append, 1)
    assert not [thread for thread in threading.enumerate() if thread.name == "wal"]


def test_a_loop_that_is_gone_does_not_stop_it(log_thread: LogThread) -> None:
    async def begin() -> None:
        task = asyncio.ensure_future(log_thread.run(threading.Event().wait, 0.05))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(begin())
    assert asyncio.run(log_thread.run(max, 1, 2)) == 2
    log_thread.shut_down()
