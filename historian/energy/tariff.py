"""Which band of a time-of-use calendar each instant of a local day belongs to.

A calendar is compiled once; that refuses one whose bands do not tile every day of the year. Days are then laid out by
the wall clock: on the day clocks go forward a band may lose an hour, where they go back it has it twice.

Nothing is guessed. On dates outside the calendar's validity all time is undivided. Where a calendar asks whether a day is
a holiday and no table of that year is known, or what flags a day was given and nobody has said, the schedule takes it as
having none and carries the warning.
"""

import datetime
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from historian.energy import calendar
from historian.energy.holiday import DayKind, Holidays
from historian.errors import TariffError
from historian.model import tariff as model
from historian.model import timestamp
from historian.model.point import DAY_US, MINUTE_US
from historian.model.tariff import BANDS, DAY_MINUTES, DAY_TYPES, UNDIVIDED, Overlay, Season, TariffCalendar

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

OUTSIDE_VALIDITY: Final = "outside_validity"
HOLIDAYS_UNKNOWN: Final = "holidays_unknown"
FLAGS_UNKNOWN: Final = "flags_unknown"

_LEAP_YEAR: Final = 2000
_YEAR_DAYS: Final = 366
_NO_SEASON: Final = 255
_PROBE_US: Final = 15 * MINUTE_US  # clocks change less often
_NO_BANDS: Final = np.full(DAY_MINUTES, UNDIVIDED, np.uint8)


class DaySchedule(NamedTuple):
    """Band i of a local day holds the instants ``[edges_us[i], edges_us[i + 1])``; neighbours differ.

    `band` is a code of BANDS, or UNDIVIDED. `warnings` names what was not known: OUTSIDE_VALIDITY, HOLIDAYS_UNKNOWN,
    FLAGS_UNKNOWN.
    """

    edges_us: I64
    band: U8
    warnings: tuple[str, ...] = ()


class _Layer(NamedTuple):
    """An overlay, compiled: `is_minute` of the day, `is_date` of the year, `is_type` of DAY_TYPES."""

    code: int
    is_minute: Mask
    is_date: Mask
    is_type: Mask
    holidays: frozenset[str]
    flags: frozenset[str]
    option: str

    @property
    def asks_holidays(self) -> bool:
        return bool(self.holidays) or not bool(self.is_type.all())


class Tariff(msgspec.Struct, frozen=True, eq=False):
    """A calendar that was checked; as a key of a cache it is itself."""

    calendar: TariffCalendar
    options: frozenset[str]
    flags: frozenset[str]
    season_of: U8  # of (date of a leap year, type of day)
    season_bands: tuple[U8, ...]  # code of each minute
    layers: tuple[_Layer, ...]

    @property
    def label(self) -> str:
        """What evidence calls it: ``CN-32-2025@1``."""
        return f"{self.calendar.id}@{self.calendar.version}"


def compile_tariff(data: TariffCalendar) -> Tariff:
    """Check a calendar and lay out its days. Raises TariffError that names the hole or the overlap."""
    options = frozenset(option.id for option in data.options)
    for number, overlay in enumerate(data.overlays):
        if overlay.option and overlay.option not in options:
            known = ", ".join(sorted(options)) or "none is declared"
            problem = f"option {overlay.option!r} is not declared; allowed: {known}"
            raise TariffError(data.id, ("overlays", number, "option"), problem)
    return Tariff(
        calendar=data,
        options=options,
        flags=frozenset(flag for overlay in data.overlays for flag in overlay.flags),
        season_of=_seasons_of_year(data),
        season_bands=tuple(_bands_of(data.id, number, season) for number, season in enumerate(data.seasons)),
        layers=tuple(_layer_of(overlay) for overlay in data.overlays),
    )


