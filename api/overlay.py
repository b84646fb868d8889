"""Which other days are drawn over a load curve, and how their slots line up with it."""

import datetime
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from api.params import parse_date
from api.problem import Problem

OVERLAYS_MAX: Final = 12
_OFFSET: Final = re.compile(r"-([1-9]\d{0,3})(d|w)")
_OFFSET_DAYS: Final = {"d": 1, "w": 7}
_CLOCK_LENGTHS: Final = {
    True: 8,
    False: 5,
}  # 00:15:00 and 00:15, before an offset that tells repeated hours apart


class Overlay(NamedTuple):
    """Another day: as asked for, and its date."""

    offset: str
    date: datetime.date


def read_overlays(names: Sequence[str], date: datetime.date) -> list[Overlay]:
    """From ``-1d``, ``-2w`` or dates. Raises Problem."""
    if len(names) > OVERLAYS_MAX:
        raise Problem.of_parameter("compare", f"more than {OVERLAYS_MAX} days", f"多于 {OVERLAYS_MAX} 天")
    return [Overlay(name, _date_of(name, date)) for name in dict.fromkeys(names)]


def align(labels: Sequence[str], other_labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """For each slot the other day's slot under the same clock time, or -1.

    Where clocks go back a time occurs twice: the first lines up with the first, the second with the second.
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, label in enumerate(other_labels):
        places[_clock(label)].append(place)
    seen: defaultdict[str, int] = defaultdict(int)
    found = np.full(len(labels), -1, np.int64)
    for slot, label in enumerate(labels):
        clock = _clock(label)
        same = places.get(clock, [])
        if seen[clock] < len(same):
            found[slot] = same[seen[clock]]
        seen[clock] += 1
    return found


def _date_of(name: str, date: datetime.date) -> datetime.date:
    match = _OFFSET.fullmatch(name)
    if match is None:
        return parse_date("compare", name)
    try:
        return date - datetime.timedelta(days=int(match[1]) * _OFFSET_DAYS[match[2]])
    except OverflowError as error:
        raise Problem.of_parameter(
            "compare", f"{name} is before the first date", f"{name} 早于最早日期"
        ) from error


def _clock(label: str) -> str:
    return label[: _CLOCK_LENGTHS[label.count(":") >= 2 and label[5:6] == ":"]]
