"""Under which stamp a quarantined sample is released."""

import pytest

from historian.model.point import HOUR_US
from historian.model.quarantine import STATES, NewStamp, parse_shift_us


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        pytest.param(NewStamp(), 100, id="as it came"),
        pytest.param(NewStamp(shift_us=-30), 70, id="moved"),
        pytest.param(NewStamp(time_us=5), 5, id="its very time"),
        pytest.param(NewStamp(time_us=0), 0, id="the time zero is a time"),
    ],
)
def test_the_new_stamp(stamp: NewStamp, expected: int) -> None:
    assert stamp.of(100) == expected


def test_states_keep_their_numbers_on_disk() -> None:
    assert STATES == ("kept", "released", "erased")


@pytest.mark.parametrize(
    ("text", "hours"), [("8h", 8), ("+8h", 8), ("-8h", -8), ("-1d", -24), ("60m", 1), ("-7200s", -2)]
)
def test_shifts(text: str, hours: int) -> None:
    assert parse_shift_us(text) == hours * HOUR_US


@pytest.mark.parametrize("text", ["", "-", "8", "--8h", "8 h", "0h", "1.5h", "h"])
def test_what_is_no_shift(text: str) -> None:
    with pytest.raises(ValueError, match="is no shift, such as"):
        parse_shift_us(text)
