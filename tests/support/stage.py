"""A served core that lives longer than one example of a property: hypothesis runs plain functions."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tests.support.served_core import Served, serve
from tests.support.site import AT_ALL_TIMES

_Result = TypeVar("_Result")


class Stage:
    """Runs coroutines on the loop that the server lives on; between them the server stands still."""

    def __init__(self, runner: asyncio.Runner, served: Served) -> None:
        self._runner = runner
        self.served = served
        self._point_count = 0

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """The result of one coroutine."""
        return self._runner.run(work)

    def next_name(self) -> str:
        """A name that no example had; all are of one length."""
        self._point_count += 1
        return f"p{self._point_count:07d}"


@contextlib.contextmanager
def open_stage(folder: Path) -> Iterator[Stage]:
    """Samples of any year are taken."""
    with asyncio.Runner() as runner:
        serving = serve(folder, AT_ALL_TIMES)
        served = runner.run(serving.__aenter__())
        try:
            yield Stage(runner, served)
        finally:
            runner.run(serving.__aexit__(None, None, None))
