"""Which local dates are holidays, and which weekends are worked, by official tables."""

import datetime
from typing import Final, NamedTuple

import msgspec

from historian.model.tariff import DayType, HolidayTable

_SATURDAY: Final = 5
_NEXT_YEARS_FROM: Final = (12, 20)  # a notice for a year may move days of the last week before it


class DayKind(NamedTuple):
    """What a table says of a date. Where it is not known, the week alone has spoken: no holiday, no make-up day."""

    type: DayType
    names: frozenset[str]
    is_known: bool


class Holidays(msgspec.Struct, frozen=True, eq=False):
    """A table to look dates up in; as a key of a cache it is itself."""

    names: dict[datetime.date, frozenset[str]]
    workdays: frozenset[datetime.date]
    years: frozenset[int]

    @staticmethod
    def of(table: HolidayTable) -> "Holidays":
        """From the data of a file."""
        names: dict[datetime.date, frozenset[str]] = {}
        workdays: set[datetime.date] = set()
        for year in table.years:
            for holiday in year.holidays:
                workdays.update(holiday.workdays)
                for number in range((holiday.last - holiday.first).days + 1):
                    date = holiday.first + datetime.timedelta(days=number)
                    names[date] = names.get(date, frozenset()) | frozenset(holiday.names)
        return Holidays(names, frozenset(workdays), frozenset(year.year for year in table.years))

    def kind_of(self, date: datetime.date) -> DayKind:
        """The kind of a local date."""
        names = self.names.get(date, frozenset())
        is_known = date.year in self.years
        if (date.month, date.day) >= _NEXT_YEARS_FROM:
            is_known = is_known and date.year + 1 in self.years
        if names:
            return DayKind("holiday", names, is_known)
        is_weekend = date.weekday() >= _SATURDAY and date not in self.workdays
        return DayKind("weekend" if is_weekend else "weekday", names, is_known)


NO_HOLIDAYS: Final = Holidays({}, frozenset(), frozenset())
"""The table of no year."""