@lru_cache(maxsize=16_384)
def day_bands(
    tariff: Tariff,
    date: datetime.date,
    zone: datetime.tzinfo,
    holidays: Holidays,
    flags: frozenset[str] | None,
    options: frozenset[str],
) -> DaySchedule:
    """The bands of a local day. `flags` are those the day was given, None where nobody has said yet; `options` are what
    the account has chosen. Raises TariffError for an option that the calendar does not have.
    """
    data = tariff.calendar
    if not options <= tariff.options:
        problem = (
            f"has no option {', '.join(sorted(options - tariff.options))}; allowed: {sorted(tariff.options)}"
        )
        raise TariffError(data.id, ("options",), problem)
    if (data.valid_from and date < data.valid_from) or (data.valid_to and date >= data.valid_to):
        return _lay(_NO_BANDS, date, zone, (OUTSIDE_VALIDITY,))
    kind = holidays.kind_of(date)
    place, type_code = _place_of(date.month, date.day), DAY_TYPES.index(kind.type)
    warnings: set[str] = set()
    season_of_types = tariff.season_of[place]
    if not kind.is_known and bool(np.any(season_of_types != season_of_types[0])):
        warnings.add(HOLIDAYS_UNKNOWN)
    minutes = tariff.season_bands[season_of_types[type_code]].copy()
    for layer in tariff.layers:
        if (layer.option and layer.option not in options) or not layer.is_date[place]:
            continue
        warnings |= _unknown(layer, kind, flags)
        if _holds(layer, kind, type_code, flags or frozenset()):
            minutes[layer.is_minute] = layer.code
    return _lay(minutes, date, zone, tuple(sorted(warnings)))


def clock_text(minute: int) -> str:
    """450 → ``07:30``; 1440 → ``24:00``."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _holds(layer: _Layer, kind: DayKind, type_code: int, flags: frozenset[str]) -> bool:
    """Whether an overlay of that date holds on a day of that kind and with these flags."""
    is_holiday = not layer.holidays or bool(layer.holidays & kind.names)
    is_flagged = not layer.flags or bool(layer.flags & flags)
    return bool(layer.is_type[type_code]) and is_holiday and is_flagged


def _unknown(layer: _Layer, kind: DayKind, flags: frozenset[str] | None) -> set[str]:
    """What an overlay asks of a day that nobody has said."""
    unknown: set[str] = set()
    if layer.asks_holidays and not kind.is_known:
        unknown.add(HOLIDAYS_UNKNOWN)
    if layer.flags and flags is None:
        unknown.add(FLAGS_UNKNOWN)
    return unknown


# ── Compiling ────────────────────────────────────────────────────────────────────────────────────────────────


def _bands_of(tariff_id: str, number: int, season: Season) -> U8:
    """The code of each minute of a season's days."""
    codes = np.full(DAY_MINUTES, UNDIVIDED, np.uint8)
    for code, band in enumerate(BANDS):
        for text in season.windows_of(band):
            is_minute = _minutes_of((text,))
            taken = np.flatnonzero(is_minute & (codes != UNDIVIDED))
            if len(taken):
                other = int(codes[taken[0]])
                clock = _stretch_text(is_minute & (codes == other))
                both = f"both {BANDS[other]} and {band}" if other != code else f"{band} twice"
                raise TariffError(
                    tariff_id, ("seasons", number, band), f"{_season_text(number, season)}: {clock} is {both}"
                )
            codes[is_minute] = code
    if bool(np.any(codes == UNDIVIDED)):
        clock = _stretch_text(codes == UNDIVIDED)
        problem = f"{_season_text(number, season)}: {clock} has no band"
        raise TariffError(tariff_id, ("seasons", number), problem)
    return codes


def _seasons_of_year(data: TariffCalendar) -> U8:
    """Which season each date of a leap year and type of day has."""
    season_of = np.full((_YEAR_DAYS, len(DAY_TYPES)), _NO_SEASON, np.uint8)
    for number, season in enumerate(data.seasons):
        wanted = np.outer(_dates_of(season), _types_of(season))
        taken = np.argwhere(wanted & (season_of != _NO_SEASON))
        if len(taken):
            other = int(season_of[tuple(taken[0])])
            texts = _season_text(other, data.seasons[other]), _season_text(number, season)
            problem = f"{_date_text(taken[0])} lies in {texts[0]} and in {texts[1]}"
            raise TariffError(data.id, ("seasons", number), problem)
        season_of[wanted] = number
    missing = np.argwhere(season_of == _NO_SEASON)
    if len(missing):
        raise TariffError(data.id, ("seasons",), f"{_date_text(missing[0])} lies in no season")
    return season_of


def _layer_of(overlay: Overlay) -> _Layer:
    return _Layer(
        BANDS.index(overlay.band),
        _minutes_of(overlay.windows),
        _dates_of(overlay),
        _types_of(overlay),
        frozenset(overlay.holidays),
        frozenset(overlay.flags),
        overlay.option,
    )


