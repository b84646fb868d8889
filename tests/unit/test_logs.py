"""Log lines: an event word, then key=value."""

import io
import logging
from collections.abc import Iterator

import pytest

from historian import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the lines go; the logging set-up of the test run is put back afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("historian")
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)


def test_a_line_is_time_level_event_and_fields(stream: io.StringIO) -> None:
    logs.configure("info", stream)
    logs.EventLog("store").info("opened", segments=12, start_ms=40)
    stamp, rest = stream.getvalue().split(" ", 1)
    assert stamp.endswith("Z")
    assert len(stamp) == len("2026-11-22T08:15:30.123Z")
    assert rest == "INFO    store.opened segments=12 start_ms=40\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("", '""', id="empty"),
        pytest.param("two words", '"two words"', id="space"),
        pytest.param('say "no"', '"say \\"no\\""', id="quote"),
        pytest.param("a\nb", '"a\\nb"', id="line break stays on one line"),
        pytest.param("a=b", '"a=b"', id="equals sign"),
    ],
)
def test_a_value_that_would_break_the_line_is_quoted(stream: io.StringIO, value: str, text: str) -> None:
    logs.configure("info", stream)
    logs.EventLog("x").warning("event", value=value)
    assert stream.getvalue().endswith(f"WARNING x.event value={text}\n")


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    logs.configure("error", stream)
    logs.EventLog("x").warning("quiet")
    logs.EventLog("x").error("loud")
    assert "quiet" not in stream.getvalue()
    assert "x.loud" in stream.getvalue()
