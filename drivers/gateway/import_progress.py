"""How far an import is, and a line on a terminal that shows it with rate and time left."""

import sys
from collections.abc import Callable
from typing import Final, NamedTuple, TextIO

from historian.clock import Clock, SystemClock

BAR_CELLS: Final = 24
TERMINAL_PERIOD_S: Final = 0.1
LINE_PERIOD_S: Final = 5.0  # where the output is no terminal: a log does not want a bar


class ImportProgress(NamedTuple):
    """Rows read, and bytes of the file as stored. `bytes_total` is 0 where it is unknown."""

    row_count: int
    bytes_done: int
    bytes_total: int

    @property
    def is_complete(self) -> bool:
        return self.bytes_done >= self.bytes_total


Progress = Callable[[ImportProgress], None]


def terminal_progress(stream: TextIO | None = None, clock: Clock | None = None) -> Progress:
    """A progress that draws a bar on a terminal (default: standard error), or a line now and then elsewhere."""
    return _TerminalProgress(stream or sys.stderr, clock or SystemClock()).show


class _TerminalProgress:
    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._started_s = clock.monotonic_s()
        self._is_terminal = stream.isatty()
        self._shown_s = self._started_s
        self._width = 0

    def show(self, progress: ImportProgress) -> None:
        now_s = self._clock.monotonic_s()
        period_s = TERMINAL_PERIOD_S if self._is_terminal else LINE_PERIOD_S
        if now_s - self._shown_s < period_s and not progress.is_complete:
            return
        self._shown_s = now_s
        text = progress_text(progress, now_s - self._started_s, has_bar=self._is_terminal)
        if self._is_terminal:
            self._stream.write("\r" + text.ljust(self._width) + ("\n" if progress.is_complete else ""))
            self._width = len(text)
        else:
            self._stream.write(text + "\n")
        self._stream.flush()


def progress_text(progress: ImportProgress, elapsed_s: float, has_bar: bool) -> str:
    """``[############            ]  50 %  17 520 rows  210 000 rows/s  1 s left``"""
    share = min(1.0, progress.bytes_done / progress.bytes_total) if progress.bytes_total else 1.0
    cell_count = round(share * BAR_CELLS)
    parts = [f"[{'#' * cell_count}{' ' * (BAR_CELLS - cell_count)}]"] if has_bar else ["import"]
    parts += [f"{share:4.0%}".replace("%", " %"), f"{grouped(progress.row_count)} rows"]
    if elapsed_s > 0.0:
        parts.append(f"{grouped(round(progress.row_count / elapsed_s))} rows/s")
        if 0.0 < share < 1.0:
            parts.append(f"{_duration(elapsed_s * (1.0 - share) / share)} left")
    return "  ".join(parts)


def grouped(number: int) -> str:
    """35040 → ``35 040``."""
    return f"{number:,}".replace(",", " ")


def _duration(duration_s: float) -> str:
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
