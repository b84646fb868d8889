import io

from historian.clock import ManualClock
from historian.tools.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_is_written_over_and_taken_away() -> None:
    clock, stream = ManualClock(), Terminal()
    progress = Progress(clock, stream)
    for number in (1, 2, 3):
        progress.tell("segments", number, 4)
        clock.advance(0.15)
    progress.end()
    assert stream.getvalue() == "\rsegments: 3 of 4  75 %\033[K\r\033[K"


def test_a_file_gets_few_lines() -> None:
    clock, stream = ManualClock(), io.StringIO()
    progress = Progress(clock, stream)
    for number in range(1000, 1100):
        progress.tell("figures", number, 0)
        clock.advance(0.5)
    progress.end()
    assert stream.getvalue().splitlines() == [f"figures: 1 0{number} of 0" for number in (20, 40, 60, 80)]


def test_nothing_told_leaves_nothing() -> None:
    stream = Terminal()
    Progress(ManualClock(), stream).end()
    assert stream.getvalue() == ""
