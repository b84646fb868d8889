"""Which (point, local day) must be made anew: samples come in as columns, days come out.

A sample changes the day it is stamped in, and its neighbours where its period or that of the sample before
it may reach across midnight. A register's reading changes every day up to the readings beside it; those days
are found later, by asking the store (`take_register_days`).
"""

import datetime
import zoneinfo
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from historian.energy import calendar, sample_period
from historian.errors import PointNotFound
from historian.model import timestamp
from historian.model.point import DAY_US, PointKind
from historian.model.ports import PointDirectory
from historian.rollup import day_key
from historian.rollup.day_figure import WHOLE_DAY_US
from historian.rollup.day_key import KeyColumn, KeySet

I64 = npt.NDArray[np.int64]

WAITING_SAMPLES_MAX: Final = 32_768  # marks are turned into days when so many wait: about 2 ms of work

# Days of years 1 and 9999 have no neighbours to be looked up; no meter reads there.
_FIRST_US: Final = timestamp.TIME_MIN_US + 366 * DAY_US
_LAST_US: Final = timestamp.TIME_MAX_US - 366 * DAY_US
_DAYS_CLOSE: Final = 64  # so few days are looked up without asking which of them occur
_DENSE_RATIO: Final = 8

_UNKNOWN: Final = -1  # zone number of a point that is not in the directory
_STALE: Final = -2


class RevisedDirectory(PointDirectory, Protocol):
    """A directory that tells when any of its points changed."""

    @property
    def revision(self) -> int:
        """Grows with every change."""
        ...


class DirtyDays:
    """The dirty set, and the marks that were not yet turned into days. Owned by the loop's thread."""

    def __init__(self, directory: RevisedDirectory) -> None:
        self._attributes = _PointAttributes(directory)
        self._waiting: list[tuple[npt.NDArray[np.uint32], I64]] = []
        self._waiting_count = 0
        self._keys = KeySet()
        self._unsaved = KeySet()
        self._register_keys = KeySet()

    def mark(self, point_id: npt.NDArray[np.uint32], time_us: I64) -> None:
        """See `ports.DirtyMarker`; keeps both columns until they are turned into days."""
        self._waiting.append((point_id, time_us))
        self._waiting_count += len(point_id)
        if self._waiting_count >= WAITING_SAMPLES_MAX:
            self.settle()

    def settle(self) -> KeySet:
        """Turn waiting marks into days; returns the set of all dirty days."""
        if self._waiting:
            point_id = np.concatenate([ids for ids, _ in self._waiting]).astype(np.int64)
            time_us = np.clip(np.concatenate([times for _, times in self._waiting]), _FIRST_US, _LAST_US)
            self._waiting, self._waiting_count = [], 0
            self._mark_columns(point_id, time_us)
        return self._keys

    def add(self, keys: KeyColumn) -> None:
        """Make days dirty; keys ascend, each once."""
        self._unsaved.add(self._keys.add(keys))

    def restore(self, keys: KeyColumn) -> None:
        """Days that are dirty on disk already. A register's neighbours are looked for again."""
        self._keys.add(keys)
        point_id = keys >> day_key.DAY_BITS
        self._attributes.refresh(point_id)
        self._register_keys.add(keys[self._attributes.is_register[point_id]])

    def discard(self, keys: KeyColumn) -> None:
        """These days are made anew from samples read after this call, and cleared on disk then."""
        self._keys.discard(keys)
        self._unsaved.discard(keys)

    def keep_only(self, keys: KeyColumn) -> None:
        """Forget dirty days that are not among `keys`."""
        self._keys.keep_only(keys)
        self._unsaved.keep_only(keys)

    def take_unsaved(self) -> KeyColumn:
        """Days that became dirty since the last call, and still are."""
        self.settle()
        keys = self._unsaved.to_column()
        self._unsaved = KeySet()
        return keys

    def take_register_days(self, point_id: int) -> list[int]:
        """Days of a register point with changed readings whose neighbours were not yet looked for."""
        days = self._register_keys.days_of(point_id)
        if days:
            self._register_keys.discard(day_key.pack_days(point_id, days))
        return days

    def _mark_columns(self, point_id: I64, time_us: I64) -> None:
        attributes = self._attributes
        attributes.refresh(point_id)
        zone_number = attributes.zone_number[point_id]
        for number, zone in enumerate(attributes.zones):
            is_there = zone_number == number
            if is_there.all():
                self._mark_in_zone(point_id, time_us, zone)
            elif is_there.any():
                self._mark_in_zone(point_id[is_there], time_us[is_there], zone)

    def _mark_in_zone(self, point_id: I64, time_us: I64, zone: zoneinfo.ZoneInfo) -> None:
        attributes = self._attributes
        first_us, last_us = int(time_us.min()), int(time_us.max())
        day = _day_of_all(first_us - attributes.reach_us_max, last_us + attributes.reach_us_max, zone)
        if day is not None:
            keys = day_key.pack_days(_distinct(point_id), day)
        else:
            before_us, after_us = attributes.before_us[point_id], attributes.after_us[point_id]
            keys = _keys_in_zone(point_id, time_us - before_us, time_us, time_us + after_us, zone)
        self.add(keys)
        if attributes.register_count:
            self._register_keys.add(keys[attributes.is_register[keys >> day_key.DAY_BITS]])


