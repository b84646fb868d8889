"""Which (point, local day) must be made anew: samples come in as columns, days come out.

A sample changes the day it is stamped in, and its neighbours where its period or that of the sample before
it may reach across midnight. A register's reading changes every day up to the readings beside it; those days
are found later, by asking the store (`take_register_days`).

Nearly all samples fall in the middle of a day of which they were marked before. A hot day knows its points by a
byte each, so such a sample costs a look at that byte; only the others are looked at closely.
"""

import datetime
import zoneinfo
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from historian.energy import calendar
from historian.model import timestamp
from historian.model.point import DAY_US, HOUR_US
from historian.rollup import day_key, mark_kernels
from historian.rollup.day_key import KeyColumn, KeySet
from historian.rollup.definitions import Definitions
from historian.rollup.point_facts import PointFacts, RevisedDirectory
from historian.rollup.term_directory import TermDirectory

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

HOT_DAYS_MAX: Final = 3
HOT_REACH_US_MAX: Final = 2 * HOUR_US  # samples that reach further are looked at closely each time

# Days of years 1 and 9999 have no neighbours to be looked up; no meter reads there.
_FIRST_US: Final = timestamp.TIME_MIN_US + 366 * DAY_US
_LAST_US: Final = timestamp.TIME_MAX_US - 366 * DAY_US
_SCANS_MAX: Final = 64  # of more scans in a batch, or where there are none, all are looked at together
_DAYS_CLOSE: Final = 64  # so few days are looked up without asking which of them occur
_DAYS_TOGETHER: Final = 1000  # so many are looked up by one table of their starts


class _HotDay:
    """A day in which many samples fall, and which points of its zone were marked in it.

    `low_us` and `high_us` bound the stamps that touch no other day, whatever point of `HOT_REACH_US_MAX` has them.
    """

    def __init__(self, zone_number: int, day: int, start_us: int, end_us: int) -> None:
        self.zone_number = zone_number
        self.day = day
        self.start_us = start_us
        self.end_us = end_us
        self.low_us = start_us
        self.high_us = end_us
        self.known = np.zeros(0, np.uint8)

    def learn(self, point_id: I64, facts: PointFacts, keys: KeySet) -> None:
        """From now on know these points, as far as they belong here."""
        before_us, after_us = facts.before_us[point_id], facts.after_us[point_id]
        belongs = (facts.zone_number[point_id] == self.zone_number) & (after_us <= HOT_REACH_US_MAX)
        if not belongs.any():
            return
        self.low_us = max(self.low_us, self.start_us + int(before_us[belongs].max()))
        self.high_us = min(self.high_us, self.end_us - int(after_us[belongs].max()) + 1)
        known = day_key.distinct(point_id[belongs])
        missing = int(known[-1]) + 1 - len(self.known)
        if missing > 0:
            self.known = np.append(self.known, np.zeros(max(missing, len(self.known)), np.uint8))
        is_dirty = keys.holds(day_key.pack_days(known, self.day))
        fresh = self.known[known] != mark_kernels.WAITING
        self.known[known[fresh]] = np.where(is_dirty, mark_kernels.DIRTY, mark_kernels.CLEAN)[fresh]

    def take_waiting(self) -> KeyColumn:
        """Keys of the points marked since the last call, ascending."""
        waiting = np.flatnonzero(self.known == mark_kernels.WAITING)
        self.known[waiting] = mark_kernels.DIRTY
        return day_key.pack_days(waiting, self.day)

    def clean(self, keys: KeyColumn) -> None:
        """These days are no longer in the set."""
        point_id = keys[(keys & day_key.DAY_MASK) == self.day] >> day_key.DAY_BITS
        point_id = point_id[point_id < len(self.known)]
        self.known[point_id[self.known[point_id] == mark_kernels.DIRTY]] = mark_kernels.CLEAN


