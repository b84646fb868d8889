"""Pages of events are made once for all who stand at the same place; what only sockets show is tested with the route."""

from typing import Any

import numpy as np
import pytest

from api import change_row, event_stream
from api.event_stream import EventStreams
from api.time_form import TimeForm
from historian.rollup.change_log import Changes, Page
from tests.unit.api.conftest import Api

UTC = TimeForm(False, None)


def page_of(place: int, count: int, is_reset: bool = False) -> Page:
    columns = Changes(
        np.ones(count, np.uint32), np.full(count, 739_000, np.int32), np.ones(count, np.uint32),
        np.ones(count, np.uint8),
    )  # fmt: skip
    after = place + 1 + np.arange(count)
    return Page(columns, np.zeros(count, np.int64), after, place + count, is_reset)


class CountingRollup:
    """Gives one change at each place below 3, and counts who asks."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def changes(self, place: int, limit: int) -> Page:
        self.asked.append(place)
        return page_of(place, 1 if place < 3 else 0)


async def test_a_page_is_made_once_and_kept_for_others_if_it_has_events(api: Api) -> None:
    await api.put_point("a")
    rollup: Any = CountingRollup()
    streams = EventStreams(api.context._replace(rollup=rollup))
    first = await streams._page(1, UTC)
    assert await streams._page(1, UTC) is first
    assert change_row.write_place(2).encode() in first.events[0]
    await streams._page(3, UTC)
    await streams._page(3, UTC)
    assert rollup.asked == [1, 3, 3]


async def test_few_pages_are_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "PAGES_KEPT_MAX", 2)
    await api.put_point("a")
    rollup: Any = CountingRollup()
    streams = EventStreams(api.context._replace(rollup=rollup))
    for place in (0, 1, 2, 0):
        await streams._page(place, UTC)
    assert rollup.asked == [0, 1, 2, 0]
    assert len(streams._pages) == 2
