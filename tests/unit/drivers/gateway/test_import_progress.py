import io

import pytest

from drivers.gateway.import_progress import ImportProgress, progress_text, terminal_progress
from historian.clock import ManualClock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("progress", "elapsed_s", "text"),
    [
        (
            ImportProgress(17_520, 50, 100),
            2.0,
            "[############            ]   50 %  17 520 rows  8 760 rows/s  2 s left",
        ),
        (
            ImportProgress(35_040, 100, 100),
            2.0,
            "[########################]  100 %  35 040 rows  17 520 rows/s",
        ),
        (ImportProgress(0, 0, 100), 0.0, "[                        ]    0 %  0 rows"),
        (ImportProgress(5, 0, 0), 1.0, "[########################]  100 %  5 rows  5 rows/s"),
        (
            ImportProgress(10, 1, 100),
            100.0,
            "[                        ]    1 %  10 rows  0 rows/s  2 h 45 min left",
        ),
        (
            ImportProgress(10, 40, 100),
            60.0,
            "[##########              ]   40 %  10 rows  0 rows/s  1 min 30 s left",
        ),
    ],
)
def test_bar_tells_share_rate_and_time_left(progress: ImportProgress, elapsed_s: float, text: str) -> None:
    assert progress_text(progress, elapsed_s, has_bar=True) == text


def test_terminal_gets_one_line_that_is_drawn_over() -> None:
    terminal, clock = Terminal(), ManualClock()
    show = terminal_progress(terminal, clock)
    for rows in (1, 2, 3, 4):
        clock.advance(0.06)
        show(ImportProgress(rows, rows * 25, 100))
    lines = terminal.getvalue().split("\r")
    assert [line.split("%")[1].split("rows")[0].strip() for line in lines[1:]] == ["2", "4"]
    assert terminal.getvalue().count("\n") == 1
    assert terminal.getvalue().endswith("\n")


def test_log_gets_a_line_every_few_seconds_and_the_last() -> None:
    log, clock = io.StringIO(), ManualClock()
    show = terminal_progress(log, clock)
    for rows in range(1, 11):
        clock.advance(2.0)
        show(ImportProgress(rows, rows * 10, 100))
    assert [line.split("%")[1].split("rows")[0].strip() for line in log.getvalue().splitlines()] == [
        "3",
        "6",
        "9",
        "10",
    ]
    assert "[" not in log.getvalue()
