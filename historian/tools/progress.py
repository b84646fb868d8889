"""Tells on standard error how far a long command is: a line that is written over on a terminal, else few lines."""

import sys
from typing import Final, TextIO

from historian.clock import Clock

INTERVAL_TERMINAL_S: Final = 0.2
INTERVAL_FILE_S: Final = 10.0


class Progress:
    """Counts steps of something; tells at most every so often."""

    def __init__(self, clock: Clock, stream: TextIO | None = None) -> None:
        self._clock = clock
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._interval_s = INTERVAL_TERMINAL_S if self._is_terminal else INTERVAL_FILE_S
        self._told_s = clock.monotonic_s()
        self._has_line = False

    def tell(self, what: str, done: int, total: int) -> None:
        """`done` of `total` steps of `what` are behind us."""
        now_s = self._clock.monotonic_s()
        if now_s - self._told_s < self._interval_s:
            return
        self._told_s = now_s
        share = f"{100 * done // total:3d} %" if total else ""
        text = f"{what}: {done:,} of {total:,} {share}".replace(",", " ").rstrip()
        self._stream.write(f"\r{text}\033[K" if self._is_terminal else f"{text}\n")
        self._stream.flush()
        self._has_line = self._is_terminal

    def end(self) -> None:
        """Leave no half line behind."""
        if self._has_line:
            self._stream.write("\r\033[K")
            self._stream.flush()
            self._has_line = False
