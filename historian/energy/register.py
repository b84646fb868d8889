"""Register readings as amounts: rollover, exchange, reset, and what must stay suspect.

A difference is used where it rises and the point can take it. Where it falls the register began again at zero, if its
modulus is known and the amount that follows is plausible; was exchanged or reset, if an event says so; else the amount
is not known: suspect, never negative, never guessed.
"""

from collections.abc import Iterable
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from historian.energy import fixed_point, metering, register_kernels
from historian.energy.counter_event import CounterEvent, CounterFlag
from historian.energy.metering import Metering, RegisterEvent
from historian.energy.register_kernels import NEW_START, OLD_END, Judged, Marks, Rules
from historian.model import quality
from historian.model.sample import SampleRun

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_HINTS: Final = np.uint16(quality.COUNTER_ADJUSTED | quality.COUNTER_CARRY)
_FLAGS: Final = {"exchange": CounterFlag.EXCHANGE, "reset": CounterFlag.RESET}


def longest_gap_us(interval_us: int) -> int:
    """The longest distance of two samples between which none is missing."""
    return interval_us + interval_us // 2


def is_reading(bits: U16) -> Mask:
    """Which samples may be a register's reading: usable, and not declared invalid by the source."""
    is_there: Mask = quality.is_usable(bits) & ((bits & quality.INVALID) == 0)
    return is_there


def needs_neighbour(value: float) -> bool:
    """Whether such a reading may be a lone one near zero, which only the readings on both its sides tell."""
    return 0.0 <= value < register_kernels.NEAR_ZERO


def judge(run: SampleRun, of: Metering) -> Judged:
    """Periods from reading to reading, and to the events between them; samples marked as deleted never came."""
    marks = _marks_of(run, of)
    count = len(marks.time_us)
    rules = Rules(
        float(of.modulus or 0.0), float(of.resolution or 0.0), of.is_signed, longest_gap_us(of.interval_us)
    )
    is_aside = np.zeros(count, np.uint8)
    if not of.is_signed:
        register_kernels.set_aside(marks, rules, is_aside)
    out = _room_for(count)
    made = register_kernels.judge(marks, metering.changes_us(of.factor), rules, is_aside, out)
    return Judged._make(column[:made] for column in out)


def explain(run: SampleRun, of: Metering) -> list[CounterEvent]:
    """Of which stretches of time more is to be said than a difference, for people."""
    judged = judge(run, of)
    return [
        CounterEvent(
            int(judged.start_us[i]),
            int(judged.end_us[i]),
            CounterFlag(int(judged.events[i])),
            _noted(judged.base[i]),
            _noted(judged.value[i]),
            _amount(judged, i) if judged.is_usable[i] else None,
        )
        for i in np.flatnonzero(judged.events).tolist()
    ]


def _noted(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def _amount(judged: Judged, i: int) -> float:
    value, base, carry, factor = (
        fixed_point.exact(float(column[i]))
        for column in (judged.value, judged.base, judged.carry, judged.factor)
    )
    return fixed_point.to_float((value - base + carry) * factor)


def _room_for(count: int) -> Judged:
    types = (np.int64,) * 2 + (np.float64,) * 4 + (np.uint16,) * 2 + (np.bool_,) * 2
    return Judged._make(np.empty(count, type_) for type_ in types)


def _marks_of(run: SampleRun, of: Metering) -> Marks:
    is_there = (run.quality & quality.DELETED) == 0
    is_used = is_reading(run.quality)
    time_us, bits = run.time_us[is_used], run.quality[is_used]
    count = len(time_us)
    columns = (
        time_us,
        run.value[is_used],
        bits.astype(np.int64),
        _hints(run.quality[is_there], is_used[is_there]).astype(np.int64),
        np.zeros(count, np.uint8),
        np.zeros(count, np.int64),
    )
    for event in _events_near(of.events, time_us):
        columns = _with_event(columns, event)
    time_us = columns[0]
    return Marks(*columns, metering.column_at(of.factor, time_us), metering.column_at(of.capacity, time_us))


def _hints(bits: U16, is_used: Mask) -> U16:
    """For each reading the counter flags since the one before, also of samples that are no readings."""
    hints = bits & _HINTS
    if len(hints) == 0 or bool(is_used.all()):
        return hints
    last = np.flatnonzero(is_used)
    first = np.append(0, last[:-1] + 1)[: len(last)]
    found = np.bitwise_or.reduceat(hints[: last[-1] + 1], first) if len(last) else hints[:0]
    return found


def _events_near(events: tuple[RegisterEvent, ...], time_us: I64) -> list[RegisterEvent]:
    """Events between the readings, the last one before them, and the first one after."""
    if not events or len(time_us) == 0:
        return []
    inside = sum(bool(time_us[0] <= event.time_us <= time_us[-1]) for event in events)
    before = sum(event.time_us < time_us[0] for event in events)
    after = before + inside
    return list(events[max(0, before - 1) : after + 1])


_Columns = tuple[I64, F64, I64, I64, U8, I64]


def _with_event(columns: _Columns, event: RegisterEvent) -> _Columns:
    """The marks with the two of an event; a reading at that instant gives way, or is the new start if none is noted."""
    time_us, value = columns[0], columns[1]
    first, last = np.searchsorted(time_us, (event.time_us, event.time_us + 1)).tolist()
    new_start = event.new_start
    if new_start is None and last > first:
        new_start = float(value[last - 1])
    noted = [np.nan if one is None else one for one in (event.old_end, new_start)]
    flag = int(_FLAGS[event.kind])
    added = ([event.time_us] * 2, noted, [0, 0], [0, 0], [OLD_END, NEW_START], [flag, flag])
    pairs: Iterable[tuple[npt.NDArray[Any], Any]] = zip(columns, added, strict=True)
    return cast(
        _Columns,
        tuple(np.concatenate((old[:first], np.array(two, old.dtype), old[last:])) for old, two in pairs),
    )