class _PointAttributes:
    """Zone, reach and kind by point id, as columns, asked from the directory once for each change."""

    def __init__(self, directory: RevisedDirectory) -> None:
        self._directory = directory
        self._seen_revision = np.full(0, _STALE, np.int64)
        self.zone_number = np.empty(0, np.int64)
        self.before_us = np.empty(0, np.int64)
        self.after_us = np.empty(0, np.int64)
        self.is_register = np.empty(0, np.bool_)
        self.register_count = 0
        self.reach_us_max = 0
        self.zones: list[zoneinfo.ZoneInfo] = []

    def refresh(self, point_id: I64) -> None:
        """Make the columns right for these points."""
        if len(point_id) == 0:
            return
        self._grow(int(np.max(point_id)) + 1)
        revision = self._directory.revision
        is_old = self._seen_revision[point_id] != revision
        for one in np.unique(point_id[is_old]).tolist():
            self._ask(one)
            self._seen_revision[one] = revision

    def _ask(self, point_id: int) -> None:
        self.register_count -= int(self.is_register[point_id])
        try:
            point = self._directory.by_id(point_id)
        except PointNotFound:
            self.zone_number[point_id], self.is_register[point_id] = _UNKNOWN, False
            return
        zone = timestamp.load_zone(point.time_zone)
        if zone not in self.zones:
            self.zones.append(zone)
        self.zone_number[point_id] = self.zones.index(zone)
        reach_us = sample_period.reach_us(point.kind, point.interval_us)
        self.before_us[point_id], self.after_us[point_id] = reach_us
        self.reach_us_max = max(self.reach_us_max, *reach_us)
        self.is_register[point_id] = point.kind is PointKind.REGISTER
        self.register_count += int(self.is_register[point_id])

    def _grow(self, size: int) -> None:
        missing = size - len(self.zone_number)
        if missing <= 0:
            return
        missing = max(missing, len(self.zone_number))
        self._seen_revision = np.append(self._seen_revision, np.full(missing, _STALE, np.int64))
        self.zone_number = np.append(self.zone_number, np.full(missing, _UNKNOWN, np.int64))
        self.before_us = np.append(self.before_us, np.zeros(missing, np.int64))
        self.after_us = np.append(self.after_us, np.zeros(missing, np.int64))
        self.is_register = np.append(self.is_register, np.zeros(missing, np.bool_))


class _DayStarts(NamedTuple):
    """Starts of local days around some instants, ascending, and the ordinals of their dates."""

    start_us: I64
    day: I64

    def index_of(self, time_us: I64) -> I64:
        return np.searchsorted(self.start_us, time_us, side="right") - 1


def _day_of_all(first_us: int, last_us: int, zone: zoneinfo.ZoneInfo) -> int | None:
    """The day that holds all of ``[first_us, last_us]``, if one does: the everyday case of live data."""
    if last_us - first_us > WHOLE_DAY_US:
        return None
    date = calendar.local_date(first_us, zone)
    return date.toordinal() if last_us < calendar.day_edges_us(date, zone)[1] else None


def _distinct(point_id: I64) -> I64:
    """Each id once, ascending; in one pass where ids are not much larger than there are samples."""
    highest = int(point_id.max())
    if highest > _DENSE_RATIO * len(point_id):
        return np.unique(point_id)
    is_there = np.zeros(highest + 1, np.bool_)
    is_there[point_id] = True
    return np.flatnonzero(is_there)


def _keys_in_zone(
    point_id: I64, from_us: I64, time_us: I64, to_us: I64, zone: zoneinfo.ZoneInfo
) -> KeyColumn:
    """Keys of the days of `time_us`, and of all others that ``(from_us, to_us)`` touches."""
    starts = _starts_around(time_us, zone)
    index = starts.index_of(time_us)
    keys = _without_repeats(day_key.pack(point_id, starts.day[index]))
    is_near_edge = (from_us < starts.start_us[index]) | (to_us > starts.start_us[index + 1])
    if not is_near_edge.any():
        return np.unique(keys)
    near = np.flatnonzero(is_near_edge)
    others = _keys_between(point_id[near], from_us[near] + 1, to_us[near] - 1, zone)
    return np.unique(np.concatenate((keys, others)))


def _without_repeats(keys: KeyColumn) -> KeyColumn:
    """The keys, but of equal neighbours only the first: imports come sorted by point and time."""
    is_first = np.ones(len(keys), np.bool_)
    is_first[1:] = keys[1:] != keys[:-1]
    return keys[is_first]


def _keys_between(point_id: I64, first_us: I64, last_us: I64, zone: zoneinfo.ZoneInfo) -> KeyColumn:
    """Keys of every day from that of `first_us` to that of `last_us`."""
    starts = _starts_around(np.concatenate((first_us, last_us)), zone)
    first, last = starts.day[starts.index_of(first_us)], starts.day[starts.index_of(last_us)]
    day_count = last - first + 1
    offset = np.arange(int(np.sum(day_count))) - np.repeat(np.cumsum(day_count) - day_count, day_count)
    return day_key.pack(np.repeat(point_id, day_count), np.repeat(first, day_count) + offset)


def _starts_around(time_us: I64, zone: zoneinfo.ZoneInfo) -> _DayStarts:
    """Starts of all local days that hold one of these instants, and of the days after them."""
    days: set[int] = set()
    for utc_day in _distinct_days(time_us // DAY_US):
        date = timestamp.EPOCH.date() + datetime.timedelta(days=utc_day)
        days.update(range(date.toordinal() - 2, date.toordinal() + 4))  # zones reach from -12 h to +14 h
    ordinals = sorted(days)
    dates = [datetime.date.fromordinal(day) for day in ordinals]
    starts = [calendar.day_start_us(date, zone) for date in dates]
    return _DayStarts(np.array(starts, np.int64), np.array(ordinals, np.int64))


def _distinct_days(utc_day: I64) -> Sequence[int]:
    first, last = int(utc_day.min()), int(utc_day.max())
    if last - first <= _DAYS_CLOSE:
        return range(first, last + 1)
    distinct: list[int] = np.unique(utc_day).tolist()
    return distinct
