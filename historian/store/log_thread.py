"""The thread that writes the log: what the standard library's pools do, at a third of what handing over costs there."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")

_NAME: Final = "wal"


class _Task(NamedTuple):
    """One call, and where its end is told."""

    work: Callable[..., Any]
    arguments: tuple[object, ...]
    loop: asyncio.AbstractEventLoop
    end: asyncio.Future[Any]


class LogThread:
    """Does one thing after the other, in the order asked. The thread begins with the first."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """What `work` returns or raises. Where it is cancelled, the work goes on, and nobody hears of its end."""
        if self._is_closed:
            raise RuntimeError("the log's thread has ended")
        if self._thread is None:
            # A process that ends without `shut_down` must not wait for it: what is not acknowledged may be lost.
            self._thread = threading.Thread(target=self._work, name=_NAME, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        end: asyncio.Future[T] = loop.create_future()
        self._tasks.put(_Task(work, arguments, loop, end))
        return await end

    def shut_down(self) -> None:
        """Wait until all that was asked is done; then the thread is gone."""
        self._is_closed = True
        if self._thread is not None:
            self._tasks.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                result = task.work(*task.arguments)
            except BaseException as error:
                _tell(task, error, is_error=True)
            else:
                _tell(task, result, is_error=False)
            del task  # holds the samples of a batch


def _tell(task: _Task, result: object, *, is_error: bool) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        task.loop.call_soon_threadsafe(_settle, task.end, result, is_error)


def _settle(end: asyncio.Future[Any], result: Any, is_error: bool) -> None:
    if end.done():
        return  # who asked was cancelled
    if is_error:
        end.set_exception(result)
    else:
        end.set_result(result)