class DirtyDays:
    """The dirty set, and the marks that were not yet put there. Owned by the loop's thread."""

    def __init__(
        self,
        directory: RevisedDirectory,
        definitions: Definitions | None = None,
        terms: TermDirectory | None = None,
    ) -> None:
        self.facts = PointFacts(directory, definitions or Definitions(), terms)
        self._hot: list[_HotDay] = []
        self._hot_revision = -1
        self._starts: dict[tuple[int, int, int], I64] = {}
        self._keys = KeySet()
        self._unsaved = KeySet()
        self._register_keys = KeySet()

    def mark(self, point_id: U32, time_us: I64) -> None:
        """See `ports.DirtyMarker`; keeps neither column."""
        if self._hot_revision != self.facts.revision:
            self._settle_hot()
            self._hot.clear()
            self._hot_revision = self.facts.revision
        point_id, time_us = self._mark_hot(point_id, time_us)
        while len(point_id):
            # Of a new day one scan is enough to know its points; then it is hot, and the rest costs little.
            count = mark_kernels.leading_scan(point_id, time_us)
            has_scans = _SCANS_MAX * count >= len(point_id)
            if not has_scans:
                count = len(point_id)
            self._look_closely(point_id[:count], np.clip(time_us[:count], _FIRST_US, _LAST_US))
            if has_scans:
                self._learn(point_id[:count].astype(np.int64), time_us[:count])
            point_id, time_us = self._mark_hot(point_id[count:], time_us[count:])

    def _mark_hot(self, point_id: U32, time_us: I64) -> tuple[U32, I64]:
        """Mark what belongs to hot days; gives the others."""
        for hot in self._hot:
            if len(point_id) == 0:
                break
            left = np.empty(len(point_id), np.int64)
            count = mark_kernels.mark_day(point_id, time_us, hot.low_us, hot.high_us, hot.known, left)
            if count < len(point_id):
                point_id, time_us = point_id[left[:count]], time_us[left[:count]]
        return point_id, time_us

    @property
    def count(self) -> int:
        """How many days are dirty."""
        return len(self.settle())

    def settle(self) -> KeySet:
        """Put waiting marks into the set of all dirty days, and return that."""
        self._settle_hot()
        return self._keys

    def add(self, keys: KeyColumn) -> None:
        """Make days dirty; keys ascend, each once."""
        self._unsaved.add(self._keys.add(keys))

    def restore(self, keys: KeyColumn) -> None:
        """Days that are dirty on disk already. A register's neighbours are looked for again."""
        self._keys.add(keys)
        self._add_registers(keys)

    def discard(self, keys: KeyColumn) -> None:
        """These days are made anew from samples read after this call, and cleared on disk then."""
        self._keys.discard(keys)
        self._unsaved.discard(keys)
        for hot in self._hot:
            hot.clean(keys)

    def keep_only(self, keys: KeyColumn) -> None:
        """Forget dirty days that are not among `keys`."""
        self._settle_hot()
        self._keys.keep_only(keys)
        self._unsaved.keep_only(keys)
        self._hot.clear()

    def take_unsaved(self) -> KeyColumn:
        """Days that became dirty since the last call, and still are."""
        self.settle()
        keys = self._unsaved.to_column()
        self._unsaved = KeySet()
        return keys

    def registers_among(self, point_id: I64) -> list[int]:
        """Those of the points that have changed readings whose neighbours were not yet looked for."""
        if len(self._register_keys) == 0:
            return []
        changed = np.unique(self._register_keys.to_column() >> day_key.DAY_BITS)
        among: list[int] = changed[np.isin(changed, point_id)].tolist()
        return among

    def take_register_days(self, point_id: int) -> list[int]:
        """Days of a register point with changed readings whose neighbours were not yet looked for."""
        days = self._register_keys.days_of(point_id)
        if days:
            self._register_keys.discard(day_key.pack_days(point_id, days))
        return days

    def _settle_hot(self) -> None:
        for hot in self._hot:
            keys = hot.take_waiting()
            if len(keys):
                self.add(keys)
                self._add_registers(keys)

    def _add_registers(self, keys: KeyColumn) -> None:
        point_id = keys >> day_key.DAY_BITS
        self.facts.refresh(point_id)
        is_register = self.facts.is_register[point_id] if len(keys) else np.zeros(0, np.bool_)
        if is_register.any():
            self._register_keys.add(keys[is_register])

    def _look_closely(self, point_id: U32, time_us: I64) -> None:
        facts = self.facts
        facts.refresh(point_id)
        keys = self._find_days(point_id, time_us)
        if len(keys):
            self.add(keys)
            self._add_registers(keys)

    def _learn(self, ids: I64, time_us: I64) -> None:
        """Make the day of the first sample hot for these points; it was looked at closely."""
        zone_number = self.facts.zone_number[ids]
        first = int(np.argmax(zone_number >= 0))
        if zone_number[first] >= 0:
            time_us = np.clip(time_us[first : first + 1], _FIRST_US, _LAST_US)
            self._heat(int(zone_number[first]), int(time_us[0])).learn(ids, self.facts, self._keys)

    def _heat(self, zone_number: int, time_us: int) -> _HotDay:
        """The hot day that holds the instant by the clock of the zone, made where there is none."""
        for hot in self._hot:
            if hot.zone_number == zone_number and hot.start_us <= time_us < hot.end_us:
                return hot
        zone = self.facts.zones[zone_number]
        date = calendar.local_date(time_us, zone)
        self._settle_hot()
        self._hot.insert(0, _HotDay(zone_number, date.toordinal(), *calendar.day_edges_us(date, zone)))
        del self._hot[HOT_DAYS_MAX:]
        return self._hot[0]

    def _find_days(self, point_id: U32, time_us: I64) -> KeyColumn:
        """Keys of the days that the samples touch, ascending, each once."""
        facts = self.facts
        reach_us = int(max(facts.before_us.max(), facts.after_us.max()))
        first = (int(time_us.min()) - reach_us) // DAY_US - 2
        last = (int(time_us.max()) + reach_us) // DAY_US + 3
        if last - first <= _DAYS_TOGETHER and facts.zones:
            keys = np.empty(mark_kernels.DAYS_MAX * len(point_id), np.int64)
            first_day = timestamp.EPOCH.toordinal() + first
            count = mark_kernels.find_days(
                np.ascontiguousarray(point_id), time_us, facts.zone_number, facts.before_us, facts.after_us,
                self._starts_of(first, last), first_day, keys,
            )  # fmt: skip
            if count >= 0:
                return day_key.distinct(keys[:count])
        return self._find_days_far_apart(point_id.astype(np.int64), time_us)

    def _starts_of(self, first: int, last: int) -> I64:
        """Starts of UTC days ``[first, last)`` counted from the epoch, by the clock of each zone."""
        name = (first, last, len(self.facts.zones))
        starts = self._starts.get(name)
        if starts is None:
            epoch = timestamp.EPOCH.toordinal()
            dates = [datetime.date.fromordinal(epoch + day) for day in range(first, last)]
            starts = np.array(
                [[calendar.day_start_us(date, zone) for date in dates] for zone in self.facts.zones], np.int64
            )
            self._starts = {name: starts}
        return starts

    def _find_days_far_apart(self, point_id: I64, time_us: I64) -> KeyColumn:
        """The same for samples of many years, or that reach over many days."""
        facts, found = self.facts, [np.empty(0, np.int64)]
        zone_number = facts.zone_number[point_id]
        for number, zone in enumerate(facts.zones):
            is_there = zone_number == number
            if is_there.any():
                ids, times_us = point_id[is_there], time_us[is_there]
                before_us, after_us = facts.before_us[ids], facts.after_us[ids]
                found.append(_keys_in_zone(ids, times_us - before_us, times_us, times_us + after_us, zone))
        return day_key.distinct(np.concatenate(found))


class _DayStarts(NamedTuple):
    """Starts of local days around some instants, ascending, and the ordinals of their dates."""

    start_us: I64
    day: I64

    def index_of(self, time_us: I64) -> I64:
        return np.searchsorted(self.start_us, time_us, side="right") - 1


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
