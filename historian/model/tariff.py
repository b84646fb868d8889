"""A time-of-use calendar and a table of holidays as data: what the files of ``config/tariffs`` hold.

Windows are of the clock of one day, half-open: ``"07:30-10:30"``, ``"22:00-24:00"``. ``"22:00-02:00"`` is 22:00 to 24:00
and 00:00 to 02:00 of the same date, so the windows of every single date tile its 24 hours.
"""

import datetime
import re
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

BANDS: Final = ("sharp", "peak", "flat", "valley", "deep_valley")
"""Names of the bands (尖 峰 平 谷 深谷); a band's code is its place. Append-only."""

BAND_COUNT: Final = len(BANDS)
UNDIVIDED: Final = 255  # the code of time that belongs to no band
DAY_MINUTES: Final = 1440

DAY_TYPES: Final = ("weekday", "weekend", "holiday")

Band = Literal["sharp", "peak", "flat", "valley", "deep_valley"]
DayType = Literal["weekday", "weekend", "holiday"]
Month = Annotated[int, msgspec.Meta(ge=1, le=12)]
Identifier = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Version = Annotated[int, msgspec.Meta(ge=1)]

_WINDOW: Final = re.compile(r"([0-9]{2}):([0-5][0-9])-([0-9]{2}):([0-5][0-9])")
_SPAN: Final = re.compile(r"([0-9]{2})-([0-9]{2})\.\.([0-9]{2})-([0-9]{2})")
_LEAP_YEAR: Final = 2000  # has every date that a year may have


class Window(NamedTuple):
    """Minutes ``[start, end)`` of a day's clock."""

    start_minute: int
    end_minute: int


class DateSpan(NamedTuple):
    """Dates of any year as (month, day), both ends included; a first after the last wraps the year's end."""

    first: tuple[int, int]
    last: tuple[int, int]

    def holds(self, month: int, day: int) -> bool:
        """Whether that date lies in it."""
        date = month, day
        if self.first <= self.last:
            return self.first <= date <= self.last
        return date >= self.first or date <= self.last


class Season(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bands of some dates of the year: those of `months`, those of `dates`; of neither named, all.

    `days` limits it to types of day; none named are all. Its windows tile 24 hours.
    """

    name: str = ""
    months: tuple[Month, ...] = ()
    dates: tuple[str, ...] = ()
    days: tuple[DayType, ...] = ()
    sharp: tuple[str, ...] = ()
    peak: tuple[str, ...] = ()
    flat: tuple[str, ...] = ()
    valley: tuple[str, ...] = ()
    deep_valley: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_dates(self.dates)
        for band in BANDS:
            _check_windows(band, self.windows_of(band))

    def windows_of(self, band: str) -> tuple[str, ...]:
        """The windows of a band of BANDS."""
        windows: tuple[str, ...] = getattr(self, band)
        return windows


class Overlay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A band that replaces whatever band its windows have, on days that meet every condition that is named.

    `months`, `dates` and `days` as in Season. `holidays`: on days of one of these holidays. `flags`: on days that were
    given one of these flags, such as a hot day, known afterwards. `option`: for accounts that have chosen it. Of
    overlays that meet, the later one counts.
    """

    band: Band
    windows: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    name: str = ""
    months: tuple[Month, ...] = ()
    dates: tuple[str, ...] = ()
    days: tuple[DayType, ...] = ()
    holidays: tuple[Identifier, ...] = ()
    flags: tuple[Identifier, ...] = ()
    option: str = ""
    confidence: str = ""

    def __post_init__(self) -> None:
        _check_dates(self.dates)
        _check_windows("windows", self.windows)


class Option(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition of the policy that belongs to an account, not to a day: its capacity, its kind of tariff."""

    id: Identifier
    name_zh: str = ""
    name_en: str = ""


class TariffCalendar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of one calendar; it holds on local dates ``[valid_from, valid_to)``, no end named is open."""

    id: Identifier
    version: Version
    seasons: Annotated[tuple[Season, ...], msgspec.Meta(min_length=1)]
    name_zh: str = ""
    name_en: str = ""
    region: str = ""
    legal: str = ""
    source: str = ""
    confidence: str = ""
    valid_from: datetime.date | None = None
    valid_to: datetime.date | None = None
    options: tuple[Option, ...] = ()
    overlays: tuple[Overlay, ...] = ()

    def __post_init__(self) -> None:
        if self.valid_from and self.valid_to and self.valid_from >= self.valid_to:
            raise ValueError(
                "valid_to: not after valid_from; allowed: the first date that it no longer holds"
            )


class Holiday(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days off in a row, both ends included, with the working days that make up for them."""

    names: Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1)]
    first: datetime.date
    last: datetime.date
    workdays: tuple[datetime.date, ...] = ()

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("last: before first; allowed: the last day off")


class HolidayYear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All holidays of one official notice, days that lie in the neighbouring year included."""

    year: Annotated[int, msgspec.Meta(ge=1900, le=9998)]
    source: str
    confidence: str
    holidays: tuple[Holiday, ...]


class HolidayTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Official holidays of a country, for the years that are known."""

    id: Identifier
    version: Version
    years: tuple[HolidayYear, ...]


def windows_of(text: str) -> tuple[Window, ...]:
    """``"22:00-02:00"`` → 00:00 to 02:00 and 22:00 to 24:00. Raises ValueError that says what is allowed."""
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no window; allowed: HH:MM-HH:MM, such as 07:30-10:30 or 22:00-24:00")
    hour, minute, end_hour, end_minute = (int(part) for part in match.groups())
    start, end = 60 * hour + minute, 60 * end_hour + end_minute
    if start >= DAY_MINUTES or end > DAY_MINUTES or start == end:
        raise ValueError(f"{text!r} is no window; allowed: from 00:00-… to …-24:00, and not of no length")
    if start < end:
        return (Window(start, end),)
    before_midnight = Window(start, DAY_MINUTES)
    return (Window(0, end), before_midnight) if end else (before_midnight,)


def span_of(text: str) -> DateSpan:
    """``"07-15..08-31"``. Raises ValueError that says what is allowed."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no span of dates; allowed: MM-DD..MM-DD, such as 07-15..08-31")
    month, day, last_month, last_day = (int(part) for part in match.groups())
    for part in ((month, day), (last_month, last_day)):
        try:
            datetime.date(_LEAP_YEAR, *part)
        except ValueError:
            raise ValueError(f"{text!r} names {part[0]:02d}-{part[1]:02d}, which is no date") from None
    return DateSpan((month, day), (last_month, last_day))


def _check_windows(field: str, texts: tuple[str, ...]) -> None:
    for text in texts:
        try:
            windows_of(text)
        except ValueError as error:
            raise ValueError(f"{field}: {error}") from None


def _check_dates(texts: tuple[str, ...]) -> None:
    for text in texts:
        try:
            span_of(text)
        except ValueError as error:
            raise ValueError(f"dates: {error}") from None
