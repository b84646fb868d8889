"""The bits of a register's events are append-only."""

from historian.energy import counter_event
from historian.energy.counter_event import CounterFlag


def test_bits_keep_their_meaning() -> None:
    assert {flag.name: int(flag) for flag in CounterFlag} == {
        "ROLLOVER": 1,
        "EXCHANGE": 2,
        "RESET": 4,
        "DECREASE": 8,
        "GAP_SPANNED": 16,
        "FACTOR_CHANGE": 32,
        "IMPLAUSIBLE": 64,
    }


def test_events_are_told_by_their_names() -> None:
    assert counter_event.words(0) == []
    assert counter_event.words(CounterFlag.ROLLOVER | CounterFlag.DECREASE) == ["rollover", "decrease"]
