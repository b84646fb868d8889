"""Which days are like a day: the same weekday of the three weeks before, where a holiday counts as a Sunday."""

import datetime
from typing import Final

from historian.energy.holiday import Holidays

LOOK_BACK_DAYS: Final = 21
_SUNDAY: Final = 6
_WORKED: Final = 7  # a weekend day that is worked is like no day but another of its kind
_SATURDAY: Final = 5


def class_of(date: datetime.date, holidays: Holidays) -> int:
    """The weekday that a date counts as."""
    kind = holidays.kind_of(date).type
    if kind == "holiday":
        return _SUNDAY
    return _WORKED if kind == "weekday" and date.weekday() >= _SATURDAY else date.weekday()


def like_days(date: datetime.date, holidays: Holidays) -> list[datetime.date]:
    """Candidates for a date, the nearest first."""
    wanted = class_of(date, holidays)
    before = (date - datetime.timedelta(days=number) for number in range(1, LOOK_BACK_DAYS + 1))
    return [one for one in before if class_of(one, holidays) == wanted]


def are_holidays_known(date: datetime.date, holidays: Holidays) -> bool:
    """Whether the table speaks for the date and all its candidates; without any table weeks alone are meant."""
    first = date - datetime.timedelta(days=LOOK_BACK_DAYS)
    return holidays.kind_of(date).is_known and holidays.kind_of(first).is_known
