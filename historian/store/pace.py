"""Keeps background work within its share of processor time and of disk traffic, and stops it at once when told."""

import threading
import time

from historian.errors import StoreError


class WorkStopped(StoreError):
    """The work was given up because the store closes; nothing has changed."""


class Pace:
    """Told of every step of work, sleeps as long as the shares ask for. For the thread that works."""

    def __init__(self, cpu_share: float, bytes_s_max: int, stop: threading.Event) -> None:
        self._cpu_share = cpu_share
        self._bytes_s_max = bytes_s_max
        self._stop = stop
        self._cpu_s = time.thread_time()
        self.slept_s = 0.0

    def keep(self, byte_count: int) -> None:
        """A step is done that read and wrote so many bytes. Raises WorkStopped."""
        used_s = time.thread_time() - self._cpu_s
        pause_s = max(used_s / self._cpu_share - used_s, byte_count / self._bytes_s_max - used_s)
        self.slept_s += max(pause_s, 0.0)
        if self._stop.wait(max(pause_s, 0.0)):
            raise WorkStopped("merging was given up: the store closes")
        self._cpu_s = time.thread_time()
