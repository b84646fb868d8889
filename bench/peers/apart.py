"""Runs a function in a process of its own, so that its CPU time is its own."""

import multiprocessing
import resource
from collections.abc import Callable
from typing import Any


def run_apart(work: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """What `work` gives. Raises RuntimeError where the process dies."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_answer, args=(there, work, arguments))
    process.start()
    there.close()
    try:
        answer: dict[str, Any] = here.recv()
    except EOFError as error:
        raise RuntimeError(f"{work.__module__} ended without figures") from error
    finally:
        process.join()
    return answer


def cpu_s() -> float:
    """CPU seconds of this process, all its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _answer(connection: Any, work: Callable[..., dict[str, Any]], arguments: tuple[Any, ...]) -> None:
    connection.send(work(*arguments))