def _minutes_of(texts: tuple[str, ...]) -> Mask:
    is_minute = np.zeros(DAY_MINUTES, np.bool_)
    for text in texts:
        for window in model.windows_of(text):
            is_minute[window.start_minute : window.end_minute] = True
    return is_minute


def _dates_of(part: Season | Overlay) -> Mask:
    """Which dates of a leap year it names; all where it names none."""
    spans = [model.span_of(text) for text in part.dates]
    has_all = not part.months and not spans
    dates = (_date_at(place) for place in range(_YEAR_DAYS))
    return np.array(
        [
            has_all or date.month in part.months or any(span.holds(date.month, date.day) for span in spans)
            for date in dates
        ],
        np.bool_,
    )


def _types_of(part: Season | Overlay) -> Mask:
    return np.array([not part.days or name in part.days for name in DAY_TYPES], np.bool_)


def _date_at(place: int) -> datetime.date:
    return datetime.date(_LEAP_YEAR, 1, 1) + datetime.timedelta(days=place)


def _place_of(month: int, day: int) -> int:
    return (datetime.date(_LEAP_YEAR, month, day) - datetime.date(_LEAP_YEAR, 1, 1)).days


def _stretch_text(mask: Mask) -> str:
    """The clock of the first stretch of minutes in `mask`."""
    first = int(np.argmax(mask))
    length = int(np.argmin(np.append(mask[first:], False)))
    return f"{clock_text(first)}-{clock_text(first + length)}"


def _season_text(number: int, season: Season) -> str:
    return f"season {number + 1}" + (f" ({season.name})" if season.name else "")


def _date_text(found: npt.NDArray[np.intp]) -> str:
    return f"{_date_at(int(found[0])):%m-%d} on a {DAY_TYPES[int(found[1])]}"


# ── Laying out a day ─────────────────────────────────────────────────────────────────────────────────────────


def _lay(minutes: U8, date: datetime.date, zone: datetime.tzinfo, warnings: tuple[str, ...]) -> DaySchedule:
    """The bands of each minute of the clock as instants of a day."""
    start_us, end_us = calendar.day_edges_us(date, zone)
    edges: list[int] = []
    bands: list[int] = []
    changes = [*np.flatnonzero(np.diff(minutes, prepend=minutes[-1])).tolist(), 0]
    for first_us, last_us, offset_us in _stretches(start_us, end_us, lambda time: _offset_us(time, zone)):
        midnight_us = (first_us + offset_us) // DAY_US * DAY_US - offset_us
        places = {midnight_us + day * DAY_US + minute * MINUTE_US for minute in changes for day in (0, 1)}
        for time_us in sorted({first_us, *(place for place in places if first_us < place < last_us)}):
            band = int(minutes[(time_us + offset_us) % DAY_US // MINUTE_US])
            if not bands or band != bands[-1]:
                edges.append(time_us)
                bands.append(band)
    edges.append(end_us)
    edges_us, band_codes = np.array(edges, np.int64), np.array(bands, np.uint8)
    edges_us.flags.writeable = band_codes.flags.writeable = False  # many share them
    return DaySchedule(edges_us, band_codes, warnings)


def _stretches(start_us: int, end_us: int, offset_at: Callable[[int], int]) -> Iterator[tuple[int, int, int]]:
    """Parts ``[start, end)`` of a day on which the clock has one offset."""
    first_us, offset_us = start_us, offset_at(start_us)
    if end_us - start_us == DAY_US and offset_at(end_us - 1) == offset_us:
        yield start_us, end_us, offset_us
        return
    for probe_us in (*range(start_us + _PROBE_US, end_us, _PROBE_US), end_us - 1):
        if start_us < probe_us and offset_at(probe_us) != offset_us:
            low_us, high_us = probe_us - _PROBE_US, probe_us
            while high_us - low_us > 1:
                middle_us = (low_us + high_us) // 2
                low_us, high_us = (
                    (middle_us, high_us) if offset_at(middle_us) == offset_us else (low_us, middle_us)
                )
            yield first_us, high_us, offset_us
            first_us, offset_us = high_us, offset_at(high_us)
    if first_us < end_us:
        yield first_us, end_us, offset_us


def _offset_us(time_us: int, zone: datetime.tzinfo) -> int:
    """How far the wall clock is ahead of UTC."""
    moment = timestamp.EPOCH + datetime.timedelta(microseconds=time_us)
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None, "an aware time has an offset"
    return offset // datetime.timedelta(microseconds=1)
