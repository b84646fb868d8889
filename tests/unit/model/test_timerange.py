"""Half-open time ranges."""

import pytest

from historian.model.timerange import TimeRange


def test_the_start_is_inside_and_the_end_is_not() -> None:
    span = TimeRange(10, 20)
    assert [span.contains(time_us) for time_us in (9, 10, 19, 20)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("start_us", "end_us", "duration_us"),
    [
        pytest.param(10, 20, 10, id="some"),
        pytest.param(10, 10, 0, id="nothing"),
        pytest.param(20, 10, 0, id="turned round"),
    ],
)
def test_duration_is_never_negative(start_us: int, end_us: int, duration_us: int) -> None:
    span = TimeRange(start_us, end_us)
    assert span.duration_us == duration_us
    assert span.is_empty == (duration_us == 0)


def test_overlap_is_what_both_contain() -> None:
    assert TimeRange(0, 20).overlap(TimeRange(10, 30)) == TimeRange(10, 20)
    assert TimeRange(0, 10).overlap(TimeRange(10, 30)).is_empty
