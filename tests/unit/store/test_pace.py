"""Background work sleeps as its shares ask for, and stops when told."""

import threading
import time

import pytest

from historian.store import pace
from historian.store.pace import Pace, WorkStopped


class Waits:
    """An event that only remembers how long it was to be waited for."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def wait(self, duration_s: float) -> bool:
        self.waited.append(duration_s)
        return False


def used(monkeypatch: pytest.MonkeyPatch, *cpu_s: float) -> None:
    moments = iter(cpu_s)
    monkeypatch.setattr(time, "thread_time", lambda: next(moments))


def test_the_share_of_the_processor_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    used(monkeypatch, 10.0, 10.5, 10.5)
    waits = Waits()
    Pace(0.25, 1 << 40, waits).keep(0)  # type: ignore[arg-type]
    assert waits.waited == [pytest.approx(1.5)]


def test_the_share_of_the_disk_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    used(monkeypatch, 10.0, 10.5, 10.5, 10.5, 10.5)
    waits = Waits()
    steps = Pace(1.0, 1000, waits)  # type: ignore[arg-type]
    steps.keep(2000)
    steps.keep(3000)
    assert waits.waited == [pytest.approx(1.5), pytest.approx(3.0)]
    assert steps.slept_s == pytest.approx(4.5)


def test_it_stops_at_once() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(WorkStopped):
        pace.Pace(0.01, 1, stop).keep(1 << 40)
