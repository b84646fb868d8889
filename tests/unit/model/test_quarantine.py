"""Under which stamp a quarantined sample is released."""

import pytest

from historian.model.quarantine import STATES, NewStamp


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
