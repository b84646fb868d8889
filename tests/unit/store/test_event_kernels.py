"""One circular row against a plain dict."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from historian.store import event_kernels
from historian.store.event import LOST_NOTHING, Events

ROOM = 4
TIMES = st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=40)


class PlainRow:
    """What a row of `ROOM` samples is to do."""

    def __init__(self) -> None:
        self.held: dict[int, int] = {}
        self.lost = LOST_NOTHING

    def put(self, time: int, value: int, is_replacing: bool) -> None:
        if time in self.held:
            self.held[time] = value if is_replacing else self.held[time]
        elif not is_replacing and time <= self.lost:
            pass
        elif len(self.held) == ROOM and time < min(self.held):
            self.lost = max(self.lost, time)
        else:
            if len(self.held) == ROOM:
                self.lost = max(self.lost, min(self.held))
                del self.held[min(self.held)]
            self.held[time] = value


@given(TIMES)
def test_the_kernel_and_its_plain_twin_agree(samples: list[tuple[int, bool]]) -> None:
    events, twin = Events(), PlainRow()
    events.make_rows(np.array([3, ROOM]))
    for value, (time, is_replacing) in enumerate(samples):
        circles = events.circles
        at = event_kernels.take_place(*circles, 1, time, is_replacing)
        if at >= 0:
            circles[1][at], circles[2][at], circles[3][at] = time, value, value
        twin.put(time, value, is_replacing)
        assert held(events) == sorted(twin.held.items())
        assert circles[0][1, event_kernels.LOST] == twin.lost
        for wanted in range(13):
            found = event_kernels.find(circles[0], circles[1], 1, wanted)
            assert (found >= 0) == (wanted in twin.held)
            if found >= 0:
                assert circles[2][found] == twin.held[wanted]


@given(st.lists(st.integers(0, 12), max_size=9), st.integers(0, 12), st.integers(0, 12))
def test_a_span_of_a_row_is_copied_by_time(times: list[int], start: int, end: int) -> None:
    events = Events()
    events.make_rows(np.array([3, ROOM]))
    for time in times:
        at = event_kernels.take_place(*events.circles, 1, time, True)
        if at >= 0:
            events.circles[1][at] = time
    in_row = [time for time, _ in held(events)]
    to = (np.full(9, -1), np.empty(9), np.empty(9, np.uint16))
    event_kernels.copy_between(events.circles, 1, start, end, to, 2)
    assert [time for time in to[0].tolist() if time >= 0] == [t for t in in_row if start <= t < end]


def held(events: Events) -> list[tuple[int, int]]:
    """(time, value) of row 1, whose neighbours stay untouched."""
    table, times, values, _ = events.circles
    offset, capacity, head, count, _ = table[1].tolist()
    assert (offset, capacity, table[0, event_kernels.COUNT]) == (3, ROOM, 0)
    places = [offset + (head + place) % capacity for place in range(count)]
    return [(int(times[at]), int(values[at])) for at in places]
